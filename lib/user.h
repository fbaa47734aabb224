/* SPDX-License-Identifier: MIT */
#ifndef GB_USER_H
#define GB_USER_H

#include "token.h"

/*
 * Accounts: register, authenticate, change. Knows neither HTTP nor disk. Known
 * and unknown names cost the same (a real verify with the current parameters).
 * Passwords are used byte for byte as received.
 */

/*
 * An e-mail address in canonical form: 3 to 254 bytes, ASCII, one @, local part at most 64, lower-cased
 * whole, nothing trimmed (RFC 5321 s4.5.3.1; no quoted local parts, no address literals, a dot in the
 * domain, no leading dash). GB_ERR_INVALID_EMAIL.
 */
enum gb_err gb_email_parse(const char *typed, char email[static GB_EMAIL_MAX + 1]);

/*
 * 3 to 32 of [a-z0-9._-] after ASCII lower-casing, first a letter. GB_ERR_INVALID_USERNAME; `username` is "" then.
 * For names that are there already, and the operator's; _parse also refuses RESERVED_USERNAMES.
 */
enum gb_err gb_username_canonical(const char *typed, char username[static GB_USERNAME_MAX + 1]);
enum gb_err gb_username_parse(const struct gb_config *config, const char *typed,
    char username[static GB_USERNAME_MAX + 1]);

/* Looks an account up by e: or n:, then u:. GB_ERR_NOT_FOUND. name: canonical. */
enum gb_err gb_user_find_email(const struct gb_app *app, struct gb_call *call, const char *email,
    struct gb_user *user);
enum gb_err gb_user_find_username(const struct gb_app *app, struct gb_call *call, const char *username,
    struct gb_user *user);

/*
 * Begins the commit of a new account: address, user name, hash and language are set in `user`, which gets its id
 * and times; e: and n: are in the commit then, u: is left to the caller. GB_ERR_ACCOUNT_EXISTS.
 */
enum gb_err gb_user_begin(const struct gb_app *app, struct gb_call *call, struct gb_user *user,
    struct gb_commit *commit);
/* Puts e: or n: into a commit. GB_ERR_ACCOUNT_EXISTS while it is somebody's. */
enum gb_err gb_name_take(const struct gb_app *app, struct gb_call *call, const gb_store_key key,
    const char *user_id, struct gb_commit *commit);

struct gb_registration_form {
	const char *email, *password;
	const char *username;		/* NULL: none */
	bool gate;			/* make a gate secret */
	const struct gb_identity *replaced;	/* as gb_token_issue */
};

/*
 * POST /auth/register: syntax, limit, strength, hash, then u:, e:, n: and the first
 * session in one commit; a verification mail is queued. In the contract's order: GB_ERR_REGISTRATION_CLOSED,
 * GB_ERR_INVALID_EMAIL, _INVALID_USERNAME, _PASSWORD_TOO_LONG, _RATE_LIMITED,
 * _WEAK_PASSWORD, _BUSY, _ACCOUNT_EXISTS. REGISTRATION=verify: a pending record is
 * written whether or not the address is taken, pair->access_token stays NULL.
 */
enum gb_err gb_user_register(const struct gb_app *app, struct gb_call *call,
    const struct gb_registration_form *form, struct gb_user *user, struct gb_token_pair *pair);

struct gb_login_form {
	const char *email, *username;	/* one is NULL */
	const char *password;		/* any length: over-long ones are refused after the same hash */
	bool gate;
	const struct gb_identity *replaced;
};

/*
 * POST /auth/login. GB_ERR_RATE_LIMITED before any hash; GB_ERR_INVALID_CREDENTIALS for
 * a wrong, malformed or over-long name or password, and for a locked account (the same hash and
 * the same count); an older hash is renewed.
 */
enum gb_err gb_user_login(const struct gb_app *app, struct gb_call *call,
    const struct gb_login_form *form, struct gb_user *user, struct gb_token_pair *pair);

