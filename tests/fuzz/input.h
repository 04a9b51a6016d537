/* SPDX-License-Identifier: GPL-2.0 */
/* Taking a fuzzer's input apart; after its end all is zero. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "platform.h"

struct input {
	const u8 *p;
	size_t left;
};

static inline void take(struct input *in, void *out, size_t len)
{
	size_t n = len < in->left ? len : in->left;

	memset(out, 0, len);
	if (n)
		memcpy(out, in->p, n);
	in->p += n;
	in->left -= n;
}

static inline u8 take_u8(struct input *in)
{
	u8 v;

	take(in, &v, sizeof(v));
	return v;
}

static inline u16 take_u16(struct input *in)
{
	__le16 v;

	take(in, &v, sizeof(v));
	return le16_to_cpu(v);
}

static inline u32 take_u32(struct input *in)
{
	__le32 v;

	take(in, &v, sizeof(v));
	return le32_to_cpu(v);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif
