/* SPDX-License-Identifier: MIT */
/* Records as bytes, and in the store. */
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "record.h"
#include "store_memory.h"

#define NOW (GB_STORE_NOW_MIN + 1000)

static struct gb_arena *arena;
static struct gb_store *store;
static struct store_memory *memory;
static unsigned char bytes[GB_STORE_VALUE_MAX + 1], again[GB_STORE_VALUE_MAX];

static void
setup(void)
{
	arena = gb_arena_new();
	memory = store_memory_new(&store);
	cr_assert(arena != NULL && memory != NULL);
}

static void
teardown(void)
{
	gb_store_close(store);
	gb_arena_free(arena);
}

TestSuite(record, .init = setup, .fini = teardown, .timeout = 60);

static void
fill(void *at, size_t len, unsigned char first)
{
	for (size_t i = 0; i < len; i++)
		((unsigned char *)at)[i] = (unsigned char)(first + i);
}

static void
letters(char *text, size_t len)
{
	memset(text, 'x', len);
	text[len] = '\0';
}

/* Every field at its longest, as far as policy can bring it. */
static void
user_full(struct gb_user *user)
{
	*user = (struct gb_user){
		.id = "9007199254740991", .email_verified = true, .groups_len = 16, .language = "de-latn1",
		.locked = true, .created_at = 1, .password_changed_at = INT64_MAX, .sessions_len = GB_SESSIONS_MAX,
		.links_len = GB_LINKS_MAX, .codes = { { .expires_at = 5, .tries = 4 }, { .expires_at = 6, .tries = 5 } },
		.known_blocks_len = GB_KNOWN_BLOCKS_MAX,
	};
	letters(user->email, GB_EMAIL_MAX);
	letters(user->username, GB_USERNAME_MAX);
	letters(user->password_hash, GB_PASSWORD_HASH_MAX);
	for (size_t i = 0; i < 16; i++)
		letters(user->groups[i], GB_GROUP_MAX);
	fill(user->sessions, sizeof user->sessions, 3);
	for (size_t i = 0; i < GB_CODE_KINDS; i++)
		fill(user->codes[i].hash, GB_LINK_HASH_LEN, (unsigned char)(7 + i));
	for (size_t i = 0; i < GB_LINKS_MAX; i++) {
		struct gb_link *link = &user->links[i];

		fill(link->id_hash, sizeof link->id_hash, (unsigned char)i);
		link->kind = i == 8 ? GB_LINK_CHANGE_EMAIL : i % 2 == 0 ? GB_LINK_RESET : GB_LINK_VERIFY_EMAIL;
		link->created_at = (int64_t)i;
		link->expires_at = (int64_t)i + 1;
	}
	letters(user->links[8].target, GB_EMAIL_MAX);
	for (size_t i = 0; i < GB_KNOWN_BLOCKS_MAX; i++) {
		fill(user->known_blocks[i].hash, 8, (unsigned char)i);
		user->known_blocks[i].last_at = NOW + (int64_t)i;
	}
}

static void
user_small(struct gb_user *user)
{
	*user = (struct gb_user){ .id = "1", .email = "a@b.co", .password_hash = "$x", .created_at = NOW };
}

static void
session_full(struct gb_session *session)
{
	*session = (struct gb_session){
		.user_id = "42", .created_at = 1, .generation = UINT64_MAX, .rotated_at = 2,
		.refresh_expires_at = 3, .max_at = 4, .last_used_at = 5,
	};
	fill(session->id, sizeof session->id, 1);
	fill(session->seed, sizeof session->seed, 2);
	fill(session->rotated_block, sizeof session->rotated_block, 3);
	fill(session->rotated_agent, sizeof session->rotated_agent, 4);
	fill(session->gate_hash, sizeof session->gate_hash, 5);
	letters(session->device, GB_DEVICE_MAX);
	letters(session->address, GB_ADDRESS_MAX);
}

static void
pending_full(struct gb_pending *pending)
{
	*pending = (struct gb_pending){
		.id = "AAECAwQFBgcICQoLDA0ODw", .language = "en", .created_at = NOW, .link_expires_at = NOW + 1,
	};
	letters(pending->email, GB_EMAIL_MAX);
	letters(pending->username, GB_USERNAME_MAX);
	letters(pending->password_hash, GB_PASSWORD_HASH_MAX);
	fill(pending->id_hash, sizeof pending->id_hash, 9);
}

