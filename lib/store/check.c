/* SPDX-License-Identifier: MIT */
/* check.c: every structure of a GDBM file, looked at. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/check.h"
#include "store/format.h"
#include "store/reader.h"

struct extent {
	uint64_t at, len;
};

struct image {
	const unsigned char *bytes;
	uint64_t len;
	struct gb_gdbm_header header;
	const int64_t *directory;
	struct extent *extents;
	size_t extents_len, extents_max;
	struct gb_check *check;
	bool no_memory;
	char *why;
	size_t why_max;
};

static bool
bad(struct image *image, const char *what, int64_t where)
{
	snprintf(image->why, image->why_max, "store.gdbm: %s at %lld", what, (long long)where);
	return false;
}

/* Room that is taken; all of it is compared in the end. */
static bool
extent_add(struct image *image, int64_t at, int64_t len)
{
	struct extent *extents = image->extents;
	size_t max = image->extents_max;

	if (at < 0 || len < 0 || (uint64_t)at > image->len || (uint64_t)len > image->len - (uint64_t)at)
		return bad(image, "an extent outside the file", at);
	if (image->extents_len == max) {
		max = max == 0 ? 4096 : 2 * max;
		if ((extents = realloc(extents, max * sizeof *extents)) == NULL) {
			image->no_memory = true;
			return bad(image, "no memory for an extent", at);
		}
		image->extents = extents;
		image->extents_max = max;
	}
	extents[image->extents_len++] = (struct extent){ (uint64_t)at, (uint64_t)len };
	return true;
}

static bool
free_add(struct image *image, struct gb_gdbm_free free_extent)
{
	image->check->free_bytes += (uint64_t)(free_extent.size > 0 ? free_extent.size : 0);
	return extent_add(image, free_extent.at, free_extent.size);
}

static bool
header_check(struct image *image)
{
	const struct gb_gdbm_header *header = &image->header;

	if (image->len < sizeof *header)
		return bad(image, "too short for a header", 0);
	memcpy(&image->header, image->bytes, sizeof image->header);
	if (header->magic != GB_GDBM_MAGIC)
		return bad(image, "not a GDBM file", 0);
	if (header->block_size != (int)GB_PAGE || header->bucket_len != (int)GB_PAGE ||
	    header->bucket_elements != (int)GB_BUCKET_MAX || header->directory_bits < 0 ||
	    header->directory_bits >= GB_GDBM_HASH_BITS ||
	    header->directory_len != INT64_C(8) << header->directory_bits || header->directory % 8 != 0)
		return bad(image, "a header that makes no sense", 0);
	if (header->next_block != (int64_t)image->len)
		return bad(image, "a header that ends the file elsewhere", header->next_block);
	if (header->directory <= 0 || header->directory + header->directory_len >= (int64_t)image->len)
		return bad(image, "a directory outside the file", header->directory);
	image->directory = (const void *)(image->bytes + header->directory);
	return extent_add(image, 0, header->block_size) &&
	    extent_add(image, header->directory, header->directory_len);
}

/* Open addressing: no free element between where the hash points and where the slot is. */
static bool
is_reachable(const struct gb_gdbm_bucket *bucket, int element)
{
	for (int at = (int)((uint32_t)bucket->elements[element].hash % GB_BUCKET_MAX); at != element;
	    at = (at + 1) % (int)GB_BUCKET_MAX)
		if (bucket->elements[at].hash == -1)
			return false;
	return true;
}

static bool
element_check(struct image *image, const struct gb_gdbm_bucket *bucket, int number, int first, int span)
{
	const struct gb_gdbm_element *element = &bucket->elements[number];
	int index;

	if (element->key_len != GB_SLOT_KEY || element->value_len != GB_SLOT_LEN)
		return bad(image, "a slot of a wrong length", element->at);
	if (!extent_add(image, element->at, GB_SLOT_KEY + GB_SLOT_LEN))
		return false;
	if (gb_reader_hash(image->bytes + element->at) != (uint32_t)element->hash)
		return bad(image, "a slot under a wrong hash", element->at);
	index = (int)((uint32_t)element->hash >> (GB_GDBM_HASH_BITS - image->header.directory_bits));
	if (index < first || index >= first + span)
		return bad(image, "a slot in a wrong bucket", element->at);
	if (!is_reachable(bucket, number))
		return bad(image, "a slot that is not found", element->at);
	image->check->slots++;
	return true;
}

