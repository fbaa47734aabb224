/* SPDX-License-Identifier: MIT */
/* scan.c: all records in the order of GDBM's hash, which stays while buckets split. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/records.h"

struct bucket_walk {
	uint32_t hash;
	struct gb_bucket_view view;
};

static enum gb_read
walk(struct gb_engine *engine, void *context)
{
	struct bucket_walk *bucket = context;

	return gb_reader_bucket(engine, bucket->hash, 0, &bucket->view);
}

/* Hash, then the first bytes of the key: a place in the order, told apart by 59 bits. */
static uint64_t
place_of(const struct gb_bucket_entry *entry)
{
	return (uint64_t)entry->hash << 32 | (uint64_t)entry->key[0] << 24 | (uint64_t)entry->key[1] << 16 |
	    (uint64_t)entry->key[2] << 8 | (uint64_t)entry->key[3];
}

static int
by_place(const void *a, const void *b)
{
	uint64_t x = place_of(a), y = place_of(b);

	return x < y ? -1 : x > y;
}

static enum gb_err
entry_take(struct gb_gdbm *gdbm, const struct gb_bucket_entry *entry, const char *prefix, int64_t now,
    struct gb_arena *arena, struct gb_record *record, bool *taken)
{
	struct gb_stored stored;
	struct gb_slot_head head;
	enum gb_err err;

	*taken = false;
	*record = (struct gb_record){ 0 };
	if (!gb_slots_head(entry->head, &head) || gb_record_expired(&head, now))
		return GB_OK;		/* a chunk, the hash key, or nothing to see */
	memcpy(stored.key, entry->key, GB_SLOT_KEY);
	if ((err = gb_record_read(gdbm, &stored)) == GB_OK && stored.found) {
		const char *name = (const char *)stored.slots[0] + GB_SLOTS_HEAD;
		size_t name_len = stored.head.name_len, prefix_len = strlen(prefix);

		*taken = prefix_len <= name_len && memcmp(name, prefix, prefix_len) == 0 &&
		    (name_len != sizeof GB_STORE_META - 1 || memcmp(name, GB_STORE_META, name_len) != 0);
		if (*taken && (err = gb_record_fill(&stored, now, arena, record)) == GB_OK)
			*taken = record->value != NULL;
	}
	gb_record_wipe(&stored);
	return err;
}

/* One bucket's records from *cursor on; *cursor is moved behind what was looked at. */
static enum gb_err
bucket_scan(struct gb_gdbm *gdbm, const char *prefix, int64_t now, uint64_t *cursor, struct gb_arena *arena,
    struct gb_record *records, size_t max, size_t *records_len)
{
	struct bucket_walk bucket;
	enum gb_read read;
	bool taken;
	enum gb_err err;

	bucket.hash = (uint32_t)(*cursor >> 32);
	if ((err = gb_reader_run(gdbm->engine, walk, &bucket, &read)) != GB_OK)
		return err;
	qsort(bucket.view.entries, bucket.view.len, sizeof *bucket.view.entries, by_place);
	for (size_t i = 0; i < bucket.view.len; i++) {
		const struct gb_bucket_entry *entry = &bucket.view.entries[i];

		if (place_of(entry) < *cursor)
			continue;
		if (*records_len == max)
			return GB_OK;
		if ((err = entry_take(gdbm, entry, prefix, now, arena, &records[*records_len], &taken)) != GB_OK)
			return err;
		*records_len += taken;
		*cursor = place_of(entry) + 1;
	}
	*cursor = (uint64_t)bucket.view.next << 32;
	return GB_OK;
}

enum gb_err
gb_scan(void *state, const char *prefix, int64_t now, uint64_t *cursor, struct gb_arena *arena,
    struct gb_record *records, size_t max, size_t *records_len)
{
	enum gb_err err;

	errno = 0;
	do
		err = bucket_scan(state, prefix, now, cursor, arena, records, max, records_len);
	while (err == GB_OK && *cursor != 0 && *records_len < max);
	return err;
}
