/* SPDX-License-Identifier: MIT */
/* The contract's Order up to the token: what is guarded against other sites, and what comes first. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "visit.h"

#define FORM "CONTENT_TYPE=application/x-www-form-urlencoded"
#define COOKIE "HTTP_COOKIE=__Host-gb_gate=AAAAAAAAAAAAAAAAAAAAAA.AAECAwQFBgcICQoLDA0ODw"
#define BEARER "HTTP_AUTHORIZATION=Bearer x"
#define OURS "HTTP_SEC_FETCH_SITE=same-origin"
#define FOREIGN "HTTP_SEC_FETCH_SITE=cross-site"
#define NONE "X="

static const struct gb_config with_cookies = {
	.frontend_origin = "https://example.org", .frontend_path = "", .cookie_mode = true,
};
static const struct gb_config without_cookies = { .frontend_origin = "https://example.org", .frontend_path = "" };
static struct visit visit;

static void
teardown(void)
{
	visit_end(&visit);
}

TestSuite(request, .fini = teardown, .timeout = 20);

static struct gb_endpoint
endpoint(enum gb_form_rule form, enum gb_auth auth)
{
	return (struct gb_endpoint){
		.name = "x", .methods = GB_METHOD_GET | GB_METHOD_POST | GB_METHOD_DELETE, .form = form, .auth = auth,
	};
}

struct row {
	enum gb_form_rule form;
	enum gb_auth auth;
	const char *method, *credential, *origin, *type, *body;
	enum gb_err with, without;	/* with cookie mode, and without it */
};

static void
check(const struct row *rows, size_t len)
{
	for (size_t i = 0; i < 2 * len; i++) {
		const struct row *row = &rows[i / 2];
		const struct gb_endpoint made = endpoint(row->form, row->auth);
		enum gb_err err;

		if (i > 0)
			visit_end(&visit);
		visit_begin(&visit, i % 2 ? &without_cookies : &with_cookies, row->method, row->credential, row->origin, row->type, NULL);
		err = visit_judge(&visit, &made, row->body);
		cr_assert_eq(err, i % 2 ? row->without : row->with, "row %zu, cookie mode %s: %s", i / 2, i % 2 ? "off" : "on",
		    gb_error_cause(err));
	}
}

Test(request, guards_what_a_cookie_authenticates)
{
	static const struct row rows[] = {
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "POST", COOKIE, FOREIGN, NONE, "{}", GB_ERR_ORIGIN_FORBIDDEN, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "POST", COOKIE, NONE, NONE, "{}", GB_ERR_ORIGIN_FORBIDDEN, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "POST", COOKIE, OURS, NONE, "{}", GB_ERR_CSRF_FAILED, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "DELETE", COOKIE, FOREIGN, NONE, "", GB_ERR_ORIGIN_FORBIDDEN, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "DELETE", COOKIE, OURS, NONE, "", GB_ERR_CSRF_FAILED, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_OWN, "POST", COOKIE, FOREIGN, NONE, "{}", GB_ERR_ORIGIN_FORBIDDEN, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_OWN, "POST", COOKIE, OURS, NONE, "{}", GB_ERR_CSRF_FAILED, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "GET", COOKIE, FOREIGN, NONE, "", GB_OK, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "HEAD", COOKIE, FOREIGN, NONE, "", GB_OK, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_NONE, "POST", COOKIE, FOREIGN, NONE, "{}", GB_OK, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "POST", BEARER, FOREIGN, COOKIE, "", GB_OK, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_OWN, "POST", COOKIE, FOREIGN, NONE, "{\"refresh_token\":\"x\"}", GB_OK, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "POST", COOKIE, FOREIGN, NONE, "{\"refresh_token\":\"x\"}", GB_ERR_ORIGIN_FORBIDDEN, GB_OK },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "POST", NONE, FOREIGN, NONE, "{}", GB_OK, GB_OK },
	};

	check(rows, sizeof rows / sizeof *rows);
}

