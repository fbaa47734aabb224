/* SPDX-License-Identifier: MIT */
/* Where requests come from: names of devices, and blocks an account knows. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "device.h"
#include "policy.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "

Test(device, names_what_it_recognizes)
{
	static const struct { const char *agent, *name; } all[] = {
		{ "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux" },
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT "Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows" },
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows" },
		{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari on macOS" },
		{ "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "Safari on iPhone" },
		{ "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone" },
		{ "Mozilla/5.0 (Linux; Android 15; K) " WEBKIT "Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android" },
		{ "Mozilla/5.0 (Linux; Android 15; K) " WEBKIT "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "Samsung Internet on Android" },
		{ "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT "Chrome/140.0.0.0 Safari/537.36", "Chrome on ChromeOS" },
		{ "curl/8.5.0", "curl" }, { "Dart/3.5 (dart:io)", "Dart" }, { "Something (Windows)", "Windows" },
		{ "", "" }, { "<script>alert(1)</script>", "" },
	};
	char device[GB_DEVICE_MAX + 1];

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		gb_device_name(all[i].agent, device);
		cr_expect_str_eq(device, all[i].name);
	}
}

Test(device, is_named_in_the_language_of_who_reads)
{
	static const struct { const char *language, *device, *text; } all[] = {
		{ "en", "Samsung Internet on Android", "Samsung Internet on Android" }, { "es", "Firefox on Linux", "Firefox en Linux" },
		{ "de", "Samsung Internet on Android", "Samsung Internet auf Android" }, { "de", "curl", "curl" }, { "es", "", "" },
	};
	struct gb_arena *arena = gb_arena_new();

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		cr_expect_str_eq(gb_device_text(arena, all[i].language, all[i].device), all[i].text);
	cr_expect_null(gb_device_text(arena, "de", NULL));
	gb_arena_free(arena);
}

static struct policy p;
static struct gb_user alice, bob;

static void
setup(void)
{
	policy_open(&p);
	policy_user(&p, "42", "alice@example.org", NULL, &alice);
	policy_user(&p, "43", "bob@example.org", NULL, &bob);
}

static void
teardown(void)
{
	policy_close(&p);
}

static bool
known_from(const char *address, const struct gb_user *user)
{
	p.call.address = address;
	return gb_device_known(&p.app, &p.call, user);
}

Test(device, knows_a_block_for_thirty_days, .init = setup, .fini = teardown)
{
	cr_expect_not(known_from("192.0.2.7", &alice));
	gb_device_remember(&p.app, &p.call, &alice);
	cr_expect(known_from("192.0.2.7", &alice));
	cr_expect(known_from("192.0.2.200", &alice));
	cr_expect_not(known_from("192.0.3.7", &alice));
	cr_expect_not(known_from("2001:db8::1", &alice));
	cr_expect_not(known_from("192.0.2.7", &bob), "another account");
	p.call.now = POLICY_NOW + 30 * 86400 - 1;
	cr_expect(known_from("192.0.2.7", &alice));
	p.call.now = POLICY_NOW + 30 * 86400;
	cr_expect_not(known_from("192.0.2.7", &alice));
	gb_device_remember(&p.app, &p.call, &alice);
	cr_expect(known_from("192.0.2.7", &alice));
	cr_expect_eq(alice.known_blocks_len, 1);
}

/* Two accounts at one address: their records do not show it. */
Test(device, writes_blocks_that_tell_nothing_about_others, .init = setup, .fini = teardown)
{
	gb_device_remember(&p.app, &p.call, &alice);
	gb_device_remember(&p.app, &p.call, &bob);
	cr_expect_arr_neq(alice.known_blocks[0].hash, bob.known_blocks[0].hash, 8);
}

Test(device, forgets_the_block_seen_longest_ago, .init = setup, .fini = teardown)
{
	char address[32];

	for (int i = 0; i < 8; i++) {
		snprintf(address, sizeof address, "198.51.%d.1", i);
		p.call.address = address;
		p.call.now = POLICY_NOW + i;
		gb_device_remember(&p.app, &p.call, &alice);
	}
	p.call.now = POLICY_NOW + 100;
	p.call.address = "198.51.0.1";
	gb_device_remember(&p.app, &p.call, &alice);
	p.call.address = "203.0.113.1";
	gb_device_remember(&p.app, &p.call, &alice);
	cr_expect_eq(alice.known_blocks_len, 8);
	cr_expect(known_from("198.51.0.1", &alice));
	cr_expect_not(known_from("198.51.1.1", &alice));
	cr_expect(known_from("198.51.2.1", &alice));
	cr_expect(known_from("203.0.113.1", &alice));
}
