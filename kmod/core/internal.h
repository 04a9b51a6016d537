/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the core share with each other and not with the shells.
 *
 * Who calls whom (node.c sees all):
 *
 *	node.c	   events, packets, ticks -> the modules
 *	setup.c	   resources, peers, volumes	admin.c	  invalidate, pause
 *	evaluate.c looks at the state as a whole and starts what follows from it
 *	decide.c   compares two replicas: a pure function
 *	branch.c   two that have diverged, and a policy
 *	announce.c tells the peers what has changed here
 *	ack.c	   when a write is complete, what a peer may lack
 *	appio.c read.c  application I/O		peerio.c  I/O for a primary elsewhere
 *	target.c   resync, receiving end	source.c  resync, giving end
 *	mapxfer.c  dirty maps over the wire		resize.c  growing
 *	members.c adopt.c  generations and in-sync set: making them, being told
 *	held.c	   I/O that is held		reign.c   the end of a reign
 *	keep.c	   who keeps a set		vote.c	  becoming Primary
 *	succession.c  Primary by itself		move.c	  in the place of another
 *	voter.c	   votes that others get	elect.c	  who has what counts
 *	lease.c	   when a Primary may read	witness.c voters without data
 *	dataset.c  blank disks declared equal	position.c how much a member has
 *	actlog.c   activity log and order of overlapping I/O
 *	metaio.c   the one writer of metadata	store.c	  a disk's life
 *	detach.c   letting go of a good disk	fence.c	  who may go on without whom
 *	edit.c	   who the nodes are
 *	dirty.c lineage.c meta.c wire.c hello.c	  data structures and formats
 */
#ifndef REPL_INTERNAL_H
#define REPL_INTERNAL_H

#include "core.h"
#include "appio.h"
#include "elect.h"
#include "keep.h"
#include "dirty.h"

#define NODE_NONE	0xff
#define SLOT_NONE	0xff

/* ---- activity log ---- */

#define AL_FREE		0xffffffffU
#define AL_HASH		256
#define AL_VICTIMS	64

enum slot_state { SLOT_FREE, SLOT_STAGED, SLOT_WRITING, SLOT_ACTIVE };

/**
 * struct repl_slot - a hot extent
 * @extent: its number, AL_FREE: slot is free
 * @refs: I/Os that need it; a slot with refs is not evicted
 * @state: staged, then in the transaction being written, then active
 * @unflushed: a write in it ended since the last flush began
 * @lru: free list, or the unreferenced active ones, oldest first
 * @hash: by extent
 * @spans: I/O in this extent, in order of arrival
 */
struct repl_slot {
	u32 extent;
	u32 refs;
	u8 state;
	bool unflushed;
	struct list_head lru;
	struct list_head hash;
	struct list_head spans;
};

struct repl_actlog {
	u32 nslots;
	struct repl_slot *slots;
	struct list_head free;
	struct list_head lru;
	struct list_head hash[AL_HASH];
	struct list_head waiting;	/* I/O without a slot, strictly in order */
	u64 entered;			/* I/O that has got its slots, ever */
	u64 entered_then;		/* ... as of the last tick */
	bool stuck;			/* none since then, and some waits */
	u32 staged;			/* slots in SLOT_STAGED */
	bool flush_needed;		/* an evicted extent was unflushed */
	u32 victims[AL_VICTIMS];	/* evicted and stale: records come first */
	u32 nvictims;
	u64 tr;				/* of the last transaction written */
};

/* ---- store: what exists only while there is a disk ---- */

struct repl_mslot {
	u8 node;
	bool used;
	bool since_valid;
	bool begun;		/* filled since then, so Inconsistent or of our lineage */
	u64 replica;
	struct repl_lineage since;
};

struct repl_chunk {
	u32 epoch;
	u32 full;		/* with META_L1_RECORDS */
};

/* What the metadata writer is doing. */
enum meta_job {
	JOB_NONE,
	JOB_SB,
	JOB_RECORD,		/* one block of records, or a chunk table sector */
	JOB_AL,
};

