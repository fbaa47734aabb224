/* SPDX-License-Identifier: MIT */
/* config.c: reads the table of settings from one source and checks what hangs together. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "config_table.h"

/* The caller's one line about what is wrong. */
struct complaint {
	char *text;
	size_t max;
};

static enum gb_err complain(const struct complaint *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum gb_err
complain(const struct complaint *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->max, format, args);
	va_end(args);
	return GB_ERR_MISCONFIGURED;
}

/* A variable that is set but empty counts as not given, as in `os.getenv(...) or ...`. */
static const char *
look_up(gb_config_lookup *lookup, void *source, const char *name)
{
	const char *value = lookup(source, name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *
gb_config_environment(void *source, const char *name)
{
	(void)source;
	return getenv(name);
}

static enum gb_err
parse_number(const struct gb_setting *row, const char *text, struct gb_setting_value *value)
{
	size_t len = strlen(text);

	if (len == 0 || len > 9 || strspn(text, "0123456789") != len || (len > 1 && text[0] == '0'))
		return GB_ERR_MISCONFIGURED;
	value->number = atol(text);
	return value->number >= row->min && value->number <= row->max ? GB_OK : GB_ERR_MISCONFIGURED;
}

static enum gb_err
parse_word(const struct gb_setting *row, const char *text, struct gb_setting_value *value)
{
	for (const struct gb_word *word = row->words; word->word != NULL; word++)
		if (strcmp(word->word, text) == 0) {
			value->number = word->value;
			return GB_OK;
		}
	return GB_ERR_MISCONFIGURED;
}

static enum gb_err
parse(const struct gb_setting *row, const char *text, struct gb_arena *arena, struct gb_setting_value *value)
{
	if (strnlen(text, GB_SETTING_MAX + 1) > GB_SETTING_MAX)
		return GB_ERR_MISCONFIGURED;
	switch (row->kind) {
	case GB_SETTING_TEXT:
		return row->parse(text, arena, &value->text);
	case GB_SETTING_NUMBER:
		return parse_number(row, text, value);
	case GB_SETTING_WORD:
	case GB_SETTING_SWITCH:
		return parse_word(row, text, value);
	}
	return GB_ERR_INTERNAL;
}

/* Says what a good value is; never what the value was: it might be a secret in the wrong place. */
static enum gb_err
complain_of_value(const struct complaint *why, const struct gb_setting *row, const char *name)
{
	char words[128] = "";
	size_t len = 0;

	switch (row->kind) {
	case GB_SETTING_TEXT:
		return complain(why, "%s must be %s", name, row->demand != NULL ? row->demand : "at most 16384 bytes");
	case GB_SETTING_NUMBER:
		return complain(why, "%s must be a whole number from %lld to %lld%s%s", name, (long long)row->min,
		    (long long)row->max, row->unit != NULL ? ", in " : "", row->unit != NULL ? row->unit : "");
	case GB_SETTING_WORD:
	case GB_SETTING_SWITCH:
		for (const struct gb_word *word = row->words; word->word != NULL && len < sizeof words; word++)
			len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", len > 0 ? ", " : "", word->word);
		return complain(why, "%s must be one of %s", name, words);
	}
	return GB_ERR_INTERNAL;
}

static bool
equal(const struct gb_setting *row, const struct gb_setting_value *a, const struct gb_setting_value *b)
{
	return row->kind == GB_SETTING_TEXT ? strcmp(a->text, b->text) == 0 : a->number == b->number;
}

static void
set(struct gb_config *config, const struct gb_setting *row, const struct gb_setting_value *value)
{
	void *member = (char *)config + row->offset;

	switch (row->kind) {
	case GB_SETTING_TEXT:
		*(const char **)member = value->text;
		break;
	case GB_SETTING_NUMBER:
		*(int64_t *)member = value->number * row->scale;
		break;
	case GB_SETTING_WORD:
		*(unsigned *)member = (unsigned)value->number;
		break;
	case GB_SETTING_SWITCH:
		*(bool *)member = value->number != 0;
		break;
	}
}

/* One load, as its steps see it. */
struct load {
	struct gb_loaded *loaded;
	gb_config_lookup *params;
	void *source;
	struct complaint why;
};

/* What `name` says, if anything, joins what another spelling of the setting said. */
static enum gb_err
join(const struct load *load, const struct gb_setting *row, const char *name, const char *text,
    const char **said_by, struct gb_setting_value *value)
{
	struct gb_setting_value said;
	enum gb_err err;

	if (text == NULL)
		return GB_OK;
	if ((err = parse(row, text, load->loaded->arena, &said)) == GB_ERR_MISCONFIGURED)
		return complain_of_value(&load->why, row, name);
	if (err != GB_OK)
		return err;
	if (*said_by != NULL && !equal(row, value, &said))
		return complain(&load->why, "%s and %s have different values", *said_by, name);
	if (*said_by == NULL)
		*said_by = name;
	*value = said;
	return GB_OK;
}

static enum gb_err
join_file(const struct load *load, const struct gb_setting *row, const char *name,
    const char **said_by, struct gb_setting_value *value)
{
	struct gb_arena *arena = load->loaded->arena;
	const char *file_name = gb_arena_printf(arena, "%s_FILE", name);
	const char *path, *text, *reason = "cannot be read";
	enum gb_err err;

	if (file_name == NULL)
		return GB_ERR_MEMORY;
	if ((path = look_up(gb_config_environment, NULL, file_name)) == NULL)
		return GB_OK;
	if ((err = gb_secret_file_read(path, arena, &text, &reason)) == GB_ERR_MISCONFIGURED)
		return complain(&load->why, "%s: the file %s", file_name, reason);
	return err != GB_OK ? err : join(load, row, file_name, text, said_by, value);
}

static enum gb_err
read_default(const struct load *load, const struct gb_setting *row)
{
	struct gb_loaded *loaded = load->loaded;
	const char *text = row->derive != NULL ? row->derive(&loaded->config, loaded->arena) : row->fallback;
	struct gb_setting_value value;
	enum gb_err err;

	if (text == NULL)
		return GB_OK;
	if ((err = parse(row, text, loaded->arena, &value)) == GB_OK)
		set(&loaded->config, row, &value);
	return err == GB_ERR_MISCONFIGURED ? complain_of_value(&load->why, row, row->name) : err;
}

static enum gb_err
read_row(const struct load *load, const struct gb_setting *row)
{
	const bool by_params = load->params != NULL && !(row->flags & GB_SETTING_ENV_ONLY);
	gb_config_lookup *lookup = by_params ? load->params : gb_config_environment;
	const char *const names[] = { row->name, row->alias }, *said_by = NULL;
	struct gb_setting_value value;
	enum gb_err err;

	for (size_t i = 0; i < 2 && names[i] != NULL; i++) {
		const char *text = look_up(lookup, load->source, names[i]);

		if ((err = join(load, row, names[i], text, &said_by, &value)) != GB_OK)
			return err;
		if (!by_params && (row->flags & GB_SETTING_SECRET) &&
		    (err = join_file(load, row, names[i], &said_by, &value)) != GB_OK)
			return err;
	}
	if (said_by == NULL)
		return read_default(load, row);
	set(&load->loaded->config, row, &value);
	load->loaded->given[row - gb_settings] = true;
	return GB_OK;
}

static bool
in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list != '\0'; list += strcspn(list, ","), list += *list == ',')
		if (strncmp(list, word, len) == 0 && (list[len] == ',' || list[len] == '\0'))
			return true;
	return false;
}

