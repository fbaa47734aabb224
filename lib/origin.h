/* SPDX-License-Identifier: MIT */
#ifndef GB_ORIGIN_H
#define GB_ORIGIN_H

#include "http.h"

/*
 * The origin check: Sec-Fetch-Site, if present, must be same-origin; else Origin must
 * equal FRONTEND_URL's; with neither it fails.
 */
bool gb_origin_check(const struct gb_config *config, const struct gb_request *req);

/* CORS_ORIGINS: tells the browser of one of them that its page may read the answer; never with credentials. */
void gb_origin_share(const struct gb_config *config, struct gb_request *req);

/* The same for OPTIONS: what its page may send. `methods` as in Allow. */
void gb_origin_share_methods(const struct gb_config *config, struct gb_request *req, const char *methods);

#endif
