/* SPDX-License-Identifier: MIT */
#ifndef GB_IMPORT_H
#define GB_IMPORT_H

#include "arena.h"
#include "config.h"
#include "record.h"

/*
 * Accounts of other systems, a line each:
 *
 *	htpasswd	name:hash (what follows another colon is not looked at, as in shadow(5)); blank lines and # are skipped
 *	CSV		the first line names the columns (RFC 4180 quotes, no line breaks within)
 *	JSON lines	an object a line
 *
 * Names of columns and members: email, username, password_hash (hash); groups ("a,b" or an array), language,
 * email_verified (verified), created_at (created), password_changed_at, locked, id. Needed are email and password_hash,
 * which may be empty or null: an account that gets in by "forgot password" only. Times are seconds or ISO 8601 in UTC.
 */
#define GB_IMPORT_LINE_MAX 8192		/* bytes */

enum gb_import_format { GB_IMPORT_UNKNOWN, GB_IMPORT_HTPASSWD, GB_IMPORT_CSV, GB_IMPORT_JSON };

struct gb_import_form {
	enum gb_import_format format;
	int columns[16];		/* of CSV: which field */
	size_t columns_len;
	const char *domain;		/* htpasswd: the address of `name` is name@domain; NULL: names must be addresses */
};

/*
 * By the first line that is not blank: the form of all. *is_head: the line was the heads of the columns. GB_ERR_INVALID_FIELD
 * with *why: what is wrong with them.
 */
enum gb_err gb_import_begin(const char *line, struct gb_import_form *form, bool *is_head, const char **why);

/*
 * One line, NUL-terminated (it is cut up). GB_OK: `user` is whole but for its id where none was given. GB_ERR_NOT_FOUND: nothing
 * stands in the line. GB_ERR_INVALID_FIELD: refused, *why says why and never shows the hash. GB_ERR_MEMORY.
 */
enum gb_err gb_import_read(const struct gb_import_form *form, const struct gb_config *config, int64_t now,
    char *line, struct gb_arena *arena, struct gb_user *user, const char **why);

/*
 * What a dry run remembers, since it has no store to put accounts into: their names and ids, so that the second of a name
 * in one file is judged as the real run judges it. *seen begins as NULL.
 * GB_OK: remembered. GB_ERR_ACCOUNT_EXISTS, _INVALID_USERNAME, _INVALID_FIELD: address, user name, id are there already.
 * GB_ERR_MEMORY.
 */
enum gb_err gb_seen_add(void **seen, const struct gb_user *user);
void gb_seen_free(void **seen);

#endif
