/* SPDX-License-Identifier: MIT */
#ifndef GB_PROBE_H
#define GB_PROBE_H

#include "http.h"

/*
 * How `guardbee doctor URL` learns what the web server tells the programs, without an answer that a stranger
 * could read: the command puts a secret into STATE/probe, asks /auth/health with it, and health
 * writes what it saw into STATE/probe.seen. What health answers is the same for everyone. A secret
 * is good once, and for a minute.
 */
#define GB_PROBE_HEADER		"X-Guardbee-Probe"
#define GB_PROBE_SECRET_LEN	64		/* hex digits; also sent as the Bearer token */
#define GB_PROBE_SEEN_MAX	8192		/* bytes */

/* doctor's: makes the secret, and forgets what was seen before. */
enum gb_err gb_probe_begin(const struct gb_state *state, char secret[static GB_PROBE_SECRET_LEN + 1]);

/* health's: does nothing unless the request holds the secret. */
void gb_probe_answer(const struct gb_app *app, const struct gb_request *req);

/*
 * doctor's: what was seen, lines NAME=value, NULL where no program saw the secret: names are mode (fastcgi, cgi),
 * authorization (passed, absent, changed), settings (environment, parameters), client, and
 * variables of the web server as it names them, without those it did not set. Nothing is left in STATE.
 */
const char *gb_probe_end(const struct gb_state *state, struct gb_arena *arena);

#endif
