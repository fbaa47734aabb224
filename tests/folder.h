/* SPDX-License-Identifier: MIT */
#ifndef FOLDER_H
#define FOLDER_H

/* A directory of one test, gone with all that is in it when the test ends. */
#define FOLDER_MAX 128		/* bytes of its path and NUL */

void folder_make(char path[static FOLDER_MAX]);
void folder_remove(const char *path);

#endif
