/* SPDX-License-Identifier: MIT */
/*
 * Every signature of Project Wycheproof's files for what we verify. Where we are stricter than they demand:
 *
 *	acceptable	refused: a digest's parameters left out of PKCS #1, an (r, s) that is not 64 bytes
 *	truncated tags	refused, those they call valid too: a MAC is as long as its hash (RFC 7518 s3.2)
 *	e = 3		the key is refused when it is read
 */
#include <string.h>

#include <criterion/criterion.h>

#include "base64url.h"
#include "numbers.h"

struct row {
	int number;		/* 0: the key of those that follow; message is its algorithm, signature the key */
	char result;		/* k, valid, invalid, acceptable */
	const char *message, *signature;
};

static const struct row hmac_rows[] = {
#include "vectors/wycheproof/hmac.inc"
}, rsa_rows[] = {
#include "vectors/wycheproof/rsa.inc"
}, ecdsa_rows[] = {
#include "vectors/wycheproof/ecdsa.inc"
}, eddsa_rows[] = {
#include "vectors/wycheproof/eddsa.inc"
};

/* How many signatures were good, were refused, were refused though they are called valid or acceptable; keys refused. */
struct tally {
	int good, bad, stricter, keys_refused;
};

static size_t
decode(unsigned char bytes[static 2048], const char *text)
{
	size_t len;

	cr_assert_eq(gb_base64url_decode(bytes, 2048, &len, text, strlen(text)), GB_OK, "%s", text);
	return len;
}

static struct gb_key *
secret_key(const struct row *row)
{
	unsigned char secret[2048];
	size_t len = decode(secret, row->signature);

	return gb_key_new_secret("", gb_algorithm_find(row->message), secret, len);
}

/* NULL: refused, for its exponent. */
static struct gb_key *
public_key(const struct row *row)
{
	struct gb_arena *arena = gb_arena_new();
	struct gb_numbers *numbers = gb_numbers_new();
	const struct gb_json *jwk;
	struct gb_key *key = NULL;
	const char *fault;

	cr_assert_eq(gb_json_parse(row->signature, strlen(row->signature), arena, &jwk), GB_OK);
	if ((fault = gb_numbers_from_jwk(jwk, NULL, numbers)) == NULL)
		cr_assert_eq(gb_key_from_numbers("", numbers, &key, &fault), GB_OK, "%s", fault);
	else
		cr_expect_not_null(strstr(row->signature, "\"e\":\"Aw\""), "%s: %s", fault, row->signature);
	gb_numbers_free(numbers);
	gb_arena_free(arena);
	return key;
}

static void
judge(const struct gb_key *key, const struct row *row, struct tally *tally)
{
	unsigned char message[2048], signature[2048];
	size_t message_len = decode(message, row->message), len = decode(signature, row->signature);
	size_t whole = key->algorithm->kind == GB_KEY_SECRET ? key->algorithm->secret_min : len;
	enum gb_err expected = row->result == 'v' && len >= whole ? GB_OK : GB_ERR_SIGNATURE;

	cr_expect_eq(key->operations->verify(key, message, message_len, signature, len), expected, "%s %d", key->algorithm->name, row->number);
	if (expected == GB_OK)
		tally->good++;
	else if (row->result == 'i')
		tally->bad++;
	else
		tally->stricter++;
}

static struct tally
judge_all(const struct row *rows, size_t n, struct gb_key *(*key_of)(const struct row *row))
{
	struct tally tally = { 0 };
	struct gb_key *key = NULL;

	for (const struct row *row = rows; row < rows + n; row++) {
		if (row->result != 'k') {
			if (key != NULL)
				judge(key, row, &tally);
			continue;
		}
		gb_key_free(key);
		if ((key = key_of(row)) == NULL)
			tally.keys_refused++;
	}
	gb_key_free(key);
	return tally;
}

/* The numbers, so that no row is lost in silence. */
static void
agrees(struct tally tally, int good, int bad, int stricter, int keys_refused)
{
	cr_expect_eq(tally.good, good, "%d", tally.good);
	cr_expect_eq(tally.bad, bad, "%d", tally.bad);
	cr_expect_eq(tally.stricter, stricter, "%d", tally.stricter);
	cr_expect_eq(tally.keys_refused, keys_refused, "%d", tally.keys_refused);
}

#define JUDGE(rows, key_of) judge_all(rows, sizeof rows / sizeof *rows, key_of)

Test(wycheproof, hmac)
{
	agrees(JUDGE(hmac_rows, secret_key), 99, 324, 99, 0);
}

Test(wycheproof, rsa)
{
	agrees(JUDGE(rsa_rows, public_key), 56, 1859, 8, 5);
}

Test(wycheproof, ecdsa)
{
	agrees(JUDGE(ecdsa_rows, public_key), 146, 69, 4, 0);
}

Test(wycheproof, eddsa)
{
	agrees(JUDGE(eddsa_rows, public_key), 84, 61, 0, 0);
}
