/* SPDX-License-Identifier: GPL-2.0 */
/* States that a node can be brought into by real events and packets. */
#ifndef UNIT_SCENES_H
#define UNIT_SCENES_H

#include "shell.h"

#define SCENE_DATA	(96ULL << 20)
#define REIGN		(1ULL << SET_TERM_SHIFT)	/* the first version of one */

enum scene {
	SCENE_FRESH,		/* blank disk, peer just connected */
	SCENE_SECONDARY,	/* in step with a primary */
	SCENE_SOURCE,		/* a resync from us runs */
	SCENE_TARGET,		/* a resync to us runs, beside a primary */
	SCENE_PRIMARY,		/* with one peer in step and one away */
	SCENE_DISKLESS,		/* primary without a disk, on its peer's data */
	SCENES,
};

/* An image with good data of data set 9, generation 1 of node 0. */
void scene_format(struct fake *f);
void scene(struct fake *f, enum scene which);
/* A member of the set @version, of all nodes, when it starts. */
void scene_member(struct fake *f, u32 npeers, u8 policy, bool votes,
		  u64 version);
/* Peer @i votes for us; confirms all sets that we tell of; gives us the lease. */
void scene_vote(struct fake *f, u32 i, u8 flags);
void scene_confirm(struct fake *f, u32 i);
void scene_promise(struct fake *f, u32 i);

#endif
