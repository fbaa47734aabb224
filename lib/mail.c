/* SPDX-License-Identifier: MIT */
/* mail.c: one message by the transport of the settings, to one address that was looked at first. */
#include <stdarg.h>
#include <stdio.h>

#include "mail_transport.h"

#define TOTAL_S 30

static gb_mail_transport *const transports[] = {
	[GB_TRANSPORT_SENDMAIL] = gb_mail_by_sendmail,
	[GB_TRANSPORT_SMTP] = gb_mail_by_smtp,
	[GB_TRANSPORT_FILE] = gb_mail_by_file,
};

enum gb_err
gb_mail_refused(struct gb_mail_verdict *verdict, bool permanent, const char *format, ...)
{
	va_list args;

	verdict->permanent = permanent;
	va_start(args, format);
	vsnprintf(verdict->why, verdict->why_max, format, args);
	va_end(args);
	for (char *c = verdict->why; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = ' ';
	return GB_ERR_STORE_UNAVAILABLE;
}

static enum gb_err
send_formatted(const struct gb_config *config, const struct gb_state *state, struct gb_arena *arena,
    const struct gb_message *message, int64_t now, struct gb_mail_verdict *verdict)
{
	struct gb_envelope envelope = { .from = gb_mail_sender(config), .to = message->to, .total_s = TOTAL_S };

	if ((envelope.bytes = gb_mail_format(config, message, now, arena, &envelope.len)) == NULL)
		return gb_mail_refused(verdict, false, "no memory");
	return transports[config->mail_transport](config, state, &envelope, now, verdict);
}

enum gb_err
gb_mail_send(const struct gb_config *config, const struct gb_state *state,
    const struct gb_message *message, int64_t now, bool *permanent, char *why, size_t why_max)
{
	struct gb_mail_verdict verdict = { .why = why, .why_max = why_max };
	struct gb_arena *arena;
	enum gb_err err;

	*permanent = false;
	why[0] = '\0';
	if (!gb_mail_address_ok(gb_mail_sender(config)))
		err = gb_mail_refused(&verdict, false, "MAIL_FROM is not an address");
	else if (!gb_mail_address_ok(message->to))
		err = gb_mail_refused(&verdict, true, "not an address that mail can be sent to");
	else if ((arena = gb_arena_new()) == NULL)
		err = gb_mail_refused(&verdict, false, "no memory");
	else {
		err = send_formatted(config, state, arena, message, now, &verdict);
		gb_arena_free(arena);
	}
	*permanent = verdict.permanent;
	return err;
}
