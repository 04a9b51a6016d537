// SPDX-License-Identifier: GPL-2.0
/* Life of a store: attach, failure, close (see also detach.c); slots and size. */
#include "internal.h"
#include "position.h"

struct repl_store *store_keeps(const struct repl_vol *vol)
{
	if (!vol->store || vol->store->detaching || vol->disk <= DISK_FAILED)
		return NULL;
	return vol->store;
}

struct repl_store *store_live(const struct repl_vol *vol)
{
	return vol->disk == DISK_WITNESS ? NULL : store_keeps(vol);
}

u8 store_slot_for(struct repl_store *s, u8 node)
{
	u32 i;

	for (i = 0; i < s->nslots; i++)
		if (s->slot[i].used && s->slot[i].node == node)
			return i;
	return SLOT_NONE;
}

/* A peer never seen before lacks everything. */
static u8 new_slot(struct repl_store *s, u8 node)
{
	u32 i;

	for (i = 0; i < s->nslots; i++) {
		if (s->slot[i].used)
			continue;
		memset(&s->slot[i], 0, sizeof(s->slot[i]));
		s->slot[i].used = true;
		s->slot[i].node = node;
		dirty_fill(&s->dirty, i);
		meta_checkpoint(s);
		meta_want_sb(s);
		return i;
	}
	return SLOT_NONE;
}

void store_remember(struct repl_pv *pv, const struct repl_lineage *since)
{
	struct repl_mslot *slot = &pv->vol->store->slot[pv->slot];

	slot->since = *since;
	slot->since_valid = true;
	slot->begun = false;
	/* A peer without a disk has no replica to be remembered. */
	if (pv->peer_state.replica)
		slot->replica = pv->peer_state.replica;
	meta_want_sb(pv->vol->store);
}

void store_in_step(struct repl_pv *pv)
{
	struct repl_store *s = pv->vol->store;

	dirty_clear_all(&s->dirty, pv->slot);
	store_remember(pv, &s->lineage);
}

void store_shared(struct repl_vol *vol, u32 receivers)
{
	bool filling = vol->disk == DISK_INCONSISTENT;
	struct repl_store *s = vol->store;
	struct repl_mslot *slot;

	if (MUTATED(MUT_SHARED_NOT_NOTED))
		return;
	for (slot = s->slot; slot < s->slot + s->nslots; slot++) {
		if (!slot->used || slot->begun || !slot->since_valid ||
		    !(receivers & BIT(slot->node)))
			continue;
		if (filling || memcmp(&slot->since, &s->lineage,
				      sizeof(s->lineage))) {
			slot->begun = true;
			meta_want_sb(s);
		}
	}
}

void store_check_since(struct repl_pv *pv)
{
	const struct repl_vstate *ps = &pv->peer_state;
	struct repl_store *s = store_live(pv->vol);

	if (!s || pv->slot == SLOT_NONE || !s->slot[pv->slot].begun ||
	    pv->sync.step != SYNC_IDLE || pv->vol->disk < DISK_CONSISTENT ||
	    ps->disk < DISK_CONSISTENT || ps->dataset != s->dataset ||
	    lineage_compare(&ps->lineage, &s->lineage) != ORDER_EQUAL)
		return;
	s->slot[pv->slot].since = s->lineage;
	s->slot[pv->slot].begun = false;
	meta_want_sb(s);
}

/* Nobody is dirty for a witness, nor a witness for anybody. */
bool store_needs_slot(const struct repl_res *res, const struct repl_peer *p)
{
	return !res->witness && !p->witness;
}

static bool slots_suffice(struct repl_res *res, struct repl_store *s)
{
	struct repl_peer *p;
	u32 need = 0, room = 0;
	int i;

	for (i = 0; i < s->nslots; i++)
		room += !s->slot[i].used;
	for_each_peer(p, i, res)
		need += store_needs_slot(res, p) &&
			store_slot_for(s, i) == SLOT_NONE;
	return need <= room;
}

void store_assign_slots(struct repl_vol *vol)
{
	struct repl_store *s = vol->store;
	struct repl_pv *pv;

	if (!s)
		return;
	for_each_pv(pv, vol) {
		if (pv->slot != SLOT_NONE ||
		    !store_needs_slot(vol->res, pv->peer))
			continue;
		pv->slot = store_slot_for(s, pv->peer->node);
		if (pv->slot == SLOT_NONE)
			pv->slot = new_slot(s, pv->peer->node);
	}
}

bool store_adopt_set(struct repl_vol *vol)
{
	struct repl_store *s = vol->store;
	u32 set = vol->uncommitted ? vol->set_before : vol->in_sync;
	u32 keepers = vol->uncommitted ? vol->keepers_before :
					   vol->keepers;

	/* The newest version that we have heard of may be another's by then. */
	if (vol->res->role != ROLE_PRIMARY || vol->res->renewing ||
	    (s->in_sync == set && s->keepers == keepers) ||
	    (s->dataset && vol->dataset != s->dataset))
		return false;
	keep_set(vol, set, keepers, vol->res->set_version);
	meta_want_sb(s);
	return true;
}

