/* SPDX-License-Identifier: MIT */
/*
 * Every allocation fails once: of tokens, JSON, keys, rings and settings, and of libcrypto below them. What
 * comes of it is a lack of memory or another failure of ours, never a verdict; nothing leaks; and the next
 * try, with memory, is right.
 *
 * Linked with --wrap: each allocation of ours, and each piece of an arena, passes here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "config.h"
#include "folder.h"
#include "jwt.h"
#include "pem.h"
#include "ring.h"

#define NOW INT64_C(1700000000)
#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TRIES_MAX 20000
#define SINGLY 400			/* then every fifth: reading a PEM takes 3,700 */

/* ---- allocations ---- */

static size_t count, fail_at;		/* fail_at 0: none fails */
static long live;			/* blocks of ours that are not freed */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#endif
#ifdef IS_SANITIZED
#define LIBC(name) __real_##name
#else
#define LIBC(name) __libc_##name
#endif

void *LIBC(malloc)(size_t len);
void *LIBC(calloc)(size_t n, size_t len);
void *LIBC(realloc)(void *memory, size_t len);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t max);
void __real_free(void *memory);
void *__real_gb_arena_alloc(struct gb_arena *arena, size_t len);
char *__real_gb_arena_copy(struct gb_arena *arena, const void *bytes, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t n, size_t len);
void *__wrap_realloc(void *memory, size_t len);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);
void __wrap_free(void *memory);
void *__wrap_gb_arena_alloc(struct gb_arena *arena, size_t len);
char *__wrap_gb_arena_copy(struct gb_arena *arena, const void *bytes, size_t len);

static bool
fails(void)
{
	return ++count == fail_at;
}

static void *
counted(void *memory)
{
	live += memory != NULL;
	return memory;
}

void *
__wrap_malloc(size_t len)
{
	return fails() ? NULL : counted(LIBC(malloc)(len));
}

void *
__wrap_calloc(size_t n, size_t len)
{
	return fails() ? NULL : counted(LIBC(calloc)(n, len));
}

void *
__wrap_realloc(void *memory, size_t len)
{
	if (fails())
		return NULL;
	return memory == NULL ? counted(LIBC(realloc)(memory, len)) : LIBC(realloc)(memory, len);
}

char *
__wrap_strdup(const char *text)
{
	return fails() ? NULL : counted(__real_strdup(text));
}

char *
__wrap_strndup(const char *text, size_t max)
{
	return fails() ? NULL : counted(__real_strndup(text, max));
}

void
__wrap_free(void *memory)
{
	live -= memory != NULL;
	__real_free(memory);
}

void *
__wrap_gb_arena_alloc(struct gb_arena *arena, size_t len)
{
	return fails() ? NULL : __real_gb_arena_alloc(arena, len);
}

char *
__wrap_gb_arena_copy(struct gb_arena *arena, const void *bytes, size_t len)
{
	return fails() ? NULL : __real_gb_arena_copy(arena, bytes, len);
}

/*
 * Everybody else's, libcrypto's and the C library's own, take these for the C library's. Not with a
 * sanitizer, which has its own.
 */
#ifndef IS_SANITIZED
void *
malloc(size_t len)
{
	return fails() ? NULL : LIBC(malloc)(len);
}

void *
calloc(size_t n, size_t len)
{
	return fails() ? NULL : LIBC(calloc)(n, len);
}

void *
realloc(void *memory, size_t len)
{
	return fails() ? NULL : LIBC(realloc)(memory, len);
}
#endif

/* ---- the sweep ---- */

enum outcome { DONE, FAILED, WRONG };

/*
 * `act` with its n-th allocation failing, for every n up to SINGLY and most beyond. Before and after it must be done.
 *	all_ours	no libcrypto in it, which keeps what it has looked up once
 */
static void
sweep(const char *name, enum outcome (*act)(void), bool all_ours)
{
	size_t n = 0, failed = 0;
	bool reached = true;

	cr_assert_eq(act(), DONE, "%s", name);
	while (reached && n < TRIES_MAX) {
		long before = live;
		enum outcome outcome;

		count = 0;
		fail_at = n += n < SINGLY ? 1 : 5;
		outcome = act();
		fail_at = 0;
		reached = count >= n;
		failed += outcome == FAILED;
		cr_expect_neq(outcome, WRONG, "%s: a wrong verdict where allocation %zu fails", name, n);
		cr_expect(!all_ours || live == before, "%s: %ld blocks left where allocation %zu fails", name, live - before, n);
	}
	cr_expect(!reached, "%s: more than %d allocations", name, TRIES_MAX);
	cr_expect_gt(failed, 0, "%s: none of %zu failed, so the sweep sees nothing", name, n);
	cr_expect_eq(act(), DONE, "%s", name);
}

