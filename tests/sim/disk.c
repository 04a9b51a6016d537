// SPDX-License-Identifier: GPL-2.0
/*
 * Disks.  Data is one tag a sector, kept sparse.  A write takes effect when
 * it completes; until a flush that was submitted later has completed (or it
 * was FUA) it is in the volatile cache, and at a power cut every sector of it
 * survives or not by itself.  A write that was under way then may have left
 * any subset of its sectors.  Metadata is real bytes, because the core reads
 * them back: FUA, torn at 512 bytes when cut.
 *
 * The cache is an undo log: what each write replaced.  A flush drops the
 * part of the log that was there when it was submitted.
 */
#include "sim.h"

struct undo {
	u64 sector;
	u32 n;
	bool fua;
	bool resync;
	u64 old;		/* in the disk's ring of old tags */
};

static u64 **chunk_ref(struct sim_disk *d, u64 sector)
{
	return &d->live[sector / CHUNK];
}

u64 disk_tag(const struct sim_disk *d, u64 sector)
{
	const u64 *c = d->live[sector / CHUNK];

	return c ? c[sector % CHUNK] : 0;
}

void disk_write_tag(struct sim_disk *d, u64 sector, u64 tag)
{
	u64 **c = chunk_ref(d, sector);

	if (!*c) {
		if (!tag)
			return;
		*c = arena_alloc(CHUNK * sizeof(u64));
	}
	(*c)[sector % CHUNK] = tag;
}

/* ---- the cache: rings whose sizes are powers of two ---- */

static void cache_init(struct sim_disk *d)
{
	d->undo_cap = 256;
	d->undo = arena_alloc(d->undo_cap * sizeof(*d->undo));
	d->undo_head = d->undo_tail = 0;
	d->old_cap = 4096;
	d->old = arena_alloc(d->old_cap * sizeof(*d->old));
	d->old_tail = 0;
}

/* Return: the ring, or a larger one, with room for @n more of @size bytes. */
static void *ring_room(void *ring, u32 *cap, u64 head, u64 tail, u32 n,
		       size_t size)
{
	u32 old_cap = *cap;
	u8 *bigger;

	if (tail - head + n <= old_cap)
		return ring;
	while (tail - head + n > *cap)
		*cap *= 2;
	bigger = arena_alloc(*cap * size);
	for (u64 i = head; i != tail; i++)
		memcpy(bigger + (i & (*cap - 1)) * size,
		       (u8 *)ring + (i & (old_cap - 1)) * size, size);
	return bigger;
}

/* Of what writes have replaced, the oldest that may come back. */
static u64 old_head(const struct sim_disk *d)
{
	return d->undo_head == d->undo_tail ? d->old_tail :
	       d->undo[d->undo_head & (d->undo_cap - 1)].old;
}

static u64 *old_tag(struct sim_disk *d, u64 i)
{
	return &d->old[i & (d->old_cap - 1)];
}

static void scatter_garbage(struct sim_disk *d, u64 from, u32 n)
{
	while (n--) {
		u64 s = from + rng_below(R, (u32)(d->sectors - from) - 64);

		for (u32 i = 0; i < 64; i++)
			disk_write_tag(d, s + i, TAG_GARBAGE | rng_next(R));
	}
}

/* A volume that has room to grow; what lies there now is not the same. */
static void leave_room(struct sim_disk *d, u32 vol, u8 *buf)
{
	struct meta_sb *sb = (struct meta_sb *)buf;
	u64 sectors = ((u64)W.o.vol_extents[vol] * EXTENT_BLOCKS -
		       W.o.cut_blocks) * BLOCK_SECTORS;

	sb->sectors = cpu_to_le64(sectors);
	meta_sb_seal(sb);
	scatter_garbage(d, sectors, 8 * W.o.room_extents);
}

