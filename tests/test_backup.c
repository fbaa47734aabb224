/* SPDX-License-Identifier: MIT */
/* test_backup.c: backups of a store in use, and a store that takes another's place. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "store/backup.h"
#include "store_number.h"
#include "store_temporary.h"

#define WHY_MAX 300

struct place {
	struct store_temporary temporary;
	char file[128], from[128], aside[128];
	char why[WHY_MAX];
};

static void
place_make(struct place *place)
{
	store_temporary_make(&place->temporary);
	snprintf(place->file, sizeof place->file, "%s/backup", place->temporary.root);
	snprintf(place->from, sizeof place->from, "%s.restoring", place->temporary.dir);
	snprintf(place->aside, sizeof place->aside, "%s.replaced", place->temporary.dir);
}

/* Sets two records to one number, in one commit; the second is so long that its slots lie all over the file. */
static enum gb_err
set(struct gb_store *store, int number)
{
	struct gb_arena *arena = gb_arena_new();
	char text[3500] = "";
	struct gb_record a, b;
	enum gb_err err;

	snprintf(text, sizeof text, "%d", number);
	do {
		if ((err = gb_store_get(store, "a", NOW, arena, &a)) != GB_OK ||
		    (err = gb_store_get(store, "b", NOW, arena, &b)) != GB_OK)
			break;
		err = gb_store_commit(store, (struct gb_change[]){
		    { .kind = GB_PUT, .key = "a", .version = a.version, .value = text, .value_len = strlen(text) + 1 },
		    { .kind = GB_PUT, .key = "b", .version = b.version, .value = text, .value_len = sizeof text },
		}, 2, NOW, NULL);
	} while (err == GB_ERR_CONFLICT);
	gb_arena_free(arena);
	return err;
}

static int
number_of(struct gb_store *store, const char *key)
{
	uint64_t version;

	return store_number_get(store, key, &version);
}

static void
fill(struct gb_store *store, int records)
{
	for (int i = 0; i < records; i += GB_STORE_CHANGES_MAX) {
		struct gb_change changes[GB_STORE_CHANGES_MAX];
		char keys[GB_STORE_CHANGES_MAX][16];
		static const unsigned char value[500];

		for (int j = 0; j < GB_STORE_CHANGES_MAX; j++) {
			snprintf(keys[j], sizeof keys[j], "fill:%d", i + j);
			changes[j] = (struct gb_change){ .kind = GB_PUT, .key = keys[j], .value = value, .value_len = sizeof value };
		}
		cr_assert_eq(gb_store_commit(store, changes, GB_STORE_CHANGES_MAX, NOW, NULL), GB_OK);
	}
}

static void
write_backup(struct place *place)
{
	struct gb_backup backup;

	cr_assert_eq(gb_backup_write(place->temporary.dir, place->file, NOW, NULL, &backup, place->why, WHY_MAX),
	    GB_OK, "%s", place->why);
}

static void
unpack_and_install(struct place *place)
{
	struct gb_backup backup;

	cr_assert_eq(gb_backup_unpack(place->file, place->from, NULL, &backup, place->why, WHY_MAX), GB_OK, "%s",
	    place->why);
	cr_assert_eq(gb_backup_install(place->from, place->temporary.dir, place->aside, place->why, WHY_MAX), GB_OK,
	    "%s", place->why);
}

Test(backup, brings_back_what_was_there_and_nothing_later, .timeout = 60)
{
	struct place place;
	struct gb_store *store;

	place_make(&place);
	store = store_temporary_again(&place.temporary, NOW);
	cr_assert_eq(set(store, 1), GB_OK);
	write_backup(&place);
	cr_assert_eq(set(store, 2), GB_OK);
	gb_store_close(store);
	unpack_and_install(&place);
	store = store_temporary_again(&place.temporary, NOW);
	cr_assert_eq(number_of(store, "a"), 1);
	cr_assert_eq(set(store, 3), GB_OK);
	gb_store_close(store);
	store_temporary_remove(&place.temporary);
}

Test(backup, is_noticed_by_those_who_have_the_store_open, .timeout = 60)
{
	struct place place;
	struct gb_store *store;

	place_make(&place);
	store = store_temporary_again(&place.temporary, NOW);
	cr_assert_eq(set(store, 1), GB_OK);
	write_backup(&place);
	cr_assert_eq(set(store, 2), GB_OK);
	unpack_and_install(&place);
	cr_assert_eq(number_of(store, "a"), 1);
	cr_assert_eq(set(store, 3), GB_OK);
	gb_store_close(store);
	store = store_temporary_again(&place.temporary, NOW);
	cr_assert_eq(number_of(store, "b"), 3);
	gb_store_close(store);
	store_temporary_remove(&place.temporary);
}

