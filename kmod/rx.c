// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving on the data stream, by a thread.
 *
 * Nothing of a packet is believed before its header's checksum is right, and
 * nothing reaches the core before that of its payload is.  Data goes straight
 * into the pages from which the disk is written.
 *
 * What has arrived is taken in one go, and handed to the core in one go: so
 * when the thread falls behind, the answers of many packets leave together.
 */
#include <linux/bvec.h>
#include <linux/sched/mm.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "stream.h"
#include "trace.h"

/* Return: 0, -EPIPE: the other end has closed, -errno. */
static int recv_iter(struct socket *sock, struct msghdr *msg)
{
	int ret;

	while (msg_data_left(msg)) {
		ret = sock_recvmsg(sock, msg, MSG_WAITALL | MSG_NOSIGNAL);
		if (ret < 0)
			return ret;
		if (!ret)
			return -EPIPE;
	}
	return 0;
}

int blkrepl_recv_all(struct socket *sock, void *buf, size_t len)
{
	struct kvec kv = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { };

	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &kv, 1, len);
	return recv_iter(sock, &msg);
}

static void rx_failed(struct blkrepl_stream *s, const char *why)
{
	struct blkrepl_resource *r = s->peer->r;
	unsigned long flags;

	blkrepl_lock(r, flags);
	blkrepl_conn_fail(s->peer, why);
	blkrepl_unlock_atomic(r, flags);
}

static void rx_sock_failed(struct blkrepl_stream *s)
{
	int err = sock_error(s->sock->sk);
	char why[64];

	if (!err || err == -EPIPE || err == -ECONNRESET)
		snprintf(why, sizeof(why), "the peer closed the connection");
	else
		snprintf(why, sizeof(why), "cannot receive: error %d", -err);
	rx_failed(s, why);
}

/* The socket has no more to give. */
static bool rx_ended(const struct sock *sk)
{
	return READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN;
}

/*
 * Does the peer's share of memory allow @pages more, or is it all over?  One
 * packet always fits.
 */
static bool rx_may_charge(struct blkrepl_peer *p, unsigned int pages)
{
	int held = atomic_read(&p->rx_pages);

	return READ_ONCE(p->failed) || !held || held + pages <= READ_ONCE(p->cfg.max_buffers);
}

/*
 * A peer that sends faster than our disk writes waits here, and with it its
 * data stream only.  No ack is behind it there: see blkrepl_tx_idle().
 */
static int rx_charge(struct blkrepl_peer *p, struct blkrepl_io *b, u32 bytes,
		     bool wait)
{
	unsigned int pages = DIV_ROUND_UP(bytes, PAGE_SIZE);

	if (!wait && !rx_may_charge(p, pages))
		return -EAGAIN;
	wait_event_idle(p->rx_wait, rx_may_charge(p, pages));
	if (READ_ONCE(p->failed))
		return -ESHUTDOWN;
	atomic_add(pages, &p->rx_pages);
	blkrepl_peer_use(p);
	b->charged = pages;
	b->charged_to = p;
	return 0;
}

void blkrepl_rx_uncharge(struct blkrepl_peer *p, unsigned int pages)
{
	/* unuse() may let the peer be freed, so the wait queue comes first. */
	atomic_sub(pages, &p->rx_pages);
	/* Orders the above before the look at the queue of waiters. */
	if (wq_has_sleeper(&p->rx_wait))
		wake_up(&p->rx_wait);
	blkrepl_peer_unuse(p);
}

bool blkrepl_rx_crc_ok(const struct blkrepl_stream *s,
		       const struct repl_wire_hdr *h, u32 crc)
{
	if (!(h->flags & REPL_HDR_DCRC))
		return !READ_ONCE(s->peer->data_crc);
	return crc == le32_to_cpu(h->dcrc);
}

/*
 * The I/O that comes with a packet.  Return: 0 or -errno; -EAGAIN if it would
 * have to be waited for and @wait is not set.
 */
