/* SPDX-License-Identifier: MIT */
#ifndef GB_DEVICE_H
#define GB_DEVICE_H

#include "app.h"
#include "record.h"

/* Where a request comes from, as far as sessions remember it. */

/* "Firefox on Linux", "curl": words of our own tables only; "" when nothing is recognized. */
void gb_device_name(const char *user_agent, char device[static GB_DEVICE_MAX + 1]);

/* Such a name for people: "Firefox en Linux", by the language's text device.on. Any other, and without memory: as it is. */
const char *gb_device_text(struct gb_arena *arena, const char *language, const char *device);

/* Notes address, its block, User-Agent and device of the request in a session. */
void gb_device_note(const struct gb_app *app, const struct gb_call *call, struct gb_session *session);

/* True if the request comes from the block or with the User-Agent that the session noted last. */
bool gb_device_same(const struct gb_app *app, const struct gb_call *call, const struct gb_session *session);

/* Did this address block (IPv4 /24, IPv6 /64) sign in to the account in the last 30 days? */
bool gb_device_known(const struct gb_app *app, const struct gb_call *call, const struct gb_user *user);

/* Notes the block in u:, in place of the one that was seen longest ago. */
void gb_device_remember(const struct gb_app *app, const struct gb_call *call, struct gb_user *user);

#endif
