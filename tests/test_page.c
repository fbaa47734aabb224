/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "embed.h"
#include "form.h"
#include "page.h"
#include "password.h"
#include "reply.h"

#define GATE "AAECAwQFBgcICQoLDA0ODw.AAECAwQFBgcICQoLDA0ODw"
#define TOKEN "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"

static struct gb_config config;
static struct gb_app app;
static struct gb_reply reply;
static struct gb_request req;

static void
setup(void)
{
	config = (struct gb_config){
		.frontend_path = "/below", .frontend_origin = "https://site.example", .site_name = "Tom & Jerry",
		.default_language = "en", .cookie_mode = true, .password_min_length = 11,
	};
	app = (struct gb_app){ .config = &config };
	reply = (struct gb_reply){ .config = &config };
	req = (struct gb_request){
		.call = { .arena = gb_arena_new(), .language = "", .user_agent = "", .address = "" },
		.method = GB_METHOD_GET, .script_name = "/below/login", .request_uri = "/below/login", .reply = &reply,
	};
}

static void
teardown(void)
{
	gb_arena_free(req.call.arena);
}

TestSuite(page, .init = setup, .fini = teardown);

static const char *
show(const char *template_name, const char *query)
{
	static const struct gb_template_value none[] = { { NULL, NULL } };

	cr_assert_eq(gb_form_parse(query, strlen(query), req.call.arena, &req.query), GB_OK);
	cr_assert_eq(gb_page_reply(&app, &req, 200, template_name, none, false), GB_OK);
	cr_assert_eq(reply.status, 200);
	return reply.body;
}

static bool
has(const char *html, const char *part)
{
	return strstr(html, part) != NULL;
}

Test(page, begins_links_with_the_base_path)
{
	const char *html = show("login", "");

	cr_assert(has(html, "href=\"/below/style.css\""));
	cr_assert(has(html, "action=\"/below/auth/login\""));
	config.frontend_path = "";
	cr_assert(has(show("login", ""), "href=\"/style.css\""));
}

Test(page, escapes_the_site_name)
{
	const char *html = show("login", "");

	cr_assert(has(html, "<title>Sign in – Tom &amp; Jerry</title>"));
	cr_assert(!has(html, "Tom & Jerry"));
}

Test(page, shows_the_text_of_a_known_code_only)
{
	cr_assert(has(show("login", "error=invalid_credentials"), "The name or the password is not right."));
	cr_assert(has(reply.body, "aria-invalid=\"true\""));
	cr_assert(has(reply.body, "<title>Error: "));
	cr_assert(has(show("account", "error=invalid_credentials"), "The current password is not right."));
	cr_assert(!has(show("login", "error=no_such_code"), "class=\"message bad\""));
	cr_assert(!has(show("login", "error=%3Cscript%3Ealert(1)%3C%2Fscript%3E"), "alert(1)"));
	cr_assert(!has(show("login", ""), "class=\"message bad\""));
}

/* Every code a page may be sent to with has words of its own, in every language. */
Test(page, has_words_for_every_error)
{
	static const char *const languages[] = { "en", "es", "de" };
	/* A page is never sent on with these: they are answered as JSON. */
	static const char *const json_only[] = { "invalid_client", "method_not_allowed", "length_required",
		"unsupported_media_type" };

	for (int err = GB_OK + 1; err < GB_ERR__COUNT; err++) {
		const char *code = gb_error_row((enum gb_err)err)->code;
		bool skip = false;

		for (size_t i = 0; i < sizeof json_only / sizeof json_only[0]; i++)
			skip = skip || strcmp(code, json_only[i]) == 0;
		for (size_t i = 0; !skip && i < sizeof languages / sizeof languages[0]; i++) {
			const char *query = gb_arena_printf(req.call.arena, "error=%s", code);

			req.call.language = languages[i];
			cr_expect(has(show("login", query), "class=\"message bad\""), "%s", code);
			cr_expect(!has(reply.body, gb_error_row((enum gb_err)err)->text), "%s in %s", code, languages[i]);
		}
	}
}

