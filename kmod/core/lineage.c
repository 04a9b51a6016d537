// SPDX-License-Identifier: GPL-2.0
/* Lineage: comparing and merging version vectors. */
#include "lineage.h"

enum repl_order lineage_compare(const struct repl_lineage *a,
				const struct repl_lineage *b)
{
	bool less = false, more = false;
	int i;

	for (i = 0; i < REPL_NODES; i++) {
		less |= a->gen[i] < b->gen[i];
		more |= a->gen[i] > b->gen[i];
	}
	if (MUTATED(MUT_LINEAGE_ORDER) && less != more) {
		less = !less;
		more = !more;
	}
	if (less && more)
		return ORDER_CONCURRENT;
	if (less)
		return ORDER_OLDER;
	return more ? ORDER_NEWER : ORDER_EQUAL;
}

bool lineage_contains(const struct repl_lineage *a,
		      const struct repl_lineage *b)
{
	enum repl_order o = lineage_compare(a, b);

	return o == ORDER_EQUAL || o == ORDER_NEWER;
}

bool lineage_contains_of(const struct repl_lineage *a,
			 const struct repl_lineage *b, u32 nodes)
{
	for (int i = 0; nodes; i++, nodes >>= 1)
		if ((nodes & 1) && a->gen[i] < b->gen[i])
			return false;
	return true;
}

void lineage_merge(struct repl_lineage *a, const struct repl_lineage *b,
		   u32 nodes)
{
	for (int i = 0; nodes; i++, nodes >>= 1)
		if (nodes & 1)
			a->gen[i] = max(a->gen[i], b->gen[i]);
}

void lineage_cap(struct repl_lineage *a, const struct repl_lineage *b)
{
	int i;

	for (i = 0; i < REPL_NODES; i++)
		a->gen[i] = min(a->gen[i], b->gen[i]);
}

struct repl_lineage lineage_but_for(const struct repl_lineage *l, u32 node,
				    const struct repl_lineage *from)
{
	struct repl_lineage out = *l;

	out.gen[node] = from->gen[node];
	return out;
}

void lineage_to_wire(__le32 *out, const struct repl_lineage *l)
{
	int i;

	for (i = 0; i < REPL_NODES; i++)
		out[i] = cpu_to_le32(l->gen[i]);
}

void lineage_from_wire(struct repl_lineage *l, const __le32 *in)
{
	int i;

	for (i = 0; i < REPL_NODES; i++)
		l->gen[i] = le32_to_cpu(in[i]);
}
