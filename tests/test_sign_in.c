/* SPDX-License-Identifier: MIT */
/* A password for a session: the same way for every name, and nothing rests on what moved meanwhile. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "limit.h"
#include "password.h"
#include "policy.h"
#include "user.h"

#define PASSWORD "blue-otter-42"
#define OTHER_PASSWORD "another-otter-43"

static struct policy p;
static struct gb_user alice, user;
static struct gb_token_pair pair;
static struct gb_identity identity;

static void
setup(void)
{
	policy_open(&p);
	cr_assert_eq(gb_user_add(&p.app, &p.call, "alice@example.org", "alice", PASSWORD, &alice), GB_OK);
}

static void
teardown(void)
{
	policy_close(&p);
}

TestSuite(sign_in, .init = setup, .fini = teardown, .timeout = 120);

static enum gb_err
login(const char *email, const char *username, const char *password)
{
	struct gb_login_form form = { .email = email, .username = username, .password = password };

	p.call.event = NULL;
	p.call.retry_after_s = -1;
	return gb_user_login(&p.app, &p.call, &form, &user, &pair);
}

static enum gb_err
login_alice(const char *password)
{
	return login("alice@example.org", NULL, password);
}

static void
reread(void)
{
	cr_assert_eq(gb_user_get(p.app.store, alice.id, p.call.now, p.call.arena, &alice), GB_OK);
}

Test(sign_in, takes_address_or_name)
{
	cr_expect_eq(login_alice(PASSWORD), GB_OK);
	cr_expect_str_eq(p.call.event, "login");
	cr_expect_str_eq(p.call.user_id, alice.id);
	cr_expect_str_eq(user.email, "alice@example.org");
	cr_expect_eq(gb_token_check(&p.app, &p.call, pair.access_token, &identity), GB_OK);
	cr_expect_str_eq(identity.user.id, alice.id);
	cr_expect_eq(login(NULL, "alice", PASSWORD), GB_OK);
	cr_expect_eq(login("ALICE@example.org", NULL, PASSWORD), GB_OK);
	cr_expect_eq(login(NULL, "Alice", PASSWORD), GB_OK);
	reread();
	cr_expect_eq(alice.sessions_len, 4);
	cr_expect_str_eq(alice.language, "en");
}

Test(sign_in, makes_a_gate_cookie_and_ends_the_session_presented)
{
	struct gb_login_form form = { .email = "alice@example.org", .password = PASSWORD, .gate = true };
	struct gb_token_pair first;

	cr_assert_eq(gb_user_login(&p.app, &p.call, &form, &user, &first), GB_OK);
	cr_assert_eq(gb_token_check_gate(&p.app, &p.call, first.gate, &identity), GB_OK);
	form.replaced = &identity;
	cr_assert_eq(gb_user_login(&p.app, &p.call, &form, &user, &pair), GB_OK);
	reread();
	cr_expect_eq(alice.sessions_len, 1);
	cr_expect_eq(gb_token_check_gate(&p.app, &p.call, pair.gate, &identity), GB_OK);
	cr_expect_eq(gb_token_check_gate(&p.app, &p.call, first.gate, &identity), GB_ERR_TOKEN_REVOKED);
}

static char long_name[6001], long_password[GB_PASSWORD_MAX + 2];

static const struct { const char *what, *email, *username, *password; } wrong[] = {
	{ "wrong password", "alice@example.org", NULL, "blue-otter-43" },
	{ "wrong password by name", NULL, "alice", "blue-otter-43" },
	{ "unknown address", "bob@example.org", NULL, PASSWORD },
	{ "unknown name", NULL, "bob", PASSWORD },
	{ "malformed address", "alice@", NULL, PASSWORD },
	{ "malformed name", NULL, "a", PASSWORD },
	{ "name with a space", NULL, " alice", PASSWORD },
	{ "address as name", NULL, "alice@example.org", PASSWORD },
	{ "over-long address", long_name, NULL, PASSWORD },
	{ "over-long name", NULL, long_name, PASSWORD },
	{ "over-long password", "alice@example.org", NULL, long_password },
	{ "over-long password, unknown address", "bob@example.org", NULL, long_password },
};
#define WRONG (sizeof wrong / sizeof wrong[0])

static void
fill_long(void)
{
	memset(long_name, 'a', sizeof long_name - 1);
	memset(long_password, 'x', sizeof long_password - 1);
}

Test(sign_in, refuses_all_with_one_answer)
{
	fill_long();
	for (size_t i = 0; i < WRONG; i++) {
		cr_expect_eq(login(wrong[i].email, wrong[i].username, wrong[i].password), GB_ERR_INVALID_CREDENTIALS, "%s", wrong[i].what);
		cr_expect_str_eq(p.call.event, "login_failed");
		cr_expect(pair.access_token == NULL && p.call.user_id == NULL);
	}
	cr_expect_eq(store_memory_records(p.memory), 3);
	cr_expect_eq(login_alice(PASSWORD), GB_OK);
}

static int64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The least of several is the work itself. */
static int64_t
cost_of(size_t row)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < 7; i++) {
		int64_t began = clock_us();

		cr_expect_eq(login(wrong[row].email, wrong[row].username, wrong[row].password), GB_ERR_INVALID_CREDENTIALS);
		began = clock_us() - began;
		least = began < least ? began : least;
	}
	return least;
}

