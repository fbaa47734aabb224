/* SPDX-License-Identifier: MIT */
#ifndef GB_LOG_H
#define GB_LOG_H

#include "http.h"

/*
 * One line per request, and lines about ourselves, to FastCGI's error stream or
 * standard error. key=value pairs; control bytes, quotes and non-ASCII are escaped; at most GB_LOG_MAX bytes.
 * Never a token, password, hash, key or link, nor what somebody typed as a name.
 */
#define GB_LOG_MAX 1024

/* Where lines go, each with its newline; NULL: standard error. */
typedef void gb_log_sink(void *stream, const char *line);
void gb_log_to(gb_log_sink *sink, void *stream);

/* "guardbee login: text" */
void gb_log(const char *program, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* endpoint, status, code, cause, event, user id (or who was named, as a fingerprint), session id, address, milliseconds */
void gb_log_request(const char *endpoint, const struct gb_request *req, int status, enum gb_err err,
    int64_t milliseconds);

#endif
