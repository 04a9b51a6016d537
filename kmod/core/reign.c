// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a reign: by an administrator's word, or by a newer vote.
 *
 * A Primary that meets a vote in a newer term than its own does not know what
 * was decided: it ends all connections, holds all I/O, and asks for another term
 * like any candidate.  Its peers take it for a Secondary meanwhile.  Once it
 * meets the one that was elected, or too many that have followed it, it steps
 * down: what was not acknowledged has failed.
 */
#include "internal.h"

/* ---- another term, or the end ---- */

/* Has it been elected since, and does it reign? */
static bool successor(const struct repl_peer *p)
{
	return both_elect(p) && connected(p) && p->role == ROLE_PRIMARY &&
	       p->term > p->res->reign && !outvoted(p);
}

/*
 * Our disk goes on saying that we were Primary: should all lose power, it has what
 * was flushed, and another may not.  The next Primary's set ends that.
 */
static void stay_last(const struct repl_vol *vol)
{
	struct repl_store *s = store_live(vol);

	if (!s)
		return;
	s->flags |= META_F_PRIMARY;
	/* Whose word it was is not to be forgotten with a restart. */
	if (vol->res->resigned)
		meta_want_sb(s);
}

/*
 * Writes that were not acknowledged may be on any replica, so all are compared:
 * connections begin anew.  Programs that have a device open may have cached what
 * is about to change: they get errors until they have closed it.
 */
static void step_down(struct repl_res *res, const char *why)
{
	struct repl_vol *vol;
	struct repl_pv *pv;

	if (res->vote.step != VOTE_NONE)
		vote_end(res, -EBUSY, why);
	res->renewing = false;
	res->handing_over = false;
	res->move.to = NODE_NONE;
	res->role = ROLE_SECONDARY;
	commit_drop(res);
	app_fail_all(res);
	/* What has no answer yet is noted now: connections may end late. */
	for_each_vol(vol, res) {
		for_each_pv(pv, vol)
			set_receiving(pv, false);
		vol->revoked |= res->ops->in_use(vol);
		stay_last(vol);
	}
	app_check_done(res);
	res->evaluate_again = true;
	note(res, NOTE_RES, NULL, NULL, NULL);
	peers_end(res, why);
}

void repl_vol_closed(struct repl_vol *vol)
{
	vol->revoked = false;
}

/* Its peers take it for a Secondary meanwhile. */
static void renew(struct repl_res *res, const char *why)
{
	if (res->vote.step != VOTE_NONE)
		vote_end(res, -EBUSY, NULL);
	res->renewing = true;
	res->evaluate_again = true;
	note(res, NOTE_RES, NULL, NULL, NULL);
	peers_end(res, why);
}

/*
 * So many are in sets of a later reign, or keep one that we are not in, that we
 * can't be elected any more.  Its Primary may be gone again.
 */
static bool superseded(const struct repl_res *res)
{
	struct repl_peer *p;
	struct repl_pv *pv;
	u32 gone = 0;
	int i;

	for_each_peer(p, i, res)
		list_for_each_entry(pv, &p->pvs, by_peer)
			if (usable(pv) &&
			    (pv_outreigns(pv) || keeper_outreigns(pv)))
				gone |= BIT(i);
	return voters(res) - hweight32(gone) < majority(res);
}

void reign_check(struct repl_res *res)
{
	if (res->renewing && (any_peer(res, successor) || superseded(res))) {
		step_down(res, "another node has been elected: what was not acknowledged has failed here");
		return;
	}
	if (!reigns(res) || !any_peer(res, outvoted_by))
		return;
	if (res->vote.step >= VOTE_WON && !res->vote.renew) {
		commit_abort(res, "another candidate has asked for votes in a newer term");
		return;
	}
	renew(res, "a vote was given in a newer term: this Primary asks for another one");
}

/*
 * Good enough to be a candidate, whose vote would look closer: without votes one
 * that has crashed has to find out in another way whether it is good.
 */
static void doubt_candidates(struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (vol->disk == DISK_UPTODATE && !vol->vouch)
			set_disk(vol, DISK_CONSISTENT);
}

/*
 * An election counts on as many members of a set as had to acknowledge under it.  So
 * with another policy there is another set, of those that have all until then.
 */
static void acks_changed(struct repl_res *res)
{
	if (res->majority_before == by_majority(res))
		return;
	res->majority_acked = res->majority_before;
	res->majority_before = by_majority(res);
	if (elects(res) && res->role == ROLE_PRIMARY) {
		res->gen_pending = true;
		res->gen_due = true;
	}
}

/*
 * Votes are switched on or off.  A candidate begins anew.  A Primary that was not
 * elected asks for a term, in which its set is made anew.  One that needs no
 * majority any more says so with a set, before it goes on: nobody is to be elected
 * on what it leaves behind.
 */
