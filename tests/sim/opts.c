// SPDX-License-Identifier: GPL-2.0
/*
 * From a seed to options.  Every seed turns some faults off and others up, so
 * that a run of many seeds sees rare combinations ("swarm testing").  When the
 * expansion changes, seeds mean something else.
 */
#include "sim.h"

const char *const scenario_name[SCN_COUNT] = {
	"careful", "split", "reborn", "resync", "rollback", "wide", "blackout",
	"election", "resize", "witness", "clocks", "laggard", "slow-votes",
	"fencing", "members", "hostile", "policies", "far",
};

const char *const fault_name[F_COUNT] = {
	"crash", "crash-all", "crash-primary", "reset", "partition", "isolate",
	"stall", "pause", "disk-error", "disk-slow", "switch", "detach",
	"disconnect", "invalidate", "pause-sync", "down", "illegal", "force",
	"replace", "rollback", "resize", "depose", "suspend", "link", "quorum",
	"lag",
	"policy", "async",
};

const char *const mutation_name[MUT_COUNT] = {
	[MUT_NONE] = "none",
	[MUT_CLEAR_BEFORE_FLUSH] = "clear-before-flush",
	[MUT_SKIP_ACTLOG] = "skip-actlog",
	[MUT_ACK_BEFORE_PEER] = "ack-before-peer",
	[MUT_LINEAGE_ORDER] = "lineage-order",
	[MUT_AL_EVICT_NO_FLUSH] = "al-evict-no-flush",
	[MUT_NO_TAIL] = "no-tail",
	[MUT_SHRINK_NOT_DURABLE] = "shrink-not-durable",
	[MUT_GEN_NOT_BEGUN] = "gen-not-begun",
	[MUT_NO_SUPERSEDE] = "no-supersede",
	[MUT_RS_READ_NO_WAIT] = "rs-read-no-wait",
	[MUT_FLUSH_NOT_FORWARDED] = "flush-not-forwarded",
	[MUT_UNACKED_NOT_DIRTY] = "unacked-not-dirty",
	[MUT_ABSENT_NOT_DIRTY] = "absent-not-dirty",
	[MUT_OVERLAP_ANY_ORDER] = "overlap-any-order",
	[MUT_TARGET_STAYS_UPTODATE] = "target-stays-uptodate",
	[MUT_CRASHED_IS_UPTODATE] = "crashed-is-uptodate",
	[MUT_SB_ONE_COPY] = "sb-one-copy",
	[MUT_AL_NO_CHECK] = "al-no-check",
	[MUT_MERGE_SKIPPED] = "merge-skipped",
	[MUT_READ_IN_FLIGHT] = "read-in-flight",
	[MUT_DIRECT_ALWAYS] = "direct-always",
	[MUT_SINCE_IGNORED] = "since-ignored",
	[MUT_SHARED_NOT_NOTED] = "shared-not-noted",
	[MUT_TWO_PRIMARIES] = "two-primaries",
	[MUT_DEP_IGNORED] = "dep-ignored",
	[MUT_QUORUM_IGNORED] = "quorum-ignored",
	[MUT_POSITION_IGNORED] = "position-ignored",
	[MUT_VOTE_NOT_DURABLE] = "vote-not-durable",
	[MUT_TERM_IGNORED] = "term-ignored",
	[MUT_LEASE_IGNORED] = "lease-ignored",
	[MUT_DRIFT_IGNORED] = "drift-ignored",
	[MUT_BOUND_IGNORED] = "bound-ignored",
	[MUT_SIZE_NOT_FOLLOWED] = "size-not-followed",
	[MUT_GROWTH_CLEAN] = "growth-clean",
	[MUT_GROWTH_FORGOTTEN] = "growth-forgotten",
	[MUT_OPEN_IGNORED] = "open-ignored",
	[MUT_WITNESS_FORGETS] = "witness-forgets",
	[MUT_WITNESS_ACKS] = "witness-acks",
	[MUT_WRONG_VICTIM] = "wrong-victim",
	[MUT_PRIMARY_IS_VICTIM] = "primary-is-victim",
	[MUT_VOTE_TWICE] = "vote-twice",
	[MUT_COPY_SKIPPED] = "copy-skipped",
	[MUT_STEP_DOWN_EARLY] = "step-down-early",
	[MUT_SUCCESSION_UNELECTED] = "succession-unelected",
	[MUT_ACKED_ERROR_PASSED] = "acked-error-passed",
	[MUT_SYNC_UNKEPT] = "sync-unkept",
	[MUT_UNVOTED_SET_COUNTS] = "unvoted-set-counts",
	[MUT_NEEDED_DROPPED] = "needed-dropped",
	[MUT_ALL_CONFIRM] = "all-confirm",
	[MUT_LOG_FILLED] = "log-filled",
	[MUT_SLOW_AWAITED] = "slow-awaited",
	[MUT_FENCING_IGNORED] = "fencing-ignored",
	[MUT_OWN_POLICY_COUNTS] = "own-policy-counts",
	[MUT_EDITS_UNCHECKED] = "edits-unchecked",
	[MUT_ASYNC_ACKS] = "async-acks",
	[MUT_ASYNC_MEMBER] = "async-member",
};

