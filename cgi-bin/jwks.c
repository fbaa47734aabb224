/* SPDX-License-Identifier: MIT */
/*
 * jwks.c: GET /auth/jwks.json publishes the keys that verify access tokens (RFC 7517).
 *
 *	200	keys: the public halves of pairs; none of a secret
 */
#include "serve.h"

static enum gb_err
jwks(const struct gb_app *app, struct gb_request *req)
{
	struct gb_json_writer writer;
	enum gb_err err;

	gb_json_begin(&writer, req->call.arena);
	gb_keyring_write_jwks(app->keyring, req->call.now, &writer);
	if ((err = gb_reply_header(req, "Cache-Control", "public, max-age=300")) != GB_OK)
		return err;
	return gb_reply_json(req, 200, &writer);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "jwks", .methods = GB_METHOD_GET, .keys = GB_KEYS_VERIFY, .handle = jwks,
	};

	return gb_serve(&endpoint);
}
