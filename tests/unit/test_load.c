// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata through its whole life: what is in memory when a volume is detached
 * is what is loaded again, and what a crash leaves at any moment, with the
 * write that was under way torn anywhere, names at least every block that
 * needs it.
 */
#include "scenes.h"
#include "tap.h"

static struct fake f;

/* ---- what older modules have written ---- */

static void sets_of_version_1(void)
{
	struct repl_store *s;
	const char *why;

	scene_format(&f);
	fake_sb(&f)->version = cpu_to_le32(1);
	fake_sb(&f)->set_version = cpu_to_le64((7ULL << 24) + 2 * 9 + 1);
	fake_seal(&f);
	fake_init(&f, 1);
	CHECK(!fake_load(&f, &s, &why), "%s", why);
	CHECK(s->set_version == (7ULL << SET_TERM_SHIFT) + 9 * SET_NEXT + SET_FORCED,
	      "%llx", (unsigned long long)s->set_version);
	repl_store_free(s);
	fake_exit(&f);
}

/* ---- clean round trips ---- */

static u8 *maps;	/* of all slots, as they were */

static u32 map_bytes(const struct repl_store *s)
{
	return s->nslots * s->g.extents * EXTENT_MAP_BYTES;
}

static void save_maps(const struct repl_store *s, u8 *to)
{
	u32 i, e;

	for (i = 0; i < s->nslots; i++)
		for (e = 0; e < s->g.extents; e++, to += EXTENT_MAP_BYTES)
			dirty_extent_get(&s->dirty, i, e, to);
}

static void some_dirt(struct repl_store *s, u32 n)
{
	struct dirty_set *d = &s->dirty;
	u32 i;

	while (n--) {
		i = fake_rand() % s->nslots;
		switch (fake_rand() % 16) {
		case 0:
			dirty_fill(d, i);
			break;
		case 1:
			dirty_clear_all(d, i);
			break;
		case 2:
			dirty_chunk_fill(d, i, fake_rand() % d->chunks);
			break;
		case 3 ... 7:
			dirty_clear_range(d, i, fake_rand() % d->blocks,
					  fake_rand() % 3000);
			break;
		default:
			dirty_set_range(d, i, fake_rand() % d->blocks,
					fake_rand() % 3000);
		}
	}
}

static void compare_loaded(void)
{
	struct repl_store *s;
	const char *why;
	u8 *now;

	CHECK(!fake_load(&f, &s, &why), "%s", why);
	now = malloc(map_bytes(s));
	save_maps(s, now);
	CHECK(!memcmp(now, maps, map_bytes(s)));
	CHECK(dirty_next_stale(&s->dirty, 0) == s->g.extents);
	CHECK(!(s->flags & META_F_CRASHED));
	free(now);
	repl_store_free(s);
}

static void one_round_trip(u64 data, u64 meta, u32 slots)
{
	u32 n;

	fake_format(&f, data, meta, slots);
	fake_init(&f, min(slots, 3U));
	for (n = 0; n < 6; n++) {
		CHECK(!fake_attach(&f));
		some_dirt(f.vol.store, n * n);
		maps = malloc(map_bytes(f.vol.store));
		save_maps(f.vol.store, maps);
		fake_detach(&f);
		compare_loaded();
		free(maps);
	}
	fake_exit(&f);
}

static void round_trips(void)
{
	static const u32 slots[] = { 1, 3, 7, 15, 31 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		one_round_trip(1 << 20, 0, slots[i]);
		one_round_trip(37 << 20, 0, slots[i]);
		one_round_trip(150 << 20, 4 << 20, slots[i]);
	}
	one_round_trip(2100ULL << 20, 0, 3);	/* three chunks */
	one_round_trip(70ULL << 30, 0, 2);	/* two sectors of the table */
}

/* Whole chunks are a few bytes each of the table: one write for many. */
static void whole_map_at_once(void)
{
	fake_format(&f, 70ULL << 30, 0, 2);
	fake_init(&f, 2);
	CHECK(!fake_attach(&f));
	dirty_clear_all(&f.vol.store->dirty, 0);
	f.vol.stat.map_writes = 0;
	fake_detach(&f);
	CHECK(f.vol.stat.map_writes == 1, "%llu writes",
	      (unsigned long long)f.vol.stat.map_writes);
	fake_exit(&f);
}

/* What is in the superblock comes back too. */
static void superblock_fields(void)
{
	struct repl_store *s;
	struct repl_mslot slot;

	scene_format(&f);
	fake_init(&f, 2);
	CHECK(!fake_attach(&f));
	s = f.vol.store;
	f.res.term = 77;
	f.res.seq = 1234567;
	s->vote_term = 76;
	s->voted_for = 2;
	s->set_version = 5;
	s->lineage.gen[31] = 9;
	s->slot[1].since.gen[7] = 3;
	slot = s->slot[1];
	fake_detach(&f);
	f.res.term = f.res.seq = 0;
	CHECK(!fake_attach(&f));
	s = f.vol.store;
	CHECK(s->term == 77 && f.res.term == 77 && f.res.seq == 1234567);
	CHECK(s->vote_term == 76 && s->voted_for == 2 && s->set_version == 5);
	CHECK(s->lineage.gen[31] == 9 && s->lineage.gen[0] == 1 && s->dataset == 9);
	CHECK(!memcmp(&slot, &s->slot[1], sizeof(slot)));
	fake_exit(&f);
}

