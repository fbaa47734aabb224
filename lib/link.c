/* SPDX-License-Identifier: MIT */
/* link.c: mailed links: a JWT whose id stands, hashed, in u: or p:. Typed codes: code.c. */
#include <string.h>

#include <sodium.h>

#include "base64url.h"
#include "code.h"
#include "link.h"

#define JTI_BYTES 16
#define JTI_TEXT GB_BASE64URL_LEN(JTI_BYTES)
#define WANTED_S (24 * 3600)		/* how long a change of address waits for its first link */

static const struct {
	enum gb_purpose purpose;
	const char *page;
	size_t max;			/* outstanding at once */
	bool code;			/* a typed code comes with it */
} kinds[] = {
	[GB_LINK_RESET] = { GB_PURPOSE_RESET, "/reset-password", GB_LINKS_PER_KIND, true },
	[GB_LINK_VERIFY_EMAIL] = { GB_PURPOSE_VERIFY_EMAIL, "/verify-email", GB_LINKS_PER_KIND, true },
	[GB_LINK_CHANGE_EMAIL] = { GB_PURPOSE_CHANGE_EMAIL, "/change-email", 1, false },
};

static void
id_hash(const char *jwt_id, unsigned char hash[static GB_LINK_HASH_LEN])
{
	crypto_hash_sha256(hash, (const unsigned char *)jwt_id, strlen(jwt_id));
}

static void
random_id(char text[static JTI_TEXT + 1])
{
	unsigned char bytes[JTI_BYTES];

	randombytes_buf(bytes, sizeof bytes);
	gb_base64url_encode(text, bytes, sizeof bytes);
	sodium_memzero(bytes, sizeof bytes);
}

static enum gb_err
url_make(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind, const char *subject,
    const char *jwt_id, const char **url)
{
	struct gb_claims claims = { .subject = subject, .issued_at = call->now,
		.expires_at = call->now + app->config->email_ttl_s, .jwt_id = jwt_id };
	const char *token;
	enum gb_err err;

	if ((err = gb_jwt_sign(app->keyring, &app->jwt, kinds[kind].purpose, &claims, call->now, call->arena, &token)) != GB_OK)
		return err;
	*url = gb_arena_printf(call->arena, "%s%s?token=%s", app->config->frontend_url, kinds[kind].page, token);
	return *url != NULL ? GB_OK : GB_ERR_MEMORY;
}

static void
link_remove(struct gb_user *user, size_t i)
{
	memmove(&user->links[i], &user->links[i + 1], (--user->links_len - i) * sizeof user->links[0]);
	sodium_memzero(&user->links[user->links_len], sizeof user->links[0]);
}

/* Room for one more of this kind: the expired go, then the oldest. Links stand in the order they were made. */
static void
room_make(struct gb_user *user, enum gb_link_kind kind, int64_t now)
{
	size_t same = 0;

	for (size_t i = user->links_len; i-- > 0;)
		if (user->links[i].kind == kind && (user->links[i].expires_at <= now || ++same >= kinds[kind].max))
			link_remove(user, i);
}

static void
link_add(struct gb_user *user, enum gb_link_kind kind, const char *target, const char *jwt_id, int64_t now,
    int64_t expires_at)
{
	struct gb_link *link;

	room_make(user, kind, now);
	link = &user->links[user->links_len++];
	*link = (struct gb_link){ .kind = kind, .created_at = now, .expires_at = expires_at };
	id_hash(jwt_id, link->id_hash);
	if (target != NULL)
		memcpy(link->target, target, strlen(target) + 1);
}

void
gb_link_intend(struct gb_user *user, const char *target, int64_t now)
{
	char nobody_has[JTI_TEXT + 1];

	random_id(nobody_has);
	link_add(user, GB_LINK_CHANGE_EMAIL, target, nobody_has, now, now + WANTED_S);
}