void disk_init(struct sim_disk *d, u32 node, u32 vol, bool again)
{
	const struct sim_opts *o = &W.o;
	bool witness = sim_witness(node);
	bool external = witness || (o->external & BIT(node));
	struct meta_geom g;
	struct meta_create mc;
	u8 sb[META_SB_SIZE];
	u64 odd = rng_below(R, 3) * 8 * SECTOR_BYTES;
	u32 slots = max(o->nodes - 1, 1u) + rng_below(R, 2);
	enum meta_error e;

	memset(d, 0, sizeof(*d));
	/* Data areas must be equal: the metadata's size is added on top. */
	d->dev_bytes = (u64)o->vol_extents[vol] * EXTENT_BYTES + 64 * 1024;
	d->meta_dev_bytes = 0;
	/* A later replica must have room for all of the first. */
	if (again || (o->init_sync && node))
		d->dev_bytes += 1 << 20;
	if (o->room_extents)
		d->dev_bytes += ((u64)o->room_extents << 22) -
				(again ? 0 : rng_below(R, 500) * META_BLOCK);
	if (external)
		d->meta_dev_bytes = (1U << 20) + odd;
	else
		d->dev_bytes += 512 * 1024 + odd;
	if (witness)
		d->dev_bytes = META_WITNESS_DATA;
	e = meta_layout(d->dev_bytes, d->meta_dev_bytes, slots, &g);
	if (e != META_OK)
		violation("contract", "meta_layout: %s", meta_text(e));
	d->sectors = g.max_sectors;
	d->meta_off = g.area;
	d->meta_len = g.area_bytes;
	d->meta = arena_alloc(d->meta_len);
	d->nchunks = (u32)DIV_ROUND_UP(d->sectors, CHUNK);
	d->live = arena_alloc(d->nchunks * sizeof(u64 *));
	cache_init(d);
	d->sb_at = NEVER;

	memset(&mc, 0, sizeof(mc));
	mc.node = rng_pct(R, 50) ? (u8)node : 0xff;
	mc.volume = (u8)vol;
	mc.slots = slots;
	mc.lbs = 512;
	mc.external = external;
	mc.witness = witness;
	mc.replica = rng_next(R) | 1;
	meta_sb_new(sb, &g, &mc);
	if (o->room_extents && !witness)
		leave_room(d, vol, sb);
	memcpy(d->meta + g.sb_off, sb, META_SB_SIZE);
	memcpy(d->meta + g.sb_off + META_SB_SIZE, sb, META_SB_SIZE);

	if ((o->garbage || again) && !witness)
		scatter_garbage(d, 0, rng_range(R, 1, 6));
}

/* Log what a write replaces. */
static void undo_push(struct sim_disk *d, u64 sector, u32 n, bool fua,
		      bool resync)
{
	struct undo *u;

	d->undo = ring_room(d->undo, &d->undo_cap, d->undo_head, d->undo_tail, 1,
			    sizeof(*d->undo));
	d->old = ring_room(d->old, &d->old_cap, old_head(d), d->old_tail, n,
			   sizeof(*d->old));
	u = &d->undo[d->undo_tail++ & (d->undo_cap - 1)];
	u->sector = sector;
	u->n = n;
	u->fua = fua;
	u->resync = resync;
	u->old = d->old_tail;
	for (u32 i = 0; i < n; i++)
		*old_tag(d, d->old_tail++) = disk_tag(d, sector + i);
}

static void flush_to(struct sim_disk *d, u64 pos)
{
	if (pos > d->undo_head)
		d->undo_head = pos;
}

/* Data of a write reaches the disk: all of it, or a random part if @partly. */
static void apply(struct vol_node *v, struct sio *s, bool partly)
{
	struct repl_io *io = &s->io;
	struct sim_disk *d = &W.disk[v->node->id][v->nr];
	u32 n = io->size / SECTOR_BYTES;
	bool fua = (io->flags & IOF_FUA) && !partly;
	bool order = !partly && order_applies(v->node, io);

	undo_push(d, io->sector, n, fua, io->kind == IO_RS_WRITE);
	for (u32 i = 0; i < n; i++) {
		u64 tag = io->op == OP_WRITE ? s->tags[i] : 0;

		if (partly && rng_pct(R, 50))
			continue;
		if (order)
			order_applied(v->node, io, io->sector + i,
				      disk_tag(d, io->sector + i), tag);
		disk_write_tag(d, io->sector + i, tag);
	}
}

/* Is all that a resync wrote there on stable media? */
bool disk_resync_stable(const struct sim_disk *d, u64 sector, u32 n)
{
	for (u64 i = d->undo_head; i != d->undo_tail; i++) {
		const struct undo *u = &d->undo[i & (d->undo_cap - 1)];

		if (u->resync && !u->fua && u->sector < sector + n &&
		    sector < u->sector + u->n)
			return false;
	}
	return true;
}

static void sample(struct vol_node *v, struct sio *s)
{
	struct sim_disk *d = &W.disk[v->node->id][v->nr];
	u32 n = s->io.size / SECTOR_BYTES;

	for (u32 i = 0; i < n; i++)
		s->tags[i] = disk_tag(d, s->io.sector + i);
	s->sampled = true;
}

