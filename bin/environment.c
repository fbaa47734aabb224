/* SPDX-License-Identifier: MIT */
/* environment.c: settings from a file, as systemd's EnvironmentFile and `docker --env-file` have them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <sodium.h>

#include "guardbee.h"

#define LINE_MAX_BYTES (32 << 10)

static size_t
name_len(const char *line)
{
	size_t len = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	return line[len] == '=' ? len : 0;
}

/* Takes a line apart in place; false: it is no assignment. Blank lines and comments pass. */
static bool
assign(char *line)
{
	size_t len = strlen(line);
	char *value;

	while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
		line[--len] = '\0';
	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return true;
	if (strncmp(line, "export ", 7) == 0)
		line += 7;
	if ((len = name_len(line)) == 0)
		return false;
	line[len] = '\0';
	value = line + len + 1;
	len = strlen(value);
	if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
		value[len - 1] = '\0';
		value++;
	}
	return setenv(line, value, 1) == 0;
}

int
gb_read_environment(const char *path)
{
	char *line = calloc(1, LINE_MAX_BYTES);
	FILE *file = fopen(path, "re");
	int number = 0, code = EX_OK;

	if (file == NULL || line == NULL) {
		gb_command_refuse("%s: %s", path, strerror(errno));
		code = EX_NOINPUT;
	}
	while (code == EX_OK && fgets(line, LINE_MAX_BYTES, file) != NULL) {
		number++;
		if (strlen(line) < LINE_MAX_BYTES - 1 && assign(line))
			continue;
		gb_command_refuse("%s: line %d is not NAME=value", path, number);
		code = EX_CONFIG;
	}
	if (line != NULL)
		sodium_memzero(line, LINE_MAX_BYTES);
	free(line);
	if (file != NULL)
		fclose(file);
	return code;
}
