// SPDX-License-Identifier: GPL-2.0
/*
 * Activity log, and the order of overlapping I/O.
 *
 * The log names the extents in which writes may be under way or not yet on
 * stable media.  After a crash everything in them is suspect.  So:
 *
 *  - a write starts only when its extents are in a durable transaction;
 *  - an extent is evicted only when no I/O needs it, its dirty bits are in a
 *    durable record, and what was written in it has been flushed.
 *
 * A transaction is the whole table in one checksummed block, so that recovery
 * takes the newest valid one and knows everything.
 *
 * I/O on the same blocks is kept in order of arrival by the list of spans that
 * every extent has: an I/O waits for earlier overlapping writes.  It enters
 * the lists before its extent is durable, hence nothing can overtake it.
 */
#include "internal.h"

int al_init(struct repl_store *s, u32 nslots)
{
	struct repl_actlog *al = &s->al;
	u32 i;

	al->slots = repl_zalloc(nslots * sizeof(*al->slots));
	if (!al->slots)
		return -ENOMEM;
	al->nslots = nslots;
	INIT_LIST_HEAD(&al->free);
	INIT_LIST_HEAD(&al->lru);
	INIT_LIST_HEAD(&al->waiting);
	for (i = 0; i < AL_HASH; i++)
		INIT_LIST_HEAD(&al->hash[i]);
	for (i = 0; i < nslots; i++) {
		struct repl_slot *slot = &al->slots[i];

		slot->extent = AL_FREE;
		INIT_LIST_HEAD(&slot->hash);
		INIT_LIST_HEAD(&slot->spans);
		list_add_tail(&slot->lru, &al->free);
	}
	return 0;
}

void al_exit(struct repl_store *s)
{
	repl_free(s->al.slots);
	s->al.slots = NULL;
}

static struct repl_slot *find_slot(struct repl_actlog *al, u32 extent)
{
	struct repl_slot *slot;

	list_for_each_entry(slot, &al->hash[extent % AL_HASH], hash)
		if (slot->extent == extent)
			return slot;
	return NULL;
}

static void slot_ref(struct repl_slot *slot)
{
	if (!slot->refs++)
		list_del_init(&slot->lru);
}

static void slot_unref(struct repl_actlog *al, struct repl_slot *slot)
{
	if (WARN_ON_ONCE(!slot->refs))
		return;
	if (--slot->refs)
		return;
	/* Staged ones too: they become evictable once they are written. */
	list_add_tail(&slot->lru, &al->lru);
}

/* A slot that can be given to another extent. */
static struct repl_slot *evict(struct repl_store *s)
{
	struct repl_actlog *al = &s->al;
	struct repl_slot *slot;
	bool stale;

	slot = list_first_entry_or_null(&al->free, struct repl_slot, lru);
	if (slot)
		return slot;
	list_for_each_entry(slot, &al->lru, lru) {
		if (slot->state != SLOT_ACTIVE)
			continue;
		stale = dirty_is_stale(&s->dirty, slot->extent);
		if (stale && al->nvictims == AL_VICTIMS)
			continue;
		if (stale)
			al->victims[al->nvictims++] = slot->extent;
		if (slot->unflushed && !MUTATED(MUT_AL_EVICT_NO_FLUSH))
			al->flush_needed = true;
		slot->unflushed = false;
		list_del_init(&slot->hash);
		return slot;
	}
	return NULL;
}

static struct repl_slot *stage(struct repl_store *s, u32 extent)
{
	struct repl_actlog *al = &s->al;
	struct repl_slot *slot = evict(s);

	if (!slot)
		return NULL;
	slot->extent = extent;
	slot->state = SLOT_STAGED;
	list_add(&slot->hash, &al->hash[extent % AL_HASH]);
	al->staged++;
	slot_ref(slot);
	return slot;
}

static bool must_wait_for(const struct repl_io *later,
			  const struct repl_io *earlier)
{
	if (!io_is_write(earlier) || !io_overlaps(later, earlier))
		return false;
	if (io_is_write(later))
		return !MUTATED(MUT_OVERLAP_ANY_ORDER);
	return !MUTATED(MUT_RS_READ_NO_WAIT);
}

static void add_span(struct repl_io *io, struct repl_slot *slot)
{
	struct repl_span *span = &io->span[io->nspans++], *other;

	span->io = io;
	span->slot = slot;
	list_for_each_entry(other, &slot->spans, link)
		io->blockers += must_wait_for(io, other->io);
	list_add_tail(&span->link, &slot->spans);
}

static void drop_slots(struct repl_actlog *al, struct repl_slot **slot, u32 n)
{
	while (n--)
		if (slot[n])
			slot_unref(al, slot[n]);
}

