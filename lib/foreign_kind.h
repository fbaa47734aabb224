/* SPDX-License-Identifier: MIT */
#ifndef GB_FOREIGN_KIND_H
#define GB_FOREIGN_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* A kind of foreign hash: how foreign_*.c speak with foreign.c, which has the table of them. */
struct gb_foreign_kind {
	const char *prefix;
	enum gb_err (*check)(const char *hash);		/* as gb_foreign_check, but never GB_ERR_NOT_FOUND */
	enum gb_err (*verify)(const char *hash, const char *password);	/* of a hash that check found good */
};

/* Digits of the base64 of crypt(3), in order of value. */
#define GB_FOREIGN_DIGITS "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
/* The value of such a digit; -1: it is none. */
int gb_foreign_digit(char c);
/* A salt of at most salt_max bytes, "$", exactly tag_len digits, and the end. */
bool gb_foreign_tail_ok(const char *at, size_t salt_max, size_t tag_len);
/* Compares in constant time. */
enum gb_err gb_foreign_compare(const void *made, const void *stored, size_t len);

enum gb_err gb_crypt_check_bcrypt(const char *hash);
enum gb_err gb_crypt_check_md5(const char *hash);
enum gb_err gb_crypt_check_sha(const char *hash);
enum gb_err gb_crypt_check_yescrypt(const char *hash);
enum gb_err gb_crypt_verify(const char *hash, const char *password);

enum gb_err gb_md5_check_apr1(const char *hash);
enum gb_err gb_md5_verify_apr1(const char *hash, const char *password);
enum gb_err gb_md5_check_phpass(const char *hash);
enum gb_err gb_md5_verify_phpass(const char *hash, const char *password);

enum gb_err gb_kdf_check(const char *hash);
enum gb_err gb_kdf_verify(const char *hash, const char *password);

#endif
