/* SPDX-License-Identifier: MIT */
/* The directory STATE: what is made, what is refused, and fingerprints. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "folder.h"
#include "state.h"

static char base[FOLDER_MAX], directory[FOLDER_MAX + 8];
static char why[256];

static void
setup(void)
{
	folder_make(base);
	snprintf(directory, sizeof directory, "%s/state", base);
}

static void
teardown(void)
{
	folder_remove(base);
}

TestSuite(state, .init = setup, .fini = teardown, .timeout = 20);

static const char *
below(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static struct gb_state *
open_ok(void)
{
	struct gb_state *state;

	cr_assert_eq(gb_state_open(directory, why, sizeof why, &state), GB_OK, "%s", why);
	return state;
}

static void
expect_refused(const char *named)
{
	struct gb_state *state = (struct gb_state *)1;

	why[0] = '\0';
	cr_expect_eq(gb_state_open(directory, why, sizeof why, &state), GB_ERR_MISCONFIGURED);
	cr_expect_null(state);
	cr_expect_not_null(strstr(why, named), "%s", why);
	cr_expect_null(strchr(why, '\n'));
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	cr_assert_eq(lstat(path, &st), 0, "%s", path);
	return st.st_mode & 07777;
}

static unsigned
names_in(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

Test(state, makes_what_is_missing)
{
	struct gb_state *state = open_ok();
	struct stat st;

	cr_expect_eq(mode_of(directory), 0700);
	cr_expect_eq(mode_of(below("keys")), 0700);
	cr_expect_eq(mode_of(below("spool")), 0700);
	cr_expect_eq(mode_of(below("mail")), 0700);
	cr_expect_eq(mode_of(below("secret")), 0600);
	cr_assert_eq(stat(below("secret"), &st), 0);
	cr_expect_eq(st.st_size, 32);
	cr_expect_eq(fcntl(gb_state_fd(state), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	gb_state_close(state);
}

Test(state, refuses_a_missing_parent)
{
	snprintf(directory, sizeof directory, "%s/a/b", base);
	expect_refused("No such file");
}

Test(state, takes_a_directory_with_slashes_behind_it)
{
	strcat(directory, "//");
	gb_state_close(open_ok());
}

Test(state, refuses_a_symlink_in_place_of_the_directory)
{
	struct gb_state *state;
	char real[FOLDER_MAX + 8];

	snprintf(real, sizeof real, "%s/real", base);
	cr_assert_eq(mkdir(real, 0700), 0);
	cr_assert_eq(symlink("real", directory), 0);
	expect_refused("symlink");
	strcat(directory, "/");
	expect_refused("symlink");
	cr_expect_eq(names_in(real), 0);
	cr_expect_eq(gb_state_open(real, why, sizeof why, &state), GB_OK);
	gb_state_close(state);
}

Test(state, refuses_rights_of_group_and_others)
{
	static const mode_t modes[] = { 0701, 0704, 0710, 0720, 0740, 0755, 0777 };

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		mkdir(directory, 0700);
		cr_assert_eq(chmod(directory, modes[i]), 0);
		expect_refused("open to group");
	}
	cr_assert_eq(chmod(directory, 0700), 0);
	gb_state_close(open_ok());
	cr_assert_eq(chmod(below("spool"), 0750), 0);
	expect_refused("spool");
	cr_assert_eq(chmod(below("spool"), 0700), 0);
	gb_state_close(open_ok());
}

Test(state, refuses_another_owner)
{
	if (geteuid() != 0)
		cr_skip_test("only root can give a directory away");
	gb_state_close(open_ok());
	cr_assert_eq(chown(directory, 12345, 12345), 0);
	expect_refused("another user");
	cr_assert_eq(chown(directory, 0, 0), 0);
	cr_assert_eq(chown(below("secret"), 12345, 12345), 0);
	expect_refused("another user");
	cr_assert_eq(chown(below("secret"), 0, 0), 0);
	gb_state_close(open_ok());
}

Test(state, refuses_an_unfit_secret)
{
	gb_state_close(open_ok());
	cr_assert_eq(chmod(below("secret"), 0640), 0);
	expect_refused("secret");
	cr_assert_eq(chmod(below("secret"), 0600), 0);
	cr_assert_eq(truncate(below("secret"), 31), 0);
	expect_refused("32 bytes");
	cr_assert_eq(truncate(below("secret"), 33), 0);
	expect_refused("32 bytes");
	cr_assert_eq(truncate(below("secret"), 32), 0);
	gb_state_close(open_ok());
	cr_assert_eq(unlink(below("secret")), 0);
	cr_assert_eq(symlink("/dev/zero", below("secret")), 0);
	expect_refused("secret");
	cr_assert_eq(unlink(below("secret")), 0);
	cr_assert_eq(mkfifo(below("secret"), 0600), 0);
	expect_refused("secret");
}

static void
fingerprint(const struct gb_state *state, const char *label, const char *a, const char *b,
    unsigned char out[static GB_FINGERPRINT_LEN])
{
	const char *parts[] = { a, b };

	gb_state_fingerprint(state, label, parts, b != NULL ? 2 : 1, out);
}

Test(state, keeps_fingerprints_over_a_restart)
{
	unsigned char before[GB_FINGERPRINT_LEN], after[GB_FINGERPRINT_LEN];
	struct gb_state *state = open_ok();

	fingerprint(state, "name", "alice", NULL, before);
	gb_state_close(state);
	state = open_ok();
	fingerprint(state, "name", "alice", NULL, after);
	cr_expect_arr_eq(before, after, sizeof before);
	gb_state_close(state);
}

Test(state, keys_fingerprints_with_its_own_secret)
{
	unsigned char one[GB_FINGERPRINT_LEN], other[GB_FINGERPRINT_LEN];
	struct gb_state *state = open_ok();

	fingerprint(state, "name", "alice", NULL, one);
	gb_state_close(state);
	cr_assert_eq(unlink(below("secret")), 0);
	state = open_ok();
	fingerprint(state, "name", "alice", NULL, other);
	cr_expect_arr_neq(one, other, sizeof one);
	gb_state_close(state);
}

/* HMAC-SHA-256 with a key of zeros over "name" NUL, 5 as 8 bytes, "alice": worked out with Python's hmac. */
Test(state, fingerprints_as_documented)
{
	static const unsigned char zeros[32];
	static const unsigned char expected[GB_FINGERPRINT_LEN] = {
		0x70, 0x6d, 0xd8, 0x5a, 0x1a, 0x4c, 0xa7, 0x6b, 0x9d, 0x99, 0xfc, 0x95, 0x13, 0xdb, 0xb3, 0xa2,
	};
	unsigned char out[GB_FINGERPRINT_LEN];
	struct gb_state *state = open_ok();

	cr_assert_eq(gb_state_write(state, "secret", zeros, sizeof zeros, 0), GB_OK);
	gb_state_close(state);
	state = open_ok();
	fingerprint(state, "name", "alice", NULL, out);
	cr_expect_arr_eq(out, expected, sizeof out);
	gb_state_close(state);
}

