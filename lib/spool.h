/* SPDX-License-Identifier: MIT */
#ifndef GB_SPOOL_H
#define GB_SPOOL_H

#include "app.h"
#include "record.h"

/*
 * Mail requests, durable before the answer: STATE/spool, one file an entry,
 * 0600, written aside and renamed in, at most GB_SPOOL_MAX (processes that write at once may pass it
 * by one each). An entry holds a request, never a link: the deliverer, a detached child, looks the account up,
 * commits a fresh mailed id, renders and sends, so that the answer's time and bytes tell nothing.
 */
#define GB_SPOOL_MAX 10000
#define GB_SPOOL_MAX_TEXT "10000"
#define GB_SPOOL_TRIES 10		/* an entry is dropped after so many, or after GB_SPOOL_KEEP_S */
#define GB_SPOOL_KEEP_S (24 * 3600)
#define GB_SPOOL_RUN_S 600		/* one flush ends after so long, for another process to go on */

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
	char email[GB_EMAIL_MAX + 1];	/* as asked for, canonical; whom the notice is for */
	char user_id[GB_USER_ID_MAX + 1];	/* "" when only an address is known */
	char pending_id[GB_SESSION_ID_TEXT + 1];	/* GB_MAIL_PENDING */
	char target[GB_EMAIL_MAX + 1];	/* GB_MAIL_CHANGE_EMAIL: the new address */
	char language[9];		/* "": by the request's Accept-Language */
	char device[GB_DEVICE_MAX + 1], address[GB_ADDRESS_MAX + 1];	/* of the client that asked; "": the request's */
	int64_t created_at, next_at;	/* put sets both to now */
	unsigned tries;
};

/*
 * Durable when it returns. Notices are left out where NOTICE_MAILS is off.
 * GB_ERR_STORE_UNAVAILABLE when the spool is full or cannot be written.
 */
enum gb_err gb_spool_put(const struct gb_app *app, struct gb_call *call, const struct gb_spool_entry *entry);

/* Why gb_spool_put refuses now, in words: "the spool is full (10000 entries)". */
const char *gb_spool_trouble(const struct gb_app *app, int64_t now);

/*
 * Starts the deliverer, a detached child (double fork, setsid, descriptors replaced, PATH and LANG only), when
 * entries are due and none is running. Called after the answer was sent; returns at once. The child opens its own
 * store, keys and limits by app->config and never touches the parent's.
 */
void gb_spool_kick(const struct gb_app *app);

/*
 * Delivers what is due, here and now (the child's body; `guardbee mail flush`). How many went out and stay.
 * GB_ERR_BUSY: another process is at it.
 */
enum gb_err gb_spool_flush(const struct gb_app *app, int64_t now, size_t *sent, size_t *left);

/* For health: entries that wait, and the age in seconds of the oldest. */
enum gb_err gb_spool_look(const struct gb_app *app, int64_t now, size_t *entries, int64_t *oldest_s);

/*
 * The files themselves, for the deliverer and `guardbee mail list`. A file's name says when it is due and how
 * often it was tried: NEXT.TRIES.CREATED.RANDOM, decimal and hexadecimal, so that putting it off is one rename.
 */
#define GB_SPOOL_NAME_MAX 64
typedef char gb_spool_name[GB_SPOOL_NAME_MAX];

/* Names of at most max entries due at `due`, in no order. */
enum gb_err gb_spool_names(const struct gb_state *state, int64_t due, gb_spool_name *names, size_t max,
    size_t *names_len);
/* GB_ERR_NOT_FOUND: gone. GB_ERR_MALFORMED: not an entry. */
enum gb_err gb_spool_read(const struct gb_state *state, const char *name, struct gb_arena *arena,
    struct gb_spool_entry *entry);
/* One more try, not before next_at; `name` becomes the new one. GB_ERR_NOT_FOUND: gone. */
enum gb_err gb_spool_defer(const struct gb_state *state, gb_spool_name name, int64_t next_at);
/* Makes every entry that waits due (`guardbee mail flush`); its tries stay counted. */
enum gb_err gb_spool_hurry(const struct gb_state *state, int64_t now);
void gb_spool_drop(const struct gb_state *state, const char *name);
/*
 * Removes what a writer that was killed left aside (state.h), once it is over an hour old: nobody writes so
 * long. Done by every flush.
 */
void gb_spool_sweep(const struct gb_state *state, int64_t now);

/* "reset", "verify", "pending", "change-email", "notice-password"...: also the letter's name. */
const char *gb_mail_kind_name(enum gb_mail_kind kind);

/* The one deliverer at a time: a descriptor, to be closed; -1: somebody else is at it. */
int gb_spool_lock(const struct gb_state *state);

#endif
