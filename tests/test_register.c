/* SPDX-License-Identifier: MIT */
/* New accounts: in the contract's order, each name once. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "limit.h"
#include "password.h"
#include "policy.h"
#include "user.h"

#define PASSWORD "blue-otter-42"

static struct policy p;
static struct gb_user user;
static struct gb_token_pair pair;
static struct gb_identity identity;

static void
setup(void)
{
	policy_open(&p);
}

static void
teardown(void)
{
	policy_close(&p);
}

TestSuite(register, .init = setup, .fini = teardown, .timeout = 60);

static enum gb_err
sign_up(const char *email, const char *username, const char *password)
{
	struct gb_registration_form form = { .email = email, .username = username, .password = password };

	p.call.event = NULL;
	p.call.weak_reasons = 0;
	return gb_user_register(&p.app, &p.call, &form, &user, &pair);
}

Test(register, makes_an_account_and_its_first_session)
{
	struct gb_user found;

	p.call.language = "de-AT,de;q=0.9,en;q=0.5";
	cr_assert_eq(sign_up("Alice@Example.org", "Alice", PASSWORD), GB_OK);
	cr_expect_str_eq(p.call.event, "register");
	cr_expect(gb_user_id_ok(user.id));
	cr_expect_str_eq(user.email, "alice@example.org");
	cr_expect_not(user.email_verified);
	cr_expect_str_eq(user.username, "alice");
	cr_expect_eq(user.created_at, POLICY_NOW);
	cr_expect_eq(gb_token_check(&p.app, &p.call, pair.access_token, &identity), GB_OK);
	cr_expect_str_eq(identity.user.id, user.id);
	cr_expect_str_eq(identity.user.language, "de");
	cr_expect_eq(gb_user_find_email(&p.app, &p.call, "alice@example.org", &found), GB_OK);
	cr_expect_eq(gb_user_find_username(&p.app, &p.call, "alice", &found), GB_OK);
	cr_expect_eq(gb_password_verify(&p.config, p.app.state, found.password_hash, PASSWORD), GB_OK);
	cr_expect_eq(store_memory_records(p.memory), 4, "u:, e:, n:, s:");
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_COMMIT), 1);
	cr_expect_eq(policy_mails(&p, GB_MAIL_VERIFY), 1);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_DEVICE), 0);
	cr_expect_null(pair.gate);
	cr_expect_eq(sign_up("bob@example.org", NULL, PASSWORD), GB_OK);
	cr_expect_str_empty(user.username);
}

Test(register, makes_a_gate_cookie_in_cookie_mode)
{
	struct gb_registration_form form = { .email = "a@b.co", .password = PASSWORD, .gate = true };

	cr_assert_eq(gb_user_register(&p.app, &p.call, &form, &user, &pair), GB_OK);
	cr_expect_eq(gb_token_check_gate(&p.app, &p.call, pair.gate, &identity), GB_OK);
}

Test(register, refuses_in_the_order_of_the_contract)
{
	char too_long[GB_PASSWORD_MAX + 2];

	memset(too_long, 'x', GB_PASSWORD_MAX + 1);
	too_long[GB_PASSWORD_MAX + 1] = '\0';
	policy_limits(&p);
	p.config.registration = GB_REGISTRATION_CLOSED;
	cr_expect_eq(sign_up("x", "x", too_long), GB_ERR_REGISTRATION_CLOSED);
	p.config.registration = GB_REGISTRATION_OPEN;
	cr_expect_eq(sign_up("x", "x", too_long), GB_ERR_INVALID_EMAIL);
	cr_expect_eq(sign_up("a@b.co", "x", too_long), GB_ERR_INVALID_USERNAME);
	cr_expect_eq(sign_up("a@b.co", "root", too_long), GB_ERR_INVALID_USERNAME);
	cr_expect_eq(sign_up("a@b.co", "alice", too_long), GB_ERR_PASSWORD_TOO_LONG);
	for (int i = 0; i < 9; i++)
		cr_expect_eq(sign_up("a@b.co", "alice", "password"), GB_ERR_WEAK_PASSWORD);
	cr_expect_eq(p.call.weak_reasons, GB_WEAK_COMMON);
	cr_expect_eq(sign_up("a@b.co", "alice", PASSWORD), GB_OK, "the tenth of this hour");
	cr_expect_eq(sign_up("a@b.co", "alice", "password"), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 3600);
	cr_expect_eq(sign_up("x", "alice", "password"), GB_ERR_INVALID_EMAIL);
	p.call.now += 3600;
	cr_expect_eq(sign_up("a@b.co", "alice", "password"), GB_ERR_WEAK_PASSWORD);
	cr_expect_eq(sign_up("a@b.co", "alice", PASSWORD), GB_ERR_ACCOUNT_EXISTS);
}

Test(register, refuses_personal_passwords)
{
	cr_expect_eq(sign_up("zaphod.beeblebrox@heartofgold.example", "trillian", "Zaphod.Beeblebrox"), GB_ERR_WEAK_PASSWORD);
	cr_expect_eq(p.call.weak_reasons, GB_WEAK_PERSONAL);
	cr_expect_eq(sign_up("zaphod.beeblebrox@heartofgold.example", "trillian", "heartofgold"), GB_ERR_WEAK_PASSWORD);
	cr_expect(p.call.weak_reasons & GB_WEAK_PERSONAL);
	cr_expect_eq(sign_up("zaphod.beeblebrox@heartofgold.example", "trillian", "trillian9"), GB_ERR_WEAK_PASSWORD);
	cr_expect(p.call.weak_reasons & GB_WEAK_PERSONAL);
	cr_expect_eq(sign_up("zaphod.beeblebrox@heartofgold.example", "trillian", "gu@rdb33!"), GB_ERR_WEAK_PASSWORD, "the site's name");
	cr_expect_eq(store_memory_records(p.memory), 0);
	cr_expect_eq(sign_up("zaphod.beeblebrox@heartofgold.example", "trillian", PASSWORD), GB_OK);
}

Test(register, gives_each_name_once)
{
	char first[GB_USER_ID_MAX + 1];

	cr_assert_eq(sign_up("alice@example.org", "alice", PASSWORD), GB_OK);
	strcpy(first, user.id);
	cr_expect_eq(sign_up("ALICE@example.org", NULL, PASSWORD), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_eq(sign_up("alice@example.org", "alice2", PASSWORD), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_eq(sign_up("eve@example.org", "Alice", PASSWORD), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_null(pair.access_token);
	cr_expect_eq(store_memory_records(p.memory), 4);
	cr_expect_eq(policy_mails(&p, GB_MAIL_VERIFY), 1);
	cr_expect_eq(sign_up("eve@example.org", "eve", PASSWORD), GB_OK);
	cr_expect_str_neq(user.id, first);
}

/* Two at once for one name: one gets it, and nothing of the other stays. */
static const char *other_email, *other_username;
static enum gb_err other_err;

