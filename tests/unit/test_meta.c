// SPDX-License-Identifier: GPL-2.0
/* Metadata: layout for all sizes, and what is taken for a superblock. */
#include "meta.h"
#include "shell.h"
#include "tap.h"

#define KIB	(1ULL << 10)
#define MIB	(1ULL << 20)
#define GIB	(1ULL << 30)
#define TIB	(1ULL << 40)

static u8 copy[2][META_SB_SIZE];

/* ---- layout ---- */

static bool sane(u64 data, u64 meta, u32 slots, const struct meta_geom *g)
{
	u64 dev = meta ? meta : data;
	u64 sectors = g->max_sectors;

	return g->area % META_BLOCK == 0 && g->area + g->area_bytes <= dev &&
	       g->area + g->sb_off == meta_sb_offset(dev) &&
	       g->l1_off >= META_AL_BLOCKS * META_BLOCK &&
	       g->rec_off >= g->l1_off +
			     DIV_ROUND_UP(g->chunks, META_L1_PER_SECTOR) *
			     (u64)SECTOR_BYTES &&
	       g->rec_off % META_BLOCK == 0 &&
	       g->sb_off >= g->rec_off + (u64)g->extents * g->rec_size &&
	       g->area_bytes == g->sb_off + 2 * META_SB_SIZE &&
	       g->rec_size >= 512 && g->rec_size <= META_BLOCK &&
	       META_BLOCK % g->rec_size == 0 &&
	       g->rec_size >= sizeof(struct meta_rec) + slots * EXTENT_MAP_BYTES &&
	       sectors && (u64)g->extents * EXTENT_SECTORS >= sectors &&
	       (u64)g->chunks * CHUNK_EXTENTS >= g->extents &&
	       sectors * SECTOR_BYTES <= (meta ? data : g->area);
}

/* What create-md makes is what attach accepts, with the same layout. */
static void accepted(u64 data, u64 meta, u32 slots, const struct meta_geom *g)
{
	struct meta_create c = { .slots = slots, .lbs = 512, .replica = 5,
				 .external = meta };
	const struct meta_sb *sb;
	struct meta_geom g2 = { 0 };
	enum meta_error e;

	meta_sb_new(copy[0], g, &c);
	memcpy(copy[1], copy[0], META_SB_SIZE);
	e = meta_sb_pick(copy[0], copy[1], data, meta, &sb, &g2);
	CHECK(e == META_OK, "%llu of data, %llu of metadata, %u slots: %s",
	      (unsigned long long)data, (unsigned long long)meta, slots,
	      meta_text(e));
	if (!e)
		CHECK(!memcmp(g, &g2, sizeof(g2)));
}

static void one_layout(u64 data, u64 meta, u32 slots)
{
	struct meta_geom g = { 0 };
	enum meta_error e = meta_layout(data, meta, slots, &g);

	if (e) {
		CHECK(e == META_TOO_SMALL);
		CHECK(data < 2 * MIB || (meta && meta < 16 * GIB),
		      "%llu %llu: %s", (unsigned long long)data,
		      (unsigned long long)meta, meta_text(e));
		return;
	}
	CHECK(sane(data, meta, slots, &g), "%llu of data, %llu of metadata, %u slots",
	      (unsigned long long)data, (unsigned long long)meta, slots);
	accepted(data, meta, slots, &g);
	/* Little is lost to the metadata: an extent costs one record. */
	if (!meta)
		CHECK(g.max_sectors * SECTOR_BYTES + data / 1000 + MIB > data);
}

