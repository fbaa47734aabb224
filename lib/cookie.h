/* SPDX-License-Identifier: MIT */
#ifndef GB_COOKIE_H
#define GB_COOKIE_H

#include "http.h"

/* The three cookies of cookie mode: gate, refresh, CSRF. Called in cookie mode only. */

/*
 * Sets gate, refresh_cookie and cookie_sent by HTTP_COOKIE. `;` and Apache's
 * `,` separate; a name that comes twice, or a value that is empty or over
 * GB_COOKIE_MAX bytes, counts as absent.
 */
void gb_cookie_read(struct gb_request *req);

/* True if X-CSRF-Token or the field csrf_token is what belongs to the gate cookie that was sent. */
bool gb_cookie_csrf_check(const struct gb_request *req);

/* Adds Set-Cookie for all three. pair->gate is not NULL. */
enum gb_err gb_cookie_set(const struct gb_config *config, struct gb_request *req,
    const struct gb_token_pair *pair);

/* Adds Set-Cookie that makes all three expire. */
enum gb_err gb_cookie_expire(const struct gb_config *config, struct gb_request *req);

#endif
