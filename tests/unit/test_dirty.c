// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty maps against plain bitmaps.
 *
 * Every operation is done on both.  While memory suffices they are the same;
 * with allocations failing, the map may hold more than the model (it got
 * coarser) and the model is brought up to it, but never less.  Any extent that
 * changed must be stale.
 */
#include "shell.h"
#include "tap.h"

#define MAPS	3
#define CHUNKS	3U
#define EXTENTS	(2 * CHUNK_EXTENTS + 5)
#define BLOCKS	((u64)(EXTENTS - 1) * EXTENT_BLOCKS + 77)

static struct fake f;
static struct dirty_set d;
static u8 *model[MAPS], *before[MAPS];
static u64 limit;

static bool get(u8 *m, u64 b)
{
	return m[b / 8] & (1 << b % 8);
}

static void put(u8 *m, u64 first, u64 n, bool on)
{
	for (; n && first < limit; first++, n--) {
		if (first % 8 == 0 && n >= 8 && limit - first >= 8) {
			m[first / 8] = on ? 0xff : 0;
			first += 7;
			n -= 7;
		} else if (on) {
			m[first / 8] |= 1 << first % 8;
		} else {
			m[first / 8] &= ~(1 << first % 8);
		}
	}
}

static void real_extent(u32 i, u32 e, u8 *bits)
{
	bool any = dirty_extent_get(&d, i, e, bits);
	u8 or = 0;
	u32 k;

	for (k = 0; k < EXTENT_MAP_BYTES; k++)
		or |= bits[k];
	CHECK(any == !!or);
}

/* The map against the model; @exact: equal, else it may hold more. */
static void compare(u32 i, bool exact, const char *what)
{
	u8 bits[EXTENT_MAP_BYTES];
	u64 count = 0;
	u32 e, k;

	for (e = 0; e < EXTENTS; e++) {
		u8 *m = model[i] + e * EXTENT_MAP_BYTES;
		u8 *old = before[i] + e * EXTENT_MAP_BYTES;

		real_extent(i, e, bits);
		for (k = 0; k < EXTENT_MAP_BYTES; k++) {
			count += hweight8(bits[k]);
			if ((m[k] & ~bits[k]) || (exact && m[k] != bits[k]))
				break;
		}
		CHECK(k == EXTENT_MAP_BYTES, "%s: map %u extent %u byte %u: %x, model %x",
		      what, i, e, k, bits[k % 128], m[k % 128]);
		if (memcmp(old, bits, EXTENT_MAP_BYTES) &&
		    (u64)e * EXTENT_BLOCKS < limit)
			CHECK(dirty_is_stale(&d, e), "%s: extent %u", what, e);
		memcpy(m, bits, EXTENT_MAP_BYTES);
		memcpy(old, bits, EXTENT_MAP_BYTES);
	}
	CHECK(count == d.map[i].count, "%s: map %u: %llu counted, %llu said", what,
	      i, (unsigned long long)count, (unsigned long long)d.map[i].count);
}

static void check_scan(u32 i)
{
	u64 from = fake_rand() % (BLOCKS + 10), b = from, run;
	u32 max_run = fake_rand() % 64 + 1;

	while (b < limit && !get(model[i], b))
		b++;
	if (b >= limit)
		b = DIRTY_NONE;
	CHECK(dirty_next(&d, i, from) == b, "from %llu: %llu, model %llu",
	      (unsigned long long)from,
	      (unsigned long long)dirty_next(&d, i, from),
	      (unsigned long long)b);
	if (b == DIRTY_NONE)
		return;
	for (run = 0; run < max_run && b + run < limit &&
	     (b + run) / EXTENT_BLOCKS == b / EXTENT_BLOCKS &&
	     get(model[i], b + run); run++)
		;
	CHECK(dirty_run(&d, i, b, max_run) == run, "%llu: %u, model %llu",
	      (unsigned long long)b, dirty_run(&d, i, b, max_run),
	      (unsigned long long)run);
}

static u32 blocks_in(u32 e)
{
	u64 first = (u64)e * EXTENT_BLOCKS;

	return first >= limit ? 0 : min_t(u64, EXTENT_BLOCKS, limit - first);
}

static bool model_full(u32 i, u32 e)
{
	u32 b, n = blocks_in(e);

	for (b = 0; b < n; b++)
		if (!get(model[i], (u64)e * EXTENT_BLOCKS + b))
			return false;
	return n;
}

