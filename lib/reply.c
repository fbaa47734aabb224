/* SPDX-License-Identifier: MIT */
/* reply.c: answers, as CGI writes them (RFC 3875 s6). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "password.h"
#include "reply.h"

#define JSON_TYPE "application/json"
#define HTML_TYPE "text/html; charset=utf-8"

/* What an answer of ours may load or be put into: nothing, but for pages their own files. */
#define NOTHING_MAY_LOAD "default-src 'none'; frame-ancestors 'none'"
#define PAGES_MAY_LOAD "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; " \
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" },
	{ 302, "Found" }, { 303, "See Other" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 409, "Conflict" }, { 411, "Length Required" },
	{ 413, "Content Too Large" }, { 415, "Unsupported Media Type" }, { 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" }, { 500, "Internal Server Error" }, { 503, "Service Unavailable" },
};

static const struct {
	unsigned bit;
	const char *word;
} weaknesses[] = {
	{ GB_WEAK_TOO_SHORT, "too_short" }, { GB_WEAK_COMMON, "common" }, { GB_WEAK_PERSONAL, "personal" },
};

/* Seconds after which a failure of ours may have gone. */
#define RETRY_BUSY_S 1
#define RETRY_STORE_S 5

#define STANDING_HEADERS_MAX 1024

enum gb_err
gb_reply_header(struct gb_request *req, const char *name, const char *value)
{
	struct gb_reply *reply = req->reply;

	for (const char *c = value; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return GB_ERR_INTERNAL;
	if (reply->headers_len == GB_REPLY_HEADERS_MAX)
		return GB_ERR_INTERNAL;
	reply->headers[reply->headers_len].name = name;
	reply->headers[reply->headers_len++].value = value;
	return GB_OK;
}

static void
set(struct gb_request *req, int status, const char *type, const char *body, size_t len)
{
	req->reply->status = status;
	req->reply->error = GB_OK;
	req->reply->type = type;
	req->reply->body = body;
	req->reply->body_len = len;
	req->reply->is_html = type != NULL && strcmp(type, HTML_TYPE) == 0;
	req->reply->is_redirect = false;
}

enum gb_err
gb_reply_json(struct gb_request *req, int status, struct gb_json_writer *writer)
{
	size_t len;
	const char *text = gb_json_text(writer, &len);

	if (text == NULL)
		return GB_ERR_MEMORY;
	set(req, status, JSON_TYPE, text, len);
	return GB_OK;
}

enum gb_err
gb_reply_message(struct gb_request *req, int status, const char *message)
{
	struct gb_json_writer writer;

	gb_json_begin(&writer, req->call.arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_put_string(&writer, "message", message);
	gb_json_close(&writer, '}');
	return gb_reply_json(req, status, &writer);
}

enum gb_err
gb_reply_empty(struct gb_request *req, int status)
{
	set(req, status, NULL, "", 0);
	return GB_OK;
}

enum gb_err
gb_reply_html(struct gb_request *req, int status, const char *html, bool url_holds_token)
{
	set(req, status, HTML_TYPE, html, strlen(html));
	req->reply->url_holds_token = url_holds_token;
	return GB_OK;
}

enum gb_err
gb_reply_redirect(struct gb_request *req, int status, const char *path)
{
	const char *location = gb_arena_printf(req->call.arena, "%s%s", req->reply->config->frontend_origin,
	    path);
	enum gb_err err;

	if (location == NULL)
		return GB_ERR_MEMORY;
	if ((err = gb_reply_header(req, "Location", location)) != GB_OK)
		return err;
	set(req, status, NULL, "", 0);
	req->reply->is_redirect = true;
	return GB_OK;
}

/* RFC 6750 s3.1: error="invalid_token" only where a bearer token was sent and is bad. */
static const char *
challenge(const struct gb_request *req, enum gb_err err)
{
	if (err == GB_ERR_INVALID_CLIENT)
		return "Basic realm=\"guardbee\"";
	if (req->bearer_sent && err != GB_ERR_TOKEN_MISSING && err != GB_ERR_INVALID_CREDENTIALS)
		return "Bearer error=\"invalid_token\"";
	return "Bearer";
}

enum gb_err
gb_reply_retry_after(struct gb_request *req, enum gb_err err)
{
	int64_t seconds = err == GB_ERR_RATE_LIMITED ? req->call.retry_after_s :
	    err == GB_ERR_STORE_UNAVAILABLE || err == GB_ERR_MISCONFIGURED ? RETRY_STORE_S : RETRY_BUSY_S;
	const char *text = gb_arena_printf(req->call.arena, "%lld", (long long)(seconds > 0 ? seconds : 1));

	return text != NULL ? gb_reply_header(req, "Retry-After", text) : GB_ERR_MEMORY;
}

static void
put_reasons(struct gb_json_writer *writer, unsigned weak_reasons)
{
	gb_json_open(writer, "reasons", '[');
	for (size_t i = 0; i < sizeof weaknesses / sizeof *weaknesses; i++)
		if (weak_reasons & weaknesses[i].bit)
			gb_json_put_string(writer, NULL, weaknesses[i].word);
	gb_json_close(writer, ']');
}

/* RFC 6749 s5.2, s4.1.2.1 */
static const char *
oauth_word(int status)
{
	switch (status) {
	case 401:
		return "invalid_client";
	case 429:
	case 503:
		return "temporarily_unavailable";
	case 500:
		return "server_error";
	default:
		return "invalid_request";
	}
}

enum gb_err
gb_reply_error(struct gb_request *req, enum gb_err err)
{
	const struct gb_error_row *row = gb_error_row(err);
	struct gb_json_writer writer;
	enum gb_err failed = GB_OK;

	if (row->status == 401)
		failed = gb_reply_header(req, "WWW-Authenticate", challenge(req, err));
	else if (row->status == 429 || row->status == 503)
		failed = gb_reply_retry_after(req, err);
	if (failed != GB_OK)
		return failed;
	gb_json_begin(&writer, req->call.arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_put_string(&writer, "error", req->reply->oauth_words ? oauth_word(row->status) : row->text);
	gb_json_put_integer(&writer, "status", row->status);
	gb_json_put_string(&writer, "code", row->code);
	if (err == GB_ERR_WEAK_PASSWORD)
		put_reasons(&writer, req->call.weak_reasons);
	gb_json_close(&writer, '}');
	failed = gb_reply_json(req, row->status, &writer);
	req->reply->error = err;
	return failed;
}

static const char *
reason_of(int status)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

static bool
has_header(const struct gb_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->headers_len; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return true;
	return false;
}

/* A head that grows; its room was reckoned beforehand. */
struct head {
	char *text;
	size_t len, max;
};

static void __attribute__((format(printf, 2, 3)))
add(struct head *head, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	head->len += (size_t)vsnprintf(head->text + head->len, head->max - head->len, format, args);
	va_end(args);
}

/* The fields that every answer carries, by what it is. */
static void
add_standing_headers(struct head *head, const struct gb_request *req)
{
	const struct gb_reply *reply = req->reply;

	if (!has_header(reply, "Cache-Control"))
		add(head, "Cache-Control: no-store\r\n");
	/* With an access checker's refusal Apache shows another page, and would put our policies beside that page's own. */
	if (!req->apache_role) {
		add(head, "X-Content-Type-Options: nosniff\r\n");
		add(head, "Content-Security-Policy: %s\r\n", reply->is_html ? PAGES_MAY_LOAD : NOTHING_MAY_LOAD);
		add(head, "Referrer-Policy: %s\r\n", reply->is_html && !reply->url_holds_token ? "same-origin" : "no-referrer");
	}
	if (reply->is_html)
		add(head, "Cross-Origin-Opener-Policy: same-origin\r\n");
	if (reply->config != NULL && strncmp(reply->config->frontend_origin, "https:", 6) == 0)
		add(head, "Strict-Transport-Security: max-age=31536000\r\n");
	if (reply->type != NULL)
		add(head, "Content-Type: %s\r\n", reply->type);
	if (reply->type != NULL && req->method != GB_METHOD_HEAD)
		add(head, "Content-Length: %zu\r\n", reply->body_len);
}

const char *
gb_reply_head(const struct gb_request *req, size_t *len)
{
	const struct gb_reply *reply = req->reply;
	struct head head = { .max = STANDING_HEADERS_MAX };

	for (size_t i = 0; i < reply->headers_len; i++)
		head.max += strlen(reply->headers[i].name) + strlen(reply->headers[i].value) + sizeof ": \r\n";
	/* Not by stdio: its buffers would keep the cookies. */
	if ((head.text = gb_arena_alloc(req->call.arena, head.max)) == NULL)
		return NULL;
	add(&head, "Status: %d %s\r\n", reply->status, reason_of(reply->status));
	add_standing_headers(&head, req);
	for (size_t i = 0; i < reply->headers_len; i++)
		add(&head, "%s: %s\r\n", reply->headers[i].name, reply->headers[i].value);
	add(&head, "\r\n");
	*len = head.len;
	return head.text;
}
