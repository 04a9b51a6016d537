// SPDX-License-Identifier: GPL-2.0
/*
 * Generations and the in-sync set, as a primary makes them; adopt.c is about those
 * that it tells.
 *
 * A commit makes the primary's new set and lineage durable.  All that is under
 * way is answered by the new members first; then in three steps: the set on its
 * own disks, both on every connected peer, each of which confirms, and at last
 * the lineage on its own disks.  While it runs no write completes: so no write
 * is ever acknowledged under a set that is not durable, no member is left
 * behind under an old lineage without the others knowing, and whoever knows a
 * set and is in it has all that was acknowledged before.
 *
 * The own lineage comes last, because a primary that dies before has not used
 * the generation: were it on its disk, it would come back as diverged from a
 * survivor that was promoted without having heard of it.  The number of the
 * generation is reserved in the first step, so that it is never used twice.
 *
 * A generation begins when a primary's reign begins and before the first write
 * that a lost receiver does not get.  Its number is never used again, not even
 * if the commit comes to nothing: a member may have it on its disk.
 */
#include "internal.h"

/* Replicas that have every write of @vol that will be acknowledged. */
static u32 in_step(const struct repl_vol *vol)
{
	struct repl_pv *pv;
	u32 set = 0;

	if (store_live(vol) && vol->disk == DISK_UPTODATE)
		set |= BIT(vol->res->node);
	for_each_pv(pv, vol)
		if (pv_serves_reads(pv) &&
		    (!ack_async(vol, pv->peer) || MUTATED(MUT_ASYNC_MEMBER)))
			set |= BIT(pv->peer->node);
	return set;
}

/*
 * The set as it is now.  Where primaries are elected, it is for all that they
 * have: one that lacks a volume is no member for the others.
 */
u32 in_sync_now(const struct repl_vol *vol)
{
	struct repl_vol *each;
	u32 set = in_step(vol);

	if (elects(vol->res))
		for_each_vol(each, vol->res)
			set &= in_step(each);
	return set;
}

/* Our members will say the new lineage; until then take it as said. */
static void expect_lineage(struct repl_vol *vol)
{
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if (vol->in_sync & BIT(pv->peer->node))
			pv->peer_state.lineage = vol->lineage;
}

/* Those that have not been told of it are where they were. */
static void expect_no_more(struct repl_vol *vol)
{
	struct repl_pv *pv;

	if (vol->res->commit.told)
		return;
	for_each_pv(pv, vol)
		if (vol->in_sync & BIT(pv->peer->node))
			pv->peer_state.lineage = vol->before;
}

static void next_generation(struct repl_vol *vol)
{
	struct repl_store *s = store_live(vol);
	u32 *gen = &vol->lineage.gen[vol->res->node];

	if (s)
		vol->own_gen = max(vol->own_gen, s->own_gen);
	*gen = vol->own_gen = max(vol->own_gen, *gen) + 1;
	if (s)
		s->own_gen = vol->own_gen;
}

static void write_set(struct repl_vol *vol)
{
	struct repl_store *s = store_live(vol);

	if (!s)
		return;
	/*
	 * Whoever leaves the set may have had the only stable copy of what was
	 * acknowledged: those that stay answer for it alone from now on.
	 */
	if (vol->disk == DISK_UPTODATE) {
		keep_set(vol, vol->in_sync | vol->res->commit.leavers,
			 vol->keepers, vol->res->commit.version);
		s->sb_flush = true;
	}
	s->commit_sb = meta_want_sb(s);
	meta_kick(vol);
}

/* One that waits for others. */
static void begin_step(struct repl_commit *c, u8 step, u64 now)
{
	if (c->step == COMMIT_IDLE)
		c->held_ms = now;
	c->step = step;
	c->since_ms = now;
	c->enough_ms = 0;
}

