/* SPDX-License-Identifier: MIT */
#ifndef GB_JSON_H
#define GB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "error.h"

/*
 * Strict JSON in (RFC 8259, UTF-8), JSON out. Refused: duplicate members,
 * invalid UTF-8, lone surrogates, control characters in strings, \u0000
 * anywhere, numbers off the grammar, bytes behind the value, a depth above
 * GB_JSON_DEPTH_MAX, more than GB_JSON_MEMBERS_MAX members in the objects open
 * at one place. Names are compared byte for byte. What is parsed lives in the
 * arena and refers to `text`, which must outlive it.
 */
#define GB_JSON_DEPTH_MAX	8
#define GB_JSON_MEMBERS_MAX	128

struct gb_json;		/* one parsed value */

/* GB_ERR_INVALID_JSON, GB_ERR_MEMORY. Any value; see gb_json_is_object. */
enum gb_err gb_json_parse(const char *text, size_t len, struct gb_arena *arena,
    const struct gb_json **json);
bool gb_json_is_object(const struct gb_json *json);

/*
 * Members of an object. GB_OK; GB_ERR_MISSING_FIELD when there is no such
 * member (then the result is NULL, 0 or false); GB_ERR_INVALID_FIELD when it is
 * null or of another type.
 */
enum gb_err gb_json_string(const struct gb_json *object, const char *name, const char **value);
/* Written as an integer, without fraction or exponent, in -(2^53-1) to 2^53-1. */
enum gb_err gb_json_integer(const struct gb_json *object, const char *name, int64_t *value);
enum gb_err gb_json_boolean(const struct gb_json *object, const char *name, bool *value);
bool gb_json_has(const struct gb_json *object, const char *name);
bool gb_json_is_null(const struct gb_json *object, const char *name);
/* An array of strings, at most max of them; values in the arena it was parsed into. */
enum gb_err gb_json_strings(const struct gb_json *object, const char *name, const char **values,
    size_t max, size_t *values_len);

/*
 * Writes compact JSON (no white space) into arena memory. Errors are sticky:
 * call what you need, then look once, at gb_json_text. `name` is NULL inside
 * an array and for the outermost value. Strings must be valid UTF-8; other bytes
 * are written as U+FFFD.
 */
struct gb_json_writer {
	struct gb_arena *arena;
	char *text;
	size_t len, capacity;
	bool comma, failed;
};

void gb_json_begin(struct gb_json_writer *writer, struct gb_arena *arena);
void gb_json_open(struct gb_json_writer *writer, const char *name, char bracket);	/* '{' or '[' */
void gb_json_close(struct gb_json_writer *writer, char bracket);			/* '}' or ']' */
void gb_json_put_string(struct gb_json_writer *writer, const char *name, const char *value);	/* NULL: null */
void gb_json_put_integer(struct gb_json_writer *writer, const char *name, int64_t value);
void gb_json_put_boolean(struct gb_json_writer *writer, const char *name, bool value);
/* The text so far, NUL-terminated; NULL if memory ran out on the way. */
const char *gb_json_text(struct gb_json_writer *writer, size_t *len);

#endif
