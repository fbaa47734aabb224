/* SPDX-License-Identifier: MIT */
/* import_line.c: one line of a file of accounts, in three forms, into one account. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "import.h"
#include "json.h"
#include "password.h"
#include "text.h"
#include "user.h"

#define GROUPS_MAX 16
#define BY_MAIL " (with an empty hash its owner gets in by \"forgot password\")"

enum field {
	EMAIL, USERNAME, PASSWORD_HASH, GROUPS, LANGUAGE, EMAIL_VERIFIED, CREATED_AT, PASSWORD_CHANGED_AT, LOCKED, ID,
	FIELD__COUNT
};

static const struct { const char *name; enum field field; } names[] = {
	{ "email", EMAIL },
	{ "username", USERNAME },
	{ "password_hash", PASSWORD_HASH }, { "hash", PASSWORD_HASH },
	{ "groups", GROUPS },
	{ "language", LANGUAGE },
	{ "email_verified", EMAIL_VERIFIED }, { "verified", EMAIL_VERIFIED },
	{ "created_at", CREATED_AT }, { "created", CREATED_AT },
	{ "password_changed_at", PASSWORD_CHANGED_AT },
	{ "locked", LOCKED },
	{ "id", ID },
};
#define NAMES (sizeof names / sizeof names[0])

/* What a line says; NULL: nothing of it. */
typedef const char *fields[FIELD__COUNT];

static enum gb_err
refuse(const char **why, const char *text)
{
	*why = text;
	return GB_ERR_INVALID_FIELD;
}

/* The next cell of a CSV line, its quotes undone in place; *line NULL behind the last. False: the quotes do not fit. */
static bool
cell_cut(char **line, const char **cell)
{
	char *from = *line, *to = *line;
	const bool quoted = *from == '"';
	bool open = quoted;

	*cell = to;
	for (from += quoted; *from != '\0' && (quoted || *from != ','); *to++ = *from++)
		if (quoted && *from == '"' && *++from != '"') {
			open = false;
			break;
		}
	if (open || (quoted && *from != ',' && *from != '\0'))
		return false;
	*line = *from == ',' ? from + 1 : NULL;
	*to = '\0';
	return true;
}

static enum gb_err
heads_read(char *line, struct gb_import_form *form, const char **why)
{
	bool seen[FIELD__COUNT] = { false };
	const char *cell;
	size_t i;

	while (line != NULL) {
		if (form->columns_len == sizeof form->columns / sizeof form->columns[0] || !cell_cut(&line, &cell))
			return refuse(why, "the columns' names cannot be read");
		for (i = 0; i < NAMES && strcmp(names[i].name, cell) != 0; i++)
			;
		if (i == NAMES || seen[names[i].field])
			return refuse(why, "a column's name is unknown or there twice (see guardbee --help user)");
		seen[names[i].field] = true;
		form->columns[form->columns_len++] = (int)names[i].field;
	}
	return seen[EMAIL] && seen[PASSWORD_HASH] ? GB_OK : refuse(why, "the columns email and password_hash are needed");
}

enum gb_err
gb_import_begin(const char *line, struct gb_import_form *form, bool *is_head, const char **why)
{
	char copy[GB_IMPORT_LINE_MAX + 1];
	const char *colon = strchr(line, ':'), *comma = strchr(line, ',');

	*is_head = false;
	form->format = *line == '{' ? GB_IMPORT_JSON : comma == NULL || colon != NULL ? GB_IMPORT_HTPASSWD : GB_IMPORT_CSV;
	if (form->format != GB_IMPORT_CSV)
		return GB_OK;
	*is_head = true;
	snprintf(copy, sizeof copy, "%s", line);
	return heads_read(copy, form, why);
}

static enum gb_err
csv_read(const struct gb_import_form *form, char *line, fields found, const char **why)
{
	size_t i = 0;

	for (; line != NULL; i++)
		if (i == form->columns_len || !cell_cut(&line, &found[form->columns[i]]))
			return refuse(why, i == form->columns_len ? "more cells than columns" : "the quotes do not fit");
	return i == form->columns_len ? GB_OK : refuse(why, "fewer cells than columns");
}

