/* SPDX-License-Identifier: MIT */
/* password.c: Argon2id hashes, a bounded number at once over all processes. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "foreign.h"
#include "password.h"

#define SLOTS_NAME	"slots.lock"
#define WAIT_MS		2000		/* for a slot; longer queues only make everybody late */
#define POLL_MIN_US	2000
#define POLL_SPAN_US	6000

/* Bounds of stored hashes: a hostile or foreign record must not take the machine's memory or minutes. */
#define MEMORY_MAX_KIB	(1u << 20)
#define PASSES_MAX	10u
#define LANES_MAX	16u
#define SALT_MIN	8u		/* bytes */
#define TAG_MIN		16u
#define PART_MAX	64u

#define DJANGO		"argon2"	/* before the PHC string */

/* A PHC string taken apart. */
struct phc {
	bool is_argon2i;		/* a foreign one: we make Argon2id */
	uint32_t memory_kib, passes, lanes;
	unsigned char salt[PART_MAX], tag[PART_MAX];
	size_t salt_len, tag_len;
};

static int64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One try at each slot. 1: locked; 0: all are taken; -1: locks do not work here. */
static int
slots_try(int fd, unsigned slots)
{
	unsigned first = randombytes_uniform(slots);

	for (unsigned i = 0; i < slots; i++) {
		struct flock lock = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (first + i) % slots, .l_len = 1,
		};

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return 1;
		if (errno != EAGAIN && errno != EACCES)
			return -1;
	}
	return 0;
}

