/* SPDX-License-Identifier: MIT */
#ifndef GB_PROGRAMS_H
#define GB_PROGRAMS_H

/* The main functions of all programs, renamed; the table is made by the Makefile and ends with a name NULL. */
struct gb_program {
	const char *name;		/* "login" */
	int (*main)(int argc, char **argv);
};

extern const struct gb_program gb_programs[];

/* The operator's command. */
int gb_main_guardbee(int argc, char **argv);

#endif
