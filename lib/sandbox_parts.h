/* SPDX-License-Identifier: MIT */
#ifndef GB_SANDBOX_PARTS_H
#define GB_SANDBOX_PARTS_H

#include "sandbox.h"

/* The two halves of sandbox.c, for its use only. Both need PR_SET_NO_NEW_PRIVS. */

/* When a rule counts; bits of a process's permits. */
enum gb_permit {
	GB_PERMIT_ALWAYS = 1,
	GB_PERMIT_STORE = 2,
	GB_PERMIT_LIMITS = 4,
	GB_PERMIT_CLIENTS = 8,
	GB_PERMIT_MAIL = 16,		/* a child of its own, and STATE */
	GB_PERMIT_NETWORK = 32,		/* SMTP, and what a resolver and TLS read */
	GB_PERMIT_PRIVATE = 64,
	GB_PERMIT_LOAD = 128		/* a library that is loaded when first needed */
};

/* Landlock: false with errno where the kernel refuses. Paths that are not there get no rule. */
bool gb_sandbox_files(unsigned permits, const struct gb_config *config);

/* seccomp: false with errno where the kernel refuses. Calls that are not listed do not exist (ENOSYS). */
bool gb_sandbox_calls(unsigned permits);

#endif
