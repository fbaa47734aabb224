/* SPDX-License-Identifier: MIT */
/* An address or a name that is taken is spelled in one way, and holds nothing that a mail's header or a command line could be broken with. */
#include <string.h>

#include "fuzz.h"
#include "user.h"

static const struct gb_config config = { .reserved_usernames = "admin root" };

static void
as_email(const char *text)
{
	char email[GB_EMAIL_MAX + 1], again[GB_EMAIL_MAX + 1];
	const char *at;

	if (gb_email_parse(text, email) != GB_OK)
		return;
	DEMAND(strlen(email) == strlen(text) && strlen(email) >= 3 && strlen(email) <= GB_EMAIL_MAX && email[0] != '-');
	DEMAND((at = strchr(email, '@')) != NULL && strchr(at + 1, '@') == NULL && at > email && at[1] != '\0');
	for (const char *c = email; *c != '\0'; c++)
		DEMAND(*c > ' ' && *c < 0x7f && strchr("\"(),:;<>[\\]", *c) == NULL && (*c < 'A' || *c > 'Z'));
	DEMAND(gb_email_parse(email, again) == GB_OK && strcmp(again, email) == 0);
}

static void
as_username(const char *text)
{
	char username[GB_USERNAME_MAX + 1], again[GB_USERNAME_MAX + 1];

	if (gb_username_parse(&config, text, username) != GB_OK)
		return;
	DEMAND(strlen(username) >= 3 && username[0] >= 'a' && username[0] <= 'z');
	DEMAND(strspn(username, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(username));
	DEMAND(strcmp(username, "admin") != 0 && strcmp(username, "root") != 0);
	DEMAND(gb_username_parse(&config, username, again) == GB_OK && strcmp(again, username) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	as_email(text);
	as_username(text);
	free(text);
	return 0;
}
