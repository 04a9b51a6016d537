// SPDX-License-Identifier: GPL-2.0-only
#include "core/hist.h"
#include "hist.h"

static struct repl_hist hist;

void hist_clear(void)
{
	memset(&hist, 0, sizeof(hist));
}

void hist_add(uint64_t ns)
{
	repl_hist_add(&hist, ns);
}

uint64_t hist_count(void)
{
	return repl_hist_count(&hist);
}

uint64_t hist_sum(void)
{
	return hist.sum;
}

uint64_t hist_max(void)
{
	return hist.max;
}

bool hist_bucket(unsigned int i, uint64_t *from, uint64_t *below, uint64_t *count)
{
	if (i >= REPL_HIST_BUCKETS)
		return false;
	*from = repl_hist_from(i);
	*below = i + 1 < REPL_HIST_BUCKETS ? repl_hist_from(i + 1) : 0;
	*count = hist.count[i];
	return true;
}
