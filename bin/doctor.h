/* SPDX-License-Identifier: MIT */
#ifndef GB_DOCTOR_H
#define GB_DOCTOR_H

#include "guardbee.h"

/* What `guardbee doctor` works with, between its files. */
enum gb_finding { GB_FINE, GB_NOTE, GB_FAULT };

struct gb_doctor {
	struct gb_context *ctx;
	struct gb_arena *arena;			/* lives to the end; rows may point into it */
	const struct gb_config *config;		/* NULL where the settings are unfit */
	char state[1024];			/* "" where not even STATE is known */
	unsigned faults;
};

/* What to do about it: the line as it is to be pasted, and where. NULL: nothing. */
struct gb_cure {
	const char *paste, *where;
};

/* One row. A fault makes the command end with 1. */
void gb_doctor_say(struct gb_doctor *doctor, const char *check, enum gb_finding finding, struct gb_cure cure,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Where most cures go. */
#define GB_DOCTOR_SETTINGS "among the settings (the environment file)"

/* A line that names something. */
struct gb_cure gb_doctor_cure(struct gb_doctor *doctor, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Before the command becomes the owner of STATE: modes of the environment's file, and of sockets. */
void gb_doctor_outside(struct gb_doctor *doctor);
/* STATE as its owner sees it. */
void gb_doctor_state(struct gb_doctor *doctor);
/* Store, keys, clock, mail, gate; nothing where the settings are unfit. */
void gb_doctor_settings(struct gb_doctor *doctor);
/* Asks the web server at url. */
void gb_doctor_url(struct gb_doctor *doctor, const char *url);

/*
 * One request by the program curl, its options on standard input, where no other user sees them.
 *	options	lines of a curl configuration file
 *	answer	status 0: no answer, and body holds what curl says of it
 * False: there is no curl.
 */
#define GB_CURL_BODY_MAX 65536

struct gb_curl_answer {
	int status;
	const char *head, *body;		/* of the last response */
};

bool gb_curl(const char *options, struct gb_arena *arena, struct gb_curl_answer *answer);

#endif
