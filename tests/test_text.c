/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "embed.h"
#include "text.h"

static struct gb_arena *arena;

static void
setup(void)
{
	arena = gb_arena_new();
}

static void
teardown(void)
{
	gb_arena_free(arena);
}

TestSuite(text, .init = setup, .fini = teardown);

/* RFC 9110 s12.5.4 */
Test(text, picks_the_language_that_is_wanted_most)
{
	static const struct {
		const char *header, *fallback, *language;
	} rows[] = {
		{ "", "en", "en" },
		{ "", "de", "de" },
		{ "es", "de", "es" },
		{ "DE-at", "en", "de" },
		{ "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "es", "en" },
		{ "en;q=0.2,de;q=0.9", "en", "de" },
		{ "de, es", "en", "de" },
		{ "en;q=0.8, de", "es", "de" },
		{ "es;q=0.001", "de", "es" },
		{ "en ; q=0.3 , es\t;\tq=0.4", "de", "es" },
		/* not wanted, unknown, nonsense: the site's own */
		{ "es;q=0", "de", "de" },
		{ "fr, pt", "de", "de" },
		{ "*", "de", "de" },
		{ "e, esp, enx", "de", "de" },
		{ ",,;q=1,;", "de", "de" },
		{ "es;level=1", "de", "de" },
		{ "es;v=1", "de", "de" },
		{ "es;q=", "de", "de" },
		{ "es;q=x", "de", "de" },
		{ "", "fr", "en" },
		{ "", "", "en" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		cr_expect_str_eq(gb_text_language(rows[i].header, rows[i].fallback), rows[i].language,
		    "%s / %s", rows[i].header, rows[i].fallback);
}

Test(text, finds_a_key_whole)
{
	static const char table[] = "# a = comment\na x = no\na.b = one = two\na = three\n\nlast = end";

	cr_assert_str_eq(gb_text_find(arena, table, "a"), "three");
	cr_assert_str_eq(gb_text_find(arena, table, "a.b"), "one = two");
	cr_assert_str_eq(gb_text_find(arena, table, "last"), "end");
	cr_assert_null(gb_text_find(arena, table, "b"));
	cr_assert_null(gb_text_find(arena, table, "las"));
	cr_assert_null(gb_text_find(arena, table, ""));
	cr_assert_null(gb_text_find(arena, "", "a"));
}

/* Every key of `here` stands in `there`, with the same values to fill in. */
static void
check_keys(const char *here, const char *there, const char *name)
{
	for (const char *line = here; *line != '\0'; line += strcspn(line, "\n") + 1) {
		const char *key = gb_arena_copy(arena, line, strcspn(line, " "));
		const char *mine = gb_text_find(arena, here, key), *theirs = gb_text_find(arena, there, key);

		cr_assert_not_null(mine);
		cr_expect_not_null(theirs, "%s: %s", name, key);
		if (theirs != NULL)
			cr_expect_eq(strstr(mine, "{{") == NULL, strstr(theirs, "{{") == NULL, "%s: %s", name, key);
	}
}

Test(text, has_every_key_in_every_language)
{
	static const char *const others[] = { "es", "de" };
	const char *english = gb_text_table("en");

	cr_assert_gt(strlen(english), 1000);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		check_keys(english, gb_text_table(others[i]), others[i]);
		check_keys(gb_text_table(others[i]), english, others[i]);
		cr_expect_str_neq(gb_text_find(arena, gb_text_table(others[i]), "login.title"), "Sign in");
	}
}

/* A table nobody can choose would be dead. */
Test(text, can_be_asked_for_every_table)
{
	for (const struct gb_embedded *file = gb_embedded; file->path != NULL; file++) {
		if (strncmp(file->path, "www/texts/", 10) != 0)
			continue;
		cr_expect_eq(gb_text_table(gb_text_language(gb_arena_copy(arena, file->path + 10, 2), "en")), file->text,
		    "%s", file->path);
	}
}
