/* SPDX-License-Identifier: MIT */
/*
 * change-password.c: POST /auth/change-password ends every other session of the account.
 *
 *	takes	Bearer access token, or the gate cookie; current_password, new_password;
 *		in a form confirm_password, the new one again
 *	204	changed
 *	400	invalid_field: the two new passwords of a form differ
 *	401	token_*; invalid_credentials: the current password is wrong
 *	422	password_too_long, weak_password (with reasons)
 */
#include "serve.h"
#include "user.h"

static enum gb_err
change_password(const struct gb_app *app, struct gb_request *req)
{
	const char *current_password, *new_password;
	enum gb_err err;

	if ((err = gb_request_field(req, "current_password", GB_BODY_MAX, &current_password)) != GB_OK ||
	    (err = gb_request_new_password(req, "new_password", &new_password)) != GB_OK)
		return err;
	if ((err = gb_user_change_password(app, &req->call, req->identity, current_password, new_password)) != GB_OK)
		return err;
	return gb_reply_empty(req, 204);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "change-password", .methods = GB_METHOD_POST, .form = GB_FORM_COOKIE,
		.auth = GB_AUTH_SESSION, .page = "/account", .keys = GB_KEYS_SIGN, .mails = true,
		.handle = change_password,
	};

	return gb_serve(&endpoint);
}
