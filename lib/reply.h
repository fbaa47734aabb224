/* SPDX-License-Identifier: MIT */
#ifndef GB_REPLY_H
#define GB_REPLY_H

#include "http.h"

/* The answer being made; endpoints reach it through http.h's gb_reply_*, only serve.c looks inside. */
#define GB_REPLY_HEADERS_MAX 16

struct gb_reply {
	const struct gb_config *config;		/* NULL until the settings are read */
	int status;				/* 0: nothing was replied yet */
	enum gb_err error;			/* with gb_reply_error */
	const char *type;			/* of the body; NULL: none */
	const char *body;
	size_t body_len;
	bool oauth_words;			/* errors in the words of RFC 6749 s5.2 (introspect, revoke) */
	bool is_html, is_redirect;
	bool url_holds_token;
	struct { const char *name, *value; } headers[GB_REPLY_HEADERS_MAX];
	size_t headers_len;
};

/* Retry-After, for an answer of 429 or 503. */
enum gb_err gb_reply_retry_after(struct gb_request *req, enum gb_err err);

/* Status line and header fields with the blank line behind them; NULL when there is no memory. */
const char *gb_reply_head(const struct gb_request *req, size_t *len);

#endif
