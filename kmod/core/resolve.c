// SPDX-License-Identifier: GPL-2.0
/*
 * When a complete replica is a good one.
 *
 * After a crash, or when others have gone on without it, a replica can't tell
 * whether somebody knows better.  It is good again once it equals a good one,
 * or once all have been heard that may know better, and none does.
 */
#include "internal.h"

/*
 * It has no data to compare with, but knows a later set without us.  That came
 * to nothing if all of its members are here and none has heard of it.
 */
static bool left_us_out(const struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	const struct repl_store *s = pv->vol->store;

	return ps->disk == DISK_INCONSISTENT && ps->dataset == s->dataset &&
	       ps->set_version > s->set_version &&
	       !(ps->in_sync & BIT(pv->vol->res->node)) &&
	       (ps->in_sync & ~elect_not_told(pv->vol, ps->set_version));
}

/*
 * A Primary has attached its disk again, and all that this peer knows beyond it
 * are generations of ours that we have given up: it can't say so of itself.
 */
static bool knows_void_only(const struct repl_pv *pv)
{
	return pv->vol->res->role == ROLE_PRIMARY && same_but_for_ours(pv);
}

/*
 * It has heard that it is none, before our disk did: leavers_told().  It may have a
 * generation that came to nothing since.
 */
static bool has_left(const struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	const struct repl_store *s = pv->vol->store;

	return ps->dataset == s->dataset && ps->set_version == s->set_version &&
	       !(ps->in_sync & BIT(pv->peer->node));
}

/* Members that may know better, until they are heard and do not. */
u32 resolve_missing(const struct repl_vol *vol)
{
	u32 missing = vol->store->in_sync & ~BIT(vol->res->node);
	struct repl_pv *pv;
	enum verdict v;

	for_each_pv(pv, vol) {
		if (!usable(pv) || !(missing & BIT(pv->peer->node)) ||
		    left_us_out(pv))
			continue;
		v = pv_verdict(pv);
		if (v == V_EQUAL || v == V_SOURCE || has_left(pv) ||
		    (v == V_TARGET && knows_void_only(pv)))
			missing &= ~BIT(pv->peer->node);
	}
	return missing;
}

/* A good replica whose word counts: not a secondary's beside a primary. */
static bool counts(const struct repl_pv *pv)
{
	return usable(pv) && pv->peer_state.disk == DISK_UPTODATE &&
	       !primary_decides(pv);
}

/* A good member of @set lacks generations of @l: they came to nothing. */
bool void_there(const struct repl_pv *pv, u32 set, u64 dataset,
		const struct repl_lineage *l)
{
	const struct repl_vstate *ps = &pv->peer_state;

	return usable(pv) && ps->disk == DISK_UPTODATE &&
	       (set & BIT(pv->peer->node)) && ps->dataset == dataset &&
	       lineage_compare(l, &ps->lineage) == ORDER_NEWER;
}

/*
 * We were left out of the set, and a good member of it lacks generations that
 * we have heard of: they came to nothing.  So nothing was written in them, and
 * what we know of others since one of them holds since the one before.
 */
void drop_void(struct repl_vol *vol)
{
	struct repl_store *s = store_live(vol);
	u32 self = BIT(vol->res->node), i;
	const struct repl_lineage *l;
	struct repl_pv *pv;
	/* Its primary may be about to tell the others, while there is one. */
	bool follower = vol->disk == DISK_CONSISTENT && elects(vol->res);

	if (!s || (s->in_sync & self) || vol->res->role == ROLE_PRIMARY ||
	    (vol->disk != DISK_OUTDATED && !follower))
		return;
	for_each_pv(pv, vol) {
		l = &pv->peer_state.lineage;
		if ((follower && primary_decides(pv)) ||
		    !void_there(pv, s->in_sync, s->dataset, &s->lineage))
			continue;
		for (i = 0; i < s->nslots; i++)
			lineage_cap(&s->slot[i].since, l);
		s->lineage = *l;
		vol->lineage = *l;
		meta_want_sb(s);
		vol->res->evaluate_again = true;
	}
}

/*
 * Secondaries leave it to their primary to say who is in step.  But this one, in
 * whose set we are not, has gone on with a primary that we don't reach.
 * (Where primaries are elected, the votes look after that.)
 */
bool left_behind(const struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	const struct repl_store *s = store_live(pv->vol);

	return s && usable(pv) && !elects(pv->vol->res) &&
	       ps->disk == DISK_UPTODATE &&
	       ps->dataset == s->dataset &&
	       !(ps->in_sync & BIT(pv->vol->res->node)) &&
	       ps->set_version > s->set_version &&
	       primary_seen(pv->vol->res) == NODE_NONE &&
	       lineage_compare(&ps->lineage, &s->lineage) == ORDER_NEWER;
}

/* One good replica that we lack something of is enough. */
static bool is_behind(const struct repl_vol *vol)
{
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if ((counts(pv) && pv_verdict(pv) == V_TARGET) ||
		    left_behind(pv))
			return true;
	return false;
}

/* A good replica has all that ours has, and no election has to tell. */
static bool overtaken(const struct repl_vol *vol)
{
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if (counts(pv) && pv_verdict(pv) == V_TARGET &&
		    !promotion_decides(pv))
			return true;
	return false;
}

static bool equals_uptodate_peer(const struct repl_vol *vol)
{
	struct repl_vstate mine;
	struct repl_pv *pv;

	for_each_pv(pv, vol) {
		if (!counts(pv) || pv->sync.step != SYNC_IDLE ||
		    pv_verdict(pv) != V_EQUAL)
			continue;
		my_vstate(pv, &mine);
		if (!mine.dirty && !pv->peer_state.dirty)
			return true;
	}
	return false;
}

/*
 * Outdated is one that was left out of the set, or one that was told of a
 * better copy: that one may be gone for good before a block was copied.
 */
static bool maybe_best(const struct repl_vol *vol)
{
	return vol->disk == DISK_CONSISTENT ||
	       (vol->store->in_sync & BIT(vol->res->node));
}

void resolve_consistent(struct repl_vol *vol)
{
	if (!store_live(vol) || !vol->store->dataset)
		return;
	if (vol->disk != DISK_CONSISTENT && vol->disk != DISK_OUTDATED)
		return;
	if (elect_among_all(vol) && !overtaken(vol)) {
		set_disk(vol, DISK_UPTODATE);
		return;
	}
	if (is_behind(vol))
		return;
	/* Complete, but nobody waits for us. */
	if (vol->follower && primary_seen(vol->res) != NODE_NONE) {
		if (equals_uptodate_peer(vol))
			set_disk(vol, DISK_CONSISTENT);
		return;
	}
	/* A Primary's disk that is older than what it is working with. */
	if (vol->res->role == ROLE_PRIMARY &&
	    !lineage_contains(&vol->store->lineage, &vol->lineage))
		return;
	if (equals_uptodate_peer(vol) ||
	    (maybe_best(vol) && !resolve_missing(vol)))
		set_disk(vol, DISK_UPTODATE);
}
