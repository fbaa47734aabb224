/* SPDX-License-Identifier: MIT */
/* store_memory.c: records in an array; small and plain, so that it can be believed. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_memory.h"

struct entry {
	char key[GB_STORE_KEY_MAX + 1];
	unsigned char value[GB_STORE_VALUE_MAX];
	size_t value_len;
	uint64_t version;
	int64_t expires_at;
};

struct plan {
	unsigned calls;			/* so far */
	unsigned hook_nth, fault_nth;	/* absolute; STORE_MEMORY_EVERY */
	void (*hook)(void *context, const char *key);
	void *context;
	enum store_memory_fault fault;
};

struct store_memory {
	struct entry *entries;
	size_t entries_len, entries_max;
	struct plan plans[STORE_MEMORY_CALL__COUNT];
	bool in_hook;
};

static const enum gb_err fault_errors[] = {
	[STORE_MEMORY_NO_FAULT] = GB_OK,
	[STORE_MEMORY_UNAVAILABLE] = GB_ERR_STORE_UNAVAILABLE,
	[STORE_MEMORY_OUTCOME_LOST] = GB_ERR_STORE_UNAVAILABLE,
	[STORE_MEMORY_NO_MEMORY] = GB_ERR_MEMORY,
	[STORE_MEMORY_CONFLICT] = GB_ERR_CONFLICT,
};

static bool
is_turn(unsigned nth, unsigned calls)
{
	return nth == STORE_MEMORY_EVERY || nth == calls;
}

/* Counts the call, plays the hook, says which fault this call shall meet. */
static enum store_memory_fault
call_begin(struct store_memory *memory, enum store_memory_call call, const char *key)
{
	struct plan *plan = &memory->plans[call];
	unsigned turn;

	if (memory->in_hook)
		return STORE_MEMORY_NO_FAULT;
	turn = ++plan->calls;
	if (plan->hook != NULL && is_turn(plan->hook_nth, turn)) {
		memory->in_hook = true;
		plan->hook(plan->context, key);
		memory->in_hook = false;
	}
	return is_turn(plan->fault_nth, turn) ? plan->fault : STORE_MEMORY_NO_FAULT;
}

static struct entry *
entry_find(struct store_memory *memory, const char *key)
{
	for (size_t i = 0; i < memory->entries_len; i++)
		if (strcmp(memory->entries[i].key, key) == 0)
			return &memory->entries[i];
	return NULL;
}

static bool
is_expired(const struct entry *entry, int64_t now)
{
	return entry->expires_at != 0 && now >= entry->expires_at;
}

static enum gb_err
record_fill(const struct entry *entry, int64_t now, struct gb_arena *arena, struct gb_record *record)
{
	record->version = entry->version;
	record->expires_at = entry->expires_at;
	if (is_expired(entry, now))
		return GB_OK;
	record->value = (unsigned char *)gb_arena_copy(arena, entry->value, entry->value_len);
	record->value_len = entry->value_len;
	return record->value != NULL ? GB_OK : GB_ERR_MEMORY;
}

static bool
version_stands(struct store_memory *memory, const struct gb_change *change, int64_t now)
{
	const struct entry *entry = entry_find(memory, change->key);

	if (change->version == GB_VERSION_ANY)
		return true;
	if (entry == NULL)
		return change->version == GB_VERSION_ABSENT;
	return change->version == entry->version ||
	    (change->version == GB_VERSION_ABSENT && is_expired(entry, now));
}

static bool
entries_reserve(struct store_memory *memory, size_t more)
{
	size_t max = memory->entries_max;
	struct entry *entries;

	while (max < memory->entries_len + more)
		max = max == 0 ? 64 : max * 2;
	if (max == memory->entries_max)
		return true;
	if ((entries = realloc(memory->entries, max * sizeof *entries)) == NULL)
		return false;
	memory->entries = entries;
	memory->entries_max = max;
	return true;
}

static void
put(struct store_memory *memory, const struct gb_change *change, uint64_t nonce)
{
	struct entry *entry = entry_find(memory, change->key);

	if (entry == NULL) {
		entry = &memory->entries[memory->entries_len++];
		snprintf(entry->key, sizeof entry->key, "%s", change->key);
	}
	if (change->value_len > 0)
		memcpy(entry->value, change->value, change->value_len);
	entry->value_len = change->value_len;
	entry->version = nonce;
	entry->expires_at = change->expires_at;
}

static void
delete(struct store_memory *memory, const struct gb_change *change)
{
	struct entry *entry = entry_find(memory, change->key);

	if (entry != NULL)
		*entry = memory->entries[--memory->entries_len];
}

