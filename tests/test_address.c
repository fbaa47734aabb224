/* SPDX-License-Identifier: MIT */
/* The client's address, through proxies and past whoever pretends to be one. */
#include <criterion/criterion.h>

#include "address.h"

static struct gb_arena *arena;

static void
setup(void)
{
	arena = gb_arena_new();
}

static void
teardown(void)
{
	gb_arena_free(arena);
}

TestSuite(address, .init = setup, .fini = teardown, .timeout = 20);

Test(address, believes_nobody_who_is_not_trusted)
{
	static const char *const trusted[] = { NULL, "", "10.0.0.0/8", "192.0.2.2", "nonsense", "192.0.2.1/33", "192.0.2.1/",
		"192.0.2.1/x", "192.0.2.1x", "2001:db8::/32" };

	for (size_t i = 0; i < sizeof trusted / sizeof *trusted; i++)
		cr_assert_str_eq(gb_address_of_client(trusted[i], "192.0.2.1", "203.0.113.9", arena), "192.0.2.1", "%zu", i);
	cr_assert_str_eq(gb_address_of_client("192.0.2.1", "192.0.2.1", "203.0.113.9", arena), "203.0.113.9");
}

Test(address, takes_the_right_most_that_is_not_trusted)
{
	static const struct { const char *forwarded, *client; } rows[] = {
		{ NULL, "10.0.0.1" }, { "", "10.0.0.1" }, { " , ", "10.0.0.1" },
		{ "203.0.113.9", "203.0.113.9" }, { "1.2.3.4, 203.0.113.9", "203.0.113.9" },
		{ "1.2.3.4,203.0.113.9,10.0.0.7", "203.0.113.9" }, { "10.0.0.5, 10.0.0.6", "10.0.0.5" },
		{ "203.0.113.9, junk, 10.0.0.7", "10.0.0.7" }, { "203.0.113.9, junk", "10.0.0.1" },
		{ "203.0.113.9:4711", "10.0.0.1" }, { "unknown", "10.0.0.1" },
		{ "2001:db8::7, ::ffff:10.0.0.9", "2001:db8::7" }, { "2001:DB8:0:0::7", "2001:db8::7" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_assert_str_eq(gb_address_of_client("10.0.0.0/8, ::1", "10.0.0.1", rows[i].forwarded, arena),
		    rows[i].client, "%zu", i);
}

Test(address, knows_blocks_by_their_bits)
{
	static const struct { const char *trusted, *remote; bool is; } rows[] = {
		{ "10.1.2.0/23", "10.1.3.255", true }, { "10.1.2.0/23", "10.1.4.0", false },
		{ "10.1.2.3/32", "10.1.2.3", true }, { "10.1.2.3/32", "10.1.2.2", false }, { "0.0.0.0/0", "198.51.100.1", true },
		{ "0.0.0.0/0", "2001:db8::1", false }, { "::/0", "2001:db8::1", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true }, { "2001:db8::/33", "2001:db8:8000::1", false },
		{ "10.0.0.1", "::ffff:10.0.0.1", true }, { "::ffff:10.0.0.0/104", "10.9.9.9", true },
		{ "192.0.2.9\t10.0.0.1", "10.0.0.1", true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *client = gb_address_of_client(rows[i].trusted, rows[i].remote, "203.0.113.9", arena);

		cr_assert_eq(strcmp(client, "203.0.113.9") == 0, rows[i].is, "%zu: %s", i, client);
	}
}

Test(address, is_nothing_where_the_server_names_none)
{
	cr_assert_str_eq(gb_address_of_client("10.0.0.1", "", "203.0.113.9", arena), "");
	cr_assert_str_eq(gb_address_of_client("10.0.0.1", "unix:", "203.0.113.9", arena), "");
	cr_assert_str_eq(gb_address_of_client(NULL, "::ffff:192.0.2.1", NULL, arena), "192.0.2.1");
}
