/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The smallest shell that the core can live in: one node, one volume, a few
 * peers that exist only as packets.  Nothing happens by itself: what the core
 * asks for is queued until the test lets it happen.  Every object that the
 * core owns is counted, so that one which is never released, or released
 * twice, is noticed.
 */
#ifndef UNIT_SHELL_H
#define UNIT_SHELL_H

#include "internal.h"

#define FAKE_PEERS	3	/* nodes 1, 2, 3; we are node 0 */
#define FAKE_LBS	512

struct fake_io {
	struct repl_io io;
	struct list_head all;
	struct list_head disk;		/* on the disk's queue */
	struct fake *f;
	bool ours;			/* completed, not released */
	bool done;
	bool disk_done;
	int err;
};

/* A packet that the core has sent. */
struct fake_pkt {
	struct list_head link;
	u8 node;
	struct repl_wire_hdr h;
	u8 payload[REPL_MAX_INLINE];
};

struct fake {
	struct repl_res res;
	struct repl_vol vol;
	struct repl_peer peer[FAKE_PEERS];
	u64 data_bytes;
	u64 meta_bytes;
	u8 *img;			/* the last @img_bytes of the metadata device */
	u64 img_bytes;
	struct list_head ios;
	struct list_head disk;
	struct list_head pkts;
	struct repl_mio *mio;
	u32 mios;			/* metadata writes done */
	u32 live;			/* struct fake_io not freed */
	s64 mem;			/* bytes allocated by ->alloc */
	u32 npkts;
	bool in_use;		/* programs have the device open */
	bool has_writers;	/* for writing */
	bool keep_pkts;
	bool want_down[FAKE_PEERS];
	bool closed;
	int vote_err;			/* 1: not yet */
	struct repl_peer *vote_by;	/* who was against it */
	char vote_why[256];
	u32 completed;
	void (*issued)(struct fake_io *io);	/* hook of a test */
	/* called with the write before it reaches the image; may shorten it */
	u32 (*torn)(struct fake *f, const struct repl_mio *mio);
};

/* One in so many allocations fails; 0: none. */
extern u32 fake_alloc_fail;

u64 fake_rand(void);
void fake_seed(u64 seed);

/* Make the metadata of a new volume; @slots peers, @meta_bytes 0: internal. */
void fake_format(struct fake *f, u64 data_bytes, u64 meta_bytes, u32 slots);
/* Superblock to be changed; fake_seal() afterwards makes both copies so. */
struct meta_sb *fake_sb(struct fake *f);
void fake_seal(struct fake *f);
/* Byte at @offset of the metadata area. */
u8 *fake_area(struct fake *f, u64 offset);

void fake_init(struct fake *f, u32 npeers);
/* A volume 1 of @f's node, whose disk is @second's; and away with it. */
void fake_add_vol(struct fake *f, struct fake *second);
void fake_del_vol(struct fake *second);
int fake_load(struct fake *f, struct repl_store **s, const char **why);
int fake_attach(struct fake *f);
void fake_detach(struct fake *f);
void fake_crash(struct fake *f);
/* Everything ends: connections, I/O, disk; all must have been given back. */
void fake_exit(struct fake *f);

bool fake_meta_step(struct fake *f);
bool fake_disk_step(struct fake *f, u32 which, int err);
/* Let all I/O happen until nothing is left to do. */
void fake_run(struct fake *f);

struct fake_io *fake_io_new(struct fake *f);
struct fake_io *fake_submit(struct fake *f, u8 op, u64 sector, u32 size);

void fake_up(struct fake *f, u32 i);
void fake_down(struct fake *f, u32 i);
/* A packet of peer @i: sealed, checked, then given to the core. */
enum repl_wire_error fake_rx(struct fake *f, u32 i, struct repl_wire_hdr *h,
			     const void *payload);
void fake_res_state(struct fake *f, u32 i, enum repl_role role);
void fake_vol_state(struct fake *f, u32 i, const struct repl_wire_vol_state *w);
/* What a peer with the same data as ours says. */
void fake_same_state(struct fake *f, u32 i, struct repl_wire_vol_state *w);
struct fake_pkt *fake_find(struct fake *f, u8 type);
void fake_forget(struct fake *f);

#endif
