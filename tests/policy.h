/* SPDX-License-Identifier: MIT */
#ifndef POLICY_H
#define POLICY_H

#include "folder.h"
#include "spool.h"
#include "store_memory.h"
#include "token.h"

/*
 * What policy tests stand on: settings, a STATE of their own, keys, and a store in
 * memory. Real parts but for the store; cheap hashes.
 */
#define POLICY_NOW (GB_STORE_NOW_MIN + 86400)

struct policy {
	struct gb_config config;
	struct gb_app app;
	struct store_memory *memory;
	struct gb_call call;		/* from 192.0.2.7 with Firefox, at POLICY_NOW */
	char base[FOLDER_MAX], directory[FOLDER_MAX + 8];
};

void policy_open(struct policy *policy);	/* limits off */
void policy_limits(struct policy *policy);	/* limits on, from here */
void policy_close(struct policy *policy);

/* An account as the operator would make it, but without a hash that costs time; its user record as read. */
void policy_user(struct policy *policy, const char *id, const char *email, const char *username, struct gb_user *user);

/* A session for user `id`, as a sign-in begins it. */
void policy_session(struct policy *policy, const char *id, bool gate, struct gb_token_pair *pair);

/* The session record of a pair; false when it is gone. */
bool policy_session_of(struct policy *policy, const struct gb_token_pair *pair, struct gb_session *session);

/* Writes a session back as it stands, in place of what is there. */
void policy_session_put(struct policy *policy, struct gb_session *session);

/* How many entries of this kind wait in the spool. */
unsigned policy_mails(struct policy *policy, enum gb_mail_kind kind);

#endif