struct repl_store {
	struct repl_vol *vol;
	struct meta_geom g;
	u32 lbs;
	u8 nslots;
	u8 node;
	u64 replica;
	u64 sectors;
	u64 grown_from;		/* dirty from here on, records may not say so yet */
	u64 sb_writes;
	u32 flags;
	u64 term;
	u64 seq;
	u64 set_version;
	u64 kept_before;	/* see keep_set() */
	u64 vote_term;
	u8 voted_for;
	u64 vote_sb;		/* what a vote of ours waits for */
	u32 in_sync;
	u32 keepers;		/* of the set, beside the members */
	u64 dataset;
	u32 own_gen;		/* newest generation number of ours reserved */
	u64 pos_term, pos_seq;	/* as loaded */
	struct repl_lineage lineage;
	struct repl_mslot slot[META_MAX_SLOTS];
	struct dirty_set dirty;
	struct repl_chunk *chunk;
	struct repl_actlog al;
	u32 disk_ios;		/* ->disk_io() under way */

	/* metadata writer, metaio.c */
	struct repl_mio mio;
	enum meta_job job;
	bool job_l1;		/* JOB_RECORD writes the chunk table */
	u32 job_extent;
	bool sb_flush;		/* the next one needs the data on stable media */
	bool says_last;		/* the one before had META_F_PRIMARY */
	u64 sb_want;		/* changes asked for */
	u64 sb_started;		/* of these, in the write under way */
	u64 sb_durable;		/* of these, on stable media */
	u64 commit_sb;		/* what a commit of ours waits for */
	u64 members_sb;		/* what an acknowledged MEMBERS waits for */
	bool checkpoint;	/* write all stale records */
	u32 checkpoint_at;
	u64 leave_by_ms;	/* 0: not to be let go of, see detach.c */
	bool detaching;
	bool closed_clean;	/* the last superblock says clean */
	u8 *map_buf;		/* for mapxfer.c */
	u8 *sb_buf;
	u8 *al_buf;
	u8 *rec_buf;
};

/* ---- one volume towards one peer ---- */

/* repl_wire_vol_state in host order. */
struct repl_vstate {
	u64 dataset;
	u64 replica;
	u64 sectors;
	u64 cur_sectors;
	u64 dirty;
	u64 set_version;
	u64 kept_before;
	u32 in_sync;
	u32 keepers;
	u32 lbs;
	u8 disk;
	u16 flags;
	struct repl_lineage lineage;
	struct repl_lineage since;
};

/* How far a commit of a generation or set has come. */
enum commit_step {
	COMMIT_IDLE,
	COMMIT_DRAIN,		/* members answer what is under way */
	COMMIT_META,		/* the set is written on our disks */
	COMMIT_LEAVERS,		/* who is to be no member any more hears of it */
	COMMIT_PEERS,		/* the peers confirm it and the lineage */
	COMMIT_SEAL,		/* the lineage is written on our disks */
};

/* How far a promotion has come. */
enum vote_step {
	VOTE_NONE,
	VOTE_MOVING,		/* a Primary is to step down first */
	VOTE_AGAIN,		/* a lease has to end before the trial */
	VOTE_TRIAL,		/* asked whether anybody would object */
	VOTE_OWN,		/* our own vote is being made durable */
	VOTE_ASKED,		/* asked for votes */
	VOTE_WON,		/* Primary; who is in step is looked at anew */
	VOTE_COMMITTING,	/* the first generation is being committed */
};

enum sync_step {
	SYNC_IDLE,
	/* target */
	SYNC_MAP_OUT,		/* begin is sent, our map follows */
	SYNC_PREPARE,		/* Inconsistent is being made durable */
	SYNC_MAP_IN,		/* started: writes and the source's map arrive */
	SYNC_CHECKPOINT,	/* the joint map is being made durable */
	SYNC_RUN,
	SYNC_FINISH,		/* UpToDate is being made durable */
	/* source */
	SYNC_S_MAP_IN,		/* the target's map arrives */
	SYNC_S_APPLY,		/* what an earlier primary has sent gets to our disk */
	SYNC_S_MERGE,		/* a merged lineage is being made durable */
	SYNC_S_READY,		/* the target becomes Inconsistent */
	SYNC_S_RUN,
};

