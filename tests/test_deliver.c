/* SPDX-License-Identifier: MIT */
/* What the deliverer makes of spool entries: whom it writes to, what it drops, what it tries again. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "link.h"
#include "mail_log.h"
#include "mailbox.h"
#include "policy.h"
#include "user.h"

static struct policy p;
static struct gb_user ann;
static char program[FOLDER_MAX + 16];

static void
setup(void)
{
	policy_open(&p);
	p.config.mail_transport = GB_TRANSPORT_FILE;
	policy_user(&p, "42", "ann@example.org", "ann", &ann);
	snprintf(program, sizeof program, "%s/sendmail", p.base);
}

static void
teardown(void)
{
	policy_close(&p);
}

TestSuite(deliver, .init = setup, .fini = teardown, .timeout = 30);

static void
put(enum gb_mail_kind kind, const char *email)
{
	struct gb_spool_entry entry = { .kind = kind, .user_id = "42" };

	snprintf(entry.email, sizeof entry.email, "%s", email);
	if (kind == GB_MAIL_CHANGE_EMAIL)
		snprintf(entry.target, sizeof entry.target, "new@example.org");
	cr_assert_eq(gb_spool_put(&p.app, &p.call, &entry), GB_OK);
}

static size_t
flush(size_t left_expected)
{
	size_t sent, left;

	cr_assert_eq(gb_spool_flush(&p.app, p.call.now, &sent, &left), GB_OK);
	cr_expect_eq(left, left_expected, "%zu left", left);
	return sent;
}

static struct gb_user
stored(void)
{
	struct gb_user user;

	cr_assert_eq(gb_user_get(p.app.store, "42", p.call.now, p.call.arena, &user), GB_OK);
	return user;
}

static void
store(struct gb_user *user)
{
	struct gb_commit commit;

	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_user(&commit, user);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
}

static enum gb_err
find(enum gb_link_kind kind, const char *token)
{
	const struct gb_link_proof proof = { .token = token };
	struct gb_found_link found;

	return gb_link_find(&p.app, &p.call, kind, &proof, &found);
}

static const char *
log_text(void)
{
	static char text[4096];
	FILE *out = fmemopen(text, sizeof text, "w");

	gb_mail_log_tail(&p.config, out, 10);
	fclose(out);
	return text;
}

/* A program in sendmail's place that ends with this code; "input" holds the last message. */
static void
sendmail_ends(int code)
{
	FILE *file = fopen(program, "w");

	cr_assert_not_null(file);
	fprintf(file, "#!/bin/sh\ncat >%s/input\necho %d says the server\nexit %d\n", p.base, code, code);
	fclose(file);
	chmod(program, 0700);
	p.config.mail_transport = GB_TRANSPORT_SENDMAIL;
	p.config.sendmail = program;
	p.config.mail_from = "noreply@example.org";
}

static void
settle(void)
{
	if (mailbox_count(&p) > 0)
		mailbox_take(&p);
}

Test(deliver, writes_to_an_account_with_a_link_and_a_code_that_work)
{
	struct gb_link_proof by_code = { .email = "ann@example.org" };
	struct gb_found_link found;
	const char *message;

	put(GB_MAIL_RESET, "ann@example.org");
	cr_assert_eq(flush(0), 1);
	message = mailbox_take(&p);
	cr_expect_not_null(strstr(message, "To: ann@example.org\r\n"));
	cr_expect_eq(find(GB_LINK_RESET, mailbox_token(&p, message)), GB_OK);
	by_code.code = mailbox_code(&p, message);
	cr_assert_not_null(by_code.code);
	cr_expect_eq(gb_link_find(&p.app, &p.call, GB_LINK_RESET, &by_code, &found), GB_OK);
	cr_expect_not_null(strstr(log_text(), " sent kind=reset "));
}

Test(deliver, drops_requests_for_unknown_and_locked_accounts)
{
	put(GB_MAIL_RESET, "nobody@example.org");
	cr_expect_eq(flush(0), 0);
	ann.locked = true;
	store(&ann);
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(0), 0);
	cr_expect_eq(mailbox_count(&p), 0);
	ann = stored();
	ann.locked = false;
	store(&ann);
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(0), 1);
	cr_expect_eq(mailbox_count(&p), 1);
}

Test(deliver, drops_a_second_request_within_a_minute_and_not_after_it)
{
	put(GB_MAIL_RESET, "ann@example.org");
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(0), 1);
	settle();
	p.call.now += 59;
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(0), 0);
	p.call.now += 1;
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(0), 1);
}

Test(deliver, sends_three_an_hour_to_one_address)
{
	policy_limits(&p);
	for (int i = 0; i < 5; i++, p.call.now += 61) {
		put(GB_MAIL_RESET, "ann@example.org");
		cr_expect_eq(flush(0), i < 3 ? 1 : 0, "%d", i);
		settle();
	}
	/* the other kind has its own count, and so has another hour */
	ann = stored();
	ann.email_verified = false;
	store(&ann);
	put(GB_MAIL_VERIFY, "ann@example.org");
	cr_expect_eq(flush(0), 1);
	settle();
	p.call.now += 3600;
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(0), 1);
}

