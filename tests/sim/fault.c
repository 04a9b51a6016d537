// SPDX-License-Identifier: GPL-2.0
/*
 * Faults, and commands of an admin at awkward moments.  Bounded by what must
 * be recoverable: a disk fails only while another good replica is reachable,
 * one disk at a time; in the end everything comes back.
 */
#include "sim.h"

static struct node *some_node(bool up)
{
	struct node *best = NULL;
	u32 n = 0;

	for (u32 i = 0; i < W.o.nodes; i++)
		if (W.node[i].up == up && !rng_below(R, ++n))
			best = &W.node[i];
	return best;
}

static struct node *some_secondary(void)
{
	struct node *best = NULL;
	u32 n = 0;

	for (u32 i = 0; i < sim_replicas(); i++)
		if (W.node[i].up && W.node[i].paused_until <= W.now &&
		    !W.node[i].down_wanted &&
		    W.node[i].res.role != ROLE_PRIMARY &&
		    !W.node[i].voting && !rng_below(R, ++n))
			best = &W.node[i];
	return best;
}

static struct link *some_link(void)
{
	u32 a = rng_below(R, W.o.nodes), b = rng_below(R, W.o.nodes - 1);

	return link_of(a, b < a ? b : b + 1);
}

void fault_crash(struct node *n, u32 back_ms)
{
	if (!n || !n->up)
		return;
	node_crash(n);
	n->up_at = W.now + back_ms * MS;
	ev_add(back_ms * MS, EV_NODE_UP, NULL, 0, n, 0);
}

static u64 span(void)
{
	return rng_pct(R, 70) ? rng_range(R, 10, 1000) * MS
			      : rng_range(R, 1000, 5000) * MS;
}

/* Does volume @v live on elsewhere, reachable from the primary? */
static bool expendable(struct node *n, u32 v)
{
	struct node *p = admin_primary();

	if (!p || p->paused_until > W.now)
		return false;
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *o = &W.node[i];

		if (o == n || !o->up || !(admin_set(v) & BIT(i)) ||
		    (M.lost & BIT(i)) || W.disk[i][v].error_what ||
		    o->vols[v].vol.disk != DISK_UPTODATE)
			continue;
		if (o == p || net_both_up(link_of(i, p->id)))
			return true;
	}
	return false;
}

static void disk_error(void)
{
	struct node *n = some_node(true);
	u32 v = rng_below(R, W.o.vols);
	struct sim_disk *d;

	for (u32 i = 0; i < W.o.nodes; i++)
		for (u32 k = 0; k < W.o.vols; k++)
			if (W.disk[i][k].error_what)
				return;
	if (!n || !n->vols[v].open || !expendable(n, v))
		return;
	d = &W.disk[n->id][v];
	d->error_what = (u8)rng_range(R, 1, 7);
	if (rng_pct(R, 60))
		d->error_once = rng_range(R, 1, 3);
	else
		d->error_until = W.now + span();
	T("fault: n%u v%u disk errors, mask %u", n->id, v, d->error_what);
}

static void partition(bool isolate)
{
	u32 side = isolate ? BIT(rng_below(R, W.o.nodes))
			   : rng_below(R, 1U << W.o.nodes);
	u32 dirs = rng_pct(R, 70) ? 3 : rng_range(R, 1, 3);
	u64 us = span();

	T("fault: partition, side 0x%x, directions %u, %llu ms", side, dirs,
	  (unsigned long long)us / MS);
	for (u32 a = 0; a < W.o.nodes; a++)
		for (u32 b = a + 1; b < W.o.nodes; b++)
			if (!!(side & BIT(a)) != !!(side & BIT(b)))
				net_cut(&link_tab[a][b], dirs, us);
}

/* ---- commands ---- */

/*
 * Where a majority acknowledges, a member that does not take part for a time has
 * failed: it may have the later writes of other volumes and not these.
 */
static int let_go(struct node *n, u32 v, const char **why)
{
	int err;

	W.cur = n;
	err = repl_detach(&n->vols[v].vol, false, why);
	W.cur = NULL;
	if (!err && sim_votes() &&
	    n->res.role != ROLE_PRIMARY)
		admin_disk_failed(n, v);
	return err;
}

