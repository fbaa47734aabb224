/* SPDX-License-Identifier: MIT */
/* user.c: guardbee user: the operator's side of accounts. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "guardbee.h"
#include "spool.h"
#include "user.h"

#define BATCH 64

/* A user name begins with a letter, an id does not. */
enum gb_err
gb_command_user(struct gb_context *ctx, const char *name, struct gb_user *user)
{
	char email[GB_EMAIL_MAX + 1], username[GB_USERNAME_MAX + 1];
	size_t len = strlen(name);

	if (strchr(name, '@') != NULL)
		return gb_email_parse(name, email) != GB_OK ? GB_ERR_NOT_FOUND
		    : gb_user_find_email(ctx->app, &ctx->call, email, user);
	if (gb_user_id_ok(name))
		return gb_user_get(ctx->app->store, name, ctx->call.now, ctx->call.arena, user);
	if (len > GB_USERNAME_MAX)
		return GB_ERR_NOT_FOUND;
	for (size_t i = 0; i <= len; i++)
		username[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
	return gb_user_find_username(ctx->app, &ctx->call, username, user);
}

static const char *
join_groups(struct gb_arena *arena, const struct gb_user *user)
{
	const char *list = "";

	for (size_t i = 0; i < user->groups_len && list != NULL; i++)
		list = gb_arena_printf(arena, "%s%s%s", list, i > 0 ? "," : "", user->groups[i]);
	return list;
}

static void
print_list_row(struct gb_context *ctx, struct gb_arena *arena, const struct gb_user *user)
{
	gb_output_row(ctx, (const struct gb_cell[]){
	    { "id", GB_CELL_TEXT, 16, user->id, 0 },
	    { "email", GB_CELL_TEXT, 30, user->email, 0 },
	    { "username", GB_CELL_TEXT, 16, *user->username != '\0' ? user->username : NULL, 0 },
	    { "verified", GB_CELL_BOOLEAN, 8, NULL, user->email_verified },
	    { "locked", GB_CELL_BOOLEAN, 6, NULL, user->locked },
	    { "sessions", GB_CELL_NUMBER, 8, NULL, (int64_t)user->sessions_len },
	    { "created_at", GB_CELL_TIME, 19, NULL, user->created_at },
	    { "groups", GB_CELL_TEXT, 0, join_groups(arena, user), 0 },
	    { 0 },
	});
}

static int
print_user(struct gb_context *ctx, const struct gb_user *user)
{
	return gb_output_one(ctx, (const struct gb_cell[]){
	    { "id", GB_CELL_TEXT, 0, user->id, 0 },
	    { "email", GB_CELL_TEXT, 0, user->email, 0 },
	    { "email_verified", GB_CELL_BOOLEAN, 0, NULL, user->email_verified },
	    { "username", GB_CELL_TEXT, 0, *user->username != '\0' ? user->username : NULL, 0 },
	    { "groups", GB_CELL_TEXT, 0, join_groups(ctx->call.arena, user), 0 },
	    { "locked", GB_CELL_BOOLEAN, 0, NULL, user->locked },
	    { "created_at", GB_CELL_TIME, 0, NULL, user->created_at },
	    { "password_changed_at", GB_CELL_TIME, 0, NULL, user->password_changed_at },
	    { "sessions", GB_CELL_NUMBER, 0, NULL, (int64_t)user->sessions_len },
	    { "links", GB_CELL_NUMBER, 0, NULL, (int64_t)user->links_len },
	    { 0 },
	});
}

int
gb_command_done(const struct gb_context *ctx, const struct gb_user *user, const char *what)
{
	if (!ctx->json)
		printf("%s (%s): %s\n", user->email, user->id, what);
	return EX_OK;
}

/* Exit code 0; else it has said why not. */
static int
new_password(struct gb_context *ctx, const char **password)
{
	enum gb_err err = gb_read_secret(ctx, "password", true, password);

	if (err == GB_ERR_MISSING_FIELD)
		return gb_command_refuse("no password was given");
	if (err == GB_ERR_INVALID_FIELD)
		return gb_command_refuse("the passwords differ");
	return err == GB_OK ? EX_OK : gb_command_fail(err, NULL);
}

static int
add(struct gb_context *ctx, int argc, char **argv)
{
	const char *password, *username = argc > 1 ? argv[1] : NULL;
	struct gb_user user;
	enum gb_err err;
	int code;

	if ((code = new_password(ctx, &password)) != EX_OK)
		return code;
	if ((err = gb_user_add(ctx->app, &ctx->call, argv[0], username, password, &user)) != GB_OK)
		return gb_command_fail(err, argv[0]);
	return print_user(ctx, &user);
}

static int
list(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_record records[BATCH];
	struct gb_arena *arena = gb_arena_new();
	struct gb_user user;
	uint64_t cursor = 0;
	size_t len;
	enum gb_err err = arena != NULL ? GB_OK : GB_ERR_MEMORY;

	(void)argc, (void)argv;
	gb_output_begin(ctx);
	do {
		if (err == GB_OK)
			err = gb_store_scan(ctx->app->store, "u:", ctx->call.now, &cursor, arena, records, BATCH, &len);
		for (size_t i = 0; err == GB_OK && i < len; i++)
			if ((err = gb_user_decode(records[i].value, records[i].value_len, &user)) == GB_OK) {
				snprintf(user.id, sizeof user.id, "%s", records[i].key + 2);
				print_list_row(ctx, arena, &user);
			}
		if (arena != NULL)
			gb_arena_reset(arena);
	} while (err == GB_OK && cursor != 0);
	gb_arena_free(arena);
	return err == GB_OK ? gb_output_end(ctx) : gb_command_fail(err, NULL);
}

static int
show(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_user user;
	enum gb_err err;

	(void)argc;
	if ((err = gb_command_user(ctx, argv[0], &user)) != GB_OK)
		return gb_command_fail(err, argv[0]);
	return print_user(ctx, &user);
}

static int
set_locked(struct gb_context *ctx, const char *name, bool locked)
{
	struct gb_user user;
	enum gb_err err;

	if ((err = gb_command_user(ctx, name, &user)) != GB_OK ||
	    (err = gb_user_set_locked(ctx->app, &ctx->call, user.id, locked)) != GB_OK)
		return gb_command_fail(err, name);
	return gb_command_done(ctx, &user, locked ? "locked, every session ended" : "unlocked");
}

static int
lock(struct gb_context *ctx, int argc, char **argv)
{
	(void)argc;
	return set_locked(ctx, argv[0], true);
}

static int
unlock(struct gb_context *ctx, int argc, char **argv)
{
	(void)argc;
	return set_locked(ctx, argv[0], false);
}

static int
passwd(struct gb_context *ctx, int argc, char **argv)
{
	const char *password;
	struct gb_user user;
	enum gb_err err;
	int code;

	(void)argc;
	if ((err = gb_command_user(ctx, argv[0], &user)) != GB_OK)
		return gb_command_fail(err, argv[0]);
	if ((code = new_password(ctx, &password)) != EX_OK)
		return code;
	if ((err = gb_user_set_password(ctx->app, &ctx->call, user.id, password)) != GB_OK)
		return gb_command_fail(err, argv[0]);
	gb_spool_kick(ctx->app);
	return gb_command_done(ctx, &user, "new password, every session ended");
}

static int
delete(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_user user;
	enum gb_err err;

	(void)argc;
	if ((err = gb_command_user(ctx, argv[0], &user)) != GB_OK ||
	    (err = gb_user_delete(ctx->app, &ctx->call, user.id)) != GB_OK)
		return gb_command_fail(err, argv[0]);
	return gb_command_done(ctx, &user, "deleted");
}

static int
set(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_user user;
	enum gb_err err;

	(void)argc;
	if (strncmp(argv[1], "groups=", 7) != 0)
		return gb_command_refuse("%s: only groups=a,b can be set", argv[1]);
	if ((err = gb_command_user(ctx, argv[0], &user)) != GB_OK)
		return gb_command_fail(err, argv[0]);
	if ((err = gb_user_set_groups(ctx->app, &ctx->call, user.id, argv[1] + 7)) == GB_ERR_INVALID_FIELD)
		return gb_command_refuse("%s: at most 16 names of [a-z0-9._-], 32 bytes each", argv[1]);
	return err != GB_OK ? gb_command_fail(err, argv[0]) : show(ctx, 1, argv);
}

const struct gb_command gb_user_commands[] = {
	{ "user", "add", "EMAIL [USERNAME]", "a verified account; asks for its password", GB_NEED_APP, 1, 2, add },
	{ "user", "list", "", "every account", GB_NEED_APP, 0, 0, list },
	{ "user", "show", "NAME", "by address, user name or id", GB_NEED_APP, 1, 1, show },
	{ "user", "lock", "NAME", "no sign-in; ends every session, spends every link", GB_NEED_APP, 1, 1, lock },
	{ "user", "unlock", "NAME", "sign-in again", GB_NEED_APP, 1, 1, unlock },
	{ "user", "passwd", "NAME", "asks for a new password; ends every session", GB_NEED_APP, 1, 1, passwd },
	{ "user", "delete", "NAME", "the account and its sessions", GB_NEED_APP, 1, 1, delete },
	{ "user", "set", "NAME groups=a,b", "the groups of an account; groups= for none", GB_NEED_APP, 2, 2, set },
	{ 0 },
};
