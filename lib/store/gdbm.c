/* SPDX-License-Identifier: MIT */
/* gdbm.c: the embedded store: get and commit over slots. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include <sodium.h>

#include "store.h"
#include "store/records.h"

#define DISK_MIN (4u << 20)		/* bytes free: less is called full */

/* What a change found under its key. */
struct found {
	unsigned char key[GB_SLOT_KEY];
	bool found;
	struct gb_slot_head head;
};

static void
contents_drop(struct gb_gdbm *gdbm)
{
	gb_writer_free(gdbm->writer);
	gb_engine_close(gdbm->engine);
	sodium_memzero(gdbm->hash_key, sizeof gdbm->hash_key);
}

static void
gdbm_close(void *state)
{
	struct gb_gdbm *gdbm = state;

	contents_drop(gdbm);
	free(gdbm->dir);
	free(gdbm);
}

static enum gb_err
contents_load(struct gb_gdbm *gdbm, int64_t now)
{
	struct gb_meta meta;
	enum gb_err err;

	if (atomic_load(&gdbm->engine->control->db_size) == 0 && (err = gb_meta_create(gdbm, now)) != GB_OK)
		return err;
	return gb_meta_load(gdbm, &meta);
}

/* Fills in a new one, or nothing. */
static enum gb_err
contents_open(struct gb_gdbm *gdbm, const char *dir, int64_t now, char *why, size_t why_max)
{
	enum gb_err err;

	snprintf(why, why_max, "no memory");
	if ((err = gb_engine_open(dir, why, why_max, &gdbm->engine)) != GB_OK)
		return err;
	errno = 0;
	gdbm->writer = gb_writer_new(gdbm->engine);
	err = gdbm->writer == NULL ? GB_ERR_MEMORY : contents_load(gdbm, now);
	if (err != GB_OK) {
		if (err != GB_ERR_MEMORY)
			snprintf(why, why_max, "%s: %s", dir, gdbm->engine->reason);
		contents_drop(gdbm);
	}
	return err;
}

static enum gb_err
gdbm_open(const char *dir, int64_t now, char *why, size_t why_max, void **state)
{
	struct gb_gdbm *gdbm = calloc(1, sizeof *gdbm);
	enum gb_err err = GB_ERR_MEMORY;

	snprintf(why, why_max, "no memory");
	if (gdbm != NULL && (gdbm->dir = strdup(dir)) != NULL)
		err = contents_open(gdbm, dir, now, why, why_max);
	if (err != GB_OK) {
		if (gdbm != NULL)
			free(gdbm->dir);
		free(gdbm);
		return err;
	}
	*state = gdbm;
	return GB_OK;
}

/* After a failure: if a restore put another store in the place of ours, opens that one. */
static bool
renew(struct gb_gdbm *gdbm, int64_t now)
{
	struct gb_gdbm new = { .dir = gdbm->dir };
	char why[200];

	if (!gb_engine_replaced(gdbm->engine) || contents_open(&new, gdbm->dir, now, why, sizeof why) != GB_OK)
		return false;
	contents_drop(gdbm);
	*gdbm = new;
	sodium_memzero(&new, sizeof new);
	return true;
}

static enum gb_err
gdbm_get(void *state, const char *key, int64_t now, struct gb_arena *arena, struct gb_record *record)
{
	struct gb_gdbm *gdbm = state;
	struct gb_stored stored;
	enum gb_err err;

	errno = 0;
	do {
		gb_slots_key(gdbm->hash_key, key, stored.key);
		err = gb_record_read(gdbm, &stored);
	} while (err == GB_ERR_STORE_UNAVAILABLE && renew(gdbm, now));
	if (err == GB_OK)
		err = gb_record_fill(&stored, now, arena, record);
	gb_record_wipe(&stored);
	return err;
}

static bool
version_stands(const struct gb_change *change, const struct found *found, int64_t now)
{
	if (change->version == GB_VERSION_ANY)
		return true;
	if (!found->found)
		return change->version == GB_VERSION_ABSENT;
	return change->version == found->head.version ||
	    (change->version == GB_VERSION_ABSENT && gb_record_expired(&found->head, now));
}

static enum gb_err
changes_check(struct gb_gdbm *gdbm, const struct gb_change *changes, size_t changes_len, int64_t now,
    struct found *found)
{
	enum gb_err err;

	for (size_t i = 0; i < changes_len; i++) {
		gb_slots_key(gdbm->hash_key, changes[i].key, found[i].key);
		err = gb_record_look(gdbm, found[i].key, &found[i].found, &found[i].head);
		if (err != GB_OK)
			return err;
		if (!version_stands(&changes[i], &found[i], now))
			return GB_ERR_CONFLICT;
	}
	return GB_OK;
}

