/* SPDX-License-Identifier: MIT */
/* pages.c: what libgdbm takes for its file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/crc32c.h"
#include "store/pages.h"

#define TABLE_LEN 1024u
#define SPARE_MAX 256u			/* pages kept for the next commit */
#define GAP_MAX 24			/* equal bytes that cost less than a further extent */

struct page {
	uint64_t number;
	struct page *chain, *next;	/* in the hash table; of all pages, or of spare ones */
	uint32_t sum;			/* as the newest frame says */
	bool patched, dirty;
	unsigned char bytes[GB_PAGE], before[GB_PAGE];
};

struct gb_overlay {
	struct page *table[TABLE_LEN];
	struct page *pages, *spare;
	size_t spare_len;
	uint64_t size, at;		/* of the file, of its position */
	uint64_t mapped;		/* bytes of store.gdbm that count */
	uint64_t framed;		/* bytes of the file that frames know */
	bool writable;
};

static struct gb_engine *selected;

struct gb_overlay *
gb_pages_new(void)
{
	return calloc(1, sizeof(struct gb_overlay));
}

static void
list_free(struct page *page)
{
	while (page != NULL) {
		struct page *next = page->next;

		free(page);
		page = next;
	}
}

void
gb_pages_free(struct gb_overlay *overlay)
{
	list_free(overlay->pages);
	list_free(overlay->spare);
	free(overlay);
}

void
gb_pages_select(struct gb_engine *engine, bool writable)
{
	selected = engine;
	engine->overlay->writable = writable;
}

void
gb_pages_settle(struct gb_engine *engine)
{
	struct gb_overlay *overlay = engine->overlay;
	struct page *page;

	while ((page = overlay->pages) != NULL) {
		overlay->pages = page->next;
		overlay->table[page->number % TABLE_LEN] = NULL;
		if (overlay->spare_len == SPARE_MAX) {
			free(page);
			continue;
		}
		page->next = overlay->spare;
		overlay->spare = page;
		overlay->spare_len++;
	}
	overlay->mapped = atomic_load(&engine->control->db_size);
}

void
gb_pages_reset(struct gb_engine *engine)
{
	gb_pages_settle(engine);
	engine->overlay->size = engine->overlay->framed = engine->overlay->mapped;
	engine->overlay->at = 0;
}

uint64_t
gb_pages_size(const struct gb_engine *engine)
{
	return engine->overlay->size;
}

static struct page *
page_find(const struct gb_overlay *overlay, uint64_t number)
{
	struct page *page = overlay->table[number % TABLE_LEN];

	while (page != NULL && page->number != number)
		page = page->chain;
	return page;
}

static struct page *
page_take(struct gb_overlay *overlay)
{
	struct page *page = overlay->spare;

	if (page == NULL)
		return malloc(sizeof *page);
	overlay->spare = page->next;
	overlay->spare_len--;
	return page;
}

/* A private copy. What is being applied to store.gdbm right now may be torn: its frame mends it. */
static struct page *
page_get(struct gb_engine *engine, uint64_t number)
{
	struct gb_overlay *overlay = engine->overlay;
	struct page *page = page_find(overlay, number);

	if (page != NULL || (page = page_take(overlay)) == NULL)
		return page;
	page->number = number;
	page->patched = page->dirty = false;
	if (number * GB_PAGE < overlay->mapped)
		memcpy(page->bytes, engine->db.bytes + number * GB_PAGE, GB_PAGE);
	else
		memset(page->bytes, 0, GB_PAGE);
	page->chain = overlay->table[number % TABLE_LEN];
	overlay->table[number % TABLE_LEN] = page;
	page->next = overlay->pages;
	overlay->pages = page;
	return page;
}

enum gb_err
gb_pages_patch(struct gb_engine *engine, const struct gb_frame_page *frame_page)
{
	struct page *page = page_get(engine, frame_page->page);

	if (page == NULL)
		return GB_ERR_MEMORY;
	gb_log_patch(frame_page, page->bytes);
	page->sum = frame_page->sum;
	page->patched = true;
	return GB_OK;
}

