/* SPDX-License-Identifier: MIT */
/* address.c: who asked, seen through the proxies that we trust. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

#define LIST_BYTES ", \t"

/* Any address as IPv6; IPv4 as ::ffff:a.b.c.d, so that one comparison does for both. */
struct address {
	unsigned char bytes[16];
};

static const unsigned char ipv4_prefix[12] = { [10] = 0xff, [11] = 0xff };

static bool
parse(const char *text, size_t len, struct address *address)
{
	char copy[INET6_ADDRSTRLEN];

	if (len == 0 || len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, address->bytes) == 1)
		return true;
	memcpy(address->bytes, ipv4_prefix, sizeof ipv4_prefix);
	return inet_pton(AF_INET, copy, address->bytes + sizeof ipv4_prefix) == 1;
}

static bool
is_ipv4(const struct address *address)
{
	return memcmp(address->bytes, ipv4_prefix, sizeof ipv4_prefix) == 0;
}

static const char *
format(const struct address *address, struct gb_arena *arena)
{
	char text[INET6_ADDRSTRLEN];

	if (is_ipv4(address))
		inet_ntop(AF_INET, address->bytes + sizeof ipv4_prefix, text, sizeof text);
	else
		inet_ntop(AF_INET6, address->bytes, text, sizeof text);
	return gb_arena_copy(arena, text, strlen(text));
}

/* Within one item of the list: an address, or a block with its prefix length. */
static bool
is_within(const struct address *address, const char *item, size_t len)
{
	const char *slash = memchr(item, '/', len);
	struct address block;
	unsigned long bits = 128;

	if (!parse(item, slash != NULL ? (size_t)(slash - item) : len, &block))
		return false;
	if (slash != NULL) {
		size_t digits = strspn(slash + 1, "0123456789");

		if (digits == 0 || digits > 3 || digits != len - (size_t)(slash + 1 - item))
			return false;
		bits = strtoul(slash + 1, NULL, 10) + (memchr(item, ':', len) == NULL ? 96 : 0);
	}
	if (bits > 128 || memcmp(address->bytes, block.bytes, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || (address->bytes[bits / 8] ^ block.bytes[bits / 8]) >> (8 - bits % 8) == 0;
}

static bool
is_trusted(const struct address *address, const char *trusted)
{
	while (*(trusted += strspn(trusted, LIST_BYTES)) != '\0') {
		size_t len = strcspn(trusted, LIST_BYTES);

		if (is_within(address, trusted, len))
			return true;
		trusted += len;
	}
	return false;
}

const char *
gb_address_of_client(const char *trusted, const char *remote, const char *forwarded,
    struct gb_arena *arena)
{
	struct address client, hop;
	size_t end = forwarded != NULL ? strlen(forwarded) : 0;

	if (!parse(remote, strlen(remote), &client))
		return "";
	while (trusted != NULL && is_trusted(&client, trusted)) {
		size_t start;

		while (end > 0 && strchr(LIST_BYTES, forwarded[end - 1]) != NULL)
			end--;
		for (start = end; start > 0 && strchr(LIST_BYTES, forwarded[start - 1]) == NULL; )
			start--;
		if (start == end || !parse(forwarded + start, end - start, &hop))
			break;
		client = hop;
		end = start;
	}
	return format(&client, arena);
}
