/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "forge.h"
#include "jwt.h"
#include "keyring.h"

#define NOW INT64_C(1500)
#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static const struct gb_jwt_policy plain_policy;
static struct gb_config config;
static struct gb_keyring *keyring;
static struct gb_arena *arena;
static struct gb_claims claims;

static void
setup(void)
{
	char why[256];

	config = (struct gb_config){ .app_env = GB_ENV_PRODUCTION, .algorithm = "HS256", .allowed_algorithms = "HS256", .jwt_key = KEY };
	cr_assert_eq(gb_keyring_open(&config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring), GB_OK);
	arena = gb_arena_new();
}

static void
teardown(void)
{
	gb_keyring_close(keyring);
	gb_arena_free(arena);
}

TestSuite(jwt, .init = setup, .fini = teardown);

static enum gb_err
verify_at(enum gb_purpose purpose, const char *token, const struct gb_jwt_policy *policy, int64_t now)
{
	gb_arena_reset(arena);
	return gb_jwt_verify(keyring, policy, purpose, token, now, arena, &claims);
}

static enum gb_err
verify(const char *token)
{
	return verify_at(GB_PURPOSE_ACCESS, token, &plain_policy, NOW);
}

static const char *
signed_token(const char *header, const char *payload)
{
	return forge_token(header, payload, KEY, strlen(KEY), 256);
}

static enum gb_err
verify_header(const char *header)
{
	return verify(signed_token(header, forge_payload("access", NULL, NULL)));
}

static enum gb_err
verify_payload(const char *payload)
{
	return verify(signed_token(HS256, payload));
}

/* An access token in which one claim has another value, or (NULL) is left out. */
static enum gb_err
verify_claim(const char *name, const char *value)
{
	return verify_payload(forge_payload("access", name, value));
}

static const struct gb_claims anna = {
	.subject = "42", .issued_at = 1000, .expires_at = 2000, .jwt_id = "c2Vzc2lvbiBpZCAxNiBieQ", .fresh = true,
	.session_id = "AAECAwQFBgcICQoLDA0ODw", .email = "anna@example.org", .email_verified = true, .username = "anna",
	.groups = { "staff", "editors" }, .groups_len = 2,
};

static char *
sign(enum gb_purpose purpose, const struct gb_claims *what, const struct gb_jwt_policy *policy)
{
	static char texts[8][GB_TOKEN_MAX + 1];
	static size_t next;
	const char *token;

	cr_assert_eq(gb_jwt_sign(keyring, policy, purpose, what, NOW, arena, &token), GB_OK);
	return strcpy(texts[next++ % 8], token);
}

