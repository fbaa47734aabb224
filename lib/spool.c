/* SPDX-License-Identifier: MIT */
/* spool.c: STATE/spool, one file an entry. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "device.h"
#include "json.h"
#include "mail.h"
#include "spool.h"
#include "text.h"

#define SPOOL "spool"
#define LOCK SPOOL "/.lock"
#define ENTRY_MAX 4096			/* bytes of a file */
#define TRIES_SHOWN_MAX 99
#define ASIDE_KEEP_S 3600

static const struct { const char *name; bool is_notice; } kinds[GB_MAIL__COUNT] = {
	[GB_MAIL_RESET] = { "reset", false },
	[GB_MAIL_VERIFY] = { "verify", false },
	[GB_MAIL_PENDING] = { "pending", false },
	[GB_MAIL_CHANGE_EMAIL] = { "change-email", false },
	[GB_MAIL_NOTICE_PASSWORD] = { "notice-password", true },
	[GB_MAIL_NOTICE_EMAIL] = { "notice-email", true },
	[GB_MAIL_NOTICE_DEVICE] = { "notice-device", true },
	[GB_MAIL_NOTICE_REUSE] = { "notice-reuse", true },
};

/* The texts of an entry as they stand in its file. */
static const struct { const char *name; size_t offset, size; } members[] = {
#define MEMBER(name) { #name, offsetof(struct gb_spool_entry, name), sizeof ((struct gb_spool_entry *)0)->name }
	MEMBER(email), MEMBER(user_id), MEMBER(pending_id), MEMBER(target), MEMBER(language), MEMBER(device), MEMBER(address),
#undef MEMBER
};
#define MEMBERS (sizeof members / sizeof members[0])

const char *
gb_mail_kind_name(enum gb_mail_kind kind)
{
	return kinds[kind].name;
}

static void
name_make(gb_spool_name name, int64_t next_at, unsigned tries, int64_t created_at, uint64_t random)
{
	snprintf(name, GB_SPOOL_NAME_MAX, "%012" PRId64 ".%02u.%012" PRId64 ".%016" PRIx64, next_at,
	    tries < TRIES_SHOWN_MAX ? tries : TRIES_SHOWN_MAX, created_at, random);
}

/* Only what name_make writes; anything else in the folder is not ours. */
static bool
name_parse(const char *name, int64_t *next_at, unsigned *tries, int64_t *created_at, uint64_t *random)
{
	gb_spool_name again;

	if (sscanf(name, "%12" SCNd64 ".%2u.%12" SCNd64 ".%16" SCNx64, next_at, tries, created_at, random) != 4)
		return false;
	name_make(again, *next_at, *tries, *created_at, *random);
	return strcmp(again, name) == 0;
}

