// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the data path.
 *
 * Writing out dirty pages may need us to make progress, so nothing here may
 * wait for memory that only such a write can free.  Every resource has
 * reserves that its own I/O refills:
 *
 * - Small objects (I/Os, packets) come from mempools.
 * - The pages of one I/O are taken from the allocator if it has them.  If not,
 *   one I/O at a time digs in the reserve, which holds enough for the largest:
 *   so two half-served ones never wait for each other's pages.
 *
 * Pages that were used are kept for the next I/O.  Many kernels zero a page
 * before they hand it out, which costs more than all else that is done for it
 * here.  What has not been needed for a tick goes back; and at most so many are
 * kept as have been in use at once, for which there are limits.
 *
 * A page that is given back may still be lent to a socket (tx.c), which shows
 * in its reference count.  It is kept, and not used until the count tells that
 * it is ours alone; the oldest are looked at first.  It never enters a reserve
 * before.
 */
#include <linux/bvec.h>
#include <linux/crc32c.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "stream.h"

#define RESERVE_IOS	64
#define RESERVE_PKTS	256
#define RESERVE_INLINE	8
/* The pages of the largest I/O, and one for its table. */
#define RESERVE_PAGES	(BLKREPL_MAX_PAGES + 1)

/* Private copies of one resource at once: 64 MiB. */
#define APP_PAGES_MAX	((int)((64U << 20) / PAGE_SIZE))

#define VEC_PER_PAGE	(PAGE_SIZE / sizeof(struct bio_vec))

/* Pages kept for later, of each kind: 16 MiB. */
#define KEEP_PAGES	4096U

struct bio_vec blkrepl_zero_vecs[BIO_MAX_VECS];

static struct kmem_cache *io_cache;
static struct kmem_cache *pkt_cache;

/*
 * Objects with a constructor are not zeroed when they are allocated, whatever
 * the kernel does with others: who takes one sets what matters.  The functions
 * that mempools have for slabs refuse such caches, since a constructor's work
 * could get lost in a reserve; this one does none.
 */
static void no_zeroing(void *obj)
{
}

static void *obj_alloc(gfp_t gfp, void *cache)
{
	return kmem_cache_alloc(cache, gfp);
}

static void obj_free(void *obj, void *cache)
{
	kmem_cache_free(cache, obj);
}

int blkrepl_pools_init(void)
{
	unsigned int i;

	BUILD_BUG_ON(BLKREPL_MAX_PAGES > VEC_PER_PAGE);

	for (i = 0; i < ARRAY_SIZE(blkrepl_zero_vecs); i++)
		bvec_set_page(&blkrepl_zero_vecs[i], ZERO_PAGE(0), PAGE_SIZE,
			      0);
	io_cache = kmem_cache_create("blkrepl_io", sizeof(struct blkrepl_io), 0,
				     0, no_zeroing);
	pkt_cache = kmem_cache_create("blkrepl_pkt", sizeof(struct blkrepl_pkt),
				      0, 0, no_zeroing);
	if (io_cache && pkt_cache)
		return 0;
	blkrepl_pools_exit();
	return -ENOMEM;
}

void blkrepl_pools_exit(void)
{
	kmem_cache_destroy(io_cache);
	kmem_cache_destroy(pkt_cache);
	io_cache = NULL;
	pkt_cache = NULL;
}

/* ---- pages kept for later ---- */

/* Has everybody that it was lent to let go of it? */
static bool page_ours(struct page *page)
{
	return page_ref_count(page) == 1;
}

/* Return: the first page, which is not kept any more; NULL: none. */
static struct page *kept_pop(struct blkrepl_kept *kept)
{
	struct page *page = kept->head;

	lockdep_assert_held(&kept->lock);
	if (page) {
		kept->head = (struct page *)page_private(page);
		kept->nr--;
	}
	return page;
}

