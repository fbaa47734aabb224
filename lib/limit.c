/* SPDX-License-Identifier: MIT */
/* limit.c: how often somebody may try. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "limit_table.h"
#include "record.h"

#define FREE_FAILURES	5u
#define WAIT_MAX_S	INT64_C(900)
#define FAILURES_LIFE_S	86400u
#define LOCKOUT_FORMAT	1
#define LOCKOUT_LEN	(1 + 4 + 8)

static const struct window {
	const char *label;
	uint32_t max, span_s;
	bool by_address;		/* whose: an address, of which the block counts */
} windows[] = {
	[GB_LIMIT_SIGN_IN] = { "sign-in", 30, 60, true },
	[GB_LIMIT_REGISTER] = { "register", 10, 3600, true },
	[GB_LIMIT_FORGOT] = { "forgot", 10, 3600, true },
	[GB_LIMIT_FORGOT_ACCOUNT] = { "forgot-account", 3, 3600, false },
};

static const char *const attempt_labels[] = {
	[GB_ATTEMPT_NAME] = "name",
	[GB_ATTEMPT_SELF] = "self",
	[GB_ATTEMPT_CODE] = "code",
	[GB_ATTEMPT_CLIENT] = "client",
};

/* A lock-out as the store keeps it. */
struct lockout {
	uint32_t failures;
	int64_t at;
	uint64_t version;
};

static void
window_print(const struct gb_app *app, enum gb_limit_window window, const char *whose,
    unsigned char fingerprint[static GB_FINGERPRINT_LEN])
{
	char block[64];
	const char *parts[] = { windows[window].label, whose };

	if (windows[window].by_address) {
		gb_address_block(whose, 32, block);
		parts[1] = block;
	}
	gb_state_fingerprint(app->state, "limit", parts, 2, fingerprint);
}

/* Off, or forgotten by whoever opened the parts of this process: that must not pass for off. */
static enum gb_err
uncounted(const struct gb_app *app)
{
	return app->config->rate_limits ? GB_ERR_INTERNAL : GB_OK;
}

enum gb_err
gb_limit_count(const struct gb_app *app, struct gb_call *call, enum gb_limit_window window,
    const char *whose)
{
	const struct window *w = &windows[window];
	unsigned char fingerprint[GB_FINGERPRINT_LEN];
	struct gb_counter *counter;
	enum gb_err err;

	if (app->limit == NULL)
		return uncounted(app);
	window_print(app, window, whose, fingerprint);
	if ((err = gb_counter_take(app->limit, fingerprint, call->now, &counter)) != GB_OK)
		return err;
	if (counter->count >= w->max) {
		call->retry_after_s = counter->at + w->span_s - call->now;
		err = GB_ERR_RATE_LIMITED;
	} else {
		counter->life_s = w->span_s;
		counter->count++;
	}
	gb_counter_release(app->limit, counter);
	return err;
}

/* What was counted for the address of somebody who then proved to be right. */
static void
address_uncount(const struct gb_app *app, struct gb_call *call)
{
	unsigned char fingerprint[GB_FINGERPRINT_LEN];
	struct gb_counter *counter;

	window_print(app, GB_LIMIT_SIGN_IN, call->address, fingerprint);
	if (gb_counter_take(app->limit, fingerprint, call->now, &counter) != GB_OK)
		return;
	if (counter->count > 0)
		counter->count--;
	gb_counter_release(app->limit, counter);
}

static void
lockout_key(const unsigned char fingerprint[static GB_FINGERPRINT_LEN], gb_store_key key)
{
	memcpy(key, "l:", 2);
	sodium_bin2hex(key + 2, sizeof(gb_store_key) - 2, fingerprint, GB_FINGERPRINT_LEN);
}

/* Failures 0 when there is none. */
static enum gb_err
lockout_get(const struct gb_app *app, struct gb_call *call,
    const unsigned char fingerprint[static GB_FINGERPRINT_LEN], struct lockout *lockout)
{
	struct gb_record record;
	gb_store_key key;
	enum gb_err err;

	*lockout = (struct lockout){ 0 };
	lockout_key(fingerprint, key);
	if ((err = gb_store_get(app->store, key, call->now, call->arena, &record)) != GB_OK)
		return err;
	lockout->version = record.version;
	if (record.value == NULL)
		return GB_OK;
	if (record.value_len != LOCKOUT_LEN || record.value[0] != LOCKOUT_FORMAT)
		return GB_ERR_STORE_UNAVAILABLE;
	for (unsigned i = 1; i < 5; i++)
		lockout->failures = lockout->failures << 8 | record.value[i];
	for (unsigned i = 5; i < LOCKOUT_LEN; i++)
		lockout->at = lockout->at << 8 | record.value[i];
	return GB_OK;
}

