/* SPDX-License-Identifier: MIT */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include "store.h"

/*
 * The store contract in memory, for policy tests: one process, no file, every
 * call can be made to fail and another operation can be played in between.
 *
 *	struct store_memory *memory = store_memory_new(&store);
 *	store_memory_before(memory, STORE_MEMORY_COMMIT, 1, steal, &context);
 *	...
 *	gb_store_close(store);		(frees memory too)
 */
enum store_memory_call {
	STORE_MEMORY_GET,
	STORE_MEMORY_COMMIT,
	STORE_MEMORY_SCAN,
	STORE_MEMORY_HEALTH,
	STORE_MEMORY_CALL__COUNT
};

enum store_memory_fault {
	STORE_MEMORY_NO_FAULT,
	STORE_MEMORY_UNAVAILABLE,	/* GB_ERR_STORE_UNAVAILABLE, nothing done */
	STORE_MEMORY_OUTCOME_LOST,	/* done, yet GB_ERR_STORE_UNAVAILABLE (commit only) */
	STORE_MEMORY_NO_MEMORY,		/* GB_ERR_MEMORY, nothing done */
	STORE_MEMORY_CONFLICT,		/* GB_ERR_CONFLICT, nothing done (commit only) */
};

#define STORE_MEMORY_EVERY 0u		/* for `nth`: every call */

struct store_memory;

/* A new empty store; *store is closed by gb_store_close, which frees all. NULL when there is no memory. */
struct store_memory *store_memory_new(struct gb_store **store);

/*
 * Calls hook(context, key) before the nth call of this kind from now (the
 * first is 1), key being the first key of that call ("" for health). The hook
 * may use the same store: calls made inside it are not counted, fire no hook
 * and meet no fault. One hook a kind; NULL takes it away.
 */
void store_memory_before(struct store_memory *memory, enum store_memory_call call, unsigned nth,
    void (*hook)(void *context, const char *key), void *context);

/* Lets the nth call of this kind from now fail; one fault a kind, STORE_MEMORY_NO_FAULT ends it. */
void store_memory_fail(struct store_memory *memory, enum store_memory_call call, unsigned nth,
    enum store_memory_fault fault);

/* Calls of this kind so far, those inside hooks not counted. */
unsigned store_memory_calls(const struct store_memory *memory, enum store_memory_call call);

/* Records that exist, expired ones too: what a test counts to see that nothing was left or lost. */
size_t store_memory_records(const struct store_memory *memory);

#endif