/* Begin, or begin again, with the set as it is now. */
static void propose(struct repl_res *res)
{
	struct repl_vol *vol;

	res->set_due = false;
	begin_step(&res->commit, COMMIT_DRAIN, res->now);
	res->commit.id = ++res->next_id;
	res->susp &= ~SUSP_PEER_ACK;
	res->susp |= SUSP_META;
	res->commit.version = set_next_version(res);
	res->set_version = max(res->set_version, res->commit.version);
	for_each_vol(vol, res) {
		vol->in_sync = in_sync_now(vol);
		vol->keepers = keepers_now(vol);
		expect_lineage(vol);
	}
}

static void write_sets(struct repl_res *res)
{
	struct repl_vol *vol;

	res->commit.step = COMMIT_META;
	res->commit.leavers = peers_that(res, fence_untold);
	for_each_vol(vol, res)
		write_set(vol);
}

void uncommitted_from_here(struct repl_vol *vol)
{
	if (!vol->uncommitted) {
		vol->before = vol->lineage;
		vol->set_before = vol->in_sync;
		vol->keepers_before = vol->keepers;
	}
	vol->uncommitted = true;
}

static void next_generations(struct repl_res *res)
{
	struct repl_vol *vol;

	res->commit.due |= res->gen_due;
	res->gen_pending = false;
	res->gen_due = false;
	for_each_vol(vol, res)
		next_generation(vol);
}

/* It begins once nobody who is lost may go on without us. */
static void commit_later(struct repl_res *res, bool new_gen)
{
	res->gen_pending |= new_gen;
	res->set_due |= !new_gen;
	fence_suspend(res);
}

void commit_start(struct repl_res *res, bool new_gen)
{
	struct repl_commit *c = &res->commit;
	struct repl_vol *vol;

	if (c->step == COMMIT_IDLE && fence_holds(res)) {
		commit_later(res, new_gen);
		return;
	}
	res->evaluate_again = true;
	if (c->step != COMMIT_IDLE) {
		c->again = true;
		c->again_gen |= new_gen;
		return;
	}
	for_each_vol(vol, res)
		uncommitted_from_here(vol);
	if (new_gen)
		next_generations(res);
	propose(res);
	/* Outside of an evaluation nobody else would take the next step. */
	if (!res->evaluating)
		evaluate(res);
}

/*
 * Who has what is written.  We do as well where our disk is good, and left out of
 * the set only as it is not in another volume.
 */
static u32 written_on(const struct repl_vol *vol)
{
	u32 nodes = vol->receivers | vol->in_sync;

	if (store_live(vol) && vol->disk == DISK_UPTODATE)
		nodes |= BIT(vol->res->node);
	return nodes;
}

static void send_members(struct repl_peer *p, u64 id)
{
	struct repl_res *res = p->res;
	struct repl_wire_members w;
	struct repl_wire_hdr h;
	struct repl_pv *pv;

	fence_telling(p, set_names(p), res->commit.version);
	list_for_each_entry(pv, &p->pvs, by_peer) {
		memset(&w, 0, sizeof(w));
		w.term = cpu_to_le64(own_term(res));
		w.set_version = cpu_to_le64(res->commit.version);
		w.dataset = cpu_to_le64(pv->vol->dataset);
		w.in_sync = cpu_to_le32(pv->vol->in_sync);
		w.receivers = cpu_to_le32(written_on(pv->vol));
		w.keepers = cpu_to_le32(pv->vol->keepers);
		lineage_to_wire(w.lineage, &pv->vol->lineage);
		hdr_init(&h, PKT_MEMBERS, pv->vol);
		h.length = cpu_to_le32(sizeof(w));
		h.id = cpu_to_le64(id);
		h.dep = cpu_to_le64(res->have_term);
		h.seq = cpu_to_le64(res->have_seq);
		if (list_is_last(&pv->by_peer, &p->pvs))
			h.flags = REPL_HDR_LAST;
		p->members_id = id;
		p->members_told = id;
		send_pkt(p, &h, &w, NULL);
	}
}

