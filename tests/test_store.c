/* SPDX-License-Identifier: MIT */
/* test_store.c: one suite for every back end; what the contract in store.h promises. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "store_memory.h"
#include "store_temporary.h"

#define NOW INT64_C(1800000000)

static struct gb_arena *arena;

static void
with_gdbm(void (*test)(struct gb_store *store))
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);

	arena = gb_arena_new();
	test(store);
	gb_store_close(store);
	gb_arena_free(arena);
	store_temporary_remove(&temporary);
}

static void
with_memory(void (*test)(struct gb_store *store))
{
	struct gb_store *store;

	cr_assert_not_null(store_memory_new(&store));
	arena = gb_arena_new();
	test(store);
	gb_store_close(store);
	gb_arena_free(arena);
}

/* Test(store, name) for every back end. */
#define EACH(name) \
	static void name(struct gb_store *store); \
	Test(store, name##_gdbm) { with_gdbm(name); } \
	Test(store, name##_memory) { with_memory(name); } \
	static void name(struct gb_store *store)

static struct gb_record
get_at(struct gb_store *store, const char *key, int64_t now)
{
	struct gb_record record;

	cr_assert_eq(gb_store_get(store, key, now, arena, &record), GB_OK);
	return record;
}

static struct gb_record
get(struct gb_store *store, const char *key)
{
	return get_at(store, key, NOW);
}

static struct gb_change
put(const char *key, uint64_t version, const char *value)
{
	return (struct gb_change){ .kind = GB_PUT, .key = key, .version = version, .value = value,
	    .value_len = strlen(value) };
}

static struct gb_change
drop(const char *key, uint64_t version)
{
	return (struct gb_change){ .kind = GB_DELETE, .key = key, .version = version };
}

static struct gb_change
check(const char *key, uint64_t version)
{
	return (struct gb_change){ .kind = GB_CHECK, .key = key, .version = version };
}

static enum gb_err
commit(struct gb_store *store, const struct gb_change *changes, size_t changes_len, uint64_t *version)
{
	return gb_store_commit(store, changes, changes_len, NOW, version);
}

static uint64_t
put_new(struct gb_store *store, const char *key, const char *value)
{
	struct gb_change change = put(key, GB_VERSION_ABSENT, value);
	uint64_t version = 0;

	cr_assert_eq(commit(store, &change, 1, &version), GB_OK);
	return version;
}

static void
assert_value(struct gb_store *store, const char *key, const char *value)
{
	struct gb_record record = get(store, key);

	cr_assert_not_null(record.value, "%s is absent", key);
	cr_assert_eq(record.value_len, strlen(value));
	cr_assert_arr_eq(record.value, value, strlen(value));
}

EACH(finds_what_was_put)
{
	uint64_t version = put_new(store, "u:1", "one");
	struct gb_record record = get(store, "u:1");

	assert_value(store, "u:1", "one");
	cr_assert_eq(record.version, version);
	cr_assert_eq(record.expires_at, 0);
	cr_assert(version > 0 && version <= INT64_MAX);
}

EACH(finds_nothing_under_another_key)
{
	struct gb_record record;

	put_new(store, "u:1", "one");
	record = get(store, "u:11");
	cr_assert_null(record.value);
	cr_assert_eq(record.version, GB_VERSION_ABSENT);
}

EACH(keeps_an_empty_value_apart_from_an_absent_one)
{
	struct gb_record record;

	put_new(store, "u:1", "");
	record = get(store, "u:1");
	cr_assert_not_null(record.value);
	cr_assert_eq(record.value_len, 0);
}

EACH(gives_every_commit_another_version)
{
	uint64_t first = put_new(store, "u:1", "one"), second = 0;
	struct gb_change change = put("u:1", first, "two");

	cr_assert_eq(commit(store, &change, 1, &second), GB_OK);
	cr_assert_neq(first, second);
	assert_value(store, "u:1", "two");
}

EACH(gives_all_records_of_a_commit_one_version)
{
	struct gb_change changes[] = { put("u:1", 0, "one"), put("s:1", 0, "session") };
	uint64_t version = 0;

	cr_assert_eq(commit(store, changes, 2, &version), GB_OK);
	cr_assert_eq(get(store, "u:1").version, version);
	cr_assert_eq(get(store, "s:1").version, version);
}

EACH(refuses_a_put_over_a_moved_version)
{
	uint64_t first = put_new(store, "u:1", "one"), second;
	struct gb_change change = put("u:1", first, "two"), stale = put("u:1", first, "three");

	cr_assert_eq(commit(store, &change, 1, &second), GB_OK);
	cr_assert_eq(commit(store, &stale, 1, NULL), GB_ERR_CONFLICT);
	assert_value(store, "u:1", "two");
	stale.version = second;
	cr_assert_eq(commit(store, &stale, 1, NULL), GB_OK);
	assert_value(store, "u:1", "three");
}

EACH(refuses_a_put_of_a_key_that_is_there)
{
	struct gb_change again = put("u:1", GB_VERSION_ABSENT, "two");
	uint64_t version = put_new(store, "u:1", "one");

	cr_assert_eq(commit(store, &again, 1, NULL), GB_ERR_CONFLICT);
	again.version = version;
	cr_assert_eq(commit(store, &again, 1, NULL), GB_OK);
}

EACH(refuses_a_put_with_a_version_of_a_key_that_is_absent)
{
	struct gb_change change = put("u:1", 7, "one");

	cr_assert_eq(commit(store, &change, 1, NULL), GB_ERR_CONFLICT);
	cr_assert_null(get(store, "u:1").value);
}

EACH(deletes_at_its_version_only)
{
	uint64_t version = put_new(store, "s:1", "one");
	struct gb_change stale = drop("s:1", version + 1), right = drop("s:1", version);

	cr_assert_eq(commit(store, &stale, 1, NULL), GB_ERR_CONFLICT);
	assert_value(store, "s:1", "one");
	cr_assert_eq(commit(store, &right, 1, NULL), GB_OK);
	cr_assert_eq(get(store, "s:1").version, GB_VERSION_ABSENT);
}

EACH(deletes_any_version_beside_a_put)
{
	uint64_t user = put_new(store, "u:1", "one");
	struct gb_change changes[] = { put("u:1", user, "two"), drop("s:1", GB_VERSION_ANY),
	    drop("s:2", GB_VERSION_ANY) };

	put_new(store, "s:1", "session");
	cr_assert_eq(commit(store, changes, 3, NULL), GB_OK);
	cr_assert_null(get(store, "s:1").value);
	assert_value(store, "u:1", "two");
}

EACH(checks_without_writing)
{
	uint64_t version = put_new(store, "u:1", "one");
	struct gb_change changes[] = { check("u:1", version), check("e:1", GB_VERSION_ABSENT) };

	cr_assert_eq(commit(store, changes, 2, NULL), GB_OK);
	cr_assert_eq(get(store, "u:1").version, version);
	changes[1].version = 5;
	cr_assert_eq(commit(store, changes, 2, NULL), GB_ERR_CONFLICT);
	changes[1].version = GB_VERSION_ABSENT;
	changes[0].version = version + 1;
	cr_assert_eq(commit(store, changes, 2, NULL), GB_ERR_CONFLICT);
}

EACH(applies_all_changes_or_none)
{
	uint64_t version = put_new(store, "u:1", "one");
	struct gb_change changes[] = { put("u:1", version, "two"), put("u:2", 0, "new"), drop("s:1", 9) };

	cr_assert_eq(commit(store, changes, 3, NULL), GB_ERR_CONFLICT);
	assert_value(store, "u:1", "one");
	cr_assert_null(get(store, "u:2").value);
	cr_assert_eq(commit(store, changes, 2, NULL), GB_OK);
	assert_value(store, "u:1", "two");
	assert_value(store, "u:2", "new");
}

EACH(hides_the_value_of_an_expired_record_and_shows_its_version)
{
	struct gb_change change = put("s:1", 0, "one");
	struct gb_record record;
	uint64_t version;

	change.expires_at = NOW + 10;
	cr_assert_eq(commit(store, &change, 1, &version), GB_OK);
	record = get_at(store, "s:1", NOW + 9);
	cr_assert_not_null(record.value);
	record = get_at(store, "s:1", NOW + 10);
	cr_assert_null(record.value);
	cr_assert_eq(record.version, version);
	cr_assert_eq(record.expires_at, NOW + 10);
}

EACH(replaces_an_expired_record_as_if_it_were_absent)
{
	struct gb_change change = put("s:1", 0, "one"), again = put("s:1", 0, "two");

	change.expires_at = NOW + 10;
	cr_assert_eq(commit(store, &change, 1, NULL), GB_OK);
	cr_assert_eq(gb_store_commit(store, &again, 1, NOW + 9, NULL), GB_ERR_CONFLICT);
	cr_assert_eq(gb_store_commit(store, &again, 1, NOW + 10, NULL), GB_OK);
	assert_value(store, "s:1", "two");
}

EACH(replaces_an_expired_record_by_its_version)
{
	struct gb_change change = put("s:1", 0, "one"), again = put("s:1", 0, "two");
	uint64_t version;

	change.expires_at = NOW + 10;
	cr_assert_eq(commit(store, &change, 1, &version), GB_OK);
	again.version = version;
	cr_assert_eq(gb_store_commit(store, &again, 1, NOW + 10, NULL), GB_OK);
	assert_value(store, "s:1", "two");
}

EACH(keeps_values_of_every_length)
{
	char key[GB_STORE_KEY_MAX + 1], value[GB_STORE_VALUE_MAX + 1];
	uint64_t version = 0;

	memset(key, 'k', GB_STORE_KEY_MAX);
	key[GB_STORE_KEY_MAX] = '\0';
	for (size_t len = 0; len <= GB_STORE_VALUE_MAX; len += len < 4000 ? 61 : 1) {
		struct gb_change change;

		memset(value, 'a' + (int)(len % 26), len);
		value[len] = '\0';
		change = put(key, version, value);
		cr_assert_eq(commit(store, &change, 1, &version), GB_OK);
		assert_value(store, key, value);
		gb_arena_reset(arena);
	}
}

EACH(leaves_nothing_of_a_longer_value_behind)
{
	char value[GB_STORE_VALUE_MAX + 1];
	const size_t lens[] = { 4096, 10, 2000, 300, 305, 1000, 0, 4096, 640 };
	uint64_t version = 0;

	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		struct gb_change change;

		memset(value, 'a' + (int)i, lens[i]);
		value[lens[i]] = '\0';
		change = put("u:1", version, value);
		cr_assert_eq(commit(store, &change, 1, &version), GB_OK);
		assert_value(store, "u:1", value);
	}
}

EACH(commits_the_most_changes_there_may_be)
{
	struct gb_change changes[GB_STORE_CHANGES_MAX];
	static char keys[GB_STORE_CHANGES_MAX][16], value[GB_STORE_VALUE_MAX + 1];

	memset(value, 'v', GB_STORE_VALUE_MAX);
	for (int i = 0; i < GB_STORE_CHANGES_MAX; i++) {
		snprintf(keys[i], sizeof keys[i], "s:%d", i);
		changes[i] = put(keys[i], 0, value);
	}
	cr_assert_eq(commit(store, changes, GB_STORE_CHANGES_MAX, NULL), GB_OK);
	for (int i = 0; i < GB_STORE_CHANGES_MAX; i++) {
		assert_value(store, keys[i], value);
		gb_arena_reset(arena);
	}
}

EACH(scans_the_live_records_of_a_prefix)
{
	uint64_t cursor = 0;
	size_t seen = 0, calls = 0;

	for (int i = 0; i < 300; i++) {
		char key[16];
		struct gb_change change;

		snprintf(key, sizeof key, "%c:%d", i % 3 == 0 ? 'u' : 's', i);
		change = put(key, 0, "value");
		change.expires_at = i % 2 == 0 ? NOW + 10 : 0;
		cr_assert_eq(commit(store, &change, 1, NULL), GB_OK);
	}
	do {
		struct gb_record records[7];
		size_t len;

		cr_assert_eq(gb_store_scan(store, "u:", NOW + 10, &cursor, arena, records, 7, &len), GB_OK);
		for (size_t i = 0; i < len; i++) {
			cr_assert_eq(strncmp(records[i].key, "u:", 2), 0);
			cr_assert_eq(atoi(records[i].key + 2) % 6, 3);
			cr_assert_eq(records[i].value_len, 5);
			cr_assert_arr_eq(records[i].value, "value", 5);
		}
		seen += len;
		cr_assert(++calls < 100);
	} while (cursor != 0);
	cr_assert_eq(seen, 50);
}

EACH(scans_what_stays_while_others_come_and_go)
{
	uint64_t cursor = 0;
	bool seen[200] = { false };
	int round = 0;

	for (int i = 0; i < 200; i++) {
		char key[16];

		snprintf(key, sizeof key, "stay:%d", i);
		put_new(store, key, "x");
	}
	do {
		struct gb_record records[3];
		char key[16];
		size_t len;

		cr_assert_eq(gb_store_scan(store, "stay:", NOW, &cursor, arena, records, 3, &len), GB_OK);
		for (size_t i = 0; i < len; i++)
			seen[atoi(records[i].key + 5)] = true;
		snprintf(key, sizeof key, "go:%d", round++);
		put_new(store, key, "x");
		if (round % 2 == 0) {
			struct gb_change gone = drop(key, get(store, key).version);

			cr_assert_eq(commit(store, &gone, 1, NULL), GB_OK);
		}
	} while (cursor != 0);
	for (int i = 0; i < 200; i++)
		cr_assert(seen[i], "stay:%d was not seen", i);
}

EACH(finds_itself_healthy)
{
	char why[200] = "untouched";

	cr_assert_eq(gb_store_health(store, NOW, why, sizeof why), GB_OK);
}

EACH(does_nothing_with_a_clock_that_stands_before_the_build)
{
	struct gb_change change = put("u:1", 0, "one");
	struct gb_record record;
	char why[200];

	cr_assert_eq(gb_store_commit(store, &change, 1, GB_STORE_NOW_MIN - 1, NULL), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_eq(gb_store_get(store, "u:1", GB_STORE_NOW_MIN - 1, arena, &record), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_eq(gb_store_health(store, GB_STORE_NOW_MIN - 1, why, sizeof why), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_null(get(store, "u:1").value);
	cr_assert_eq(gb_store_commit(store, &change, 1, GB_STORE_NOW_MIN, NULL), GB_OK);
}

/* Each broken commit, and beside it the one that differs in what is broken. */
EACH(refuses_broken_arguments)
{
	char long_key[GB_STORE_KEY_MAX + 2], long_value[GB_STORE_VALUE_MAX + 2];
	struct gb_change one = put("u:1", 0, "one"), many[GB_STORE_CHANGES_MAX + 1];
	struct gb_record record;

	memset(long_key, 'k', sizeof long_key - 1);
	long_key[sizeof long_key - 1] = '\0';
	memset(long_value, 'v', sizeof long_value - 1);
	long_value[sizeof long_value - 1] = '\0';
	for (size_t i = 0; i < sizeof many / sizeof *many; i++)
		many[i] = one;

	const struct gb_change broken[][2] = {
		{ put("", 0, "x"), put("a", 0, "x") },
		{ put(long_key, 0, "x"), put(long_key + 1, 0, "x") },
		{ put("b\n", 0, "x"), put("b", 0, "x") },
		{ put("c\x7f", 0, "x"), put("c", 0, "x") },
		{ put("meta", 0, "x"), put("meta2", 0, "x") },
		{ put("d", GB_VERSION_ANY, "x"), put("d", 0, "x") },
		{ check("e", GB_VERSION_ANY), check("e", 0) },
		{ drop("f", GB_VERSION_ANY), drop("f", 0) },
		{ put("g", UINT64_C(1) << 63, "x"), put("g", 0, "x") },
		{ put("h", 0, long_value), put("h", 0, long_value + 1) },
	};

	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		cr_assert_eq(commit(store, &broken[i][0], 1, NULL), GB_ERR_INTERNAL, "broken %zu", i);
		cr_assert_eq(commit(store, &broken[i][1], 1, NULL), GB_OK, "control %zu", i);
	}
	cr_assert_eq(commit(store, many, 2, NULL), GB_ERR_INTERNAL);	/* a key twice */
	cr_assert_eq(commit(store, many, 0, NULL), GB_ERR_INTERNAL);
	cr_assert_eq(commit(store, many, GB_STORE_CHANGES_MAX + 1, NULL), GB_ERR_INTERNAL);
	cr_assert_eq(commit(store, many, 1, NULL), GB_OK);
	cr_assert_eq(gb_store_get(store, "", NOW, arena, &record), GB_ERR_INTERNAL);
	cr_assert_eq(gb_store_get(store, "u:1", NOW, arena, &record), GB_OK);
}

Test(store, refuses_an_unknown_scheme)
{
	struct gb_store *store;
	char why[200];

	cr_assert_eq(gb_store_open("oracle:secret", NOW, why, sizeof why, &store), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_null(strstr(why, "secret"));
}

/* The memory back end's own promises, which policy tests lean on. */
static void
steal(void *context, const char *key)
{
	struct gb_change change = put(key, get(context, key).version, "stolen");

	cr_assert_eq(commit(context, &change, 1, NULL), GB_OK);
}

Test(store_memory, plays_an_operation_before_the_nth_commit)
{
	struct gb_store *store;
	struct store_memory *memory = store_memory_new(&store);
	struct gb_change change = put("u:1", 0, "one");

	arena = gb_arena_new();
	store_memory_before(memory, STORE_MEMORY_COMMIT, 2, steal, store);
	cr_assert_eq(commit(store, &change, 1, &change.version), GB_OK);
	cr_assert_eq(commit(store, &change, 1, NULL), GB_ERR_CONFLICT);
	assert_value(store, "u:1", "stolen");
	cr_assert_eq(store_memory_calls(memory, STORE_MEMORY_COMMIT), 2);
	gb_store_close(store);
	gb_arena_free(arena);
}

Test(store_memory, fails_at_the_nth_call)
{
	struct gb_store *store;
	struct store_memory *memory = store_memory_new(&store);
	struct gb_change change = put("u:1", 0, "one");
	struct gb_record record;

	arena = gb_arena_new();
	store_memory_fail(memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_UNAVAILABLE);
	cr_assert_eq(commit(store, &change, 1, NULL), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_eq(store_memory_records(memory), 0);
	store_memory_fail(memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_OUTCOME_LOST);
	cr_assert_eq(commit(store, &change, 1, NULL), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_eq(store_memory_records(memory), 1);
	store_memory_fail(memory, STORE_MEMORY_GET, 2, STORE_MEMORY_NO_MEMORY);
	cr_assert_eq(gb_store_get(store, "u:1", NOW, arena, &record), GB_OK);
	cr_assert_eq(gb_store_get(store, "u:1", NOW, arena, &record), GB_ERR_MEMORY);
	cr_assert_eq(gb_store_get(store, "u:1", NOW, arena, &record), GB_OK);
	gb_store_close(store);
	gb_arena_free(arena);
}
