/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Force-included in every file of the module, after probes.h: what older
 * kernels lack is made here, so that all other files are written to the newest
 * interfaces and have no conditions on kernels.  Probes (probe/NAME.c) decide.
 *
 * Each shim says why, and with which kernel's retirement it goes.
 */
#ifndef BLKREPL_COMPAT_H
#define BLKREPL_COMPAT_H

#include <linux/blkdev.h>
#include <linux/fs.h>
#include <net/genetlink.h>

/*
 * Block devices are opened as files since 6.9.  Before, the handle is the
 * block device itself, and closing takes the mode of the opening: the module
 * opens in one mode only, which is exclusive.  Goes with 6.1.
 */
#ifndef BLKREPL_HAVE_BDEV_FILE
#define BLK_OPEN_READ		((__force unsigned int)FMODE_READ)
#define BLK_OPEN_WRITE		((__force unsigned int)FMODE_WRITE)
#define COMPAT_BDEV_MODE	(FMODE_READ | FMODE_WRITE | FMODE_EXCL)

static inline struct file *compat_bdev_open(const char *path,
					    unsigned int mode, void *holder)
{
	struct block_device *bdev;

	if (WARN_ON_ONCE(mode != (BLK_OPEN_READ | BLK_OPEN_WRITE)))
		return ERR_PTR(-EINVAL);
	bdev = blkdev_get_by_path(path, COMPAT_BDEV_MODE, holder);
	return (struct file *)bdev;
}

#define bdev_file_open_by_path(path, mode, holder, hops) \
	compat_bdev_open(path, mode, holder)
#define file_bdev(f)	((struct block_device *)(f))
#define bdev_fput(f)	blkdev_put(file_bdev(f), COMPAT_BDEV_MODE)
#endif

/* What a dump was asked is found in another struct since 6.7. Goes with 6.1 */
#ifndef BLKREPL_HAVE_GENL_INFO_DUMP
#define genl_info_dump(cb)	genl_dumpit_info(cb)
#endif

#endif
