/* SPDX-License-Identifier: MIT */
/* owner.c: as whom the command goes on. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "guardbee.h"

static const char *
name_of(uid_t uid, char text[static 32])
{
	const struct passwd *entry = getpwuid(uid);

	if (entry != NULL)
		return entry->pw_name;
	snprintf(text, 32, "user %lu", (unsigned long)uid);
	return text;
}

static int
switch_to(const struct stat *st)
{
	const struct passwd *entry = getpwuid(st->st_uid);
	gid_t gid = entry != NULL ? entry->pw_gid : st->st_gid;

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
