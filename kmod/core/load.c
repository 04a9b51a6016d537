// SPDX-License-Identifier: GPL-2.0
/*
 * Loading of metadata: from the bytes of a disk to a struct repl_store.
 *
 * Runs in process context before the volume is in use, and only reads.
 */
#include "internal.h"

struct loader {
	struct repl_res *res;
	struct repl_store_params *p;
	struct repl_store *s;
};

/* Read from the metadata area. */
static int area_read(struct loader *l, u64 offset, void *buf, u32 len)
{
	return l->p->read(l->p->ctx, l->s->g.area + offset, buf, len);
}

static int fail(struct loader *l, int err, const char *why)
{
	l->p->why = why;
	return err;
}

static int meta_errno(enum meta_error e)
{
	switch (e) {
	case META_NO_MAGIC:
		return -ENODATA;
	case META_TOO_SMALL:
	case META_SHRUNK:
		return -ENOSPC;
	default:
		return -EINVAL;
	}
}

/*
 * Metadata of version 1 had the term of a set from bit 24 and its number from bit 1;
 * renewing it gave it the next number.
 */
static u64 set_version_of(const struct meta_sb *sb)
{
	u64 v = le64_to_cpu(sb->set_version);

	if (le32_to_cpu(sb->version) > 1)
		return v;
	return (v >> 24 << SET_TERM_SHIFT) + (v >> 1 & 0x7fffff) * SET_NEXT +
	       (v & SET_FORCED);
}

static int load_sb(struct loader *l, u16 nr)
{
	struct repl_store_params *p = l->p;
	struct repl_store *s = l->s;
	bool witness = l->res->witness;
	u64 data = witness ? META_WITNESS_DATA : p->data_bytes;
	u64 dev = p->meta_bytes ? p->meta_bytes : data;
	const struct meta_sb *sb;
	enum meta_error e;
	u8 *b = s->sb_buf + META_SB_SIZE;
	u64 off;
	u32 i;

	if (dev < 2 * META_SB_SIZE + META_BLOCK)
		return fail(l, -ENOSPC, meta_text(META_TOO_SMALL));
	off = meta_sb_offset(dev);
	/* A torn write leaves the older copy; an unreadable one may be newer. */
	if (p->read(p->ctx, off, s->sb_buf, META_SB_SIZE) ||
	    p->read(p->ctx, off + META_SB_SIZE, b, META_SB_SIZE))
		return fail(l, -EIO, "a copy of the superblock cannot be read, and it may be the newer one: try again, or make the metadata anew and have the disk filled by a peer");
	e = meta_sb_pick(s->sb_buf, b, data, p->meta_bytes, &sb, &s->g);
	if (e)
		return fail(l, meta_errno(e), meta_text(e));
	if (witness && !(le32_to_cpu(sb->flags) & META_F_WITNESS))
		return fail(l, -EINVAL, "this is metadata of a node with data: create-md makes that of a witness");
	if (sb->volume != nr)
		return fail(l, -EINVAL, "metadata is that of another volume number");
	if (sb->node != 0xff && sb->node != l->res->node)
		return fail(l, -EINVAL, "metadata is that of another node id");
	if (le32_to_cpu(sb->lbs) != p->lbs && !witness)
		return fail(l, -EINVAL, "logical block size of the device has changed since create-md");

	s->node = l->res->node;
	s->nslots = sb->slots;
	s->replica = le64_to_cpu(sb->replica);
	s->sectors = le64_to_cpu(sb->sectors);
	s->grown_from = le64_to_cpu(sb->grown_from);
	s->sb_writes = le64_to_cpu(sb->writes);
	s->flags = le32_to_cpu(sb->flags);
	s->term = le64_to_cpu(sb->term);
	s->seq = le64_to_cpu(sb->seq);
	s->set_version = set_version_of(sb);
	s->kept_before = le64_to_cpu(sb->kept_before);
	s->vote_term = le64_to_cpu(sb->vote_term);
	s->voted_for = sb->voted_for;
	s->in_sync = le32_to_cpu(sb->in_sync);
	s->keepers = le32_to_cpu(sb->keepers);
	s->dataset = le64_to_cpu(sb->dataset);
	lineage_from_wire(&s->lineage, sb->lineage);
	s->pos_term = le64_to_cpu(sb->pos_term);
	s->pos_seq = le64_to_cpu(sb->pos_seq);
	s->own_gen = max(le32_to_cpu(sb->own_gen),
			 s->lineage.gen[l->res->node]);
	for (i = 0; i < s->nslots; i++) {
		const struct meta_slot *in = &sb->slot[i];

		s->slot[i].node = in->node;
		s->slot[i].used = in->flags & META_SLOT_USED;
		s->slot[i].since_valid = in->flags & META_SLOT_SINCE;
		s->slot[i].begun = in->flags & META_SLOT_BEGUN;
		s->slot[i].replica = le64_to_cpu(in->replica);
		lineage_from_wire(&s->slot[i].since, in->since);
	}
	return 0;
}

