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
			if (usable(pv) && last_primary(pv))
				return true;
	}
	return false;
}

static bool primary_lives(const struct repl_res *res)
{
	const struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (connected(p) && p->role == ROLE_PRIMARY && lease_lives(p))
			return true;
	return false;
}

/* One that is connected and silent; else see succession_lost(). */
static bool primary_silent(const struct repl_res *res)
{
	const struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (connected(p) && p->role == ROLE_PRIMARY && !lease_lives(p))
			return true;
	return false;
}

void succession_lost(struct repl_peer *p)
{
	p->res->orphaned |= p->role == ROLE_PRIMARY;
}

/* It says itself that it is no Primary any more. */
void succession_free(struct repl_res *res)
{
	res->orphaned = false;
}

static bool due(struct repl_res *res)
{
	if (res->role == ROLE_PRIMARY || primary_lives(res)) {
		res->orphaned = false;
		return false;
	}
	if (!res->conf.auto_promote || !by_majority(res) ||
	    res->vote.step != VOTE_NONE)
		return false;
	return res->orphaned || primary_silent(res) || left_without_a_word(res);
}

static u64 some_ms(struct repl_res *res, u32 limit)
{
	return (u32)res->ops->random() % limit;
}

void succession_tick(struct repl_res *res)
{
	const char *why;

	if (!due(res)) {
		res->stand_at_ms = 0;
	} else if (!res->stand_at_ms) {
		res->stand_at_ms = max(res->now, res->lease_until) +
				   some_ms(res, SPREAD_MS);
	} else if (res->now >= res->stand_at_ms) {
		res->stand_at_ms = res->now + RETRY_MS + some_ms(res, RETRY_MS);
		/* Whether it is due is looked at anew before each attempt. */
		if (!repl_promote(res, false, &why))
			res->vote.until_ms = res->now;
	}
}
