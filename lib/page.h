/* SPDX-License-Identifier: MIT */
#ifndef GB_PAGE_H
#define GB_PAGE_H

#include "http.h"

/*
 * Pages that must carry a value without JavaScript, from templates of www/templates that
 * are built into the program. {{name}} is replaced by the value, HTML-escaped;
 * {{#name}}...{{/name}} stays only where the value is not NULL, {{^name}}...{{/name}} only where it is.
 */
struct gb_page_value {
	const char *name, *value;
};

/*
 * Answers with the template "reset-password" (www/templates/reset-password.html) inside layout.html.
 * Always there: base (frontend_path), site_name, csrf_token (with a gate cookie), cookie_mode (or
 * NULL), done and error text (from ?done=1 and ?error=CODE of the query, a code of the error table or nothing), return.
 *	values	ends with { NULL, NULL }
 *	url_holds_token	Referrer-Policy no-referrer instead of same-origin
 */
enum gb_err gb_page_reply(const struct gb_app *app, struct gb_request *req, int status,
    const char *template_name, const struct gb_page_value *values, bool url_holds_token);

/* The same, showing `err` as the page's error (a mailed link that is still good keeps its page). */
enum gb_err gb_page_refuse(const struct gb_app *app, struct gb_request *req, enum gb_err err,
    const char *template_name, const struct gb_page_value *values);

/* What a person reads for an error on a page; NULL for GB_OK. */
const char *gb_page_error_text(enum gb_err err);

#endif
