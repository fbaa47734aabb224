/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "embed.h"
#include "template.h"

static const char texts[] = "greeting = Hello {{name}} & all\nplain = yes\nnested = {{=plain}}\n";

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

TestSuite(template, .init = setup, .fini = teardown);

static const char *
fill(const char *text, const char *name, bool html)
{
	const struct gb_template_value values[] = { { "name", name }, { "raw", "<b>" }, { "name", "second" }, { NULL, NULL } };

	return gb_template_fill(arena, text, values, texts, html);
}

Test(template, fills_values)
{
	cr_assert_str_eq(fill("", "x", true), "");
	cr_assert_str_eq(fill("a{{name}}b{{name}}", "x", true), "axbx");
	cr_assert_str_eq(fill("{ {name} }", "x", true), "{ {name} }");
	cr_assert_str_eq(fill("[{{name}}][{{other}}]", NULL, true), "[][]");
}

Test(template, escapes_values_in_html)
{
	cr_assert_str_eq(fill("<i>{{name}}</i>", "\"><svg/onload='x'>&amp;", true),
	    "<i>&quot;&gt;&lt;svg/onload=&#39;x&#39;&gt;&amp;amp;</i>");
	cr_assert_str_eq(fill("<i>{{name}}</i>", "<&\"'>", false), "<i><&\"'></i>");
	cr_assert_str_eq(fill("{{raw}}{{&raw}}", "", true), "&lt;b&gt;<b>");
}

Test(template, takes_no_tag_from_a_value)
{
	cr_assert_str_eq(fill("{{name}}", "{{raw}}{{=plain}}", true), "{{raw}}{{=plain}}");
	cr_assert_str_eq(fill("{{=greeting}}", "{{raw}}", true), "Hello {{raw}} &amp; all");
}

Test(template, keeps_sections_by_their_value)
{
	const char *both = "{{#name}}there {{name}}{{/name}}{{^name}}gone{{/name}}.";

	cr_assert_str_eq(fill(both, "x", true), "there x.");
	cr_assert_str_eq(fill(both, "", true), "there .");
	cr_assert_str_eq(fill(both, NULL, true), "gone.");
	cr_assert_str_eq(fill("{{#name}}{{^other}}{{#raw}}in{{/raw}}{{/other}}{{/name}}", "", true), "in");
}

Test(template, fills_and_escapes_texts)
{
	cr_assert_str_eq(fill("<p>{{=greeting}}</p>", "<x>", true), "<p>Hello &lt;x&gt; &amp; all</p>");
	cr_assert_str_eq(fill("{{=greeting}}", "<x>", false), "Hello <x> & all");
}

Test(template, refuses_what_is_malformed)
{
	static const char *const bad[] = {
		"{{", "{{name", "{{name}", "{{}}", "{{#}}", "{{#name}}", "{{^name}}x", "{{/name}}", "{{#name}}{{#other}}{{/name}}",
		"{{=missing}}", "{{=nested}}",
		"{{a-name-that-is-longer-than-the-forty-eight-bytes-of-room}}",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_null(fill(bad[i], "x", true), "%s", bad[i]);
	cr_assert_not_null(fill("{{#name}}{{=plain}}{{/name}}", "x", true));
	cr_assert_null(gb_template_fill(arena, "{{=plain}}", &(struct gb_template_value){ NULL, NULL }, NULL, true));
}

static const char *
nested(size_t depth)
{
	char *text = gb_arena_alloc(arena, 4096), *at = text;

	for (size_t i = 0; i < depth; i++)
		at += sprintf(at, "{{^n%zu}}", i);
	at += sprintf(at, "core");
	for (size_t i = depth; i-- > 0;)
		at += sprintf(at, "{{/n%zu}}", i);
	return text;
}

Test(template, bounds_the_depth_of_sections)
{
	cr_assert_str_eq(fill(nested(GB_TEMPLATE_DEPTH), "x", true), "core");
	cr_assert_null(fill(nested(GB_TEMPLATE_DEPTH + 1), "x", true));
}

Test(template, yields_nothing_when_memory_runs_out)
{
	char *large = gb_arena_alloc(arena, 1 << 20);

	memset(large, '<', (1 << 20) - 1);
	cr_assert_null(fill("{{name}}{{name}}", large, true));
	gb_arena_reset(arena);
	cr_assert_str_eq(fill("{{name}}", "<", true), "&lt;");
}

/* Every template and letter that is built in is well formed in itself: tags close, sections match. */
Test(template, accepts_what_is_built_in)
{
	static const struct gb_template_value none[] = { { NULL, NULL } };
	size_t pages = 0;

	for (const struct gb_embedded *file = gb_embedded; file->path != NULL; file++) {
		if (strncmp(file->path, "www/templates/", 14) != 0)
			continue;
		pages++;
		cr_expect_not_null(gb_template_fill(arena, file->text, none, gb_embed_find("www/texts/en.txt"), true),
		    "%s", file->path);
		cr_expect_null(strstr(file->text, "SPDX"));
	}
	cr_assert_geq(pages, 10);
	cr_assert_null(gb_embed_find("www/templates/none.html"));
}
