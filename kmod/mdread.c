// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading metadata from a device that is about to be attached.
 *
 * A device may never answer, and whoever waits for it can be killed.  The I/O
 * cannot be taken back, though: the device stays open and the buffer in place
 * until it ends, long after the command has.  So a reader is counted, once for
 * the command and once for the bio that is under way, and closes what is left
 * to it.
 */
#include <linux/bio.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "netlink.h"

#define READ_PAGES	16
#define READ_BYTES	(READ_PAGES * PAGE_SIZE)

/**
 * struct blkrepl_reader - reads a device through a buffer of its own
 * @bdev: the device
 * @bytes: its size
 * @ref: the owner's and the bio's
 * @begin: what is in the buffer, up to @end
 * @end: @begin: nothing
 * @done: the bio has ended
 * @stuck: its end was not waited for
 * @orphan: disk to be closed at the end
 * @work: the end, if the bio is the last one
 * @bio: one at a time
 * @vec: of @bio
 * @page: the buffer
 */
struct blkrepl_reader {
	struct block_device *bdev;
	u64 bytes;
	refcount_t ref;
	u64 begin;
	u64 end;
	struct completion done;
	bool stuck;
	struct blkrepl_disk *orphan;
	struct work_struct work;
	struct bio bio;
	struct bio_vec vec[READ_PAGES];
	struct page *page[READ_PAGES];
};

static void reader_free(struct blkrepl_reader *rd)
{
	unsigned int i;

	if (rd->orphan)
		blkrepl_disk_free(rd->orphan);
	for (i = 0; i < READ_PAGES; i++)
		if (rd->page[i])
			__free_page(rd->page[i]);
	kfree(rd);
	module_put(THIS_MODULE);
}

/* The module's exit waits for the workqueue, so for the end of this. */
static void reader_work(struct work_struct *work)
{
	reader_free(container_of(work, struct blkrepl_reader, work));
}

static void reader_end_io(struct bio *bio)
{
	struct blkrepl_reader *rd = container_of(bio, struct blkrepl_reader,
						 bio);

	bio_uninit(bio);
	complete(&rd->done);
	if (refcount_dec_and_test(&rd->ref))
		queue_work(blkrepl_wq, &rd->work);
}

struct blkrepl_reader *blkrepl_reader_new(struct block_device *bdev)
{
	struct blkrepl_reader *rd = kzalloc(sizeof(*rd), GFP_KERNEL);
	unsigned int i;

	if (!rd)
		return NULL;
	__module_get(THIS_MODULE);
	rd->bdev = bdev;
	rd->bytes = bdev_nr_bytes(bdev);
	refcount_set(&rd->ref, 1);
	init_completion(&rd->done);
	INIT_WORK(&rd->work, reader_work);
	for (i = 0; i < READ_PAGES; i++) {
		rd->page[i] = alloc_page(GFP_KERNEL);
		if (!rd->page[i]) {
			reader_free(rd);
			return NULL;
		}
	}
	return rd;
}

bool blkrepl_reader_put(struct blkrepl_reader *rd, struct blkrepl_disk *disk)
{
	bool stuck = rd->stuck;

	if (stuck)
		rd->orphan = disk;
	if (refcount_dec_and_test(&rd->ref))
		reader_free(rd);
	return stuck;
}

/* Read into the buffer: whole pages but for the device's end. */
static int reader_fill(struct blkrepl_reader *rd, u64 offset, u64 end)
{
	struct bio *bio = &rd->bio;
	u32 len = end - offset;
	unsigned int i;

	if (rd->stuck)
		return -EINTR;
	rd->begin = offset;
	rd->end = offset;
	bio_init(bio, rd->bdev, rd->vec, READ_PAGES, REQ_OP_READ | REQ_META);
	bio->bi_iter.bi_sector = offset >> SECTOR_SHIFT;
	for (i = 0; len; i++) {
		u32 part = min_t(u32, len, PAGE_SIZE);

		__bio_add_page(bio, rd->page[i], part, 0);
		len -= part;
	}
	bio->bi_end_io = reader_end_io;
	reinit_completion(&rd->done);
	refcount_inc(&rd->ref);
	submit_bio(bio);
	if (wait_for_completion_killable(&rd->done)) {
		rd->stuck = true;
		return -EINTR;
	}
	if (!bio->bi_status)
		rd->end = end;
	return blk_status_to_errno(bio->bi_status);
}

/*
 * Have the byte at @offset in the buffer, and at least as much of the @len from
 * there as fits.  Maps are read from start to end, so what follows is read as
 * well, unless just that is what can't be read.
 */
static int reader_seek(struct blkrepl_reader *rd, u64 offset, u32 len)
{
	/* The device may have sectors of 4 KiB; pages are a multiple. */
	u64 begin = round_down(offset, PAGE_SIZE);
	u64 most = min(begin + READ_BYTES, rd->bytes);
	u64 need = min(round_up(offset + len, PAGE_SIZE), most);
	int err;

	if (offset >= rd->begin && min(offset + len, need) <= rd->end)
		return 0;
	err = reader_fill(rd, begin, most);
	if (err && need < most)
		err = reader_fill(rd, begin, need);
	return err;
}

int blkrepl_reader_read(void *ctx, u64 offset, void *buf, u32 len)
{
	struct blkrepl_reader *rd = ctx;

	if (offset > rd->bytes || len > rd->bytes - offset)
		return -EINVAL;

	while (len) {
		int err = reader_seek(rd, offset, len);

		if (err)
			return err;
		while (len && offset < rd->end) {
			u32 in = offset - rd->begin;
			u32 part = min3(len, (u32)(PAGE_SIZE - in % PAGE_SIZE),
					(u32)(rd->end - offset));

			memcpy_from_page(buf, rd->page[in / PAGE_SIZE],
					 in % PAGE_SIZE, part);
			buf += part;
			offset += part;
			len -= part;
		}
	}
	return 0;
}
