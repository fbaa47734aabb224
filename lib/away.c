/* SPDX-License-Identifier: MIT */
/* away.c: a store that is not there. */
#include <stdio.h>

#include "away.h"
#include "limit.h"

static void
away_close(void *state)
{
	(void)state;
}

static enum gb_err
away_get(void *state, const char *key, int64_t now, struct gb_arena *arena, struct gb_record *record)
{
	(void)state, (void)key, (void)now, (void)arena, (void)record;
	return GB_ERR_STORE_UNAVAILABLE;
}

static enum gb_err
away_commit(void *state, const struct gb_change *changes, size_t changes_len, int64_t now, uint64_t nonce)
{
	(void)state, (void)changes, (void)changes_len, (void)now, (void)nonce;
	return GB_ERR_STORE_UNAVAILABLE;
}

static enum gb_err
away_scan(void *state, const char *prefix, int64_t now, uint64_t *cursor, struct gb_arena *arena,
    struct gb_record *records, size_t max, size_t *records_len)
{
	(void)state, (void)prefix, (void)now, (void)cursor, (void)arena, (void)records, (void)max;
	*records_len = 0;
	return GB_ERR_STORE_UNAVAILABLE;
}

static enum gb_err
away_health(void *state, int64_t now, char *why, size_t why_max)
{
	(void)state, (void)now;
	snprintf(why, why_max, "the store is away");
	return GB_ERR_STORE_UNAVAILABLE;
}

static const struct gb_store_backend away = {
	.scheme = "away", .close = away_close, .get = away_get, .commit = away_commit, .scan = away_scan,
	.health = away_health,
};

static enum gb_err
parts_open(enum gb_keyring_access keys, unsigned parts, int64_t now, char *why, size_t why_max, struct gb_app *app)
{
	enum gb_err err;

	if ((err = gb_state_open(app->config->state, why, why_max, &app->state)) != GB_OK ||
	    (err = gb_keyring_open(app->config, keys, now, why, why_max, &app->keyring)) != GB_OK ||
	    (err = gb_store_attach(&away, NULL, &app->store)) != GB_OK)
		return err;
	return (parts & GB_PART_LIMITS) != 0 && app->config->rate_limits ? gb_limit_open(app->state, why, why_max, &app->limit) : GB_OK;
}

enum gb_err
gb_away_open(const struct gb_config *config, enum gb_keyring_access keys, unsigned parts, int64_t now, char *why,
    size_t why_max, struct gb_app *app)
{
	enum gb_err err;

	*app = (struct gb_app){ .config = config, .jwt = { config->issuer, config->audience, config->leeway_s } };
	if ((err = parts_open(keys, parts, now, why, why_max, app)) != GB_OK)
		gb_app_close(app);
	return err;
}