/* Get the slots of all extents of @io, or none. */
static bool reserve(struct repl_store *s, struct repl_io *io)
{
	u32 first = io->sector / EXTENT_SECTORS;
	u32 last = (io->sector + io->size / SECTOR_BYTES - 1) / EXTENT_SECTORS;
	u32 n = last - first + 1, i;
	struct repl_slot *slot[2] = { NULL, NULL };

	for (i = 0; i < n; i++) {
		slot[i] = find_slot(&s->al, first + i);
		if (slot[i])
			slot_ref(slot[i]);
	}
	for (i = 0; i < n && io_is_write(io); i++) {
		if (slot[i])
			continue;
		slot[i] = stage(s, first + i);
		if (!slot[i]) {
			drop_slots(&s->al, slot, n);
			return false;
		}
	}
	for (i = 0; i < n; i++)
		if (slot[i])
			add_span(io, slot[i]);
	return true;
}

static bool may_start(const struct repl_io *io)
{
	u32 i;

	if (io->blockers)
		return false;
	if (!io_is_write(io) || MUTATED(MUT_SKIP_ACTLOG))
		return true;
	for (i = 0; i < io->nspans; i++)
		if (io->span[i].slot->state != SLOT_ACTIVE)
			return false;
	return true;
}

static void start_all(struct list_head *ready)
{
	struct repl_io *io;

	while ((io = list_first_entry_or_null(ready, struct repl_io, link))) {
		list_del_init(&io->link);
		io->state = IOS_NEW;
		io_ready(io);
	}
}

static void collect_if_ready(struct repl_io *io, struct list_head *ready)
{
	if (io->state == IOS_WAIT_SPAN && may_start(io) &&
	    list_empty(&io->link))
		list_add_tail(&io->link, ready);
}

static void enter_waiting(struct repl_store *s, struct list_head *ready)
{
	struct repl_io *io;

	while ((io = list_first_entry_or_null(&s->al.waiting, struct repl_io,
					      link))) {
		if (!reserve(s, io))
			return;
		list_del_init(&io->link);
		s->al.entered++;
		io->state = IOS_WAIT_SPAN;
		collect_if_ready(io, ready);
	}
}

void al_enter(struct repl_io *io)
{
	struct repl_store *s = store_live(io->vol);
	LIST_HEAD(ready);

	io->nspans = 0;
	io->blockers = 0;
	if (!s) {
		io_ready(io);
		return;
	}
	io->state = IOS_WAIT_LOG;
	list_add_tail(&io->link, &s->al.waiting);
	enter_waiting(s, &ready);
	start_all(&ready);
	meta_kick(io->vol);
}

void al_tick(struct repl_store *s)
{
	struct repl_actlog *al = &s->al;

	al->stuck = !list_empty(&al->waiting) && al->entered == al->entered_then;
	al->entered_then = al->entered;
}

/*
 * Writes of applications that wait for a place go to @held; what waits behind
 * them goes on.
 */
void al_withdraw(struct repl_store *s, struct list_head *held)
{
	struct repl_io *io, *tmp;
	bool any = false;
	LIST_HEAD(ready);

	list_for_each_entry_safe(io, tmp, &s->al.waiting, link) {
		if (io->kind != IO_APP)
			continue;
		io->state = IOS_NEW;
		list_move_tail(&io->link, held);
		any = true;
	}
	if (!any)
		return;
	enter_waiting(s, &ready);
	start_all(&ready);
}

static void remove_spans(struct repl_io *io, struct list_head *ready)
{
	struct repl_span *span, *other;
	u32 i;

	for (i = 0; i < io->nspans; i++) {
		span = &io->span[i];
		if (list_empty(&span->link))
			continue;
		other = span;
		list_for_each_entry_continue(other, &span->slot->spans, link) {
			if (!must_wait_for(other->io, io))
				continue;
			other->io->blockers--;
			collect_if_ready(other->io, ready);
		}
		list_del_init(&span->link);
		if (io_is_write(io))
			span->slot->unflushed = true;
	}
}

static void put_slots(struct repl_store *s, struct repl_io *io)
{
	u32 i;

	for (i = 0; i < io->nspans; i++)
		slot_unref(&s->al, io->span[i].slot);
	io->nspans = 0;
}

void al_leave_keep(struct repl_io *io)
{
	LIST_HEAD(ready);

	if (!io->nspans)
		return;
	remove_spans(io, &ready);
	start_all(&ready);
}

void al_release(struct repl_io *io)
{
	struct repl_store *s = io->vol->store;
	LIST_HEAD(ready);

	if (!io->nspans)
		return;
	put_slots(s, io);
	enter_waiting(s, &ready);
	start_all(&ready);
	meta_kick(io->vol);
}

static void mark_instead(struct repl_store *s, struct repl_io *io)
{
	struct repl_vol *vol = s->vol;

	/* One that is still on its way to the disk needs the log itself. */
	if (io->vol != vol || !io->nspans || !list_empty(&io->span[0].link))
		return;
	mark_absent(vol, io, BIT(vol->res->node));
	put_slots(s, io);
}

void al_make_room(struct repl_store *s)
{
	struct repl_res *res = s->vol->res;
	struct repl_io *io;
	LIST_HEAD(ready);

	list_for_each_entry(io, &res->tail, hash)
		mark_instead(s, io);
	list_for_each_entry(io, &res->in_flight, link)
		mark_instead(s, io);
	s->al.stuck = false;
	enter_waiting(s, &ready);
	start_all(&ready);
	meta_kick(s->vol);
}

