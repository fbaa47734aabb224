/* SPDX-License-Identifier: MIT */
/*
 * arena.c: blocks in a list, the newest first; handed out bytes are wiped on reset. A block is zeroed as far
 * as it is used, not ahead: a plain CGI process never touches most of its pages.
 */
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "arena.h"

#define FIRST_BLOCK (16u << 10)
#define ENOUGH (256u << 10)		/* to read a key of 8192 bits, the largest we take */

struct block {
	struct block *next;
	size_t capacity, used;
	size_t zeroed;			/* bytes from the first that hold zeros or are in use; the rest hold anything */
	alignas(max_align_t) unsigned char bytes[];
};

struct gb_arena {
	struct block *blocks;
	size_t total;			/* bytes of all blocks */
};

static struct block *
block_new(size_t capacity)
{
	struct block *block = malloc(sizeof *block + capacity);

	if (block != NULL)
		*block = (struct block){ .capacity = capacity };
	return block;
}

static void
block_free(struct block *block)
{
	sodium_memzero(block->bytes, block->used);
	free(block);
}

struct gb_arena *
gb_arena_new(void)
{
	struct gb_arena *arena = calloc(1, sizeof *arena);

	if (arena == NULL)
		return NULL;
	if ((arena->blocks = block_new(FIRST_BLOCK)) == NULL) {
		free(arena);
		return NULL;
	}
	arena->total = FIRST_BLOCK;
	return arena;
}

void
gb_arena_free(struct gb_arena *arena)
{
	if (arena == NULL)
		return;
	gb_arena_reset(arena);
	block_free(arena->blocks);
	free(arena);
}

void *
gb_arena_alloc(struct gb_arena *arena, size_t len)
{
	const size_t align = alignof(max_align_t);
	struct block *block = arena->blocks;
	void *bytes;

	if (len > GB_ARENA_MAX)
		return NULL;
	len = (len + align - 1) / align * align;
	if (len == 0)
		len = align;
	if (len > block->capacity - block->used) {
		size_t capacity = len > FIRST_BLOCK ? len : FIRST_BLOCK;

		if (capacity > GB_ARENA_MAX - arena->total || (block = block_new(capacity)) == NULL)
			return NULL;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->total += capacity;
	}
	bytes = block->bytes + block->used;
	block->used += len;
	if (block->used > block->zeroed) {
		memset(block->bytes + block->zeroed, 0, block->used - block->zeroed);
		block->zeroed = block->used;
	}
	return bytes;
}

char *
gb_arena_copy(struct gb_arena *arena, const void *bytes, size_t len)
{
	char *copy = len < SIZE_MAX ? gb_arena_alloc(arena, len + 1) : NULL;

	if (copy != NULL && len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *
gb_arena_printf(struct gb_arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0 || (text = gb_arena_alloc(arena, (size_t)len + 1)) == NULL)
		return NULL;
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

bool
gb_memory_is_left(void)
{
	void *volatile some = malloc(ENOUGH);	/* volatile: or the compiler does without */
	bool is_left = some != NULL;

	free(some);
	return is_left;
}

void
gb_arena_reset(struct gb_arena *arena)
{
	struct block *block;

	while ((block = arena->blocks)->next != NULL) {
		arena->blocks = block->next;
		arena->total -= block->capacity;
		block_free(block);
	}
	sodium_memzero(block->bytes, block->used);
	block->used = 0;
}