#define RS_MAX_RANGES	64

struct repl_sync {
	enum sync_step step;
	u64 wait_sb;		/* store->sb_durable to wait for */
	u64 serial;		/* chosen by the target; tells it from others */
	bool full;
	/* map transfer */
	u32 map_at;		/* next extent to send */
	bool map_sending;
	u8 map_unacked;
	/* target */
	u64 cursor;		/* next block to look at */
	struct list_head reqs;	/* IO_RS_REQ and IO_RS_WRITE of this sync */
	u32 nreqs;
	u32 stable_wait;	/* ranges written and not flushed */
	struct repl_wire_range done[RS_MAX_RANGES];
	u32 flushing;		/* how many of them the flush covers */
	u32 digest_hits;	/* of the last requests, in 1/256 */
	bool plain;		/* without digests */
	bool trial;		/* to see how fast it is that way */
	u32 phase_ticks;	/* since it is done that way */
	u64 speed[2];		/* bytes/s with digests, plain; 0: not known */
	s64 tokens;		/* bytes that may be asked for now */
	u64 rate;		/* bytes/s */
	u64 tick_bytes;		/* done in the current interval */
	u64 app_seen;		/* application writes when last looked at */
	struct repl_sync_stat stat;
};

struct repl_pv {
	struct repl_vol *vol;
	struct repl_peer *peer;
	struct list_head by_vol;
	struct list_head by_peer;
	u8 slot;		/* index in the metadata, SLOT_NONE */
	bool known;		/* @peer_state is of this connection */
	bool receiving;		/* writes of ours go there */
	bool was_receiving;	/* did they, when the connection was lost? */
	bool paused;		/* by us */
	bool agreed;		/* was Established on this connection */
	bool in_step;		/* gets all our writes and lacks none before */
	bool given_up;		/* ours has diverged, and is the victim */
	bool behind;		/* fell behind the bound */
	bool turned_down;	/* it would not be our source just now */
	bool refused;		/* a write of its was; until it has filled us, or is lost */
	u64 set_after;		/* its last write before its word of this set */
	bool lacks;		/* acknowledged writes, if it is still at ... */
	struct repl_lineage lacks_at;
	enum repl_state state;
	struct repl_vstate peer_state;
	struct repl_wire_vol_state sent_state;
	struct repl_sync sync;
};

/* decide.c */
enum verdict {
	V_WAIT,			/* nothing can be done now */
	V_EQUAL,
	V_SOURCE,
	V_TARGET,
	V_DIVERGED,
	V_UNRELATED,		/* other data set */
	V_SIZE,			/* target too small */
	V_BLOCK_SIZE,
};

struct decide_node {
	const struct repl_vstate *vs;
	u8 node;
	bool primary;
	bool votes;		/* primaries are elected, on both */
};

/*
 * A version of a set, from its highest bits on: term of the reign; number in it; whether
 * all of it acknowledge; how often it was renewed, which makes a secondary's copy count
 * more than another's (source.c) and is no new set; whether a majority had to keep it;
 * whether the reign was forced.  So a later reign's sets are newer, whatever the earlier
 * counted to; and a reign's own go on growing when its marks are taken off or put on.
 */
#define SET_TERM_SHIFT	40
#define SET_FORCED	1ULL
#define SET_VOTED	2ULL	/* made where primaries are elected */
#define SET_MARKS	(SET_FORCED | SET_VOTED)
#define SET_RENEWED	4ULL	/* once more */
#define SET_BY_ALL	0x8000ULL	/* a write is on all of it, not on a majority only */
#define SET_NEXT	0x10000ULL	/* from one number to the next */

/* Which set it is, renewed or not. */
static inline u64 set_number(u64 version)
{
	return version & ~(SET_NEXT - 1);
}

/* Is it no set of its reign yet?  What one says who was elected, see elected_version(). */
static inline bool set_unbegun(u64 version)
{
	return !(set_number(version) << (64 - SET_TERM_SHIFT));
}

