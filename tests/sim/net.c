// SPDX-License-Identifier: GPL-2.0
/*
 * The network.  Between two nodes there is at most one connection of two
 * streams, each a FIFO in both directions with its own latency.  A connection
 * ends on the two sides at different times; what was on its way is lost from
 * some packet on, for each stream by itself (a byte position, seen from the
 * core, which gets whole packets only).  A cut direction delivers nothing
 * until it is mended, as TCP does that retransmits, so a connection survives
 * a short cut unless somebody's time-out is shorter.
 *
 * The shell's rules: the lower id connects, again and again; repl_conn_up()
 * on each side by itself, repl_conn_down() once for each up; no packet before
 * the up or after the down, and none of an older connection.
 */
#include "sim.h"

struct link link_tab[MAX_NODES][MAX_NODES];

void net_init(void)
{
	memset(link_tab, 0, sizeof(link_tab));
	for (u32 a = 0; a < W.o.nodes; a++) {
		for (u32 b = a + 1; b < W.o.nodes; b++) {
			struct link *l = &link_tab[a][b];

			l->end[0] = &W.node[a];
			l->end[1] = &W.node[b];
			l->want[0] = l->want[1] = true;
			for (u32 d = 0; d < 2; d++)
				for (u32 s = 0; s < REPL_STREAMS; s++)
					INIT_LIST_HEAD(&l->s[d][s].q);
			ev_add(rng_below(R, 200 * MS), EV_LINK_RETRY, NULL, 0,
			       l, 0);
		}
	}
}

static struct mem_owner pkts;	/* packets on their way belong to nobody */

static void drop_all(struct link *l)
{
	for (u32 d = 0; d < 2; d++) {
		for (u32 s = 0; s < REPL_STREAMS; s++) {
			struct stream *st = &l->s[d][s];

			while (!list_empty(&st->q)) {
				struct pkt *p = list_first_entry(&st->q,
							struct pkt, link);

				list_del(&p->link);
				mem_free(&pkts, p);
			}
			st->cut = false;
			st->armed = false;
			st->last = 0;
		}
	}
}

void net_free(void)
{
	if (!pkts.list.next)
		mem_owner_init(&pkts);
	mem_free_all(&pkts);
}

bool net_both_up(struct link *l)
{
	return l->up[0] && l->up[1] && !l->down_sent[0] && !l->down_sent[1];
}

static void arm(struct link *l, u32 dir, u32 st)
{
	struct stream *s = &l->s[dir][st];
	struct pkt *p;
	u64 at;

	if (s->armed || list_empty(&s->q))
		return;
	p = list_first_entry(&s->q, struct pkt, link);
	at = max(max(p->at, s->stall_until), l->cut_until[dir]);
	s->armed = true;
	ev_add(at > W.now ? at - W.now : 0, EV_NET, l->end[!dir],
	       (u16)(dir * 2 + st), l, l->epoch);
}

/* What a distant site adds to each way, of those at the same one nothing. */
static u32 distance(const struct link *l)
{
	bool far[2];

	for (u32 i = 0; i < 2; i++)
		far[i] = W.o.far & BIT(l->end[i]->id);
	return far[0] != far[1] ? W.o.far_us : 0;
}

void net_send(struct repl_peer *peer, enum repl_stream st,
	      struct repl_wire_hdr *h, const void *payload, struct repl_io *io)
{
	struct peer_node *pn = container_of(peer, struct peer_node, peer);
	struct link *l = pn->link;
	u32 dir = pn->side;
	struct stream *s;
	u32 len = le32_to_cpu(h->length);
	u32 ntags = 0, body = 0;
	enum repl_wire_error e;
	struct pkt *p;
	u64 at;

