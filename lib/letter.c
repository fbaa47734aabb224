/* SPDX-License-Identifier: MIT */
/* letter.c: fills the template of a letter twice, as text and as HTML. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "embed.h"
#include "letter.h"
#include "template.h"

/* The first values of the list are known last. */
enum { SUBJECT, BODY };

struct words {
	const char *subject, *button, *body;	/* templates */
};

static const char *
quiet(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

/*
 * What a client says about its device is an outsider's text inside our mail: nothing in it may look
 * like a link or a sentence of ours.
 */
static const char *
tamed(struct gb_arena *arena, const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ()_+-:";
	char *copy;

	if (quiet(text) == NULL || (copy = gb_arena_copy(arena, text, strlen(text))) == NULL)
		return NULL;
	for (char *c = copy; *(c += strspn(c, allowed)) != '\0';)
		*c = '_';
	return copy;
}

static const char *
time_text(struct gb_arena *arena, int64_t at)
{
	time_t seconds = (time_t)at;
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL)
		return NULL;
	return gb_arena_printf(arena, "%04d-%02d-%02d %02d:%02d UTC", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	    tm.tm_hour, tm.tm_min);
}

/* "Subject: text" at *at; steps behind it. */
static const char *
head_line(struct gb_arena *arena, const char *name, const char **at)
{
	size_t len = strlen(name), end = strcspn(*at, "\n");
	const char *value;

	if (strncmp(*at, name, len) != 0 || (*at)[end] != '\n')
		return NULL;
	value = gb_arena_copy(arena, *at + len, end - len);
	*at += end + 1;
	return value;
}

static enum gb_err
words_find(const struct gb_letter *letter, struct gb_arena *arena, struct words *words)
{
	char path[64];
	const char *at;

	snprintf(path, sizeof path, "etc/mail/%s/%s.txt", letter->language, letter->name);
	if ((at = gb_embed_find(path)) == NULL || (words->subject = head_line(arena, "Subject: ", &at)) == NULL ||
	    (words->button = head_line(arena, "Button: ", &at)) == NULL || *at != '\n')
		return GB_ERR_INTERNAL;
	words->body = at + 1;
	return GB_OK;
}

static const char *
fill_fragment(struct gb_arena *arena, const char *path, const struct gb_template_value *values)
{
	const char *fragment = gb_embed_find(path);

	return fragment != NULL ? gb_template_fill(arena, fragment, values, NULL, true) : NULL;
}

/* One paragraph of the body, as HTML. */
static const char *
paragraph_html(struct gb_arena *arena, const char *from, size_t len, const struct gb_template_value *values)
{
	struct gb_template_value inner[] = { { "text", NULL }, { NULL, NULL } };
	const char *paragraph = gb_arena_copy(arena, from, len);

	if (paragraph == NULL)
		return NULL;
	if (strcmp(paragraph, "{{link}}") == 0)
		return fill_fragment(arena, "etc/mail/link.html", values);
	if (strcmp(paragraph, "{{code}}") == 0)
		return fill_fragment(arena, "etc/mail/code.html", values);
	inner[0].value = gb_template_fill(arena, paragraph, values, NULL, true);
	return inner[0].value != NULL ? fill_fragment(arena, "etc/mail/paragraph.html", inner) : NULL;
}

static const char *
body_html(struct gb_arena *arena, const char *body, const struct gb_template_value *values)
{
	const char *html = "", *part, *end;

	for (; html != NULL && *body != '\0'; body = end + strspn(end, "\n")) {
		if ((end = strstr(body, "\n\n")) == NULL)
			end = body + strlen(body) - 1;
		part = paragraph_html(arena, body, (size_t)(end - body), values);
		html = part != NULL ? gb_arena_printf(arena, "%s%s", html, part) : NULL;
	}
	return html;
}

static enum gb_err
write_parts(const struct words *words, struct gb_template_value *values, struct gb_arena *arena,
    struct gb_message *message)
{
	message->subject = gb_template_fill(arena, words->subject, values, NULL, false);
	message->text = gb_template_fill(arena, words->body, values, NULL, false);
	values[SUBJECT].value = message->subject;
	values[BODY].value = body_html(arena, words->body, values);
	message->html = fill_fragment(arena, "etc/mail/layout.html", values);
	return message->subject != NULL && message->text != NULL && message->html != NULL ? GB_OK : GB_ERR_MEMORY;
}

enum gb_err
gb_letter_write(const struct gb_config *config, const struct gb_letter *letter,
    struct gb_arena *arena, struct gb_message *message)
{
	struct words words;
	enum gb_err err;

	if ((err = words_find(letter, arena, &words)) != GB_OK)
		return err;
	struct gb_template_value values[] = {
		[SUBJECT] = { "subject", NULL },
		[BODY] = { "body", NULL },
		{ "site_name", config->site_name },
		{ "language", letter->language },
		{ "button", words.button },
		{ "link", letter->link },
		{ "code", letter->code },
		{ "target", letter->target },
		{ "minutes", gb_arena_printf(arena, "%d", (int)(config->email_ttl_s / 60)) },
		{ "time", time_text(arena, letter->at) },
		{ "device", gb_device_text(arena, letter->language, tamed(arena, letter->device)) },
		{ "address", quiet(letter->address) },
		{ NULL, NULL },
	};

	return write_parts(&words, values, arena, message);
}
