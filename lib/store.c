/* SPDX-License-Identifier: MIT */
/* store.c: picks the back end, checks every argument once, makes the nonce. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "store.h"

struct gb_store {
	const struct gb_store_backend *backend;
	void *state;
};

/* Searched by the scheme of DATABASE_URL. */
static const struct gb_store_backend *const backends[] = {
	&gb_store_gdbm,
	NULL
};

static bool
key_ok(const char *key)
{
	size_t len = strnlen(key, GB_STORE_KEY_MAX + 1);

	if (len == 0 || len > GB_STORE_KEY_MAX || strcmp(key, GB_STORE_META) == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (key[i] < 0x20 || key[i] > 0x7e)
			return false;
	return true;
}

static bool
version_ok(const struct gb_change *change, bool has_put)
{
	if (change->version == GB_VERSION_ANY)
		return change->kind == GB_DELETE && has_put;
	return change->version <= INT64_MAX;
}

static bool
value_ok(const struct gb_change *change)
{
	return change->kind != GB_PUT || (change->value_len <= GB_STORE_VALUE_MAX &&
	    (change->value != NULL || change->value_len == 0) && change->expires_at >= 0);
}

static bool
key_twice(const struct gb_change *changes, size_t changes_len)
{
	for (size_t i = 0; i < changes_len; i++)
		for (size_t j = i + 1; j < changes_len; j++)
			if (strcmp(changes[i].key, changes[j].key) == 0)
				return true;
	return false;
}

static bool
changes_ok(const struct gb_change *changes, size_t changes_len)
{
	bool has_put = false;

	if (changes_len == 0 || changes_len > GB_STORE_CHANGES_MAX)
		return false;
	for (size_t i = 0; i < changes_len; i++)
		has_put |= changes[i].kind == GB_PUT;
	for (size_t i = 0; i < changes_len; i++)
		if (!key_ok(changes[i].key) || !version_ok(&changes[i], has_put) || !value_ok(&changes[i]))
			return false;
	return !key_twice(changes, changes_len);
}

/* A clock that stands before this program was made would bring the dead back to life. */
static enum gb_err
now_ok(int64_t now)
{
	return now >= GB_STORE_NOW_MIN ? GB_OK : GB_ERR_STORE_UNAVAILABLE;
}

static uint64_t
nonce_new(void)
{
	uint64_t nonce;

	do {
		randombytes_buf(&nonce, sizeof nonce);
		nonce &= INT64_MAX;
	} while (nonce == 0);
	return nonce;
}

static const struct gb_store_backend *
backend_find(const char *url, const char **rest)
{
	for (const struct gb_store_backend *const *b = backends; *b != NULL; b++) {
		size_t len = strlen((*b)->scheme);

		if (strncmp(url, (*b)->scheme, len) == 0 && url[len] == ':') {
			*rest = url + len + 1;
			return *b;
		}
	}
	return NULL;
}

enum gb_err
gb_store_attach(const struct gb_store_backend *backend, void *state, struct gb_store **store)
{
	if (sodium_init() < 0)
		return GB_ERR_STORE_UNAVAILABLE;
	if ((*store = malloc(sizeof **store)) == NULL)
		return GB_ERR_MEMORY;
	**store = (struct gb_store){ .backend = backend, .state = state };
	return GB_OK;
}

enum gb_err
gb_store_open(const char *url, int64_t now, char *why, size_t why_max, struct gb_store **store)
{
	const struct gb_store_backend *backend;
	const char *rest;
	void *state;
	enum gb_err err;

	if ((backend = backend_find(url, &rest)) == NULL) {
		/* the rest of a URL may hold a password: not into the log */
		snprintf(why, why_max, "DATABASE_URL: unknown scheme, or none");
		return GB_ERR_STORE_UNAVAILABLE;
	}
	if (now_ok(now) != GB_OK) {
		snprintf(why, why_max, "the clock stands before this program was made");
		return GB_ERR_STORE_UNAVAILABLE;
	}
	if (sodium_init() < 0) {
		snprintf(why, why_max, "no source of random numbers");
		return GB_ERR_STORE_UNAVAILABLE;
	}
	if ((err = backend->open(rest, now, why, why_max, &state)) != GB_OK)
		return err;
	if ((err = gb_store_attach(backend, state, store)) != GB_OK) {
		snprintf(why, why_max, "no memory");
		backend->close(state);
	}
	return err;
}

void
gb_store_close(struct gb_store *store)
{
	if (store == NULL)
		return;
	store->backend->close(store->state);
	free(store);
}

enum gb_err
gb_store_get(struct gb_store *store, const char *key, int64_t now, struct gb_arena *arena,
    struct gb_record *record)
{
	*record = (struct gb_record){ .key = key };
	if (!key_ok(key))
		return GB_ERR_INTERNAL;
	if (now_ok(now) != GB_OK)
		return GB_ERR_STORE_UNAVAILABLE;
	return store->backend->get(store->state, key, now, arena, record);
}

enum gb_err
gb_store_commit(struct gb_store *store, const struct gb_change *changes, size_t changes_len,
    int64_t now, uint64_t *version)
{
	uint64_t nonce;
	enum gb_err err;

	if (!changes_ok(changes, changes_len))
		return GB_ERR_INTERNAL;
	if (now_ok(now) != GB_OK)
		return GB_ERR_STORE_UNAVAILABLE;
	nonce = nonce_new();
	err = store->backend->commit(store->state, changes, changes_len, now, nonce);
	if (err == GB_OK && version != NULL)
		*version = nonce;
	return err;
}

enum gb_err
gb_store_scan(struct gb_store *store, const char *prefix, int64_t now, uint64_t *cursor,
    struct gb_arena *arena, struct gb_record *records, size_t max, size_t *records_len)
{
	*records_len = 0;
	if (max == 0 || strnlen(prefix, GB_STORE_KEY_MAX + 1) > GB_STORE_KEY_MAX)
		return GB_ERR_INTERNAL;
	if (now_ok(now) != GB_OK)
		return GB_ERR_STORE_UNAVAILABLE;
	return store->backend->scan(store->state, prefix, now, cursor, arena, records, max, records_len);
}

enum gb_err
gb_store_health(struct gb_store *store, int64_t now, char *why, size_t why_max)
{
	if (now_ok(now) != GB_OK) {
		snprintf(why, why_max, "the clock stands before this program was made");
		return GB_ERR_STORE_UNAVAILABLE;
	}
	return store->backend->health(store->state, now, why, why_max);
}

const char *
gb_store_reason(const struct gb_store *store)
{
	return store->backend->reason != NULL ? store->backend->reason(store->state) : "";
}
