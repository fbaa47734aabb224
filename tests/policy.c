/* SPDX-License-Identifier: MIT */
/* policy.c: what policy tests stand on. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "limit.h"
#include "policy.h"
#include "spool.h"

#define FIREFOX "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

static const struct gb_config settings = {
	.app_env = GB_ENV_TESTING,
	.jwt_key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	.algorithm = "HS256", .allowed_algorithms = "HS256",
	.access_ttl_s = 86400, .refresh_ttl_s = 172800, .email_ttl_s = 1800, .refresh_grace_s = 10,
	.frontend_url = "http://127.0.0.1:8080", .frontend_origin = "http://127.0.0.1:8080", .frontend_path = "",
	.site_name = "guardbee", .default_language = "en", .notice_mails = true,
	.reserved_usernames = "admin administrator root", .password_min_length = 8, .password_min_score = 2,
	.argon2_memory_cost = 7168, .argon2_time_cost = 1, .hash_slots = 2, .sessions_per_user = 32,
};

void
policy_open(struct policy *policy)
{
	char why[256] = "";

	*policy = (struct policy){ .config = settings };
	folder_make(policy->base);
	snprintf(policy->directory, sizeof policy->directory, "%s/state", policy->base);
	policy->config.state = policy->directory;
	policy->app.config = &policy->config;
	cr_assert_eq(gb_state_open(policy->directory, why, sizeof why, &policy->app.state), GB_OK, "%s", why);
	cr_assert_eq(gb_keyring_open(&policy->config, GB_KEYS_SIGN, POLICY_NOW, why, sizeof why,
	    &policy->app.keyring), GB_OK, "%s", why);
	policy->memory = store_memory_new(&policy->app.store);
	policy->call = (struct gb_call){
		.now = POLICY_NOW, .arena = gb_arena_new(), .address = "192.0.2.7",
		.user_agent = FIREFOX, .language = "en",
	};
	cr_assert(policy->memory != NULL && policy->call.arena != NULL);
}

void
policy_limits(struct policy *policy)
{
	char why[256] = "";

	policy->config.rate_limits = true;
	cr_assert_eq(gb_limit_open(policy->app.state, why, sizeof why, &policy->app.limit), GB_OK, "%s", why);
}

void
policy_close(struct policy *policy)
{
	gb_limit_close(policy->app.limit);
	gb_store_close(policy->app.store);
	gb_keyring_close(policy->app.keyring);
	gb_state_close(policy->app.state);
	gb_arena_free(policy->call.arena);
	folder_remove(policy->base);
}

void
policy_user(struct policy *policy, const char *id, const char *email, const char *username, struct gb_user *user)
{
	struct gb_commit commit;
	gb_store_key key;

	*user = (struct gb_user){ .email_verified = true, .created_at = POLICY_NOW - 1000 };
	snprintf(user->id, sizeof user->id, "%s", id);
	snprintf(user->email, sizeof user->email, "%s", email);
	snprintf(user->username, sizeof user->username, "%s", username != NULL ? username : "");
	gb_commit_begin(&commit, policy->call.arena);
	gb_commit_put_user(&commit, user);
	gb_key_email(key, email);
	gb_commit_put_name(&commit, key, GB_VERSION_ABSENT, id, 0);
	if (username != NULL) {
		gb_key_username(key, username);
		gb_commit_put_name(&commit, key, GB_VERSION_ABSENT, id, 0);
	}
	cr_assert_eq(gb_commit_run(&commit, policy->app.store, policy->call.now), GB_OK);
	cr_assert_eq(gb_user_get(policy->app.store, id, policy->call.now, policy->call.arena, user), GB_OK);
}

void
policy_session(struct policy *policy, const char *id, bool gate, struct gb_token_pair *pair)
{
	struct gb_commit commit;
	struct gb_user user;

	cr_assert_eq(gb_user_get(policy->app.store, id, policy->call.now, policy->call.arena, &user), GB_OK);
	gb_commit_begin(&commit, policy->call.arena);
	cr_assert_eq(gb_token_issue(&policy->app, &policy->call, &user, gate, NULL, &commit, pair), GB_OK);
}

bool
policy_session_of(struct policy *policy, const struct gb_token_pair *pair, struct gb_session *session)
{
	unsigned char id[GB_SESSION_ID_LEN];
	enum gb_err err;

	cr_assert(gb_session_id_parse(pair->session_id, id));
	err = gb_session_get(policy->app.store, id, policy->call.now, policy->call.arena, session);
	cr_assert(err == GB_OK || err == GB_ERR_NOT_FOUND);
	return err == GB_OK;
}

void
policy_session_put(struct policy *policy, struct gb_session *session)
{
	struct gb_session there;
	struct gb_commit commit;

	gb_session_get(policy->app.store, session->id, policy->call.now, policy->call.arena, &there);
	session->version = there.version;
	gb_commit_begin(&commit, policy->call.arena);
	gb_commit_put_session(&commit, session);
	cr_assert_eq(gb_commit_run(&commit, policy->app.store, policy->call.now), GB_OK);
}

unsigned
policy_mails(struct policy *policy, enum gb_mail_kind kind)
{
	gb_spool_name names[32];
	struct gb_spool_entry entry;
	unsigned n = 0;
	size_t len;

	cr_assert_eq(gb_spool_names(policy->app.state, INT64_MAX, names, 32, &len), GB_OK);
	for (size_t i = 0; i < len; i++)
		if (gb_spool_read(policy->app.state, names[i], policy->call.arena, &entry) == GB_OK)
			n += entry.kind == kind;
	return n;
}
