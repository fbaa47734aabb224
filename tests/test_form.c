/* SPDX-License-Identifier: MIT */
/* Urlencoded bodies and queries: what is taken, and every way of being malformed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "form.h"

static struct gb_arena *arena;

static void
setup(void)
{
	arena = gb_arena_new();
}

static void
teardown(void)
{
	gb_arena_free(arena);
}

TestSuite(form, .init = setup, .fini = teardown, .timeout = 20);

static enum gb_err
parse(const char *text, const struct gb_form **form)
{
	return gb_form_parse(text, strlen(text), arena, form);
}

/* The value of `a` in a form, or a word for why there is none. */
static const char *
value_of_a(const char *text)
{
	const struct gb_form *form;
	const char *value;
	enum gb_err err = parse(text, &form);

	if (err == GB_OK)
		err = gb_form_string(form, "a", &value);
	return err == GB_OK ? value : gb_error_cause(err);
}

Test(form, reads_pairs)
{
	static const struct { const char *text, *value; } rows[] = {
		{ "a=b", "b" }, { "a=", "" }, { "a", "" }, { "a=b&c=d", "b" }, { "c=d&a=b", "b" },
		{ "&&a=b&&", "b" }, { "a=b=c", "b=c" }, { "a==", "=" }, { "a=b;c=d", "b;c=d" },
		{ "a=+", " " }, { "a=%2B", "+" }, { "a=%20", " " }, { "a=%2b%2B", "++" }, { "%61=b", "b" },
		{ "a=%26%3D%25", "&=%" }, { "a=%C3%A9", "\xc3\xa9" }, { "a=\xc3\xa9", "\xc3\xa9" },
		{ "a=%F0%9F%94%91", "\xf0\x9f\x94\x91" }, { "a=%01%7f", "\x01\x7f" },
		{ "A=b", "missing_field" }, { "", "missing_field" }, { "&", "missing_field" }, { "a[]=b", "missing_field" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_assert_str_eq(value_of_a(rows[i].text), rows[i].value, "%s", rows[i].text);
}

Test(form, refuses_malformed_text)
{
	static const char *const texts[] = {
		"a=%", "a=%2", "a=%zz", "a=%2g", "a=%g2", "a=% 2", "a=%+2", "%=b", "a=b%", "a=%00", "%00=b", "a=b%00c",
		"=b", "a=b&=c", "=", "a=b&a=b", "a=b&a", "a=b&%61=c",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		cr_assert_str_eq(value_of_a(texts[i]), "bad_request", "%s", texts[i]);
}

Test(form, refuses_a_raw_nul)
{
	const struct gb_form *form;

	cr_assert_eq(gb_form_parse("a=b\0c", 5, arena, &form), GB_ERR_BAD_REQUEST);
	cr_assert_null(form);
	cr_assert_eq(gb_form_parse("a=b\0c", 3, arena, &form), GB_OK);
}

Test(form, reads_no_further_than_its_length)
{
	/* A `%` at the end must not look at what stands behind: each cut of a text stands alone on the heap. */
	const char *whole = "ab=%41%42&c=%C3%A9";

	for (size_t len = 0; len <= strlen(whole); len++) {
		char *text = malloc(len > 0 ? len : 1);
		const struct gb_form *form;

		memcpy(text, whole, len);
		gb_form_parse(text, len, arena, &form);
		free(text);
	}
}

Test(form, refuses_text_that_is_not_utf8)
{
	static const char *const values[] = {
		"%C0%AF", "%E0%80%AF", "%F0%80%80%AF", "%80", "%C3", "%E2%82", "%ED%A0%80", "%F4%90%80%80", "%F8%88%80%80%80",
		"%FF", "%C3%28", "x%C1%81",
	};
	char text[64];

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		snprintf(text, sizeof text, "a=%s", values[i]);
		cr_assert_str_eq(value_of_a(text), "invalid_field", "%s", text);
	}
	cr_assert_str_eq(value_of_a("a=%F4%8F%BF%BF"), "\xf4\x8f\xbf\xbf");
	cr_assert_str_eq(value_of_a("a=%ED%9F%BF%EE%80%80"), "\xed\x9f\xbf\xee\x80\x80");
}

Test(form, takes_so_many_pairs_and_no_more)
{
	char text[GB_FORM_PAIRS_MAX * 8 + 8];
	size_t len = 0;
	const struct gb_form *form;
	const char *value;

	for (int i = 0; i < GB_FORM_PAIRS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "n%d=%d&", i, i);
	cr_assert_eq(parse(text, &form), GB_OK);
	cr_assert_eq(gb_form_string(form, "n63", &value), GB_OK);
	cr_assert_str_eq(value, "63");
	strcat(text, "a=b");
	cr_assert_eq(parse(text, &form), GB_ERR_PAYLOAD_TOO_LARGE);
}

Test(form, escapes_what_it_reads_back)
{
	char all[256];
	const char *escaped, *value;
	const struct gb_form *form;

	for (int c = 1; c < 128; c++)
		all[c - 1] = (char)c;
	all[127] = '\0';
	escaped = gb_form_escape(all, arena);
	cr_assert_str_eq(gb_form_unescape(escaped, arena), all);
	cr_assert_eq(parse(gb_arena_printf(arena, "a=%s", escaped), &form), GB_OK);
	cr_assert_eq(gb_form_string(form, "a", &value), GB_OK);
	cr_assert_str_eq(value, all);
	cr_assert_str_eq(gb_form_escape("/a b?c=d&e\xff", arena), "/a%20b%3Fc%3Dd%26e%FF");
}

Test(form, unescapes_a_path)
{
	cr_assert_str_eq(gb_form_unescape("/a+b%2F", arena), "/a+b/");
	cr_assert_null(gb_form_unescape("/a%", arena));
	cr_assert_null(gb_form_unescape("/a%00", arena));
}
