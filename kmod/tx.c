// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending.
 *
 * Packets were queued in the order in which the core sent them.  Whoever holds
 * tx_lock sends from the head of the queue: often the context that made the
 * packet, which saves a switch to another thread; the stream's own thread if
 * that one may not sleep, if the socket is full, or if the queue is long.
 *
 * One call of the socket takes as many packets as it can: what TCP does for a
 * segment costs nearly the same for one of them as for many.
 *
 * Data is lent to the socket: the pages are ours, a private copy or what was read
 * for the peer, nobody writes to them, and they are not used again before the
 * socket has let go of them (pool.c).  So a retransmission can't see pages that
 * changed, and a packet is done with when the socket has taken it.  Headers go
 * beside the data, in pages that are written to once.  What comes without data is
 * copied.
 */
#include <linux/bvec.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "stream.h"

/* Packets that a passer-by sends before he leaves the rest to the thread. */
#define DIRECT_BUDGET	16

/* Packets that leave the queue at a time. */
#define OUT_PKTS	16

/* So much in a socket does not yet hold up an ack behind it. */
#define IDLE_BYTES	16384

/* Only the last one matters: an answer to it says that the peer has taken all. */
static void tx_asks(struct blkrepl_stream *s, const struct repl_wire_hdr *h)
{
	if (!repl_rx_needs_io(h->type))
		return;
	s->asked_type = h->type;
	s->asked_id = h->type == PKT_RS_REQ ? h->id : h->seq;
}

/* Not all have an answer; what has none counts until another has one. */
void blkrepl_tx_answered(struct blkrepl_stream *s,
			 const struct repl_wire_hdr *h)
{
	bool answered;

	switch (s->asked_type) {
	case PKT_WRITE:
	case PKT_DISCARD:
	case PKT_ZEROES:
	case PKT_FLUSH:
		answered = h->type == PKT_ACK && h->seq == s->asked_id;
		break;
	case PKT_RS_REQ:
		answered = (h->type == PKT_RS_DATA || h->type == PKT_RS_EQUAL ||
			    h->type == PKT_RS_ZEROES ||
			    h->type == PKT_RS_ERROR) && h->id == s->asked_id;
		break;
	default:
		return;
	}
	if (answered)
		s->asked_type = PKT_NONE;
}

bool blkrepl_tx_queue(struct blkrepl_stream *s, struct blkrepl_pkt *pkt)
{
	unsigned long flags;
	bool due = false;

	tx_asks(s, &pkt->h);
	spin_lock_irqsave(&s->q_lock, flags);
	if (s->open) {
		due = !blkrepl_gather(s, &pkt->h, pkt->io ? &pkt->io->io : NULL);
		list_add_tail(&pkt->link, &s->queue);
		s->tx_bulk += pkt->h.type != PKT_ACK;
		pkt = NULL;
	}
	spin_unlock_irqrestore(&s->q_lock, flags);
	if (pkt)
		blkrepl_pkt_free(s->peer->r, pkt);
	return due;
}

/* Take packets to send, of @budget.  Return: are there more behind them? */
static bool tx_take(struct blkrepl_stream *s, int *budget)
{
	int nr, most = min(*budget, OUT_PKTS);
	unsigned long flags;
	bool more;

	spin_lock_irqsave(&s->q_lock, flags);
	for (nr = 0; nr < most && !list_empty(&s->queue); nr++)
		list_move_tail(s->queue.next, &s->out);
	*budget -= nr;
	more = !list_empty(&s->queue);
	if (!more)
		blkrepl_gather_end(s);
	spin_unlock_irqrestore(&s->q_lock, flags);
	return more;
}

bool blkrepl_tx_idle(struct blkrepl_stream *s)
{
	unsigned long flags;
	bool idle;

	if (s->asked_type != PKT_NONE)
		return false;
	spin_lock_irqsave(&s->q_lock, flags);
	/* The socket is there while the connection is up. */
	idle = s->open && !s->tx_stuck && !s->tx_bulk &&
	       READ_ONCE(s->sock->sk->sk_wmem_queued) < IDLE_BYTES;
	spin_unlock_irqrestore(&s->q_lock, flags);
	return idle;
}