static void layouts(void)
{
	static const u64 base[] = {
		4 * KIB, 128 * KIB, 152 * KIB, 156 * KIB, 160 * KIB, MIB,
		4 * MIB, 8 * MIB, 100 * MIB, GIB, 62 * GIB, 1000 * GIB, TIB,
		16 * TIB,
	};
	static const u32 slots[] = { 1, 2, 3, 4, 7, 8, 15, 16, 31 };
	u32 i, k, n;

	fake_seed(3);
	for (i = 0; i < ARRAY_SIZE(base); i++)
		for (k = 0; k < ARRAY_SIZE(slots); k++) {
			one_layout(base[i], 0, slots[k]);
			one_layout(base[i] + 511, 0, slots[k]);
			one_layout(base[i] - 512, 0, slots[k]);
			one_layout(base[i], 32 * MIB, slots[k]);
			one_layout(base[i], 17 * GIB, slots[k]);
		}
	for (n = 0; n < 20000; n++)
		one_layout(fake_rand() >> (20 + fake_rand() % 26), 0,
			   slots[fake_rand() % ARRAY_SIZE(slots)]);
}

/* An extent more or less changes the size of the area: every border. */
static void layout_borders(void)
{
	u64 size;

	for (size = 150 * KIB; size < 24 * MIB; size += 4 * KIB) {
		one_layout(size, 0, 31);
		one_layout(size, 0, 3);
	}
	for (size = 62 * GIB; size < 62 * GIB + 80 * MIB; size += 4 * KIB)
		one_layout(size, 0, 1);
}

static void layout_refused(void)
{
	struct meta_geom g;

	CHECK(meta_layout(GIB, 0, 0, &g) == META_BAD_FIELD);
	CHECK(meta_layout(GIB, 0, 32, &g) == META_BAD_FIELD);
	CHECK(meta_layout(0, 0, 1, &g) == META_TOO_SMALL);
	CHECK(meta_layout(511, 0, 1, &g) == META_TOO_SMALL);
	CHECK(meta_layout(0, MIB, 1, &g) == META_TOO_SMALL);
	CHECK(meta_layout(TIB, 64 * KIB, 1, &g) == META_TOO_SMALL);
	CHECK(meta_layout(~0ULL, 0, 1, &g) != META_OK);
}

/* ---- superblock ---- */

#define DATA	(64 * MIB)

static struct meta_sb *sb_of(int i)
{
	return (struct meta_sb *)copy[i];
}

static void fresh(void)
{
	struct meta_create c = { .slots = 3, .lbs = 512, .replica = 5 };
	struct meta_geom g;

	meta_layout(DATA, 0, 3, &g);
	meta_sb_new(copy[0], &g, &c);
	memcpy(copy[1], copy[0], META_SB_SIZE);
}

static enum meta_error pick_at(u64 data, u64 meta, const struct meta_sb **sb)
{
	struct meta_geom g;

	return meta_sb_pick(copy[0], copy[1], data, meta, sb, &g);
}

static enum meta_error pick(void)
{
	const struct meta_sb *sb;

	return pick_at(DATA, 0, &sb);
}

static void which_copy(void)
{
	const struct meta_sb *sb;
	int i;

	for (i = 0; i < 2; i++) {
		fresh();
		sb_of(i)->writes = cpu_to_le64(7);
		sb_of(!i)->writes = cpu_to_le64(6);
		meta_sb_seal(copy[0]);
		meta_sb_seal(copy[1]);
		CHECK(pick_at(DATA, 0, &sb) == META_OK && sb == sb_of(i));
		/* the newer one is torn: the older one counts */
		copy[i][META_SB_SIZE - 1] ^= 1;
		CHECK(pick_at(DATA, 0, &sb) == META_OK && sb == sb_of(!i));
		memset(copy[i], 0, META_SB_SIZE);
		CHECK(pick_at(DATA, 0, &sb) == META_OK && sb == sb_of(!i));
		copy[!i][100] ^= 1;
		CHECK(pick() == META_BAD_CRC);
		memset(copy[!i], 0, META_SB_SIZE);
		CHECK(pick() == META_NO_MAGIC);
	}
	fresh();
	sb_of(0)->version = sb_of(1)->version = cpu_to_le32(META_VERSION + 1);
	meta_sb_seal(copy[0]);
	meta_sb_seal(copy[1]);
	CHECK(pick() == META_BAD_VERSION);
}

