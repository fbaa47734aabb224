/* SPDX-License-Identifier: MIT */
/*
 * free.c: what is freed is overwritten. The endpoints' free, and that of every library that is linked into
 * them (-Wl,--wrap=free): bearer tokens, cookies and bodies pass through memory of libfcgi, which wipes
 * nothing. M_PERTURB does not help: glibc leaves small blocks, up to 1032 bytes, as they were.
 */
#include <malloc.h>
#include <string.h>

void __real_free(void *memory);
void __wrap_free(void *memory);

void
__wrap_free(void *memory)
{
	if (memory == NULL)
		return;
	explicit_bzero(memory, malloc_usable_size(memory));
	__real_free(memory);
}
