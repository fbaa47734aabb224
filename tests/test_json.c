/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "json.h"
#include "vectors/json_test_suite.h"

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

TestSuite(json, .init = setup, .fini = teardown);

/* The text ends where its memory ends, so that a sanitizer sees a read behind it. */
static enum gb_err
parse_bytes(const char *text, size_t len, const struct gb_json **json)
{
	char *exact = malloc(len > 0 ? len : 1);
	enum gb_err err;

	memcpy(exact, text, len);
	err = gb_json_parse(exact, len, arena, json);
	free(exact);
	return err;
}

static enum gb_err
parse(const char *text, const struct gb_json **json)
{
	return gb_json_parse(text, strlen(text), arena, json);
}

static enum gb_err
verdict(const char *text)
{
	const struct gb_json *json;

	return parse_bytes(text, strlen(text), &json);
}

Test(json, agrees_with_json_test_suite)
{
	size_t counts[3] = { 0 };

	for (size_t i = 0; i < sizeof json_cases / sizeof *json_cases; i++) {
		const struct json_case *c = &json_cases[i];
		const struct gb_json *json;

		cr_expect_eq(parse_bytes(c->text, c->len, &json), c->good ? GB_OK : GB_ERR_INVALID_JSON, "%s", c->name);
		cr_expect_eq(json != NULL, c->good, "%s", c->name);
		counts[c->name[0] == 'n' ? 0 : c->name[0] == 'y' ? 1 : 2]++;
		gb_arena_reset(arena);
	}
	cr_expect_eq(counts[0] + 2, 188);
	cr_expect_eq(counts[1], 95);
	cr_expect_eq(counts[2] + 1, 35);
}

/* n_structure_100000_opening_arrays, n_structure_open_array_object, i_structure_500_nested_arrays. */
Test(json, refuses_large_nesting_cases)
{
	static char text[250000];
	const struct gb_json *json;

	memset(text, '[', 100000);
	cr_expect_eq(parse_bytes(text, 100000, &json), GB_ERR_INVALID_JSON);
	for (size_t i = 0; i < 50000; i++)
		memcpy(text + i * 5, "[{\"\":", 5);
	cr_expect_eq(parse_bytes(text, sizeof text, &json), GB_ERR_INVALID_JSON);
	memset(text, '[', 500);
	memset(text + 500, ']', 500);
	cr_expect_eq(parse_bytes(text, 1000, &json), GB_ERR_INVALID_JSON);
}

Test(json, refuses_depth_above_eight)
{
	cr_expect_eq(verdict("[[[[[[[[1]]]]]]]]"), GB_OK);
	cr_expect_eq(verdict("[[[[[[[[[1]]]]]]]]]"), GB_ERR_INVALID_JSON);
	cr_expect_eq(verdict("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}"), GB_OK);
	cr_expect_eq(verdict("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}"), GB_ERR_INVALID_JSON);
	cr_expect_eq(verdict("[[[[[[[[]]]]]]],[[[[[[[]]]]]]]]"), GB_OK);
}