static void detach(void)
{
	struct node *n = some_node(true);
	u32 v = rng_below(R, W.o.vols);
	const char *why = NULL;
	int err;

	if (!n || n->paused_until > W.now || n->down_wanted ||
	    !n->vols[v].open || !expendable(n, v))
		return;
	err = let_go(n, v, &why);
	T("admin: n%u v%u detach %d %s", n->id, v, err, why ? why : "");
}

static void invalidate(void)
{
	struct node *n = some_secondary(), *p = admin_primary();
	u32 v = rng_below(R, W.o.vols);
	const char *why = NULL;
	int err;

	if (!n || !p || !n->vols[v].open || !expendable(n, v) ||
	    !net_both_up(link_of(n->id, p->id)) ||
	    p->vols[v].vol.disk != DISK_UPTODATE)
		return;
	if (rng_pct(R, 50)) {
		W.cur = n;
		err = repl_invalidate(&n->vols[v].vol, &why);
	} else {
		W.cur = p;
		err = repl_invalidate_remote(&p->vols[v].vol,
					     &p->peers[n->id].peer, &why);
	}
	W.cur = NULL;
	T("admin: n%u v%u invalidate %d %s", n->id, v, err, why ? why : "");
	/* It does not vouch any more for what a majority acknowledged. */
	if (!err && sim_votes())
		M.lost |= BIT(n->id);
}

static void pause_sync(void)
{
	struct node *n = some_node(true);
	u32 v = rng_below(R, W.o.vols), k = rng_below(R, W.o.nodes);
	const char *why = NULL;
	bool pause = rng_pct(R, 60);

	if (!n || n->id == k || n->paused_until > W.now)
		return;
	W.cur = n;
	repl_pause(&n->vols[v].vol, &n->peers[k].peer, pause, &why);
	W.cur = NULL;
	T("admin: n%u v%u %s sync with n%u", n->id, v,
	  pause ? "pause" : "resume", k);
}

static void disconnect(void)
{
	struct link *l = some_link();
	u32 side = rng_below(R, 2);
	struct node *n = l->end[side];

	if (!n->up || n->paused_until > W.now)
		return;
	T("admin: n%u disconnect n%u", n->id, l->end[!side]->id);
	l->want[side] = false;
	net_shut(l, side, false);
}

static void switch_roles(void)
{
	struct node *n = some_secondary(), *p = admin_primary();

	if (!n || !p || M.want || p->down_wanted)
		return;
	for (u32 v = 0; v < W.o.vols; v++)
		if ((!(admin_set(v) & BIT(n->id)) && !is_follower(n)) ||
		    !n->vols[v].open)
			return;
	if ((M.lost & BIT(n->id)) || !net_both_up(link_of(p->id, n->id)))
		return;
	M.want = n;
	M.by_move = rng_pct(R, 50);
	M.hasty = rng_pct(R, 25);
	T("admin: switch from n%u to n%u%s", p->id, n->id,
	  !M.by_move ? "" : M.hasty ? ", in use" : ", asked there");
}

/*
 * A secondary gets another disk.  Only one that nobody counts on, and that
 * somebody can fill again.
 */
static void replace(void)
{
	struct node *n = some_secondary(), *p = admin_primary();
	u32 v = rng_below(R, W.o.vols);
	const char *why = NULL;
	struct vol_node *vn;

	if (!n || !p || !expendable(n, v))
		return;
	vn = &n->vols[v];
	if (vn->open) {
		let_go(n, v, &why);
		return;
	}
	if (vn->closing || vn->attaching || (admin_set(v) & BIT(n->id)))
		return;
	/* A voter that has forgotten what it keeps is counted on in vain. */
	if (W.o.votes && (!p->vols[v].open || (BIT(n->id) &
			  disk_durable_keepers(&W.disk[p->id][v]))))
		return;
	T("admin: n%u v%u gets another disk", n->id, v);
	disk_init(&W.disk[n->id][v], n->id, v, true);
	cov[C_REPLACED]++;
	ev_add(rng_below(R, 500 * MS), EV_ATTACH, n, (u16)v, NULL, 0);
}

/*
 * The image of a secondary's disk is set back, as by a snapshot of its
 * machine.  Only if it was a member again since, in a newer generation: an
 * older image of the same generation can't be told from the disk.
 */
