/* SPDX-License-Identifier: MIT */
/* config_print.c: the table of settings for people. */
#include "config_table.h"

static const char *
word_of(const struct gb_setting *row, int64_t value)
{
	for (const struct gb_word *word = row->words; word->word != NULL; word++)
		if (word->value == value)
			return word->word;
	return "?";
}

static void
print_value(const struct gb_loaded *loaded, const struct gb_setting *row, FILE *out)
{
	const void *member = (const char *)&loaded->config + row->offset;
	const char *text;

	switch (row->kind) {
	case GB_SETTING_TEXT:
		text = *(const char *const *)member;
		if (text != NULL && (row->flags & GB_SETTING_SECRET) && loaded->given[row - gb_settings])
			text = "set";
		/* A PEM is public here, and many lines. */
		fputs(text == NULL ? "not set" : row->parse == gb_parse_pem ? "set" : text, out);
		break;
	case GB_SETTING_NUMBER:
		fprintf(out, "%lld", (long long)(*(const int64_t *)member / row->scale));
		break;
	case GB_SETTING_WORD:
		fputs(word_of(row, *(const unsigned *)member), out);
		break;
	case GB_SETTING_SWITCH:
		fputs(word_of(row, *(const bool *)member), out);
		break;
	}
}

void
gb_config_print(const struct gb_config *config, FILE *out)
{
	const struct gb_loaded *loaded = (const struct gb_loaded *)config;

	for (size_t i = 0; i < gb_settings_len; i++) {
		fprintf(out, "%-28s ", gb_settings[i].name);
		print_value(loaded, &gb_settings[i], out);
		fputs(loaded->given[i] ? "\n" : "  (default)\n", out);
	}
}

/* "minutes, 1440, 1..525600" */
static void
print_shape(const struct gb_setting *row, FILE *out)
{
	const char *fallback = row->shown != NULL ? row->shown : row->fallback;

	if (row->unit != NULL)
		fprintf(out, "%s, ", row->unit);
	fputs(fallback != NULL ? fallback : "no default", out);
	if (row->kind == GB_SETTING_NUMBER)
		fprintf(out, ", %lld..%lld", (long long)row->min, (long long)row->max);
	if (row->words == NULL)
		return;
	for (const struct gb_word *word = row->words; word->word != NULL; word++)
		fprintf(out, "%s%s", word == row->words ? "; " : ", ", word->word);
}

void
gb_config_print_table(FILE *out)
{
	fputs("| name (alias) | unit, default, range | meaning |\n|---|---|---|\n", out);
	for (size_t i = 0; i < gb_settings_len; i++) {
		const struct gb_setting *row = &gb_settings[i];

		fprintf(out, "| %s%s%s%s | ", row->name, row->alias != NULL ? " (" : "",
		    row->alias != NULL ? row->alias : "", row->alias != NULL ? ")" : "");
		print_shape(row, out);
		fprintf(out, " | %s%s%s |\n", row->help, row->flags & GB_SETTING_SECRET ? "; secret, also as a file" : "",
		    row->flags & GB_SETTING_ENV_ONLY ? "; process environment only" : "");
	}
}

/* Text in mdoc: a backslash is \e, and `code` stands between single quotes. */
static void
print_mdoc(const char *text, FILE *out)
{
	bool inside = false;

	for (; *text != '\0'; text++) {
		if (*text == '`') {
			fputs(inside ? "\\(cq" : "\\(oq", out);
			inside = !inside;
		} else if (*text == '\\') {
			fputs("\\e", out);
		} else {
			fputc(*text, out);
		}
	}
}

void
gb_config_print_man(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < gb_settings_len; i++) {
		const struct gb_setting *row = &gb_settings[i];

		fprintf(out, ".It Ev %s", row->name);
		if (row->alias != NULL)
			fprintf(out, " Pq Ev %s", row->alias);
		fputs("\n.Pq ", out);
		print_shape(row, out);
		fputs("\n", out);
		print_mdoc(row->help, out);
		fprintf(out, "%s%s.\n", row->flags & GB_SETTING_SECRET ? "; secret, also as a file" : "",
		    row->flags & GB_SETTING_ENV_ONLY ? "; process environment only" : "");
	}
	fputs(".El\n", out);
}

void
gb_config_print_example(FILE *out)
{
	fputs("# Settings of guardbee, each with its default. Remove the # to set one.\n"
	      "# Secrets may stand in files instead: NAME_FILE=/path, mode 0600.\n", out);
	for (size_t i = 0; i < gb_settings_len; i++) {
		const struct gb_setting *row = &gb_settings[i];

		fprintf(out, "\n# %s (", row->help);
		print_shape(row, out);
		fprintf(out, ")\n#%s=%s\n", row->name, row->fallback != NULL ? row->fallback : "");
	}
}
