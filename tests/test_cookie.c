/* SPDX-License-Identifier: MIT */
/* Cookie mode's three cookies, the origin check and CORS. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "cookie.h"
#include "origin.h"
#include "visit.h"

#define ORIGIN "https://example.org"
#define GATE "AAAAAAAAAAAAAAAAAAAAAA.AAECAwQFBgcICQoLDA0ODw"

static const struct gb_config config = {
	.frontend_origin = ORIGIN, .frontend_path = "", .cookie_mode = true,
	.cors_origins = "https://app.example, http://localhost:3000",
};
static struct visit visit;

static void
teardown(void)
{
	visit_end(&visit);
}

TestSuite(cookie, .fini = teardown, .timeout = 20);

static void
send_cookies(const char *header)
{
	char variable[3 * GB_COOKIE_MAX];

	if (visit.arena != NULL)
		visit_end(&visit);
	snprintf(variable, sizeof variable, "HTTP_COOKIE=%s", header);
	visit_begin(&visit, &config, "POST", variable, NULL);
	gb_cookie_read(&visit.req);
}

Test(cookie, finds_its_names_between_separators)
{
	static const char *const headers[] = {
		"__Host-gb_gate=g; __Secure-gb_refresh=r", "__Secure-gb_refresh=r, __Host-gb_gate=g", "a=b;__Host-gb_gate=g;__Secure-gb_refresh=r;c=d",
		" \t__Host-gb_gate=g \t;,; __Secure-gb_refresh=r ", "__Host-gb_gate=g;__Secure-gb_refresh=r;__host-gb_gate=x;X__Host-gb_gate=x",
		"__Host-gb_gate2=x; __Host-gb_gate=g; __Secure-gb_refresh=r; __Secure-gb_refresh",
	};

	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		send_cookies(headers[i]);
		cr_assert_str_eq(visit.req.gate, "g", "%s", headers[i]);
		cr_assert_str_eq(visit.req.refresh_cookie, "r", "%s", headers[i]);
		cr_assert(visit.req.cookie_sent);
	}
}

Test(cookie, takes_for_absent_what_is_not_one_value)
{
	static const char *const headers[] = {
		"__Host-gb_gate=", "__Host-gb_gate", "__Host-gb_gate=a; __Host-gb_gate=a", "__Host-gb_gate=a, __Host-gb_gate=b",
		"__Host-gb_gate=; __Host-gb_gate=a", "gb_gate=a", "__HOST-GB_GATE=a", "",
	};

	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		send_cookies(headers[i]);
		cr_assert_null(visit.req.gate, "%s", headers[i]);
	}
	send_cookies("__Host-gb_gate=a; x=__Host-gb_gate=b");
	cr_assert_str_eq(visit.req.gate, "a");
}

Test(cookie, bounds_a_value)
{
	char header[GB_COOKIE_MAX + 40] = "__Host-gb_gate=";
	size_t name_len = strlen(header);

	memset(header + name_len, 'a', GB_COOKIE_MAX + 1);
	send_cookies(header);
	cr_assert_null(visit.req.gate);
	cr_assert(visit.req.cookie_sent);
	header[name_len + GB_COOKIE_MAX] = '\0';
	send_cookies(header);
	cr_assert_eq(strlen(visit.req.gate), GB_COOKIE_MAX);
}

Test(cookie, needs_the_gate_cookie_beside_the_refresh_cookie)
{
	send_cookies("__Secure-gb_refresh=r");
	cr_assert_null(visit.req.refresh_cookie);
	cr_assert(visit.req.cookie_sent);
	send_cookies("__Host-gb_gate=g; __Host-gb_gate=g; __Secure-gb_refresh=r");
	cr_assert_null(visit.req.refresh_cookie);
	send_cookies("other=1");
	cr_assert(!visit.req.cookie_sent);
}

Test(cookie, compares_the_csrf_value)
{
	char csrf[GB_CSRF_TEXT + 1], header[64], cut[64], longer[64];
	static const char cookie[] = "HTTP_COOKIE=__Host-gb_gate=" GATE;
	const struct { const char *variable; bool is; } rows[] = {
		{ header, true }, { NULL, false }, { "HTTP_X_CSRF_TOKEN=AAAAAAAAAAAAAAAAAAAAAA", false }, { "HTTP_X_CSRF_TOKEN=x", false },
		{ cut, false }, { longer, false },
	};

	cr_assert(gb_token_csrf(GATE, csrf));
	snprintf(header, sizeof header, "HTTP_X_CSRF_TOKEN=%s", csrf);
	snprintf(cut, sizeof cut, "HTTP_X_CSRF_TOKEN=%.*s", GB_CSRF_TEXT - 1, csrf);
	snprintf(longer, sizeof longer, "HTTP_X_CSRF_TOKEN=%sA", csrf);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			visit_end(&visit);
		visit_begin(&visit, &config, "POST", cookie, rows[i].variable, NULL);
		gb_cookie_read(&visit.req);
		cr_assert_eq(gb_cookie_csrf_check(&visit.req), rows[i].is, "%zu", i);
	}
	visit_end(&visit);
	visit_begin(&visit, &config, "POST", "HTTP_COOKIE=__Host-gb_gate=malformed", header, NULL);
	gb_cookie_read(&visit.req);
	cr_assert(!gb_cookie_csrf_check(&visit.req));
}

static void
set_cookies(const struct gb_config *settings)
{
	const struct gb_token_pair pair = { "ACCESS", "REFRESH", 60, 120, "sid", GATE };
	const struct gb_app app = { .config = settings };

	visit_begin(&visit, settings, "POST", NULL);
	cr_assert_eq(gb_reply_tokens(&app, &visit.req, 200, &pair, NULL), GB_OK);
}

Test(cookie, sets_three_and_keeps_the_refresh_token_out_of_the_body)
{
	char csrf[GB_CSRF_TEXT + 1], line[256];

	set_cookies(&config);
	cr_assert_str_eq(visit_header(&visit, "Set-Cookie", 0),
	    "__Host-gb_gate=" GATE "; Path=/; Max-Age=120; Secure; HttpOnly; SameSite=Lax");
	cr_assert_str_eq(visit_header(&visit, "Set-Cookie", 1),
	    "__Secure-gb_refresh=REFRESH; Path=/auth/; Max-Age=120; Secure; HttpOnly; SameSite=Strict");
	cr_assert(gb_token_csrf(GATE, csrf));
	snprintf(line, sizeof line, "__Host-gb_csrf=%s; Path=/; Max-Age=120; Secure; SameSite=Strict", csrf);
	cr_assert_str_eq(visit_header(&visit, "Set-Cookie", 2), line);
	cr_assert_null(visit_header(&visit, "Set-Cookie", 3));
	cr_assert_null(strstr(visit.reply.body, "\"refresh_token\""));
	cr_assert_not_null(strstr(visit.reply.body, "\"refresh_expires_in\":120"));
}

Test(cookie, keeps_the_refresh_cookie_to_the_sites_own_path)
{
	const struct gb_config below = { .frontend_origin = ORIGIN, .frontend_path = "/site", .cookie_mode = true };

	set_cookies(&below);
	cr_assert_not_null(strstr(visit_header(&visit, "Set-Cookie", 0), "; Path=/; "));
	cr_assert_not_null(strstr(visit_header(&visit, "Set-Cookie", 1), "; Path=/site/auth/; "));
	cr_assert_not_null(strstr(visit_header(&visit, "Set-Cookie", 2), "; Path=/; "));
}

Test(cookie, expires_all_three_where_one_was_sent)
{
	const struct gb_app app = { .config = &config };

	send_cookies("__Host-gb_csrf=x");
	cr_assert_eq(gb_reply_forget(&app, &visit.req), GB_OK);
	cr_assert_str_eq(visit_header(&visit, "Set-Cookie", 0), "__Host-gb_gate=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
	for (size_t i = 0; i < 3; i++)
		cr_assert_not_null(strstr(visit_header(&visit, "Set-Cookie", i), "; Max-Age=0; "));
	send_cookies("other=x");
	cr_assert_eq(gb_reply_forget(&app, &visit.req), GB_OK);
	cr_assert_null(visit_header(&visit, "Set-Cookie", 0));
}

Test(cookie, checks_where_a_request_comes_from)
{
	static const struct { const char *site, *origin; bool ours; } rows[] = {
		{ "HTTP_SEC_FETCH_SITE=same-origin", NULL, true }, { "HTTP_SEC_FETCH_SITE=same-origin", "HTTP_ORIGIN=null", true },
		{ "HTTP_SEC_FETCH_SITE=same-site", "HTTP_ORIGIN=" ORIGIN, false }, { "HTTP_SEC_FETCH_SITE=cross-site", "HTTP_ORIGIN=" ORIGIN, false },
		{ "HTTP_SEC_FETCH_SITE=none", NULL, false }, { "HTTP_SEC_FETCH_SITE=", "HTTP_ORIGIN=" ORIGIN, true },
		{ "X=", "HTTP_ORIGIN=" ORIGIN, true }, { "X=", NULL, false }, { "X=", "HTTP_ORIGIN=null", false },
		{ "X=", "HTTP_ORIGIN=" ORIGIN ".evil.example", false }, { "X=", "HTTP_ORIGIN=" ORIGIN ":443", false },
		{ "X=", "HTTP_ORIGIN=http://example.org", false }, { "X=", "HTTP_ORIGIN=" ORIGIN "/", false }, { "X=", "HTTP_ORIGIN=https://example.or", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			visit_end(&visit);
		visit_begin(&visit, &config, "POST", rows[i].site, rows[i].origin, NULL);
		cr_assert_eq(gb_origin_check(&config, &visit.req), rows[i].ours, "%zu", i);
	}
}

Test(cookie, shares_answers_with_listed_origins_alone)
{
	static const struct { const char *origin, *shared; } rows[] = {
		{ "HTTP_ORIGIN=https://app.example", "https://app.example" }, { "HTTP_ORIGIN=http://localhost:3000", "http://localhost:3000" },
		{ "HTTP_ORIGIN=https://app.example.evil", NULL }, { "HTTP_ORIGIN=https://app.exampl", NULL }, { "HTTP_ORIGIN=https://APP.example", NULL },
		{ "HTTP_ORIGIN=null", NULL }, { "HTTP_ORIGIN=" ORIGIN, NULL }, { "HTTP_ORIGIN=https://app.example,", NULL }, { NULL, NULL },
	};
	static const struct gb_endpoint endpoint = { .name = "x", .methods = GB_METHOD_GET | GB_METHOD_POST };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *shared;

		if (i > 0)
			visit_end(&visit);
		visit_begin(&visit, &config, "OPTIONS", rows[i].origin, NULL);
		cr_assert_eq(visit_judge(&visit, &endpoint, ""), GB_OK);
		shared = visit_header(&visit, "Access-Control-Allow-Origin", 0);
		cr_assert(rows[i].shared == NULL ? shared == NULL : shared != NULL && strcmp(shared, rows[i].shared) == 0, "%zu", i);
		cr_assert_eq(visit_header(&visit, "Access-Control-Allow-Methods", 0) != NULL, rows[i].shared != NULL);
		cr_assert_eq(visit_header(&visit, "Access-Control-Allow-Headers", 0) != NULL, rows[i].shared != NULL);
		cr_assert_null(visit_header(&visit, "Access-Control-Allow-Credentials", 0));
		cr_assert_str_eq(visit_header(&visit, "Vary", 0), "Origin");
		cr_assert_eq(visit.reply.status, 204);
		cr_assert_str_eq(visit_header(&visit, "Allow", 0), "GET, HEAD, POST, OPTIONS");
	}
}
