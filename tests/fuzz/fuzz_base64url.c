/* SPDX-License-Identifier: MIT */
/* What is decoded encodes to the same text: there is one spelling. */
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes = malloc(size + 1);
	char *text = malloc(GB_BASE64URL_LEN(size) + 1);
	size_t len;

	if (gb_base64url_decode(bytes, size, &len, (const char *)data, size) == GB_OK) {
		gb_base64url_encode(text, bytes, len);
		DEMAND(strlen(text) == size && memcmp(text, data, size) == 0);
	}
	gb_base64url_encode(text, data, size);
	DEMAND(gb_base64url_decode(bytes, size, &len, text, strlen(text)) == GB_OK);
	DEMAND(len == size && memcmp(bytes, data, size) == 0);
	free(bytes);
	free(text);
	return 0;
}
