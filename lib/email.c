/* SPDX-License-Identifier: MIT */
/* email.c: spelling of addresses and user names. */
#include <string.h>

#include "user.h"

#define EMAIL_MIN	3
#define LOCAL_MAX	64		/* RFC 5321 s4.5.3.1.1 */
#define LABEL_MAX	63		/* RFC 1035 s2.3.4 */
#define USERNAME_MIN	3

#define LETTERS	"abcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

/* False if it is longer than max, or not ASCII; `lower` is "" then. */
static bool
lower_ascii(const char *typed, size_t max, char *lower)
{
	size_t len = strnlen(typed, max + 1);

	lower[0] = '\0';
	if (len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)typed[i] > 0x7e)
			return false;
	for (size_t i = 0; i <= len; i++)
		lower[i] = (char)(typed[i] >= 'A' && typed[i] <= 'Z' ? typed[i] - 'A' + 'a' : typed[i]);
	return true;
}

/*
 * A dot-atom (RFC 5322 s3.2.3) up to the @. One that begins with a dash could be
 * taken for an option by a program that is given it.
 */
static bool
local_ok(const char *local, size_t len)
{
	if (len < 1 || len > LOCAL_MAX || local[0] == '-' || local[0] == '.' || local[len - 1] == '.')
		return false;
	for (size_t i = 0; i + 1 < len; i++)
		if (local[i] == '.' && local[i + 1] == '.')
			return false;
	return strspn(local, LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~.") == len;
}

static bool
label_ok(const char *label, size_t len)
{
	return len >= 1 && len <= LABEL_MAX && label[0] != '-' && label[len - 1] != '-' &&
	    strspn(label, LETTERS DIGITS "-") >= len;
}

/* Two labels or more; the last is no number, as that of an IPv4 address would be. */
static bool
domain_ok(const char *domain)
{
	size_t labels = 0, len;

	for (;; domain += len + 1) {
		len = strcspn(domain, ".");
		if (!label_ok(domain, len))
			return false;
		labels++;
		if (domain[len] == '\0')
			return labels >= 2 && strspn(domain, DIGITS) < len;
	}
}

enum gb_err
gb_email_parse(const char *typed, char email[static GB_EMAIL_MAX + 1])
{
	const char *at;

	if (lower_ascii(typed, GB_EMAIL_MAX, email) && strlen(email) >= EMAIL_MIN &&
	    (at = strchr(email, '@')) != NULL && local_ok(email, (size_t)(at - email)) && domain_ok(at + 1))
		return GB_OK;
	email[0] = '\0';
	return GB_ERR_INVALID_EMAIL;
}

enum gb_err
gb_username_canonical(const char *typed, char username[static GB_USERNAME_MAX + 1])
{
	if (lower_ascii(typed, GB_USERNAME_MAX, username)) {
		size_t len = strlen(username);

		if (len >= USERNAME_MIN && strspn(username, LETTERS) > 0 &&
		    strspn(username, LETTERS DIGITS "._-") == len)
			return GB_OK;
	}
	username[0] = '\0';
	return GB_ERR_INVALID_USERNAME;
}

static bool
is_reserved(const char *words, const char *username)
{
	size_t len;

	for (; words != NULL && *words != '\0'; words += len) {
		words += strspn(words, " ,");
		len = strcspn(words, " ,");
		if (len > 0 && strlen(username) == len && strncasecmp(words, username, len) == 0)
			return true;
	}
	return false;
}

enum gb_err
gb_username_parse(const struct gb_config *config, const char *typed,
    char username[static GB_USERNAME_MAX + 1])
{
	enum gb_err err = gb_username_canonical(typed, username);

	if (err == GB_OK && is_reserved(config->reserved_usernames, username)) {
		username[0] = '\0';
		err = GB_ERR_INVALID_USERNAME;
	}
	return err;
}
