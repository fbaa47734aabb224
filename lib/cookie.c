/* SPDX-License-Identifier: MIT */
/* cookie.c: cookie mode's three cookies, in and out. */
#include <string.h>

#include <sodium.h>

#include "cookie.h"

enum cookie { COOKIE_GATE, COOKIE_REFRESH, COOKIE_CSRF, COOKIE__COUNT };

static const struct {
	const char *name;
	const char *attributes;
	bool whole_site;		/* Path=/ instead of the endpoints' own */
} cookies[COOKIE__COUNT] = {
	[COOKIE_GATE] = { "__Host-gb_gate", "Secure; HttpOnly; SameSite=Lax", true },
	[COOKIE_REFRESH] = { "__Secure-gb_refresh", "Secure; HttpOnly; SameSite=Strict", false },
	[COOKIE_CSRF] = { "__Host-gb_csrf", "Secure; SameSite=Strict", true },
};

struct seen {
	const char *value;
	size_t len;
	unsigned times;
};

/* One `name=value` between separators, blanks around it not counted. */
static void
look_at(const char *text, size_t len, struct seen seen[static COOKIE__COUNT])
{
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	for (size_t i = 0; i < COOKIE__COUNT; i++) {
		size_t name_len = strlen(cookies[i].name);

		if (len <= name_len || strncmp(text, cookies[i].name, name_len) != 0 || text[name_len] != '=')
			continue;
		seen[i].value = text + name_len + 1;
		seen[i].len = len - name_len - 1;
		seen[i].times++;
	}
}

static const char *
only_value(const struct seen *seen, struct gb_arena *arena)
{
	if (seen->times != 1 || seen->len == 0 || seen->len > GB_COOKIE_MAX)
		return NULL;
	return gb_arena_copy(arena, seen->value, seen->len);
}

void
gb_cookie_read(struct gb_request *req)
{
	const char *text = gb_request_variable(req, "HTTP_COOKIE");
	struct seen seen[COOKIE__COUNT] = { 0 };

	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text += strspn(text, " \t;,"), ";,");

		look_at(text, len, seen);
		text += len;
	}
	for (size_t i = 0; i < COOKIE__COUNT; i++)
		req->cookie_sent = req->cookie_sent || seen[i].times > 0;
	req->gate = only_value(&seen[COOKIE_GATE], req->call.arena);
	if (req->gate != NULL)
		req->refresh_cookie = only_value(&seen[COOKIE_REFRESH], req->call.arena);
}

bool
gb_cookie_csrf_check(const struct gb_request *req)
{
	const char *sent = gb_request_variable(req, "HTTP_X_CSRF_TOKEN");
	char csrf[GB_CSRF_TEXT + 1];
	bool same;

	if (sent == NULL && gb_request_field(req, "csrf_token", GB_CSRF_TEXT, &sent) != GB_OK)
		return false;
	same = gb_token_csrf(req->gate, csrf) && strlen(sent) == GB_CSRF_TEXT && sodium_memcmp(sent, csrf, GB_CSRF_TEXT) == 0;
	sodium_memzero(csrf, sizeof csrf);
	return same;
}

static enum gb_err
put(const struct gb_config *config, struct gb_request *req, enum cookie cookie, const char *value,
    int64_t max_age_s)
{
	const char *line = gb_arena_printf(req->call.arena, "%s=%s; Path=%s%s; Max-Age=%lld; %s",
	    cookies[cookie].name, value, cookies[cookie].whole_site ? "" : config->frontend_path,
	    cookies[cookie].whole_site ? "/" : "/auth/", (long long)max_age_s, cookies[cookie].attributes);

	return line != NULL ? gb_reply_header(req, "Set-Cookie", line) : GB_ERR_MEMORY;
}

static enum gb_err
put_all(const struct gb_config *config, struct gb_request *req,
    const char *const values[static COOKIE__COUNT], int64_t max_age_s)
{
	enum gb_err err = GB_OK;

	for (size_t i = 0; err == GB_OK && i < COOKIE__COUNT; i++)
		err = put(config, req, (enum cookie)i, values[i], max_age_s);
	return err;
}

enum gb_err
gb_cookie_set(const struct gb_config *config, struct gb_request *req, const struct gb_token_pair *pair)
{
	char csrf[GB_CSRF_TEXT + 1];
	const char *const values[COOKIE__COUNT] = {
		[COOKIE_GATE] = pair->gate, [COOKIE_REFRESH] = pair->refresh_token, [COOKIE_CSRF] = csrf,
	};

	enum gb_err err;

	if (!gb_token_csrf(pair->gate, csrf))
		return GB_ERR_INTERNAL;
	err = put_all(config, req, values, pair->refresh_expires_in);
	sodium_memzero(csrf, sizeof csrf);
	return err;
}

enum gb_err
gb_cookie_expire(const struct gb_config *config, struct gb_request *req)
{
	static const char *const values[COOKIE__COUNT] = { "", "", "" };

	return put_all(config, req, values, 0);
}
