/* SPDX-License-Identifier: MIT */
#ifndef GB_PAGE_H
#define GB_PAGE_H

#include "http.h"
#include "template.h"

/*
 * Pages that must carry a value without JavaScript: templates of www/templates (template.h), built into
 * the program, in the language of the request, inside layout.html.
 *
 * Always there: lang, base (frontend_path), site_name, template (its name), title (the text TEMPLATE.title),
 * cookie_mode or script_only (one of them), registration (NULL when closed), password_min, csrf_token (with a
 * well-formed gate cookie), return (checked, or NULL) and return_query, return_more (the same behind "?return=" or "&return=",
 * percent-encoded), done and error (texts; by ?done=1 and ?error=CODE of the query), and beside error, where it is a field's,
 * one of error_email, error_username, error_password, error_confirm, error_name (of sign-in), error_code; and confirm, the
 * field for a new password's second time (confirm.html).
 *
 * What the programs behind mailed links add:
 *
 *	reset-password	token	a good link's; NULL: the form for address and typed code
 *			email	whose account a good link is for (password managers)
 *			dead	not NULL: a token was given and is not good; says so and offers a new mail
 *	verify-email	token	a good link's; NULL: the form that asks for a new mail
 *			pending	not NULL: asks for the password chosen at registration
 *			dead	as above
 *	change-email	token	a good link's; NULL with dead, or with neither (then the page only explains)
 *			target	the new address
 *			dead	as above
 */

/*
 * Answers with the template "reset-password" (www/templates/reset-password.html).
 *	values	ends with { NULL, NULL }; they come before what is always there
 *	url_holds_token	Referrer-Policy no-referrer instead of same-origin
 */
enum gb_err gb_page_reply(const struct gb_app *app, struct gb_request *req, int status,
    const char *template_name, const struct gb_template_value *values, bool url_holds_token);

/*
 * The same with err's status, showing `err` as the page's error, Referrer-Policy no-referrer (a mailed link
 * that is still good keeps its page).
 */
enum gb_err gb_page_refuse(const struct gb_app *app, struct gb_request *req, enum gb_err err,
    const char *template_name, const struct gb_template_value *values);

/*
 * A failure of ours (500, 503) in place of a page: the template "sorry", err's status and text, a link to try again.
 * Needs app->config alone. The address asked for may hold a token: Referrer-Policy no-referrer.
 */
enum gb_err gb_page_sorry(const struct gb_config *config, struct gb_request *req, enum gb_err err);

/*
 * A part of a page ("session", a row of a list), filled with `values`, base and csrf_token, as the raw value
 * {{&name}} of another. NULL when memory ran out.
 */
const char *gb_page_fill(const struct gb_app *app, struct gb_request *req, const char *part,
    const struct gb_template_value *values);

/*
 * True for bytes that may be a token of ours: base64url and two dots, at most 4 KiB. Anything
 * else is not echoed into a page.
 */
bool gb_page_token_shape(const char *token);

#endif
