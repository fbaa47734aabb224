/* SPDX-License-Identifier: MIT */
#ifndef GB_LETTER_H
#define GB_LETTER_H

#include "mail.h"

/*
 * The words of a mail, from etc/mail/LANGUAGE/NAME.txt: lines "Subject:" and "Button:", an empty line,
 * then paragraphs. One text makes both parts, so that they cannot say different things:
 * the HTML part sets the same paragraphs into layout.html, and a paragraph that is
 * {{link}} or {{code}} alone into link.html or code.html.
 */
struct gb_letter {
	const char *name;		/* "reset" */
	const char *language;		/* of gb_text_language */
	const char *link;		/* what the button opens */
	const char *code;		/* NULL: none */
	const char *target;		/* change-email: the new address; else NULL */
	const char *device, *address;	/* of the client; NULL or "": not known */
	int64_t at;			/* when it happened */
};

/* Sets subject, text and html, in arena. GB_ERR_MEMORY; GB_ERR_INTERNAL: no such letter, or it is malformed. */
enum gb_err gb_letter_write(const struct gb_config *config, const struct gb_letter *letter,
    struct gb_arena *arena, struct gb_message *message);

#endif
