// SPDX-License-Identifier: GPL-2.0
/*
 * Activity log and order of overlapping I/O, with random I/O whose disk and
 * metadata writes end at random times.  Whenever the core issues one:
 *
 *  - every earlier write that overlaps has ended;
 *  - if it writes, the newest valid transaction in the image (not in memory)
 *    names its extents.
 */
#include "scenes.h"
#include "tap.h"

static struct fake f;
static u32 checked, waited;

static bool overlap(const struct repl_io *a, const struct repl_io *b)
{
	return a->sector < b->sector + b->size / SECTOR_BYTES &&
	       b->sector < a->sector + a->size / SECTOR_BYTES;
}

static bool is_write(const struct repl_io *io)
{
	return io->op == OP_WRITE || io->op == OP_DISCARD || io->op == OP_ZEROES;
}

static const struct meta_al_block *newest_log(void)
{
	const struct meta_al_block *b, *best = NULL;
	u32 i;

	for (i = 0; i < META_AL_BLOCKS; i++) {
		b = (void *)fake_area(&f, i * META_BLOCK);
		if (meta_al_check(b, f.vol.store->replica, f.vol.store->g.extents) &&
		    (!best || le64_to_cpu(b->tr) > le64_to_cpu(best->tr)))
			best = b;
	}
	return best;
}

static bool logged(u32 extent)
{
	const struct meta_al_block *b = newest_log();
	u32 i;

	for (i = 0; b && i < le32_to_cpu(b->count); i++)
		if (le32_to_cpu(b->extent[i]) == extent)
			return true;
	return false;
}

static void check_issued(struct fake_io *x)
{
	u32 first = x->io.sector / EXTENT_SECTORS, e;
	u32 last = (x->io.sector + x->io.size / SECTOR_BYTES - 1) / EXTENT_SECTORS;
	struct fake_io *y;

	if (x->io.op == OP_FLUSH)
		return;
	checked++;
	/* the list is in order of arrival */
	list_for_each_entry(y, &f.ios, all) {
		if (y == x)
			break;
		if (is_write(&y->io) && overlap(&x->io, &y->io))
			CHECK(y->disk_done, "sector %llu before %llu",
			      (unsigned long long)x->io.sector,
			      (unsigned long long)y->io.sector);
	}
	for (e = first; is_write(&x->io) && e <= last; e++)
		CHECK(logged(e), "extent %u", e);
}

/* Few places, so that there are overlaps; often across two extents. */
static void place(u64 *sector, u32 *size)
{
	u32 e = fake_rand() % 20;

	*sector = (u64)e * EXTENT_SECTORS + fake_rand() % 24;
	*size = (fake_rand() % 24 + 1) * SECTOR_BYTES;
	if (fake_rand() % 4 == 0 && e)
		*sector = (u64)e * EXTENT_SECTORS - fake_rand() % 8;
	if (fake_rand() % 32 == 0)
		*size = EXTENT_BYTES;
}

static u8 some_op(u32 size)
{
	u8 op = fake_rand() % 4 ? OP_WRITE : OP_DISCARD;

	return size > REPL_MAX_DATA ? OP_ZEROES : op;
}

static void some_end(void)
{
	u32 n = fake_rand() % 4;

	while (n--)
		fake_disk_step(&f, fake_rand(), 0);
	if (fake_rand() % 3 == 0)
		fake_meta_step(&f);
}

static void finish(void)
{
	f.issued = NULL;
	CHECK(checked > 500, "%u", checked);
	fake_exit(&f);
}

static void begin(enum scene which)
{
	scene(&f, which);
	fake_run(&f);
	checked = 0;
	f.issued = check_issued;
}

static void app_writes(void)
{
	u64 sector;
	u32 size, n;

	begin(SCENE_PRIMARY);
	fake_down(&f, 0);	/* alone: nobody else's answers to wait for */
	for (n = 0; n < 3000; n++) {
		place(&sector, &size);
		fake_submit(&f, some_op(size), sector, size);
		waited += !list_empty(&f.vol.store->al.waiting);
		some_end();
		if (n % 100 == 0)
			fake_run(&f);
	}
	fake_run(&f);
	CHECK(f.completed >= 3000 && !app_busy(&f.res));
	CHECK(waited > 10);
	finish();
}

static void rx_write(u64 seq, u64 sector, u32 size)
{
	struct repl_wire_hdr h = { .type = PKT_WRITE };
	u8 op = some_op(size);

	h.type = op == OP_WRITE ? PKT_WRITE : op == OP_DISCARD ? PKT_DISCARD : PKT_ZEROES;
	h.seq = cpu_to_le64(seq);
	h.sector = cpu_to_le64(sector);
	h.size = cpu_to_le32(size);
	h.length = op == OP_WRITE ? h.size : 0;
	h.id = cpu_to_le64(3);
	h.through = cpu_to_le64(seq > 40 ? seq - 40 : 0);
	CHECK(fake_rx(&f, 0, &h, "") == WIRE_OK);
}

