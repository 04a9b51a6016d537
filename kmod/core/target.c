// SPDX-License-Identifier: GPL-2.0
/*
 * Resync, receiving end.  The target drives it:
 *
 *  map out     the source gets our dirty map, and says that it is ready
 *  prepare     Inconsistent is durable before anything is overwritten
 *  map in      both ends have the union of their dirty maps
 *  checkpoint  the union is durable, towards everybody
 *  run         ask for dirty blocks, write them, flush, clear, tell
 *  finish      UpToDate and the source's lineage are durable, then told
 *
 * Application writes arrive all the while.  One that comes while a block is
 * asked for is newer than what the answer will bring: the answer is dropped
 * and the block asked for again.  So is an answer that waits for its turn behind
 * a write of our own that has only now been numbered and sent.
 */
#include "internal.h"

#define RS_REQ_BLOCKS	32U	/* of one request without digest */
#define RS_DIGEST_BLOCKS 16U	/* with digest: all or nothing is equal */
#define RS_FLUSH_AT	(RS_MAX_RANGES / 2)

bool target_applies_writes(const struct repl_vol *vol)
{
	struct repl_pv *pv;

	if (vol->disk != DISK_INCONSISTENT)
		return false;
	for_each_pv(pv, vol)
		if (is_target(pv) && pv->sync.step >= SYNC_MAP_IN)
			return true;
	return false;
}

static bool paused(const struct repl_pv *pv)
{
	return pv->paused || (pv->peer_state.flags & REPL_VS_PAUSED);
}

static struct dirty_map *map_of(const struct repl_pv *pv)
{
	return &pv->vol->store->dirty.map[pv->slot];
}

void target_begin(struct repl_pv *pv)
{
	struct repl_vol *vol = pv->vol;
	struct repl_store *s = store_live(vol);
	struct repl_sync *y = &pv->sync;
	struct repl_vstate mine;

	if (!s || pv->slot == SLOT_NONE)
		return;
	my_vstate(pv, &mine);
	memset(y, 0, sizeof(*y));
	INIT_LIST_HEAD(&y->reqs);
	/* With data that replaces ours comes its size, be it smaller. */
	if (pv->peer_state.cur_sectors &&
	    !repl_one_size(&mine, &pv->peer_state))
		store_set_size(vol, pv->peer_state.cur_sectors);
	y->full = !repl_partial_ok(&mine, &pv->peer_state);
	if (y->full)
		dirty_fill(&s->dirty, pv->slot);
	y->step = SYNC_MAP_OUT;
	y->serial = ++vol->res->next_id << 5 | vol->res->node;
	y->stat.begin_ms = vol->res->now;
	set_pv_state(pv, RS_SYNC_TARGET);
	send_sync(pv, PKT_SYNC_BEGIN, y->full ? REPL_HDR_FULL : 0);
	map_send_begin(pv);
}

/*
 * Why this copy has to be filled in full is no longer to be seen once it is
 * Inconsistent: another source must not go on in part.
 */
static void forget_since(struct repl_store *s)
{
	u32 i;

	for (i = 0; i < s->nslots; i++)
		s->slot[i].since_valid = false;
}

/*
 * The source is there and ready.  Not before: the copy here may turn out to be
 * the best one left.
 */
static void become_inconsistent(struct repl_pv *pv)
{
	struct repl_store *s = pv->vol->store;

	pv->sync.step = SYNC_PREPARE;
	pv->vol->vouch = false;
	s->flags |= META_F_CRASHED;	/* disk_heal() */
	s->flags &= ~META_F_PRIMARY;
	set_disk(pv->vol, DISK_INCONSISTENT);
	/* Not implied: a sync that broke off at its end has said otherwise. */
	if (!MUTATED(MUT_TARGET_STAYS_UPTODATE))
		s->flags |= META_F_INCONSISTENT;
	if (pv->sync.full)
		forget_since(s);
	pv->sync.wait_sb = meta_want_sb(s);
	meta_kick(pv->vol);
	evaluate(pv->vol->res);
}

/* ---- requests ---- */

static void req_put(struct repl_io *io)
{
	struct repl_peer *p = io->peer;

	list_del_init(&io->hash);
	al_leave(io);
	p->ios--;
	p->res->ops->release(io);
}

static void req_end(struct repl_pv *pv, struct repl_io *io)
{
	pv->sync.nreqs--;
	req_put(io);
}

/* Does this I/O still belong to the sync of its volume and peer? */
static struct repl_pv *sync_of(struct repl_io *io)
{
	struct repl_pv *pv = pv_get(io->vol, io->peer);

