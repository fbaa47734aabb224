/* SPDX-License-Identifier: MIT */
/* sandbox_calls.c: seccomp: which system calls a process still has. */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "sandbox_parts.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#ifdef ARCHITECTURE

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* What an argument must be; only its lower half is looked at, as the kernel does for these. */
enum test { ANY, IS, LACKS };

static const struct call {
	unsigned number, permits;	/* counts with one of them */
	enum test test;
	unsigned argument, value;
} calls[] = {
#define CALL(name) { SYS_##name, GB_PERMIT_ALWAYS, ANY, 0, 0 }
	CALL(read), CALL(write), CALL(close), CALL(fcntl), CALL(pread64), CALL(pwrite64), CALL(fdatasync), CALL(futex),
	CALL(munmap), CALL(madvise), CALL(brk), CALL(getrandom), CALL(ppoll), CALL(accept4), CALL(shutdown), CALL(setitimer),
	{ SYS_mmap, GB_PERMIT_ALWAYS, LACKS, 2, PROT_EXEC },
	{ SYS_mmap, GB_PERMIT_LOAD, ANY, 0, 0 },
	{ SYS_mprotect, GB_PERMIT_ALWAYS, LACKS, 2, PROT_EXEC },
	{ SYS_mprotect, GB_PERMIT_LOAD, ANY, 0, 0 },

	/* files; which ones is Landlock's business */
	CALL(openat), CALL(fstat), CALL(newfstatat), CALL(statx), CALL(lseek), CALL(readv), CALL(writev), CALL(getdents64),
	CALL(fsync), CALL(ftruncate), CALL(fallocate), CALL(statfs), CALL(fstatfs), CALL(fadvise64), CALL(faccessat),
	CALL(faccessat2), CALL(readlinkat), CALL(mkdirat), CALL(renameat), CALL(renameat2), CALL(linkat), CALL(unlinkat),
	CALL(fchmod), CALL(dup), CALL(dup3), CALL(mremap), CALL(msync), CALL(umask),
#ifdef SYS_open				/* of older processors */
	CALL(open), CALL(stat), CALL(lstat), CALL(access), CALL(readlink), CALL(mkdir), CALL(rename), CALL(unlink), CALL(poll),
	CALL(dup2), CALL(time),
#endif

	/* itself */
	CALL(clock_gettime), CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday), CALL(getpid), CALL(gettid),
	CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(sched_yield), CALL(sched_getaffinity), CALL(sysinfo),
	CALL(uname), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(restart_syscall), CALL(sigaltstack),
	CALL(tgkill), CALL(exit), CALL(exit_group), CALL(setsockopt), CALL(getsockopt), CALL(membarrier),
	{ SYS_prlimit64, GB_PERMIT_ALWAYS, IS, 0, 0 },
	{ SYS_prctl, GB_PERMIT_ALWAYS, IS, 0, PR_SET_NAME },

	/* the deliverer: a child, its session, its descriptors */
#define MAIL(name) { SYS_##name, GB_PERMIT_MAIL, ANY, 0, 0 }
	{ SYS_clone, GB_PERMIT_MAIL, LACKS, 0, NAMESPACES },
	MAIL(set_robust_list), MAIL(rseq), MAIL(set_tid_address), MAIL(wait4), MAIL(setsid), MAIL(chdir), MAIL(close_range),

	/* SMTP: a name resolved, one connection */
#define NETWORK(name) { SYS_##name, GB_PERMIT_NETWORK, ANY, 0, 0 }
	{ SYS_socket, GB_PERMIT_NETWORK, IS, 0, AF_INET },
	{ SYS_socket, GB_PERMIT_NETWORK, IS, 0, AF_INET6 },
	{ SYS_socket, GB_PERMIT_NETWORK, IS, 0, AF_UNIX },
	{ SYS_socket, GB_PERMIT_NETWORK, IS, 0, AF_NETLINK },
	NETWORK(socketpair), NETWORK(connect), NETWORK(bind), NETWORK(sendto), NETWORK(sendmsg), NETWORK(sendmmsg),
	NETWORK(recvfrom), NETWORK(recvmsg), NETWORK(getsockname), NETWORK(getpeername), NETWORK(pipe2), NETWORK(eventfd2),
	NETWORK(ioctl),
};

