// SPDX-License-Identifier: GPL-2.0
/*
 * Fencing (fencing wait): one Primary at a time without votes, as somebody who can
 * switch machines off says so.
 *
 * A member that is lost has all that was acknowledged.  Somebody may make it Primary,
 * and then it goes on without us.  So a Primary commits no set without a peer that may
 * take itself for a member, and acknowledges nothing, until the peer has confirmed that
 * it is none any more, or is back, or was fenced: off since it was lost.  And a node
 * becomes Primary only if each other replica is connected, and so can object, or was
 * fenced.  Of two that have lost each other, one has to switch the other off before
 * anything is acknowledged again.
 *
 * One that knows a set of itself alone asks nobody.  A Primary that lives on its data
 * made that set, and may have been filled from there since.  So it waits for the peer,
 * fenced or not, until that has confirmed a set with another member.
 *
 * Who was off comes back with the set that it knew, which may be over.  So from a
 * restart on, until a Primary tells it that it is a member, it becomes Primary only if
 * all members of its set are connected and nobody knows a later one: those were there,
 * and would have been told.  A disk that was let go of counts as much; so a node whose
 * disk is detached leaves in order, without having to be fenced.
 *
 * The word that a peer was fenced is forgotten once that is connected, or another
 * Primary has made it a member.  Nothing of this is on disk.
 */
#include "internal.h"

#define PATIENCE_MS	2000	/* connections that were only reset are back by then */
#define WANTED_MS	60000	/* after a promotion that was refused */

static bool fences(const struct repl_res *res)
{
	return res->conf.fencing && !elects(res);
}

/* ---- what a peer knows of being a member ---- */

static bool is_only_member(const struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->vol->in_sync == BIT(p->node))
			return true;
	return false;
}

void fence_telling(struct repl_peer *p, bool named, u64 version)
{
	p->fence.named = named;
	p->fence.named_only = named && is_only_member(p);
	if (!named)
		return;
	p->fence.member = true;
	p->fence.only |= p->fence.named_only;
	p->fence.version = version;
}

void fence_confirmed(struct repl_peer *p)
{
	p->fence.member = p->fence.named;
	p->fence.only = p->fence.named_only;
}

void fence_members(struct repl_res *res, u32 set)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (set & BIT(i))
			p->fence.done = false;
}

static bool knows_itself_alone(const struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->known && pv->peer_state.in_sync == BIT(p->node))
			return true;
	return false;
}

/* Those that are not here have been fenced; or an administrator gives them up. */
void fence_begin(struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res) {
		p->fence.member = connected(p) && !p->witness;
		p->fence.only = p->fence.member && knows_itself_alone(p);
		p->fence.named = false;
		p->fence.named_only = false;
		p->fence.version = 0;
	}
}

void fence_connected(struct repl_peer *p)
{
	p->fence.done = false;
	p->fence.until_ms = 0;
}

/* Did it say that it has no good disk, after the last word that it is a member? */
static bool left_in_order(const struct repl_peer *p)
{
	const struct repl_vstate *ps;
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer) {
		ps = &pv->peer_state;
		if (pv->known && ps->disk < DISK_UPTODATE &&
		    ps->set_version >= p->fence.version)
			return true;
	}
	return false;
}

void fence_lost(struct repl_peer *p)
{
	p->fence.lost_ms = p->res->now;
	if (left_in_order(p) && !p->fence.only)
		p->fence.member = false;
}

/* ---- a Primary that has lost some ---- */

static bool lost_member(const struct repl_peer *p)
{
	return p->fence.member && !connected(p);
}

bool fence_holds(const struct repl_res *res)
{
	return fences(res) && res->role == ROLE_PRIMARY &&
	       any_peer(res, lost_member) && !MUTATED(MUT_FENCING_IGNORED);
}

bool fence_untold(const struct repl_peer *p)
{
	return fences(p->res) && connected(p) && p->fence.member && !set_names(p) &&
	       !MUTATED(MUT_FENCING_IGNORED);
}

void fence_suspend(struct repl_res *res)
{
	if (res->susp & SUSP_FENCING)
		return;
	res->susp |= SUSP_FENCING;
	res->evaluate_again = true;
	note(res, NOTE_RES, NULL, NULL, NULL);
}

void fence_check(struct repl_res *res)
{
	if (!(res->susp & SUSP_FENCING))
		return;
	if (!fence_holds(res)) {
		res->susp &= ~SUSP_FENCING;
		note(res, NOTE_RES, NULL, NULL, NULL);
	}
	app_check_done(res);
	app_release_held(res);
}

/* ---- a Secondary that is to be Primary ---- */

/* Members of the set that our disk knows, or those that we live on. */
static u32 known_set(const struct repl_vol *vol)
{
	const struct repl_store *s = store_live(vol);

	return (s ? s->in_sync : vol->in_sync) & ~BIT(vol->res->node);
}

