// SPDX-License-Identifier: GPL-2.0
/*
 * The fencing agent (scenario fencing): one for the cluster, as there is one power
 * switch that all of its nodes share.  It serves one want at a time: switches the
 * machine off, and says so to the node that wants it, a while later.  By then the
 * machine may run again, as a Secondary that has lost its caches.
 *
 * It keeps to what its word means: off since it was lost.  If that node has been
 * connected in between, the word is not said.
 */
#include "sim.h"

static struct {
	struct node *for_whom;	/* NULL: nothing to be said */
	u32 inc;
	u32 victim;
	u32 conn_count;
	u64 say_at;
} word;

void agent_init(void)
{
	memset(&word, 0, sizeof(word));
}

static struct repl_peer *wanted_by(struct node *n, u32 i)
{
	struct repl_peer *p = &n->peers[i].peer;

	return i != n->id && n->up && n->paused_until <= W.now &&
	       p->fence.wanted ? p : NULL;
}

static void say(void)
{
	struct node *n = word.for_whom;
	struct repl_peer *p = &n->peers[word.victim].peer;
	const char *why = NULL;
	int err;

	if (n->up && n->paused_until > W.now)
		return;
	word.for_whom = NULL;
	if (!n->up || n->inc != word.inc || p->conn_count != word.conn_count)
		return;
	W.cur = n;
	err = repl_fenced(p, &why);
	W.cur = NULL;
	T("agent: n%u hears that n%u was fenced: %d %s", n->id, word.victim, err,
	  why ? why : "");
}

static void power_off(struct node *n)
{
	T("agent: n%u is switched off", n->id);
	cov[C_FENCED]++;
	fault_crash(n, rng_range(R, 50, 3000));
}

static void serve(struct node *n, struct repl_peer *p)
{
	word.for_whom = n;
	word.inc = n->inc;
	word.victim = p->node;
	word.conn_count = p->conn_count;
	word.say_at = W.now + rng_range(R, 0, 1500) * MS;
	power_off(&W.node[p->node]);
}

void agent_event(void)
{
	struct repl_peer *p, *best = NULL;
	struct node *n = NULL;
	u32 k = 0;

	if (word.for_whom) {
		if (W.now >= word.say_at)
			say();
		return;
	}
	for (u32 a = 0; a < W.o.nodes; a++) {
		for (u32 b = 0; b < W.o.nodes; b++) {
			p = wanted_by(&W.node[a], b);
			if (!p || rng_below(R, ++k))
				continue;
			best = p;
			n = &W.node[a];
		}
	}
	if (best)
		serve(n, best);
}
