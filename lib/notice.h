/* SPDX-License-Identifier: MIT */
#ifndef GB_NOTICE_H
#define GB_NOTICE_H

#include "record.h"
#include "spool.h"

/*
 * Queues mail to an account, in its owner's language: who acts may be somebody else. What the mail
 * is about stands already, so a caller may go on after an error (gb_spool_put's): STATE/mail.log says that it was lost.
 */
enum gb_err gb_notice_put(const struct gb_app *app, struct gb_call *call, enum gb_mail_kind kind,
    const struct gb_user *user);

#endif
