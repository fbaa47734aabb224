/* SPDX-License-Identifier: MIT */
#ifndef GB_STORE_H
#define GB_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "error.h"

/*
 * The storage contract: records under text keys, read without a lock and
 * changed by optimistic commits. Policy code is `get, decide, commit`; on
 * GB_ERR_CONFLICT it starts again from its first get.
 *
 * A back end is a `const struct gb_store_backend`; store.c picks it by the
 * scheme of DATABASE_URL. A process keeps one store open for its life.
 * The store never invents time: `now` is passed in, seconds since the epoch.
 */
#define GB_STORE_KEY_MAX	256	/* bytes of a key, NUL not counted; printable text */
#define GB_STORE_VALUE_MAX	4096	/* bytes of a value */
#define GB_STORE_CHANGES_MAX	64	/* changes in one commit */
#define GB_STORE_FORMAT		1	/* a program refuses a store with a higher one */
#define GB_STORE_META		"meta"	/* the store's own key; refused in get and commit */
#define GB_STORE_NOW_MIN	INT64_C(1767225600)	/* 2026-01-01: with a clock before it every
						 * call is GB_ERR_STORE_UNAVAILABLE */

#define GB_VERSION_ABSENT	UINT64_C(0)	/* expect that there is no record (an expired one counts as none) */
#define GB_VERSION_ANY		UINT64_MAX	/* deletes only, and only beside a checked put in the same commit */

struct gb_store;

/*
 * A broken argument (key empty, too long, not printable ASCII or twice in a
 * commit, ANY where it may not stand, value too long, no change at all) is
 * GB_ERR_INTERNAL from every call: a fault of the program, nothing is done.
 */

struct gb_record {
	const char *key;		/* set by scan; the caller's own in get */
	const unsigned char *value;	/* in the arena; NULL when absent or expired */
	size_t value_len;
	uint64_t version;		/* GB_VERSION_ABSENT when there is no record at all; an expired
					 * record has no value and a version, by which it can be replaced */
	int64_t expires_at;		/* 0: never */
};

enum gb_change_kind {
	GB_PUT,				/* value and expires_at, if `version` still stands */
	GB_DELETE,			/* if `version` still stands; ANY: whatever is there, or nothing */
	GB_CHECK,			/* nothing is written, but `version` must still stand */
};

struct gb_change {
	enum gb_change_kind kind;
	const char *key;
	uint64_t version;		/* expected */
	const void *value;
	size_t value_len;
	int64_t expires_at;		/* 0: never; now >= expires_at is expired */
};

/*
 * Opens the store that `url` names ("gdbm:/dir", created 0700 with its files
 * 0600 when missing). GB_ERR_STORE_UNAVAILABLE: one line in `why`
 * (NUL-terminated, at most why_max bytes) says what and where, for the log.
 */
enum gb_err gb_store_open(const char *url, int64_t now, char *why, size_t why_max,
    struct gb_store **store);
void gb_store_close(struct gb_store *store);

/*
 * Reads one record. GB_OK also when it is absent: then value is NULL.
 * Only durable data is ever seen. GB_ERR_MEMORY, GB_ERR_STORE_UNAVAILABLE.
 */
enum gb_err gb_store_get(struct gb_store *store, const char *key, int64_t now,
    struct gb_arena *arena, struct gb_record *record);

/*
 * Applies 1 to GB_STORE_CHANGES_MAX changes on distinct keys, all or none.
 * GB_OK once durable; GB_ERR_CONFLICT if any version moved, and a get shows to what; else
 * GB_ERR_STORE_UNAVAILABLE (nothing was applied, or it is not known: never a
 * verdict). Every record written gets the commit's one random non-zero 63-bit
 * nonce as its version (returned in *version unless NULL).
 */
enum gb_err gb_store_commit(struct gb_store *store, const struct gb_change *changes,
    size_t changes_len, int64_t now, uint64_t *version);

/*
 * Live records whose key begins with `prefix` ("" for all), in the store's own
 * order, at most `max` a call. *cursor is 0 at the beginning; 0 again means
 * the end. A record that is there from the first call to the last is returned
 * at least once; one that comes or goes meanwhile may or may not be. For the
 * sweep, backups and the operator's command, not for requests.
 */
enum gb_err gb_store_scan(struct gb_store *store, const char *prefix, int64_t now,
    uint64_t *cursor, struct gb_arena *arena, struct gb_record *records, size_t max,
    size_t *records_len);

/* For health: GB_OK when a commit could succeed now (looks, writes nothing). */
enum gb_err gb_store_health(struct gb_store *store, int64_t now, char *why, size_t why_max);

/* Why the last call answered GB_ERR_STORE_UNAVAILABLE, for the log; "" where nothing is known. Lives until the next call. */
const char *gb_store_reason(const struct gb_store *store);

/* What a back end fills in. Arguments are checked by store.c before they arrive. */
struct gb_store_backend {
	const char *scheme;		/* "gdbm" */
	enum gb_err (*open)(const char *rest_of_url, int64_t now, char *why, size_t why_max, void **state);
	void (*close)(void *state);
	enum gb_err (*get)(void *state, const char *key, int64_t now, struct gb_arena *arena,
	    struct gb_record *record);
	enum gb_err (*commit)(void *state, const struct gb_change *changes, size_t changes_len,
	    int64_t now, uint64_t nonce);
	enum gb_err (*scan)(void *state, const char *prefix, int64_t now, uint64_t *cursor,
	    struct gb_arena *arena, struct gb_record *records, size_t max, size_t *records_len);
	enum gb_err (*health)(void *state, int64_t now, char *why, size_t why_max);
	const char *(*reason)(const void *state);	/* NULL: it never knows */
};

extern const struct gb_store_backend gb_store_gdbm;

/* Wraps a back end that is open already: how tests bring their own (tests/store_memory.c). */
enum gb_err gb_store_attach(const struct gb_store_backend *backend, void *state,
    struct gb_store **store);

#endif