static void kept_push(struct blkrepl_kept *kept, struct page *page)
{
	lockdep_assert_held(&kept->lock);
	set_page_private(page, 0);
	if (kept->head)
		set_page_private(kept->tail, (unsigned long)page);
	else
		kept->head = page;
	kept->tail = page;
	kept->nr++;
}

/* Fill @vec with up to @nr pages.  Return: how many there were. */
static unsigned int pages_take(struct blkrepl_kept *kept, struct bio_vec *vec,
			       unsigned int nr)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&kept->lock, flags);
	for (i = 0; i < nr && kept->head && page_ours(kept->head); i++)
		bvec_set_page(&vec[i], kept_pop(kept), PAGE_SIZE, 0);
	kept->low = min(kept->low, kept->nr);
	spin_unlock_irqrestore(&kept->lock, flags);
	return i;
}

/* Keep the pages of @vec.  Return: for how many there was room. */
static unsigned int pages_give(struct blkrepl_kept *kept, struct bio_vec *vec,
			       unsigned int nr)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&kept->lock, flags);
	for (i = 0; i < nr && kept->nr < KEEP_PAGES; i++)
		kept_push(kept, vec[i].bv_page);
	spin_unlock_irqrestore(&kept->lock, flags);
	return i;
}

static void pages_init(struct blkrepl_kept *kept)
{
	spin_lock_init(&kept->lock);
	kept->head = NULL;
	kept->nr = 0;
	kept->low = 0;
}

/* Drop up to @nr of them, lent or not. */
static void pages_free(struct blkrepl_kept *kept, unsigned int nr)
{
	unsigned long flags;
	struct page *page;

	while (nr--) {
		spin_lock_irqsave(&kept->lock, flags);
		page = kept_pop(kept);
		kept->low = min(kept->low, kept->nr);
		spin_unlock_irqrestore(&kept->lock, flags);
		if (!page)
			break;
		set_page_private(page, 0);
		__free_page(page);
	}
}

bool blkrepl_pool_full(const struct blkrepl_pool *pool,
		       enum blkrepl_reserve which)
{
	return blkrepl_reserve_full(&pool->pages[which]);
}

/* The first of them may be lent for long: there may be others behind it. */
static void pages_rotate(struct blkrepl_kept *kept)
{
	unsigned long flags;
	struct page *page;

	spin_lock_irqsave(&kept->lock, flags);
	page = kept_pop(kept);
	if (page)
		kept_push(kept, page);
	spin_unlock_irqrestore(&kept->lock, flags);
}

/* Pages that were lent when they came back may be missing in a reserve. */
static void pages_refill(struct blkrepl_kept *kept, mempool_t *pool)
{
	unsigned int nr = READ_ONCE(kept->nr);
	struct bio_vec vec;

	for (; nr && !blkrepl_reserve_full(pool); nr--) {
		if (pages_take(kept, &vec, 1))
			mempool_free(vec.bv_page, pool);
		else
			pages_rotate(kept);
	}
}

void blkrepl_pool_trim(struct blkrepl_pool *pool)
{
	struct blkrepl_kept *kept;
	unsigned long flags;
	unsigned int i, nr;

	for (i = 0; i < ARRAY_SIZE(pool->kept); i++) {
		kept = &pool->kept[i];
		pages_refill(kept, &pool->pages[i]);
		spin_lock_irqsave(&kept->lock, flags);
		/* Half of what nobody missed: a pause is not the end. */
		nr = DIV_ROUND_UP(kept->low, 2);
		kept->low = kept->nr;
		spin_unlock_irqrestore(&kept->lock, flags);
		if (blkrepl_pool_full(pool, i))
			pages_free(kept, nr);
	}
}

static int reserve_init(struct blkrepl_pool *pool, enum blkrepl_reserve which)
{
	int err = mempool_init(&pool->ios[which], RESERVE_IOS, obj_alloc,
			       obj_free, io_cache);

	if (!err)
		err = mempool_init_page_pool(&pool->pages[which],
					     RESERVE_PAGES, 0);
	return err;
}

