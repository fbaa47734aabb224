/* SPDX-License-Identifier: MIT */
/* null.c: the least a dynamic program does, for tests/bench/start. */
int
main(void)
{
	return 0;
}
