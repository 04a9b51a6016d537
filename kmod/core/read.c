// SPDX-License-Identifier: GPL-2.0
/*
 * Reads of the application: from our own disk, or from a peer's where that has none.
 *
 * Nobody may see what can be gone again, nor what is older than an acknowledged
 * write: so a read waits for writes in flight that it overlaps, and where primaries
 * are elected for a lease that holds (lease.c).
 */
#include "internal.h"

#define READ_RETRIES	3	/* of a read that a peer could not serve */

/*
 * Acknowledged, and where we read from: only others lack it still.  One that
 * has failed may never reach them.
 */
static bool settled_here(const struct repl_io *w)
{
	u32 here = BIT(w->vol->res->node);

	return w->acked && !w->err && (w->got & here) && w->vol->disk == DISK_UPTODATE;
}

/*
 * What a write in flight has put on our disk may be gone after a crash.  A
 * read that saw it would have seen a value that never was.
 */
static bool under_one(const struct repl_io *io, u64 limit)
{
	struct repl_io *w;

	if (MUTATED(MUT_READ_IN_FLIGHT))
		return false;
	list_for_each_entry(w, &io->vol->res->in_flight, link)
		if (w->seq <= limit && io_is_write(w) && !settled_here(w) &&
		    w->vol == io->vol && io_overlaps(io, w))
			return true;
	/* Nor must a write of the primary before us land after it. */
	list_for_each_entry(w, &io->vol->res->applying, hash)
		if (w->vol == io->vol && io_overlaps(io, w))
			return true;
	return false;
}

static inline bool writes_nothing(const struct repl_res *res)
{
	return list_empty(&res->in_flight) && list_empty(&res->applying);
}

/* Mostly there are no writes at all: that is to be cheap. */
static inline bool under_write(const struct repl_io *io, u64 limit)
{
	return !writes_nothing(io->vol->res) && under_one(io, limit);
}

static void park(struct repl_io *io, enum io_state state)
{
	io->state = state;
	list_add_tail(&io->link, &io->vol->res->parked);
}

/*
 * The data is there; a write that came meanwhile may be part of it.  If we were
 * replaced, that has failed.
 */
static void read_good(struct repl_io *io)
{
	io->seq = io->vol->res->seq;
	if (io->vol->revoked)
		app_end(io, -EIO);
	else if (under_write(io, io->seq))
		park(io, IOS_DONE_HELD);
	else
		app_end(io, 0);
}

static void fail_or_hold(struct repl_io *io)
{
	if (io->vol->res->conf.on_no_data == NO_DATA_IO_ERROR)
		app_end(io, -EIO);
	else
		app_hold(io, IOS_NEW);
}

static void read_remote(struct repl_io *io)
{
	struct repl_res *res = io->vol->res;
	struct repl_wire_hdr h;
	struct repl_pv *pv;

	for_each_pv(pv, io->vol) {
		if (!pv_serves_reads(pv))
			continue;
		io->remote = pv->peer->node;
		io->id = ++res->next_id;
		io->state = IOS_ISSUED;
		list_add_tail(&io->link, &res->remote_reads);
		hdr_init(&h, PKT_READ, io->vol);
		h.id = cpu_to_le64(io->id);
		h.sector = cpu_to_le64(io->sector);
		h.size = cpu_to_le32(io->size);
		send_pkt(pv->peer, &h, NULL, NULL);
		return;
	}
	if (res->role == ROLE_PRIMARY)
		fail_or_hold(io);
	else
		app_end(io, -EIO);
}

static bool reads_held(const struct repl_res *res)
{
	return res->susp ||
	       (res->role == ROLE_PRIMARY && elects(res) && !lease_holds(res));
}

/* Is it store_live(), and good?  In short, as every read asks. */
static inline bool reads_here(const struct repl_vol *vol)
{
	return vol->disk == DISK_UPTODATE && vol->store && !vol->store->detaching;
}

void app_read(struct repl_io *io)
{
	if (reads_held(io->vol->res)) {
		app_hold(io, IOS_NEW);
	} else if (under_write(io, ~0ULL)) {
		park(io, IOS_NEW);
	} else if (reads_here(io->vol)) {
		io->state = IOS_ISSUED;
		disk_io(io);
	} else {
		read_remote(io);
	}
}

