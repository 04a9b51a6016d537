/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DOC: how long the stages of an I/O take
 *
 * Histograms that are always kept.  They belong to the resource's lock, under
 * which every stage begins and ends anyway: so adding to one costs a few
 * instructions, and what is read is of one moment.  The clock is read once an
 * event (blkrepl_now()), however many I/Os it is about.
 *
 * What failed is not counted, nor are reads: looking at the clock twice costs a
 * read from a fast disk more than one percent, and the block layer has their
 * average.
 */
#ifndef BLKREPL_LATENCY_H
#define BLKREPL_LATENCY_H

#include "core/hist.h"
#include "core/wire.h"
#include "uapi/blkrepl.h"

/* Those of a volume; one more, BLKREPL_STAGE_ACK, is a peer's. */
#define BLKREPL_VOL_STAGES	BLKREPL_STAGE_ACK

struct blkrepl_io;
struct blkrepl_peer;

/** blkrepl_latency_issued() - to disk, or a peer; perhaps to several in turn. Under r->lock */
void blkrepl_latency_issued(struct blkrepl_io *b);

/** blkrepl_latency_disk() - our disk has done it, or failed. Under r->lock */
void blkrepl_latency_disk(struct blkrepl_io *b);

/** blkrepl_latency_complete() - the application will be told; not of reads. Under r->lock */
void blkrepl_latency_complete(struct blkrepl_io *b, int err);

void blkrepl_latency_ack(struct blkrepl_peer *p, const struct repl_wire_hdr *h);

/** blkrepl_latency_rx() - a packet for the core has come. Under r->lock, before it gets it */
static inline void blkrepl_latency_rx(struct blkrepl_peer *p,
				      const struct repl_wire_hdr *h)
{
	if (h->type == PKT_ACK)
		blkrepl_latency_ack(p, h);
}

#endif
