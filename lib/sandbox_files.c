/* SPDX-License-Identifier: MIT */
/* sandbox_files.c: Landlock (linux/landlock.h, which is older than the rights used here): which files a process can still open. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "sandbox_parts.h"

#define TRUNCATE (1ull << 14)		/* since ABI 3 */
#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE)
#define CHANGE (READ | WRITE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE | WRITE)

/* A kernel refuses what it does not know, so it is asked for what its version has. */
struct ruleset {
	uint64_t files, net, scoped;
};

static const struct {
	size_t size;			/* of struct ruleset */
	struct ruleset handled;
} versions[] = {
	{ 8, { 0x1fff, 0, 0 } },
	{ 8, { 0x3fff, 0, 0 } },	/* moving between directories */
	{ 8, { 0x7fff, 0, 0 } },	/* truncating */
	{ 16, { 0x7fff, 3, 0 } },	/* bind and connect of TCP */
	{ 16, { 0xffff, 3, 0 } },	/* ioctl on devices */
	{ 24, { 0xffff, 3, 3 } },	/* abstract sockets and signals of others */
};

#define CONNECT 2u			/* of TCP */

/* Where a setting or a place of the system is; NULL: there is none. */
static const char *
store_path(const struct gb_config *config, char buffer[static PATH_MAX])
{
	static const char scheme[] = "gdbm:";

	(void)buffer;
	return strncmp(config->database_url, scheme, sizeof scheme - 1) == 0 ? config->database_url + sizeof scheme - 1 : NULL;
}

static const char *
below(const char *path, const char *name, char buffer[static PATH_MAX])
{
	if (path == NULL || snprintf(buffer, PATH_MAX, "%s/%s", path, name) >= PATH_MAX)
		return NULL;
	return buffer;
}

static const char *
rates_path(const struct gb_config *config, char buffer[static PATH_MAX])
{
	return below(config->state, "rate.tab", buffer);
}

/* Made here when it is missing: a rule is about a file that is there. */
static const char *
slots_path(const struct gb_config *config, char buffer[static PATH_MAX])
{
	const char *path = below(config->state, "slots.lock", buffer);
	int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;

	if (fd >= 0)
		close(fd);
	return path;
}

static const char *
state_path(const struct gb_config *config, char buffer[static PATH_MAX])
{
	(void)buffer;
	return config->state;
}

static const char *
public_path(const struct gb_config *config, char buffer[static PATH_MAX])
{
	return below(config->jwt_keys_dir, "public", buffer);
}

static const char *
private_path(const struct gb_config *config, char buffer[static PATH_MAX])
{
	return below(config->jwt_keys_dir, "private", buffer);
}

/* The directory: an editor puts a new file in the old one's place. */
static const char *
clients_path(const struct gb_config *config, char buffer[static PATH_MAX])
{
	char *slash;

	if (config->api_clients_file == NULL || snprintf(buffer, PATH_MAX, "%s", config->api_clients_file) >= PATH_MAX ||
	    (slash = strrchr(buffer, '/')) == NULL)
		return NULL;
	slash[slash == buffer] = '\0';
	return buffer;
}

static const struct rule {
	unsigned permits;		/* counts with one of them */
	uint64_t access;
	const char *(*of)(const struct gb_config *config, char buffer[static PATH_MAX]);
	const char *path;		/* without `of` */
} rules[] = {
	{ GB_PERMIT_STORE | GB_PERMIT_MAIL, CHANGE, store_path, NULL },
	{ GB_PERMIT_STORE | GB_PERMIT_MAIL, READ, NULL, "/proc/sys/kernel/random/boot_id" },
	{ GB_PERMIT_LIMITS, READ | WRITE, rates_path, NULL },
	{ GB_PERMIT_LIMITS, READ | WRITE, slots_path, NULL },
	{ GB_PERMIT_MAIL, CHANGE, state_path, NULL },
	{ GB_PERMIT_MAIL, READ | WRITE, NULL, "/dev/null" },
	{ GB_PERMIT_CLIENTS, READ, clients_path, NULL },
	{ GB_PERMIT_ALWAYS, READ, public_path, NULL },
	{ GB_PERMIT_PRIVATE, READ, private_path, NULL },
	{ GB_PERMIT_LOAD, READ, NULL, "/etc/ld.so.cache" },
	{ GB_PERMIT_LOAD, READ, NULL, "/usr/lib" },
	{ GB_PERMIT_LOAD, READ, NULL, "/usr/local/lib" },
	{ GB_PERMIT_LOAD, READ, NULL, "/lib" },
	{ GB_PERMIT_NETWORK, READ, NULL, "/etc" },
	{ GB_PERMIT_NETWORK, READ, NULL, "/usr/share" },
	{ GB_PERMIT_NETWORK, READ, NULL, "/run" },	/* where resolv.conf leads */
};

static bool
rule_add(int ruleset, uint64_t handled, const struct rule *rule, const struct gb_config *config)
{
	char buffer[PATH_MAX];
	const char *path = rule->of != NULL ? rule->of(config, buffer) : rule->path;
	struct landlock_path_beneath_attr beneath = { .parent_fd = -1, .allowed_access = rule->access & handled };
	struct stat st;
	bool added;

	if (path == NULL || (beneath.parent_fd = open(path, O_PATH | O_CLOEXEC)) < 0)
		return true;
	if (fstat(beneath.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		beneath.allowed_access &= OF_FILES;
	added = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
	close(beneath.parent_fd);
	return added;
}

static int
ruleset_new(unsigned permits, struct ruleset *handled)
{
	const long known = sizeof versions / sizeof *versions;
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version <= 0)
		return -1;
	version = version < known ? version : known;
	*handled = versions[version - 1].handled;
	if ((permits & GB_PERMIT_NETWORK) != 0)
		handled->net &= ~(uint64_t)CONNECT;
	return (int)syscall(SYS_landlock_create_ruleset, handled, versions[version - 1].size, 0);
}

bool
gb_sandbox_files(unsigned permits, const struct gb_config *config)
{
	struct ruleset handled;
	int ruleset = ruleset_new(permits, &handled), saved;
	bool done = ruleset >= 0;

	for (size_t i = 0; done && i < sizeof rules / sizeof *rules; i++)
		if ((rules[i].permits & permits) != 0)
			done = rule_add(ruleset, handled.files, &rules[i], config);
	done = done && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	saved = errno;
	if (ruleset >= 0)
		close(ruleset);
	errno = saved;
	return done;
}
