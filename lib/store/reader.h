/* SPDX-License-Identifier: MIT */
#ifndef GB_READER_H
#define GB_READER_H

#include "store/engine.h"

/*
 * Reads slots straight from the mapped file, without a lock and without a
 * system call as long as nobody writes. The file may change under the eyes:
 * every walk is bounded, and counts only if no change began or ended meanwhile.
 * A get is three loads that need each other (directory, bucket, record): they
 * grow with the file as caches and page tables do, and prefetching the places
 * of bucket and record gained nothing at 5,000,000 records.
 */
#define GB_SLOT_KEY	32		/* bytes of a key; each below 0x80, as GDBM's hash differs above by machine */
#define GB_SLOT_LEN	352		/* bytes of every value: with mixed lengths a GDBM file grows without bound */

/* GDBM's own. */
uint32_t gb_reader_hash(const unsigned char key[static GB_SLOT_KEY]);

enum gb_read {
	GB_READ_FOUND,
	GB_READ_ABSENT,
	GB_READ_TORN,			/* makes no sense: changing just now, or damaged */
};

/* What a walk does; called again from the start if the file changed meanwhile. Not to be believed before
 * gb_reader_run returns GB_OK. */
typedef enum gb_read gb_walk_fn(struct gb_engine *engine, void *context);

enum gb_err gb_reader_run(struct gb_engine *engine, gb_walk_fn *walk, void *context, enum gb_read *result);

/* Inside a walk: one slot. */
enum gb_read gb_reader_slot(struct gb_engine *engine, const unsigned char key[static GB_SLOT_KEY],
    unsigned char slot[static GB_SLOT_LEN]);

/*
 * Inside a walk: of the bucket that holds `hash`, the slots whose hash lies
 * from `hash` to the end of the part it is in, the bucket being divided in
 * 2^parts_bits; in no order.
 */
#define GB_BUCKET_MAX	((GB_PAGE - 112) / 24)	/* elements of a bucket of one page */
struct gb_bucket_entry {
	uint32_t hash;
	unsigned char key[GB_SLOT_KEY];
	unsigned char head[24];		/* the first bytes of the slot */
};
struct gb_bucket_view {
	uint32_t next;			/* the first hash behind it; 0: there is none */
	size_t len;
	struct gb_bucket_entry entries[GB_BUCKET_MAX];
};
enum gb_read gb_reader_bucket(struct gb_engine *engine, uint32_t hash, int parts_bits,
    struct gb_bucket_view *view);

#endif
