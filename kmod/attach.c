// SPDX-License-Identifier: GPL-2.0-only
/*
 * Backing devices: opened and checked when a volume is attached, closed when
 * the core has let go of them.
 *
 * Nothing is written before the core has read and accepted the metadata, so a
 * refused attach has changed nothing.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/slab.h>

#include "netlink.h"

/* ---- opening and closing ---- */

static int open_refused(struct netlink_ext_ack *extack, const char *path,
			int err)
{
	switch (err) {
	case -EBUSY:
		return blkrepl_refuse(extack, err,
				      "%s is in use: mounted, swap, or part of RAID, LVM or another volume",
				      path);
	case -ENOENT:
		return blkrepl_refuse(extack, err, "%s does not exist", path);
	case -ENOTBLK:
		return blkrepl_refuse(extack, err, "%s is not a block device",
				      path);
	case -EACCES:
	case -EROFS:
		return blkrepl_refuse(extack, err,
				      "%s cannot be written to: is it read-only?",
				      path);
	case -ENXIO:
	case -ENODEV:
		return blkrepl_refuse(extack, err,
				      "%s: there is no device behind this name",
				      path);
	default:
		return blkrepl_refuse(extack, err, "cannot open %s: error %d",
				      path, err);
	}
}

/*
 * Open @path for @v alone.  Both of a volume's devices have the same holder,
 * so the second open of the same device would succeed: see attach_open().
 */
static struct file *open_device(struct blkrepl_volume *v, const char *path,
				struct netlink_ext_ack *extack)
{
	struct block_device *bdev;
	struct file *f;
	dev_t dev;
	int err;

	err = lookup_bdev(path, &dev);
	if (err)
		return ERR_PTR(open_refused(extack, path, err));
	/* Before it is opened: that could wait for the very same volume. */
	if (MAJOR(dev) == blkrepl_major)
		return ERR_PTR(blkrepl_refuse(extack, -EINVAL,
					      "%s is a blkrepl device itself: these cannot be stacked",
					      path));

	f = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, v,
				   NULL);
	if (IS_ERR(f))
		return ERR_PTR(open_refused(extack, path, PTR_ERR(f)));

	bdev = file_bdev(f);
	if (bdev_read_only(bdev))
		err = open_refused(extack, path, -EROFS);
	else if (!bdev_nr_sectors(bdev))
		err = blkrepl_refuse(extack, -ENXIO, "%s has no size", path);
	else if (bdev_logical_block_size(bdev) > META_BLOCK)
		err = blkrepl_refuse(extack, -EINVAL,
				     "%s has sectors of %u bytes: at most %u are supported",
				     path, bdev_logical_block_size(bdev),
				     META_BLOCK);
	if (err) {
		bdev_fput(f);
		return ERR_PTR(err);
	}
	return f;
}

static void close_devices(struct blkrepl_disk *d)
{
	if (d->meta_handle)
		bdev_fput(d->meta_handle);
	if (d->data_handle)
		bdev_fput(d->data_handle);
}

/**
 * blkrepl_disk_free() - close the devices of a disk and free it
 * @d: the disk, after blkrepl_disk_exit()
 *
 * May sleep.
 */
void blkrepl_disk_free(struct blkrepl_disk *d)
{
	close_devices(d);
	kfree(d);
}

static int open_meta(struct blkrepl_volume *v, struct blkrepl_disk *d,
		     const struct blkrepl_attach_params *a,
		     struct netlink_ext_ack *extack)
{
	struct file *f = open_device(v, a->meta, extack);

	if (IS_ERR(f))
		return PTR_ERR(f);
	d->meta_handle = f;
	d->meta_bdev = file_bdev(f);
	return 0;
}

/* A witness has metadata alone. */
static int open_witness(struct blkrepl_volume *v, struct blkrepl_disk *d,
			const struct blkrepl_attach_params *a,
			struct netlink_ext_ack *extack)
{
	int err = open_meta(v, d, a, extack);

	if (err)
		return err;
	d->bdev = d->meta_bdev;
	d->lbs = bdev_logical_block_size(d->bdev);
	return 0;
}

static int attach_open(struct blkrepl_volume *v, struct blkrepl_disk *d,
		       const struct blkrepl_attach_params *a,
		       struct netlink_ext_ack *extack)
{
	struct file *f;
	int err;

	if (!a->disk)
		return open_witness(v, d, a, extack);
	f = open_device(v, a->disk, extack);
	if (IS_ERR(f))
		return PTR_ERR(f);
	d->data_handle = f;
	d->bdev = file_bdev(f);
	d->meta_bdev = d->bdev;
	d->bytes = bdev_nr_bytes(d->bdev);
	d->lbs = bdev_logical_block_size(d->bdev);
	if (!a->meta)
		return 0;

