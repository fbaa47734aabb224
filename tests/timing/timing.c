/* SPDX-License-Identifier: MIT */
/*
 * timing.c: does a comparison of a secret take longer the more of it is right? As dudect asks: two classes of
 * wrong secrets in random turns, one wrong from the first byte on, one right but for the last; Welch's t of what
 * each call took, the slowest tenth left out. Above 4.5 they can be told apart. What a caller can only send
 * through a hash is compared as hashes: there the classes are secrets whose hash begins as the right one's.
 *
 *	timing [CALLS]		of each class, 200,000; exit 1 if a secret shows, or if the control does not
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "base64url.h"
#include "client.h"
#include "code.h"
#include "cookie.h"
#include "hmac.h"
#include "http.h"
#include "key.h"
#include "refresh_id.h"
#include "token.h"

#include "../store_memory.h"

#define LIMIT 4.5
#define NOW (GB_STORE_NOW_MIN + 1000)
#define GUESS_MAX 96

/* One secret: its two classes of guesses, and the call that must not tell them apart. */
struct subject {
	const char *name;
	void (*set_up)(char guesses[2][GUESS_MAX], size_t *len);
	bool (*is_right)(const char *guess, size_t len);
	size_t share;			/* of CALLS: one in so many, where a call takes long */
};

static struct gb_key *key;
static struct gb_app app;
static struct gb_call call = { .now = NOW, .address = "192.0.2.1", .user_agent = "", .language = "" };
static char gate[GB_GATE_MAX + 1], clients_path[] = "/tmp/gb-timing-XXXXXX";
static struct gb_session session;
static struct gb_user user = { .id = "42", .email = "a@b.co", .email_verified = true };
static struct gb_config config;

static uint64_t
ticks(void)
{
#ifdef __x86_64__
	__builtin_ia32_lfence();
	return __builtin_ia32_rdtsc();
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

/* ---- the secrets ---- */

static void
wrong_at(char guesses[2][GUESS_MAX], const void *right, size_t len)
{
	for (size_t i = 0; i < 2; i++)
		memcpy(guesses[i], right, len);
	guesses[0][0] ^= 1;
	guesses[1][len - 1] ^= 1;
}

/* Texts of 16 bytes: one whose hash begins with two bytes of the right one's, and one whose hash does not. */
static void
texts_by_hash(char guesses[2][GUESS_MAX], const unsigned char *hash)
{
	unsigned char made[crypto_hash_sha256_BYTES];

	for (size_t i = 0; i < 2; i++)
		do {
			randombytes_buf(made, 12);
			gb_base64url_encode(guesses[i], made, 12);
			crypto_hash_sha256(made, (const unsigned char *)guesses[i], 16);
		} while ((memcmp(made, hash, 2) == 0) != (i == 1) || made[0] == (unsigned char)~hash[0]);
}

static unsigned char right_mac[GB_MAC_MAX];

static void
mac_set_up(char guesses[2][GUESS_MAX], size_t *len)
{
	*len = sizeof right_mac;
	key->operations->sign(key, "a.b", 3, right_mac, len);
	wrong_at(guesses, right_mac, *len);
}

static bool
mac_is_right(const char *guess, size_t len)
{
	return key->operations->verify(key, "a.b", 3, (const unsigned char *)guess, len) == GB_OK;
}

/* The control: a comparison that stops at the first difference. */
static bool
leaky_is_right(const char *guess, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((const volatile char *)guess)[i] != ((const volatile char *)right_mac)[i])
			return false;
	return true;
}

static void
csrf_set_up(char guesses[2][GUESS_MAX], size_t *len)
{
	char csrf[GB_CSRF_TEXT + 1];

	gb_token_csrf(gate, csrf);
	*len = GB_CSRF_TEXT;
	wrong_at(guesses, csrf, *len);
}

static bool
csrf_is_right(const char *guess, size_t len)
{
	static char variable[64];
	char *const variables[] = { variable, NULL };
	struct gb_request req = { .gate = gate, .variables = variables };

	snprintf(variable, sizeof variable, "HTTP_X_CSRF_TOKEN=%.*s", (int)len, guess);
	return gb_cookie_csrf_check(&req);
}