static u32 pick(struct rng *r, u32 a, u32 b, u32 c)
{
	return (u32[]){ a, b, c }[rng_below(r, 3)];
}

/* All that parts nodes, or ends them; connections and programs come back soon. */
static void fencing(struct sim_opts *o, struct rng *r)
{
	o->fencing = 1;
	o->nodes = rng_pct(r, 50) ? 2 : 3;
	o->init_sync = 0;
	o->fault_ms = pick(r, 300, 800, 2000);
	o->faults_s = rng_range(r, 8, 30);
	memset(o->weight, 0, sizeof(o->weight));
	o->weight[F_PARTITION] = pick(r, 0, 4, 8);
	o->weight[F_ISOLATE] = pick(r, 2, 5, 10);
	o->weight[F_LINK] = pick(r, 2, 5, 10);
	o->weight[F_PAUSE] = pick(r, 0, 2, 6);
	o->weight[F_STALL] = pick(r, 0, 2, 6);
	o->weight[F_RESET] = pick(r, 0, 2, 6);
	o->weight[F_CRASH] = pick(r, 0, 1, 4);
	o->weight[F_CRASH_PRIMARY] = pick(r, 0, 1, 4);
	o->weight[F_CRASH_ALL] = pick(r, 0, 0, 1);
	o->weight[F_DISK_ERROR] = pick(r, 0, 0, 2);
	o->weight[F_ADMIN_DETACH] = pick(r, 0, 1, 4);
	o->weight[F_ADMIN_DISCONNECT] = pick(r, 0, 1, 4);
	o->weight[F_ADMIN_INVALIDATE] = pick(r, 0, 0, 2);
	o->weight[F_ADMIN_DOWN] = pick(r, 0, 1, 4);
}

static void elections(struct sim_opts *o, struct rng *r)
{
	o->elections = 1;
	o->init_sync = 0;
	o->fault_ms = 500;
	memset(o->weight, 0, sizeof(o->weight));
	o->weight[F_PARTITION] = 6;
	o->weight[F_ISOLATE] = 10;
	o->weight[F_PAUSE] = 8;
	o->weight[F_STALL] = 4;
	o->weight[F_RESET] = 2;
	o->weight[F_CRASH] = rng_below(r, 3);
	o->weight[F_CRASH_PRIMARY] = rng_below(r, 3);
	o->weight[F_ADMIN_DEPOSE] = rng_below(r, 3);
	o->auto_promote = rng_pct(r, 50);
	o->on_no_quorum = rng_pct(r, 70) ? NO_QUORUM_SUSPEND :
			  NO_QUORUM_IO_ERROR;
}

/*
 * What takes leases to their end, and programs that read and write meanwhile.  Fast
 * disks and networks, so that a new Primary is there at once; or slow ones, so that
 * votes take long, and others are asked for.
 */
