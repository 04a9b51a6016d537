// SPDX-License-Identifier: GPL-2.0
/*
 * Directed scenarios.
 *
 * split: the primary and some others are parted from the rest; a node of the
 * rest is promoted, both write, the parts meet again.  Divergence must be
 * found and the parts must not mix; then the admin names a victim.
 *
 * With a policy (after-split-brain) some step down before that, the second side
 * may not have written anything, and who gives up its data must be whom the
 * policy means.
 *
 * reborn: as above with three nodes; the victim B is overwritten while C,
 * which shares the branch given up, is away.  One of the two becomes primary
 * again and begins a generation.  When C is back it must be seen as behind:
 * not as equal or newer, and not as diverged, for its branch is in the past of
 * both.
 */
#include "sim.h"

static u64 wait_until;
static struct node *side[2];
static u64 writes_at[2];
static u64 writes_apart[2];	/* before they were parted */
static bool victim_named;
static u32 next;	/* of the two: Primary after the victim was filled */

static void later(u32 lo_ms, u32 hi_ms)
{
	wait_until = W.now + rng_range(R, lo_ms, hi_ms) * MS;
}

static bool connected_to(struct node *a, u32 mask)
{
	for (u32 i = 0; i < W.o.nodes; i++)
		if ((mask & BIT(i)) && i != a->id) {
			struct link *l = link_of(a->id, i);

			if (l->up[a->peers[i].side])
				return true;
		}
	return false;
}

static u32 group;	/* the nodes on the first primary's side */

static void split_now(void)
{
	struct node *p = admin_primary();
	u32 all = (1U << W.o.nodes) - 1;

	group = BIT(p->id);
	if (W.o.scenario == SCN_SPLIT)
		for (u32 i = 0; i < W.o.nodes; i++)
			if (rng_pct(R, 40))
				group |= BIT(i);
	if (group == all)
		group &= ~BIT((p->id + 1) % W.o.nodes);
	side[0] = p;
	side[1] = NULL;
	for (u32 i = 0; i < W.o.nodes; i++)
		if (!(group & BIT(i)) && !side[1])
			side[1] = &W.node[i];
	W.diverged_ok = true;
	T("script: split, side 0x%x with n%u, the rest with n%u", group,
	  side[0]->id, side[1]->id);
	for (u32 a = 0; a < W.o.nodes; a++)
		for (u32 b = a + 1; b < W.o.nodes; b++)
			if (!!(group & BIT(a)) != !!(group & BIT(b)))
				net_cut(&link_tab[a][b], 3, 100 * SEC);
}

static void mend(void)
{
	T("script: the parts meet");
	for (u32 a = 0; a < W.o.nodes; a++)
		for (u32 b = a + 1; b < W.o.nodes; b++) {
			link_tab[a][b].cut_until[0] = 0;
			link_tab[a][b].cut_until[1] = 0;
			for (u32 k = 0; k < 4; k++)
				link_tab[a][b].s[k / 2][k % 2].armed = false;
			ev_add(0, EV_CUT_END, NULL, 0, &link_tab[a][b], 0);
		}
	net_heal();
}

/* Writes acknowledged in the generation of a node, from its statistics. */
static u64 writes_of(struct node *n)
{
	u64 sum = 0;

	for (u32 v = 0; v < W.o.vols; v++)
		sum += n->vols[v].vol.stat.writes;
	return sum;
}

static void check_not_mixed(void)
{
	struct link *l;

	if (!side[0] || !side[1] || !side[0]->up || !side[1]->up)
		return;
	l = link_of(side[0]->id, side[1]->id);
	if (!net_both_up(l) || victim_named)
		return;
	for (u32 v = 0; v < W.o.vols; v++) {
		struct repl_pv_info x;

		repl_pv_info(&side[0]->vols[v].vol,
			     &side[0]->peers[side[1]->id].peer, &x);
		if (x.state >= RS_ESTABLISHED)
			violation("divergence",
				  "nodes %u and %u both wrote while parted and are %s without a victim",
				  side[0]->id, side[1]->id, rs_name(x.state));
	}
}

/* A policy makes @n give up its data for that of @peer: as it is meant to? */
void script_victim(const struct node *n, const struct repl_peer *peer)
{
	u32 mine = !(group & BIT(n->id));

	cov[C_VICTIMS]++;
	victim_named = true;
	if (n->res.role == ROLE_PRIMARY)
		violation("divergence", "node %u gives up its data, and is Primary",
			  n->id);
	if (W.phase != PH_FAULTS || W.o.scenario != SCN_SPLIT)
		return;
	/* Others may have been filled from the other side meanwhile. */
	if (n != side[mine] || peer->node != side[!mine]->id)
		return;
	if (W.o.after_split_brain == SPLIT_UNCHANGED &&
	    writes_of(side[mine]) != writes_apart[mine])
		violation("divergence", "node %u gives up its data as unchanged, and node %u has written",
			  n->id, side[mine]->id);
	if (W.o.after_split_brain == SPLIT_YOUNGER && !mine)
		violation("divergence", "node %u gives up its data, and node %u became Primary later",
			  n->id, side[1]->id);
	if (W.o.after_split_brain == SPLIT_SECONDARY &&
	    W.node[peer->node].res.role != ROLE_PRIMARY)
		violation("divergence", "node %u gives up its data for that of a Secondary, node %u",
			  n->id, peer->node);
}

