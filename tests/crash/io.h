/* SPDX-License-Identifier: MIT */
#ifndef CRASH_IO_H
#define CRASH_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The system calls of the store, seen from below: linked into the crash tests
 * these definitions stand before those of the C library. They can fail once,
 * and they can write down all that reaches the files of a store.
 */
enum io_call {
	IO_PREAD,
	IO_PWRITE,
	IO_FDATASYNC,
	IO_FSYNC,
	IO_FTRUNCATE,
	IO_FALLOCATE,
	IO_OPEN,
	IO_RENAME,
	IO_MMAP,
	IO_MALLOC,
	IO_CALL__COUNT
};

extern const char *const io_names[IO_CALL__COUNT];

/* The nth call from now fails with `error`; `forever`: all after it too. nth 0: none does. */
void io_fail(enum io_call call, unsigned nth, int error, bool forever);
/* Calls since io_fail. */
unsigned io_count(enum io_call call);

/*
 * The record of a run: events in the order in which they happened, of all
 * processes that io_trace's caller forks later.
 */
enum io_file { IO_GDBM, IO_LOG, IO_SUMS, IO_FILE__COUNT, IO_NONE = IO_FILE__COUNT };

enum io_kind {
	IO_WRITE = 'W',			/* offset, len; the bytes follow */
	IO_LENGTH = 'T',		/* offset: the file's new length */
	IO_SYNCED = 'F',		/* of what happened before event number `aux` */
	IO_ACK = 'A',			/* worker `file` was told that its transaction `aux` is done */
	IO_RENAMED = 'R',		/* store.log.new became store.log */
	IO_DIRECTORY = 'D',		/* names before event number `aux` are durable */
};

struct io_event {
	uint32_t kind, file;
	uint64_t offset, len, aux;
};

void io_trace(const char *path);
/* All processes but the one that called io_trace die before their next recorded call, as long as it is on. */
void io_stop(bool stop);
void io_ack(unsigned worker, uint64_t number);

#endif
