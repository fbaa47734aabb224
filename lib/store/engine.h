/* SPDX-License-Identifier: MIT */
#ifndef GB_ENGINE_H
#define GB_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

/*
 * The embedded store below the records: an array of pages (a GDBM file) that
 * many processes read without a lock and change by frames of a redo log.
 * Internal to lib/store.
 *
 *	store.gdbm	the pages; an ordinary GDBM file
 *	store.log	two header slots, then the frames of one epoch
 *	store.sums	a checksum for every page, and how far the pages are
 *	store.control	one page of shared memory: positions, locks; worthless
 *			after a reboot and without its sisters, then rebuilt
 *
 * A position in the log (LSN) counts bytes since the store was made; `base`
 * is the one that lies behind the header slots now. Always
 * base <= applied <= durable <= end.
 *
 * A new log is GB_LOG_MIN long, for the sake of small sites; one that fills
 * within a minute doubles at its checkpoint, up to GB_LOG_MAX.
 *
 * Rules that make it safe:
 *  1. Nothing reaches store.gdbm or store.sums before its frame is durable.
 *  2. Nothing in the log is overwritten before all of its epoch is durable
 *     in store.gdbm and store.sums.
 *  3. A frame never begins in a page of the log that holds durable frames.
 *  4. Order of locks: writer, then flush.
 */
#define GB_PAGE			4096u
#define GB_LOG_SLOT		4096u			/* header slots at 0 and at 4096 */
#define GB_LOG_HEADER		(2 * GB_LOG_SLOT)	/* frames begin here */
#ifndef GB_LOG_MIN			/* the crash tests build with small ones, to see many checkpoints */
#define GB_LOG_MIN		(1u << 20)		/* bytes of a new store's log */
#define GB_LOG_MAX		(64u << 20)
#endif
#define GB_STORE_ID_LEN		16
#define GB_LOCK_WAIT_MS		10000			/* then GB_ERR_STORE_UNAVAILABLE */

_Static_assert(sizeof(void *) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "the format of store.gdbm is that of 64-bit little-endian machines");

enum gb_engine_state {			/* of the control page; 0 after its creation */
	GB_ENGINE_READY = 1,
	GB_ENGINE_BUSY,			/* a checkpoint or a recovery runs, or was killed */
	GB_ENGINE_DAMAGED,		/* recovery found damage it cannot mend */
	GB_ENGINE_REPLACED,		/* a restore took these files away: open anew */
};

/* One page, shared. Only atomics, and fields that are written under both locks. */
struct gb_control {
	uint64_t magic;
	char boot[40];
	uint64_t inodes[3];		/* of gdbm, log, sums: files copied back are not ours */
	unsigned char store_id[GB_STORE_ID_LEN];
	_Atomic uint32_t state;
	_Atomic uint32_t poison;	/* a write or flush failed: recover before the next commit */
	_Atomic uint64_t sequence;	/* odd: pages are being changed */
	_Atomic uint64_t base, end, durable, applied, epoch, db_size, log_size;
	_Atomic uint64_t flushing;	/* a flush up to here was begun */
	_Atomic uint64_t last;		/* where the newest frame begins; 0 none in this epoch */
	_Atomic uint64_t kept;		/* of the last recovery: frames up to here were kept */
	_Atomic uint64_t generation;	/* recoveries since the page was made */
	_Atomic uint64_t db_reserved;	/* bytes of store.gdbm that the disk has promised */
	_Atomic uint64_t epoch_began_s;	/* CLOCK_BOOTTIME */
	_Atomic uint32_t lock_words[2];	/* futexes: writer, flush */
	_Atomic uint32_t lock_wanted[2];
	_Atomic uint32_t sweep_at;	/* hash, where the sweep goes on */
	_Atomic uint64_t commits, flushes, checkpoints, repairs;	/* for stats */
};

struct gb_map {
	unsigned char *bytes;		/* read only; beyond the file's end untouchable */
	size_t len;
};

struct gb_overlay;			/* pages.c */
struct gb_replay;			/* replay.c */

