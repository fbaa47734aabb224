/* SPDX-License-Identifier: MIT */
/* doctor.c: guardbee doctor: what is wrong with an installation, and the line that mends it. */
#include <sysexits.h>

#include "doctor.h"

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
