/* SPDX-License-Identifier: MIT */
/* numbers_pem.c: numbers out of PEM, and fresh ones. */
#include <string.h>

#include <sodium.h>

#include "arena.h"
#include "libcrypto.h"
#include "numbers.h"

#define PEM_MAX (64 << 10)

/* How libcrypto calls the numbers of a key. */
static const struct parameter {
	const char *name;
	enum gb_number number;
	bool is_private;
} rsa[] = {
	{ OSSL_PKEY_PARAM_RSA_N, GB_NUMBER_N, false }, { OSSL_PKEY_PARAM_RSA_E, GB_NUMBER_E, false },
	{ OSSL_PKEY_PARAM_RSA_D, GB_NUMBER_D, true },
	{ OSSL_PKEY_PARAM_RSA_FACTOR1, GB_NUMBER_P, true }, { OSSL_PKEY_PARAM_RSA_FACTOR2, GB_NUMBER_Q, true },
	{ OSSL_PKEY_PARAM_RSA_EXPONENT1, GB_NUMBER_DP, true }, { OSSL_PKEY_PARAM_RSA_EXPONENT2, GB_NUMBER_DQ, true },
	{ OSSL_PKEY_PARAM_RSA_COEFFICIENT1, GB_NUMBER_QI, true },
}, p256[] = {
	{ OSSL_PKEY_PARAM_EC_PUB_X, GB_NUMBER_X, false }, { OSSL_PKEY_PARAM_EC_PUB_Y, GB_NUMBER_Y, false },
	{ OSSL_PKEY_PARAM_PRIV_KEY, GB_NUMBER_D, true },
};

static bool
take(const EVP_PKEY *key, const struct parameter *parameter, size_t len, struct gb_numbers *numbers)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	BIGNUM *bn = NULL;
	size_t needed = 0;

	if (c->EVP_PKEY_get_bn_param(key, parameter->name, &bn) == 1)
		needed = ((size_t)c->BN_num_bits(bn) + 7) / 8;
	if (len > needed && needed > 0)
		needed = len;
	if (needed > 0 && needed <= GB_NUMBER_MAX &&
	    c->BN_bn2binpad(bn, numbers->of[parameter->number].bytes, (int)needed) == (int)needed)
		numbers->of[parameter->number].len = needed;
	c->BN_clear_free(bn);
	return numbers->of[parameter->number].len > 0;
}

static bool
take_all(const EVP_PKEY *key, const struct parameter *parameters, size_t parameters_len, size_t len, bool private_key,
    struct gb_numbers *numbers)
{
	for (size_t i = 0; i < parameters_len; i++)
		if ((private_key || !parameters[i].is_private) && !take(key, &parameters[i], len, numbers))
			return false;
	return true;
}

static bool
take_ed25519(const EVP_PKEY *key, bool private_key, struct gb_numbers *numbers)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	size_t x_len = GB_NUMBER_MAX, d_len = GB_NUMBER_MAX;

	if (c->EVP_PKEY_get_raw_public_key(key, numbers->of[GB_NUMBER_X].bytes, &x_len) != 1)
		return false;
	numbers->of[GB_NUMBER_X].len = x_len;
	if (!private_key)
		return true;
	if (c->EVP_PKEY_get_raw_private_key(key, numbers->of[GB_NUMBER_D].bytes, &d_len) != 1)
		return false;
	numbers->of[GB_NUMBER_D].len = d_len;
	return true;
}

static bool
is_p256(const EVP_PKEY *key)
{
	char group[32] = "";
	size_t len;

	return gb_libcrypto()->EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 && strcmp(group, "prime256v1") == 0;
}

/* A key of RSASSA-PSS has another id than one of RSA, and is refused with it. */
static const char *
numbers_of(const EVP_PKEY *key, bool private_key, struct gb_numbers *numbers)
{
	int id = gb_libcrypto()->EVP_PKEY_get_id(key);
	bool good;

	switch (numbers->algorithm->kind) {
	case GB_KEY_RSA:
		good = id == EVP_PKEY_RSA && take_all(key, rsa, sizeof rsa / sizeof *rsa, 0, private_key, numbers);
		return good ? gb_numbers_fault(numbers) : "is not an RSA key of at most 8192 bits, as its algorithm needs";
	case GB_KEY_P256:
		good = id == EVP_PKEY_EC && is_p256(key) && take_all(key, p256, sizeof p256 / sizeof *p256, 32, private_key, numbers);
		return good ? NULL : "is not a P-256 key, as its algorithm needs";
	case GB_KEY_ED25519:
		good = id == EVP_PKEY_ED25519 && take_ed25519(key, private_key, numbers);
		return good ? NULL : "is not an Ed25519 key, as its algorithm needs";
	default:
		return "is a key pair, and its algorithm needs a secret";
	}
}

