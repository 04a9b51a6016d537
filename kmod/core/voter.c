// SPDX-License-Identifier: GPL-2.0
/*
 * Votes: what a node answers to a candidate.
 *
 * It refuses while it is or sees another primary, while it is a better candidate
 * itself, or if its data is newer.  Whoever has its word keeps it for a while.
 *
 * Where primaries are elected, the word is a vote: one a term, on the disks
 * before it is given, and from then on nothing is taken from the primary of an
 * older term.  So what that one has had acknowledged with our help came before
 * the vote, and the vote has looked at it.
 */
#include "internal.h"

#define PROMISE_MS	3000

/* ---- votes that last ---- */

/*
 * Can a vote be kept here?  On the disk of every volume, as each may be the only
 * one left.  A disk without data is a new one: what its node has voted for
 * before is lost.
 */
static bool can_vote(const struct repl_res *res)
{
	struct repl_store *s;
	struct repl_vol *vol;

	for_each_vol(vol, res) {
		s = store_keeps(vol);
		if (!s || !s->dataset)
			return false;
	}
	return !list_empty(&res->vols);
}

bool voter(const struct repl_res *res)
{
	return elects(res) && can_vote(res);
}

/* A disk that is being attached, too: it may be the only one left next time. */
static void record_on(const struct repl_res *res, struct repl_vol *vol)
{
	struct repl_store *s = vol->store;

	if (!s || s->detaching || vol->disk == DISK_FAILED)
		return;
	s->vote_term = res->vote_term;
	s->voted_for = res->voted_for;
	s->vote_sb = meta_want_sb(s);
	meta_kick(vol);
}

void vote_record(struct repl_res *res, u64 term, u8 node)
{
	struct repl_vol *vol;

	res->term = max(res->term, term);
	res->vote_term = term;
	res->voted_for = node;
	for_each_vol(vol, res)
		record_on(res, vol);
}

/* What a disk that is being attached knows of our votes, or has to learn. */
void vote_recall(struct repl_vol *vol)
{
	const struct repl_store *s = vol->store;
	struct repl_res *res = vol->res;

	if (s->vote_term > res->vote_term)
		vote_record(res, s->vote_term, s->voted_for);
	else if (s->vote_term < res->vote_term)
		record_on(res, vol);
	res->term = max(res->term, res->vote_term);
}

bool vote_durable(const struct repl_res *res)
{
	struct repl_store *s;
	struct repl_vol *vol;

	for_each_vol(vol, res) {
		s = store_keeps(vol);
		if (s && s->sb_durable < s->vote_sb &&
		    !MUTATED(MUT_VOTE_NOT_DURABLE))
			return false;
	}
	return true;
}

/* Does a peer know of a newer term than the one that we are Primary in? */
bool outvoted_by(const struct repl_peer *p)
{
	const struct repl_res *res = p->res;

	return both_elect(p) && reigns(res) &&
	       connected(p) && p->term > res->reign &&
	       !MUTATED(MUT_TERM_IGNORED);
}

/*
 * Is it the Primary of a term that may be over, as we know of a newer one?  It
 * will ask for another.
 */
bool outvoted(const struct repl_peer *p)
{
	const struct repl_res *res = p->res;
	u64 term = reigns(res) ? res->reign : res->term;

	return both_elect(p) &&
	       p->role == ROLE_PRIMARY && p->term < term &&
	       !MUTATED(MUT_TERM_IGNORED);
}

/* What can_vote(), voter() and vouches() are at a connected peer, as it has told. */
static bool can_vote_there(const struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (!pv->known || pv->peer_state.disk < DISK_WITNESS ||
		    !pv->peer_state.dataset)
			return false;
	return !list_empty(&p->pvs);
}

bool voter_likely(const struct repl_peer *p)
{
	return edit_counts(p) && can_vote_there(p);
}

static bool could_vote_there(const struct repl_peer *p)
{
	return connected(p) && can_vote_there(p);
}

/** could_vote() - who is here with disks to vote on, whether it votes or not */
u32 could_vote(const struct repl_res *res)
{
	return peers_that(res, could_vote_there) |
	       (can_vote(res) ? BIT(res->node) : 0);
}

bool vouches_likely(const struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (!pv->known || !(pv->peer_state.flags & REPL_VS_VOUCHES))
			return false;
	return true;
}

/* ---- objections ---- */

static const char sees_another[] = "that node sees another Primary";

/* What a peer would say against us, as far as it has told. */
const char *objection_likely(const struct repl_res *res,
			     const struct repl_peer *from)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (connected(p) && p->role != ROLE_PRIMARY &&
		    p->sees_primary != NODE_NONE &&
		    p->sees_primary != res->node &&
		    !(from && p->sees_primary == from->node))
			return sees_another;
	return NULL;
}

/*
 * Has the reign whose set our disk knows begun with none?  A set is confirmed by all of
 * its members, for all volumes, or not at all: we may know the first of ours of one
 * volume only.  As that may also come of a disk that was replaced since, another member
 * has to know none, either.
 */
