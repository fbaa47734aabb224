/* SPDX-License-Identifier: MIT */
/* foreign_md5.c: Apache's $apr1$ and phpass, two ways of calling MD5 often that no library of Debian's offers. */
#define OPENSSL_SUPPRESS_DEPRECATED	/* as in hmac.c */
#include <stdint.h>
#include <string.h>

#include <openssl/md5.h>
#include <sodium.h>

#include "foreign_kind.h"

#define APR1		"$apr1$"
#define APR1_SALT_MAX	8
#define APR1_ROUNDS	1000
#define PHPASS_SALT	8
#define PHPASS_LOG2_MIN	7
#define PHPASS_LOG2_MAX	18
#define TAG_TEXT	22		/* 16 bytes, six bits a digit */

static void
digits_put(char **text, uint32_t bits, unsigned count)
{
	for (; count > 0; count--, bits >>= 6)
		*(*text)++ = GB_FOREIGN_DIGITS[bits & 63];
}

enum gb_err
gb_md5_check_apr1(const char *hash)
{
	return gb_foreign_tail_ok(hash + strlen(APR1), APR1_SALT_MAX, TAG_TEXT) ? GB_OK : GB_ERR_MALFORMED;
}

struct apr1 {
	const char *password, *salt;
	size_t password_len, salt_len;
};

/* The first digest: the length of the password steers what goes in. */
static void
apr1_begin(const struct apr1 *a, unsigned char digest[static MD5_DIGEST_LENGTH])
{
	MD5_CTX md5;
	size_t left;

	MD5_Init(&md5);
	MD5_Update(&md5, a->password, a->password_len);
	MD5_Update(&md5, a->salt, a->salt_len);
	MD5_Update(&md5, a->password, a->password_len);
	MD5_Final(digest, &md5);
	MD5_Init(&md5);
	MD5_Update(&md5, a->password, a->password_len);
	MD5_Update(&md5, APR1, strlen(APR1));
	MD5_Update(&md5, a->salt, a->salt_len);
	for (left = a->password_len; left > MD5_DIGEST_LENGTH; left -= MD5_DIGEST_LENGTH)
		MD5_Update(&md5, digest, MD5_DIGEST_LENGTH);
	MD5_Update(&md5, digest, left);
	for (left = a->password_len; left > 0; left >>= 1)
		MD5_Update(&md5, (left & 1) != 0 ? "" : a->password, 1);
	MD5_Final(digest, &md5);
	sodium_memzero(&md5, sizeof md5);
}

static void
apr1_round(const struct apr1 *a, unsigned round, unsigned char digest[static MD5_DIGEST_LENGTH])
{
	const bool odd = round % 2 != 0;
	MD5_CTX md5;

	MD5_Init(&md5);
	MD5_Update(&md5, odd ? a->password : (const char *)digest, odd ? a->password_len : MD5_DIGEST_LENGTH);
	if (round % 3 != 0)
		MD5_Update(&md5, a->salt, a->salt_len);
	if (round % 7 != 0)
		MD5_Update(&md5, a->password, a->password_len);
	MD5_Update(&md5, odd ? (const char *)digest : a->password, odd ? MD5_DIGEST_LENGTH : a->password_len);
	MD5_Final(digest, &md5);
	sodium_memzero(&md5, sizeof md5);
}

static void
apr1_text(const unsigned char d[static MD5_DIGEST_LENGTH], char text[static TAG_TEXT])
{
	for (unsigned i = 0; i < 5; i++)
		digits_put(&text, (uint32_t)d[i] << 16 | (uint32_t)d[i + 6] << 8 | d[i < 4 ? i + 12 : 5], 4);
	digits_put(&text, d[11], 2);
}

enum gb_err
gb_md5_verify_apr1(const char *hash, const char *password)
{
	const char *salt = hash + strlen(APR1);
	const struct apr1 a = { password, salt, strlen(password), strcspn(salt, "$") };
	unsigned char digest[MD5_DIGEST_LENGTH];
	char text[TAG_TEXT];

	apr1_begin(&a, digest);
	for (unsigned round = 0; round < APR1_ROUNDS; round++)
		apr1_round(&a, round, digest);
	apr1_text(digest, text);
	sodium_memzero(digest, sizeof digest);
	return gb_foreign_compare(text, salt + a.salt_len + 1, sizeof text);
}

/* $P$, the rounds' logarithm in a digit, salt and tag without anything between them. */
enum gb_err
gb_md5_check_phpass(const char *hash)
{
	const int log2 = gb_foreign_digit(hash[3]);

	if (log2 < 0 || strspn(hash + 4, GB_FOREIGN_DIGITS) != PHPASS_SALT + TAG_TEXT ||
	    hash[4 + PHPASS_SALT + TAG_TEXT] != '\0')
		return GB_ERR_MALFORMED;
	return log2 >= PHPASS_LOG2_MIN && log2 <= PHPASS_LOG2_MAX ? GB_OK : GB_ERR_INVALID_FIELD;
}

static void
phpass_text(const unsigned char d[static MD5_DIGEST_LENGTH], char text[static TAG_TEXT])
{
	for (unsigned i = 0; i < 15; i += 3)
		digits_put(&text, d[i] | (uint32_t)d[i + 1] << 8 | (uint32_t)d[i + 2] << 16, 4);
	digits_put(&text, d[15], 2);
}

enum gb_err
gb_md5_verify_phpass(const char *hash, const char *password)
{
	const size_t len = strlen(password);
	unsigned char digest[MD5_DIGEST_LENGTH];
	char text[TAG_TEXT];
	MD5_CTX md5;

	MD5_Init(&md5);
	MD5_Update(&md5, hash + 4, PHPASS_SALT);
	MD5_Update(&md5, password, len);
	MD5_Final(digest, &md5);
	for (uint32_t rounds = UINT32_C(1) << gb_foreign_digit(hash[3]); rounds > 0; rounds--) {
		MD5_Init(&md5);
		MD5_Update(&md5, digest, sizeof digest);
		MD5_Update(&md5, password, len);
		MD5_Final(digest, &md5);
	}
	phpass_text(digest, text);
	sodium_memzero(&md5, sizeof md5);
	sodium_memzero(digest, sizeof digest);
	return gb_foreign_compare(text, hash + 4 + PHPASS_SALT, sizeof text);
}
