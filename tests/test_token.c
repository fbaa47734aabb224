/* SPDX-License-Identifier: MIT */
/* Sessions: issued, checked, ended. What a refresh token is worth: test_rotate.c. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "base64url.h"
#include "policy.h"
#include "refresh_id.h"

static struct policy p;
static struct gb_user alice;
static struct gb_token_pair pair;
static struct gb_session session;
static struct gb_identity identity;

static void
setup(void)
{
	policy_open(&p);
	policy_user(&p, "42", "alice@example.org", "alice", &alice);
}

static void
teardown(void)
{
	policy_close(&p);
}

TestSuite(token, .init = setup, .fini = teardown, .timeout = 60);

static enum gb_err
verify(enum gb_purpose purpose, const char *token, struct gb_claims *claims)
{
	return gb_jwt_verify(p.app.keyring, &p.app.jwt, purpose, token, p.call.now, p.call.arena, claims);
}

static enum gb_err
check(const struct gb_token_pair *of)
{
	return gb_token_check(&p.app, &p.call, of->access_token, &identity);
}

static void
user_read(struct gb_user *user)
{
	cr_assert_eq(gb_user_get(p.app.store, "42", p.call.now, p.call.arena, user), GB_OK);
}

Test(token, issues_what_the_contract_says)
{
	struct gb_claims access, refresh;
	unsigned char random[32];
	size_t len;

	policy_session(&p, "42", false, &pair);
	cr_expect_eq(pair.expires_in, 86400);
	cr_expect_eq(pair.refresh_expires_in, 172800);
	cr_expect_null(pair.gate);
	cr_assert_eq(verify(GB_PURPOSE_ACCESS, pair.access_token, &access), GB_OK);
	cr_expect_str_eq(access.subject, "42");
	cr_expect_eq(access.issued_at, POLICY_NOW);
	cr_expect_eq(access.not_before, POLICY_NOW);
	cr_expect_eq(access.expires_at, POLICY_NOW + 86400);
	cr_expect(access.fresh);
	cr_expect_str_eq(access.session_id, pair.session_id);
	cr_expect_str_eq(access.email, "alice@example.org");
	cr_expect(access.email_verified);
	cr_expect_str_eq(access.username, "alice");
	cr_expect_eq(access.groups_len, 0);
	cr_expect_eq(gb_base64url_decode(random, sizeof random, &len, access.jwt_id, strlen(access.jwt_id)), GB_OK);
	cr_expect_eq(len, 16);

	cr_assert_eq(verify(GB_PURPOSE_REFRESH, pair.refresh_token, &refresh), GB_OK);
	cr_expect_str_eq(refresh.subject, "42");
	cr_expect_eq(refresh.issued_at, POLICY_NOW);
	cr_expect_eq(refresh.expires_at, POLICY_NOW + 172800);
	cr_expect_not(refresh.fresh);
	cr_expect_str_eq(refresh.session_id, pair.session_id);
	cr_expect_eq(strlen(refresh.jwt_id), 32);
	cr_expect_str_eq(p.call.user_id, "42");
	cr_expect_str_eq(p.call.session_id, pair.session_id);

	cr_assert(policy_session_of(&p, &pair, &session));
	cr_expect_str_eq(session.user_id, "42");
	cr_expect_eq(session.generation, 1);
	cr_expect_eq(session.created_at, POLICY_NOW);
	cr_expect_eq(session.last_used_at, POLICY_NOW);
	cr_expect_eq(session.max_at, 0);
	cr_expect_str_eq(session.device, "Firefox on Linux");
	cr_expect_str_eq(session.address, "192.0.2.7");
	cr_expect(gb_refresh_is_current(&session, refresh.jwt_id));
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, 1);
	cr_expect_arr_eq(alice.sessions[0], session.id, sizeof session.id);
	cr_expect_eq(alice.known_blocks_len, 1);
}

Test(token, writes_groups_and_leaves_no_name_out)
{
	struct gb_claims access;
	struct gb_commit commit;
	struct gb_user bob;

	policy_user(&p, "43", "bob@example.org", NULL, &bob);
	bob.groups_len = 2;
	strcpy(bob.groups[0], "staff");
	strcpy(bob.groups[1], "beekeepers");
	gb_commit_begin(&commit, p.call.arena);
	cr_assert_eq(gb_token_issue(&p.app, &p.call, &bob, false, NULL, &commit, &pair), GB_OK);
	cr_assert_eq(verify(GB_PURPOSE_ACCESS, pair.access_token, &access), GB_OK);
	cr_expect_null(access.username);
	cr_expect_eq(access.groups_len, 2);
	cr_expect_str_eq(access.groups[1], "beekeepers");
}

Test(token, gives_every_session_and_token_its_own_ids)
{
	struct gb_token_pair other;
	struct gb_session other_session;
	struct gb_claims one, two;

	policy_session(&p, "42", true, &pair);
	policy_session(&p, "42", true, &other);
	cr_expect_str_neq(pair.session_id, other.session_id);
	cr_expect_str_neq(pair.gate, other.gate);
	cr_assert_eq(verify(GB_PURPOSE_ACCESS, pair.access_token, &one), GB_OK);
	cr_assert_eq(verify(GB_PURPOSE_ACCESS, other.access_token, &two), GB_OK);
	cr_expect_str_neq(one.jwt_id, two.jwt_id);
	cr_assert(policy_session_of(&p, &pair, &session) && policy_session_of(&p, &other, &other_session));
	cr_expect_arr_neq(session.seed, other_session.seed, sizeof session.seed);
}

/* expires_at = the later of access expiry + grace and refresh expiry, + leeway, bounded by SESSION_MAX_AGE. */
Test(token, lets_a_session_outlive_its_last_token)
{
	static const struct { int64_t access, refresh, grace, leeway, max_age, session, access_in, refresh_in; } all[] = {
		{ 600, 1000, 10, 0, 0, 1000, 600, 1000 },
		{ 600, 1000, 10, 30, 0, 1030, 600, 1000 },
		{ 1000, 600, 10, 0, 0, 1010, 1000, 600 },
		{ 1000, 600, 10, 30, 0, 1040, 1000, 600 },
		{ 1000, 1005, 10, 0, 0, 1010, 1000, 1005 },
		{ 600, 1000, 10, 30, 800, 800, 600, 800 },
		{ 600, 1000, 10, 30, 500, 500, 500, 500 },
		{ 600, 1000, 10, 30, 1020, 1020, 600, 1000 },
		{ 600, 1000, 10, 30, 5000, 1030, 600, 1000 },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		p.config.access_ttl_s = all[i].access;
		p.config.refresh_ttl_s = all[i].refresh;
		p.config.refresh_grace_s = all[i].grace;
		p.config.leeway_s = all[i].leeway;
		p.config.session_max_age_s = all[i].max_age;
		policy_session(&p, "42", false, &pair);
		cr_assert(policy_session_of(&p, &pair, &session));
		cr_expect_eq(session.expires_at - POLICY_NOW, all[i].session, "row %zu: %ld", i, (long)(session.expires_at - POLICY_NOW));
		cr_expect_eq(pair.expires_in, all[i].access_in, "row %zu", i);
		cr_expect_eq(pair.refresh_expires_in, all[i].refresh_in, "row %zu", i);
	}
}

