/* SPDX-License-Identifier: MIT */
/* What a refresh token is worth: the design's table row by row, and what others do meanwhile. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "base64url.h"
#include "policy.h"
#include "refresh_id.h"
#include "user.h"

#define CHROME "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

static struct policy p;
static struct gb_user alice, user;
static struct gb_token_pair first, second, third;
static struct gb_session session;
static struct gb_identity identity;

static void
setup(void)
{
	policy_open(&p);
	policy_user(&p, "42", "alice@example.org", "alice", &alice);
	policy_session(&p, "42", false, &first);
}

static void
teardown(void)
{
	policy_close(&p);
}

TestSuite(rotate, .init = setup, .fini = teardown, .timeout = 60);

static enum gb_err
rotate(const char *token, struct gb_token_pair *pair)
{
	p.call.event = NULL;
	return gb_token_rotate(&p.app, &p.call, token, &user, pair);
}

#define expect_event(word) cr_expect(p.call.event != NULL && strcmp(p.call.event, word) == 0, "%s, not " word, p.call.event)

/* Refused for good, with this word in the log; the session ends with it or not. */
static void
expect_refused(const char *token, const char *event, bool ends)
{
	struct gb_token_pair none;

	cr_expect_eq(rotate(token, &none), GB_ERR_REFRESH_TOKEN_REVOKED);
	cr_expect(p.call.event != NULL && strcmp(p.call.event, event) == 0, "%s, not %s", p.call.event, event);
	cr_expect(none.access_token == NULL && none.refresh_token == NULL);
	cr_expect_eq(policy_session_of(&p, &first, &session), !ends);
}

static struct gb_claims
claims_of(enum gb_purpose purpose, const char *token)
{
	struct gb_claims claims;

	cr_assert_eq(gb_jwt_verify(p.app.keyring, &p.app.jwt, purpose, token, p.call.now, p.call.arena, &claims), GB_OK);
	return claims;
}

/* A refresh token of `first` with some claims changed, well signed. */
static const char *
forge(const char *subject, const char *session_id, const char *jwt_id)
{
	struct gb_claims claims = claims_of(GB_PURPOSE_REFRESH, first.refresh_token);
	const char *token;

	claims.subject = subject != NULL ? subject : claims.subject;
	claims.session_id = session_id != NULL ? session_id : claims.session_id;
	claims.jwt_id = jwt_id != NULL ? jwt_id : claims.jwt_id;
	cr_assert_eq(gb_jwt_sign(p.app.keyring, &p.app.jwt, GB_PURPOSE_REFRESH, &claims, p.call.now, p.call.arena, &token), GB_OK);
	return token;
}

Test(rotate, makes_ids_as_the_vectors_say)
{
	static const struct { uint64_t generation; const char *id; } all[] = {
		{ 1, "AAAAAAAAAAEVboshL8DANtYTQ5wpCTTg" },
		/* the rest by Python's hmac */
		{ 2, "AAAAAAAAAAIkMX8mOOqEGK48GfVxwAU3" },
		{ 256, "AAAAAAAAAQDHEsLEmEbN35fP5mG0qLcN" },
		{ UINT64_C(4294967296), "AAAAAQAAAAD_z9R5WmZ0dt19jlyPlG_Z" },
		{ UINT64_MAX, "__________-Cddmo3BNO9sZ0dpguh9EE" },
	};
	unsigned char seed[32];
	char id[GB_REFRESH_ID_TEXT + 1];

	for (unsigned i = 0; i < sizeof seed; i++)
		seed[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		gb_refresh_id(seed, all[i].generation, id);
		cr_expect_str_eq(id, all[i].id);
	}
}

/* Row 1 */
Test(rotate, refuses_what_is_no_refresh_token)
{
	static const char *const not_ids[] = {
		"", "x", "AAAAAAAAAAEVboshL8DANtYTQ5wpCTT", "AAAAAAAAAAEVboshL8DANtYTQ5wpCTTgA",
		"AAAAAAAAAAEVboshL8DANtYTQ5wpCTT=", "AAAAAAAAAAEVboshL8DANtYTQ5wpCT/g", NULL
	};
	unsigned gets = store_memory_calls(p.memory, STORE_MEMORY_GET);

	cr_expect_eq(gb_error_row(rotate("", &second))->status, 401);
	cr_expect_eq(gb_error_row(rotate("a.b.c", &second))->status, 401);
	cr_expect_eq(gb_error_row(rotate(first.access_token, &second))->status, 401);
	for (const char *const *id = not_ids; *id != NULL; id++) {
		enum gb_err err = rotate(forge(NULL, NULL, *id), &second);

		cr_expect_str_eq(gb_error_row(err)->code, "token_invalid", "%s", *id);
	}
	cr_expect_str_eq(gb_error_row(rotate(forge(NULL, "AAECAwQFBgcICQoLDA0ODx", NULL), &second))->code, "token_invalid");
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_GET), gets, "nothing is read for it");
	cr_expect_null(p.call.event);
	cr_expect_eq(rotate(forge(NULL, NULL, NULL), &second), GB_OK);
}

