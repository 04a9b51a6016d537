// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the core asks for, and when it is done.
 *
 * The operations run under the resource's lock inside an event of the core:
 * they only put things on lists.  Whoever drops the lock then takes the lists
 * and does the work, if its context allows; else the workqueue does.
 *
 * Order: packets are queued to their stream here, under the lock, so that no
 * later context can mix them up.  Disk I/O needs none: the core starts nothing
 * before what it depends on is done.
 */
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "stream.h"

#include "trace.h"

/* Streams kicked at once; the rest is done in another turn. */
#define KICK_BATCH	8

enum run_how {
	RUN_ATOMIC,		/* only what never sleeps */
	RUN_ALL,
};

static void todo_add(struct blkrepl_io *b, struct list_head *list)
{
	lockdep_assert_held(&b->r->lock);
	/* Nothing else may be under way for an I/O that is handed back. */
	if (WARN_ON_ONCE(!list_empty(&b->todo)))
		return;
	list_add_tail(&b->todo, list);
}

static void op_disk_io(struct repl_io *io)
{
	struct blkrepl_io *b = to_bio_io(io);

	trace_blkrepl_disk_io(io, 0);
	blkrepl_latency_issued(b);
	todo_add(b, &b->r->todo_disk);
}

/* Its disk I/O may be under way still, so this has a list of its own. */
static void op_complete(struct repl_io *io, int err)
{
	struct blkrepl_io *b = to_bio_io(io);

	trace_blkrepl_complete(io, err);
	blkrepl_latency_complete(b, err);
	refcount_inc(&b->ref);
	b->app_err = err;
	list_add_tail(&b->ended, &b->r->todo_complete);
}

static void op_release(struct repl_io *io)
{
	struct blkrepl_io *b = to_bio_io(io);

	trace_blkrepl_release(io, io->err);
	todo_add(b, &b->r->todo_release);
}

static void op_meta_io(struct repl_vol *vol, struct repl_mio *mio)
{
	struct blkrepl_volume *v = to_volume(vol);

	trace_blkrepl_meta_io(vol, mio, 0);
	if (WARN_ON_ONCE(!v->disk || v->disk->mio))
		return;
	v->disk->mio = mio;
	list_add_tail(&v->meta_todo, &v->r->todo_meta);
}

static void op_send(struct repl_peer *peer, enum repl_stream nr,
		    struct repl_wire_hdr *h, const void *payload,
		    struct repl_io *io)
{
	struct blkrepl_peer *p = to_peer(peer);
	struct blkrepl_stream *s = &p->stream[nr];
	u32 len = le32_to_cpu(h->length);
	struct blkrepl_pkt *pkt;

	if (!p->up || p->failed)
		return;
	/*
	 * Beside the data that it answers an ack costs TCP no packets of its
	 * own, and order means nothing to acks.
	 */
	if (h->type == PKT_ACK &&
	    blkrepl_tx_idle(&p->stream[REPL_STREAM_DATA]))
		s = &p->stream[REPL_STREAM_DATA];
	trace_blkrepl_send(peer, s->nr, h);
	/* An advice: not worth what is kept for others, nor a connection. */
	if (h->type == PKT_HOT &&
	    !blkrepl_reserve_full(&p->r->pool.inline_bufs))
		return;
	pkt = blkrepl_pkt_new(p->r, payload ? len : 0);
	if (!pkt && h->type == PKT_HOT)
		return;
	if (!pkt) {
		/* Always correct: what it lacks is found at the next connect */
		blkrepl_conn_fail(p, "out of memory for packets");
		return;
	}
	pkt->h = *h;
	if (payload) {
		memcpy(pkt->inl, payload, len);
	} else if (len) {
		struct blkrepl_io *b = to_bio_io(io);

		if (WARN_ON_ONCE(b->buf.size < len)) {
			blkrepl_pkt_free(p->r, pkt);
			blkrepl_conn_fail(p, "internal error: no data to send");
			return;
		}
		blkrepl_latency_issued(b);
		pkt->len = len;
		refcount_inc(&b->ref);
		pkt->io = b;
	}
	if (blkrepl_tx_queue(s, pkt) && list_empty(&s->kick)) {
		blkrepl_peer_use(p);
		list_add_tail(&s->kick, &p->r->todo_tx);
	}
}

static struct repl_io *op_io_alloc(struct repl_vol *vol,
				   struct repl_peer *peer, u32 size)
{
	struct blkrepl_resource *r = to_volume(vol)->r;
	struct blkrepl_io *b = blkrepl_io_new(r, BLKREPL_FOR_PEER,
					      GFP_NOWAIT);