Test(token, ends_the_least_recently_used_beyond_the_limit)
{
	struct gb_token_pair pairs[4];

	p.config.sessions_per_user = 3;
	for (int i = 0; i < 3; i++) {
		p.call.now = POLICY_NOW + i;
		policy_session(&p, "42", false, &pairs[i]);
	}
	/* the oldest is used again: now the second is the one that waits longest */
	p.call.now = POLICY_NOW + 10;
	cr_assert_eq(gb_token_rotate(&p.app, &p.call, pairs[0].refresh_token, &alice, &pair), GB_OK);
	policy_session(&p, "42", false, &pairs[3]);
	cr_expect(policy_session_of(&p, &pairs[0], &session));
	cr_expect_not(policy_session_of(&p, &pairs[1], &session));
	cr_expect(policy_session_of(&p, &pairs[2], &session));
	cr_expect(policy_session_of(&p, &pairs[3], &session));
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, 3);
	p.config.sessions_per_user = 1;
	policy_session(&p, "42", false, &pair);
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, 1);
	cr_expect_eq(check(&pairs[3]), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(check(&pair), GB_OK);
}

Test(token, holds_the_most_sessions_that_may_be)
{
	for (int i = 0; i < 40; i++)
		policy_session(&p, "42", false, &pair);
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, GB_SESSIONS_MAX);
	cr_expect_eq(store_memory_records(p.memory), 3 + GB_SESSIONS_MAX, "u:, e:, n:, and every s: of the list");
	cr_expect_eq(check(&pair), GB_OK);
}

