// SPDX-License-Identifier: GPL-2.0
/*
 * Comparing two replicas: who is the source, who the target, or why neither.
 *
 * Pure functions of what both ends know of each other, so that both come to
 * the same answer: repl_decide(a, b) is always the mirror of repl_decide(b, a)
 * (a unit test proves it for all combinations).
 */
#include "internal.h"

static bool has_disk(const struct repl_vstate *vs)
{
	return vs->disk >= DISK_INCONSISTENT;
}

static bool inconsistent(const struct repl_vstate *vs)
{
	return vs->disk == DISK_INCONSISTENT;
}

static enum verdict mirrored_if(bool me_target, bool peer_target)
{
	if (me_target == peer_target)
		return V_WAIT;
	return me_target ? V_TARGET : V_SOURCE;
}

/*
 * The version of the set that a node is a member of, 0: it was left out.
 *
 * Whoever makes a set durable that it is in has flushed before: it has all that
 * was acknowledged until then on stable media.  A member that does not know
 * this set never confirmed it, so nothing was acknowledged under it either.
 */
static u64 membership(const struct decide_node *n)
{
	return n->vs->in_sync & BIT(n->node) ? n->vs->set_version : 0;
}

/*
 * Both are consistent and of the same lineage, but some blocks may differ:
 * unconfirmed writes, or what a crash took from a cache.  Whose blocks count?
 * Those of the newer set; the survivor's: what it has was acknowledged or may
 * be; then the former primary's; then the lower node id's, so that there is an
 * answer.  Each of these is a property of one node: so there are no circles
 * among three.
 */
bool repl_better_source(const struct decide_node *a,
			const struct decide_node *b)
{
	bool ca = a->vs->flags & REPL_VS_CRASHED;
	bool cb = b->vs->flags & REPL_VS_CRASHED;
	bool pa = a->vs->flags & REPL_VS_WAS_PRIMARY;
	bool pb = b->vs->flags & REPL_VS_WAS_PRIMARY;

	bool ua = a->vs->disk == DISK_UPTODATE;
	bool ub = b->vs->disk == DISK_UPTODATE;
	/* A primary that had lost its disk was working with the other's data. */
	bool ma = a->primary && ua;
	bool mb = b->primary && ub;

	if (ma != mb)
		return ma;
	if (membership(a) != membership(b))
		return membership(a) > membership(b);
	if (ua != ub)
		return ua;
	if (ca != cb)
		return cb;
	if (pa != pb)
		return pa;
	return a->node < b->node;
}

static enum verdict equal_lineage(const struct decide_node *me,
				  const struct decide_node *peer)
{
	bool dirty = me->vs->dirty || peer->vs->dirty;

	if (inconsistent(me->vs) && inconsistent(peer->vs))
		return V_WAIT;
	if (inconsistent(me->vs) || inconsistent(peer->vs))
		return mirrored_if(inconsistent(me->vs), inconsistent(peer->vs));
	if (!dirty)
		return V_EQUAL;
	/*
	 * Two secondaries that both have every acknowledged write may differ
	 * in unconfirmed ones.  Making one Inconsistent now would cost
	 * availability for nothing: the promotion of either settles it.
	 */
	if (me->vs->disk == DISK_UPTODATE && peer->vs->disk == DISK_UPTODATE &&
	    !me->primary && !peer->primary)
		return V_EQUAL;
	return repl_better_source(me, peer) ? V_SOURCE : V_TARGET;
}

/*
 * Has a member of the set that @me knows been Primary in the past of @peer, and
 * since there is that set?  Sets of a later reign are newer.  What it began
 * before says nothing: a branch of that time may have been given up by force,
 * and the member have joined ours on a disk that was filled anew.  A Primary
 * whose disk is good is with its members, whatever they once did.
 */
