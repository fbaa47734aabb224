/* SPDX-License-Identifier: MIT */
#ifndef GB_SERVE_H
#define GB_SERVE_H

#include "http.h"
#include "sandbox.h"

/*
 * What distinguishes one executable from its sisters. serve.c does the rest, in the contract's Order:
 * path, method, length, media type, syntax, origin and CSRF, token; then `handle`.
 */
enum gb_form_rule {
	GB_FORM_NEVER,
	GB_FORM_COOKIE,			/* with COOKIE_MODE=on; origin check, and CSRF where a cookie authenticates; answers 303 */
	GB_FORM_LINK,			/* always; origin check unless the field `token` is there: pages of
					 * mailed links; answers 303, or the page itself */
	GB_FORM_LINK_OR_COOKIE,		/* with the field `token` as LINK, without it as COOKIE */
	GB_FORM_PLAIN,			/* always; answers JSON (introspect, revoke) */
};

enum gb_auth {
	GB_AUTH_NONE,			/* nobody needs to be signed in */
	GB_AUTH_SESSION,		/* Bearer or gate cookie: req->identity is set, or 401 */
	GB_AUTH_OWN,			/* the endpoint judges what was sent (refresh, logout, change-email) */
};

struct gb_endpoint {
	const char *name;		/* as in the URL and the log: "login" */
	unsigned methods;		/* GB_METHOD_* bits; GET brings HEAD */
	enum gb_form_rule form;
	enum gb_auth auth;
	const char *page;		/* where a form's ?error=CODE goes: "/login" */
	const char *done;		/* where its ?done=1 goes; NULL: page */
	bool returns;			/* a form's field `return` decides where success goes, and is kept on refusal */
	bool mails;			/* it may queue mail: the deliverer is started after its answers */
	bool is_page;			/* GET answers a page, our own failures too where a browser asks */
	bool is_health;			/* gets an app of which only `config` is set; opens the rest itself */
	enum gb_keyring_access keys;
	unsigned reach;			/* GB_REACH_* bits: what of the disk it needs beside keys, and STATE if it mails */
	bool is_gate;			/* verify: every method, no body, no CORS, its own order */
	enum gb_err (*handle)(const struct gb_app *app, struct gb_request *req);
};

/*
 * Serves requests until SIGTERM, SIGINT or SIGUSR1, FastCGI or plain CGI by
 * what descriptor 0 is. Returns the exit code: 0, or 78 where the settings are unfit.
 */
int gb_serve(const struct gb_endpoint *endpoint);

#endif
