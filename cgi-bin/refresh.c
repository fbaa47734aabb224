/* SPDX-License-Identifier: MIT */
/*
 * refresh.c: POST /auth/refresh trades a refresh token, which is spent by it, for new tokens.
 *
 *	takes	refresh_token ("Bearer " before it is tolerated), or it as Bearer token, or the
 *		refresh cookie beside a good gate cookie of the same session
 *	200	access_token, token_type, expires_in, refresh_token, refresh_expires_in
 *	400	bad_request: two different ones
 *	401	token_missing, token_invalid, token_expired
 *	403	refresh_token_revoked: well signed, but spent, revoked or unknown
 */
#include <string.h>
#include <strings.h>

#include "serve.h"

#define PREFIX "Bearer "

/* The token that the request names itself, in its body or header; NULL: none. */
static enum gb_err
named_token(struct gb_request *req, const char **token)
{
	const char *bearer;
	enum gb_err err;

	if ((err = gb_request_optional(req, "refresh_token", GB_BODY_MAX, token)) != GB_OK)
		return err;
	if (*token != NULL && strncasecmp(*token, PREFIX, strlen(PREFIX)) == 0)
		*token += strlen(PREFIX);
	if ((err = gb_request_bearer(req, &bearer)) == GB_ERR_TOKEN_MISSING)
		bearer = req->refresh_cookie;
	else if (err != GB_OK)
		return err;
	if (*token != NULL && bearer != NULL && strcmp(*token, bearer) != 0)
		return GB_ERR_BAD_REQUEST;
	if (*token == NULL && req->bearer_sent)
		*token = bearer;
	return GB_OK;
}

/* True if the gate cookie is good and belongs to this session. */
static bool
is_gate_of(const struct gb_app *app, struct gb_request *req, const char *session_id, enum gb_err *err)
{
	char text[GB_SESSION_ID_TEXT + 1];

	if ((*err = gb_request_gate(app, req)) != GB_OK)
		return false;
	gb_session_id_text(req->identity->session.id, text);
	return strcmp(text, session_id) == 0;
}

/* The refresh cookie's token, which counts only beside the gate cookie of its session. */
static enum gb_err
cookie_token(const struct gb_app *app, struct gb_request *req, const char **token)
{
	struct gb_claims claims;
	enum gb_err err, gate_err;

	if (req->refresh_cookie == NULL)
		return GB_ERR_TOKEN_MISSING;
	err = gb_jwt_verify(app->keyring, &app->jwt, GB_PURPOSE_REFRESH, req->refresh_cookie, req->call.now,
	    req->call.arena, &claims);
	if (err != GB_OK)
		return err;
	if (!is_gate_of(app, req, claims.session_id, &gate_err))
		return gate_err != GB_OK ? gate_err : GB_ERR_TOKEN_MISSING;
	*token = req->refresh_cookie;
	return GB_OK;
}

static enum gb_err
rotate(const struct gb_app *app, struct gb_request *req, struct gb_token_pair *pair)
{
	const char *token;
	struct gb_user user;
	enum gb_err err, gate_err;

	if ((err = named_token(req, &token)) != GB_OK ||
	    (token == NULL && (err = cookie_token(app, req, &token)) != GB_OK))
		return err;
	if ((err = gb_token_rotate(app, &req->call, token, &user, pair)) != GB_OK)
		return err;
	if (req->origin_checked && is_gate_of(app, req, pair->session_id, &gate_err))
		pair->gate = req->gate;
	return GB_OK;
}

static enum gb_err
refresh(const struct gb_app *app, struct gb_request *req)
{
	struct gb_token_pair pair;
	enum gb_err err = rotate(app, req, &pair);

	if ((err == GB_ERR_REFRESH_TOKEN_REVOKED || err == GB_ERR_TOKEN_REVOKED) && req->refresh_cookie != NULL)
		gb_reply_forget(app, req);
	return err != GB_OK ? err : gb_reply_tokens(app, req, 200, &pair, NULL);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "refresh", .methods = GB_METHOD_POST, .form = GB_FORM_COOKIE, .auth = GB_AUTH_OWN,
		.page = "/login", .done = "/account", .returns = true, .keys = GB_KEYS_SIGN, .mails = true,
		.handle = refresh,
	};

	return gb_serve(&endpoint);
}
