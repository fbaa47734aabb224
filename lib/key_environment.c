/* SPDX-License-Identifier: MIT */
/* key_environment.c: the keys that stand in settings, checked before they are used. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "key_source.h"

/* What the steps of one load share. */
struct load {
	const struct gb_config *config;
	enum gb_keyring_access access;
	const struct gb_algorithm *algorithm;
	struct gb_numbers *numbers;
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
fail(const struct load *load, const char *setting, const char *what)
{
	snprintf(load->why, load->why_max, "%s %s", setting, what);
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

/* What everybody may know is no secret: RFC 8725 s2.1, a public key as HMAC key. */
static bool
is_key_of_a_pair(const char *key)
{
	return strstr(key, "-----BEGIN ") != NULL || strncmp(key, "ssh-", 4) == 0 || strncmp(key, "ecdsa-sha2-", 11) == 0;
}

/* A short key of development and testing is a warning (contract, "Settings", APP_ENV). */
static enum gb_err
check_secret(const struct load *load, const char *setting, const char *secret, const struct gb_algorithm *algorithm)
{
	if (is_example(secret))
		return fail(load, setting, "is a known example value; make a new one: openssl rand -hex 32");
	if (is_key_of_a_pair(secret))
		return fail(load, setting, "is a key of a pair, and its algorithm needs a secret");
	if (strlen(secret) > GB_NUMBER_MAX)
		return fail(load, setting, "is longer than 1024 bytes");
	if (strlen(secret) >= algorithm->secret_min)
		return GB_OK;
	snprintf(load->why, load->why_max, "%s is too short for %s: at least %zu bytes", setting, algorithm->name,
	    algorithm->secret_min);
	return load->config->app_env == GB_ENV_PRODUCTION ? GB_ERR_MISCONFIGURED : GB_OK;
}

static enum gb_err
check_distinct(const struct load *load)
{
	const struct gb_config *config = load->config;
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
				snprintf(load->why, load->why_max, "%s and %s must not be equal", keys[i].setting, keys[j].setting);
				return GB_ERR_MISCONFIGURED;
			}
	return GB_OK;
}

/* "SETTING is an RSA key of less than 2048 bits" */
static enum gb_err
with_fault(const struct load *load, enum gb_err err, const char *setting, const char *fault)
{
	return err == GB_ERR_MISCONFIGURED && fault != NULL ? fail(load, setting, fault) : err;
}

/* ---- secrets ---- */

/* Short ones, which development may use, are below the minimum of gb_numbers_fault: so not by gb_key_from_numbers. */
static enum gb_err
set_secret(const struct load *load, const char *setting, const char *secret, const struct gb_algorithm *algorithm,
    struct gb_key **key)
{
	enum gb_err err = check_secret(load, setting, secret, algorithm);

