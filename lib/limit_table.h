/* SPDX-License-Identifier: MIT */
#ifndef GB_LIMIT_TABLE_H
#define GB_LIMIT_TABLE_H

#include "limit.h"

/*
 * Counters in a mapped file that all processes share, for limit.c. A fixed number
 * of them, so that nobody can make it grow: the emptiest of a full bucket goes.
 */
struct gb_counter {
	unsigned char fingerprint[GB_FINGERPRINT_LEN];
	int64_t at;			/* of what is counted: the window's begin, the last failure */
	uint32_t count;			/* 0: free */
	uint32_t life_s;		/* forgotten so long after `at` */
};

/*
 * Finds or makes the counter, which is the caller's alone until gb_counter_release. A new or
 * forgotten one has count 0; `at` never lies after now. GB_ERR_BUSY when another process
 * keeps it for too long.
 */
enum gb_err gb_counter_take(const struct gb_limit *limit,
    const unsigned char fingerprint[static GB_FINGERPRINT_LEN], int64_t now, struct gb_counter **counter);
void gb_counter_release(const struct gb_limit *limit, const struct gb_counter *counter);

#endif