static void digest(struct sio *s)
{
	u64 h[2] = { 1, 2 };
	u32 n = s->io.size / SECTOR_BYTES;
	bool zero = true;

	for (u32 i = 0; i < n; i++) {
		u64 t = s->tags[i];

		zero = zero && !t;
		for (u32 k = 0; k < 2; k++)
			h[k] = (h[k] ^ t) * (0x9e3779b97f4a7c15ULL + 2 * k);
		h[0] ^= h[1] >> 29;
	}
	if (s->io.flags & IOF_DIGEST)
		memcpy(s->io.digest, h, sizeof(h));
	if ((s->io.flags & IOF_CHECK_ZERO) && zero)
		s->io.flags |= IOF_IS_ZERO;
}

static u64 latency(const struct sim_disk *d, u32 base)
{
	u64 us = base + rng_below(R, W.o.disk_jitter_us + 1);

	if (rng_below(R, 64) == 0)
		us *= 8;
	if (d->slow_until > W.now)
		us *= 50;
	if (d->stuck_until > W.now)
		us += d->stuck_until - W.now;
	return us;
}

static bool fails(struct sim_disk *d, u8 what)
{
	if (!(d->error_what & what))
		return false;
	if (d->error_until > W.now)
		return true;
	if (d->error_once) {
		d->error_once--;
		return true;
	}
	return false;
}

void disk_submit(struct vol_node *v, struct sio *s)
{
	struct sim_disk *d = &W.disk[v->node->id][v->nr];
	struct repl_io *io = &s->io;
	u64 end = io->sector + io->size / SECTOR_BYTES;
	u64 limit = d->sectors;
	int err = 0;

	/* Applications know the volume, which may end before the disk. */
	if (io->kind == IO_APP)
		limit = min(limit, v->vol.sectors);

	if (!v->open)
		violation("contract", "node %u volume %u: %s %s without a disk",
			  v->node->id, v->nr, kind_name(io->kind),
			  op_name(io->op));
	if (io->op != OP_FLUSH &&
	    (!io->size || io->size % SECTOR_BYTES || end > limit))
		violation("contract",
			  "node %u volume %u: %s %s outside: sector %llu size %u",
			  v->node->id, v->nr, kind_name(io->kind),
			  op_name(io->op), (unsigned long long)io->sector,
			  io->size);
	if ((io->op == OP_READ || io->op == OP_WRITE) &&
	    io->size / SECTOR_BYTES > s->cap)
		violation("contract", "%s %s of %u bytes with room for %u",
			  kind_name(io->kind), op_name(io->op), io->size,
			  s->cap * SECTOR_BYTES);
	s->sampled = false;
	s->undo_pos = d->undo_tail;
	if (fails(d, io->op == OP_READ ? 1 : 2)) {
		err = -EIO;
		cov[C_DISK_ERRORS]++;
	}
	if (io->op == OP_READ && rng_pct(R, 50))
		sample(v, s);
	list_add_tail(&s->disk, &v->disk_ios);
	W.disk_busy++;
	ev_add(latency(d, io->op == OP_FLUSH ? W.o.flush_us : W.o.disk_us),
	       EV_DISK, v->node, (u16)v->nr, s, (u64)(s64)err);
}

void disk_done(struct vol_node *v, struct sio *s, int err)
{
	struct sim_disk *d = &W.disk[v->node->id][v->nr];
	struct repl_io *io = &s->io;

	list_del(&s->disk);
	W.disk_busy--;
	s->state = SIO_CORE;
	switch (io->op) {
	case OP_READ:
		if (err)
			break;
		if (!s->sampled)
			sample(v, s);
		if (io->flags & (IOF_DIGEST | IOF_CHECK_ZERO))
			digest(s);
		break;
	case OP_FLUSH:
		if (!err)
			flush_to(d, s->undo_pos);
		break;
	default:
		apply(v, s, err);
		if (io->kind == IO_RS_WRITE)
			cov[C_RS_WRITES]++;
	}
	T("n%u v%u disk %s %s s%llu+%u%s %s", v->node->id, v->nr,
	  kind_name(io->kind), op_name(io->op), (unsigned long long)io->sector,
	  io->size / SECTOR_BYTES, io->flags & IOF_FUA ? " fua" : "",
	  err ? "ERROR" : "done");
	shell_disk_done(s, err);
}

/* ---- metadata ---- */

