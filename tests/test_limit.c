/* SPDX-License-Identifier: MIT */
/* Windows, lock-outs, and their exactness over processes. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "limit_table.h"
#include "policy.h"

static struct policy p;
static struct gb_attempt attempt;

static void
setup(void)
{
	policy_open(&p);
	policy_limits(&p);
}

static void
teardown(void)
{
	policy_close(&p);
}

TestSuite(limit, .init = setup, .fini = teardown, .timeout = 60);

static enum gb_err
count(enum gb_limit_window window, const char *whose)
{
	p.call.retry_after_s = -1;
	return gb_limit_count(&p.app, &p.call, window, whose);
}

static enum gb_err
begin_at(enum gb_attempt_kind kind, const char *whose, int64_t after_s)
{
	p.call.now = POLICY_NOW + after_s;
	p.call.retry_after_s = -1;
	return gb_limit_begin(&p.app, &p.call, kind, whose, false, &attempt);
}

static void
end(enum gb_err verdict)
{
	gb_limit_end(&p.app, &p.call, &attempt, verdict);
}

/* One wrong password at `after_s`. */
static void
fail_at(const char *whose, int64_t after_s)
{
	cr_assert_eq(begin_at(GB_ATTEMPT_NAME, whose, after_s), GB_OK, "at %ld", (long)after_s);
	end(GB_ERR_INVALID_CREDENTIALS);
}

Test(limit, counts_every_window_to_its_number)
{
	static const struct { enum gb_limit_window window; unsigned max; int64_t span_s; } all[] = {
		{ GB_LIMIT_SIGN_IN, 30, 60 }, { GB_LIMIT_REGISTER, 10, 3600 },
		{ GB_LIMIT_FORGOT, 10, 3600 }, { GB_LIMIT_FORGOT_ACCOUNT, 3, 3600 },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		p.call.now = POLICY_NOW;
		for (unsigned n = 0; n < all[i].max; n++)
			cr_expect_eq(count(all[i].window, "198.51.100.1"), GB_OK);
		cr_expect_eq(count(all[i].window, "198.51.100.1"), GB_ERR_RATE_LIMITED);
		cr_expect_eq(p.call.retry_after_s, all[i].span_s);
		cr_expect_eq(count(all[i].window, "198.51.100.2"), GB_OK, "somebody else");
		p.call.now = POLICY_NOW + all[i].span_s - 1;
		cr_expect_eq(count(all[i].window, "198.51.100.1"), GB_ERR_RATE_LIMITED);
		cr_expect_eq(p.call.retry_after_s, 1);
		p.call.now = POLICY_NOW + all[i].span_s;
		cr_expect_eq(count(all[i].window, "198.51.100.1"), GB_OK, "a new window");
	}
}

Test(limit, passes_everything_when_off)
{
	struct gb_limit *limit = p.app.limit;

	p.app.limit = NULL;
	p.config.rate_limits = false;
	for (unsigned n = 0; n < 100; n++) {
		cr_expect_eq(count(GB_LIMIT_REGISTER, "198.51.100.1"), GB_OK);
		fail_at("alice", 0);
	}
	p.config.rate_limits = true;
	cr_expect_eq(count(GB_LIMIT_REGISTER, "198.51.100.1"), GB_ERR_INTERNAL, "on, and nothing to count in");
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_INTERNAL);
	p.app.limit = limit;
	cr_expect_eq(store_memory_records(p.memory), 0);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_OK);
}

Test(limit, counts_an_ipv6_network_as_one)
{
	for (unsigned n = 0; n < 10; n++) {
		char address[64];

		snprintf(address, sizeof address, "2001:db8:0:1:%x::1", n);
		cr_expect_eq(count(GB_LIMIT_REGISTER, address), GB_OK);
	}
	cr_expect_eq(count(GB_LIMIT_REGISTER, "2001:db8:0:1:ffff::"), GB_ERR_RATE_LIMITED);
	cr_expect_eq(count(GB_LIMIT_REGISTER, "2001:db8:0:2::1"), GB_OK);
}

