/* SPDX-License-Identifier: MIT */
#ifndef STORE_NUMBER_H
#define STORE_NUMBER_H

#include "store_temporary.h"

#define NOW INT64_C(1800000000)		/* of all calls that take no time */
#define DAY (24 * 3600)

/* Records whose values are numbers in digits. Writes over whatever is there. */
enum gb_err store_number_put(struct gb_store *store, const char *key, const char *value);
enum gb_err store_number_put_at(struct gb_store *store, const char *key, const char *value, int64_t expires_at,
    int64_t now);
/* -1: absent; -2: no answer. */
int store_number_get(struct gb_store *store, const char *key, uint64_t *version);
/* Expired or not. */
bool store_number_is_there(struct gb_store *store, const char *key);

/* A new store with 41 as u:1, closed. */
void store_number_make(struct store_temporary *temporary);
/* It cannot be opened, and the reason holds this word. */
void store_number_refused(const struct store_temporary *temporary, const char *word);
/* What store_number_make left is there, and more can be written. */
void store_number_still_good(const struct store_temporary *temporary);

#endif
