// SPDX-License-Identifier: GPL-2.0
/* Events, packets and ticks to the modules: the only file that sees all. */
#include "internal.h"
#include "detach.h"

/* ---- helpers for all ---- */

void note(struct repl_res *res, enum repl_note n, struct repl_vol *vol,
	  struct repl_peer *peer, const char *text)
{
	res->ops->notify(res, n, vol, peer, text);
}

void hdr_init(struct repl_wire_hdr *h, u8 type, const struct repl_vol *vol)
{
	memset(h, 0, sizeof(*h));
	h->type = type;
	if (vol)
		h->volume = cpu_to_le16(vol->nr);
}

static enum repl_stream stream_of(u8 type)
{
	switch (type) {
	case PKT_ACK:
	case PKT_NACK:
	case PKT_MEMBERS_ACK:
	case PKT_VOTE:
	case PKT_MAP_ACK:
	case PKT_PING:
	case PKT_PONG:
	case PKT_HOT:
		return REPL_STREAM_CTRL;
	default:
		return REPL_STREAM_DATA;
	}
}

/*
 * The first that goes over the data stream is who we are, also to a member that
 * has come while nothing is announced (tell_members()).
 */
void send_pkt(struct repl_peer *p, struct repl_wire_hdr *h,
	      const void *payload, struct repl_io *io)
{
	if (!p->announced && h->type != PKT_RES_STATE &&
	    stream_of(h->type) == REPL_STREAM_DATA)
		announce_res(p);
	p->res->ops->send(p, stream_of(h->type), h, payload, io);
}

void send_simple(struct repl_pv *pv, u8 type, u8 flags)
{
	struct repl_wire_hdr h;

	hdr_init(&h, type, pv->vol);
	h.flags = flags;
	send_pkt(pv->peer, &h, NULL, NULL);
}

void send_sync(struct repl_pv *pv, u8 type, u8 flags)
{
	struct repl_wire_hdr h;

	hdr_init(&h, type, pv->vol);
	h.flags = flags;
	h.id = cpu_to_le64(pv->sync.serial);
	send_pkt(pv->peer, &h, NULL, NULL);
}

void peer_end(struct repl_peer *p, bool standalone, const char *why)
{
	if (p->conn != CONN_CONNECTED || p->closing)
		return;
	p->closing = true;
	p->res->ops->disconnect(p, standalone, why);
}

/* All connections begin anew. */
void peers_end(struct repl_res *res, const char *why)
{
	struct repl_peer *p;
	int i;

	for_each_peer(p, i, res)
		peer_end(p, false, why);
}

struct repl_vol *vol_get(struct repl_res *res, u16 nr)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (vol->nr == nr)
			return vol;
	return NULL;
}

struct repl_pv *pv_get(struct repl_vol *vol, struct repl_peer *peer)
{
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if (pv->peer == peer)
			return pv;
	return NULL;
}

void disk_io(struct repl_io *io)
{
	io->vol->store->disk_ios++;
	io->vol->res->ops->disk_io(io);
}

void io_ready(struct repl_io *io)
{
	switch (io->kind) {
	case IO_APP:
		app_ready(io);
		break;
	case IO_PEER_WRITE:
	case IO_PEER_READ:
		peer_ready(io);
		break;
	case IO_RS_READ:
		source_ready(io);
		break;
	default:
		target_ready(io);
	}
}

/* ---- disk events ---- */

void repl_io_done(struct repl_io *io, int err)
{
	struct repl_vol *vol = io->vol;

	vol->store->disk_ios--;
	switch (io->kind) {
	case IO_APP:
		app_disk_done(io, err);
		break;
	case IO_PEER_WRITE:
	case IO_PEER_FLUSH:
	case IO_PEER_READ:
		peer_disk_done(io, err);
		detach_applied(vol);
		break;
	case IO_RS_READ:
		source_disk_done(io, err);
		break;
	default:
		target_disk_done(io, err);
	}
	if (vol->disk <= DISK_FAILED)
		meta_kick(vol);
}

