/* SPDX-License-Identifier: MIT */
/* error.c: what the outside sees of each cause. */
#include "error.h"

#define TOKEN_INVALID 401, "token_invalid", "Token is invalid"
#define BUSY 503, "busy", "The service is busy, please try again"

static const struct {
	struct gb_error_row row;
	const char *cause;
} errors[GB_ERR__COUNT] = {
	[GB_ERR_BAD_REQUEST] = { { 400, "bad_request", "The request is malformed" }, "bad_request" },
	[GB_ERR_INVALID_JSON] = { { 400, "invalid_json", "The body is not valid JSON" }, "invalid_json" },
	[GB_ERR_MISSING_FIELD] = { { 400, "missing_field", "A required field is missing" }, "missing_field" },
	[GB_ERR_INVALID_FIELD] = { { 400, "invalid_field", "A field has the wrong type or form" }, "invalid_field" },
	[GB_ERR_RESET_TOKEN_INVALID] = { { 400, "reset_token_invalid", "The link or code is invalid or has expired" }, "reset_token_invalid" },

	[GB_ERR_TOKEN_MISSING] = { { 401, "token_missing", "A token is required" }, "token_missing" },
	[GB_ERR_TOKEN_INVALID] = { { TOKEN_INVALID }, "token_invalid" },
	[GB_ERR_MALFORMED] = { { TOKEN_INVALID }, "malformed" },
	[GB_ERR_ALGORITHM] = { { TOKEN_INVALID }, "algorithm" },
	[GB_ERR_KEY_ID] = { { TOKEN_INVALID }, "key_id" },
	[GB_ERR_SIGNATURE] = { { TOKEN_INVALID }, "signature" },
	[GB_ERR_CLAIM] = { { TOKEN_INVALID }, "claim" },
	[GB_ERR_TYPE] = { { TOKEN_INVALID }, "type" },
	[GB_ERR_ISSUER] = { { TOKEN_INVALID }, "issuer" },
	[GB_ERR_AUDIENCE] = { { TOKEN_INVALID }, "audience" },
	[GB_ERR_NOT_YET_VALID] = { { TOKEN_INVALID }, "not_yet_valid" },
	[GB_ERR_TOKEN_EXPIRED] = { { 401, "token_expired", "Token has expired" }, "token_expired" },
	[GB_ERR_TOKEN_REVOKED] = { { 401, "token_revoked", "Token has been revoked" }, "token_revoked" },
	[GB_ERR_INVALID_CREDENTIALS] = { { 401, "invalid_credentials", "Invalid credentials" }, "invalid_credentials" },
	[GB_ERR_INVALID_CLIENT] = { { 401, "invalid_client", "Client authentication failed" }, "invalid_client" },

	[GB_ERR_REFRESH_TOKEN_REVOKED] = { { 403, "refresh_token_revoked", "Invalid or expired refresh token" }, "refresh_token_revoked" },
	[GB_ERR_ORIGIN_FORBIDDEN] = { { 403, "origin_forbidden", "The request comes from another site" }, "origin_forbidden" },
	[GB_ERR_CSRF_FAILED] = { { 403, "csrf_failed", "The CSRF value is missing or wrong" }, "csrf_failed" },
	[GB_ERR_REGISTRATION_CLOSED] = { { 403, "registration_closed", "Registration is closed" }, "registration_closed" },
	[GB_ERR_EMAIL_UNVERIFIED] = { { 403, "email_unverified", "The e-mail address is not verified" }, "email_unverified" },
	[GB_ERR_GROUP_REQUIRED] = { { 403, "group_required", "A group membership is required" }, "group_required" },

	[GB_ERR_NOT_FOUND] = { { 404, "not_found", "Not found" }, "not_found" },
	[GB_ERR_METHOD_NOT_ALLOWED] = { { 405, "method_not_allowed", "Method not allowed" }, "method_not_allowed" },
	[GB_ERR_ACCOUNT_EXISTS] = { { 409, "account_exists", "An account with this address or name exists" }, "account_exists" },
	[GB_ERR_LENGTH_REQUIRED] = { { 411, "length_required", "A Content-Length is required" }, "length_required" },
	[GB_ERR_PAYLOAD_TOO_LARGE] = { { 413, "payload_too_large", "The body is too large" }, "payload_too_large" },
	[GB_ERR_UNSUPPORTED_MEDIA_TYPE] = { { 415, "unsupported_media_type", "Unsupported media type" }, "unsupported_media_type" },

	[GB_ERR_WEAK_PASSWORD] = { { 422, "weak_password", "The password is too weak" }, "weak_password" },
	[GB_ERR_PASSWORD_TOO_LONG] = { { 422, "password_too_long", "The password is too long" }, "password_too_long" },
	[GB_ERR_INVALID_EMAIL] = { { 422, "invalid_email", "The e-mail address is not valid" }, "invalid_email" },
	[GB_ERR_INVALID_USERNAME] = { { 422, "invalid_username", "The user name is not valid" }, "invalid_username" },

	[GB_ERR_RATE_LIMITED] = { { 429, "rate_limited", "Too many attempts, please wait" }, "rate_limited" },

	[GB_ERR_INTERNAL] = { { 500, "internal", "Internal error" }, "internal" },
	[GB_ERR_MISCONFIGURED] = { { 503, "internal", "The service is not configured" }, "misconfigured" },
	[GB_ERR_BUSY] = { { BUSY }, "busy" },
	[GB_ERR_MEMORY] = { { BUSY }, "memory" },
	[GB_ERR_CONFLICT] = { { BUSY }, "conflict" },
	[GB_ERR_STORE_UNAVAILABLE] = { { 503, "store_unavailable", "The store is unavailable" }, "store_unavailable" },
};

static enum gb_err
known(enum gb_err err)
{
	return err > GB_OK && err < GB_ERR__COUNT ? err : GB_ERR_INTERNAL;
}

const struct gb_error_row *
gb_error_row(enum gb_err err)
{
	return &errors[known(err)].row;
}

const char *
gb_error_cause(enum gb_err err)
{
	return errors[known(err)].cause;
}
