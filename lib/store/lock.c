/* SPDX-License-Identifier: MIT */
/* lock.c: byte locks that belong to the open file (OFD), waited for by futex with an end. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/engine.h"

#define PRESENCE_BYTE	2		/* shared, as long as the store is open */
#define SYNC_BYTE	3		/* the first of the places to flush from */
#define SYNC_PLACES	2		/* with 4 the flushes get in each other's way; 1 is no faster, and longer to wait for */
#define NAP_NS		3000000		/* a killed holder wakes nobody */

static bool
lock_byte(int fd, int byte, short type)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
	int r;

	do
		r = fcntl(fd, F_OFD_SETLK, &range);
	while (r != 0 && errno == EINTR);
	return r == 0;
}

uint64_t
gb_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool
gb_lock_try(struct gb_engine *engine, enum gb_lock lock)
{
	return lock_byte(engine->control_fd, (int)lock, F_WRLCK);
}

bool
gb_lock_wait(struct gb_engine *engine, enum gb_lock lock, uint32_t seen)
{
	struct timespec nap = { .tv_nsec = NAP_NS };

	return syscall(SYS_futex, &engine->control->lock_words[lock], FUTEX_WAIT, seen, &nap, NULL, 0) == 0 ||
	    errno != ETIMEDOUT;
}

/* Two flushes may overlap: who comes while one runs need not wait for its end before the own begins. */
bool
gb_lock_try_sync(struct gb_engine *engine)
{
	for (int place = 0; place < SYNC_PLACES; place++)
		if (lock_byte(engine->control_fd, SYNC_BYTE + place, F_WRLCK)) {
			engine->sync_place = SYNC_BYTE + place;
			return true;
		}
	return false;
}

void
gb_lock_release_sync(struct gb_engine *engine)
{
	lock_byte(engine->control_fd, engine->sync_place, F_UNLCK);
}

/* Who had to wait says on taking the lock that others may wait too: each release wakes one. */
enum gb_err
gb_lock_take(struct gb_engine *engine, enum gb_lock lock)
{
	struct gb_control *control = engine->control;
	uint64_t until = 0;

	if (gb_lock_try(engine, lock))
		return GB_OK;
	for (;;) {
		uint32_t seen = atomic_load(&control->lock_words[lock]);

		atomic_store(&control->lock_wanted[lock], 1);
		if (gb_lock_try(engine, lock))
			return GB_OK;
		if (errno != EAGAIN && errno != EACCES)
			return gb_engine_fail(engine, "store.control: cannot lock");
		if (until == 0)
			until = gb_clock_ms() + GB_LOCK_WAIT_MS;
		else if (gb_clock_ms() > until)
			return gb_engine_fail(engine, "store.control: another process holds the lock for too long");
		gb_lock_wait(engine, lock, seen);
	}
}

/* Those who wait for a flush wait for its result: all of them wake. */
void
gb_lock_release(struct gb_engine *engine, enum gb_lock lock)
{
	struct gb_control *control = engine->control;

	lock_byte(engine->control_fd, (int)lock, F_UNLCK);
	if (atomic_load(&control->lock_wanted[lock]) == 0)
		return;
	atomic_store(&control->lock_wanted[lock], 0);
	atomic_fetch_add(&control->lock_words[lock], 1);
	syscall(SYS_futex, &control->lock_words[lock], FUTEX_WAKE, lock == GB_LOCK_FLUSH ? 1 << 20 : 1,
	    NULL, NULL, 0);
}

/* Ends with the shared lock in either case. */
bool
gb_lock_alone(struct gb_engine *engine)
{
	bool alone = lock_byte(engine->control_fd, PRESENCE_BYTE, F_WRLCK);

	lock_byte(engine->control_fd, PRESENCE_BYTE, F_RDLCK);
	return alone;
}
