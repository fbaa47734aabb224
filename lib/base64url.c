/* SPDX-License-Identifier: MIT */
/* base64url.c: four characters to three bytes and back, by table. */
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base64url.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#define ALPHABET(X) \
	X('A', 0) X('B', 1) X('C', 2) X('D', 3) X('E', 4) X('F', 5) X('G', 6) X('H', 7) X('I', 8) X('J', 9) X('K', 10) X('L', 11) X('M', 12) X('N', 13) X('O', 14) X('P', 15) \
	X('Q', 16) X('R', 17) X('S', 18) X('T', 19) X('U', 20) X('V', 21) X('W', 22) X('X', 23) X('Y', 24) X('Z', 25) X('a', 26) X('b', 27) X('c', 28) X('d', 29) X('e', 30) X('f', 31) \
	X('g', 32) X('h', 33) X('i', 34) X('j', 35) X('k', 36) X('l', 37) X('m', 38) X('n', 39) X('o', 40) X('p', 41) X('q', 42) X('r', 43) X('s', 44) X('t', 45) X('u', 46) X('v', 47) \
	X('w', 48) X('x', 49) X('y', 50) X('z', 51) X('0', 52) X('1', 53) X('2', 54) X('3', 55) X('4', 56) X('5', 57) X('6', 58) X('7', 59) X('8', 60) X('9', 61) X('-', 62) X('_', 63)

/*
 * A character's six bits where they belong in a group of four, and above the
 * 24 bits a flag of its own: four good characters, ORed, have all flags. Four
 * loads a group, no shifts; decoding was a tenth of a verify.
 */
#define GROUP_GOOD 0xfu
static const uint32_t placed[4][256] = {
#define FIRST(character, bits)	[character] = 1u << 24 | (bits) << 18,
#define SECOND(character, bits)	[character] = 1u << 25 | (bits) << 12,
#define THIRD(character, bits)	[character] = 1u << 26 | (bits) << 6,
#define FOURTH(character, bits)	[character] = 1u << 27 | (bits),
	{ ALPHABET(FIRST) }, { ALPHABET(SECOND) }, { ALPHABET(THIRD) }, { ALPHABET(FOURTH) },
};

static inline uint32_t
place(size_t position, char character)
{
	return placed[position][(unsigned char)character];
}

/* Six bytes, in one load; the two behind them are read along and not used. */
static inline void
encode_six(char *text, const unsigned char *in)
{
	uint64_t bits;

	memcpy(&bits, in, sizeof bits);
	bits = be64toh(bits);
	text[0] = alphabet[bits >> 58];
	text[1] = alphabet[bits >> 52 & 63];
	text[2] = alphabet[bits >> 46 & 63];
	text[3] = alphabet[bits >> 40 & 63];
	text[4] = alphabet[bits >> 34 & 63];
	text[5] = alphabet[bits >> 28 & 63];
	text[6] = alphabet[bits >> 22 & 63];
	text[7] = alphabet[bits >> 16 & 63];
}

char *
gb_base64url_encode(char *text, const void *bytes, size_t len)
{
	const unsigned char *in = bytes;

	for (; len >= sizeof(uint64_t); len -= 6, in += 6, text += 8)
		encode_six(text, in);
	for (; len >= 3; len -= 3, in += 3) {
		uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

		*text++ = alphabet[bits >> 18];
		*text++ = alphabet[bits >> 12 & 63];
		*text++ = alphabet[bits >> 6 & 63];
		*text++ = alphabet[bits & 63];
	}
	if (len > 0) {
		uint32_t bits = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);

		*text++ = alphabet[bits >> 18];
		*text++ = alphabet[bits >> 12 & 63];
		if (len == 2)
			*text++ = alphabet[bits >> 6 & 63];
	}
	*text = '\0';
	return text;
}

/* The last two or three characters; false unless their spare bits are zero. */
static bool
decode_tail(unsigned char *out, const char *text, size_t text_len)
{
	uint32_t bits = place(0, text[0]) | place(1, text[1]) | place(2, text_len == 3 ? text[2] : 'A') | place(3, 'A');

	if (bits >> 24 != GROUP_GOOD || (bits & (text_len == 3 ? 0xff : 0xffff)) != 0)
		return false;
	out[0] = (unsigned char)(bits >> 16);
	if (text_len == 3)
		out[1] = (unsigned char)(bits >> 8);
	return true;
}

enum gb_err
gb_base64url_decode(void *bytes, size_t bytes_max, size_t *len, const char *text, size_t text_len)
{
	unsigned char *out = bytes;
	size_t tail_len = text_len % 4, decoded_len = text_len / 4 * 3 + (tail_len > 0 ? tail_len - 1 : 0);
	const char *tail = text + (text_len - tail_len);

	*len = 0;
	if (tail_len == 1 || decoded_len > bytes_max)
		return GB_ERR_MALFORMED;
	for (; text < tail; text += 4, out += 3) {
		uint32_t bits = place(0, text[0]) | place(1, text[1]) | place(2, text[2]) | place(3, text[3]);

		if (bits >> 24 != GROUP_GOOD)
			return GB_ERR_MALFORMED;
		out[0] = (unsigned char)(bits >> 16);
		out[1] = (unsigned char)(bits >> 8);
		out[2] = (unsigned char)bits;
	}
	if (tail_len > 0 && !decode_tail(out, tail, tail_len))
		return GB_ERR_MALFORMED;
	*len = decoded_len;
	return GB_OK;
}