static void clocks(struct sim_opts *o, struct rng *r)
{
	elections(o, r);
	o->nodes = max(o->nodes, 3u);
	o->drift_pct = 5;
	o->pct_read = pick(r, 25, 50, 70);
	o->hot_blocks = 1;
	o->think_us = pick(r, 2000, 5000, 20000);
	o->depth = max(o->depth, 4u);
	if (rng_pct(r, 60)) {
		o->disk_us = 50;
		o->disk_jitter_us = 50;
		o->flush_us = 200;
		o->net_us = 50;
		o->net_jitter_us = 20;
		o->ctrl_jitter_us = 20;
	}
	o->weight[F_PAUSE] = 0;
	o->weight[F_SUSPEND] = pick(r, 4, 10, 20);
	o->weight[F_LINK] = pick(r, 0, 5, 20);
	o->weight[F_CRASH_ALL] = pick(r, 0, 1, 4);
	o->weight[F_ADMIN_DEPOSE] = pick(r, 0, 2, 6);
}

/* Some nodes are there from the beginning, with room for one more at least. */
static void members(struct sim_opts *o, struct rng *r)
{
	elections(o, r);
	o->nodes = rng_pct(r, 50) ? 4 : 5;
	o->members = (1U << rng_range(r, rng_pct(r, 15) ? 2 : 3, o->nodes - 1)) - 1;
	o->hasty_pct = pick(r, 0, 30, 60);
	o->fault_ms = pick(r, 500, 1000, 2000);
	o->faults_s = rng_range(r, 5, 20);
	if (o->ack_policy != ACK_QUORUM)
		o->votes = 1;
}

/*
 * A majority is always quick, and nothing times out: whatever waits for long waits for
 * the one that is not.
 */
static void laggard(struct sim_opts *o, struct rng *r)
{
	o->nodes = max(o->nodes, 3u);
	o->init_sync = 0;
	o->disk_us = 50;
	o->disk_jitter_us = 50;
	o->flush_us = 200;
	o->net_us = 50;
	o->net_jitter_us = 20;
	o->ctrl_jitter_us = 20;
	o->timeout_ms = 3000;
	o->ping_ms = 1000;
	o->ack_timeout_ms = 60000;
	o->backlog_max = pick(r, 64U << 10, 256U << 10, 32U << 20);
	o->on_backlog = BACKLOG_BEHIND;
	o->on_no_quorum = NO_QUORUM_IO_ERROR;
	o->think_us = pick(r, 5000, 10000, 20000);
	o->pause_pct = 0;
	o->faults_s = 10;
	o->fault_ms = 500;
	o->nomem = 0;
	/* So many that no majority is quick: writes wait, and none fails. */
	o->lag_most = rng_pct(r, 70) ? (o->nodes - 1) / 2 : o->nodes - 1;
	memset(o->weight, 0, sizeof(o->weight));
	o->weight[F_LAG] = 10;
}

/*
 * Votes take longer than an election waits for those that it can do without: disks
 * are busy, or the network is slow.
 */
static void slow_votes(struct sim_opts *o, struct rng *r)
{
	elections(o, r);
	o->nodes = max(o->nodes, 3u);
	o->disk_us = 300;
	o->disk_jitter_us = 1000;
	o->flush_us = 2000;
	o->timeout_ms = rng_range(r, 2000, 6000);
	o->ping_ms = o->timeout_ms / 3;
	o->ack_timeout_ms = 5 * o->timeout_ms;
	/* Who logs an extent is late by more. */
	o->backlog_ms = 0;
	if (rng_pct(r, 75)) {
		o->meta_ms = 500;
	} else {
		o->net_us = 180000;
		o->net_jitter_us = 20000;
		o->ctrl_jitter_us = 20000;
	}
	o->faults_s = rng_range(r, 10, 30);
	o->fault_ms = pick(r, 500, 2000, 5000);
}

/*
 * Primaries come and go, with sets that all acknowledge and sets that a majority does,
 * while no two nodes are told the same.
 */