static u64 meta_latency(const struct sim_disk *d, const struct repl_mio *mio)
{
	u64 us = latency(d, mio->flush_data ? W.o.flush_us : W.o.disk_us);

	return W.o.meta_ms ?
	       us + rng_range(R, W.o.meta_ms, 4 * W.o.meta_ms) * MS : us;
}

void disk_meta_submit(struct vol_node *v, struct repl_mio *mio)
{
	struct sim_disk *d = &W.disk[v->node->id][v->nr];
	int err = 0;

	if (v->mio)
		violation("contract", "node %u volume %u: two metadata writes",
			  v->node->id, v->nr);
	if (!v->open && !v->attaching)
		violation("contract", "node %u volume %u: metadata without disk",
			  v->node->id, v->nr);
	if (!mio->len || mio->len % SECTOR_BYTES ||
	    mio->offset % SECTOR_BYTES || mio->offset + mio->len > d->meta_len)
		violation("contract", "metadata write at %llu+%u of %llu",
			  (unsigned long long)mio->offset, mio->len,
			  (unsigned long long)d->meta_len);
	v->mio = mio;
	v->mio_undo = d->undo_tail;
	if (fails(d, 4)) {
		err = -EIO;
		cov[C_DISK_ERRORS]++;
	}
	W.disk_busy++;
	ev_add(meta_latency(d, mio), EV_META, v->node, (u16)v->nr, mio,
	       (u64)(s64)err);
}

static void meta_apply(struct vol_node *v, bool torn)
{
	struct sim_disk *d = &W.disk[v->node->id][v->nr];
	struct repl_mio *mio = v->mio;

	/* The flush comes before: without it nothing of the write is there. */
	if (mio->flush_data) {
		if (torn && rng_pct(R, 50))
			return;
		flush_to(d, v->mio_undo);
	}
	for (u32 i = 0; i < mio->len; i += SECTOR_BYTES)
		if (!torn || rng_pct(R, 50))
			memcpy(d->meta + mio->offset + i,
			       (u8 *)mio->buf + i, SECTOR_BYTES);
	if (mio->offset + 2 * META_SB_SIZE >= d->meta_len)
		d->sb_writes++;
	if (torn)
		cov[C_TORN]++;
}

void disk_meta_done(struct vol_node *v, int err)
{
	struct sim_disk *d = &W.disk[v->node->id][v->nr];
	u32 set;
	struct repl_mio *mio = v->mio;

	W.disk_busy--;
	set = disk_durable_set(d);
	meta_apply(v, err);
	v->mio = NULL;
	/*
	 * Those that stay in the set answer alone for what was acknowledged: the
	 * primary from now on, the others when they have been told.
	 */
	if (v->node == admin_primary() && v->vol.disk == DISK_UPTODATE &&
	    (disk_durable_set(d) & BIT(v->node->id)) &&
	    (set & ~disk_durable_set(d)))
		hist_flushed(v->nr, hist_now());
	cov[C_META_WRITES]++;
	T("n%u v%u meta sv%llx set%x @%llu+%u%s %s", v->node->id, v->nr,
	  (unsigned long long)disk_durable_version(d), disk_durable_set(d),
	  (unsigned long long)mio->offset, mio->len,
	  mio->flush_data ? " preflush" : "", err ? "ERROR" : "done");
	repl_meta_done(&v->vol, mio, err);
}

int disk_meta_read(void *ctx, u64 offset, void *buf, u32 len)
{
	struct sim_disk *d = ctx;
	u64 dev = d->meta_dev_bytes ? d->meta_dev_bytes : d->dev_bytes;

	if (offset + len > dev || offset + len < offset)
		violation("contract", "metadata read at %llu+%u of %llu",
			  (unsigned long long)offset, len,
			  (unsigned long long)dev);
	if (fails(d, 4))
		return -EIO;
	if (offset < d->meta_off || offset + len > d->meta_off + d->meta_len)
		memset(buf, 0, len);
	else
		memcpy(buf, d->meta + (offset - d->meta_off), len);
	return 0;
}

