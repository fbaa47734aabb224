/* SPDX-License-Identifier: MIT */
/* http.c: what a request holds: variables, credentials, fields, and where it may be sent on to. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "form.h"
#include "http.h"
#include "request.h"

/* RFC 6750 s2.1: b64token */
static const char token_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";

static const char *
value_of(const char *variable, const char *name, size_t name_len)
{
	return strncmp(variable, name, name_len) == 0 && variable[name_len] == '=' ?
	    variable + name_len + 1 : NULL;
}

const char *
gb_request_variable(const struct gb_request *req, const char *name)
{
	const char *found = NULL;
	size_t name_len = strlen(name);

	for (char *const *variable = req->variables; *variable != NULL; variable++) {
		const char *value = value_of(*variable, name, name_len);

		if (value == NULL)
			continue;
		if (found != NULL && strcmp(found, value) != 0)
			return NULL;
		found = value;
	}
	return found != NULL && found[0] != '\0' ? found : NULL;
}

void
gb_request_identify(const struct gb_app *app, struct gb_request *req, const char *typed)
{
	unsigned char fingerprint[GB_FINGERPRINT_LEN];

	gb_state_fingerprint(app->state, "log", &typed, 1, fingerprint);
	for (size_t i = 0; i < sizeof fingerprint; i++)
		snprintf(req->who + 2 * i, 3, "%02x", fingerprint[i]);
}

/* What follows the scheme, if it is this one and one well-formed token; "" if it is malformed. */
static const char *
scheme_token(const char *authorization, const char *scheme)
{
	size_t len = strlen(scheme);
	const char *token = authorization + len;

	if (strncasecmp(authorization, scheme, len) != 0 || (*token != ' ' && *token != '\0'))
		return NULL;
	if (*token == ' ')
		token++;
	/* Two headers arrive joined by a comma, which is no byte of a token. */
	if (token[strspn(token, token_bytes)] != '\0' || strlen(token) > GB_TOKEN_MAX)
		return "";
	return token;
}

void
gb_request_credentials(struct gb_request *req)
{
	const char *sent = gb_request_variable(req, "HTTP_AUTHORIZATION");
	const char *token;

	if (sent == NULL)	/* Apache, after an internal rewrite */
		sent = gb_request_variable(req, "REDIRECT_HTTP_AUTHORIZATION");
	if (sent == NULL)
		return;
	if ((token = scheme_token(sent, "Bearer")) != NULL) {
		req->bearer_sent = true;
		req->bearer = *token != '\0' ? token : NULL;
	}
	if ((token = scheme_token(sent, "Basic")) != NULL && *token != '\0')
		req->basic = token;
}

enum gb_err
gb_request_bearer(const struct gb_request *req, const char **token)
{
	*token = req->bearer;
	if (!req->bearer_sent)
		return GB_ERR_TOKEN_MISSING;
	return req->bearer != NULL ? GB_OK : GB_ERR_TOKEN_INVALID;
}

/* Checks one proof, token or else gate, and remembers whom it proves. */
static enum gb_err
identify(const struct gb_app *app, struct gb_request *req, const char *token, const char *gate)
{
	struct gb_identity *identity = gb_arena_alloc(req->call.arena, sizeof *identity);
	enum gb_err err;

	if (identity == NULL)
		return GB_ERR_MEMORY;
	err = token != NULL ? gb_token_check(app, &req->call, token, identity) :
	    gb_token_check_gate(app, &req->call, gate, identity);
	if (err == GB_OK)
		req->identity = identity;
	return err;
}

enum gb_err
gb_request_session(const struct gb_app *app, struct gb_request *req)
{
	const char *token;
	enum gb_err err = gb_request_bearer(req, &token);

	if (err == GB_OK)
		return identify(app, req, token, NULL);
	return err == GB_ERR_TOKEN_MISSING ? gb_request_gate(app, req) : err;
}

enum gb_err
gb_request_gate(const struct gb_app *app, struct gb_request *req)
{
	return req->gate != NULL ? identify(app, req, NULL, req->gate) : GB_ERR_TOKEN_MISSING;
}

const struct gb_identity *
gb_request_replaced(const struct gb_app *app, struct gb_request *req)
{
	return req->origin_checked && gb_request_gate(app, req) == GB_OK ? req->identity : NULL;
}

