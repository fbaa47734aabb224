/* SPDX-License-Identifier: MIT */
/* keyring.c: which key signs, which key verifies. */
#include <stdlib.h>
#include <string.h>

#include "key_source.h"

struct gb_keyring {
	struct gb_key_source environment[GB_ENVIRONMENT_SOURCES_MAX];
	size_t environment_len;
};

static const char *const purpose_names[GB_PURPOSE__COUNT] = {
	[GB_PURPOSE_ACCESS] = "access",
	[GB_PURPOSE_REFRESH] = "refresh",
	[GB_PURPOSE_RESET] = "reset",
	[GB_PURPOSE_VERIFY_EMAIL] = "verify-email",
	[GB_PURPOSE_CHANGE_EMAIL] = "change-email",
};

const char *
gb_purpose_name(enum gb_purpose purpose)
{
	return purpose_names[purpose];
}

enum gb_err
gb_keyring_open(const struct gb_config *config, enum gb_keyring_access access, int64_t now, char *why, size_t why_max,
    struct gb_keyring **keyring)
{
	struct gb_keyring *opened = calloc(1, sizeof *opened);
	enum gb_err err;

	(void)now;
	*keyring = NULL;
	if (why_max > 0)
		*why = '\0';
	if (opened == NULL)
		return GB_ERR_MEMORY;
	err = gb_key_environment_load(config, access, why, why_max, opened->environment, &opened->environment_len);
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
	free(keyring);
}

void
gb_keyring_refresh(struct gb_keyring *keyring, int64_t now)
{
	(void)keyring;
	(void)now;
}

enum gb_err
gb_keyring_health(const struct gb_keyring *keyring, char *why, size_t why_max)
{
	(void)keyring;
	(void)why_max;
	*why = '\0';
	return GB_OK;
}

const struct gb_key *
gb_keyring_signing_key(const struct gb_keyring *keyring, enum gb_purpose purpose, int64_t now)
{
	const struct gb_key *key = keyring->environment[0].keys[purpose];

	(void)now;
	return key != NULL && key->can_sign ? key : NULL;
}

const struct gb_key *
gb_keyring_match(const struct gb_keyring *keyring, enum gb_purpose purpose, const char *token, size_t token_len, int64_t now)
{
	(void)now;
	for (size_t i = 0; i < keyring->environment_len; i++) {
		const struct gb_key *key = keyring->environment[i].keys[purpose];

		if (key != NULL && key->header_len <= token_len && memcmp(token, key->header, key->header_len) == 0)
			return key;
	}
	return NULL;
}

enum gb_err
gb_keyring_find(const struct gb_keyring *keyring, enum gb_purpose purpose, const char *key_id, const char *algorithm,
    int64_t now, const struct gb_key **key)
{
	enum gb_err err = GB_ERR_KEY_ID;

	(void)now;
	*key = NULL;
	for (size_t i = 0; i < keyring->environment_len; i++) {
		const struct gb_key_source *source = &keyring->environment[i];

		if (strcmp(source->id, key_id != NULL ? key_id : "") != 0 || source->keys[purpose] == NULL)
			continue;
		err = GB_ERR_ALGORITHM;
		if (strcmp(source->keys[purpose]->algorithm->name, algorithm) == 0) {
			*key = source->keys[purpose];
			return GB_OK;
		}
	}
	return err;
}
