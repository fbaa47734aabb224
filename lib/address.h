/* SPDX-License-Identifier: MIT */
#ifndef GB_ADDRESS_H
#define GB_ADDRESS_H

#include <stdbool.h>

#include "arena.h"

/*
 * The address of the client, as text in its shortest form (an IPv4 address
 * within IPv6 as IPv4).
 *	trusted		TRUSTED_PROXIES: addresses and blocks ("10.0.0.0/8, ::1"); NULL: none
 *	remote		REMOTE_ADDR
 *	forwarded	X-Forwarded-For; NULL when not sent
 * It is `remote`, unless that is trusted: then the right-most address of
 * `forwarded` that is not (the left-most if all are). Something in `forwarded`
 * that is no address ends the search at what was found so far. "" when `remote` is no address;
 * NULL when there is no memory.
 */
const char *gb_address_of_client(const char *trusted, const char *remote, const char *forwarded,
    struct gb_arena *arena);

#endif
