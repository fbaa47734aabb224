/* SPDX-License-Identifier: MIT */
/*
 * login.c: POST /auth/login trades a password for an access and a refresh token.
 *
 *	takes	email or username, not both; password
 *	200	access_token, token_type, expires_in, refresh_token, refresh_expires_in, user;
 *		in cookie mode the cookies instead of refresh_token
 *	401	invalid_credentials: whatever was wrong, and however malformed
 */
#include "serve.h"
#include "user.h"

static enum gb_err
identifier(struct gb_request *req, struct gb_login_form *form)
{
	enum gb_err err;

	if ((err = gb_request_optional(req, "email", GB_BODY_MAX, &form->email)) != GB_OK ||
	    (err = gb_request_optional(req, "username", GB_BODY_MAX, &form->username)) != GB_OK)
		return err;
	if (form->email == NULL && form->username == NULL)
		return GB_ERR_MISSING_FIELD;
	return form->email != NULL && form->username != NULL ? GB_ERR_INVALID_FIELD : GB_OK;
}

static enum gb_err
login(const struct gb_app *app, struct gb_request *req)
{
	struct gb_login_form form = { .gate = req->origin_checked };
	struct gb_token_pair pair;
	struct gb_user user;
	enum gb_err err;

	if ((err = identifier(req, &form)) != GB_OK ||
	    (err = gb_request_field(req, "password", GB_BODY_MAX, &form.password)) != GB_OK)
		return err;
	gb_request_identify(app, req, form.email != NULL ? form.email : form.username);
	form.replaced = gb_request_replaced(app, req);
	if ((err = gb_user_login(app, &req->call, &form, &user, &pair)) != GB_OK)
		return err;
	return gb_reply_tokens(app, req, 200, &pair, &user);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "login", .methods = GB_METHOD_POST, .form = GB_FORM_COOKIE, .page = "/login",
		.done = "/account", .returns = true, .keys = GB_KEYS_SIGN, .mails = true, .handle = login,
	};

	return gb_serve(&endpoint);
}
