/* SPDX-License-Identifier: MIT */
#ifndef GB_BACKEND_H
#define GB_BACKEND_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Where requests come from: FastCGI or plain CGI. serve.c drives whichever fits
 * descriptor 0; the tests bring their own.
 */
#define GB_READ_DEADLINE_S 10		/* for a request's head, and again for its body */
#define GB_FASTCGI_PAIR_MAX (4u << 20)	/* a variable's name and value */

struct gb_connection {
	char **variables;		/* NAME=value, NULL at the end; until finish */
};

struct gb_backend {
	const char *name;

	/* Called once. False: errno says why no request can ever come. */
	bool (*open)(void);

	/*
	 * Waits for a request and reads its head. False: no more will come, because a
	 * signal asked for the end (of FastCGI) or the one request was served (of CGI).
	 * A head that is cut off or late is dropped here, unseen.
	 */
	bool (*accept)(struct gb_connection *connection);

	/* Reads until `max` bytes or the body's end. -1: it broke off, or the deadline passed. */
	ssize_t (*read)(void *bytes, size_t max);

	void (*write)(const void *bytes, size_t len);
	void (*log)(const char *line);

	/* The answer is out when it returns. */
	void (*finish)(void);
};

extern const struct gb_backend gb_backend_fastcgi, gb_backend_cgi;

/*
 * Called when a FastCGI request waits and is not accepted yet, and every few seconds without one, so that
 * nothing is lost where it replaces the process by another program on the same socket. NULL: nobody wants to know.
 */
extern void (*gb_fastcgi_woken)(void);

/*
 * Set while libfcgi reads: where to jump instead of allocating more than GB_FASTCGI_PAIR_MAX. It allocates what a pair
 * of 31-bit lengths announces before any of it has come, and where their sum overflows an int, aborts.
 */
extern jmp_buf *gb_fastcgi_refuse;

/* The one that fits descriptor 0: FastCGI if it is a listening socket. */
const struct gb_backend *gb_backend_find(void);

#endif
