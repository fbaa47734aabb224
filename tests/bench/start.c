/* SPDX-License-Identifier: MIT */
/*
 * start.c: from start to exit, for tests/bench/start:
 *
 *	start ROUNDS PROGRAM...
 *
 * Starts each program in turn, ROUNDS times over, with our environment, nothing to read and nobody
 * to hear, and prints for each the medians of the microseconds until it had ended and of those the
 * processor worked for it. posix_spawn: a fork would pay for our own pages.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAMS_MAX 8
#define ROUNDS_MAX 10000

static double
microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

struct times {
	double wall, processor;
};

static struct times
run(char *program, const posix_spawn_file_actions_t *silent)
{
	char *arguments[] = { program, NULL };
	double begun = microseconds();
	struct rusage used;
	int status;
	pid_t pid;

	if (posix_spawn(&pid, program, silent, NULL, arguments, environ) != 0 || wait4(pid, &status, 0, &used) != pid || status != 0) {
		fprintf(stderr, "%s: does not run\n", program);
		exit(1);
	}
	return (struct times){
		.wall = microseconds() - begun,
		.processor = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
	};
}

static int
compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static double
median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, compare);
	return values[n / 2];
}

int
main(int argc, char **argv)
{
	static double wall[PROGRAMS_MAX][ROUNDS_MAX], processor[PROGRAMS_MAX][ROUNDS_MAX];
	posix_spawn_file_actions_t silent;
	int rounds = argc > 2 ? atoi(argv[1]) : 0;

	if (rounds < 1 || rounds > ROUNDS_MAX || argc - 2 > PROGRAMS_MAX)
		return 64;
	posix_spawn_file_actions_init(&silent);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&silent, fd, "/dev/null", O_RDWR, 0);
	for (int round = 0; round < rounds; round++)
		for (int i = 2; i < argc; i++) {
			struct times taken = run(argv[i], &silent);

			wall[i - 2][round] = taken.wall;
			processor[i - 2][round] = taken.processor;
		}
	for (int i = 2; i < argc; i++)
		printf("%.1f %.1f\n", median(wall[i - 2], rounds), median(processor[i - 2], rounds));
	return 0;
}