static enum gb_err
check_keys(const struct gb_config *config, const struct complaint *why)
{
	const bool hmac = strncmp(config->algorithm, "HS", 2) == 0;
	const struct { const char *name, *value; } keys[] = {
		{ "JWT_KEY", config->jwt_key }, { "SECRET_KEY", config->secret_key },
		{ "REFRESH_SECRET_KEY", config->refresh_secret_key },
		{ "ACCESS_PRIVATE_KEY", config->access_private_key },
		{ "REFRESH_PRIVATE_KEY", config->refresh_private_key },
	};

	for (size_t a = 0; a < sizeof keys / sizeof keys[0]; a++)
		for (size_t b = a + 1; b < sizeof keys / sizeof keys[0]; b++)
			if (keys[a].value != NULL && keys[b].value != NULL && strcmp(keys[a].value, keys[b].value) == 0)
				return complain(why, "%s and %s must not be equal", keys[a].name, keys[b].name);
	if (!in_list(config->allowed_algorithms, config->algorithm))
		return complain(why, "API_JWT_ALLOWED_ALGORITHMS must hold ALGORITHM");
	if (hmac && config->refresh_private_key != NULL)
		return complain(why, "REFRESH_PRIVATE_KEY does not fit ALGORITHM");
	if (!hmac && config->refresh_secret_key != NULL)
		return complain(why, "REFRESH_SECRET_KEY does not fit ALGORITHM");
	if (config->app_env != GB_ENV_PRODUCTION || config->jwt_keys_dir != NULL)
		return GB_OK;
	if (hmac && config->jwt_key == NULL)
		return complain(why, "JWT_KEY is required in production");
	if (!hmac && config->access_private_key == NULL && config->access_public_key == NULL)
		return complain(why, "ACCESS_PRIVATE_KEY is required in production");
	return GB_OK;
}

