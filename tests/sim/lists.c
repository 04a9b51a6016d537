// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes are added and removed in use: an administrator, and what the configuration
 * files say.
 *
 * There is a list of nodes that is to be (W.list), one node different from the one
 * before.  The administrator goes from node to node in any order, tries again what is
 * refused, starts the new one with blank disks, and stops the one that is to go,
 * before or after.  What is told to a node that runs is in its file once it has
 * accepted it.  One that is down reads its file when it starts, see file_of().
 *
 * A hasty one does not wait until all have the same list before it is to be another.
 */
#include "sim.h"

static struct lists {
	u32 node;		/* whom the change is about */
	u32 before;		/* list before it */
	u32 decided;		/* as the newest Primary that went on has it, or had it */
	bool hasty;		/* a change was given up half-way */
	u32 blank;		/* nodes that are in nobody's list: new disks if added */
} L;

static u64 soon(void)
{
	if (W.phase == PH_HEAL)
		return rng_range(R, 5, 100) * MS;
	return (rng_pct(R, 60) ? rng_range(R, 1, 100) :
				 rng_range(R, 100, 1500)) * MS;
}

void lists_init(void)
{
	memset(&L, 0, sizeof(L));
	L.node = W.o.nodes;
	L.before = W.list;
	L.decided = W.list;
	L.blank = ((1U << W.o.nodes) - 1) & ~W.list;
	ev_add(soon(), EV_LISTS, NULL, 0, NULL, 0);
}

static bool runs(const struct node *n)
{
	return n->up && n->paused_until <= W.now && !n->down_wanted;
}

/* All have the list, who is new runs, and who is to go does not. */
static bool through(void)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		const struct node *n = &W.node[i];

		if (sim_member(i) ? n->list != W.list || n->out :
				    n->up || !n->out)
			return false;
	}
	return true;
}

bool lists_agree(char *why, size_t len)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		const struct node *n = &W.node[i];

		if (sim_member(i) && n->list != W.list)
			snprintf(why, len, "node %u knows 0x%x, not 0x%x", i,
				 n->list, W.list);
		else if (!sim_member(i) && n->up)
			snprintf(why, len, "node %u is still there", i);
		else
			continue;
		return false;
	}
	return true;
}

/* ---- a node ---- */

static void stop(struct node *n)
{
	T("admin: n%u is stopped for good", n->id);
	n->out = true;
	n->up_at = 0;
	if (rng_pct(R, 40))
		node_crash(n);
	else
		node_stop(n);
}

static void start(struct node *n)
{
	if (L.blank & BIT(n->id))
		for (u32 v = 0; v < W.o.vols; v++)
			disk_init(&W.disk[n->id][v], n->id, v, true);
	L.blank &= ~BIT(n->id);
	T("admin: n%u is started, list 0x%x", n->id, n->list);
	n->out = false;
	node_start(n);
}

/* The newest Primary that goes on; in the end, that wants to. */
static const struct node *leader(void)
{
	const struct node *p = NULL;

	for (u32 i = 0; i < W.o.nodes; i++) {
		const struct node *n = &W.node[i];

		if (n->up && n->res.role == ROLE_PRIMARY &&
		    (W.phase == PH_HEAL ? !n->res.renewing : !n->res.susp) &&
		    (!p || n->res.reign > p->res.reign))
			p = n;
	}
	return p;
}

/* It is looked at before it may be gone. */
static void look_at_leader(void)
{
	const struct node *p = leader();

	if (p)
		L.decided = p->list;
}

/*
 * In the end the administrator looks first: a Primary needs the others for it, and
 * those it.
 */
static bool hopeless(const struct node *n, u32 peer)
{
	const struct node *p = leader();

	if (W.phase != PH_HEAL)
		return false;
	if (n->res.role != ROLE_PRIMARY)
		return !p || (p->list & BIT(peer));
	for (u32 i = 0; i < W.o.nodes; i++) {
		const struct node *o = &W.node[i];

		if (o != n && i != peer && (n->list & BIT(i)) &&
		    (!net_both_up(link_of(n->id, i)) ||
		     (o->list != n->list && o->list != (n->list ^ BIT(peer)))))
			return true;
	}
	return false;
}

/* Return: whether it is known no more; one that is connected is told to let go. */
static bool forget(struct node *n, u32 peer, struct repl_refusal *no)
{
	struct link *l = link_of(n->id, peer);
	u32 side = n->peers[peer].side;

	no->why = "it is not the time for that";
	if (hopeless(n, peer))
		return false;
	if (l->up[side] || l->pending[side]) {
		l->want[side] = false;
		net_shut(l, side, false);
		no->why = "it is being disconnected";
		return false;
	}
	return !node_del_peer(n, peer, no);
}

/* Before that, the core takes what its configuration says. */
static bool in_use(const struct node *n)
{
	for (u32 v = 0; v < W.o.vols; v++)
		if (n->vols[v].vol.disk < DISK_INCONSISTENT)
			return false;
	return true;
}