enum gb_err
gb_pages_verify(struct gb_engine *engine, uint64_t db_size)
{
	struct gb_overlay *overlay = engine->overlay;

	for (const struct page *page = overlay->pages; page != NULL; page = page->next)
		if (page->patched && gb_crc32c(0, page->bytes, GB_PAGE) != page->sum)
			return gb_engine_fail(engine, "store.gdbm: page %llu is damaged",
			    (unsigned long long)page->number);
	overlay->size = overlay->framed = db_size;
	return GB_OK;
}

static bool
frame_reserve(struct gb_engine *engine, size_t more)
{
	size_t max = engine->frame_max > 0 ? engine->frame_max : 4 * GB_PAGE;
	unsigned char *frame;

	while (max - engine->frame_len < more)
		max *= 2;
	if (max == engine->frame_max)
		return true;
	if (max > GB_LOG_MAX || (frame = realloc(engine->frame, max)) == NULL)
		return false;
	engine->frame = frame;
	engine->frame_max = max;
	return true;
}

static bool
word_differs(const struct page *page, unsigned offset)
{
	return memcmp(page->bytes + offset, page->before + offset, 8) != 0;
}

/* Where the extent that begins at `from` ends: short runs of equal words are taken along. */
static unsigned
extent_end(const struct page *page, unsigned from)
{
	unsigned end = from + 8;

	for (unsigned at = end; at < GB_PAGE && at < end + GAP_MAX; at += 8)
		if (word_differs(page, at))
			end = at + 8;
	return end;
}

static unsigned
page_extents(struct gb_engine *engine, const struct page *page)
{
	unsigned extents = 0;

	for (unsigned at = 0; at < GB_PAGE; at += 8) {
		struct gb_frame_extent *extent = (void *)(engine->frame + engine->frame_len);

		if (!word_differs(page, at))
			continue;
		memset(extent, 0, 8);
		extent->offset = (uint16_t)at;
		extent->len = (uint16_t)(extent_end(page, at) - at);
		memcpy((unsigned char *)extent + 8, page->bytes + at, extent->len);
		engine->frame_len += 8u + extent->len;
		at += extent->len - 8u;
		extents++;
	}
	return extents;
}

/* Most bytes a page can need: extents are at least GAP_MAX apart. */
#define PAGE_FRAME_MAX (sizeof(struct gb_frame_page) + GB_PAGE + 8 * (GB_PAGE / GAP_MAX + 1))

static bool
page_dirty(struct gb_engine *engine, uint64_t number)
{
	struct page *page = page_get(engine, number);

	if (page != NULL && !page->dirty) {
		memcpy(page->before, page->bytes, GB_PAGE);
		page->dirty = true;
	}
	return page != NULL;
}

/* `always`: a new page is told even when it holds zeros only, since it needs its sum. */
static bool
page_diff(struct gb_engine *engine, struct page *page, bool always, uint32_t *pages)
{
	struct gb_frame_page head = { .page = page->number };
	size_t at = engine->frame_len;

	page->dirty = false;
	if (!frame_reserve(engine, PAGE_FRAME_MAX))
		return false;
	engine->frame_len += sizeof head;
	head.extents = (uint16_t)page_extents(engine, page);
	if (head.extents == 0 && !always) {
		engine->frame_len = at;
		return true;
	}
	head.sum = page->sum = gb_crc32c(0, page->bytes, GB_PAGE);
	memcpy(engine->frame + at, &head, sizeof head);
	(*pages)++;
	return true;
}

enum gb_err
gb_pages_diff(struct gb_engine *engine, uint32_t *pages)
{
	struct gb_overlay *overlay = engine->overlay;

	*pages = 0;
	engine->frame_len = 0;
	if (!frame_reserve(engine, sizeof(struct gb_frame)))
		return GB_ERR_MEMORY;
	engine->frame_len = sizeof(struct gb_frame);
	for (uint64_t number = overlay->framed / GB_PAGE; number < overlay->size / GB_PAGE; number++)
		if (!page_dirty(engine, number))
			return GB_ERR_MEMORY;
	for (struct page *page = overlay->pages; page != NULL; page = page->next)
		if (page->dirty && !page_diff(engine, page, page->number * GB_PAGE >= overlay->framed, pages))
			return GB_ERR_MEMORY;
	overlay->framed = overlay->size;
	return GB_OK;
}

