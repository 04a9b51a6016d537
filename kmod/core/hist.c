// SPDX-License-Identifier: GPL-2.0
/*
 * Histograms of durations: what is asked of them.
 */
#include "hist.h"

u64 repl_hist_from(unsigned int nr)
{
	if (!nr)
		return 0;
	nr--;
	return (2ULL + nr % 2) << (REPL_HIST_FIRST - 1 + nr / 2);
}

u64 repl_hist_count(const struct repl_hist *h)
{
	unsigned int i;
	u64 count = 0;

	for (i = 0; i < REPL_HIST_BUCKETS; i++)
		count += h->count[i];
	return count;
}