/* ---- what is swept ---- */

static const char *const algorithms[] = { "HS256", "RS256", "ES256", "EdDSA" };
static const struct gb_jwt_policy policy = { .issuer = "https://a.example", .audience = "site" };
static const struct gb_claims anna = {
	.subject = "42", .issued_at = NOW, .expires_at = NOW + 1000, .jwt_id = "c2Vzc2lvbiBpZCAxNiBieQ", .session_id = "AAECAwQFBgcICQoLDA0ODw",
	.email = "anna\"@example.org", .email_verified = true, .username = "anna", .groups = { "staff", "editors" }, .groups_len = 2,
};
static struct gb_config config;
static struct gb_keyring *keyring;
static char token[GB_TOKEN_MAX + 1], forged[GB_TOKEN_MAX + 1], why[512], base[FOLDER_MAX], ring_path[FOLDER_MAX + 8];

static struct gb_config
config_of(const char *algorithm)
{
	struct gb_config made = { .app_env = GB_ENV_PRODUCTION, .algorithm = algorithm, .allowed_algorithms = algorithm };

	if (strcmp(algorithm, "HS256") == 0)
		made.jwt_key = SECRET;
	else
		made.access_private_key = pem_of(algorithm)->private_key;
	return made;
}

static enum outcome
sign(void)
{
	struct gb_arena *arena = gb_arena_new();
	const char *made;
	enum outcome outcome = FAILED;

	if (arena == NULL)
		return FAILED;
	switch (gb_jwt_sign(keyring, &policy, GB_PURPOSE_ACCESS, &anna, NOW, arena, &made)) {
	case GB_OK:
		outcome = made != NULL && strncmp(made, token, strcspn(token, ".")) == 0 ? DONE : WRONG;
		break;
	case GB_ERR_MEMORY:
	case GB_ERR_INTERNAL:
		outcome = made == NULL ? FAILED : WRONG;
		break;
	default:
		outcome = WRONG;
	}
	gb_arena_free(arena);
	return outcome;
}

static enum outcome
verify_this(const char *text, enum gb_err expected)
{
	struct gb_arena *arena = gb_arena_new();
	struct gb_claims claims;
	enum outcome outcome = FAILED;
	enum gb_err err;

	if (arena == NULL)
		return FAILED;
	err = gb_jwt_verify(keyring, &policy, GB_PURPOSE_ACCESS, text, NOW, arena, &claims);
	if (err != GB_ERR_MEMORY)
		outcome = err == expected && (err == GB_OK) == (claims.subject != NULL) ? DONE : WRONG;
	gb_arena_free(arena);
	return outcome;
}

static enum outcome
verify(void)
{
	return verify_this(token, GB_OK);
}

static enum outcome
refuse(void)
{
	return verify_this(forged, GB_ERR_SIGNATURE);
}

static void
tokens_make(void)
{
	struct gb_arena *arena = gb_arena_new();
	const char *made;
	char *signature;

	cr_assert_eq(gb_keyring_open(&config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring), GB_OK, "%s", why);
	cr_assert_eq(gb_jwt_sign(keyring, &policy, GB_PURPOSE_ACCESS, &anna, NOW, arena, &made), GB_OK);
	strcpy(token, made);
	strcpy(forged, made);
	signature = strrchr(forged, '.') + 10;
	*signature = *signature == 'A' ? 'B' : 'A';
	gb_arena_free(arena);
}

Test(allocation, decides_no_token, .timeout = 120)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		config = config_of(algorithms[i]);
		tokens_make();
		sweep(algorithms[i], sign, *algorithms[i] == 'H');
		sweep(algorithms[i], verify, *algorithms[i] == 'H');
		sweep(algorithms[i], refuse, *algorithms[i] == 'H');
		gb_keyring_close(keyring);
	}
}

/* A start that lacks memory stops with one line, or says so. */
static enum outcome
open_keyring(void)
{
	struct gb_keyring *opened;
	enum gb_err err = gb_keyring_open(&config, GB_KEYS_SIGN, NOW, why, sizeof why, &opened);
	enum outcome outcome = FAILED;

	if (err == GB_OK)
		outcome = gb_keyring_signing_key(opened, GB_PURPOSE_ACCESS, NOW) != NULL && gb_keyring_signing_key(opened, GB_PURPOSE_RESET, NOW) != NULL ?
		    DONE : WRONG;
	else if (err != GB_ERR_MEMORY)
		outcome = WRONG;	/* it would blame a key that is good */
	gb_keyring_close(opened);
	return outcome;
}

