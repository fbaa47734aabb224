/* SPDX-License-Identifier: MIT */
#ifndef GB_CLIENT_H
#define GB_CLIENT_H

#include "app.h"

/*
 * The programs that may ask about tokens: lines `id:sha256-hex` of
 * API_CLIENTS_FILE, the hash that of a secret long and random enough to need no
 * slow hash. Empty lines and lines that begin with # are skipped.
 *	basic	credentials of a Basic header, still base64; NULL: none were sent
 * GB_ERR_INVALID_CLIENT; GB_ERR_RATE_LIMITED by (client, id); GB_ERR_MISCONFIGURED
 * when the file cannot be read or holds another line; GB_ERR_MEMORY.
 */
enum gb_err gb_client_check(const struct gb_app *app, struct gb_call *call, const char *basic);

#endif