static void check_extents(u32 i)
{
	u32 e = fake_rand() % EXTENTS, n = 0, next = e;
	u8 bits[EXTENT_MAP_BYTES];

	while (e + n < EXTENTS && model_full(i, e + n))
		n++;
	/* A full extent may be held as bits after a failed allocation only. */
	if (!fake_alloc_fail)
		CHECK(dirty_full_run(&d, i, e) == n, "extent %u: %u, model %u",
		      e, dirty_full_run(&d, i, e), n);
	CHECK(dirty_full_run(&d, i, e) <= n);
	while (next < EXTENTS && !dirty_extent_get(&d, i, next, bits))
		next++;
	CHECK(dirty_next_extent(&d, i, e) == next, "extent %u: %u, model %u", e,
	      dirty_next_extent(&d, i, e), next);
}

static void check_uniform(void)
{
	u32 c = fake_rand() % CHUNKS, full, i, e, end;

	if (!dirty_uniform(&d, c, &full))
		return;
	end = min(EXTENTS, (c + 1) * CHUNK_EXTENTS);
	for (i = 0; i < MAPS; i++)
		for (e = c * CHUNK_EXTENTS; e < end; e++)
			if (full & BIT(i))
				CHECK(model_full(i, e) || !blocks_in(e));
			else
				CHECK(!dirty_extent_full(&d, i, e));
}

/* What records on disk would say is as in memory now. */
static void forget_stale(void)
{
	u32 e = 0, n = 0;

	while ((e = dirty_next_stale(&d, e)) < EXTENTS) {
		CHECK(dirty_is_stale(&d, e));
		if (fake_rand() % 4)
			dirty_written(&d, e);
		e++;
		n++;
	}
	CHECK(n <= EXTENTS);
}

static bool all_set(u32 i, u64 first, u64 end)
{
	u64 b;

	for (b = first; b < end; b++)
		if (!get(model[i], b))
			return false;
	return first < end;
}

/* More room: a chunk or an extent that is full at the old end stays full. */
static void grow(u64 blocks)
{
	u64 old = limit, chunk = old - old % (CHUNK_EXTENTS * EXTENT_BLOCKS);
	u64 extent = old - old % EXTENT_BLOCKS;
	u32 i;

	dirty_limit(&d, blocks);
	limit = blocks;
	for (i = 0; i < MAPS; i++) {
		if (all_set(i, chunk, old))
			put(model[i], chunk, CHUNK_EXTENTS * EXTENT_BLOCKS, true);
		else if (all_set(i, extent, old))
			put(model[i], extent, EXTENT_BLOCKS, true);
	}
}

static void shrink(u64 blocks)
{
	u32 i;

	dirty_limit(&d, blocks);
	for (i = 0; i < MAPS; i++)
		put(model[i], blocks, BLOCKS - blocks, false);
	limit = blocks;
}

static void resize(u64 blocks)
{
	if (blocks < limit)
		shrink(blocks);
	else
		grow(blocks);
}

static const char *one_op(u32 i)
{
	u64 first = fake_rand() % BLOCKS, n = fake_rand() % 5000 + 1;
	u32 e = fake_rand() % EXTENTS, j = fake_rand() % MAPS, k;
	u8 bits[EXTENT_MAP_BYTES];

	if (fake_rand() % 4 == 0)
		n = fake_rand() % BLOCKS;
	if (fake_rand() % 4 == 0)
		n = 1;
	switch (fake_rand() % 64) {
	case 0:
		dirty_fill(&d, i);
		put(model[i], 0, limit, true);
		return "fill";
	case 1:
		dirty_clear_all(&d, i);
		put(model[i], 0, limit, false);
		return "clear all";
	case 2:
	case 3:
		dirty_or(&d, i, j);
		for (k = 0; k < EXTENTS * EXTENT_MAP_BYTES; k++)
			model[i][k] |= model[j][k];
		return "or";
	case 4:
		resize(fake_rand() % 3 ? BLOCKS - fake_rand() % 1000 :
		       fake_rand() % BLOCKS + 1);
		return "limit";
	case 5:
		dirty_chunk_fill(&d, i, e / CHUNK_EXTENTS);
		put(model[i], e / CHUNK_EXTENTS * (u64)CHUNK_EXTENTS * EXTENT_BLOCKS,
		    CHUNK_EXTENTS * EXTENT_BLOCKS, true);
		return "chunk fill";
	case 6 ... 8:
		k = fake_rand() % (EXTENTS - e) + 1;
		dirty_fill_run(&d, i, e, k);
		put(model[i], (u64)e * EXTENT_BLOCKS, (u64)k * EXTENT_BLOCKS, true);
		return "fill run";
	case 9 ... 12:
		dirty_extent_fill(&d, i, e);
		put(model[i], (u64)e * EXTENT_BLOCKS, EXTENT_BLOCKS, true);
		return "extent fill";
	case 13 ... 18:
		for (k = 0; k < EXTENT_MAP_BYTES; k++) {
			bits[k] = fake_rand() % 8 ? 0 : fake_rand();
			for (u32 b = 0; b < 8; b++)
				if (bits[k] & (1 << b))
					put(model[i], (u64)e * EXTENT_BLOCKS +
					    k * 8 + b, 1, true);
		}
		dirty_extent_or(&d, i, e, bits);
		return "extent or";
	case 19 ... 40:
		dirty_clear_range(&d, i, first, n);
		put(model[i], first, n, false);
		return "clear";
	default:
		dirty_set_range(&d, i, first, n);
		put(model[i], first, n, true);
		return "set";
	}
}

