/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "forge.h"

#define TEXT_MAX 16384

static char *
next_text(void)
{
	static char texts[16][TEXT_MAX];
	static size_t next;

	return texts[next++ % 16];
}

const char *
forge_base64url(const void *bytes, size_t len)
{
	return sodium_bin2base64(next_text(), TEXT_MAX, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

const char *
forge_parts(const char *header_part, const char *payload_part, const void *secret, size_t secret_len, int hash)
{
	const EVP_MD *md = hash == 256 ? EVP_sha256() : hash == 384 ? EVP_sha384() : EVP_sha512();
	unsigned char mac[64];
	char *token = next_text();
	unsigned mac_len;
	int len = snprintf(token, TEXT_MAX, "%s.%s", header_part, payload_part);

	HMAC(md, secret, (int)secret_len, (unsigned char *)token, (size_t)len, mac, &mac_len);
	snprintf(token + len, TEXT_MAX - (size_t)len, ".%s", forge_base64url(mac, mac_len));
	return token;
}

const char *
forge_token(const char *header, const char *payload, const void *secret, size_t secret_len, int hash)
{
	return forge_parts(forge_base64url(header, strlen(header)), forge_base64url(payload, strlen(payload)), secret, secret_len, hash);
}

const char *
forge_payload(const char *type, const char *name, const char *value)
{
	char quoted_type[32];
	const char *const access_members[][2] = {
		{ "sub", "\"42\"" }, { "id", "\"42\"" }, { "iat", "1000" }, { "nbf", "1000" }, { "exp", "2000" },
		{ "jti", "\"c2Vzc2lvbiBpZCAxNiBieQ\"" }, { "type", quoted_type },
		{ "fresh", strcmp(type, "access") == 0 ? "true" : "false" }, { "sid", "\"AAECAwQFBgcICQoLDA0ODw\"" },
		{ "email", "\"anna@example.org\"" }, { "email_verified", "true" },
	};
	char *payload = next_text(), *at = payload;
	int replaced = 0;

	snprintf(quoted_type, sizeof quoted_type, "\"%s\"", type);
	for (size_t i = 0; i < sizeof access_members / sizeof *access_members; i++) {
		const char *text = access_members[i][1];

		if (name != NULL && strcmp(name, access_members[i][0]) == 0) {
			text = value;
			replaced = 1;
		}
		if (text != NULL)
			at += sprintf(at, "%c\"%s\":%s", at == payload ? '{' : ',', access_members[i][0], text);
	}
	if (name != NULL && !replaced && value != NULL)
		at += sprintf(at, ",\"%s\":%s", name, value);
	strcpy(at, "}");
	return payload;
}