Test(page, says_done_only_for_one)
{
	cr_assert(has(show("login", "done=1"), "You are signed out."));
	cr_assert(!has(show("login", "done=2"), "You are signed out."));
	cr_assert(!has(show("login", "done=1&error=token_missing"), "You are signed out."));
	cr_assert(has(show("register", "done=1&error=account_exists"), "<form"));
	cr_assert(!has(show("register", "done=1"), "<form"));
}

Test(page, answers_in_the_language_asked_for)
{
	req.call.language = "de-AT,en;q=0.5";
	cr_assert(has(show("login", ""), "<html lang=\"de\">"));
	cr_assert(has(reply.body, "Passwort vergessen?"));
	req.call.language = "fr";
	config.default_language = "es";
	cr_assert(has(show("login", ""), "<html lang=\"es\">"));
	cr_assert(has(reply.body, "¿Ha olvidado la contraseña?"));
}

Test(page, carries_a_checked_return)
{
	cr_assert(has(show("login", "return=%2Fapp%3Fa%3D1%26b%3D%22x"), "name=\"return\" value=\"/app?a=1&amp;b=&quot;x\""));
	cr_assert(has(reply.body, "href=\"/below/register?return=/app%3Fa%3D1%26b%3D%22x\""));
	cr_assert(has(show("login", "return=https%3A%2F%2Fevil.example%2F"), "name=\"return\" value=\"/below/\""));
	cr_assert(!has(reply.body, "evil.example"));
	/* Without one a form's success would be told as "done", which says nothing after a sign-in. */
	cr_assert(has(show("login", ""), "name=\"return\" value=\"/below/account\""));
}

/* nginx's error_page and Apache's ErrorDocument show /login at the address that was asked for. */
Test(page, returns_to_the_page_it_stands_in_for)
{
	req.request_uri = "/private/area?page=2";
	cr_assert(has(show("login", ""), "name=\"return\" value=\"/private/area?page=2\""));
	req.request_uri = "/below/auth/verify";
	cr_assert(has(show("login", ""), "name=\"return\" value=\"/below/\""));
	req.script_name = "/login";
	req.request_uri = "/below/login?by=username";
	cr_assert(has(show("login", ""), "name=\"return\" value=\"/below/account\""));
	req.request_uri = "/login";
	cr_assert(has(show("login", ""), "name=\"return\" value=\"/below/account\""));
	req.request_uri = "";
	cr_assert(has(show("login", ""), "name=\"return\" value=\"/below/account\""));
}

Test(page, never_returns_to_a_mailed_link)
{
	static const struct gb_template_value values[] = { { "token", TOKEN }, { NULL, NULL } };

	req.request_uri = "/elsewhere?token=" TOKEN;
	cr_assert_eq(gb_page_reply(&app, &req, 200, "reset-password", values, true), GB_OK);
	cr_assert(has(reply.body, "name=\"token\" value=\"" TOKEN "\""));
	cr_assert(!has(reply.body, "name=\"return\""));
	cr_assert(!has(reply.body, "elsewhere"));
	cr_assert(reply.url_holds_token);
	cr_assert_eq(gb_page_reply(&app, &req, 200, "login", values, true), GB_OK);
	cr_assert(!has(reply.body, "elsewhere"));
	cr_assert_eq(gb_page_reply(&app, &req, 200, "login", values, false), GB_OK);
	cr_assert(has(reply.body, "elsewhere"));
}

Test(page, puts_the_csrf_value_of_the_gate_cookie_into_forms)
{
	char csrf[GB_CSRF_TEXT + 1];

	req.gate = GATE;
	cr_assert(gb_token_csrf(GATE, csrf));
	cr_assert(has(show("login", ""), gb_arena_printf(req.call.arena, "name=\"csrf_token\" value=\"%s\"", csrf)));
	req.gate = "malformed";
	cr_assert(!has(show("login", ""), "csrf_token"));
	req.gate = NULL;
	cr_assert(!has(show("login", ""), "csrf_token"));
}

