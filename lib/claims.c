/* SPDX-License-Identifier: MIT */
/* claims.c: one row, one claim; the order of the rows is the order in a token. */
#include <string.h>

#include "claims.h"

#define AUDIENCES_MAX 16
#define TIME_MAX INT64_C(9007199254740991)	/* 2^53-1 */
#define SUBJECT_DIGITS_MAX 16

enum kind { STRING, TIME, BOOLEAN, NAMES };

#define ACCESS (1u << GB_PURPOSE_ACCESS)
#define REFRESH (1u << GB_PURPOSE_REFRESH)
#define EVERY ((1u << GB_PURPOSE__COUNT) - 1)

/* Where a claim stands in struct gb_claims, in which tokens, and how long its text may be. */
static const struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	unsigned purposes, optional_in;
	size_t max;
} rows[] = {
#define AT(member) offsetof(struct gb_claims, member)
	{ "sub", STRING, AT(subject), EVERY, 0, SUBJECT_DIGITS_MAX },
	{ "iat", TIME, AT(issued_at), EVERY, 0, 0 },
	{ "nbf", TIME, AT(not_before), EVERY, 0, 0 },
	{ "exp", TIME, AT(expires_at), EVERY, 0, 0 },
	{ "jti", STRING, AT(jwt_id), EVERY, 0, 64 },
	{ "fresh", BOOLEAN, AT(fresh), ACCESS | REFRESH, 0, 0 },
	{ "sid", STRING, AT(session_id), ACCESS | REFRESH, 0, 64 },
	{ "email", STRING, AT(email), ACCESS, 0, 254 },
	{ "email_verified", BOOLEAN, AT(email_verified), ACCESS, 0, 0 },
	{ "username", STRING, AT(username), ACCESS, ACCESS, 32 },
	{ "groups", NAMES, AT(groups), ACCESS, ACCESS, 32 },
#undef AT
};
#define ROWS (sizeof rows / sizeof *rows)

static void
write_groups(struct gb_json_writer *writer, const struct gb_claims *claims)
{
	if (claims->groups_len == 0)
		return;
	gb_json_open(writer, "groups", '[');
	for (size_t i = 0; i < claims->groups_len; i++)
		gb_json_put_string(writer, NULL, claims->groups[i]);
	gb_json_close(writer, ']');
}

static void
write_row(struct gb_json_writer *writer, const struct row *row, const struct gb_claims *claims)
{
	const char *at = (const char *)claims + row->offset;
	const char *text;

	switch (row->kind) {
	case STRING:
		memcpy(&text, at, sizeof text);
		if (text != NULL)
			gb_json_put_string(writer, row->name, text);
		break;
	case TIME:
		gb_json_put_integer(writer, row->name, *(const int64_t *)(const void *)at);
		break;
	case BOOLEAN:
		gb_json_put_boolean(writer, row->name, *(const bool *)(const void *)at);
		break;
	case NAMES:
		write_groups(writer, claims);
		break;
	}
}

const char *
gb_claims_write(const struct gb_claims *claims, const struct gb_jwt_policy *policy, enum gb_purpose purpose,
    struct gb_arena *arena, size_t *len)
{
	struct gb_claims written = *claims;
	struct gb_json_writer writer;

	written.not_before = claims->issued_at;
	gb_json_begin(&writer, arena);
	gb_json_open(&writer, NULL, '{');
	for (size_t i = 0; i < ROWS; i++)
		if ((rows[i].purposes >> purpose & 1) != 0)
			write_row(&writer, &rows[i], &written);
	gb_json_put_string(&writer, "id", claims->subject);
	gb_json_put_string(&writer, "type", gb_purpose_name(purpose));
	if (policy->issuer != NULL)
		gb_json_put_string(&writer, "iss", policy->issuer);
	if (policy->audience != NULL)
		gb_json_put_string(&writer, "aud", policy->audience);
	gb_json_close(&writer, '}');
	return gb_json_text(&writer, len);
}

/* Absent and of a wrong type are the same to a token: GB_ERR_CLAIM. */
static enum gb_err
as_claim(enum gb_err err)
{
	return err == GB_ERR_MISSING_FIELD || err == GB_ERR_INVALID_FIELD ? GB_ERR_CLAIM : err;
}

static enum gb_err
read_string(const struct gb_json *payload, const struct row *row, const char **text)
{
	enum gb_err err = gb_json_string(payload, row->name, text);

	if (err != GB_OK)
		return err;
	return **text != '\0' && strnlen(*text, row->max + 1) <= row->max ? GB_OK : GB_ERR_CLAIM;
}

static enum gb_err
read_time(const struct gb_json *payload, const char *name, int64_t *time)
{
	enum gb_err err = gb_json_integer(payload, name, time);

	return err == GB_OK && *time < 1 ? GB_ERR_CLAIM : err;
}

