/* SPDX-License-Identifier: MIT */
/* A key from PEM or JWK: what has no fault can be written and read again, and prepared or refused. */
#include <string.h>

#include "fuzz.h"
#include "numbers.h"

static void
as_jwk(const char *text, size_t size, struct gb_arena *arena, struct gb_numbers *numbers)
{
	struct gb_json_writer writer;
	const struct gb_json *jwk;
	const char *written, *fault;
	struct gb_key *key;
	size_t len;

	if (gb_json_parse(text, size, arena, &jwk) != GB_OK || gb_numbers_from_jwk(jwk, NULL, numbers) != NULL)
		return;
	gb_json_begin(&writer, arena);
	gb_json_open(&writer, NULL, '{');
	gb_numbers_to_jwk(numbers, true, &writer);
	gb_json_close(&writer, '}');
	DEMAND((written = gb_json_text(&writer, &len)) != NULL && gb_json_parse(written, len, arena, &jwk) == GB_OK);
	DEMAND(gb_numbers_from_jwk(jwk, NULL, numbers) == NULL);
	if (gb_key_from_numbers("", numbers, &key, &fault) == GB_OK)
		gb_key_free(key);
	else
		DEMAND(fault != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_numbers *numbers = gb_numbers_new();
	struct gb_arena *arena = gb_arena_new();
	const char *text, *fault;

	if (size > 1 && size < 8192 && (text = gb_arena_copy(arena, data + 1, size - 1)) != NULL) {
		if (data[0] < 8)
			gb_numbers_from_pem(text, true, gb_algorithm_at(data[0]), numbers, &fault);
		else if (data[0] < 16)
			gb_numbers_from_pem(text, false, gb_algorithm_at(data[0] - 8), numbers, &fault);
		else
			as_jwk(text, size - 1, arena, numbers);
	}
	gb_arena_free(arena);
	gb_numbers_free(numbers);
	return 0;
}
