/* SPDX-License-Identifier: MIT */
/*
 * delete-account.c: POST /auth/delete-account removes the account and every session of it.
 *
 *	takes	Bearer access token, or the gate cookie; current_password
 *	204	gone
 *	401	token_*; invalid_credentials: the current password is wrong
 */
#include "serve.h"
#include "user.h"

static enum gb_err
delete_account(const struct gb_app *app, struct gb_request *req)
{
	const char *password;
	enum gb_err err;

	if ((err = gb_request_field(req, "current_password", GB_BODY_MAX, &password)) != GB_OK)
		return err;
	if ((err = gb_user_delete_own(app, &req->call, req->identity, password)) != GB_OK ||
	    (err = gb_reply_forget(app, req)) != GB_OK)
		return err;
	return gb_reply_empty(req, 204);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "delete-account", .methods = GB_METHOD_POST, .form = GB_FORM_COOKIE,
		.auth = GB_AUTH_SESSION, .page = "/login",
		.reach = GB_REACH_STORE | GB_REACH_LIMITS, .handle = delete_account,
	};

	return gb_serve(&endpoint);
}
