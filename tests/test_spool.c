/* SPDX-License-Identifier: MIT */
/* The spool's files: what is durable before an answer, and what moves them on. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "folder.h"
#include "mail_log.h"
#include "spool.h"

#define NOW INT64_C(1795507200)

static char folder[FOLDER_MAX], state_path[FOLDER_MAX + 8], why[300];
static struct gb_config config;
static struct gb_state *state;
static struct gb_app app;
static struct gb_call call;

/* For each fsync a letter, file or directory, and how many entries had their names then. */
static char flushed[32];
static char flush_fails;		/* at this letter; 0: never */

int
fsync(int fd)
{
	struct stat st;
	char pattern[FOLDER_MAX + 32];
	size_t len = strlen(flushed);
	glob_t found;

	snprintf(pattern, sizeof pattern, "%s/spool/*", state_path);
	if (glob(pattern, 0, NULL, &found) != 0)
		found.gl_pathc = 0;
	else
		globfree(&found);
	if (fstat(fd, &st) == 0)
		snprintf(flushed + len, sizeof flushed - len, "%c%zu", S_ISDIR(st.st_mode) ? 'd' : 'f', found.gl_pathc);
	if (flush_fails != 0 && flushed[len] == flush_fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static void
setup(void)
{
	folder_make(folder);
	snprintf(state_path, sizeof state_path, "%s/state", folder);
	cr_assert_eq(gb_state_open(state_path, why, sizeof why, &state), GB_OK, "%s", why);
	config = (struct gb_config){ .state = state_path, .default_language = "en", .notice_mails = true };
	app = (struct gb_app){ .config = &config, .state = state };
	call = (struct gb_call){ .now = NOW, .arena = gb_arena_new(), .address = "192.0.2.7", .language = "de-AT, en;q=0.5",
		.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };
}

static void
teardown(void)
{
	gb_arena_free(call.arena);
	gb_state_close(state);
	folder_remove(folder);
}

TestSuite(spool, .init = setup, .fini = teardown, .timeout = 60);

static const struct gb_spool_entry asked = { .kind = GB_MAIL_RESET, .email = "ann@example.org" };

static size_t
due(int64_t now, gb_spool_name *names, size_t max)
{
	size_t len;

	cr_assert_eq(gb_spool_names(state, now, names, max, &len), GB_OK);
	return len;
}

static void
one(gb_spool_name name)
{
	gb_spool_name names[2];

	cr_assert_eq(due(INT64_MAX, names, 2), 1);
	memcpy(name, names[0], sizeof names[0]);
}

static const char *
spooled(const char *name)
{
	return gb_arena_printf(call.arena, "%s/spool/%s", state_path, name);
}

static void
file_write(const char *name, const char *text)
{
	FILE *file = fopen(spooled(name), "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

Test(spool, keeps_an_entry_as_it_was_put)
{
	struct gb_spool_entry entry = { .kind = GB_MAIL_CHANGE_EMAIL, .email = "ann@example.org", .user_id = "42",
		.pending_id = "p", .target = "new@example.org", .language = "es", .device = "curl", .address = "::1" }, read;
	gb_spool_name name;
	struct stat st;

	cr_assert_eq(gb_spool_put(&app, &call, &entry), GB_OK);
	one(name);
	cr_assert_eq(gb_spool_read(state, name, call.arena, &read), GB_OK);
	cr_expect_eq(read.kind, GB_MAIL_CHANGE_EMAIL);
	cr_expect_str_eq(read.email, entry.email);
	cr_expect_str_eq(read.user_id, entry.user_id);
	cr_expect_str_eq(read.pending_id, entry.pending_id);
	cr_expect_str_eq(read.target, entry.target);
	cr_expect_str_eq(read.language, entry.language);
	cr_expect_str_eq(read.device, entry.device);
	cr_expect_str_eq(read.address, entry.address);
	cr_expect(read.created_at == NOW && read.next_at == NOW && read.tries == 0);
	cr_expect_eq(stat(spooled(name), &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
}

/* Or a power cut after the answer loses the mail, or leaves a name with nothing behind it. */
Test(spool, is_durable_before_it_says_so)
{
	flushed[0] = '\0';
	cr_assert_eq(gb_spool_put(&app, &call, &asked), GB_OK);
	cr_expect_str_eq(flushed, "f0d1", "the file before it has its name, then the folder");
	flush_fails = 'f';
	cr_expect_eq(gb_spool_put(&app, &call, &asked), GB_ERR_STORE_UNAVAILABLE);
	flush_fails = 'd';
	cr_expect_eq(gb_spool_put(&app, &call, &asked), GB_ERR_STORE_UNAVAILABLE);
	flush_fails = 0;
	flushed[0] = '\0';
	cr_assert_eq(gb_spool_put(&app, &call, &asked), GB_OK);
	cr_expect_str_eq(flushed, "f2d3", "none of the file that could not be flushed");
}

Test(spool, takes_language_device_and_address_of_the_request)
{
	struct gb_spool_entry read;
	gb_spool_name name;

	cr_assert_eq(gb_spool_put(&app, &call, &asked), GB_OK);
	one(name);
	cr_assert_eq(gb_spool_read(state, name, call.arena, &read), GB_OK);
	cr_expect_str_eq(read.language, "de");
	cr_expect_str_eq(read.device, "Firefox on Linux");
	cr_expect_str_eq(read.address, "192.0.2.7");
}

Test(spool, leaves_notices_out_where_they_are_turned_off)
{
	struct gb_spool_entry notice = { .kind = GB_MAIL_NOTICE_PASSWORD, .email = "ann@example.org" };
	gb_spool_name names[4];

	config.notice_mails = false;
	cr_assert_eq(gb_spool_put(&app, &call, &notice), GB_OK);
	cr_expect_eq(due(NOW, names, 4), 0);
	cr_assert_eq(gb_spool_put(&app, &call, &asked), GB_OK);
	cr_expect_eq(due(NOW, names, 4), 1);
	config.notice_mails = true;
	cr_assert_eq(gb_spool_put(&app, &call, &notice), GB_OK);
	cr_expect_eq(due(NOW, names, 4), 2);
}

Test(spool, is_full_at_its_maximum_and_not_before)
{
	gb_spool_name names[1];

	for (unsigned i = 0; i < GB_SPOOL_MAX - 1; i++)
		file_write(gb_arena_printf(call.arena, "%012d.00.%012d.%016x", 5, 5, i), "{}");
	gb_arena_reset(call.arena);
	cr_expect_eq(gb_spool_put(&app, &call, &asked), GB_OK);
	cr_expect_eq(gb_spool_put(&app, &call, &asked), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_eq(due(NOW, names, 1), 1);
	gb_spool_drop(state, names[0]);
	cr_expect_eq(gb_spool_put(&app, &call, &asked), GB_OK);
}

Test(spool, refuses_where_it_cannot_write)
{
	gb_spool_name names[1];

	cr_assert_eq(rename(spooled(""), gb_arena_printf(call.arena, "%s/gone", folder)), 0);
	cr_expect_eq(gb_spool_put(&app, &call, &asked), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_eq(rename(gb_arena_printf(call.arena, "%s/gone", folder), spooled("")), 0);
	cr_expect_eq(gb_spool_put(&app, &call, &asked), GB_OK);
	cr_expect_eq(due(NOW, names, 1), 1);
}

Test(spool, puts_an_entry_off_and_counts_its_tries)
{
	struct gb_spool_entry read;
	gb_spool_name name, names[2];

	cr_assert_eq(gb_spool_put(&app, &call, &asked), GB_OK);
	cr_expect_eq(due(NOW - 1, names, 2), 0);
	one(name);
	cr_assert_eq(gb_spool_defer(state, name, NOW + 60), GB_OK);
	cr_expect_eq(due(NOW + 59, names, 2), 0);
	cr_expect_eq(due(NOW + 60, names, 2), 1);
	cr_assert_eq(gb_spool_read(state, name, call.arena, &read), GB_OK);
	cr_expect(read.tries == 1 && read.next_at == NOW + 60 && read.created_at == NOW);
	cr_expect_str_eq(read.email, "ann@example.org");
	gb_spool_drop(state, name);
	cr_expect_eq(gb_spool_read(state, name, call.arena, &read), GB_ERR_NOT_FOUND);
	cr_expect_eq(gb_spool_defer(state, name, NOW), GB_ERR_NOT_FOUND);
}

Test(spool, reads_only_what_it_has_written)
{
	static const char good[] = "{\"kind\":\"reset\",\"email\":\"ann@example.org\",\"user_id\":\"\",\"pending_id\":\"\","
	    "\"target\":\"\",\"language\":\"en\",\"device\":\"\",\"address\":\"\"}";
	static const char *const bad[] = {
		"", "{}", "[]", "{", "{\"kind\":\"reset\"}",
		"{\"kind\":\"resets\",\"email\":\"ann@example.org\",\"user_id\":\"\",\"pending_id\":\"\",\"target\":\"\",\"language\":\"en\",\"device\":\"\",\"address\":\"\"}",
		"{\"kind\":\"reset\",\"email\":\"ann\\nexample.org\",\"user_id\":\"\",\"pending_id\":\"\",\"target\":\"\",\"language\":\"en\",\"device\":\"\",\"address\":\"\"}",
		"{\"kind\":\"reset\",\"email\":\"ann@example.org\",\"user_id\":\"12345678901234567\",\"pending_id\":\"\",\"target\":\"\",\"language\":\"en\",\"device\":\"\",\"address\":\"\"}",
		NULL
	};
	const char *name = "000000000005.00.000000000005.00000000000000ff";
	struct gb_spool_entry read;

	file_write(name, good);
	cr_expect_eq(gb_spool_read(state, name, call.arena, &read), GB_OK);
	for (const char *const *text = bad; *text != NULL; text++) {
		file_write(name, *text);
		cr_expect_eq(gb_spool_read(state, name, call.arena, &read), GB_ERR_MALFORMED, "%s", *text);
	}
	cr_expect_eq(gb_spool_read(state, "../secret", call.arena, &read), GB_ERR_MALFORMED);
}

Test(spool, passes_over_files_that_are_not_its_own)
{
	gb_spool_name names[4];

	file_write("000000000005.00.000000000005.00000000000000ff", "{}");
	file_write("000000000005.00.000000000005.00000000000000FF", "{}");
	file_write("5.0.5.ff", "{}");
	file_write(".000000000005.00.000000000005.00000000000000fe", "{}");
	file_write("000000000005.00.000000000005.00000000000000ff.x", "{}");
	cr_expect_eq(due(NOW, names, 4), 1);
}

Test(spool, tells_health_how_many_wait_and_how_long)
{
	size_t entries;
	int64_t oldest_s;

	cr_assert_eq(gb_spool_look(&app, NOW, &entries, &oldest_s), GB_OK);
	cr_expect(entries == 0 && oldest_s == 0);
	cr_assert_eq(gb_spool_put(&app, &call, &asked), GB_OK);
	call.now += 100;
	cr_assert_eq(gb_spool_put(&app, &call, &asked), GB_OK);
	cr_assert_eq(gb_spool_look(&app, NOW + 130, &entries, &oldest_s), GB_OK);
	cr_expect(entries == 2 && oldest_s == 130);
}

/* A lock that lived with the process would let a second open of the same process in. */
Test(spool, lets_one_deliverer_in_at_a_time)
{
	int lock = gb_spool_lock(state), status;
	pid_t pid;

	cr_assert_geq(lock, 0);
	cr_expect_eq(gb_spool_lock(state), -1);
	if ((pid = fork()) == 0)
		_exit(gb_spool_lock(state) >= 0);
	waitpid(pid, &status, 0);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(lock);
	cr_expect_geq(lock = gb_spool_lock(state), 0);
	close(lock);
}

static char *
log_text(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	gb_mail_log_tail(&config, out, 3);
	fclose(out);
	return text;
}

Test(spool, logs_what_became_of_an_entry_without_its_address)
{
	struct gb_spool_entry entry = asked;
	char *text;

	entry.tries = 2;
	gb_mail_log(&config, state, NOW, "later", &entry, "550 no such user Ann@Example.org\r\nsent");
	text = log_text();
	cr_expect_eq(strncmp(text, "2026-11-24T08:00:00Z later kind=reset to=", 41), 0, "%s", text);
	cr_expect_not_null(strstr(text, " tries=2 550 no such user ***************??sent\n"), "%s", text);
	cr_expect_null(strcasestr(text, "ann@"));
	free(text);
}

Test(spool, shows_the_last_lines_of_the_log_and_bounds_it)
{
	struct stat st;
	char *text;

	for (int i = 0; i < 5; i++)
		gb_mail_log(&config, state, NOW + i, "failed", NULL, gb_arena_printf(call.arena, "cause %d", i));
	text = log_text();
	cr_expect_str_eq(text, "2026-11-24T08:00:02Z failed cause 2\n2026-11-24T08:00:03Z failed cause 3\n"
	    "2026-11-24T08:00:04Z failed cause 4\n");
	free(text);
	for (int i = 0; i < 2 * GB_MAIL_LOG_MAX / 36; i++)
		gb_mail_log(&config, state, NOW, "failed", NULL, "cause 99999");
	cr_expect_eq(stat(gb_arena_printf(call.arena, "%s/mail.log.1", state_path), &st), 0);
	cr_expect_leq(st.st_size, GB_MAIL_LOG_MAX + 600);
	cr_expect_eq(stat(gb_arena_printf(call.arena, "%s/mail.log", state_path), &st), 0);
	cr_expect_lt(st.st_size, GB_MAIL_LOG_MAX);
	cr_expect_eq(st.st_mode & 07777, 0600);
}

static void
aside_make(const char *name, int64_t age_s)
{
	const struct timespec times[2] = { { .tv_sec = NOW - age_s }, { .tv_sec = NOW - age_s } };

	file_write(name, "half");
	cr_assert_eq(utimensat(AT_FDCWD, spooled(name), times, 0), 0);
}

/* A writer that was killed leaves its file aside; nobody else would ever take it away. */
Test(spool, sweeps_what_a_killed_writer_left)
{
	static const char *const kept[] = { ".0123456789abcdef", ".lock", ".keep", "0123456789abcdef" };
	struct stat st;

	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		aside_make(kept[i], i == 0 ? 3600 : 100000);
	aside_make(".fedcba9876543210", 3601);
	cr_assert_eq(mkdir(spooled(".abcdef"), 0700), 0);
	gb_spool_sweep(state, NOW);
	cr_expect_eq(stat(spooled(".fedcba9876543210"), &st), -1);
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		cr_expect_eq(stat(spooled(kept[i]), &st), 0, "%s", kept[i]);
	cr_expect_eq(stat(spooled(".abcdef"), &st), 0);
}

Test(spool, says_why_it_refuses)
{
	cr_assert_eq(chmod(spooled(""), 0500), 0);
	cr_expect_str_eq(gb_spool_trouble(&app, NOW), "the spool cannot be written");
	cr_assert_eq(chmod(spooled(""), 0700), 0);
	for (unsigned i = 0; i < GB_SPOOL_MAX; i++)
		file_write(gb_arena_printf(call.arena, "%012d.00.%012d.%016x", 5, 5, i), "{}");
	gb_arena_reset(call.arena);
	cr_expect_str_eq(gb_spool_trouble(&app, NOW), "the spool is full (10000 entries)");
	cr_assert_eq(rename(spooled(""), gb_arena_printf(call.arena, "%s/gone", folder)), 0);
	cr_expect_str_eq(gb_spool_trouble(&app, NOW), "the spool cannot be read");
}
