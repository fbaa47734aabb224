/* SPDX-License-Identifier: MIT */
/* mailbox.c: the messages of a policy test. */
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "mailbox.h"

#define MESSAGE_MAX 65536

static void
find(const struct policy *policy, glob_t *found)
{
	char pattern[FOLDER_MAX + 32];

	snprintf(pattern, sizeof pattern, "%s/mail/*.eml", policy->directory);
	if (glob(pattern, 0, NULL, found) != 0)
		found->gl_pathc = 0;
}

unsigned
mailbox_count(const struct policy *policy)
{
	glob_t found = { 0 };
	unsigned count;

	find(policy, &found);
	count = (unsigned)found.gl_pathc;
	globfree(&found);
	return count;
}

const char *
mailbox_take(struct policy *policy)
{
	char *text = gb_arena_alloc(policy->call.arena, MESSAGE_MAX);
	glob_t found = { 0 };
	FILE *file;

	find(policy, &found);
	cr_assert_eq(found.gl_pathc, 1, "%zu messages", found.gl_pathc);
	cr_assert_not_null(file = fopen(found.gl_pathv[0], "r"));
	text[fread(text, 1, MESSAGE_MAX - 1, file)] = '\0';
	fclose(file);
	unlink(found.gl_pathv[0]);
	globfree(&found);
	return text;
}

const char *
mailbox_token(struct policy *policy, const char *message)
{
	const char *at = strstr(message, "?token=");

	return at != NULL ? gb_arena_copy(policy->call.arena, at + 7, strcspn(at + 7, "\r\n")) : NULL;
}

/* A line of its own: four letters, a dash, four letters. */
const char *
mailbox_code(struct policy *policy, const char *message)
{
	for (; (message = strstr(message, "\r\n\r\n")) != NULL; message += 2)
		if (strlen(message) > 17 && message[8] == '-' && memcmp(message + 13, "\r\n", 2) == 0)
			return gb_arena_copy(policy->call.arena, message + 4, 9);
	return NULL;
}