Test(token, drops_ids_of_dead_sessions)
{
	struct gb_token_pair dead, ended;

	p.config.access_ttl_s = p.config.refresh_ttl_s = 60;
	policy_session(&p, "42", false, &dead);
	policy_session(&p, "42", false, &ended);
	cr_assert_eq(gb_session_end(&p.app, &p.call, "42", (policy_session_of(&p, &ended, &session), session.id)), GB_OK);
	p.call.now = POLICY_NOW + 70;
	policy_session(&p, "42", false, &pair);
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, 1);
	cr_expect_eq(check(&pair), GB_OK);
}

Test(token, ends_the_session_a_browser_presented)
{
	struct gb_identity presented;
	struct gb_token_pair old, bobs;
	struct gb_commit commit;
	struct gb_user bob;

	policy_session(&p, "42", true, &old);
	cr_assert_eq(gb_token_check_gate(&p.app, &p.call, old.gate, &presented), GB_OK);
	user_read(&alice);
	gb_commit_begin(&commit, p.call.arena);
	cr_assert_eq(gb_token_issue(&p.app, &p.call, &alice, true, &presented, &commit, &pair), GB_OK);
	cr_expect_eq(check(&old), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(check(&pair), GB_OK);
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, 1);

	/* and that of another account, where somebody else signs in at the same browser */
	policy_user(&p, "43", "bob@example.org", NULL, &bob);
	policy_session(&p, "43", true, &bobs);
	cr_assert_eq(gb_token_check_gate(&p.app, &p.call, bobs.gate, &presented), GB_OK);
	user_read(&alice);
	gb_commit_begin(&commit, p.call.arena);
	cr_assert_eq(gb_token_issue(&p.app, &p.call, &alice, true, &presented, &commit, &old), GB_OK);
	cr_expect_eq(check(&bobs), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(check(&pair), GB_OK);
	cr_expect_eq(check(&old), GB_OK);
}

/* A session that cannot be written down gives no token away. */
Test(token, issues_nothing_without_a_commit)
{
	static const struct { enum store_memory_fault fault; enum gb_err err; } all[] = {
		{ STORE_MEMORY_UNAVAILABLE, GB_ERR_STORE_UNAVAILABLE },
		{ STORE_MEMORY_CONFLICT, GB_ERR_CONFLICT },
		{ STORE_MEMORY_NO_MEMORY, GB_ERR_MEMORY },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct gb_commit commit;

		store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, all[i].fault);
		gb_commit_begin(&commit, p.call.arena);
		user_read(&alice);
		cr_expect_eq(gb_token_issue(&p.app, &p.call, &alice, true, NULL, &commit, &pair), all[i].err);
		cr_expect(pair.access_token == NULL && pair.refresh_token == NULL && pair.gate == NULL);
	}
	cr_expect_eq(store_memory_records(p.memory), 3);
}

Test(token, takes_no_session_for_dead_that_cannot_be_read)
{
	struct gb_commit commit;

	policy_session(&p, "42", false, &pair);
	user_read(&alice);
	store_memory_fail(p.memory, STORE_MEMORY_GET, 1, STORE_MEMORY_UNAVAILABLE);
	gb_commit_begin(&commit, p.call.arena);
	cr_expect_eq(gb_token_issue(&p.app, &p.call, &alice, true, NULL, &commit, &pair), GB_ERR_STORE_UNAVAILABLE);
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, 1);
}

