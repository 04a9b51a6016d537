// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving in the callbacks of a socket: acks, and all of the control stream.
 *
 * These packets are small and none brings an I/O, so that nothing has to be
 * waited for: an ack completes a write in the softirq in which it arrives, and
 * no thread is woken up for it.  The socket's lock, which its callbacks are
 * called under, keeps the receive state.
 *
 * On the data stream only acks are taken here.  At anything else the thread is
 * called (->rx_busy), and all that comes is its own until it has nothing left.
 *
 * Nothing of a packet is believed before its header's checksum is right, and
 * nothing reaches the core before that of its payload is.
 */
#include <linux/skbuff.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "stream.h"
#include "trace.h"

static_assert(REPL_MAX_INLINE >= 256, "room for what comes on the stream");

/* Return: false if the connection has to end. Under r->lock */
static bool quick_packet(struct blkrepl_stream *s)
{
	struct repl_wire_hdr *h = &s->rx_hdr;
	struct blkrepl_peer *p = s->peer;
	u32 len = le32_to_cpu(h->length);

	if (len && !blkrepl_rx_crc_ok(s, h, repl_crc32c(s->rx_buf, len))) {
		blkrepl_conn_fail(p, repl_wire_text(WIRE_BAD_DATA_CRC));
		return false;
	}
	trace_blkrepl_rx(&p->peer, s->nr, h);
	blkrepl_latency_rx(p, h);
	blkrepl_tx_answered(&p->stream[REPL_STREAM_DATA], h);
	repl_rx(&p->peer, REPL_STREAM_CTRL, h, len ? s->rx_buf : NULL, NULL);
	return !p->failed;
}

/* Is what comes next on the data stream for the thread? */
static bool quick_not_ours(const struct blkrepl_stream *s,
			   const struct sk_buff *skb, unsigned int offset,
			   size_t len)
{
	u8 type;

	if (s->nr == REPL_STREAM_CTRL)
		return false;
	/* Acks have no payload, and are rarely cut in two. */
	return len < REPL_HDR_LEN ||
	       skb_copy_bits(skb, offset + offsetof(struct repl_wire_hdr, type),
			     &type, sizeof(type)) ||
	       type != PKT_ACK;
}

/*
 * Take over up to @len bytes that @skb has at @offset.  Return: how many,
 * 0: a packet is not as it has to be.
 */
static u32 quick_take(struct blkrepl_stream *s, const struct sk_buff *skb,
		     unsigned int offset, u32 len)
{
	enum repl_wire_error bad;
	void *to;

	if (s->rx_have < REPL_HDR_LEN) {
		len = min_t(u32, len, REPL_HDR_LEN - s->rx_have);
		to = (void *)&s->rx_hdr + s->rx_have;
	} else {
		len = min_t(u32, len, blkrepl_rx_left(s));
		to = s->rx_buf + s->rx_have - REPL_HDR_LEN;
	}
	if (skb_copy_bits(skb, offset, to, len))
		return 0;
	s->rx_have += len;
	if (s->rx_have != REPL_HDR_LEN)
		return len;
	/* The length is within the limits of the type after this. */
	bad = repl_wire_check(&s->rx_hdr, REPL_STREAM_CTRL);
	if (!bad)
		return len;
	blkrepl_conn_fail(s->peer, repl_wire_text(bad));
	return 0;
}

static bool quick_whole(const struct blkrepl_stream *s)
{
	return s->rx_have >= REPL_HDR_LEN && !blkrepl_rx_left(s);
}

static int quick_actor(read_descriptor_t *desc, struct sk_buff *skb,
		      unsigned int offset, size_t len)
{
	struct blkrepl_stream *s = desc->arg.data;
	struct blkrepl_peer *p = s->peer;
	unsigned long flags;
	size_t done = 0;
	u32 n;

	/* Most often at the first look, when a write arrives. */
	if (quick_not_ours(s, skb, offset, len)) {
		s->rx_busy = true;
		return 0;
	}
	blkrepl_lock(p->r, flags);
	while (p->up && !p->failed && done < len) {
		if (quick_not_ours(s, skb, offset + done, len - done)) {
			s->rx_busy = true;
			break;
		}
		n = quick_take(s, skb, offset + done, len - done);
		done += n;
		if (!n || (quick_whole(s) && !quick_packet(s)))
			break;
		if (quick_whole(s))
			s->rx_have = 0;
	}
	blkrepl_unlock_atomic(p->r, flags);
	atomic64_add(done, &p->recv_bytes);
	/* Of a connection that has to end all is dropped. */
	return s->rx_busy ? done : len;
}

/* Under the socket's lock, in any context that it may be taken in. */
static void quick_receive(struct blkrepl_stream *s, struct sock *sk)
{
	read_descriptor_t desc = { .arg.data = s, .count = 1 };

	if (s->rx_busy)
		return;
	tcp_read_sock(sk, &desc, quick_actor);
}

static void quick_ended(struct blkrepl_stream *s, struct sock *sk)
{
	struct blkrepl_resource *r = s->peer->r;
	unsigned long flags;

	/*
	 * The data stream's thread reads what came before the end; also where the peer
	 * has closed both in order: it may have said there that its disk is gone.
	 */
	if (sk->sk_state == TCP_ESTABLISHED || s->nr == REPL_STREAM_DATA ||
	    (sk->sk_state == TCP_CLOSE_WAIT && !sk->sk_err))
		return;
	blkrepl_lock(r, flags);
	blkrepl_conn_fail(s->peer, "the peer closed the connection");
	blkrepl_unlock_atomic(r, flags);
}

static void quick_data_ready(struct sock *sk)
{
	void (*old)(struct sock *sk) = NULL;
	struct blkrepl_stream *s;

	read_lock_bh(&sk->sk_callback_lock);
	s = sk->sk_user_data;
	if (s) {
		quick_receive(s, sk);
		if (s->rx_busy)
			old = s->old_data_ready;
	}
	read_unlock_bh(&sk->sk_callback_lock);
	/* wakes up the thread */
	if (old)
		old(sk);
}

static void quick_state_change(struct sock *sk)
{
	void (*old)(struct sock *sk) = NULL;
	struct blkrepl_stream *s;

	read_lock_bh(&sk->sk_callback_lock);
	s = sk->sk_user_data;
	if (s) {
		quick_ended(s, sk);
		old = s->old_state_change;
	}
	read_unlock_bh(&sk->sk_callback_lock);
	/* wakes up who waits in it to send */
	if (old)
		old(sk);
}

void blkrepl_rxquick_start(struct blkrepl_stream *s)
{
	struct sock *sk = s->sock->sk;

	lock_sock(sk);
	s->rx_have = 0;
	s->rx_busy = s->nr == REPL_STREAM_DATA;
	write_lock_bh(&sk->sk_callback_lock);
	s->old_data_ready = sk->sk_data_ready;
	s->old_state_change = sk->sk_state_change;
	sk->sk_user_data = s;
	sk->sk_data_ready = quick_data_ready;
	sk->sk_state_change = quick_state_change;
	write_unlock_bh(&sk->sk_callback_lock);
	/* what came before; on the data stream the thread begins */
	quick_receive(s, sk);
	quick_ended(s, sk);
	release_sock(sk);
}

void blkrepl_rxquick_stop(struct blkrepl_stream *s)
{
	struct sock *sk = s->sock->sk;

	/* Waits for callbacks under way. */
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	sk->sk_data_ready = s->old_data_ready;
	sk->sk_state_change = s->old_state_change;
	write_unlock_bh(&sk->sk_callback_lock);
}
