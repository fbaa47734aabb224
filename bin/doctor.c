/* SPDX-License-Identifier: MIT */
/* doctor.c: guardbee doctor: what is wrong with an installation, and the line that mends it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

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

/* What it opens it opens as the programs do; a STATE that is not there it does not make. */
static int
examine(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_doctor doctor = { .ctx = ctx, .arena = ctx->call.arena };
	struct gb_config *config = NULL;
	char why[256];
	int code;

	gb_output_begin(ctx);
	if (gb_config_state(why, sizeof why, doctor.state, sizeof doctor.state) != GB_OK)
		*doctor.state = '\0';
	gb_doctor_outside(&doctor);
	if (*doctor.state != '\0' && (code = gb_become_owner(doctor.state, false)) != EX_OK) {
		gb_output_end(ctx);
		return code;
	}
	if (gb_config_load(NULL, NULL, why, sizeof why, &config) != GB_OK)
		gb_doctor_say(&doctor, "settings", GB_FAULT, (struct gb_cure){ NULL, NULL }, "%s", why);
	doctor.config = config;
	gb_doctor_state(&doctor);
	gb_doctor_settings(&doctor);
	if (argc > 0)
		gb_doctor_url(&doctor, argv[0]);
	gb_config_free(config);
	code = gb_output_end(ctx);
	return code == EX_OK && doctor.faults > 0 ? GB_EXIT_REFUSED : code;
}

const struct gb_command gb_doctor_commands[] = {
	{ "doctor", "", "[URL]", "what is wrong here, and at URL, and the line that mends it", GB_NEED_NOTHING, 0, 1, examine },
	{ 0 },
};