/* ---- connections ---- */

void repl_conn_up(struct repl_peer *p)
{
	struct repl_pv *pv;

	p->conn = CONN_CONNECTED;
	p->conn_count++;
	p->closing = false;
	p->state_seen = false;
	p->announced = false;
	p->role = ROLE_UNKNOWN;
	p->sees_primary = NODE_NONE;
	p->last_rx_ms = p->res->now;
	p->last_ping_ms = p->res->now;
	p->unacked = 0;
	p->lag_bytes = 0;
	p->held_back = false;
	p->through = 0;
	p->last_seq = 0;
	p->members_id = 0;
	p->flushes = 0;
	p->members_told = 0;
	p->members_heard = 0;
	p->ack_id = 0;
	p->end_at_ms = 0;
	p->vote_wait = false;
	p->before_reign = false;
	p->unheard = false;
	fence_connected(p);
	branch_forget(p);
	memset(&p->sent_state, 0xff, sizeof(p->sent_state));
	list_for_each_entry(pv, &p->pvs, by_peer) {
		pv->known = false;
		pv->agreed = false;
		memset(&pv->sent_state, 0xff, sizeof(pv->sent_state));
		memset(&pv->peer_state, 0, sizeof(pv->peer_state));
	}
	note(p->res, NOTE_PEER, NULL, p, NULL);
	evaluate(p->res);
}

/** peers_that() - all nodes but ours of which @so is true */
u32 peers_that(const struct repl_res *res, bool (*so)(const struct repl_peer *p))
{
	struct repl_peer *p;
	u32 nodes = 0;
	int i;

	for_each_peer(p, i, res)
		if (so(p))
			nodes |= BIT(i);
	return nodes;
}

void repl_conn_down(struct repl_peer *p)
{
	struct repl_res *res = p->res;
	struct repl_pv *pv;

	if (p->conn != CONN_CONNECTED)
		return;
	p->conn = CONN_CONNECTING;
	fence_lost(p);
	succession_lost(p);
	p->role = ROLE_UNKNOWN;
	p->sees_primary = NODE_NONE;
	p->members_id = 0;
	p->ack_id = 0;
	p->vote_wait = false;
	if (res->promised_to == p->node)
		res->promised_to = NODE_NONE;
	/*
	 * First no volume sends there any more; only then what waited may go
	 * on.  And no conclusions are drawn from half of it.
	 */
	res->evaluating = true;
	list_for_each_entry(pv, &p->pvs, by_peer)
		pv_lost(pv);
	peer_tail_lost(p);
	app_reads_lost(p);
	list_for_each_entry(pv, &p->pvs, by_peer) {
		target_stop(pv, false);
		source_stop(pv, false);
		if (pv->was_receiving)
			app_drop_receiver(pv);
		set_pv_state(pv, RS_OFF);
	}
	res->evaluating = false;
	p->unacked = 0;
	p->lag_bytes = 0;
	note(res, NOTE_PEER, NULL, p, NULL);
	evaluate(res);
	app_release_held(res);
}

/* ---- packets ---- */

bool repl_rx_needs_io(u8 type)
{
	return repl_wire_has_data(type) || type == PKT_DISCARD ||
	       type == PKT_ZEROES || type == PKT_FLUSH || type == PKT_READ ||
	       type == PKT_RS_REQ;
}

u32 repl_rx_room(const struct repl_wire_hdr *h)
{
	if (repl_wire_has_data(h->type) || h->type == PKT_READ ||
	    h->type == PKT_RS_REQ)
		return le32_to_cpu(h->size);
	return 0;
}

/*
 * What it wrote here last is unconfirmed: that must be in our map before its
 * successor looks at it.
 */
void dismiss(struct repl_peer *p, const char *why)
{
	peer_end(p, false, why);
	peer_tail_lost(p);
}

/*
 * Of two primaries that we are connected to, the one of the older term is dead
 * or deposed, and its packets are late.
 */