/* Never a number or mark that no Primary gave, not after 8,000 times. */
static inline u64 set_renew(u64 version)
{
	u64 v = version + SET_RENEWED;

	return (v ^ version) < SET_BY_ALL ? v : version;
}

/* Whose data is given up, of two that have diverged. */
enum victim { VICTIM_NONE, VICTIM_ME, VICTIM_PEER };

enum victim repl_victim(const struct decide_node *me,
			const struct decide_node *peer);
enum verdict repl_decide(const struct decide_node *me,
			 const struct decide_node *peer);
bool repl_outreigned(const struct decide_node *me,
		     const struct decide_node *by);
bool repl_one_size(const struct repl_vstate *a, const struct repl_vstate *b);
bool repl_partial_ok(const struct repl_vstate *me,
		     const struct repl_vstate *peer);
bool repl_better_source(const struct decide_node *a,
			const struct decide_node *b);

/* actlog.c */
int al_init(struct repl_store *s, u32 nslots);
void al_exit(struct repl_store *s);
/* I/O enters in order of arrival; io_ready() follows, perhaps at once. */
void al_enter(struct repl_io *io);
/* Its write or read is over: others that overlap may go on. */
void al_leave(struct repl_io *io);
/* As al_leave(), but the extents stay hot until al_release(). */
void al_leave_keep(struct repl_io *io);
void al_release(struct repl_io *io);
/* Writes of applications that wait for a place in the log are held instead. */
void al_withdraw(struct repl_store *s, struct list_head *held);
/* Sees whether what waits for a place gets one. */
void al_tick(struct repl_store *s);
/* What only keeps its extents hot lets go of them: its blocks are dirty for all. */
void al_make_room(struct repl_store *s);
/* Disk failed: nobody waits for the log any more. */
void al_abort(struct repl_store *s);
/* Everything staged goes into a transaction; whether a flush comes first. */
bool al_begin_write(struct repl_store *s, struct meta_al_block *b);
/* That transaction is durable. */
void al_written(struct repl_store *s);
/* A primary logs these extents: writes to them are to be expected. */
void al_rx_hot(struct repl_pv *pv, const struct repl_wire_hdr *h,
	       const void *payload);

/* held.c */
void app_release_held(struct repl_res *res);
void app_no_data(struct repl_res *res);
void app_check_done(struct repl_res *res);
void app_check_acks(struct repl_res *res);
void app_fail_all(struct repl_res *res);
void app_no_quorum(struct repl_res *res);

/* ack.c */
bool ack_async(const struct repl_vol *vol, const struct repl_peer *p);
bool ack_met(const struct repl_io *io);
u32 replica_nodes(const struct repl_res *res);
u32 replicas(const struct repl_res *res);
u32 ack_replicas(const struct repl_res *res, u32 set, bool by_all);
void ack_in_step(const struct repl_res *res, u32 *in_step, u32 *needed);
bool ack_enough(const struct repl_res *res);
void ack_lags(const struct repl_io *io);
void ack_not_awaited(const struct repl_io *io, struct repl_peer *p);
void ack_backlog_fell(struct repl_peer *p);
bool ack_enough_without(const struct repl_res *res, u32 nodes);
bool ack_leave_slow(struct repl_peer *p);
void ack_tick(struct repl_res *res);

/* peerio.c */
void peer_write(struct repl_peer *p, const struct repl_wire_hdr *h,
		struct repl_io *io);
void peer_flush(struct repl_peer *p, const struct repl_wire_hdr *h,
		struct repl_io *io);
void peer_read(struct repl_peer *p, const struct repl_wire_hdr *h,
	       struct repl_io *io);