static bool reign_unbegun(const struct repl_vol *vol, const struct repl_store *s)
{
	u64 first = (s->set_version >> SET_TERM_SHIFT << SET_TERM_SHIFT) + SET_NEXT;
	u32 self = BIT(vol->res->node), not_told = 0;
	const struct repl_vol *each;

	for_each_vol(each, vol->res)
		not_told |= elect_not_told(each, first) & s->in_sync;
	return set_unbegun(s->set_version) ||
	       ((not_told & self) && (not_told & ~self));
}

/*
 * One that was elected has filled us, or we were elected, and it was over before there
 * was a set.  So nothing was acknowledged that the members before it lack: what we have
 * is needed only where these can't tell whose is good, and we have all volumes and can
 * be Primary.
 */
static bool by_reign_unbegun(const struct repl_pv *pv)
{
	const struct repl_store *s = store_live(pv->vol);

	return s && reign_unbegun(pv->vol, s) && pv_outreigned(pv) &&
	       (elect_good_without_us(pv) || !elect_has_all(pv->vol->res));
}

static bool newer_here(struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->known && pv->vol->disk >= DISK_OUTDATED &&
		    store_live(pv->vol) && !by_position(pv) &&
		    pv_verdict(pv) == V_SOURCE && !by_reign_unbegun(pv))
			return true;
	return false;
}

/* One without a disk goes on with what it knows of another's. */
static bool is_left(const struct repl_pv *pv)
{
	const struct repl_vol *vol = pv->vol;

	return (pv->peer_state.disk < DISK_OUTDATED ||
		!(vol->in_sync & BIT(pv->peer->node))) &&
	       lineage_compare(&vol->lineage, &pv->peer_state.lineage) ==
							ORDER_NEWER;
}

/*
 * Has our Primary left its data behind, as we know though our own disk is gone?
 * Elected ones are asked for the sets that a majority keeps.
 */
static bool its_data_was_left(struct repl_peer *p)
{
	const struct repl_vol *vol;
	struct repl_pv *pv;

	if (elects(p->res) || p->res->witness)
		return false;
	list_for_each_entry(pv, &p->pvs, by_peer) {
		vol = pv->vol;
		if (pv->known && !store_live(vol) && vol->dataset &&
		    pv->peer_state.dataset == vol->dataset && is_left(pv))
			return true;
	}
	return false;
}

/* One that was elected later has filled us, which knows what it does not. */
static bool of_later_reign(struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->known && by_position(pv) && pv_outreigned(pv) &&
		    !by_reign_unbegun(pv))
			return elect_has_all(p->res);
	return false;
}

/* Once it were elected, what we have would be taken for void. */
static bool diverged(struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->known && store_live(pv->vol) &&
		    pv_verdict(pv) == V_DIVERGED)
			return true;
	return false;
}

/* The set that counts is one that we are not in. */
static bool left_out(const struct repl_vol *vol)
{
	return !(elect_set(vol) & BIT(vol->res->node));
}

static bool ahead_of(struct repl_peer *p, const struct repl_wire_hdr *h)
{
	u64 term = le64_to_cpu(h->dep), seq = le64_to_cpu(h->seq);
	const struct repl_res *res = p->res;
	struct repl_pv *pv;

	/*
	 * It has forgotten its position, elect_heard_enough() looks after it;
	 * or it has a generation that we have not, or knows a later reign; or
	 * we were left out.
	 */
	list_for_each_entry(pv, &p->pvs, by_peer)
		if (last_primary(pv) || left_out(pv->vol) ||
		    (pv->known && pv_outreigns(pv)) ||
		    (pv->known && !by_position(pv) &&
		     pv_verdict(pv) == V_TARGET))
			return false;
	return elects(res) && vouches(res) &&
	       !MUTATED(MUT_POSITION_IGNORED) &&
	       (res->have_term > term ||
		(res->have_term == term && res->have_seq > seq));
}

/* One vote a term, and none in a term that is over. */
static bool voted_since(const struct repl_peer *p, u64 term)
{
	const struct repl_res *res = p->res;

	if (!elects(res))
		return false;
	return term < res->vote_term ||
	       (term == res->vote_term && res->voted_for != p->node &&
		!MUTATED(MUT_VOTE_TWICE));
}

/* The one that is to have the vote that is being written, if it is still there. */
static struct repl_peer *ballot_to(const struct repl_res *res)
{
	struct repl_peer *p = res->ballot.to == NODE_NONE ?
			      NULL : res->peer[res->ballot.to];

	return p && connected(p) && p->conn_count == res->ballot.conn ? p : NULL;
}

/*
 * Are we standing, and come first?  One that has made a term comes before one that
 * only asks whether it could: where votes take long each would end the other's
 * attempt, for ever.  Of two alike the lower node id does.
 */
