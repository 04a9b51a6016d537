// SPDX-License-Identifier: GPL-2.0
/*
 * Roles: becoming Primary and giving it up.
 *
 * A candidate asks every connected peer in a new term.  Each refuses while it
 * is or sees another primary, while it is a better candidate itself, or if its
 * data is newer.  With nobody against, the candidate is Primary once its first
 * generation is committed (members.c).
 *
 * Where a majority acknowledges, it must also have heard enough: see elect.c.
 */
#include "internal.h"

#define PROMISE_MS	3000

/* Those that have promised us their vote are free to give it to another. */
static void give_back(struct repl_peer *p)
{
	struct repl_wire_hdr h;

	if (!connected(p))
		return;
	hdr_init(&h, PKT_VOTE_REQ, NULL);
	send_pkt(p, &h, NULL, NULL);
}

static void vote_end(struct repl_res *res, int err, const char *why)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res) {
		p->vote_wait = false;
		if (err)
			give_back(p);
	}
	res->vote.active = false;
	res->vote.won = false;
	res->vote.committing = false;
	res->ops->vote_done(res, err, why);
}

static bool data_here(const struct repl_vol *vol, bool force)
{
	struct repl_pv *pv;

	if (store_live(vol) && (force || vol->disk == DISK_UPTODATE))
		return true;
	for_each_pv(pv, vol)
		if (pv_serves_reads(pv))
			return true;
	return false;
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
		return "there is no disk and no connected peer with up-to-date data";
	}
}

static int may_promote(struct repl_res *res, bool force, const char **why)
{
	struct repl_peer *p;
	struct repl_vol *vol;
	int i;

	if (res->vote.active) {
		*why = "a promotion is under way";
		return -EBUSY;
	}
	for_each_peer(p, i, res) {
		if (connected(p) && p->role == ROLE_PRIMARY &&
		    !MUTATED(MUT_TWO_PRIMARIES)) {
			*why = "a connected peer is Primary: make it Secondary first";
			return -EBUSY;
		}
	}
	for_each_vol(vol, res) {
		if (vol->disk == DISK_ATTACHING || vol->closing) {
			*why = "a disk is being attached or detached: try again";
			return -EAGAIN;
		}
		if (!data_here(vol, force)) {
			*why = why_no_data(vol);
			return -ENODATA;
		}
	}
	return 0;
}

int repl_promote(struct repl_res *res, bool force, const char **why)
{
	struct repl_wire_hdr h;
	struct repl_peer *p;
	int i, err;

	if (res->role == ROLE_PRIMARY && !res->vote.active)
		return -EALREADY;
	err = may_promote(res, force, why);
	if (err)
		return err;
	res->vote.active = true;
	res->vote.won = false;
	res->vote.force = force;
	res->vote.term = res->term + 1;
	for_each_peer(p, i, res) {
		if (!connected(p) || MUTATED(MUT_TWO_PRIMARIES))
			continue;
		hdr_init(&h, PKT_VOTE_REQ, NULL);
		h.id = cpu_to_le64(res->vote.term);
		h.dep = cpu_to_le64(res->have_term);
		h.seq = cpu_to_le64(res->have_seq);
		h.flags = force ? REPL_HDR_FULL : 0;
		p->vote_wait = true;
		p->vouches = false;
		send_pkt(p, &h, NULL, NULL);
	}
	evaluate(res);
	return 0;
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

static void win(struct repl_res *res)
{
	struct repl_vol *vol;
	struct repl_peer *p;
	int i;

	for_each_vol(vol, res) {
		if (!data_here(vol, res->vote.force)) {
			vote_end(res, -ENODATA, why_no_data(vol));
			return;
		}
	}
	if (res->conf.ack_policy == ACK_QUORUM && !res->vote.force &&
	    !elect_heard_enough(res)) {
		vote_end(res, -EAGAIN, "acknowledged writes may be on replicas that are not connected: bring back one more of the in-sync set; --force gives up what they have");
		return;
	}
	for_each_vol(vol, res)
		if (res->vote.force)
			take_as_good(vol);
	res->vote.won = true;
	/* Whatever was written before us may matter to what comes. */
	res->done_seq = max(res->done_seq, res->seq);
	res->term = max(res->term, res->vote.term);
	res->role = ROLE_PRIMARY;
	for_each_peer(p, i, res)
		p->before_reign = p->conn == CONN_CONNECTED;
	res->evaluate_again = true;
	note(res, NOTE_RES, NULL, NULL, NULL);
}

/*
 * Return: true if the role has changed.  Then who is in step has to be looked
 * at anew, before the first generation of the reign is committed: two
 * secondaries may have been so in spite of unconfirmed writes.
 */
bool vote_advance(struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	if (!res->vote.active || res->vote.committing)
		return false;
	if (res->vote.won) {
		res->vote.committing = true;
		commit_start(res, true);
		return false;
	}
	for_each_peer(p, i, res)
		if (connected(p) && p->vote_wait)
			return false;
	win(res);
	return true;
}

void vote_committed(struct repl_res *res)
{
	if (res->vote.committing)
		vote_end(res, 0, NULL);
}

void vote_aborted(struct repl_res *res)
{
	if (!res->vote.active || !res->vote.won)
		return;
	res->role = ROLE_SECONDARY;
	note(res, NOTE_RES, NULL, NULL, NULL);
	vote_end(res, -EIO, "the data was lost while the node was being promoted");
}

/* ---- the voter ---- */

static bool newer_here(struct repl_peer *p)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (pv->known && pv->vol->disk >= DISK_OUTDATED &&
		    store_live(pv->vol) && !by_position(pv) &&
		    pv_verdict(pv) == V_SOURCE)
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
	 * or it has a generation that we have not, or we were left out.
	 */
	list_for_each_entry(pv, &p->pvs, by_peer)
		if (last_primary(pv) || left_out(pv->vol) ||
		    (pv->known && pv_verdict(pv) == V_TARGET))
			return false;
	return res->conf.ack_policy == ACK_QUORUM && vouches(res) &&
	       !MUTATED(MUT_POSITION_IGNORED) &&
	       (res->have_term > term ||
		(res->have_term == term && res->have_seq > seq));
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
	if (res->role == ROLE_PRIMARY)
		return "that node is Primary";
	if (res->vote.active && res->node < p->node)
		return "that node is just being promoted itself";
	for_each_peer(other, i, res)
		if (other != p && connected(other) &&
		    other->role == ROLE_PRIMARY)
			return "that node sees another Primary";
	if (res->promised_to != NODE_NONE && res->promised_to != p->node &&
	    res->now < res->promised_until)
		return "that node has just given its vote to another";
	if (!force && (newer_here(p) || ahead_of(p, h)))
		return "that node has newer data";
	return NULL;
}

