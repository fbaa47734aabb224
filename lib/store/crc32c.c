/* SPDX-License-Identifier: MIT */
/* crc32c.c: the checksum of frames and pages. */
#include <stdbool.h>
#include <string.h>

#include "crc32c.h"

#define POLYNOMIAL 0x82f63b78u		/* Castagnoli, reflected */

static uint32_t table[8][256];
static bool table_made;

static void
table_make(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (int t = 1; t < 8; t++)
		for (int i = 0; i < 256; i++)
			table[t][i] = table[t - 1][i] >> 8 ^ table[0][table[t - 1][i] & 0xff];
	table_made = true;
}

static uint32_t
table_eight(uint32_t crc, const unsigned char *b)
{
	crc ^= (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
	return table[7][crc & 0xff] ^ table[6][crc >> 8 & 0xff] ^ table[5][crc >> 16 & 0xff] ^
	    table[4][crc >> 24] ^ table[3][b[4]] ^ table[2][b[5]] ^ table[1][b[6]] ^ table[0][b[7]];
}

uint32_t
gb_crc32c_table(uint32_t crc, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	if (!table_made)
		table_make();
	for (crc = ~crc; len >= 8; len -= 8, b += 8)
		crc = table_eight(crc, b);
	while (len-- > 0)
		crc = crc >> 8 ^ table[0][(crc ^ *b++) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <sys/platform/x86.h>

static bool
has_instruction(void)
{
	/* the C library has asked the processor already: in a virtual machine each question takes microseconds */
	return CPU_FEATURE_ACTIVE(SSE4_2);
}

#define TARGET __attribute__((target("sse4.2")))
#define CRC_8(crc, byte) _mm_crc32_u8(crc, byte)
#define CRC_64(crc, word) ((uint32_t)_mm_crc32_u64(crc, word))
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>

static bool
has_instruction(void)
{
	return (getauxval(AT_HWCAP) & 1ul << 7) != 0;	/* HWCAP_CRC32 */
}

#define TARGET __attribute__((target("+crc")))
#define CRC_8(crc, byte) __crc32cb(crc, byte)
#define CRC_64(crc, word) __crc32cd(crc, word)
#endif

#ifdef CRC_64
TARGET static uint32_t
by_instruction(uint32_t crc, const unsigned char *b, size_t len)
{
	for (crc = ~crc; len >= 8; len -= 8, b += 8) {
		uint64_t word;

		memcpy(&word, b, sizeof word);
		crc = CRC_64(crc, word);
	}
	while (len-- > 0)
		crc = CRC_8(crc, *b++);
	return ~crc;
}

uint32_t
gb_crc32c(uint32_t crc, const void *bytes, size_t len)
{
	static int known;		/* 0 not yet, 1 yes, -1 no */

	if (known == 0)
		known = has_instruction() ? 1 : -1;
	return known > 0 ? by_instruction(crc, bytes, len) : gb_crc32c_table(crc, bytes, len);
}
#else
uint32_t
gb_crc32c(uint32_t crc, const void *bytes, size_t len)
{
	return gb_crc32c_table(crc, bytes, len);
}
#endif
