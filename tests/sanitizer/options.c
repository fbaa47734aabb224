/* SPDX-License-Identifier: MIT */
/*
 * options.c: part of sanitized builds only. Reports go to files: a detached child and a program under a web
 * server have no standard error that the runner reads.
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "log_path='" LOG_PATH "':detect_stack_use_after_return=1";
}

const char *
__ubsan_default_options(void)
{
	return "log_path='" LOG_PATH "':print_stacktrace=1";
}

/* libfcgi keeps 48 bytes of each record of pairs that is cut off. A list of what was passed over would be a report. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:FillBuffProc\n";
}

const char *
__lsan_default_options(void)
{
	return "print_suppressions=0";
}
