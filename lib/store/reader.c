/* SPDX-License-Identifier: MIT */
/* reader.c: a bounded walk of GDBM's format under a sequence counter. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "store/format.h"
#include "store/reader.h"

#define SPINS		100		/* before the processor is given away */
#define YIELDS		200		/* before the flush lock is asked whether the writer died */
#define LOAD(place)	__atomic_load_n(&(place), __ATOMIC_RELAXED)	/* once, whatever happens to it */

/* The numbers of GDBM's header that a walk needs, checked against the file's length. */
struct table {
	const int64_t *directory;
	uint64_t directory_at;
	int bits, elements;
	uint32_t bucket_len;
};

static bool
range_ok(struct gb_engine *engine, int64_t at, uint64_t len)
{
	uint64_t size = engine->readable, from = (uint64_t)at;

	if (at < 0 || len == 0 || from > size || len > size - from)
		return false;
	for (uint64_t page = from / GB_PAGE; page <= (from + len - 1) / GB_PAGE; page++)
		if (!gb_sums_match(engine, page))
			return false;
	return true;
}

static bool
table_read(struct gb_engine *engine, struct table *table)
{
	const struct gb_gdbm_header *header = (const void *)engine->db.bytes;
	int64_t directory, directory_len;

	if (!range_ok(engine, 0, sizeof *header) || LOAD(header->magic) != GB_GDBM_MAGIC)
		return false;
	directory = LOAD(header->directory);
	directory_len = LOAD(header->directory_len);
	table->bits = LOAD(header->directory_bits);
	table->elements = LOAD(header->bucket_elements);
	table->bucket_len = (uint32_t)LOAD(header->bucket_len);
	table->directory = (const void *)(engine->db.bytes + directory);
	table->directory_at = (uint64_t)directory;
	return directory >= 0 && directory % 8 == 0 && directory_len > 0 && table->bits >= 0 &&
	    table->bits < GB_GDBM_HASH_BITS && directory_len == INT64_C(8) << table->bits &&
	    (uint64_t)directory + (uint64_t)directory_len <= engine->readable && table->elements > 0 &&
	    table->elements <= (int)GB_BUCKET_MAX && table->bucket_len >= sizeof(struct gb_gdbm_bucket) +
	    (unsigned)table->elements * sizeof(struct gb_gdbm_element);
}

uint32_t
gb_reader_hash(const unsigned char key[static GB_SLOT_KEY])
{
	uint32_t value = 0x238f13afu * GB_SLOT_KEY;

	for (unsigned i = 0; i < GB_SLOT_KEY; i++)
		value = (value + ((uint32_t)key[i] << i * 5 % 24)) & 0x7fffffff;
	return (1103515243u * value + 12345) & 0x7fffffff;
}

static const struct gb_gdbm_bucket *
bucket_of(struct gb_engine *engine, const struct table *table, uint32_t hash)
{
	uint64_t index = hash >> (GB_GDBM_HASH_BITS - table->bits);
	int64_t at;

	if (!range_ok(engine, (int64_t)(table->directory_at + 8 * index), 8))
		return NULL;
	at = LOAD(table->directory[index]);
	if (at <= 0 || at % 8 != 0 || !range_ok(engine, at, table->bucket_len))
		return NULL;
	return (const void *)(engine->db.bytes + at);
}

/* The bytes of one key and its value, if they are of the one size there is. */
static const unsigned char *
element_bytes(struct gb_engine *engine, const struct gb_gdbm_element *element)
{
	int64_t at = LOAD(element->at);

	if (LOAD(element->key_len) != GB_SLOT_KEY || LOAD(element->value_len) != GB_SLOT_LEN ||
	    !range_ok(engine, at, GB_SLOT_KEY + GB_SLOT_LEN))
		return NULL;
	return engine->db.bytes + at;
}

enum gb_read
gb_reader_slot(struct gb_engine *engine, const unsigned char key[static GB_SLOT_KEY],
    unsigned char slot[static GB_SLOT_LEN])
{
	uint32_t hash = gb_reader_hash(key);
	const struct gb_gdbm_bucket *bucket;
	struct table table;

	if (!table_read(engine, &table) || (bucket = bucket_of(engine, &table, hash)) == NULL)
		return GB_READ_TORN;
	for (int i = 0, at = (int)(hash % (uint32_t)table.elements); i < table.elements; i++) {
		const struct gb_gdbm_element *element = &bucket->elements[at];
		int32_t element_hash = LOAD(element->hash);
		const unsigned char *bytes;

		if (element_hash == -1)
			return GB_READ_ABSENT;
		if ((uint32_t)element_hash == hash) {
			if ((bytes = element_bytes(engine, element)) == NULL)
				return GB_READ_TORN;
			if (memcmp(bytes, key, GB_SLOT_KEY) == 0) {
				memcpy(slot, bytes + GB_SLOT_KEY, GB_SLOT_LEN);
				return GB_READ_FOUND;
			}
		}
		if (++at == table.elements)
			at = 0;
	}
	return GB_READ_ABSENT;
}