Test(state, separates_labels_and_parts)
{
	static const struct { const char *label, *a, *b; } all[] = {
		{ "x", "ab", "c" }, { "x", "a", "bc" }, { "x", "abc", NULL }, { "x", "abc", "" },
		{ "x", "", "abc" }, { "xa", "bc", NULL }, { "y", "abc", NULL }, { "", "xabc", NULL },
	};
	unsigned char prints[sizeof all / sizeof all[0]][GB_FINGERPRINT_LEN];
	struct gb_state *state = open_ok();

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		fingerprint(state, all[i].label, all[i].a, all[i].b, prints[i]);
		for (size_t j = 0; j < i; j++)
			cr_expect_arr_neq(prints[i], prints[j], GB_FINGERPRINT_LEN, "%zu and %zu", i, j);
	}
	gb_state_close(state);
}

static size_t
content(const char *name, char *out, size_t max)
{
	FILE *file = fopen(below(name), "rb");
	size_t len;

	cr_assert_not_null(file, "%s", name);
	len = fread(out, 1, max, file);
	fclose(file);
	return len;
}

Test(state, writes_whole_files)
{
	struct gb_state *state = open_ok();
	char out[32];

	cr_expect_eq(gb_state_write(state, "spool/a", "first", 5, 0), GB_OK);
	cr_expect_eq(gb_state_write(state, "spool/a", "second", 6, 0), GB_OK);
	cr_expect_eq(content("spool/a", out, sizeof out), 6);
	cr_expect_arr_eq(out, "second", 6);
	cr_expect_eq(mode_of(below("spool/a")), 0600);
	cr_expect_eq(names_in(below("spool")), 1);
	gb_state_close(state);
}

