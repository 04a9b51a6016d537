/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lineage: which generations of data a replica contains.
 *
 * A version vector counts, for every node, the generations that this node has
 * begun as Primary.  A replica whose vector is older than another's contains a
 * subset of the other's generations.
 */
#ifndef REPL_LINEAGE_H
#define REPL_LINEAGE_H

#include "wire.h"

struct repl_lineage {
	u32 gen[REPL_NODES];
};

enum repl_order {
	ORDER_EQUAL,
	ORDER_OLDER,		/* the first contains less than the second */
	ORDER_NEWER,
	ORDER_CONCURRENT,	/* diverged */
};

/**
 * lineage_compare() - compare two version vectors of the same data set
 * @a: the first
 * @b: the second
 */
enum repl_order lineage_compare(const struct repl_lineage *a,
				const struct repl_lineage *b);

/** lineage_contains() - is @b equal to or older than @a? */
bool lineage_contains(const struct repl_lineage *a,
		      const struct repl_lineage *b);

/** lineage_contains_of() - the same, looking at some @nodes (a mask) only */
bool lineage_contains_of(const struct repl_lineage *a,
			 const struct repl_lineage *b, u32 nodes);

/**
 * lineage_merge() - let @a contain @b too
 * @a: changed to the maximum of both, element by element
 * @b: the other
 * @nodes: a mask; what others have begun stays as it is
 *
 * A source does this with the vector of a target that gives up its branch: so
 * the next generation of either can't be taken for one given up.
 */
void lineage_merge(struct repl_lineage *a, const struct repl_lineage *b,
		   u32 nodes);

/** lineage_cap() - let @a contain nothing that @b does not: the minimum */
void lineage_cap(struct repl_lineage *a, const struct repl_lineage *b);

/**
 * lineage_but_for() - @l, with the generations of @node as @from has them
 * @l: a version vector
 * @node: whose generations are not to be compared
 * @from: the one that it will be compared with
 *
 * Return: by value.
 */
struct repl_lineage lineage_but_for(const struct repl_lineage *l, u32 node,
				    const struct repl_lineage *from);

void lineage_to_wire(__le32 *out, const struct repl_lineage *l);
void lineage_from_wire(struct repl_lineage *l, const __le32 *in);

#endif