Test(rotate, refuses_an_expired_token)
{
	unsigned gets = store_memory_calls(p.memory, STORE_MEMORY_GET);

	p.call.now = POLICY_NOW + 172800;
	cr_expect_eq(rotate(first.refresh_token, &second), GB_ERR_TOKEN_EXPIRED);
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_GET), gets);
	p.call.now = POLICY_NOW + 172799;
	cr_expect_eq(rotate(first.refresh_token, &second), GB_OK);
}

/* Row 2 */
Test(rotate, refuses_where_there_is_no_such_session)
{
	struct gb_user bob;

	expect_refused(forge(NULL, "AAECAwQFBgcICQoLDA0ODw", NULL), "refresh_revoked", false);
	policy_user(&p, "43", "bob@example.org", NULL, &bob);
	expect_refused(forge("43", NULL, NULL), "refresh_revoked", false);
	cr_expect_eq(rotate(first.refresh_token, &second), GB_OK);
}

Test(rotate, refuses_after_logout_lock_and_deletion)
{
	cr_assert_eq(gb_token_revoke(&p.app, &p.call, first.access_token, GB_PURPOSE_ACCESS, false), GB_OK);
	expect_refused(first.refresh_token, "refresh_revoked", true);

	policy_session(&p, "42", false, &first);
	cr_assert_eq(gb_user_set_locked(&p.app, &p.call, "42", true), GB_OK);
	expect_refused(first.refresh_token, "refresh_revoked", true);
	cr_assert_eq(gb_user_set_locked(&p.app, &p.call, "42", false), GB_OK);
	expect_refused(first.refresh_token, "refresh_revoked", true);

	policy_session(&p, "42", false, &first);
	cr_expect_eq(rotate(first.refresh_token, &second), GB_OK);
	cr_assert_eq(gb_user_delete(&p.app, &p.call, "42"), GB_OK);
	expect_refused(second.refresh_token, "refresh_revoked", true);
}

/* The flag alone, and a u: that is gone: no session should be left then, but if one is, it is worth nothing. */
Test(rotate, refuses_a_session_of_nobody)
{
	struct gb_commit commit;

	cr_assert_eq(gb_user_get(p.app.store, "42", p.call.now, p.call.arena, &alice), GB_OK);
	alice.locked = true;
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_user(&commit, &alice);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
	expect_refused(first.refresh_token, "refresh_revoked", false);
	cr_assert_eq(gb_user_get(p.app.store, "42", p.call.now, p.call.arena, &alice), GB_OK);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_delete(&commit, "u:42", alice.version);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
	expect_refused(first.refresh_token, "refresh_revoked", false);
}

Test(rotate, refuses_past_the_end_of_the_record)
{
	cr_assert(policy_session_of(&p, &first, &session));
	session.max_at = POLICY_NOW + 100;
	policy_session_put(&p, &session);
	p.call.now = POLICY_NOW + 100;
	expect_refused(first.refresh_token, "refresh_revoked", false);
	p.call.now = POLICY_NOW + 99;
	cr_expect_eq(rotate(first.refresh_token, &second), GB_OK);
	cr_expect_eq(second.refresh_expires_in, 1, "cut to the session's end");
	cr_expect_eq(second.expires_in, 1);
}

Test(rotate, refuses_past_the_refresh_expiry_of_the_record)
{
	p.config.leeway_s = p.app.jwt.leeway_s = 30;
	cr_assert(policy_session_of(&p, &first, &session));
	session.refresh_expires_at = POLICY_NOW + 100;
	policy_session_put(&p, &session);
	p.call.now = POLICY_NOW + 130;
	expect_refused(first.refresh_token, "refresh_revoked", false);
	p.call.now = POLICY_NOW + 129;
	cr_expect_eq(rotate(first.refresh_token, &second), GB_OK);
}

