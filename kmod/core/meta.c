// SPDX-License-Identifier: GPL-2.0
/* Metadata: layout, encoding and decoding. */
#include "meta.h"

static const char * const texts[] = {
	[META_OK]	   = "ok",
	[META_NO_MAGIC]	   = "no blkrepl metadata at the end: if the disk has grown, grow-md moves it there; if there never was any, create-md makes it",
	[META_BAD_CRC]	   = "metadata is damaged: both superblock copies have a wrong checksum",
	[META_BAD_VERSION] = "metadata has a version that this release does not know: upgrade",
	[META_BAD_FIELD]   = "metadata is damaged or belongs to another device: a field contradicts it",
	[META_TOO_SMALL]   = "device is too small for data and metadata",
	[META_SHRUNK]	   = "device is smaller than when its metadata was made",
	[META_OF_WITNESS]  = "this is metadata of a witness, which has no data: create-md makes it anew",
};

const char *meta_text(enum meta_error e)
{
	if ((unsigned int)e >= ARRAY_SIZE(texts))
		return "unknown error";
	return texts[e];
}

static u32 rec_bytes(u32 slots)
{
	u32 need = sizeof(struct meta_rec) + slots * EXTENT_MAP_BYTES;
	u32 size = SECTOR_BYTES;

	while (size < need)
		size *= 2;
	return size;
}

/* Fill in @g for @sectors of data; @area is set by the caller. */
static void layout_for(u64 sectors, u32 slots, struct meta_geom *g)
{
	u64 extents = DIV_ROUND_UP_ULL(sectors, EXTENT_SECTORS);
	u64 chunks = DIV_ROUND_UP_ULL(extents, CHUNK_EXTENTS);
	u64 l1 = DIV_ROUND_UP_ULL(chunks, META_L1_PER_SECTOR) * SECTOR_BYTES;

	g->rec_size = rec_bytes(slots);
	g->max_sectors = sectors;
	g->extents = extents;
	g->chunks = chunks;
	g->l1_off = META_AL_BLOCKS * META_BLOCK;
	g->rec_off = g->l1_off + round_up(l1, (u64)META_BLOCK);
	g->sb_off = g->rec_off + round_up(extents * g->rec_size, (u64)META_BLOCK);
	g->area_bytes = g->sb_off + 2 * META_SB_SIZE;
}

/* Extent numbers are 32 bits wide: 16 EiB would be 2^42 of them. */
#define MAX_DATA_SECTORS	((u64)0xffffffff * EXTENT_SECTORS)

enum meta_error meta_layout(u64 data_bytes, u64 meta_bytes, u32 slots,
			    struct meta_geom *g)
{
	u64 end = round_down(meta_bytes ? meta_bytes : data_bytes, (u64)META_BLOCK);
	u64 sectors = round_down(data_bytes, (u64)META_BLOCK) / SECTOR_BYTES;

	if (!slots || slots > META_MAX_SLOTS || sectors > MAX_DATA_SECTORS)
		return META_BAD_FIELD;
	layout_for(sectors, slots, g);
	if (meta_bytes) {
		if (g->area_bytes > end || !sectors)
			return META_TOO_SMALL;
	} else {
		/* Sized for the whole device, so a little more than needed. */
		if (g->area_bytes + BLOCK_BYTES > end)
			return META_TOO_SMALL;
		sectors = (end - g->area_bytes) / SECTOR_BYTES;
		layout_for(sectors, slots, g);
		/* What that saves may be just what an extent more would need. */
		layout_for((end - g->area_bytes) / SECTOR_BYTES, slots, g);
		if (g->area_bytes + g->max_sectors * SECTOR_BYTES > end)
			layout_for(sectors, slots, g);
	}
	g->area = end - g->area_bytes;
	return META_OK;
}

/* Every structure on disk begins with the crc of the rest of it. */
static u32 crc_of(const void *buf, u32 len)
{
	return repl_crc32c((const u8 *)buf + sizeof(__le32),
			   len - sizeof(__le32));
}