/* Look at the superblock on stable media again if it may have changed. */
static void parse_sb(struct sim_disk *d)
{
	u64 dev = d->meta_dev_bytes ? d->meta_dev_bytes : d->dev_bytes;
	u64 at = meta_sb_offset(dev) - d->meta_off;
	const struct meta_sb *sb;
	struct meta_geom g;

	if (d->sb_at == d->sb_writes)
		return;
	d->sb_at = d->sb_writes;
	d->sb_in_sync = 0;
	d->sb_witnesses = 0;
	d->sb_version = 0;
	d->sb_vote_term = 0;
	d->sb_flags = 0;
	d->sb_number = 0;
	if (meta_sb_pick(d->meta + at, d->meta + at + META_SB_SIZE,
			 d->dev_bytes, d->meta_dev_bytes, &sb, &g) != META_OK)
		return;
	d->sb_in_sync = le32_to_cpu(sb->in_sync);
	d->sb_witnesses = le32_to_cpu(sb->keepers);
	d->sb_version = le64_to_cpu(sb->set_version);
	d->sb_vote_term = le64_to_cpu(sb->vote_term);
	d->sb_voted_for = sb->voted_for;
	d->sb_flags = le32_to_cpu(sb->flags);
	d->sb_number = le64_to_cpu(sb->writes);
	memcpy(d->sb_lineage, sb->lineage, sizeof(d->sb_lineage));
}

/* In-sync set of the superblock on stable media; 0 if there is none. */
u32 disk_durable_set(struct sim_disk *d)
{
	parse_sb(d);
	return d->sb_in_sync;
}

/* And the witnesses that keep it too. */
u32 disk_durable_keepers(struct sim_disk *d)
{
	parse_sb(d);
	return d->sb_in_sync | d->sb_witnesses;
}

/* Its version. */
u64 disk_durable_version(struct sim_disk *d)
{
	parse_sb(d);
	return d->sb_version;
}

/* Does it say that the vote of this term was given to this node, or a later one? */
bool disk_durable_vote(struct sim_disk *d, u64 term, u8 node)
{
	parse_sb(d);
	return d->sb_vote_term > term ||
	       (d->sb_vote_term == term && d->sb_voted_for == node);
}

u32 disk_durable_flags(struct sim_disk *d)
{
	parse_sb(d);
	return d->sb_flags;
}

/* An image of a disk that is not in use. */
void disk_copy(struct sim_disk *to, const struct sim_disk *from)
{
	*to = *from;
	to->live = arena_alloc(from->nchunks * sizeof(u64 *));
	for (u32 c = 0; c < from->nchunks; c++) {
		if (!from->live[c])
			continue;
		to->live[c] = arena_alloc(CHUNK * sizeof(u64));
		memcpy(to->live[c], from->live[c], CHUNK * sizeof(u64));
	}
	to->meta = arena_alloc(from->meta_len);
	memcpy(to->meta, from->meta, from->meta_len);
	cache_init(to);
	to->sb_at = NEVER;
}

/* ---- power cut ---- */

static bool survives(u32 mode)
{
	return rng_pct(R, mode);
}

/*
 * The volatile cache is lost, sector by sector, and what was under way has
 * left any part of itself.
 */
void disk_crash(struct vol_node *v)
{
	struct sim_disk *d = &W.disk[v->node->id][v->nr];
	u32 mode = W.o.survive;
	u64 **done;		/* per chunk: sectors that are decided */
	struct sio *s;

	if (mode > 100)
		mode = (u32[]){ 0, 100, 50, 90 }[rng_below(R, 4)];
	list_for_each_entry(s, &v->disk_ios, disk) {
		W.disk_busy--;
		if (s->io.op != OP_READ && s->io.op != OP_FLUSH &&
		    rng_pct(R, 60))
			apply(v, s, true);
	}
	INIT_LIST_HEAD(&v->disk_ios);
	if (v->mio) {
		u64 number;

		W.disk_busy--;
		parse_sb(d);
		number = d->sb_number;
		meta_apply(v, true);
		v->mio = NULL;
		parse_sb(d);
		if (d->sb_number < number)
			violation("metadata",
				  "node %u volume %u: a torn write takes the superblock back from %llu to %llu",
				  v->node->id, v->nr,
				  (unsigned long long)number,
				  (unsigned long long)d->sb_number);
	}
	done = arena_alloc(d->nchunks * sizeof(u64 *));
	while (d->undo_tail != d->undo_head) {
		struct undo *u = &d->undo[--d->undo_tail & (d->undo_cap - 1)];

		for (u32 i = 0; i < u->n; i++) {
			u64 sec = u->sector + i;
			u64 **c = &done[sec / CHUNK];
			u64 bit = 1ULL << (sec % 64);
			u64 *word;

			if (!*c)
				*c = arena_alloc(CHUNK / 8);
			word = &(*c)[sec % CHUNK / 64];
			if (*word & bit)
				continue;
			if (u->fua || survives(mode))
				*word |= bit;
			else
				disk_write_tag(d, sec, *old_tag(d, u->old + i));
		}
	}
	d->undo_head = d->undo_tail;
}
