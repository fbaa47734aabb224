/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values from Project Wycheproof (C2SP/wycheproof, testvectors_v1, Apache-2.0), a small part: of
 * json_web_signature_test.json the groups hs256, es256 and some of rs256; of ecdsa_secp256r1_sha256_p1363_test.json
 * and ed25519_test.json what the older files in wycheproof/ lack. Numbers are those of the tests there.
 */
#ifndef VECTORS_WYCHEPROOF_H
#define VECTORS_WYCHEPROOF_H

#define W_HS_HEADER "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9"
#define W_HS_MAC "TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5wb_KTg"
#define W_ES_HEADER "eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0"
#define W_ES_SIGNATURE "cA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQkutrqWrte5P-pAvsE3Ve6xSyU3YDQwUHjVVOtvcrEbbnZ8yA"	/* its first letter left out */
#define W_RS_HEADER "eyJhbGciOiJSUzI1NiIsImtpZCI6ImtpZC1yc2Etc2lnbiJ9"
#define W_RS_SIGNATURE "UwxI1-cZrZgcuOgBQ7G7NE-GrqK79l6GV1KT4DKXnSMFwC8pfZCzE7pmLE7mYpLCIvzC87yuOjuhT0uW5oe6aaAEtR978cm-q8dfly45flqMrd_ifhi9GCsMlyi8dpQ4" \
	"2Ou1etZljFZuWjfyk8CN1c5DaHRwhqjScAPIFp6xmzKIRUJ_xdQfUSfSlujLaixtScU518EoNP4oo1v7E8RAz6ZO4g2N4Xqs8OvSxYydcoTEg42QnLHe9JnXgI37Q5gSwinwaPsG3Ry56UYi" \
	"LoL8mCUa74S51y02VsIgVmmGWgaXjM-i_lCiKQDBiBnvWlka4XhVuvd6ZWibM9cbCPtPg"

static const char wycheproof_hs256[] = "{\"alg\":\"HS256\",\"use\":\"sig\",\"k\":\"-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE\",\"kid\":\"kid-aes-sign\",\"kty\":\"oct\"}";
static const char wycheproof_es256[] = "{\"alg\":\"ES256\",\"use\":\"sig\",\"x\":\"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY\","
    "\"y\":\"UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw\",\"crv\":\"P-256\",\"kid\":\"kid-ec-sign\",\"kty\":\"EC\"}";
static const char wycheproof_rs256[] = "{\"alg\":\"RS256\",\"use\":\"sig\",\"n\":\"kqGboBfAWttWPCA-0cGRgsY6SaYoIARt0B_PkaEcIq9HPYNdu9n6UuWHuuTHrjF_ZoQW97r5HaAorNvrMEGTGdxCHZdEtkHv"
    "NVVmrtxTBLiQCbCozXhFoIrVcr3qUBrdGnNn_M3jJi7Wg7p_-x62nS5gNG875oyheRkutHsQXikFZwsN3q_TsPNOVlCiHy8mxzaFTUQGm-X8UYexFyAivlDSjgDJLAZSWfxd7k9Gxuwa"
    "3AUfQqQcVcegmgKGCaErQ3qQbh1x7WB6iopE3_-GZ8HMAVtR9AmrVscqYsnjhaCehfAI0iKKs8zXr8tISc0ORbaalrkk03H1ZrsEnDKEWQ\",\"e\":\"AQAB\",\"kid\":\"kid-rsa-sign\",\"kty\":\"RSA\"}";

