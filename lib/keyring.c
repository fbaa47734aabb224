/* SPDX-License-Identifier: MIT */
/* keyring.c: which key signs, which key verifies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_directory.h"
#include "keyring.h"

/* A file system's clock may stand still for a moment: what changed just now may change again unseen. */
#define SETTLE_S 2
#define RETRY_S 10

struct gb_keyring {
	const struct gb_config *config;
	enum gb_keyring_access access;
	struct gb_key_source environment[GB_ENVIRONMENT_SOURCES_MAX];
	size_t environment_len;
	struct gb_key_ring *ring;		/* NULL without JWT_KEYS_DIR */
	struct gb_key_stamp stamp;		/* of the ring as it was last looked at */
	int64_t look_again_at;			/* whatever the stamp says; 0: no need */
	enum gb_err health;
	char why[256];
};

static bool
signs(const struct gb_key_source *source, int64_t now)
{
	return source->use_from <= now && (source->use_until == 0 || now < source->use_until);
}

static bool
verifies(const struct gb_key_source *source, int64_t now)
{
	return source->drop_at == 0 || now < source->drop_at;
}

/* Of several the one that came last; the id decides between equals, so that all processes agree. */
static const struct gb_key_source *
active(const struct gb_key_ring *ring, int64_t now)
{
	const struct gb_key_source *best = NULL;

	for (size_t i = 0; i < ring->len; i++) {
		const struct gb_key_source *source = &ring->sources[i];

		if (signs(source, now) && (best == NULL || source->use_from > best->use_from ||
		    (source->use_from == best->use_from && strcmp(source->id, best->id) > 0)))
			best = source;
	}
	return best;
}

/* The environment's keys, then the ring's; NULL behind the last. */
static const struct gb_key_source *
source_at(const struct gb_keyring *keyring, size_t i)
{
	if (i < keyring->environment_len)
		return &keyring->environment[i];
	i -= keyring->environment_len;
	return keyring->ring != NULL && i < keyring->ring->len ? &keyring->ring->sources[i] : NULL;
}

/* A ring nobody can sign with is unfit, unless this process signs nothing. */
static enum gb_err
load_ring(struct gb_keyring *keyring, int64_t now, char *why, size_t why_max)
{
	const char *path = keyring->config->jwt_keys_dir;
	struct gb_key_ring *ring;
	enum gb_err err;

	gb_key_directory_stamp(path, &keyring->stamp);
	keyring->look_again_at = 0;
	for (size_t half = 0; half < 2; half++)
		if (now < keyring->stamp.of[half].changed_at.tv_sec + SETTLE_S)
			keyring->look_again_at = now + SETTLE_S;
	if ((err = gb_key_directory_load(path, keyring->access, why, why_max, &ring)) != GB_OK)
		return err;
	if (keyring->access == GB_KEYS_SIGN && active(ring, now) == NULL) {
		snprintf(why, why_max, "JWT_KEYS_DIR: %s holds no key that is in use now: guardbee key new", path);
		gb_key_ring_free(ring);
		return GB_ERR_MISCONFIGURED;
	}
	gb_key_ring_free(keyring->ring);
	keyring->ring = ring;
	return GB_OK;
}

enum gb_err
gb_keyring_open(const struct gb_config *config, enum gb_keyring_access access, int64_t now, char *why, size_t why_max,
    struct gb_keyring **keyring)
{
	struct gb_keyring *opened = calloc(1, sizeof *opened);
	enum gb_err err;

	*keyring = NULL;
	if (why_max > 0)
		*why = '\0';
	if (opened == NULL)
		return GB_ERR_MEMORY;
	opened->config = config;
	opened->access = access;
	err = gb_key_environment_load(config, access, why, why_max, opened->environment, &opened->environment_len);
	if (err == GB_OK && config->jwt_keys_dir != NULL)
		err = load_ring(opened, now, why, why_max);
	if (err != GB_OK) {
		gb_keyring_close(opened);
		return err;
	}
	*keyring = opened;
	return GB_OK;
}

