// SPDX-License-Identifier: GPL-2.0
/*
 * Who is source and who is target.  Both ends compute it on their own, so the
 * one thing that must never happen is that they disagree: tried out for every
 * combination of what the decision looks at.
 */
#include "internal.h"
#include "tap.h"

static enum verdict mirror(enum verdict v)
{
	if (v == V_SOURCE)
		return V_TARGET;
	return v == V_TARGET ? V_SOURCE : v;
}

/* The choices that a combination is made of, and how many each has. */
enum dim { D_DISK_A, D_DISK_B, D_ORDER, D_DATASET, D_DIRTY, D_CRASH_A, D_CRASH_B,
	   D_PRIMARY, D_DISCARD, D_SIZE, D_LBS, D_NODES, DIMS };

static const u8 dim_max[DIMS] = { 8, 8, 4, 5, 4, 4, 4, 4, 4, 4, 2, 2 };

static void set_lineage(struct repl_vstate *a, struct repl_vstate *b, u8 order)
{
	a->lineage.gen[1] = order == ORDER_NEWER || order == ORDER_CONCURRENT;
	b->lineage.gen[2] = order == ORDER_OLDER || order == ORDER_CONCURRENT;
}

static void set_dataset(struct repl_vstate *a, struct repl_vstate *b, u8 c)
{
	static const u8 table[5][2] = { {0, 0}, {7, 7}, {7, 8}, {0, 7}, {7, 0} };

	a->dataset = table[c][0];
	b->dataset = table[c][1];
}

static void set_size(struct repl_vstate *v, bool small)
{
	v->sectors = small ? 50 : 200;
	v->cur_sectors = 100;
}

static u16 flags_of(u8 crash, bool discard)
{
	return (crash & 1 ? REPL_VS_CRASHED : 0) |
	       (crash & 2 ? REPL_VS_WAS_PRIMARY : 0) |
	       (discard ? REPL_VS_DISCARD : 0);
}

static void build(const u8 *c, struct repl_vstate vs[2], struct decide_node n[2])
{
	memset(vs, 0, 2 * sizeof(vs[0]));
	vs[0].disk = c[D_DISK_A];
	vs[1].disk = c[D_DISK_B];
	set_lineage(&vs[0], &vs[1], c[D_ORDER]);
	set_dataset(&vs[0], &vs[1], c[D_DATASET]);
	vs[0].dirty = c[D_DIRTY] & 1;
	vs[1].dirty = c[D_DIRTY] >> 1;
	vs[0].flags = flags_of(c[D_CRASH_A], c[D_DISCARD] & 1);
	vs[1].flags = flags_of(c[D_CRASH_B], c[D_DISCARD] >> 1);
	set_size(&vs[0], c[D_SIZE] & 1);
	set_size(&vs[1], c[D_SIZE] >> 1);
	vs[0].lbs = 512;
	vs[1].lbs = c[D_LBS] ? 4096 : 512;
	n[0] = (struct decide_node){ &vs[0], 1, c[D_PRIMARY] & 1 };
	n[1] = (struct decide_node){ &vs[1], c[D_NODES] ? 0 : 2, c[D_PRIMARY] >> 1 };
}

static enum victim other_end(enum victim v)
{
	if (v == VICTIM_NONE)
		return v;
	return v == VICTIM_ME ? VICTIM_PEER : VICTIM_ME;
}

static void set_policies(struct repl_vstate vs[2], u32 a, u32 b)
{
	u16 mask = REPL_VS_SPLIT_MASK << REPL_VS_SPLIT_SHIFT;

	vs[0].flags = (vs[0].flags & ~mask) | a << REPL_VS_SPLIT_SHIFT;
	vs[1].flags = (vs[1].flags & ~mask) | b << REPL_VS_SPLIT_SHIFT;
}

/* Both ends name the same, never a Primary, and nobody if they disagree. */
static void check_victim(struct repl_vstate vs[2], const struct decide_node n[2])
{
	enum victim v;
	u32 a, b;

	for (a = SPLIT_ASK; a <= SPLIT_SECONDARY; a++) {
		for (b = SPLIT_ASK; b <= SPLIT_SECONDARY; b++) {
			set_policies(vs, a, b);
			v = repl_victim(&n[0], &n[1]);
			CHECK(v == other_end(repl_victim(&n[1], &n[0])));
			if (a != b || a == SPLIT_ASK)
				CHECK(v == VICTIM_NONE);
			CHECK(!(v == VICTIM_ME && n[0].primary));
			CHECK(!(v == VICTIM_PEER && n[1].primary));
		}
	}
	set_policies(vs, 0, 0);
}

