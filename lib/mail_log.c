/* SPDX-License-Identifier: MIT */
/* mail_log.c: the deliverer's own log. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "mail_log.h"

#define NAME "mail.log"
#define LINE_MAX_BYTES 600
#define TAIL_BYTES (64 * 1024)
#define MARK_MAX 80

static int
log_open(const struct gb_config *config, const char *end, int flags)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/" NAME "%s", config->state, end);
	return open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static void
rotate(const struct gb_config *config, int fd)
{
	char from[4096], to[4096 + 2];
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < GB_MAIL_LOG_MAX)
		return;
	snprintf(from, sizeof from, "%s/" NAME, config->state);
	snprintf(to, sizeof to, "%s.1", from);
	rename(from, to);
}

/* What a line says about its entry, by which it is found again. */
static void
mark_make(const struct gb_state *state, const struct gb_spool_entry *entry, char mark[static MARK_MAX])
{
	const char *address = entry->email;
	unsigned char bytes[GB_FINGERPRINT_LEN];
	char to[GB_FINGERPRINT_LEN + 1];

	gb_state_fingerprint(state, "mail", &address, 1, bytes);
	sodium_bin2hex(to, sizeof to, bytes, sizeof bytes / 2);
	snprintf(mark, MARK_MAX, " kind=%s to=%s tries=%u", gb_mail_kind_name(entry->kind), to, entry->tries);
}

/* Servers repeat the address in what they say. */
static void
strike(char *line, const char *address)
{
	size_t len = strlen(address);

	for (char *at = line; len > 0 && (at = strcasestr(at, address)) != NULL; at += len)
		memset(at, '*', len);
}

static int
line_head(char line[static LINE_MAX_BYTES], int64_t now, const char *outcome)
{
	time_t seconds = (time_t)now;
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	return snprintf(line, LINE_MAX_BYTES, "%04d-%02d-%02dT%02d:%02d:%02dZ %s", tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, outcome);
}

static void
line_end(char *line)
{
	for (char *c = line; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	line[strnlen(line, LINE_MAX_BYTES - 2)] = '\0';
	strcat(line, "\n");
}

void
gb_mail_log(const struct gb_config *config, const struct gb_state *state, int64_t now, const char *outcome,
    const struct gb_spool_entry *entry, const char *text)
{
	char line[LINE_MAX_BYTES], mark[MARK_MAX];
	int len = line_head(line, now, outcome), fd;

	if (entry != NULL) {
		mark_make(state, entry, mark);
		len += snprintf(line + len, sizeof line - (size_t)len, "%s", mark);
	}
	snprintf(line + len, sizeof line - (size_t)len, "%s%s", *text != '\0' ? " " : "", text);
	if (entry != NULL) {
		strike(line, entry->email);
		strike(line, entry->target);
	}
	line_end(line);
	if ((fd = log_open(config, "", O_WRONLY | O_APPEND | O_CREAT)) < 0)
		return;
	/* a line that cannot be written is lost: there is nowhere left to say so */
	if (write(fd, line, strlen(line)) > 0)
		rotate(config, fd);
	close(fd);
}

static size_t
tail_read(const struct gb_config *config, const char *end, char bytes[static TAIL_BYTES + 1])
{
	int fd = log_open(config, end, O_RDONLY);
	struct stat st;
	ssize_t n = 0;

	if (fd >= 0 && fstat(fd, &st) == 0)
		n = pread(fd, bytes, TAIL_BYTES, st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
	if (fd >= 0)
		close(fd);
	bytes[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

void
gb_mail_log_find(const struct gb_config *config, const struct gb_state *state,
    const struct gb_spool_entry *entry, char *text, size_t text_max)
{
	char *bytes = malloc(TAIL_BYTES + 1), mark[MARK_MAX];
	const char *at = bytes, *found = NULL;

	snprintf(text, text_max, "%s", "");
	if (bytes == NULL)
		return;
	mark_make(state, entry, mark);
	tail_read(config, "", bytes);
	while ((at = strstr(at, mark)) != NULL) {
		at += strlen(mark);
		if (*at == ' ' || *at == '\n')
			found = at;
	}
	if (found != NULL)
		snprintf(text, text_max, "%.*s", (int)strcspn(found, "\n"), found + (*found == ' '));
	text[strcspn(text, "\n")] = '\0';
	free(bytes);
}

void
gb_mail_log_tail(const struct gb_config *config, FILE *out, size_t max)
{
	char *bytes = malloc(TAIL_BYTES + 1), *at;
	size_t lines = 0;

	if (bytes == NULL)
		return;
	if (tail_read(config, "", bytes) == 0)
		tail_read(config, ".1", bytes);
	for (at = bytes + strlen(bytes); at > bytes; at--)
		if (at[-1] == '\n' && *at != '\0' && ++lines == max)
			break;
	fputs(at, out);
	free(bytes);
}
