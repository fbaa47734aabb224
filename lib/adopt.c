/* SPDX-License-Identifier: MIT */
/* adopt.c: what only the operator does to accounts: bring them along from elsewhere, give them a new password. */
#include <string.h>

#include <sodium.h>

#include "notice.h"
#include "password.h"
#include "user.h"

/* Nothing is added before everything is known to be free. */
enum gb_err
gb_user_adopt(const struct gb_app *app, struct gb_call *call, struct gb_user *user, struct gb_commit *commit)
{
	uint64_t email_version, username_version = GB_VERSION_ABSENT;
	gb_store_key email, username;
	struct gb_user there;
	enum gb_err err;

	gb_key_email(email, user->email);
	if ((err = gb_name_free(app->store, email, call->now, call->arena, &email_version)) != GB_OK)
		return err;
	gb_key_username(username, user->username);
	if (user->username[0] != '\0')
		err = gb_name_free(app->store, username, call->now, call->arena, &username_version);
	if (err != GB_OK)
		return err == GB_ERR_ACCOUNT_EXISTS ? GB_ERR_INVALID_USERNAME : err;
	if (user->id[0] == '\0')
		gb_user_id_new(user->id);
	err = gb_user_get(app->store, user->id, call->now, call->arena, &there);
	user->version = there.version;
	sodium_memzero(&there, sizeof there);
	if (err != GB_ERR_NOT_FOUND)
		return err == GB_OK ? GB_ERR_INVALID_FIELD : err;
	gb_commit_put_name(commit, email, email_version, user->id, 0);
	if (user->username[0] != '\0')
		gb_commit_put_name(commit, username, username_version, user->id, 0);
	gb_commit_put_user(commit, user);
	return GB_OK;
}

static enum gb_err
password_once(const struct gb_app *app, struct gb_call *call, struct gb_user *user, const char *hash)
{
	struct gb_commit commit;
	enum gb_err err = gb_user_get(app->store, user->id, call->now, call->arena, user);

	if (err != GB_OK)
		return err;
	gb_commit_begin(&commit, call->arena);
	memcpy(user->password_hash, hash, strlen(hash) + 1);
	user->password_changed_at = call->now;
	gb_user_clear_links(user);
	gb_session_drop_all(user, NULL, &commit);
	gb_commit_put_user(&commit, user);
	return gb_commit_run(&commit, app->store, call->now);
}

enum gb_err
gb_user_set_password(const struct gb_app *app, struct gb_call *call, const char *user_id, const char *password)
{
	char hash[GB_PASSWORD_HASH_MAX + 1];
	struct gb_user user;
	unsigned round = 0;
	enum gb_err err;

	if ((err = gb_password_length(password)) != GB_OK ||
	    (err = gb_user_get(app->store, user_id, call->now, call->arena, &user)) != GB_OK ||
	    (err = gb_user_strength(app, call, user.email, user.username, password)) != GB_OK ||
	    (err = gb_password_hash(app->config, app->state, password, hash, sizeof hash)) != GB_OK)
		return err;
	do
		err = password_once(app, call, &user, hash);
	while (gb_again(&round, &err));
	if (err == GB_OK) {
		call->event = "password_set";
		gb_notice_put(app, call, GB_MAIL_NOTICE_PASSWORD, &user);
	}
	sodium_memzero(&user, sizeof user);
	return err;
}
