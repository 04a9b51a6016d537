// SPDX-License-Identifier: GPL-2.0
/* Version vectors: exhaustive over all vectors of three nodes up to 2. */
#include "lineage.h"
#include "tap.h"

#define VECTORS	27

/* Nodes at both ends of the range and in the middle. */
static void make(struct repl_lineage *l, int n)
{
	memset(l, 0, sizeof(*l));
	l->gen[0] = n % 3;
	l->gen[17] = n / 3 % 3;
	l->gen[REPL_NODES - 1] = n / 9;
}

static enum repl_order inverse(enum repl_order o)
{
	if (o == ORDER_OLDER)
		return ORDER_NEWER;
	return o == ORDER_NEWER ? ORDER_OLDER : o;
}

static void compare(void)
{
	struct repl_lineage a, b, c;
	int i, j, k;

	for (i = 0; i < VECTORS; i++)
		for (j = 0; j < VECTORS; j++) {
			make(&a, i);
			make(&b, j);
			CHECK(lineage_compare(&a, &b) ==
			      inverse(lineage_compare(&b, &a)), "%d %d", i, j);
			CHECK((lineage_compare(&a, &b) == ORDER_EQUAL) ==
			      (i == j), "%d %d", i, j);
			for (k = 0; k < VECTORS; k++) {
				make(&c, k);
				if (lineage_contains(&a, &b) &&
				    lineage_contains(&b, &c))
					CHECK(lineage_contains(&a, &c),
					      "%d %d %d", i, j, k);
			}
		}
}

static void merge(void)
{
	struct repl_lineage a, b, ab, ba, c;
	int i, j, k;

	for (i = 0; i < VECTORS; i++)
		for (j = 0; j < VECTORS; j++) {
			make(&a, i);
			make(&b, j);
			ab = a;
			lineage_merge(&ab, &b, ~0U);
			ba = b;
			lineage_merge(&ba, &a, ~0U);
			CHECK(!memcmp(&ab, &ba, sizeof(ab)), "%d %d", i, j);
			CHECK(lineage_contains(&ab, &a));
			CHECK(lineage_contains(&ab, &b));
			/* and nothing more than both */
			for (k = 0; k < VECTORS; k++) {
				make(&c, k);
				if (lineage_contains(&c, &a) &&
				    lineage_contains(&c, &b))
					CHECK(lineage_contains(&c, &ab));
			}
		}
}

static void edges(void)
{
	struct repl_lineage a = { { 0 } }, b = { { 0 } };
	__le32 wire[REPL_NODES];
	int i;

	a.gen[0] = ~0U;		/* not signed, no wrap */
	b.gen[0] = 1;
	CHECK(lineage_compare(&a, &b) == ORDER_NEWER);
	for (i = 0; i < REPL_NODES; i++)
		a.gen[i] = 0x01020304 + i;
	lineage_to_wire(wire, &a);
	CHECK(((u8 *)wire)[0] == 4 && ((u8 *)wire)[3] == 1);
	lineage_from_wire(&b, wire);
	CHECK(lineage_compare(&a, &b) == ORDER_EQUAL);
}

int main(void)
{
	RUN(compare);
	RUN(merge);
	RUN(edges);
	return tap_end();
}
