// SPDX-License-Identifier: GPL-2.0
/*
 * Becoming Primary.
 *
 * A candidate asks every connected peer in a new term (voter.c says what they
 * answer).  With nobody against, it is Primary once its first generation is
 * committed (members.c).
 *
 * Where primaries are elected, a majority must have voted for it, its own vote
 * included, and it must have heard enough of the data (elect.c).  All are asked
 * twice: would you, and do you?  So one that can't win makes no new term, which
 * would put the Primary's in doubt.
 *
 * Those that it can do without have ANSWER_MS, the others SLOW_MS.
 */
#include "internal.h"
#include "detach.h"

#define RENEW_MS	500
#define AGAIN_MS	100	/* after a refusal that can't last */
#define PATIENCE_MS	3000
#define ANSWER_MS	300	/* what a majority can do without */
/*
 * Who is needed may have a disk that is busy: a vote is a superblock, after what is
 * being written already, each behind a flush.  One that is gone is noticed by the
 * connection's time-out; this is for one whose disk hangs.
 */
#define SLOW_MS		10000

/* Those that have promised us their vote are free to give it to another. */
static void give_back(struct repl_peer *p)
{
	struct repl_wire_hdr h;

	if (!connected(p))
		return;
	hdr_init(&h, PKT_VOTE_REQ, NULL);
	send_pkt(p, &h, NULL, NULL);
}

static void end(struct repl_res *res, int err, struct repl_peer *by,
		const char *why)
{
	struct repl_vote *v = &res->vote;
	struct repl_peer *p;
	int i;

	if (v->step == VOTE_MOVING)
		move_withdraw(res);
	for_each_peer(p, i, res) {
		p->vote_wait = false;
		p->silent = false;
		if (err && v->step != VOTE_TRIAL && v->step != VOTE_MOVING)
			give_back(p);
	}
	v->step = VOTE_NONE;
	v->own = false;
	v->from = NODE_NONE;
	v->again_ms = res->now + RENEW_MS;
	/* Nobody has asked for another term of a Primary. */
	if (!v->renew)
		res->ops->vote_done(res, err, by, why);
}

void vote_end(struct repl_res *res, int err, const char *why)
{
	end(res, err, NULL, why);
}

void vote_refused(struct repl_peer *p, const char *why)
{
	end(p->res, -EBUSY, p, why);
}

/*
 * Are there peers whose data we could live on?  What others had acknowledged, and a vote
 * has found to be here, is on our disk.  So it takes that each of the set has all of it,
 * and each of those that would serve us still has.  (A Primary that asks for another
 * term knows who lacks what, and is not asked this.)
 */
static bool data_there(const struct repl_vol *vol, bool force)
{
	bool all = force || !elects(vol->res), any = false;
	struct repl_pv *pv;

	if (!all && !elect_all_have_all(vol))
		return false;
	for_each_pv(pv, vol) {
		if (!pv_serves_reads(pv))
			continue;
		if (!all && !vouches_likely(pv->peer))
			return false;
		any = true;
	}
	return any;
}

static bool data_here(const struct repl_vol *vol, bool force)
{
	if (store_live(vol) && (force || vol->disk == DISK_UPTODATE))
		return true;
	return data_there(vol, force);
}

static const char *why_no_data(const struct repl_vol *vol)
{
	switch (vol->disk) {
	case DISK_INCONSISTENT:
		return "the data here is an unfinished copy (Inconsistent): wait for the sync, or --force if it is all there is";
	case DISK_OUTDATED:
		return "the data here is known to be older than a peer's (Outdated): connect to the newer node; --force gives up what it lacks";
	case DISK_CONSISTENT:
		return "another node may have newer data (Consistent): connect to it; --force gives up what it may have";
	default:
		return data_there(vol, true) ?
		       "there is no disk, and a peer may lack what was acknowledged: attach the disk, or promote a node that has one" :
		       "there is no disk and no connected peer with up-to-date data";
	}
}