/* Row 3: every bit of the tag, and of the generation under the right tag. */
Test(rotate, refuses_a_forged_id)
{
	unsigned char id[24];
	char text[GB_REFRESH_ID_TEXT + 1];
	size_t len;

	for (unsigned bit = 0; bit < 24 * 8; bit++) {
		struct gb_claims claims = claims_of(GB_PURPOSE_REFRESH, first.refresh_token);

		cr_assert_eq(gb_base64url_decode(id, sizeof id, &len, claims.jwt_id, 32), GB_OK);
		id[bit / 8] ^= (unsigned char)(1 << bit % 8);
		gb_base64url_encode(text, id, sizeof id);
		expect_refused(forge(NULL, NULL, text), "refresh_forged", false);
	}
	cr_expect_eq(rotate(first.refresh_token, &second), GB_OK);
}

/* Row 4: a store that was set back. */
Test(rotate, ends_a_session_whose_token_is_ahead)
{
	struct gb_session before;

	cr_assert(policy_session_of(&p, &first, &before));
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	policy_session_put(&p, &before);
	expect_refused(second.refresh_token, "refresh_ahead", true);
	expect_refused(first.refresh_token, "refresh_revoked", true);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_REUSE), 0);
}

/* Row 5 */
Test(rotate, trades_the_current_token_for_the_next)
{
	struct gb_claims access, refresh;
	struct gb_session after;
	char id[GB_REFRESH_ID_TEXT + 1];

	cr_assert(policy_session_of(&p, &first, &session));
	p.call.now = POLICY_NOW + 500;
	p.call.address = "198.51.100.9";
	p.call.user_agent = CHROME;
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	expect_event("refresh");
	cr_expect_str_eq(p.call.user_id, "42");
	cr_expect_str_eq(p.call.session_id, first.session_id);
	cr_expect_str_eq(user.email, "alice@example.org");
	cr_expect_str_eq(second.session_id, first.session_id);
	cr_expect_null(second.gate);
	access = claims_of(GB_PURPOSE_ACCESS, second.access_token);
	cr_expect_not(access.fresh);
	cr_expect_eq(access.issued_at, POLICY_NOW + 500);
	refresh = claims_of(GB_PURPOSE_REFRESH, second.refresh_token);
	gb_refresh_id(session.seed, 2, id);
	cr_expect_str_eq(refresh.jwt_id, id);
	cr_expect_eq(refresh.issued_at, POLICY_NOW + 500);
	cr_expect_eq(refresh.expires_at, POLICY_NOW + 500 + 172800);

	cr_assert(policy_session_of(&p, &first, &after));
	cr_expect_eq(after.generation, 2);
	cr_expect_arr_eq(after.seed, session.seed, sizeof session.seed);
	cr_expect_eq(after.created_at, POLICY_NOW);
	cr_expect_eq(after.rotated_at, POLICY_NOW + 500);
	cr_expect_eq(after.last_used_at, POLICY_NOW + 500);
	cr_expect_eq(after.expires_at, POLICY_NOW + 500 + 172800);
	cr_expect_str_eq(after.device, "Chrome on Windows");
	cr_expect_str_eq(after.address, "198.51.100.9");
	cr_expect_eq(gb_token_check(&p.app, &p.call, second.access_token, &identity), GB_OK);
	cr_expect_eq(gb_token_check(&p.app, &p.call, first.access_token, &identity), GB_OK, "until it expires");
}

Test(rotate, goes_on_for_many_generations)
{
	struct gb_token_pair pair = first;

	for (int i = 0; i < 300; i++) {
		p.call.now += 100;
		cr_assert_eq(rotate(pair.refresh_token, &pair), GB_OK, "%d", i);
		cr_expect_eq(pair.refresh_expires_in, 172800);
	}
	cr_assert(policy_session_of(&p, &first, &session));
	cr_expect_eq(session.generation, 301);
	expect_refused(second.refresh_token != NULL ? second.refresh_token : first.refresh_token, "refresh_reuse", true);
}

Test(rotate, says_what_the_account_is_now)
{
	struct gb_claims claims;

	cr_assert_eq(gb_user_set_groups(&p.app, &p.call, "42", "staff"), GB_OK);
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	claims = claims_of(GB_PURPOSE_ACCESS, second.access_token);
	cr_expect_eq(claims.groups_len, 1);
	cr_expect_str_eq(claims.groups[0], "staff");
}

