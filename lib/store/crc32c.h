/* SPDX-License-Identifier: MIT */
#ifndef GB_CRC32C_H
#define GB_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli), continued from `crc` (0 to begin): by instruction where the processor has one. */
uint32_t gb_crc32c(uint32_t crc, const void *bytes, size_t len);

/* The same by table alone: what runs elsewhere; here for the test that compares both. */
uint32_t gb_crc32c_table(uint32_t crc, const void *bytes, size_t len);

#endif