static void
decode_part(const char *part, char *text)
{
	size_t len;

	cr_assert_eq(sodium_base642bin((unsigned char *)text, GB_TOKEN_MAX, part, strcspn(part, "."), NULL, &len, NULL,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
	text[len] = '\0';
}

/* ---- what is signed ---- */

Test(jwt, signs_the_bytes_of_the_contract)
{
	const struct gb_jwt_policy policy = { .issuer = "https://a.example", .audience = "site" };
	char text[GB_TOKEN_MAX + 1];
	const char *token = sign(GB_PURPOSE_ACCESS, &anna, &plain_policy);

	decode_part(token, text);
	cr_expect_str_eq(text, HS256);
	decode_part(strchr(token, '.') + 1, text);
	cr_expect_str_eq(text, "{\"sub\":\"42\",\"iat\":1000,\"nbf\":1000,\"exp\":2000,\"jti\":\"c2Vzc2lvbiBpZCAxNiBieQ\",\"fresh\":true,"
	    "\"sid\":\"AAECAwQFBgcICQoLDA0ODw\",\"email\":\"anna@example.org\",\"email_verified\":true,\"username\":\"anna\","
	    "\"groups\":[\"staff\",\"editors\"],\"id\":\"42\",\"type\":\"access\"}");
	cr_expect_str_eq(token, signed_token(HS256, text));

	decode_part(strchr(sign(GB_PURPOSE_RESET, &anna, &policy), '.') + 1, text);
	cr_expect_str_eq(text, "{\"sub\":\"42\",\"iat\":1000,\"nbf\":1000,\"exp\":2000,\"jti\":\"c2Vzc2lvbiBpZCAxNiBieQ\",\"id\":\"42\","
	    "\"type\":\"reset\",\"iss\":\"https://a.example\",\"aud\":\"site\"}");
}

Test(jwt, leaves_out_username_and_groups_where_there_are_none)
{
	struct gb_claims none = anna;
	char text[GB_TOKEN_MAX + 1];

	none.username = NULL;
	none.groups_len = 0;
	decode_part(strchr(sign(GB_PURPOSE_ACCESS, &none, &plain_policy), '.') + 1, text);
	cr_expect_null(strstr(text, "username"));
	cr_expect_null(strstr(text, "groups"));
	cr_expect_null(strstr(text, "aud"));
	cr_expect_eq(verify(sign(GB_PURPOSE_ACCESS, &none, &plain_policy)), GB_OK);
	cr_expect_null(claims.username);
	cr_expect_eq(claims.groups_len, 0);
}

Test(jwt, verifies_what_it_signed)
{
	cr_assert_eq(verify(sign(GB_PURPOSE_ACCESS, &anna, &plain_policy)), GB_OK);
	cr_expect_str_eq(claims.subject, anna.subject);
	cr_expect_eq(claims.issued_at, 1000);
	cr_expect_eq(claims.not_before, 1000);
	cr_expect_eq(claims.expires_at, 2000);
	cr_expect_str_eq(claims.jwt_id, anna.jwt_id);
	cr_expect_str_eq(claims.session_id, anna.session_id);
	cr_expect_str_eq(claims.email, anna.email);
	cr_expect_str_eq(claims.username, anna.username);
	cr_expect(claims.fresh && claims.email_verified);
	cr_assert_eq(claims.groups_len, 2);
	cr_expect_str_eq(claims.groups[0], "staff");
	cr_expect_str_eq(claims.groups[1], "editors");
}

/* Every purpose's token at every purpose's door. */
Test(jwt, refuses_another_purposes_token)
{
	struct gb_claims what = anna;

	for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++) {
		const char *token;

		what.fresh = purpose == GB_PURPOSE_ACCESS;
		token = sign(purpose, &what, &plain_policy);
		for (enum gb_purpose door = 0; door < GB_PURPOSE__COUNT; door++)
			cr_expect_eq(verify_at(door, token, &plain_policy, NOW), door == purpose ? GB_OK : GB_ERR_SIGNATURE, "%s at %s",
			    gb_purpose_name(purpose), gb_purpose_name(door));
	}
}

/* The same key by mistake or by an attacker who has one: the type alone must tell them apart. */
Test(jwt, refuses_another_type_under_the_right_key)
{
	static const char *const types[] = {
		"\"refresh\"", "\"reset\"", "\"verify-email\"", "\"change-email\"", "\"Access\"", "\"access \"", "\"\"",
	}, *const no_strings[] = { "1", "true", "null", "[\"access\"]", "{\"access\":1}", NULL };

	cr_expect_eq(verify_claim("type", "\"access\""), GB_OK);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		cr_expect_eq(verify_claim("type", types[i]), GB_ERR_TYPE, "%s", types[i]);
	for (size_t i = 0; i < sizeof no_strings / sizeof *no_strings; i++)
		cr_expect_eq(verify_claim("type", no_strings[i]), GB_ERR_CLAIM, "%zu", i);
}

/* ---- J1, J2: the compact form and its spelling ---- */

Test(jwt, refuses_other_numbers_of_segments)
{
	static const char *const bad[] = {
		"", ".", "..", "...", "....", "a", "a.b", "a.b.", ".a.b", "a..b", "..a", "a..", "a.b.c.d", "a.b.c.d.e",
		"{\"payload\":\"e30\",\"protected\":\"e30\",\"signature\":\"e30\"}",
		"{\"payload\":\"e30\",\"signatures\":[{\"protected\":\"e30\",\"header\":{\"kid\":\"a.b.c\"},\"signature\":\"e30\"}]}",
	};
	static char dots[1001];
	const char *token = sign(GB_PURPOSE_ACCESS, &anna, &plain_policy);
	char text[GB_TOKEN_MAX + 8];

	cr_expect_eq(verify(token), GB_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(verify(bad[i]), GB_ERR_MALFORMED, "%s", bad[i]);
	memset(dots, '.', 1000);
	cr_expect_eq(verify(dots), GB_ERR_MALFORMED);
	snprintf(text, sizeof text, ".%s", token);
	cr_expect_eq(verify(text), GB_ERR_MALFORMED);
	snprintf(text, sizeof text, "%s.", token);
	cr_expect_eq(verify(text), GB_ERR_MALFORMED);
	snprintf(text, sizeof text, "%s.e30", token);
	cr_expect_eq(verify(text), GB_ERR_MALFORMED);
}

static enum gb_err
verify_with_empty(size_t segment)
{
	char text[GB_TOKEN_MAX + 1], *token = sign(GB_PURPOSE_ACCESS, &anna, &plain_policy);
	char *payload = strchr(token, '.') + 1, *signature = strchr(payload, '.') + 1;

	payload[-1] = signature[-1] = '\0';
	snprintf(text, sizeof text, "%s.%s.%s", segment == 0 ? "" : token, segment == 1 ? "" : payload, segment == 2 ? "" : signature);
	return verify(text);
}

Test(jwt, refuses_empty_segments)
{
	cr_expect_eq(verify_with_empty(0), GB_ERR_MALFORMED);
	cr_expect_eq(verify_with_empty(1), GB_ERR_SIGNATURE);
	cr_expect_eq(verify_with_empty(2), GB_ERR_SIGNATURE);
	cr_expect_eq(verify_with_empty(3), GB_OK);
	cr_expect_eq(verify(forge_parts(forge_base64url(HS256, strlen(HS256)), "", KEY, strlen(KEY), 256)), GB_ERR_MALFORMED);
}

/* J2, exhaustive: every byte of a good token replaced by every other, left out, doubled. */
Test(jwt, refuses_every_single_character_edit)
{
	const char *token = sign(GB_PURPOSE_ACCESS, &anna, &plain_policy);
	size_t len = strlen(token), refused = 0;
	char *edited = malloc(len + 2);

	cr_assert_eq(verify(token), GB_OK);
	for (size_t i = 0; i < len; i++)
		for (int byte = 0; byte < 256; byte++) {
			memcpy(edited, token, len + 1);
			edited[i] = (char)byte;
			if (edited[i] != token[i])
				refused += verify(edited) != GB_OK;
		}
	cr_expect_eq(refused, len * 255);
	for (size_t i = 0; i < len; i++) {
		memcpy(edited, token, i);
		memcpy(edited + i, token + i + 1, len - i);
		cr_expect_neq(verify(edited), GB_OK, "without %zu", i);
		memcpy(edited, token, i + 1);
		memcpy(edited + i + 1, token + i, len - i + 1);
		cr_expect_neq(verify(edited), GB_OK, "%zu doubled", i);
	}
	free(edited);
}

/* Signed, so that only the spelling is wrong. */
Test(jwt, refuses_signed_tokens_in_another_spelling)
{
	static const char *const suffixes[] = { "=", "==", " ", "\t", "\n", "\r\n", "\xef\xbb\xbf", "A", "\x80", "%2E" };
	char header[128], payload[1024];
	const char *good_header = forge_base64url(HS256, strlen(HS256));
	const char *json = forge_payload("access", NULL, NULL), *good_payload = forge_base64url(json, strlen(json));

	cr_expect_eq(verify(forge_parts(good_header, good_payload, KEY, strlen(KEY), 256)), GB_OK);
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		snprintf(header, sizeof header, "%s%s", good_header, suffixes[i]);
		cr_expect_eq(verify(forge_parts(header, good_payload, KEY, strlen(KEY), 256)), GB_ERR_MALFORMED, "header %zu", i);
		snprintf(payload, sizeof payload, "%s%s", good_payload, suffixes[i]);
		cr_expect_eq(verify(forge_parts(good_header, payload, KEY, strlen(KEY), 256)), GB_ERR_MALFORMED, "payload %zu", i);
	}
}

Test(jwt, refuses_trailing_bits_in_every_segment)
{
	/* One more space makes the JSON's length leave bits over; the last character then has a neighbour that decodes alike. */
	const char *json = forge_payload("access", NULL, NULL);
	char spaced[2][1024], text[GB_TOKEN_MAX];
	const char *signature;

	snprintf(spaced[0], sizeof spaced[0], "%s%s", HS256, strlen(HS256) % 3 == 0 ? " " : "");
	snprintf(spaced[1], sizeof spaced[1], "%s%s", json, strlen(json) % 3 == 0 ? " " : strlen(json) % 3 == 2 ? "  " : "");
	for (size_t segment = 0; segment < 2; segment++) {
		char parts[2][1024];

		for (int changed = 0; changed < 2; changed++) {
			for (size_t i = 0; i < 2; i++)
				strcpy(parts[i], forge_base64url(spaced[i], strlen(spaced[i])));
			parts[segment][strlen(parts[segment]) - 1] += (char)changed;
			cr_expect_eq(verify(forge_parts(parts[0], parts[1], KEY, strlen(KEY), 256)), changed ? GB_ERR_MALFORMED : GB_OK,
			    "%zu %d", segment, changed);
		}
	}
	signature = sign(GB_PURPOSE_ACCESS, &anna, &plain_policy);
	snprintf(text, sizeof text, "%s", signature);
	cr_expect_eq(verify(text), GB_OK);
	text[strlen(text) - 1]++;	/* 43 characters hold 256 bits and two to spare */
	cr_expect_eq(verify(text), GB_ERR_MALFORMED);
}

/* ---- J3, J4: one key, one algorithm ---- */

Test(jwt, refuses_every_other_algorithm)
{
	static const char *const others[] = {
		"none", "None", "NONE", "nOnE", "noNe", "nonE", "", "hs256", "Hs256", "HS256 ", " HS256", "HS384", "HS512", "RS256", "RS384", "RS512",
		"ES256", "ES384", "ES512", "ES256K", "PS256", "PS384", "PS512", "EdDSA", "Ed25519", "A256KW", "dir", "HS1", "HS2567",
	};
	char header[128];

	cr_expect_eq(verify_header(HS256), GB_OK);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", others[i]);
		cr_expect_eq(verify_header(header), GB_ERR_ALGORITHM, "%s", others[i]);
	}
}

