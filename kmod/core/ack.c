// SPDX-License-Identifier: GPL-2.0
/*
 * Ack policies: when an application's write is complete.
 *
 *	sync	every receiver has answered, but those marked async
 *	async	the local disk has; peers follow in order
 *	quorum	a majority of the replicas has it, members of the in-sync set
 *
 * Where primaries are elected a majority has to keep the in-sync set besides, with
 * any policy: see keep.c.
 *
 * A write that completes before its last copy is there is sent from a private
 * copy.  What a peer may lack is bounded: beyond the bound it falls behind to
 * its dirty map, or writes are held back until it has caught up.
 */
#include "internal.h"

/*
 * A Primary without good data of its own lives on what its peers have: there
 * is nothing that they could follow.
 */
bool ack_async(const struct repl_vol *vol, const struct repl_peer *p)
{
	return (p->conf.async || vol->res->conf.ack_policy == ACK_ASYNC) &&
	       vol->disk == DISK_UPTODATE && store_live(vol) &&
	       !vol->res->handing_over;
}

bool repl_can_wait(const struct repl_io *io, const struct repl_peer *p)
{
	return io->kind == IO_APP && ack_async(io->vol, p) && !p->held_back;
}

/** replica_nodes() - all nodes of the resource but the witnesses */
u32 replica_nodes(const struct repl_res *res)
{
	u32 nodes = res->witness ? 0 : BIT(res->node);
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (!p->witness)
			nodes |= BIT(i);
	return nodes;
}

/** replicas() - how many these are */
u32 replicas(const struct repl_res *res)
{
	return hweight32(replica_nodes(res));
}

/*
 * A majority of the replicas; but a set that witnesses keep may be smaller.
 */
static u32 most_of(const struct repl_res *res, u32 set)
{
	u32 n = replicas(res), most = n / 2 + 1;

	return n < voters(res) ? min(most, hweight32(set)) : most;
}

/* So many must be in step, or nothing is acknowledged. */
static u32 in_step_needed(const struct repl_res *res, u32 set)
{
	u32 need = res->conf.min_in_sync;

	if (by_majority(res))
		need = max(need, most_of(res, set));
	return max(need, 1U);
}

/**
 * ack_replicas() - how many must have a write before it is acknowledged
 * @res: the resource, where primaries are elected
 * @set: the in-sync set
 */
u32 ack_replicas(const struct repl_res *res, u32 set)
{
	u32 need = in_step_needed(res, set);

	return by_majority(res) ? need : max(need, hweight32(set));
}

/* Replicas in step, and committed; and how many it takes. */
static void vol_in_step(const struct repl_vol *vol, u32 *in_step, u32 *needed)
{
	const struct repl_res *res = vol->res;
	u32 set = vol->in_sync & in_sync_now(vol);
	u32 lacking = keepers_lacking(vol, set);

	*in_step = hweight32(set);
	*needed = in_step_needed(res, set);
	if (lacking)
		*needed = max(*needed, *in_step + lacking);
}

/**
 * ack_in_step() - of the volume that lacks most
 * @res: the resource
 * @in_step: replicas in step, and committed
 * @needed: so many it takes until anything is acknowledged
 */
void ack_in_step(const struct repl_res *res, u32 *in_step, u32 *needed)
{
	struct repl_vol *vol;
	u32 has, need;

	*in_step = REPL_NODES;
	*needed = 1;
	for_each_vol(vol, res) {
		vol_in_step(vol, &has, &need);
		if (has + *needed >= *in_step + need)
			continue;
		*in_step = has;
		*needed = need;
	}
}

/* Are there as many of them as the policy asks for? */
bool ack_enough(const struct repl_res *res)
{
	u32 in_step, needed;

	ack_in_step(res, &in_step, &needed);
	return in_step >= needed;
}

static bool over_bound(const struct repl_peer *p)
{
	const struct repl_res_conf *c = &p->res->conf;

	return (p->lag_bytes > c->backlog_max ||
		(c->backlog_ms && p->lag_ms > c->backlog_ms)) &&
	       !MUTATED(MUT_BOUND_IGNORED);
}

/* Would this write complete while a peer lacks more than it may? */
static bool held_back(const struct repl_io *io)
{
	struct repl_res *res = io->vol->res;
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res) {
		if ((io->wait & BIT(i)) && over_bound(p)) {
			p->held_back = true;
			return true;
		}
	}
	return false;
}

/*
 * A majority of the replicas, by members of the set that is committed.  A
 * flush is also on our own disk: should all lose power, we know best.
 */
static bool quorum_met(const struct repl_io *io)
{
	const struct repl_vol *vol = io->vol;
	u32 here = BIT(vol->res->node);
	u32 got = io->got & vol->in_sync;

	if ((io->op == OP_FLUSH || (io->flags & IOF_FUA)) && (io->wait & here))
		return false;
	if (MUTATED(MUT_WITNESS_ACKS))
		got |= vol->keepers;
	return hweight32(got) >= ack_replicas(vol->res, vol->in_sync);
}

/* Those that have not answered are followers, which nothing waits for. */
static bool others_answered(const struct repl_io *io)
{
	const struct repl_peer *p;
	u32 wait = io->wait;

	for (int i = 0; wait; i++, wait >>= 1) {
		p = io->vol->res->peer[i];
		if ((wait & 1) && (!p || !ack_async(io->vol, p)))
			return false;
	}
	return true;
}

bool ack_met(const struct repl_io *io)
{
	if (!io->wait)
		return true;
	if (by_majority(io->vol->res)) {
		if (!quorum_met(io))
			return false;
	} else if (!others_answered(io)) {
		return false;
	}
	return !held_back(io);
}

/* An answer has come: writes that were held back for its bound may go on. */
void ack_backlog_fell(struct repl_peer *p)
{
	if (p->held_back && !over_bound(p)) {
		p->held_back = false;
		app_check_acks(p->res);
	}
}

/* ---- falling behind ---- */

static void fall_behind(struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer) {
		if (!pv->receiving)
			continue;
		source_stop(pv, true);
		pv->behind = true;
		set_pv_state(pv, RS_BEHIND);
		set_receiving(pv, false);
	}
	note(p->res, NOTE_MESSAGE, NULL, p,
	     "the peer lacks more than the bound allows: it catches up by resync");
}

/* Is some write complete, or to be, without this peer? */
static bool may_lag(const struct repl_peer *p)
{
	struct repl_vol *vol;

	if (by_majority(p->res))
		return true;
	for_each_vol(vol, p->res)
		if (!ack_async(vol, p))
			return false;
	return true;
}

/* How long has it lacked the oldest write that it lacks? */
static u32 lag_ms(const struct repl_peer *p)
{
	struct repl_io *io;

	if (!p->unacked)
		return 0;
	list_for_each_entry(io, &p->res->in_flight, link)
		if (io->wait & BIT(p->node))
			return p->res->now - io->start_ms;
	return 0;
}

void ack_tick(struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res) {
		p->lag_ms = connected(p) ? lag_ms(p) : 0;
		if (!over_bound(p)) {
			p->held_back = false;
		} else if (res->conf.on_backlog == BACKLOG_BEHIND &&
			   connected(p) && may_lag(p)) {
			fall_behind(p);
			evaluate(res);
		}
	}
	app_check_acks(res);
	if (res->susp & SUSP_QUORUM)
		app_no_quorum(res);
}
