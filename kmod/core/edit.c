// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes are added and removed in use, where primaries are elected.
 *
 * Each node has its own list of the nodes, and a majority is one of that list.  Any
 * majorities of two lists that differ by one node have a node in common, of two that
 * differ by more they need not.  So:
 *
 *  - Who tells a list that differs from ours by more than one node does not vote with
 *    us, nor we with it (edit_alike()); nor does it keep sets or promise anything.
 *  - The Primary decides, one node at a time (decides()): all others, but the one that
 *    is added or removed, are connected, vote, have its present list or the one to be,
 *    and know its newest set, which counts by both lists.
 *  - All others follow it, towards its list (follows()).
 *  - A node that is not in use takes what its configuration says.
 *  - It takes a majority by each list of those that are counted to elect, or to keep
 *    a set (edit_lacking()): a node that comes with a list that no Primary made has to
 *    win by theirs, too.
 *
 * Why no two lists that differ by more are in use: a Primary that decides has heard
 * the lists in the same stream in which its set was answered, and who knows that set
 * follows none of an earlier reign any more.  So there is its list and the one to be.
 * A Primary that decided while it was cut off has the list that it made, and so may
 * those that followed it: they are asked, too, or it is the one that is removed.  Then
 * no majority of its list is without one that knows the later set, and that is against
 * it, as the set does not have it.
 *
 * What was acknowledged: a Primary makes its set anew under its new list, and tells the
 * list only after that, so nobody judges an older set by it.  For what it acknowledges,
 * and who keeps the set, it asks for as much as any list of those in the set does; an
 * election takes the least of those that it knows.  So an election by either list does
 * not count on more than was there.  Who was removed is in no set any more, and has
 * nobody to elect it but those that know of such.
 */
#include "internal.h"

/** edit_list() - the nodes that we know, ourselves included */
u32 edit_list(const struct repl_res *res)
{
	u32 list = BIT(res->node);
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		list |= BIT(i);
	return list;
}

/** edit_told() - the list that we tell: a Primary's new one once its set is made */
u32 edit_told(struct repl_res *res)
{
	if (!reigns(res) || !elects(res))
		res->list_before = 0;
	return res->list_before ? res->list_before : edit_list(res);
}

/* One that does not say (an older module) has ours, as far as anybody knows. */
static u32 list_of(const struct repl_peer *p)
{
	return p->members ? p->members : edit_list(p->res);
}

/** edit_alike() - may this peer and we vote together? */
bool edit_alike(const struct repl_peer *p)
{
	u32 list = list_of(p);

	return ((list & BIT(p->res->node)) &&
		hweight32(list ^ edit_list(p->res)) <= 1) ||
	       MUTATED(MUT_EDITS_UNCHECKED);
}

/** edit_counts() - does this peer count where nodes vote, keep sets, promise? */
bool edit_counts(const struct repl_peer *p)
{
	return elects(p->res) && (p->res->electing & BIT(p->node));
}

/* Who votes with us, by what all have told? */
static void count_voters(struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	res->electing = BIT(res->node);
	for_each_peer(p, i, res)
		if (p->votes && edit_alike(p))
			res->electing |= BIT(i);
}

/**
 * edit_rx_list() - the nodes that a peer knows, as it tells
 * @p: the peer
 * @list: these
 *
 * One that knows another node by now has not heard yet that it is in step.
 */
void edit_rx_list(struct repl_peer *p, u32 list)
{
	struct repl_res *res = p->res;

	if (p->members && p->members != list && reigns(res) && elects(res))
		res->set_due = true;
	p->members = list;
	count_voters(res);
}

/* ---- what it takes, by all lists that are in use ---- */

/* Asked with every answer to a write: nearly always all lists are ours. */
static u32 by_lists(const struct repl_res *res, u32 nodes, edit_need need, u32 set,
		    bool most)
{
	u32 own = edit_list(res), result = need(res, own, set), its;
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res) {
		if (!(nodes & res->electing & BIT(i)) || !p->members || p->members == own)
			continue;
		its = need(res, p->members, set);
		result = most ? max(result, its) : min(result, its);
	}
	return result;
}

/** edit_most() - the most of it that our list asks for, or that of any of @nodes */
u32 edit_most(const struct repl_res *res, u32 nodes, edit_need need, u32 set)
{
	return by_lists(res, nodes, need, set, true);
}

/** edit_least() - and the least */
u32 edit_least(const struct repl_res *res, u32 nodes, edit_need need, u32 set)
{
	return by_lists(res, nodes, need, set, false);
}

/* How many more of them a majority of this list takes; who is not in it is no part of one. */
static u32 lacking_of(const struct repl_res *res, u32 list, u32 nodes)
{
	u32 need = majority_of(res, list, 0);
	u32 has = hweight32(nodes & list);

	return has < need ? need - has : 0;
}

/**
 * edit_lacking() - how many more than these nodes are a majority
 * @res: the resource
 * @nodes: these
 *
 * By our list, and by that of any of them.
 */
u32 edit_lacking(const struct repl_res *res, u32 nodes)
{
	nodes &= res->electing;
	return edit_most(res, nodes, lacking_of, nodes);
}

/* ---- may it be changed? ---- */