/* SESSION_MAX_AGE holds over every rotation. */
Test(rotate, does_not_prolong_a_session_past_its_age)
{
	struct gb_token_pair pair;

	p.config.session_max_age_s = 200000;
	policy_session(&p, "42", false, &pair);
	first = pair;
	p.call.now = POLICY_NOW + 100000;
	cr_assert_eq(rotate(pair.refresh_token, &pair), GB_OK);
	cr_expect_eq(pair.refresh_expires_in, 100000);
	cr_expect_eq(pair.expires_in, 86400);
	p.call.now = POLICY_NOW + 199999;
	cr_assert_eq(rotate(pair.refresh_token, &pair), GB_OK);
	cr_expect_eq(pair.refresh_expires_in, 1);
	cr_expect_eq(pair.expires_in, 1);
	cr_expect(policy_session_of(&p, &pair, &session));
	p.call.now = POLICY_NOW + 200000;
	cr_expect_eq(rotate(pair.refresh_token, &pair), GB_ERR_TOKEN_EXPIRED);
	cr_expect_not(policy_session_of(&p, &first, &session));
}

/* Row 6: a second tab, or an answer that was lost. Equal sid, jti, iat, exp; and nothing is written. */
Test(rotate, gives_the_same_successor_again)
{
	struct gb_claims one, two;
	unsigned commits;

	p.call.now = POLICY_NOW + 500;
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	commits = store_memory_calls(p.memory, STORE_MEMORY_COMMIT);
	p.call.now = POLICY_NOW + 505;
	cr_assert_eq(rotate(first.refresh_token, &third), GB_OK);
	expect_event("refresh_replay");
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_COMMIT), commits);
	one = claims_of(GB_PURPOSE_REFRESH, second.refresh_token);
	two = claims_of(GB_PURPOSE_REFRESH, third.refresh_token);
	cr_expect_str_eq(one.session_id, two.session_id);
	cr_expect_str_eq(one.jwt_id, two.jwt_id);
	cr_expect_eq(one.issued_at, two.issued_at);
	cr_expect_eq(one.expires_at, two.expires_at);
	cr_expect_str_eq(second.refresh_token, third.refresh_token);
	cr_expect_eq(third.refresh_expires_in, 172800 - 5);
	cr_expect_str_neq(second.access_token, third.access_token);
	cr_expect_eq(claims_of(GB_PURPOSE_ACCESS, third.access_token).issued_at, POLICY_NOW + 505);
	cr_expect_eq(third.expires_in, 86400);
	/* that access token lives as long as its session */
	p.config.access_ttl_s = 86400;
	p.call.now = POLICY_NOW + 505 + 86399;
	cr_expect_eq(gb_token_check(&p.app, &p.call, third.access_token, &identity), GB_OK);
	cr_expect_eq(rotate(second.refresh_token, &third), GB_OK);
}

Test(rotate, keeps_the_grace_to_the_second)
{
	static const struct { int64_t grace, since; bool replay; } all[] = {
		{ 10, 0, true }, { 10, 9, true }, { 10, 10, false }, { 10, 11, false }, { 10, -9, true }, { 10, -10, false },
		{ 60, 59, true }, { 60, 60, false }, { 1, 0, true }, { 1, 1, false }, { 0, 0, false }, { 0, 1, false },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		p.config.refresh_grace_s = all[i].grace;
		p.call.now = POLICY_NOW;
		policy_session(&p, "42", false, &first);
		p.call.now = POLICY_NOW + 500;
		cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
		p.call.now += all[i].since;
		if (all[i].replay) {
			cr_expect_eq(rotate(first.refresh_token, &third), GB_OK, "row %zu", i);
			expect_event("refresh_replay");
		} else {
			expect_refused(first.refresh_token, "refresh_reuse", true);
		}
	}
}

/* The grace is for the same place: the block of the address, or the program. */
Test(rotate, gives_grace_to_the_same_place_only)
{
	static const struct { const char *address, *agent; bool replay; } all[] = {
		{ "192.0.2.7", "curl/8", true }, { "192.0.2.250", "curl/8", true },
		{ "198.51.100.1", CHROME, true }, { "2001:db8::1", CHROME, true },
		{ "192.0.3.7", "curl/8", false }, { "2001:db8::1", "", false }, { "", "", false },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		p.call.address = "192.0.2.7";
		p.call.user_agent = CHROME;
		policy_session(&p, "42", false, &first);
		cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
		p.call.address = all[i].address;
		p.call.user_agent = all[i].agent;
		if (all[i].replay)
			cr_expect_eq(rotate(first.refresh_token, &third), GB_OK, "row %zu", i);
		else
			expect_refused(first.refresh_token, "refresh_reuse", true);
	}
}

