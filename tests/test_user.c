/* SPDX-License-Identifier: MIT */
/* Accounts: what is found and changed; signing up and in: test_register.c, test_sign_in.c. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "limit.h"
#include "password.h"
#include "policy.h"
#include "user.h"

#define OLD_PASSWORD "blue-otter-42"
#define NEW_PASSWORD "Violet7Tram-x"
#define OTHER_PASSWORD "another-otter-43"

static struct policy p;
static struct gb_user alice;
static struct gb_token_pair own, other;
static struct gb_identity me, identity;
static struct gb_session session;

static void
identify(const struct gb_token_pair *pair)
{
	cr_assert_eq(gb_token_check(&p.app, &p.call, pair->access_token, &me), GB_OK);
}

static void
setup(void)
{
	policy_open(&p);
	cr_assert_eq(gb_user_add(&p.app, &p.call, "alice@example.org", "alice", OLD_PASSWORD, &alice), GB_OK);
	policy_session(&p, alice.id, false, &other);
	policy_session(&p, alice.id, false, &own);
	identify(&own);
}

static void
teardown(void)
{
	policy_close(&p);
}

TestSuite(user, .init = setup, .fini = teardown, .timeout = 60);

static void
reread(void)
{
	cr_assert_eq(gb_user_get(p.app.store, me.user.id, p.call.now, p.call.arena, &alice), GB_OK);
}

static bool
alive(const struct gb_token_pair *pair)
{
	return gb_token_check(&p.app, &p.call, pair->access_token, &identity) == GB_OK;
}

static enum gb_err
fits(const char *password)
{
	reread();
	return gb_password_verify(&p.config, p.app.state, alice.password_hash, password);
}

static enum gb_err
change(const char *current, const char *new)
{
	p.call.event = NULL;
	p.call.weak_reasons = 0;
	return gb_user_change_password(&p.app, &p.call, &me, current, new);
}

static void
link_add(void)
{
	struct gb_commit commit;

	reread();
	alice.links_len = 2;
	alice.links[0] = (struct gb_link){ .kind = GB_LINK_RESET, .created_at = POLICY_NOW, .expires_at = POLICY_NOW + 60 };
	alice.links[1] = (struct gb_link){ .kind = GB_LINK_CHANGE_EMAIL, .created_at = POLICY_NOW, .expires_at = POLICY_NOW + 60 };
	strcpy(alice.links[1].target, "new@example.org");
	for (size_t i = 0; i < GB_CODE_KINDS; i++)
		alice.codes[i].expires_at = POLICY_NOW + 60;
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_user(&commit, &alice);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
}

static void
expect_no_links(void)
{
	reread();
	cr_expect(alice.links_len == 0 && alice.codes[GB_LINK_RESET].expires_at == 0 &&
	    alice.codes[GB_LINK_VERIFY_EMAIL].expires_at == 0);
}

Test(user, is_found_by_its_names)
{
	struct gb_user found;

	cr_expect_eq(gb_user_find_email(&p.app, &p.call, "alice@example.org", &found), GB_OK);
	cr_expect_str_eq(found.id, alice.id);
	cr_expect_eq(gb_user_find_username(&p.app, &p.call, "alice", &found), GB_OK);
	cr_expect_str_eq(found.id, alice.id);
	cr_expect_eq(gb_user_find_email(&p.app, &p.call, "alice", &found), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_user_find_username(&p.app, &p.call, "bob", &found), GB_ERR_NOT_FOUND);
	cr_expect_str_empty(found.id);
	store_memory_fail(p.memory, STORE_MEMORY_GET, 2, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(gb_user_find_email(&p.app, &p.call, "alice@example.org", &found), GB_ERR_STORE_UNAVAILABLE);
}

Test(user, is_shown_by_its_best_name)
{
	struct gb_user user = { .id = "42", .email = "a@b.co", .username = "alice", .email_verified = true };

	cr_expect_str_eq(gb_user_display_name(&user), "alice");
	user.username[0] = '\0';
	cr_expect_str_eq(gb_user_display_name(&user), "a@b.co");
	user.email_verified = false;
	cr_expect_str_eq(gb_user_display_name(&user), "42");
}

Test(user, proves_its_password)
{
	p.call.event = NULL;
	cr_expect_eq(gb_user_prove(&p.app, &p.call, &me, OLD_PASSWORD), GB_OK);
	cr_expect_null(p.call.event);
	cr_expect_eq(gb_user_prove(&p.app, &p.call, &me, "wrong"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_str_eq(p.call.event, "password_wrong");
}

Test(user, proves_within_the_limit)
{
	policy_limits(&p);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(gb_user_prove(&p.app, &p.call, &me, "wrong"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(gb_user_prove(&p.app, &p.call, &me, OLD_PASSWORD), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 1);
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_ERR_RATE_LIMITED);
	p.call.now++;
	cr_expect_eq(gb_user_prove(&p.app, &p.call, &me, OLD_PASSWORD), GB_OK);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(gb_user_prove(&p.app, &p.call, &me, "wrong"), GB_ERR_INVALID_CREDENTIALS, "counted anew");
}

Test(user, changes_its_password)
{
	link_add();
	p.call.now++;
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_OK);
	cr_expect_str_eq(p.call.event, "password_changed");
	cr_expect_eq(fits(NEW_PASSWORD), GB_OK);
	cr_expect_eq(fits(OLD_PASSWORD), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(alice.password_changed_at, POLICY_NOW + 1);
	cr_expect(alive(&own));
	cr_expect_not(alive(&other));
	cr_expect_eq(alice.sessions_len, 1);
	expect_no_links();
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_PASSWORD), 1);
	p.config.notice_mails = false;
	identify(&own);
	cr_expect_eq(change(NEW_PASSWORD, OLD_PASSWORD), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_PASSWORD), 1);
}

Test(user, changes_no_password_without_the_current_one)
{
	char too_long[GB_PASSWORD_MAX + 2];

	memset(too_long, 'x', GB_PASSWORD_MAX + 1);
	too_long[GB_PASSWORD_MAX + 1] = '\0';
	link_add();
	cr_expect_eq(change("wrong", NEW_PASSWORD), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_str_eq(p.call.event, "password_wrong");
	cr_expect_eq(change(too_long, NEW_PASSWORD), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(change(NEW_PASSWORD, NEW_PASSWORD), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(fits(OLD_PASSWORD), GB_OK);
	cr_expect(alive(&own) && alive(&other));
	cr_expect_eq(alice.links_len, 2);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_PASSWORD), 0);
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_OK);
}

/* The contract's order: too long, then the limit, then weak, then the current password. */
Test(user, judges_a_new_password_in_order)
{
	char too_long[GB_PASSWORD_MAX + 2];

	memset(too_long, 'x', GB_PASSWORD_MAX + 1);
	too_long[GB_PASSWORD_MAX + 1] = '\0';
	policy_limits(&p);
	cr_expect_eq(change("wrong", too_long), GB_ERR_PASSWORD_TOO_LONG);
	for (int i = 0; i < 50; i++)
		cr_expect_eq(change("wrong", "password"), GB_ERR_WEAK_PASSWORD, "a weak one counts for nothing");
	cr_expect_eq(p.call.weak_reasons, GB_WEAK_COMMON);
	cr_expect_eq(change("wrong", "alice@example.org"), GB_ERR_WEAK_PASSWORD);
	cr_expect_eq(p.call.weak_reasons, GB_WEAK_PERSONAL);
	cr_expect_eq(change("wrong", "gu@rdb33!"), GB_ERR_WEAK_PASSWORD);
	cr_expect_eq(p.call.weak_reasons, GB_WEAK_PERSONAL);
	cr_expect_eq(change("wrong", "d8Kq!x"), GB_ERR_WEAK_PASSWORD);
	cr_expect_eq(p.call.weak_reasons, GB_WEAK_TOO_SHORT);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(change("wrong", NEW_PASSWORD), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(change("wrong", too_long), GB_ERR_PASSWORD_TOO_LONG);
	cr_expect_eq(change("wrong", "password"), GB_ERR_RATE_LIMITED);
	cr_expect_eq(p.call.retry_after_s, 1);
	p.call.now++;
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_OK);
}