/* @from: the Primary that will be none any more, or NULL */
static int may_promote(const struct repl_res *res, bool force,
		       const struct repl_peer *from, const char **why)
{
	struct repl_peer *p;
	struct repl_vol *vol;
	int i;

	if (res->witness) {
		*why = "this node is a witness: it votes and has no data";
		return -EINVAL;
	}
	if (res->vote.step != VOTE_NONE) {
		*why = "a promotion is under way";
		return -EBUSY;
	}
	if (!force && !members_possible(res)) {
		*why = "too many peers are async here: with ack-policy quorum a majority has to be waited for (net-options --async no); --force is Primary all the same, and its I/O waits";
		return -EINVAL;
	}
	for_each_peer(p, i, res) {
		if (living_primary(p) && p != from &&
		    !MUTATED(MUT_TWO_PRIMARIES)) {
			*why = "a connected peer is Primary: make it Secondary first";
			return -EBUSY;
		}
	}
	for_each_vol(vol, res) {
		if (vol->revoked) {
			*why = "a program has had the device open since another node took over: close it first (umount, swapoff)";
			return -EBUSY;
		}
		if (vol->disk == DISK_ATTACHING || vol->closing) {
			*why = "a disk is being attached or detached: try again";
			return -EAGAIN;
		}
		if (!data_here(vol, force) && !move_brings_data(vol, from)) {
			*why = why_no_data(vol);
			return -ENODATA;
		}
	}
	return 0;
}

static void ask(struct repl_res *res, u8 flags)
{
	struct repl_wire_hdr h;
	struct repl_peer *p;
	int i;

	res->vote.asked_ms = res->now;
	for_each_peer(p, i, res) {
		p->vote_wait = false;
		p->agrees = false;
		p->vouches = false;
		p->counts = false;
		/* It would be the last to answer. */
		p->silent = silent_primary(p);
		if (!connected(p) || p->silent || MUTATED(MUT_TWO_PRIMARIES) ||
		    (elects(res) && !edit_alike(p)))
			continue;
		hdr_init(&h, PKT_VOTE_REQ, NULL);
		h.id = cpu_to_le64(res->vote.term);
		h.dep = cpu_to_le64(res->have_term);
		h.seq = cpu_to_le64(res->have_seq);
		h.flags = flags | (res->vote.force ? REPL_HDR_FULL : 0) |
			  (res->vote.own ? REPL_HDR_LAST : 0);
		p->vote_wait = true;
		send_pkt(p, &h, NULL, NULL);
	}
}

static void vote_for_ourselves(struct repl_res *res)
{
	struct repl_vote *v = &res->vote;

	v->term = res->term + 1;
	v->step = VOTE_OWN;
	vote_record(res, v->term, res->node);
	leave_others(res, NULL);
	res->evaluate_again = true;
}

static void try(struct repl_res *res)
{
	res->vote.term = res->term + 1;
	res->vote.step = VOTE_TRIAL;
	ask(res, REPL_HDR_TRIAL);
}

static void ask_first(struct repl_res *res)
{
	struct repl_vote *v = &res->vote;

	if (!elects(res)) {
		v->term = res->term + 1;
		v->step = VOTE_ASKED;
		ask(res, 0);
	} else if (v->force) {
		vote_for_ourselves(res);
	} else {
		try(res);
	}
	evaluate(res);
}

static void stand(struct repl_res *res, bool force, bool renew)
{
	struct repl_vote *v = &res->vote;

	v->force = force;
	v->renew = renew;
	v->until_ms = res->now + PATIENCE_MS;
	ask_first(res);
}

/*
 * An administrator's word makes of what is here the data.  It may be an old
 * disk of ours: the numbers of generations that we have begun since then are
 * jumped over.
 */
#define FORCED_GENS	0x10000

static void take_as_good(struct repl_vol *vol)
{
	struct repl_store *s = store_live(vol);
	struct repl_pv *pv;

	if (!s || vol->disk == DISK_UPTODATE)
		return;
	for_each_pv(pv, vol) {
		target_stop(pv, true);
		set_pv_state(pv, RS_OFF);
	}
	if (!s->dataset) {
		s->dataset = vol->res->ops->random() | 1;
		s->sectors = vol->sectors;
	} else {
		s->own_gen += FORCED_GENS +
			      (u32)vol->res->ops->random() % FORCED_GENS;
	}
	vol->dataset = s->dataset;
	vol->lineage = s->lineage;
	set_disk(vol, DISK_UPTODATE);
}

/**
 * struct ballots - nodes, ourselves included
 * @heard: that have not refused
 * @votes: of these, those whose vote counts
 * @vouching: of these, those that vouch for their data
 */
struct ballots {
	u32 heard;
	u32 votes;
	u32 vouching;
};

