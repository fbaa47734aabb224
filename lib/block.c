/* SPDX-License-Identifier: MIT */
/* block.c: the block of addresses that counts as one client. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "limit.h"

#define MAPPED_PREFIX	"\0\0\0\0\0\0\0\0\0\0\xff\xff"		/* ::ffff:0:0/96 */
#define MAPPED_LEN	12
#define IPV6_NETWORK	8		/* bytes: a /64 is what one customer gets */

static void
ipv4_block(unsigned char bytes[static 4], int bits, char block[static 64])
{
	char text[INET_ADDRSTRLEN];

	for (int bit = bits; bit < 32; bit++)
		bytes[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
	inet_ntop(AF_INET, bytes, text, sizeof text);
	snprintf(block, 64, bits < 32 ? "%s/%d" : "%s", text, bits);
}

void
gb_address_block(const char *address, int ipv4_bits, char block[static 64])
{
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET, address, bytes) == 1) {
		ipv4_block(bytes, ipv4_bits, block);
	} else if (inet_pton(AF_INET6, address, bytes) != 1) {
		snprintf(block, 64, "%s", address);
	} else if (memcmp(bytes, MAPPED_PREFIX, MAPPED_LEN) == 0) {
		ipv4_block(bytes + MAPPED_LEN, ipv4_bits, block);
	} else {
		memset(bytes + IPV6_NETWORK, 0, sizeof bytes - IPV6_NETWORK);
		inet_ntop(AF_INET6, bytes, text, sizeof text);
		snprintf(block, 64, "%s/64", text);
	}
}
