// SPDX-License-Identifier: GPL-2.0
/*
 * Automatic promotion (auto-promote): somebody takes the place of a Primary that
 * is gone.
 *
 * A Secondary stands as a candidate, as if told to, when a Primary that it knew
 * is neither connected nor heard of within its lease, or when a disk says that
 * its node was Primary and never stepped down.  Who is told to become Secondary
 * by an administrator leaves no such trace: then nobody stands.
 *
 * The votes choose: who lacks something is refused.  Of several that are equally
 * good the lower node id wins a trial (voter.c); the others try again later,
 * unless they have seen the new Primary by then.
 */
#include "internal.h"

#define SPREAD_MS	100	/* so that candidates seldom meet */
#define RETRY_MS	200

/* An administrator's force is a word, too. */
static bool ended_uncleanly(const struct repl_pv *pv)
{
	return pv->known && (pv->peer_state.flags & REPL_VS_LAST_PRIMARY) &&
	       !(pv->peer_state.flags & REPL_VS_RESIGNED);
}

/* Primary still, and to have another term: nobody takes its place meanwhile. */
static bool renews(const struct repl_peer *p)
{
	const struct repl_pv *pv;

	list_for_each_entry(pv, &p->pvs, by_peer)
		if (usable(pv) && (pv->peer_state.flags & REPL_VS_RENEWS))
			return true;
	return false;
}

/* One whose disk says that it was the last Primary, and nobody has been since. */
static bool left_without_a_word(const struct repl_res *res)
{
	struct repl_store *s;
	struct repl_vol *vol;
	struct repl_pv *pv;

	for_each_vol(vol, res) {
		s = store_live(vol);
		if (s && (s->flags & META_F_PRIMARY))
			return true;
		for_each_pv(pv, vol)
			if (usable(pv) && ended_uncleanly(pv))
				return true;
	}
	return false;
}

void succession_lost(struct repl_peer *p)
{
	if (p->role == ROLE_PRIMARY)
		p->res->orphan_of = p->node;
	/* One that is about to ask for another term says so too, and leaves. */
	if (p->res->retired == p->node)
		p->res->retired = NODE_NONE;
}

void succession_free(struct repl_peer *p)
{
	if (p->res->orphan_of == p->node)
		p->res->orphan_of = NODE_NONE;
	p->res->retired = p->node;
}

static void forget_past(struct repl_res *res)
{
	res->orphan_of = NODE_NONE;
	res->retired = NODE_NONE;
	res->resigned = false;
}

/* The one that we had lost is back, and does not say that it was Primary. */
static bool back_in_order(const struct repl_res *res)
{
	struct repl_peer *p = res->peer[res->orphan_of];
	struct repl_pv *pv;

	if (!p)
		return true;
	if (!connected(p) || p->role != ROLE_SECONDARY || renews(p))
		return false;
	list_for_each_entry(pv, &p->pvs, by_peer)
		if (!pv->known || ended_uncleanly(pv))
			return false;
	return true;
}

static bool orphaned(struct repl_res *res)
{
	if (res->orphan_of != NODE_NONE && back_in_order(res))
		res->orphan_of = NODE_NONE;
	return res->orphan_of != NODE_NONE;
}

static bool due(struct repl_res *res)
{
	if (res->role == ROLE_PRIMARY || any_peer(res, living_primary)) {
		forget_past(res);
		return false;
	}
	if (!res->conf.auto_promote || !elects(res) || res->witness ||
	    res->resigned || any_peer(res, renews))
		return false;
	return orphaned(res) || any_peer(res, silent_primary) ||
	       left_without_a_word(res);
}

/* We stand already, or another will have our vote as soon as it is on our disks. */
static bool engaged(const struct repl_res *res)
{
	return res->vote.step != VOTE_NONE || res->ballot.to != NODE_NONE;
}

static u64 some_ms(struct repl_res *res, u32 limit)
{
	return (u32)res->ops->random() % limit;
}

static u64 retry_ms(struct repl_res *res)
{
	return res->now + RETRY_MS + some_ms(res, RETRY_MS);
}

void succession_tick(struct repl_res *res)
{
	const char *why;

	if (!due(res)) {
		res->stand_at_ms = 0;
	} else if (engaged(res)) {
		/* Others may try in between. */
		res->stand_at_ms = retry_ms(res);
	} else if (!res->stand_at_ms) {
		res->stand_at_ms = max(res->now, res->lease_until) +
				   some_ms(res, SPREAD_MS);
	} else if (res->now >= res->stand_at_ms) {
		res->stand_at_ms = retry_ms(res);
		/* Whether it is due is looked at anew before each attempt. */
		res->vote.own = true;
		if (repl_promote(res, MUTATED(MUT_SUCCESSION_UNELECTED), &why))
			res->vote.own = false;
		else
			res->vote.until_ms = res->now;
	}
}
