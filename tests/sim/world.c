// SPDX-License-Identifier: GPL-2.0
/*
 * The world: virtual time, the event heap, and the life of nodes.
 */
#include "sim.h"

struct world W;

static bool before(const struct ev *a, const struct ev *b)
{
	return a->t < b->t || (a->t == b->t && a->seq < b->seq);
}

static void heap_push(const struct ev *e)
{
	u32 i;

	if (W.heap_n == W.heap_cap) {
		W.heap_cap = W.heap_cap ? 2 * W.heap_cap : 1024;
		W.heap = realloc(W.heap, W.heap_cap * sizeof(*e));
		if (!W.heap)
			abort();
	}
	i = W.heap_n++;
	while (i) {
		u32 up = (i - 1) / 2;

		if (!before(e, &W.heap[up]))
			break;
		W.heap[i] = W.heap[up];
		i = up;
	}
	W.heap[i] = *e;
}

static void heap_pop(struct ev *out)
{
	struct ev last;
	u32 i = 0;

	*out = W.heap[0];
	last = W.heap[--W.heap_n];
	for (;;) {
		u32 c = 2 * i + 1;

		if (c >= W.heap_n)
			break;
		if (c + 1 < W.heap_n && before(&W.heap[c + 1], &W.heap[c]))
			c++;
		if (!before(&W.heap[c], &last))
			break;
		W.heap[i] = W.heap[c];
		i = c;
	}
	if (W.heap_n)
		W.heap[i] = last;
}

void ev_add(u64 delay_us, enum ev_type type, struct node *n, u16 a, void *p,
	    u64 arg)
{
	struct ev e = {
		.t = W.now + delay_us,
		.seq = ++W.seq,
		.type = type,
		.node = n ? (u8)n->id : 0xff,
		.a = a,
		.inc = n ? n->inc : 0,
		.p = p,
		.arg = arg,
	};

	heap_push(&e);
}

/* ---- nodes ---- */

/* Known from the configuration, or as by `blkrepl new-peer`. */
int node_add_peer(struct node *n, u32 peer, struct repl_refusal *no)
{
	const struct sim_opts *o = &W.o;
	struct repl_peer *p = &n->peers[peer].peer;
	int err;

	memset(p, 0, sizeof(*p));
	p->res = &n->res;
	p->node = (u8)peer;
	p->witness = sim_witness(peer);
	repl_peer_conf_init(&p->conf);
	p->conf.async = n->async & BIT(peer);
	p->conf.timeout_ms = o->timeout_ms;
	p->conf.ping_int_ms = o->ping_ms;
	p->conf.ack_timeout_ms = o->ack_timeout_ms;
	p->conf.rate_max = o->rate_max;
	p->conf.rate_min = o->rate_min;
	p->conn = CONN_CONNECTING;
	err = repl_peer_add(p, no);
	if (err)
		p->res = NULL;
	return err;
}

int node_del_peer(struct node *n, u32 peer, struct repl_refusal *no)
{
	int err = repl_peer_del(&n->peers[peer].peer, no);

	if (!err)
		memset(&n->peers[peer].peer, 0, sizeof(n->peers[peer].peer));
	return err;
}