static bool member_reigned_there(const struct decide_node *me,
				 const struct decide_node *peer)
{
	u32 i;

	if (peer->vs->set_version < me->vs->set_version ||
	    (me->primary && me->vs->disk == DISK_UPTODATE))
		return false;
	for (i = 0; i < REPL_NODES; i++)
		if (i != me->node && (me->vs->in_sync & BIT(i)) &&
		    peer->vs->lineage.gen[i] > me->vs->lineage.gen[i])
			return true;
	return false;
}

/*
 * Was the primary elected that made the set which it knows?  One that was made so
 * by force is not, until everybody has joined.
 */
static bool elected(const struct decide_node *n)
{
	return (n->vs->set_version & SET_MARKS) == SET_VOTED;
}

/*
 * Whoever is elected has all that was acknowledged with a majority before.  So what
 * @me has beyond a member of a later reign's set was not: its primary was cut off
 * then.  One that needed no majority may have gone on alone: its is a branch.
 */
bool repl_outreigned(const struct decide_node *me,
		     const struct decide_node *by)
{
	return by->votes && elected(by) &&
	       (me->vs->set_version & SET_VOTED) &&
	       by->vs->disk >= DISK_OUTDATED &&
	       membership(by) >> SET_TERM_SHIFT >
			me->vs->set_version >> SET_TERM_SHIFT;
}

/* The members, other than these two, that both of them count on. */
static u32 in_both_sets(const struct decide_node *a,
			const struct decide_node *b)
{
	return a->vs->in_sync & b->vs->in_sync &
	       ~(BIT(a->node) | BIT(b->node));
}

/*
 * A generation counts only once every member of the in-sync set has it, and
 * whatever is acknowledged is on every member.  So if @peer is a member of
 * the set that @me knows, what it lacks of our generations was never decided:
 * their primary died while it told of them.  (A peer that is Outdated has left
 * the set; so has the old disk that a Primary without one has just attached.)
 * Nor was it if any other member has begun a generation of its own without, or
 * is in the set of a Primary.
 */
static bool excess_is_void(const struct decide_node *me,
			   const struct decide_node *peer)
{
	bool good = peer->vs->disk >= (peer->primary ? DISK_UPTODATE :
						       DISK_CONSISTENT);

	if (good && (me->vs->in_sync & BIT(peer->node)))
		return true;
	if (good && peer->primary && membership(peer) && in_both_sets(me, peer))
		return true;
	return member_reigned_there(me, peer);
}

/*
 * A Primary knows which of its own generations came to nothing; an old disk
 * that it has attached does not.  (One that was forced has jumped over those
 * that it does not know.)
 */
static bool void_for_primary(const struct decide_node *me,
			     const struct decide_node *primary)
{
	const struct repl_lineage *its = &primary->vs->lineage;
	struct repl_lineage l;

	if (!primary->primary)
		return false;
	l = lineage_but_for(&me->vs->lineage, primary->node, its);
	if (excess_is_void(me, primary))
		return true;
	return primary->vs->disk == DISK_UPTODATE &&
	       lineage_compare(&l, its) == ORDER_EQUAL;
}

/*
 * An unfinished copy has nothing to lose.  But it knows how new the data must
 * be: only a Primary's word makes anything else of it.  A Primary's own copy may
 * know generations of its own that came to nothing: may_source() sees to that.
 */
static enum verdict one_unfinished(const struct decide_node *me,
				   const struct decide_node *peer)
{
	bool me_target = inconsistent(me->vs);
	const struct decide_node *target = me_target ? me : peer;
	const struct decide_node *source = me_target ? peer : me;
	const struct repl_lineage *has = &source->vs->lineage;
	struct repl_lineage needs = target->vs->lineage;

	if (target->primary)
		needs = lineage_but_for(&needs, target->node, has);
	if (!source->primary && !(target->vs->flags & REPL_VS_DISCARD) &&
	    !lineage_contains(has, &needs))
		return V_WAIT;
	return me_target ? V_TARGET : V_SOURCE;
}

