/* SPDX-License-Identifier: MIT */
/* The key ring on disk: how it is changed, how programs notice, what they refuse. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "jwt.h"
#include "keyring.h"
#include "ring.h"

#define NOW INT64_C(1700000000)
#define DAY 86400
#define LIFE (2 * DAY)
#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct gb_jwt_policy policy;
static const struct gb_ring_plan slow = { .delay_s = DAY, .token_life_s = LIFE }, at_once = { .delay_s = 0, .token_life_s = LIFE };
static struct gb_arena *arena;
static struct gb_config config;
static char base[32], path[64], why[512];

static void
setup(void)
{
	arena = gb_arena_new();
	strcpy(base, "/tmp/gb-ring-XXXXXX");
	cr_assert_not_null(mkdtemp(base));
	snprintf(path, sizeof path, "%s/ring", base);
	config = (struct gb_config){ .app_env = GB_ENV_PRODUCTION, .algorithm = "HS256", .allowed_algorithms = "HS256", .jwt_keys_dir = path };
}

static void
teardown(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf '%s'", base);
	cr_assert_eq(system(command), 0);
	gb_arena_free(arena);
}

TestSuite(ring, .init = setup, .fini = teardown);

static enum gb_err
add(const char *algorithm, const char *id, const struct gb_ring_plan *plan, int64_t now)
{
	struct gb_numbers *numbers = gb_numbers_new();
	char chosen[GB_KEY_ID_MAX + 1];
	struct gb_ring *ring;
	enum gb_err err;

	snprintf(chosen, sizeof chosen, "%s", id);
	cr_assert_null(gb_numbers_generate(gb_algorithm_find(algorithm), 2048, numbers));
	if ((err = gb_ring_open(path, why, sizeof why, &ring)) == GB_OK)
		err = gb_ring_add(ring, numbers, chosen, plan, now, why, sizeof why);
	gb_ring_close(ring);
	gb_numbers_free(numbers);
	return err;
}

static enum gb_err
retire(const char *id, int64_t now)
{
	struct gb_ring *ring;
	enum gb_err err;

	cr_assert_eq(gb_ring_open(path, why, sizeof why, &ring), GB_OK, "%s", why);
	err = gb_ring_retire(ring, id, now, why, sizeof why);
	gb_ring_close(ring);
	return err;
}

/* "a:active b:next" */
static const char *
states(int64_t now)
{
	static char text[512];
	struct gb_ring *ring;
	size_t len = 0;

	text[0] = '\0';
	cr_assert_eq(gb_ring_open(path, why, sizeof why, &ring), GB_OK, "%s", why);
	for (size_t i = 0; i < gb_ring_len(ring); i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s:%s", i > 0 ? " " : "", gb_ring_at(ring, i)->id,
		    gb_ring_state(ring, gb_ring_at(ring, i), now));
	gb_ring_close(ring);
	return text;
}

static enum gb_err
try_open(enum gb_keyring_access access, int64_t now, struct gb_keyring **keyring)
{
	return gb_keyring_open(&config, access, now, why, sizeof why, keyring);
}

static struct gb_keyring *
open_keyring(enum gb_keyring_access access, int64_t now)
{
	struct gb_keyring *keyring;

	cr_assert_eq(try_open(access, now, &keyring), GB_OK, "%s", why);
	return keyring;
}

static const char *
sign(const struct gb_keyring *keyring, enum gb_purpose purpose, int64_t now)
{
	const struct gb_claims claims = {
		.subject = "42", .issued_at = now, .expires_at = now + LIFE, .jwt_id = "j", .session_id = "s", .email = "a@b.co",
	};
	const char *token;

	cr_assert_eq(gb_jwt_sign(keyring, &policy, purpose, &claims, now, arena, &token), GB_OK);
	return token;
}

static enum gb_err
verify(const struct gb_keyring *keyring, enum gb_purpose purpose, const char *token, int64_t now)
{
	struct gb_claims claims;

	return gb_jwt_verify(keyring, &policy, purpose, token, now, arena, &claims);
}

