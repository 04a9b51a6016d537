// SPDX-License-Identifier: GPL-2.0
/*
 * The one writer of a volume's metadata.
 *
 * One write at a time, so that what is on stable media is always a state that
 * the memory has been in.  In order of urgency: superblock, records of evicted
 * extents, activity log, records of a checkpoint, and the closing superblock
 * of a detach.
 */
#include "internal.h"

u64 meta_want_sb(struct repl_store *s)
{
	return ++s->sb_want;
}

void meta_checkpoint(struct repl_store *s)
{
	s->checkpoint = true;
	s->checkpoint_at = 0;
}

static void submit(struct repl_store *s, enum meta_job job, u64 offset,
		   void *buf, u32 len, bool flush)
{
	s->job = job;
	s->mio.offset = offset;
	s->mio.len = len;
	s->mio.buf = buf;
	s->mio.flush_data = flush;
	s->vol->res->ops->meta_io(s->vol, &s->mio);
}

/* ---- superblock ---- */

static u32 sb_flags(const struct repl_store *s, bool clean)
{
	u32 flags = s->flags & (META_F_CRASHED | META_F_EXTERNAL |
				 META_F_WITNESS);

	if (!clean)
		flags |= META_F_UNCLEAN;
	/* The last one that ended without a word, until there is another. */
	flags |= s->flags & META_F_PRIMARY;
	/* Until then the Primary before us is it, which has what was flushed. */
	if (s->vol->res->role == ROLE_PRIMARY &&
	    list_empty(&s->vol->res->applying))
		flags |= META_F_PRIMARY;
	else if ((flags & META_F_PRIMARY) && s->vol->res->resigned)
		flags |= META_F_RESIGNED;
	if (s->flags & META_F_INCONSISTENT)
		flags |= META_F_INCONSISTENT;
	if (s->flags & META_F_OUTDATED)
		flags |= META_F_OUTDATED;
	return flags;
}

static void fill_slot(struct meta_slot *out, const struct repl_mslot *in)
{
	if (!in->used)
		return;
	out->node = in->node;
	out->flags = META_SLOT_USED |
		     (in->since_valid ? META_SLOT_SINCE : 0) |
		     (in->begun ? META_SLOT_BEGUN : 0);
	out->replica = cpu_to_le64(in->replica);
	lineage_to_wire(out->since, &in->since);
}

static void fill_sb(struct repl_store *s, u32 flags)
{
	struct meta_sb *sb = (struct meta_sb *)s->sb_buf;
	u32 i;

	memset(sb, 0, META_SB_SIZE);
	sb->magic = cpu_to_le64(META_MAGIC);
	sb->version = cpu_to_le32(META_VERSION);
	sb->writes = cpu_to_le64(++s->sb_writes);
	sb->replica = cpu_to_le64(s->replica);
	sb->dataset = cpu_to_le64(s->dataset);
	sb->sectors = cpu_to_le64(s->sectors);
	sb->grown_from = cpu_to_le64(s->grown_from);
	sb->max_sectors = cpu_to_le64(s->g.max_sectors);
	sb->area_bytes = cpu_to_le64(s->g.area_bytes);
	sb->l1_off = cpu_to_le64(s->g.l1_off);
	sb->rec_off = cpu_to_le64(s->g.rec_off);
	sb->term = cpu_to_le64(s->term);
	sb->seq = cpu_to_le64(s->seq);
	sb->set_version = cpu_to_le64(s->set_version);
	sb->kept_before = cpu_to_le64(s->kept_before);
	sb->vote_term = cpu_to_le64(s->vote_term);
	sb->in_sync = cpu_to_le32(s->in_sync);
	sb->keepers = cpu_to_le32(s->keepers);
	sb->flags = cpu_to_le32(flags);
	sb->lbs = cpu_to_le32(s->lbs);
	sb->rec_size = cpu_to_le32(s->g.rec_size);
	sb->al_extents = cpu_to_le32(s->al.nslots);
	sb->node = s->node;
	sb->volume = s->vol->nr;
	sb->slots = s->nslots;
	sb->voted_for = s->voted_for;
	sb->own_gen = cpu_to_le32(s->own_gen);
	sb->pos_term = cpu_to_le64(s->vol->res->have_term);
	sb->pos_seq = cpu_to_le64(s->vol->res->have_seq);
	lineage_to_wire(sb->lineage, &s->lineage);
	for (i = 0; i < s->nslots; i++)
		fill_slot(&sb->slot[i], &s->slot[i]);
	meta_sb_seal(sb);
}