Test(limit, names_blocks_of_addresses)
{
	static const struct { const char *address; int bits; const char *block; } all[] = {
		{ "192.0.2.77", 32, "192.0.2.77" }, { "192.0.2.77", 24, "192.0.2.0/24" },
		{ "255.255.255.255", 24, "255.255.255.0/24" },
		{ "::ffff:192.0.2.77", 24, "192.0.2.0/24" }, { "::ffff:192.0.2.77", 32, "192.0.2.77" },
		{ "2001:db8:1:2:3:4:5:6", 24, "2001:db8:1:2::/64" }, { "2001:DB8:1:2::", 32, "2001:db8:1:2::/64" },
		{ "::1", 24, "::/64" }, { "", 32, "" }, { "not an address", 24, "not an address" },
	};
	char block[64], text[200];

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		gb_address_block(all[i].address, all[i].bits, block);
		cr_expect_str_eq(block, all[i].block);
	}
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	gb_address_block(text, 32, block);
	cr_expect_eq(strlen(block), 63);
}

/* 5 failures are free, then 2^(n-5) seconds, at most 900. */
Test(limit, waits_longer_after_each_failure)
{
	static const int64_t waits[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900 };
	int64_t at = 0;

	for (unsigned n = 0; n < 5; n++)
		fail_at("alice", at);
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", at), GB_ERR_RATE_LIMITED);
		cr_expect_eq(p.call.retry_after_s, waits[i], "after %zu failures: %ld", i + 5, (long)p.call.retry_after_s);
		cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", at + waits[i] - 1), GB_ERR_RATE_LIMITED);
		cr_expect_eq(p.call.retry_after_s, 1);
		cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "bob", at), GB_OK, "somebody else");
		at += waits[i];
		end(GB_OK);
		fail_at("alice", at);
	}
}

Test(limit, forgets_failures_after_a_day)
{
	for (unsigned n = 0; n < 4; n++)
		fail_at("alice", 0);
	fail_at("alice", 1);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 1), GB_ERR_RATE_LIMITED);
	fail_at("alice", 86400);		/* the sixth, one second before the day is over */
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 86401), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 1);
	for (unsigned n = 0; n < 5; n++)
		fail_at("alice", 86400 + 86400);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 86400 + 86400), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 1, "counted anew");
}

Test(limit, clears_the_counter_after_a_success)
{
	for (unsigned n = 0; n < 4; n++)
		fail_at("alice", 0);
	cr_assert_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_OK);
	end(GB_OK);
	for (unsigned n = 0; n < 5; n++)
		fail_at("alice", 0);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED);
	/* and a lock-out, in the store too */
	cr_expect_eq(store_memory_records(p.memory), 1);
	cr_assert_eq(begin_at(GB_ATTEMPT_NAME, "alice", 1), GB_OK);
	end(GB_OK);
	cr_expect_eq(store_memory_records(p.memory), 0);
	for (unsigned n = 0; n < 5; n++)
		fail_at("alice", 1);
}

Test(limit, takes_back_what_was_no_verdict)
{
	static const enum gb_err ours[] = {
		GB_ERR_BUSY, GB_ERR_STORE_UNAVAILABLE, GB_ERR_MEMORY, GB_ERR_WEAK_PASSWORD, GB_ERR_TOKEN_REVOKED
	};

	for (unsigned n = 0; n < 4; n++)
		fail_at("alice", 0);
	for (unsigned n = 0; n < 20; n++) {
		cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_OK);
		end(ours[n % 5]);
	}
	fail_at("alice", 0);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED);
	/* nor does it begin the wait again */
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 1), GB_OK);
	end(GB_ERR_BUSY);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 1), GB_OK);
}

