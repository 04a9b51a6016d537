// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/blkreplN: bios in, I/Os of the core out.
 *
 * The data of a write is copied once, here: the copy feeds the local disk, the
 * network and the checksum.  So they agree whatever the owner of the pages
 * does to them in the meantime, and the pages need not live until the slowest
 * peer has the data.
 *
 * The device has no partitions of its own (kpartx makes them): opening it
 * never reads, so that udev can't hang on a resource whose I/O is suspended.
 */
#include <linux/blkdev.h>
#include <linux/sched/mm.h>

#include "blkrepl.h"
#include "trace.h"

static void submit(struct blkrepl_io *b, bool may_sleep)
{
	struct blkrepl_resource *r = b->r;
	unsigned long flags;

	blkrepl_lock(r, flags);
	trace_blkrepl_submit(&b->io, 0);
	repl_submit(&b->io);
	if (may_sleep)
		blkrepl_unlock(r, flags);
	else
		blkrepl_unlock_atomic(r, flags);
}

static void fill_io(struct blkrepl_io *b, struct blkrepl_volume *v,
		    struct bio *bio, enum repl_op op)
{
	b->io.vol = &v->vol;
	b->io.kind = IO_APP;
	b->io.op = op;
	b->app = bio;
	if (op == OP_FLUSH)
		return;
	b->io.sector = bio->bi_iter.bi_sector;
	b->io.size = bio->bi_iter.bi_size;
}

static struct blkrepl_io *make_io(struct blkrepl_volume *v, struct bio *bio,
				  enum repl_op op)
{
	/* Memory may have to be waited for. */
	u64 start_ns = op == OP_READ ? 0 : ktime_get_ns();
	struct blkrepl_io *b = blkrepl_io_new(v->r, BLKREPL_FOR_APP, GFP_NOIO);

	b->start_ns = start_ns;
	fill_io(b, v, bio, op);
	if (op == OP_FLUSH)
		return b;

	if (bio->bi_opf & REQ_FUA)
		b->io.flags |= IOF_FUA;
	if (bio->bi_opf & REQ_NOUNMAP)
		b->io.flags |= IOF_NOUNMAP;
	if (op != OP_WRITE)
		return b;

	blkrepl_buf_alloc(v->r, &b->buf, b->io.size, BLKREPL_FOR_APP,
			  GFP_NOIO);
	blkrepl_buf_from_bio(&b->buf, bio);
	/* Once for all peers, outside the lock, while the cache is warm. */
	if (READ_ONCE(v->r->crc_peers)) {
		b->dcrc = blkrepl_buf_crc(&b->buf);
		b->dcrc_valid = true;
	}
	return b;
}

/*
 * ---- reads that go straight to the disk ----
 *
 * Where the core has nothing against it the application's bio itself is sent to
 * the backing device, instead of a copy; the core has no part in it but for its
 * counters.  Back from there it is what it was, and the core is asked whether
 * that is all.  If not, or if the disk has failed, an I/O of the core's takes over
 * that has just ended on the disk.
 */

#define SPARE_IOS	64

/* What is taken is to be blkrepl_io_init()ed before the core gets it as its own. */
static struct blkrepl_io *spare_get(struct blkrepl_resource *r)
{
	struct blkrepl_io *b = r->pool.spare;

	lockdep_assert_held(&r->lock);
	if (b) {
		r->pool.spare = b->next;
		r->pool.nr_spare--;
	}
	return b;
}

static void spare_put(struct blkrepl_resource *r, struct blkrepl_io *b)
{
	mempool_t *reserve = &r->pool.ios[BLKREPL_FOR_APP];

	lockdep_assert_held(&r->lock);
	if (r->pool.nr_spare == SPARE_IOS || !blkrepl_reserve_full(reserve)) {
		mempool_free(b, reserve);
		return;
	}
	b->next = r->pool.spare;
	r->pool.spare = b;
	r->pool.nr_spare++;
}

/* What the way through another device changes in a bio: b->bio keeps it. */
static void keep(struct blkrepl_io *b, const struct bio *app)
{
	b->bio.bi_bdev = app->bi_bdev;
	b->bio.bi_opf = app->bi_opf;
	b->bio.bi_iter = app->bi_iter;
	b->bio.bi_end_io = app->bi_end_io;
	b->bio.bi_private = app->bi_private;
}

