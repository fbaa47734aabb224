/* SPDX-License-Identifier: MIT */
#ifndef GB_ERROR_H
#define GB_ERROR_H

/*
 * The one error type: every function that can fail returns it, results go
 * through the last parameter. The outside sees a row of the table in error.c;
 * several inner causes share one public row, so that a client learns nothing
 * extra while tests and the log still know the cause.
 */
enum gb_err {
	GB_OK,

	/* 400 */
	GB_ERR_BAD_REQUEST,
	GB_ERR_INVALID_JSON,
	GB_ERR_MISSING_FIELD,
	GB_ERR_INVALID_FIELD,
	GB_ERR_RESET_TOKEN_INVALID,	/* any mailed link or typed code */

	/* 401; the inner causes of token_invalid follow it */
	GB_ERR_TOKEN_MISSING,
	GB_ERR_TOKEN_INVALID,
	GB_ERR_MALFORMED,		/* token_invalid: not a compact JWS of ours */
	GB_ERR_ALGORITHM,		/* token_invalid: not the key's algorithm */
	GB_ERR_KEY_ID,			/* token_invalid: no such key */
	GB_ERR_SIGNATURE,		/* token_invalid */
	GB_ERR_CLAIM,			/* token_invalid: a claim missing or of a wrong type */
	GB_ERR_TYPE,			/* token_invalid: another purpose's token */
	GB_ERR_ISSUER,			/* token_invalid */
	GB_ERR_AUDIENCE,		/* token_invalid */
	GB_ERR_NOT_YET_VALID,		/* token_invalid */
	GB_ERR_TOKEN_EXPIRED,
	GB_ERR_TOKEN_REVOKED,
	GB_ERR_INVALID_CREDENTIALS,
	GB_ERR_INVALID_CLIENT,

	/* 403 */
	GB_ERR_REFRESH_TOKEN_REVOKED,
	GB_ERR_ORIGIN_FORBIDDEN,
	GB_ERR_CSRF_FAILED,
	GB_ERR_REGISTRATION_CLOSED,
	GB_ERR_EMAIL_UNVERIFIED,
	GB_ERR_GROUP_REQUIRED,

	/* 404 to 415 */
	GB_ERR_NOT_FOUND,
	GB_ERR_METHOD_NOT_ALLOWED,
	GB_ERR_ACCOUNT_EXISTS,
	GB_ERR_LENGTH_REQUIRED,
	GB_ERR_PAYLOAD_TOO_LARGE,
	GB_ERR_UNSUPPORTED_MEDIA_TYPE,

	/* 422 */
	GB_ERR_WEAK_PASSWORD,
	GB_ERR_PASSWORD_TOO_LONG,
	GB_ERR_INVALID_EMAIL,
	GB_ERR_INVALID_USERNAME,

	/* 429 */
	GB_ERR_RATE_LIMITED,

	/* ours: 500 and 503, never a verdict about the client */
	GB_ERR_INTERNAL,
	GB_ERR_MISCONFIGURED,		/* internal, with 503: a setting is missing or malformed */
	GB_ERR_BUSY,
	GB_ERR_MEMORY,			/* busy: an allocation failed */
	GB_ERR_CONFLICT,		/* busy: a version moved; callers start again from their first get */
	GB_ERR_STORE_UNAVAILABLE,

	GB_ERR__COUNT
};

struct gb_error_row {
	int status;			/* HTTP */
	const char *code;		/* for programs */
	const char *text;		/* for people */
};

/* The public row of `err`; for GB_OK and unknown values the row of GB_ERR_INTERNAL. */
const struct gb_error_row *gb_error_row(enum gb_err err);

/* A word for the log: the name of the inner cause, e.g. "signature". */
const char *gb_error_cause(enum gb_err err);

#endif
