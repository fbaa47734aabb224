/* SPDX-License-Identifier: MIT */
/* files.c: the only opens of the store, and what they refuse. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/files.h"

/* From linux/magic.h and the kernel's sources; what maps or locks files across hosts, or by a program's whim. */
static const struct {
	unsigned type;
	const char *name;
} refused_file_systems[] = {
	{ 0x6969, "NFS" },
	{ 0x517b, "SMB" },
	{ 0xff534d42, "CIFS" },
	{ 0xfe534d42, "SMB2" },
	{ 0x65735546, "FUSE" },
	{ 0x01021997, "9P" },
	{ 0x5346414f, "AFS" },
	{ 0x6b414653, "AFS" },
	{ 0x73757245, "Coda" },
	{ 0x00c36400, "Ceph" },
	{ 0x01161970, "GFS2" },
	{ 0x7461636f, "OCFS2" },
	{ 0x0bd00bd0, "Lustre" },
	{ 0x47504653, "GPFS" },
};

static bool
file_system_ok(int fd, const char *path, char *why, size_t why_max)
{
	struct statfs status;

	if (fstatfs(fd, &status) != 0) {
		snprintf(why, why_max, "%s: %s", path, strerror(errno));
		return false;
	}
	for (size_t i = 0; i < sizeof refused_file_systems / sizeof *refused_file_systems; i++)
		if ((unsigned)status.f_type == refused_file_systems[i].type) {
			snprintf(why, why_max, "%s lies on %s: the store needs a local file system, as no lock and no "
			    "memory map is safe there", path, refused_file_systems[i].name);
			return false;
		}
	return true;
}

static bool
owner_ok(const struct stat *status, const char *name, char *why, size_t why_max)
{
	if (status->st_uid != geteuid())
		snprintf(why, why_max, "%s: belongs to user %u, not to %u who runs this", name,
		    (unsigned)status->st_uid, (unsigned)geteuid());
	else if ((status->st_mode & 077) != 0)
		snprintf(why, why_max, "%s: mode %04o lets others in", name, (unsigned)status->st_mode & 07777);
	else
		return true;
	return false;
}

static bool
make_directories(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = path; (slash = strchr(slash + 1, '/')) != NULL; ) {
		snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return false;
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

int
gb_files_directory(const char *path, char *why, size_t why_max)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat status;
	int fd;

	if (path[0] != '/' || strlen(path) >= PATH_MAX) {
		snprintf(why, why_max, "DATABASE_URL: gdbm: wants an absolute path");
		return -1;
	}
	if ((fd = open(path, flags)) < 0 && errno == ENOENT && make_directories(path))
		fd = open(path, flags);
	if (fd < 0 || fstat(fd, &status) != 0)
		snprintf(why, why_max, "%s: %s", path, strerror(errno));
	else if (owner_ok(&status, path, why, why_max) && file_system_ok(fd, path, why, why_max))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool
file_ok(int fd, const char *name, char *why, size_t why_max)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		snprintf(why, why_max, "%s: %s", name, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		snprintf(why, why_max, "%s: not a regular file", name);
	else if (status.st_nlink != 1)
		snprintf(why, why_max, "%s: has %lu hard links", name, (unsigned long)status.st_nlink);
	else
		return owner_ok(&status, name, why, why_max);
	return false;
}

int
gb_files_open(int dir_fd, const char *name, bool create, char *why, size_t why_max)
{
	/* O_NONBLOCK: a FIFO in place of the file must not hold us */
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (create ? O_CREAT : 0);
	int fd = openat(dir_fd, name, flags, 0600);

	if (fd < 0) {
		int error = errno;

		snprintf(why, why_max, "%s: %s", name, error == ELOOP ? "a symbolic link" : strerror(error));
		errno = error;
		return -1;
	}
	if (file_ok(fd, name, why, why_max))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}
