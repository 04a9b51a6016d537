// SPDX-License-Identifier: GPL-2.0
/*
 * I/O that a primary elsewhere asks of us: writes, flushes, reads.
 *
 * Writes are applied in the order in which the application saw them complete:
 * each names the last one that it may depend on.  They are kept in the tail
 * until the primary has said that they are complete everywhere.  If it is lost
 * before, they are what the survivors may differ in: they become dirty towards
 * everybody.  Those that have arrived are applied all the same, so that what a
 * node has is always all up to one position (have_seq), unless its disk is let
 * go of before that (detach.c, position_refused()).  What is applied behind that is
 * acknowledged late (position_holds()).
 */
#include "internal.h"
#include "detach.h"
#include "position.h"

void peer_io_put(struct repl_io *io)
{
	struct repl_peer *p = io->peer;

	list_del_init(&io->hash);
	al_leave(io);
	p->ios--;
	p->res->ops->release(io);
}

static void io_init(struct repl_io *io, struct repl_peer *p,
		    struct repl_vol *vol, u8 kind, u8 op,
		    const struct repl_wire_hdr *h)
{
	INIT_LIST_HEAD(&io->link);
	INIT_LIST_HEAD(&io->hash);
	io->vol = vol;
	io->peer = p;
	io->kind = kind;
	io->op = op;
	io->state = IOS_NEW;
	io->flags = (h->flags & REPL_HDR_FUA ? IOF_FUA : 0) |
		    (h->flags & REPL_HDR_NOUNMAP ? IOF_NOUNMAP : 0);
	io->sector = le64_to_cpu(h->sector);
	io->size = le32_to_cpu(h->size);
	io->seq = le64_to_cpu(h->seq);
	io->dep = le64_to_cpu(h->dep);
	io->id = le64_to_cpu(h->id);
	io->receivers = le64_to_cpu(h->id);
	io->conn = p->conn_count;
	io->remote = NODE_NONE;
	p->ios++;
}

static bool same_conn(const struct repl_io *io)
{
	return connected(io->peer) && io->conn == io->peer->conn_count;
}

static void answer(struct repl_io *io, u8 type)
{
	struct repl_wire_hdr h;

	if (!same_conn(io))
		return;
	hdr_init(&h, type, io->vol);
	h.seq = cpu_to_le64(io->seq);
	h.id = cpu_to_le64(io->id);
	if (type == PKT_READ_DATA) {
		h.sector = cpu_to_le64(io->sector);
		h.size = cpu_to_le32(io->size);
		h.length = h.size;
	}
	send_pkt(io->peer, &h, NULL, type == PKT_READ_DATA ? io : NULL);
}

static bool io_in_range(const struct repl_vol *vol, const struct repl_io *io)
{
	return io->sector + io->size / SECTOR_BYTES <= vol->sectors;
}

/* May a write of the primary be applied here? */
static bool takes_writes(const struct repl_vol *vol)
{
	if (!store_live(vol))
		return false;
	return vol->disk >= DISK_OUTDATED || target_applies_writes(vol);
}

void mark_absent(struct repl_vol *vol, const struct repl_io *io, u32 present)
{
	struct repl_store *s = store_live(vol);
	u32 i;

	if (!s || MUTATED(MUT_ABSENT_NOT_DIRTY))
		return;
	for (i = 0; i < s->nslots; i++)
		if (s->slot[i].used && !(present & BIT(s->slot[i].node)))
			dirty_set_range(&s->dirty, i, io_first_block(io),
					io_blocks(io));
}

static void refuse(struct repl_io *io)
{
	position_refused(io);
	answer(io, PKT_NACK);
	peer_io_put(io);
}

/* ---- flushes ---- */

static bool writes_before(const struct repl_io *flush)
{
	struct repl_io *io;

	list_for_each_entry(io, &flush->vol->res->applying, hash)
		if (io->vol == flush->vol && io->seq < flush->seq)
			return true;
	return false;
}

static void kick_flushes(struct repl_res *res)
{
	struct repl_io *io, *tmp;

	list_for_each_entry_safe(io, tmp, &res->peer_flushes, link) {
		if (writes_before(io))
			continue;
		list_del_init(&io->link);
		if (!same_conn(io) || !takes_writes(io->vol)) {
			answer(io, PKT_NACK);
			peer_io_put(io);
			continue;
		}
		io->state = IOS_ISSUED;
		disk_io(io);
	}
}

void peer_flush(struct repl_peer *p, const struct repl_wire_hdr *h,
		struct repl_io *io)
{
	struct repl_vol *vol = vol_get(p->res, le16_to_cpu(h->volume));

	io_init(io, p, vol, IO_PEER_FLUSH, OP_FLUSH, h);
	io->size = 0;
	peer_through(p, le64_to_cpu(h->through));
	if (detach_waits(vol)) {
		answer(io, PKT_NACK);
		peer_io_put(io);
		return;
	}
	list_add_tail(&io->link, &p->res->peer_flushes);
	kick_flushes(p->res);
}

/* ---- writes ---- */

