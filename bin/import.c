/* SPDX-License-Identifier: MIT */
/*
 * import.c: guardbee user import. Accounts go in by batches, each one commit. An address that has an account
 * already is left alone, so that an import which was interrupted is run again, whole.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "guardbee.h"
#include "import.h"
#include "user.h"

#define BATCH		(GB_STORE_CHANGES_MAX / 3)
#define PROGRESS_LINES	500
#define REASON_MAX	160

struct account {
	struct gb_user user;
	size_t line;
	enum gb_err outcome;		/* GB_OK: into the store with it */
};

struct import {
	struct gb_context *ctx;
	FILE *in;
	struct gb_import_form form;
	struct account batch[BATCH];
	size_t batch_len;
	size_t lines, imported, present, refused;
	void *seen;			/* of a dry run: seen.c */
	int failed;			/* errno of a read that failed; 0: none did */
};

static volatile sig_atomic_t interrupted;

static void
interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

/* The end of the line under way, not of the process: what was read so far goes in and is told of. */
static void
signals_catch(void)
{
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void
line_refuse(struct import *import, size_t line, const char *why)
{
	import->refused++;
	if (import->ctx->json)
		gb_output_row(import->ctx, (const struct gb_cell[]){
		    { "line", GB_CELL_NUMBER, 0, NULL, (int64_t)line },
		    { "why", GB_CELL_TEXT, 0, why, 0 },
		    { 0 },
		});
	else
		fprintf(stderr, "line %zu: %s\n", line, why);
}

static void
progress(const struct import *import, bool last)
{
	if (!isatty(STDERR_FILENO) || (!last && import->lines % PROGRESS_LINES != 0))
		return;
	if (last)
		fprintf(stderr, "\r%20s\r", "");
	else
		fprintf(stderr, "\r%zu lines", import->lines);
}

/*
 * One line without its end, cut at the maximum; what is beyond is read and thrown away. False at the end of the file.
 *	len	GB_IMPORT_LINE_MAX + 1: it was longer
 */
static bool
line_read(struct import *import, char line[static GB_IMPORT_LINE_MAX + 1], size_t *len)
{
	int c = EOF;

	*len = 0;
	while (!interrupted && (c = getc(import->in)) != EOF && c != '\n') {
		if (*len < GB_IMPORT_LINE_MAX)
			line[*len] = (char)c;
		*len += *len <= GB_IMPORT_LINE_MAX;
	}
	if (c == EOF && ferror(import->in))
		import->failed = errno;
	if (interrupted || (c == EOF && *len == 0))
		return false;
	if (*len > 0 && *len <= GB_IMPORT_LINE_MAX && line[*len - 1] == '\r')
		(*len)--;
	line[*len < GB_IMPORT_LINE_MAX ? *len : GB_IMPORT_LINE_MAX] = '\0';
	import->lines++;
	return true;
}

static enum gb_err
batch_once(struct import *import)
{
	struct gb_context *ctx = import->ctx;
	struct gb_commit commit;

	gb_commit_begin(&commit, ctx->call.arena);
	for (size_t i = 0; i < import->batch_len; i++) {
		struct account *account = &import->batch[i];

		account->outcome = gb_user_adopt(ctx->app, &ctx->call, &account->user, &commit);
		if (account->outcome >= GB_ERR_INTERNAL)
			return account->outcome;
	}
	return commit.len == 0 || ctx->dry_run ? GB_OK : gb_commit_run(&commit, ctx->app->store, ctx->call.now);
}

static enum gb_err
outcome_tell(struct import *import, const struct account *account)
{
	enum gb_err outcome = account->outcome;

	if (outcome == GB_OK && import->ctx->dry_run)
		outcome = gb_seen_add(&import->seen, &account->user);
	switch (outcome) {
	case GB_OK:
		import->imported++;
		break;
	case GB_ERR_MEMORY:
		return outcome;
	case GB_ERR_ACCOUNT_EXISTS:
		import->present++;
		break;
	case GB_ERR_INVALID_USERNAME:
		line_refuse(import, account->line, "the user name is another account's");
		break;
	default:
		line_refuse(import, account->line, "the id is another account's");
		break;
	}
	return GB_OK;
}

static enum gb_err
batch_put(struct import *import)
{
	unsigned round = 0;
	enum gb_err err;

	do
		err = batch_once(import);
	while (gb_again(&round, &err));
	for (size_t i = 0; i < import->batch_len && err == GB_OK; i++)
		err = outcome_tell(import, &import->batch[i]);
	sodium_memzero(import->batch, sizeof import->batch);
	import->batch_len = 0;
	gb_arena_reset(import->ctx->call.arena);
	return err;
}

/* Nobody twice in one commit: the second of them is judged when the first stands. */
static bool
meets(const struct import *import, const struct gb_user *user)
{
	for (size_t i = 0; i < import->batch_len; i++) {
		const struct gb_user *other = &import->batch[i].user;

		if (strcmp(user->email, other->email) == 0 || (user->id[0] != '\0' && strcmp(user->id, other->id) == 0) ||
		    (user->username[0] != '\0' && strcmp(user->username, other->username) == 0))
			return true;
	}
	return false;
}

static enum gb_err
account_add(struct import *import, const struct gb_user *user)
{
	enum gb_err err = GB_OK;

	if (import->batch_len == BATCH || meets(import, user))
		err = batch_put(import);
	if (err == GB_OK)
		import->batch[import->batch_len++] = (struct account){ .user = *user, .line = import->lines };
	return err;
}

static enum gb_err
line_take(struct import *import, char *line, size_t len)
{
	char why_kept[REASON_MAX];
	const char *why = "";
	struct gb_user user;
	enum gb_err err;

	if (len > GB_IMPORT_LINE_MAX || strlen(line) != len) {
		line_refuse(import, import->lines, len > GB_IMPORT_LINE_MAX ? "longer than 8192 bytes" : "a NUL byte");
		return GB_OK;
	}
	err = gb_import_read(&import->form, import->ctx->config, import->ctx->call.now, line, import->ctx->call.arena, &user, &why);
	if (err == GB_OK)
		err = account_add(import, &user);
	else if (err == GB_ERR_INVALID_FIELD) {
		snprintf(why_kept, sizeof why_kept, "%s", why);
		line_refuse(import, import->lines, why_kept);
		err = GB_OK;
	}
	sodium_memzero(&user, sizeof user);
	return err == GB_ERR_NOT_FOUND ? GB_OK : err;
}

/* Behind a byte order mark, which editors put there. */
static char *
first_line(char *line)
{
	return strncmp(line, "\xef\xbb\xbf", 3) == 0 ? line + 3 : line;
}

static enum gb_err
lines_take(struct import *import, const char **why)
{
	char line[GB_IMPORT_LINE_MAX + 1], *text;
	bool is_head;
	size_t len;
	enum gb_err err = GB_OK;

	while (err == GB_OK && line_read(import, line, &len)) {
		text = import->lines == 1 ? first_line(line) : line;
		len -= (size_t)(text - line);
		is_head = false;
		if (import->form.format == GB_IMPORT_UNKNOWN && *text != '\0' && *text != '#')
			err = gb_import_begin(text, &import->form, &is_head, why);
		if (err == GB_OK && !is_head && import->form.format != GB_IMPORT_UNKNOWN)
			err = line_take(import, text, len);
		progress(import, false);
	}
	sodium_memzero(line, sizeof line);
	return err == GB_OK ? batch_put(import) : err;
}

static int
report(struct import *import)
{
	if (import->ctx->json) {
		gb_output_end(import->ctx);
		printf(",\"imported\":%zu,\"present\":%zu,\"refused\":%zu,\"dry_run\":%s}\n", import->imported, import->present,
		    import->refused, import->ctx->dry_run ? "true" : "false");
		return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
	}
	return gb_output_one(import->ctx, (const struct gb_cell[]){
	    { import->ctx->dry_run ? "would be imported" : "imported", GB_CELL_NUMBER, 0, NULL, (int64_t)import->imported },
	    { "there already", GB_CELL_NUMBER, 0, NULL, (int64_t)import->present },
	    { "refused", GB_CELL_NUMBER, 0, NULL, (int64_t)import->refused },
	    { 0 },
	});
}

static int
verdict(const struct import *import, enum gb_err err, const char *why)
{
	if (err == GB_ERR_INVALID_FIELD)
		return gb_command_refuse("line %zu: %s", import->lines, why);
	if (err != GB_OK)
		return gb_command_fail(err, gb_store_reason(import->ctx->app->store));
	if (interrupted) {
		gb_command_refuse("interrupted after line %zu; run it again, what is there already stays as it is", import->lines);
		return EX_TEMPFAIL;
	}
	if (import->failed != 0) {
		gb_command_refuse("reading failed: %s", strerror(import->failed));
		return EX_IOERR;
	}
	return import->refused > 0 ? GB_EXIT_REFUSED : EX_OK;
}

static int
run(struct import *import)
{
	const char *why = "";
	enum gb_err err;
	int code;

	signals_catch();
	if (import->ctx->json)
		fputs("{\"lines\":", stdout);
	gb_output_begin(import->ctx);
	err = lines_take(import, &why);
	progress(import, true);
	code = report(import);
	return code != EX_OK ? code : verdict(import, err, why);
}

static int
import_file(struct gb_context *ctx, int argc, char **argv)
{
	struct import import = { .ctx = ctx, .in = stdin, .form = { .domain = ctx->domain } };
	int code;

	if (argc > 0 && (import.in = fopen(argv[0], "re")) == NULL) {
		gb_command_refuse("%s: %s%s", argv[0], strerror(errno),
		    errno == EACCES ? "; the owner of STATE reads it: let the shell open it, with <" : "");
		return EX_NOINPUT;
	}
	code = run(&import);
	gb_seen_free(&import.seen);
	if (argc > 0)
		fclose(import.in);
	return code;
}

const struct gb_command gb_import_commands[] = {
	{ "user", "import", "[FILE]", "htpasswd, CSV or JSON lines, hashes and all; or standard input", GB_NEED_APP, 0, 1, import_file },
	{ 0 },
};
