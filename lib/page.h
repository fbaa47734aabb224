/* SPDX-License-Identifier: MIT */
#ifndef GB_PAGE_H
#define GB_PAGE_H

#include "http.h"
#include "template.h"

/*
 * Pages that must carry a value without JavaScript: templates of www/templates (template.h), built into
 * the program, in the language of the request, inside layout.html.
 *
 * Always there: lang, base (frontend_path), site_name, title, cookie_mode or script_only (one of them),
 * csrf_token (with a good-looking gate cookie), registration (NULL when closed), return (checked, or NULL) and
 * login_return ("?return=..." or ""), done and error (texts, from ?done=1 and ?error=CODE of the query),
 * and beside error, error_email, error_username, error_password or error_form: whose error it is.
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
 * True for bytes that may be a token of ours: base64url and two dots, at most 4 KiB. Anything
 * else is not echoed into a page.
 */
bool gb_page_token_shape(const char *token);

#endif
