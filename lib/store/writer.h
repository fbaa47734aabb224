/* SPDX-License-Identifier: MIT */
#ifndef GB_WRITER_H
#define GB_WRITER_H

#include "store/reader.h"

/*
 * Changes slots, by libgdbm over the private pages. Between begin and commit
 * or abort the writer lock is held and what is fetched includes commits that
 * are not durable yet; commit waits for them too.
 */
struct gb_writer;

struct gb_writer *gb_writer_new(struct gb_engine *engine);
void gb_writer_free(struct gb_writer *writer);

enum gb_err gb_writer_begin(struct gb_writer *writer);
/* GB_OK with *found. */
enum gb_err gb_writer_fetch(struct gb_writer *writer, const unsigned char key[static GB_SLOT_KEY],
    unsigned char slot[static GB_SLOT_LEN], bool *found);
enum gb_err gb_writer_store(struct gb_writer *writer, const unsigned char key[static GB_SLOT_KEY],
    const unsigned char slot[static GB_SLOT_LEN]);
/* GB_OK also when there was none. */
enum gb_err gb_writer_delete(struct gb_writer *writer, const unsigned char key[static GB_SLOT_KEY]);

/* Both end what begin began. commit: GB_OK once durable; else nothing happened, or it is not known. */
enum gb_err gb_writer_commit(struct gb_writer *writer);
void gb_writer_abort(struct gb_writer *writer);

#endif