/* One hash of the current cost, whatever is wrong; the account locked as well. */
Test(sign_in, costs_the_same_whatever_is_wrong)
{
	int64_t known;

	fill_long();
	p.config.argon2_memory_cost = 32768;
	cr_assert_eq(login_alice(PASSWORD), GB_OK, "renews the hash to this cost");
	known = cost_of(0);
	for (size_t i = 1; i < WRONG; i++) {
		int64_t cost = cost_of(i);

		cr_expect(cost > known * 6 / 10 && cost < known * 16 / 10, "%s: %ld of %ld us", wrong[i].what, (long)cost, (long)known);
	}
	cr_assert_eq(gb_user_set_locked(&p.app, &p.call, alice.id, true), GB_OK);
	cr_expect(cost_of(0) > known * 6 / 10, "locked");
}

/* Known, unknown, malformed and locked names are counted alike: the same answers in the same order. */
Test(sign_in, counts_the_same_whatever_is_wrong)
{
	static char address[32];

	fill_long();
	policy_limits(&p);
	for (size_t i = 0; i < WRONG; i++) {
		/* these are names of their own, the others would share a count */
		if (i > 6 && i != 8)
			continue;
		snprintf(address, sizeof address, "198.51.%zu.1", i);
		p.call.address = address;
		for (int n = 0; n < 5; n++)
			cr_expect_eq(login(wrong[i].email, wrong[i].username, wrong[i].password), GB_ERR_INVALID_CREDENTIALS, "%s", wrong[i].what);
		cr_expect_eq(login(wrong[i].email, wrong[i].username, wrong[i].password), GB_ERR_RATE_LIMITED, "%s", wrong[i].what);
		cr_expect_eq(p.call.retry_after_s, 1);
	}
	cr_expect_eq(login_alice(PASSWORD), GB_ERR_RATE_LIMITED, "the right password has to wait too");
	p.call.now++;
	cr_expect_eq(login_alice(PASSWORD), GB_OK);
	for (int n = 0; n < 5; n++)
		cr_expect_eq(login_alice("x"), GB_ERR_INVALID_CREDENTIALS, "counted anew");
}

