// SPDX-License-Identifier: GPL-2.0
/*
 * The cluster manager.  There is no quorum here, so the promise depends on
 * its care: it promotes only when no other primary lives (fencing: it sees
 * everything), and only a node that the last primary counted in its in-sync
 * set, one that kept its caches if there is one.  What the core refuses it
 * tries again later.
 */
#include "sim.h"

struct manager M;

void admin_init(void)
{
	memset(&M, 0, sizeof(M));
}

struct node *admin_primary(void)
{
	return M.primary && M.primary->up &&
	       M.primary->res.role == ROLE_PRIMARY ? M.primary : NULL;
}

u32 admin_set(u32 vol)
{
	return M.set[vol];
}

static bool awake(struct node *n)
{
	return n->up && n->paused_until <= W.now && !n->down_wanted;
}

static bool all_at_least(struct node *n, enum repl_disk disk)
{
	for (u32 v = 0; v < W.o.vols; v++)
		if (!n->vols[v].open || n->vols[v].vol.disk < disk)
			return false;
	return true;
}

static bool usable(struct node *n)
{
	return awake(n) && all_at_least(n, DISK_FAILED + 1);
}

static bool in_all_sets(u32 id)
{
	for (u32 v = 0; v < W.o.vols; v++)
		if (!(M.set[v] & BIT(id)))
			return false;
	return true;
}

static bool in_any_set(u32 id)
{
	for (u32 v = 0; v < W.o.vols; v++)
		if (M.set[v] & BIT(id))
			return true;
	return false;
}

bool is_follower(const struct node *n)
{
	for (u32 v = 0; v < W.o.vols; v++)
		if (!n->vols[v].vol.follower ||
		    n->vols[v].vol.disk != DISK_CONSISTENT)
			return false;
	return true;
}

/* All volumes are UpToDate there, and both sides say Established. */
static bool equal_pair(struct node *a, struct node *b)
{
	if (!a->up || !b->up || !net_both_up(link_of(a->id, b->id)))
		return false;
	for (u32 v = 0; v < W.o.vols; v++) {
		struct repl_pv_info x, y;

		repl_pv_info(&a->vols[v].vol, &a->peers[b->id].peer, &x);
		repl_pv_info(&b->vols[v].vol, &b->peers[a->id].peer, &y);
		if (x.state != RS_ESTABLISHED || y.state != RS_ESTABLISHED ||
		    x.peer_disk != DISK_UPTODATE ||
		    b->vols[v].vol.disk != DISK_UPTODATE ||
		    x.out_of_sync || y.out_of_sync)
			return false;
	}
	return true;
}

/*
 * A holder that is being overwritten from a replica that the core thinks
 * better: that one is the holder now.  If it is wrong, data is missing soon.
 */
static void follow_source(struct node *h)
{
	for (u32 v = 0; v < W.o.vols; v++) {
		for (u32 k = 0; k < W.o.nodes; k++) {
			struct repl_pv_info x;

			if (k == h->id || (M.lost & BIT(k)) ||
			    h->vols[v].vol.disk != DISK_INCONSISTENT)
				continue;
			repl_pv_info(&h->vols[v].vol, &h->peers[k].peer, &x);
			if (x.state != RS_SYNC_TARGET)
				continue;
			M.set[v] |= BIT(k);
			M.lost |= BIT(h->id);
		}
	}
}

/* Packets of a dead node may still reach this one. */
static bool half_open(struct node *n)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct link *l = link_of(n->id, i);

		if (i != n->id && l->up[n->peers[i].side] &&
		    !l->up[!n->peers[i].side])
			return true;
	}
	return false;
}

/*
 * Where votes decide: the newest set on any disk that a majority keeps.  One that
 * was made without votes is known from its primary.
 */
static void newest_majority(void)
{
	for (u32 v = 0; v < W.o.vols; v++) {
		u64 newest = M.version[v];

		for (u32 i = 0; i < W.o.nodes; i++) {
			u64 version = disk_durable_version(&W.disk[i][v]);
			u32 set;

			if (version < newest ||
			    !state_majority_keeps(v, i, &set))
				continue;
			newest = version;
			M.set[v] = set;
		}
		if (W.o.votes)
			M.version[v] = newest;
	}
}

