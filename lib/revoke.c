/* SPDX-License-Identifier: MIT */
/* revoke.c: whoever holds a token may end what it stands for. */
#include <string.h>

#include <sodium.h>

#include "code.h"
#include "introspect.h"
#include "link.h"

static bool
is_ours(enum gb_err err)
{
	return err >= GB_ERR_INTERNAL;
}

/* The link goes from u:, and the code that came in the same mail. */
static void
drop_link(struct gb_user *user, const struct gb_link *link)
{
	size_t kept = 0;

	for (size_t i = 0; i < user->links_len; i++)
		if (user->links[i].kind != link->kind || sodium_memcmp(user->links[i].id_hash, link->id_hash, GB_LINK_HASH_LEN) != 0)
			user->links[kept++] = user->links[i];
	sodium_memzero(&user->links[kept], (GB_LINKS_MAX - kept) * sizeof user->links[0]);
	user->links_len = kept;
	gb_code_clear(user, link->kind);
}

static enum gb_err
drop_pending_link(const struct gb_app *app, struct gb_call *call, const char *pending_id, struct gb_commit *commit)
{
	struct gb_pending pending;
	enum gb_err err = gb_pending_get(app->store, pending_id, call->now, call->arena, &pending);

	if (err != GB_OK)
		return err;
	memset(pending.id_hash, 0, sizeof pending.id_hash);
	pending.link_expires_at = 0;
	gb_commit_put_pending(commit, &pending);
	return GB_OK;
}

static enum gb_err
burn_once(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind, const char *token)
{
	const struct gb_link_proof proof = { .token = token };
	struct gb_found_link found;
	struct gb_commit commit;
	enum gb_err err;

	if ((err = gb_link_find(app, call, kind, &proof, &found)) != GB_OK)
		return err;
	gb_commit_begin(&commit, call->arena);
	if (found.pending_id[0] != '\0') {
		if ((err = drop_pending_link(app, call, found.pending_id, &commit)) != GB_OK)
			return err;
	} else {
		drop_link(&found.user, &found.link);
		gb_commit_put_user(&commit, &found.user);
	}
	return gb_commit_run(&commit, app->store, call->now);
}

static enum gb_err
burn(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind, const char *token)
{
	unsigned round = 0;
	enum gb_err err;

	do
		err = burn_once(app, call, kind, token);
	while (gb_again(&round, &err));
	return err;
}

enum gb_err
gb_token_end(const struct gb_app *app, struct gb_call *call, const char *token)
{
	enum gb_err err = gb_token_revoke(app, call, token, GB_PURPOSE__COUNT, false);

	for (enum gb_link_kind kind = GB_LINK_RESET; err != GB_OK && !is_ours(err) && kind <= GB_LINK_CHANGE_EMAIL; kind++)
		err = burn(app, call, kind, token);
	return is_ours(err) ? err : GB_OK;
}
