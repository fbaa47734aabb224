/* SPDX-License-Identifier: MIT */
#ifndef GB_RECORD_H
#define GB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "error.h"
#include "store.h"

/* What stands in the store (design, "Records"): plain structs, and their bytes. */
#define GB_USER_ID_MAX		16		/* decimal digits of 2^53-1 */
#define GB_EMAIL_MAX		254
#define GB_USERNAME_MAX		32
#define GB_GROUP_MAX		32
#define GB_PASSWORD_HASH_MAX	255
#define GB_SESSION_ID_LEN	16		/* raw; 22 characters as base64url text */
#define GB_SESSION_ID_TEXT	22
#define GB_SESSIONS_MAX		32
#define GB_LINK_HASH_LEN	32		/* SHA-256 of a mailed id */
#define GB_LINKS_PER_KIND	4
#define GB_LINKS_MAX		9		/* reset and verify-email 4 each, change-email 1 */
#define GB_KNOWN_BLOCKS_MAX	8
#define GB_DEVICE_MAX		80
#define GB_ADDRESS_MAX		45

enum gb_link_kind { GB_LINK_RESET, GB_LINK_VERIFY_EMAIL, GB_LINK_CHANGE_EMAIL };
#define GB_CODE_KINDS GB_LINK_CHANGE_EMAIL	/* the kinds before it have typed codes beside their links */

/* A mailed link that is still good. */
struct gb_link {
	unsigned char id_hash[GB_LINK_HASH_LEN];	/* SHA-256 of the token's jti */
	enum gb_link_kind kind;
	int64_t created_at, expires_at;
	char target[GB_EMAIL_MAX + 1];			/* change-email: the new address; else "" */
};

/* The typed code of the newest mail of a kind. */
struct gb_typed_code {
	unsigned char hash[GB_LINK_HASH_LEN];
	int64_t expires_at;				/* 0: none */
	unsigned tries;					/* wrong tries so far */
};

/* u:ID */
struct gb_user {
	char id[GB_USER_ID_MAX + 1];
	char email[GB_EMAIL_MAX + 1];
	bool email_verified;
	char username[GB_USERNAME_MAX + 1];		/* "": none */
	char groups[16][GB_GROUP_MAX + 1];
	size_t groups_len;
	char password_hash[GB_PASSWORD_HASH_MAX + 1];
	char language[9];				/* "": not known */
	bool locked;
	int64_t created_at, password_changed_at;
	unsigned char sessions[GB_SESSIONS_MAX][GB_SESSION_ID_LEN];	/* the least recently begun first */
	size_t sessions_len;
	struct gb_link links[GB_LINKS_MAX];
	size_t links_len;
	struct gb_typed_code codes[GB_CODE_KINDS];	/* by kind: a mail of one leaves the other's code alone */
	struct { unsigned char hash[8]; int64_t last_at; } known_blocks[GB_KNOWN_BLOCKS_MAX];
	size_t known_blocks_len;

	uint64_t version;				/* of the record as read; not stored in it */
};

/* s:SID (design, "Refresh") */
struct gb_session {
	unsigned char id[GB_SESSION_ID_LEN];
	char user_id[GB_USER_ID_MAX + 1];
	int64_t created_at;
	uint64_t generation;				/* first 1 */
	unsigned char seed[32];
	int64_t rotated_at, refresh_expires_at, max_at;	/* max_at 0: none */
	unsigned char rotated_block[8];			/* fingerprint of the IPv4 /24 or IPv6 /64 */
	unsigned char rotated_agent[16];
	unsigned char gate_hash[32];			/* zero: none */
	char device[GB_DEVICE_MAX + 1];			/* "Firefox on Linux" */
	char address[GB_ADDRESS_MAX + 1];
	int64_t last_used_at;

	uint64_t version;
	int64_t expires_at;				/* of the record */
};

/* p:ID, a registration that waits for its link (REGISTRATION=verify) */
struct gb_pending {
	char id[GB_SESSION_ID_TEXT + 1];
	char email[GB_EMAIL_MAX + 1];
	char username[GB_USERNAME_MAX + 1];
	char password_hash[GB_PASSWORD_HASH_MAX + 1];
	char language[9];
	unsigned char id_hash[GB_LINK_HASH_LEN];	/* zero: no link sent yet */
	int64_t created_at, link_expires_at;

	uint64_t version;
	int64_t expires_at;
};

