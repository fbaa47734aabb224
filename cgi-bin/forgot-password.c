/* SPDX-License-Identifier: MIT */
/*
 * forgot-password.c: POST /auth/forgot-password asks for a mail with a link to choose a new password.
 *
 *	fields	email
 *	200	message; the same answer, in the same time, for every address
 *	4xx	error, status, code
 */
#include "link.h"
#include "serve.h"

static enum gb_err
forgot_password(const struct gb_app *app, struct gb_request *req)
{
	const char *email;
	enum gb_err err;

	if ((err = gb_request_field(req, "email", GB_BODY_MAX, &email)) != GB_OK)
		return err;
	gb_request_identify(app, req, email);
	if ((err = gb_forgot_password(app, &req->call, email)) != GB_OK)
		return err;
	return gb_reply_message(req, 200, "If there is an account with this address, a mail is on its way");
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "forgot-password",
		.methods = GB_METHOD_POST,
		.form = GB_FORM_LINK,
		.page = "/forgot-password",
		.keys = GB_KEYS_SIGN,
		.mails = true,
		.handle = forgot_password,
	};

	return gb_serve(&endpoint);
}
