/* SPDX-License-Identifier: MIT */
#ifndef GB_GUARDBEE_H
#define GB_GUARDBEE_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "record.h"

/*
 * The operator's command: guardbee NOUN VERB [options] arguments. Each noun
 * has a file with a table of its verbs, ended by a row without a noun;
 * guardbee.c lists the tables.
 *
 * To add a noun: write bin/NOUN.c with `const struct gb_command
 * gb_NOUN_commands[]`, declare it below, add it to `nouns` in guardbee.c.
 */
enum gb_command_need {
	GB_NEED_NOTHING,		/* not even settings: ctx->config is NULL */
	GB_NEED_CONFIG,			/* settings only; opens nothing */
	GB_NEED_APP			/* STATE, store, keys, limits: ctx->app is open */
};

/* What a subcommand works with. */
struct gb_context {
	const struct gb_config *config;
	const struct gb_app *app;	/* NULL unless GB_NEED_APP */
	const char *env_file;		/* --env FILE; NULL: none */
	struct gb_call call;		/* now, arena; address "", no user agent */
	bool json;			/* --json */
	bool immediately;		/* --now */
	bool keep_sessions;		/* --keep-sessions */
	bool dry_run;			/* --dry-run */
	const char *domain;		/* --domain NAME; NULL: none */
	int password_fd;		/* --password-fd N; -1: prompt, or standard input */
	unsigned rows;			/* printed so far; output.c's */
	struct gb_arena *row_arena;	/* output.c's */
};

struct gb_command {
	const char *noun, *verb;	/* verb "": the noun alone */
	const char *arguments;		/* for the usage: "NAME groups=a,b" */
	const char *help;
	enum gb_command_need need;
	int args_min, args_max;		/* after noun, verb and options */
	int (*run)(struct gb_context *ctx, int argc, char **argv);	/* the exit code */
};

extern const struct gb_command gb_config_commands[];
extern const struct gb_command gb_doctor_commands[];
extern const struct gb_command gb_export_commands[];
extern const struct gb_command gb_import_commands[];
extern const struct gb_command gb_key_commands[];
extern const struct gb_command gb_mail_commands[];
extern const struct gb_command gb_session_commands[];
extern const struct gb_command gb_store_commands[];
extern const struct gb_command gb_user_commands[];

/* Exit codes: 0, or those of sysexits.h where one fits. */
#define GB_EXIT_REFUSED 1		/* no such account, a weak password, ... */

/*
 * "guardbee: " and what went wrong on standard error; the exit code that fits:
 * 64 usage, 69 store unavailable, 70 internal, 75 busy, 78 settings, else GB_EXIT_REFUSED.
 * detail: a name or a path; NULL: none.
 */
int gb_command_fail(enum gb_err err, const char *detail);
/* The same with a text of its own; exit code GB_EXIT_REFUSED. */
int gb_command_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The account of an address, a user name or an id. GB_ERR_NOT_FOUND. */
enum gb_err gb_command_user(struct gb_context *ctx, const char *name, struct gb_user *user);
/* One line that says what was done to whom, unless a program reads. Exit code 0. */
int gb_command_done(const struct gb_context *ctx, const struct gb_user *user, const char *what);

/*
 * Rows of one shape: columns under their names, or with --json an array of
 * objects. gb_output_one prints a single object: a line for each cell.
 */
enum gb_cell_kind { GB_CELL_TEXT, GB_CELL_NUMBER, GB_CELL_BOOLEAN, GB_CELL_TIME };

struct gb_cell {
	const char *name;		/* of the member and column; NULL ends a row */
	enum gb_cell_kind kind;
	int width;			/* of the column */
	const char *text;		/* NULL: null; control bytes are shown as ? in columns */
	int64_t number;			/* number, boolean, time (seconds; a date in columns, 0: -) */
};

void gb_output_begin(struct gb_context *ctx);
void gb_output_row(struct gb_context *ctx, const struct gb_cell *cells);
int gb_output_end(struct gb_context *ctx);	/* 0, or 74 when standard output failed */
int gb_output_one(struct gb_context *ctx, const struct gb_cell *cells);

/*
 * A secret from --password-fd, from the terminal without echo (asked for
 * `twice`), or the first line of standard input: never from argv. GB_ERR_MISSING_FIELD
 * when there is none, GB_ERR_PASSWORD_TOO_LONG, GB_ERR_INVALID_FIELD where the two differ.
 */
enum gb_err gb_read_secret(const struct gb_context *ctx, const char *prompt, bool twice, const char **secret);

/*
 * Before anything is opened: becomes the owner of the directory STATE, so that
 * no file in it ends up another's. Exit code 0; else it has said why not.
 *	must_exist	refuse where there is no STATE yet
 */
int gb_become_owner(const char *state, bool must_exist);

/* NAME=value lines of a file (`--env FILE`) into the environment. Exit code as above. */
int gb_read_environment(const char *path);

#endif
