/* SPDX-License-Identifier: MIT */
/* Messages: their bytes, their words in every language, and the ways out that need no server. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "folder.h"
#include "letter.h"
#include "mail_transport.h"
#include "text.h"

#define NOW INT64_C(1795507200)		/* Tue, 24 Nov 2026 08:00:00 UTC */

static char folder[FOLDER_MAX], state_path[FOLDER_MAX + 8], program[FOLDER_MAX + 16], why[300];
static struct gb_state *state;
static struct gb_arena *arena;
static struct gb_config config;
static bool permanent;

static void
setup(void)
{
	folder_make(folder);
	snprintf(state_path, sizeof state_path, "%s/state", folder);
	snprintf(program, sizeof program, "%s/sendmail", folder);
	cr_assert_eq(gb_state_open(state_path, why, sizeof why, &state), GB_OK, "%s", why);
	arena = gb_arena_new();
	config = (struct gb_config){
		.state = state_path, .site_name = "Bee", .mail_from = "noreply@bee.example", .email_ttl_s = 1800,
		.frontend_url = "https://bee.example", .mail_transport = GB_TRANSPORT_SENDMAIL, .sendmail = program,
	};
}

static void
teardown(void)
{
	gb_arena_free(arena);
	gb_state_close(state);
	folder_remove(folder);
}

TestSuite(mail, .init = setup, .fini = teardown, .timeout = 20);

static const struct gb_message plain = { "ann@example.org", "Hello", "one\ntwo\n", NULL };

static const char *
formatted(const struct gb_message *message)
{
	size_t len;
	const char *bytes = gb_mail_format(&config, message, NOW, arena, &len);

	cr_assert_not_null(bytes);
	cr_assert_eq(strlen(bytes), len);
	return bytes;
}

static char *
file_text(const char *name)
{
	char *text = gb_arena_alloc(arena, 65536);
	FILE *file;

	cr_assert_not_null(file = fopen(gb_arena_printf(arena, "%s/%s", folder, name), "r"), "%s", name);
	text[fread(text, 1, 65535, file)] = '\0';
	fclose(file);
	return text;
}

/* A program in sendmail's place that keeps what it got. */
static void
sendmail_is(const char *end)
{
	FILE *file;

	cr_assert_not_null(file = fopen(program, "w"));
	fprintf(file, "#!/bin/sh\nfor a in \"$@\"; do printf '<%%s>' \"$a\"; done >%s/argv\ncat >%s/input\n"
	    "env | sort >%s/env\nls /proc/self/fd | tr '\\n' ' ' >%s/fds\n%s\n", folder, folder, folder, folder, end);
	fclose(file);
	chmod(program, 0700);
}

static enum gb_err
send_to(const char *to)
{
	struct gb_message message = plain;

	message.to = to;
	return gb_mail_send(&config, state, &message, NOW, &permanent, why, sizeof why);
}

Test(mail, formats_the_headers_of_a_plain_message)
{
	const char *bytes = formatted(&plain), *head = "Date: Tue, 24 Nov 2026 08:00:00 +0000\r\n"
	    "From: \"Bee\" <noreply@bee.example>\r\nTo: ann@example.org\r\nSubject: Hello\r\nMessage-ID: <";

	cr_assert_eq(strncmp(bytes, head, strlen(head)), 0, "%s", bytes);
	cr_assert_not_null(strstr(bytes, "@bee.example>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\none\r\ntwo\r\n"));
}

Test(mail, ends_every_line_with_crlf_and_stays_in_7_bits)
{
	struct gb_message message = { "ann@example.org", "Grüße", "Grüße\n=\n\ttab \n", "<p>Grüße</p>\n" };

	for (const char *c = formatted(&message); *c != '\0'; c++) {
		cr_assert((unsigned char)*c < 0x80);
		cr_assert(*c != '\r' || c[1] == '\n');
		cr_assert(c[1] != '\n' || *c == '\r');
	}
}