void depose(struct repl_res *res)
{
	struct repl_peer *p, *other;
	u64 newest = 0;
	int i;

	for_each_peer(p, i, res)
		if (connected(p) && p->role == ROLE_PRIMARY)
			newest = max(newest, p->term);
	for_each_peer(other, i, res)
		if (connected(other) && other->role == ROLE_PRIMARY &&
		    other->term < newest)
			dismiss(other, "another node has become Primary since");
}

static void rx_res_state(struct repl_peer *p, const void *payload)
{
	struct repl_wire_res_state w;
	struct repl_res *res = p->res;
	enum repl_role role;

	memcpy(&w, payload, sizeof(w));
	role = w.role == ROLE_PRIMARY ? ROLE_PRIMARY : ROLE_SECONDARY;
	p->state_seen = true;
	p->term = le64_to_cpu(w.term);
	p->sees_primary = w.primary;
	p->votes = w.flags & REPL_RS_VOTES;
	res->by_most &= ~BIT(p->node);
	if (w.flags & REPL_RS_BY_MOST)
		res->by_most |= BIT(p->node);
	edit_rx_list(p, le32_to_cpu(w.members));
	res->term = max(res->term, p->term);
	res->seq = max(res->seq, le64_to_cpu(w.seq));
	if (p->role == ROLE_PRIMARY && role != ROLE_PRIMARY) {
		peer_through(p, le64_to_cpu(w.through));
		lease_free(p);
		succession_free(p);
	}
	if (p->role != role) {
		p->role = role;
		note(res, NOTE_PEER, NULL, p, NULL);
	}
	if (res->promised_to == p->node && role == ROLE_PRIMARY)
		res->promised_to = NODE_NONE;
	depose(res);
}

/*
 * While our commit is on its way to a member, what it says of its lineage is
 * older than what it is going to say; it has not left the set for that.
 */
static void keep_expected(struct repl_pv *pv, struct repl_vstate *v)
{
	const struct repl_vol *vol = pv->vol;

	if (vol->res->role == ROLE_PRIMARY && pv_serves_reads(pv) &&
	    (vol->in_sync & BIT(pv->peer->node)) &&
	    v->disk >= DISK_OUTDATED &&
	    v->set_version < vol->res->commit.version) {
		v->lineage = vol->lineage;
		v->dirty = pv->peer_state.dirty;
	}
}

/*
 * Both of us have all that was acknowledged, by the same word.  (The peer may
 * not have heard it yet when it told us of itself: then it was Consistent.)
 */
static bool member_beside_us(const struct repl_pv *pv,
			     const struct repl_store *s)
{
	const struct repl_vstate *ps = &pv->peer_state;
	u32 both = BIT(pv->peer->node) | BIT(pv->vol->res->node);

	return (s->in_sync & both) == both && pv->vol->disk == DISK_UPTODATE &&
	       ps->disk >= DISK_CONSISTENT && ps->dataset == s->dataset &&
	       lineage_compare(&ps->lineage, &s->lineage) == ORDER_EQUAL;
}

/*
 * Is the Primary here that has made this set?  With it, what we have and a member
 * lacks is on its way there; another may not know of it.
 */
static bool primary_has_our_set(const struct repl_vol *vol,
				const struct repl_store *s)
{
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if (pv->known && pv->peer->role == ROLE_PRIMARY &&
		    pv->peer_state.set_version == s->set_version)
			return true;
	return false;
}

void check_replica(struct repl_pv *pv)
{
	u64 replica = pv->peer_state.replica;
	struct repl_store *s = store_live(pv->vol);
	struct repl_mslot *slot;
	bool vouched, other;

	if (!s || pv->slot == SLOT_NONE || !replica)
		return;
	slot = &s->slot[pv->slot];
	other = slot->replica && slot->replica != replica;
	vouched = member_beside_us(pv, s);
	if (other && vouched) {
		/* Filled while we were not connected; the primary vouches. */
		slot->since = s->lineage;
		slot->since_valid = true;
	} else if (other) {
		/* Another disk under an old name: nothing we know holds. */
		slot->since_valid = false;
		dirty_fill(&s->dirty, pv->slot);
		meta_checkpoint(s);
	} else if (!slot->since_valid && vouched &&
		   primary_has_our_set(pv->vol, s)) {
		/* It had been filled, and we heard so before we heard of it. */
		store_in_step(pv);
	}
	if (slot->replica == replica)
		return;
	slot->replica = replica;
	meta_want_sb(s);
}

