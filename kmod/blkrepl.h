/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DOC: the kernel shell of the replication core
 *
 * The core (core/core.h) decides, the files here do.  An event of the core is
 * always:
 *
 *	blkrepl_lock(r, flags);
 *	repl_something(...);
 *	blkrepl_unlock(r, flags);	or blkrepl_unlock_atomic()
 *
 * What the core asks for in between is only queued (exec.c) and is done while
 * the lock is dropped.  blkrepl_unlock() does all of it in the caller's
 * context, which must be allowed to sleep; blkrepl_unlock_atomic() leaves to
 * the workqueue what may sleep.
 *
 * Lock order, outer first:
 *
 *	blkrepl_resource.admin	mutex: administration of one resource
 *	blkrepl_net.lock	mutex: resources of a namespace
 *	blkrepl_net.listen_lock	mutex: listeners of a namespace
 *	blkrepl_listener.lock	mutex: its peers and handshakes (conn.c)
 *	blkrepl_peer.conn_lock	mutex: the sockets of a peer
 *	blkrepl_stream.tx_lock	mutex: who sends on a stream
 *	blkrepl_resource.lock	spinlock, irq safe: the core
 *	blkrepl_stream.q_lock	spinlock, irq safe: packets to be sent
 *
 * The threads and works of the data path take none of the first three, so that
 * they can be waited for under these.
 *
 * Letters in the comments on fields:
 *	I  set before the object is visible to others, constant after that
 *	N  under blkrepl_net.lock
 *	A  under blkrepl_resource.admin
 *	L  under blkrepl_resource.lock
 *	C  under blkrepl_peer.conn_lock
 *	T  under blkrepl_stream.tx_lock
 *	Q  under blkrepl_stream.q_lock
 *	W  atomic or its own lock inside
 *	R  only by who receives on the stream: under the lock of its socket, or
 *	   its thread while rx_busy
 *	E  under blkrepl_listener.lock
 */
#ifndef BLKREPL_H
#define BLKREPL_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/refcount.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "core/core.h"
#include "events.h"
#include "latency.h"
#include "pool.h"
#include "uapi/blkrepl.h"

#define BLKREPL_NAME		"blkrepl"
#define BLKREPL_MINORS		(1U << 20)
#define BLKREPL_MAX_PAGES	(REPL_MAX_DATA / PAGE_SIZE)
#define BLKREPL_META_MAX	16384U	/* longest metadata write */
#define BLKREPL_TICK_MS		50

struct blkrepl_listener;
struct blkrepl_peer;
struct blkrepl_resource;
struct blkrepl_volume;

/**
 * struct blkrepl_net - what the module keeps in a network namespace
 * Only open devices pin a namespace (bdev.c): when it goes, the pernet exit
 * function tears its resources down, sockets included (resource.c).
 */
struct blkrepl_net {
	struct net *net;		/* I */
	struct mutex lock;
	struct list_head resources;	/* N: blkrepl_resource.link */
	struct mutex listen_lock;
	struct list_head listeners;	/* under listen_lock: listen.c */
	unsigned long last_id;		/* N: of the newest resource */
	atomic_t generation;		/* W: objects made and removed: dumps */
};

/* ---- I/O ---- */

/**
 * struct blkrepl_io - an I/O of the core with its data and its bio
 * One reference belongs to the core, one to every packet that sends the data.
 */
struct blkrepl_io {
	struct repl_io io;
	struct blkrepl_resource *r;	/* I */
	refcount_t ref;			/* W */
	u8 which;			/* I: enum blkrepl_reserve: it goes back there */
	struct list_head todo;		/* L, then the runner's */
	struct list_head ended;		/* L, then the runner's: app is to be told */
	s16 app_err;			/* L: with what */
	struct bio *app;		/* I: IO_APP: the bio to complete */
	unsigned long app_start;	/* I: for its accounting */
	u64 start_ns;			/* I: IO_APP: when it came; reads: 0 */
	u64 issued_ns;			/* L: when it went to disk and peers */
	struct blkrepl_io *next;	/* I: to submit when this flush is done;
					 * L: the next spare one
					 */
	struct blkrepl_buf buf;		/* owner: the I/O's present step */
	unsigned int charged;		/* I: pages held against max_buffers */
	struct blkrepl_peer *charged_to; /* I: lives until nothing is charged */
	u32 dcrc;			/* of the data, if dcrc_valid */
	bool dcrc_valid;
	/* the backing device's side; belongs to disk.c while under way */
	u8 disk_step;
	u64 disk_sector;
	u32 disk_left;
	int disk_err;
	struct work_struct disk_work;
	struct bio bio;			/* or what bdev.c has changed in app */
};

