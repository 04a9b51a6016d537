// SPDX-License-Identifier: GPL-2.0
/* How to get a node into the states that tests start from. */
#include "scenes.h"

#define ALL_SYNC	(BIT(0) | BIT(1))

/* The metadata knows peers 1 and 2, and lacks nothing towards them. */
static void known_peers(struct fake *f)
{
	struct meta_sb *sb = fake_sb(f);
	struct meta_l1_sector *l1 = (struct meta_l1_sector *)
		fake_area(f, le64_to_cpu(sb->l1_off));
	u32 i;

	for (i = 0; i < 2; i++) {
		sb->slot[i].node = i + 1;
		sb->slot[i].flags = META_SLOT_USED | META_SLOT_SINCE;
		sb->slot[i].replica = cpu_to_le64(0x1000 + i);
		sb->slot[i].since[0] = cpu_to_le32(1);
	}
	l1->replica = sb->replica;
	meta_l1_seal(l1);
}

void scene_format(struct fake *f)
{
	struct meta_sb *sb;

	fake_format(f, SCENE_DATA, 0, FAKE_PEERS);
	known_peers(f);
	sb = fake_sb(f);
	sb->dataset = cpu_to_le64(9);
	sb->sectors = sb->max_sectors;
	sb->lineage[0] = cpu_to_le32(1);
	sb->in_sync = cpu_to_le32(BIT(0));
	sb->flags = 0;
	fake_seal(f);
}

static void connect(struct fake *f, u32 i, enum repl_role role,
		    struct repl_wire_vol_state *w)
{
	fake_up(f, i);
	fake_res_state(f, i, role);
	fake_vol_state(f, i, w);
	fake_run(f);
}

/* Packets of a resync carry its serial number, which the target chooses. */
static void simple(struct fake *f, u32 i, u8 type, u8 flags)
{
	struct repl_wire_hdr h = { .type = type, .flags = flags };
	u64 serial = list_first_entry(&f->vol.pvs, struct repl_pv,
				      by_vol)->sync.serial;

	h.id = cpu_to_le64(serial);
	fake_rx(f, i, &h, "");
}

static void scene_secondary(struct fake *f)
{
	struct repl_wire_vol_state w;

	fake_attach(f);
	fake_same_state(f, 0, &w);
	w.in_sync = cpu_to_le32(ALL_SYNC);
	connect(f, 0, ROLE_PRIMARY, &w);
}

static void scene_source(struct fake *f)
{
	struct repl_wire_vol_state w;

	fake_attach(f);
	fake_same_state(f, 0, &w);
	w.disk = DISK_INCONSISTENT;
	w.flags = 0;
	connect(f, 0, ROLE_SECONDARY, &w);
	simple(f, 0, PKT_SYNC_BEGIN, 0);
	simple(f, 0, PKT_MAP, REPL_HDR_LAST);
	fake_run(f);
	simple(f, 0, PKT_SYNC_START, 0);
	fake_run(f);
	simple(f, 0, PKT_MAP_ACK, 0);
}

static void scene_target(struct fake *f)
{
	struct repl_wire_vol_state w;

	fake_sb(f)->flags = cpu_to_le32(META_F_INCONSISTENT);
	fake_sb(f)->slot[0].flags = META_SLOT_USED;
	fake_seal(f);
	fake_attach(f);
	fake_same_state(f, 0, &w);
	connect(f, 0, ROLE_PRIMARY, &w);
	simple(f, 0, PKT_MAP_ACK, 0);
	simple(f, 0, PKT_SYNC_READY, 0);
	while (fake_meta_step(f))
		;
	simple(f, 0, PKT_SYNC_ACCEPT, 0);
	simple(f, 0, PKT_MAP, REPL_HDR_LAST);
	/* up to the first requests, whose reads stay under way */
	while (fake_meta_step(f))
		;
}

