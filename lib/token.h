/* SPDX-License-Identifier: MIT */
#ifndef GB_TOKEN_H
#define GB_TOKEN_H

#include "app.h"
#include "record.h"

/*
 * Policy of sessions: issue a pair, rotate, revoke (design, "Refresh"). Knows
 * no HTTP and no database: each decision is one commit of the store.
 */
#define GB_GATE_SECRET_LEN 16
#define GB_GATE_MAX 64			/* bytes of a gate cookie's value: sid "." base64url(secret) */
#define GB_CSRF_TEXT 22			/* base64url of 16 bytes */

/* What login, register and refresh answer; strings live in call->arena. */
struct gb_token_pair {
	const char *access_token, *refresh_token;
	int64_t expires_in, refresh_expires_in;		/* seconds */
	const char *session_id;				/* text */
	const char *gate;				/* value of the gate cookie; NULL: none asked for */
};

/* For the log: who and which session, once a signature or a secret has proven it. */
void gb_call_identify(struct gb_call *call, const char *user_id, const char *session_id);

/* Who sent a request: set by gb_token_check and gb_token_check_gate. */
struct gb_identity {
	struct gb_user user;
	struct gb_session session;
	const char *gate;		/* the gate cookie it was proven by; NULL: by a Bearer token */
};

/*
 * Begins a session for `user` (as just read): adds u: and s: to `commit`, runs it and signs
 * the pair. Dead session ids are dropped from u:, then the least recently used
 * beyond sessions_per_user.
 *	gate		make a gate secret (cookie mode)
 *	replaced	the session a browser presented, ended by the same commit; NULL: none
 * GB_ERR_CONFLICT: the caller starts again from its first get.
 */
enum gb_err gb_token_issue(const struct gb_app *app, struct gb_call *call, struct gb_user *user,
    bool gate, const struct gb_identity *replaced, struct gb_commit *commit, struct gb_token_pair *pair);

/*
 * Trades a refresh token for the next pair, row by row of the design's table.
 * GB_ERR_TOKEN_EXPIRED and the causes of token_invalid; GB_ERR_REFRESH_TOKEN_REVOKED;
 * GB_ERR_BUSY, GB_ERR_STORE_UNAVAILABLE. call->event says which row.
 */
enum gb_err gb_token_rotate(const struct gb_app *app, struct gb_call *call, const char *refresh_token,
    struct gb_user *user, struct gb_token_pair *pair);

/*
 * An access token that is good now: signature and claims, then s: alive and of
 * this user, then u:. The causes of token_invalid, GB_ERR_TOKEN_EXPIRED,
 * GB_ERR_TOKEN_REVOKED, GB_ERR_STORE_UNAVAILABLE.
 */
enum gb_err gb_token_check(const struct gb_app *app, struct gb_call *call, const char *access_token,
    struct gb_identity *identity);

/*
 * A gate cookie: GB_ERR_TOKEN_INVALID when malformed or its secret is wrong,
 * GB_ERR_TOKEN_REVOKED when its session is gone.
 */
enum gb_err gb_token_check_gate(const struct gb_app *app, struct gb_call *call, const char *gate,
    struct gb_identity *identity);

/* The CSRF value that belongs to a well-formed gate cookie's value. False if it is malformed. */
bool gb_token_csrf(const char *gate, char csrf[static GB_CSRF_TEXT + 1]);

/*
 * Ends the session of a well-signed access or refresh token of whatever
 * generation, expired or not; GB_OK also when it is gone already. Badly signed:
 * the causes of token_invalid.
 *	purpose	GB_PURPOSE_ACCESS or GB_PURPOSE_REFRESH: what the token must be;
 *		GB_PURPOSE__COUNT: either
 *	all	every session of the user; needs a live access or the current refresh
 *		token: else GB_ERR_TOKEN_EXPIRED or GB_ERR_TOKEN_REVOKED
 */
enum gb_err gb_token_revoke(const struct gb_app *app, struct gb_call *call, const char *token,
    enum gb_purpose purpose, bool all);

/* Sessions of a user, for the list: alive ones only, the latest used first. */
enum gb_err gb_session_list(const struct gb_app *app, struct gb_call *call, const struct gb_user *user,
    struct gb_session sessions[static GB_SESSIONS_MAX], size_t *sessions_len);

/* Ends one session of this user: GB_ERR_NOT_FOUND for an unknown or foreign id. */
enum gb_err gb_session_end(const struct gb_app *app, struct gb_call *call, const char *user_id,
    const unsigned char session_id[static GB_SESSION_ID_LEN]);

/* Ends every session of the user but `kept` (NULL: every one). */
enum gb_err gb_session_end_all(const struct gb_app *app, struct gb_call *call, const char *user_id,
    const unsigned char *kept);

/*
 * Makes room in u: for one more session: ids of dead ones are dropped, then the least recently used
 * beyond sessions_per_user, whose deletion is added to the commit that puts u:.
 */
enum gb_err gb_session_make_room(const struct gb_app *app, struct gb_call *call, struct gb_user *user,
    struct gb_commit *commit);

/* Takes an id off the list in u:; false if it is not there. */
bool gb_session_forget(struct gb_user *user, const unsigned char id[static GB_SESSION_ID_LEN]);

/* Adds the deletion of every session in u: but `kept` to the commit that puts u:, and empties the list in u:. */
void gb_session_drop_all(struct gb_user *user, const unsigned char *kept, struct gb_commit *commit);

/* Times, device and place of a session that issues tokens now; sets its expires_at. */
void gb_session_renew(const struct gb_app *app, const struct gb_call *call, struct gb_session *session);

/* Signs both tokens of a session as it stands; gate stays NULL. GB_ERR_MEMORY, GB_ERR_INTERNAL. */
enum gb_err gb_token_pair_sign(const struct gb_app *app, struct gb_call *call, const struct gb_user *user,
    const struct gb_session *session, bool fresh, struct gb_token_pair *pair);

#endif
