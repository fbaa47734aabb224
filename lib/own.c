/* SPDX-License-Identifier: MIT */
/* own.c: what somebody signed in does to his own account, once his password is proven. */
#include <string.h>

#include <sodium.h>

#include "limit.h"
#include "link.h"
#include "notice.h"
#include "password.h"
#include "user.h"

/* The limit, then (where there is a new password) its strength, then the hash: the contract's order. */
static enum gb_err
prove(const struct gb_app *app, struct gb_call *call, const struct gb_user *user, const char *password,
    const char *new_password)
{
	struct gb_attempt attempt;
	enum gb_err err;

	if ((err = gb_limit_begin(app, call, GB_ATTEMPT_SELF, user->id, false, &attempt)) != GB_OK)
		return err;
	if (new_password != NULL)
		err = gb_user_strength(app, call, user->email, user->username, new_password);
	if (err == GB_OK)
		err = gb_password_verify(app->config, app->state, user->password_hash, password);
	gb_limit_end(app, call, &attempt, err);
	if (err == GB_ERR_INVALID_CREDENTIALS)
		call->event = "password_wrong";
	return err;
}

enum gb_err
gb_user_prove(const struct gb_app *app, struct gb_call *call, const struct gb_identity *identity,
    const char *password)
{
	return prove(app, call, &identity->user, password, NULL);
}

/*
 * The account as it stands now, for somebody who proved `proven` with `password`. If the
 * stored hash is another by now, the password must fit that one.
 */
static enum gb_err
proven_get(const struct gb_app *app, struct gb_call *call, const struct gb_identity *identity,
    const char *password, struct gb_user *user)
{
	enum gb_err err = gb_user_get(app->store, identity->user.id, call->now, call->arena, user);

	if (err == GB_ERR_NOT_FOUND)
		return GB_ERR_TOKEN_REVOKED;
	if (err == GB_OK && strcmp(user->password_hash, identity->user.password_hash) != 0)
		err = gb_password_verify(app->config, app->state, user->password_hash, password);
	return err;
}

/* The session somebody acts by must still be there when he does. */
static enum gb_err
own_session_check(const struct gb_app *app, struct gb_call *call, const struct gb_identity *identity,
    struct gb_commit *commit)
{
	struct gb_session session;
	gb_store_key key;
	enum gb_err err = gb_session_get(app->store, identity->session.id, call->now, call->arena, &session);

	gb_key_session(key, identity->session.id);
	if (err == GB_OK)
		gb_commit_check(commit, key, session.version);
	sodium_memzero(&session, sizeof session);
	return err == GB_ERR_NOT_FOUND ? GB_ERR_TOKEN_REVOKED : err;
}

static enum gb_err
change_round(const struct gb_app *app, struct gb_call *call, const struct gb_identity *identity,
    const char *current_password, const char *new_hash, struct gb_user *user)
{
	struct gb_commit commit;
	enum gb_err err;

	gb_commit_begin(&commit, call->arena);
	if ((err = proven_get(app, call, identity, current_password, user)) != GB_OK ||
	    (err = own_session_check(app, call, identity, &commit)) != GB_OK)
		return err;
	gb_session_drop_all(user, identity->session.id, &commit);
	gb_user_clear_links(user);
	memcpy(user->password_hash, new_hash, strlen(new_hash) + 1);
	user->password_changed_at = call->now;
	gb_commit_put_user(&commit, user);
	return gb_commit_run(&commit, app->store, call->now);
}

enum gb_err
gb_user_change_password(const struct gb_app *app, struct gb_call *call, const struct gb_identity *identity,
    const char *current_password, const char *new_password)
{
	char new_hash[GB_PASSWORD_HASH_MAX + 1];
	struct gb_user user;
	unsigned round = 0;
	enum gb_err err;

	if ((err = gb_password_length(new_password)) != GB_OK ||
	    (err = prove(app, call, &identity->user, current_password, new_password)) != GB_OK ||
	    (err = gb_password_hash(app->config, app->state, new_password, new_hash, sizeof new_hash)) != GB_OK)
		return err;
	do
		err = change_round(app, call, identity, current_password, new_hash, &user);
	while (gb_again(&round, &err));
	if (err == GB_OK) {
		call->event = "password_changed";
		gb_notice_put(app, call, GB_MAIL_NOTICE_PASSWORD, &user);
	}
	sodium_memzero(&user, sizeof user);
	return err;
}

/* Whoever ended the own session meanwhile took its id out of u:, on which the commit rests. */
static enum gb_err
delete_round(const struct gb_app *app, struct gb_call *call, const struct gb_identity *identity,
    const char *current_password, struct gb_user *user)
{
	struct gb_commit commit;
	gb_store_key key;
	enum gb_err err = proven_get(app, call, identity, current_password, user);

	if (err == GB_OK && !gb_session_forget(user, identity->session.id))
		err = GB_ERR_TOKEN_REVOKED;
	if (err != GB_OK)
		return err;
	gb_commit_begin(&commit, call->arena);
	gb_key_session(key, identity->session.id);
	gb_commit_delete(&commit, key, GB_VERSION_ANY);
	return gb_user_delete_commit(app, call, user, &commit);
}

enum gb_err
gb_user_delete_own(const struct gb_app *app, struct gb_call *call, const struct gb_identity *identity,
    const char *current_password)
{
	struct gb_user user;
	unsigned round = 0;
	enum gb_err err;

	if ((err = prove(app, call, &identity->user, current_password, NULL)) != GB_OK)
		return err;
	do
		err = delete_round(app, call, identity, current_password, &user);
	while (gb_again(&round, &err));
	if (err == GB_OK)
		call->event = "account_deleted";
	sodium_memzero(&user, sizeof user);
	return err;
}
