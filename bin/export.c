/* SPDX-License-Identifier: MIT */
/* export.c: guardbee user export: JSON lines that `guardbee user import` reads. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "guardbee.h"
#include "json.h"
#include "user.h"

#define BATCH 64

static enum gb_err
line_write(FILE *out, struct gb_arena *arena, const struct gb_user *user)
{
	struct gb_json_writer writer;
	const char *text;
	size_t len;

	gb_json_begin(&writer, arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_put_string(&writer, "id", user->id);
	gb_json_put_string(&writer, "email", user->email);
	gb_json_put_boolean(&writer, "email_verified", user->email_verified);
	gb_json_put_string(&writer, "username", user->username[0] != '\0' ? user->username : NULL);
	gb_json_open(&writer, "groups", '[');
	for (size_t i = 0; i < user->groups_len; i++)
		gb_json_put_string(&writer, NULL, user->groups[i]);
	gb_json_close(&writer, ']');
	gb_json_put_string(&writer, "language", user->language[0] != '\0' ? user->language : NULL);
	gb_json_put_boolean(&writer, "locked", user->locked);
	gb_json_put_integer(&writer, "created_at", user->created_at);
	gb_json_put_integer(&writer, "password_changed_at", user->password_changed_at);
	gb_json_put_string(&writer, "password_hash", user->password_hash);
	gb_json_close(&writer, '}');
	if ((text = gb_json_text(&writer, &len)) == NULL)
		return GB_ERR_MEMORY;
	fwrite(text, 1, len, out);
	putc('\n', out);
	return GB_OK;
}

static enum gb_err
users_write(struct gb_context *ctx, FILE *out, size_t *count)
{
	struct gb_record records[BATCH];
	struct gb_user user;
	uint64_t cursor = 0;
	size_t len;
	enum gb_err err;

	do {
		gb_arena_reset(ctx->call.arena);
		err = gb_store_scan(ctx->app->store, "u:", ctx->call.now, &cursor, ctx->call.arena, records, BATCH, &len);
		for (size_t i = 0; err == GB_OK && i < len; i++, ++*count)
			if ((err = gb_user_decode(records[i].value, records[i].value_len, &user)) == GB_OK)
				err = line_write(out, ctx->call.arena, &user);
	} while (err == GB_OK && cursor != 0 && !ferror(out));
	sodium_memzero(&user, sizeof user);
	return err;
}

/* Hashes are in it: a file that nobody had before, for its owner alone. */
static FILE *
file_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (fd >= 0 && out == NULL)
		close(fd);
	return out;
}

static int
finish(FILE *out, const char *name, enum gb_err err)
{
	bool written = fflush(out) == 0 && !ferror(out) && (out == stdout || fsync(fileno(out)) == 0);
	int why = errno;

	if (out != stdout && fclose(out) != 0)
		written = false;
	if (err != GB_OK)
		return gb_command_fail(err, NULL);
	if (written)
		return EX_OK;
	gb_command_refuse("%s: %s", name, strerror(why));
	return EX_IOERR;
}

static int
export_file(struct gb_context *ctx, int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : "standard output";
	FILE *out = argc > 0 ? file_open(name) : stdout;
	size_t count = 0;
	enum gb_err err;
	int code;

	if (out == NULL) {
		gb_command_refuse("%s: %s", name, strerror(errno));
		return EX_CANTCREAT;
	}
	err = users_write(ctx, out, &count);
	code = finish(out, name, err);
	if (argc > 0 && code == EX_OK && !ctx->json)
		printf("%zu accounts, their password hashes among it: %s is readable by its owner alone\n", count, name);
	return code;
}

const struct gb_command gb_export_commands[] = {
	{ "user", "export", "[FILE]", "JSON lines with hashes, as import reads them; a new file of 0600", GB_NEED_APP, 0, 1, export_file },
	{ 0 },
};
