/* SPDX-License-Identifier: MIT */
#ifndef MAILBOX_H
#define MAILBOX_H

#include "policy.h"

/* What MAIL_TRANSPORT=file wrote into the STATE of a policy test. Texts live until policy_close. */

/* How many messages lie there. */
unsigned mailbox_count(const struct policy *policy);
/* The one message that lies there, taken away; fails the test when there is none or more than one. */
const char *mailbox_take(struct policy *policy);

/* The token of the link in a message, and the code as it is shown; NULL: none. */
const char *mailbox_token(struct policy *policy, const char *message);
const char *mailbox_code(struct policy *policy, const char *message);

#endif