/* What the primary counts on, as long as it lives. */
void admin_poll_set(void)
{
	struct node *p = admin_primary();

	if (W.o.scenario != SCN_MEMBERS && (W.o.elections || W.o.votes))
		newest_majority();
	/*
	 * One that dies while its first generation is on its way has left out
	 * already, durably, whoever was not reconciled with it.
	 */
	for (u32 i = 0; !p && i < W.o.nodes; i++)
		if (W.node[i].up && W.node[i].res.role == ROLE_PRIMARY)
			p = &W.node[i];
	if (!p) {
		/*
		 * Those that have caught up from a holder are holders too, once
		 * they have the set with them in it: a follower may be equal and
		 * nobody need ask it.  But where a few may be the set, a vote
		 * asks for these few.
		 */
		for (u32 i = 0; i < W.o.nodes && !sim_few_decide(); i++) {
			struct node *h = &W.node[i];

			if (!h->up || !in_all_sets(i) || (M.lost & BIT(i)))
				continue;
			follow_source(h);
			if (half_open(h))
				continue;
			for (u32 k = 0; k < W.o.nodes; k++) {
				if (k == i || !equal_pair(h, &W.node[k]))
					continue;
				M.lost &= ~BIT(k);
				for (u32 v = 0; v < W.o.vols; v++)
					M.set[v] |= BIT(k) &
						disk_durable_set(&W.disk[k][v]);
			}
		}
		return;
	}
	for (u32 v = 0; v < W.o.vols; v++) {
		const struct repl_vol *vol = &p->vols[v].vol;
		u32 set;

		/* A disk that is not in step doesn't know. */
		if (p->vols[v].open && vol->disk == DISK_UPTODATE)
			set = disk_durable_set(&W.disk[p->id][v]);
		else
			set = vol->uncommitted ? vol->set_before : vol->in_sync;
		if (!set || W.o.elections || p->res.conf.votes)
			continue;
		M.set[v] = set;
		M.version[v] = p->res.set_version;
	}
	for (u32 i = 0; i < W.o.nodes; i++) {
		if (!(M.lost & BIT(i)))
			continue;
		if ((W.o.scenario != SCN_MEMBERS && !in_any_set(i)) ||
		    (&W.node[i] != p && equal_pair(p, &W.node[i])))
			M.lost &= ~BIT(i);
	}
}

/*
 * Members that still have all that was acknowledged: not those that lost their
 * caches, nor those that an administrator or a sync has made Inconsistent; where
 * primaries are elected not before they are told of a set again.
 */
static u32 holders_of(u32 v)
{
	u32 set = M.set[v] & ~M.lost;

	for (u32 i = 0; i < W.o.nodes; i++) {
		u32 flags = disk_durable_flags(&W.disk[i][v]);

		if (flags & (META_F_INCONSISTENT |
			     (sim_votes() ? META_F_CRASHED : 0)))
			set &= ~BIT(i);
		/* Let go of in a hurry, its cache is what a crash leaves. */
		if (W.node[i].up && !W.node[i].vols[v].open &&
		    (flags & META_F_UNCLEAN))
			set &= ~BIT(i);
	}
	return set;
}

/* Where nodes come and go: under which set was something acknowledged last? */
void admin_acked(const struct node *p, u32 v)
{
	const struct repl_vol *vol = &p->vols[v].vol;

	if (W.o.scenario != SCN_MEMBERS || p->res.set_version < M.version[v])
		return;
	M.version[v] = p->res.set_version;
	M.set[v] = vol->uncommitted ? vol->set_before : vol->in_sync;
}

/* An election counts on no more than the shortest list of a member asks for. */
static u32 fewest_replicas(u32 v)
{
	u32 n = W.o.nodes;

	for (u32 i = 0; i < W.o.nodes; i++)
		if (M.set[v] & BIT(i))
			n = min(n, hweight32(W.node[i].list));
	return n - W.o.witnesses;
}

