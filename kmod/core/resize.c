// SPDX-License-Identifier: GPL-2.0
/*
 * The size of a volume: agreed on while there is no data, and grown in use.
 *
 * The backing devices and their metadata have grown before (the layout says
 * how far each can go).  The node that is told to resize grows, and says so;
 * all others see that a replica of the same data is larger than theirs, and
 * grow too.  So it is the announced state that decides: whoever was not there,
 * or crashed half-way, does it when it comes back.
 *
 * The volume of a Primary never becomes smaller: a disk that was away while it
 * grew grows when it is back, and a peer before a Primary without a good disk
 * goes on with its data.
 *
 * What has been added is dirty between all of them (store_set_size()), so that
 * a resync makes it equal: from the primary at once, else at the next promotion.
 *
 * Whoever grows says it before anything that follows from it, on the stream that
 * the writes take too.  So no peer gets a write, or a map, that reaches beyond
 * the end it knows.
 */
#include "internal.h"

/*
 * Before there is a data set the smallest disk decides.  Where there is one it
 * has a size, which a sync target takes over (target.c).
 */
void resize_agree(struct repl_vol *vol)
{
	struct repl_store *s = store_live(vol);
	struct repl_pv *pv;
	u64 sectors;

	if (!s || s->dataset)
		return;
	sectors = s->g.max_sectors;
	for_each_pv(pv, vol) {
		if (!usable(pv))
			continue;
		if (pv->peer_state.dataset)
			return;
		if (pv->peer_state.sectors)
			sectors = min(sectors, pv->peer_state.sectors);
	}
	if (sectors < vol->sectors)
		store_set_size(vol, sectors);
}

/*
 * A Primary's set, without those that lack the new part, is to be durable before
 * applications see any of it.
 */
static void set_size(struct repl_vol *vol, u64 sectors)
{
	struct repl_res *res = vol->res;

	store_set_size(vol, sectors);
	if (res->role == ROLE_PRIMARY)
		res->set_due = true;
	announce(res);
}

/*
 * The applications of a Primary know the end of its volume, and I/O that reaches
 * up to there may be waiting.  So its disk is as large before it is used.
 */
void resize_attached(struct repl_vol *vol)
{
	const struct repl_store *s = vol->store;

	if (s->dataset == vol->dataset && s->sectors < vol->sectors)
		set_size(vol, vol->sectors);
}

/* Not as large as a Primary's volume: it grows before we live on it. */
bool resize_short(const struct repl_pv *pv)
{
	return pv->vol->res->role == ROLE_PRIMARY &&
	       pv->peer_state.cur_sectors < pv->vol->sectors;
}

/* Of the peers that we live on without a good disk; 0: there are none. */
static u64 smallest_served(const struct repl_vol *vol)
{
	struct repl_pv *pv;
	u64 sectors = 0;

	for_each_pv(pv, vol) {
		if (!usable(pv) || pv->state != RS_ESTABLISHED ||
		    pv->peer_state.disk < DISK_CONSISTENT ||
		    pv->peer_state.dataset != vol->dataset)
			continue;
		if (!sectors || pv->peer_state.cur_sectors < sectors)
			sectors = pv->peer_state.cur_sectors;
	}
	return sectors;
}

static bool follow_without_disk(struct repl_vol *vol)
{
	u64 sectors = smallest_served(vol);

	if (!sectors || sectors == vol->sectors ||
	    (vol->res->role == ROLE_PRIMARY && sectors < vol->sectors))
		return false;
	set_size(vol, sectors);
	return true;
}

/* Is ours to become as large as the peer's? */
static bool follows(const struct repl_pv *pv, const struct repl_store *s)
{
	const struct repl_vstate *ps = &pv->peer_state;
	struct repl_vstate mine;

	if (!usable(pv) || ps->dataset != s->dataset ||
	    ps->cur_sectors <= s->sectors ||
	    ps->cur_sectors > s->g.max_sectors)
		return false;
	/* It may have no good disk, and be about to live on ours. */
	if (pv->peer->role == ROLE_PRIMARY)
		return true;
	if (ps->disk < DISK_INCONSISTENT)
		return false;
	my_vstate(pv, &mine);
	return repl_one_size(&mine, ps) || pv_verdict(pv) == V_EQUAL;
}

static u64 size_wanted(const struct repl_vol *vol, const struct repl_store *s)
{
	u64 sectors = s->sectors, most = s->g.max_sectors;
	struct repl_pv *pv;

	/* A sync target follows its source, and nobody else. */
	for_each_pv(pv, vol)
		if (is_target(pv))
			return max(sectors, min(most, pv->peer_state.cur_sectors));
	for_each_pv(pv, vol)
		if (follows(pv, s))
			sectors = max(sectors, pv->peer_state.cur_sectors);
	/* Its applications write to all that it lives on. */
	if (vol->res->role == ROLE_PRIMARY && vol->disk != DISK_UPTODATE)
		sectors = max(s->sectors, min(sectors, smallest_served(vol)));
	return sectors;
}

static bool follow(struct repl_vol *vol)
{
	struct repl_store *s = store_live(vol);
	u64 sectors;

	if (vol->disk == DISK_ATTACHING || MUTATED(MUT_SIZE_NOT_FOLLOWED))
		return false;
	if (!s)
		return follow_without_disk(vol);
	if (!s->dataset)
		return false;
	sectors = size_wanted(vol, s);
	if (sectors == s->sectors &&
	    (sectors == vol->sectors || vol->disk != DISK_UPTODATE))
		return false;
	set_size(vol, sectors);
	return true;
}

/*
 * Grow where a peer is larger.  Not while nothing may be said of our state: the
 * size is to be known before what follows from it.
 * Return: true if something has changed.
 */
bool resize_follow(struct repl_res *res)
{
	struct repl_vol *vol;
	bool grown = false;

	if (res->susp & SUSP_META)
		return false;
	for_each_vol(vol, res)
		grown |= follow(vol);
	return grown;
}

/* Do we have the same data in different sizes?  Then one of us is to grow. */
bool resize_due(const struct repl_pv *pv)
{
	struct repl_vstate mine;

	if (MUTATED(MUT_SIZE_NOT_FOLLOWED))
		return false;
	my_vstate(pv, &mine);
	return repl_one_size(&mine, &pv->peer_state) &&
	       mine.cur_sectors != pv->peer_state.cur_sectors;
}

int repl_resize(struct repl_vol *vol, u64 sectors, const char **why)
{
	struct repl_store *s = store_live(vol);
	struct repl_pv *pv;
	u64 most;

	if (!s || vol->disk != DISK_UPTODATE) {
		*why = "the data here is not up to date";
		return -EINVAL;
	}
	most = s->g.max_sectors;
	for_each_pv(pv, vol) {
		if (pv->peer->witness)
			continue;
		if (!usable(pv) || pv->state != RS_ESTABLISHED ||
		    pv->peer_state.disk != DISK_UPTODATE) {
			*why = "all peers must be connected and up to date";
			return -EBUSY;
		}
		most = min(most, pv->peer_state.sectors);
	}
	if (!sectors)
		sectors = most;
	if (sectors > most) {
		*why = "a backing device or its metadata is too small: grow all of them first";
		return -ENOSPC;
	}
	if (sectors < vol->sectors) {
		*why = "volumes can't be made smaller";
		return -EINVAL;
	}
	if (sectors == vol->sectors)
		return 0;
	if (vol->res->susp & SUSP_META) {
		*why = "a change of the in-sync set is under way: try again";
		return -EAGAIN;
	}
	set_size(vol, sectors);
	evaluate(vol->res);
	return 0;
}
