/* SPDX-License-Identifier: MIT */
/* client.c: HTTP Basic (RFC 7617) against a file of hashes. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "client.h"
#include "limit.h"

#define FILE_MAX (64 << 10)
#define CREDENTIALS_MAX 512
#define HASH_HEX (2 * crypto_hash_sha256_BYTES)

/* Read with each request: it is small, and a client that is struck out is out. */
static enum gb_err
read_file(const char *path, struct gb_arena *arena, char **text)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	enum gb_err err = GB_ERR_MISCONFIGURED;
	struct stat st;

	if (fd < 0)
		return GB_ERR_MISCONFIGURED;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX) {
		err = (*text = gb_arena_alloc(arena, (size_t)st.st_size + 1)) != NULL ? GB_OK : GB_ERR_MEMORY;
		if (err == GB_OK && read(fd, *text, (size_t)st.st_size) != (ssize_t)st.st_size)
			err = GB_ERR_MISCONFIGURED;
	}
	close(fd);
	return err;
}

/* Looks at every line whichever fits, and compares without an early end. */
static enum gb_err
search(char *text, const char *id, const unsigned char hash[static crypto_hash_sha256_BYTES])
{
	enum gb_err verdict = GB_ERR_INVALID_CLIENT;
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) != NULL) {
		unsigned char listed[crypto_hash_sha256_BYTES];
		char *colon = strchr(line, ':');
		size_t len;

		if (*line == '\0' || *line == '#')
			continue;
		if (colon == NULL || strlen(colon + 1) != HASH_HEX ||
		    sodium_hex2bin(listed, sizeof listed, colon + 1, HASH_HEX, NULL, &len, NULL) != 0 || len != sizeof listed)
			return GB_ERR_MISCONFIGURED;
		*colon = '\0';
		if (sodium_memcmp(listed, hash, sizeof listed) == 0 && strcmp(line, id) == 0)
			verdict = GB_OK;
	}
	return verdict;
}

static enum gb_err
check(const struct gb_app *app, struct gb_call *call, const char *id, const char *secret)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	struct gb_attempt attempt;
	enum gb_err err;
	char *text;

	if ((err = gb_limit_begin(app, call, GB_ATTEMPT_CLIENT, id, false, &attempt)) != GB_OK)
		return err;
	crypto_hash_sha256(hash, (const unsigned char *)secret, strlen(secret));
	if ((err = read_file(app->config->api_clients_file, call->arena, &text)) == GB_OK)
		err = search(text, id, hash);
	gb_limit_end(app, call, &attempt, err);
	return err;
}

enum gb_err
gb_client_check(const struct gb_app *app, struct gb_call *call, const char *basic)
{
	char credentials[CREDENTIALS_MAX + 1] = "", *colon;
	enum gb_err err = GB_ERR_INVALID_CLIENT;
	size_t len;

	if (basic == NULL || app->config->api_clients_file == NULL ||
	    sodium_base642bin((unsigned char *)credentials, CREDENTIALS_MAX, basic, strlen(basic), NULL, &len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) != 0 || strlen(credentials) != len || (colon = strchr(credentials, ':')) == NULL)
		return GB_ERR_INVALID_CLIENT;
	*colon = '\0';
	if (colon > credentials && colon[1] != '\0')
		err = check(app, call, credentials, colon + 1);
	sodium_memzero(credentials, sizeof credentials);
	return err;
}
