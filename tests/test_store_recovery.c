/* SPDX-License-Identifier: MIT */
/* test_store_recovery.c: when the embedded store mends itself, and what it refuses to mend. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "store/backup.h"
#include "store/engine.h"
#include "store_number.h"

/* open stands before the C library's. */
static bool boot_id_hidden;

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

static uint64_t
recoveries_of(const struct store_temporary *temporary)
{
	struct gb_store_stats stats;
	char why[300] = "";

	cr_assert_eq(gb_store_stats(temporary->dir, &stats, why, sizeof why), GB_OK, "%s", why);
	return stats.recoveries;
}

Test(store_recovery, rebuilds_its_control_page_when_it_is_missing)
{
	struct store_temporary temporary;

	store_number_make(&temporary);
	cr_assert_eq(unlink(store_temporary_path(&temporary, "store.control")), 0);
	store_number_still_good(&temporary);
	store_temporary_remove(&temporary);
}

Test(store_recovery, refuses_to_write_after_its_control_page_was_taken_away)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);

	cr_assert_eq(store_number_put(store, "u:1", "41"), GB_OK);
	cr_assert_eq(unlink(store_temporary_path(&temporary, "store.control")), 0);
	cr_assert_eq(store_number_put(store, "u:1", "42"), GB_ERR_STORE_UNAVAILABLE);
	gb_store_close(store);
	store_number_still_good(&temporary);
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
Test(store_recovery, answers_503_while_another_recovers_and_recovers_when_that_one_dies, .timeout = 60)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	uint64_t version, began, before;
	pid_t child, waiter;
	int status;

	cr_assert_eq(store_number_put(store, "u:1", "41"), GB_OK);
	before = recoveries_of(&temporary);
	child = recovering_child(&temporary);
	began = gb_clock_ms();
	if ((waiter = fork()) == 0) {
		struct gb_store *other;
		char why[300] = "";

		_exit(gb_store_open(temporary.url, NOW, why, sizeof why, &other) == GB_ERR_STORE_UNAVAILABLE &&
		    strstr(why, "holds the lock for too long") != NULL ? 0 : 1);
	}
	cr_assert_eq(store_number_get(store, "u:1", &version), -2);
	cr_assert(gb_clock_ms() - began >= GB_LOCK_WAIT_MS, "it did not wait");
	cr_assert_eq(waitpid(waiter, &status, 0), waiter);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "ended with %#x", (unsigned)status);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_assert_eq(store_number_get(store, "u:1", &version), 41);
	cr_assert_eq(store_number_put(store, "u:1", "42"), GB_OK);
	cr_assert_eq(recoveries_of(&temporary), before + 1);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

/* In a chroot without /proc nobody knows whether the machine went down since the control page was written. */
Test(store_recovery, recovers_without_a_boot_id_unless_somebody_has_it_open)
{
	struct store_temporary temporary;
	struct gb_store *store;
	uint64_t recoveries;

	store_number_make(&temporary);
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
	store_number_still_good(&temporary);
	store_temporary_remove(&temporary);
}

static void
copy_over(const char *from_dir, const char *to_dir)
{
	static const char *const files[] = { "store.gdbm", "store.log", "store.sums" };

	for (size_t i = 0; i < 3; i++) {
		char command[300];

		snprintf(command, sizeof command, "cat %s/%s >%s/%s", from_dir, files[i], to_dir, files[i]);
		cr_assert_eq(system(command), 0);
	}
}

/* The same inodes, the same boot: only what the log says gives the copy away. */
Test(store_recovery, notices_files_that_were_put_back_from_a_copy)
{
	struct store_temporary temporary;
	struct gb_store *store;
	char aside[128];
	uint64_t version, before;

	store_number_make(&temporary);
	snprintf(aside, sizeof aside, "%s/aside", temporary.root);
	cr_assert_eq(mkdir(aside, 0700), 0);
	copy_over(temporary.dir, aside);
	store = store_temporary_again(&temporary, NOW);
	for (int i = 0; i < 50; i++)
		cr_assert_eq(store_number_put(store, "u:1", "77"), GB_OK);
	gb_store_close(store);
	before = recoveries_of(&temporary);
	copy_over(aside, temporary.dir);
	store = store_temporary_again(&temporary, NOW);
	cr_assert_eq(store_number_get(store, "u:1", &version), 41);
	gb_store_close(store);
	cr_assert_eq(recoveries_of(&temporary), before + 1, "or the next power cut would lose what is written now");
	store_number_still_good(&temporary);
	store_temporary_remove(&temporary);
}

/* The same bytes as other files: the control page is of those that were there. */
Test(store_recovery, recovers_files_that_were_exchanged_for_a_copy)
{
	struct store_temporary temporary;
	char aside[128], command[400];
	uint64_t before;

	store_number_make(&temporary);
	before = recoveries_of(&temporary);
	snprintf(aside, sizeof aside, "%s/aside", temporary.root);
	cr_assert_eq(mkdir(aside, 0700), 0);
	copy_over(temporary.dir, aside);
	snprintf(command, sizeof command, "chmod 0600 %s/store.*; mv -f %s/store.* %s", aside, aside, temporary.dir);
	cr_assert_eq(system(command), 0);
	store_number_still_good(&temporary);
	cr_assert_eq(recoveries_of(&temporary), before + 1);
	store_temporary_remove(&temporary);
}

/* store.gdbm from one day and store.log from another do not belong together. */
Test(store_recovery, refuses_a_log_older_than_its_pages)
{
	struct store_temporary temporary;
	struct gb_store *store;
	char command[300];

	store_number_make(&temporary);
	snprintf(command, sizeof command, "cp %s/store.log %s/old.log", temporary.dir, temporary.root);
	cr_assert_eq(system(command), 0);
	store = store_temporary_again(&temporary, NOW);
	cr_assert_eq(store_number_put(store, "u:1", "77"), GB_OK);
	gb_store_close(store);
	snprintf(command, sizeof command, "cp %s/old.log %s/store.log", temporary.root, temporary.dir);
	cr_assert_eq(system(command), 0);
	store_number_refused(&temporary, "damaged, or older");
	store_temporary_remove(&temporary);
}
