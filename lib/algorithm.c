/* SPDX-License-Identifier: MIT */
/* algorithm.c: one row, one algorithm. */
#include <string.h>

#include "algorithm.h"

static const struct gb_algorithm algorithms[] = {
	{ "HS256", GB_KEY_SECRET, GB_SHA256, 32 },
	{ "HS384", GB_KEY_SECRET, GB_SHA384, 48 },
	{ "HS512", GB_KEY_SECRET, GB_SHA512, 64 },
	{ "RS256", GB_KEY_RSA, GB_SHA256, 0 },
	{ "RS384", GB_KEY_RSA, GB_SHA384, 0 },
	{ "RS512", GB_KEY_RSA, GB_SHA512, 0 },
	{ "ES256", GB_KEY_P256, GB_SHA256, 0 },
	{ "EdDSA", GB_KEY_ED25519, GB_HASH_NONE, 0 },
};

const struct gb_algorithm *
gb_algorithm_at(size_t row)
{
	return row < sizeof algorithms / sizeof *algorithms ? &algorithms[row] : NULL;
}

const struct gb_algorithm *
gb_algorithm_find(const char *name)
{
	const struct gb_algorithm *algorithm;

	for (size_t row = 0; (algorithm = gb_algorithm_at(row)) != NULL; row++)
		if (strcmp(algorithm->name, name) == 0)
			return algorithm;
	return NULL;
}