static enum gb_err
check_rest(const struct gb_config *config, const struct complaint *why)
{
	if (config->frontend_url == NULL)
		return complain(why, "FRONTEND_URL is required in production");
	if (config->cookie_mode && strncmp(config->frontend_url, "https:", 6) != 0 &&
	    !gb_url_is_loopback(config->frontend_url))
		return complain(why, "COOKIE_MODE=on needs a FRONTEND_URL that is https or loopback");
	if (!config->rate_limits && config->app_env == GB_ENV_PRODUCTION)
		return complain(why, "RATE_LIMITS=off is for development and testing only");
	if (config->mail_transport != GB_TRANSPORT_FILE && config->mail_from == NULL)
		return complain(why, "MAIL_FROM is required unless MAIL_TRANSPORT=file");
	if (config->mail_transport == GB_TRANSPORT_SMTP && config->smtp_host == NULL)
		return complain(why, "SMTP_HOST is required by MAIL_TRANSPORT=smtp");
#ifdef GB_STATIC
	if (config->mail_transport == GB_TRANSPORT_SMTP)
		return complain(why, "MAIL_TRANSPORT=smtp is not in the self-contained programs: use sendmail, or file");
#endif
	return GB_OK;
}

static enum gb_err
derive_frontend(struct gb_loaded *loaded)
{
	struct gb_config *config = &loaded->config;
	size_t len = gb_url_origin_len(config->frontend_url);

	config->frontend_path = config->frontend_url + len;
	config->frontend_origin = gb_arena_copy(loaded->arena, config->frontend_url, len);
	return config->frontend_origin != NULL ? GB_OK : GB_ERR_MEMORY;
}

/* What parameters say about every setting they may carry, as one digest. */
static void
digest_parameters(gb_config_lookup *params, void *source, unsigned char digest[static 32])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, 32);
	for (size_t i = 0; i < gb_settings_len; i++) {
		const char *const names[] = { gb_settings[i].name, gb_settings[i].alias };

		for (size_t n = 0; n < 2 && names[n] != NULL && !(gb_settings[i].flags & GB_SETTING_ENV_ONLY); n++) {
			const char *value = look_up(params, source, names[n]);

			value = value != NULL ? value : "";
			crypto_generichash_update(&state, (const unsigned char *)value, strlen(value) + 1);
		}
	}
	crypto_generichash_final(&state, digest, 32);
	sodium_memzero(&state, sizeof state);
}

