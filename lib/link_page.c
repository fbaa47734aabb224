/* SPDX-License-Identifier: MIT */
/* link_page.c: the pages that mailed links open. */
#include "jwt.h"
#include "link_page.h"
#include "page.h"

static const char *const templates[] = {
	[GB_LINK_RESET] = "reset-password",
	[GB_LINK_VERIFY_EMAIL] = "verify-email",
	[GB_LINK_CHANGE_EMAIL] = "change-email",
};

enum { TOKEN, EMAIL, TARGET, PENDING, DEAD, VALUES };

static enum gb_err
values_set(const struct gb_app *app, struct gb_request *req, enum gb_link_kind kind, const char *token,
    struct gb_template_value values[static VALUES + 1])
{
	const struct gb_link_proof proof = { .token = token };
	struct gb_found_link found;
	enum gb_err err;

	values[TOKEN].value = values[EMAIL].value = values[TARGET].value = values[PENDING].value = NULL;
	if (!gb_page_token_shape(token))
		return GB_ERR_RESET_TOKEN_INVALID;
	if ((err = gb_link_find(app, &req->call, kind, &proof, &found)) != GB_OK)
		return err;
	values[TOKEN].value = token;
	values[EMAIL].value = gb_arena_printf(req->call.arena, "%s", found.user.email);
	values[TARGET].value = gb_arena_printf(req->call.arena, "%s", found.link.target);
	values[PENDING].value = found.pending_id[0] != '\0' ? "" : NULL;
	return GB_OK;
}

#define VALUES_EMPTY { { "token", NULL }, { "email", NULL }, { "target", NULL }, { "pending", NULL }, { "dead", NULL }, { NULL, NULL } }

enum gb_err
gb_link_page_show(const struct gb_app *app, struct gb_request *req, enum gb_link_kind kind)
{
	struct gb_template_value values[VALUES + 1] = VALUES_EMPTY;
	const char *token = gb_request_query(req, "token", GB_TOKEN_MAX);
	enum gb_err err;

	if (token == NULL)
		return gb_page_reply(app, req, 200, templates[kind], values, false);
	if ((err = values_set(app, req, kind, token, values)) == GB_ERR_RESET_TOKEN_INVALID)
		values[DEAD].value = "";
	else if (err != GB_OK)
		return gb_page_refuse(app, req, err, templates[kind], values);
	return gb_page_reply(app, req, 200, templates[kind], values, true);
}

enum gb_err
gb_link_page_proof(const struct gb_request *req, struct gb_link_proof *proof)
{
	enum gb_err err;

	*proof = (struct gb_link_proof){ NULL, NULL, NULL };
	if ((err = gb_request_optional(req, "token", GB_TOKEN_MAX, &proof->token)) != GB_OK || proof->token != NULL)
		return err;
	if ((err = gb_request_field(req, "email", GB_BODY_MAX, &proof->email)) != GB_OK)
		return err;
	return gb_request_field(req, "code", GB_BODY_MAX, &proof->code);
}

enum gb_err
gb_link_page_refuse(const struct gb_app *app, struct gb_request *req, enum gb_err err,
    enum gb_link_kind kind, const char *token)
{
	struct gb_template_value values[VALUES + 1] = VALUES_EMPTY;

	if (req->body != GB_BODY_FORM || token == NULL || values_set(app, req, kind, token, values) != GB_OK)
		return err;
	return gb_page_refuse(app, req, err, templates[kind], values);
}
