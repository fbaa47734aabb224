/* SPDX-License-Identifier: MIT */
/*
 * Bytes as they come over a web server's socket, through libfcgi's parser and our reading of it: one connection
 * after another, between them MARK. The first byte chooses by its bits which peers go away before they are
 * answered. Whatever they send, no answer grows out of bounds, and the good request behind them is answered.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "form.h"
#include "fuzz.h"
#include "reply.h"
#include "request.h"

#define MARK "\n--\n"
#define PEERS_MAX 6
#define BAD_MAX (PEERS_MAX - 1)
#define DEADLINE_S 20
#define ANSWER_MAX 16384	/* of ours; libfcgi answers records of 8 bytes by such of 16 */

static const struct gb_config config = {
	.frontend_url = "https://example.org", .frontend_origin = "https://example.org", .frontend_path = "",
};
static const struct gb_endpoint endpoint = { .name = "fuzz", .methods = GB_METHOD_GET | GB_METHOD_POST, .form = GB_FORM_NEVER };

/* A whole request: its variables, a body of {} and the streams' ends. */
static const char good[] = "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0" "\1\4\0\1\0\103\0\0"
    "\16\4REQUEST_METHODPOST" "\14\20CONTENT_TYPEapplication/json" "\16\1CONTENT_LENGTH2"
    "\1\4\0\1\0\0\0\0" "\1\5\0\1\0\2\0\0{}" "\1\5\0\1\0\0\0\0";
static const char good_answer[] = "Status: 200\r\n\r\n{}";

/* libfcgi is not instrumented: what became of the requests guides the search instead. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t outcomes[1024];
static struct sockaddr_un address;
static socklen_t address_len = sizeof address;
static timer_t deadline;

/* libfcgi keeps 48 bytes of each record of pairs that is cut off. What is ours is still reported. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:FillBuffProc\n";
}

static void
see(size_t kind, size_t what)
{
	outcomes[kind * 64 + (what < 63 ? what : 63)] = 1;
}

static void
too_late(int signal_number)
{
	(void)signal_number;
	abort();
}

/* The backend takes SIGALRM for itself, so that libFuzzer's own limit is not seen. */
static void
watch(time_t seconds)
{
	const struct itimerspec limit = { .it_value = { .tv_sec = seconds } };

	DEMAND(timer_settime(deadline, 0, &limit, NULL) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct sockaddr_un anywhere = { .sun_family = AF_UNIX };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)argc, (void)argv;
	DEMAND(bind(fd, (const struct sockaddr *)&anywhere, sizeof anywhere.sun_family) == 0);	/* a name of the kernel's */
	DEMAND(getsockname(fd, (struct sockaddr *)&address, &address_len) == 0);
	DEMAND(listen(fd, PEERS_MAX) == 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO && close(fd) == 0);
	DEMAND(gb_backend_find() == &gb_backend_fastcgi && gb_backend_fastcgi.open());
	DEMAND(signal(SIGVTALRM, too_late) != SIG_ERR && timer_create(CLOCK_MONOTONIC, &event, &deadline) == 0);
	return 0;
}

/* Who goes away does so before he is accepted: every write to him fails. */
static int
peer(const void *bytes, size_t len, bool goes_away)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	DEMAND(fd >= 0 && connect(fd, (struct sockaddr *)&address, address_len) == 0);
	DEMAND(send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len && shutdown(fd, SHUT_WR) == 0);
	if (!goes_away)
		return fd;
	close(fd);
	return -1;
}

/* Returns how many; the last one is good. */
static size_t
peers_come(const uint8_t *data, size_t size, int peers[static PEERS_MAX], size_t lens[static PEERS_MAX])
{
	const uint8_t *end = data + size, *at = data + (size > 0), *mark;
	size_t n = 0;

	for (; at < end && n < BAD_MAX; n++) {
		mark = memmem(at, (size_t)(end - at), MARK, strlen(MARK));
		lens[n] = (size_t)((mark != NULL ? mark : end) - at);
		peers[n] = peer(at, lens[n], *data >> n & 1);
		at = mark != NULL ? mark + strlen(MARK) : end;
	}
	lens[n] = sizeof good - 1;
	peers[n++] = peer(good, sizeof good - 1, false);
	return n;
}

/* As serve.c answers, but for what an endpoint does. */
static void
serve(struct gb_arena *arena, const struct gb_connection *connection)
{
	char head[64], rest[256];
	struct gb_reply reply = { 0 };
	struct gb_request req;
	size_t n = 0;
	enum gb_err err;

	while (connection->variables[n] != NULL)
		n++;
	gb_request_begin(&req, arena, connection->variables, 1500);
	req.reply = &reply;
	err = gb_request_judge(&req, &endpoint, &config, &gb_backend_fastcgi);
	DEMAND(err == GB_OK || gb_error_row(err)->status < 500);
	see(0, n);
	see(1, (size_t)err);
	snprintf(head, sizeof head, "Status: %d\r\n\r\n{}", err == GB_OK ? 200 : gb_error_row(err)->status);
	gb_backend_fastcgi.write(head, strlen(head));
	gb_backend_fastcgi.log("fuzz: a line\n");
	see(2, (size_t)(gb_backend_fastcgi.read(rest, sizeof rest) + 1));	/* also where the body was not wanted */
	gb_backend_fastcgi.finish();
	gb_arena_reset(arena);
}

static bool
is_answered(int fd)
{
	struct pollfd answer = { .fd = fd, .events = POLLIN };

	return poll(&answer, 1, 0) > 0;
}

/* What libfcgi or we sent to a peer, up to the connection's end, which is there. */
static void
answer_fits(int fd, size_t sent_len, bool is_good)
{
	static char answer[1 << 20];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, answer + len, sizeof answer - len, MSG_DONTWAIT)) > 0)
		len += (size_t)n;
	DEMAND(len <= ANSWER_MAX + 4 * sent_len);
	see(3, len / 8);
	if (len >= 8)
		see(4, (uint8_t)answer[1]);
	DEMAND(!is_good || (n == 0 && memmem(answer, len, good_answer, sizeof good_answer - 1) != NULL));
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gb_arena *arena;
	struct gb_connection connection;
	int peers[PEERS_MAX];
	size_t lens[PEERS_MAX], n = peers_come(data, size, peers, lens);

	if (arena == NULL)
		arena = gb_arena_new();
	watch(DEADLINE_S);
	while (!is_answered(peers[n - 1])) {
		DEMAND(gb_backend_fastcgi.accept(&connection));
		serve(arena, &connection);
	}
	watch(0);
	for (size_t i = 0; i < n; i++)
		if (peers[i] >= 0)
			answer_fits(peers[i], lens[i], i == n - 1);
	return 0;
}
