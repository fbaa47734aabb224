/* SPDX-License-Identifier: MIT */
/*
 * key_made.c: the key that development makes for itself. Of several processes
 * that start at once only one can link its key to the name; then everyone
 * reads what stands there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "key_source.h"
#include "state.h"

#define MADE_RSA_BITS 3072

struct made {
	const struct gb_algorithm *algorithm;
	const char *directory;		/* STATE */
	char name[32];			/* below it */
	char *why;
	size_t why_max;
};

static enum gb_err
fail(const struct made *made, const char *what)
{
	snprintf(made->why, made->why_max, "%s/%s: %s", made->directory, made->name, what);
	return GB_ERR_MISCONFIGURED;
}

static const char *
fresh_secret(struct gb_arena *arena)
{
	unsigned char bytes[GB_MADE_SECRET_LEN / 2];
	char *text = gb_arena_alloc(arena, GB_MADE_SECRET_LEN + 1);

	if (text != NULL) {
		randombytes_buf(bytes, sizeof bytes);
		sodium_bin2hex(text, GB_MADE_SECRET_LEN + 1, bytes, sizeof bytes);
		sodium_memzero(bytes, sizeof bytes);
	}
	return text;
}

static const char *
fresh_pair(const struct gb_algorithm *algorithm, struct gb_arena *arena)
{
	struct gb_numbers *numbers = gb_numbers_new();
	struct gb_json_writer writer;
	const char *text = NULL;
	size_t len;

	if (numbers != NULL && gb_numbers_generate(algorithm, MADE_RSA_BITS, numbers) == NULL) {
		gb_json_begin(&writer, arena);
		gb_json_open(&writer, NULL, '{');
		gb_numbers_to_jwk(numbers, true, &writer);
		gb_json_close(&writer, '}');
		text = gb_json_text(&writer, &len);
	}
	gb_numbers_free(numbers);
	return text;
}

/* A fresh key under the name, unless there is one already. */
static enum gb_err
make(const struct made *made, const struct gb_state *state, struct gb_arena *arena)
{
	const char *text = made->algorithm->kind == GB_KEY_SECRET ? fresh_secret(arena) : fresh_pair(made->algorithm, arena);
	enum gb_err err;

	if (text == NULL)
		return fail(made, "could not be made");
	err = gb_state_write(state, made->name, text, strlen(text), 1);
	return err == GB_OK || err == GB_ERR_CONFLICT ? GB_OK : fail(made, "could not be written");
}

static enum gb_err
read_checked(const struct made *made, int fd, struct gb_arena *arena, const char **text)
{
	struct stat st;
	char *bytes;
	ssize_t len;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail(made, "is not a regular file");
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return fail(made, "must be our own and of mode 0600");
	if (st.st_size == 0 || st.st_size > GB_MADE_FILE_MAX)
		return fail(made, "is empty or too long");
	if ((bytes = gb_arena_alloc(arena, (size_t)st.st_size + 1)) == NULL)
		return GB_ERR_MEMORY;
	if ((len = read(fd, bytes, (size_t)st.st_size)) != (ssize_t)st.st_size)
		return fail(made, "cannot be read");
	if (bytes[len - 1] == '\n')
		bytes[len - 1] = '\0';
	*text = bytes;
	return GB_OK;
}

static enum gb_err
read_or_make(const struct made *made, const struct gb_state *state, struct gb_arena *arena, const char **text)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(gb_state_fd(state), made->name, flags);
	enum gb_err err;

	if (fd < 0 && errno == ENOENT) {
		if ((err = make(made, state, arena)) != GB_OK)
			return err;
		fd = openat(gb_state_fd(state), made->name, flags);
	}
	if (fd < 0)
		return fail(made, strerror(errno));
	err = read_checked(made, fd, arena, text);
	close(fd);
	return err;
}

static const char *
parse(const struct gb_algorithm *algorithm, const char *text, struct gb_arena *arena, struct gb_numbers *numbers)
{
	const struct gb_json *jwk;

	if (algorithm->kind != GB_KEY_SECRET) {
		if (gb_json_parse(text, strlen(text), arena, &jwk) != GB_OK)
			return "is not JSON";
		return gb_numbers_from_jwk(jwk, algorithm, numbers);
	}
	if (strspn(text, "0123456789abcdef") != GB_MADE_SECRET_LEN || text[GB_MADE_SECRET_LEN] != '\0')
		return "does not hold 64 hex digits";
	numbers->algorithm = algorithm;
	numbers->of[GB_NUMBER_K].len = GB_MADE_SECRET_LEN;
	memcpy(numbers->of[GB_NUMBER_K].bytes, text, GB_MADE_SECRET_LEN);
	return NULL;
}

enum gb_err
gb_key_made_read(const char *directory, const struct gb_algorithm *algorithm, char *why, size_t why_max,
    struct gb_numbers *numbers)
{
	struct made made = { .algorithm = algorithm, .directory = directory, .why = why, .why_max = why_max };
	struct gb_arena *arena = gb_arena_new();
	struct gb_state *state = NULL;
	const char *text, *fault;
	enum gb_err err;

	if (arena == NULL)
		return GB_ERR_MEMORY;
	if (algorithm->kind == GB_KEY_SECRET)
		snprintf(made.name, sizeof made.name, "keys/jwt.key");
	else
		snprintf(made.name, sizeof made.name, "keys/%s.json", algorithm->name);
	if ((err = gb_state_open(directory, why, why_max, &state)) == GB_OK &&
	    (err = read_or_make(&made, state, arena, &text)) == GB_OK &&
	    (fault = parse(algorithm, text, arena, numbers)) != NULL)
		err = fail(&made, fault);
	gb_state_close(state);
	gb_arena_free(arena);
	return err;
}