/* Is a change to this address still wanted? Reset, change of password, lock and verification clear it. */
static bool
is_wanted(const struct gb_user *user, const char *target)
{
	for (size_t i = 0; i < user->links_len; i++)
		if (user->links[i].kind == GB_LINK_CHANGE_EMAIL && strcmp(user->links[i].target, target) == 0)
			return true;
	return false;
}

static enum gb_err
issue_once(const struct gb_app *app, struct gb_call *call, const char *user_id, enum gb_link_kind kind,
    const char *target, const char *jwt_id, const char *code)
{
	struct gb_commit commit;
	struct gb_user user;
	enum gb_err err;

	gb_commit_begin(&commit, call->arena);
	if ((err = gb_user_get(app->store, user_id, call->now, call->arena, &user)) != GB_OK)
		return err;
	if (user.locked || (target != NULL && !is_wanted(&user, target)))
		return GB_ERR_NOT_FOUND;
	link_add(&user, kind, target, jwt_id, call->now, call->now + app->config->email_ttl_s);
	if (kinds[kind].code && (err = gb_code_set(app, call, &user, kind, code)) != GB_OK)
		return err;
	gb_commit_put_user(&commit, &user);
	return gb_commit_run(&commit, app->store, call->now);
}

enum gb_err
gb_link_issue(const struct gb_app *app, struct gb_call *call, const char *user_id,
    enum gb_link_kind kind, const char *target, struct gb_mailed *mailed)
{
	char jwt_id[JTI_TEXT + 1], code[GB_CODE_LEN + 1];
	unsigned round = 0;
	enum gb_err err;

	*mailed = (struct gb_mailed){ NULL, NULL };
	random_id(jwt_id);
	gb_code_make(code);
	do
		err = issue_once(app, call, user_id, kind, target, jwt_id, code);
	while (gb_again(&round, &err));
	if (err != GB_OK || (err = url_make(app, call, kind, user_id, jwt_id, &mailed->url)) != GB_OK)
		return err;
	if (kinds[kind].code && (mailed->code = gb_arena_copy(call->arena, code, GB_CODE_LEN)) == NULL)
		return GB_ERR_MEMORY;
	return GB_OK;
}

static enum gb_err
issue_pending_once(const struct gb_app *app, struct gb_call *call, const char *pending_id, const char *jwt_id)
{
	struct gb_commit commit;
	struct gb_pending pending;
	enum gb_err err;

	gb_commit_begin(&commit, call->arena);
	if ((err = gb_pending_get(app->store, pending_id, call->now, call->arena, &pending)) != GB_OK)
		return err;
	id_hash(jwt_id, pending.id_hash);
	pending.link_expires_at = call->now + app->config->email_ttl_s;
	/* the record outlives its link, however late that was sent */
	if (pending.expires_at < pending.link_expires_at)
		pending.expires_at = pending.link_expires_at;
	gb_commit_put_pending(&commit, &pending);
	return gb_commit_run(&commit, app->store, call->now);
}

/*
 * The token of a registration that waits: its id is p:'s, a dot and a random part. There is no user yet,
 * so that sub, which every token has, is nobody's: the largest id, which no account gets.
 */
#define NOBODY "9007199254740991"

enum gb_err
gb_link_issue_pending(const struct gb_app *app, struct gb_call *call, const char *pending_id,
    struct gb_mailed *mailed)
{
	char random[JTI_TEXT + 1];
	const char *jwt_id;
	unsigned round = 0;
	enum gb_err err;

	*mailed = (struct gb_mailed){ NULL, NULL };
	random_id(random);
	if ((jwt_id = gb_arena_printf(call->arena, "%s.%s", pending_id, random)) == NULL)
		return GB_ERR_MEMORY;
	do
		err = issue_pending_once(app, call, pending_id, jwt_id);
	while (gb_again(&round, &err));
	return err != GB_OK ? err : url_make(app, call, GB_LINK_VERIFY_EMAIL, NOBODY, jwt_id, &mailed->url);
}

