/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"

static bool
all_zero(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

Test(arena, hands_out_zeroed_aligned_memory)
{
	struct gb_arena *arena = gb_arena_new();

	for (size_t len = 0; len < 300; len++) {
		unsigned char *bytes = gb_arena_alloc(arena, len);

		cr_assert_not_null(bytes);
		cr_assert_eq((uintptr_t)bytes % alignof(max_align_t), 0);
		cr_assert(all_zero(bytes, len));
		memset(bytes, 0xff, len);
	}
	gb_arena_free(arena);
}

/* The first block stays mapped after a reset, so that the test may look at it. */
Test(arena, wipes_what_it_handed_out_on_reset)
{
	struct gb_arena *arena = gb_arena_new();
	char *secret = gb_arena_copy(arena, "correct horse battery staple", 28);

	cr_assert_str_eq(secret, "correct horse battery staple");
	gb_arena_reset(arena);
	cr_assert(all_zero((const unsigned char *)secret, 28));
	cr_assert_eq((void *)secret, gb_arena_alloc(arena, 1), "the first block is used again");
	gb_arena_free(arena);
}

Test(arena, refuses_more_than_its_maximum)
{
	struct gb_arena *arena = gb_arena_new();

	cr_assert_null(gb_arena_alloc(arena, GB_ARENA_MAX + 1));
	cr_assert_null(gb_arena_alloc(arena, SIZE_MAX));
	cr_assert_null(gb_arena_copy(arena, "", SIZE_MAX));
	cr_assert_not_null(gb_arena_alloc(arena, GB_ARENA_MAX / 2));
	cr_assert_null(gb_arena_alloc(arena, GB_ARENA_MAX / 2 + 1), "the maximum is for all of a request");
	gb_arena_reset(arena);
	cr_assert_not_null(gb_arena_alloc(arena, GB_ARENA_MAX / 2 + 1), "a new request has all of it again");
	gb_arena_free(arena);
}

Test(arena, keeps_what_it_handed_out_while_it_grows)
{
	struct gb_arena *arena = gb_arena_new();
	char *text[200];

	for (int i = 0; i < 200; i++)
		text[i] = gb_arena_printf(arena, "%d%*s", i, 1000, "");
	for (int i = 0; i < 200; i++) {
		char expected[8];
		int len = snprintf(expected, sizeof expected, "%d ", i);

		cr_assert_eq(memcmp(text[i], expected, (size_t)len), 0);
	}
	gb_arena_free(arena);
}
