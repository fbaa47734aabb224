/* SPDX-License-Identifier: MIT */
/* test_crc32c.c: sums by instruction and by table. */
#include <string.h>

#include <criterion/criterion.h>

#include "store/crc32c.h"

/* RFC 3720 B.4. */
Test(crc32c, gives_the_published_sums_by_instruction_and_by_table)
{
	unsigned char bytes[32] = { 0 }, many[300];

	cr_assert_eq(gb_crc32c(0, bytes, 32), 0x8a9136aau);
	memset(bytes, 0xff, 32);
	cr_assert_eq(gb_crc32c(0, bytes, 32), 0x62a8ab43u);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	cr_assert_eq(gb_crc32c(0, bytes, 32), 0x46dd794eu);
	cr_assert_eq(gb_crc32c_table(0, bytes, 32), 0x46dd794eu);
	for (unsigned i = 0; i < sizeof many; i++)
		many[i] = (unsigned char)(i * 7);
	for (size_t len = 0; len <= sizeof many; len++) {
		cr_assert_eq(gb_crc32c(0, many, len), gb_crc32c_table(0, many, len));
		cr_assert_eq(gb_crc32c(gb_crc32c(0, many, len / 3), many + len / 3, len - len / 3),
		    gb_crc32c(0, many, len));
	}
}
