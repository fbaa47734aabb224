/* SPDX-License-Identifier: MIT */
/* frames.c: frames of the redo log, and the header that says where an epoch begins. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store.h"
#include "store/crc32c.h"
#include "store/engine.h"

#define HEADER_MAGIC UINT64_C(0x676f6c6265620a01)
#define FRAME_MAGIC 0x46626701u
#define DB_SLACK (256u << 10)		/* asked of the disk ahead of need, at least */

static uint64_t
offset_of(const struct gb_engine *engine, uint64_t lsn)
{
	return GB_LOG_HEADER + (lsn - atomic_load(&engine->control->base));
}

static uint64_t
page_after(uint64_t lsn)
{
	return (lsn / GB_PAGE + 1) * GB_PAGE;
}

static bool
header_write_at(int fd, struct gb_log_header header)
{
	header.magic = HEADER_MAGIC;
	header.format = GB_STORE_FORMAT;
	header.crc = 0;
	header.crc = gb_crc32c(0, &header, sizeof header);
	return gb_write_at(fd, &header, sizeof header, header.epoch % 2 * GB_LOG_SLOT) && fdatasync(fd) == 0;
}

enum gb_err
gb_log_create(int fd, const unsigned char id[static GB_STORE_ID_LEN], uint64_t db_size)
{
	struct gb_log_header header = { .epoch = 1, .base = GB_PAGE, .db_size = db_size };

	memcpy(header.id, id, GB_STORE_ID_LEN);
	if (ftruncate(fd, 0) != 0 || !gb_write_zeros(fd, 0, GB_LOG_MIN) || !header_write_at(fd, header) ||
	    fsync(fd) != 0)
		return GB_ERR_STORE_UNAVAILABLE;
	return GB_OK;
}

static bool
header_read_at(int fd, uint64_t slot, struct gb_log_header *header)
{
	uint32_t crc;

	if (pread(fd, header, sizeof *header, (off_t)(slot * GB_LOG_SLOT)) != sizeof *header)
		return false;
	crc = header->crc;
	header->crc = 0;
	return header->magic == HEADER_MAGIC && gb_crc32c(0, header, sizeof *header) == crc &&
	    header->epoch % 2 == slot;
}

/* The newer of the two slots; one may be torn or damaged, the witness of the sums tells them apart. */
enum gb_err
gb_log_header_read(struct gb_engine *engine, struct gb_log_header *header)
{
	struct gb_log_header slots[2];
	bool whole[2];

	for (uint64_t i = 0; i < 2; i++)
		whole[i] = header_read_at(engine->log_fd, i, &slots[i]);
	if (!whole[0] && !whole[1])
		return gb_engine_fail(engine, "store.log: its header is damaged");
	*header = whole[1] && (!whole[0] || slots[1].epoch > slots[0].epoch) ? slots[1] : slots[0];
	if (header->format > GB_STORE_FORMAT)
		return gb_engine_fail(engine, "store.log: made by a newer guardbee (format %u, this one knows %u)",
		    header->format, GB_STORE_FORMAT);
	return GB_OK;
}

enum gb_err
gb_log_header_write(struct gb_engine *engine, uint64_t epoch, uint64_t base, uint64_t db_size)
{
	struct gb_log_header header = { .epoch = epoch, .base = base, .db_size = db_size };

	memcpy(header.id, engine->control->store_id, GB_STORE_ID_LEN);
	if (!header_write_at(engine->log_fd, header))
		return gb_engine_fail(engine, "store.log: cannot write its header");
	return GB_OK;
}

static uint32_t
frame_crc(const struct gb_frame *frame, uint32_t len)
{
	struct gb_frame header = *frame;

	header.crc = 0;
	return gb_crc32c(gb_crc32c(0, &header, sizeof header), frame + 1, len);
}

/* Whole, at `at`, of this epoch, and ending below `limit`, up to which there is room to look. */
static bool
frame_ok(const struct gb_frame *frame, uint64_t at, uint64_t epoch, uint64_t limit)
{
	uint32_t len = frame->len;

	return frame->magic == FRAME_MAGIC && frame->epoch == epoch && frame->lsn == at && len % 8 == 0 &&
	    len <= limit - at - sizeof *frame && frame_crc(frame, len) == frame->crc;
}