/* Fewer than these, and none of them need have an acknowledged write. */
static u32 holders_needed(u32 v)
{
	u32 acks = sim_acks_needed(fewest_replicas(v), M.set[v]);
	u32 members = hweight32(M.set[v]);

	if (!state_by_majority(M.version[v]) || members < acks)
		return 1;
	return members - acks + 1;
}

static void check_loss(void)
{
	for (u32 v = 0; v < W.o.vols; v++) {
		if (M.set[v] && hweight32(holders_of(v)) < holders_needed(v)) {
			T("manager: every holder of volume %u lost its caches",
			  v);
			M.total_loss = true;
			cov[C_TOTAL_LOSS]++;
			hist_total_loss();
			return;
		}
	}
}

/* An election may count on less by the new one. */
void admin_list_changed(void)
{
	check_loss();
}

/* Before its memory is gone. */
void admin_node_crashed(struct node *n)
{
	admin_poll_set();
	if (in_any_set(n->id) || W.o.scenario == SCN_MEMBERS)
		M.lost |= BIT(n->id);
	if (n == M.primary)
		M.primary = NULL;
	if (n == M.want)
		M.want = NULL;
	if (n == M.illegal)
		M.illegal = NULL;
	check_loss();
}

/* What was in the cache of a disk that failed is as good as lost. */
void admin_disk_failed(struct node *n, u32 v)
{
	admin_poll_set();
	if (M.set[v] & BIT(n->id))
		M.lost |= BIT(n->id);
	check_loss();
}

void admin_demoted(struct node *n)
{
	admin_poll_set();
	if (n == M.primary)
		M.primary = NULL;
}

/* It has stepped down for another that is to be Primary. */
void admin_moved(struct node *n)
{
	T("manager: n%u steps down for n%u", n->id, n->res.move.to);
	n->moved = app_has_open(n);
	cov[C_MOVED]++;
	admin_demoted(n);
}

void admin_declare_loss(const char *why)
{
	T("manager: declared loss: %s", why);
	M.forced = true;
	W.diverged_ok = true;
	cov[C_FORCED]++;
	hist_forget();
}

void admin_promoted(struct node *n)
{
	cov[C_PROMOTIONS]++;
	cov[C_FAR_PROMOTED] += !!(W.o.far & BIT(n->id));
	n->demoting = 0;
	n->moved = false;
	M.branches += n->vote_force;
	n->vote_force = false;
	M.primary = n;
	if (M.total_loss) {
		hist_total_loss();
		M.total_loss = false;
	}
	hist_settle();
	if (n == M.want)
		M.want = NULL;
	M.lost &= ~BIT(n->id);
	if (n->closed_until <= W.now)
		app_quiesce(n, false);
}

void admin_vote_done(struct node *n, int err, const char *why)
{
	(void)why;
	if (!err && !n->voting)
		cov[C_SUCCESSIONS]++;
	n->voting = 0;
	if (err) {
		cov[C_REFUSED_VOTES]++;
		if (n == M.illegal)
			M.illegal = NULL;
		if (n == M.want && M.by_move)
			M.want = NULL;
		return;
	}
	if (n == M.illegal) {
		struct node *p = admin_primary();

		M.illegal = NULL;
		if (p && p != n && net_both_up(link_of(p->id, n->id)))
			violation("one writer",
				  "node %u became Primary beside node %u, which it is connected to",
				  n->id, p->id);
		if (p && p != n)
			admin_declare_loss("second primary while cut off");
	}
	admin_promoted(n);
}

bool admin_promote(struct node *n, bool force)
{
	const char *why = NULL;
	struct node *saved = W.cur;
	int err;

	if (n->voting && n->voting == n->inc)
		return false;
	n->voting = n->inc;
	n->vote_force = force;
	W.cur = n;
	T("manager: promote n%u%s%s", n->id, force ? " --force" : "",
	  usable(n) ? "" : ", not all disks");
	err = repl_promote(&n->res, force, &why);
	W.cur = saved;
	if (err) {
		T("manager: n%u refuses: %d %s", n->id, err, why ? why : "");
		n->voting = 0;
		cov[C_REFUSED_VOTES]++;
		return false;
	}
	return true;
}

