// SPDX-License-Identifier: GPL-2.0
/*
 * Application I/O: the life of a write on the primary.
 *
 *	repl_submit -> al_enter -> app_ready -> issue -> answers -> progress
 *
 * A write is numbered when it is issued, goes to the local disk and to every
 * receiver at the same time, and completes when the ack policy is met (ack.c).
 * It stays in flight, and its extent hot, until all have answered.  While a
 * commit (members.c) is under way nothing is issued and nothing completes.
 */
#include "internal.h"

static void answered(struct repl_io *io, u8 node, bool ok);

/*
 * A write that was given up ends.  If it failed, its traces may be on some
 * peers and not on others; they keep it as unconfirmed, and losing us they
 * reconcile.  A generation leaves behind whoever comes back later than the
 * first of them: without a disk we could not tell what they differ in.
 */
static void redo_end(struct repl_io *io, int err)
{
	struct repl_res *res = io->vol->res;

	io->redo = false;
	if (err) {
		res->gen_due = true;
		peers_end(res, "a write was given up when there was no data: replicas have to be compared");
	}
	if (!--res->redo_ios)
		res->redo_seq = 0;
}

/** app_begin() - an I/O that the core sees for the first time */
void app_begin(struct repl_io *io)
{
	INIT_LIST_HEAD(&io->link);
	INIT_LIST_HEAD(&io->hash);
	io->kind = IO_APP;
	io->remote = NODE_NONE;
	io->flush_held = false;
}

static void count(struct repl_io *io)
{
	struct repl_vol_stat *stat = &io->vol->stat;

	stat->in_flight++;
	if (io->op == OP_READ) {
		stat->reads++;
		stat->read_bytes += io->size;
	} else if (io->op == OP_FLUSH) {
		stat->flushes++;
	} else {
		stat->writes++;
		stat->write_bytes += io->size;
	}
}

/** app_busy() - is any I/O of the application not completed? */
bool app_busy(const struct repl_res *res)
{
	const struct repl_vol *vol;

	for_each_vol(vol, res)
		if (vol->stat.in_flight)
			return true;
	return false;
}

void app_finish(struct repl_io *io, int err)
{
	struct repl_res *res = io->vol->res;

	if (io->redo)
		redo_end(io, err);
	io->acked = true;
	ack_lags(io);
	io->vol->stat.in_flight--;
	res->ops->complete(io, err);
}

void app_end(struct repl_io *io, int err)
{
	al_leave(io);
	app_finish(io, err);
	io->vol->res->ops->release(io);
}

/** app_hold() - it waits until I/O goes on, and begins again there: held.c */
void app_hold(struct repl_io *io, enum io_state state)
{
	io->state = state;
	list_add_tail(&io->link, &io->vol->res->held);
}

/* ---- writes and flushes ---- */

/* The node's own disk takes part in the write stream. */
static bool writes_locally(const struct repl_vol *vol)
{
	if (!store_live(vol))
		return false;
	return vol->disk == DISK_UPTODATE || target_applies_writes(vol);
}

static void send_write(struct repl_io *io, struct repl_peer *p)
{
	static const u8 type[] = {
		[OP_WRITE] = PKT_WRITE, [OP_DISCARD] = PKT_DISCARD,
		[OP_ZEROES] = PKT_ZEROES, [OP_FLUSH] = PKT_FLUSH,
	};
	struct repl_res *res = io->vol->res;
	struct repl_wire_hdr h;

	hdr_init(&h, type[io->op], io->vol);
	h.seq = cpu_to_le64(io->seq);
	h.dep = cpu_to_le64(res->done_seq);
	h.through = cpu_to_le64(app_through(res));
	h.id = cpu_to_le64(io->receivers);
	if (io->op != OP_FLUSH) {
		h.sector = cpu_to_le64(io->sector);
		h.size = cpu_to_le32(io->size);
		h.flags = (io->flags & IOF_FUA ? REPL_HDR_FUA : 0) |
			  (io->flags & IOF_NOUNMAP ? REPL_HDR_NOUNMAP : 0);
	}
	if (io->op == OP_WRITE)
		h.length = h.size;
	p->told_through = le64_to_cpu(h.through);
	if (!p->unacked++)
		p->ack_progress_ms = res->now;
	send_pkt(p, &h, NULL, io->op == OP_WRITE ? io : NULL);
}

