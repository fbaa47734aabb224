/* SPDX-License-Identifier: MIT */
/* json_string.c: the characters of a string whose spelling json_scan.c has found good. */
#include <string.h>

#include "json_scan.h"

#define SURROGATES 0xd800u		/* the first of a pair; 0xdc00 and on are second ones */
#define SURROGATES_END 0xe000u

/* What stands behind a backslash, and what it means; \u aside. */
static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";

static uint32_t
hex4(const char *at)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++)
		unit = unit << 4 | (uint32_t)(at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
	return unit;
}

/* One character as UTF-8 (RFC 3629 s3): never longer than the \uXXXX it was. */
static char *
put_character(char *out, uint32_t c)
{
	static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	int len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (int i = len - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(marks[len] | c);
	return out + len;
}

/* `at` stands on XXXX of \uXXXX; it is left behind the character, which may be a pair of them. */
static uint32_t
read_character(const char **at)
{
	uint32_t unit = hex4(*at);

	*at += 4;
	if (unit < SURROGATES || unit >= SURROGATES_END)
		return unit;
	*at += 6;			/* \uXXXX, the second of the pair */
	return 0x10000 + ((unit - SURROGATES) << 10) + (hex4(*at - 4) - 0xdc00);
}

const char *
gb_json_characters(const struct gb_json_value *string, struct gb_arena *arena)
{
	const char *at = string->text + 1, *end = string->text + string->len - 1;
	char *text, *out;

	if (string->plain)
		return gb_arena_copy(arena, at, (size_t)(end - at));
	if ((text = out = gb_arena_alloc(arena, (size_t)(end - at) + 1)) == NULL)
		return NULL;
	while (at < end) {
		if (*at != '\\') {
			*out++ = *at++;
		} else if (at[1] == 'u') {
			at += 2;
			out = put_character(out, read_character(&at));
		} else {
			*out++ = meanings[strchr(escapes, at[1]) - escapes];
			at += 2;
		}
	}
	*out = '\0';
	return text;
}
