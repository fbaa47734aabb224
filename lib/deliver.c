/* SPDX-License-Identifier: MIT */
/*
 * deliver.c: what becomes of a spool entry: whether there is anybody to write to, a fresh link, a letter,
 * a try at sending it. Only here does guardbee know whether an address that somebody typed has an account.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "letter.h"
#include "limit.h"
#include "link.h"
#include "mail.h"
#include "mail_log.h"
#include "spool.h"
#include "text.h"
#include "user.h"

#define BATCH 64
#define FIRST_DELAY_S 60		/* then twice as long each time */
#define DELAY_MAX_S 3600
#define QUIET_S 60			/* a second request within it is dropped */
#define WHY_MAX 300

struct delivery {
	const struct gb_app *app;
	struct gb_call *call;
	struct gb_spool_entry entry;
	struct gb_user user;
	struct gb_letter letter;
	const char *to;
	const char *reason;		/* why nobody is written to */
};

static enum gb_err
nobody(struct delivery *d, const char *reason)
{
	d->reason = reason;
	return GB_ERR_NOT_FOUND;
}

/* 3 mails an hour to one address by request of whoever knows it; a retry was counted already. */
static enum gb_err
within_limit(struct delivery *d, const char *address)
{
	const char *whose = gb_arena_printf(d->call->arena, "%s %s", gb_mail_kind_name(d->entry.kind), address);
	enum gb_err err = GB_OK;

	if (whose == NULL)
		return GB_ERR_MEMORY;
	if (d->entry.tries == 1)
		err = gb_limit_count(d->app, d->call, GB_LIMIT_FORGOT_ACCOUNT, whose);
	return err == GB_ERR_RATE_LIMITED ? nobody(d, "over the limit of its address") : err;
}

static enum gb_err
found(struct delivery *d, enum gb_err err)
{
	if (err == GB_ERR_NOT_FOUND)
		return nobody(d, "no such account");
	if (err == GB_OK && d->user.locked)
		return nobody(d, "the account is locked");
	if (err == GB_OK && strcmp(d->user.email, d->entry.email) != 0)
		return nobody(d, "the address was changed");
	if (err == GB_OK && d->user.language[0] != '\0')
		d->letter.language = gb_text_language("", d->user.language);
	return err;
}

/* Was a mail of this kind sent just now? A retry of ours is none. */
static bool
is_repeated(const struct delivery *d, enum gb_link_kind kind)
{
	for (size_t i = 0; i < d->user.links_len; i++)
		if (d->entry.tries == 1 && d->user.links[i].kind == kind &&
		    d->user.links[i].created_at > d->call->now - QUIET_S)
			return true;
	return false;
}

static enum gb_err
link_for(struct delivery *d, enum gb_link_kind kind, const char *target)
{
	struct gb_mailed mailed;
	enum gb_err err;

	if ((err = gb_link_issue(d->app, d->call, d->user.id, kind, target, &mailed)) == GB_ERR_NOT_FOUND)
		return nobody(d, "not wanted any more");
	d->letter.link = mailed.url;
	if (err == GB_OK && mailed.code != NULL) {
		d->letter.code = gb_arena_printf(d->call->arena, "%.4s-%s", mailed.code, mailed.code + 4);
		err = d->letter.code != NULL ? GB_OK : GB_ERR_MEMORY;
	}
	return err;
}

static enum gb_err
by_address(struct delivery *d, enum gb_link_kind kind)
{
	enum gb_err err;

	if ((err = found(d, gb_user_find_email(d->app, d->call, d->entry.email, &d->user))) != GB_OK)
		return err;
	if (kind == GB_LINK_VERIFY_EMAIL && d->user.email_verified)
		return nobody(d, "verified already");
	if (is_repeated(d, kind))
		return nobody(d, "a mail was sent within the minute");
	if ((err = within_limit(d, d->entry.email)) != GB_OK)
		return err;
	return link_for(d, kind, NULL);
}

static enum gb_err
prepare_reset(struct delivery *d)
{
	return by_address(d, GB_LINK_RESET);
}

static enum gb_err
prepare_verify(struct delivery *d)
{
	return by_address(d, GB_LINK_VERIFY_EMAIL);
}

