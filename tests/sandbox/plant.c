/* SPDX-License-Identifier: MIT */
/*
 * plant.c: an intruder's acts, inside a real program (LD_PRELOAD). PLANT holds acts, one a line; each is tried
 * when the program writes its answer, and again (PLANT_EARLY set: only then) before main, as a control. What came of each
 * is a line on standard error: ACT, a tab, "done" or the name of the errno.
 *
 *	read PATH, write PATH, create PATH, list PATH, rename PATH PATH, remove PATH
 *	execve, fork, socket, unix, ptrace PID, kill PID, tgkill PID, namespace
 *	privileges: whether new ones can be had; code: memory to run; core: may be dumped; many: 100 descriptors
 *
 * WITHOUT holds "landlock", "seccomp" or both: this kernel then has them not, to this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

static char *acts;

static long
act_read(const char *path, const char *more)
{
	char byte;
	int fd = open(path, O_RDONLY);

	(void)more;
	return fd < 0 ? -1 : read(fd, &byte, 1);
}

static long
act_write(const char *path, const char *more)
{
	(void)more;
	return open(path, O_WRONLY);
}

static long
act_create(const char *path, const char *more)
{
	(void)more;
	return open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
}

static long
act_list(const char *path, const char *more)
{
	(void)more;
	return open(path, O_RDONLY | O_DIRECTORY);
}

static long
act_rename(const char *from, const char *to)
{
	return rename(from, to);
}

static long
act_remove(const char *path, const char *more)
{
	(void)more;
	return unlink(path);
}

/* In a child where there can be one, so that the act does not end the program; here where there can be none. */
static long
act_execve(const char *path, const char *more)
{
	static char name[] = "true";
	char *const argv[] = { name, NULL };
	int status;
	pid_t pid;

	(void)path, (void)more;
	if ((pid = fork()) < 0)
		return execve("/bin/true", argv, NULL);
	if (pid == 0) {
		execve("/bin/true", argv, NULL);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	errno = WEXITSTATUS(status);
	return status == 0 ? 0 : -1;
}

static long
act_fork(const char *path, const char *more)
{
	pid_t pid = fork();

	(void)path, (void)more;
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}

static long
act_socket(const char *path, const char *more)
{
	(void)path, (void)more;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
act_unix(const char *path, const char *more)
{
	(void)path, (void)more;
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long
act_ptrace(const char *pid, const char *more)
{
	(void)more;
	return ptrace(PTRACE_SEIZE, (pid_t)atoi(pid), NULL, NULL);
}

static long
act_kill(const char *pid, const char *more)
{
	(void)more;
	return kill((pid_t)atoi(pid), SIGUSR1);
}

/* The call that is left for a program's own abort(). */
static long
act_tgkill(const char *pid, const char *more)
{
	(void)more;
	return syscall(SYS_tgkill, atoi(pid), atoi(pid), SIGUSR1);
}

static long
act_privileges(const char *path, const char *more)
{
	(void)path, (void)more;
	errno = EPERM;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 ? 0 : -1;
}

static long
act_namespace(const char *path, const char *more)
{
	(void)path, (void)more;
	return syscall(SYS_unshare, 0);
}

static long
act_code(const char *path, const char *more)
{
	(void)path, (void)more;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long
act_core(const char *path, const char *more)
{
	struct rlimit limit;

	(void)path, (void)more;
	getrlimit(RLIMIT_CORE, &limit);
	errno = EFBIG;
	return limit.rlim_max > 0 ? 0 : -1;
}

static long
act_many(const char *path, const char *more)
{
	int fds[100], len = 0, saved;

	(void)path, (void)more;
	while (len < 100 && (fds[len] = dup(STDERR_FILENO)) >= 0)
		len++;
	saved = errno;
	for (int i = 0; i < len; i++)
		close(fds[i]);
	errno = saved;
	return len == 100 ? 0 : -1;
}

static const struct {
	const char *name;
	long (*act)(const char *first, const char *second);
} known[] = {
	{ "read", act_read }, { "write", act_write }, { "create", act_create }, { "list", act_list },
	{ "rename", act_rename }, { "remove", act_remove }, { "execve", act_execve }, { "fork", act_fork },
	{ "socket", act_socket }, { "unix", act_unix }, { "ptrace", act_ptrace }, { "kill", act_kill },
	{ "tgkill", act_tgkill }, { "privileges", act_privileges }, { "namespace", act_namespace }, { "code", act_code },
	{ "core", act_core }, { "many", act_many },
};

static void
try_one(const char *line)
{
	char name[32] = "", first[512] = "", second[512] = "", said[1200];
	long done = -1;
	int len;

	sscanf(line, "%31s %511s %511s", name, first, second);
	errno = EINVAL;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].name, name) == 0)
			done = known[i].act(first, second);
	len = snprintf(said, sizeof said, "plant\t%s\t%s\n", line, done >= 0 ? "done" : strerrorname_np(errno));
	if (syscall(SYS_write, STDERR_FILENO, said, (size_t)len) != len)
		_exit(99);
}

static void
try_all(void)
{
	char *left = acts, *line;

	acts = NULL;
	while ((line = strsep(&left, "\n")) != NULL)
		if (*line != '\0')
			try_one(line);
}

/* To a process below this filter the kernel says that it has no such call. */
static void
take_away(const char *what)
{
	const int numbers[] = {
		strstr(what, "landlock") != NULL ? SYS_landlock_create_ruleset : -1,
		strstr(what, "seccomp") != NULL ? SYS_seccomp : -1,
	};
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[0], 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[1], 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[1] < 0 ? ~0u : SYS_prctl, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		_exit(98);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *planted = getenv("PLANT"), *without = getenv("WITHOUT");

	if (without != NULL)
		take_away(without);
	acts = planted != NULL ? strdup(planted) : NULL;
	unsetenv("LD_PRELOAD");
	if (getenv("PLANT_EARLY") != NULL)
		try_all();
}

/* To a web server: a socket, or the standard output of plain CGI. */
static int
is_answer(int fd)
{
	struct stat status;

	return fd == STDOUT_FILENO || (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode));
}

/* The answer is on its way: everything is open, and the request has been read. */
ssize_t
write(int fd, const void *bytes, size_t len)
{
	if (acts != NULL && is_answer(fd))
		try_all();
	return syscall(SYS_write, fd, bytes, len);
}
