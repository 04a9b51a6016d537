// SPDX-License-Identifier: GPL-2.0-only
/*
 * Printing metadata.
 */
#include <inttypes.h>

#include "mddev.h"
#include "mdtool.h"
#include "meta.h"
#include "out.h"

static const struct {
	u32 flag;
	const char *word;
} flags[] = {
	{ META_F_UNCLEAN, "unclean" },
	{ META_F_INCONSISTENT, "inconsistent" },
	{ META_F_OUTDATED, "outdated" },
	{ META_F_PRIMARY, "primary" },
	{ META_F_CRASHED, "crashed" },
	{ META_F_EXTERNAL, "external" },
	{ META_F_WITNESS, "witness" },
	{ META_F_RESIGNED, "resigned" },
};

static void show_hex(struct out *o, const char *key, const char *label, u64 val)
{
	char text[24];

	snprintf(text, sizeof(text), "%016" PRIx64, val);
	out_str(o, key, label, text);
	out_text(o, "\n");
}

static void show_num(struct out *o, const char *key, const char *label, u64 val)
{
	out_num(o, key, label, val);
	out_text(o, "\n");
}

static void show_bytes(struct out *o, const char *key, const char *label, u64 val)
{
	out_bytes(o, key, label, val);
	out_text(o, "  (%" PRIu64 " bytes)\n", val);
}

static void show_flags(struct out *o, u32 val)
{
	unsigned int i;

	out_text(o, "flags          ");
	out_array(o, "flags");
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (val & flags[i].flag)
			out_str(o, NULL, " ", flags[i].word);
	out_end(o);
	out_text(o, "%s\n", val ? "" : " none");
}

/* Only generations that began are worth a word; JSON has all by node id. */
static void show_lineage(struct out *o, const char *label, const void *vector)
{
	__le32 v[REPL_NODES];	/* a copy: the superblock is packed */
	unsigned int i, n = 0;

	memcpy(v, vector, sizeof(v));
	out_text(o, "%s", label);
	out_array(o, "lineage");
	for (i = 0; i < REPL_NODES; i++) {
		u32 gen = le32_to_cpu(v[i]);

		if (out_is_json(o))
			out_num(o, NULL, NULL, gen);
		else if (gen)
			out_text(o, " %u=%" PRIu32, i, gen);
		n += !!gen;
	}
	out_end(o);
	out_text(o, "%s\n", n ? "" : " none");
}

static void show_slot(struct out *o, unsigned int index, const struct meta_slot *s)
{
	bool since = s->flags & META_SLOT_SINCE;

	if (!(s->flags & META_SLOT_USED))
		return;
	out_object(o, NULL);
	out_num(o, "slot", "slot ", index);
	out_num(o, "node-id", "           node ", s->node);
	show_hex(o, "replica-id", ", replica ", le64_to_cpu(s->replica));
	out_bool(o, "map-complete", since);
	if (since)
		show_lineage(o, "                map complete since",
			     (const char *)s + offsetof(struct meta_slot, since));
	else
		out_text(o, "                map not complete: a full resync is due\n");
	out_end(o);
}

static void show_position(struct out *o, const struct meta_sb *sb)
{
	char set[16];

	show_num(o, "term", "term            ", le64_to_cpu(sb->term));
	show_num(o, "seq", "seq             ", le64_to_cpu(sb->seq));
	snprintf(set, sizeof(set), "0x%" PRIx32, le32_to_cpu(sb->in_sync));
	out_str(o, "in-sync-set", "in-sync set     ", set);
	out_num(o, "in-sync-version", ", version ", le64_to_cpu(sb->set_version));
	snprintf(set, sizeof(set), "0x%" PRIx32, le32_to_cpu(sb->keepers));
	out_str(o, "keepers", sb->keepers ? ", kept also by " : NULL, set);
	out_num(o, "kept-before", sb->kept_before ? ", a majority kept version " : NULL,
		le64_to_cpu(sb->kept_before));
	out_text(o, "\n");
	if (sb->voted_for == 0xff)
		return;
	out_num(o, "voted-for", "voted for       node ", sb->voted_for);
	out_num(o, "vote-term", " in term ", le64_to_cpu(sb->vote_term));
	out_text(o, "\n");
}

static void show_layout(struct out *o, const struct meta_sb *sb,
			const struct meta_geom *g)
{
	show_bytes(o, "size-bytes", "size            ",
		   le64_to_cpu(sb->sectors) * SECTOR_BYTES);
	show_bytes(o, "data-bytes", "room for data   ", g->max_sectors * SECTOR_BYTES);
	show_bytes(o, "area-bytes", "metadata        ", g->area_bytes);
	show_bytes(o, "area-offset", "begins at       ", g->area);
	show_num(o, "block-size", "block size      ", le32_to_cpu(sb->lbs));
	show_num(o, "al-extents", "al-extents      ", le32_to_cpu(sb->al_extents));
	show_num(o, "max-peers", "max-peers       ", sb->slots);
}

static void show_sb(struct out *o, const struct md_pair *p,
		    const struct meta_sb *sb, const struct meta_geom *g)
{
	unsigned int i;

	out_object(o, NULL);
	out_str(o, "device", "device          ", p->data.path);
	out_str(o, "meta-disk", p->external ? ", metadata on " : NULL,
		p->external ? p->meta.path : "internal");
	out_text(o, "\n");
	show_num(o, "version", "version         ", le32_to_cpu(sb->version));
	if (sb->node < REPL_NODES)
		show_num(o, "node-id", "node id         ", sb->node);
	show_num(o, "volume", "volume          ", sb->volume);
	show_flags(o, le32_to_cpu(sb->flags));
	show_hex(o, "replica-id", "replica id      ", le64_to_cpu(sb->replica));
	show_hex(o, "data-set", "data set        ", le64_to_cpu(sb->dataset));
	show_lineage(o, "lineage        ",
		     (const char *)sb + offsetof(struct meta_sb, lineage));
	show_position(o, sb);
	show_layout(o, sb, g);
	show_num(o, "superblock-writes", "superblock      written times: ",
		 le64_to_cpu(sb->writes));
	out_array(o, "peers");
	for (i = 0; i < sb->slots; i++)
		show_slot(o, i, &sb->slot[i]);
	out_end(o);
	out_end(o);
}

static int show_on(const struct md_job *job, const struct md_pair *p, struct out *o)
{
	char *buf = md_need_sb(job, &p->meta);
	const struct meta_sb *sb;
	struct meta_geom g;
	enum meta_error e;

	if (!buf)
		return EX_DISK;
	e = meta_sb_pick(buf, buf + META_SB_SIZE, p->data_bytes,
			 p->external ? p->meta.bytes : 0, &sb, &g);
	if (e == META_OK)
		show_sb(o, p, sb, &g);
	else if (e == META_NO_MAGIC)
		err("%s: %s has no blkrepl metadata: make it with create-md; if there was some, and the device has grown, move it with grow-md; else it has shrunk, or the meta-disk is another one",
		    job->what, p->meta.path);
	else
		err("%s: %s: %s", job->what, p->meta.path, meta_text(e));
	free(buf);
	return e == META_OK ? EX_DONE : EX_DISK;
}

int md_show(const struct md_job *job, struct out *o)
{
	struct md_pair p;
	int ret;

	if (!md_open_job(job, &p, false))
		return EX_DISK;
	ret = show_on(job, &p, o);
	md_close(&p);
	return ret;
}
