/* SPDX-License-Identifier: MIT */
/* key_rsa.c: RSASSA-PKCS1-v1_5 (RFC 7518 s3.3). */
#include "hmac.h"
#include "key_evp.h"

static const struct {
	const char *name;
	enum gb_number number;
} public_params[] = {
	{ OSSL_PKEY_PARAM_RSA_N, GB_NUMBER_N }, { OSSL_PKEY_PARAM_RSA_E, GB_NUMBER_E },
}, private_params[] = {
	{ OSSL_PKEY_PARAM_RSA_D, GB_NUMBER_D },
	{ OSSL_PKEY_PARAM_RSA_FACTOR1, GB_NUMBER_P }, { OSSL_PKEY_PARAM_RSA_FACTOR2, GB_NUMBER_Q },
	{ OSSL_PKEY_PARAM_RSA_EXPONENT1, GB_NUMBER_DP }, { OSSL_PKEY_PARAM_RSA_EXPONENT2, GB_NUMBER_DQ },
	{ OSSL_PKEY_PARAM_RSA_COEFFICIENT1, GB_NUMBER_QI },
};

static bool
set_scheme(EVP_PKEY_CTX *context, enum gb_hash hash)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	const EVP_MD *md = hash == GB_SHA256 ? c->EVP_sha256() : hash == GB_SHA384 ? c->EVP_sha384() : c->EVP_sha512();

	return context == NULL || (c->EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
	    c->EVP_PKEY_CTX_set_signature_md(context, md) == 1);
}

static bool
push(struct gb_evp_builder *builder, const struct gb_numbers *numbers)
{
	bool good = true;

	for (size_t i = 0; good && i < sizeof public_params / sizeof *public_params; i++)
		good = gb_evp_push(builder, public_params[i].name, numbers, public_params[i].number);
	if (!gb_numbers_are_private(numbers))
		return good;
	for (size_t i = 0; good && i < sizeof private_params / sizeof *private_params; i++)
		good = gb_evp_push(builder, private_params[i].name, numbers, private_params[i].number);
	return good;
}

enum gb_err
gb_rsa_prepare(const struct gb_numbers *numbers, void **material)
{
	struct gb_evp_pair *pair;
	enum gb_err err;

	if ((err = gb_evp_pair_new("RSA", numbers, push, &pair)) != GB_OK)
		return err;
	pair->signature_len = numbers->of[GB_NUMBER_N].len;
	if (!set_scheme(pair->sign, numbers->algorithm->hash) || !set_scheme(pair->verify, numbers->algorithm->hash)) {
		gb_evp_pair_free(pair);
		return GB_ERR_MISCONFIGURED;
	}
	*material = pair;
	return GB_OK;
}

static enum gb_err
sign(const struct gb_key *key, const void *bytes, size_t bytes_len, unsigned char *signature, size_t *len)
{
	const struct gb_evp_pair *pair = key->material;
	unsigned char digest[GB_MAC_MAX];
	size_t digest_len = gb_hash(key->algorithm->hash, bytes, bytes_len, digest);

	return *len >= pair->signature_len ? gb_evp_sign(pair, digest, digest_len, signature, len) : GB_ERR_INTERNAL;
}

/* Exactly as many bytes as the modulus: libraries have read past the end of shorter ones. */
static enum gb_err
verify(const struct gb_key *key, const void *bytes, size_t bytes_len, const unsigned char *signature, size_t len)
{
	const struct gb_evp_pair *pair = key->material;
	unsigned char digest[GB_MAC_MAX];
	size_t digest_len = gb_hash(key->algorithm->hash, bytes, bytes_len, digest);

	return len == pair->signature_len ? gb_evp_verify(pair, digest, digest_len, signature, len) : GB_ERR_SIGNATURE;
}

const struct gb_key_operations gb_rsa_operations = { sign, verify, gb_evp_pair_free };
