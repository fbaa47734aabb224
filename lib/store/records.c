/* SPDX-License-Identifier: MIT */
/* records.c: heads and chunks put together, for readers and for the writer. */
#include <string.h>

#include <sodium.h>

#include "store/records.h"

static enum gb_read
walk(struct gb_engine *engine, void *context)
{
	struct gb_stored *stored = context;
	enum gb_read read = gb_reader_slot(engine, stored->key, stored->slots[0]);

	if (read != GB_READ_FOUND)
		return read;
	if (!gb_slots_head(stored->slots[0], &stored->head))
		return GB_READ_TORN;
	for (unsigned i = 1; i < gb_slots_count(&stored->head); i++) {
		unsigned char key[GB_SLOT_KEY];

		gb_slots_number(stored->key, i, key);
		if (gb_reader_slot(engine, key, stored->slots[i]) != GB_READ_FOUND)
			return GB_READ_TORN;
	}
	return GB_READ_FOUND;
}

enum gb_err
gb_record_read(struct gb_gdbm *gdbm, struct gb_stored *stored)
{
	enum gb_read read;
	enum gb_err err = gb_reader_run(gdbm->engine, walk, stored, &read);

	stored->found = err == GB_OK && read == GB_READ_FOUND;
	return err;
}

void
gb_record_wipe(struct gb_stored *stored)
{
	if (stored->found)
		sodium_memzero(stored->slots, gb_slots_count(&stored->head) * sizeof stored->slots[0]);
}

enum gb_err
gb_record_look(struct gb_gdbm *gdbm, const unsigned char key[static GB_SLOT_KEY], bool *found,
    struct gb_slot_head *head)
{
	unsigned char slot[GB_SLOT_LEN];
	enum gb_err err = gb_writer_fetch(gdbm->writer, key, slot, found);

	if (err == GB_OK && *found && !gb_slots_head(slot, head))
		err = gb_engine_fail(gdbm->engine, "store.gdbm: a record is malformed");
	sodium_memzero(slot, sizeof slot);
	return err;
}

static enum gb_err
slots_delete(struct gb_gdbm *gdbm, const unsigned char key[static GB_SLOT_KEY], unsigned from, unsigned to)
{
	unsigned char slot_key[GB_SLOT_KEY];
	enum gb_err err = GB_OK;

	for (unsigned i = from; i < to && err == GB_OK; i++) {
		gb_slots_number(key, i, slot_key);
		err = gb_writer_delete(gdbm->writer, slot_key);
	}
	return err;
}

enum gb_err
gb_record_store(struct gb_gdbm *gdbm, const unsigned char key[static GB_SLOT_KEY], const char *name,
    const struct gb_slot_head *head, const void *value, unsigned slots_before)
{
	unsigned char slots[GB_SLOTS_MAX][GB_SLOT_LEN], slot_key[GB_SLOT_KEY];
	unsigned count = gb_slots_encode(name, head, value, slots);
	enum gb_err err = GB_OK;

	for (unsigned i = 0; i < count && err == GB_OK; i++) {
		gb_slots_number(key, i, slot_key);
		err = gb_writer_store(gdbm->writer, slot_key, slots[i]);
	}
	sodium_memzero(slots, count * sizeof slots[0]);
	return err != GB_OK ? err : slots_delete(gdbm, key, count, slots_before);
}

enum gb_err
gb_record_delete(struct gb_gdbm *gdbm, const unsigned char key[static GB_SLOT_KEY],
    const struct gb_slot_head *head)
{
	return slots_delete(gdbm, key, 0, gb_slots_count(head));
}

bool
gb_record_expired(const struct gb_slot_head *head, int64_t now)
{
	return head->expires_at != 0 && now >= head->expires_at;
}

enum gb_err
gb_record_fill(struct gb_stored *stored, int64_t now, struct gb_arena *arena, struct gb_record *record)
{
	char name[GB_STORE_KEY_MAX + 1];
	unsigned char *value;

	if (!stored->found)
		return GB_OK;
	record->version = stored->head.version;
	record->expires_at = stored->head.expires_at;
	if (gb_record_expired(&stored->head, now))
		return GB_OK;
	if ((value = gb_arena_alloc(arena, stored->head.value_len)) == NULL)
		return GB_ERR_MEMORY;
	if (!gb_slots_decode(&stored->head, stored->slots, name, value) ||
	    (record->key != NULL && strcmp(name, record->key) != 0))
		return GB_ERR_STORE_UNAVAILABLE;
	if (record->key == NULL && (record->key = gb_arena_copy(arena, name, strlen(name))) == NULL)
		return GB_ERR_MEMORY;
	record->value = value;
	record->value_len = stored->head.value_len;
	return GB_OK;
}
