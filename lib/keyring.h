/* SPDX-License-Identifier: MIT */
#ifndef GB_KEYRING_H
#define GB_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "error.h"
#include "json.h"
#include "purpose.h"

/* Signing and verifying keys, each with its one algorithm, by purpose and key id. */
struct gb_keyring;
struct gb_key;		/* prepared once per process */

/*
 * Loads the keys of the settings: environment keys and, if jwt_keys_dir is
 * set, the ring. In development and testing a missing JWT_KEY is made (64 hex
 * digits) and kept in STATE/keys/jwt.key, 0600. GB_ERR_MISCONFIGURED: one
 * line in `why` names setting or file, never a key. With GB_OK `why` is empty,
 * or one line of warning for the log. `config` must outlive the ring.
 */
enum gb_err gb_keyring_open(const struct gb_config *config, enum gb_keyring_access access,
    int64_t now, char *why, size_t why_max, struct gb_keyring **keyring);
void gb_keyring_close(struct gb_keyring *keyring);

/* Called once per request: notices a changed ring. Keeps the old one where the new is unfit (health turns red). */
void gb_keyring_refresh(struct gb_keyring *keyring, int64_t now);

/* For health: GB_OK, or one line in `why`. */
enum gb_err gb_keyring_health(const struct gb_keyring *keyring, char *why, size_t why_max);

/* True if the ring holds a secret (HS*), which has no public half: who verifies must read private/ too. */
bool gb_keyring_holds_secret(const struct gb_keyring *keyring);

/* The key that signs a purpose now; NULL if this process holds none. */
const struct gb_key *gb_keyring_signing_key(const struct gb_keyring *keyring,
    enum gb_purpose purpose, int64_t now);

/* The key with whose header, as we write it, this token begins: one comparison for our own tokens. NULL: look closer. */
const struct gb_key *gb_keyring_match(const struct gb_keyring *keyring, enum gb_purpose purpose,
    const char *token, size_t token_len, int64_t now);

/*
 * The key that verifies a purpose's tokens with this "kid" (NULL: a token without
 * one, tried only against the environment's keys) and this "alg".
 * GB_ERR_KEY_ID: no such key; GB_ERR_ALGORITHM: it has another algorithm.
 */
enum gb_err gb_keyring_find(const struct gb_keyring *keyring, enum gb_purpose purpose,
    const char *key_id, const char *algorithm, int64_t now, const struct gb_key **key);

/* {"keys":[...]}: the public halves of every pair that verifies now (RFC 7517 s5). */
void gb_keyring_write_jwks(const struct gb_keyring *keyring, int64_t now, struct gb_json_writer *writer);

#endif
