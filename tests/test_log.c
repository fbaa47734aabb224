/* SPDX-License-Identifier: MIT */
/* Log lines: one per request, of bounded length, that nothing typed can break. */
#include <string.h>

#include <criterion/criterion.h>

#include "log.h"

static char last[GB_LOG_MAX + 1];
static unsigned lines;

static void
keep(void *stream, const char *line)
{
	(void)stream;
	lines++;
	cr_assert_lt(strlen(line), sizeof last);
	strcpy(last, line);
}

static void
setup(void)
{
	gb_log_to(keep, NULL);
}

static void
teardown(void)
{
	gb_log_to(NULL, NULL);
}

TestSuite(log, .init = setup, .fini = teardown, .timeout = 20);

Test(log, tells_of_a_request)
{
	struct gb_request req = { .call = { .address = "192.0.2.1", .event = "login", .user_id = "7", .session_id = "S" } };

	gb_log_request("login", &req, 200, GB_OK, 12);
	cr_assert_str_eq(last, "guardbee login: status=200 event=login user=7 session=S address=192.0.2.1 ms=12\n");
	gb_log_request("me", &req, 401, GB_ERR_SIGNATURE, 0);
	cr_assert_str_eq(last, "guardbee me: status=401 code=token_invalid cause=signature event=login user=7 session=S address=192.0.2.1 ms=0\n");
}

Test(log, names_by_fingerprint_whom_it_does_not_know)
{
	struct gb_request req = { .who = "0123", .call = { .address = "" } };

	gb_log_request("login", &req, 401, GB_ERR_INVALID_CREDENTIALS, 1);
	cr_assert_str_eq(last, "guardbee login: status=401 code=invalid_credentials cause=invalid_credentials who=0123 ms=1\n");
	req.call.user_id = "7";
	gb_log_request("login", &req, 401, GB_ERR_INVALID_CREDENTIALS, 1);
	cr_assert_null(strstr(last, "who="));
}

Test(log, escapes_what_could_break_a_line)
{
	struct gb_request req = { .call = { .address = "a\nb\x1b[1m \"c\\ = \xc3\xa9\x7f" } };

	gb_log_request("me", &req, 200, GB_OK, 1);
	cr_assert_str_eq(last, "guardbee me: status=200 address=\"a\\x0ab\\x1b[1m \\x22c\\x5c = \\xc3\\xa9\\x7f\" ms=1\n");
	gb_log("me", "%s", "two\nlines");
	cr_assert_str_eq(last, "guardbee me: two\\x0alines\n");
}

Test(log, cuts_a_line_at_its_bound)
{
	char text[4 * GB_LOG_MAX];

	memset(text, '\n', sizeof text);
	text[sizeof text - 1] = '\0';
	gb_log("me", "%s", text);
	cr_assert_eq(strlen(last), GB_LOG_MAX);
	cr_assert_eq(last[GB_LOG_MAX - 1], '\n');
	cr_assert_null(memchr(last, '\n', GB_LOG_MAX - 1));
}