static void start_sb(struct repl_store *s, bool clean)
{
	u64 copy = MUTATED(MUT_SB_ONE_COPY) ? 0 : (s->sb_writes + 1) & 1;
	u32 flags = sb_flags(s, clean);
	bool last = flags & META_F_PRIMARY;

	/* What was flushed is looked for on the last Primary's: first_of_all(). */
	s->sb_flush |= last && !s->says_last;
	s->says_last = last;
	s->sb_started = s->sb_want;
	s->term = s->vol->res->term;
	s->seq = s->vol->res->seq;
	fill_sb(s, flags);
	submit(s, JOB_SB, s->g.sb_off + copy * META_SB_SIZE, s->sb_buf,
	       META_SB_SIZE, clean || s->sb_flush);
	s->sb_flush = false;
}

/* ---- dirty map records ---- */

static void fill_l1(struct repl_store *s, u32 index, struct meta_l1_sector *sec)
{
	u32 i;

	sec->index = cpu_to_le32(index);
	sec->replica = cpu_to_le64(s->replica);
	for (i = 0; i < META_L1_PER_SECTOR; i++) {
		u32 c = index * META_L1_PER_SECTOR + i;

		if (c >= s->g.chunks)
			break;
		sec->l1[i].epoch = cpu_to_le32(s->chunk[c].epoch);
		sec->l1[i].full = cpu_to_le32(s->chunk[c].full);
	}
	meta_l1_seal(sec);
}

/*
 * A device may not be able to write less than 4 KiB.  Where it writes the
 * sectors of a block one by one, those beside ours are as they were.
 */
static void start_l1(struct repl_store *s, u32 chunk)
{
	const u32 per = META_BLOCK / SECTOR_BYTES;
	u32 first = round_down(chunk / META_L1_PER_SECTOR, per), i;

	memset(s->rec_buf, 0, META_BLOCK);
	for (i = 0; i < per; i++)
		fill_l1(s, first + i, (struct meta_l1_sector *)
			(s->rec_buf + i * SECTOR_BYTES));
	submit(s, JOB_RECORD, s->g.l1_off + (u64)first * SECTOR_BYTES,
	       s->rec_buf, META_BLOCK, false);
}

static void fill_record(struct repl_store *s, u32 e, struct meta_rec *r)
{
	u32 i;

	r->extent = cpu_to_le32(e);
	r->epoch = cpu_to_le32(s->chunk[e / CHUNK_EXTENTS].epoch);
	for (i = 0; i < s->nslots; i++)
		dirty_extent_get(&s->dirty, i, e, r->bits[i]);
	meta_rec_seal(r, s->g.rec_size);
	dirty_written(&s->dirty, e);
}

static void start_record_block(struct repl_store *s, u32 extent)
{
	u32 per = META_BLOCK / s->g.rec_size;
	u32 first = round_down(extent, per), i;

	memset(s->rec_buf, 0, META_BLOCK);
	for (i = 0; i < per && first + i < s->g.extents; i++)
		fill_record(s, first + i,
			    (struct meta_rec *)(s->rec_buf + i * s->g.rec_size));
	submit(s, JOB_RECORD, s->g.rec_off + (u64)first * s->g.rec_size,
	       s->rec_buf, META_BLOCK, false);
}

/* A chunk that needs no records begins a new epoch.  Return: false if it does. */
static bool renew_chunk(struct repl_store *s, u32 c)
{
	u32 first = c * CHUNK_EXTENTS, full, e;

	if (!dirty_uniform(&s->dirty, c, &full))
		return false;
	s->chunk[c].epoch++;
	s->chunk[c].full = full;
	for (e = first; e < min(first + CHUNK_EXTENTS, s->g.extents); e++)
		dirty_written(&s->dirty, e);
	return true;
}

