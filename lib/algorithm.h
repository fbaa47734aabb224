/* SPDX-License-Identifier: MIT */
#ifndef GB_ALGORITHM_H
#define GB_ALGORITHM_H

#include <stddef.h>

/* The signature algorithms of RFC 7518 s3.1 and RFC 8037 s3.1 that guardbee signs and verifies with. */
enum gb_hash { GB_HASH_NONE, GB_SHA256, GB_SHA384, GB_SHA512 };
enum gb_key_kind { GB_KEY_SECRET, GB_KEY_RSA, GB_KEY_P256, GB_KEY_ED25519 };

struct gb_algorithm {
	const char *name;		/* "alg", compared byte for byte */
	enum gb_key_kind kind;
	enum gb_hash hash;
	size_t secret_min;		/* bytes of a secret: as many as its hash has (RFC 7518 s3.2) */
};

/* NULL when there is no such row; "none" has none. */
const struct gb_algorithm *gb_algorithm_find(const char *name);
/* Row by row, for tests and lists; NULL behind the last. */
const struct gb_algorithm *gb_algorithm_at(size_t row);

#endif
