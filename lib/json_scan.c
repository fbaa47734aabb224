/* SPDX-License-Identifier: MIT */
/*
 * json_scan.c: recursive descent over RFC 8259, at most GB_JSON_DEPTH_MAX deep.
 * Each function stands on the first byte of its part and leaves `at` behind
 * it; false means refused.
 */
#include <string.h>

#include "json_scan.h"

struct scan {
	const char *at, *end;
	struct gb_arena *arena;
	struct gb_json_member *members;		/* of all objects open here, innermost last */
	size_t members_len;
	unsigned depth;
	enum gb_err err;
};

enum { PLAIN, QUOTE, ESCAPE, CONTROL, MULTIBYTE };

static const unsigned char string_class[256] = {
	[0 ... 0x1f] = CONTROL,
	['"'] = QUOTE,
	['\\'] = ESCAPE,
	[0x80 ... 0xff] = MULTIBYTE,
};

static bool value(struct scan *scan, struct gb_json_value *out);

/* Compact JSON, as in tokens, has none: one comparison. */
static inline void
skip_space(struct scan *scan)
{
	while (scan->at < scan->end && (unsigned char)*scan->at <= ' ' && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
		scan->at++;
}

static bool
skip(struct scan *scan, char expected)
{
	if (scan->at >= scan->end || *scan->at != expected)
		return false;
	scan->at++;
	return true;
}

static bool
skip_digits(struct scan *scan)
{
	const char *begin = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > begin;
}

static bool
number(struct scan *scan, struct gb_json_value *out)
{
	out->kind = GB_JSON_NUMBER;
	skip(scan, '-');
	if (!skip(scan, '0') && !skip_digits(scan))
		return false;
	out->plain = true;
	if (skip(scan, '.')) {
		out->plain = false;
		if (!skip_digits(scan))
			return false;
	}
	if (skip(scan, 'e') || skip(scan, 'E')) {
		out->plain = false;
		if (!skip(scan, '+'))
			skip(scan, '-');
		if (!skip_digits(scan))
			return false;
	}
	return true;
}

/* One character of two to four bytes, RFC 3629 s4: nothing overlong, no surrogate, at most U+10FFFF. */
static bool
multibyte(struct scan *scan)
{
	const unsigned char *at = (const unsigned char *)scan->at;
	size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	unsigned second_min = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
	unsigned second_max = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;

	if (at[0] < 0xc2 || at[0] > 0xf4 || len > (size_t)(scan->end - scan->at) || at[1] < second_min || at[1] > second_max)
		return false;
	for (size_t i = 2; i < len; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return false;
	scan->at += len;
	return true;
}

/* The four digits of \uXXXX; 0, which is refused, also when they are none. */
static unsigned
hex4(struct scan *scan)
{
	unsigned unit = 0;

	if (scan->end - scan->at < 4)
		return 0;
	for (int i = 0; i < 4; i++) {
		char c = *scan->at++;

		if (c >= '0' && c <= '9')
			unit = unit << 4 | (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			unit = unit << 4 | (unsigned)((c | 0x20) - 'a' + 10);
		else
			return 0;
	}
	return unit;
}

static bool
escape(struct scan *scan)
{
	unsigned unit;

	scan->at++;
	if (scan->at >= scan->end)
		return false;
	if (*scan->at != 'u')
		return *scan->at != '\0' && strchr("\"\\/bfnrt", *scan->at++) != NULL;
	scan->at++;
	unit = hex4(scan);
	if (unit >= 0xd800 && unit <= 0xdbff) {
		if (!skip(scan, '\\') || !skip(scan, 'u'))
			return false;
		unit = hex4(scan);
		return unit >= 0xdc00 && unit <= 0xdfff;
	}
	return unit != 0 && (unit < 0xdc00 || unit > 0xdfff);
}

static bool
string(struct scan *scan, struct gb_json_value *out)
{
	out->kind = GB_JSON_STRING;
	out->plain = true;
	out->text = scan->at;
	if (!skip(scan, '"'))
		return false;
	for (;;) {
		const char *at = scan->at, *end = scan->end;	/* in registers */

		while (at < end && string_class[(unsigned char)*at] == PLAIN)
			at++;
		scan->at = at;
		if (at >= end)
			return false;
		switch (string_class[(unsigned char)*scan->at]) {
		case QUOTE:
			scan->at++;
			out->len = (size_t)(scan->at - out->text);
			return true;
		case ESCAPE:
			out->plain = false;
			if (!escape(scan))
				return false;
			break;
		case MULTIBYTE:
			if (!multibyte(scan))
				return false;
			break;
		default:
			return false;
		}
	}
}

/* Is this name in the object already? `seen` has a bit for each length and first letter: mostly that says no. */
static bool
is_new(const struct gb_json_member *first, const struct gb_json_member *member, uint64_t *seen)
{
	unsigned letter = member->name_len > 0 ? (unsigned char)member->name[0] : 0;
	uint64_t bit = UINT64_C(1) << ((letter + 7 * member->name_len) % 64);

	if ((*seen & bit) != 0)
		for (const struct gb_json_member *other = first; other < member; other++)
			if (other->name_len == member->name_len && memcmp(other->name, member->name, member->name_len) == 0)
				return false;
	*seen |= bit;
	return true;
}

/* Escapes are resolved before names are compared: "\u0061lg" is "alg". */
static bool
name(struct scan *scan, struct gb_json_member *member)
{
	struct gb_json_value text;

	if (!string(scan, &text))
		return false;
	member->name = text.text + 1;
	member->name_len = text.len - 2;
	if (!text.plain) {
		if ((member->name = gb_json_characters(&text, scan->arena)) == NULL) {
			scan->err = GB_ERR_MEMORY;
			return false;
		}
		member->name_len = strlen(member->name);
	}
	return true;
}

static bool
object(struct scan *scan)
{
	const size_t object_members = scan->members_len;
	uint64_t seen = 0;

	scan->at++;
	skip_space(scan);
	if (skip(scan, '}'))
		return true;
	do {
		struct gb_json_member *member = scan->members + scan->members_len;

		if (scan->members_len >= GB_JSON_MEMBERS_MAX)
			return false;
		skip_space(scan);
		if (!name(scan, member) || !is_new(scan->members + object_members, member, &seen))
			return false;
		scan->members_len++;
		skip_space(scan);
		if (!skip(scan, ':') || !value(scan, &member->value))
			return false;
	} while (skip(scan, ','));
	if (scan->depth > 1)
		scan->members_len = object_members;
	return skip(scan, '}');
}

static bool
array(struct scan *scan)
{
	struct gb_json_value element;

	scan->at++;
	skip_space(scan);
	if (skip(scan, ']'))
		return true;
	do {
		if (!value(scan, &element))
			return false;
	} while (skip(scan, ','));
	return skip(scan, ']');
}

static bool
nested(struct scan *scan, struct gb_json_value *out, enum gb_json_kind kind)
{
	bool good;

	out->kind = kind;
	if (++scan->depth > GB_JSON_DEPTH_MAX)
		return false;
	good = kind == GB_JSON_OBJECT ? object(scan) : array(scan);
	scan->depth--;
	return good;
}

static bool
word(struct scan *scan, struct gb_json_value *out, const char *spelling, enum gb_json_kind kind)
{
	size_t len = strlen(spelling);

	out->kind = kind;
	if (len > (size_t)(scan->end - scan->at) || memcmp(scan->at, spelling, len) != 0)
		return false;
	scan->at += len;
	return true;
}

/* White space before and behind is part of it. */
static bool
value(struct scan *scan, struct gb_json_value *out)
{
	bool good;

	skip_space(scan);
	if (scan->at >= scan->end)
		return false;
	out->text = scan->at;
	switch (*scan->at) {
	case '"':	good = string(scan, out); break;
	case '{':	good = nested(scan, out, GB_JSON_OBJECT); break;
	case '[':	good = nested(scan, out, GB_JSON_ARRAY); break;
	case 't':	good = word(scan, out, "true", GB_JSON_TRUE); break;
	case 'f':	good = word(scan, out, "false", GB_JSON_FALSE); break;
	case 'n':	good = word(scan, out, "null", GB_JSON_NULL); break;
	default:	good = number(scan, out); break;
	}
	out->len = (size_t)(scan->at - out->text);
	skip_space(scan);
	return good;
}

enum gb_err
gb_json_scan(const char *text, size_t len, struct gb_arena *arena, struct gb_json_value *root,
    struct gb_json_member *members, size_t *members_len)
{
	struct scan scan = { .at = text, .end = text + len, .arena = arena, .members = members, .err = GB_ERR_INVALID_JSON };

	*members_len = 0;
	if (!value(&scan, root) || scan.at != scan.end)
		return scan.err;
	if (root->kind == GB_JSON_OBJECT)
		*members_len = scan.members_len;
	return GB_OK;
}
