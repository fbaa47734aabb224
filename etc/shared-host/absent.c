/* SPDX-License-Identifier: MIT */
/*
 * absent.c: what a static program must never do, refused: loading a library or a name service of the
 * host would bring another libc into the process. Nothing of ours needs it: libcrypto is linked in.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>

/* --wrap=dlopen: under its own name the linker warns of what is not there. */
void *__wrap_dlopen(const char *file, int mode);

void *
__wrap_dlopen(const char *file, int mode)
{
	(void)file, (void)mode;
	return NULL;
}

void *
dlsym(void *restrict handle, const char *restrict name)
{
	(void)handle, (void)name;
	return NULL;
}

int
dlclose(void *handle)
{
	(void)handle;
	return -1;
}

int
dladdr(const void *address, Dl_info *info)
{
	(void)address, (void)info;
	return 0;
}

char *
dlerror(void)
{
	static char text[] = "a self-contained program loads no library";

	return text;
}

int
getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
    struct addrinfo **restrict result)
{
	(void)node, (void)service, (void)hints, (void)result;
	return EAI_FAIL;
}

void
freeaddrinfo(struct addrinfo *result)
{
	(void)result;
}

int
getnameinfo(const struct sockaddr *restrict address, socklen_t address_len, char *restrict host, socklen_t host_len,
    char *restrict service, socklen_t service_len, int flags)
{
	(void)address, (void)address_len, (void)host, (void)host_len, (void)service, (void)service_len, (void)flags;
	return EAI_FAIL;
}

struct hostent *
gethostbyname(const char *name)
{
	(void)name;
	return NULL;
}