/* One row a record: how to make, encode, decode it and encode it again. */
static size_t
user_again(const unsigned char *in, size_t len)
{
	struct gb_user user;

	return gb_user_decode(in, len, &user) == GB_OK ? gb_user_encode(&user, again) : 0;
}

static size_t
session_again(const unsigned char *in, size_t len)
{
	struct gb_session session;

	return gb_session_decode(in, len, &session) == GB_OK ? gb_session_encode(&session, again) : 0;
}

static size_t
pending_again(const unsigned char *in, size_t len)
{
	struct gb_pending pending;

	return gb_pending_decode(in, len, &pending) == GB_OK ? gb_pending_encode(&pending, again) : 0;
}

static size_t
user_full_bytes(void)
{
	struct gb_user user;

	user_full(&user);
	return gb_user_encode(&user, bytes);
}

static size_t
user_small_bytes(void)
{
	struct gb_user user;

	user_small(&user);
	return gb_user_encode(&user, bytes);
}

static size_t
session_bytes(void)
{
	struct gb_session session;

	session_full(&session);
	return gb_session_encode(&session, bytes);
}

static size_t
pending_bytes(void)
{
	struct gb_pending pending;

	pending_full(&pending);
	return gb_pending_encode(&pending, bytes);
}

static const struct {
	size_t (*make)(void);
	size_t (*decode_and_encode)(const unsigned char *in, size_t len);
} forms[] = {
	{ user_full_bytes, user_again },
	{ user_small_bytes, user_again },
	{ session_bytes, session_again },
	{ pending_bytes, pending_again },
};
#define FORMS (sizeof forms / sizeof forms[0])

Test(record, comes_back_as_it_was_written)
{
	for (size_t f = 0; f < FORMS; f++) {
		size_t len = forms[f].make();

		cr_assert(len > 0 && len <= GB_STORE_VALUE_MAX, "form %zu", f);
		cr_assert_eq(forms[f].decode_and_encode(bytes, len), len);
		cr_expect_arr_eq(again, bytes, len, "form %zu", f);
	}
}

Test(record, keeps_every_field_of_a_user)
{
	struct gb_user user, read;
	size_t len;

	user_full(&user);
	len = gb_user_encode(&user, bytes);
	cr_assert_eq(gb_user_decode(bytes, len, &read), GB_OK);
	cr_expect_str_eq(read.id, user.id);
	cr_expect_str_eq(read.email, user.email);
	cr_expect(read.email_verified && read.locked);
	cr_expect_str_eq(read.username, user.username);
	cr_expect_eq(read.groups_len, 16);
	cr_expect_arr_eq(read.groups, user.groups, sizeof user.groups);
	cr_expect_str_eq(read.password_hash, user.password_hash);
	cr_expect_str_eq(read.language, user.language);
	cr_expect_eq(read.created_at, 1);
	cr_expect_eq(read.password_changed_at, INT64_MAX);
	cr_expect_arr_eq(read.sessions, user.sessions, sizeof user.sessions);
	cr_expect_eq(read.links_len, GB_LINKS_MAX);
	for (size_t i = 0; i < GB_LINKS_MAX; i++) {
		cr_expect_arr_eq(read.links[i].id_hash, user.links[i].id_hash, GB_LINK_HASH_LEN);
		cr_expect_eq(read.links[i].kind, user.links[i].kind);
		cr_expect_eq(read.links[i].expires_at, user.links[i].expires_at);
		cr_expect_str_eq(read.links[i].target, user.links[i].target);
	}
	for (size_t i = 0; i < GB_CODE_KINDS; i++) {
		cr_expect_arr_eq(read.codes[i].hash, user.codes[i].hash, GB_LINK_HASH_LEN);
		cr_expect_eq(read.codes[i].expires_at, user.codes[i].expires_at);
		cr_expect_eq(read.codes[i].tries, user.codes[i].tries);
	}
	cr_expect_eq(read.known_blocks_len, GB_KNOWN_BLOCKS_MAX);
	cr_expect_eq(read.known_blocks[7].last_at, NOW + 7);
}

