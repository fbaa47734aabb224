/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "client.h"
#include "introspect.h"
#include "link.h"
#include "password.h"
#include "policy.h"

static struct policy policy;
static struct gb_user anna;
static struct gb_token_pair pair;
static struct gb_introspection found;

static void
setup(void)
{
	policy_open(&policy);
	policy_user(&policy, "42", "anna@example.org", "anna", &anna);
	policy_session(&policy, "42", false, &pair);
}

static void
teardown(void)
{
	policy_close(&policy);
}

TestSuite(introspect, .init = setup, .fini = teardown);
TestSuite(revoke, .init = setup, .fini = teardown);
TestSuite(client, .init = setup, .fini = teardown);

static bool
is_active(const char *token)
{
	cr_assert_eq(gb_token_introspect(&policy.app, &policy.call, token, &found), GB_OK);
	return found.active;
}

static const char *
answer(void)
{
	struct gb_json_writer writer;
	size_t len;

	gb_json_begin(&writer, policy.call.arena);
	gb_introspection_json(&writer, &policy.app.jwt, &found);
	return gb_json_text(&writer, &len);
}

Test(introspect, says_what_a_live_token_stands_for)
{
	cr_assert(is_active(pair.access_token));
	cr_expect_eq(found.purpose, GB_PURPOSE_ACCESS);
	cr_expect_str_eq(found.claims.subject, "42");
	cr_expect_str_eq(found.username, "anna");
	cr_expect_not_null(strstr(answer(), "{\"active\":true,\"token_type\":\"Bearer\",\"type\":\"access\",\"sub\":\"42\",\"username\":\"anna\","));
	cr_assert(is_active(pair.refresh_token));
	cr_expect_eq(found.purpose, GB_PURPOSE_REFRESH);
	cr_expect_not_null(strstr(answer(), "{\"active\":true,\"type\":\"refresh\",\"sub\":\"42\","));
}

Test(introspect, says_nothing_of_any_other_text)
{
	static const char *const texts[] = { "", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30." };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		cr_expect_not(is_active(texts[i]));
		cr_expect_str_eq(answer(), "{\"active\":false}");
	}
}

Test(introspect, takes_only_the_refresh_token_issued_last)
{
	struct gb_token_pair next;
	struct gb_user user;

	cr_assert_eq(gb_token_rotate(&policy.app, &policy.call, pair.refresh_token, &user, &next), GB_OK);
	cr_expect_not(is_active(pair.refresh_token));
	cr_expect(is_active(next.refresh_token));
	cr_expect(is_active(pair.access_token));
	/* It asked, and used nothing: the same answers again. */
	cr_expect_not(is_active(pair.refresh_token));
	cr_expect(is_active(next.refresh_token));
}

Test(introspect, follows_session_lock_and_time)
{
	struct gb_commit commit;
	int64_t now = policy.call.now;

	policy.call.now = now + policy.config.access_ttl_s;
	cr_expect_not(is_active(pair.access_token));
	cr_expect(is_active(pair.refresh_token));
	policy.call.now = now + policy.config.refresh_ttl_s;
	cr_expect_not(is_active(pair.refresh_token));
	policy.call.now = now;
	cr_expect(is_active(pair.access_token));

	cr_assert_eq(gb_user_get(policy.app.store, "42", now, policy.call.arena, &anna), GB_OK);
	anna.locked = true;
	gb_commit_begin(&commit, policy.call.arena);
	gb_commit_put_user(&commit, &anna);
	cr_assert_eq(gb_commit_run(&commit, policy.app.store, now), GB_OK);
	cr_expect_not(is_active(pair.access_token));
	cr_expect_not(is_active(pair.refresh_token));
}

Test(introspect, ends_with_the_session)
{
	cr_expect(is_active(pair.access_token));
	cr_assert_eq(gb_token_end(&policy.app, &policy.call, pair.refresh_token), GB_OK);
	cr_expect_not(is_active(pair.access_token));
	cr_expect_not(is_active(pair.refresh_token));
}

Test(revoke, takes_any_text_and_changes_nothing)
{
	static const char *const texts[] = { "", "x", "a.b.c" };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		cr_expect_eq(gb_token_end(&policy.app, &policy.call, texts[i]), GB_OK);
	cr_expect(is_active(pair.access_token));
}

Test(revoke, ends_a_session_by_an_expired_token_too)
{
	struct gb_session session;

	policy.call.now += policy.config.access_ttl_s + 1;
	cr_assert(policy_session_of(&policy, &pair, &session));
	cr_expect_eq(gb_token_end(&policy.app, &policy.call, pair.access_token), GB_OK);
	cr_expect_not(policy_session_of(&policy, &pair, &session));
}

