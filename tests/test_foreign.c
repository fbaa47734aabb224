/* SPDX-License-Identifier: MIT */
/* Hashes of other systems: verified as they are, and bounded. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "foreign.h"
#include "vectors/foreign.h"

#define SALT16	"abcdefghijklmnop"
#define TAG22	"mVxPDQNsXKO2q5tcaJnIP0"
#define TAG43	"jG.tU381s0SPEbm.dIQqYla3LTlZHjTgmNQspL9Msv."
#define TAG86	TAG43 TAG43
#define TAG53	"nTw004heVMMXGBOSU9Urxe0u2OsQa1GRmHwjVBnXetoNeIOEZMqqu"
#define HEX64	"356f5e435a131d755b12312df5524492ff32657cc37225bf74a0ec3aebb2667e"
#define BASE64	"8euLIdAa/NmWp1u2ZR876TZsRS02gwjqphccj7MXP54="

TestSuite(foreign, .timeout = 60);

Test(foreign, verifies_what_others_hashed)
{
	for (size_t i = 0; i < sizeof foreign_hashes / sizeof foreign_hashes[0]; i++) {
		const char *hash = foreign_hashes[i].hash, *maker = foreign_hashes[i].maker;

		cr_assert_eq(gb_foreign_check(hash), GB_OK, "%s", maker);
		cr_assert_eq(gb_foreign_verify(hash, FOREIGN_PASSWORD), GB_OK, "%s", maker);
		cr_assert_eq(gb_foreign_verify(hash, FOREIGN_PASSWORD "x"), GB_ERR_INVALID_CREDENTIALS, "%s", maker);
		cr_assert_eq(gb_foreign_verify(hash, "Walnut-harbour-seven-lanterns"), GB_ERR_INVALID_CREDENTIALS, "%s", maker);
		cr_assert_eq(gb_foreign_verify(hash, ""), GB_ERR_INVALID_CREDENTIALS, "%s", maker);
	}
}

Test(foreign, counts_every_byte_for_md5)
{
	for (size_t i = 0; i < sizeof md5_hashes / sizeof md5_hashes[0]; i++) {
		char password[300] = "";

		memset(password, 'a', md5_hashes[i].len);
		cr_expect_eq(gb_foreign_verify(md5_hashes[i].apr1, password), GB_OK, "apr1 of %zu", md5_hashes[i].len);
		cr_expect_eq(gb_foreign_verify(md5_hashes[i].phpass, password), GB_OK, "phpass of %zu", md5_hashes[i].len);
		password[md5_hashes[i].len] = 'a';
		cr_expect_eq(gb_foreign_verify(md5_hashes[i].apr1, password), GB_ERR_INVALID_CREDENTIALS);
		cr_expect_eq(gb_foreign_verify(md5_hashes[i].phpass, password), GB_ERR_INVALID_CREDENTIALS);
	}
}

/* One digit of the tag changed, wherever it stands: nobody's password. */
Test(foreign, compares_the_whole_tag)
{
	for (size_t i = 0; i < sizeof foreign_hashes / sizeof foreign_hashes[0]; i++) {
		const size_t len = strlen(foreign_hashes[i].hash);
		char hash[256];

		for (size_t back = 5; back <= 20; back += 5) {
			memcpy(hash, foreign_hashes[i].hash, len + 1);
			hash[len - back] = hash[len - back] == 'a' ? 'b' : 'a';
			cr_expect_eq(gb_foreign_verify(hash, FOREIGN_PASSWORD), GB_ERR_INVALID_CREDENTIALS, "%s, %zu from its end",
			    foreign_hashes[i].maker, back);
		}
	}
}

/* Cut short, or with something behind it: never a hash, and never run. */
Test(foreign, refuses_every_cut_and_every_tail)
{
	for (size_t i = 0; i < sizeof foreign_hashes / sizeof foreign_hashes[0]; i++) {
		char hash[256];

		for (size_t len = 0; len < strlen(foreign_hashes[i].hash); len++) {
			snprintf(hash, sizeof hash, "%.*s", (int)len, foreign_hashes[i].hash);
			cr_expect_neq(gb_foreign_check(hash), GB_OK, "%s", hash);
		}
		snprintf(hash, sizeof hash, "%s.", foreign_hashes[i].hash);
		cr_expect_eq(gb_foreign_check(hash), GB_ERR_MALFORMED, "%s", hash);
		cr_expect_eq(gb_foreign_verify(hash, FOREIGN_PASSWORD), GB_ERR_STORE_UNAVAILABLE, "%s", hash);
		snprintf(hash, sizeof hash, "%s\n", foreign_hashes[i].hash);
		cr_expect_eq(gb_foreign_check(hash), GB_ERR_MALFORMED, "%s", hash);
	}
}

