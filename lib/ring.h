/* SPDX-License-Identifier: MIT */
#ifndef GB_RING_H
#define GB_RING_H

#include "key_directory.h"
#include "key_file.h"

/*
 * The key ring as the operator changes it (design, "Ring"). Every change is
 * files renamed in, the private half first and removed last, so that a
 * program that looks meanwhile finds a ring that is fit. One change at a time: the
 * ring is locked from open to close.
 */
struct gb_ring;

/* Makes the directories when missing. GB_ERR_MISCONFIGURED with a line in `why`, GB_ERR_MEMORY. */
enum gb_err gb_ring_open(const char *path, char *why, size_t why_max, struct gb_ring **ring);
void gb_ring_close(struct gb_ring *ring);

/* The keys, in the order they come into use. */
size_t gb_ring_len(const struct gb_ring *ring);
const struct gb_key_file *gb_ring_at(const struct gb_ring *ring, size_t i);
/* "next", "active", "retiring" (verifies still), "dropped". */
const char *gb_ring_state(const struct gb_ring *ring, const struct gb_key_file *file, int64_t now);

/* When the added key signs, and how long those before it verify. */
struct gb_ring_plan {
	int64_t delay_s;		/* until it signs; 0 for an emergency */
	int64_t token_life_s;		/* of the longest token, with leeway */
};

/*
 * Adds a private key that the verifiers learn now and that signs after the
 * delay (at once where it is the first); those before it sign until then, and
 * verify for the life of their last token. Files that are dropped go.
 * GB_ERR_CONFLICT: a next key waits already. GB_ERR_MISCONFIGURED as above.
 *	id	"": made from the date and chance, and written there
 */
enum gb_err gb_ring_add(struct gb_ring *ring, const struct gb_numbers *numbers, char id[static GB_KEY_ID_MAX + 1],
    const struct gb_ring_plan *plan, int64_t now, char *why, size_t why_max);

/*
 * Takes a key out at once: what it signed is refused from now on. GB_ERR_NOT_FOUND;
 * GB_ERR_CONFLICT: it is the one that signs.
 */
enum gb_err gb_ring_retire(struct gb_ring *ring, const char *id, int64_t now, char *why, size_t why_max);

#endif
