/* SPDX-License-Identifier: MIT */
/* notice.c: mail to an account, queued. */
#include <string.h>

#include "notice.h"

enum gb_err
gb_notice_put(const struct gb_app *app, struct gb_call *call, enum gb_mail_kind kind,
    const struct gb_user *user)
{
	struct gb_spool_entry entry = { .kind = kind };

	memcpy(entry.email, user->email, sizeof entry.email);
	memcpy(entry.user_id, user->id, sizeof entry.user_id);
	memcpy(entry.language, user->language, sizeof entry.language);
	return gb_spool_put(app, call, &entry);
}
