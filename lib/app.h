/* SPDX-License-Identifier: MIT */
#ifndef GB_APP_H
#define GB_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "error.h"
#include "jwt.h"
#include "keyring.h"
#include "state.h"
#include "store.h"

struct gb_limit;

/* What a process holds for its life. Const while requests are served. */
struct gb_app {
	const struct gb_config *config;
	struct gb_state *state;		/* the directory STATE */
	struct gb_store *store;		/* NULL where the process has no use for it */
	struct gb_keyring *keyring;
	struct gb_limit *limit;		/* NULL where rate limits are off, or none is counted */
	struct gb_jwt_policy jwt;	/* issuer, audience, leeway of config */
};

/*
 * Opens state, store, keys and limits by the settings. On failure nothing is
 * left open and `why` holds one line for the log; with GB_OK `why` is empty, or holds one line of warning.
 */
enum gb_err gb_app_open(const struct gb_config *config, enum gb_keyring_access keys, int64_t now,
    char *why, size_t why_max, struct gb_app *app);
/* The same with some of its parts: state and keys always. */
enum gb_part { GB_PART_STORE = 1, GB_PART_LIMITS = 2 };
enum gb_err gb_app_open_parts(const struct gb_config *config, enum gb_keyring_access keys, unsigned parts, int64_t now,
    char *why, size_t why_max, struct gb_app *app);
void gb_app_close(struct gb_app *app);

/*
 * The circumstances of one request, as far as policy may see them, and what
 * policy says beside an error.
 */
struct gb_call {
	int64_t now;			/* read once per request, floored to seconds */
	struct gb_arena *arena;
	const char *address;		/* of the client, text; "" when not known */
	const char *user_agent;		/* "" when not sent; at most GB_USER_AGENT_MAX bytes */
	const char *language;		/* Accept-Language as sent; "" when not sent */

	/* out */
	int64_t retry_after_s;		/* with GB_ERR_RATE_LIMITED */
	unsigned weak_reasons;		/* with GB_ERR_WEAK_PASSWORD: GB_WEAK_* of password.h */
	const char *event;		/* for the log: "refresh_reuse", "login", ...; a constant */
	const char *user_id, *session_id;	/* for the log, once known */
};

#define GB_USER_AGENT_MAX 256

/*
 * Counts rounds of `get, decide, commit`: true if `err` is GB_ERR_CONFLICT and
 * another round may start (at most 8, after 1 to 5 ms); *round begins at 0.
 * After the last round *err becomes GB_ERR_BUSY.
 */
bool gb_again(unsigned *round, enum gb_err *err);

#endif
