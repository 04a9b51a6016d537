// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making metadata.  Look at everything first, ask if something would be lost,
 * and only then write.
 */
#include <blkid.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "mddev.h"
#include "mdtool.h"
#include "meta.h"
#include "out.h"

/* NULL with errno if the device is too small (ENOSPC) or unreadable. */
static char *md_read_sb(const struct md_dev *dev)
{
	size_t len = 2 * META_SB_SIZE;
	char *buf;

	if (dev->bytes < len + META_BLOCK) {
		errno = ENOSPC;
		return NULL;
	}
	buf = xzalloc(len);
	if (md_read(dev, buf, len, meta_sb_offset(dev->bytes)))
		return buf;
	free(buf);
	return NULL;
}

bool md_open_job(const struct md_job *job, struct md_pair *p, bool write)
{
	if (!md_open(p, job->what, job->disk, job->meta_disk, write))
		return false;
	/* Its metadata is external to the data that it does not have. */
	if (job->witness) {
		p->external = true;
		p->data_bytes = META_WITNESS_DATA;
	}
	return true;
}

char *md_need_sb(const struct md_job *job, const struct md_dev *dev)
{
	char *buf = md_read_sb(dev);

	if (!buf)
		err("%s: %s: %s", job->what, dev->path, errno == ENOSPC ?
		    meta_text(META_TOO_SMALL) : strerror(errno));
	return buf;
}

/* ---- what is there? ---- */

/* A signature in words, or NULL.  The caller frees it. */
static char *find_signature(const struct md_dev *dev)
{
	const char *type = NULL, *usage = NULL;
	blkid_probe pr = blkid_new_probe();
	char *text = NULL;

	if (!pr)
		return NULL;
	if (blkid_probe_set_device(pr, dev->fd, 0, 0) < 0)
		goto out;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
	blkid_probe_enable_partitions(pr, 1);
	switch (blkid_do_safeprobe(pr)) {
	case 0:
		break;
	case 1:
		goto out;
	default:
		text = xstrdup("signatures that contradict each other");
		goto out;
	}
	if (!blkid_probe_lookup_value(pr, "TYPE", &type, NULL)) {
		blkid_probe_lookup_value(pr, "USAGE", &usage, NULL);
		text = xasprintf("%s %s", type, usage && !strcmp(usage, "filesystem") ?
				 "file system" : "signature");
	} else if (!blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL)) {
		text = xasprintf("%s partition table", type);
	}
out:
	blkid_free_probe(pr);
	return text;
}

/* Anything that looks like ours, whole or damaged. */
static bool has_metadata(const struct md_pair *p)
{
	const struct meta_sb *sb;
	struct meta_geom g;
	enum meta_error e;
	char *buf;

	buf = md_read_sb(&p->meta);
	if (!buf)
		return false;
	e = meta_sb_pick(buf, buf + META_SB_SIZE, p->data_bytes,
			 p->external ? p->meta.bytes : 0, &sb, &g);
	free(buf);
	return e != META_NO_MAGIC;
}

/* ---- may it be overwritten? ---- */

static bool confirm(void)
{
	char answer[16];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return false;
	fprintf(stderr, "Overwrite it? Type yes: ");
	return fgets(answer, sizeof(answer), stdin) && !strcmp(answer, "yes\n");
}

static bool may_overwrite(const struct md_job *job, const char *path,
			  const char *what, const char *advice)
{
	if (job->force)
		return true;
	err("%s: %s has %s%s", job->what, path, what, advice);
	if (confirm())
		return true;
	err("%s: nothing was written; to overwrite it: --force", job->what);
	return false;
}

/*
 * With external metadata the data disk stays as it is: a file system on it is
 * what is to be mirrored.
 */
static bool check_contents(const struct md_job *job, const struct md_pair *p)
{
	char *sig;
	bool ok;

	if (has_metadata(p))
		return may_overwrite(job, p->meta.path,
				     "blkrepl metadata already: what it knows of other nodes' data would be lost", "");
	sig = find_signature(&p->meta);
	if (!sig)
		return true;
	ok = may_overwrite(job, p->meta.path, sig, p->external ? "" :
			   ", and the metadata would overwrite its end (shrink it first, or use an external meta-disk)");
	free(sig);
	return ok;
}