Test(token, checks_an_access_token)
{
	policy_session(&p, "42", false, &pair);
	cr_expect_eq(check(&pair), GB_OK);
	cr_expect_str_eq(identity.user.email, "alice@example.org");
	cr_expect_str_eq(identity.session.user_id, "42");
	cr_expect_null(identity.gate);
	p.call.now = POLICY_NOW + 86399;
	cr_expect_eq(check(&pair), GB_OK);
	p.call.now = POLICY_NOW + 86400;
	cr_expect_eq(check(&pair), GB_ERR_TOKEN_EXPIRED);
}

Test(token, refuses_another_purpose_at_check)
{
	policy_session(&p, "42", false, &pair);
	cr_expect_eq(gb_error_row(gb_token_check(&p.app, &p.call, pair.refresh_token, &identity))->status, 401);
	cr_expect_neq(gb_token_check(&p.app, &p.call, pair.refresh_token, &identity), GB_ERR_TOKEN_EXPIRED);
	cr_expect_eq(gb_token_check(&p.app, &p.call, "", &identity), GB_ERR_MALFORMED);
	cr_expect_eq(gb_token_check(&p.app, &p.call, "a.b.c", &identity), GB_ERR_MALFORMED);
	cr_expect_eq(check(&pair), GB_OK);
}

Test(token, refuses_an_access_token_whose_session_has_ended)
{
	policy_session(&p, "42", false, &pair);
	cr_assert_eq(gb_session_end_all(&p.app, &p.call, "42", NULL), GB_OK);
	cr_expect_eq(check(&pair), GB_ERR_TOKEN_REVOKED);
	policy_session(&p, "42", false, &pair);
	cr_expect_eq(check(&pair), GB_OK);
}

static void
user_change(void (*change)(struct gb_user *user))
{
	struct gb_commit commit;

	user_read(&alice);
	change(&alice);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_user(&commit, &alice);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
}

static void
lock(struct gb_user *user)
{
	user->locked = true;
}

static void
unlock(struct gb_user *user)
{
	user->locked = false;
}