static void peer_writes(void)
{
	u64 sector, seq = 100;
	u32 size, n;

	begin(SCENE_SECONDARY);
	for (n = 0; n < 2000; n++) {
		place(&sector, &size);
		rx_write(seq++, sector, size);
		some_end();
	}
	fake_run(&f);
	finish();
}

static void rx_hot(u32 first, u32 n)
{
	struct repl_wire_hdr h = { .type = PKT_HOT };
	__le32 extent[64];
	u32 i;

	for (i = 0; i < n; i++)
		extent[i] = cpu_to_le32(first + i);
	h.length = cpu_to_le32(n * sizeof(*extent));
	CHECK(fake_rx(&f, 0, &h, extent) == WIRE_OK);
}

/* What the primary logs is in our log when the write comes: that starts at once. */
static void told_in_time(void)
{
	begin(SCENE_SECONDARY);
	rx_hot(3, 2);
	CHECK(!logged(3) && f.mio);
	fake_run(&f);
	CHECK(logged(3) && logged(4) && !logged(5));
	rx_write(100, 4 * EXTENT_SECTORS - 8, 8192);
	CHECK(checked == 1 && !f.mio);
	/* hot already, beyond the end: nothing to do */
	rx_hot(3, 1);
	rx_hot(SCENE_DATA / EXTENT_BYTES, 1);
	rx_hot(~0U, 1);
	CHECK(!f.mio);
	fake_run(&f);
	f.issued = NULL;
	fake_exit(&f);
}

/* More than the log has room for: writes find a place nevertheless. */
static void told_too_much(void)
{
	struct repl_wire_hdr ping = { .type = PKT_PING };
	u64 seq = 100;
	u32 n;

	begin(SCENE_SECONDARY);
	waited = 0;
	for (n = 0; n < 600; n++) {
		waited += !list_empty(&f.vol.store->al.waiting);
		rx_hot(fake_rand() % 20, fake_rand() % 12 + 1);
		rx_write(seq++, fake_rand() % 20 * EXTENT_SECTORS, 4096);
		some_end();
	}
	fake_run(&f);
	/* those in the tail keep theirs until they are complete everywhere */
	ping.through = cpu_to_le64(seq);
	for (n = 0; n < 10; n++) {
		CHECK(fake_rx(&f, 0, &ping, "") == WIRE_OK);
		fake_run(&f);
	}
	CHECK(waited > 10 && list_empty(&f.vol.store->al.waiting));
	finish();
}

/*
 * Writes that are complete nowhere fill the log of a copy that is being made, as they
 * may be waiting for it: it is made nevertheless, and has their blocks once more.
 */
static void copy_goes_on(void)
{
	struct dirty_map *map;
	struct repl_store *s;
	u64 seq = 1;

	scene(&f, SCENE_TARGET);
	fake_run(&f);
	s = f.vol.store;
	for (; seq <= META_AL_MIN; seq++)
		rx_write(seq, seq * EXTENT_SECTORS, 4096);
	fake_run(&f);
	map = &s->dirty.map[0];
	dirty_clear_range(&s->dirty, 0, 0, SCENE_DATA / BLOCK_BYTES);
	rx_write(seq, seq * EXTENT_SECTORS, 4096);
	repl_tick(&f.res, f.res.now + 100);
	fake_run(&f);
	CHECK(!list_empty(&s->al.waiting) && !map->count);
	repl_tick(&f.res, f.res.now + 100);
	fake_run(&f);
	CHECK(list_empty(&s->al.waiting));
	CHECK(map->count == META_AL_MIN, "%llu", (unsigned long long)map->count);
	CHECK(!list_empty(&f.res.tail));
	fake_exit(&f);
}

static void resync(u8 type, u8 flags)
{
	struct repl_pv *pv = list_first_entry(&f.vol.pvs, struct repl_pv, by_vol);
	struct repl_wire_hdr h = { .type = type, .flags = flags };

	h.id = cpu_to_le64(pv->sync.serial);
	CHECK(fake_rx(&f, 0, &h, "") == WIRE_OK);
	while (fake_meta_step(&f))
		;
}

/* Nor does a Primary's own copy wait for what no peer answers. */
static void own_copy_goes_on(void)
{
	struct repl_store *s;
	u32 e;

	scene(&f, SCENE_DISKLESS);
	fake_sb(&f)->flags = cpu_to_le32(META_F_INCONSISTENT);
	fake_sb(&f)->slot[0].flags = META_SLOT_USED;
	fake_seal(&f);
	fake_attach(&f);
	resync(PKT_MAP_ACK, 0);
	resync(PKT_SYNC_READY, 0);
	resync(PKT_SYNC_ACCEPT, 0);
	resync(PKT_MAP, REPL_HDR_LAST);
	s = f.vol.store;
	CHECK(f.res.role == ROLE_PRIMARY && target_applies_writes(&f.vol));
	for (e = 0; e <= META_AL_MIN; e++)
		fake_submit(&f, OP_WRITE, e * EXTENT_SECTORS, 4096);
	fake_run(&f);
	dirty_clear_range(&s->dirty, 0, 0, SCENE_DATA / BLOCK_BYTES);
	repl_tick(&f.res, f.res.now + 100);
	fake_run(&f);
	CHECK(!list_empty(&s->al.waiting) && !s->dirty.map[0].count);
	repl_tick(&f.res, f.res.now + 100);
	fake_run(&f);
	CHECK(list_empty(&s->al.waiting) && f.vol.stat.in_flight == META_AL_MIN + 1);
	CHECK(s->dirty.map[0].count == META_AL_MIN);
	fake_exit(&f);
}

