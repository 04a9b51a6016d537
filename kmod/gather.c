// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes that leave together.
 *
 * A segment costs TCP, the wire and the peer's scheduler nearly the same for
 * one write as for sixteen, and the acks of what came together return together.
 * So a write that nothing waits for, an asynchronous follower's, waits a moment
 * for others: until there are enough of them, or a timer ends it.
 *
 * Packets keep their order.  If one waits, all that are queued do: one that
 * can't wait sends those before it, too.
 */
#include <linux/hrtimer.h>

#include "stream.h"

/* So many, or so much data, are enough: beyond it little is to be gained. */
#define GATHER_PKTS	16
#define GATHER_BYTES	(64 << 10)

/* A follower lacks what waits: little beside what is under way to it. */
#define GATHER_NS	(500 * NSEC_PER_USEC)

void blkrepl_gather_end(struct blkrepl_stream *s)
{
	lockdep_assert_held(&s->q_lock);
	if (!s->gathered)
		return;
	s->gathered = 0;
	s->gathered_bytes = 0;
	/* If it runs already it finds nothing, or ends a new wait too early. */
	hrtimer_try_to_cancel(&s->gather_timer);
}

static bool may_wait(const struct blkrepl_stream *s,
		     const struct repl_wire_hdr *h, const struct repl_io *io)
{
	return h->type == PKT_WRITE && !(h->flags & REPL_HDR_FUA) &&
	       repl_can_wait(io, &s->peer->peer);
}

bool blkrepl_gather(struct blkrepl_stream *s, const struct repl_wire_hdr *h,
		    const struct repl_io *io)
{
	bool first = !s->gathered;

	lockdep_assert_held(&s->q_lock);
	/* What is queued and does not wait is about to be sent: so is this. */
	if (!may_wait(s, h, io) || (first && !list_empty(&s->queue))) {
		blkrepl_gather_end(s);
		return false;
	}
	s->gathered++;
	s->gathered_bytes += REPL_HDR_LEN + le32_to_cpu(h->length);
	if (s->gathered >= GATHER_PKTS || s->gathered_bytes >= GATHER_BYTES) {
		blkrepl_gather_end(s);
		return false;
	}
	if (first)
		hrtimer_start(&s->gather_timer, ns_to_ktime(GATHER_NS),
			      HRTIMER_MODE_REL_SOFT);
	return true;
}

static enum hrtimer_restart gather_over(struct hrtimer *timer)
{
	struct blkrepl_stream *s =
		container_of(timer, struct blkrepl_stream, gather_timer);
	unsigned long flags;

	spin_lock_irqsave(&s->q_lock, flags);
	blkrepl_gather_end(s);
	spin_unlock_irqrestore(&s->q_lock, flags);
	wake_up(&s->tx_wait);
	return HRTIMER_NORESTART;
}

void blkrepl_gather_init(struct blkrepl_stream *s)
{
	hrtimer_setup(&s->gather_timer, gather_over, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
}

void blkrepl_gather_stop(struct blkrepl_stream *s)
{
	hrtimer_cancel(&s->gather_timer);
}