Test(token, refuses_an_access_token_of_nobody)
{
	struct gb_commit commit;
	struct gb_user bob;
	struct gb_claims claims = { .subject = "43" };
	const char *forged;

	policy_session(&p, "42", true, &pair);
	user_change(lock);
	cr_expect_eq(check(&pair), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(gb_token_check_gate(&p.app, &p.call, pair.gate, &identity), GB_ERR_TOKEN_REVOKED);
	user_change(unlock);
	cr_expect_eq(check(&pair), GB_OK);

	/* well signed, with somebody else's session */
	policy_user(&p, "43", "bob@example.org", NULL, &bob);
	cr_assert_eq(verify(GB_PURPOSE_ACCESS, pair.access_token, &claims), GB_OK);
	claims.subject = "43";
	cr_assert_eq(gb_jwt_sign(p.app.keyring, &p.app.jwt, GB_PURPOSE_ACCESS, &claims, p.call.now, p.call.arena, &forged), GB_OK);
	cr_expect_eq(gb_token_check(&p.app, &p.call, forged, &identity), GB_ERR_TOKEN_REVOKED);
	/* well signed, with a session id that is none */
	claims.subject = "42";
	claims.session_id = "AAECAwQFBgcICQoLDA0ODx";
	cr_assert_eq(gb_jwt_sign(p.app.keyring, &p.app.jwt, GB_PURPOSE_ACCESS, &claims, p.call.now, p.call.arena, &forged), GB_OK);
	cr_expect_eq(gb_token_check(&p.app, &p.call, forged, &identity), GB_ERR_CLAIM);

	user_read(&alice);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_delete(&commit, "u:42", alice.version);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
	cr_expect_eq(check(&pair), GB_ERR_TOKEN_REVOKED);
}

Test(token, is_no_verdict_when_the_store_fails_at_check)
{
	policy_session(&p, "42", true, &pair);
	for (unsigned nth = 1; nth <= 2; nth++) {
		store_memory_fail(p.memory, STORE_MEMORY_GET, nth, STORE_MEMORY_UNAVAILABLE);
		cr_expect_eq(check(&pair), GB_ERR_STORE_UNAVAILABLE);
		store_memory_fail(p.memory, STORE_MEMORY_GET, nth, STORE_MEMORY_UNAVAILABLE);
		cr_expect_eq(gb_token_check_gate(&p.app, &p.call, pair.gate, &identity), GB_ERR_STORE_UNAVAILABLE);
	}
	cr_expect_eq(check(&pair), GB_OK);
}

static enum gb_err
check_gate(const char *gate)
{
	return gb_token_check_gate(&p.app, &p.call, gate, &identity);
}

Test(token, checks_a_gate_cookie)
{
	char gate[GB_GATE_MAX];
	struct gb_token_pair bearer;

	policy_session(&p, "42", true, &pair);
	cr_expect_eq(strlen(pair.gate), 45);
	cr_expect_eq(check_gate(pair.gate), GB_OK);
	cr_expect_str_eq(identity.user.id, "42");
	cr_expect_str_eq(identity.gate, pair.gate);
	cr_expect_eq(check(&pair), GB_OK, "the tokens of a browser are good as well");

	/* every other character at every place */
	for (size_t i = 0; i < strlen(pair.gate); i++) {
		enum gb_err err;

		strcpy(gate, pair.gate);
		gate[i] = gate[i] == 'A' ? 'B' : 'A';
		err = check_gate(gate);
		cr_expect(err == GB_ERR_TOKEN_INVALID || (i < 22 && err == GB_ERR_TOKEN_REVOKED), "%zu: %d", i, err);
	}
	/* a session without a gate secret, and the secret of zero bytes */
	policy_session(&p, "42", false, &bearer);
	cr_expect_null(bearer.gate);
	snprintf(gate, sizeof gate, "%s.AAAAAAAAAAAAAAAAAAAAAA", bearer.session_id);
	cr_expect_eq(check_gate(gate), GB_ERR_TOKEN_INVALID);
	/* another session's secret */
	snprintf(gate, sizeof gate, "%s%s", bearer.session_id, pair.gate + 22);
	cr_expect_eq(check_gate(gate), GB_ERR_TOKEN_INVALID);
	cr_assert_eq(gb_session_end_all(&p.app, &p.call, "42", NULL), GB_OK);
	cr_expect_eq(check_gate(pair.gate), GB_ERR_TOKEN_REVOKED);
}

Test(token, refuses_a_malformed_gate_cookie)
{
	static const char *const bad[] = {
		"", ".", "AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODw.", ".AAECAwQFBgcICQoLDA0ODw",
		"AAECAwQFBgcICQoLDA0ODw.AAECAwQFBgcICQoLDA0OD", "AAECAwQFBgcICQoLDA0ODw.AAECAwQFBgcICQoLDA0ODwA",
		"AAECAwQFBgcICQoLDA0ODw.AAECAwQFBgcICQoLDA0ODx", "AAECAwQFBgcICQoLDA0ODx.AAECAwQFBgcICQoLDA0ODw",
		"AAECAwQFBgcICQoLDA0ODw:AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODw.AAECAwQFBgcICQoLDA0O=w",
		" AAECAwQFBgcICQoLDA0ODw.AAECAwQFBgcICQoLDA0ODw", NULL
	};
	char csrf[GB_CSRF_TEXT + 1];
	unsigned gets = store_memory_calls(p.memory, STORE_MEMORY_GET);

	for (const char *const *gate = bad; *gate != NULL; gate++) {
		cr_expect_eq(check_gate(*gate), GB_ERR_TOKEN_INVALID, "%s", *gate);
		cr_expect_not(gb_token_csrf(*gate, csrf), "%s", *gate);
		cr_expect_str_empty(csrf);
	}
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_GET), gets);
	cr_expect_eq(check_gate("AAECAwQFBgcICQoLDA0ODw.AAECAwQFBgcICQoLDA0ODw"), GB_ERR_TOKEN_REVOKED);
}

