// SPDX-License-Identifier: GPL-2.0
/* The scenes that other tests and the fuzzer start from are what they say. */
#include "scenes.h"
#include "tap.h"

static struct fake f;

static struct repl_pv *first_pv(void)
{
	return list_first_entry(&f.vol.pvs, struct repl_pv, by_vol);
}

static void expect(enum scene which, enum repl_role role, enum repl_disk disk,
		   enum repl_state state, enum sync_step step)
{
	scene(&f, which);
	CHECK(f.res.role == role, "scene %d: role %d", which, f.res.role);
	CHECK(f.vol.disk == disk, "scene %d: disk %d", which, f.vol.disk);
	CHECK(first_pv()->state == state, "scene %d: state %d", which, first_pv()->state);
	CHECK(first_pv()->sync.step == step, "scene %d: step %d", which, first_pv()->sync.step);
	fake_exit(&f);
}

static void scenes(void)
{
	expect(SCENE_FRESH, ROLE_SECONDARY, DISK_INCONSISTENT, RS_OFF, SYNC_IDLE);
	expect(SCENE_SECONDARY, ROLE_SECONDARY, DISK_UPTODATE, RS_ESTABLISHED,
	       SYNC_IDLE);
	expect(SCENE_SOURCE, ROLE_SECONDARY, DISK_UPTODATE, RS_SYNC_SOURCE,
	       SYNC_S_RUN);
	expect(SCENE_TARGET, ROLE_SECONDARY, DISK_INCONSISTENT, RS_SYNC_TARGET,
	       SYNC_RUN);
	expect(SCENE_PRIMARY, ROLE_PRIMARY, DISK_UPTODATE, RS_ESTABLISHED,
	       SYNC_IDLE);
	expect(SCENE_DISKLESS, ROLE_PRIMARY, DISK_DISKLESS, RS_ESTABLISHED,
	       SYNC_IDLE);
}

/* A primary's write is in flight until disk and peer have both answered. */
static void write_in_step(void)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };
	struct fake_io *x;

	scene(&f, SCENE_PRIMARY);
	f.keep_pkts = true;
	x = fake_submit(&f, OP_WRITE, 8, 4096);
	while (fake_meta_step(&f))
		;
	CHECK(fake_find(&f, PKT_WRITE));
	h.seq = cpu_to_le64(x->io.seq);
	CHECK(!x->done);
	fake_run(&f);
	CHECK(!x->done);
	fake_rx(&f, 0, &h, "");
	CHECK(x->done && !x->err);
	fake_exit(&f);
}

/*
 * A disk that is smaller than the device that a diskless primary offers can't
 * become a replica, and its log must not be asked for extents beyond its end.
 */
static void small_disk_for_diskless(void)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };
	struct fake_io *x;
	u32 i;

	scene(&f, SCENE_DISKLESS);
	fake_format(&f, 24 << 20, 0, FAKE_PEERS);
	CHECK(fake_attach(&f) == -ENOSPC);
	/* more extents than the log has slots */
	for (i = 0; i < 2 * META_AL_MIN; i++) {
		x = fake_submit(&f, OP_WRITE, (u64)i * EXTENT_SECTORS, 4096);
		fake_run(&f);
		h.seq = cpu_to_le64(x->io.seq);
		fake_rx(&f, 0, &h, "");
		CHECK(x->done && !x->err);
	}
	fake_exit(&f);
}

/* What a peer says of its size while our disk is being let go is not ours. */
static void size_while_detaching(void)
{
	struct repl_wire_vol_state w;
	struct repl_store *s;
	const char *why;

	scene(&f, SCENE_SECONDARY);
	fake_same_state(&f, 0, &w);
	w.sectors = w.cur_sectors = cpu_to_le64(1ULL << 40);
	/* a record to be written first: the superblock comes after the packet */
	dirty_set_range(&f.vol.store->dirty, 1, 0, 1);
	CHECK(!repl_detach(&f.vol, true, &why));
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
	fake_detach(&f);
	CHECK(!fake_load(&f, &s, &why), "%s", why);
	repl_store_free(s);
	fake_exit(&f);
}

#define GROWTH	800	/* sectors */

/* What peer 0 says that has the data which a diskless primary goes on with. */
static void serves(u64 sectors)
{
	struct repl_wire_vol_state w = { .disk = DISK_UPTODATE };

	w.dataset = cpu_to_le64(f.vol.dataset);
	w.replica = cpu_to_le64(1);
	w.sectors = fake_sb(&f)->max_sectors;
	w.cur_sectors = cpu_to_le64(sectors);
	w.lbs = cpu_to_le32(FAKE_LBS);
	w.in_sync = cpu_to_le32(BIT(1));
	lineage_to_wire(w.lineage, &f.vol.lineage);
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
}

/* It has seen all of the volume: a peer that lacks a part has to grow first. */
static void small_peer_for_diskless(void)
{
	u64 sectors;

	scene(&f, SCENE_DISKLESS);
	sectors = f.vol.sectors;
	fake_down(&f, 0);
	fake_up(&f, 0);
	fake_res_state(&f, 0, ROLE_SECONDARY);
	serves(sectors - GROWTH);
	CHECK(f.vol.sectors == sectors);
	CHECK(first_pv()->state == RS_OFF, "state %d", first_pv()->state);
	serves(sectors);
	CHECK(first_pv()->state == RS_ESTABLISHED, "state %d",
	      first_pv()->state);
	fake_exit(&f);
}

/* A disk that was away while the volume grew grows when it is back. */
static void disk_of_before(void)
{
	u64 sectors;

	scene(&f, SCENE_DISKLESS);
	sectors = f.vol.sectors;
	fake_down(&f, 0);
	fake_sb(&f)->sectors = cpu_to_le64(sectors - GROWTH);
	fake_seal(&f);
	CHECK(!fake_attach(&f));
	CHECK(f.vol.sectors == sectors && f.vol.store->sectors == sectors,
	      "volume %llu, disk %llu of %llu",
	      (unsigned long long)f.vol.sectors,
	      (unsigned long long)f.vol.store->sectors,
	      (unsigned long long)sectors);
	fake_exit(&f);
}

/* A primary without a disk is about to go on with our data: we grow for it. */
static void grows_for_diskless(void)
{
	struct repl_wire_vol_state w;
	u64 sectors;

	scene_format(&f);
	sectors = le64_to_cpu(fake_sb(&f)->max_sectors);
	fake_sb(&f)->sectors = cpu_to_le64(sectors - GROWTH);
	fake_seal(&f);
	fake_init(&f, 2);
	fake_attach(&f);
	fake_same_state(&f, 0, &w);
	w.disk = DISK_DISKLESS;
	w.cur_sectors = cpu_to_le64(sectors);
	fake_up(&f, 0);
	fake_res_state(&f, 0, ROLE_SECONDARY);
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
	CHECK(f.vol.sectors == sectors - GROWTH);
	fake_res_state(&f, 0, ROLE_PRIMARY);
	fake_run(&f);
	CHECK(f.vol.sectors == sectors, "%llu of %llu",
	      (unsigned long long)f.vol.sectors, (unsigned long long)sectors);
	fake_exit(&f);
}

int main(void)
{
	RUN(scenes);
	RUN(write_in_step);
	RUN(small_disk_for_diskless);
	RUN(size_while_detaching);
	RUN(small_peer_for_diskless);
	RUN(disk_of_before);
	RUN(grows_for_diskless);
	return tap_end();
}
