/* SPDX-License-Identifier: MIT */
#ifndef GB_KEY_SOURCE_H
#define GB_KEY_SOURCE_H

#include "config.h"
#include "key.h"
#include "numbers.h"
#include "purpose.h"

/*
 * One key as it was given, by a setting or a file of the ring, and what came
 * from it: a key for each purpose. Behind keyring.h.
 */
struct gb_key_source {
	char id[GB_KEY_ID_MAX + 1];		/* "" for the environment's */
	int64_t use_from, use_until, drop_at;	/* seconds since the epoch; 0: not set */
	struct gb_key *keys[GB_PURPOSE__COUNT];	/* NULL: verifies and signs none */
	struct gb_numbers *published;		/* the public half of a pair, for /auth/jwks.json; NULL: none */
};

/*
 * Prepares the access key and derives from it every other that is not there
 * yet (design, "Keys"). The environment may have set REFRESH before.
 *	access	GB_KEYS_VERIFY drops private halves: such a process derives
 *		nothing from a pair
 * GB_ERR_MISCONFIGURED with `fault` (see numbers.h), GB_ERR_MEMORY.
 */
enum gb_err gb_key_source_fill(struct gb_key_source *source, struct gb_numbers *numbers,
    enum gb_keyring_access access, const char **fault);
/* The same from a secret whose length the caller has judged: development may use short ones. */
enum gb_err gb_key_source_fill_secret(struct gb_key_source *source, const struct gb_numbers *numbers);
void gb_key_source_clear(struct gb_key_source *source);

/*
 * The environment's keys: the first signs, a second one only verifies access
 * tokens (another algorithm of API_JWT_ALLOWED_ALGORITHMS that has a key of its
 * own). GB_ERR_MISCONFIGURED, GB_ERR_MEMORY.
 */
#define GB_ENVIRONMENT_SOURCES_MAX 2
enum gb_err gb_key_environment_load(const struct gb_config *config, enum gb_keyring_access access,
    char *why, size_t why_max, struct gb_key_source sources[static GB_ENVIRONMENT_SOURCES_MAX],
    size_t *sources_len);

/*
 * The development key of STATE/keys (jwt.key with 64 hex digits, or a JWK
 * ALGORITHM.json), made at the first need: of processes that start at once, all
 * get the same one.
 */
#define GB_MADE_SECRET_LEN	64
#define GB_MADE_FILE_MAX	16384
enum gb_err gb_key_made_read(const char *state, const struct gb_algorithm *algorithm, char *why,
    size_t why_max, struct gb_numbers *numbers);

#endif
