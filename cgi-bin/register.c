/* SPDX-License-Identifier: MIT */
/*
 * register.c: POST /auth/register makes an account and signs it in.
 *
 *	takes	email, password; username if wanted; in a form confirm_password, the password again
 *	201	as login; a link to verify the address is mailed
 *	202	message, with REGISTRATION=verify: the same for a taken address
 *	400	invalid_field: the two passwords of a form differ
 *	403	registration_closed
 *	409	account_exists
 *	422	invalid_email, invalid_username, password_too_long, weak_password (with reasons)
 */
#include "serve.h"
#include "user.h"

static enum gb_err
fields(struct gb_request *req, struct gb_registration_form *form)
{
	enum gb_err err;

	if ((err = gb_request_field(req, "email", GB_BODY_MAX, &form->email)) != GB_OK ||
	    (err = gb_request_new_password(req, "password", &form->password)) != GB_OK)
		return err;
	return gb_request_optional(req, "username", GB_BODY_MAX, &form->username);
}

static enum gb_err
register_account(const struct gb_app *app, struct gb_request *req)
{
	struct gb_registration_form form = { .gate = req->origin_checked };
	struct gb_token_pair pair = { 0 };
	struct gb_user user;
	enum gb_err err;

	if (app->config->registration == GB_REGISTRATION_CLOSED)
		return GB_ERR_REGISTRATION_CLOSED;
	if ((err = fields(req, &form)) != GB_OK)
		return err;
	gb_request_identify(app, req, form.email);
	form.replaced = gb_request_replaced(app, req);
	if ((err = gb_user_register(app, &req->call, &form, &user, &pair)) != GB_OK)
		return err;
	if (pair.access_token == NULL)
		return gb_reply_message(req, 202, "A link to confirm the address has been sent");
	return gb_reply_tokens(app, req, 201, &pair, &user);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "register", .methods = GB_METHOD_POST, .form = GB_FORM_COOKIE, .page = "/register",
		.done = "/account", .returns = true, .keys = GB_KEYS_SIGN, .mails = true,
		.handle = register_account,
	};

	return gb_serve(&endpoint);
}
