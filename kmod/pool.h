/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of the data path: pool.c. */
#ifndef BLKREPL_POOL_H
#define BLKREPL_POOL_H

#include <linux/atomic.h>
#include <linux/bvec.h>
#include <linux/gfp.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct bio;
struct blkrepl_io;
struct blkrepl_pkt;
struct blkrepl_resource;

/*
 * What an application has submitted; what a peer has sent.  Each has reserves
 * of its own: an application's I/O may wait for a peer's packet.
 */
enum blkrepl_reserve { BLKREPL_FOR_APP, BLKREPL_FOR_PEER };

/**
 * struct blkrepl_buf - pages that hold the data of one I/O
 * @vec: table of @nr pages; NULL: there are none
 * @nr: entries
 * @size: bytes
 * @which: enum blkrepl_reserve: where they go back to
 * The table is &small, or a page of the pool.
 */
struct blkrepl_buf {
	struct bio_vec *vec;
	unsigned int nr;
	u32 size;
	u8 which;
	struct bio_vec small[2];
};

/**
 * struct blkrepl_kept - pages kept for the next I/O
 * @lock: protects the others
 * @head: the oldest; linked by ->private
 * @tail: the newest; undefined if there is none
 * @nr: how many
 * @low: the least that @nr has been since the last blkrepl_pool_trim()
 */
struct blkrepl_kept {
	spinlock_t lock;		/* of the list */
	struct page *head;
	struct page *tail;
	unsigned int nr;
	unsigned int low;
};

/**
 * struct blkrepl_pool - reserves of one resource
 * Of its own for each resource, so that a suspended one starves only itself.
 * What peers send has reserves apart from what applications submit: a read
 * without a disk holds an I/O until the answer has one; and pages of received
 * data are freed by the local disk alone, those of written data by peers, too.
 */
struct blkrepl_pool {
	struct blkrepl_kept kept[2];	/* by enum blkrepl_reserve */
	mempool_t ios[2];		/* by enum blkrepl_reserve */
	struct blkrepl_io *spare;	/* L: kept for reads, linked by ->next */
	unsigned int nr_spare;		/* L */
	mempool_t pkts;			/* struct blkrepl_pkt */
	mempool_t pages[2];		/* by enum blkrepl_reserve: for data */
	mempool_t inline_bufs;		/* payloads of up to REPL_MAX_INLINE */
	atomic_t app_held;		/* W: pages of private copies */
	wait_queue_head_t app_wait;	/* W: for app_held to fall */
	struct mutex dig_lock[2];	/* one at a time digs in ->pages */
};

/* A read-only table that lets one bio write BIO_MAX_VECS pages of zeroes. */
extern struct bio_vec blkrepl_zero_vecs[BIO_MAX_VECS];

int blkrepl_pool_init(struct blkrepl_pool *pool);
void blkrepl_pool_exit(struct blkrepl_pool *pool);

/* Is all there that is for bad times?  What is given back comes there first. */
static inline bool blkrepl_reserve_full(const mempool_t *pool)
{
	return READ_ONCE(pool->curr_nr) >= pool->min_nr;
}

/**
 * blkrepl_pool_full() - are all pages of a reserve there?
 * @pool: the pool
 * @which: whose reserve
 *
 * If not, memory is short, and pages should be given back as soon as possible.
 */
bool blkrepl_pool_full(const struct blkrepl_pool *pool,
		       enum blkrepl_reserve which);

/** blkrepl_pool_trim() - free pages that nobody used since the last call */
void blkrepl_pool_trim(struct blkrepl_pool *pool);

/** blkrepl_pools_init() - module wide caches: 0 or -ENOMEM */
int blkrepl_pools_init(void);
void blkrepl_pools_exit(void);

/**
 * blkrepl_io_new() - make an I/O without data
 * @r: the resource
 * @which: whose reserve
 * @gfp: GFP_NOIO (never fails) or GFP_NOWAIT
 */
struct blkrepl_io *blkrepl_io_new(struct blkrepl_resource *r,
				  enum blkrepl_reserve which, gfp_t gfp);

/** blkrepl_io_init() - begin anew with an I/O, whatever is in it */
void blkrepl_io_init(struct blkrepl_io *b, struct blkrepl_resource *r,
		     enum blkrepl_reserve which);

/**
 * blkrepl_spare_new() - make one to be kept
 * @r: the resource
 *
 * Waits for the reserve.  Process context.  Return: one that is good for reads that go
 * straight to the disk, as far as all of them are alike.
 */
struct blkrepl_io *blkrepl_spare_new(struct blkrepl_resource *r);

/** blkrepl_io_put() - drop a reference. Any context */
void blkrepl_io_put(struct blkrepl_io *b);

/** blkrepl_io_drop_data() - free the pages before the I/O ends. Any context */
void blkrepl_io_drop_data(struct blkrepl_io *b);

/**
 * blkrepl_buf_alloc() - get pages for @size bytes
 * @r: the resource
 * @buf: empty
 * @size: up to REPL_MAX_DATA
 * @which: whose reserve
 * @gfp: GFP_NOIO (waits for the reserve, never fails), or GFP_NOWAIT (leaves
 *	the reserve alone)
 *
 * Return: 0 or -ENOMEM.
 */
int blkrepl_buf_alloc(struct blkrepl_resource *r, struct blkrepl_buf *buf,
		      u32 size, enum blkrepl_reserve which, gfp_t gfp);

/** blkrepl_buf_free() - give them back. Any context */
void blkrepl_buf_free(struct blkrepl_resource *r, struct blkrepl_buf *buf);

/** blkrepl_buf_crc() - crc32c of the data */
u32 blkrepl_buf_crc(const struct blkrepl_buf *buf);

/** blkrepl_buf_from_bio() - copy the data of @bio */
void blkrepl_buf_from_bio(struct blkrepl_buf *buf, struct bio *bio);

/** blkrepl_buf_to_bio() - copy to the pages of @bio */
void blkrepl_buf_to_bio(const struct blkrepl_buf *buf, struct bio *bio);

/** blkrepl_buf_copy() - copy page by page */
void blkrepl_buf_copy(struct blkrepl_buf *to, const struct blkrepl_buf *from);

/** blkrepl_buf_is_zero() - is it all zeroes? */
bool blkrepl_buf_is_zero(const struct blkrepl_buf *buf);

/** blkrepl_pkt_new() - a packet for @inl_len bytes of payload; any context, NULL allowed */
struct blkrepl_pkt *blkrepl_pkt_new(struct blkrepl_resource *r, u32 inl_len);
void blkrepl_pkt_free(struct blkrepl_resource *r, struct blkrepl_pkt *pkt);

#endif
