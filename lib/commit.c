/* SPDX-License-Identifier: MIT */
/* commit.c: records out of the store, and the changes of one commit gathered. */
#include <string.h>

#include <sodium.h>

#include "record.h"

#define NAME_FORMAT 1		/* e: and n:, a format byte and the user id; the byte alone is a tombstone */

/* GB_ERR_NOT_FOUND when absent or expired; *version is set then as well. */
static enum gb_err
record_get(struct gb_store *store, const char *key, int64_t now, struct gb_arena *arena,
    struct gb_record *record, uint64_t *version)
{
	enum gb_err err = gb_store_get(store, key, now, arena, record);

	*version = err == GB_OK ? record->version : GB_VERSION_ABSENT;
	if (err == GB_OK && record->value == NULL)
		err = GB_ERR_NOT_FOUND;
	return err;
}

/* A record that speaks of another than its key does is a fault of the store, not an answer. */
static enum gb_err
same_key(const char *key, const char *prefix, const char *id)
{
	size_t len = strlen(prefix);

	return strncmp(key, prefix, len) == 0 && strcmp(key + len, id) == 0 ? GB_OK : GB_ERR_STORE_UNAVAILABLE;
}

enum gb_err
gb_user_get(struct gb_store *store, const char *user_id, int64_t now, struct gb_arena *arena,
    struct gb_user *user)
{
	struct gb_record record;
	gb_store_key key;
	uint64_t version;
	enum gb_err err;

	/* user_id may be user->id: it is read before that is written */
	if (!gb_user_id_ok(user_id)) {
		*user = (struct gb_user){ 0 };
		return GB_ERR_NOT_FOUND;
	}
	gb_key_user(key, user_id);
	*user = (struct gb_user){ 0 };
	err = record_get(store, key, now, arena, &record, &version);
	if (err == GB_OK && (err = gb_user_decode(record.value, record.value_len, user)) == GB_OK)
		err = same_key(key, "u:", user->id);
	user->version = version;
	return err;
}

enum gb_err
gb_session_get(struct gb_store *store, const unsigned char id[static GB_SESSION_ID_LEN], int64_t now,
    struct gb_arena *arena, struct gb_session *session)
{
	char text[GB_SESSION_ID_TEXT + 1];
	struct gb_record record;
	gb_store_key key;
	uint64_t version;
	enum gb_err err;

	gb_key_session(key, id);
	*session = (struct gb_session){ 0 };
	err = record_get(store, key, now, arena, &record, &version);
	if (err == GB_OK && (err = gb_session_decode(record.value, record.value_len, session)) == GB_OK) {
		gb_session_id_text(session->id, text);
		err = same_key(key, "s:", text);
	}
	session->version = version;
	session->expires_at = record.expires_at;
	return err;
}

enum gb_err
gb_pending_get(struct gb_store *store, const char *pending_id, int64_t now, struct gb_arena *arena,
    struct gb_pending *pending)
{
	struct gb_record record;
	unsigned char id[GB_SESSION_ID_LEN];
	gb_store_key key;
	uint64_t version;
	enum gb_err err;

	if (!gb_session_id_parse(pending_id, id)) {
		*pending = (struct gb_pending){ 0 };
		return GB_ERR_NOT_FOUND;
	}
	gb_key_pending(key, pending_id);
	*pending = (struct gb_pending){ 0 };
	err = record_get(store, key, now, arena, &record, &version);
	if (err == GB_OK && (err = gb_pending_decode(record.value, record.value_len, pending)) == GB_OK)
		err = same_key(key, "p:", pending->id);
	pending->version = version;
	pending->expires_at = record.expires_at;
	return err;
}

enum gb_err
gb_user_id_get(struct gb_store *store, const gb_store_key key, int64_t now, struct gb_arena *arena,
    char user_id[static GB_USER_ID_MAX + 1], uint64_t *version)
{
	struct gb_record record;
	enum gb_err err = record_get(store, key, now, arena, &record, version);

	user_id[0] = '\0';
	if (err != GB_OK)
		return err;
	if (record.value_len == 0 || record.value_len - 1 > GB_USER_ID_MAX || record.value[0] != NAME_FORMAT)
		return GB_ERR_STORE_UNAVAILABLE;
	if (record.value_len == 1)
		return GB_ERR_NOT_FOUND;
	memcpy(user_id, record.value + 1, record.value_len - 1);
	user_id[record.value_len - 1] = '\0';
	return strlen(user_id) == record.value_len - 1 && gb_user_id_ok(user_id) ? GB_OK : GB_ERR_STORE_UNAVAILABLE;
}

