/* SPDX-License-Identifier: MIT */
#ifndef GB_HMAC_H
#define GB_HMAC_H

#include <stddef.h>

#include "algorithm.h"

/*
 * HMAC (RFC 2104) with SHA-256, SHA-384 or SHA-512 under a key that is
 * prepared once: the pads are hashed already, a MAC costs the message alone.
 */
#define GB_MAC_MAX 64

struct gb_hmac;

/* Any key, empty too (callers demand a length); NULL when there is no memory. */
struct gb_hmac *gb_hmac_new(enum gb_hash hash, const void *key, size_t key_len);
void gb_hmac_free(struct gb_hmac *hmac);	/* wipes */

/* Writes the MAC and returns its length: 32, 48 or 64. */
size_t gb_hmac_mac(const struct gb_hmac *hmac, const void *bytes, size_t len,
    unsigned char mac[static GB_MAC_MAX]);

/* The bare hash; returns its length. */
size_t gb_hash(enum gb_hash hash, const void *bytes, size_t len,
    unsigned char hashed[static GB_MAC_MAX]);

#endif
