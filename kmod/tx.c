// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending.
 *
 * Packets were queued in the order in which the core sent them.  Whoever holds
 * tx_lock sends from the head of the queue: often the context that made the
 * packet, which saves a switch to another thread; the stream's own thread if
 * that one may not sleep, if the socket is full, or if the queue is long.
 *
 * Small things are copied into the socket.  Larger data is lent to it: the pages
 * are ours, a private copy or what was read for the peer, nobody writes to
 * them, and they are not used again before the socket has let go of them
 * (pool.c).  So a retransmission can't see pages that changed, and a packet is
 * done with when the socket has taken it.
 */
#include <linux/bvec.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "stream.h"

/* Packets that a passer-by sends before he leaves the rest to the thread. */
#define DIRECT_BUDGET	16

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

/* Return: the next packet, NULL: none. @more: there is another behind it. */
static struct blkrepl_pkt *tx_next(struct blkrepl_stream *s, bool *more)
{
	struct blkrepl_pkt *pkt;
	unsigned long flags;

	spin_lock_irqsave(&s->q_lock, flags);
	pkt = list_first_entry_or_null(&s->queue, struct blkrepl_pkt, link);
	if (pkt)
		list_del(&pkt->link);
	*more = !list_empty(&s->queue);
	if (!*more)
		blkrepl_gather_end(s);
	spin_unlock_irqrestore(&s->q_lock, flags);
	return pkt;
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

static void set_virt(struct bio_vec *bv, void *addr, unsigned int len)
{
	bvec_set_page(bv, virt_to_page(addr), len, offset_in_page(addr));
}

/*
 * Send as much of the current packet as one call takes.  The header of a small
 * write goes together with its data.
 */
static int tx_part(struct blkrepl_stream *s, int flags)
{
	struct blkrepl_pkt *pkt = s->cur;
	struct blkrepl_buf *buf = pkt->io ? &pkt->io->buf : NULL;
	struct bio_vec vec[1 + ARRAY_SIZE(buf->small)];
	struct msghdr msg = { .msg_flags = flags | MSG_NOSIGNAL };
	size_t total = REPL_HDR_LEN + pkt->len, off = s->sent;
	unsigned int nr = 0;

	if (buf && off >= REPL_HDR_LEN) {
		iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, buf->vec, buf->nr,
			      pkt->len);
		iov_iter_advance(&msg.msg_iter, off - REPL_HDR_LEN);
		return compat_splice_bvec(s->sock, &msg);
	}

	set_virt(&vec[nr++], &pkt->h, REPL_HDR_LEN);
	if (pkt->inl) {
		set_virt(&vec[nr++], pkt->inl, pkt->len);
	} else if (buf && buf->nr <= ARRAY_SIZE(buf->small)) {
		memcpy(&vec[nr], buf->vec, buf->nr * sizeof(vec[0]));
		nr += buf->nr;
	} else if (buf) {
		msg.msg_flags |= MSG_MORE;
		total = REPL_HDR_LEN;
	}
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, vec, nr, total);
	iov_iter_advance(&msg.msg_iter, off);
	return sock_sendmsg(s->sock, &msg);
}

static void tx_sent(struct blkrepl_stream *s, const struct blkrepl_pkt *pkt)
{
	unsigned long flags;

	if (pkt->h.type == PKT_ACK)
		return;
	spin_lock_irqsave(&s->q_lock, flags);
	s->tx_bulk--;
	spin_unlock_irqrestore(&s->q_lock, flags);
}

/*
 * Send what is queued.
 * Return: 0 the queue was empty, -EAGAIN there is more, -errno.
 */
static int tx_run(struct blkrepl_stream *s, int flags, int budget)
{
	struct blkrepl_peer *p = s->peer;
	bool more = false;
	int ret;

	lockdep_assert_held(&s->tx_lock);
	if (!s->sock)
		return 0;
	for (;;) {
		if (!s->cur) {
			if (!budget--)
				return more ? -EAGAIN : 0;
			s->cur = tx_next(s, &more);
			s->sent = 0;
			if (!s->cur)
				return 0;
			tx_seal(s, s->cur);
		}
		while (s->sent < REPL_HDR_LEN + s->cur->len) {
			ret = tx_part(s, flags | (more ? MSG_MORE : 0));
			if (ret <= 0)
				return ret ? ret : -EPIPE;
			s->sent += ret;
			atomic64_add(ret, &p->sent_bytes);
		}
		tx_sent(s, s->cur);
		blkrepl_pkt_free(p->r, s->cur);
		s->cur = NULL;
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
	if (s->cur)
		list_add(&s->cur->link, &queue);
	s->cur = NULL;
	mutex_unlock(&s->tx_lock);
	blkrepl_gather_stop(s);

	list_for_each_entry_safe(pkt, tmp, &queue, link)
		blkrepl_pkt_free(r, pkt);
	return sock;
}