struct gb_engine {
	pid_t owner;			/* locks are the process's that opened */
	int dir_fd, control_fd, db_fd, log_fd, sums_fd;
	struct gb_control *control;
	struct gb_map db, log, sums;
	uint64_t readable;		/* bytes of store.gdbm that the walk under way may touch */
	uint32_t *trusted;		/* by page: complement of the sum it was seen to match */
	size_t trusted_len;
	int sync_place;			/* held while the log is flushed */
	struct gb_overlay *overlay;	/* the writer's private view */
	struct gb_replay *replay;	/* during a recovery */
	unsigned char *frame;		/* being built */
	size_t frame_len, frame_max;
	uint64_t inodes[3];		/* as in the control page */
	char reason[160];		/* of the last failure */
};

/* state.c. Remembers printf(format) and errno as the reason; returns GB_ERR_STORE_UNAVAILABLE. */
enum gb_err gb_engine_fail(struct gb_engine *engine, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool gb_engine_ready(const struct gb_engine *engine);
/* Nobody shall use the store until a restore. */
enum gb_err gb_engine_damaged(struct gb_engine *engine, const char *what);

/* engine.c. gb_engine_open recovers what it finds; *engine is set on success only. */
enum gb_err gb_engine_open(const char *dir, char *why, size_t why_max, struct gb_engine **engine);
/* The same, but makes no store where there is none, or none that was ever finished. */
enum gb_err gb_engine_open_existing(const char *dir, char *why, size_t why_max, struct gb_engine **engine);
void gb_engine_close(struct gb_engine *engine);
/* Stops all writers, with all that was appended applied: pages stand still until unlock. */
enum gb_err gb_engine_lock(struct gb_engine *engine);
void gb_engine_unlock(struct gb_engine *engine);
/* A restore put another store in this one's place. */
bool gb_engine_replaced(const struct gb_engine *engine);
/* Maps so many bytes of pages, and their sums. */
enum gb_err gb_engine_cover(struct gb_engine *engine, uint64_t db_size);

/* lock.c: byte locks of store.control, which the kernel drops when a process dies. */
enum gb_lock { GB_LOCK_WRITER, GB_LOCK_FLUSH };
bool gb_lock_try(struct gb_engine *engine, enum gb_lock lock);
enum gb_err gb_lock_take(struct gb_engine *engine, enum gb_lock lock);
void gb_lock_release(struct gb_engine *engine, enum gb_lock lock);
/* Sleeps until the lock is released, unless its word moved from `seen`; false: some milliseconds went by. */
bool gb_lock_wait(struct gb_engine *engine, enum gb_lock lock, uint32_t seen);
/* One of the few places from which the log is flushed; at most one held. */
bool gb_lock_try_sync(struct gb_engine *engine);
void gb_lock_release_sync(struct gb_engine *engine);
/* True when no other process has this store open. */
bool gb_lock_alone(struct gb_engine *engine);
uint64_t gb_clock_ms(void);

/* sums.c: checksums by page. */
#define GB_SUMS_HEADER 4096u
enum gb_err gb_sums_create(int fd, const unsigned char id[static GB_STORE_ID_LEN]);
enum gb_err gb_sums_reserve(struct gb_engine *engine, uint64_t db_size);
/* The page is what was last written there; false: it is damaged, or being changed just now. */
bool gb_sums_match(struct gb_engine *engine, uint64_t page);
uint32_t gb_sums_of(const struct gb_engine *engine, uint64_t page);
/* Those of so many pages from `page` on. */
enum gb_err gb_sums_write(struct gb_engine *engine, uint64_t page, const uint32_t *sums, size_t len);
/* How far store.gdbm is, at least. */
enum gb_err gb_sums_witness_write(struct gb_engine *engine, uint64_t applied);
enum gb_err gb_sums_witness_read(struct gb_engine *engine, unsigned char id[static GB_STORE_ID_LEN],
    uint64_t *applied);

/* frames.c: the log's header and frames; group.c: group commit and checkpoints. */
struct gb_frame {
	uint32_t magic, len;		/* bytes after this header */
	uint64_t epoch, lsn;		/* its own position */
	uint64_t prev;			/* where the frame before it ended */
	uint64_t db_size;
	uint32_t pages, crc;		/* crc over all of it with crc = 0 */
};

/* One page of a frame; its extents follow. */
struct gb_frame_page {
	uint64_t page;
	uint32_t sum;			/* of the whole page after this frame */
	uint16_t extents, reserved;
};

struct gb_frame_extent {
	uint16_t offset, len;		/* the bytes follow */
};

struct gb_log_header {
	uint64_t magic;
	uint32_t format, crc;
	unsigned char id[GB_STORE_ID_LEN];
	uint64_t epoch, base, db_size;
};

/* The page's extents are all there. */
typedef enum gb_err gb_page_fn(struct gb_engine *engine, const struct gb_frame_page *page);

enum gb_err gb_log_create(int fd, const unsigned char id[static GB_STORE_ID_LEN], uint64_t db_size);
enum gb_err gb_log_header_read(struct gb_engine *engine, struct gb_log_header *header);
enum gb_err gb_log_header_write(struct gb_engine *engine, uint64_t epoch, uint64_t base, uint64_t db_size);
/* The frame that follows the one that ended at `position`, whole and below `limit`; NULL: none. */
const struct gb_frame *gb_log_next(struct gb_engine *engine, uint64_t position, uint64_t limit);
/* Calls fn for every page of the frames in [from, to); *db_size is set to the last one's. */
enum gb_err gb_log_walk(struct gb_engine *engine, uint64_t from, uint64_t to, gb_page_fn *fn,
    uint64_t *db_size);
enum gb_err gb_log_frame(struct gb_engine *engine, const struct gb_frame *frame, gb_page_fn *fn);
uint64_t gb_log_frame_end(const struct gb_frame *frame);
/* A frame's page into the bytes of that page. */
void gb_log_patch(const struct gb_frame_page *page, unsigned char bytes[static GB_PAGE]);
/* engine->frame fits behind the others, wherever it will begin; writer lock held. */
bool gb_log_has_room(const struct gb_engine *engine);
/* Appends engine->frame (the header's place left free); writer lock held. */
enum gb_err gb_log_append(struct gb_engine *engine, uint32_t pages, uint64_t db_size);
/* Writer lock held: empties the log if engine->frame has no room there. */
enum gb_err gb_log_make_room(struct gb_engine *engine);
/* At rest, and header and newest frame are what the control page says: false also if the files were put back
 * from a copy, or while others are at work. */
bool gb_log_bears_out(struct gb_engine *engine);
/* Flush lock held: makes durable and applies what is appended. */
enum gb_err gb_log_settle(struct gb_engine *engine);
/* Returns once the frame that ended at `lsn` is durable and applied; no lock held. */
enum gb_err gb_log_await(struct gb_engine *engine, uint64_t lsn, uint64_t generation);

/* recover.c: writes pages; mends. */
/* Flush lock held: puts durable frames into store.gdbm. */
enum gb_err gb_recover_apply(struct gb_engine *engine);
/* Both locks held: rebuilds the control page from the files, of itself believing only what `trusted` says it may. */
enum gb_err gb_recover(struct gb_engine *engine, bool trusted);
/* Writer lock held: recovers if someone died or failed. */
enum gb_err gb_recover_locked(struct gb_engine *engine);
/* No lock held: what a reader calls when pages stay in change for long. */
enum gb_err gb_recover_stuck(struct gb_engine *engine);

/* replay.c: recovery's own way from frames to pages; every page is checked by its sum before it is written. */
enum gb_err gb_recover_replay(struct gb_engine *engine, uint64_t from, uint64_t to, uint64_t *db_size);

/* map.c: mappings that grow; whole writes. */
bool gb_map_cover(struct gb_map *map, int fd, uint64_t len);
void gb_map_drop(struct gb_map *map);
bool gb_write_at(int fd, const void *bytes, size_t len, uint64_t offset);
bool gb_write_zeros(int fd, uint64_t from, uint64_t to);

#endif
