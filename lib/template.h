/* SPDX-License-Identifier: MIT */
#ifndef GB_TEMPLATE_H
#define GB_TEMPLATE_H

#include <stdbool.h>

#include "arena.h"

/*
 * Fills templates of pages and mails.
 *
 *	{{name}}		the value; HTML-escaped where html is true; nothing when it is NULL or unknown
 *	{{&name}}		the value as it is: only for what another fill made
 *	{{=key}}		a text of the language (text.h), itself filled; its own bytes are escaped too
 *	{{#name}}..{{/name}}	stays where the value is not NULL
 *	{{^name}}..{{/name}}	stays where it is NULL or unknown
 *
 * Sections nest up to GB_TEMPLATE_DEPTH.
 */
#define GB_TEMPLATE_DEPTH 8

struct gb_template_value {
	const char *name, *value;
};

/*
 *	values	ends with { NULL, NULL }; of two with one name the first counts
 *	texts	the language's table, from gb_text_table; NULL: no {{=key}}
 * The filled text, in arena; NULL when memory runs out or the template is malformed
 * (an open tag or section): the tests fill every template that is built in.
 */
const char *gb_template_fill(struct gb_arena *arena, const char *text,
    const struct gb_template_value *values, const char *texts, bool html);

#endif