static void random_ops(u64 seed, u32 fail)
{
	const char *what;
	u32 i, n;

	fake_seed(seed);
	limit = BLOCKS;
	CHECK(!dirty_init(&d, &f.res, MAPS, EXTENTS, CHUNKS, BLOCKS));
	for (i = 0; i < MAPS; i++) {
		model[i] = calloc(EXTENTS, EXTENT_MAP_BYTES);
		before[i] = calloc(EXTENTS, EXTENT_MAP_BYTES);
	}
	fake_alloc_fail = fail;
	for (n = 0; n < 400; n++) {
		what = one_op(n % MAPS);
		for (i = 0; i < MAPS; i++)
			compare(i, !fail, what);
		check_scan(n % MAPS);
		check_extents(n % MAPS);
		check_uniform();
		if (n % 16 == 0)
			forget_stale();
		CHECK(d.mem == (u64)f.mem);
	}
	fake_alloc_fail = 0;
	for (i = 0; i < MAPS; i++) {
		dirty_clear_all(&d, i);
		CHECK(!d.map[i].count);
		CHECK(dirty_next(&d, i, 0) == DIRTY_NONE);
		free(model[i]);
		free(before[i]);
	}
	CHECK(!d.mem && !f.mem, "%lld bytes left", (long long)f.mem);
	dirty_exit(&d);
}

static void like_a_bitmap(void)
{
	u64 seed;

	for (seed = 1; seed <= 3; seed++)
		random_ops(seed, 0);
}

static void without_memory(void)
{
	u64 seed;

	for (seed = 1; seed <= 2; seed++) {
		random_ops(100 + seed, 2 * seed);
		random_ops(200 + seed, 1);
	}
}

/* ---- memory ---- */

#define TIB16_EXTENTS	(4U << 20)
#define TIB16_CHUNKS	(16U << 10)
#define TIB16_BLOCKS	(4ULL << 30)

static void sparse_16_tib(void)
{
	u32 i, n;

	fake_seed(1);
	CHECK(!dirty_init(&d, &f.res, 2, TIB16_EXTENTS, TIB16_CHUNKS,
			  TIB16_BLOCKS));
	/* 64 MiB dirty in pieces of 64 KiB all over the volume */
	for (n = 0; n < 1024; n++)
		dirty_set_range(&d, 0, fake_rand() % (TIB16_BLOCKS / 16) * 16, 16);
	CHECK(d.mem < 4 << 20, "%llu bytes", (unsigned long long)d.mem);
	printf("# 64 MiB scattered over 16 TiB: %llu KiB of tree\n",
	       (unsigned long long)d.mem >> 10);
	for (i = 0; i < 2; i++)
		dirty_fill(&d, i);
	CHECK(d.mem == 0, "%llu bytes", (unsigned long long)d.mem);
	CHECK(d.map[0].count == TIB16_BLOCKS);
	CHECK(dirty_full_run(&d, 0, 0) == TIB16_EXTENTS);
	/* A resync that has done all but the end. */
	dirty_clear_range(&d, 0, 0, TIB16_BLOCKS - 12345);
	CHECK(d.map[0].count == 12345);
	CHECK(d.mem < 8192, "%llu bytes", (unsigned long long)d.mem);
	CHECK(dirty_next(&d, 0, 0) == TIB16_BLOCKS - 12345);
	dirty_exit(&d);
	CHECK(!f.mem);
}

static void worst_64_mib(void)
{
	u32 n;

	CHECK(!dirty_init(&d, &f.res, 1, TIB16_EXTENTS, TIB16_CHUNKS,
			  TIB16_BLOCKS));
	/* 64 MiB as single blocks, each in an extent and mostly a chunk of its own */
	for (n = 0; n < 16384; n++)
		dirty_set_range(&d, 0, (u64)n * CHUNK_EXTENTS * EXTENT_BLOCKS, 1);
	CHECK(d.mem < 40 << 20);
	printf("# 64 MiB in single blocks, one in every GiB: %llu KiB of tree\n",
	       (unsigned long long)d.mem >> 10);
	dirty_exit(&d);
	CHECK(!f.mem);
}

int main(void)
{
	fake_init(&f, 0);
	RUN(like_a_bitmap);
	RUN(without_memory);
	RUN(sparse_16_tib);
	RUN(worst_64_mib);
	fake_exit(&f);
	return tap_end();
}