bool
gb_request_has(const struct gb_request *req, const char *name)
{
	const char *value;

	if (req->body == GB_BODY_FORM)
		return gb_form_string(req->form, name, &value) != GB_ERR_MISSING_FIELD;
	return req->json != NULL && gb_json_has(req->json, name);
}

enum gb_err
gb_request_field(const struct gb_request *req, const char *name, size_t max, const char **value)
{
	enum gb_err err;

	*value = NULL;
	if (req->body == GB_BODY_FORM)
		err = gb_form_string(req->form, name, value);
	else if (req->json != NULL)
		err = gb_json_string(req->json, name, value);
	else
		err = GB_ERR_INVALID_FIELD;
	if (err == GB_OK && (*value)[0] == '\0')
		err = GB_ERR_MISSING_FIELD;
	else if (err == GB_OK && strlen(*value) > max)
		err = GB_ERR_INVALID_FIELD;
	if (err != GB_OK)
		*value = NULL;
	return err;
}

enum gb_err
gb_request_optional(const struct gb_request *req, const char *name, size_t max, const char **value)
{
	enum gb_err err = gb_request_field(req, name, max, value);

	return err == GB_ERR_MISSING_FIELD ? GB_OK : err;
}

enum gb_err
gb_request_new_password(const struct gb_request *req, const char *name, const char **value)
{
	const char *again;
	enum gb_err err = gb_request_field(req, name, GB_BODY_MAX, value);

	if (err != GB_OK || req->body != GB_BODY_FORM || !gb_request_has(req, "confirm_password"))
		return err;
	/* empty is a second time too, and differs */
	err = gb_form_string(req->form, "confirm_password", &again);
	if (err == GB_OK && strcmp(*value, again) != 0)
		err = GB_ERR_INVALID_FIELD;
	if (err != GB_OK)
		*value = NULL;
	return err;
}

enum gb_err
gb_request_flag(const struct gb_request *req, const char *name, bool *value)
{
	const char *text;
	enum gb_err err;

	*value = false;
	if (req->body != GB_BODY_FORM) {
		err = req->json != NULL ? gb_json_boolean(req->json, name, value) : GB_ERR_INVALID_FIELD;
		return err == GB_ERR_MISSING_FIELD ? GB_OK : err;
	}
	if ((err = gb_request_optional(req, name, sizeof "true" - 1, &text)) != GB_OK || text == NULL)
		return err;
	*value = strcmp(text, "true") == 0;
	return *value ? GB_OK : GB_ERR_INVALID_FIELD;
}

const char *
gb_request_query(const struct gb_request *req, const char *name, size_t max)
{
	const char *value;

	if (req->query == NULL || gb_form_string(req->query, name, &value) != GB_OK)
		return NULL;
	return value[0] != '\0' && strlen(value) <= max ? value : NULL;
}

/* Printable ASCII but the backslash, which browsers take for a slash. */
static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~' || *text == '\\')
			return false;
	return true;
}

/* A decoded path as a server may see it: one slash for many, dot segments resolved (RFC 3986 s5.2.4). */
static void
normalize(char *path)
{
	char *out = path;

	for (char *segment = path, *next; segment != NULL; segment = next) {
		size_t len;

		if ((next = strchr(segment, '/')) != NULL)
			*next++ = '\0';
		len = strlen(segment);
		if (strcmp(segment, "..") == 0) {
			while (out > path && *--out != '/')
				;
		} else if (len > 0 && strcmp(segment, ".") != 0) {
			memmove(out + 1, segment, len);
			*out = '/';
			out += len + 1;
		}
	}
	*out = '\0';
}

/* Under frontend_path + "/auth/", where no person is to be sent. */
static bool
is_endpoint(const struct gb_config *config, char *path)
{
	size_t base_len = strlen(config->frontend_path);

	path[strcspn(path, "?#")] = '\0';
	normalize(path);
	if (strncmp(path, config->frontend_path, base_len) != 0)
		return false;
	path += base_len;
	return strcmp(path, "/auth") == 0 || strncmp(path, "/auth/", 6) == 0;
}

const char *
gb_return_path(const struct gb_config *config, struct gb_arena *arena, const char *path)
{
	char *decoded;

	if (path != NULL && path[0] == '/' && strlen(path) <= GB_RETURN_MAX && is_plain(path) &&
	    (decoded = gb_form_unescape(path, arena)) != NULL && is_plain(decoded) &&
	    !is_endpoint(config, decoded))
		return path;
	return gb_arena_printf(arena, "%s/", config->frontend_path);
}
