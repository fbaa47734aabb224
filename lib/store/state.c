/* SPDX-License-Identifier: MIT */
/* state.c: whether the store can be used, and why not. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/engine.h"

enum gb_err
gb_engine_fail(struct gb_engine *engine, const char *format, ...)
{
	int error = errno;
	va_list args;
	size_t len;

	va_start(args, format);
	vsnprintf(engine->reason, sizeof engine->reason, format, args);
	va_end(args);
	len = strlen(engine->reason);
	if (error != 0)
		snprintf(engine->reason + len, sizeof engine->reason - len, " (%s)", strerror(error));
	return GB_ERR_STORE_UNAVAILABLE;
}

bool
gb_engine_ready(const struct gb_engine *engine)
{
	return atomic_load(&engine->control->state) == GB_ENGINE_READY;
}

enum gb_err
gb_engine_damaged(struct gb_engine *engine, const char *what)
{
	enum gb_err err = gb_engine_fail(engine, "%s; run guardbee store check, or restore a backup", what);

	atomic_store(&engine->control->state, GB_ENGINE_DAMAGED);
	return err;
}
