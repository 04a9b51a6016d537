// SPDX-License-Identifier: GPL-2.0
/* Dirty maps: see dirty.h for the shape. */
#include "core.h"
#include "dirty.h"

struct dirty_leaf {
	u16 count;
	u8 bits[EXTENT_MAP_BYTES];
};

struct dirty_mid {
	u16 used;		/* entries that are not clean */
	u16 full;		/* entries that are full */
	struct dirty_leaf *ext[CHUNK_EXTENTS];
};

#define CHUNK_BLOCKS	(CHUNK_EXTENTS * EXTENT_BLOCKS)
#define FULL_LEAF	((struct dirty_leaf *)1)
#define FULL_MID	((struct dirty_mid *)1)

int dirty_init(struct dirty_set *d, struct repl_res *res, u32 nmaps,
	       u32 extents, u32 chunks, u64 blocks)
{
	u32 i;

	memset(d, 0, sizeof(*d));
	d->res = res;
	d->extents = extents;
	d->chunks = chunks;
	d->blocks = blocks;
	d->nmaps = nmaps;
	d->stale = repl_zalloc(DIV_ROUND_UP(extents, 8));
	d->stale_in = repl_zalloc(chunks * sizeof(*d->stale_in));
	if (!d->stale || !d->stale_in)
		goto err;
	for (i = 0; i < nmaps; i++) {
		d->map[i].top = repl_zalloc(chunks * sizeof(*d->map[i].top));
		if (!d->map[i].top)
			goto err;
	}
	return 0;
err:
	dirty_exit(d);
	return -ENOMEM;
}

static void *node_alloc(struct dirty_set *d, size_t size)
{
	void *p = d->res->ops->alloc(d->res, size);

	if (p)
		d->mem += size;
	return p;
}

static void node_free(struct dirty_set *d, void *p, size_t size)
{
	d->mem -= size;
	d->res->ops->free(d->res, p, size);
}

static void leaf_drop(struct dirty_set *d, struct dirty_leaf *leaf)
{
	if (leaf && leaf != FULL_LEAF)
		node_free(d, leaf, sizeof(*leaf));
}

static void mid_drop(struct dirty_set *d, struct dirty_mid *mid)
{
	u32 e;

	if (!mid || mid == FULL_MID)
		return;
	for (e = 0; e < CHUNK_EXTENTS; e++)
		leaf_drop(d, mid->ext[e]);
	node_free(d, mid, sizeof(*mid));
}

void dirty_exit(struct dirty_set *d)
{
	u32 i, c;

	for (i = 0; i < d->nmaps; i++) {
		if (!d->map[i].top)
			continue;
		for (c = 0; c < d->chunks; c++)
			mid_drop(d, d->map[i].top[c]);
		repl_free(d->map[i].top);
		d->map[i].top = NULL;
	}
	repl_free(d->stale);
	repl_free(d->stale_in);
	d->stale = NULL;
	d->stale_in = NULL;
	d->nmaps = 0;
}

/* Blocks of the volume in extent @e, 0..EXTENT_BLOCKS. */
static u32 extent_blocks(const struct dirty_set *d, u32 e)
{
	u64 first = (u64)e * EXTENT_BLOCKS;

	if (first >= d->blocks)
		return 0;
	return min_t(u64, EXTENT_BLOCKS, d->blocks - first);
}

/* Extents of the volume in chunk @c, 0..CHUNK_EXTENTS. */
static u32 chunk_extents(const struct dirty_set *d, u32 c)
{
	u64 all = DIV_ROUND_UP_ULL(d->blocks, EXTENT_BLOCKS);
	u64 first = (u64)c * CHUNK_EXTENTS;

	if (first >= all)
		return 0;
	return min_t(u64, CHUNK_EXTENTS, all - first);
}

static u64 chunk_blocks(const struct dirty_set *d, u32 c)
{
	u64 per = (u64)CHUNK_EXTENTS * EXTENT_BLOCKS;
	u64 first = c * per;

	if (first >= d->blocks)
		return 0;
	return min_t(u64, per, d->blocks - first);
}

