/* SPDX-License-Identifier: MIT */
/* A Cookie header: what is taken for a cookie's value is one, once there, and within bounds. */
#include <string.h>

#include "cookie.h"
#include "fuzz.h"

static void
is_value(const char *value, const char *header)
{
	DEMAND(*value != '\0' && strlen(value) <= GB_COOKIE_MAX && strpbrk(value, ";,") == NULL && strstr(header, value) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_arena *arena = gb_arena_new();
	char *header = gb_arena_printf(arena, "HTTP_COOKIE=%.*s", (int)size, (const char *)data), csrf[GB_CSRF_TEXT + 1];
	char *const variables[] = { header, NULL };
	struct gb_request req = { .variables = variables, .call = { .arena = arena } };

	gb_cookie_read(&req);
	DEMAND(req.gate == NULL || req.cookie_sent);
	DEMAND(req.refresh_cookie == NULL || req.gate != NULL);
	if (req.gate != NULL) {
		is_value(req.gate, header);
		DEMAND(gb_token_csrf(req.gate, csrf) == (strlen(csrf) == GB_CSRF_TEXT));
		DEMAND(!gb_cookie_csrf_check(&req));	/* nobody sent it */
	}
	if (req.refresh_cookie != NULL)
		is_value(req.refresh_cookie, header);
	gb_arena_free(arena);
	return 0;
}