static bool meta_durable(const struct repl_res *res)
{
	struct repl_vol *vol;

	if (MUTATED(MUT_SHRINK_NOT_DURABLE))
		return true;
	for_each_vol(vol, res)
		if (store_live(vol) &&
		    vol->store->sb_durable < vol->store->commit_sb)
			return false;
	return true;
}

/*
 * Where our own disk is not in the set, the members have decided; it was left
 * out only now, and holds all that was acknowledged until then.  One that has
 * become good since the first step does not know the set yet.
 */
static void seal_vol(struct repl_vol *vol)
{
	struct repl_store *s = store_live(vol);
	bool good = s && vol->disk == DISK_UPTODATE;

	if (!good)
		vol->uncommitted = false;
	if (!s)
		return;
	if (good && s->in_sync == vol->in_sync &&
	    s->keepers == vol->keepers &&
	    lineage_compare(&s->lineage, &vol->lineage) == ORDER_EQUAL)
		return;
	if (good)
		s->lineage = vol->lineage;
	if (good && s->in_sync != vol->in_sync)
		s->sb_flush = true;
	keep_set(vol, vol->in_sync, vol->keepers, vol->res->commit.version);
	s->commit_sb = meta_want_sb(s);
	meta_kick(vol);
}

/* The last step. */
static void seal(struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		seal_vol(vol);
}

static bool in_set(const struct repl_res *res, u32 node, bool before)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if ((vol->in_sync | vol->keepers |
		     (before ? vol->set_before : 0)) & BIT(node))
			return true;
	return false;
}

static bool receives(const struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->receiving)
			return true;
	return false;
}

/*
 * All to whom writes go, lest one be taken for as new as those writes.  Who is left
 * out need not know it where others are elected by a majority: that keeps the set, and
 * won't vote for one that is not in it.  Else whoever was a member may be made Primary
 * by its own word.
 */
static bool has_to_confirm(const struct repl_peer *p)
{
	return receives(p) || in_set(p->res, p->node, !elects(p->res)) ||
	       MUTATED(MUT_ALL_CONFIRM);
}

static bool owes_confirmation(const struct repl_peer *p)
{
	return connected(p) && p->members_id && has_to_confirm(p);
}

/* Has one gone that was to be a member, or to keep the set? It can't confirm. */
static bool member_lost(const struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if ((vol->in_sync & ~in_sync_now(vol)) ||
		    (vol->keepers & ~keepers_now(vol)))
			return true;
	return false;
}

static u32 owed_by_members(const struct repl_io *io)
{
	return io_is_write(io) ? io->wait & io->vol->in_sync : 0;
}

/*
 * Members take each other for equal when they are told of the set.  So they
 * must have what was sent before: one that is filled by resync may have a write
 * already that another has not answered yet, and may survive us both.  So must we,
 * who were elected for what we had received.
 */
static bool members_answered(struct repl_res *res)
{
	struct repl_io *io;

	if (!peer_all_applied(res))
		return false;
	list_for_each_entry(io, &res->in_flight, link)
		if (owed_by_members(io))
			return false;
	return true;
}

/*
 * Who has come while nothing was announced, and is in no set, hears of us as of
 * any newcomer: its branch may be another than ours.
 */
static bool is_newcomer(const struct repl_res *res, const struct repl_peer *p)
{
	return !p->announced && !in_set(res, p->node, false);
}

static void tell_members(struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	begin_step(&res->commit, COMMIT_PEERS, res->now);
	res->commit.told = true;
	res->susp |= SUSP_PEER_ACK;
	res->susp &= ~SUSP_META;
	for_each_peer(p, i, res)
		if (connected(p) && !is_newcomer(res, p))
			send_members(p, res->commit.id);
}