Test(foreign, bounds_what_a_hash_may_cost)
{
	static const struct { const char *fits, *too_dear; } pairs[] = {
		{ "$2b$14$" TAG53, "$2b$15$" TAG53 },
		{ "$2b$04$" TAG53, "$2b$03$" TAG53 },
		{ "$wp$2y$14$" TAG53, "$wp$2y$31$" TAG53 },
		{ "bcrypt$$2b$14$" TAG53, "bcrypt$$2b$15$" TAG53 },
		{ "bcrypt_sha256$$2b$14$" TAG53, "bcrypt_sha256$$2b$15$" TAG53 },
		{ "$5$rounds=500000$" SALT16 "$" TAG43, "$5$rounds=500001$" SALT16 "$" TAG43 },
		{ "$6$rounds=1000$" SALT16 "$" TAG86, "$6$rounds=999$" SALT16 "$" TAG86 },
		{ "$6$rounds=500000$" SALT16 "$" TAG86, "$6$rounds=99999999999999999999$" SALT16 "$" TAG86 },
		{ "$y$jDT$" SALT16 "$" TAG43, "$y$jET$" SALT16 "$" TAG43 },
		{ "$gy$jDT$" SALT16 "$" TAG43, "$gy$jzz$" SALT16 "$" TAG43 },
		{ "$P$GsaltSALT" TAG22, "$P$HsaltSALT" TAG22 },
		{ "$H$5saltSALT" TAG22, "$H$4saltSALT" TAG22 },
		{ "pbkdf2:sha256:4000000$salt$" HEX64, "pbkdf2:sha256:4000001$salt$" HEX64 },
		{ "pbkdf2_sha256$1$salt$" BASE64, "pbkdf2_sha256$0$salt$" BASE64 },
		{ "scrypt:131072:8:2$salt$" HEX64 HEX64, "scrypt:131072:8:3$salt$" HEX64 HEX64 },
		{ "scrypt:262144:8:1$salt$" HEX64 HEX64, "scrypt:524288:8:1$salt$" HEX64 HEX64 },
		{ "scrypt:16384:8:1$salt$" HEX64 HEX64, "scrypt:16384:999999999:999999999$salt$" HEX64 HEX64 },
	};

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		cr_expect_eq(gb_foreign_check(pairs[i].fits), GB_OK, "%s", pairs[i].fits);
		cr_expect_eq(gb_foreign_check(pairs[i].too_dear), GB_ERR_INVALID_FIELD, "%s", pairs[i].too_dear);
		cr_expect_eq(gb_foreign_verify(pairs[i].too_dear, "x"), GB_ERR_STORE_UNAVAILABLE, "%s", pairs[i].too_dear);
	}
}

Test(foreign, refuses_what_is_not_well_formed)
{
	static const char *const malformed[] = {
		"$2b$1a$" TAG53, "$2b$5$n" TAG53, "$2b$ 5$" TAG53,
		"$1$123456789$" TAG22, "$1$salt$" TAG43, "$1$sa:t$" TAG22, "$1$sa lt$" TAG22,
		"$6$rounds=05000$" SALT16 "$" TAG86, "$6$rounds=+5000$" SALT16 "$" TAG86, "$6$rounds=5000" SALT16 "$" TAG86,
		"$6$" SALT16 "q$" TAG86, "$5$" SALT16 "$" TAG86,
		"$y$k9T$" SALT16 "$" TAG43, "$y$j9T" SALT16 "$" TAG43, "$y$j9T5$" SALT16 "$" TAG43, "$y$$" TAG43,
		"$apr1$123456789$" TAG22, "$P$!saltSALT" TAG22, "{SHA}PNkSNISRUV6ky3XczAWMJ/tqJdA", "{SHA}PNkSNISRUV6ky3XczAWMJ/tqJd!=",
		"{SHA}AAAAAAAAAAAAAAAAAAAAAAAAAAA==", "bcrypt$" TAG53,
		"pbkdf2:md5:1000$salt$" HEX64, "pbkdf2:sha256$salt$" HEX64, "pbkdf2:sha256:+1000$salt$" HEX64, "pbkdf2:sha512:1000$salt$" HEX64,
		"pbkdf2:sha256:1000$$" HEX64, "pbkdf2:sha256:0000001000$salt$" HEX64, "pbkdf2_sha256$1000$salt$" HEX64,
		"pbkdf2_sha1$1000$salt$" BASE64, "scrypt:1000:8:1$salt$" HEX64 HEX64, "scrypt:1024:0:1$salt$" HEX64 HEX64,
		"scrypt:1024:8:0$salt$" HEX64 HEX64, "scrypt:1024:8:1$salt$" HEX64, "scrypt$1024$salt$8$1$" BASE64,
	};

	for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
		cr_expect_eq(gb_foreign_check(malformed[i]), GB_ERR_MALFORMED, "%s", malformed[i]);
}

Test(foreign, knows_no_other_kind)
{
	static const char *const unknown[] = {
		"", "x", "*", "!", "!!", "password", "abJnggxhB/yWI", "5f4dcc3b5aa765d61d8327deb882cf99", "{SSHA}PNkSNISRUV6ky3XczAWMJ/tqJdA=",
		"$2$05$" TAG53, "$2x$05$" TAG53, "$3$$8846f7eaee8fb117ad06bdd830b7586c", "$sha1$40000$salt$tag", "$7$C6..../....salt$" TAG43,
		"$wp$2a$05$" TAG53, "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99", "sha256$salt$" HEX64, "$P", "_J9..rasmBYk8r9AiWNc",
	};

	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		cr_expect_eq(gb_foreign_check(unknown[i]), GB_ERR_NOT_FOUND, "%s", unknown[i]);
		cr_expect_eq(gb_foreign_verify(unknown[i], ""), GB_ERR_STORE_UNAVAILABLE, "%s", unknown[i]);
	}
}

/* libxcrypt takes 511 bytes; bcrypt counts 72 of them, as it did where the hash was made. */
Test(foreign, takes_passwords_of_any_length)
{
	char password[1025];

	memset(password, 'a', sizeof password - 1);
	password[sizeof password - 1] = '\0';
	for (size_t i = 0; i < sizeof foreign_hashes / sizeof foreign_hashes[0]; i++)
		cr_expect_eq(gb_foreign_verify(foreign_hashes[i].hash, password), GB_ERR_INVALID_CREDENTIALS, "%s", foreign_hashes[i].maker);
}