static u8 op_of(u8 type)
{
	switch (type) {
	case PKT_DISCARD:
		return OP_DISCARD;
	case PKT_ZEROES:
		return OP_ZEROES;
	default:
		return OP_WRITE;
	}
}

void peer_write(struct repl_peer *p, const struct repl_wire_hdr *h,
		struct repl_io *io)
{
	struct repl_vol *vol = vol_get(p->res, le16_to_cpu(h->volume));
	struct repl_pv *pv;

	io_init(io, p, vol, IO_PEER_WRITE, op_of(h->type), h);
	if (p->role != ROLE_PRIMARY || p->res->role == ROLE_PRIMARY ||
	    !io_in_range(vol, io) || io->seq <= p->last_seq) {
		peer_end(p, false, "a write that makes no sense: not from a primary, out of order, or beyond the end");
		peer_io_put(io);
		return;
	}
	if (outvoted(p)) {
		peer_end(p, false, "a write of a primary whose term is over");
		peer_io_put(io);
		return;
	}
	p->last_seq = io->seq;
	p->res->seq = max(p->res->seq, io->seq);
	position_received(p, io->seq);
	peer_through(p, le64_to_cpu(h->through));
	if (!takes_writes(vol) || detach_waits(vol)) {
		refuse(io);
		return;
	}
	/*
	 * A primary whose own disk is not among the receivers has lost it: the
	 * word of it comes after this.  Don't take it for a source meanwhile.
	 */
	pv = pv_get(vol, p);
	if (!(io->receivers & BIT(p->node)) &&
	    pv->peer_state.disk == DISK_UPTODATE)
		pv->peer_state.disk = DISK_DISKLESS;
	/* At once: a resync that begins behind it must know. */
	mark_absent(vol, io, io->receivers | BIT(p->res->node));
	store_shared(vol, io->receivers);
	list_add_tail(&io->hash, &p->res->applying);
	target_supersede(io);
	al_enter(io);
}

static void lost(struct repl_io *io)
{
	if (!MUTATED(MUT_NO_TAIL))
		mark_absent(io->vol, io, BIT(io->vol->res->node));
}

/* Is one that this write may depend on not applied yet? */
static bool too_early(const struct repl_io *io)
{
	struct repl_io *w;

	if (MUTATED(MUT_DEP_IGNORED))
		return false;
	/*
	 * In order, those of an earlier connection first: a primary that has
	 * crashed since may number on from further back.
	 */
	list_for_each_entry(w, &io->vol->res->applying, hash)
		if (w->peer == io->peer)
			return w->conn != io->conn || w->seq <= io->dep;
	return false;
}

/* A write is on our disk, or never will be: what waited for it goes on. */
static void write_ended(struct repl_res *res)
{
	peer_kick_deps(res);
	kick_flushes(res);
	app_unpark(res);
	members_applied(res);
	if (res->apply_awaited && list_empty(&res->applying)) {
		res->apply_awaited = false;
		evaluate(res);
	}
}

static void write_ready(struct repl_io *io)
{
	struct repl_res *res = io->vol->res;

	if (!takes_writes(io->vol)) {
		refuse(io);
		write_ended(res);
		return;
	}
	if (too_early(io)) {
		io->state = IOS_WAIT_DEP;
		list_add_tail(&io->link, &res->dep_wait);
		return;
	}
	io->state = IOS_ISSUED;
	disk_io(io);
}

static void take_ready(struct repl_res *res, struct list_head *ready)
{
	struct repl_io *io, *tmp;

	list_for_each_entry_safe(io, tmp, &res->dep_wait, link)
		if (!too_early(io) || !takes_writes(io->vol))
			list_move_tail(&io->link, ready);
}

/*
 * One has been applied, or never will be.  One that is refused now makes way
 * for others in its turn: that is seen to here and not by recursion.
 */
void peer_kick_deps(struct repl_res *res)
{
	struct repl_io *io;
	LIST_HEAD(ready);

	res->deps_changed = true;
	if (res->kicking_deps)
		return;
	res->kicking_deps = true;
	while (res->deps_changed) {
		res->deps_changed = false;
		take_ready(res, &ready);
		while ((io = list_first_entry_or_null(&ready, struct repl_io,
						      link))) {
			list_del_init(&io->link);
			write_ready(io);
		}
	}
	res->kicking_deps = false;
}

/* Those of a peer are in order, for confirmed(); mostly this is the newest. */
static void tail_add(struct repl_io *io)
{
	struct list_head *tail = &io->vol->res->tail, *at;
	struct repl_io *other;

	for (at = tail->prev; at != tail; at = at->prev) {
		other = list_entry(at, struct repl_io, hash);
		if (other->peer == io->peer && other->seq < io->seq)
			break;
	}
	list_move(&io->hash, at);
}

static void write_done(struct repl_io *io)
{
	if (!same_conn(io)) {
		lost(io);
		peer_io_put(io);
		return;
	}
	if (position_holds(io)) {
		io->state = IOS_ACK_HELD;
	} else {
		position_acked(io->vol, io->peer->term, io->seq);
		answer(io, PKT_ACK);
		io->state = IOS_TAIL;
	}
	/* Left behind, we are the last to have it, and are not told once more. */
	if (io->seq <= io->peer->through) {
		peer_io_put(io);
		return;
	}
	tail_add(io);
	al_leave_keep(io);
}