int repl_attach(struct repl_vol *vol, struct repl_store *s, const char **why)
{
	struct repl_res *res = vol->res;

	if (vol->store) {
		*why = "the volume has a disk already";
		return -EBUSY;
	}
	if (!slots_suffice(res, s)) {
		*why = "the metadata has no room for so many peers: make it with a larger --max-peers";
		return -ENOSPC;
	}
	if (res->role == ROLE_PRIMARY && vol->dataset &&
	    s->g.max_sectors < vol->sectors) {
		*why = "the disk is smaller than the volume that is in use";
		return -ENOSPC;
	}
	vol->store = s;
	s->vol = vol;
	s->dirty.res = res;
	res->term = max(res->term, s->term);
	res->seq = max(res->seq, s->seq);
	res->set_version = max(res->set_version, s->set_version);
	if (s->flags & META_F_RESIGNED)
		res->resigned = true;
	store_adopt_set(vol);
	position_recall(vol);
	position_attached(res);
	store_assign_slots(vol);
	set_disk(vol, DISK_ATTACHING);
	/*
	 * What the log made dirty must be in the records before the log is
	 * written again, and "unclean" must be there before the first write.
	 */
	meta_checkpoint(s);
	meta_want_sb(s);
	vote_recall(vol);
	meta_kick(vol);
	return 0;
}

struct repl_store *repl_store_take(struct repl_vol *vol)
{
	struct repl_store *s = vol->store;
	struct repl_pv *pv;

	if (!vol->closing)
		return NULL;
	for_each_pv(pv, vol)
		pv->slot = SLOT_NONE;
	vol->store = NULL;
	vol->closing = false;
	vol->stat.dirty_mem = 0;
	return s;
}

/* Nothing may rely on the disk from now on. */
void store_stop_using(struct repl_vol *vol)
{
	struct repl_pv *pv;

	/*
	 * What a Primary writes from now on is not on it.  It may say that it is
	 * complete all the same, though no set has it yet: a sync has just ended.
	 */
	gen_wanted(vol->res);
	for_each_pv(pv, vol) {
		target_stop(pv, true);
		source_stop(pv, true);
	}
	al_abort(vol->store);
	app_kick_flushes(vol->res);
	peer_kick_deps(vol->res);
}

void store_fail(struct repl_vol *vol, const char *why)
{
	if (!vol->store || vol->store->detaching ||
	    vol->disk == DISK_FAILED || vol->closing)
		return;
	set_disk(vol, DISK_FAILED);
	note(vol->res, NOTE_IO_ERROR, vol, NULL, why);
	store_stop_using(vol);
	evaluate(vol->res);
	meta_kick(vol);
}

void store_try_close(struct repl_vol *vol)
{
	struct repl_store *s = vol->store;
	bool failed = vol->disk == DISK_FAILED;

	if (!s || vol->closing || s->disk_ios || s->job != JOB_NONE)
		return;
	if (!failed && !(s->detaching && s->closed_clean))
		return;
	vol->closing = true;
	set_disk(vol, DISK_DISKLESS);
	vol->res->ops->disk_close(vol, failed);
	evaluate(vol->res);
}

/*
 * What has been added is on no other disk: dirty towards all.  The superblock
 * that has the new size says so too, until the records do.
 */
static void added(struct repl_store *s, u64 old)
{
	u64 first = old / BLOCK_SECTORS;
	u32 i;

	if (MUTATED(MUT_GROWTH_CLEAN))
		return;
	for (i = 0; i < s->nslots; i++)
		if (s->slot[i].used)
			dirty_set_range(&s->dirty, i, first,
					s->dirty.blocks - first);
	if (!s->grown_from)
		s->grown_from = old;
	meta_checkpoint(s);
}

static void resize_store(struct repl_store *s, u64 sectors)
{
	u64 old = s->sectors;

	s->sectors = sectors;
	dirty_limit(&s->dirty, DIV_ROUND_UP_ULL(sectors, BLOCK_SECTORS));
	if (s->grown_from >= sectors)
		s->grown_from = 0;
	if (old && sectors > old)
		added(s, old);
	meta_want_sb(s);
}

void store_set_size(struct repl_vol *vol, u64 sectors)
{
	struct repl_store *s = vol->store;

	/* A disk that is being let go of keeps the size it had. */
	if (s && (s->detaching || vol->disk == DISK_FAILED))
		s = NULL;
	if (s && s->sectors != sectors)
		resize_store(s, sectors);
	if (vol->sectors == sectors)
		return;
	vol->sectors = sectors;
	vol->res->ops->resized(vol);
}