Test(json, refuses_duplicate_members_at_any_depth)
{
	static const char *const good[] = {
		"{\"exp\":1,\"EXP\":2}", "{\"a\":{\"x\":1},\"b\":{\"x\":1}}", "{\"x\":{\"x\":{\"x\":1}}}", "[{\"a\":1},{\"a\":1}]",
		"{\"a\":[{\"b\":1},{\"b\":1}],\"b\":1}", "{\"\":1,\" \":2}", "{\"a\":{},\"b\":{}}",
	}, *const bad[] = {
		"{\"exp\":1,\"exp\":2}", "{\"a\":{\"x\":1,\"x\":1},\"b\":1}", "[{\"a\":1,\"a\":1}]", "{\"alg\":1,\"\\u0061lg\":1}",
		"{\"a\":{\"b\":1},\"c\":1,\"a\":2}", "{\"\":1,\"\":2}", "{\"\\u00e9\":1,\"\xc3\xa9\":2}", "{\"x\":[{\"y\":[{\"z\":1,\"z\":1}]}]}",
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_expect_eq(verdict(good[i]), GB_OK, "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(verdict(bad[i]), GB_ERR_INVALID_JSON, "%s", bad[i]);
}

static char *
many_members(char *text, size_t count)
{
	char *at = text;

	for (size_t i = 0; i < count; i++)
		at += sprintf(at, "%c\"%zu\":0", i == 0 ? '{' : ',', i);
	strcpy(at, "}");
	return text;
}

Test(json, refuses_more_members_than_the_maximum)
{
	static char text[4096];

	cr_expect_eq(verdict(many_members(text, GB_JSON_MEMBERS_MAX)), GB_OK);
	cr_expect_eq(verdict(many_members(text, GB_JSON_MEMBERS_MAX + 1)), GB_ERR_INVALID_JSON);
}

/* Each prefix of a good text is bad, and no change of one byte reads past the end. */
Test(json, survives_every_prefix_and_every_single_byte_edit)
{
	static const char text[] = "{\"a\":[1,-2.5e+3,true,false,null,\"\\u00e9\\ud83d\\ude39\xf0\x9f\x98\xb9\\n\"],\"b\":{\"c\":\"d\"}}";
	char edited[sizeof text];
	const struct gb_json *json;

	cr_assert_eq(parse_bytes(text, sizeof text - 1, &json), GB_OK);
	for (size_t len = 0; len < sizeof text - 1; len++)
		cr_expect_eq(parse_bytes(text, len, &json), GB_ERR_INVALID_JSON, "%zu", len);
	for (size_t i = 0; i < (sizeof text - 1) * 256; i++) {
		memcpy(edited, text, sizeof text);
		edited[i / 256] = (char)(i % 256);
		parse_bytes(edited, sizeof text - 1, &json);
		gb_arena_reset(arena);
	}
}

Test(json, refuses_control_characters_and_escaped_nul_in_values_and_names)
{
	char text[] = "{\"a?b\":\"a?b\"}";

	for (int c = 0; c < 0x20; c++) {
		const struct gb_json *json;

		text[3] = (char)c, text[9] = '!';
		cr_expect_eq(parse_bytes(text, sizeof text - 1, &json), GB_ERR_INVALID_JSON, "name, %02x", c);
		text[3] = '!', text[9] = (char)c;
		cr_expect_eq(parse_bytes(text, sizeof text - 1, &json), GB_ERR_INVALID_JSON, "value, %02x", c);
	}
	text[3] = ' ', text[9] = ' ';
	cr_expect_eq(verdict(text), GB_OK);
	cr_expect_eq(verdict("{\"a\":\"\\u0001\"}"), GB_OK);
	cr_expect_eq(verdict("{\"a\":\"\\u0000\"}"), GB_ERR_INVALID_JSON);
	cr_expect_eq(verdict("{\"a\\u0000\":1}"), GB_ERR_INVALID_JSON);
	cr_expect_eq(verdict("[{\"x\":[\"a\\u0000b\"]}]"), GB_ERR_INVALID_JSON);
}

/* Another way round than json_scan.c's table of second bytes: read the code point, ask for its shortest form. */
static bool
is_shortest_form(const unsigned char *bytes, size_t len)
{
	static const unsigned lead_bits[] = { 0, 0, 0xc0, 0xe0, 0xf0 }, lead_mask[] = { 0, 0, 0xe0, 0xf0, 0xf8 };
	static const unsigned long min[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned long code = bytes[0] & ~lead_mask[len];

	if ((bytes[0] & lead_mask[len]) != lead_bits[len])
		return false;
	for (size_t i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return false;
		code = code << 6 | (bytes[i] & 0x3f);
	}
	return code >= min[len] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

Test(json, takes_exactly_the_shortest_form_of_utf8)
{
	static const unsigned char edges[] = { 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff };
	unsigned char text[] = "\"????\"";
	const struct gb_json *json;

	for (unsigned lead = 0x80; lead < 0x100; lead++)
		for (size_t n = 0; n < 1000; n++)
			for (size_t len = 2; len <= 4; len++) {
				text[1] = (unsigned char)lead;
				text[2] = edges[n % 10], text[3] = edges[n / 10 % 10], text[4] = edges[n / 100];
				text[len + 1] = '"';
				if ((len > 2 && is_shortest_form(text + 1, 2)) || (len > 3 && is_shortest_form(text + 1, 3)))
					continue;	/* a shorter character and an ASCII one */
				cr_assert_eq(parse_bytes((char *)text, len + 2, &json) == GB_OK, is_shortest_form(text + 1, len),
				    "%02x %02x %02x %02x", text[1], text[2], text[3], text[4]);
				gb_arena_reset(arena);
			}
}

Test(json, answers_strings_with_escapes_resolved)
{
	const struct gb_json *json;
	const char *value;

	cr_assert_eq(parse("{\"plain\":\"abc\",\"\\u0065xp\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude39\",\"empty\":\"\"}", &json), GB_OK);
	cr_expect(gb_json_is_object(json));
	cr_expect_eq(gb_json_string(json, "plain", &value), GB_OK);
	cr_expect_str_eq(value, "abc");
	cr_expect_eq(gb_json_string(json, "exp", &value), GB_OK);
	cr_expect_str_eq(value, "a\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\xb9");
	cr_expect_eq(gb_json_string(json, "empty", &value), GB_OK);
	cr_expect_str_eq(value, "");
}

Test(json, tells_absent_from_wrong_type)
{
	static const char *const names[] = { "s", "i", "b", "z", "o", "l" };
	const struct gb_json *json;
	const char *string, *strings[4];
	int64_t integer;
	bool boolean;
	size_t len;

	cr_assert_eq(parse("{\"s\":\"1\",\"i\":1,\"b\":true,\"z\":null,\"o\":{},\"l\":[\"x\"]}", &json), GB_OK);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		cr_expect(gb_json_has(json, names[i]));
		cr_expect_eq(gb_json_string(json, names[i], &string), i == 0 ? GB_OK : GB_ERR_INVALID_FIELD, "%s", names[i]);
		cr_expect_eq(gb_json_integer(json, names[i], &integer), i == 1 ? GB_OK : GB_ERR_INVALID_FIELD, "%s", names[i]);
		cr_expect_eq(gb_json_boolean(json, names[i], &boolean), i == 2 ? GB_OK : GB_ERR_INVALID_FIELD, "%s", names[i]);
		cr_expect_eq(gb_json_strings(json, names[i], strings, 4, &len), i == 5 ? GB_OK : GB_ERR_INVALID_FIELD, "%s", names[i]);
		if (i != 0)
			cr_expect_null(string);
	}
	cr_expect_not(gb_json_has(json, "S"));
	cr_expect_eq(gb_json_string(json, "S", &string), GB_ERR_MISSING_FIELD);
	cr_expect_eq(gb_json_integer(json, "", &integer), GB_ERR_MISSING_FIELD);
	cr_expect_eq(gb_json_boolean(json, "bb", &boolean), GB_ERR_MISSING_FIELD);
	cr_expect_eq(gb_json_strings(json, "x", strings, 4, &len), GB_ERR_MISSING_FIELD);
}

Test(json, reads_integers_exactly_and_refuses_the_rest)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{ "0", 0 }, { "-0", 0 }, { "-1", -1 }, { "2147483648", INT64_C(2147483648) }, { "9999999999", INT64_C(9999999999) },
		{ "9007199254740991", INT64_C(9007199254740991) }, { "-9007199254740991", INT64_C(-9007199254740991) },
	};
	static const char *const bad[] = {
		"9007199254740992", "-9007199254740992", "9223372036854775808", "18446744073709551617", "1000000000000000000000000000000",
		"1.0", "1.5", "1e3", "1E0", "1e400", "-0.0", "\"1\"", "true", "[1]", "{}", "null",
	};
	const struct gb_json *json;
	char text[64];
	int64_t value;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		snprintf(text, sizeof text, "{\"exp\":%s}", good[i].text);
		cr_assert_eq(parse(text, &json), GB_OK);
		cr_expect_eq(gb_json_integer(json, "exp", &value), GB_OK, "%s", text);
		cr_expect_eq(value, good[i].value, "%s", text);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "{\"exp\":%s}", bad[i]);
		cr_assert_eq(parse(text, &json), GB_OK, "%s", text);
		cr_expect_eq(gb_json_integer(json, "exp", &value), GB_ERR_INVALID_FIELD, "%s", text);
		cr_expect_eq(value, 0);
	}
}