/* ---- crashes ---- */

#define MODEL	(SCENE_DATA / BLOCK_BYTES)

/* Blocks of which a write was begun that peers 1 and 2 don't have. */
static u8 begun[MODEL];
static u32 crashes;

static void note_begun(struct fake_io *x)
{
	u64 b;

	if (x->io.op == OP_FLUSH || x->io.op == OP_READ)
		return;
	for (b = 0; b < io_blocks(&x->io); b++)
		begun[io_first_block(&x->io) + b] = 1;
}

static void check_crash(u8 *img, const char *what, u32 at)
{
	struct fake g = f;
	struct repl_store *s;
	const char *why;
	u64 b, lost = 0;
	u32 i;

	g.img = img;
	if (fake_load(&g, &s, &why)) {
		CHECK(false, "%s torn at %u: %s", what, at, why);
		return;
	}
	CHECK(s->flags & META_F_CRASHED);
	for (i = 0; i < 2; i++)
		for (b = 0; b < MODEL; b++)
			lost += begun[b] && dirty_next(&s->dirty, i, b) != b;
	CHECK(!lost, "%s torn at %u: %llu blocks", what, at,
	      (unsigned long long)lost);
	repl_store_free(s);
	crashes++;
}

static const char *what_is(const struct fake *x, const struct repl_mio *mio)
{
	const struct meta_geom *g = &x->vol.store->g;

	if (mio->offset >= g->sb_off)
		return "superblock";
	if (mio->offset >= g->rec_off)
		return "record";
	return mio->offset >= g->l1_off ? "chunk table" : "log";
}

/*
 * A crash during every metadata write.  Sectors get to the disk in any order;
 * tried are a first part, a last part, and everything.
 */
static u32 crash_here(struct fake *x, const struct repl_mio *mio)
{
	u8 *img = malloc(x->img_bytes);
	u32 at;

	for (at = 0; at <= mio->len; at += SECTOR_BYTES) {
		memcpy(img, x->img, x->img_bytes);
		memcpy(img + mio->offset, mio->buf, at);
		check_crash(img, what_is(x, mio), at);
		if (!at || at == mio->len || fake_rand() % 4)
			continue;
		memcpy(img, x->img, x->img_bytes);
		memcpy(img + mio->offset + at, (u8 *)mio->buf + at, mio->len - at);
		check_crash(img, what_is(x, mio), at);
	}
	free(img);
	return mio->len;
}

static void crash_run(u64 seed)
{
	const char *why;
	u64 sector;
	u32 n;

	fake_seed(seed);
	memset(begun, 0, sizeof(begun));
	scene_format(&f);
	fake_init(&f, 2);
	f.vol.conf.al_extents = META_AL_MIN;
	CHECK(!fake_attach(&f));
	CHECK(!repl_promote(&f.res, false, &why));
	fake_run(&f);
	f.issued = note_begun;
	f.torn = crash_here;
	for (n = 0; n < 60; n++) {
		sector = fake_rand() % (f.vol.sectors - 32);
		fake_submit(&f, OP_WRITE, sector, (fake_rand() % 32 + 1) * 512);
		if (fake_rand() % 2)
			fake_meta_step(&f);
		while (fake_rand() % 2)
			fake_disk_step(&f, fake_rand(), 0);
	}
	f.issued = NULL;
	f.torn = NULL;
	fake_crash(&f);
	free(f.img);
	f.img = NULL;
}

static void crashes_anywhere(void)
{
	u64 seed;

	for (seed = 1; seed <= 4; seed++)
		crash_run(seed);
	printf("# %u crashes\n", crashes);
	CHECK(crashes > 500, "%u", crashes);
}

/* ---- damage ---- */

static void damaged_maps(void)
{
	const struct meta_geom *g;
	struct repl_store *s;
	const char *why;
	u32 rec_size;
	u64 rec_off, l1_off;

	scene_format(&f);
	fake_init(&f, 2);
	CHECK(!fake_attach(&f));
	dirty_set_range(&f.vol.store->dirty, 0, 5000, 1);
	dirty_set_range(&f.vol.store->dirty, 1, 9000, 3);
	g = &f.vol.store->g;
	rec_size = g->rec_size;
	rec_off = g->rec_off;
	l1_off = g->l1_off;
	fake_detach(&f);

	fake_area(&f, rec_off + 4 * rec_size)[rec_size - 1] ^= 1;
	CHECK(!fake_load(&f, &s, &why));
	CHECK(dirty_extent_full(&s->dirty, 0, 4) && dirty_extent_full(&s->dirty, 1, 4));
	CHECK(dirty_is_stale(&s->dirty, 4), "is never mended");
	CHECK(s->dirty.map[1].count == EXTENT_BLOCKS + 3);
	repl_store_free(s);

	fake_area(&f, l1_off)[100] ^= 1;
	CHECK(!fake_load(&f, &s, &why));
	CHECK(s->dirty.map[0].count == s->dirty.blocks);
	CHECK(dirty_next_stale(&s->dirty, 0) == 0, "is never mended");
	repl_store_free(s);
	fake_exit(&f);
}

