/* SPDX-License-Identifier: MIT */
/* sweep.c: each commit looks at a part of one bucket and takes what expired long ago along. */
#include <string.h>

#include "store/records.h"

/*
 * A sixteenth of a bucket: some seven records a commit, each on a page that perhaps nobody has met since the
 * machine started. What lies about is one in as many of those that live.
 */
#define PARTS_BITS 4

struct part_walk {
	uint32_t hash;
	struct gb_bucket_view view;
};

static enum gb_read
walk(struct gb_engine *engine, void *context)
{
	struct part_walk *part = context;

	return gb_reader_bucket(engine, part->hash, PARTS_BITS, &part->view);
}

static bool
is_due(const struct gb_slot_head *head, int64_t now)
{
	return gb_record_expired(head, now - GB_SWEEP_GRACE_S);
}

/* The cursor is shared by all processes; two that look at the same part cost nothing but the look. */
void
gb_sweep_look(struct gb_gdbm *gdbm, int64_t now, struct gb_sweep *sweep)
{
	struct gb_control *control = gdbm->engine->control;
	struct part_walk part;		/* large: filled by the walk alone */
	struct gb_slot_head head;
	enum gb_read read;

	sweep->len = 0;
	part.hash = atomic_load(&control->sweep_at) & 0x7fffffff;
	if (gb_reader_run(gdbm->engine, walk, &part, &read) != GB_OK)
		return;			/* the commit itself will say why */
	for (size_t i = 0; i < part.view.len; i++) {
		const struct gb_bucket_entry *entry = &part.view.entries[i];

		if (!gb_slots_head(entry->head, &head) || !is_due(&head, now))
			continue;
		if (sweep->len == GB_SWEEP_MAX)
			return;		/* the rest of this part is the next commit's */
		memcpy(sweep->keys[sweep->len++], entry->key, GB_SLOT_KEY);
	}
	atomic_store(&control->sweep_at, part.view.next);
}

enum gb_err
gb_sweep_take(struct gb_gdbm *gdbm, int64_t now, const struct gb_meta *meta, const struct gb_sweep *sweep)
{
	enum gb_err err = GB_OK;

	if (now < meta->sweep_from)
		return GB_OK;
	for (size_t i = 0; i < sweep->len && err == GB_OK; i++) {
		struct gb_slot_head head;
		bool found;

		err = gb_record_look(gdbm, sweep->keys[i], &found, &head);
		if (err == GB_OK && found && is_due(&head, now))
			err = gb_record_delete(gdbm, sweep->keys[i], &head);
	}
	return err;
}