	if (!pv || !is_target(pv) || io->conn != io->peer->conn_count ||
	    !store_live(io->vol))
		return NULL;
	return pv;
}

static void add_req(struct repl_pv *pv, struct repl_io *io)
{
	INIT_LIST_HEAD(&io->link);
	io->peer = pv->peer;
	io->vol = pv->vol;
	io->conn = pv->peer->conn_count;
	io->remote = NODE_NONE;
	pv->peer->ios++;
	pv->sync.nreqs++;
	list_add_tail(&io->hash, &pv->sync.reqs);
}

void target_stop(struct repl_pv *pv, bool tell)
{
	struct repl_sync *y = &pv->sync;
	struct repl_io *io;

	if (!is_target(pv))
		return;
	if (tell && connected(pv->peer))
		send_sync(pv, PKT_SYNC_STOP, 0);
	y->step = SYNC_IDLE;
	y->map_sending = false;
	while ((io = list_first_entry_or_null(&y->reqs, struct repl_io,
					      hash))) {
		list_del_init(&io->hash);
		io->conn = 0;	/* whoever finds it next drops it */
		if (io->state == IOS_REQUESTED)
			req_put(io);
	}
	y->nreqs = 0;
	y->stable_wait = 0;
	y->flushing = 0;
	set_pv_state(pv, RS_OFF);
}

static void ask(struct repl_pv *pv, struct repl_io *io)
{
	struct repl_wire_hdr h;

	io->state = IOS_REQUESTED;
	hdr_init(&h, PKT_RS_REQ, pv->vol);
	h.id = cpu_to_le64(io->id);
	h.sector = cpu_to_le64(io->sector);
	h.size = cpu_to_le32(io->size);
	if (io->had_digest) {
		h.flags = REPL_HDR_DIGEST;
		h.length = cpu_to_le32(REPL_DIGEST_LEN);
	}
	send_pkt(pv->peer, &h, io->had_digest ? io->digest : NULL, NULL);
}

static bool request(struct repl_pv *pv, u64 block)
{
	struct repl_sync *y = &pv->sync;
	struct repl_vol *vol = pv->vol;
	struct repl_store *s = vol->store;
	bool digest = pace_digest(pv);
	u32 n = dirty_run(&s->dirty, pv->slot, block,
			  digest ? RS_DIGEST_BLOCKS : RS_REQ_BLOCKS);
	u64 sector = block * BLOCK_SECTORS;
	u32 size = min_t(u64, n * BLOCK_BYTES,
			 (vol->sectors - sector) * SECTOR_BYTES);
	struct repl_io *io;

	io = vol->res->ops->io_alloc(vol, pv->peer, digest ? size : 0);
	if (!io)
		return false;
	io->kind = IO_RS_REQ;
	io->op = OP_READ;
	io->flags = digest ? IOF_DIGEST : 0;
	io->sector = sector;
	io->size = size;
	io->id = ++vol->res->next_id;
	io->had_digest = digest;
	io->stale = false;
	add_req(pv, io);
	y->tokens -= size;
	y->cursor = block + n;
	if (digest)
		al_enter(io);
	else
		ask(pv, io);
	return true;
}

/* ---- what is written becomes stable, then clean ---- */

static void clear_ranges(struct repl_pv *pv, u32 n)
{
	struct repl_sync *y = &pv->sync;
	struct repl_wire_hdr h;
	u32 i;

	for (i = 0; i < n; i++)
		dirty_clear_range(&pv->vol->store->dirty, pv->slot,
				  le64_to_cpu(y->done[i].sector) / BLOCK_SECTORS,
				  DIV_ROUND_UP(le32_to_cpu(y->done[i].size),
					       BLOCK_BYTES));
	hdr_init(&h, PKT_RS_CLEAR, pv->vol);
	h.id = cpu_to_le64(y->serial);
	h.length = cpu_to_le32(n * sizeof(y->done[0]));
	send_pkt(pv->peer, &h, y->done, NULL);
	y->stable_wait -= n;
	memmove(y->done, y->done + n, y->stable_wait * sizeof(y->done[0]));
}

static void flush_if_due(struct repl_pv *pv)
{
	struct repl_sync *y = &pv->sync;
	struct repl_io *io;

	if (y->flushing || !y->stable_wait)
		return;
	if (MUTATED(MUT_CLEAR_BEFORE_FLUSH)) {
		clear_ranges(pv, y->stable_wait);
		return;
	}
	if (y->stable_wait < RS_FLUSH_AT && y->nreqs)
		return;
	io = pv->vol->res->ops->io_alloc(pv->vol, pv->peer, 0);
	if (!io)
		return;
	INIT_LIST_HEAD(&io->link);
	INIT_LIST_HEAD(&io->hash);
	io->kind = IO_RS_FLUSH;
	io->op = OP_FLUSH;
	io->flags = 0;
	io->size = 0;
	io->nspans = 0;
	io->conn = pv->peer->conn_count;
	io->id = y->serial;
	pv->peer->ios++;
	y->flushing = y->stable_wait;
	disk_io(io);
}