static bool tx_has_work(struct blkrepl_stream *s)
{
	unsigned long flags;
	bool work;

	spin_lock_irqsave(&s->q_lock, flags);
	work = s->open && (s->tx_stuck ||
			   (!s->gathered && !list_empty(&s->queue)));
	spin_unlock_irqrestore(&s->q_lock, flags);
	return work;
}

static void tx_set_stuck(struct blkrepl_stream *s, bool stuck)
{
	unsigned long flags;

	spin_lock_irqsave(&s->q_lock, flags);
	s->tx_stuck = stuck;
	spin_unlock_irqrestore(&s->q_lock, flags);
}

static u32 tx_data_crc(struct blkrepl_pkt *pkt)
{
	struct blkrepl_io *b = pkt->io;

	if (!b)
		return repl_crc32c(pkt->inl, pkt->len);
	/*
	 * Streams to several peers may do this at once, with one result; the
	 * flag is set after it.
	 */
	if (!smp_load_acquire(&b->dcrc_valid)) {
		WRITE_ONCE(b->dcrc, blkrepl_buf_crc(&b->buf));
		/* pairs with the acquire above */
		smp_store_release(&b->dcrc_valid, true);
	}
	return READ_ONCE(b->dcrc);
}

static void tx_seal(struct blkrepl_stream *s, struct blkrepl_pkt *pkt)
{
	u32 dcrc = 0;

	if (pkt->len && READ_ONCE(s->peer->data_crc)) {
		pkt->h.flags |= REPL_HDR_DCRC;
		dcrc = tx_data_crc(pkt);
	}
	repl_wire_seal(&pkt->h, dcrc);
}

/*
 * Room for the headers of what may be sent in one call.  Return: false: no memory
 * now, copy instead.
 */
static bool tx_headers(struct blkrepl_stream *s)
{
	struct page *page;

	if (s->tx_headers &&
	    s->tx_headers_used + OUT_PKTS * REPL_HDR_LEN <= PAGE_SIZE)
		return true;
	page = alloc_page(GFP_NOWAIT | __GFP_NOWARN | __GFP_NOMEMALLOC);
	if (!page)
		return false;
	if (s->tx_headers)
		put_page(s->tx_headers);
	s->tx_headers = page;
	s->tx_headers_used = 0;
	return true;
}

static void set_virt(struct bio_vec *bv, void *addr, unsigned int len)
{
	bvec_set_page(bv, virt_to_page(addr), len, offset_in_page(addr));
}

static void set_header(struct blkrepl_stream *s, struct bio_vec *bv,
		       struct blkrepl_pkt *pkt, u32 off, bool lend)
{
	u32 len = REPL_HDR_LEN - off;

	if (!lend) {
		set_virt(bv, (void *)&pkt->h + off, len);
		return;
	}
	memcpy(page_address(s->tx_headers) + s->tx_headers_used,
	       (void *)&pkt->h + off, len);
	bvec_set_page(bv, s->tx_headers, len, s->tx_headers_used);
	s->tx_headers_used += len;
}

/*
 * Add a packet but its first @off bytes to the @nr vectors that one call will be
 * given.  Return: their number then; @all: is there all of the packet?
 */
static unsigned int tx_add(struct blkrepl_stream *s, struct blkrepl_pkt *pkt,
			   u32 off, bool lend, unsigned int nr, bool *all)
{
	const struct blkrepl_buf *buf = pkt->io ? &pkt->io->buf : NULL;
	u32 left = pkt->len, skip = 0, len;
	unsigned int i;

	if (off < REPL_HDR_LEN)
		set_header(s, &s->tx_vec[nr++], pkt, off, lend);
	else
		skip = off - REPL_HDR_LEN;
	left -= skip;
	if (pkt->inl && left) {
		set_virt(&s->tx_vec[nr++], pkt->inl + skip, left);
		left = 0;
	}
	for (i = 0; left && nr < BLKREPL_TX_VECS; i++) {
		len = buf->vec[i].bv_len;
		if (skip >= len) {
			skip -= len;
			continue;
		}
		len = min(len - skip, left);
		bvec_set_page(&s->tx_vec[nr++], buf->vec[i].bv_page, len,
			      buf->vec[i].bv_offset + skip);
		skip = 0;
		left -= len;
	}
	*all = !left;
	return nr;
}

