/* SPDX-License-Identifier: MIT */
/*
 * introspect.c: POST /auth/introspect says whether a token is good now (RFC 7662).
 *
 *	takes	HTTP Basic of a client in API_CLIENTS_FILE
 *	fields	token, token_type_hint (not needed: a token says itself what it is)
 *	200	active, and if so token_type, type, sub, username, sid, jti, iat, nbf, exp, iss, aud
 *	401	invalid_client
 */
#include "client.h"
#include "introspect.h"
#include "serve.h"

static enum gb_err
introspect(const struct gb_app *app, struct gb_request *req)
{
	struct gb_introspection found;
	struct gb_json_writer writer;
	const char *token;
	enum gb_err err;

	if ((err = gb_request_field(req, "token", GB_BODY_MAX, &token)) != GB_OK ||
	    (err = gb_client_check(app, &req->call, req->basic)) != GB_OK ||
	    (err = gb_token_introspect(app, &req->call, token, &found)) != GB_OK)
		return err;
	gb_json_begin(&writer, req->call.arena);
	gb_introspection_json(&writer, &app->jwt, &found);
	return gb_reply_json(req, 200, &writer);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "introspect", .methods = GB_METHOD_POST, .form = GB_FORM_PLAIN, .auth = GB_AUTH_OWN,
		.keys = GB_KEYS_SIGN,
		.reach = GB_REACH_STORE | GB_REACH_LIMITS | GB_REACH_CLIENTS, .handle = introspect,
	};

	return gb_serve(&endpoint);
}