static void check_one(const u8 *c)
{
	struct repl_vstate vs[2];
	struct decide_node n[2];
	enum verdict ab, ba;

	build(c, vs, n);
	ab = repl_decide(&n[0], &n[1]);
	ba = repl_decide(&n[1], &n[0]);
	CHECK(ab == mirror(ba), "disks %d %d order %d dataset %d: %d %d",
	      c[0], c[1], c[2], c[3], ab, ba);
	CHECK(repl_better_source(&n[0], &n[1]) !=
	      repl_better_source(&n[1], &n[0]));
	/* Safety: good data is never replaced by an unfinished copy. */
	if (ab == V_TARGET && vs[0].dataset == vs[1].dataset)
		CHECK(vs[1].disk != DISK_INCONSISTENT);
	/* A replica that has more is only given up if it was told so. */
	if (ab == V_TARGET && vs[0].disk > DISK_INCONSISTENT &&
	    vs[0].dataset == vs[1].dataset)
		CHECK(lineage_contains(&vs[1].lineage, &vs[0].lineage) ||
		      (vs[0].flags & REPL_VS_DISCARD));
	if (ab == V_TARGET)
		CHECK(vs[0].sectors >= vs[1].cur_sectors);
	check_victim(vs, n);
}

static void mirrored(void)
{
	u8 c[DIMS] = { 0 };
	int d = 0;

	while (d < DIMS) {
		check_one(c);
		for (d = 0; d < DIMS && ++c[d] == dim_max[d]; d++)
			c[d] = 0;
	}
}

/* ---- what an administrator expects ---- */

struct known {
	const char *what;
	u8 disk_a, disk_b;
	u8 order;		/* of a towards b */
	u8 dataset;		/* row of set_dataset() */
	u8 dirty;
	u8 crash_a, crash_b;
	u8 primary;		/* bit 0: a, bit 1: b */
	u8 discard;		/* bit 0: a's data, bit 1: b's */
	u8 size;		/* bit 0: a is small, bit 1: b */
	bool other_lbs;
	enum verdict v;
};

#define UP	DISK_UPTODATE
#define INC	DISK_INCONSISTENT
#define OUTD	DISK_OUTDATED
#define CONS	DISK_CONSISTENT
#define SAME	.dataset = 1

static const struct known known[] = {
	{ "both fresh", INC, INC, .v = V_EQUAL },
	{ "fresh peer", UP, INC, .dataset = 4, .v = V_SOURCE },
	{ "fresh here", INC, UP, .dataset = 3, .v = V_TARGET },
	{ "equal and clean", UP, UP, SAME, .v = V_EQUAL },
	{ "peer was away", UP, UP, ORDER_NEWER, SAME, .v = V_SOURCE },
	{ "we were away", UP, OUTD, ORDER_OLDER, SAME, .v = V_TARGET },
	{ "diverged", UP, UP, ORDER_CONCURRENT, SAME, .v = V_DIVERGED },
	{ "diverged, ours is given up", UP, UP, ORDER_CONCURRENT, SAME,
	  .discard = 1, .v = V_TARGET },
	{ "diverged, theirs is given up", UP, UP, ORDER_CONCURRENT, SAME,
	  .discard = 2, .v = V_SOURCE },
	{ "diverged, both given up", UP, UP, ORDER_CONCURRENT, SAME,
	  .discard = 3, .v = V_DIVERGED },
	{ "unrelated", UP, UP, .dataset = 2, .v = V_UNRELATED },
	{ "unrelated, theirs is an unfinished copy", UP, INC, .dataset = 2,
	  .v = V_SOURCE },
	{ "no disk there", UP, DISK_DISKLESS, SAME, .v = V_WAIT },
	{ "no disk here", DISK_DISKLESS, UP, SAME, .v = V_WAIT },
	{ "disk failed there", UP, DISK_FAILED, SAME, .v = V_WAIT },
	{ "still attaching", DISK_ATTACHING, UP, SAME, .v = V_WAIT },
	{ "unfinished copy here", INC, UP, SAME, .v = V_TARGET },
	{ "unfinished copy here, older", INC, UP, ORDER_OLDER, SAME,
	  .v = V_TARGET },
	{ "unfinished copy here with a longer past", INC, UP, ORDER_NEWER, SAME,
	  .v = V_WAIT },
	{ "unfinished copy there with a longer past", UP, INC, ORDER_OLDER,
	  SAME, .v = V_WAIT },
	{ "unfinished copy with another past, peer is primary", INC, UP,
	  ORDER_CONCURRENT, SAME, .primary = 2, .v = V_TARGET },
	{ "unfinished copy of a Primary, which knows better", INC, UP,
	  ORDER_NEWER, SAME, .primary = 1, .v = V_TARGET },
	{ "unfinished copy of a Primary, there", UP, INC, ORDER_OLDER, SAME,
	  .primary = 2, .v = V_SOURCE },
	{ "unfinished copy with a longer past, to be given up", INC, UP,
	  ORDER_NEWER, SAME, .discard = 1, .v = V_TARGET },
	{ "two unfinished copies", INC, INC, SAME, .v = V_WAIT },
	{ "two unfinished copies, one newer", INC, INC, ORDER_NEWER, SAME,
	  .v = V_WAIT },
	{ "secondaries with unconfirmed writes", UP, UP, SAME, .dirty = 1,
	  .v = V_EQUAL },
	{ "primary crashed, survivor primary", UP, CONS, SAME, .dirty = 1,
	  .crash_b = 3, .primary = 1, .v = V_SOURCE },
	{ "primary crashed and is back", CONS, UP, SAME, .dirty = 1,
	  .crash_a = 3, .primary = 2, .v = V_TARGET },
	{ "primary with dirty secondary", UP, UP, SAME, .dirty = 1,
	  .primary = 1, .v = V_SOURCE },
	{ "all lost power, we were primary", CONS, CONS, SAME, .dirty = 3,
	  .crash_a = 3, .crash_b = 1, .v = V_SOURCE },
	{ "all lost power, they were primary", CONS, CONS, SAME, .dirty = 3,
	  .crash_a = 1, .crash_b = 3, .v = V_TARGET },
	{ "all lost power, lower id", CONS, CONS, SAME, .dirty = 3,
	  .crash_a = 1, .crash_b = 1, .v = V_SOURCE },
	{ "peer too small", UP, INC, .dataset = 4, .size = 2, .v = V_SIZE },
	{ "we are too small", INC, UP, .dataset = 3, .size = 1, .v = V_SIZE },
	{ "a small source is fine", UP, INC, .dataset = 4, .size = 1,
	  .v = V_SOURCE },
	{ "block sizes differ", UP, UP, SAME, .other_lbs = true,
	  .v = V_BLOCK_SIZE },
};

