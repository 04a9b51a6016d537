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

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/net.h>
#include <linux/uio.h>
#include <net/genetlink.h>
#include <net/sock.h>

/*
 * The mode of opening a block device has a type of its own since 6.5; before,
 * it is that of files, and drivers' open functions get the block device
 * instead of the disk, and release functions the mode.  Goes with 6.1.
 */
#ifdef BLKREPL_HAVE_BLK_MODE
#define COMPAT_BDEV_OPS(_open, _release)
#define COMPAT_BDEV_OPEN(_open)		_open
#define COMPAT_BDEV_RELEASE(_release)	_release
#else
typedef unsigned int blk_mode_t;

#define BLK_OPEN_READ		((__force blk_mode_t)FMODE_READ)
#define BLK_OPEN_WRITE		((__force blk_mode_t)FMODE_WRITE)

#define COMPAT_BDEV_OPS(_open, _release)				\
static int compat_##_open(struct block_device *bdev, fmode_t mode)	\
{									\
	return _open(bdev->bd_disk, (__force blk_mode_t)mode);		\
}									\
									\
static void compat_##_release(struct gendisk *gd, fmode_t mode)	\
{									\
	_release(gd);							\
}

#define COMPAT_BDEV_OPEN(_open)		compat_##_open
#define COMPAT_BDEV_RELEASE(_release)	compat_##_release
#endif

/*
 * Block devices are opened as files since 6.9.  Before, the handle is the
 * block device itself, and closing takes the mode of the opening: the module
 * opens in one mode only, which is exclusive.  Goes with 6.1.
 */
#ifndef BLKREPL_HAVE_BDEV_FILE
#define COMPAT_BDEV_MODE	(FMODE_READ | FMODE_WRITE | FMODE_EXCL)

static inline struct file *compat_open_disk(const char *path, blk_mode_t mode,
					    void *holder)
{
	if (WARN_ON_ONCE(mode != (BLK_OPEN_READ | BLK_OPEN_WRITE)))
		return ERR_PTR(-EINVAL);
	return (struct file *)blkdev_get_by_path(path, COMPAT_BDEV_MODE,
						 holder);
}

#define bdev_file_open_by_path(_path, _mode, _holder, _hops) \
	compat_open_disk(_path, _mode, _holder)
#define file_bdev(_f)	((struct block_device *)(_f))
#define bdev_fput(_f)	blkdev_put(file_bdev(_f), COMPAT_BDEV_MODE)
#endif

/*
 * Limits of a queue are set all at once since 6.9, and are complete with its
 * features since 6.11.  Before, there is a function for each; the features are
 * those that the module has.  Goes with 6.1.
 */
#ifdef BLKREPL_HAVE_QUEUE_LIMITS
#define COMPAT_LIM_FEATURES(_features)	.features = (_features),
#else
#define COMPAT_LIM_FEATURES(_features)

static inline void compat_set_limits(struct request_queue *q,
				     const struct queue_limits *lim)
{
	blk_queue_logical_block_size(q, lim->logical_block_size);
	blk_queue_dma_alignment(q, lim->dma_alignment);
	blk_queue_physical_block_size(q, lim->physical_block_size);
	blk_queue_io_min(q, lim->io_min);
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_max_segment_size(q, lim->max_segment_size);
	blk_queue_max_discard_sectors(q, lim->max_hw_discard_sectors);
	q->limits.discard_granularity = lim->discard_granularity;
	blk_queue_max_write_zeroes_sectors(q, lim->max_write_zeroes_sectors);
}

static inline struct gendisk *compat_alloc_disk(struct gendisk *gd,
						const struct queue_limits *lim)
{
	if (!gd)
		return ERR_PTR(-ENOMEM);
	compat_set_limits(gd->queue, lim);
	blk_queue_write_cache(gd->queue, true, true);
	blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, gd->queue);
	blk_queue_flag_set(QUEUE_FLAG_IO_STAT, gd->queue);
	return gd;
}

static inline struct queue_limits
queue_limits_start_update(struct request_queue *q)
{
	return q->limits;
}

static inline int queue_limits_commit_update_frozen(struct request_queue *q,
						    struct queue_limits *lim)
{
	blk_mq_freeze_queue(q);
	compat_set_limits(q, lim);
	blk_mq_unfreeze_queue(q);
	return 0;
}

/* The old macro is gone with this, but for its function. */
#undef blk_alloc_disk
#define blk_alloc_disk(_lim, _node)					\
({									\
	static struct lock_class_key __key;				\
									\
	compat_alloc_disk(__blk_alloc_disk(_node, &__key), _lim);	\
})
#endif

/*
 * Addresses of kernel sockets have a type without a length since 6.19.  Goes
 * with 6.12.
 */
#ifdef BLKREPL_HAVE_SOCKADDR_UNSIZED
#define COMPAT_SOCKADDR(_addr)	((struct sockaddr_unsized *)(_addr))
#else
#define COMPAT_SOCKADDR(_addr)	((struct sockaddr *)(_addr))
#endif

/*
 * MSG_SPLICE_PAGES, by which a socket takes pages as they are, works since
 * 6.5.  Older kernels may define it and ignore it: they have sendpage instead.
 * Goes with 6.1.
 */
#ifdef BLKREPL_HAVE_SENDPAGE
static inline int compat_splice_bvec(struct socket *sock, struct msghdr *msg)
{
	struct iov_iter *iter = &msg->msg_iter;
	const struct bio_vec *bv;
	int ret = 0, done = 0;
	size_t len;
	int more;

	lock_sock(sock->sk);
	while (iov_iter_count(iter)) {
		bv = iter->bvec;
		len = min(bv->bv_len - iter->iov_offset, iov_iter_count(iter));
		more = len < iov_iter_count(iter) ?
			MSG_MORE | MSG_SENDPAGE_NOTLAST : 0;
		ret = kernel_sendpage_locked(sock->sk, bv->bv_page,
					     bv->bv_offset + iter->iov_offset,
					     len, msg->msg_flags | more);
		if (ret <= 0)
			break;
		iov_iter_advance(iter, ret);
		done += ret;
	}
	release_sock(sock->sk);
	return done ? done : ret;
}
#else
static inline int compat_splice_bvec(struct socket *sock, struct msghdr *msg)
{
	msg->msg_flags |= MSG_SPLICE_PAGES;
	return sock_sendmsg(sock, msg);
}
#endif

/* What a dump was asked is found in another struct since 6.7. Goes with 6.1 */
#ifndef BLKREPL_HAVE_GENL_INFO_DUMP
#define genl_info_dump(_cb)	genl_dumpit_info(_cb)
#endif

/* A timer's function was set by itself before 6.13. Goes with 6.12 */
#ifndef BLKREPL_HAVE_HRTIMER_SETUP
static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *),
	      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif
