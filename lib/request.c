/* SPDX-License-Identifier: MIT */
/* request.c: judges a request, step by step, before anybody looks at what it means. */
#include <string.h>
#include <strings.h>

#include "address.h"
#include "cookie.h"
#include "form.h"
#include "origin.h"
#include "reply.h"
#include "request.h"

#define METHODS_WITH_BODY (GB_METHOD_POST | GB_METHOD_DELETE)

static const struct {
	const char *name;
	enum gb_method method;
} methods[] = {
	{ "GET", GB_METHOD_GET }, { "HEAD", GB_METHOD_HEAD }, { "POST", GB_METHOD_POST },
	{ "DELETE", GB_METHOD_DELETE }, { "OPTIONS", GB_METHOD_OPTIONS },
};

/* One request on its way through the steps. */
struct order {
	struct gb_request *req;
	const struct gb_endpoint *endpoint;
	const struct gb_config *config;
	const struct gb_backend *backend;
	const char *text;		/* the body */
	size_t len;
	bool malformed;			/* its length was no number, or it broke off */
};

static const char *
variable(const struct order *order, const char *name)
{
	return gb_request_variable(order->req, name);
}

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static enum gb_method
method_of(const char *name)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(name, methods[i].name) == 0)
			return methods[i].method;
	return GB_METHOD_OTHER;
}

static const char *
user_agent(struct gb_request *req)
{
	const char *sent = or_empty(gb_request_variable(req, "HTTP_USER_AGENT"));

	return or_empty(gb_arena_copy(req->call.arena, sent, strnlen(sent, GB_USER_AGENT_MAX)));
}

static const struct gb_form *
query(struct gb_request *req)
{
	const char *sent = or_empty(gb_request_variable(req, "QUERY_STRING"));
	const struct gb_form *form;

	/* A query that is malformed says nothing: links get damaged on their way through mails. */
	gb_form_parse(sent, strlen(sent), req->call.arena, &form);
	return form;
}

void
gb_request_begin(struct gb_request *req, struct gb_arena *arena, char *const *variables, int64_t now)
{
	const char *accept, *role;

	*req = (struct gb_request){ .variables = variables, .call = { .now = now, .arena = arena } };
	accept = or_empty(gb_request_variable(req, "HTTP_ACCEPT"));
	role = or_empty(gb_request_variable(req, "FCGI_ROLE"));
	req->method = method_of(or_empty(gb_request_variable(req, "REQUEST_METHOD")));
	req->script_name = or_empty(gb_request_variable(req, "SCRIPT_NAME"));
	req->request_uri = or_empty(gb_request_variable(req, "REQUEST_URI"));
	req->query = query(req);
	req->call.user_agent = user_agent(req);
	req->call.language = or_empty(gb_request_variable(req, "HTTP_ACCEPT_LANGUAGE"));
	req->call.address = "";
	req->apache_role = gb_request_variable(req, "FCGI_APACHE_ROLE") != NULL;
	req->authorizer = req->apache_role || strcmp(role, "AUTHORIZER") == 0;
	req->accepts_html = strcasestr(accept, "text/html") != NULL;
	req->gate_group = gb_request_variable(req, "GATE_GROUP");
	gb_request_credentials(req);
}

static enum gb_err
judge_path(struct order *order)
{
	/* What no request has is missing because the web server broke off. */
	if (variable(order, "REQUEST_METHOD") == NULL)
		return GB_ERR_BAD_REQUEST;
	return variable(order, "PATH_INFO") == NULL ? GB_OK : GB_ERR_NOT_FOUND;
}