void dirty_mark_stale(struct dirty_set *d, u32 e)
{
	if (!(d->stale[e / 8] & (1 << (e % 8)))) {
		d->stale[e / 8] |= 1 << (e % 8);
		d->stale_in[e / CHUNK_EXTENTS]++;
	}
}

static void set_chunk_stale(struct dirty_set *d, u32 c)
{
	u32 e, end = min(d->extents, (c + 1) * CHUNK_EXTENTS);

	for (e = c * CHUNK_EXTENTS; e < end; e++)
		dirty_mark_stale(d, e);
}

bool dirty_is_stale(const struct dirty_set *d, u32 extent)
{
	return d->stale[extent / 8] & (1 << (extent % 8));
}

void dirty_written(struct dirty_set *d, u32 e)
{
	if (dirty_is_stale(d, e)) {
		d->stale[e / 8] &= ~(1 << (e % 8));
		d->stale_in[e / CHUNK_EXTENTS]--;
	}
}

u32 dirty_next_stale(const struct dirty_set *d, u32 from)
{
	u32 e = from;

	while (e < d->extents) {
		if (!d->stale_in[e / CHUNK_EXTENTS])
			e = (e / CHUNK_EXTENTS + 1) * CHUNK_EXTENTS;
		else if (!d->stale[e / 8] && e % 8 == 0)
			e += 8;
		else if (!dirty_is_stale(d, e))
			e++;
		else
			break;
	}
	return min(e, d->extents);
}

/* Whatever the chunk holds, it becomes clean. */
static void chunk_drop(struct dirty_set *d, u32 i, u32 c)
{
	struct dirty_map *m = &d->map[i];
	struct dirty_mid *mid = m->top[c];
	u32 e;

	if (mid == FULL_MID)
		m->count -= chunk_blocks(d, c);
	for (e = 0; mid && mid != FULL_MID && e < CHUNK_EXTENTS; e++) {
		if (mid->ext[e] == FULL_LEAF)
			m->count -= extent_blocks(d, c * CHUNK_EXTENTS + e);
		else if (mid->ext[e])
			m->count -= mid->ext[e]->count;
	}
	mid_drop(d, mid);
	m->top[c] = NULL;
}

void dirty_chunk_fill(struct dirty_set *d, u32 i, u32 c)
{
	if (d->map[i].top[c] == FULL_MID || !chunk_extents(d, c))
		return;
	chunk_drop(d, i, c);
	d->map[i].top[c] = FULL_MID;
	d->map[i].count += chunk_blocks(d, c);
	set_chunk_stale(d, c);
}

/* The entry of extent @e, or NULL after the whole chunk had to be filled. */
static struct dirty_mid *mid_for_set(struct dirty_set *d, u32 i, u32 c)
{
	struct dirty_mid **p = &d->map[i].top[c];

	if (!*p) {
		*p = node_alloc(d, sizeof(**p));
		if (!*p)
			dirty_chunk_fill(d, i, c);
	}
	return *p == FULL_MID ? NULL : *p;
}

static void collapse_if_full(struct dirty_set *d, u32 i, u32 c)
{
	struct dirty_mid *mid = d->map[i].top[c];

	if (mid->full == chunk_extents(d, c)) {
		mid_drop(d, mid);
		d->map[i].top[c] = FULL_MID;
	}
}

/* The extent becomes full: by request, because it is, or for want of memory. */
static void extent_becomes_full(struct dirty_set *d, u32 i, u32 e)
{
	struct dirty_map *m = &d->map[i];
	struct dirty_mid *mid = m->top[e / CHUNK_EXTENTS];
	struct dirty_leaf **p = &mid->ext[e % CHUNK_EXTENTS];

	m->count += extent_blocks(d, e);
	if (*p)
		m->count -= (*p)->count;
	else
		mid->used++;
	leaf_drop(d, *p);
	*p = FULL_LEAF;
	mid->full++;
	dirty_mark_stale(d, e);
	collapse_if_full(d, i, e / CHUNK_EXTENTS);
}

