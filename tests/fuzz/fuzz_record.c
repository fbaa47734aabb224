/* SPDX-License-Identifier: MIT */
/* Stored bytes: what is taken encodes to the same bytes. */
#include <string.h>

#include "fuzz.h"
#include "record.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char bytes[GB_STORE_VALUE_MAX];
	static struct gb_session session;
	static struct gb_pending pending;
	static struct gb_user user;

	if (size == 0 || size > GB_STORE_VALUE_MAX)
		return 0;
	if (gb_user_decode(data, size, &user) == GB_OK)
		DEMAND(gb_user_encode(&user, bytes) == size && memcmp(bytes, data, size) == 0);
	if (gb_session_decode(data, size, &session) == GB_OK)
		DEMAND(gb_session_encode(&session, bytes) == size && memcmp(bytes, data, size) == 0);
	if (gb_pending_decode(data, size, &pending) == GB_OK)
		DEMAND(gb_pending_encode(&pending, bytes) == size && memcmp(bytes, data, size) == 0);
	return 0;
}
