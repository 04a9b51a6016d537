/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A histogram of durations: two buckets an octave, so that what is read from
 * it is right within a quarter.
 */
#ifndef REPL_HIST_H
#define REPL_HIST_H

#include "platform.h"

#define REPL_HIST_FIRST	10	/* all below 2^10 ns, a microsecond, is one bucket */
#define REPL_HIST_LAST	36	/* and so is all from 2^36 ns on, a minute */
#define REPL_HIST_BUCKETS (2 * (REPL_HIST_LAST - REPL_HIST_FIRST) + 2)

/**
 * struct repl_hist - how long something took, each time
 * @count: how often, by bucket
 * @sum: ns, of all
 * @max: ns
 */
struct repl_hist {
	u64 count[REPL_HIST_BUCKETS];
	u64 sum;
	u64 max;
};

/*
 * The bucket of a duration of @ns.  An octave is cut at 1.5 times its beginning,
 * which the bit below the highest one tells.
 */
static inline unsigned int repl_hist_bucket(u64 ns)
{
	unsigned int top, nr;

	if (ns < 1ULL << REPL_HIST_FIRST)
		return 0;
	top = fls64(ns) - 1;
	/* 2 or 3 */
	nr = ns >> (top - 1);
	nr += 2 * (top - REPL_HIST_FIRST) - 1;
	return min_t(unsigned int, nr, REPL_HIST_BUCKETS - 1);
}

/* It took @ns once more.  Inline: several times a write. */
static inline void repl_hist_add(struct repl_hist *h, u64 ns)
{
	h->count[repl_hist_bucket(ns)]++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
}

/** repl_hist_from() - the shortest duration in bucket @nr, in ns */
u64 repl_hist_from(unsigned int nr);

/** repl_hist_count() - how often, all in all */
u64 repl_hist_count(const struct repl_hist *h);

#endif