static const char *
signer(const struct gb_keyring *keyring, int64_t now)
{
	static char header[256];
	const char *token = sign(keyring, GB_PURPOSE_ACCESS, now), *kid;
	size_t len;

	cr_assert_eq(gb_base64url_decode(header, sizeof header - 1, &len, token, strcspn(token, ".")), GB_OK);
	header[len] = '\0';
	kid = strstr(header, "\"kid\":\"");
	cr_assert_not_null(kid);
	header[strlen(header) - 2] = '\0';
	return kid + 7;
}

/* The life of a ring, day by day. */
Test(ring, rotates_without_losing_a_token)
{
	struct gb_keyring *keyring;
	const char *first, *second;

	cr_assert_eq(add("HS256", "a", &slow, NOW), GB_OK);
	keyring = open_keyring(GB_KEYS_SIGN, NOW);
	first = sign(keyring, GB_PURPOSE_REFRESH, NOW);
	cr_expect_str_eq(signer(keyring, NOW), "a");
	cr_expect_str_eq(states(NOW), "a:active");

	cr_assert_eq(add("HS256", "b", &slow, NOW + 10), GB_OK);
	gb_keyring_refresh(keyring, NOW + 20);
	cr_expect_str_eq(states(NOW + 20), "a:active b:next");
	cr_expect_str_eq(signer(keyring, NOW + 20), "a");
	cr_expect_str_eq(signer(keyring, NOW + 10 + DAY - 1), "a");
	cr_expect_str_eq(signer(keyring, NOW + 10 + DAY), "b");
	cr_expect_str_eq(states(NOW + 10 + DAY), "a:retiring b:active");

	second = sign(keyring, GB_PURPOSE_REFRESH, NOW + 10 + DAY);
	cr_expect_eq(verify(keyring, GB_PURPOSE_REFRESH, first, NOW + LIFE - 1), GB_OK);
	cr_expect_eq(verify(keyring, GB_PURPOSE_REFRESH, second, NOW + 10 + DAY), GB_OK);
	/* "a" signed its last token a second before; it verifies until that one has expired, and not a second longer. */
	first = sign(keyring, GB_PURPOSE_REFRESH, NOW + 10 + DAY - 1);
	cr_expect_eq(verify(keyring, GB_PURPOSE_REFRESH, first, NOW + 10 + DAY - 1 + LIFE - 1), GB_OK);
	cr_expect_str_eq(states(NOW + 10 + DAY + LIFE), "a:dropped b:active");
	cr_expect_eq(verify(keyring, GB_PURPOSE_REFRESH, first, NOW + 10 + DAY + LIFE), GB_ERR_KEY_ID);
	gb_keyring_close(keyring);
}

Test(ring, works_for_every_algorithm_and_purpose)
{
	static const char *const algorithms[] = { "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "EdDSA" };
	int64_t now = NOW;

	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		struct gb_keyring *signing, *verifying;

		cr_assert_eq(add(algorithms[i], algorithms[i], &at_once, ++now), GB_OK, "%s", why);
		signing = open_keyring(GB_KEYS_SIGN, now);
		verifying = open_keyring(GB_KEYS_VERIFY, now);
		cr_expect_str_eq(signer(signing, now), algorithms[i]);
		for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++) {
			const char *token = sign(signing, purpose, now);

			for (enum gb_purpose door = 0; door < GB_PURPOSE__COUNT; door++)
				cr_expect_eq(verify(signing, door, token, now) == GB_OK, door == purpose, "%s", algorithms[i]);
			if (purpose == GB_PURPOSE_ACCESS)
				cr_expect_eq(verify(verifying, purpose, token, now), GB_OK, "%s", algorithms[i]);
		}
		gb_keyring_close(signing);
		gb_keyring_close(verifying);
	}
}

