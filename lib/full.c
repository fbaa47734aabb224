/* SPDX-License-Identifier: MIT */
/* full.c: which of two programs of one name a request needs. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "full.h"

/* Only a program of plain CGI finds its request in the environment. */
#define REQUEST "REQUEST_METHOD"

/* Set at all, or to anything that does not begin so: a key may be more than bytes. */
static const struct {
	const char *name, *harmless;
} settings[] = {
	{ "ALGORITHM", "HS" }, { "API_JWT_ALGORITHM", "HS" }, { "JWT_KEYS_DIR", NULL },
	{ "ACCESS_PRIVATE_KEY", NULL }, { "ACCESS_PRIVATE_KEY_FILE", NULL }, { "ACCESS_PUBLIC_KEY", NULL },
	{ "REFRESH_PRIVATE_KEY", NULL }, { "REFRESH_PRIVATE_KEY_FILE", NULL }, { "REFRESH_PUBLIC_KEY", NULL },
};

static bool
will_do(void)
{
	if (gb_config_environment(NULL, REQUEST) == NULL)
		return false;
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		const char *value = gb_config_environment(NULL, settings[i].name), *harmless = settings[i].harmless;

		if (value != NULL && value[0] != '\0' &&
		    (harmless == NULL || strncmp(value, harmless, strlen(harmless)) != 0))
			return false;
	}
	return true;
}

void
gb_full_become(char **argv)
{
	char own[PATH_MAX], full[PATH_MAX];
	ssize_t len;
	char *name;

	if (will_do() || (len = readlink("/proc/self/exe", own, sizeof own - 1)) <= 0)
		return;
	own[len] = '\0';
	if ((name = strrchr(own, '/')) == NULL)
		return;
	*name++ = '\0';
	if (snprintf(full, sizeof full, "%s/full/%s", own, name) < (int)sizeof full)
		execv(full, argv);
}
