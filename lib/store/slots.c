/* SPDX-License-Identifier: MIT */
/* slots.c: records to slots of one size, and back. */
#include <string.h>

#include <sodium.h>

#include "store/slots.h"

#define HEAD_SHARE	(GB_SLOT_LEN - GB_SLOTS_HEAD)
#define CHUNK_SHARE	(GB_SLOT_LEN - GB_SLOTS_CHUNK)

_Static_assert(sizeof(struct gb_slot_head) == GB_SLOTS_HEAD && sizeof(struct gb_slot_chunk) == GB_SLOTS_CHUNK,
    "slot layout");
_Static_assert(offsetof(struct gb_slot_head, kind) == offsetof(struct gb_slot_chunk, kind), "kinds tell them apart");
_Static_assert(GB_STORE_KEY_MAX + GB_STORE_VALUE_MAX <= HEAD_SHARE + (GB_SLOTS_MAX - 1) * CHUNK_SHARE,
    "the longest record fits");

void
gb_slots_key(const unsigned char hash_key[static 32], const char *name,
    unsigned char key[static GB_SLOT_KEY])
{
	unsigned char bytes[32 + GB_STORE_KEY_MAX];
	size_t name_len = strnlen(name, GB_STORE_KEY_MAX);

	/* the secret in front of the name: as good as BLAKE2b's own key, and one block less to hash */
	memcpy(bytes, hash_key, 32);
	memcpy(bytes + 32, name, name_len);
	crypto_generichash(key, GB_SLOT_KEY, bytes, 32 + name_len, NULL, 0);
	for (unsigned i = 0; i < GB_SLOT_KEY; i++)
		key[i] &= 0x7f;
	key[GB_SLOT_KEY - 1] = 0;
	sodium_memzero(bytes, 32);
}

void
gb_slots_number(const unsigned char head_key[static GB_SLOT_KEY], unsigned number,
    unsigned char key[static GB_SLOT_KEY])
{
	memcpy(key, head_key, GB_SLOT_KEY);
	key[GB_SLOT_KEY - 1] = (unsigned char)number;
}

bool
gb_slots_head(const unsigned char *slot, struct gb_slot_head *head)
{
	memcpy(head, slot, sizeof *head);
	return head->kind == GB_SLOT_RECORD && head->name_len > 0 && head->name_len <= GB_STORE_KEY_MAX &&
	    head->value_len <= GB_STORE_VALUE_MAX;
}

unsigned
gb_slots_count(const struct gb_slot_head *head)
{
	unsigned len = (unsigned)head->name_len + head->value_len;

	return len <= HEAD_SHARE ? 1 : 1 + (len - HEAD_SHARE + CHUNK_SHARE - 1) / CHUNK_SHARE;
}

/* Name and value are one run of bytes, dealt to the slots in turn. */
unsigned
gb_slots_encode(const char *name, const struct gb_slot_head *head, const void *value,
    unsigned char slots[static GB_SLOTS_MAX][GB_SLOT_LEN])
{
	unsigned count = gb_slots_count(head);
	const unsigned char *from = value;
	size_t left = head->value_len, share = HEAD_SHARE - head->name_len;

	memset(slots, 0, count * sizeof slots[0]);
	memcpy(slots[0], head, sizeof *head);
	memcpy(slots[0] + GB_SLOTS_HEAD, name, head->name_len);
	if (left > 0)
		memcpy(slots[0] + GB_SLOTS_HEAD + head->name_len, from, left < share ? left : share);
	for (unsigned i = 1; i < count; i++) {
		struct gb_slot_chunk chunk = { .version = head->version, .kind = GB_SLOT_CHUNK, .number = (uint8_t)i };

		from += share;
		left -= share;
		share = CHUNK_SHARE;
		memcpy(slots[i], &chunk, sizeof chunk);
		memcpy(slots[i] + GB_SLOTS_CHUNK, from, left < share ? left : share);
	}
	return count;
}

static bool
chunk_ok(const unsigned char *slot, const struct gb_slot_head *head, unsigned number)
{
	struct gb_slot_chunk chunk;

	memcpy(&chunk, slot, sizeof chunk);
	return chunk.kind == GB_SLOT_CHUNK && chunk.number == number && chunk.version == head->version;
}

bool
gb_slots_decode(const struct gb_slot_head *head, unsigned char slots[][GB_SLOT_LEN],
    char name[static GB_STORE_KEY_MAX + 1], unsigned char *value)
{
	unsigned count = gb_slots_count(head);
	size_t left = head->value_len, share = HEAD_SHARE - head->name_len;

	memcpy(name, slots[0] + GB_SLOTS_HEAD, head->name_len);
	name[head->name_len] = '\0';
	memcpy(value, slots[0] + GB_SLOTS_HEAD + head->name_len, left < share ? left : share);
	for (unsigned i = 1; i < count; i++) {
		if (!chunk_ok(slots[i], head, i))
			return false;
		value += share;
		left -= share;
		share = CHUNK_SHARE;
		memcpy(value, slots[i] + GB_SLOTS_CHUNK, left < share ? left : share);
	}
	return true;
}
