/* SPDX-License-Identifier: MIT */
#ifndef GB_LINK_H
#define GB_LINK_H

#include <stdbool.h>

#include "token.h"

/*
 * Mailed links and typed codes: made by the deliverer, looked at by GET, spent by
 * POST. A link is good only while its jti's SHA-256 stands in u: (or p:), so
 * holding a signing key forges none.
 */
#define GB_CODE_LEN 8			/* of a 32-letter alphabet without look-alikes */

struct gb_mailed {
	const char *url;		/* FRONTEND_URL + page + ?token=... */
	const char *code;		/* GB_CODE_LEN letters; NULL for change-email */
};

/*
 * Makes a fresh link (and code) for a user and commits it to u:; at most GB_LINKS_PER_KIND a kind
 * (change-email 1), the oldest drops. GB_ERR_NOT_FOUND: no such user, or a locked one.
 *	target	the new address for GB_LINK_CHANGE_EMAIL, else NULL; GB_ERR_NOT_FOUND also when no
 *		change to it is outstanding (any more): gb_change_email_begin makes it so
 */
enum gb_err gb_link_issue(const struct gb_app *app, struct gb_call *call, const char *user_id,
    enum gb_link_kind kind, const char *target, struct gb_mailed *mailed);

/* A fresh link for a registration that waits, committed to p:; the one before it dies. No code. GB_ERR_NOT_FOUND. */
enum gb_err gb_link_issue_pending(const struct gb_app *app, struct gb_call *call, const char *pending_id,
    struct gb_mailed *mailed);

/* How a link or code is presented: token, or email and code. */
struct gb_link_proof {
	const char *token;		/* NULL: email and code */
	const char *email, *code;
};

struct gb_found_link {
	struct gb_user user;			/* as just read; of a registration that waits only email and username */
	struct gb_link link;			/* by a code: kind, expires_at, and the code's hash as id_hash */
	char pending_id[GB_SESSION_ID_TEXT + 1];	/* "": a user's; else the registration's */
};

/*
 * Whose link this is, if it is good now; spends nothing. GB_ERR_RESET_TOKEN_INVALID for
 * every kind of bad one; for a code, GB_ERR_INVALID_EMAIL, GB_ERR_RATE_LIMITED by (code, address), and the
 * fifth wrong try ends it. Wrong codes cost one commit whether or not there is such an account.
 */
enum gb_err gb_link_find(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind,
    const struct gb_link_proof *proof, struct gb_found_link *found);

/* True while what gb_link_find found still stands in `user`, as read again. */
bool gb_link_stands(const struct gb_user *user, const struct gb_link *link, int64_t now);

/* Notes in `user` that a change to `target` is wanted: a link that nobody has yet. */
void gb_link_intend(struct gb_user *user, const char *target, int64_t now);

/*
 * POST /auth/forgot-password: syntax, the window of the client's address, one spool entry; the same
 * for every address. GB_ERR_INVALID_EMAIL, _RATE_LIMITED, _STORE_UNAVAILABLE.
 */
enum gb_err gb_forgot_password(const struct gb_app *app, struct gb_call *call, const char *email);
/* The same for verify-email's resend. */
enum gb_err gb_verify_email_again(const struct gb_app *app, struct gb_call *call, const char *email);

/*
 * POST /auth/reset-password: the link is judged before the password's strength, and a refused password
 * never spends it. One commit: new hash, links and code cleared, every session
 * deleted; a notice mail is queued. The link came to the account's address, so that is verified now.
 */
enum gb_err gb_reset_password(const struct gb_app *app, struct gb_call *call,
    const struct gb_link_proof *proof, const char *new_password);

/*
 * POST /auth/verify-email. One commit: verified, every other link, code and change of address cleared.
 *	password	the one chosen at registration, needed only by a registration that waits
 *			(GB_ERR_MISSING_FIELD, _RATE_LIMITED, _INVALID_CREDENTIALS, which spend nothing): one commit
 *			makes u:, e:, n: and deletes p:; GB_ERR_ACCOUNT_EXISTS when a name was taken meanwhile
 */
enum gb_err gb_verify_email(const struct gb_app *app, struct gb_call *call,
    const struct gb_link_proof *proof, const char *password);

/*
 * POST /auth/change-email with a session: queues the link to the new address and the notice to the old, taken or not.
 * GB_ERR_INVALID_EMAIL, what gb_user_prove says, GB_ERR_ACCOUNT_EXISTS for the address one has already.
 */
enum gb_err gb_change_email_begin(const struct gb_app *app, struct gb_call *call,
    const struct gb_identity *identity, const char *current_password, const char *new_email);
/* POST /auth/change-email with a token. GB_ERR_ACCOUNT_EXISTS if the address was taken meanwhile. */
enum gb_err gb_change_email_finish(const struct gb_app *app, struct gb_call *call, const char *token);

#endif