Test(record, keeps_every_field_of_a_session)
{
	struct gb_session session, read;
	size_t len;

	session_full(&session);
	len = gb_session_encode(&session, bytes);
	cr_assert_eq(gb_session_decode(bytes, len, &read), GB_OK);
	cr_expect_arr_eq(&read, &session, sizeof read);
}

Test(record, keeps_every_field_of_a_pending_registration)
{
	struct gb_pending pending, read;
	size_t len;

	pending_full(&pending);
	len = gb_pending_encode(&pending, bytes);
	cr_assert_eq(gb_pending_decode(bytes, len, &read), GB_OK);
	cr_expect_arr_eq(&read, &pending, sizeof read);
}

Test(record, refuses_every_truncation)
{
	for (size_t f = 0; f < FORMS; f++) {
		size_t len = forms[f].make();

		for (size_t i = 0; i < len; i++) {
			unsigned char *exact = malloc(i > 0 ? i : 1);	/* so that a read past it shows */

			memcpy(exact, bytes, i);
			cr_expect_eq(forms[f].decode_and_encode(exact, i), 0, "form %zu, %zu bytes", f, i);
			free(exact);
		}
	}
}

Test(record, refuses_bytes_behind_it)
{
	for (size_t f = 0; f < FORMS; f++) {
		size_t len = forms[f].make();

		bytes[len] = 0;
		cr_expect_eq(forms[f].decode_and_encode(bytes, len + 1), 0);
		cr_expect_eq(forms[f].decode_and_encode(bytes, len), len);
	}
}

Test(record, refuses_another_format)
{
	for (size_t f = 0; f < FORMS; f++) {
		size_t len = forms[f].make();

		for (unsigned format = 0; format < 256; format++) {
			bytes[0] = (unsigned char)format;
			cr_expect_eq(forms[f].decode_and_encode(bytes, len), format == 1 ? len : 0);
		}
	}
}

/* What decode lets pass is what encode would have written: no two spellings of one record. */
Test(record, has_one_spelling)
{
	for (size_t f = 0; f < FORMS; f++) {
		size_t len = forms[f].make();

		for (size_t i = 0; i < len; i++)
			for (unsigned flip = 1; flip < 256; flip = flip < 128 ? flip * 2 : flip + 127) {
				size_t again_len;

				bytes[i] ^= (unsigned char)flip;
				again_len = forms[f].decode_and_encode(bytes, len);
				if (again_len != 0) {
					cr_assert_eq(again_len, len, "form %zu, byte %zu", f, i);
					cr_assert_arr_eq(again, bytes, len, "form %zu, byte %zu", f, i);
				}
				bytes[i] ^= (unsigned char)flip;
			}
	}
}

Test(record, does_not_write_what_it_could_not_read)
{
	struct gb_user user;
	struct gb_session session;

	user_small(&user);
	cr_expect_gt(gb_user_encode(&user, bytes), 0);
	user.created_at = -1;
	cr_expect_eq(gb_user_encode(&user, bytes), 0);
	user_small(&user);
	strcpy(user.id, "007");
	cr_expect_eq(gb_user_encode(&user, bytes), 0);
	user_small(&user);
	memset(user.email, 'x', sizeof user.email);	/* no NUL */
	cr_expect_eq(gb_user_encode(&user, bytes), 0);
	user_full(&user);
	for (size_t i = 0; i < GB_LINKS_MAX; i++)	/* more than a value holds */
		letters(user.links[i].target, GB_EMAIL_MAX);
	cr_expect_eq(gb_user_encode(&user, bytes), 0);
	session_full(&session);
	session.user_id[0] = '\0';
	cr_expect_eq(gb_session_encode(&session, bytes), 0);
}

Test(record, knows_user_ids)
{
	static const char *const good[] = { "1", "9", "10", "123456789012345", "9007199254740991", NULL };
	static const char *const bad[] = {
		"", "0", "01", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "a", "9007199254740992",
		"9999999999999999", "10000000000000000", "90071992547409910", NULL
	};

	for (const char *const *id = good; *id != NULL; id++)
		cr_expect(gb_user_id_ok(*id), "%s", *id);
	for (const char *const *id = bad; *id != NULL; id++)
		cr_expect_not(gb_user_id_ok(*id), "%s", *id);
}

