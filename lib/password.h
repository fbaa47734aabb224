/* SPDX-License-Identifier: MIT */
#ifndef GB_PASSWORD_H
#define GB_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "error.h"
#include "state.h"

#define GB_PASSWORD_MAX 1024		/* bytes; all of them count */

/*
 * Password hashes in PHC form, made with Argon2id (RFC 9106) through
 * libsodium. Every hash takes one of HASH_SLOTS, a lock file in STATE that all
 * processes share: the wait is bounded, then GB_ERR_BUSY. A hash that cannot
 * get its memory is GB_ERR_BUSY too, never "wrong password". The memory goes
 * back to the system after each hash.
 */
enum gb_err gb_password_hash(const struct gb_config *config, const struct gb_state *state,
    const char *password, char *hash, size_t hash_max);

/*
 * GB_OK or GB_ERR_INVALID_CREDENTIALS; GB_ERR_BUSY. stored_hash NULL: a real
 * verify against a hash of the current parameters, which always fails: equal
 * cost for unknown names; over-long passwords fail the same way. A stored hash
 * that gb_password_check refuses is GB_ERR_STORE_UNAVAILABLE before any memory is taken.
 *
 * A wrong password against a hash of other parameters or another system's (foreign.h) costs that hash and the verify
 * of an unknown name; a right one costs that hash and, at sign-in, the new hash: about the same. So cheap hashes
 * (MD5, SHA) drown in the noise of Argon2. What remains: an account whose stored hash costs something itself
 * (bcrypt 12: a quarter of a second more) can be told from an unknown name by the time its refusal takes, until its
 * owner signs in once. Hiding that would let every unknown name cost as much as the dearest hash in the store.
 */
enum gb_err gb_password_verify(const struct gb_config *config, const struct gb_state *state,
    const char *stored_hash, const char *password);

/* True if the hash was not made with the current parameters. */
bool gb_password_needs_rehash(const struct gb_config *config, const char *stored_hash);

/*
 * Could this hash be verified? GB_OK for Argon2id and Argon2i (also behind Django's "argon2") within 1 GiB, 10 passes
 * and 16 lanes, else what gb_foreign_check says.
 */
enum gb_err gb_password_check(const char *stored_hash);

/* A hash of the current cost that no password fits: its salt and tag are random. */
#define GB_PASSWORD_HASH_SIZE 128	/* libsodium's, with the NUL */
void gb_password_of_nobody(const struct gb_config *config, char hash[static GB_PASSWORD_HASH_SIZE]);

#define GB_WEAK_TOO_SHORT	1u	/* too_short */
#define GB_WEAK_COMMON		2u	/* common */
#define GB_WEAK_PERSONAL	4u	/* personal */

/*
 * Length in code points, then zxcvbn's estimate of its first 100 bytes with the
 * account's own words (address, its parts, user name, site name; NULL-terminated
 * list). GB_ERR_WEAK_PASSWORD with *reasons set, or GB_OK. (strength.c)
 */
enum gb_err gb_password_strength(const struct gb_config *config, const char *password,
    const char *const *words, unsigned *reasons);

#endif