static void policies(struct sim_opts *o, struct rng *r)
{
	o->nodes = max(o->nodes, 3u);
	if (o->nodes < 5 && rng_pct(r, 25)) {
		o->nodes++;
		o->witnesses = 1;
	}
	if (rng_pct(r, 60)) {
		elections(o, r);
		o->weight[F_DISK_ERROR] = rng_below(r, 3);
		o->weight[F_ADMIN_DETACH] = rng_below(r, 3);
		o->weight[F_ADMIN_DOWN] = rng_below(r, 3);
	}
	/* What is flushed on some and on its way to others, when the Primary crashes. */
	o->pct_flush = pick(r, 5, 20, 40);
	o->pct_read = pick(r, 5, 10, 25);
	o->depth = max(o->depth, 4u);
	o->fault_ms = pick(r, 100, 200, 400);
	o->weight[F_STALL] = pick(r, 0, 10, 20);
	o->weight[F_LINK] = pick(r, 0, 5, 10);
	o->weight[F_CRASH_PRIMARY] = pick(r, 5, 10, 20);
	o->weight[F_ADMIN_FORCE] = 0;
	o->weight[F_ADMIN_ROLLBACK] = 0;
	o->weight[F_ADMIN_POLICY] = pick(r, 5, 10, 20);
}

/*
 * One node or two are at a distant site.  Where a majority acknowledges the others have
 * to be one: those that nobody waits for are replicas all the same.
 */
static void far(struct sim_opts *o, struct rng *r)
{
	u32 replicas;

	o->nodes = rng_range(r, 3, 5);
	if (o->votes && o->nodes < 5 && rng_pct(r, 15))
		o->witnesses = 1;
	replicas = o->nodes;
	o->nodes += o->witnesses;
	o->far = BIT(rng_below(r, replicas));
	if (rng_pct(r, 40) && (replicas == 5 || o->ack_policy == ACK_SYNC))
		o->far |= BIT(rng_below(r, replicas));
	o->far_us = pick(r, 0, 5000, 50000);
	o->far_how = (enum far_how)rng_below(r, FAR_HOWS);
	o->far_by = rng_below(r, replicas);
	o->min_in_sync = rng_pct(r, 90) ? 0 : 2;
	o->backlog_ms = rng_pct(r, 70) ? 0 : 1000;
	o->lag_most = replicas;
	if (o->votes && rng_pct(r, 60)) {
		elections(o, r);
		o->weight[F_DISK_ERROR] = rng_below(r, 3);
		o->weight[F_ADMIN_DETACH] = rng_below(r, 3);
		o->weight[F_ADMIN_DOWN] = rng_below(r, 3);
		o->weight[F_ADMIN_INVALIDATE] = rng_below(r, 2);
	} else {
		o->weight[F_ADMIN_SWITCH] = pick(r, 0, 3, 6);
	}
	o->pct_flush = pick(r, 5, 20, 40);
	o->fault_ms = pick(r, 100, 300, 600);
	o->weight[F_LAG] = pick(r, 0, 5, 10);
	o->weight[F_LINK] = pick(r, 0, 5, 10);
	o->weight[F_CRASH_PRIMARY] = pick(r, 1, 4, 10);
	o->weight[F_CRASH_ALL] = rng_pct(r, 20) ? 2 : 0;
	o->weight[F_ADMIN_FORCE] = 0;
	o->weight[F_ADMIN_ROLLBACK] = 0;
	o->weight[F_ADMIN_ASYNC] = pick(r, 0, 3, 10);
}

/*
 * The same with votes, under sync and async too.  Scripts that need a Primary which
 * goes on alone have none; nor may a voter's disk be set back.
 */
static void votes(struct sim_opts *o, struct rng *r)
{
	o->votes = 1;
	if (o->scenario == SCN_SPLIT || o->scenario == SCN_REBORN ||
	    o->scenario == SCN_ROLLBACK || o->scenario == SCN_FENCING)
		o->scenario = SCN_CAREFUL;
	if (o->ack_policy == ACK_QUORUM)
		o->ack_policy = rng_pct(r, 75) ? ACK_SYNC : ACK_ASYNC;
}

