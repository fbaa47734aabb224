/* SPDX-License-Identifier: MIT */
/* register.c: new accounts, and what a new password must be like. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base64url.h"
#include "limit.h"
#include "notice.h"
#include "password.h"
#include "text.h"
#include "user.h"

#define OWN_WORDS_MAX	28		/* beside address, local part, domain, user name, site name */
#define ID_MASK		((UINT64_C(1) << 53) - 1)

/* A registration whose spelling was found good. */
struct registration {
	char email[GB_EMAIL_MAX + 1];
	char username[GB_USERNAME_MAX + 1];
	char password_hash[GB_PASSWORD_HASH_MAX + 1];
	bool email_verified;
};

enum gb_err
gb_password_length(const char *password)
{
	return strnlen(password, GB_PASSWORD_MAX + 1) <= GB_PASSWORD_MAX ? GB_OK : GB_ERR_PASSWORD_TOO_LONG;
}

/* The address as a whole, its two sides, and their parts. False when there is no memory. */
static bool
words_of_email(struct gb_arena *arena, const char *email, const char **words, size_t *words_len)
{
	const char *at = strchr(email, '@');
	char *parts = gb_arena_copy(arena, email, strlen(email)), *rest = NULL, *part;

	words[(*words_len)++] = email;
	if (at != NULL) {
		words[(*words_len)++] = gb_arena_copy(arena, email, (size_t)(at - email));
		words[(*words_len)++] = at + 1;
	}
	if (parts == NULL || (at != NULL && words[1] == NULL))
		return false;
	part = strtok_r(parts, "@.+_-", &rest);
	for (size_t n = 0; part != NULL && n < OWN_WORDS_MAX; n++, part = strtok_r(NULL, "@.+_-", &rest))
		words[(*words_len)++] = part;
	return true;
}

enum gb_err
gb_user_strength(const struct gb_app *app, struct gb_call *call, const char *email, const char *username,
    const char *password)
{
	const char *words[OWN_WORDS_MAX + 6];
	size_t len = 0;

	if (!words_of_email(call->arena, email, words, &len))
		return GB_ERR_MEMORY;
	if (username != NULL)
		words[len++] = username;
	if (app->config->site_name != NULL)
		words[len++] = app->config->site_name;
	words[len] = NULL;
	return gb_password_strength(app->config, password, words, &call->weak_reasons);
}

void
gb_user_id_new(char id[static GB_USER_ID_MAX + 1])
{
	uint64_t number;

	do {
		randombytes_buf(&number, sizeof number);
		number &= ID_MASK;
	} while (number == 0);
	snprintf(id, GB_USER_ID_MAX + 1, "%llu", (unsigned long long)number);
}

enum gb_err
gb_name_take(const struct gb_app *app, struct gb_call *call, const gb_store_key key, const char *user_id,
    struct gb_commit *commit)
{
	uint64_t version;
	enum gb_err err = gb_name_free(app->store, key, call->now, call->arena, &version);

	if (err == GB_OK)
		gb_commit_put_name(commit, key, version, user_id, 0);
	return err;
}

enum gb_err
gb_user_begin(const struct gb_app *app, struct gb_call *call, struct gb_user *user, struct gb_commit *commit)
{
	gb_store_key key;
	enum gb_err err;

	gb_user_id_new(user->id);
	user->created_at = user->password_changed_at = call->now;
	user->version = GB_VERSION_ABSENT;
	gb_commit_begin(commit, call->arena);
	gb_key_email(key, user->email);
	if ((err = gb_name_take(app, call, key, user->id, commit)) != GB_OK || user->username[0] == '\0')
		return err;
	gb_key_username(key, user->username);
	return gb_name_take(app, call, key, user->id, commit);
}

static enum gb_err
user_new(const struct gb_app *app, struct gb_call *call, const struct registration *r, struct gb_user *user,
    struct gb_commit *commit)
{
	*user = (struct gb_user){ .email_verified = r->email_verified };
	memcpy(user->email, r->email, sizeof user->email);
	memcpy(user->username, r->username, sizeof user->username);
	memcpy(user->password_hash, r->password_hash, sizeof user->password_hash);
	return gb_user_begin(app, call, user, commit);
}

static enum gb_err
register_open(const struct gb_app *app, struct gb_call *call, const struct gb_registration_form *form,
    const struct registration *r, struct gb_user *user, struct gb_token_pair *pair)
{
	struct gb_commit commit;
	unsigned round = 0;
	enum gb_err err;

	do {
		if ((err = user_new(app, call, r, user, &commit)) != GB_OK)
			return err;
		snprintf(user->language, sizeof user->language, "%s",
		    gb_text_language(call->language, app->config->default_language));
		err = gb_token_issue(app, call, user, form->gate, form->replaced, &commit, pair);
	} while (gb_again(&round, &err));
	if (err != GB_OK)
		return err;
	/* the account stands: a spool that is full must not say otherwise, and the link can be asked for again */
	call->event = gb_notice_put(app, call, GB_MAIL_VERIFY, user) == GB_OK ? "register" : "register_unmailed";
	return GB_OK;
}