	if (st >= REPL_STREAMS)
		violation("contract", "send on stream %u", st);
	if (!l->up[dir] || peer->conn != CONN_CONNECTED)
		violation("contract", "node %u sends %s to %u: not connected",
			  W.cur->id, pkt_name(h->type), peer->node);
	if (len && !payload) {
		if (!io)
			violation("contract", "%s with %u bytes of nothing",
				  pkt_name(h->type), len);
		ntags = len / SECTOR_BYTES;
		if (len % SECTOR_BYTES || ntags > to_sio(io)->cap)
			violation("contract", "%s of %u bytes, room for %u",
				  pkt_name(h->type), len,
				  to_sio(io)->cap * SECTOR_BYTES);
	} else if (len) {
		body = len;
	}
	if (ntags && !repl_wire_has_data(h->type))
		violation("contract", "%s with data of an I/O",
			  pkt_name(h->type));
	repl_wire_seal(h, 0);
	e = repl_wire_check(h, st);
	if (e != WIRE_OK)
		violation("contract", "node %u sends a bad %s: %s", W.cur->id,
			  pkt_name(h->type), repl_wire_text(e));
	/* As the module does it, but more often. */
	if (h->type == PKT_ACK && W.o.acks_on_data)
		st = REPL_STREAM_DATA;
	if (h->type == PKT_VOTE)
		state_vote_sent(W.cur, peer->node, h);

	p = mem_alloc(&pkts, sizeof(*p) + body + ntags * sizeof(u64));
	p->h = *h;
	p->ntags = ntags;
	p->bytes = body;
	if (body)
		memcpy(p->body, payload, body);
	else if (ntags)
		memcpy(p->body, to_sio(io)->tags, ntags * sizeof(u64));
	T("n%u -> n%u %s v%u s%llu+%u q%llu dep %llu thr %llu id %llu f%02x len %u",
	  W.cur->id, peer->node, pkt_name(h->type), le16_to_cpu(h->volume),
	  (unsigned long long)le64_to_cpu(h->sector),
	  le32_to_cpu(h->size) / SECTOR_BYTES,
	  (unsigned long long)le64_to_cpu(h->seq),
	  (unsigned long long)le64_to_cpu(h->dep),
	  (unsigned long long)le64_to_cpu(h->through),
	  (unsigned long long)le64_to_cpu(h->id), h->flags, len);
	if (h->type == PKT_RS_CLEAR)
		order_cleared(W.cur, h, payload);
	if (h->type == PKT_MEMBERS)
		cov[C_MEMBERS]++;
	if (h->type == PKT_RS_EQUAL)
		cov[C_RS_EQUAL]++;
	if (h->type == PKT_SYNC_DONE)
		cov[C_SYNC_DONE]++;
	if (h->type == PKT_READ)
		cov[C_REMOTE_READS]++;

	s = &l->s[dir][st];
	if (s->cut || l->down_sent[dir]) {
		mem_free(&pkts, p);
		return;
	}
	at = W.now + W.o.net_us + distance(l) +
	     rng_below(R, (st == REPL_STREAM_CTRL ? W.o.ctrl_jitter_us :
					W.o.net_jitter_us) + 1);
	at = max(at, s->last);
	at += (len + 64) / W.o.net_bytes_us;
	s->last = at;
	p->at = at;
	list_add_tail(&p->link, &s->q);
	arm(l, dir, st);
}

/* A peer that is authenticated and out of its mind: fields at random. */
static void corrupt(struct pkt *p)
{
	u32 n = rng_range(R, 1, 3);
	struct repl_wire_hdr *h = &p->h;

	while (n--) {
		u64 odd = (u64[]){ 0, 1, 2, 7, 8, 4095, 4096, 1ULL << 31,
			~0ULL, ~0ULL - 7, rng_next(R), rng_next(R) >> 40,
			rng_next(R) >> 52 }[rng_below(R, 13)];

		switch (rng_below(R, 12)) {
		case 0:
			h->type = (u8)rng_below(R, PKT_TYPES);
			break;
		case 1:
			h->flags ^= (u8)(1U << rng_below(R, 7));
			break;
		case 2:
			h->volume = cpu_to_le16((u16)(rng_below(R, 3)));
			break;
		case 3:
			h->size = cpu_to_le32((u32)odd);
			break;
		case 4:
			h->seq = cpu_to_le64(odd);
			break;
		case 5:
			h->sector = cpu_to_le64(odd);
			break;
		case 6:
			h->dep = cpu_to_le64(odd);
			break;
		case 7:
			h->through = cpu_to_le64(odd);
			break;
		case 8:
			h->id = cpu_to_le64(odd);
			break;
		case 9:
			h->seq = cpu_to_le64(le64_to_cpu(h->seq) +
					     rng_below(R, 5) - 2);
			break;
		case 10:
			h->id = cpu_to_le64(le64_to_cpu(h->id) +
					    rng_below(R, 5) - 2);
			break;
		default:
			if (p->bytes)
				p->body[rng_below(R, p->bytes)] ^=
					(u8)(1U << rng_below(R, 8));
		}
	}
	repl_wire_seal(h, 0);
}