static struct rollback {
	struct sim_disk image;
	struct node *node;
	u32 v;
} rb;

static void rollback(void)
{
	struct node *n = rb.node ? rb.node : some_secondary();
	u32 v = rb.node ? rb.v : rng_below(R, W.o.vols);
	struct node *p = admin_primary();
	struct sim_disk *d;
	struct vol_node *vn;
	const char *why = NULL;
	bool newer;

	/* It may have become a member since the manager looked. */
	admin_poll_set();
	if (!n || !p || n == p || !n->up || n->paused_until > W.now ||
	    n->down_wanted || !expendable(n, v))
		return;
	d = &W.disk[n->id][v];
	vn = &n->vols[v];
	if (d->error_what || vn->closing || vn->attaching)
		return;
	newer = rb.node && (disk_durable_flags(d), true) &&
		memcmp(d->sb_lineage, rb.image.sb_lineage,
		       sizeof(d->sb_lineage));
	if (vn->open) {
		if (vn->vol.disk != DISK_UPTODATE || (rb.node && !newer))
			return;
		let_go(n, v, &why);
		return;
	}
	if ((disk_durable_flags(d) & (META_F_UNCLEAN | META_F_INCONSISTENT |
				      META_F_OUTDATED)) ||
	    (admin_set(v) & BIT(n->id)))
		return;
	if (!rb.node) {
		T("admin: image of n%u v%u taken", n->id, v);
		rb.node = n;
		rb.v = v;
		disk_copy(&rb.image, d);
		memcpy(rb.image.sb_lineage, d->sb_lineage,
		       sizeof(d->sb_lineage));
	} else if (newer) {
		T("admin: n%u v%u set back to its image", n->id, v);
		disk_copy(d, &rb.image);
		cov[C_ROLLBACKS]++;
		rb.node = NULL;
	}
}

/*
 * The disks have room: mostly for a little more, now and then for all.  It takes
 * all replicas to be good, so an admin tries again for a while; and once it is
 * done the power may go before half of it is on any disk.
 */
static void resize(u64 tries)
{
	struct node *n = some_node(true);
	u32 v = rng_below(R, W.o.vols);
	u64 old, sectors = 0;
	const char *why = NULL;
	int err;

	if (tries)
		ev_add(rng_range(R, 1, 100) * MS, EV_FAULT, NULL, FE_RESIZE,
		       NULL, tries - 1);
	if (!n || n->paused_until > W.now || n->down_wanted)
		return;
	old = n->vols[v].vol.sectors;
	if (!rng_pct(R, 10))
		sectors = old + rng_range(R, 1, rng_pct(R, 50) ? 100 : 2000) *
				BLOCK_SECTORS;
	W.cur = n;
	err = repl_resize(&n->vols[v].vol, sectors, &why);
	W.cur = NULL;
	T("admin: n%u v%u resize from %llu to %llu: %d %s", n->id, v,
	  (unsigned long long)old, (unsigned long long)sectors, err,
	  why ? why : "");
	if (n->vols[v].vol.sectors == old)
		return;
	cov[C_RESIZED]++;
	if (rng_pct(R, 20))
		ev_add(rng_below(R, 60 * MS), EV_FAULT, NULL, FE_CUT, NULL, 0);
}

/* Would a majority hear of it that this Primary goes on without votes? */
static bool majority_hears(struct node *p)
{
	u32 n = 0;

	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *o = &W.node[i];
		bool disks = o == p || (o->up && o->paused_until <= W.now &&
					net_both_up(link_of(p->id, i)));

		for (u32 v = 0; v < W.o.vols; v++)
			disks = disks && o->vols[v].open;
		n += disks;
	}
	return n >= sim_majority();
}

/*
 * What the configuration file says; one that does not run reads it later.  A
 * Primary may refuse: the admin tries again.
 */
