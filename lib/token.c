/* SPDX-License-Identifier: MIT */
/* token.c: issue a pair, check, revoke. What a refresh token is worth: rotate.c. */
#include <string.h>

#include <sodium.h>

#include "base64url.h"
#include "device.h"
#include "refresh_id.h"
#include "token.h"

#define ACCESS_ID_LEN	16
#define CSRF_LABEL	"guardbee/1/csrf"
#define CSRF_LEN	16

static int64_t
earlier(int64_t at, int64_t max_at)
{
	return max_at != 0 && max_at < at ? max_at : at;
}

void
gb_call_identify(struct gb_call *call, const char *user_id, const char *session_id)
{
	call->user_id = gb_arena_copy(call->arena, user_id, strlen(user_id));
	call->session_id = gb_arena_copy(call->arena, session_id, strlen(session_id));
}

/*
 * A session outlives its last token: a second tab may fetch one more access token until
 * the grace has passed, and both may be shown until the leeway has.
 */
void
gb_session_renew(const struct gb_app *app, const struct gb_call *call, struct gb_session *session)
{
	const struct gb_config *config = app->config;
	int64_t access_last_at = call->now + config->access_ttl_s + config->refresh_grace_s, last_at;

	session->rotated_at = session->last_used_at = call->now;
	session->refresh_expires_at = earlier(call->now + config->refresh_ttl_s, session->max_at);
	last_at = access_last_at > session->refresh_expires_at ? access_last_at : session->refresh_expires_at;
	session->expires_at = earlier(last_at + config->leeway_s, session->max_at);
	gb_device_note(app, call, session);
}

static void
claims_of_user(const struct gb_user *user, struct gb_claims *claims)
{
	claims->subject = user->id;
	claims->email = user->email;
	claims->email_verified = user->email_verified;
	claims->username = user->username[0] != '\0' ? user->username : NULL;
	claims->groups_len = user->groups_len;
	for (size_t i = 0; i < user->groups_len; i++)
		claims->groups[i] = user->groups[i];
}

static enum gb_err
access_sign(const struct gb_app *app, struct gb_call *call, const struct gb_user *user,
    const struct gb_session *session, bool fresh, struct gb_token_pair *pair)
{
	unsigned char random[ACCESS_ID_LEN];
	char jwt_id[GB_BASE64URL_LEN(ACCESS_ID_LEN) + 1];
	struct gb_claims claims = {
		.issued_at = call->now, .jwt_id = jwt_id, .fresh = fresh, .session_id = pair->session_id,
		.expires_at = earlier(call->now + app->config->access_ttl_s, session->max_at),
	};

	randombytes_buf(random, sizeof random);
	gb_base64url_encode(jwt_id, random, sizeof random);
	claims_of_user(user, &claims);
	pair->expires_in = claims.expires_at - call->now;
	return gb_jwt_sign(app->keyring, &app->jwt, GB_PURPOSE_ACCESS, &claims, call->now, call->arena,
	    &pair->access_token);
}

/* All from the record: whoever signs it again gets an equal token. */
static enum gb_err
refresh_sign(const struct gb_app *app, struct gb_call *call, const struct gb_session *session,
    struct gb_token_pair *pair)
{
	char jwt_id[GB_REFRESH_ID_TEXT + 1];
	struct gb_claims claims = {
		.subject = session->user_id, .issued_at = session->rotated_at,
		.expires_at = session->refresh_expires_at, .jwt_id = jwt_id, .session_id = pair->session_id,
	};

	gb_refresh_id(session->seed, session->generation, jwt_id);
	pair->refresh_expires_in = claims.expires_at - call->now;
	return gb_jwt_sign(app->keyring, &app->jwt, GB_PURPOSE_REFRESH, &claims, call->now, call->arena,
	    &pair->refresh_token);
}

enum gb_err
gb_token_pair_sign(const struct gb_app *app, struct gb_call *call, const struct gb_user *user,
    const struct gb_session *session, bool fresh, struct gb_token_pair *pair)
{
	char text[GB_SESSION_ID_TEXT + 1];
	enum gb_err err;

	*pair = (struct gb_token_pair){ 0 };
	gb_session_id_text(session->id, text);
	if ((pair->session_id = gb_arena_copy(call->arena, text, strlen(text))) == NULL)
		return GB_ERR_MEMORY;
	if ((err = access_sign(app, call, user, session, fresh, pair)) != GB_OK)
		return err;
	return refresh_sign(app, call, session, pair);
}

static void
session_new(const struct gb_app *app, const struct gb_call *call, const struct gb_user *user,
    struct gb_session *session)
{
	int64_t max_age_s = app->config->session_max_age_s;

	*session = (struct gb_session){
		.created_at = call->now, .generation = 1, .version = GB_VERSION_ABSENT,
		.max_at = max_age_s != 0 ? call->now + max_age_s : 0,
	};
	randombytes_buf(session->id, sizeof session->id);
	randombytes_buf(session->seed, sizeof session->seed);
	memcpy(session->user_id, user->id, sizeof session->user_id);
	gb_session_renew(app, call, session);
}

