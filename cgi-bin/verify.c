/* SPDX-License-Identifier: MIT */
/*
 * verify.c: the gate. A web server asks, before it serves something that is not ours, who is there.
 *
 *	takes	any method; Bearer access token, or the gate cookie; GATE_GROUP from the web server
 *	200	to a FastCGI authorizer's question: Variable-REMOTE_USER, -AUTH_USER_ID, -AUTH_SESSION, -AUTH_GROUPS
 *	204	to any other: the same, and X-Auth-User, X-Auth-User-Id, X-Auth-Session, X-Auth-Groups
 *	302	to the sign-in page, for a browser behind lighttpd, in cookie mode
 *	401	token_*
 *	403	email_unverified, group_required
 */
#include <string.h>

#include "form.h"
#include "full.h"
#include "serve.h"
#include "user.h"

static bool
is_member(const struct gb_user *user, const char *group)
{
	for (size_t i = 0; i < user->groups_len; i++)
		if (strcmp(user->groups[i], group) == 0)
			return true;
	return false;
}

static enum gb_err
may_pass(const struct gb_app *app, const struct gb_request *req)
{
	const struct gb_user *user = &req->identity->user;

	if (app->config->gate_requires == GB_GATE_VERIFIED && !user->email_verified)
		return GB_ERR_EMAIL_UNVERIFIED;
	if (req->gate_group != NULL && !is_member(user, req->gate_group))
		return GB_ERR_GROUP_REQUIRED;
	return GB_OK;
}

static const char *
group_list(const struct gb_user *user, struct gb_arena *arena)
{
	const char *list = "";

	for (size_t i = 0; list != NULL && i < user->groups_len; i++)
		list = gb_arena_printf(arena, "%s%s%s", list, i > 0 ? "," : "", user->groups[i]);
	return list;
}

static enum gb_err
let_pass(struct gb_request *req)
{
	const struct gb_user *user = &req->identity->user;
	char *session_id = gb_arena_alloc(req->call.arena, GB_SESSION_ID_TEXT + 1);
	const char *groups = group_list(user, req->call.arena);
	const struct { const char *variable, *header, *value; } facts[] = {
		{ "Variable-REMOTE_USER", "X-Auth-User", gb_user_display_name(user) },
		{ "Variable-AUTH_USER_ID", "X-Auth-User-Id", user->id },
		{ "Variable-AUTH_SESSION", "X-Auth-Session", session_id },
		{ "Variable-AUTH_GROUPS", "X-Auth-Groups", groups },
	};
	enum gb_err err = GB_OK;

	if (session_id == NULL || groups == NULL)
		return GB_ERR_MEMORY;
	gb_session_id_text(req->identity->session.id, session_id);
	for (size_t i = 0; err == GB_OK && i < sizeof facts / sizeof *facts; i++) {
		err = gb_reply_header(req, facts[i].variable, facts[i].value);
		if (err == GB_OK && !req->authorizer)
			err = gb_reply_header(req, facts[i].header, facts[i].value);
	}
	return err != GB_OK ? err : gb_reply_empty(req, req->authorizer ? 200 : 204);
}

/* Only lighttpd hands a redirect of the authorizer on to the browser; nginx would make it 500. */
static bool
may_redirect(const struct gb_app *app, const struct gb_request *req, enum gb_err err)
{
	return gb_error_row(err)->status == 401 && app->config->cookie_mode && req->authorizer &&
	    !req->apache_role && req->method == GB_METHOD_GET && req->accepts_html;
}

static enum gb_err
to_sign_in(const struct gb_app *app, struct gb_request *req)
{
	bool keep = req->request_uri[0] == '/' && strlen(req->request_uri) <= GB_RETURN_MAX;
	const char *back = keep ? gb_form_escape(req->request_uri, req->call.arena) : "";
	const char *path = back != NULL ? gb_arena_printf(req->call.arena, "%s/login%s%s",
	    app->config->frontend_path, keep ? "?return=" : "", back) : NULL;

	return path != NULL ? gb_reply_redirect(req, 302, path) : GB_ERR_MEMORY;
}

static enum gb_err
verify(const struct gb_app *app, struct gb_request *req)
{
	enum gb_err err = gb_request_session(app, req);

	if (may_redirect(app, req, err))
		return to_sign_in(app, req);
	if (err != GB_OK || (err = may_pass(app, req)) != GB_OK)
		return err;
	return let_pass(req);
}

int
main(int argc, char **argv)
{
	static const struct gb_endpoint endpoint = {
		.name = "verify", .auth = GB_AUTH_OWN, .is_gate = true,
		.reach = GB_REACH_STORE, .handle = verify,
	};

	(void)argc;
	gb_full_become(argv);
	return gb_serve(&endpoint);
}