static void set_votes(struct node *n, bool on)
{
	struct repl_res_conf conf = n->res.conf;
	const char *why;

	conf.votes = on;
	if (n->up && repl_conf_allowed(&n->res, &conf, &why))
		return;
	n->votes = on;
	T("admin: n%u quorum %s", n->id, on ? "majority" : "off");
	if (!n->up)
		return;
	/* As by force: others may be elected, or have been. */
	if (!on && n->res.role == ROLE_PRIMARY && !majority_hears(n))
		admin_declare_loss("quorum off at a Primary that is cut off");
	W.cur = n;
	n->res.conf = conf;
	repl_conf_changed(&n->res);
	W.cur = NULL;
}

/* The next node that is not as the others are to be: the Primary last, mostly. */
static struct node *next_to_switch(bool on, bool any_order)
{
	struct node *best = NULL;
	u32 k = 0;

	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *n = &W.node[i];
		bool last = best && n->up && n->res.role == ROLE_PRIMARY;

		if (n->votes == on || (n->up && n->paused_until > W.now))
			continue;
		if ((!last || any_order) && !rng_below(R, ++k))
			best = n;
		else if (best->up && best->res.role == ROLE_PRIMARY &&
			 !any_order)
			best = n;
	}
	return best;
}

/* Node by node, with time for anything in between. */
static void switch_votes(u64 how)
{
	bool on = how & 1, any_order = how & 2;
	struct node *n = next_to_switch(on, any_order);

	if (!n)
		return;
	W.switched = true;
	set_votes(n, on);
	ev_add(rng_range(R, 1, rng_pct(R, 50) ? 50 : 1000) * MS, EV_FAULT,
	       NULL, FE_QUORUM, NULL, how);
}

void fault_draw_policy(struct node *n)
{
	n->ack_policy = rng_pct(R, 50) ? ACK_QUORUM : ACK_SYNC;
	n->min_in_sync = (u8)(rng_pct(R, 50) ? 0 :
			      rng_below(R, sim_replicas() + 1));
}

/* An admin looks at one node only, and leaves it as it was if it refuses. */
static void switch_policy(void)
{
	struct node *n = &W.node[rng_below(R, W.o.nodes)];
	struct repl_res_conf conf = n->res.conf;
	const char *why;

	if (n->paused_until > W.now)
		return;
	fault_draw_policy(n);
	T("admin: n%u ack-policy %u min-in-sync %u", n->id, n->ack_policy,
	  n->min_in_sync);
	if (!n->up)
		return;
	conf.ack_policy = n->ack_policy;
	conf.min_in_sync = n->min_in_sync;
	if (repl_conf_allowed(&n->res, &conf, &why)) {
		T("admin: refused: %s", why);
		n->ack_policy = n->res.conf.ack_policy;
		n->min_in_sync = n->res.conf.min_in_sync;
		return;
	}
	W.cur = n;
	n->res.conf = conf;
	repl_conf_changed(&n->res);
	W.cur = NULL;
}

static void cut_power(void)
{
	if (rng_pct(R, 50)) {
		fault_crash(some_node(true), rng_range(R, 50, 3000));
		return;
	}
	for (u32 i = 0; i < W.o.nodes; i++)
		fault_crash(&W.node[i], rng_range(R, 100, 2000));
}

/* A second primary is asked for, in full view of the first. */
static void illegal(void)
{
	struct node *n = some_secondary(), *p = admin_primary();
	struct link *l;

	if (!n || !p || p == n || M.want || M.illegal ||
	    p->paused_until > W.now)
		return;
	l = link_of(p->id, n->id);
	if (!net_both_up(l) || l->cut_until[0] > W.now ||
	    l->cut_until[1] > W.now)
		return;
	for (u32 k = 0; k < 4; k++)
		if (l->s[k / 2][k % 2].stall_until > W.now)
			return;
	for (u32 v = 0; v < W.o.vols; v++) {
		struct repl_pv_info x, y;

		repl_pv_info(&n->vols[v].vol, &n->peers[p->id].peer, &x);
		repl_pv_info(&p->vols[v].vol, &p->peers[n->id].peer, &y);
		if (x.state != RS_ESTABLISHED || y.state != RS_ESTABLISHED)
			return;
	}
	M.illegal = n;
	if (!admin_promote(n, false))
		M.illegal = NULL;
}

