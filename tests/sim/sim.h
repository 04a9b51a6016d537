/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulator: whole clusters in one process and one thread, in virtual
 * time, from one seed.  README.md tells what is modelled and why.
 *
 * Everything that happens goes through the event heap (world.c).  The core's
 * operations (shell.c) only queue events, as the contract in core.h asks.
 */
#ifndef SIM_H
#define SIM_H

#include "../../kmod/core/core.h"

#define MAX_NODES	5
#define MAX_VOLS	2
#define MAX_SLOTS	8		/* application I/O at a time */
#define MS		1000ULL		/* virtual time is in microseconds */
#define SEC		(1000 * MS)
#define CHUNK		128		/* sectors of sparse tables */
#define NEVER		UINT32_MAX

/* A sector of data is a tag: 0 zeroes, else number of the write, or garbage. */
#define TAG_GARBAGE	(1ULL << 63)

/* ---- options (opts.c): what a seed expands to ---- */

enum scenario {
	SCN_CAREFUL,	/* a good cluster manager: nothing may be lost */
	SCN_SPLIT,	/* partition, promotion on both sides, divergence */
	SCN_REBORN,	/* a discarded branch returns on a third node */
	SCN_RESYNC,	/* long syncs, targets lose power */
	SCN_ROLLBACK,	/* old images of disks come back */
	SCN_WIDE,	/* so many hot extents that a log block can tear */
	SCN_BLACKOUT,	/* all caches are lost at once, and single disks fail */
	SCN_ELECTION,	/* nobody looks after old primaries but the votes */
	SCN_RESIZE,	/* volumes grow in use, beside all the usual faults */
	SCN_WITNESS,	/* some nodes vote and have no data */
	SCN_CLOCKS,	/* clocks drift, and machines are suspended */
	SCN_LAGGARD,	/* one replica at a time is slow, and costs nothing */
	SCN_SLOW_VOTES,	/* metadata takes long to write, or all nodes are far away */
	SCN_FENCING,	/* nobody looks after old primaries but a fencing agent */
	SCN_MEMBERS,	/* nodes are added and removed in use */
	SCN_HOSTILE,	/* a peer that sends nonsense with right checksums */
	SCN_POLICIES,	/* how many must have a write is changed, node by node */
	SCN_FAR,	/* some are not waited for, by all others or by one */
	SCN_COUNT,
};

enum fault {
	F_CRASH,		/* node loses power, comes back later */
	F_CRASH_ALL,		/* the whole room loses power */
	F_CRASH_PRIMARY,
	F_RESET,		/* a connection is reset */
	F_PARTITION,		/* any set of links is cut, any direction */
	F_ISOLATE,		/* one node is cut off */
	F_STALL,		/* one stream stalls */
	F_PAUSE,		/* a node stands still and goes on later */
	F_DISK_ERROR,
	F_DISK_SLOW,
	F_ADMIN_SWITCH,		/* demote here, promote there */
	F_ADMIN_DETACH,
	F_ADMIN_DISCONNECT,
	F_ADMIN_INVALIDATE,
	F_ADMIN_PAUSE_SYNC,
	F_ADMIN_DOWN,		/* clean end of a node, later up again */
	F_ADMIN_ILLEGAL,	/* a second primary is asked for */
	F_ADMIN_FORCE,		/* primary --force with possible loss */
	F_ADMIN_REPLACE,	/* another disk, with new metadata */
	F_ADMIN_ROLLBACK,	/* an old image of a disk comes back */
	F_ADMIN_RESIZE,		/* a volume grows; only where asked for */
	F_ADMIN_DEPOSE,		/* secondary --force */
	F_SUSPEND,		/* a machine is suspended and resumed */
	F_LINK,			/* two nodes lose each other, and no third */
	F_ADMIN_QUORUM,		/* votes are switched on or off, node by node */
	F_LAG,			/* a disk stands still, or the way of data to a node */
	F_ADMIN_POLICY,		/* one node gets another ack policy, or min-in-sync */
	F_ADMIN_ASYNC,		/* one node is to wait for a peer, or not any more */
	F_COUNT,
};

/* Who does not wait for a node that is far (far.c)? */
enum far_how {
	FAR_FOR_ALL,		/* nobody */
	FAR_CONNECTION,		/* nor does it wait for others */
	FAR_MISTAKE,		/* one node */
	FAR_HOWS,
};

