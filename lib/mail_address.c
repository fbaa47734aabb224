/* SPDX-License-Identifier: MIT */
/* mail_address.c: the address mails come from, and what is fit to be one. */
#include <string.h>

#include "mail.h"

#define ADDRESS_MIN 3
#define ADDRESS_MAX 254

/*
 * What may stand in a header and on a command line as it is: the transports, libcurl among them,
 * pass an address on byte for byte, so that a line end in it would be a command of its own.
 */
bool
gb_mail_address_ok(const char *address)
{
	size_t len = strnlen(address, ADDRESS_MAX + 1);
	const char *at = strchr(address, '@');

	if (len < ADDRESS_MIN || len > ADDRESS_MAX || at == NULL || at == address || at[1] == '\0' ||
	    strchr(at + 1, '@') != NULL || address[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (address[i] <= 0x20 || address[i] > 0x7e || strchr("()<>[]:;,\\\"", address[i]) != NULL)
			return false;
	return true;
}

const char *
gb_mail_sender(const struct gb_config *config)
{
	return config->mail_from != NULL ? config->mail_from : "guardbee@localhost";
}
