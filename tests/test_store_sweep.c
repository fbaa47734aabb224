/* SPDX-License-Identifier: MIT */
/* test_store_sweep.c: what commits of the embedded store take along of what has expired. */
#include <string.h>

#include <criterion/criterion.h>

#include "store_number.h"

Test(store_sweep, sweeps_what_expired_a_day_ago_and_nothing_younger, .timeout = 60)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);

	cr_assert_eq(store_number_put_at(store, "s:old", "1", NOW + 10, NOW), GB_OK);
	cr_assert_eq(store_number_put_at(store, "s:young", "1", NOW + 1000, NOW), GB_OK);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(store_number_put_at(store, "u:1", "1", 0, NOW + DAY + 9), GB_OK);
	cr_assert(store_number_is_there(store, "s:old"));
	for (int i = 0; i < 20; i++)
		cr_assert_eq(store_number_put_at(store, "u:1", "1", 0, NOW + DAY + 10), GB_OK);
	cr_assert_not(store_number_is_there(store, "s:old"));
	cr_assert(store_number_is_there(store, "s:young"));
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

/*
 * A long value lies in several slots, of which all but the first begin with
 * bytes of the value soon after their head: once such bytes passed for the head
 * of an expired record, and the sweep took a live one away: lengths 16 and 5,
 * kind 1, at each place they can fall on.
 */
Test(store_sweep, sweeps_no_record_whose_value_looks_like_an_expired_one, .timeout = 60)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	static const char head[8] = { 16, 0, 5, 0, 1 };
	char value[3000], key[] = "u:long0";

	for (size_t turn = 0; turn < sizeof head; turn++) {
		struct gb_change change = { .kind = GB_PUT, .key = key, .value = value, .value_len = sizeof value };

		for (size_t i = 0; i < sizeof value; i++)
			value[i] = head[(i + turn) % sizeof head];
		key[6] = (char)('0' + turn);
		cr_assert_eq(gb_store_commit(store, &change, 1, NOW, NULL), GB_OK);
	}
	for (int i = 0; i < 40; i++)
		cr_assert_eq(store_number_put_at(store, "u:1", "1", 0, NOW + 20 * DAY), GB_OK);
	for (size_t turn = 0; turn < sizeof head; turn++) {
		key[6] = (char)('0' + turn);
		cr_assert(store_number_is_there(store, key), "%s", key);
	}
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

Test(store_sweep, sweeps_nothing_for_a_day_after_the_clock_jumped, .timeout = 60)
{
	const int64_t later = NOW + 40 * DAY;
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	char why[200];

	cr_assert_eq(store_number_put_at(store, "s:old", "1", NOW + 10, NOW), GB_OK);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(store_number_put_at(store, "u:1", "1", 0, later + i * 3600), GB_OK);
	cr_assert(store_number_is_there(store, "s:old"));
	cr_assert_eq(gb_store_health(store, later, why, sizeof why), GB_OK);
	cr_assert_not_null(strstr(why, "clock jumped"));
	for (int i = 0; i < 20; i++)
		cr_assert_eq(store_number_put_at(store, "u:1", "1", 0, later + DAY), GB_OK);
	cr_assert_not(store_number_is_there(store, "s:old"));
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

Test(store_sweep, sweeps_again_once_the_clock_came_back, .timeout = 60)
{
	const int64_t wrong = NOW + 400 * DAY, right = NOW + 2 * DAY;
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);

	cr_assert_eq(store_number_put_at(store, "s:old", "1", NOW + 10, NOW), GB_OK);
	cr_assert_eq(store_number_put_at(store, "s:live", "1", NOW + 50 * DAY, NOW), GB_OK);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(store_number_put_at(store, "u:1", "1", 0, wrong), GB_OK);
	cr_assert(store_number_is_there(store, "s:live"));
	for (int i = 0; i < 20; i++)
		cr_assert_eq(store_number_put_at(store, "u:1", "1", 0, right), GB_OK);
	cr_assert_not(store_number_is_there(store, "s:old"));
	cr_assert(store_number_is_there(store, "s:live"));
	gb_store_close(store);
	store_temporary_remove(&temporary);
}
