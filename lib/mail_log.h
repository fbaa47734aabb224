/* SPDX-License-Identifier: MIT */
#ifndef GB_MAIL_LOG_H
#define GB_MAIL_LOG_H

#include <stdio.h>

#include "spool.h"

/*
 * STATE/mail.log: what became of every entry, since a detached child has no server's log to write to. A line:
 *
 *	2026-11-24T08:00:00Z later kind=reset to=FINGERPRINT tries=1 text
 *
 * `to` is a keyed hash of the address, the first half of it; a text of the server's has
 * the address struck out. At GB_MAIL_LOG_MAX bytes the file becomes mail.log.1. The deliverer
 * writes, under its lock, and whoever could not put a notice into the spool.
 */
#define GB_MAIL_LOG_MAX (256 * 1024)

/*
 * outcome	"sent", "later", "dropped", "lost" (never in the spool) or "failed" (the deliverer itself; then state and
 *		entry may be NULL)
 * text		one line; "" for nothing to say
 */
void gb_mail_log(const struct gb_config *config, const struct gb_state *state, int64_t now, const char *outcome,
    const struct gb_spool_entry *entry, const char *text);

/* What was said at the last try of an entry that waits; "" when the log does not say (any more). */
void gb_mail_log_find(const struct gb_config *config, const struct gb_state *state,
    const struct gb_spool_entry *entry, char *text, size_t text_max);

/* The last lines, at most max, oldest first. */
void gb_mail_log_tail(const struct gb_config *config, FILE *out, size_t max);

#endif
