/* SPDX-License-Identifier: MIT */
/* probe.c: two small files in STATE, between the operator's command and a program that serves. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "probe.h"

#define ASKED		"probe"
#define SEEN		"probe.seen"
#define GOOD_S		60
#define VALUE_MAX	512

/* What servers differ in, as far as it matters to us or to what stands behind the gate. */
static const char *const variables[] = {
	"SERVER_SOFTWARE", "REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTPS", "REQUEST_SCHEME", "SCRIPT_NAME", "DOCUMENT_ROOT",
	"CONTEXT_DOCUMENT_ROOT", NULL
};

/* A small file of STATE: our own, regular, at most max bytes; NULL otherwise. */
static char *
read_file(const struct gb_state *state, const char *name, size_t max, struct gb_arena *arena, time_t *at)
{
	int fd = openat(gb_state_fd(state), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t len = -1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
	    st.st_size >= 0 && (size_t)st.st_size <= max && (text = gb_arena_alloc(arena, max + 1)) != NULL)
		len = read(fd, text, max);
	close(fd);
	if (len < 0)
		return NULL;
	text[len] = '\0';
	*at = st.st_mtime;
	return text;
}

enum gb_err
gb_probe_begin(const struct gb_state *state, char secret[static GB_PROBE_SECRET_LEN + 1])
{
	unsigned char bytes[GB_PROBE_SECRET_LEN / 2];

	randombytes_buf(bytes, sizeof bytes);
	sodium_bin2hex(secret, GB_PROBE_SECRET_LEN + 1, bytes, sizeof bytes);
	unlinkat(gb_state_fd(state), SEEN, 0);
	return gb_state_write(state, ASKED, secret, GB_PROBE_SECRET_LEN, false);
}

static bool
is_asked(const struct gb_state *state, const struct gb_request *req, const char *sent)
{
	time_t at, now = (time_t)req->call.now;
	const char *secret = read_file(state, ASKED, GB_PROBE_SECRET_LEN, req->call.arena, &at);

	return secret != NULL && strlen(secret) == GB_PROBE_SECRET_LEN && labs((long)(now - at)) <= GOOD_S &&
	    sodium_memcmp(secret, sent, GB_PROBE_SECRET_LEN) == 0;
}

static const char *
authorization(const struct gb_request *req, const char *secret)
{
	if (!req->bearer_sent)
		return "absent";
	return req->bearer != NULL && strcmp(req->bearer, secret) == 0 ? "passed" : "changed";
}

/* A line, unless the value could be two. */
static void
put(char *text, const char *name, const char *value)
{
	size_t len = strlen(text);

	if (value == NULL || *value == '\0' || strlen(value) > VALUE_MAX)
		return;
	for (const char *c = value; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return;
	snprintf(text + len, GB_PROBE_SEEN_MAX - len, "%s=%s\n", name, value);
}

static void
write_seen(const struct gb_state *state, const struct gb_request *req, const char *secret)
{
	char *text = gb_arena_alloc(req->call.arena, GB_PROBE_SEEN_MAX);

	if (text == NULL)
		return;
	*text = '\0';
	/* a FastCGI process has requests, no variables of one */
	put(text, "mode", getenv("REQUEST_METHOD") != NULL ? "cgi" : "fastcgi");
	put(text, "authorization", authorization(req, secret));
	put(text, "settings", gb_config_in_environment() ? "environment" : "parameters");
	put(text, "client", req->call.address);
	for (const char *const *name = variables; *name != NULL; name++)
		put(text, *name, gb_request_variable(req, *name));
	unlinkat(gb_state_fd(state), ASKED, 0);
	gb_state_write(state, SEEN, text, strlen(text), false);
}

void
gb_probe_answer(const struct gb_app *app, const struct gb_request *req)
{
	const char *sent = gb_request_variable(req, "HTTP_X_GUARDBEE_PROBE");
	struct gb_state *state;
	char why[256];

	if (sent == NULL || strlen(sent) != GB_PROBE_SECRET_LEN ||
	    gb_state_open(app->config->state, why, sizeof why, &state) != GB_OK)
		return;
	if (is_asked(state, req, sent))
		write_seen(state, req, sent);
	gb_state_close(state);
}

const char *
gb_probe_end(const struct gb_state *state, struct gb_arena *arena)
{
	time_t at;
	const char *seen = read_file(state, SEEN, GB_PROBE_SEEN_MAX, arena, &at);

	unlinkat(gb_state_fd(state), ASKED, 0);
	unlinkat(gb_state_fd(state), SEEN, 0);
	return seen;
}
