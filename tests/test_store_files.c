/* SPDX-License-Identifier: MIT */
/* test_store_files.c: which files and file systems the embedded store takes for its own. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "store/crc32c.h"
#include "store/engine.h"
#include "store_number.h"

/* fstatfs and fstatvfs stand before the C library's: what the store sees of the machine. */
static unsigned file_system;		/* not 0: the type every file system claims to be */
static bool disk_full, disk_read_only;

int
fstatfs(int fd, struct statfs *status)
{
	int r = (int)syscall(SYS_fstatfs, fd, status);

	if (file_system != 0)
		status->f_type = (__fsword_t)file_system;
	return r;
}

int
fstatvfs(int fd, struct statvfs *status)
{
	struct statfs disk;

	if (syscall(SYS_fstatfs, fd, &disk) != 0)
		return -1;
	*status = (struct statvfs){ .f_frsize = (unsigned long)disk.f_frsize, .f_flag = disk_read_only ? ST_RDONLY : 0,
	    .f_bavail = disk_full ? 1 : (fsblkcnt_t)disk.f_bavail };
	return 0;
}

static const char *const files[] = { "store.gdbm", "store.log", "store.sums", "store.control" };	/* the last: worthless */

Test(store_files, refuses_a_symbolic_link_in_place_of_each_file)
{
	for (size_t i = 0; i < 4; i++) {
		struct store_temporary temporary;
		char aside[128];

		store_number_make(&temporary);
		snprintf(aside, sizeof aside, "%s/aside", temporary.root);
		cr_assert_eq(rename(store_temporary_path(&temporary, files[i]), aside), 0);
		cr_assert_eq(symlink(aside, store_temporary_path(&temporary, files[i])), 0);
		store_number_refused(&temporary, "symbolic link");
		cr_assert_eq(rename(aside, store_temporary_path(&temporary, files[i])), 0);
		store_number_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_files, refuses_a_hard_link_in_place_of_each_file)
{
	for (size_t i = 0; i < 4; i++) {
		struct store_temporary temporary;
		char aside[128];

		store_number_make(&temporary);
		snprintf(aside, sizeof aside, "%s/aside", temporary.root);
		cr_assert_eq(link(store_temporary_path(&temporary, files[i]), aside), 0);
		store_number_refused(&temporary, "hard links");
		cr_assert_eq(unlink(aside), 0);
		store_number_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_files, refuses_a_fifo_in_place_of_each_file, .timeout = 20)
{
	for (size_t i = 0; i < 4; i++) {
		struct store_temporary temporary;
		char aside[128];

		store_number_make(&temporary);
		snprintf(aside, sizeof aside, "%s/aside", temporary.root);
		cr_assert_eq(rename(store_temporary_path(&temporary, files[i]), aside), 0);
		cr_assert_eq(mkfifo(store_temporary_path(&temporary, files[i]), 0600), 0);
		store_number_refused(&temporary, "not a regular file");
		cr_assert_eq(rename(aside, store_temporary_path(&temporary, files[i])), 0);
		store_number_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_files, refuses_a_mode_that_lets_others_in)
{
	for (size_t i = 0; i < 5; i++) {
		struct store_temporary temporary;
		const char *path;

		store_number_make(&temporary);
		path = i < 4 ? store_temporary_path(&temporary, files[i]) : temporary.dir;
		cr_assert_eq(chmod(path, i < 4 ? 0640 : 0750), 0);
		store_number_refused(&temporary, "lets others in");
		cr_assert_eq(chmod(path, i < 4 ? 0600 : 0700), 0);
		store_number_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_files, refuses_files_of_another_owner)
{
	if (geteuid() != 0)
		cr_skip_test("only root can give a file away");
	for (size_t i = 0; i < 5; i++) {
		struct store_temporary temporary;
		const char *path;

		store_number_make(&temporary);
		path = i < 4 ? store_temporary_path(&temporary, files[i]) : temporary.dir;
		cr_assert_eq(chown(path, 12345, (gid_t)-1), 0);
		store_number_refused(&temporary, "belongs to user 12345");
		cr_assert_eq(chown(path, 0, (gid_t)-1), 0);
		store_number_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_files, refuses_a_relative_path)
{
	struct gb_store *store;
	char why[300] = "";

	cr_assert_eq(gb_store_open("gdbm:store", NOW, why, sizeof why, &store), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_not_null(strstr(why, "absolute"));
}

Test(store_files, makes_its_files_for_the_owner_alone)
{
	struct store_temporary temporary;
	struct stat status;

	store_number_make(&temporary);
	cr_assert_eq(stat(temporary.dir, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0700);
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(stat(store_temporary_path(&temporary, files[i]), &status), 0);
		cr_assert_eq(status.st_mode & 07777, 0600);
	}
	store_temporary_remove(&temporary);
}

Test(store_files, refuses_a_store_of_which_a_file_is_missing)
{
	const char *const needed[] = { "store.gdbm", "store.log", "store.sums" };

	for (size_t i = 0; i < 3; i++) {
		struct store_temporary temporary;
		char aside[128];

		store_number_make(&temporary);
		snprintf(aside, sizeof aside, "%s/aside", temporary.root);
		cr_assert_eq(rename(store_temporary_path(&temporary, needed[i]), aside), 0);
		store_number_refused(&temporary, needed[i]);
		cr_assert_eq(rename(aside, store_temporary_path(&temporary, needed[i])), 0);
		store_number_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_files, refuses_file_systems_of_other_hosts_and_of_programs)
{
	static const struct {
		unsigned type;
		const char *name;
	} refused[] = { { 0x6969, "NFS" }, { 0x517b, "SMB" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" },
	    { 0x65735546, "FUSE" }, { 0x01021997, "9P" } };
	struct store_temporary temporary;

	store_number_make(&temporary);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		file_system = refused[i].type;
		store_number_refused(&temporary, refused[i].name);
	}
	file_system = 0xef53;		/* ext4 */
	store_number_still_good(&temporary);
	file_system = 0;
	store_temporary_remove(&temporary);
}

Test(store_files, refuses_a_store_made_by_a_newer_program)
{
	struct store_temporary temporary;
	struct gb_log_header header;
	int fd;

	store_number_make(&temporary);
	cr_assert_geq(fd = open(store_temporary_path(&temporary, "store.log"), O_RDWR), 0);
	for (off_t at = 0; at <= 4096; at += 4096) {
		cr_assert_eq(pread(fd, &header, sizeof header, at), sizeof header);
		header.format = GB_STORE_FORMAT + 1;
		header.crc = 0;
		header.crc = gb_crc32c(0, &header, sizeof header);
		cr_assert_eq(pwrite(fd, &header, sizeof header, at), sizeof header);
	}
	store_number_refused(&temporary, "newer guardbee");
	for (off_t at = 0; at <= 4096; at += 4096) {
		cr_assert_eq(pread(fd, &header, sizeof header, at), sizeof header);
		header.format = GB_STORE_FORMAT;
		header.crc = 0;
		header.crc = gb_crc32c(0, &header, sizeof header);
		cr_assert_eq(pwrite(fd, &header, sizeof header, at), sizeof header);
	}
	close(fd);
	store_number_still_good(&temporary);
	store_temporary_remove(&temporary);
}

static void
assert_health(struct gb_store *store, enum gb_err expected, const char *word)
{
	char why[300] = "";

	cr_assert_eq(gb_store_health(store, NOW, why, sizeof why), expected, "%s", why);
	cr_assert_not_null(strstr(why, word), "'%s' does not say '%s'", why, word);
}

Test(store_files, says_in_health_that_the_disk_is_full_or_read_only)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);

	assert_health(store, GB_OK, "");
	disk_full = true;
	assert_health(store, GB_ERR_STORE_UNAVAILABLE, "the disk is full");
	disk_full = false;
	disk_read_only = true;
	assert_health(store, GB_ERR_STORE_UNAVAILABLE, "read-only");
	disk_read_only = false;
	assert_health(store, GB_OK, "");
	gb_store_close(store);
	store_temporary_remove(&temporary);
}
