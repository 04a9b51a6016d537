// SPDX-License-Identifier: GPL-2.0
/*
 * Application I/O that is held, for a commit, for data or for a majority: how it
 * goes on, is done again, or fails.
 */
#include "internal.h"

void app_check_done(struct repl_res *res)
{
	struct repl_io *io, *tmp;

	list_for_each_entry_safe(io, tmp, &res->in_flight, link)
		if (io->acked ? !io->wait : io->state == IOS_DONE_HELD)
			app_progress(io);
}

/* What was held back for the bound of a peer, or by another policy. */
void app_check_acks(struct repl_res *res)
{
	struct repl_io *io, *tmp;

	list_for_each_entry_safe(io, tmp, &res->in_flight, link)
		if (!io->acked && io->state == IOS_ISSUED)
			app_progress(io);
}

/* A write that was ready without a disk has no place beside one. */
static bool placed(const struct repl_io *io)
{
	return io->op == OP_FLUSH || io->nspans || !store_live(io->vol);
}

/* What waits for a place in the log is held like the rest. */
static void withdraw(struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (store_live(vol))
			al_withdraw(vol->store, &res->held);
}

/*
 * Without a majority writes may be held for long, and the resync that would
 * bring one back reads the same blocks, or waits behind them for the log: those
 * that have not been issued queue up anew later.
 */
static void let_go(struct repl_res *res)
{
	struct repl_io *io, *found;

	withdraw(res);
	do {
		found = NULL;
		list_for_each_entry(io, &res->held, link) {
			if (io->state == IOS_READY_HELD && io->nspans) {
				found = io;
				break;
			}
		}
		if (found) {
			found->state = IOS_NEW;
			al_leave(found);
		}
	} while (found);
}

void app_release_held(struct repl_res *res)
{
	struct repl_io *io;
	LIST_HEAD(list);

	if (res->susp)
		return;
	list_splice_tail_init(&res->held, &list);
	while ((io = list_first_entry_or_null(&list, struct repl_io, link))) {
		list_del_init(&io->link);
		/* Of a reign that came to nothing: not even a flush is done. */
		if (io->op != OP_READ && res->role != ROLE_PRIMARY)
			app_end(io, -EIO);
		else if (io->state == IOS_READY_HELD && placed(io))
			app_ready(io);
		else
			app_start(io);
	}
}

static void fail_list(struct list_head *ios)
{
	struct repl_io *io;
	LIST_HEAD(list);

	list_splice_tail_init(ios, &list);
	while ((io = list_first_entry_or_null(&list, struct repl_io, link))) {
		list_del_init(&io->link);
		io->remote = NODE_NONE;
		app_end(io, -EIO);
	}
}

/*
 * No good replica is left.  Writes that nobody is going to answer for are to
 * be done again, from the start, once there is one; they come before those
 * that were held already.
 */
void app_no_data(struct repl_res *res)
{
	struct repl_io *io, *tmp;
	LIST_HEAD(again);

	list_for_each_entry_safe(io, tmp, &res->in_flight, link) {
		/* An acknowledged one only waits for those that lack it. */
		if (io->acked || in_sync_now(io->vol))
			continue;
		/* An old disk or a sync target may have to answer still. */
		io->lost = io->wait;
		if (io->lost)
			continue;
		app_give_up(io);
		list_add_tail(&io->link, &again);
	}
	/* Reads that waited for one of them are held like the rest. */
	app_unpark(res);
	list_splice_tail_init(&res->held, &again);
	list_splice_tail_init(&again, &res->held);
	if (res->conf.on_no_data == NO_DATA_IO_ERROR)
		fail_list(&res->held);
}

/*
 * Everything that applications wait for fails.  Writes that are on their way
 * stay so, like those that were acknowledged early: they may be on any replica.
 */
void app_fail_all(struct repl_res *res)
{
	struct repl_io *io, *tmp;

	withdraw(res);
	list_for_each_entry_safe(io, tmp, &res->in_flight, link) {
		if (io->acked)
			continue;
		io->lost = false;
		io->err = -EIO;
		app_finish(io, -EIO);
		if (!io->wait && !app_untold(io))
			app_retire(io);
	}
	fail_list(&res->remote_reads);
	fail_list(&res->parked);
	fail_list(&res->held);
}

#define MIN_PATIENCE_MS	1000	/* before peers are configured, too */

/* A majority that has only been late is back before connections time out. */
static bool quorum_overdue(const struct repl_res *res)
{
	const struct repl_peer *p;
	u32 patience = MIN_PATIENCE_MS;
	int i;

	for_each_peer(p, i, res)
		patience = max(patience, p->conf.timeout_ms);
	return res->now - res->quorum_lost_ms >= patience;
}

/* Too few are in step, or have promised to follow. */
void app_no_quorum(struct repl_res *res)
{
	if (res->conf.on_no_quorum == NO_QUORUM_IO_ERROR && quorum_overdue(res))
		app_fail_all(res);
	else
		let_go(res);
}
