/* SPDX-License-Identifier: MIT */
#ifndef VISIT_H
#define VISIT_H

#include "reply.h"
#include "request.h"

/*
 * One request made by hand, as serve.c makes it of a connection:
 *
 *	struct visit visit;
 *	visit_begin(&visit, &config, "POST", "HTTP_COOKIE=a=b", NULL);
 *	err = visit_judge(&visit, &endpoint, "{}");
 *	visit_end(&visit);
 */
#define VISIT_VARIABLES_MAX 16

struct visit {
	struct gb_arena *arena;
	struct gb_request req;
	struct gb_reply reply;
	const struct gb_config *config;
	char *variables[VISIT_VARIABLES_MAX + 1];
	size_t variables_len;
};

/* Variables as NAME=value, ended by NULL. */
void visit_begin(struct visit *visit, const struct gb_config *config, const char *method, ...);
void visit_end(struct visit *visit);

/* Judges it with this body, whose length and (unless one was given) media type are set. */
enum gb_err visit_judge(struct visit *visit, const struct gb_endpoint *endpoint, const char *body);

/* A header of the reply: the nth with this name, from 0; NULL when there are not so many. */
const char *visit_header(const struct visit *visit, const char *name, size_t nth);

#endif
