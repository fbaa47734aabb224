/* SPDX-License-Identifier: MIT */
/* What a request holds, where it may be sent on to, and what answers look like. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "password.h"
#include "visit.h"

static const struct gb_config config = {
	.frontend_url = "http://127.0.0.1:8080", .frontend_origin = "http://127.0.0.1:8080", .frontend_path = "",
};
static const struct gb_config below = {
	.frontend_url = "https://example.org/site", .frontend_origin = "https://example.org", .frontend_path = "/site",
};
static const struct gb_endpoint plain = { .name = "x", .methods = GB_METHOD_POST, .form = GB_FORM_PLAIN };
static struct visit visit;

static void
teardown(void)
{
	visit_end(&visit);
}

TestSuite(http, .fini = teardown, .timeout = 20);

static void
post(const char *body, bool form)
{
	visit_begin(&visit, &config, "POST", form ? "CONTENT_TYPE=application/x-www-form-urlencoded" : NULL, NULL);
	cr_assert_eq(visit_judge(&visit, &plain, body), GB_OK, "%s", body);
}

Test(http, finds_variables_by_their_whole_name)
{
	visit_begin(&visit, &config, "GET", "HTTP_ACCEPT_LANGUAGE=de", "HTTP_ACCEPT=a=b", "HTTP_EMPTY=", "NO_VALUE", NULL);
	cr_assert_str_eq(gb_request_variable(&visit.req, "HTTP_ACCEPT"), "a=b");
	cr_assert_str_eq(gb_request_variable(&visit.req, "HTTP_ACCEPT_LANGUAGE"), "de");
	cr_assert_null(gb_request_variable(&visit.req, "HTTP_EMPTY"));
	cr_assert_null(gb_request_variable(&visit.req, "HTTP_ACC"));
	cr_assert_null(gb_request_variable(&visit.req, "NO_VALUE"));
	cr_assert_str_eq(visit.req.call.language, "de");
}

Test(http, takes_a_variable_with_two_values_for_absent)
{
	visit_begin(&visit, &config, "GET", "HTTP_X=1", "HTTP_Y=1", "HTTP_X=2", "HTTP_Y=1", NULL);
	cr_assert_null(gb_request_variable(&visit.req, "HTTP_X"));
	cr_assert_str_eq(gb_request_variable(&visit.req, "HTTP_Y"), "1");
}

Test(http, cuts_a_user_agent)
{
	char agent[GB_USER_AGENT_MAX + 40] = "HTTP_USER_AGENT=";

	memset(agent + strlen(agent), 'x', sizeof agent - strlen(agent) - 1);
	agent[sizeof agent - 1] = '\0';
	visit_begin(&visit, &config, "GET", agent, NULL);
	cr_assert_eq(strlen(visit.req.call.user_agent), GB_USER_AGENT_MAX);
}

Test(http, reads_fields_of_json)
{
	const char *value;

	post("{\"a\":\"text\",\"empty\":\"\",\"null\":null,\"number\":1,\"list\":[],\"A\":\"other\"}", false);
	cr_assert_eq(gb_request_field(&visit.req, "a", 4, &value), GB_OK);
	cr_assert_str_eq(value, "text");
	cr_assert_eq(gb_request_field(&visit.req, "a", 3, &value), GB_ERR_INVALID_FIELD);
	cr_assert_null(value);
	cr_assert_eq(gb_request_field(&visit.req, "empty", 9, &value), GB_ERR_MISSING_FIELD);
	cr_assert_eq(gb_request_field(&visit.req, "absent", 9, &value), GB_ERR_MISSING_FIELD);
	cr_assert_eq(gb_request_optional(&visit.req, "empty", 9, &value), GB_OK);
	cr_assert_null(value);
	cr_assert_eq(gb_request_optional(&visit.req, "absent", 9, &value), GB_OK);
	for (const char *const *name = (const char *const[]){ "null", "number", "list", NULL }; *name != NULL; name++) {
		cr_assert_eq(gb_request_field(&visit.req, *name, 9, &value), GB_ERR_INVALID_FIELD, "%s", *name);
		cr_assert_eq(gb_request_optional(&visit.req, *name, 9, &value), GB_ERR_INVALID_FIELD, "%s", *name);
		cr_assert(gb_request_has(&visit.req, *name));
	}
	cr_assert(!gb_request_has(&visit.req, "absent"));
}

Test(http, reads_fields_of_a_form)
{
	const char *value;

	post("a=text&empty=&bad=%FF", true);
	cr_assert_eq(gb_request_field(&visit.req, "a", 4, &value), GB_OK);
	cr_assert_str_eq(value, "text");
	cr_assert_eq(gb_request_field(&visit.req, "a", 3, &value), GB_ERR_INVALID_FIELD);
	cr_assert_eq(gb_request_field(&visit.req, "empty", 9, &value), GB_ERR_MISSING_FIELD);
	cr_assert_eq(gb_request_optional(&visit.req, "absent", 9, &value), GB_OK);
	cr_assert_eq(gb_request_field(&visit.req, "bad", 9, &value), GB_ERR_INVALID_FIELD);
	cr_assert_null(value);
	cr_assert(gb_request_has(&visit.req, "empty") && !gb_request_has(&visit.req, "absent"));
}

Test(http, takes_a_new_password_once_or_twice_the_same)
{
	static const struct { const char *body; bool form; enum gb_err err; } rows[] = {
		{ "p=a%20b", true, GB_OK }, { "p=a%20b&confirm_password=a+b", true, GB_OK },
		{ "p=a%20b&confirm_password=a", true, GB_ERR_INVALID_FIELD }, { "p=a&confirm_password=a%20b", true, GB_ERR_INVALID_FIELD },
		{ "p=a&confirm_password=", true, GB_ERR_INVALID_FIELD }, { "p=a&confirm_password=%ff", true, GB_ERR_INVALID_FIELD },
		{ "confirm_password=a", true, GB_ERR_MISSING_FIELD }, { "p=&confirm_password=", true, GB_ERR_MISSING_FIELD },
		{ "{\"p\":\"a b\",\"confirm_password\":\"c\"}", false, GB_OK }, { "{\"confirm_password\":\"c\"}", false, GB_ERR_MISSING_FIELD },
	};
	const char *value;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			visit_end(&visit);
		post(rows[i].body, rows[i].form);
		cr_assert_eq(gb_request_new_password(&visit.req, "p", &value), rows[i].err, "%s", rows[i].body);
		if (rows[i].err == GB_OK)
			cr_assert_str_eq(value, "a b");
		else
			cr_assert_null(value);
	}
}

Test(http, takes_no_field_of_a_body_that_is_no_object)
{
	static const char *const bodies[] = { "[]", "\"a\"", "1", "null", "true" };

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		const char *value;
		bool flag;

		if (i > 0)
			visit_end(&visit);
		post(bodies[i], false);
		cr_assert_eq(gb_request_field(&visit.req, "a", 9, &value), GB_ERR_INVALID_FIELD, "%s", bodies[i]);
		cr_assert_eq(gb_request_optional(&visit.req, "a", 9, &value), GB_ERR_INVALID_FIELD);
		cr_assert_eq(gb_request_flag(&visit.req, "a", &flag), GB_ERR_INVALID_FIELD);
		cr_assert(!gb_request_has(&visit.req, "a"));
	}
}

Test(http, reads_flags)
{
	bool flag;

	post("{\"yes\":true,\"no\":false,\"text\":\"true\",\"number\":1}", false);
	cr_assert(gb_request_flag(&visit.req, "yes", &flag) == GB_OK && flag);
	cr_assert(gb_request_flag(&visit.req, "no", &flag) == GB_OK && !flag);
	cr_assert(gb_request_flag(&visit.req, "absent", &flag) == GB_OK && !flag);
	cr_assert_eq(gb_request_flag(&visit.req, "text", &flag), GB_ERR_INVALID_FIELD);
	cr_assert_eq(gb_request_flag(&visit.req, "number", &flag), GB_ERR_INVALID_FIELD);
	visit_end(&visit);
	post("yes=true&empty=&one=1&on=on&long=trueish", true);
	cr_assert(gb_request_flag(&visit.req, "yes", &flag) == GB_OK && flag);
	cr_assert(gb_request_flag(&visit.req, "empty", &flag) == GB_OK && !flag);
	cr_assert(gb_request_flag(&visit.req, "absent", &flag) == GB_OK && !flag);
	for (const char *const *name = (const char *const[]){ "one", "on", "long", NULL }; *name != NULL; name++)
		cr_assert_eq(gb_request_flag(&visit.req, *name, &flag), GB_ERR_INVALID_FIELD, "%s", *name);
}

Test(http, reads_the_query)
{
	visit_begin(&visit, &config, "GET", "QUERY_STRING=token=a.b&empty=&x=%41", NULL);
	cr_assert_str_eq(gb_request_query(&visit.req, "token", 3), "a.b");
	cr_assert_null(gb_request_query(&visit.req, "token", 2));
	cr_assert_null(gb_request_query(&visit.req, "empty", 9));
	cr_assert_null(gb_request_query(&visit.req, "absent", 9));
	cr_assert_str_eq(gb_request_query(&visit.req, "x", 9), "A");
	visit_end(&visit);
	visit_begin(&visit, &config, "GET", "QUERY_STRING=token=a.b&x=%", NULL);
	cr_assert_null(gb_request_query(&visit.req, "token", 3));
}

Test(http, keeps_a_path_to_return_to)
{
	static const char *const paths[] = {
		"/", "/a", "/a/b?c=d&e=%41#f", "//", "//evil.example/a", "/%41", "/a+b", "/authors", "/x/auth/login", "/a%252f",
		"/a?next=/auth/login", "/a/..", "/auth/../a", "/AUTH/login", "/a%20b",
	};

	visit_begin(&visit, &config, "GET", NULL);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		cr_assert_str_eq(gb_return_path(&config, visit.arena, paths[i]), paths[i], "%s", paths[i]);
}

Test(http, returns_to_the_front_page_instead)
{
	static const char *const paths[] = {
		"", "a", "http://evil.example/", "\\evil.example", "/\\evil.example", "/%5Cevil.example", "/a\nb", "/a%0ab", "/a%0",
		"/a%", "/a%00", "/a\tb", "/a%09b", "/\xc3\xa9", "/%C3%A9", "/a%7f", "/a\x7f",
		"/auth/logout", "/auth/", "//auth/me", "/./auth/me", "/x/../auth/me", "/x/%2e%2e/auth/me", "/%61uth/me", "/auth%2fme",
		"/auth/me?x", "/auth/..//auth/me", "/../auth/me",
	};
	char longest[GB_RETURN_MAX + 2];

	visit_begin(&visit, &config, "GET", NULL);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		cr_assert_str_eq(gb_return_path(&config, visit.arena, paths[i]), "/", "%s", paths[i]);
	cr_assert_str_eq(gb_return_path(&config, visit.arena, NULL), "/");
	memset(longest, 'x', sizeof longest);
	longest[0] = '/';
	longest[GB_RETURN_MAX + 1] = '\0';
	cr_assert_str_eq(gb_return_path(&config, visit.arena, longest), "/");
	longest[GB_RETURN_MAX] = '\0';
	cr_assert_str_eq(gb_return_path(&config, visit.arena, longest), longest);
}

Test(http, returns_below_the_sites_own_path)
{
	visit_begin(&visit, &below, "GET", NULL);
	cr_assert_str_eq(gb_return_path(&below, visit.arena, "/site/auth/me"), "/site/");
	cr_assert_str_eq(gb_return_path(&below, visit.arena, "x"), "/site/");
	cr_assert_str_eq(gb_return_path(&below, visit.arena, "/auth/me"), "/auth/me");
	cr_assert_str_eq(gb_return_path(&below, visit.arena, "/site/a"), "/site/a");
}

static const char *
head(void)
{
	size_t len;
	const char *text = gb_reply_head(&visit.req, &len);

	cr_assert_eq(strlen(text), len);
	return text;
}

Test(http, writes_an_error_as_text_status_and_code)
{
	post("{}", false);
	cr_assert_eq(gb_reply_error(&visit.req, GB_ERR_TOKEN_EXPIRED), GB_OK);
	cr_assert_str_eq(visit.reply.body, "{\"error\":\"Token has expired\",\"status\":401,\"code\":\"token_expired\"}");
	cr_assert(strncmp(head(), "Status: 401 Unauthorized\r\n", 26) == 0);
	cr_assert_not_null(strstr(head(), "\r\nContent-Type: application/json\r\n"));
	cr_assert_not_null(strstr(head(), "\r\nCache-Control: no-store\r\n"));
	cr_assert_not_null(strstr(head(), "\r\nX-Content-Type-Options: nosniff\r\n"));
	cr_assert_str_eq(visit_header(&visit, "WWW-Authenticate", 0), "Bearer");
	cr_assert_str_eq(head() + strlen(head()) - 4, "\r\n\r\n");
}

Test(http, blames_a_bearer_token_only_when_one_was_sent)
{
	static const struct { const char *sent; enum gb_err err; const char *challenge; } rows[] = {
		{ "HTTP_AUTHORIZATION=Bearer x", GB_ERR_SIGNATURE, "Bearer error=\"invalid_token\"" },
		{ "HTTP_AUTHORIZATION=Bearer x", GB_ERR_TOKEN_REVOKED, "Bearer error=\"invalid_token\"" },
		{ "HTTP_AUTHORIZATION=Bearer x", GB_ERR_INVALID_CREDENTIALS, "Bearer" },
		{ "HTTP_AUTHORIZATION=Basic x", GB_ERR_TOKEN_MISSING, "Bearer" },
		{ NULL, GB_ERR_TOKEN_INVALID, "Bearer" },
		{ NULL, GB_ERR_INVALID_CLIENT, "Basic realm=\"guardbee\"" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			visit_end(&visit);
		visit_begin(&visit, &config, "POST", rows[i].sent, NULL);
		gb_reply_error(&visit.req, rows[i].err);
		cr_assert_str_eq(visit_header(&visit, "WWW-Authenticate", 0), rows[i].challenge, "%zu", i);
	}
}

Test(http, says_when_to_come_again)
{
	static const struct { enum gb_err err; int64_t wait_s; const char *says; } rows[] = {
		{ GB_ERR_RATE_LIMITED, 17, "17" }, { GB_ERR_RATE_LIMITED, 0, "1" }, { GB_ERR_BUSY, 17, "1" },
		{ GB_ERR_STORE_UNAVAILABLE, 0, "5" }, { GB_ERR_MISCONFIGURED, 0, "5" }, { GB_ERR_INTERNAL, 17, NULL },
		{ GB_ERR_BAD_REQUEST, 17, NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *says;

		if (i > 0)
			visit_end(&visit);
		post("{}", false);
		visit.req.call.retry_after_s = rows[i].wait_s;
		gb_reply_error(&visit.req, rows[i].err);
		says = visit_header(&visit, "Retry-After", 0);
		cr_assert(rows[i].says == NULL ? says == NULL : says != NULL && strcmp(says, rows[i].says) == 0, "%zu", i);
	}
}

Test(http, names_what_is_weak)
{
	post("{}", false);
	visit.req.call.weak_reasons = GB_WEAK_TOO_SHORT | GB_WEAK_PERSONAL;
	gb_reply_error(&visit.req, GB_ERR_WEAK_PASSWORD);
	cr_assert_not_null(strstr(visit.reply.body, "\"code\":\"weak_password\",\"reasons\":[\"too_short\",\"personal\"]}"));
}

Test(http, lets_no_control_byte_into_a_header)
{
	char value[2] = "";

	visit_begin(&visit, &config, "GET", NULL);
	for (int c = 1; c < 256; c++) {
		value[0] = (char)c;
		visit.reply.headers_len = 0;
		cr_assert_eq(gb_reply_header(&visit.req, "X", value), c < 32 || c == 127 ? GB_ERR_INTERNAL : GB_OK, "%d", c);
	}
}

Test(http, bounds_the_number_of_headers)
{
	visit_begin(&visit, &config, "GET", NULL);
	for (int i = 0; i < GB_REPLY_HEADERS_MAX; i++)
		cr_assert_eq(gb_reply_header(&visit.req, "X", "y"), GB_OK);
	cr_assert_eq(gb_reply_header(&visit.req, "X", "y"), GB_ERR_INTERNAL);
}

Test(http, redirects_to_its_own_site_alone)
{
	visit_begin(&visit, &below, "POST", "HTTP_HOST=evil.example", NULL);
	cr_assert_eq(gb_reply_redirect(&visit.req, 303, "/site/account?done=1"), GB_OK);
	cr_assert_str_eq(visit_header(&visit, "Location", 0), "https://example.org/site/account?done=1");
	cr_assert_null(strstr(head(), "\r\nContent-Type"));
	cr_assert_eq(gb_reply_redirect(&visit.req, 303, "/a\r\nX: y"), GB_ERR_INTERNAL);
}

Test(http, keeps_tokens_in_urls_out_of_referrers)
{
	visit_begin(&visit, &below, "GET", NULL);
	gb_reply_html(&visit.req, 200, "<p>", true);
	cr_assert_not_null(strstr(head(), "\r\nReferrer-Policy: no-referrer\r\n"));
	gb_reply_html(&visit.req, 200, "<p>", false);
	cr_assert_not_null(strstr(head(), "\r\nReferrer-Policy: same-origin\r\n"));
	cr_assert_not_null(strstr(head(), "\r\nContent-Type: text/html; charset=utf-8\r\n"));
	cr_assert_not_null(strstr(head(), "\r\nContent-Length: 3\r\n"));
	cr_assert_not_null(strstr(head(), "\r\nStrict-Transport-Security: "));
	cr_assert_not_null(strstr(head(), "frame-ancestors 'none'"));
}

Test(http, writes_accounts_and_tokens)
{
	const struct gb_app app = { .config = &config };
	struct gb_user user = { .id = "7", .email = "a@example.org", .groups = { "staff", "ops" }, .groups_len = 2 };
	struct gb_token_pair pair = { "ACCESS", "REFRESH", 60, 120, "sid", NULL };

	post("{}", false);
	cr_assert_eq(gb_reply_tokens(&app, &visit.req, 201, &pair, &user), GB_OK);
	cr_assert_eq(visit.reply.status, 201);
	cr_assert_str_eq(visit.reply.body, "{\"access_token\":\"ACCESS\",\"token_type\":\"Bearer\",\"expires_in\":60,"
	    "\"refresh_token\":\"REFRESH\",\"refresh_expires_in\":120,\"user\":{\"id\":\"7\",\"email\":\"a@example.org\","
	    "\"email_verified\":false,\"username\":null,\"groups\":[\"staff\",\"ops\"]}}");
	cr_assert_null(visit_header(&visit, "Set-Cookie", 0));
	cr_assert_eq(gb_reply_tokens(&app, &visit.req, 200, &pair, NULL), GB_OK);
	cr_assert_null(strstr(visit.reply.body, "user"));
}