bool peer_acks_held(const struct repl_peer *p)
{
	const struct repl_io *io;

	list_for_each_entry(io, &p->res->tail, hash)
		if (io->peer == p && io->state == IOS_ACK_HELD)
			return true;
	return false;
}

void peer_acks_release(struct repl_peer *p)
{
	struct repl_io *io;

	list_for_each_entry(io, &p->res->tail, hash) {
		if (io->peer != p || io->state != IOS_ACK_HELD)
			continue;
		io->state = IOS_TAIL;
		answer(io, PKT_ACK);
	}
}

/*
 * Putting one may start, and so end, another: never hold a second pointer.  There are
 * thousands while one of the replicas is slow, and this is asked with every packet.
 */
static struct repl_io *confirmed(struct repl_peer *p, u64 through)
{
	struct repl_io *io;

	list_for_each_entry(io, &p->res->tail, hash)
		if (io->peer == p)
			return io->seq <= through ? io : NULL;
	return NULL;
}

static void cut_tail(struct repl_peer *p, u64 through)
{
	struct repl_io *io;

	while ((io = confirmed(p, through)))
		peer_io_put(io);
}

void peer_through(struct repl_peer *p, u64 through)
{
	p->through = max(p->through, through);
	cut_tail(p, through);
}

void peer_tail_lost(struct repl_peer *p)
{
	struct repl_io *io;

	list_for_each_entry(io, &p->res->applying, hash)
		if (io->peer == p)
			lost(io);
	list_for_each_entry(io, &p->res->tail, hash)
		if (io->peer == p)
			lost(io);
	cut_tail(p, ~0ULL);
}

static void absent(struct list_head *list, const struct repl_vol *vol,
		   u32 receivers, u32 good)
{
	struct repl_io *io;

	list_for_each_entry(io, list, hash) {
		if (io->vol != vol)
			continue;
		io->receivers = (io->receivers | good) & receivers;
		mark_absent(io->vol, io,
			    io->receivers | BIT(vol->res->node));
	}
}

/*
 * A member of the set, and a primary whose disk is good, has every write that
 * came before it joined, by resync if not by the stream.
 */
void peer_tail_absent(struct repl_vol *vol, u32 receivers, u32 good)
{
	absent(&vol->res->applying, vol, receivers, good);
	absent(&vol->res->tail, vol, receivers, good);
}

/** peer_applied() - is all up to @seq of this peer on our disk? */
bool peer_applied(const struct repl_peer *p, u64 seq)
{
	struct repl_io *io;

	list_for_each_entry(io, &p->res->applying, hash)
		if (io->peer == p && io->seq <= seq)
			return false;
	return true;
}

/**
 * peer_all_applied() - is all that was received on our disks?
 * @res: the resource
 *
 * A position counts what has been received: a crash takes back what is not applied.
 * So nothing that outlasts one may say that we have it all: not a superblock of one
 * who was elected, nor a copy that is overwritten here or elsewhere.
 * Return: false if not; there is an evaluation then once it is
 */
bool peer_all_applied(struct repl_res *res)
{
	if (list_empty(&res->applying))
		return true;
	res->apply_awaited = true;
	return false;
}

/* ---- reads ---- */

void peer_read(struct repl_peer *p, const struct repl_wire_hdr *h,
	       struct repl_io *io)
{
	struct repl_vol *vol = vol_get(p->res, le16_to_cpu(h->volume));

	io_init(io, p, vol, IO_PEER_READ, OP_READ, h);
	if (!io_in_range(vol, io) || vol->disk != DISK_UPTODATE ||
	    !store_live(vol)) {
		answer(io, PKT_READ_ERROR);
		peer_io_put(io);
		return;
	}
	al_enter(io);
}

/* ---- both ---- */

void peer_ready(struct repl_io *io)
{
	if (io->kind == IO_PEER_WRITE) {
		write_ready(io);
		return;
	}
	if (!store_live(io->vol) || !same_conn(io)) {
		answer(io, PKT_READ_ERROR);
		peer_io_put(io);
		return;
	}
	io->state = IOS_ISSUED;
	disk_io(io);
}

void peer_disk_done(struct repl_io *io, int err)
{
	struct repl_res *res = io->vol->res;

	/*
	 * A secondary that has lost a write is no replica any more, whatever
	 * on-io-error says about the application's requests.
	 */
	if (err)
		store_fail(io->vol, "an I/O for the primary failed");
	/* A disk that is being let go of does not fail any more. */
	if (err && io->kind == IO_PEER_WRITE)
		position_refused(io);
	if (io->kind == IO_PEER_READ) {
		answer(io, err ? PKT_READ_ERROR : PKT_READ_DATA);
		peer_io_put(io);
	} else if (io->kind == IO_PEER_FLUSH || err) {
		answer(io, err ? PKT_NACK : PKT_ACK);
		peer_io_put(io);
	} else {
		write_done(io);
	}
	write_ended(res);
}
