/* SPDX-License-Identifier: MIT */
/*
 * change-email.c: /auth/change-email asks for a change of address; the page /change-email, opened by the link that
 * is mailed to the new address, finishes it.
 *
 *	POST	Bearer or cookie; fields current_password, new_email
 *		202	message; a link goes to the new address, a notice to the old
 *	GET, HEAD	token in the query; the page; changes nothing
 *	POST	field	token
 *		200	message
 *		4xx	error, status, code; to a form the page, while the link is good
 */
#include "link_page.h"
#include "serve.h"

#define PAGE "/change-email"

static enum gb_err
begin(const struct gb_app *app, struct gb_request *req)
{
	const char *current_password, *new_email;
	enum gb_err err;

	if ((err = gb_request_session(app, req)) != GB_OK ||
	    (err = gb_request_field(req, "current_password", GB_BODY_MAX, &current_password)) != GB_OK ||
	    (err = gb_request_field(req, "new_email", GB_BODY_MAX, &new_email)) != GB_OK ||
	    (err = gb_change_email_begin(app, &req->call, req->identity, current_password, new_email)) != GB_OK)
		return err;
	return gb_reply_message(req, 202, "A link has been sent to the new address");
}

/* A form's answer to the link has its own page, where the beginning's is the account's. */
static enum gb_err
to_page(const struct gb_app *app, struct gb_request *req, const char *query)
{
	const char *path = gb_arena_printf(req->call.arena, "%s" PAGE "?%s", app->config->frontend_path, query);

	return path != NULL ? gb_reply_redirect(req, 303, path) : GB_ERR_MEMORY;
}

static enum gb_err
finish_refuse(const struct gb_app *app, struct gb_request *req, enum gb_err err, const char *token)
{
	const char *query;

	if ((err = gb_link_page_refuse(app, req, err, GB_LINK_CHANGE_EMAIL, token)) == GB_OK ||
	    req->body != GB_BODY_FORM)
		return err;
	query = gb_arena_printf(req->call.arena, "error=%s", gb_error_row(err)->code);
	return query != NULL ? to_page(app, req, query) : GB_ERR_MEMORY;
}

static enum gb_err
finish(const struct gb_app *app, struct gb_request *req)
{
	const char *token;
	enum gb_err err;

	if ((err = gb_request_field(req, "token", GB_TOKEN_MAX, &token)) != GB_OK ||
	    (err = gb_change_email_finish(app, &req->call, token)) != GB_OK)
		return finish_refuse(app, req, err, token);
	if (req->body == GB_BODY_FORM)
		return to_page(app, req, "done=1");
	return gb_reply_message(req, 200, "The address has been changed");
}

static enum gb_err
change_email(const struct gb_app *app, struct gb_request *req)
{
	if (req->method != GB_METHOD_POST)
		return gb_link_page_show(app, req, GB_LINK_CHANGE_EMAIL);
	return gb_request_has(req, "token") ? finish(app, req) : begin(app, req);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "change-email",
		.methods = GB_METHOD_GET | GB_METHOD_POST,
		.form = GB_FORM_LINK_OR_COOKIE,
		.auth = GB_AUTH_OWN,
		.page = "/account",
		.keys = GB_KEYS_SIGN,
		.mails = true,
		.is_page = true,
		.handle = change_email,
	};

	return gb_serve(&endpoint);
}
