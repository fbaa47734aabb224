/* SPDX-License-Identifier: MIT */
/*
 * sessions.c: GET /auth/sessions lists where somebody is signed in; DELETE and POST end one.
 *
 *	takes	Bearer access token, or the gate cookie; DELETE ?id=, POST id
 *	200	sessions: id, device, address, created_at, last_used_at, current
 *	204	ended
 *	404	not_found: an id that is unknown or somebody else's
 */
#include <string.h>

#include "serve.h"

static void
session_json(struct gb_json_writer *writer, const struct gb_session *session, bool current)
{
	char id[GB_SESSION_ID_TEXT + 1];

	gb_session_id_text(session->id, id);
	gb_json_open(writer, NULL, '{');
	gb_json_put_string(writer, "id", id);
	gb_json_put_string(writer, "device", session->device);
	gb_json_put_string(writer, "address", session->address);
	gb_json_put_integer(writer, "created_at", session->created_at);
	gb_json_put_integer(writer, "last_used_at", session->last_used_at);
	gb_json_put_boolean(writer, "current", current);
	gb_json_close(writer, '}');
}

static enum gb_err
list(const struct gb_app *app, struct gb_request *req)
{
	struct gb_session *sessions = gb_arena_alloc(req->call.arena, GB_SESSIONS_MAX * sizeof *sessions);
	struct gb_json_writer writer;
	size_t len;
	enum gb_err err;

	if (sessions == NULL)
		return GB_ERR_MEMORY;
	if ((err = gb_session_list(app, &req->call, &req->identity->user, sessions, &len)) != GB_OK)
		return err;
	gb_json_begin(&writer, req->call.arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_open(&writer, "sessions", '[');
	for (size_t i = 0; i < len; i++)
		session_json(&writer, &sessions[i],
		    memcmp(sessions[i].id, req->identity->session.id, GB_SESSION_ID_LEN) == 0);
	gb_json_close(&writer, ']');
	gb_json_close(&writer, '}');
	return gb_reply_json(req, 200, &writer);
}

static enum gb_err
end(const struct gb_app *app, struct gb_request *req)
{
	const struct gb_identity *identity = req->identity;
	unsigned char id[GB_SESSION_ID_LEN];
	const char *text = NULL;
	enum gb_err err = GB_OK;

	if (req->method == GB_METHOD_DELETE)
		text = gb_request_query(req, "id", GB_BODY_MAX);
	else
		err = gb_request_field(req, "id", GB_BODY_MAX, &text);
	if (err != GB_OK || text == NULL)
		return err != GB_OK ? err : GB_ERR_MISSING_FIELD;
	if (!gb_session_id_parse(text, id))
		return GB_ERR_NOT_FOUND;
	if ((err = gb_session_end(app, &req->call, identity->user.id, id)) != GB_OK)
		return err;
	if (memcmp(id, identity->session.id, sizeof id) == 0 && (err = gb_reply_forget(app, req)) != GB_OK)
		return err;
	return gb_reply_empty(req, 204);
}

static enum gb_err
sessions(const struct gb_app *app, struct gb_request *req)
{
	return req->method & (GB_METHOD_GET | GB_METHOD_HEAD) ? list(app, req) : end(app, req);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "sessions", .methods = GB_METHOD_GET | GB_METHOD_POST | GB_METHOD_DELETE,
		.form = GB_FORM_COOKIE, .auth = GB_AUTH_SESSION, .page = "/account",
		.reach = GB_REACH_STORE, .handle = sessions,
	};

	return gb_serve(&endpoint);
}