Test(json, reads_arrays_of_strings_up_to_the_maximum)
{
	const struct gb_json *json;
	const char *values[2];
	size_t len;

	cr_assert_eq(parse("{\"none\":[],\"two\":[\"a\",\"\\u00e9\"],\"three\":[\"a\",\"b\",\"c\"],\"mixed\":[\"a\",1],\"deep\":[[\"a\"]]}", &json), GB_OK);
	cr_expect_eq(gb_json_strings(json, "none", values, 2, &len), GB_OK);
	cr_expect_eq(len, 0);
	cr_expect_eq(gb_json_strings(json, "two", values, 2, &len), GB_OK);
	cr_expect_eq(len, 2);
	cr_expect_str_eq(values[0], "a");
	cr_expect_str_eq(values[1], "\xc3\xa9");
	cr_expect_eq(gb_json_strings(json, "three", values, 2, &len), GB_ERR_INVALID_FIELD);
	cr_expect_eq(len, 0);
	cr_expect_eq(gb_json_strings(json, "mixed", values, 2, &len), GB_ERR_INVALID_FIELD);
	cr_expect_eq(gb_json_strings(json, "deep", values, 2, &len), GB_ERR_INVALID_FIELD);
}

Test(json, knows_objects_from_other_values)
{
	static const char *const others[] = { "[]", "[{\"a\":1}]", "\"x\"", "1", "true", "null" };
	const struct gb_json *json;
	const char *value;

	cr_assert_eq(parse("{}", &json), GB_OK);
	cr_expect(gb_json_is_object(json));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		cr_assert_eq(parse(others[i], &json), GB_OK);
		cr_expect_not(gb_json_is_object(json), "%s", others[i]);
		cr_expect_eq(gb_json_string(json, "a", &value), GB_ERR_MISSING_FIELD);
	}
}

