/* SPDX-License-Identifier: MIT */
/* Spelling of addresses and user names. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "user.h"

static char email[GB_EMAIL_MAX + 1], username[GB_USERNAME_MAX + 1];

/* `locals` letters, an @, and a domain of labels of 63 that brings the whole to `all` bytes. */
static const char *
long_email(size_t locals, size_t all)
{
	static char text[400];

	memset(text, 'l', locals);
	text[locals] = '@';
	for (size_t i = 0; locals + 1 + i < all; i++)
		text[locals + 1 + i] = i % 64 == 63 ? '.' : 'd';
	memcpy(text + all - 3, ".xx", 4);
	return text;
}

TestSuite(email, .timeout = 20);
TestSuite(username, .timeout = 20);

Test(email, accepts_addresses_in_lower_case)
{
	static const struct { const char *typed, *canonical; } all[] = {
		{ "a@b.co", "a@b.co" }, { "first.last+tag@example.org", "first.last+tag@example.org" },
		{ "Alice@Example.ORG", "alice@example.org" }, { "o'neil@example.org", "o'neil@example.org" },
		{ "a@xn--bcher-kva.example", "a@xn--bcher-kva.example" }, { "12345@example.org", "12345@example.org" },
		{ "!#$%&'*+/=?^_`{|}~-@example.org", "!#$%&'*+/=?^_`{|}~-@example.org" },
		{ "a@1.2.3.example", "a@1.2.3.example" }, { "a@3com.com", "a@3com.com" }, { "a@b.c-d.e1", "a@b.c-d.e1" },
		{ "_@b.co", "_@b.co" },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		cr_expect_eq(gb_email_parse(all[i].typed, email), GB_OK, "%s", all[i].typed);
		cr_expect_str_eq(email, all[i].canonical);
	}
}

Test(email, keeps_the_lengths_of_rfc_5321)
{
	cr_expect_eq(gb_email_parse(long_email(64, 100), email), GB_OK, "%s", long_email(64, 100));
	cr_expect_eq(gb_email_parse(long_email(65, 100), email), GB_ERR_INVALID_EMAIL);
	cr_expect_eq(gb_email_parse(long_email(64, 254), email), GB_OK, "%s", long_email(64, 254));
	cr_expect_eq(gb_email_parse(long_email(64, 255), email), GB_ERR_INVALID_EMAIL);
	cr_expect_str_empty(email);
	cr_expect_eq(gb_email_parse(long_email(1, 300), email), GB_ERR_INVALID_EMAIL);
	cr_expect_eq(gb_email_parse("a@" "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd" ".co", email), GB_OK, "label of 63");
	cr_expect_eq(gb_email_parse("a@" "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd" ".co", email), GB_ERR_INVALID_EMAIL);
}

Test(email, refuses_what_is_no_address)
{
	static const char *const bad[] = {
		"", "a", "@", "a@", "@b.co", "a.b.co", "a@b@c.co", "a@@b.co", "a@b", "a@localhost", ".a@b.co", "a.@b.co", "a..b@b.co",
		"a b@c.co", " a@b.co", "a@b.co ", "a@ b.co", "a\t@b.co", "a@b.co\r\nBcc: c@d.co", "a@b.co\n", "a\x7f@b.co", "a\x01@b.co",
		"<a@b.co>", "Name <a@b.co>", "a@b.co,c@d.co", "a@b.co;c@d.co", "a@-b.co", "a@b-.co", "a@b..co", "a@.b.co", "a@b.co.",
		"a@b_c.co", "-oX@b.co", "-@b.co", "\"a b\"@x.org", "\"a\"@x.org", "a@[127.0.0.1]", "a@127.0.0.1", "a@b.123", "a(c)@b.co", "a\\b@b.co",
		"a:b@b.co", "a[b]@b.co", "a@b.c/o", "a@b.c%6f", "a@b!c.co",
		"\xc3\xa4@b.co", "a@b\xc3\xbc" "cher.example", "a\xe2\x80\xae@b.co", "a\xe2\x80\x8b@b.co", "\xef\xbb\xbf" "a@b.co", "a\xc0\x80@b.co",
		"admin\xc4\xb1@b.co", "a\xc5\xbf@b.co", "\xe2\x84\xaa@b.co", "a\xef\xbc\xa0" "b.co", "\xd0\xb0@b.co", "a\xff@b.co", "a\xed\xa0\x80@b.co",
		NULL
	};

	for (const char *const *typed = bad; *typed != NULL; typed++) {
		strcpy(email, "before");
		cr_expect_eq(gb_email_parse(*typed, email), GB_ERR_INVALID_EMAIL, "%s", *typed);
		cr_expect_str_empty(email);
	}
}

/* Every byte in the place of x. */
Test(email, knows_every_byte)
{
	for (unsigned c = 1; c < 256; c++) {
		char local[] = "axb@c.co", domain[] = "a@bxc.co";
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		local[1] = (char)c;
		domain[3] = (char)c;
		cr_expect_eq(gb_email_parse(local, email) == GB_OK, letter || (c != '@' && strchr("!#$%&'*+-/=?^_`{|}~.", (int)c) != NULL), "local %u", c);
		cr_expect_eq(gb_email_parse(domain, email) == GB_OK, letter || c == '-' || c == '.', "domain %u", c);
	}
}

Test(username, accepts_names_in_lower_case)
{
	static const struct { const char *typed, *canonical; } all[] = {
		{ "abc", "abc" }, { "Alice", "alice" }, { "a-b_c.d9", "a-b_c.d9" }, { "a..", "a.." },
		{ "abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnopqrstuvwxyz012345" },
		{ "administrators", "administrators" }, { "adm", "adm" },
	};
	struct gb_config config = { .reserved_usernames = "admin administrator, Root,  www-data ," };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		cr_expect_eq(gb_username_parse(&config, all[i].typed, username), GB_OK, "%s", all[i].typed);
		cr_expect_str_eq(username, all[i].canonical);
	}
}

Test(username, refuses_what_is_no_name)
{
	static const char *const bad[] = {
		"", "ab", "abcdefghijklmnopqrstuvwxyz0123456", "9abc", "-abc", "_abc", ".abc", "a b", "abc ", " abc", "ab\tc", "ab\nc",
		"a@b", "a:b", "a/b", "a,b", "a;b", "a\"b", "a%b", "a\x7f" "b", "\xc3\xa4" "bc", "ab\xc3\xa4", "ab\xff", NULL
	};
	struct gb_config config = { .reserved_usernames = NULL };

	for (const char *const *typed = bad; *typed != NULL; typed++) {
		strcpy(username, "before");
		cr_expect_eq(gb_username_parse(&config, *typed, username), GB_ERR_INVALID_USERNAME, "%s", *typed);
		cr_expect_str_empty(username);
	}
}

Test(username, refuses_reserved_names)
{
	static const char *const reserved[] = { "admin", "Admin", "ADMINISTRATOR", "root", "www-data", NULL };
	struct gb_config config = { .reserved_usernames = "admin administrator, Root,  www-data ," };

	for (const char *const *typed = reserved; *typed != NULL; typed++) {
		cr_expect_eq(gb_username_parse(&config, *typed, username), GB_ERR_INVALID_USERNAME, "%s", *typed);
		cr_expect_eq(gb_username_canonical(*typed, username), GB_OK, "%s is a name all the same", *typed);
	}
	config.reserved_usernames = "";
	cr_expect_eq(gb_username_parse(&config, "admin", username), GB_OK);
}
