/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dirty maps: which blocks a peer lacks.
 *
 * One map for each slot of the metadata.  A map is a tree of two levels:
 * chunks of 1 GiB and extents of 4 MiB; each entry is clean, full, or points
 * to the next level, a leaf of 1024 bits at the end.  So memory follows what
 * is dirty and how scattered it is, not the size of the volume.
 *
 * Where there is no memory to set a bit, the extent or the chunk becomes full:
 * safe, only coarser.  Where there is none to clear a bit, it stays set.
 *
 * Any change marks the extent "stale": its record on disk does not say the
 * same.  While an extent is stale because bits were set, it must be in the
 * activity log, or the change must be written before anything relies on it.
 */
#ifndef REPL_DIRTY_H
#define REPL_DIRTY_H

#include "meta_format.h"

struct repl_res;
struct dirty_mid;

#define DIRTY_NONE	(~0ULL)

struct dirty_map {
	struct dirty_mid **top;	/* by chunk; NULL: clean, DIRTY_FULL: full */
	u64 count;		/* dirty blocks */
};

/**
 * struct dirty_set - all maps of a volume
 * @res: whose alloc and free operations are used
 * @map: by slot index
 * @nmaps: how many
 * @blocks: blocks of the volume; bits beyond are never set
 * @extents: extents that the layout covers
 * @chunks: chunks that the layout covers
 * @stale: bit per extent: the record on disk differs
 * @stale_in: stale extents, by chunk
 * @mem: bytes allocated for tree nodes
 */
struct dirty_set {
	struct repl_res *res;
	struct dirty_map map[META_MAX_SLOTS];
	u32 nmaps;
	u64 blocks;
	u32 extents;
	u32 chunks;
	u8 *stale;
	u16 *stale_in;
	u64 mem;
};

/**
 * dirty_init() - make empty maps; may sleep
 * Return: 0 or -ENOMEM.
 */
int dirty_init(struct dirty_set *d, struct repl_res *res, u32 nmaps,
	       u32 extents, u32 chunks, u64 blocks);

/** dirty_exit() - free everything */
void dirty_exit(struct dirty_set *d);

/**
 * dirty_limit() - the volume has @blocks from now on
 *
 * What is added is clean, but for the rest of a chunk or an extent that was
 * full at the old end.
 */
void dirty_limit(struct dirty_set *d, u64 blocks);

void dirty_set_range(struct dirty_set *d, u32 i, u64 first, u64 n);
void dirty_clear_range(struct dirty_set *d, u32 i, u64 first, u64 n);
void dirty_fill(struct dirty_set *d, u32 i);
void dirty_clear_all(struct dirty_set *d, u32 i);

/** dirty_or() - map @to gets the bits of map @from too */
void dirty_or(struct dirty_set *d, u32 to, u32 from);

/** dirty_next() - first dirty block at or after @from, or DIRTY_NONE */
u64 dirty_next(const struct dirty_set *d, u32 i, u64 from);

/** dirty_run() - number of dirty blocks in a row at @from, at most @max */
u32 dirty_run(const struct dirty_set *d, u32 i, u64 from, u32 max);

/** dirty_extent_get() - bits of one extent; false: all clean */
bool dirty_extent_get(const struct dirty_set *d, u32 i, u32 extent,
		      u8 bits[EXTENT_MAP_BYTES]);

/** dirty_extent_or() - set the given bits in one extent */
void dirty_extent_or(struct dirty_set *d, u32 i, u32 extent,
		     const u8 bits[EXTENT_MAP_BYTES]);

/** dirty_extent_fill() - set all bits of one extent */
void dirty_extent_fill(struct dirty_set *d, u32 i, u32 extent);

/** dirty_next_extent() - first extent at or after @from with a dirty block;
 * d->extents if there is none
 */
u32 dirty_next_extent(const struct dirty_set *d, u32 i, u32 from);

/** dirty_extent_full() - are all blocks of this extent dirty? */
bool dirty_extent_full(const struct dirty_set *d, u32 i, u32 extent);

/** dirty_full_run() - number of full extents in a row from @extent */
u32 dirty_full_run(const struct dirty_set *d, u32 i, u32 extent);

/** dirty_fill_run() - make @n extents from @extent full */
void dirty_fill_run(struct dirty_set *d, u32 i, u32 extent, u32 n);

/**
 * dirty_uniform() - is every map either all clean or all full in this chunk?
 * @full: mask of the full ones
 */
bool dirty_uniform(const struct dirty_set *d, u32 chunk, u32 *full);

/** dirty_chunk_fill() - set all bits of one chunk */
void dirty_chunk_fill(struct dirty_set *d, u32 i, u32 chunk);

bool dirty_is_stale(const struct dirty_set *d, u32 extent);
void dirty_written(struct dirty_set *d, u32 extent);
/** dirty_mark_stale() - its record does not say what the map says */
void dirty_mark_stale(struct dirty_set *d, u32 extent);
/** dirty_next_stale() - first stale extent at or after @from, or d->extents */
u32 dirty_next_stale(const struct dirty_set *d, u32 from);

#endif
