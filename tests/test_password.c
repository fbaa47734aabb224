/* SPDX-License-Identifier: MIT */
/* Hashes, their slots, and the strength of new passwords. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "folder.h"
#include "password.h"
#include "record.h"
#include "vectors/foreign.h"

static char base[FOLDER_MAX];
static struct gb_state *state;
static struct gb_config config = {
	.argon2_memory_cost = 8192, .argon2_time_cost = 1, .hash_slots = 2,
	.password_min_length = 8, .password_min_score = 2,
};
static char hash[GB_PASSWORD_HASH_MAX + 1];

static void
setup(void)
{
	char why[256], directory[FOLDER_MAX + 8];

	folder_make(base);
	snprintf(directory, sizeof directory, "%s/state", base);
	cr_assert_eq(gb_state_open(directory, why, sizeof why, &state), GB_OK, "%s", why);
}

static void
teardown(void)
{
	gb_state_close(state);
	folder_remove(base);
}

TestSuite(password, .init = setup, .fini = teardown, .timeout = 60);

static enum gb_err
verify(const char *stored, const char *password)
{
	return gb_password_verify(&config, state, stored, password);
}

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

Test(password, verifies_what_it_hashed)
{
	char other[GB_PASSWORD_HASH_MAX + 1];

	cr_assert_eq(gb_password_hash(&config, state, "blue otter 42", hash, sizeof hash), GB_OK);
	cr_expect_eq(strncmp(hash, "$argon2id$v=19$m=8192,t=1,p=1$", 30), 0, "%s", hash);
	cr_expect_eq(verify(hash, "blue otter 42"), GB_OK);
	cr_expect_eq(verify(hash, "blue otter 43"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(verify(hash, ""), GB_ERR_INVALID_CREDENTIALS);
	cr_assert_eq(gb_password_hash(&config, state, "blue otter 42", other, sizeof other), GB_OK);
	cr_expect_str_neq(hash, other, "every hash has its own salt");
}

/* Nothing is trimmed, folded, normalized or cut. */
Test(password, counts_every_byte)
{
	static const char *const others[] = {
		" pass word", "pass word ", "Pass word", "pass  word", "pass word\t", "pass wor", "p\xc3\xa4ss word", NULL
	};
	char longest[GB_PASSWORD_MAX + 2], other[GB_PASSWORD_MAX + 2];

	cr_assert_eq(gb_password_hash(&config, state, "pass word", hash, sizeof hash), GB_OK);
	for (const char *const *p = others; *p != NULL; p++)
		cr_expect_eq(verify(hash, *p), GB_ERR_INVALID_CREDENTIALS, "%s", *p);
	cr_expect_eq(verify(hash, "pass word"), GB_OK);

	/* composed and decomposed are two passwords */
	cr_assert_eq(gb_password_hash(&config, state, "\xc3\xa9t\xc3\xa9", hash, sizeof hash), GB_OK);
	cr_expect_eq(verify(hash, "e\xcc\x81te\xcc\x81"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(verify(hash, "\xc3\xa9t\xc3\xa9"), GB_OK);

	memset(longest, 'x', GB_PASSWORD_MAX);
	longest[GB_PASSWORD_MAX] = '\0';
	strcpy(other, longest);
	other[GB_PASSWORD_MAX - 1] = 'y';
	cr_assert_eq(gb_password_hash(&config, state, longest, hash, sizeof hash), GB_OK);
	cr_expect_eq(verify(hash, other), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(verify(hash, longest), GB_OK);
	strcat(longest, "x");
	cr_expect_eq(verify(hash, longest), GB_ERR_INVALID_CREDENTIALS, "over-long");
	cr_expect_eq(gb_password_hash(&config, state, longest, hash, sizeof hash), GB_ERR_PASSWORD_TOO_LONG);
	cr_expect_str_empty(hash);
}

/* RFC 9106 has no vector without secret and data; these came from the argon2 command of the reference code. */
Test(password, verifies_hashes_of_others)
{
	static const struct { const char *hash, *password; } all[] = {
#include "vectors/argon2id.inc"
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		cr_expect_eq(verify(all[i].hash, all[i].password), GB_OK, "%s", all[i].hash);
		cr_expect_eq(verify(all[i].hash, "another"), GB_ERR_INVALID_CREDENTIALS, "%s", all[i].hash);
	}
}

Test(password, refuses_stored_hashes_out_of_bounds)
{
#define SALT "$AAECAwQFBgcICQoLDA0ODw"
#define TAG "$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	static const char *const bad[] = {
		"$argon2id$v=19$m=1048577,t=1,p=1" SALT TAG, "$argon2id$v=19$m=4194304,t=1,p=1" SALT TAG,
		"$argon2id$v=19$m=4294967296,t=1,p=1" SALT TAG, "$argon2id$v=19$m=18446744073709551624,t=1,p=1" SALT TAG,
		"$argon2id$v=19$m=8192,t=11,p=1" SALT TAG, "$argon2id$v=19$m=8192,t=0,p=1" SALT TAG,
		"$argon2id$v=19$m=8192,t=1,p=0" SALT TAG, "$argon2id$v=19$m=8192,t=1,p=17" SALT TAG,
		"$argon2id$v=19$m=7,t=1,p=1" SALT TAG, "$argon2id$v=19$m=15,t=1,p=2" SALT TAG,
		"$argon2id$v=19$m=08192,t=1,p=1" SALT TAG, "$argon2id$v=19$m=+8192,t=1,p=1" SALT TAG,
		"$argon2id$v=19$m=8192,t=1,p=1" SALT, "$argon2id$v=19$m=8192,t=1,p=1" SALT TAG "$",
		"$argon2id$v=19$m=8192,t=1,p=1" SALT TAG "=", "$argon2id$v=19$m=8192,t=1,p=1" SALT TAG " ",
		"$argon2id$v=19$m=8192,t=1,p=1$AAECAwQ" TAG, "$argon2id$v=19$m=8192,t=1,p=1" SALT "$AAECAwQ",
		"$argon2id$v=16$m=8192,t=1,p=1" SALT TAG, "$argon2i$v=19$m=8192,t=11,p=1" SALT TAG,
		"$argon2d$v=19$m=8192,t=1,p=1" SALT TAG, "$2b$12$abcdefghijklmnopqrstuv", "plain", "", NULL
	};
	int64_t before = clock_ms(CLOCK_MONOTONIC);

	for (const char *const *stored = bad; *stored != NULL; stored++) {
		cr_expect_eq(verify(*stored, "x"), GB_ERR_STORE_UNAVAILABLE, "%s", *stored);
		cr_expect(gb_password_needs_rehash(&config, *stored));
	}
	cr_expect_lt(clock_ms(CLOCK_MONOTONIC) - before, 100, "refused before any work");
	cr_expect_eq(verify("$argon2id$v=19$m=8192,t=1,p=1" SALT TAG, "x"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(verify("$argon2id$v=19$m=8,t=1,p=1" SALT TAG, "x"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(verify("$argon2id$v=19$m=16,t=10,p=2" SALT TAG, "x"), GB_ERR_INVALID_CREDENTIALS);
}

/* Unknown names: a hash of the current cost is worked out, and nothing fits it. */
Test(password, costs_the_same_where_there_is_no_hash)
{
	int64_t known = INT64_MAX, unknown = INT64_MAX, over_long = INT64_MAX;
	char too_long[GB_PASSWORD_MAX + 2];

	memset(too_long, 'x', GB_PASSWORD_MAX + 1);
	too_long[GB_PASSWORD_MAX + 1] = '\0';
	config.argon2_memory_cost = 65536;
	cr_assert_eq(gb_password_hash(&config, state, "x", hash, sizeof hash), GB_OK);
	for (int i = 0; i < 9; i++) {		/* the least of many is the work itself */
		int64_t t[4];

		t[0] = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
		cr_expect_eq(verify(hash, "y"), GB_ERR_INVALID_CREDENTIALS);
		t[1] = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
		cr_expect_eq(verify(NULL, "y"), GB_ERR_INVALID_CREDENTIALS);
		t[2] = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
		cr_expect_eq(verify(hash, too_long), GB_ERR_INVALID_CREDENTIALS);
		t[3] = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
		known = t[1] - t[0] < known ? t[1] - t[0] : known;
		unknown = t[2] - t[1] < unknown ? t[2] - t[1] : unknown;
		over_long = t[3] - t[2] < over_long ? t[3] - t[2] : over_long;
	}
	cr_expect(unknown > known * 6 / 10 && unknown < known * 16 / 10, "%ld, %ld ms", (long)known, (long)unknown);
	cr_expect(over_long > known * 6 / 10 && over_long < known * 16 / 10, "%ld, %ld ms", (long)known, (long)over_long);
}

Test(password, asks_for_a_new_hash_when_the_cost_changed)
{
	cr_assert_eq(gb_password_hash(&config, state, "x", hash, sizeof hash), GB_OK);
	cr_expect_not(gb_password_needs_rehash(&config, hash));
	config.argon2_memory_cost = 16384;
	cr_expect(gb_password_needs_rehash(&config, hash));
	config.argon2_memory_cost = 8192;
	config.argon2_time_cost = 2;
	cr_expect(gb_password_needs_rehash(&config, hash));
	config.argon2_time_cost = 1;
	cr_expect_not(gb_password_needs_rehash(&config, hash));
	cr_expect(gb_password_needs_rehash(&config, "$argon2id$v=19$m=8192,t=1,p=2" SALT TAG));
}

#ifndef __SANITIZE_ADDRESS__
/* A hash without memory is our failure, never "wrong password": libsodium's own verify says mismatch here. */
Test(password, is_busy_without_memory)
{
	static const char *const two_lanes = "$argon2id$v=19$m=65536,t=1,p=2" SALT TAG;
	struct rlimit limit = { 48 << 20, 48 << 20 };

	config.argon2_memory_cost = 65536;
	cr_assert_eq(gb_password_hash(&config, state, "x", hash, sizeof hash), GB_OK);
	cr_expect_eq(verify(hash, "x"), GB_OK);
	cr_expect_eq(verify(two_lanes, "x"), GB_ERR_INVALID_CREDENTIALS);
	cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
	cr_expect_eq(verify(hash, "x"), GB_ERR_BUSY);
	cr_expect_eq(verify(hash, "y"), GB_ERR_BUSY);
	cr_expect_eq(verify(NULL, "y"), GB_ERR_BUSY);
	cr_expect_eq(verify(two_lanes, "x"), GB_ERR_BUSY);
	cr_expect_eq(gb_password_hash(&config, state, "x", hash, sizeof hash), GB_ERR_BUSY);
}

static long
resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, resident;

	cr_assert_not_null(file);
	cr_assert_eq(fscanf(file, "%ld %ld", &size, &resident), 2);
	fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

Test(password, gives_its_memory_back)
{
	long before;

	cr_assert_eq(gb_password_hash(&config, state, "x", hash, sizeof hash), GB_OK);
	before = resident_kib();
	config.argon2_memory_cost = 65536;
	cr_assert_eq(gb_password_hash(&config, state, "x", hash, sizeof hash), GB_OK);
	cr_assert_eq(verify(hash, "x"), GB_OK);
	cr_expect_lt(resident_kib() - before, 2048);
}
#endif

/* A child that holds one slot of the lock file until its pipe is closed. */
static pid_t
hold(long slot, int *release)
{
	int hold_pipe[2], ready[2];
	char byte;
	pid_t pid;

	cr_assert(pipe(hold_pipe) == 0 && pipe(ready) == 0);
	if ((pid = fork()) == 0) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1 };
		int fd = openat(gb_state_fd(state), "slots.lock", O_RDWR | O_CREAT, 0600);

		close(hold_pipe[1]);
		if (fcntl(fd, F_OFD_SETLK, &lock) != 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		_exit(read(hold_pipe[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(hold_pipe[0]);
	close(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*release = hold_pipe[1];
	return pid;
}

Test(password, is_busy_when_every_slot_stays_taken)
{
	int release[2], status;
	pid_t holder[2];
	int64_t began;

	holder[0] = hold(0, &release[0]);
	cr_expect_eq(gb_password_hash(&config, state, "x", hash, sizeof hash), GB_OK, "one slot is left");
	/* the second holder must not keep the first one's pipe open */
	cr_assert_eq(fcntl(release[0], F_SETFD, FD_CLOEXEC), 0);
	holder[1] = hold(1, &release[1]);
	began = clock_ms(CLOCK_MONOTONIC);
	cr_expect_eq(verify(hash, "x"), GB_ERR_BUSY);
	cr_expect(clock_ms(CLOCK_MONOTONIC) - began >= 1900 && clock_ms(CLOCK_MONOTONIC) - began < 5000);
	close(release[1]);
	cr_assert_eq(waitpid(holder[1], &status, 0), holder[1]);
	cr_expect_eq(verify(hash, "x"), GB_OK, "the slot of the one that went");
	close(release[0]);
	cr_assert_eq(waitpid(holder[0], &status, 0), holder[0]);
}

Test(password, takes_no_more_slots_than_the_setting)
{
	int release, status;
	pid_t holder = hold(0, &release);

	config.hash_slots = 1;
	cr_expect_eq(gb_password_hash(&config, state, "x", hash, sizeof hash), GB_ERR_BUSY);
	close(release);
	cr_assert_eq(waitpid(holder, &status, 0), holder);
	cr_expect_eq(gb_password_hash(&config, state, "x", hash, sizeof hash), GB_OK);
}

static unsigned
weakness(const char *password, const char *const *words)
{
	unsigned reasons = 99;
	enum gb_err err = gb_password_strength(&config, password, words, &reasons);

	cr_expect_eq(err, reasons == 0 ? GB_OK : GB_ERR_WEAK_PASSWORD);
	return reasons;
}

Test(password, refuses_what_is_too_short)
{
	config.password_min_score = 0;
	cr_expect_eq(weakness("d8Kq!x2", NULL), GB_WEAK_TOO_SHORT);
	cr_expect_eq(weakness("d8Kq!x2m", NULL), 0);
	/* code points, not bytes */
	cr_expect_eq(weakness("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xe2\x82\xac\xe2\x82\xac\xf0\x9f\x90\x9d", NULL), GB_WEAK_TOO_SHORT);
	cr_expect_eq(weakness("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xe2\x82\xac\xe2\x82\xac\xf0\x9f\x90\x9dx", NULL), 0);
	cr_expect_eq(weakness("        ", NULL), 0);
	config.password_min_length = 15;
	cr_expect_eq(weakness("d8Kq!x2m-d8Kq!", NULL), GB_WEAK_TOO_SHORT);
	cr_expect_eq(weakness("d8Kq!x2m-d8Kq!x", NULL), 0);
}

Test(password, refuses_what_is_common)
{
	static const char *const common[] = {
		"password", "password1", "12345678", "qwerty123", "aaaaaaaa", "P@ssw0rd", "zxcvbnm,", "abcdefgh",
		"letmein1", "sunshine", "iloveyou", "11111111", "asdfghjk", "qwertyuiop", "trustno1", NULL
	};
	static const char *const good[] = {
		"d8Kq!x2m", "correct horse battery staple", "blue-otter-42", "Violet7Tram",
		"h\xc3\xa4\xc3\x9flich-und-sch\xc3\xb6n", NULL
	};
	char long_repeat[GB_PASSWORD_MAX + 1];

	for (const char *const *p = common; *p != NULL; p++)
		cr_expect_eq(weakness(*p, NULL), GB_WEAK_COMMON, "%s", *p);
	for (const char *const *p = good; *p != NULL; p++)
		cr_expect_eq(weakness(*p, NULL), 0, "%s", *p);
	memset(long_repeat, 'a', GB_PASSWORD_MAX);
	long_repeat[GB_PASSWORD_MAX] = '\0';
	cr_expect_eq(weakness(long_repeat, NULL), GB_WEAK_COMMON, "length alone is no strength");
}

Test(password, refuses_what_is_personal)
{
	static const char *const words[] = {
		"alice.archer@example.org", "alice.archer", "alice", "Archer", "example.org", "guardbee", NULL
	};
	static const char *const in_capitals[] = { "ZAPHODBEEBLE", NULL };
	static const char *const own[] = {
		"alice.archer@example.org", "Alice.Archer@example.org", "alice.archer1", "gu@rdb33!", "rehcra.ecila", NULL
	};

	for (const char *const *p = own; *p != NULL; p++) {
		cr_expect(weakness(*p, words) & GB_WEAK_PERSONAL, "%s", *p);
		cr_expect_eq(weakness(*p, NULL), 0, "%s is well without the words", *p);
	}
	cr_expect_eq(weakness("blue-otter-42", words), 0);
	cr_expect_eq(weakness("password", words), GB_WEAK_COMMON);
	cr_expect_eq(weakness("zaphodbeeble9", in_capitals), GB_WEAK_PERSONAL);
	cr_expect_eq(weakness("zaphodbeeble9", NULL), 0);
}

Test(password, leaves_short_and_countless_own_words_out)
{
	const char *words[64], *one[] = { "a", "bl", NULL };
	char text[300];

	memset(text, 'q', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (size_t i = 0; i < 63; i++)
		words[i] = text;
	words[63] = NULL;
	cr_expect_eq(weakness("blue-otter-42", words), 0);
	cr_expect_eq(weakness("blqablxa", one), 0);
	cr_expect_eq(weakness("ablaaqbl", one), 0);
}

/* PASSWORD_MIN_SCORE counts 10^3, 10^6, 10^8, 10^10 guesses. */
Test(password, follows_the_demanded_score)
{
	static const struct { const char *password; int64_t reached; } all[] = {
		{ "password", 0 },		/* 10^0 */
		{ "kitten22", 1 },		/* 10^4.1 */
		{ "hunter2hunter2", 2 },	/* 10^7.3 */
		{ "Violet7Tram", 3 },		/* 10^9.1 */
		{ "blue-otter-42", 4 },		/* 10^14.7 */
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		for (int64_t min = 0; min <= 4; min++) {
			config.password_min_score = min;
			cr_expect_eq(weakness(all[i].password, NULL), all[i].reached >= min ? 0 : GB_WEAK_COMMON,
			    "%s at %d", all[i].password, (int)min);
		}
}

/* The work must not grow with the square of what somebody sends. */
Test(password, estimates_the_longest_in_no_time)
{
	char text[GB_PASSWORD_MAX + 1];
	unsigned reasons;
	int64_t began;

	for (size_t i = 0; i < GB_PASSWORD_MAX; i++)
		text[i] = "l3t4$s0"[i % 7];
	text[GB_PASSWORD_MAX] = '\0';
	began = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < 10; i++)
		gb_password_strength(&config, text, NULL, &reasons);
	cr_expect_lt(clock_ms(CLOCK_PROCESS_CPUTIME_ID) - began, 500);
}

Test(password, verifies_what_others_hashed)
{
	for (size_t i = 0; i < sizeof argon2_hashes / sizeof argon2_hashes[0]; i++) {
		const char *stored = argon2_hashes[i].hash;

		cr_expect_eq(gb_password_check(stored), GB_OK, "%s", argon2_hashes[i].maker);
		cr_expect_eq(verify(stored, FOREIGN_PASSWORD), GB_OK, "%s", argon2_hashes[i].maker);
		cr_expect_eq(verify(stored, FOREIGN_PASSWORD "x"), GB_ERR_INVALID_CREDENTIALS, "%s", argon2_hashes[i].maker);
		cr_expect(gb_password_needs_rehash(&config, stored), "%s", argon2_hashes[i].maker);
	}
	for (size_t i = 0; i < sizeof foreign_hashes / sizeof foreign_hashes[0]; i++) {
		const char *stored = foreign_hashes[i].hash;

		cr_expect_eq(gb_password_check(stored), GB_OK, "%s", foreign_hashes[i].maker);
		cr_expect_eq(verify(stored, FOREIGN_PASSWORD), GB_OK, "%s", foreign_hashes[i].maker);
		cr_expect_eq(verify(stored, FOREIGN_PASSWORD "x"), GB_ERR_INVALID_CREDENTIALS, "%s", foreign_hashes[i].maker);
		cr_expect(gb_password_needs_rehash(&config, stored), "%s", foreign_hashes[i].maker);
	}
}

Test(password, tells_a_costly_hash_from_a_malformed_one)
{
	static const struct { const char *hash; enum gb_err err; } rows[] = {
		{ "$argon2id$v=19$m=1048576,t=10,p=16$IWX8jyTAlKdM/+sH0PUfNw$IWX8jyTAlKdM/+sH0PUfNw", GB_OK },
		{ "$argon2id$v=19$m=1048577,t=10,p=16$IWX8jyTAlKdM/+sH0PUfNw$IWX8jyTAlKdM/+sH0PUfNw", GB_ERR_INVALID_FIELD },
		{ "$argon2i$v=19$m=1048576,t=11,p=16$IWX8jyTAlKdM/+sH0PUfNw$IWX8jyTAlKdM/+sH0PUfNw", GB_ERR_INVALID_FIELD },
		{ "argon2$argon2id$v=19$m=1024,t=1,p=17$IWX8jyTAlKdM/+sH0PUfNw$IWX8jyTAlKdM/+sH0PUfNw", GB_ERR_INVALID_FIELD },
		{ "$argon2id$v=19$m=4294967296,t=1,p=1$IWX8jyTAlKdM/+sH0PUfNw$IWX8jyTAlKdM/+sH0PUfNw", GB_ERR_MALFORMED },
		{ "$argon2id$v=16$m=1024,t=1,p=1$IWX8jyTAlKdM/+sH0PUfNw$IWX8jyTAlKdM/+sH0PUfNw", GB_ERR_MALFORMED },
		{ "argon2$argon2argon2id$v=19$m=1024,t=1,p=1$IWX8jyTAlKdM/+sH0PUfNw$IWX8jyTAlKdM/+sH0PUfNw", GB_ERR_NOT_FOUND },
		{ "argon2id", GB_ERR_NOT_FOUND },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		cr_expect_eq(gb_password_check(rows[i].hash), rows[i].err, "%s", rows[i].hash);
}

/* Against a cheap foreign hash a wrong password takes at least what an unknown name takes. */
Test(password, a_foreign_hash_is_refused_no_sooner_than_an_unknown_name)
{
	const char *const stored[] = { NULL, "{SHA}PNkSNISRUV6ky3XczAWMJ/tqJdA=" };
	int64_t took_ms[2];

	config.argon2_time_cost = 10;
	for (size_t i = 0; i < 2; i++) {
		int64_t begun = clock_ms(CLOCK_PROCESS_CPUTIME_ID);

		for (int n = 0; n < 5; n++)
			cr_assert_eq(verify(stored[i], "wrong"), GB_ERR_INVALID_CREDENTIALS);
		took_ms[i] = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - begun;
	}
	cr_expect_gt(took_ms[1], took_ms[0] / 2, "%lld ms, an unknown name %lld", (long long)took_ms[1], (long long)took_ms[0]);
	config.argon2_time_cost = 1;
}

Test(password, nobody_has_a_hash_that_no_password_fits)
{
	char nobody[GB_PASSWORD_HASH_SIZE];

	gb_password_of_nobody(&config, nobody);
	cr_expect_eq(gb_password_check(nobody), GB_OK);
	cr_expect_not(gb_password_needs_rehash(&config, nobody));
	cr_expect_eq(verify(nobody, ""), GB_ERR_INVALID_CREDENTIALS);
}