/*
 * Without memory a map is loaded coarser than it is on disk.  Then its extents
 * have to be stale: else a block that becomes dirty later would be thought to
 * be in its record, and a crash would lose it.
 */
static void load_without_memory(void)
{
	struct repl_store *s, *t;
	u8 a[EXTENT_MAP_BYTES], b[EXTENT_MAP_BYTES];
	const char *why;
	u32 n, i, e, k;

	scene_format(&f);
	fake_init(&f, 2);
	CHECK(!fake_attach(&f));
	for (e = 0; e < 20; e++)
		dirty_set_range(&f.vol.store->dirty, e % 2, e * EXTENT_BLOCKS + 7, 9);
	fake_detach(&f);
	for (n = 1; n < 30; n++) {
		CHECK(!fake_load(&f, &s, &why));
		fake_alloc_fail = n;
		CHECK(!fake_load(&f, &t, &why));
		fake_alloc_fail = 0;
		for (i = 0; i < s->nslots; i++)
			for (e = 0; e < s->g.extents; e++) {
				dirty_extent_get(&s->dirty, i, e, a);
				dirty_extent_get(&t->dirty, i, e, b);
				for (k = 0; k < EXTENT_MAP_BYTES; k++)
					CHECK(!(a[k] & ~b[k]));
				if (memcmp(a, b, sizeof(a)))
					CHECK(dirty_is_stale(&t->dirty, e), "extent %u", e);
			}
		repl_store_free(s);
		repl_store_free(t);
	}
	fake_exit(&f);
}

static u32 read_fails_at;

static int failing_read(void *ctx, u64 offset, void *buf, u32 len)
{
	struct fake *x = ctx;

	if (!--read_fails_at)
		return -EIO;
	memcpy(buf, x->img + offset - (x->data_bytes - x->img_bytes), len);
	return 0;
}

static void read_errors(void)
{
	struct repl_store_params p = { .lbs = FAKE_LBS, .read = failing_read, .ctx = &f };
	struct repl_store *s;
	u32 n;
	int err;

	scene_format(&f);
	fake_init(&f, 2);
	CHECK(!fake_attach(&f));
	dirty_set_range(&f.vol.store->dirty, 0, 5000, 1);
	fake_detach(&f);
	p.data_bytes = f.data_bytes;
	for (n = 1; n < 100; n++) {
		read_fails_at = n;
		err = repl_store_load(&f.res, 0, &f.vol.conf, &p, &s);
		if (!err)
			break;
		/* Not one copy of the superblock either: it may be the newer. */
		CHECK(err == -EIO && p.why, "read %u", n);
	}
	repl_store_free(s);
	CHECK(n > 30 && n < 100, "%u", n);
	fake_exit(&f);
}

static void refused(int err, const char *part)
{
	struct repl_store *s;
	const char *why = NULL;
	int e = fake_load(&f, &s, &why);

	CHECK(e == err, "%d, not %d", e, err);
	CHECK(why && strstr(why, part), "%s", why);
}

static void wrong_disks(void)
{
	u64 size;

	scene_format(&f);
	fake_init(&f, 2);
	fake_sb(&f)->volume = 1;
	fake_seal(&f);
	refused(-EINVAL, "volume number");
	scene_format(&f);
	fake_sb(&f)->node = 3;
	fake_seal(&f);
	refused(-EINVAL, "node id");
	scene_format(&f);
	fake_sb(&f)->lbs = cpu_to_le32(4096);
	fake_seal(&f);
	refused(-EINVAL, "block size");
	scene_format(&f);
	memset(fake_sb(&f), 0, 2 * META_SB_SIZE);
	refused(-ENODATA, "create-md");
	scene_format(&f);
	f.data_bytes -= 1 << 20;
	refused(-ENOSPC, "smaller");
	f.data_bytes += 1 << 20;
	size = f.data_bytes;
	f.data_bytes = 8192;
	refused(-ENOSPC, "too small");
	f.data_bytes = size;
	fake_exit(&f);
}

/* More peers than the metadata has room for: nothing changes. */
static void too_many_peers(void)
{
	fake_format(&f, 32 << 20, 0, 1);
	fake_init(&f, 2);
	CHECK(fake_attach(&f) == -ENOSPC);
	CHECK(!f.vol.store && !f.mios);
	fake_exit(&f);
}

int main(void)
{
	RUN(sets_of_version_1);
	RUN(too_many_peers);
	RUN(round_trips);
	RUN(whole_map_at_once);
	RUN(superblock_fields);
	RUN(crashes_anywhere);
	RUN(damaged_maps);
	RUN(load_without_memory);
	RUN(read_errors);
	RUN(wrong_disks);
	return tap_end();
}