static enum gb_err
address_free(struct delivery *d, const char *email)
{
	gb_store_key key;
	uint64_t version;

	gb_key_email(key, email);
	return gb_name_free(d->app->store, key, d->call->now, d->call->arena, &version);
}

static const char *
site_url(const struct delivery *d, const char *page)
{
	return gb_arena_printf(d->call->arena, "%s%s", d->app->config->frontend_url, page);
}

/* A taken address: its registration goes, its owner hears of it. */
static enum gb_err
pending_taken(struct delivery *d)
{
	struct gb_commit commit;
	struct gb_pending pending;
	gb_store_key key;
	enum gb_err err = gb_pending_get(d->app->store, d->entry.pending_id, d->call->now, d->call->arena, &pending);

	if (err == GB_OK) {
		gb_key_pending(key, pending.id);
		gb_commit_begin(&commit, d->call->arena);
		gb_commit_delete(&commit, key, pending.version);
		err = gb_commit_run(&commit, d->app->store, d->call->now);
	}
	if (err != GB_OK && err != GB_ERR_NOT_FOUND)
		return err;
	if (!d->app->config->notice_mails)
		return nobody(d, "the address has an account");
	d->letter.name = "taken";
	d->letter.link = site_url(d, "/forgot-password");
	return d->letter.link != NULL ? GB_OK : GB_ERR_MEMORY;
}

static enum gb_err
prepare_pending(struct delivery *d)
{
	struct gb_mailed mailed;
	enum gb_err err;

	if ((err = within_limit(d, d->entry.email)) != GB_OK)
		return err;
	if ((err = address_free(d, d->entry.email)) == GB_ERR_ACCOUNT_EXISTS)
		return pending_taken(d);
	if (err != GB_OK)
		return err;
	if ((err = gb_link_issue_pending(d->app, d->call, d->entry.pending_id, &mailed)) == GB_ERR_NOT_FOUND)
		return nobody(d, "the registration is gone");
	d->letter.link = mailed.url;
	return err;
}

static enum gb_err
prepare_change_email(struct delivery *d)
{
	enum gb_err err;

	err = found(d, gb_user_get(d->app->store, d->entry.user_id, d->call->now, d->call->arena, &d->user));
	if (err != GB_OK || (err = within_limit(d, d->entry.target)) != GB_OK)
		return err;
	if ((err = address_free(d, d->entry.target)) == GB_ERR_ACCOUNT_EXISTS)
		return nobody(d, "the new address has an account");
	if (err != GB_OK)
		return err;
	d->to = d->letter.target = d->entry.target;
	return link_for(d, GB_LINK_CHANGE_EMAIL, d->entry.target);
}

/* Of something that was done: it goes to the address that was the account's then. */
static enum gb_err
prepare_notice(struct delivery *d)
{
	d->letter.link = site_url(d, "/forgot-password");
	return d->letter.link != NULL ? GB_OK : GB_ERR_MEMORY;
}

static enum gb_err (*const prepare[GB_MAIL__COUNT])(struct delivery *d) = {
	[GB_MAIL_RESET] = prepare_reset,
	[GB_MAIL_VERIFY] = prepare_verify,
	[GB_MAIL_PENDING] = prepare_pending,
	[GB_MAIL_CHANGE_EMAIL] = prepare_change_email,
	[GB_MAIL_NOTICE_PASSWORD] = prepare_notice,
	[GB_MAIL_NOTICE_EMAIL] = prepare_notice,
	[GB_MAIL_NOTICE_DEVICE] = prepare_notice,
	[GB_MAIL_NOTICE_REUSE] = prepare_notice,
};

/* GB_ERR_NOT_FOUND: nobody to write to. */
static enum gb_err
try_send(struct delivery *d, bool *permanent, char *why)
{
	struct gb_message message = { 0 };
	enum gb_err err;

	d->to = d->entry.email;
	d->letter = (struct gb_letter){
		.name = gb_mail_kind_name(d->entry.kind),
		.language = gb_text_language("", d->entry.language),
		.device = d->entry.device,
		.address = d->entry.address,
		.at = d->entry.created_at,
	};
	if ((err = prepare[d->entry.kind](d)) == GB_OK)
		err = gb_letter_write(d->app->config, &d->letter, d->call->arena, &message);
	if (err != GB_OK) {
		snprintf(why, WHY_MAX, "%s", d->reason != NULL ? d->reason : gb_error_cause(err));
		return err;
	}
	message.to = d->to;
	return gb_mail_send(d->app->config, d->app->state, &message, d->call->now, permanent, why, WHY_MAX);
}