/* What else can be said by the block of the chunk table that names @chunk. */
static void renew_neighbours(struct repl_store *s, u32 chunk)
{
	const u32 per = META_BLOCK / SECTOR_BYTES * META_L1_PER_SECTOR;
	u32 first = chunk / per * per * CHUNK_EXTENTS;
	u32 end = min(first + per * CHUNK_EXTENTS, s->g.extents), e, c;

	for (e = dirty_next_stale(&s->dirty, first); e < end;
	     e = dirty_next_stale(&s->dirty, (c + 1) * CHUNK_EXTENTS)) {
		c = e / CHUNK_EXTENTS;
		renew_chunk(s, c);
	}
}

/*
 * Bring the disk's idea of @extent up to date; false: it is.  A chunk in which
 * every map is all clean or all full needs no records: a new epoch in the
 * chunk table says it.  Before the first record of an epoch the table must say
 * that there are records.
 */
static bool start_record(struct repl_store *s, u32 extent)
{
	u32 c = extent / CHUNK_EXTENTS;

	if (!dirty_is_stale(&s->dirty, extent))
		return false;
	s->job_extent = extent;
	s->vol->stat.map_writes++;
	if (renew_chunk(s, c)) {
		renew_neighbours(s, c);
		s->job_l1 = false;
		start_l1(s, c);
		return true;
	}
	s->job_l1 = !(s->chunk[c].full & META_L1_RECORDS);
	if (s->job_l1) {
		s->chunk[c].full |= META_L1_RECORDS;
		start_l1(s, c);
	} else {
		start_record_block(s, extent);
	}
	return true;
}

static bool start_victim(struct repl_store *s)
{
	while (s->al.nvictims)
		if (start_record(s, s->al.victims[--s->al.nvictims]))
			return true;
	return false;
}

static bool start_stale(struct repl_store *s, u32 from)
{
	u32 e = dirty_next_stale(&s->dirty, from);

	s->checkpoint_at = e + 1;
	return e < s->g.extents && start_record(s, e);
}

/* ---- the rest ---- */

static void start_al(struct repl_store *s)
{
	struct meta_al_block *b = (struct meta_al_block *)s->al_buf;
	bool flush = al_begin_write(s, b);

	s->vol->stat.al_writes++;
	submit(s, JOB_AL,
	       le64_to_cpu(b->tr) % META_AL_BLOCKS * (u64)META_BLOCK, b,
	       META_BLOCK, flush);
}

static void kick_detach(struct repl_store *s)
{
	if (s->disk_ios)
		return;
	if (start_stale(s, 0))
		return;
	if (!s->closed_clean) {
		s->closed_clean = true;
		s->grown_from = 0;
		start_sb(s, true);
		return;
	}
	store_try_close(s->vol);
}

void meta_kick(struct repl_vol *vol)
{
	struct repl_store *s = vol->store;

	if (!s || s->job != JOB_NONE || vol->closing)
		return;
	if (s->detaching) {
		kick_detach(s);
		return;
	}
	if (vol->disk == DISK_FAILED) {
		store_try_close(vol);
		return;
	}
	if (s->sb_want > s->sb_durable) {
		start_sb(s, false);
		return;
	}
	if (start_victim(s))
		return;
	if (s->al.staged) {
		start_al(s);
		return;
	}
	if (s->checkpoint && !start_stale(s, s->checkpoint_at)) {
		s->checkpoint = false;
		if (s->grown_from) {
			s->grown_from = 0;
			meta_want_sb(s);
		}
		evaluate(vol->res);
	}
}

static void job_done(struct repl_store *s, enum meta_job job)
{
	switch (job) {
	case JOB_SB:
		s->sb_durable = s->sb_started;
		evaluate(s->vol->res);
		break;
	case JOB_AL:
		if (store_live(s->vol))
			al_written(s);
		break;
	case JOB_RECORD:
		/* The table says "records": now the record itself. */
		if (s->job_l1 && start_record(s, s->job_extent))
			return;
		break;
	case JOB_NONE:
		break;
	}
}

void repl_meta_done(struct repl_vol *vol, struct repl_mio *mio, int err)
{
	struct repl_store *s = vol->store;
	enum meta_job job;

	if (WARN_ON_ONCE(!s || mio != &s->mio))
		return;
	job = s->job;
	s->job = JOB_NONE;
	if (err && s->detaching)
		s->closed_clean = true;		/* cannot be helped: it will
						 * be taken for a crash
						 */
	else if (err)
		store_fail(vol, "writing metadata failed");
	else
		job_done(s, job);
	meta_kick(vol);
}
