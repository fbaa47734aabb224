/* SPDX-License-Identifier: MIT */
#ifndef GB_KEY_H
#define GB_KEY_H

#include <stdbool.h>

#include "algorithm.h"
#include "base64url.h"
#include "error.h"

/*
 * One key with its one algorithm, prepared once per process. Behind keyring.h
 * and jwt.h; endpoints see neither this nor a key's bytes.
 */
#define GB_KEY_ID_MAX		64	/* bytes of "kid", NUL not counted */
#define GB_SIGNATURE_MAX	1024	/* bytes: RSA of 8192 bits */
#define GB_DERIVED_LEN		32
#define GB_HEADER_JSON_MAX	(sizeof "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"\"}" - 1 + GB_KEY_ID_MAX)

struct gb_key;

/* What a kind of key can do; a row per kind. */
struct gb_key_operations {
	/* *len: room in `signature` going in, its length coming out. GB_ERR_MEMORY, GB_ERR_INTERNAL. */
	enum gb_err (*sign)(const struct gb_key *key, const void *bytes, size_t bytes_len,
	    unsigned char *signature, size_t *len);
	/* GB_ERR_SIGNATURE, GB_ERR_MEMORY. */
	enum gb_err (*verify)(const struct gb_key *key, const void *bytes, size_t bytes_len,
	    const unsigned char *signature, size_t len);
	void (*free)(void *material);
};

struct gb_key {
	char id[GB_KEY_ID_MAX + 1];		/* "" without one */
	const struct gb_algorithm *algorithm;
	const struct gb_key_operations *operations;
	void *material;				/* of the operations */
	bool can_sign;
	char header[GB_BASE64URL_LEN(GB_HEADER_JSON_MAX) + 2];	/* as it stands in our tokens, with the dot */
	size_t header_len;
};

/* [A-Za-z0-9_-]{1,64} */
bool gb_key_id_is_good(const char *id);

/*
 * Owns `material` from the call on, also when it fails (NULL: no memory).
 * `id` is "" or good.
 */
struct gb_key *gb_key_new(const char *id, const struct gb_algorithm *algorithm,
    const struct gb_key_operations *operations, void *material, bool can_sign);
void gb_key_free(struct gb_key *key);

/* A key of kind GB_KEY_SECRET; NULL when there is no memory. */
struct gb_key *gb_key_new_secret(const char *id, const struct gb_algorithm *algorithm,
    const void *secret, size_t secret_len);

/*
 * HKDF-SHA-256 with salt "guardbee/1" and info "guardbee/1/" + label, one
 * block (design, "Keys"). False when there is no memory.
 */
bool gb_key_derive(const void *ikm, size_t ikm_len, const char *label,
    unsigned char derived[static GB_DERIVED_LEN]);

#endif
