// SPDX-License-Identifier: GPL-2.0
/*
 * The pace of a resync, at its receiving end: how much is asked for, and
 * whether blocks are compared by digest before they are sent.
 *
 * Rate: as much as goes while nobody else writes; beside application writes
 * half of the best speed seen, and less when requests pile up, but never below
 * rate_min.
 *
 * Digests cost a read here and a hash on both ends.  They pay where blocks are
 * equal (after a crash, with maps that had to be taken coarse) and the network
 * is what one waits for.  Both are measured: a short trial each way, then the
 * better way for some seconds, then a trial of the other.
 */
#include "internal.h"

#define RS_WINDOW	32U	/* requests under way */
#define RS_WINDOW_BUSY	8U	/* beside application writes */
#define RATE_FREE	(1ULL << 40)
#define TRIAL_TICKS	2	/* the first has answers from before, too */
#define HOLD_TICKS	64
#define HITS_ALL	256	/* all recent digests were of equal blocks */
#define HITS_FEW	64

static void phase_begin(struct repl_sync *y, bool plain, bool trial)
{
	y->plain = plain;
	y->trial = trial;
	y->phase_ticks = 0;
	if (!plain)
		y->digest_hits = HITS_ALL;
}

/*
 * Digests spare the network, which others may need: that is worth something,
 * so they have to be slower by a half before blocks are sent that need not be.
 */
static bool plain_is_better(const struct repl_sync *y)
{
	return y->digest_hits < HITS_FEW ||
	       y->speed[true] / 3 > y->speed[false] / 2;
}

static void phase_tick(struct repl_sync *y, u64 speed)
{
	u64 *mine = &y->speed[y->plain];

	if (!speed || ++y->phase_ticks < TRIAL_TICKS)
		return;
	*mine = y->trial ? speed : (*mine * 7 + speed) / 8;
	if (!y->trial) {
		if (y->phase_ticks >= HOLD_TICKS)
			phase_begin(y, !y->plain, true);
	} else if (!y->speed[!y->plain]) {
		phase_begin(y, !y->plain, true);
	} else {
		phase_begin(y, plain_is_better(y), false);
	}
}

static u64 rate_limit(const struct repl_pv *pv, u64 limit)
{
	u64 max = pv->peer->conf.rate_max;

	return max ? min(limit, max) : limit;
}

/** pace_begin() - a resync starts asking for blocks */
void pace_begin(struct repl_pv *pv)
{
	struct repl_sync *y = &pv->sync;

	phase_begin(y, false, true);
	y->app_seen = pv->vol->res->seq;
	y->rate = rate_limit(pv, RATE_FREE);
	y->tokens = y->rate / 10;
}

/* Do applications write meanwhile? */
static bool busy(const struct repl_pv *pv)
{
	return pv->vol->res->seq != pv->sync.app_seen;
}

/** pace_window() - how many requests may be under way? */
u32 pace_window(const struct repl_pv *pv)
{
	return busy(pv) ? RS_WINDOW_BUSY : RS_WINDOW;
}

/** pace_digest() - is the next block asked for with a digest? */
bool pace_digest(const struct repl_pv *pv)
{
	return (pv->peer->features & REPL_FEAT_DIGEST) && !pv->sync.plain;
}

/** pace_digest_result() - a digest was answered: was the block equal? */
void pace_digest_result(struct repl_sync *y, bool equal)
{
	y->digest_hits = y->digest_hits * 15 / 16 + (equal ? 16 : 0);
	if (!y->plain && y->digest_hits < HITS_FEW)
		phase_begin(y, true, false);
}

static u64 busy_rate(const struct repl_sync *y, u64 done)
{
	return done < y->rate / 2 ? y->rate * 3 / 4 : y->rate * 5 / 4;
}

/** pace_tick() - the end of an interval of @ms milliseconds */
void pace_tick(struct repl_pv *pv, u64 ms)
{
	struct repl_sync *y = &pv->sync;
	u64 done = div_u64(y->tick_bytes * 1000, ms);
	u64 least = rate_limit(pv, pv->peer->conf.rate_min);

	y->stat.rate = (y->stat.rate * 7 + done) / 8;
	phase_tick(y, done);
	if (busy(pv))
		y->rate = max(min(busy_rate(y, done),
				  rate_limit(pv, y->stat.rate)), least);
	else
		y->rate = rate_limit(pv, RATE_FREE);
	y->app_seen = pv->vol->res->seq;
	y->tick_bytes = 0;
	/* What was asked for beyond the last share is paid back first. */
	y->tokens = min_t(s64, y->tokens, 0) + (s64)(y->rate / 1000 * ms);
}