void node_start(struct node *n)
{
	const struct sim_opts *o = &W.o;
	u32 id = n->id, inc = n->inc + 1;
	struct repl_refusal no;
	int ret;

	memset(&n->res, 0, sizeof(n->res));
	memset(n->peers, 0, sizeof(n->peers));
	memset(n->vols, 0, sizeof(n->vols));
	n->inc = inc;
	n->up = true;
	n->down_wanted = false;
	n->voting = 0;
	n->demoting = 0;
	n->moved = false;
	n->closed_until = 0;
	n->paused_until = 0;
	n->up_at = 0;
	clock_boot(n);
	W.cur = n;
	W.starting = true;
	T("n%u starts", id);
	repl_res_conf_init(&n->res.conf);
	n->res.conf.on_no_data = (u8)o->on_no_data;
	n->res.conf.on_no_quorum = (u8)o->on_no_quorum;
	n->res.conf.auto_promote = o->auto_promote;
	n->res.conf.after_split_brain = (u8)o->after_split_brain;
	n->res.conf.ack_policy = n->ack_policy;
	n->res.conf.votes = n->votes;
	n->res.conf.fencing = o->fencing;
	n->res.conf.on_backlog = (u8)o->on_backlog;
	n->res.conf.backlog_max = o->backlog_max;
	n->res.conf.backlog_ms = o->backlog_ms;
	n->res.conf.min_in_sync = n->min_in_sync;
	n->res.ops = &sim_ops;
	n->res.node = (u8)id;
	n->res.witness = sim_witness(id);
	n->res.priv = n;
	repl_res_init(&n->res);
	repl_tick(&n->res, clock_ms(n));
	for (u32 v = 0; v < o->vols; v++) {
		struct vol_node *vn = &n->vols[v];

		vn->node = n;
		vn->nr = v;
		INIT_LIST_HEAD(&vn->disk_ios);
		vn->vol.res = &n->res;
		vn->vol.nr = (u16)v;
		repl_vol_conf_init(&vn->vol.conf);
		vn->vol.conf.al_extents = o->al_extents;
		vn->vol.conf.on_io_error = (u8)o->on_io_error;
		ret = repl_vol_add(&vn->vol);
		if (ret)
			violation("contract", "repl_vol_add: %d", ret);
	}
	for (u32 i = 0; i < o->nodes; i++) {
		struct peer_node *pn = &n->peers[i];

		if (i == id)
			continue;
		pn->link = link_of(id, i);
		pn->side = pn->link->end[0] == n ? 0 : 1;
		if (!(n->list & BIT(i)))
			continue;
		ret = node_add_peer(n, i, &no);
		if (ret)
			violation("contract", "repl_peer_add: %d", ret);
	}
	ev_add(rng_below(R, o->tick_ms * (u32)MS), EV_TICK, n, 0, NULL, 0);
	for (u32 v = 0; v < o->vols; v++)
		ev_add(rng_below(R, 50 * MS), EV_ATTACH, n, (u16)v, NULL, 0);
	net_node_back(n);
	app_kick(n);
	W.starting = false;
	W.cur = NULL;
}

void node_attach(struct node *n, u32 v)
{
	struct vol_node *vn = &n->vols[v];
	struct sim_disk *d = &W.disk[n->id][v];
	struct repl_store_params p = {
		.data_bytes = d->dev_bytes,
		.meta_bytes = d->meta_dev_bytes,
		.lbs = SECTOR_BYTES,
		.read = disk_meta_read,
		.ctx = d,
	};
	struct repl_store *s = NULL;
	const char *why = NULL;
	int err;

	if (vn->open || vn->attaching || vn->closing || n->down_wanted)
		return;
	err = repl_store_load(&n->res, (u16)v, &vn->vol.conf, &p, &s);
	if (err) {
		T("n%u v%u load failed %d %s", n->id, v, err,
		  p.why ? p.why : "");
		/* Only an injected error may keep a disk from loading. */
		if (!d->error_what)
			violation("metadata", "node %u volume %u: %d %s",
				  n->id, v, err, p.why ? p.why : "");
		return;
	}
	vn->attaching = true;
	vn->open = true;
	err = repl_attach(&vn->vol, s, &why);
	vn->attaching = false;
	if (err) {
		vn->open = false;
		T("n%u v%u attach failed %d %s", n->id, v, err,
		  why ? why : "");
		repl_store_free(s);
		/* One whose peer lies of its size has grown meanwhile. */
		if (err != -EBUSY &&
		    !(err == -ENOSPC && W.o.scenario == SCN_HOSTILE))
			violation("metadata", "node %u volume %u attach: %d %s",
				  n->id, v, err, why ? why : "");
	}
}

static void close_disk(struct node *n, u32 v)
{
	struct vol_node *vn = &n->vols[v];
	struct repl_store *s = repl_store_take(&vn->vol);

	vn->closing = false;
	if (!s)
		violation("contract", "no store after disk_close");
	repl_store_free(s);
}

void node_crash(struct node *n)
{
	if (!n->up)
		return;
	cov[C_CRASHES]++;
	T("n%u CRASHES", n->id);
	admin_node_crashed(n);
	for (u32 v = 0; v < W.o.vols; v++)
		disk_crash(&n->vols[v]);
	app_node_gone(n);
	net_node_gone(n, false);
	n->up = false;
	n->inc++;
	mem_free_all(&n->mem);
}