Test(sign_in, counts_a_locked_account_as_any_other)
{
	policy_limits(&p);
	cr_assert_eq(gb_user_set_locked(&p.app, &p.call, alice.id, true), GB_OK);
	for (int n = 0; n < 5; n++)
		cr_expect_eq(login_alice(PASSWORD), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(login_alice(PASSWORD), GB_ERR_RATE_LIMITED);
}

/* 30 a minute for an address, right ones too; and none of the refused runs a hash. */
Test(sign_in, is_limited_by_address_before_any_hash)
{
	int64_t began;

	policy_limits(&p);
	for (int n = 0; n < 30; n++)
		cr_expect_eq(login_alice(PASSWORD), GB_OK);
	p.config.argon2_memory_cost = 1048576;
	p.config.argon2_time_cost = 10;
	began = clock_us();
	cr_expect_eq(login_alice(PASSWORD), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 60);
	cr_expect_eq(login("bob@example.org", NULL, PASSWORD), GB_ERR_RATE_LIMITED);
	cr_expect_lt(clock_us() - began, 100000);
	p.config.argon2_memory_cost = 7168;
	p.config.argon2_time_cost = 1;
	p.call.address = "198.51.100.1";
	cr_expect_eq(login_alice(PASSWORD), GB_OK);
}

/* Strangers who try do not lock the owner out of where he signs in. */
Test(sign_in, lets_the_owner_in_while_strangers_try)
{
	policy_limits(&p);
	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	p.call.address = "198.51.100.1";
	for (int n = 0; n < 5; n++)
		cr_expect_eq(login_alice("x"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(login_alice(PASSWORD), GB_ERR_RATE_LIMITED);
	p.call.address = "192.0.2.99";
	cr_expect_eq(login_alice(PASSWORD), GB_OK);
	p.call.now += 30 * 86400;
	for (int n = 0; n < 5; n++)
		cr_expect_eq(login_alice("x"), GB_ERR_INVALID_CREDENTIALS);
	p.call.address = "203.0.113.1";
	cr_expect_eq(login_alice(PASSWORD), GB_ERR_RATE_LIMITED, "known no longer: one count for all");
}

Test(sign_in, renews_an_older_hash)
{
	char before[GB_PASSWORD_HASH_MAX + 1];

	reread();
	strcpy(before, alice.password_hash);
	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	reread();
	cr_expect_str_eq(alice.password_hash, before);
	p.config.argon2_memory_cost = 8192;
	cr_expect_eq(login_alice("wrong"), GB_ERR_INVALID_CREDENTIALS);
	reread();
	cr_expect_str_eq(alice.password_hash, before);
	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	reread();
	cr_expect_eq(strncmp(alice.password_hash, "$argon2id$v=19$m=8192,t=1,p=1$", 30), 0);
	cr_expect_eq(alice.password_changed_at, POLICY_NOW);
	cr_expect_eq(login_alice(PASSWORD), GB_OK);
}

Test(sign_in, sends_a_notice_from_a_new_place)
{
	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_DEVICE), 0, "the first of all is no news");
	p.call.address = "192.0.2.200";
	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_DEVICE), 0);
	p.call.address = "198.51.100.1";
	cr_expect_eq(login_alice("wrong"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_DEVICE), 0);
	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_DEVICE), 1);
	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_DEVICE), 1);
	p.config.notice_mails = false;
	p.call.address = "203.0.113.1";
	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_DEVICE), 1);
}

/* What is ours is 503, and costs the client nothing. */
Test(sign_in, is_no_verdict_when_the_store_fails)
{
	policy_limits(&p);
	for (int i = 0; i < 8; i++) {
		/* e:, u:, l: */
		store_memory_fail(p.memory, STORE_MEMORY_GET, 1 + (unsigned)i % 3, STORE_MEMORY_UNAVAILABLE);
		cr_expect_eq(login_alice(PASSWORD), GB_ERR_STORE_UNAVAILABLE);
		cr_expect_null(p.call.event);
		store_memory_fail(p.memory, STORE_MEMORY_GET, 1, STORE_MEMORY_NO_FAULT);
		store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_UNAVAILABLE);
		cr_expect_eq(login_alice(PASSWORD), GB_ERR_STORE_UNAVAILABLE);
		cr_expect_null(pair.access_token);
	}
	for (int n = 0; n < 5; n++)
		cr_expect_eq(login_alice("x"), GB_ERR_INVALID_CREDENTIALS, "none of those was counted");
	cr_expect_eq(login_alice("x"), GB_ERR_RATE_LIMITED);
}

