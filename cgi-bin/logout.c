/* SPDX-License-Identifier: MIT */
/*
 * logout.c: POST /auth/logout ends the session of a token, or with `all` every session of its user.
 *
 *	takes	Bearer token, or refresh_token, or the gate cookie; all
 *	204	ended, or gone already; a token that has expired ends its session still
 *	400	bad_request: a Bearer token and refresh_token together
 *	401	token_missing; token_invalid; with `all`, which takes a live proof: token_expired, token_revoked
 */
#include "serve.h"

static enum gb_err
by_gate(const struct gb_app *app, struct gb_request *req, bool all)
{
	const struct gb_identity *identity;
	enum gb_err err = gb_request_session(app, req);

	if (err == GB_ERR_TOKEN_REVOKED && !all)
		return GB_OK;
	if (err != GB_OK)
		return err;
	identity = req->identity;
	if (all)
		return gb_session_end_all(app, &req->call, identity->user.id, NULL);
	err = gb_session_end(app, &req->call, identity->user.id, identity->session.id);
	return err == GB_ERR_NOT_FOUND ? GB_OK : err;
}

static enum gb_err
end(const struct gb_app *app, struct gb_request *req)
{
	const char *refresh_token, *bearer;
	bool all;
	enum gb_err err;

	if (req->bearer_sent && gb_request_has(req, "refresh_token"))
		return GB_ERR_BAD_REQUEST;
	if ((err = gb_request_flag(req, "all", &all)) != GB_OK ||
	    (err = gb_request_optional(req, "refresh_token", GB_BODY_MAX, &refresh_token)) != GB_OK)
		return err;
	if (refresh_token != NULL)
		return gb_token_revoke(app, &req->call, refresh_token, GB_PURPOSE__COUNT, all);
	if ((err = gb_request_bearer(req, &bearer)) == GB_OK)
		return gb_token_revoke(app, &req->call, bearer, GB_PURPOSE__COUNT, all);
	return err == GB_ERR_TOKEN_MISSING && req->gate != NULL ? by_gate(app, req, all) : err;
}

static enum gb_err
logout(const struct gb_app *app, struct gb_request *req)
{
	enum gb_err err;

	if ((err = end(app, req)) != GB_OK || (err = gb_reply_forget(app, req)) != GB_OK)
		return err;
	return gb_reply_empty(req, 204);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "logout", .methods = GB_METHOD_POST, .form = GB_FORM_COOKIE, .auth = GB_AUTH_OWN,
		.page = "/login", .keys = GB_KEYS_SIGN,
		.reach = GB_REACH_STORE, .handle = logout,
	};

	return gb_serve(&endpoint);
}
