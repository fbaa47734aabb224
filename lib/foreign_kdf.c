/* SPDX-License-Identifier: MIT */
/* foreign_kdf.c: PBKDF2 (libcrypto's) and scrypt (libsodium's) as Werkzeug and Django write them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "foreign_kind.h"
#include "libcrypto.h"

#define ITERATIONS_MAX	4000000u
#define BLOCKS_MAX	(1u << 21)	/* N r p of scrypt; 128 N r bytes are its memory */
#define TAG_MAX		64
#define TEXT_MAX	128		/* of a tag or salt */
#define NUMBER_MAX	9		/* digits */

static const struct { const char *name; size_t tag_len; } digests[] = {
	{ "sha1", 20 }, { "sha256", 32 }, { "sha512", 64 },
};

/* A hash taken apart. digest -1: scrypt. */
struct kdf {
	int digest;
	char name[8], number[3][NUMBER_MAX + 1], salt[TEXT_MAX + 1], text[TEXT_MAX + 1];
	uint32_t n, r, p;			/* n: also the iterations */
	unsigned char tag[TAG_MAX];
	size_t tag_len;
};

/* Classes of characters, never %u: that takes signs and blanks. */
static bool
cut(const char *hash, struct kdf *kdf, bool *hex)
{
	int end = -1;

	*hex = true;
	sscanf(hash, "pbkdf2:%7[a-z0-9]:%9[0-9]$%128[^$]$%128[0-9a-f]%n", kdf->name, kdf->number[0], kdf->salt, kdf->text, &end);
	if (end < 0)
		sscanf(hash, "scrypt:%9[0-9]:%9[0-9]:%9[0-9]$%128[^$]$%128[0-9a-f]%n", kdf->number[0], kdf->number[1],
		    kdf->number[2], kdf->salt, kdf->text, &end);
	if (end >= 0)
		return hash[end] == '\0';
	*hex = false;
	sscanf(hash, "pbkdf2_%7[a-z0-9]$%9[0-9]$%128[^$]$%128[0-9A-Za-z+/=]%n", kdf->name, kdf->number[0], kdf->salt, kdf->text, &end);
	if (end < 0)
		sscanf(hash, "scrypt$%9[0-9]$%128[^$]$%9[0-9]$%9[0-9]$%128[0-9A-Za-z+/=]%n", kdf->number[0], kdf->salt,
		    kdf->number[1], kdf->number[2], kdf->text, &end);
	return end >= 0 && hash[end] == '\0';
}

static bool
tag_read(struct kdf *kdf, bool hex)
{
	const size_t len = strlen(kdf->text);

	if (hex)
		return sodium_hex2bin(kdf->tag, TAG_MAX, kdf->text, len, NULL, &kdf->tag_len, NULL) == 0;
	return sodium_base642bin(kdf->tag, TAG_MAX, kdf->text, len, NULL, &kdf->tag_len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
}

static enum gb_err
bounds_check(const struct kdf *kdf)
{
	uint64_t blocks = (uint64_t)kdf->r * kdf->p;

	if (kdf->digest >= 0)
		return kdf->n >= 1 && kdf->n <= ITERATIONS_MAX ? GB_OK : GB_ERR_INVALID_FIELD;
	if (kdf->n < 2 || (kdf->n & (kdf->n - 1)) != 0 || blocks == 0)
		return GB_ERR_MALFORMED;
	return blocks <= BLOCKS_MAX && blocks * kdf->n <= BLOCKS_MAX ? GB_OK : GB_ERR_INVALID_FIELD;
}

static enum gb_err
kdf_read(const char *hash, struct kdf *kdf)
{
	const bool scrypt = strncmp(hash, "scrypt", 6) == 0;
	size_t tag_len = TAG_MAX;
	bool hex;

	*kdf = (struct kdf){ .digest = -1 };
	if (!cut(hash, kdf, &hex) || !tag_read(kdf, hex))
		return GB_ERR_MALFORMED;
	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
		if (strcmp(kdf->name, digests[i].name) == 0) {
			kdf->digest = (int)i;
			tag_len = digests[i].tag_len;
		}
	if (scrypt != (kdf->digest < 0) || kdf->tag_len != tag_len)
		return GB_ERR_MALFORMED;
	kdf->n = (uint32_t)strtoul(kdf->number[0], NULL, 10);
	kdf->r = (uint32_t)strtoul(kdf->number[1], NULL, 10);
	kdf->p = (uint32_t)strtoul(kdf->number[2], NULL, 10);
	return bounds_check(kdf);
}

enum gb_err
gb_kdf_check(const char *hash)
{
	struct kdf kdf;
	enum gb_err err = kdf_read(hash, &kdf);

	sodium_memzero(&kdf, sizeof kdf);
	return err;
}

static enum gb_err
pbkdf2(const struct kdf *kdf, const char *password, unsigned char *made)
{
	const struct gb_libcrypto *crypto = gb_libcrypto();
	const EVP_MD *md;

	if (crypto == NULL)
		return GB_ERR_STORE_UNAVAILABLE;
	md = kdf->digest == 0 ? crypto->EVP_sha1() : kdf->digest == 1 ? crypto->EVP_sha256() : crypto->EVP_sha512();
	return crypto->PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const unsigned char *)kdf->salt,
	    (int)strlen(kdf->salt), (int)kdf->n, md, (int)kdf->tag_len, made) == 1 ? GB_OK : GB_ERR_BUSY;
}

static enum gb_err
scrypt(const struct kdf *kdf, const char *password, unsigned char *made)
{
	return crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *)password, strlen(password), (const uint8_t *)kdf->salt,
	    strlen(kdf->salt), kdf->n, kdf->r, kdf->p, made, kdf->tag_len) == 0 ? GB_OK : GB_ERR_BUSY;
}

enum gb_err
gb_kdf_verify(const char *hash, const char *password)
{
	unsigned char made[TAG_MAX];
	struct kdf kdf;
	enum gb_err err;

	if ((err = kdf_read(hash, &kdf)) == GB_OK)
		err = kdf.digest >= 0 ? pbkdf2(&kdf, password, made) : scrypt(&kdf, password, made);
	if (err == GB_OK)
		err = gb_foreign_compare(made, kdf.tag, kdf.tag_len);
	sodium_memzero(made, sizeof made);
	sodium_memzero(&kdf, sizeof kdf);
	return err;
}