/* While memory is short, pages are wanted back at once. */
static bool may_lend(const struct blkrepl_stream *s,
		     const struct blkrepl_pkt *pkt)
{
	return blkrepl_pool_full(&s->peer->r->pool, pkt->io->buf.which);
}

/* Can it go by a call that lends? What has no data can. */
static bool lent_too(const struct blkrepl_stream *s,
		     const struct blkrepl_pkt *pkt)
{
	return !pkt->inl && (!pkt->io || may_lend(s, pkt));
}

/* Is the first data of what leaves now to be lent? */
static bool tx_lends(struct blkrepl_stream *s)
{
	struct blkrepl_pkt *pkt;

	list_for_each_entry(pkt, &s->out, link) {
		if (!lent_too(s, pkt))
			return false;
		if (pkt->io)
			return tx_headers(s);
	}
	return false;
}

/*
 * Send as much as one call takes of what leaves now.  @more: there is more behind
 * it.  Return: how many bytes, or -errno.
 */
static int tx_part(struct blkrepl_stream *s, int flags, bool more)
{
	struct msghdr msg = { .msg_flags = flags | MSG_NOSIGNAL };
	bool lend = tx_lends(s), all = true;
	struct blkrepl_pkt *pkt;
	unsigned int nr = 0, i;
	size_t total = 0;
	u32 off = s->sent;

	list_for_each_entry(pkt, &s->out, link) {
		/* What is lent and what is copied go by different calls. */
		if (!all || nr > BLKREPL_TX_VECS - 2 ||
		    (lend && !lent_too(s, pkt))) {
			more = true;
			break;
		}
		if (!off)
			tx_seal(s, pkt);
		nr = tx_add(s, pkt, off, lend, nr, &all);
		off = 0;
	}
	for (i = 0; i < nr; i++)
		total += s->tx_vec[i].bv_len;
	if (more || !all)
		msg.msg_flags |= MSG_MORE;
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, s->tx_vec, nr, total);
	if (lend)
		return compat_splice_bvec(s->sock, &msg);
	return sock_sendmsg(s->sock, &msg);
}

/* The socket has taken @bytes. */
static void tx_sent(struct blkrepl_stream *s, u32 bytes)
{
	unsigned int bulk = 0;
	struct blkrepl_pkt *pkt;
	unsigned long flags;
	u32 left;

	while (bytes) {
		pkt = list_first_entry(&s->out, struct blkrepl_pkt, link);
		left = REPL_HDR_LEN + pkt->len - s->sent;
		if (bytes < left) {
			s->sent += bytes;
			break;
		}
		bytes -= left;
		s->sent = 0;
		bulk += pkt->h.type != PKT_ACK;
		list_del(&pkt->link);
		blkrepl_pkt_free(s->peer->r, pkt);
	}
	if (!bulk)
		return;
	spin_lock_irqsave(&s->q_lock, flags);
	s->tx_bulk -= bulk;
	spin_unlock_irqrestore(&s->q_lock, flags);
}

/*
 * Send what is queued.
 * Return: 0 the queue was empty, -EAGAIN there is more, -errno.
 */
static int tx_run(struct blkrepl_stream *s, int flags, int budget)
{
	bool more = false;
	int ret;

	lockdep_assert_held(&s->tx_lock);
	if (!s->sock)
		return 0;
	for (;;) {
		if (list_empty(&s->out)) {
			if (!budget)
				return more ? -EAGAIN : 0;
			more = tx_take(s, &budget);
			if (list_empty(&s->out))
				return 0;
		}
		ret = tx_part(s, flags, more);
		if (ret <= 0)
			return ret ? ret : -EPIPE;
		atomic64_add(ret, &s->peer->sent_bytes);
		tx_sent(s, ret);
	}
}

