/* SPDX-License-Identifier: MIT */
/*
 * The first byte says what the rest is: a token as it stands, or a header or a
 * payload, signed right, so that what lies behind the signature is reached.
 */
#include <stdio.h>
#include <string.h>

#include "base64url.h"
#include "fuzz.h"
#include "hmac.h"
#include "jwt.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW 1500
#define PART_MAX 2048

static const char good_header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
static const char good_payload[] = "{\"sub\":\"42\",\"iat\":1000,\"nbf\":1000,\"exp\":2000,\"jti\":\"j\",\"fresh\":true,\"sid\":\"s\","
    "\"email\":\"a@b.co\",\"email_verified\":true,\"id\":\"42\",\"type\":\"access\"}";

static void
forge(const struct gb_hmac *hmac, const void *header, size_t header_len, const void *payload, size_t payload_len, char *token)
{
	unsigned char mac[GB_MAC_MAX];
	char *end = gb_base64url_encode(token, header, header_len);
	size_t mac_len;

	*end++ = '.';
	end = gb_base64url_encode(end, payload, payload_len);
	mac_len = gb_hmac_mac(hmac, token, (size_t)(end - token), mac);
	*end++ = '.';
	gb_base64url_encode(end, mac, mac_len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gb_config config = { .app_env = GB_ENV_PRODUCTION, .algorithm = "HS256", .jwt_key = KEY };
	static const struct gb_jwt_policy policy;
	static struct gb_keyring *keyring;
	static struct gb_hmac *hmac;
	static char token[8 * PART_MAX];
	struct gb_arena *arena = gb_arena_new();
	struct gb_claims claims;
	char why[256];
	enum gb_err err;

	if (keyring == NULL) {
		DEMAND(gb_keyring_open(&config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring) == GB_OK);
		hmac = gb_hmac_new(GB_SHA256, KEY, strlen(KEY));
	}
	if (size > 0 && size <= PART_MAX) {
		data++, size--;
		if (data[-1] % 3 == 0)
			snprintf(token, sizeof token, "%.*s", (int)size, (const char *)data);
		else if (data[-1] % 3 == 1)
			forge(hmac, data, size, good_payload, strlen(good_payload), token);
		else
			forge(hmac, good_header, strlen(good_header), data, size, token);
		for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++) {
			err = gb_jwt_verify(keyring, &policy, purpose, token, NOW, arena, &claims);
			DEMAND(err != GB_ERR_MEMORY && err != GB_ERR_INTERNAL);
			DEMAND((err == GB_OK || err == GB_ERR_TOKEN_EXPIRED) == (claims.subject != NULL));
			DEMAND(err != GB_OK || (purpose == GB_PURPOSE_ACCESS && claims.expires_at > NOW));
		}
	}
	gb_arena_free(arena);
	return 0;
}