static const struct {
	int number;
	const char *jwk, *jws;
	bool valid;
} wycheproof_jws[] = {
	{ 1, wycheproof_hs256, W_HS_HEADER ".Zm9v." W_HS_MAC, true },
	{ 2, wycheproof_hs256, W_HS_HEADER ".Zm9v.XD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5wb_KTg", false },
	{ 3, wycheproof_hs256, W_HS_HEADER ".Zm9v.", false },
	{ 4, wycheproof_hs256, W_HS_HEADER ".Zm9v", false },
	{ 5, wycheproof_hs256, W_HS_HEADER ".WG9v." W_HS_MAC, false },
	{ 6, wycheproof_hs256, W_HS_HEADER ".." W_HS_MAC, false },
	{ 7, wycheproof_hs256, W_HS_HEADER "." W_HS_MAC, false },
	{ 8, wycheproof_hs256, "eyJhbGciOiJIUzI1NiIsImtpZCI6IlhpZC1hZXMtc2lnbiJ9.Zm9v." W_HS_MAC, false },
	{ 9, wycheproof_hs256, ".Zm9v." W_HS_MAC, false },
	{ 10, wycheproof_hs256, "Zm9v." W_HS_MAC, false },
	{ 11, wycheproof_hs256, ".Zm9v.", false },
	{ 12, wycheproof_hs256, "Zm9v", false },
	{ 13, wycheproof_hs256, "", false },
	{ 14, wycheproof_hs256, W_HS_HEADER ".Zm9v." W_HS_MAC ".", false },
	{ 15, wycheproof_hs256, W_HS_HEADER ".Zm9v." W_HS_MAC ".foo", false },
	{ 16, wycheproof_hs256, "eyJhbGciOiJub25lIiwia2lkIjoia2lkLWFlcy1zaWduIn0.Zm9v.", false },
	{ 17, wycheproof_hs256, "{\"payload\":\"Zm9v\",\"signatures\":[{\"protected\":\"" W_HS_HEADER "\",\"header\":{\"unknown\":\"untrustworthy\"},\"signature\":\"" W_HS_MAC "\"}", false },
	{ 18, wycheproof_es256, W_ES_HEADER ".Zm9v.5" W_ES_SIGNATURE, true },
	{ 19, wycheproof_es256, W_ES_HEADER ".Zm9v.X" W_ES_SIGNATURE, false },
	{ 20, wycheproof_es256, W_ES_HEADER ".Zm9v.", false },
	{ 22, wycheproof_es256, W_ES_HEADER ".WG9v.5" W_ES_SIGNATURE, false },
	{ 23, wycheproof_es256, W_ES_HEADER "..5" W_ES_SIGNATURE, false },
	{ 25, wycheproof_es256, "eyJhbGciOiJFUzI1NiIsImtpZCI6IlhpZC1lYy1zaWduIn0.Zm9v.5" W_ES_SIGNATURE, false },
	{ 26, wycheproof_es256, ".Zm9v.5" W_ES_SIGNATURE, false },
	{ 31, wycheproof_es256, "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.TgWtz2FIRukBQ_mA5sgHa0Ybtgn7bl-YBPAi7Z0XdHU", false },
	{ 32, wycheproof_es256, "eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIiwiandrIjp7Imt0eSI6IkVDIiwia2lkIjoia2lkLWVjLXNpZ24iLCJ1c2UiOiJzaWciLCJhbGciOiJFUzI1NiIsIngi"
	    "OiJNZG5UWkRJaERKYmZBU2RGcWFtY3BPMkNoOUdOS0sybTBNUWxoNDAyU3BvIiwieSI6Ijdhdko0bHFfV3l4LW5MUERCUTJZcHl0dUh5TWlvMDdCVXl2bDNqYUMtMVkiLCJj"
	    "cnYiOiJQLTI1NiJ9fQ.Zm9v.4jmsollQD8ZxvySzXYnIEYA4fwaZi2ZbC0aI1J4LYmW2Bn31NhKdjms2N6o51Dff5-InWXQF9m45VtTexl6yjg", false },
	{ 33, wycheproof_rs256, W_RS_HEADER ".Zm9v.H" W_RS_SIGNATURE, true },
	{ 34, wycheproof_rs256, W_RS_HEADER ".Zm9v.X" W_RS_SIGNATURE, false },
	{ 35, wycheproof_rs256, W_RS_HEADER ".Zm9v.", false },
	{ 37, wycheproof_rs256, W_RS_HEADER ".WG9v.H" W_RS_SIGNATURE, false },
	{ 38, wycheproof_rs256, W_RS_HEADER "..H" W_RS_SIGNATURE, false },
};

/* ES256 over "123400", r and s in hex: 1 is good, 2 to 10 are r or s plus what must not be added. */
#define W_P256_R "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18"
#define W_P256_S "b329f479a2bbd0a5c384ee1493b1f5186a87139cac5df4087c134b49156847db"
static const char wycheproof_p256[] = "{\"alg\":\"ES256\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"KSexBRK64-3c_kZ4KBKLrSkDJpkZ9whgacjE32xzKDg\",\"y\":\"x3h5ZOqsAOWSH7FJimD0YGdms9loUAFVjRqXTnNBUT4\"}";
static const char *const wycheproof_p256_signatures[] = {
	W_P256_R "4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76",
	"012ba3a8bd6b94d5ed80a6d9d1190a436ebccc0833490686deac8635bcb9bf536900" W_P256_S,
	"01002ba3a7be6b94d6ec80a6d9d1190a432be6dfbb2cb98d6d4d72972df620817f180000" W_P256_S,
	"d45c5740946b2a147f59262ee6f5bc90bd01ed280528b62b3aed5fc93f06f739" W_P256_S,
	"01" W_P256_R "00" W_P256_S,
	"010000000000000000" W_P256_R "000000000000000000" W_P256_S,
	"01b329f478a2bbd0a6c384ee1493b1f518276e0e4a5375928d6fcd160c11cb6d2c00" W_P256_S,
	"0100b329f379a2bbd1a5c384ee1493b1f4d55181c143c3fc78fc35de0e45788d98db0000" W_P256_S,
	"01" W_P256_S "00" W_P256_S,
	"010000000000000000" W_P256_S "000000000000000000" W_P256_S,
};
/* Ed25519: good ones, and over "?" each special value as R with each as S (10 to 29). */
static const char wycheproof_ed25519[] = "{\"alg\":\"EdDSA\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"fU0Of2FTpptiQrUiq77mhf2kQg-INLEIw72uNp71Sfo\"}";
static const struct {
	const char *message, *signature;
} wycheproof_ed25519_valid[] = {
	{ "", "d4fbdb52bfa726b44d1786a8c0d171c3e62ca83c9e5bbe63de0bb2483f8fd6cc1429ab72cafc41ab56af02ff8fcc43b99bfe4c7ae940f60f38ebaa9d311c4007" },
	{ "x", "d80737358ede548acb173ef7e0399f83392fe8125b2ce877de7975d8b726ef5b1e76632280ee38afad12125ea44b961bf92f1178c9fa819d020869975bcbe109" },
	{ "Test", "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab07a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b30d" },
	{ "Hello", "1c1ad976cbaae3b31dee07971cf92c928ce2091a85f5899f5e11ecec90fc9f8e93df18c5037ec9b29c07195ad284e63d548cd0a6fe358cc775bd6c1608d2c905" },
	{ "123400", "657c1492402ab5ce03e2c3a7f0384d051b9cf3570f1207fc78c1bcc98c281c2bf0cf5b3a289976458a1be6277a5055545253b45b07dcc1abd96c8b989c00f301" },
};
static const char *const wycheproof_ed25519_special[] = {
	"0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
	"ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

#endif