/* Whoever tries guardbee copies the link out of the file: it must not be cut. */
Test(mail, leaves_a_long_link_on_one_line_of_an_ascii_message)
{
	char link[901];
	struct gb_message message = plain;

	memset(link, 'x', sizeof link - 1);
	link[sizeof link - 1] = '\0';
	message.text = gb_arena_printf(arena, "See\n\nhttps://bee.example/?token=%s\n", link);
	cr_assert_not_null(strstr(formatted(&message), gb_arena_printf(arena, "\r\n\r\nhttps://bee.example/?token=%s\r\n", link)));
}

Test(mail, cuts_what_is_too_long_or_not_ascii_into_quoted_printable)
{
	char word[1001];
	struct gb_message message = plain;
	const char *body, *end;

	memset(word, 'x', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	message.text = word;
	body = strstr(formatted(&message), "quoted-printable\r\n\r\n") + 20;
	for (; *body != '\0'; body = end + 2) {
		end = strstr(body, "\r\n");
		cr_assert_leq(end - body, 76);
	}
	message.text = "ü = ü \n";
	cr_assert_not_null(strstr(formatted(&message), "\r\n\r\n=C3=BC =3D =C3=BC=20\r\n"));
}

Test(mail, encodes_a_subject_and_a_site_name_beyond_ascii)
{
	struct gb_message message = plain;
	const char *bytes;

	config.site_name = "Käfer \"Bee\"";
	message.subject = "Neues Passwort wählen";
	bytes = formatted(&message);
	cr_assert_not_null(strstr(bytes, "From: =?UTF-8?B?S8OkZmVyICJCZWUi?= <noreply@bee.example>\r\n"), "%s", bytes);
	cr_assert_not_null(strstr(bytes, "Subject: =?UTF-8?B?TmV1ZXMgUGFzc3dvcnQgd8OkaGxlbg==?=\r\n"), "%s", bytes);
}

Test(mail, cuts_encoded_words_between_characters_and_below_the_limit)
{
	struct gb_message message = plain;
	const char *line, *end;
	unsigned char word[64];
	char subject[243], whole[243] = "";
	size_t len;

	/* 39 bytes of a word are 13 characters, but for the two before them */
	memcpy(subject, "ab", 2);
	for (size_t i = 0; i < 80; i++)
		memcpy(subject + 2 + 3 * i, "\xe2\x82\xac", 3);
	subject[242] = '\0';
	message.subject = subject;
	line = strstr(formatted(&message), "Subject: ");
	end = strstr(line, "Message-ID");
	for (; line < end; line = strstr(line, "\r\n") + 2) {
		cr_assert_leq(strcspn(line, "\r"), 76);
		cr_assert_eq(sodium_base642bin(word, sizeof word - 1, strstr(line, "?B?") + 3, strcspn(strstr(line, "?B?") + 3, "?"),
		    NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL), 0);
		word[len] = '\0';
		cr_expect_neq(word[0] & 0xc0, 0x80, "a word begins within a character");
		strcat(whole, (char *)word);
	}
	cr_expect_str_eq(whole, subject);
}

/* A header is made of constants, settings and an address that was looked at. */
Test(mail, puts_no_line_end_of_a_setting_into_a_header)
{
	struct gb_message message = plain;
	const char *bytes;

	config.site_name = "Bee\r\nBcc: eve@example.org";
	message.subject = "Hello\nBcc: eve@example.org";
	bytes = formatted(&message);
	cr_assert_null(strstr(bytes, "Bcc"));
	cr_assert_not_null(strstr(bytes, "Subject: =?UTF-8?B?"));
}

Test(mail, sets_text_and_html_as_alternatives)
{
	struct gb_message message = plain;
	const char *bytes, *boundary;
	char name[40] = "";

	message.html = "<p>one</p>\n";
	bytes = formatted(&message);
	boundary = strstr(bytes, "multipart/alternative; boundary=\"");
	cr_assert_not_null(boundary);
	memcpy(name, boundary + 33, 32);
	cr_assert_not_null(strstr(bytes, gb_arena_printf(arena, "\r\n\r\n--%s\r\nContent-Type: text/plain;", name)));
	cr_assert_not_null(strstr(bytes, gb_arena_printf(arena, "two\r\n--%s\r\nContent-Type: text/html;", name)));
	cr_assert_not_null(strstr(bytes, gb_arena_printf(arena, "<p>one</p>\r\n--%s--\r\n", name)));
}

Test(mail, refuses_addresses_that_are_not_one_plain_address)
{
	static const char *const bad[] = {
		"", "a", "@b.co", "a@", "a@b@c.co", "a b@c.co", "a@b.co\r\nBcc: eve@example.org", "a@b.co\n", "a\t@b.co",
		"a@b.co,c@d.co", "a@b.co;c@d.co", "<a@b.co>", "Ann <a@b.co>", "-oQ/tmp@b.co", "\"a b\"@c.co", "a@[127.0.0.1]",
		"a\x7f@b.co", "ä@b.co", "a:b@c.co", "a\\b@c.co", NULL
	};

	sendmail_is("exit 0");
	for (const char *const *to = bad; *to != NULL; to++) {
		cr_expect_eq(send_to(*to), GB_ERR_STORE_UNAVAILABLE, "%s", *to);
		cr_expect(permanent, "%s", *to);
	}
	cr_expect_neq(access(gb_arena_printf(arena, "%s/argv", folder), F_OK), 0, "nothing was started");
	cr_expect_eq(send_to("a@b.co"), GB_OK, "%s", why);
	cr_expect_eq(access(gb_arena_printf(arena, "%s/argv", folder), F_OK), 0);
}

Test(mail, refuses_an_address_over_254_bytes)
{
	char to[300];

	sendmail_is("exit 0");
	memset(to, 'a', sizeof to);
	memcpy(to + 250, "@b.co", 6);
	cr_expect_eq(send_to(to), GB_ERR_STORE_UNAVAILABLE);
	memcpy(to + 249, "@b.co", 6);
	cr_expect_eq(send_to(to), GB_OK, "%s", why);
}

Test(mail, runs_sendmail_with_its_arguments_and_no_shell)
{
	setenv("JWT_KEY", "secret", 1);
	sendmail_is("exit 0");
	cr_assert_eq(send_to("o'neil|id`id`$HOME@example.org"), GB_OK, "%s", why);
	cr_expect_str_eq(file_text("argv"), "<-i><-f><noreply@bee.example><--><o'neil|id`id`$HOME@example.org>");
	cr_expect_null(strchr(file_text("input"), '\r'));
	cr_expect_not_null(strstr(file_text("input"), "\n\none\ntwo\n"));
	cr_expect_null(strstr(file_text("env"), "JWT_KEY"));
	cr_expect_not_null(strstr(file_text("env"), "PATH="));
	/* ls holds one for the folder it lists */
	cr_expect_str_eq(file_text("fds"), "0 1 2 3 ");
}

Test(mail, tells_permanent_from_temporary_by_the_exit_code)
{
	static const struct { int code; bool permanent; } rows[] = {
		{ 64, true }, { 65, true }, { 66, false }, { 67, true }, { 68, true }, { 69, false }, { 70, false },
		{ 71, false }, { 72, false }, { 73, false }, { 74, false }, { 75, false }, { 76, false }, { 77, false },
		{ 78, false }, { 1, false }, { 127, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sendmail_is(gb_arena_printf(arena, "echo no such user >&2; exit %d", rows[i].code));
		cr_expect_eq(send_to("a@b.co"), GB_ERR_STORE_UNAVAILABLE);
		cr_expect_eq(permanent, rows[i].permanent, "%d", rows[i].code);
		cr_expect_str_eq(why, gb_arena_printf(arena, "sendmail ended with %d: no such user ", rows[i].code));
	}
	sendmail_is("exit 0");
	cr_expect_eq(send_to("a@b.co"), GB_OK);
}

Test(mail, survives_a_sendmail_that_is_missing_or_dies_or_reads_nothing)
{
	config.sendmail = "/nowhere/sendmail";
	cr_expect_eq(send_to("a@b.co"), GB_ERR_STORE_UNAVAILABLE);
	cr_expect(!permanent && strstr(why, "No such file") != NULL, "%s", why);
	config.sendmail = program;
	sendmail_is("kill -9 $$");
	cr_expect_eq(send_to("a@b.co"), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_str_eq(why, "sendmail ended by signal 9");
	config.sendmail = "/bin/true";
	cr_expect_eq(send_to("a@b.co"), GB_OK);
}

Test(mail, ends_a_sendmail_that_does_not_end_with_all_it_started)
{
	struct gb_envelope envelope = { "a@b.co", "c@d.co", "x", 1, 1 };
	struct gb_mail_verdict verdict = { false, why, sizeof why };
	time_t before = time(NULL);

	sendmail_is(gb_arena_printf(arena, "(sleep 3; echo late >%s/late) & sleep 60", folder));
	cr_expect_eq(gb_mail_by_sendmail(&config, state, &envelope, NOW, &verdict), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_str_eq(why, "sendmail did not end within 1 s");
	cr_expect(!verdict.permanent);
	cr_expect_leq(time(NULL) - before, 3);
	sleep(3);
	cr_expect_neq(access(gb_arena_printf(arena, "%s/late", folder), F_OK), 0);
}

Test(mail, writes_a_file_of_0600_below_state)
{
	glob_t found;
	struct stat st;

	config.mail_transport = GB_TRANSPORT_FILE;
	config.mail_from = NULL;
	cr_assert_eq(send_to("a@b.co"), GB_OK, "%s", why);
	cr_assert_eq(send_to("a@b.co"), GB_OK, "two in one second");
	cr_assert_eq(glob(gb_arena_printf(arena, "%s/mail/1795507200-*.eml", state_path), 0, NULL, &found), 0);
	cr_expect_eq(found.gl_pathc, 2);
	cr_expect_eq(stat(found.gl_pathv[0], &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	globfree(&found);
}

Test(mail, says_which_setting_smtp_lacks)
{
	config.mail_transport = GB_TRANSPORT_SMTP;
	cr_expect_eq(send_to("a@b.co"), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_str_eq(why, "SMTP_HOST is not set");
	config.mail_from = "not an address";
	cr_expect_eq(send_to("a@b.co"), GB_ERR_STORE_UNAVAILABLE);
	cr_expect_str_eq(why, "MAIL_FROM is not an address");
}

/* Port 9 (discard) on loopback: nobody listens there. */
Test(mail, reports_a_dead_smtp_server_as_temporary)
{
	config.mail_transport = GB_TRANSPORT_SMTP;
	config.smtp_host = "127.0.0.1";
	config.smtp_port = 9;
	cr_expect_eq(send_to("a@b.co"), GB_ERR_STORE_UNAVAILABLE);
	cr_expect(!permanent);
	cr_expect_eq(strncmp(why, "smtp://127.0.0.1:9: ", 20), 0, "%s", why);
}

static const char *const letters[] = {
	"reset", "verify", "pending", "taken", "change-email", "notice-password", "notice-email", "notice-device",
	"notice-reuse", "test", NULL
};
static const char *const languages[] = { "en", "es", "de", NULL };

static struct gb_letter
letter_of(const char *name, const char *language)
{
	return (struct gb_letter){ .name = name, .language = language, .link = "https://bee.example/x?token=a&b=<c>",
		.code = "ABCD-EFGH", .target = "new@example.org", .device = "Firefox on Linux", .address = "192.0.2.7", .at = NOW };
}

Test(mail, has_every_letter_in_every_language_with_the_link_on_its_own_line)
{
	for (const char *const *name = letters; *name != NULL; name++)
		for (const char *const *language = languages; *language != NULL; language++) {
			struct gb_letter letter = letter_of(*name, *language);
			struct gb_message message = { "a@b.co", NULL, NULL, NULL };

			cr_assert_eq(gb_letter_write(&config, &letter, arena, &message), GB_OK, "%s %s", *language, *name);
			cr_expect_not_null(strstr(message.text, "\n\nhttps://bee.example/x?token=a&b=<c>\n"), "%s %s", *language, *name);
			cr_expect_not_null(strstr(message.html, "href=\"https://bee.example/x?token=a&amp;b=&lt;c&gt;\""));
			cr_expect_not_null(strstr(message.subject, "Bee"));
			cr_expect_null(strstr(message.text, "{{"));
			cr_expect_null(strstr(message.html, "{{"));
			cr_expect_null(strstr(message.html, "  \n"));
			formatted(&message);
		}
}

Test(mail, differs_between_languages_and_shows_what_happened)
{
	struct gb_message english, german;
	struct gb_letter letter = letter_of("notice-device", "en");

	cr_assert_eq(gb_letter_write(&config, &letter, arena, &english), GB_OK);
	cr_expect_not_null(strstr(english.text, "\n2026-11-24 08:00 UTC, Firefox on Linux, 192.0.2.7\n"));
	letter = letter_of("notice-device", "de");
	cr_assert_eq(gb_letter_write(&config, &letter, arena, &german), GB_OK);
	cr_expect_not_null(strstr(german.text, "UTC, Firefox auf Linux, 192.0.2.7\n"));
	letter.device = NULL;
	letter.address = "";
	cr_assert_eq(gb_letter_write(&config, &letter, arena, &german), GB_OK);
	cr_expect_not_null(strstr(german.text, "\n2026-11-24 08:00 UTC\n"));
	cr_expect_str_neq(english.subject, german.subject);
}

Test(mail, shows_the_code_where_there_is_one)
{
	struct gb_letter letter = letter_of("reset", "en");
	struct gb_message message;

	cr_assert_eq(gb_letter_write(&config, &letter, arena, &message), GB_OK);
	cr_expect_not_null(strstr(message.text, "\n\nABCD-EFGH\n\n"));
	cr_expect_not_null(strstr(message.html, ">ABCD-EFGH</p>"));
	cr_expect_not_null(strstr(message.text, "within 30 minutes"));
}

/* A browser's name is whatever its owner says: no link and no markup of an outsider in our mail. */
Test(mail, tames_what_a_client_says_about_its_device)
{
	struct gb_letter letter = letter_of("notice-device", "en");
	struct gb_message message;

	letter.device = "<b>evil.example/x</b>\nBcc: x";
	cr_assert_eq(gb_letter_write(&config, &letter, arena, &message), GB_OK);
	cr_expect_not_null(strstr(message.text, ", _b_evil_example_x__b__Bcc: x,"), "%s", message.text);
	cr_expect_null(strstr(message.html, "evil.example"));
}

Test(mail, has_no_letter_of_an_unknown_name_or_language)
{
	struct gb_letter letter = letter_of("resets", "en");
	struct gb_message message;

	cr_expect_eq(gb_letter_write(&config, &letter, arena, &message), GB_ERR_INTERNAL);
	letter = letter_of("reset", "fr");
	cr_expect_eq(gb_letter_write(&config, &letter, arena, &message), GB_ERR_INTERNAL);
	letter = letter_of("reset", gb_text_language("fr, es;q=0.5", "en"));
	cr_expect_eq(gb_letter_write(&config, &letter, arena, &message), GB_OK);
}
