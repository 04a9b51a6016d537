// SPDX-License-Identifier: GPL-2.0
/*
 * after-split-brain: who gives up what was written while both were apart.
 *
 * Both ends come to the same answer by what they have told each other
 * (repl_victim()); only the victim acts on it, as if its administrator had said
 * connect --discard-my-data.  The other one waits for a moment to be told so.
 *
 * All volumes of a resource belong together: if the policy does not choose the
 * same victim for each, or if it is not known of all of them, nobody gives up
 * anything.  Nor does a node that is Primary, or becomes it; nor one that another
 * Primary is connected to: it would go back and forth between the two.
 */
#include "internal.h"

#define WAIT_MS		3000	/* for what the other end has to say */

static bool has_disks(const struct repl_pv *pv)
{
	return store_live(pv->vol) && pv->vol->disk >= DISK_INCONSISTENT &&
	       pv->peer_state.disk >= DISK_INCONSISTENT;
}

/* For all volumes.  Return: false if some has not been told of yet */
static bool choose(const struct repl_peer *p, enum victim *victim)
{
	enum victim one;
	struct repl_pv *pv;
	bool any = false;

	*victim = VICTIM_NONE;
	list_for_each_entry(pv, &p->pvs, by_peer) {
		if (!pv->known)
			return false;
		one = VICTIM_NONE;
		if (has_disks(pv) && pv_verdict(pv) != V_DIVERGED)
			continue;
		if (has_disks(pv))
			one = pv_victim(pv);
		if (any && one != *victim)
			one = VICTIM_NONE;
		*victim = one;
		any = true;
		if (one == VICTIM_NONE)
			break;
	}
	return true;
}

/* Does one of the two serve a Primary that is not the other? */
static bool another_reigns(const struct repl_peer *p)
{
	return other_primary(p) ||
	       (p->sees_primary != NODE_NONE && p->sees_primary != p->node &&
		p->sees_primary != p->res->node);
}

static const char *text(const struct repl_res *res, enum victim victim)
{
	static const char * const texts[][2] = {
		[SPLIT_UNCHANGED] = {
			"data has diverged (split brain): discard-unchanged gives up what is here",
			"data has diverged (split brain): discard-unchanged gives up what the peer has",
		},
		[SPLIT_YOUNGER] = {
			"data has diverged (split brain): discard-younger-primary gives up what was written here",
			"data has diverged (split brain): discard-younger-primary gives up what the peer has written",
		},
		[SPLIT_SECONDARY] = {
			"data has diverged (split brain): discard-secondary gives up what was written here",
			"data has diverged (split brain): discard-secondary gives up what the peer has written",
		},
	};

	return texts[res->conf.after_split_brain][victim == VICTIM_PEER];
}

static void give_up(struct repl_peer *p)
{
	struct repl_pv *pv;

	/* Of one that is given up already, the verdict is another one by now. */
	list_for_each_entry(pv, &p->pvs, by_peer)
		pv->given_up |= has_disks(pv) && pv_verdict(pv) == V_DIVERGED;
	p->res->evaluate_again = true;
}

bool branch_settles(struct repl_pv *pv)
{
	struct repl_peer *p = pv->peer;
	struct repl_res *res = p->res;
	enum victim victim;

	/* What we know of it may be old: refuse() asks again. */
	if (res->conf.after_split_brain == SPLIT_ASK || pv->agreed ||
	    p->before_reign)
		return false;
	if (!p->branch_until_ms)
		p->branch_until_ms = res->now + WAIT_MS;
	if (res->now >= p->branch_until_ms)
		return false;
	if (!choose(p, &victim) || res->vote.step != VOTE_NONE)
		return true;
	if (victim == VICTIM_NONE || another_reigns(p))
		return false;
	if (!p->branch_told)
		note(res, NOTE_DIVERGED, pv->vol, p, text(res, victim));
	p->branch_told = true;
	if (victim == VICTIM_ME)
		give_up(p);
	return true;
}

const char *branch_unsettled(const struct repl_pv *pv)
{
	u8 ours = pv->vol->res->conf.after_split_brain;

	if (ours != split_policy(&pv->peer_state))
		return "data has diverged (split brain), and after-split-brain differs between the nodes: see connect --discard-my-data";
	if (ours != SPLIT_ASK)
		return "data has diverged (split brain), and after-split-brain finds no victim: see connect --discard-my-data";
	return "data has diverged (split brain): see connect --discard-my-data";
}

/* Nothing else may come that ends the wait. */
void branch_tick(struct repl_peer *p)
{
	struct repl_res *res = p->res;

	if (!p->branch_until_ms || res->now < p->branch_until_ms ||
	    p->branch_over)
		return;
	p->branch_over = true;
	evaluate(res);
}

void branch_forget(struct repl_peer *p)
{
	struct repl_pv *pv;

	p->branch_until_ms = 0;
	p->branch_told = false;
	p->branch_over = false;
	list_for_each_entry(pv, &p->pvs, by_peer)
		pv->given_up = false;
}
