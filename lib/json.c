/* SPDX-License-Identifier: MIT */
/*
 * json.c: values out of scanned text. Nothing is decoded that nobody asks for:
 * json_scan.c judges the whole text and finds the members, integers are read
 * from the text itself, strings and arrays once they are wanted.
 */
#include <string.h>

#include "json_scan.h"

#define INTEGER_MAX (INT64_C(9007199254740991))		/* 2^53-1: exact in every JSON library */
#define INTEGER_DIGITS_MAX 16

struct gb_json {
	struct gb_arena *arena;
	enum gb_json_kind kind;
	const struct gb_json_member **next, *behind_found;	/* most readers ask in the order of the text */
	size_t members_len;
	struct gb_json_member members[];
};

enum gb_err
gb_json_parse(const char *text, size_t len, struct gb_arena *arena, const struct gb_json **json)
{
	struct gb_json_member members[GB_JSON_MEMBERS_MAX];
	struct gb_json_value root;
	struct gb_json *parsed;
	size_t members_len;
	enum gb_err err;

	*json = NULL;
	if ((err = gb_json_scan(text, len, arena, &root, members, &members_len)) != GB_OK)
		return err;
	if ((parsed = gb_arena_alloc(arena, sizeof *parsed + members_len * sizeof *members)) == NULL)
		return GB_ERR_MEMORY;
	parsed->arena = arena;
	parsed->kind = root.kind;
	parsed->next = &parsed->behind_found;
	parsed->behind_found = parsed->members;
	parsed->members_len = members_len;
	memcpy(parsed->members, members, members_len * sizeof *members);
	*json = parsed;
	return GB_OK;
}

bool
gb_json_is_object(const struct gb_json *json)
{
	return json->kind == GB_JSON_OBJECT;
}

static const struct gb_json_member *
search(const struct gb_json_member *from, const struct gb_json_member *to, const char *name, size_t name_len)
{
	for (; from < to; from++)
		if (from->name_len == name_len && (name_len == 0 || (*from->name == *name && memcmp(from->name, name, name_len) == 0)))
			return from;
	return NULL;
}

/* From behind the member found last, then from the first. */
static const struct gb_json_value *
find(const struct gb_json *object, const char *name)
{
	size_t name_len = strlen(name);
	const struct gb_json_member *found = search(*object->next, object->members + object->members_len, name, name_len);

	if (found == NULL)
		found = search(object->members, *object->next, name, name_len);
	if (found == NULL)
		return NULL;
	*object->next = found + 1;
	return &found->value;
}

bool
gb_json_has(const struct gb_json *object, const char *name)
{
	return find(object, name) != NULL;
}

bool
gb_json_is_null(const struct gb_json *object, const char *name)
{
	const struct gb_json_value *found = find(object, name);

	return found != NULL && found->kind == GB_JSON_NULL;
}

enum gb_err
gb_json_string(const struct gb_json *object, const char *name, const char **value)
{
	const struct gb_json_value *found = find(object, name);

	*value = NULL;
	if (found == NULL)
		return GB_ERR_MISSING_FIELD;
	if (found->kind != GB_JSON_STRING)
		return GB_ERR_INVALID_FIELD;
	*value = gb_json_characters(found, object->arena);
	return *value != NULL ? GB_OK : GB_ERR_MEMORY;
}

enum gb_err
gb_json_integer(const struct gb_json *object, const char *name, int64_t *value)
{
	const struct gb_json_value *found = find(object, name);
	const char *digit;
	int64_t integer = 0;
	bool negative;

	*value = 0;
	if (found == NULL)
		return GB_ERR_MISSING_FIELD;
	if (found->kind != GB_JSON_NUMBER || !found->plain)
		return GB_ERR_INVALID_FIELD;
	digit = found->text;
	negative = *digit == '-';
	digit += negative;
	if (found->text + found->len - digit > INTEGER_DIGITS_MAX)
		return GB_ERR_INVALID_FIELD;
	for (; digit < found->text + found->len; digit++)
		integer = integer * 10 + (*digit - '0');
	if (integer > INTEGER_MAX)
		return GB_ERR_INVALID_FIELD;
	*value = negative ? -integer : integer;
	return GB_OK;
}

enum gb_err
gb_json_boolean(const struct gb_json *object, const char *name, bool *value)
{
	const struct gb_json_value *found = find(object, name);

	*value = false;
	if (found == NULL)
		return GB_ERR_MISSING_FIELD;
	if (found->kind != GB_JSON_TRUE && found->kind != GB_JSON_FALSE)
		return GB_ERR_INVALID_FIELD;
	*value = found->kind == GB_JSON_TRUE;
	return GB_OK;
}

/* White space, and behind it the one character of `expected` that may be there. */
static bool
next_is(const char **at, char expected)
{
	*at += strspn(*at, " \t\r\n");
	if (**at != expected)
		return false;
	++*at;
	return true;
}

/* The string at `at`, in text that has been scanned; `at` is left behind it. False: it is no string. */
static bool
take_string(const char **at, struct gb_json_value *string)
{
	*string = (struct gb_json_value){ .kind = GB_JSON_STRING, .plain = true };
	*at += strspn(*at, " \t\r\n");
	string->text = *at;
	if (!next_is(at, '"'))
		return false;
	for (; **at != '"'; ++*at)
		if (**at == '\\') {
			string->plain = false;
			++*at;
		}
	++*at;
	string->len = (size_t)(*at - string->text);
	return true;
}

enum gb_err
gb_json_strings(const struct gb_json *object, const char *name, const char **values, size_t max, size_t *values_len)
{
	const struct gb_json_value *found = find(object, name);
	struct gb_json_value string;
	const char *at;
	size_t len = 0;

	*values_len = 0;
	if (found == NULL)
		return GB_ERR_MISSING_FIELD;
	if (found->kind != GB_JSON_ARRAY)
		return GB_ERR_INVALID_FIELD;
	at = found->text + 1;
	if (next_is(&at, ']'))
		return GB_OK;
	do {
		if (!take_string(&at, &string) || len == max)
			return GB_ERR_INVALID_FIELD;
		if ((values[len++] = gb_json_characters(&string, object->arena)) == NULL)
			return GB_ERR_MEMORY;
	} while (next_is(&at, ','));
	*values_len = len;
	return GB_OK;
}