static void range_done(struct repl_pv *pv, struct repl_io *io)
{
	struct repl_sync *y = &pv->sync;
	struct repl_wire_range *r = &y->done[y->stable_wait++];

	r->sector = cpu_to_le64(io->sector);
	r->size = cpu_to_le32(io->size);
	r->pad = 0;
	y->tick_bytes += io->size;
	req_end(pv, io);
	target_pump(pv);
}

/*
 * From then on we are in the set that the source knows, by our own words: like its
 * members we have all that was written before it, on stable media.
 */
static void finish(struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	struct repl_vol *vol = pv->vol;
	struct repl_store *s = vol->store;

	s->lineage = ps->lineage;
	keep_set(vol, ps->in_sync | BIT(vol->res->node), ps->keepers,
		 ps->set_version);
	/* What we knew was of other data, or of a branch that is given up. */
	if (s->dataset != ps->dataset || pv->peer->discard_my_data || pv->given_up)
		s->kept_before = 0;
	s->dataset = ps->dataset;
	s->kept_before = max(s->kept_before, ps->kept_before);
	s->flags &= ~(META_F_INCONSISTENT | META_F_OUTDATED);
	disk_heal(vol);
	s->sb_flush = true;
	store_remember(pv, &s->lineage);
	pv->sync.wait_sb = s->sb_want;
	pv->sync.step = SYNC_FINISH;
	meta_kick(vol);
}

void target_pump(struct repl_pv *pv)
{
	struct repl_sync *y = &pv->sync;
	struct repl_store *s = store_live(pv->vol);
	u32 window = pace_window(pv);
	u64 block;

	if (!s || y->step != SYNC_RUN || !connected(pv->peer))
		return;
	flush_if_due(pv);
	while (!paused(pv) && y->nreqs < window && y->tokens > 0 &&
	       y->nreqs + y->stable_wait < RS_MAX_RANGES) {
		block = dirty_next(&s->dirty, pv->slot, y->cursor);
		if (block != DIRTY_NONE) {
			if (!request(pv, block))
				return;
			continue;
		}
		/* Those under way stay dirty until they are stable. */
		if (y->nreqs || y->stable_wait)
			return;
		if (!map_of(pv)->count) {
			if (peer_applied(pv->peer, pv->set_after))
				finish(pv);
			return;
		}
		if (!y->cursor)
			return;
		y->cursor = 0;
	}
}

/* ---- answers ---- */

static struct repl_io *find_req(struct repl_pv *pv, u64 id)
{
	struct repl_io *io;

	list_for_each_entry(io, &pv->sync.reqs, hash)
		if (io->kind == IO_RS_REQ && io->state == IOS_REQUESTED &&
		    io->id == id)
			return io;
	return NULL;
}

static void write_answer(struct repl_io *io, u8 op)
{
	io->kind = IO_RS_WRITE;
	io->op = op;
	io->flags = 0;
	io->state = IOS_NEW;
	io->nspans = 0;
	al_enter(io);
}

static void data_answer(struct repl_pv *pv, struct repl_io *req,
			struct repl_io *data, const struct repl_wire_hdr *h)
{
	u64 sector = req->sector;
	u32 size = req->size;

	if (le64_to_cpu(h->sector) != sector || le32_to_cpu(h->size) != size) {
		peer_end(pv->peer, false, "a resync answer that does not fit its request");
		pv->vol->res->ops->release(data);
		return;
	}
	req_end(pv, req);
	data->sector = sector;
	data->size = size;
	add_req(pv, data);
	pv->sync.stat.sent_bytes += size;
	write_answer(data, OP_WRITE);
}

static void rs_answer(struct repl_pv *pv, const struct repl_wire_hdr *h,
		      struct repl_io *data)
{
	struct repl_io *req = find_req(pv, le64_to_cpu(h->id));
	struct repl_sync *y = &pv->sync;

	if (!req || req->stale || h->type == PKT_RS_ERROR) {
		if (data)
			pv->vol->res->ops->release(data);
		if (req)
			req_end(pv, req);
		return;
	}
	if (req->had_digest)
		pace_digest_result(y, h->type == PKT_RS_EQUAL);
	if (h->type == PKT_RS_DATA) {
		data_answer(pv, req, data, h);
	} else if (h->type == PKT_RS_ZEROES) {
		write_answer(req, OP_ZEROES);
	} else if (req->had_digest) {
		y->stat.equal_bytes += req->size;
		range_done(pv, req);
	} else {
		peer_end(pv->peer, false, "\"equal\" without having been asked");
	}
}

