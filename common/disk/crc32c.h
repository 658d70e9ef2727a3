/*
 * crc32c - the Castagnoli checksum (RFC 3720 appendix B.4 has vectors).
 *
 * Detects what disks and power cuts do to bytes; no defence against people.
 * Start with 0; the result of one piece is the start of the next.  Pure.
 */
#ifndef DISK_CRC32C_H
#define DISK_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t	crc32c(uint32_t, const void *, size_t);

/* The portable way that crc32c takes where the processor has none. */
uint32_t	crc32c_table(uint32_t, const void *, size_t);

#endif
