/* SPDX-License-Identifier: MIT */
#ifndef GB_EMBED_H
#define GB_EMBED_H

/*
 * Files that are built into the programs, so that an installed executable needs no folder beside
 * it: www/templates, www/texts and etc/mail (the Makefile's EMBEDDED). The table
 * is generated: $(BUILD)/embedded.c.
 */
struct gb_embedded {
	const char *path, *text;	/* "www/templates/login.html"; path NULL ends the table */
};
extern const struct gb_embedded gb_embedded[];

/* The text of one file, by its path in the source tree; NULL when it is not there. */
const char *gb_embed_find(const char *path);

#endif