	if (!b)
		return NULL;
	/* Resync can wait, so it never touches the reserves. */
	if (size && blkrepl_buf_alloc(r, &b->buf, size, BLKREPL_FOR_PEER,
				      GFP_NOWAIT)) {
		blkrepl_io_put(b);
		return NULL;
	}
	b->io.vol = vol;
	b->io.peer = peer;
	b->io.size = size;
	return &b->io;
}

static void op_copy_data(struct repl_io *to, struct repl_io *from)
{
	struct blkrepl_io *dst = to_bio_io(to), *src = to_bio_io(from);

	if (dst->app)
		blkrepl_buf_to_bio(&src->buf, dst->app);
	else
		blkrepl_buf_copy(&dst->buf, &src->buf);
}

static void op_disconnect(struct repl_peer *peer, bool standalone,
			  const char *why)
{
	struct blkrepl_peer *p = to_peer(peer);

	if (standalone)
		p->standalone = true;
	blkrepl_conn_fail(p, why);
}

static void op_disk_close(struct repl_vol *vol, bool failed)
{
	struct blkrepl_volume *v = to_volume(vol);

	v->close_failed = failed;
	queue_work(blkrepl_wq, &v->close_work);
}

static void op_resized(struct repl_vol *vol)
{
	queue_work(blkrepl_wq, &to_volume(vol)->size_work);
}

static bool op_in_use(struct repl_vol *vol)
{
	return to_volume(vol)->openers;
}

static bool op_has_writers(struct repl_vol *vol)
{
	return to_volume(vol)->writers;
}

static void op_notify(struct repl_res *res, enum repl_note note,
		      struct repl_vol *vol, struct repl_peer *peer,
		      const char *text)
{
	trace_blkrepl_state(res, note, vol, peer);
	blkrepl_notify(res, note, vol, peer, text);
}

static void *op_alloc(struct repl_res *res, size_t size)
{
	return kzalloc(size, GFP_ATOMIC | __GFP_NOWARN);
}

static void op_free(struct repl_res *res, void *p, size_t size)
{
	kfree(p);
}

static u64 op_random(void)
{
	return get_random_u64();
}

static u64 op_now(void)
{
	return ktime_to_ms(ktime_get_boottime());
}

const struct repl_ops blkrepl_ops = {
	.disk_io = op_disk_io,
	.meta_io = op_meta_io,
	.send = op_send,
	.complete = op_complete,
	.release = op_release,
	.io_alloc = op_io_alloc,
	.copy_data = op_copy_data,
	.disconnect = op_disconnect,
	.disk_close = op_disk_close,
	.resized = op_resized,
	.in_use = op_in_use,
	.has_writers = op_has_writers,
	.vote_done = blkrepl_vote_done,
	.notify = op_notify,
	.alloc = op_alloc,
	.free = op_free,
	.random = op_random,
	.now = op_now,
};

/* Any context; what follows a flush is submitted from here. */
static void run_complete(struct list_head *list)
{
	struct blkrepl_io *b, *tmp;

	list_for_each_entry_safe(b, tmp, list, ended) {
		list_del_init(&b->ended);
		blkrepl_bdev_complete(b, b->app_err);
		blkrepl_io_put(b);
	}
}

static void run_release(struct list_head *list)
{
	struct blkrepl_io *b, *tmp;

	list_for_each_entry_safe(b, tmp, list, todo) {
		list_del_init(&b->todo);
		blkrepl_io_put(b);
	}
}

static void run_disk(struct list_head *list)
{
	struct blkrepl_io *b, *tmp;

	list_for_each_entry_safe(b, tmp, list, todo) {
		list_del_init(&b->todo);
		blkrepl_disk_submit(b);
	}
}

static void run_meta(struct list_head *list)
{
	struct blkrepl_volume *v, *tmp;

	list_for_each_entry_safe(v, tmp, list, meta_todo) {
		list_del_init(&v->meta_todo);
		blkrepl_meta_submit(v);
	}
}

static void run_ended(struct list_head *list)
{
	struct blkrepl_io *b, *tmp;

	list_for_each_entry_safe(b, tmp, list, todo) {
		list_del_init(&b->todo);
		blkrepl_disk_ended(b);
	}
}

/*
 * The network goes first: its way is the longer one, and below submit_bio()
 * our bios only start when we return.  But the answers of the thread that
 * receives leave together, once it has no more to submit.
 */