static void reserve_exit(struct blkrepl_pool *pool, enum blkrepl_reserve which)
{
	pages_free(&pool->kept[which], UINT_MAX);
	mempool_exit(&pool->ios[which]);
	mempool_exit(&pool->pages[which]);
}

int blkrepl_pool_init(struct blkrepl_pool *pool)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(pool->kept); i++) {
		pages_init(&pool->kept[i]);
		mutex_init(&pool->dig_lock[i]);
	}
	atomic_set(&pool->app_held, 0);
	init_waitqueue_head(&pool->app_wait);
	err = reserve_init(pool, BLKREPL_FOR_APP);
	if (!err)
		err = reserve_init(pool, BLKREPL_FOR_PEER);
	if (!err)
		err = mempool_init(&pool->pkts, RESERVE_PKTS, obj_alloc,
				   obj_free, pkt_cache);
	if (!err)
		err = mempool_init_kmalloc_pool(&pool->inline_bufs,
						RESERVE_INLINE,
						REPL_MAX_INLINE);
	if (err)
		blkrepl_pool_exit(pool);
	return err;
}

/* Works on pools that were zeroed and never initialized, too. */
void blkrepl_pool_exit(struct blkrepl_pool *pool)
{
	struct blkrepl_io *b;

	while ((b = pool->spare)) {
		pool->spare = b->next;
		mempool_free(b, &pool->ios[BLKREPL_FOR_APP]);
	}
	reserve_exit(pool, BLKREPL_FOR_APP);
	reserve_exit(pool, BLKREPL_FOR_PEER);
	mempool_exit(&pool->pkts);
	mempool_exit(&pool->inline_bufs);
}

struct blkrepl_io *blkrepl_io_new(struct blkrepl_resource *r,
				  enum blkrepl_reserve which, gfp_t gfp)
{
	struct blkrepl_io *b = mempool_alloc(&r->pool.ios[which],
					     gfp | __GFP_NOWARN);

	if (b)
		blkrepl_io_init(b, r, which);
	return b;
}

void blkrepl_io_init(struct blkrepl_io *b, struct blkrepl_resource *r,
		     enum blkrepl_reserve which)
{
	/* What disk.c needs of it is set when a bio is made. */
	memset(b, 0, offsetof(struct blkrepl_io, disk_work));
	b->r = r;
	b->which = which;
	refcount_set(&b->ref, 1);
	INIT_LIST_HEAD(&b->todo);
	INIT_LIST_HEAD(&b->ended);
}

struct blkrepl_io *blkrepl_spare_new(struct blkrepl_resource *r)
{
	struct blkrepl_io *b = mempool_alloc(&r->pool.ios[BLKREPL_FOR_APP],
					     GFP_NOIO);

	b->r = r;
	b->io.kind = IO_APP;
	b->io.op = OP_READ;
	b->io.flags = 0;
	b->io.seq = 0;
	return b;
}

void blkrepl_io_put(struct blkrepl_io *b)
{
	if (!refcount_dec_and_test(&b->ref))
		return;
	blkrepl_io_drop_data(b);
	mempool_free(b, &b->r->pool.ios[b->which]);
}

void blkrepl_io_drop_data(struct blkrepl_io *b)
{
	blkrepl_buf_free(b->r, &b->buf);
	if (b->charged_to)
		blkrepl_rx_uncharge(b->charged_to, b->charged);
	b->charged_to = NULL;
}

/* One attempt; @pool NULL: not from the reserve. */
static int buf_try(struct blkrepl_buf *buf, unsigned int nr,
		   struct blkrepl_kept *kept, mempool_t *pool, gfp_t gfp)
{
	struct page *page;