static inline struct blkrepl_io *to_bio_io(struct repl_io *io)
{
	return container_of(io, struct blkrepl_io, io);
}

/* ---- objects ---- */

/**
 * struct blkrepl_disk - the backing device of a volume
 * Made by attach.c, in use from repl_attach() to ->disk_close(), freed by
 * blkrepl_disk_free().
 */
struct blkrepl_disk {
	struct block_device *bdev;	/* I: data */
	struct block_device *meta_bdev;	/* I: == bdev with internal metadata */
	void *data_handle;		/* I: what closing needs, attach.c */
	void *meta_handle;		/* I */
	u64 meta_area;			/* I: byte offset on meta_bdev */
	u64 bytes;			/* I: size of bdev when it was attached */
	unsigned int lbs;		/* I */
	bool can_zero;			/* W: REQ_OP_WRITE_ZEROES works */
	bool can_zero_nounmap;		/* W: with REQ_NOUNMAP, too */
	/* metadata I/O; one at a time */
	struct repl_mio *mio;		/* L */
	struct bio meta_bio;
	struct bio_vec meta_vec[1];
	void *meta_buf;			/* I: BLKREPL_META_MAX bytes */
	struct work_struct meta_work;
	int meta_err;
	u8 meta_step;
};

/**
 * struct blkrepl_volume - a volume and its device
 * Owned by the resource's table; freed after del_gendisk(), with no opener.
 */
struct blkrepl_volume {
	struct repl_vol vol;		/* the core's */
	struct blkrepl_resource *r;	/* I */
	unsigned int minor;		/* I */
	struct gendisk *gd;		/* I */
	struct blkrepl_disk *disk;	/* L: NULL without a disk */
	struct list_head meta_todo;	/* L: metadata to be written */
	bool dying;			/* L: no more opens */
	bool disk_flushes;		/* L: setting */
	bool close_failed;		/* L: disk_close was because of an error */
	unsigned int openers;		/* L */
	unsigned int writers;		/* L: opened for writing since openers was 0 */
	struct repl_hist latency[BLKREPL_VOL_STAGES]; /* L */
	struct work_struct close_work;	/* disk_close */
	struct work_struct size_work;	/* resized */
	wait_queue_head_t disk_wait;	/* W: disk came or went */
	/* settings, kept to be read back; attach.c */
	char *disk_path;		/* A */
	char *meta_path;		/* A: NULL: internal */
};

static inline struct blkrepl_volume *to_volume(struct repl_vol *vol)
{
	return container_of(vol, struct blkrepl_volume, vol);
}

/**
 * struct blkrepl_pkt - a packet that waits to be sent
 * Followed on the wire by @inl or by the data of @io.
 */
struct blkrepl_pkt {
	struct list_head link;		/* Q, then T */
	struct repl_wire_hdr h;
	u32 len;			/* bytes after the header */
	void *inl;
	struct blkrepl_io *io;		/* a reference */
};

#define BLKREPL_RX_BATCH	16
#define BLKREPL_TX_VECS		64

/**
 * struct blkrepl_rx_pkt - a packet that has been received on the data stream
 * @h: its header
 * @io: its I/O, with data if it has any
 * @inl: its payload is in the stream's rx_buf
 */
struct blkrepl_rx_pkt {
	struct repl_wire_hdr h;
	struct blkrepl_io *io;
	bool inl;
};

/**
 * struct blkrepl_eager - do writes that somebody waits for gain by going together?
 * @wait: they wait for each other just now
 * @trying: only to see how long that takes
 * @writes: since @since
 * @left: rounds until the other way is tried
 * @since: ns
 * @took: ns for EAGER_WRITES, without a wait and with it
 */
struct blkrepl_eager {
	bool wait;
	bool trying;
	unsigned int writes;
	unsigned int left;
	u64 since;
	u64 took[2];
};

/**
 * struct blkrepl_stream - one of the two TCP connections to a peer
 */
struct blkrepl_stream {
	struct blkrepl_peer *peer;	/* I */
	enum repl_stream nr;		/* I */
	struct socket *sock;		/* C and T to change, one to read */

