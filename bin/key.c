/* SPDX-License-Identifier: MIT */
/* key.c: guardbee key: the ring in JWT_KEYS_DIR. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "guardbee.h"
#include "ring.h"

#define DEFAULT_BITS 3072
#define DELAY_S (24 * 3600)		/* the design's least; verifiers keep /auth/jwks.json for 300 s */
#define IMPORT_MAX 16384

/* "alg=ES256 bits=4096 id=KID", each at most once, in any order. */
struct words {
	const struct gb_algorithm *algorithm;
	int bits;
	char id[GB_KEY_ID_MAX + 1];
};

static bool
parse_words(const struct gb_config *config, int argc, char **argv, struct words *words)
{
	*words = (struct words){ .algorithm = gb_algorithm_find(config->algorithm), .bits = DEFAULT_BITS };
	for (int i = 0; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		if (value++ == NULL)
			return false;
		if (strncmp(argv[i], "alg=", 4) == 0)
			words->algorithm = gb_algorithm_find(value);
		else if (strncmp(argv[i], "bits=", 5) == 0)
			words->bits = atoi(value);
		else if (strncmp(argv[i], "id=", 3) == 0 && strlen(value) <= GB_KEY_ID_MAX)
			strcpy(words->id, value);
		else
			return false;
	}
	return words->algorithm != NULL;
}

static int
open_ring(struct gb_context *ctx, struct gb_ring **ring)
{
	char why[512];
	enum gb_err err;

	if (ctx->config->jwt_keys_dir == NULL) {
		gb_command_refuse("JWT_KEYS_DIR is not set");
		return EX_CONFIG;
	}
	if ((err = gb_ring_open(ctx->config->jwt_keys_dir, why, sizeof why, ring)) != GB_OK)
		return gb_command_fail(err, why);
	return EX_OK;
}

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static struct gb_ring_plan
plan_of(const struct gb_context *ctx)
{
	const struct gb_config *config = ctx->config;

	return (struct gb_ring_plan){
		.delay_s = ctx->immediately ? 0 : DELAY_S,
		.token_life_s = larger(larger(config->access_ttl_s, config->refresh_ttl_s), config->email_ttl_s) + config->leeway_s,
	};
}

/* Adds the numbers, and says under which id and from when. */
static int
add(struct gb_context *ctx, struct words *words, const struct gb_numbers *numbers)
{
	const struct gb_ring_plan plan = plan_of(ctx);
	struct gb_ring *ring;
	char why[512];
	enum gb_err err;
	int code;

	if ((code = open_ring(ctx, &ring)) != EX_OK)
		return code;
	err = gb_ring_add(ring, numbers, words->id, &plan, ctx->call.now, why, sizeof why);
	if (err == GB_OK) {
		const struct gb_key_file *file = gb_ring_at(ring, gb_ring_len(ring) - 1);
		const struct gb_cell cells[] = {
			{ "id", GB_CELL_TEXT, 0, file->id, 0 },
			{ "alg", GB_CELL_TEXT, 0, file->numbers->algorithm->name, 0 },
			{ "use_from", GB_CELL_TIME, 0, NULL, file->use_from },
			{ 0 },
		};

		code = gb_output_one(ctx, cells);
	}
	gb_ring_close(ring);
	return err == GB_OK ? code : err == GB_ERR_CONFLICT ? gb_command_refuse("%s", why) : gb_command_fail(err, why);
}

static int
generate(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_numbers *numbers = gb_numbers_new();
	struct words words;
	const char *fault;
	int code;

	if (!parse_words(ctx->config, argc, argv, &words))
		code = EX_USAGE;
	else if (numbers == NULL)
		code = gb_command_fail(GB_ERR_MEMORY, NULL);
	else if ((fault = gb_numbers_generate(words.algorithm, words.bits, numbers)) != NULL)
		code = gb_command_refuse("the key %s", fault);
	else
		code = add(ctx, &words, numbers);
	gb_numbers_free(numbers);
	if (code == EX_USAGE)
		gb_command_refuse("use: alg=HS256|HS384|HS512|RS256|RS384|RS512|ES256|EdDSA bits=N id=KID");
	return code;
}

/* "new" is for an empty ring, so that nobody makes a second key by mistake for a rotation. */
static int
new(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_ring *ring;
	size_t len;
	int code;

	if ((code = open_ring(ctx, &ring)) != EX_OK)
		return code;
	len = gb_ring_len(ring);
	gb_ring_close(ring);
	if (len > 0)
		return gb_command_refuse("the ring has a key already: guardbee key rotate");
	return generate(ctx, argc, argv);
}