static void number(struct repl_io *io)
{
	struct repl_res *res = io->vol->res;

	io->seq = ++res->seq;
	io->start_ms = res->now;
	res->have_term = own_term(res);
	res->have_seq = io->seq;
	io->state = IOS_ISSUED;
	list_add_tail(&io->link, &res->in_flight);
	list_add_tail(&io->hash, &res->seq_hash[io->seq % REPL_SEQ_HASH]);
}

/*
 * A flush covers what was acknowledged before it.  That may still be on its way
 * to our disk, where others acknowledged it first.
 */
static bool flush_too_early(const struct repl_io *flush)
{
	const struct repl_vol *vol = flush->vol;
	struct repl_io *io;

	list_for_each_entry(io, &vol->res->in_flight, link) {
		if (io->seq >= flush->seq)
			break;
		if (io->vol == vol && io->acked && io_is_write(io) &&
		    (io->wait & BIT(vol->res->node)))
			return true;
	}
	return false;
}

static struct repl_io *due_flush(struct repl_res *res)
{
	struct repl_io *io;

	list_for_each_entry(io, &res->in_flight, link)
		if (io->flush_held &&
		    (!store_live(io->vol) || !flush_too_early(io)))
			return io;
	return NULL;
}

/* A write on our disk has ended, or the disk is gone. */
void app_kick_flushes(struct repl_res *res)
{
	struct repl_io *io;

	while (res->held_flushes && (io = due_flush(res))) {
		io->flush_held = false;
		res->held_flushes--;
		if (store_live(io->vol))
			disk_io(io);
		else
			answered(io, res->node, false);
	}
}

static void issue(struct repl_io *io)
{
	struct repl_vol *vol = io->vol;
	bool local = writes_locally(vol);
	struct repl_peer *p;
	int i;

	number(io);
	io->receivers = vol->receivers;
	if (io->op == OP_FLUSH && local && MUTATED(MUT_FLUSH_NOT_FORWARDED))
		io->receivers = 0;
	if (local)
		io->receivers |= BIT(vol->res->node);
	io->wait = io->receivers;
	io->got = 0;
	if (MUTATED(MUT_ACK_BEFORE_PEER))
		io->wait &= BIT(vol->res->node);
	if (io_is_write(io)) {
		mark_absent(vol, io, io->receivers);
		target_supersede(io);
	}
	for_each_peer(p, i, vol->res)
		if (io->receivers & BIT(i))
			send_write(io, p);
	if (!local)
		return;
	io->flush_held = io->op == OP_FLUSH && flush_too_early(io);
	if (io->flush_held)
		vol->res->held_flushes++;
	else
		disk_io(io);
}

void app_ready(struct repl_io *io)
{
	struct repl_res *res = io->vol->res;

	/* Before the first write that a lost receiver won't get. */
	if (res->gen_pending && !res->susp)
		commit_start(res, true);
	/* Or the reign has ended while it waited for its turn. */
	if (res->susp || res->role != ROLE_PRIMARY)
		app_hold(io, IOS_READY_HELD);
	else
		issue(io);
}

void app_start(struct repl_io *io)
{
	/* What it knows of the data is from before we were replaced. */
	if (io->vol->revoked) {
		app_end(io, -EIO);
		return;
	}
	if (io->op == OP_READ)
		app_read(io);
	else if (io->vol->res->role != ROLE_PRIMARY)
		app_end(io, io->op == OP_FLUSH ? 0 : -EROFS);
	else if (io->vol->res->susp)
		app_hold(io, IOS_NEW);
	else if (io->op == OP_FLUSH)
		app_ready(io);
	else
		al_enter(io);
}

void repl_submit(struct repl_io *io)
{
	struct repl_res *res = io->vol->res;

	app_begin(io);
	count(io);
	if (res->handing_over && io->op != OP_READ) {
		res->handing_over = false;
		evaluate(res);
	}
	app_start(io);
}