static void rx_vol_state(struct repl_pv *pv, const void *payload)
{
	struct repl_res *res = pv->vol->res;
	struct repl_wire_vol_state w;
	struct repl_vstate v;

	memcpy(&w, payload, sizeof(w));
	vstate_from_wire(&v, &w);
	v.disk = witness_disk(pv->peer, v.disk);
	if (pv->known)
		keep_expected(pv, &v);
	/* The next set of ours is to be newer than any that we have seen. */
	res->set_version = max(res->set_version, v.set_version);
	if (!pv->known || v.set_version != pv->peer_state.set_version)
		pv->set_after = pv->peer->last_seq;
	if (!pv->known || v.disk != pv->peer_state.disk)
		note(res, NOTE_PVOL, pv->vol, pv->peer, NULL);
	pv->peer_state = v;
	pv->known = true;
	pv->turned_down = false;
	check_replica(pv);
}

static void rx_invalidate(struct repl_pv *pv)
{
	const char *why;

	if (repl_invalidate(pv->vol, &why))
		note(pv->vol->res, NOTE_MESSAGE, pv->vol, pv->peer, why);
}

static void rx_pv(struct repl_pv *pv, const struct repl_wire_hdr *h,
		  const void *payload, struct repl_io *io)
{
	struct repl_peer *p = pv->peer;

	switch (h->type) {
	case PKT_VOL_STATE:
		rx_vol_state(pv, payload);
		evaluate(p->res);
		break;
	case PKT_WRITE:
	case PKT_DISCARD:
	case PKT_ZEROES:
		peer_write(p, h, io);
		break;
	case PKT_FLUSH:
		peer_flush(p, h, io);
		break;
	case PKT_READ:
		peer_read(p, h, io);
		break;
	case PKT_MEMBERS:
		members_rx(pv, h, payload);
		break;
	case PKT_NEW_DATASET:
		dataset_rx(pv, h, payload);
		break;
	case PKT_INVALIDATE:
		rx_invalidate(pv);
		break;
	case PKT_HOT:
		al_rx_hot(pv, h, payload);
		break;
	case PKT_MAP_ACK:
		if (pv->sync.map_unacked)
			pv->sync.map_unacked--;
		map_send_more(pv);
		break;
	case PKT_SYNC_READY:
	case PKT_SYNC_ACCEPT:
	case PKT_SYNC_REFUSE:
	case PKT_RS_DATA:
	case PKT_RS_EQUAL:
	case PKT_RS_ZEROES:
	case PKT_RS_ERROR:
		target_rx(pv, h, payload, io);
		break;
	case PKT_MAP:
	case PKT_SYNC_STOP:
		if (pv->sync.step >= SYNC_S_MAP_IN)
			source_rx(pv, h, payload, io);
		else
			target_rx(pv, h, payload, io);
		break;
	default:
		source_rx(pv, h, payload, io);
	}
}

static void rx_read_answer(struct repl_peer *p, const struct repl_wire_hdr *h,
			   struct repl_io *io)
{
	if (io) {
		io->kind = IO_READ_DATA;
		io->size = le32_to_cpu(h->size);
	}
	app_read_answer(p, le64_to_cpu(h->id), io);
	if (io)
		p->res->ops->release(io);
}

/*
 * Writes may be complete because a receiver was lost.  MEMBERS says so, on the other
 * stream: the tail is kept until that has come, and becomes dirty for it (absent()).
 */