static void run(struct blkrepl_resource *r, unsigned long flags,
		enum run_how how, struct blkrepl_stream *rx)
	__releases(&r->lock)
{
	struct blkrepl_stream *s, *kick[KICK_BATCH];
	unsigned int nr, i, noio;
	LIST_HEAD(complete);
	LIST_HEAD(release);
	LIST_HEAD(disk);
	LIST_HEAD(meta);
	bool more;

	lockdep_assert_held(&r->lock);
	for (;;) {
		list_splice_init(&r->todo_complete, &complete);
		list_splice_init(&r->todo_release, &release);
		if (how == RUN_ALL) {
			list_splice_init(&r->todo_disk, &disk);
			list_splice_init(&r->todo_meta, &meta);
		} else if (!list_empty(&r->todo_disk) ||
			   !list_empty(&r->todo_meta)) {
			queue_work(blkrepl_io_wq, &r->todo_work);
		}
		nr = 0;
		while (nr < KICK_BATCH && !list_empty(&r->todo_tx) &&
		       !(rx && !list_empty(&disk))) {
			s = list_first_entry(&r->todo_tx, struct blkrepl_stream,
					     kick);
			list_del_init(&s->kick);
			kick[nr++] = s;
		}
		more = !list_empty(&r->todo_tx);
		r->now_ns = 0;
		spin_unlock_irqrestore(&r->lock, flags);

		noio = 0;
		if (how != RUN_ATOMIC)
			noio = memalloc_noio_save();
		for (i = 0; i < nr; i++) {
			blkrepl_tx_kick(kick[i], how != RUN_ATOMIC);
			blkrepl_peer_unuse(kick[i]->peer);
		}
		run_complete(&complete);
		run_release(&release);
		if (rx)
			rx->collecting = true;
		run_disk(&disk);
		if (rx)
			rx->collecting = false;
		run_meta(&meta);
		if (how != RUN_ATOMIC)
			memalloc_noio_restore(noio);
		INIT_LIST_HEAD(&complete);
		INIT_LIST_HEAD(&release);
		INIT_LIST_HEAD(&disk);
		INIT_LIST_HEAD(&meta);
		if (rx && !list_empty(&rx->ended))
			more = true;
		if (!more)
			break;
		spin_lock_irqsave(&r->lock, flags);
		if (rx)
			run_ended(&rx->ended);
	}
}

void blkrepl_unlock(struct blkrepl_resource *r, unsigned long flags)
	__releases(&r->lock)
{
	run(r, flags, RUN_ALL, NULL);
}

void blkrepl_unlock_atomic(struct blkrepl_resource *r, unsigned long flags)
	__releases(&r->lock)
{
	/*
	 * A caller that ends an I/O holds nothing: what he ends may be the last
	 * thing that kept the resource.  resource_release() waits for him.
	 */
	rcu_read_lock();
	run(r, flags, RUN_ATOMIC, NULL);
	rcu_read_unlock();
}

void blkrepl_unlock_rx(struct blkrepl_stream *s, unsigned long flags)
	__releases(&s->peer->r->lock)
{
	run(s->peer->r, flags, RUN_ALL, s);
}

static void todo_work(struct work_struct *work)
{
	struct blkrepl_resource *r =
		container_of(work, struct blkrepl_resource, todo_work);
	unsigned long flags;

	blkrepl_lock(r, flags);
	blkrepl_unlock(r, flags);
}

static void tick_work(struct work_struct *work)
{
	struct blkrepl_resource *r =
		container_of(to_delayed_work(work), struct blkrepl_resource,
			     tick_work);
	unsigned long flags;

	blkrepl_lock(r, flags);
	repl_tick(&r->res, op_now());
	blkrepl_unlock(r, flags);
	blkrepl_pool_trim(&r->pool);
	queue_delayed_work(blkrepl_io_wq, &r->tick_work,
			   msecs_to_jiffies(BLKREPL_TICK_MS));
}

int blkrepl_exec_init(struct blkrepl_resource *r)
{
	int err = blkrepl_pool_init(&r->pool);

	if (err)
		return err;
	spin_lock_init(&r->lock);
	INIT_LIST_HEAD(&r->todo_complete);
	INIT_LIST_HEAD(&r->todo_release);
	INIT_LIST_HEAD(&r->todo_disk);
	INIT_LIST_HEAD(&r->todo_meta);
	INIT_LIST_HEAD(&r->todo_tx);
	INIT_WORK(&r->todo_work, todo_work);
	INIT_DELAYED_WORK(&r->tick_work, tick_work);
	r->res.ops = &blkrepl_ops;
	repl_res_init(&r->res);
	r->res.now = ktime_to_ms(ktime_get_boottime());
	return 0;
}

void blkrepl_exec_start(struct blkrepl_resource *r)
{
	queue_delayed_work(blkrepl_io_wq, &r->tick_work, 0);
}

void blkrepl_exec_exit(struct blkrepl_resource *r)
{
	cancel_delayed_work_sync(&r->tick_work);
	flush_work(&r->todo_work);
	blkrepl_pool_exit(&r->pool);
}
