/* SPDX-License-Identifier: MIT */
/* app.c: what a process holds for its life, opened in one order. */
#include <stdio.h>
#include <time.h>

#include <sodium.h>

#include "app.h"
#include "limit.h"

#define WARNING_MAX	512
#define ROUNDS_MAX	8
#define JITTER_MIN_US	1000
#define JITTER_SPAN_US	4000

static enum gb_err
parts_open(enum gb_keyring_access keys, unsigned parts, int64_t now, char *why, size_t why_max, struct gb_app *app)
{
	const struct gb_config *config = app->config;
	char warning[WARNING_MAX] = "";
	enum gb_err err;

	if ((err = gb_state_open(config->state, why, why_max, &app->state)) != GB_OK ||
	    (err = gb_keyring_open(config, keys, now, warning, sizeof warning, &app->keyring)) != GB_OK) {
		if (*warning != '\0')
			snprintf(why, why_max, "%s", warning);
		return err;
	}
	if ((parts & GB_PART_STORE) != 0 &&
	    (err = gb_store_open(config->database_url, now, why, why_max, &app->store)) != GB_OK)
		return err;
	if ((parts & GB_PART_LIMITS) != 0 && config->rate_limits && (err = gb_limit_open(app->state, why, why_max, &app->limit)) != GB_OK)
		return err;
	snprintf(why, why_max, "%s", warning);
	return GB_OK;
}

enum gb_err
gb_app_open_parts(const struct gb_config *config, enum gb_keyring_access keys, unsigned parts, int64_t now, char *why,
    size_t why_max, struct gb_app *app)
{
	enum gb_err err;

	*app = (struct gb_app){
		.config = config,
		.jwt = { config->issuer, config->audience, config->leeway_s },
	};
	if (sodium_init() < 0) {
		snprintf(why, why_max, "no source of random numbers");
		return GB_ERR_INTERNAL;
	}
	if ((err = parts_open(keys, parts, now, why, why_max, app)) != GB_OK)
		gb_app_close(app);
	return err;
}

enum gb_err
gb_app_open(const struct gb_config *config, enum gb_keyring_access keys, int64_t now, char *why,
    size_t why_max, struct gb_app *app)
{
	return gb_app_open_parts(config, keys, GB_PART_STORE | GB_PART_LIMITS, now, why, why_max, app);
}

void
gb_app_close(struct gb_app *app)
{
	gb_limit_close(app->limit);
	gb_store_close(app->store);
	gb_keyring_close(app->keyring);
	gb_state_close(app->state);
	*app = (struct gb_app){ 0 };
}

bool
gb_again(unsigned *round, enum gb_err *err)
{
	struct timespec pause = { 0 };

	if (*err != GB_ERR_CONFLICT)
		return false;
	if (++*round >= ROUNDS_MAX) {
		*err = GB_ERR_BUSY;
		return false;
	}
	pause.tv_nsec = (long)(JITTER_MIN_US + randombytes_uniform(JITTER_SPAN_US)) * 1000;
	nanosleep(&pause, NULL);
	return true;
}