void
gb_keyring_close(struct gb_keyring *keyring)
{
	if (keyring == NULL)
		return;
	for (size_t i = 0; i < GB_ENVIRONMENT_SOURCES_MAX; i++)
		gb_key_source_clear(&keyring->environment[i]);
	gb_key_ring_free(keyring->ring);
	free(keyring);
}

void
gb_keyring_refresh(struct gb_keyring *keyring, int64_t now)
{
	struct gb_key_stamp stamp;

	if (keyring->config->jwt_keys_dir == NULL)
		return;
	gb_key_directory_stamp(keyring->config->jwt_keys_dir, &stamp);
	if (memcmp(&stamp, &keyring->stamp, sizeof stamp) == 0 && (keyring->look_again_at == 0 || now < keyring->look_again_at))
		return;
	keyring->health = load_ring(keyring, now, keyring->why, sizeof keyring->why);
	if (keyring->health != GB_OK)
		keyring->look_again_at = now + RETRY_S;
}

enum gb_err
gb_keyring_health(const struct gb_keyring *keyring, char *why, size_t why_max)
{
	snprintf(why, why_max, "%s", keyring->health != GB_OK ? keyring->why : "");
	return keyring->health;
}

bool
gb_keyring_holds_secret(const struct gb_keyring *keyring)
{
	for (size_t i = 0; keyring->ring != NULL && i < keyring->ring->len; i++)
		if (keyring->ring->sources[i].published == NULL)
			return true;
	return false;
}

const struct gb_key *
gb_keyring_signing_key(const struct gb_keyring *keyring, enum gb_purpose purpose, int64_t now)
{
	const struct gb_key_source *source = keyring->ring != NULL ? active(keyring->ring, now) : &keyring->environment[0];
	const struct gb_key *key = source != NULL ? source->keys[purpose] : NULL;

	return key != NULL && key->can_sign ? key : NULL;
}

const struct gb_key *
gb_keyring_match(const struct gb_keyring *keyring, enum gb_purpose purpose, const char *token, size_t token_len, int64_t now)
{
	const struct gb_key_source *source;

	for (size_t i = 0; (source = source_at(keyring, i)) != NULL; i++) {
		const struct gb_key *key = source->keys[purpose];

		if (key != NULL && key->header_len <= token_len && memcmp(token, key->header, key->header_len) == 0 &&
		    verifies(source, now))
			return key;
	}
	return NULL;
}

enum gb_err
gb_keyring_find(const struct gb_keyring *keyring, enum gb_purpose purpose, const char *key_id, const char *algorithm,
    int64_t now, const struct gb_key **key)
{
	const struct gb_key_source *source;
	enum gb_err err = GB_ERR_KEY_ID;

	*key = NULL;
	for (size_t i = 0; (source = source_at(keyring, i)) != NULL; i++) {
		if (strcmp(source->id, key_id != NULL ? key_id : "") != 0 || source->keys[purpose] == NULL || !verifies(source, now))
			continue;
		err = GB_ERR_ALGORITHM;
		if (strcmp(source->keys[purpose]->algorithm->name, algorithm) == 0) {
			*key = source->keys[purpose];
			return GB_OK;
		}
	}
	return err;
}

void
gb_keyring_write_jwks(const struct gb_keyring *keyring, int64_t now, struct gb_json_writer *writer)
{
	const struct gb_key_source *source;

	gb_json_open(writer, NULL, '{');
	gb_json_open(writer, "keys", '[');
	for (size_t i = 0; (source = source_at(keyring, i)) != NULL; i++) {
		if (source->published == NULL || !verifies(source, now))
			continue;
		gb_json_open(writer, NULL, '{');
		if (source->id[0] != '\0')
			gb_json_put_string(writer, "kid", source->id);
		gb_json_put_string(writer, "use", "sig");
		gb_numbers_to_jwk(source->published, false, writer);
		gb_json_close(writer, '}');
	}
	gb_json_close(writer, ']');
	gb_json_close(writer, '}');
}
