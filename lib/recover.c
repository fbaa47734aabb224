/* SPDX-License-Identifier: MIT */
/* recover.c: forgot, reset, verify and change of address: each decision is one commit. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "limit.h"
#include "link.h"
#include "notice.h"
#include "password.h"
#include "spool.h"
#include "user.h"

/* The same for every address: nothing is looked up before the answer. */
static enum gb_err
ask(const struct gb_app *app, struct gb_call *call, enum gb_mail_kind kind, const char *email)
{
	struct gb_spool_entry entry = { .kind = kind };
	enum gb_err err;

	if ((err = gb_email_parse(email, entry.email)) != GB_OK ||
	    (err = gb_limit_count(app, call, GB_LIMIT_FORGOT, call->address)) != GB_OK)
		return err;
	return gb_spool_put(app, call, &entry);
}

enum gb_err
gb_forgot_password(const struct gb_app *app, struct gb_call *call, const char *email)
{
	return ask(app, call, GB_MAIL_RESET, email);
}

enum gb_err
gb_verify_email_again(const struct gb_app *app, struct gb_call *call, const char *email)
{
	return ask(app, call, GB_MAIL_VERIFY, email);
}

/* u: read again, if what was found in it still stands. */
static enum gb_err
user_again(const struct gb_app *app, struct gb_call *call, const struct gb_found_link *found, struct gb_user *user)
{
	enum gb_err err = gb_user_get(app->store, found->user.id, call->now, call->arena, user);

	if (err == GB_ERR_NOT_FOUND || (err == GB_OK && !gb_link_stands(user, &found->link, call->now)))
		return GB_ERR_RESET_TOKEN_INVALID;
	return err;
}

static enum gb_err
reset_once(const struct gb_app *app, struct gb_call *call, const struct gb_found_link *found, const char *hash)
{
	struct gb_commit commit;
	struct gb_user user;
	enum gb_err err;

	gb_commit_begin(&commit, call->arena);
	if ((err = user_again(app, call, found, &user)) != GB_OK)
		return err;
	snprintf(user.password_hash, sizeof user.password_hash, "%s", hash);
	user.password_changed_at = call->now;
	user.email_verified = true;
	gb_user_clear_links(&user);
	gb_session_drop_all(&user, NULL, &commit);
	gb_commit_put_user(&commit, &user);
	return gb_commit_run(&commit, app->store, call->now);
}

enum gb_err
gb_reset_password(const struct gb_app *app, struct gb_call *call,
    const struct gb_link_proof *proof, const char *new_password)
{
	char hash[GB_PASSWORD_HASH_MAX + 1], email[GB_EMAIL_MAX + 1];
	struct gb_found_link found;
	unsigned round = 0;
	enum gb_err err;

	if ((proof->token == NULL && (err = gb_email_parse(proof->email, email)) != GB_OK) ||
	    (err = gb_password_length(new_password)) != GB_OK ||
	    (err = gb_link_find(app, call, GB_LINK_RESET, proof, &found)) != GB_OK ||
	    (err = gb_user_strength(app, call, found.user.email, found.user.username, new_password)) != GB_OK ||
	    (err = gb_password_hash(app->config, app->state, new_password, hash, sizeof hash)) != GB_OK)
		return err;
	do
		err = reset_once(app, call, &found, hash);
	while (gb_again(&round, &err));
	sodium_memzero(hash, sizeof hash);
	if (err == GB_OK) {
		call->event = "password_reset";
		gb_notice_put(app, call, GB_MAIL_NOTICE_PASSWORD, &found.user);
	}
	return err;
}

static enum gb_err
verify_once(const struct gb_app *app, struct gb_call *call, const struct gb_found_link *found)
{
	struct gb_commit commit;
	struct gb_user user;
	enum gb_err err;

	gb_commit_begin(&commit, call->arena);
	if ((err = user_again(app, call, found, &user)) != GB_OK)
		return err;
	user.email_verified = true;
	gb_user_clear_links(&user);
	gb_commit_put_user(&commit, &user);
	return gb_commit_run(&commit, app->store, call->now);
}

/* p: read again, if the link that was found is still its link. */
static enum gb_err
pending_again(const struct gb_app *app, struct gb_call *call, const struct gb_found_link *found,
    struct gb_pending *pending)
{
	enum gb_err err = gb_pending_get(app->store, found->pending_id, call->now, call->arena, pending);

	if (err == GB_ERR_NOT_FOUND || (err == GB_OK &&
	    sodium_memcmp(pending->id_hash, found->link.id_hash, GB_LINK_HASH_LEN) != 0))
		return GB_ERR_RESET_TOKEN_INVALID;
	return err;
}

static void
user_from(const struct gb_pending *pending, struct gb_user *user)
{
	*user = (struct gb_user){ .email_verified = true };
	memcpy(user->email, pending->email, sizeof user->email);
	memcpy(user->username, pending->username, sizeof user->username);
	memcpy(user->password_hash, pending->password_hash, sizeof user->password_hash);
	memcpy(user->language, pending->language, sizeof user->language);
}

static enum gb_err
activate_once(const struct gb_app *app, struct gb_call *call, const struct gb_found_link *found)
{
	struct gb_commit commit;
	struct gb_pending pending;
	struct gb_user user;
	gb_store_key key;
	enum gb_err err;

	if ((err = pending_again(app, call, found, &pending)) != GB_OK)
		return err;
	user_from(&pending, &user);
	if ((err = gb_user_begin(app, call, &user, &commit)) != GB_OK)
		return err;
	gb_key_pending(key, pending.id);
	gb_commit_delete(&commit, key, pending.version);
	gb_commit_put_user(&commit, &user);
	return gb_commit_run(&commit, app->store, call->now);
}

