/* SPDX-License-Identifier: MIT */
#ifndef GB_FOREIGN_H
#define GB_FOREIGN_H

#include "error.h"

/*
 * Password hashes that other systems made, brought along by an import and verified as they are until the
 * next right sign-in puts Argon2id in their place:
 *
 *	crypt(3)	$2a$ $2b$ $2y$ (bcrypt), $1$, $5$, $6$, $y$, $gy$		by libxcrypt
 *	.htpasswd	those, $apr1$ and {SHA}
 *	WordPress	$P$ and $H$ (phpass, also phpBB's), $wp$2y$
 *	Werkzeug	pbkdf2:sha1|sha256|sha512:N$..., scrypt:N:R:P$...
 *	Django		pbkdf2_sha1$, pbkdf2_sha256$, scrypt$, bcrypt$, bcrypt_sha256$
 *
 * What costs more than these bounds is refused: bcrypt 14, 500,000 rounds of $5$ and $6$, 2^18 of phpass,
 * 4,000,000 of PBKDF2, 256 MiB and 2^21 blocks of scrypt and yescrypt: each about a second or two of one core. DES (eight
 * characters count), bare MD5 and whatever else is unknown here are refused too. (Argon2 is password.c's.)
 */

/*
 * Judges the form, and runs nothing. GB_OK, GB_ERR_NOT_FOUND (of no kind above), GB_ERR_MALFORMED (of a kind, but not well
 * formed), GB_ERR_INVALID_FIELD (out of bounds).
 */
enum gb_err gb_foreign_check(const char *hash);

/*
 * GB_OK or GB_ERR_INVALID_CREDENTIALS; GB_ERR_BUSY without memory; GB_ERR_STORE_UNAVAILABLE for a hash that
 * gb_foreign_check refuses, or without libcrypto.so.3 for PBKDF2. libxcrypt takes 511 bytes: longer passwords do not fit its
 * hashes. bcrypt looks at the first 72 bytes; so it was where the hash comes from.
 */
enum gb_err gb_foreign_verify(const char *hash, const char *password);

#endif