void dirty_extent_fill(struct dirty_set *d, u32 i, u32 e)
{
	struct dirty_mid *mid;

	if (!extent_blocks(d, e))
		return;
	mid = mid_for_set(d, i, e / CHUNK_EXTENTS);
	if (mid && mid->ext[e % CHUNK_EXTENTS] != FULL_LEAF)
		extent_becomes_full(d, i, e);
}

/* The leaf to set bits in; NULL if the extent is or has become full. */
static struct dirty_leaf *leaf_for_set(struct dirty_set *d, u32 i, u32 e)
{
	struct dirty_mid *mid = mid_for_set(d, i, e / CHUNK_EXTENTS);
	struct dirty_leaf **p;

	if (!mid)
		return NULL;
	p = &mid->ext[e % CHUNK_EXTENTS];
	if (*p == FULL_LEAF)
		return NULL;
	if (!*p) {
		*p = node_alloc(d, sizeof(**p));
		if (!*p) {
			extent_becomes_full(d, i, e);
			return NULL;
		}
		mid->used++;
	}
	return *p;
}

/* @in without the bits beyond the volume's end; false: nothing is left. */
static bool valid_bits(const struct dirty_set *d, u32 e,
		       const u8 in[EXTENT_MAP_BYTES], u8 out[EXTENT_MAP_BYTES])
{
	u32 n = extent_blocks(d, e), b;
	bool any = false;

	for (b = 0; b < EXTENT_MAP_BYTES; b++) {
		out[b] = in[b];
		if (b * 8 >= n)
			out[b] = 0;
		else if (n - b * 8 < 8)
			out[b] &= (1 << (n - b * 8)) - 1;
		any |= out[b];
	}
	return any;
}

void dirty_extent_or(struct dirty_set *d, u32 i, u32 e,
		     const u8 in[EXTENT_MAP_BYTES])
{
	u8 bits[EXTENT_MAP_BYTES];
	struct dirty_leaf *leaf;
	u32 b, count = 0;

	if (!valid_bits(d, e, in, bits))
		return;
	leaf = leaf_for_set(d, i, e);
	if (!leaf)
		return;
	for (b = 0; b < EXTENT_MAP_BYTES; b++) {
		leaf->bits[b] |= bits[b];
		count += hweight8(leaf->bits[b]);
	}
	if (count == leaf->count)
		return;
	d->map[i].count += count - leaf->count;
	leaf->count = count;
	dirty_mark_stale(d, e);
	if (count == extent_blocks(d, e))
		extent_becomes_full(d, i, e);
}

/* Bits @from..@from+@n-1 of an extent as bytes. */
static void bits_of_range(u8 bits[EXTENT_MAP_BYTES], u32 from, u32 n)
{
	u32 b;

	memset(bits, 0, EXTENT_MAP_BYTES);
	for (b = from; b < from + n; b++) {
		if (b % 8 == 0 && from + n - b >= 8) {
			bits[b / 8] = 0xff;
			b += 7;
		} else {
			bits[b / 8] |= 1 << (b % 8);
		}
	}
}

void dirty_set_range(struct dirty_set *d, u32 i, u64 first, u64 n)
{
	u64 end = min(first + n, d->blocks);
	u8 bits[EXTENT_MAP_BYTES];

	while (first < end) {
		u32 e = first / EXTENT_BLOCKS, from = first % EXTENT_BLOCKS;
		u32 len = min_t(u64, EXTENT_BLOCKS - from, end - first);

		if (len == extent_blocks(d, e)) {
			dirty_extent_fill(d, i, e);
		} else {
			bits_of_range(bits, from, len);
			dirty_extent_or(d, i, e, bits);
		}
		first += len;
	}
}

/* Split a full chunk into full extents; NULL: no memory. */
static struct dirty_mid *mid_split(struct dirty_set *d, u32 i, u32 c)
{
	struct dirty_mid *mid = node_alloc(d, sizeof(*mid));
	u32 e, n = chunk_extents(d, c);

	if (!mid)
		return NULL;
	for (e = 0; e < n; e++)
		mid->ext[e] = FULL_LEAF;
	mid->used = n;
	mid->full = n;
	d->map[i].top[c] = mid;
	return mid;
}