enum gb_err
gb_name_free(struct gb_store *store, const gb_store_key key, int64_t now, struct gb_arena *arena,
    uint64_t *version)
{
	struct gb_record record;
	enum gb_err err = record_get(store, key, now, arena, &record, version);

	if (err == GB_ERR_NOT_FOUND)
		return GB_OK;
	return err == GB_OK ? GB_ERR_ACCOUNT_EXISTS : err;
}

void
gb_commit_begin(struct gb_commit *commit, struct gb_arena *arena)
{
	*commit = (struct gb_commit){ .arena = arena };
}

static void
add(struct gb_commit *commit, enum gb_change_kind kind, const char *key, uint64_t version,
    const void *value, size_t value_len, int64_t expires_at)
{
	const char *key_copy = gb_arena_copy(commit->arena, key, strlen(key));
	const char *value_copy = gb_arena_copy(commit->arena, value, value_len);

	if (commit->len == GB_STORE_CHANGES_MAX || key_copy == NULL || value_copy == NULL) {
		commit->failed = true;
		return;
	}
	commit->changes[commit->len++] = (struct gb_change){
		.kind = kind, .key = key_copy, .version = version,
		.value = value_copy, .value_len = value_len, .expires_at = expires_at,
	};
}

/* A record that encode could not write (length 0) must not pass for an empty one. */
static void
add_encoded(struct gb_commit *commit, const char *key, uint64_t version, const unsigned char *bytes,
    size_t len, int64_t expires_at)
{
	if (len == 0)
		commit->failed = true;
	else
		add(commit, GB_PUT, key, version, bytes, len, expires_at);
}

void
gb_commit_put(struct gb_commit *commit, const char *key, uint64_t version, const void *value,
    size_t len, int64_t expires_at)
{
	add(commit, GB_PUT, key, version, value, len, expires_at);
}

void
gb_commit_put_user(struct gb_commit *commit, const struct gb_user *user)
{
	unsigned char bytes[GB_STORE_VALUE_MAX];
	gb_store_key key;

	gb_key_user(key, user->id);
	add_encoded(commit, key, user->version, bytes, gb_user_encode(user, bytes), 0);
	sodium_memzero(bytes, sizeof bytes);
}

void
gb_commit_put_session(struct gb_commit *commit, const struct gb_session *session)
{
	unsigned char bytes[GB_STORE_VALUE_MAX];
	gb_store_key key;

	gb_key_session(key, session->id);
	add_encoded(commit, key, session->version, bytes, gb_session_encode(session, bytes), session->expires_at);
	sodium_memzero(bytes, sizeof bytes);
}

void
gb_commit_put_pending(struct gb_commit *commit, const struct gb_pending *pending)
{
	unsigned char bytes[GB_STORE_VALUE_MAX];
	gb_store_key key;

	gb_key_pending(key, pending->id);
	add_encoded(commit, key, pending->version, bytes, gb_pending_encode(pending, bytes), pending->expires_at);
	sodium_memzero(bytes, sizeof bytes);
}

void
gb_commit_put_name(struct gb_commit *commit, const char *key, uint64_t version, const char *user_id,
    int64_t expires_at)
{
	unsigned char bytes[1 + GB_USER_ID_MAX] = { NAME_FORMAT };
	size_t len = user_id != NULL ? strnlen(user_id, GB_USER_ID_MAX) : 0;

	if (len > 0)
		memcpy(bytes + 1, user_id, len);
	add(commit, GB_PUT, key, version, bytes, 1 + len, expires_at);
}

void
gb_commit_delete(struct gb_commit *commit, const char *key, uint64_t version)
{
	add(commit, GB_DELETE, key, version, NULL, 0, 0);
}

void
gb_commit_check(struct gb_commit *commit, const char *key, uint64_t version)
{
	add(commit, GB_CHECK, key, version, NULL, 0, 0);
}

enum gb_err
gb_commit_run(const struct gb_commit *commit, struct gb_store *store, int64_t now)
{
	if (commit->failed)
		return GB_ERR_MEMORY;
	return gb_store_commit(store, commit->changes, commit->len, now, NULL);
}