static enum gb_err
htpasswd_read(const struct gb_import_form *form, char *line, struct gb_arena *arena, fields found, const char **why)
{
	char *rest = line;
	const char *name = strsep(&rest, ":");

	if (rest == NULL)
		return refuse(why, "no name:hash");
	found[PASSWORD_HASH] = strsep(&rest, ":");
	if (strchr(name, '@') != NULL) {
		found[EMAIL] = name;
		return GB_OK;
	}
	if (form->domain == NULL)
		return refuse(why, "the name is no e-mail address (--domain NAME makes name@NAME)");
	found[USERNAME] = name;
	found[EMAIL] = gb_arena_printf(arena, "%s@%s", name, form->domain);
	return found[EMAIL] != NULL ? GB_OK : GB_ERR_MEMORY;
}

static const char *
join(struct gb_arena *arena, const char *const *values, size_t len)
{
	const char *list = "";

	for (size_t i = 0; i < len && list != NULL; i++)
		list = gb_arena_printf(arena, "%s%s%s", list, i > 0 ? "," : "", values[i]);
	return list;
}

/* A member of whatever type, as text. */
static enum gb_err
member_read(const struct gb_json *json, const char *name, struct gb_arena *arena, const char **text)
{
	const char *values[GROUPS_MAX];
	int64_t number;
	size_t len;
	bool flag;

	*text = NULL;
	if (gb_json_is_null(json, name))
		return GB_OK;
	if (gb_json_string(json, name, text) == GB_OK)
		return GB_OK;
	if (gb_json_boolean(json, name, &flag) == GB_OK)
		*text = flag ? "true" : "false";
	else if (gb_json_integer(json, name, &number) == GB_OK)
		*text = gb_arena_printf(arena, "%lld", (long long)number);
	else if (gb_json_strings(json, name, values, GROUPS_MAX, &len) == GB_OK)
		*text = join(arena, values, len);
	return *text != NULL ? GB_OK : GB_ERR_INVALID_FIELD;
}

static enum gb_err
json_read(const char *line, struct gb_arena *arena, fields found, const char **why)
{
	const struct gb_json *json;
	bool hash_seen = false;
	enum gb_err err = gb_json_parse(line, strlen(line), arena, &json);

	if (err != GB_OK || !gb_json_is_object(json))
		return err == GB_ERR_MEMORY ? err : refuse(why, "not a JSON object");
	for (size_t i = 0; i < NAMES; i++) {
		if (!gb_json_has(json, names[i].name))
			continue;
		if (found[names[i].field] != NULL)
			return refuse(why, "a member is there under both its names");
		if (member_read(json, names[i].name, arena, &found[names[i].field]) != GB_OK)
			return refuse(why, gb_arena_printf(arena, "%s is of no fit type", names[i].name));
		hash_seen |= names[i].field == PASSWORD_HASH;
	}
	return hash_seen ? GB_OK : refuse(why, "no password_hash (null: only by \"forgot password\")");
}

/* Seconds, or a date with or without a time of day, in UTC. */
static bool
time_read(const char *text, int64_t now, int64_t *at)
{
	struct tm tm = { 0 };
	const char *rest;
	long long number;
	int end = -1;

	if (sscanf(text, "%11lld%n", &number, &end) == 1 && text[end] == '\0') {
		*at = number;
	} else {
		if ((rest = strptime(text, "%Y-%m-%d", &tm)) == NULL)
			return false;
		if (*rest == 'T' || *rest == ' ')
			rest = strptime(rest + 1, "%H:%M:%S", &tm);
		if (rest != NULL && *rest == '.')
			rest += 1 + strspn(rest + 1, "0123456789");
		if (rest == NULL || (*rest != '\0' && strcmp(rest, "Z") != 0 && strcmp(rest, "+00:00") != 0))
			return false;
		*at = (int64_t)timegm(&tm);
	}
	return *at >= 0 && *at <= now;
}

static bool
flag_read(const char *text, bool *flag)
{
	static const struct { const char *word; bool flag; } words[] = {
		{ "true", true }, { "1", true }, { "yes", true }, { "t", true },
		{ "false", false }, { "0", false }, { "no", false }, { "f", false },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcasecmp(text, words[i].word) == 0) {
			*flag = words[i].flag;
			return true;
		}
	return false;
}

