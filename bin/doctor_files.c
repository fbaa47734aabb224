/* SPDX-License-Identifier: MIT */
/* doctor_files.c: what files say: modes of the environment's, of sockets and of STATE, its place, its user, its disk. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "doctor.h"

#define DISK_FREE_MIN	(64ull << 20)	/* bytes; health fails at half of it */
#define DEPTH_MAX	4		/* of folders below STATE */
#define FIRST_USER	1000		/* below it are the system's own */

#define NOTHING ((struct gb_cure){ NULL, NULL })

static const char SHELL[] = "in a shell, as root or as its owner";

/* Where servers of all kinds show files from. Below www some hosts keep whole accounts, private folders too. */
static const char *const web_spaces[] = { "public_html", "htdocs", "httpdocs", "html", "wwwroot", "webroot", NULL };
static const char *const maybe_web_spaces[] = { "www", NULL };

/* Names of our programs, as sockets are called after them. */
static const char *const programs[] = {
	"change-email", "change-password", "delete-account", "forgot-password", "health", "introspect", "jwks", "login", "logout",
	"me", "page", "refresh", "register", "reset-password", "revoke", "sessions", "verify", "verify-email", NULL
};

static bool
is_one_of(const char *const *names, const char *name, size_t len)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == len && strncmp(*names, name, len) == 0)
			return true;
	return false;
}

/* --- before we become the owner of STATE ------------------------------------------------------------------ */

static void
check_env_file(struct gb_doctor *doctor)
{
	const char *path = doctor->ctx->env_file;
	struct stat st;

	if (path == NULL || stat(path, &st) != 0)
		return;
	if ((st.st_mode & 077) != 0)
		gb_doctor_say(doctor, "environment", GB_FAULT, gb_doctor_cure(doctor, SHELL, "chmod 600 %s", path),
		    "%s is open to group or others (%03o), and holds keys", path, st.st_mode & 0777u);
	else
		gb_doctor_say(doctor, "environment", GB_FINE, NOTHING, "%s is its owner's alone", path);
}

/* `login`, `login-0` or `login.sock` in a folder or of a name that says guardbee, or whose owner is STATE's. */
static bool
is_ours(const struct gb_doctor *doctor, const char *path, const struct stat *st)
{
	const char *name = strrchr(path, '/') + 1;
	struct stat state;

	if (!is_one_of(programs, name, strcspn(name, ".")) &&
	    !(strrchr(name, '-') != NULL && is_one_of(programs, name, (size_t)(strrchr(name, '-') - name))))
		return false;
	return strstr(path, "guardbee") != NULL || (*doctor->state != '\0' && stat(doctor->state, &state) == 0 && state.st_uid == st->st_uid);
}

/* Others may connect: the socket lets them write, and every folder above lets them through. */
static bool
is_open_to_others(const char *path, const struct stat *st)
{
	char folder[512];
	struct stat above;

	if ((st->st_mode & S_IWOTH) == 0)
		return false;
	snprintf(folder, sizeof folder, "%s", path);
	for (char *slash = strrchr(folder, '/'); slash != NULL && slash != folder; slash = strrchr(folder, '/')) {
		*slash = '\0';
		if (stat(folder, &above) != 0 || (above.st_mode & S_IXOTH) == 0)
			return false;
	}
	return true;
}

static void
check_sockets(struct gb_doctor *doctor)
{
	FILE *list = fopen("/proc/net/unix", "re");
	char line[512], *path;
	unsigned sockets = 0, open = 0;
	struct stat st;

	while (list != NULL && fgets(line, sizeof line, list) != NULL) {
		if ((path = strchr(line, '/')) == NULL)
			continue;
		path[strcspn(path, "\n")] = '\0';
		if (stat(path, &st) != 0 || !S_ISSOCK(st.st_mode) || !is_ours(doctor, path, &st))
			continue;
		sockets++;
		if (is_open_to_others(path, &st) && open++ == 0)
			gb_doctor_say(doctor, "sockets", GB_FAULT,
			    gb_doctor_cure(doctor, SHELL, "chmod o= %.*s", (int)(strrchr(path, '/') - path), path),
			    "every user may speak FastCGI to %s, and say who asks", path);
	}
	if (list != NULL)
		fclose(list);
	if (sockets > 0 && open == 0)
		gb_doctor_say(doctor, "sockets", GB_FINE, NOTHING, "%u of ours, closed to others", sockets);
}

void
gb_doctor_outside(struct gb_doctor *doctor)
{
	check_env_file(doctor);
	check_sockets(doctor);
}

/* --- STATE ---------------------------------------------------------------------------------------------------- */

static void
check_state(struct gb_doctor *doctor)
{
	struct stat st;

	if (lstat(doctor->state, &st) == 0)
		gb_doctor_say(doctor, "state", GB_FINE, NOTHING, "%s", doctor->state);
	else
		gb_doctor_say(doctor, "state", GB_FAULT,
		    gb_doctor_cure(doctor, "as root, with the web server's user", "install -d -m 700 -o www-data %s", doctor->state),
		    "%s: %s", doctor->state, strerror(errno));
}