/* A file of ours alone to read: a private key stands in it. */
static ssize_t
read_private_file(const char *path, char *text, size_t text_max)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t len = -1;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < (off_t)text_max)
		len = read(fd, text, text_max - 1);
	else
		errno = EFBIG;
	close(fd);
	if (len >= 0)
		text[len] = '\0';
	return len;
}

static const char *
read_numbers(struct gb_context *ctx, const struct words *words, bool alg_given, const char *text, struct gb_numbers *numbers)
{
	const struct gb_json *jwk;
	const char *fault;

	if (strstr(text, "-----BEGIN ") != NULL)
		switch (gb_numbers_from_pem(text, true, words->algorithm, numbers, &fault)) {
		case GB_OK:
			return NULL;
		case GB_ERR_MEMORY:
			return "cannot be read: no memory";
		default:
			return fault;
		}
	if (gb_json_parse(text, strlen(text), ctx->call.arena, &jwk) != GB_OK || !gb_json_is_object(jwk))
		return "is neither PEM nor a JWK";
	return gb_numbers_from_jwk(jwk, alg_given ? words->algorithm : NULL, numbers);
}

static int
import(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_numbers *numbers = gb_numbers_new();
	bool alg_given = false;
	char text[IMPORT_MAX];
	struct words words;
	const char *fault;
	int code;

	for (int i = 1; i < argc; i++)
		alg_given = alg_given || strncmp(argv[i], "alg=", 4) == 0;
	if (numbers == NULL) {
		code = gb_command_fail(GB_ERR_MEMORY, NULL);
	} else if (!parse_words(ctx->config, argc - 1, argv + 1, &words)) {
		gb_command_refuse("use: FILE alg=NAME id=KID");
		code = EX_USAGE;
	} else if (read_private_file(argv[0], text, sizeof text) < 0) {
		gb_command_refuse("%s: %s", argv[0], strerror(errno));
		code = EX_NOINPUT;
	} else if ((fault = read_numbers(ctx, &words, alg_given, text, numbers)) != NULL) {
		code = gb_command_refuse("%s %s", argv[0], fault);
	} else {
		code = add(ctx, &words, numbers);
	}
	sodium_memzero(text, sizeof text);
	gb_numbers_free(numbers);
	return code;
}

static int
list(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_ring *ring;
	int code;

	(void)argc, (void)argv;
	if ((code = open_ring(ctx, &ring)) != EX_OK)
		return code;
	gb_output_begin(ctx);
	for (size_t i = 0; i < gb_ring_len(ring); i++) {
		const struct gb_key_file *file = gb_ring_at(ring, i);
		const struct gb_cell cells[] = {
			{ "id", GB_CELL_TEXT, 20, file->id, 0 },
			{ "alg", GB_CELL_TEXT, 6, file->numbers->algorithm->name, 0 },
			{ "state", GB_CELL_TEXT, 9, gb_ring_state(ring, file, ctx->call.now), 0 },
			{ "use_from", GB_CELL_TIME, 20, NULL, file->use_from },
			{ "use_until", GB_CELL_TIME, 20, NULL, file->use_until },
			{ "drop_at", GB_CELL_TIME, 20, NULL, file->drop_at },
			{ 0 },
		};

		gb_output_row(ctx, cells);
	}
	code = gb_output_end(ctx);
	gb_ring_close(ring);
	return code;
}

static int
retire(struct gb_context *ctx, int argc, char **argv)
{
	struct gb_ring *ring;
	char why[512];
	enum gb_err err;
	int code;

	(void)argc;
	if ((code = open_ring(ctx, &ring)) != EX_OK)
		return code;
	err = gb_ring_retire(ring, argv[0], ctx->call.now, why, sizeof why);
	gb_ring_close(ring);
	if (err == GB_OK)
		return EX_OK;
	return err == GB_ERR_MISCONFIGURED ? gb_command_fail(err, why) : gb_command_refuse("%s", why);
}

const struct gb_command gb_key_commands[] = {
	{ "key", "new", "[alg=NAME] [bits=N] [id=KID]", "the first key of the ring; signs at once", GB_NEED_CONFIG, 0, 3, new },
	{ "key", "list", "", "every key: next, active, retiring", GB_NEED_CONFIG, 0, 0, list },
	{ "key", "rotate", "[alg=NAME] [bits=N] [id=KID]", "the next key, in a day; at once with --now", GB_NEED_CONFIG, 0, 3, generate },
	{ "key", "import", "FILE [alg=NAME] [id=KID]", "rotates to a key from PEM or JWK", GB_NEED_CONFIG, 1, 3, import },
	{ "key", "retire", "KID", "ends a key: what it signed is refused from now on", GB_NEED_CONFIG, 1, 1, retire },
	{ 0 },
};