static void rx_ping(struct repl_peer *p, const struct repl_wire_hdr *h)
{
	struct repl_wire_hdr r;

	if (p->role == ROLE_PRIMARY &&
	    le64_to_cpu(h->seq) <= p->members_heard)
		peer_through(p, le64_to_cpu(h->through));
	hdr_init(&r, PKT_PONG, NULL);
	if (lease_promise(p, le64_to_cpu(h->dep)))
		r.flags = REPL_HDR_YES;
	r.id = h->id;
	send_pkt(p, &r, NULL, NULL);
}

/* Packets about the node or about one write; false: about a volume. */
static bool rx_node(struct repl_peer *p, const struct repl_wire_hdr *h,
		    const void *payload, struct repl_io *io)
{
	switch (h->type) {
	case PKT_RES_STATE:
		rx_res_state(p, payload);
		evaluate(p->res);
		return true;
	case PKT_ACK:
	case PKT_NACK:
		app_peer_answer(p, le64_to_cpu(h->seq), h->type == PKT_ACK);
		return true;
	case PKT_READ_DATA:
	case PKT_READ_ERROR:
		rx_read_answer(p, h, io);
		return true;
	case PKT_MEMBERS_ACK:
		members_ack(p, le64_to_cpu(h->id));
		return true;
	case PKT_VOTE_REQ:
		vote_rx_req(p, h);
		return true;
	case PKT_VOTE:
		vote_rx(p, h, payload);
		return true;
	case PKT_STEP_DOWN:
		move_rx_step_down(p, h);
		return true;
	case PKT_STAYS:
		move_rx_stays(p, h, payload);
		return true;
	case PKT_PING:
		rx_ping(p, h);
		return true;
	case PKT_PONG:
		if (h->flags & REPL_HDR_YES)
			lease_promised(p, le64_to_cpu(h->id));
		return true;
	}
	return false;
}

static void drop_io(struct repl_peer *p, struct repl_io *io)
{
	if (io)
		p->res->ops->release(io);
}

void repl_rx(struct repl_peer *p, enum repl_stream stream,
	     const struct repl_wire_hdr *h, const void *payload,
	     struct repl_io *io)
{
	struct repl_vol *vol;
	struct repl_pv *pv;

	if (p->conn != CONN_CONNECTED || p->closing ||
	    WARN_ON_ONCE(stream_of(h->type) != stream ||
			 repl_rx_needs_io(h->type) != !!io)) {
		drop_io(p, io);
		return;
	}
	p->last_rx_ms = p->res->now;
	if (!p->state_seen && h->type != PKT_RES_STATE &&
	    stream == REPL_STREAM_DATA) {
		peer_end(p, false, "the peer did not begin with its state");
		drop_io(p, io);
		return;
	}
	if (rx_node(p, h, payload, io))
		return;
	vol = vol_get(p->res, le16_to_cpu(h->volume));
	pv = vol ? pv_get(vol, p) : NULL;
	if (pv) {
		rx_pv(pv, h, payload, io);
		return;
	}
	drop_io(p, io);
	/* Its configuration may be ahead of ours: only I/O is an error. */
	if (h->type != PKT_VOL_STATE && h->type != PKT_MEMBERS)
		peer_end(p, false, "the peer has a volume that is not configured here");
}

/* ---- time ---- */

static void ping(struct repl_peer *p)
{
	struct repl_res *res = p->res;
	u64 through = app_through(res);
	struct repl_wire_hdr h;
	bool news = res->role == ROLE_PRIMARY && through != p->told_through;

	if (reigns(res) && elects(res))
		news = true;	/* for the lease */
	if (res->now - p->last_ping_ms < p->conf.ping_int_ms && !news)
		return;
	p->last_ping_ms = res->now;
	p->told_through = through;
	hdr_init(&h, PKT_PING, NULL);
	h.id = cpu_to_le64(res->now);
	h.dep = cpu_to_le64(own_term(res));
	h.seq = cpu_to_le64(p->members_told);
	h.through = cpu_to_le64(through);
	send_pkt(p, &h, NULL, NULL);
}