static bool disks_here(const struct repl_res *res)
{
	const struct repl_vol *vol;

	for_each_vol(vol, res)
		if (vol->store)
			return true;
	return false;
}

static bool on_line(const struct repl_peer *p)
{
	return p->conn == CONN_CONNECTED;
}

/*
 * That is what `up` and `down` see, and who removes the resource.  @node, whom the
 * change is about, is disconnected before it goes.
 */
static bool in_use(const struct repl_res *res, u8 node)
{
	if (list_empty(&res->vols))
		return false;
	return res->role == ROLE_PRIMARY || disks_here(res) ||
	       (peers_that(res, on_line) & ~BIT(node));
}

/* Not one that has missed a later reign, which we know of though nobody of it is here. */
static bool is_current(const struct repl_peer *p)
{
	const struct repl_res *res = p->res;

	return connected(p) && p->votes && (p->members & BIT(res->node)) &&
	       p->term >= res->term &&
	       p->term >= res->set_version >> SET_TERM_SHIFT;
}

/* Is it in the newest set that we know?  There it was put by a Primary that knows it. */
static bool in_our_set(const struct repl_res *res, u8 node)
{
	const struct repl_store *s;
	const struct repl_vol *vol;

	for_each_vol(vol, res) {
		s = store_keeps(vol);
		if (s && ((s->in_sync | s->keepers) & BIT(node)))
			return true;
	}
	return false;
}

/*
 * Does the Primary know a node that we are to know, or not one that we do?  It may be
 * the one that we are to know.
 */
static bool follows(const struct repl_res *res, u8 node)
{
	bool add = !res->peer[node];
	struct repl_peer *p;
	int i;

	if (add && in_our_set(res, node))
		return true;
	for_each_peer(p, i, res) {
		if (i == node || !is_current(p))
			continue;
		if (p->role == ROLE_PRIMARY ?
		    (p->members ^ edit_list(res)) & BIT(node) :
		    add && p->sees_primary == node)
			return true;
	}
	return false;
}

static bool knows_our_set(const struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (!pv->known ||
		    pv->peer_state.set_version != p->res->commit.version)
			return false;
	return true;
}

/* What keeps a Primary from deciding: one of the others. */
static const char *not_with_us(const struct repl_peer *p, u32 list, u32 after)
{
	if (!connected(p))
		return "it is not connected: all nodes have to be, but the one that is removed";
	if (!p->members || !p->votes)
		return "it does not vote, or does not say whom it knows: all nodes have to (quorum majority, and this version of the module)";
	if (p->members != list && p->members != after)
		return "it has another list of nodes: run adjust there, so that one change is everywhere before the next";
	if (!voter_likely(p) || !knows_our_set(p))
		return "it has no part in the in-sync set yet: try again once it is in sync";
	return NULL;
}

/* Does the set that counts now count by the list to be, too, without who goes? */
static bool set_counts(const struct repl_res *res, u32 list, u32 after)
{
	u32 need = max(majority_of(res, list, 0), majority_of(res, after, 0));
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (hweight32((vol->in_sync | vol->keepers) & res->electing &
			      list & after) < need)
			return false;
	return true;
}

/* Return: whether we, Primary, may go on with @after.  Else @no says why not. */
static bool decides(const struct repl_res *res, u8 node, struct repl_refusal *no)
{
	u32 list = edit_list(res), after = list ^ BIT(node);
	const struct repl_peer *p;
	int i;

	no->by = NULL;
	if (!reigns(res)) {
		no->why = "nodes are added and removed at the Primary first, and then at the others while these are connected to it; or while the resource is down";
		return false;
	}
	/* Of what is under way the others know less than we do. */
	if (res->vote.step != VOTE_NONE || res->set_due ||
	    res->commit.step != COMMIT_IDLE) {
		no->why = "a change of role or in-sync set is under way: try again";
		return false;
	}
	for_each_peer(p, i, res) {
		no->why = i == node ? NULL : not_with_us(p, list, after);
		no->by = p;
		if (no->why)
			return false;
	}
	no->by = NULL;
	no->why = NULL;
	if (res->susp || !lease_holds(res))
		no->why = "I/O is suspended: nodes are added and removed once a majority of the present ones is in step";
	else if (!set_counts(res, list, after))
		no->why = "too few are in step for a majority after the change: wait for their resync first";
	return !no->why;
}

/**
 * edit_allowed() - may this node be added to our list, or be removed?
 * @res: the resource
 * @node: its id
 * @no: else the reason
 *
 * Return: 0 or -EBUSY.
 */
int edit_allowed(const struct repl_res *res, u8 node, struct repl_refusal *no)
{
	if (!elects(res) || !in_use(res, node) ||
	    (!reigns(res) && follows(res, node)) || MUTATED(MUT_EDITS_UNCHECKED))
		return 0;
	return decides(res, node, no) ? 0 : -EBUSY;
}

/**
 * edit_done() - our list has changed
 * @res: the resource
 * @before: the list as it was
 *
 * A Primary makes its set anew by the new one: what was acknowledged before is on
 * all of it, and who was removed is not in it.
 */
void edit_done(struct repl_res *res, u32 before)
{
	count_voters(res);
	if (!elects(res) || !reigns(res) || list_empty(&res->vols))
		return;
	res->list_before = before;
	res->set_due = true;
}
