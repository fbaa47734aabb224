/* SPDX-License-Identifier: MIT */
/*
 * guardbee.c: the operator's command. Finds the row of a subcommand, becomes the owner of STATE, opens
 * what the row needs, and runs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "guardbee.h"
#include "sandbox.h"

#define ARGS_MAX 16

static const struct gb_command *const nouns[] = {
	gb_config_commands,
	gb_doctor_commands,
	gb_key_commands,
	gb_mail_commands,
	gb_session_commands,
	gb_store_commands,
	gb_user_commands,
	gb_import_commands,
	gb_export_commands,
};

/* The command line, sorted. */
struct line {
	const char *env_file;
	bool help;
	int argc;
	char *argv[ARGS_MAX + 1];
};

static void
print_row(const struct gb_command *row, FILE *out)
{
	char line[80];

	snprintf(line, sizeof line, "%s%s%s%s%s", row->noun, *row->verb != '\0' ? " " : "", row->verb,
	    *row->arguments != '\0' ? " " : "", row->arguments);
	fprintf(out, "  guardbee %-42s %s\n", line, row->help);
}

static int
usage(const char *noun, FILE *out)
{
	fprintf(out, "usage:\n");
	for (size_t i = 0; i < sizeof nouns / sizeof nouns[0]; i++)
		for (const struct gb_command *row = nouns[i]; row->noun != NULL; row++)
			if (noun == NULL || strcmp(noun, row->noun) == 0)
				print_row(row, out);
	fprintf(out, "options:\n"
	    "  --json              print JSON\n"
	    "  --now               key rotate, import: without the day's notice\n"
	    "  --keep-sessions     store restore: sessions and mailed links of the backup live on\n"
	    "  --dry-run           user import: judge every line, change nothing\n"
	    "  --domain NAME       user import: the address of a name in .htpasswd is name@NAME\n"
	    "  --env FILE          read settings from NAME=value lines\n"
	    "  --password-fd N     read the password from a descriptor\n"
	    "Settings come from the environment, as for the programs.\n");
	return out == stdout ? EX_OK : EX_USAGE;
}

/* The row for these words, and how many of them name it; NULL: none. */
static const struct gb_command *
find(int argc, char *const *argv, int *words)
{
	for (size_t i = 0; argc > 0 && i < sizeof nouns / sizeof nouns[0]; i++)
		for (const struct gb_command *row = nouns[i]; row->noun != NULL; row++) {
			const bool alone = *row->verb == '\0';

			if (strcmp(row->noun, argv[0]) != 0 || (alone ? argc > 1 + row->args_max : argc < 2 || strcmp(row->verb, argv[1]) != 0))
				continue;
			*words = alone ? 1 : 2;
			return row;
		}
	return NULL;
}

static bool
parse_fd(const char *text, int *fd)
{
	char *end;
	long number = strtol(text, &end, 10);

	*fd = (int)number;
	return *text != '\0' && *end == '\0' && number >= 0 && number < 1024;
}

/* False: the words make no sense. */
static bool
parse_line(int argc, char **argv, struct gb_context *ctx, struct line *line)
{
	bool options = true;

	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && strcmp(argv[i], "--json") == 0)
			ctx->json = true;
		else if (options && strcmp(argv[i], "--now") == 0)
			ctx->immediately = true;
		else if (options && strcmp(argv[i], "--keep-sessions") == 0)
			ctx->keep_sessions = true;
		else if (options && strcmp(argv[i], "--dry-run") == 0)
			ctx->dry_run = true;
		else if (options && strcmp(argv[i], "--domain") == 0 && i + 1 < argc)
			ctx->domain = argv[++i];
		else if (options && strcmp(argv[i], "--help") == 0)
			line->help = true;
		else if (options && strcmp(argv[i], "--env") == 0 && i + 1 < argc)
			line->env_file = argv[++i];
		else if (options && strcmp(argv[i], "--password-fd") == 0 && i + 1 < argc) {
			if (!parse_fd(argv[++i], &ctx->password_fd))
				return false;
		} else if ((options && strncmp(argv[i], "--", 2) == 0) || line->argc == ARGS_MAX)
			return false;
		else
			line->argv[line->argc++] = argv[i];
	}
	return true;
}

/* Runs the row with what it needs; all that is opened here is closed here. */
static int
run(const struct gb_command *row, struct gb_context *ctx, int argc, char **argv)
{
	struct gb_config *config = NULL;
	struct gb_app app;
	char why[256];
	enum gb_err err;
	int code;

	if (row->need == GB_NEED_NOTHING)
		return row->run(ctx, argc, argv);
	if ((err = gb_config_load(NULL, NULL, why, sizeof why, &config)) != GB_OK)
		return gb_command_fail(err, why);
	ctx->config = config;
	if (row->need == GB_NEED_APP) {
		if ((err = gb_app_open(config, GB_KEYS_SIGN, ctx->call.now, why, sizeof why, &app)) != GB_OK) {
			gb_config_free(config);
			return gb_command_fail(err, why);
		}
		ctx->app = &app;
	}
	code = row->run(ctx, argc, argv);
	if (ctx->app != NULL)
		gb_app_close(&app);
	gb_config_free(config);
	return code;
}

static int
prepare(const struct gb_command *row, const struct line *line)
{
	char why[256], state[1024];
	enum gb_err err;
	int code;

	if (line->env_file != NULL && (code = gb_read_environment(line->env_file)) != EX_OK)
		return code;
	if (row->need == GB_NEED_NOTHING)
		return EX_OK;
	if ((err = gb_config_state(why, sizeof why, state, sizeof state)) != GB_OK)
		return gb_command_fail(err, why);
	return gb_become_owner(state, row->need == GB_NEED_APP);
}

int
main(int argc, char **argv)
{
	struct gb_context ctx = { .password_fd = -1, .call = { .address = "", .user_agent = "", .language = "" } };
	struct line line = { 0 };
	const struct gb_command *row = NULL;
	int words = 0, code;
	bool fit = parse_line(argc, argv, &ctx, &line);

	umask(077);
	gb_sandbox_start();
	if (fit && line.help)
		return usage(line.argc > 0 ? line.argv[0] : NULL, stdout);
	if (fit)
		row = find(line.argc, line.argv, &words);
	if (row == NULL || line.argc - words < row->args_min || line.argc - words > row->args_max)
		return usage(row != NULL ? row->noun : NULL, stderr);
	if ((code = prepare(row, &line)) != EX_OK)
		return code;
	ctx.env_file = line.env_file;
	ctx.call.now = (int64_t)time(NULL);
	ctx.call.arena = gb_arena_new();
	ctx.row_arena = gb_arena_new();
	if (ctx.call.arena == NULL || ctx.row_arena == NULL)
		code = gb_command_fail(GB_ERR_MEMORY, NULL);
	else
		code = run(row, &ctx, line.argc - words, line.argv + words);
	gb_arena_free(ctx.call.arena);
	gb_arena_free(ctx.row_arena);
	return code;
}
