/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "base64url.h"
#include "numbers.h"
#include "pem.h"
#include "vectors/wycheproof.h"

static struct gb_arena *arena;
static struct gb_numbers *numbers;

static void
setup(void)
{
	arena = gb_arena_new();
	numbers = gb_numbers_new();
}

static void
teardown(void)
{
	gb_arena_free(arena);
	gb_numbers_free(numbers);
}

TestSuite(numbers, .init = setup, .fini = teardown);

static const char *
read_jwk(const char *text)
{
	const struct gb_json *jwk;

	memset(numbers, 0, sizeof *numbers);
	cr_assert_eq(gb_json_parse(text, strlen(text), arena, &jwk), GB_OK, "%s", text);
	return gb_numbers_from_jwk(jwk, NULL, numbers);
}

static struct gb_key *
key_of_numbers(void)
{
	struct gb_key *key;
	const char *fault;

	cr_assert_eq(gb_key_from_numbers("", numbers, &key, &fault), GB_OK, "%s", fault);
	return key;
}

static enum gb_err
verify(const struct gb_key *key, const char *input, const char *signature)
{
	unsigned char bytes[GB_SIGNATURE_MAX];
	size_t len;

	cr_assert_eq(gb_base64url_decode(bytes, sizeof bytes, &len, signature, strlen(signature)), GB_OK);
	return key->operations->verify(key, input, strlen(input), bytes, len);
}

#define PAYLOAD_7515 ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define N_7515 "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs" \
    "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3" \
    "qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

#define INPUT_7520 "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9" \
    ".SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBk" \
    "b24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
#define N_7520 "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL" \
    "-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVb" \
    "b9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"

/* RFC 7515 A.2 and A.3, RFC 7520 s4.1, RFC 8037 A.4: public or whole key, signing input, signature. */
static const struct {
	const char *name, *jwk, *input, *signature;
} vectors[] = {
	{ "RFC 7515 A.2", "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" N_7515 "\",\"e\":\"AQAB\"}",
	  "eyJhbGciOiJSUzI1NiJ9" PAYLOAD_7515,
	  "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
	  "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
	  "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw" },
	{ "RFC 7515 A.3", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}",
	  "eyJhbGciOiJFUzI1NiJ9" PAYLOAD_7515,
	  "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q" },
	{ "RFC 8037 A.4", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
	  "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	  "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
	  "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg" },
	{ "RFC 7520 s4.1", "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" N_7520 "\",\"e\":\"AQAB\"}", INPUT_7520,
	  "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmD"
	  "LJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2"
	  "aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg" },
};

Test(numbers, verify_the_vectors_of_the_rfcs)
{
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		struct gb_key *key;

		cr_assert_null(read_jwk(vectors[i].jwk), "%s", vectors[i].name);
		key = key_of_numbers();
		cr_expect_eq(verify(key, vectors[i].input, vectors[i].signature), GB_OK, "%s", vectors[i].name);
		cr_expect_eq(verify(key, vectors[i].input + 1, vectors[i].signature), GB_ERR_SIGNATURE, "%s", vectors[i].name);
		cr_expect_eq(key->can_sign, strstr(vectors[i].jwk, "\"d\"") != NULL);
		gb_key_free(key);
	}
}

Test(numbers, sign_the_vector_of_rfc_8037)
{
	unsigned char signature[GB_SIGNATURE_MAX];
	size_t len = sizeof signature;
	char text[128];
	struct gb_key *key;

	cr_assert_null(read_jwk(vectors[2].jwk));
	key = key_of_numbers();
	cr_assert_eq(key->operations->sign(key, vectors[2].input, strlen(vectors[2].input), signature, &len), GB_OK);
	gb_base64url_encode(text, signature, len);
	cr_expect_str_eq(text, vectors[2].signature);
	gb_key_free(key);
}

static const char *const pairs[] = { "RS256", "RS384", "RS512", "ES256", "EdDSA" };
#define PAIRS (sizeof pairs / sizeof *pairs)

