/* SPDX-License-Identifier: MIT */
/*
 * peers.c: libjwt and cjose. One JSON object a line in and out:
 *
 *	{"library","op":"sign","alg","key","claims"}	-> {"token"}
 *	{"library","op":"verify","alg","key","token"}	-> {"claims"}, or {} where it is refused
 *
 * key: libjwt takes a secret or PEM, cjose a JWK.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjose/cjose.h>
#include <jansson.h>
#include <jwt.h>

static const char *
text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value != NULL ? value : "";
}

static json_t *
by_libjwt(const json_t *order)
{
	const unsigned char *key = (const unsigned char *)text(order, "key");
	int key_len = (int)strlen(text(order, "key"));
	json_t *answer = json_object();
	jwt_t *jwt = NULL;

	if (strcmp(text(order, "op"), "sign") == 0) {
		char *claims = json_dumps(json_object_get(order, "claims"), 0), *token;

		if (jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, claims) == 0 &&
		    jwt_set_alg(jwt, jwt_str_alg(text(order, "alg")), key, key_len) == 0 && (token = jwt_encode_str(jwt)) != NULL) {
			json_object_set_new(answer, "token", json_string(token));
			free(token);
		}
		free(claims);
	} else if (jwt_decode(&jwt, text(order, "token"), key, key_len) == 0 && jwt_get_alg(jwt) == jwt_str_alg(text(order, "alg"))) {
		char *claims = jwt_get_grants_json(jwt, NULL);

		json_object_set_new(answer, "claims", json_loads(claims, 0, NULL));
		free(claims);
	}
	jwt_free(jwt);
	return answer;
}

static void
cjose_sign(const json_t *order, const cjose_jwk_t *key, json_t *answer)
{
	char *claims = json_dumps(json_object_get(order, "claims"), 0);
	cjose_header_t *header = cjose_header_new(NULL);
	const char *token;
	cjose_jws_t *jws;

	cjose_header_set(header, CJOSE_HDR_ALG, text(order, "alg"), NULL);
	cjose_header_set(header, "typ", "JWT", NULL);
	jws = cjose_jws_sign(key, header, (const uint8_t *)claims, strlen(claims), NULL);
	if (jws != NULL && cjose_jws_export(jws, &token, NULL))
		json_object_set_new(answer, "token", json_string(token));
	cjose_jws_release(jws);
	cjose_header_release(header);
	free(claims);
}

static void
cjose_verify(const json_t *order, const cjose_jwk_t *key, json_t *answer)
{
	cjose_jws_t *jws = cjose_jws_import(text(order, "token"), strlen(text(order, "token")), NULL);
	uint8_t *payload;
	size_t len;

	if (jws != NULL && strcmp(cjose_header_get(cjose_jws_get_protected(jws), CJOSE_HDR_ALG, NULL), text(order, "alg")) == 0 &&
	    cjose_jws_verify(jws, key, NULL) && cjose_jws_get_plaintext(jws, &payload, &len, NULL))
		json_object_set_new(answer, "claims", json_loadb((const char *)payload, len, 0, NULL));
	cjose_jws_release(jws);
}

static json_t *
by_cjose(const json_t *order)
{
	cjose_jwk_t *key = cjose_jwk_import(text(order, "key"), strlen(text(order, "key")), NULL);
	json_t *answer = json_object();

	if (key != NULL && strcmp(text(order, "op"), "sign") == 0)
		cjose_sign(order, key, answer);
	else if (key != NULL)
		cjose_verify(order, key, answer);
	cjose_jwk_release(key);
	return answer;
}

int
main(void)
{
	static char line[65536];

	while (fgets(line, sizeof line, stdin) != NULL) {
		json_t *order = json_loads(line, 0, NULL);
		json_t *answer = strcmp(text(order, "library"), "libjwt") == 0 ? by_libjwt(order) : by_cjose(order);
		char *out = json_dumps(answer, JSON_COMPACT);

		puts(out);
		fflush(stdout);
		free(out);
		json_decref(answer);
		json_decref(order);
	}
	return 0;
}