/* Parallel tries: each counts as failed from its begin on. */
Test(limit, counts_ahead_of_the_proof)
{
	struct gb_attempt parallel[5];

	for (unsigned n = 0; n < 5; n++)
		cr_expect_eq(gb_limit_begin(&p.app, &p.call, GB_ATTEMPT_NAME, "alice", false, &parallel[n]), GB_OK);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED);
	end(GB_ERR_INVALID_CREDENTIALS);	/* of an attempt that was refused: nothing */
	gb_limit_end(&p.app, &p.call, &parallel[1], GB_ERR_BUSY);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_OK);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED);
}

Test(limit, keeps_kinds_names_and_known_blocks_apart)
{
	for (unsigned n = 0; n < 5; n++)
		fail_at("alice", 0);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED);
	cr_expect_eq(begin_at(GB_ATTEMPT_SELF, "alice", 0), GB_OK);
	cr_expect_eq(begin_at(GB_ATTEMPT_CODE, "alice", 0), GB_OK);
	cr_expect_eq(begin_at(GB_ATTEMPT_CLIENT, "alice", 0), GB_OK);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alic", 0), GB_OK);
	/* strangers cannot lock the owner out */
	cr_expect_eq(gb_limit_begin(&p.app, &p.call, GB_ATTEMPT_NAME, "alice", true, &attempt), GB_OK);
	end(GB_OK);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED, "and his success clears only his own");
	/* but his own block has its own limit */
	for (unsigned n = 0; n < 5; n++) {
		cr_expect_eq(gb_limit_begin(&p.app, &p.call, GB_ATTEMPT_NAME, "alice", true, &attempt), GB_OK);
		end(GB_ERR_INVALID_CREDENTIALS);
	}
	cr_expect_eq(gb_limit_begin(&p.app, &p.call, GB_ATTEMPT_NAME, "alice", true, &attempt), GB_ERR_RATE_LIMITED);
	p.call.address = "192.0.3.7";
	cr_expect_eq(gb_limit_begin(&p.app, &p.call, GB_ATTEMPT_NAME, "alice", true, &attempt), GB_OK, "another known block");
}

/* Every wrong secret elsewhere counts one for the address, as a sign-in does; a right one does not. */
Test(limit, counts_wrong_secrets_elsewhere_for_the_address)
{
	char whose[16];

	for (unsigned n = 0; n < 29; n++) {
		snprintf(whose, sizeof whose, "%u", n + 1);
		cr_expect_eq(begin_at(GB_ATTEMPT_SELF, whose, 0), GB_OK);
		end(GB_ERR_INVALID_CREDENTIALS);
	}
	for (unsigned n = 0; n < 40; n++) {
		cr_expect_eq(begin_at(GB_ATTEMPT_SELF, "100", 0), GB_OK);
		end(GB_OK);
		cr_expect_eq(begin_at(GB_ATTEMPT_CODE, "a@b.co", 0), GB_OK);
		end(GB_ERR_BUSY);
	}
	cr_expect_eq(begin_at(GB_ATTEMPT_CLIENT, "x", 0), GB_OK);
	end(GB_ERR_INVALID_CLIENT);
	cr_expect_eq(begin_at(GB_ATTEMPT_CODE, "a@b.co", 0), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 60);
	cr_expect_eq(count(GB_LIMIT_SIGN_IN, p.call.address), GB_ERR_RATE_LIMITED);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_OK, "sign-in counts its own way");
	p.call.address = "198.51.100.9";
	cr_expect_eq(begin_at(GB_ATTEMPT_CODE, "a@b.co", 0), GB_OK);
	end(GB_ERR_RESET_TOKEN_INVALID);
}

Test(limit, does_not_count_the_address_when_the_account_must_wait)
{
	for (unsigned n = 0; n < 5; n++) {
		cr_expect_eq(begin_at(GB_ATTEMPT_SELF, "1", 0), GB_OK);
		end(GB_ERR_INVALID_CREDENTIALS);
	}
	for (unsigned n = 0; n < 50; n++)
		cr_expect_eq(begin_at(GB_ATTEMPT_SELF, "1", 0), GB_ERR_RATE_LIMITED);
	for (unsigned n = 0; n < 25; n++)
		cr_expect_eq(count(GB_LIMIT_SIGN_IN, p.call.address), GB_OK, "%u", n);
	cr_expect_eq(count(GB_LIMIT_SIGN_IN, p.call.address), GB_ERR_RATE_LIMITED);
}

