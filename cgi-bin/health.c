/* SPDX-License-Identifier: MIT */
/*
 * health.c: GET /auth/health says whether a new process could serve now.
 *
 *	200, 503	status, checks: store, keys, mail, disk; each "ok" or "failing"
 *
 * It opens what it checks itself, so that it answers when nothing opens. Causes go to the log alone.
 */
#include <stdio.h>
#include <sys/statvfs.h>

#include "log.h"
#include "probe.h"
#include "serve.h"
#include "spool.h"

#define WHY_MAX		512
#define DISK_FREE_MIN	(32ull << 20)	/* bytes; the store's log and a full spool fit */
#define MAIL_LATE_S	3600		/* an entry that waits longer waits for a person */

enum check { CHECK_STORE, CHECK_KEYS, CHECK_MAIL, CHECK_DISK, CHECK__COUNT };

static enum gb_err
check_store(const struct gb_app *app, int64_t now, char *why)
{
	struct gb_store *store;
	enum gb_err err = gb_store_open(app->config->database_url, now, why, WHY_MAX, &store);

	if (err != GB_OK)
		return err;
	err = gb_store_health(store, now, why, WHY_MAX);
	gb_store_close(store);
	return err;
}

static enum gb_err
check_keys(const struct gb_app *app, int64_t now, char *why)
{
	struct gb_keyring *keyring;
	enum gb_err err = gb_keyring_open(app->config, GB_KEYS_SIGN, now, why, WHY_MAX, &keyring);

	if (err != GB_OK)
		return err;
	err = gb_keyring_health(keyring, why, WHY_MAX);
	gb_keyring_close(keyring);
	return err;
}

static enum gb_err
check_mail(const struct gb_app *app, int64_t now, char *why)
{
	struct gb_app state_only = { .config = app->config };
	size_t entries = 0;
	int64_t oldest_s = 0;
	enum gb_err err = gb_state_open(app->config->state, why, WHY_MAX, &state_only.state);

	if (err != GB_OK)
		return err;
	err = gb_spool_look(&state_only, now, &entries, &oldest_s);
	gb_state_close(state_only.state);
	if (err == GB_OK && oldest_s <= MAIL_LATE_S && entries < GB_SPOOL_MAX)
		return GB_OK;
	if (err != GB_OK || entries >= GB_SPOOL_MAX)
		snprintf(why, WHY_MAX, "%s", err != GB_OK ? "the spool cannot be read" : "the spool is full (" GB_SPOOL_MAX_TEXT " entries)");
	else
		snprintf(why, WHY_MAX, "%zu entries wait, the oldest for %lld s", entries, (long long)oldest_s);
	return GB_ERR_STORE_UNAVAILABLE;
}

static enum gb_err
check_disk(const struct gb_app *app, int64_t now, char *why)
{
	struct statvfs disk;

	(void)now;
	if (statvfs(app->config->state, &disk) == 0 &&
	    (unsigned long long)disk.f_bavail * disk.f_frsize >= DISK_FREE_MIN)
		return GB_OK;
	snprintf(why, WHY_MAX, "less than %llu bytes are free below STATE", DISK_FREE_MIN);
	return GB_ERR_STORE_UNAVAILABLE;
}

static const struct {
	const char *name;
	enum gb_err (*look)(const struct gb_app *app, int64_t now, char *why);
} checks[CHECK__COUNT] = {
	[CHECK_STORE] = { "store", check_store },
	[CHECK_KEYS] = { "keys", check_keys },
	[CHECK_MAIL] = { "mail", check_mail },
	[CHECK_DISK] = { "disk", check_disk },
};

static enum gb_err
health(const struct gb_app *app, struct gb_request *req)
{
	bool ok[CHECK__COUNT], all = true;
	struct gb_json_writer writer;

	for (size_t i = 0; i < CHECK__COUNT; i++) {
		char why[WHY_MAX] = "";

		ok[i] = checks[i].look(app, req->call.now, why) == GB_OK;
		if (!ok[i])
			gb_log("health", "%s: %s", checks[i].name, why);
		all = all && ok[i];
	}
	gb_probe_answer(app, req);
	gb_json_begin(&writer, req->call.arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_put_string(&writer, "status", all ? "ok" : "failing");
	gb_json_open(&writer, "checks", '{');
	for (size_t i = 0; i < CHECK__COUNT; i++)
		gb_json_put_string(&writer, checks[i].name, ok[i] ? "ok" : "failing");
	gb_json_close(&writer, '}');
	gb_json_close(&writer, '}');
	if (!all)
		gb_reply_header(req, "Retry-After", "5");
	return gb_reply_json(req, all ? 200 : 503, &writer);
}

int
main(void)
{
	static const struct gb_endpoint endpoint = {
		.name = "health", .methods = GB_METHOD_GET, .is_health = true,
		.reach = GB_REACH_ALL, .handle = health,
	};

	return gb_serve(&endpoint);
}
