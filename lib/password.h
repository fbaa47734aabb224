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
 * of another form, or whose parameters are out of bounds (1 GiB, 10 passes, 16
 * lanes), is GB_ERR_STORE_UNAVAILABLE before any memory is taken.
 */
enum gb_err gb_password_verify(const struct gb_config *config, const struct gb_state *state,
    const char *stored_hash, const char *password);

/* True if the hash was not made with the current parameters. */
bool gb_password_needs_rehash(const struct gb_config *config, const char *stored_hash);

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