/*
 * Was it a member after us?  Whoever left a set has heard of it before it was one, so
 * that says nothing.  One that was only renewed counts, too: its copy is better, see
 * source.c.
 */
static bool in_later_set(const struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	const struct repl_store *s = store_live(pv->vol);

	return s && usable(pv) && ps->dataset == s->dataset &&
	       (ps->in_sync & BIT(pv->peer->node)) &&
	       (ps->set_version | SET_MARKS) > (s->set_version | SET_MARKS);
}

/* Nothing differs, so what it knows we may go by. */
static bool is_equal(const struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	struct repl_vstate mine;

	my_vstate(pv, &mine);
	return mine.disk == DISK_UPTODATE && ps->disk == DISK_UPTODATE &&
	       !mine.dirty && !ps->dirty && pv_verdict(pv) == V_EQUAL;
}

/* @missing: who has to be connected for that */
static const char *may_be_over(const struct repl_vol *vol, u32 *missing)
{
	u32 here = BIT(vol->res->node);
	struct repl_pv *pv;

	*missing = known_set(vol);
	for_each_pv(pv, vol) {
		if (usable(pv))
			here |= BIT(pv->peer->node);
		if (!in_later_set(pv))
			continue;
		if (!is_equal(pv)) {
			*missing = 0;
			return "this node was away, and a peer has been in step since: make that one Primary, or let this one be filled; --force decides without that";
		}
		*missing |= pv->peer_state.in_sync;
	}
	*missing &= ~here;
	return *missing ? "this node was away, and those it was in step with may have gone on since: connect all of them; --force gives up what they have" :
			 NULL;
}

/* Any of them may be Primary; one that steps down for us knows who is a member. */
static u32 unheard(const struct repl_res *res, const struct repl_peer *from)
{
	u32 nodes = 0, set = from ? 0 : ~0U;
	struct repl_vol *vol;
	struct repl_peer *p;
	int i;

	if (from)
		for_each_vol(vol, res)
			set |= vol->in_sync;
	for_each_peer(p, i, res)
		if ((set & BIT(i)) && !p->witness && !connected(p) && !p->fence.done)
			nodes |= BIT(i);
	return nodes;
}

static const char may_be_primary[] = "a node that is not connected may be Primary (fencing wait): connect it, or power it off and then say: blkrepl fenced RES:NODE";

const char *fence_against(const struct repl_res *res, const struct repl_peer *from,
			  u32 *missing)
{
	struct repl_vol *vol;
	const char *why;

	*missing = 0;
	if (!fences(res))
		return NULL;
	for_each_vol(vol, res) {
		why = vol->told || from ? NULL : may_be_over(vol, missing);
		if (why)
			return why;
	}
	*missing = unheard(res, from);
	return *missing ? may_be_primary : NULL;
}

const char *fence_refuses(struct repl_res *res, const struct repl_peer *from)
{
	struct repl_peer *p;
	const char *why;
	u32 nodes;
	int i;

	why = fence_against(res, from, &nodes);
	for_each_peer(p, i, res)
		if (why == may_be_primary && (nodes & BIT(i)))
			p->fence.until_ms = res->now + WANTED_MS;
	return why;
}

/* ---- who is to be fenced ---- */

static bool is_wanted(const struct repl_peer *p)
{
	const struct repl_res *res = p->res;

	if (!fences(res) || connected(p) || p->fence.done ||
	    res->now - p->fence.lost_ms < PATIENCE_MS)
		return false;
	if (res->role == ROLE_PRIMARY)
		return (res->susp & SUSP_FENCING) && p->fence.member &&
		       !p->fence.only;
	return res->now < p->fence.until_ms;
}

static const char *what_waits(const struct repl_res *res)
{
	return res->role == ROLE_PRIMARY ?
	       "I/O waits until this peer is back, or was fenced" :
	       "this node is to be Primary, once this peer is connected, or was fenced";
}

void fence_tick(struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res) {
		if (p->fence.wanted == is_wanted(p))
			continue;
		p->fence.wanted = !p->fence.wanted;
		note(res, NOTE_PEER, NULL, p, NULL);
		if (p->fence.wanted)
			note(res, NOTE_FENCE, NULL, p, what_waits(res));
	}
}

int repl_fenced(struct repl_peer *p, const char **why)
{
	if (p->conn == CONN_CONNECTED) {
		*why = "the peer is connected: it has not been fenced";
		return -EISCONN;
	}
	if (p->res->role == ROLE_PRIMARY && p->fence.member && p->fence.only) {
		*why = "the peer has the only disk that is known to be good, and would go on without this node: bring it back, or remove it (del-peer)";
		return -EBUSY;
	}
	p->fence.done = true;
	p->fence.member = false;
	p->fence.wanted = false;
	note(p->res, NOTE_PEER, NULL, p, NULL);
	evaluate(p->res);
	return 0;
}