static enum gb_err
judge_method(struct order *order)
{
	unsigned allowed = order->endpoint->methods | GB_METHOD_OPTIONS;
	const char *list = "";

	if (allowed & GB_METHOD_GET)
		allowed |= GB_METHOD_HEAD;
	if ((order->req->method & allowed) && order->req->method != GB_METHOD_OPTIONS)
		return GB_OK;
	for (size_t i = 0; list != NULL && i < sizeof methods / sizeof *methods; i++)
		if (methods[i].method & allowed)
			list = gb_arena_printf(order->req->call.arena, "%s%s%s", list, *list ? ", " : "",
			    methods[i].name);
	if (list == NULL)
		return GB_ERR_MEMORY;
	gb_reply_header(order->req, "Allow", list);
	if (order->req->method != GB_METHOD_OPTIONS)
		return GB_ERR_METHOD_NOT_ALLOWED;
	gb_origin_share_methods(order->config, order->req, list);
	return gb_reply_empty(order->req, 204);
}

/* Up to max bytes of the body; fewer than a length that was given is a body that broke off. */
static enum gb_err
read_body(struct order *order, size_t max, bool exactly)
{
	char *text = gb_arena_alloc(order->req->call.arena, max + 1);
	ssize_t len;

	if (text == NULL)
		return GB_ERR_MEMORY;
	len = order->backend->read(text, max);
	order->malformed = len < 0 || (exactly && (size_t)len < max);
	order->len = len < 0 ? 0 : (size_t)len;
	order->text = text;
	return order->len > GB_BODY_MAX ? GB_ERR_PAYLOAD_TOO_LARGE : GB_OK;
}

static enum gb_err
judge_length(struct order *order)
{
	const char *length = or_empty(variable(order, "CONTENT_LENGTH"));
	const char *coding = variable(order, "HTTP_TRANSFER_ENCODING");
	size_t digits = strspn(length, "0123456789"), zeros = strspn(length, "0"), len = 0;

	order->text = "";
	if (!(order->req->method & METHODS_WITH_BODY))
		return GB_OK;
	order->malformed = length[digits] != '\0';
	if (order->malformed)
		return GB_OK;
	if (digits == zeros) {
		if (coding != NULL && strcasecmp(coding, "chunked") != 0)
			return GB_ERR_LENGTH_REQUIRED;
		return digits > 0 && coding == NULL ? GB_OK : read_body(order, GB_BODY_MAX + 1, false);
	}
	for (const char *digit = length + zeros; *digit != '\0' && len <= GB_BODY_MAX; digit++)
		len = len * 10 + (size_t)(*digit - '0');
	return len > GB_BODY_MAX ? GB_ERR_PAYLOAD_TOO_LARGE : read_body(order, len, true);
}

/* `type` is `wanted`, with no parameter but charset=utf-8, in any case. */
static bool
is_media_type(const char *type, const char *wanted)
{
	size_t len = strlen(wanted);

	if (strncasecmp(type, wanted, len) != 0)
		return false;
	type += len;
	type += strspn(type, " \t");
	if (*type == '\0')
		return true;
	if (*type++ != ';')
		return false;
	type += strspn(type, " \t");
	for (const char *const *charset = (const char *const[]){ "charset=utf-8", "charset=\"utf-8\"", NULL };
	    *charset != NULL; charset++)
		if (strncasecmp(type, *charset, strlen(*charset)) == 0)
			type += strlen(*charset), type += strspn(type, " \t");
	return *type == '\0';
}

static enum gb_err
judge_media_type(struct order *order)
{
	const char *type = or_empty(variable(order, "CONTENT_TYPE"));
	const char *coding = variable(order, "HTTP_CONTENT_ENCODING");
	enum gb_form_rule rule = order->endpoint->form;

	if (order->len == 0 && !order->malformed)
		return GB_OK;
	if (coding != NULL && strcasecmp(coding, "identity") != 0)
		return GB_ERR_UNSUPPORTED_MEDIA_TYPE;
	if (is_media_type(type, "application/json")) {
		order->req->body = GB_BODY_JSON;
		return GB_OK;
	}
	if (!is_media_type(type, "application/x-www-form-urlencoded") || rule == GB_FORM_NEVER ||
	    (rule == GB_FORM_COOKIE && !order->config->cookie_mode))
		return GB_ERR_UNSUPPORTED_MEDIA_TYPE;
	order->req->body = GB_BODY_FORM;
	return GB_OK;
}