static const char *
entry_write(const struct gb_spool_entry *entry, struct gb_arena *arena, size_t *len)
{
	struct gb_json_writer writer;

	gb_json_begin(&writer, arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_put_string(&writer, "kind", kinds[entry->kind].name);
	for (size_t i = 0; i < MEMBERS; i++)
		gb_json_put_string(&writer, members[i].name, (const char *)entry + members[i].offset);
	gb_json_close(&writer, '}');
	return gb_json_text(&writer, len);
}

static DIR *
folder_open(const struct gb_state *state)
{
	int fd = openat(gb_state_fd(state), SPOOL, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder;

	if (fd < 0)
		return NULL;
	if ((folder = fdopendir(fd)) == NULL)
		close(fd);
	return folder;
}

struct tally {
	size_t due, all;
	int64_t oldest;			/* created; INT64_MAX: none */
};

static enum gb_err
walk(const struct gb_state *state, int64_t due, gb_spool_name *names, size_t max, struct tally *tally)
{
	DIR *folder = folder_open(state);
	int64_t next_at, created_at;
	const struct dirent *file;
	unsigned tries;
	uint64_t random;

	*tally = (struct tally){ .oldest = INT64_MAX };
	if (folder == NULL)
		return GB_ERR_STORE_UNAVAILABLE;
	while ((file = readdir(folder)) != NULL) {
		if (!name_parse(file->d_name, &next_at, &tries, &created_at, &random))
			continue;
		tally->all++;
		if (created_at < tally->oldest)
			tally->oldest = created_at;
		if (next_at <= due && tally->due < max)
			memcpy(names[tally->due++], file->d_name, strlen(file->d_name) + 1);
	}
	closedir(folder);
	return GB_OK;
}

enum gb_err
gb_spool_names(const struct gb_state *state, int64_t due, gb_spool_name *names, size_t max, size_t *names_len)
{
	struct tally tally;
	enum gb_err err = walk(state, due, names, max, &tally);

	*names_len = tally.due;
	return err;
}

enum gb_err
gb_spool_look(const struct gb_app *app, int64_t now, size_t *entries, int64_t *oldest_s)
{
	struct tally tally;
	enum gb_err err = walk(app->state, now, NULL, 0, &tally);

	*entries = tally.all;
	*oldest_s = tally.all > 0 && tally.oldest < now ? now - tally.oldest : 0;
	return err;
}

const char *
gb_spool_trouble(const struct gb_app *app, int64_t now)
{
	size_t waiting;
	int64_t oldest_s;

	if (gb_spool_look(app, now, &waiting, &oldest_s) != GB_OK)
		return "the spool cannot be read";
	return waiting >= GB_SPOOL_MAX ? "the spool is full (" GB_SPOOL_MAX_TEXT " entries)" : "the spool cannot be written";
}

static enum gb_err
put_filled(const struct gb_app *app, struct gb_call *call, const struct gb_spool_entry *entry)
{
	char path[sizeof SPOOL + GB_SPOOL_NAME_MAX];
	gb_spool_name name;
	uint64_t random;
	size_t len, waiting;
	int64_t oldest_s;
	const char *text = entry_write(entry, call->arena, &len);
	enum gb_err err;

	if (text == NULL)
		return GB_ERR_MEMORY;
	if (len > ENTRY_MAX)
		return GB_ERR_INTERNAL;
	if ((err = gb_spool_look(app, call->now, &waiting, &oldest_s)) != GB_OK)
		return err;
	if (waiting >= GB_SPOOL_MAX)
		return GB_ERR_STORE_UNAVAILABLE;
	randombytes_buf(&random, sizeof random);
	name_make(name, call->now, 0, call->now, random);
	snprintf(path, sizeof path, SPOOL "/%s", name);
	return gb_state_write(app->state, path, text, len, 1);
}

enum gb_err
gb_spool_put(const struct gb_app *app, struct gb_call *call, const struct gb_spool_entry *entry)
{
	struct gb_spool_entry filled = *entry;

	if (kinds[entry->kind].is_notice && !app->config->notice_mails)
		return GB_OK;
	if (filled.language[0] == '\0')
		snprintf(filled.language, sizeof filled.language, "%s",
		    gb_text_language(call->language, app->config->default_language));
	if (filled.device[0] == '\0')
		gb_device_name(call->user_agent, filled.device);
	if (filled.address[0] == '\0')
		snprintf(filled.address, sizeof filled.address, "%s", call->address);
	return put_filled(app, call, &filled);
}

static enum gb_err
file_read(const struct gb_state *state, const char *name, char text[static ENTRY_MAX + 1], size_t *len)
{
	char path[sizeof SPOOL + GB_SPOOL_NAME_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, SPOOL "/%s", name);
	if ((fd = openat(gb_state_fd(state), path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) < 0)
		return errno == ENOENT ? GB_ERR_NOT_FOUND : GB_ERR_STORE_UNAVAILABLE;
	n = read(fd, text, ENTRY_MAX + 1);
	close(fd);
	if (n < 0)
		return GB_ERR_STORE_UNAVAILABLE;
	if (n > ENTRY_MAX)
		return GB_ERR_MALFORMED;
	*len = (size_t)n;
	return GB_OK;
}

static enum gb_err
kind_read(const struct gb_json *json, enum gb_mail_kind *kind)
{
	const char *name;

	if (gb_json_string(json, "kind", &name) != GB_OK)
		return GB_ERR_MALFORMED;
	for (*kind = 0; *kind < GB_MAIL__COUNT; (*kind)++)
		if (strcmp(kinds[*kind].name, name) == 0)
			return GB_OK;
	return GB_ERR_MALFORMED;
}

static enum gb_err
members_read(const struct gb_json *json, struct gb_spool_entry *entry)
{
	const char *value;

	if (kind_read(json, &entry->kind) != GB_OK)
		return GB_ERR_MALFORMED;
	for (size_t i = 0; i < MEMBERS; i++) {
		if (gb_json_string(json, members[i].name, &value) != GB_OK || strlen(value) >= members[i].size)
			return GB_ERR_MALFORMED;
		memcpy((char *)entry + members[i].offset, value, strlen(value) + 1);
	}
	return gb_mail_address_ok(entry->email) ? GB_OK : GB_ERR_MALFORMED;
}

enum gb_err
gb_spool_read(const struct gb_state *state, const char *name, struct gb_arena *arena,
    struct gb_spool_entry *entry)
{
	char *text = gb_arena_alloc(arena, ENTRY_MAX + 1);
	const struct gb_json *json;
	uint64_t random;
	size_t len;
	enum gb_err err;

	*entry = (struct gb_spool_entry){ 0 };
	if (text == NULL)
		return GB_ERR_MEMORY;
	if (!name_parse(name, &entry->next_at, &entry->tries, &entry->created_at, &random))
		return GB_ERR_MALFORMED;
	if ((err = file_read(state, name, text, &len)) != GB_OK)
		return err;
	if ((err = gb_json_parse(text, len, arena, &json)) != GB_OK)
		return err == GB_ERR_MEMORY ? err : GB_ERR_MALFORMED;
	return gb_json_is_object(json) ? members_read(json, entry) : GB_ERR_MALFORMED;
}

/* The same entry under the name that says when it is due and how often it was tried. */
static enum gb_err
rename_to(const struct gb_state *state, gb_spool_name name, int64_t next_at, unsigned more_tries)
{
	char from[sizeof SPOOL + GB_SPOOL_NAME_MAX], to[sizeof SPOOL + GB_SPOOL_NAME_MAX];
	gb_spool_name later;
	int64_t was, created_at;
	unsigned tries;
	uint64_t random;

	if (!name_parse(name, &was, &tries, &created_at, &random))
		return GB_ERR_MALFORMED;
	name_make(later, next_at, tries + more_tries, created_at, random);
	snprintf(from, sizeof from, SPOOL "/%s", name);
	snprintf(to, sizeof to, SPOOL "/%s", later);
	if (renameat(gb_state_fd(state), from, gb_state_fd(state), to) < 0)
		return errno == ENOENT ? GB_ERR_NOT_FOUND : GB_ERR_STORE_UNAVAILABLE;
	memcpy(name, later, sizeof later);
	return GB_OK;
}

enum gb_err
gb_spool_defer(const struct gb_state *state, gb_spool_name name, int64_t next_at)
{
	return rename_to(state, name, next_at, 1);
}

enum gb_err
gb_spool_hurry(const struct gb_state *state, int64_t now)
{
	gb_spool_name *names = calloc(GB_SPOOL_MAX, sizeof *names);
	enum gb_err err;
	size_t len;

	if (names == NULL)
		return GB_ERR_MEMORY;
	err = gb_spool_names(state, INT64_MAX, names, GB_SPOOL_MAX, &len);
	for (size_t i = 0; err == GB_OK && i < len; i++)
		if ((err = rename_to(state, names[i], now, 0)) == GB_ERR_NOT_FOUND)
			err = GB_OK;	/* somebody has just delivered it */
	free(names);
	return err;
}

void
gb_spool_drop(const struct gb_state *state, const char *name)
{
	char path[sizeof SPOOL + GB_SPOOL_NAME_MAX];

	snprintf(path, sizeof path, SPOOL "/%s", name);
	unlinkat(gb_state_fd(state), path, 0);
}

/* As gb_state_write names what is not whole yet; the lock has another name. */
static bool
is_aside(const char *name)
{
	return name[0] == '.' && name[1] != '\0' && strspn(name + 1, "0123456789abcdef") == strlen(name + 1);
}

void
gb_spool_sweep(const struct gb_state *state, int64_t now)
{
	DIR *folder = folder_open(state);
	const struct dirent *file;
	struct stat st;

	if (folder == NULL)
		return;
	while ((file = readdir(folder)) != NULL)
		if (is_aside(file->d_name) && fstatat(dirfd(folder), file->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && (int64_t)st.st_mtime < now - ASIDE_KEEP_S)
			unlinkat(dirfd(folder), file->d_name, 0);
	closedir(folder);
}

int
gb_spool_lock(const struct gb_state *state)
{
	/* of the open file, not of the process: a lock that any close() would drop is no lock */
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(gb_state_fd(state), LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &whole) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}
