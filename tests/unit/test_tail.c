// SPDX-License-Identifier: GPL-2.0
/*
 * What a replica keeps account of for others: writes that not all may have, until the
 * Primary says that they do, and what a crash or a lost connection has left in doubt.
 */
#include "scenes.h"
#include "tap.h"

#define ID	5ULL	/* of MEMBERS */
#define BLOCKS	2U	/* of a write */

static struct fake f;

static u64 lacks(u32 slot)
{
	return f.vol.store->dirty.map[slot].count;
}

/* We are node 0, peer 0 is the Primary, node 1; node 2 has slot 1. */
static void write_comes(u64 seq, u32 receivers)
{
	static u8 data[BLOCKS * BLOCK_BYTES];
	struct repl_wire_hdr h = { .type = PKT_WRITE };

	h.seq = cpu_to_le64(seq);
	h.sector = cpu_to_le64(seq * BLOCKS * BLOCK_SECTORS);
	h.size = cpu_to_le32(sizeof(data));
	h.length = h.size;
	h.id = cpu_to_le64(receivers);
	CHECK(fake_rx(&f, 0, &h, data) == WIRE_OK);
	fake_run(&f);
}

static void set_comes(u32 set, u32 receivers)
{
	struct repl_wire_members m = { .term = cpu_to_le64(1) };
	struct repl_wire_hdr h = { .type = PKT_MEMBERS, .flags = REPL_HDR_LAST };

	m.set_version = cpu_to_le64(REIGN | 2 * SET_NEXT);
	m.dataset = cpu_to_le64(9);
	m.in_sync = cpu_to_le32(set);
	m.receivers = cpu_to_le32(receivers);
	m.lineage[0] = cpu_to_le32(1);
	h.length = cpu_to_le32(sizeof(m));
	h.id = cpu_to_le64(ID);
	CHECK(fake_rx(&f, 0, &h, &m) == WIRE_OK);
	fake_run(&f);
}

static void ping_comes(u64 after, u64 through)
{
	struct repl_wire_hdr h = { .type = PKT_PING };

	h.seq = cpu_to_le64(after);
	h.through = cpu_to_le64(through);
	CHECK(fake_rx(&f, 0, &h, "") == WIRE_OK);
}

/*
 * Node 2 is lost, so that the write is complete without it.  The word of that comes on
 * the control stream, before the set without node 2 on the other.
 */
static void complete_before_lost(void)
{
	scene(&f, SCENE_SECONDARY);
	write_comes(1, 7);
	ping_comes(0, 0);
	ping_comes(ID, 1);
	CHECK(!list_empty(&f.res.tail) && !lacks(1));
	set_comes(3, 3);
	CHECK(lacks(1) == BLOCKS && !lacks(0));
	ping_comes(ID, 1);
	CHECK(list_empty(&f.res.tail) && lacks(1) == BLOCKS);
	fake_exit(&f);
}

/* A PING says which set it comes after. */
static void ping_says_when(void)
{
	struct fake_pkt *ping, *members;

	scene(&f, SCENE_PRIMARY);
	f.keep_pkts = true;
	commit_start(&f.res, true);
	fake_run(&f);
	repl_tick(&f.res, f.res.now + f.peer[0].conf.ping_int_ms);
	members = fake_find(&f, PKT_MEMBERS);
	ping = fake_find(&f, PKT_PING);
	CHECK(members && ping && ping->h.seq == members->h.id);
	fake_exit(&f);
}

/* The Primary has no disk: the set is node 2 and us. */
static void primary_comes(void)
{
	struct repl_wire_vol_state w;

	fake_up(&f, 0);
	fake_res_state(&f, 0, ROLE_PRIMARY);
	fake_same_state(&f, 0, &w);
	w.disk = DISK_DISKLESS;
	w.in_sync = cpu_to_le32(5);
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
}

static void two_without_the_primary(void)
{
	scene_format(&f);
	fake_sb(&f)->in_sync = cpu_to_le32(5);
	fake_seal(&f);
	fake_init(&f, 2);
	fake_attach(&f);
	primary_comes();
	write_comes(1, 5);
	CHECK(lacks(0) == BLOCKS && !lacks(1));
}

/* Its disk is filled by node 2, whose data is ours. */
static void filled_with_the_same(void)
{
	two_without_the_primary();
	set_comes(7, 7);
	CHECK(connected(&f.peer[0]) && !lacks(0) && f.vol.in_sync == 7);
	fake_exit(&f);
}

/* But ours may differ from that of node 2, and so from the Primary's. */
static void filled_with_another(void)
{
	two_without_the_primary();
	fake_down(&f, 0);
	primary_comes();
	CHECK(lacks(0) == BLOCKS && lacks(1) == BLOCKS);
	set_comes(7, 7);
	CHECK(!connected(&f.peer[0]) && lacks(0) == BLOCKS && f.vol.in_sync == 5);
	fake_exit(&f);
}

int main(void)
{
	RUN(complete_before_lost);
	RUN(ping_says_when);
	RUN(filled_with_the_same);
	RUN(filled_with_another);
	return tap_end();
}
