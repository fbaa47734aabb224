/* SPDX-License-Identifier: MIT */
/* store_number.c: what tests of the embedded store write and look for. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "store_number.h"

enum gb_err
store_number_put_at(struct gb_store *store, const char *key, const char *value, int64_t expires_at, int64_t now)
{
	struct gb_arena *arena = gb_arena_new();
	struct gb_change change = { .kind = GB_PUT, .key = key, .value = value, .value_len = strlen(value),
	    .expires_at = expires_at };
	struct gb_record record;
	enum gb_err err = gb_store_get(store, key, now, arena, &record);

	change.version = record.version;
	if (err == GB_OK)
		err = gb_store_commit(store, &change, 1, now, NULL);
	gb_arena_free(arena);
	return err;
}

enum gb_err
store_number_put(struct gb_store *store, const char *key, const char *value)
{
	return store_number_put_at(store, key, value, 0, NOW);
}

int
store_number_get(struct gb_store *store, const char *key, uint64_t *version)
{
	struct gb_arena *arena = gb_arena_new();
	struct gb_record record;
	int number = -2;

	if (gb_store_get(store, key, NOW, arena, &record) == GB_OK)
		number = record.value == NULL ? -1 : atoi((const char *)record.value);
	*version = record.version;
	gb_arena_free(arena);
	return number;
}

bool
store_number_is_there(struct gb_store *store, const char *key)
{
	uint64_t version;

	store_number_get(store, key, &version);
	return version != GB_VERSION_ABSENT;
}

void
store_number_refused(const struct store_temporary *temporary, const char *word)
{
	struct gb_store *store;
	char why[300] = "";

	cr_assert_eq(gb_store_open(temporary->url, NOW, why, sizeof why, &store), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_not_null(strstr(why, word), "'%s' does not say '%s'", why, word);
}

void
store_number_make(struct store_temporary *temporary)
{
	struct gb_store *store = store_temporary_open(temporary, NOW);

	cr_assert_eq(store_number_put(store, "u:1", "41"), GB_OK);
	gb_store_close(store);
}

void
store_number_still_good(const struct store_temporary *temporary)
{
	struct gb_store *store = store_temporary_again(temporary, NOW);
	uint64_t version;

	cr_assert_eq(store_number_get(store, "u:1", &version), 41);
	cr_assert_eq(store_number_put(store, "u:2", "42"), GB_OK);
	gb_store_close(store);
}