/* But for its iterator, which says nothing any more if all went well. */
static void restore(const struct blkrepl_io *b, struct bio *app)
{
	app->bi_bdev = b->bio.bi_bdev;
	app->bi_opf = b->bio.bi_opf;
	app->bi_end_io = b->bio.bi_end_io;
	app->bi_private = b->bio.bi_private;
	/* These speak of the other device, and the bio of ours again. */
	app->bi_flags &= ~(BIT(BIO_REMAPPED) | BIT(BIO_QOS_THROTTLED) |
			   BIT(BIO_QOS_MERGED));
}

static void direct_end_io(struct bio *bio)
{
	struct blkrepl_io *b = bio->bi_private;
	unsigned long flags, start = b->app_start;
	struct blkrepl_resource *r = b->r;
	int err = 0;

	if (unlikely(bio->bi_status))
		err = blk_status_to_errno(bio->bi_status);
	restore(b, bio);
	blkrepl_lock(r, flags);
	trace_blkrepl_io_done(&b->io, err);
	if (likely(!err && repl_read_end(&b->io))) {
		trace_blkrepl_complete(&b->io, 0);
		spare_put(r, b);
		blkrepl_unlock_quiet(r, flags);
		bio_end_io_acct(bio, start);
		bio_endio(bio);
		return;
	}
	bio->bi_status = BLK_STS_OK;
	bio->bi_iter = b->bio.bi_iter;
	blkrepl_io_init(b, r, BLKREPL_FOR_APP);
	fill_io(b, bio->bi_bdev->bd_disk->private_data, bio, OP_READ);
	b->app_start = start;
	repl_read_done(&b->io, err);
	blkrepl_unlock_atomic(r, flags);
}

/* Return: false: it may not. */
static bool read_direct(struct blkrepl_volume *v, struct bio *bio,
			unsigned long start)
{
	struct blkrepl_resource *r = v->r;
	struct block_device *bdev;
	struct blkrepl_io *b;

	/* An error in it could be that of a part that was split off. */
	if (bio_flagged(bio, BIO_CHAIN))
		return false;

	blkrepl_lock_task(r);
	b = spare_get(r);
	if (unlikely(!b)) {
		blkrepl_unlock_task(r);
		b = blkrepl_spare_new(r);
		blkrepl_lock_task(r);
	}
	b->io.vol = &v->vol;
	b->io.sector = bio->bi_iter.bi_sector;
	b->io.size = bio->bi_iter.bi_size;
	if (!repl_read_begin(&b->io)) {
		spare_put(r, b);
		blkrepl_unlock_task(r);
		return false;
	}
	trace_blkrepl_submit(&b->io, 0);
	trace_blkrepl_disk_io(&b->io, 0);
	bdev = v->disk->bdev;
	blkrepl_unlock_task(r);

	b->app_start = start;
	keep(b, bio);
	bio->bi_opf &= ~BLKREPL_APP_ONLY;
	bio->bi_end_io = direct_end_io;
	bio->bi_private = b;
	bio_set_dev(bio, bdev);
	submit_bio_noacct(bio);
	return true;
}

/* Return: false if the device doesn't do that. */
static bool map_op(const struct bio *bio, enum repl_op *op)
{
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		*op = OP_READ;
		return true;
	case REQ_OP_WRITE:
		*op = OP_WRITE;
		return true;
	case REQ_OP_DISCARD:
		*op = OP_DISCARD;
		return true;
	case REQ_OP_WRITE_ZEROES:
		*op = OP_ZEROES;
		return true;
	default:
		return false;
	}
}

/* A page is, in one piece: of more the disk may want a certain alignment. */
static bool within_limits(struct bio *bio)
{
	unsigned int size = bio->bi_iter.bi_size;

	if (size > PAGE_SIZE)
		return false;
	if (bio_op(bio) != REQ_OP_READ && bio_op(bio) != REQ_OP_WRITE)
		return true;
	return !size || mp_bvec_iter_len(bio->bi_io_vec, bio->bi_iter) == size;
}

