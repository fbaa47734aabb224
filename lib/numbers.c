/* SPDX-License-Identifier: MIT */
/* numbers.c: which numbers make a key of each kind, and which are good. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "arena.h"
#include "key_pair.h"
#include "numbers.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define RSA_EXPONENT_MIN 65537
#define RSA_EXPONENT_LEN_MAX 8

#define BIT(number) (1u << GB_NUMBER_##number)

static const struct kind {
	unsigned public_numbers, private_numbers;
	size_t len;				/* of each number; 0: RSA's vary */
	enum gb_err (*prepare)(const struct gb_numbers *numbers, void **material);
	const struct gb_key_operations *operations;
} kinds[] = {
	[GB_KEY_SECRET] = { 0, BIT(K), 0, NULL, NULL },
	[GB_KEY_RSA] = { BIT(N) | BIT(E), BIT(D) | BIT(P) | BIT(Q) | BIT(DP) | BIT(DQ) | BIT(QI), 0, gb_rsa_prepare, &gb_rsa_operations },
	[GB_KEY_P256] = { BIT(X) | BIT(Y), BIT(D), 32, gb_p256_prepare, &gb_p256_operations },
	[GB_KEY_ED25519] = { BIT(X), BIT(D), 32, gb_ed25519_prepare, &gb_ed25519_operations },
};

struct gb_numbers *
gb_numbers_new(void)
{
	return calloc(1, sizeof(struct gb_numbers));
}

void
gb_numbers_free(struct gb_numbers *numbers)
{
	if (numbers == NULL)
		return;
	sodium_memzero(numbers, sizeof *numbers);
	free(numbers);
}

bool
gb_numbers_are_private(const struct gb_numbers *numbers)
{
	return numbers->of[GB_NUMBER_D].len > 0 || numbers->of[GB_NUMBER_K].len > 0;
}

static size_t
bits(const struct gb_numbers *numbers, enum gb_number number)
{
	size_t len = numbers->of[number].len, top = 8;

	if (len == 0)
		return 0;
	while (top > 0 && numbers->of[number].bytes[0] >> (top - 1) == 0)
		top--;
	return (len - 1) * 8 + top;
}

static unsigned
remainder_of(const unsigned char *number, size_t len, unsigned divisor)
{
	unsigned rest = 0;

	for (size_t i = 0; i < len; i++)
		rest = (rest << 8 | number[i]) % divisor;
	return rest;
}

static bool
is_power(unsigned rest, unsigned base, unsigned prime)
{
	unsigned power = 1;

	do {
		if (power == rest)
			return true;
		power = power * base % prime;
	} while (power != 1);
	return false;
}

/*
 * CVE-2017-15361 (ROCA): smart cards and TPMs made moduli that are a power of 65537 modulo each of the first primes,
 * and can be factored. One good key in 2^30 looks so too.
 */
static bool
modulus_can_be_factored(const unsigned char *modulus, size_t len)
{
	static const unsigned char primes[] = {
		3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
		127, 131, 137, 139, 149, 151, 157, 163, 167,
	};

	for (size_t i = 0; i < sizeof primes; i++)
		if (!is_power(remainder_of(modulus, len, primes[i]), 65537 % primes[i], primes[i]))
			return false;
	return true;
}

static const char *
rsa_fault(const struct gb_numbers *numbers)
{
	const unsigned char *exponent = numbers->of[GB_NUMBER_E].bytes;
	size_t exponent_len = numbers->of[GB_NUMBER_E].len;
	uint64_t value = 0;

	if (bits(numbers, GB_NUMBER_N) < RSA_BITS_MIN)
		return "is an RSA key of less than 2048 bits";
	if (bits(numbers, GB_NUMBER_N) > RSA_BITS_MAX)
		return "is an RSA key of more than 8192 bits";
	for (size_t i = 0; i < exponent_len && exponent_len <= RSA_EXPONENT_LEN_MAX; i++)
		value = value << 8 | exponent[i];
	if (value < RSA_EXPONENT_MIN || value % 2 == 0)
		return "has an RSA exponent that is not odd, below 65537 or of more than 64 bits";
	if (modulus_can_be_factored(numbers->of[GB_NUMBER_N].bytes, numbers->of[GB_NUMBER_N].len))
		return "is an RSA key of a faulty generator (CVE-2017-15361)";
	return NULL;
}

