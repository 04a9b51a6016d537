// SPDX-License-Identifier: GPL-2.0
/*
 * Who keeps an in-sync set, and how many have to.
 *
 * Where primaries are elected a set counts once a majority of all nodes has it on
 * stable media: any majority that votes later has one among it that knows it.
 * Under one that fewer keep nothing is acknowledged.  Only nodes that vote count:
 * from the others an election need hear nothing.
 *
 * The members keep it, and so do witnesses.  Where all of the set has to have a
 * write, and not any majority of the replicas, the set may be small, or have no
 * member but the primary: then a replica that is none (it follows, or is being
 * filled) keeps it like a witness.
 */
#include "internal.h"

/** voters() - all nodes, whether they vote just now or not */
u32 voters(const struct repl_res *res)
{
	return hweight32(edit_list(res));
}

/** majority_of() - of the nodes of a list, see edit_most() */
u32 majority_of(const struct repl_res *res, u32 list, u32 set)
{
	(void)res;
	(void)set;
	return hweight32(list) / 2 + 1;
}

/** majority() - of all nodes */
u32 majority(const struct repl_res *res)
{
	return majority_of(res, edit_list(res), 0);
}

/* ---- beside the members ---- */

/*
 * Can it be told of a set of ours, of @members?  Blank metadata of it may be in
 * the place of what would tell more.
 */
static bool can_keep(const struct repl_pv *pv, u32 members)
{
	const struct repl_vstate *ps = &pv->peer_state;
	const struct repl_res *res = pv->vol->res;

	if (!usable(pv) || !edit_counts(pv->peer))
		return false;
	if (!pv->peer->witness)
		return !by_majority(res) && !(members & BIT(pv->peer->node)) &&
		       ps->disk >= DISK_INCONSISTENT && ps->dataset &&
		       ps->dataset == pv->vol->dataset;
	if (ps->disk != DISK_WITNESS)
		return false;
	if (!ps->dataset)
		return !edit_lacking(res, members) || res->forced;
	return ps->dataset == pv->vol->dataset;
}

/** keepers_now() - those that can keep the set of the replicas in step */
u32 keepers_now(const struct repl_vol *vol)
{
	struct repl_pv *pv;
	u32 members, nodes = 0;

	if (!elects(vol->res))
		return 0;
	members = in_sync_now(vol);
	for_each_pv(pv, vol)
		if (can_keep(pv, members))
			nodes |= BIT(pv->peer->node);
	return nodes;
}

/** keeper_untold() - does one that is here not keep the set? */
bool keeper_untold(const struct repl_vol *vol)
{
	u32 now = keepers_now(vol);
	struct repl_pv *pv;

	if (now & ~vol->keepers)
		return true;
	for_each_pv(pv, vol)
		if ((now & BIT(pv->peer->node)) && !pv->peer_state.dataset)
			return true;
	return false;
}

/** keepers_told() - our set is committed: those that confirmed it have our data set */
void keepers_told(struct repl_vol *vol)
{
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if (vol->keepers & BIT(pv->peer->node))
			pv->peer_state.dataset = vol->dataset;
}

/* Is that what we are, for this volume? */
static bool keeps(const struct repl_vol *vol)
{
	const struct repl_store *s = store_keeps(vol);
	u32 self = BIT(vol->res->node);

	if (!s || !s->dataset)
		return false;
	return vol->res->witness || (s->keepers & ~s->in_sync & self);
}

/** keeper_knows_later() - do we keep a later set than this, which a primary tells of? */
bool keeper_knows_later(const struct repl_vol *vol, u64 version)
{
	return elects(vol->res) && keeps(vol) &&
	       store_keeps(vol)->set_version > version;
}

/** keeper_can_confirm() - what the primary says that we keep, do we? */
bool keeper_can_confirm(const struct repl_pv *pv)
{
	const struct repl_vol *vol = pv->vol;
	const struct repl_store *s = store_keeps(vol);

	return !(pv->peer_state.keepers & BIT(vol->res->node)) ||
	       (s && s->dataset == pv->peer_state.dataset);
}

/** keeper_would_forget() - were we filled by this peer, a later set that it is not in? */
bool keeper_would_forget(const struct repl_pv *pv)
{
	return keeper_knows_later(pv->vol, pv->peer_state.set_version) &&
	       !(store_keeps(pv->vol)->in_sync & BIT(pv->peer->node));
}

/** keeper_outreigns() - does this peer keep a set of a later reign, and we are not in it? */
bool keeper_outreigns(const struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	const struct repl_store *s = store_keeps(pv->vol);
	const struct repl_res *res = pv->vol->res;

	return both_elect(pv->peer) &&
	       ((s ? s->set_version : res->set_version) & SET_VOTED) &&
	       ps->dataset == pv->vol->dataset &&
	       (ps->keepers & BIT(pv->peer->node)) &&
	       (ps->set_version & SET_MARKS) == SET_VOTED &&
	       ps->set_version >> SET_TERM_SHIFT > res->reign &&
	       !(ps->in_sync & BIT(res->node));
}

/**
 * keeper_objects() - would we vote for one that may lack what counts?
 * @p: the candidate
 *
 * We have nothing to compare its data with.  Without a disk of its own it may live
 * on anybody's data.
 */