/* @likely: as if all who are connected did so, and not as they have answered. */
static struct ballots count(const struct repl_res *res, bool likely)
{
	struct ballots b = {
		.heard = BIT(res->node),
		.votes = voter(res) ? BIT(res->node) : 0,
		.vouching = vouches(res) ? BIT(res->node) : 0,
	};
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res) {
		if (!connected(p) || p->silent || !(likely || p->agrees))
			continue;
		b.heard |= BIT(i);
		if (likely ? voter_likely(p) : p->counts)
			b.votes |= BIT(i);
		if (likely ? vouches_likely(p) : p->vouches)
			b.vouching |= BIT(i);
	}
	return b;
}

static const char *too_few(const struct repl_res *res, const struct ballots *b)
{
	if (edit_lacking(res, b->votes) && !MUTATED(MUT_QUORUM_IGNORED))
		return "a majority of the nodes has to agree, and too few are connected: bring one more back; --force decides without them";
	return NULL;
}

/* Return: what is missing where a majority decides, NULL: nothing */
static const char *outnumbered(const struct repl_res *res,
			       const struct ballots *b)
{
	const char *why = too_few(res, b);

	if (why)
		return why;
	if (elect_all_needed(res, b->heard))
		return "the in-sync set was changed without votes (quorum off), so that any node with data may have gone on alone: connect all of them; --force decides without them";
	if (!elect_heard_enough(res, b->heard, b->vouching))
		return "acknowledged writes may be on replicas that are not here: bring back one more of the in-sync set, with its disk; --force gives up what they have";
	return NULL;
}

/*
 * Without votes, while others may still be elected on the sets of before: no one
 * goes on alone with them, so that a majority hears of the first set that needs
 * none.
 */
static const char *alone_without_votes(const struct repl_res *res)
{
	struct repl_store *s;
	struct repl_vol *vol;

	if (hweight32(could_vote(res)) >= majority(res))
		return NULL;
	for_each_vol(vol, res) {
		s = store_live(vol);
		if (s && (s->set_version & SET_VOTED))
			return "votes were switched off (quorum off), and others may still elect a Primary: a majority of the nodes has to be connected; --force decides without them";
	}
	return NULL;
}

/* @likely: if all who are connected agreed.  Return: what is missing, NULL: nothing */
static const char *not_elected(struct repl_res *res, bool likely)
{
	struct ballots b = count(res, likely);
	const struct repl_peer *from;
	struct repl_vol *vol;
	const char *why;

	if (!res->vote.renew)
		for_each_vol(vol, res)
			if (!data_here(vol, res->vote.force))
				return why_no_data(vol);
	if (res->vote.force)
		return NULL;
	if (elects(res))
		return outnumbered(res, &b);
	why = alone_without_votes(res);
	if (why)
		return why;
	from = res->vote.from == NODE_NONE ? NULL : res->peer[res->vote.from];
	return fence_refuses(res, from);
}

/*
 * What is known to stand against it, if @from is Primary no more?  That one sees to it
 * that we have all (reign_give_up()), if we have only followed so far.
 * Return: 0, -ENODATA or -EBUSY with @why
 */
static int against(const struct repl_res *res, const struct ballots *likely,
		   const struct repl_peer *from, const char **why)
{
	if (!elects(res))
		*why = alone_without_votes(res);
	else
		*why = from ? too_few(res, likely) : outnumbered(res, likely);
	if (*why)
		return -ENODATA;
	*why = objection_likely(res, from);
	return *why ? -EBUSY : 0;
}

/* Nobody takes the role from a living Primary by itself, nor by force. */
static struct repl_peer *to_step_down(const struct repl_res *res, bool force)
{
	return force || res->vote.own ? NULL : move_from(res);
}

int repl_promote(struct repl_res *res, bool force, const char **why)
{
	struct repl_peer *from = to_step_down(res, force);
	struct ballots likely;
	int err;

	if (res->role == ROLE_PRIMARY && res->vote.step == VOTE_NONE)
		return -EALREADY;
	/* Elected, and those that are to join it do not come. */
	if (force && res->vote.step == VOTE_WON) {
		res->forced = true;
		evaluate(res);
		return 0;
	}
	detach_hurry(res);
	err = may_promote(res, force, from, why);
	if (err)
		return err;
	*why = force ? NULL : fence_refuses(res, from);
	if (*why)
		return -EBUSY;
	if (!from) {
		stand(res, force, false);
		return 0;
	}
	/* A Primary does not step down for nothing. */
	likely = count(res, true);
	if (against(res, &likely, from, why))
		return -EBUSY;
	move_ask(from);
	return 0;
}

/* A branch that was left behind by force is to be seen until all have joined. */
static bool was_forced(const struct repl_res *res)
{
	struct repl_vol *vol;
	struct repl_store *s;

	for_each_vol(vol, res) {
		s = store_live(vol);
		if (s && (s->set_version & SET_FORCED))
			return true;
	}
	return res->vote.force;
}