/*
 * The current password of somebody signed in, against identity->user: limit (SELF), then the hash.
 * GB_ERR_RATE_LIMITED, GB_ERR_INVALID_CREDENTIALS, GB_ERR_BUSY. What follows must
 * rest on the same u: (its version, or an equal hash) and on the own s:.
 */
enum gb_err gb_user_prove(const struct gb_app *app, struct gb_call *call,
    const struct gb_identity *identity, const char *password);

/* One commit: u: with the new hash, links and code cleared, every other session deleted, its own checked. */
enum gb_err gb_user_change_password(const struct gb_app *app, struct gb_call *call,
    const struct gb_identity *identity, const char *current_password, const char *new_password);

/* POST /auth/delete-account: gb_user_prove, then gb_user_delete resting on the hash that was proven. */
enum gb_err gb_user_delete_own(const struct gb_app *app, struct gb_call *call,
    const struct gb_identity *identity, const char *current_password);

/* One commit: u:, e:, every s: deleted, n: becomes a tombstone. GB_ERR_NOT_FOUND. */
enum gb_err gb_user_delete(const struct gb_app *app, struct gb_call *call, const char *user_id);
/* The same for a user as read: adds it all to a commit and runs that. GB_ERR_CONFLICT: from the first get again. */
enum gb_err gb_user_delete_commit(const struct gb_app *app, struct gb_call *call, struct gb_user *user,
    struct gb_commit *commit);

/* Clears every outstanding link, code and change of address in `user`. */
void gb_user_clear_links(struct gb_user *user);

/*
 * The operator's side. `add` makes a verified account (reserved names are the operator's to give; the password
 * must be as strong as anybody's); locked: u: flagged, links and code cleared, every s: deleted.
 */
enum gb_err gb_user_add(const struct gb_app *app, struct gb_call *call, const char *email,
    const char *username, const char *password, struct gb_user *user);
enum gb_err gb_user_set_locked(const struct gb_app *app, struct gb_call *call, const char *user_id, bool locked);
enum gb_err gb_user_set_groups(const struct gb_app *app, struct gb_call *call, const char *user_id,
    const char *groups /* comma list; "" for none */);	/* GB_ERR_INVALID_FIELD */
/* "a,b": at most 16 names of [a-z0-9._-], none twice, into `user`. GB_ERR_INVALID_FIELD. */
enum gb_err gb_user_groups_read(const char *groups, struct gb_user *user);

/*
 * The operator gives a new password: it must be as strong as anybody's. Links and code cleared, every session
 * ended, a notice to the owner queued. GB_ERR_PASSWORD_TOO_LONG, _WEAK_PASSWORD, _BUSY, _NOT_FOUND.
 */
enum gb_err gb_user_set_password(const struct gb_app *app, struct gb_call *call, const char *user_id,
    const char *password);

/*
 * Adds an account that was made elsewhere to a commit that has begun: u:, e: and n:, three changes at most. Everything in
 * `user` is the caller's, checked; an empty id gets a new one. GB_ERR_ACCOUNT_EXISTS: the address has an account;
 * GB_ERR_INVALID_USERNAME, GB_ERR_INVALID_FIELD: the user name or the id is another account's. Then the commit is as it was.
 */
enum gb_err gb_user_adopt(const struct gb_app *app, struct gb_call *call, struct gb_user *user,
    struct gb_commit *commit);
/* A random id. */
void gb_user_id_new(char id[static GB_USER_ID_MAX + 1]);

/*
 * Checks a new password in the contract's order: _PASSWORD_TOO_LONG first, by gb_password_length;
 * the strength with the account's own words by gb_user_strength.
 */
enum gb_err gb_password_length(const char *password);
enum gb_err gb_user_strength(const struct gb_app *app, struct gb_call *call, const char *email,
    const char *username, const char *password);

/* The REMOTE_USER of the gate: user name, else verified address, else id. */
const char *gb_user_display_name(const struct gb_user *user);

#endif
