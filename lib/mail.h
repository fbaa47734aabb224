/* SPDX-License-Identifier: MIT */
#ifndef GB_MAIL_H
#define GB_MAIL_H

#include "app.h"

/* True for what may stand in a header and on a command line as it is: one @, no space, control byte, comma, bracket... */
bool gb_mail_address_ok(const char *address);

/* The bare address mails come from: MAIL_FROM's; guardbee@localhost where none is needed (file). */
const char *gb_mail_sender(const struct gb_config *config);

/* One message, sent by sendmail, SMTP or into a file (MAIL_TRANSPORT). */
struct gb_message {
	const char *to;			/* canonical address */
	const char *subject;		/* UTF-8; no user's text */
	const char *text, *html;	/* UTF-8 bodies; html may be NULL */
};

/*
 * GB_OK once the transport has taken it. Else GB_ERR_STORE_UNAVAILABLE, *permanent
 * says whether another try makes sense, and `why` what the transport said.
 * sendmail: argv, no shell, `-i -f FROM -- RCPT`, PATH and LANG only, bounded in time; exit codes
 * as sysexits.h has them.
 * smtp: TLS or nothing (port 465 from the first byte, else STARTTLS), by a libcurl that is
 * loaded here; certificates are judged by the system's list, or by STATE/smtp-ca.pem where that file is.
 * file: STATE/mail/TIME-RANDOM.eml, 0600.
 */
enum gb_err gb_mail_send(const struct gb_config *config, const struct gb_state *state,
    const struct gb_message *message, int64_t now, bool *permanent, char *why, size_t why_max);

/* RFC 5322 bytes of a message, CRLF lines, multipart/alternative when there is html. NULL: no memory. */
const char *gb_mail_format(const struct gb_config *config, const struct gb_message *message, int64_t now,
    struct gb_arena *arena, size_t *len);

#endif
