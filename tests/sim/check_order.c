// SPDX-License-Identifier: GPL-2.0
/*
 * Checkers of the write path, on the disks themselves.
 *
 * "in-sync": when a write is acknowledged, every replica of the in-sync set
 * that the primary has on stable media holds it (or something at least as
 * new).  It proves that no acknowledgement runs ahead of a peer's disk, that a
 * lost peer has left the set durably before, and with it the order of writes:
 * a write that was submitted after another had completed finds that one on
 * every replica of the set.
 *
 * "quorum": the same where a majority acknowledges, by the set that it has there.  "bound": no peer that is
 * not waited for lacks more than the settings allow.
 *
 * "order": a write of the stream never covers what completed before it began
 * in the wrong direction: a replica that applies an older write over a newer
 * acknowledged one has swapped them.
 *
 * "consistency": resync writes only into a replica whose superblock says
 * Inconsistent, for a crash may leave a mixture of two images at any moment.
 * A replica that comes back is UpToDate by itself only if no other was in its
 * in-sync set: others may have more.
 */
#include "sim.h"

/* The first of @n sectors from @sector that the node lacks, or the end. */
static u64 lacks(u32 vol, u32 node, u64 sector, u32 n)
{
	u64 end = sector + n;

	while (sector < end &&
	       hist_may_hold(vol, sector, disk_tag(&W.disk[node][vol], sector)))
		sector++;
	return sector;
}

/* A majority of all replicas has it, members of the set. */
static void quorum_acked(u32 vol, struct node *p, u32 set, u64 sector, u32 n,
			 u32 w)
{
	u32 replicas = hweight32(edit_list(&p->res)) - W.o.witnesses, have = 0;

	for (u32 i = 0; i < W.o.nodes; i++)
		if ((set & BIT(i)) && ((M.lost & BIT(i)) ||
				       lacks(vol, i, sector, n) == sector + n))
			have++;
	if (have < sim_acks_needed(replicas, set))
		violation("quorum",
			  "node %u acknowledged w%u, which is on %u of %u replicas (set 0x%x), volume %u sector %llu",
			  p->id, w, have, replicas, set, vol,
			  (unsigned long long)sector);
}

/*
 * A majority of the nodes has the set on stable media: so an election can't miss
 * it, even if the set is no majority.
 */
static void set_kept(u32 vol, const struct node *p, u32 w)
{
	struct sim_disk *d = &W.disk[p->id][vol];
	u64 version = disk_durable_version(d);
	u32 keepers = disk_durable_keepers(d), keep = 0;
	u32 nodes = hweight32(edit_list(&p->res));

	for (u32 i = 0; i < W.o.nodes; i++)
		if ((keepers & BIT(i)) &&
		    disk_durable_version(&W.disk[i][vol]) >= version)
			keep++;
	if (keep < nodes / 2 + 1)
		violation("kept",
			  "node %u acknowledged w%u of volume %u under the set %llx, which %u of %u nodes keep",
			  p->id, w, vol, (unsigned long long)version, keep,
			  nodes);
}

/*
 * A replica begins to apply a write: nothing that had been acknowledged before
 * this one was submitted may still be waiting there.
 */
void order_submitted(struct node *n, const struct repl_io *io)
{
	u64 tag = to_sio((struct repl_io *)io)->tags[0];
	struct repl_io *w;

	if (W.diverged_ok || M.forced || W.o.scenario == SCN_HOSTILE ||
	    io->op != OP_WRITE)
		return;
	list_for_each_entry(w, &n->res.applying, hash) {
		u64 other = to_sio(w)->tags[0];

		if (w != io && w->op == OP_WRITE && w->peer == io->peer &&
		    hist_acked_before(other, tag))
			violation("order",
				  "node %u applies w%llu before w%llu, which had been acknowledged when it was submitted",
				  n->id, (unsigned long long)tag,
				  (unsigned long long)other);
	}
}

/* Completed before all have it: none of these lacks more than it may. */
void order_bound(const struct node *p, const struct repl_io *io)
{
	const struct repl_peer *peer;
	const struct repl_io *w;
	u64 lacks;

	for (u32 i = 0; i < W.o.nodes; i++) {
		if (!(io->wait & BIT(i)) || i == p->id)
			continue;
		peer = &p->peers[i].peer;
		lacks = 0;
		list_for_each_entry(w, &p->res.in_flight, link)
			if (w->acked && (w->wait & BIT(i)))
				lacks += w->size;
		if (lacks != peer->lag_bytes)
			violation("bound", "node %u lacks %llu bytes, node %u believes %llu",
				  i, (unsigned long long)lacks, p->id,
				  (unsigned long long)peer->lag_bytes);
		if (lacks > W.o.backlog_max)
			violation("bound",
				  "node %u acknowledged a write while node %u lacks %llu bytes, %u allowed",
				  p->id, i, (unsigned long long)lacks,
				  W.o.backlog_max);
		if (W.o.backlog_ms && peer->lag_ms > W.o.backlog_ms)
			violation("bound",
				  "node %u acknowledged a write while node %u lacks one for %u ms, %u allowed",
				  p->id, i, peer->lag_ms, W.o.backlog_ms);
	}
}