/* Do we live on what it has?  Where our disk is good, write_set() has that flushed. */
static bool stays_for_us(const struct repl_pv *pv)
{
	const struct repl_vol *vol = pv->vol;

	return (vol->in_sync & BIT(pv->peer->node)) &&
	       !(store_live(vol) && vol->disk == DISK_UPTODATE);
}

/* What it has of @pv's volume is to be stable.  (If it fails, its state says so.) */
static void send_flush(struct repl_pv *pv)
{
	struct repl_res *res = pv->vol->res;
	struct repl_wire_hdr h;

	hdr_init(&h, PKT_FLUSH, pv->vol);
	h.through = cpu_to_le64(app_through(res));
	h.seq = cpu_to_le64(++res->seq);
	pv->peer->flushes++;
	send_pkt(pv->peer, &h, NULL, NULL);
}

/* Those that leave may have the only stable copy of what was acknowledged. */
static void flush_stayers(struct repl_res *res)
{
	struct repl_commit *c = &res->commit;
	struct repl_peer *p;
	struct repl_pv *pv;
	int i;

	c->step = COMMIT_LEAVERS;
	c->flush_seq = res->seq + 1;
	for_each_peer(p, i, res) {
		p->flushes = 0;
		list_for_each_entry(pv, &p->pvs, by_peer)
			if (c->leavers && stays_for_us(pv))
				send_flush(pv);
	}
}

static bool owes_flush(const struct repl_peer *p)
{
	return connected(p) && p->flushes;
}

void commit_flushed(struct repl_peer *p, u64 seq)
{
	if (!p->flushes || seq < p->res->commit.flush_seq)
		return;
	p->flushes--;
	evaluate(p->res);
}

/*
 * Who takes itself for a member, and is to be none, hears so first: were the set on
 * any disk before, a node might go on with it alone, and the other do so, too.  By
 * then what was acknowledged is stable where it stays: here, with a set that has them
 * still, or on those that we live on, which know nothing else yet.
 */
static bool leavers_told(const struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	if (any_peer(res, owes_flush))
		return false;
	for_each_peer(p, i, res)
		if (fence_untold(p) && !p->members_id)
			send_members(p, res->commit.id);
	return !any_peer(res, fence_untold);
}

static bool everybody_has_data(const struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (!in_sync_now(vol))
			return false;
	return true;
}

/* Nothing is left of it, or to follow it. */
static void commit_clear(struct repl_commit *c)
{
	c->again = false;
	c->again_gen = false;
	c->due = false;
	c->told = false;
}

static void commit_done(struct repl_res *res)
{
	struct repl_commit *c = &res->commit;
	bool again = c->again, gen = c->again_gen;
	struct repl_vol *vol;
	struct repl_pv *pv;

	c->step = COMMIT_IDLE;
	commit_clear(c);
	res->list_before = 0;
	res->susp &= ~(SUSP_META | SUSP_PEER_ACK);
	/* They have answered for all that was acknowledged before. */
	res->majority_acked &= !(c->version & SET_BY_ALL);
	/* A sync source may have waited for this. */
	res->evaluate_again = true;
	for_each_vol(vol, res) {
		vol->uncommitted = false;
		keepers_told(vol);
		/* Whatever we will acknowledge is here. */
		if (store_live(vol) && vol->disk == DISK_UPTODATE) {
			vol->vouch = true;
			vol->told = vol->in_sync & BIT(res->node);
			vol->store->flags &= ~META_F_CRASHED;
		}
		for_each_pv(pv, vol) {
			struct repl_store *s = store_live(vol);

			/* An old disk of ours has not made the step. */
			if (s && vol->disk == DISK_UPTODATE &&
			    pv->slot != SLOT_NONE &&
			    s->slot[pv->slot].since_valid &&
			    (vol->in_sync & BIT(pv->peer->node)))
				s->slot[pv->slot].since = vol->lineage;
		}
	}
	if (again) {
		commit_start(res, gen);
		return;
	}
	vote_committed(res);
	app_check_done(res);
	app_release_held(res);
	note(res, NOTE_RES, NULL, NULL, NULL);
}

