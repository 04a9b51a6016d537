// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: the metadata reader.
 *
 * A real image is made, then the input is patched over it: in superblock
 * copies, activity log, chunk table and records, whose checksums are made
 * right if a patch says so.  What loads must attach, take writes, detach, and
 * load again.
 */
#include "input.h"
#include "shell.h"

static struct fake f;
static struct meta_geom g;

static const u64 data_sizes[] = { 1 << 20, 9 << 20, 33 << 20, 1056 << 20 };
static const u8 slot_counts[] = { 1, 2, 3, 7, 15, 31 };

static void image(struct input *in)
{
	u8 how = take_u8(in);
	u64 data = data_sizes[how & 3];
	u32 slots = slot_counts[(how >> 2 & 7) % 6];

	/* the large one with small records: speed counts */
	if (data > 64 << 20)
		slots = 3;
	fake_format(&f, data, how & 32 ? 4 << 20 : 0, slots);
	meta_layout(data, how & 32 ? 4 << 20 : 0, slots, &g);
	if (how & 64) {
		fake_sb(&f)->dataset = cpu_to_le64(9);
		fake_sb(&f)->flags = cpu_to_le32(how & 32 ? META_F_EXTERNAL : 0);
		fake_seal(&f);
	}
}

static u8 *region(u8 which, u32 index, u32 *len)
{
	switch (which) {
	case 0:
		*len = META_SB_SIZE;
		return fake_area(&f, g.sb_off + (index & 1) * META_SB_SIZE);
	case 1:
		*len = META_BLOCK;
		return fake_area(&f, index % META_AL_BLOCKS * META_BLOCK);
	case 2:
		*len = SECTOR_BYTES;
		return fake_area(&f, g.l1_off);
	default:
		*len = g.rec_size;
		return fake_area(&f, g.rec_off + (u64)(index % g.extents) * g.rec_size);
	}
}

/* Headers that pass the first look, to be patched further. */
static void make_right(u8 which, u32 index, u8 *p)
{
	const struct meta_sb *sb = fake_sb(&f);
	struct meta_al_block *al = (void *)p;
	struct meta_l1_sector *l1 = (void *)p;
	struct meta_rec *r = (void *)p;

	switch (which) {
	case 1:
		al->magic = cpu_to_le32(META_AL_MAGIC);
		al->replica = sb->replica;
		break;
	case 2:
		l1->replica = sb->replica;
		l1->index = 0;
		break;
	case 3:
		r->extent = cpu_to_le32(index % g.extents);
		break;
	}
}

static void patch(struct input *in)
{
	u8 op = take_u8(in), n = take_u8(in) % 64;
	u32 index = take_u8(in), off = take_u16(in), len;
	u8 *p = region(op & 3, index, &len);

	if (op & 4)
		make_right(op & 3, index, p);
	if (op & 8)
		off %= 256;	/* where the fields are */
	off %= len;
	take(in, p + off, min_t(u32, n, len - off));
	if (op & 16)
		*(__le32 *)p = cpu_to_le32(repl_crc32c(p + 4, len - 4));
}

static void use(void)
{
	struct repl_store *s;
	const char *why;
	u64 end;
	u32 i;

	if (fake_attach(&f))
		return;
	repl_promote(&f.res, true, &why);
	fake_run(&f);
	end = f.vol.sectors;
	for (i = 0; i < 2 * META_AL_MIN && end >= 16; i++) {
		fake_submit(&f, OP_WRITE, fake_rand() % (end - 8), 4096);
		fake_run(&f);
	}
	fake_detach(&f);
	if (fake_load(&f, &s, &why))
		abort();
	repl_store_free(s);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };

	fake_seed(1);
	image(&in);
	while (in.left)
		patch(&in);
	fake_init(&f, 2);
	f.vol.conf.al_extents = META_AL_MIN;
	use();
	fake_exit(&f);
	return 0;
}
