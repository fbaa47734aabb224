/* SPDX-License-Identifier: MIT */
/* session.c: guardbee session: who is signed in, and an end to it. */
#include <string.h>
#include <sysexits.h>

#include <sodium.h>

#include "guardbee.h"
#include "user.h"

#define BATCH 64

static void
print_row(struct gb_context *ctx, const struct gb_session *session)
{
	char id[GB_SESSION_ID_TEXT + 1];

	gb_session_id_text(session->id, id);
	gb_output_row(ctx, (const struct gb_cell[]){
	    { "id", GB_CELL_TEXT, 22, id, 0 },
	    { "user_id", GB_CELL_TEXT, 16, session->user_id, 0 },
	    { "created_at", GB_CELL_TIME, 19, NULL, session->created_at },
	    { "last_used_at", GB_CELL_TIME, 19, NULL, session->last_used_at },
	    { "address", GB_CELL_TEXT, 15, session->address, 0 },
	    { "device", GB_CELL_TEXT, 0, session->device, 0 },
	    { 0 },
	});
}

static enum gb_err
list_everybody(struct gb_context *ctx)
{
	struct gb_record records[BATCH];
	struct gb_session session;
	uint64_t cursor = 0;
	size_t len;
	enum gb_err err;

	do {
		gb_arena_reset(ctx->call.arena);
		err = gb_store_scan(ctx->app->store, "s:", ctx->call.now, &cursor, ctx->call.arena, records, BATCH, &len);
		for (size_t i = 0; err == GB_OK && i < len; i++)
			if ((err = gb_session_decode(records[i].value, records[i].value_len, &session)) == GB_OK)
				print_row(ctx, &session);
	} while (err == GB_OK && cursor != 0);
	sodium_memzero(&session, sizeof session);
	return err;
}

static enum gb_err
list_of(struct gb_context *ctx, const struct gb_user *user)
{
	struct gb_session sessions[GB_SESSIONS_MAX];
	size_t len = 0;
	enum gb_err err = gb_session_list(ctx->app, &ctx->call, user, sessions, &len);

	for (size_t i = 0; err == GB_OK && i < len; i++)
		print_row(ctx, &sessions[i]);
	sodium_memzero(sessions, sizeof sessions);
	return err;
}

static int
list(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_user user;
	enum gb_err err;

	if (argc > 0 && (err = gb_command_user(ctx, argv[0], &user)) != GB_OK)
		return gb_command_fail(err, argv[0]);
	gb_output_begin(ctx);
	err = argc > 0 ? list_of(ctx, &user) : list_everybody(ctx);
	return err == GB_OK ? gb_output_end(ctx) : gb_command_fail(err, NULL);
}

static enum gb_err
end_one(struct gb_context *ctx, const struct gb_user *user, const char *text)
{
	unsigned char id[GB_SESSION_ID_LEN];

	return gb_session_id_parse(text, id) ? gb_session_end(ctx->app, &ctx->call, user->id, id) : GB_ERR_NOT_FOUND;
}

static int
end(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_user user;
	enum gb_err err;

	if ((err = gb_command_user(ctx, argv[0], &user)) != GB_OK)
		return gb_command_fail(err, argv[0]);
	err = argc > 1 ? end_one(ctx, &user, argv[1]) : gb_session_end_all(ctx->app, &ctx->call, user.id, NULL);
	if (err != GB_OK)
		return gb_command_fail(err, argv[argc - 1]);
	return gb_command_done(ctx, &user, argc > 1 ? "session ended" : "every session ended");
}

const struct gb_command gb_session_commands[] = {
	{ "session", "list", "[NAME]", "who is signed in, from where; of one account or of all", GB_NEED_APP, 0, 1, list },
	{ "session", "end", "NAME [ID]", "ends one session of an account, or every one", GB_NEED_APP, 1, 2, end },
	{ 0 },
};