Test(backup, keeps_the_store_that_was_replaced, .timeout = 60)
{
	struct place place;
	struct gb_store *store;
	char url[160];

	place_make(&place);
	store = store_temporary_again(&place.temporary, NOW);
	cr_assert_eq(set(store, 1), GB_OK);
	write_backup(&place);
	cr_assert_eq(set(store, 2), GB_OK);
	gb_store_close(store);
	unpack_and_install(&place);
	snprintf(url, sizeof url, "gdbm:%s", place.aside);
	cr_assert_eq(gb_store_open(url, NOW, place.why, WHY_MAX, &store), GB_OK, "%s", place.why);
	cr_assert_eq(number_of(store, "a"), 2);
	gb_store_close(store);
	store_temporary_remove(&place.temporary);
}

static void
write_for_ever(const struct store_temporary *temporary)
{
	struct gb_store *store;
	char why[WHY_MAX];

	if (gb_store_open(temporary->url, NOW, why, sizeof why, &store) != GB_OK)
		_exit(1);
	for (int i = 0;; i++)
		if (set(store, i) != GB_OK)
			_exit(1);
}

static struct gb_store *watched;

/* Called after 1,024 pages too: then a's page is copied, and some of b's are not, so let both change. */
static void
let_write(uint64_t done, uint64_t all)
{
	int before = number_of(watched, "a");

	for (int i = 0; done < all && number_of(watched, "a") == before && i < 5000; i++)
		usleep(1000);
}

