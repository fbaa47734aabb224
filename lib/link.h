/* SPDX-License-Identifier: MIT */
#ifndef GB_LINK_H
#define GB_LINK_H

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
 * (change-email 1), the oldest drops.
 *	target	the new address for GB_LINK_CHANGE_EMAIL, else NULL
 */
enum gb_err gb_link_issue(const struct gb_app *app, struct gb_call *call, const char *user_id,
    enum gb_link_kind kind, const char *target, struct gb_mailed *mailed);

/* How a link or code is presented: token, or email and code. */
struct gb_link_proof {
	const char *token;		/* NULL: email and code */
	const char *email, *code;
};

/*
 * Whose link this is, if it is good now; spends nothing. GB_ERR_RESET_TOKEN_INVALID for
 * every kind of bad one; for a code, limits by (code, address) and 5 tries.
 */
enum gb_err gb_link_find(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind,
    const struct gb_link_proof *proof, struct gb_user *user, struct gb_link *link);

/* Clears every outstanding link, code and change of address. */
void gb_link_clear(struct gb_user *user);

/*
 * POST /auth/reset-password: the link is judged before the password's strength, and a refused password
 * never spends it. One commit: new hash, links and code cleared, every session
 * deleted; a notice mail is queued.
 */
enum gb_err gb_reset_password(const struct gb_app *app, struct gb_call *call,
    const struct gb_link_proof *proof, const char *new_password);

/* POST /auth/verify-email. password: only for a pending registration, NULL otherwise. */
enum gb_err gb_verify_email(const struct gb_app *app, struct gb_call *call,
    const struct gb_link_proof *proof, const char *password);

/* POST /auth/change-email with a session: queues the link to the new address and the notice to the old. */
enum gb_err gb_change_email_begin(const struct gb_app *app, struct gb_call *call,
    const struct gb_identity *identity, const char *current_password, const char *new_email);
/* POST /auth/change-email with a token. GB_ERR_ACCOUNT_EXISTS if the address was taken meanwhile. */
enum gb_err gb_change_email_finish(const struct gb_app *app, struct gb_call *call, const char *token);

#endif
