/* SPDX-License-Identifier: MIT */
/* page.c: the values every page has, and the two fills: the page, then the layout around it. */
#include <stdio.h>
#include <string.h>

#include "embed.h"
#include "form.h"
#include "page.h"
#include "password.h"
#include "text.h"

#define TOKEN_MAX 4096
#define CODE_MAX 40			/* of an error code in a query */

/* Whose fault a refusal is, where it is a field's: the value error_FIELD is set beside error. */
static const struct {
	enum gb_err err;
	const char *name;
} culprits[] = {
	{ GB_ERR_INVALID_EMAIL, "error_email" },
	{ GB_ERR_ACCOUNT_EXISTS, "error_email" },
	{ GB_ERR_INVALID_USERNAME, "error_username" },
	{ GB_ERR_WEAK_PASSWORD, "error_password" },
	{ GB_ERR_PASSWORD_TOO_LONG, "error_password" },
	{ GB_ERR_INVALID_FIELD, "error_confirm" },	/* no browser sends any other that is */
	{ GB_ERR_INVALID_CREDENTIALS, "error_name" },
	{ GB_ERR_RESET_TOKEN_INVALID, "error_code" },
};

/* The row whose code a query names: of the inner causes that share a code the first. */
static enum gb_err
err_of_code(const char *code)
{
	int err;

	if (code != NULL)
		for (err = GB_OK + 1; err < GB_ERR__COUNT; err++)
			if (strcmp(gb_error_row((enum gb_err)err)->code, code) == 0)
				return (enum gb_err)err;
	return GB_OK;
}

bool
gb_page_token_shape(const char *token)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len = strnlen(token, TOKEN_MAX + 1), dots = 0, i;

	for (i = 0; i < len; i++)
		if (token[i] == '.')
			dots++;
		else if (strchr(alphabet, token[i]) == NULL)
			return false;
	return len <= TOKEN_MAX && dots == 2;
}

/*
 * Where to go afterwards: `return` of the query, or, where the web server shows this page in place of
 * another (error_page, ErrorDocument), the path that was asked for.
 */
static const char *
return_of(const struct gb_app *app, struct gb_request *req, const char *template_name)
{
	struct gb_arena *arena = req->call.arena;
	const char *asked = gb_request_query(req, "return", GB_RETURN_MAX), *uri = req->request_uri;
	const char *own = gb_arena_printf(arena, "%s/%s", app->config->frontend_path, template_name);
	size_t len = strcspn(uri, "?");

	if (asked != NULL)
		return gb_return_path(app->config, arena, asked);
	if (len == 0 || own == NULL || (strlen(own) == len && memcmp(uri, own, len) == 0) ||
	    (strlen(req->script_name) == len && memcmp(uri, req->script_name, len) == 0))
		return NULL;
	return gb_return_path(app->config, arena, uri);
}

struct values {
	struct gb_template_value rows[48];
	size_t len;
	bool failed;			/* more values than rows: a page without them would lie */
};

static void
put(struct values *values, const char *name, const char *value)
{
	if (values->len + 1 < sizeof values->rows / sizeof values->rows[0])
		values->rows[values->len++] = (struct gb_template_value){ name, value };
	else
		values->failed = true;
}

/* A text of the language, its own values filled in; NULL when the table has no such key. */
static const char *
text_of(struct gb_arena *arena, const struct values *values, const char *table, const char *kind, const char *key)
{
	const char *name = gb_arena_printf(arena, "%s%s", kind, key);
	const char *text = name == NULL ? NULL : gb_text_find(arena, table, name);

	return text == NULL ? NULL : gb_template_fill(arena, text, values->rows, NULL, false);
}

/* The key of an error's text: its code; of a weak password the reason, where it is known. */
static const char *
error_key(const struct gb_call *call, enum gb_err err)
{
	if (err == GB_ERR_WEAK_PASSWORD && call->weak_reasons & GB_WEAK_TOO_SHORT)
		return "weak_password.too_short";
	if (err == GB_ERR_WEAK_PASSWORD && call->weak_reasons & GB_WEAK_PERSONAL)
		return "weak_password.personal";
	if (err == GB_ERR_WEAK_PASSWORD && call->weak_reasons & GB_WEAK_COMMON)
		return "weak_password.common";
	return gb_error_row(err)->code;
}

static void
put_error(struct values *values, const struct gb_call *call, const char *table, enum gb_err err,
    const char *template_name)
{
	const char *text, *own;
	size_t i;

	if (err == GB_OK)
		return;
	/* A page may have its own words: which password was wrong. */
	own = gb_arena_printf(call->arena, "%s.%s", gb_error_row(err)->code, template_name);
	if (own == NULL || (text = text_of(call->arena, values, table, "error.", own)) == NULL)
		text = text_of(call->arena, values, table, "error.", error_key(call, err));
	put(values, "error", text != NULL ? text : gb_error_row(err)->text);
	for (i = 0; i < sizeof culprits / sizeof culprits[0]; i++)
		if (culprits[i].err == err)
			put(values, culprits[i].name, "");
}