/* The secret's 16 bytes are hashed: of two, the second's hash begins as the right one's. */
static void
gate_set_up(char guesses[2][GUESS_MAX], size_t *len)
{
	unsigned char secret[GB_GATE_SECRET_LEN], hash[crypto_hash_sha256_BYTES];

	*len = strlen(gate);
	for (size_t i = 0; i < 2; i++) {
		memcpy(guesses[i], gate, *len + 1);
		do {
			randombytes_buf(secret, sizeof secret);
			crypto_hash_sha256(hash, secret, sizeof secret);
		} while ((memcmp(hash, session.gate_hash, 2) == 0) != (i == 1));
		gb_base64url_encode(guesses[i] + GB_SESSION_ID_TEXT + 1, secret, sizeof secret);
	}
}

static bool
gate_is_right(const char *guess, size_t len)
{
	static struct gb_identity identity;
	bool right;

	(void)len;
	right = gb_token_check_gate(&app, &call, guess, &identity) == GB_OK;
	gb_arena_reset(call.arena);
	return right;
}

static void
code_set_up(char guesses[2][GUESS_MAX], size_t *len)
{
	*len = GB_LINK_HASH_LEN;
	randombytes_buf(user.codes[0].hash, GB_LINK_HASH_LEN);
	user.codes[0].expires_at = NOW + 100;
	wrong_at(guesses, user.codes[0].hash, *len);
}

static bool
code_is_right(const char *guess, size_t len)
{
	static struct gb_link link;

	memcpy(link.id_hash, guess, len);
	return gb_code_stands(&user, &link, NOW);
}

static void
refresh_set_up(char guesses[2][GUESS_MAX], size_t *len)
{
	struct gb_refresh_id id;
	char text[GB_REFRESH_ID_TEXT + 1];

	gb_refresh_id(session.seed, 1, text);
	gb_refresh_id_parse(text, &id);
	*len = sizeof id.tag;
	wrong_at(guesses, id.tag, *len);
}

static bool
refresh_is_right(const char *guess, size_t len)
{
	struct gb_refresh_id id = { .generation = 1 };

	memcpy(id.tag, guess, len);
	return gb_refresh_id_fits(&id, &session);
}

static void
client_set_up(char guesses[2][GUESS_MAX], size_t *len)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof hash + 1];
	FILE *file = fopen(clients_path, "w");

	crypto_hash_sha256(hash, (const unsigned char *)"secret-of-16-byt", 16);
	fprintf(file, "shop:%s\n", sodium_bin2hex(hex, sizeof hex, hash, sizeof hash));
	fclose(file);
	*len = 16;
	texts_by_hash(guesses, hash);
}

static bool
client_is_right(const char *guess, size_t len)
{
	char text[64], basic[128];
	bool right;

	snprintf(text, sizeof text, "shop:%.*s", (int)len, guess);
	sodium_bin2base64(basic, sizeof basic, (unsigned char *)text, strlen(text), sodium_base64_VARIANT_ORIGINAL);
	right = gb_client_check(&app, &call, basic) == GB_OK;
	gb_arena_reset(call.arena);
	return right;
}

static const struct subject subjects[] = {
	{ "control: stops at the first difference", mac_set_up, leaky_is_right, 1 },
	{ "signature (HS256)", mac_set_up, mac_is_right, 1 },
	{ "CSRF value", csrf_set_up, csrf_is_right, 1 },
	{ "typed code, hashed", code_set_up, code_is_right, 1 },
	{ "tag of a refresh token", refresh_set_up, refresh_is_right, 1 },
	{ "gate cookie, hashed", gate_set_up, gate_is_right, 4 },
	{ "client secret, hashed", client_set_up, client_is_right, 20 },
};

/* ---- the measurement ---- */

static int
compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

/* The time above which the slowest tenth of both classes together lies. */
static double
slow_from(const double *taken, size_t n)
{
	double *sorted = malloc(n * sizeof *sorted), at;

	memcpy(sorted, taken, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, compare);
	at = sorted[n / 10 * 9];
	free(sorted);
	return at;
}

