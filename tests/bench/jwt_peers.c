/* SPDX-License-Identifier: MIT */
/* jwt_peers.c: HS256 by libjwt and cjose with jansson: LIBRARY sign|verify N TOKEN; nanoseconds for each. Checks as ours: signature, alg, exp. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjose/cjose.h>
#include <jansson.h>
#include <jwt.h>

static const char key[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static char claims[4096];

static double
nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void
by_libjwt(const char *what, const char *token)
{
	jwt_t *jwt = NULL;

	if (*what == 'v') {
		if (jwt_decode(&jwt, token, (const unsigned char *)key, sizeof key - 1) != 0 || jwt_get_alg(jwt) != JWT_ALG_HS256 ||
		    jwt_get_grant_int(jwt, "exp") < 1 || jwt_get_grant(jwt, "sub") == NULL)
			abort();
	} else {
		jwt_new(&jwt);
		jwt_add_grants_json(jwt, claims);
		jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)key, sizeof key - 1);
		free(jwt_encode_str(jwt));
	}
	jwt_free(jwt);
}

/* cjose signs bytes: the claims are made as its users make them, by jansson. */
static char *
claims_by_jansson(void)
{
	json_t *object = json_pack("{s:s,s:I,s:I,s:I,s:s,s:b,s:s,s:s,s:b,s:s,s:s}", "sub", "42", "iat", (json_int_t)1700000000, "nbf", (json_int_t)1700000000,
	    "exp", (json_int_t)1700086500, "jti", "c2Vzc2lvbiBpZCAxNiBieQ", "fresh", 1, "sid", "AAECAwQFBgcICQoLDA0ODw", "email", "a@b.example",
	    "email_verified", 1, "id", "42", "type", "access");
	char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	return text;
}

static void
by_cjose(const char *what, const char *token, const cjose_jwk_t *jwk)
{
	if (*what == 'v') {
		cjose_jws_t *jws = cjose_jws_import(token, strlen(token), NULL);
		uint8_t *payload;
		size_t len;
		json_t *object;

		if (!cjose_jws_verify(jws, jwk, NULL) || !cjose_jws_get_plaintext(jws, &payload, &len, NULL) ||
		    (object = json_loadb((char *)payload, len, JSON_REJECT_DUPLICATES, NULL)) == NULL || json_integer_value(json_object_get(object, "exp")) < 1)
			abort();
		json_decref(object);
		cjose_jws_release(jws);
	} else {
		cjose_header_t *header = cjose_header_new(NULL);
		char *payload = claims_by_jansson();
		const char *made;
		cjose_jws_t *jws;

		cjose_header_set(header, CJOSE_HDR_ALG, "HS256", NULL);
		jws = cjose_jws_sign(jwk, header, (const uint8_t *)payload, strlen(payload), NULL);
		cjose_jws_export(jws, &made, NULL);
		free(payload);
		cjose_jws_release(jws);
		cjose_header_release(header);
	}
}

int
main(int argc, char **argv)
{
	cjose_jwk_t *jwk = cjose_jwk_create_oct_spec((const uint8_t *)key, sizeof key - 1, NULL);
	jwt_t *jwt = NULL;
	double begun;
	long n;

	if (argc != 5 || jwt_decode(&jwt, argv[4], (const unsigned char *)key, sizeof key - 1) != 0)
		return 64;
	snprintf(claims, sizeof claims, "%s", jwt_get_grants_json(jwt, NULL));
	n = atol(argv[3]);
	begun = nanoseconds();
	for (long i = 0; i < n; i++)
		if (strcmp(argv[1], "libjwt") == 0)
			by_libjwt(argv[2], argv[4]);
		else
			by_cjose(argv[2], argv[4], jwk);
	printf("%.1f\n", (nanoseconds() - begun) / (double)n);
	return 0;
}
