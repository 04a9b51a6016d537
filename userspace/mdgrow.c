// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moving internal metadata to the end of a disk that has grown.
 *
 * The old metadata is valid until the new is complete and on stable media, and
 * the two never overlap.  So whenever this is interrupted one of them is there,
 * and doing it again begins from that.
 */
#include <errno.h>
#include <inttypes.h>

#include "mddev.h"
#include "mdtool.h"
#include "meta.h"
#include "out.h"

#define PIECE		(1U << 20)
#define SB_PAIR		(2 * META_SB_SIZE)

/* Metadata as found: its superblock (a copy), and where everything is. */
struct found {
	char sb[META_SB_SIZE];
	struct meta_geom g;
};

static const struct meta_sb *sb_of(const struct found *f)
{
	return (const struct meta_sb *)f->sb;
}

static bool io_failed(const struct md_job *job, const struct md_dev *dev,
		      const char *what)
{
	err("%s: %s: %s failed: %s", job->what, dev->path, what, strerror(errno));
	return false;
}

/* ---- where is it? ---- */

static bool valid_alone(const char *copy, u64 end)
{
	const struct meta_sb *sb;
	struct meta_geom g;

	return meta_sb_pick(copy, copy, end, 0, &sb, &g) == META_OK;
}

/*
 * Was this the end of our disk?  There may be other superblocks about, in what
 * was added, of disks that had that room before; and in the data, of guests.
 * Ours fits a disk that ends here: with metadata that lies elsewhere than where
 * it was made for, the sizes in it contradict that.
 */
static bool is_ours(const struct md_job *job, const char *pair, u64 end,
		    struct found *f)
{
	const struct meta_sb *sb;
	struct meta_geom fit;
	bool a, b;

	if (meta_sb_pick(pair, pair + META_SB_SIZE, end, 0, &sb, &f->g) != META_OK ||
	    meta_layout(end, 0, sb->slots, &fit) != META_OK ||
	    fit.max_sectors != f->g.max_sectors)
		return false;
	if (job->node != MD_NODE_UNKNOWN &&
	    (sb->volume != job->volume ||
	     (sb->node != MD_NODE_UNKNOWN && sb->node != job->node)))
		return false;
	/* One copy alone: is it the one that it should be? */
	a = valid_alone(pair, end);
	b = valid_alone(pair + META_SB_SIZE, end);
	if (a != b && (le64_to_cpu(sb->writes) & 1) != b)
		return false;
	memcpy(f->sb, sb, META_SB_SIZE);
	return true;
}

static bool has_magic(const char *copy)
{
	return le64_to_cpu(((const struct meta_sb *)copy)->magic) == META_MAGIC;
}

/* From the end on backwards: so all of what was added is read, but no data. */
static bool search(const struct md_job *job, const struct md_dev *dev,
		   char *buf, struct found *f)
{
	u64 hi = meta_sb_offset(dev->bytes), lo, at;

	for (; hi > META_BLOCK; hi = lo) {
		lo = hi > META_BLOCK + PIECE ? hi - PIECE : META_BLOCK;
		if (!md_read(dev, buf, hi - lo + SB_PAIR - META_BLOCK, lo))
			return io_failed(job, dev, "reading");
		for (at = hi; at > lo;) {
			const char *pair;

			at -= META_BLOCK;
			pair = buf + (at - lo);
			if ((has_magic(pair) || has_magic(pair + META_SB_SIZE)) &&
			    is_ours(job, pair, at + SB_PAIR, f))
				return true;
		}
	}
	err("%s: %s has no blkrepl metadata that was at its end before",
	    job->what, dev->path);
	return false;
}

/* ---- the move ---- */

static bool copy(const struct md_dev *dev, char *buf, u64 from, u64 to, u64 len)
{
	while (len) {
		size_t n = len < PIECE ? len : PIECE;

		if (!md_read(dev, buf, n, from) || !md_write(dev, buf, n, to))
			return false;
		from += n;
		to += n;
		len -= n;
	}
	return true;
}

static bool zero(const struct md_dev *dev, char *buf, u64 at, u64 len)
{
	memset(buf, 0, PIECE);
	while (len) {
		size_t n = len < PIECE ? len : PIECE;

		if (!md_write(dev, buf, n, at))
			return false;
		at += n;
		len -= n;
	}
	return true;
}

/*
 * Chunks that are new are dirty for everybody.  What was not valid is left so:
 * it means the same.
 */
static void grow_l1(const struct found *old, const struct meta_geom *new, char *table)
{
	u64 replica = le64_to_cpu(sb_of(old)->replica);
	u32 full = BIT(sb_of(old)->slots) - 1, c;

	for (c = old->g.chunks; c < new->chunks; c++) {
		u32 index = c / META_L1_PER_SECTOR;
		struct meta_l1_sector *s = (struct meta_l1_sector *)
			(table + (size_t)index * SECTOR_BYTES);

		if (!meta_l1_check(s, replica, index))
			continue;
		s->l1[c % META_L1_PER_SECTOR].epoch = 0;
		s->l1[c % META_L1_PER_SECTOR].full = cpu_to_le32(full);
		meta_l1_seal(s);
	}
}

