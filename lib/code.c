/* SPDX-License-Identifier: MIT */
/* code.c: typed codes. */
#include <string.h>

#include <sodium.h>

#include "code.h"
#include "key.h"
#include "limit.h"
#include "user.h"

static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";	/* no I, O, 0, 1 */

static const enum gb_purpose purposes[GB_CODE_KINDS] = {
	[GB_LINK_RESET] = GB_PURPOSE_RESET,
	[GB_LINK_VERIFY_EMAIL] = GB_PURPOSE_VERIFY_EMAIL,
};

void
gb_code_make(char code[static GB_CODE_LEN + 1])
{
	for (size_t i = 0; i < GB_CODE_LEN; i++)
		code[i] = alphabet[randombytes_uniform(sizeof alphabet - 1)];
	code[GB_CODE_LEN] = '\0';
}

/* Small letters, spaces and dashes are how people type it. "" for what can be no code. */
static void
code_parse(const char *typed, char code[static GB_CODE_LEN + 1])
{
	size_t len = 0;

	for (; *typed != '\0'; typed++) {
		char c = *typed >= 'a' && *typed <= 'z' ? (char)(*typed - 'a' + 'A') : *typed;

		if (c == ' ' || c == '-')
			continue;
		if (len == GB_CODE_LEN || strchr(alphabet, c) == NULL) {
			len = 0;
			break;
		}
		code[len++] = c;
	}
	code[len == GB_CODE_LEN ? len : 0] = '\0';
}

/* By the key that was active at made_at: a code must live through a rotation of the ring. */
static enum gb_err
code_hash(const struct gb_app *app, struct gb_call *call, const char *user_id, enum gb_link_kind kind,
    int64_t made_at, const char *code, unsigned char hash[static GB_LINK_HASH_LEN])
{
	const struct gb_key *key = gb_keyring_signing_key(app->keyring, purposes[kind], made_at);
	unsigned char mac[GB_SIGNATURE_MAX];
	size_t mac_len = sizeof mac;
	const char *text;
	enum gb_err err;

	if (key == NULL)
		return GB_ERR_INTERNAL;
	/* a space is in no JWT's signing input: no token's signature is ever a code's hash */
	if ((text = gb_arena_printf(call->arena, "guardbee/1/code %s %s", user_id, code)) == NULL)
		return GB_ERR_MEMORY;
	if ((err = key->operations->sign(key, text, strlen(text), mac, &mac_len)) != GB_OK)
		return err;
	if (mac_len < GB_LINK_HASH_LEN)
		return GB_ERR_INTERNAL;
	memcpy(hash, mac, GB_LINK_HASH_LEN);
	sodium_memzero(mac, sizeof mac);
	return GB_OK;
}

enum gb_err
gb_code_set(const struct gb_app *app, struct gb_call *call, struct gb_user *user,
    enum gb_link_kind kind, const char *code)
{
	user->codes[kind].tries = 0;
	user->codes[kind].expires_at = call->now + app->config->email_ttl_s;
	return code_hash(app, call, user->id, kind, call->now, code, user->codes[kind].hash);
}

void
gb_code_clear(struct gb_user *user, enum gb_link_kind kind)
{
	if (kind < GB_CODE_KINDS)
		sodium_memzero(&user->codes[kind], sizeof user->codes[kind]);
}

bool
gb_code_stands(const struct gb_user *user, const struct gb_link *link, int64_t now)
{
	const struct gb_typed_code *code;

	if (link->kind >= GB_CODE_KINDS)
		return false;
	code = &user->codes[link->kind];
	return code->expires_at > now && code->tries < GB_CODE_TRIES &&
	    sodium_memcmp(code->hash, link->id_hash, GB_LINK_HASH_LEN) == 0;
}

/*
 * A wrong try costs one commit whether or not the account or a code is there, or the time would tell.
 * Where there is none the commit writes a record that nobody reads.
 */
static enum gb_err
decoy_write(const struct gb_app *app, struct gb_call *call)
{
	static const char key[] = "p:nobody";
	struct gb_commit commit;
	struct gb_record record;
	enum gb_err err;

	if ((err = gb_store_get(app->store, key, call->now, call->arena, &record)) != GB_OK)
		return err;
	gb_commit_begin(&commit, call->arena);
	gb_commit_put(&commit, key, record.version, "", 1, call->now + 1);
	err = gb_commit_run(&commit, app->store, call->now);
	return err == GB_ERR_CONFLICT ? GB_OK : err;
}

static enum gb_err
wrong_count(const struct gb_app *app, struct gb_call *call, struct gb_user *user, enum gb_link_kind kind)
{
	struct gb_commit commit;
	enum gb_err err;

	if (user->codes[kind].expires_at <= call->now) {
		err = decoy_write(app, call);
	} else {
		if (++user->codes[kind].tries >= GB_CODE_TRIES)
			gb_code_clear(user, kind);
		gb_commit_begin(&commit, call->arena);
		gb_commit_put_user(&commit, user);
		err = gb_commit_run(&commit, app->store, call->now);
	}
	return err != GB_OK ? err : GB_ERR_RESET_TOKEN_INVALID;
}

/* Within the life of codes; where there is none, or the setting was changed meanwhile, now is as good as any. */
static int64_t
made_at(const struct gb_app *app, const struct gb_call *call, const struct gb_typed_code *code)
{
	int64_t at = code->expires_at - app->config->email_ttl_s;

	return code->expires_at > call->now && at < call->now ? at : call->now;
}

static enum gb_err
find_once(const struct gb_app *app, struct gb_call *call, const char *email, const char *code,
    struct gb_found_link *found)
{
	const enum gb_link_kind kind = found->link.kind;
	enum gb_err err = gb_user_find_email(app, call, email, &found->user);

	if (err == GB_ERR_NOT_FOUND)
		found->user = (struct gb_user){ .id = "0" };
	else if (err != GB_OK)
		return err;
	if ((err = code_hash(app, call, found->user.id, kind, made_at(app, call, &found->user.codes[kind]), code,
	    found->link.id_hash)) != GB_OK)
		return err;
	found->link.expires_at = found->user.codes[kind].expires_at;
	if (gb_code_stands(&found->user, &found->link, call->now) && !found->user.locked)
		return GB_OK;
	return wrong_count(app, call, &found->user, kind);
}

enum gb_err
gb_code_find(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind,
    const char *email, const char *code, struct gb_found_link *found)
{
	char canonical[GB_EMAIL_MAX + 1], parsed[GB_CODE_LEN + 1];
	struct gb_attempt attempt;
	unsigned round = 0;
	enum gb_err err;

	found->link.kind = kind;
	code_parse(code, parsed);
	if ((err = gb_email_parse(email, canonical)) != GB_OK ||
	    (err = gb_limit_begin(app, call, GB_ATTEMPT_CODE, canonical, false, &attempt)) != GB_OK)
		return err;
	do
		err = find_once(app, call, canonical, parsed, found);
	while (gb_again(&round, &err));
	gb_limit_end(app, call, &attempt, err);
	sodium_memzero(parsed, sizeof parsed);
	return err;
}
