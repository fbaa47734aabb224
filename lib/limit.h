/* SPDX-License-Identifier: MIT */
#ifndef GB_LIMIT_H
#define GB_LIMIT_H

#include <stdbool.h>

#include "app.h"

/*
 * Rate limits and lock-out (contract, RATE_LIMITS; design, "Limits"): exact over
 * all processes. Counters stand in a mapped table, STATE/rate.tab; lock-outs
 * that must survive a reboot are records l:FINGERPRINT. With rate limits off
 * (app->limit NULL) every call passes. A window begins with the first that is
 * counted in it.
 */
struct gb_limit;

/* GB_ERR_MISCONFIGURED or GB_ERR_MEMORY, one line in `why`. `state` must outlive it. */
enum gb_err gb_limit_open(const struct gb_state *state, char *why, size_t why_max, struct gb_limit **limit);
void gb_limit_close(struct gb_limit *limit);

enum gb_limit_window {
	GB_LIMIT_SIGN_IN,		/* 30 a minute per address; every sign-in, and every wrong secret elsewhere */
	GB_LIMIT_REGISTER,		/* 10 an hour per address */
	GB_LIMIT_FORGOT,		/* 10 an hour per address */
	GB_LIMIT_FORGOT_ACCOUNT,	/* 3 an hour per mail address; the deliverer drops silently */
};

/*
 * Counts one; GB_ERR_RATE_LIMITED (call->retry_after_s set) when the window is full, and then does not count.
 * `whose` is an address for the first three (its block counts), an account's mail address for the last.
 * GB_ERR_BUSY when the table stays locked.
 */
enum gb_err gb_limit_count(const struct gb_app *app, struct gb_call *call,
    enum gb_limit_window window, const char *whose);

/*
 * An attempt at a secret: begun before the hash and counted as failed from
 * there on, so that parallel tries cannot exceed the limit: 5 failures free,
 * then 2^(n-5) s up to 900, forgotten after 24 h.
 */
enum gb_attempt_kind { GB_ATTEMPT_NAME, GB_ATTEMPT_SELF, GB_ATTEMPT_CODE, GB_ATTEMPT_CLIENT };

struct gb_attempt {
	enum gb_attempt_kind kind;
	unsigned char fingerprint[GB_FINGERPRINT_LEN];
	bool counted, address_counted;
	uint32_t before_count;		/* what stood there, for a count that is taken back */
	int64_t before_at;
};

/*
 *	whose	the identifier as typed, canonical; user id for SELF; client id for CLIENT
 *	known_block	the client's address block signed in to this account in the last
 *			30 days: then it has a counter of its own, so that strangers cannot
 *			lock the owner out
 * Elsewhere than at sign-in (NAME) the address counts one as well, and must have one left.
 * GB_ERR_RATE_LIMITED with call->retry_after_s; then nothing was counted. Also
 * GB_ERR_BUSY, GB_ERR_MEMORY, GB_ERR_STORE_UNAVAILABLE.
 */
enum gb_err gb_limit_begin(const struct gb_app *app, struct gb_call *call, enum gb_attempt_kind kind,
    const char *whose, bool known_block, struct gb_attempt *attempt);

/*
 * GB_OK clears the counter; GB_ERR_INVALID_CREDENTIALS, _INVALID_CLIENT and
 * _RESET_TOKEN_INVALID leave it counted, and the address with it; anything else
 * takes both back.
 */
void gb_limit_end(const struct gb_app *app, struct gb_call *call, const struct gb_attempt *attempt,
    enum gb_err verdict);

/* The block an address counts as: IPv4 itself, IPv6 /64 (per address); /24 and /64 (for known blocks). */
void gb_address_block(const char *address, int ipv4_bits, char block[static 64]);

#endif