/* Else libcrypto would ask at the terminal. */
static int
no_password(char *password, int password_max, int writing, void *context)
{
	(void)password, (void)password_max, (void)writing, (void)context;
	return -1;
}

static EVP_PKEY *
pem_read(const char *pem, bool private_key)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	size_t len = strnlen(pem, PEM_MAX + 1);
	BIO *bio = len <= PEM_MAX ? c->BIO_new_mem_buf(pem, (int)len) : NULL;
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = private_key ? c->PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : c->PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	c->BIO_free(bio);
	return key;
}

static enum gb_err
read_once(const char *pem, bool private_key, struct gb_numbers *numbers, const char **fault)
{
	EVP_PKEY *key = pem_read(pem, private_key);
	bool lacked;

	if (key == NULL)
		*fault = private_key ? "is not a PEM private key without a password" : "is not a PEM public key";
	else
		*fault = numbers_of(key, private_key, numbers);
	gb_libcrypto()->EVP_PKEY_free(key);
	lacked = gb_libcrypto_lacked_memory();
	if (*fault == NULL)
		return GB_OK;
	return lacked ? GB_ERR_MEMORY : GB_ERR_MISCONFIGURED;
}

enum gb_err
gb_numbers_from_pem(const char *pem, bool private_key, const struct gb_algorithm *algorithm, struct gb_numbers *numbers,
    const char **fault)
{
	enum gb_err err;

	numbers->algorithm = algorithm;
	if (gb_libcrypto() == NULL) {
		*fault = "needs libcrypto.so.3, which is not there";
		return GB_ERR_MISCONFIGURED;
	}
	if ((err = read_once(pem, private_key, numbers, fault)) == GB_ERR_MISCONFIGURED)
		err = read_once(pem, private_key, numbers, fault);
	return err == GB_ERR_MISCONFIGURED && !gb_memory_is_left() ? GB_ERR_MEMORY : err;
}

static void
generate_ed25519(struct gb_numbers *numbers)
{
	unsigned char secret_key[crypto_sign_SECRETKEYBYTES];

	numbers->of[GB_NUMBER_X].len = crypto_sign_PUBLICKEYBYTES;
	numbers->of[GB_NUMBER_D].len = crypto_sign_SEEDBYTES;
	randombytes_buf(numbers->of[GB_NUMBER_D].bytes, crypto_sign_SEEDBYTES);
	crypto_sign_seed_keypair(numbers->of[GB_NUMBER_X].bytes, secret_key, numbers->of[GB_NUMBER_D].bytes);
	sodium_memzero(secret_key, sizeof secret_key);
}

static const char *
generate_by_libcrypto(int bits, struct gb_numbers *numbers)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	const char *fault;
	EVP_PKEY *key;

	if (c == NULL)
		return "needs libcrypto.so.3, which is not there";
	key = numbers->algorithm->kind == GB_KEY_RSA ? c->EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits) :
	    c->EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	fault = key != NULL ? numbers_of(key, true, numbers) : "could not be made";
	c->EVP_PKEY_free(key);
	c->ERR_clear_error();
	return fault;
}

const char *
gb_numbers_generate(const struct gb_algorithm *algorithm, int bits, struct gb_numbers *numbers)
{
	numbers->algorithm = algorithm;
	switch (algorithm->kind) {
	case GB_KEY_SECRET:
		numbers->of[GB_NUMBER_K].len = algorithm->secret_min;
		randombytes_buf(numbers->of[GB_NUMBER_K].bytes, algorithm->secret_min);
		return NULL;
	case GB_KEY_ED25519:
		generate_ed25519(numbers);
		return NULL;
	case GB_KEY_RSA:
		if (bits < 2048 || bits > 8192)
			return "must have 2048 to 8192 bits";
		/* fallthrough */
	default:
		return generate_by_libcrypto(bits, numbers);
	}
}
