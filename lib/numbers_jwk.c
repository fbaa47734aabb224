/* SPDX-License-Identifier: MIT */
/* numbers_jwk.c: numbers out of a JWK (RFC 7517) and into one. */
#include <string.h>

#include <sodium.h>

#include "base64url.h"
#include "numbers.h"

static const char *const members[GB_NUMBER__COUNT] = {
	[GB_NUMBER_K] = "k",
	[GB_NUMBER_N] = "n", [GB_NUMBER_E] = "e",
	[GB_NUMBER_X] = "x", [GB_NUMBER_Y] = "y",
	[GB_NUMBER_D] = "d",
	[GB_NUMBER_P] = "p", [GB_NUMBER_Q] = "q", [GB_NUMBER_DP] = "dp", [GB_NUMBER_DQ] = "dq", [GB_NUMBER_QI] = "qi",
};

static const struct {
	const char *type, *curve;
} kinds[] = {
	[GB_KEY_SECRET] = { "oct", NULL },
	[GB_KEY_RSA] = { "RSA", NULL },
	[GB_KEY_P256] = { "EC", "P-256" },
	[GB_KEY_ED25519] = { "OKP", "Ed25519" },
};

static bool
says(const struct gb_json *jwk, const char *name, const char *expected)
{
	const char *value;

	return gb_json_string(jwk, name, &value) == GB_OK && strcmp(value, expected) == 0;
}

/* "use" and "key_ops" may be left out (RFC 7517 s4.2, s4.3); where they are, they must allow what we do. */
static bool
is_for_signatures(const struct gb_json *jwk)
{
	const char *operations[8];
	size_t operations_len;

	if (gb_json_has(jwk, "use") && !says(jwk, "use", "sig"))
		return false;
	if (!gb_json_has(jwk, "key_ops"))
		return true;
	if (gb_json_strings(jwk, "key_ops", operations, sizeof operations / sizeof *operations, &operations_len) != GB_OK)
		return false;
	for (size_t i = 0; i < operations_len; i++)
		if (strcmp(operations[i], "sign") == 0 || strcmp(operations[i], "verify") == 0)
			return true;
	return false;
}

static const char *
take(const struct gb_json *jwk, enum gb_number number, struct gb_numbers *numbers)
{
	const char *text;
	bool rsa = numbers->algorithm->kind == GB_KEY_RSA;

	if (!gb_json_has(jwk, members[number]))
		return NULL;
	if (gb_json_string(jwk, members[number], &text) != GB_OK ||
	    gb_base64url_decode(numbers->of[number].bytes, GB_NUMBER_MAX, &numbers->of[number].len, text, strlen(text)) != GB_OK ||
	    numbers->of[number].len == 0 || (rsa && numbers->of[number].bytes[0] == 0))
		return "holds a number that is not base64url, or too long, or begins with zeros";
	return NULL;
}

const char *
gb_numbers_from_jwk(const struct gb_json *jwk, const struct gb_algorithm *algorithm, struct gb_numbers *numbers)
{
	const char *name, *fault;

	if (gb_json_has(jwk, "alg")) {
		if (gb_json_string(jwk, "alg", &name) != GB_OK || (numbers->algorithm = gb_algorithm_find(name)) == NULL)
			return "has an unknown alg";
		if (algorithm != NULL && algorithm != numbers->algorithm)
			return "has another alg";
	} else if ((numbers->algorithm = algorithm) == NULL) {
		return "has no alg";
	}
	if (!says(jwk, "kty", kinds[numbers->algorithm->kind].type) ||
	    (kinds[numbers->algorithm->kind].curve != NULL && !says(jwk, "crv", kinds[numbers->algorithm->kind].curve)))
		return "has a kty or crv that does not fit its alg";
	if (!is_for_signatures(jwk))
		return "is not meant for signatures";
	if (gb_json_has(jwk, "oth"))
		return "is an RSA key of more than two primes";
	for (enum gb_number number = 0; number < GB_NUMBER__COUNT; number++)
		if ((fault = take(jwk, number, numbers)) != NULL)
			return fault;
	return gb_numbers_fault(numbers);
}

void
gb_numbers_to_jwk(const struct gb_numbers *numbers, bool with_private, struct gb_json_writer *writer)
{
	char text[GB_BASE64URL_LEN(GB_NUMBER_MAX) + 1];

	gb_json_put_string(writer, "kty", kinds[numbers->algorithm->kind].type);
	if (kinds[numbers->algorithm->kind].curve != NULL)
		gb_json_put_string(writer, "crv", kinds[numbers->algorithm->kind].curve);
	for (enum gb_number number = 0; number < GB_NUMBER__COUNT; number++) {
		bool is_public = number >= GB_NUMBER_N && number <= GB_NUMBER_Y;

		if (numbers->of[number].len == 0 || !(with_private || is_public))
			continue;
		gb_base64url_encode(text, numbers->of[number].bytes, numbers->of[number].len);
		gb_json_put_string(writer, members[number], text);
	}
	sodium_memzero(text, sizeof text);
	gb_json_put_string(writer, "alg", numbers->algorithm->name);
}
