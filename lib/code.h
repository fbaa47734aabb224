/* SPDX-License-Identifier: MIT */
#ifndef GB_CODE_H
#define GB_CODE_H

#include "link.h"

/*
 * The typed code that a mail brings beside its link, for whoever reads mail on another device. Behind link.h.
 * 40 bits would not stand a search through a stolen store, so what is stored is a MAC under the
 * purpose's derived key: a rotation of the key ends the codes that are out, not the links.
 */
#define GB_CODE_TRIES 5

/* GB_CODE_LEN letters, random. */
void gb_code_make(char code[static GB_CODE_LEN + 1]);

/* The code of `user` for this kind from now on, for as long as a link. GB_ERR_INTERNAL: no signing key. */
enum gb_err gb_code_set(const struct gb_app *app, struct gb_call *call, struct gb_user *user,
    enum gb_link_kind kind, const char *code);

/* gb_link_find by address and code. */
enum gb_err gb_code_find(const struct gb_app *app, struct gb_call *call, enum gb_link_kind kind,
    const char *email, const char *code, struct gb_found_link *found);

/* True while the code of which link->id_hash is the hash is the user's for link->kind. */
bool gb_code_stands(const struct gb_user *user, const struct gb_link *link, int64_t now);
/* Ends the code of this kind, if kinds like it have one. */
void gb_code_clear(struct gb_user *user, enum gb_link_kind kind);

#endif