/* RFC 7519 s6.1, and "none" beside a right signature. */
Test(jwt, refuses_unsecured_tokens)
{
	static const char header[] = "{\"alg\":\"none\",\"typ\":\"JWT\"}";
	const char *payload = forge_payload("access", NULL, NULL);
	char text[2048];

	cr_expect_eq(verify("eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."),
	    GB_ERR_ALGORITHM);
	snprintf(text, sizeof text, "%s.%s.", forge_base64url(header, strlen(header)), forge_base64url(payload, strlen(payload)));
	cr_expect_eq(verify(text), GB_ERR_ALGORITHM);
}

Test(jwt, refuses_the_macs_of_other_hashes_and_keys)
{
	static const char *const keys[] = {
		"", "0", "0123456789abcdef", KEY "\n", KEY "0", "secret",
		"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef",
	};
	const char *payload = forge_payload("access", NULL, NULL);

	cr_expect_eq(verify(forge_token(HS256, payload, KEY, 64, 256)), GB_OK);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		cr_expect_eq(verify(forge_token(HS256, payload, keys[i], strlen(keys[i]), 256)), GB_ERR_SIGNATURE, "%zu", i);
	cr_expect_eq(verify(forge_token(HS256, payload, KEY, 63, 256)), GB_ERR_SIGNATURE);
	cr_expect_eq(verify(forge_token(HS256, payload, KEY, 64, 384)), GB_ERR_SIGNATURE);
	cr_expect_eq(verify(forge_token(HS256, payload, KEY, 64, 512)), GB_ERR_SIGNATURE);
	/* HS512 said and done under a key that is configured for HS256. */
	cr_expect_eq(verify(forge_token("{\"alg\":\"HS512\",\"typ\":\"JWT\"}", payload, KEY, 64, 512)), GB_ERR_ALGORITHM);
}