static enum verdict by_lineage(const struct decide_node *me,
			       const struct decide_node *peer)
{
	bool drop_me = me->vs->flags & REPL_VS_DISCARD;
	bool drop_peer = peer->vs->flags & REPL_VS_DISCARD;
	enum repl_order order = lineage_compare(&me->vs->lineage,
						&peer->vs->lineage);

	if (inconsistent(me->vs) != inconsistent(peer->vs))
		return one_unfinished(me, peer);
	if (!inconsistent(me->vs) && order != ORDER_EQUAL) {
		if (repl_outreigned(me, peer))
			return V_TARGET;
		if (repl_outreigned(peer, me))
			return V_SOURCE;
	}
	switch (order) {
	case ORDER_EQUAL:
		return equal_lineage(me, peer);
	case ORDER_NEWER:
		if (inconsistent(me->vs))
			return V_WAIT;
		if (void_for_primary(me, peer))
			return equal_lineage(me, peer);
		return V_SOURCE;
	case ORDER_OLDER:
		if (inconsistent(me->vs))
			return V_WAIT;
		if (void_for_primary(peer, me))
			return equal_lineage(me, peer);
		return V_TARGET;
	case ORDER_CONCURRENT:
		break;
	}
	if (inconsistent(me->vs))
		return V_WAIT;
	if (excess_is_void(me, peer) && excess_is_void(peer, me))
		return equal_lineage(me, peer);
	if (excess_is_void(me, peer))
		return V_TARGET;
	if (excess_is_void(peer, me))
		return V_SOURCE;
	if (drop_me != drop_peer)
		return drop_me ? V_TARGET : V_SOURCE;
	/* A member of both sets can't have both: it knows, or a Primary will. */
	if (membership(me) && membership(peer) && in_both_sets(me, peer))
		return V_WAIT;
	/* Elected primaries don't branch: a member of the newest set knows. */
	if (me->votes && elected(me) && elected(peer))
		return V_WAIT;
	return V_DIVERGED;
}

/* ---- diverged: whose data is given up ---- */

/* Nothing was written on @n's side that @other lacks. */
static bool unchanged(const struct decide_node *n,
		      const struct decide_node *other)
{
	return !n->vs->dirty && repl_partial_ok(n->vs, other->vs);
}

static u64 last_reign(const struct decide_node *n)
{
	return n->vs->set_version >> SET_TERM_SHIFT;
}

/* Of all nodes.  Each promotion begins one, and so does what a lost peer lacks. */
static u64 generations_beyond(const struct decide_node *n,
			      const struct decide_node *other)
{
	const u32 *gen = n->vs->lineage.gen, *has = other->vs->lineage.gen;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < REPL_NODES; i++)
		sum += gen[i] > has[i] ? gen[i] - has[i] : 0;
	return sum;
}

/*
 * Was the Primary of @other there before they were parted, and that of @n was not?
 * Terms are no times: who was promoted twice meanwhile is ahead of one who was once,
 * whenever that was.  But with no more generations than it is ahead, @n has had one
 * for each promotion by which it is, and @other none.
 */
static bool younger(const struct decide_node *n, const struct decide_node *other)
{
	u64 reign = last_reign(n), its = last_reign(other);

	return reign > its && generations_beyond(n, other) == reign - its;
}

static bool gives_up(const struct decide_node *n,
		     const struct decide_node *other)
{
	if (n->primary && !MUTATED(MUT_PRIMARY_IS_VICTIM))
		return false;
	switch (split_policy(n->vs)) {
	case SPLIT_UNCHANGED:
		return unchanged(n, other) &&
		       (!unchanged(other, n) || other->primary ||
			repl_better_source(other, n));
	case SPLIT_YOUNGER:
		return younger(n, other);
	case SPLIT_SECONDARY:
		return other->primary;
	}
	return false;
}

