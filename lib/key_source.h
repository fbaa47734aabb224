/* SPDX-License-Identifier: MIT */
#ifndef GB_KEY_SOURCE_H
#define GB_KEY_SOURCE_H

#include "key.h"
#include "keyring.h"

/*
 * One key as it was given, by a setting or a file of the ring, and what came
 * from it: a key for each purpose. Behind keyring.h.
 */
struct gb_key_source {
	char id[GB_KEY_ID_MAX + 1];		/* "" for the environment's */
	int64_t use_from, use_until, drop_at;	/* seconds since the epoch; use_until, drop_at 0: not set */
	struct gb_key *keys[GB_PURPOSE__COUNT];	/* NULL: verifies and signs none */
};

/*
 * Derives what is missing in `keys` from the access key's bytes (design,
 * "Keys": IKM). GB_ERR_MEMORY.
 */
enum gb_err gb_key_source_derive(struct gb_key_source *source, const void *ikm, size_t ikm_len);
void gb_key_source_clear(struct gb_key_source *source);

/*
 * The environment's keys: the first signs, a second one only verifies (another
 * algorithm of API_JWT_ALLOWED_ALGORITHMS). GB_ERR_MISCONFIGURED, GB_ERR_MEMORY.
 */
#define GB_ENVIRONMENT_SOURCES_MAX 2
enum gb_err gb_key_environment_load(const struct gb_config *config, enum gb_keyring_access access,
    char *why, size_t why_max, struct gb_key_source sources[static GB_ENVIRONMENT_SOURCES_MAX],
    size_t *sources_len);

/*
 * The development key of STATE/keys/jwt.key, made at the first need: of
 * processes that start at once, all get the same one.
 */
#define GB_MADE_KEY_LEN 64		/* hex digits */
enum gb_err gb_key_made_read(const char *state, char *why, size_t why_max,
    char key[static GB_MADE_KEY_LEN + 1]);

#endif