static void map_in(struct repl_pv *pv, const struct repl_wire_hdr *h,
		   const void *payload)
{
	struct repl_store *s = pv->vol->store;
	u32 i;

	if (!map_merge(pv, payload, le32_to_cpu(h->length))) {
		peer_end(pv->peer, false, "a dirty map that makes no sense");
		return;
	}
	send_simple(pv, PKT_MAP_ACK, 0);
	if (!(h->flags & REPL_HDR_LAST))
		return;
	/* What gets overwritten here is a change towards all others. */
	for (i = 0; i < s->nslots; i++)
		if (i != pv->slot && s->slot[i].used)
			dirty_or(&s->dirty, i, pv->slot);
	pv->sync.stat.total_blocks = map_of(pv)->count;
	meta_checkpoint(s);
	pv->sync.wait_sb = meta_want_sb(s);
	pv->sync.step = SYNC_CHECKPOINT;
	meta_kick(pv->vol);
}

void target_rx(struct repl_pv *pv, const struct repl_wire_hdr *h,
	       const void *payload, struct repl_io *io)
{
	if (!is_target(pv) || !store_live(pv->vol)) {
		if (io)
			pv->vol->res->ops->release(io);
		return;
	}
	if (!io && h->type != PKT_RS_EQUAL && h->type != PKT_RS_ZEROES &&
	    h->type != PKT_RS_ERROR &&
	    le64_to_cpu(h->id) != pv->sync.serial)
		return;		/* of an earlier sync */
	switch (h->type) {
	case PKT_SYNC_READY:
		if (pv->sync.step == SYNC_MAP_OUT)
			become_inconsistent(pv);
		break;
	case PKT_SYNC_ACCEPT:
		if (pv->sync.step == SYNC_MAP_IN && (h->flags & REPL_HDR_FULL))
			dirty_fill(&pv->vol->store->dirty, pv->slot);
		break;
	case PKT_SYNC_REFUSE:
	case PKT_SYNC_STOP:
		target_stop(pv, false);
		pv->turned_down = true;
		evaluate(pv->vol->res);
		break;
	case PKT_MAP:
		if (pv->sync.step == SYNC_MAP_IN)
			map_in(pv, h, payload);
		break;
	default:
		rs_answer(pv, h, io);
		target_pump(pv);
	}
}

void target_supersede(const struct repl_io *w)
{
	struct repl_vol *vol = w->vol;
	struct repl_pv *pv;
	struct repl_io *io;

	if (vol->disk != DISK_INCONSISTENT || MUTATED(MUT_NO_SUPERSEDE))
		return;
	for_each_pv(pv, vol) {
		if (!is_target(pv))
			continue;
		list_for_each_entry(io, &pv->sync.reqs, hash)
			if ((io->kind == IO_RS_REQ ||
			     io->state != IOS_ISSUED) && io_overlaps(io, w))
				io->stale = true;
	}
}

/* ---- disk ---- */

void target_ready(struct repl_io *io)
{
	struct repl_pv *pv = sync_of(io);

	if (!pv) {
		req_put(io);
		return;
	}
	if (io->kind == IO_RS_WRITE && io->stale) {
		req_end(pv, io);
		target_pump(pv);
		return;
	}
	io->state = IOS_ISSUED;
	disk_io(io);
}

static void flush_done(struct repl_io *io)
{
	struct repl_pv *pv = sync_of(io);
	u32 n;

	if (pv && pv->sync.flushing && io->id == pv->sync.serial) {
		n = pv->sync.flushing;
		pv->sync.flushing = 0;
		clear_ranges(pv, n);
	}
	req_put(io);
	if (pv)
		target_pump(pv);
}

void target_disk_done(struct repl_io *io, int err)
{
	struct repl_pv *pv;

	if (err)
		store_fail(io->vol, "a resync I/O failed");
	if (io->kind == IO_RS_FLUSH) {
		if (err)
			req_put(io);
		else
			flush_done(io);
		return;
	}
	pv = sync_of(io);
	if (err || !pv) {
		req_put(io);
	} else if (io->kind == IO_RS_WRITE) {
		range_done(pv, io);
	} else if (io->stale) {
		req_end(pv, io);
		target_pump(pv);
	} else {
		al_leave(io);
		ask(pv, io);
	}
}

