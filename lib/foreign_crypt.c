/* SPDX-License-Identifier: MIT */
/* foreign_crypt.c: what libxcrypt knows, and how much of it may be asked for. */
#include <crypt.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "foreign_kind.h"

#define BCRYPT_MIN	4
#define BCRYPT_MAX	14		/* 2^14 rounds */
#define BCRYPT_TAIL	53		/* digits of salt and tag */
#define ROUNDS_MIN	1000
#define ROUNDS_MAX	500000
#define BLOCKS_LOG2_MAX	21		/* N times r of yescrypt: 128 bytes each, 256 MiB */

enum gb_err
gb_crypt_check_bcrypt(const char *hash)
{
	int cost;

	if (strncmp(hash, "$2", 2) != 0 || hash[2] == '\0' || strchr("aby", hash[2]) == NULL || hash[3] != '$' ||
	    hash[4] < '0' || hash[4] > '9' || hash[5] < '0' || hash[5] > '9' || hash[6] != '$' ||
	    strspn(hash + 7, GB_FOREIGN_DIGITS) != BCRYPT_TAIL || hash[7 + BCRYPT_TAIL] != '\0')
		return GB_ERR_MALFORMED;
	cost = 10 * (hash[4] - '0') + hash[5] - '0';
	return cost >= BCRYPT_MIN && cost <= BCRYPT_MAX ? GB_OK : GB_ERR_INVALID_FIELD;
}

enum gb_err
gb_crypt_check_md5(const char *hash)
{
	return gb_foreign_tail_ok(hash + 3, 8, 22) ? GB_OK : GB_ERR_MALFORMED;
}

enum gb_err
gb_crypt_check_sha(const char *hash)
{
	const size_t tag_len = hash[1] == '5' ? 43 : 86;
	const char *at = hash + 3;
	unsigned long rounds = ROUNDS_MIN;
	char *end;

	if (strncmp(at, "rounds=", 7) == 0) {
		if (at[7] < '1' || at[7] > '9')
			return GB_ERR_MALFORMED;
		rounds = strtoul(at + 7, &end, 10);
		if (*end != '$')
			return GB_ERR_MALFORMED;
		at = end + 1;
	}
	if (!gb_foreign_tail_ok(at, 16, tag_len))
		return GB_ERR_MALFORMED;
	return rounds >= ROUNDS_MIN && rounds <= ROUNDS_MAX ? GB_OK : GB_ERR_INVALID_FIELD;
}

/* "j" for its usual flavour, N - 1 as a power of two, r - 1; more parameters than those are none that crypt(5) writes. */
enum gb_err
gb_crypt_check_yescrypt(const char *hash)
{
	const char *at = strchr(hash + 1, '$') + 1;
	int n_log2, r;

	if (at[0] != 'j' || (n_log2 = gb_foreign_digit(at[1]) + 1) < 1 || (r = gb_foreign_digit(at[2]) + 1) < 1 ||
	    at[3] != '$' || !gb_foreign_tail_ok(at + 4, 86, 43))
		return GB_ERR_MALFORMED;
	return n_log2 <= BLOCKS_LOG2_MAX && ((uint64_t)r << n_log2) <= (UINT64_C(1) << BLOCKS_LOG2_MAX) ? GB_OK
	    : GB_ERR_INVALID_FIELD;
}

enum gb_err
gb_crypt_verify(const char *hash, const char *password)
{
	struct crypt_data *data;
	const char *made;
	enum gb_err err = GB_ERR_INVALID_CREDENTIALS;

	if (strlen(password) >= CRYPT_MAX_PASSPHRASE_SIZE)
		return err;
	if ((data = calloc(1, sizeof *data)) == NULL)
		return GB_ERR_BUSY;
	made = crypt_r(password, hash, data);
	if (made == NULL || made[0] == '*')
		err = errno == ENOMEM ? GB_ERR_BUSY : GB_ERR_STORE_UNAVAILABLE;
	else if (strlen(made) == strlen(hash))
		err = gb_foreign_compare(made, hash, strlen(hash));
	sodium_memzero(data, sizeof *data);
	free(data);
	return err;
}
