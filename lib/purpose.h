/* SPDX-License-Identifier: MIT */
#ifndef GB_PURPOSE_H
#define GB_PURPOSE_H

/*
 * What a token is for. Its purpose decides its key, so that no token passes at
 * another purpose's door (design, "Keys").
 */
enum gb_purpose {
	GB_PURPOSE_ACCESS,
	GB_PURPOSE_REFRESH,
	GB_PURPOSE_RESET,
	GB_PURPOSE_VERIFY_EMAIL,
	GB_PURPOSE_CHANGE_EMAIL,
	GB_PURPOSE__COUNT
};

/* "access", "refresh", "reset", "verify-email", "change-email": the claim "type". */
const char *gb_purpose_name(enum gb_purpose purpose);

/* What a program may hold (least privilege: verify, me and jwks cannot read a private key of a pair). */
enum gb_keyring_access { GB_KEYS_VERIFY, GB_KEYS_SIGN };

#endif
