/* SPDX-License-Identifier: MIT */
#ifndef GB_JSON_SCAN_H
#define GB_JSON_SCAN_H

#include "json.h"

/*
 * The strict grammar behind json.h, and for its use only: one pass that
 * checks the whole text and notes where the outermost object's members stand.
 */
enum gb_json_kind {
	GB_JSON_OBJECT,
	GB_JSON_ARRAY,
	GB_JSON_STRING,
	GB_JSON_NUMBER,
	GB_JSON_TRUE,
	GB_JSON_FALSE,
	GB_JSON_NULL,
};

struct gb_json_value {
	enum gb_json_kind kind;
	bool plain;		/* a string without escapes; a number without fraction and exponent */
	const char *text;	/* in the scanned text; a string with its quotes */
	size_t len;
};

struct gb_json_member {
	const char *name;	/* escapes resolved; no NUL behind it */
	size_t name_len;
	struct gb_json_value value;
};

/*
 * GB_ERR_INVALID_JSON, GB_ERR_MEMORY. `members` has room for
 * GB_JSON_MEMBERS_MAX; *members_len is 0 unless *value is an object.
 */
enum gb_err gb_json_scan(const char *text, size_t len, struct gb_arena *arena,
    struct gb_json_value *value, struct gb_json_member *members, size_t *members_len);

/* The characters of a scanned string, NUL-terminated, in the arena; NULL when there is no memory. */
const char *gb_json_characters(const struct gb_json_value *string, struct gb_arena *arena);

#endif
