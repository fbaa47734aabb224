/* SPDX-License-Identifier: MIT */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "pem.h"

static char *
text_of(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = calloc(1, (size_t)len + 1);
	memcpy(text, data, (size_t)len);
	BIO_free(bio);
	return text;
}

static EVP_PKEY *
generate(const char *kind)
{
	char type[16];
	unsigned bits = 0;
	unsigned long exponent = 65537;
	EVP_PKEY_CTX *context;
	EVP_PKEY *key = NULL;
	BIGNUM *e = BN_new();

	if (strncmp(kind, "EC:", 3) == 0) {
		BN_free(e);
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind + 3);
	}
	sscanf(kind, "%15[^:]:%u:%lu", type, &bits, &exponent);
	context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY_keygen_init(context);
	if (bits > 0) {
		EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits);
		BN_set_word(e, exponent);
		EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e);
	}
	EVP_PKEY_generate(context, &key);
	EVP_PKEY_CTX_free(context);
	BN_free(e);
	return key;
}

struct pem
pem_make(const char *kind)
{
	EVP_PKEY *key = generate(kind);
	BIO *private_bio = BIO_new(BIO_s_mem()), *public_bio = BIO_new(BIO_s_mem());
	struct pem pem;

	PEM_write_bio_PrivateKey(private_bio, key, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_PUBKEY(public_bio, key);
	EVP_PKEY_free(key);
	pem.private_key = text_of(private_bio);
	pem.public_key = text_of(public_bio);
	return pem;
}

void
pem_free(struct pem *pem)
{
	free(pem->private_key);
	free(pem->public_key);
}

static EVP_PKEY *
read_private(const char *private_key)
{
	BIO *bio = BIO_new_mem_buf(private_key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return key;
}

char *
pem_encrypted(const char *private_key)
{
	EVP_PKEY *key = read_private(private_key);
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "password", 8, NULL, NULL);
	EVP_PKEY_free(key);
	return text_of(bio);
}

char *
pem_traditional(const char *private_key)
{
	EVP_PKEY *key = read_private(private_key);
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
	EVP_PKEY_free(key);
	return text_of(bio);
}

const struct pem *
pem_of(const char *algorithm)
{
	static struct pem rsa, p256, ed25519;
	struct pem *pem = algorithm[0] == 'R' ? &rsa : algorithm[1] == 'S' ? &p256 : &ed25519;

	if (pem->private_key == NULL)
		*pem = pem_make(pem == &rsa ? "RSA:2048" : pem == &p256 ? "EC:P-256" : "ED25519");
	return pem;
}