static void crc_set(void *buf, u32 len)
{
	*(__le32 *)buf = cpu_to_le32(crc_of(buf, len));
}

static bool crc_ok(const void *buf, u32 len)
{
	return le32_to_cpu(*(const __le32 *)buf) == crc_of(buf, len);
}

void meta_sb_seal(void *buf)
{
	crc_set(buf, META_SB_SIZE);
}

void meta_sb_new(void *buf, const struct meta_geom *g,
		 const struct meta_create *c)
{
	struct meta_sb *sb = buf;

	memset(buf, 0, META_SB_SIZE);
	sb->magic = cpu_to_le64(META_MAGIC);
	sb->version = cpu_to_le32(META_VERSION);
	sb->writes = cpu_to_le64(1);
	sb->replica = cpu_to_le64(c->replica);
	sb->max_sectors = cpu_to_le64(g->max_sectors);
	sb->area_bytes = cpu_to_le64(g->area_bytes);
	sb->l1_off = cpu_to_le64(g->l1_off);
	sb->rec_off = cpu_to_le64(g->rec_off);
	sb->flags = cpu_to_le32((c->witness ? META_F_WITNESS :
					      META_F_INCONSISTENT) |
				(c->external ? META_F_EXTERNAL : 0));
	sb->lbs = cpu_to_le32(c->lbs);
	sb->rec_size = cpu_to_le32(g->rec_size);
	sb->al_extents = cpu_to_le32(META_AL_MAX);
	sb->node = c->node;
	sb->volume = c->volume;
	sb->slots = c->slots;
	sb->voted_for = 0xff;
	meta_sb_seal(buf);
}

void meta_sb_grow(void *buf, const struct meta_geom *g)
{
	struct meta_sb *sb = buf;

	/* Odd, as in new metadata: the next write goes over copy A. */
	sb->writes = cpu_to_le64((le64_to_cpu(sb->writes) + 1) | 1);
	sb->max_sectors = cpu_to_le64(g->max_sectors);
	sb->area_bytes = cpu_to_le64(g->area_bytes);
	sb->l1_off = cpu_to_le64(g->l1_off);
	sb->rec_off = cpu_to_le64(g->rec_off);
	meta_sb_seal(sb);
}

u64 meta_sb_offset(u64 dev_bytes)
{
	return round_down(dev_bytes, (u64)META_BLOCK) - 2 * META_SB_SIZE;
}

static enum meta_error sb_form(const struct meta_sb *sb)
{
	if (le64_to_cpu(sb->magic) != META_MAGIC)
		return META_NO_MAGIC;
	if (le32_to_cpu(sb->version) < META_VERSION_MIN ||
	    le32_to_cpu(sb->version) > META_VERSION)
		return META_BAD_VERSION;
	return crc_ok(sb, META_SB_SIZE) ? META_OK : META_BAD_CRC;
}

static bool slots_ok(const struct meta_sb *sb)
{
	u32 seen = 0;
	int i;

	for (i = 0; i < sb->slots; i++) {
		const struct meta_slot *slot = &sb->slot[i];

		if (!(slot->flags & META_SLOT_USED))
			continue;
		if (slot->node >= REPL_NODES || slot->node == sb->node ||
		    (seen & BIT(slot->node)))
			return false;
		seen |= BIT(slot->node);
	}
	return true;
}

static bool fields_ok(const struct meta_sb *sb, u64 data_bytes, u64 meta_bytes,
		      struct meta_geom *g)
{
	u64 end = round_down(meta_bytes ? meta_bytes : data_bytes, (u64)META_BLOCK);
	u64 max_sectors = le64_to_cpu(sb->max_sectors);
	u32 lbs = le32_to_cpu(sb->lbs);
	u32 al = le32_to_cpu(sb->al_extents);
	bool external = le32_to_cpu(sb->flags) & META_F_EXTERNAL;