/* Our generation and set are what they were before. */
static void undo(struct repl_vol *vol)
{
	expect_no_more(vol);
	vol->lineage = vol->before;
	vol->in_sync = vol->set_before;
	vol->keepers = vol->keepers_before;
	vol->uncommitted = false;
}

/*
 * The last replica of a volume went before its new generation was committed.
 * Nothing was acknowledged under it, and none of the replicas that may come
 * back need have it: it never was.  Nor has anybody left the set: a disk of
 * our own that was to leave it still has all that was acknowledged.
 * @unheard: nobody has heard of any volume's, so none of them ever was: members
 * that hear of it before they are told of the set would be out of it.
 */
static void forget_uncommitted(struct repl_res *res, bool unheard)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (vol->uncommitted && (unheard || !in_sync_now(vol)))
			undo(vol);
}

/* It is not finished: nothing is acknowledged before there is another. */
static void commit_stop(struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		p->members_id = 0;
	res->commit.step = COMMIT_IDLE;
	res->susp &= ~(SUSP_META | SUSP_PEER_ACK);
	res->gen_pending = true;
}

/*
 * Our term is in doubt, or has not begun.  Some members may have been told,
 * others not: they say what they know when they come back.
 */
static void commit_suspend(struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		expect_no_more(vol);
	commit_stop(res);
	res->commit.version = 0;
	res->gen_due = true;
}

void commit_abort(struct repl_res *res, const char *why)
{
	/* Members may have the generation that is given up, or an earlier one. */
	bool heard = res->commit.told || res->commit.due || res->gen_due;

	forget_uncommitted(res, !heard);
	res->gen_due |= heard;
	res->set_due = true;
	commit_stop(res);
	res->evaluate_again = true;
	vote_aborted(res, why);
	/* Not before: those that were told of it have it, see expect_no_more(). */
	commit_clear(&res->commit);
}

/* Our reign is over: as if we had crashed, but for what our disks know. */
void commit_drop(struct repl_res *res)
{
	struct repl_store *s;
	struct repl_vol *vol;

	for_each_vol(vol, res) {
		if (vol->uncommitted)
			undo(vol);
		s = store_live(vol);
		if (!s)
			continue;
		vol->lineage = s->lineage;
		vol->in_sync = s->in_sync;
		vol->keepers = s->keepers;
	}
	commit_clear(&res->commit);
	commit_stop(res);
	res->commit.version = 0;
	res->gen_pending = false;
	res->gen_due = false;
}

/* A change of the set that nobody has committed yet? */
static void commit_if_needed(struct repl_res *res)
{
	bool lost = false, grown = false;
	struct repl_vol *vol;
	u32 now;

	if (res->role != ROLE_PRIMARY || !everybody_has_data(res) ||
	    res->vote.step == VOTE_WON)
		return;
	for_each_vol(vol, res) {
		now = in_sync_now(vol);
		lost |= !!(vol->in_sync & ~now);
		grown |= (now & ~vol->in_sync) || keeper_untold(vol);
	}
	if (lost)
		gen_wanted(res);
	/*
	 * A generation waits for a write; a larger set does not.  An empty
	 * generation would make a crashed primary seem newer than a member
	 * that still has what the crash took from its cache.
	 *
	 * A write that was given up may be on any of those that were lost with it:
	 * the first to come back leaves the others behind, for they may differ.
	 */
	if (res->gen_due ||
	    (res->gen_pending &&
	     (!list_empty(&res->in_flight) || res->redo_ios)))
		commit_start(res, true);
	else if (grown || res->set_due || set_force_ends(res))
		commit_start(res, false);
}

/* A member is lost, and may go on without us: this may come to nothing. */
static void commit_hold(struct repl_res *res)
{
	if (res->vote.step == VOTE_COMMITTING)
		commit_abort(res, COMMIT_PEER_LOST);
	else
		commit_suspend(res);
}