Test(request, guards_forms_but_those_of_mailed_links)
{
	static const struct row rows[] = {
		{ GB_FORM_COOKIE, GB_AUTH_NONE, "POST", NONE, FOREIGN, FORM, "a=b", GB_ERR_ORIGIN_FORBIDDEN, GB_ERR_UNSUPPORTED_MEDIA_TYPE },
		{ GB_FORM_COOKIE, GB_AUTH_NONE, "POST", NONE, NONE, FORM, "a=b", GB_ERR_ORIGIN_FORBIDDEN, GB_ERR_UNSUPPORTED_MEDIA_TYPE },
		{ GB_FORM_COOKIE, GB_AUTH_NONE, "POST", NONE, OURS, FORM, "a=b", GB_OK, GB_ERR_UNSUPPORTED_MEDIA_TYPE },
		{ GB_FORM_COOKIE, GB_AUTH_NONE, "POST", BEARER, FOREIGN, FORM, "a=b", GB_ERR_ORIGIN_FORBIDDEN, GB_ERR_UNSUPPORTED_MEDIA_TYPE },
		{ GB_FORM_LINK, GB_AUTH_NONE, "POST", NONE, FOREIGN, FORM, "token=b", GB_OK, GB_OK },
		{ GB_FORM_LINK, GB_AUTH_NONE, "POST", NONE, FOREIGN, FORM, "email=b", GB_ERR_ORIGIN_FORBIDDEN, GB_ERR_ORIGIN_FORBIDDEN },
		{ GB_FORM_LINK, GB_AUTH_NONE, "POST", NONE, OURS, FORM, "email=b", GB_OK, GB_OK },
		{ GB_FORM_LINK_OR_COOKIE, GB_AUTH_OWN, "POST", COOKIE, FOREIGN, FORM, "token=b", GB_OK, GB_OK },
		{ GB_FORM_LINK_OR_COOKIE, GB_AUTH_OWN, "POST", COOKIE, FOREIGN, FORM, "a=b", GB_ERR_ORIGIN_FORBIDDEN, GB_ERR_UNSUPPORTED_MEDIA_TYPE },
		{ GB_FORM_LINK_OR_COOKIE, GB_AUTH_OWN, "POST", COOKIE, OURS, FORM, "a=b", GB_ERR_CSRF_FAILED, GB_ERR_UNSUPPORTED_MEDIA_TYPE },
		{ GB_FORM_PLAIN, GB_AUTH_NONE, "POST", NONE, FOREIGN, FORM, "a=b", GB_OK, GB_OK },
		{ GB_FORM_NEVER, GB_AUTH_NONE, "POST", NONE, OURS, FORM, "a=b", GB_ERR_UNSUPPORTED_MEDIA_TYPE, GB_ERR_UNSUPPORTED_MEDIA_TYPE },
		{ GB_FORM_NEVER, GB_AUTH_NONE, "POST", NONE, FOREIGN, FORM, "", GB_OK, GB_OK },
	};

	check(rows, sizeof rows / sizeof *rows);
}

Test(request, takes_the_first_that_fails)
{
	char huge[GB_BODY_MAX + 8];
	const struct row rows[] = {
		{ GB_FORM_NEVER, GB_AUTH_NONE, "PUT", "PATH_INFO=/x", FOREIGN, "CONTENT_TYPE=x", huge, GB_ERR_NOT_FOUND, GB_ERR_NOT_FOUND },
		{ GB_FORM_NEVER, GB_AUTH_NONE, "PUT", NONE, FOREIGN, "CONTENT_TYPE=x", huge, GB_ERR_METHOD_NOT_ALLOWED, GB_ERR_METHOD_NOT_ALLOWED },
		{ GB_FORM_NEVER, GB_AUTH_NONE, "POST", NONE, FOREIGN, "CONTENT_TYPE=x", huge, GB_ERR_PAYLOAD_TOO_LARGE, GB_ERR_PAYLOAD_TOO_LARGE },
		{ GB_FORM_NEVER, GB_AUTH_NONE, "POST", NONE, FOREIGN, "CONTENT_TYPE=x", "{", GB_ERR_UNSUPPORTED_MEDIA_TYPE, GB_ERR_UNSUPPORTED_MEDIA_TYPE },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "POST", COOKIE, FOREIGN, NONE, "{", GB_ERR_INVALID_JSON, GB_ERR_INVALID_JSON },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "POST", COOKIE, FOREIGN, FORM, "a=%", GB_ERR_BAD_REQUEST, GB_ERR_UNSUPPORTED_MEDIA_TYPE },
		{ GB_FORM_COOKIE, GB_AUTH_SESSION, "POST", COOKIE, FOREIGN, NONE, "[]", GB_ERR_ORIGIN_FORBIDDEN, GB_OK },
	};

	memset(huge, ' ', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	check(rows, sizeof rows / sizeof *rows);
}

Test(request, lets_cookies_be_set_only_to_its_own_pages)
{
	static const struct { const struct gb_config *config; const char *origin; bool checked; } rows[] = {
		{ &with_cookies, OURS, true }, { &with_cookies, FOREIGN, false }, { &with_cookies, NONE, false }, { &without_cookies, OURS, false },
	};
	const struct gb_endpoint login = endpoint(GB_FORM_COOKIE, GB_AUTH_NONE);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			visit_end(&visit);
		visit_begin(&visit, rows[i].config, "POST", rows[i].origin, COOKIE, NULL);
		cr_assert_eq(visit_judge(&visit, &login, "{}"), GB_OK);
		cr_assert_eq(visit.req.origin_checked, rows[i].checked, "%zu", i);
		cr_assert_eq(visit.req.gate != NULL, rows[i].config == &with_cookies);
	}
}

Test(request, reads_no_body_where_the_method_has_none)
{
	const struct gb_endpoint made = endpoint(GB_FORM_NEVER, GB_AUTH_NONE);

	visit_begin(&visit, &with_cookies, "GET", "CONTENT_TYPE=text/plain", NULL);
	cr_assert_eq(visit_judge(&visit, &made, "{"), GB_OK);
	cr_assert_eq(visit.req.body, GB_BODY_NONE);
}

Test(request, looks_at_nothing_of_a_gates_request_but_its_cookies)
{
	struct gb_endpoint gate = endpoint(GB_FORM_NEVER, GB_AUTH_OWN);

	gate.is_gate = true;
	visit_begin(&visit, &with_cookies, "OPTIONS", COOKIE, FOREIGN, "PATH_INFO=/x", "CONTENT_TYPE=x", NULL);
	cr_assert_eq(visit_judge(&visit, &gate, "{"), GB_OK);
	cr_assert_not_null(visit.req.gate);
	cr_assert_eq(visit.reply.status, 0);
	cr_assert_eq(visit.reply.headers_len, 0);
}
