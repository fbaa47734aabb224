/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "error.h"

Test(error, has_a_full_row_for_every_cause)
{
	for (int err = GB_OK + 1; err < GB_ERR__COUNT; err++) {
		const struct gb_error_row *row = gb_error_row((enum gb_err)err);

		cr_assert_not_null(row->code, "row %d has no code", err);
		cr_assert_not_null(row->text, "row %d has no text", err);
		cr_assert_not_null(gb_error_cause((enum gb_err)err), "row %d has no cause", err);
		cr_assert(row->status >= 400 && row->status <= 503, "row %d has status %d", err, row->status);
	}
}

Test(error, names_each_cause_once)
{
	for (int a = GB_OK + 1; a < GB_ERR__COUNT; a++)
		for (int b = a + 1; b < GB_ERR__COUNT; b++)
			cr_assert_str_neq(gb_error_cause((enum gb_err)a), gb_error_cause((enum gb_err)b));
}

/* A forged, a misaddressed and a garbled token look alike from outside. */
Test(error, shows_every_bad_token_alike)
{
	const struct gb_error_row *shown = gb_error_row(GB_ERR_TOKEN_INVALID);

	for (int err = GB_ERR_MALFORMED; err <= GB_ERR_NOT_YET_VALID; err++) {
		const struct gb_error_row *row = gb_error_row((enum gb_err)err);

		cr_assert_eq(row->status, shown->status);
		cr_assert_str_eq(row->code, shown->code);
		cr_assert_str_eq(row->text, shown->text);
	}
	cr_assert_str_neq(gb_error_row(GB_ERR_TOKEN_EXPIRED)->code, shown->code);
}

Test(error, says_what_the_specification_says_of_an_expired_token)
{
	cr_assert_str_eq(gb_error_row(GB_ERR_TOKEN_EXPIRED)->text, "Token has expired");
	cr_assert_eq(gb_error_row(GB_ERR_TOKEN_EXPIRED)->status, 401);
}

Test(error, answers_internal_for_what_it_does_not_know)
{
	cr_assert_eq(gb_error_row(GB_OK), gb_error_row(GB_ERR_INTERNAL));
	cr_assert_eq(gb_error_row((enum gb_err)GB_ERR__COUNT), gb_error_row(GB_ERR_INTERNAL));
	cr_assert_eq(gb_error_row((enum gb_err)-1), gb_error_row(GB_ERR_INTERNAL));
}

/* A failure of ours must never read as a verdict about the client. */
Test(error, gives_our_own_failures_a_5xx)
{
	for (int err = GB_ERR_INTERNAL; err < GB_ERR__COUNT; err++)
		cr_assert_geq(gb_error_row((enum gb_err)err)->status, 500);
	for (int err = GB_OK + 1; err < GB_ERR_INTERNAL; err++)
		cr_assert_lt(gb_error_row((enum gb_err)err)->status, 500);
}
