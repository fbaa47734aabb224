/* SPDX-License-Identifier: MIT */
/* foreign_kind.c: what several kinds of foreign hashes are read and compared with. */
#include <string.h>

#include <sodium.h>

#include "foreign_kind.h"

int
gb_foreign_digit(char c)
{
	const char *at = c != '\0' ? strchr(GB_FOREIGN_DIGITS, c) : NULL;

	return at != NULL ? (int)(at - GB_FOREIGN_DIGITS) : -1;
}

bool
gb_foreign_tail_ok(const char *at, size_t salt_max, size_t tag_len)
{
	size_t salt_len = strcspn(at, "$");

	if (salt_len > salt_max || at[salt_len] != '$' || strpbrk(at, ": \t*!\\") != NULL)
		return false;
	at += salt_len + 1;
	return strspn(at, GB_FOREIGN_DIGITS) == tag_len && at[tag_len] == '\0';
}

enum gb_err
gb_foreign_compare(const void *made, const void *stored, size_t len)
{
	return sodium_memcmp(made, stored, len) == 0 ? GB_OK : GB_ERR_INVALID_CREDENTIALS;
}