Test(deliver, writes_about_verification_only_to_the_unverified)
{
	put(GB_MAIL_VERIFY, "ann@example.org");
	cr_expect_eq(flush(0), 0);
	ann.email_verified = false;
	store(&ann);
	put(GB_MAIL_VERIFY, "ann@example.org");
	cr_expect_eq(flush(0), 1);
	cr_expect_eq(find(GB_LINK_VERIFY_EMAIL, mailbox_token(&p, mailbox_take(&p))), GB_OK);
}

Test(deliver, writes_in_the_language_of_the_account_else_of_the_request)
{
	p.call.language = "es";
	put(GB_MAIL_RESET, "ann@example.org");
	cr_assert_eq(flush(0), 1);
	cr_expect_not_null(strstr(mailbox_take(&p), "Alguien, esperamos que usted"));
	ann = stored();
	snprintf(ann.language, sizeof ann.language, "de");
	store(&ann);
	p.call.now += 60;
	put(GB_MAIL_RESET, "ann@example.org");
	cr_assert_eq(flush(0), 1);
	cr_expect_not_null(strstr(mailbox_take(&p), "Jemand, hoffentlich Sie"));
}

static void
pending(const char *id, const char *email)
{
	struct gb_pending waiting = { .created_at = POLICY_NOW, .expires_at = POLICY_NOW + 86400 };
	struct gb_spool_entry entry = { .kind = GB_MAIL_PENDING };
	struct gb_commit commit;

	snprintf(waiting.id, sizeof waiting.id, "%s", id);
	snprintf(waiting.email, sizeof waiting.email, "%s", email);
	gb_commit_begin(&commit, p.call.arena);
	gb_commit_put_pending(&commit, &waiting);
	cr_assert_eq(gb_commit_run(&commit, p.app.store, p.call.now), GB_OK);
	snprintf(entry.email, sizeof entry.email, "%s", email);
	snprintf(entry.pending_id, sizeof entry.pending_id, "%s", id);
	cr_assert_eq(gb_spool_put(&p.app, &p.call, &entry), GB_OK);
}

Test(deliver, sends_a_registration_its_link)
{
	pending("AAAAAAAAAAAAAAAAAAAAAA", "bob@example.org");
	cr_expect_eq(flush(0), 1);
	cr_expect_eq(find(GB_LINK_VERIFY_EMAIL, mailbox_token(&p, mailbox_take(&p))), GB_OK);
}

/* The owner of a taken address hears of it; whoever registered never knows. */
Test(deliver, drops_a_registration_of_a_taken_address_and_tells_its_owner)
{
	struct gb_pending gone;
	const char *message;

	pending("AAAAAAAAAAAAAAAAAAAAAA", "ann@example.org");
	cr_expect_eq(flush(0), 1);
	message = mailbox_take(&p);
	cr_expect_null(mailbox_token(&p, message));
	cr_expect_not_null(strstr(message, "You have an account there already"));
	cr_expect_eq(gb_pending_get(p.app.store, "AAAAAAAAAAAAAAAAAAAAAA", p.call.now, p.call.arena, &gone), GB_ERR_NOT_FOUND);
	p.config.notice_mails = false;
	pending("BBBBBBBBBBBBBBBBBBBBBA", "ann@example.org");
	cr_expect_eq(flush(0), 0);
	cr_expect_eq(gb_pending_get(p.app.store, "BBBBBBBBBBBBBBBBBBBBBA", p.call.now, p.call.arena, &gone), GB_ERR_NOT_FOUND);
}

Test(deliver, sends_a_change_of_address_to_the_new_one_while_it_is_wanted)
{
	struct gb_user bob;

	put(GB_MAIL_CHANGE_EMAIL, "ann@example.org");
	cr_expect_eq(flush(0), 0, "nobody has asked");
	gb_link_intend(&ann, "new@example.org", p.call.now);
	store(&ann);
	put(GB_MAIL_CHANGE_EMAIL, "old@example.org");
	cr_expect_eq(flush(0), 0, "the address was changed meanwhile");
	put(GB_MAIL_CHANGE_EMAIL, "ann@example.org");
	cr_expect_eq(flush(0), 1);
	cr_expect_eq(mailbox_count(&p), 1);
	cr_expect_not_null(strstr(mailbox_take(&p), "To: new@example.org\r\n"));
	policy_user(&p, "43", "new@example.org", NULL, &bob);
	put(GB_MAIL_CHANGE_EMAIL, "ann@example.org");
	cr_expect_eq(flush(0), 0, "the new address is taken");
}

