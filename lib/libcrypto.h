/* SPDX-License-Identifier: MIT */
#ifndef GB_LIBCRYPTO_H
#define GB_LIBCRYPTO_H

#include <stdbool.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

/*
 * libcrypto.so.3, loaded when the first key pair needs it. EVP linked into
 * every program would cost each start 16,600 relocations, 1.6 ms beside the 2.2
 * of an empty program, for programs that mostly check HMACs. Files that call
 * it see its types; no other does.
 */
#define GB_LIBCRYPTO_FUNCTIONS(X) \
	X(OPENSSL_init_crypto) X(ERR_clear_error) X(ERR_get_error) \
	X(BIO_new_mem_buf) X(BIO_free) X(PEM_read_bio_PrivateKey) X(PEM_read_bio_PUBKEY) \
	X(BN_bin2bn) X(BN_bn2binpad) X(BN_num_bits) X(BN_clear_free) \
	X(OSSL_PARAM_BLD_new) X(OSSL_PARAM_BLD_free) X(OSSL_PARAM_BLD_push_BN) X(OSSL_PARAM_BLD_push_utf8_string) \
	X(OSSL_PARAM_BLD_push_octet_string) X(OSSL_PARAM_BLD_to_param) X(OSSL_PARAM_free) \
	X(EVP_PKEY_free) X(EVP_PKEY_get_id) X(EVP_PKEY_get_bn_param) X(EVP_PKEY_get_group_name) \
	X(EVP_PKEY_get_octet_string_param) X(EVP_PKEY_get_raw_private_key) X(EVP_PKEY_get_raw_public_key) X(EVP_PKEY_Q_keygen) \
	X(EVP_PKEY_CTX_new) X(EVP_PKEY_CTX_new_from_name) X(EVP_PKEY_CTX_free) X(EVP_PKEY_fromdata_init) X(EVP_PKEY_fromdata) \
	X(EVP_PKEY_sign_init) X(EVP_PKEY_sign) X(EVP_PKEY_verify_init) X(EVP_PKEY_verify) \
	X(EVP_PKEY_CTX_set_rsa_padding) X(EVP_PKEY_CTX_set_signature_md) X(EVP_sha1) X(EVP_sha256) X(EVP_sha384) X(EVP_sha512) \
	X(PKCS5_PBKDF2_HMAC) \
	X(ECDSA_SIG_new) X(ECDSA_SIG_free) X(ECDSA_SIG_get0) X(d2i_ECDSA_SIG)

struct gb_libcrypto {
#define GB_LIBCRYPTO_POINTER(name) __typeof__(&name) name;
	GB_LIBCRYPTO_FUNCTIONS(GB_LIBCRYPTO_POINTER)
#undef GB_LIBCRYPTO_POINTER
};

/* Loads at the first call. NULL when there is no libcrypto.so.3. */
const struct gb_libcrypto *gb_libcrypto(void);

/*
 * Whether what just failed failed for want of memory, as far as libcrypto says. Empties its list of errors.
 * It does not always say.
 */
bool gb_libcrypto_lacked_memory(void);

#endif