	err = open_meta(v, d, a, extack);
	if (err)
		return err;
	if (d->meta_bdev == d->bdev)
		return blkrepl_refuse(extack, -EINVAL,
				      "%s holds the data: for internal metadata name no meta disk",
				      a->meta);
	return 0;
}

/*
 * Read the metadata.  If that was given up while the device had not answered,
 * the reader keeps the disk, to be closed when it does: *@disk becomes NULL.
 */
static int attach_load(struct blkrepl_volume *v, struct blkrepl_disk **disk,
		       const struct blkrepl_attach_params *a,
		       struct repl_store **store, struct netlink_ext_ack *extack)
{
	struct blkrepl_disk *d = *disk;
	struct repl_store_params p = {
		.data_bytes = d->bytes,
		.lbs = d->lbs,
		.read = blkrepl_reader_read,
	};
	int err;

	if (a->meta)
		p.meta_bytes = bdev_nr_bytes(d->meta_bdev);

	p.ctx = blkrepl_reader_new(d->meta_bdev);
	if (!p.ctx)
		return blkrepl_refuse(extack, -ENOMEM,
				      "no memory to read metadata");
	err = repl_store_load(&v->r->res, v->vol.nr, &a->conf, &p, store);
	if (blkrepl_reader_put(p.ctx, d)) {
		*disk = NULL;
		return -EINTR;
	}
	if (err)
		return blkrepl_refuse(extack, err, "metadata on %s: %s",
				      a->meta ?: a->disk,
				      p.why ?: "cannot be read");
	return 0;
}

/* ---- attach ---- */

static bool attach_over(struct blkrepl_volume *v, enum repl_disk *state)
{
	unsigned long flags;
	bool over;

	blkrepl_lock(v->r, flags);
	*state = v->vol.disk;
	over = *state > DISK_ATTACHING || !v->disk;
	blkrepl_unlock_quiet(v->r, flags);
	return over;
}

/* The paths are shown by status: they change under the spinlock. */
static void set_paths(struct blkrepl_volume *v, char *disk, char *meta)
{
	unsigned long flags;

	blkrepl_lock(v->r, flags);
	swap(v->disk_path, disk);
	swap(v->meta_path, meta);
	blkrepl_unlock(v->r, flags);
	kfree(disk);
	kfree(meta);
}

/* Hand disk and store to the core; they are still the caller's on error. */
static int attach_start(struct blkrepl_volume *v, struct blkrepl_disk *d,
			struct repl_store *store,
			const struct blkrepl_attach_params *a,
			struct netlink_ext_ack *extack)
{
	struct blkrepl_resource *r = v->r;
	struct repl_vol_conf conf;
	const char *why = NULL;
	struct queue_limits old;
	unsigned long flags;
	bool disk_flushes;
	int err;

	/* Nobody does I/O on a witness. */
	err = a->disk ? blkrepl_bdev_limits(v, d, &old) : 0;
	if (err == -EBUSY)
		return blkrepl_refuse(extack, err,
				      "/dev/blkrepl%u is open, and takes I/O that the disk does not (in blocks of less than %u bytes, or not aligned to %u in memory): close it first",
				      v->minor, d->lbs,
				      bdev_dma_alignment(d->bdev) + 1);
	if (err)
		return blkrepl_refuse(extack, err,
				      "the disk's blocks of %u bytes don't suit /dev/blkrepl%u",
				      d->lbs, v->minor);

	/* The core may begin to use the disk inside repl_attach(). */
	blkrepl_lock(r, flags);
	conf = v->vol.conf;
	disk_flushes = v->disk_flushes;
	v->disk = d;
	v->close_failed = false;
	v->vol.conf = a->conf;
	v->disk_flushes = a->disk_flushes;
	err = repl_attach(&v->vol, store, &why);
	if (err) {
		v->disk = NULL;
		v->vol.conf = conf;
		v->disk_flushes = disk_flushes;
	}
	blkrepl_unlock(r, flags);
	if (err) {
		if (a->disk)
			blkrepl_bdev_limits_back(v, &old);
		return blkrepl_refuse(extack, err, "%s", why ?: "cannot attach");
	}
	return 0;
}

int blkrepl_attach(struct blkrepl_volume *v,
		   const struct blkrepl_attach_params *a,
		   struct netlink_ext_ack *extack)
{
	char *disk_path = NULL, *meta_path = NULL;
	struct repl_store *store = NULL;
	struct blkrepl_disk *d;
	enum repl_disk state;
	long left;
	int err;

	lockdep_assert_held(&v->r->admin);

