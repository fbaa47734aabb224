/* SPDX-License-Identifier: MIT */
/* sums.c: a checksum for every page, so that a flipped bit is an error and never an answer. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"
#include "store/crc32c.h"
#include "store/engine.h"

#define MAGIC UINT64_C(0x736d757362640a01)	/* changes with the layout of the file */
#define WITNESS_AT 64				/* bytes into the file */

struct header {
	uint64_t magic;
	uint32_t format, crc;
	unsigned char id[GB_STORE_ID_LEN];
};

/* Applied twice, once inverted; 16 bytes of one sector. */
struct witness {
	uint64_t applied, inverted;
};

static uint64_t
file_len(uint64_t db_size)
{
	uint64_t len = GB_SUMS_HEADER + db_size / GB_PAGE * sizeof(uint32_t);

	return (len + GB_PAGE - 1) / GB_PAGE * GB_PAGE;
}

enum gb_err
gb_sums_create(int fd, const unsigned char id[static GB_STORE_ID_LEN])
{
	unsigned char block[GB_SUMS_HEADER] = { 0 };
	struct header header = { .magic = MAGIC, .format = GB_STORE_FORMAT };
	struct witness witness = { 0, UINT64_MAX };

	memcpy(header.id, id, GB_STORE_ID_LEN);
	header.crc = gb_crc32c(0, &header, sizeof header);
	memcpy(block, &header, sizeof header);
	memcpy(block + WITNESS_AT, &witness, sizeof witness);
	if (ftruncate(fd, 0) != 0 || !gb_write_at(fd, block, sizeof block, 0) || fsync(fd) != 0)
		return GB_ERR_STORE_UNAVAILABLE;
	return GB_OK;
}

/* Takes the room for the sums of a store of this size now, when a full disk can still be an answer. */
enum gb_err
gb_sums_reserve(struct gb_engine *engine, uint64_t db_size)
{
	uint64_t len = file_len(db_size);
	struct stat status;

	if (fstat(engine->sums_fd, &status) != 0 ||
	    ((uint64_t)status.st_size < len && !gb_write_zeros(engine->sums_fd, (uint64_t)status.st_size, len)))
		return gb_engine_fail(engine, "store.sums: cannot grow");
	return GB_OK;
}

uint32_t
gb_sums_of(const struct gb_engine *engine, uint64_t page)
{
	const _Atomic uint32_t *sums = (const _Atomic uint32_t *)(const void *)(engine->sums.bytes + GB_SUMS_HEADER);

	return atomic_load_explicit(&sums[page], memory_order_relaxed);
}

bool
gb_sums_match(struct gb_engine *engine, uint64_t page)
{
	uint32_t sum = gb_sums_of(engine, page);
	bool remembered = page < engine->trusted_len;

	if (remembered && engine->trusted[page] == ~sum && ~sum != 0)
		return true;
	if (gb_crc32c(0, engine->db.bytes + page * GB_PAGE, GB_PAGE) != sum)
		return false;
	if (remembered)
		engine->trusted[page] = ~sum;
	return true;
}

enum gb_err
gb_sums_write(struct gb_engine *engine, uint64_t page, const uint32_t *sums, size_t len)
{
	if (!gb_write_at(engine->sums_fd, sums, len * sizeof *sums, GB_SUMS_HEADER + page * sizeof *sums))
		return gb_engine_fail(engine, "store.sums: cannot write");
	return GB_OK;
}

enum gb_err
gb_sums_witness_write(struct gb_engine *engine, uint64_t applied)
{
	struct witness witness = { applied, ~applied };

	if (!gb_write_at(engine->sums_fd, &witness, sizeof witness, WITNESS_AT))
		return gb_engine_fail(engine, "store.sums: cannot write");
	return GB_OK;
}

enum gb_err
gb_sums_witness_read(struct gb_engine *engine, unsigned char id[static GB_STORE_ID_LEN], uint64_t *applied)
{
	struct header header;
	struct witness witness;
	uint32_t crc;

	if (pread(engine->sums_fd, &header, sizeof header, 0) != sizeof header ||
	    pread(engine->sums_fd, &witness, sizeof witness, WITNESS_AT) != sizeof witness)
		return gb_engine_fail(engine, "store.sums: cannot read");
	crc = header.crc;
	header.crc = 0;
	if (header.magic != MAGIC || gb_crc32c(0, &header, sizeof header) != crc ||
	    witness.applied != ~witness.inverted)
		return gb_engine_fail(engine, "store.sums: its header is damaged");
	memcpy(id, header.id, GB_STORE_ID_LEN);
	*applied = witness.applied;
	return GB_OK;
}
