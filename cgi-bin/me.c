/* SPDX-License-Identifier: MIT */
/*
 * me.c: GET /auth/me says who is signed in.
 *
 *	takes	Bearer access token, or the gate cookie
 *	200	id, email, email_verified, username, groups, created_at, session_id
 *	401	token_missing, token_invalid, token_expired, token_revoked
 */
#include "serve.h"

static enum gb_err
me(const struct gb_app *app, struct gb_request *req)
{
	const struct gb_identity *identity = req->identity;
	char session_id[GB_SESSION_ID_TEXT + 1];
	struct gb_json_writer writer;

	(void)app;
	gb_session_id_text(identity->session.id, session_id);
	gb_json_begin(&writer, req->call.arena);
	gb_json_open(&writer, NULL, '{');
	gb_user_json(&writer, &identity->user);
	gb_json_put_integer(&writer, "created_at", identity->user.created_at);
	gb_json_put_string(&writer, "session_id", session_id);
	gb_json_close(&writer, '}');
	return gb_reply_json(req, 200, &writer);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "me", .methods = GB_METHOD_GET, .auth = GB_AUTH_SESSION,
		.reach = GB_REACH_STORE, .handle = me,
	};

	return gb_serve(&endpoint);
}