/* Two records of one commit must be equal in every backup made while they change. */
Test(backup, is_of_one_moment_while_others_write, .timeout = 120)
{
	struct place place;
	struct gb_store *store;
	struct gb_change first = { .kind = GB_PUT, .key = "a", .value = "0", .value_len = 2 };
	pid_t writer;
	int last = -1;

	place_make(&place);
	store = store_temporary_again(&place.temporary, NOW);
	cr_assert_eq(gb_store_commit(store, &first, 1, NOW, NULL), GB_OK);
	fill(store, 8192);
	watched = store;
	if ((writer = fork()) == 0)
		write_for_ever(&place.temporary);
	for (int i = 0; i < 10; i++) {
		struct gb_backup backup;
		char dir[160], url[170];

		usleep(20000);
		cr_assert_eq(gb_backup_write(place.temporary.dir, place.file, NOW, let_write, &backup, place.why, WHY_MAX),
		    GB_OK, "%s", place.why);
		snprintf(dir, sizeof dir, "%s/copy%d", place.temporary.root, i);
		cr_assert_eq(gb_backup_unpack(place.file, dir, NULL, &backup, place.why, WHY_MAX), GB_OK, "%s", place.why);
		cr_assert_eq(gb_store_check(dir, NOW, NULL, &backup, place.why, WHY_MAX), GB_OK, "%s", place.why);
		snprintf(url, sizeof url, "gdbm:%s", dir);
		cr_assert_eq(gb_store_open(url, NOW, place.why, WHY_MAX, &store), GB_OK);
		cr_assert_eq(number_of(store, "a"), number_of(store, "b"));
		cr_assert_geq(number_of(store, "a"), last);
		last = number_of(store, "a");
		gb_store_close(store);
		cr_assert_eq(unlink(place.file), 0);
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	cr_assert_gt(last, 0);
	gb_store_close(watched);
	store_temporary_remove(&place.temporary);
}

Test(backup, refuses_to_overwrite_a_file)
{
	struct place place;
	struct gb_backup backup;

	place_make(&place);
	gb_store_close(store_temporary_again(&place.temporary, NOW));
	write_backup(&place);
	cr_assert_eq(gb_backup_write(place.temporary.dir, place.file, NOW, NULL, &backup, place.why, WHY_MAX),
	    GB_ERR_CONFLICT);
	cr_assert_eq(gb_backup_verify(place.file, NULL, &backup, place.why, WHY_MAX), GB_OK, "%s", place.why);
	store_temporary_remove(&place.temporary);
}

Test(backup, makes_no_store_where_there_is_none)
{
	struct place place;
	struct gb_backup backup;
	struct gb_store_stats stats;

	place_make(&place);
	cr_assert_neq(gb_backup_write(place.temporary.dir, place.file, NOW, NULL, &backup, place.why, WHY_MAX), GB_OK);
	cr_assert_neq(gb_store_check(place.temporary.dir, NOW, NULL, &backup, place.why, WHY_MAX), GB_OK);
	cr_assert_neq(gb_store_stats(place.temporary.dir, &stats, place.why, WHY_MAX), GB_OK);
	cr_assert_neq(access(place.temporary.dir, F_OK), 0);
	cr_assert_neq(access(place.file, F_OK), 0);
	store_temporary_remove(&place.temporary);
}

Test(backup, is_for_the_owner_alone)
{
	struct place place;
	struct stat status;

	place_make(&place);
	gb_store_close(store_temporary_again(&place.temporary, NOW));
	write_backup(&place);
	cr_assert_eq(stat(place.file, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0600);
	store_temporary_remove(&place.temporary);
}

/* One bit at a time, here and there; then each length that is too short or too long. */
Test(backup, refuses_a_damaged_or_cut_file, .timeout = 60)
{
	struct place place;
	struct gb_backup backup;
	struct stat status;
	unsigned char byte;
	int fd;

	place_make(&place);
	gb_store_close(store_temporary_again(&place.temporary, NOW));
	write_backup(&place);
	cr_assert_geq(fd = open(place.file, O_RDWR), 0);
	cr_assert_eq(fstat(fd, &status), 0);
	for (off_t at = 0; at < status.st_size; at += at < 64 ? 1 : 997) {
		if (at >= 64 && at < 4096)
			continue;	/* nothing stands there */
		cr_assert_eq(pread(fd, &byte, 1, at), 1);
		byte ^= 0x10;
		cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
		cr_assert_neq(gb_backup_verify(place.file, NULL, &backup, place.why, WHY_MAX), GB_OK, "at %ld", (long)at);
		byte ^= 0x10;
		cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
	}
	cr_assert_eq(gb_backup_verify(place.file, NULL, &backup, place.why, WHY_MAX), GB_OK, "%s", place.why);
	cr_assert_eq(ftruncate(fd, status.st_size + 4096), 0);
	cr_assert_neq(gb_backup_verify(place.file, NULL, &backup, place.why, WHY_MAX), GB_OK);
	cr_assert_eq(ftruncate(fd, status.st_size - 4096), 0);
	cr_assert_neq(gb_backup_verify(place.file, NULL, &backup, place.why, WHY_MAX), GB_OK);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_assert_neq(gb_backup_verify(place.file, NULL, &backup, place.why, WHY_MAX), GB_OK);
	close(fd);
	store_temporary_remove(&place.temporary);
}

Test(backup, takes_the_place_of_a_damaged_store, .timeout = 60)
{
	struct place place;
	struct gb_store *store;
	int fd;

	place_make(&place);
	store = store_temporary_again(&place.temporary, NOW);
	cr_assert_eq(set(store, 1), GB_OK);
	write_backup(&place);
	gb_store_close(store);
	cr_assert_geq(fd = open(store_temporary_path(&place.temporary, "store.log"), O_WRONLY | O_TRUNC), 0);
	close(fd);
	cr_assert_neq(gb_store_open(place.temporary.url, NOW, place.why, WHY_MAX, &store), GB_OK);
	unpack_and_install(&place);
	store = store_temporary_again(&place.temporary, NOW);
	cr_assert_eq(number_of(store, "a"), 1);
	gb_store_close(store);
	store_temporary_remove(&place.temporary);
}

Test(check, finds_a_sound_store_sound_and_a_flipped_bit, .timeout = 60)
{
	struct place place;
	struct gb_backup found;
	struct gb_store *store;
	unsigned char byte;
	int fd;

	place_make(&place);
	store = store_temporary_again(&place.temporary, NOW);
	fill(store, 640);
	gb_store_close(store);
	cr_assert_eq(gb_store_check(place.temporary.dir, NOW, NULL, &found, place.why, WHY_MAX), GB_OK, "%s", place.why);
	cr_assert_eq(found.records, 640);
	cr_assert_geq(fd = open(store_temporary_path(&place.temporary, "store.gdbm"), O_RDWR), 0);
	cr_assert_eq(pread(fd, &byte, 1, 100000), 1);
	byte ^= 1;
	cr_assert_eq(pwrite(fd, &byte, 1, 100000), 1);
	close(fd);
	cr_assert_eq(gb_store_check(place.temporary.dir, NOW, NULL, &found, place.why, WHY_MAX), GB_ERR_STORE_UNAVAILABLE);
	cr_assert_not_null(strstr(place.why, "page 24"), "%s", place.why);
	store_temporary_remove(&place.temporary);
}
