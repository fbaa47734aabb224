/* SPDX-License-Identifier: MIT */
/* outcome.c: what a request came to, told as its sender understands it. */
#include "form.h"
#include "outcome.h"
#include "page.h"
#include "reply.h"
#include "request.h"

/* What a form is told in JSON too: its request was not understood at all. */
static bool
is_early(enum gb_err err)
{
	int status = gb_error_row(err)->status;

	return err == GB_ERR_BAD_REQUEST || err == GB_ERR_INVALID_JSON || status == 405 || status == 411 ||
	    status == 413 || status == 415;
}

static bool
is_about_token(enum gb_err err)
{
	return gb_error_row(err)->status == 401 && err != GB_ERR_INVALID_CREDENTIALS &&
	    err != GB_ERR_INVALID_CLIENT;
}

static const char *
refusal_path(const struct gb_endpoint *endpoint, const struct gb_config *config, const struct gb_request *req,
    enum gb_err err)
{
	const char *page = is_about_token(err) ? "/login" : endpoint->page;
	const char *back = NULL;

	if (endpoint->returns && gb_request_optional(req, "return", GB_RETURN_MAX, &back) == GB_OK && back != NULL)
		back = gb_form_escape(back, req->call.arena);
	return gb_arena_printf(req->call.arena, "%s%s?error=%s%s%s", config->frontend_path, page,
	    gb_error_row(err)->code, back != NULL ? "&return=" : "", back != NULL ? back : "");
}

static const char *
success_path(const struct gb_endpoint *endpoint, const struct gb_config *config, const struct gb_request *req)
{
	bool accepted = req->reply->status == 202;	/* nobody is signed in yet */
	const char *page = endpoint->done != NULL && !(endpoint->returns && accepted) ? endpoint->done : endpoint->page;

	if (endpoint->returns && !accepted && gb_request_has(req, "return")) {
		const char *back;

		if (gb_request_field(req, "return", GB_BODY_MAX, &back) != GB_ERR_MISSING_FIELD)
			return gb_return_path(config, req->call.arena, back);
	}
	return gb_arena_printf(req->call.arena, "%s%s?done=1", config->frontend_path, page);
}

/* A form's answer is a page; it may have been made already, as HTML or as a redirect. */
static enum gb_err
answer_form(const struct gb_endpoint *endpoint, const struct gb_config *config, struct gb_request *req, enum gb_err err)
{
	const char *path;

	if (err == GB_OK && (req->reply->is_html || req->reply->is_redirect))
		return GB_OK;
	path = err == GB_OK ? success_path(endpoint, config, req) : refusal_path(endpoint, config, req, err);
	return path != NULL ? gb_reply_redirect(req, 303, path) : GB_ERR_MEMORY;
}

/* While the settings cannot be read: nobody's name, and files at the top of the site. */
static const struct gb_config unread = { .site_name = "guardbee", .default_language = "en", .frontend_path = "" };

/* A person who opens a page sees one, also when we cannot do our part. */
static bool
is_failed_page(const struct gb_endpoint *endpoint, const struct gb_request *req, enum gb_err err)
{
	return endpoint->is_page && req->accepts_html && gb_error_row(err)->status >= 500 &&
	    (req->method == GB_METHOD_GET || req->method == GB_METHOD_HEAD);
}

static enum gb_err
failed_page(const struct gb_config *config, struct gb_request *req, enum gb_err err)
{
	enum gb_err failed = gb_page_sorry(config != NULL ? config : &unread, req, err);

	if (failed == GB_OK && gb_error_row(err)->status == 503)
		failed = gb_reply_retry_after(req, err);
	return failed;
}

/* To a web server's question about a gate, everything but yes is 401, 403 or 503. */
static enum gb_err
gate_error(enum gb_err err)
{
	int status = gb_error_row(err)->status;

	return err == GB_OK || status == 401 || status == 403 || status == 503 ? err : GB_ERR_BUSY;
}

enum gb_err
gb_outcome_reply(const struct gb_endpoint *endpoint, const struct gb_config *config, struct gb_request *req,
    enum gb_err err)
{
	enum gb_form_rule rule = endpoint->form;

	if (endpoint->is_gate)
		err = gate_error(err);
	if (req->body == GB_BODY_FORM && rule != GB_FORM_PLAIN && !is_early(err))
		return answer_form(endpoint, config, req, err);
	if (err == GB_OK)
		return GB_OK;
	if (is_failed_page(endpoint, req, err) && failed_page(config, req, err) == GB_OK)
		return GB_OK;
	return gb_reply_error(req, err);
}
