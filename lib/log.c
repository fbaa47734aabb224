/* SPDX-License-Identifier: MIT */
/* log.c: one line per request, and lines about ourselves. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static gb_log_sink *sink;
static void *sink_stream;

void
gb_log_to(gb_log_sink *to, void *stream)
{
	sink = to;
	sink_stream = stream;
}

/* A line that grows up to GB_LOG_MAX bytes, its newline counted; what does not fit is cut. */
struct line {
	char text[GB_LOG_MAX + 1];
	size_t len;
};

static void
put(struct line *line, const char *bytes, size_t len)
{
	size_t room = GB_LOG_MAX - 1 - line->len;

	memcpy(line->text + line->len, bytes, len < room ? len : room);
	line->len += len < room ? len : room;
}

/* Bytes that could end the line, close a quote or steer a terminal are written \xNN. */
static void
put_escaped(struct line *line, const char *text)
{
	char escape[sizeof "\\xNN"];

	for (; *text != '\0'; text++) {
		if (*text >= ' ' && *text <= '~' && *text != '"' && *text != '\\') {
			put(line, text, 1);
			continue;
		}
		snprintf(escape, sizeof escape, "\\x%02x", (unsigned)(unsigned char)*text);
		put(line, escape, strlen(escape));
	}
}

/* " name=value"; nothing for a value that is NULL or "". */
static void
put_pair(struct line *line, const char *name, const char *value)
{
	bool quote = value != NULL && strpbrk(value, " =") != NULL;

	if (value == NULL || value[0] == '\0')
		return;
	put(line, " ", 1);
	put(line, name, strlen(name));
	put(line, quote ? "=\"" : "=", quote ? 2 : 1);
	put_escaped(line, value);
	if (quote)
		put(line, "\"", 1);
}

static void
put_number(struct line *line, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	put_pair(line, name, text);
}

static void
send_line(struct line *line)
{
	line->text[line->len++] = '\n';
	line->text[line->len] = '\0';
	if (sink != NULL)
		sink(sink_stream, line->text);
	else if (write(STDERR_FILENO, line->text, line->len) < 0)
		return;	/* there is nobody to tell */
}

static void
begin(struct line *line, const char *program)
{
	line->len = 0;
	put(line, "guardbee ", sizeof "guardbee " - 1);
	put_escaped(line, program);
	put(line, ":", 1);
}

void
gb_log(const char *program, const char *format, ...)
{
	struct line line;
	char text[GB_LOG_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	begin(&line, program);
	put(&line, " ", 1);
	put_escaped(&line, text);
	send_line(&line);
}

void
gb_log_request(const char *endpoint, const struct gb_request *req, int status, enum gb_err err,
    int64_t milliseconds)
{
	struct line line;

	begin(&line, endpoint);
	put_number(&line, "status", status);
	if (err != GB_OK) {
		put_pair(&line, "code", gb_error_row(err)->code);
		put_pair(&line, "cause", gb_error_cause(err));
	}
	put_pair(&line, "event", req->call.event);
	put_pair(&line, "user", req->call.user_id);
	put_pair(&line, "who", req->call.user_id == NULL ? req->who : NULL);
	put_pair(&line, "session", req->call.session_id);
	put_pair(&line, "address", req->call.address);
	put_number(&line, "ms", milliseconds);
	send_line(&line);
}