/* An ack may take the data stream, and means the same there. */
static u32 rx_stream(const struct pkt *p, u32 st)
{
	return p->h.type == PKT_ACK ? REPL_STREAM_CTRL : st;
}

/* The packet as the shell would read it: what the header says, not more. */
static bool hostile(struct link *l, struct pkt **pp, u32 st)
{
	struct pkt *p = *pp, *q;
	u32 len, ntags = 0, bytes = 0;

	(void)l;
	if (!rng_pct(R, 8))
		return true;
	corrupt(p);
	if (repl_wire_check(&p->h, rx_stream(p, st)) != WIRE_OK)
		return false;
	len = le32_to_cpu(p->h.length);
	if (repl_wire_has_data(p->h.type))
		ntags = len / SECTOR_BYTES;
	else
		bytes = len;
	q = mem_alloc(&pkts, sizeof(*q) + bytes + ntags * sizeof(u64));
	q->h = p->h;
	q->ntags = ntags;
	q->bytes = bytes;
	memcpy(q->body, p->body, min(bytes, p->bytes));
	for (u32 i = p->bytes; i < bytes; i++)
		q->body[i] = (u8)rng_next(R);
	mem_free(&pkts, p);
	*pp = q;
	return true;
}

static void hand_over(struct link *l, u32 dir, u32 st, struct pkt *p)
{
	struct node *n = l->end[!dir];
	struct repl_peer *peer = &n->peers[l->end[dir]->id].peer;
	struct repl_wire_hdr *h = &p->h;
	struct sio *s = NULL;
	const void *payload = NULL;
	enum repl_wire_error e;

	if (W.o.scenario == SCN_HOSTILE && W.phase == PH_FAULTS &&
	    !hostile(l, &p, st)) {
		mem_free(&pkts, p);
		net_shut(l, !dir, false);
		return;
	}
	h = &p->h;
	st = rx_stream(p, st);
	e = repl_wire_check(h, st);
	if (e != WIRE_OK)
		violation("contract", "a packet went bad: %s",
			  repl_wire_text(e));
	if (repl_rx_needs_io(h->type)) {
		s = sio_new(n, repl_rx_room(h) / SECTOR_BYTES);
		if (p->ntags > s->cap)
			violation("contract", "%s: %u sectors, room for %u",
				  pkt_name(h->type), p->ntags, s->cap);
		if (p->ntags)
			memcpy(s->tags, p->body, p->ntags * sizeof(u64));
	}
	if (!repl_wire_has_data(h->type) && p->bytes)
		payload = p->body;
	T("n%u <- n%u %s v%u s%llu+%u q%llu id %llu f%02x", n->id,
	  peer->node, pkt_name(h->type), le16_to_cpu(h->volume),
	  (unsigned long long)le64_to_cpu(h->sector),
	  le32_to_cpu(h->size) / SECTOR_BYTES,
	  (unsigned long long)le64_to_cpu(h->seq),
	  (unsigned long long)le64_to_cpu(h->id), h->flags);
	repl_rx(peer, st, h, payload, s ? &s->io : NULL);
	mem_free(&pkts, p);
}

void net_deliver(struct link *l, u32 dir, u32 st)
{
	struct stream *s = &l->s[dir][st];
	struct pkt *p;
	u64 at;

	s->armed = false;
	if (list_empty(&s->q) || s->cut)
		return;
	p = list_first_entry(&s->q, struct pkt, link);
	at = max(max(p->at, s->stall_until), l->cut_until[dir]);
	if (at > W.now) {
		arm(l, dir, st);
		return;
	}
	if (!l->up[!dir])
		return;		/* net_conn_up() arms it again */
	list_del(&p->link);
	arm(l, dir, st);
	hand_over(l, dir, st, p);
}

/* ---- connections ---- */

