/* SPDX-License-Identifier: MIT */
/*
 * main.c: every program in one file, for hosts where nothing can be installed.
 *
 *	guardbee serve NAME	the program of /auth/NAME, as a wrapper script of the web server starts it
 *	guardbee NOUN VERB...	the operator's command
 *
 * Settings stand in the file `env` beside it, STATE is the folder `state` there; both are its owner's
 * alone. The first call makes STATE and, where env names no key, STATE/jwt.key.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "../bin/guardbee.h"
#include "backend.h"
#include "programs.h"

#define KEY_BYTES 32
#define UPLOAD_S 2		/* a file that was written to so lately may still be on its way */

/* The setting of a key, or of where keys are: then none is made. */
static const char *const key_settings[] = {
	"JWT_KEY", "ACCESS_SECRET_KEY", "JWT_KEY_FILE", "ACCESS_SECRET_KEY_FILE", "JWT_KEYS_DIR", NULL
};

/* A file as it was when the process began. */
struct seen {
	char path[PATH_MAX];
	struct stat st;
};

static struct seen program, settings;
static char **arguments, **environment;		/* as we were started, before settings were read and wiped */

static bool
is_set(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0';
}

/* PATH_MAX is more than any place where an account may write. */
static bool
beside(const char *folder, const char *name, char path[static PATH_MAX])
{
	return (size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static bool
find_program(char folder[static PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", program.path, sizeof program.path - 1);

	if (len <= 0)
		return false;
	program.path[len] = '\0';
	memcpy(folder, program.path, (size_t)len + 1);
	*strrchr(folder, '/') = '\0';
	return stat(program.path, &program.st) == 0;
}

static char **
copy(char *const *strings)
{
	size_t len = 0;
	char **copied;

	while (strings[len] != NULL)
		len++;
	if ((copied = calloc(len + 1, sizeof *copied)) == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if ((copied[i] = strdup(strings[i])) == NULL)
			return NULL;
	return copied;
}

static int
read_settings(const char *folder)
{
	if (!beside(folder, "env", settings.path))
		return EX_CONFIG;
	if (lstat(settings.path, &settings.st) != 0)
		return gb_command_refuse("%s: %s", settings.path, strerror(errno)), EX_CONFIG;
	if (!S_ISREG(settings.st.st_mode) || settings.st.st_uid != geteuid() || (settings.st.st_mode & 077) != 0)
		return gb_command_refuse("%s must be a file of your own, of mode 0600", settings.path), EX_CONFIG;
	return gb_read_environment(settings.path);
}

static int
make_key(const char *state_folder, const char *path)
{
	unsigned char bytes[KEY_BYTES];
	char text[2 * KEY_BYTES + 1], why[256] = "no memory";
	struct gb_state *state;
	enum gb_err err = gb_state_open(state_folder, why, sizeof why, &state);

	if (err != GB_OK)
		return gb_command_fail(err, why);
	randombytes_buf(bytes, sizeof bytes);
	sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
	err = gb_state_write(state, "jwt.key", text, sizeof text - 1, true);
	gb_state_close(state);
	sodium_memzero(bytes, sizeof bytes);
	sodium_memzero(text, sizeof text);
	return err == GB_OK || err == GB_ERR_CONFLICT ? EX_OK : gb_command_fail(GB_ERR_MISCONFIGURED, path);
}

static bool
needs_key(void)
{
	const char *algorithm = is_set("ALGORITHM") ? getenv("ALGORITHM") : getenv("API_JWT_ALGORITHM");

	for (const char *const *name = key_settings; *name != NULL; name++)
		if (is_set(*name))
			return false;
	return algorithm == NULL || *algorithm == '\0' || strncmp(algorithm, "HS", 2) == 0;
}

static int
complete_settings(const char *folder)
{
	char path[PATH_MAX];

	if (!is_set("STATE") && (!beside(folder, "state", path) || setenv("STATE", path, 1) != 0))
		return EX_CONFIG;
	if (!needs_key())
		return EX_OK;
	if (!beside(getenv("STATE"), "jwt.key", path) || setenv("JWT_KEY_FILE", path, 1) != 0)
		return EX_CONFIG;
	return access(path, F_OK) == 0 ? EX_OK : make_key(getenv("STATE"), path);
}

static bool
is_changed(const struct seen *seen, struct stat *now)
{
	if (stat(seen->path, now) != 0)
		return false;
	return now->st_ino != seen->st.st_ino || now->st_dev != seen->st.st_dev || now->st_size != seen->st.st_size ||
	    now->st_mtim.tv_sec != seen->st.st_mtim.tv_sec || now->st_mtim.tv_nsec != seen->st.st_mtim.tv_nsec;
}

/*
 * After an upgrade or a change of settings, the new takes the place of the old in the same process, with
 * the same socket: whoever waits in it is answered by the new one, and the web server notices nothing.
 * A process that gave up the right to start programs ends in good order, and the server starts another.
 */
static void
follow_change(void)
{
	struct stat binary, env;
	bool changed = is_changed(&program, &binary);
	time_t now = time(NULL);

	if (!changed && !is_changed(&settings, &env))
		return;
	if (changed && (now - binary.st_mtim.tv_sec < UPLOAD_S || access(program.path, X_OK) != 0))
		return;
	execve(program.path, arguments, environment);
	if (errno == ENOSYS || errno == EPERM || errno == EACCES)
		raise(SIGTERM);
}

static const struct gb_program *
find(const char *name)
{
	const struct gb_program *row = gb_programs;

	while (row->name != NULL && strcmp(row->name, name) != 0)
		row++;
	return row->name != NULL ? row : NULL;
}

static int
serve(const struct gb_program *row, int unfit)
{
	static const char answer[] = "Status: 503 Service Unavailable\r\nContent-Type: application/json\r\n"
	    "Cache-Control: no-store\r\nRetry-After: 5\r\n\r\n"
	    "{\"error\":\"The service is not configured\",\"status\":503,\"code\":\"internal\"}";

	if (unfit == EX_OK) {
		gb_fastcgi_woken = follow_change;
		return row->main(1, (char *[]){ arguments[0], NULL });
	}
	if (is_set("GATEWAY_INTERFACE"))
		fputs(answer, stdout);
	return EX_CONFIG;
}

int
main(int argc, char **argv)
{
	const struct gb_program *row = argc > 2 && strcmp(argv[1], "serve") == 0 ? find(argv[2]) : NULL;
	char folder[PATH_MAX];
	int code;

	umask(077);
	arguments = argv;
	/* A web server that was led to the program itself would hand it a stranger's words. */
	if (row == NULL && is_set("GATEWAY_INTERFACE"))
		return gb_command_refuse("this is started by wrapper scripts, not by a web server"), EX_USAGE;
	if (sodium_init() < 0 || (environment = copy(environ)) == NULL || !find_program(folder))
		return gb_command_refuse("no memory, no randomness or no /proc"), EX_OSERR;
	if ((code = read_settings(folder)) == EX_OK)
		code = complete_settings(folder);
	if (row != NULL)
		return serve(row, code);
	return code == EX_OK ? gb_main_guardbee(argc, argv) : code;
}