/* base64url of the first 16 bytes of SHA-256("guardbee/1/csrf" + secret), secret 00 to 0f: by Python's hashlib. */
Test(token, derives_the_csrf_value)
{
	char csrf[GB_CSRF_TEXT + 1];

	cr_assert(gb_token_csrf("AAAAAAAAAAAAAAAAAAAAAA.AAECAwQFBgcICQoLDA0ODw", csrf));
	cr_expect_str_eq(csrf, "VN8QGn0ytThpIBkDkYhErw");
	cr_assert(gb_token_csrf("AAECAwQFBgcICQoLDA0ODw.AAECAwQFBgcICQoLDA0ODg", csrf));
	cr_expect_str_neq(csrf, "VN8QGn0ytThpIBkDkYhErw");
}

static enum gb_err
revoke(const char *token, enum gb_purpose purpose, bool all)
{
	p.call.event = NULL;
	return gb_token_revoke(&p.app, &p.call, token, purpose, all);
}

Test(token, ends_a_session_by_either_token)
{
	struct gb_token_pair other;

	policy_session(&p, "42", false, &other);
	for (int refresh = 0; refresh < 2; refresh++)
		for (int named = 0; named < 2; named++) {
			enum gb_purpose purpose = refresh ? GB_PURPOSE_REFRESH : GB_PURPOSE_ACCESS;

			policy_session(&p, "42", false, &pair);
			cr_expect_eq(revoke(refresh ? pair.refresh_token : pair.access_token,
			    named ? purpose : GB_PURPOSE__COUNT, false), GB_OK);
			cr_expect_str_eq(p.call.event, "logout");
			cr_expect_str_eq(p.call.session_id, pair.session_id);
			cr_expect_not(policy_session_of(&p, &pair, &session));
			cr_expect_eq(check(&pair), GB_ERR_TOKEN_REVOKED);
		}
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, 1);
	cr_expect_eq(check(&other), GB_OK, "the other session goes on");
	cr_expect_eq(revoke(pair.access_token, GB_PURPOSE__COUNT, false), GB_OK, "gone already");
}

Test(token, ends_no_session_by_a_token_of_another_purpose_or_none)
{
	char broken[GB_TOKEN_MAX];

	policy_session(&p, "42", false, &pair);
	cr_expect_eq(gb_error_row(revoke(pair.access_token, GB_PURPOSE_REFRESH, false))->status, 401);
	cr_expect_eq(gb_error_row(revoke(pair.refresh_token, GB_PURPOSE_ACCESS, false))->status, 401);
	cr_expect_eq(gb_error_row(revoke("x", GB_PURPOSE__COUNT, false))->status, 401);
	snprintf(broken, sizeof broken, "%s", pair.access_token);
	broken[strlen(broken) - 5] ^= 1;
	cr_expect_eq(gb_error_row(revoke(broken, GB_PURPOSE__COUNT, false))->status, 401);
	cr_expect_null(p.call.event);
	cr_expect_eq(check(&pair), GB_OK);
}

Test(token, ends_a_live_session_by_an_expired_or_spent_token)
{
	struct gb_token_pair next;

	p.config.access_ttl_s = 60;
	policy_session(&p, "42", false, &pair);
	p.call.now = POLICY_NOW + 100;
	cr_expect_eq(check(&pair), GB_ERR_TOKEN_EXPIRED);
	cr_expect_eq(revoke(pair.access_token, GB_PURPOSE__COUNT, false), GB_OK);
	cr_expect_not(policy_session_of(&p, &pair, &session));

	policy_session(&p, "42", false, &pair);
	cr_assert_eq(gb_token_rotate(&p.app, &p.call, pair.refresh_token, &alice, &next), GB_OK);
	cr_expect_eq(revoke(pair.refresh_token, GB_PURPOSE__COUNT, false), GB_OK);
	cr_expect_eq(check(&next), GB_ERR_TOKEN_REVOKED);
}