/* Receivers are told of new extents, once, before the write is sent. */
static void tells_receivers(void)
{
	struct fake_pkt *told;
	__le32 extent = 0;

	scene(&f, SCENE_PRIMARY);
	fake_run(&f);
	f.keep_pkts = true;
	fake_forget(&f);
	fake_submit(&f, OP_WRITE, 5 * EXTENT_SECTORS, 4096);
	told = fake_find(&f, PKT_HOT);
	CHECK(told && told->node == f.peer[0].node && !fake_find(&f, PKT_WRITE));
	if (told)
		memcpy(&extent, told->payload, sizeof(extent));
	CHECK(told && le32_to_cpu(told->h.length) == sizeof(extent) &&
	      le32_to_cpu(extent) == 5);
	fake_run(&f);
	CHECK(fake_find(&f, PKT_WRITE));
	fake_forget(&f);
	fake_submit(&f, OP_WRITE, 5 * EXTENT_SECTORS + 64, 4096);
	CHECK(fake_find(&f, PKT_WRITE) && !fake_find(&f, PKT_HOT));
	/* nor is one told that does not know what it means */
	f.peer[0].features &= ~REPL_FEAT_HOT;
	fake_submit(&f, OP_WRITE, 6 * EXTENT_SECTORS, 4096);
	fake_run(&f);
	CHECK(!fake_find(&f, PKT_HOT));
	fake_exit(&f);
}

/* The target acknowledges what it has got, oldest first. */
static void peer_acks(void)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };
	struct repl_io *io;
	u32 n = fake_rand() % 3;

	while (n-- && !list_empty(&f.res.in_flight)) {
		io = list_first_entry(&f.res.in_flight, struct repl_io, link);
		h.seq = cpu_to_le64(io->seq);
		fake_rx(&f, 0, &h, "");
		if (io == list_first_entry_or_null(&f.res.in_flight, struct repl_io, link))
			fake_disk_step(&f, fake_rand(), 0);
	}
}

static void promote_source(void)
{
	struct repl_wire_hdr h = { .type = PKT_VOTE, .flags = REPL_HDR_YES };
	const char *why;

	CHECK(!repl_promote(&f.res, true, &why));
	h.id = cpu_to_le64(f.res.vote.term);
	fake_rx(&f, 0, &h, "");
	fake_run(&f);
	h.type = PKT_MEMBERS_ACK;
	h.id = cpu_to_le64(f.peer[0].members_id);
	fake_rx(&f, 0, &h, "");
	/* the primary's own superblock comes last */
	while (fake_meta_step(&f))
		;
	CHECK(f.res.role == ROLE_PRIMARY && !f.res.susp, "susp %x", f.res.susp);
}

/* A source's reads for the target beside the writes of a primary: ours. */
static void resync_reads(void)
{
	struct repl_wire_hdr h = { .type = PKT_RS_REQ };
	u64 sector;
	u32 size, n;

	begin(SCENE_SOURCE);
	promote_source();
	for (n = 0; n < 2000; n++) {
		place(&sector, &size);
		if (n & 1) {
			fake_submit(&f, some_op(size), sector, size);
		} else {
			h.sector = cpu_to_le64(sector / 8 * 8);
			h.size = cpu_to_le32(min(size, 65536U));
			fake_rx(&f, 0, &h, "");
		}
		some_end();
		peer_acks();
	}
	while (app_busy(&f.res)) {
		fake_run(&f);
		peer_acks();
	}
	finish();
}

/* Nobody waits for a log that can't be written any more. */
static void disk_fails(void)
{
	u64 sector;
	u32 size, n;

	scene(&f, SCENE_PRIMARY);
	for (n = 0; n < 50; n++) {
		place(&sector, &size);
		fake_submit(&f, some_op(size), sector, size);
	}
	while (!fake_disk_step(&f, 0, -EIO))
		CHECK(fake_meta_step(&f));
	CHECK(f.vol.disk <= DISK_FAILED);
	fake_exit(&f);
}

int main(void)
{
	fake_seed(11);
	RUN(app_writes);
	RUN(peer_writes);
	RUN(told_in_time);
	RUN(told_too_much);
	RUN(copy_goes_on);
	RUN(own_copy_goes_on);
	RUN(tells_receivers);
	RUN(resync_reads);
	RUN(disk_fails);
	return tap_end();
}