/*
 * Has something been written in both branches?  A generation that a primary
 * began and could not finish telling of looks like one too: whoever is promoted
 * without those that heard of it cannot know that nothing came of it.
 */
bool order_branches(u32 vol, const struct node *a, const struct node *b)
{
	struct repl_lineage la = a->vols[vol].vol.lineage;
	struct repl_lineage lb = b->vols[vol].vol.lineage;

	lineage_cap(&la, &W.acked[vol]);
	lineage_cap(&lb, &W.acked[vol]);
	return lineage_compare(&la, &lb) == ORDER_CONCURRENT;
}

void order_acked(u32 vol, struct node *p, u64 sector, u32 n, u32 w)
{
	u32 set;

	lineage_merge(&W.acked[vol], &p->vols[vol].vol.lineage, ~0U);
	if (W.diverged_ok || M.forced || W.o.scenario == SCN_HOSTILE)
		return;
	if (p->vols[vol].vol.disk <= DISK_FAILED)
		return;		/* its metadata can't be asked */
	set = disk_durable_set(&W.disk[p->id][vol]);
	if (state_by_majority(disk_durable_version(&W.disk[p->id][vol]))) {
		quorum_acked(vol, p, state_set(vol, p->id), sector, n, w);
		if (W.o.witnesses || W.o.votes)
			set_kept(vol, p, w);
		return;
	}
	if (p->res.conf.votes)
		set_kept(vol, p, w);
	for (u32 i = 0; i < W.o.nodes; i++) {
		char buf[600];
		u64 at;

		if (!(set & BIT(i)) || (M.lost & BIT(i)))
			continue;
		at = lacks(vol, i, sector, n);
		if (at == sector + n)
			continue;
		hist_explain(vol, at, buf, sizeof(buf));
		violation("in-sync",
			  "node %u acknowledged w%u; node %u is in its set 0x%x and holds w%lld in volume %u sector %llu; candidates:%s",
			  p->id, w, i, set,
			  (long long)disk_tag(&W.disk[i][vol], at), vol,
			  (unsigned long long)at, buf);
	}
}

/*
 * A write is about to be applied.  Return: does its order matter, so that each
 * sector goes to order_applied()?
 */
bool order_applies(struct node *n, const struct repl_io *io)
{
	/* Made good by force, with the last blocks of a sync still under way. */
	if (W.diverged_ok && n->res.vote.force)
		return false;
	if (io->kind == IO_RS_WRITE && !M.forced &&
	    !(disk_durable_flags(&W.disk[n->id][io->vol->nr]) &
	      META_F_INCONSISTENT))
		violation("consistency",
			  "node %u volume %u: resync data over a replica that a crash now would leave as consistent",
			  n->id, io->vol->nr);
	return (io->kind == IO_APP || io->kind == IO_PEER_WRITE) &&
	       !W.diverged_ok && !M.forced && W.o.scenario != SCN_HOSTILE;
}

void order_applied(struct node *n, const struct repl_io *io, u64 sector,
		   u64 old, u64 tag)
{
	if (old != tag && hist_stale(io->vol->nr, old, tag))
		violation("order",
			  "node %u applied w%llu over the newer w%llu in sector %llu",
			  n->id, (unsigned long long)tag,
			  (unsigned long long)old, (unsigned long long)sector);
}

/*
 * A target says that blocks are clean: a power cut now must not take back what
 * the resync wrote there.
 */
void order_cleared(struct node *n, const struct repl_wire_hdr *h,
		   const void *payload)
{
	u32 v = le16_to_cpu(h->volume);
	u32 count = le32_to_cpu(h->length) / sizeof(struct repl_wire_range);
	const struct repl_wire_range *r = payload;

	for (u32 i = 0; i < count && v < W.o.vols; i++)
		if (!disk_resync_stable(&W.disk[n->id][v],
					le64_to_cpu(r[i].sector),
					le32_to_cpu(r[i].size) / SECTOR_BYTES))
			violation("stable",
				  "node %u volume %u: sector %llu is called clean, but it is in the cache only",
				  n->id, v,
				  (unsigned long long)le64_to_cpu(r[i].sector));
}

/* The state of a disk has changed. */
void order_disk_state(struct node *n, u32 v)
{
	struct vol_node *vn = &n->vols[v];
	u32 disk = vn->vol.disk, was = vn->last_disk;
	u32 set = disk_durable_set(&W.disk[n->id][v]);

	vn->last_disk = (u8)disk;
	if (W.phase == PH_SETUP || W.o.scenario == SCN_HOSTILE ||
	    was != DISK_ATTACHING || disk != DISK_UPTODATE ||
	    n->res.role == ROLE_PRIMARY || !(set & ~BIT(n->id)))
		return;
	for (u32 i = 0; i < W.o.nodes; i++)
		if (i != n->id && n->peers[i].link->up[n->peers[i].side])
			return;
	violation("consistency",
		  "node %u volume %u came back as UpToDate though others are in its in-sync set 0x%x",
		  n->id, v, set);
}