static bool alone(const struct node *n)
{
	for (u32 i = 0; i < W.o.nodes; i++)
		if (i != n->id && W.node[i].up)
			return false;
	return true;
}

static bool links_closed(struct node *n)
{
	bool closed = true;

	for (u32 i = 0; i < W.o.nodes; i++) {
		struct link *l;
		u32 side;

		if (i == n->id)
			continue;
		l = link_of(n->id, i);
		side = n->peers[i].side;
		if (l->up[side] || l->pending[side]) {
			net_shut(l, side, false);
			closed = closed && !l->up[side];
		}
	}
	return closed;
}

static bool disks_closed(struct node *n)
{
	const char *why = NULL;
	bool closed = true;

	for (u32 v = 0; v < W.o.vols; v++) {
		struct vol_node *vn = &n->vols[v];

		if (!vn->closing && !vn->open)
			continue;
		if (!vn->closing)
			repl_detach(&vn->vol, true, &why);
		closed = false;
	}
	return closed;
}

/* Who is not stopped for good comes back, whoever stopped it, and at once or later. */
static void comes_back(struct node *n)
{
	if (n->out || n->up_at || W.phase == PH_DRAIN)
		return;
	n->up_at = W.now + rng_range(R, 100, 2000) * MS;
	ev_add(n->up_at - W.now, EV_NODE_UP, NULL, 0, n, 0);
}

/* A clean end, as of `blkrepl down`: false while something is under way. */
bool node_stop(struct node *n)
{
	struct repl_refusal no;
	const char *why = NULL;
	bool closed;
	int err;

	n->down_wanted = true;
	if (!app_stop(n))
		return false;
	W.cur = n;
	if (n->res.role == ROLE_PRIMARY) {
		/* What it counted on last; a Secondary is not asked. */
		admin_poll_set();
		err = repl_demote(&n->res, false, &why);
		/* Nobody is left who could end what it waits for. */
		if (err && alone(n))
			err = repl_demote(&n->res, true, &why);
		if (err) {
			T("n%u stays Primary: %d %s", n->id, err,
			  why ? why : "");
			W.cur = NULL;
			return false;
		}
		admin_demoted(n);
	}
	/* With fencing the peers hear that there is no disk to go on with. */
	closed = W.o.fencing && !disks_closed(n) ? false : links_closed(n);
	if (!disks_closed(n) || !closed) {
		W.cur = NULL;
		return false;
	}
	for (u32 i = 0; i < W.o.nodes; i++) {
		if (!n->peers[i].peer.res)
			continue;
		err = node_del_peer(n, i, &no);
		if (err)
			violation("contract", "repl_peer_del: %d", err);
	}
	for (u32 v = 0; v < W.o.vols; v++) {
		err = repl_vol_del(&n->vols[v].vol);
		if (err)
			violation("contract", "node %u: repl_vol_del: %d",
				  n->id, err);
	}
	T("n%u stopped", n->id);
	if (n->mem.count)
		violation("leak", "node %u: %llu blocks left after down",
			  n->id, (unsigned long long)n->mem.count);
	net_node_gone(n, true);
	n->up = false;
	n->inc++;
	n->down_wanted = false;
	W.cur = NULL;
	comes_back(n);
	return true;
}

/* ---- the loop ---- */

static void handle(const struct ev *e, struct node *n)
{
	switch ((enum ev_type)e->type) {
	case EV_TICK:
		ev_add(W.o.tick_ms * MS, EV_TICK, n, 0, NULL, 0);
		repl_tick(&n->res, clock_ms(n));
		break;
	case EV_DISK:
		disk_done(&n->vols[e->a], e->p, (int)(s64)e->arg);
		break;
	case EV_META:
		disk_meta_done(&n->vols[e->a], (int)(s64)e->arg);
		break;
	case EV_CLOSE:
		close_disk(n, e->a);
		break;
	case EV_ATTACH:
		node_attach(n, e->a);
		break;
	case EV_NET:
		if (((struct link *)e->p)->epoch == e->arg)
			net_deliver(e->p, e->a / 2, e->a % 2);
		break;
	case EV_CONN_UP:
		net_conn_up(e->p, e->a, (u32)e->arg);
		break;
	case EV_CONN_DOWN:
		net_conn_down(e->p, e->a, (u32)e->arg);
		break;
	case EV_APP:
		app_event(n, e->a);
		break;
	case EV_LINK_RETRY:
		net_retry(e->p);
		break;
	case EV_CUT_END:
		net_cut_end(e->p);
		break;
	case EV_FAULT:
		fault_event(e->a, e->arg);
		break;
	case EV_ADMIN:
		admin_event();
		break;
	case EV_MONITOR:
		state_monitor();
		break;
	case EV_SCRIPT:
		script_event();
		break;
	case EV_LISTS:
		lists_event();
		break;
	case EV_NODE_UP: {
		struct node *up = e->p;

		if (!up->up && up->up_at && up->up_at <= W.now)
			node_start(up);
		break;
	}
	}
}