/* Every torn state of a write of 512-byte sectors over an older copy. */
static void torn_copy(void)
{
	u8 old[META_SB_SIZE], new[META_SB_SIZE];
	const struct meta_sb *sb;
	u32 mask, n;

	fresh();
	memcpy(old, copy[0], META_SB_SIZE);
	sb_of(0)->writes = cpu_to_le64(9);
	sb_of(0)->term = cpu_to_le64(3);
	sb_of(0)->slot[30].replica = cpu_to_le64(1);	/* in a later sector */
	meta_sb_seal(copy[0]);
	memcpy(new, copy[0], META_SB_SIZE);
	for (mask = 0; mask < 1U << (META_SB_SIZE / 512); mask++) {
		for (n = 0; n < META_SB_SIZE / 512; n++)
			memcpy(copy[0] + n * 512,
			       (mask & BIT(n) ? new : old) + n * 512, 512);
		CHECK(pick_at(DATA, 0, &sb) == META_OK);
		if (memcmp(copy[0], new, META_SB_SIZE) &&
		    memcmp(copy[0], old, META_SB_SIZE))
			CHECK(sb == sb_of(1), "mask %x", mask);
	}
}

static void every_bit(void)
{
	u32 bit;

	fresh();
	memset(copy[1], 0, META_SB_SIZE);
	for (bit = 0; bit < META_SB_SIZE * 8; bit++) {
		copy[0][bit / 8] ^= 1 << bit % 8;
		CHECK(pick() != META_OK, "bit %u", bit);
		copy[0][bit / 8] ^= 1 << bit % 8;
	}
	CHECK(pick() == META_OK);
}

/* A field that contradicts: with a good checksum it must be refused too. */
#define REFUSED(field, value) do {					\
	fresh();							\
	sb_of(0)->field = (value);					\
	memset(copy[1], 0, META_SB_SIZE);				\
	meta_sb_seal(copy[0]);						\
	CHECK(pick() == META_BAD_FIELD, #field);			\
} while (0)

static void fields(void)
{
	REFUSED(replica, 0);
	REFUSED(slots, 0);
	REFUSED(slots, 32);
	REFUSED(slots, 8);
	REFUSED(node, 32);
	REFUSED(lbs, 0);
	REFUSED(lbs, cpu_to_le32(513));
	REFUSED(lbs, cpu_to_le32(8192));
	REFUSED(flags, cpu_to_le32(META_F_ALL + 1));
	REFUSED(flags, cpu_to_le32(META_F_EXTERNAL));
	REFUSED(al_extents, cpu_to_le32(META_AL_MAX + 1));
	REFUSED(al_extents, cpu_to_le32(META_AL_MIN - 1));
	REFUSED(sectors, cpu_to_le64(~0ULL));
	REFUSED(max_sectors, 0);
	REFUSED(grown_from, cpu_to_le64(~0ULL));
	REFUSED(max_sectors, cpu_to_le64(~0ULL));
	REFUSED(max_sectors, cpu_to_le64(1ULL << 50));
	REFUSED(area_bytes, cpu_to_le64(4096));
	REFUSED(l1_off, cpu_to_le64(4096));
	REFUSED(rec_off, cpu_to_le64(4096));
	REFUSED(rec_size, cpu_to_le32(4096));
	REFUSED(rec_size, 0);
}

static void slots(void)
{
	fresh();
	sb_of(0)->slot[0].flags = META_SLOT_USED;
	sb_of(0)->slot[0].node = 1;
	sb_of(0)->slot[2] = sb_of(0)->slot[0];
	memset(copy[1], 0, META_SB_SIZE);
	meta_sb_seal(copy[0]);
	CHECK(pick() == META_BAD_FIELD, "the same peer twice");
	sb_of(0)->slot[2].node = 32;
	meta_sb_seal(copy[0]);
	CHECK(pick() == META_BAD_FIELD, "node 32");
	sb_of(0)->slot[2].node = 0;
	meta_sb_seal(copy[0]);
	CHECK(pick() == META_BAD_FIELD, "ourselves");
	sb_of(0)->slot[2].node = 31;
	meta_sb_seal(copy[0]);
	CHECK(pick() == META_OK);
}

