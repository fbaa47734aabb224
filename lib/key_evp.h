/* SPDX-License-Identifier: MIT */
#ifndef GB_KEY_EVP_H
#define GB_KEY_EVP_H

#include "key_pair.h"
#include "libcrypto.h"

/* What RSA and P-256 share: a key of libcrypto with its contexts set up once, which saves a sixth of a verify. */
struct gb_evp_pair {
	EVP_PKEY *key;
	EVP_PKEY_CTX *sign, *verify;	/* sign is NULL for a public key */
	size_t signature_len;		/* as it stands in a token */
};

/* What must live until the key is built: OSSL_PARAM_BLD copies late. */
struct gb_evp_builder {
	OSSL_PARAM_BLD *params;
	BIGNUM *numbers[GB_NUMBER__COUNT];
	size_t numbers_len;
	unsigned char point[65];
};

/* Pushes one number under libcrypto's name for it; false when there is no memory. */
bool gb_evp_push(struct gb_evp_builder *builder, const char *name, const struct gb_numbers *numbers, enum gb_number number);
typedef bool gb_evp_push_fn(struct gb_evp_builder *builder, const struct gb_numbers *numbers);

/*
 * Builds the key of `type` ("RSA", "EC") from what `push` pushes. GB_ERR_MISCONFIGURED: libcrypto
 * is not there, or does not take it.
 */
enum gb_err gb_evp_pair_new(const char *type, const struct gb_numbers *numbers, gb_evp_push_fn *push, struct gb_evp_pair **pair);
void gb_evp_pair_free(void *material);

/*
 * Of a digest. GB_ERR_MEMORY where libcrypto had none; else gb_evp_sign says GB_ERR_INTERNAL, gb_evp_verify
 * GB_ERR_SIGNATURE. *len as in key.h.
 */
enum gb_err gb_evp_sign(const struct gb_evp_pair *pair, const unsigned char *digest, size_t digest_len,
    unsigned char *signature, size_t *len);
enum gb_err gb_evp_verify(const struct gb_evp_pair *pair, const unsigned char *digest, size_t digest_len,
    const unsigned char *signature, size_t len);

#endif