Test(token, ends_every_session)
{
	struct gb_token_pair others[3];

	for (int i = 0; i < 3; i++)
		policy_session(&p, "42", false, &others[i]);
	policy_session(&p, "42", false, &pair);
	cr_expect_eq(revoke(pair.access_token, GB_PURPOSE__COUNT, true), GB_OK);
	cr_expect_str_eq(p.call.event, "logout_all");
	for (int i = 0; i < 3; i++)
		cr_expect_eq(check(&others[i]), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(store_memory_records(p.memory), 3);
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, 0);

	policy_session(&p, "42", false, &pair);
	cr_expect_eq(revoke(pair.refresh_token, GB_PURPOSE__COUNT, true), GB_OK);
	cr_expect_eq(check(&pair), GB_ERR_TOKEN_REVOKED);
}

/* A token that is spent, expired or of an ended session must not end the others. */
Test(token, ends_every_session_only_by_a_good_token)
{
	struct gb_token_pair next, ended, other;

	p.config.access_ttl_s = 60;
	policy_session(&p, "42", false, &other);
	policy_session(&p, "42", false, &ended);
	policy_session(&p, "42", false, &pair);
	cr_assert_eq(revoke(ended.access_token, GB_PURPOSE__COUNT, false), GB_OK);
	cr_expect_eq(revoke(ended.access_token, GB_PURPOSE__COUNT, true), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(revoke(ended.refresh_token, GB_PURPOSE__COUNT, true), GB_ERR_TOKEN_REVOKED);
	cr_assert_eq(gb_token_rotate(&p.app, &p.call, pair.refresh_token, &alice, &next), GB_OK);
	cr_expect_eq(revoke(pair.refresh_token, GB_PURPOSE__COUNT, true), GB_ERR_TOKEN_REVOKED, "spent");
	p.call.now = POLICY_NOW + 60;
	cr_expect_eq(revoke(pair.access_token, GB_PURPOSE__COUNT, true), GB_ERR_TOKEN_EXPIRED);
	cr_expect(policy_session_of(&p, &other, &session) && policy_session_of(&p, &next, &session));
	cr_expect_eq(revoke(next.refresh_token, GB_PURPOSE__COUNT, true), GB_OK);
	cr_expect_not(policy_session_of(&p, &other, &session));
	p.call.now = POLICY_NOW + 172800;
	cr_expect_eq(revoke(next.refresh_token, GB_PURPOSE__COUNT, true), GB_ERR_TOKEN_EXPIRED);
}

Test(token, lists_live_sessions_the_latest_used_first)
{
	struct gb_session sessions[GB_SESSIONS_MAX];
	struct gb_token_pair pairs[4];
	char text[GB_SESSION_ID_TEXT + 1];
	size_t len;

	for (int i = 0; i < 4; i++) {
		p.call.now = POLICY_NOW + i;
		policy_session(&p, "42", false, &pairs[i]);
	}
	p.call.now = POLICY_NOW + 10;
	cr_assert_eq(gb_token_rotate(&p.app, &p.call, pairs[1].refresh_token, &alice, &pair), GB_OK);
	cr_assert_eq(revoke(pairs[2].access_token, GB_PURPOSE_ACCESS, false), GB_OK);
	user_read(&alice);
	cr_assert_eq(gb_session_list(&p.app, &p.call, &alice, sessions, &len), GB_OK);
	cr_assert_eq(len, 3);
	gb_session_id_text(sessions[0].id, text);
	cr_expect_str_eq(text, pairs[1].session_id);
	gb_session_id_text(sessions[1].id, text);
	cr_expect_str_eq(text, pairs[3].session_id);
	gb_session_id_text(sessions[2].id, text);
	cr_expect_str_eq(text, pairs[0].session_id);
	store_memory_fail(p.memory, STORE_MEMORY_GET, 2, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(gb_session_list(&p.app, &p.call, &alice, sessions, &len), GB_ERR_STORE_UNAVAILABLE);
}

Test(token, ends_one_session_of_its_own_user_only)
{
	unsigned char unknown[GB_SESSION_ID_LEN] = { 0 };
	struct gb_token_pair bobs;
	struct gb_user bob;

	policy_user(&p, "43", "bob@example.org", NULL, &bob);
	policy_session(&p, "43", false, &bobs);
	policy_session(&p, "42", false, &pair);
	cr_assert(policy_session_of(&p, &bobs, &session));
	cr_expect_eq(gb_session_end(&p.app, &p.call, "42", session.id), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_session_end(&p.app, &p.call, "42", unknown), GB_ERR_NOT_FOUND);
	cr_expect_eq(check(&bobs), GB_OK);
	cr_expect_eq(gb_session_end(&p.app, &p.call, "43", session.id), GB_OK);
	cr_expect_eq(check(&bobs), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(gb_session_end(&p.app, &p.call, "43", session.id), GB_ERR_NOT_FOUND);
	cr_expect_eq(check(&pair), GB_OK);
}

Test(token, ends_all_sessions_but_one)
{
	struct gb_token_pair others[3];

	policy_session(&p, "42", false, &others[0]);
	policy_session(&p, "42", false, &pair);
	policy_session(&p, "42", false, &others[1]);
	policy_session(&p, "42", false, &others[2]);
	cr_assert(policy_session_of(&p, &pair, &session));
	cr_expect_eq(gb_session_end_all(&p.app, &p.call, "42", session.id), GB_OK);
	cr_expect_eq(check(&pair), GB_OK);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(check(&others[i]), GB_ERR_TOKEN_REVOKED);
	user_read(&alice);
	cr_expect_eq(alice.sessions_len, 1);
	cr_expect_eq(gb_session_end_all(&p.app, &p.call, "44", NULL), GB_ERR_NOT_FOUND);
}

/* A thief who refreshes between every read and commit of ours cannot keep his session. */
static void
keep_refreshing(void *context, const char *key)
{
	struct gb_token_pair *thief = context;
	struct gb_user user;

	(void)key;
	gb_token_rotate(&p.app, &p.call, thief->refresh_token, &user, thief);
}

Test(token, ends_a_session_that_keeps_refreshing)
{
	struct gb_token_pair thief;

	policy_session(&p, "42", false, &pair);
	policy_session(&p, "42", false, &thief);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, keep_refreshing, &thief);
	cr_expect_eq(gb_session_end_all(&p.app, &p.call, "42", NULL), GB_OK);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, NULL, NULL);
	cr_expect_not(policy_session_of(&p, &thief, &session));
	policy_session(&p, "42", false, &thief);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, keep_refreshing, &thief);
	cr_expect_eq(revoke(thief.access_token, GB_PURPOSE_ACCESS, false), GB_OK);
	cr_expect_not(policy_session_of(&p, &thief, &session));
}