Test(jwt, works_with_hs384_and_hs512)
{
	static const char *const algorithms[] = { "HS384", "HS512" };
	char why[256], header[64];

	for (size_t i = 0; i < 2; i++) {
		gb_keyring_close(keyring);
		config.algorithm = config.allowed_algorithms = algorithms[i];
		cr_assert_eq(gb_keyring_open(&config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring), GB_OK);
		snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", algorithms[i]);
		cr_expect_eq(verify(forge_token(header, forge_payload("access", NULL, NULL), KEY, 64, i == 0 ? 384 : 512)), GB_OK);
		cr_expect_eq(verify(sign(GB_PURPOSE_ACCESS, &anna, &plain_policy)), GB_OK);
		cr_expect_eq(verify(forge_token(HS256, forge_payload("access", NULL, NULL), KEY, 64, 256)), GB_ERR_ALGORITHM);
		/* Derived keys stay HS256. */
		decode_part(sign(GB_PURPOSE_RESET, &anna, &plain_policy), header);
		cr_expect_str_eq(header, HS256);
	}
}

Test(jwt, signs_refresh_tokens_with_their_own_secret_where_it_is_set)
{
	static const char refresh_key[] = "another-key-of-64-bytes-89abcdef0123456789abcdef0123456789abcdef0";
	const char *payload = forge_payload("refresh", NULL, NULL);
	unsigned char derived[32];
	char why[256];

	/* Without it: the derived key of design.md. */
	sodium_hex2bin(derived, sizeof derived, "f5eddfb17ddf9443dc92f43b509a2635bf997d06ed33e68401badc6b0efeb5be", 64, NULL, NULL, NULL);
	cr_expect_eq(verify_at(GB_PURPOSE_REFRESH, forge_token(HS256, payload, derived, 32, 256), &plain_policy, NOW), GB_OK);
	cr_expect_eq(verify_at(GB_PURPOSE_REFRESH, forge_token(HS256, payload, refresh_key, 64, 256), &plain_policy, NOW), GB_ERR_SIGNATURE);
	gb_keyring_close(keyring);
	config.refresh_secret_key = refresh_key;
	cr_assert_eq(gb_keyring_open(&config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring), GB_OK);
	cr_expect_eq(verify_at(GB_PURPOSE_REFRESH, forge_token(HS256, payload, refresh_key, strlen(refresh_key), 256), &plain_policy, NOW), GB_OK);
	cr_expect_eq(verify_at(GB_PURPOSE_REFRESH, forge_token(HS256, payload, derived, 32, 256), &plain_policy, NOW), GB_ERR_SIGNATURE);
	cr_expect_eq(verify_at(GB_PURPOSE_REFRESH, forge_token(HS256, payload, KEY, 64, 256), &plain_policy, NOW), GB_ERR_SIGNATURE);
}

/* ---- J5, J6: the header chooses nothing ---- */

