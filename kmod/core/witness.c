// SPDX-License-Identifier: GPL-2.0
/*
 * Witnesses: nodes that vote and have no data.
 *
 * With two replicas no majority is left when one of them goes.  A witness is the
 * third voter.  Its metadata keeps votes, and the in-sync set of each volume: a
 * set counts once a majority of all nodes, replicas that are in it and witnesses,
 * has it on stable media.  So it may be smaller than a majority of the replicas,
 * and then all of it must have a write (ack_replicas()).
 *
 * Whoever is elected has the vote of somebody who keeps the newest set that took
 * effect: if that is a witness, it votes for a member of the set only.
 *
 * A set names the witnesses that keep it.  One that goes away still does: nothing
 * follows from its going.  When it comes back and has missed a set it is told of
 * one.  Blank metadata is new, and what it has kept before is lost: it counts
 * once a set is made durable that needs it for no majority.
 */
#include "internal.h"

/** witness_between() - is no data to go from one of the two to the other? */
bool witness_between(const struct repl_pv *pv)
{
	return pv->vol->res->witness || pv->peer->witness;
}

/** witness_disk() - the state of its disk that a peer may claim */
u8 witness_disk(const struct repl_peer *p, u8 disk)
{
	if (p->witness ? disk > DISK_WITNESS : disk == DISK_WITNESS)
		return DISK_DISKLESS;
	return disk;
}

/** witness_is_foreign() - is its metadata that of another data set? */
bool witness_is_foreign(const struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	const struct repl_vol *vol = pv->vol;

	return pv->peer->witness && ps->disk == DISK_WITNESS &&
	       store_live(vol) && vol->store->dataset && ps->dataset &&
	       ps->dataset != vol->store->dataset;
}

/* ---- on the witness ---- */

/** witness_keep() - the set that a primary tells of, and its data set */
void witness_keep(struct repl_pv *pv, u64 dataset)
{
	const struct repl_vstate *ps = &pv->peer_state;
	struct repl_vol *vol = pv->vol;
	struct repl_store *s = store_keeps(vol);
	bool counts = ps->keepers & BIT(vol->res->node);

	if (!s || (s->dataset ? s->dataset != dataset : !counts))
		return;
	vol->dataset = dataset;
	vol->lineage = ps->lineage;
	s->dataset = dataset;
	s->lineage = ps->lineage;
	if (!MUTATED(MUT_WITNESS_FORGETS)) {
		vol->in_sync = ps->in_sync;
		vol->keepers = ps->keepers;
		keep_set(vol, ps->in_sync, ps->keepers, ps->set_version);
	}
	s->members_sb = meta_want_sb(s);
}
