/* SPDX-License-Identifier: MIT */
/* cgi.c: the one request of a plain CGI process (RFC 3875): environment, standard input and output. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"

#define DRAIN_MAX (16 << 20)
#define DRAIN_IDLE_MS 2000

static bool served;
static size_t taken;			/* of the body */

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
	taken += len;
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

/* How much of the body nobody has read. */
static size_t
left_over(void)
{
	const char *length = getenv("CONTENT_LENGTH"), *coding = getenv("HTTP_TRANSFER_ENCODING");
	unsigned long long announced = length != NULL ? strtoull(length, NULL, 10) : 0;

	if (announced == 0 && coding != NULL)
		return DRAIN_MAX;
	if (announced <= taken)
		return 0;
	return announced - taken < DRAIN_MAX ? (size_t)(announced - taken) : DRAIN_MAX;
}

/* A function of its own, because most requests need not touch the pages of this buffer. */
static __attribute__((noinline)) void
drain(size_t left)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char rest[16 << 10];
	ssize_t got = 1;

	for (; left > 0 && got > 0; left -= left < (size_t)got ? left : (size_t)got) {
		if (poll(&input, 1, DRAIN_IDLE_MS) <= 0)
			break;
		got = read(STDIN_FILENO, rest, sizeof rest);
	}
}

/*
 * Apache's mod_cgid has one socket for our input and output. Closed with a body unread it is reset, and what we
 * answered (413, mostly) is lost on its way.
 */
static void
cgi_finish(void)
{
	size_t left = left_over();

	if (left > 0)
		drain(left);
}

const struct gb_backend gb_backend_cgi = {
	"cgi", cgi_open, cgi_accept, cgi_read, cgi_write, cgi_log, cgi_finish,
};
