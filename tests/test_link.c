/* SPDX-License-Identifier: MIT */
/* Mailed links and typed codes: what is good, until when, and what a bad one may cost. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "code.h"
#include "link.h"
#include "policy.h"
#include "user.h"

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

TestSuite(link, .init = setup, .fini = teardown, .timeout = 30);

static struct gb_mailed
issue(enum gb_link_kind kind)
{
	struct gb_mailed mailed;

	cr_assert_eq(gb_link_issue(&p.app, &p.call, "42", kind, NULL, &mailed), GB_OK);
	return mailed;
}

static const char *
token_of(const struct gb_mailed *mailed)
{
	return strstr(mailed->url, "?token=") + 7;
}

static enum gb_err
find(enum gb_link_kind kind, const char *token)
{
	const struct gb_link_proof proof = { .token = token };
	struct gb_found_link found;

	return gb_link_find(&p.app, &p.call, kind, &proof, &found);
}

static enum gb_err
find_code(enum gb_link_kind kind, const char *email, const char *code)
{
	const struct gb_link_proof proof = { .email = email, .code = code };
	struct gb_found_link found;

	return gb_link_find(&p.app, &p.call, kind, &proof, &found);
}

static struct gb_user
stored(void)
{
	struct gb_user user;

	cr_assert_eq(gb_user_get(p.app.store, "42", p.call.now, p.call.arena, &user), GB_OK);
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

Test(link, is_good_for_its_kind_and_is_not_spent_by_looking)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);

	cr_expect_eq(strncmp(mailed.url, "http://127.0.0.1:8080/reset-password?token=ey", 45), 0, "%s", mailed.url);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_OK);
	cr_expect_eq(find(GB_LINK_VERIFY_EMAIL, token_of(&mailed)), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find(GB_LINK_CHANGE_EMAIL, token_of(&mailed)), GB_ERR_RESET_TOKEN_INVALID);
	mailed = issue(GB_LINK_VERIFY_EMAIL);
	cr_expect_eq(strncmp(mailed.url, "http://127.0.0.1:8080/verify-email?token=ey", 43), 0, "%s", mailed.url);
	cr_expect_eq(find(GB_LINK_VERIFY_EMAIL, token_of(&mailed)), GB_OK);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_ERR_RESET_TOKEN_INVALID);
}

Test(link, tells_whose_it_is)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);
	const struct gb_link_proof proof = { .token = token_of(&mailed) };
	struct gb_found_link found;

	cr_assert_eq(gb_link_find(&p.app, &p.call, GB_LINK_RESET, &proof, &found), GB_OK);
	cr_expect_str_eq(found.user.id, "42");
	cr_expect_str_eq(found.user.email, "ann@example.org");
	cr_expect_str_eq(found.pending_id, "");
	cr_expect_str_eq(p.call.user_id, "42");
	cr_expect_eq(found.link.expires_at, POLICY_NOW + 1800);
}

Test(link, lives_as_long_as_the_settings_say)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);

	p.call.now += 1799;
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_OK);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_OK);
	p.call.now += 1;
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_ERR_RESET_TOKEN_INVALID);
}

Test(link, refuses_what_mail_programs_make_of_a_token)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);
	const char *token = token_of(&mailed);
	char damaged[2048];
	size_t len = strlen(token);

	static const char *const ends[] = { "=", " ", "\n", ".", ">", "=3D", NULL };

	for (const char *const *end = ends; *end != NULL; end++) {
		snprintf(damaged, sizeof damaged, "%s%s", token, *end);
		cr_expect_eq(find(GB_LINK_RESET, damaged), GB_ERR_RESET_TOKEN_INVALID, "%s", *end);
	}
	for (size_t i = 0; i < len; i += 7) {
		memcpy(damaged, token, len + 1);
		damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
		cr_expect_eq(find(GB_LINK_RESET, damaged), GB_ERR_RESET_TOKEN_INVALID, "%zu", i);
	}
	memcpy(damaged, token, len - 1);
	damaged[len - 1] = '\0';
	cr_expect_eq(find(GB_LINK_RESET, damaged), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find(GB_LINK_RESET, ""), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find(GB_LINK_RESET, token), GB_OK);
}

/* Whoever holds JWT_KEY, as every service that checks tokens does, must not make links. */
Test(link, is_worth_nothing_without_its_id_in_the_store)
{
	struct gb_claims claims = { .subject = "42", .issued_at = POLICY_NOW, .expires_at = POLICY_NOW + 1800,
		.jwt_id = "AAAAAAAAAAAAAAAAAAAAAA" };
	struct gb_mailed mailed = issue(GB_LINK_RESET);
	const char *token;

	cr_assert_eq(gb_jwt_sign(p.app.keyring, &p.app.jwt, GB_PURPOSE_RESET, &claims, POLICY_NOW, p.call.arena, &token), GB_OK);
	cr_expect_eq(find(GB_LINK_RESET, token), GB_ERR_RESET_TOKEN_INVALID);
	claims.jwt_id = "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA";
	cr_assert_eq(gb_jwt_sign(p.app.keyring, &p.app.jwt, GB_PURPOSE_VERIFY_EMAIL, &claims, POLICY_NOW, p.call.arena, &token), GB_OK);
	cr_expect_eq(find(GB_LINK_VERIFY_EMAIL, token), GB_ERR_RESET_TOKEN_INVALID);
	claims.subject = "43";
	cr_assert_eq(gb_jwt_sign(p.app.keyring, &p.app.jwt, GB_PURPOSE_RESET, &claims, POLICY_NOW, p.call.arena, &token), GB_OK);
	cr_expect_eq(find(GB_LINK_RESET, token), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_OK);
}

