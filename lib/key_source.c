/* SPDX-License-Identifier: MIT */
/* key_source.c: the keys of all purposes out of one. */
#include <string.h>

#include <sodium.h>

#include "key_source.h"

/* Derived keys sign HS256 whatever the key they come from (contract, "Tokens"). */
#define DERIVED_ALGORITHM "HS256"

static enum gb_err
derive(struct gb_key_source *source, const struct gb_numbers *numbers)
{
	const struct gb_algorithm *algorithm = gb_algorithm_find(DERIVED_ALGORITHM);
	unsigned char ikm[GB_IKM_MAX], derived[GB_DERIVED_LEN];
	size_t ikm_len = gb_numbers_ikm(numbers, ikm);
	enum gb_err err = GB_OK;

	for (enum gb_purpose purpose = 0; err == GB_OK && purpose < GB_PURPOSE__COUNT; purpose++) {
		if (source->keys[purpose] != NULL)
			continue;
		if (gb_key_derive(ikm, ikm_len, gb_purpose_name(purpose), derived))
			source->keys[purpose] = gb_key_new_secret(source->id, algorithm, derived, sizeof derived);
		if (source->keys[purpose] == NULL)
			err = GB_ERR_MEMORY;
	}
	sodium_memzero(ikm, sizeof ikm);
	sodium_memzero(derived, sizeof derived);
	return err;
}

static void
drop_private(struct gb_numbers *numbers)
{
	for (enum gb_number number = GB_NUMBER_D; number < GB_NUMBER__COUNT; number++)
		numbers->of[number].len = 0;
	sodium_memzero(&numbers->of[GB_NUMBER_D], (GB_NUMBER__COUNT - GB_NUMBER_D) * sizeof numbers->of[0]);
}

static enum gb_err
publish(struct gb_key_source *source, const struct gb_numbers *numbers)
{
	if ((source->published = gb_numbers_new()) == NULL)
		return GB_ERR_MEMORY;
	*source->published = *numbers;
	drop_private(source->published);
	return GB_OK;
}

enum gb_err
gb_key_source_fill(struct gb_key_source *source, struct gb_numbers *numbers, enum gb_keyring_access access, const char **fault)
{
	bool pair = numbers->algorithm->kind != GB_KEY_SECRET;
	enum gb_err err;

	if (pair && access == GB_KEYS_VERIFY)
		drop_private(numbers);
	if ((err = gb_key_from_numbers(source->id, numbers, &source->keys[GB_PURPOSE_ACCESS], fault)) != GB_OK ||
	    (pair && (err = publish(source, numbers)) != GB_OK))
		return err;
	return gb_numbers_are_private(numbers) ? derive(source, numbers) : GB_OK;
}

enum gb_err
gb_key_source_fill_secret(struct gb_key_source *source, const struct gb_numbers *numbers)
{
	source->keys[GB_PURPOSE_ACCESS] = gb_key_new_secret(source->id, numbers->algorithm, numbers->of[GB_NUMBER_K].bytes,
	    numbers->of[GB_NUMBER_K].len);
	return source->keys[GB_PURPOSE_ACCESS] != NULL ? derive(source, numbers) : GB_ERR_MEMORY;
}

void
gb_key_source_clear(struct gb_key_source *source)
{
	for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++)
		gb_key_free(source->keys[purpose]);
	gb_numbers_free(source->published);
	memset(source, 0, sizeof *source);
}