	if (err == GB_OK && (*key = gb_key_new_secret("", algorithm, secret, strlen(secret))) == NULL)
		err = GB_ERR_MEMORY;
	return err;
}

static enum gb_err
load_secret(const struct load *load, struct gb_key_source *source)
{
	const char *secret = load->config->jwt_key, *refresh = load->config->refresh_secret_key;
	struct gb_numbers *numbers = load->numbers;
	enum gb_err err;

	if (refresh != NULL &&
	    (err = set_secret(load, "REFRESH_SECRET_KEY", refresh, load->algorithm, &source->keys[GB_PURPOSE_REFRESH])) != GB_OK)
		return err;
	if (secret == NULL) {
		if ((err = gb_key_made_read(load->config->state, load->algorithm, load->why, load->why_max, numbers)) != GB_OK)
			return err;
	} else {
		if ((err = check_secret(load, "JWT_KEY", secret, load->algorithm)) != GB_OK)
			return err;
		numbers->algorithm = load->algorithm;
		numbers->of[GB_NUMBER_K].len = strlen(secret);
		memcpy(numbers->of[GB_NUMBER_K].bytes, secret, strlen(secret));
	}
	return gb_key_source_fill_secret(source, numbers);
}

static enum gb_err
load_secrets(const struct load *load, struct gb_key_source *sources, size_t *sources_len)
{
	const struct gb_config *config = load->config;

	if (config->refresh_private_key != NULL || config->refresh_public_key != NULL)
		return fail(load, config->refresh_private_key != NULL ? "REFRESH_PRIVATE_KEY" : "REFRESH_PUBLIC_KEY", "does not fit ALGORITHM");
	if (config->jwt_key == NULL && config->jwt_keys_dir != NULL)
		return GB_OK;
	if (config->jwt_key == NULL && config->app_env == GB_ENV_PRODUCTION)
		return fail(load, "JWT_KEY", "is required in production");
	*sources_len = 1;
	return load_secret(load, &sources[0]);
}

/* ---- pairs ---- */

static bool
same_public(const struct gb_numbers *a, const struct gb_numbers *b)
{
	for (enum gb_number number = GB_NUMBER_N; number <= GB_NUMBER_Y; number++)
		if (a->of[number].len != b->of[number].len || memcmp(a->of[number].bytes, b->of[number].bytes, a->of[number].len) != 0)
			return false;
	return true;
}

static enum gb_err
check_public(const struct load *load, const char *setting, const char *pem, const char *private_setting)
{
	struct gb_numbers *numbers = gb_numbers_new();
	const char *fault;
	enum gb_err err;

	if (numbers == NULL)
		return GB_ERR_MEMORY;
	if ((err = gb_numbers_from_pem(pem, false, load->algorithm, numbers, &fault)) != GB_OK) {
		err = with_fault(load, err, setting, fault);
	} else if (!same_public(numbers, load->numbers)) {
		snprintf(load->why, load->why_max, "%s does not belong to %s", setting, private_setting);
		err = GB_ERR_MISCONFIGURED;
	}
	gb_numbers_free(numbers);
	return err;
}

/* A process that only verifies takes the public key where there is one, and looks at no other. */
static enum gb_err
read_pair(const struct load *load, const char *private_setting, const char *private_pem, const char *public_setting,
    const char *public_pem)
{
	bool public_only = private_pem == NULL || (load->access == GB_KEYS_VERIFY && public_pem != NULL);
	const char *fault;
	enum gb_err err = gb_numbers_from_pem(public_only ? public_pem : private_pem, !public_only, load->algorithm, load->numbers, &fault);

	if (err != GB_OK)
		return with_fault(load, err, public_only ? public_setting : private_setting, fault);
	return public_only || public_pem == NULL ? GB_OK : check_public(load, public_setting, public_pem, private_setting);
}

static enum gb_err
load_refresh_pair(const struct load *load, struct gb_key_source *source)
{
	const struct gb_config *config = load->config;
	const char *fault = NULL;
	enum gb_err err;

	if (config->refresh_private_key == NULL && config->refresh_public_key == NULL)
		return GB_OK;
	if (config->refresh_private_key == NULL && load->access == GB_KEYS_SIGN)
		return fail(load, "REFRESH_PRIVATE_KEY", "is required beside REFRESH_PUBLIC_KEY");
	if ((err = read_pair(load, "REFRESH_PRIVATE_KEY", config->refresh_private_key, "REFRESH_PUBLIC_KEY", config->refresh_public_key)) != GB_OK)
		return err;
	err = gb_key_from_numbers("", load->numbers, &source->keys[GB_PURPOSE_REFRESH], &fault);
	return with_fault(load, err, "REFRESH_PRIVATE_KEY", fault);
}

static enum gb_err
load_access_pair(const struct load *load, struct gb_key_source *source)
{
	const struct gb_config *config = load->config;
	bool given = config->access_private_key != NULL || config->access_public_key != NULL;
	const char *fault = NULL;
	enum gb_err err;

	if (given)
		err = read_pair(load, "ACCESS_PRIVATE_KEY", config->access_private_key, "ACCESS_PUBLIC_KEY", config->access_public_key);
	else
		err = gb_key_made_read(config->state, load->algorithm, load->why, load->why_max, load->numbers);
	if (err != GB_OK)
		return err;
	err = gb_key_source_fill(source, load->numbers, load->access, &fault);
	return with_fault(load, err, config->access_private_key != NULL ? "ACCESS_PRIVATE_KEY" : "ACCESS_PUBLIC_KEY", fault);
}

static enum gb_err
load_pairs(const struct load *load, struct gb_key_source *sources, size_t *sources_len)
{
	const struct gb_config *config = load->config;
	bool ring = config->jwt_keys_dir != NULL;
	bool usable = config->access_private_key != NULL || (config->access_public_key != NULL && (load->access == GB_KEYS_VERIFY || ring));
	enum gb_err err;

	if (config->refresh_secret_key != NULL)
		return fail(load, "REFRESH_SECRET_KEY", "does not fit ALGORITHM");
	if (!usable && ring)
		return GB_OK;
	if (!usable && (config->app_env == GB_ENV_PRODUCTION || config->access_public_key != NULL))
		return fail(load, "ACCESS_PRIVATE_KEY", "is required");
	*sources_len = 1;
	if ((err = load_refresh_pair(load, &sources[0])) != GB_OK)
		return err;
	sodium_memzero(load->numbers, sizeof *load->numbers);
	return load_access_pair(load, &sources[0]);
}

/* ---- API_JWT_ALLOWED_ALGORITHMS ---- */

/*
 * One more algorithm for access tokens, where it has a key of its own: JWT_KEY
 * beside a pair, or ACCESS_PUBLIC_KEY beside a secret. Sites that change from one
 * kind to the other lose no token so.
 */
static enum gb_err
load_allowed(const struct load *load, const struct gb_algorithm *allowed, struct gb_key_source *source)
{
	const struct gb_config *config = load->config;
	const char *fault;
	enum gb_err err;

	if (allowed->kind == GB_KEY_SECRET)
		return set_secret(load, "JWT_KEY", config->jwt_key, allowed, &source->keys[GB_PURPOSE_ACCESS]);
	sodium_memzero(load->numbers, sizeof *load->numbers);
	err = gb_numbers_from_pem(config->access_public_key, false, allowed, load->numbers, &fault);
	if (err == GB_OK)
		err = gb_key_source_fill(source, load->numbers, GB_KEYS_VERIFY, &fault);
	return with_fault(load, err, "ACCESS_PUBLIC_KEY", fault);
}

static bool
has_key_of_its_own(const struct load *load, const struct gb_algorithm *allowed)
{
	if ((allowed->kind == GB_KEY_SECRET) == (load->algorithm->kind == GB_KEY_SECRET))
		return false;
	return allowed->kind == GB_KEY_SECRET ? load->config->jwt_key != NULL : load->config->access_public_key != NULL;
}

static enum gb_err
load_all_allowed(const struct load *load, struct gb_key_source *sources, size_t *sources_len)
{
	const char *at = load->config->allowed_algorithms;
	const struct gb_algorithm *allowed;
	char name[16];
	enum gb_err err;

	for (; at != NULL && *at != '\0'; at += strspn(at, ", ")) {
		size_t len = strcspn(at, ", ");

		snprintf(name, sizeof name, "%.*s", (int)len, at);
		at += len;
		if ((allowed = gb_algorithm_find(name)) == NULL)
			return fail(load, "API_JWT_ALLOWED_ALGORITHMS", "names an unknown algorithm");
		if (*sources_len >= GB_ENVIRONMENT_SOURCES_MAX || !has_key_of_its_own(load, allowed))
			continue;
		if ((err = load_allowed(load, allowed, &sources[(*sources_len)++])) != GB_OK)
			return err;
	}
	return GB_OK;
}

enum gb_err
gb_key_environment_load(const struct gb_config *config, enum gb_keyring_access access, char *why, size_t why_max,
    struct gb_key_source sources[static GB_ENVIRONMENT_SOURCES_MAX], size_t *sources_len)
{
	struct load load = { .config = config, .access = access, .why = why, .why_max = why_max };
	enum gb_err err;

	*sources_len = 0;
	if (config->algorithm == NULL || (load.algorithm = gb_algorithm_find(config->algorithm)) == NULL)
		return fail(&load, "ALGORITHM", "is not one of HS256 HS384 HS512 RS256 RS384 RS512 ES256 EdDSA");
	if ((load.numbers = gb_numbers_new()) == NULL)
		return GB_ERR_MEMORY;
	if ((err = check_distinct(&load)) == GB_OK)
		err = load.algorithm->kind == GB_KEY_SECRET ? load_secrets(&load, sources, sources_len) : load_pairs(&load, sources, sources_len);
	if (err == GB_OK)
		err = load_all_allowed(&load, sources, sources_len);
	gb_numbers_free(load.numbers);
	return err;
}
