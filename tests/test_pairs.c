/* SPDX-License-Identifier: MIT */
/* Key pairs in settings, up to the token: settings checked, algorithms never confused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "forge.h"
#include "jwt.h"
#include "keyring.h"
#include "pem.h"

#define NOW INT64_C(1500)
#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const algorithms[] = { "RS256", "RS384", "RS512", "ES256", "EdDSA" };
#define ALGORITHMS (sizeof algorithms / sizeof *algorithms)

static const struct gb_jwt_policy policy;
static const struct gb_claims anna = {
	.subject = "42", .issued_at = 1000, .expires_at = 2000, .jwt_id = "c2Vzc2lvbiBpZCAxNiBieQ", .session_id = "AAECAwQFBgcICQoLDA0ODw",
	.email = "anna@example.org", .email_verified = true,
};
static struct gb_arena *arena;
static char why[512];

static void
setup(void)
{
	arena = gb_arena_new();
}

static void
teardown(void)
{
	gb_arena_free(arena);
}

TestSuite(pairs, .init = setup, .fini = teardown);

static struct gb_config
config_of(const char *algorithm)
{
	return (struct gb_config){
		.app_env = GB_ENV_PRODUCTION, .algorithm = algorithm, .allowed_algorithms = algorithm,
		.access_private_key = pem_of(algorithm)->private_key,
	};
}

static struct gb_keyring *
open_ring(const struct gb_config *config, enum gb_keyring_access access)
{
	struct gb_keyring *keyring;

	cr_assert_eq(gb_keyring_open(config, access, NOW, why, sizeof why, &keyring), GB_OK, "%s", why);
	return keyring;
}

static enum gb_err
verify(const struct gb_keyring *keyring, enum gb_purpose purpose, const char *token)
{
	struct gb_claims claims;

	return gb_jwt_verify(keyring, &policy, purpose, token, NOW, arena, &claims);
}

static const char *
sign(const struct gb_keyring *keyring, enum gb_purpose purpose)
{
	const char *token;

	cr_assert_eq(gb_jwt_sign(keyring, &policy, purpose, &anna, NOW, arena, &token), GB_OK);
	return token;
}

static void
expect_refused(const struct gb_config *config, const char *line)
{
	struct gb_keyring *keyring;

	cr_expect_eq(gb_keyring_open(config, GB_KEYS_SIGN, NOW, why, sizeof why, &keyring), GB_ERR_MISCONFIGURED);
	cr_expect_str_eq(why, line);
	cr_expect_null(keyring);
}

/* Each algorithm's token, every purpose, at every algorithm's ring and every purpose's door. */
Test(pairs, verify_their_own_tokens_and_no_others)
{
	struct gb_keyring *rings[ALGORITHMS];

	for (size_t i = 0; i < ALGORITHMS; i++) {
		struct gb_config config = config_of(algorithms[i]);

		rings[i] = open_ring(&config, GB_KEYS_SIGN);
	}
	for (size_t s = 0; s < ALGORITHMS; s++) {
		for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++) {
			const char *token = sign(rings[s], purpose);

			for (enum gb_purpose door = 0; door < GB_PURPOSE__COUNT; door++)
				cr_expect_eq(verify(rings[s], door, token) == GB_OK, door == purpose, "%s %s at %s", algorithms[s],
				    gb_purpose_name(purpose), gb_purpose_name(door));
			for (size_t v = 0; v < ALGORITHMS; v++)
				if (v != s && purpose == GB_PURPOSE_ACCESS)
					cr_expect_eq(verify(rings[v], purpose, token), GB_ERR_ALGORITHM, "%s at %s", algorithms[s], algorithms[v]);
		}
	}
	for (size_t i = 0; i < ALGORITHMS; i++)
		gb_keyring_close(rings[i]);
}

