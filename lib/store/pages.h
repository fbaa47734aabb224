/* SPDX-License-Identifier: MIT */
#ifndef GB_PAGES_H
#define GB_PAGES_H

#include <sys/stat.h>

#include "store/engine.h"

/*
 * The writer's private view of store.gdbm: the mapped file, over it the frames
 * that are appended but not applied yet, over that its own changes. libgdbm
 * sees it as the file GB_PAGES_FD, its seven I/O calls being renamed to those
 * below (lib/store/gdbm.redirect).
 */
#define GB_PAGES_FD 0x40000001

struct gb_overlay *gb_pages_new(void);
void gb_pages_free(struct gb_overlay *overlay);

/* Makes `engine` the one that GB_PAGES_FD means; writes are refused unless `writable`. */
void gb_pages_select(struct gb_engine *engine, bool writable);

/* Forgets all private pages; the file is as long as store.gdbm is now. */
void gb_pages_reset(struct gb_engine *engine);
/* Forgets private pages that store.gdbm holds by now. */
void gb_pages_settle(struct gb_engine *engine);

/* A gb_page_fn: lays a frame's page over the file; verify then tells whether each sum is right. */
enum gb_err gb_pages_patch(struct gb_engine *engine, const struct gb_frame_page *page);
enum gb_err gb_pages_verify(struct gb_engine *engine, uint64_t db_size);

/* Puts all that was written since the last call into engine->frame. */
enum gb_err gb_pages_diff(struct gb_engine *engine, uint32_t *pages);

uint64_t gb_pages_size(const struct gb_engine *engine);
/* The bytes of page 0 if it was written since the last diff, else NULL. */
const unsigned char *gb_pages_header(const struct gb_engine *engine);

ssize_t gb_pages_read(int fd, void *bytes, size_t len);
ssize_t gb_pages_write(int fd, const void *bytes, size_t len);
off_t gb_pages_lseek(int fd, off_t offset, int whence);
int gb_pages_fstat(int fd, struct stat *status);
int gb_pages_fsync(int fd);
int gb_pages_close(int fd);
int gb_pages_ftruncate(int fd, off_t len);

#endif