/* Other programs of the same user could read them in /proc. */
static void
wipe_environment(void)
{
	for (size_t i = 0; i < gb_settings_len; i++) {
		const char *const names[] = { gb_settings[i].name, gb_settings[i].alias };

		for (size_t n = 0; n < 2 && names[n] != NULL && (gb_settings[i].flags & GB_SETTING_SECRET); n++) {
			char *value = getenv(names[n]);

			if (value != NULL)
				sodium_memzero(value, strlen(value));
		}
	}
}

bool
gb_config_in_environment(void)
{
	for (size_t i = 0; i < gb_settings_len; i++) {
		const char *const names[] = { gb_settings[i].name, gb_settings[i].alias };

		for (size_t n = 0; n < 2 && names[n] != NULL && !(gb_settings[i].flags & GB_SETTING_ENV_ONLY); n++) {
			char file_name[64];

			snprintf(file_name, sizeof file_name, "%s_FILE", names[n]);
			if (look_up(gb_config_environment, NULL, names[n]) != NULL ||
			    ((gb_settings[i].flags & GB_SETTING_SECRET) &&
			    look_up(gb_config_environment, NULL, file_name) != NULL))
				return true;
		}
	}
	return false;
}

static enum gb_err
load_all(const struct load *load)
{
	struct gb_loaded *loaded = load->loaded;
	enum gb_err err;

	for (size_t i = 0; i < gb_settings_len; i++)
		if ((err = read_row(load, &gb_settings[i])) != GB_OK)
			return err;
	if ((err = check_keys(&loaded->config, &load->why)) != GB_OK ||
	    (err = check_rest(&loaded->config, &load->why)) != GB_OK)
		return err;
	if (load->params != NULL)
		digest_parameters(load->params, load->source, loaded->parameters);
	return derive_frontend(loaded);
}

enum gb_err
gb_config_load(gb_config_lookup *params, void *source, char *why, size_t why_max, struct gb_config **config)
{
	struct load load = { NULL, params, source, { why, why_max } };
	enum gb_err err = GB_ERR_MEMORY;

	*config = NULL;
	snprintf(why, why_max, "no memory for the settings");
	if ((load.loaded = calloc(1, sizeof *load.loaded)) == NULL)
		return GB_ERR_MEMORY;
	if (sodium_init() >= 0 && (load.loaded->arena = gb_arena_new()) != NULL)
		err = load_all(&load);
	wipe_environment();
	if (err == GB_OK)
		*config = &load.loaded->config;
	else
		gb_config_free(&load.loaded->config);
	return err;
}

enum gb_err
gb_config_state(char *why, size_t why_max, char *state, size_t state_max)
{
	struct load load = { NULL, NULL, NULL, { why, why_max } };
	struct gb_config *config;
	enum gb_err err = GB_ERR_MEMORY;

	snprintf(why, why_max, "no memory for the settings");
	if ((load.loaded = calloc(1, sizeof *load.loaded)) == NULL)
		return GB_ERR_MEMORY;
	config = &load.loaded->config;
	if ((load.loaded->arena = gb_arena_new()) != NULL)
		for (size_t i = 0; i < gb_settings_len; i++)
			if (gb_settings[i].offset == offsetof(struct gb_config, state))
				err = read_row(&load, &gb_settings[i]);
	if (err == GB_OK && (size_t)snprintf(state, state_max, "%s", config->state) >= state_max)
		err = complain(&load.why, "STATE is too long");
	gb_config_free(config);
	return err;
}

void
gb_config_free(struct gb_config *config)
{
	struct gb_loaded *loaded = (struct gb_loaded *)config;

	if (loaded == NULL)
		return;
	gb_arena_free(loaded->arena);
	sodium_memzero(loaded, sizeof *loaded);
	free(loaded);
}

bool
gb_config_same(const struct gb_config *config, gb_config_lookup *params, void *source)
{
	unsigned char digest[32];

	digest_parameters(params, source, digest);
	return memcmp(digest, ((const struct gb_loaded *)config)->parameters, sizeof digest) == 0;
}