Test(jwt, refuses_members_that_bring_keys_or_decodings)
{
	static const char *const members[] = {
		"\"crit\":[\"exp\"]", "\"crit\":[]", "\"crit\":\"exp\"", "\"crit\":null", "\"crit\":[\"b64\"],\"b64\":false", "\"b64\":true", "\"b64\":false",
		"\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}", "\"jwk\":null", "\"jku\":\"http://127.0.0.1:9/\"", "\"x5u\":\"http://127.0.0.1:9/\"", "\"x5c\":[\"AAAA\"]",
		"\"crit\":[\"x-other\",\"x-other\"],\"x-other\":1", "\"x-other\":{\"a\":1,\"a\":1}", "\"x5t\":\"AAAA\"", "\"x5t#S256\":\"AAAA\"", "\"zip\":\"DEF\"", "\"enc\":\"A256GCM\"", "\"cty\":\"JWT\"", "\"\\u0063rit\":[\"exp\"]",
	};
	char header[256];

	cr_expect_eq(verify_header("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"x-other\":[1]}"), GB_OK);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"typ\":\"JWT\",%s}", members[i]);
		cr_expect_eq(verify_header(header), GB_ERR_MALFORMED, "%s", members[i]);
	}
}

Test(jwt, refuses_every_key_id_that_is_not_in_the_ring)
{
	static const char *const ids[] = {
		"\"\"", "\"a\"", "\"../../dev/null\"", "\"/etc/passwd\"", "\"' OR 1=1 --\"", "\"$(id)\"", "\"a.b\"", "\"\\u00e9\"",
	}, *const no_strings[] = { "null", "1", "[\"a\"]", "{}", "\"a\\u0000\"" };
	static char long_id[4200];
	char header[128];

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":%s}", ids[i]);
		cr_expect_eq(verify_header(header), GB_ERR_KEY_ID, "%s", ids[i]);
	}
	for (size_t i = 0; i < sizeof no_strings / sizeof *no_strings; i++) {
		snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":%s}", no_strings[i]);
		cr_expect_eq(verify_header(header), GB_ERR_MALFORMED, "%s", no_strings[i]);
	}
	snprintf(long_id, sizeof long_id, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"%02000d\"}", 0);
	cr_expect_eq(verify_header(long_id), GB_ERR_KEY_ID);
	cr_expect_eq(verify_header("{\"kid\":\"a\",\"alg\":\"HS256\",\"typ\":\"JWT\"}"), GB_ERR_KEY_ID);
	cr_expect_eq(verify_header("{\"typ\":\"JWT\",\"alg\":\"HS256\"}"), GB_OK);
}

Test(jwt, reads_the_header_as_json)
{
	static const char *const good[] = {
		"{\"\\u0061lg\":\"HS256\",\"typ\":\"JWT\"}", " {\n\"alg\" : \"HS256\" ,\t\"typ\":\"JWT\"}\r\n", "{\"alg\":\"H\\u0053256\",\"typ\":\"jwt\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"ALG\":\"none\"}",
	}, *const bad[] = {
		"[]", "\"x\"", "1", "null", "{", "{}", "{\"alg\":\"HS256\",\"typ\":\"JWT\"}x", "{\"alg\":\"HS256\",\"typ\":\"JWT\"}{}",
		"{\"alg\":\"HS256\",\"alg\":\"HS256\",\"typ\":\"JWT\"}", "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\",\"typ\":\"JWT\"}",
		"{\"ALG\":\"HS256\",\"typ\":\"JWT\"}", "{\"alg\":256,\"typ\":\"JWT\"}", "{\"alg\":null,\"typ\":\"JWT\"}", "{\"alg\":[\"HS256\"],\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\\u0000\",\"typ\":\"JWT\"}", "{\"typ\":\"JWT\"}", "{\"alg\":\"HS256\"}", "{\"alg\":\"HS256\",\"typ\":null}",
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_expect_eq(verify_header(good[i]), GB_OK, "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(verify_header(bad[i]), GB_ERR_MALFORMED, "%s", bad[i]);
}

Test(jwt, takes_only_types_of_access_tokens)
{
	static const char *const types[] = { "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt" };
	static const char *const others[] = { "", "refresh+jwt", "dpop+jwt", "secevent+jwt", "application/jwt", "at+jwt ", "JOSE" };
	unsigned char derived[32];
	const char *refresh;
	char header[128];

	sodium_hex2bin(derived, sizeof derived, "f5eddfb17ddf9443dc92f43b509a2635bf997d06ed33e68401badc6b0efeb5be", 64, NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		refresh = forge_payload("refresh", NULL, NULL);
		snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"typ\":\"%s\"}", types[i]);
		cr_expect_eq(verify_header(header), GB_OK, "%s", types[i]);
		cr_expect_eq(verify_at(GB_PURPOSE_REFRESH, forge_token(header, refresh, derived, 32, 256), &plain_policy, NOW),
		    i < 2 ? GB_OK : GB_ERR_TYPE, "%s", types[i]);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"typ\":\"%s\"}", others[i]);
		cr_expect_eq(verify_header(header), GB_ERR_TYPE, "%s", others[i]);
	}
}

/* ---- J7: times ---- */

