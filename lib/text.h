/* SPDX-License-Identifier: MIT */
#ifndef GB_TEXT_H
#define GB_TEXT_H

#include "arena.h"

/*
 * What people read on pages, per language: www/texts/en.txt and its sisters, lines
 * `key = text`. A new language is a new file. The pages' scripts read the same files.
 */
#define GB_LANGUAGE_MAX 8		/* bytes */

/*
 * The language to answer in, of those that have a table: by an Accept-Language header (RFC 9110
 * s12.5.4; the highest q, then the first; "de-AT" is "de"), else `fallback`, else "en".
 * The result is a constant of the program.
 */
const char *gb_text_language(const char *accept_language, const char *fallback);

/* The table of a language that gb_text_language gave. */
const char *gb_text_table(const char *language);

/* The text of a key, copied into arena; NULL when it is not in the table or memory ran out. */
const char *gb_text_find(struct gb_arena *arena, const char *table, const char *key);

#endif