Test(page, needs_script_where_cookies_are_off)
{
	static const struct gb_template_value values[] = { { "needs_session", "" }, { NULL, NULL } };

	config.cookie_mode = false;
	cr_assert_eq(gb_page_reply(&app, &req, 200, "login", values, false), GB_OK);
	cr_assert(has(reply.body, "<noscript><p class=\"message bad\">This page needs JavaScript"));
	cr_assert(has(reply.body, "hidden data-needs-script"));
	config.cookie_mode = true;
	cr_assert_eq(gb_page_reply(&app, &req, 200, "login", values, false), GB_OK);
	cr_assert(!has(reply.body, "needs JavaScript"));
	cr_assert(!has(reply.body, "data-needs-script"));
}

Test(page, offers_no_registration_where_it_is_closed)
{
	cr_assert(has(show("register", ""), "<form"));
	cr_assert(has(show("login", ""), "/below/register"));
	config.registration = GB_REGISTRATION_CLOSED;
	cr_assert(!has(show("register", ""), "<form"));
	cr_assert(has(reply.body, "New accounts are made by the people who run Tom &amp; Jerry."));
	cr_assert(!has(show("login", ""), "/below/register"));
}

Test(page, refuses_with_the_status_and_keeps_the_token)
{
	static const struct gb_template_value values[] = { { "token", TOKEN }, { "email", "a@\"b" }, { NULL, NULL } };

	req.call.weak_reasons = GB_WEAK_TOO_SHORT;
	cr_assert_eq(gb_page_refuse(&app, &req, GB_ERR_WEAK_PASSWORD, "reset-password", values), GB_OK);
	cr_assert_eq(reply.status, 422);
	cr_assert(reply.url_holds_token);
	cr_assert(has(reply.body, "value=\"" TOKEN "\""));
	cr_assert(has(reply.body, "value=\"a@&quot;b\""));
	cr_assert(has(reply.body, "It needs at least 11 characters."));
	cr_assert(has(reply.body, "aria-describedby=\"password-hint message\" aria-invalid=\"true\""));
	req.call.weak_reasons = GB_WEAK_COMMON;
	gb_page_refuse(&app, &req, GB_ERR_WEAK_PASSWORD, "reset-password", values);
	cr_assert(has(reply.body, "Many people use this password"));
	req.call.weak_reasons = GB_WEAK_PERSONAL;
	gb_page_refuse(&app, &req, GB_ERR_WEAK_PASSWORD, "reset-password", values);
	cr_assert(has(reply.body, "has your name or address in it"));
}

/* A refusal is told by what was refused, not by what a query says. */
Test(page, refuses_whatever_the_query_says)
{
	static const struct gb_template_value values[] = { { "token", TOKEN }, { NULL, NULL } };
	const char *query = "done=1&error=rate_limited";

	cr_assert_eq(gb_form_parse(query, strlen(query), req.call.arena, &req.query), GB_OK);
	cr_assert_eq(gb_page_refuse(&app, &req, GB_ERR_MISSING_FIELD, "reset-password", values), GB_OK);
	cr_assert(has(reply.body, "Please fill in every field."));
	cr_assert_eq(reply.status, 400);
}

