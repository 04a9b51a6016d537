// SPDX-License-Identifier: GPL-2.0
/*
 * Being told of the primary's set and generation (members.c).
 *
 * A member confirms once both are on its disks and it has every write that came
 * before.  It declines if it has what another member lacks, or lacks what that has:
 * then the two have to be compared first.  Who was left out is Outdated from then on,
 * or follows.
 */
#include "internal.h"
#include "detach.h"
#include "position.h"

void in_step_with(struct repl_vol *vol, u32 set)
{
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if (pv->slot != SLOT_NONE && (set & BIT(pv->peer->node)))
			store_in_step(pv);
}

static bool may_differ(const struct repl_pv *pv)
{
	return pv->slot != SLOT_NONE &&
	       pv->vol->store->dirty.map[pv->slot].count;
}

/*
 * With whose data is ours to be compared?  The primary's, if its disk is in the set, or
 * else those of the other members.  Whoever was no member has just been filled, so that
 * our map says nothing of it; but if not from here it has what one of the members had.
 */
static u32 same_as(const struct repl_pv *from, u32 set, u32 before)
{
	u32 primary = BIT(from->peer->node);

	if (!(set & primary))
		return set & before;
	if (before & primary)
		return primary;
	return may_differ(from) ? before : 0;
}

/*
 * Unconfirmed writes here that the primary has not heard of yet, what a crash may have
 * taken, or, if it has no disk to compare them with, that another old member may lack:
 * of two that know of it the lower node id stays.
 */
static bool unsettled(const struct repl_pv *from, u32 set, u32 before)
{
	const struct repl_vol *vol = from->vol;
	bool vouches = set & BIT(from->peer->node);
	u32 others = same_as(from, set, before);
	struct repl_pv *pv;

	for_each_pv(pv, vol) {
		if (!(others & BIT(pv->peer->node)) || !may_differ(pv))
			continue;
		if (vouches || !pv->known || !pv->peer_state.dirty ||
		    pv->peer->node < vol->res->node)
			return true;
	}
	return false;
}

/*
 * The primary sends us its writes and does not wait for us: what we have is
 * consistent and may lack the end.  Its generations are ours, so that we are
 * not taken for diverged where we only lack that.
 */
static bool follows(const struct repl_vol *vol, u32 set, u32 receivers)
{
	u32 here = BIT(vol->res->node);

	return !(set & here) && (receivers & here) &&
	       vol->disk >= DISK_OUTDATED;
}

/* Would we be taken for a member that has what another of them lacks, or lack it? */
static bool refuses(struct repl_pv *pv, const struct repl_lineage *l, u32 set)
{
	struct repl_vol *vol = pv->vol;

	if (!lineage_contains(l, &vol->store->lineage)) {
		peer_end(pv->peer, false, "the primary's new generation does not contain ours");
		return true;
	}
	if (pv->refused || unsettled(pv, set, vol->in_sync)) {
		peer_end(pv->peer, false, "unconfirmed writes here have to be compared first");
		return true;
	}
	return false;
}

/*
 * If we decline we stay what we were, in the set that we knew.  The set of another
 * branch is not for us, though it leaves us out: with it on our disk the other one's
 * word would count, and ours be overwritten without a word.
 */
static void adopt(struct repl_pv *pv, const struct repl_lineage *l, u32 set,
		  u32 receivers)
{
	struct repl_vol *vol = pv->vol;
	struct repl_store *s = store_live(vol);
	bool follower = follows(vol, set, receivers);
	bool member = set & BIT(vol->res->node);

	if (s && pv_verdict(pv) == V_DIVERGED)
		return;
	/* A member that is no replica just now has said so, or will. */
	if (s && vol->disk >= DISK_OUTDATED && (member || follower) &&
	    refuses(pv, l, set))
		return;
	vol->in_sync = set;
	vol->keepers = pv->peer_state.keepers;
	if (!s) {
		vol->lineage = *l;
		return;
	}
	keep_set(vol, set, vol->keepers, pv->peer_state.set_version);
	s->flags &= ~META_F_PRIMARY;
	s->sb_flush = true;
	s->members_sb = meta_want_sb(s);
	vol->follower = follower;
	vol->vouch = member;
	vol->told &= member;
	if (member)
		s->flags &= ~META_F_CRASHED;
	if (!member && !follower) {
		if (vol->disk > DISK_OUTDATED)
			set_disk(vol, DISK_OUTDATED);
		return;
	}
	if (vol->disk < DISK_OUTDATED)
		return;
	/* It found us in step after we had asked for a sync. */
	target_stop(pv, true);
	s->lineage = *l;
	vol->lineage = *l;
	in_step_with(vol, set);
	set_disk(vol, follower ? DISK_CONSISTENT : DISK_UPTODATE);
	vol->told = member;
}

/*
 * A member answers for what the primary is about to acknowledge.  One whose
 * disk has gone does not confirm what it can't keep: the news of that goes
 * instead, and makes the primary begin again.
 */
