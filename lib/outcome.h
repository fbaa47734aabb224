/* SPDX-License-Identifier: MIT */
#ifndef GB_OUTCOME_H
#define GB_OUTCOME_H

#include "serve.h"

/*
 * Makes the reply to a request that came to `err`: the error as JSON; a redirect for a form, with ?done=1 or
 * ?error=CODE; a page where a person opened one and we failed; a gate's 401, 403 or 503. GB_OK leaves what the
 * endpoint has put into the reply. GB_ERR_MEMORY and such: there is no reply.
 *	config	NULL while the settings are not read
 */
enum gb_err gb_outcome_reply(const struct gb_endpoint *endpoint, const struct gb_config *config,
    struct gb_request *req, enum gb_err err);

#endif
