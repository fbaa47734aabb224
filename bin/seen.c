/* SPDX-License-Identifier: MIT */
/* seen.c: whose names a dry run would have put into the store. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "user.h"

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
has(void *const *seen, const char *key)
{
	return tfind(key, seen, compare) != NULL;
}

static bool
put(void **seen, const char *key)
{
	char *copy = strdup(key);

	if (copy != NULL && tsearch(copy, seen, compare) != NULL)
		return true;
	free(copy);
	return false;
}

enum gb_err
gb_seen_add(void **seen, const struct gb_user *user)
{
	gb_store_key email, username, id;
	const bool named = user->username[0] != '\0';

	gb_key_email(email, user->email);
	gb_key_username(username, user->username);
	gb_key_user(id, user->id);
	if (has(seen, email))
		return GB_ERR_ACCOUNT_EXISTS;
	if (named && has(seen, username))
		return GB_ERR_INVALID_USERNAME;
	if (has(seen, id))
		return GB_ERR_INVALID_FIELD;
	return put(seen, email) && put(seen, id) && (!named || put(seen, username)) ? GB_OK : GB_ERR_MEMORY;
}

void
gb_seen_free(void **seen)
{
	tdestroy(*seen, free);
	*seen = NULL;
}
