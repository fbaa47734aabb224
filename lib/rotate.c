/* SPDX-License-Identifier: MIT */
/* rotate.c: what a refresh token is worth, row by row of the design's table. */
#include <string.h>

#include <sodium.h>

#include "device.h"
#include "notice.h"
#include "refresh_id.h"
#include "token.h"

enum row { ROW_GONE, ROW_FORGED, ROW_AHEAD, ROW_ROTATE, ROW_REPLAY, ROW_REUSE };

/* Words of the log. */
static const char *const events[] = {
	[ROW_GONE] = "refresh_revoked",
	[ROW_FORGED] = "refresh_forged",
	[ROW_AHEAD] = "refresh_ahead",
	[ROW_ROTATE] = "refresh",
	[ROW_REPLAY] = "refresh_replay",
	[ROW_REUSE] = "refresh_reuse",
};

/* What a token's signature vouches for. */
struct presented {
	const char *subject;
	unsigned char session_id[GB_SESSION_ID_LEN];
	struct gb_refresh_id id;
};

/* Row 1, without the store. */
static enum gb_err
present(const struct gb_app *app, struct gb_call *call, const char *refresh_token, struct presented *presented)
{
	struct gb_claims claims;
	enum gb_err err = gb_jwt_verify(app->keyring, &app->jwt, GB_PURPOSE_REFRESH, refresh_token, call->now,
	    call->arena, &claims);

	if (err != GB_OK)
		return err;
	if (!gb_session_id_parse(claims.session_id, presented->session_id) ||
	    !gb_refresh_id_parse(claims.jwt_id, &presented->id))
		return GB_ERR_CLAIM;
	presented->subject = claims.subject;
	gb_call_identify(call, claims.subject, claims.session_id);
	return GB_OK;
}

/* A second tab, or the answer that was lost on its way: the parent, at once, from the same place. */
static bool
is_replay(const struct gb_app *app, const struct gb_call *call, const struct presented *presented,
    const struct gb_session *session)
{
	int64_t since_s = call->now - session->rotated_at;

	return presented->id.generation + 1 == session->generation && since_s < app->config->refresh_grace_s &&
	    -since_s < app->config->refresh_grace_s && gb_device_same(app, call, session);
}

/* Rows 2 to 7; session and user are set beyond ROW_GONE. */
static enum gb_err
judge(const struct gb_app *app, struct gb_call *call, const struct presented *presented,
    struct gb_session *session, struct gb_user *user, enum row *row)
{
	enum gb_err err;

	*row = ROW_GONE;
	err = gb_session_get(app->store, presented->session_id, call->now, call->arena, session);
	if (err == GB_OK && strcmp(session->user_id, presented->subject) != 0)
		return GB_OK;
	if (err == GB_OK)
		err = gb_user_get(app->store, session->user_id, call->now, call->arena, user);
	if (err != GB_OK)
		return err == GB_ERR_NOT_FOUND ? GB_OK : err;
	if (user->locked || (session->max_at != 0 && call->now >= session->max_at) ||
	    call->now >= session->refresh_expires_at + app->config->leeway_s)
		return GB_OK;
	if (!gb_refresh_id_fits(&presented->id, session))
		*row = ROW_FORGED;
	else if (presented->id.generation > session->generation)
		*row = ROW_AHEAD;
	else if (presented->id.generation == session->generation)
		*row = ROW_ROTATE;
	else
		*row = is_replay(app, call, presented, session) ? ROW_REPLAY : ROW_REUSE;
	return GB_OK;
}

static enum gb_err
rotate(const struct gb_app *app, struct gb_call *call, struct gb_session *session,
    const struct gb_user *user, struct gb_token_pair *pair)
{
	struct gb_commit commit;
	enum gb_err err;

	session->generation++;
	gb_session_renew(app, call, session);
	gb_commit_begin(&commit, call->arena);
	gb_commit_put_session(&commit, session);
	if ((err = gb_token_pair_sign(app, call, user, session, false, pair)) == GB_OK)
		err = gb_commit_run(&commit, app->store, call->now);
	return err;
}

/* At its version: a verdict about a record that moved meanwhile is none. */
static enum gb_err
end(const struct gb_app *app, struct gb_call *call, const struct gb_session *session)
{
	struct gb_commit commit;
	gb_store_key key;
	enum gb_err err;

	gb_key_session(key, session->id);
	gb_commit_begin(&commit, call->arena);
	gb_commit_delete(&commit, key, session->version);
	err = gb_commit_run(&commit, app->store, call->now);
	return err == GB_OK ? GB_ERR_REFRESH_TOKEN_REVOKED : err;
}

static enum gb_err
act(const struct gb_app *app, struct gb_call *call, enum row row, struct gb_session *session,
    const struct gb_user *user, struct gb_token_pair *pair)
{
	switch (row) {
	case ROW_ROTATE:
		return rotate(app, call, session, user, pair);
	case ROW_REPLAY:
		return gb_token_pair_sign(app, call, user, session, false, pair);
	case ROW_AHEAD:
	case ROW_REUSE:
		return end(app, call, session);
	case ROW_GONE:
	case ROW_FORGED:
		break;
	}
	return GB_ERR_REFRESH_TOKEN_REVOKED;
}

enum gb_err
gb_token_rotate(const struct gb_app *app, struct gb_call *call, const char *refresh_token,
    struct gb_user *user, struct gb_token_pair *pair)
{
	struct presented presented;
	struct gb_session session = { 0 };
	unsigned round = 0;
	enum row row;
	enum gb_err err;

	*pair = (struct gb_token_pair){ 0 };
	if ((err = present(app, call, refresh_token, &presented)) != GB_OK)
		return err;
	do {
		if ((err = judge(app, call, &presented, &session, user, &row)) == GB_OK)
			err = act(app, call, row, &session, user, pair);
	} while (gb_again(&round, &err));
	if (err == GB_OK || err == GB_ERR_REFRESH_TOKEN_REVOKED)
		call->event = events[row];
	/* somebody has a copy: the owner is told, the session is ended whether or not the mail can be queued */
	if (err == GB_ERR_REFRESH_TOKEN_REVOKED && row == ROW_REUSE)
		gb_notice_put(app, call, GB_MAIL_NOTICE_REUSE, user);
	if (err != GB_OK)
		*pair = (struct gb_token_pair){ 0 };
	sodium_memzero(&session, sizeof session);
	return err;
}