Test(record, spells_session_ids_one_way)
{
	unsigned char id[GB_SESSION_ID_LEN], read[GB_SESSION_ID_LEN];
	char text[GB_SESSION_ID_TEXT + 1];

	fill(id, sizeof id, 0);
	gb_session_id_text(id, text);
	cr_expect_str_eq(text, "AAECAwQFBgcICQoLDA0ODw");
	cr_assert(gb_session_id_parse(text, read));
	cr_expect_arr_eq(read, id, sizeof id);
	cr_expect_not(gb_session_id_parse("", read));
	cr_expect_not(gb_session_id_parse("AAECAwQFBgcICQoLDA0OD", read));
	cr_expect_not(gb_session_id_parse("AAECAwQFBgcICQoLDA0ODwA", read));
	cr_expect_not(gb_session_id_parse("AAECAwQFBgcICQoLDA0ODw==", read));
	cr_expect_not(gb_session_id_parse("AAECAwQFBgcICQoLDA0ODx", read), "spare bits");
	cr_expect_not(gb_session_id_parse("AAECAwQFBgcICQoLDA0OD=", read));
	cr_expect_not(gb_session_id_parse("AAECAwQFBgcICQoLDA0O/w", read));
}

Test(record, names_its_keys)
{
	unsigned char id[GB_SESSION_ID_LEN];
	gb_store_key key;

	fill(id, sizeof id, 0);
	gb_key_user(key, "42");
	cr_expect_str_eq(key, "u:42");
	gb_key_email(key, "a@b.co");
	cr_expect_str_eq(key, "e:a@b.co");
	gb_key_username(key, "alice");
	cr_expect_str_eq(key, "n:alice");
	gb_key_session(key, id);
	cr_expect_str_eq(key, "s:AAECAwQFBgcICQoLDA0ODw");
	gb_key_pending(key, "AAECAwQFBgcICQoLDA0ODw");
	cr_expect_str_eq(key, "p:AAECAwQFBgcICQoLDA0ODw");
}

static enum gb_err
put_raw(const char *key, const void *value, size_t len, int64_t expires_at)
{
	struct gb_commit commit;
	struct gb_record record;

	cr_assert_eq(gb_store_get(store, key, NOW, arena, &record), GB_OK);
	gb_commit_begin(&commit, arena);
	gb_commit_put(&commit, key, record.version, value, len, expires_at);
	return gb_commit_run(&commit, store, NOW);
}

Test(record, comes_out_of_the_store_with_its_version)
{
	struct gb_commit commit;
	struct gb_user user, read;
	struct gb_session session, read_session;
	struct gb_pending pending, read_pending;

	user_full(&user);
	session_full(&session);
	session.expires_at = NOW + 10;
	pending_full(&pending);
	pending.expires_at = NOW + 20;
	gb_commit_begin(&commit, arena);
	gb_commit_put_user(&commit, &user);
	gb_commit_put_session(&commit, &session);
	gb_commit_put_pending(&commit, &pending);
	cr_assert_eq(gb_commit_run(&commit, store, NOW), GB_OK);

	cr_assert_eq(gb_user_get(store, user.id, NOW, arena, &read), GB_OK);
	cr_expect_neq(read.version, GB_VERSION_ABSENT);
	cr_expect_str_eq(read.email, user.email);
	cr_assert_eq(gb_session_get(store, session.id, NOW, arena, &read_session), GB_OK);
	cr_expect_eq(read_session.version, read.version, "one commit, one version");
	cr_expect_eq(read_session.expires_at, NOW + 10);
	cr_assert_eq(gb_pending_get(store, pending.id, NOW, arena, &read_pending), GB_OK);
	cr_expect_eq(read_pending.expires_at, NOW + 20);

	cr_expect_eq(gb_session_get(store, session.id, NOW + 10, arena, &read_session), GB_ERR_NOT_FOUND);
	cr_expect_eq(read_session.version, read.version, "an expired record can be replaced");
	cr_expect_eq(gb_pending_get(store, pending.id, NOW + 20, arena, &read_pending), GB_ERR_NOT_FOUND);

	/* at its version again, which has moved by then */
	gb_commit_begin(&commit, arena);
	gb_commit_put_user(&commit, &read);
	cr_expect_eq(gb_commit_run(&commit, store, NOW), GB_OK);
	cr_expect_eq(gb_commit_run(&commit, store, NOW), GB_ERR_CONFLICT);
}