	/* send state */
	spinlock_t q_lock;
	struct list_head queue;		/* Q: blkrepl_pkt */
	bool open;			/* Q: packets are accepted */
	struct list_head kick;		/* L: in blkrepl_resource.todo_tx */
	struct mutex tx_lock;
	struct list_head out;		/* T: blkrepl_pkt, the first partly sent */
	u32 sent;			/* T: bytes of that */
	struct bio_vec *tx_vec;		/* T: BLKREPL_TX_VECS, for one call of the socket */
	struct page *tx_headers;	/* T: lent to the socket, with the data */
	unsigned int tx_headers_used;	/* T: bytes */
	wait_queue_head_t tx_wait;	/* W */
	struct task_struct *tx_task;	/* A */
	bool tx_stuck;			/* Q: socket is full, leave it to tx_task */
	unsigned int tx_bulk;		/* Q: packets other than acks, not sent */
	/* if not 0 all that is queued waits for more, or for the timer */
	unsigned int gathered;		/* Q: packets that wait */
	u32 gathered_bytes;		/* Q: of these */
	struct hrtimer gather_timer;	/* Q to start */
	struct blkrepl_eager eager;	/* Q */
	/* the last packet sent that needs an io at the peer */
	u8 asked_type;			/* L: PKT_NONE: it has been answered */
	__le64 asked_id;		/* L: what its answer repeats */

	/* receive state */
	void *rx_buf;			/* R: REPL_MAX_INLINE bytes */
	struct repl_wire_hdr rx_hdr;	/* R: packet that comes in */
	u32 rx_have;			/* R: bytes of it */
	/* of the data stream: a thread */
	struct task_struct *rx_task;	/* A */
	struct blkrepl_io *rx_io;	/* R: of the packet that comes in */
	enum repl_wire_error rx_bad;	/* R: what is wrong with it */
	bool rx_wants_io;		/* R: it needs memory to be waited for */
	struct blkrepl_rx_pkt *rx_batch; /* I: packets to be handed to the core */
	unsigned int rx_nr;		/* R: how many */
	bool collecting;		/* R: it submits disk I/O just now */
	struct list_head ended;		/* R: what ended meanwhile */
	/* callbacks of the socket (rxquick.c) */
	bool rx_busy;			/* R: the thread's turn */
	void (*old_data_ready)(struct sock *sk);   /* I */
	void (*old_state_change)(struct sock *sk); /* I */
};

/* Bytes of the packet that are still to come, once its header is there. */
static inline u32 blkrepl_rx_left(const struct blkrepl_stream *s)
{
	return REPL_HDR_LEN + le32_to_cpu(s->rx_hdr.length) - s->rx_have;
}

/**
 * struct blkrepl_peer_conf - settings of a peer that the core doesn't need
 */
struct blkrepl_peer_conf {
	char name[BLKREPL_NAME_MAX];
	struct sockaddr_storage local;
	struct sockaddr_storage remote;
	u8 secret[BLKREPL_SECRET_MAX];
	u8 secret_len;			/* 0: auth none */
	bool data_crc;
	u32 connect_int_ms;
	u32 sndbuf;
	u32 rcvbuf;
	u32 max_buffers;		/* pages */
};

/* Sockets that passed the handshake and wait for the other stream. */
struct blkrepl_pending {
	struct socket *sock[REPL_STREAMS];
	u64 session;
	u32 features;
	bool data_crc;
	u8 digest_key[REPL_DIGEST_KEY_LEN];
};

/**
 * struct blkrepl_peer - another node and the connection to it
 */
struct blkrepl_peer {
	struct repl_peer peer;		/* the core's */
	struct blkrepl_resource *r;	/* I: a reference */
	struct kref ref;
	struct blkrepl_peer_conf cfg;	/* A to change, L too to change or read */
	bool initiator;			/* I: we connect, the other listens */

	bool wanted;			/* L: connect and stay connected */
	bool up;			/* L: between repl_conn_up() and down */
	bool failed;			/* L: this connection has to end */
	bool standalone;		/* L: don't reconnect after it */
	bool data_crc;			/* L: agreed */
	u8 digest_key[REPL_DIGEST_KEY_LEN]; /* set before repl_conn_up() */
	char last_error[BLKREPL_ERROR_LEN]; /* L */

