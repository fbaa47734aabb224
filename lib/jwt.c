/* SPDX-License-Identifier: MIT */
/* jwt.c: the compact form (RFC 7515 s7.1): three parts, a header we know, a signature that is right. */
#include <string.h>
#include <strings.h>

#include "base64url.h"
#include "claims.h"
#include "hmac.h"
#include "key.h"

struct parts {
	const char *header, *payload, *signature;
	size_t token_len, header_len, payload_len, signature_len;	/* dots not counted */
};

/*
 * Header members that would let a token choose its key or its decoding: a token
 * of ours has none of them, so one that has is not ours (RFC 8725 s3.10, s2.4).
 */
static const char *const refused_members[] = {
	"crit", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "b64", "zip", "enc", "cty",
};

/* "typ" that may stand in an access token; other tokens are "JWT". Media types know no case (RFC 7515 s4.1.9). */
static const char *const access_types[] = { "JWT", "at+jwt", "application/at+jwt" };

/* A third dot is left in the signature, where base64url knows none. */
static enum gb_err
split(const char *token, struct parts *parts)
{
	const char *first, *second, *end;

	parts->token_len = strnlen(token, GB_TOKEN_MAX + 1);
	end = token + parts->token_len;
	if (parts->token_len > GB_TOKEN_MAX || (first = memchr(token, '.', parts->token_len)) == NULL ||
	    (second = memchr(first + 1, '.', (size_t)(end - first - 1))) == NULL)
		return GB_ERR_MALFORMED;
	parts->header = token;
	parts->header_len = (size_t)(first - token);
	parts->payload = first + 1;
	parts->payload_len = (size_t)(second - first - 1);
	parts->signature = second + 1;
	parts->signature_len = (size_t)(end - second - 1);
	return GB_OK;
}

/* A part that is base64url of a JSON object. */
static enum gb_err
read_object(const char *part, size_t part_len, struct gb_arena *arena, const struct gb_json **object)
{
	size_t bytes_max = part_len / 4 * 3 + 2, len;
	char *bytes = gb_arena_alloc(arena, bytes_max);
	enum gb_err err;

	if (bytes == NULL)
		return GB_ERR_MEMORY;
	if ((err = gb_base64url_decode(bytes, bytes_max, &len, part, part_len)) != GB_OK)
		return err;
	if ((err = gb_json_parse(bytes, len, arena, object)) != GB_OK)
		return err == GB_ERR_INVALID_JSON ? GB_ERR_MALFORMED : err;
	return gb_json_is_object(*object) ? GB_OK : GB_ERR_MALFORMED;
}

/* A member of the header that must be a string. */
static enum gb_err
header_string(const struct gb_json *header, const char *name, const char **value)
{
	enum gb_err err = gb_json_string(header, name, value);

	return err == GB_OK || err == GB_ERR_MEMORY ? err : GB_ERR_MALFORMED;
}

static enum gb_err
check_header_type(const struct gb_json *header, enum gb_purpose purpose)
{
	size_t types_len = purpose == GB_PURPOSE_ACCESS ? sizeof access_types / sizeof *access_types : 1;
	const char *type;
	enum gb_err err;

	if ((err = header_string(header, "typ", &type)) != GB_OK)
		return err;
	for (size_t i = 0; i < types_len; i++)
		if (strcasecmp(type, access_types[i]) == 0)
			return GB_OK;
	return GB_ERR_TYPE;
}

/* Any header but one we wrote ourselves. */
static enum gb_err
find_key(const struct gb_keyring *keyring, enum gb_purpose purpose, const struct parts *parts, int64_t now,
    struct gb_arena *arena, const struct gb_key **key)
{
	const char *algorithm, *key_id = NULL;
	const struct gb_json *header;
	enum gb_err err;

	if ((err = read_object(parts->header, parts->header_len, arena, &header)) != GB_OK ||
	    (err = header_string(header, "alg", &algorithm)) != GB_OK)
		return err;
	for (size_t i = 0; i < sizeof refused_members / sizeof *refused_members; i++)
		if (gb_json_has(header, refused_members[i]))
			return GB_ERR_MALFORMED;
	if (gb_json_has(header, "kid")) {
		if ((err = header_string(header, "kid", &key_id)) != GB_OK)
			return err;
		if (!gb_key_id_is_good(key_id))
			return GB_ERR_KEY_ID;
	}
	if ((err = gb_keyring_find(keyring, purpose, key_id, algorithm, now, key)) != GB_OK)
		return err;
	return check_header_type(header, purpose);
}

static enum gb_err
check_signature(const struct gb_key *key, const struct parts *parts)
{
	unsigned char signature[GB_SIGNATURE_MAX];
	size_t len;

	if (gb_base64url_decode(signature, sizeof signature, &len, parts->signature, parts->signature_len) != GB_OK)
		return GB_ERR_MALFORMED;
	return key->operations->verify(key, parts->header, parts->header_len + 1 + parts->payload_len, signature, len);
}

enum gb_err
gb_jwt_verify(const struct gb_keyring *keyring, const struct gb_jwt_policy *policy, enum gb_purpose purpose,
    const char *token, int64_t now, struct gb_arena *arena, struct gb_claims *claims)
{
	const struct gb_key *key;
	const struct gb_json *payload;
	struct parts parts;
	struct gb_claims read = { 0 };
	enum gb_err err;

	memset(claims, 0, sizeof *claims);
	if ((err = split(token, &parts)) != GB_OK)
		return err;
	if ((key = gb_keyring_match(keyring, purpose, token, parts.token_len, now)) == NULL &&
	    (err = find_key(keyring, purpose, &parts, now, arena, &key)) != GB_OK)
		return err;
	if ((err = check_signature(key, &parts)) != GB_OK ||
	    (err = read_object(parts.payload, parts.payload_len, arena, &payload)) != GB_OK)
		return err;
	err = gb_claims_read(payload, policy, purpose, now, &read);
	if (err == GB_OK || err == GB_ERR_TOKEN_EXPIRED)
		*claims = read;
	return err;
}

/* Bytes that the token takes, its NUL counted. */
static size_t
room_for(const struct gb_key *key, size_t payload_len)
{
	size_t signature_max = key->algorithm->kind == GB_KEY_SECRET ? GB_MAC_MAX : GB_SIGNATURE_MAX;

	return key->header_len + GB_BASE64URL_LEN(payload_len) + 1 + GB_BASE64URL_LEN(signature_max) + 1;
}

enum gb_err
gb_jwt_sign(const struct gb_keyring *keyring, const struct gb_jwt_policy *policy, enum gb_purpose purpose,
    const struct gb_claims *claims, int64_t now, struct gb_arena *arena, const char **token)
{
	const struct gb_key *key = gb_keyring_signing_key(keyring, purpose, now);
	unsigned char signature[GB_SIGNATURE_MAX];
	size_t payload_len, signature_len = sizeof signature;
	const char *payload;
	char *text, *end;
	enum gb_err err;

	*token = NULL;
	if (key == NULL)
		return GB_ERR_INTERNAL;
	if ((payload = gb_claims_write(claims, policy, purpose, arena, &payload_len)) == NULL ||
	    (text = gb_arena_alloc(arena, room_for(key, payload_len))) == NULL)
		return GB_ERR_MEMORY;
	memcpy(text, key->header, key->header_len);
	end = gb_base64url_encode(text + key->header_len, payload, payload_len);
	if ((err = key->operations->sign(key, text, (size_t)(end - text), signature, &signature_len)) != GB_OK)
		return err;
	*end++ = '.';
	end = gb_base64url_encode(end, signature, signature_len);
	if (end - text > GB_TOKEN_MAX)
		return GB_ERR_INTERNAL;
	*token = text;
	return GB_OK;
}