Test(pairs, verify_with_the_public_half_alone)
{
	for (size_t i = 0; i < ALGORITHMS; i++) {
		struct gb_config config = config_of(algorithms[i]), public_config = config;
		struct gb_keyring *signer = open_ring(&config, GB_KEYS_SIGN), *verifier;
		const char *token = sign(signer, GB_PURPOSE_ACCESS);

		public_config.access_private_key = NULL;
		public_config.access_public_key = pem_of(algorithms[i])->public_key;
		verifier = open_ring(&public_config, GB_KEYS_VERIFY);
		cr_expect_eq(verify(verifier, GB_PURPOSE_ACCESS, token), GB_OK, "%s", algorithms[i]);
		cr_expect_null(gb_keyring_signing_key(verifier, GB_PURPOSE_ACCESS, NOW));
		cr_expect_null(gb_keyring_signing_key(verifier, GB_PURPOSE_REFRESH, NOW));
		gb_keyring_close(verifier);
		expect_refused(&public_config, "ACCESS_PRIVATE_KEY is required");
		gb_keyring_close(signer);
	}
}

Test(pairs, drop_the_private_half_where_they_only_verify)
{
	struct gb_config config = config_of("ES256");
	struct gb_keyring *verifier = open_ring(&config, GB_KEYS_VERIFY);

	for (enum gb_purpose purpose = 0; purpose < GB_PURPOSE__COUNT; purpose++)
		cr_expect_null(gb_keyring_signing_key(verifier, purpose, NOW));
	gb_keyring_close(verifier);
}

struct spelling {
	size_t len;
	unsigned char bytes[2048];
};

static void
add(struct spelling *spelling, const void *bytes, size_t len)
{
	memcpy(spelling->bytes + spelling->len, bytes, len);
	spelling->len += len;
}

