// SPDX-License-Identifier: GPL-2.0
/*
 * The clocks of the nodes.  Without drift (scenario "clocks") all show virtual
 * time.
 *
 * With it each begins at boot with any time, and runs fast or slow, by no more
 * than the lease allows for (kmod/core/lease.c).  A machine that is suspended and
 * resumed is one that stands still; its clock has gone on, as the kernel's
 * CLOCK_BOOTTIME does, or has stopped, where the hypervisor does not tell of it.
 * A Primary can't know of that either: what it reads in the rest of its lease may
 * be old, and is not looked at.  All else has to be as good as ever.
 *
 * The random numbers are a stream of their own: how many a clock takes changes
 * nothing elsewhere.
 */
#include "sim.h"

#define BLIND_MS	650	/* a lease by the slowest clock */

void clock_boot(struct node *n)
{
	struct rng r = { .s = W.o.seed ^ (u64)n->inc << 40 ^ (u64)n->id << 32 };
	struct sim_clock *c = &n->clock;

	rng_next(&r);
	c->shows = W.o.drift_pct ? rng_below(&r, 100 * SEC) : 0;
	c->since = W.now;
	/* The bound itself more often than what is between. */
	c->pct = 100 + (rng_pct(&r, 30) ? rng_below(&r, W.o.drift_pct + 1) :
					  W.o.drift_pct) *
		       (rng_pct(&r, 50) ? 1 : -1);
	c->blind_until = 0;
}

u64 clock_ms(const struct node *n)
{
	const struct sim_clock *c = &n->clock;

	if (!W.o.drift_pct)
		return W.now / MS;
	return (c->shows + (W.now - c->since) * c->pct / 100) / MS;
}

/* It stops until the node goes on at @until. */
void clock_stop(struct node *n, u64 until)
{
	struct sim_clock *c = &n->clock;

	c->shows += (W.now - c->since) * c->pct / 100;
	c->since = until;
	c->blind_until = until + BLIND_MS * MS;
}

/* The node goes on now, earlier than it was to. */
void clock_resume(struct node *n)
{
	n->clock.since = min(n->clock.since, W.now);
}
