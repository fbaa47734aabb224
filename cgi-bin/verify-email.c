/* SPDX-License-Identifier: MIT */
/*
 * verify-email.c: /auth/verify-email and the page /verify-email confirm an address by a mailed link or typed code.
 *
 *	GET, HEAD	token in the query; the page; changes nothing
 *	POST	fields	token, or email and code; password for a registration that waits (REGISTRATION=verify)
 *		or	email alone: sends the mail again, the same answer for every address
 *		200	message
 *		4xx	error, status, code; to a form the page, while the link is good
 */
#include "link_page.h"
#include "serve.h"

static enum gb_err
again(const struct gb_app *app, struct gb_request *req)
{
	const char *email;
	enum gb_err err;

	if ((err = gb_request_field(req, "email", GB_BODY_MAX, &email)) != GB_OK)
		return err;
	gb_request_identify(app, req, email);
	if ((err = gb_verify_email_again(app, &req->call, email)) != GB_OK)
		return err;
	return gb_reply_message(req, 200, "If this address waits to be confirmed, a mail is on its way");
}

static enum gb_err
verify(const struct gb_app *app, struct gb_request *req, struct gb_link_proof *proof)
{
	const char *password;
	enum gb_err err;

	if ((err = gb_link_page_proof(req, proof)) != GB_OK ||
	    (err = gb_request_optional(req, "password", GB_BODY_MAX, &password)) != GB_OK)
		return err;
	return gb_verify_email(app, &req->call, proof, password);
}

static enum gb_err
verify_email(const struct gb_app *app, struct gb_request *req)
{
	struct gb_link_proof proof;
	enum gb_err err;

	if (req->method != GB_METHOD_POST)
		return gb_link_page_show(app, req, GB_LINK_VERIFY_EMAIL);
	if (!gb_request_has(req, "token") && !gb_request_has(req, "code"))
		return again(app, req);
	if ((err = verify(app, req, &proof)) != GB_OK)
		return gb_link_page_refuse(app, req, err, GB_LINK_VERIFY_EMAIL, proof.token);
	return gb_reply_message(req, 200, "The address is confirmed");
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "verify-email",
		.methods = GB_METHOD_GET | GB_METHOD_POST,
		.form = GB_FORM_LINK,
		.page = "/verify-email",
		.keys = GB_KEYS_SIGN,
		.mails = true,
		.is_page = true,
		.handle = verify_email,
	};

	return gb_serve(&endpoint);
}
