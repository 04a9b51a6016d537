// SPDX-License-Identifier: GPL-2.0
/*
 * The position of a member: all up to there is on its disks, and it has answered for
 * nothing behind it that counts.
 *
 * It is one for all volumes, and goes on with what is received.  It ends where a disk
 * is let go of, whether the Primary hears of that or not, until a primary tells us that
 * we are a member again.  So a disk that comes back vouches for what it has, and counts
 * in an election (elect.c).  Else two members would be missing where only the Primary
 * has crashed, and what the third has and nobody has flushed would be given up.
 *
 * Another volume goes on writing behind that end.  Where a majority acknowledges, the
 * answer could be there before the word that the disk has gone, and count: so it is
 * held until this Primary has told us of a set without us.  On a later connection it
 * knows our disks before it writes anything, and its commit waits for the answers of
 * new members: nothing is held there.  Nor where all have to answer: what was refused
 * is not acknowledged by any set that we are in, so it is not lacked.
 */
#include "internal.h"
#include "position.h"

/* Is it behind the position (< 0), at it or ahead of it? */
static int compare(const struct repl_res *res, u64 term, u64 seq)
{
	if (term != res->have_term)
		return term < res->have_term ? -1 : 1;
	if (seq != res->have_seq)
		return seq < res->have_seq ? -1 : 1;
	return 0;
}

/*
 * A write that came before others which we have is not on it, and never will be.
 * A majority may have acknowledged it without us; where all of the set has to, it
 * was not, as long as we are in that.
 */
static void lacks(struct repl_vol *vol)
{
	if (known_by_all(vol))
		return;
	vol->vouch = false;
	if (!vol->store)
		return;
	vol->store->flags |= META_F_OUTDATED | META_F_CRASHED;
	if (store_live(vol) && vol->disk > DISK_OUTDATED)
		set_disk(vol, DISK_OUTDATED);
}

/**
 * position_recall() - what a disk that is attached says of it
 * @vol: its volume
 *
 * After a clean end a member has what it had, see elect.c.  One that was filled since it
 * became one does not: META_F_CRASHED stands for that, too.  A disk that is behind is an
 * old one, or that of a Primary that went on without it.
 */
void position_recall(struct repl_vol *vol)
{
	struct repl_store *s = vol->store;
	struct repl_res *res = vol->res;
	struct repl_vol *other;
	int order = compare(res, s->pos_term, s->pos_seq);

	vol->vouch = !(s->flags & META_F_CRASHED) &&
		     (s->in_sync & BIT(res->node));
	if (!vol->vouch || !order)
		return;
	if (order < 0) {
		lacks(vol);
		return;
	}
	for_each_vol(other, res)
		if (other != vol && other->store)
			lacks(other);
	res->have_term = s->pos_term;
	res->have_seq = s->pos_seq;
}

/**
 * position_member() - a Primary has told us that our disks are members
 * @res: the resource
 * @term: of the last write that it has numbered
 * @seq: its number
 *
 * We have all up to there: what was under way had to be answered by the new
 * members first.
 */
void position_member(struct repl_res *res, u64 term, u64 seq)
{
	res->have_ended = false;
	if (compare(res, term, seq) <= 0)
		return;
	res->have_term = term;
	res->have_seq = seq;
}

/**
 * position_end() - a disk is let go of
 * @vol: its volume
 *
 * Whoever is connected may count on us until it hears of that.
 */
void position_end(struct repl_vol *vol)
{
	struct repl_res *res = vol->res;
	struct repl_peer *p;
	int i;

	if (res->have_ended)
		return;
	res->have_ended = true;
	if (!(vol->in_sync & BIT(res->node)))
		return;
	for_each_peer(p, i, res)
		p->unheard = true;
}

/** position_heard() - this Primary has told of a set without us: no ack counts there */
void position_heard(struct repl_peer *p)
{
	p->unheard = false;
	peer_acks_release(p);
}

/* It might wait for the acks before it tells us of a set, as of a new member. */
static void begin_anew(struct repl_peer *p)
{
	peer_end(p, false, "a disk came back before the Primary had heard that it was gone: the connection begins anew");
}

/** position_attached() - a disk has come */
void position_attached(struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (peer_acks_held(p))
			begin_anew(p);
}

/**
 * position_received() - a write of the Primary has come
 * @p: the Primary
 * @seq: the write's number
 */
void position_received(struct repl_peer *p, u64 seq)
{
	struct repl_res *res = p->res;

	if (res->have_ended)
		return;
	res->have_term = p->term;
	res->have_seq = seq;
}

/* Is one still away, or about to go? */
static bool disk_away(const struct repl_res *res)
{
	const struct repl_vol *vol;

	for_each_vol(vol, res)
		if (!vol->store || vol->store->leave_by_ms ||
		    vol->disk == DISK_FAILED)
			return true;
	return false;
}

/**
 * position_holds() - is the ack of a write that is on our disk to be held?
 * @io: the write, of this connection
 */
bool position_holds(const struct repl_io *io)
{
	struct repl_res *res = io->vol->res;

	if (!res->have_ended || !io->peer->unheard || known_by_all(io->vol) ||
	    compare(res, io->peer->term, io->seq) <= 0)
		return false;
	if (!disk_away(res))
		begin_anew(io->peer);
	return true;
}

/**
 * position_acked() - a write of the Primary is on our disk, and it is told so
 * @vol: its volume
 * @term: of the Primary
 * @seq: its number
 */
void position_acked(struct repl_vol *vol, u64 term, u64 seq)
{
	/* It counts nowhere. */
	if (vol->res->have_ended && compare(vol->res, term, seq) > 0)
		return;
	if (vol->acked_term != term || vol->acked_seq < seq) {
		vol->acked_term = term;
		vol->acked_seq = seq;
	}
}

/* Have we answered for a write behind it, so that it counts? */
static bool acked_behind(const struct repl_res *res)
{
	const struct repl_vol *vol;

	for_each_vol(vol, res)
		if (vol->acked_term == res->have_term &&
		    vol->acked_seq > res->have_seq)
			return true;
	return false;
}

/**
 * position_refused() - a write that we received will not be on our disk
 * @io: the write; its volume's disk is going, gone, or not there yet
 *
 * The position ends before it, unless we have acknowledged one behind it.  A set
 * that the Primary makes before it has heard of that can't count on us.
 */
void position_refused(const struct repl_io *io)
{
	struct repl_pv *pv = pv_get(io->vol, io->peer);
	struct repl_vol *vol = io->vol;
	struct repl_res *res = vol->res;

	if (pv && io->conn == io->peer->conn_count)
		pv->refused = true;
	if (!res->have_ended) {
		if (vol->vouch)
			lacks(vol);
		return;
	}
	if (io->peer->term != res->have_term || io->seq > res->have_seq)
		return;
	res->have_seq = io->seq - 1;
	if (acked_behind(res))
		lacks(vol);
}
