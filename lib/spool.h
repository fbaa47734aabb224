/* SPDX-License-Identifier: MIT */
#ifndef GB_SPOOL_H
#define GB_SPOOL_H

#include "app.h"

/*
 * Mail requests, durable before the answer: STATE/spool, one file an entry,
 * 0600, written aside and renamed in, at most GB_SPOOL_MAX. An entry holds a
 * request, never a link: the deliverer, a detached child, looks the account up,
 * commits a fresh mailed id, renders and sends, so that the answer's time and bytes tell nothing.
 */
#define GB_SPOOL_MAX 10000

enum gb_mail_kind {
	GB_MAIL_RESET,			/* forgot-password */
	GB_MAIL_VERIFY,			/* after register; verify-email's resend */
	GB_MAIL_PENDING,		/* REGISTRATION=verify */
	GB_MAIL_CHANGE_EMAIL,		/* link to the new address */
	GB_MAIL_NOTICE_PASSWORD,	/* the password was changed */
	GB_MAIL_NOTICE_EMAIL,		/* to the old address: a change was asked for */
	GB_MAIL_NOTICE_DEVICE,		/* a sign-in from a new device */
	GB_MAIL_NOTICE_REUSE,		/* a spent refresh token came again: the session was ended */
	GB_MAIL__COUNT
};

struct gb_spool_entry {
	enum gb_mail_kind kind;
	char email[255];		/* as asked for, canonical; whom the notice is for */
	char user_id[17];		/* "" when only an address is known */
	char pending_id[23];		/* GB_MAIL_PENDING */
	char target[255];		/* GB_MAIL_CHANGE_EMAIL: the new address */
	char language[9];
	char device[81], address[46];	/* of the client that asked */
	int64_t created_at, next_at;
	unsigned tries;
};

/* Durable when it returns. GB_ERR_STORE_UNAVAILABLE when the spool is full or cannot be written. */
enum gb_err gb_spool_put(const struct gb_app *app, struct gb_call *call, const struct gb_spool_entry *entry);

/*
 * Starts the deliverer, a detached child (double fork, setsid, descriptors replaced, PATH and LANG only), when
 * entries are due and none is running. Called after the answer was sent; returns at once.
 */
void gb_spool_kick(const struct gb_app *app);

/* Delivers what is due, here and now (the child's body; `guardbee mail flush`). How many went out and stay. */
enum gb_err gb_spool_flush(const struct gb_app *app, int64_t now, size_t *sent, size_t *left);

/* For health: entries that wait, and the age in seconds of the oldest. */
enum gb_err gb_spool_look(const struct gb_app *app, int64_t now, size_t *entries, int64_t *oldest_s);

#endif
