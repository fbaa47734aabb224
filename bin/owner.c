/* SPDX-License-Identifier: MIT */
/* owner.c: as whom the command goes on. */
#include <errno.h>
#include <grp.h>
#ifndef GB_STATIC
#include <pwd.h>
#endif
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "guardbee.h"

#ifndef GB_STATIC

static const char *
find(uid_t uid, gid_t *gid)
{
	const struct passwd *entry = getpwuid(uid);

	if (entry != NULL)
		*gid = entry->pw_gid;
	return entry != NULL ? entry->pw_name : NULL;
}

#else

/* A static program must not load the host's libraries for names, which are of another libc. */
static const char *
find(uid_t uid, gid_t *gid)
{
	(void)uid, (void)gid;
	return NULL;
}

#endif

static const char *
name_of(uid_t uid, char text[static 32])
{
	gid_t gid;
	const char *name = find(uid, &gid);

	if (name != NULL)
		return name;
	snprintf(text, 32, "user %lu", (unsigned long)uid);
	return text;
}

static int
switch_to(const struct stat *st)
{
	gid_t gid = st->st_gid;

	find(st->st_uid, &gid);
	if (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 && setresuid(st->st_uid, st->st_uid, st->st_uid) == 0)
		return EX_OK;
	gb_command_refuse("cannot become the owner of STATE: %s", strerror(errno));
	return EX_OSERR;
}

int
gb_become_owner(const char *state, bool must_exist)
{
	struct stat st;
	char text[32];

	if (lstat(state, &st) != 0) {
		if (errno == ENOENT && (!must_exist || geteuid() != 0))
			return EX_OK;
		/* Made by root it would be root's, and closed to the programs. */
		gb_command_refuse("STATE %s: %s%s", state, strerror(errno),
		    errno == ENOENT ? "; make it for the web server's user: install -d -m 700 -o www-data" : "");
		return EX_NOPERM;
	}
	if (!S_ISDIR(st.st_mode)) {
		gb_command_refuse("STATE %s is not a directory", state);
		return EX_NOPERM;
	}
	if (st.st_uid == geteuid())
		return EX_OK;
	if (geteuid() == 0)
		return switch_to(&st);
	gb_command_refuse("STATE %s belongs to %s: run this as its owner or as root", state, name_of(st.st_uid, text));
	return EX_NOPERM;
}
