/* SPDX-License-Identifier: MIT */
/* doctor_say.c: a row of what the doctor found, and the line that mends it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"

#define FOUND_MAX 512

static const char *const words[] = { [GB_FINE] = "ok", [GB_NOTE] = "note", [GB_FAULT] = "fault" };

static void
print_cure(const struct gb_cure *cure)
{
	const char *line = cure->paste;

	printf("    %s:\n", cure->where);
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		printf("        %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

void
gb_doctor_say(struct gb_doctor *doctor, const char *check, enum gb_finding finding, struct gb_cure cure,
    const char *format, ...)
{
	char found[FOUND_MAX];
	va_list args;
	struct gb_cell cells[] = {
		{ "check", GB_CELL_TEXT, 13, check, 0 },
		{ "result", GB_CELL_TEXT, 6, words[finding], 0 },
		{ "found", GB_CELL_TEXT, 0, found, 0 },
		{ "paste", GB_CELL_TEXT, 0, cure.paste, 0 },
		{ "where", GB_CELL_TEXT, 0, cure.where, 0 },
		{ 0 },
	};

	va_start(args, format);
	vsnprintf(found, sizeof found, format, args);
	va_end(args);
	doctor->faults += finding == GB_FAULT;
	if (!doctor->ctx->json)
		cells[3] = (struct gb_cell){ 0 };	/* lines of their own */
	gb_output_row(doctor->ctx, cells);
	if (!doctor->ctx->json && cure.paste != NULL)
		print_cure(&cure);
}

struct gb_cure
gb_doctor_cure(struct gb_doctor *doctor, const char *where, const char *format, ...)
{
	char line[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	return (struct gb_cure){ gb_arena_copy(doctor->arena, line, strlen(line)), where };
}