static void
other_sign_up(void *context, const char *key)
{
	struct gb_registration_form form = { .email = other_email, .username = other_username, .password = PASSWORD };
	struct gb_token_pair other_pair;

	(void)key;
	other_err = gb_user_register(&p.app, &p.call, &form, context, &other_pair);
}

Test(register, gives_a_name_to_one_of_two)
{
	static const struct { const char *email, *username; enum gb_err err; size_t records; } all[] = {
		{ "alice@example.org", NULL, GB_ERR_ACCOUNT_EXISTS, 3 },
		{ "eve@example.org", "alice", GB_ERR_ACCOUNT_EXISTS, 4 },
		{ "eve@example.org", "eve", GB_OK, 8 },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		for (int call = STORE_MEMORY_GET; call <= STORE_MEMORY_COMMIT; call++) {
			struct gb_user winner;

			policy_close(&p);
			policy_open(&p);
			other_email = all[i].email;
			other_username = all[i].username;
			store_memory_before(p.memory, (enum store_memory_call)call, 1, other_sign_up, &winner);
			cr_expect_eq(sign_up("alice@example.org", "alice", PASSWORD), all[i].err, "row %zu", i);
			cr_expect_eq(other_err, GB_OK);
			cr_expect_eq(store_memory_records(p.memory), all[i].records, "row %zu", i);
			cr_expect_eq(gb_user_get(p.app.store, winner.id, p.call.now, p.call.arena, &winner), GB_OK);
		}
}

Test(register, makes_nothing_when_the_store_fails)
{
	static const enum store_memory_fault faults[] = { STORE_MEMORY_UNAVAILABLE, STORE_MEMORY_NO_MEMORY };

	for (size_t i = 0; i < 2; i++) {
		for (unsigned nth = 1; nth <= 2; nth++) {
			store_memory_fail(p.memory, STORE_MEMORY_GET, nth, faults[i]);
			cr_expect_eq(gb_error_row(sign_up("alice@example.org", "alice", PASSWORD))->status, 503);
		}
		store_memory_fail(p.memory, STORE_MEMORY_GET, 1, STORE_MEMORY_NO_FAULT);
		store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, faults[i]);
		cr_expect_eq(gb_error_row(sign_up("alice@example.org", "alice", PASSWORD))->status, 503);
		cr_expect_null(pair.access_token);
	}
	cr_expect_eq(store_memory_records(p.memory), 0);
	cr_expect_eq(policy_mails(&p, GB_MAIL_VERIFY), 0);
	cr_expect_eq(sign_up("alice@example.org", "alice", PASSWORD), GB_OK);
}

