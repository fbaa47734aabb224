/* SPDX-License-Identifier: MIT */
/* embed.c: looks a file up in the generated table. */
#include <string.h>

#include "embed.h"

const char *
gb_embed_find(const char *path)
{
	const struct gb_embedded *file;

	for (file = gb_embedded; file->path != NULL; file++)
		if (strcmp(file->path, path) == 0)
			return file->text;
	return NULL;
}