static struct dirty_leaf *leaf_split(struct dirty_set *d,
				     struct dirty_mid *mid, u32 e)
{
	struct dirty_leaf *leaf = node_alloc(d, sizeof(*leaf));

	if (!leaf)
		return NULL;
	leaf->count = extent_blocks(d, e);
	bits_of_range(leaf->bits, 0, leaf->count);
	mid->ext[e % CHUNK_EXTENTS] = leaf;
	mid->full--;
	return leaf;
}

static void extent_becomes_clean(struct dirty_set *d, u32 i, u32 e)
{
	struct dirty_mid **pm = &d->map[i].top[e / CHUNK_EXTENTS];
	struct dirty_leaf **p = &(*pm)->ext[e % CHUNK_EXTENTS];

	if (*p == FULL_LEAF)
		(*pm)->full--;
	leaf_drop(d, *p);
	*p = NULL;
	if (!--(*pm)->used) {
		mid_drop(d, *pm);
		*pm = NULL;
	}
}

static void clear_in_extent(struct dirty_set *d, u32 i, u32 e, u32 from, u32 n)
{
	struct dirty_map *m = &d->map[i];
	struct dirty_mid *mid = m->top[e / CHUNK_EXTENTS];
	struct dirty_leaf *leaf;
	u32 b, cleared = 0;

	if (mid == FULL_MID)
		mid = mid_split(d, i, e / CHUNK_EXTENTS);
	leaf = mid ? mid->ext[e % CHUNK_EXTENTS] : NULL;
	if (!leaf)
		return;
	if (n == extent_blocks(d, e)) {
		m->count -= leaf == FULL_LEAF ? n : leaf->count;
		extent_becomes_clean(d, i, e);
		dirty_mark_stale(d, e);
		return;
	}
	if (leaf == FULL_LEAF)
		leaf = leaf_split(d, mid, e);
	if (!leaf)
		return;
	for (b = from; b < from + n; b++) {
		u8 bit = 1 << (b % 8);

		cleared += !!(leaf->bits[b / 8] & bit);
		leaf->bits[b / 8] &= ~bit;
	}
	leaf->count -= cleared;
	m->count -= cleared;
	if (cleared)
		dirty_mark_stale(d, e);
	if (!leaf->count)
		extent_becomes_clean(d, i, e);
}

void dirty_clear_range(struct dirty_set *d, u32 i, u64 first, u64 n)
{
	u64 end = min(first + n, d->blocks);

	while (first < end) {
		u32 e = first / EXTENT_BLOCKS, from = first % EXTENT_BLOCKS;
		u32 len = min_t(u64, EXTENT_BLOCKS - from, end - first);

		clear_in_extent(d, i, e, from, len);
		first += len;
	}
}

void dirty_fill(struct dirty_set *d, u32 i)
{
	u32 c;

	for (c = 0; c < d->chunks; c++)
		dirty_chunk_fill(d, i, c);
}

void dirty_clear_all(struct dirty_set *d, u32 i)
{
	u32 c;

	for (c = 0; c < d->chunks; c++) {
		if (!d->map[i].top[c])
			continue;
		set_chunk_stale(d, c);
		chunk_drop(d, i, c);
	}
}

void dirty_or(struct dirty_set *d, u32 to, u32 from)
{
	u8 bits[EXTENT_MAP_BYTES];
	u32 e = 0;

	while ((e = dirty_next_extent(d, from, e)) < d->extents) {
		if (d->map[from].top[e / CHUNK_EXTENTS] == FULL_MID) {
			dirty_chunk_fill(d, to, e / CHUNK_EXTENTS);
			e = (e / CHUNK_EXTENTS + 1) * CHUNK_EXTENTS;
			continue;
		}
		if (dirty_extent_full(d, from, e))
			dirty_extent_fill(d, to, e);
		else if (dirty_extent_get(d, from, e, bits))
			dirty_extent_or(d, to, e, bits);
		e++;
	}
}

