/* SPDX-License-Identifier: MIT */
/* Getting back in: each decision is one commit, each link good once, and each of these ends the others. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "link.h"
#include "password.h"
#include "policy.h"
#include "user.h"

#define NEW "plum-orbit-kettle-91"

static struct policy p;
static struct gb_user ann;

static void
setup(void)
{
	policy_open(&p);
	policy_user(&p, "42", "ann@example.org", "ann", &ann);
}

static void
teardown(void)
{
	policy_close(&p);
}

TestSuite(recover, .init = setup, .fini = teardown, .timeout = 30);

static struct gb_user
stored(const char *id)
{
	struct gb_user user;

	cr_assert_eq(gb_user_get(p.app.store, id, p.call.now, p.call.arena, &user), GB_OK);
	return user;
}

static void
store(struct gb_user *user)
{
	struct gb_commit commit;

	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_user(&commit, user);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
}

static struct gb_mailed
issue(enum gb_link_kind kind, const char *target)
{
	struct gb_mailed mailed;

	cr_assert_eq(gb_link_issue(&p.app, &p.call, "42", kind, target, &mailed), GB_OK);
	return mailed;
}

static struct gb_link_proof
by_token(const struct gb_mailed *mailed)
{
	return (struct gb_link_proof){ .token = strstr(mailed->url, "?token=") + 7 };
}

static enum gb_err
reset(const struct gb_mailed *mailed, const char *password)
{
	struct gb_link_proof proof = by_token(mailed);

	return gb_reset_password(&p.app, &p.call, &proof, password);
}

static enum gb_err
verify(const struct gb_mailed *mailed, const char *password)
{
	struct gb_link_proof proof = by_token(mailed);

	return gb_verify_email(&p.app, &p.call, &proof, password);
}

static bool
password_is(const char *id, const char *password)
{
	struct gb_user user = stored(id);

	return gb_password_verify(&p.config, p.app.state, user.password_hash, password) == GB_OK;
}

/* A new target of ann's, as change-email begins it without a password. */
static void
intend(const char *target)
{
	ann = stored("42");
	gb_link_intend(&ann, target, p.call.now);
	store(&ann);
}

Test(recover, sets_a_new_password_and_spends_the_link)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET, NULL);

	p.call.now += 5;
	cr_assert_eq(reset(&mailed, NEW), GB_OK);
	cr_expect(password_is("42", NEW));
	cr_expect(!password_is("42", NEW "x"));
	cr_expect_eq(stored("42").password_changed_at, POLICY_NOW + 5);
	cr_expect_eq(reset(&mailed, NEW), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_PASSWORD), 1);
}

Test(recover, takes_a_typed_code_in_place_of_the_link_once)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET, NULL);
	struct gb_link_proof proof = { .email = "ann@example.org", .code = mailed.code };

	cr_assert_eq(gb_reset_password(&p.app, &p.call, &proof, NEW), GB_OK);
	cr_expect(password_is("42", NEW));
	cr_expect_eq(gb_reset_password(&p.app, &p.call, &proof, NEW), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(reset(&mailed, NEW), GB_ERR_RESET_TOKEN_INVALID);
}

Test(recover, ends_every_session_at_reset)
{
	struct gb_token_pair first, second;
	struct gb_session session;
	struct gb_mailed mailed;

	policy_session(&p, "42", false, &first);
	policy_session(&p, "42", true, &second);
	mailed = issue(GB_LINK_RESET, NULL);
	cr_expect(policy_session_of(&p, &first, &session));
	cr_assert_eq(reset(&mailed, NEW), GB_OK);
	cr_expect(!policy_session_of(&p, &first, &session));
	cr_expect(!policy_session_of(&p, &second, &session));
	cr_expect_eq(stored("42").sessions_len, 0);
}

