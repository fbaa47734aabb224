/* SPDX-License-Identifier: MIT */
#ifndef GB_RECORDS_H
#define GB_RECORDS_H

#include "store/slots.h"
#include "store/writer.h"

/*
 * The records of one open store, over slots. What a read fills is wiped by
 * gb_record_wipe: values hold seeds and hashes.
 */
struct gb_gdbm {
	char *dir;
	struct gb_engine *engine;
	struct gb_writer *writer;
	unsigned char hash_key[32];	/* made with the store, kept in it */
};

/* Under GB_STORE_META. */
struct gb_meta {
	uint32_t format, reserved;
	int64_t last_now;		/* a commit's `now`, to the hour */
	int64_t sweep_from;		/* nothing is swept before it; 0: no limit */
};

struct gb_stored {
	unsigned char key[GB_SLOT_KEY];
	bool found;
	struct gb_slot_head head;
	unsigned char slots[GB_SLOTS_MAX][GB_SLOT_LEN];
};

/* Lock-free; stored->key says which. */
enum gb_err gb_record_read(struct gb_gdbm *gdbm, struct gb_stored *stored);
/* For the caller, as store.h says of get; record->key NULL: set too. */
enum gb_err gb_record_fill(struct gb_stored *stored, int64_t now, struct gb_arena *arena,
    struct gb_record *record);
void gb_record_wipe(struct gb_stored *stored);

/* Between gb_writer_begin and its end: the head alone; all of a record; none of it any more. */
enum gb_err gb_record_look(struct gb_gdbm *gdbm, const unsigned char key[static GB_SLOT_KEY], bool *found,
    struct gb_slot_head *head);
enum gb_err gb_record_store(struct gb_gdbm *gdbm, const unsigned char key[static GB_SLOT_KEY], const char *name,
    const struct gb_slot_head *head, const void *value, unsigned slots_before);
enum gb_err gb_record_delete(struct gb_gdbm *gdbm, const unsigned char key[static GB_SLOT_KEY],
    const struct gb_slot_head *head);

bool gb_record_expired(const struct gb_slot_head *head, int64_t now);

/* scan.c: the back end's scan. */
enum gb_err gb_scan(void *state, const char *prefix, int64_t now, uint64_t *cursor, struct gb_arena *arena,
    struct gb_record *records, size_t max, size_t *records_len);

/* meta.c */
enum gb_err gb_meta_create(struct gb_gdbm *gdbm, int64_t now);
/* Lock-free: the hash key into gdbm, and whether this program may use the store. */
enum gb_err gb_meta_load(struct gb_gdbm *gdbm, struct gb_meta *meta);
/* Inside a commit: brings it up to `now`. */
enum gb_err gb_meta_advance(struct gb_gdbm *gdbm, int64_t now, struct gb_meta *meta);

/* sweep.c: what one commit takes along. */
#define GB_SWEEP_MAX	16
#define GB_SWEEP_GRACE_S (24 * 3600)	/* what expired that long ago */
struct gb_sweep {
	size_t len;
	unsigned char keys[GB_SWEEP_MAX][GB_SLOT_KEY];
};
/* Lock-free: looks at the next part of a bucket. */
void gb_sweep_look(struct gb_gdbm *gdbm, int64_t now, struct gb_sweep *sweep);
/* Inside a commit, each record being looked at again. */
enum gb_err gb_sweep_take(struct gb_gdbm *gdbm, int64_t now, const struct gb_meta *meta,
    const struct gb_sweep *sweep);

#endif