static void ack_members(struct fake *f, u32 i)
{
	struct repl_wire_hdr h = { .type = PKT_MEMBERS_ACK };

	h.id = cpu_to_le64(f->peer[i].members_id);
	fake_rx(f, i, &h, "");
	fake_run(f);
}

static void vote_yes(struct fake *f, u32 i)
{
	struct repl_wire_hdr h = { .type = PKT_VOTE, .flags = REPL_HDR_YES };

	h.id = cpu_to_le64(f->res.vote.term);
	fake_rx(f, i, &h, "");
	fake_run(f);
}

static void scene_primary(struct fake *f)
{
	struct repl_wire_vol_state w;
	const char *why;

	fake_attach(f);
	fake_same_state(f, 0, &w);
	w.in_sync = cpu_to_le32(ALL_SYNC);
	connect(f, 0, ROLE_SECONDARY, &w);
	repl_promote(&f->res, false, &why);
	vote_yes(f, 0);
	while (f->peer[0].members_id)
		ack_members(f, 0);
}

static void scene_diskless(struct fake *f)
{
	struct repl_wire_vol_state w = { .disk = DISK_UPTODATE };
	const char *why;

	w.dataset = cpu_to_le64(9);
	w.replica = cpu_to_le64(1);
	w.sectors = fake_sb(f)->max_sectors;
	w.cur_sectors = w.sectors;
	w.lbs = cpu_to_le32(FAKE_LBS);
	w.in_sync = cpu_to_le32(BIT(1));
	w.lineage[0] = cpu_to_le32(1);
	connect(f, 0, ROLE_SECONDARY, &w);
	repl_promote(&f->res, false, &why);
	vote_yes(f, 0);
	while (f->peer[0].members_id)
		ack_members(f, 0);
}

static void scene_fresh(struct fake *f)
{
	fake_format(f, SCENE_DATA, 0, FAKE_PEERS);
	fake_attach(f);
	fake_up(f, 0);
}

void scene(struct fake *f, enum scene which)
{
	static void (*const make[SCENES])(struct fake *f) = {
		[SCENE_FRESH] = scene_fresh,
		[SCENE_SECONDARY] = scene_secondary,
		[SCENE_SOURCE] = scene_source,
		[SCENE_TARGET] = scene_target,
		[SCENE_PRIMARY] = scene_primary,
		[SCENE_DISKLESS] = scene_diskless,
	};

	scene_format(f);
	fake_init(f, 2);
	f->vol.conf.al_extents = META_AL_MIN;
	make[which](f);
}

/* ---- elections ---- */

void scene_member(struct fake *f, u32 npeers, u8 policy, bool votes,
		  u64 version)
{
	scene_format(f);
	fake_sb(f)->in_sync = cpu_to_le32((2U << npeers) - 1);
	if (policy != ACK_QUORUM)
		version |= SET_BY_ALL;
	fake_sb(f)->set_version = cpu_to_le64(version);
	fake_seal(f);
	fake_init(f, npeers);
	f->res.conf.ack_policy = policy;
	f->res.conf.votes = votes;
	f->res.elected_before = elects(&f->res);
	fake_attach(f);
}

void scene_vote(struct fake *f, u32 i, u8 flags)
{
	struct repl_wire_hdr h = { .type = PKT_VOTE };

	h.flags = flags | REPL_HDR_YES | REPL_HDR_LAST | REPL_HDR_FULL;
	h.id = cpu_to_le64(f->res.vote.term);
	fake_rx(f, i, &h, "");
	fake_run(f);
}

void scene_confirm(struct fake *f, u32 i)
{
	fake_run(f);
	while (f->peer[i].members_id)
		ack_members(f, i);
}

void scene_promise(struct fake *f, u32 i)
{
	struct repl_wire_hdr h = { .type = PKT_PONG, .flags = REPL_HDR_YES };

	h.id = cpu_to_le64(f->res.ops->now() + 1);
	fake_rx(f, i, &h, "");
	fake_run(f);
}