Test(jwt, refuses_times_that_are_not_integers_in_range)
{
	static const char *const names[] = { "exp", "nbf", "iat" };
	static const char *const bad[] = {
		"\"2000\"", "2000.0", "2000.5", "2e3", "1E400", "0", "-0", "-1", "9007199254740992", "9223372036854775807", "1000000000000000000000000000000",
		"true", "null", "[]", "[2000]", "{}", NULL,
	};

	for (size_t n = 0; n < 3; n++) {
		cr_expect_eq(verify_claim(names[n], n == 0 ? "2000" : "1000"), GB_OK);
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
			cr_expect_eq(verify_claim(names[n], bad[i]), GB_ERR_CLAIM, "%s: %s", names[n], bad[i]);
	}
	cr_expect_eq(verify_claim("exp", "9007199254740991"), GB_OK);
	cr_expect_eq(verify_claim("exp", "2147483648"), GB_OK);
	cr_expect_eq(verify_claim("exp", "4294967296"), GB_OK);
	cr_expect_eq(verify_claim("EXP", "1"), GB_OK);		/* another member */
}

Test(jwt, expires_to_the_second_and_still_says_whose_it_was)
{
	const char *token = sign(GB_PURPOSE_ACCESS, &anna, &plain_policy);

	cr_expect_eq(verify_at(GB_PURPOSE_ACCESS, token, &plain_policy, 1999), GB_OK);
	cr_expect_eq(verify_at(GB_PURPOSE_ACCESS, token, &plain_policy, 2000), GB_ERR_TOKEN_EXPIRED);
	cr_expect_str_eq(claims.subject, "42");
	cr_expect_str_eq(claims.session_id, anna.session_id);
	cr_expect_eq(verify_at(GB_PURPOSE_ACCESS, token, &plain_policy, 1000), GB_OK);
	cr_expect_eq(verify_at(GB_PURPOSE_ACCESS, token, &plain_policy, 999), GB_ERR_NOT_YET_VALID);
	cr_expect_null(claims.subject);
	cr_expect_eq(verify_claim("nbf", "1501"), GB_ERR_NOT_YET_VALID);
	cr_expect_eq(verify_claim("nbf", "1500"), GB_OK);
	cr_expect_eq(verify_claim("iat", "1501"), GB_ERR_NOT_YET_VALID);
	cr_expect_eq(verify_claim("iat", "1500"), GB_OK);
}

Test(jwt, gives_leeway_to_access_and_refresh_tokens_only)
{
	const struct gb_jwt_policy lenient = { .leeway_s = 30 };
	struct gb_claims what = anna;

	for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++) {
		bool forgiven = purpose == GB_PURPOSE_ACCESS || purpose == GB_PURPOSE_REFRESH;
		const char *token;

		what.fresh = purpose == GB_PURPOSE_ACCESS;
		token = sign(purpose, &what, &lenient);
		cr_expect_eq(verify_at(purpose, token, &lenient, 1999), GB_OK);
		cr_expect_eq(verify_at(purpose, token, &lenient, 2029), forgiven ? GB_OK : GB_ERR_TOKEN_EXPIRED);
		cr_expect_eq(verify_at(purpose, token, &lenient, 2030), GB_ERR_TOKEN_EXPIRED);
		cr_expect_eq(verify_at(purpose, token, &lenient, 970), forgiven ? GB_OK : GB_ERR_NOT_YET_VALID);
		cr_expect_eq(verify_at(purpose, token, &lenient, 969), GB_ERR_NOT_YET_VALID);
	}
}

/* ---- J8: issuer and audience ---- */