Test(json, says_memory_when_the_arena_is_full)
{
	const struct gb_json *json;
	const char *value;

	cr_assert_eq(parse("{\"a\":\"\\u00e9\"}", &json), GB_OK);
	while (gb_arena_alloc(arena, 1) != NULL)
		;
	cr_expect_eq(gb_json_string(json, "a", &value), GB_ERR_MEMORY);
	cr_expect_eq(parse("{\"a\":1}", &json), GB_ERR_MEMORY);
	cr_expect_eq(parse("{\"\\u0061\":1}", &json), GB_ERR_MEMORY);
	cr_expect_null(json);
	gb_arena_reset(arena);
	cr_expect_eq(parse("{\"\\u0061\":1}", &json), GB_OK);
}

Test(json, writes_compact_text)
{
	struct gb_json_writer writer;
	const char *text;
	size_t len;

	gb_json_begin(&writer, arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_put_string(&writer, "s", "a");
	gb_json_put_string(&writer, "n", NULL);
	gb_json_put_integer(&writer, "i", -9007199254740991);
	gb_json_put_integer(&writer, "j", 0);
	gb_json_put_boolean(&writer, "t", true);
	gb_json_put_boolean(&writer, "f", false);
	gb_json_open(&writer, "l", '[');
	gb_json_put_string(&writer, NULL, "x");
	gb_json_open(&writer, NULL, '{');
	gb_json_close(&writer, '}');
	gb_json_put_integer(&writer, NULL, INT64_MIN);
	gb_json_close(&writer, ']');
	gb_json_open(&writer, "e", '[');
	gb_json_close(&writer, ']');
	gb_json_close(&writer, '}');
	text = gb_json_text(&writer, &len);
	cr_assert_not_null(text);
	cr_expect_str_eq(text, "{\"s\":\"a\",\"n\":null,\"i\":-9007199254740991,\"j\":0,\"t\":true,\"f\":false,"
	    "\"l\":[\"x\",{},-9223372036854775808],\"e\":[]}");
	cr_expect_eq(len, strlen(text));
}

static const char *
written(const char *value)
{
	struct gb_json_writer writer;
	size_t len;

	gb_json_begin(&writer, arena);
	gb_json_put_string(&writer, NULL, value);
	return gb_json_text(&writer, &len);
}

Test(json, writes_strings_escaped_and_as_utf8)
{
	cr_expect_str_eq(written("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
	cr_expect_str_eq(written("\x01\n\t\x1f\x7f"), "\"\\u0001\\u000a\\u0009\\u001f\x7f\"");
	cr_expect_str_eq(written("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9\"");
	cr_expect_str_eq(written("a\xe5z"), "\"a\xef\xbf\xbdz\"");
	cr_expect_str_eq(written("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	cr_expect_str_eq(written("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	cr_expect_str_eq(written("\xf0\x9f\x98"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	cr_expect_str_eq(written("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

Test(json, reads_back_every_string_it_writes)
{
	for (unsigned code = 1; code < 1u << 16; code++) {
		char value[] = { (char)(code & 0xff), (char)(code >> 8), '\0' };
		struct gb_json_writer writer;
		const struct gb_json *json;
		const char *text, *back;
		size_t len;

		gb_json_begin(&writer, arena);
		gb_json_open(&writer, NULL, '{');
		gb_json_put_string(&writer, "v", value);
		gb_json_close(&writer, '}');
		text = gb_json_text(&writer, &len);
		cr_assert_eq(gb_json_parse(text, len, arena, &json), GB_OK, "%04x", code);
		cr_assert_eq(gb_json_string(json, "v", &back), GB_OK);
		if (strstr(back, "\xef\xbf\xbd") == NULL)
			cr_assert_str_eq(back, value);
		gb_arena_reset(arena);
	}
}

Test(json, writer_fails_for_good_once_memory_ran_out)
{
	struct gb_json_writer writer;
	static char large[GB_ARENA_MAX / 2];
	size_t len;

	memset(large, 'x', sizeof large - 1);
	gb_json_begin(&writer, arena);
	gb_json_open(&writer, NULL, '[');
	gb_json_put_string(&writer, NULL, "fits");
	cr_expect_not_null(gb_json_text(&writer, &len));
	gb_json_put_string(&writer, NULL, large);
	gb_json_put_string(&writer, NULL, large);
	gb_json_close(&writer, ']');
	cr_expect_null(gb_json_text(&writer, &len));
	cr_expect_eq(len, 0);
}