/* Somebody signs in while everything is being ended: the new session is ended too, or begins afterwards. */
static void
sign_in_meanwhile(void *context, const char *key)
{
	(void)key;
	policy_session(&p, "42", false, context);
}

Test(token, misses_no_session_that_begins_meanwhile)
{
	struct gb_token_pair late;

	policy_session(&p, "42", false, &pair);
	store_memory_before(p.memory, STORE_MEMORY_COMMIT, 1, sign_in_meanwhile, &late);
	cr_expect_eq(gb_session_end_all(&p.app, &p.call, "42", NULL), GB_OK);
	cr_expect_eq(check(&late), GB_ERR_TOKEN_REVOKED);
	cr_expect_eq(store_memory_records(p.memory), 3);
}

Test(token, gives_up_after_eight_rounds)
{
	unsigned before;

	policy_session(&p, "42", false, &pair);
	before = store_memory_calls(p.memory, STORE_MEMORY_COMMIT);
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, STORE_MEMORY_CONFLICT);
	cr_expect_eq(gb_session_end_all(&p.app, &p.call, "42", NULL), GB_ERR_BUSY);
	cr_expect_eq(store_memory_calls(p.memory, STORE_MEMORY_COMMIT) - before, 8);
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, STORE_MEMORY_EVERY, STORE_MEMORY_NO_FAULT);
	cr_expect_eq(check(&pair), GB_OK);
}