static int64_t
delay_s(unsigned tries)
{
	int64_t delay = FIRST_DELAY_S;

	while (tries-- > 1 && delay < DELAY_MAX_S)
		delay *= 2;
	return delay < DELAY_MAX_S ? delay : DELAY_MAX_S;
}

/* Put off before it is tried: a message that kills its deliverer must not be the first of the next one too. */
static enum gb_err
claim(struct delivery *d, gb_spool_name name)
{
	enum gb_err err = gb_spool_read(d->app->state, name, d->call->arena, &d->entry);

	if (err == GB_ERR_MALFORMED) {
		gb_mail_log(d->app->config, d->app->state, d->call->now, "dropped", NULL, "not a spool entry");
		gb_spool_drop(d->app->state, name);
	}
	if (err != GB_OK)
		return err;
	d->entry.tries++;
	return gb_spool_defer(d->app->state, name, d->call->now + delay_s(d->entry.tries));
}

struct tally {
	size_t moved, sent;
};

static void
deliver(const struct gb_app *app, struct gb_call *call, gb_spool_name name, struct tally *tally)
{
	struct delivery d = { .app = app, .call = call };
	char why[WHY_MAX] = "";
	const char *outcome = "sent";
	bool permanent = false;
	enum gb_err err;

	if ((err = claim(&d, name)) != GB_OK) {
		tally->moved += err == GB_ERR_MALFORMED || err == GB_ERR_NOT_FOUND;
		return;
	}
	if ((err = try_send(&d, &permanent, why)) != GB_OK) {
		permanent |= err == GB_ERR_NOT_FOUND || d.entry.tries >= GB_SPOOL_TRIES ||
		    call->now - d.entry.created_at >= GB_SPOOL_KEEP_S;
		outcome = permanent ? "dropped" : "later";
	}
	if (err == GB_OK || permanent)
		gb_spool_drop(app->state, name);
	gb_mail_log(app->config, app->state, call->now, outcome, &d.entry, why);
	tally->moved++;
	tally->sent += err == GB_OK;
}

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Batch by batch, until nothing is due or nothing moves (a folder that cannot be written). */
static enum gb_err
run(const struct gb_app *app, struct gb_arena *arena, int64_t now, size_t *sent)
{
	struct gb_call call = { .arena = arena, .address = "", .user_agent = "", .language = "" };
	int64_t begun_ms = monotonic_ms(), elapsed = 0;
	struct tally tally = { 0, 0 };
	gb_spool_name names[BATCH];
	size_t len = 1;
	enum gb_err err = GB_OK;

	while (err == GB_OK && len > 0 && elapsed < GB_SPOOL_RUN_S) {
		tally.moved = 0;
		err = gb_spool_names(app->state, now + elapsed, names, BATCH, &len);
		for (size_t i = 0; err == GB_OK && i < len && elapsed < GB_SPOOL_RUN_S; i++) {
			call.now = now + elapsed;
			deliver(app, &call, names[i], &tally);
			gb_arena_reset(arena);
			/* whole seconds that have passed, never more: a link dated ahead of the clock is not valid yet */
			elapsed = (monotonic_ms() - begun_ms) / 1000;
		}
		if (len > 0 && tally.moved == 0)
			err = GB_ERR_STORE_UNAVAILABLE;
	}
	*sent = tally.sent;
	return err;
}

enum gb_err
gb_spool_flush(const struct gb_app *app, int64_t now, size_t *sent, size_t *left)
{
	struct gb_arena *arena;
	int64_t oldest_s;
	enum gb_err err;
	int lock;

	*sent = *left = 0;
	if ((lock = gb_spool_lock(app->state)) < 0)
		return GB_ERR_BUSY;
	if ((arena = gb_arena_new()) == NULL) {
		close(lock);
		return GB_ERR_MEMORY;
	}
	gb_spool_sweep(app->state, now);
	err = run(app, arena, now, sent);
	gb_arena_free(arena);
	close(lock);
	return err == GB_OK ? gb_spool_look(app, now, left, &oldest_s) : err;
}
