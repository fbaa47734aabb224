/* SPDX-License-Identifier: MIT */
#ifndef GB_INTROSPECT_H
#define GB_INTROSPECT_H

#include "token.h"

/* What other programs ask about tokens: RFC 7662 and RFC 7009. */
struct gb_introspection {
	bool active;
	enum gb_purpose purpose;	/* ACCESS or REFRESH */
	struct gb_claims claims;	/* of an active token */
	const char *username;		/* as it is now; NULL: none */
};

/*
 * Active: a live access token, or the refresh token that was issued last, of a
 * live session of a user who is not locked. Changes nothing. Only failures of ours are
 * errors: GB_ERR_MEMORY, GB_ERR_STORE_UNAVAILABLE.
 */
enum gb_err gb_token_introspect(const struct gb_app *app, struct gb_call *call, const char *token,
    struct gb_introspection *found);

/* The answer: {"active":false} and nothing else for every other token (RFC 7662 s2.2). */
void gb_introspection_json(struct gb_json_writer *writer, const struct gb_jwt_policy *policy,
    const struct gb_introspection *found);

/*
 * Ends the session of a genuine access or refresh token, expired or not; burns
 * a mailed token, with the typed code that came with it. GB_OK for every other
 * text too (RFC 7009 s2.2); errors as above and GB_ERR_BUSY.
 */
enum gb_err gb_token_end(const struct gb_app *app, struct gb_call *call, const char *token);

#endif
