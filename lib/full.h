/* SPDX-License-Identifier: MIT */
#ifndef GB_FULL_H
#define GB_FULL_H

/*
 * For a program that is linked with nothing shared, so that plain CGI starts fast: it can load no
 * library, libcrypto neither. Where the environment may lead to a key that needs one, and for FastCGI,
 * which starts once, it becomes its sister of the same name in full/ beside it. Returns where this
 * program will do (plain CGI, HMAC keys that the environment holds), or is alone.
 */
void gb_full_become(char **argv);

#endif
