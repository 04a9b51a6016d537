// SPDX-License-Identifier: GPL-2.0
/*
 * Moving the role: a node is to be Primary while another one is.
 *
 * The node that is to get it (vote.c) first looks whether it could be Primary if
 * the other were not.  Then it asks that one to step down.  The Primary does what
 * an administrator's word would make it do: no device may be open for writing,
 * what is in flight ends, those that follow become members, and so does the one
 * that has asked.  It tries at every tick, for a while.  Either it says why it
 * stays what it is; or it is Secondary, its state says so, and whoever has asked
 * stands as a candidate like any other.
 *
 * Should that one not be elected, nobody is Primary.  Both have all the data, and
 * either can be promoted; but the role does not go back by itself: whoever asked
 * is told, and may know better where it belongs by now.
 */
#include "internal.h"

#define OPEN_MS		1000	/* udev looks into what was just closed */
#define STEP_DOWN_MS	5000	/* for the last I/O, and to hand over */
#define ANSWER_MS	10000

/* ---- the node that is to be Primary ---- */

/* The one that would have to step down for us, and can be asked to. */
struct repl_peer *move_from(const struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		if (living_primary(p) && (p->features & REPL_FEAT_MOVE) &&
		    !MUTATED(MUT_TWO_PRIMARIES))
			return p;
	return NULL;
}

/* A follower has all data once the Primary hands over. */
bool move_brings_data(const struct repl_vol *vol, const struct repl_peer *from)
{
	return from && store_live(vol) && vol->follower &&
	       vol->disk == DISK_CONSISTENT;
}

static void say(struct repl_peer *p, u8 type, u64 id, const char *text)
{
	struct repl_wire_hdr h;

	hdr_init(&h, type, NULL);
	h.id = cpu_to_le64(id);
	h.length = cpu_to_le32(text ? strlen(text) : 0);
	send_pkt(p, &h, text, NULL);
}

void move_ask(struct repl_peer *from)
{
	struct repl_res *res = from->res;
	struct repl_vote *v = &res->vote;

	v->step = VOTE_MOVING;
	v->force = false;
	v->renew = false;
	v->from = from->node;
	v->move_id = ++res->next_id;
	v->until_ms = res->now + ANSWER_MS;
	say(from, PKT_STEP_DOWN, v->move_id, NULL);
}

/* Whoever was asked need not step down any more. */
void move_withdraw(struct repl_res *res)
{
	struct repl_peer *p = res->peer[res->vote.from];

	if (p && connected(p))
		say(p, PKT_STEP_DOWN, 0, NULL);
}

/* Return: true if the role is free now */
bool move_advance(struct repl_res *res)
{
	struct repl_peer *p = res->peer[res->vote.from];

	if (!p || !connected(p)) {
		vote_end(res, -ENOTCONN,
			 "the connection to the Primary was lost while it was to step down: see status");
		return false;
	}
	return p->role != ROLE_PRIMARY;
}

void move_rx_stays(struct repl_peer *p, const struct repl_wire_hdr *h,
		   const void *payload)
{
	struct repl_vote *v = &p->res->vote;
	u32 len = le32_to_cpu(h->length);
	char why[257];

	if (v->step != VOTE_MOVING || v->from != p->node ||
	    le64_to_cpu(h->id) != v->move_id)
		return;
	memcpy(why, payload, len);
	why[len] = 0;
	vote_refused(p, why);
}

/* ---- the Primary ---- */

static void stay(struct repl_peer *p, u64 id, const char *why)
{
	say(p, PKT_STAYS, id, why);
}

static void step_down_for(struct repl_peer *p)
{
	struct repl_res *res = p->res;
	struct repl_move *m = &res->move;
	const struct repl_vol *open;
	const char *why = NULL;
	char text[160];

	if (!reign_give_up(res, p, &why)) {
		note(res, NOTE_MESSAGE, NULL, p,
		     "this peer is to be Primary: stepped down for it");
		m->to = NODE_NONE;
		return;
	}
	open = reign_open_for_writing(res);
	if (res->now - m->since_ms < (open ? OPEN_MS : STEP_DOWN_MS))
		return;
	if (open)
		snprintf(text, sizeof(text),
			 "it is Primary, and volume %u is open for writing there: close it first (umount, swapoff)",
			 open->nr);
	else
		snprintf(text, sizeof(text), "it is Primary, and %s", why);
	m->to = NODE_NONE;
	stay(p, m->id, text);
}

static void try_again(struct repl_res *res)
{
	struct repl_peer *p = res->peer[res->move.to];

	if (p && connected(p) && p->conn_count == res->move.conn &&
	    reigns(res))
		step_down_for(p);
	else
		res->move.to = NODE_NONE;
}

void move_rx_step_down(struct repl_peer *p, const struct repl_wire_hdr *h)
{
	struct repl_res *res = p->res;
	struct repl_move *m = &res->move;
	u64 id = le64_to_cpu(h->id);

	if (m->to == p->node)
		m->to = NODE_NONE;
	/* That it is none, its state says, which may be on its way. */
	if (!id || res->role != ROLE_PRIMARY || !connected(p))
		return;
	if (!reigns(res)) {
		stay(p, id, "it was Primary, and asks for another term: try again");
		return;
	}
	if (m->to != NODE_NONE) {
		stay(p, id, "it is Primary, and just steps down for another node");
		return;
	}
	*m = (struct repl_move){ .to = p->node, .conn = p->conn_count,
				 .id = id, .since_ms = res->now };
	step_down_for(p);
}

/* ---- time ---- */

void move_tick(struct repl_res *res)
{
	struct repl_vote *v = &res->vote;

	if (res->move.to != NODE_NONE)
		try_again(res);
	if (v->step == VOTE_MOVING && res->now >= v->until_ms)
		vote_end(res, -ETIMEDOUT,
			 "the Primary was asked to step down, and has not answered: see status there");
}
