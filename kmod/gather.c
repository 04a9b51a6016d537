// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes that leave together.
 *
 * A segment costs TCP, the wire and the peer's scheduler nearly the same for
 * one write as for sixteen, and the acks of what came together return together.
 * So a write may wait a moment for others: until there are enough of them, or a
 * timer ends it.
 *
 * An asynchronous follower's always does, as nothing waits for it.  Where somebody
 * waits, it depends on what there is too little of: the CPU, or time.  That is
 * measured: now and then some writes are sent the other way, and the faster way
 * is kept.  Where too few writes are under way at once the first wait tells.
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

/*
 * Where somebody waits: what is under way at once arrives within that, and a few
 * such waits in EAGER_ROUNDS * EAGER_WRITES cost nothing to speak of.
 */
#define EAGER_NS	(100 * NSEC_PER_USEC)

/* Writes by which the time that they take is measured. */
#define EAGER_WRITES	64
/* If they take longer than that, the CPU is not what they wait for. */
#define EAGER_IDLE_NS	(20 * NSEC_PER_MSEC)
/* As many times as that the faster way, then the other one once. */
#define EAGER_ROUNDS	16
/* So few at the end of a wait will not be more another time. */
#define EAGER_MIN	4

void blkrepl_gather_end(struct blkrepl_stream *s)
{
	lockdep_assert_held(&s->q_lock);
	if (!s->gathered)
		return;
	s->gathered = 0;
	s->gathered_bytes = 0;
	/* If it runs already it finds nothing, or that it is started again. */
	hrtimer_try_to_cancel(&s->gather_timer);
}

/* To wait has to save an eighth of the time: less may be luck. */
static bool wait_is_faster(const struct blkrepl_eager *e)
{
	return e->took[true] < e->took[false] - e->took[false] / 8;
}

/* Go on like that until the other way is tried. */
static void eager_settle(struct blkrepl_eager *e, bool wait)
{
	e->wait = wait;
	e->trying = false;
	e->left = EAGER_ROUNDS;
	e->writes = 0;
}

/* Somebody waits for a write that is about to be queued. */
static void eager_count(struct blkrepl_eager *e)
{
	if (!e->writes++) {
		e->since = ktime_get_ns();
		return;
	}
	if (e->writes <= EAGER_WRITES)
		return;
	e->writes = 0;
	e->took[e->wait] = ktime_get_ns() - e->since;
	if (e->took[e->wait] > EAGER_IDLE_NS) {
		eager_settle(e, false);
	} else if (e->trying) {
		eager_settle(e, wait_is_faster(e));
	} else if (!--e->left) {
		e->trying = true;
		e->wait = !e->wait;
	}
}

/* Have the writes of a try taken longer so far than without a wait? */
static bool try_loses(const struct blkrepl_eager *e)
{
	return e->trying && (ktime_get_ns() - e->since) * EAGER_WRITES >
			    e->took[false] * e->writes;
}

/* The timer has ended a wait. */
static void eager_late(struct blkrepl_stream *s)
{
	struct blkrepl_eager *e = &s->eager;

	if (e->wait && (s->gathered < EAGER_MIN || try_loses(e)))
		eager_settle(e, false);
}

static bool may_wait(struct blkrepl_stream *s, const struct repl_wire_hdr *h,
		     const struct repl_io *io)
{
	if (h->type != PKT_WRITE || io->kind != IO_APP)
		return false;
	if (!repl_can_wait(io, &s->peer->peer)) {
		eager_count(&s->eager);
		if (!s->eager.wait)
			return false;
	}
	return !(h->flags & REPL_HDR_FUA);
}

bool blkrepl_gather(struct blkrepl_stream *s, const struct repl_wire_hdr *h,
		    const struct repl_io *io)
{
	bool first = !s->gathered;
	u64 ns;

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
	if (first) {
		ns = repl_can_wait(io, &s->peer->peer) ? GATHER_NS : EAGER_NS;
		hrtimer_start(&s->gather_timer, ns_to_ktime(ns),
			      HRTIMER_MODE_REL_SOFT);
	}
	return true;
}

static enum hrtimer_restart gather_over(struct hrtimer *timer)
{
	struct blkrepl_stream *s =
		container_of(timer, struct blkrepl_stream, gather_timer);
	unsigned long flags;

	spin_lock_irqsave(&s->q_lock, flags);
	/* If it is started again, another wait has begun meanwhile. */
	if (s->gathered && !hrtimer_is_queued(timer)) {
		eager_late(s);
		blkrepl_gather_end(s);
	}
	spin_unlock_irqrestore(&s->q_lock, flags);
	wake_up(&s->tx_wait);
	return HRTIMER_NORESTART;
}

void blkrepl_gather_init(struct blkrepl_stream *s)
{
	hrtimer_setup(&s->gather_timer, gather_over, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
}

void blkrepl_gather_begin(struct blkrepl_stream *s)
{
	lockdep_assert_held(&s->q_lock);
	memset(&s->eager, 0, sizeof(s->eager));
	s->eager.left = 1;
}

void blkrepl_gather_stop(struct blkrepl_stream *s)
{
	hrtimer_cancel(&s->gather_timer);
}
