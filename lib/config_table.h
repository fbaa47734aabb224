/* SPDX-License-Identifier: MIT */
#ifndef GB_CONFIG_TABLE_H
#define GB_CONFIG_TABLE_H

#include "arena.h"
#include "config.h"

/*
 * The one table of settings, between config.c, which reads it, and
 * config_print.c, which prints it. For their use only.
 */
#define GB_SETTING_MAX 16384		/* bytes of a value; a PEM of RSA 8192 fits */
#define GB_SETTING_ALIASES 1

enum gb_setting_kind { GB_SETTING_TEXT, GB_SETTING_NUMBER, GB_SETTING_WORD, GB_SETTING_SWITCH };

#define GB_SETTING_SECRET	1u	/* also as NAME_FILE; wiped from the environment; never shown */
#define GB_SETTING_ENV_ONLY	2u	/* never from request parameters */

struct gb_setting_value {
	const char *text;		/* of GB_SETTING_TEXT; in the arena */
	int64_t number;			/* of all others */
};

struct gb_word {
	const char *word;
	int64_t value;
};

struct gb_setting {
	const char *name, *alias;	/* alias NULL: none */
	enum gb_setting_kind kind;
	unsigned flags;
	size_t offset;			/* in struct gb_config */

	/* Text: checks it and writes it as the program wants it. GB_ERR_MISCONFIGURED, GB_ERR_MEMORY. */
	enum gb_err (*parse)(const char *text, struct gb_arena *arena, const char **value);
	int64_t min, max, scale;	/* number: range as written; the config holds scale times as much */
	const struct gb_word *words;	/* word and switch: ends with a NULL word */

	const char *fallback;		/* as it would be written; NULL: none, or derived */
	const char *(*derive)(const struct gb_config *config, struct gb_arena *arena);

	const char *unit;		/* for people: "minutes"; NULL: none */
	const char *demand;		/* what a good value is, after "must be" */
	const char *shown;		/* the default in words, where it is not the fallback */
	const char *help;
};

extern const struct gb_setting gb_settings[];
extern const size_t gb_settings_len;

/* What gb_config_load returns the first member of. */
struct gb_loaded {
	struct gb_config config;
	struct gb_arena *arena;
	unsigned char parameters[32];	/* digest of the parameters read, for gb_config_same */
	bool given[64];			/* by row: not left to its default */
};

/* Parsers of texts, config_parse.c. */
enum gb_err gb_parse_bytes(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_text(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_pem(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_path(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_algorithm(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_algorithms(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_database(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_url(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_origins(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_proxies(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_names(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_host(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_mailbox(const char *text, struct gb_arena *arena, const char **value);
enum gb_err gb_parse_language(const char *text, struct gb_arena *arena, const char **value);

/* Bytes of the origin at the front of a URL that gb_parse_url has written. */
size_t gb_url_origin_len(const char *url);
/* True if the URL's host is this machine: localhost, 127.0.0.0/8 or [::1]. */
bool gb_url_is_loopback(const char *url);

/*
 * A secret's file (contract, "Settings"): a regular file, either our own, no
 * symlink and of mode 0600 or less, or root's and writable by nobody else,
 * then also through root's symlink. One final newline is removed. NUL inside,
 * an empty file and more than GB_SETTING_MAX bytes are refused: *reason then
 * says why in words.
 */
enum gb_err gb_secret_file_read(const char *path, struct gb_arena *arena, const char **value,
    const char **reason);

#endif
