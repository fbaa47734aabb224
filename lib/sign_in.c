/* SPDX-License-Identifier: MIT */
/* sign_in.c: a password for a session, at the same cost for every name. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "device.h"
#include "limit.h"
#include "notice.h"
#include "password.h"
#include "text.h"
#include "user.h"

struct sign_in {
	const struct gb_login_form *form;
	char canonical[GB_EMAIL_MAX + 1];
	const char *whose;		/* canonical; as typed where that is malformed */
	bool well_formed, found;
	gb_store_key key;		/* e: or n: */
	uint64_t key_version;
	char proven[GB_PASSWORD_HASH_MAX + 1];	/* the stored hash that the password fits; "" before */
	char renewed[GB_PASSWORD_HASH_MAX + 1];	/* of the current cost, in place of `proven`; "": none */
	bool new_place;			/* the owner knows others, and not this one */
};

static void
name_read(const struct gb_login_form *form, struct sign_in *s)
{
	*s = (struct sign_in){ .form = form, .whose = form->email != NULL ? form->email : form->username };
	if (form->email != NULL && gb_email_parse(form->email, s->canonical) == GB_OK)
		gb_key_email(s->key, s->canonical);
	else if (form->email == NULL && gb_username_canonical(form->username, s->canonical) == GB_OK)
		gb_key_username(s->key, s->canonical);
	s->well_formed = s->key[0] != '\0';
	if (s->well_formed)
		s->whose = s->canonical;
}

/* GB_OK also when there is no such account: the answer must not come sooner. */
static enum gb_err
account_find(const struct gb_app *app, struct gb_call *call, struct sign_in *s, struct gb_user *user)
{
	char id[GB_USER_ID_MAX + 1];
	enum gb_err err = GB_ERR_NOT_FOUND;

	*user = (struct gb_user){ 0 };
	if (s->well_formed)
		err = gb_user_id_get(app->store, s->key, call->now, call->arena, id, &s->key_version);
	if (err == GB_OK)
		err = gb_user_get(app->store, id, call->now, call->arena, user);
	s->found = err == GB_OK;
	return err == GB_ERR_NOT_FOUND ? GB_OK : err;
}

/* One hash a request; again only if the stored one changed meanwhile. */
static enum gb_err
prove(const struct gb_app *app, struct sign_in *s, const struct gb_user *user)
{
	const char *stored = s->found && !user->locked ? user->password_hash : NULL;
	enum gb_err err;

	if (stored != NULL && s->proven[0] != '\0' && strcmp(stored, s->proven) == 0)
		return GB_OK;
	if ((err = gb_password_verify(app->config, app->state, stored, s->form->password)) == GB_OK)
		memcpy(s->proven, stored, strlen(stored) + 1);
	return err;
}

/* Where there is no slot or memory for the new hash, the old one stays and is renewed another time. */
static void
hash_renew(const struct gb_app *app, struct sign_in *s, struct gb_user *user)
{
	if (s->renewed[0] == '\0' && gb_password_needs_rehash(app->config, s->proven) &&
	    gb_password_hash(app->config, app->state, s->form->password, s->renewed, sizeof s->renewed) != GB_OK)
		s->renewed[0] = '\0';
	if (s->renewed[0] != '\0')
		memcpy(user->password_hash, s->renewed, sizeof user->password_hash);
}

static enum gb_err
sign_in_round(const struct gb_app *app, struct gb_call *call, struct sign_in *s, struct gb_user *user,
    struct gb_token_pair *pair)
{
	struct gb_commit commit;
	enum gb_err err;

	if ((err = prove(app, s, user)) != GB_OK)
		return err;
	hash_renew(app, s, user);
	s->new_place = user->known_blocks_len > 0 && !gb_device_known(app, call, user);
	if (user->language[0] == '\0')
		snprintf(user->language, sizeof user->language, "%s",
		    gb_text_language(call->language, app->config->default_language));
	gb_commit_begin(&commit, call->arena);
	gb_commit_check(&commit, s->key, s->key_version);
	return gb_token_issue(app, call, user, s->form->gate, s->form->replaced, &commit, pair);
}

/* From an account that was looked up, known or not, to the verdict. */
static enum gb_err
sign_in(const struct gb_app *app, struct gb_call *call, struct sign_in *s, struct gb_user *user,
    struct gb_token_pair *pair)
{
	unsigned round = 0;
	enum gb_err err = GB_OK;

	do {
		if (round > 0)
			err = account_find(app, call, s, user);
		if (err == GB_OK)
			err = sign_in_round(app, call, s, user, pair);
	} while (gb_again(&round, &err));
	return err;
}

enum gb_err
gb_user_login(const struct gb_app *app, struct gb_call *call, const struct gb_login_form *form,
    struct gb_user *user, struct gb_token_pair *pair)
{
	struct gb_attempt attempt;
	struct sign_in s;
	enum gb_err err;

	*pair = (struct gb_token_pair){ 0 };
	name_read(form, &s);
	if ((err = gb_limit_count(app, call, GB_LIMIT_SIGN_IN, call->address)) != GB_OK ||
	    (err = account_find(app, call, &s, user)) != GB_OK ||
	    (err = gb_limit_begin(app, call, GB_ATTEMPT_NAME, s.whose,
	    s.found && gb_device_known(app, call, user), &attempt)) != GB_OK)
		return err;
	err = sign_in(app, call, &s, user, pair);
	gb_limit_end(app, call, &attempt, err);
	if (err == GB_OK) {
		call->event = "login";
		if (s.new_place)
			gb_notice_put(app, call, GB_MAIL_NOTICE_DEVICE, user);
	} else if (err == GB_ERR_INVALID_CREDENTIALS) {
		call->event = "login_failed";
	}
	sodium_memzero(&s, sizeof s);
	return err;
}