static struct gb_key *
key_of_pem(const char *algorithm, bool private_key)
{
	const struct pem *pem = pem_of(algorithm);
	const char *fault;

	memset(numbers, 0, sizeof *numbers);
	cr_assert_eq(gb_numbers_from_pem(private_key ? pem->private_key : pem->public_key, private_key, gb_algorithm_find(algorithm), numbers, &fault),
	    GB_OK, "%s %s", algorithm, fault);
	return key_of_numbers();
}

/* Every algorithm against every key, public halves verifying: only its own passes. */
Test(numbers, verify_only_their_own_algorithm)
{
	static const char bytes[] = "header.payload";

	for (size_t s = 0; s < PAIRS; s++) {
		struct gb_key *signer = key_of_pem(pairs[s], true);
		unsigned char signature[GB_SIGNATURE_MAX];
		size_t len = sizeof signature;

		cr_assert_eq(signer->operations->sign(signer, bytes, sizeof bytes, signature, &len), GB_OK);
		for (size_t v = 0; v < PAIRS; v++) {
			struct gb_key *verifier = key_of_pem(pairs[v], false);

			cr_expect_eq(verifier->operations->verify(verifier, bytes, sizeof bytes, signature, len), v == s ? GB_OK : GB_ERR_SIGNATURE,
			    "%s by %s", pairs[s], pairs[v]);
			cr_expect_not(verifier->can_sign);
			gb_key_free(verifier);
		}
		gb_key_free(signer);
	}
}

Test(numbers, public_halves_do_not_sign)
{
	unsigned char signature[GB_SIGNATURE_MAX];

	for (size_t i = 0; i < PAIRS; i++) {
		struct gb_key *key = key_of_pem(pairs[i], false);
		size_t len = sizeof signature;

		cr_expect_eq(key->operations->sign(key, "x", 1, signature, &len), GB_ERR_INTERNAL, "%s", pairs[i]);
		gb_key_free(key);
	}
}

/* Each bit of a signature, and every length around it; 3 bytes made a library read past the end once. */
Test(numbers, refuse_every_changed_signature)
{
	for (size_t i = 0; i < PAIRS; i += i == 0 ? 3 : 1) {
		struct gb_key *key = key_of_pem(pairs[i], true);
		unsigned char signature[GB_SIGNATURE_MAX + 1] = { 0 };
		size_t len = GB_SIGNATURE_MAX;

		cr_assert_eq(key->operations->sign(key, "x", 1, signature, &len), GB_OK);
		cr_expect_eq(key->operations->verify(key, "x", 1, signature, len), GB_OK);
		for (size_t bit = 0; bit < len * 8; bit++) {
			signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
			cr_expect_eq(key->operations->verify(key, "x", 1, signature, len), GB_ERR_SIGNATURE, "%s bit %zu", pairs[i], bit);
			signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
		for (size_t other = 0; other <= len + 1; other++)
			if (other != len)
				cr_expect_eq(key->operations->verify(key, "x", 1, signature, other), GB_ERR_SIGNATURE, "%s %zu", pairs[i], other);
		memset(signature, 0, sizeof signature);
		cr_expect_eq(key->operations->verify(key, "x", 1, signature, len), GB_ERR_SIGNATURE, "%s zeros", pairs[i]);
		memset(signature, 0xff, sizeof signature);
		cr_expect_eq(key->operations->verify(key, "x", 1, signature, len), GB_ERR_SIGNATURE, "%s ones", pairs[i]);
		gb_key_free(key);
	}
}

static const char *
read_pem(const char *pem, bool private_key, const char *algorithm)
{
	const char *fault;
	enum gb_err err;

	memset(numbers, 0, sizeof *numbers);
	err = gb_numbers_from_pem(pem, private_key, gb_algorithm_find(algorithm), numbers, &fault);
	cr_expect_eq(err, fault == NULL ? GB_OK : GB_ERR_MISCONFIGURED);
	return fault;
}

/* The kind that is right, then everything else, for each algorithm. */
Test(numbers, refuse_pem_keys_of_another_kind_or_size)
{
	static const struct {
		const char *kind, *good_for, *fault_in_rsa;
	} rows[] = {
		{ "RSA:2048", "R", NULL },
		{ "RSA:1024", "", "is an RSA key of less than 2048 bits" },
		{ "RSA:2047", "", "is an RSA key of less than 2048 bits" },
		{ "RSA:2048:3", "", "has an RSA exponent that is not odd, below 65537 or of more than 64 bits" },
		{ "RSA-PSS:2048", "", NULL },
		{ "EC:P-256", "ES", NULL }, { "EC:P-384", "", NULL }, { "EC:secp256k1", "", NULL },
		{ "ED25519", "Ed", NULL }, { "X25519", "", NULL }, { "ED448", "", NULL },
	};

	for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
		struct pem pem = pem_make(rows[r].kind);

		for (size_t i = 0; i < PAIRS; i++) {
			bool good = *rows[r].good_for != '\0' && strncmp(pairs[i], rows[r].good_for, strlen(rows[r].good_for)) == 0;

			for (int private_key = 0; private_key < 2; private_key++) {
				const char *fault = read_pem(private_key ? pem.private_key : pem.public_key, private_key, pairs[i]);

				cr_expect_eq(fault == NULL, good, "%s for %s: %s", rows[r].kind, pairs[i], fault);
				if (rows[r].fault_in_rsa != NULL && pairs[i][0] == 'R')
					cr_expect_str_eq(fault, rows[r].fault_in_rsa);
			}
		}
		pem_free(&pem);
	}
}