Test(link, keeps_four_of_a_kind_and_drops_the_oldest)
{
	struct gb_mailed mailed[6], verify = issue(GB_LINK_VERIFY_EMAIL);

	/* all in one second: the order they were made in counts, not the clock */
	for (int i = 0; i < 6; i++)
		mailed[i] = issue(GB_LINK_RESET);
	for (int i = 0; i < 6; i++)
		cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed[i])), i < 2 ? GB_ERR_RESET_TOKEN_INVALID : GB_OK, "%d", i);
	cr_expect_eq(find(GB_LINK_VERIFY_EMAIL, token_of(&verify)), GB_OK);
	cr_expect_eq(stored().links_len, 5);
}

Test(link, lets_the_expired_go_first)
{
	struct gb_mailed mailed;

	issue(GB_LINK_RESET);
	issue(GB_LINK_RESET);
	p.call.now += 1800;
	mailed = issue(GB_LINK_RESET);
	cr_expect_eq(stored().links_len, 1);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_OK);
}

Test(link, holds_a_full_account_of_every_kind)
{
	struct gb_mailed mailed;

	for (int i = 0; i < 5; i++) {
		issue(GB_LINK_RESET);
		issue(GB_LINK_VERIFY_EMAIL);
		ann = stored();
		gb_link_intend(&ann, "new@example.org", p.call.now);
		store(&ann);
		cr_assert_eq(gb_link_issue(&p.app, &p.call, "42", GB_LINK_CHANGE_EMAIL, "new@example.org", &mailed), GB_OK);
	}
	cr_expect_eq(stored().links_len, GB_LINKS_MAX);
	cr_expect_null(mailed.code);
	cr_expect_eq(find(GB_LINK_CHANGE_EMAIL, token_of(&mailed)), GB_OK);
}

Test(link, of_a_change_of_address_needs_one_that_is_wanted)
{
	struct gb_mailed mailed;

	cr_expect_eq(gb_link_issue(&p.app, &p.call, "42", GB_LINK_CHANGE_EMAIL, "new@example.org", &mailed), GB_ERR_NOT_FOUND);
	gb_link_intend(&ann, "new@example.org", p.call.now);
	store(&ann);
	cr_expect_eq(gb_link_issue(&p.app, &p.call, "42", GB_LINK_CHANGE_EMAIL, "other@example.org", &mailed), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_link_issue(&p.app, &p.call, "42", GB_LINK_CHANGE_EMAIL, "new@example.org", &mailed), GB_OK);
	/* a retry, however late: the mail server was down */
	p.call.now += 7200;
	cr_expect_eq(gb_link_issue(&p.app, &p.call, "42", GB_LINK_CHANGE_EMAIL, "new@example.org", &mailed), GB_OK);
	ann = stored();
	gb_user_clear_links(&ann);
	store(&ann);
	cr_expect_eq(gb_link_issue(&p.app, &p.call, "42", GB_LINK_CHANGE_EMAIL, "new@example.org", &mailed), GB_ERR_NOT_FOUND);
}

Test(link, is_made_for_no_locked_or_unknown_account_and_dies_with_the_lock)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET), other;

	cr_expect_eq(gb_link_issue(&p.app, &p.call, "43", GB_LINK_RESET, NULL, &other), GB_ERR_NOT_FOUND);
	ann = stored();
	ann.locked = true;
	store(&ann);
	cr_expect_eq(gb_link_issue(&p.app, &p.call, "42", GB_LINK_RESET, NULL, &other), GB_ERR_NOT_FOUND);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_ERR_RESET_TOKEN_INVALID);
	ann = stored();
	ann.locked = false;
	store(&ann);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_OK);
}

Test(link, clears_every_link_and_code_at_once)
{
	struct gb_mailed reset = issue(GB_LINK_RESET), verify = issue(GB_LINK_VERIFY_EMAIL);

	ann = stored();
	gb_user_clear_links(&ann);
	store(&ann);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&reset)), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find(GB_LINK_VERIFY_EMAIL, token_of(&verify)), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find_code(GB_LINK_VERIFY_EMAIL, "ann@example.org", verify.code), GB_ERR_RESET_TOKEN_INVALID);
}

