/* SPDX-License-Identifier: MIT */
/*
 * revoke.c: POST /auth/revoke ends what a token stands for (RFC 7009). Who holds it may.
 *
 *	fields	token, token_type_hint (not needed: a token says itself what it is)
 *	200	ended, or never anything
 */
#include "introspect.h"
#include "serve.h"

static enum gb_err
revoke(const struct gb_app *app, struct gb_request *req)
{
	struct gb_json_writer writer;
	const char *token;
	enum gb_err err;

	if ((err = gb_request_field(req, "token", GB_BODY_MAX, &token)) != GB_OK ||
	    (err = gb_token_end(app, &req->call, token)) != GB_OK)
		return err;
	gb_json_begin(&writer, req->call.arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_close(&writer, '}');
	return gb_reply_json(req, 200, &writer);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "revoke", .methods = GB_METHOD_POST, .form = GB_FORM_PLAIN, .auth = GB_AUTH_OWN,
		.keys = GB_KEYS_SIGN,
		.reach = GB_REACH_STORE, .handle = revoke,
	};

	return gb_serve(&endpoint);
}
