/* SPDX-License-Identifier: MIT */
/*
 * record.c: records as bytes. One list of fields a record serves both ways, so
 * that what is read cannot drift from what is written.
 */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base64url.h"
#include "record.h"

#define USER_ID_LAST	"9007199254740991"	/* 2^53-1 */

/* Walks over a record's bytes; reads from `in`, or writes to `out` when it is set. */
struct codec {
	const unsigned char *in;
	unsigned char *out;
	size_t at, max;
	bool failed;
};

static void
field_bytes(struct codec *codec, void *bytes, size_t len)
{
	if (codec->failed || len > codec->max - codec->at) {
		codec->failed = true;
		return;
	}
	if (codec->out != NULL)
		memcpy(codec->out + codec->at, bytes, len);
	else
		memcpy(bytes, codec->in + codec->at, len);
	codec->at += len;
}

static void
field_number(struct codec *codec, uint64_t *number, unsigned len, uint64_t max)
{
	unsigned char bytes[8] = { 0 };

	for (unsigned i = 0; i < len; i++)
		bytes[i] = (unsigned char)(*number >> 8 * (len - 1 - i));
	codec->failed |= codec->out != NULL && *number > max;
	field_bytes(codec, bytes, len);
	if (codec->failed)
		return;
	*number = 0;
	for (unsigned i = 0; i < len; i++)
		*number = *number << 8 | bytes[i];
	codec->failed |= *number > max;
}

static void
field_time(struct codec *codec, int64_t *at)
{
	uint64_t number = (uint64_t)*at;

	field_number(codec, &number, 8, INT64_MAX);
	*at = codec->failed ? 0 : (int64_t)number;
}

static void
field_count(struct codec *codec, size_t *count, size_t max)
{
	uint64_t number = *count;

	field_number(codec, &number, 1, max);
	*count = codec->failed ? 0 : (size_t)number;
}

static void
field_flag(struct codec *codec, bool *flag)
{
	size_t number = *flag;

	field_count(codec, &number, 1);
	*flag = number == 1;
}

/* A length byte, then the characters; none of them NUL. */
static void
field_text(struct codec *codec, char *text, size_t size)
{
	size_t len = codec->out != NULL ? strnlen(text, size) : 0;

	field_count(codec, &len, size - 1);
	field_bytes(codec, text, len);
	if (codec->failed)
		return;
	codec->failed = memchr(text, '\0', len) != NULL;
	text[len] = '\0';
}

static void
field_kind(struct codec *codec, enum gb_link_kind *kind)
{
	size_t number = *kind;

	field_count(codec, &number, GB_LINK_CHANGE_EMAIL);
	*kind = (enum gb_link_kind)number;
}

static void
field_user_id(struct codec *codec, char id[static GB_USER_ID_MAX + 1])
{
	field_text(codec, id, GB_USER_ID_MAX + 1);
	codec->failed |= !codec->failed && !gb_user_id_ok(id);
}

static void
fields_links(struct codec *codec, struct gb_user *user)
{
	field_count(codec, &user->links_len, GB_LINKS_MAX);
	for (size_t i = 0; i < user->links_len; i++) {
		struct gb_link *link = &user->links[i];

		field_bytes(codec, link->id_hash, sizeof link->id_hash);
		field_kind(codec, &link->kind);
		field_time(codec, &link->created_at);
		field_time(codec, &link->expires_at);
		field_text(codec, link->target, sizeof link->target);
	}
	for (size_t i = 0; i < GB_CODE_KINDS; i++) {
		struct gb_typed_code *code = &user->codes[i];
		size_t tries = code->tries;

		field_bytes(codec, code->hash, sizeof code->hash);
		field_time(codec, &code->expires_at);
		field_count(codec, &tries, UINT8_MAX);
		code->tries = (unsigned)tries;
	}
}

static void
fields_user(struct codec *codec, void *record)
{
	struct gb_user *user = record;

	field_user_id(codec, user->id);
	field_text(codec, user->email, sizeof user->email);
	field_flag(codec, &user->email_verified);
	field_text(codec, user->username, sizeof user->username);
	field_count(codec, &user->groups_len, sizeof user->groups / sizeof user->groups[0]);
	for (size_t i = 0; i < user->groups_len; i++)
		field_text(codec, user->groups[i], sizeof user->groups[i]);
	field_text(codec, user->password_hash, sizeof user->password_hash);
	field_text(codec, user->language, sizeof user->language);
	field_flag(codec, &user->locked);
	field_time(codec, &user->created_at);
	field_time(codec, &user->password_changed_at);
	field_count(codec, &user->sessions_len, GB_SESSIONS_MAX);
	field_bytes(codec, user->sessions, user->sessions_len * GB_SESSION_ID_LEN);
	fields_links(codec, user);
	field_count(codec, &user->known_blocks_len, GB_KNOWN_BLOCKS_MAX);
	for (size_t i = 0; i < user->known_blocks_len; i++) {
		field_bytes(codec, user->known_blocks[i].hash, sizeof user->known_blocks[i].hash);
		field_time(codec, &user->known_blocks[i].last_at);
	}
}

