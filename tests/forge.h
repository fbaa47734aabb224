/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include <stddef.h>

/*
 * Tokens as an attacker, or another program that holds the key, would make
 * them: any header, any payload, a right signature. Made without our own
 * signer, by libcrypto's one-shot HMAC. Strings live until the next 16 calls.
 */

/* base64url of any bytes, by libsodium. */
const char *forge_base64url(const void *bytes, size_t len);

/* "header.payload.signature"; hash: 256, 384 or 512. */
const char *forge_token(const char *header, const char *payload, const void *secret, size_t secret_len, int hash);

/* The same from parts that are base64url already, or are meant not to be. */
const char *forge_parts(const char *header_part, const char *payload_part, const void *secret, size_t secret_len, int hash);

/*
 * The payload of a good access token for user 42 with times 1000, 1000, 2000
 * (or, type "refresh", of a good refresh token), in which one member is
 * `value` (JSON), or is left out where `value` is NULL. name NULL: as it is.
 */
const char *forge_payload(const char *type, const char *name, const char *value);

#endif
