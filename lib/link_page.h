/* SPDX-License-Identifier: MIT */
#ifndef GB_LINK_PAGE_H
#define GB_LINK_PAGE_H

#include "http.h"
#include "link.h"

/* What the programs behind mailed links share: reset-password, verify-email, change-email. */

/*
 * GET and HEAD: the page, with the query's token if it is good now (it spends nothing: scanners open every
 * link), else one that says the link is dead, 200 too.
 */
enum gb_err gb_link_page_show(const struct gb_app *app, struct gb_request *req, enum gb_link_kind kind);

/* token, or email and code. GB_ERR_MISSING_FIELD, _INVALID_FIELD. */
enum gb_err gb_link_page_proof(const struct gb_request *req, struct gb_link_proof *proof);

/*
 * A refusal. While the link is still good a form is answered with its page, err's status and the token
 * in a hidden field (GB_OK then); else err itself.
 *	token	NULL: there was none
 */
enum gb_err gb_link_page_refuse(const struct gb_app *app, struct gb_request *req, enum gb_err err,
    enum gb_link_kind kind, const char *token);

#endif
