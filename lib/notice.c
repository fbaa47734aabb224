/* SPDX-License-Identifier: MIT */
/* notice.c: mail to an account, queued. */
#include <string.h>

#include "mail_log.h"
#include "notice.h"

enum gb_err
gb_notice_put(const struct gb_app *app, struct gb_call *call, enum gb_mail_kind kind,
    const struct gb_user *user)
{
	struct gb_spool_entry entry = { .kind = kind };
	enum gb_err err;

	memcpy(entry.email, user->email, sizeof entry.email);
	memcpy(entry.user_id, user->id, sizeof entry.user_id);
	memcpy(entry.language, user->language, sizeof entry.language);
	if ((err = gb_spool_put(app, call, &entry)) != GB_OK)
		gb_mail_log(app->config, app->state, call->now, "lost", &entry, gb_spool_trouble(app, call->now));
	return err;
}
