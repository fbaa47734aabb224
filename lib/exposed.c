/* SPDX-License-Identifier: MIT */
/* exposed.c: secrets where a web server would give them to whoever asks. */
#include <stddef.h>
#include <string.h>

#include "exposed.h"
#include "state.h"

const char *const gb_exposed_roots[] = { "DOCUMENT_ROOT", "CONTEXT_DOCUMENT_ROOT", NULL };

static const struct {
	const char *name, *scheme;
	size_t offset;
} directories[] = {
	{ "STATE", "", offsetof(struct gb_config, state) },
	{ "JWT_KEYS_DIR", "", offsetof(struct gb_config, jwt_keys_dir) },
	{ "DATABASE_URL", "gdbm:", offsetof(struct gb_config, database_url) },
};

const char *
gb_exposed(const struct gb_config *config, const char *root, const char **path)
{
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		const char *value = *(const char *const *)(const void *)((const char *)config + directories[i].offset);
		size_t len = strlen(directories[i].scheme);

		if (value == NULL || strncmp(value, directories[i].scheme, len) != 0 || !gb_state_is_below(value + len, root))
			continue;
		*path = value + len;
		return directories[i].name;
	}
	return NULL;
}
