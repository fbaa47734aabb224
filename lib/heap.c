/* SPDX-License-Identifier: MIT */
/*
 * heap.c: what is freed is overwritten, and no peer has memory allocated without measure. The endpoints' malloc
 * and free, and those of every library that is linked into them (-Wl,--wrap): bearer tokens, cookies and bodies
 * pass through memory of libfcgi, which wipes nothing. M_PERTURB does not help: glibc leaves small blocks, up to
 * 1032 bytes, as they were.
 */
#include <malloc.h>
#include <string.h>

#include "backend.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void __real_free(void *memory);
void __wrap_free(void *memory);

void *
__wrap_malloc(size_t size)
{
	if (size > GB_FASTCGI_PAIR_MAX && gb_fastcgi_refuse != NULL)
		longjmp(*gb_fastcgi_refuse, 1);
	return __real_malloc(size);
}

void
__wrap_free(void *memory)
{
	if (memory == NULL)
		return;
	explicit_bzero(memory, malloc_usable_size(memory));
	__real_free(memory);
}
