/* SPDX-License-Identifier: MIT */
/* refresh_id.c: ids that follow from a seed, so that the store holds one session and not each of its tokens. */
#include <string.h>

#include <sodium.h>

#include "base64url.h"
#include "refresh_id.h"

#define LABEL		"guardbee/1/jti"
#define GENERATION_LEN	8

static void
number_be(uint64_t number, unsigned char bytes[static GENERATION_LEN])
{
	for (unsigned i = 0; i < GENERATION_LEN; i++)
		bytes[i] = (unsigned char)(number >> (56 - 8 * i));
}

static void
tag_make(const unsigned char seed[static 32], uint64_t generation, unsigned char tag[static GB_REFRESH_TAG_LEN])
{
	crypto_auth_hmacsha256_state mac;
	unsigned char full[crypto_auth_hmacsha256_BYTES], number[GENERATION_LEN];

	number_be(generation, number);
	crypto_auth_hmacsha256_init(&mac, seed, 32);
	crypto_auth_hmacsha256_update(&mac, (const unsigned char *)LABEL, strlen(LABEL));
	crypto_auth_hmacsha256_update(&mac, number, sizeof number);
	crypto_auth_hmacsha256_final(&mac, full);
	memcpy(tag, full, GB_REFRESH_TAG_LEN);
	sodium_memzero(full, sizeof full);
}

void
gb_refresh_id(const unsigned char seed[static 32], uint64_t generation,
    char text[static GB_REFRESH_ID_TEXT + 1])
{
	unsigned char id[GENERATION_LEN + GB_REFRESH_TAG_LEN];

	number_be(generation, id);
	tag_make(seed, generation, id + GENERATION_LEN);
	gb_base64url_encode(text, id, sizeof id);
}

bool
gb_refresh_id_parse(const char *jwt_id, struct gb_refresh_id *id)
{
	unsigned char bytes[GENERATION_LEN + GB_REFRESH_TAG_LEN];
	size_t text_len = strnlen(jwt_id, GB_REFRESH_ID_TEXT + 1), len;

	if (text_len != GB_REFRESH_ID_TEXT || gb_base64url_decode(bytes, sizeof bytes, &len, jwt_id, text_len) != GB_OK)
		return false;
	id->generation = 0;
	for (unsigned i = 0; i < GENERATION_LEN; i++)
		id->generation = id->generation << 8 | bytes[i];
	memcpy(id->tag, bytes + GENERATION_LEN, GB_REFRESH_TAG_LEN);
	return true;
}

bool
gb_refresh_id_fits(const struct gb_refresh_id *id, const struct gb_session *session)
{
	unsigned char expected[GB_REFRESH_TAG_LEN];

	tag_make(session->seed, id->generation, expected);
	return sodium_memcmp(expected, id->tag, GB_REFRESH_TAG_LEN) == 0;
}

bool
gb_refresh_is_current(const struct gb_session *session, const char *jwt_id)
{
	struct gb_refresh_id id;

	return gb_refresh_id_parse(jwt_id, &id) && id.generation == session->generation &&
	    gb_refresh_id_fits(&id, session);
}
