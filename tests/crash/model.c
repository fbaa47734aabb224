/* SPDX-License-Identifier: MIT */
/* model.c: what the crash tests write, and what must be there afterwards. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"
#include "store/check.h"

#define VALUE_MAX 900

struct gb_store *
model_open(const char *dir, char why[static 300])
{
	struct gb_store *store;
	char url[300];

	snprintf(url, sizeof url, "gdbm:%s", dir);
	return gb_store_open(url, MODEL_NOW, why, 300, &store) == GB_OK ? store : NULL;
}

uint64_t
model_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Which two keys transaction n changes. */
static unsigned
key_of(uint64_t n, int which)
{
	unsigned first = (unsigned)(n * 13 % MODEL_KEYS);

	return which == 0 ? first : (first + 1 + (unsigned)(n * 7 % (MODEL_KEYS - 1))) % MODEL_KEYS;
}

static bool
is_delete(uint64_t n, int which)
{
	return (n + (uint64_t)which) % 5 == 0;
}

static void
name_of(char name[static 32], unsigned worker, int key)
{
	if (key < 0)
		snprintf(name, 32, "w:%u", worker);
	else
		snprintf(name, 32, "w:%u:%d", worker, key);
}

static size_t
value_of(unsigned char value[static VALUE_MAX], unsigned worker, int key, uint64_t n)
{
	uint64_t state = (uint64_t)worker << 48 ^ (uint64_t)(unsigned)key << 32 ^ n;
	size_t len = key < 0 ? 8 : 20 + model_random(&state) % (VALUE_MAX - 20);

	for (size_t i = 0; i < len; i++)
		value[i] = (unsigned char)model_random(&state);
	memcpy(value, &n, sizeof n);
	return len;
}

static enum gb_err
change_of(struct gb_store *store, struct gb_arena *arena, unsigned worker, int key, uint64_t n, bool gone,
    struct gb_change *change)
{
	char *name = gb_arena_alloc(arena, 32);
	unsigned char *value = gb_arena_alloc(arena, VALUE_MAX);
	struct gb_record record;
	enum gb_err err;

	if (name == NULL || value == NULL)
		return GB_ERR_MEMORY;
	name_of(name, worker, key);
	if ((err = gb_store_get(store, name, MODEL_NOW, arena, &record)) != GB_OK)
		return err;
	*change = (struct gb_change){ .kind = gone ? GB_DELETE : GB_PUT, .key = name, .version = record.version,
	    .value = value, .value_len = value_of(value, worker, key, n) };
	return GB_OK;
}

enum gb_err
model_write(struct gb_store *store, struct gb_arena *arena, unsigned worker, uint64_t n)
{
	struct gb_change changes[3];
	enum gb_err err;

	gb_arena_reset(arena);
	err = change_of(store, arena, worker, -1, n, false, &changes[0]);
	for (int i = 0; i < 2 && err == GB_OK; i++)
		err = change_of(store, arena, worker, (int)key_of(n, i), n, is_delete(n, i), &changes[1 + i]);
	return err == GB_OK ? gb_store_commit(store, changes, 3, MODEL_NOW, NULL) : err;
}

/* What key holds after `done` transactions: the n that wrote it; 0: nothing. */
static uint64_t
expected(unsigned key, uint64_t done)
{
	for (uint64_t n = done; n > 0 && n + 10 * MODEL_KEYS > done; n--)
		for (int i = 1; i >= 0; i--)
			if (key_of(n, i) == key)
				return is_delete(n, i) ? 0 : n;
	return 0;
}

static bool
is_value(const struct gb_record *record, unsigned worker, int key, uint64_t n)
{
	unsigned char value[VALUE_MAX];

	if (n == 0)
		return record->value == NULL;
	return record->value != NULL && record->value_len == value_of(value, worker, key, n) &&
	    memcmp(record->value, value, record->value_len) == 0;
}

enum model_verdict
model_read(struct gb_store *store, struct gb_arena *arena, unsigned worker, unsigned key, uint64_t done)
{
	enum model_verdict verdict = MODEL_UNREADABLE;
	struct gb_record record;
	char name[32];

	name_of(name, worker, (int)key);
	if (gb_store_get(store, name, MODEL_NOW, arena, &record) == GB_OK)
		verdict = is_value(&record, worker, (int)key, expected(key, done)) ? MODEL_OK : MODEL_WRONG;
	gb_arena_reset(arena);
	return verdict;
}

static enum model_verdict
keys_check(struct gb_store *store, struct gb_arena *arena, unsigned worker, uint64_t n)
{
	struct gb_record record;
	char name[32];

	for (unsigned key = 0; key < MODEL_KEYS; key++) {
		gb_arena_reset(arena);
		name_of(name, worker, (int)key);
		if (gb_store_get(store, name, MODEL_NOW, arena, &record) != GB_OK)
			return MODEL_UNREADABLE;
		if (!is_value(&record, worker, (int)key, expected(key, n)))
			return MODEL_WRONG;
	}
	return MODEL_OK;
}

enum model_verdict
model_check(struct gb_store *store, struct gb_arena *arena, unsigned worker, uint64_t done, uint64_t *found)
{
	struct gb_record record;
	char name[32];
	uint64_t n = 0;

	*found = 0;
	gb_arena_reset(arena);
	name_of(name, worker, -1);
	if (gb_store_get(store, name, MODEL_NOW, arena, &record) != GB_OK)
		return MODEL_UNREADABLE;
	if (record.value != NULL) {
		if (record.value_len != sizeof n)
			return MODEL_WRONG;
		memcpy(&n, record.value, sizeof n);
	}
	*found = n;
	return n < done ? MODEL_LOST : n > done + 1 ? MODEL_WRONG : keys_check(store, arena, worker, n);
}

bool
model_structure(const char *dir, char why[static 300])
{
	struct gb_check check;
	struct stat status;
	char path[300];
	void *bytes;
	bool ok;
	int fd;

	snprintf(path, sizeof path, "%s/store.gdbm", dir);
	snprintf(why, 300, "cannot open it");
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	if (fstat(fd, &status) != 0 || status.st_size == 0) {
		close(fd);
		return false;
	}
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return false;
	ok = gb_check_structure(bytes, (uint64_t)status.st_size, &check, why, 300) == GB_OK;
	munmap(bytes, (size_t)status.st_size);
	return ok;
}

void
model_remove(const char *dir)
{
	static const char *const names[] = { "store.gdbm", "store.log", "store.log.new", "store.sums", "store.control" };
	char path[300];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}
