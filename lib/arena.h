/* SPDX-License-Identifier: MIT */
#ifndef GB_ARENA_H
#define GB_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory of one request. What is taken from an arena lives until its reset,
 * which wipes every byte that was handed out: wiping is nobody's duty.
 */
struct gb_arena;

#define GB_ARENA_MAX (4u << 20)		/* bytes one request may take in all */

/* NULL when there is no memory. */
struct gb_arena *gb_arena_new(void);
void gb_arena_free(struct gb_arena *arena);

/* Zeroed, aligned for any type; NULL past GB_ARENA_MAX or when there is no memory. */
void *gb_arena_alloc(struct gb_arena *arena, size_t len);

/* A copy with a NUL behind it; NULL as above. */
char *gb_arena_copy(struct gb_arena *arena, const void *bytes, size_t len);

/* printf into the arena; NULL as above. */
char *gb_arena_printf(struct gb_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Whether there is memory, 256 KiB at least. Not everybody below us says that he lacked some: so what
 * cannot be true of a key or a file is looked at twice, and is true while this is.
 */
bool gb_memory_is_left(void);

/* Wipes and forgets all; keeps the first block for the next request. */
void gb_arena_reset(struct gb_arena *arena);

#endif