/* ---- the first set-up ---- */

static bool all_ready(void)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		if (!sim_member(i))
			continue;
		if (!usable(&W.node[i]))
			return false;
		for (u32 k = i + 1; k < W.o.nodes; k++)
			if (sim_member(k) && !net_both_up(&link_tab[i][k]))
				return false;
	}
	return true;
}

/* Connected to all, and all agree that nobody lacks anything. */
static bool agreed_by_all(struct node *n)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *o = &W.node[i];

		if (o == n || sim_witness(i))
			continue;
		for (u32 v = 0; v < W.o.vols; v++) {
			struct repl_pv_info x, y;

			repl_pv_info(&n->vols[v].vol, &n->peers[i].peer, &x);
			repl_pv_info(&o->vols[v].vol, &o->peers[n->id].peer,
				     &y);
			if (x.state != RS_ESTABLISHED ||
			    y.state != RS_ESTABLISHED)
				return false;
		}
	}
	return true;
}

static void setup(void)
{
	const char *why = NULL;
	struct node *n = &W.node[0];
	int err;

	switch (M.setup) {
	case 0:
		if (W.o.init_sync ? !usable(n) : !all_ready())
			return;
		if (W.o.init_sync) {
			if (admin_promote(n, true))
				M.setup = 2;
			return;
		}
		W.cur = n;
		err = repl_new_dataset(&n->res, &why);
		W.cur = NULL;
		T("manager: new dataset %d %s", err, why ? why : "");
		if (!err)
			M.setup = 1;
		return;
	case 1:
		for (u32 i = 0; i < sim_replicas(); i++)
			if (sim_member(i) &&
			    !all_at_least(&W.node[i], DISK_UPTODATE))
				return;
		do {
			n = &W.node[rng_below(R, hweight32(W.list) - W.o.witnesses)];
		} while (W.o.far & BIT(n->id));
		if (n->res.role != ROLE_PRIMARY && !n->voting)
			admin_promote(n, false);
		M.setup = 2;
		return;
	default:
		if (!admin_primary()) {
			bool voting = false;

			for (u32 i = 0; i < W.o.nodes; i++)
				voting = voting || W.node[i].voting;
			if (!voting)
				M.setup = W.o.init_sync ? 0 : 1;
			return;
		}
		T("---- faults begin ----");
		W.phase = PH_FAULTS;
		W.phase_end = W.now + W.o.faults_s * SEC;
		app_kick(admin_primary());
	}
}

/* ---- day by day ---- */

/* Without all its disks, but connected to holders and to nobody else. */
static bool lives_on_holders(struct node *n)
{
	bool any = false;

	if (!awake(n) || M.total_loss || half_open(n))
		return false;
	for (u32 i = 0; i < W.o.nodes; i++) {
		if (i == n->id || sim_witness(i) ||
		    !net_both_up(link_of(n->id, i)))
			continue;
		if (!in_all_sets(i) || (M.lost & BIT(i)))
			return false;
		any = true;
	}
	return any;
}

/* Where all vote, they know who has what counts, whatever the manager believes. */
static bool all_vote(void)
{
	for (u32 i = 0; i < W.o.nodes; i++)
		if (!W.node[i].votes)
			return false;
	return true;
}

static struct node *candidate(void)
{
	struct node *best = NULL;
	u32 n = 0;
	bool any = all_vote() || (W.o.ack_policy == ACK_QUORUM &&
				  W.phase == PH_HEAL);
	bool holders = false;