void peer_ready(struct repl_io *io);
void peer_disk_done(struct repl_io *io, int err);
void peer_through(struct repl_peer *p, u64 through);
void peer_tail_lost(struct repl_peer *p);
void peer_tail_absent(struct repl_vol *vol, u32 receivers, u32 good);
bool peer_applied(const struct repl_peer *p, u64 seq);
bool peer_all_applied(struct repl_res *res);
void peer_kick_deps(struct repl_res *res);
/* Acks for this peer that wait until it has heard that our position has ended. */
bool peer_acks_held(const struct repl_peer *p);
void peer_acks_release(struct repl_peer *p);
void peer_io_put(struct repl_io *io);

/* target.c, source.c, mapxfer.c */
bool target_applies_writes(const struct repl_vol *vol);
void target_begin(struct repl_pv *pv);
void target_stop(struct repl_pv *pv, bool tell);
void target_pump(struct repl_pv *pv);
void target_tick(struct repl_pv *pv, u64 ms);
void target_advance(struct repl_pv *pv);
void target_rx(struct repl_pv *pv, const struct repl_wire_hdr *h,
	       const void *payload, struct repl_io *io);
void target_ready(struct repl_io *io);
void target_disk_done(struct repl_io *io, int err);
void target_supersede(const struct repl_io *w);
void source_rx(struct repl_pv *pv, const struct repl_wire_hdr *h,
	       const void *payload, struct repl_io *io);
void source_ready(struct repl_io *io);
void source_disk_done(struct repl_io *io, int err);
void source_advance(struct repl_pv *pv);
void source_check(struct repl_pv *pv);
void source_stop(struct repl_pv *pv, bool tell);
void map_send_begin(struct repl_pv *pv);
void map_send_more(struct repl_pv *pv);
bool map_merge(struct repl_pv *pv, const void *payload, u32 len);

/* pace.c */
void pace_begin(struct repl_pv *pv);
u32 pace_window(const struct repl_pv *pv);
bool pace_digest(const struct repl_pv *pv);
void pace_digest_result(struct repl_sync *y, bool equal);
void pace_tick(struct repl_pv *pv, u64 ms);

/* members.c, adopt.c: what follows counts once it is committed, or not at all. */
u32 in_sync_now(const struct repl_vol *vol);
void uncommitted_from_here(struct repl_vol *vol);
void commit_start(struct repl_res *res, bool new_gen);
void commit_advance(struct repl_res *res);
void commit_tick(struct repl_res *res);
void commit_drop(struct repl_res *res);
#define COMMIT_DATA_LOST	"the data was lost while the node was being promoted"
#define COMMIT_PEER_LOST	"a peer was lost while the node was being promoted: try again"
void commit_abort(struct repl_res *res, const char *why);
void members_rx(struct repl_pv *pv, const struct repl_wire_hdr *h,
		const void *payload);
void members_advance(struct repl_res *res);
void members_applied(struct repl_res *res);
void members_ack(struct repl_peer *p, u64 id);
/* A flush that no application asked for is done. */
void commit_flushed(struct repl_peer *p, u64 seq);
/* Nobody in @set lacks anything that we have, as the primary says. */
void in_step_with(struct repl_vol *vol, u32 set);

/* dataset.c */
void dataset_rx(struct repl_pv *pv, const struct repl_wire_hdr *h,
		const void *payload);

/* resize.c */
void resize_agree(struct repl_vol *vol);
bool resize_follow(struct repl_res *res);
bool resize_due(const struct repl_pv *pv);
void resize_attached(struct repl_vol *vol);
bool resize_short(const struct repl_pv *pv);

/* vote.c */
void vote_rx(struct repl_peer *p, const struct repl_wire_hdr *h,
	     const void *payload);
bool vote_advance(struct repl_res *res);
void vote_end(struct repl_res *res, int err, const char *why);
/* @p is against it. */
void vote_refused(struct repl_peer *p, const char *why);
void vote_tick(struct repl_res *res);
void vote_committed(struct repl_res *res);
bool vote_postponed(struct repl_res *res);
void vote_aborted(struct repl_res *res, const char *why);

/* succession.c */
/* The connection to this peer is lost. */
void succession_lost(struct repl_peer *p);
/* This one, which was Primary, has become Secondary in good order. */
void succession_free(struct repl_peer *p);
void succession_tick(struct repl_res *res);