static bool can_confirm(const struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (((pv->peer_state.in_sync & BIT(p->res->node)) &&
		     pv->vol->disk != DISK_UPTODATE) ||
		    !keeper_can_confirm(pv))
			return false;
	return true;
}

/* Are we in its set with all our disks, and have taken it? */
static bool is_member(const struct repl_peer *p)
{
	const struct repl_store *s;
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer) {
		s = store_live(pv->vol);
		if (!s || pv->vol->disk != DISK_UPTODATE ||
		    !(s->in_sync & BIT(p->res->node)) ||
		    s->set_version != pv->peer_state.set_version)
			return false;
	}
	return true;
}

/* Is this a set of its without us? */
static bool leaves_out(const struct repl_peer *p, u64 version)
{
	const struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->peer_state.set_version == version &&
		    !(pv->peer_state.in_sync & BIT(p->res->node)))
			return true;
	return false;
}

void members_rx(struct repl_pv *pv, const struct repl_wire_hdr *h,
		const void *payload)
{
	struct repl_peer *p = pv->peer;
	struct repl_res *res = p->res;
	struct repl_wire_members w;
	struct repl_lineage l;
	u32 receivers, set;

	memcpy(&w, payload, sizeof(w));
	lineage_from_wire(&l, w.lineage);
	receivers = le32_to_cpu(w.receivers);
	set = le32_to_cpu(w.in_sync);
	if (res->role == ROLE_PRIMARY) {
		evaluate(res);	/* two primaries: refused there */
		return;
	}
	/* Sent before it knew: nothing counts any more that it commits. */
	if ((both_elect(p) && le64_to_cpu(w.term) < res->vote_term) ||
	    keeper_knows_later(pv->vol, le64_to_cpu(w.set_version)))
		return;
	p->role = ROLE_PRIMARY;
	p->sees_primary = p->node;
	p->term = le64_to_cpu(w.term);
	res->term = max(res->term, p->term);
	fence_members(res, set);
	depose(res);
	res->set_version = max(res->set_version, le64_to_cpu(w.set_version));
	pv->peer_state.lineage = l;
	pv->peer_state.dataset = le64_to_cpu(w.dataset);
	pv->peer_state.in_sync = set;
	pv->peer_state.keepers = le32_to_cpu(w.keepers);
	pv->peer_state.set_version = le64_to_cpu(w.set_version);
	pv->set_after = p->last_seq;
	/* Its disk's state comes after this; don't take it for a source. */
	if (!(receivers & BIT(p->node)) &&
	    pv->peer_state.disk == DISK_UPTODATE)
		pv->peer_state.disk = DISK_DISKLESS;
	if ((set | pv->peer_state.keepers) & BIT(res->node))
		detach_hurry(res);
	if (res->witness)
		witness_keep(pv, le64_to_cpu(w.dataset));
	else if (!detach_waits(pv->vol))
		adopt(pv, &l, set, receivers);
	peer_tail_absent(pv->vol, receivers,
			 set | (receivers & BIT(p->node)));
	if (h->flags & REPL_HDR_LAST) {
		p->members_heard = le64_to_cpu(h->id);
		p->ack_id = can_confirm(p) ? le64_to_cpu(h->id) : 0;
		p->members_seq = p->last_seq;
		if (is_member(p))
			position_member(res, le64_to_cpu(h->dep),
					le64_to_cpu(h->seq));
		if (leaves_out(p, le64_to_cpu(w.set_version)))
			position_heard(p);
	}
	evaluate(res);
}

void members_advance(struct repl_res *res)
{
	struct repl_wire_hdr h;
	struct repl_vol *vol;
	struct repl_peer *p;
	bool failed = false;
	int i;

	for_each_vol(vol, res) {
		struct repl_store *s = vol->store;

		if (!s || s->sb_durable >= s->members_sb)
			continue;
		if (vol->disk != DISK_FAILED)
			return;
		/* Never confirmed: the news of the failure goes instead. */
		failed = true;
		s->members_sb = 0;
	}
	for_each_peer(p, i, res) {
		if (failed)
			p->ack_id = 0;
		/* A disk may have gone since, and be closed. */
		if (p->ack_id && !can_confirm(p))
			p->ack_id = 0;
		/* A member has what was acknowledged before without it. */
		if (!p->ack_id || !connected(p) ||
		    !peer_applied(p, p->members_seq))
			continue;
		hdr_init(&h, PKT_MEMBERS_ACK, NULL);
		h.id = cpu_to_le64(p->ack_id);
		p->ack_id = 0;
		send_pkt(p, &h, NULL, NULL);
	}
}

/* A write was applied: MEMBERS may have waited for it. */
void members_applied(struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res) {
		if (p->ack_id && peer_applied(p, p->members_seq)) {
			evaluate(res);
			return;
		}
	}
}