	buf->vec = buf->small;
	if (nr > ARRAY_SIZE(buf->small)) {
		page = pool ? mempool_alloc(pool, gfp) : alloc_page(gfp);
		if (!page) {
			buf->vec = NULL;
			return -ENOMEM;
		}
		buf->vec = page_address(page);
	}
	buf->nr += pages_take(kept, &buf->vec[buf->nr], nr - buf->nr);
	while (buf->nr < nr) {
		page = pool ? mempool_alloc(pool, gfp) : alloc_page(gfp);
		if (!page)
			return -ENOMEM;
		bvec_set_page(&buf->vec[buf->nr++], page, PAGE_SIZE, 0);
	}
	return 0;
}

static void buf_drop(struct blkrepl_resource *r, struct blkrepl_buf *buf)
{
	struct blkrepl_kept *kept = &r->pool.kept[buf->which];
	mempool_t *pool = &r->pool.pages[buf->which];
	unsigned int i = 0;

	/* The reserve comes first. */
	while (i < buf->nr && !blkrepl_reserve_full(pool) &&
	       page_ours(buf->vec[i].bv_page))
		mempool_free(buf->vec[i++].bv_page, pool);
	i += pages_give(kept, &buf->vec[i], buf->nr - i);
	for (; i < buf->nr; i++)
		__free_page(buf->vec[i].bv_page);
	if (buf->vec && buf->vec != buf->small)
		mempool_free(virt_to_page(buf->vec), pool);
	buf->vec = NULL;
	buf->nr = 0;
	buf->size = 0;
}

/*
 * Private copies are bounded: what an application submits while its I/O is
 * suspended must not eat all memory.  Whoever waits here has nothing of his
 * own left behind him: what he submitted before is with the disk and in the
 * queues of the streams.
 */
static bool app_try_charge(struct blkrepl_pool *pool, unsigned int nr)
{
	if (atomic_add_return(nr, &pool->app_held) <= APP_PAGES_MAX)
		return true;
	atomic_sub(nr, &pool->app_held);
	return false;
}

static void app_charge(struct blkrepl_pool *pool, unsigned int nr)
{
	wait_event(pool->app_wait, app_try_charge(pool, nr));
}

static void app_uncharge(struct blkrepl_pool *pool, unsigned int nr)
{
	atomic_sub(nr, &pool->app_held);
	/* Orders the above before the look at the queue of waiters. */
	if (wq_has_sleeper(&pool->app_wait))
		wake_up(&pool->app_wait);
}

int blkrepl_buf_alloc(struct blkrepl_resource *r, struct blkrepl_buf *buf,
		      u32 size, enum blkrepl_reserve which, gfp_t gfp)
{
	struct blkrepl_kept *kept = &r->pool.kept[which];
	unsigned int nr = DIV_ROUND_UP(size, PAGE_SIZE);

	if (WARN_ON_ONCE(buf->vec || !size || size > REPL_MAX_DATA))
		return -EINVAL;

	buf->which = which;
	if (which == BLKREPL_FOR_APP)
		app_charge(&r->pool, nr);
	if (buf_try(buf, nr, kept, NULL, gfp | __GFP_NORETRY | __GFP_NOWARN |
				   __GFP_NOMEMALLOC)) {
		buf_drop(r, buf);
		if (!gfpflags_allow_blocking(gfp))
			return -ENOMEM;
		mutex_lock(&r->pool.dig_lock[which]);
		buf_try(buf, nr, kept, &r->pool.pages[which], gfp);
		mutex_unlock(&r->pool.dig_lock[which]);
	}
	buf->vec[nr - 1].bv_len = size - (nr - 1) * PAGE_SIZE;
	buf->size = size;
	return 0;
}

void blkrepl_buf_free(struct blkrepl_resource *r, struct blkrepl_buf *buf)
{
	unsigned int nr = buf->nr;

	if (!buf->vec)
		return;
	buf_drop(r, buf);
	if (buf->which == BLKREPL_FOR_APP)
		app_uncharge(&r->pool, nr);
}