/* A bucket stands in the directory as often as it has fewer bits than it. */
static bool
directory_run_check(struct image *image, int first, int bits, int *span)
{
	if (bits < 0 || bits > image->header.directory_bits)
		return bad(image, "a bucket with impossible bits", image->directory[first]);
	*span = 1 << (image->header.directory_bits - bits);
	if (first % *span != 0)
		return bad(image, "a bucket out of line", image->directory[first]);
	for (int i = 1; i < *span; i++)
		if (image->directory[first + i] != image->directory[first])
			return bad(image, "a bucket that the directory lost", image->directory[first]);
	return true;
}

static bool
bucket_check(struct image *image, int first, int *span)
{
	int64_t at = image->directory[first];
	const struct gb_gdbm_bucket *bucket = (const void *)(image->bytes + at);
	int count = 0;

	if (at % 8 != 0)
		return bad(image, "a bucket out of line", at);
	if (!extent_add(image, at, GB_PAGE) || !directory_run_check(image, first, bucket->bits, span))
		return false;
	for (int i = 0; i < (int)GB_BUCKET_MAX; i++) {
		if (bucket->elements[i].hash == -1)
			continue;
		if (!element_check(image, bucket, i, first, *span))
			return false;
		count++;
	}
	if (count != bucket->count)
		return bad(image, "a bucket that counts wrong", at);
	if (bucket->avail_count < 0 || bucket->avail_count > GB_GDBM_AVAIL)
		return bad(image, "a bucket with an impossible free list", at);
	for (int i = 0; i < bucket->avail_count; i++)
		if (!free_add(image, bucket->avail[i]))
			return false;
	image->check->buckets++;
	return true;
}

static bool
free_list_check(struct image *image, int64_t at, const struct gb_gdbm_avail *avail)
{
	const struct gb_gdbm_free *table = (const void *)(avail + 1);
	int32_t size = image->header.avail.size;

	if (avail->count < 0 || avail->count > avail->size || avail->size != size)
		return bad(image, "an impossible free list", at);
	for (int i = 0; i < avail->count; i++)
		if (!free_add(image, table[i]))
			return false;
	return true;
}

/* The first part in the header block, more in blocks of their own. */
static bool
free_lists_check(struct image *image)
{
	const struct gb_gdbm_avail *avail = (const void *)(image->bytes + sizeof image->header - sizeof *avail);
	int64_t half = (int64_t)sizeof *avail + 16 + image->header.avail.size * INT64_C(16) / 2;

	if (image->header.avail.size < 0 || image->header.avail.size > (int)(GB_PAGE / 16))
		return bad(image, "an impossible free list", 0);
	if (!free_list_check(image, 0, avail))
		return false;
	for (int64_t at = avail->next_block, n = 0; at != 0; at = avail->next_block, n++) {
		if (at % 8 != 0 || n > (int64_t)(image->len / GB_PAGE))
			return bad(image, "an endless free list", at);
		if (!extent_add(image, at, half))
			return false;
		avail = (const void *)(image->bytes + at);
		if (!free_list_check(image, at, avail))
			return false;
	}
	return true;
}

static int
by_place(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static bool
overlaps_check(struct image *image)
{
	uint64_t end = 0;

	qsort(image->extents, image->extents_len, sizeof *image->extents, by_place);
	for (size_t i = 0; i < image->extents_len; i++) {
		const struct extent *extent = &image->extents[i];

		if (extent->at < end)
			return bad(image, "two extents over each other", (int64_t)extent->at);
		image->check->lost_bytes += extent->at - end;
		end = extent->at + extent->len;
	}
	image->check->lost_bytes += image->len - end;
	return true;
}

static bool
check_all(struct image *image)
{
	int span = 0;

	if (!header_check(image))
		return false;
	for (int i = 0; i < 1 << image->header.directory_bits; i += span)
		if (!bucket_check(image, i, &span))
			return false;
	return free_lists_check(image) && overlaps_check(image);
}

enum gb_err
gb_check_structure(const unsigned char *bytes, uint64_t len, struct gb_check *check, char *why, size_t why_max)
{
	struct image image = { .bytes = bytes, .len = len, .check = check, .why = why, .why_max = why_max };
	bool ok;

	*check = (struct gb_check){ .file_bytes = len };
	ok = check_all(&image);
	free(image.extents);
	return ok ? GB_OK : image.no_memory ? GB_ERR_MEMORY : GB_ERR_STORE_UNAVAILABLE;
}