void net_retry(struct link *l)
{
	struct node *a = l->end[0], *b = l->end[1];
	u32 features = REPL_FEAT_MOVE;

	ev_add(rng_range(R, 50, 250) * MS, EV_LINK_RETRY, NULL, 0, l, 0);
	if (!l->want[0] || !l->want[1] || !a->up || !b->up ||
	    !a->peers[b->id].peer.res || !b->peers[a->id].peer.res ||
	    a->down_wanted || b->down_wanted ||
	    a->paused_until > W.now || b->paused_until > W.now ||
	    l->cut_until[0] > W.now || l->cut_until[1] > W.now)
		return;
	if (l->up[0] || l->up[1] || l->pending[0] || l->pending[1] ||
	    l->down_sent[0] || l->down_sent[1])
		return;
	drop_all(l);
	l->epoch++;
	for (u32 i = 0; i < 2; i++) {
		struct node *n = l->end[i];
		struct repl_peer *peer = &n->peers[l->end[!i]->id].peer;

		if (W.o.digest)
			features |= REPL_FEAT_DIGEST;
		if (W.o.hot)
			features |= REPL_FEAT_HOT;
		if (W.o.discard)
			features |= REPL_FEAT_DISCARD | REPL_FEAT_ZEROES;
		peer->features = features;
		peer->conn = CONN_HANDSHAKE;
		l->pending[i] = true;
		l->ever[i] = false;
		ev_add(W.o.net_us * 2 + rng_below(R, 30 * MS), EV_CONN_UP, n,
		       (u16)i, l, l->epoch);
	}
}

void net_conn_up(struct link *l, u32 side, u32 epoch)
{
	struct node *n = l->end[side];
	struct repl_peer *peer = &n->peers[l->end[!side]->id].peer;

	if (epoch != l->epoch || !l->pending[side])
		return;
	l->pending[side] = false;
	l->up[side] = true;
	l->ever[side] = true;
	peer->discard_my_data = l->discard[side];
	l->discard[side] = false;
	cov[C_CONNS]++;
	T("n%u conn up n%u%s", n->id, peer->node,
	  peer->discard_my_data ? " discard-my-data" : "");
	repl_conn_up(peer);
	if (peer->conn != CONN_CONNECTED)
		violation("contract", "conn %u after repl_conn_up", peer->conn);
	for (u32 st = 0; st < REPL_STREAMS; st++)
		arm(l, !side, st);
}

/* One side is told at some later time; once. */
static void tell_down(struct link *l, u32 side, u64 delay)
{
	struct node *n = l->end[side];

	if (!l->up[side] || l->down_sent[side]) {
		if (l->pending[side]) {
			l->pending[side] = false;
			n->peers[l->end[!side]->id].peer.conn =
				CONN_CONNECTING;
		}
		return;
	}
	l->down_sent[side] = true;
	ev_add(delay, EV_CONN_DOWN, n, (u16)side, l, l->epoch);
}

void net_conn_down(struct link *l, u32 side, u32 epoch)
{
	struct node *n = l->end[side];
	struct repl_peer *peer = &n->peers[l->end[!side]->id].peer;

	if (epoch != l->epoch || !l->up[side])
		return;
	l->up[side] = false;
	l->down_sent[side] = false;
	T("n%u conn down n%u", n->id, peer->node);
	repl_conn_down(peer);
	if (peer->conn == CONN_CONNECTED)
		peer->conn = CONN_CONNECTING;
	if (!l->want[side])
		peer->conn = CONN_STANDALONE;
	/* The other side finds out: by a reset, unless that can't pass. */
	if (l->cut_until[side] <= W.now)
		tell_down(l, !side, W.o.net_us + rng_below(R, 50 * MS));
}

/* The core or the admin of one side ends the connection. */
void net_shut(struct link *l, u32 side, bool standalone)
{
	if (standalone) {
		l->want[side] = false;
		l->standalone[side] = true;
	}
	tell_down(l, side, rng_below(R, 2000));
	/* Its last packets may arrive or not. */
	for (u32 st = 0; st < REPL_STREAMS; st++)
		if (rng_pct(R, 50))
			l->s[side][st].cut = true;
}

void net_reset(struct link *l)
{
	cov[C_RESETS]++;
	T("link n%u-n%u reset", l->end[0]->id, l->end[1]->id);
	for (u32 d = 0; d < 2; d++)
		for (u32 st = 0; st < REPL_STREAMS; st++)
			if (rng_pct(R, 60))
				l->s[d][st].cut = true;
	for (u32 i = 0; i < 2; i++)
		tell_down(l, i, rng_below(R, 20 * MS));
}

