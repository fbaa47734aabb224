/* SPDX-License-Identifier: MIT */
#ifndef GB_CLAIMS_H
#define GB_CLAIMS_H

#include "json.h"
#include "jwt.h"

/* The claims of each purpose (contract, "Tokens"), to JSON and back. Behind jwt.h. */

/* Compact JSON in the arena; NULL when there is no memory. */
const char *gb_claims_write(const struct gb_claims *claims, const struct gb_jwt_policy *policy,
    enum gb_purpose purpose, struct gb_arena *arena, size_t *len);

/* As gb_jwt_verify from GB_ERR_TYPE on. */
enum gb_err gb_claims_read(const struct gb_json *payload, const struct gb_jwt_policy *policy,
    enum gb_purpose purpose, int64_t now, struct gb_claims *claims);

#endif