/* ---- write ---- */

static bool random_id(u64 *id)
{
	do {
		if (getrandom(id, sizeof(*id), 0) != sizeof(*id))
			return false;
	} while (!*id);
	return true;
}

/* Log first, superblocks last: half of it is no metadata at all. */
static bool write_metadata(const struct md_pair *p, const struct meta_geom *g,
			   const void *sb)
{
	static const char zeroes[META_AL_BLOCKS * META_BLOCK];
	static const char no_sb[2 * META_SB_SIZE];
	u64 sb_at = g->area + g->sb_off;

	return md_write(&p->meta, no_sb, sizeof(no_sb), sb_at) &&
	       md_write(&p->meta, zeroes, sizeof(zeroes), g->area) &&
	       md_sync(&p->meta) &&
	       md_write(&p->meta, sb, META_SB_SIZE, sb_at + META_SB_SIZE) &&
	       md_write(&p->meta, sb, META_SB_SIZE, sb_at) &&
	       md_sync(&p->meta);
}

static void report(const struct md_job *job, const struct md_pair *p,
		   const struct meta_geom *g)
{
	char data[32], meta[32];

	format_bytes(g->max_sectors * SECTOR_BYTES, data, sizeof(data));
	format_bytes(g->area_bytes, meta, sizeof(meta));
	if (job->witness) {
		printf("%s: metadata of a witness made on %s (%s)\n",
		       job->what, p->meta.path, meta);
		return;
	}
	printf("%s: metadata made on %s (%s), room for %u peer%s, %s for data\n",
	       job->what, p->meta.path, meta, job->max_peers,
	       job->max_peers == 1 ? "" : "s", data);
}

/*
 * With metadata of its own a device needs room for it alone, and the disk for a
 * block; with internal metadata the disk needs room for both.
 */
static void too_small(const struct md_job *job, const struct md_pair *p)
{
	const char *path = p->meta.path;
	uint64_t need = META_BLOCK;
	struct meta_geom g;
	char text[32];

	if (!p->external)
		while (meta_layout(need, 0, job->max_peers, &g) == META_TOO_SMALL)
			need += META_BLOCK;
	else if (meta_layout(p->data_bytes, INT64_MAX, job->max_peers, &g) == META_OK)
		need = g.area_bytes;
	else
		path = p->data.path;
	format_bytes(need, text, sizeof(text));
	err("%s: %s: %s: it needs %s at least (%" PRIu64 " bytes)", job->what, path,
	    meta_text(META_TOO_SMALL), text, need);
}

static int create_on(const struct md_job *job, const struct md_pair *p)
{
	struct meta_create c = {
		.node = job->node,
		.volume = job->volume,
		.slots = job->max_peers,
		.lbs = p->data.lbs,
		.external = p->external,
		.witness = job->witness,
	};
	char sb[META_SB_SIZE];
	struct meta_geom g;
	enum meta_error e;

	e = meta_layout(p->data_bytes, p->external ? p->meta.bytes : 0,
			job->max_peers, &g);
	if (e == META_TOO_SMALL) {
		too_small(job, p);
		return EX_DISK;
	}
	if (e != META_OK) {
		err("%s: %s: %s", job->what, p->meta.path, meta_text(e));
		return EX_DISK;
	}
	if (!check_contents(job, p))
		return EX_DISK;
	if (!random_id(&c.replica)) {
		err("%s: no random numbers: %s", job->what, strerror(errno));
		return EX_SYSTEM;
	}
	meta_sb_new(sb, &g, &c);
	if (!write_metadata(p, &g, sb)) {
		err("%s: %s: writing the metadata failed: %s", job->what,
		    p->meta.path, strerror(errno));
		return EX_DISK;
	}
	report(job, p, &g);
	return EX_DONE;
}

int md_create(const struct md_job *job)
{
	struct md_pair p;
	int ret;

	if (!md_open_job(job, &p, true))
		return EX_DISK;
	ret = create_on(job, &p);
	md_close(&p);
	return ret;
}