/*
 * Does the disk say just what we have in memory?  For want of memory it may be
 * more here, and then a bit that is set later must not count as recorded.
 */
static bool as_on_disk(struct repl_store *s, u32 extent,
		       const struct meta_rec *r, bool valid)
{
	u32 full = s->chunk[extent / CHUNK_EXTENTS].full, i;
	u8 bits[EXTENT_MAP_BYTES];

	for (i = 0; i < s->nslots; i++) {
		bool any = dirty_extent_get(&s->dirty, i, extent, bits);

		if (valid && memcmp(bits, r->bits[i], EXTENT_MAP_BYTES))
			return false;
		if (!valid && any && !(full & BIT(i)))
			return false;
	}
	return true;
}

static void load_record(struct repl_store *s, u32 extent,
			const struct meta_rec *r)
{
	struct repl_chunk *c = &s->chunk[extent / CHUNK_EXTENTS];
	enum meta_rec_state state = meta_rec_check(r, s->g.rec_size, extent,
						   c->epoch);
	u32 i;

	switch (state) {
	case META_REC_VALID:
		for (i = 0; i < s->nslots; i++)
			dirty_extent_or(&s->dirty, i, extent, r->bits[i]);
		break;
	case META_REC_NONE:
		for (i = 0; i < s->nslots; i++)
			if (c->full & BIT(i))
				dirty_extent_fill(&s->dirty, i, extent);
		break;
	case META_REC_DAMAGED:
		for (i = 0; i < s->nslots; i++)
			dirty_extent_fill(&s->dirty, i, extent);
		break;
	}
	/* Damaged records stay stale: the next checkpoint mends them. */
	if (state != META_REC_DAMAGED &&
	    as_on_disk(s, extent, r, state == META_REC_VALID))
		dirty_written(&s->dirty, extent);
	else
		dirty_mark_stale(&s->dirty, extent);
}

static int load_chunk(struct loader *l, u32 c, bool trusted)
{
	struct repl_store *s = l->s;
	u32 e = c * CHUNK_EXTENTS, per = META_BLOCK / s->g.rec_size, i;
	u32 end = min(s->g.extents, e + CHUNK_EXTENTS);

	if (!(s->chunk[c].full & META_L1_RECORDS)) {
		for (i = 0; i < s->nslots; i++)
			if (s->chunk[c].full & BIT(i))
				dirty_chunk_fill(&s->dirty, i, c);
		for (; e < end && trusted; e++)
			dirty_written(&s->dirty, e);
		return 0;
	}
	for (; e < end; e += per) {
		if (area_read(l, s->g.rec_off + (u64)e * s->g.rec_size,
			      s->rec_buf, META_BLOCK))
			return fail(l, -EIO, "cannot read the dirty map");
		for (i = 0; i < per && e + i < end; i++)
			load_record(s, e + i, (struct meta_rec *)
				    (s->rec_buf + i * s->g.rec_size));
	}
	return 0;
}

static int load_map(struct loader *l)
{
	struct repl_store *s = l->s;
	u32 all = s->nslots == 32 ? ~0U : BIT(s->nslots) - 1;
	u8 sector[SECTOR_BYTES];
	struct meta_l1_sector *sec = (struct meta_l1_sector *)sector;
	u32 c, index = ~0U;
	bool ok = false;
	int err;

	for (c = 0; c < s->g.chunks; c++) {
		if (c / META_L1_PER_SECTOR != index) {
			index = c / META_L1_PER_SECTOR;
			err = area_read(l, s->g.l1_off +
					(u64)index * SECTOR_BYTES, sector,
					SECTOR_BYTES);
			if (err)
				return fail(l, err, "cannot read the dirty map");
			ok = meta_l1_check(sec, s->replica, index);
		}
		if (ok) {
			s->chunk[c].epoch = le32_to_cpu(sec->l1[c % META_L1_PER_SECTOR].epoch);
			s->chunk[c].full = le32_to_cpu(sec->l1[c % META_L1_PER_SECTOR].full);
		} else {
			/* Whatever records there are, none has this epoch. */
			s->chunk[c].epoch = l->res->ops->random();
			s->chunk[c].full = all;
		}
		err = load_chunk(l, c, ok);
		if (err)
			return err;
	}
	return 0;
}

