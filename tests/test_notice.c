/* SPDX-License-Identifier: MIT */
/* Mail to an account that an event brings about: in its owner's language, and never lost without a word. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "mail_log.h"
#include "notice.h"
#include "policy.h"

static struct policy p;
static struct gb_user ann;

static void
setup(void)
{
	policy_open(&p);
	policy_user(&p, "42", "ann@example.org", "ann", &ann);
	snprintf(ann.language, sizeof ann.language, "es");
}

static void
teardown(void)
{
	policy_close(&p);
}

TestSuite(notice, .init = setup, .fini = teardown, .timeout = 30);

static void
queued(struct gb_spool_entry *entry)
{
	gb_spool_name names[2];
	size_t len;

	cr_assert_eq(gb_spool_names(p.app.state, POLICY_NOW, names, 2, &len), GB_OK);
	cr_assert_eq(len, 1);
	cr_assert_eq(gb_spool_read(p.app.state, names[0], p.call.arena, entry), GB_OK);
}

static const char *
log_text(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	const char *copy;

	gb_mail_log_tail(&p.config, out, 5);
	fclose(out);
	copy = gb_arena_copy(p.call.arena, text, len);
	free(text);
	return copy;
}

Test(notice, is_for_the_owner_in_his_language_and_names_who_acted)
{
	struct gb_spool_entry entry;

	p.call.language = "de";
	cr_assert_eq(gb_notice_put(&p.app, &p.call, GB_MAIL_NOTICE_PASSWORD, &ann), GB_OK);
	queued(&entry);
	cr_expect_eq(entry.kind, GB_MAIL_NOTICE_PASSWORD);
	cr_expect_str_eq(entry.email, "ann@example.org");
	cr_expect_str_eq(entry.user_id, "42");
	cr_expect_str_eq(entry.language, "es");
	cr_expect_str_eq(entry.address, "192.0.2.7");
	cr_expect_str_eq(entry.device, "Firefox on Linux");
	cr_expect_str_empty(log_text());
}

Test(notice, is_in_the_language_of_the_request_where_the_owners_is_not_known)
{
	struct gb_spool_entry entry;

	ann.language[0] = '\0';
	p.call.language = "de";
	cr_assert_eq(gb_notice_put(&p.app, &p.call, GB_MAIL_NOTICE_DEVICE, &ann), GB_OK);
	queued(&entry);
	cr_expect_str_eq(entry.language, "de");
}

Test(notice, is_left_out_where_notices_are_off_but_a_link_is_not)
{
	p.config.notice_mails = false;
	for (enum gb_mail_kind kind = GB_MAIL_NOTICE_PASSWORD; kind < GB_MAIL__COUNT; kind++)
		cr_expect_eq(gb_notice_put(&p.app, &p.call, kind, &ann), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_NOTICE_PASSWORD), 0);
	cr_assert_eq(gb_notice_put(&p.app, &p.call, GB_MAIL_VERIFY, &ann), GB_OK);
	cr_expect_eq(policy_mails(&p, GB_MAIL_VERIFY), 1);
}

Test(notice, that_finds_no_place_stands_in_the_log_without_its_address)
{
	char spool[FOLDER_MAX + 32], gone[FOLDER_MAX + 32];

	snprintf(spool, sizeof spool, "%s/spool", p.directory);
	snprintf(gone, sizeof gone, "%s/gone", p.directory);
	cr_assert_eq(rename(spool, gone), 0);
	cr_expect_eq(gb_notice_put(&p.app, &p.call, GB_MAIL_NOTICE_PASSWORD, &ann), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_not_null(strstr(log_text(), "Z lost kind=notice-password to="), "%s", log_text());
	cr_expect_not_null(strstr(log_text(), " tries=0 the spool cannot be read\n"), "%s", log_text());
	cr_expect_null(strstr(log_text(), "ann@"));
	cr_assert_eq(rename(gone, spool), 0);
	cr_expect_eq(gb_notice_put(&p.app, &p.call, GB_MAIL_NOTICE_PASSWORD, &ann), GB_OK);
}
