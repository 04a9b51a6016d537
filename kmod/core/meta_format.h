/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Metadata on disk.  docs/disk-format.md tells how it is used.  Everything is
 * little endian, in units of META_BLOCK (4 KiB), addressed from the start of
 * the metadata area:
 *
 *	0	 activity log: META_AL_BLOCKS ring entries of one block
 *	l1_off	 chunk table: one sector for META_L1_PER_SECTOR chunks
 *	rec_off	 dirty map records: one for every extent
 *	sb_off	 superblock copies A and B, META_SB_SIZE each, at the very end
 *
 * With internal metadata the area is the end of the backing device, rounded
 * down to 4 KiB; with external metadata it is the end of the other device.
 * So the superblock is always found from the end.
 *
 * A witness has an area of the same shape, for a device of META_WITNESS_DATA
 * that does not exist: only the superblock has a meaning.
 */
#ifndef REPL_META_FORMAT_H
#define REPL_META_FORMAT_H

#include "platform.h"
#include "wire.h"

#define META_BLOCK		4096U
#define META_MAGIC		0x31305245504b4c42ULL	/* "BLKPER01" */
#define META_AL_MAGIC		0x474c4152U		/* "RALG" */
#define META_VERSION		2
#define META_VERSION_MIN	1	/* numbered sets otherwise: see load.c */
#define META_SB_SIZE		8192U
#define META_AL_BLOCKS		32U
#define META_AL_MAX		1000U	/* hot extents that fit one block */
#define META_AL_MIN		7U
#define META_MAX_SLOTS		31U	/* peers a replica can remember */
#define META_WITNESS_DATA	META_BLOCK	/* what a witness's layout covers */

#define SECTOR_BYTES		512U
#define BLOCK_BYTES		4096U	/* a bit of the dirty map */
#define BLOCK_SECTORS		8U
#define EXTENT_BYTES		(4U << 20)	/* an entry of the activity log */
#define EXTENT_SECTORS		8192U
#define EXTENT_BLOCKS		1024U
#define EXTENT_MAP_BYTES	(EXTENT_BLOCKS / 8)
#define CHUNK_EXTENTS		256U	/* 1 GiB: an entry of the chunk table */

/* sb.flags */
#define META_F_UNCLEAN		(1U << 0)	/* attached: the log counts */
#define META_F_INCONSISTENT	(1U << 1)
#define META_F_OUTDATED		(1U << 2)
#define META_F_PRIMARY		(1U << 3)	/* is Primary, or was the last one */
#define META_F_CRASHED		(1U << 4)	/* lost its caches or was filled, not reconciled */
#define META_F_EXTERNAL		(1U << 5)
#define META_F_WITNESS		(1U << 6)	/* no data belongs to it */
#define META_F_RESIGNED		(1U << 7)	/* Primary no more by force */
#define META_F_ALL		0xff

/* slot.flags */
#define META_SLOT_USED		(1U << 0)
#define META_SLOT_SINCE		(1U << 1)	/* @since is valid */
#define META_SLOT_BEGUN		(1U << 2)	/* a sync of it has begun since */

/**
 * struct meta_slot - what a replica remembers of one peer
 * @node: the peer's node id
 * @flags: META_SLOT_*
 * @pad: 0
 * @replica: replica id that the peer had; another one means that the peer's
 *	disk was made anew and nothing here holds for it
 * @since: vector since which the dirty map for this peer is complete
 */
struct meta_slot {
	u8 node;
	u8 flags;
	u8 pad[6];
	__le64 replica;
	__le32 since[REPL_NODES];
} __attribute__((packed));