/* In this epoch, behind `position`. */
static const struct gb_frame *
frame_at(struct gb_engine *engine, uint64_t at, uint64_t position, uint64_t limit)
{
	const struct gb_frame *frame;

	if (at > limit || limit - at < sizeof *frame)
		return NULL;
	frame = (const void *)(engine->log.bytes + offset_of(engine, at));
	if (frame->prev != position || !frame_ok(frame, at, atomic_load(&engine->control->epoch), limit))
		return NULL;
	return frame;
}

uint64_t
gb_log_frame_end(const struct gb_frame *frame)
{
	return frame->lsn + sizeof *frame + frame->len;
}

/*
 * At the next page first: a writer that begins there knows that all before it
 * is durable, so what lies at `position` itself can only be the whole frame of
 * a writer that was killed before it had moved `end`.
 */
const struct gb_frame *
gb_log_next(struct gb_engine *engine, uint64_t position, uint64_t limit)
{
	const struct gb_frame *frame = NULL;

	if (!gb_map_cover(&engine->log, engine->log_fd, atomic_load(&engine->control->log_size)))
		return NULL;
	if (position % GB_PAGE != 0)
		frame = frame_at(engine, page_after(position), position, limit);
	return frame != NULL ? frame : frame_at(engine, position, position, limit);
}

static const unsigned char *
extents_end(const struct gb_frame_page *page, const unsigned char *p, const unsigned char *end)
{
	for (unsigned i = 0; i < page->extents; i++) {
		const struct gb_frame_extent *extent = (const void *)p;

		if ((size_t)(end - p) < 8 || extent->offset + extent->len > (int)GB_PAGE ||
		    (size_t)(end - p) - 8 < extent->len)
			return NULL;
		p += 8 + extent->len;
	}
	return p;
}

enum gb_err
gb_log_frame(struct gb_engine *engine, const struct gb_frame *frame, gb_page_fn *fn)
{
	const unsigned char *p = (const void *)(frame + 1), *end = p + frame->len, *next;
	enum gb_err err;

	for (uint32_t i = 0; i < frame->pages; i++, p = next) {
		const struct gb_frame_page *page = (const void *)p;

		if ((size_t)(end - p) < sizeof *page || page->page >= frame->db_size / GB_PAGE ||
		    (next = extents_end(page, p + sizeof *page, end)) == NULL)
			return gb_engine_fail(engine, "store.log: a frame is malformed");
		if ((err = fn(engine, page)) != GB_OK)
			return err;
	}
	return GB_OK;
}

void
gb_log_patch(const struct gb_frame_page *page, unsigned char bytes[static GB_PAGE])
{
	const unsigned char *p = (const void *)(page + 1);

	for (unsigned i = 0; i < page->extents; i++) {
		const struct gb_frame_extent *extent = (const void *)p;

		memcpy(bytes + extent->offset, p + 8, extent->len);
		p += 8 + extent->len;
	}
}

enum gb_err
gb_log_walk(struct gb_engine *engine, uint64_t from, uint64_t to, gb_page_fn *fn, uint64_t *db_size)
{
	while (from < to) {
		const struct gb_frame *frame = gb_log_next(engine, from, to);
		enum gb_err err;

		if (frame == NULL)
			return gb_engine_fail(engine, "store.log: no frame at %llu", (unsigned long long)from);
		if ((err = gb_log_frame(engine, frame, fn)) != GB_OK)
			return err;
		*db_size = frame->db_size;
		from = gb_log_frame_end(frame);
	}
	return GB_OK;
}

/*
 * Takes the room for a file of this size from the disk while a refusal is
 * still harmless: once the frame is durable it must be possible to apply it.
 * The length stays, since GDBM wants a file to end where its header says.
 */
static enum gb_err
db_reserve(struct gb_engine *engine, uint64_t db_size)
{
	struct gb_control *control = engine->control;
	uint64_t have = atomic_load(&control->db_reserved), slack = db_size / 16;
	uint64_t want = db_size + (slack > DB_SLACK ? slack : DB_SLACK);

	if (db_size <= have)
		return GB_OK;
	if (fallocate(engine->db_fd, FALLOC_FL_KEEP_SIZE, (off_t)have, (off_t)(want - have)) == 0) {
		atomic_store(&control->db_reserved, want);
		return gb_sums_reserve(engine, want);
	}
	if (fallocate(engine->db_fd, FALLOC_FL_KEEP_SIZE, (off_t)have, (off_t)(db_size - have)) != 0 &&
	    (errno != EOPNOTSUPP || !gb_write_zeros(engine->db_fd, have, db_size)))
		return gb_engine_fail(engine, "store.gdbm: cannot grow");
	atomic_store(&control->db_reserved, db_size);
	return gb_sums_reserve(engine, db_size);
}