void al_leave(struct repl_io *io)
{
	al_leave_keep(io);
	al_release(io);
}

/*
 * Writes wait for the transaction that begins now, and would wait for another one
 * on each receiver when they get there.
 */
static void tell_hot(struct repl_vol *vol, const __le32 *extent, u32 n)
{
	struct repl_wire_hdr h;
	struct repl_peer *p;
	int i;

	if (!n || vol->res->role != ROLE_PRIMARY)
		return;
	for_each_peer(p, i, vol->res) {
		if (!(vol->receivers & BIT(i)) || !(p->features & REPL_FEAT_HOT))
			continue;
		hdr_init(&h, PKT_HOT, vol);
		h.length = cpu_to_le32(n * sizeof(*extent));
		send_pkt(p, &h, extent, NULL);
	}
}

/* No I/O needs them here as yet: they go like others if none comes. */
void al_rx_hot(struct repl_pv *pv, const struct repl_wire_hdr *h,
	       const void *payload)
{
	u32 n = le32_to_cpu(h->length) / sizeof(__le32), i, e;
	struct repl_store *s = store_live(pv->vol);
	struct repl_slot *slot;
	__le32 extent;

	if (!s || pv->peer->role != ROLE_PRIMARY || outvoted(pv->peer))
		return;
	/* Our log may be the smaller one: not all that was hot is to go. */
	n = min(n, s->al.nslots / 2);
	for (i = 0; i < n; i++) {
		memcpy(&extent, payload + i * sizeof(extent), sizeof(extent));
		e = le32_to_cpu(extent);
		if (e >= s->g.extents || find_slot(&s->al, e))
			continue;
		/* What waits comes first. */
		slot = list_empty(&s->al.waiting) ? stage(s, e) : NULL;
		if (!slot)
			break;
		slot_unref(&s->al, slot);
	}
	meta_kick(pv->vol);
}

/* Those in @state, which are in @next from now on, go into @b behind @n others. */
static u32 add_slots(struct repl_actlog *al, struct meta_al_block *b, u32 n,
		     enum slot_state state, enum slot_state next)
{
	u32 i;

	for (i = 0; i < al->nslots; i++) {
		if (al->slots[i].state != state)
			continue;
		al->slots[i].state = next;
		b->extent[n++] = cpu_to_le32(al->slots[i].extent);
	}
	return n;
}

bool al_begin_write(struct repl_store *s, struct meta_al_block *b)
{
	struct repl_actlog *al = &s->al;
	bool flush = al->flush_needed;
	u32 i, n;

	memset(b, 0, sizeof(*b));
	n = add_slots(al, b, 0, SLOT_STAGED, SLOT_WRITING);
	tell_hot(s->vol, b->extent, n);
	n = add_slots(al, b, n, SLOT_ACTIVE, SLOT_ACTIVE);
	/* The flush comes before whatever ends from now on. */
	for (i = 0; flush && i < al->nslots; i++)
		al->slots[i].unflushed = false;
	al->staged = 0;
	al->flush_needed = false;
	b->magic = cpu_to_le32(META_AL_MAGIC);
	b->replica = cpu_to_le64(s->replica);
	b->tr = cpu_to_le64(++al->tr);
	b->count = cpu_to_le32(n);
	meta_al_seal(b);
	return flush;
}

void al_written(struct repl_store *s)
{
	struct repl_actlog *al = &s->al;
	struct repl_span *span;
	LIST_HEAD(ready);
	u32 i;

	for (i = 0; i < al->nslots; i++)
		if (al->slots[i].state == SLOT_WRITING)
			al->slots[i].state = SLOT_ACTIVE;
	for (i = 0; i < al->nslots; i++)
		list_for_each_entry(span, &al->slots[i].spans, link)
			collect_if_ready(span->io, &ready);
	enter_waiting(s, &ready);
	start_all(&ready);
}

void al_abort(struct repl_store *s)
{
	struct repl_actlog *al = &s->al;
	struct repl_span *span, *tmp;
	struct repl_io *io;
	LIST_HEAD(ready);
	u32 i;

	for (i = 0; i < al->nslots; i++) {
		struct repl_slot *slot = &al->slots[i];

		list_for_each_entry_safe(span, tmp, &slot->spans, link) {
			io = span->io;
			list_del_init(&span->link);
			io->nspans = 0;
			io->blockers = 0;
			if (io->state == IOS_WAIT_SPAN && list_empty(&io->link))
				list_add_tail(&io->link, &ready);
		}
		slot->refs = 0;
	}
	/* Those that only keep their extents hot. */
	list_for_each_entry(io, &s->vol->res->tail, hash)
		if (io->vol == s->vol)
			io->nspans = 0;
	list_for_each_entry(io, &s->vol->res->in_flight, link)
		if (io->vol == s->vol)
			io->nspans = 0;
	list_splice_tail_init(&al->waiting, &ready);
	start_all(&ready);
}