static void win(struct repl_res *res)
{
	struct repl_vol *vol;
	struct repl_peer *p;
	int i;

	for_each_vol(vol, res) {
		/* Of the last Primary: as ours, its disk is good once it equals one. */
		vol->follower = false;
		res->majority_acked |= !known_by_all(vol);
		if (res->vote.force)
			take_as_good(vol);
	}
	res->vote.step = VOTE_WON;
	/* Whatever was written before us may matter to what comes. */
	res->done_seq = max(res->done_seq, res->seq);
	res->term = max(res->term, res->vote.term);
	res->reign = res->vote.term;
	res->commit.count = 1;	/* 0: see my_vstate() */
	res->forced = was_forced(res);
	res->renewing = false;
	res->role = ROLE_PRIMARY;
	lease_begin(res);
	fence_begin(res);
	for_each_peer(p, i, res)
		p->before_reign = p->conn == CONN_CONNECTED;
	res->evaluate_again = true;
	note(res, NOTE_RES, NULL, NULL, NULL);
}

static u64 waited_ms(const struct repl_res *res)
{
	return res->now - res->vote.asked_ms;
}

/* A majority does without those that have gone and are still connected. */
static bool patience_ends(const struct repl_res *res)
{
	return elects(res) && waited_ms(res) >= ANSWER_MS;
}

static bool owes_answer(const struct repl_peer *p)
{
	return connected(p) && p->vote_wait;
}

/* What they said before is old, if we do without them. */
static void leave_silent(struct repl_res *res, bool leave)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (owes_answer(p))
			p->silent = leave;
}

static bool answers_missing(const struct repl_res *res)
{
	return !patience_ends(res) && any_peer(res, owes_answer);
}

/*
 * Those that have answered do not suffice, for @why: can the others make up for it?
 * Then they are waited for, as another attempt would be in another term, and take
 * them as long.
 * Return: false if they can't, or are too slow
 */
static bool wait_for_slow(struct repl_res *res, const char **why)
{
	if (!any_peer(res, owes_answer))
		return false;
	leave_silent(res, false);
	if (not_elected(res, true))
		return false;
	if (waited_ms(res) < SLOW_MS)
		return true;
	*why = "a majority of the nodes has to agree, and some that are connected have not answered in time: their disks, or the network, are slow; try again";
	return false;
}

/* Return: false if it is too late for that */
static bool try_later(struct repl_res *res)
{
	if (res->now >= res->vote.until_ms)
		return false;
	res->vote.step = VOTE_AGAIN;
	res->vote.again_ms = res->now + AGAIN_MS;
	return true;
}

/* A promise of ours binds our own vote, too. */
static void end_trial(struct repl_res *res)
{
	if (!lease_binds(res, res->node))
		vote_for_ourselves(res);
	else if (!try_later(res))
		vote_end(res, -EAGAIN, "this node has promised a Primary, which may live, not to vote now: try again in a second");
}

/* Who has answered has agreed.  Return: true if the role has changed */
static bool count_votes(struct repl_res *res)
{
	const char *why;

	leave_silent(res, true);
	why = not_elected(res, false);
	if (why && wait_for_slow(res, &why))
		return false;
	if (why) {
		vote_end(res, -EAGAIN, why);
		return false;
	}
	if (res->vote.step == VOTE_TRIAL) {
		end_trial(res);
		return false;
	}
	win(res);
	return true;
}

static bool data_lost(const struct repl_res *res)
{
	const struct repl_vol *vol;

	for_each_vol(vol, res)
		if (!data_here(vol, res->vote.force))
			return true;
	return false;
}

/*
 * Return: true if the role has changed.  Then who is in step has to be looked
 * at anew, before the first generation of the reign is committed: two
 * secondaries may have been so in spite of unconfirmed writes.
 */
bool vote_advance(struct repl_res *res)
{
	switch (res->vote.step) {
	case VOTE_MOVING:
		if (move_advance(res))
			stand(res, false, false);
		break;
	case VOTE_TRIAL:
	case VOTE_ASKED:
		return !answers_missing(res) && count_votes(res);
	case VOTE_OWN:
		if (!vote_durable(res))
			break;
		res->vote.step = VOTE_ASKED;
		res->evaluate_again = true;
		ask(res, 0);
		break;
	case VOTE_COMMITTING:
		if (res->vote.renew || !data_lost(res))
			break;
		commit_abort(res, COMMIT_DATA_LOST);
		return true;
	case VOTE_WON:
		if (!res->vote.renew && data_lost(res)) {
			commit_abort(res, COMMIT_DATA_LOST);
			return true;
		}
		if (fence_holds(res)) {
			commit_abort(res, COMMIT_PEER_LOST);
			return true;
		}
		/* Those left out by a lesser set would not vouch any more. */
		if (!members_suffice(res))
			break;
		res->vote.step = VOTE_COMMITTING;
		commit_start(res, true);
		break;
	}
	return false;
}

