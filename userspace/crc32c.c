// SPDX-License-Identifier: GPL-2.0-only
/*
 * crc32c for the metadata code: a superblock or two in a run, so short rather
 * than fast.
 */
#include "meta.h"

u32 repl_crc32c(const void *data, size_t len)
{
	const u8 *p = data;
	u32 crc = ~0U;
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return ~crc;
}