/* Takes a slot; *fd holds it until it is closed, or its process dies. */
static enum gb_err
slot_take(const struct gb_config *config, const struct gb_state *state, int *fd)
{
	int64_t until = clock_ms() + WAIT_MS;
	int taken;

	*fd = openat(gb_state_fd(state), SLOTS_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return GB_ERR_STORE_UNAVAILABLE;
	while ((taken = slots_try(*fd, (unsigned)config->hash_slots)) == 0 && clock_ms() < until) {
		struct timespec pause = { 0, (long)(POLL_MIN_US + randombytes_uniform(POLL_SPAN_US)) * 1000 };

		nanosleep(&pause, NULL);
	}
	if (taken == 1)
		return GB_OK;
	close(*fd);
	return taken == 0 ? GB_ERR_BUSY : GB_ERR_STORE_UNAVAILABLE;
}

/* Steps over `literal`; false if it does not stand there. */
static bool
step_over(const char **at, const char *literal)
{
	size_t len = strlen(literal);

	if (strncmp(*at, literal, len) != 0)
		return false;
	*at += len;
	return true;
}

/* `literal`, then a decimal number from 1. */
static bool
read_number(const char **at, const char *literal, uint32_t *number)
{
	uint64_t n = 0;

	if (!step_over(at, literal) || **at == '0')
		return false;
	for (; **at >= '0' && **at <= '9' && n <= UINT32_MAX; ++*at)
		n = n * 10 + (unsigned)(**at - '0');
	*number = (uint32_t)n;
	return n >= 1 && n <= UINT32_MAX;
}

/* "$" and base64 without padding: salt or tag. */
static bool
read_part(const char **at, size_t len_min, unsigned char part[static PART_MAX], size_t *len)
{
	if (!step_over(at, "$"))
		return false;
	return sodium_base642bin(part, PART_MAX, *at, strcspn(*at, "$"), NULL, len, at,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 && *len >= len_min;
}

/* False for another form than Argon2's. */
static bool
phc_read(const char *hash, struct phc *phc)
{
	phc->is_argon2i = step_over(&hash, "$argon2i$");
	return (phc->is_argon2i || step_over(&hash, "$argon2id$")) &&
	    read_number(&hash, "v=19$m=", &phc->memory_kib) &&
	    read_number(&hash, ",t=", &phc->passes) &&
	    read_number(&hash, ",p=", &phc->lanes) &&
	    phc->memory_kib / 8 >= phc->lanes &&
	    read_part(&hash, SALT_MIN, phc->salt, &phc->salt_len) &&
	    read_part(&hash, TAG_MIN, phc->tag, &phc->tag_len) && *hash == '\0';
}

static bool
phc_in_bounds(const struct phc *phc)
{
	return phc->memory_kib <= MEMORY_MAX_KIB && phc->passes <= PASSES_MAX && phc->lanes <= LANES_MAX;
}

/* Where Django's name stands before a PHC string, the string. */
static const char *
phc_of(const char *stored_hash)
{
	return strncmp(stored_hash, DJANGO "$argon2", strlen(DJANGO "$argon2")) == 0 ? stored_hash + strlen(DJANGO)
	    : stored_hash;
}

/* Could this much be had just now? */
static bool
memory_there(uint32_t memory_kib)
{
	size_t len = (size_t)memory_kib * 1024 + 65536;
	void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory != MAP_FAILED && munmap(memory, len) == 0;
}

/*
 * libsodium's own verify calls a hash that found no memory a mismatch. So the tag is
 * worked out and compared here; that call takes one lane and salts of 16 bytes only,
 * foreign hashes go through the other and are believed where the memory was there.
 */
static enum gb_err
tag_compare(const struct phc *phc, const char *stored_hash, const char *password, size_t len)
{
	unsigned char tag[PART_MAX];
	bool equal;

	if (phc->is_argon2i || phc->lanes != 1 || phc->salt_len != crypto_pwhash_SALTBYTES) {
		if (!memory_there(phc->memory_kib))
			return GB_ERR_BUSY;
		if (crypto_pwhash_str_verify(stored_hash, password, len) == 0)
			return GB_OK;
		return memory_there(phc->memory_kib) ? GB_ERR_INVALID_CREDENTIALS : GB_ERR_BUSY;
	}
	if (crypto_pwhash(tag, phc->tag_len, password, len, phc->salt, phc->passes,
	    (size_t)phc->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return GB_ERR_BUSY;
	equal = sodium_memcmp(tag, phc->tag, phc->tag_len) == 0;
	sodium_memzero(tag, sizeof tag);
	return equal ? GB_OK : GB_ERR_INVALID_CREDENTIALS;
}

void
gb_password_of_nobody(const struct gb_config *config, char hash[static GB_PASSWORD_HASH_SIZE])
{
	unsigned char salt[16], tag[32];
	char salt_text[23], tag_text[44];

	randombytes_buf(salt, sizeof salt);
	randombytes_buf(tag, sizeof tag);
	sodium_bin2base64(salt_text, sizeof salt_text, salt, sizeof salt, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	sodium_bin2base64(tag_text, sizeof tag_text, tag, sizeof tag, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	snprintf(hash, GB_PASSWORD_HASH_SIZE, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s",
	    (unsigned)config->argon2_memory_cost, (unsigned)config->argon2_time_cost, salt_text, tag_text);
}

enum gb_err
gb_password_hash(const struct gb_config *config, const struct gb_state *state, const char *password,
    char *hash, size_t hash_max)
{
	size_t len = strlen(password);
	int slot, failed;
	enum gb_err err;

	hash[0] = '\0';
	if (len > GB_PASSWORD_MAX)
		return GB_ERR_PASSWORD_TOO_LONG;
	if (hash_max < crypto_pwhash_STRBYTES)
		return GB_ERR_INTERNAL;
	if ((err = slot_take(config, state, &slot)) != GB_OK)
		return err;
	failed = crypto_pwhash_str_alg(hash, password, len, (unsigned long long)config->argon2_time_cost,
	    (size_t)config->argon2_memory_cost * 1024, crypto_pwhash_ALG_ARGON2ID13);
	close(slot);
	return failed ? GB_ERR_BUSY : GB_OK;
}

/* The hash that is stored, of whatever form. */
static enum gb_err
stored_verify(const char *stored_hash, const char *password, size_t len)
{
	struct phc phc;
	enum gb_err err;

	if (phc_read(stored_hash, &phc))
		err = phc_in_bounds(&phc) ? tag_compare(&phc, stored_hash, password, len) : GB_ERR_STORE_UNAVAILABLE;
	else
		err = gb_foreign_verify(stored_hash, password);
	sodium_memzero(&phc, sizeof phc);
	return err;
}

enum gb_err
gb_password_verify(const struct gb_config *config, const struct gb_state *state,
    const char *stored_hash, const char *password)
{
	char nobody[GB_PASSWORD_HASH_SIZE];
	size_t len = strlen(password);
	bool known = stored_hash != NULL && len <= GB_PASSWORD_MAX;
	int slot;
	enum gb_err err = GB_ERR_INVALID_CREDENTIALS;

	if (known && (err = gb_password_check(stored_hash)) != GB_OK)
		return GB_ERR_STORE_UNAVAILABLE;
	if ((err = slot_take(config, state, &slot)) != GB_OK)
		return err;
	err = known ? stored_verify(phc_of(stored_hash), password, len) : GB_ERR_INVALID_CREDENTIALS;
	if (err == GB_ERR_INVALID_CREDENTIALS && (!known || gb_password_needs_rehash(config, stored_hash))) {
		gb_password_of_nobody(config, nobody);
		err = stored_verify(nobody, password, len > GB_PASSWORD_MAX ? GB_PASSWORD_MAX : len);
		err = err == GB_OK ? GB_ERR_INVALID_CREDENTIALS : err;	/* nobody's password lets nobody in */
	}
	close(slot);
	return err;
}

bool
gb_password_needs_rehash(const struct gb_config *config, const char *stored_hash)
{
	struct phc phc;
	bool current = phc_read(stored_hash, &phc) && !phc.is_argon2i && phc.lanes == 1 &&
	    phc.memory_kib == (uint64_t)config->argon2_memory_cost && phc.passes == (uint64_t)config->argon2_time_cost;

	sodium_memzero(&phc, sizeof phc);
	return !current;
}

enum gb_err
gb_password_check(const char *stored_hash)
{
	struct phc phc;
	enum gb_err err;

	if (phc_read(phc_of(stored_hash), &phc))
		err = phc_in_bounds(&phc) ? GB_OK : GB_ERR_INVALID_FIELD;
	else if (strncmp(phc_of(stored_hash), "$argon2i", strlen("$argon2i")) == 0)
		err = GB_ERR_MALFORMED;
	else
		err = gb_foreign_check(stored_hash);
	sodium_memzero(&phc, sizeof phc);
	return err;
}
