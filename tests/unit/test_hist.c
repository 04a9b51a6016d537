// SPDX-License-Identifier: GPL-2.0
/* Histograms of durations: every duration has its bucket, and one only. */
#include "hist.h"
#include "tap.h"

static void bounds(void)
{
	unsigned int i;

	CHECK(repl_hist_from(0) == 0);
	CHECK(repl_hist_from(1) == 1024);
	CHECK(repl_hist_from(2) == 1536);
	CHECK(repl_hist_from(3) == 2048);
	CHECK(repl_hist_from(REPL_HIST_BUCKETS - 1) == 1ULL << REPL_HIST_LAST);
	for (i = 1; i < REPL_HIST_BUCKETS; i++) {
		CHECK(repl_hist_bucket(repl_hist_from(i)) == i, "bucket %u", i);
		CHECK(repl_hist_bucket(repl_hist_from(i) - 1) == i - 1,
		      "bucket %u", i);
	}
	CHECK(repl_hist_bucket(0) == 0);
	CHECK(repl_hist_bucket(~0ULL) == REPL_HIST_BUCKETS - 1);
}

/* No bucket but the first and the last is wider than half of where it begins. */
static void widths(void)
{
	unsigned int i;

	for (i = 1; i < REPL_HIST_BUCKETS - 1; i++)
		CHECK((repl_hist_from(i + 1) - repl_hist_from(i)) * 2 <=
		      repl_hist_from(i), "bucket %u", i);
}

static void sums(void)
{
	struct repl_hist h = { 0 };

	CHECK(repl_hist_count(&h) == 0);
	repl_hist_add(&h, 5000);
	repl_hist_add(&h, 0);
	repl_hist_add(&h, 4999);
	repl_hist_add(&h, 1ULL << 40);
	CHECK(repl_hist_count(&h) == 4);
	CHECK(h.sum == 9999 + (1ULL << 40));
	CHECK(h.max == 1ULL << 40);
	CHECK(h.count[0] == 1);
	CHECK(h.count[repl_hist_bucket(5000)] == 2);
	CHECK(h.count[REPL_HIST_BUCKETS - 1] == 1);
}

int main(void)
{
	RUN(bounds);
	RUN(widths);
	RUN(sums);
	return tap_end();
}