u32 blkrepl_buf_crc(const struct blkrepl_buf *buf)
{
	u32 crc = ~0;
	unsigned int i;

	for (i = 0; i < buf->nr; i++)
		crc = crc32c(crc, page_address(buf->vec[i].bv_page),
			     buf->vec[i].bv_len);
	return ~crc;
}

/* For the core: see core/platform.h. */
u32 repl_crc32c(const void *data, size_t len)
{
	return ~crc32c(~0, data, len);
}

bool blkrepl_buf_is_zero(const struct blkrepl_buf *buf)
{
	unsigned int i;

	for (i = 0; i < buf->nr; i++)
		if (memchr_inv(page_address(buf->vec[i].bv_page), 0,
			       buf->vec[i].bv_len))
			return false;
	return true;
}

static void copy(void *to, void *from, unsigned int n)
{
	/* All of a page has a faster way on some machines. */
	if (n == PAGE_SIZE && PAGE_ALIGNED(to) && PAGE_ALIGNED(from))
		copy_page(to, from);
	else
		memcpy(to, from, n);
}

/* Copy between the pages of a buffer and those of a bio. */
static void buf_copy_bio(const struct blkrepl_buf *buf, struct bio *bio,
			 bool to_bio)
{
	unsigned int i = 0, off = 0, done, n;
	struct bvec_iter iter;
	struct bio_vec bv;
	void *page, *mine;

	bio_for_each_segment(bv, bio, iter) {
		page = bvec_kmap_local(&bv);
		for (done = 0; done < bv.bv_len && i < buf->nr; done += n) {
			n = min(bv.bv_len - done, buf->vec[i].bv_len - off);
			mine = page_address(buf->vec[i].bv_page) + off;
			if (to_bio)
				copy(page + done, mine, n);
			else
				copy(mine, page + done, n);
			off += n;
			if (off == buf->vec[i].bv_len) {
				i++;
				off = 0;
			}
		}
		kunmap_local(page);
		if (to_bio)
			flush_dcache_page(bv.bv_page);
	}
}

void blkrepl_buf_from_bio(struct blkrepl_buf *buf, struct bio *bio)
{
	buf_copy_bio(buf, bio, false);
}

void blkrepl_buf_to_bio(const struct blkrepl_buf *buf, struct bio *bio)
{
	buf_copy_bio(buf, bio, true);
}

void blkrepl_buf_copy(struct blkrepl_buf *to, const struct blkrepl_buf *from)
{
	unsigned int i;

	for (i = 0; i < to->nr && i < from->nr; i++)
		copy(page_address(to->vec[i].bv_page),
		     page_address(from->vec[i].bv_page),
		     min(to->vec[i].bv_len, from->vec[i].bv_len));
}

struct blkrepl_pkt *blkrepl_pkt_new(struct blkrepl_resource *r, u32 inl_len)
{
	struct blkrepl_pkt *pkt;

	/* Called under a spinlock; a reserve and, to send, more than that. */
	pkt = mempool_alloc(&r->pool.pkts, GFP_ATOMIC | __GFP_NOWARN);
	if (!pkt)
		return NULL;
	pkt->len = inl_len;
	pkt->inl = NULL;
	pkt->io = NULL;
	if (!inl_len)
		return pkt;
	pkt->inl = mempool_alloc(&r->pool.inline_bufs,
				 GFP_ATOMIC | __GFP_NOWARN);
	if (!pkt->inl) {
		mempool_free(pkt, &r->pool.pkts);
		return NULL;
	}
	return pkt;
}

void blkrepl_pkt_free(struct blkrepl_resource *r, struct blkrepl_pkt *pkt)
{
	if (pkt->io)
		blkrepl_io_put(pkt->io);
	if (pkt->inl)
		mempool_free(pkt->inl, &r->pool.inline_bufs);
	mempool_free(pkt, &r->pool.pkts);
}