static void tick_peer(struct repl_peer *p)
{
	struct repl_res *res = p->res;
	bool waiting = p->unacked || p->members_id || p->flushes;

	if (p->conn != CONN_CONNECTED || p->closing)
		return;
	if (!waiting)
		p->ack_progress_ms = res->now;
	if (p->end_at_ms && res->now >= p->end_at_ms)
		peer_end(p, true, p->end_why);
	else if (res->now - p->last_rx_ms > p->conf.timeout_ms)
		peer_end(p, false, "nothing was heard from the peer for the time-out");
	else if (res->now - p->ack_progress_ms > p->conf.ack_timeout_ms)
		peer_end(p, false, "the peer answers but acknowledges no writes: is its disk stuck?");
	else
		ping(p);
	branch_tick(p);
}

void repl_tick(struct repl_res *res, u64 now)
{
	u64 ms = res->now ? now - res->now : 0;
	struct repl_vol *vol;
	struct repl_peer *p;
	struct repl_pv *pv;
	int i;

	res->now = now;
	for_each_peer(p, i, res)
		tick_peer(p);
	for_each_vol(vol, res) {
		if (vol->store) {
			vol->stat.dirty_mem = vol->store->dirty.mem;
			al_tick(vol->store);
		}
		for_each_pv(pv, vol)
			target_tick(pv, ms);
	}
	/* Settings may have changed: what is held may have to fail now. */
	if (res->susp & SUSP_NO_DATA)
		app_no_data(res);
	commit_tick(res);
	ack_tick(res);
	vote_tick(res);
	move_tick(res);
	succession_tick(res);
	fence_tick(res);
	detach_tick(res);
	app_release_held(res);
	if (res->evaluate_again)
		evaluate(res);
	if (!res->susp)
		res->susp_since = 0;
	else if (!res->susp_since)
		res->susp_since = now;
}

/* ---- reading the state ---- */

void repl_pv_info(struct repl_vol *vol, struct repl_peer *peer,
		  struct repl_pv_info *out)
{
	struct repl_pv *pv = pv_get(vol, peer);
	struct repl_store *s = store_live(vol);

	memset(out, 0, sizeof(*out));
	if (!pv)
		return;
	out->state = pv->state;
	out->peer_disk = pv->known ? pv->peer_state.disk : DISK_UNKNOWN;
	out->sync = pv->sync.stat;
	out->paused = (pv->paused ? 1 : 0) |
		      (pv->peer_state.flags & REPL_VS_PAUSED ? 2 : 0);
	if (s && pv->slot != SLOT_NONE)
		out->out_of_sync = s->dirty.map[pv->slot].count * BLOCK_BYTES;
	if (pv->sync.step != SYNC_IDLE)
		out->left = out->out_of_sync;
}

u32 repl_in_sync_set(struct repl_res *res, u64 *version)
{
	struct repl_vol *vol;
	u32 set = ~0U;

	*version = res->set_version;
	for_each_vol(vol, res)
		set &= vol->in_sync;
	return list_empty(&res->vols) ? 0 : set;
}

void repl_io_info(const struct repl_res *res, struct repl_io_info *out)
{
	memset(out, 0, sizeof(*out));
	ack_in_step(res, &out->in_step, &out->needed);
	if (list_empty(&res->vols))
		out->in_step = 0;
	if (res->susp && res->susp_since)
		out->suspended_ms = res->now - res->susp_since;
}

int repl_sees_primary(const struct repl_peer *peer)
{
	return connected(peer) && peer->sees_primary < REPL_NODES ?
	       peer->sees_primary : -1;
}

bool repl_readable(struct repl_vol *vol)
{
	struct repl_pv *pv;

	if (store_live(vol) && vol->disk == DISK_UPTODATE)
		return true;
	for_each_pv(pv, vol)
		if (pv_serves_reads(pv))
			return true;
	return false;
}

bool repl_idle(struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (vol->store && (vol->store->disk_ios ||
				   vol->store->job != JOB_NONE))
			return false;
	return !app_busy(res) && list_empty(&res->in_flight) &&
	       res->commit.step == COMMIT_IDLE;
}
