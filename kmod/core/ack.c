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

static u32 witnesses(const struct repl_res *res)
{
	u32 nodes = res->witness ? BIT(res->node) : 0;
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (p->witness)
			nodes |= BIT(i);
	return nodes;
}

/*
 * A majority of the replicas in a list of nodes; but a set that witnesses keep may be
 * smaller.
 */
static u32 most_of(const struct repl_res *res, u32 list, u32 set)
{
	u32 n = hweight32(list & ~witnesses(res)), most = n / 2 + 1;

	return n < hweight32(list) ? min(most, hweight32(set)) : most;
}

/* So many must be in step, or nothing is acknowledged. */
static u32 in_step_needed(const struct repl_res *res, u32 set)
{
	u32 need = res->conf.min_in_sync;

	if (by_majority(res))
		need = max(need, edit_most(res, set, most_of, set));
	return max(need, 1U);
}

/**
 * ack_replicas() - how many at least have what was acknowledged under a set
 * @res: the resource, where primaries are elected
 * @set: its members
 * @by_all: SET_BY_ALL, from the set's version
 *
 * Whatever this node would ask for, were it Primary, says nothing of that.
 */
u32 ack_replicas(const struct repl_res *res, u32 set, bool by_all)
{
	return by_all ? hweight32(set) : edit_least(res, ~0U, most_of, set);
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

/* How long may a peer lack a write?  @p->lag_ms is as of the last tick. */
static bool lags_too_long(const struct repl_peer *p)
{
	u32 most = p->res->conf.backlog_ms;

	return most && p->lag_ms > most && !MUTATED(MUT_BOUND_IGNORED);
}

/* Would a peer lack more than it may, were this write complete? */
static bool held_back(const struct repl_io *io)
{
	struct repl_res *res = io->vol->res;
	struct repl_peer *p;
	int i;

	if (MUTATED(MUT_BOUND_IGNORED))
		return false;
	for_each_peer(p, i, res) {
		if (!(io->wait & BIT(i)))
			continue;
		if (p->lag_bytes + io->size > res->conf.backlog_max ||
		    lags_too_long(p)) {
			p->held_back = true;
			return true;
		}
	}
	return false;
}

/** ack_lags() - this write is complete: those that have not answered lack it */
void ack_lags(const struct repl_io *io)
{
	struct repl_peer *p;
	int i;

	if (!io->wait)
		return;
	for_each_peer(p, i, io->vol->res)
		if (io->wait & BIT(i))
			p->lag_bytes += io->size;
}

/** ack_not_awaited() - this peer has answered for a write, or never will */
void ack_not_awaited(const struct repl_io *io, struct repl_peer *p)
{
	if (p->unacked)
		p->unacked--;
	if (io->acked)
		p->lag_bytes -= min_t(u64, p->lag_bytes, io->size);
}

/*
 * Should all lose power, positions say nothing any more.  What was flushed is then
 * where it is looked for (first_of_all()): on our own disk, or on all of a set that
 * has not got that.
 */
static bool flush_waits(const struct repl_io *io)
{
	u32 set = io->vol->in_sync, here = BIT(io->vol->res->node);

	if (io->op != OP_FLUSH && !(io->flags & IOF_FUA))
		return false;
	return io->wait & (set & here ? here : set | here);
}

/* A majority of the replicas, by members of the set that is committed. */
static bool quorum_met(const struct repl_io *io)
{
	const struct repl_vol *vol = io->vol;
	u32 got = io->got & (MUTATED(MUT_ASYNC_ACKS) ? ~0U : vol->in_sync);

	if (flush_waits(io))
		return false;
	if (MUTATED(MUT_WITNESS_ACKS))
		got |= vol->keepers;
	return hweight32(got) >= in_step_needed(vol->res, vol->in_sync);
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
	if (p->held_back && p->lag_bytes < p->res->conf.backlog_max) {
		p->held_back = false;
		app_check_acks(p->res);
	}
}

/* ---- falling behind ---- */

/* Return: false if it gets no writes anyway */
static bool fall_behind(struct repl_peer *p, const char *why)
{
	struct repl_pv *pv;
	bool fell = false;

	list_for_each_entry(pv, &p->pvs, by_peer) {
		if (!pv->receiving)
			continue;
		source_stop(pv, true);
		pv->behind = true;
		set_pv_state(pv, RS_BEHIND);
		set_receiving(pv, false);
		fell = true;
	}
	if (fell)
		note(p->res, NOTE_MESSAGE, NULL, p, why);
	return fell;
}

/**
 * ack_enough_without() - are there enough members for a set without these?
 * @res: the resource
 * @nodes: those
 *
 * If not, they are no laggards: nothing is complete without them, and without them
 * nothing ever would be.
 */
bool ack_enough_without(const struct repl_res *res, u32 nodes)
{
	struct repl_vol *vol;
	u32 set, rest;

	for_each_vol(vol, res) {
		set = in_sync_now(vol);
		rest = set & ~nodes;
		if (((set | vol->in_sync) & nodes) &&
		    !MUTATED(MUT_NEEDED_DROPPED) &&
		    (hweight32(rest) < in_step_needed(res, rest) ||
		     keepers_lacking(vol, rest)))
			return false;
	}
	return true;
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

/**
 * ack_leave_slow() - go on without a receiver that keeps a set waiting
 * @p: it, connected
 *
 * Where a majority acknowledges nothing waits for one that is slow; nor for one that
 * is async, unless it votes: then it may be needed to keep the set.
 * Return: true if it is left behind
 */
bool ack_leave_slow(struct repl_peer *p)
{
	const struct repl_res *res = p->res;

	if (elects(res) ? !by_majority(res) :
			  !may_lag(p) || res->conf.on_backlog != BACKLOG_BEHIND)
		return false;
	if (!ack_enough_without(res, BIT(p->node)))
		return false;
	return fall_behind(p, "the peer keeps a change of the in-sync set waiting: it is left out, and catches up by resync");
}

/* How long has it lacked the oldest of what is complete without it? */
static u32 lag_ms(const struct repl_peer *p)
{
	struct repl_io *io;

	if (!p->unacked)
		return 0;
	list_for_each_entry(io, &p->res->in_flight, link)
		if (io->acked && (io->wait & BIT(p->node)))
			return p->res->now - io->start_ms;
	return 0;
}

/*
 * What a peer has not answered keeps its extents in the activity log.  There may be
 * room for no more long before there are so many bytes.
 */
static bool log_is_full(const struct repl_res *res)
{
	struct repl_vol *vol;
	bool full = false;

	for_each_vol(vol, res)
		if (store_live(vol))
			full |= vol->store->al.stuck;
	return full && !MUTATED(MUT_LOG_FILLED);
}

#define LOG_PATIENCE_MS	1000

/* Return: why it is to fall behind, or NULL */
static const char *lags(const struct repl_peer *p, bool log_full)
{
	if (p->held_back || lags_too_long(p))
		return "the peer lacks more than the bound allows: it catches up by resync";
	if (log_full && p->lag_ms > LOG_PATIENCE_MS)
		return "what the peer lacks leaves no room in the activity log: it catches up by resync";
	return NULL;
}

void ack_tick(struct repl_res *res)
{
	bool behind = res->conf.on_backlog == BACKLOG_BEHIND;
	bool log_full = log_is_full(res);
	struct repl_peer *p;
	const char *why;
	int i;

	for_each_peer(p, i, res) {
		p->lag_ms = connected(p) ? lag_ms(p) : 0;
		why = connected(p) && behind ? lags(p, log_full) : NULL;
		if (why && may_lag(p) && ack_enough_without(res, BIT(i)) &&
		    fall_behind(p, why))
			evaluate(res);
		p->held_back = false;
	}
	app_check_acks(res);
	if (res->susp & SUSP_QUORUM)
		app_no_quorum(res);
}