/**
 * struct meta_sb - superblock
 * Two copies are written in turn; the valid one with the higher @writes is
 * the superblock.
 * @crc: crc32c of the rest of the META_SB_SIZE bytes
 * @version: META_VERSION; read from META_VERSION_MIN on
 * @magic: META_MAGIC
 * @writes: counts the writes of the superblock
 * @replica: random id of this metadata
 * @dataset: random id of the data set, 0: none yet
 * @sectors: size of the replicated volume in sectors, 0: not agreed yet
 * @max_sectors: data sectors of the backing device that the layout covers
 * @area_bytes: size of the metadata area
 * @l1_off: byte offset of the chunk table in the area
 * @rec_off: byte offset of the records in the area
 * @term: newest term known
 * @seq: position: the last write of the resource known to be on this disk
 * @set_version: version of the in-sync set: term of the reign from bit 40, number in
 *	it from bit 16, how often renewed since from bit 2, whether votes decided (bit
 *	1), whether the reign was forced (bit 0)
 * @vote_term: term in which @voted_for got this node's vote
 * @in_sync: in-sync set, bit n is node n
 * @flags: META_F_*
 * @lbs: logical block size at creation
 * @rec_size: bytes of a dirty map record
 * @al_extents: hot extents (a run-time setting, kept for attach)
 * @node: own node id
 * @volume: volume number
 * @slots: number of entries in @slot
 * @voted_for: node id, 0xff: nobody
 * @lineage: own version vector
 * @slot: peers; the index is the position in the records
 * @own_gen: newest generation number that this node has reserved as Primary; it
 *	may never have been used, but is not used again
 * @pos_term: reign in which @pos_seq was numbered
 * @pos_seq: last write of the stream that this disk has, with all before; exact
 *	only after a clean end
 * @grown_from: what lies behind this sector was added not long ago and is dirty
 *	towards everybody, whatever the records say; 0: they say all
 * @keepers: voters beside the members that keep this set, by node id: who counts
 *	it as durable counts them too
 * @kept_before: version of the last set that a majority kept and that this node knew,
 *	if it has learned since of one that fewer keep; older sets don't count
 * @log_dev: reserved for the replication log
 */
struct meta_sb {
	__le32 crc;
	__le32 version;
	__le64 magic;
	__le64 writes;
	__le64 replica;
	__le64 dataset;
	__le64 sectors;
	__le64 max_sectors;
	__le64 area_bytes;
	__le64 l1_off;
	__le64 rec_off;
	__le64 term;
	__le64 seq;
	__le64 set_version;
	__le64 vote_term;
	__le32 in_sync;
	__le32 flags;
	__le32 lbs;
	__le32 rec_size;
	__le32 al_extents;
	u8 node;
	u8 volume;
	u8 slots;
	u8 voted_for;
	__le32 lineage[REPL_NODES];
	struct meta_slot slot[META_MAX_SLOTS];
	__le32 own_gen;
	__le64 pos_term;
	__le64 pos_seq;
	__le64 grown_from;
	__le32 keepers;
	__le64 kept_before;
	u8 log_dev[28];
} __attribute__((packed));
static_assert(sizeof(struct meta_sb) <= META_SB_SIZE, "superblock");

/**
 * struct meta_al_block - one activity log transaction: the whole table
 * @crc: crc32c of the rest of the block
 * @magic: META_AL_MAGIC
 * @tr: number of the transaction; block tr % META_AL_BLOCKS of the ring
 * @replica: as in the superblock, so that an old log is never believed
 * @count: number of entries
 * @pad: 0
 * @extent: the hot extents
 */
struct meta_al_block {
	__le32 crc;
	__le32 magic;
	__le64 tr;
	__le64 replica;
	__le32 count;
	__le32 pad[9];
	__le32 extent[META_AL_MAX];
	u8 fill[META_BLOCK - 64 - 4 * META_AL_MAX];
} __attribute__((packed));
static_assert(sizeof(struct meta_al_block) == META_BLOCK, "log block");

/**
 * struct meta_l1 - state of a chunk's dirty bits
 * @epoch: records of the chunk count only if they carry this epoch
 * @full: mask of slot indexes whose bits are all set where no record counts,
 *	and META_L1_RECORDS: without it no record needs to be read
 *
 * So neither making nor filling a map writes the records: a new epoch with
 * @full does.
 */
struct meta_l1 {
	__le32 epoch;
	__le32 full;
} __attribute__((packed));

/* Bit of meta_l1.full: some record of this epoch may exist. */
#define META_L1_RECORDS	(1U << 31)

#define META_L1_PER_SECTOR	62U

/**
 * struct meta_l1_sector - a sector of the chunk table
 * @crc: crc32c of the rest of the sector
 * @index: its number in the table
 * @replica: as in the superblock
 * @l1: the chunks
 *
 * A sector that was never written, or that a crash tore, makes its chunks all
 * dirty for everybody: safe, only slow.
 */
struct meta_l1_sector {
	__le32 crc;
	__le32 index;
	__le64 replica;
	struct meta_l1 l1[META_L1_PER_SECTOR];
} __attribute__((packed));
static_assert(sizeof(struct meta_l1_sector) == SECTOR_BYTES, "l1 sector");

/**
 * struct meta_rec - dirty bits of one extent for all slots
 * @crc: crc32c of the rest of the record (rec_size bytes)
 * @extent: its number
 * @epoch: see struct meta_l1
 * @pad: 0
 * @bits: EXTENT_MAP_BYTES for each slot index
 */
struct meta_rec {
	__le32 crc;
	__le32 extent;
	__le32 epoch;
	__le32 pad;
	u8 bits[][EXTENT_MAP_BYTES];
} __attribute__((packed));

#endif