u64 app_through(const struct repl_res *res)
{
	const struct repl_io *io;

	u64 through = res->seq;

	if (!list_empty(&res->in_flight)) {
		io = list_first_entry(&res->in_flight, struct repl_io, link);
		through = io->seq - 1;
	}
	/* What was given up is not complete anywhere, whatever came after. */
	if (res->redo_seq)
		through = min(through, res->redo_seq - 1);
	return through;
}

/*
 * Nobody who counts is going to answer for this write any more: it is to be
 * done again, from the start.
 */
void app_give_up(struct repl_io *io)
{
	struct repl_res *res = io->vol->res;
	struct repl_io *read;

	/* Whoever has seen it has seen what never was, and looks again. */
	list_for_each_entry(read, &res->parked, link)
		read->state = IOS_NEW;
	list_del_init(&io->link);
	list_del_init(&io->hash);
	al_leave(io);
	io->lost = false;
	io->state = IOS_NEW;
	if (!io_is_write(io))
		return;
	if (!res->redo_seq || io->seq < res->redo_seq)
		res->redo_seq = io->seq;
	if (!io->redo)
		res->redo_ios++;
	io->redo = true;
}

static void do_again(struct repl_io *io)
{
	app_give_up(io);
	list_add_tail(&io->link, &io->vol->res->held);
	app_unpark(io->vol->res);
}

/* All have answered: nobody needs it any more. */
void app_retire(struct repl_io *io)
{
	list_del_init(&io->link);
	list_del_init(&io->hash);
	al_leave(io);
	io->vol->res->ops->release(io);
}

/*
 * One that was to get it won't, and the other receivers have not been told
 * yet.  As long as they hold it for unconfirmed they will mark it.
 */
bool app_untold(const struct repl_io *io)
{
	const struct repl_res *res = io->vol->res;

	return io->dropped && res->role == ROLE_PRIMARY &&
	       (res->gen_pending || (res->susp & (SUSP_META | SUSP_PEER_ACK)));
}

/*
 * A member that joined after this write was sent, while we lived on the peers'
 * data: no map tells it what it lacks.  Our own disk may be that one, filled by a
 * peer that did not get the write either.
 */
static bool member_lacks(const struct repl_io *io)
{
	const struct repl_vol *vol = io->vol;
	u32 lack = vol->in_sync & ~io->got;

	if (vol->disk == DISK_UPTODATE)
		lack &= BIT(vol->res->node);
	else
		lack &= ~BIT(vol->res->node);
	return io_is_write(io) && lack;
}

/* An answer has come, or none is to be expected any more. */
void app_progress(struct repl_io *io)
{
	struct repl_res *res = io->vol->res;

	if (io->lost && !io->wait) {
		do_again(io);
		return;
	}
	if (!io->acked && ack_met(io)) {
		/* Held for long: our disk may be filled meanwhile, by one that lacks it. */
		if ((res->susp & SUSP_FENCING) && !io->wait && member_lacks(io)) {
			do_again(io);
			return;
		}
		if ((res->gen_pending || res->susp || !set_kept(io->vol)) &&
		    !MUTATED(MUT_SHRINK_NOT_DURABLE)) {
			io->state = IOS_DONE_HELD;
			return;
		}
		if (!io->wait && member_lacks(io)) {
			do_again(io);
			return;
		}
		res->done_seq = max(res->done_seq, io->seq);
		app_finish(io, io->err);
	}
	/* What reads wait for is an acknowledgement, or what follows it. */
	if (!io->acked)
		return;
	if (!io->wait && !app_untold(io))
		app_retire(io);
	app_unpark(res);
}

static void answered(struct repl_io *io, u8 node, bool ok)
{
	if (!(io->wait & BIT(node)))
		return;
	io->wait &= ~BIT(node);
	if (ok)
		io->got |= BIT(node);
	else
		io->dropped = true;
	/*
	 * Peers keep the order of the stream; here the next one may go on, and
	 * a resync that this one may be held for may read.
	 */
	if (!(io->wait & BIT(io->vol->res->node)))
		al_leave_keep(io);
	app_progress(io);
}