/* What is full at the old end @last, of a chunk or an extent, reaches further. */
static void edge_grows(struct dirty_set *d, u32 i, u64 last)
{
	u32 e = last / EXTENT_BLOCKS, c = e / CHUNK_EXTENTS;
	struct dirty_map *m = &d->map[i];

	if (c >= d->chunks || !m->top[c])
		return;
	if (m->top[c] == FULL_MID) {
		m->count += chunk_blocks(d, c) - last % CHUNK_BLOCKS;
		set_chunk_stale(d, c);
	} else if (m->top[c]->ext[e % CHUNK_EXTENTS] == FULL_LEAF) {
		m->count += extent_blocks(d, e) - last % EXTENT_BLOCKS;
		dirty_mark_stale(d, e);
	}
}

static void grow(struct dirty_set *d, u64 blocks)
{
	u64 last = d->blocks;
	u32 i;

	d->blocks = blocks;
	for (i = 0; i < d->nmaps; i++)
		edge_grows(d, i, last);
}

/* Nothing of chunk @c remains behind the new end @blocks, which is in there. */
static void edge_shrinks(struct dirty_set *d, u32 i, u32 c, u64 blocks)
{
	u32 e = blocks / EXTENT_BLOCKS, from = blocks % EXTENT_BLOCKS;
	u32 end = c * CHUNK_EXTENTS + chunk_extents(d, c);
	struct dirty_map *m = &d->map[i];

	if (!m->top[c])
		return;
	if (m->top[c] == FULL_MID) {
		m->count -= chunk_blocks(d, c) - blocks % CHUNK_BLOCKS;
		if (blocks % CHUNK_BLOCKS == 0)
			m->top[c] = NULL;
		set_chunk_stale(d, c);
		return;
	}
	if (from && m->top[c]->ext[e % CHUNK_EXTENTS] == FULL_LEAF) {
		m->count -= extent_blocks(d, e) - from;
		dirty_mark_stale(d, e);
		e++;
		from = 0;
	}
	for (; e < end && m->top[c]; e++, from = 0)
		clear_in_extent(d, i, e, from, extent_blocks(d, e) - from);
}

/* All that is left of the chunk or the extent at the end may be dirty. */
static void edge_collapses(struct dirty_set *d, u32 i, u32 c)
{
	u32 e = d->blocks / EXTENT_BLOCKS;
	struct dirty_mid *mid = d->map[i].top[c];
	struct dirty_leaf *leaf;

	if (!mid || mid == FULL_MID)
		return;
	leaf = mid->ext[e % CHUNK_EXTENTS];
	if (leaf && leaf != FULL_LEAF && leaf->count == extent_blocks(d, e))
		extent_becomes_full(d, i, e);
	else
		collapse_if_full(d, i, c);
}

static void shrink(struct dirty_set *d, u64 blocks)
{
	u32 first = blocks / CHUNK_BLOCKS, i, c;

	for (i = 0; i < d->nmaps; i++) {
		edge_shrinks(d, i, first, blocks);
		for (c = first + 1; c < d->chunks; c++)
			chunk_drop(d, i, c);
	}
	d->blocks = blocks;
	for (i = 0; i < d->nmaps; i++)
		edge_collapses(d, i, first);
}

void dirty_limit(struct dirty_set *d, u64 blocks)
{
	if (blocks > d->blocks)
		grow(d, blocks);
	else if (blocks < d->blocks)
		shrink(d, blocks);
}

bool dirty_extent_full(const struct dirty_set *d, u32 i, u32 e)
{
	const struct dirty_mid *mid = d->map[i].top[e / CHUNK_EXTENTS];

	if (mid == FULL_MID)
		return extent_blocks(d, e);
	return mid && mid->ext[e % CHUNK_EXTENTS] == FULL_LEAF;
}

u32 dirty_full_run(const struct dirty_set *d, u32 i, u32 extent)
{
	u32 e = extent;

	while (e < d->extents && dirty_extent_full(d, i, e)) {
		if (d->map[i].top[e / CHUNK_EXTENTS] == FULL_MID)
			e = min_t(u64, (e / CHUNK_EXTENTS + 1) * CHUNK_EXTENTS,
				  DIV_ROUND_UP_ULL(d->blocks, EXTENT_BLOCKS));
		else
			e++;
	}
	return e - extent;
}

