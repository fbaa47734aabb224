/* SPDX-License-Identifier: MIT */
#ifndef GB_FORM_H
#define GB_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "error.h"

/*
 * The pairs of an application/x-www-form-urlencoded body or of a query. `&`
 * separates (never `;`), `+` is a space, `%` stands before two hex digits.
 */
#define GB_FORM_PAIRS_MAX 64

struct gb_form;

/*
 * GB_ERR_BAD_REQUEST: a broken `%`, a NUL byte however spelled, a pair without
 * a name, or a name that comes twice. GB_ERR_PAYLOAD_TOO_LARGE: more than
 * GB_FORM_PAIRS_MAX pairs. GB_ERR_MEMORY.
 */
enum gb_err gb_form_parse(const char *text, size_t len, struct gb_arena *arena,
    const struct gb_form **form);

/*
 * GB_OK; GB_ERR_MISSING_FIELD when there is no such pair; GB_ERR_INVALID_FIELD when
 * its value is not UTF-8. *value is NULL unless GB_OK.
 */
enum gb_err gb_form_string(const struct gb_form *form, const char *name, const char **value);

/* Valid UTF-8 (RFC 3629)? */
bool gb_form_is_utf8(const char *text);

/*
 * A text as a query carries it: every byte but A-Z a-z 0-9 - . _ ~ and / is
 * written %XX. NULL when there is no memory.
 */
const char *gb_form_escape(const char *text, struct gb_arena *arena);

/* The reverse; `+` stays. NULL for a broken `%`, a NUL byte, or when there is no memory. */
char *gb_form_unescape(const char *text, struct gb_arena *arena);

#endif
