/* SPDX-License-Identifier: MIT */
#ifndef GB_KEY_DIRECTORY_H
#define GB_KEY_DIRECTORY_H

#include <time.h>

#include "key_source.h"

/*
 * The key ring on disk (design, "Ring"). Behind keyring.h.
 */
#define GB_RING_MAX 32			/* keys, the next, the active and the retiring ones */

struct gb_key_ring {
	struct gb_key_source sources[GB_RING_MAX];
	size_t len;
};

/* When and what the ring's two directories were; equal means nothing was renamed in or removed. */
struct gb_key_stamp {
	struct {
		unsigned long long device, inode;
		struct timespec changed_at;
	} of[2];
};

/* Cheap: two stat calls. A directory that is not there has a stamp of zeros. */
void gb_key_directory_stamp(const char *path, struct gb_key_stamp *stamp);

/*
 * Loads every key. GB_ERR_MISCONFIGURED: `why` names the file and what is wrong.
 *	access	GB_KEYS_VERIFY: of a pair only public/KID.json is opened
 */
enum gb_err gb_key_directory_load(const char *path, enum gb_keyring_access access, char *why,
    size_t why_max, struct gb_key_ring **ring);
void gb_key_ring_free(struct gb_key_ring *ring);

#endif