static void bdev_submit_bio(struct bio *bio)
{
	struct blkrepl_volume *v = bio->bi_bdev->bd_disk->private_data;
	struct blkrepl_io *b, *data = NULL;
	unsigned int lbs_mask;
	unsigned long start;
	enum repl_op op;
	bool flush;

	if (!within_limits(bio)) {
		bio = bio_split_to_limits(bio);
		if (!bio)
			return;
	}

	if (!map_op(bio, &op)) {
		bio->bi_status = BLK_STS_NOTSUPP;
		bio_endio(bio);
		return;
	}
	lbs_mask = (bdev_logical_block_size(bio->bi_bdev) >> SECTOR_SHIFT) - 1;
	if ((bio->bi_iter.bi_sector | bio_sectors(bio)) & lbs_mask ||
	    bio->bi_iter.bi_size & (SECTOR_SIZE - 1)) {
		bio_io_error(bio);
		return;
	}

	/* An empty write with FUA says no more than an empty flush. */
	flush = op == OP_WRITE &&
		(bio->bi_opf & REQ_PREFLUSH ||
		 (bio->bi_opf & REQ_FUA && !bio->bi_iter.bi_size));
	if (!flush && !bio->bi_iter.bi_size) {
		bio_endio(bio);
		return;
	}

	start = bio_start_io_acct(bio);
	if (op == OP_READ && read_direct(v, bio, start))
		return;
	if (bio->bi_iter.bi_size) {
		data = make_io(v, bio, op);
		data->app_start = start;
	}
	b = data;
	if (flush) {
		/* The write waits for the flush, with all that it needs. */
		b = make_io(v, bio, OP_FLUSH);
		b->app_start = start;
		b->next = data;
	}
	submit(b, true);
}

/* Any context. */
void blkrepl_bdev_complete(struct blkrepl_io *b, int err)
{
	struct blkrepl_io *next = b->next;
	struct bio *app = b->app;

	b->app = NULL;
	b->next = NULL;
	if (next && !err) {
		next->start_ns = ktime_get_ns();
		submit(next, false);
		return;
	}
	if (next)
		blkrepl_io_put(next);
	/* There may be one already, of a part that was split off. */
	if (err)
		app->bi_status = errno_to_blk_status(err);
	bio_end_io_acct(app, b->app_start);
	bio_endio(app);
}

/*
 * An open device keeps its network namespace: a mounted file system goes on
 * being mirrored when the last process of the namespace has gone, and the end
 * of the namespace never meets I/O.
 */
static int bdev_open(struct gendisk *gd, blk_mode_t mode)
{
	struct blkrepl_volume *v = gd->private_data;
	struct blkrepl_resource *r = v->r;
	unsigned long flags;
	int err = 0;

	blkrepl_lock(r, flags);
	if (v->dying) {
		err = -ENXIO;
	} else if (v->vol.revoked) {
		/* The cache is from before we were replaced. */
		err = -EBUSY;
	} else if (r->res.role != ROLE_PRIMARY && (mode & BLK_OPEN_WRITE)) {
		err = -EROFS;
	} else if (r->res.role != ROLE_PRIMARY && !repl_readable(&v->vol)) {
		/*
		 * No other error is "come again later" for udev: it would drop
		 * the device's event, and make no links.
		 */
		err = -ENXIO;
	} else if (!maybe_get_net(r->bn->net)) {
		/* The namespace is going, and takes the device with it. */
		err = -ENXIO;
	} else {
		v->openers++;
		r->openers++;
		if (mode & BLK_OPEN_WRITE) {
			v->writers++;
			r->writers++;
		}
	}
	blkrepl_unlock_quiet(r, flags);
	return err;
}

/*
 * Nobody tells us here how the device had been opened (6.1 would, newer kernels
 * don't), so the writers of a volume are forgotten only when its last opener
 * goes: until then it counts as open for writing.
 */
static void bdev_release(struct gendisk *gd)
{
	struct blkrepl_volume *v = gd->private_data;
	struct blkrepl_resource *r = v->r;
	unsigned long flags;

	blkrepl_lock(r, flags);
	v->openers--;
	r->openers--;
	if (!v->openers) {
		r->writers -= v->writers;
		v->writers = 0;
		repl_vol_closed(&v->vol);
	}
	blkrepl_unlock_quiet(r, flags);
	put_net(r->bn->net);
}

COMPAT_BDEV_OPS(bdev_open, bdev_release)

static const struct block_device_operations bdev_ops = {
	.owner = THIS_MODULE,
	.submit_bio = bdev_submit_bio,
	.open = COMPAT_BDEV_OPEN(bdev_open),
	.release = COMPAT_BDEV_RELEASE(bdev_release),
};

/* /sys/block/blkreplN/blkrepl/: for udev to make links by name. */

static ssize_t resource_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct blkrepl_volume *v = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%s\n", v->r->name);
}
static DEVICE_ATTR_RO(resource);

static ssize_t volume_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct blkrepl_volume *v = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%u\n", v->vol.nr);
}
static DEVICE_ATTR_RO(volume);

static ssize_t node_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct blkrepl_volume *v = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%u\n", v->r->res.node);
}
static DEVICE_ATTR_RO(node);

static struct attribute *bdev_attrs[] = {
	&dev_attr_resource.attr,
	&dev_attr_volume.attr,
	&dev_attr_node.attr,
	NULL
};

