/* SPDX-License-Identifier: MIT */
#ifndef GB_HTTP_H
#define GB_HTTP_H

#include <stdbool.h>

#include "app.h"
#include "json.h"
#include "token.h"

/*
 * One request and its reply, over FastCGI and plain CGI alike. serve.c owns
 * both, the arena and the reply: an endpoint may return early anywhere.
 */
enum gb_method {
	GB_METHOD_GET = 1, GB_METHOD_HEAD = 2, GB_METHOD_POST = 4, GB_METHOD_DELETE = 8,
	GB_METHOD_OPTIONS = 16, GB_METHOD_OTHER = 32,
};

enum gb_body { GB_BODY_NONE, GB_BODY_JSON, GB_BODY_FORM };

#define GB_BODY_MAX	8192		/* bytes */
#define GB_COOKIE_MAX	2048		/* bytes of one cookie's value; longer counts as absent */
#define GB_RETURN_MAX	1024

struct gb_form;				/* form.h: pairs of an urlencoded body or query */

struct gb_request {
	struct gb_call call;
	enum gb_method method;
	const char *script_name;		/* SCRIPT_NAME */
	const char *request_uri;		/* REQUEST_URI; "" when not set */
	const struct gb_form *query;

	enum gb_body body;
	const struct gb_json *json;		/* when body is not GB_BODY_FORM; {} for an empty body; NULL: no object */
	const struct gb_form *form;		/* when body is GB_BODY_FORM */

	bool bearer_sent;			/* a Bearer Authorization header was there */
	const char *bearer;			/* its token; NULL when none, or when it is malformed */
	const char *basic;			/* credentials of a Basic header, still base64; NULL: none */
	const char *gate, *refresh_cookie;	/* cookie mode; NULL: absent. A refresh cookie without gate is absent */
	bool cookie_sent;			/* cookie mode; one of our three names was there, good or not */
	bool origin_checked;			/* the origin check passed: cookies may be set */

	struct gb_identity *identity;		/* set where the endpoint's auth asks for it */

	/* The gate's view (contract, "The gate") */
	bool authorizer;			/* FCGI_ROLE AUTHORIZER, or FCGI_APACHE_ROLE is set */
	bool apache_role;			/* FCGI_APACHE_ROLE is set */
	bool accepts_html;
	const char *gate_group;			/* GATE_GROUP; NULL: none */

	char who[2 * GB_FINGERPRINT_LEN + 1];	/* for the log: gb_request_identify; "" when nobody was named */
	struct gb_reply *reply;			/* reply.h */
	char *const *variables;			/* NAME=value, NULL at the end */
};

/*
 * A variable of the web server ("HTTP_ACCEPT"); NULL when not set or empty. A name that comes twice with
 * different values is absent: some servers let a client choose which is first. Lives until the request ends.
 */
const char *gb_request_variable(const struct gb_request *req, const char *name);

/*
 * Remembers for the log whom a request named (an address or a user name, as typed), as a keyed
 * fingerprint: people type passwords there.
 */
void gb_request_identify(const struct gb_app *app, struct gb_request *req, const char *typed);

/* The token of the Authorization header: GB_ERR_TOKEN_MISSING, or GB_ERR_TOKEN_INVALID when it is malformed. */
enum gb_err gb_request_bearer(const struct gb_request *req, const char **token);

/*
 * Who is signed in, by Bearer or else by the gate cookie: sets req->identity. GB_ERR_TOKEN_MISSING and
 * what gb_token_check and gb_token_check_gate say. serve.c calls it for GB_AUTH_SESSION.
 */
enum gb_err gb_request_session(const struct gb_app *app, struct gb_request *req);

/* The same by the gate cookie alone, whatever else was sent. */
enum gb_err gb_request_gate(const struct gb_app *app, struct gb_request *req);

/*
 * Cookie mode: the session whose gate cookie a browser sent from our own pages, for a sign-in to end
 * it; NULL when there is none that is good.
 */
const struct gb_identity *gb_request_replaced(const struct gb_app *app, struct gb_request *req);

/* True if the body has this field, of whatever type. */
bool gb_request_has(const struct gb_request *req, const char *name);

/*
 * A field of the body, JSON or form alike. Absent and "" are GB_ERR_MISSING_FIELD; null, another
 * type, invalid UTF-8, more than max bytes, and a body that is no object are GB_ERR_INVALID_FIELD.
 * *value is NULL then.
 */
enum gb_err gb_request_field(const struct gb_request *req, const char *name, size_t max, const char **value);
/* The same, but absent and "" give GB_OK and NULL. */
enum gb_err gb_request_optional(const struct gb_request *req, const char *name, size_t max, const char **value);
/*
 * A password that is chosen. A form may send it a second time, as confirm_password: GB_ERR_INVALID_FIELD where the two differ.
 */
enum gb_err gb_request_new_password(const struct gb_request *req, const char *name, const char **value);
/* true: JSON true, or the form value "true"; absent is false. */
enum gb_err gb_request_flag(const struct gb_request *req, const char *name, bool *value);
/* A value of the query; NULL when absent, empty or longer than max. */
const char *gb_request_query(const struct gb_request *req, const char *name, size_t max);

/*
 * `return` as the contract limits it (at most 1,024 bytes, begins with "/", no
 * backslash, ...): a path that is safe behind frontend_origin; anything else becomes frontend_path + "/".
 */
const char *gb_return_path(const struct gb_config *config, struct gb_arena *arena, const char *path);

/*
 * Replies. Each returns GB_OK or GB_ERR_MEMORY; the last one called counts. A form's answer is turned
 * by serve.c into 303 to a page, so an endpoint answers JSON and forms alike; HTML and redirects stay.
 */
enum gb_err gb_reply_json(struct gb_request *req, int status, struct gb_json_writer *body);
enum gb_err gb_reply_message(struct gb_request *req, int status, const char *message);	/* {"message":...} */
enum gb_err gb_reply_empty(struct gb_request *req, int status);
enum gb_err gb_reply_html(struct gb_request *req, int status, const char *html, bool url_holds_token);
/* 303 (or 302) to frontend_origin + path, which is percent-encoded already. */
enum gb_err gb_reply_redirect(struct gb_request *req, int status, const char *path);
enum gb_err gb_reply_error(struct gb_request *req, enum gb_err err);
/* A header field beside the body; name a constant, value checked for control bytes. */
enum gb_err gb_reply_header(struct gb_request *req, const char *name, const char *value);
/*
 * 200 or 201 with the pair and, if user is not NULL, "user". pair->gate not NULL: the three cookies are
 * set, and the body holds no refresh token.
 */
enum gb_err gb_reply_tokens(const struct gb_app *app, struct gb_request *req, int status,
    const struct gb_token_pair *pair, const struct gb_user *user);
/* Makes the three cookies expire, if the request had any: the session they belong to has ended. */
enum gb_err gb_reply_forget(const struct gb_app *app, struct gb_request *req);
/* The members id, email, email_verified, username, groups of an object that is open. */
void gb_user_json(struct gb_json_writer *writer, const struct gb_user *user);

#endif
