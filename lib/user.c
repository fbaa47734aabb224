/* SPDX-License-Identifier: MIT */
/* user.c: accounts that are there: found, locked, deleted. */
#include <string.h>

#include <sodium.h>

#include "user.h"

#define GROUPS_MAX (sizeof ((struct gb_user *)0)->groups / sizeof ((struct gb_user *)0)->groups[0])

static enum gb_err
find(const struct gb_app *app, struct gb_call *call, const gb_store_key key, struct gb_user *user)
{
	char id[GB_USER_ID_MAX + 1];
	uint64_t version;
	enum gb_err err = gb_user_id_get(app->store, key, call->now, call->arena, id, &version);

	*user = (struct gb_user){ 0 };
	return err == GB_OK ? gb_user_get(app->store, id, call->now, call->arena, user) : err;
}

enum gb_err
gb_user_find_email(const struct gb_app *app, struct gb_call *call, const char *email, struct gb_user *user)
{
	gb_store_key key;

	gb_key_email(key, email);
	return find(app, call, key, user);
}

enum gb_err
gb_user_find_username(const struct gb_app *app, struct gb_call *call, const char *username,
    struct gb_user *user)
{
	gb_store_key key;

	gb_key_username(key, username);
	return find(app, call, key, user);
}

/* The name keeps its place until the last access token that speaks of it has expired. */
static enum gb_err
names_delete(const struct gb_app *app, struct gb_call *call, const struct gb_user *user,
    struct gb_commit *commit)
{
	char id[GB_USER_ID_MAX + 1];
	uint64_t version;
	gb_store_key key;
	enum gb_err err;

	gb_key_email(key, user->email);
	if ((err = gb_user_id_get(app->store, key, call->now, call->arena, id, &version)) == GB_OK)
		gb_commit_delete(commit, key, version);
	if ((err != GB_OK && err != GB_ERR_NOT_FOUND) || user->username[0] == '\0')
		return err == GB_ERR_NOT_FOUND ? GB_OK : err;
	gb_key_username(key, user->username);
	if ((err = gb_user_id_get(app->store, key, call->now, call->arena, id, &version)) == GB_OK)
		gb_commit_put_name(commit, key, version, NULL, call->now + app->config->access_ttl_s);
	return err == GB_ERR_NOT_FOUND ? GB_OK : err;
}

/*
 * Sessions are deleted at any version, which only a put in the same commit may guard. So u: is
 * put, empty and expired, which is as good as deleted.
 */
enum gb_err
gb_user_delete_commit(const struct gb_app *app, struct gb_call *call, struct gb_user *user, struct gb_commit *commit)
{
	gb_store_key key;
	enum gb_err err = names_delete(app, call, user, commit);

	if (err != GB_OK)
		return err;
	gb_session_drop_all(user, NULL, commit);
	gb_key_user(key, user->id);
	gb_commit_put(commit, key, user->version, "", 0, call->now);
	return gb_commit_run(commit, app->store, call->now);
}

enum gb_err
gb_user_delete(const struct gb_app *app, struct gb_call *call, const char *user_id)
{
	struct gb_commit commit;
	struct gb_user user;
	unsigned round = 0;
	enum gb_err err;

	do {
		gb_commit_begin(&commit, call->arena);
		if ((err = gb_user_get(app->store, user_id, call->now, call->arena, &user)) == GB_OK)
			err = gb_user_delete_commit(app, call, &user, &commit);
	} while (gb_again(&round, &err));
	if (err == GB_OK)
		call->event = "account_deleted";
	sodium_memzero(&user, sizeof user);
	return err;
}

void
gb_user_clear_links(struct gb_user *user)
{
	sodium_memzero(user->links, sizeof user->links);
	user->links_len = 0;
	sodium_memzero(user->codes, sizeof user->codes);
}

enum gb_err
gb_user_set_locked(const struct gb_app *app, struct gb_call *call, const char *user_id, bool locked)
{
	struct gb_commit commit;
	struct gb_user user;
	unsigned round = 0;
	enum gb_err err;

	do {
		if ((err = gb_user_get(app->store, user_id, call->now, call->arena, &user)) != GB_OK)
			break;
		gb_commit_begin(&commit, call->arena);
		user.locked = locked;
		if (locked) {
			gb_user_clear_links(&user);
			gb_session_drop_all(&user, NULL, &commit);
		}
		gb_commit_put_user(&commit, &user);
		err = gb_commit_run(&commit, app->store, call->now);
	} while (gb_again(&round, &err));
	if (err == GB_OK)
		call->event = locked ? "account_locked" : "account_unlocked";
	sodium_memzero(&user, sizeof user);
	return err;
}

enum gb_err
gb_user_groups_read(const char *groups, struct gb_user *user)
{
	size_t len;

	user->groups_len = 0;
	memset(user->groups, 0, sizeof user->groups);
	for (; *groups != '\0'; groups += len + (groups[len] == ',')) {
		len = strspn(groups, "abcdefghijklmnopqrstuvwxyz0123456789._-");
		if (len < 1 || len > GB_GROUP_MAX || user->groups_len == GROUPS_MAX ||
		    (groups[len] != '\0' && groups[len] != ',') || (groups[len] == ',' && groups[len + 1] == '\0'))
			return GB_ERR_INVALID_FIELD;
		memcpy(user->groups[user->groups_len], groups, len);
		for (size_t i = 0; i < user->groups_len; i++)
			if (strcmp(user->groups[i], user->groups[user->groups_len]) == 0)
				return GB_ERR_INVALID_FIELD;
		user->groups_len++;
	}
	return GB_OK;
}

enum gb_err
gb_user_set_groups(const struct gb_app *app, struct gb_call *call, const char *user_id, const char *groups)
{
	struct gb_commit commit;
	struct gb_user user;
	unsigned round = 0;
	enum gb_err err;

	do {
		if ((err = gb_user_get(app->store, user_id, call->now, call->arena, &user)) != GB_OK ||
		    (err = gb_user_groups_read(groups, &user)) != GB_OK)
			break;
		gb_commit_begin(&commit, call->arena);
		gb_commit_put_user(&commit, &user);
		err = gb_commit_run(&commit, app->store, call->now);
	} while (gb_again(&round, &err));
	if (err == GB_OK)
		call->event = "groups_changed";
	sodium_memzero(&user, sizeof user);
	return err;
}

const char *
gb_user_display_name(const struct gb_user *user)
{
	if (user->username[0] != '\0')
		return user->username;
	return user->email_verified ? user->email : user->id;
}