/* Rule 3. `flushing` may pass `end` just after this look: then a page of the log is written twice with
 * the same first part, which no disk can tear inside a sector. */
static uint64_t
append_position(const struct gb_control *control)
{
	uint64_t end = atomic_load(&control->end);

	return atomic_load(&control->flushing) == end && end % GB_PAGE != 0 ? page_after(end) : end;
}

static bool
has_room_at(const struct gb_engine *engine, uint64_t at)
{
	return offset_of(engine, at) + engine->frame_len <= atomic_load(&engine->control->log_size);
}

/* At the next page: a flush may begin at any time, and rule 3 then moves the frame there. */
bool
gb_log_has_room(const struct gb_engine *engine)
{
	return has_room_at(engine, page_after(atomic_load(&engine->control->end)));
}

static enum gb_err
frame_write(struct gb_engine *engine, uint64_t at, uint32_t pages, uint64_t db_size)
{
	struct gb_control *control = engine->control;
	struct gb_frame *frame = (void *)engine->frame;

	*frame = (struct gb_frame){
		.magic = FRAME_MAGIC,
		.len = (uint32_t)(engine->frame_len - sizeof *frame),
		.epoch = atomic_load(&control->epoch),
		.lsn = at,
		.prev = atomic_load(&control->end),
		.db_size = db_size,
		.pages = pages,
	};
	frame->crc = frame_crc(frame, frame->len);
	if (!gb_write_at(engine->log_fd, frame, engine->frame_len, offset_of(engine, at)))
		return gb_engine_fail(engine, "store.log: cannot write");
	atomic_store(&control->last, at);
	atomic_store(&control->end, at + engine->frame_len);
	atomic_fetch_add(&control->commits, 1);
	return GB_OK;
}

enum gb_err
gb_log_append(struct gb_engine *engine, uint32_t pages, uint64_t db_size)
{
	uint64_t at = append_position(engine->control);
	enum gb_err err;

	if ((err = db_reserve(engine, db_size)) != GB_OK)
		return err;
	if (!has_room_at(engine, at))
		return gb_engine_fail(engine, "a commit of %zu bytes is larger than the log", engine->frame_len);
	return frame_write(engine, at, pages, db_size);
}

/*
 * The length that the pages have once everything up to `end` is applied; 0:
 * the log does not bear `end` out. All may be moving while this looks: nothing
 * is read outside the file, and what comes out is believed only if it agrees.
 */
static uint64_t
size_at_end(struct gb_engine *engine, const struct gb_log_header *header, uint64_t end)
{
	const struct gb_control *control = engine->control;
	uint64_t last = atomic_load(&control->last), log_size = atomic_load(&control->log_size);
	const struct gb_frame *frame;

	if (last == 0)
		return end == header->base ? header->db_size : 0;
	if (last % 8 != 0 || last < header->base || end < last + sizeof *frame || end - header->base > log_size - GB_LOG_HEADER ||
	    !gb_map_cover(&engine->log, engine->log_fd, log_size))
		return 0;
	frame = (const void *)(engine->log.bytes + GB_LOG_HEADER + (last - header->base));
	return frame_ok(frame, last, header->epoch, end) && gb_log_frame_end(frame) == end ? frame->db_size : 0;
}

bool
gb_log_bears_out(struct gb_engine *engine)
{
	const struct gb_control *control = engine->control;
	uint64_t end = atomic_load(&control->end);
	struct gb_log_header header;

	return gb_log_header_read(engine, &header) == GB_OK && header.epoch == atomic_load(&control->epoch) &&
	    header.base == atomic_load(&control->base) && end >= header.base &&
	    atomic_load(&control->flushing) == end && atomic_load(&control->durable) == end &&
	    atomic_load(&control->applied) == end && atomic_load(&control->sequence) % 2 == 0 &&
	    size_at_end(engine, &header, end) == atomic_load(&control->db_size);
}
