/* SPDX-License-Identifier: MIT */
/* session.c: the sessions of one account: list, room for another, ends. */
#include <stdlib.h>
#include <string.h>

#include "token.h"

/* GB_ERR_NOT_FOUND also for a session of somebody else: an id alone proves nothing. */
static enum gb_err
session_of(const struct gb_app *app, struct gb_call *call, const char *user_id,
    const unsigned char id[static GB_SESSION_ID_LEN], struct gb_session *session)
{
	enum gb_err err = gb_session_get(app->store, id, call->now, call->arena, session);

	if (err == GB_OK && strcmp(session->user_id, user_id) != 0)
		err = GB_ERR_NOT_FOUND;
	return err;
}

static int
later_used_first(const void *a, const void *b)
{
	const struct gb_session *left = a, *right = b;

	return (left->last_used_at < right->last_used_at) - (left->last_used_at > right->last_used_at);
}

enum gb_err
gb_session_list(const struct gb_app *app, struct gb_call *call, const struct gb_user *user,
    struct gb_session sessions[static GB_SESSIONS_MAX], size_t *sessions_len)
{
	*sessions_len = 0;
	for (size_t i = 0; i < user->sessions_len; i++) {
		enum gb_err err = session_of(app, call, user->id, user->sessions[i], &sessions[*sessions_len]);

		if (err == GB_OK)
			++*sessions_len;
		else if (err != GB_ERR_NOT_FOUND)
			return err;
	}
	qsort(sessions, *sessions_len, sizeof sessions[0], later_used_first);
	return GB_OK;
}

bool
gb_session_forget(struct gb_user *user, const unsigned char id[static GB_SESSION_ID_LEN])
{
	size_t i = 0;

	while (i < user->sessions_len && memcmp(user->sessions[i], id, GB_SESSION_ID_LEN) != 0)
		i++;
	if (i == user->sessions_len)
		return false;
	user->sessions_len--;
	memmove(user->sessions[i], user->sessions[i + 1], (user->sessions_len - i) * GB_SESSION_ID_LEN);
	return true;
}

/* Any version: a thief who keeps refreshing must not starve the end of his session; u: guards the commit. */
static void
delete_session(struct gb_commit *commit, const unsigned char id[static GB_SESSION_ID_LEN])
{
	gb_store_key key;

	gb_key_session(key, id);
	gb_commit_delete(commit, key, GB_VERSION_ANY);
}

enum gb_err
gb_session_make_room(const struct gb_app *app, struct gb_call *call, struct gb_user *user,
    struct gb_commit *commit)
{
	struct gb_session *alive = gb_arena_alloc(call->arena, GB_SESSIONS_MAX * sizeof *alive);
	size_t alive_len;
	enum gb_err err;

	if (alive == NULL)
		return GB_ERR_MEMORY;
	if ((err = gb_session_list(app, call, user, alive, &alive_len)) != GB_OK)
		return err;
	for (size_t i = user->sessions_len; i > 0; i--) {
		size_t a = 0;

		while (a < alive_len && memcmp(alive[a].id, user->sessions[i - 1], GB_SESSION_ID_LEN) != 0)
			a++;
		if (a == alive_len)
			gb_session_forget(user, user->sessions[i - 1]);
	}
	for (; alive_len >= (size_t)app->config->sessions_per_user; alive_len--) {
		delete_session(commit, alive[alive_len - 1].id);
		gb_session_forget(user, alive[alive_len - 1].id);
	}
	return GB_OK;
}

void
gb_session_drop_all(struct gb_user *user, const unsigned char *kept, struct gb_commit *commit)
{
	size_t len = user->sessions_len;

	user->sessions_len = 0;
	for (size_t i = 0; i < len; i++)
		if (kept != NULL && memcmp(user->sessions[i], kept, GB_SESSION_ID_LEN) == 0)
			memmove(user->sessions[user->sessions_len++], user->sessions[i], GB_SESSION_ID_LEN);
		else
			delete_session(commit, user->sessions[i]);
}

/* Without u: there is nothing to guard the commit but the session's own version. */
static enum gb_err
end_round(const struct gb_app *app, struct gb_call *call, const char *user_id,
    const unsigned char id[static GB_SESSION_ID_LEN])
{
	struct gb_session session;
	struct gb_commit commit;
	struct gb_user user;
	gb_store_key key;
	enum gb_err err;

	gb_commit_begin(&commit, call->arena);
	if ((err = session_of(app, call, user_id, id, &session)) != GB_OK)
		return err;
	err = gb_user_get(app->store, user_id, call->now, call->arena, &user);
	if (err != GB_OK && err != GB_ERR_NOT_FOUND)
		return err;
	if (err == GB_OK && gb_session_forget(&user, id)) {
		gb_commit_put_user(&commit, &user);
		delete_session(&commit, id);
	} else {
		gb_key_session(key, id);
		gb_commit_delete(&commit, key, session.version);
	}
	return gb_commit_run(&commit, app->store, call->now);
}

enum gb_err
gb_session_end(const struct gb_app *app, struct gb_call *call, const char *user_id,
    const unsigned char session_id[static GB_SESSION_ID_LEN])
{
	unsigned round = 0;
	enum gb_err err;

	do
		err = end_round(app, call, user_id, session_id);
	while (gb_again(&round, &err));
	return err;
}

enum gb_err
gb_session_end_all(const struct gb_app *app, struct gb_call *call, const char *user_id,
    const unsigned char *kept)
{
	struct gb_commit commit;
	struct gb_user user;
	unsigned round = 0;
	enum gb_err err;

	do {
		if ((err = gb_user_get(app->store, user_id, call->now, call->arena, &user)) != GB_OK)
			return err;
		gb_commit_begin(&commit, call->arena);
		gb_session_drop_all(&user, kept, &commit);
		gb_commit_put_user(&commit, &user);
		err = gb_commit_run(&commit, app->store, call->now);
	} while (gb_again(&round, &err));
	return err;
}