Test(recover, judges_the_link_before_the_strength_and_keeps_it_for_a_better_password)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET, NULL), bad = mailed;
	char text[GB_PASSWORD_MAX + 2];

	bad.url = "http://127.0.0.1:8080/reset-password?token=a.b.c";
	cr_expect_eq(reset(&bad, "short"), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(reset(&mailed, "short"), GB_ERR_WEAK_PASSWORD);
	cr_expect(p.call.weak_reasons & GB_WEAK_TOO_SHORT);
	cr_expect_eq(reset(&mailed, "ann@example.org"), GB_ERR_WEAK_PASSWORD);
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	cr_expect_eq(reset(&mailed, text), GB_ERR_PASSWORD_TOO_LONG);
	cr_expect_eq(reset(&mailed, NEW), GB_OK);
}

static void
reset_meanwhile(void *context, const char *key)
{
	(void)key;
	cr_expect_eq(reset(context, "another-kettle-orbit-17"), GB_OK);
}

/* Two people with one link: the later of two that both found it good is refused. */
Test(recover, lets_one_of_two_parallel_resets_win)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET, NULL);

	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, reset_meanwhile, &mailed);
	cr_expect_eq(reset(&mailed, NEW), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect(password_is("42", "another-kettle-orbit-17"));
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_PASSWORD), 1);
}

static void
sign_in_meanwhile(void *context, const char *key)
{
	(void)key;
	policy_session(&p, "42", false, context);
}

/* A sign-in with the old password, begun before and finished within the reset. */
Test(recover, ends_a_session_that_began_meanwhile)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET, NULL);
	struct gb_token_pair pair;
	struct gb_session session;

	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, sign_in_meanwhile, &pair);
	cr_expect_eq(reset(&mailed, NEW), GB_OK);
	cr_expect(!policy_session_of(&p, &pair, &session));
}

Test(recover, changes_nothing_when_the_store_fails)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET, NULL);

	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(reset(&mailed, NEW), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_PASSWORD), 0);
	cr_expect_str_eq(stored("42").password_hash, "");
	cr_expect_eq(reset(&mailed, NEW), GB_OK);
}

