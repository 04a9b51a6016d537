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
 * An answer may be there before the word that the disk has gone, and count.  Then the
 * position goes on with it, and a disk with a gap before it vouches no more.  Only what
 * comes from behind such a gap counts nowhere: the refusal was there before.
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
	if (!by_majority(vol->res))
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
 * After a clean end a member has what it had: see vote.c.  A disk that is behind
 * is an old one, or that of a Primary that went on without it.
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
	struct repl_vol *vol;

	res->have_ended = false;
	for_each_vol(vol, res)
		vol->gap = false;
	if (compare(res, term, seq) <= 0)
		return;
	res->have_term = term;
	res->have_seq = seq;
}

/** position_end() - a disk is let go of */
void position_end(struct repl_res *res)
{
	res->have_ended = true;
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

/* A write behind the end is on our disk, without a gap in its volume. */
static void go_on_with(struct repl_res *res, u64 term, u64 seq)
{
	struct repl_vol *vol;

	if (!res->have_ended || compare(res, term, seq) <= 0)
		return;
	for_each_vol(vol, res)
		if (vol->gap)
			lacks(vol);
	res->have_ended = false;
	res->have_term = term;
	res->have_seq = seq;
}

/**
 * position_acked() - a write of the Primary is on our disk
 * @vol: its volume
 * @term: of the Primary
 * @seq: its number
 */
void position_acked(struct repl_vol *vol, u64 term, u64 seq)
{
	if (vol->gap && compare(vol->res, term, seq) > 0)
		return;
	go_on_with(vol->res, term, seq);
	if (vol->acked_term != term || vol->acked_seq < seq) {
		vol->acked_term = term;
		vol->acked_seq = seq;
	}
}

/* Have we answered for a write behind it? */
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
	vol->gap = true;
	if (io->peer->term != res->have_term || io->seq > res->have_seq)
		return;
	res->have_seq = io->seq - 1;
	if (acked_behind(res))
		lacks(vol);
}