Test(sign_in, is_unavailable_where_the_stored_hash_is_none)
{
	struct gb_commit commit;

	reread();
	strcpy(alice.password_hash, "$argon2id$v=19$m=4194304,t=3,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_user(&commit, &alice);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
	cr_expect_eq(login_alice(PASSWORD), GB_ERR_STORE_UNAVAILABLE);
}

/* What others do between our proof and our commit. */
static enum gb_err other_err;
static struct gb_identity other_identity;

static void
user_change(void (*change)(struct gb_user *))
{
	struct gb_commit commit;
	struct gb_user there;

	cr_assert_eq(gb_user_get(p.app.store, alice.id, p.call.now, p.call.arena, &there), GB_OK);
	change(&there);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_user(&commit, &there);
	other_err = gb_commit_run(&commit, p.app.store, p.call.now);
}

static void
same_password_again(struct gb_user *there)
{
	cr_assert_eq(gb_password_hash(&p.config, p.app.state, PASSWORD, there->password_hash, sizeof there->password_hash), GB_OK);
}

static void
other_renew(void *context, const char *key)
{
	(void)context;
	(void)key;
	user_change(same_password_again);
}

static void
other_change_password(void *context, const char *key)
{
	(void)context;
	(void)key;
	other_err = gb_user_change_password(&p.app, &p.call, &other_identity, PASSWORD, OTHER_PASSWORD);
}

static void
other_lock(void *context, const char *key)
{
	(void)context;
	(void)key;
	other_err = gb_user_set_locked(&p.app, &p.call, alice.id, true);
}

static void
other_delete(void *context, const char *key)
{
	(void)context;
	(void)key;
	other_err = gb_user_delete(&p.app, &p.call, alice.id);
}

static void
other_login(void *context, const char *key)
{
	struct gb_login_form form = { .email = "alice@example.org", .password = PASSWORD };
	struct gb_user there;

	(void)key;
	other_err = gb_user_login(&p.app, &p.call, &form, &there, context);
}

/* As a change of address does: u: is another then, e:OLD gone, e:NEW there. */
static void
other_change_email(void *context, const char *key)
{
	struct gb_commit commit;
	struct gb_user there;
	gb_store_key old, new;
	uint64_t version;
	char id[GB_USER_ID_MAX + 1];

	(void)context;
	(void)key;
	gb_key_email(old, "alice@example.org");
	gb_key_email(new, "new@example.org");
	cr_assert_eq(gb_user_id_get(p.app.store, old, p.call.now, p.call.arena, id, &version), GB_OK);
	cr_assert_eq(gb_user_get(p.app.store, alice.id, p.call.now, p.call.arena, &there), GB_OK);
	strcpy(there.email, "new@example.org");
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_user(&commit, &there);
	gb_commit_delete(&commit, old, version);
	gb_commit_put_name(&commit, new, GB_VERSION_ABSENT, alice.id, 0);
	other_err = gb_commit_run(&commit, p.app.store, p.call.now);
}

/* The address alone, without u:: what a sign-in was found by must still lead to it. */
static void
other_name_delete(void *context, const char *key)
{
	struct gb_commit commit;
	gb_store_key name;
	uint64_t version;
	char id[GB_USER_ID_MAX + 1];

	(void)context;
	(void)key;
	gb_key_email(name, "alice@example.org");
	cr_assert_eq(gb_user_id_get(p.app.store, name, p.call.now, p.call.arena, id, &version), GB_OK);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_delete(&commit, name, version);
	other_err = gb_commit_run(&commit, p.app.store, p.call.now);
}

static void
expect_lost(void (*hook)(void *context, const char *key), size_t sessions)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, hook, NULL);
	cr_expect_eq(login_alice(PASSWORD), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(other_err, GB_OK);
	cr_expect(pair.access_token == NULL && pair.refresh_token == NULL);
	cr_expect_str_eq(p.call.event, "login_failed");
	if (gb_user_get(p.app.store, alice.id, p.call.now, p.call.arena, &alice) == GB_OK)
		cr_expect_eq(alice.sessions_len, sessions);
}