static bool stands_before(const struct repl_peer *p, bool its_trial)
{
	const struct repl_res *res = p->res;
	bool trial = res->vote.step <= VOTE_TRIAL;

	if (res->vote.step == VOTE_NONE)
		return false;
	return trial == its_trial ? res->node < p->node : its_trial;
}

static const char *objection(struct repl_peer *p,
			     const struct repl_wire_hdr *h)
{
	bool force = h->flags & REPL_HDR_FULL;
	struct repl_res *res = p->res;
	struct repl_peer *other;
	int i;

	if (MUTATED(MUT_TWO_PRIMARIES))
		return NULL;
	if (reigns(res))
		return "that node is Primary";
	if (!force && elects(res) && !edit_alike(p))
		return "that node has another list of nodes: run adjust on both";
	if ((h->flags & REPL_HDR_LAST) && res->retired != NODE_NONE)
		return "an administrator has made the Primary Secondary, so nobody takes its place by itself";
	if (voted_since(p, le64_to_cpu(h->id)))
		return "that node has voted in a newer term: try again";
	if (stands_before(p, h->flags & REPL_HDR_TRIAL))
		return "that node is just being promoted itself";
	for_each_peer(other, i, res)
		if (other != p && living_primary(other))
			return sees_another;
	if ((res->promised_to != NODE_NONE && res->promised_to != p->node &&
	     res->now < res->promised_until) ||
	    (!force && ballot_to(res) && ballot_to(res) != p))
		return "that node has just given its vote to another";
	if (!force && (newer_here(p) || of_later_reign(p) || ahead_of(p, h)))
		return "that node has newer data";
	if (!force && its_data_was_left(p))
		return "that node, whose own disk is detached, knows of newer data: attach the disk, or connect one that has them";
	if (!force && keeper_objects(p))
		return res->witness ?
		       "that node, a witness, knows that others have newer data" :
		       "that node knows that others have newer data";
	if (!force && elects(res) && diverged(p))
		return "the data of that node has diverged from the candidate's";
	return NULL;
}

/* ---- answers ---- */

static const char lease_runs[] = "that node has promised a Primary, which may live, not to vote now: try again in a second";

static void answer(struct repl_peer *p, __le64 term, u8 flags, const char *no)
{
	struct repl_wire_hdr r;

	hdr_init(&r, PKT_VOTE, NULL);
	r.id = term;
	r.flags = flags & REPL_HDR_TRIAL;
	if (no) {
		r.length = cpu_to_le32(strlen(no));
		if (no == lease_runs)
			r.flags |= REPL_HDR_LAST;
	} else {
		r.flags |= REPL_HDR_YES;
		if (vouches_on_disk(p->res))
			r.flags |= REPL_HDR_FULL;
		if (voter(p->res))
			r.flags |= REPL_HDR_LAST;
	}
	send_pkt(p, &r, no, NULL);
}

static void answer_ballot(struct repl_res *res, const char *no)
{
	struct repl_peer *p = ballot_to(res);

	res->ballot.to = NODE_NONE;
	if (p)
		answer(p, cpu_to_le64(res->ballot.term), 0, no);
}

void voter_advance(struct repl_res *res)
{
	if (res->ballot.to != NODE_NONE && vote_durable(res))
		answer_ballot(res, NULL);
}

/* A Primary whose lease has ended: nothing may be taken from it any more. */
void leave_others(struct repl_res *res, const struct repl_peer *chosen)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (p != chosen && connected(p) && p->role == ROLE_PRIMARY)
			dismiss(p, "it did not answer in time: another node asks to be Primary");
}

static void vote_for(struct repl_peer *p, u64 term)
{
	struct repl_res *res = p->res;

	answer_ballot(res, "that node has voted for another since");
	if (!elects(res)) {
		res->promised_to = p->node;
		res->promised_until = res->now + PROMISE_MS;
		res->term = max(res->term, term);
		answer(p, cpu_to_le64(term), 0, NULL);
		return;
	}
	vote_record(res, term, p->node);
	leave_others(res, p);
	res->ballot.to = p->node;
	res->ballot.conn = p->conn_count;
	res->ballot.term = term;
	evaluate(res);
}

void vote_rx_req(struct repl_peer *p, const struct repl_wire_hdr *h)
{
	struct repl_res *res = p->res;
	const char *no;

	if (!h->id) {
		if (res->promised_to == p->node)
			res->promised_to = NODE_NONE;
		if (res->ballot.to == p->node)
			res->ballot.to = NODE_NONE;
		return;
	}
	no = objection(p, h);
	if (!no && lease_binds(res, p->node) && !(h->flags & REPL_HDR_FULL))
		no = lease_runs;
	if (no || (h->flags & REPL_HDR_TRIAL)) {
		answer(p, h->id, h->flags, no);
		return;
	}
	if (res->vote.step != VOTE_NONE)
		vote_end(res, -EBUSY, "another node is being promoted at the same time");
	vote_for(p, le64_to_cpu(h->id));
}