static enum gb_err
apply(struct store_memory *memory, const struct gb_change *changes, size_t changes_len, int64_t now,
    uint64_t nonce)
{
	for (size_t i = 0; i < changes_len; i++)
		if (!version_stands(memory, &changes[i], now))
			return GB_ERR_CONFLICT;
	if (!entries_reserve(memory, changes_len))
		return GB_ERR_MEMORY;
	for (size_t i = 0; i < changes_len; i++)
		if (changes[i].kind == GB_PUT)
			put(memory, &changes[i], nonce);
		else if (changes[i].kind == GB_DELETE)
			delete(memory, &changes[i]);
	return GB_OK;
}

static void
memory_close(void *state)
{
	struct store_memory *memory = state;

	free(memory->entries);
	free(memory);
}

static enum gb_err
memory_get(void *state, const char *key, int64_t now, struct gb_arena *arena, struct gb_record *record)
{
	struct store_memory *memory = state;
	enum store_memory_fault fault = call_begin(memory, STORE_MEMORY_GET, key);
	const struct entry *entry;

	if (fault != STORE_MEMORY_NO_FAULT)
		return fault_errors[fault];
	if ((entry = entry_find(memory, key)) == NULL)
		return GB_OK;
	return record_fill(entry, now, arena, record);
}

static enum gb_err
memory_commit(void *state, const struct gb_change *changes, size_t changes_len, int64_t now,
    uint64_t nonce)
{
	struct store_memory *memory = state;
	enum store_memory_fault fault = call_begin(memory, STORE_MEMORY_COMMIT, changes[0].key);
	enum gb_err err;

	if (fault != STORE_MEMORY_NO_FAULT && fault != STORE_MEMORY_OUTCOME_LOST)
		return fault_errors[fault];
	err = apply(memory, changes, changes_len, now, nonce);
	return err != GB_OK ? err : fault_errors[fault];
}

/* The cursor is a position from the end, which a deletion (the last takes the hole) cannot jump over. */
static enum gb_err
memory_scan(void *state, const char *prefix, int64_t now, uint64_t *cursor, struct gb_arena *arena,
    struct gb_record *records, size_t max, size_t *records_len)
{
	struct store_memory *memory = state;
	enum store_memory_fault fault = call_begin(memory, STORE_MEMORY_SCAN, prefix);
	size_t i = *cursor == 0 || *cursor > memory->entries_len ? memory->entries_len : *cursor;
	size_t n = 0;
	enum gb_err err;

	if (fault != STORE_MEMORY_NO_FAULT)
		return fault_errors[fault];
	for (; i > 0 && n < max; i--) {
		const struct entry *entry = &memory->entries[i - 1];

		if (is_expired(entry, now) || strncmp(entry->key, prefix, strlen(prefix)) != 0)
			continue;
		records[n] = (struct gb_record){ .key = gb_arena_copy(arena, entry->key, strlen(entry->key)) };
		if (records[n].key == NULL)
			return GB_ERR_MEMORY;
		if ((err = record_fill(entry, now, arena, &records[n++])) != GB_OK)
			return err;
	}
	*cursor = i;
	*records_len = n;
	return GB_OK;
}

static enum gb_err
memory_health(void *state, int64_t now, char *why, size_t why_max)
{
	struct store_memory *memory = state;
	enum store_memory_fault fault = call_begin(memory, STORE_MEMORY_HEALTH, "");

	(void)now;
	if (fault != STORE_MEMORY_NO_FAULT)
		snprintf(why, why_max, "as the test wants it");
	return fault_errors[fault];
}

static const struct gb_store_backend backend = {
	.scheme = "memory",
	.close = memory_close,
	.get = memory_get,
	.commit = memory_commit,
	.scan = memory_scan,
	.health = memory_health,
};

struct store_memory *
store_memory_new(struct gb_store **store)
{
	struct store_memory *memory = calloc(1, sizeof *memory);

	if (memory == NULL || gb_store_attach(&backend, memory, store) != GB_OK) {
		free(memory);
		return NULL;
	}
	return memory;
}

void
store_memory_before(struct store_memory *memory, enum store_memory_call call, unsigned nth,
    void (*hook)(void *context, const char *key), void *context)
{
	struct plan *plan = &memory->plans[call];

	plan->hook = hook;
	plan->context = context;
	plan->hook_nth = nth == STORE_MEMORY_EVERY ? STORE_MEMORY_EVERY : plan->calls + nth;
}

void
store_memory_fail(struct store_memory *memory, enum store_memory_call call, unsigned nth,
    enum store_memory_fault fault)
{
	struct plan *plan = &memory->plans[call];

	plan->fault = fault;
	plan->fault_nth = nth == STORE_MEMORY_EVERY ? STORE_MEMORY_EVERY : plan->calls + nth;
}

unsigned
store_memory_calls(const struct store_memory *memory, enum store_memory_call call)
{
	return memory->plans[call].calls;
}

size_t
store_memory_records(const struct store_memory *memory)
{
	return memory->entries_len;
}