/* Welch's t of the two classes; the mean difference in *difference. */
static double
welch(const double *taken, const unsigned char *class, size_t n, double *difference)
{
	double count[2] = { 0 }, mean[2] = { 0 }, squares[2] = { 0 }, slow = slow_from(taken, n);

	for (size_t i = 0; i < n; i++) {
		double from_mean = taken[i] - mean[class[i]];

		if (taken[i] > slow)
			continue;
		mean[class[i]] += from_mean / ++count[class[i]];
		squares[class[i]] += from_mean * (taken[i] - mean[class[i]]);
	}
	*difference = mean[1] - mean[0];
	return *difference / sqrt(squares[0] / (count[0] - 1) / count[0] + squares[1] / (count[1] - 1) / count[1]);
}

/* Every guess is copied to one place first: where it lay must not show. */
static double
measure(const struct subject *subject, size_t n, double *difference)
{
	double *taken = malloc(n * sizeof *taken), t;
	unsigned char *class = malloc(n);
	char guesses[2][GUESS_MAX] = { "" }, guess[GUESS_MAX];
	size_t len;

	subject->set_up(guesses, &len);
	randombytes_buf(class, n);
	for (size_t i = 0; i < n; i++) {
		uint64_t begun;

		class[i] &= 1;
		memcpy(guess, guesses[class[i]], sizeof guess);
		begun = ticks();
		if (subject->is_right(guess, len))
			abort();
		taken[i] = (double)(ticks() - begun);
	}
	t = welch(taken + n / 20, class + n / 20, n - n / 20, difference);
	free(taken);
	free(class);
	return t;
}

/* A session with a gate cookie in a store, a key, and a file of clients. */
static void
set_up(void)
{
	unsigned char secret[GB_GATE_SECRET_LEN];
	struct gb_commit commit;
	int fd = mkstemp(clients_path);

	if (fd < 0 || store_memory_new(&app.store) == NULL)
		abort();
	close(fd);
	call.arena = gb_arena_new();
	config.api_clients_file = clients_path;
	app.config = &config;
	key = gb_key_new_secret("", gb_algorithm_find("HS256"), "0123456789abcdef0123456789abcdef", 32);
	randombytes_buf(secret, sizeof secret);
	randombytes_buf(&session.id, sizeof session.id);
	randombytes_buf(session.seed, sizeof session.seed);
	crypto_hash_sha256(session.gate_hash, secret, sizeof secret);
	strcpy(session.user_id, user.id);
	session.generation = 1;
	session.expires_at = session.refresh_expires_at = NOW + 1000;
	gb_session_id_text(session.id, gate);
	strcat(gate, ".");
	gb_base64url_encode(gate + strlen(gate), secret, sizeof secret);
	gb_commit_begin(&commit, call.arena);
	gb_commit_put_user(&commit, &user);
	gb_commit_put_session(&commit, &session);
	if (gb_commit_run(&commit, app.store, NOW) != GB_OK || !gate_is_right(gate, 0))
		abort();
}

int
main(int argc, char **argv)
{
	size_t calls = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
	bool failed = false;

	if (sodium_init() < 0 || calls < 1000)
		return 64;
	set_up();
	printf("%-40s%10s%12s\n", "", "t", "ticks apart");
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		bool is_control = i == 0, shows;
		double difference, t;

		/* once more, and once again: what is there stays, chance does not */
		for (int tries = 0; tries < 3; tries++) {
			t = measure(&subjects[i], 2 * calls / subjects[i].share, &difference);
			shows = fabs(t) > LIMIT;
			if (shows == is_control)
				break;
		}
		failed = failed || shows != is_control;
		printf("%-40s%10.2f%12.2f   %s\n", subjects[i].name, t, difference, shows == is_control ? "good" : is_control ? "NOT SEEN" : "SHOWS");
	}
	unlink(clients_path);
	gb_store_close(app.store);
	gb_arena_free(call.arena);
	gb_key_free(key);
	return failed;
}