static const char *
mailed_token(enum gb_link_kind kind, const char **code)
{
	struct gb_mailed mailed;

	cr_assert_eq(gb_link_issue(&policy.app, &policy.call, "42", kind, NULL, &mailed), GB_OK);
	*code = mailed.code;
	return strstr(mailed.url, "token=") + 6;
}

static enum gb_err
find(enum gb_link_kind kind, const char *token, const char *code)
{
	const struct gb_link_proof proof = { .token = token, .email = "anna@example.org", .code = code };
	struct gb_found_link link;

	return gb_link_find(&policy.app, &policy.call, kind, &proof, &link);
}

Test(revoke, burns_a_mailed_token_and_its_code)
{
	for (enum gb_link_kind kind = GB_LINK_RESET; kind <= GB_LINK_VERIFY_EMAIL; kind++) {
		const char *code, *other_code, *token = mailed_token(kind, &code), *other = mailed_token(kind, &other_code);

		cr_expect_eq(find(kind, token, NULL), GB_OK);
		cr_expect_eq(find(kind, NULL, other_code), GB_OK);
		cr_expect_eq(gb_token_end(&policy.app, &policy.call, token), GB_OK);
		cr_expect_eq(find(kind, token, NULL), GB_ERR_RESET_TOKEN_INVALID);
		cr_expect_eq(find(kind, NULL, other_code), GB_ERR_RESET_TOKEN_INVALID);
		cr_expect_eq(find(kind, other, NULL), GB_OK);	/* another mail, another link */
		cr_expect(is_active(pair.access_token));
	}
}

Test(revoke, burns_the_link_of_a_change_of_address)
{
	struct gb_mailed mailed;
	struct gb_commit commit;
	const char *token;

	cr_assert_eq(gb_user_get(policy.app.store, "42", policy.call.now, policy.call.arena, &anna), GB_OK);
	gb_link_intend(&anna, "new@example.org", policy.call.now);
	gb_commit_begin(&commit, policy.call.arena);
	gb_commit_put_user(&commit, &anna);
	cr_assert_eq(gb_commit_run(&commit, policy.app.store, policy.call.now), GB_OK);
	cr_assert_eq(gb_link_issue(&policy.app, &policy.call, "42", GB_LINK_CHANGE_EMAIL, "new@example.org", &mailed), GB_OK);
	token = strstr(mailed.url, "token=") + 6;
	cr_expect_eq(find(GB_LINK_CHANGE_EMAIL, token, NULL), GB_OK);
	cr_expect_eq(gb_token_end(&policy.app, &policy.call, token), GB_OK);
	cr_expect_eq(find(GB_LINK_CHANGE_EMAIL, token, NULL), GB_ERR_RESET_TOKEN_INVALID);
}

Test(revoke, burns_the_link_of_a_registration)
{
	struct gb_pending waiting = { .id = "AAAAAAAAAAAAAAAAAAAAAA", .email = "bob@example.org", .created_at = POLICY_NOW,
		.expires_at = POLICY_NOW + 86400 };
	struct gb_mailed mailed;
	struct gb_commit commit;
	const char *token;

	gb_password_of_nobody(&policy.config, waiting.password_hash);
	gb_commit_begin(&commit, policy.call.arena);
	gb_commit_put_pending(&commit, &waiting);
	cr_assert_eq(gb_commit_run(&commit, policy.app.store, policy.call.now), GB_OK);
	cr_assert_eq(gb_link_issue_pending(&policy.app, &policy.call, waiting.id, &mailed), GB_OK);
	token = strstr(mailed.url, "token=") + 6;
	cr_expect_eq(find(GB_LINK_VERIFY_EMAIL, token, NULL), GB_OK);
	cr_expect_eq(gb_token_end(&policy.app, &policy.call, token), GB_OK);
	cr_expect_eq(find(GB_LINK_VERIFY_EMAIL, token, NULL), GB_ERR_RESET_TOKEN_INVALID);
}

