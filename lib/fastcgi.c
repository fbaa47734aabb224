/* SPDX-License-Identifier: MIT */
/*
 * fastcgi.c: requests from a listening socket on descriptor 0, through libfcgi.
 *
 * libfcgi alone loses requests: a signal that arrives between its look at the
 * stop flag and accept() is slept over, one that arrives while a body is read
 * cuts the body short, and a silent peer holds the process for ever. So the
 * signals are blocked but while we wait, we accept ourselves, and a timer shuts
 * the reading side of a connection whose request does not arrive in time.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "backend.h"

#define LOOK_S 5	/* gb_fastcgi_woken is called at least that often */
#define DRAIN_S 5	/* mod_fcgid kills about eleven seconds after it asks to stop */

static const int stop_signals[] = { SIGTERM, SIGINT, SIGUSR1 };

static volatile sig_atomic_t stopping;
static volatile sig_atomic_t late_fd = -1;	/* the connection that the timer shuts */
static sigset_t waiting_mask;			/* signals as they were: open while we wait */
static bool is_alone;				/* nobody else accepts from our socket */
static FCGX_Request request;

void (*gb_fastcgi_woken)(void);
jmp_buf *gb_fastcgi_refuse;

static void
stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
}

/* Every read from then on meets the end: no race between the signal and the call. */
static void
too_late(int signal_number)
{
	int saved = errno;

	(void)signal_number;
	if (late_fd >= 0)
		shutdown(late_fd, SHUT_RD);
	errno = saved;
}

static void
deadline(int fd, time_t seconds)
{
	const struct itimerval timer = { .it_value = { .tv_sec = seconds } };

	if (fd >= 0)
		late_fd = fd;
	setitimer(ITIMER_REAL, &timer, NULL);
	if (fd < 0)
		late_fd = -1;
}

static void
handle(int signal_number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigemptyset(&action.sa_mask);
	sigaction(signal_number, &action, NULL);
}

/* Until somebody waits for them; waiting_mask becomes the mask as it was, without them. */
static void
signals_hold(void)
{
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++)
		sigaddset(&held, stop_signals[i]);
	sigprocmask(SIG_BLOCK, &held, &waiting_mask);
	for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++)
		sigdelset(&waiting_mask, stop_signals[i]);
}

/* mod_fcgid calls a socket DIRECTORY/PID.N after itself. */
static bool
name_is_mod_fcgids(pid_t parent)
{
	struct {
		struct sockaddr_un address;
		char end;
	} name = { .end = '\0' };
	socklen_t len = sizeof name.address;
	const char *last;
	char after;
	int pid;
	unsigned number;

	if (getsockname(STDIN_FILENO, (struct sockaddr *)&name.address, &len) != 0 || name.address.sun_family != AF_UNIX)
		return false;
	last = strrchr(name.address.sun_path, '/');
	return last != NULL && sscanf(last, "/%d.%u%c", &pid, &number, &after) == 2 && pid == parent;
}

/*
 * Whether nobody else accepts from our socket. mod_fcgid listens itself, on one for each process, and starts it without
 * anybody between. lighttpd does so too, but a connection refused makes it pass over that process for a second.
 * Of all others who start programs nobody can say how many share a socket.
 */
static bool
socket_is_ours(void)
{
	struct ucred listener;
	socklen_t len = sizeof listener;
	pid_t parent = getppid();

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &listener, &len) == 0 && listener.pid == parent &&
	    name_is_mod_fcgids(parent);
}

/*
 * Another process that shares the socket may take the connection we were woken for, so nobody may wait in accept().
 * O_NONBLOCK belongs to all who share it, and systemd takes it away whenever it starts one of them: then a limit of the
 * socket's own ends the wait. A TCP socket would hand that down to its connections.
 */
static bool
never_wait(void)
{
	const struct timeval longest = { .tv_usec = 100000 };
	int flags, domain;
	socklen_t len = sizeof domain;

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX)
		setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
	return (flags = fcntl(STDIN_FILENO, F_GETFL)) >= 0 && fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool
fastcgi_open(void)
{
	for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++)
		handle(stop_signals[i], stop, 0);
	handle(SIGALRM, too_late, SA_RESTART);
	handle(SIGPIPE, SIG_IGN, 0);	/* libfcgi was initialized before: it would take this for "not set" */

	is_alone = socket_is_ours();
	return never_wait() && FCGX_InitRequest(&request, -1, 0) == 0;
}

static int
accept_one(void)
{
	return accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);
}

