// SPDX-License-Identifier: GPL-2.0-only
/*
 * What histograms of latencies tell.
 */
#include <inttypes.h>

#include "latency.h"
#include "names.h"
#include "out.h"
#include "state.h"

uint64_t latency_percentile(const struct st_latency *l, unsigned int percent)
{
	uint64_t total = 0, rank, end;
	unsigned int i;

	for (i = 0; i < l->buckets; i++)
		total += l->bucket[i].count;
	/* that of the rank-th, counted from the shortest */
	rank = total / 100 * percent + (total % 100 * percent + 99) / 100;
	for (i = 0; i < l->buckets && rank > l->bucket[i].count; i++)
		rank -= l->bucket[i].count;
	if (!rank || i == l->buckets)
		return 0;
	end = l->bucket[i].below;
	if (!end || end > l->max)
		end = l->max;
	return l->bucket[i].from + (uint64_t)((double)(end - l->bucket[i].from) *
					      rank / l->bucket[i].count);
}

static void print_buckets(struct out *o, const struct st_latency *l)
{
	unsigned int i;

	out_array(o, "buckets");
	for (i = 0; i < l->buckets; i++) {
		out_object(o, NULL);
		out_num(o, "from-ns", NULL, l->bucket[i].from);
		if (l->bucket[i].below)
			out_num(o, "below-ns", NULL, l->bucket[i].below);
		out_num(o, "count", NULL, l->bucket[i].count);
		out_end(o);
	}
	out_end(o);
}

static void print_stage(struct out *o, const struct st_latency *l, const char *indent)
{
	const char *name = name_of(&names_stage, l->stage);

	out_object(o, name);
	out_text(o, "%s%-16s%10" PRIu64, indent, name, l->count);
	out_num(o, "count", NULL, l->count);
	out_ns(o, "mean-ns", l->count ? l->sum / l->count : 0);
	out_ns(o, "p50-ns", latency_percentile(l, 50));
	out_ns(o, "p99-ns", latency_percentile(l, 99));
	out_ns(o, "max-ns", l->max);
	out_text(o, "\n");
	print_buckets(o, l);
	out_end(o);
}

static bool any(const struct st_latency *l)
{
	while (l && !l->count)
		l = l->next;
	return l;
}

void latency_print(struct out *o, const struct st_latency *l, const char *indent)
{
	out_object(o, "latency");
	if (any(l))
		out_text(o, "%s%-16s%10s%10s%10s%10s%10s\n", indent, "latency",
			 "count", "mean", "p50", "p99", "max");
	for (; l; l = l->next)
		if (l->count || out_is_json(o))
			print_stage(o, l, indent);
	out_end(o);
}
