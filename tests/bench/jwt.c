/* SPDX-License-Identifier: MIT */
/*
 * jwt.c: one operation, N times, for tests/bench/jwt:
 *
 *	jwt WHAT ALG N [TOKEN]
 *	raw		the bare operation under a prepared key: HMAC by EVP_MD_CTX_copy_ex of hashed pads;
 *			EVP_PKEY_verify, crypto_sign_verify_detached; over as many bytes as the token signs
 *	sign, verify	ours
 *
 * Prints nanoseconds of processor time for each, and with N = 0 the token.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "jwt.h"

#define NOW INT64_C(1700000100)

static const struct gb_jwt_policy policy;
static const struct gb_claims anna = {
	.subject = "42", .issued_at = NOW - 100, .expires_at = NOW + 86400, .jwt_id = "c2Vzc2lvbiBpZCAxNiBieQ", .fresh = true,
	.session_id = "AAECAwQFBgcICQoLDA0ODw", .email = "a@b.example", .email_verified = true,
};

static double
nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double
raw_hmac(const char *bytes, size_t len, long n)
{
	double begun;

	EVP_MD_CTX *inner = EVP_MD_CTX_new(), *outer = EVP_MD_CTX_new(), *work = EVP_MD_CTX_new();
	unsigned char pad[64], mac[64];
	unsigned mac_len;

	memset(pad, 0x36, sizeof pad);
	EVP_DigestInit_ex(inner, EVP_sha256(), NULL);
	EVP_DigestUpdate(inner, pad, sizeof pad);
	memset(pad, 0x5c, sizeof pad);
	EVP_DigestInit_ex(outer, EVP_sha256(), NULL);
	EVP_DigestUpdate(outer, pad, sizeof pad);
	begun = nanoseconds();
	while (n-- > 0) {
		EVP_MD_CTX_copy_ex(work, inner);
		EVP_DigestUpdate(work, bytes, len);
		EVP_DigestFinal_ex(work, mac, &mac_len);
		EVP_MD_CTX_copy_ex(work, outer);
		EVP_DigestUpdate(work, mac, mac_len);
		EVP_DigestFinal_ex(work, mac, &mac_len);
	}
	EVP_MD_CTX_free(inner);
	EVP_MD_CTX_free(outer);
	EVP_MD_CTX_free(work);
	return nanoseconds() - begun;
}

/* The key from a file: a fresh one would take more or less instructions in each run. */
static EVP_PKEY *
read_pem(void)
{
	FILE *file = fopen(getenv("PEM"), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);

	fclose(file);
	return key;
}

static double
raw_evp(const char *bytes, size_t len, long n)
{
	EVP_PKEY *key = read_pem();
	EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new(key, NULL), *verify = EVP_PKEY_CTX_new(key, NULL);
	unsigned char digest[32], signature[512];
	size_t signature_len = sizeof signature;
	double begun;

	EVP_PKEY_sign_init(sign);
	EVP_PKEY_CTX_set_signature_md(sign, EVP_sha256());
	EVP_PKEY_verify_init(verify);
	EVP_PKEY_CTX_set_signature_md(verify, EVP_sha256());
	EVP_Q_digest(NULL, "SHA256", NULL, bytes, len, digest, NULL);
	EVP_PKEY_sign(sign, signature, &signature_len, digest, sizeof digest);
	begun = nanoseconds();
	while (n-- > 0) {
		EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL);
		if (EVP_PKEY_verify(verify, signature, signature_len, digest, sizeof digest) != 1)
			abort();
	}
	EVP_PKEY_CTX_free(sign);
	EVP_PKEY_CTX_free(verify);
	EVP_PKEY_free(key);
	return nanoseconds() - begun;
}

static double
raw_ed25519(const char *bytes, size_t len, long n)
{
	static const unsigned char seed[32] = { 1 };
	unsigned char public_key[32], secret_key[64], signature[64];
	double begun;

	crypto_sign_seed_keypair(public_key, secret_key, seed);
	crypto_sign_detached(signature, NULL, (const unsigned char *)bytes, len, secret_key);
	begun = nanoseconds();
	while (n-- > 0)
		if (crypto_sign_verify_detached(signature, (const unsigned char *)bytes, len, public_key) != 0)
			abort();
	return nanoseconds() - begun;
}

static double
raw(const char *algorithm, const char *bytes, size_t len, long n)
{
	if (*algorithm == 'H')
		return raw_hmac(bytes, len, n);
	return strcmp(algorithm, "EdDSA") == 0 ? raw_ed25519(bytes, len, n) : raw_evp(bytes, len, n);
}

static double
ours(const char *what, const struct gb_keyring *keyring, const char *token, long n)
{
	struct gb_arena *arena = gb_arena_new();
	double begun = nanoseconds();
	struct gb_claims claims;
	const char *made;

	for (; n > 0; n--) {
		enum gb_err err = *what == 's' ? gb_jwt_sign(keyring, &policy, GB_PURPOSE_ACCESS, &anna, NOW, arena, &made) :
		    gb_jwt_verify(keyring, &policy, GB_PURPOSE_ACCESS, token, NOW, arena, &claims);

		if (err != GB_OK)
			abort();
		gb_arena_reset(arena);
	}
	gb_arena_free(arena);
	return nanoseconds() - begun;
}

int
main(int argc, char **argv)
{
	struct gb_config config = { .app_env = GB_ENV_DEVELOPMENT, .jwt_key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" };
	struct gb_arena *arena = gb_arena_new();
	struct gb_keyring *keyring;
	const char *token;
	char why[256];
	double taken;
	long n;

	if (argc < 4)
		return 64;
	config.algorithm = argv[2];
	config.state = getenv("STATE");
	if (gb_keyring_open(&config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring) != GB_OK ||
	    gb_jwt_sign(keyring, &policy, GB_PURPOSE_ACCESS, &anna, NOW, arena, &token) != GB_OK) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	if ((n = atol(argv[3])) == 0) {
		puts(token);
		return 0;
	}
	if (strcmp(argv[1], "raw") == 0)
		taken = raw(argv[2], token, (size_t)(strrchr(token, '.') - token), n);
	else
		taken = ours(argv[1], keyring, token, n);
	printf("%.1f\n", taken / (double)n);
	gb_keyring_close(keyring);
	gb_arena_free(arena);
	return 0;
}
