/* SPDX-License-Identifier: MIT */
/* curl.c: HTTP by the program curl, which even a static build can use, with the host's own TLS and certificates. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor.h"

/* All of a response; its options say --max-time, so that reading ends. */
#define OUTPUT_MAX (GB_CURL_BODY_MAX + 16384)
#define OPTIONS_MAX 32768	/* a pipe takes as much before anybody reads */

static bool
spawn(const int in[2], const int out[2], pid_t *pid)
{
	static const char *const argv[] = { "curl", "--config", "-", NULL };
	posix_spawn_file_actions_t actions;
	bool ok;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	ok = posix_spawn_file_actions_adddup2(&actions, in[0], 0) == 0 &&
	    posix_spawn_file_actions_adddup2(&actions, out[1], 1) == 0 &&
	    posix_spawn_file_actions_adddup2(&actions, out[1], 2) == 0 &&
	    posix_spawn_file_actions_addclosefrom_np(&actions, 3) == 0 &&
	    posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	return ok;
}

static void
send_options(int fd, const char *options)
{
	size_t len = strlen(options);
	ssize_t done;

	while (len > 0 && ((done = write(fd, options, len)) > 0 || errno == EINTR))
		if (done > 0) {
			options += done;
			len -= (size_t)done;
		}
	close(fd);
}

static size_t
read_all(int fd, char *text)
{
	size_t len = 0;
	char rest[4096];
	ssize_t got;

	while ((got = len < OUTPUT_MAX ? read(fd, text + len, OUTPUT_MAX - len) : read(fd, rest, sizeof rest)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		len += len < OUTPUT_MAX ? (size_t)got : 0;
	}
	close(fd);
	return len;
}

/* `HTTP/1.1 200 OK`, fields, a blank line, the body; a 100 Continue before it is skipped. */
static void
split(char *text, struct gb_curl_answer *answer)
{
	char *end;

	answer->body = text;
	while (strncmp(text, "HTTP/", 5) == 0 && (end = strstr(text, "\r\n\r\n")) != NULL) {
		answer->head = text;
		answer->status = atoi(text + strcspn(text, " \r\n"));
		*end = '\0';
		text = end + 4;
		answer->body = text;
		if (answer->status >= 200)
			break;
	}
}

bool
gb_curl(const char *options, struct gb_arena *arena, struct gb_curl_answer *answer)
{
	char *text = gb_arena_alloc(arena, OUTPUT_MAX + 1);
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	int in[2], out[2], status = -1;
	bool started = false;
	pid_t pid;

	*answer = (struct gb_curl_answer){ .head = "", .body = "" };
	if (text == NULL || strlen(options) > OPTIONS_MAX || pipe2(in, O_CLOEXEC) != 0)
		return false;
	if (pipe2(out, O_CLOEXEC) == 0) {
		started = spawn(in, out, &pid);
		close(in[0]);
		close(out[1]);
		send_options(in[1], options);
		text[read_all(out[0], text)] = '\0';
		while (started && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	signal(SIGPIPE, before);
	split(text, answer);
	return started && !(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}