	struct mutex conn_lock;		/* for changes of sockets only */
	struct blkrepl_stream stream[REPL_STREAMS];
	struct socket *dialing;		/* C: being connected, to be shut down */
	struct blkrepl_pending pending;	/* C */
	struct blkrepl_listener *listener; /* A */
	unsigned long heard;		/* W: jiffies: a hello came, or we wait */
	struct list_head listen_link;	/* E: blkrepl_listener.peers */
	bool started;			/* A: the threads exist */
	wait_queue_head_t wait;		/* W: for the connection's threads */
	atomic_t users;			/* W: contexts and I/Os in passing */
	struct work_struct shut_work;	/* ops->disconnect */
	struct rcu_head rcu;

	atomic_t rx_pages;		/* W: received and not finished */
	wait_queue_head_t rx_wait;	/* W: for rx_pages to fall */
	atomic64_t sent_bytes;		/* W */
	atomic64_t recv_bytes;		/* W */
	struct repl_hist acks;		/* L: from issue to ack */
};

static inline struct blkrepl_peer *to_peer(struct repl_peer *peer)
{
	return container_of(peer, struct blkrepl_peer, peer);
}

static inline const char *blkrepl_peer_name(const struct blkrepl_peer *p)
{
	return p->cfg.name[0] ? p->cfg.name : "?";
}

/**
 * struct blkrepl_resource - a resource on this node
 */
struct blkrepl_resource {
	struct repl_res res;		/* the core's */
	char name[BLKREPL_NAME_MAX];	/* I */
	char node_name[BLKREPL_NAME_MAX]; /* A */
	struct kref ref;
	struct list_head link;		/* N: blkrepl_net.resources */
	unsigned long id;		/* I: order of creation */
	struct blkrepl_net *bn;		/* I */
	struct mutex admin;
	bool gone;			/* A: removed, don't use */
	spinlock_t lock;
	u64 now_ns;			/* L: of this event, 0: not asked for yet */

	struct blkrepl_volume *volume[BLKREPL_MAX_VOLUMES]; /* A + L to change */
	struct blkrepl_peer *peer[BLKREPL_MAX_NODES];	    /* A + L to change */
	unsigned int openers;		/* L: of all volumes */
	unsigned int writers;		/* L */

	/* what the core asked for (exec.c) */
	struct list_head todo_complete;	/* L: blkrepl_io */
	struct list_head todo_release;	/* L: blkrepl_io */
	struct list_head todo_disk;	/* L: blkrepl_io */
	struct list_head todo_meta;	/* L: blkrepl_volume */
	struct list_head todo_tx;	/* L: blkrepl_stream */
	struct work_struct todo_work;
	struct delayed_work tick_work;
	unsigned int crc_peers;		/* L: connected and want CRCs on data */

	/* promotion (netlink.c waits) */
	struct completion vote;		/* W */
	bool voting;			/* A: somebody waits for it */
	int vote_err;			/* L */
	char vote_why[2 * BLKREPL_ERROR_LEN]; /* L */

	struct blkrepl_events ev;
	struct blkrepl_pool pool;
};

static inline struct blkrepl_resource *to_resource(struct repl_res *res)
{
	return container_of(res, struct blkrepl_resource, res);
}

/* When this event began, or so.  Under r->lock. */
static inline u64 blkrepl_now(struct blkrepl_resource *r)
{
	if (!r->now_ns)
		r->now_ns = ktime_get_ns();
	return r->now_ns;
}

/* WQ_MEM_RECLAIM: what an I/O may have to wait for. (main.c makes both) */
extern struct workqueue_struct *blkrepl_io_wq;	/* WQ_HIGHPRI */
extern struct workqueue_struct *blkrepl_wq;	/* WQ_UNBOUND: digests,
						 * closing, sizes, handshakes
						 */
extern int blkrepl_major;

/* ---- exec.c: the core's actions ---- */

extern const struct repl_ops blkrepl_ops;

#define blkrepl_lock(r, flags)	spin_lock_irqsave(&(r)->lock, flags)

/* The same where interrupts are known to be on, and nothing is left to be done. */
#define blkrepl_lock_task(r)		spin_lock_irq(&(r)->lock)
#define blkrepl_unlock_task(r)		spin_unlock_irq(&(r)->lock)

/* For those who only looked, and called no event: never sleeps. */
#define blkrepl_unlock_quiet(r, flags)	spin_unlock_irqrestore(&(r)->lock, flags)