/* A set is being made that not all have confirmed yet. */
static bool unsealed(const struct repl_commit *c)
{
	return c->step != COMMIT_IDLE && c->step != COMMIT_SEAL;
}

void commit_advance(struct repl_res *res)
{
	struct repl_commit *c = &res->commit;

	if (res->renewing) {
		if (unsealed(c))
			commit_suspend(res);
		return;
	}
	if (c->step != COMMIT_IDLE && !everybody_has_data(res))
		commit_abort(res, COMMIT_DATA_LOST);
	forget_uncommitted(res, false);
	if (unsealed(c) && fence_holds(res))
		commit_hold(res);
	if (unsealed(c) && member_lost(res)) {
		if (vote_postponed(res)) {
			commit_suspend(res);
			return;
		}
		propose(res);
	}
	if (c->step == COMMIT_DRAIN && members_answered(res))
		write_sets(res);
	if (c->step == COMMIT_META && meta_durable(res))
		flush_stayers(res);
	if (c->step == COMMIT_LEAVERS && leavers_told(res)) {
		if (!c->leavers) {
			tell_members(res);
		} else {
			write_sets(res);
			/* Without a disk there is nothing to wait for. */
			res->evaluate_again = true;
		}
	}
	if (c->step == COMMIT_PEERS && !any_peer(res, owes_confirmation)) {
		c->step = COMMIT_SEAL;
		seal(res);
	}
	if (c->step == COMMIT_SEAL && meta_durable(res))
		commit_done(res);
	if (c->step == COMMIT_IDLE)
		commit_if_needed(res);
}

static u32 answers_missing(const struct repl_res *res)
{
	struct repl_io *io;
	u32 nodes = 0;

	list_for_each_entry(io, &res->in_flight, link)
		nodes |= owed_by_members(io);
	return nodes & ~BIT(res->node);
}

/* Who keeps the set waiting that is being made? */
static u32 late(const struct repl_res *res)
{
	if (res->commit.step == COMMIT_DRAIN)
		return answers_missing(res);
	return res->commit.step == COMMIT_PEERS ?
	       peers_that(res, owes_confirmation) : 0;
}

/* As far as we know it is where it was; what it was told of may reach it still. */
static bool leave(struct repl_peer *p)
{
	struct repl_pv *pv;

	if (!ack_leave_slow(p))
		return false;
	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->vol->in_sync & BIT(p->node))
			pv->peer_state.lineage = pv->vol->before;
	return true;
}

/*
 * All I/O waits for the set: for those that are slow as long as it took the others,
 * that are enough without them, and this much.  So where all are slow nobody is.
 */
#define PATIENCE_MS	1000

/* Who is the second or third to be slow has less of it. */
static u64 patience(const struct repl_commit *c)
{
	return c->since_ms - c->held_ms < PATIENCE_MS / 2 ? PATIENCE_MS :
							    PATIENCE_MS / 4;
}

void commit_tick(struct repl_res *res)
{
	struct repl_commit *c = &res->commit;
	u32 nodes = late(res);
	struct repl_peer *p;
	bool left = false;
	int i;

	if (!nodes || MUTATED(MUT_SLOW_AWAITED))
		return;
	if (!c->enough_ms && ack_enough_without(res, nodes))
		c->enough_ms = res->now;
	if (!c->enough_ms ||
	    res->now - c->enough_ms < patience(c) + c->enough_ms - c->since_ms)
		return;
	for_each_peer(p, i, res)
		if ((nodes & BIT(i)) && connected(p))
			left |= leave(p);
	if (!left)
		return;
	/* Nor is it equal to those that go on, even if it has taken all that it was told. */
	next_generations(res);
	propose(res);
	evaluate(res);
}

void members_ack(struct repl_peer *p, u64 id)
{
	if (p->members_id != id)
		return;
	p->members_id = 0;
	fence_confirmed(p);
	evaluate(p->res);
}