static const struct attribute_group bdev_group = {
	.name = BLKREPL_NAME,
	.attrs = bdev_attrs,
};

static const struct attribute_group *bdev_groups[] = { &bdev_group, NULL };

int blkrepl_bdev_new(struct blkrepl_volume *v)
{
	/* Until a disk says otherwise; a diskless node knows no better. */
	struct queue_limits lim = {
		.logical_block_size = SECTOR_SIZE,
		.dma_alignment = SECTOR_SIZE - 1,
		.physical_block_size = BLOCK_BYTES,
		.io_min = BLOCK_BYTES,
		.max_hw_sectors = REPL_MAX_DATA >> SECTOR_SHIFT,
		.max_segments = USHRT_MAX,
		.max_segment_size = UINT_MAX,
		.max_hw_discard_sectors = EXTENT_BYTES >> SECTOR_SHIFT,
		.discard_granularity = BLOCK_BYTES,
		.max_write_zeroes_sectors = EXTENT_BYTES >> SECTOR_SHIFT,
		COMPAT_LIM_FEATURES(BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA |
				    BLK_FEAT_STABLE_WRITES | BLK_FEAT_IO_STAT)
	};
	struct gendisk *gd;

	gd = blk_alloc_disk(&lim, NUMA_NO_NODE);
	if (IS_ERR(gd))
		return PTR_ERR(gd);
	gd->major = blkrepl_major;
	gd->first_minor = v->minor;
	gd->minors = 1;
	gd->flags = GENHD_FL_NO_PART;
	gd->fops = &bdev_ops;
	gd->private_data = v;
	snprintf(gd->disk_name, sizeof(gd->disk_name), BLKREPL_NAME "%u",
		 v->minor);
	v->gd = gd;
	return 0;
}

int blkrepl_bdev_add(struct blkrepl_volume *v)
{
	return device_add_disk(NULL, v->gd, bdev_groups);
}

void blkrepl_bdev_free(struct blkrepl_volume *v)
{
	put_disk(v->gd);
	v->gd = NULL;
}

int blkrepl_bdev_del(struct blkrepl_volume *v, bool force)
{
	struct blkrepl_resource *r = v->r;
	unsigned long flags;
	int err = 0;

	blkrepl_lock(r, flags);
	if (v->openers && !force)
		err = -EBUSY;
	else
		v->dying = true;
	blkrepl_unlock_quiet(r, flags);
	if (err)
		return err;
	if (force)
		blk_mark_disk_dead(v->gd);
	del_gendisk(v->gd);
	return 0;
}

/*
 * A change of limits waits for those who submit, and these may wait for the
 * disk that is being attached: so an open device keeps the limits that it has.
 *
 * Discards reach replicas as zeroes to be unmapped (see disk.c).  They are
 * offered only if our own disk does that without writing: else they would be
 * the slowest way to say nothing.
 */
int blkrepl_bdev_limits(struct blkrepl_volume *v, struct blkrepl_disk *d,
			struct queue_limits *old)
{
	unsigned int dma_mask = max_t(unsigned int, SECTOR_SIZE - 1,
				      bdev_dma_alignment(d->bdev));
	struct request_queue *q = v->gd->queue;
	struct queue_limits lim;

	if (READ_ONCE(v->openers)) {
		*old = q->limits;
		return d->lbs > queue_logical_block_size(q) ||
		       dma_mask > queue_dma_alignment(q) ? -EBUSY : 0;
	}

	lim = queue_limits_start_update(q);
	*old = lim;
	lim.logical_block_size = d->lbs;
	/* Reads go to the disk with the pages that they came with. */
	lim.dma_alignment = dma_mask;
	lim.physical_block_size = max_t(unsigned int, d->lbs, BLOCK_BYTES);
	lim.io_min = lim.physical_block_size;
	lim.max_hw_discard_sectors =
		d->can_zero ? EXTENT_BYTES >> SECTOR_SHIFT : 0;
	return queue_limits_commit_update_frozen(q, &lim);
}

void blkrepl_bdev_limits_back(struct blkrepl_volume *v,
			      const struct queue_limits *old)
{
	struct request_queue *q = v->gd->queue;
	struct queue_limits lim;

	if (READ_ONCE(v->openers))
		return;

	lim = queue_limits_start_update(q);
	lim.logical_block_size = old->logical_block_size;
	lim.dma_alignment = old->dma_alignment;
	lim.physical_block_size = old->physical_block_size;
	lim.io_min = old->io_min;
	lim.max_hw_discard_sectors = old->max_hw_discard_sectors;
	WARN_ON_ONCE(queue_limits_commit_update_frozen(q, &lim));
}
