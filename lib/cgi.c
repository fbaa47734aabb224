/* SPDX-License-Identifier: MIT */
/* cgi.c: the one request of a plain CGI process (RFC 3875): environment, standard input and output. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"

static bool served;

static bool
cgi_open(void)
{
	/*
	 * libfcgi took the signals for itself. lighttpd ends a program by SIGTERM as soon as it has read the
	 * whole answer: before the deliverer of mail is on its way. One request ends by itself.
	 */
	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	return true;
}

static bool
cgi_accept(struct gb_connection *connection)
{
	if (served)
		return false;
	served = true;
	connection->variables = environ;
	return true;
}

static int64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static ssize_t
cgi_read(void *bytes, size_t max)
{
	const int64_t end = milliseconds() + GB_READ_DEADLINE_S * 1000;
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t len = 0;

	while (len < max) {
		int64_t left = end - milliseconds();
		ssize_t got;

		if (left <= 0 || poll(&input, 1, (int)left) <= 0)
			return -1;
		if ((got = read(STDIN_FILENO, (char *)bytes + len, max - len)) < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

static void
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, bytes, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;	/* whoever asked has gone */
		bytes += done;
		len -= (size_t)done;
	}
}

static void
cgi_write(const void *bytes, size_t len)
{
	write_all(STDOUT_FILENO, bytes, len);
}

static void
cgi_log(const char *line)
{
	write_all(STDERR_FILENO, line, strlen(line));
}

static void
cgi_finish(void)
{
}

const struct gb_backend gb_backend_cgi = {
	"cgi", cgi_open, cgi_accept, cgi_read, cgi_write, cgi_log, cgi_finish,
};