static void
fields_session(struct codec *codec, void *record)
{
	struct gb_session *session = record;

	field_bytes(codec, session->id, sizeof session->id);
	field_user_id(codec, session->user_id);
	field_time(codec, &session->created_at);
	field_number(codec, &session->generation, 8, UINT64_MAX);
	field_bytes(codec, session->seed, sizeof session->seed);
	field_time(codec, &session->rotated_at);
	field_time(codec, &session->refresh_expires_at);
	field_time(codec, &session->max_at);
	field_bytes(codec, session->rotated_block, sizeof session->rotated_block);
	field_bytes(codec, session->rotated_agent, sizeof session->rotated_agent);
	field_bytes(codec, session->gate_hash, sizeof session->gate_hash);
	field_text(codec, session->device, sizeof session->device);
	field_text(codec, session->address, sizeof session->address);
	field_time(codec, &session->last_used_at);
}

static void
fields_pending(struct codec *codec, void *record)
{
	struct gb_pending *pending = record;

	field_text(codec, pending->id, sizeof pending->id);
	field_text(codec, pending->email, sizeof pending->email);
	field_text(codec, pending->username, sizeof pending->username);
	field_text(codec, pending->password_hash, sizeof pending->password_hash);
	field_text(codec, pending->language, sizeof pending->language);
	field_bytes(codec, pending->id_hash, sizeof pending->id_hash);
	field_time(codec, &pending->created_at);
	field_time(codec, &pending->link_expires_at);
}

/* A kind of record: its first byte, which changes when its fields do, and its fields. */
struct layout {
	unsigned char format;
	size_t size;
	void (*fields)(struct codec *codec, void *record);
};

static const struct layout users = { 1, sizeof(struct gb_user), fields_user };
static const struct layout sessions = { 1, sizeof(struct gb_session), fields_session };
static const struct layout pendings = { 1, sizeof(struct gb_pending), fields_pending };

union record {
	struct gb_user user;
	struct gb_session session;
	struct gb_pending pending;
};

static size_t
encode(const struct layout *layout, const void *record, unsigned char *bytes)
{
	struct codec codec = { .out = bytes, .at = 1, .max = GB_STORE_VALUE_MAX };
	union record copy;

	bytes[0] = layout->format;
	memcpy(&copy, record, layout->size);
	layout->fields(&codec, &copy);
	sodium_memzero(&copy, layout->size);
	return codec.failed ? 0 : codec.at;
}

static enum gb_err
decode(const struct layout *layout, const unsigned char *bytes, size_t len, void *record)
{
	struct codec codec = { .in = bytes, .at = 1, .max = len, .failed = len == 0 || bytes[0] != layout->format };

	memset(record, 0, layout->size);
	layout->fields(&codec, record);
	if (!codec.failed && codec.at == codec.max)
		return GB_OK;
	memset(record, 0, layout->size);
	return GB_ERR_STORE_UNAVAILABLE;
}

size_t
gb_user_encode(const struct gb_user *user, unsigned char bytes[static GB_STORE_VALUE_MAX])
{
	return encode(&users, user, bytes);
}

enum gb_err
gb_user_decode(const unsigned char *bytes, size_t len, struct gb_user *user)
{
	return decode(&users, bytes, len, user);
}

size_t
gb_session_encode(const struct gb_session *session, unsigned char bytes[static GB_STORE_VALUE_MAX])
{
	return encode(&sessions, session, bytes);
}

enum gb_err
gb_session_decode(const unsigned char *bytes, size_t len, struct gb_session *session)
{
	return decode(&sessions, bytes, len, session);
}

size_t
gb_pending_encode(const struct gb_pending *pending, unsigned char bytes[static GB_STORE_VALUE_MAX])
{
	return encode(&pendings, pending, bytes);
}

enum gb_err
gb_pending_decode(const unsigned char *bytes, size_t len, struct gb_pending *pending)
{
	return decode(&pendings, bytes, len, pending);
}

bool
gb_user_id_ok(const char *text)
{
	size_t len = strspn(text, "0123456789");

	if (text[len] != '\0' || len == 0 || len > GB_USER_ID_MAX || text[0] == '0')
		return false;
	return len < GB_USER_ID_MAX || strcmp(text, USER_ID_LAST) <= 0;
}

void
gb_session_id_text(const unsigned char id[static GB_SESSION_ID_LEN],
    char text[static GB_SESSION_ID_TEXT + 1])
{
	gb_base64url_encode(text, id, GB_SESSION_ID_LEN);
}

bool
gb_session_id_parse(const char *text, unsigned char id[static GB_SESSION_ID_LEN])
{
	size_t text_len = strnlen(text, GB_SESSION_ID_TEXT + 1), len;

	return text_len == GB_SESSION_ID_TEXT &&
	    gb_base64url_decode(id, GB_SESSION_ID_LEN, &len, text, text_len) == GB_OK;
}

void
gb_key_user(gb_store_key key, const char *user_id)
{
	snprintf(key, sizeof(gb_store_key), "u:%s", user_id);
}

void
gb_key_email(gb_store_key key, const char *email)
{
	snprintf(key, sizeof(gb_store_key), "e:%s", email);
}

void
gb_key_username(gb_store_key key, const char *username)
{
	snprintf(key, sizeof(gb_store_key), "n:%s", username);
}

void
gb_key_session(gb_store_key key, const unsigned char id[static GB_SESSION_ID_LEN])
{
	memcpy(key, "s:", 2);
	gb_session_id_text(id, key + 2);
}

void
gb_key_pending(gb_store_key key, const char *pending_id)
{
	snprintf(key, sizeof(gb_store_key), "p:%s", pending_id);
}
