/* SPDX-License-Identifier: MIT */
/* introspect.c: is this token good now? */
#include <string.h>

#include <sodium.h>

#include "introspect.h"
#include "refresh_id.h"

/* A failure of ours is never a verdict. */
static bool
is_ours(enum gb_err err)
{
	return err >= GB_ERR_INTERNAL;
}

static void
set_active(struct gb_call *call, const struct gb_user *user, enum gb_purpose purpose, const struct gb_claims *claims,
    struct gb_introspection *found)
{
	found->active = true;
	found->purpose = purpose;
	found->claims = *claims;
	if (user->username[0] != '\0')
		found->username = gb_arena_copy(call->arena, user->username, strlen(user->username));
}

static enum gb_err
as_access(const struct gb_app *app, struct gb_call *call, const char *token, struct gb_introspection *found)
{
	struct gb_identity identity;
	struct gb_claims claims;
	enum gb_err err;

	if ((err = gb_token_check(app, call, token, &identity)) != GB_OK ||
	    (err = gb_jwt_verify(app->keyring, &app->jwt, GB_PURPOSE_ACCESS, token, call->now, call->arena, &claims)) != GB_OK)
		return err;
	set_active(call, &identity.user, GB_PURPOSE_ACCESS, &claims, found);
	sodium_memzero(&identity, sizeof identity);
	return GB_OK;
}

static bool
session_takes(const struct gb_app *app, const struct gb_call *call, const struct gb_session *session, const struct gb_claims *claims)
{
	return strcmp(session->user_id, claims->subject) == 0 && gb_refresh_is_current(session, claims->jwt_id) &&
	    (session->max_at == 0 || call->now < session->max_at) &&
	    call->now < session->refresh_expires_at + app->config->leeway_s;
}

static enum gb_err
as_refresh(const struct gb_app *app, struct gb_call *call, const char *token, struct gb_introspection *found)
{
	unsigned char id[GB_SESSION_ID_LEN];
	struct gb_session session;
	struct gb_claims claims;
	struct gb_user user;
	enum gb_err err;

	if ((err = gb_jwt_verify(app->keyring, &app->jwt, GB_PURPOSE_REFRESH, token, call->now, call->arena, &claims)) != GB_OK)
		return err;
	if (!gb_session_id_parse(claims.session_id, id))
		return GB_ERR_CLAIM;
	if ((err = gb_session_get(app->store, id, call->now, call->arena, &session)) != GB_OK ||
	    (err = gb_user_get(app->store, claims.subject, call->now, call->arena, &user)) != GB_OK)
		return err;
	if (!user.locked && session_takes(app, call, &session, &claims))
		set_active(call, &user, GB_PURPOSE_REFRESH, &claims, found);
	sodium_memzero(&session, sizeof session);
	return GB_OK;
}

enum gb_err
gb_token_introspect(const struct gb_app *app, struct gb_call *call, const char *token, struct gb_introspection *found)
{
	enum gb_err err;

	*found = (struct gb_introspection){ 0 };
	if ((err = as_access(app, call, token, found)) == GB_OK || is_ours(err))
		return err;
	err = as_refresh(app, call, token, found);
	return is_ours(err) ? err : GB_OK;
}

void
gb_introspection_json(struct gb_json_writer *writer, const struct gb_jwt_policy *policy, const struct gb_introspection *found)
{
	const struct gb_claims *claims = &found->claims;

	gb_json_open(writer, NULL, '{');
	gb_json_put_boolean(writer, "active", found->active);
	if (found->active) {
		if (found->purpose == GB_PURPOSE_ACCESS)
			gb_json_put_string(writer, "token_type", "Bearer");
		gb_json_put_string(writer, "type", gb_purpose_name(found->purpose));
		gb_json_put_string(writer, "sub", claims->subject);
		if (found->username != NULL)
			gb_json_put_string(writer, "username", found->username);
		gb_json_put_string(writer, "sid", claims->session_id);
		gb_json_put_string(writer, "jti", claims->jwt_id);
		gb_json_put_integer(writer, "iat", claims->issued_at);
		gb_json_put_integer(writer, "nbf", claims->not_before);
		gb_json_put_integer(writer, "exp", claims->expires_at);
		if (policy->issuer != NULL)
			gb_json_put_string(writer, "iss", policy->issuer);
		if (policy->audience != NULL)
			gb_json_put_string(writer, "aud", policy->audience);
	}
	gb_json_close(writer, '}');
}
