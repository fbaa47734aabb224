/* SPDX-License-Identifier: MIT */
#ifndef GB_BASE64URL_H
#define GB_BASE64URL_H

#include <stddef.h>

#include "error.h"

/*
 * base64url without padding (RFC 4648 s5, RFC 7515 s2), one spelling for each
 * byte string. Tables are indexed by the data: made for tokens, which the
 * sender knows. libsodium's decoder takes ten times as long, and 1.0.18 reads
 * every byte from 0x80 up as '_'.
 */

/* Characters that `len` bytes take, NUL not counted. */
#define GB_BASE64URL_LEN(len) (((len) * 4 + 2) / 3)

/* Writes GB_BASE64URL_LEN(len) characters and a NUL; returns the end, where the NUL stands. */
char *gb_base64url_encode(char *text, const void *bytes, size_t len);

/*
 * Reads `text_len` characters; writes at most bytes_max bytes, their number
 * into *len. GB_ERR_MALFORMED: any other character (padding, white space, the
 * other alphabet), an impossible length, trailing bits that are not zero, or
 * more than bytes_max bytes. `bytes` then holds rubbish and *len is 0.
 */
enum gb_err gb_base64url_decode(void *bytes, size_t bytes_max, size_t *len, const char *text,
    size_t text_len);

#endif