Test(jwt, demands_the_exact_issuer)
{
	const struct gb_jwt_policy policy = { .issuer = "https://a.example" };
	static const char *const bad[] = {
		"\"https://a.exampl\"", "\"https://a.example/\"", "\"https://a.example.evil\"", "\"HTTPS://A.EXAMPLE\"", "\"\"", "[\"https://a.example\"]", "1", "null", NULL,
	};

	cr_expect_eq(verify_at(GB_PURPOSE_ACCESS, signed_token(HS256, forge_payload("access", "iss", "\"https://a.example\"")), &policy, NOW), GB_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(verify_at(GB_PURPOSE_ACCESS, signed_token(HS256, forge_payload("access", "iss", bad[i])), &policy, NOW), GB_ERR_ISSUER, "%s", bad[i]);
	cr_expect_eq(verify_claim("iss", "\"whoever\""), GB_OK);	/* not configured, not demanded */
	cr_expect_eq(verify_at(GB_PURPOSE_ACCESS, sign(GB_PURPOSE_ACCESS, &anna, &policy), &policy, NOW), GB_OK);
}

Test(jwt, demands_to_be_in_the_audience)
{
	const struct gb_jwt_policy policy = { .audience = "site" };
	static const char *const good[] = { "\"site\"", "[\"site\"]", "[\"other\",\"site\"]" };
	static const char *const bad[] = {
		"\"sit\"", "\"site2\"", "\"Site\"", "\"\"", "[]", "[\"other\"]", "[[\"site\"]]", "[\"site\",1]", "{\"site\":1}", "1", "null", NULL,
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_expect_eq(verify_at(GB_PURPOSE_ACCESS, signed_token(HS256, forge_payload("access", "aud", good[i])), &policy, NOW), GB_OK, "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(verify_at(GB_PURPOSE_ACCESS, signed_token(HS256, forge_payload("access", "aud", bad[i])), &policy, NOW), GB_ERR_AUDIENCE, "%s", bad[i]);
	/* RFC 7519 s4.1.3: for somebody else, whoever we are. */
	cr_expect_eq(verify_claim("aud", "\"other\""), GB_ERR_AUDIENCE);
	cr_expect_eq(verify_claim("aud", NULL), GB_OK);
}

/* ---- claims ---- */

Test(jwt, demands_every_claim_of_its_purpose)
{
	static const char *const access[] = { "sub", "id", "iat", "nbf", "exp", "jti", "type", "fresh", "sid", "email", "email_verified" };
	static const char *const wrong[] = { "null", "{}", "[]", "7.5" };
	unsigned char derived[32];

	sodium_hex2bin(derived, sizeof derived, "f5eddfb17ddf9443dc92f43b509a2635bf997d06ed33e68401badc6b0efeb5be", 64, NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof access / sizeof *access; i++) {
		bool of_refresh = i < 9;
		const char *refresh;

		cr_expect_eq(verify_claim(access[i], NULL), GB_ERR_CLAIM, "%s", access[i]);
		for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++)
			cr_expect_eq(verify_claim(access[i], wrong[w]), GB_ERR_CLAIM, "%s: %s", access[i], wrong[w]);
		refresh = forge_token(HS256, forge_payload("refresh", access[i], NULL), derived, 32, 256);
		cr_expect_eq(verify_at(GB_PURPOSE_REFRESH, refresh, &plain_policy, NOW), of_refresh ? GB_ERR_CLAIM : GB_OK, "%s", access[i]);
	}
	cr_expect_eq(verify_claim("username", "\"anna\""), GB_OK);
	cr_expect_eq(verify_claim("username", "1"), GB_ERR_CLAIM);
	cr_expect_eq(verify_claim("groups", "[\"a\"]"), GB_OK);
	cr_expect_eq(verify_claim("groups", "\"a\""), GB_ERR_CLAIM);
	cr_expect_eq(verify_claim("groups", "[1]"), GB_ERR_CLAIM);
	cr_expect_eq(verify_claim("fresh", "\"true\""), GB_ERR_CLAIM);
	cr_expect_eq(verify_claim("fresh", "1"), GB_ERR_CLAIM);
}

Test(jwt, refuses_a_refresh_token_that_says_fresh)
{
	unsigned char derived[32];

	sodium_hex2bin(derived, sizeof derived, "f5eddfb17ddf9443dc92f43b509a2635bf997d06ed33e68401badc6b0efeb5be", 64, NULL, NULL, NULL);
	cr_expect_eq(verify_at(GB_PURPOSE_REFRESH, forge_token(HS256, forge_payload("refresh", "fresh", "false"), derived, 32, 256), &plain_policy, NOW), GB_OK);
	cr_expect_eq(verify_at(GB_PURPOSE_REFRESH, forge_token(HS256, forge_payload("refresh", "fresh", "true"), derived, 32, 256), &plain_policy, NOW), GB_ERR_CLAIM);
}

static enum gb_err
verify_subject(const char *subject)
{
	char payload[1024];
	const char *rest = strstr(forge_payload("access", "id", NULL), ",\"iat\"");

	snprintf(payload, sizeof payload, "{\"sub\":%s,\"id\":%s%s", subject, subject, rest);
	return verify_payload(payload);
}

Test(jwt, demands_a_subject_of_1_to_2_to_the_53_less_1)
{
	static const char *const good[] = { "\"1\"", "\"42\"", "\"9007199254740991\"" };
	static const char *const bad[] = {
		"\"\"", "\"0\"", "\"042\"", "\"-1\"", "\"+1\"", "\" 1\"", "\"1 \"", "\"1.0\"", "\"1e3\"", "\"0x1\"", "\"9007199254740992\"", "\"99999999999999999999\"", "42", "null",
		"\"\xd9\xa1\"", "\"anna\"",
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_expect_eq(verify_subject(good[i]), GB_OK, "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(verify_subject(bad[i]), GB_ERR_CLAIM, "%s", bad[i]);
	cr_expect_eq(verify_claim("id", "\"43\""), GB_ERR_CLAIM);
	cr_expect_eq(verify_claim("id", "\"42\""), GB_OK);
}

Test(jwt, limits_the_length_of_claims)
{
	static const struct {
		const char *name;
		size_t max;
	} rows[] = { { "jti", 64 }, { "sid", 64 }, { "email", 254 }, { "username", 32 } };
	char value[300];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(value, sizeof value, "\"%0*d\"", (int)rows[i].max, 0);
		cr_expect_eq(verify_claim(rows[i].name, value), GB_OK, "%s", rows[i].name);
		snprintf(value, sizeof value, "\"%0*d\"", (int)rows[i].max + 1, 0);
		cr_expect_eq(verify_claim(rows[i].name, value), GB_ERR_CLAIM, "%s", rows[i].name);
		cr_expect_eq(verify_claim(rows[i].name, "\"\""), GB_ERR_CLAIM, "%s", rows[i].name);
	}
	cr_expect_eq(verify_claim("groups", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\"]"), GB_OK);
	cr_expect_eq(verify_claim("groups", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]"), GB_ERR_CLAIM);
	cr_expect_eq(verify_claim("groups", "[\"\"]"), GB_ERR_CLAIM);
}

/* ---- J9: the payload is strict JSON ---- */

Test(jwt, refuses_payloads_that_are_not_one_strict_json_object)
{
	const char *good = forge_payload("access", NULL, NULL);
	static const char *const bad[] = { "", "[]", "1", "null", "\"x\"", "{", "{}x" };
	static const char *const members[] = {
		"\"exp\":2000", "\"\\u0065xp\":2000", "\"x\":{\"a\":1,\"a\":2}", "\"x\":\"\\u0000\"", "\"exp\\u0000\":1", "\"x\":\"\xe9\"", "\"x\":\"\\ud800\"",
		"\"x\":[[[[[[[[1]]]]]]]]", "\"x\":01", "\"x\":1.", "\"x\":NaN",
	};

	cr_expect_eq(verify_payload(good), GB_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(verify_payload(bad[i]), GB_ERR_MALFORMED, "%s", bad[i]);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		char payload[1024];

		snprintf(payload, sizeof payload, "{%s,%s", members[i], good + 1);
		cr_expect_eq(verify_payload(payload), GB_ERR_MALFORMED, "%s", members[i]);
	}
	cr_expect_eq(verify_claim("x", "[[[[[[[1]]]]]]]"), GB_OK);
}

/* J10: nothing in a token counts before its signature. */
Test(jwt, says_signature_before_it_looks_at_the_claims)
{
	static const char *const payloads[] = { "{}", "[]", "not json", "{\"exp\":1}" };

	for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
		cr_expect_eq(verify(forge_token(HS256, payloads[i], "another key", 11, 256)), GB_ERR_SIGNATURE, "%s", payloads[i]);
		cr_expect_null(claims.subject);
	}
}

/* ---- sizes ---- */

static enum gb_err
verify_of_size(size_t size)
{
	static char padding[GB_TOKEN_MAX], value[GB_TOKEN_MAX + 2];
	size_t len = 0;

	for (size_t room = 1; room < sizeof padding - 3; room++) {
		const char *token;

		memset(padding, 'x', room);
		padding[room] = '\0';
		snprintf(value, sizeof value, "\"%s\"", padding);
		token = signed_token(HS256, forge_payload("access", "x", value));
		if ((len = strlen(token)) == size)
			return verify(token);
		if (len > size)
			break;
		if (len + 64 < size)
			room += (size - len) / 2;
	}
	cr_assert_fail("no token of %zu bytes, last %zu", size, len);
	return GB_ERR_INTERNAL;
}

Test(jwt, refuses_tokens_above_the_maximum)
{
	cr_expect_eq(verify_of_size(GB_TOKEN_MAX), GB_OK);
	cr_expect_eq(verify_of_size(GB_TOKEN_MAX + 1), GB_ERR_MALFORMED);
}

Test(jwt, does_not_sign_what_it_would_refuse_for_its_size)
{
	static char issuer[GB_TOKEN_MAX];
	const struct gb_jwt_policy policy = { .issuer = issuer };
	const char *token;

	memset(issuer, 'i', 2000);
	cr_expect_eq(gb_jwt_sign(keyring, &policy, GB_PURPOSE_ACCESS, &anna, NOW, arena, &token), GB_OK);
	memset(issuer, 'i', sizeof issuer - 1);
	cr_expect_eq(gb_jwt_sign(keyring, &policy, GB_PURPOSE_ACCESS, &anna, NOW, arena, &token), GB_ERR_INTERNAL);
	cr_expect_null(token);
}

Test(jwt, says_memory_when_the_arena_is_full)
{
	const char *token = sign(GB_PURPOSE_ACCESS, &anna, &plain_policy), *none;

	gb_arena_reset(arena);
	while (gb_arena_alloc(arena, 1) != NULL)
		;
	cr_expect_eq(gb_jwt_verify(keyring, &plain_policy, GB_PURPOSE_ACCESS, token, NOW, arena, &claims), GB_ERR_MEMORY);
	cr_expect_eq(gb_jwt_sign(keyring, &plain_policy, GB_PURPOSE_ACCESS, &anna, NOW, arena, &none), GB_ERR_MEMORY);
	cr_expect_eq(verify(token), GB_OK);
}
