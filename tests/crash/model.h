/* SPDX-License-Identifier: MIT */
#ifndef CRASH_MODEL_H
#define CRASH_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

/*
 * A worker's n-th transaction puts n under its counter and changes two of its
 * MODEL_KEYS keys, in a way that follows from n: from the counter alone it is
 * known what every key must hold. A commit that is half there, lost or undone
 * shows.
 */
#define MODEL_NOW	INT64_C(1800000000)
#define MODEL_KEYS	60

/* Opens gdbm:dir; NULL, with `why`: refused. */
struct gb_store *model_open(const char *dir, char why[static 300]);

/* Transaction n. */
enum gb_err model_write(struct gb_store *store, struct gb_arena *arena, unsigned worker, uint64_t n);

enum model_verdict { MODEL_OK, MODEL_LOST, MODEL_WRONG, MODEL_UNREADABLE };

/* One key of a worker's own, between two of its transactions. */
enum model_verdict model_read(struct gb_store *store, struct gb_arena *arena, unsigned worker, unsigned key,
    uint64_t done);

/* All keys of a worker of which `done` transactions were acknowledged; *found: how many are there. */
enum model_verdict model_check(struct gb_store *store, struct gb_arena *arena, unsigned worker, uint64_t done,
    uint64_t *found);

/* The structure of the files of a closed store; false: `why`. */
bool model_structure(const char *dir, char why[static 300]);

/* A small generator, so that a seed repeats a run. */
uint64_t model_random(uint64_t *state);

/* Removes the files of a store and its directory. */
void model_remove(const char *dir);

#endif