static enum gb_err
judge_syntax(struct order *order)
{
	struct gb_request *req = order->req;
	enum gb_err err;

	if (order->malformed)
		return GB_ERR_BAD_REQUEST;
	if (req->body != GB_BODY_FORM) {
		err = order->len > 0 ? gb_json_parse(order->text, order->len, req->call.arena, &req->json) :
		    gb_json_parse("{}", 2, req->call.arena, &req->json);
		if (err == GB_OK && !gb_json_is_object(req->json))
			req->json = NULL;
		return err;
	}
	if ((err = gb_form_parse(order->text, order->len, req->call.arena, &req->form)) != GB_OK)
		return err;
	if (order->endpoint->form == GB_FORM_LINK_OR_COOKIE && !order->config->cookie_mode &&
	    !gb_request_has(req, "token"))
		return GB_ERR_UNSUPPORTED_MEDIA_TYPE;
	return GB_OK;
}

/* A token that the request names itself decides; a cookie beside it authenticates nobody. */
static bool
is_by_cookie(const struct order *order)
{
	const struct gb_request *req = order->req;

	if (req->gate == NULL || req->bearer_sent || (req->method & (GB_METHOD_GET | GB_METHOD_HEAD)))
		return false;
	return order->endpoint->auth == GB_AUTH_SESSION || (order->endpoint->auth == GB_AUTH_OWN &&
	    !gb_request_has(req, "refresh_token") && !gb_request_has(req, "token"));
}

static bool
is_guarded_form(const struct order *order)
{
	if (order->req->body != GB_BODY_FORM)
		return false;
	switch (order->endpoint->form) {
	case GB_FORM_LINK:
	case GB_FORM_LINK_OR_COOKIE:
		return !gb_request_has(order->req, "token");
	case GB_FORM_PLAIN:
		return false;
	default:
		return true;
	}
}

static enum gb_err
judge_origin(struct order *order)
{
	bool ours = gb_origin_check(order->config, order->req);

	order->req->origin_checked = ours && order->config->cookie_mode;
	return ours || (!is_by_cookie(order) && !is_guarded_form(order)) ? GB_OK : GB_ERR_ORIGIN_FORBIDDEN;
}

static enum gb_err
judge_csrf(struct order *order)
{
	return !is_by_cookie(order) || gb_cookie_csrf_check(order->req) ? GB_OK : GB_ERR_CSRF_FAILED;
}

static enum gb_err (*const steps[])(struct order *) = {
	judge_path, judge_method, judge_length, judge_media_type, judge_syntax, judge_origin, judge_csrf,
};

static const char *
client_address(struct gb_request *req, const struct gb_config *config)
{
	return or_empty(gb_address_of_client(config->trusted_proxies,
	    or_empty(gb_request_variable(req, "REMOTE_ADDR")),
	    gb_request_variable(req, "HTTP_X_FORWARDED_FOR"), req->call.arena));
}

enum gb_err
gb_request_judge(struct gb_request *req, const struct gb_endpoint *endpoint,
    const struct gb_config *config, const struct gb_backend *backend)
{
	struct order order = { .req = req, .endpoint = endpoint, .config = config, .backend = backend };
	enum gb_err err = GB_OK;

	req->call.address = client_address(req, config);
	if (config->cookie_mode)
		gb_cookie_read(req);
	if (endpoint->is_gate)
		return GB_OK;
	gb_origin_share(config, req);
	for (size_t i = 0; err == GB_OK && i < sizeof steps / sizeof *steps; i++) {
		err = steps[i](&order);
		if (steps[i] == judge_method && req->method == GB_METHOD_OPTIONS)
			break;
	}
	return err;
}
