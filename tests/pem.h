/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PEM_H
#define TESTS_PEM_H

/* Fresh key pairs as PEM, by libcrypto itself. Both strings are malloc'd. */
struct pem {
	char *private_key, *public_key;
};

/* kind: "RSA:2048", "RSA:2048:3" (exponent), "RSA-PSS:2048", "EC:P-256", "EC:P-384", "ED25519", "X25519". */
struct pem pem_make(const char *kind);
void pem_free(struct pem *pem);

/* The private key under a password; malloc'd. */
char *pem_encrypted(const char *private_key);
/* "RSA PRIVATE KEY", "EC PRIVATE KEY": the older forms; malloc'd. */
char *pem_traditional(const char *private_key);

/* Kept for the process: making RSA takes long. */
const struct pem *pem_of(const char *algorithm);

#endif
