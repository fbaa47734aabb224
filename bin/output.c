/* SPDX-License-Identifier: MIT */
/* output.c: what subcommands print, for people and for programs. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "guardbee.h"
#include "json.h"

static const struct {
	enum gb_err err;
	int code;
} exit_codes[] = {
	{ GB_ERR_STORE_UNAVAILABLE, EX_UNAVAILABLE },
	{ GB_ERR_INTERNAL, EX_SOFTWARE },
	{ GB_ERR_BUSY, EX_TEMPFAIL },
	{ GB_ERR_MEMORY, EX_TEMPFAIL },
	{ GB_ERR_CONFLICT, EX_TEMPFAIL },
	{ GB_ERR_MISCONFIGURED, EX_CONFIG },
};

int
gb_command_fail(enum gb_err err, const char *detail)
{
	const char *text = gb_error_row(err)->text;

	/* Of our own failures the detail says more than the public text. */
	if (err >= GB_ERR_INTERNAL && detail != NULL)
		fprintf(stderr, "guardbee: %s\n", detail);
	else
		fprintf(stderr, "guardbee: %s%s%s\n", detail != NULL ? detail : "", detail != NULL ? ": " : "", text);
	for (size_t i = 0; i < sizeof exit_codes / sizeof exit_codes[0]; i++)
		if (exit_codes[i].err == err)
			return exit_codes[i].code;
	return GB_EXIT_REFUSED;
}

int
gb_command_refuse(const char *format, ...)
{
	va_list args;

	fputs("guardbee: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return GB_EXIT_REFUSED;
}

/* A cell as people read it. Bytes that could steer a terminal become ?. */
static void
write_text(const struct gb_cell *cell, char *text, size_t text_max)
{
	time_t at = (time_t)cell->number;
	struct tm utc;

	switch (cell->kind) {
	case GB_CELL_TEXT:
		snprintf(text, text_max, "%s", cell->text == NULL || *cell->text == '\0' ? "-" : cell->text);
		break;
	case GB_CELL_NUMBER:
		snprintf(text, text_max, "%lld", (long long)cell->number);
		break;
	case GB_CELL_BOOLEAN:
		snprintf(text, text_max, "%s", cell->number != 0 ? "yes" : "no");
		break;
	case GB_CELL_TIME:
		if (at == 0 || gmtime_r(&at, &utc) == NULL || strftime(text, text_max, "%Y-%m-%d %H:%M:%S", &utc) == 0)
			snprintf(text, text_max, "-");
		break;
	}
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f || ((unsigned char)*c >= 0x80 && cell->kind != GB_CELL_TEXT))
			*c = '?';
}

static void
print_json(struct gb_context *ctx, const struct gb_cell *cells)
{
	struct gb_json_writer writer;
	const char *text;
	size_t len;

	gb_arena_reset(ctx->row_arena);
	gb_json_begin(&writer, ctx->row_arena);
	gb_json_open(&writer, NULL, '{');
	for (; cells->name != NULL; cells++)
		switch (cells->kind) {
		case GB_CELL_TEXT:
			gb_json_put_string(&writer, cells->name, cells->text);
			break;
		case GB_CELL_BOOLEAN:
			gb_json_put_boolean(&writer, cells->name, cells->number != 0);
			break;
		case GB_CELL_NUMBER:
		case GB_CELL_TIME:
			gb_json_put_integer(&writer, cells->name, cells->number);
			break;
		}
	gb_json_close(&writer, '}');
	if ((text = gb_json_text(&writer, &len)) != NULL)
		fwrite(text, 1, len, stdout);
}

static void
print_heads(const struct gb_cell *cells)
{
	for (; cells->name != NULL; cells++) {
		char head[64];
		size_t i = 0;

		for (; cells->name[i] != '\0' && i < sizeof head - 1; i++)
			head[i] = cells->name[i] == '_' ? ' ' : (char)toupper((unsigned char)cells->name[i]);
		head[i] = '\0';
		printf("%-*s", cells[1].name != NULL ? cells->width + 2 : 0, head);
	}
	putchar('\n');
}

void
gb_output_begin(struct gb_context *ctx)
{
	ctx->rows = 0;
	if (ctx->json)
		putchar('[');
}

void
gb_output_row(struct gb_context *ctx, const struct gb_cell *cells)
{
	if (ctx->json) {
		fputs(ctx->rows++ > 0 ? ",\n" : "\n", stdout);
		print_json(ctx, cells);
		return;
	}
	if (ctx->rows++ == 0)
		print_heads(cells);
	for (; cells->name != NULL; cells++) {
		char text[1024];

		write_text(cells, text, sizeof text);
		printf("%-*s", cells[1].name != NULL ? cells->width : 0, text);
		fputs(cells[1].name != NULL ? "  " : "\n", stdout);
	}
}

static int
finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EX_OK;
	gb_command_refuse("standard output cannot be written");
	return EX_IOERR;
}

int
gb_output_end(struct gb_context *ctx)
{
	if (ctx->json)
		fputs(ctx->rows > 0 ? "\n]\n" : "]\n", stdout);
	return finish();
}

int
gb_output_one(struct gb_context *ctx, const struct gb_cell *cells)
{
	if (ctx->json) {
		print_json(ctx, cells);
		putchar('\n');
		return finish();
	}
	for (; cells->name != NULL; cells++) {
		char text[1024];

		write_text(cells, text, sizeof text);
		printf("%-20s %s\n", cells->name, text);
	}
	return finish();
}
