/* SPDX-License-Identifier: MIT */
/* mail.c: guardbee mail: does mail go out, what waits, and what became of the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "guardbee.h"
#include "letter.h"
#include "mail.h"
#include "mail_log.h"
#include "spool.h"
#include "text.h"
#include "user.h"

#define WHY_MAX 512
#define LOG_LINES 20

static const char *const transports[] = {
	[GB_TRANSPORT_SENDMAIL] = "sendmail",
	[GB_TRANSPORT_SMTP] = "smtp",
	[GB_TRANSPORT_FILE] = "file",
};

static int
report(struct gb_context *ctx, const char *to, enum gb_err err, bool permanent, const char *why)
{
	int code = gb_output_one(ctx, (const struct gb_cell[]){
	    { "to", GB_CELL_TEXT, 0, to, 0 },
	    { "transport", GB_CELL_TEXT, 0, transports[ctx->config->mail_transport], 0 },
	    { "sent", GB_CELL_BOOLEAN, 0, NULL, err == GB_OK },
	    { "permanent", GB_CELL_BOOLEAN, 0, NULL, permanent },
	    { "said", GB_CELL_TEXT, 0, why, 0 },
	    { 0 },
	});

	if (err == GB_OK)
		return code;
	return permanent ? GB_EXIT_REFUSED : EX_TEMPFAIL;
}

static int
test(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_letter letter = { .name = "test", .language = gb_text_language("", ctx->config->default_language),
		.link = gb_arena_printf(ctx->call.arena, "%s/", ctx->config->frontend_url), .at = ctx->call.now };
	struct gb_message message;
	char why[WHY_MAX], to[GB_EMAIL_MAX + 1];
	bool permanent;
	enum gb_err err;

	(void)argc;
	if ((err = gb_email_parse(argv[0], to)) != GB_OK ||
	    (err = gb_letter_write(ctx->config, &letter, ctx->call.arena, &message)) != GB_OK)
		return gb_command_fail(err, argv[0]);
	message.to = to;
	err = gb_mail_send(ctx->config, ctx->app->state, &message, ctx->call.now, &permanent, why, sizeof why);
	return report(ctx, to, err, permanent, why);
}

static int
by_time(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
print_entry(struct gb_context *ctx, const char *name)
{
	struct gb_spool_entry entry;
	char said[WHY_MAX];

	if (gb_spool_read(ctx->app->state, name, ctx->call.arena, &entry) != GB_OK)
		return;
	gb_mail_log_find(ctx->config, ctx->app->state, &entry, said, sizeof said);
	gb_output_row(ctx, (const struct gb_cell[]){
	    { "kind", GB_CELL_TEXT, 15, gb_mail_kind_name(entry.kind), 0 },
	    { "email", GB_CELL_TEXT, 30, entry.target[0] != '\0' ? entry.target : entry.email, 0 },
	    { "created_at", GB_CELL_TIME, 19, NULL, entry.created_at },
	    { "next_at", GB_CELL_TIME, 19, NULL, entry.next_at },
	    { "tries", GB_CELL_NUMBER, 5, NULL, entry.tries },
	    { "said", GB_CELL_TEXT, 0, said, 0 },
	    { 0 },
	});
}

static int
list(struct gb_context *ctx, int argc, char **argv)
{
	gb_spool_name *names = calloc(GB_SPOOL_MAX, sizeof *names);
	enum gb_err err = GB_ERR_MEMORY;
	size_t len;

	(void)argc, (void)argv;
	if (names != NULL)
		err = gb_spool_names(ctx->app->state, INT64_MAX, names, GB_SPOOL_MAX, &len);
	if (err != GB_OK) {
		free(names);
		return gb_command_fail(err, "STATE/spool");
	}
	qsort(names, len, sizeof *names, by_time);
	gb_output_begin(ctx);
	for (size_t i = 0; i < len; i++) {
		print_entry(ctx, names[i]);
		gb_arena_reset(ctx->call.arena);
	}
	free(names);
	if (len >= GB_SPOOL_MAX)
		fputs("guardbee: the spool is full (" GB_SPOOL_MAX_TEXT " entries): requests for mail are refused, notices are lost (mail log)\n", stderr);
	return gb_output_end(ctx);
}

static int
flush(struct gb_context *ctx, int argc, char **argv)
{
	size_t sent, left;
	enum gb_err err;

	(void)argc, (void)argv;
	if ((err = gb_spool_hurry(ctx->app->state, ctx->call.now)) != GB_OK)
		return gb_command_fail(err, "STATE/spool");
	err = gb_spool_flush(ctx->app, ctx->call.now, &sent, &left);
	if (err == GB_ERR_BUSY)
		return gb_command_fail(err, "another process is delivering right now");
	if (err != GB_OK)
		return gb_command_fail(err, "STATE/spool");
	return gb_output_one(ctx, (const struct gb_cell[]){
	    { "sent", GB_CELL_NUMBER, 0, NULL, (int64_t)sent },
	    { "left", GB_CELL_NUMBER, 0, NULL, (int64_t)left },
	    { 0 },
	});
}

static int
log_show(struct gb_context *ctx, int argc, char **argv)
{
	(void)argc, (void)argv;
	gb_mail_log_tail(ctx->config, stdout, LOG_LINES);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

const struct gb_command gb_mail_commands[] = {
	{ "mail", "test", "ADDRESS", "sends a message now and says what the server said", GB_NEED_APP, 1, 1, test },
	{ "mail", "list", "", "what waits, and what was said at its last try", GB_NEED_APP, 0, 0, list },
	{ "mail", "flush", "", "delivers what waits, now", GB_NEED_APP, 0, 0, flush },
	{ "mail", "log", "", "the last lines of STATE/mail.log", GB_NEED_APP, 0, 0, log_show },
	{ 0 },
};
