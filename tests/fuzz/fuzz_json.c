/* SPDX-License-Identifier: MIT */
/* No small text is a lack of memory; what is written back is read again. */
#include <string.h>

#include "fuzz.h"
#include "json.h"

static const char *const names[] = { "a", "exp", "aud", "alg", "", "email" };

static void
read_all(const struct gb_json *json, struct gb_json_writer *writer)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *string, *strings[4];
		int64_t integer;
		bool boolean;
		size_t len;

		DEMAND(gb_json_integer(json, names[i], &integer) != GB_ERR_MEMORY);
		DEMAND(gb_json_boolean(json, names[i], &boolean) != GB_ERR_MEMORY);
		DEMAND(gb_json_strings(json, names[i], strings, 4, &len) != GB_ERR_MEMORY);
		if (gb_json_string(json, names[i], &string) == GB_OK)
			gb_json_put_string(writer, names[i], string);
		else
			gb_json_put_integer(writer, names[i], integer);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_arena *arena = gb_arena_new();
	struct gb_json_writer writer;
	const struct gb_json *json, *again;
	const char *text;
	size_t len;

	if (size <= 8192 && gb_json_parse((const char *)data, size, arena, &json) == GB_OK) {
		gb_json_begin(&writer, arena);
		gb_json_open(&writer, NULL, '{');
		read_all(json, &writer);
		gb_json_close(&writer, '}');
		DEMAND((text = gb_json_text(&writer, &len)) != NULL);
		DEMAND(gb_json_parse(text, len, arena, &again) == GB_OK);
	}
	gb_arena_free(arena);
	return 0;
}
