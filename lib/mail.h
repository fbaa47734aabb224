/* SPDX-License-Identifier: MIT */
#ifndef GB_MAIL_H
#define GB_MAIL_H

#include "app.h"

/* One message, sent by sendmail, SMTP or into a file (MAIL_TRANSPORT). */
struct gb_message {
	const char *to;			/* canonical address */
	const char *subject;		/* UTF-8; no user's text */
	const char *text, *html;	/* UTF-8 bodies; html may be NULL */
};

/*
 * GB_OK once the transport has taken it. Else GB_ERR_STORE_UNAVAILABLE, *permanent
 * says whether another try makes sense, and `why` what the transport said.
 * sendmail: argv, no shell, `-i -f FROM -- RCPT`, PATH and LANG only, bounded in time.
 * file: STATE/mail/TIME-RANDOM.eml, 0600.
 */
enum gb_err gb_mail_send(const struct gb_config *config, const struct gb_state *state,
    const struct gb_message *message, int64_t now, bool *permanent, char *why, size_t why_max);

/* RFC 5322 bytes of a message, CRLF lines, multipart/alternative when there is html. NULL: no memory. */
const char *gb_mail_format(const struct gb_config *config, const struct gb_message *message, int64_t now,
    struct gb_arena *arena, size_t *len);

#endif