/* Return: true if the first set of our reign has to wait for more members. */
bool vote_postponed(struct repl_res *res)
{
	if (res->vote.step != VOTE_COMMITTING || members_suffice(res))
		return false;
	res->vote.step = VOTE_WON;
	return true;
}

void vote_committed(struct repl_res *res)
{
	if (res->vote.step == VOTE_COMMITTING)
		vote_end(res, 0, NULL);
}

void vote_aborted(struct repl_res *res, const char *why)
{
	if (res->vote.step < VOTE_WON)
		return;
	if (!res->vote.renew) {
		res->role = ROLE_SECONDARY;
		commit_drop(res);
		app_fail_all(res);
		note(res, NOTE_RES, NULL, NULL, NULL);
	}
	vote_end(res, -EIO, why);
}

/* ---- time ---- */

void vote_tick(struct repl_res *res)
{
	bool again = res->now >= res->vote.again_ms;

	if (again && res->renewing && res->vote.step == VOTE_NONE)
		stand(res, false, true);
	if (again && res->vote.step == VOTE_AGAIN)
		ask_first(res);
	if ((res->vote.step == VOTE_TRIAL || res->vote.step == VOTE_ASKED) &&
	    patience_ends(res))
		evaluate(res);
}

/* ---- answers ---- */

/*
 * What was promised to a Primary ends with its lease; and that another has
 * stepped down for us, its word may still be on the way.
 */
static bool will_pass(const struct repl_res *res, const struct repl_wire_hdr *h)
{
	const struct repl_vote *v = &res->vote;

	if (elects(res) && v->step != VOTE_TRIAL)
		return false;
	return h->flags & REPL_HDR_LAST || v->from != NODE_NONE;
}

void vote_rx(struct repl_peer *p, const struct repl_wire_hdr *h,
	     const void *payload)
{
	struct repl_res *res = p->res;
	u32 len = le32_to_cpu(h->length);
	char why[257];

	if (res->vote.step != (h->flags & REPL_HDR_TRIAL ? VOTE_TRIAL : VOTE_ASKED) ||
	    !p->vote_wait || le64_to_cpu(h->id) != res->vote.term)
		return;
	p->vote_wait = false;
	if (h->flags & REPL_HDR_YES) {
		p->agrees = true;
		p->vouches = h->flags & REPL_HDR_FULL;
		p->counts = h->flags & REPL_HDR_LAST;
		evaluate(res);
		return;
	}
	if (will_pass(res, h) && try_later(res))
		return;
	if (len)
		memcpy(why, payload, len);
	why[len] = 0;
	vote_refused(p, why);
}

/* ---- what would become of a promotion ---- */

/* Nodes that have, or may have, data that is missing here. */
static u32 data_missing(const struct repl_res *res, u32 heard)
{
	struct repl_vol *vol;
	u32 nodes = 0;

	if (elects(res))
		return elect_unheard(res, heard);
	for_each_vol(vol, res)
		if (store_live(vol) && vol->disk >= DISK_OUTDATED &&
		    !data_here(vol, false))
			nodes |= resolve_missing(vol);
	return nodes;
}

void repl_promotion(const struct repl_res *res, struct repl_promotion *out)
{
	const struct repl_peer *from = to_step_down(res, false);
	struct ballots likely = count(res, true);
	u32 lacking;
	int err;

	memset(out, 0, sizeof(*out));
	if (elects(res)) {
		lacking = edit_lacking(res, likely.votes);
		out->votes = hweight32(likely.votes);
		out->votes_needed = lacking ? out->votes + lacking :
					      majority(res);
	}
	if (res->role == ROLE_PRIMARY && res->vote.step == VOTE_NONE)
		return;
	err = may_promote(res, false, from, &out->why);
	if (!err)
		err = against(res, &likely, from, &out->why);
	if (err == -ENODATA)
		out->missing = data_missing(res, likely.heard);
	else if (!err)
		out->why = fence_against(res, from, &out->missing);
}
