/* SPDX-License-Identifier: MIT */
/* key_evp.c: from numbers to a key of libcrypto that is ready to sign and verify. */
#include <stdlib.h>

#include <sodium.h>

#include "key_evp.h"

bool
gb_evp_push(struct gb_evp_builder *builder, const char *name, const struct gb_numbers *numbers, enum gb_number number)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	BIGNUM *bn = c->BN_bin2bn(numbers->of[number].bytes, (int)numbers->of[number].len, NULL);

	if (bn == NULL)
		return false;
	builder->numbers[builder->numbers_len++] = bn;
	return c->OSSL_PARAM_BLD_push_BN(builder->params, name, bn) == 1;
}

static void
builder_free(struct gb_evp_builder *builder)
{
	const struct gb_libcrypto *c = gb_libcrypto();

	for (size_t i = 0; i < builder->numbers_len; i++)
		c->BN_clear_free(builder->numbers[i]);
	c->OSSL_PARAM_BLD_free(builder->params);
}

/* Numbers of a private key stand in them, and OSSL_PARAM_free does not wipe. */
static void
params_free(OSSL_PARAM *params)
{
	for (OSSL_PARAM *param = params; param != NULL && param->key != NULL; param++)
		sodium_memzero(param->data, param->data_size);
	gb_libcrypto()->OSSL_PARAM_free(params);
}

static EVP_PKEY *
key_from_params(const char *type, OSSL_PARAM *params, bool with_private)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	EVP_PKEY_CTX *context = c->EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (context == NULL || c->EVP_PKEY_fromdata_init(context) != 1 ||
	    c->EVP_PKEY_fromdata(context, &key, with_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	c->EVP_PKEY_CTX_free(context);
	return key;
}

static bool
set_up(struct gb_evp_pair *pair, bool with_private)
{
	const struct gb_libcrypto *c = gb_libcrypto();

	if ((pair->verify = c->EVP_PKEY_CTX_new(pair->key, NULL)) == NULL || c->EVP_PKEY_verify_init(pair->verify) != 1)
		return false;
	return !with_private ||
	    ((pair->sign = c->EVP_PKEY_CTX_new(pair->key, NULL)) != NULL && c->EVP_PKEY_sign_init(pair->sign) == 1);
}

/* Frees what `builder` holds, whatever happens. */
static enum gb_err
build(const char *type, struct gb_evp_builder *builder, bool with_private, struct gb_evp_pair **pair)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	OSSL_PARAM *params = c->OSSL_PARAM_BLD_to_param(builder->params);
	struct gb_evp_pair *made = calloc(1, sizeof *made);
	bool good = made != NULL && params != NULL && (made->key = key_from_params(type, params, with_private)) != NULL &&
	    set_up(made, with_private);

	params_free(params);
	builder_free(builder);
	if (!good) {
		bool lacked = made == NULL || gb_libcrypto_lacked_memory();

		gb_evp_pair_free(made);
		return lacked ? GB_ERR_MEMORY : GB_ERR_MISCONFIGURED;
	}
	c->ERR_clear_error();
	*pair = made;
	return GB_OK;
}

enum gb_err
gb_evp_pair_new(const char *type, const struct gb_numbers *numbers, gb_evp_push_fn *push, struct gb_evp_pair **pair)
{
	struct gb_evp_builder builder = { 0 };

	if (gb_libcrypto() == NULL)
		return GB_ERR_MISCONFIGURED;
	if ((builder.params = gb_libcrypto()->OSSL_PARAM_BLD_new()) == NULL || !push(&builder, numbers)) {
		builder_free(&builder);
		return GB_ERR_MEMORY;
	}
	return build(type, &builder, gb_numbers_are_private(numbers), pair);
}

void
gb_evp_pair_free(void *material)
{
	struct gb_evp_pair *pair = material;

	if (pair == NULL)
		return;
	gb_libcrypto()->EVP_PKEY_CTX_free(pair->sign);
	gb_libcrypto()->EVP_PKEY_CTX_free(pair->verify);
	gb_libcrypto()->EVP_PKEY_free(pair->key);
	free(pair);
}

enum gb_err
gb_evp_sign(const struct gb_evp_pair *pair, const unsigned char *digest, size_t digest_len, unsigned char *signature,
    size_t *len)
{
	if (pair->sign == NULL)
		return GB_ERR_INTERNAL;
	if (gb_libcrypto()->EVP_PKEY_sign(pair->sign, signature, len, digest, digest_len) == 1)
		return GB_OK;
	return gb_libcrypto_lacked_memory() ? GB_ERR_MEMORY : GB_ERR_INTERNAL;
}

enum gb_err
gb_evp_verify(const struct gb_evp_pair *pair, const unsigned char *digest, size_t digest_len,
    const unsigned char *signature, size_t len)
{
	if (gb_libcrypto()->EVP_PKEY_verify(pair->verify, signature, len, digest, digest_len) == 1)
		return GB_OK;
	return gb_libcrypto_lacked_memory() ? GB_ERR_MEMORY : GB_ERR_SIGNATURE;
}