/* Nobody lives that is known to have everything: take what there is. */
static void force(void)
{
	struct node *n;

	for (u32 i = 0; i < W.o.nodes; i++)
		if (W.node[i].up && (W.node[i].res.role == ROLE_PRIMARY ||
				     W.node[i].voting))
			return;
	n = some_secondary();
	if (!n || M.illegal)
		return;
	for (u32 v = 0; v < W.o.vols; v++)
		if (!n->vols[v].open || !n->vols[v].vol.dataset ||
		    n->vols[v].vol.disk <= DISK_FAILED)
			return;
	admin_declare_loss("primary --force");
	admin_promote(n, true);
}

static void stop_clean(void)
{
	struct node *n = some_node(true);

	if (!n || n->paused_until > W.now || n->down_wanted || n->voting ||
	    n == M.want)
		return;
	T("admin: n%u down", n->id);
	node_stop(n);
}

void fault_init(void)
{
	memset(&rb, 0, sizeof(rb));
}

/* secondary --force */
static void depose(void)
{
	struct node *n = &W.node[rng_below(R, W.o.nodes)];
	const char *why = NULL;

	if (!n->up || n->paused_until > W.now || n->res.role != ROLE_PRIMARY)
		return;
	T("admin: n%u secondary --force", n->id);
	cov[C_DEPOSED]++;
	W.cur = n;
	repl_demote(&n->res, true, &why);
	W.cur = NULL;
}

/* Most often the one whose lease is at stake. */
static void suspend(void)
{
	struct node *n = rng_pct(R, 50) ? admin_primary() : some_node(true);
	bool stops = rng_pct(R, 50);

	if (!n || n->paused_until > W.now)
		return;
	n->paused_until = W.now + span();
	if (stops)
		clock_stop(n, n->paused_until);
	cov[C_SUSPENDED]++;
	T("fault: n%u is suspended until %llu ms, its clock %s", n->id,
	  (unsigned long long)n->paused_until / MS, stops ? "too" : "goes on");
}

/* It is slow, or was so until a moment ago, and has not caught up. */
static bool lags(const struct node *p, const struct node *n)
{
	if (n->lag_until > W.now)
		return true;
	for (u32 v = 0; v < W.o.vols; v++)
		if (!((p->vols[v].vol.in_sync | p->async) & BIT(n->id)))
			return true;
	return false;
}

/* Not where the application is, and not too many at a time. */
static void lag(void)
{
	struct node *n = some_secondary(), *p = admin_primary();
	u64 us = rng_range(R, 500, 6000) * MS;
	u32 slow = 1;

	if (!n || !p || n == p || lags(p, n))
		return;
	for (u32 i = 0; i < W.o.nodes; i++)
		slow += lags(p, &W.node[i]);
	if (slow > W.o.lag_most)
		return;
	n->lag_until = W.now + us;
	cov[C_LAGS]++;
	if (rng_pct(R, 50)) {
		T("fault: the disks of n%u stand still until %llu ms", n->id,
		  (unsigned long long)n->lag_until / MS);
		for (u32 v = 0; v < W.o.vols; v++)
			W.disk[n->id][v].stuck_until = n->lag_until;
	} else {
		T("fault: n%u gets no data until %llu ms", n->id,
		  (unsigned long long)n->lag_until / MS);
		net_stall(link_of(n->id, p->id), p->peers[n->id].side,
			  REPL_STREAM_DATA, us);
	}
}

