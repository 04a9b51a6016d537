// SPDX-License-Identifier: GPL-2.0
/* Resync, giving end: answers the target, see target.c for the steps. */
#include "internal.h"
#include "detach.h"

static bool is_source(const struct repl_pv *pv)
{
	return pv->sync.step >= SYNC_S_MAP_IN;
}

void source_stop(struct repl_pv *pv, bool tell)
{
	if (!is_source(pv))
		return;
	if (tell && connected(pv->peer))
		send_sync(pv, PKT_SYNC_STOP, 0);
	pv->sync.step = SYNC_IDLE;
	pv->sync.map_sending = false;
	set_receiving(pv, false);
	set_pv_state(pv, RS_OFF);
}

/*
 * A primary elsewhere has turned up: its writes come here and not to the
 * target, which would clear bits of ours that they have set.
 */
void source_check(struct repl_pv *pv)
{
	if (is_source(pv) && other_primary(pv->peer))
		source_stop(pv, true);
}

static void begin(struct repl_pv *pv, const struct repl_wire_hdr *h)
{
	struct repl_store *s = store_live(pv->vol);
	struct repl_sync *y = &pv->sync;
	struct repl_vstate mine;
	struct repl_wire_hdr refuse;

	/* The target has begun anew, so it knows. */
	source_stop(pv, false);
	if (!s || pv->slot == SLOT_NONE || pv->vol->disk != DISK_UPTODATE ||
	    detach_waits(pv->vol) || !pv->known || pv->peer->end_at_ms ||
	    other_primary(pv->peer) ||
	    pv_verdict(pv) != V_SOURCE) {
		hdr_init(&refuse, PKT_SYNC_REFUSE, pv->vol);
		refuse.id = h->id;
		send_pkt(pv->peer, &refuse, NULL, NULL);
		return;
	}
	target_stop(pv, false);
	set_receiving(pv, false);
	pv->behind = false;
	my_vstate(pv, &mine);
	memset(y, 0, sizeof(*y));
	INIT_LIST_HEAD(&y->reqs);
	y->step = SYNC_S_MAP_IN;
	y->serial = le64_to_cpu(h->id);
	y->full = (h->flags & REPL_HDR_FULL) ||
		  !repl_partial_ok(&mine, &pv->peer_state);
	if (y->full) {
		dirty_fill(&s->dirty, pv->slot);
		meta_checkpoint(s);
	}
	y->stat.begin_ms = pv->vol->res->now;
	set_pv_state(pv, RS_SYNC_SOURCE);
}

/*
 * We were elected, so we have all that was acknowledged, and may be Primary no more
 * before there is a set that says so.  Those that we fill don't vouch for it any
 * longer: from now on we count as they will once they are filled, see has_all().  (If
 * we crash before all our disks say so, that is one failure more.)
 */
static void count_as_elected(struct repl_vol *filling)
{
	struct repl_res *res = filling->res;
	struct repl_store *s;
	struct repl_vol *vol;
	u64 version;

	for_each_vol(vol, res) {
		s = store_live(vol);
		if (!s || vol->disk != DISK_UPTODATE)
			continue;
		version = elected_version(res, s->set_version);
		if (version == s->set_version)
			continue;
		s->set_version = version;
		s->sb_flush = true;
		if (vol != filling) {
			meta_want_sb(s);
			meta_kick(vol);
		}
	}
	res->set_version = elected_version(res, res->set_version);
}

/*
 * The target has a good copy still, perhaps the only stable one of what was
 * acknowledged.  Ours is to be stable before that goes.  And among secondaries
 * ours has to count from then on, also after a crash: as a newer set does.  (A
 * Primary's counts more than theirs as it is, and after one that was elected, too.)
 */
static void answer_for_target(struct repl_pv *pv)
{
	struct repl_vol *vol = pv->vol;
	struct repl_store *s = vol->store;

	s->sb_flush = true;
	count_as_elected(vol);
	if (vol->res->role != ROLE_PRIMARY &&
	    pv->peer->role != ROLE_PRIMARY) {
		if (!needs_votes(vol->res))
			s->set_version = vol->res->set_version;
		s->set_version = set_renew(s->set_version);
		vol->res->set_version = max(vol->res->set_version,
					    s->set_version);
	}
	pv->sync.wait_sb = meta_want_sb(s);
}

static void map_in(struct repl_pv *pv, const struct repl_wire_hdr *h,
		   const void *payload)
{
	if (!map_merge(pv, payload, le32_to_cpu(h->length))) {
		peer_end(pv->peer, false, "a dirty map that makes no sense");
		return;
	}
	send_simple(pv, PKT_MAP_ACK, 0);
	if (!(h->flags & REPL_HDR_LAST))
		return;
	pv->sync.step = SYNC_S_APPLY;
	pv->sync.stat.total_blocks =
		pv->vol->store->dirty.map[pv->slot].count;
	evaluate(pv->vol->res);
}

/*
 * Whose generations are over, if the target has some that we lack?  All, if they
 * are void.  But a branch that it gives up, or has an unfinished copy of, may be
 * another node's, which still has what was written in it: then only the numbers
 * of the two ends must not be used again.  So may that of one that has been filled
 * there since, as the set says which it is in.
 */