static int rx_make_io(struct blkrepl_stream *s, bool wait)
{
	const struct repl_wire_hdr *h = &s->rx_hdr;
	struct blkrepl_resource *r = s->peer->r;
	gfp_t gfp = wait ? GFP_NOIO : GFP_NOWAIT;
	u32 room = repl_rx_room(h);
	struct blkrepl_io *b;
	int err = 0;

	b = blkrepl_io_new(r, BLKREPL_FOR_PEER, gfp);
	if (!b)
		return -EAGAIN;
	/*
	 * Received data is freed by our disk; what is read for the peer is
	 * freed by the peer that reads from its socket, so it doesn't count
	 * (two nodes must not wait for each other that way).
	 */
	if (room && repl_wire_has_data(h->type))
		err = rx_charge(s->peer, b, room, wait);
	if (!err && room)
		err = blkrepl_buf_alloc(r, &b->buf, room, BLKREPL_FOR_PEER, gfp);
	if (err) {
		blkrepl_io_put(b);
		return err == -ENOMEM ? -EAGAIN : err;
	}
	s->rx_io = b;
	return 0;
}

/* An ack may take the data stream, and means the same there. */
static enum repl_stream rx_stream(const struct repl_wire_hdr *h)
{
	return h->type == PKT_ACK ? REPL_STREAM_CTRL : REPL_STREAM_DATA;
}

/* What becomes of a header.  Return: false to stop receiving for now. */
static bool rx_header(struct blkrepl_stream *s)
{
	s->rx_bad = repl_wire_check(&s->rx_hdr, rx_stream(&s->rx_hdr));
	if (s->rx_bad)
		return false;
	if (repl_rx_needs_io(s->rx_hdr.type) && rx_make_io(s, false)) {
		s->rx_wants_io = true;
		return false;
	}
	return true;
}

static int rx_copy(struct blkrepl_stream *s, const struct sk_buff *skb,
		   unsigned int offset, u32 len)
{
	u32 at = s->rx_have - REPL_HDR_LEN;
	struct iov_iter to;

	if (!repl_wire_has_data(s->rx_hdr.type))
		return skb_copy_bits(skb, offset, s->rx_buf + at, len);
	iov_iter_bvec(&to, ITER_DEST, s->rx_io->buf.vec, s->rx_io->buf.nr,
		      le32_to_cpu(s->rx_hdr.length));
	iov_iter_advance(&to, at);
	return skb_copy_datagram_iter(skb, offset, &to, len);
}

/* Return: is there a reason not to take more for now? */
static bool rx_full(const struct blkrepl_stream *s)
{
	return s->rx_bad || s->rx_wants_io || s->rx_nr == BLKREPL_RX_BATCH ||
	       (s->rx_nr && s->rx_batch[s->rx_nr - 1].inl);
}

static void rx_packet_done(struct blkrepl_stream *s)
{
	struct blkrepl_rx_pkt *pkt = &s->rx_batch[s->rx_nr++];

	pkt->h = s->rx_hdr;
	pkt->io = s->rx_io;
	/* There is room for one such payload only. */
	pkt->inl = s->rx_have > REPL_HDR_LEN &&
		   !repl_wire_has_data(pkt->h.type);
	s->rx_io = NULL;
	s->rx_have = 0;
}

static int rx_actor(read_descriptor_t *desc, struct sk_buff *skb,
		    unsigned int offset, size_t len)
{
	struct blkrepl_stream *s = desc->arg.data;
	size_t done = 0;
	u32 n;

	while (done < len && !rx_full(s)) {
		if (s->rx_have < REPL_HDR_LEN) {
			n = min_t(u32, len - done, REPL_HDR_LEN - s->rx_have);
			if (skb_copy_bits(skb, offset + done,
					  (void *)&s->rx_hdr + s->rx_have, n))
				break;
			s->rx_have += n;
			done += n;
			if (s->rx_have < REPL_HDR_LEN || !rx_header(s))
				continue;
		}
		n = min_t(u32, len - done, blkrepl_rx_left(s));
		if (n && rx_copy(s, skb, offset + done, n))
			break;
		s->rx_have += n;
		done += n;
		if (!blkrepl_rx_left(s))
			rx_packet_done(s);
	}
	return done;
}

