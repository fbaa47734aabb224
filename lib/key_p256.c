/* SPDX-License-Identifier: MIT */
/* key_p256.c: ECDSA on P-256 with SHA-256; a token holds r and s, 32 bytes each (RFC 7518 s3.4), libcrypto wants DER. */
#include <string.h>

#include "hmac.h"
#include "key_evp.h"

#define COORDINATE_LEN 32
#define DER_MAX 80		/* a sequence of two integers of up to 33 bytes */

static bool
push(struct gb_evp_builder *builder, const struct gb_numbers *numbers)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	unsigned char *point = builder->point;

	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1, numbers->of[GB_NUMBER_X].bytes, COORDINATE_LEN);
	memcpy(point + 1 + COORDINATE_LEN, numbers->of[GB_NUMBER_Y].bytes, COORDINATE_LEN);
	return c->OSSL_PARAM_BLD_push_utf8_string(builder->params, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
	    c->OSSL_PARAM_BLD_push_octet_string(builder->params, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * COORDINATE_LEN) == 1 &&
	    (!gb_numbers_are_private(numbers) || gb_evp_push(builder, OSSL_PKEY_PARAM_PRIV_KEY, numbers, GB_NUMBER_D));
}

enum gb_err
gb_p256_prepare(const struct gb_numbers *numbers, void **material)
{
	struct gb_evp_pair *pair;
	enum gb_err err;

	if ((err = gb_evp_pair_new("EC", numbers, push, &pair)) != GB_OK)
		return err;
	pair->signature_len = 2 * COORDINATE_LEN;
	*material = pair;
	return GB_OK;
}

static bool
from_der(const unsigned char *der, size_t der_len, unsigned char *signature)
{
	const struct gb_libcrypto *c = gb_libcrypto();
	ECDSA_SIG *parsed = c->d2i_ECDSA_SIG(NULL, &der, (long)der_len);
	const BIGNUM *r, *s;
	bool good = false;

	if (parsed != NULL) {
		c->ECDSA_SIG_get0(parsed, &r, &s);
		good = c->BN_bn2binpad(r, signature, COORDINATE_LEN) == COORDINATE_LEN &&
		    c->BN_bn2binpad(s, signature + COORDINATE_LEN, COORDINATE_LEN) == COORDINATE_LEN;
	}
	c->ECDSA_SIG_free(parsed);
	return good;
}

static enum gb_err
sign(const struct gb_key *key, const void *bytes, size_t bytes_len, unsigned char *signature, size_t *len)
{
	const struct gb_evp_pair *pair = key->material;
	unsigned char digest[GB_MAC_MAX], der[DER_MAX];
	size_t digest_len = gb_hash(GB_SHA256, bytes, bytes_len, digest), der_len = sizeof der;
	enum gb_err err = *len >= pair->signature_len ? gb_evp_sign(pair, digest, digest_len, der, &der_len) : GB_ERR_INTERNAL;

	if (err == GB_OK && !from_der(der, der_len, signature))
		err = GB_ERR_INTERNAL;
	if (err == GB_OK)
		*len = pair->signature_len;
	return err;
}

/* One INTEGER of DER: no leading zeros, but one before a byte with its high bit set. Returns the end. */
static unsigned char *
put_integer(unsigned char *at, const unsigned char *number)
{
	size_t len = COORDINATE_LEN;
	bool zero;

	while (len > 1 && *number == 0)
		number++, len--;
	zero = *number >= 0x80;
	*at++ = 0x02;
	*at++ = (unsigned char)(len + zero);
	if (zero)
		*at++ = 0;
	memcpy(at, number, len);
	return at + len;
}

static enum gb_err
verify(const struct gb_key *key, const void *bytes, size_t bytes_len, const unsigned char *signature, size_t len)
{
	const struct gb_evp_pair *pair = key->material;
	unsigned char digest[GB_MAC_MAX], der[DER_MAX], *end;
	size_t digest_len;

	if (len != pair->signature_len)
		return GB_ERR_SIGNATURE;
	end = put_integer(put_integer(der + 2, signature), signature + COORDINATE_LEN);
	der[0] = 0x30;
	der[1] = (unsigned char)(end - der - 2);
	digest_len = gb_hash(GB_SHA256, bytes, bytes_len, digest);
	return gb_evp_verify(pair, digest, digest_len, der, (size_t)(end - der));
}

const struct gb_key_operations gb_p256_operations = { sign, verify, gb_evp_pair_free };