	if (!sb->slots || sb->slots > META_MAX_SLOTS || !max_sectors ||
	    max_sectors > MAX_DATA_SECTORS || external != !!meta_bytes)
		return false;
	layout_for(max_sectors, sb->slots, g);
	if (le64_to_cpu(sb->area_bytes) != g->area_bytes ||
	    le64_to_cpu(sb->l1_off) != g->l1_off ||
	    le64_to_cpu(sb->rec_off) != g->rec_off ||
	    le32_to_cpu(sb->rec_size) != g->rec_size || g->area_bytes > end)
		return false;
	g->area = end - g->area_bytes;
	return (lbs == 512 || lbs == 1024 || lbs == 2048 || lbs == 4096) &&
	       al >= META_AL_MIN && al <= META_AL_MAX &&
	       le64_to_cpu(sb->sectors) <= max_sectors && sb->replica &&
	       le64_to_cpu(sb->grown_from) <= le64_to_cpu(sb->sectors) &&
	       !(le32_to_cpu(sb->flags) & ~META_F_ALL) &&
	       (sb->node < REPL_NODES || sb->node == 0xff) && slots_ok(sb);
}

enum meta_error meta_sb_pick(const void *a, const void *b, u64 data_bytes,
			     u64 meta_bytes, const struct meta_sb **out,
			     struct meta_geom *g)
{
	const struct meta_sb *sa = a, *sb = b;
	enum meta_error ea = sb_form(sa), eb = sb_form(sb);
	const struct meta_sb *best;

	if (ea && eb)
		return ea == META_NO_MAGIC ? eb : ea;
	if (!ea && !eb)
		best = le64_to_cpu(sa->writes) >= le64_to_cpu(sb->writes) ? sa : sb;
	else
		best = ea ? sb : sa;
	if ((le32_to_cpu(best->flags) & META_F_WITNESS) &&
	    data_bytes != META_WITNESS_DATA)
		return META_OF_WITNESS;
	if (!fields_ok(best, data_bytes, meta_bytes, g))
		return META_BAD_FIELD;
	if (g->max_sectors * SECTOR_BYTES +
	    (meta_bytes ? 0 : g->area_bytes) > data_bytes)
		return META_SHRUNK;
	*out = best;
	return META_OK;
}

void meta_al_seal(struct meta_al_block *blk)
{
	crc_set(blk, META_BLOCK);
}

bool meta_al_check(const struct meta_al_block *blk, u64 replica, u32 extents)
{
	u32 count = le32_to_cpu(blk->count);
	u32 i;

	if (le32_to_cpu(blk->magic) != META_AL_MAGIC ||
	    le64_to_cpu(blk->replica) != replica || count > META_AL_MAX)
		return false;
	if (!crc_ok(blk, META_BLOCK) && !MUTATED(MUT_AL_NO_CHECK))
		return false;
	for (i = 0; i < count; i++)
		if (le32_to_cpu(blk->extent[i]) >= extents)
			return false;
	return true;
}

void meta_l1_seal(struct meta_l1_sector *s)
{
	crc_set(s, SECTOR_BYTES);
}

bool meta_l1_check(const struct meta_l1_sector *s, u64 replica, u32 index)
{
	return le64_to_cpu(s->replica) == replica &&
	       le32_to_cpu(s->index) == index && crc_ok(s, SECTOR_BYTES);
}

void meta_rec_seal(struct meta_rec *r, u32 rec_size)
{
	crc_set(r, rec_size);
}

enum meta_rec_state meta_rec_check(const struct meta_rec *r, u32 rec_size,
				   u32 extent, u32 epoch)
{
	if (le32_to_cpu(r->extent) != extent || le32_to_cpu(r->epoch) != epoch)
		return META_REC_NONE;
	return crc_ok(r, rec_size) ? META_REC_VALID : META_REC_DAMAGED;
}
