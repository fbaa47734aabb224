/* SPDX-License-Identifier: MIT */
/*
 * token.c: our side of the tests with other programs. Keys by settings, as
 * everywhere; lines in, lines out:
 *
 *	sign PURPOSE		a token for user 42, now
 *	verify PURPOSE TOKEN	ok, or the cause of the refusal
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "jwt.h"
#include "keyring.h"

static enum gb_purpose
purpose_of(const char *name)
{
	enum gb_purpose purpose = 0;

	while (purpose < GB_PURPOSE__COUNT && strcmp(gb_purpose_name(purpose), name) != 0)
		purpose++;
	return purpose;
}

static void
answer(const struct gb_keyring *keyring, const struct gb_jwt_policy *policy, struct gb_arena *arena, char *line)
{
	const char *verb = strtok(line, " \n"), *name = strtok(NULL, " \n"), *token = strtok(NULL, " \n");
	enum gb_purpose purpose = purpose_of(name);
	int64_t now = (int64_t)time(NULL);
	struct gb_claims claims = {
		.subject = "42", .issued_at = now, .expires_at = now + 600, .jwt_id = "c2Vzc2lvbiBpZCAxNiBieQ", .fresh = purpose == GB_PURPOSE_ACCESS,
		.session_id = "AAECAwQFBgcICQoLDA0ODw", .email = "anna@example.org", .email_verified = true, .username = "anna",
		.groups = { "staff", "editors" }, .groups_len = 2,
	};
	enum gb_err err;

	if (strcmp(verb, "sign") == 0)
		err = gb_jwt_sign(keyring, policy, purpose, &claims, now, arena, &token);
	else
		err = gb_jwt_verify(keyring, policy, purpose, token != NULL ? token : "", now, arena, &claims);
	puts(err != GB_OK ? gb_error_cause(err) : strcmp(verb, "sign") == 0 ? token : "ok");
	fflush(stdout);
}

int
main(void)
{
	static char line[2 * GB_TOKEN_MAX];
	struct gb_arena *arena = gb_arena_new();
	struct gb_keyring *keyring;
	struct gb_config *config;
	char why[512];

	if (gb_config_load(NULL, NULL, why, sizeof why, &config) != GB_OK ||
	    gb_keyring_open(config, GB_KEYS_SIGN, (int64_t)time(NULL), why, sizeof why, &keyring) != GB_OK) {
		fprintf(stderr, "%s\n", why);
		return 78;
	}
	const struct gb_jwt_policy policy = { .issuer = config->issuer, .audience = config->audience, .leeway_s = config->leeway_s };
	while (fgets(line, sizeof line, stdin) != NULL) {
		answer(keyring, &policy, arena, line);
		gb_arena_reset(arena);
	}
	gb_keyring_close(keyring);
	gb_config_free(config);
	gb_arena_free(arena);
	return 0;
}