/*
 * Both ends have to be told the same.  A node that is Primary is no victim: what
 * runs on it would have its data replaced below it.
 */
enum victim repl_victim(const struct decide_node *me,
			const struct decide_node *peer)
{
	bool mine, its;

	if (split_policy(me->vs) != split_policy(peer->vs))
		return VICTIM_NONE;
	mine = gives_up(me, peer);
	its = gives_up(peer, me);
	if (mine == its)
		return VICTIM_NONE;
	if (MUTATED(MUT_WRONG_VICTIM))
		mine = !mine;
	return mine ? VICTIM_ME : VICTIM_PEER;
}

/*
 * The same data has one size.  While it differs, one of the two has grown and
 * the other is about to (resize.c).
 */
bool repl_one_size(const struct repl_vstate *a, const struct repl_vstate *b)
{
	return a->dataset && a->dataset == b->dataset &&
	       lineage_compare(&a->lineage, &b->lineage) == ORDER_EQUAL;
}

/* Is there room on @a's disk for what @b has in use? */
static bool fits(const struct repl_vstate *a, const struct repl_vstate *b)
{
	return a->sectors >= b->cur_sectors;
}

/* A target takes the source's size, and of equal ones the smaller grows. */
static bool too_small(const struct repl_vstate *m, const struct repl_vstate *p,
		      enum verdict v)
{
	switch (v) {
	case V_EQUAL:
		return !fits(m, p) || !fits(p, m);
	case V_TARGET:
		return !fits(m, p) || (repl_one_size(m, p) && !fits(p, m));
	case V_SOURCE:
		return !fits(p, m) || (repl_one_size(m, p) && !fits(m, p));
	default:
		return false;
	}
}

enum verdict repl_decide(const struct decide_node *me,
			 const struct decide_node *peer)
{
	const struct repl_vstate *m = me->vs, *p = peer->vs;
	enum verdict v;

	if (!has_disk(m) || !has_disk(p))
		return V_WAIT;
	if (m->lbs != p->lbs)
		return V_BLOCK_SIZE;
	if (!m->dataset && !p->dataset)
		return V_EQUAL;
	if (m->dataset && p->dataset && m->dataset != p->dataset &&
	    inconsistent(m) == inconsistent(p))
		return V_UNRELATED;
	if (!m->dataset || !p->dataset)
		v = mirrored_if(!m->dataset, !p->dataset);
	else if (m->dataset != p->dataset)
		v = mirrored_if(inconsistent(m), inconsistent(p));
	else
		v = by_lineage(me, peer);
	return too_small(m, p, v) ? V_SIZE : v;
}

/*
 * A target is Inconsistent from the first block of a sync until it has the
 * source's lineage.  One that shows up otherwise has been set back to an old
 * image: what the source has cleared since is missing there.  The same goes for
 * a map in which writes are missing that the peer got too (store_shared()).
 */
static bool was_set_back(const struct repl_vstate *target,
			 const struct repl_vstate *source)
{
	return (source->flags & REPL_VS_BEGUN) && !inconsistent(target) &&
	       !lineage_contains(&target->lineage, &source->lineage);
}

/*
 * Do the two dirty maps together name every block that may differ?  Each map
 * is complete since the vector beside it; the other replica must not be older
 * than that.
 */
bool repl_partial_ok(const struct repl_vstate *me,
		     const struct repl_vstate *peer)
{
	if (MUTATED(MUT_SINCE_IGNORED))
		return true;
	if (!(me->flags & REPL_VS_SINCE_VALID) ||
	    !(peer->flags & REPL_VS_SINCE_VALID))
		return false;
	/* A replica gets its data set at the end of its first sync. */
	if (me->dataset != peer->dataset && me->dataset && peer->dataset)
		return false;
	if (was_set_back(me, peer) || was_set_back(peer, me))
		return false;
	return lineage_contains(&peer->lineage, &me->since) &&
	       lineage_contains(&me->lineage, &peer->since);
}
