/* SPDX-License-Identifier: MIT */
/* test_store_gdbm.c: what the embedded store promises to many processes. */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "store_number.h"

/* fdatasync stands before the C library's. */
static int flush_told = -1;		/* a flush says on this pipe that it began, and takes its time */

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

static void
add_one(struct gb_store *store, const char *key)
{
	enum gb_err err;
	char text[16];

	do {
		uint64_t version;
		int number = store_number_get(store, key, &version);
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
	cr_assert_eq(store_number_get(store, "shared", &version), PROCESSES * ROUNDS);
	for (int i = 0; i < PROCESSES; i++) {
		char own[32];

		snprintf(own, sizeof own, "own:%d", (int)children[i]);
		cr_assert_eq(store_number_get(store, own, &version), ROUNDS);
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
	cr_assert_eq(store_number_get(store, "shared", &version), PROCESSES * 3);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

static _Noreturn void
put_slowly_in_child(struct store_temporary *temporary, int told)
{
	struct gb_store *store = store_temporary_again(temporary, NOW);

	flush_told = told;
	_exit(store_number_put(store, "u:1", "2") == GB_OK ? 0 : 1);
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

	cr_assert_eq(store_number_put(store, "u:1", "1"), GB_OK);
	store_number_get(store, "u:1", &change.version);
	cr_assert_eq(pipe(told), 0);
	if ((child = fork()) == 0)
		put_slowly_in_child(&temporary, told[1]);
	cr_assert_eq(read(told[0], &byte, 1), 1);
	cr_assert_eq(store_number_get(store, "u:1", &(uint64_t){ 0 }), 1, "the control: not flushed, not shown");
	cr_assert_eq(gb_store_commit(store, &change, 1, NOW, NULL), GB_ERR_CONFLICT);
	cr_expect_eq(store_number_get(store, "u:1", &change.version), 2);
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

	cr_assert_eq(store_number_put(store, "u:1", "41"), GB_OK);
	gb_store_close(store);
	store = store_temporary_again(&temporary, NOW);
	cr_assert_eq(store_number_get(store, "u:1", &version), 41);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}

Test(store_gdbm, refuses_commits_of_a_forked_child)
{
	struct store_temporary temporary;
	struct gb_store *store = store_temporary_open(&temporary, NOW);
	pid_t child;

	if ((child = fork()) == 0)
		_exit(store_number_put(store, "u:1", "1") == GB_ERR_STORE_UNAVAILABLE ? 0 : 1);
	wait_for(&child, 1);
	cr_assert_eq(store_number_put(store, "u:1", "1"), GB_OK);
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
		cr_assert_eq(store_number_put(store, key, "1"), GB_OK);
	}
	snprintf(command, sizeof command, "gdbmtool -r %s count 2>&1", store_temporary_path(&temporary, "store.gdbm"));
	cr_assert_not_null(pipe = popen(command, "r"));
	cr_assert_not_null(fgets(line, sizeof line, pipe));
	pclose(pipe);
	cr_assert_not_null(strstr(line, " 302 items"), "%s", line);
	gb_store_close(store);
	store_temporary_remove(&temporary);
}
