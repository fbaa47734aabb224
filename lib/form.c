/* SPDX-License-Identifier: MIT */
/* form.c: application/x-www-form-urlencoded, strictly. */
#include <stdint.h>
#include <string.h>

#include "form.h"

struct pair {
	char *name, *value;
};

struct gb_form {
	struct pair pairs[GB_FORM_PAIRS_MAX];
	size_t len;
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Resolves `%XX`, and `plus` to what it stands for; a NUL is refused because no C string can carry it uncut. */
static enum gb_err
decode(const char *text, size_t len, char plus, struct gb_arena *arena, char **decoded)
{
	char *out = gb_arena_alloc(arena, len + 1), *end = out;

	*decoded = NULL;
	if (out == NULL)
		return GB_ERR_MEMORY;
	for (size_t i = 0; i < len; i++) {
		char c = text[i] == '+' ? plus : text[i];

		if (c == '%') {
			int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
			int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return GB_ERR_BAD_REQUEST;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return GB_ERR_BAD_REQUEST;
		*end++ = c;
	}
	*decoded = out;
	return GB_OK;
}

static const struct pair *
find(const struct gb_form *form, const char *name)
{
	for (size_t i = 0; i < form->len; i++)
		if (strcmp(form->pairs[i].name, name) == 0)
			return &form->pairs[i];
	return NULL;
}

static enum gb_err
add(struct gb_form *form, const char *text, size_t len, struct gb_arena *arena)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
	size_t value_at = equals != NULL ? name_len + 1 : len;
	struct pair pair;
	enum gb_err err;

	if (name_len == 0)
		return GB_ERR_BAD_REQUEST;
	if (form->len == GB_FORM_PAIRS_MAX)
		return GB_ERR_PAYLOAD_TOO_LARGE;
	if ((err = decode(text, name_len, ' ', arena, &pair.name)) != GB_OK ||
	    (err = decode(text + value_at, len - value_at, ' ', arena, &pair.value)) != GB_OK)
		return err;
	if (find(form, pair.name) != NULL)
		return GB_ERR_BAD_REQUEST;
	form->pairs[form->len++] = pair;
	return GB_OK;
}

/* The length of the UTF-8 sequence at p (RFC 3629: shortest form, no surrogate); 0 if there is none. */
static size_t
sequence_len(const unsigned char *p)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
	uint32_t point = len <= 1 ? p[0] : p[0] & (0x7fu >> len);

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3fu);
	}
	if (point < least[len] || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff)
		return 0;
	return len;
}

bool
gb_form_is_utf8(const char *text)
{
	size_t len;

	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p += len)
		if ((len = sequence_len(p)) == 0)
			return false;
	return true;
}

enum gb_err
gb_form_parse(const char *text, size_t len, struct gb_arena *arena, const struct gb_form **result)
{
	struct gb_form *form = gb_arena_alloc(arena, sizeof *form);
	enum gb_err err = GB_OK;

	*result = NULL;
	if (form == NULL)
		return GB_ERR_MEMORY;
	for (size_t at = 0, end; err == GB_OK && at < len; at = end + 1) {
		const char *ampersand = memchr(text + at, '&', len - at);

		end = ampersand != NULL ? (size_t)(ampersand - text) : len;
		if (end > at)
			err = add(form, text + at, end - at, arena);
	}
	if (err == GB_OK)
		*result = form;
	return err;
}

enum gb_err
gb_form_string(const struct gb_form *form, const char *name, const char **value)
{
	const struct pair *pair = find(form, name);

	*value = NULL;
	if (pair == NULL)
		return GB_ERR_MISSING_FIELD;
	if (!gb_form_is_utf8(pair->value))
		return GB_ERR_INVALID_FIELD;
	*value = pair->value;
	return GB_OK;
}

const char *
gb_form_escape(const char *text, struct gb_arena *arena)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	static const char hex[] = "0123456789ABCDEF";
	size_t len = strlen(text);
	char *escaped = len < SIZE_MAX / 4 ? gb_arena_alloc(arena, len * 3 + 1) : NULL, *end = escaped;

	if (escaped == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL) {
			*end++ = *text;
			continue;
		}
		*end++ = '%';
		*end++ = hex[(unsigned char)*text >> 4];
		*end++ = hex[(unsigned char)*text & 15];
	}
	return escaped;
}

char *
gb_form_unescape(const char *text, struct gb_arena *arena)
{
	char *decoded;

	decode(text, strlen(text), '+', arena, &decoded);
	return decoded;
}