	if (v->disk)
		return blkrepl_refuse(extack, -EBUSY,
				      "volume %u has a disk: detach it first",
				      v->vol.nr);

	err = -ENOMEM;
	if (a->disk)
		disk_path = kstrdup(a->disk, GFP_KERNEL);
	if (a->meta)
		meta_path = kstrdup(a->meta, GFP_KERNEL);
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if ((a->disk && !disk_path) || (a->meta && !meta_path) || !d) {
		blkrepl_refuse(extack, err, "no memory for a disk");
		goto err_alloc;
	}

	err = attach_open(v, d, a, extack);
	if (err)
		goto err_open;
	err = attach_load(v, &d, a, &store, extack);
	if (err)
		goto err_open;
	d->meta_area = repl_store_area(store);
	err = blkrepl_disk_init(v, d);
	if (err) {
		blkrepl_refuse(extack, err, "no memory for a disk");
		goto err_init;
	}
	err = attach_start(v, d, store, a, extack);
	if (err)
		goto err_start;

	/* From here on the core owns disk and store, whatever comes. */
	set_paths(v, disk_path, meta_path);
	left = wait_event_killable_timeout(v->disk_wait, attach_over(v, &state),
					   BLKREPL_CMD_WAIT);
	if (left < 0)
		return -EINTR;
	if (!left)
		return blkrepl_refuse(extack, -ETIMEDOUT,
				      "%s does not answer; the attach goes on",
				      a->disk ?: a->meta);
	if (state <= DISK_FAILED) {
		flush_work(&v->close_work);
		return blkrepl_refuse(extack, -EIO,
				      "writing metadata to %s failed",
				      a->meta ?: a->disk);
	}
	/* The size is to be there when the command returns. */
	flush_work(&v->size_work);
	return 0;

err_start:
	blkrepl_disk_exit(d);
err_init:
	repl_store_free(store);
err_open:
	if (d)
		close_devices(d);
err_alloc:
	kfree(d);
	kfree(meta_path);
	kfree(disk_path);
	return err;
}

/* ---- detach ---- */

static bool detach_over(struct blkrepl_volume *v)
{
	unsigned long flags;
	bool over;

	blkrepl_lock(v->r, flags);
	over = !v->disk;
	blkrepl_unlock_quiet(v->r, flags);
	return over;
}

static int detach_start(struct blkrepl_volume *v, bool force, const char **why)
{
	unsigned long flags;
	int err;

	*why = NULL;
	blkrepl_lock(v->r, flags);
	err = repl_detach(&v->vol, force, why);
	blkrepl_unlock(v->r, flags);
	return err;
}

int blkrepl_detach(struct blkrepl_volume *v, bool force,
		   struct netlink_ext_ack *extack)
{
	unsigned long end = jiffies + BLKREPL_CMD_WAIT;
	bool started = false;
	const char *why;
	long left;
	int err;

	lockdep_assert_held(&v->r->admin);

	if (detach_over(v))
		return blkrepl_refuse(extack, -ENODEV, "volume %u has no disk",
				      v->vol.nr);
	/*
	 * A disk that is just coming cannot be detached yet, one that failed
	 * is on its way out already: the core calls both "no disk".
	 */
	do {
		if (!started) {
			err = detach_start(v, force, &why);
			if (err && err != -ENODEV)
				return blkrepl_refuse(extack, err,
						      "volume %u: %s",
						      v->vol.nr, why ?:
						      "cannot be detached");
			started = !err;
		}
		left = wait_event_killable_timeout(v->disk_wait, detach_over(v),
						   started ? BLKREPL_CMD_WAIT :
						   HZ / 10);
		if (left < 0)
			return -EINTR;
	} while (!left && time_before(jiffies, end));
	if (!left)
		return blkrepl_refuse(extack, -ETIMEDOUT,
				      "%s does not finish its I/O%s",
				      v->disk_path ?: "the disk",
				      started ? "; the detach goes on" : "");
	/* The volume has let go of it: now until it is closed. */
	flush_work(&v->close_work);
	return 0;
}

void blkrepl_detach_wait(struct blkrepl_volume *v)
{
	unsigned long warn = jiffies + BLKREPL_CMD_WAIT;
	const char *why;

	while (!detach_over(v)) {
		detach_start(v, true, &why);
		wait_event_timeout(v->disk_wait, detach_over(v), HZ / 10);
		/* There is no way to take back I/O that the device has. */
		if (time_after(jiffies, warn)) {
			pr_warn("blkrepl %s/%u: waiting for %s to finish its I/O\n",
				v->r->name, v->vol.nr,
				v->disk_path ?: "the disk");
			warn = jiffies + BLKREPL_CMD_WAIT;
		}
	}
	flush_work(&v->close_work);
}