void vote_rx_req(struct repl_peer *p, const struct repl_wire_hdr *h)
{
	struct repl_res *res = p->res;
	const char *no;
	struct repl_wire_hdr r;

	if (!h->id) {
		if (res->promised_to == p->node)
			res->promised_to = NODE_NONE;
		return;
	}
	no = objection(p, h);

	hdr_init(&r, PKT_VOTE, NULL);
	r.id = h->id;
	if (no) {
		r.length = cpu_to_le32(strlen(no));
		send_pkt(p, &r, no, NULL);
		return;
	}
	if (res->vote.active)
		vote_end(res, -EBUSY, "another node is being promoted at the same time");
	res->term = max(res->term, le64_to_cpu(h->id));
	res->promised_to = p->node;
	res->promised_until = res->now + PROMISE_MS;
	r.flags = REPL_HDR_YES | (vouches(res) ? REPL_HDR_FULL : 0);
	send_pkt(p, &r, NULL, NULL);
}

void vote_rx(struct repl_peer *p, const struct repl_wire_hdr *h,
	     const void *payload)
{
	struct repl_res *res = p->res;
	u32 len = le32_to_cpu(h->length);
	char why[257];

	if (!res->vote.active || res->vote.won || !p->vote_wait ||
	    le64_to_cpu(h->id) != res->vote.term)
		return;
	p->vote_wait = false;
	if (h->flags & REPL_HDR_YES) {
		p->vouches = h->flags & REPL_HDR_FULL;
		evaluate(res);
		return;
	}
	memcpy(why, payload, len);
	why[len] = 0;
	vote_end(res, -EBUSY, why);
}

/* ---- giving it up ---- */

/*
 * Those that follow without being waited for have all now: they become members
 * of the set, so that one of them can be promoted.
 * Return: true if that is under way.
 */
static bool hand_over(struct repl_res *res)
{
	struct repl_vol *vol;

	if (res->susp)
		return false;
	if (!res->handing_over) {
		res->handing_over = true;
		evaluate(res);
	}
	for_each_vol(vol, res)
		if (vol->in_sync & ~in_sync_now(vol))
			return false;
	return res->commit.step != COMMIT_IDLE;
}

int repl_demote(struct repl_res *res, const char **why)
{
	struct repl_vol *vol;

	if (res->role != ROLE_PRIMARY)
		return 0;
	if (res->vote.active || res->commit.step != COMMIT_IDLE) {
		*why = "a change of role or in-sync set is under way: try again";
		return -EAGAIN;
	}
	if (res->app_ios) {
		*why = "I/O is in flight or suspended: see status";
		return -EBUSY;
	}
	if (!list_empty(&res->in_flight) || hand_over(res)) {
		*why = "peers are still catching up with the last writes: try again";
		return -EAGAIN;
	}
	res->handing_over = false;
	res->role = ROLE_SECONDARY;
	res->gen_pending = false;
	res->gen_due = false;
	for_each_vol(vol, res) {
		if (!store_live(vol))
			continue;
		if (vol->disk == DISK_UPTODATE)
			vol->store->lineage = vol->lineage;
		vol->store->flags &= ~META_F_PRIMARY;
		meta_want_sb(vol->store);
	}
	note(res, NOTE_RES, NULL, NULL, NULL);
	evaluate(res);
	return 0;
}
