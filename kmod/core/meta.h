/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Metadata: layout, encoding and decoding.  Pure functions on buffers, used by
 * the core, by the tool (create-md, show-md) and by the fuzzer.  None of them
 * sleeps or allocates.
 */
#ifndef REPL_META_H
#define REPL_META_H

#include "meta_format.h"

enum meta_error {
	META_OK,
	META_NO_MAGIC,		/* no metadata here */
	META_BAD_CRC,		/* both copies damaged */
	META_BAD_VERSION,
	META_BAD_FIELD,		/* a field contradicts another or the device */
	META_TOO_SMALL,		/* device too small for metadata and data */
	META_SHRUNK,		/* device smaller than when it was made */
	META_OF_WITNESS,	/* no data belongs to it */
};

/**
 * meta_text() - an outcome in words
 * @e: the outcome
 */
const char *meta_text(enum meta_error e);

/**
 * struct meta_geom - where things are
 * @area: byte offset of the metadata area on its device
 * @area_bytes: its size
 * @l1_off: chunk table, from @area
 * @rec_off: records, from @area
 * @sb_off: superblock copy A, from @area; copy B follows
 * @rec_size: bytes of a record: a power of two from 512 to 4096
 * @max_sectors: data sectors that the layout covers
 * @extents: extents of @max_sectors
 * @chunks: chunks of @max_sectors
 */
struct meta_geom {
	u64 area;
	u64 area_bytes;
	u64 l1_off;
	u64 rec_off;
	u64 sb_off;
	u32 rec_size;
	u64 max_sectors;
	u32 extents;
	u32 chunks;
};

/**
 * meta_layout() - compute the layout for new metadata
 * @data_bytes: size of the backing device
 * @meta_bytes: size of the metadata device; 0: internal
 * @slots: peers to make room for, 1..META_MAX_SLOTS
 * @g: filled in on success
 *
 * Return: META_OK, META_TOO_SMALL or META_BAD_FIELD.
 */
enum meta_error meta_layout(u64 data_bytes, u64 meta_bytes, u32 slots,
			    struct meta_geom *g);

/**
 * struct meta_create - what create-md is told
 * @node: own node id, 0xff: not known yet, set at the first attach
 * @volume: volume number
 * @slots: peers to make room for
 * @lbs: logical block size of the backing device
 * @external: the metadata has a device of its own
 * @witness: it has, and there is no data
 * @replica: a random number other than 0
 */
struct meta_create {
	u8 node;
	u8 volume;
	u32 slots;
	u32 lbs;
	bool external;
	bool witness;
	u64 replica;
};

/**
 * meta_sb_new() - a fresh superblock: no data set, Inconsistent if there is data
 * @buf: META_SB_SIZE bytes, filled in and sealed; write it as both copies,
 *	with blocks of zeroes for the activity log
 * @g: the layout
 * @c: parameters
 */
void meta_sb_new(void *buf, const struct meta_geom *g,
		 const struct meta_create *c);

/** meta_sb_seal() - set the checksum of a superblock of META_SB_SIZE bytes */
void meta_sb_seal(void *buf);

/**
 * meta_sb_grow() - a superblock for a larger device
 * @buf: a valid one of META_SB_SIZE bytes, changed and sealed
 * @g: the layout there, with as many slots
 */
void meta_sb_grow(void *buf, const struct meta_geom *g);

/**
 * meta_sb_offset() - where copy A is on the device that holds the metadata
 * @dev_bytes: size of that device
 *
 * Copy B follows META_SB_SIZE later.  The device must hold two copies.
 */
u64 meta_sb_offset(u64 dev_bytes);

/**
 * meta_sb_pick() - choose the valid one of two copies and check it
 * @a: copy A, META_SB_SIZE bytes
 * @b: copy B
 * @data_bytes: size of the backing device
 * @meta_bytes: size of the metadata device; 0: internal
 * @out: the chosen superblock
 * @g: its layout
 *
 * Every field is checked, so that what is accepted can be used unchecked.
 */
enum meta_error meta_sb_pick(const void *a, const void *b, u64 data_bytes,
			     u64 meta_bytes, const struct meta_sb **out,
			     struct meta_geom *g);

/**
 * meta_al_check() - is this a valid activity log block?
 * @blk: the block
 * @replica: id of the metadata
 * @extents: number of extents of the volume
 */
bool meta_al_check(const struct meta_al_block *blk, u64 replica, u32 extents);

/** meta_al_seal() - set the checksum */
void meta_al_seal(struct meta_al_block *blk);

/** meta_l1_check() - is this sector of the chunk table valid? */
bool meta_l1_check(const struct meta_l1_sector *s, u64 replica, u32 index);

/** meta_l1_seal() - set the checksum */
void meta_l1_seal(struct meta_l1_sector *s);

enum meta_rec_state {
	META_REC_VALID,
	META_REC_NONE,		/* never written in this epoch: defaults hold */
	META_REC_DAMAGED,	/* written, unreadable: all dirty */
};

/**
 * meta_rec_check() - does this record count for @extent in @epoch?
 *
 * A write that a crash tore leaves either the old head (then nothing relied
 * on it yet, and what held before holds) or the new head over a wrong body.
 */
enum meta_rec_state meta_rec_check(const struct meta_rec *r, u32 rec_size,
				   u32 extent, u32 epoch);

/** meta_rec_seal() - set the checksum */
void meta_rec_seal(struct meta_rec *r, u32 rec_size);

#endif