/* reign.c */
void reign_check(struct repl_res *res);
void reign_settings_changed(struct repl_res *res);
/* Become Secondary, so that @to, if not NULL, can be Primary: as repl_demote(). */
int reign_give_up(struct repl_res *res, struct repl_peer *to, const char **why);
struct repl_vol *reign_open_for_writing(const struct repl_res *res);

/* move.c */
struct repl_peer *move_from(const struct repl_res *res);
bool move_brings_data(const struct repl_vol *vol, const struct repl_peer *from);
void move_ask(struct repl_peer *from);
void move_withdraw(struct repl_res *res);
bool move_advance(struct repl_res *res);
void move_rx_step_down(struct repl_peer *p, const struct repl_wire_hdr *h);
void move_rx_stays(struct repl_peer *p, const struct repl_wire_hdr *h,
		   const void *payload);
void move_tick(struct repl_res *res);

/* voter.c */
bool voter(const struct repl_res *res);
bool voter_likely(const struct repl_peer *p);
u32 could_vote(const struct repl_res *res);
bool vouches_likely(const struct repl_peer *p);
/* ... if @from, unless NULL, were Primary no more. */
const char *objection_likely(const struct repl_res *res,
			     const struct repl_peer *from);
void vote_record(struct repl_res *res, u64 term, u8 node);
void vote_recall(struct repl_vol *vol);
bool vote_durable(const struct repl_res *res);
void voter_advance(struct repl_res *res);
void vote_rx_req(struct repl_peer *p, const struct repl_wire_hdr *h);
bool outvoted(const struct repl_peer *p);
bool outvoted_by(const struct repl_peer *p);
void leave_others(struct repl_res *res, const struct repl_peer *chosen);

/* witness.c */
bool witness_between(const struct repl_pv *pv);
u8 witness_disk(const struct repl_peer *p, u8 disk);
bool witness_is_foreign(const struct repl_pv *pv);
void witness_keep(struct repl_pv *pv, u64 dataset);

/* lease.c */
void lease_start(struct repl_res *res);
void lease_free(struct repl_peer *p);
void lease_begin(struct repl_res *res);
bool lease_promise(struct repl_peer *p, u64 reign);
void lease_promised(struct repl_peer *p, u64 asked);
bool lease_holds(const struct repl_res *res);
bool lease_binds(const struct repl_res *res, u8 node);
bool living_primary(const struct repl_peer *p);
bool silent_primary(const struct repl_peer *p);

/* metaio.c */
u64 meta_want_sb(struct repl_store *s);
void meta_kick(struct repl_vol *vol);
void meta_checkpoint(struct repl_store *s);

/* store.c */
/* A disk with data that is in use; and where votes and sets are kept. */
struct repl_store *store_live(const struct repl_vol *vol);
struct repl_store *store_keeps(const struct repl_vol *vol);
bool store_needs_slot(const struct repl_res *res, const struct repl_peer *p);
u8 store_slot_for(struct repl_store *s, u8 node);
/* Our map for this peer is complete since @since, on its present replica. */
void store_remember(struct repl_pv *pv, const struct repl_lineage *since);
/*
 * These peers get a write of a primary too: it is not in our maps of them.  So
 * @since no longer tells what one may be set back to, unless it is our lineage.
 */
void store_shared(struct repl_vol *vol, u32 receivers);
/* Does it tell again?  Both are complete and of the same lineage. */
void store_check_since(struct repl_pv *pv);
/* This peer lacks nothing that we have. */
void store_in_step(struct repl_pv *pv);
/* What a disk that a Primary attaches has missed of the set: true if anything. */
bool store_adopt_set(struct repl_vol *vol);
void store_assign_slots(struct repl_vol *vol);
void store_fail(struct repl_vol *vol, const char *why);
void store_stop_using(struct repl_vol *vol);
void store_try_close(struct repl_vol *vol);
void store_set_size(struct repl_vol *vol, u64 sectors);