static void write_done(struct repl_io *io, int err)
{
	struct repl_vol *vol = io->vol;
	struct repl_pv *pv;
	/* Of what was acknowledged without our disk nobody can be told. */
	bool acked = io->acked && !io->err && !MUTATED(MUT_ACKED_ERROR_PASSED);

	if (err && (acked || vol->conf.on_io_error == ON_ERROR_DETACH)) {
		store_fail(vol, "a write failed");
	} else if (err) {
		/* The application is told; what is where is not known. */
		io->err = err;
		if (store_live(vol) && io_is_write(io)) {
			mark_absent(vol, io, 0);
			/* What a target says is clean may be from before. */
			for_each_pv(pv, vol)
				source_stop(pv, true);
		}
	}
	answered(io, vol->res->node, !err);
	app_kick_flushes(vol->res);
	if (err || vol->res->commit.step == COMMIT_DRAIN)
		evaluate(vol->res);
}

void app_disk_done(struct repl_io *io, int err)
{
	if (io->op == OP_READ)
		app_read_done(io, err);
	else
		write_done(io, err);
}

static struct repl_io *by_seq(struct repl_res *res, u64 seq)
{
	struct repl_io *io;

	list_for_each_entry(io, &res->seq_hash[seq % REPL_SEQ_HASH], hash)
		if (io->seq == seq)
			return io;
	return NULL;
}

struct repl_io *repl_awaited(struct repl_peer *p, const struct repl_wire_hdr *h)
{
	struct repl_io *io = by_seq(p->res, le64_to_cpu(h->seq));

	return io && io->wait & BIT(p->node) ? io : NULL;
}

void app_peer_answer(struct repl_peer *p, u64 seq, bool ok)
{
	struct repl_io *io = by_seq(p->res, seq);
	struct repl_pv *pv;

	p->ack_progress_ms = p->res->now;
	if (!io && ok)
		commit_flushed(p, seq);
	if (!io || !(io->receivers & BIT(p->node)))
		return;
	if (ok) {
		if (io->wait & BIT(p->node)) {
			ack_not_awaited(io, p);
			answered(io, p->node, true);
			ack_backlog_fell(p);
		}
		/* It may wait for just this one. */
		if (p->res->commit.step == COMMIT_DRAIN)
			evaluate(p->res);
		return;
	}
	/* It is no receiver any more: a sync of it may have begun since. */
	if (!(io->wait & BIT(p->node)))
		return;
	pv = pv_get(io->vol, p);
	if (!pv)
		return;
	pv->peer_state.disk = DISK_FAILED;
	evaluate(p->res);
}

/*
 * The peer won't answer for what it has not answered yet: it lacks these
 * writes as far as we know.  Nothing completes on the strength of this before
 * a new generation has begun.
 */
void app_drop_receiver(struct repl_pv *pv)
{
	struct repl_res *res = pv->vol->res;
	struct repl_store *s = store_live(pv->vol);
	u32 bit = BIT(pv->peer->node);
	bool evaluating = res->evaluating;
	struct repl_io *io, *tmp;

	gen_wanted(res);
	res->evaluate_again = true;
	/* One that goes on now may begin a commit: no conclusions from half of it. */
	res->evaluating = true;
	list_for_each_entry_safe(io, tmp, &res->in_flight, link) {
		if (io->vol != pv->vol || !(io->wait & bit))
			continue;
		ack_not_awaited(io, pv->peer);
		if (io->acked && !io->err && majority_acked(res)) {
			pv->lacks = true;
			pv->lacks_at = pv->vol->uncommitted ? pv->vol->before :
							      pv->vol->lineage;
		}
		if (s && pv->slot != SLOT_NONE && io_is_write(io) &&
		    !MUTATED(MUT_UNACKED_NOT_DIRTY))
			dirty_set_range(&s->dirty, pv->slot,
					io_first_block(io), io_blocks(io));
		answered(io, pv->peer->node, false);
	}
	res->evaluating = evaluating;
}

/* What peers have not answered yet becomes dirty for them. */
void app_unanswered_dirty(struct repl_vol *vol)
{
	struct repl_io *io;

	list_for_each_entry(io, &vol->res->in_flight, link)
		if (io->vol == vol && io_is_write(io))
			mark_absent(vol, io, BIT(vol->res->node) |
				    (io->receivers & ~io->wait));
}
