/* SPDX-License-Identifier: MIT */
#ifndef GB_ROTATE_H
#define GB_ROTATE_H

#include "token.h"

/* Between token.c and rotate.c. */
#define GB_REFRESH_ID_TEXT 32		/* base64url of generation and tag */

/* jti of a session's refresh token of this generation (design, "Refresh"). */
void gb_refresh_id(const unsigned char seed[static 32], uint64_t generation,
    char text[static GB_REFRESH_ID_TEXT + 1]);

/* True if the jti belongs to the refresh token that was issued last. */
bool gb_refresh_is_current(const struct gb_session *session, const char *jwt_id);

/* Times, device and place of a session that issues tokens now; sets its expires_at. */
void gb_session_renew(const struct gb_app *app, const struct gb_call *call, struct gb_session *session);

/* Signs both tokens of a session as it stands; gate stays NULL. GB_ERR_MEMORY, GB_ERR_INTERNAL. */
enum gb_err gb_token_pair_sign(const struct gb_app *app, struct gb_call *call, const struct gb_user *user,
    const struct gb_session *session, bool fresh, struct gb_token_pair *pair);

#endif