static void known_cases(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		const struct known *k = &known[i];
		u8 c[DIMS] = { k->disk_a, k->disk_b, k->order, k->dataset,
			       k->dirty, k->crash_a, k->crash_b, k->primary,
			       k->discard, k->size, k->other_lbs, 0 };
		struct repl_vstate vs[2];
		struct decide_node n[2];
		enum verdict v;

		build(c, vs, n);
		v = repl_decide(&n[0], &n[1]);
		CHECK(v == k->v, "%s: %d, not %d", k->what, v, k->v);
	}
}

/* Generations that some member of the set never had. */
static void never_decided(void)
{
	struct repl_vstate vs[2] = {
		{ .disk = UP, .dataset = 7, .set_version = 3, .in_sync = 0x12,
		  .lineage.gen[0] = 1 },
		{ .disk = UP, .dataset = 7, .set_version = 9, .in_sync = 0x04,
		  .lineage.gen[2] = 1 },
	};
	struct decide_node n[2] = { { &vs[0], 1, false }, { &vs[1], 2, false } };

	CHECK(repl_decide(&n[0], &n[1]) == V_DIVERGED);
	/* Node 4 was in the set of the first, and went on without it. */
	vs[1].lineage.gen[4] = 1;
	CHECK(repl_decide(&n[0], &n[1]) == V_TARGET);
	CHECK(repl_decide(&n[1], &n[0]) == V_SOURCE);
	/* Before it was in that set: the branch was given up by force. */
	vs[0].set_version = 10;
	CHECK(repl_decide(&n[0], &n[1]) == V_DIVERGED);
	vs[1].flags = REPL_VS_DISCARD;
	CHECK(repl_decide(&n[0], &n[1]) == V_SOURCE);
	CHECK(repl_decide(&n[1], &n[0]) == V_TARGET);
	/* Nor is a Primary among its members to be filled from a branch. */
	vs[0].set_version = 3;
	CHECK(repl_decide(&n[1], &n[0]) == V_SOURCE);
	n[0].primary = true;
	CHECK(repl_decide(&n[1], &n[0]) == V_TARGET);
	n[0].primary = false;
	vs[1].flags = 0;
	vs[0].in_sync = 0x02;
	CHECK(repl_decide(&n[0], &n[1]) == V_DIVERGED);
}

