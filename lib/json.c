/* SPDX-License-Identifier: MIT */
/*
 * json.c: values out of scanned text, the only user of cJSON.
 *
 * cJSON alone answers "EXP" for "exp", takes the first of two equal members,
 * rounds 9999999999 and lets 33 texts through that are not JSON. So
 * json_scan.c judges the whole text and finds the members, integers are read
 * from the text itself, and cJSON decodes what needs decoding: escaped strings
 * and arrays.
 */
#include <string.h>

#include <cjson/cJSON.h>

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

/* cJSON's hooks know no context; one process serves one request at a time. */
static struct gb_arena *cjson_arena;

static void *
cjson_alloc(size_t len)
{
	return gb_arena_alloc(cjson_arena, len);
}

static void
cjson_free(void *bytes)
{
	(void)bytes;	/* the arena's reset frees and wipes */
}

/* NULL means no memory: the text is good, json_scan.c has judged it. */
static cJSON *
decode(const struct gb_json_value *value, struct gb_arena *arena)
{
	cJSON_Hooks hooks = { .malloc_fn = cjson_alloc, .free_fn = cjson_free };

	cjson_arena = arena;
	cJSON_InitHooks(&hooks);
	return cJSON_ParseWithLength(value->text, value->len);
}

const char *
gb_json_characters(const struct gb_json_value *string, struct gb_arena *arena)
{
	const cJSON *decoded;

	if (string->plain)
		return gb_arena_copy(arena, string->text + 1, string->len - 2);
	decoded = decode(string, arena);
	return decoded != NULL ? decoded->valuestring : NULL;
}

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

enum gb_err
gb_json_strings(const struct gb_json *object, const char *name, const char **values, size_t max, size_t *values_len)
{
	const struct gb_json_value *found = find(object, name);
	const cJSON *array, *element;
	size_t len = 0;

	*values_len = 0;
	if (found == NULL)
		return GB_ERR_MISSING_FIELD;
	if (found->kind != GB_JSON_ARRAY)
		return GB_ERR_INVALID_FIELD;
	if ((array = decode(found, object->arena)) == NULL)
		return GB_ERR_MEMORY;
	cJSON_ArrayForEach(element, array) {
		if (!cJSON_IsString(element) || len == max)
			return GB_ERR_INVALID_FIELD;
		values[len++] = element->valuestring;
	}
	*values_len = len;
	return GB_OK;
}
