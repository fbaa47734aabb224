/* SPDX-License-Identifier: MIT */
/* map.c: mappings that grow with their file, and writes that are whole or an error. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/engine.h"

#define LEAST (1u << 20)

/* Twice what is needed, so that a growing file is mapped anew a few times only; not more,
 * as shared hosts limit the address space of a process. */
bool
gb_map_cover(struct gb_map *map, int fd, uint64_t len)
{
	size_t want = LEAST;
	void *bytes;

	if (len <= map->len)
		return true;
	while (want < len)
		want *= 2;
	if ((bytes = mmap(NULL, want, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0)) == MAP_FAILED)
		return false;
	gb_map_drop(map);
	map->bytes = bytes;
	map->len = want;
	return true;
}

void
gb_map_drop(struct gb_map *map)
{
	if (map->len > 0)
		munmap(map->bytes, map->len);
	*map = (struct gb_map){ 0 };
}

bool
gb_write_at(int fd, const void *bytes, size_t len, uint64_t offset)
{
	const unsigned char *from = bytes;

	while (len > 0) {
		ssize_t written = pwrite(fd, from, len, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		from += written;
		offset += (uint64_t)written;
		len -= (size_t)written;
	}
	return true;
}

/* Written, not only allocated: to overwrite zeros costs no change of the file's metadata. */
bool
gb_write_zeros(int fd, uint64_t from, uint64_t to)
{
	static const unsigned char zeros[64u << 10];

	while (from < to) {
		size_t len = to - from < sizeof zeros ? (size_t)(to - from) : sizeof zeros;

		if (!gb_write_at(fd, zeros, len, from))
			return false;
		from += len;
	}
	return true;
}
