/* SPDX-License-Identifier: MIT */
/* key_source.c: the keys of all purposes out of one. */
#include <string.h>

#include <sodium.h>

#include "key_source.h"

/* Derived keys sign HS256 whatever the key they come from (contract, "Tokens"). */
#define DERIVED_ALGORITHM "HS256"

enum gb_err
gb_key_source_derive(struct gb_key_source *source, const void *ikm, size_t ikm_len)
{
	const struct gb_algorithm *algorithm = gb_algorithm_find(DERIVED_ALGORITHM);
	unsigned char derived[GB_DERIVED_LEN];

	for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++) {
		if (source->keys[purpose] != NULL)
			continue;
		if (gb_key_derive(ikm, ikm_len, gb_purpose_name(purpose), derived))
			source->keys[purpose] = gb_key_new_secret(source->id, algorithm, derived, sizeof derived);
		sodium_memzero(derived, sizeof derived);
		if (source->keys[purpose] == NULL)
			return GB_ERR_MEMORY;
	}
	return GB_OK;
}

void
gb_key_source_clear(struct gb_key_source *source)
{
	for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++)
		gb_key_free(source->keys[purpose]);
	memset(source, 0, sizeof *source);
}
