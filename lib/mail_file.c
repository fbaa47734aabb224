/* SPDX-License-Identifier: MIT */
/* mail_file.c: MAIL_TRANSPORT=file, for development: each message a file of STATE/mail. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include <sodium.h>

#include "mail_transport.h"

enum gb_err
gb_mail_by_file(const struct gb_config *config, const struct gb_state *state,
    const struct gb_envelope *envelope, int64_t now, struct gb_mail_verdict *verdict)
{
	unsigned char bytes[4];
	char random[2 * sizeof bytes + 1], name[64];

	(void)config;
	randombytes_buf(bytes, sizeof bytes);
	sodium_bin2hex(random, sizeof random, bytes, sizeof bytes);
	snprintf(name, sizeof name, "mail/%" PRId64 "-%s.eml", now, random);
	if (gb_state_write(state, name, envelope->bytes, envelope->len, 1) != GB_OK)
		return gb_mail_refused(verdict, false, "STATE/%s cannot be written", name);
	return GB_OK;
}
