/* SPDX-License-Identifier: MIT */
/* origin.c: which site a browser's request comes from, and which may read the answer. */
#include <string.h>

#include "origin.h"

#define LIST_BYTES ", \t"

bool
gb_origin_check(const struct gb_config *config, const struct gb_request *req)
{
	const char *site = gb_request_variable(req, "HTTP_SEC_FETCH_SITE");
	const char *origin = gb_request_variable(req, "HTTP_ORIGIN");

	if (site != NULL)
		return strcmp(site, "same-origin") == 0;
	return origin != NULL && strcmp(origin, config->frontend_origin) == 0;
}

static bool
is_listed(const char *list, const char *origin)
{
	size_t len;

	for (; *(list += strspn(list, LIST_BYTES)) != '\0'; list += len) {
		len = strcspn(list, LIST_BYTES);
		if (strlen(origin) == len && strncmp(list, origin, len) == 0)
			return true;
	}
	return false;
}

/* The sender's origin, if it is one of CORS_ORIGINS; `null` is never an origin. */
static const char *
shared_with(const struct gb_config *config, const struct gb_request *req)
{
	const char *origin = gb_request_variable(req, "HTTP_ORIGIN");

	if (config->cors_origins == NULL || origin == NULL || strcmp(origin, "null") == 0)
		return NULL;
	return is_listed(config->cors_origins, origin) ? origin : NULL;
}

void
gb_origin_share(const struct gb_config *config, struct gb_request *req)
{
	const char *origin = shared_with(config, req);

	if (config->cors_origins != NULL)
		gb_reply_header(req, "Vary", "Origin");
	if (origin != NULL)
		gb_reply_header(req, "Access-Control-Allow-Origin", origin);
}

void
gb_origin_share_methods(const struct gb_config *config, struct gb_request *req, const char *methods)
{
	if (shared_with(config, req) == NULL)
		return;
	gb_reply_header(req, "Access-Control-Allow-Methods", methods);
	gb_reply_header(req, "Access-Control-Allow-Headers", "authorization, content-type");
}