static void tx_failed(struct blkrepl_stream *s, int err)
{
	struct blkrepl_resource *r = s->peer->r;
	unsigned long flags;
	char why[64];

	snprintf(why, sizeof(why), "cannot send: error %d", -err);
	blkrepl_lock(r, flags);
	blkrepl_conn_fail(s->peer, why);
	blkrepl_unlock_atomic(r, flags);
}

/* With PF_MEMALLOC, as every driver that swap may depend on. */
static int tx_run_reclaim(struct blkrepl_stream *s, int flags, int budget)
{
	unsigned int noreclaim = memalloc_noreclaim_save();
	int ret = tx_run(s, flags, budget);

	memalloc_noreclaim_restore(noreclaim);
	return ret;
}

void blkrepl_tx_kick(struct blkrepl_stream *s, bool direct)
{
	int ret;

	if (!direct || READ_ONCE(s->tx_stuck)) {
		wake_up(&s->tx_wait);
		return;
	}
	/* Who holds the lock looks at the queue again after dropping it. */
	if (!mutex_trylock(&s->tx_lock))
		return;
	ret = tx_run_reclaim(s, MSG_DONTWAIT, DIRECT_BUDGET);
	if (ret == -EAGAIN)
		tx_set_stuck(s, true);
	mutex_unlock(&s->tx_lock);
	if (ret && ret != -EAGAIN)
		tx_failed(s, ret);
	else if (tx_has_work(s))
		wake_up(&s->tx_wait);
}

int blkrepl_tx_thread(void *data)
{
	struct blkrepl_stream *s = data;
	int ret;

	memalloc_noio_save();
	while (!kthread_should_stop()) {
		wait_event_idle(s->tx_wait,
				kthread_should_stop() || tx_has_work(s));
		mutex_lock(&s->tx_lock);
		/* Blocks for as long as the peer doesn't read; shut wakes it. */
		ret = tx_run_reclaim(s, 0, INT_MAX);
		if (!ret)
			tx_set_stuck(s, false);
		mutex_unlock(&s->tx_lock);
		if (ret && ret != -EAGAIN) {
			blkrepl_tx_close(s);
			tx_failed(s, ret);
		}
	}
	return 0;
}

/* Take no more packets; what is queued stays until the purge. */
void blkrepl_tx_close(struct blkrepl_stream *s)
{
	unsigned long flags;

	spin_lock_irqsave(&s->q_lock, flags);
	s->open = false;
	spin_unlock_irqrestore(&s->q_lock, flags);
}

void blkrepl_tx_open(struct blkrepl_stream *s, struct socket *sock)
{
	unsigned long flags;

	mutex_lock(&s->tx_lock);
	s->sock = sock;
	/* The core knows of no connection yet, and asks nothing. */
	s->asked_type = PKT_NONE;
	spin_lock_irqsave(&s->q_lock, flags);
	s->open = true;
	s->tx_stuck = false;
	s->tx_bulk = 0;
	blkrepl_gather_begin(s);
	spin_unlock_irqrestore(&s->q_lock, flags);
	mutex_unlock(&s->tx_lock);
}

struct socket *blkrepl_tx_purge(struct blkrepl_stream *s)
{
	struct blkrepl_resource *r = s->peer->r;
	struct blkrepl_pkt *pkt, *tmp;
	unsigned long flags;
	struct socket *sock;
	LIST_HEAD(queue);

	mutex_lock(&s->tx_lock);
	sock = s->sock;
	s->sock = NULL;
	spin_lock_irqsave(&s->q_lock, flags);
	s->open = false;
	s->tx_stuck = false;
	list_splice_init(&s->queue, &queue);
	blkrepl_gather_end(s);
	spin_unlock_irqrestore(&s->q_lock, flags);
	list_splice_init(&s->out, &queue);
	s->sent = 0;
	if (s->tx_headers)
		put_page(s->tx_headers);
	s->tx_headers = NULL;
	mutex_unlock(&s->tx_lock);
	blkrepl_gather_stop(s);

	list_for_each_entry_safe(pkt, tmp, &queue, link)
		blkrepl_pkt_free(r, pkt);
	return sock;
}