/* Reading an account again into where it stands must not lose its id on the way. */
Test(record, is_read_again_into_its_place)
{
	struct gb_commit commit;
	struct gb_user user;
	struct gb_session session;
	struct gb_pending pending;

	user_small(&user);
	session_full(&session);
	pending_full(&pending);
	gb_commit_begin(&commit, arena);
	gb_commit_put_user(&commit, &user);
	gb_commit_put_session(&commit, &session);
	gb_commit_put_pending(&commit, &pending);
	cr_assert_eq(gb_commit_run(&commit, store, NOW), GB_OK);
	cr_expect_eq(gb_user_get(store, user.id, NOW, arena, &user), GB_OK);
	cr_expect_eq(gb_session_get(store, session.id, NOW, arena, &session), GB_OK);
	cr_expect_eq(gb_pending_get(store, pending.id, NOW, arena, &pending), GB_OK);
	cr_expect_str_eq(user.email, "a@b.co");
}

Test(record, is_not_found_when_absent)
{
	unsigned char id[GB_SESSION_ID_LEN] = { 0 };
	struct gb_user user;
	struct gb_session session;
	struct gb_pending pending;

	cr_expect_eq(gb_user_get(store, "1", NOW, arena, &user), GB_ERR_NOT_FOUND);
	cr_expect_eq(user.version, GB_VERSION_ABSENT);
	cr_expect_eq(gb_user_get(store, "no id", NOW, arena, &user), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_session_get(store, id, NOW, arena, &session), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_pending_get(store, "AAECAwQFBgcICQoLDA0ODw", NOW, arena, &pending), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_pending_get(store, "x", NOW, arena, &pending), GB_ERR_NOT_FOUND);
}