/* What a bad token shows the world; a failure of ours stays one. */
static enum gb_err
as_invalid(enum gb_err err)
{
	switch (err) {
	case GB_OK:
	case GB_ERR_MEMORY:
	case GB_ERR_BUSY:
	case GB_ERR_INTERNAL:
	case GB_ERR_STORE_UNAVAILABLE:
		return err;
	default:
		return GB_ERR_RESET_TOKEN_INVALID;
	}
}

static enum gb_err
find_pending(const struct gb_app *app, struct gb_call *call, const char *jwt_id, struct gb_found_link *found)
{
	struct gb_pending pending;
	enum gb_err err;

	memcpy(found->pending_id, jwt_id, GB_SESSION_ID_TEXT);
	if ((err = gb_pending_get(app->store, found->pending_id, call->now, call->arena, &pending)) != GB_OK)
		return err;
	id_hash(jwt_id, found->link.id_hash);
	if (sodium_memcmp(pending.id_hash, found->link.id_hash, GB_LINK_HASH_LEN) != 0 ||
	    pending.link_expires_at <= call->now)
		return GB_ERR_RESET_TOKEN_INVALID;
	found->link.kind = GB_LINK_VERIFY_EMAIL;
	found->link.expires_at = pending.link_expires_at;
	memcpy(found->user.email, pending.email, sizeof pending.email);
	memcpy(found->user.username, pending.username, sizeof pending.username);
	return GB_OK;
}

static enum gb_err
find_users(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind, const struct gb_claims *claims,
    struct gb_found_link *found)
{
	unsigned char hash[GB_LINK_HASH_LEN];
	enum gb_err err;

	if ((err = gb_user_get(app->store, claims->subject, call->now, call->arena, &found->user)) != GB_OK)
		return err;
	id_hash(claims->jwt_id, hash);
	for (size_t i = 0; i < found->user.links_len; i++)
		if (found->user.links[i].kind == kind &&
		    sodium_memcmp(found->user.links[i].id_hash, hash, sizeof hash) == 0)
			found->link = found->user.links[i];
	return gb_link_stands(&found->user, &found->link, call->now) ? GB_OK : GB_ERR_RESET_TOKEN_INVALID;
}

static enum gb_err
find_token(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind, const char *token,
    struct gb_found_link *found)
{
	struct gb_claims claims;
	enum gb_err err;

	if ((err = gb_jwt_verify(app->keyring, &app->jwt, kinds[kind].purpose, token, call->now, call->arena, &claims)) != GB_OK)
		return err;
	if (kind == GB_LINK_VERIFY_EMAIL && strnlen(claims.jwt_id, GB_SESSION_ID_TEXT + 1) > GB_SESSION_ID_TEXT &&
	    claims.jwt_id[GB_SESSION_ID_TEXT] == '.')
		return find_pending(app, call, claims.jwt_id, found);
	return find_users(app, call, kind, &claims, found);
}

enum gb_err
gb_link_find(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind,
    const struct gb_link_proof *proof, struct gb_found_link *found)
{
	enum gb_err err;

	*found = (struct gb_found_link){ 0 };
	if (proof->token != NULL)
		err = as_invalid(find_token(app, call, kind, proof->token, found));
	else
		err = gb_code_find(app, call, kind, proof->email, proof->code, found);
	if (err == GB_OK && found->pending_id[0] == '\0')
		call->user_id = gb_arena_copy(call->arena, found->user.id, strlen(found->user.id));
	return err;
}

bool
gb_link_stands(const struct gb_user *user, const struct gb_link *link, int64_t now)
{
	if (user->locked)
		return false;
	if (gb_code_stands(user, link, now))
		return true;
	for (size_t i = 0; i < user->links_len; i++)
		if (user->links[i].kind == link->kind && user->links[i].expires_at > now &&
		    sodium_memcmp(user->links[i].id_hash, link->id_hash, GB_LINK_HASH_LEN) == 0)
			return true;
	return false;
}