void fault_event(enum fault_ev what, u64 arg)
{
	u32 sum = 0, dice, f;
	struct node *n;
	struct link *l;

	if (what != FE_MIX) {
		if (W.phase == PH_FAULTS && !M.illegal && what == FE_CUT)
			cut_power();
		else if (what == FE_QUORUM)
			switch_votes(arg);
		else if (W.phase == PH_FAULTS && !M.illegal)
			resize(arg);
		return;
	}
	ev_add(rng_range(R, 1, 2 * W.o.fault_ms) * MS, EV_FAULT, NULL, 0, NULL,
	       0);
	if (W.phase != PH_FAULTS || M.illegal)
		return;
	for (f = 0; f < F_COUNT; f++)
		sum += W.o.weight[f];
	if (!sum)
		return;
	dice = rng_below(R, sum);
	for (f = 0; dice >= W.o.weight[f]; f++)
		dice -= W.o.weight[f];
	switch ((enum fault)f) {
	case F_CRASH:
		fault_crash(some_node(true), rng_range(R, 50, 3000));
		break;
	case F_CRASH_PRIMARY:
		fault_crash(admin_primary(), rng_range(R, 50, 6000));
		break;
	case F_CRASH_ALL:
		for (u32 i = 0; i < W.o.nodes; i++)
			fault_crash(&W.node[i], rng_range(R, 100, 2000));
		break;
	case F_RESET:
		net_reset(some_link());
		break;
	case F_PARTITION:
		partition(false);
		break;
	case F_ISOLATE:
		partition(true);
		break;
	case F_STALL:
		l = some_link();
		net_stall(l, rng_below(R, 2), rng_below(R, 2), span());
		break;
	case F_PAUSE:
		n = some_node(true);
		if (n) {
			n->paused_until = W.now + span();
			T("fault: n%u stands still until %llu ms", n->id,
			  (unsigned long long)n->paused_until / MS);
		}
		break;
	case F_DISK_ERROR:
		disk_error();
		break;
	case F_DISK_SLOW:
		n = some_node(true);
		if (n)
			W.disk[n->id][rng_below(R, W.o.vols)].slow_until =
				W.now + span();
		break;
	case F_ADMIN_SWITCH:
		switch_roles();
		break;
	case F_ADMIN_DETACH:
		detach();
		break;
	case F_ADMIN_DISCONNECT:
		disconnect();
		break;
	case F_ADMIN_INVALIDATE:
		invalidate();
		break;
	case F_ADMIN_PAUSE_SYNC:
		pause_sync();
		break;
	case F_ADMIN_DOWN:
		stop_clean();
		break;
	case F_ADMIN_ILLEGAL:
		illegal();
		break;
	case F_ADMIN_FORCE:
		force();
		break;
	case F_ADMIN_REPLACE:
		replace();
		break;
	case F_ADMIN_ROLLBACK:
		rollback();
		break;
	case F_ADMIN_RESIZE:
		resize(rng_below(R, 30));
		break;
	case F_ADMIN_DEPOSE:
		depose();
		break;
	case F_SUSPEND:
		suspend();
		break;
	case F_LINK:
		l = some_link();
		T("fault: link n%u-n%u is cut", l->end[0]->id, l->end[1]->id);
		net_cut(l, 3, span());
		break;
	case F_ADMIN_QUORUM:
		switch_votes((W.node[0].votes ? 0 : 1) |
			     (rng_pct(R, 30) ? 2 : 0));
		break;
	case F_LAG:
		lag();
		break;
	case F_ADMIN_POLICY:
		switch_policy();
		break;
	case F_ADMIN_ASYNC:
		far_switch();
		break;
	case F_COUNT:
		break;
	}
}

/* In the end all do as the first does. */
void fault_settle_votes(void)
{
	for (u32 i = 0; i < W.o.nodes; i++)
		if (W.node[i].votes != W.node[0].votes &&
		    W.node[i].paused_until <= W.now)
			set_votes(&W.node[i], W.node[0].votes);
}

void fault_heal(void)
{
	net_heal();
	M.want = NULL;
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *n = &W.node[i];
		const char *why = NULL;

		for (u32 v = 0; v < W.o.vols; v++) {
			struct sim_disk *d = &W.disk[i][v];

			d->error_until = 0;
			d->error_once = 0;
			d->slow_until = 0;
			d->stuck_until = 0;
			d->error_what = 0;
		}
		if (n->paused_until > W.now) {
			n->paused_until = W.now;
			clock_resume(n);
		}
		if (n->out && !n->up)
			continue;
		if (!n->up) {
			n->up_at = W.now;
			ev_add(rng_below(R, 500 * MS), EV_NODE_UP, NULL, 0, n,
			       0);
			continue;
		}
		/* "down" that waits for suspended I/O is given up. */
		if (n->res.role == ROLE_PRIMARY)
			n->down_wanted = false;
		W.cur = n;
		for (u32 v = 0; v < W.o.vols; v++)
			for (u32 k = 0; k < W.o.nodes; k++)
				if (n->peers[k].peer.res)
					repl_pause(&n->vols[v].vol,
						   &n->peers[k].peer, false,
						   &why);
		W.cur = NULL;
	}
}