/* Keys of the store, written into key. */
typedef char gb_store_key[GB_STORE_KEY_MAX + 1];
void gb_key_user(gb_store_key key, const char *user_id);
void gb_key_email(gb_store_key key, const char *email);
void gb_key_username(gb_store_key key, const char *username);
void gb_key_session(gb_store_key key, const unsigned char id[static GB_SESSION_ID_LEN]);
void gb_key_pending(gb_store_key key, const char *pending_id);

/* True for a user id: decimal, 1 to 2^53-1, without leading zeros. */
bool gb_user_id_ok(const char *text);

/* Session ids and their text. Parse: false if it is not the canonical base64url of 16 bytes. */
void gb_session_id_text(const unsigned char id[static GB_SESSION_ID_LEN], char text[static GB_SESSION_ID_TEXT + 1]);
bool gb_session_id_parse(const char *text, unsigned char id[static GB_SESSION_ID_LEN]);

/*
 * The store's bytes of a record: a format byte, then fields with their
 * lengths. Encode returns a length, at most GB_STORE_VALUE_MAX, or 0 if the
 * record does not fit. Decode fails with GB_ERR_STORE_UNAVAILABLE on anything
 * that encode does not write; the record is zero then.
 */
size_t gb_user_encode(const struct gb_user *user, unsigned char bytes[static GB_STORE_VALUE_MAX]);
enum gb_err gb_user_decode(const unsigned char *bytes, size_t len, struct gb_user *user);
size_t gb_session_encode(const struct gb_session *session, unsigned char bytes[static GB_STORE_VALUE_MAX]);
enum gb_err gb_session_decode(const unsigned char *bytes, size_t len, struct gb_session *session);
size_t gb_pending_encode(const struct gb_pending *pending, unsigned char bytes[static GB_STORE_VALUE_MAX]);
enum gb_err gb_pending_decode(const unsigned char *bytes, size_t len, struct gb_pending *pending);

/*
 * Get and decode. GB_ERR_NOT_FOUND when there is none; then version is still
 * set (an expired record's, or GB_VERSION_ABSENT). The id may be that of the
 * record that is read into.
 */
enum gb_err gb_user_get(struct gb_store *store, const char *user_id, int64_t now,
    struct gb_arena *arena, struct gb_user *user);
enum gb_err gb_session_get(struct gb_store *store, const unsigned char id[static GB_SESSION_ID_LEN],
    int64_t now, struct gb_arena *arena, struct gb_session *session);
enum gb_err gb_pending_get(struct gb_store *store, const char *pending_id, int64_t now,
    struct gb_arena *arena, struct gb_pending *pending);
/* The user id behind e: or n:. GB_ERR_NOT_FOUND when there is none or it is a tombstone. */
enum gb_err gb_user_id_get(struct gb_store *store, const gb_store_key key, int64_t now,
    struct gb_arena *arena, char user_id[static GB_USER_ID_MAX + 1], uint64_t *version);
/*
 * May e: or n: be given away? GB_OK with the version to put it at; GB_ERR_ACCOUNT_EXISTS
 * while it is somebody's or a tombstone.
 */
enum gb_err gb_name_free(struct gb_store *store, const gb_store_key key, int64_t now,
    struct gb_arena *arena, uint64_t *version);

/*
 * The changes of one commit, gathered: strings and bytes are copied into the
 * arena. Sticky failure, seen at commit.
 */
struct gb_commit {
	struct gb_arena *arena;
	struct gb_change changes[GB_STORE_CHANGES_MAX];
	size_t len;
	bool failed;
};
void gb_commit_begin(struct gb_commit *commit, struct gb_arena *arena);
void gb_commit_put(struct gb_commit *commit, const char *key, uint64_t version, const void *value,
    size_t len, int64_t expires_at);
void gb_commit_put_user(struct gb_commit *commit, const struct gb_user *user);	/* at user->version */
void gb_commit_put_session(struct gb_commit *commit, const struct gb_session *session);
void gb_commit_put_pending(struct gb_commit *commit, const struct gb_pending *pending);
/* e: or n:; user_id NULL makes it a tombstone. */
void gb_commit_put_name(struct gb_commit *commit, const char *key, uint64_t version, const char *user_id,
    int64_t expires_at);
void gb_commit_delete(struct gb_commit *commit, const char *key, uint64_t version);
void gb_commit_check(struct gb_commit *commit, const char *key, uint64_t version);
enum gb_err gb_commit_run(const struct gb_commit *commit, struct gb_store *store, int64_t now);

#endif
