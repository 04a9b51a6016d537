// SPDX-License-Identifier: GPL-2.0
/* Packet headers and hellos: only what makes sense gets through. */
#include "shell.h"
#include "tap.h"

static enum repl_stream stream_of(u8 type)
{
	struct repl_wire_hdr h = { .type = type };

	repl_wire_seal(&h, 0);
	return repl_wire_check(&h, REPL_STREAM_DATA) == WIRE_BAD_STREAM ?
	       REPL_STREAM_CTRL : REPL_STREAM_DATA;
}

/* A header of @type that is accepted. */
static void good(struct repl_wire_hdr *h, u8 type)
{
	u32 len;

	memset(h, 0, sizeof(*h));
	h->type = type;
	h->size = cpu_to_le32(4096);
	for (len = 0; len <= 4096; len++) {
		h->length = cpu_to_le32(len);
		repl_wire_seal(h, 0);
		if (repl_wire_check(h, stream_of(type)) == WIRE_OK)
			return;
	}
	CHECK(false, "type %d is never accepted", type);
}

static enum repl_wire_error check(struct repl_wire_hdr *h)
{
	repl_wire_seal(h, 0);
	return repl_wire_check(h, stream_of(h->type));
}

static void types(void)
{
	struct repl_wire_hdr h;
	int t;

	for (t = 0; t < 256; t++) {
		if (t > PKT_NONE && t < PKT_TYPES) {
			good(&h, t);
			CHECK(repl_wire_check(&h, !stream_of(t)) ==
			      WIRE_BAD_STREAM, "type %d", t);
			continue;
		}
		memset(&h, 0, sizeof(h));
		h.type = t;
		CHECK(check(&h) == WIRE_BAD_TYPE, "type %d", t);
	}
}

static void fields(void)
{
	struct repl_wire_hdr h;
	int t;

	for (t = PKT_NONE + 1; t < PKT_TYPES; t++) {
		good(&h, t);
		h.flags = REPL_HDR_TRIAL;
		CHECK((check(&h) == WIRE_BAD_FIELD) ==
		      (t != PKT_VOTE && t != PKT_VOTE_REQ), "type %d", t);
		good(&h, t);
		h.pad = 1;
		CHECK(check(&h) == WIRE_BAD_FIELD, "type %d", t);
		good(&h, t);
		h.sector = cpu_to_le64(1ULL << 55);
		CHECK(check(&h) == WIRE_BAD_FIELD, "type %d", t);
		h.sector = cpu_to_le64((1ULL << 55) - 1);
		CHECK(check(&h) == WIRE_OK, "type %d", t);
		good(&h, t);
		h.magic ^= 1;
		CHECK(repl_wire_check(&h, stream_of(t)) == WIRE_BAD_MAGIC);
	}
}

/* No length that would make a receiver read or allocate without bound. */
static void lengths(void)
{
	static const u32 sizes[] = {
		0, 1, 511, 512, 513, 4096, REPL_MAX_DATA - 512, REPL_MAX_DATA,
		REPL_MAX_DATA + 512, EXTENT_BYTES, EXTENT_BYTES + 512, ~0U - 511, ~0U,
	};
	struct repl_wire_hdr h;
	u32 i, k, max_len, max_size;
	int t;

	for (t = PKT_NONE + 1; t < PKT_TYPES; t++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			for (k = 0; k < ARRAY_SIZE(sizes) * 2; k++) {
				good(&h, t);
				h.flags = k & 1 ? REPL_HDR_DIGEST : 0;
				h.size = cpu_to_le32(sizes[i]);
				h.length = cpu_to_le32(sizes[k / 2]);
				if (check(&h))
					continue;
				max_len = repl_wire_has_data(t) ? REPL_MAX_DATA : REPL_MAX_INLINE;
				max_size = t == PKT_DISCARD || t == PKT_ZEROES ?
					   EXTENT_BYTES : REPL_MAX_DATA;
				CHECK(sizes[k / 2] <= max_len, "type %d", t);
				CHECK(repl_rx_room(&h) <= REPL_MAX_DATA);
				if (!repl_rx_needs_io(t) || t == PKT_FLUSH)
					continue;
				CHECK(sizes[i] && sizes[i] % 512 == 0 &&
				      sizes[i] <= max_size, "type %d size %u", t, sizes[i]);
				if (repl_wire_has_data(t))
					CHECK(sizes[i] == sizes[k / 2]);
			}
}

static void every_bit(void)
{
	struct repl_wire_hdr h;
	u32 bit;
	int t;

	for (t = PKT_NONE + 1; t < PKT_TYPES; t++) {
		good(&h, t);
		for (bit = 0; bit < sizeof(h) * 8; bit++) {
			((u8 *)&h)[bit / 8] ^= 1 << bit % 8;
			CHECK(repl_wire_check(&h, stream_of(t)) != WIRE_OK,
			      "type %d bit %u", t, bit);
			((u8 *)&h)[bit / 8] ^= 1 << bit % 8;
		}
	}
}

static void noise(void)
{
	struct repl_wire_hdr h;
	u32 i, k, crc;

	fake_seed(5);
	for (i = 0; i < 1000000; i++) {
		for (k = 0; k < sizeof(h) / 8; k++)
			((u64 *)&h)[k] = fake_rand();
		if (i & 1) {
			h.magic = cpu_to_le16(REPL_WIRE_MAGIC);
			h.type %= PKT_TYPES;
			h.length = cpu_to_le32(0);
		}
		crc = repl_crc32c((u8 *)&h + 4, sizeof(h) - 4);
		if (le32_to_cpu(h.hcrc) == crc)
			continue;
		CHECK(repl_wire_check(&h, i & 2 ? REPL_STREAM_CTRL : REPL_STREAM_DATA));
	}
}

static void texts(void)
{
	int e;

	for (e = WIRE_OK; e <= WIRE_AUTH_FAILED; e++) {
		CHECK(repl_wire_text(e), "%d", e);
		CHECK(strcmp(repl_wire_text(e), "unknown error"), "%d", e);
	}
	CHECK(!strcmp(repl_wire_text(999), "unknown error"));
	CHECK(!strcmp(repl_wire_text(-1), "unknown error"));
}

/* The standard's check value, so that both shells mean the same crc. */
static void crc(void)
{
	CHECK(repl_crc32c("123456789", 9) == 0xe3069283);
}

int main(void)
{
	RUN(types);
	RUN(fields);
	RUN(lengths);
	RUN(every_bit);
	RUN(noise);
	RUN(texts);
	RUN(crc);
	return tap_end();
}
