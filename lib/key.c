/* SPDX-License-Identifier: MIT */
/* key.c: keys whatever their kind, and those that are secrets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "hmac.h"
#include "key.h"

#define SALT "guardbee/1"

bool
gb_key_id_is_good(const char *id)
{
	size_t len = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && len <= GB_KEY_ID_MAX && id[len] == '\0';
}

static void
write_header(struct gb_key *key)
{
	char json[GB_HEADER_JSON_MAX + 1];
	int len;

	if (key->id[0] == '\0')
		len = snprintf(json, sizeof json, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", key->algorithm->name);
	else
		len = snprintf(json, sizeof json, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", key->algorithm->name, key->id);
	strcpy(gb_base64url_encode(key->header, json, (size_t)len), ".");
	key->header_len = strlen(key->header);
}

struct gb_key *
gb_key_new(const char *id, const struct gb_algorithm *algorithm, const struct gb_key_operations *operations,
    void *material, bool can_sign)
{
	struct gb_key *key;

	if (material == NULL)
		return NULL;
	if ((key = calloc(1, sizeof *key)) == NULL) {
		operations->free(material);
		return NULL;
	}
	snprintf(key->id, sizeof key->id, "%s", id);
	key->algorithm = algorithm;
	key->operations = operations;
	key->material = material;
	key->can_sign = can_sign;
	write_header(key);
	return key;
}

void
gb_key_free(struct gb_key *key)
{
	if (key == NULL)
		return;
	key->operations->free(key->material);
	free(key);
}

static enum gb_err
secret_sign(const struct gb_key *key, const void *bytes, size_t bytes_len, unsigned char *signature, size_t *len)
{
	unsigned char mac[GB_MAC_MAX];
	size_t mac_len = gb_hmac_mac(key->material, bytes, bytes_len, mac);

	if (mac_len > *len)
		return GB_ERR_INTERNAL;
	memcpy(signature, mac, mac_len);
	*len = mac_len;
	return GB_OK;
}

static enum gb_err
secret_verify(const struct gb_key *key, const void *bytes, size_t bytes_len, const unsigned char *signature, size_t len)
{
	unsigned char mac[GB_MAC_MAX];
	size_t mac_len = gb_hmac_mac(key->material, bytes, bytes_len, mac);
	bool same = len == mac_len && sodium_memcmp(mac, signature, mac_len) == 0;

	sodium_memzero(mac, sizeof mac);	/* of forged content too: nobody may read a good MAC */
	return same ? GB_OK : GB_ERR_SIGNATURE;
}

static void
secret_free(void *material)
{
	gb_hmac_free(material);
}

static const struct gb_key_operations secret_operations = { secret_sign, secret_verify, secret_free };

struct gb_key *
gb_key_new_secret(const char *id, const struct gb_algorithm *algorithm, const void *secret, size_t secret_len)
{
	return gb_key_new(id, algorithm, &secret_operations, gb_hmac_new(algorithm->hash, secret, secret_len), true);
}

/* HMAC-SHA-256(key, bytes) under a key that is used once. */
static bool
mac_once(const void *key, size_t key_len, const void *bytes, size_t len, unsigned char mac[static GB_MAC_MAX])
{
	struct gb_hmac *hmac = gb_hmac_new(GB_SHA256, key, key_len);

	if (hmac == NULL)
		return false;
	gb_hmac_mac(hmac, bytes, len, mac);
	gb_hmac_free(hmac);
	return true;
}

bool
gb_key_derive(const void *ikm, size_t ikm_len, const char *label, unsigned char derived[static GB_DERIVED_LEN])
{
	unsigned char prk[GB_MAC_MAX], okm[GB_MAC_MAX];
	char info[64];
	int info_len = snprintf(info, sizeof info, SALT "/%s\x01", label);
	bool good = mac_once(SALT, strlen(SALT), ikm, ikm_len, prk) &&
	    mac_once(prk, GB_DERIVED_LEN, info, (size_t)info_len, okm);

	if (good)
		memcpy(derived, okm, GB_DERIVED_LEN);
	sodium_memzero(prk, sizeof prk);
	sodium_memzero(okm, sizeof okm);
	return good;
}
