/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "base64url.h"
#include "key.h"

static struct gb_key *
secret_key(const char *algorithm, const char *secret_base64url)
{
	unsigned char secret[128];
	size_t len;

	cr_assert_eq(gb_base64url_decode(secret, sizeof secret, &len, secret_base64url, strlen(secret_base64url)), GB_OK);
	return gb_key_new_secret("", gb_algorithm_find(algorithm), secret, len);
}

static enum gb_err
verify(const struct gb_key *key, const char *input, const char *signature)
{
	unsigned char bytes[GB_SIGNATURE_MAX];
	size_t len;

	cr_assert_eq(gb_base64url_decode(bytes, sizeof bytes, &len, signature, strlen(signature)), GB_OK);
	return key->operations->verify(key, input, strlen(input), bytes, len);
}

/* RFC 7515 A.1 and RFC 7520 s4.4: key, signing input, signature. */
static const struct {
	const char *name, *secret, *input, *signature;
} hs256_vectors[] = {
	{ "RFC 7515 A.1",
	  "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
	  "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
	  ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
	  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" },
	{ "RFC 7520 s4.4",
	  "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
	  "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9"
	  ".SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9h"
	  "ZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZX"
	  "B0IG9mZiB0by4",
	  "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0" },
};

Test(key, verifies_and_signs_hs256_vectors_of_the_rfcs)
{
	for (size_t i = 0; i < sizeof hs256_vectors / sizeof *hs256_vectors; i++) {
		struct gb_key *key = secret_key("HS256", hs256_vectors[i].secret);
		unsigned char signature[GB_SIGNATURE_MAX];
		size_t len = sizeof signature, input_len = strlen(hs256_vectors[i].input);
		char text[GB_BASE64URL_LEN(GB_SIGNATURE_MAX) + 1];

		cr_expect_eq(verify(key, hs256_vectors[i].input, hs256_vectors[i].signature), GB_OK, "%s", hs256_vectors[i].name);
		cr_expect_eq(key->operations->sign(key, hs256_vectors[i].input, input_len, signature, &len), GB_OK);
		gb_base64url_encode(text, signature, len);
		cr_expect_str_eq(text, hs256_vectors[i].signature);
		gb_key_free(key);
	}
}

Test(key, refuses_a_truncated_extended_or_empty_mac)
{
	struct gb_key *key = secret_key("HS256", hs256_vectors[0].secret);
	unsigned char mac[64] = { 0 };
	size_t len = sizeof mac;

	cr_assert_eq(key->operations->sign(key, "a.b", 3, mac, &len), GB_OK);
	cr_assert_eq(len, 32);
	for (size_t other = 0; other <= sizeof mac; other++)
		cr_expect_eq(key->operations->verify(key, "a.b", 3, mac, other), other == 32 ? GB_OK : GB_ERR_SIGNATURE, "%zu", other);
	gb_key_free(key);
}

Test(key, sign_refuses_too_little_room)
{
	struct gb_key *key = secret_key("HS256", hs256_vectors[0].secret);
	unsigned char mac[32];
	size_t len = 31;

	cr_expect_eq(key->operations->sign(key, "a.b", 3, mac, &len), GB_ERR_INTERNAL);
	len = 32;
	cr_expect_eq(key->operations->sign(key, "a.b", 3, mac, &len), GB_OK);
	gb_key_free(key);
}

/* design.md's vectors for 64 bytes of "0123456789abcdef"; the last two by Python's hmac module. */
Test(key, derives_the_keys_of_the_design)
{
	static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char *const expected[][2] = {
		{ "refresh", "f5eddfb17ddf9443dc92f43b509a2635bf997d06ed33e68401badc6b0efeb5be" },
		{ "reset", "265a9189ebe74e4a11904809c6332656b6009c1782c6fe91130502d7d758d107" },
		{ "verify-email", "746458b4889e802457f37aea265d30d9e5a4e16ed80d5be3c375eb6218d7006a" },
		{ "change-email", "05207d08b85f02da0dde1c584c1bce5c43e9f0a4cb6e0ef2d4f6034391dc1382" },
	};
	unsigned char derived[GB_DERIVED_LEN];
	char hex[GB_DERIVED_LEN * 2 + 1];

	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		cr_assert(gb_key_derive(secret, strlen(secret), expected[i][0], derived));
		cr_expect_str_eq(sodium_bin2hex(hex, sizeof hex, derived, sizeof derived), expected[i][1]);
	}
}

Test(key, knows_good_key_ids)
{
	static const char *const good[] = { "a", "2026-01_B", "0123456789012345678901234567890123456789012345678901234567890123" };
	static const char *const bad[] = {
		"", ".", "a.b", "../../dev/null", "a/b", "a b", "a\n", "\xc3\xa9", "' OR 1=1 --", "$(id)", "%00",
		"01234567890123456789012345678901234567890123456789012345678901234",
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_expect(gb_key_id_is_good(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_not(gb_key_id_is_good(bad[i]), "%s", bad[i]);
}

Test(key, writes_its_header)
{
	static const char secret[] = "0123456789abcdef0123456789abcdef";
	static const char id[] = "0123456789012345678901234567890123456789012345678901234567890123";
	const struct gb_algorithm *algorithm;
	char decoded[256];
	char expected[256];
	size_t len;

	for (size_t row = 0; (algorithm = gb_algorithm_at(row)) != NULL; row++)
		for (int with_id = 0; with_id < 2; with_id++) {
			/* Any secret will do: only the header is looked at. */
			struct gb_key *key = gb_key_new_secret(with_id ? id : "", gb_algorithm_find("HS256"), secret, strlen(secret));
			struct gb_key *named = gb_key_new(with_id ? id : "", algorithm, key->operations, key->material, true);

			cr_assert_eq(strlen(named->header), named->header_len);
			cr_assert_eq(gb_base64url_decode(decoded, sizeof decoded - 1, &len, named->header, named->header_len - 1), GB_OK);
			decoded[len] = '\0';
			snprintf(expected, sizeof expected, with_id ? "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}" : "{\"alg\":\"%s\",\"typ\":\"JWT\"}",
			    algorithm->name, id);
			cr_expect_str_eq(decoded, expected);
			key->material = NULL;
			gb_key_free(key);
			gb_key_free(named);
		}
}

Test(algorithm, finds_rows_by_their_exact_name_only)
{
	static const char *const unknown[] = {
		"", "none", "None", "NONE", "nOnE", "hs256", "Hs256", "HS256 ", " HS256", "HS1", "HS2567", "RS1", "PS256", "PS384", "PS512", "ES384",
		"ES512", "ES256K", "EDDSA", "Ed25519", "Ed448", "A256KW", "dir", "RSA-OAEP",
	};

	for (size_t row = 0; gb_algorithm_at(row) != NULL; row++) {
		cr_expect_eq(gb_algorithm_find(gb_algorithm_at(row)->name), gb_algorithm_at(row));
		cr_expect_eq(gb_algorithm_at(row)->kind == GB_KEY_SECRET, gb_algorithm_at(row)->secret_min > 0);
	}
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		cr_expect_null(gb_algorithm_find(unknown[i]), "%s", unknown[i]);
}