static void more_votes(struct sim_opts *o, struct rng *r)
{
	if (o->scenario == SCN_CAREFUL && o->nodes < 5 && rng_pct(r, 40)) {
		o->nodes++;
		o->witnesses = 1;
	}
	o->weight[F_ADMIN_ROLLBACK] = 0;
	o->on_no_quorum = rng_pct(r, 70) ? NO_QUORUM_SUSPEND :
			  NO_QUORUM_IO_ERROR;
	if (o->scenario == SCN_CAREFUL && o->nodes > 2 && rng_pct(r, 30)) {
		elections(o, r);
	} else if (!o->elections && rng_pct(r, 60)) {
		/* Best while a Primary has gone on alone, and is away. */
		o->weight[F_ADMIN_QUORUM] = pick(r, 5, 10, 30);
		o->weight[F_CRASH_PRIMARY] += rng_below(r, 10);
		o->weight[F_ISOLATE] += rng_below(r, 10);
	}
}

void opts_expand(struct sim_opts *o, u64 seed, int scenario, int ack_policy,
		 bool votes_too)
{
	struct rng rr = { .s = seed ^ 0x73696d0000ULL }, *r = &rr;
	u32 dice;

	rng_next(r);
	memset(o, 0, sizeof(*o));
	o->seed = seed;
	dice = rng_below(r, 100);
	o->scenario = dice < 90 ? SCN_CAREFUL : dice < 93 ? SCN_SPLIT :
		      dice < 96 ? SCN_REBORN : dice < 97 ? SCN_RESYNC :
		      dice < 98 ? SCN_ROLLBACK : SCN_HOSTILE;
	if (scenario >= 0)
		o->scenario = (enum scenario)scenario;
	dice = rng_below(r, 100);
	o->nodes = dice < 35 ? 2 : dice < 80 ? 3 : dice < 93 ? 4 : 5;
	o->vols = rng_pct(r, 25) ? 2 : 1;
	for (u32 v = 0; v < MAX_VOLS; v++)
		o->vol_extents[v] = rng_range(r, 8, 14);
	o->al_extents = pick(r, 7, 8, 64);
	o->on_io_error = rng_pct(r, 90) ? ON_ERROR_DETACH : ON_ERROR_PASS_ON;
	o->on_no_data = rng_pct(r, 80) ? NO_DATA_SUSPEND : NO_DATA_IO_ERROR;
	o->external = rng_pct(r, 70) ? 0 : rng_below(r, 32);
	o->init_sync = rng_pct(r, 15);
	o->garbage = o->init_sync && rng_pct(r, 70);
	o->digest = rng_pct(r, 60);
	/* As good as random, and what else is drawn does not depend on it. */
	o->hot = !(seed & 3);
	o->acks_on_data = (seed & 12) == 12;
	o->discard = rng_pct(r, 80);
	o->tick_ms = rng_range(r, 50, 100);
	o->disk_us = pick(r, 50, 300, 3000);
	o->disk_jitter_us = pick(r, 50, 1000, 20000);
	o->flush_us = pick(r, 200, 2000, 20000);
	o->net_us = pick(r, 50, 500, 10000);
	o->net_jitter_us = pick(r, 20, 1000, 30000);
	o->ctrl_jitter_us = pick(r, 20, 1000, 30000);
	o->net_bytes_us = pick(r, 20, 100, 1000);
	o->timeout_ms = rng_range(r, 400, 3000);
	o->ping_ms = max(o->timeout_ms / 3, 200u);
	o->ack_timeout_ms = o->timeout_ms * rng_range(r, 2, 6);
	o->rate_max = pick(r, 0, 100U << 20, 1U << 30);
	o->rate_min = pick(r, 1U << 20, 20U << 20, 200U << 20);
	o->depth = rng_range(r, 1, MAX_SLOTS);
	o->think_us = pick(r, 2000, 20000, 60000);
	o->hot_blocks = pick(r, 1, 4, 16);
	o->max_kib = pick(r, 64, 128, 512);
	o->pct_read = pick(r, 5, 25, 50);
	o->pct_cold = pick(r, 2, 15, 50);
	o->pct_flush = pick(r, 1, 5, 10);
	o->pct_fua = pick(r, 0, 5, 30);
	o->pct_discard = o->discard ? pick(r, 0, 3, 10) : 0;
	o->pct_large = pick(r, 0, 2, 10);
	o->pause_pct = pick(r, 5, 20, 40);
	o->survive = (u32[]){ 0, 50, 100, 101, 101 }[rng_below(r, 5)];
	o->nomem = rng_pct(r, 10) ? 50 : 0;
	o->fault_ms = pick(r, 150, 500, 1500);
	o->faults_s = rng_range(r, 2, 8);
	/* Later ones only where a scenario asks: seeds keep their meaning. */
	for (u32 f = 0; f < F_ADMIN_RESIZE; f++)
		o->weight[f] = rng_pct(r, 45) ? rng_range(r, 1, 10) : 0;
	if (!rng_pct(r, 25))
		o->weight[F_CRASH_ALL] = 0;
	if (!rng_pct(r, 6))
		o->weight[F_ADMIN_FORCE] = 0;
	if (o->nodes == 2 && rng_pct(r, 50))
		o->weight[F_CRASH_PRIMARY] = 10;

	if (!rng_pct(r, 15))
		o->weight[F_ADMIN_ROLLBACK] = 0;

	dice = rng_below(r, 100);
	/* quorum is asked for by --ack-policy: what a seed means is to stay. */
	o->ack_policy = dice < 75 ? ACK_SYNC : ACK_ASYNC;
	o->on_backlog = rng_pct(r, 60) ? BACKLOG_BEHIND : BACKLOG_HOLD;
	o->backlog_max = pick(r, 64U << 10, 1U << 20, 32U << 20);
	o->backlog_ms = rng_pct(r, 70) ? 0 : 1000;
	o->async_mask = rng_pct(r, 80) ? 0 : rng_below(r, 1U << o->nodes);
	o->min_in_sync = rng_pct(r, 90) ? 0 : 2;
	if (ack_policy >= 0)
		o->ack_policy = (u32)ack_policy;
	/* The other scripts play one that loses its peers and goes on. */
	if (o->scenario != SCN_CAREFUL && o->scenario != SCN_RESIZE &&
	    o->scenario != SCN_HOSTILE) {
		o->ack_policy = ACK_SYNC;
		o->async_mask = 0;
		o->min_in_sync = 0;
	}
	if (o->scenario == SCN_ELECTION || o->scenario == SCN_CLOCKS ||
	    o->scenario == SCN_LAGGARD || o->scenario == SCN_SLOW_VOTES)
		o->ack_policy = ACK_QUORUM;
	if (o->scenario == SCN_MEMBERS && rng_pct(r, 60))
		o->ack_policy = ACK_QUORUM;
	/* It has no say in the other policies, and must do no harm. */
	if (o->scenario == SCN_WITNESS)
		o->ack_policy = rng_pct(r, 90) ? ACK_QUORUM : ACK_SYNC;
	if (o->scenario == SCN_POLICIES) {
		o->votes = 1;
		o->ack_policy = rng_pct(r, 50) ? ACK_QUORUM : ACK_SYNC;
	}
	if (o->scenario == SCN_FAR) {
		o->ack_policy = rng_pct(r, 60) ? ACK_QUORUM : ACK_SYNC;
		o->votes = o->ack_policy == ACK_QUORUM || rng_pct(r, 60);
	}
	if (votes_too)
		votes(o, r);
	/* With those not enough would be left for a majority. */
	if (o->ack_policy == ACK_QUORUM || o->min_in_sync)
		o->async_mask = 0;
	if (o->ack_policy == ACK_ASYNC)
		o->min_in_sync = 0;

	switch (o->scenario) {
	case SCN_RESYNC:
		o->init_sync = 1;
		o->garbage = 1;
		o->rate_max = 8U << 20;
		o->rate_min = 1U << 20;
		o->survive = 0;
		o->faults_s = 6;
		memset(o->weight, 0, sizeof(o->weight));
		o->weight[F_CRASH] = 10;
		o->weight[F_RESET] = rng_below(r, 4);
		break;
	case SCN_ROLLBACK:
		o->init_sync = 0;
		o->think_us = 5000;
		o->pct_read = 5;
		o->fault_ms = 150;
		o->faults_s = 8;
		memset(o->weight, 0, sizeof(o->weight));
		o->weight[F_ADMIN_ROLLBACK] = 10;
		o->weight[F_ADMIN_DOWN] = 4;
		o->weight[F_ADMIN_DISCONNECT] = 4;
		o->weight[F_RESET] = 1;
		break;
	case SCN_WIDE:
		o->nodes = 2;
		o->vols = 1;
		o->vol_extents[0] = 180;
		o->al_extents = 170;
		o->init_sync = 0;
		o->digest = 1;
		o->discard = 0;
		o->pct_discard = 0;
		o->external = 0;
		o->survive = 0;
		o->disk_us = 3000;
		o->pct_cold = 97;
		o->pct_read = 5;
		o->pct_flush = 1;
		o->pct_fua = 0;
		o->pct_large = 0;
		o->think_us = 2000;
		o->depth = 8;
		o->pause_pct = 0;
		o->rate_max = 0;
		o->rate_min = 200U << 20;
		o->faults_s = 4;
		o->fault_ms = 1500;
		memset(o->weight, 0, sizeof(o->weight));
		o->weight[F_CRASH_PRIMARY] = 10;
		break;
	case SCN_BLACKOUT:
		o->init_sync = 0;
		o->survive = 0;
		o->pct_flush = 20;
		o->pct_read = 10;
		o->pause_pct = 0;
		memset(o->weight, 0, sizeof(o->weight));
		o->weight[F_CRASH_ALL] = 10;
		o->weight[F_DISK_ERROR] = 10;
		break;
	case SCN_ELECTION:
		if (o->nodes == 2)
			o->nodes = 3;
		elections(o, r);
		break;
	case SCN_CLOCKS:
		clocks(o, r);
		break;
	case SCN_LAGGARD:
		laggard(o, r);
		break;
	case SCN_SLOW_VOTES:
		slow_votes(o, r);
		break;
	case SCN_FENCING:
		fencing(o, r);
		break;
	case SCN_MEMBERS:
		members(o, r);
		break;
	case SCN_WITNESS:
		o->nodes = dice < 60 ? 3 : dice < 75 ? 4 : 5;
		o->witnesses = o->nodes < 5 || rng_pct(r, 50) ? 1 : 2;
		o->weight[F_ISOLATE] = max(o->weight[F_ISOLATE], 4u);
		if (o->ack_policy == ACK_QUORUM && rng_pct(r, 50)) {
			elections(o, r);
			o->weight[F_DISK_ERROR] = rng_below(r, 3);
			o->weight[F_ADMIN_DETACH] = rng_below(r, 3);
			o->weight[F_ADMIN_DOWN] = rng_below(r, 3);
		}
		break;
	case SCN_POLICIES:
		policies(o, r);
		break;
	case SCN_FAR:
		far(o, r);
		break;
	case SCN_RESIZE:
		o->room_extents = rng_range(r, 1, 8);
		o->cut_blocks = rng_pct(r, 50) ? 0 :
				rng_below(r, EXTENT_BLOCKS);
		o->pct_cold = max(o->pct_cold, 15u);
		o->fault_ms = pick(r, 100, 300, 800);
		o->weight[F_ADMIN_RESIZE] = pick(r, 10, 20, 40);
		if (rng_pct(r, 25))
			o->weight[F_CRASH_ALL] = 10;
		break;
	case SCN_REBORN:
		o->nodes = 3;
		fallthrough;
	case SCN_SPLIT:
		memset(o->weight, 0, sizeof(o->weight));
		if (rng_pct(r, 50))
			o->weight[F_STALL] = 1;
		o->faults_s = 60;
		o->init_sync = 0;
		o->pct_read = 25;
		o->think_us = 20000;
		if (o->scenario == SCN_SPLIT && rng_pct(r, 60)) {
			o->after_split_brain = rng_range(r, SPLIT_UNCHANGED,
							 SPLIT_SECONDARY);
			o->split_roles = rng_below(r, 4);
			o->split_idle = rng_pct(r, 60);
		}
		break;
	case SCN_HOSTILE:
		o->faults_s = 6;
		break;
	default:
		break;
	}
	if (votes_too)
		more_votes(o, r);
	/* Replicas that are declared equal are. */
	if (!o->init_sync)
		o->garbage = 0;
}