static void
spool_close(bool closed)
{
	int at = gb_state_fd(p.app.state);

	cr_assert_eq(renameat(at, closed ? "spool" : "spool-away", at, closed ? "spool-away" : "spool"), 0);
}

/* The account stands then; to say 503 would only bring "account exists" at the next try. */
Test(register, stands_without_its_mail)
{
	spool_close(true);
	cr_expect_eq(sign_up("alice@example.org", "alice", PASSWORD), GB_OK);
	cr_expect_str_eq(p.call.event, "register_unmailed");
	cr_expect_eq(gb_token_check(&p.app, &p.call, pair.access_token, &identity), GB_OK);
}

/* REGISTRATION=verify */

static struct gb_spool_entry
pending_entry(void)
{
	gb_spool_name names[8];
	struct gb_spool_entry entry = { 0 };
	size_t len;

	cr_assert_eq(gb_spool_names(p.app.state, INT64_MAX, names, 8, &len), GB_OK);
	cr_assert_eq(len, 1);
	cr_assert_eq(gb_spool_read(p.app.state, names[0], p.call.arena, &entry), GB_OK);
	gb_spool_drop(p.app.state, names[0]);
	return entry;
}

Test(register, waits_for_the_link_where_it_must)
{
	struct gb_spool_entry entry;
	struct gb_pending pending;

	p.config.registration = GB_REGISTRATION_VERIFY;
	cr_assert_eq(sign_up("Alice@Example.org", "Alice", PASSWORD), GB_OK);
	cr_expect_str_eq(p.call.event, "register_pending");
	cr_expect(pair.access_token == NULL && pair.refresh_token == NULL);
	cr_expect_str_empty(user.id);
	cr_expect_eq(store_memory_records(p.memory), 1, "p: alone");
	entry = pending_entry();
	cr_expect_eq(entry.kind, GB_MAIL_PENDING);
	cr_expect_str_eq(entry.email, "alice@example.org");
	cr_assert_eq(gb_pending_get(p.app.store, entry.pending_id, p.call.now, p.call.arena, &pending), GB_OK);
	cr_expect_str_eq(pending.email, "alice@example.org");
	cr_expect_str_eq(pending.username, "alice");
	cr_expect_eq(pending.created_at, POLICY_NOW);
	cr_expect_eq(gb_password_verify(&p.config, p.app.state, pending.password_hash, PASSWORD), GB_OK);
	cr_expect(sodium_is_zero(pending.id_hash, sizeof pending.id_hash));
	cr_expect_eq(gb_pending_get(p.app.store, entry.pending_id, p.call.now + GB_SPOOL_KEEP_S, p.call.arena, &pending), GB_OK);
	cr_expect_eq(gb_pending_get(p.app.store, entry.pending_id, p.call.now + 2 * GB_SPOOL_KEEP_S, p.call.arena, &pending), GB_ERR_NOT_FOUND);
}