static void demote(struct node *n)
{
	const char *why = NULL;

	n->demoting = 1;
	if (!app_stop(n))
		return;
	W.cur = n;
	if (!repl_demote(&n->res, false, &why))
		n->demoting = 0;
	W.cur = NULL;
}

void script_event(void)
{
	u32 all = (1U << W.o.nodes) - 1;
	bool reborn = W.o.scenario == SCN_REBORN;
	struct node *c = reborn && side[0] && side[1] ?
		&W.node[3 - side[0]->id - side[1]->id] : NULL;
	struct link *l = side[0] && side[1] ?
		link_of(side[0]->id, side[1]->id) : NULL;

	if (W.phase == PH_SETUP) {
		W.script = 0;
		side[0] = side[1] = NULL;
		wait_until = 0;
		victim_named = false;
	}
	if (W.phase > PH_FAULTS) {
		/* The story ends here, whoever was just to step down. */
		for (u32 i = 0; i < W.o.nodes; i++)
			W.node[i].demoting = 0;
		return;
	}
	ev_add(50 * MS, EV_SCRIPT, NULL, 0, NULL, 0);
	if (W.phase != PH_FAULTS || W.now < wait_until)
		return;
	switch (W.script) {
	case 0:
		if (!admin_primary())
			return;
		for (u32 i = 0; i < W.o.nodes; i++)
			for (u32 v = 0; v < W.o.vols; v++)
				if (W.node[i].vols[v].vol.disk != DISK_UPTODATE)
					return;
		W.script++;
		later(0, 1500);
		return;
	case 1:
		if (!admin_primary())
			return;
		split_now();
		for (u32 i = 0; i < 2; i++)
			writes_apart[i] = writes_of(side[i]);
		if (W.o.split_idle)
			side[1]->closed_until = W.now + 100 * SEC;
		W.script++;
		later(0, 300);
		return;
	case 2:
		if (connected_to(side[1], group) ||
		    connected_to(side[0], all & ~group))
			return;
		/* Without votes the core may insist on --force here. */
		if (!side[1]->voting && !admin_promote(side[1], false))
			admin_promote(side[1], true);
		W.script++;
		later(200, 500);
		return;
	case 3:
		if (side[1]->res.role != ROLE_PRIMARY) {
			if (!side[1]->voting)
				admin_promote(side[1], true);
			return;
		}
		M.primary = side[0];
		writes_at[0] = writes_of(side[0]);
		writes_at[1] = writes_of(side[1]);
		if (!W.o.split_idle)
			app_quiesce(side[1], false);
		W.script++;
		return;
	case 4:
		if (writes_of(side[0]) < writes_at[0] + 5 ||
		    (writes_of(side[1]) < writes_at[1] + 5 &&
		     !W.o.split_idle))
			return;
		for (u32 i = 0; i < 2; i++)
			if (W.o.split_roles & BIT(i) &&
			    side[i]->res.role == ROLE_PRIMARY)
				demote(side[i]);
		for (u32 i = 0; i < 2; i++)
			if (side[i]->demoting)
				return;
		if (reborn) {
			node_crash(c);
			c->up_at = 0;
		}
		mend();
		W.script++;
		later(1500, 2500);
		return;
	case 5:
		check_not_mixed();
		/* On a slow network with stalls it takes a while to meet. */
		if (!W.seen_diverged && W.now < wait_until + 20 * SEC)
			return;
		if (!W.seen_diverged)
			violation("divergence",
				  "nodes %u and %u met after both had written and nobody noticed",
				  side[0]->id, side[1]->id);
		if (!reborn) {
			W.script = 100;
			W.phase_end = W.now;
			return;
		}
		W.script++;
		return;
	case 6:
		demote(side[1]);
		if (side[1]->res.role == ROLE_PRIMARY)
			return;
		l->discard[l->end[0] == side[1] ? 0 : 1] = true;
		l->want[0] = l->want[1] = true;
		W.script++;
		later(500, 1000);
		return;
	case 7:
		/* A connection that broke before the sync began. */
		if (!l->want[0] || !l->want[1]) {
			l->discard[l->end[0] == side[1] ? 0 : 1] = true;
			l->want[0] = l->want[1] = true;
			return;
		}
		for (u32 v = 0; v < W.o.vols; v++) {
			struct repl_pv_info x;

			repl_pv_info(&side[0]->vols[v].vol,
				     &side[0]->peers[side[1]->id].peer, &x);
			if (x.state != RS_ESTABLISHED ||
			    x.peer_disk != DISK_UPTODATE)
				return;
		}
		demote(side[0]);
		if (side[0]->res.role == ROLE_PRIMARY)
			return;
		M.primary = NULL;
		next = rng_pct(R, 50);
		W.script++;
		return;
	case 8:
		if (side[next]->res.role != ROLE_PRIMARY) {
			if (!side[next]->voting)
				admin_promote(side[next], false);
			return;
		}
		writes_at[next] = writes_of(side[next]);
		/* Alone or not, it begins a generation. */
		if (rng_pct(R, 50))
			node_crash(side[!next]);
		W.script++;
		return;
	case 9:
		if (writes_of(side[next]) < writes_at[next] + 5)
			return;
		c->up_at = W.now;
		ev_add(0, EV_NODE_UP, NULL, 0, c, 0);
		W.script = 100;
		later(1000, 2000);
		return;
	default:
		W.phase_end = W.now;
	}
}
