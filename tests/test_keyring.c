/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "jwt.h"
#include "keyring.h"

#define NOW 1500
#define KEY_32 "k1-0123456789abcdef0123456789abc"	/* 32 bytes */
#define KEY_48 "k2-0123456789abcdef0123456789abcdef0123456789abc"
#define KEY_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char why[256];

static struct gb_config
config_with(const char *jwt_key)
{
	struct gb_config config = { .app_env = GB_ENV_PRODUCTION, .algorithm = "HS256", .allowed_algorithms = "HS256", .jwt_key = jwt_key };

	return config;
}

static enum gb_err
open_with(const struct gb_config *config)
{
	struct gb_keyring *keyring;
	enum gb_err err = gb_keyring_open(config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring);

	cr_assert_eq(keyring != NULL, err == GB_OK);
	gb_keyring_close(keyring);
	return err;
}

static void
expect_refused(const struct gb_config *config, const char *line)
{
	cr_expect_eq(open_with(config), GB_ERR_MISCONFIGURED);
	cr_expect_str_eq(why, line);
}

Test(keyring, refuses_a_missing_key_in_production)
{
	struct gb_config config = config_with(NULL);

	expect_refused(&config, "JWT_KEY is required in production");
	config.jwt_key = KEY_32;
	cr_expect_eq(open_with(&config), GB_OK);
	cr_expect_str_eq(why, "");
}

Test(keyring, refuses_a_key_shorter_than_the_hash)
{
	static const struct {
		const char *algorithm, *good;
		size_t min;
	} rows[] = { { "HS256", KEY_32, 32 }, { "HS384", KEY_48, 48 }, { "HS512", KEY_64, 64 } };
	char line[96], shorter[65];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct gb_config config = config_with(rows[i].good);

		config.algorithm = config.allowed_algorithms = rows[i].algorithm;
		cr_expect_eq(strlen(rows[i].good), rows[i].min);
		cr_expect_eq(open_with(&config), GB_OK, "%s", why);
		snprintf(shorter, sizeof shorter, "%s", rows[i].good);
		shorter[rows[i].min - 1] = '\0';
		config.jwt_key = shorter;
		snprintf(line, sizeof line, "JWT_KEY is too short for %s: at least %zu bytes", rows[i].algorithm, rows[i].min);
		expect_refused(&config, line);
		config.jwt_key = rows[i].good;
		config.refresh_secret_key = shorter;
		snprintf(line, sizeof line, "REFRESH_SECRET_KEY is too short for %s: at least %zu bytes", rows[i].algorithm, rows[i].min);
		expect_refused(&config, line);
	}
}

Test(keyring, only_warns_of_a_short_key_in_development_and_testing)
{
	struct gb_config config = config_with("dev-jwt-secret-key-local");

	for (config.app_env = GB_ENV_DEVELOPMENT; config.app_env <= GB_ENV_TESTING; config.app_env++) {
		cr_expect_eq(open_with(&config), GB_OK);
		cr_expect_str_eq(why, "JWT_KEY is too short for HS256: at least 32 bytes");
	}
	config.app_env = GB_ENV_PRODUCTION;
	expect_refused(&config, "JWT_KEY is too short for HS256: at least 32 bytes");
}

Test(keyring, refuses_known_example_values_everywhere)
{
	static const char *const examples[] = {
		"secret-key-default", "your-jwt-secret-key-here", "super-secret", "dev-secret-key-change-in-production", "changeme", "Super-Secret",
	};
	struct gb_config config = config_with(NULL);

	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
		for (config.app_env = GB_ENV_PRODUCTION; config.app_env <= GB_ENV_TESTING; config.app_env++) {
			config.jwt_key = examples[i];
			expect_refused(&config, "JWT_KEY is a known example value; make a new one: openssl rand -hex 32");
		}
	config.app_env = GB_ENV_PRODUCTION;
	config.jwt_key = "dev-secret-key-change-in-production2";
	cr_expect_eq(open_with(&config), GB_OK);
	config.refresh_secret_key = "dev-secret-key-change-in-production";
	expect_refused(&config, "REFRESH_SECRET_KEY is a known example value; make a new one: openssl rand -hex 32");
}