/* evaluate.c */
void evaluate(struct repl_res *res);
void disk_heal(struct repl_vol *vol);
void set_disk(struct repl_vol *vol, enum repl_disk disk);
void set_pv_state(struct repl_pv *pv, enum repl_state state);
void set_receiving(struct repl_pv *pv, bool on);
/* The connection is gone: nothing is sent there, nothing known of it. */
void pv_lost(struct repl_pv *pv);
void mark_absent(struct repl_vol *vol, const struct repl_io *io, u32 present);
const struct repl_lineage *my_lineage(const struct repl_vol *vol);
/* The primary that we are or are connected to, NODE_NONE. */
u8 primary_seen(const struct repl_res *res);
/* Is one connected besides @p? */
bool other_primary(const struct repl_peer *p);
enum verdict pv_verdict(const struct repl_pv *pv);
enum victim pv_victim(const struct repl_pv *pv);
/* Is what the peer has beyond us void, as we know of a later reign? */
bool pv_outreigned(const struct repl_pv *pv);
/* The other way round. */
bool pv_outreigns(const struct repl_pv *pv);
bool promotion_decides(const struct repl_pv *pv);
bool primary_decides(const struct repl_pv *pv);
bool same_but_for_ours(const struct repl_pv *pv);
bool pv_serves_reads(const struct repl_pv *pv);

/* resolve.c */
/* This peer's primary, which we don't reach, has left us out of the set. */
bool left_behind(const struct repl_pv *pv);

bool void_there(const struct repl_pv *pv, u32 set, u64 dataset, const struct repl_lineage *l);
/* An Outdated replica forgets the generations that came to nothing. */
void drop_void(struct repl_vol *vol);
/* A replica that was Consistent or Outdated may turn out to be good. */
void resolve_consistent(struct repl_vol *vol);
u32 resolve_missing(const struct repl_vol *vol);

/* branch.c */
/* Data has diverged.  Return: true if the policy settles it, now or soon */
bool branch_settles(struct repl_pv *pv);
/* Why it does not. */
const char *branch_unsettled(const struct repl_pv *pv);
void branch_tick(struct repl_peer *p);
void branch_forget(struct repl_peer *p);

/* announce.c */
void my_vstate(const struct repl_pv *pv, struct repl_vstate *out);
void vstate_from_wire(struct repl_vstate *o,
		      const struct repl_wire_vol_state *w);
/* To everybody, if it is news. */
void announce(struct repl_res *res);
void announce_res(struct repl_peer *p);

/* node.c */
void depose(struct repl_res *res);
/* End the connection of a primary whose time is over. */
void dismiss(struct repl_peer *p, const char *why);
/* Is it still the disk that we know things of? */
void check_replica(struct repl_pv *pv);
struct repl_pv *pv_get(struct repl_vol *vol, struct repl_peer *peer);
struct repl_vol *vol_get(struct repl_res *res, u16 nr);
void io_ready(struct repl_io *io);
void disk_io(struct repl_io *io);
void peer_end(struct repl_peer *p, bool standalone, const char *why);
void peers_end(struct repl_res *res, const char *why);
void send_simple(struct repl_pv *pv, u8 type, u8 flags);
/* A packet of the sync that is going on, or just ends. */
void send_sync(struct repl_pv *pv, u8 type, u8 flags);
void send_pkt(struct repl_peer *p, struct repl_wire_hdr *h,
	      const void *payload, struct repl_io *io);
void hdr_init(struct repl_wire_hdr *h, u8 type, const struct repl_vol *vol);
void note(struct repl_res *res, enum repl_note n, struct repl_vol *vol,
	  struct repl_peer *peer, const char *text);

#define for_each_vol(v, res)	list_for_each_entry(v, &(res)->vols, link)
#define for_each_pv(pv, vol)	list_for_each_entry(pv, &(vol)->pvs, by_vol)
#define for_each_peer(p, i, res)					\
	for ((i) = 0; ((p) = peer_from(res, &(i))); (i)++)

/* The first peer at or after node @*i, which becomes its node id; or NULL. */
static inline struct repl_peer *peer_from(const struct repl_res *res, int *i)
{
	while (*i < REPL_NODES && !res->peer[*i])
		(*i)++;
	return *i < REPL_NODES ? res->peer[*i] : NULL;
}