Test(allocation, leaves_no_half_a_key, .timeout = 120)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		config = config_of(algorithms[i]);
		sweep(algorithms[i], open_keyring, *algorithms[i] == 'H');
	}
}

static void
ring_make(const char *const *names, size_t len)
{
	static const struct gb_ring_plan at_once = { .delay_s = 0, .token_life_s = 1000 };

	folder_make(base);
	snprintf(ring_path, sizeof ring_path, "%s/ring", base);
	for (size_t i = 0; i < len; i++) {
		struct gb_numbers *numbers = gb_numbers_new();
		char id[GB_KEY_ID_MAX + 1];
		struct gb_ring *ring;

		snprintf(id, sizeof id, "%s", names[i]);
		cr_assert_null(gb_numbers_generate(gb_algorithm_find(names[i]), 2048, numbers));
		cr_assert_eq(gb_ring_open(ring_path, why, sizeof why, &ring), GB_OK, "%s", why);
		cr_assert_eq(gb_ring_add(ring, numbers, id, &at_once, NOW - 100 + (int64_t)i, why, sizeof why), GB_OK, "%s", why);
		gb_ring_close(ring);
		gb_numbers_free(numbers);
	}
	config = (struct gb_config){ .app_env = GB_ENV_PRODUCTION, .algorithm = "HS256", .allowed_algorithms = "HS256", .jwt_keys_dir = ring_path };
}

/* A changed ring that cannot be loaded for want of memory leaves the old one at work. */
static enum outcome
refresh_ring(void)
{
	static int64_t now = NOW;
	size_t at = fail_at;

	fail_at = 0;
	now += 100;			/* past the pause that follows a ring that was unfit */
	chmod(ring_path, 0700);		/* its time of change is what a process looks at */
	fail_at = at;
	gb_keyring_refresh(keyring, now);
	fail_at = 0;
	if (verify() != DONE)
		return WRONG;
	return gb_keyring_health(keyring, why, sizeof why) == GB_OK ? DONE : FAILED;
}

Test(allocation, keeps_the_ring, .timeout = 60)
{
	static const char *const names[] = { "HS512", "EdDSA", "HS256" };

	ring_make(names, 3);
	tokens_make();
	sweep("refresh", refresh_ring, true);
	gb_keyring_close(keyring);
	sweep("open", open_keyring, true);
	folder_remove(base);
}

static const char *
lookup(void *source, const char *name)
{
	static const char *const settings[][2] = {
		{ "APP_ENV", "production" }, { "JWT_KEY", SECRET }, { "FRONTEND_URL", "https://a.example/site" }, { "MAIL_FROM", "a@b.co" }, { "STATE", "/tmp" },
		{ "TRUSTED_PROXIES", "10.0.0.0/8" }, { "CORS_ORIGINS", "https://b.example" }, { "RESERVED_USERNAMES", "root" }, { "COOKIE_MODE", "on" },
	};

	(void)source;
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (strcmp(settings[i][0], name) == 0)
			return settings[i][1];
	return NULL;
}

static enum outcome
load_settings(void)
{
	struct gb_config *loaded = NULL;
	enum gb_err err = gb_config_load(lookup, NULL, why, sizeof why, &loaded);
	enum outcome outcome = err == GB_OK && strcmp(loaded->jwt_key, SECRET) == 0 ? DONE : err == GB_ERR_MEMORY ? FAILED : WRONG;

	gb_config_free(loaded);
	return outcome;
}

Test(allocation, blames_no_setting, .timeout = 30)
{
	sweep("settings", load_settings, true);
}

static enum outcome
read_json(void)
{
	static const char text[] = "{\"a\":\"x\\u00e9\",\"\\u0062\":[\"\\n\",\"plain\"],\"c\":[],\"d\":{\"e\":[1]}}";
	struct gb_arena *arena = gb_arena_new();
	const struct gb_json *json;
	const char *a, *b[2];
	size_t len;
	enum gb_err err;

	if (arena == NULL)
		return FAILED;
	if ((err = gb_json_parse(text, strlen(text), arena, &json)) == GB_OK && (err = gb_json_string(json, "a", &a)) == GB_OK)
		err = gb_json_strings(json, "b", b, 2, &len);
	if (err == GB_OK && (strcmp(a, "x\xc3\xa9") != 0 || len != 2 || strcmp(b[0], "\n") != 0 || strcmp(b[1], "plain") != 0))
		err = GB_ERR_INTERNAL;
	gb_arena_free(arena);
	return err == GB_OK ? DONE : err == GB_ERR_MEMORY ? FAILED : WRONG;
}

Test(allocation, calls_no_json_invalid, .timeout = 30)
{
	sweep("json", read_json, true);
}