/* Directions of @dirs deliver nothing for a while. */
void net_cut(struct link *l, u32 dirs, u64 us)
{
	for (u32 d = 0; d < 2; d++)
		if (dirs & BIT(d))
			l->cut_until[d] = max(l->cut_until[d], W.now + us);
	/* Half-open connections are reset when packets flow again. */
	ev_add(us + rng_below(R, 100 * MS), EV_CUT_END, NULL, 0, l, 0);
}

void net_cut_end(struct link *l)
{
	for (u32 i = 0; i < 2; i++)
		if (l->up[i] && !l->down_sent[i] && !l->up[!i] &&
		    !l->pending[!i] && l->end[!i]->up &&
		    l->cut_until[0] <= W.now && l->cut_until[1] <= W.now)
			tell_down(l, i, rng_below(R, 100 * MS));
}

void net_stall(struct link *l, u32 dir, u32 st, u64 us)
{
	l->s[dir][st].stall_until = max(l->s[dir][st].stall_until, W.now + us);
}

/* What is still to be sent of a write is read where something else is by now. */
void net_pages_reused(const struct node *n, u32 w)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct link *l = link_of(n->id, i);
		struct stream *s;
		struct pkt *p;

		if (i == n->id)
			continue;
		s = &l->s[n->peers[i].side][REPL_STREAM_DATA];
		list_for_each_entry(p, &s->q, link)
			if (p->h.type == PKT_WRITE && *(u64 *)p->body == w)
				*(u64 *)p->body = TAG_GARBAGE;
	}
}

void net_heal(void)
{
	for (u32 a = 0; a < W.o.nodes; a++) {
		for (u32 b = a + 1; b < W.o.nodes; b++) {
			struct link *l = &link_tab[a][b];

			for (u32 d = 0; d < 2; d++) {
				l->cut_until[d] = 0;
				for (u32 st = 0; st < REPL_STREAMS; st++) {
					l->s[d][st].stall_until = 0;
					l->s[d][st].armed = false;
					arm(l, d, st);
				}
			}
			ev_add(rng_below(R, 200 * MS), EV_CUT_END, NULL, 0, l,
			       0);
		}
	}
}

/* A node's end of everything vanishes: power cut, or a clean end. */
void net_node_gone(struct node *n, bool clean)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct link *l;
		u32 side;

		if (i == n->id)
			continue;
		l = link_of(n->id, i);
		side = l->end[0] == n ? 0 : 1;
		l->up[side] = false;
		l->pending[side] = false;
		l->down_sent[side] = false;
		l->s[!side][0].cut = l->s[!side][1].cut = true;
		if (!clean)
			for (u32 st = 0; st < REPL_STREAMS; st++)
				if (rng_pct(R, 50))
					l->s[side][st].cut = true;
		if (l->pending[!side])
			tell_down(l, !side, 0);
		/* A dead machine may be silent, or its network may tell. */
		if (clean || rng_pct(R, 40))
			tell_down(l, !side, W.o.net_us +
				  rng_below(R, 300 * MS));
	}
}

/* A machine that is back answers packets of old connections with a reset. */
void net_node_back(struct node *n)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct link *l;

		if (i == n->id)
			continue;
		l = link_of(n->id, i);
		if (l->up[l->end[0] == n ? 1 : 0])
			tell_down(l, l->end[0] == n ? 1 : 0,
				  rng_below(R, 500 * MS));
	}
}

/* Nothing on its way but heartbeats? */
bool net_quiet(void)
{
	for (u32 a = 0; a < W.o.nodes; a++) {
		for (u32 b = a + 1; b < W.o.nodes; b++) {
			struct link *l = &link_tab[a][b];
			struct pkt *p;

			if (!sim_member(a) || !sim_member(b))
				continue;
			for (u32 k = 0; k < 4; k++)
				list_for_each_entry(p, &l->s[k / 2][k % 2].q,
						    link)
					if (p->h.type != PKT_PING &&
					    p->h.type != PKT_PONG)
						return false;
		}
	}
	return true;
}