/**
 * blkrepl_unlock() - end an event and do what it asked for
 * @r: the resource
 * @flags: from blkrepl_lock()
 *
 * Process context, may sleep (waits for memory with GFP_NOIO at the most).
 */
void blkrepl_unlock(struct blkrepl_resource *r, unsigned long flags)
	__releases(&r->lock);

/**
 * blkrepl_unlock_atomic() - the same from any context
 * @r: the resource
 * @flags: from blkrepl_lock()
 *
 * I/O is completed at once; what may sleep is left to the workqueue.
 */
void blkrepl_unlock_atomic(struct blkrepl_resource *r, unsigned long flags)
	__releases(&r->lock);

/**
 * blkrepl_unlock_rx() - the same for the thread that receives data
 * @s: its stream
 * @flags: from blkrepl_lock()
 *
 * As blkrepl_unlock(); I/O that ends while it is submitted is seen to, too.
 */
void blkrepl_unlock_rx(struct blkrepl_stream *s, unsigned long flags)
	__releases(&s->peer->r->lock);

/**
 * blkrepl_exec_init() - prepare a resource: lists, works, reserves, core
 * @r: zeroed, with name, bn and res.node set; res.conf is set to defaults
 *
 * Calls repl_res_init().  Process context.  Return: 0 or -ENOMEM.
 */
int blkrepl_exec_init(struct blkrepl_resource *r);

/** blkrepl_exec_start() - let time run for the core */
void blkrepl_exec_start(struct blkrepl_resource *r);

/**
 * blkrepl_exec_exit() - undo blkrepl_exec_init() and _start()
 * @r: no volumes, no peers any more
 *
 * Waits for the works.  Process context.
 */
void blkrepl_exec_exit(struct blkrepl_resource *r);

/* ---- bdev.c: /dev/blkreplN ---- */

/**
 * blkrepl_bdev_new() - make the device of a volume
 * @v: minor set; before the core knows of it, and may say resized
 *
 * Process context.  The device has no size until the core says resized.
 * Return: 0 or -errno.
 */
int blkrepl_bdev_new(struct blkrepl_volume *v);

/**
 * blkrepl_bdev_add() - let the device be seen and opened
 * @v: known to the core
 *
 * Process context.  Return: 0 or -errno.
 */
int blkrepl_bdev_add(struct blkrepl_volume *v);

/**
 * blkrepl_bdev_del() - take the device away
 * @v: the volume
 * @force: even if it is open (the namespace goes): openers get I/O errors
 *
 * Process context, waits.  Return: 0, or -EBUSY: it is open.
 */
int blkrepl_bdev_del(struct blkrepl_volume *v, bool force);

/** blkrepl_bdev_free() - free the device: it is not seen yet, or any more */
void blkrepl_bdev_free(struct blkrepl_volume *v);

/** blkrepl_bdev_complete() - an application's I/O is finished. Any context */
void blkrepl_bdev_complete(struct blkrepl_io *b, int err);

/**
 * blkrepl_bdev_limits() - take over the limits of a disk to be attached
 * @v: the volume
 * @d: the disk
 * @old: for blkrepl_bdev_limits_back()
 *
 * Process context.  Return: 0 or -errno; -EBUSY: the device is open, and takes
 * I/O in smaller blocks, or less aligned in memory, than the disk.
 */
int blkrepl_bdev_limits(struct blkrepl_volume *v, struct blkrepl_disk *d,
			struct queue_limits *old);

/**
 * blkrepl_bdev_limits_back() - the disk was not attached: undo it
 * @v: the volume
 * @old: the limits as they were
 *
 * Process context.  Who has just opened the device keeps the new ones.
 */
void blkrepl_bdev_limits_back(struct blkrepl_volume *v,
			      const struct queue_limits *old);

/* ---- disk.c: I/O to the backing device ---- */

/*
 * What an application's bio asks for, and one to the backing device must not: a
 * disk may fail these when nothing is wrong with it, and one that fails is let go of.
 */
#define BLKREPL_APP_ONLY \
	(REQ_NOWAIT | REQ_POLLED | REQ_RAHEAD | REQ_FAILFAST_MASK)

/** blkrepl_disk_init() - prepare a disk for metadata I/O: 0 or -ENOMEM */
int blkrepl_disk_init(struct blkrepl_volume *v, struct blkrepl_disk *d);

/** blkrepl_disk_exit() - undo it; nothing is under way */
void blkrepl_disk_exit(struct blkrepl_disk *d);