static enum gb_err
hash_read(const struct gb_config *config, const char *hash, struct gb_user *user, const char **why)
{
	if (hash == NULL || *hash == '\0') {
		gb_password_of_nobody(config, user->password_hash);
		return GB_OK;
	}
	if (strlen(hash) > GB_PASSWORD_HASH_MAX)
		return refuse(why, "the hash is longer than 255 bytes");
	switch (gb_password_check(hash)) {
	case GB_OK:
		memcpy(user->password_hash, hash, strlen(hash) + 1);
		return GB_OK;
	case GB_ERR_INVALID_FIELD:
		return refuse(why, "the hash costs too much to check" BY_MAIL);
	case GB_ERR_MALFORMED:
		return refuse(why, "the hash is not well formed");
	default:
		return refuse(why, "the hash is of no kind that can be checked" BY_MAIL);
	}
}

static bool
said(const char *text)
{
	return text != NULL && *text != '\0';
}

static enum gb_err
names_read(fields found, const struct gb_config *config, struct gb_user *user, const char **why)
{
	if (!said(found[EMAIL]) || gb_email_parse(found[EMAIL], user->email) != GB_OK)
		return refuse(why, "the e-mail address is missing or not valid");
	if (said(found[USERNAME]) && gb_username_canonical(found[USERNAME], user->username) != GB_OK)
		return refuse(why, "the user name is not valid (3 to 32 of a-z 0-9 . _ -, a letter first)");
	if (said(found[ID]) && !gb_user_id_ok(found[ID]))
		return refuse(why, "the id is no whole number from 1 to 2^53-1");
	if (said(found[ID]))
		memcpy(user->id, found[ID], strlen(found[ID]) + 1);
	if (said(found[GROUPS]) && gb_user_groups_read(found[GROUPS], user) != GB_OK)
		return refuse(why, "groups: at most 16 names of a-z 0-9 . _ -, 32 bytes each");
	if (said(found[LANGUAGE]))
		snprintf(user->language, sizeof user->language, "%s", gb_text_language(found[LANGUAGE], config->default_language));
	return GB_OK;
}

/* Whoever the operator brings along counts as verified unless the line says otherwise. */
static enum gb_err
user_from(fields found, const struct gb_config *config, int64_t now, struct gb_user *user, const char **why)
{
	enum gb_err err;

	*user = (struct gb_user){ .email_verified = true, .created_at = now };
	if ((err = names_read(found, config, user, why)) != GB_OK)
		return err;
	if (said(found[EMAIL_VERIFIED]) && !flag_read(found[EMAIL_VERIFIED], &user->email_verified))
		return refuse(why, "email_verified is neither true nor false");
	if (said(found[LOCKED]) && !flag_read(found[LOCKED], &user->locked))
		return refuse(why, "locked is neither true nor false");
	if (said(found[CREATED_AT]) && !time_read(found[CREATED_AT], now, &user->created_at))
		return refuse(why, "created_at is no time in the past");
	user->password_changed_at = user->created_at;
	if (said(found[PASSWORD_CHANGED_AT]) && !time_read(found[PASSWORD_CHANGED_AT], now, &user->password_changed_at))
		return refuse(why, "password_changed_at is no time in the past");
	return hash_read(config, found[PASSWORD_HASH], user, why);
}

enum gb_err
gb_import_read(const struct gb_import_form *form, const struct gb_config *config, int64_t now, char *line,
    struct gb_arena *arena, struct gb_user *user, const char **why)
{
	fields found = { NULL };
	enum gb_err err;

	if (*line == '\0' || (form->format == GB_IMPORT_HTPASSWD && *line == '#'))
		return GB_ERR_NOT_FOUND;
	if (form->format == GB_IMPORT_JSON)
		err = json_read(line, arena, found, why);
	else if (form->format == GB_IMPORT_CSV)
		err = csv_read(form, line, found, why);
	else
		err = htpasswd_read(form, line, arena, found, why);
	return err == GB_OK ? user_from(found, config, now, user, why) : err;
}