static void edit(struct node *n, u32 peer)
{
	bool add = !(n->list & BIT(peer)), ok;
	struct link *l = link_of(n->id, peer);
	struct repl_refusal no = { NULL, NULL };

	W.cur = n;
	ok = add ? !node_add_peer(n, peer, &no) : forget(n, peer, &no);
	W.cur = NULL;
	T("admin: n%u %s n%u: %s%s", n->id, add ? "add" : "remove", peer,
	  ok ? "done" : "refused, ", ok || !no.why ? "" : no.why);
	cov[ok ? C_EDITS : C_EDITS_REFUSED]++;
	/* Whoever was to be disconnected is so only for that. */
	if (ok || W.phase == PH_HEAL || rng_pct(R, 20))
		l->want[n->peers[peer].side] = true;
	if (ok)
		n->list ^= BIT(peer);
	look_at_leader();
}

static u32 any_of(u32 mask)
{
	u32 best = 0, k = 0;

	for (u32 i = 0; i < W.o.nodes; i++)
		if ((mask & BIT(i)) && !rng_below(R, ++k))
			best = i;
	return best;
}

/*
 * For the file of one that is down: as a Primary has it that goes on.  In the end, if
 * there is none, as the last one had it: all others are told of a change after it, and
 * those of its sets are in its list.
 */
static u32 file_of(const struct node *n)
{
	if (W.phase == PH_HEAL || leader())
		return L.decided | BIT(n->id);
	return n->list;
}

/* The file of one that is down; or the command. */
static void edit_one(void)
{
	struct node *n = &W.node[rng_below(R, W.o.nodes)];
	const struct node *p = leader();
	u32 file = file_of(n), to = W.list | BIT(n->id);

	/* Who is to go is not told any more, but in the end others may need it. */
	if (!sim_member(n->id) && (W.phase != PH_HEAL || (n->out && !n->up)))
		return;
	if (W.phase == PH_HEAL && (p ? p != n : n->list != file))
		to = file;

	if (n->paused_until > W.now || n->down_wanted)
		return;
	if (!n->up && n->list != file) {
		T("admin: file of n%u says 0x%x", n->id, file);
		n->list = file;
		admin_list_changed();
	} else if (n->up && n->list != file && W.phase == PH_HEAL &&
		   n->res.role != ROLE_PRIMARY && !rng_below(R, 200)) {
		/* What a node in use refuses, one that is started again takes. */
		node_stop(n);
	} else if (n->up && in_use(n) && n->list != to) {
		edit(n, any_of(n->list ^ to));
	}
}

/* ---- the change ---- */

static void next_change(void)
{
	u32 all = (1U << W.o.nodes) - 1, gone;
	bool add = hweight32(W.list) < 3 ||
		   (W.list != all && rng_pct(R, 50));

	L.hasty = !through();
	gone = all & ~W.list;
	/* Once nobody knows it any more, another machine may have its name. */
	if (!L.hasty && rng_pct(R, 70))
		L.blank |= gone;
	L.node = any_of(add ? gone : W.list);
	L.before = W.list;
	W.list ^= BIT(L.node);
	T("admin: the nodes are to be 0x%x, not 0x%x%s", W.list, L.before,
	  L.hasty ? ", though that is not so everywhere" : "");
}

/* At any time; in the end once it is not needed, or is Primary still. */
static bool may_go(const struct node *n)
{
	const struct node *p = leader();

	if (W.phase != PH_HEAL)
		return rng_pct(R, 10);
	return p && (p == n || !(p->list & BIT(n->id))) && !rng_below(R, 100);
}

/* Who is to go, and who is to come. */
static void care_for_machines(void)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *n = &W.node[i];

		if (sim_member(i) && n->out && !n->up && rng_pct(R, 30)) {
			if (L.blank & BIT(i))
				n->list = W.list;
			start(n);
		} else if (!sim_member(i) && !n->out && runs(n) && may_go(n)) {
			stop(n);
		} else if (n->out && n->up && n->paused_until <= W.now &&
			   rng_pct(R, 2)) {
			/* I/O that nobody is left for keeps it from stopping. */
			node_crash(n);
		} else if (!sim_member(i) && n->out && !n->up &&
			   W.phase == PH_HEAL && !rng_below(R, 50) &&
			   !(L.blank & BIT(i)) && !through()) {
			/* What others wait for may be there only. */
			start(n);
		}
	}
}

void lists_event(void)
{
	ev_add(soon(), EV_LISTS, NULL, 0, NULL, 0);
	if (W.phase != PH_FAULTS && W.phase != PH_HEAL)
		return;
	look_at_leader();
	if (W.phase == PH_FAULTS &&
	    rng_pct(R, through() ? 20 : W.o.hasty_pct / 10))
		next_change();
	care_for_machines();
	edit_one();
}
