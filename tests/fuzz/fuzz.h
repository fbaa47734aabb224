/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Called by libFuzzer with each input; what must hold is demanded, everything else is the sanitizers'. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(condition) ((condition) ? (void)0 : abort())

#endif
