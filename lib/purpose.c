/* SPDX-License-Identifier: MIT */
/* purpose.c: the names of purposes, as tokens carry them and keys are derived with them. */
#include "purpose.h"

static const char *const purpose_names[GB_PURPOSE__COUNT] = {
	[GB_PURPOSE_ACCESS] = "access",
	[GB_PURPOSE_REFRESH] = "refresh",
	[GB_PURPOSE_RESET] = "reset",
	[GB_PURPOSE_VERIFY_EMAIL] = "verify-email",
	[GB_PURPOSE_CHANGE_EMAIL] = "change-email",
};

const char *
gb_purpose_name(enum gb_purpose purpose)
{
	return purpose_names[purpose];
}
