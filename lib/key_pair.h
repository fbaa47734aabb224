/* SPDX-License-Identifier: MIT */
#ifndef GB_KEY_PAIR_H
#define GB_KEY_PAIR_H

#include "numbers.h"

/*
 * The kinds that are pairs, each one file: operations, and what prepares their
 * material from numbers that have no fault. GB_ERR_MISCONFIGURED: not a key.
 */
extern const struct gb_key_operations gb_rsa_operations, gb_p256_operations, gb_ed25519_operations;

enum gb_err gb_rsa_prepare(const struct gb_numbers *numbers, void **material);
enum gb_err gb_p256_prepare(const struct gb_numbers *numbers, void **material);
enum gb_err gb_ed25519_prepare(const struct gb_numbers *numbers, void **material);

#endif
