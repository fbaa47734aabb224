/* SPDX-License-Identifier: MIT */
#ifndef GB_NUMBERS_H
#define GB_NUMBERS_H

#include <stdbool.h>

#include "algorithm.h"
#include "error.h"
#include "json.h"
#include "key.h"

/*
 * A key as the numbers it is made of (RFC 7518 s6, RFC 8037 s2), between the
 * forms it comes in (PEM, JWK), the forms it goes out in, and struct gb_key.
 * Unsigned, big-endian. 10 KB: allocate it, and wipe it.
 */
#define GB_NUMBER_MAX 1024

enum gb_number {
	GB_NUMBER_K,				/* secret */
	GB_NUMBER_N, GB_NUMBER_E,		/* RSA, public */
	GB_NUMBER_X, GB_NUMBER_Y,		/* P-256, public; Ed25519 has X only */
	GB_NUMBER_D,				/* private, of RSA, P-256 and Ed25519 */
	GB_NUMBER_P, GB_NUMBER_Q, GB_NUMBER_DP, GB_NUMBER_DQ, GB_NUMBER_QI,	/* RSA, private */
	GB_NUMBER__COUNT
};

struct gb_numbers {
	const struct gb_algorithm *algorithm;
	struct {
		size_t len;			/* 0: not there */
		unsigned char bytes[GB_NUMBER_MAX];
	} of[GB_NUMBER__COUNT];
};

/* NULL when there is no memory. */
struct gb_numbers *gb_numbers_new(void);
void gb_numbers_free(struct gb_numbers *numbers);	/* wipes */

bool gb_numbers_are_private(const struct gb_numbers *numbers);

/*
 * Sizes, exponent, presence of every number of the kind (RFC 7518 s3.2, s3.3).
 * NULL when they are good, else what is wrong, to follow a key's name:
 * "is an RSA key of less than 2048 bits".
 */
const char *gb_numbers_fault(const struct gb_numbers *numbers);

/* What other keys are derived from (design, "Keys": IKM). Returns its length; of private numbers only. */
#define GB_IKM_MAX (2 * GB_NUMBER_MAX)
size_t gb_numbers_ikm(const struct gb_numbers *numbers, unsigned char ikm[static GB_IKM_MAX]);

/*
 * Of a PEM private ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY") or
 * public key ("PUBLIC KEY") for this algorithm. `fault` says what is wrong with
 * GB_ERR_MISCONFIGURED; GB_ERR_MEMORY. A password is never asked for.
 */
enum gb_err gb_numbers_from_pem(const char *pem, bool private_key, const struct gb_algorithm *algorithm,
    struct gb_numbers *numbers, const char **fault);

/*
 * A fresh key: a secret of as many bytes as the hash has, RSA of `bits`, P-256,
 * Ed25519. NULL, or what is wrong.
 */
const char *gb_numbers_generate(const struct gb_algorithm *algorithm, int bits, struct gb_numbers *numbers);

/* Of a JWK with "alg" or, where `algorithm` is not NULL, for that one. NULL, or what is wrong. */
const char *gb_numbers_from_jwk(const struct gb_json *jwk, const struct gb_algorithm *algorithm,
    struct gb_numbers *numbers);
/* Members kty, crv, and the numbers (private ones only if `with_private`), then alg, into an open object. */
void gb_numbers_to_jwk(const struct gb_numbers *numbers, bool with_private, struct gb_json_writer *writer);

/*
 * The prepared key; private numbers are tried out, a signature is made and
 * verified. `fault` says what is wrong with GB_ERR_MISCONFIGURED; GB_ERR_MEMORY.
 */
enum gb_err gb_key_from_numbers(const char *id, const struct gb_numbers *numbers, struct gb_key **key,
    const char **fault);

#endif
