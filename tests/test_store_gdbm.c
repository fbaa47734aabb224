/* SPDX-License-Identifier: MIT */
/* test_store_gdbm.c: what only the embedded store promises: processes, files, repair, sweep. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "store/backup.h"
#include "store/crc32c.h"
#include "store/engine.h"
#include "store_temporary.h"

#define NOW INT64_C(1800000000)
#define DAY (24 * 3600)

/* These stand before the C library's: what the store sees of the machine. */
static unsigned file_system;		/* not 0: the type every file system claims to be */
static bool boot_id_hidden, disk_full, disk_read_only;
static int flush_told = -1;		/* a flush says on this pipe that it began, and takes its time */

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

int
open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, int) : 0;
	va_end(args);
	if (boot_id_hidden && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) {
		errno = ENOENT;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int
fdatasync(int fd)
{
	if (flush_told >= 0) {
		if (write(flush_told, "", 1) != 1)
			_exit(3);
		usleep(300000);
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static enum gb_err
put_at(struct gb_store *store, const char *key, const char *value, int64_t expires_at, int64_t now)
{
	struct gb_arena *arena = gb_arena_new();
	struct gb_change change = { .kind = GB_PUT, .key = key, .value = value, .value_len = strlen(value),
	    .expires_at = expires_at };
	struct gb_record record;
	enum gb_err err = gb_store_get(store, key, now, arena, &record);

	change.version = record.version;
	if (err == GB_OK)
		err = gb_store_commit(store, &change, 1, now, NULL);
	gb_arena_free(arena);
	return err;
}

static enum gb_err
put(struct gb_store *store, const char *key, const char *value)
{
	return put_at(store, key, value, 0, NOW);
}

/* -1: absent; -2: no answer. */
static int
number_of(struct gb_store *store, const char *key, uint64_t *version)
{
	struct gb_arena *arena = gb_arena_new();
	struct gb_record record;
	int number = -2;

	if (gb_store_get(store, key, NOW, arena, &record) == GB_OK)
		number = record.value == NULL ? -1 : atoi((const char *)record.value);
	*version = record.version;
	gb_arena_free(arena);
	return number;
}

static bool
is_there(struct gb_store *store, const char *key)
{
	uint64_t version;

	number_of(store, key, &version);
	return version != GB_VERSION_ABSENT;
}

static void
add_one(struct gb_store *store, const char *key)
{
	enum gb_err err;
	char text[16];

	do {
		uint64_t version;
		int number = number_of(store, key, &version);
		struct gb_change change = { .kind = GB_PUT, .key = key, .version = version, .value = text };

		change.value_len = (size_t)snprintf(text, sizeof text, "%d", number < 0 ? 1 : number + 1) + 1;
		err = number == -2 ? GB_ERR_STORE_UNAVAILABLE : gb_store_commit(store, &change, 1, NOW, NULL);
	} while (err == GB_ERR_CONFLICT);
	cr_assert_eq(err, GB_OK, "%s", gb_error_cause(err));
}

static void
count_in_child(const struct store_temporary *temporary, int rounds)
{
	struct gb_store *store;
	char why[300], own[32];

	if (gb_store_open(temporary->url, NOW, why, sizeof why, &store) != GB_OK)
		_exit(1);
	snprintf(own, sizeof own, "own:%d", (int)getpid());
	for (int i = 0; i < rounds; i++) {
		add_one(store, "shared");
		add_one(store, own);
	}
	gb_store_close(store);
	_exit(0);
}

static void
wait_for(const pid_t *children, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int status;

		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child ended with %#x", (unsigned)status);
	}
}

Test(store_gdbm, counts_right_among_many_processes, .timeout = 60)
{
	enum { PROCESSES = 5, ROUNDS = 60 };
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	pid_t children[PROCESSES];
	uint64_t version;

	for (int i = 0; i < PROCESSES; i++)
		if ((children[i] = fork()) == 0)
			count_in_child(&temporary, ROUNDS);
	wait_for(children, PROCESSES);
	cr_assert_eq(number_of(store, "shared", &version), PROCESSES * ROUNDS);
	for (int i = 0; i < PROCESSES; i++) {
		char own[32];

		snprintf(own, sizeof own, "own:%d", (int)children[i]);
		cr_assert_eq(number_of(store, own, &version), ROUNDS);
	}
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, creates_one_store_when_many_open_it_first, .timeout = 60)
{
	enum { PROCESSES = 8 };
	struct store_temporary temporary;
	struct gb_store *store;
	pid_t children[PROCESSES];
	uint64_t version;

	store_temporary_make(&temporary);
	for (int i = 0; i < PROCESSES; i++)
		if ((children[i] = fork()) == 0)
			count_in_child(&temporary, 3);
	wait_for(children, PROCESSES);
	store = store_temporary_again(&temporary, NOW);
	cr_assert_eq(number_of(store, "shared", &version), PROCESSES * 3);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

static _Noreturn void
put_slowly_in_child(struct store_temporary *temporary, int told)
{
	struct gb_store *store = store_temporary_again(temporary, NOW);

	flush_told = told;
	_exit(put(store, "u:1", "2") == GB_OK ? 0 : 1);
}

/* Else whoever starts again from its get would meet the same conflict until the flush is over, and give up. */
Test(store_gdbm, shows_what_a_conflict_was_with, .timeout = 60)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	struct gb_change change = { .kind = GB_PUT, .key = "u:1", .value = "3", .value_len = 1 };
	int told[2];
	pid_t child;
	char byte;

	cr_assert_eq(put(store, "u:1", "1"), GB_OK);
	number_of(store, "u:1", &change.version);
	cr_assert_eq(pipe(told), 0);
	if ((child = fork()) == 0)
		put_slowly_in_child(&temporary, told[1]);
	cr_assert_eq(read(told[0], &byte, 1), 1);
	cr_assert_eq(number_of(store, "u:1", &(uint64_t){ 0 }), 1, "the control: not flushed, not shown");
	cr_assert_eq(gb_store_commit(store, &change, 1, NOW, NULL), GB_ERR_CONFLICT);
	cr_expect_eq(number_of(store, "u:1", &change.version), 2);
	cr_expect_eq(gb_store_commit(store, &change, 1, NOW, NULL), GB_OK);
	wait_for(&child, 1);
	close(told[0]);
	close(told[1]);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, keeps_all_when_opened_again)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	uint64_t version;

	cr_assert_eq(put(store, "u:1", "41"), GB_OK);
	gb_store_close(store);
	store = store_temporary_again(&temporary, NOW);
	cr_assert_eq(number_of(store, "u:1", &version), 41);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, refuses_commits_of_a_forked_child)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	pid_t child;

	if ((child = fork()) == 0)
		_exit(put(store, "u:1", "1") == GB_ERR_STORE_UNAVAILABLE ? 0 : 1);
	wait_for(&child, 1);
	cr_assert_eq(put(store, "u:1", "1"), GB_OK);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

static void
assert_refused(const struct store_temporary *temporary, const char *word)
{
	struct gb_store *store;
	char why[300] = "";

	cr_assert_eq(gb_store_open(temporary->url, NOW, why, sizeof why, &store), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_not_null(strstr(why, word), "'%s' does not say '%s'", why, word);
}

static void
closed_store(struct store_temporary *temporary)
{
	struct gb_store *store = store_temporary_open(temporary, NOW);

	cr_assert_eq(put(store, "u:1", "41"), GB_OK);
	gb_store_close(store);
}

static void
assert_still_good(const struct store_temporary *temporary)
{
	struct gb_store *store = store_temporary_again(temporary, NOW);
	uint64_t version;

	cr_assert_eq(number_of(store, "u:1", &version), 41);
	cr_assert_eq(put(store, "u:2", "42"), GB_OK);
	gb_store_close(store);
}

static const char *const files[] = { "store.gdbm", "store.log", "store.sums", "store.control" };	/* the last: worthless */

Test(store_gdbm, refuses_a_symbolic_link_in_place_of_each_file)
{
	for (size_t i = 0; i < 4; i++) {
		struct store_temporary temporary;
		char aside[128];

		closed_store(&temporary);
		snprintf(aside, sizeof aside, "%s/aside", temporary.root);
		cr_assert_eq(rename(store_temporary_path(&temporary, files[i]), aside), 0);
		cr_assert_eq(symlink(aside, store_temporary_path(&temporary, files[i])), 0);
		assert_refused(&temporary, "symbolic link");
		cr_assert_eq(rename(aside, store_temporary_path(&temporary, files[i])), 0);
		assert_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_gdbm, refuses_a_hard_link_in_place_of_each_file)
{
	for (size_t i = 0; i < 4; i++) {
		struct store_temporary temporary;
		char aside[128];

		closed_store(&temporary);
		snprintf(aside, sizeof aside, "%s/aside", temporary.root);
		cr_assert_eq(link(store_temporary_path(&temporary, files[i]), aside), 0);
		assert_refused(&temporary, "hard links");
		cr_assert_eq(unlink(aside), 0);
		assert_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_gdbm, refuses_a_fifo_in_place_of_each_file, .timeout = 20)
{
	for (size_t i = 0; i < 4; i++) {
		struct store_temporary temporary;
		char aside[128];

		closed_store(&temporary);
		snprintf(aside, sizeof aside, "%s/aside", temporary.root);
		cr_assert_eq(rename(store_temporary_path(&temporary, files[i]), aside), 0);
		cr_assert_eq(mkfifo(store_temporary_path(&temporary, files[i]), 0600), 0);
		assert_refused(&temporary, "not a regular file");
		cr_assert_eq(rename(aside, store_temporary_path(&temporary, files[i])), 0);
		assert_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_gdbm, refuses_a_mode_that_lets_others_in)
{
	for (size_t i = 0; i < 5; i++) {
		struct store_temporary temporary;
		const char *path;

		closed_store(&temporary);
		path = i < 4 ? store_temporary_path(&temporary, files[i]) : temporary.dir;
		cr_assert_eq(chmod(path, i < 4 ? 0640 : 0750), 0);
		assert_refused(&temporary, "lets others in");
		cr_assert_eq(chmod(path, i < 4 ? 0600 : 0700), 0);
		assert_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_gdbm, refuses_files_of_another_owner)
{
	if (geteuid() != 0)
		cr_skip_test("only root can give a file away");
	for (size_t i = 0; i < 5; i++) {
		struct store_temporary temporary;
		const char *path;

		closed_store(&temporary);
		path = i < 4 ? store_temporary_path(&temporary, files[i]) : temporary.dir;
		cr_assert_eq(chown(path, 12345, (gid_t)-1), 0);
		assert_refused(&temporary, "belongs to user 12345");
		cr_assert_eq(chown(path, 0, (gid_t)-1), 0);
		assert_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_gdbm, refuses_a_relative_path)
{
	struct gb_store *store;
	char why[300] = "";

	cr_assert_eq(gb_store_open("gdbm:store", NOW, why, sizeof why, &store), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_not_null(strstr(why, "absolute"));
}

Test(store_gdbm, makes_its_files_for_the_owner_alone)
{
	struct store_temporary temporary;
	struct stat status;

	closed_store(&temporary);
	cr_assert_eq(stat(temporary.dir, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0700);
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(stat(store_temporary_path(&temporary, files[i]), &status), 0);
		cr_assert_eq(status.st_mode & 07777, 0600);
	}
	store_temporary_remove(&temporary);
}

Test(store_gdbm, refuses_a_store_of_which_a_file_is_missing)
{
	const char *const needed[] = { "store.gdbm", "store.log", "store.sums" };

	for (size_t i = 0; i < 3; i++) {
		struct store_temporary temporary;
		char aside[128];

		closed_store(&temporary);
		snprintf(aside, sizeof aside, "%s/aside", temporary.root);
		cr_assert_eq(rename(store_temporary_path(&temporary, needed[i]), aside), 0);
		assert_refused(&temporary, needed[i]);
		cr_assert_eq(rename(aside, store_temporary_path(&temporary, needed[i])), 0);
		assert_still_good(&temporary);
		store_temporary_remove(&temporary);
	}
}

Test(store_gdbm, rebuilds_its_control_page_when_it_is_missing)
{
	struct store_temporary temporary;

	closed_store(&temporary);
	cr_assert_eq(unlink(store_temporary_path(&temporary, "store.control")), 0);
	assert_still_good(&temporary);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, refuses_to_write_after_its_control_page_was_taken_away)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);

	cr_assert_eq(put(store, "u:1", "41"), GB_OK);
	cr_assert_eq(unlink(store_temporary_path(&temporary, "store.control")), 0);
	cr_assert_eq(put(store, "u:1", "42"), GB_ERR_STORE_UNAVAILABLE);
	gb_store_close(store);
	assert_still_good(&temporary);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, refuses_file_systems_of_other_hosts_and_of_programs)
{
	static const struct {
		unsigned type;
		const char *name;
	} refused[] = { { 0x6969, "NFS" }, { 0x517b, "SMB" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" },
	    { 0x65735546, "FUSE" }, { 0x01021997, "9P" } };
	struct store_temporary temporary;

	closed_store(&temporary);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		file_system = refused[i].type;
		assert_refused(&temporary, refused[i].name);
	}
	file_system = 0xef53;		/* ext4 */
	assert_still_good(&temporary);
	file_system = 0;
	store_temporary_remove(&temporary);
}

static uint64_t
recoveries_of(const struct store_temporary *temporary)
{
	struct gb_store_stats stats;
	char why[300] = "";

	cr_assert_eq(gb_store_stats(temporary->dir, &stats, why, sizeof why), GB_OK, "%s", why);
	return stats.recoveries;
}

static void
assert_health(struct gb_store *store, enum gb_err expected, const char *word)
{
	char why[300] = "";

	cr_assert_eq(gb_store_health(store, NOW, why, sizeof why), expected, "%s", why);
	cr_assert_not_null(strstr(why, word), "'%s' does not say '%s'", why, word);
}

Test(store_gdbm, says_in_health_that_the_disk_is_full_or_read_only)
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

/* A process that begins a recovery and gets no further until it is killed. */
static pid_t
recovering_child(const struct store_temporary *temporary)
{
	int told[2];
	char byte;
	pid_t child;

	cr_assert_eq(pipe(told), 0);
	if ((child = fork()) == 0) {
		char why[300];
		struct gb_engine *engine;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (gb_engine_open(temporary->dir, why, sizeof why, &engine) != GB_OK || gb_engine_lock(engine) != GB_OK)
			_exit(1);
		atomic_store(&engine->control->state, GB_ENGINE_BUSY);
		atomic_fetch_add(&engine->control->sequence, 1);
		if (write(told[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(told[1]);
	cr_assert_eq(read(told[0], &byte, 1), 1);
	close(told[0]);
	return child;
}

/* The others wait, but not for ever; and the next one does what the dead one began. */
Test(store_gdbm, answers_503_while_another_recovers_and_recovers_when_that_one_dies, .timeout = 60)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	uint64_t version, began, before;
	pid_t child, waiter;

	cr_assert_eq(put(store, "u:1", "41"), GB_OK);
	before = recoveries_of(&temporary);
	child = recovering_child(&temporary);
	began = gb_clock_ms();
	if ((waiter = fork()) == 0) {
		struct gb_store *other;
		char why[300] = "";

		_exit(gb_store_open(temporary.url, NOW, why, sizeof why, &other) == GB_ERR_STORE_UNAVAILABLE &&
		    strstr(why, "holds the lock for too long") != NULL ? 0 : 1);
	}
	cr_assert_eq(number_of(store, "u:1", &version), -2);
	cr_assert(gb_clock_ms() - began >= GB_LOCK_WAIT_MS, "it did not wait");
	wait_for(&waiter, 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_assert_eq(number_of(store, "u:1", &version), 41);
	cr_assert_eq(put(store, "u:1", "42"), GB_OK);
	cr_assert_eq(recoveries_of(&temporary), before + 1);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

/* In a chroot without /proc nobody knows whether the machine went down since the control page was written. */
Test(store_gdbm, recovers_without_a_boot_id_unless_somebody_has_it_open)
{
	struct store_temporary temporary;
	struct gb_store *store;
	uint64_t recoveries;

	closed_store(&temporary);
	recoveries = recoveries_of(&temporary);
	cr_assert_eq(recoveries_of(&temporary), recoveries);
	boot_id_hidden = true;
	recoveries = recoveries_of(&temporary);
	cr_assert_eq(recoveries_of(&temporary), recoveries + 1);
	store = store_temporary_again(&temporary, NOW);
	recoveries = recoveries_of(&temporary);
	cr_assert_eq(recoveries_of(&temporary), recoveries);
	gb_store_close(store);
	boot_id_hidden = false;
	assert_still_good(&temporary);
	store_temporary_remove(&temporary);
}

static void
copy_over(const char *from_dir, const char *to_dir)
{
	for (size_t i = 0; i < 3; i++) {
		char command[300];

		snprintf(command, sizeof command, "cat %s/%s >%s/%s", from_dir, files[i], to_dir, files[i]);
		cr_assert_eq(system(command), 0);
	}
}

/* The same inodes, the same boot: only what the log says gives the copy away. */
Test(store_gdbm, notices_files_that_were_put_back_from_a_copy)
{
	struct store_temporary temporary;
	struct gb_store *store;
	char aside[128];
	uint64_t version;

	closed_store(&temporary);
	snprintf(aside, sizeof aside, "%s/aside", temporary.root);
	cr_assert_eq(mkdir(aside, 0700), 0);
	copy_over(temporary.dir, aside);
	store = store_temporary_again(&temporary, NOW);
	for (int i = 0; i < 50; i++)
		cr_assert_eq(put(store, "u:1", "77"), GB_OK);
	gb_store_close(store);
	copy_over(aside, temporary.dir);
	store = store_temporary_again(&temporary, NOW);
	cr_assert_eq(number_of(store, "u:1", &version), 41);
	gb_store_close(store);
	assert_still_good(&temporary);
	store_temporary_remove(&temporary);
}

/* store.gdbm from one day and store.log from another do not belong together. */
Test(store_gdbm, refuses_a_log_older_than_its_pages)
{
	struct store_temporary temporary;
	struct gb_store *store;
	char command[300];

	closed_store(&temporary);
	snprintf(command, sizeof command, "cp %s/store.log %s/old.log", temporary.dir, temporary.root);
	cr_assert_eq(system(command), 0);
	store = store_temporary_again(&temporary, NOW);
	cr_assert_eq(put(store, "u:1", "77"), GB_OK);
	gb_store_close(store);
	snprintf(command, sizeof command, "cp %s/old.log %s/store.log", temporary.root, temporary.dir);
	cr_assert_eq(system(command), 0);
	assert_refused(&temporary, "damaged, or older");
	store_temporary_remove(&temporary);
}

Test(store_gdbm, refuses_a_store_made_by_a_newer_program)
{
	struct store_temporary temporary;
	struct gb_log_header header;
	int fd;

	closed_store(&temporary);
	cr_assert_geq(fd = open(store_temporary_path(&temporary, "store.log"), O_RDWR), 0);
	for (off_t at = 0; at <= 4096; at += 4096) {
		cr_assert_eq(pread(fd, &header, sizeof header, at), sizeof header);
		header.format = GB_STORE_FORMAT + 1;
		header.crc = 0;
		header.crc = gb_crc32c(0, &header, sizeof header);
		cr_assert_eq(pwrite(fd, &header, sizeof header, at), sizeof header);
	}
	assert_refused(&temporary, "newer guardbee");
	for (off_t at = 0; at <= 4096; at += 4096) {
		cr_assert_eq(pread(fd, &header, sizeof header, at), sizeof header);
		header.format = GB_STORE_FORMAT;
		header.crc = 0;
		header.crc = gb_crc32c(0, &header, sizeof header);
		cr_assert_eq(pwrite(fd, &header, sizeof header, at), sizeof header);
	}
	close(fd);
	assert_still_good(&temporary);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, sweeps_what_expired_a_day_ago_and_nothing_younger, .timeout = 60)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);

	cr_assert_eq(put_at(store, "s:old", "1", NOW + 10, NOW), GB_OK);
	cr_assert_eq(put_at(store, "s:young", "1", NOW + 1000, NOW), GB_OK);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(put_at(store, "u:1", "1", 0, NOW + DAY + 9), GB_OK);
	cr_assert(is_there(store, "s:old"));
	for (int i = 0; i < 20; i++)
		cr_assert_eq(put_at(store, "u:1", "1", 0, NOW + DAY + 10), GB_OK);
	cr_assert_not(is_there(store, "s:old"));
	cr_assert(is_there(store, "s:young"));
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

/*
 * A long value lies in several slots, of which all but the first begin with
 * bytes of the value soon after their head: once such bytes passed for the head
 * of an expired record, and the sweep took a live one away: lengths 16 and 5,
 * kind 1, at each place they can fall on.
 */
Test(store_gdbm, sweeps_no_record_whose_value_looks_like_an_expired_one, .timeout = 60)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	static const char head[8] = { 16, 0, 5, 0, 1 };
	char value[3000], key[] = "u:long0";

	for (size_t turn = 0; turn < sizeof head; turn++) {
		struct gb_change change = { .kind = GB_PUT, .key = key, .value = value, .value_len = sizeof value };

		for (size_t i = 0; i < sizeof value; i++)
			value[i] = head[(i + turn) % sizeof head];
		key[6] = (char)('0' + turn);
		cr_assert_eq(gb_store_commit(store, &change, 1, NOW, NULL), GB_OK);
	}
	for (int i = 0; i < 40; i++)
		cr_assert_eq(put_at(store, "u:1", "1", 0, NOW + 20 * DAY), GB_OK);
	for (size_t turn = 0; turn < sizeof head; turn++) {
		key[6] = (char)('0' + turn);
		cr_assert(is_there(store, key), "%s", key);
	}
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, sweeps_nothing_for_a_day_after_the_clock_jumped, .timeout = 60)
{
	const int64_t later = NOW + 40 * DAY;
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	char why[200];

	cr_assert_eq(put_at(store, "s:old", "1", NOW + 10, NOW), GB_OK);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(put_at(store, "u:1", "1", 0, later + i * 3600), GB_OK);
	cr_assert(is_there(store, "s:old"));
	cr_assert_eq(gb_store_health(store, later, why, sizeof why), GB_OK);
	cr_assert_not_null(strstr(why, "clock jumped"));
	for (int i = 0; i < 20; i++)
		cr_assert_eq(put_at(store, "u:1", "1", 0, later + DAY), GB_OK);
	cr_assert_not(is_there(store, "s:old"));
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, sweeps_again_once_the_clock_came_back, .timeout = 60)
{
	const int64_t wrong = NOW + 400 * DAY, right = NOW + 2 * DAY;
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);

	cr_assert_eq(put_at(store, "s:old", "1", NOW + 10, NOW), GB_OK);
	cr_assert_eq(put_at(store, "s:live", "1", NOW + 50 * DAY, NOW), GB_OK);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(put_at(store, "u:1", "1", 0, wrong), GB_OK);
	cr_assert(is_there(store, "s:live"));
	for (int i = 0; i < 20; i++)
		cr_assert_eq(put_at(store, "u:1", "1", 0, right), GB_OK);
	cr_assert_not(is_there(store, "s:old"));
	cr_assert(is_there(store, "s:live"));
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, stays_a_file_that_gdbmtool_reads)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	char command[256], line[128] = "";
	FILE *pipe;

	for (int i = 0; i < 300; i++) {
		char key[16];

		snprintf(key, sizeof key, "u:%d", i);
		cr_assert_eq(put(store, key, "1"), GB_OK);
	}
	snprintf(command, sizeof command, "gdbmtool -r %s count 2>&1", store_temporary_path(&temporary, "store.gdbm"));
	cr_assert_not_null(pipe = popen(command, "r"));
	cr_assert_not_null(fgets(line, sizeof line, pipe));
	pclose(pipe);
	cr_assert_not_null(strstr(line, " 302 items"), "%s", line);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

/* RFC 3720 B.4. */
Test(crc32c, gives_the_published_sums_by_instruction_and_by_table)
{
	unsigned char bytes[32] = { 0 }, many[300];

	cr_assert_eq(gb_crc32c(0, bytes, 32), 0x8a9136aau);
	memset(bytes, 0xff, 32);
	cr_assert_eq(gb_crc32c(0, bytes, 32), 0x62a8ab43u);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	cr_assert_eq(gb_crc32c(0, bytes, 32), 0x46dd794eu);
	cr_assert_eq(gb_crc32c_table(0, bytes, 32), 0x46dd794eu);
	for (unsigned i = 0; i < sizeof many; i++)
		many[i] = (unsigned char)(i * 7);
	for (size_t len = 0; len <= sizeof many; len++) {
		cr_assert_eq(gb_crc32c(0, many, len), gb_crc32c_table(0, many, len));
		cr_assert_eq(gb_crc32c(gb_crc32c(0, many, len / 3), many + len / 3, len - len / 3),
		    gb_crc32c(0, many, len));
	}
}