Test(ring, is_noticed_by_a_process_that_runs)
{
	struct gb_keyring *keyring, *other;
	const char *token;

	cr_assert_eq(add("HS256", "a", &slow, NOW), GB_OK);
	keyring = open_keyring(GB_KEYS_SIGN, NOW);
	for (int i = 0; i < 20; i++) {
		char id[16];

		snprintf(id, sizeof id, "b%02d", i);
		cr_assert_eq(add("HS256", id, &at_once, NOW + 1 + i), GB_OK, "%s", why);
		other = open_keyring(GB_KEYS_SIGN, NOW + 1 + i);
		token = sign(other, GB_PURPOSE_ACCESS, NOW + 1 + i);
		gb_keyring_close(other);
		gb_keyring_refresh(keyring, NOW + 1 + i);
		cr_expect_eq(verify(keyring, GB_PURPOSE_ACCESS, token, NOW + 1 + i), GB_OK, "%d", i);
		cr_expect_str_eq(signer(keyring, NOW + 1 + i), id);
	}
	cr_assert_eq(retire("b05", NOW + 30), GB_OK);
	gb_keyring_refresh(keyring, NOW + 30);
	cr_expect_eq(verify(keyring, GB_PURPOSE_ACCESS, token, NOW + 30), GB_OK);
	gb_keyring_close(keyring);
}

Test(ring, opens_no_private_half_where_it_only_verifies)
{
	char name[128];
	struct gb_keyring *keyring, *signing;
	const char *token;

	cr_assert_eq(add("ES256", "a", &slow, NOW), GB_OK);
	signing = open_keyring(GB_KEYS_SIGN, NOW);
	token = sign(signing, GB_PURPOSE_ACCESS, NOW);
	snprintf(name, sizeof name, "%s/private/a.json", path);
	cr_assert_eq(unlink(name), 0);
	keyring = open_keyring(GB_KEYS_VERIFY, NOW);
	cr_expect_eq(verify(keyring, GB_PURPOSE_ACCESS, token, NOW), GB_OK);
	cr_expect_null(gb_keyring_signing_key(keyring, GB_PURPOSE_ACCESS, NOW));
	gb_keyring_close(keyring);
	gb_keyring_close(signing);
	cr_expect_eq(try_open(GB_KEYS_SIGN, NOW, &keyring), GB_ERR_MISCONFIGURED);
	cr_expect_not_null(strstr(why, "public/a.json has no private half"));
}

/* The sessions of a site that moves from JWT_KEY to a ring go on; so do those of one that moves back. */
Test(ring, takes_over_from_the_environment_without_losing_a_session)
{
	struct gb_keyring *before, *after;
	const char *access, *refresh;

	config.jwt_keys_dir = NULL;
	config.jwt_key = SECRET;
	before = open_keyring(GB_KEYS_SIGN, NOW);
	access = sign(before, GB_PURPOSE_ACCESS, NOW);
	refresh = sign(before, GB_PURPOSE_REFRESH, NOW);
	config.jwt_keys_dir = path;
	cr_assert_eq(add("EdDSA", "a", &slow, NOW), GB_OK);
	after = open_keyring(GB_KEYS_SIGN, NOW);
	cr_expect_eq(verify(after, GB_PURPOSE_ACCESS, access, NOW), GB_OK);
	cr_expect_eq(verify(after, GB_PURPOSE_REFRESH, refresh, NOW), GB_OK);
	cr_expect_str_eq(signer(after, NOW), "a");
	cr_expect_eq(verify(before, GB_PURPOSE_ACCESS, sign(after, GB_PURPOSE_ACCESS, NOW), NOW), GB_ERR_KEY_ID);
	gb_keyring_close(before);
	gb_keyring_close(after);
	/* Without the environment's key its tokens have none. */
	config.jwt_key = NULL;
	after = open_keyring(GB_KEYS_SIGN, NOW);
	cr_expect_eq(verify(after, GB_PURPOSE_ACCESS, access, NOW), GB_ERR_KEY_ID);
	gb_keyring_close(after);
}

Test(ring, needs_a_key_that_signs_now)
{
	struct gb_keyring *keyring;

	cr_expect_eq(try_open(GB_KEYS_SIGN, NOW, &keyring), GB_ERR_MISCONFIGURED);
	cr_expect_not_null(strstr(why, "JWT_KEYS_DIR: "));
	cr_assert_eq(add("HS256", "a", &slow, NOW), GB_OK);
	cr_expect_eq(try_open(GB_KEYS_SIGN, NOW - 1, &keyring), GB_ERR_MISCONFIGURED);
	cr_expect_not_null(strstr(why, "holds no key that is in use now"));
	gb_keyring_close(open_keyring(GB_KEYS_SIGN, NOW));
}