Test(recover, clears_every_other_link_and_change_at_reset_and_verification)
{
	struct gb_mailed first = issue(GB_LINK_RESET, NULL), second = issue(GB_LINK_RESET, NULL),
	    checked = issue(GB_LINK_VERIFY_EMAIL, NULL), changed, late;

	intend("new@example.org");
	changed = issue(GB_LINK_CHANGE_EMAIL, "new@example.org");
	cr_assert_eq(reset(&first, NEW), GB_OK);
	cr_expect_eq(reset(&second, NEW), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(verify(&checked, NULL), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(gb_change_email_finish(&p.app, &p.call, by_token(&changed).token), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(gb_link_issue(&p.app, &p.call, "42", GB_LINK_CHANGE_EMAIL, "new@example.org", &late), GB_ERR_NOT_FOUND,
	    "nor does a mail that still waits bring it back");

	intend("new@example.org");
	changed = issue(GB_LINK_CHANGE_EMAIL, "new@example.org");
	second = issue(GB_LINK_RESET, NULL);
	checked = issue(GB_LINK_VERIFY_EMAIL, NULL);
	cr_assert_eq(verify(&checked, NULL), GB_OK);
	cr_expect_eq(reset(&second, NEW), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(gb_change_email_finish(&p.app, &p.call, by_token(&changed).token), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(verify(&checked, NULL), GB_ERR_RESET_TOKEN_INVALID);
}

Test(recover, verifies_an_address_by_link_or_code)
{
	struct gb_link_proof proof = { .email = "ann@example.org" };
	struct gb_mailed mailed;

	ann = stored("42");
	ann.email_verified = false;
	store(&ann);
	mailed = issue(GB_LINK_VERIFY_EMAIL, NULL);
	cr_expect_eq(reset(&mailed, NEW), GB_ERR_RESET_TOKEN_INVALID, "not a link to reset");
	cr_expect(!stored("42").email_verified);
	cr_expect_eq(verify(&mailed, NULL), GB_OK);
	cr_expect(stored("42").email_verified);

	ann = stored("42");
	ann.email_verified = false;
	store(&ann);
	mailed = issue(GB_LINK_VERIFY_EMAIL, NULL);
	proof.code = "AAAAAAAA";
	cr_expect_eq(gb_verify_email(&p.app, &p.call, &proof, NULL), GB_ERR_RESET_TOKEN_INVALID);
	proof.code = mailed.code;
	cr_expect_eq(gb_verify_email(&p.app, &p.call, &proof, NULL), GB_OK);
	cr_expect(stored("42").email_verified);
}

/* A registration that waits, as register writes it. */
static void
pending(const char *id, const char *email, const char *username)
{
	struct gb_pending waiting = { .created_at = POLICY_NOW, .expires_at = POLICY_NOW + 86400, .language = "es" };
	struct gb_commit commit;

	snprintf(waiting.id, sizeof waiting.id, "%s", id);
	snprintf(waiting.email, sizeof waiting.email, "%s", email);
	snprintf(waiting.username, sizeof waiting.username, "%s", username);
	cr_assert_eq(gb_password_hash(&p.config, p.app.state, NEW, waiting.password_hash, sizeof waiting.password_hash), GB_OK);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_pending(&commit, &waiting);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
}

#define WAITING "AAAAAAAAAAAAAAAAAAAAAA"

static struct gb_mailed
issue_pending(void)
{
	struct gb_mailed mailed;

	cr_assert_eq(gb_link_issue_pending(&p.app, &p.call, WAITING, &mailed), GB_OK);
	return mailed;
}

Test(recover, activates_a_registration_only_with_its_password)
{
	struct gb_mailed mailed;
	struct gb_user bob;

	pending(WAITING, "bob@example.org", "bob");
	mailed = issue_pending();
	cr_expect_null(mailed.code);
	cr_expect_eq(verify(&mailed, NULL), GB_ERR_MISSING_FIELD);
	cr_expect_eq(verify(&mailed, "wrong-kettle"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(gb_user_find_email(&p.app, &p.call, "bob@example.org", &bob), GB_ERR_NOT_FOUND);
	cr_assert_eq(verify(&mailed, NEW), GB_OK);
	cr_assert_eq(gb_user_find_email(&p.app, &p.call, "bob@example.org", &bob), GB_OK);
	cr_expect(bob.email_verified);
	cr_expect_str_eq(bob.username, "bob");
	cr_expect_str_eq(bob.language, "es");
	cr_expect(password_is(bob.id, NEW));
	cr_expect_eq(gb_user_find_username(&p.app, &p.call, "bob", &bob), GB_OK);
	cr_expect_eq(verify(&mailed, NEW), GB_ERR_RESET_TOKEN_INVALID, "once");
}

Test(recover, keeps_only_the_last_link_of_a_registration_and_that_for_its_time)
{
	struct gb_mailed first, second;

	pending(WAITING, "bob@example.org", "");
	first = issue_pending();
	second = issue_pending();
	cr_expect_eq(verify(&first, NEW), GB_ERR_RESET_TOKEN_INVALID);
	p.call.now += 1800;
	cr_expect_eq(verify(&second, NEW), GB_ERR_RESET_TOKEN_INVALID);
	p.call.now -= 1;
	cr_expect_eq(verify(&second, NEW), GB_OK);
}

/* A mail that went out late is good for as long as every other. */
Test(recover, keeps_a_registration_for_the_life_of_a_late_link)
{
	struct gb_mailed mailed;

	pending(WAITING, "bob@example.org", "");
	p.call.now += 86400 - 1;
	mailed = issue_pending();
	p.call.now += 1799;
	cr_expect_eq(verify(&mailed, NEW), GB_OK);
}

Test(recover, gives_no_name_away_twice_at_activation)
{
	struct gb_mailed mailed;
	struct gb_user other;

	pending(WAITING, "bob@example.org", "bob");
	mailed = issue_pending();
	policy_user(&p, "43", "bob2@example.org", "bob", &other);
	cr_expect_eq(verify(&mailed, NEW), GB_ERR_ACCOUNT_EXISTS, "the user name is taken");
	pending("BBBBBBBBBBBBBBBBBBBBBA", "bob2@example.org", "");
	cr_assert_eq(gb_link_issue_pending(&p.app, &p.call, "BBBBBBBBBBBBBBBBBBBBBA", &mailed), GB_OK);
	cr_expect_eq(verify(&mailed, NEW), GB_ERR_ACCOUNT_EXISTS, "the address is taken");
	cr_expect_str_eq(stored("43").email, "bob2@example.org");
}

Test(recover, bounds_the_tries_at_a_registrations_password)
{
	struct gb_mailed mailed;

	policy_limits(&p);
	pending(WAITING, "bob@example.org", "");
	mailed = issue_pending();
	for (int i = 0; i < 5; i++)
		cr_expect_eq(verify(&mailed, "wrong-kettle"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(verify(&mailed, NEW), GB_ERR_RATE_LIMITED);
}

static void
signed_in(struct gb_identity *identity, struct gb_token_pair *pair, const char *password)
{
	ann = stored("42");
	cr_assert_eq(gb_password_hash(&p.config, p.app.state, password, ann.password_hash, sizeof ann.password_hash), GB_OK);
	store(&ann);
	policy_session(&p, "42", false, pair);
	cr_assert_eq(gb_token_check(&p.app, &p.call, pair->access_token, identity), GB_OK);
}

static enum gb_err
begin(const struct gb_identity *identity, const char *password, const char *target)
{
	return gb_change_email_begin(&p.app, &p.call, identity, password, target);
}

Test(recover, changes_the_address_after_password_and_link)
{
	struct gb_identity identity;
	struct gb_token_pair pair;
	struct gb_session session;
	struct gb_mailed mailed;
	struct gb_user found;

	signed_in(&identity, &pair, NEW);
	cr_expect_eq(begin(&identity, "wrong-kettle", "new@example.org"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(begin(&identity, NEW, "new"), GB_ERR_INVALID_EMAIL);
	cr_expect_eq(begin(&identity, NEW, "ANN@example.org"), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_eq(policy_mails(&p, GB_MAIL_CHANGE_EMAIL), 0);
	cr_assert_eq(begin(&identity, NEW, "New@example.org"), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_CHANGE_EMAIL), 1);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_EMAIL), 1);
	cr_expect_str_eq(stored("42").email, "ann@example.org", "until the link is opened");

	mailed = issue(GB_LINK_CHANGE_EMAIL, "new@example.org");
	cr_assert_eq(gb_change_email_finish(&p.app, &p.call, by_token(&mailed).token), GB_OK);
	cr_assert_eq(gb_user_find_email(&p.app, &p.call, "new@example.org", &found), GB_OK);
	cr_expect_str_eq(found.id, "42");
	cr_expect(found.email_verified);
	cr_expect_eq(gb_user_find_email(&p.app, &p.call, "ann@example.org", &found), GB_ERR_NOT_FOUND);
	cr_expect(policy_session_of(&p, &pair, &session), "sessions stay");
	cr_expect_eq(gb_change_email_finish(&p.app, &p.call, by_token(&mailed).token), GB_ERR_RESET_TOKEN_INVALID);
}

/* The same answer as for a free one: whose address it is, is nobody's business. */
Test(recover, begins_a_change_to_a_taken_address_and_does_not_finish_it)
{
	struct gb_identity identity;
	struct gb_token_pair pair;
	struct gb_mailed mailed;
	struct gb_user bob;

	policy_user(&p, "43", "bob@example.org", NULL, &bob);
	signed_in(&identity, &pair, NEW);
	cr_expect_eq(begin(&identity, NEW, "bob@example.org"), GB_OK);
	mailed = issue(GB_LINK_CHANGE_EMAIL, "bob@example.org");
	cr_expect_eq(gb_change_email_finish(&p.app, &p.call, by_token(&mailed).token), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_str_eq(stored("42").email, "ann@example.org");
	cr_expect_eq(gb_user_find_email(&p.app, &p.call, "bob@example.org", &bob), GB_OK);
	cr_expect_str_eq(bob.id, "43");
}

/* As a reused refresh token ends it: u: does not move. */
static void
session_ends_meanwhile(void *context, const char *key)
{
	const struct gb_identity *identity = context;
	struct gb_session session;
	struct gb_commit commit;
	gb_store_key name;

	(void)key;
	cr_assert_eq(gb_session_get(p.app.store, identity->session.id, p.call.now, p.call.arena, &session), GB_OK);
	gb_key_session(name, session.id);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_delete(&commit, name, session.version);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
}

static void
reset_password_meanwhile(void *context, const char *key)
{
	(void)context;
	(void)key;
	ann = stored("42");
	snprintf(ann.password_hash, sizeof ann.password_hash, "other");
	store(&ann);
}

Test(recover, begins_no_change_for_a_session_or_password_that_ended_meanwhile)
{
	struct gb_identity identity;
	struct gb_token_pair pair;

	signed_in(&identity, &pair, NEW);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, reset_password_meanwhile, NULL);
	cr_expect_eq(begin(&identity, NEW, "new@example.org"), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(stored("42").links_len, 0);
	signed_in(&identity, &pair, NEW);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, session_ends_meanwhile, &identity);
	cr_expect_eq(begin(&identity, NEW, "new@example.org"), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(stored("42").links_len, 0);
	cr_expect_eq(policy_mails(&p, GB_MAIL_CHANGE_EMAIL), 0);
}

static void
take_address_meanwhile(void *context, const char *key)
{
	struct gb_user bob;

	(void)context;
	(void)key;
	policy_user(&p, "43", "new@example.org", NULL, &bob);
}

Test(recover, loses_the_race_for_an_address_cleanly)
{
	struct gb_mailed mailed;

	intend("new@example.org");
	mailed = issue(GB_LINK_CHANGE_EMAIL, "new@example.org");
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, take_address_meanwhile, NULL);
	cr_expect_eq(gb_change_email_finish(&p.app, &p.call, by_token(&mailed).token), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_str_eq(stored("42").email, "ann@example.org");
}

/* Nothing is looked up before the answer: known, unknown and locked addresses are one case. */
Test(recover, asks_for_a_mail_without_a_look_at_the_store)
{
	unsigned gets = store_memory_calls(p.memory, STORE_MEMORY_GET), commits = store_memory_calls(p.memory, STORE_MEMORY_COMMIT);

	cr_expect_eq(gb_forgot_password(&p.app, &p.call, "Ann@example.org"), GB_OK);
	cr_expect_eq(gb_forgot_password(&p.app, &p.call, "nobody@example.org"), GB_OK);
	cr_expect_eq(gb_verify_email_again(&p.app, &p.call, "ann@example.org"), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_RESET), 2);
	cr_expect_eq(policy_mails(&p, GB_MAIL_VERIFY), 1);
	cr_expect_eq(gb_forgot_password(&p.app, &p.call, "ann@example.org\nBcc: eve@example.org"), GB_ERR_INVALID_EMAIL);
	cr_expect_eq(policy_mails(&p, GB_MAIL_RESET), 2);
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_GET), gets);
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_COMMIT), commits);
}

Test(recover, asks_ten_times_an_hour_from_one_address)
{
	policy_limits(&p);
	for (int i = 0; i < 10; i++)
		cr_expect_eq(gb_forgot_password(&p.app, &p.call, "ann@example.org"), GB_OK);
	cr_expect_eq(gb_forgot_password(&p.app, &p.call, "bob@example.org"), GB_ERR_RATE_LIMITED);
	p.call.address = "198.51.100.1";
	cr_expect_eq(gb_forgot_password(&p.app, &p.call, "bob@example.org"), GB_OK);
	p.call.address = "192.0.2.7";
	p.call.now += 3600;
	cr_expect_eq(gb_forgot_password(&p.app, &p.call, "bob@example.org"), GB_OK);
}