static enum gb_err other_err;

static void
other_logout(void *pair, const char *key)
{
	(void)key;
	other_err = gb_token_revoke(&p.app, &p.call, ((struct gb_token_pair *)pair)->access_token, GB_PURPOSE__COUNT, false);
}

static void
other_sign_in(void *pair, const char *key)
{
	(void)key;
	policy_session(&p, me.user.id, false, pair);
}

/* Another tab that changes the password first. */
static void
other_change(void *context, const char *key)
{
	struct gb_commit commit;
	struct gb_user user;

	(void)context;
	(void)key;
	cr_assert_eq(gb_user_get(p.app.store, me.user.id, p.call.now, p.call.arena, &user), GB_OK);
	cr_assert_eq(gb_password_hash(&p.config, p.app.state, OTHER_PASSWORD, user.password_hash, sizeof user.password_hash), GB_OK);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_user(&commit, &user);
	other_err = gb_commit_run(&commit, p.app.store, p.call.now);
}

static void
other_lock(void *context, const char *key)
{
	(void)context;
	(void)key;
	other_err = gb_user_set_locked(&p.app, &p.call, me.user.id, true);
}

/* As a reuse does: s: is deleted, u: is not touched. */
static void
other_reuse(void *context, const char *key)
{
	struct gb_commit commit;
	gb_store_key name;

	(void)context;
	(void)key;
	cr_assert(policy_session_of(&p, &own, &session));
	gb_key_session(name, session.id);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_delete(&commit, name, session.version);
	other_err = gb_commit_run(&commit, p.app.store, p.call.now);
}