static inline u64 io_first_block(const struct repl_io *io)
{
	return io->sector / BLOCK_SECTORS;
}

static inline u64 io_blocks(const struct repl_io *io)
{
	u64 end = io->sector + io->size / SECTOR_BYTES;

	return DIV_ROUND_UP_ULL(end, BLOCK_SECTORS) - io_first_block(io);
}

static inline bool io_overlaps(const struct repl_io *a, const struct repl_io *b)
{
	return a->sector < b->sector + b->size / SECTOR_BYTES &&
	       b->sector < a->sector + a->size / SECTOR_BYTES;
}

u32 peers_that(const struct repl_res *res, bool (*so)(const struct repl_peer *p));
/* Is any peer so? */
static inline bool any_peer(const struct repl_res *res,
			    bool (*so)(const struct repl_peer *p))
{
	const struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (so(p))
			return true;
	return false;
}

/* enum repl_after_split_brain, as the node has said */
static inline u32 split_policy(const struct repl_vstate *vs)
{
	return vs->flags >> REPL_VS_SPLIT_SHIFT & REPL_VS_SPLIT_MASK;
}

/* What a Primary writes from now on is not where all that it wrote before is. */
static inline void gen_wanted(struct repl_res *res)
{
	if (res->role == ROLE_PRIMARY && !MUTATED(MUT_GEN_NOT_BEGUN))
		res->gen_pending = true;
}

static inline bool io_is_write(const struct repl_io *io)
{
	return io->op == OP_WRITE || io->op == OP_DISCARD ||
	       io->op == OP_ZEROES;
}

static inline bool connected(const struct repl_peer *p)
{
	return p->conn == CONN_CONNECTED && p->state_seen && !p->closing;
}

/* Do we receive a resync from there? */
static inline bool is_target(const struct repl_pv *pv)
{
	return pv->sync.step != SYNC_IDLE && pv->sync.step < SYNC_S_MAP_IN;
}

/* Connected, and it has told of the volume. */
static inline bool usable(const struct repl_pv *pv)
{
	return connected(pv->peer) && pv->known && !outvoted(pv->peer) &&
	       !outvoted_by(pv->peer);
}

/* Is a write complete once a majority has it? */
static inline bool conf_by_majority(const struct repl_res_conf *c)
{
	return c->ack_policy == ACK_QUORUM;
}

/* This is what we do as Primary: what others did, their sets say (SET_BY_ALL). */
static inline bool by_majority(const struct repl_res *res)
{
	return conf_by_majority(&res->conf);
}

/* Does it take all of the set that we know to acknowledge a write? */
static inline bool known_by_all(const struct repl_vol *vol)
{
	const struct repl_store *s = vol->store;

	return (s ? s->set_version : vol->res->set_version) & SET_BY_ALL;
}

/* May a majority have acknowledged what some members have not answered yet? */
static inline bool majority_acked(const struct repl_res *res)
{
	return by_majority(res) || res->majority_acked;
}

/* Are primaries elected, and does a set count once a majority keeps it? */
static inline bool conf_elects(const struct repl_res_conf *c)
{
	return c->votes || conf_by_majority(c);
}

static inline bool elects(const struct repl_res *res)
{
	return conf_elects(&res->conf);
}

/* Does this peer, too?  Else it is no voter, and as Primary it has no lease. */
static inline bool both_elect(const struct repl_peer *p)
{
	return elects(p->res) && p->votes;
}

/* The term of our own reign; without votes the newest is as good. */
static inline u64 own_term(const struct repl_res *res)
{
	return elects(res) ? res->reign : res->term;
}

/* Does it take others to acknowledge anything, and to be Primary? */
static inline bool needs_votes(const struct repl_res *res)
{
	return elects(res) && majority(res) > 1;
}

/* A Primary whose term counts, as far as it knows. */
static inline bool reigns(const struct repl_res *res)
{
	return res->role == ROLE_PRIMARY && !res->renewing;
}

#endif
