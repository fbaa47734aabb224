/* SPDX-License-Identifier: MIT */
/* visit.c: a request without a web server. */
#include <stdarg.h>
#include <string.h>

#include "visit.h"

#define VISIT_NOW INT64_C(1800000000)

static const char *unread;		/* of the body; one visit at a time */

static ssize_t
read_body(void *bytes, size_t max)
{
	size_t len = strlen(unread);

	if (len > max)
		len = max;
	memcpy(bytes, unread, len);
	unread += len;
	return (ssize_t)len;
}

static const struct gb_backend backend = { .name = "visit", .read = read_body };

static void
add(struct visit *visit, const char *variable)
{
	visit->variables[visit->variables_len++] = gb_arena_copy(visit->arena, variable, strlen(variable));
}

void
visit_begin(struct visit *visit, const struct gb_config *config, const char *method, ...)
{
	va_list args;
	const char *variable;

	*visit = (struct visit){ .arena = gb_arena_new(), .config = config };
	add(visit, gb_arena_printf(visit->arena, "REQUEST_METHOD=%s", method));
	va_start(args, method);
	while ((variable = va_arg(args, const char *)) != NULL)
		add(visit, variable);
	va_end(args);
	gb_request_begin(&visit->req, visit->arena, visit->variables, VISIT_NOW);
	visit->req.reply = &visit->reply;
	visit->reply.config = config;
}

void
visit_end(struct visit *visit)
{
	gb_arena_free(visit->arena);
}

enum gb_err
visit_judge(struct visit *visit, const struct gb_endpoint *endpoint, const char *body)
{
	unread = body;
	add(visit, gb_arena_printf(visit->arena, "CONTENT_LENGTH=%zu", strlen(body)));
	if (gb_request_variable(&visit->req, "CONTENT_TYPE") == NULL)
		add(visit, "CONTENT_TYPE=application/json");
	return gb_request_judge(&visit->req, endpoint, visit->config, &backend);
}

const char *
visit_header(const struct visit *visit, const char *name, size_t nth)
{
	for (size_t i = 0; i < visit->reply.headers_len; i++)
		if (strcmp(visit->reply.headers[i].name, name) == 0 && nth-- == 0)
			return visit->reply.headers[i].value;
	return NULL;
}