Test(page, shows_each_state_of_a_mailed_link)
{
	static const struct {
		const char *template_name, *state, *there, *gone;
	} rows[] = {
		{ "reset-password", "token", "name=\"new_password\"", "name=\"code\"" },
		{ "reset-password", NULL, "name=\"code\"", "name=\"token\"" },
		{ "reset-password", "dead", "/below/forgot-password", "name=\"new_password\"" },
		{ "verify-email", "token", "name=\"token\"", "name=\"email\"" },
		{ "verify-email", "dead", "name=\"email\"", "name=\"token\"" },
		{ "verify-email", "dead", "data-form=\"verify-resend\"", "<details" },
		{ "verify-email", NULL, "name=\"code\"", "has been used" },
		{ "change-email", "token", "name=\"token\"", "no longer good" },
		{ "change-email", "dead", "no longer good", "<form" },
		{ "change-email", NULL, "go to your account page", "<form" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct gb_template_value values[] = { { rows[i].state, TOKEN }, { NULL, NULL } };

		cr_assert_eq(gb_page_reply(&app, &req, 200, rows[i].template_name, values, true), GB_OK);
		cr_expect(has(reply.body, rows[i].there), "%s %s", rows[i].template_name, rows[i].state);
		cr_expect(!has(reply.body, rows[i].gone), "%s %s", rows[i].template_name, rows[i].state);
	}
}

Test(page, fails_whole_where_it_cannot_be_made)
{
	struct gb_template_value many[60] = { { NULL, NULL } };

	cr_assert_eq(gb_page_reply(&app, &req, 200, "no-such-template", NULL, false), GB_ERR_MEMORY);
	for (size_t i = 0; i < 59; i++)
		many[i] = (struct gb_template_value){ "n", "v" };
	cr_assert_eq(gb_page_reply(&app, &req, 200, "login", many, false), GB_ERR_MEMORY);
	cr_assert_eq(reply.status, 0);
	many[20] = (struct gb_template_value){ NULL, NULL };
	cr_assert_eq(gb_page_reply(&app, &req, 200, "login", many, false), GB_OK);
}

Test(page, knows_the_shape_of_a_token)
{
	char *longest = gb_arena_alloc(req.call.arena, 4098);

	cr_assert(gb_page_token_shape(TOKEN));
	cr_assert(gb_page_token_shape("a.b.c-_9"));
	cr_assert(!gb_page_token_shape(""));
	cr_assert(!gb_page_token_shape("a.b"));
	cr_assert(!gb_page_token_shape("a.b.c.d"));
	cr_assert(!gb_page_token_shape("a.b.c="));
	cr_assert(!gb_page_token_shape("\"><svg/onload=x>.b.c"));
	cr_assert(!gb_page_token_shape("a.b.c\xc3\xa9"));
	memset(longest, 'a', 4096);
	longest[1] = longest[3] = '.';
	cr_assert(gb_page_token_shape(longest));
	longest[4096] = 'a';
	cr_assert(!gb_page_token_shape(longest));
}

/* An address without it leads out of a site that lives below a path. "": the page itself. */
Test(page, begins_every_address_in_a_template_with_the_base)
{
	static const char *const attributes[] = { " href=\"", " action=\"", " src=\"" };
	size_t found = 0;

	for (const struct gb_embedded *file = gb_embedded; file->path != NULL; file++)
		for (size_t i = 0; strncmp(file->path, "www/templates/", 14) == 0 && i < sizeof attributes / sizeof attributes[0]; i++)
			for (const char *at = file->text; (at = strstr(at, attributes[i])) != NULL; found++) {
				at += strlen(attributes[i]);
				cr_expect(strncmp(at, "{{base}}/", 9) == 0 || *at == '#' || *at == '"', "%s: %.40s", file->path, at);
			}
	cr_expect_gt(found, 30);
}

/* The content security policy forbids both, and would break the page without a word. */
Test(page, has_no_inline_script_or_style)
{
	for (const struct gb_embedded *file = gb_embedded; file->path != NULL; file++) {
		if (strncmp(file->path, "www/templates/", 14) != 0)
			continue;
		cr_expect(!has(file->text, "style="), "%s", file->path);
		cr_expect(!has(file->text, "<style"), "%s", file->path);
		cr_expect(!has(file->text, " on"), "%s", file->path);
		cr_expect(!has(file->text, "javascript:"), "%s", file->path);
		cr_expect(!has(file->text, "://"), "%s", file->path);
		cr_expect(!has(file->text, "<script>"), "%s", file->path);
	}
}
