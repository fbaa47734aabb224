/* SPDX-License-Identifier: MIT */
#ifndef GB_MAIL_TRANSPORT_H
#define GB_MAIL_TRANSPORT_H

#include "mail.h"

/* One way of sending: a row of mail.c's table. For mail.c's use only, which checks the addresses before. */
struct gb_envelope {
	const char *from, *to;		/* bare addresses, checked */
	const char *bytes;		/* what gb_mail_format made */
	size_t len;
	int total_s;			/* how long it may take in all */
};

struct gb_mail_verdict {
	bool permanent;			/* another try makes no sense */
	char *why;			/* what the transport said, one line */
	size_t why_max;
};

/* GB_OK once taken, else GB_ERR_STORE_UNAVAILABLE with the verdict. */
typedef enum gb_err gb_mail_transport(const struct gb_config *config, const struct gb_state *state,
    const struct gb_envelope *envelope, int64_t now, struct gb_mail_verdict *verdict);

gb_mail_transport gb_mail_by_sendmail, gb_mail_by_smtp, gb_mail_by_file;

/* Sets the verdict and returns GB_ERR_STORE_UNAVAILABLE. */
enum gb_err gb_mail_refused(struct gb_mail_verdict *verdict, bool permanent, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