	for (u32 i = 0; i < W.o.nodes; i++)
		holders = holders || (in_all_sets(i) && !(M.lost & BIT(i)));
	for (u32 i = 0; i < sim_replicas(); i++) {
		struct node *c = &W.node[i];

		if (!usable(c)) {
			if (lives_on_holders(c) && !rng_below(R, ++n))
				best = c;
			continue;
		}
		if (!any && !in_all_sets(i) &&
		    !(W.phase == PH_HEAL && all_ready() &&
		      all_at_least(c, DISK_UPTODATE) && agreed_by_all(c)))
			continue;
		/* Where a majority acknowledges, the vote knows who counts. */
		if ((M.lost & BIT(i)) && holders && !M.total_loss &&
		    !(sim_votes() && W.phase == PH_HEAL))
			continue;
		if (!rng_below(R, ++n))
			best = c;
	}
	return best;
}

/*
 * It is asked to be Primary in the place of @p.  Only if it knows of @p: one that
 * is cut off would be a second Primary.  Programs end before that, mostly.
 */
static void move_role(struct node *p)
{
	struct repl_peer *seen = &M.want->peers[p->id].peer;

	if (M.want->voting || (!M.hasty && !app_stop(p)))
		return;
	if (seen->conn != CONN_CONNECTED || seen->closing ||
	    seen->role != ROLE_PRIMARY || !admin_promote(M.want, false))
		M.want = NULL;
}

/* Not where the sets of two volumes have nobody in common. */
static bool one_holds_all(void)
{
	for (u32 i = 0; i < W.o.nodes; i++)
		if (in_all_sets(i))
			return true;
	return false;
}

/*
 * Where all that held a volume lost their caches somebody has to say whose counts: if
 * votes don't tell, or no node is the last Primary of all volumes.
 */
static bool force_one(void)
{
	if (!M.total_loss || W.phase != PH_HEAL ||
	    (!sim_votes() && one_holds_all()) || W.phase_end - W.now > 200 * SEC)
		return false;
	for (u32 i = 0; i < sim_replicas(); i++) {
		if (!awake(&W.node[i]) || !sim_member(i) ||
		    !all_at_least(&W.node[i], DISK_OUTDATED))
			continue;
		admin_declare_loss("primary --force after the loss of all");
		admin_promote(&W.node[i], true);
		return true;
	}
	return false;
}

/*
 * It asks for a term, and its own data has gone meanwhile, or another was made Primary
 * by force, too; or nobody whose data it could go on with is left.  So it can't go on,
 * and nobody else while the manager takes it for the Primary.
 */
static bool given_up(struct node *p)
{
	const char *why;
	bool stuck = p->res.renewing && (W.o.votes || M.branches > 1);

	if (W.o.ack_policy == ACK_QUORUM && (p->res.susp & SUSP_NO_DATA))
		stuck = true;
	if (!stuck || !sim_votes() || W.phase != PH_HEAL ||
	    W.phase_end - W.now > 200 * SEC)
		return false;
	T("manager: n%u secondary --force", p->id);
	W.cur = p;
	repl_demote(&p->res, true, &why);
	W.cur = NULL;
	return true;
}

static void care_for_primary(void)
{
	struct node *p = admin_primary(), *c;
	const char *why = NULL;
	struct node *last = NULL;
	u32 primaries = 0;

	if (M.primary && !p)
		M.primary = NULL;
	for (u32 i = 0; i < W.o.nodes; i++)
		if (W.node[i].up && W.node[i].res.role == ROLE_PRIMARY) {
			primaries++;
			last = &W.node[i];
		}
	/* Of several after a split, the one that is left. */
	if (!p && primaries == 1 && W.diverged_ok && !last->voting)
		M.primary = p = last;
	/*
	 * The one to be promoted may have dropped out meanwhile.  A follower
	 * becomes a member only when the primary hands over.
	 */
	if (M.want && (!usable(M.want) || (M.lost & BIT(M.want->id)) ||
		       (!in_all_sets(M.want->id) &&
			!(p && is_follower(M.want)))))
		M.want = NULL;
	if (p && given_up(p))
		return;
	if (p && M.want && p != M.want && M.by_move) {
		move_role(p);
		return;
	}
	if (p && M.want && p != M.want) {
		if (!app_stop(p))
			return;
		W.cur = p;
		if (!repl_demote(&p->res, false, &why))
			admin_demoted(p);
		W.cur = NULL;
		return;
	}
	if (p || primaries || M.illegal || W.now < M.next_try)
		return;
	for (u32 i = 0; i < W.o.nodes; i++)
		if (W.node[i].up && W.node[i].voting)
			return;
	if (force_one())
		return;
	c = M.want ? M.want : candidate();
	M.next_try = W.now + rng_range(R, 50, 600) * MS;
	if (!c)
		return;
	if (!admin_promote(c, false))
		M.want = NULL;
}