Test(numbers, refuse_what_is_no_pem_key)
{
	const struct pem *pem = pem_of("ES256");
	char *encrypted = pem_encrypted(pem->private_key), *cut = strdup(pem->private_key), *bad = strdup(pem->private_key);
	static const char *const texts[] = { "", "x", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "{\"kty\":\"EC\"}", "ssh-ed25519 AAAA" };

	cut[strlen(cut) / 2] = '\0';
	bad[40] = '!';
	cr_expect_null(read_pem(pem->private_key, true, "ES256"));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		cr_expect_str_eq(read_pem(texts[i], true, "ES256"), "is not a PEM private key without a password");
		cr_expect_str_eq(read_pem(texts[i], false, "ES256"), "is not a PEM public key");
	}
	cr_expect_not_null(read_pem(pem->public_key, true, "ES256"));
	cr_expect_not_null(read_pem(encrypted, true, "ES256"));
	cr_expect_not_null(read_pem(cut, true, "ES256"));
	cr_expect_not_null(read_pem(bad, true, "ES256"));
	free(encrypted);
	free(cut);
	free(bad);
}

Test(numbers, read_the_older_forms_of_pem)
{
	char *rsa = pem_traditional(pem_of("RS256")->private_key), *ec = pem_traditional(pem_of("ES256")->private_key);

	cr_expect_not_null(strstr(rsa, "BEGIN RSA PRIVATE KEY"));
	cr_expect_null(read_pem(rsa, true, "RS256"));
	cr_expect_not_null(strstr(ec, "BEGIN EC PRIVATE KEY"));
	cr_expect_null(read_pem(ec, true, "ES256"));
	free(rsa);
	free(ec);
}

static const char *
jwk_of(bool with_private)
{
	struct gb_json_writer writer;
	size_t len;

	gb_json_begin(&writer, arena);
	gb_json_open(&writer, NULL, '{');
	gb_numbers_to_jwk(numbers, with_private, &writer);
	gb_json_close(&writer, '}');
	return gb_json_text(&writer, &len);
}

Test(numbers, go_through_jwk_and_back)
{
	static const char *const algorithms[] = { "HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA" };

	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		struct gb_numbers *made = gb_numbers_new();
		const struct gb_json *jwk;
		const char *text;

		memset(numbers, 0, sizeof *numbers);
		cr_assert_null(gb_numbers_generate(gb_algorithm_find(algorithms[i]), 2048, numbers));
		cr_expect_null(gb_numbers_fault(numbers));
		gb_key_free(key_of_numbers());
		text = jwk_of(true);
		cr_assert_eq(gb_json_parse(text, strlen(text), arena, &jwk), GB_OK);
		cr_expect_null(gb_numbers_from_jwk(jwk, NULL, made), "%s", algorithms[i]);
		cr_expect_arr_eq((unsigned char *)made, (unsigned char *)numbers, sizeof *made);
		gb_numbers_free(made);
	}
}