static enum gb_err
change_apply(struct gb_gdbm *gdbm, const struct gb_change *change, const struct found *found, uint64_t nonce)
{
	struct gb_slot_head head = { .version = nonce, .expires_at = change->expires_at,
	    .value_len = (uint16_t)change->value_len, .name_len = (uint16_t)strlen(change->key),
	    .kind = GB_SLOT_RECORD };

	if (change->kind == GB_PUT)
		return gb_record_store(gdbm, found->key, change->key, &head, change->value,
		    found->found ? gb_slots_count(&found->head) : 0);
	if (change->kind == GB_DELETE && found->found)
		return gb_record_delete(gdbm, found->key, &found->head);
	return GB_OK;
}

/* What this commit itself changes is not the sweep's. */
static void
sweep_spare(struct gb_sweep *sweep, const unsigned char key[static GB_SLOT_KEY])
{
	for (size_t i = 0; i < sweep->len; i++)
		if (memcmp(sweep->keys[i], key, GB_SLOT_KEY) == 0) {
			memcpy(sweep->keys[i], sweep->keys[--sweep->len], GB_SLOT_KEY);
			return;
		}
}

static enum gb_err
transact(struct gb_gdbm *gdbm, const struct gb_change *changes, size_t changes_len, int64_t now,
    uint64_t nonce, struct gb_sweep *sweep)
{
	struct found found[GB_STORE_CHANGES_MAX];
	struct gb_meta meta;
	bool writes = false;
	enum gb_err err;

	if ((err = changes_check(gdbm, changes, changes_len, now, found)) != GB_OK)
		return err;
	for (size_t i = 0; i < changes_len; i++) {
		writes |= changes[i].kind != GB_CHECK;
		sweep_spare(sweep, found[i].key);
	}
	for (size_t i = 0; i < changes_len && err == GB_OK; i++)
		err = change_apply(gdbm, &changes[i], &found[i], nonce);
	if (err != GB_OK || !writes || (err = gb_meta_advance(gdbm, now, &meta)) != GB_OK)
		return err;
	return gb_sweep_take(gdbm, now, &meta, sweep);
}

static enum gb_err
gdbm_commit(void *state, const struct gb_change *changes, size_t changes_len, int64_t now, uint64_t nonce)
{
	struct gb_gdbm *gdbm = state;
	struct gb_sweep sweep;
	enum gb_err err;

	errno = 0;
	gb_sweep_look(gdbm, now, &sweep);
	while ((err = gb_writer_begin(gdbm->writer)) != GB_OK)
		if (err != GB_ERR_STORE_UNAVAILABLE || !renew(gdbm, now))
			return err;
	err = transact(gdbm, changes, changes_len, now, nonce, &sweep);
	if (err == GB_ERR_CONFLICT)
		/* perhaps with one that is not flushed yet: until it is, a get would show what was there before it */
		gb_writer_commit(gdbm->writer);
	else if (err != GB_OK)
		gb_writer_abort(gdbm->writer);
	else
		err = gb_writer_commit(gdbm->writer);
	return err;
}

static enum gb_err
gdbm_health(void *state, int64_t now, char *why, size_t why_max)
{
	struct gb_gdbm *gdbm = state;
	struct statvfs disk;
	struct gb_meta meta;
	enum gb_err err;

	errno = 0;
	if ((err = gb_meta_load(gdbm, &meta)) == GB_OK && (!gb_engine_ready(gdbm->engine) ||
	    atomic_load(&gdbm->engine->control->poison) != 0))
		err = gb_engine_fail(gdbm->engine, "the store waits for recovery");
	if (err == GB_OK && fstatvfs(gdbm->engine->dir_fd, &disk) != 0)
		err = gb_engine_fail(gdbm->engine, "cannot look at the file system");
	if (err == GB_OK && (disk.f_flag & ST_RDONLY) != 0)
		err = gb_engine_fail(gdbm->engine, "the file system is read-only");
	if (err == GB_OK && (uint64_t)disk.f_bavail * disk.f_frsize < DISK_MIN)
		err = gb_engine_fail(gdbm->engine, "the disk is full");
	if (err != GB_OK)
		snprintf(why, why_max, "%s", gdbm->engine->reason);
	else if (now < meta.sweep_from)
		snprintf(why, why_max, "the clock jumped, or nobody came for a month: nothing is swept for a day");
	else
		snprintf(why, why_max, "%s", "");
	return err;
}

static const char *
gdbm_reason(const void *state)
{
	return ((const struct gb_gdbm *)state)->engine->reason;
}

const struct gb_store_backend gb_store_gdbm = {
	.scheme = "gdbm",
	.open = gdbm_open,
	.close = gdbm_close,
	.get = gdbm_get,
	.commit = gdbm_commit,
	.scan = gb_scan,
	.health = gdbm_health,
	.reason = gdbm_reason,
};
