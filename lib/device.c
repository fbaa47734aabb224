/* SPDX-License-Identifier: MIT */
/* device.c: where a request comes from. */
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "limit.h"
#include "template.h"
#include "text.h"

#define ON " on "			/* between program and system, in no name of either */
#define KNOWN_S (INT64_C(30) * 86400)

struct word {
	const char *in_agent, *name;
};

/* The first that occurs counts: most browsers also name those they descend from. */
static const struct word programs[] = {
	{ "Edg/", "Edge" }, { "EdgA/", "Edge" }, { "EdgiOS/", "Edge" }, { "OPR/", "Opera" },
	{ "SamsungBrowser/", "Samsung Internet" }, { "Vivaldi/", "Vivaldi" },
	{ "Firefox/", "Firefox" }, { "FxiOS/", "Firefox" }, { "CriOS/", "Chrome" },
	{ "Chromium/", "Chromium" }, { "Chrome/", "Chrome" }, { "Safari/", "Safari" },
	{ "curl/", "curl" }, { "Wget/", "Wget" }, { "okhttp/", "okhttp" }, { "Dart/", "Dart" },
	{ "python-requests/", "Python" }, { "Python-urllib/", "Python" }, { "Go-http-client/", "Go" },
	{ "PostmanRuntime/", "Postman" },
	{ NULL, NULL }
};

static const struct word systems[] = {
	{ "Android", "Android" }, { "iPhone", "iPhone" }, { "iPad", "iPad" }, { "CrOS", "ChromeOS" },
	{ "Windows", "Windows" }, { "Macintosh", "macOS" }, { "Mac OS X", "macOS" }, { "Linux", "Linux" },
	{ NULL, NULL }
};

static const char *
recognize(const struct word *words, const char *user_agent)
{
	while (words->name != NULL && strstr(user_agent, words->in_agent) == NULL)
		words++;
	return words->name;
}

void
gb_device_name(const char *user_agent, char device[static GB_DEVICE_MAX + 1])
{
	const char *program = recognize(programs, user_agent), *system = recognize(systems, user_agent);

	snprintf(device, GB_DEVICE_MAX + 1, "%s%s%s", program != NULL ? program : "",
	    program != NULL && system != NULL ? ON : "", system != NULL ? system : "");
}

const char *
gb_device_text(struct gb_arena *arena, const char *language, const char *device)
{
	const char *on = device != NULL ? strstr(device, ON) : NULL, *text, *filled = NULL;

	if (on == NULL)
		return device;
	if ((text = gb_text_find(arena, gb_text_table(language), "device.on")) != NULL)
		filled = gb_template_fill(arena, text, (const struct gb_template_value[]){
		    { "program", gb_arena_copy(arena, device, (size_t)(on - device)) },
		    { "system", on + sizeof ON - 1 },
		    { NULL, NULL },
		}, NULL, false);
	return filled != NULL ? filled : device;
}

static void
block_print(const struct gb_app *app, const char *address, const char *label, const char *user_id,
    unsigned char print[static GB_FINGERPRINT_LEN])
{
	char block[64];
	const char *parts[] = { block, user_id };

	gb_address_block(address, 24, block);
	gb_state_fingerprint(app->state, label, parts, user_id != NULL ? 2 : 1, print);
}

static void
agent_print(const struct gb_app *app, const char *user_agent, unsigned char print[static GB_FINGERPRINT_LEN])
{
	gb_state_fingerprint(app->state, "agent", &user_agent, 1, print);
}

void
gb_device_note(const struct gb_app *app, const struct gb_call *call, struct gb_session *session)
{
	unsigned char block[GB_FINGERPRINT_LEN];

	block_print(app, call->address, "block", NULL, block);
	memcpy(session->rotated_block, block, sizeof session->rotated_block);
	agent_print(app, call->user_agent, session->rotated_agent);
	gb_device_name(call->user_agent, session->device);
	snprintf(session->address, sizeof session->address, "%s", call->address);
}

bool
gb_device_same(const struct gb_app *app, const struct gb_call *call, const struct gb_session *session)
{
	unsigned char block[GB_FINGERPRINT_LEN], agent[GB_FINGERPRINT_LEN];

	block_print(app, call->address, "block", NULL, block);
	agent_print(app, call->user_agent, agent);
	return memcmp(block, session->rotated_block, sizeof session->rotated_block) == 0 ||
	    memcmp(agent, session->rotated_agent, sizeof session->rotated_agent) == 0;
}

/* The block's place in u:, or known_blocks_len. The user id is part of it: equal blocks of two accounts differ. */
static size_t
known_find(const struct gb_app *app, const struct gb_call *call, const struct gb_user *user,
    unsigned char block[static GB_FINGERPRINT_LEN])
{
	size_t i;

	block_print(app, call->address, "known-block", user->id, block);
	for (i = 0; i < user->known_blocks_len; i++)
		if (memcmp(user->known_blocks[i].hash, block, sizeof user->known_blocks[i].hash) == 0)
			break;
	return i;
}

bool
gb_device_known(const struct gb_app *app, const struct gb_call *call, const struct gb_user *user)
{
	unsigned char block[GB_FINGERPRINT_LEN];
	size_t i = known_find(app, call, user, block);

	return i < user->known_blocks_len && call->now - user->known_blocks[i].last_at < KNOWN_S;
}

void
gb_device_remember(const struct gb_app *app, const struct gb_call *call, struct gb_user *user)
{
	unsigned char block[GB_FINGERPRINT_LEN];
	size_t i = known_find(app, call, user, block);

	if (i == user->known_blocks_len && user->known_blocks_len < GB_KNOWN_BLOCKS_MAX)
		user->known_blocks_len++;
	if (i == GB_KNOWN_BLOCKS_MAX) {
		i = 0;
		for (size_t other = 1; other < GB_KNOWN_BLOCKS_MAX; other++)
			if (user->known_blocks[other].last_at < user->known_blocks[i].last_at)
				i = other;
	}
	memcpy(user->known_blocks[i].hash, block, sizeof user->known_blocks[i].hash);
	user->known_blocks[i].last_at = call->now;
}
