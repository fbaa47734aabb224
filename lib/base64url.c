/* SPDX-License-Identifier: MIT */
/* base64url.c: four characters to three bytes and back, by table. */
#include <stdint.h>

#include "base64url.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The six bits of a character plus one, so that 0 is "not of the alphabet". */
static const uint8_t sextet_plus_1[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['-'] = 63,
	['_'] = 64,
};

/* Negative for a character outside the alphabet, and so is any OR with it. */
static inline int32_t
sextet(char character)
{
	return (int32_t)sextet_plus_1[(unsigned char)character] - 1;
}

char *
gb_base64url_encode(char *text, const void *bytes, size_t len)
{
	const unsigned char *in = bytes;

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
static int
decode_tail(unsigned char *out, const char *text, size_t text_len)
{
	int32_t a = sextet(text[0]), b = sextet(text[1]), c = text_len == 3 ? sextet(text[2]) : 0;

	if ((a | b | c) < 0 || (text_len == 3 ? c & 3 : b & 15) != 0)
		return 0;
	out[0] = (unsigned char)(a << 2 | b >> 4);
	if (text_len == 3)
		out[1] = (unsigned char)(b << 4 | c >> 2);
	return 1;
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
		int32_t a = sextet(text[0]), b = sextet(text[1]), c = sextet(text[2]), d = sextet(text[3]);
		uint32_t bits;

		if ((a | b | c | d) < 0)
			return GB_ERR_MALFORMED;
		bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;
		out[0] = (unsigned char)(bits >> 16);
		out[1] = (unsigned char)(bits >> 8);
		out[2] = (unsigned char)bits;
	}
	if (tail_len > 0 && !decode_tail(out, tail, tail_len))
		return GB_ERR_MALFORMED;
	*len = decoded_len;
	return GB_OK;
}