static enum gb_err
read_names(const struct gb_json *payload, const struct row *row, struct gb_claims *claims)
{
	enum gb_err err = gb_json_strings(payload, row->name, claims->groups, GB_GROUPS_MAX, &claims->groups_len);

	for (size_t i = 0; i < claims->groups_len; i++)
		if (claims->groups[i][0] == '\0' || strnlen(claims->groups[i], row->max + 1) > row->max)
			return GB_ERR_CLAIM;
	return err;
}

static enum gb_err
read_row(const struct gb_json *payload, const struct row *row, enum gb_purpose purpose, struct gb_claims *claims)
{
	void *at = (char *)claims + row->offset;
	enum gb_err err;

	switch (row->kind) {
	case STRING:
		err = read_string(payload, row, at);
		break;
	case TIME:
		err = read_time(payload, row->name, at);
		break;
	case BOOLEAN:
		err = gb_json_boolean(payload, row->name, at);
		break;
	default:
		err = read_names(payload, row, claims);
	}
	if (err == GB_ERR_MISSING_FIELD && (row->optional_in >> purpose & 1) != 0)
		return GB_OK;
	return as_claim(err);
}

/* A decimal string of 1 to 2^53-1 as we would write it, and "id" the same. */
static enum gb_err
check_subject(const struct gb_json *payload, const char *subject)
{
	const char *id;
	int64_t value = 0;
	enum gb_err err;

	for (const char *digit = subject; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9')
			return GB_ERR_CLAIM;
		value = value * 10 + (*digit - '0');
	}
	if (*subject == '0' || value > TIME_MAX)
		return GB_ERR_CLAIM;
	if ((err = gb_json_string(payload, "id", &id)) != GB_OK)
		return as_claim(err);
	return strcmp(id, subject) == 0 ? GB_OK : GB_ERR_CLAIM;
}

static enum gb_err
check_type(const struct gb_json *payload, enum gb_purpose purpose)
{
	const char *type;
	enum gb_err err = gb_json_string(payload, "type", &type);

	if (err != GB_OK)
		return as_claim(err);
	return strcmp(type, gb_purpose_name(purpose)) == 0 ? GB_OK : GB_ERR_TYPE;
}

static enum gb_err
check_issuer(const struct gb_json *payload, const char *issuer)
{
	const char *theirs;
	enum gb_err err;

	if (issuer == NULL)
		return GB_OK;
	if ((err = gb_json_string(payload, "iss", &theirs)) == GB_ERR_MEMORY)
		return err;
	return err == GB_OK && strcmp(theirs, issuer) == 0 ? GB_OK : GB_ERR_ISSUER;
}

/* RFC 7519 s4.1.3: a string or an array; a token for somebody else is refused also where we have no name. */
static enum gb_err
check_audience(const struct gb_json *payload, const char *audience)
{
	const char *theirs[AUDIENCES_MAX];
	size_t theirs_len = 1;
	enum gb_err err;

	if (!gb_json_has(payload, "aud"))
		return audience == NULL ? GB_OK : GB_ERR_AUDIENCE;
	if ((err = gb_json_string(payload, "aud", &theirs[0])) == GB_ERR_INVALID_FIELD)
		err = gb_json_strings(payload, "aud", theirs, AUDIENCES_MAX, &theirs_len);
	if (err == GB_ERR_MEMORY)
		return err;
	for (size_t i = 0; err == GB_OK && audience != NULL && i < theirs_len; i++)
		if (strcmp(theirs[i], audience) == 0)
			return GB_OK;
	return GB_ERR_AUDIENCE;
}

/* Leeway forgives clocks of other machines that hold the key; mailed tokens come from our own (contract, "Tokens"). */
static enum gb_err
check_times(const struct gb_claims *claims, const struct gb_jwt_policy *policy, enum gb_purpose purpose, int64_t now)
{
	int64_t leeway_s = purpose == GB_PURPOSE_ACCESS || purpose == GB_PURPOSE_REFRESH ? policy->leeway_s : 0;

	if (claims->not_before > now + leeway_s || claims->issued_at > now + leeway_s)
		return GB_ERR_NOT_YET_VALID;
	return now < claims->expires_at + leeway_s ? GB_OK : GB_ERR_TOKEN_EXPIRED;
}

enum gb_err
gb_claims_read(const struct gb_json *payload, const struct gb_jwt_policy *policy, enum gb_purpose purpose, int64_t now,
    struct gb_claims *claims)
{
	enum gb_err err;

	if ((err = check_type(payload, purpose)) != GB_OK)
		return err;
	for (size_t i = 0; i < ROWS; i++)
		if ((rows[i].purposes >> purpose & 1) != 0 && (err = read_row(payload, &rows[i], purpose, claims)) != GB_OK)
			return err;
	if ((err = check_subject(payload, claims->subject)) != GB_OK)
		return err;
	if (purpose == GB_PURPOSE_REFRESH && claims->fresh)
		return GB_ERR_CLAIM;
	if ((err = check_issuer(payload, policy->issuer)) != GB_OK ||
	    (err = check_audience(payload, policy->audience)) != GB_OK)
		return err;
	return check_times(claims, policy, purpose, now);
}