Test(state, does_not_replace_when_exclusive)
{
	struct gb_state *state = open_ok();
	char out[32];

	cr_expect_eq(gb_state_write(state, "keys/k", "first", 5, 1), GB_OK);
	cr_expect_eq(gb_state_write(state, "keys/k", "second", 6, 1), GB_ERR_CONFLICT);
	cr_expect_eq(content("keys/k", out, sizeof out), 5);
	cr_expect_eq(names_in(below("keys")), 1);
	gb_state_close(state);
}

Test(state, reports_a_write_that_cannot_be)
{
	struct gb_state *state = open_ok();
	char long_name[NAME_MAX + 2];

	memset(long_name, 'x', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	cr_expect_eq(gb_state_write(state, "none/a", "x", 1, 0), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_eq(gb_state_write(state, "none/a", "x", 1, 1), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_eq(gb_state_write(state, long_name, "x", 1, 0), GB_ERR_STORE_UNAVAILABLE);
	/* a name that is a directory: nothing stays beside it */
	cr_expect_eq(gb_state_write(state, "spool", "x", 1, 0), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_eq(names_in(directory), 4);
	gb_state_close(state);
}

/* Whoever starts first makes the secret; nobody ends with another one. */
Test(state, makes_one_secret_when_many_start_at_once)
{
	enum { PROCESSES = 8 };
	unsigned char ours[GB_FINGERPRINT_LEN], theirs[GB_FINGERPRINT_LEN];
	struct gb_state *state;
	int results[2];

	cr_assert_eq(pipe(results), 0);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			if (gb_state_open(directory, why, sizeof why, &state) != GB_OK)
				_exit(1);
			fingerprint(state, "name", "alice", NULL, ours);
			_exit(write(results[1], ours, sizeof ours) == sizeof ours ? 0 : 1);
		}
	close(results[1]);
	state = open_ok();
	fingerprint(state, "name", "alice", NULL, ours);
	for (int i = 0; i < PROCESSES; i++) {
		cr_assert_eq(read(results[0], theirs, sizeof theirs), sizeof theirs);
		cr_expect_arr_eq(ours, theirs, sizeof ours);
	}
	while (wait(NULL) > 0)
		;
	close(results[0]);
	gb_state_close(state);
}

/* Links, slashes and names that only begin alike must not mislead it. */
Test(state, knows_what_lies_below_a_document_root)
{
	char root[FOLDER_MAX + 16], link[FOLDER_MAX + 16], inner[FOLDER_MAX + 48];

	snprintf(root, sizeof root, "%s/www", base);
	snprintf(link, sizeof link, "%s/link", base);
	snprintf(inner, sizeof inner, "%s/state", root);
	cr_assert_eq(mkdir(root, 0700), 0);
	cr_expect(gb_state_is_below(inner, root), "one that is not there yet");
	cr_assert_eq(mkdir(inner, 0700), 0);
	cr_assert_eq(symlink(inner, link), 0);
	cr_expect(gb_state_is_below(inner, root));
	cr_expect(gb_state_is_below(root, root));
	cr_expect(gb_state_is_below(link, root), "a link into it");
	cr_expect(gb_state_is_below(inner, "/"));

	cr_expect_not(gb_state_is_below(root, inner));
	cr_expect_not(gb_state_is_below(directory, root));
	cr_expect_not(gb_state_is_below(inner, below("none")), "no such root");
	snprintf(inner, sizeof inner, "%s/www2", base);
	cr_assert_eq(mkdir(inner, 0700), 0);
	cr_expect_not(gb_state_is_below(inner, root), "another folder whose name begins alike");
}
