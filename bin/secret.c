/* SPDX-License-Identifier: MIT */
/* secret.c: passwords come from a terminal or a descriptor, never from argv. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "guardbee.h"
#include "password.h"

#define LINE_MAX_BYTES (GB_PASSWORD_MAX + 2)	/* the newline, and one byte that is too many */

/* One line without its newline, byte by byte: what follows belongs to somebody else. */
static enum gb_err
read_line(int fd, struct gb_arena *arena, const char **secret)
{
	char *line = gb_arena_alloc(arena, LINE_MAX_BYTES + 1);
	size_t len = 0;
	ssize_t got;

	if (line == NULL)
		return GB_ERR_MEMORY;
	while (len < LINE_MAX_BYTES && (got = read(fd, line + len, 1)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return GB_ERR_MISSING_FIELD;
		if (line[len] == '\n')
			break;
		len++;
	}
	line[len] = '\0';
	*secret = line;
	if (len == 0 || strlen(line) != len)
		return GB_ERR_MISSING_FIELD;
	return len <= GB_PASSWORD_MAX ? GB_OK : GB_ERR_PASSWORD_TOO_LONG;
}

static enum gb_err
ask(int tty, struct gb_arena *arena, const char *prompt, const char **secret)
{
	struct termios shown, hidden;
	enum gb_err err;

	if (tcgetattr(tty, &shown) != 0)
		return GB_ERR_MISSING_FIELD;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* The prompt comes after the flush: what is typed at its sight must not be thrown away. */
	tcsetattr(tty, TCSAFLUSH, &hidden);
	dprintf(tty, "%s: ", prompt);
	err = read_line(tty, arena, secret);
	tcsetattr(tty, TCSAFLUSH, &shown);
	dprintf(tty, "\n");
	return err;
}

enum gb_err
gb_read_secret(const struct gb_context *ctx, const char *prompt, bool twice, const char **secret)
{
	const char *again;
	enum gb_err err;
	int tty;

	if (ctx->password_fd >= 0)
		return read_line(ctx->password_fd, ctx->call.arena, secret);
	if (!isatty(STDIN_FILENO))
		return read_line(STDIN_FILENO, ctx->call.arena, secret);
	if ((tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) < 0)
		return GB_ERR_MISSING_FIELD;
	if ((err = ask(tty, ctx->call.arena, prompt, secret)) == GB_OK && twice &&
	    (err = ask(tty, ctx->call.arena, "again", &again)) == GB_OK && strcmp(*secret, again) != 0)
		err = GB_ERR_INVALID_FIELD;
	close(tty);
	return err;
}
