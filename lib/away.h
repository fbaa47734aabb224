/* SPDX-License-Identifier: MIT */
#ifndef GB_AWAY_H
#define GB_AWAY_H

#include "app.h"

/*
 * gb_app_open_parts while the store is away: app->store fails every call with
 * GB_ERR_STORE_UNAVAILABLE, so that what needs no store (a bad token, a missing field) is still
 * answered by its own name. Closed by gb_app_close.
 */
enum gb_err gb_away_open(const struct gb_config *config, enum gb_keyring_access keys, unsigned parts,
    int64_t now, char *why, size_t why_max, struct gb_app *app);

#endif
