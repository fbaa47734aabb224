/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "base64url.h"

static enum gb_err
decode_any(const char *text, size_t text_len, unsigned char *bytes, size_t *len)
{
	return gb_base64url_decode(bytes, 64, len, text, text_len);
}

/* RFC 4648 s10, without padding, and RFC 7515 appendix C. */
Test(base64url, encodes_and_decodes_rfc_vectors)
{
	static const struct {
		const char *bytes, *text;
	} vectors[] = {
		{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" },
		{ "\x03\xec\xff\xe0\xc1", "A-z_4ME" },
	};
	unsigned char bytes[64];
	char text[64];
	size_t len;

	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		char *end = gb_base64url_encode(text, vectors[i].bytes, strlen(vectors[i].bytes));

		cr_expect_str_eq(text, vectors[i].text);
		cr_expect_eq(*end, '\0');
		cr_expect_eq((size_t)(end - text), GB_BASE64URL_LEN(strlen(vectors[i].bytes)));
		cr_expect_eq(decode_any(text, strlen(text), bytes, &len), GB_OK);
		cr_expect_eq(len, strlen(vectors[i].bytes));
		cr_expect_arr_eq(bytes, vectors[i].bytes, len);
	}
}

/* Texts of up to three of all 256 characters: what is taken comes back, and libsodium says the same of ASCII. */
Test(base64url, takes_only_what_it_would_write)
{
	unsigned char bytes[64], theirs[64];
	char text[4] = "", back[8];
	size_t len, theirs_len, taken = 0;

	for (unsigned code = 0; code < 1u << 24; code++) {
		size_t text_len = code < 256 ? 1 : code < 65536 ? 2 : 3;
		int sodium;

		if (text_len == 3 && (code >> 8 & 0xff) != 'A' && (code & 0xff) > 'Z' && code % 7 != 0)
			continue;	/* a sample of the inner two, all of the last */
		text[0] = (char)code, text[1] = (char)(code >> 8), text[2] = (char)(code >> 16);
		sodium = sodium_base642bin(theirs, sizeof theirs, text, text_len, NULL, &theirs_len, NULL,
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
		if (decode_any(text, text_len, bytes, &len) != GB_OK) {
			cr_assert(sodium != 0 || (code & 0x808080) != 0, "%06x", code);
			cr_assert_eq(len, 0);
			continue;
		}
		taken++;
		cr_assert_eq(sodium, 0, "%06x", code);
		cr_assert_eq(len, theirs_len);
		gb_base64url_encode(back, bytes, len);
		cr_assert_eq(strlen(back), text_len);
		cr_assert_arr_eq(back, text, text_len);
	}
	cr_expect_gt(taken, 256);
}

Test(base64url, refuses_padding_white_space_and_the_other_alphabet)
{
	static const char *const bad[] = {
		"Zm9vYg==", "Zm8=", "Zm9v=", "Zm9v====", " Zm9v", "Zm9v ", "Zm9v\n", "Zm\t9v", "Zm+v", "Zm/v", "Zm.v", "Zm%v", "\xef\xbb\xbfZm9v",
		"Zm9vZ", "Zh", "Zm9",
	};
	unsigned char bytes[64];
	size_t len;

	cr_expect_eq(decode_any("Zm9v", 4, bytes, &len), GB_OK);
	cr_expect_eq(decode_any("Zm-v", 4, bytes, &len), GB_OK);
	cr_expect_eq(decode_any("Zm9vYg", 6, bytes, &len), GB_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_eq(decode_any(bad[i], strlen(bad[i]), bytes, &len), GB_ERR_MALFORMED, "\"%s\"", bad[i]);
	cr_expect_eq(decode_any("Zm\0v", 4, bytes, &len), GB_ERR_MALFORMED);
}

Test(base64url, refuses_more_bytes_than_there_is_room_for)
{
	unsigned char bytes[4] = { 0 };
	size_t len;

	cr_expect_eq(gb_base64url_decode(bytes, 3, &len, "Zm9v", 4), GB_OK);
	cr_expect_eq(len, 3);
	cr_expect_eq(gb_base64url_decode(bytes, 2, &len, "Zm9v", 4), GB_ERR_MALFORMED);
	cr_expect_eq(gb_base64url_decode(bytes, 3, &len, "Zm9vYg", 6), GB_ERR_MALFORMED);
	cr_expect_eq(bytes[3], 0);
	cr_expect_eq(gb_base64url_decode(bytes, 0, &len, "", 0), GB_OK);
}

Test(base64url, agrees_with_libsodium_on_random_bytes)
{
	unsigned char bytes[48], back[64];
	char ours[65], theirs[65];
	size_t len;

	for (size_t round = 0; round < 2000; round++) {
		size_t bytes_len = round % (sizeof bytes + 1);

		randombytes_buf(bytes, bytes_len);
		gb_base64url_encode(ours, bytes, bytes_len);
		sodium_bin2base64(theirs, sizeof theirs, bytes, bytes_len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
		cr_assert_str_eq(ours, theirs);
		cr_assert_eq(decode_any(ours, strlen(ours), back, &len), GB_OK);
		cr_assert_eq(len, bytes_len);
		cr_assert_arr_eq(back, bytes, len);
	}
}