/* A store that answers with another record's bytes, or with none of ours, is no verdict. */
Test(record, is_unavailable_when_the_store_holds_something_else)
{
	struct gb_user user;
	struct gb_session session;
	struct gb_pending pending;
	size_t len = user_small_bytes();
	unsigned char id[GB_SESSION_ID_LEN] = { 0 };
	gb_store_key key;

	cr_assert_eq(put_raw("u:1", bytes, len, 0), GB_OK);
	cr_expect_eq(gb_user_get(store, "1", NOW, arena, &user), GB_OK);
	cr_assert_eq(put_raw("u:2", bytes, len, 0), GB_OK);
	cr_expect_eq(gb_user_get(store, "2", NOW, arena, &user), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_eq(put_raw("u:1", bytes, len - 1, 0), GB_OK);
	cr_expect_eq(gb_user_get(store, "1", NOW, arena, &user), GB_ERR_STORE_UNAVAILABLE);
	len = session_bytes();
	gb_key_session(key, id);
	cr_assert_eq(put_raw(key, bytes, len, 0), GB_OK);
	cr_expect_eq(gb_session_get(store, id, NOW, arena, &session), GB_ERR_STORE_UNAVAILABLE);
	len = pending_bytes();
	cr_assert_eq(put_raw("p:AAAAAAAAAAAAAAAAAAAAAA", bytes, len, 0), GB_OK);
	cr_expect_eq(gb_pending_get(store, "AAAAAAAAAAAAAAAAAAAAAA", NOW, arena, &pending), GB_ERR_STORE_UNAVAILABLE);
	store_memory_fail(memory, STORE_MEMORY_GET, STORE_MEMORY_EVERY, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(gb_user_get(store, "3", NOW, arena, &user), GB_ERR_STORE_UNAVAILABLE);
	store_memory_fail(memory, STORE_MEMORY_GET, STORE_MEMORY_EVERY, STORE_MEMORY_NO_MEMORY);
	cr_expect_eq(gb_user_get(store, "3", NOW, arena, &user), GB_ERR_MEMORY);
}

Test(record, leads_from_a_name_to_its_user)
{
	char id[GB_USER_ID_MAX + 1];
	struct gb_commit commit;
	gb_store_key key;
	uint64_t version, free_version;

	gb_key_username(key, "alice");
	cr_expect_eq(gb_user_id_get(store, key, NOW, arena, id, &version), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_name_free(store, key, NOW, arena, &version), GB_OK);
	cr_expect_eq(version, GB_VERSION_ABSENT);
	gb_commit_begin(&commit, arena);
	gb_commit_put_name(&commit, key, version, "9007199254740991", 0);
	cr_assert_eq(gb_commit_run(&commit, store, NOW), GB_OK);
	cr_assert_eq(gb_user_id_get(store, key, NOW, arena, id, &version), GB_OK);
	cr_expect_str_eq(id, "9007199254740991");
	cr_expect_eq(gb_name_free(store, key, NOW, arena, &free_version), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_eq(free_version, version);
}

Test(record, keeps_a_tombstone_from_being_given_away)
{
	char id[GB_USER_ID_MAX + 1];
	struct gb_commit commit;
	gb_store_key key;
	uint64_t version;

	gb_key_username(key, "alice");
	gb_commit_begin(&commit, arena);
	gb_commit_put_name(&commit, key, GB_VERSION_ABSENT, NULL, NOW + 60);
	cr_assert_eq(gb_commit_run(&commit, store, NOW), GB_OK);
	cr_expect_eq(gb_user_id_get(store, key, NOW + 59, arena, id, &version), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_name_free(store, key, NOW + 59, arena, &version), GB_ERR_ACCOUNT_EXISTS);
	cr_expect_eq(gb_name_free(store, key, NOW + 60, arena, &version), GB_OK);
	cr_expect_neq(version, GB_VERSION_ABSENT);
	gb_commit_begin(&commit, arena);
	gb_commit_put_name(&commit, key, version, "7", 0);
	cr_expect_eq(gb_commit_run(&commit, store, NOW + 60), GB_OK);
	cr_expect_eq(gb_user_id_get(store, key, NOW + 60, arena, id, &version), GB_OK);
}

Test(record, refuses_a_name_that_leads_nowhere)
{
	static const struct { const char *value; size_t len; } bad[] = {
		{ "", 0 }, { "\001x", 2 }, { "\0011\0", 3 }, { "\001" "01", 3 }, { "\0021", 2 },
		{ "\001" "12345678901234567", 18 },
	};
	char id[GB_USER_ID_MAX + 1];
	gb_store_key key;
	uint64_t version;

	gb_key_email(key, "a@b.co");
	cr_assert_eq(put_raw(key, "\0011", 2, 0), GB_OK);
	cr_expect_eq(gb_user_id_get(store, key, NOW, arena, id, &version), GB_OK);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		cr_assert_eq(put_raw(key, bad[i].value, bad[i].len, 0), GB_OK);
		cr_expect_eq(gb_user_id_get(store, key, NOW, arena, id, &version), GB_ERR_STORE_UNAVAILABLE, "%zu", i);
	}
}

Test(record, commits_nothing_after_a_failure_while_gathering)
{
	struct gb_commit commit;
	struct gb_user user;

	user_small(&user);
	gb_commit_begin(&commit, arena);
	gb_commit_put_user(&commit, &user);
	user.created_at = -1;			/* cannot be written */
	strcpy(user.id, "2");
	gb_commit_put_user(&commit, &user);
	cr_expect_eq(gb_commit_run(&commit, store, NOW), GB_ERR_MEMORY);
	cr_expect_eq(store_memory_records(memory), 0);

	gb_commit_begin(&commit, arena);
	for (unsigned i = 0; i <= GB_STORE_CHANGES_MAX; i++) {
		char key[16];

		snprintf(key, sizeof key, "x:%u", i);
		gb_commit_put(&commit, key, 0, "", 0, 0);
	}
	cr_expect_eq(gb_commit_run(&commit, store, NOW), GB_ERR_MEMORY, "one change too many");
	cr_expect_eq(store_memory_records(memory), 0);
}
