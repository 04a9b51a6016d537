// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the stages of an I/O take.
 *
 *	submit_bio	start_ns
 *	  held		copied; activity log, overlaps, suspended I/O
 *	issued		issued_ns: to all peers and our disk in one event
 *	  disk, acks	side by side
 *	complete
 *
 * A peer's write has the disk's stage only.  A bio that flushes before it
 * writes is two: the write starts when the flush is done.
 */
#include <linux/ktime.h>

#include "blkrepl.h"

/* Is it a write, of an application or of a peer? */
static bool is_write(const struct repl_io *io)
{
	return (io->kind == IO_APP || io->kind == IO_PEER_WRITE) &&
	       io->op != OP_READ && io->op != OP_FLUSH;
}

static void add(struct blkrepl_io *b, enum blkrepl_stage stage, u64 since)
{
	repl_hist_add(&to_volume(b->io.vol)->latency[stage],
		      blkrepl_now(b->r) - since);
}

void blkrepl_latency_issued(struct blkrepl_io *b)
{
	bool again = b->issued_ns;

	if (!is_write(&b->io))
		return;
	b->issued_ns = blkrepl_now(b->r);
	/* One that is given up and issued again was held once. */
	if (!again && b->io.kind == IO_APP)
		add(b, BLKREPL_STAGE_WRITE_HELD, b->start_ns);
}

void blkrepl_latency_disk(struct blkrepl_io *b)
{
	if (b->disk_err || !is_write(&b->io))
		return;
	add(b, b->io.kind == IO_APP ? BLKREPL_STAGE_WRITE_DISK :
				      BLKREPL_STAGE_PEER_WRITE_DISK,
	    b->issued_ns);
}

void blkrepl_latency_complete(struct blkrepl_io *b, int err)
{
	if (err || b->io.op == OP_READ)
		return;
	add(b, b->io.op == OP_FLUSH ? BLKREPL_STAGE_FLUSH : BLKREPL_STAGE_WRITE,
	    b->start_ns);
}

void blkrepl_latency_ack(struct blkrepl_peer *p, const struct repl_wire_hdr *h)
{
	struct repl_io *io = repl_awaited(&p->peer, h);

	/* Without a disk, a discard is not seen to be issued. */
	if (io && is_write(io) && to_bio_io(io)->issued_ns)
		repl_hist_add(&p->acks, blkrepl_now(p->r) -
					to_bio_io(io)->issued_ns);
}