static u32 over_with(const struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	u32 self = BIT(pv->vol->res->node), other = BIT(pv->peer->node);

	if (ps->disk == DISK_INCONSISTENT || (ps->flags & REPL_VS_DISCARD) ||
	    ((ps->in_sync & other) && !(ps->in_sync & self)))
		return self | other;
	return ~0U;
}

/*
 * Generations of the target's that we lack and that are over become part of our
 * past, durably, before any block is overwritten: or else their numbers would be
 * used again, for other data.
 * Return: true if there was something to merge.
 */
static bool merge_lineage(struct repl_pv *pv)
{
	struct repl_vol *vol = pv->vol;
	struct repl_store *s = vol->store;
	const struct repl_lineage *its = &pv->peer_state.lineage;
	u32 nodes = over_with(pv);

	if (MUTATED(MUT_MERGE_SKIPPED) || pv->peer_state.dataset != s->dataset ||
	    lineage_contains_of(&s->lineage, its, nodes) || pv_outreigned(pv))
		return false;
	lineage_merge(&s->lineage, its, nodes);
	lineage_merge(&vol->lineage, its, nodes);
	pv->sync.wait_sb = meta_want_sb(s);
	meta_kick(vol);
	if (vol->res->role == ROLE_PRIMARY)
		commit_start(vol->res, true);
	return true;
}

void source_advance(struct repl_pv *pv)
{
	struct repl_store *s = store_live(pv->vol);

	if (s && pv->sync.step == SYNC_S_APPLY && peer_all_applied(pv->vol->res)) {
		pv->sync.step = SYNC_S_MERGE;
		answer_for_target(pv);
	}
	if (!s || pv->sync.step != SYNC_S_MERGE || !connected(pv->peer) ||
	    s->sb_durable < pv->sync.wait_sb || pv->vol->res->commit.step)
		return;
	if (merge_lineage(pv) || s->checkpoint)
		return;
	/* Our map is complete: an interrupted full sync can go on from it. */
	store_remember(pv, &pv->peer_state.lineage);
	pv->sync.step = SYNC_S_READY;
	send_sync(pv, PKT_SYNC_READY, 0);
}

static void run(struct repl_pv *pv)
{
	/* In the superblock before any record of what is clean now. */
	pv->vol->store->slot[pv->slot].begun = true;
	meta_want_sb(pv->vol->store);
	meta_kick(pv->vol);
	pv->sync.step = SYNC_S_RUN;
	send_sync(pv, PKT_SYNC_ACCEPT, pv->sync.full ? REPL_HDR_FULL : 0);
	/* From here on in the stream our writes reach the target too. */
	set_receiving(pv, true);
	map_send_begin(pv);
}

/* ---- blocks ---- */

static void io_put(struct repl_io *io)
{
	struct repl_peer *p = io->peer;

	al_leave(io);
	p->ios--;
	p->res->ops->release(io);
}

static void answer(struct repl_io *io, u8 type)
{
	struct repl_wire_hdr h;

	if (connected(io->peer) && io->conn == io->peer->conn_count) {
		hdr_init(&h, type, io->vol);
		h.id = cpu_to_le64(io->id);
		h.sector = cpu_to_le64(io->sector);
		h.size = cpu_to_le32(io->size);
		if (type == PKT_RS_DATA)
			h.length = h.size;
		send_pkt(io->peer, &h, NULL, type == PKT_RS_DATA ? io : NULL);
	}
	io_put(io);
}

static bool range_ok(const struct repl_vol *vol, u64 sector, u32 size)
{
	return sector % BLOCK_SECTORS == 0 &&
	       sector + DIV_ROUND_UP(size, SECTOR_BYTES) <= vol->sectors;
}

static void request(struct repl_pv *pv, const struct repl_wire_hdr *h,
		    const void *payload, struct repl_io *io)
{
	struct repl_peer *p = pv->peer;

	INIT_LIST_HEAD(&io->link);
	INIT_LIST_HEAD(&io->hash);
	io->vol = pv->vol;
	io->peer = p;
	io->kind = IO_RS_READ;
	io->op = OP_READ;
	io->flags = IOF_CHECK_ZERO;
	io->sector = le64_to_cpu(h->sector);
	io->size = le32_to_cpu(h->size);
	io->id = le64_to_cpu(h->id);
	io->conn = p->conn_count;
	io->nspans = 0;
	io->had_digest = h->flags & REPL_HDR_DIGEST;
	p->ios++;
	/* The end of one that is over may be another than ours is now. */
	if (!store_live(pv->vol) || pv->sync.step != SYNC_S_RUN) {
		answer(io, PKT_RS_ERROR);
		return;
	}
	if (!range_ok(pv->vol, io->sector, io->size)) {
		peer_end(p, false, "a resync request beyond the end");
		io_put(io);
		return;
	}
	if (io->had_digest) {
		io->flags |= IOF_DIGEST;
		memcpy(io->peer_digest, payload, REPL_DIGEST_LEN);
	}
	al_enter(io);
}