static enum gb_read
entry_read(struct gb_engine *engine, const struct gb_gdbm_element *element, struct gb_bucket_view *view)
{
	struct gb_bucket_entry *entry = &view->entries[view->len];
	const unsigned char *bytes = element_bytes(engine, element);

	if (bytes == NULL)
		return GB_READ_TORN;
	memcpy(entry->key, bytes, GB_SLOT_KEY);
	memcpy(entry->head, bytes + GB_SLOT_KEY, sizeof entry->head);
	view->len++;
	return GB_READ_FOUND;
}

enum gb_read
gb_reader_bucket(struct gb_engine *engine, uint32_t hash, int parts_bits, struct gb_bucket_view *view)
{
	const struct gb_gdbm_bucket *bucket;
	struct table table;
	uint64_t end;
	int bits;

	view->len = 0;
	if (!table_read(engine, &table) || (bucket = bucket_of(engine, &table, hash)) == NULL ||
	    (bits = LOAD(bucket->bits)) < 0 || bits > table.bits)
		return GB_READ_TORN;
	bits = GB_GDBM_HASH_BITS - bits > parts_bits ? GB_GDBM_HASH_BITS - bits - parts_bits : 0;
	end = (((uint64_t)hash >> bits) + 1) << bits;
	view->next = (uint32_t)end & 0x7fffffff;
	for (int i = 0; i < table.elements; i++) {
		uint32_t element_hash = (uint32_t)LOAD(bucket->elements[i].hash);

		if (element_hash < hash || element_hash >= end)
			continue;	/* free ones too: 2^32 - 1 */
		view->entries[view->len].hash = element_hash;
		if (entry_read(engine, &bucket->elements[i], view) != GB_READ_FOUND)
			return GB_READ_TORN;
	}
	return GB_READ_FOUND;
}

static void
relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield");
#endif
}

/* Pages are changing: that takes microseconds, unless the process that does it is stopped or dead. */
static enum gb_err
wait_for_even(struct gb_engine *engine)
{
	const struct gb_control *control = engine->control;

	for (int i = 0; atomic_load_explicit(&control->sequence, memory_order_relaxed) % 2 != 0; i++) {
		if (i < SPINS)
			relax();
		else if (i < SPINS + YIELDS)
			sched_yield();
		else
			return gb_recover_stuck(engine);
	}
	return GB_OK;
}

static enum gb_err
view_begin(struct gb_engine *engine, uint64_t *sequence)
{
	const struct gb_control *control = engine->control;
	enum gb_err err;

	while ((*sequence = atomic_load_explicit(&control->sequence, memory_order_acquire)) % 2 != 0)
		if ((err = wait_for_even(engine)) != GB_OK)
			return err;
	if (control->inodes[0] != engine->inodes[0] ||
	    atomic_load_explicit(&control->state, memory_order_relaxed) == GB_ENGINE_REPLACED)
		return gb_engine_fail(engine, "the store was replaced");
	engine->readable = atomic_load_explicit(&control->db_size, memory_order_relaxed);
	return engine->readable <= engine->db.len ? GB_OK : gb_engine_cover(engine, engine->readable);
}

enum gb_err
gb_reader_run(struct gb_engine *engine, gb_walk_fn *walk, void *context, enum gb_read *result)
{
	const struct gb_control *control = engine->control;
	uint64_t sequence;
	enum gb_err err;

	do {
		if ((err = view_begin(engine, &sequence)) != GB_OK)
			return err;
		*result = walk(engine, context);
		atomic_thread_fence(memory_order_acquire);
	} while (atomic_load_explicit(&control->sequence, memory_order_relaxed) != sequence);
	if (*result != GB_READ_TORN)
		return GB_OK;
	errno = 0;
	return gb_engine_fail(engine, "store.gdbm: damaged; run guardbee store check");
}
