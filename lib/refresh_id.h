/* SPDX-License-Identifier: MIT */
#ifndef GB_REFRESH_ID_H
#define GB_REFRESH_ID_H

#include "record.h"

/* The jti of a refresh token: its generation, and a tag that the session's seed gives it (design, "Refresh"). */
#define GB_REFRESH_TAG_LEN 16
#define GB_REFRESH_ID_TEXT 32		/* base64url of generation and tag */

struct gb_refresh_id {
	uint64_t generation;
	unsigned char tag[GB_REFRESH_TAG_LEN];
};

void gb_refresh_id(const unsigned char seed[static 32], uint64_t generation,
    char text[static GB_REFRESH_ID_TEXT + 1]);

/* False if it has not the form of one. */
bool gb_refresh_id_parse(const char *jwt_id, struct gb_refresh_id *id);

/* True if this session's seed made the tag. */
bool gb_refresh_id_fits(const struct gb_refresh_id *id, const struct gb_session *session);

/* True if the jti belongs to the refresh token that was issued last. */
bool gb_refresh_is_current(const struct gb_session *session, const char *jwt_id);

#endif