/* The JWK as we publish it, and its number alone: "n" or "x", as text and as bytes. */
static void
spell_jwk(struct spelling *spellings, const struct gb_keyring *keyring)
{
	struct gb_json_writer writer;
	const char *jwks, *jwk, *number, *end;
	size_t len;

	gb_json_begin(&writer, arena);
	gb_keyring_write_jwks(keyring, NOW, &writer);
	jwks = gb_json_text(&writer, &len);
	jwk = strchr(jwks + 1, '{');
	add(&spellings[0], jwk, (size_t)(strchr(jwk, '}') + 1 - jwk));
	number = strstr(jwk, "\"n\":\"") != NULL ? strstr(jwk, "\"n\":\"") : strstr(jwk, "\"x\":\"");
	cr_assert_not_null(number);
	number += strlen("\"n\":\"");
	end = strchr(number, '"');
	add(&spellings[1], number, (size_t)(end - number));
	cr_assert_eq(sodium_base642bin(spellings[2].bytes, sizeof spellings[2].bytes, number, (size_t)(end - number), NULL, &spellings[2].len, NULL,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
}

/* PEM with and without its last newline, with CRLF; DER; its base64; PKCS#1 or the point; nothing; JWK and its number. */
static size_t
spell(struct spelling *spellings, const char *pem, const unsigned char *der, size_t der_len, const struct gb_keyring *keyring)
{
	size_t tail_len = der_len < 270 ? 32 : 270;

	add(&spellings[0], pem, strlen(pem));
	add(&spellings[1], pem, strlen(pem) - 1);
	for (const char *c = pem; *c != '\0'; c++)
		add(&spellings[2], *c == '\n' ? "\r\n" : c, *c == '\n' ? 2 : 1);
	add(&spellings[3], der, der_len);
	sodium_bin2base64((char *)spellings[4].bytes, sizeof spellings[4].bytes, der, der_len, sodium_base64_VARIANT_ORIGINAL);
	spellings[4].len = strlen((char *)spellings[4].bytes);
	add(&spellings[5], der + der_len - tail_len, tail_len);
	spell_jwk(&spellings[7], keyring);
	return 10;
}

/*
 * CVE-2016-10555: the public key, which everybody has, as the secret of an
 * HMAC. In each spelling somebody might have it in, with each HMAC, signed right.
 */
Test(pairs, refuse_hmacs_under_the_public_key_in_every_spelling)
{
	static const char *const macs[] = { "HS256", "HS384", "HS512" };

	for (size_t i = 0; i < ALGORITHMS; i++) {
		struct gb_config config = config_of(algorithms[i]);
		struct gb_keyring *keyring = open_ring(&config, GB_KEYS_SIGN);
		const char *public_key = pem_of(algorithms[i])->public_key;
		BIO *bio = BIO_new_mem_buf(public_key, -1);
		EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
		unsigned char *der = NULL;
		int der_len = i2d_PUBKEY(key, &der);
		struct spelling spellings[10] = { { 0, "" } };
		size_t n = spell(spellings, public_key, der, (size_t)der_len, keyring);

		for (size_t s = 0; s < n; s++)
			for (size_t m = 0; m < 3; m++) {
				char header[64];

				snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", macs[m]);
				cr_expect_eq(verify(keyring, GB_PURPOSE_ACCESS, forge_token(header, forge_payload("access", NULL, NULL), spellings[s].bytes, spellings[s].len,
				    256 + 128 * (int)m)), GB_ERR_ALGORITHM, "%s %zu %s", algorithms[i], s, macs[m]);
				/* The right name over an HMAC. */
				snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", algorithms[i]);
				cr_expect_eq(verify(keyring, GB_PURPOSE_ACCESS, forge_token(header, forge_payload("access", NULL, NULL), spellings[s].bytes, spellings[s].len,
				    256 + 128 * (int)m)), GB_ERR_SIGNATURE, "%s %zu %s", algorithms[i], s, macs[m]);
			}
		OPENSSL_free(der);
		EVP_PKEY_free(key);
		BIO_free(bio);
		gb_keyring_close(keyring);
	}
}

/* The other way round: such a key as JWT_KEY would let everybody sign. */
Test(pairs, refuse_a_pem_key_as_a_secret)
{
	struct gb_config config = { .app_env = GB_ENV_DEVELOPMENT, .algorithm = "HS256", .jwt_key = pem_of("ES256")->public_key };
	struct gb_keyring *keyring;

	expect_refused(&config, "JWT_KEY is a key of a pair, and its algorithm needs a secret");
	config.jwt_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9";
	expect_refused(&config, "JWT_KEY is a key of a pair, and its algorithm needs a secret");
	config.jwt_key = SECRET;
	keyring = open_ring(&config, GB_KEYS_SIGN);
	gb_keyring_close(keyring);
}

Test(pairs, refuse_settings_that_do_not_fit)
{
	struct pem small = pem_make("RSA:1024"), other = pem_make("ED25519");
	struct gb_config config = config_of("EdDSA");

	config.access_private_key = NULL;
	expect_refused(&config, "ACCESS_PRIVATE_KEY is required");
	config.access_private_key = pem_of("ES256")->private_key;
	expect_refused(&config, "ACCESS_PRIVATE_KEY is not an Ed25519 key, as its algorithm needs");
	config.access_private_key = pem_of("EdDSA")->public_key;
	expect_refused(&config, "ACCESS_PRIVATE_KEY is not a PEM private key without a password");
	config.access_private_key = pem_of("EdDSA")->private_key;
	config.access_public_key = other.public_key;
	expect_refused(&config, "ACCESS_PUBLIC_KEY does not belong to ACCESS_PRIVATE_KEY");
	config.access_public_key = pem_of("EdDSA")->public_key;
	gb_keyring_close(open_ring(&config, GB_KEYS_SIGN));
	config.refresh_secret_key = SECRET;
	expect_refused(&config, "REFRESH_SECRET_KEY does not fit ALGORITHM");
	config.refresh_secret_key = NULL;
	config.refresh_private_key = config.access_private_key;
	expect_refused(&config, "ACCESS_PRIVATE_KEY and REFRESH_PRIVATE_KEY must not be equal");
	config.refresh_private_key = pem_of("ES256")->private_key;
	expect_refused(&config, "REFRESH_PRIVATE_KEY is not an Ed25519 key, as its algorithm needs");
	config.refresh_private_key = NULL;
	config.refresh_public_key = other.public_key;
	expect_refused(&config, "REFRESH_PRIVATE_KEY is required beside REFRESH_PUBLIC_KEY");
	config.refresh_private_key = other.private_key;
	gb_keyring_close(open_ring(&config, GB_KEYS_SIGN));

	config = config_of("RS256");
	config.access_private_key = small.private_key;
	expect_refused(&config, "ACCESS_PRIVATE_KEY is an RSA key of less than 2048 bits");
	config.access_private_key = pem_of("RS256")->private_key;
	gb_keyring_close(open_ring(&config, GB_KEYS_SIGN));
	pem_free(&small);
	pem_free(&other);
}

/* The private half of one P-256 key with the public half of another, as the older form of PEM holds them. */
static const char *
mixed_pem(void)
{
	static const char begin[] = "-----BEGIN EC PRIVATE KEY-----\n", end[] = "-----END EC PRIVATE KEY-----";
	static char pem[512];
	unsigned char der[2][160];
	size_t der_len[2];

	for (size_t i = 0; i < 2; i++) {
		struct pem made = pem_make("EC:P-256");
		char *older = pem_traditional(made.private_key), *body = strstr(older, begin) + strlen(begin);

		cr_assert_eq(sodium_base642bin(der[i], sizeof der[i], body, (size_t)(strstr(body, end) - body), "\n", &der_len[i], NULL,
		    sodium_base64_VARIANT_ORIGINAL), 0);
		free(older);
		pem_free(&made);
	}
	memcpy(der[0] + der_len[0] - 64, der[1] + der_len[1] - 64, 64);
	strcpy(pem, begin);
	sodium_bin2base64(pem + strlen(pem), sizeof pem - strlen(pem), der[0], der_len[0], sodium_base64_VARIANT_ORIGINAL);
	strcat(pem, "\n");
	return strcat(pem, end);
}

/* It once stopped the start with an empty line: what was wrong was read before it was known. */
Test(pairs, say_that_two_halves_do_not_belong_together)
{
	struct gb_config config = config_of("ES256");

	config.access_private_key = mixed_pem();
	expect_refused(&config, "ACCESS_PRIVATE_KEY has a public and a private half that do not belong together");
	config = config_of("ES256");
	config.refresh_private_key = mixed_pem();
	expect_refused(&config, "REFRESH_PRIVATE_KEY has a public and a private half that do not belong together");
	gb_keyring_close(open_ring(&(struct gb_config){ .app_env = GB_ENV_PRODUCTION, .algorithm = "ES256", .allowed_algorithms = "ES256",
	    .access_private_key = pem_of("ES256")->private_key }, GB_KEYS_SIGN));
}

Test(pairs, sign_refresh_tokens_with_their_own_pair_or_a_derived_key)
{
	struct pem other = pem_make("ED25519");
	struct gb_config config = config_of("EdDSA");
	struct gb_keyring *derived = open_ring(&config, GB_KEYS_SIGN), *paired;
	char text[128];
	const char *token;

	token = sign(derived, GB_PURPOSE_REFRESH);
	memcpy(text, token, 36);
	text[36] = '\0';
	cr_expect_str_eq(text, forge_base64url("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", 27));
	config.refresh_private_key = other.private_key;
	paired = open_ring(&config, GB_KEYS_SIGN);
	token = sign(paired, GB_PURPOSE_REFRESH);
	cr_expect_eq(strncmp(token, forge_base64url("{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", 27), 36), 0);
	cr_expect_eq(verify(paired, GB_PURPOSE_REFRESH, token), GB_OK);
	cr_expect_eq(verify(derived, GB_PURPOSE_REFRESH, token), GB_ERR_ALGORITHM);
	cr_expect_eq(verify(paired, GB_PURPOSE_ACCESS, token), GB_ERR_SIGNATURE);
	gb_keyring_close(derived);
	gb_keyring_close(paired);
	pem_free(&other);
}

/* A site that goes from a secret to a pair keeps verifying what it signed before. */
Test(pairs, verify_a_second_algorithm_that_is_allowed_and_has_its_own_key)
{
	struct gb_config before = { .app_env = GB_ENV_PRODUCTION, .algorithm = "HS256", .allowed_algorithms = "HS256", .jwt_key = SECRET };
	struct gb_config after = config_of("ES256");
	struct gb_keyring *old = open_ring(&before, GB_KEYS_SIGN), *ring;
	const char *old_token = sign(old, GB_PURPOSE_ACCESS), *new_token;

	after.jwt_key = SECRET;
	ring = open_ring(&after, GB_KEYS_SIGN);
	cr_expect_eq(verify(ring, GB_PURPOSE_ACCESS, old_token), GB_ERR_ALGORITHM);
	gb_keyring_close(ring);
	after.allowed_algorithms = "ES256, HS256";
	ring = open_ring(&after, GB_KEYS_SIGN);
	new_token = sign(ring, GB_PURPOSE_ACCESS);
	cr_expect_eq(verify(ring, GB_PURPOSE_ACCESS, old_token), GB_OK);
	cr_expect_eq(verify(ring, GB_PURPOSE_ACCESS, new_token), GB_OK);
	cr_expect_eq(verify(ring, GB_PURPOSE_REFRESH, old_token), GB_ERR_SIGNATURE);
	gb_keyring_close(ring);
	/* And the other way round, by the public half alone. */
	before.allowed_algorithms = "HS256,ES256";
	before.access_public_key = pem_of("ES256")->public_key;
	ring = open_ring(&before, GB_KEYS_SIGN);
	cr_expect_eq(verify(ring, GB_PURPOSE_ACCESS, new_token), GB_OK);
	cr_expect_eq(verify(ring, GB_PURPOSE_ACCESS, old_token), GB_OK);
	gb_keyring_close(ring);
	gb_keyring_close(old);
	before.allowed_algorithms = "HS256,none";
	expect_refused(&before, "API_JWT_ALLOWED_ALGORITHMS names an unknown algorithm");
}

/* One key has one algorithm, whatever is allowed. */
Test(pairs, never_give_one_key_a_second_algorithm)
{
	struct gb_config config = { .app_env = GB_ENV_PRODUCTION, .algorithm = "HS256", .allowed_algorithms = "HS256,HS512", .jwt_key = SECRET };
	struct gb_keyring *keyring = open_ring(&config, GB_KEYS_SIGN);

	cr_expect_eq(verify(keyring, GB_PURPOSE_ACCESS, forge_token("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", forge_payload("access", NULL, NULL), SECRET, 64, 256)), GB_OK);
	cr_expect_eq(verify(keyring, GB_PURPOSE_ACCESS, forge_token("{\"alg\":\"HS512\",\"typ\":\"JWT\"}", forge_payload("access", NULL, NULL), SECRET, 64, 512)), GB_ERR_ALGORITHM);
	gb_keyring_close(keyring);
}

Test(pairs, make_a_development_pair_and_keep_it)
{
	char state[] = "/tmp/gb-pairs-XXXXXX", command[64];
	struct gb_config config = { .app_env = GB_ENV_DEVELOPMENT, .algorithm = "EdDSA" };
	struct gb_keyring *first, *second;

	cr_assert_not_null(mkdtemp(state));
	config.state = state;
	first = open_ring(&config, GB_KEYS_SIGN);
	second = open_ring(&config, GB_KEYS_SIGN);
	cr_expect_eq(verify(second, GB_PURPOSE_ACCESS, sign(first, GB_PURPOSE_ACCESS)), GB_OK);
	gb_keyring_close(first);
	gb_keyring_close(second);
	snprintf(command, sizeof command, "rm -rf '%s'", state);
	cr_assert_eq(system(command), 0);
}

static const char *
jwks_of(const struct gb_config *config)
{
	struct gb_keyring *keyring = open_ring(config, GB_KEYS_VERIFY);
	struct gb_json_writer writer;
	const char *text;
	size_t len;

	gb_json_begin(&writer, arena);
	gb_keyring_write_jwks(keyring, NOW, &writer);
	text = gb_json_text(&writer, &len);
	gb_keyring_close(keyring);
	return text;
}

Test(pairs, publish_public_halves_only)
{
	const struct gb_config secret = { .app_env = GB_ENV_PRODUCTION, .algorithm = "HS256", .jwt_key = SECRET };
	static const char *const private_members[] = { "\"d\":", "\"p\":", "\"q\":", "\"dp\":", "\"dq\":", "\"qi\":", "\"k\":" };

	cr_expect_str_eq(jwks_of(&secret), "{\"keys\":[]}");
	for (size_t i = 0; i < ALGORITHMS; i++) {
		const struct gb_config config = config_of(algorithms[i]);
		const char *text = jwks_of(&config);

		cr_expect_not_null(strstr(text, algorithms[i]), "%s", text);
		cr_expect_not_null(strstr(text, "\"use\":\"sig\""));
		for (size_t m = 0; m < sizeof private_members / sizeof *private_members; m++)
			cr_expect_null(strstr(text, private_members[m]), "%s", text);
	}
}