/* What a member of a later reign's set lacks was not acknowledged, if both voted. */
static void outreigned(void)
{
	static const struct {
		u64 mine, later;
		enum verdict v;
	} c[] = {
		{ SET_VOTED, SET_VOTED, V_TARGET },
		{ SET_VOTED | SET_FORCED, SET_VOTED, V_TARGET },
		{ SET_VOTED, SET_VOTED | SET_FORCED, V_DIVERGED },
		{ 0, SET_VOTED, V_DIVERGED },	/* it may have gone on alone */
		{ SET_FORCED, SET_VOTED, V_DIVERGED },
		{ SET_VOTED, 0, V_DIVERGED },	/* others may have had a majority */
	};
	struct repl_vstate vs[2] = {
		{ .disk = UP, .dataset = 7, .in_sync = 0x02, .lineage.gen[1] = 1 },
		{ .disk = UP, .dataset = 7, .in_sync = 0x04, .lineage.gen[2] = 1 },
	};
	struct decide_node n[2] = { { &vs[0], 1, .votes = true },
				    { &vs[1], 2, .votes = true } };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		vs[0].set_version = (3ULL << SET_TERM_SHIFT) | c[i].mine;
		vs[1].set_version = (4ULL << SET_TERM_SHIFT) | c[i].later;
		CHECK(repl_decide(&n[0], &n[1]) == c[i].v, "case %u", i);
		CHECK(repl_outreigned(&n[0], &n[1]) == (c[i].v == V_TARGET));
	}
	n[0].votes = false;
	n[1].votes = false;
	vs[0].set_version = (3ULL << SET_TERM_SHIFT) | SET_VOTED;
	vs[1].set_version = (4ULL << SET_TERM_SHIFT) | SET_VOTED;
	CHECK(repl_decide(&n[0], &n[1]) == V_DIVERGED);
}

static void partial(void)
{
	struct repl_vstate a = { .dataset = 1, .flags = REPL_VS_SINCE_VALID };
	struct repl_vstate b = a;

	CHECK(repl_partial_ok(&a, &b));
	a.since.gen[3] = 1;	/* complete only since something b lacks */
	CHECK(!repl_partial_ok(&a, &b));
	CHECK(!repl_partial_ok(&b, &a));
	b.lineage.gen[3] = 1;
	CHECK(repl_partial_ok(&a, &b));
	CHECK(repl_partial_ok(&b, &a));
	b.flags = 0;
	CHECK(!repl_partial_ok(&a, &b));
	CHECK(!repl_partial_ok(&b, &a));
	b.flags = REPL_VS_SINCE_VALID;
	b.dataset = 2;
	CHECK(!repl_partial_ok(&a, &b));
}

static void victims(void)
{
	struct repl_vstate vs[2] = {
		{ .disk = DISK_UPTODATE, .dataset = 1, .flags = REPL_VS_SINCE_VALID },
		{ .disk = DISK_UPTODATE, .dataset = 1, .flags = REPL_VS_SINCE_VALID },
	};
	struct decide_node n[2] = { { &vs[0], 1 }, { &vs[1], 2 } };

	vs[0].lineage.gen[1] = 1;
	vs[1].lineage.gen[2] = 1;
	set_policies(vs, SPLIT_UNCHANGED, SPLIT_UNCHANGED);
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_PEER);	/* neither: the lower id stays */
	n[1].primary = true;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_ME);
	vs[0].dirty = 1;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_NONE);
	n[1].primary = false;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_PEER);
	vs[1].since.gen[3] = 1;		/* its map does not go back to where they parted */
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_NONE);
	vs[1].since.gen[3] = 0;
	vs[1].dirty = 1;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_NONE);

	set_policies(vs, SPLIT_YOUNGER, SPLIT_YOUNGER);
	vs[0].set_version = (3ULL << SET_TERM_SHIFT) + 9;
	vs[1].set_version = (3ULL << SET_TERM_SHIFT) + 10;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_NONE);
	vs[1].set_version = 4ULL << SET_TERM_SHIFT;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_PEER);
	/* Two generations and one reign ahead: the other may have had one, too. */
	vs[1].lineage.gen[2] = 2;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_NONE);
	vs[1].set_version = 5ULL << SET_TERM_SHIFT;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_PEER);
	/* What the other has beside it says nothing of that. */
	vs[0].lineage.gen[1] = 7;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_PEER);
	n[1].primary = true;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_NONE);

	set_policies(vs, SPLIT_SECONDARY, SPLIT_SECONDARY);
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_ME);
	n[0].primary = true;
	CHECK(repl_victim(&n[0], &n[1]) == VICTIM_NONE);
}

int main(void)
{
	RUN(mirrored);
	RUN(victims);
	RUN(known_cases);
	RUN(never_decided);
	RUN(outreigned);
	RUN(partial);
	return tap_end();
}