/* The place is that of the last rotation, not of the sign-in. */
Test(rotate, gives_no_grace_to_where_the_session_began)
{
	p.call.address = "198.51.100.9";
	p.call.user_agent = "curl/8";
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	p.call.address = "192.0.2.7";
	p.call.user_agent = CHROME;
	expect_refused(first.refresh_token, "refresh_reuse", true);
}

/* Row 7 */
Test(rotate, ends_the_session_when_a_spent_token_comes_again)
{
	p.call.now = POLICY_NOW + 500;
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	p.call.now = POLICY_NOW + 510;
	expect_refused(first.refresh_token, "refresh_reuse", true);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_REUSE), 1);
	cr_expect_eq(gb_token_check(&p.app, &p.call, second.access_token, &identity), GB_ERR_TOKEN_REVOKED);
	expect_refused(second.refresh_token, "refresh_revoked", true);
	expect_refused(first.refresh_token, "refresh_revoked", true);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_REUSE), 1, "one notice");
}

Test(rotate, sends_no_notice_where_there_shall_be_none)
{
	p.config.notice_mails = false;
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	p.call.now = POLICY_NOW + 10;
	expect_refused(first.refresh_token, "refresh_reuse", true);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_REUSE), 0);
}

/* The grandparent gets no grace, however soon it comes. */
Test(rotate, gives_grace_to_the_parent_only)
{
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	cr_assert_eq(rotate(second.refresh_token, &third), GB_OK);
	cr_assert_eq(rotate(second.refresh_token, &third), GB_OK);
	expect_event("refresh_replay");
	expect_refused(first.refresh_token, "refresh_reuse", true);
}

/* No verdict without its commit. */
Test(rotate, is_no_verdict_when_the_store_fails)
{
	store_memory_fail(p.memory, STORE_MEMORY_GET, 1, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(rotate(first.refresh_token, &second), GB_ERR_STORE_UNAVAILABLE);
	store_memory_fail(p.memory, STORE_MEMORY_GET, 2, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(rotate(first.refresh_token, &second), GB_ERR_STORE_UNAVAILABLE);
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(rotate(first.refresh_token, &second), GB_ERR_STORE_UNAVAILABLE);
	cr_expect(second.access_token == NULL && second.refresh_token == NULL);
	cr_expect_null(p.call.event);
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	p.call.now = POLICY_NOW + 10;
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(rotate(first.refresh_token, &third), GB_ERR_STORE_UNAVAILABLE, "a reuse that could not be written");
	cr_expect_null(p.call.event);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_REUSE), 0);
	cr_expect(policy_session_of(&p, &first, &session));
	cr_expect_eq(rotate(second.refresh_token, &third), GB_OK);
}

/* The answer of a commit that did happen is lost: the client comes again and gets the same successor. */
Test(rotate, recovers_when_an_outcome_is_lost)
{
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_OUTCOME_LOST);
	cr_expect_eq(rotate(first.refresh_token, &second), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_eq(rotate(first.refresh_token, &second), GB_OK);
	expect_event("refresh_replay");
	cr_expect_eq(rotate(second.refresh_token, &third), GB_OK);
	expect_event("refresh");
}

Test(rotate, is_busy_after_eight_conflicts)
{
	unsigned before = store_memory_calls(p.memory, STORE_MEMORY_COMMIT);

	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, STORE_MEMORY_CONFLICT);
	cr_expect_eq(rotate(first.refresh_token, &second), GB_ERR_BUSY);
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_COMMIT) - before, 8);
	cr_expect_null(second.refresh_token);
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_CONFLICT);
	cr_expect_eq(rotate(first.refresh_token, &second), GB_OK);
}

/* What others do between our read and our commit. */
static enum gb_err other_err;
static struct gb_token_pair other_pair;

static void
other_refresh(void *token, const char *key)
{
	struct gb_user other_user;
	const char *event = p.call.event;

	(void)key;
	other_err = gb_token_rotate(&p.app, &p.call, token, &other_user, &other_pair);
	p.call.event = event;
}

static void
other_logout(void *token, const char *key)
{
	(void)key;
	other_err = gb_token_revoke(&p.app, &p.call, token, GB_PURPOSE__COUNT, false);
}