static bool move_l1(const struct md_dev *dev, const struct found *old,
		    const struct meta_geom *new)
{
	size_t len = new->rec_off - new->l1_off;
	char *table = xzalloc(len);
	bool ok;

	ok = md_read(dev, table, old->g.rec_off - old->g.l1_off,
		     old->g.area + old->g.l1_off);
	if (ok) {
		grow_l1(old, new, table);
		ok = md_write(dev, table, len, new->area + new->l1_off);
	}
	free(table);
	return ok;
}

/* Records of extents that are new must not look like any. */
static bool move_records(const struct md_dev *dev, const struct found *old,
			 const struct meta_geom *new, char *buf)
{
	u64 used = (u64)old->g.extents * old->g.rec_size;

	return copy(dev, buf, old->g.area + old->g.rec_off,
		    new->area + new->rec_off, old->g.sb_off - old->g.rec_off) &&
	       zero(dev, buf, new->area + new->rec_off + used,
		    new->sb_off - new->rec_off - used);
}

static bool write_sb(const struct md_dev *dev, const struct found *old,
		     const struct meta_geom *new)
{
	u64 at = new->area + new->sb_off;
	char sb[META_SB_SIZE];

	memcpy(sb, old->sb, sizeof(sb));
	meta_sb_grow(sb, new);
	return md_write(dev, sb, sizeof(sb), at + META_SB_SIZE) && md_sync(dev) &&
	       md_write(dev, sb, sizeof(sb), at) && md_sync(dev);
}

/* The superblock last; and the old one goes when the new one is safe. */
static bool move(const struct md_dev *dev, const struct found *old,
		 const struct meta_geom *new, char *buf)
{
	return zero(dev, buf, new->area + new->sb_off, SB_PAIR) &&
	       copy(dev, buf, old->g.area, new->area, old->g.l1_off) &&
	       move_l1(dev, old, new) &&
	       move_records(dev, old, new, buf) && md_sync(dev) &&
	       write_sb(dev, old, new) &&
	       zero(dev, buf, old->g.area + old->g.sb_off, SB_PAIR) &&
	       md_sync(dev);
}

static int too_little(const struct md_job *job, const struct md_dev *dev,
		      const struct found *old)
{
	u64 end = old->g.area + old->g.area_bytes, need = dev->bytes;
	struct meta_geom g;
	char more[32];

	do
		need += META_BLOCK;
	while (!meta_layout(need, 0, sb_of(old)->slots, &g) && g.area < end);
	format_bytes(need - dev->bytes, more, sizeof(more));
	err("%s: %s: what was added does not hold the metadata: extend it by %s more at least (%" PRIu64 " bytes), and do this again",
	    job->what, dev->path, more, need - dev->bytes);
	return EX_DISK;
}

static int grow_to(const struct md_job *job, const struct md_dev *dev,
		   const struct found *old, char *buf)
{
	u64 end = old->g.area + old->g.area_bytes;
	char before[32], now[32];
	struct meta_geom new;
	enum meta_error e;

	e = meta_layout(dev->bytes, 0, sb_of(old)->slots, &new);
	if (e != META_OK) {
		err("%s: %s: %s", job->what, dev->path, meta_text(e));
		return EX_DISK;
	}
	if (new.area < end)
		return too_little(job, dev, old);
	if (!move(dev, old, &new, buf)) {
		io_failed(job, dev, "moving the metadata");
		return EX_DISK;
	}
	format_bytes(old->g.max_sectors * SECTOR_BYTES, before, sizeof(before));
	format_bytes(new.max_sectors * SECTOR_BYTES, now, sizeof(now));
	printf("%s: metadata moved to the end of %s: %s for data, it was %s\n",
	       job->what, dev->path, now, before);
	return EX_DONE;
}

static int grow_on(const struct md_job *job, const struct md_dev *dev, char *buf)
{
	const struct meta_sb *sb;
	struct found old;
	enum meta_error e;
	char *pair;

	pair = md_need_sb(job, dev);
	if (!pair)
		return EX_DISK;
	/* Damaged: it may be what we had begun to write. */
	e = meta_sb_pick(pair, pair + META_SB_SIZE, dev->bytes, 0, &sb, &old.g);
	free(pair);
	if (e == META_OK) {
		printf("%s: the metadata is at the end of %s already\n",
		       job->what, dev->path);
		return EX_DONE;
	}
	if (e == META_BAD_VERSION) {
		err("%s: %s: %s", job->what, dev->path, meta_text(e));
		return EX_DISK;
	}
	return search(job, dev, buf, &old) ? grow_to(job, dev, &old, buf) : EX_DISK;
}

int md_grow(const struct md_job *job)
{
	struct md_pair p;
	char *buf;
	int ret;

	if (job->meta_disk) {
		err("%s: only metadata at the end of the disk can grow with it: with a meta-disk, detach, create-md --force, attach, and let it be synced",
		    job->what);
		return EX_DISK;
	}
	if (!md_open(&p, job->what, job->disk, NULL, true))
		return EX_DISK;
	buf = xzalloc(PIECE + SB_PAIR);
	ret = grow_on(job, &p.data, buf);
	free(buf);
	md_close(&p);
	return ret;
}
