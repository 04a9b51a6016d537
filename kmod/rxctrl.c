// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving on the control stream: in the callbacks of its socket.
 *
 * All packets there are small and none brings an I/O, so that nothing has to be
 * waited for: an ack completes a write in the softirq in which it arrives, and
 * no thread is woken up for it.  The socket's lock, which its callbacks are
 * called under, keeps the receive state.
 *
 * Nothing of a packet is believed before its header's checksum is right, and
 * nothing reaches the core before that of its payload is.
 */
#include <linux/skbuff.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "blkrepl.h"
#include "trace.h"

static_assert(REPL_MAX_INLINE >= 256, "room for what comes on the stream");

/* Return: false if the connection has to end. Under r->lock */
static bool ctrl_packet(struct blkrepl_stream *s)
{
	struct repl_wire_hdr *h = &s->rx_hdr;
	struct blkrepl_peer *p = s->peer;
	u32 len = le32_to_cpu(h->length);

	if (len && !blkrepl_rx_crc_ok(s, h, repl_crc32c(s->rx_buf, len))) {
		blkrepl_conn_fail(p, repl_wire_text(WIRE_BAD_DATA_CRC));
		return false;
	}
	trace_blkrepl_rx(&p->peer, s->nr, h);
	repl_rx(&p->peer, s->nr, h, len ? s->rx_buf : NULL, NULL);
	return !p->failed;
}

/*
 * Take over up to @len bytes that @skb has at @offset.  Return: how many,
 * 0: a packet is not as it has to be.
 */
static u32 ctrl_take(struct blkrepl_stream *s, const struct sk_buff *skb,
		     unsigned int offset, u32 len)
{
	enum repl_wire_error bad;
	void *to;

	if (s->rx_have < REPL_HDR_LEN) {
		len = min_t(u32, len, REPL_HDR_LEN - s->rx_have);
		to = (void *)&s->rx_hdr + s->rx_have;
	} else {
		len = min_t(u32, len, REPL_HDR_LEN +
			    le32_to_cpu(s->rx_hdr.length) - s->rx_have);
		to = s->rx_buf + s->rx_have - REPL_HDR_LEN;
	}
	if (skb_copy_bits(skb, offset, to, len))
		return 0;
	s->rx_have += len;
	if (s->rx_have != REPL_HDR_LEN)
		return len;
	/* The length is within the limits of the type after this. */
	bad = repl_wire_check(&s->rx_hdr, s->nr);
	if (!bad)
		return len;
	blkrepl_conn_fail(s->peer, repl_wire_text(bad));
	return 0;
}

static bool ctrl_whole(const struct blkrepl_stream *s)
{
	return s->rx_have >= REPL_HDR_LEN &&
	       s->rx_have == REPL_HDR_LEN + le32_to_cpu(s->rx_hdr.length);
}

static int ctrl_actor(read_descriptor_t *desc, struct sk_buff *skb,
		      unsigned int offset, size_t len)
{
	struct blkrepl_stream *s = desc->arg.data;
	struct blkrepl_peer *p = s->peer;
	unsigned long flags;
	size_t done = 0;
	u32 n;

	blkrepl_lock(p->r, flags);
	while (p->up && !p->failed && done < len) {
		n = ctrl_take(s, skb, offset + done, len - done);
		done += n;
		if (!n || (ctrl_whole(s) && !ctrl_packet(s)))
			break;
		if (ctrl_whole(s))
			s->rx_have = 0;
	}
	blkrepl_unlock_atomic(p->r, flags);
	atomic64_add(done, &p->recv_bytes);
	/* Of a connection that has to end all is dropped. */
	return len;
}

/* Under the socket's lock, in any context that it may be taken in. */
static void ctrl_receive(struct blkrepl_stream *s, struct sock *sk)
{
	read_descriptor_t desc = { .arg.data = s, .count = 1 };

	blkrepl_sock_lazy_ack(sk);
	tcp_read_sock(sk, &desc, ctrl_actor);
}

static void ctrl_ended(struct blkrepl_stream *s, struct sock *sk)
{
	struct blkrepl_resource *r = s->peer->r;
	unsigned long flags;

	if (sk->sk_state == TCP_ESTABLISHED)
		return;
	blkrepl_lock(r, flags);
	blkrepl_conn_fail(s->peer, "the peer closed the connection");
	blkrepl_unlock_atomic(r, flags);
}

static void ctrl_data_ready(struct sock *sk)
{
	struct blkrepl_stream *s;

	read_lock_bh(&sk->sk_callback_lock);
	s = sk->sk_user_data;
	if (s)
		ctrl_receive(s, sk);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void ctrl_state_change(struct sock *sk)
{
	void (*old)(struct sock *sk) = NULL;
	struct blkrepl_stream *s;

	read_lock_bh(&sk->sk_callback_lock);
	s = sk->sk_user_data;
	if (s) {
		ctrl_ended(s, sk);
		old = s->old_state_change;
	}
	read_unlock_bh(&sk->sk_callback_lock);
	/* wakes up who waits in it to send */
	if (old)
		old(sk);
}

void blkrepl_rxctrl_start(struct blkrepl_stream *s)
{
	struct sock *sk = s->sock->sk;

	s->rx_have = 0;
	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	s->old_data_ready = sk->sk_data_ready;
	s->old_state_change = sk->sk_state_change;
	sk->sk_user_data = s;
	sk->sk_data_ready = ctrl_data_ready;
	sk->sk_state_change = ctrl_state_change;
	write_unlock_bh(&sk->sk_callback_lock);
	/* what came before */
	ctrl_receive(s, sk);
	ctrl_ended(s, sk);
	release_sock(sk);
}

void blkrepl_rxctrl_stop(struct blkrepl_stream *s)
{
	struct sock *sk = s->sock->sk;

	/* Waits for callbacks under way. */
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	sk->sk_data_ready = s->old_data_ready;
	sk->sk_state_change = s->old_state_change;
	write_unlock_bh(&sk->sk_callback_lock);
}
