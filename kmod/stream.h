/* SPDX-License-Identifier: GPL-2.0-only */
/* The two streams of a connection: sending and receiving. */
#ifndef BLKREPL_STREAM_H
#define BLKREPL_STREAM_H

#include "blkrepl.h"

/* ---- tx.c ---- */

/**
 * blkrepl_tx_queue() - queue a packet. Under r->lock
 * @s: the stream
 * @pkt: consumed
 *
 * Return: whether to kick the stream; if not, the packet waits for others
 */
bool blkrepl_tx_queue(struct blkrepl_stream *s, struct blkrepl_pkt *pkt);

/**
 * blkrepl_tx_kick() - send what is queued
 * @s: the stream
 * @direct: try to send in this context, which may sleep
 */
void blkrepl_tx_kick(struct blkrepl_stream *s, bool direct);

/**
 * blkrepl_tx_idle() - would an ack get through at once?
 * @s: the data stream of a connection that is up.  Under r->lock
 *
 * That is, no data is before it here, and nothing at the peer that it may have
 * to wait for memory for: that memory could be freed by this very ack.
 */
bool blkrepl_tx_idle(struct blkrepl_stream *s);

/** blkrepl_tx_answered() - @h has arrived: is it what was asked for? Under r->lock */
void blkrepl_tx_answered(struct blkrepl_stream *s,
			 const struct repl_wire_hdr *h);

/** blkrepl_tx_open() - take packets, send them on @sock. May sleep */
void blkrepl_tx_open(struct blkrepl_stream *s, struct socket *sock);

/** blkrepl_tx_close() - take no more packets. Any context */
void blkrepl_tx_close(struct blkrepl_stream *s);

/**
 * blkrepl_tx_purge() - close, and drop what is queued
 * @s: the stream, its socket shut down so that nobody blocks in it
 *
 * May sleep.  Return: the socket, to be released.
 */
struct socket *blkrepl_tx_purge(struct blkrepl_stream *s);

int blkrepl_tx_thread(void *stream);

/* ---- gather.c ---- */

/**
 * blkrepl_gather() - may a packet wait for others to go with it?
 * @s: the stream; its queue is as it is without the packet
 * @h: the packet's header
 * @io: its data, of a write
 *
 * Under r->lock and q_lock.  Return: false: all that is queued goes now
 */
bool blkrepl_gather(struct blkrepl_stream *s, const struct repl_wire_hdr *h,
		    const struct repl_io *io);

/** blkrepl_gather_end() - nothing waits any more. Under q_lock */
void blkrepl_gather_end(struct blkrepl_stream *s);

void blkrepl_gather_init(struct blkrepl_stream *s);

/** blkrepl_gather_begin() - of a new connection nothing is known. Under q_lock */
void blkrepl_gather_begin(struct blkrepl_stream *s);

/** blkrepl_gather_stop() - wait for the timer of a closed stream. May sleep */
void blkrepl_gather_stop(struct blkrepl_stream *s);

/* ---- rx.c ---- */

/**
 * blkrepl_rx_loop() - receive until the connection ends
 * @s: an open stream
 *
 * The reason is in the peer's last_error.
 */
void blkrepl_rx_loop(struct blkrepl_stream *s);

/** blkrepl_recv_all() - receive exactly @len bytes: 0 or -errno. May sleep */
int blkrepl_recv_all(struct socket *sock, void *buf, size_t len);

/** blkrepl_rx_crc_ok() - does a payload with @crc belong to @h? Any context */
bool blkrepl_rx_crc_ok(const struct blkrepl_stream *s,
		       const struct repl_wire_hdr *h, u32 crc);

/** blkrepl_rx_uncharge() - @pages received are free again. Any context */
void blkrepl_rx_uncharge(struct blkrepl_peer *p, unsigned int pages);

/* ---- rxquick.c ---- */

/**
 * blkrepl_rxquick_start() - receive what can be received at once
 * @s: an open stream, the core knows of the connection
 *
 * The end is blkrepl_conn_fail().  May sleep.
 */
void blkrepl_rxquick_start(struct blkrepl_stream *s);

/** blkrepl_rxquick_stop() - don't any more; nothing reaches the core after it */
void blkrepl_rxquick_stop(struct blkrepl_stream *s);

#endif
