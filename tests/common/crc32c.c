// SPDX-License-Identifier: GPL-2.0
/*
 * crc32c (Castagnoli) for programs that embed the core: the processor's
 * instruction where there is one, else eight tables.
 */
#include "platform.h"

#define POLY	0x82f63b78U	/* reflected */

static u32 table[8][256];

__attribute__((constructor))
static void make_table(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (int k = 0; k < 8; k++)
			c = (c >> 1) ^ (c & 1 ? POLY : 0);
		table[0][i] = c;
	}
	for (u32 i = 0; i < 256; i++) {
		for (int t = 1; t < 8; t++) {
			u32 c = table[t - 1][i];

			table[t][i] = (c >> 8) ^ table[0][c & 0xff];
		}
	}
}

static u32 crc_table(u32 crc, const u8 *p, size_t len)
{
	while (len >= 8) {
		u64 v;

		memcpy(&v, p, 8);
		v = le64toh(v) ^ crc;
		crc = table[7][v & 0xff] ^ table[6][v >> 8 & 0xff] ^
		      table[5][v >> 16 & 0xff] ^ table[4][v >> 24 & 0xff] ^
		      table[3][v >> 32 & 0xff] ^ table[2][v >> 40 & 0xff] ^
		      table[1][v >> 48 & 0xff] ^ table[0][v >> 56];
		p += 8;
		len -= 8;
	}
	while (len--)
		crc = table[0][(crc ^ *p++) & 0xff] ^ (crc >> 8);
	return crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2")))
static u32 crc_sse42(u32 crc, const u8 *p, size_t len)
{
	u64 c = crc;

	while (len >= 8) {
		u64 v;

		memcpy(&v, p, 8);
		c = __builtin_ia32_crc32di(c, v);
		p += 8;
		len -= 8;
	}
	crc = (u32)c;
	while (len--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}

u32 repl_crc32c(const void *data, size_t len)
{
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc_sse42(~0U, data, len);
	return ~crc_table(~0U, data, len);
}

#else

u32 repl_crc32c(const void *data, size_t len)
{
	return ~crc_table(~0U, data, len);
}

#endif