Test(link, leaves_neither_token_nor_code_in_the_store)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);
	unsigned char bytes[GB_STORE_VALUE_MAX];
	size_t len;

	ann = stored();
	len = gb_user_encode(&ann, bytes);
	cr_assert_gt(len, 0);
	cr_expect_null(memmem(bytes, len, mailed.code, GB_CODE_LEN));
	cr_expect_null(memmem(bytes, len, token_of(&mailed), 20));
}

Test(link, is_made_again_when_the_account_moves_meanwhile)
{
	struct gb_mailed mailed;

	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_CONFLICT);
	mailed = issue(GB_LINK_RESET);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_OK);
	cr_expect_eq(stored().links_len, 1);
}

/* A failure of ours is never "your link is bad". */
Test(link, says_unavailable_when_the_store_is)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);

	store_memory_fail(p.memory, STORE_MEMORY_GET, STORE_MEMORY_EVERY, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_ERR_STORE_UNAVAILABLE);
	store_memory_fail(p.memory, STORE_MEMORY_GET, STORE_MEMORY_EVERY, STORE_MEMORY_NO_FAULT);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_OK);
}

Test(link, takes_a_code_as_people_type_it_with_its_address_only)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);
	struct gb_user bob;
	char typed[24];

	policy_user(&p, "43", "bob@example.org", NULL, &bob);
	cr_assert_eq(strlen(mailed.code), GB_CODE_LEN);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_OK);
	snprintf(typed, sizeof typed, " %.4s-%s ", mailed.code, mailed.code + 4);
	for (char *c = typed; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	cr_expect_eq(find_code(GB_LINK_RESET, "Ann@Example.org", typed), GB_OK);
	cr_expect_eq(find_code(GB_LINK_RESET, "bob@example.org", mailed.code), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find_code(GB_LINK_RESET, "nobody@example.org", mailed.code), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann", mailed.code), GB_ERR_INVALID_EMAIL);
	cr_expect_eq(find_code(GB_LINK_VERIFY_EMAIL, "ann@example.org", mailed.code), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_OK);
}

Test(link, ends_a_code_after_five_wrong_tries_and_not_the_link)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);

	for (int i = 0; i < 4; i++)
		cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", "AAAAAAAA"), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_OK);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", "not a code"), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_ERR_RESET_TOKEN_INVALID);
	cr_expect_eq(find(GB_LINK_RESET, token_of(&mailed)), GB_OK);
	/* a new mail brings a new code with five tries of its own; one of another kind leaves it alone */
	mailed = issue(GB_LINK_RESET);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_OK);
	issue(GB_LINK_VERIFY_EMAIL);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_OK);
}

Test(link, counts_wrong_codes_against_their_address)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);

	policy_limits(&p);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(find_code(GB_LINK_RESET, "nobody@example.org", "AAAAAAAA"), GB_ERR_RESET_TOKEN_INVALID, "%d", i);
	cr_expect_eq(find_code(GB_LINK_RESET, "nobody@example.org", "AAAAAAAA"), GB_ERR_RATE_LIMITED);
	cr_expect_geq(p.call.retry_after_s, 1);
	cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_OK);
}

/* Whoever had the right one starts anew with five. */
Test(link, forgets_wrong_codes_after_a_right_one)
{
	struct gb_mailed mailed = issue(GB_LINK_RESET);

	policy_limits(&p);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3; i++)
			cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", "AAAAAAAA"), GB_ERR_RESET_TOKEN_INVALID, "%d, %d", round, i);
		cr_expect_eq(find_code(GB_LINK_RESET, "ann@example.org", mailed.code), GB_OK, "%d", round);
		mailed = issue(GB_LINK_RESET);
	}
}

static unsigned
commits_of(const char *email)
{
	unsigned before = store_memory_calls(p.memory, STORE_MEMORY_COMMIT);

	cr_expect_eq(find_code(GB_LINK_RESET, email, "AAAAAAAA"), GB_ERR_RESET_TOKEN_INVALID);
	return store_memory_calls(p.memory, STORE_MEMORY_COMMIT) - before;
}

/* Else the time of a wrong code would tell who has an account, and who just asked for a mail. */
Test(link, writes_once_for_every_wrong_code)
{
	struct gb_user bob;

	policy_user(&p, "43", "bob@example.org", NULL, &bob);
	issue(GB_LINK_RESET);
	cr_expect_eq(commits_of("ann@example.org"), 1, "with a code");
	cr_expect_eq(commits_of("bob@example.org"), 1, "without");
	cr_expect_eq(commits_of("nobody@example.org"), 1, "without an account");
	cr_expect_eq(commits_of("nobody@example.org"), 1);
}

Test(link, makes_codes_of_32_letters_without_look_alikes)
{
	unsigned seen[128] = { 0 }, letters = 0;
	char code[GB_CODE_LEN + 1];

	for (int i = 0; i < 1000; i++) {
		gb_code_make(code);
		for (const char *c = code; *c != '\0'; c++)
			seen[(unsigned char)*c]++;
	}
	for (int c = 0; c < 128; c++)
		letters += seen[c] > 0;
	cr_expect_eq(letters, 32);
	cr_expect_eq(seen['0'] + seen['O'] + seen['1'] + seen['I'], 0);
}