/* A gate cookie's value, of whose secret the session keeps the hash. */
static const char *
gate_new(struct gb_call *call, struct gb_session *session)
{
	unsigned char secret[GB_GATE_SECRET_LEN];
	char id[GB_SESSION_ID_TEXT + 1], text[GB_BASE64URL_LEN(GB_GATE_SECRET_LEN) + 1];
	const char *gate;

	randombytes_buf(secret, sizeof secret);
	crypto_hash_sha256(session->gate_hash, secret, sizeof secret);
	gb_session_id_text(session->id, id);
	gb_base64url_encode(text, secret, sizeof secret);
	gate = gb_arena_printf(call->arena, "%s.%s", id, text);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(text, sizeof text);
	return gate;
}

/* Of another account, perhaps: its u: keeps an id that is dead, until its next sign-in drops it. */
static void
replaced_end(const struct gb_identity *replaced, struct gb_user *user, struct gb_commit *commit)
{
	gb_store_key key;

	if (strcmp(replaced->user.id, user->id) == 0)
		gb_session_forget(user, replaced->session.id);
	gb_key_session(key, replaced->session.id);
	gb_commit_delete(commit, key, GB_VERSION_ANY);
}

enum gb_err
gb_token_issue(const struct gb_app *app, struct gb_call *call, struct gb_user *user, bool gate,
    const struct gb_identity *replaced, struct gb_commit *commit, struct gb_token_pair *pair)
{
	const char *gate_value = NULL;
	struct gb_session session;
	enum gb_err err;

	if (replaced != NULL)
		replaced_end(replaced, user, commit);
	if ((err = gb_session_make_room(app, call, user, commit)) != GB_OK)
		return err;
	session_new(app, call, user, &session);
	if (gate && (gate_value = gate_new(call, &session)) == NULL)
		return GB_ERR_MEMORY;
	memcpy(user->sessions[user->sessions_len++], session.id, sizeof session.id);
	gb_device_remember(app, call, user);
	gb_commit_put_user(commit, user);
	gb_commit_put_session(commit, &session);
	/* signed first: what is committed has its tokens */
	if ((err = gb_token_pair_sign(app, call, user, &session, true, pair)) == GB_OK)
		err = gb_commit_run(commit, app->store, call->now);
	pair->gate = gate_value;
	sodium_memzero(&session, sizeof session);
	if (err != GB_OK)
		*pair = (struct gb_token_pair){ 0 };
	else
		gb_call_identify(call, user->id, pair->session_id);
	return err;
}

/* What a session's id and user prove, once a signature or a secret stands behind them. */
static enum gb_err
identity_get(const struct gb_app *app, struct gb_call *call, const unsigned char id[static GB_SESSION_ID_LEN],
    const char *subject, struct gb_identity *identity)
{
	enum gb_err err = gb_session_get(app->store, id, call->now, call->arena, &identity->session);

	if (err == GB_OK && subject != NULL && strcmp(identity->session.user_id, subject) != 0)
		err = GB_ERR_NOT_FOUND;
	if (err == GB_OK)
		err = gb_user_get(app->store, identity->session.user_id, call->now, call->arena, &identity->user);
	if (err == GB_OK && identity->user.locked)
		err = GB_ERR_NOT_FOUND;
	return err == GB_ERR_NOT_FOUND ? GB_ERR_TOKEN_REVOKED : err;
}

enum gb_err
gb_token_check(const struct gb_app *app, struct gb_call *call, const char *access_token,
    struct gb_identity *identity)
{
	unsigned char id[GB_SESSION_ID_LEN];
	struct gb_claims claims;
	enum gb_err err;

	identity->gate = NULL;
	err = gb_jwt_verify(app->keyring, &app->jwt, GB_PURPOSE_ACCESS, access_token, call->now, call->arena, &claims);
	if (err != GB_OK)
		return err;
	if (!gb_session_id_parse(claims.session_id, id))
		return GB_ERR_CLAIM;
	gb_call_identify(call, claims.subject, claims.session_id);
	return identity_get(app, call, id, claims.subject, identity);
}

/* The parts of a gate cookie's value; false unless it is spelled as gate_new spells it. */
static bool
gate_parse(const char *gate, unsigned char id[static GB_SESSION_ID_LEN],
    unsigned char secret[static GB_GATE_SECRET_LEN])
{
	char text[GB_SESSION_ID_TEXT + 1];
	size_t len = strnlen(gate, GB_GATE_MAX + 1), secret_len;

	if (len != GB_SESSION_ID_TEXT + 1 + GB_BASE64URL_LEN(GB_GATE_SECRET_LEN) || gate[GB_SESSION_ID_TEXT] != '.')
		return false;
	memcpy(text, gate, GB_SESSION_ID_TEXT);
	text[GB_SESSION_ID_TEXT] = '\0';
	return gb_session_id_parse(text, id) &&
	    gb_base64url_decode(secret, GB_GATE_SECRET_LEN, &secret_len, gate + GB_SESSION_ID_TEXT + 1,
	    len - GB_SESSION_ID_TEXT - 1) == GB_OK;
}

