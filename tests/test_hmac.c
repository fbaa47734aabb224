/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "hmac.h"

/* RFC 4231 s4.2 to s4.8: key, data and the MACs of SHA-256, SHA-384, SHA-512. */
static const struct {
	const char *key;	/* hex */
	const char *data;
	const char *macs[3];
} vectors[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There", {
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
	    "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
	    "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" } },
	{ "4a656665", "what do ya want for nothing?", {
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" } },
};

Test(hmac, agrees_with_rfc_4231)
{
	static const enum gb_hash hashes[] = { GB_SHA256, GB_SHA384, GB_SHA512 };
	unsigned char key[64], mac[GB_MAC_MAX];
	char hex[GB_MAC_MAX * 2 + 1];
	size_t key_len;

	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		for (size_t h = 0; h < 3; h++) {
			struct gb_hmac *hmac;
			size_t len;

			sodium_hex2bin(key, sizeof key, vectors[i].key, strlen(vectors[i].key), NULL, &key_len, NULL);
			hmac = gb_hmac_new(hashes[h], key, key_len);
			for (int again = 0; again < 2; again++) {
				len = gb_hmac_mac(hmac, vectors[i].data, strlen(vectors[i].data), mac);
				cr_expect_str_eq(sodium_bin2hex(hex, sizeof hex, mac, len), vectors[i].macs[h]);
			}
			gb_hmac_free(hmac);
		}
}

/* Keys around the block's length, messages around the padding's edges. */
Test(hmac, agrees_with_libcrypto_on_every_length)
{
	static const size_t key_lens[] = { 0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 200 };
	unsigned char key[200], bytes[300], ours[GB_MAC_MAX], theirs[GB_MAC_MAX];
	const EVP_MD *mds[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
	unsigned theirs_len;

	randombytes_buf(key, sizeof key);
	randombytes_buf(bytes, sizeof bytes);
	for (size_t k = 0; k < sizeof key_lens / sizeof *key_lens; k++)
		for (size_t h = 0; h < 3; h++) {
			struct gb_hmac *hmac = gb_hmac_new((enum gb_hash)(GB_SHA256 + h), key, key_lens[k]);

			for (size_t len = 0; len < sizeof bytes; len++) {
				size_t ours_len = gb_hmac_mac(hmac, bytes, len, ours);

				HMAC(mds[h], key, (int)key_lens[k], bytes, len, theirs, &theirs_len);
				cr_assert_eq(ours_len, theirs_len);
				cr_assert_arr_eq(ours, theirs, ours_len);
			}
			gb_hmac_free(hmac);
		}
}