/*
 * A connection that was in the queue when we were told to stop, or -1. Where the socket is ours alone nobody else
 * would answer it, and closing resets it: so who comes later is refused first. Where that cannot be known, who
 * connects between the last look and close() is lost, and the client gets a 500.
 */
static int
queued_connection(void)
{
	static time_t until;
	struct timespec now;
	int fd = -1;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (until == 0)
		until = now.tv_sec + DRAIN_S;
	if (is_alone)
		shutdown(STDIN_FILENO, SHUT_RD);	/* what is in the queue stays there */
	if (!stopping || now.tv_sec >= until || (fd = accept_one()) < 0)
		close(STDIN_FILENO);	/* at once: who connects from here on is refused, and asks another process */
	return fd;
}

/* A connection, or -1 when it is time to end. */
static int
next_connection(void)
{
	static const struct timespec pause = { .tv_nsec = 100000000 }, look = { .tv_sec = LOOK_S };
	struct pollfd listening = { .fd = STDIN_FILENO, .events = POLLIN };
	int fd;

	while (!stopping) {
		if (ppoll(&listening, 1, gb_fastcgi_woken != NULL ? &look : NULL, &waiting_mask) < 0)
			continue;
		if (gb_fastcgi_woken != NULL)
			gb_fastcgi_woken();
		if ((fd = accept_one()) >= 0)
			return fd;
		if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK)
			return -1;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			nanosleep(&pause, NULL);
	}
	return queued_connection();
}

/* Returns what FCGX_Accept_r does. A refused head is given up as that gives up one that is cut off. */
static int
accept_head(void)
{
	jmp_buf refused;
	int failed = -1;

	if (setjmp(refused) == 0) {
		gb_fastcgi_refuse = &refused;
		failed = FCGX_Accept_r(&request);
	} else {
		FCGX_Free(&request, 1);
	}
	gb_fastcgi_refuse = NULL;
	return failed;
}

/*
 * Gives libfcgi our connection: with keepConnection set, FCGX_Accept_r takes the
 * one that is there instead of closing it. After a broken head it would accept
 * by itself, from the socket -1, and fails.
 */
static bool
read_head(int fd)
{
	const struct timeval patience = { .tv_sec = GB_READ_DEADLINE_S };
	int failed;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	request.ipcFd = fd;
	request.keepConnection = 1;
	deadline(fd, GB_READ_DEADLINE_S);
	failed = accept_head();
	deadline(-1, 0);
	if (failed != 0)
		return false;
	request.keepConnection = 0;	/* a kept connection would own this process */
	if (FCGX_GetError(request.in) == 0)
		return true;
	FCGX_Finish_r(&request);
	return false;
}

static bool
fastcgi_accept(struct gb_connection *connection)
{
	int fd;

	while ((fd = next_connection()) >= 0)
		if (read_head(fd)) {
			connection->variables = request.envp;
			return true;
		}
	FCGX_Free(&request, 1);
	return false;
}

/* Between a body's records there may be one with pairs. */
static int
read_part(void *bytes, int max)
{
	jmp_buf refused;
	int len = -1;

	if (setjmp(refused) == 0) {
		gb_fastcgi_refuse = &refused;
		len = FCGX_GetStr(bytes, max, request.in);
	}
	gb_fastcgi_refuse = NULL;
	return len;
}

static ssize_t
fastcgi_read(void *bytes, size_t max)
{
	int len;

	deadline(request.ipcFd, GB_READ_DEADLINE_S);
	len = read_part(bytes, (int)max);
	deadline(-1, 0);
	return FCGX_GetError(request.in) == 0 ? len : -1;
}

static void
fastcgi_write(const void *bytes, size_t len)
{
	FCGX_PutStr(bytes, (int)len, request.out);
}

static void
fastcgi_log(const char *line)
{
	FCGX_PutStr(line, (int)strlen(line), request.err);
}

static void
fastcgi_finish(void)
{
	FCGX_Finish_r(&request);
}

const struct gb_backend gb_backend_fastcgi = {
	"fastcgi", fastcgi_open, fastcgi_accept, fastcgi_read, fastcgi_write, fastcgi_log, fastcgi_finish,
};

const struct gb_backend *
gb_backend_find(void)
{
	/* libfcgi sets handlers of its own, which would swallow a signal that comes before ours are set */
	signals_hold();
	FCGX_Init();
	if (!FCGX_IsCGI())
		return &gb_backend_fastcgi;
	sigprocmask(SIG_SETMASK, &waiting_mask, NULL);
	return &gb_backend_cgi;
}