/* A write has gone: reads that waited for it may be able to start. */
void app_unpark(struct repl_res *res)
{
	struct repl_io *io;
	LIST_HEAD(list);

	if (list_empty(&res->parked))
		return;
	list_splice_tail_init(&res->parked, &list);
	while ((io = list_first_entry_or_null(&list, struct repl_io, link))) {
		list_del_init(&io->link);
		if (io->state == IOS_NEW)
			app_read(io);
		else if (under_write(io, io->seq))
			park(io, IOS_DONE_HELD);
		else
			app_end(io, 0);
	}
}

void app_read_answer(struct repl_peer *p, u64 id, struct repl_io *data)
{
	struct repl_io *io, *found = NULL;

	list_for_each_entry(io, &p->res->remote_reads, link)
		if (io->id == id && io->remote == p->node)
			found = io;
	if (!found)
		return;
	list_del_init(&found->link);
	found->remote = NODE_NONE;
	if (data && data->size == found->size) {
		p->res->ops->copy_data(found, data);
		read_good(found);
	} else if (++found->err > READ_RETRIES) {
		app_end(found, -EIO);
	} else {
		/* Its disk is failing: it will tell; the next tick retries. */
		app_hold(found, IOS_NEW);
	}
}

void app_reads_lost(struct repl_peer *p)
{
	struct repl_io *io, *tmp;

	list_for_each_entry_safe(io, tmp, &p->res->remote_reads, link) {
		if (io->remote != p->node)
			continue;
		list_del_init(&io->link);
		io->remote = NODE_NONE;
		app_hold(io, IOS_NEW);
	}
}

void app_read_done(struct repl_io *io, int err)
{
	if (err && io->vol->conf.on_io_error == ON_ERROR_DETACH) {
		store_fail(io->vol, "a read failed");
		io->state = IOS_NEW;
		app_read(io);
		return;
	}
	if (err)
		app_end(io, err);
	else
		read_good(io);
}

/* ---- reads that the shell sends to the disk itself ---- */

/* Would it be on our disk at once, by app_start() and app_read()? */
static bool may_go_direct(const struct repl_io *io)
{
	const struct repl_vol *vol = io->vol;

	if (!reads_here(vol))
		return false;
	return MUTATED(MUT_DIRECT_ALWAYS) ||
	       (!vol->revoked && !reads_held(vol->res) &&
		!under_write(io, ~0ULL));
}

/* As read_good(); and who lets go of the disk waits for its last I/O. */
static bool may_end_direct(const struct repl_io *io)
{
	const struct repl_vol *vol = io->vol;

	return reads_here(vol) && !vol->revoked &&
	       !under_write(io, vol->res->seq);
}

static inline bool begin_direct(const struct repl_io *io)
{
	struct repl_vol *vol = io->vol;

	vol->store->disk_ios++;
	vol->stat.in_flight++;
	vol->stat.reads++;
	vol->stat.read_bytes += io->size;
	return true;
}

static inline bool end_direct(const struct repl_io *io)
{
	struct repl_vol *vol = io->vol;

	vol->store->disk_ios--;
	vol->stat.in_flight--;
	return true;
}

/*
 * Not inline: so that registers are saved only here, and not for every read.  On a
 * fast disk that tells.
 */
static noinline bool begin_if_may(const struct repl_io *io)
{
	return may_go_direct(io) && begin_direct(io);
}

static noinline bool end_if_may(const struct repl_io *io)
{
	return may_end_direct(io) && end_direct(io);
}

/* Nothing that a read could wait for, as it mostly is. */
static inline bool nothing_waits(const struct repl_vol *vol)
{
	return reads_here(vol) && !vol->revoked && writes_nothing(vol->res);
}

bool repl_read_begin(struct repl_io *io)
{
	const struct repl_res *res = io->vol->res;

	if (nothing_waits(io->vol) && !res->susp && !elects(res))
		return begin_direct(io);
	return begin_if_may(io);
}

bool repl_read_end(struct repl_io *io)
{
	return nothing_waits(io->vol) ? end_direct(io) : end_if_may(io);
}

void repl_read_done(struct repl_io *io, int err)
{
	app_begin(io);
	io->state = IOS_ISSUED;
	repl_io_done(io, err);
}