Test(user, changes_no_password_by_a_session_that_a_reuse_ended)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_reuse, NULL);
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(other_err, GB_OK);
	cr_expect_eq(fits(OLD_PASSWORD), GB_OK);
}

/* At every read and commit of the change: once the session has ended, nothing is changed by it. */
Test(user, changes_no_password_once_its_session_has_ended)
{
	for (unsigned nth = 1; nth <= 2; nth++) {
		policy_session(&p, me.user.id, false, &own);
		identify(&own);
		store_memory_before(p.memory, STORE_MEMORY_GET, nth, other_logout, &own);
		cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_ERR_TOKEN_REVOKED, "get %u", nth);
		store_memory_before(p.memory, STORE_MEMORY_GET, nth, NULL, NULL);
		cr_expect_eq(fits(OLD_PASSWORD), GB_OK);
	}
	policy_session(&p, me.user.id, false, &own);
	identify(&own);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_logout, &own);
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(fits(OLD_PASSWORD), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_PASSWORD), 0);
}

Test(user, changes_no_password_that_was_changed_meanwhile)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_change, NULL);
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(other_err, GB_OK);
	cr_expect_eq(fits(OTHER_PASSWORD), GB_OK);
	/* the same password under another hash, as a sign-in renews it, is no change */
	identify(&own);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_change, NULL);
	cr_expect_eq(change(OTHER_PASSWORD, NEW_PASSWORD), GB_OK);
	cr_expect_eq(fits(NEW_PASSWORD), GB_OK);
}

Test(user, ends_a_session_that_begins_while_the_password_changes)
{
	struct gb_token_pair late;

	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_sign_in, &late);
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_OK);
	cr_expect_not(alive(&late));
	cr_expect(alive(&own));
}

Test(user, changes_no_password_of_a_locked_account)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_lock, NULL);
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(fits(OLD_PASSWORD), GB_OK);
	cr_expect(alice.locked);
}

Test(user, keeps_its_password_when_the_store_fails)
{
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_null(p.call.event);
	cr_expect_eq(fits(OLD_PASSWORD), GB_OK);
	cr_expect(alive(&other));
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_PASSWORD), 0);
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, STORE_MEMORY_CONFLICT);
	cr_expect_eq(change(OLD_PASSWORD, NEW_PASSWORD), GB_ERR_BUSY);
}