/* The first file below `path` that somebody else may use, or that is somebody else's. */
static bool
find_open(const char *path, uid_t owner, unsigned depth, char open[static 1024])
{
	struct dirent *entry;
	struct stat st;
	DIR *folder;
	bool found = false;

	if (lstat(path, &st) != 0)
		return false;
	if (st.st_uid != owner || (st.st_mode & 077) != 0) {
		snprintf(open, 1024, "%s", path);
		return true;
	}
	if (!S_ISDIR(st.st_mode) || depth == 0 || (folder = opendir(path)) == NULL)
		return false;
	while (!found && (entry = readdir(folder)) != NULL) {
		char below[1024];

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    (size_t)snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < sizeof below)
			found = find_open(below, owner, depth - 1, open);
	}
	closedir(folder);
	return found;
}

static void
check_modes(struct gb_doctor *doctor)
{
	char open[1024];
	struct stat st;

	if (stat(doctor->state, &st) != 0)
		return;
	if (!find_open(doctor->state, st.st_uid, DEPTH_MAX, open))
		gb_doctor_say(doctor, "modes", GB_FINE, NOTHING, "all below STATE is its owner's alone");
	else if (lstat(open, &st) == 0 && (st.st_mode & 077) != 0)
		gb_doctor_say(doctor, "modes", GB_FAULT, gb_doctor_cure(doctor, SHELL, "chmod -R go= %s", doctor->state),
		    "%s is open to group or others (%03o)", open, st.st_mode & 0777u);
	else
		gb_doctor_say(doctor, "modes", GB_FAULT,
		    gb_doctor_cure(doctor, "as root", "chown -R --reference=%s %s", doctor->state, doctor->state),
		    "%s belongs to another user", open);
}

static void
check_place(struct gb_doctor *doctor)
{
	char *path = realpath(doctor->state, NULL);
	const char *part = path;
	bool shown = false, maybe = false;

	for (size_t len; part != NULL && *part != '\0'; part += len) {
		part += *part == '/';
		len = strcspn(part, "/");
		shown = shown || is_one_of(web_spaces, part, len);
		maybe = maybe || is_one_of(maybe_web_spaces, part, len);
	}
	if (shown)
		gb_doctor_say(doctor, "place", GB_FAULT,
		    (struct gb_cure){ "mv the folder STATE out of it, and STATE=/its/new/place", GB_DOCTOR_SETTINGS },
		    "STATE lies in %s, which web servers show to everyone", path);
	else if (maybe)
		gb_doctor_say(doctor, "place", GB_NOTE, NOTHING, "STATE lies in %s: guardbee doctor URL finds out whether that is shown", path);
	else if (path != NULL)
		gb_doctor_say(doctor, "place", GB_FINE, NOTHING, "STATE lies in no web space");
	free(path);
}

/* Below somebody's home, but of another user: the programs run as the web server, as those of all its customers do. */
static void
check_user(struct gb_doctor *doctor)
{
	char *path = realpath(doctor->state, NULL), *slash = path;
	struct stat st, above;

	if (path == NULL || stat(path, &st) != 0) {
		free(path);
		return;
	}
	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		if (stat(path, &above) == 0 && above.st_uid >= FIRST_USER && above.st_uid != st.st_uid && above.st_uid != (uid_t)-2) {
			gb_doctor_say(doctor, "user", GB_FAULT,
			    (struct gb_cure){ "SuexecUserGroup you you", "the provider's, for your site; or another provider" },
			    "%s is user %u's, but the programs run as user %u: scripts of all customers can read STATE", path,
			    (unsigned)above.st_uid, (unsigned)st.st_uid);
			free(path);
			return;
		}
		*slash = '/';
	}
	gb_doctor_say(doctor, "user", GB_FINE, NOTHING, "the programs run as user %u, whose STATE is", (unsigned)st.st_uid);
	free(path);
}

static void
check_disk(struct gb_doctor *doctor)
{
	struct statvfs disk;
	unsigned long long bytes;

	if (statvfs(doctor->state, &disk) != 0)
		return;
	bytes = (unsigned long long)disk.f_bavail * disk.f_frsize;
	gb_doctor_say(doctor, "disk", bytes < DISK_FREE_MIN ? GB_FAULT : GB_FINE,
	    bytes < DISK_FREE_MIN ? gb_doctor_cure(doctor, "to see which disk is full", "df -h %s", doctor->state) : NOTHING,
	    "%llu MiB are free", bytes >> 20);
}

void
gb_doctor_state(struct gb_doctor *doctor)
{
	static void (*const checks[])(struct gb_doctor *doctor) = { check_state, check_modes, check_place, check_user, check_disk };

	for (size_t i = 0; *doctor->state != '\0' && i < sizeof checks / sizeof *checks; i++)
		checks[i](doctor);
}
