/* SPDX-License-Identifier: MIT */
#ifndef GB_SANDBOX_H
#define GB_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "keyring.h"

/*
 * What a process gives up before it serves: nothing here needs a privilege, and
 * nothing comes back. Builds with a sanitizer or for coverage are not confined
 * (GB_UNCONFINED): what watches them opens files and traces processes.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GB_UNCONFINED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define GB_UNCONFINED 1
#endif

/* What one executable touches beyond what it has open; `mails` adds all of STATE but no more keys. */
enum gb_reach {
	GB_REACH_STORE = 1,		/* its files, to repair and to write */
	GB_REACH_LIMITS = 2,		/* STATE/rate.tab and STATE/slots.lock */
	GB_REACH_CLIENTS = 4,		/* API_CLIENTS_FILE, read with each request */
	GB_REACH_ALL = 8		/* every file, as a new process would see it (health) */
};

struct gb_sandbox {
	unsigned reach;			/* GB_REACH_* bits */
	bool mails;			/* starts the deliverer */
	bool reads_private;		/* the private half of JWT_KEYS_DIR */
	bool one_request;		/* plain CGI: where Landlock is there, it has to do */
};

/* At the start: no core, nobody looks into the memory, few descriptors. */
void gb_sandbox_start(void);

/*
 * Before the first request. Setting a seccomp filter takes longer than all the rest of a plain CGI process's
 * start, and Landlock refuses new programs, tracing, signals and TCP too. With MAIL_TRANSPORT=sendmail a process that mails keeps its
 * privileges whole, for set-id programs of a mail server; any other
 * loses new privileges, new programs, sockets (but for SMTP), and files but those of `sandbox`.
 *	why	one line for the log about what this kernel or these settings leave open; "" for nothing
 * True: from now on files are refused, so that what was replaced on disk cannot be opened.
 */
bool gb_sandbox_enter(const struct gb_sandbox *sandbox, const struct gb_config *config, char *why, size_t why_max);

#endif
