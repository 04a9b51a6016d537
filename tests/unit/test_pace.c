// SPDX-License-Identifier: GPL-2.0
/* The pace of a resync: beside writes, within its limits, with digests or without. */
#include "internal.h"
#include "tap.h"

#define MIB	(1ULL << 20)
#define TICK	100	/* ms */

static struct repl_res res;
static struct repl_vol vol;
static struct repl_peer peer;
static struct repl_pv pv;

static void begin(u64 min, u64 max)
{
	memset(&res, 0, sizeof(res));
	memset(&vol, 0, sizeof(vol));
	memset(&peer, 0, sizeof(peer));
	memset(&pv, 0, sizeof(pv));
	vol.res = &res;
	peer.res = &res;
	peer.features = REPL_FEAT_DIGEST;
	peer.conf.rate_min = min;
	peer.conf.rate_max = max;
	pv.vol = &vol;
	pv.peer = &peer;
	pace_begin(&pv);
}

/* An interval in which @bytes came, and applications wrote or not. */
static void tick(u64 bytes, bool writes)
{
	pv.sync.tick_bytes = bytes;
	res.seq += writes;
	pace_tick(&pv, TICK);
}

/* So much a second came in each of @n intervals beside writes. */
static void busy(u64 rate, u32 n)
{
	while (n--)
		tick(rate * TICK / 1000, true);
}

/* Nobody writes: as fast as it goes, or as it may. */
static void alone(void)
{
	begin(MIB, 0);
	CHECK(pv.sync.rate > 1ULL << 39);
	CHECK(pace_window(&pv) == 32);
	tick(10 * MIB, false);
	CHECK(pv.sync.rate > 1ULL << 39);

	begin(MIB, 5 * MIB);
	CHECK(pv.sync.rate == 5 * MIB);
	tick(MIB, false);
	CHECK(pv.sync.rate == 5 * MIB);
}

/* Beside writes it gives way when little comes, but never below the least. */
static void gives_way(void)
{
	u64 before;

	begin(MIB, 0);
	tick(10 * MIB, false);
	res.seq++;
	CHECK(pace_window(&pv) == 8);
	busy(100 * MIB, 50);
	CHECK(pv.sync.rate <= 100 * MIB && pv.sync.rate > 50 * MIB, "%llu",
	      (unsigned long long)pv.sync.rate);
	before = pv.sync.rate;
	busy(before / 4, 1);
	CHECK(pv.sync.rate <= before / 5 * 4);
	busy(0, 100);
	CHECK(pv.sync.rate == MIB, "%llu", (unsigned long long)pv.sync.rate);
	/* And takes more again when what it asks for comes. */
	busy(2 * MIB, 100);
	CHECK(pv.sync.rate > MIB && pv.sync.rate <= 2 * MIB, "%llu",
	      (unsigned long long)pv.sync.rate);
	tick(MIB, false);
	CHECK(pv.sync.rate > 1ULL << 39);
}

/* The most that is allowed is less than the least: that counts. */
static void limits(void)
{
	begin(8 * MIB, 2 * MIB);
	busy(100 * MIB, 20);
	CHECK(pv.sync.rate == 2 * MIB);
	busy(0, 20);
	CHECK(pv.sync.rate == 2 * MIB);
}

/* What was asked for beyond a share comes off the next ones. */
static void debts(void)
{
	begin(MIB, 10 * MIB);
	pv.sync.tokens = -(s64)MIB;
	tick(MIB, false);
	CHECK(pv.sync.tokens == -(s64)MIB + (s64)(10 * MIB / 1000 * TICK), "%lld",
	      (long long)pv.sync.tokens);
	/* What was not used is not saved up. */
	pv.sync.tokens = 100 * MIB;
	tick(MIB, false);
	CHECK(pv.sync.tokens == (s64)(10 * MIB / 1000 * TICK));
}

/* Blocks are seldom equal: digests are given up at once. */
static void few_equal(void)
{
	u32 i;

	begin(MIB, 0);
	CHECK(pace_digest(&pv));
	for (i = 0; i < 40; i++)
		pace_digest_result(&pv.sync, false);
	CHECK(!pace_digest(&pv));
	peer.features = 0;
	CHECK(!pace_digest(&pv));
}

/* Runs trials each way until one is settled on.  Return: digests? */
static bool settles(u64 digest_speed, u64 plain_speed)
{
	u32 i;

	begin(MIB, 0);
	for (i = 0; i < 8; i++)
		tick((pv.sync.plain ? plain_speed : digest_speed) * TICK / 1000,
		     false);
	CHECK(!pv.sync.trial);
	return pace_digest(&pv);
}

/* They spare the network: so they are kept unless they are slower by a half. */
static void the_better_way(void)
{
	CHECK(settles(100 * MIB, 50 * MIB));
	CHECK(settles(100 * MIB, 140 * MIB));
	CHECK(!settles(100 * MIB, 160 * MIB));
}

/* It is tried the other way again after a while. */
static void tried_again(void)
{
	u32 i;

	CHECK(!settles(100 * MIB, 160 * MIB));
	for (i = 0; i < 70 && !pv.sync.trial; i++)
		tick(160 * MIB * TICK / 1000, false);
	CHECK(pv.sync.trial && pace_digest(&pv), "after %u", i);
}

int main(void)
{
	RUN(alone);
	RUN(gives_way);
	RUN(limits);
	RUN(debts);
	RUN(few_equal);
	RUN(the_better_way);
	RUN(tried_again);
	return tap_end();
}