/* The numbers that are there must be exactly those of a public or of a private key of this kind. */
const char *
gb_numbers_fault(const struct gb_numbers *numbers)
{
	const struct kind *kind = &kinds[numbers->algorithm->kind];
	unsigned there = 0;

	for (enum gb_number number = 0; number < GB_NUMBER__COUNT; number++) {
		if (numbers->of[number].len == 0)
			continue;
		there |= 1u << number;
		if (kind->len != 0 && numbers->of[number].len != kind->len)
			return "has a number of a wrong length";
	}
	if (kind->public_numbers == 0 ? there != kind->private_numbers :
	    there != kind->public_numbers && there != (kind->public_numbers | kind->private_numbers))
		return "lacks numbers, or is a key of another kind";
	if (numbers->algorithm->kind == GB_KEY_RSA)
		return rsa_fault(numbers);
	if (numbers->algorithm->kind == GB_KEY_SECRET && numbers->of[GB_NUMBER_K].len < numbers->algorithm->secret_min)
		return "is shorter than the hash of its algorithm";
	return NULL;
}

static size_t
append(const struct gb_numbers *numbers, enum gb_number number, unsigned char *ikm, size_t at)
{
	memcpy(ikm + at, numbers->of[number].bytes, numbers->of[number].len);
	return at + numbers->of[number].len;
}

/* Big-endian without leading zeros: the longer is the larger, else the first byte that differs says. */
static bool
is_larger(const struct gb_numbers *numbers, enum gb_number a, enum gb_number b)
{
	if (numbers->of[a].len != numbers->of[b].len)
		return numbers->of[a].len > numbers->of[b].len;
	return memcmp(numbers->of[a].bytes, numbers->of[b].bytes, numbers->of[a].len) > 0;
}

size_t
gb_numbers_ikm(const struct gb_numbers *numbers, unsigned char ikm[static GB_IKM_MAX])
{
	bool p_first = is_larger(numbers, GB_NUMBER_P, GB_NUMBER_Q);

	switch (numbers->algorithm->kind) {
	case GB_KEY_SECRET:
		return append(numbers, GB_NUMBER_K, ikm, 0);
	case GB_KEY_RSA:
		return append(numbers, p_first ? GB_NUMBER_Q : GB_NUMBER_P, ikm, append(numbers, p_first ? GB_NUMBER_P : GB_NUMBER_Q, ikm, 0));
	default:
		return append(numbers, GB_NUMBER_D, ikm, 0);
	}
}

/* A private key that does not fit its public half would sign what nobody can verify. */
static enum gb_err
try_out(const struct gb_key *key)
{
	static const char bytes[] = "guardbee";
	unsigned char signature[GB_SIGNATURE_MAX];
	size_t len = sizeof signature;
	enum gb_err err = key->operations->sign(key, bytes, sizeof bytes, signature, &len);

	return err == GB_OK ? key->operations->verify(key, bytes, sizeof bytes, signature, len) : err;
}

static enum gb_err
prepare_once(const char *id, const struct gb_numbers *numbers, struct gb_key **key, const char **fault)
{
	const struct kind *kind = &kinds[numbers->algorithm->kind];
	void *material = NULL;
	enum gb_err err;

	if ((err = kind->prepare(numbers, &material)) != GB_OK) {
		*fault = "is not a good key of its kind";
		return err;
	}
	if ((*key = gb_key_new(id, numbers->algorithm, kind->operations, material, gb_numbers_are_private(numbers))) == NULL)
		return GB_ERR_MEMORY;
	if (!(*key)->can_sign || (err = try_out(*key)) == GB_OK)
		return GB_OK;
	gb_key_free(*key);
	*key = NULL;
	*fault = "has a public and a private half that do not belong together";
	return err == GB_ERR_MEMORY ? err : GB_ERR_MISCONFIGURED;
}

enum gb_err
gb_key_from_numbers(const char *id, const struct gb_numbers *numbers, struct gb_key **key, const char **fault)
{
	enum gb_err err;

	*key = NULL;
	if ((*fault = gb_numbers_fault(numbers)) != NULL)
		return GB_ERR_MISCONFIGURED;
	if (kinds[numbers->algorithm->kind].prepare == NULL) {
		*key = gb_key_new_secret(id, numbers->algorithm, numbers->of[GB_NUMBER_K].bytes, numbers->of[GB_NUMBER_K].len);
		return *key != NULL ? GB_OK : GB_ERR_MEMORY;
	}
	if ((err = prepare_once(id, numbers, key, fault)) == GB_ERR_MISCONFIGURED)
		err = prepare_once(id, numbers, key, fault);
	return err == GB_ERR_MISCONFIGURED && !gb_memory_is_left() ? GB_ERR_MEMORY : err;
}