const unsigned char *
gb_pages_header(const struct gb_engine *engine)
{
	const struct page *page = page_find(engine->overlay, 0);

	return page != NULL && page->dirty ? page->bytes : NULL;
}

/* Bytes of one page, from the private copy or the file; NULL: damaged. */
static const unsigned char *
page_bytes(struct gb_engine *engine, uint64_t number)
{
	static const unsigned char zeros[GB_PAGE];
	const struct page *page = page_find(engine->overlay, number);

	if (page != NULL)
		return page->bytes;
	if (number * GB_PAGE >= engine->overlay->mapped)
		return zeros;
	return gb_sums_match(engine, number) ? engine->db.bytes + number * GB_PAGE : NULL;
}

ssize_t
gb_pages_read(int fd, void *bytes, size_t len)
{
	struct gb_overlay *overlay = selected->overlay;
	unsigned char *to = bytes;

	(void)fd;
	if (overlay->at >= overlay->size)
		return 0;
	if (len > overlay->size - overlay->at)
		len = overlay->size - overlay->at;
	for (size_t left = len; left > 0; ) {
		size_t offset = overlay->at % GB_PAGE, part = GB_PAGE - offset < left ? GB_PAGE - offset : left;
		const unsigned char *from = page_bytes(selected, overlay->at / GB_PAGE);

		if (from == NULL) {
			errno = EIO;
			return -1;
		}
		memcpy(to, from + offset, part);
		to += part;
		overlay->at += part;
		left -= part;
	}
	return (ssize_t)len;
}

/* libgdbm writes whole buckets and headers of which little changed: pages that stay equal are not touched. */
static bool
page_write(struct gb_engine *engine, uint64_t at, const unsigned char *from, size_t len)
{
	const unsigned char *now = page_bytes(engine, at / GB_PAGE);
	struct page *page;

	if (now == NULL) {
		errno = EIO;
		return false;
	}
	if (at < engine->overlay->size && memcmp(now + at % GB_PAGE, from, len) == 0)
		return true;
	if (!page_dirty(engine, at / GB_PAGE))
		return false;
	page = page_find(engine->overlay, at / GB_PAGE);
	memcpy(page->bytes + at % GB_PAGE, from, len);
	return true;
}

ssize_t
gb_pages_write(int fd, const void *bytes, size_t len)
{
	struct gb_overlay *overlay = selected->overlay;
	const unsigned char *from = bytes;

	(void)fd;
	if (!overlay->writable) {
		errno = EROFS;
		return -1;
	}
	for (size_t left = len; left > 0; ) {
		size_t offset = overlay->at % GB_PAGE, part = GB_PAGE - offset < left ? GB_PAGE - offset : left;

		if (!page_write(selected, overlay->at, from, part))
			return -1;
		from += part;
		overlay->at += part;
		left -= part;
		if (overlay->at > overlay->size)
			overlay->size = overlay->at;
	}
	return (ssize_t)len;
}

off_t
gb_pages_lseek(int fd, off_t offset, int whence)
{
	struct gb_overlay *overlay = selected->overlay;

	(void)fd;
	if (whence == SEEK_CUR)
		offset += (off_t)overlay->at;
	else if (whence == SEEK_END)
		offset += (off_t)overlay->size;
	if (offset < 0) {
		errno = EINVAL;
		return -1;
	}
	overlay->at = (uint64_t)offset;
	return offset;
}

int
gb_pages_fstat(int fd, struct stat *status)
{
	(void)fd;
	*status = (struct stat){
		.st_mode = S_IFREG | 0600,
		.st_nlink = 1,
		.st_size = (off_t)selected->overlay->size,
		.st_blksize = GB_PAGE,
	};
	return 0;
}

int
gb_pages_fsync(int fd)
{
	(void)fd;
	return 0;
}

int
gb_pages_close(int fd)
{
	(void)fd;
	return 0;
}

int
gb_pages_ftruncate(int fd, off_t len)
{
	(void)fd;
	(void)len;
	errno = EINVAL;
	return -1;
}