static void
write_text(const char *name, const char *text, mode_t mode)
{
	char full[128];
	int fd;

	snprintf(full, sizeof full, "%s/%s", path, name);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void
remove_name(const char *name)
{
	char full[128];

	snprintf(full, sizeof full, "%s/%s", path, name);
	cr_assert_eq(unlink(full), 0, "%s", name);
}

#define OCT "\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\""

/* Each stops the start, and at run time leaves the old ring in use and health red. */
Test(ring, refuses_misfits)
{
	static const struct {
		const char *name, *text, *line;
		mode_t mode;
	} misfits[] = {
		{ "private/b.json", "{" OCT "}", "must be our own and of mode 0600", 0640 },
		{ "private/b.json", "{" OCT "}", "must be our own and of mode 0600", 0604 },
		{ "private/b.json", "", "is not a JSON object", 0600 },
		{ "private/b.json", "[]", "is not a JSON object", 0600 },
		{ "private/b.json", "{}", "has no alg", 0600 },
		{ "private/b.json", "{" OCT ",\"kid\":\"c\"}", "has a kid that is not its name", 0600 },
		{ "private/b.json", "{" OCT ",\"alg\":\"HS256\"}", "is not a JSON object", 0600 },
		{ "private/b.json", "{" OCT ",\"use_from\":\"1\"}", "that is no time", 0600 },
		{ "private/b.json", "{" OCT ",\"use_from\":-1}", "that is no time", 0600 },
		{ "private/b.json", "{" OCT ",\"use_from\":2,\"use_until\":1}", "use_until before its use_from", 0600 },
		{ "private/b.json", "{" OCT ",\"use_until\":2,\"drop_at\":1}", "drop_at before its use_until", 0600 },
		{ "private/b.json", "{" OCT ",\"drop_at\":1}", "drop_at before its use_until", 0600 },
		{ "private/b.json", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", "holds no private key", 0600 },
		{ "private/b.pem", "{" OCT "}", "is not called KID.json", 0600 },
		{ "private/b", "{" OCT "}", "is not called KID.json", 0600 },
		{ "private/b c.json", "{" OCT "}", "is not called KID.json", 0600 },
		{ "private/.json.json", NULL, NULL, 0600 },
		{ "public/b.json", "{" OCT "}", "has no private half", 0644 },
	};
	struct gb_keyring *running, *keyring;

	cr_assert_eq(add("HS256", "a", &slow, NOW), GB_OK);
	running = open_keyring(GB_KEYS_SIGN, NOW);
	for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
		int64_t now = NOW + 100 * (int64_t)i;

		if (misfits[i].text == NULL)
			continue;
		write_text(misfits[i].name, misfits[i].text, misfits[i].mode);
		cr_expect_eq(try_open(GB_KEYS_SIGN, now, &keyring), GB_ERR_MISCONFIGURED, "%zu", i);
		cr_expect_not_null(strstr(why, misfits[i].line), "%zu: %s", i, why);
		cr_expect_not_null(strstr(why, misfits[i].name), "%zu: %s", i, why);
		gb_keyring_refresh(running, now);
		cr_expect_eq(gb_keyring_health(running, why, sizeof why), GB_ERR_MISCONFIGURED, "%zu", i);
		cr_expect_not_null(strstr(why, misfits[i].line), "%zu: %s", i, why);
		cr_expect_str_eq(signer(running, now), "a");
		remove_name(misfits[i].name);
		gb_keyring_refresh(running, now + 50);
		cr_expect_eq(gb_keyring_health(running, why, sizeof why), GB_OK, "%zu %s", i, why);
		cr_expect_str_eq(why, "");
	}
	/* The control: names that begin with a dot, and a good second key. */
	write_text("private/.b.json", "rubbish", 0666);
	write_text("private/b.json", "{" OCT ",\"kid\":\"b\",\"use_from\":1,\"use_until\":2,\"drop_at\":3}", 0600);
	gb_keyring_close(open_keyring(GB_KEYS_SIGN, NOW));
	gb_keyring_close(running);
}

Test(ring, refuses_symlinks_directories_and_directories_of_others)
{
	char name[128], target[128];
	struct gb_keyring *keyring;

	cr_assert_eq(add("HS256", "a", &slow, NOW), GB_OK);
	snprintf(name, sizeof name, "%s/private/b.json", path);
	snprintf(target, sizeof target, "%s/elsewhere.json", base);
	write_text("../elsewhere.json", "{" OCT "}", 0600);
	cr_assert_eq(symlink(target, name), 0);
	cr_expect_eq(try_open(GB_KEYS_SIGN, NOW, &keyring), GB_ERR_MISCONFIGURED);
	cr_expect_not_null(strstr(why, "b.json is a symlink"), "%s", why);
	cr_assert_eq(unlink(name) | mkdir(name, 0700), 0);
	cr_expect_eq(try_open(GB_KEYS_SIGN, NOW, &keyring), GB_ERR_MISCONFIGURED);
	cr_expect_not_null(strstr(why, "b.json is not a regular file"), "%s", why);
	cr_assert_eq(rmdir(name) | mkfifo(name, 0600), 0);
	cr_expect_eq(try_open(GB_KEYS_SIGN, NOW, &keyring), GB_ERR_MISCONFIGURED);
	cr_assert_eq(unlink(name) | rename(target, name), 0);
	gb_keyring_close(open_keyring(GB_KEYS_SIGN, NOW));

	snprintf(name, sizeof name, "%s/private", path);
	cr_assert_eq(chmod(name, 0770), 0);
	cr_expect_eq(try_open(GB_KEYS_SIGN, NOW, &keyring), GB_ERR_MISCONFIGURED);
	cr_expect_not_null(strstr(why, "not writable by others"), "%s", why);
	cr_assert_eq(chmod(name, 0700), 0);
	gb_keyring_close(open_keyring(GB_KEYS_SIGN, NOW));
	snprintf(name, sizeof name, "%s/public", path);
	cr_assert_eq(chmod(name, 0777), 0);
	cr_expect_eq(try_open(GB_KEYS_SIGN, NOW, &keyring), GB_ERR_MISCONFIGURED);
	cr_assert_eq(chmod(name, 0755), 0);
	gb_keyring_close(open_keyring(GB_KEYS_SIGN, NOW));
}

Test(ring, writes_files_with_the_right_modes_and_no_leftovers)
{
	static const char *const names[] = { "private/a.json", "public/a.json" };
	char full[128], command[256];
	struct stat st;

	cr_assert_eq(add("EdDSA", "a", &slow, NOW), GB_OK);
	for (size_t i = 0; i < 2; i++) {
		snprintf(full, sizeof full, "%s/%s", path, names[i]);
		cr_assert_eq(stat(full, &st), 0);
		cr_expect_eq(st.st_mode & 0777, i == 0 ? 0600u : 0644u);
	}
	snprintf(command, sizeof command, "test $(find %s -type f | wc -l) = 2 && ! grep -q '\"d\"' %s/public/a.json", path, path);
	cr_expect_eq(system(command), 0);
	cr_assert_eq(add("HS256", "b", &at_once, NOW + 1), GB_OK);
	snprintf(full, sizeof full, "%s/public/b.json", path);
	cr_expect_eq(stat(full, &st), -1);
}

Test(ring, has_one_next_key_at_a_time)
{
	cr_assert_eq(add("HS256", "a", &slow, NOW), GB_OK);
	cr_assert_eq(add("HS256", "b", &slow, NOW + 1), GB_OK);
	cr_expect_eq(add("HS256", "c", &slow, NOW + 2), GB_ERR_CONFLICT);
	cr_expect_str_eq(states(NOW + 2), "a:active b:next");
	cr_expect_eq(add("HS256", "c", &slow, NOW + 1 + DAY), GB_OK);
	cr_expect_str_eq(states(NOW + 1 + DAY), "a:retiring b:active c:next");
}

Test(ring, refuses_a_key_id_twice_or_out_of_form)
{
	cr_assert_eq(add("HS256", "a", &slow, NOW), GB_OK);
	cr_expect_eq(add("HS256", "a", &at_once, NOW + 1), GB_ERR_MISCONFIGURED);
	cr_expect_eq(add("HS256", "../a", &at_once, NOW + 1), GB_ERR_MISCONFIGURED);
	cr_expect_eq(add("HS256", ".", &at_once, NOW + 1), GB_ERR_MISCONFIGURED);
	cr_expect_str_eq(states(NOW + 1), "a:active");
	cr_expect_eq(add("HS256", "", &at_once, NOW + 1), GB_OK);
	cr_expect_eq(strncmp(states(NOW + 1), "a:retiring 20231114-", 20), 0, "%s", states(NOW + 1));
}

Test(ring, retires_any_key_but_the_one_that_signs)
{
	struct gb_keyring *keyring;
	const char *token;

	cr_assert_eq(add("HS256", "a", &slow, NOW), GB_OK);
	keyring = open_keyring(GB_KEYS_SIGN, NOW);
	token = sign(keyring, GB_PURPOSE_ACCESS, NOW);
	cr_expect_eq(retire("a", NOW), GB_ERR_CONFLICT);
	cr_expect_eq(retire("b", NOW), GB_ERR_NOT_FOUND);
	cr_assert_eq(add("HS256", "b", &at_once, NOW + 1), GB_OK);
	gb_keyring_refresh(keyring, NOW + 1);
	cr_expect_eq(verify(keyring, GB_PURPOSE_ACCESS, token, NOW + 1), GB_OK);
	cr_expect_eq(retire("a", NOW + 1), GB_OK);
	gb_keyring_refresh(keyring, NOW + 1);
	cr_expect_eq(verify(keyring, GB_PURPOSE_ACCESS, token, NOW + 1), GB_ERR_KEY_ID);
	cr_expect_str_eq(states(NOW + 1), "b:active");
	gb_keyring_close(keyring);
}

/* A next key taken out leaves its place to the one before, which would else have ended with it. */
Test(ring, goes_on_with_the_active_key_when_the_next_is_retired)
{
	cr_assert_eq(add("EdDSA", "a", &slow, NOW), GB_OK);
	cr_assert_eq(add("EdDSA", "b", &slow, NOW + 1), GB_OK);
	cr_expect_eq(retire("b", NOW + 2), GB_OK);
	cr_expect_str_eq(states(NOW + 10 * DAY), "a:active");
	gb_keyring_close(open_keyring(GB_KEYS_SIGN, NOW + 10 * DAY));
}

Test(ring, clears_away_what_is_dropped_when_it_rotates)
{
	cr_assert_eq(add("EdDSA", "a", &slow, NOW), GB_OK);
	cr_assert_eq(add("EdDSA", "b", &at_once, NOW + 1), GB_OK);
	cr_assert_eq(add("EdDSA", "c", &at_once, NOW + LIFE), GB_OK);
	cr_expect_str_eq(states(NOW + LIFE), "a:retiring b:retiring c:active");
	cr_assert_eq(add("EdDSA", "d", &at_once, NOW + 1 + LIFE), GB_OK);
	cr_expect_str_eq(states(NOW + 1 + LIFE), "b:retiring c:retiring d:active");
}

static const char *
jwks(const struct gb_keyring *keyring, int64_t now)
{
	struct gb_json_writer writer;
	size_t len;

	gb_json_begin(&writer, arena);
	gb_keyring_write_jwks(keyring, now, &writer);
	return gb_json_text(&writer, &len);
}

Test(ring, publishes_the_next_the_active_and_the_retiring_key)
{
	struct gb_keyring *keyring;
	const char *text;

	cr_assert_eq(add("EdDSA", "a", &slow, NOW), GB_OK);
	cr_assert_eq(add("ES256", "b", &slow, NOW + 1), GB_OK);
	keyring = open_keyring(GB_KEYS_VERIFY, NOW + 1);
	text = jwks(keyring, NOW + 1);
	cr_expect_not_null(strstr(text, "\"kid\":\"a\""), "%s", text);
	cr_expect_not_null(strstr(text, "\"kid\":\"b\""), "%s", text);
	cr_expect_null(strstr(text, "\"d\":"));
	text = jwks(keyring, NOW + 1 + DAY + LIFE);
	cr_expect_null(strstr(text, "\"kid\":\"a\""), "%s", text);
	cr_expect_not_null(strstr(text, "\"kid\":\"b\""), "%s", text);
	gb_keyring_close(keyring);
}
