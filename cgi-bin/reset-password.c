/* SPDX-License-Identifier: MIT */
/*
 * reset-password.c: /auth/reset-password and the page /reset-password choose a new password by a mailed
 * link or typed code.
 *
 *	GET, HEAD	token in the query; the page, 200 for a dead link too; spends nothing
 *	POST	fields	token, or email and code; new_password; in a form confirm_password, the same again
 *		200	message; every session has ended, nobody is signed in
 *		4xx	error, status, code; to a form the page, while the link is good
 */
#include "link_page.h"
#include "serve.h"

static enum gb_err
reset(const struct gb_app *app, struct gb_request *req, struct gb_link_proof *proof)
{
	const char *new_password;
	enum gb_err err;

	if ((err = gb_link_page_proof(req, proof)) != GB_OK ||
	    (err = gb_request_new_password(req, "new_password", &new_password)) != GB_OK)
		return err;
	return gb_reset_password(app, &req->call, proof, new_password);
}

static enum gb_err
reset_password(const struct gb_app *app, struct gb_request *req)
{
	struct gb_link_proof proof;
	enum gb_err err;

	if (req->method != GB_METHOD_POST)
		return gb_link_page_show(app, req, GB_LINK_RESET);
	if ((err = reset(app, req, &proof)) != GB_OK)
		return gb_link_page_refuse(app, req, err, GB_LINK_RESET, proof.token);
	return gb_reply_message(req, 200, "The password has been changed");
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "reset-password",
		.methods = GB_METHOD_GET | GB_METHOD_POST,
		.form = GB_FORM_LINK,
		.page = "/reset-password",
		.keys = GB_KEYS_SIGN,
		.mails = true,
		.is_page = true,
		.handle = reset_password,
	};

	return gb_serve(&endpoint);
}