Test(deliver, sends_notices_without_any_link_to_spend)
{
	static const enum gb_mail_kind kinds[] = {
		GB_MAIL_NOTICE_PASSWORD, GB_MAIL_NOTICE_EMAIL, GB_MAIL_NOTICE_DEVICE, GB_MAIL_NOTICE_REUSE
	};
	const char *message;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		put(kinds[i], "ann@example.org");
		cr_expect_eq(flush(0), 1);
		message = mailbox_take(&p);
		cr_expect_null(mailbox_token(&p, message));
		cr_expect_not_null(strstr(message, "Firefox on Linux, 192.0.2.7"), "%s", message);
	}
}

Test(deliver, tries_again_later_with_a_fresh_link_each_time)
{
	sendmail_ends(75);
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(1), 0);
	cr_expect_eq(stored().links_len, 1);
	cr_expect_not_null(strstr(log_text(), " later kind=reset "));
	cr_expect_not_null(strstr(log_text(), " tries=1 sendmail ended with 75: 75 says the server"), "%s", log_text());
	p.call.now += 59;
	cr_expect_eq(flush(1), 0);
	cr_expect_eq(stored().links_len, 1, "not due yet");
	p.call.now += 1;
	cr_expect_eq(flush(1), 0);
	cr_expect_eq(stored().links_len, 2, "a retry makes a new one, within the minute too");
	sendmail_ends(0);
	p.call.now += 119;
	cr_expect_eq(flush(1), 0);
	p.call.now += 1;
	cr_expect_eq(flush(0), 1);
}

/* `guardbee mail flush` does not wait for a retry's time. */
Test(deliver, tries_again_at_once_when_told_so)
{
	sendmail_ends(75);
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(1), 0);
	sendmail_ends(0);
	cr_expect_eq(flush(1), 0);
	cr_assert_eq(gb_spool_hurry(p.app.state, p.call.now), GB_OK);
	cr_expect_eq(flush(0), 1);
	cr_expect_not_null(strstr(log_text(), " sent kind=reset "));
	cr_expect_not_null(strstr(log_text(), " tries=2"));
}

Test(deliver, drops_what_is_refused_for_good)
{
	sendmail_ends(67);
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(0), 0);
	cr_expect_not_null(strstr(log_text(), " dropped kind=reset "));
}

/* Of both a change of address names, whatever a server repeats of them. */
Test(deliver, keeps_addresses_out_of_the_log)
{
	FILE *file;

	sendmail_ends(67);
	cr_assert_not_null(file = fopen(program, "w"));
	fprintf(file, "#!/bin/sh\necho no NEW@example.org here, ann@example.org\nexit 67\n");
	fclose(file);
	gb_link_intend(&ann, "new@example.org", p.call.now);
	store(&ann);
	put(GB_MAIL_CHANGE_EMAIL, "ann@example.org");
	cr_expect_eq(flush(0), 0);
	cr_expect_not_null(strstr(log_text(), " dropped kind=change-email "), "%s", log_text());
	cr_expect_not_null(strstr(log_text(), "no *************** here, ***************"), "%s", log_text());
}

Test(deliver, gives_up_after_a_day_or_ten_tries)
{
	int flushes = 0;

	sendmail_ends(75);
	put(GB_MAIL_RESET, "ann@example.org");
	p.call.now += GB_SPOOL_KEEP_S;
	cr_expect_eq(flush(0), 0, "too old");
	p.call.now += 60;
	put(GB_MAIL_RESET, "ann@example.org");
	for (size_t left = 1, sent; left > 0; flushes++, p.call.now += 3600)
		cr_assert_eq(gb_spool_flush(&p.app, p.call.now, &sent, &left), GB_OK);
	cr_expect_eq(flushes, GB_SPOOL_TRIES);
}

Test(deliver, keeps_what_the_store_cannot_answer_for)
{
	put(GB_MAIL_RESET, "ann@example.org");
	store_memory_fail(p.memory, STORE_MEMORY_GET, 1, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(flush(1), 0);
	p.call.now += 60;
	store_memory_fail(p.memory, STORE_MEMORY_COMMIT, 1, STORE_MEMORY_UNAVAILABLE);
	cr_expect_eq(flush(1), 0);
	p.call.now += 120;
	cr_expect_eq(flush(0), 1);
}

Test(deliver, drops_a_file_that_is_no_entry_and_goes_on)
{
	FILE *file = fopen(gb_arena_printf(p.call.arena, "%s/spool/000000000005.00.000000000005.00000000000000ff", p.directory), "w");

	fputs("rubbish", file);
	fclose(file);
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(0), 1);
	cr_expect_not_null(strstr(log_text(), " dropped not a spool entry"));
}

Test(deliver, goes_through_more_than_a_batch)
{
	for (int i = 0; i < 150; i++)
		put(GB_MAIL_RESET, "nobody@example.org");
	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(flush(0), 1);
}

Test(deliver, leaves_the_work_to_one_process)
{
	int lock = gb_spool_lock(p.app.state);
	size_t sent, left;

	put(GB_MAIL_RESET, "ann@example.org");
	cr_expect_eq(gb_spool_flush(&p.app, p.call.now, &sent, &left), GB_ERR_BUSY);
	close(lock);
	cr_expect_eq(flush(0), 1);
}
