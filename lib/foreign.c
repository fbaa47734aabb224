/* SPDX-License-Identifier: MIT */
/* foreign.c: the kinds of foreign hashes, and those that are a wrapping round another. */
#define OPENSSL_SUPPRESS_DEPRECATED	/* as in hmac.c */
#include <string.h>

#include <openssl/sha.h>
#include <sodium.h>

#include "foreign.h"
#include "foreign_kind.h"
#include "hmac.h"

#define SHA_TAG_TEXT	28		/* base64 of SHA-1 */
#define SHA_PREFIX	"{SHA}"
#define DJANGO_BCRYPT	"bcrypt$"
#define DJANGO_SHA256	"bcrypt_sha256$"
#define WORDPRESS	"$wp"
#define WORDPRESS_KEY	"wp-sha384"

/* htpasswd -s: base64 of SHA-1, without a salt. */
static enum gb_err
sha_read(const char *hash, unsigned char tag[static SHA_DIGEST_LENGTH])
{
	const char *text = hash + strlen(SHA_PREFIX);
	size_t len;

	if (strlen(text) != SHA_TAG_TEXT || sodium_base642bin(tag, SHA_DIGEST_LENGTH, text, SHA_TAG_TEXT, NULL, &len,
	    NULL, sodium_base64_VARIANT_ORIGINAL) != 0 || len != SHA_DIGEST_LENGTH)
		return GB_ERR_MALFORMED;
	return GB_OK;
}

static enum gb_err
sha_check(const char *hash)
{
	unsigned char tag[SHA_DIGEST_LENGTH];

	return sha_read(hash, tag);
}

static enum gb_err
sha_verify(const char *hash, const char *password)
{
	unsigned char tag[SHA_DIGEST_LENGTH], made[SHA_DIGEST_LENGTH];
	SHA_CTX sha;

	/* not SHA1(): that one call goes through EVP */
	SHA1_Init(&sha);
	SHA1_Update(&sha, password, strlen(password));
	SHA1_Final(made, &sha);
	sodium_memzero(&sha, sizeof sha);
	return sha_read(hash, tag) == GB_OK ? gb_foreign_compare(made, tag, sizeof tag) : GB_ERR_MALFORMED;
}

static enum gb_err
django_bcrypt_check(const char *hash)
{
	return gb_crypt_check_bcrypt(hash + strlen(DJANGO_BCRYPT));
}

static enum gb_err
django_bcrypt_verify(const char *hash, const char *password)
{
	return gb_crypt_verify(hash + strlen(DJANGO_BCRYPT), password);
}

static enum gb_err
django_sha256_check(const char *hash)
{
	return gb_crypt_check_bcrypt(hash + strlen(DJANGO_SHA256));
}

/* bcrypt of the SHA-256 in hexadecimal, so that all of a password counts. */
static enum gb_err
django_sha256_verify(const char *hash, const char *password)
{
	unsigned char digest[GB_MAC_MAX];
	char text[2 * GB_MAC_MAX + 1];
	size_t len = gb_hash(GB_SHA256, password, strlen(password), digest);
	enum gb_err err;

	sodium_bin2hex(text, sizeof text, digest, len);
	err = gb_crypt_verify(hash + strlen(DJANGO_SHA256), text);
	sodium_memzero(digest, sizeof digest);
	sodium_memzero(text, sizeof text);
	return err;
}

static enum gb_err
wordpress_check(const char *hash)
{
	return gb_crypt_check_bcrypt(hash + strlen(WORDPRESS));
}

/* Since 6.8: bcrypt of the HMAC-SHA-384 in base64. */
static enum gb_err
wordpress_verify(const char *hash, const char *password)
{
	struct gb_hmac *hmac = gb_hmac_new(GB_SHA384, WORDPRESS_KEY, strlen(WORDPRESS_KEY));
	unsigned char mac[GB_MAC_MAX];
	char text[sodium_base64_ENCODED_LEN(GB_MAC_MAX, sodium_base64_VARIANT_ORIGINAL)];
	enum gb_err err;
	size_t len;

	if (hmac == NULL)
		return GB_ERR_BUSY;
	len = gb_hmac_mac(hmac, password, strlen(password), mac);
	gb_hmac_free(hmac);
	sodium_bin2base64(text, sizeof text, mac, len, sodium_base64_VARIANT_ORIGINAL);
	err = gb_crypt_verify(hash + strlen(WORDPRESS), text);
	sodium_memzero(mac, sizeof mac);
	sodium_memzero(text, sizeof text);
	return err;
}

static const struct gb_foreign_kind kinds[] = {
	{ "$2a$", gb_crypt_check_bcrypt, gb_crypt_verify },
	{ "$2b$", gb_crypt_check_bcrypt, gb_crypt_verify },
	{ "$2y$", gb_crypt_check_bcrypt, gb_crypt_verify },
	{ "$1$", gb_crypt_check_md5, gb_crypt_verify },
	{ "$5$", gb_crypt_check_sha, gb_crypt_verify },
	{ "$6$", gb_crypt_check_sha, gb_crypt_verify },
	{ "$y$", gb_crypt_check_yescrypt, gb_crypt_verify },
	{ "$gy$", gb_crypt_check_yescrypt, gb_crypt_verify },
	{ "$apr1$", gb_md5_check_apr1, gb_md5_verify_apr1 },
	{ "$P$", gb_md5_check_phpass, gb_md5_verify_phpass },
	{ "$H$", gb_md5_check_phpass, gb_md5_verify_phpass },
	{ WORDPRESS "$2y$", wordpress_check, wordpress_verify },
	{ SHA_PREFIX, sha_check, sha_verify },
	{ DJANGO_BCRYPT, django_bcrypt_check, django_bcrypt_verify },
	{ DJANGO_SHA256, django_sha256_check, django_sha256_verify },
	{ "pbkdf2:", gb_kdf_check, gb_kdf_verify },
	{ "pbkdf2_", gb_kdf_check, gb_kdf_verify },
	{ "scrypt:", gb_kdf_check, gb_kdf_verify },
	{ "scrypt$", gb_kdf_check, gb_kdf_verify },
};

static const struct gb_foreign_kind *
kind_find(const char *hash)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strncmp(hash, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return &kinds[i];
	return NULL;
}

enum gb_err
gb_foreign_check(const char *hash)
{
	const struct gb_foreign_kind *kind = kind_find(hash);

	return kind != NULL ? kind->check(hash) : GB_ERR_NOT_FOUND;
}

enum gb_err
gb_foreign_verify(const char *hash, const char *password)
{
	if (gb_foreign_check(hash) != GB_OK)
		return GB_ERR_STORE_UNAVAILABLE;
	return kind_find(hash)->verify(hash, password);
}
