/* SPDX-License-Identifier: MIT */
#ifndef GB_SLOTS_H
#define GB_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"
#include "store/reader.h"

/*
 * A record lies in slots of one size: a head {version, expires_at, lengths,
 * name, value} and, when the value is longer, chunks that carry the head's
 * version. The key of a slot is a keyed hash of the name, its last byte
 * counting the slots: names are chosen by clients, and GDBM's own hash could
 * be flooded.
 */
#define GB_SLOTS_HEAD	24			/* bytes before the name */
#define GB_SLOTS_CHUNK	16			/* bytes before a chunk's share of the value */
#define GB_SLOTS_MAX	13			/* of one record */

enum gb_slot_kind { GB_SLOT_RECORD = 1, GB_SLOT_CHUNK, GB_SLOT_HASH_KEY };

/* The kind stands at one place in both: what a client puts into a value must never pass for a head. */
struct gb_slot_head {
	uint64_t version;
	uint8_t kind, reserved;
	uint16_t value_len, name_len, reserved2;
	int64_t expires_at;
};

struct gb_slot_chunk {
	uint64_t version;
	uint8_t kind, number, reserved[6];
};

/* The key of the slot that holds the head. */
void gb_slots_key(const unsigned char hash_key[static 32], const char *name,
    unsigned char key[static GB_SLOT_KEY]);
/* That of slot `number` of the record whose head has `head_key`. */
void gb_slots_number(const unsigned char head_key[static GB_SLOT_KEY], unsigned number,
    unsigned char key[static GB_SLOT_KEY]);

/* False: not a head, or its lengths are impossible. */
bool gb_slots_head(const unsigned char *slot, struct gb_slot_head *head);
unsigned gb_slots_count(const struct gb_slot_head *head);

/* Lays out a record; returns how many slots were filled. */
unsigned gb_slots_encode(const char *name, const struct gb_slot_head *head, const void *value,
    unsigned char slots[static GB_SLOTS_MAX][GB_SLOT_LEN]);
/* The name (a NUL behind it) and the value, head->value_len bytes, from whole slots; false: they do not belong together. */
bool gb_slots_decode(const struct gb_slot_head *head, unsigned char slots[][GB_SLOT_LEN],
    char name[static GB_STORE_KEY_MAX + 1], unsigned char *value);

#endif
