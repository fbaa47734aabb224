/* SPDX-License-Identifier: MIT */
/* mail_format.c: a message as RFC 5322 and MIME want it: CRLF lines, 7-bit, no text of a user in a header. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "mail.h"

#define HEADER_TEXT_MAX	60		/* bytes of a header's text that go out on one line */
#define WORD_BYTES	39		/* of text in one encoded word: 52 characters of base64, 64 in all */
#define LINE_MAX_7BIT	990		/* RFC 5322 s2.1.1: 998 without the line end */
#define LINE_MAX_QP	75		/* RFC 2045 s6.7: 76 with the soft line end's "=" */
#define RANDOM_TEXT	32

struct out {
	struct gb_arena *arena;
	char *bytes;
	size_t len, capacity;
	bool failed;
};

static void
put(struct out *out, const char *bytes, size_t len)
{
	if (out->failed)
		return;
	if (len > out->capacity - out->len) {
		size_t capacity = (out->len + len) * 2 + 1024;
		char *larger = gb_arena_alloc(out->arena, capacity);

		if ((out->failed = larger == NULL))
			return;
		if (out->len > 0)
			memcpy(larger, out->bytes, out->len);
		out->bytes = larger;
		out->capacity = capacity;
	}
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

static void
put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* RFC 2047: encoded words, cut between characters, one a line. */
static void
put_encoded_words(struct out *out, const char *text)
{
	size_t left = strlen(text), len;
	char base64[(WORD_BYTES + 2) / 3 * 4 + 1];

	for (; left > 0 && !out->failed; text += len, left -= len) {
		for (len = left < WORD_BYTES ? left : WORD_BYTES; len > 1 && len < left && (text[len] & 0xc0) == 0x80; len--)
			;
		sodium_bin2base64(base64, sizeof base64, (const unsigned char *)text, len,
		    sodium_base64_VARIANT_ORIGINAL);
		put_text(out, "=?UTF-8?B?");
		put_text(out, base64);
		put_text(out, len < left ? "?=\r\n " : "?=");
	}
}

static void
put_header_text(struct out *out, const char *text)
{
	if (is_plain(text) && strlen(text) <= HEADER_TEXT_MAX && strstr(text, "=?") == NULL)
		put_text(out, text);
	else
		put_encoded_words(out, text);
}

/* A display name: a quoted string where it is plain (RFC 5322 s3.2.4). */
static void
put_display_name(struct out *out, const char *name)
{
	if (!is_plain(name) || strlen(name) > HEADER_TEXT_MAX || strpbrk(name, "\"\\") != NULL) {
		put_encoded_words(out, name);
		return;
	}
	put_text(out, "\"");
	put_text(out, name);
	put_text(out, "\"");
}

/* Not strftime: the names of days and months would follow the locale. */
static void
put_date(struct out *out, int64_t now)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)now;
	struct tm tm;
	char text[64];

	if (gmtime_r(&seconds, &tm) == NULL) {
		out->failed = true;
		return;
	}
	snprintf(text, sizeof text, "%.3s, %02d %.3s %d %02d:%02d:%02d +0000", days + 3 * tm.tm_wday, tm.tm_mday,
	    months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	put_text(out, text);
}

static void
random_text(char text[static RANDOM_TEXT + 1])
{
	unsigned char bytes[RANDOM_TEXT / 2];

	randombytes_buf(bytes, sizeof bytes);
	sodium_bin2hex(text, RANDOM_TEXT + 1, bytes, sizeof bytes);
}

static void
put_headers(struct out *out, const struct gb_config *config, const struct gb_message *message, int64_t now)
{
	const char *from = gb_mail_sender(config);
	char id[RANDOM_TEXT + 1];

	random_text(id);
	put_text(out, "Date: ");
	put_date(out, now);
	put_text(out, "\r\nFrom: ");
	put_display_name(out, config->site_name);
	put_text(out, " <");
	put_text(out, from);
	put_text(out, ">\r\nTo: ");
	put_text(out, message->to);
	put_text(out, "\r\nSubject: ");
	put_header_text(out, message->subject);
	put_text(out, "\r\nMessage-ID: <");
	put_text(out, id);
	put_text(out, strchr(from, '@'));
	/* RFC 3834 s5: nobody's absence note shall answer */
	put_text(out, ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
}

/* Plain ASCII in short lines goes out as it is: then a link can be copied from the raw message. */
static bool
fits_7bit(const char *text)
{
	for (size_t line = 0; *text != '\0'; text++) {
		line = *text == '\n' ? 0 : line + 1;
		if (line > LINE_MAX_7BIT || ((*text < 0x20 || *text > 0x7e) && *text != '\n' && *text != '\t'))
			return false;
	}
	return true;
}

static void
put_lines(struct out *out, const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		put(out, text, len);
		put_text(out, "\r\n");
	}
}

/* RFC 2045 s6.7: one byte as it may stand before `next`; returns the characters written. */
static size_t
quoted(unsigned char byte, char next, char text[static 4])
{
	bool literal = (byte >= 0x21 && byte <= 0x7e && byte != '=') ||
	    ((byte == ' ' || byte == '\t') && next != '\n' && next != '\0');

	return (size_t)snprintf(text, 4, literal ? "%c" : "=%02X", byte);
}

static void
put_quoted_printable(struct out *out, const char *text)
{
	size_t column = 0, len;
	char character[4];

	for (; *text != '\0'; text++) {
		if (*text == '\n') {
			put_text(out, "\r\n");
			column = 0;
			continue;
		}
		len = quoted((unsigned char)*text, text[1], character);
		if (column + len > LINE_MAX_QP) {
			put_text(out, "=\r\n");
			column = 0;
		}
		put(out, character, len);
		column += len;
	}
	if (column > 0)
		put_text(out, "\r\n");
}

static void
put_part(struct out *out, const char *subtype, const char *text)
{
	bool plain = fits_7bit(text);

	put_text(out, "Content-Type: text/");
	put_text(out, subtype);
	put_text(out, "; charset=utf-8\r\nContent-Transfer-Encoding: ");
	put_text(out, plain ? "7bit\r\n\r\n" : "quoted-printable\r\n\r\n");
	(plain ? put_lines : put_quoted_printable)(out, text);
}

static void
put_boundary(struct out *out, const char *boundary, const char *end)
{
	put_text(out, "--");
	put_text(out, boundary);
	put_text(out, end);
}

const char *
gb_mail_format(const struct gb_config *config, const struct gb_message *message, int64_t now,
    struct gb_arena *arena, size_t *len)
{
	struct out out = { .arena = arena };
	char boundary[RANDOM_TEXT + 1];

	random_text(boundary);
	put_headers(&out, config, message, now);
	if (message->html == NULL) {
		put_part(&out, "plain", message->text);
	} else {
		put_text(&out, "Content-Type: multipart/alternative; boundary=\"");
		put_text(&out, boundary);
		put_text(&out, "\"\r\n\r\n");
		put_boundary(&out, boundary, "\r\n");
		put_part(&out, "plain", message->text);
		put_boundary(&out, boundary, "\r\n");
		put_part(&out, "html", message->html);
		put_boundary(&out, boundary, "--\r\n");
	}
	*len = out.len;
	put(&out, "", 1);
	return out.failed ? NULL : out.bytes;
}