static void other_device(void)
{
	const struct meta_sb *sb;

	fresh();
	CHECK(pick_at(DATA, DATA, &sb) == META_BAD_FIELD, "internal as external");
	CHECK(pick_at(DATA - 4096, 0, &sb) == META_SHRUNK);
	CHECK(pick_at(64 * KIB, 0, &sb) == META_BAD_FIELD, "no room");
	/* grown, and somebody moved the metadata to the new end */
	CHECK(pick_at(2 * DATA, 0, &sb) == META_OK);
	sb_of(0)->flags = sb_of(1)->flags =
		cpu_to_le32(META_F_WITNESS | META_F_EXTERNAL);
	meta_sb_seal(copy[0]);
	meta_sb_seal(copy[1]);
	CHECK(pick_at(DATA, DATA, &sb) == META_OF_WITNESS);
}

/* ---- the other blocks ---- */

static void log_block(void)
{
	static struct meta_al_block b;

	b.magic = cpu_to_le32(META_AL_MAGIC);
	b.replica = cpu_to_le64(5);
	b.count = cpu_to_le32(META_AL_MAX);
	meta_al_seal(&b);
	CHECK(meta_al_check(&b, 5, 1));
	CHECK(!meta_al_check(&b, 6, 1), "another replica's");
	b.extent[META_AL_MAX - 1] = cpu_to_le32(9);
	CHECK(!meta_al_check(&b, 5, 10), "checksum");
	meta_al_seal(&b);
	CHECK(meta_al_check(&b, 5, 10));
	CHECK(!meta_al_check(&b, 5, 9), "extent beyond the end");
	b.count = cpu_to_le32(META_AL_MAX + 1);
	meta_al_seal(&b);
	CHECK(!meta_al_check(&b, 5, 10), "count");
	b.count = 0;
	b.magic = 0;
	meta_al_seal(&b);
	CHECK(!meta_al_check(&b, 5, 10), "magic");
}

static void map_blocks(void)
{
	static u8 buf[512];
	struct meta_rec *r = (struct meta_rec *)buf;
	struct meta_l1_sector s = { .replica = cpu_to_le64(5), .index = cpu_to_le32(2) };

	meta_l1_seal(&s);
	CHECK(meta_l1_check(&s, 5, 2));
	CHECK(!meta_l1_check(&s, 6, 2));
	CHECK(!meta_l1_check(&s, 5, 3));
	s.l1[61].full ^= 1;
	CHECK(!meta_l1_check(&s, 5, 2));

	r->extent = cpu_to_le32(7);
	r->epoch = cpu_to_le32(3);
	meta_rec_seal(r, sizeof(buf));
	CHECK(meta_rec_check(r, sizeof(buf), 7, 3) == META_REC_VALID);
	CHECK(meta_rec_check(r, sizeof(buf), 8, 3) == META_REC_NONE);
	CHECK(meta_rec_check(r, sizeof(buf), 7, 4) == META_REC_NONE);
	buf[511] ^= 1;
	CHECK(meta_rec_check(r, sizeof(buf), 7, 3) == META_REC_DAMAGED);
}

static void texts(void)
{
	int e;

	for (e = META_OK; e <= META_OF_WITNESS; e++)
		CHECK(strcmp(meta_text(e), "unknown error"), "%d", e);
	CHECK(!strcmp(meta_text(99), "unknown error"));
}

int main(void)
{
	RUN(layouts);
	RUN(layout_borders);
	RUN(layout_refused);
	RUN(which_copy);
	RUN(torn_copy);
	RUN(every_bit);
	RUN(fields);
	RUN(slots);
	RUN(other_device);
	RUN(log_block);
	RUN(map_blocks);
	RUN(texts);
	return tap_end();
}