struct sim_opts {
	u64 seed;
	enum scenario scenario;
	u32 nodes, vols;
	u32 witnesses;		/* of these nodes: the last ones */
	u32 elections;		/* nobody looks after old primaries but the votes */
	u32 members;		/* mask of nodes that are there at first, 0: all */
	u32 hasty_pct;		/* how often their list changes before it is the same */
	u32 votes;		/* primaries are elected, with any ack policy */
	u32 fencing;		/* they are not, and lost peers have to be fenced */
	u32 vol_extents[MAX_VOLS];
	u32 room_extents;	/* by which a volume can grow, about */
	u32 cut_blocks;		/* at first it ends that far inside an extent */
	u32 al_extents;
	u32 on_io_error, on_no_data;
	u32 ack_policy, on_backlog, async_mask, backlog_max, backlog_ms;
	u32 lag_most;		/* nodes that are slow at a time, F_LAG */
	u32 far, far_us;	/* mask of nodes at distant sites; how much farther */
	enum far_how far_how;	/* who is told so ... */
	u32 far_by;		/* ... with FAR_MISTAKE */
	u32 min_in_sync, on_no_quorum, auto_promote;
	u32 after_split_brain, split_roles, split_idle;
	u32 external;		/* mask of nodes with external metadata */
	u32 init_sync;		/* first full sync instead of new_dataset */
	u32 garbage;		/* disks begin with differing contents */
	u32 digest, discard, hot;	/* features offered */
	u32 acks_on_data;	/* they may overtake what goes the other way */
	u32 tick_ms;
	u32 disk_us, disk_jitter_us, flush_us;
	u32 meta_ms;		/* that writing metadata takes at least, and up to four times */
	u32 net_us, net_jitter_us, net_bytes_us, ctrl_jitter_us;
	u32 timeout_ms, ping_ms, ack_timeout_ms;
	u32 rate_max, rate_min;
	u32 depth, think_us, hot_blocks, max_kib;
	u32 pct_read, pct_cold, pct_flush, pct_fua, pct_discard, pct_large;
	u32 pause_pct;		/* how often the application rests */
	u32 drift_pct;		/* by which clocks are fast or slow, 0: one clock */
	u32 survive;		/* crash: 0 all lost .. 100 all survive, 101 mixed */
	u32 nomem;		/* 1/n allocations fail, 0: none */
	u32 fault_ms;		/* mean distance of faults */
	u32 faults_s;		/* length of the faults phase */
	u32 weight[F_COUNT];
};

void opts_expand(struct sim_opts *o, u64 seed, int scenario,
		 int ack_policy, bool votes);
void opts_print(FILE *f, const struct sim_opts *o);
extern const char *const scenario_name[SCN_COUNT];
extern const char *const fault_name[F_COUNT];
extern const char *const mutation_name[MUT_COUNT];

/* ---- random numbers: one stream a seed ---- */

struct rng { u64 s; };

