/* SPDX-License-Identifier: MIT */
/* store.c: guardbee store: check, stats, backup and restore of the embedded store. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "guardbee.h"
#include "record.h"
#include "store/backup.h"
#include "user.h"

#define BATCH	32			/* records a commit */
#define PATH_LEN 4096

static void
progress(uint64_t done, uint64_t all)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%3llu %%", (unsigned long long)(all > 0 ? done * 100 / all : 100));
}

/* What is said next begins its line. */
static void
progress_over(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r     \r", stderr);
}

/* The directory of DATABASE_URL; NULL, and said so: it is no embedded store. */
static const char *
directory(const struct gb_context *ctx)
{
	const char *url = ctx->config->database_url;

	if (strncmp(url, "gdbm:", 5) == 0)
		return url + 5;
	gb_command_refuse("DATABASE_URL names no embedded store (gdbm:)");
	return NULL;
}

static void
print_found(struct gb_context *ctx, const struct gb_backup *found, bool records)
{
	gb_output_one(ctx, (const struct gb_cell[]){
	    { "created_at", GB_CELL_TIME, 0, NULL, found->created_at },
	    { "pages", GB_CELL_NUMBER, 0, NULL, (int64_t)found->pages },
	    { "slots", GB_CELL_NUMBER, 0, NULL, (int64_t)found->check.slots },
	    { "free_bytes", GB_CELL_NUMBER, 0, NULL, (int64_t)found->check.free_bytes },
	    { "file_bytes", GB_CELL_NUMBER, 0, NULL, (int64_t)found->check.file_bytes },
	    { records ? "live_records" : NULL, GB_CELL_NUMBER, 0, NULL, (int64_t)found->records },
	    { 0 },
	});
}

static int
check(struct gb_context *ctx, int argc, char **argv)
{
	const char *dir = directory(ctx);
	struct gb_backup found;
	char why[300];
	enum gb_err err;

	(void)argc, (void)argv;
	if (dir == NULL)
		return GB_EXIT_REFUSED;
	err = gb_store_check(dir, ctx->call.now, progress, &found, why, sizeof why);
	progress_over();
	if (err != GB_OK)
		return gb_command_fail(err, why);
	print_found(ctx, &found, true);
	return EX_OK;
}

static int
stats(struct gb_context *ctx, int argc, char **argv)
{
	const char *dir = directory(ctx);
	struct gb_store_stats stats;
	char why[300];
	enum gb_err err;

	(void)argc, (void)argv;
	if (dir == NULL)
		return GB_EXIT_REFUSED;
	if ((err = gb_store_stats(dir, &stats, why, sizeof why)) != GB_OK)
		return gb_command_fail(err, why);
	return gb_output_one(ctx, (const struct gb_cell[]){
	    { "db_bytes", GB_CELL_NUMBER, 0, NULL, (int64_t)stats.db_bytes },
	    { "log_bytes", GB_CELL_NUMBER, 0, NULL, (int64_t)stats.log_bytes },
	    { "log_used_bytes", GB_CELL_NUMBER, 0, NULL, (int64_t)stats.log_used_bytes },
	    { "commits", GB_CELL_NUMBER, 0, NULL, (int64_t)stats.commits },
	    { "flushes", GB_CELL_NUMBER, 0, NULL, (int64_t)stats.flushes },
	    { "checkpoints", GB_CELL_NUMBER, 0, NULL, (int64_t)stats.checkpoints },
	    { "repairs", GB_CELL_NUMBER, 0, NULL, (int64_t)stats.repairs },
	    { "recoveries", GB_CELL_NUMBER, 0, NULL, (int64_t)stats.recoveries },
	    { 0 },
	});
}

static int
backup(struct gb_context *ctx, int argc, char **argv)
{
	const char *dir = directory(ctx);
	struct gb_backup made;
	char why[300];
	enum gb_err err;

	(void)argc;
	if (dir == NULL)
		return GB_EXIT_REFUSED;
	err = gb_backup_write(dir, argv[0], ctx->call.now, progress, &made, why, sizeof why);
	progress_over();
	if (err == GB_ERR_CONFLICT)
		return gb_command_refuse("%s", why);
	if (err != GB_OK)
		return gb_command_fail(err, why);
	print_found(ctx, &made, false);
	return EX_OK;
}