Test(keyring, refuses_two_equal_keys)
{
	struct gb_config config = config_with(KEY_64);

	config.secret_key = KEY_64;
	expect_refused(&config, "JWT_KEY and SECRET_KEY must not be equal");
	config.secret_key = KEY_32;
	config.refresh_secret_key = KEY_64;
	expect_refused(&config, "JWT_KEY and REFRESH_SECRET_KEY must not be equal");
	config.refresh_secret_key = KEY_32;
	expect_refused(&config, "SECRET_KEY and REFRESH_SECRET_KEY must not be equal");
	config.refresh_secret_key = KEY_48;
	cr_expect_eq(open_with(&config), GB_OK, "%s", why);
}

Test(keyring, refuses_a_refresh_key_that_does_not_fit_the_algorithm)
{
	struct gb_config config = config_with(KEY_64);

	config.refresh_private_key = "-----BEGIN PRIVATE KEY-----";
	expect_refused(&config, "REFRESH_PRIVATE_KEY does not fit ALGORITHM");
	config.refresh_private_key = NULL;
	cr_expect_eq(open_with(&config), GB_OK);
}

Test(keyring, refuses_unknown_algorithms)
{
	static const char *const unknown[] = { "none", "hs256", "HS256 ", "PS256", "", NULL };
	struct gb_config config = config_with(KEY_64);

	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		config.algorithm = unknown[i];
		expect_refused(&config, "ALGORITHM is not one of HS256 HS384 HS512 RS256 RS384 RS512 ES256 EdDSA");
	}
	config.algorithm = "HS256";
	cr_expect_eq(open_with(&config), GB_OK);
}

/* `why` is a line for the log: a key must never stand in it. */
Test(keyring, never_says_a_key)
{
	static const char *const keys[] = { "secret-key-default", "short-and-secret" };
	struct gb_config config = config_with(KEY_64);

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		config.jwt_key = keys[i];
		cr_expect_eq(open_with(&config), GB_ERR_MISCONFIGURED);
		cr_expect_null(strstr(why, keys[i]));
	}
}

Test(keyring, finds_a_key_by_purpose_id_and_algorithm)
{
	const struct gb_config config = config_with(KEY_64);
	struct gb_keyring *keyring;
	const struct gb_key *key, *keys[GB_PURPOSE__COUNT];

	cr_assert_eq(gb_keyring_open(&config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring), GB_OK);
	for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++) {
		cr_expect_eq(gb_keyring_find(keyring, purpose, NULL, "HS256", NOW, &keys[purpose]), GB_OK);
		cr_expect_eq(gb_keyring_signing_key(keyring, purpose, NOW), keys[purpose]);
		cr_expect_eq(gb_keyring_find(keyring, purpose, NULL, "HS512", NOW, &key), GB_ERR_ALGORITHM);
		cr_expect_null(key);
		cr_expect_eq(gb_keyring_find(keyring, purpose, NULL, "none", NOW, &key), GB_ERR_ALGORITHM);
		cr_expect_eq(gb_keyring_find(keyring, purpose, "a", "HS256", NOW, &key), GB_ERR_KEY_ID);
		for (enum gb_purpose other = 0; other < purpose; other++)
			cr_expect_neq(keys[other], keys[purpose]);
	}
	gb_keyring_close(keyring);
}

static char *
temporary_state(char *path)
{
	strcpy(path, "/tmp/gb-keyring-XXXXXX");
	cr_assert_not_null(mkdtemp(path));
	return path;
}

static void
remove_state(const char *path)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", path);
	cr_assert_eq(system(command), 0);
}

/* Nothing of Criterion: it also runs in children. "" when it fails. */
static void
try_to_sign(const struct gb_config *config, char *text, size_t text_max)
{
	const struct gb_claims claims = { .subject = "42", .issued_at = 1000, .expires_at = 2000, .jwt_id = "j" };
	const struct gb_jwt_policy policy = { 0 };
	struct gb_arena *arena = gb_arena_new();
	struct gb_keyring *keyring;
	const char *token;

	text[0] = '\0';
	if (gb_keyring_open(config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring) == GB_OK &&
	    gb_jwt_sign(keyring, &policy, GB_PURPOSE_RESET, &claims, NOW, arena, &token) == GB_OK)
		snprintf(text, text_max, "%s", token);
	gb_keyring_close(keyring);
	gb_arena_free(arena);
}