/** blkrepl_disk_submit() - do an I/O; repl_io_done() follows. Process context */
void blkrepl_disk_submit(struct blkrepl_io *b);

/** blkrepl_disk_ended() - an I/O has ended with ->disk_err. Under r->lock */
void blkrepl_disk_ended(struct blkrepl_io *b);

/** blkrepl_meta_submit() - do v->disk->mio; repl_meta_done() follows. Process context */
void blkrepl_meta_submit(struct blkrepl_volume *v);

/** blkrepl_volume_init() - the data path's part of a new, zeroed volume */
void blkrepl_volume_init(struct blkrepl_volume *v);

/** blkrepl_volume_flush() - wait for the works of a volume that goes */
void blkrepl_volume_flush(struct blkrepl_volume *v);

/* ---- crypto.c ---- */

int blkrepl_crypto_init(void);
void blkrepl_crypto_exit(void);

/** blkrepl_hmac() - HMAC-SHA256. May sleep */
int blkrepl_hmac(const u8 *key, unsigned int key_len, const u8 *text,
		 unsigned int len, u8 out[REPL_HMAC_LEN]);

/**
 * blkrepl_buf_digest() - Poly1305 of the data; doesn't sleep
 * @buf: the data
 * @key: both ends have the same, and whoever wrote the data doesn't know it
 * @out: equal for equal data; for other data with a chance of less than 2^-90
 */
void blkrepl_buf_digest(const struct blkrepl_buf *buf,
			const u8 key[REPL_DIGEST_KEY_LEN],
			u8 out[REPL_DIGEST_LEN]);

/* ---- conn.c: connections ---- */

/** blkrepl_conn_net_init() - set up bn's listeners; they go with the peers */
void blkrepl_conn_net_init(struct blkrepl_net *bn);

/**
 * blkrepl_peer_init() - the data path's part of a new, zeroed peer
 * @p: with r, peer.node and cfg set
 *
 * Takes a reference on the resource; the caller owns the only reference to
 * the peer.  Return: 0 or -ENOMEM.
 */
int blkrepl_peer_init(struct blkrepl_peer *p);

/** blkrepl_peer_put() - drop a reference; the last one frees. May sleep */
void blkrepl_peer_put(struct blkrepl_peer *p);

/**
 * blkrepl_peer_use() - keep @p from being freed for a short while
 * @p: the peer
 *
 * Unlike a reference it can be dropped in any context: the last
 * blkrepl_peer_put() waits.
 */
void blkrepl_peer_use(struct blkrepl_peer *p);
void blkrepl_peer_unuse(struct blkrepl_peer *p);

/**
 * blkrepl_peer_connect() - begin to connect, and go on until told otherwise
 * @p: addresses are set
 * @why: words for an administrator on error
 *
 * Under admin.  Starts the threads.  Return: 0 (also if it does so already),
 * or -errno (address in use, no memory for threads).
 */
int blkrepl_peer_connect(struct blkrepl_peer *p, const char **why);

/**
 * blkrepl_peer_disconnect() - end the connection, don't reconnect
 * @p: the peer
 * @why: for its last error, NULL: the administrator said so
 *
 * Under admin.  Waits until the threads are gone; the core has seen
 * repl_conn_down().  Waits for the network for a moment at the most.
 */
void blkrepl_peer_disconnect(struct blkrepl_peer *p, const char *why);

/** blkrepl_conn_fail() - this connection has to end. Under r->lock, any context */
void blkrepl_conn_fail(struct blkrepl_peer *p, const char *why);

/** blkrepl_conn_wanted() - do we want a connection just now? Any context */
bool blkrepl_conn_wanted(struct blkrepl_peer *p);

/**
 * blkrepl_conn_idle() - neither connected nor trying to. Under r->lock
 * Its threads may still be there: blkrepl_peer_disconnect() ends them.
 */
bool blkrepl_conn_idle(struct blkrepl_peer *p);

/** blkrepl_conn_thread() - owner of a connection, receives on the data stream */
int blkrepl_conn_thread(void *stream);

/** blkrepl_conn_shut() - shut the sockets so that the threads wake up. May sleep */
void blkrepl_conn_shut(struct blkrepl_peer *p);

/** blkrepl_peer_error() - keep @why as last_error, log it if it is new */
void blkrepl_peer_error(struct blkrepl_peer *p, const char *why);

