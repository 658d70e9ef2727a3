/*
 * crc32c - see crc32c.h.  The processor's own instruction where there is
 * one, else a table of eight bytes per step that is made at first use.
 */
#include "common/disk/crc32c.h"

#include <stdbool.h>
#include <string.h>

#include "common/core/pack.h"

#define POLYNOMIAL	0x82f63b78u	/* reflected */

static uint32_t		table[8][256];
static bool		table_made;

static void
make_table(void)
{
	uint32_t	c;
	int		i, k;

	for (i = 0; i < 256; i++) {
		c = (uint32_t)i;
		for (k = 0; k < 8; k++)
			c = (c & 1) != 0 ? c >> 1 ^ POLYNOMIAL : c >> 1;
		table[0][i] = c;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 8; k++) {
			c = table[k - 1][i];
			table[k][i] = c >> 8 ^ table[0][c & 0xff];
		}
	table_made = true;
}

uint32_t
crc32c_table(uint32_t crc, const void *from, size_t n)
{
	const unsigned char	*p = from;
	uint32_t		 lo, hi;

	if (!table_made)
		make_table();
	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		lo = get_u32(p) ^ crc;
		hi = get_u32(p + 4);
		crc = table[7][lo & 0xff] ^ table[6][lo >> 8 & 0xff] ^
		    table[5][lo >> 16 & 0xff] ^ table[4][lo >> 24] ^
		    table[3][hi & 0xff] ^ table[2][hi >> 8 & 0xff] ^
		    table[1][hi >> 16 & 0xff] ^ table[0][hi >> 24];
	}
	for (; n > 0; n--, p++)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
#include <nmmintrin.h>

__attribute__((target("sse4.2")))
static uint32_t
crc32c_sse42(uint32_t crc, const void *from, size_t n)
{
	const unsigned char	*p = from;
	uint64_t		 c = (uint32_t)~crc, v;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&v, p, 8);
		c = _mm_crc32_u64(c, v);
	}
	for (; n > 0; n--, p++)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return ~(uint32_t)c;
}

uint32_t
crc32c(uint32_t crc, const void *from, size_t n)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, from, n);
	return crc32c_table(crc, from, n);
}
#else
uint32_t
crc32c(uint32_t crc, const void *from, size_t n)
{
	return crc32c_table(crc, from, n);
}
#endif