void reign_settings_changed(struct repl_res *res)
{
	static const char why[] = "votes were switched on or off meanwhile (quorum): try again";

	acks_changed(res);
	if (res->elected_before == elects(res))
		return;
	res->elected_before = elects(res);
	if (res->vote.step >= VOTE_WON && !res->vote.renew)
		commit_abort(res, why);
	else if (res->vote.step != VOTE_NONE)
		vote_end(res, -EAGAIN, why);
	if (res->role != ROLE_PRIMARY) {
		if (!elects(res))
			doubt_candidates(res);
		return;
	}
	if (elects(res)) {
		renew(res, "votes were switched on: this Primary asks for a term");
		return;
	}
	res->renewing = false;
	res->gen_pending = true;
	res->gen_due = true;
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

/* Can it go on with all that we have?  One without a disk reads from others. */
static bool can_follow(const struct repl_res *res, struct repl_peer *to)
{
	struct repl_vol *vol;
	struct repl_pv *pv;

	for_each_vol(vol, res) {
		pv = pv_get(vol, to);
		if (!pv || !pv->known)
			return false;
		if (pv->peer_state.disk >= DISK_INCONSISTENT &&
		    !(vol->in_sync & in_sync_now(vol) & BIT(to->node)))
			return false;
	}
	return true;
}

struct repl_vol *reign_open_for_writing(const struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (res->ops->has_writers(vol))
			return vol;
	return NULL;
}

/* Is there a write that is not where it has to be?  Return: 0, -EBUSY, -EAGAIN */
static int unfinished(struct repl_res *res, const char **why)
{
	if (MUTATED(MUT_STEP_DOWN_EARLY))
		return 0;
	if (app_busy(res)) {
		*why = "I/O is in flight or suspended: see status";
		return -EBUSY;
	}
	if (!list_empty(&res->in_flight) || hand_over(res)) {
		*why = "peers are still catching up with the last writes: try again";
		return -EAGAIN;
	}
	return 0;
}

/* It is not on our disk any more that we are Primary: all have what we have. */
static void leave_office(struct repl_vol *vol)
{
	struct repl_store *s = store_live(vol);

	if (!s)
		return;
	s->flags &= ~META_F_PRIMARY;
	meta_want_sb(s);
}

int reign_give_up(struct repl_res *res, struct repl_peer *to, const char **why)
{
	struct repl_vol *vol;
	int err;

	if (reign_open_for_writing(res) && !MUTATED(MUT_OPEN_IGNORED)) {
		*why = "a device is open for writing: close it first (umount, swapoff)";
		return -EBUSY;
	}
	if (res->vote.step == VOTE_WON) {
		*why = "this Primary was elected, and waits for a majority to be in step with it: connect one more node; --force where none can be";
		return -EAGAIN;
	}
	if (res->vote.step != VOTE_NONE || res->commit.step != COMMIT_IDLE) {
		*why = "a change of role or in-sync set is under way: try again";
		return -EAGAIN;
	}
	err = unfinished(res, why);
	if (err)
		return err;
	if (to && !can_follow(res, to)) {
		*why = "what is written reaches that node incompletely or not at all: see status";
		return -EAGAIN;
	}
	res->handing_over = false;
	res->role = ROLE_SECONDARY;
	res->gen_pending = false;
	res->gen_due = false;
	for_each_vol(vol, res) {
		if (store_live(vol) && vol->disk == DISK_UPTODATE)
			vol->store->lineage = vol->lineage;
		/* What was before it is old if we are Primary another time. */
		vol->uncommitted = false;
		leave_office(vol);
	}
	note(res, NOTE_RES, NULL, NULL, NULL);
	evaluate(res);
	return 0;
}

static bool may_be_filled(const struct repl_peer *p)
{
	return connected(p) && !p->witness;
}

int repl_demote(struct repl_res *res, bool force, const char **why)
{
	if (res->role != ROLE_PRIMARY)
		return 0;
	if (!force)
		return reign_give_up(res, NULL, why);
	/*
	 * Elected, and the reign has not begun.  Those that we fill for it don't
	 * vouch for what they had acknowledged: they are not to be left with that.
	 */
	if (res->vote.step >= VOTE_WON && any_peer(res, may_be_filled)) {
		app_fail_all(res);
		*why = "the reign has not begun: what was waiting has failed; try again once a majority is connected, or no other node";
		return -EAGAIN;
	}
	res->resigned = true;
	if (res->vote.step >= VOTE_WON)
		commit_abort(res, "an administrator has made this node Secondary by force");
	if (res->role == ROLE_PRIMARY)
		step_down(res, "the Primary has stepped down by force");
	evaluate(res);
	return 0;
}