void source_ready(struct repl_io *io)
{
	if (!store_live(io->vol)) {
		answer(io, PKT_RS_ERROR);
		return;
	}
	io->state = IOS_ISSUED;
	disk_io(io);
}

void source_disk_done(struct repl_io *io, int err)
{
	struct repl_pv *pv = pv_get(io->vol, io->peer);

	if (err) {
		if (io->vol->conf.on_io_error == ON_ERROR_DETACH)
			store_fail(io->vol, "a resync read failed");
		answer(io, PKT_RS_ERROR);
	} else if (io->had_digest && !memcmp(io->digest, io->peer_digest,
					     REPL_DIGEST_LEN)) {
		if (pv)
			pv->sync.stat.equal_bytes += io->size;
		answer(io, PKT_RS_EQUAL);
	} else if (io->flags & IOF_IS_ZERO) {
		answer(io, PKT_RS_ZEROES);
	} else {
		if (pv)
			pv->sync.stat.sent_bytes += io->size;
		answer(io, PKT_RS_DATA);
	}
}

static void clear(struct repl_pv *pv, const struct repl_wire_hdr *h,
		  const void *payload)
{
	u32 n = le32_to_cpu(h->length) / sizeof(struct repl_wire_range);
	struct repl_wire_range r;
	u32 i;

	for (i = 0; i < n; i++) {
		memcpy(&r, (const u8 *)payload + i * sizeof(r), sizeof(r));
		if (le64_to_cpu(r.sector) >> 55 ||
		    !range_ok(pv->vol, le64_to_cpu(r.sector),
			      le32_to_cpu(r.size))) {
			peer_end(pv->peer, false, "a range beyond the end");
			return;
		}
		dirty_clear_range(&pv->vol->store->dirty, pv->slot,
				  le64_to_cpu(r.sector) / BLOCK_SECTORS,
				  DIV_ROUND_UP(le32_to_cpu(r.size),
					       BLOCK_BYTES));
		pv->sync.tick_bytes += le32_to_cpu(r.size);
	}
}

/*
 * One that was filled counts itself among the members of our set, and may go on without
 * us.  A Primary makes a set of that; without one our disk has to know it, too, or we
 * would come back from a crash as if we had been alone.
 */
static void count_target(struct repl_pv *pv)
{
	struct repl_vol *vol = pv->vol;

	if (needs_votes(vol->res) || vol->res->role == ROLE_PRIMARY ||
	    pv->peer->role == ROLE_PRIMARY)
		return;
	vol->store->in_sync |= BIT(pv->peer->node);
	vol->in_sync = vol->store->in_sync;
	meta_want_sb(vol->store);
	meta_kick(vol);
}

/* The target has everything, durably, and says of which generation. */
static void done(struct repl_pv *pv, const void *payload)
{
	struct repl_store *s = pv->vol->store;
	struct repl_wire_lineage w;
	struct repl_lineage l;

	memcpy(&w, payload, sizeof(w));
	lineage_from_wire(&l, w.lineage);
	if (le64_to_cpu(w.dataset) != s->dataset ||
	    lineage_compare(&l, my_lineage(pv->vol)) != ORDER_EQUAL ||
	    s->dirty.map[pv->slot].count) {
		/*
		 * A new generation crossed it, or a write failed here alone
		 * (on-io-error pass-on): the target comes again.  It takes our
		 * map for clean, so it has to hear of it once more.
		 */
		source_stop(pv, false);
		memset(&pv->sent_state, 0xff, sizeof(pv->sent_state));
		evaluate(pv->vol->res);
		return;
	}
	store_remember(pv, &l);
	pv->sync.step = SYNC_IDLE;
	pv->peer_state.disk = DISK_UPTODATE;
	pv->peer_state.dataset = s->dataset;
	pv->peer_state.lineage = l;
	pv->peer_state.dirty = 0;
	count_target(pv);
	set_pv_state(pv, RS_ESTABLISHED);
	pv->vol->res->set_due = true;
	evaluate(pv->vol->res);
}

void source_rx(struct repl_pv *pv, const struct repl_wire_hdr *h,
	       const void *payload, struct repl_io *io)
{
	if (h->type == PKT_RS_REQ) {
		request(pv, h, payload, io);
		return;
	}
	if (h->type == PKT_SYNC_BEGIN) {
		begin(pv, h);
		return;
	}
	if (!is_source(pv) || !store_live(pv->vol) ||
	    le64_to_cpu(h->id) != pv->sync.serial)
		return;
	switch (h->type) {
	case PKT_MAP:
		if (pv->sync.step == SYNC_S_MAP_IN)
			map_in(pv, h, payload);
		break;
	case PKT_SYNC_START:
		if (pv->sync.step == SYNC_S_READY)
			run(pv);
		break;
	case PKT_RS_CLEAR:
		if (pv->sync.step == SYNC_S_RUN)
			clear(pv, h, payload);
		break;
	case PKT_SYNC_DONE:
		if (pv->sync.step == SYNC_S_RUN)
			done(pv, payload);
		break;
	case PKT_SYNC_STOP:
		source_stop(pv, false);
		evaluate(pv->vol->res);
		break;
	}
}