static void phase_next(void)
{
	char why[256];

	switch (W.phase) {
	case PH_SETUP:
		break;		/* admin.c ends it */
	case PH_FAULTS:
		T("---- faults stop ----");
		W.phase = PH_HEAL;
		W.phase_end = W.now + 300 * SEC;
		fault_heal();
		break;
	case PH_HEAL:
		state_is_settled(why, sizeof(why));
		violation("liveness", "not settled long after the last fault: %s",
			  why);
	case PH_DRAIN:
	case PH_DONE:
		break;
	}
}

void world_run(const struct sim_opts *o)
{
	struct ev e;

	arena_reset();
	net_free();
	for (u32 i = 0; i < MAX_NODES; i++)
		if (W.node[i].mem.list.next)
			mem_free_all(&W.node[i].mem);
	{
		struct ev *heap = W.heap;
		u32 cap = W.heap_cap;

		memset(&W, 0, sizeof(W));
		W.heap = heap;
		W.heap_cap = cap;
	}
	W.o = *o;
	W.rng.s = o->seed * 0x9e3779b97f4a7c15ULL + 12345;
	W.phase = PH_SETUP;
	W.phase_end = 120 * SEC;
	net_init();
	hist_init();
	app_init();
	admin_init();
	agent_init();
	fault_init();
	W.list = o->members ? o->members : (1U << o->nodes) - 1;
	for (u32 i = 0; i < o->nodes; i++) {
		struct node *n = &W.node[i];

		n->id = i;
		n->votes = o->votes;
		n->ack_policy = (u8)o->ack_policy;
		n->min_in_sync = (u8)o->min_in_sync;
		if (o->scenario == SCN_POLICIES)
			fault_draw_policy(n);
		far_init(n);
		n->list = W.list;
		n->out = !sim_member(i);
		mem_owner_init(&n->mem);
		for (u32 v = 0; v < o->vols; v++)
			disk_init(&W.disk[i][v], i, v, false);
	}
	for (u32 i = 0; i < o->nodes; i++)
		if (sim_member(i))
			node_start(&W.node[i]);
	ev_add(50 * MS, EV_ADMIN, NULL, 0, NULL, 0);
	ev_add(100 * MS, EV_MONITOR, NULL, 0, NULL, 0);
	ev_add(100 * MS, EV_FAULT, NULL, 0, NULL, 0);
	if (o->scenario == SCN_SPLIT || o->scenario == SCN_REBORN)
		ev_add(100 * MS, EV_SCRIPT, NULL, 0, NULL, 0);
	if (o->scenario == SCN_MEMBERS)
		lists_init();

	while (W.phase != PH_DONE) {
		struct node *n = NULL;

		if (!W.heap_n)
			violation("liveness", "no events left");
		heap_pop(&e);
		W.now = e.t;
		if (++W.events > 4000000)
			violation("liveness", "events without end");
		if (W.now > W.phase_end) {
			if (W.phase == PH_SETUP) {
				char why[256];

				state_is_settled(why, sizeof(why));
				violation("liveness", "set-up does not end: %s",
					  why);
			}
			phase_next();
		}
		if (e.node != 0xff) {
			n = &W.node[e.node];
			if (e.inc != n->inc)
				continue;
			if (n->paused_until > W.now) {
				/* it stands still: later, in the same order */
				e.t = n->paused_until;
				heap_push(&e);
				continue;
			}
		}
		W.cur = n;
		handle(&e, n);
		W.cur = NULL;
	}
	/* The end: every node stops cleanly and must leave nothing behind. */
}
