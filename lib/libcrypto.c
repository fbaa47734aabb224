/* SPDX-License-Identifier: MIT */
/* libcrypto.c: dlopen, and each function by its name; a self-contained program has them all in it. */
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "libcrypto.h"

#ifdef GB_STATIC

static bool
find_all(struct gb_libcrypto *libcrypto)
{
#define TAKE(name) libcrypto->name = name;
	GB_LIBCRYPTO_FUNCTIONS(TAKE)
#undef TAKE
	return true;
}

#else

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define ROW(name) { #name, offsetof(struct gb_libcrypto, name) },
	GB_LIBCRYPTO_FUNCTIONS(ROW)
#undef ROW
};

static bool
find_all(struct gb_libcrypto *libcrypto)
{
	void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		return false;
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *function = dlsym(library, functions[i].name);

		if (function == NULL)
			return false;
		memcpy((char *)libcrypto + functions[i].offset, &function, sizeof function);
	}
	return true;
}

#endif

/* Without openssl.cnf: it takes 550 us to read, and a host's file shall not choose our algorithms. */
static bool
load(struct gb_libcrypto *libcrypto)
{
	return find_all(libcrypto) && libcrypto->OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1;
}

const struct gb_libcrypto *
gb_libcrypto(void)
{
	static struct gb_libcrypto libcrypto;
	static enum { UNTRIED, LOADED, ABSENT } state;

	if (state == UNTRIED)
		state = load(&libcrypto) ? LOADED : ABSENT;
	return state == LOADED ? &libcrypto : NULL;
}

bool
gb_libcrypto_lacked_memory(void)
{
	unsigned long error;
	bool lacked = false;

	while ((error = gb_libcrypto()->ERR_get_error()) != 0)
		lacked = lacked || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
	return lacked;
}