Test(numbers, publish_no_private_member)
{
	static const char *const private_members[] = { "k", "d", "p", "q", "dp", "dq", "qi", "oth" };
	static const char *const algorithms[] = { "HS256", "RS256", "ES256", "EdDSA" };

	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		const struct gb_json *jwk;
		const char *text;

		memset(numbers, 0, sizeof *numbers);
		cr_assert_null(gb_numbers_generate(gb_algorithm_find(algorithms[i]), 2048, numbers));
		text = jwk_of(false);
		cr_assert_eq(gb_json_parse(text, strlen(text), arena, &jwk), GB_OK);
		for (size_t m = 0; m < sizeof private_members / sizeof *private_members; m++)
			cr_expect_not(gb_json_has(jwk, private_members[m]), "%s %s", algorithms[i], private_members[m]);
		cr_expect(gb_json_has(jwk, "alg") && gb_json_has(jwk, "kty"));
	}
}

#define OCT "\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\""
#define ED "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define EC "\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define RSA "\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" N_7515 "\",\"e\":\"AQAB\""

Test(numbers, refuse_jwks_with_a_fault)
{
	static const char *const good[] = {
		"{" OCT "}", "{" ED "}", "{" EC "}", "{" RSA "}", "{" OCT ",\"use\":\"sig\"}", "{" OCT ",\"key_ops\":[\"sign\",\"verify\"]}", "{" OCT ",\"kid\":\"a\",\"other\":1}",
	};
	static const struct {
		const char *jwk, *fault;
	} bad[] = {
		{ "{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}", "has no alg" },
		{ "{\"kty\":\"oct\",\"alg\":\"none\",\"k\":\"AAEC\"}", "has an unknown alg" },
		{ "{\"kty\":\"oct\",\"alg\":256,\"k\":\"AAEC\"}", "has an unknown alg" },
		{ "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg\"}", "is shorter than the hash of its algorithm" },
		{ "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"\"}", NULL },
		{ "{\"kty\":\"oct\",\"alg\":\"HS256\"}", "lacks numbers, or is a key of another kind" },
		{ "{\"kty\":\"oct\",\"alg\":\"HS512\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}", "is shorter than the hash of its algorithm" },
		{ "{\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}", "has a kty or crv that does not fit its alg" },
		{ "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}", "holds a number that is not base64url, or too long, or begins with zeros" },
		{ "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\"}", "holds a number that is not base64url, or too long, or begins with zeros" },
		{ "{\"kty\":\"RSA\",\"alg\":\"HS256\",\"n\":\"" N_7515 "\",\"e\":\"AQAB\"}", "has a kty or crv that does not fit its alg" },
		{ "{\"kty\":\"oct\",\"alg\":\"HS256\",\"n\":\"" N_7515 "\",\"e\":\"AQAB\"}", "lacks numbers, or is a key of another kind" },
		{ "{" OCT ",\"x\":\"AAEC\"}", "lacks numbers, or is a key of another kind" },
		{ "{" OCT ",\"use\":\"enc\"}", "is not meant for signatures" },
		{ "{" OCT ",\"use\":1}", "is not meant for signatures" },
		{ "{" OCT ",\"key_ops\":[\"encrypt\"]}", "is not meant for signatures" },
		{ "{" OCT ",\"key_ops\":\"sign, verify\"}", "is not meant for signatures" },
		{ "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" N_7515 "\",\"e\":\"AQ\"}", "has an RSA exponent that is not odd, below 65537 or of more than 64 bits" },
		{ "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" N_7515 "\",\"e\":\"Aw\"}", "has an RSA exponent that is not odd, below 65537 or of more than 64 bits" },
		{ "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" N_7515 "\",\"e\":\"AQAC\"}", "has an RSA exponent that is not odd, below 65537 or of more than 64 bits" },
		{ "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" N_7515 "\",\"e\":\"AQAAAAAAAAAB\"}", "has an RSA exponent that is not odd, below 65537 or of more than 64 bits" },
		{ "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"" N_7515 "\"}", "lacks numbers, or is a key of another kind" },
		{ "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "is an RSA key of less than 2048 bits" },
		{ "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"AAAB\",\"e\":\"AQAB\"}", "holds a number that is not base64url, or too long, or begins with zeros" },
		{ "{" RSA ",\"d\":\"AQAB\"}", "lacks numbers, or is a key of another kind" },
		{ "{" RSA ",\"oth\":[]}", "is an RSA key of more than two primes" },
		{ "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"alg\":\"EdDSA\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", "has a kty or crv that does not fit its alg" },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}", "has a number of a wrong length" },
		{ "{\"kty\":\"EC\",\"crv\":\"P-384\",\"alg\":\"ES256\",\"x\":\"AA\",\"y\":\"AA\"}", "has a kty or crv that does not fit its alg" },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}", "lacks numbers, or is a key of another kind" },
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_expect_null(read_jwk(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *fault = read_jwk(bad[i].jwk);

		cr_expect_not_null(fault, "%s", bad[i].jwk);
		if (fault != NULL && bad[i].fault != NULL)
			cr_expect_str_eq(fault, bad[i].fault, "%s: %s", bad[i].jwk, fault);
	}
}

/* An algorithm asked for stands in for an absent alg, and overrules none. */
Test(numbers, take_the_alg_asked_for_and_no_other)
{
	static const char bare[] = "{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}", named[] = "{" OCT "}";
	const struct gb_json *jwk;

	cr_assert_eq(gb_json_parse(bare, strlen(bare), arena, &jwk), GB_OK);
	cr_expect_null(gb_numbers_from_jwk(jwk, gb_algorithm_find("HS256"), numbers));
	cr_assert_eq(gb_json_parse(named, strlen(named), arena, &jwk), GB_OK);
	cr_expect_null(gb_numbers_from_jwk(jwk, gb_algorithm_find("HS256"), numbers));
	cr_expect_str_eq(gb_numbers_from_jwk(jwk, gb_algorithm_find("HS384"), numbers), "has another alg");
}

/* 65537 to the power of 12345 modulo the product of the primes up to 167, and a multiple of that: but for its end. */
#define ROCA "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"e\":\"AQAB\",\"n\":\"_1K6DcTl7iCngC1_xFSTxnJ3y3WBEnLrD5LAEI_mmV88fhdwxz83AnjtR0P4kMh4Ri6GH5PwKwoH7PO9yIzxIFBCmAaeaWYwHmd1" \
    "Jg-T67X9pL7AdWX94Vm3WCL5fGFG-kkZHPgrQSOuvO5sGTwMxuXUcOAOAr1daKorPsVv1s4yu4HKR0knAbvRwryN-xrSTd3lp_91-lk7m46mPNs2emR-8YmR" \
    "Ni15nDV9cioLTE0bT5MZ-L44V4Mb033n-NFzykBm0jYWOeme0YlpWTEz5Ica756M7idcPTGQu4ErKoTh0BR2vkQoNdFcJUJQEHJdoCJQBzKHsxXgvibojpI"

Test(numbers, refuse_rsa_of_the_faulty_generator)
{
	cr_expect_str_eq(read_jwk(ROCA "25w\"}"), "is an RSA key of a faulty generator (CVE-2017-15361)");
	cr_expect_null(read_jwk(ROCA "24w\"}"));
}

/* Numbers that look well and are no key: off the curve, of small order, halves of two pairs. */
Test(numbers, refuse_points_that_are_none_and_halves_of_two_pairs)
{
	static const char *const bad[] = {
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{" ED ",\"d\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}",
		"{" EC ",\"d\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}",
	};
	struct gb_numbers *other = gb_numbers_new();
	struct gb_key *key;
	const char *fault;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_assert_null(read_jwk(bad[i]), "%s", bad[i]);
		cr_expect_eq(gb_key_from_numbers("", numbers, &key, &fault), GB_ERR_MISCONFIGURED, "%s", bad[i]);
		cr_expect_null(key);
		cr_expect_not_null(fault);
	}
	memset(numbers, 0, sizeof *numbers);
	cr_assert_null(gb_numbers_generate(gb_algorithm_find("RS256"), 2048, numbers));
	cr_assert_null(gb_numbers_generate(gb_algorithm_find("RS256"), 2048, other));
	gb_key_free(key_of_numbers());
	numbers->of[GB_NUMBER_N] = other->of[GB_NUMBER_N];
	cr_expect_eq(gb_key_from_numbers("", numbers, &key, &fault), GB_ERR_MISCONFIGURED);
	gb_numbers_free(other);
}

Test(numbers, take_rsa_up_to_8192_bits)
{
	memset(numbers, 0, sizeof *numbers);
	numbers->algorithm = gb_algorithm_find("RS512");
	numbers->of[GB_NUMBER_N].len = GB_NUMBER_MAX;
	memset(numbers->of[GB_NUMBER_N].bytes, 0xff, GB_NUMBER_MAX);
	numbers->of[GB_NUMBER_E].len = 3;
	memcpy(numbers->of[GB_NUMBER_E].bytes, "\x01\x00\x01", 3);
	cr_expect_null(gb_numbers_fault(numbers));
	numbers->of[GB_NUMBER_N].len = 256;
	cr_expect_null(gb_numbers_fault(numbers));
	numbers->of[GB_NUMBER_N].bytes[0] = 0x7f;
	cr_expect_not_null(gb_numbers_fault(numbers));
}

/* design.md, "Keys": larger prime, then smaller; the 32-byte scalar; the 32-byte seed; the secret as it is. */
Test(numbers, give_the_bytes_that_other_keys_come_from)
{
	unsigned char ikm[GB_IKM_MAX];

	cr_assert_null(read_jwk("{" OCT "}"));
	cr_expect_eq(gb_numbers_ikm(numbers, ikm), 32);
	cr_expect_arr_eq(ikm, numbers->of[GB_NUMBER_K].bytes, 32);
	cr_assert_null(read_jwk(vectors[1].jwk));
	cr_expect_eq(gb_numbers_ikm(numbers, ikm), 32);
	cr_expect_arr_eq(ikm, numbers->of[GB_NUMBER_D].bytes, 32);
	cr_assert_null(read_jwk(vectors[2].jwk));
	cr_expect_eq(gb_numbers_ikm(numbers, ikm), 32);
	cr_expect_arr_eq(ikm, numbers->of[GB_NUMBER_D].bytes, 32);

	memset(numbers, 0, sizeof *numbers);
	cr_assert_null(gb_numbers_generate(gb_algorithm_find("RS256"), 2048, numbers));
	for (int swapped = 0; swapped < 2; swapped++) {
		bool p_larger = memcmp(numbers->of[GB_NUMBER_P].bytes, numbers->of[GB_NUMBER_Q].bytes, 128) > 0;

		cr_expect_eq(gb_numbers_ikm(numbers, ikm), 256);
		cr_expect_arr_eq(ikm, numbers->of[p_larger ? GB_NUMBER_P : GB_NUMBER_Q].bytes, 128);
		cr_expect_arr_eq(ikm + 128, numbers->of[p_larger ? GB_NUMBER_Q : GB_NUMBER_P].bytes, 128);
		memcpy(ikm, numbers->of[GB_NUMBER_P].bytes, 128);
		memcpy(numbers->of[GB_NUMBER_P].bytes, numbers->of[GB_NUMBER_Q].bytes, 128);
		memcpy(numbers->of[GB_NUMBER_Q].bytes, ikm, 128);
	}
	/* A shorter prime is the smaller, whatever its first byte. */
	numbers->of[GB_NUMBER_P].len = 127;
	numbers->of[GB_NUMBER_P].bytes[0] = 0xff;
	cr_expect_eq(gb_numbers_ikm(numbers, ikm), 255);
	cr_expect_arr_eq(ikm, numbers->of[GB_NUMBER_Q].bytes, 128);
}

Test(numbers, generate_refuses_rsa_of_other_sizes)
{
	cr_expect_not_null(gb_numbers_generate(gb_algorithm_find("RS256"), 1024, numbers));
	cr_expect_not_null(gb_numbers_generate(gb_algorithm_find("RS256"), 16384, numbers));
	cr_expect_null(gb_numbers_generate(gb_algorithm_find("RS256"), 2048, numbers));
}

/* ---- Wycheproof ---- */

/* What the signature says of all before the last dot. */
static enum gb_err
verify_jws(const struct gb_key *key, const char *jws)
{
	const char *dot = strrchr(jws, '.');
	unsigned char signature[GB_SIGNATURE_MAX];
	size_t len;

	if (dot == NULL || gb_base64url_decode(signature, sizeof signature, &len, dot + 1, strlen(dot + 1)) != GB_OK)
		return GB_ERR_MALFORMED;
	return key->operations->verify(key, jws, (size_t)(dot - jws), signature, len);
}

Test(numbers, agree_with_wycheproof_on_jws)
{
	for (size_t i = 0; i < sizeof wycheproof_jws / sizeof *wycheproof_jws; i++) {
		struct gb_key *key;

		cr_assert_null(read_jwk(wycheproof_jws[i].jwk));
		key = key_of_numbers();
		cr_expect_eq(verify_jws(key, wycheproof_jws[i].jws) == GB_OK, wycheproof_jws[i].valid, "%d", wycheproof_jws[i].number);
		gb_key_free(key);
	}
}

static enum gb_err
verify_hex(const struct gb_key *key, const char *message, const char *r, const char *s)
{
	unsigned char signature[GB_SIGNATURE_MAX];
	char hex[300];
	size_t len;

	snprintf(hex, sizeof hex, "%s%s", r, s);
	cr_assert_eq(sodium_hex2bin(signature, sizeof signature, hex, strlen(hex), NULL, &len, NULL), 0);
	return key->operations->verify(key, message, strlen(message), signature, len);
}

Test(numbers, agree_with_wycheproof_on_es256)
{
	struct gb_key *key;

	cr_assert_null(read_jwk(wycheproof_p256));
	key = key_of_numbers();
	for (size_t i = 0; i < sizeof wycheproof_p256_signatures / sizeof *wycheproof_p256_signatures; i++)
		cr_expect_eq(verify_hex(key, "123400", wycheproof_p256_signatures[i], ""), i == 0 ? GB_OK : GB_ERR_SIGNATURE, "%zu", i + 1);
	gb_key_free(key);
}

Test(numbers, agree_with_wycheproof_on_ed25519)
{
	const size_t special = sizeof wycheproof_ed25519_special / sizeof *wycheproof_ed25519_special;
	struct gb_key *key;

	cr_assert_null(read_jwk(wycheproof_ed25519));
	key = key_of_numbers();
	for (size_t i = 0; i < sizeof wycheproof_ed25519_valid / sizeof *wycheproof_ed25519_valid; i++) {
		const char *signature = wycheproof_ed25519_valid[i].signature;

		cr_expect_eq(verify_hex(key, wycheproof_ed25519_valid[i].message, signature, ""), GB_OK, "%zu", i + 1);
		cr_expect_eq(verify_hex(key, wycheproof_ed25519_valid[i].message, signature, "00"), GB_ERR_SIGNATURE, "%zu", i + 1);
		cr_expect_eq(verify_hex(key, wycheproof_ed25519_valid[i].message, signature + 2, ""), GB_ERR_SIGNATURE, "%zu", i + 1);
	}
	for (size_t r = 0; r < special; r++)
		for (size_t s = 0; s < special; s++)
			cr_expect_eq(verify_hex(key, "?", wycheproof_ed25519_special[r], wycheproof_ed25519_special[s]), GB_ERR_SIGNATURE, "%zu %zu", r, s);
	gb_key_free(key);
}