void dirty_fill_run(struct dirty_set *d, u32 i, u32 extent, u32 n)
{
	u32 end = extent + n;

	while (extent < end) {
		if (extent % CHUNK_EXTENTS == 0 &&
		    end - extent >= chunk_extents(d, extent / CHUNK_EXTENTS)) {
			dirty_chunk_fill(d, i, extent / CHUNK_EXTENTS);
			extent += CHUNK_EXTENTS;
		} else {
			dirty_extent_fill(d, i, extent++);
		}
	}
}

bool dirty_extent_get(const struct dirty_set *d, u32 i, u32 e,
		      u8 bits[EXTENT_MAP_BYTES])
{
	const struct dirty_mid *mid = d->map[i].top[e / CHUNK_EXTENTS];
	const struct dirty_leaf *leaf;

	if (dirty_extent_full(d, i, e)) {
		bits_of_range(bits, 0, extent_blocks(d, e));
		return true;
	}
	leaf = mid && mid != FULL_MID ? mid->ext[e % CHUNK_EXTENTS] : NULL;
	if (leaf)
		memcpy(bits, leaf->bits, EXTENT_MAP_BYTES);
	else
		memset(bits, 0, EXTENT_MAP_BYTES);
	return leaf;
}

u32 dirty_next_extent(const struct dirty_set *d, u32 i, u32 from)
{
	u32 e = from, end = DIV_ROUND_UP_ULL(d->blocks, EXTENT_BLOCKS);

	while (e < end) {
		const struct dirty_mid *mid = d->map[i].top[e / CHUNK_EXTENTS];

		if (!mid) {
			e = (e / CHUNK_EXTENTS + 1) * CHUNK_EXTENTS;
			continue;
		}
		if (mid == FULL_MID || mid->ext[e % CHUNK_EXTENTS])
			return e;
		e++;
	}
	return d->extents;
}

/* First block at or after @from in extent @e whose bit is @value. */
static u32 scan_extent(const struct dirty_set *d, u32 i, u32 e, u32 from,
		       bool value)
{
	u32 n = extent_blocks(d, e), b = from;
	u8 bits[EXTENT_MAP_BYTES];
	u8 skip = value ? 0 : 0xff;

	dirty_extent_get(d, i, e, bits);
	while (b < n) {
		if (b % 8 == 0 && bits[b / 8] == skip)
			b += 8;
		else if (!!(bits[b / 8] & (1 << (b % 8))) != value)
			b++;
		else
			break;
	}
	return min(b, n);
}

u64 dirty_next(const struct dirty_set *d, u32 i, u64 from)
{
	while (from < d->blocks) {
		u32 e = from / EXTENT_BLOCKS, next, b;

		next = dirty_next_extent(d, i, e);
		if (next >= d->extents)
			break;
		if (next != e) {
			e = next;
			from = (u64)e * EXTENT_BLOCKS;
		}
		b = scan_extent(d, i, e, from % EXTENT_BLOCKS, true);
		if (b < extent_blocks(d, e))
			return (u64)e * EXTENT_BLOCKS + b;
		from = ((u64)e + 1) * EXTENT_BLOCKS;
	}
	return DIRTY_NONE;
}

u32 dirty_run(const struct dirty_set *d, u32 i, u64 from, u32 max_blocks)
{
	u32 e = from / EXTENT_BLOCKS, b = from % EXTENT_BLOCKS;

	return min(scan_extent(d, i, e, b, false) - b, max_blocks);
}

bool dirty_uniform(const struct dirty_set *d, u32 chunk, u32 *full)
{
	u32 i;

	*full = 0;
	for (i = 0; i < d->nmaps; i++) {
		const struct dirty_mid *mid = d->map[i].top[chunk];

		if (mid && mid != FULL_MID)
			return false;
		if (mid)
			*full |= BIT(i);
	}
	return true;
}
