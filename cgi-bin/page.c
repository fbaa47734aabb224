/* SPDX-License-Identifier: MIT */
/*
 * page.c: GET /login, /register, /forgot-password and /account, the pages that carry a value
 * without JavaScript.
 *
 *	query	return, error, done; by=username on /login
 *	200	the page; 401 where Apache shows /login in place of what it refused (ErrorDocument)
 *	303	/account without a good gate cookie (cookie mode): to /login?return=...
 *	404	any other name
 */
#include <string.h>
#include <time.h>

#include "device.h"
#include "form.h"
#include "page.h"
#include "serve.h"
#include "text.h"

/* Apache takes the status of an ErrorDocument's program for its own: the gate's 401 would become 200. */
static int
login_status(const struct gb_request *req)
{
	const char *refused = gb_request_variable(req, "REDIRECT_STATUS");

	return refused != NULL && strcmp(refused, "401") == 0 ? 401 : 200;
}

static enum gb_err
login(const struct gb_app *app, struct gb_request *req)
{
	const char *by = gb_request_query(req, "by", 16);
	const struct gb_template_value values[] = {
		{ "needs_session", "" },
		{ "by_username", by != NULL && strcmp(by, "username") == 0 ? "" : NULL },
		{ NULL, NULL }
	};

	return gb_page_reply(app, req, login_status(req), "login", values, false);
}

static enum gb_err
registration(const struct gb_app *app, struct gb_request *req)
{
	static const struct gb_template_value values[] = { { "needs_session", "" }, { NULL, NULL } };

	return gb_page_reply(app, req, 200, "register", values, false);
}

static enum gb_err
forgot_password(const struct gb_app *app, struct gb_request *req)
{
	return gb_page_reply(app, req, 200, "forgot-password", NULL, false);
}

/* A time for people, or (iso) for programs; the pages' scripts turn it into local time. */
static const char *
time_text(struct gb_arena *arena, int64_t at, bool iso)
{
	time_t seconds = (time_t)at;
	char text[32];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof text, iso ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M UTC", &tm) == 0)
		return "";
	return gb_arena_copy(arena, text, strlen(text));
}

static const char *
session_row(const struct gb_app *app, struct gb_request *req, const struct gb_session *session, bool current)
{
	struct gb_arena *arena = req->call.arena;
	const char *language = gb_text_language(req->call.language, app->config->default_language);
	char id[GB_SESSION_ID_TEXT + 1];
	const struct gb_template_value values[] = {
		{ "id", id },
		{ "device", session->device[0] != '\0' ? gb_device_text(arena, language, session->device) : NULL },
		{ "address", session->address },
		{ "current", current ? "" : NULL },
		{ "created_at", time_text(arena, session->created_at, false) },
		{ "created_at_iso", time_text(arena, session->created_at, true) },
		{ "last_used_at", time_text(arena, session->last_used_at, false) },
		{ "last_used_at_iso", time_text(arena, session->last_used_at, true) },
		{ NULL, NULL }
	};

	gb_session_id_text(session->id, id);
	return gb_page_fill(app, req, "session", values);
}

static enum gb_err
session_rows(const struct gb_app *app, struct gb_request *req, const struct gb_identity *identity, const char **rows)
{
	struct gb_session *sessions = gb_arena_alloc(req->call.arena, GB_SESSIONS_MAX * sizeof *sessions);
	const char *row;
	size_t len, i;
	enum gb_err err;

	if (sessions == NULL)
		return GB_ERR_MEMORY;
	if ((err = gb_session_list(app, &req->call, &identity->user, sessions, &len)) != GB_OK)
		return err;
	for (*rows = "", i = 0; i < len; i++) {
		bool current = memcmp(sessions[i].id, identity->session.id, GB_SESSION_ID_LEN) == 0;

		if ((row = session_row(app, req, &sessions[i], current)) == NULL ||
		    (*rows = gb_arena_printf(req->call.arena, "%s%s", *rows, row)) == NULL)
			return GB_ERR_MEMORY;
	}
	return GB_OK;
}

static const char *
group_names(struct gb_arena *arena, const struct gb_user *user)
{
	const char *names = NULL;
	size_t i;

	for (i = 0; i < user->groups_len; i++)
		names = names == NULL ? user->groups[0] : gb_arena_printf(arena, "%s, %s", names, user->groups[i]);
	return names;
}

/* Without cookies the server does not know who asks: the page's script fills what is empty here. */
static enum gb_err
account_shell(const struct gb_app *app, struct gb_request *req)
{
	static const struct gb_template_value none[] = { { NULL, NULL } };
	const char *blank = gb_page_fill(app, req, "session", none);
	const struct gb_template_value values[] = {
		{ "needs_session", "" }, { "session_blank", blank }, { NULL, NULL }
	};

	return blank == NULL ? GB_ERR_MEMORY : gb_page_reply(app, req, 200, "account", values, false);
}

static enum gb_err
account_of(const struct gb_app *app, struct gb_request *req, const struct gb_identity *identity)
{
	const struct gb_user *user = &identity->user;
	const char *rows = NULL;
	enum gb_err err = session_rows(app, req, identity, &rows);
	const struct gb_template_value values[] = {
		{ "email", user->email },
		{ "verified", user->email_verified ? "" : NULL },
		{ "username", user->username[0] != '\0' ? user->username : NULL },
		{ "groups", group_names(req->call.arena, user) },
		{ "sessions", rows },
		{ NULL, NULL }
	};

	return err != GB_OK ? err : gb_page_reply(app, req, 200, "account", values, false);
}

static enum gb_err
sign_in_first(const struct gb_app *app, struct gb_request *req)
{
	const char *base = app->config->frontend_path, *escaped = gb_form_escape(base, req->call.arena);
	const char *path = escaped == NULL ? NULL :
	    gb_arena_printf(req->call.arena, "%s/login?return=%s/account", base, escaped);

	return path == NULL ? GB_ERR_MEMORY : gb_reply_redirect(req, 303, path);
}

static enum gb_err
account(const struct gb_app *app, struct gb_request *req)
{
	struct gb_identity identity;
	enum gb_err err;

	if (!app->config->cookie_mode)
		return account_shell(app, req);
	if (req->gate == NULL)
		return sign_in_first(app, req);
	err = gb_token_check_gate(app, &req->call, req->gate, &identity);
	if (err == GB_OK)
		return account_of(app, req, &identity);
	return gb_error_row(err)->status == 401 ? sign_in_first(app, req) : err;
}

static enum gb_err
page(const struct gb_app *app, struct gb_request *req)
{
	static const struct {
		const char *end;
		enum gb_err (*handle)(const struct gb_app *app, struct gb_request *req);
	} pages[] = {
		{ "/login", login },
		{ "/register", registration },
		{ "/forgot-password", forgot_password },
		{ "/account", account },
	};
	size_t len = strlen(req->script_name), end_len, i;

	for (i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		end_len = strlen(pages[i].end);
		if (len >= end_len && strcmp(req->script_name + len - end_len, pages[i].end) == 0)
			return pages[i].handle(app, req);
	}
	return GB_ERR_NOT_FOUND;
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "page",
		.methods = GB_METHOD_GET,
		.auth = GB_AUTH_NONE,
		.is_page = true,
		.keys = GB_KEYS_VERIFY,
		.reach = GB_REACH_STORE,
		.handle = page,
	};

	return gb_serve(&endpoint);
}
