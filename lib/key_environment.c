/* SPDX-License-Identifier: MIT */
/* key_environment.c: the keys that stand in settings, checked before they are used. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "key_source.h"

struct report {
	char *why;
	size_t why_max;
};

/* Keys that stand in documentations and tutorials: known to everybody. Compared without regard to case. */
static const char *const example_keys[] = {
	"secret-key-default", "your-jwt-secret-key-here", "super-secret", "dev-secret-key-change-in-production",
	"changeme", "change-me", "change-this", "secret", "jwt-secret", "jwt-secret-string", "my-secret-key",
	"your-secret-key", "your-secret-key-here", "your-256-bit-secret", "your-384-bit-secret", "your-512-bit-secret",
	"change-me-in-production", "your-secret-key-change-in-production", "a-string-secret-at-least-256-bits-long",
	"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
	"your-super-secret-jwt-token-with-at-least-32-characters-long",
	"dev-access-secret-key-change-in-production", "dev-refresh-secret-key-change-in-production",
};

static enum gb_err
fail(const struct report *report, const char *setting, const char *what)
{
	snprintf(report->why, report->why_max, "%s %s", setting, what);
	return GB_ERR_MISCONFIGURED;
}

static bool
is_example(const char *key)
{
	for (size_t i = 0; i < sizeof example_keys / sizeof *example_keys; i++)
		if (strcasecmp(key, example_keys[i]) == 0)
			return true;
	return false;
}

/* A short key of development and testing is a warning (contract, "Settings", APP_ENV). */
static enum gb_err
check_secret(const struct gb_config *config, const char *setting, const char *secret,
    const struct gb_algorithm *algorithm, const struct report *report)
{
	if (is_example(secret))
		return fail(report, setting, "is a known example value; make a new one: openssl rand -hex 32");
	if (strlen(secret) >= algorithm->secret_min)
		return GB_OK;
	snprintf(report->why, report->why_max, "%s is too short for %s: at least %zu bytes", setting, algorithm->name,
	    algorithm->secret_min);
	return config->app_env == GB_ENV_PRODUCTION ? GB_ERR_MISCONFIGURED : GB_OK;
}

static enum gb_err
check_distinct(const struct gb_config *config, const struct report *report)
{
	const struct {
		const char *setting, *value;
	} keys[] = {
		{ "JWT_KEY", config->jwt_key }, { "SECRET_KEY", config->secret_key },
		{ "REFRESH_SECRET_KEY", config->refresh_secret_key },
		{ "ACCESS_PRIVATE_KEY", config->access_private_key }, { "REFRESH_PRIVATE_KEY", config->refresh_private_key },
	};
	const size_t keys_len = sizeof keys / sizeof *keys;

	for (size_t i = 0; i < keys_len; i++)
		for (size_t j = i + 1; j < keys_len; j++)
			if (keys[i].value != NULL && keys[j].value != NULL && strcmp(keys[i].value, keys[j].value) == 0) {
				snprintf(report->why, report->why_max, "%s and %s must not be equal", keys[i].setting, keys[j].setting);
				return GB_ERR_MISCONFIGURED;
			}
	return GB_OK;
}

static enum gb_err
set_secret(struct gb_key_source *source, enum gb_purpose purpose, const struct gb_algorithm *algorithm, const char *secret)
{
	source->keys[purpose] = gb_key_new_secret("", algorithm, secret, strlen(secret));
	return source->keys[purpose] != NULL ? GB_OK : GB_ERR_MEMORY;
}

static enum gb_err
load_secret(const struct gb_config *config, const char *secret, const struct gb_algorithm *algorithm,
    const struct report *report, struct gb_key_source *source)
{
	enum gb_err err;

	if ((err = check_secret(config, "JWT_KEY", secret, algorithm, report)) != GB_OK ||
	    (err = set_secret(source, GB_PURPOSE_ACCESS, algorithm, secret)) != GB_OK)
		return err;
	if (config->refresh_secret_key != NULL &&
	    ((err = check_secret(config, "REFRESH_SECRET_KEY", config->refresh_secret_key, algorithm, report)) != GB_OK ||
	    (err = set_secret(source, GB_PURPOSE_REFRESH, algorithm, config->refresh_secret_key)) != GB_OK))
		return err;
	return gb_key_source_derive(source, secret, strlen(secret));
}

static enum gb_err
load_secrets(const struct gb_config *config, const struct gb_algorithm *algorithm, const struct report *report,
    struct gb_key_source *sources, size_t *sources_len)
{
	char made[GB_MADE_KEY_LEN + 1] = "";
	const char *secret = config->jwt_key;
	enum gb_err err;

	if (config->refresh_private_key != NULL)
		return fail(report, "REFRESH_PRIVATE_KEY", "does not fit ALGORITHM");
	if (secret == NULL && config->jwt_keys_dir != NULL)
		return GB_OK;
	if (secret == NULL && config->app_env == GB_ENV_PRODUCTION)
		return fail(report, "JWT_KEY", "is required in production");
	if (secret == NULL) {
		if ((err = gb_key_made_read(config->state, report->why, report->why_max, made)) != GB_OK)
			return err;
		secret = made;
	}
	*sources_len = 1;
	err = load_secret(config, secret, algorithm, report, &sources[0]);
	sodium_memzero(made, sizeof made);
	return err;
}

enum gb_err
gb_key_environment_load(const struct gb_config *config, enum gb_keyring_access access, char *why, size_t why_max,
    struct gb_key_source sources[static GB_ENVIRONMENT_SOURCES_MAX], size_t *sources_len)
{
	const struct report report = { why, why_max };
	const struct gb_algorithm *algorithm = config->algorithm != NULL ? gb_algorithm_find(config->algorithm) : NULL;
	enum gb_err err;

	(void)access;
	*sources_len = 0;
	if (algorithm == NULL)
		return fail(&report, "ALGORITHM", "is not one of HS256 HS384 HS512 RS256 RS384 RS512 ES256 EdDSA");
	if ((err = check_distinct(config, &report)) != GB_OK)
		return err;
	if (algorithm->kind != GB_KEY_SECRET)
		return fail(&report, "ALGORITHM", "is of a key pair: not supported yet");
	return load_secrets(config, algorithm, &report, sources, sources_len);
}