void opts_print(FILE *f, const struct sim_opts *o)
{
	fprintf(f, "seed %llu scenario %s nodes %u volumes %u extents %u,%u al %u external 0x%x on-io-error %u on-no-data %u\n",
		(unsigned long long)o->seed, scenario_name[o->scenario],
		o->nodes, o->vols, o->vol_extents[0], o->vol_extents[1],
		o->al_extents, o->external, o->on_io_error, o->on_no_data);
	if (o->witnesses)
		fprintf(f, "  witnesses %u elections %u\n", o->witnesses,
			o->elections);
	if (o->votes)
		fprintf(f, "  votes, elections %u\n", o->elections);
	if (o->meta_ms)
		fprintf(f, "  metadata is written in %u to %u ms\n", o->meta_ms,
			4 * o->meta_ms);
	if (o->fencing)
		fprintf(f, "  fencing\n");
	if (o->members)
		fprintf(f, "  members 0x%x at first, hasty %u%%\n", o->members,
			o->hasty_pct);
	if (o->drift_pct)
		fprintf(f, "  clocks drift by %u%%\n", o->drift_pct);
	if (o->room_extents)
		fprintf(f, "  room %u extents, %u blocks less at first\n",
			o->room_extents, o->cut_blocks);
	fprintf(f, "  auto-promote %u on-no-quorum %u\n", o->auto_promote,
		o->on_no_quorum);
	if (o->lag_most)
		fprintf(f, "  %u may lag at a time\n", o->lag_most);
	if (o->far)
		fprintf(f, "  far 0x%x by %u us, for %s, that is node %u\n", o->far,
			o->far_us, (const char *const[]){ "all others",
			"both ends", "one node" }[o->far_how], o->far_by);
	if (o->after_split_brain)
		fprintf(f, "  after-split-brain %u, steps down 0x%x, idle %u\n",
			o->after_split_brain, o->split_roles, o->split_idle);
	fprintf(f, "  ack-policy %u async 0x%x min-in-sync %u on-backlog %u at %u bytes, %u ms\n",
		o->ack_policy, o->async_mask, o->min_in_sync, o->on_backlog,
		o->backlog_max, o->backlog_ms);
	fprintf(f, "  init-sync %u garbage %u digest %u discard %u hot-packets %u acks-on-data %u tick %u ms disk %u+%u us flush %u us survive %u nomem %u\n",
		o->init_sync, o->garbage, o->digest, o->discard, o->hot, o->acks_on_data, o->tick_ms,
		o->disk_us, o->disk_jitter_us, o->flush_us, o->survive,
		o->nomem);
	fprintf(f, "  net %u us data+%u ctrl+%u, %u bytes/us; timeout %u ping %u ack-timeout %u ms; rate %u..%u\n",
		o->net_us, o->net_jitter_us, o->ctrl_jitter_us,
		o->net_bytes_us, o->timeout_ms, o->ping_ms,
		o->ack_timeout_ms, o->rate_min, o->rate_max);
	fprintf(f, "  app depth %u think %u us hot %u max %u KiB read %u%% cold %u%% flush %u%% fua %u%% discard %u%% large %u%% rest %u/1000\n",
		o->depth, o->think_us, o->hot_blocks, o->max_kib, o->pct_read,
		o->pct_cold, o->pct_flush, o->pct_fua, o->pct_discard,
		o->pct_large, o->pause_pct);
	fprintf(f, "  faults every %u ms for %u s:", o->fault_ms, o->faults_s);
	for (u32 i = 0; i < F_COUNT; i++)
		if (o->weight[i])
			fprintf(f, " %s %u", fault_name[i], o->weight[i]);
	fputc('\n', f);
}