static bool
is_there(const char *key)
{
	struct gb_record record;

	cr_assert_eq(gb_store_get(p.app.store, key, p.call.now, p.call.arena, &record), GB_OK);
	return record.value != NULL;
}

Test(user, is_deleted_with_all_that_is_its_own)
{
	struct gb_user found, again;
	gb_store_key key;

	cr_expect_eq(gb_user_delete(&p.app, &p.call, me.user.id), GB_OK);
	cr_expect_str_eq(p.call.event, "account_deleted");
	cr_expect_eq(gb_user_get(p.app.store, me.user.id, p.call.now, p.call.arena, &found), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_user_find_email(&p.app, &p.call, "alice@example.org", &found), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_user_find_username(&p.app, &p.call, "alice", &found), GB_ERR_NOT_FOUND);
	cr_expect_not(alive(&own) || alive(&other));
	cr_expect_not(policy_session_of(&p, &own, &session) || policy_session_of(&p, &other, &session));
	cr_expect_eq(gb_user_delete(&p.app, &p.call, me.user.id), GB_ERR_NOT_FOUND);

	/* the name stays taken as long as an access token may still speak of it; the address is free */
	gb_key_username(key, "alice");
	cr_expect(is_there(key));
	cr_expect_eq(gb_user_add(&p.app, &p.call, "eve@example.org", "alice", OLD_PASSWORD, &again), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_eq(gb_user_add(&p.app, &p.call, "alice@example.org", NULL, OLD_PASSWORD, &again), GB_OK);
	cr_expect_str_neq(again.id, me.user.id);
	p.call.now = POLICY_NOW + 86399;
	cr_expect_eq(gb_user_add(&p.app, &p.call, "eve@example.org", "alice", OLD_PASSWORD, &again), GB_ERR_ACCOUNT_EXISTS);
	p.call.now = POLICY_NOW + 86400;
	cr_expect_eq(gb_user_add(&p.app, &p.call, "eve@example.org", "alice", OLD_PASSWORD, &again), GB_OK);
}

/* Without a name there is no tombstone, and still one commit that ends every session at any version. */
Test(user, is_deleted_without_a_name)
{
	struct gb_token_pair pair;
	struct gb_user bob;
	unsigned commits;

	cr_assert_eq(gb_user_add(&p.app, &p.call, "bob@example.org", NULL, OLD_PASSWORD, &bob), GB_OK);
	policy_session(&p, bob.id, false, &pair);
	commits = store_memory_calls(p.memory, STORE_MEMORY_COMMIT);
	cr_expect_eq(gb_user_delete(&p.app, &p.call, bob.id), GB_OK);
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_COMMIT) - commits, 1);
	cr_expect_eq(gb_user_get(p.app.store, bob.id, p.call.now, p.call.arena, &bob), GB_ERR_NOT_FOUND);
	cr_expect_not(policy_session_of(&p, &pair, &session));
	cr_expect(alive(&own));
}

static void
other_refresh(void *pair, const char *key)
{
	struct gb_token_pair *thief = pair;
	struct gb_user user;

	(void)key;
	gb_token_rotate(&p.app, &p.call, thief->refresh_token, &user, thief);
}

Test(user, is_deleted_while_a_session_keeps_refreshing)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, other_refresh, &other);
	cr_expect_eq(gb_user_delete(&p.app, &p.call, me.user.id), GB_OK);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, NULL, NULL);
	cr_expect_not(policy_session_of(&p, &other, &session));
}

Test(user, deletes_itself_by_its_password)
{
	cr_expect_eq(gb_user_delete_own(&p.app, &p.call, &me, "wrong"), GB_ERR_INVALID_CREDENTIALS);
	cr_expect(alive(&own));
	cr_expect_eq(gb_user_delete_own(&p.app, &p.call, &me, OLD_PASSWORD), GB_OK);
	cr_expect_str_eq(p.call.event, "account_deleted");
	cr_expect_not(alive(&own) || alive(&other));
}