/* As a reset does: a new hash, every session deleted at any version, in one commit. */
static void
other_reset(void *context, const char *key)
{
	struct gb_commit commit;
	struct gb_user reset;

	(void)context;
	(void)key;
	cr_assert_eq(gb_user_get(p.app.store, "42", p.call.now, p.call.arena, &reset), GB_OK);
	gb_commit_begin(&commit, p.call.arena);
	gb_session_drop_all(&reset, NULL, &commit);
	gb_commit_put_user(&commit, &reset);
	other_err = gb_commit_run(&commit, p.app.store, p.call.now);
}

/* Two tabs with one token: one rotates, the other gets the same successor. Rows 5 and 6. */
Test(rotate, lets_two_tabs_end_with_one_successor)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_refresh, (char *)first.refresh_token);
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	cr_assert_eq(other_err, GB_OK);
	expect_event("refresh_replay");
	cr_expect_str_eq(second.refresh_token, other_pair.refresh_token);
	cr_assert(policy_session_of(&p, &first, &session));
	cr_expect_eq(session.generation, 2);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_REUSE), 0);
}

/* The same at every read and commit of the one. */
Test(rotate, lets_two_tabs_meet_at_any_moment)
{
	for (int call = STORE_MEMORY_GET; call <= STORE_MEMORY_COMMIT; call++)
		for (unsigned nth = 1; nth <= 2; nth++) {
			policy_session(&p, "42", false, &first);
			other_pair = (struct gb_token_pair){ 0 };
			store_memory_before(p.memory, (enum store_memory_call)call, nth, other_refresh, (char *)first.refresh_token);
			cr_expect_eq(rotate(first.refresh_token, &second), GB_OK, "%d, %u", call, nth);
			store_memory_before(p.memory, (enum store_memory_call)call, nth, NULL, NULL);
			if (other_pair.refresh_token != NULL)
				cr_expect_str_eq(second.refresh_token, other_pair.refresh_token);
			cr_expect_eq(rotate(second.refresh_token, &third), GB_OK);
		}
}

Test(rotate, loses_against_a_logout)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_logout, (char *)first.access_token);
	expect_refused(first.refresh_token, "refresh_revoked", true);
	cr_expect_eq(other_err, GB_OK);
	cr_assert_eq(gb_user_get(p.app.store, "42", p.call.now, p.call.arena, &alice), GB_OK);
	cr_expect_eq(alice.sessions_len, 0);
}

Test(rotate, loses_against_a_reset)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_reset, NULL);
	expect_refused(first.refresh_token, "refresh_revoked", true);
	cr_expect_eq(other_err, GB_OK);
	cr_expect_eq(store_memory_records(p.memory), 3, "u:, e:, n: and no session that came back");
}

/* And the other way round: the refresh came first, the session is ended all the same. */
Test(rotate, is_undone_by_a_logout_that_meets_it)
{
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_refresh, (char *)first.refresh_token);
	cr_expect_eq(gb_token_revoke(&p.app, &p.call, first.access_token, GB_PURPOSE_ACCESS, false), GB_OK);
	cr_assert_eq(other_err, GB_OK);
	cr_expect_eq(gb_token_check(&p.app, &p.call, other_pair.access_token, &identity), GB_ERR_TOKEN_REVOKED);
	expect_refused(other_pair.refresh_token, "refresh_revoked", true);
}

/* The verdict "reuse" is about a record that moved meanwhile: it is looked at again, and stands. */
Test(rotate, judges_a_reuse_again_after_a_conflict)
{
	p.call.now = POLICY_NOW;
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	p.call.now = POLICY_NOW + 10;
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_refresh, (char *)second.refresh_token);
	expect_refused(first.refresh_token, "refresh_reuse", true);
	cr_expect_eq(other_err, GB_OK);
	expect_refused(other_pair.refresh_token, "refresh_revoked", true);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_REUSE), 1);
}

/* Two who find the same reuse: one ends the session and sends the notice. */
Test(rotate, reports_a_reuse_once)
{
	cr_assert_eq(rotate(first.refresh_token, &second), GB_OK);
	p.call.now = POLICY_NOW + 10;
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, other_refresh, (char *)first.refresh_token);
	expect_refused(first.refresh_token, "refresh_revoked", true);
	cr_expect_eq(other_err, GB_ERR_REFRESH_TOKEN_REVOKED);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_REUSE), 1);
}