#define CALLS_LEN (sizeof calls / sizeof *calls)
#define STEP(...) (struct sock_filter)BPF_STMT(__VA_ARGS__)
#define LOAD(offset) STEP(BPF_LD | BPF_W | BPF_ABS, offset)
#define RETURN(verdict) STEP(BPF_RET | BPF_K, verdict)
#define JUMP(op, value, then, otherwise) (struct sock_filter)BPF_JUMP(BPF_JMP | (op) | BPF_K, value, then, otherwise)
#define ABSENT RETURN(SECCOMP_RET_ERRNO | ENOSYS)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lower half of an argument comes first");

/* A program that grows; the rows that count in it, in the order of their numbers. */
struct filter {
	struct sock_filter steps[8 + 8 * CALLS_LEN];
	size_t len;
	const struct call *rows[CALLS_LEN];
};

static int
by_number(const void *a, const void *b)
{
	const struct call *x = *(const struct call *const *)a, *y = *(const struct call *const *)b;

	return x->number != y->number ? (x->number < y->number ? -1 : 1) : (x > y) - (x < y);
}

static void
add_row(struct filter *filter, const struct call *call)
{
	struct sock_filter *at = &filter->steps[filter->len];

	at[0] = JUMP(BPF_JEQ, call->number, 0, call->test == ANY ? 1 : 4);
	if (call->test == ANY) {
		at[1] = RETURN(SECCOMP_RET_ALLOW);
		filter->len += 2;
		return;
	}
	at[1] = LOAD(offsetof(struct seccomp_data, args) + call->argument * sizeof(uint64_t));
	at[2] = call->test == IS ? JUMP(BPF_JEQ, call->value, 0, 1) : JUMP(BPF_JSET, call->value, 1, 0);
	at[3] = RETURN(SECCOMP_RET_ALLOW);
	at[4] = LOAD(offsetof(struct seccomp_data, nr));
	filter->len += 5;
}

/*
 * A tree, not a list: the kernel runs the filter once for every call it has when it is set, which would be the dearest part
 * of a plain CGI process's start. Rows of one number stay together.
 */
static void
add_tree(struct filter *filter, size_t from, size_t to)
{
	size_t middle = from + (to - from) / 2, jump;

	while (middle > from && filter->rows[middle]->number == filter->rows[middle - 1]->number)
		middle--;
	if (middle == from || to - from <= 3) {
		for (size_t i = from; i < to; i++)
			add_row(filter, filter->rows[i]);
		filter->steps[filter->len++] = ABSENT;
		return;
	}
	filter->steps[filter->len++] = JUMP(BPF_JGE, filter->rows[middle]->number, 0, 1);
	jump = filter->len++;
	add_tree(filter, from, middle);
	filter->steps[jump] = STEP(BPF_JMP | BPF_JA, (unsigned)(filter->len - jump - 1));
	add_tree(filter, middle, to);
}

static void
compile(unsigned permits, struct filter *filter)
{
	size_t rows = 0;

	for (size_t i = 0; i < CALLS_LEN; i++)
		if ((calls[i].permits & permits) != 0)
			filter->rows[rows++] = &calls[i];
	qsort(filter->rows, rows, sizeof *filter->rows, by_number);
	filter->steps[0] = LOAD(offsetof(struct seccomp_data, arch));
	filter->steps[1] = JUMP(BPF_JEQ, ARCHITECTURE, 1, 0);
	filter->steps[2] = RETURN(SECCOMP_RET_KILL_PROCESS);
	filter->steps[3] = LOAD(offsetof(struct seccomp_data, nr));
	filter->len = 4;
	add_tree(filter, 0, rows);
}

bool
gb_sandbox_calls(unsigned permits)
{
	struct filter filter;
	struct sock_fprog program;

	compile(permits, &filter);
	program = (struct sock_fprog){ .len = (unsigned short)filter.len, .filter = filter.steps };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

#else

bool
gb_sandbox_calls(unsigned permits)
{
	(void)permits;
	errno = ENOSYS;
	return false;
}

#endif