static inline u64 rng_next(struct rng *r)
{
	u64 z = (r->s += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline u32 rng_below(struct rng *r, u32 n)
{
	return n ? (u32)((rng_next(r) >> 32) * n >> 32) : 0;
}

static inline u32 rng_range(struct rng *r, u32 lo, u32 hi)
{
	return lo + rng_below(r, hi - lo + 1);
}

static inline bool rng_pct(struct rng *r, u32 pct)
{
	return rng_below(r, 100) < pct;
}

/* ---- memory (mem.c): pools, and lists of what a node owns ---- */

struct mem_owner {
	struct list_head list;
	u64 count;
};

void *mem_alloc(struct mem_owner *o, size_t size);	/* zeroed */
void mem_free(struct mem_owner *o, void *p);
void mem_free_all(struct mem_owner *o);
void mem_owner_init(struct mem_owner *o);
/* Until the seed ends; never freed alone. */
void *arena_alloc(size_t size);
void arena_reset(void);

/* ---- disks (disk.c) ---- */

struct sim_disk {
	u32 nchunks;
	u64 sectors;		/* data sectors */
	u64 **live;		/* what reads return, sparse */
	struct undo *undo;	/* writes not on stable media */
	u64 undo_head, undo_tail;
	u32 undo_cap;
	u64 *old;		/* what these writes replaced */
	u64 old_tail;
	u32 old_cap;
	u8 *meta;		/* the metadata area, byte by byte */
	u64 meta_off;		/* where it begins on its device */
	u64 meta_len;
	u64 dev_bytes, meta_dev_bytes;
	/* what the durable superblock says, parsed when needed */
	u32 sb_writes, sb_at;
	u32 sb_in_sync, sb_witnesses, sb_flags;
	u64 sb_version;
	u64 sb_vote_term;
	u8 sb_voted_for;
	u64 sb_number;		/* counts its writes */
	__le32 sb_lineage[REPL_NODES];
	/* faults */
	u64 slow_until;
	u64 stuck_until;	/* nothing completes before */
	u64 error_until;	/* persistent errors until then */
	u32 error_once;		/* that many I/Os fail */
	u8 error_what;		/* 1 reads, 2 writes, 4 metadata */
};

struct vol_node;
struct sio;
struct node;
struct link;

void disk_init(struct sim_disk *d, u32 node, u32 vol, bool again);
void disk_crash(struct vol_node *v);
u64 disk_tag(const struct sim_disk *d, u64 sector);
void disk_write_tag(struct sim_disk *d, u64 sector, u64 tag);
u32 disk_durable_set(struct sim_disk *d);
u32 disk_durable_keepers(struct sim_disk *d);
u64 disk_durable_version(struct sim_disk *d);
bool disk_durable_vote(struct sim_disk *d, u64 term, u8 node);
u32 disk_durable_flags(struct sim_disk *d);
void disk_copy(struct sim_disk *to, const struct sim_disk *from);
bool disk_resync_stable(const struct sim_disk *d, u64 sector, u32 n);
void disk_submit(struct vol_node *v, struct sio *s);
void disk_done(struct vol_node *v, struct sio *s, int err);
void disk_meta_submit(struct vol_node *v, struct repl_mio *mio);
void disk_meta_done(struct vol_node *v, int err);
int disk_meta_read(void *ctx, u64 offset, void *buf, u32 len);

/* ---- shell (shell.c) ---- */

enum sio_state { SIO_CORE = 1, SIO_DISK, SIO_FREE };

/* An I/O with its data, one tag a sector. */
struct sio {
	struct repl_io io;
	struct list_head disk;	/* under way on a disk */
	u32 cap;		/* tags */
	u8 state;
	bool sampled;		/* read: tags taken when it was submitted */
	bool app;		/* an application waits for it */
	bool direct;		/* its read has gone straight to the disk */
	bool completed;		/* the application has been told */
	bool blind;		/* read by one whose lease may be over unnoticed */
	u8 slot;		/* application's */
	u32 w;			/* history: number of the write */
	u32 submitted;		/* history: time */
	u64 undo_pos;		/* flush: what it covers */
	u64 tags[];
};

#define to_sio(p)	container_of(p, struct sio, io)

struct vol_node {
	struct repl_vol vol;
	struct node *node;
	u32 nr;
	bool open;		/* the core has the disk */
	bool attaching;
	bool closing;		/* disk_close was called */
	u8 last_disk;		/* state that was notified last */
	struct repl_mio *mio;	/* metadata write under way */
	u64 mio_undo;
	struct list_head disk_ios;
};

struct peer_node {
	struct repl_peer peer;
	struct link *link;
	u8 side;
};

struct sim_clock {
	u64 since, shows;	/* us: at this time it showed that */
	u32 pct;		/* of the speed of time */
	u64 blind_until;	/* it does not know of a suspension */
};

struct node {
	struct repl_res res;
	u32 id;
	u32 inc;		/* incarnation: events of an old one are void */
	bool up;		/* runs */
	bool down_wanted;	/* clean end under way */
	bool votes;		/* by its configuration file */
	u8 ack_policy, min_in_sync;	/* likewise */
	u32 async;		/* likewise: peers that it does not wait for */
	u32 list;		/* nodes in that, itself included */
	bool out;		/* stopped for good, or not there yet */
	u64 paused_until;
	u64 lag_until;		/* F_LAG */
	struct sim_clock clock;
	u64 up_at;		/* virtual time when it is to come back, 0: no */
	struct peer_node peers[MAX_NODES];
	struct vol_node vols[MAX_VOLS];
	struct mem_owner mem;	/* all that dies with the node */
	u32 voting;		/* promotion under way */
	bool vote_force;
	u32 demoting;
	u64 attach_at;		/* when the admin attaches again */
	bool moved;		/* it has stepped down, and a program knows nothing of it */
	u64 closed_until;	/* no program opens the devices */
};

extern const struct repl_ops sim_ops;
struct sio *sio_new(struct node *n, u32 sectors);
void sio_free(struct node *n, struct sio *s);
/* An application's read goes straight to the disk, if it may. */
bool shell_read_direct(struct sio *s);
/* What is on a disk has ended there. */
void shell_disk_done(struct sio *s, int err);
void *sim_core_calloc(size_t n, size_t size);
void sim_core_free(void *p);

/* ---- world (world.c) ---- */

enum ev_type {
	EV_TICK, EV_DISK, EV_META, EV_NET, EV_CONN_UP, EV_CONN_DOWN,
	EV_LINK_RETRY, EV_APP, EV_FAULT, EV_ADMIN, EV_MONITOR, EV_NODE_UP,
	EV_CLOSE, EV_CUT_END, EV_ATTACH, EV_SCRIPT, EV_LISTS,
};

struct ev {
	u64 t;
	u64 seq;
	u8 type;
	u8 node;		/* 0xff: nobody's */
	u16 a;
	u32 inc;
	void *p;
	u64 arg;
};

enum phase { PH_SETUP, PH_FAULTS, PH_HEAL, PH_DRAIN, PH_DONE };

struct world {
	struct sim_opts o;
	struct rng rng;
	u64 now;		/* us */
	u64 seq;
	struct ev *heap;
	u32 heap_n, heap_cap;
	enum phase phase;
	u64 phase_end;
	struct node node[MAX_NODES];
	struct sim_disk disk[MAX_NODES][MAX_VOLS];
	struct node *cur;	/* whose event is handled */
	u32 disk_busy;		/* disk I/O under way anywhere */
	u32 app_busy;		/* application I/O under way anywhere */
	u64 elected[MAX_NODES];	/* term in which a node was, last */
	u64 top_reign;		/* newest that has acknowledged anything, and ... */
	u32 top_since;		/* ... when it began to, in ticks of the history */
	bool diverged_ok;	/* a split was made on purpose */
	bool switched;		/* not all nodes have voted all the time */
	u32 list;		/* nodes that there are to be */
	u32 script;		/* step of a directed scenario */
	u32 seen_diverged;
	struct repl_lineage acked[MAX_VOLS];	/* generations with writes */
	u64 acked_end[MAX_VOLS];	/* how far on the device they reach */
	bool starting;		/* configuration: allocations may wait */
	u64 events;
};

extern struct world W;

static inline u32 sim_majority(void)
{
	return W.o.nodes / 2 + 1;
}

static inline bool sim_member(u32 node)
{
	return W.list & BIT(node);
}

static inline u32 sim_first_member(void)
{
	return (u32)__builtin_ctz(W.list);
}

/* They have the lower node ids. */
static inline u32 sim_replicas(void)
{
	return W.o.nodes - W.o.witnesses;
}

static inline bool sim_witness(u32 node)
{
	return node >= sim_replicas();
}

/* Are primaries elected, by what the nodes begin with? */
static inline bool sim_votes(void)
{
	return W.o.votes || W.o.ack_policy == ACK_QUORUM;
}

/* So many members of a set have what was acknowledged under it, or more. */
static inline u32 sim_acks_needed(u32 replicas, u32 set)
{
	u32 most = replicas / 2 + 1;

	return W.o.witnesses ? min(most, hweight32(set)) : most;
}

/* Sets that others keep may be smaller than a majority of the replicas. */
static inline bool sim_few_decide(void)
{
	return W.o.votes || (W.o.witnesses && W.o.ack_policy == ACK_QUORUM);
}

void ev_add(u64 delay_us, enum ev_type type, struct node *n, u16 a, void *p,
	    u64 arg);
void world_run(const struct sim_opts *o);
void node_start(struct node *n);
int node_add_peer(struct node *n, u32 peer, struct repl_refusal *no);
int node_del_peer(struct node *n, u32 peer, struct repl_refusal *no);
void node_crash(struct node *n);
bool node_stop(struct node *n);		/* clean; false: try again later */
void node_attach(struct node *n, u32 v);
#define R	(&W.rng)

/* ---- clocks (clock.c) ---- */

void clock_boot(struct node *n);
u64 clock_ms(const struct node *n);
void clock_stop(struct node *n, u64 until);
void clock_resume(struct node *n);

/* ---- net (net.c) ---- */

struct pkt {
	struct list_head link;
	u64 at;			/* arrival */
	struct repl_wire_hdr h;
	u32 ntags;
	u32 bytes;
	u8 body[];		/* payload, or tags */
};

struct stream {
	struct list_head q;
	u64 last;		/* arrival of the last one queued */
	u64 stall_until;
	bool armed;		/* an EV_NET is on its way */
	bool cut;		/* nothing more comes out */
};

struct link {
	struct node *end[2];	/* lower id first: the initiator */
	bool want[2];		/* configured, not standalone */
	bool up[2];		/* the core knows it as up */
	bool pending[2];	/* conn_up on its way */
	bool down_sent[2];	/* conn_down on its way */
	bool ever[2];		/* this connection was up on this side */
	bool discard[2];	/* next connect: our data is the victim */
	bool standalone[2];	/* the core asked for it */
	u32 epoch;
	u64 cut_until[2];	/* by direction: from end[i] */
	u64 hold_until;		/* no new faults: an illegal promotion runs */
	struct stream s[2][REPL_STREAMS];
};

extern struct link link_tab[MAX_NODES][MAX_NODES];

static inline struct link *link_of(u32 a, u32 b)
{
	return a < b ? &link_tab[a][b] : &link_tab[b][a];
}

void net_init(void);
void net_send(struct repl_peer *peer, enum repl_stream st,
	      struct repl_wire_hdr *h, const void *payload, struct repl_io *io);
void net_deliver(struct link *l, u32 dir, u32 st);
void net_conn_up(struct link *l, u32 side, u32 epoch);
void net_conn_down(struct link *l, u32 side, u32 epoch);
void net_retry(struct link *l);
void net_shut(struct link *l, u32 side, bool standalone);
void net_reset(struct link *l);
void net_cut(struct link *l, u32 dirs, u64 us);
void net_stall(struct link *l, u32 dir, u32 st, u64 us);
void net_heal(void);
void net_pages_reused(const struct node *n, u32 w);
void net_node_gone(struct node *n, bool clean);
void net_node_back(struct node *n);
void net_cut_end(struct link *l);
bool net_quiet(void);
void net_free(void);
bool net_both_up(struct link *l);

/* ---- application (app.c) ---- */

void app_init(void);
void app_event(struct node *n, u32 slot);
void app_complete(struct sio *s, int err);
void app_node_gone(struct node *n);
void app_check_wait(void);
bool app_stop(struct node *n);	/* true once nothing is under way there */
bool app_waits(const struct node *n);
bool app_has_open(const struct node *n);
void app_kick(struct node *n);
void app_quiesce(struct node *n, bool on);
bool app_finished(void);

/* ---- manager and faults (admin.c, fault.c) ---- */

void admin_init(void);
void admin_event(void);
void admin_vote_done(struct node *n, int err, const char *why);
void admin_poll_set(void);
void admin_node_crashed(struct node *n);
void admin_demoted(struct node *n);
void admin_moved(struct node *n);
void admin_disk_failed(struct node *n, u32 v);
void admin_promoted(struct node *n);
void admin_declare_loss(const char *why);
u32 admin_set(u32 vol);
bool admin_promote(struct node *n, bool force);
void admin_list_changed(void);
void admin_acked(const struct node *p, u32 v);
struct node *admin_primary(void);
/* Does a primary send it its writes without waiting for them? */
bool is_follower(const struct node *n);
extern struct manager {
	u32 set[MAX_VOLS];	/* who holds every acknowledged write */
	u64 version[MAX_VOLS];	/* of the set, with --votes */
	u32 lost;		/* of these, who lost its caches */
	bool total_loss;
	bool forced;		/* a loss was declared */
	u32 branches;		/* that were begun by force */
	struct node *primary;
	struct node *want;	/* switch: to be promoted next */
	bool by_move;		/* it asks the primary to step down */
	bool hasty;		/* which programs still have open */
	struct node *illegal;	/* asked to be a second primary */
	u32 crashed_inc[MAX_NODES];
	u64 next_try;
	u32 setup;		/* progress of the first set-up */
} M;
/* The fencing agent (agent.c): looks for somebody who is to be fenced. */
void agent_init(void);
void agent_event(void);
void fault_init(void);
/* One of the mix and so on; or an event of its own (EV_FAULT's a and arg). */
enum fault_ev { FE_MIX, FE_RESIZE, FE_CUT, FE_QUORUM };
void fault_event(enum fault_ev what, u64 arg);
void fault_heal(void);
/* It loses power, and is back after so long. */
void fault_crash(struct node *n, u32 back_ms);
void fault_settle_votes(void);
void fault_draw_policy(struct node *n);	/* for its configuration file */
void script_event(void);
void script_victim(const struct node *n, const struct repl_peer *peer);

/* ---- distant sites (far.c) ---- */

void far_init(struct node *n);
void far_switch(void);
void far_settle(void);

/* ---- who the nodes are (lists.c) ---- */

void lists_init(void);
void lists_event(void);
bool lists_agree(char *why, size_t len);

/* ---- checkers ---- */

/* check_hist.c: linearizable, durable */
void hist_init(void);
u32 hist_write(u32 vol, u32 node, u64 sector, u32 n, bool zero, bool fua);
void hist_ack(u32 w);
void hist_failed(u32 w);
u32 hist_now(void);
void hist_read(u32 vol, u32 submitted, u64 sector, u32 n, const u64 *tags,
	       const char *who);
void hist_flushed(u32 vol, u32 submitted);
void hist_node_gone(u32 node);
void hist_settle(void);		/* a primary begins: open writes are decided */
void hist_total_loss(void);	/* unflushed writes may be gone */
void hist_forget(void);		/* anything goes until it is seen again */
bool hist_may_hold(u32 vol, u64 sector, u64 tag);
bool hist_stale(u32 vol, u64 old, u64 tag);
void hist_verify(u32 node);
void hist_explain(u32 vol, u64 sector, char *buf, size_t len);
void hist_read_begin(u32 node, u32 t);
void hist_read_end(u32 node, u32 t);

/* check_order.c */
void order_submitted(struct node *n, const struct repl_io *io);
bool hist_acked_before(u64 a, u64 b);
void order_bound(const struct node *p, const struct repl_io *io);
bool order_branches(u32 vol, const struct node *a, const struct node *b);
void order_acked(u32 vol, struct node *p, u64 sector, u32 n, u32 w);
bool order_applies(struct node *n, const struct repl_io *io);
void order_applied(struct node *n, const struct repl_io *io, u64 sector,
		   u64 old, u64 tag);

void order_disk_state(struct node *n, u32 v);
void order_cleared(struct node *n, const struct repl_wire_hdr *h,
		   const void *payload);

/* check_state.c */
void state_monitor(void);
void state_acked(struct node *p, u32 submitted);
void state_elected(const struct node *n);
void state_vote_sent(const struct node *n, u8 to, const struct repl_wire_hdr *h);
void state_settled(void);
u32 state_set(u32 vol, u32 node);
bool state_majority_keeps(u32 vol, u32 node, u32 *set);
bool state_by_majority(u64 version);
bool state_is_settled(char *why, size_t len);
void state_dump(FILE *f);
bool replicas_equal(u32 vol, u32 a, u32 b, u64 *where);

/* ---- trace and violations (trace.c) ---- */

extern bool trace_on;
void trace_line(const char *fmt, ...) __printf(1, 2);
#define T(...)	do { if (__builtin_expect(trace_on, 0)) \
			trace_line(__VA_ARGS__); } while (0)
void trace_reset(bool on, FILE *live);
void trace_dump(FILE *f);
const char *pkt_name(u8 type);
const char *disk_name(u32 d);
const char *rs_name(u32 s);
const char *kind_name(u32 k);
const char *op_name(u32 op);
void violation(const char *checker, const char *fmt, ...)
	__printf(2, 3) __attribute__((noreturn));
extern char violation_checker[64];
extern char violation_text[1024];

/* What a run has seen: shows that the faults do happen. */
enum cov {
	C_WRITES, C_READS, C_FLUSHES, C_CRASHES, C_PROMOTIONS, C_CONNS,
	C_RESETS, C_RS_WRITES, C_RS_EQUAL, C_SYNC_DONE, C_MEMBERS, C_DIVERGED,
	C_DISK_ERRORS, C_META_WRITES, C_TORN, C_TOTAL_LOSS, C_FORCED,
	C_QUIET_CHECKS, C_SETTLED, C_REFUSED_VOTES, C_REMOTE_READS, C_NOMEM,
	C_ROLLBACKS, C_REPLACED, C_DEPOSED, C_RESIZED, C_SUCCESSIONS,
	C_MOVED, C_VICTIMS, C_SUSPENDED, C_DIRECT, C_DIRECT_LOST, C_LAGS,
	C_FENCED,		/* this and what follows: only if there was any */
	C_EDITS, C_EDITS_REFUSED,
	C_FAR_PROMOTED, C_ASYNC_CHANGED,
	C_COUNT,
};
extern u64 cov[C_COUNT];
extern const char *const cov_name[C_COUNT];

#endif
