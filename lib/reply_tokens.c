/* SPDX-License-Identifier: MIT */
/* reply_tokens.c: a token pair as an answer, in JSON or in cookies, and the answer that has a browser forget it. */
#include "cookie.h"
#include "http.h"

void
gb_user_json(struct gb_json_writer *writer, const struct gb_user *user)
{
	gb_json_put_string(writer, "id", user->id);
	gb_json_put_string(writer, "email", user->email);
	gb_json_put_boolean(writer, "email_verified", user->email_verified);
	gb_json_put_string(writer, "username", user->username[0] != '\0' ? user->username : NULL);
	gb_json_open(writer, "groups", '[');
	for (size_t i = 0; i < user->groups_len; i++)
		gb_json_put_string(writer, NULL, user->groups[i]);
	gb_json_close(writer, ']');
}

enum gb_err
gb_reply_tokens(const struct gb_app *app, struct gb_request *req, int status,
    const struct gb_token_pair *pair, const struct gb_user *user)
{
	struct gb_json_writer writer;
	enum gb_err err;

	if (pair->gate != NULL && (err = gb_cookie_set(app->config, req, pair)) != GB_OK)
		return err;
	gb_json_begin(&writer, req->call.arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_put_string(&writer, "access_token", pair->access_token);
	gb_json_put_string(&writer, "token_type", "Bearer");
	gb_json_put_integer(&writer, "expires_in", pair->expires_in);
	if (pair->gate == NULL)
		gb_json_put_string(&writer, "refresh_token", pair->refresh_token);
	gb_json_put_integer(&writer, "refresh_expires_in", pair->refresh_expires_in);
	if (user != NULL) {
		gb_json_open(&writer, "user", '{');
		gb_user_json(&writer, user);
		gb_json_close(&writer, '}');
	}
	gb_json_close(&writer, '}');
	return gb_reply_json(req, status, &writer);
}

enum gb_err
gb_reply_forget(const struct gb_app *app, struct gb_request *req)
{
	return req->cookie_sent ? gb_cookie_expire(app->config, req) : GB_OK;
}
