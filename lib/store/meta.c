/* SPDX-License-Identifier: MIT */
/* meta.c: what the store keeps about itself: the hash key, its format, and how far to trust the clock. */
#include <errno.h>
#include <string.h>

#include "store/records.h"

#include <sodium.h>

#define META_VERSION	1		/* of its record; nobody checks it */
#define STEP_S		3600		/* last_now is written that seldom */
#define JUMP_S		(30 * 24 * 3600)	/* the clock jumped, or nobody came for so long */

static const unsigned char hash_key_place[GB_SLOT_KEY];

static enum gb_err
meta_store(struct gb_gdbm *gdbm, const struct gb_meta *meta)
{
	struct gb_slot_head head = { .version = META_VERSION, .value_len = sizeof *meta,
	    .name_len = sizeof GB_STORE_META - 1, .kind = GB_SLOT_RECORD };
	unsigned char key[GB_SLOT_KEY];

	gb_slots_key(gdbm->hash_key, GB_STORE_META, key);
	return gb_record_store(gdbm, key, GB_STORE_META, &head, meta, 0);
}

static enum gb_err
create(struct gb_gdbm *gdbm, int64_t now)
{
	struct gb_meta meta = { .format = GB_STORE_FORMAT, .last_now = now };
	struct gb_slot_head head = { .kind = GB_SLOT_HASH_KEY, .value_len = sizeof gdbm->hash_key };
	unsigned char slot[GB_SLOT_LEN] = { 0 };
	enum gb_err err;

	randombytes_buf(gdbm->hash_key, sizeof gdbm->hash_key);
	memcpy(slot, &head, sizeof head);
	memcpy(slot + GB_SLOTS_HEAD, gdbm->hash_key, sizeof gdbm->hash_key);
	err = gb_writer_store(gdbm->writer, hash_key_place, slot);
	sodium_memzero(slot, sizeof slot);
	return err == GB_OK ? meta_store(gdbm, &meta) : err;
}

enum gb_err
gb_meta_create(struct gb_gdbm *gdbm, int64_t now)
{
	unsigned char slot[GB_SLOT_LEN];
	bool found;
	enum gb_err err;

	if ((err = gb_writer_begin(gdbm->writer)) != GB_OK)
		return err;
	/* another process may have been faster; then its commit is what to wait for */
	if ((err = gb_writer_fetch(gdbm->writer, hash_key_place, slot, &found)) != GB_OK ||
	    (!found && (err = create(gdbm, now)) != GB_OK)) {
		gb_writer_abort(gdbm->writer);
		return err;
	}
	return gb_writer_commit(gdbm->writer);
}

struct slot_walk {
	unsigned char slot[GB_SLOT_LEN];
};

static enum gb_read
hash_key_walk(struct gb_engine *engine, void *context)
{
	struct slot_walk *walk = context;

	return gb_reader_slot(engine, hash_key_place, walk->slot);
}

static enum gb_err
hash_key_load(struct gb_gdbm *gdbm)
{
	struct slot_walk walk;
	struct gb_slot_head head;
	enum gb_read read;
	enum gb_err err;

	if ((err = gb_reader_run(gdbm->engine, hash_key_walk, &walk, &read)) != GB_OK)
		return err;
	memcpy(&head, walk.slot, sizeof head);
	if (read != GB_READ_FOUND || head.kind != GB_SLOT_HASH_KEY)
		return gb_engine_fail(gdbm->engine, "store.gdbm: holds no hash key");
	memcpy(gdbm->hash_key, walk.slot + GB_SLOTS_HEAD, sizeof gdbm->hash_key);
	sodium_memzero(&walk, sizeof walk);
	return GB_OK;
}

static enum gb_err
meta_read(struct gb_gdbm *gdbm, const unsigned char slot[static GB_SLOT_LEN], struct gb_meta *meta)
{
	struct gb_slot_head head;

	if (!gb_slots_head(slot, &head) || head.value_len != sizeof *meta)
		return gb_engine_fail(gdbm->engine, "store.gdbm: meta is malformed");
	memcpy(meta, slot + GB_SLOTS_HEAD + head.name_len, sizeof *meta);
	return GB_OK;
}

enum gb_err
gb_meta_load(struct gb_gdbm *gdbm, struct gb_meta *meta)
{
	struct gb_stored stored;
	enum gb_err err;

	if ((err = hash_key_load(gdbm)) != GB_OK)
		return err;
	gb_slots_key(gdbm->hash_key, GB_STORE_META, stored.key);
	if ((err = gb_record_read(gdbm, &stored)) != GB_OK)
		return err;
	errno = 0;
	if (!stored.found)
		return gb_engine_fail(gdbm->engine, "store.gdbm: holds no meta");
	if ((err = meta_read(gdbm, stored.slots[0], meta)) == GB_OK && meta->format > GB_STORE_FORMAT)
		err = gb_engine_fail(gdbm->engine, "store.gdbm: made by a newer guardbee (format %u, this one knows %u)",
		    meta->format, GB_STORE_FORMAT);
	return err;
}

/*
 * A clock that jumped far ahead must not let the sweep eat everything; when it
 * comes back, the guard ends. Requests overtake each other by seconds: going
 * back counts from an hour on.
 */
static bool
meta_step(struct gb_meta *meta, int64_t now)
{
	if (now - meta->last_now > JUMP_S)
		meta->sweep_from = now + GB_SWEEP_GRACE_S;
	else if (now < meta->last_now - STEP_S)
		meta->sweep_from = 0;
	else if (now - meta->last_now < STEP_S)
		return false;
	meta->last_now = now;
	return true;
}

enum gb_err
gb_meta_advance(struct gb_gdbm *gdbm, int64_t now, struct gb_meta *meta)
{
	unsigned char key[GB_SLOT_KEY], slot[GB_SLOT_LEN];
	bool found;
	enum gb_err err;

	gb_slots_key(gdbm->hash_key, GB_STORE_META, key);
	if ((err = gb_writer_fetch(gdbm->writer, key, slot, &found)) != GB_OK)
		return err;
	if (!found)
		return gb_engine_fail(gdbm->engine, "store.gdbm: holds no meta");
	if ((err = meta_read(gdbm, slot, meta)) == GB_OK && meta_step(meta, now))
		err = meta_store(gdbm, meta);
	return err;
}