/* ---- steps that wait for metadata ---- */

/*
 * A Primary that has filled its own disk from one member of the set has the
 * same as all of them.
 */
static void in_step_with_members(struct repl_pv *from)
{
	struct repl_vol *vol = from->vol;
	struct repl_pv *pv;

	if (vol->res->role != ROLE_PRIMARY)
		return;
	for_each_pv(pv, vol) {
		if (pv == from || !pv_serves_reads(pv) ||
		    pv->slot == SLOT_NONE)
			continue;
		/* What others acknowledged it may lack. */
		if (majority_acked(vol->res) &&
		    !(vol->store->in_sync & BIT(pv->peer->node)))
			continue;
		pv->peer_state.dirty = 0;
		store_in_step(pv);
	}
}

/*
 * A primary may have acknowledged more than it has sent us: whether it waits
 * for us is told by the word that makes us a member, or does not.
 */
static bool may_lack(const struct repl_pv *pv)
{
	return pv->peer->role == ROLE_PRIMARY &&
	       !(pv->peer_state.in_sync & BIT(pv->vol->res->node));
}

static void uptodate(struct repl_pv *pv)
{
	struct repl_vol *vol = pv->vol;
	struct repl_store *s = vol->store;
	struct repl_wire_lineage w = { .dataset = cpu_to_le64(s->dataset) };
	struct repl_wire_hdr h;

	pv->sync.step = SYNC_IDLE;
	pv->refused = false;
	/* What the source still says of its map ends with our "done". */
	pv->peer_state.dirty = 0;
	in_step_with_members(pv);
	pv->peer->discard_my_data = false;
	pv->given_up = false;
	/* Its members may know a generation that a Primary had given up. */
	if (vol->res->role != ROLE_PRIMARY ||
	    lineage_contains(&s->lineage, &vol->lineage))
		vol->lineage = s->lineage;
	if (vol->res->role != ROLE_PRIMARY) {
		vol->dataset = s->dataset;
		vol->in_sync = s->in_sync;
		vol->keepers = s->keepers;
	}
	vol->follower = may_lack(pv);
	set_disk(vol, vol->follower ? DISK_CONSISTENT : DISK_UPTODATE);
	set_pv_state(pv, RS_ESTABLISHED);
	lineage_to_wire(w.lineage, &s->lineage);
	hdr_init(&h, PKT_SYNC_DONE, vol);
	h.id = cpu_to_le64(pv->sync.serial);
	h.length = cpu_to_le32(sizeof(w));
	send_pkt(pv->peer, &h, &w, NULL);
}

void target_advance(struct repl_pv *pv)
{
	struct repl_sync *y = &pv->sync;
	struct repl_store *s = store_live(pv->vol);

	if (!s || !is_target(pv) || !connected(pv->peer))
		return;
	if (s->sb_durable < y->wait_sb)
		return;
	switch (y->step) {
	case SYNC_PREPARE:
		y->step = SYNC_MAP_IN;
		send_sync(pv, PKT_SYNC_START, 0);
		break;
	case SYNC_CHECKPOINT:
		if (s->checkpoint)
			break;
		/* An interrupted full sync can go on from the joint map. */
		store_remember(pv, &pv->peer_state.lineage);
		y->step = SYNC_RUN;
		pace_begin(pv);
		target_pump(pv);
		break;
	case SYNC_FINISH:
		/* A generation that began meanwhile is ours too. */
		if (lineage_compare(&s->lineage, &pv->peer_state.lineage) !=
		    ORDER_EQUAL)
			finish(pv);
		else
			uptodate(pv);
		break;
	default:
		break;
	}
}

/*
 * Writes keep their extents hot until they are complete, which may take just this
 * copy: then it must not wait for them.  They are dirty instead, and copied once more.
 */
static void make_room(struct repl_pv *pv)
{
	struct repl_store *s = store_live(pv->vol);

	if (s && s->al.stuck)
		al_make_room(s);
}

void target_tick(struct repl_pv *pv, u64 ms)
{
	struct repl_sync *y = &pv->sync;

	/* Not at once: if nothing has changed there, it is asked in vain. */
	if (pv->turned_down) {
		pv->turned_down = false;
		evaluate(pv->vol->res);
	}
	/* The source hears of progress in lumps: the mean since the start. */
	if (y->step == SYNC_S_RUN)
		y->stat.rate = div_u64(y->tick_bytes,
				       (pv->vol->res->now - y->stat.begin_ms) / 1000 + 1);
	if (y->step != SYNC_RUN || !ms)
		return;
	make_room(pv);
	pace_tick(pv, ms);
	target_pump(pv);
}
