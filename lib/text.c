/* SPDX-License-Identifier: MIT */
/* text.c: languages and their tables of texts. */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "embed.h"
#include "text.h"

static const struct {
	const char *language, *path;
} languages[] = {
	{ "en", "www/texts/en.txt" },
	{ "es", "www/texts/es.txt" },
	{ "de", "www/texts/de.txt" },
};
#define LANGUAGES (sizeof languages / sizeof languages[0])

/* The row of a language tag of len bytes by its first subtag; LANGUAGES when there is none. */
static size_t
row_of(const char *tag, size_t len)
{
	size_t primary = 0, row;

	while (primary < len && tag[primary] != '-')
		primary++;
	for (row = 0; row < LANGUAGES; row++)
		if (strlen(languages[row].language) == primary && strncasecmp(languages[row].language, tag, primary) == 0)
			break;
	return row;
}

/* The weight behind a tag in thousandths: RFC 9110 s12.4.2; none is 1000, nonsense is 0. */
static int
weight(const char *at, const char *end)
{
	int thousandths = 0, unit = 1000;

	at += strspn(at, " \t;");
	if (at >= end)
		return 1000;
	if (end - at < 3 || strncasecmp(at, "q=", 2) != 0)
		return 0;
	for (at += 2; at < end && unit > 0; at++) {
		if (*at == '.')
			continue;
		if (*at < '0' || *at > '9')
			break;
		thousandths += (*at - '0') * unit;
		unit /= 10;
	}
	return thousandths;
}

const char *
gb_text_language(const char *accept_language, const char *fallback)
{
	size_t best = row_of(fallback, strlen(fallback)), row, len;
	const char *at = accept_language, *end;
	int best_weight = 0, q;

	if (best == LANGUAGES)
		best = 0;
	for (; *at != '\0'; at = end + (*end == ',')) {
		at += strspn(at, " \t");
		end = at + strcspn(at, ",");
		len = strcspn(at, ",; \t");
		if ((row = row_of(at, len)) == LANGUAGES || (q = weight(at + len, end)) <= best_weight)
			continue;
		best = row;
		best_weight = q;
	}
	return languages[best].language;
}

const char *
gb_text_table(const char *language)
{
	const char *table = gb_embed_find(languages[row_of(language, strlen(language)) % LANGUAGES].path);

	return table != NULL ? table : "";
}

const char *
gb_text_find(struct gb_arena *arena, const char *table, const char *key)
{
	size_t len = strlen(key);
	const char *line;

	for (line = table; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, key, len) == 0 && strncmp(line + len, " = ", 3) == 0)
			return gb_arena_copy(arena, line + len + 3, strcspn(line + len + 3, "\n"));
	return NULL;
}
