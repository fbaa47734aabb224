/* SPDX-License-Identifier: MIT */
/*
 * A request as web servers give it, by CGI and FastCGI alike: variables NAME=value, each ended by a NUL, an
 * empty one, and the body. The first byte chooses what the endpoint takes. The order of the contract ends
 * in a verdict about the request, never in a failure of ours, and what it lets through is within bounds.
 */
#include <string.h>

#include "backend.h"
#include "form.h"
#include "fuzz.h"
#include "reply.h"
#include "request.h"

#define VARIABLES_MAX 64

static const struct gb_config config = {
	.frontend_url = "https://example.org/site", .frontend_origin = "https://example.org", .frontend_path = "/site",
	.cookie_mode = true, .cors_origins = "https://app.example", .trusted_proxies = "10.0.0.0/8, ::1",
};
static const uint8_t *body;
static size_t body_len;

static ssize_t
read_body(void *bytes, size_t max)
{
	size_t len = body_len < max ? body_len : max;

	memcpy(bytes, body, len);
	return (ssize_t)len;
}

static const struct gb_backend backend = { .name = "fuzz", .read = read_body };

/* Copies, so that a step past a variable's end is seen. What follows the empty one is the body. */
static void
variables_make(const uint8_t *data, size_t size, char *variables[static VARIABLES_MAX + 1])
{
	size_t n = 0;

	while (size > 0 && *data != '\0' && n < VARIABLES_MAX) {
		size_t len = strnlen((const char *)data, size), whole = len < size ? len + 1 : len;

		variables[n++] = strndup((const char *)data, len);
		data += whole;
		size -= whole;
	}
	variables[n] = NULL;
	body = size > 0 ? data + 1 : data;
	body_len = size > 0 ? size - 1 : 0;
}

static void
look_at_fields(struct gb_request *req)
{
	static const char *const names[] = { "email", "token", "refresh_token", "return", "all" };
	const char *value;
	bool flag;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		enum gb_err err = gb_request_field(req, names[i], 64, &value);

		DEMAND((err == GB_OK) == (value != NULL) && (value == NULL || (*value != '\0' && strlen(value) <= 64)));
		value = gb_request_query(req, names[i], 64);
		DEMAND(value == NULL || (*value != '\0' && strlen(value) <= 64));
	}
	gb_request_flag(req, "all", &flag);
	if (gb_request_optional(req, "return", GB_RETURN_MAX, &value) == GB_OK) {
		value = gb_return_path(&config, req->call.arena, value);
		DEMAND(value != NULL && *value == '/' && strchr(value, '\\') == NULL && strncmp(value, "/site/auth/", 11) != 0);
		for (; *value != '\0'; value++)
			DEMAND(*value >= ' ' && *value < 0x7f);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *variables[VARIABLES_MAX + 1];
	struct gb_arena *arena = gb_arena_new();
	struct gb_endpoint endpoint = { .name = "fuzz", .methods = GB_METHOD_GET | GB_METHOD_POST | GB_METHOD_DELETE };
	struct gb_reply reply = { 0 };
	struct gb_request req;
	const char *token;
	enum gb_err err;

	if (size > 0) {
		endpoint.form = *data % 5;
		endpoint.auth = *data / 5 % 3;
		endpoint.is_gate = *data / 15 % 2;
		variables_make(data + 1, size - 1, variables);
		gb_request_begin(&req, arena, variables, 1500);
		req.reply = &reply;
		err = gb_request_judge(&req, &endpoint, &config, &backend);
		DEMAND(err == GB_OK || gb_error_row(err)->status < 500);
		if (gb_request_bearer(&req, &token) == GB_OK)
			DEMAND(token != NULL && *token != '\0' && strpbrk(token, " ,\t") == NULL);
		if (err == GB_OK && !endpoint.is_gate && reply.status == 0)
			look_at_fields(&req);
		for (char **variable = variables; *variable != NULL; variable++)
			free(*variable);
	}
	gb_arena_free(arena);
	return 0;
}