static enum gb_err
pending_put(const struct gb_app *app, struct gb_call *call, const struct registration *r, struct gb_spool_entry *entry)
{
	struct gb_pending pending = {
		.created_at = call->now, .version = GB_VERSION_ABSENT,
		.expires_at = call->now + GB_SPOOL_KEEP_S + app->config->email_ttl_s,
	};
	unsigned char id[GB_SESSION_ID_LEN];
	struct gb_commit commit;

	randombytes_buf(id, sizeof id);
	gb_session_id_text(id, pending.id);
	memcpy(pending.email, r->email, sizeof pending.email);
	memcpy(pending.username, r->username, sizeof pending.username);
	memcpy(pending.password_hash, r->password_hash, sizeof pending.password_hash);
	snprintf(pending.language, sizeof pending.language, "%s",
	    gb_text_language(call->language, app->config->default_language));
	memcpy(entry->email, pending.email, sizeof entry->email);
	memcpy(entry->pending_id, pending.id, sizeof entry->pending_id);
	gb_commit_begin(&commit, call->arena);
	gb_commit_put_pending(&commit, &pending);
	return gb_commit_run(&commit, app->store, call->now);
}

/* The same for a taken address as for a free one: e: is not even looked at. User names are no secret. */
static enum gb_err
register_pending(const struct gb_app *app, struct gb_call *call, const struct registration *r)
{
	struct gb_spool_entry entry = { .kind = GB_MAIL_PENDING };
	unsigned round = 0;
	uint64_t version;
	gb_store_key key;
	enum gb_err err = GB_OK;

	if (r->username[0] != '\0') {
		gb_key_username(key, r->username);
		err = gb_name_free(app->store, key, call->now, call->arena, &version);
	}
	if (err != GB_OK)
		return err;
	do
		err = pending_put(app, call, r, &entry);
	while (gb_again(&round, &err));
	if (err == GB_OK)
		err = gb_spool_put(app, call, &entry);
	if (err == GB_OK)
		call->event = "register_pending";
	return err;
}

static enum gb_err
registration_read(const struct gb_app *app, const struct gb_registration_form *form, struct registration *r)
{
	enum gb_err err;

	*r = (struct registration){ 0 };
	if (app->config->registration == GB_REGISTRATION_CLOSED)
		return GB_ERR_REGISTRATION_CLOSED;
	if ((err = gb_email_parse(form->email, r->email)) != GB_OK)
		return err;
	if (form->username != NULL && (err = gb_username_parse(app->config, form->username, r->username)) != GB_OK)
		return err;
	return gb_password_length(form->password);
}

enum gb_err
gb_user_register(const struct gb_app *app, struct gb_call *call, const struct gb_registration_form *form,
    struct gb_user *user, struct gb_token_pair *pair)
{
	struct registration r;
	enum gb_err err;

	*user = (struct gb_user){ 0 };
	*pair = (struct gb_token_pair){ 0 };
	if ((err = registration_read(app, form, &r)) != GB_OK ||
	    (err = gb_limit_count(app, call, GB_LIMIT_REGISTER, call->address)) != GB_OK ||
	    (err = gb_user_strength(app, call, r.email, form->username, form->password)) != GB_OK ||
	    (err = gb_password_hash(app->config, app->state, form->password, r.password_hash,
	    sizeof r.password_hash)) != GB_OK)
		return err;
	if (app->config->registration == GB_REGISTRATION_VERIFY)
		err = register_pending(app, call, &r);
	else
		err = register_open(app, call, form, &r, user, pair);
	sodium_memzero(&r, sizeof r);
	return err;
}

enum gb_err
gb_user_add(const struct gb_app *app, struct gb_call *call, const char *email, const char *username,
    const char *password, struct gb_user *user)
{
	struct registration r = { .email_verified = true };
	struct gb_commit commit;
	unsigned round = 0;
	enum gb_err err;

	*user = (struct gb_user){ 0 };
	if ((err = gb_email_parse(email, r.email)) != GB_OK ||
	    (username != NULL && (err = gb_username_canonical(username, r.username)) != GB_OK) ||
	    (err = gb_password_length(password)) != GB_OK ||
	    (err = gb_user_strength(app, call, r.email, username, password)) != GB_OK ||
	    (err = gb_password_hash(app->config, app->state, password, r.password_hash, sizeof r.password_hash)) != GB_OK)
		return err;
	do {
		if ((err = user_new(app, call, &r, user, &commit)) != GB_OK)
			break;
		gb_commit_put_user(&commit, user);
		err = gb_commit_run(&commit, app->store, call->now);
	} while (gb_again(&round, &err));
	if (err == GB_OK)
		call->event = "account_added";
	sodium_memzero(&r, sizeof r);
	return err;
}