enum gb_err
gb_token_check_gate(const struct gb_app *app, struct gb_call *call, const char *gate,
    struct gb_identity *identity)
{
	unsigned char id[GB_SESSION_ID_LEN], secret[GB_GATE_SECRET_LEN], hash[crypto_hash_sha256_BYTES];
	char text[GB_SESSION_ID_TEXT + 1];
	enum gb_err err;

	identity->gate = gate;
	if (!gate_parse(gate, id, secret))
		return GB_ERR_TOKEN_INVALID;
	crypto_hash_sha256(hash, secret, sizeof secret);
	sodium_memzero(secret, sizeof secret);
	if ((err = identity_get(app, call, id, NULL, identity)) != GB_OK)
		return err;
	/* a session without a gate cookie holds zeros there, which no secret hashes to */
	if (sodium_memcmp(hash, identity->session.gate_hash, sizeof hash) != 0)
		return GB_ERR_TOKEN_INVALID;
	gb_session_id_text(id, text);
	gb_call_identify(call, identity->user.id, text);
	return GB_OK;
}

bool
gb_token_csrf(const char *gate, char csrf[static GB_CSRF_TEXT + 1])
{
	unsigned char id[GB_SESSION_ID_LEN], secret[GB_GATE_SECRET_LEN], hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state sha;

	csrf[0] = '\0';
	if (!gate_parse(gate, id, secret))
		return false;
	crypto_hash_sha256_init(&sha);
	crypto_hash_sha256_update(&sha, (const unsigned char *)CSRF_LABEL, strlen(CSRF_LABEL));
	crypto_hash_sha256_update(&sha, secret, sizeof secret);
	crypto_hash_sha256_final(&sha, hash);
	gb_base64url_encode(csrf, hash, CSRF_LEN);
	sodium_memzero(secret, sizeof secret);
	return true;
}

/* Verifies a token as `purpose`, or as either; claims are set with GB_OK and GB_ERR_TOKEN_EXPIRED. */
static enum gb_err
token_read(const struct gb_app *app, struct gb_call *call, const char *token, enum gb_purpose purpose,
    struct gb_claims *claims, enum gb_purpose *is)
{
	enum gb_purpose first = purpose == GB_PURPOSE__COUNT ? GB_PURPOSE_ACCESS : purpose;
	enum gb_err err = gb_jwt_verify(app->keyring, &app->jwt, first, token, call->now, call->arena, claims);

	*is = first;
	if (err == GB_OK || err == GB_ERR_TOKEN_EXPIRED || purpose != GB_PURPOSE__COUNT || err == GB_ERR_MEMORY)
		return err;
	*is = GB_PURPOSE_REFRESH;
	return gb_jwt_verify(app->keyring, &app->jwt, *is, token, call->now, call->arena, claims);
}

/* May this token end every session? A live access token may, and the current refresh token. */
static enum gb_err
may_end_all(const struct gb_app *app, struct gb_call *call, const struct gb_claims *claims,
    enum gb_purpose is, const unsigned char id[static GB_SESSION_ID_LEN])
{
	struct gb_identity identity;
	enum gb_err err = identity_get(app, call, id, claims->subject, &identity);

	if (err == GB_OK && is == GB_PURPOSE_REFRESH && !gb_refresh_is_current(&identity.session, claims->jwt_id))
		err = GB_ERR_TOKEN_REVOKED;
	sodium_memzero(&identity, sizeof identity);
	return err;
}

enum gb_err
gb_token_revoke(const struct gb_app *app, struct gb_call *call, const char *token,
    enum gb_purpose purpose, bool all)
{
	unsigned char id[GB_SESSION_ID_LEN];
	struct gb_claims claims;
	enum gb_purpose is;
	enum gb_err err = token_read(app, call, token, purpose, &claims, &is);

	if (err != GB_OK && (all || err != GB_ERR_TOKEN_EXPIRED))
		return err;
	if (!gb_session_id_parse(claims.session_id, id))
		return GB_ERR_CLAIM;
	gb_call_identify(call, claims.subject, claims.session_id);
	if (all) {
		if ((err = may_end_all(app, call, &claims, is, id)) == GB_OK)
			err = gb_session_end_all(app, call, claims.subject, NULL);
	} else if ((err = gb_session_end(app, call, claims.subject, id)) == GB_ERR_NOT_FOUND) {
		err = GB_OK;		/* it has ended already */
	}
	if (err == GB_OK)
		call->event = all ? "logout_all" : "logout";
	return err;
}