Test(user, does_not_delete_itself_on_what_stands_no_more)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_change, NULL);
	cr_expect_eq(gb_user_delete_own(&p.app, &p.call, &me, OLD_PASSWORD), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(other_err, GB_OK);
	cr_expect(alive(&own));
	identify(&own);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_logout, &own);
	cr_expect_eq(gb_user_delete_own(&p.app, &p.call, &me, OTHER_PASSWORD), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(gb_user_get(p.app.store, me.user.id, p.call.now, p.call.arena, &alice), GB_OK);
	identify(&other);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_sign_in, &own);
	cr_expect_eq(gb_user_delete_own(&p.app, &p.call, &me, OTHER_PASSWORD), GB_OK);
	cr_expect_not(policy_session_of(&p, &own, &session), "a session that began meanwhile");
}

Test(user, is_locked_and_unlocked)
{
	struct gb_login_form form = { .email = "alice@example.org", .password = OLD_PASSWORD };
	struct gb_token_pair pair;

	link_add();
	cr_expect_eq(gb_user_set_locked(&p.app, &p.call, me.user.id, true), GB_OK);
	cr_expect_str_eq(p.call.event, "account_locked");
	cr_expect_not(alive(&own) || alive(&other));
	cr_expect_not(policy_session_of(&p, &own, &session));
	expect_no_links();
	cr_expect_eq(gb_user_login(&p.app, &p.call, &form, &alice, &pair), GB_ERR_INVALID_CREDENTIALS);
	cr_expect_eq(gb_user_set_locked(&p.app, &p.call, me.user.id, false), GB_OK);
	cr_expect_str_eq(p.call.event, "account_unlocked");
	cr_expect_eq(gb_user_login(&p.app, &p.call, &form, &alice, &pair), GB_OK);
	cr_expect_not(alive(&own), "what was ended stays ended");
	cr_expect_eq(gb_user_set_locked(&p.app, &p.call, "4711", true), GB_ERR_NOT_FOUND);
}

Test(user, is_locked_against_a_sign_in_that_meets_it)
{
	struct gb_token_pair late;

	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_sign_in, &late);
	cr_expect_eq(gb_user_set_locked(&p.app, &p.call, me.user.id, true), GB_OK);
	cr_expect_not(policy_session_of(&p, &late, &session));
}

Test(user, takes_groups)
{
	static const char *const bad[] = {
		",", "a,", ",a", "a,,b", "A", "a b", "a, b", "a/b", "\xc3\xa4", "a,a", "abcdefghijklmnopqrstuvwxyz0123456",
		"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", NULL
	};

	cr_expect_eq(gb_user_set_groups(&p.app, &p.call, me.user.id, "staff,bee-keepers,x.y_1"), GB_OK);
	cr_expect_str_eq(p.call.event, "groups_changed");
	for (const char *const *groups = bad; *groups != NULL; groups++)
		cr_expect_eq(gb_user_set_groups(&p.app, &p.call, me.user.id, *groups), GB_ERR_INVALID_FIELD, "%s", *groups);
	reread();
	cr_expect_eq(alice.groups_len, 3);
	cr_expect_str_eq(alice.groups[0], "staff");
	cr_expect_str_eq(alice.groups[2], "x.y_1");
	cr_expect_eq(gb_user_set_groups(&p.app, &p.call, me.user.id, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,abcdefghijklmnopqrstuvwxyz012345"), GB_OK);
	reread();
	cr_expect_eq(alice.groups_len, 16);
	cr_expect_eq(gb_user_set_groups(&p.app, &p.call, me.user.id, ""), GB_OK);
	reread();
	cr_expect_eq(alice.groups_len, 0);
	cr_expect_eq(gb_user_set_groups(&p.app, &p.call, "4711", "a"), GB_ERR_NOT_FOUND);
	cr_expect(alive(&own));
}
