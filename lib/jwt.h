/* SPDX-License-Identifier: MIT */
#ifndef GB_JWT_H
#define GB_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "error.h"
#include "keyring.h"

/* Compact JWS (RFC 7515 s7.1) with JWT claims (RFC 7519), our profile of them (contract, "Tokens"). */
#define GB_TOKEN_MAX	4096		/* bytes of a token, NUL not counted */
#define GB_GROUPS_MAX	16

struct gb_claims {
	const char *subject;		/* user id, decimal */
	int64_t issued_at, expires_at;	/* whole seconds */
	int64_t not_before;		/* signing writes issued_at whatever stands here */
	const char *jwt_id;
	bool fresh;			/* access and refresh only */
	const char *session_id;		/* access and refresh only */
	const char *email;		/* access only, from here on */
	bool email_verified;
	const char *username;		/* NULL: none */
	const char *groups[GB_GROUPS_MAX];
	size_t groups_len;
};

/* Issuer, audience and leeway of the settings; written when signing, demanded when verifying. */
struct gb_jwt_policy {
	const char *issuer, *audience;	/* NULL: neither written nor demanded */
	int64_t leeway_s;		/* on exp, nbf and iat; access and refresh only */
};

/*
 * Signs `claims` with the key that is active for `purpose` at `now`. "type" and
 * "id" (= sub) are written by this function. The token lives in the arena.
 * GB_ERR_MEMORY; GB_ERR_INTERNAL when the ring holds no signing key.
 */
enum gb_err gb_jwt_sign(const struct gb_keyring *keyring, const struct gb_jwt_policy *policy,
    enum gb_purpose purpose, const struct gb_claims *claims, int64_t now,
    struct gb_arena *arena, const char **token);

/*
 * Verifies the signature, then the claims (RFC 7519 s7.2, RFC 8725 s3), the
 * strings of which live in the arena. Claims are set on success, and also with
 * GB_ERR_TOKEN_EXPIRED (logout ends a live session by an expired token).
 * The first check that failed: GB_ERR_MALFORMED, _ALGORITHM, _KEY_ID,
 * _SIGNATURE, _TYPE, _CLAIM, _ISSUER, _AUDIENCE, _NOT_YET_VALID,
 * _TOKEN_EXPIRED; or GB_ERR_MEMORY.
 */
enum gb_err gb_jwt_verify(const struct gb_keyring *keyring, const struct gb_jwt_policy *policy,
    enum gb_purpose purpose, const char *token, int64_t now, struct gb_arena *arena,
    struct gb_claims *claims);

#endif
