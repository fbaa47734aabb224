/* SPDX-License-Identifier: MIT */
/* detach.c: the deliverer's process, a grandchild of whoever answered a request. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "limit.h"
#include "mail_log.h"
#include "spool.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define WHY_MAX 512
#define DESCRIPTORS_MAX (1 << 20)

/* Linux before 5.9, as hosts of 2026 still run it, has no close_range. */
static void
descriptors_close(int from)
{
	struct rlimit limit = { .rlim_cur = 0 };

	if (close_range((unsigned)from, ~0u, 0) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int fd = from; (rlim_t)fd < limit.rlim_cur && fd < DESCRIPTORS_MAX; fd++)
		close(fd);
}

/* The web server waits for whoever holds its socket, descriptor 0 included (Apache's CGI). */
static bool
descriptors_replace(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0)
		return false;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			return false;
	descriptors_close(3);
	return true;
}

static void
signals_reset(void)
{
	sigset_t none;

	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		signal(signal_number, signal_number == SIGPIPE ? SIG_IGN : SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What we start sees where programs are and which language to speak, none of our settings. */
static bool
environment_replace(void)
{
	const char *path = getenv("PATH"), *lang = getenv("LANG");
	char *kept_path = strdup(path != NULL && *path != '\0' ? path : DEFAULT_PATH);
	char *kept_lang = strdup(lang != NULL && *lang != '\0' ? lang : "C.UTF-8");

	return kept_path != NULL && kept_lang != NULL && clearenv() == 0 && setenv("PATH", kept_path, 1) == 0 &&
	    setenv("LANG", kept_lang, 1) == 0;
}

static bool
become_deliverer(void)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_NAME, "guardbee-mail", 0, 0, 0);
	signals_reset();
	return descriptors_replace() && environment_replace() && chdir("/") == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

/*
 * Entries that came while the lock was held were left to us by their writers, which saw the lock;
 * so after it is given back we look once more.
 */
static void
deliver_all(const struct gb_config *config)
{
	int64_t begun = (int64_t)time(NULL), now = begun;
	char why[WHY_MAX] = "";
	struct gb_app app;
	size_t sent, left, due = 1;
	gb_spool_name name;

	if (gb_app_open(config, GB_KEYS_SIGN, now, why, sizeof why, &app) != GB_OK) {
		gb_mail_log(config, NULL, now, "failed", NULL, why);
		return;
	}
	while (due > 0 && now - begun < GB_SPOOL_RUN_S && gb_spool_flush(&app, now, &sent, &left) == GB_OK) {
		now = (int64_t)time(NULL);
		if (gb_spool_names(app.state, now, &name, 1, &due) != GB_OK)
			break;
	}
	gb_app_close(&app);
}

/* Runs in the first child; init inherits the second. */
static void
grandchild_start(const struct gb_config *config)
{
	pid_t pid;

	if (setsid() < 0 || (pid = fork()) < 0)
		_exit(EXIT_FAILURE);
	if (pid == 0 && become_deliverer())
		deliver_all(config);
	_exit(EXIT_SUCCESS);
}

static bool
is_work(const struct gb_app *app)
{
	gb_spool_name name;
	size_t due = 0;
	int lock;

	if (gb_spool_names(app->state, (int64_t)time(NULL), &name, 1, &due) != GB_OK || due == 0)
		return false;
	if ((lock = gb_spool_lock(app->state)) < 0)
		return false;
	close(lock);
	return true;
}

void
gb_spool_kick(const struct gb_app *app)
{
	pid_t pid;

	if (!is_work(app))
		return;
	if ((pid = fork()) == 0)
		grandchild_start(app->config);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
