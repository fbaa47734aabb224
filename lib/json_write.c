/* SPDX-License-Identifier: MIT */
/* json_write.c: compact JSON, one member after the other. */
#include <string.h>

#include "json.h"

#define FIRST_CAPACITY 512
#define INTEGER_MAX_LEN 20		/* of "-9223372036854775808" */
#define REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD */

/* Room for `more` bytes and a NUL behind them, which count as written; NULL when memory ran out. */
static char *
take(struct gb_json_writer *writer, size_t more)
{
	size_t len = writer->len, capacity = writer->capacity;
	char *text;

	if (writer->failed)
		return NULL;
	if (more >= capacity - len) {
		if (more >= GB_ARENA_MAX) {
			writer->failed = true;
			return NULL;
		}
		while (more >= capacity - len)
			capacity *= 2;
		if ((text = gb_arena_alloc(writer->arena, capacity)) == NULL) {
			writer->failed = true;
			return NULL;
		}
		memcpy(text, writer->text, len);
		writer->text = text;
		writer->capacity = capacity;
	}
	writer->len = len + more;
	return writer->text + len;
}

static void
put(struct gb_json_writer *writer, const char *bytes, size_t len)
{
	char *at = take(writer, len);

	if (at != NULL)
		memcpy(at, bytes, len);
}

/* Length of the valid UTF-8 character of several bytes at `at`; 0 if there is none. The NUL ends every sequence. */
static size_t
multibyte_len(const unsigned char *at)
{
	size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	unsigned second_min = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
	unsigned second_max = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;

	if (at[0] < 0xc2 || at[0] > 0xf4 || at[1] < second_min || at[1] > second_max)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	return len;
}

/* Characters that stand for themselves. */
static const bool plain[256] = {
	[' ' ... '!'] = true,			/* not " */
	['#' ... '['] = true,			/* not \ */
	[']' ... 0x7f] = true,
};

static void
put_escaped(struct gb_json_writer *writer, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char escaped[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (c == '"' || c == '\\') {
		escaped[1] = (char)c;
		put(writer, escaped, 2);
	} else {
		put(writer, escaped, sizeof escaped);
	}
}

/* From the first character that does not stand for itself on. */
static void
put_rest_escaped(struct gb_json_writer *writer, const char *value)
{
	size_t len;

	while (*value != '\0') {
		const char *begin = value;

		while (plain[(unsigned char)*value])
			value++;
		put(writer, begin, (size_t)(value - begin));
		if (*value == '\0')
			return;
		if ((unsigned char)*value < 0x80) {
			put_escaped(writer, (unsigned char)*value++);
		} else if ((len = multibyte_len((const unsigned char *)value)) > 0) {
			put(writer, value, len);
			value += len;
		} else {
			put(writer, REPLACEMENT, strlen(REPLACEMENT));
			value++;
		}
	}
}

/* A string; most need no escapes and are written in one go, with a comma before and a colon behind where a name has them. */
static void
put_quoted(struct gb_json_writer *writer, bool comma, const char *value, bool colon)
{
	const char *end = value;
	size_t len;
	char *at;

	while (plain[(unsigned char)*end])
		end++;
	len = (size_t)(end - value);
	if ((at = take(writer, comma + 1 + len)) == NULL)
		return;
	if (comma)
		*at++ = ',';
	*at++ = '"';
	memcpy(at, value, len);
	if (*end != '\0')
		put_rest_escaped(writer, end);
	put(writer, "\":", colon ? 2 : 1);
}

/* The comma before a value and, in an object, its name. */
static void
put_name(struct gb_json_writer *writer, const char *name)
{
	if (name != NULL)
		put_quoted(writer, writer->comma, name, true);
	else if (writer->comma)
		put(writer, ",", 1);
	writer->comma = true;
}

void
gb_json_begin(struct gb_json_writer *writer, struct gb_arena *arena)
{
	*writer = (struct gb_json_writer){ .arena = arena, .capacity = FIRST_CAPACITY };
	writer->text = gb_arena_alloc(arena, FIRST_CAPACITY);
	writer->failed = writer->text == NULL;
}

void
gb_json_open(struct gb_json_writer *writer, const char *name, char bracket)
{
	put_name(writer, name);
	put(writer, &bracket, 1);
	writer->comma = false;
}

void
gb_json_close(struct gb_json_writer *writer, char bracket)
{
	put(writer, &bracket, 1);
	writer->comma = true;
}

void
gb_json_put_string(struct gb_json_writer *writer, const char *name, const char *value)
{
	put_name(writer, name);
	if (value == NULL)
		put(writer, "null", 4);
	else
		put_quoted(writer, false, value, false);
}

void
gb_json_put_integer(struct gb_json_writer *writer, const char *name, int64_t value)
{
	char digits[INTEGER_MAX_LEN], *digit = digits + sizeof digits;
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	put_name(writer, name);
	do {
		*--digit = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--digit = '-';
	put(writer, digit, (size_t)(digits + sizeof digits - digit));
}

void
gb_json_put_boolean(struct gb_json_writer *writer, const char *name, bool value)
{
	put_name(writer, name);
	if (value)
		put(writer, "true", 4);
	else
		put(writer, "false", 5);
}

const char *
gb_json_text(struct gb_json_writer *writer, size_t *len)
{
	if (writer->failed) {
		*len = 0;
		return NULL;
	}
	writer->text[writer->len] = '\0';
	*len = writer->len;
	return writer->text;
}