/* The same calls, records and spool entry for a taken address: nothing to tell them apart by. */
Test(register, does_not_tell_whether_an_address_is_taken)
{
	unsigned calls[2][2];

	cr_assert_eq(gb_user_add(&p.app, &p.call, "alice@example.org", "alice", PASSWORD, &user), GB_OK);
	p.config.registration = GB_REGISTRATION_VERIFY;
	for (int taken = 0; taken < 2; taken++) {
		unsigned gets = store_memory_calls(p.memory, STORE_MEMORY_GET), commits = store_memory_calls(p.memory, STORE_MEMORY_COMMIT);
		size_t records = store_memory_records(p.memory);
		struct gb_spool_entry entry;

		cr_expect_eq(sign_up(taken ? "alice@example.org" : "blice@example.org", "newname", PASSWORD), GB_OK);
		calls[taken][0] = store_memory_calls(p.memory, STORE_MEMORY_GET) - gets;
		calls[taken][1] = store_memory_calls(p.memory, STORE_MEMORY_COMMIT) - commits;
		cr_expect_eq(store_memory_records(p.memory) - records, 1);
		entry = pending_entry();
		cr_expect_eq(entry.kind, GB_MAIL_PENDING);
	}
	cr_expect_arr_eq(calls[0], calls[1], sizeof calls[0]);
	/* a user name is no secret: 409 at once */
	cr_expect_eq(sign_up("carol@example.org", "alice", PASSWORD), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_eq(policy_mails(&p, GB_MAIL_PENDING), 0);
}

Test(register, does_not_wait_for_a_mail_that_cannot_be_sent)
{
	p.config.registration = GB_REGISTRATION_VERIFY;
	spool_close(true);
	cr_expect_eq(sign_up("alice@example.org", NULL, PASSWORD), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_null(p.call.event);
	spool_close(false);
	cr_expect_eq(sign_up("alice@example.org", NULL, PASSWORD), GB_OK);
}

/* The operator's side */

Test(register, adds_a_verified_account)
{
	struct gb_user again;

	cr_assert_eq(gb_user_add(&p.app, &p.call, "Alice@Example.org", "admin", PASSWORD, &user), GB_OK);
	cr_expect_str_eq(p.call.event, "account_added");
	cr_expect(user.email_verified);
	cr_expect_str_eq(user.username, "admin", "a reserved name is the operator's to give");
	cr_expect_eq(store_memory_records(p.memory), 3);
	cr_expect_eq(gb_user_add(&p.app, &p.call, "alice@example.org", NULL, PASSWORD, &again), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_eq(gb_user_add(&p.app, &p.call, "x", NULL, PASSWORD, &again), GB_ERR_INVALID_EMAIL);
	cr_expect_eq(gb_user_add(&p.app, &p.call, "b@b.co", "x", PASSWORD, &again), GB_ERR_INVALID_USERNAME);
	cr_expect_eq(gb_user_add(&p.app, &p.call, "b@b.co", NULL, "password", &again), GB_ERR_WEAK_PASSWORD);
	cr_expect_eq(store_memory_records(p.memory), 3);
	cr_expect_eq(policy_mails(&p, GB_MAIL_VERIFY), 0);
}

/* Random, of 53 bits: half of many have the highest bit, and no two are equal. */
Test(register, draws_user_ids_at_random)
{
	unsigned high = 0;
	char email[32], last[GB_USER_ID_MAX + 1] = "";

	p.config.password_min_score = 0;
	for (int i = 0; i < 40; i++) {
		snprintf(email, sizeof email, "a%d@b.co", i);
		cr_assert_eq(gb_user_add(&p.app, &p.call, email, NULL, PASSWORD, &user), GB_OK);
		cr_expect(gb_user_id_ok(user.id));
		cr_expect_str_neq(user.id, last);
		high += strtoull(user.id, NULL, 10) >> 52;
		strcpy(last, user.id);
		gb_arena_reset(p.call.arena);
	}
	cr_expect(high >= 4 && high <= 36, "%u of 40", high);	/* outside: once in 10^8 runs */
}
