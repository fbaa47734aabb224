/* SPDX-License-Identifier: MIT */
#ifndef GB_REQUEST_H
#define GB_REQUEST_H

#include "backend.h"
#include "serve.h"

/*
 * From a connection to a request that an endpoint may handle: the contract's Order up
 * to the token. For serve.c.
 */

/* The head: variables, method, names; *req is set whole, every pointer in it lives as long as they. */
void gb_request_begin(struct gb_request *req, struct gb_arena *arena, char *const *variables,
    int64_t now);

/* Authorization header: bearer_sent, bearer, basic. */
void gb_request_credentials(struct gb_request *req);

/*
 * Path, method, length, media type, syntax, origin, CSRF; the first that fails. Reads the body. With
 * GB_ERR_METHOD_NOT_ALLOWED the reply has its Allow; OPTIONS is answered with GB_OK. Of a gate's
 * request only the cookies and the client's address are looked at.
 */
enum gb_err gb_request_judge(struct gb_request *req, const struct gb_endpoint *endpoint,
    const struct gb_config *config, const struct gb_backend *backend);

#endif
