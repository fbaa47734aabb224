/* SPDX-License-Identifier: MIT */
/* sandbox.c: what a process gives up, and in which order. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sandbox_parts.h"

/* A request needs some twenty; the deliverer's connection a few more. */
#define DESCRIPTORS_MAX 64

void
gb_sandbox_start(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	setrlimit(RLIMIT_CORE, &none);
#ifndef GB_UNCONFINED
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	/*
	 * No limit of memory: what a request may take is bounded where it is taken; hashes need what the operator has set, or
	 * what an imported one says, and the store's mapping grows with its file, so that no number would fit them all.
	 */
	/* the hard limit stays as it is: a mail server's sendmail may want more */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > DESCRIPTORS_MAX) {
		files.rlim_cur = DESCRIPTORS_MAX;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static unsigned
permits_of(const struct gb_sandbox *sandbox, const struct gb_config *config)
{
	const struct { bool given; unsigned permits; } parts[] = {
		{ (sandbox->reach & GB_REACH_STORE) != 0, GB_PERMIT_STORE },
		{ (sandbox->reach & GB_REACH_LIMITS) != 0, GB_PERMIT_LIMITS },
		{ (sandbox->reach & GB_REACH_CLIENTS) != 0, GB_PERMIT_CLIENTS },
		{ sandbox->mails, GB_PERMIT_MAIL },
		{ sandbox->mails && config->mail_transport == GB_TRANSPORT_SMTP, GB_PERMIT_NETWORK },
		{ sandbox->reads_private, GB_PERMIT_PRIVATE },
		/* an imported hash of another system may be one that libcrypto makes */
		{ sandbox->mails || (sandbox->reach & GB_REACH_LIMITS) != 0, GB_PERMIT_LOAD },
		/* a pair may come into the ring of a process that began without one, or in health's next look */
		{ config->jwt_keys_dir != NULL || (sandbox->reach & GB_REACH_ALL) != 0, GB_PERMIT_LOAD },
	};
	unsigned permits = GB_PERMIT_ALWAYS;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		permits |= parts[i].given ? parts[i].permits : 0;
	return permits;
}

#ifndef GB_UNCONFINED
/* Where there is no filter, at least no process comes of this one. */
static void
limits_shut(unsigned permits)
{
	const struct rlimit none = { 0, 0 };

	if ((permits & GB_PERMIT_MAIL) == 0)
		setrlimit(RLIMIT_NPROC, &none);
}
#endif

bool
gb_sandbox_enter(const struct gb_sandbox *sandbox, const struct gb_config *config, char *why, size_t why_max)
{
	unsigned permits = permits_of(sandbox, config);
	bool files = false, calls = true;

	snprintf(why, why_max, "%s", "");
	if (sandbox->mails && config->mail_transport == GB_TRANSPORT_SENDMAIL) {
		snprintf(why, why_max, "not confined: it starts sendmail");
		return false;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(why, why_max, "not confined: %s", strerror(errno));
		return false;
	}
#ifndef GB_UNCONFINED
	limits_shut(permits);
	files = (sandbox->reach & GB_REACH_ALL) == 0 && gb_sandbox_files(permits, config);
	if (!files && (sandbox->reach & GB_REACH_ALL) == 0)
		snprintf(why, why_max, "files are not confined: Landlock: %s", strerror(errno));
	if ((!files || !sandbox->one_request) && !(calls = gb_sandbox_calls(permits)))
		snprintf(why + strlen(why), why_max - strlen(why), "%ssystem calls are not confined: seccomp: %s",
		    why[0] != '\0' ? "; " : "", strerror(errno));
#else
	(void)permits, (void)calls;
#endif
	return files;
}