/* Take what the socket has, up to a batch of packets; never waits for more. */
static void rx_collect(struct blkrepl_stream *s)
{
	read_descriptor_t desc = { .arg.data = s, .count = 1 };
	struct sock *sk = s->sock->sk;
	int ret;

	lock_sock(sk);
	/* or the callback would take acks in the middle of a packet */
	s->rx_busy = true;
	ret = tcp_read_sock(sk, &desc, rx_actor);
	/* Of a long packet, don't be woken up for every piece. */
	WRITE_ONCE(sk->sk_rcvlowat, s->rx_have < REPL_HDR_LEN ? 1 :
		   clamp_t(int, blkrepl_rx_left(s), 1, sk->sk_rcvbuf / 4));
	/* With nothing left, acks are taken in the callback again. */
	s->rx_busy = s->rx_have || rx_full(s) ||
		     !skb_queue_empty(&sk->sk_receive_queue);
	release_sock(sk);
	if (ret > 0)
		atomic64_add(ret, &s->peer->recv_bytes);
}

static bool rx_intact(struct blkrepl_stream *s, struct blkrepl_rx_pkt *pkt)
{
	u32 len = le32_to_cpu(pkt->h.length);
	u32 crc;

	if (!len || (!(pkt->h.flags & REPL_HDR_DCRC) &&
		     !READ_ONCE(s->peer->data_crc)))
		return true;
	crc = pkt->inl ? repl_crc32c(s->rx_buf, len) :
			 blkrepl_buf_crc(&pkt->io->buf);
	if (!blkrepl_rx_crc_ok(s, &pkt->h, crc)) {
		s->rx_bad = WIRE_BAD_DATA_CRC;
		return false;
	}
	if (!pkt->inl) {
		pkt->io->dcrc = crc;
		pkt->io->dcrc_valid = true;
	}
	return true;
}

/* Hand the batch to the core. */
static void rx_deliver(struct blkrepl_stream *s)
{
	struct blkrepl_peer *p = s->peer;
	struct blkrepl_resource *r = p->r;
	struct blkrepl_rx_pkt *pkt;
	unsigned int good, i;
	unsigned long flags;

	for (good = 0; good < s->rx_nr; good++)
		if (!rx_intact(s, &s->rx_batch[good]))
			break;

	blkrepl_lock(r, flags);
	for (i = 0; i < good && p->up && !p->failed; i++) {
		pkt = &s->rx_batch[i];
		trace_blkrepl_rx(&p->peer, s->nr, &pkt->h);
		blkrepl_latency_rx(p, &pkt->h);
		blkrepl_tx_answered(&p->stream[REPL_STREAM_DATA], &pkt->h);
		repl_rx(&p->peer, rx_stream(&pkt->h), &pkt->h,
			pkt->inl ? s->rx_buf : NULL,
			pkt->io ? &pkt->io->io : NULL);
	}
	blkrepl_unlock_rx(s, flags);

	for (; i < s->rx_nr; i++)
		if (s->rx_batch[i].io)
			blkrepl_io_put(s->rx_batch[i].io);
	s->rx_nr = 0;
}

static bool rx_ready(const struct blkrepl_stream *s)
{
	const struct sock *sk = s->sock->sk;

	return (READ_ONCE(s->rx_busy) &&
		!skb_queue_empty_lockless(&sk->sk_receive_queue)) ||
	       rx_ended(sk) || READ_ONCE(s->peer->failed);
}

void blkrepl_rx_loop(struct blkrepl_stream *s)
{
	struct sock *sk = s->sock->sk;
	bool ended;

	s->rx_bad = WIRE_OK;
	s->rx_wants_io = false;
	while (!READ_ONCE(s->peer->failed)) {
		ended = rx_ended(sk);
		rx_collect(s);
		if (s->rx_nr) {
			rx_deliver(s);
			ended = false;
		}
		if (s->rx_bad) {
			rx_failed(s, repl_wire_text(s->rx_bad));
			break;
		}
		if (s->rx_wants_io) {
			s->rx_wants_io = false;
			if (rx_make_io(s, true))
				break;
			if (!blkrepl_rx_left(s))
				rx_packet_done(s);
			continue;
		}
		/* Looked at before it was read: nothing came after. */
		if (ended) {
			rx_sock_failed(s);
			break;
		}
		/* Who makes a socket readable wakes up such sleepers only. */
		wait_event_interruptible(*sk_sleep(sk), rx_ready(s));
	}
	if (s->rx_io)
		blkrepl_io_put(s->rx_io);
	s->rx_io = NULL;
}
