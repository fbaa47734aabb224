/* SPDX-License-Identifier: MIT */
/* template.c: one pass over the template; sections and texts recurse. */
#include <string.h>

#include "template.h"
#include "text.h"

#define NAME_MAX_BYTES 48
#define FIRST_CAPACITY 4096

struct fill {
	struct gb_arena *arena;
	const struct gb_template_value *values;
	const char *texts;
	bool html;
	char *out;
	size_t len, capacity;
	bool failed;
};

struct tag {
	char kind;			/* '#', '^', '&', '=' or 0 for a plain value */
	char name[NAME_MAX_BYTES + 1];
	const char *after;		/* what follows the braces */
};

/* Makes room for len more bytes. */
static bool
reserve(struct fill *fill, size_t len)
{
	size_t capacity = fill->capacity == 0 ? FIRST_CAPACITY : fill->capacity;
	char *out;

	fill->failed |= len > GB_ARENA_MAX;
	if (fill->failed || len <= fill->capacity - fill->len)
		return !fill->failed;
	while (capacity - fill->len < len)
		capacity *= 2;
	if ((out = gb_arena_alloc(fill->arena, capacity)) == NULL) {
		fill->failed = true;
		return false;
	}
	if (fill->out != NULL)
		memcpy(out, fill->out, fill->len);
	fill->out = out;
	fill->capacity = capacity;
	return true;
}

static void
emit(struct fill *fill, const char *bytes, size_t len)
{
	if (len == 0 || !reserve(fill, len))
		return;
	memcpy(fill->out + fill->len, bytes, len);
	fill->len += len;
}

static const char *
entity(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

static void
emit_escaped(struct fill *fill, const char *bytes, size_t len)
{
	const char *end = bytes + len, *from = bytes, *replaced;

	if (!fill->html) {
		emit(fill, bytes, len);
		return;
	}
	for (; bytes < end; bytes++) {
		if ((replaced = entity(*bytes)) == NULL)
			continue;
		emit(fill, from, (size_t)(bytes - from));
		emit(fill, replaced, strlen(replaced));
		from = bytes + 1;
	}
	emit(fill, from, (size_t)(end - from));
}

static const char *
value_of(const struct fill *fill, const char *name)
{
	const struct gb_template_value *value;

	for (value = fill->values; value->name != NULL; value++)
		if (strcmp(value->name, name) == 0)
			return value->value;
	return NULL;
}

/* Reads the tag whose braces open at `at`, which must close before `end`. */
static bool
tag_read(const char *at, const char *end, struct tag *tag)
{
	const char *name = at + 2, *close = memmem(name, (size_t)(end - name), "}}", 2);
	size_t len;

	if (close == NULL)
		return false;
	tag->kind = name < close && strchr("#^&=/", *name) != NULL ? *name++ : 0;
	len = (size_t)(close - name);
	if (len == 0 || len > NAME_MAX_BYTES)
		return false;
	memcpy(tag->name, name, len);
	tag->name[len] = '\0';
	tag->after = close + 2;
	return true;
}

/* Where {{/name}} begins; *after: behind it. A section does not hold one of its own name. */
static const char *
section_end(struct fill *fill, const struct tag *tag, const char *end, const char **after)
{
	const char *closing = gb_arena_printf(fill->arena, "{{/%s}}", tag->name), *at;
	size_t len;

	if (closing == NULL)
		return NULL;
	len = strlen(closing);
	if ((at = memmem(tag->after, (size_t)(end - tag->after), closing, len)) != NULL)
		*after = at + len;
	return at;
}

static void run(struct fill *fill, const char *at, const char *end, unsigned depth, bool inside_text);

static void
run_section(struct fill *fill, struct tag *tag, const char *end, unsigned depth, bool inside_text)
{
	bool there = value_of(fill, tag->name) != NULL;
	const char *after, *close = section_end(fill, tag, end, &after);

	if (close == NULL) {
		fill->failed = true;
		return;
	}
	if (there == (tag->kind == '#'))
		run(fill, tag->after, close, depth + 1, inside_text);
	tag->after = after;
}

static void
run_text(struct fill *fill, const char *key, unsigned depth)
{
	const char *text = fill->texts == NULL ? NULL : gb_text_find(fill->arena, fill->texts, key);

	if (text == NULL)
		fill->failed = true;
	else
		run(fill, text, text + strlen(text), depth + 1, true);
}

static void
run_value(struct fill *fill, const struct tag *tag)
{
	const char *value = value_of(fill, tag->name);

	if (value != NULL)
		(tag->kind == '&' ? emit : emit_escaped)(fill, value, strlen(value));
}

/* inside_text: the bytes come from a table of texts; they are escaped and name no other text. */
static void
run(struct fill *fill, const char *at, const char *end, unsigned depth, bool inside_text)
{
	const char *open;
	struct tag tag;

	fill->failed |= depth > GB_TEMPLATE_DEPTH;
	for (; !fill->failed && at < end; at = tag.after) {
		open = memmem(at, (size_t)(end - at), "{{", 2);
		(inside_text ? emit_escaped : emit)(fill, at, (size_t)((open != NULL ? open : end) - at));
		if (open == NULL)
			return;
		if (!tag_read(open, end, &tag) || tag.kind == '/' || (tag.kind == '=' && inside_text)) {
			fill->failed = true;
			return;
		}
		if (tag.kind == '=')
			run_text(fill, tag.name, depth);
		else if (tag.kind == '#' || tag.kind == '^')
			run_section(fill, &tag, end, depth, inside_text);
		else
			run_value(fill, &tag);
	}
}

const char *
gb_template_fill(struct gb_arena *arena, const char *text,
    const struct gb_template_value *values, const char *texts, bool html)
{
	struct fill fill = { .arena = arena, .values = values, .texts = texts, .html = html };

	run(&fill, text, text + strlen(text), 0, false);
	emit(&fill, "", 1);
	return fill.failed ? NULL : fill.out;
}
