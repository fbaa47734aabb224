/* SPDX-License-Identifier: MIT */
/* mail_sendmail.c: MAIL_TRANSPORT=sendmail: the program, its input, its words and its exit code, within a time. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mail_transport.h"

#define POLL_MS 20			/* how late we may notice that it has ended */

struct run {
	pid_t pid;
	int in, out;			/* our ends; -1: closed */
	const char *left;		/* of the message */
	size_t left_len;
	int total_s;
	char said[256];			/* the beginning of what it wrote */
	size_t said_len;
};

/*
 * The message with LF lines, as programs of this name take it since the first of them: some make
 * an empty line of every CR.
 */
static char *
with_lf(const struct gb_envelope *envelope, size_t *len)
{
	char *bytes = malloc(envelope->len + 1);

	if (bytes == NULL)
		return NULL;
	*len = 0;
	for (size_t i = 0; i < envelope->len; i++)
		if (envelope->bytes[i] != '\r')
			bytes[(*len)++] = envelope->bytes[i];
	return bytes;
}

static const char *
variable(const char *name, const char *fallback, char *text, size_t text_max)
{
	const char *value = getenv(name);

	snprintf(text, text_max, "%s=%s", name, value != NULL && *value != '\0' ? value : fallback);
	return text;
}

/* A session of its own, so that what it starts can be ended with it; signals as a program expects them. */
static int
spawn_prepared(const char *program, const char *const *argv, posix_spawn_file_actions_t *actions, pid_t *pid)
{
	char path[4096], lang[128];
	const char *const environment[] = {
		variable("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", path, sizeof path),
		variable("LANG", "C", lang, sizeof lang), NULL
	};
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawnattr_init(&attributes) != 0)
		return ENOMEM;
	posix_spawnattr_setflags(&attributes,
	    POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	error = posix_spawn(pid, program, actions, &attributes, (char *const *)argv, (char *const *)environment);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static int
spawn(const char *program, const char *const *argv, const int in[2], const int out[2], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int error;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	error = posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions, out[1], 2);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (error == 0)
		error = spawn_prepared(program, argv, &actions, pid);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
start(const char *program, const char *const *argv, struct run *run)
{
	int in[2], out[2], error;

	if (pipe2(in, O_CLOEXEC) < 0)
		return errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		error = errno;
		close(in[0]);
		close(in[1]);
		return error;
	}
	error = spawn(program, argv, in, out, &run->pid);
	close(in[0]);
	close(out[1]);
	run->in = in[1];
	run->out = out[0];
	fcntl(run->in, F_SETFL, O_NONBLOCK);
	fcntl(run->out, F_SETFL, O_NONBLOCK);
	return error;
}

static void
feed(struct run *run)
{
	ssize_t n = write(run->in, run->left, run->left_len);

	if (n > 0) {
		run->left += n;
		run->left_len -= (size_t)n;
	}
	/* a program that will not read the rest says why by its exit code */
	if (run->left_len == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&run->in);
}

static void
listen_to(struct run *run)
{
	char bytes[512];
	ssize_t n = read(run->out, bytes, sizeof bytes);

	if (n > 0) {
		size_t room = sizeof run->said - 1 - run->said_len, len = (size_t)n < room ? (size_t)n : room;

		memcpy(run->said + run->said_len, bytes, len);
		run->said_len += len;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_end(&run->out);
	}
}

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Feeds and listens until it has ended. False: the time is over, and it was ended. */
static bool
attend(struct run *run, int *status)
{
	int64_t end = monotonic_ms() + (int64_t)run->total_s * 1000;

	while (waitpid(run->pid, status, WNOHANG) == 0) {
		struct pollfd fds[] = { { run->in, POLLOUT, 0 }, { run->out, POLLIN, 0 } };

		if (monotonic_ms() > end) {
			kill(-run->pid, SIGKILL);
			while (waitpid(run->pid, status, 0) < 0 && errno == EINTR)
				;
			return false;
		}
		poll(fds, 2, POLL_MS);
		if (fds[0].revents != 0)
			feed(run);
		if (fds[1].revents != 0)
			listen_to(run);
	}
	if (run->out >= 0)
		listen_to(run);
	return true;
}

/* sysexits.h. What an administrator can mend (configuration, rights, a dead server) is worth another try. */
static bool
is_permanent(int code)
{
	return code == EX_USAGE || code == EX_DATAERR || code == EX_NOUSER || code == EX_NOHOST;
}

static enum gb_err
judge(const struct run *run, bool ended, int status, struct gb_mail_verdict *verdict)
{
	if (!ended)
		return gb_mail_refused(verdict, false, "sendmail did not end within %d s", run->total_s);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return GB_OK;
	if (!WIFEXITED(status))
		return gb_mail_refused(verdict, false, "sendmail ended by signal %d", WTERMSIG(status));
	return gb_mail_refused(verdict, is_permanent(WEXITSTATUS(status)), "sendmail ended with %d: %s",
	    WEXITSTATUS(status), run->said);
}

static enum gb_err
run_sendmail(const char *program, const char *const *argv, struct run *run, struct gb_mail_verdict *verdict)
{
	int error, status = 0;
	enum gb_err err;
	bool ended;

	if ((error = start(program, argv, run)) != 0) {
		err = gb_mail_refused(verdict, false, "%s cannot be started: %s", program, strerrordesc_np(error));
	} else {
		ended = attend(run, &status);
		err = judge(run, ended, status, verdict);
	}
	close_end(&run->in);
	close_end(&run->out);
	return err;
}

enum gb_err
gb_mail_by_sendmail(const struct gb_config *config, const struct gb_state *state,
    const struct gb_envelope *envelope, int64_t now, struct gb_mail_verdict *verdict)
{
	/* -i: a line of one dot is no end; --: nothing behind it is an option */
	const char *const argv[] = { config->sendmail, "-i", "-f", envelope->from, "--", envelope->to, NULL };
	struct sigaction ignored = { .sa_handler = SIG_IGN }, before;
	struct run run = { .in = -1, .out = -1, .total_s = envelope->total_s };
	char *bytes;
	enum gb_err err;

	(void)state;
	(void)now;
	if ((bytes = with_lf(envelope, &run.left_len)) == NULL)
		return gb_mail_refused(verdict, false, "no memory");
	run.left = bytes;
	sigaction(SIGPIPE, &ignored, &before);
	err = run_sendmail(config->sendmail, argv, &run, verdict);
	sigaction(SIGPIPE, &before, NULL);
	explicit_bzero(bytes, envelope->len);
	free(bytes);
	return err;
}