/* A user without what a restore must not bring back to life. */
static enum gb_err
user_cut(struct gb_commit *commit, const struct gb_record *record)
{
	struct gb_user user;
	enum gb_err err;

	if ((err = gb_user_decode(record->value, record->value_len, &user)) != GB_OK)
		return err;
	user.version = record->version;
	user.sessions_len = 0;
	gb_user_clear_links(&user);
	gb_commit_put_user(commit, &user);
	return GB_OK;
}

static enum gb_err
batch_cut(struct gb_context *ctx, struct gb_store *store, const struct gb_record *records, size_t len)
{
	struct gb_commit commit;
	enum gb_err err = GB_OK;

	gb_commit_begin(&commit, ctx->call.arena);
	for (size_t i = 0; i < len && err == GB_OK; i++)
		if (strncmp(records[i].key, "u:", 2) == 0)
			err = user_cut(&commit, &records[i]);
		else
			gb_commit_delete(&commit, records[i].key, records[i].version);
	return err == GB_OK && len > 0 ? gb_commit_run(&commit, store, ctx->call.now) : err;
}

/* Sessions and pending registrations go, users lose their links. The cursor stays right while records go. */
static enum gb_err
prefix_cut(struct gb_context *ctx, struct gb_store *store, const char *prefix)
{
	struct gb_record records[BATCH];
	uint64_t cursor = 0;
	size_t len;
	enum gb_err err;

	do {
		err = gb_store_scan(store, prefix, ctx->call.now, &cursor, ctx->call.arena, records, BATCH, &len);
		if (err == GB_OK)
			err = batch_cut(ctx, store, records, len);
		gb_arena_reset(ctx->call.arena);
	} while (err == GB_OK && cursor != 0);
	return err;
}

static enum gb_err
sessions_end(struct gb_context *ctx, const char *dir, char *why, size_t why_max)
{
	static const char *const prefixes[] = { "s:", "p:", "u:" };
	char url[PATH_LEN + 8];
	struct gb_store *store;
	enum gb_err err;

	snprintf(url, sizeof url, "gdbm:%s", dir);
	if ((err = gb_store_open(url, ctx->call.now, why, why_max, &store)) != GB_OK)
		return err;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && err == GB_OK; i++)
		err = prefix_cut(ctx, store, prefixes[i]);
	if (err != GB_OK)
		snprintf(why, why_max, "cannot end the sessions of the backup");
	gb_store_close(store);
	return err;
}

/* What an interrupted restore left. */
static void
remove_store(const char *dir)
{
	static const char *const names[] = { "store.gdbm", "store.sums", "store.log", "store.control" };
	char path[PATH_LEN + 16];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static int
restore(struct gb_context *ctx, int argc, char **argv)
{
	const char *dir = directory(ctx);
	char from[PATH_LEN], aside[PATH_LEN], why[300];
	struct gb_backup found;
	enum gb_err err;

	(void)argc;
	if (dir == NULL)
		return GB_EXIT_REFUSED;
	if (strlen(dir) > PATH_LEN - 64)
		return gb_command_refuse("DATABASE_URL: the path is too long");
	snprintf(from, sizeof from, "%s.restoring", dir);
	snprintf(aside, sizeof aside, "%s.replaced-%lld", dir, (long long)ctx->call.now);
	remove_store(from);
	err = gb_backup_unpack(argv[0], from, progress, &found, why, sizeof why);
	if (err == GB_OK && !ctx->keep_sessions)
		err = sessions_end(ctx, from, why, sizeof why);
	if (err == GB_OK)
		err = gb_store_check(from, ctx->call.now, progress, &found, why, sizeof why);
	progress_over();
	if (err == GB_OK)
		err = gb_backup_install(from, dir, aside, why, sizeof why);
	if (err != GB_OK) {
		remove_store(from);
		return gb_command_fail(err, why);
	}
	print_found(ctx, &found, true);
	if (!ctx->json && access(aside, F_OK) == 0)
		printf("the store that was there is kept: %s\n", aside);
	return EX_OK;
}

const struct gb_command gb_store_commands[] = {
	{ "store", "check", "", "looks at every page, structure and record", GB_NEED_CONFIG, 0, 0, check },
	{ "store", "stats", "", "sizes, commits and repairs", GB_NEED_CONFIG, 0, 0, stats },
	{ "store", "backup", "FILE", "a copy as of now, without stopping service", GB_NEED_CONFIG, 1, 1, backup },
	{ "store", "restore", "FILE", "verifies, then takes the store's place; ends all sessions", GB_NEED_CONFIG, 1, 1, restore },
	{ 0 },
};
