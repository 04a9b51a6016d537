// SPDX-License-Identifier: GPL-2.0
/*
 * The lease: how long a Primary may go on alone, where primaries are elected.
 *
 * Writes need no lease: they need answers, and who has voted for another gives
 * none; or the Primary is the only member of its set, and nobody else can be elected.
 * Reads do: a Primary that is cut off would go on serving old data.
 *
 *  - A Primary asks all peers at every tick, with the time in the question.
 *  - A peer that takes it for its Primary promises with the answer that it votes
 *    for nobody else for LEASE_MS from when the question came, and a bit longer,
 *    as clocks drift.
 *  - A Primary reads while a majority, itself included, has promised so for
 *    questions that it sent less than LEASE_MS ago.
 *
 * A node that starts does not know what it has promised: it waits as long.  A
 * Primary that steps down sets its peers free.
 */
#include "internal.h"

#define LEASE_MS	600

/*
 * By this a promise outlasts the lease, so that it does by any two clocks that are
 * at most 5 % fast or slow: 600 ms of the slowest are 632, 674 of the fastest 642,
 * and times in ms may be one short.  A kernel's clock is slewed by a thousandth.
 */
#define LEASE_DRIFT_MS	(LEASE_MS / 8)

static u64 now(const struct repl_res *res)
{
	return res->ops->now();
}

static void promise(struct repl_res *res, u8 node)
{
	res->lease_of = node;
	res->lease_until = now(res) + LEASE_MS;
	if (!MUTATED(MUT_DRIFT_IGNORED))
		res->lease_until += LEASE_DRIFT_MS;
}

void lease_start(struct repl_res *res)
{
	promise(res, NODE_NONE);
}

void lease_free(struct repl_peer *p)
{
	if (p->res->lease_of == p->node)
		p->res->lease_until = 0;
}

/*
 * A question of @p has come, of this @reign.  That it has stepped down from an
 * earlier one may still be on its way: hearing of it sets us free, and no promise
 * for a later one may come before that.
 * Return: true if the answer is a promise
 */
bool lease_promise(struct repl_peer *p, u64 reign)
{
	struct repl_res *res = p->res;

	if (!edit_counts(p) || !connected(p) ||
	    p->role != ROLE_PRIMARY || p->term != reign || outvoted(p))
		return false;
	promise(res, p->node);
	return voter(res);
}

/* We are elected.  Those who had promised us something in an earlier reign are free. */
void lease_begin(struct repl_res *res)
{
	res->lease_since = now(res);
}

/* The answer to a question that we asked at @asked. */
void lease_promised(struct repl_peer *p, u64 asked)
{
	p->lease_from = max(p->lease_from, asked);
	if ((p->res->susp & SUSP_QUORUM) && reigns(p->res))
		evaluate(p->res);
}

bool lease_holds(const struct repl_res *res)
{
	struct repl_peer *p;
	u32 promises;
	u64 t;
	int i;

	if (!elects(res) || MUTATED(MUT_LEASE_IGNORED))
		return true;
	t = now(res);
	promises = voter(res) ? BIT(res->node) : 0;
	for_each_peer(p, i, res)
		if (p->lease_from > res->lease_since && p->lease_from + LEASE_MS > t)
			promises |= BIT(i);
	return !edit_lacking(res, promises);
}

/* May another than @node still be Primary, by what we have promised it? */
bool lease_binds(const struct repl_res *res, u8 node)
{
	return elects(res) &&
	       res->lease_of != node && now(res) < res->lease_until;
}

static bool lives(const struct repl_peer *p)
{
	const struct repl_res *res = p->res;

	return !both_elect(p) ||
	       (res->lease_of == p->node && now(res) < res->lease_until);
}

/* Is it a connected Primary that we have heard of just now, or that has no lease? */
bool living_primary(const struct repl_peer *p)
{
	return connected(p) && p->role == ROLE_PRIMARY && lives(p);
}

/* Or one whose lease has ended, and that may be gone? */
bool silent_primary(const struct repl_peer *p)
{
	return connected(p) && p->role == ROLE_PRIMARY && !lives(p);
}