bool keeper_objects(const struct repl_peer *p)
{
	struct repl_pv *pv;

	if (!elects(p->res))
		return false;
	list_for_each_entry(pv, &p->pvs, by_peer)
		if (keeps(pv->vol) &&
		    (!pv->known || pv->peer_state.disk < DISK_INCONSISTENT ||
		     !((elect_set(pv->vol) & BIT(p->node)) ||
		       elect_in_newest(pv))))
			return true;
	return false;
}

/* ---- a majority ---- */

/** keepers_lacking() - how many more than these members it takes to keep a set */
u32 keepers_lacking(const struct repl_vol *vol, u32 members)
{
	if (!elects(vol->res))
		return 0;
	return edit_lacking(vol->res, members | keepers_now(vol));
}

bool members_suffice(const struct repl_res *res)
{
	struct repl_vol *vol;

	if (res->forced)
		return true;
	for_each_vol(vol, res)
		if (keepers_lacking(vol, in_sync_now(vol)))
			return false;
	return true;
}

/**
 * members_possible() - are so many waited for here that a majority could acknowledge?
 * @res: the resource, as if we were Primary and all others in step
 *
 * Both ends of a connection may be told not to wait for each other: then the one that is
 * far would wait for nobody.
 */
bool members_possible(const struct repl_res *res)
{
	u32 set = replica_nodes(res), witnesses = edit_list(res) & ~set;
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (p->conf.async)
			set &= ~BIT(i);
	return !by_majority(res) ||
	       (hweight32(set) >= ack_replicas(res, set, false) &&
		hweight32(set | witnesses) >= majority(res));
}

/** set_kept() - do so many keep the set that no other can be elected? */
bool set_kept(const struct repl_vol *vol)
{
	const struct repl_res *res = vol->res;

	return !elects(res) || MUTATED(MUT_QUORUM_IGNORED) ||
	       (MUTATED(MUT_SYNC_UNKEPT) && !by_majority(res)) ||
	       !edit_lacking(res, vol->in_sync | vol->keepers);
}

/** set_names() - is this peer in the set of any volume? */
bool set_names(const struct repl_peer *p)
{
	const struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->vol->in_sync & BIT(p->node))
			return true;
	return false;
}

static bool by_most(const struct repl_res *res, u32 nodes)
{
	return hweight32(nodes) >= majority(res);
}

/**
 * keep_set() - our disk knows another set from now on
 * @vol: the volume, with a disk
 * @in_sync: its members
 * @keepers: who keeps it beside them
 * @version: of it
 *
 * Under a set that no majority keeps nothing is acknowledged: the one before goes on
 * to count, and we were one of the majority that knows it.  So we go on knowing that
 * there was one.  Else an even older set would be taken for the one that counts.
 * The caller has it written.
 */
void keep_set(struct repl_vol *vol, u32 in_sync, u32 keepers, u64 version)
{
	const struct repl_res *res = vol->res;
	struct repl_store *s = vol->store;

	if ((s->set_version & SET_VOTED) &&
	    by_most(res, s->in_sync | s->keepers) &&
	    !by_most(res, in_sync | keepers))
		s->kept_before = max(s->kept_before, set_number(s->set_version));
	s->in_sync = in_sync;
	s->keepers = keepers;
	s->set_version = version;
}

/* ---- versions ---- */

/*
 * Has each replica what we have, so that there is no other branch?  One that nobody waits
 * for is in no set, and may lack the end of it: it has taken our generation all the same.
 */
static bool all_joined(const struct repl_res *res)
{
	struct repl_vol *vol;
	struct repl_pv *pv;
	u32 nodes;

	for_each_vol(vol, res) {
		nodes = in_sync_now(vol);
		for_each_pv(pv, vol)
			if (pv_serves_reads(pv))
				nodes |= BIT(pv->peer->node);
		if (hweight32(nodes) < replicas(res))
			return false;
	}
	return true;
}

/** set_force_ends() - does a set of one who was made Primary by force stand no more? */
bool set_force_ends(const struct repl_res *res)
{
	return res->forced && all_joined(res);
}

/** set_own_version() - this version, as of a set that we make */
u64 set_own_version(const struct repl_res *res, u64 version)
{
	version &= ~(SET_VOTED | SET_BY_ALL);
	if (elects(res))
		version |= SET_VOTED;
	return by_majority(res) ? version : version | SET_BY_ALL;
}

/**
 * elected_version() - what one who was elected says, until there is a set of its reign
 * @res: the resource
 * @known: version of the set that it knows
 *
 * Return: older than all sets of our reign, and newer than all before; or @known, if we
 * were not elected, or by force, or have begun
 */
u64 elected_version(const struct repl_res *res, u64 known)
{
	if (!needs_votes(res) || !reigns(res) || res->forced)
		return known;
	/* The set is the one before: what it says of acknowledgements stays true. */
	return max(known, SET_VOTED | (known & SET_BY_ALL) |
			  own_term(res) << SET_TERM_SHIFT);
}

/**
 * set_next_version() - of a new set of ours: newer than all that we know of
 * @res: the resource
 *
 * Elected primaries count their own: whatever a later one has done, ours stays
 * older.
 */
u64 set_next_version(struct repl_res *res)
{
	u64 version = own_term(res) << SET_TERM_SHIFT;

	if (elects(res))
		version += res->commit.count++ * SET_NEXT;
	else
		version = max(set_number(res->set_version) + SET_NEXT, version);
	if (set_force_ends(res))
		res->forced = false;
	if (res->forced)
		version |= SET_FORCED;
	return set_own_version(res, version);
}
