/* SPDX-License-Identifier: MIT */
/* What a form says is UTF-8 without a NUL; what is escaped comes back. */
#include <string.h>

#include "form.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_arena *arena = gb_arena_new();
	const struct gb_form *form;
	const char *value, *escaped, *text;

	if (size <= 8192 && gb_form_parse((const char *)data, size, arena, &form) == GB_OK) {
		gb_form_string(form, "token", &value);
		gb_form_string(form, "a", &value);
	}
	if (size <= 8192 && (text = gb_arena_copy(arena, data, size)) != NULL) {
		DEMAND((escaped = gb_form_escape(text, arena)) != NULL);
		DEMAND(strcmp(gb_form_unescape(escaped, arena), text) == 0);
		gb_form_unescape(text, arena);
	}
	gb_arena_free(arena);
	return 0;
}