/* Whoever opens a mailbox that somebody else typed must not get the account: the password binds the two. */
static enum gb_err
pending_prove(const struct gb_app *app, struct gb_call *call, const struct gb_found_link *found, const char *password)
{
	struct gb_attempt attempt;
	struct gb_pending pending;
	enum gb_err err;

	if ((err = gb_limit_begin(app, call, GB_ATTEMPT_SELF, found->pending_id, false, &attempt)) != GB_OK)
		return err;
	if ((err = pending_again(app, call, found, &pending)) == GB_OK)
		err = gb_password_verify(app->config, app->state, pending.password_hash, password);
	sodium_memzero(&pending, sizeof pending);
	gb_limit_end(app, call, &attempt, err);
	return err;
}

enum gb_err
gb_verify_email(const struct gb_app *app, struct gb_call *call,
    const struct gb_link_proof *proof, const char *password)
{
	struct gb_found_link found;
	unsigned round = 0;
	enum gb_err err;

	if ((err = gb_link_find(app, call, GB_LINK_VERIFY_EMAIL, proof, &found)) != GB_OK)
		return err;
	if (found.pending_id[0] != '\0') {
		if (password == NULL)
			return GB_ERR_MISSING_FIELD;
		if ((err = pending_prove(app, call, &found, password)) != GB_OK)
			return err;
	}
	do
		err = found.pending_id[0] != '\0' ? activate_once(app, call, &found) : verify_once(app, call, &found);
	while (gb_again(&round, &err));
	if (err == GB_OK)
		call->event = "email_verified";
	return err;
}

/* u: as the password was proven against it, and the session that asks, checked by the same commit. */
static enum gb_err
intend_once(const struct gb_app *app, struct gb_call *call, const struct gb_identity *identity, const char *target)
{
	struct gb_commit commit;
	struct gb_session session;
	struct gb_user user;
	gb_store_key key;
	enum gb_err err;

	gb_commit_begin(&commit, call->arena);
	if ((err = gb_session_get(app->store, identity->session.id, call->now, call->arena, &session)) == GB_OK)
		err = gb_user_get(app->store, identity->user.id, call->now, call->arena, &user);
	if (err == GB_ERR_NOT_FOUND || (err == GB_OK && strcmp(user.password_hash, identity->user.password_hash) != 0))
		return GB_ERR_TOKEN_REVOKED;
	if (err != GB_OK)
		return err;
	gb_link_intend(&user, target, call->now);
	gb_commit_put_user(&commit, &user);
	gb_key_session(key, session.id);
	gb_commit_check(&commit, key, session.version);
	return gb_commit_run(&commit, app->store, call->now);
}

static enum gb_err
change_put(const struct gb_app *app, struct gb_call *call, const struct gb_user *user, const char *target)
{
	struct gb_spool_entry entry = { .kind = GB_MAIL_CHANGE_EMAIL };

	memcpy(entry.email, user->email, sizeof entry.email);
	memcpy(entry.user_id, user->id, sizeof entry.user_id);
	memcpy(entry.target, target, strlen(target) + 1);
	memcpy(entry.language, user->language, sizeof entry.language);
	return gb_spool_put(app, call, &entry);
}

enum gb_err
gb_change_email_begin(const struct gb_app *app, struct gb_call *call,
    const struct gb_identity *identity, const char *current_password, const char *new_email)
{
	char target[GB_EMAIL_MAX + 1];
	unsigned round = 0;
	enum gb_err err;

	if ((err = gb_email_parse(new_email, target)) != GB_OK ||
	    (err = gb_user_prove(app, call, identity, current_password)) != GB_OK)
		return err;
	if (strcmp(target, identity->user.email) == 0)
		return GB_ERR_ACCOUNT_EXISTS;
	do
		err = intend_once(app, call, identity, target);
	while (gb_again(&round, &err));
	if (err != GB_OK || (err = change_put(app, call, &identity->user, target)) != GB_OK)
		return err;
	call->event = "email_change";
	gb_notice_put(app, call, GB_MAIL_NOTICE_EMAIL, &identity->user);
	return GB_OK;
}

static enum gb_err
change_once(const struct gb_app *app, struct gb_call *call, const struct gb_found_link *found)
{
	char owner[GB_USER_ID_MAX + 1];
	struct gb_commit commit;
	struct gb_user user;
	gb_store_key key;
	uint64_t version;
	enum gb_err err;

	gb_commit_begin(&commit, call->arena);
	if ((err = user_again(app, call, found, &user)) != GB_OK)
		return err;
	gb_key_email(key, found->link.target);
	if ((err = gb_name_take(app, call, key, user.id, &commit)) != GB_OK)
		return err;
	gb_key_email(key, user.email);
	if ((err = gb_user_id_get(app->store, key, call->now, call->arena, owner, &version)) != GB_OK)
		return err == GB_ERR_NOT_FOUND ? GB_ERR_CONFLICT : err;
	gb_commit_delete(&commit, key, version);
	memcpy(user.email, found->link.target, sizeof user.email);
	user.email_verified = true;
	gb_user_clear_links(&user);
	gb_commit_put_user(&commit, &user);
	return gb_commit_run(&commit, app->store, call->now);
}

enum gb_err
gb_change_email_finish(const struct gb_app *app, struct gb_call *call, const char *token)
{
	const struct gb_link_proof proof = { .token = token };
	struct gb_found_link found;
	unsigned round = 0;
	enum gb_err err;

	if ((err = gb_link_find(app, call, GB_LINK_CHANGE_EMAIL, &proof, &found)) != GB_OK)
		return err;
	do
		err = change_once(app, call, &found);
	while (gb_again(&round, &err));
	if (err == GB_OK)
		call->event = "email_changed";
	return err;
}