/**
 * blkrepl_conn_offer() - a peer has opened a stream to us and proved who it is
 * @p: the peer
 * @nr: which stream
 * @sock: consumed
 * @session: ties the streams together
 * @res: what was agreed
 */
void blkrepl_conn_offer(struct blkrepl_peer *p, enum repl_stream nr,
			struct socket *sock, u64 session,
			const struct repl_hello_result *res);

/* ---- sock.c: sockets and their handshake ---- */

/** blkrepl_sock_init() - sockets may use the memory reserves from now on. May sleep */
void blkrepl_sock_init(void);

/** blkrepl_sock_exit() - there are none any more. May sleep */
void blkrepl_sock_exit(void);

/** blkrepl_sock_setup() - options of a new socket; once for each */
void blkrepl_sock_setup(struct socket *sock);

/** blkrepl_sock_bufs() - sizes of its buffers, as configured for @p */
void blkrepl_sock_bufs(struct blkrepl_peer *p, struct socket *sock);

/** blkrepl_sock_trust() - the peer is authenticated: no limits of time any more */
void blkrepl_sock_trust(struct socket *sock);

/**
 * blkrepl_sock_release() - shut and close; NULL allowed
 * @sock: nobody else's
 *
 * Sleeps for a moment, if the peer doesn't confirm that it got all.
 */
void blkrepl_sock_release(struct socket *sock);

/**
 * blkrepl_sock_abort() - close at once, whatever is still to be sent
 * @sock: nobody else's
 *
 * Closing stops the timers of a kernel socket, and one that then waits for an
 * answer that doesn't come would never go: so every end is a reset.
 */
void blkrepl_sock_abort(struct socket *sock);

/**
 * blkrepl_shake_initiator() - say who we are on a stream that we opened
 * @p: the peer
 * @sock: connected
 * @nr: which stream
 * @session: chosen by us
 * @res: what was agreed
 * @why: BLKREPL_ERROR_LEN bytes, set on error
 *
 * May sleep, for a few seconds at the most.  Return: 0 or -errno.
 */
int blkrepl_shake_initiator(struct blkrepl_peer *p, struct socket *sock,
			    enum repl_stream nr, u64 session,
			    struct repl_hello_result *res, char *why);

/**
 * blkrepl_shake_acceptor() - answer @hello, the first bytes of a stream
 *
 * It may be one that doesn't fit @p, or that should not have come: refused.
 */
int blkrepl_shake_acceptor(struct blkrepl_peer *p, struct socket *sock,
			   const struct repl_wire_hello *hello,
			   struct repl_hello_result *res, char *why);

/** blkrepl_same_host() - are the addresses equal but for the port? */
bool blkrepl_same_host(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b);

/** blkrepl_addr_len() - length of an address of its family */
int blkrepl_addr_len(const struct sockaddr_storage *a);

/* ---- listen.c: accepting connections ---- */

/** blkrepl_listen_add() - accept connections for @p: 0 or -errno. Under admin */
int blkrepl_listen_add(struct blkrepl_peer *p, const char **why);

/** blkrepl_listen_del() - don't any more. Under admin, may sleep */
void blkrepl_listen_del(struct blkrepl_peer *p);

/* ---- resource.c ---- */

extern unsigned int blkrepl_net_id;

struct blkrepl_net *blkrepl_net(struct net *net);

/** blkrepl_resource_find() - by name, with a reference; takes bn->lock */
struct blkrepl_resource *blkrepl_resource_find(struct blkrepl_net *bn,
					       const char *name);
void blkrepl_resource_get(struct blkrepl_resource *r);

/** blkrepl_resource_put() - the last one calls blkrepl_exec_exit(). May sleep */
void blkrepl_resource_put(struct blkrepl_resource *r);

/* ---- attach.c ---- */

/** blkrepl_disk_free() - close the devices and free @d. May sleep */
void blkrepl_disk_free(struct blkrepl_disk *d);

/* ---- events.c ---- */

/**
 * blkrepl_notify() - ops->notify
 * Under r->lock, any context: queue, and multicast from a work.
 */
void blkrepl_notify(struct repl_res *res, enum repl_note note,
		    struct repl_vol *vol, struct repl_peer *peer,
		    const char *text);

/* ---- netlink.c ---- */

/** blkrepl_vote_done() - ops->vote_done; under r->lock */
void blkrepl_vote_done(struct repl_res *res, int err, struct repl_peer *by,
		       const char *why);

#endif