static void
restart(bool table_lost)
{
	gb_limit_close(p.app.limit);
	if (table_lost)
		cr_assert_eq(unlinkat(gb_state_fd(p.app.state), "rate.tab", 0), 0);
	policy_limits(&p);
}

Test(limit, survives_a_restart)
{
	for (unsigned n = 0; n < 10; n++)
		cr_expect_eq(count(GB_LIMIT_REGISTER, "198.51.100.1"), GB_OK);
	for (unsigned n = 0; n < 4; n++)
		fail_at("alice", 0);
	restart(false);
	cr_expect_eq(count(GB_LIMIT_REGISTER, "198.51.100.1"), GB_ERR_RATE_LIMITED);
	fail_at("alice", 0);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED);
}

Test(limit, keeps_lockouts_when_the_table_is_lost)
{
	for (unsigned n = 0; n < 5; n++)
		fail_at("alice", 0);
	fail_at("alice", 1);
	fail_at("alice", 3);
	restart(true);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 6), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 1);
	fail_at("alice", 7);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 7), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 8);
	restart(true);
	fail_at("alice", 3600);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 3600), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 16, "the count goes on");
	restart(true);
	for (unsigned n = 0; n < 5; n++)
		fail_at("alice", 3600 + 86400);	/* kept a day */
}

/* No name and no address stands there to read. */
Test(limit, writes_no_name)
{
	char bytes[4096];
	int fd = openat(gb_state_fd(p.app.state), "rate.tab", O_RDONLY);

	for (unsigned n = 0; n < 5; n++)
		fail_at("alice@example.org", 0);
	cr_expect_eq(count(GB_LIMIT_SIGN_IN, "198.51.100.1"), GB_OK);
	for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
		cr_expect(memmem(bytes, (size_t)n, "alice", 5) == NULL && memmem(bytes, (size_t)n, "198.51", 6) == NULL);
	close(fd);
}

Test(limit, is_no_verdict_when_the_store_fails)
{
	store_memory_fail(p.memory, STORE_MEMORY_GET, STORE_MEMORY_EVERY, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_STORE_UNAVAILABLE);
	end(GB_ERR_STORE_UNAVAILABLE);
	store_memory_fail(p.memory, STORE_MEMORY_GET, STORE_MEMORY_EVERY, STORE_MEMORY_NO_FAULT);
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, STORE_MEMORY_UNAVAILABLE);
	for (unsigned n = 0; n < 5; n++)
		fail_at("alice", 0);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED, "the table holds the lock-out");
	cr_expect_eq(store_memory_records(p.memory), 0);
}

Test(limit, stands_a_clock_that_is_set_back)
{
	p.call.now = POLICY_NOW + 3600;
	for (unsigned n = 0; n < 10; n++)
		cr_expect_eq(count(GB_LIMIT_REGISTER, "198.51.100.1"), GB_OK);
	for (unsigned n = 0; n < 7; n++)
		fail_at("alice", 3600 + 4 * n);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 4, "the wait begins anew, it is not prolonged");
	cr_expect_eq(count(GB_LIMIT_REGISTER, "198.51.100.1"), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 3600);
	p.call.now = POLICY_NOW - 3 * 86400;
	cr_expect_eq(count(GB_LIMIT_REGISTER, "198.51.100.1"), GB_OK, "days back: a window of the future is none");
}