static void
put_return(struct values *values, struct gb_arena *arena, const char *path)
{
	const char *encoded = path == NULL ? NULL : gb_form_escape(path, arena);

	put(values, "return", path);
	put(values, "return_query", encoded == NULL ? NULL : gb_arena_printf(arena, "?return=%s", encoded));
	put(values, "return_more", encoded == NULL ? NULL : gb_arena_printf(arena, "&return=%s", encoded));
}

static void
put_settings(struct values *values, struct gb_arena *arena, const struct gb_config *config)
{
	put(values, "base", config->frontend_path);
	put(values, "site_name", config->site_name);
	put(values, "password_min", gb_arena_printf(arena, "%d", (int)config->password_min_length));
	put(values, config->cookie_mode ? "cookie_mode" : "script_only", "");
	put(values, "registration", config->registration == GB_REGISTRATION_CLOSED ? NULL : "");
}

static void
put_csrf(struct values *values, struct gb_request *req)
{
	char csrf[GB_CSRF_TEXT + 1];

	if (req->gate != NULL && gb_token_csrf(req->gate, csrf))
		put(values, "csrf_token", gb_arena_copy(req->call.arena, csrf, GB_CSRF_TEXT));
}

static const char *
part_of(struct gb_arena *arena, const struct gb_template_value *values, const char *part, const char *table)
{
	const char *path = gb_arena_printf(arena, "www/templates/%s.html", part);
	const char *text = path == NULL ? NULL : gb_embed_find(path);

	return text == NULL ? NULL : gb_template_fill(arena, text, values, table, true);
}

/* The field in the page, the page in the layout; NULL when memory ran out. */
static const char *
html_of(struct values *values, struct gb_arena *arena, const char *template_name, const char *table)
{
	const char *confirm = part_of(arena, values->rows, "confirm", table), *content;

	put(values, "confirm", confirm);
	if (confirm == NULL || (content = part_of(arena, values->rows, template_name, table)) == NULL)
		return NULL;
	put(values, "content", content);
	return values->failed ? NULL : part_of(arena, values->rows, "layout", table);
}

static enum gb_err
reply(const struct gb_app *app, struct gb_request *req, int status, enum gb_err err,
    const char *template_name, const struct gb_template_value *given, bool url_holds_token)
{
	struct gb_arena *arena = req->call.arena;
	const char *language = gb_text_language(req->call.language, app->config->default_language);
	const char *table = gb_text_table(language), *done = gb_request_query(req, "done", 1), *html;
	struct values values = { .len = 0 };

	for (; given != NULL && given->name != NULL; given++)
		put(&values, given->name, given->value);
	put(&values, "lang", language);
	put(&values, "template", template_name);
	put_settings(&values, arena, app->config);
	put_csrf(&values, req);
	put_return(&values, arena, url_holds_token ? NULL : return_of(app, req, template_name));
	put(&values, "title", text_of(arena, &values, table, template_name, ".title"));
	put_error(&values, &req->call, table, err, template_name);
	if (err == GB_OK && done != NULL && strcmp(done, "1") == 0)
		put(&values, "done", text_of(arena, &values, table, template_name, ".done"));
	if ((html = html_of(&values, arena, template_name, table)) == NULL)
		return GB_ERR_MEMORY;
	return gb_reply_html(req, status, html, url_holds_token);
}

enum gb_err
gb_page_reply(const struct gb_app *app, struct gb_request *req, int status,
    const char *template_name, const struct gb_template_value *values, bool url_holds_token)
{
	enum gb_err err = err_of_code(gb_request_query(req, "error", CODE_MAX));

	return reply(app, req, status, err, template_name, values, url_holds_token);
}

enum gb_err
gb_page_refuse(const struct gb_app *app, struct gb_request *req, enum gb_err err,
    const char *template_name, const struct gb_template_value *values)
{
	return reply(app, req, gb_error_row(err)->status, err, template_name, values, true);
}

enum gb_err
gb_page_sorry(const struct gb_config *config, struct gb_request *req, enum gb_err err)
{
	const struct gb_app app = { .config = config };

	return gb_page_refuse(&app, req, err, "sorry", NULL);
}

const char *
gb_page_fill(const struct gb_app *app, struct gb_request *req, const char *part,
    const struct gb_template_value *given)
{
	struct gb_arena *arena = req->call.arena;
	const char *table = gb_text_table(gb_text_language(req->call.language, app->config->default_language));
	struct values values = { .len = 0 };

	for (; given->name != NULL; given++)
		put(&values, given->name, given->value);
	put_settings(&values, arena, app->config);
	put_csrf(&values, req);
	return part_of(arena, values.rows, part, table);
}