/* Else a client would believe a token dead that lives. */
Test(revoke, says_unavailable_when_the_store_is)
{
	const char *code, *mailed = mailed_token(GB_LINK_RESET, &code), *tokens[] = { pair.access_token, mailed };

	for (size_t i = 0; i < 2; i++) {
		store_memory_fail(policy.memory, STORE_MEMORY_GET, STORE_MEMORY_EVERY, STORE_MEMORY_UNAVAILABLE);
		cr_expect_eq(gb_token_end(&policy.app, &policy.call, tokens[i]), GB_ERR_STORE_UNAVAILABLE);
		store_memory_fail(policy.memory, STORE_MEMORY_GET, STORE_MEMORY_EVERY, STORE_MEMORY_NO_FAULT);
		cr_expect_eq(gb_token_end(&policy.app, &policy.call, tokens[i]), GB_OK);
	}
}

static void
write_clients(const char *text)
{
	static char path[FOLDER_MAX + 32];
	FILE *file;

	snprintf(path, sizeof path, "%s/clients", policy.directory);
	file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
	policy.config.api_clients_file = path;
}


static enum gb_err
check(const char *id, const char *secret)
{
	char credentials[256], basic[512];

	snprintf(credentials, sizeof credentials, "%s:%s", id, secret);
	sodium_bin2base64(basic, sizeof basic, (unsigned char *)credentials, strlen(credentials), sodium_base64_VARIANT_ORIGINAL);
	return gb_client_check(&policy.app, &policy.call, basic);
}

static const char *
line_of(const char *id, const char *secret)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[sizeof hash * 2 + 1];

	crypto_hash_sha256(hash, (const unsigned char *)secret, strlen(secret));
	return gb_arena_printf(policy.call.arena, "%s:%s\n", id, sodium_bin2hex(hex, sizeof hex, hash, sizeof hash));
}

Test(client, is_known_by_id_and_secret_together)
{
	write_clients(gb_arena_printf(policy.call.arena, "# who may ask\n\n%s%s", line_of("shop", "secret-of-shop"), line_of("blog", "secret:of:blog")));
	cr_expect_eq(check("shop", "secret-of-shop"), GB_OK);
	cr_expect_eq(check("blog", "secret:of:blog"), GB_OK);
	cr_expect_eq(check("shop", "secret:of:blog"), GB_ERR_INVALID_CLIENT);
	cr_expect_eq(check("Shop", "secret-of-shop"), GB_ERR_INVALID_CLIENT);
	cr_expect_eq(check("shop", "secret-of-shop "), GB_ERR_INVALID_CLIENT);
	cr_expect_eq(check("shop", ""), GB_ERR_INVALID_CLIENT);
	cr_expect_eq(check("", "secret-of-shop"), GB_ERR_INVALID_CLIENT);
	cr_expect_eq(check("", ""), GB_ERR_INVALID_CLIENT);
	cr_expect_eq(check("# who may ask", "x"), GB_ERR_INVALID_CLIENT);
}

Test(client, is_nobody_without_credentials_or_file)
{
	static const char *const bad[] = { "", "x", "=", "c2hvcA==", "c2hvcDpzZWNyZXQtb2Ytc2hvc", "c2hvcDoAc2VjcmV0", NULL };

	cr_expect_eq(check("shop", "secret-of-shop"), GB_ERR_INVALID_CLIENT);
	write_clients(line_of("shop", "secret-of-shop"));
	cr_expect_eq(check("shop", "secret-of-shop"), GB_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(gb_client_check(&policy.app, &policy.call, bad[i]), GB_ERR_INVALID_CLIENT, "%zu", i);
}

Test(client, is_not_judged_by_a_file_that_is_unfit)
{
	static const char *const bad[] = { "shop", "shop:", "shop:0123", "shop:zz" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_clients(bad[i]);
		cr_expect_eq(check("shop", "secret-of-shop"), GB_ERR_MISCONFIGURED, "%s", bad[i]);
	}
	policy.config.api_clients_file = "/nonexistent";
	cr_expect_eq(check("shop", "secret-of-shop"), GB_ERR_MISCONFIGURED);
	write_clients("");
	cr_expect_eq(check("shop", "secret-of-shop"), GB_ERR_INVALID_CLIENT);
}

Test(client, is_slowed_down_after_five_wrong_secrets)
{
	write_clients(line_of("shop", "secret-of-shop"));
	policy_limits(&policy);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(check("shop", "wrong"), GB_ERR_INVALID_CLIENT);
	cr_expect_eq(check("shop", "wrong"), GB_ERR_RATE_LIMITED);
	cr_expect_eq(check("shop", "secret-of-shop"), GB_ERR_RATE_LIMITED);
	cr_expect_gt(policy.call.retry_after_s, 0);
	policy.call.now += 2;
	cr_expect_eq(check("shop", "secret-of-shop"), GB_OK);
}