static void
lockout_change(struct gb_commit *commit, const char *key, const struct lockout *there, uint32_t failures,
    int64_t now)
{
	unsigned char value[LOCKOUT_LEN] = { LOCKOUT_FORMAT };

	if (failures == 0) {
		gb_commit_delete(commit, key, there->version);
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		value[1 + i] = (unsigned char)(failures >> (24 - 8 * i));
	for (unsigned i = 0; i < 8; i++)
		value[5 + i] = (unsigned char)((uint64_t)now >> (56 - 8 * i));
	gb_commit_put(commit, key, there->version, value, sizeof value, now + FAILURES_LIFE_S);
}

/*
 * Keeps a lock-out over a reboot, or (failures 0) forgets it. The table holds it in any
 * case: a store that fails here changes no answer.
 */
static void
lockout_put(const struct gb_app *app, struct gb_call *call,
    const unsigned char fingerprint[static GB_FINGERPRINT_LEN], uint32_t failures)
{
	struct lockout there;
	struct gb_commit commit;
	unsigned round = 0;
	gb_store_key key;
	enum gb_err err;

	lockout_key(fingerprint, key);
	do {
		if ((err = lockout_get(app, call, fingerprint, &there)) != GB_OK)
			return;
		if (failures == 0 ? there.failures == 0 : failures < there.failures)
			return;
		gb_commit_begin(&commit, call->arena);
		lockout_change(&commit, key, &there, failures, call->now);
		err = gb_commit_run(&commit, app->store, call->now);
	} while (gb_again(&round, &err));
}

static int64_t
wait_s(uint32_t failures)
{
	uint32_t doublings = failures - FREE_FAILURES;

	if (failures < FREE_FAILURES)
		return 0;
	return doublings < 10 && INT64_C(1) << doublings < WAIT_MAX_S ? INT64_C(1) << doublings : WAIT_MAX_S;
}

static void
attempt_print(const struct gb_app *app, const struct gb_call *call, enum gb_attempt_kind kind,
    const char *whose, bool known_block, unsigned char fingerprint[static GB_FINGERPRINT_LEN])
{
	char block[64];
	const char *parts[] = { attempt_labels[kind], whose, block };

	gb_address_block(call->address, 24, block);
	gb_state_fingerprint(app->state, "attempt", parts, known_block ? 3 : 2, fingerprint);
}

/* Counts a failure ahead of the proof, or says how long to wait. */
static enum gb_err
failure_count(const struct gb_app *app, struct gb_call *call, const struct lockout *lockout,
    struct gb_attempt *attempt)
{
	struct gb_counter *counter;
	int64_t left_s;
	enum gb_err err;

	if ((err = gb_counter_take(app->limit, attempt->fingerprint, call->now, &counter)) != GB_OK)
		return err;
	if (counter->count < lockout->failures) {
		counter->count = lockout->failures;
		counter->at = lockout->at < call->now ? lockout->at : call->now;
		counter->life_s = FAILURES_LIFE_S;
	}
	attempt->before_count = counter->count;
	attempt->before_at = counter->at;
	left_s = counter->at + wait_s(counter->count) - call->now;
	if (counter->count >= FREE_FAILURES && left_s > 0) {
		call->retry_after_s = left_s;
		err = GB_ERR_RATE_LIMITED;
	} else {
		counter->count++;
		counter->at = call->now;
		counter->life_s = FAILURES_LIFE_S;
		attempt->counted = true;
	}
	gb_counter_release(app->limit, counter);
	return err;
}

enum gb_err
gb_limit_begin(const struct gb_app *app, struct gb_call *call, enum gb_attempt_kind kind,
    const char *whose, bool known_block, struct gb_attempt *attempt)
{
	struct lockout lockout;
	enum gb_err err;

	*attempt = (struct gb_attempt){ .kind = kind };
	if (app->limit == NULL)
		return uncounted(app);
	attempt_print(app, call, kind, whose, known_block, attempt->fingerprint);
	if ((err = lockout_get(app, call, attempt->fingerprint, &lockout)) != GB_OK)
		return err;
	if (kind != GB_ATTEMPT_NAME) {
		if ((err = gb_limit_count(app, call, GB_LIMIT_SIGN_IN, call->address)) != GB_OK)
			return err;
		attempt->address_counted = true;
	}
	err = failure_count(app, call, &lockout, attempt);
	if (err != GB_OK && attempt->address_counted) {
		address_uncount(app, call);
		attempt->address_counted = false;
	}
	return err;
}

/* As if it had never begun, unless others were counted meanwhile. */
static void
failure_uncount(const struct gb_app *app, struct gb_call *call, const struct gb_attempt *attempt)
{
	struct gb_counter *counter;

	if (gb_counter_take(app->limit, attempt->fingerprint, call->now, &counter) != GB_OK)
		return;
	if (counter->count == attempt->before_count + 1)
		counter->at = attempt->before_at;
	if (counter->count > 0)
		counter->count--;
	gb_counter_release(app->limit, counter);
}

static void
failures_forget(const struct gb_app *app, struct gb_call *call, const struct gb_attempt *attempt)
{
	struct gb_counter *counter;

	if (gb_counter_take(app->limit, attempt->fingerprint, call->now, &counter) == GB_OK) {
		counter->count = 0;
		gb_counter_release(app->limit, counter);
	}
	if (attempt->before_count >= FREE_FAILURES)
		lockout_put(app, call, attempt->fingerprint, 0);
}

void
gb_limit_end(const struct gb_app *app, struct gb_call *call, const struct gb_attempt *attempt,
    enum gb_err verdict)
{
	bool wrong = verdict == GB_ERR_INVALID_CREDENTIALS || verdict == GB_ERR_INVALID_CLIENT ||
	    verdict == GB_ERR_RESET_TOKEN_INVALID;

	if (attempt->address_counted && !wrong)
		address_uncount(app, call);
	if (!attempt->counted)
		return;
	if (verdict == GB_OK)
		failures_forget(app, call, attempt);
	else if (!wrong)
		failure_uncount(app, call, attempt);
	else if (attempt->before_count + 1 >= FREE_FAILURES)
		lockout_put(app, call, attempt->fingerprint, attempt->before_count + 1);
}