static void
sign_token(const struct gb_config *config, char *text, size_t text_max)
{
	try_to_sign(config, text, text_max);
	cr_assert_str_not_empty(text, "%s", why);
}

Test(keyring, makes_a_development_key_and_keeps_it)
{
	char state[32], path[64], first[512], second[512];
	struct gb_config config = config_with(NULL);
	struct stat st;

	config.app_env = GB_ENV_DEVELOPMENT;
	config.state = temporary_state(state);
	sign_token(&config, first, sizeof first);
	sign_token(&config, second, sizeof second);
	cr_expect_str_eq(first, second);
	snprintf(path, sizeof path, "%s/keys/jwt.key", state);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_expect_eq(st.st_size, 64);
	cr_assert_eq(unlink(path), 0);
	sign_token(&config, second, sizeof second);
	cr_expect_str_neq(first, second);
	remove_state(state);
}

Test(keyring, gives_many_processes_that_start_at_once_the_same_development_key, .timeout = 60)
{
	enum { PROCESSES = 16, ROUNDS = 10 };
	char state[32], tokens[PROCESSES][512], path[64];
	struct gb_config config = config_with(NULL);

	config.app_env = GB_ENV_DEVELOPMENT;
	config.state = temporary_state(state);
	for (int round = 0; round < ROUNDS; round++) {
		int start[2], results[2];

		cr_assert_eq(pipe(start) | pipe(results), 0);
		for (int i = 0; i < PROCESSES; i++) {
			if (fork() == 0) {
				char token[512] = "", go;

				close(start[1]);
				if (read(start[0], &go, 1) == 0)	/* the end of the file is the starting shot */
					try_to_sign(&config, token, sizeof token);
				_exit(write(results[1], token, sizeof token) != sizeof token);
			}
		}
		close(start[0]);
		close(start[1]);
		for (int i = 0; i < PROCESSES; i++) {
			cr_assert_eq(read(results[0], tokens[i], sizeof tokens[i]), (ssize_t)sizeof tokens[i]);
			cr_expect_str_eq(tokens[i], tokens[0]);
			cr_expect_str_not_empty(tokens[i]);
		}
		while (wait(NULL) > 0)
			;
		close(results[0]);
		close(results[1]);
		snprintf(path, sizeof path, "%s/keys/jwt.key", state);
		cr_assert_eq(unlink(path), 0);
		snprintf(path, sizeof path, "%s/keys", state);
		cr_expect_eq(rmdir(path), 0, "something was left beside the key");
	}
	remove_state(state);
}

Test(keyring, refuses_a_development_key_that_others_may_read_or_that_is_none)
{
	char state[32], path[64], target[64], token[512];
	struct gb_config config = config_with(NULL);
	FILE *file;

	config.app_env = GB_ENV_DEVELOPMENT;
	config.state = temporary_state(state);
	sign_token(&config, token, sizeof token);
	snprintf(path, sizeof path, "%s/keys/jwt.key", state);
	cr_assert_eq(chmod(path, 0640), 0);
	cr_expect_eq(open_with(&config), GB_ERR_MISCONFIGURED);
	cr_expect_not_null(strstr(why, "mode 0600"));
	cr_assert_eq(chmod(path, 0600), 0);
	cr_expect_eq(open_with(&config), GB_OK);

	snprintf(target, sizeof target, "%s/elsewhere", state);
	cr_assert_eq(rename(path, target) | symlink(target, path), 0);
	cr_expect_eq(open_with(&config), GB_ERR_MISCONFIGURED);
	cr_assert_eq(unlink(path) | rename(target, path), 0);
	cr_expect_eq(open_with(&config), GB_OK);

	file = fopen(path, "w");
	fputs("not hex", file);
	fclose(file);
	cr_expect_eq(open_with(&config), GB_ERR_MISCONFIGURED);
	cr_expect_not_null(strstr(why, "64 hex digits"));
	remove_state(state);
}
