// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving on the data stream, by a thread.
 *
 * Nothing of a packet is believed before its header's checksum is right, and
 * nothing reaches the core before that of its payload is.  Data goes straight
 * into the pages from which the disk is written.
 */
#include <linux/bvec.h>
#include <linux/sched/mm.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "blkrepl.h"
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

static int recv_buf(struct socket *sock, struct blkrepl_buf *buf, size_t len)
{
	struct msghdr msg = { };

	iov_iter_bvec(&msg.msg_iter, ITER_DEST, buf->vec, buf->nr, len);
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

static void rx_sock_failed(struct blkrepl_stream *s, int err)
{
	char why[64];

	if (err == -EPIPE || err == -ECONNRESET)
		snprintf(why, sizeof(why), "the peer closed the connection");
	else
		snprintf(why, sizeof(why), "cannot receive: error %d", -err);
	rx_failed(s, why);
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
 * data stream only: acks have a stream and a thread of their own.
 */
static int rx_charge(struct blkrepl_peer *p, struct blkrepl_io *b, u32 bytes)
{
	unsigned int pages = DIV_ROUND_UP(bytes, PAGE_SIZE);

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
	wake_up(&p->rx_wait);
	blkrepl_peer_unuse(p);
}

/* The I/O that comes with a packet. Return: 0 or -errno. */
static int rx_make_io(struct blkrepl_stream *s, const struct repl_wire_hdr *h,
		      struct blkrepl_io **out)
{
	struct blkrepl_resource *r = s->peer->r;
	u32 room = repl_rx_room(h);
	struct blkrepl_io *b;
	int err = 0;

	b = blkrepl_io_new(r, GFP_NOIO);
	/*
	 * Received data is freed by our disk; what is read for the peer is
	 * freed by the peer that reads from its socket, so it doesn't count
	 * (two nodes must not wait for each other that way).
	 */
	if (room && repl_wire_has_data(h->type))
		err = rx_charge(s->peer, b, room);
	if (!err && room)
		err = blkrepl_buf_alloc(r, &b->buf, room, BLKREPL_PAGES_RX,
					GFP_NOIO);
	if (err) {
		blkrepl_io_put(b);
		return err;
	}
	*out = b;
	return 0;
}

bool blkrepl_rx_crc_ok(const struct blkrepl_stream *s,
		       const struct repl_wire_hdr *h, u32 crc)
{
	if (!(h->flags & REPL_HDR_DCRC))
		return !READ_ONCE(s->peer->data_crc);
	return crc == le32_to_cpu(h->dcrc);
}

static int rx_payload(struct blkrepl_stream *s, const struct repl_wire_hdr *h,
		      struct blkrepl_io *b)
{
	u32 len = le32_to_cpu(h->length);
	bool data = repl_wire_has_data(h->type);
	u32 crc;
	int err;

	if (data && WARN_ON_ONCE(!b || b->buf.size < len)) {
		rx_failed(s, "internal error: no room for data");
		return -EIO;
	}
	err = data ? recv_buf(s->sock, &b->buf, len) :
		     blkrepl_recv_all(s->sock, s->rx_buf, len);
	if (err) {
		rx_sock_failed(s, err);
		return err;
	}
	if (!(h->flags & REPL_HDR_DCRC) && !READ_ONCE(s->peer->data_crc))
		return 0;
	crc = data ? blkrepl_buf_crc(&b->buf) : repl_crc32c(s->rx_buf, len);
	if (!blkrepl_rx_crc_ok(s, h, crc)) {
		rx_failed(s, repl_wire_text(WIRE_BAD_DATA_CRC));
		return -EBADMSG;
	}
	if (data) {
		b->dcrc = crc;
		b->dcrc_valid = true;
	}
	return 0;
}

static int rx_packet(struct blkrepl_stream *s)
{
	struct blkrepl_peer *p = s->peer;
	struct blkrepl_resource *r = p->r;
	struct blkrepl_io *b = NULL;
	enum repl_wire_error bad;
	struct repl_wire_hdr h;
	unsigned long flags;
	u32 len;
	int err;

	lock_sock(s->sock->sk);
	blkrepl_sock_lazy_ack(s->sock->sk);
	release_sock(s->sock->sk);
	err = blkrepl_recv_all(s->sock, &h, sizeof(h));
	if (err) {
		rx_sock_failed(s, err);
		return err;
	}
	bad = repl_wire_check(&h, s->nr);
	if (bad) {
		rx_failed(s, repl_wire_text(bad));
		return -EBADMSG;
	}
	len = le32_to_cpu(h.length);
	if (repl_rx_needs_io(h.type)) {
		err = rx_make_io(s, &h, &b);
		if (err)
			return err;
	}
	if (len)
		err = rx_payload(s, &h, b);
	atomic64_add(sizeof(h) + len, &p->recv_bytes);
	if (err)
		goto drop;

	blkrepl_lock(r, flags);
	if (!p->up || p->failed) {
		blkrepl_unlock_quiet(r, flags);
		err = -ESHUTDOWN;
		goto drop;
	}
	trace_blkrepl_rx(&p->peer, s->nr, &h);
	repl_rx(&p->peer, s->nr, &h,
		len && !repl_wire_has_data(h.type) ? s->rx_buf : NULL,
		b ? &b->io : NULL);
	blkrepl_unlock_rx(s, flags);
	return 0;

drop:
	if (b)
		blkrepl_io_put(b);
	return err;
}

void blkrepl_rx_loop(struct blkrepl_stream *s)
{
	while (!READ_ONCE(s->peer->failed) && !rx_packet(s))
		;
}