/* What was hot when the node went down is suspect towards everybody. */
static int load_log(struct loader *l)
{
	struct repl_store *s = l->s;
	struct meta_al_block *b = (struct meta_al_block *)s->rec_buf;
	struct meta_al_block *best = (struct meta_al_block *)s->al_buf;
	bool found = false;
	u32 i, n;

	for (i = 0; i < META_AL_BLOCKS; i++) {
		if (area_read(l, i * META_BLOCK, b, META_BLOCK))
			return fail(l, -EIO, "cannot read the activity log");
		if (!meta_al_check(b, s->replica, s->g.extents))
			continue;
		if (found && le64_to_cpu(b->tr) <= le64_to_cpu(best->tr))
			continue;
		memcpy(best, b, META_BLOCK);
		found = true;
	}
	if (!found)
		return 0;
	s->al.tr = le64_to_cpu(best->tr);
	if (!(s->flags & META_F_UNCLEAN))
		return 0;
	for (n = 0; n < le32_to_cpu(best->count); n++)
		for (i = 0; i < s->nslots; i++)
			dirty_extent_fill(&s->dirty, i,
					  le32_to_cpu(best->extent[n]));
	return 0;
}

/* It went down before the records said what a growth had added. */
static void load_growth(struct repl_store *s)
{
	u64 first = s->grown_from / BLOCK_SECTORS;
	u32 i;

	if (!s->grown_from || MUTATED(MUT_GROWTH_FORGOTTEN))
		return;
	for (i = 0; i < s->nslots; i++)
		dirty_set_range(&s->dirty, i, first, s->dirty.blocks - first);
}

static int load(struct loader *l, u16 nr, const struct repl_vol_conf *conf)
{
	struct repl_store *s = l->s;
	u64 sectors;
	int err;

	s->sb_buf = repl_zalloc(2 * META_SB_SIZE);
	s->al_buf = repl_zalloc(META_BLOCK);
	s->rec_buf = repl_zalloc(META_BLOCK);
	s->map_buf = repl_zalloc(REPL_MAX_INLINE);
	if (!s->sb_buf || !s->al_buf || !s->rec_buf || !s->map_buf)
		return fail(l, -ENOMEM, "out of memory");
	s->lbs = l->p->lbs;
	err = load_sb(l, nr);
	if (err)
		return err;
	sectors = s->sectors ? s->sectors : s->g.max_sectors;
	s->chunk = repl_zalloc(s->g.chunks * sizeof(*s->chunk));
	if (!s->chunk || al_init(s, conf->al_extents) ||
	    dirty_init(&s->dirty, l->res, s->nslots, s->g.extents,
		       s->g.chunks, DIV_ROUND_UP_ULL(sectors, BLOCK_SECTORS)))
		return fail(l, -ENOMEM, "out of memory");
	err = load_map(l);
	if (!err)
		err = load_log(l);
	load_growth(s);
	if ((s->flags & META_F_UNCLEAN) && !l->res->witness)
		s->flags |= META_F_CRASHED;
	return err;
}

int repl_store_load(struct repl_res *res, u16 nr,
		    const struct repl_vol_conf *conf,
		    struct repl_store_params *p, struct repl_store **out)
{
	struct repl_store *s = repl_zalloc(sizeof(*s));
	struct loader l = { res, p, s };
	int err;

	p->why = NULL;
	if (!s)
		return fail(&l, -ENOMEM, "out of memory");
	err = load(&l, nr, conf);
	if (err) {
		repl_store_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void repl_store_free(struct repl_store *s)
{
	if (!s)
		return;
	if (s->dirty.res)
		dirty_exit(&s->dirty);
	al_exit(s);
	repl_free(s->chunk);
	repl_free(s->sb_buf);
	repl_free(s->al_buf);
	repl_free(s->rec_buf);
	repl_free(s->map_buf);
	repl_free(s);
}

u64 repl_store_area(const struct repl_store *s)
{
	return s->g.area;
}