static bool knows_primary(const struct node *n)
{
	for (u32 i = 0; i < W.o.nodes; i++)
		if (i != n->id && n->peers[i].peer.role == ROLE_PRIMARY)
			return true;
	return false;
}

/*
 * Where primaries are elected nobody has to look after the old one; and hardly
 * ever for a new one, where nodes promote themselves.
 */
static void care_for_elections(void)
{
	struct node *n;

	if (W.now < M.next_try)
		return;
	M.next_try = W.now + rng_range(R, 50, 600) * MS;
	for (u32 i = 0; i < W.o.nodes; i++)
		if (W.node[i].up && W.node[i].res.role == ROLE_PRIMARY &&
		    given_up(&W.node[i]))
			return;
	if (force_one())
		return;
	if (W.o.auto_promote && rng_below(R, W.phase == PH_HEAL ? 4 : 20))
		return;
	/* Two candidates at a time, now and then. */
	for (u32 i = 0; i < rng_range(R, 1, 2); i++) {
		n = &W.node[rng_below(R, sim_replicas())];
		if (usable(n) && n->paused_until <= W.now && !n->down_wanted &&
		    n->res.role != ROLE_PRIMARY &&
		    !(W.phase == PH_HEAL && knows_primary(n)))
			admin_promote(n, false);
	}
	if (W.phase == PH_HEAL)
		return;
	/* A Primary whose devices are closed by then steps down. */
	n = &W.node[rng_below(R, W.o.nodes)];
	if (n->up && n->res.role == ROLE_PRIMARY && rng_pct(R, 40)) {
		n->closed_until = W.now + rng_range(R, 100, 2000) * MS;
		app_quiesce(n, true);
	}
}

/*
 * The manager of a node sees what that is connected to.  Where it sees no Primary it
 * makes that node one; and the fencing agent looks after what it does not see.
 */
static void care_for_fencing(void)
{
	struct node *n, *p = admin_primary();
	const char *why = NULL;

	if (M.primary && !p)
		M.primary = NULL;
	agent_event();
	if (W.now < M.next_try)
		return;
	M.next_try = W.now + rng_range(R, 50, 1500) * MS;
	n = &W.node[rng_below(R, W.o.nodes)];
	if (!usable(n) || n->voting)
		return;
	if (n->res.role != ROLE_PRIMARY) {
		/* Now and then the role moves, if programs let it. */
		if (!knows_primary(n) ||
		    (W.phase == PH_FAULTS && rng_pct(R, 10)))
			admin_promote(n, false);
	} else if (W.phase == PH_FAULTS && rng_pct(R, 20)) {
		n->closed_until = W.now + rng_range(R, 100, 2000) * MS;
		if (!app_stop(n) || rng_pct(R, 50))
			return;
		W.cur = n;
		if (!repl_demote(&n->res, false, &why))
			admin_demoted(n);
		W.cur = NULL;
	}
}

/* Bring back what was detached or failed, and connections cut by hand. */
static void care_for_disks(void)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *n = &W.node[i];

		if (!n->up || n->paused_until > W.now || n->down_wanted)
			continue;
		for (u32 v = 0; v < W.o.vols; v++) {
			struct sim_disk *d = &W.disk[i][v];

			if (d->error_what && !d->error_once &&
			    d->error_until <= W.now)
				d->error_what = 0;
			if (n->vols[v].open || n->vols[v].closing)
				continue;
			if (W.phase == PH_HEAL ? rng_pct(R, 50)
					       : rng_pct(R, 8))
				ev_add(0, EV_ATTACH, n, (u16)v, NULL, 0);
		}
	}
}