Test(sign_in, loses_against_a_change_of_password)
{
	struct gb_token_pair first;

	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	first = pair;
	cr_assert_eq(gb_token_check(&p.app, &p.call, first.access_token, &other_identity), GB_OK);
	expect_lost(other_change_password, 1);
	cr_expect_eq(login_alice(OTHER_PASSWORD), GB_OK);
}

Test(sign_in, loses_against_a_lock)
{
	expect_lost(other_lock, 0);
}

Test(sign_in, loses_against_a_deletion)
{
	expect_lost(other_delete, 0);
	cr_expect_eq(store_memory_records(p.memory), 2, "u: empty and expired, and the tombstone of n:");
}

Test(sign_in, loses_against_a_change_of_address)
{
	expect_lost(other_change_email, 0);
	cr_expect_eq(login("new@example.org", NULL, PASSWORD), GB_OK);
}

Test(sign_in, loses_against_the_end_of_its_name)
{
	expect_lost(other_name_delete, 0);
	cr_expect_eq(login(NULL, "alice", PASSWORD), GB_OK);
}

/* The same password under another hash: worked out again, and right. */
Test(sign_in, stands_a_hash_that_was_renewed_meanwhile)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_renew, NULL);
	cr_expect_eq(login_alice(PASSWORD), GB_OK);
	cr_expect_eq(other_err, GB_OK);
	/* and where both renew it */
	p.config.argon2_memory_cost = 8192;
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_login, &(struct gb_token_pair){ 0 });
	cr_expect_eq(login_alice(PASSWORD), GB_OK);
	cr_expect_eq(other_err, GB_OK);
	reread();
	cr_expect_eq(alice.sessions_len, 3);
	cr_expect_eq(gb_password_verify(&p.config, p.app.state, alice.password_hash, PASSWORD), GB_OK);
}

/* Two sign-ins at once: both have their session. */
Test(sign_in, meets_another_sign_in)
{
	struct gb_token_pair theirs;

	for (int call = STORE_MEMORY_GET; call <= STORE_MEMORY_COMMIT; call++) {
		store_memory_before(p.memory, (enum store_memory_call)call, 1, other_login, &theirs);
		cr_expect_eq(login_alice(PASSWORD), GB_OK);
		cr_expect_eq(other_err, GB_OK);
		cr_expect_eq(gb_token_check(&p.app, &p.call, theirs.access_token, &identity), GB_OK);
		cr_expect_eq(gb_token_check(&p.app, &p.call, pair.access_token, &identity), GB_OK);
	}
	reread();
	cr_expect_eq(alice.sessions_len, 4);
}

/* Eight rounds of conflict are eight commits, and still one hash. */
Test(sign_in, hashes_once_for_all_rounds)
{
	unsigned commits = store_memory_calls(p.memory, STORE_MEMORY_COMMIT);
	int64_t one, eight;

	p.config.argon2_memory_cost = 65536;
	cr_assert_eq(login_alice(PASSWORD), GB_OK);
	one = clock_us();
	cr_expect_eq(login_alice(PASSWORD), GB_OK);
	one = clock_us() - one;
	commits = store_memory_calls(p.memory, STORE_MEMORY_COMMIT);
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, STORE_MEMORY_CONFLICT);
	eight = clock_us();
	cr_expect_eq(login_alice(PASSWORD), GB_ERR_BUSY);
	eight = clock_us() - eight;
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_COMMIT) - commits, 8);
	cr_expect_lt(eight, 3 * one, "%ld of %ld us", (long)eight, (long)one);
}
