/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: the replication core, as its shells see it
 *
 * The core takes every decision and does no I/O.  A shell (the kernel module,
 * the simulator) calls the event functions below and supplies struct repl_ops,
 * through which the core says what is to be done.
 *
 * Rules for a shell:
 *
 * - All events of one resource are serialized (in the kernel: under the
 *   resource's spinlock, which may be taken in interrupt context).  Events
 *   never sleep, except the functions marked "may sleep".
 * - Operations are called from inside events.  They must not sleep and must
 *   not call an event: they queue the work and do it after the event.
 * - Work for the same peer and stream must be sent in the order of the calls.
 * - struct repl_io is allocated by the shell, embedded in an object of its
 *   own.  From the event that passes it in, until ->release(), it is the
 *   core's.  ->complete() comes before for an application's: its pages are
 *   free for reuse then, while its private copy may still be on its way.
 * - A payload handed to ->send() stays referenced by the shell until it is on
 *   the wire, even when ->complete() comes first: application writes are sent
 *   from a private copy.
 */
#ifndef REPL_CORE_H
#define REPL_CORE_H

#include "direct.h"
#include "edit.h"
#include "fence.h"
#include "lineage.h"
#include "meta.h"
#include "outlook.h"
#include "platform.h"
#include "wire.h"

struct repl_res;
struct repl_peer;
struct repl_vol;

/* Same values as the uapi enums of these names (checked by the shell). */
enum repl_role { ROLE_UNKNOWN, ROLE_SECONDARY, ROLE_PRIMARY };

enum repl_disk {
	DISK_UNKNOWN,
	DISK_DISKLESS,
	DISK_ATTACHING,
	DISK_FAILED,
	DISK_WITNESS,		/* a witness: metadata and no data */
	DISK_INCONSISTENT,
	DISK_OUTDATED,
	DISK_CONSISTENT,
	DISK_UPTODATE,
};

enum repl_conn {
	CONN_STANDALONE,
	CONN_CONNECTING,
	CONN_HANDSHAKE,
	CONN_CONNECTED,
};

enum repl_state {
	RS_OFF,
	RS_ESTABLISHED,
	RS_SYNC_SOURCE,
	RS_SYNC_TARGET,
	RS_VERIFY_SOURCE,
	RS_VERIFY_TARGET,
	RS_PAUSED_SOURCE,
	RS_PAUSED_TARGET,
	RS_BEHIND,
};

/* Why application I/O is held: BLKREPL_SUSP_* of the uapi. */
#define SUSP_META	BIT(0)	/* metadata of a new generation is written */
#define SUSP_PEER_ACK	BIT(1)	/* peers have to confirm a new generation */
#define SUSP_NO_DATA	BIT(2)	/* no good replica is reachable */
#define SUSP_QUORUM	BIT(3)
#define SUSP_FENCING	BIT(4)	/* a lost peer may be Primary: fence.c */

enum repl_op { OP_READ, OP_WRITE, OP_DISCARD, OP_ZEROES, OP_FLUSH };

/* Whose I/O it is. */
enum repl_io_kind {
	IO_APP,			/* application, on this node */
	IO_PEER_WRITE,		/* write, discard, zeroes of a primary */
	IO_PEER_FLUSH,
	IO_PEER_READ,		/* read for a primary without data */
	IO_RS_READ,		/* resync: source reads for the target */
	IO_RS_REQ,		/* resync: target's request, reads for digest */
	IO_RS_WRITE,		/* resync: target writes what it received */
	IO_RS_FLUSH,		/* resync: target makes its writes stable */
	IO_READ_DATA,		/* carries data received for an IO_APP read */
};

/* repl_io.flags */
#define IOF_FUA		BIT(0)
#define IOF_NOUNMAP	BIT(1)
#define IOF_DIGEST	BIT(2)	/* shell: after a read fill in ->digest */
#define IOF_CHECK_ZERO	BIT(3)	/* shell: after a read set IOF_IS_ZERO */
#define IOF_IS_ZERO	BIT(4)

/* Place of an I/O in the per-extent lists that keep overlapping ones apart. */
struct repl_span {
	struct list_head link;
	struct repl_io *io;
	struct repl_slot *slot;
};

/**
 * struct repl_io - one I/O
 * @vol: the volume. Set by whoever makes the I/O, like the next five
 * @peer: whose packet began it, NULL for the application's
 * @kind: enum repl_io_kind
 * @op: enum repl_op
 * @flags: IOF_*
 * @sector: first sector; meaningless for OP_FLUSH
 * @size: bytes; at most REPL_MAX_DATA with data, EXTENT_BYTES without
 * @digest: of the data, with IOF_DIGEST
 *
 * What follows belongs to the core.
 */
struct repl_io {
	struct repl_vol *vol;
	struct repl_peer *peer;
	u8 kind;
	u8 op;
	u16 flags;
	u32 size;
	u64 sector;
	u8 digest[REPL_DIGEST_LEN];

	/* private */
	u8 peer_digest[REPL_DIGEST_LEN];
	struct list_head link;		/* in-flight, held, waiting, tail ... */
	struct list_head hash;		/* by seq; of a peer write: the tail */
	struct repl_span span[2];
	u64 seq;
	u64 dep;			/* not to be applied before this one */
	u64 id;
	u64 start_ms;
	u32 receivers;			/* nodes that it goes to, ourselves too */
	u32 wait;			/* of these, not yet answered */
	u32 got;			/* answered that they have it */
	u32 conn;			/* connection of @peer that it belongs to */
	u16 blockers;			/* earlier overlapping spans */
	u8 state;			/* enum io_state, see internal.h */
	u8 nspans;
	s16 err;
	u8 remote;			/* node id that serves a read, or 0xff */
	bool stale;			/* resync: a newer write came */
	bool had_digest;
	bool dropped;			/* a receiver went without an answer */
	bool acked;			/* ->complete() was called */
	bool lost;			/* to be given up when all have answered */
	bool redo;			/* given up, to be done again */
	bool flush_held;		/* before writes that our disk still lacks */
};

/**
 * struct repl_mio - one metadata write
 * @offset: bytes from the start of the metadata area
 * @len: bytes, a multiple of 512
 * @buf: the data; stays unchanged until repl_meta_done()
 * @flush_data: flush the data device before (PREFLUSH where the metadata is
 *	on the same device)
 *
 * Every metadata write is FUA: done means on stable media.
 */
struct repl_mio {
	u64 offset;
	u32 len;
	void *buf;
	bool flush_data;
};

/* What a notification is about; the shell reads the state and multicasts. */
enum repl_note {
	NOTE_RES,
	NOTE_VOL,
	NOTE_PEER,
	NOTE_PVOL,
	NOTE_DIVERGED,
	NOTE_IO_ERROR,
	NOTE_MESSAGE,
	NOTE_FENCE,		/* somebody should fence @peer */
};

/**
 * struct repl_ops - what the core asks of its shell
 *
 * @disk_io: do @io on the backing device of io->vol; repl_io_done() follows.
 *	For a flush: everything done before is to be on stable media.  IO_APP
 *	writes use the private copy.
 * @meta_io: write metadata; repl_meta_done() follows.  One at a time a volume
 * @send: send @h (the shell seals it, and adds the data CRC if agreed) on
 *	@stream, followed by h->length bytes: from @payload (copied during the
 *	call) if not NULL, else the data of @io
 * @complete: tell the application that its IO_APP has ended with @err (0 or
 *	-errno); ->release() follows, at once or when all replicas have it
 * @release: the core has done with this I/O: drop it
 * @io_alloc: make an I/O for resync with room for @size bytes of data (may be
 *	0); all public fields but kind, op, flags and sector are set.  NULL if
 *	there is no memory just now: the core tries again at the next tick
 * @copy_data: copy the data of @from to that of @to (same size)
 * @disconnect: end the connection: shut both streams down, then (never from
 *	inside this call) repl_conn_down().  With @standalone don't reconnect.
 *	@why is for people and is copied.  May be called more than once
 * @disk_close: the volume's disk is not used any more and nothing is under
 *	way: let go of it.  With @failed because of an error
 * @resized: vol->sectors has changed: set the capacity
 * @in_use: does a program have the device open?  See repl_vol_closed()
 * @has_writers: ... so that it can write?  Nobody opens it before the event ends
 * @vote_done: outcome of repl_promote(): 0 or -errno; @why for people, in the
 *	words of @by if that is not NULL
 * @notify: something changed that an administrator or a program may watch;
 *	@peer, @vol, @text may be NULL
 * @alloc: small allocation that must not sleep, NULL allowed; zeroed
 * @free: its end; @size as given to @alloc
 * @random: 64 random bits
 * @now: ms of the clock that repl_tick() gets, as it is now
 */
struct repl_ops {
	void (*disk_io)(struct repl_io *io);
	void (*meta_io)(struct repl_vol *vol, struct repl_mio *mio);
	void (*send)(struct repl_peer *peer, enum repl_stream stream,
		     struct repl_wire_hdr *h, const void *payload,
		     struct repl_io *io);
	void (*complete)(struct repl_io *io, int err);
	void (*release)(struct repl_io *io);
	struct repl_io *(*io_alloc)(struct repl_vol *vol,
				    struct repl_peer *peer, u32 size);
	void (*copy_data)(struct repl_io *to, struct repl_io *from);
	void (*disconnect)(struct repl_peer *peer, bool standalone,
			   const char *why);
	void (*disk_close)(struct repl_vol *vol, bool failed);
	void (*resized)(struct repl_vol *vol);
	bool (*in_use)(struct repl_vol *vol);
	bool (*has_writers)(struct repl_vol *vol);
	void (*vote_done)(struct repl_res *res, int err, struct repl_peer *by,
			  const char *why);
	void (*notify)(struct repl_res *res, enum repl_note note,
		       struct repl_vol *vol, struct repl_peer *peer,
		       const char *text);
	void *(*alloc)(struct repl_res *res, size_t size);
	void (*free)(struct repl_res *res, void *p, size_t size);
	u64 (*random)(void);
	u64 (*now)(void);
};

/* Settings; defaults by repl_*_conf_init(). */
enum repl_ack_policy { ACK_SYNC, ACK_ASYNC, ACK_QUORUM };
enum repl_on_io_error { ON_ERROR_DETACH, ON_ERROR_PASS_ON };
enum repl_on_no_data { NO_DATA_SUSPEND, NO_DATA_IO_ERROR };
enum repl_on_no_quorum { NO_QUORUM_SUSPEND, NO_QUORUM_IO_ERROR };

/* Who gives up what was written, once data has diverged: branch.c. */
enum repl_after_split_brain {
	SPLIT_ASK,
	SPLIT_UNCHANGED,
	SPLIT_YOUNGER,
	SPLIT_SECONDARY,
};

/* What becomes of a peer that lacks more than the bound allows. */
enum repl_on_backlog { BACKLOG_BEHIND, BACKLOG_HOLD };

struct repl_res_conf {
	u8 ack_policy;
	u8 on_no_data;
	u8 on_no_quorum;	/* nor enough in step, for a peer's time-out */
	bool votes;		/* primaries are elected; ACK_QUORUM implies it */
	bool auto_promote;	/* where they are: succession.c */
	bool fencing;		/* where not: nobody goes on without a lost peer's fencing */
	u8 after_split_brain;	/* the same on both ends, or SPLIT_ASK */
	u8 on_backlog;
	u8 min_in_sync;		/* replicas in step, ours too; 0: any number */
	u32 backlog_ms;		/* the oldest write that a peer lacks */
	u64 backlog_max;	/* bytes that a peer may lack */
};

struct repl_vol_conf {
	u32 al_extents;		/* META_AL_MIN..META_AL_MAX */
	u8 on_io_error;
};

struct repl_peer_conf {
	bool async;		/* no write waits for it */
	u32 timeout_ms;		/* nothing heard: dead */
	u32 ping_int_ms;
	u32 ack_timeout_ms;	/* answers pings but not writes: dead too */
	u64 rate_max;		/* resync, bytes/s; 0: no limit */
	u64 rate_min;		/* resync under application load */
};

/* Progress of a resync, for status. */
struct repl_sync_stat {
	u64 total_blocks;	/* when it began */
	u64 sent_bytes;		/* data that went over the network */
	u64 equal_bytes;	/* skipped, equal by digest */
	u64 begin_ms;
	u64 rate;		/* bytes/s done, smoothed */
};

/* State of one volume towards one peer; details in internal.h. */
struct repl_pv;

/**
 * struct repl_peer - another node of the resource
 * The shell embeds it, fills in the public part, and calls repl_peer_add().
 * @res: the resource
 * @node: its node id
 * @witness: it votes and has no data
 * @conf: settings; the shell may change them between events
 * @features: agreed features, set by the shell before repl_conn_up()
 * @priv: free for the shell
 * @conn: connection as the core sees it: CONN_CONNECTED between up and down;
 *	the shell sets the other values
 * @role: peer's role, ROLE_UNKNOWN while not connected
 * @unacked: writes sent and not acknowledged
 * @lag_bytes: data of those that are complete without it
 * @lag_ms: age of the oldest of them, at the last tick
 */
struct repl_peer {
	struct repl_res *res;
	u8 node;
	bool witness;
	struct repl_peer_conf conf;
	u32 features;
	void *priv;
	enum repl_conn conn;
	enum repl_role role;
	u32 unacked;
	u64 lag_bytes;
	u32 lag_ms;

	/* private */
	u8 sees_primary;
	bool closing;		/* a disconnect was asked for */
	bool state_seen;	/* its RES_STATE has arrived */
	bool announced;		/* ours was sent */
	bool vote_wait;		/* asked for its vote */
	bool discard_my_data;	/* this connect: ours is the victim */
	bool held_back;		/* writes wait for it to come below the bound */
	bool silent;		/* it has not answered, and is left out */
	bool agrees;		/* it has given us its vote, see vote.c */
	bool vouches;		/* ... and said so */
	bool counts;		/* its vote is durable there */
	bool before_reign;	/* connected since before we became Primary */
	bool unheard;		/* our position has ended, and its sets have us yet */
	bool votes;		/* it says that primaries are elected */
	u32 members;		/* nodes that it knows, as it has told; 0: it has not */
	bool branch_told;	/* who gives up its data, see branch.c */
	bool branch_over;	/* nobody does */
	u64 branch_until_ms;	/* when it is to be known, 0: no divergence */
	u32 conn_count;		/* connections so far */
	u32 ios;		/* I/Os of ours that name this peer */
	u64 term;		/* of its reign, or the newest that it knows */
	u64 lease_from;		/* newest question that it has promised for */
	u64 last_rx_ms;
	u64 last_ping_ms;
	u64 ack_progress_ms;	/* when it last acknowledged something */
	u64 told_through;	/* what we last said is complete */
	u64 through;		/* what it last said is complete */
	u64 last_seq;		/* last write received from it */
	u64 members_seq;	/* ... when the MEMBERS below came */
	u64 members_id;		/* MEMBERS sent and not acknowledged, 0: none */
	u64 members_told;	/* the last MEMBERS sent on this connection */
	u64 members_heard;	/* ... received */
	u64 ack_id;		/* MEMBERS received and not acknowledged */
	u32 flushes;		/* of the commit, which it has not answered yet */
	u64 end_at_ms;		/* disconnect at that time, 0: never */
	const char *end_why;
	struct repl_peer_fence fence;
	struct repl_wire_res_state sent_state;
	struct list_head pvs;
};

/**
 * struct repl_vol - a volume on this node
 * The shell embeds it, fills in the public part, and calls repl_vol_add().
 * @res: the resource
 * @nr: volume number
 * @conf: settings
 * @priv: free for the shell
 * @sectors: size of the device that applications see
 * @disk: disk state
 * @lineage: version vector of the local replica
 * @dataset: data set of the local replica, 0: none
 */
struct repl_vol {
	struct repl_res *res;
	u16 nr;
	struct repl_vol_conf conf;
	void *priv;
	u64 sectors;
	enum repl_disk disk;
	struct repl_lineage lineage;
	u64 dataset;
	struct repl_vol_stat {
		u64 reads, read_bytes, writes, write_bytes, flushes;
		u64 al_writes, map_writes;
		u64 dirty_mem;	/* bytes of memory in dirty maps */
		u32 in_flight;	/* application I/O */
	} stat;

	/* private */
	struct list_head link;
	struct list_head pvs;
	struct repl_store *store;	/* all that exists only with a disk */
	u32 receivers;			/* nodes that get writes, not ourselves */
	u32 in_sync;
	u32 keepers;			/* of this set, beside the members */
	struct repl_lineage before;	/* lineage last committed, if ... */
	u32 set_before;			/* ... and set ... */
	u32 keepers_before;
	bool uncommitted;		/* ... ours are not yet */
	u32 own_gen;			/* newest generation number of ours used */
	bool closing;			/* ->disk_close() was called */
	bool follower;			/* our primary does not wait for us */
	bool vouch;			/* member without a break since it said so */
	bool told;		/* ... nor has the disk been away: fence.c */
	u64 acked_term, acked_seq;	/* last write acknowledged up to the position */
	bool revoked;			/* in use since before we were replaced */
};

#define REPL_SEQ_HASH	256

/**
 * struct repl_res - a resource on this node
 * The shell embeds it, fills in the public part, and calls repl_res_init().
 * @ops: the shell
 * @conf: settings
 * @node: own node id
 * @witness: we vote and have no data: volumes have metadata only, and no I/O
 * @priv: free for the shell
 * @role: own role
 * @susp: SUSP_*: why application I/O is held; 0: it is not
 * @term: newest term known
 * @seq: last write numbered (as Primary) or received
 */
struct repl_res {
	const struct repl_ops *ops;
	struct repl_res_conf conf;
	u8 node;
	bool witness;
	void *priv;
	enum repl_role role;
	u32 susp;
	u64 term;
	u64 seq;

	/* private */
	u64 now;			/* ms, from the last tick */
	struct repl_peer *peer[REPL_NODES];
	struct list_head vols;
	struct list_head in_flight;	/* IO_APP writes by seq */
	struct list_head held;		/* IO_APP that wait for susp to clear */
	struct list_head parked;	/* IO_APP reads under a write in flight */
	struct list_head remote_reads;
	struct list_head applying;	/* IO_PEER_WRITE not on our disk yet */
	bool apply_awaited;		/* evaluate once there are none */
	struct list_head tail;		/* IO_PEER_WRITE not known complete */
	struct list_head dep_wait;	/* of applying: after earlier ones */
	bool kicking_deps, deps_changed;
	struct list_head peer_flushes;	/* IO_PEER_FLUSH not started */
	struct list_head seq_hash[REPL_SEQ_HASH];
	u64 done_seq;			/* highest seq completed */
	u64 quorum_lost_ms;		/* when SUSP_QUORUM was set */
	u64 stand_at_ms;		/* as a candidate by ourselves, 0: never */
	u8 orphan_of;			/* Primary that was lost, if none has come since */
	u8 retired;			/* who has stepped down in good order, and is here */
	bool resigned;			/* we have, by an administrator's force */
	u64 set_version;
	u64 next_id;
	bool gen_pending;		/* begin a generation before the next write */
	bool gen_due;			/* begin one as soon as there is data */
	bool set_due;			/* tell the members, even of the same set */
	struct repl_commit {
		u8 step;
		bool again;
		bool again_gen;
		bool due;		/* begins the generation that was due */
		bool told;		/* members may know of it */
		u64 id;
		u64 version;		/* of the set */
		u64 held_ms;		/* when I/O began to wait for it */
		u64 since_ms;		/* when the step began */
		u64 enough_ms;		/* when enough had done theirs, 0: not yet */
		u32 count;		/* sets of this reign */
		u32 leavers;		/* that are in the set on our disks still */
		u64 flush_seq;		/* first number of its flushes */
	} commit;
	struct repl_vote {
		u8 step;		/* enum vote_step */
		bool force;
		bool renew;		/* another term for a Primary */
		bool own;		/* nobody has told us to: succession.c */
		u8 from;		/* who is to step down, or has, for us; 0xff */
		u64 move_id;		/* ... since it was asked so */
		u64 term;
		u64 again_ms;		/* when to ask again */
		u64 until_ms;		/* and when to give up */
		u64 asked_ms;		/* when all were asked last */
	} vote;
	bool elected_before;		/* were primaries elected, by the settings so far? */
	bool majority_before;		/* and did a majority acknowledge? */
	bool majority_acked;		/* some members may still lack what it has */
	u32 electing;			/* nodes that vote with us, see edit.c */
	u32 list_before;		/* list of nodes that we still tell, 0: ours */
	u32 by_most;			/* nodes that say that a majority acknowledges */
	u64 reign;			/* term in which we became Primary */
	bool forced;			/* by force, and not elected */
	bool renewing;			/* Primary that asks for another term */
	u8 lease_of;			/* Primary that has our promise ... */
	u64 lease_until;		/* ... and how long */
	u64 lease_since;		/* promises for older questions do not count */
	u64 vote_term;			/* term of our last vote ... */
	u8 voted_for;			/* ... and who got it */
	struct repl_ballot {		/* a vote of ours that is not durable yet */
		u8 to;			/* 0xff: none */
		u32 conn;
		u64 term;
	} ballot;
	struct repl_move {		/* we are to step down, see move.c */
		u8 to;			/* for this node; 0xff: none */
		u32 conn;
		u64 id;
		u64 since_ms;
	} move;
	bool evaluating;
	bool evaluate_again;
	bool handing_over;		/* async peers become members */
	u64 have_term, have_seq;	/* position: last write received, and its reign */
	bool have_ended;		/* it goes on once we are a member: position.c */
	u8 promised_to;			/* node that has our vote, 0xff: none */
	u64 promised_until;
	u32 held_flushes;		/* IO_APP with ->flush_held */
	u32 redo_ios;			/* IO_APP given up once, and not completed */
	u64 redo_seq;			/* lowest number they had, 0: none */
	u64 susp_since;			/* tick at which it was seen; 0: not yet */
};

/* ---- set-up: process context, but serialized like events ---- */

void repl_res_conf_init(struct repl_res_conf *c);
void repl_vol_conf_init(struct repl_vol_conf *c);
void repl_peer_conf_init(struct repl_peer_conf *c);

/** repl_conf_check() - do these contradict each other?  Why, or NULL */
const char *repl_conf_check(const struct repl_res_conf *conf);

/** repl_conf_allowed() - may the settings become these?  0, or -errno with @why */
int repl_conf_allowed(const struct repl_res *res,
		      const struct repl_res_conf *conf, const char **why);

/** repl_conf_changed() - settings of the resource or a peer are new */
void repl_conf_changed(struct repl_res *res);

/** repl_res_init() - begin; ops, conf, node, witness are set, the rest is zero */
void repl_res_init(struct repl_res *res);

/**
 * repl_vol_add() - make a volume known, without a disk
 * @vol: res, nr, conf set, the rest zero
 *
 * Return: 0 or -EEXIST, -ENOMEM.
 */
int repl_vol_add(struct repl_vol *vol);

/** repl_vol_del() - forget it: 0, or -EBUSY while it has a disk or I/O */
int repl_vol_del(struct repl_vol *vol);

/**
 * struct repl_store_params - what attach knows of the disk
 * @data_bytes: size of the backing device; a witness has none
 * @meta_bytes: size of the metadata device, 0: internal
 * @lbs: logical block size of the backing device
 * @read: read metadata: offset in bytes from the start of the device that
 *	holds the metadata; returns 0 or -errno; may sleep
 * @ctx: for @read
 * @why: set to words for an administrator on error
 */
struct repl_store_params {
	u64 data_bytes;
	u64 meta_bytes;
	u32 lbs;
	int (*read)(void *ctx, u64 offset, void *buf, u32 len);
	void *ctx;
	const char *why;
};

/**
 * repl_store_load() - read and check the metadata of a disk
 * @res: the resource (only node id and ops->random are used)
 * @nr: volume number
 * @conf: settings of the volume
 * @p: the disk
 * @out: what repl_attach() takes, or repl_store_free()
 *
 * May sleep; not serialized with events; changes nothing on the disk.
 * Return: 0 or -errno with p->why set.
 */
int repl_store_load(struct repl_res *res, u16 nr,
		    const struct repl_vol_conf *conf,
		    struct repl_store_params *p, struct repl_store **out);

/** repl_store_free() - drop what was loaded or let go by a detach; may sleep */
void repl_store_free(struct repl_store *s);

/** repl_store_area() - byte offset of the metadata area on its device */
u64 repl_store_area(const struct repl_store *s);

/* ---- events ---- */

/**
 * repl_attach() - start to use a loaded disk
 * @vol: a volume without a disk
 * @s: from repl_store_load(); the core's until ->disk_close(), after which
 *	the shell gets it from repl_store_take() and frees it
 *
 * The disk is in use once vol->disk is above DISK_ATTACHING (NOTE_VOL).
 * Return: 0, -EBUSY (has a disk), -EINVAL.
 */
int repl_attach(struct repl_vol *vol, struct repl_store *s, const char **why);

/** repl_store_take() - after ->disk_close(): the store, to be freed */
struct repl_store *repl_store_take(struct repl_vol *vol);

/**
 * repl_detach() - stop using the disk; ->disk_close() follows, see detach.c
 * @force: even if no other good replica is reachable
 * Return: 0, -EBUSY (no other disk for a Primary, or just going), -EAGAIN, -ENODEV.
 */
int repl_detach(struct repl_vol *vol, bool force, const char **why);

/**
 * repl_submit() - an application's I/O on a device
 * @io: vol, op, flags, sector, size set; kind IO_APP; the rest zero
 *
 * ->complete() is called for it, perhaps from inside this call.
 */
void repl_submit(struct repl_io *io);

/** repl_io_done() - a ->disk_io() has ended with @err (0 or -errno) */
void repl_io_done(struct repl_io *io, int err);

/** repl_meta_done() - a ->meta_io() has ended */
void repl_meta_done(struct repl_vol *vol, struct repl_mio *mio, int err);

/** repl_conn_up() - hellos are done, both streams are open */
void repl_conn_up(struct repl_peer *peer);

/** repl_conn_down() - the connection has ended; nothing more will arrive */
void repl_conn_down(struct repl_peer *peer);

/**
 * repl_rx() - a packet has arrived, its header and CRCs are checked
 * @peer: from whom
 * @stream: on which stream
 * @h: its header
 * @payload: h->length bytes, unless the type has data (repl_wire_has_data())
 * @io: if the type has data, and for PKT_DISCARD, PKT_ZEROES, PKT_FLUSH,
 *	PKT_READ, PKT_RS_REQ: a fresh struct repl_io of the shell with room for
 *	repl_rx_room() bytes and the data received; zero but for that.  The
 *	core sets vol, kind and so on; it ends with ->release()
 */
void repl_rx(struct repl_peer *peer, enum repl_stream stream,
	     const struct repl_wire_hdr *h, const void *payload,
	     struct repl_io *io);

/**
 * repl_rx_needs_io() - does this packet come with a struct repl_io?
 * @type: enum repl_packet
 */
bool repl_rx_needs_io(u8 type);

/** repl_rx_room() - bytes of buffer that the io of this packet must have */
u32 repl_rx_room(const struct repl_wire_hdr *h);

/**
 * repl_tick() - time passes; call it every 50 to 100 ms
 * @now: ms of a monotonic clock that counts suspended time
 */
void repl_tick(struct repl_res *res, u64 now);

/**
 * repl_can_wait() - may the shell send a write a bit later, with others?
 * @io: the application's
 * @p: where it goes
 *
 * Return: true if nothing waits for @p to have it
 */
bool repl_can_wait(const struct repl_io *io, const struct repl_peer *p);

/**
 * repl_promote() - become Primary; ->vote_done() tells the outcome
 * @force: even if the data is not known to be the newest
 *
 * A connected Primary is asked to step down; not with @force.
 * Return: 0 if under way (or -EALREADY: is Primary), -errno with @why.
 */
int repl_promote(struct repl_res *res, bool force, const char **why);

/**
 * repl_demote() - become Secondary
 * @res: the resource
 * @force: what applications wait for fails, instead of being waited for
 * @why: in case of error, the reason
 *
 * Return: 0, -EBUSY while a device is open for writing or I/O in flight,
 * -EAGAIN: later
 */
int repl_demote(struct repl_res *res, bool force, const char **why);

/** repl_vol_closed() - no program has the device open any more */
void repl_vol_closed(struct repl_vol *vol);

/** repl_invalidate() - the local data is to be replaced from a peer */
int repl_invalidate(struct repl_vol *vol, const char **why);

/** repl_invalidate_remote() - the peer's data is to be replaced from ours */
int repl_invalidate_remote(struct repl_vol *vol, struct repl_peer *peer,
			   const char **why);

/**
 * repl_resize() - grow a volume into backing devices that have grown
 * @sectors: new size, 0: the largest that all of them allow
 * Return: 0, -EBUSY, -EINVAL, -ENOSPC with @why.
 */
int repl_resize(struct repl_vol *vol, u64 sectors, const char **why);

/** repl_new_dataset() - declare all connected blank replicas equal */
int repl_new_dataset(struct repl_res *res, const char **why);

/** repl_pause() - hold or go on with a resync, from our side */
int repl_pause(struct repl_vol *vol, struct repl_peer *peer, bool pause,
	       const char **why);

/* ---- reading the state ---- */

/**
 * struct repl_pv_info - one volume together with one peer
 * @state: replication state
 * @peer_disk: its disk state
 * @out_of_sync: bytes dirty for it
 * @left: bytes left of the running resync
 * @sync: progress
 * @paused: bit 0 by us, bit 1 by the peer
 */
struct repl_pv_info {
	enum repl_state state;
	enum repl_disk peer_disk;
	u64 out_of_sync;
	u64 left;
	struct repl_sync_stat sync;
	u8 paused;
};

void repl_pv_info(struct repl_vol *vol, struct repl_peer *peer,
		  struct repl_pv_info *out);
u32 repl_in_sync_set(struct repl_res *res, u64 *version);

/** repl_sees_primary() - node id of the Primary that a peer sees, or -1 */
int repl_sees_primary(const struct repl_peer *peer);

/** repl_awaited() - the application's I/O that a PKT_ACK answers for, or NULL */
struct repl_io *repl_awaited(struct repl_peer *p, const struct repl_wire_hdr *h);
/** repl_readable() - may a Secondary's device be read just now? */
bool repl_readable(struct repl_vol *vol);

/** repl_idle() - no application I/O, no local I/O, no commit under way */
bool repl_idle(struct repl_res *res);

#endif