/* 8 processes try 40 times each as fast as they can: 30 pass in all, and of one name 5. */
Test(limit, is_exact_over_processes)
{
	enum { PROCESSES = 8, TRIES = 40 };
	int results[2];
	unsigned char passed[2];
	unsigned windows = 0, names = 0;

	cr_assert_eq(pipe(results), 0);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			char why[256];

			passed[0] = passed[1] = 0;
			if (gb_limit_open(p.app.state, why, sizeof why, &p.app.limit) != GB_OK)
				_exit(1);
			for (int n = 0; n < TRIES; n++) {
				passed[0] += count(GB_LIMIT_SIGN_IN, "198.51.100.1") == GB_OK;
				passed[1] += begin_at(GB_ATTEMPT_NAME, "alice", 0) == GB_OK;
			}
			_exit(write(results[1], passed, sizeof passed) == sizeof passed ? 0 : 1);
		}
	close(results[1]);
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		cr_assert_eq(read(results[0], passed, sizeof passed), sizeof passed);
		windows += passed[0];
		names += passed[1];
		wait(&status);
		cr_expect_eq(status, 0);
	}
	close(results[0]);
	cr_expect_eq(windows, 30);
	cr_expect_eq(names, 5);
}

/* However many names are tried, the file stays as it is, and failures are not washed out. */
Test(limit, does_not_grow)
{
	struct stat before, after;
	char whose[32];

	for (unsigned n = 0; n < 4; n++)	/* no lock-out yet: the table alone holds them */
		fail_at("alice", 0);
	cr_assert_eq(fstatat(gb_state_fd(p.app.state), "rate.tab", &before, 0), 0);
	for (unsigned n = 0; n < 60000; n++) {
		snprintf(whose, sizeof whose, "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
		cr_assert_eq(count(GB_LIMIT_SIGN_IN, whose), GB_OK);
	}
	cr_assert_eq(fstatat(gb_state_fd(p.app.state), "rate.tab", &after, 0), 0);
	cr_expect_eq(before.st_size, after.st_size);
	fail_at("alice", 0);
	cr_expect_eq(begin_at(GB_ATTEMPT_NAME, "alice", 0), GB_ERR_RATE_LIMITED);
}

Test(limit, replaces_an_unfit_table)
{
	char why[256];
	struct gb_limit *limit;
	int fd;

	for (unsigned n = 0; n < 4; n++)
		fail_at("alice", 0);
	gb_limit_close(p.app.limit);
	fd = openat(gb_state_fd(p.app.state), "rate.tab", O_WRONLY);
	cr_assert_eq(pwrite(fd, "gbrate99", 8, 0), 8);
	close(fd);
	policy_limits(&p);
	for (unsigned n = 0; n < 5; n++)
		fail_at("alice", 0);
	gb_limit_close(p.app.limit);
	cr_assert_eq(unlinkat(gb_state_fd(p.app.state), "rate.tab", 0), 0);
	cr_assert_eq(symlinkat("/dev/zero", gb_state_fd(p.app.state), "rate.tab"), 0);
	cr_expect_eq(gb_limit_open(p.app.state, why, sizeof why, &limit), GB_ERR_MISCONFIGURED);
	cr_expect_not_null(strstr(why, "rate.tab"));
	cr_expect_null(limit);
	cr_assert_eq(unlinkat(gb_state_fd(p.app.state), "rate.tab", 0), 0);
	policy_limits(&p);
}

/* A process that stops within a bucket's lock makes others busy, not wrong, and not for ever. */
Test(limit, is_busy_while_a_bucket_stays_locked)
{
	unsigned char fingerprint[GB_FINGERPRINT_LEN] = { 0 };
	struct gb_limit *mine = p.app.limit;
	struct gb_counter *counter, *other;

	cr_assert_eq(gb_counter_take(mine, fingerprint, POLICY_NOW, &counter), GB_OK);
	policy_limits(&p);			/* as another process opens it */
	cr_expect_eq(gb_counter_take(p.app.limit, fingerprint, POLICY_NOW, &other), GB_ERR_BUSY);
	gb_counter_release(mine, counter);
	cr_expect_eq(gb_counter_take(p.app.limit, fingerprint, POLICY_NOW, &other), GB_OK);
	gb_counter_release(p.app.limit, other);
	gb_limit_close(mine);
}