static void resolve(struct link *l)
{
	struct node *p = admin_primary();
	u32 victim;

	/* Both primary: one has to step down first. */
	for (u32 i = 0; i < 2; i++) {
		struct node *n = l->end[i];

		if (n->up && n != p && n->res.role == ROLE_PRIMARY)
			return;
	}
	/* Elections may need both of them: the forced one's data stays. */
	if (!p && sim_votes() && (M.forced || W.switched) &&
	    in_all_sets(l->end[0]->id) != in_all_sets(l->end[1]->id))
		p = l->end[in_all_sets(l->end[1]->id)];
	else if (!p && W.o.votes && M.forced)
		p = l->end[0];
	if (!p)
		return;
	if (l->end[0] == p)
		victim = 1;
	else if (l->end[1] == p)
		victim = 0;
	else if (all_at_least(l->end[0], DISK_UPTODATE) && !equal_pair(p, l->end[1]) &&
		 !is_follower(l->end[1]))
		return;		/* later, once both follow the primary */
	else
		victim = 1;
	l->discard[victim] = l->standalone[0] || l->standalone[1];
	l->want[0] = l->want[1] = true;
	l->standalone[0] = l->standalone[1] = false;
}

static void care_for_links(void)
{
	for (u32 a = 0; a < W.o.nodes; a++) {
		for (u32 b = a + 1; b < W.o.nodes; b++) {
			struct link *l = &link_tab[a][b];

			if (l->want[0] && l->want[1])
				continue;
			if (W.phase != PH_HEAL && !rng_pct(R, 5))
				continue;
			if (W.diverged_ok &&
			    (l->standalone[0] || l->standalone[1])) {
				if (W.phase == PH_HEAL)
					resolve(l);
				continue;
			}
			l->want[0] = l->want[1] = true;
			l->standalone[0] = l->standalone[1] = false;
		}
	}
	/* After a split the surplus primary steps down even if cut off. */
	if (W.phase == PH_HEAL && W.diverged_ok && admin_primary()) {
		for (u32 i = 0; i < W.o.nodes; i++) {
			struct node *n = &W.node[i];
			const char *why = NULL;

			if (!n->up || n == M.primary ||
			    n->res.role != ROLE_PRIMARY)
				continue;
			n->demoting = 1;
			if (!app_stop(n))
				continue;
			W.cur = n;
			if (!repl_demote(&n->res, false, &why))
				n->demoting = 0;
			W.cur = NULL;
		}
	}
}

void admin_event(void)
{
	ev_add(rng_range(R, 50, 150) * MS, EV_ADMIN, NULL, 0, NULL, 0);
	if (W.phase == PH_SETUP) {
		setup();
		return;
	}
	if (W.phase > PH_HEAL)
		return;
	admin_poll_set();
	if (W.phase == PH_HEAL)
		fault_settle_votes();
	if (W.o.far && (W.phase == PH_HEAL || rng_pct(R, 3)))
		far_settle();
	care_for_disks();
	care_for_links();
	if (W.o.elections)
		care_for_elections();
	else if (W.o.fencing)
		care_for_fencing();
	else if (W.o.scenario == SCN_CAREFUL || W.o.scenario == SCN_RESIZE ||
		 W.o.scenario == SCN_WITNESS || W.o.scenario == SCN_LAGGARD ||
		 W.o.scenario == SCN_POLICIES || W.o.scenario == SCN_FAR ||
		 W.o.scenario == SCN_HOSTILE || W.phase == PH_HEAL)
		care_for_primary();
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *n = &W.node[i];

		if (n->up && n->down_wanted && W.phase != PH_DRAIN &&
		    n->paused_until <= W.now)
			node_stop(n);
		if (n->up && n->res.role == ROLE_PRIMARY && !n->down_wanted &&
		    !(M.want && n == M.primary && M.want != n) &&
		    !n->demoting && n->closed_until <= W.now)
			app_quiesce(n, false);
	}
}
