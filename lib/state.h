/* SPDX-License-Identifier: MIT */
#ifndef GB_STATE_H
#define GB_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/*
 * The directory STATE: 0700, ours; below it keys, spool and mail, the same, and
 * files of 0600. It holds one secret of 32 random bytes (STATE/secret, made by
 * the first open) from which fingerprints are keyed.
 */
struct gb_state;

/*
 * Makes what is missing, the parent of STATE excepted. Refused: another owner, group or
 * others with any right, a symlink. GB_ERR_MISCONFIGURED or GB_ERR_MEMORY, one line in `why`.
 */
enum gb_err gb_state_open(const char *directory, char *why, size_t why_max, struct gb_state **state);
void gb_state_close(struct gb_state *state);

/*
 * True if `directory` is `root` or lies below it, links followed; of a directory that is not there yet
 * its parent is looked at. False where there is no `root`.
 */
bool gb_state_is_below(const char *directory, const char *root);

/* A descriptor of the directory (borrowed), for openat. */
int gb_state_fd(const struct gb_state *state);

/*
 * HMAC-SHA-256 over label, NUL and the parts, each with its length before it,
 * keyed with the secret: what stands in logs and counters for a name or an
 * address nobody should read there.
 */
#define GB_FINGERPRINT_LEN 16
void gb_state_fingerprint(const struct gb_state *state, const char *label,
    const char *const *parts, size_t parts_len, unsigned char fingerprint[static GB_FINGERPRINT_LEN]);

/*
 * Writes a file of 0600 whole or not at all: aside, synced, renamed in (or,
 * with `exclusive`, linked in: GB_ERR_CONFLICT if one is there), the directory
 * synced. name is relative to STATE, "secret" or "spool/x"; aside stands as a
 * name that begins with a dot, in the same directory. GB_ERR_STORE_UNAVAILABLE.
 */
enum gb_err gb_state_write(const struct gb_state *state, const char *name, const void *bytes,
    size_t len, int exclusive);

#endif
