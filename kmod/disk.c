// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O to the backing device.
 *
 * Every I/O has its bio inside, so that nothing is allocated here: several may
 * be submitted in one go below somebody's submit_bio(), where waiting for an
 * earlier bio to be freed would be waiting for ourselves.
 *
 * Discards: replicas have to stay bit-identical, but no device promises what
 * a discarded block reads as.  So a discard is done as REQ_OP_WRITE_ZEROES
 * that may unmap, which does promise it.  A device that can't do that gets
 * zeroes written.
 */
#include <linux/blkdev.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "blkrepl.h"
#include "trace.h"

/* What an I/O's bio does just now. */
enum disk_step {
	STEP_DATA,		/* read, write, flush: one bio does it */
	STEP_UNMAP,		/* REQ_OP_WRITE_ZEROES */
	STEP_ZERO,		/* pages of zeroes, piece by piece */
	STEP_FLUSH,		/* FUA for what can't carry it */
	STEP_POST,		/* data was read: look at it */
};

enum meta_step {
	META_FLUSH_DATA,	/* the other device, first */
	META_WRITE,
	META_FLUSH,
};

static void disk_end_io(struct bio *bio);
static void disk_work(struct work_struct *work);

static bool wants_post(const struct repl_io *io)
{
	return io->op == OP_READ && io->flags & (IOF_DIGEST | IOF_CHECK_ZERO);
}

/*
 * The core may remember a peer's write until all replicas have it, and a
 * resync request until the source has answered, but nobody needs their data
 * any more; the next ones need its room.
 */
static bool data_is_done(const struct repl_io *io)
{
	return (io->op == OP_WRITE && io->kind != IO_APP) ||
	       (io->op == OP_READ && io->kind == IO_RS_REQ);
}

void blkrepl_disk_ended(struct blkrepl_io *b)
{
	trace_blkrepl_io_done(&b->io, b->disk_err);
	blkrepl_latency_disk(b);
	repl_io_done(&b->io, b->disk_err);
}

/*
 * Devices in memory end an I/O while it is being submitted.  If that was done
 * by the thread that receives, it sends the answer itself when it is through
 * with its list, instead of waking up the thread that sends.
 */
static bool collected(struct blkrepl_io *b)
{
	struct blkrepl_stream *s;

	if (!in_task() || !(current->flags & PF_KTHREAD) ||
	    kthread_func(current) != blkrepl_conn_thread)
		return false;
	s = kthread_data(current);
	/* With stacked resources the disk may be another one's device. */
	if (!s->collecting || s->peer->r != b->r)
		return false;
	list_add_tail(&b->todo, &s->ended);
	return true;
}

static void disk_done(struct blkrepl_io *b, int err)
{
	struct blkrepl_resource *r = b->r;
	unsigned long flags;

	b->disk_err = err;
	if (!err && data_is_done(&b->io))
		blkrepl_io_drop_data(b);
	if (collected(b))
		return;

	blkrepl_lock(r, flags);
	blkrepl_disk_ended(b);
	blkrepl_unlock_atomic(r, flags);
}

/* Start the next bio of @b in its present step; process context. */
static void disk_start(struct blkrepl_io *b, struct blkrepl_disk *d)
{
	struct repl_io *io = &b->io;
	struct bio *bio = &b->bio;
	blk_opf_t fua = 0;
	u32 bytes;

	if (io->flags & IOF_FUA && READ_ONCE(to_volume(io->vol)->disk_flushes))
		fua = REQ_FUA;

	switch (b->disk_step) {
	case STEP_DATA:
		if (io->op == OP_READ && b->app) {
			bio_init_clone(d->bdev, bio, b->app, GFP_NOIO);
			bio->bi_opf &= ~BLKREPL_APP_ONLY;
			break;
		}
		bio_init(bio, d->bdev, b->buf.vec, b->buf.nr,
			 io->op == OP_READ ? REQ_OP_READ :
			 io->op == OP_FLUSH ? REQ_OP_WRITE | REQ_PREFLUSH :
			 REQ_OP_WRITE | REQ_SYNC | fua);
		if (io->op != OP_FLUSH) {
			bio->bi_vcnt = b->buf.nr;
			bio->bi_iter.bi_size = b->buf.size;
			bio->bi_iter.bi_sector = io->sector;
		}
		break;
	case STEP_UNMAP:
		bio_init(bio, d->bdev, NULL, 0, REQ_OP_WRITE_ZEROES | REQ_SYNC |
			 (io->flags & IOF_NOUNMAP ? REQ_NOUNMAP : 0));
		bio->bi_iter.bi_size = io->size;
		bio->bi_iter.bi_sector = io->sector;
		break;
	case STEP_ZERO:
		bytes = min_t(u32, b->disk_left, BIO_MAX_VECS * PAGE_SIZE);
		bio_init(bio, d->bdev, blkrepl_zero_vecs, BIO_MAX_VECS,
			 REQ_OP_WRITE | REQ_SYNC | fua);
		bio->bi_vcnt = BIO_MAX_VECS;
		bio->bi_iter.bi_size = bytes;
		bio->bi_iter.bi_sector = b->disk_sector;
		b->disk_sector += bytes >> SECTOR_SHIFT;
		b->disk_left -= bytes;
		break;
	case STEP_FLUSH:
		bio_init(bio, d->bdev, NULL, 0, REQ_OP_WRITE | REQ_PREFLUSH);
		break;
	}
	bio->bi_end_io = disk_end_io;
	bio->bi_private = b;
	submit_bio_noacct(bio);
}

/* Some devices can zero if they may unmap, but not without. */
static bool *can_zero(struct blkrepl_disk *d, const struct repl_io *io)
{
	return io->flags & IOF_NOUNMAP ? &d->can_zero_nounmap : &d->can_zero;
}

void blkrepl_disk_submit(struct blkrepl_io *b)
{
	struct blkrepl_volume *v = to_volume(b->io.vol);
	struct blkrepl_disk *d = READ_ONCE(v->disk);

	/* The core names no disk that it has let go of. */
	if (WARN_ON_ONCE(!d)) {
		disk_done(b, -ENODEV);
		return;
	}
	if (b->io.op == OP_FLUSH && !READ_ONCE(v->disk_flushes)) {
		disk_done(b, 0);
		return;
	}
	b->disk_step = STEP_DATA;
	if (b->io.op == OP_DISCARD || b->io.op == OP_ZEROES) {
		b->disk_sector = b->io.sector;
		b->disk_left = b->io.size;
		b->disk_step = READ_ONCE(*can_zero(d, &b->io)) ? STEP_UNMAP :
							 STEP_ZERO;
	}
	INIT_WORK(&b->disk_work, disk_work);
	disk_start(b, d);
}

/*
 * A bio has ended.  Return: true if there is more to be done, in process
 * context: start ->disk_step, or look at the data.
 */
static bool disk_next(struct blkrepl_io *b, blk_status_t status)
{
	struct blkrepl_disk *d = to_volume(b->io.vol)->disk;

	switch (b->disk_step) {
	case STEP_DATA:
		if (status || !wants_post(&b->io))
			return false;
		b->disk_step = STEP_POST;
		return true;
	case STEP_UNMAP:
		/* Some devices find out only now that they can't. */
		if (status == BLK_STS_NOTSUPP || status == BLK_STS_TARGET) {
			WRITE_ONCE(*can_zero(d, &b->io), false);
			b->disk_err = 0;
			b->disk_step = STEP_ZERO;
			return true;
		}
		if (status || !(b->io.flags & IOF_FUA))
			return false;
		b->disk_step = STEP_FLUSH;
		return true;
	case STEP_ZERO:
		return !status && b->disk_left;
	default:
		return false;
	}
}

static void disk_end_io(struct bio *bio)
{
	struct blkrepl_io *b = bio->bi_private;
	blk_status_t status = bio->bi_status;

	bio_uninit(bio);
	b->disk_err = blk_status_to_errno(status);
	if (!disk_next(b, status))
		disk_done(b, b->disk_err);
	else
		/* Digests take time: not on the queue that others wait for. */
		queue_work(b->disk_step == STEP_POST ? blkrepl_wq :
						       blkrepl_io_wq,
			   &b->disk_work);
}

static void disk_work(struct work_struct *work)
{
	struct blkrepl_io *b = container_of(work, struct blkrepl_io, disk_work);
	struct blkrepl_volume *v = to_volume(b->io.vol);
	struct repl_io *io = &b->io;

	if (b->disk_step == STEP_FLUSH && !READ_ONCE(v->disk_flushes)) {
		disk_done(b, 0);
		return;
	}
	if (b->disk_step != STEP_POST) {
		disk_start(b, v->disk);
		return;
	}
	if (io->flags & IOF_CHECK_ZERO && blkrepl_buf_is_zero(&b->buf))
		io->flags |= IOF_IS_ZERO;
	if (io->flags & IOF_DIGEST)
		blkrepl_buf_digest(&b->buf, to_peer(io->peer)->digest_key,
				   io->digest);
	disk_done(b, 0);
}

/* ---- metadata: one write at a time, always stable when it is done ---- */

static void meta_done(struct blkrepl_volume *v, int err)
{
	struct blkrepl_resource *r = v->r;
	struct repl_mio *mio;
	unsigned long flags;

	blkrepl_lock(r, flags);
	mio = v->disk->mio;
	v->disk->mio = NULL;
	trace_blkrepl_meta_done(&v->vol, mio, err);
	repl_meta_done(&v->vol, mio, err);
	blkrepl_unlock_atomic(r, flags);
}

static void meta_end_io(struct bio *bio)
{
	struct blkrepl_volume *v = bio->bi_private;
	struct blkrepl_disk *d = v->disk;
	int err = blk_status_to_errno(bio->bi_status);

	bio_uninit(bio);
	if (!err && d->meta_step == META_FLUSH_DATA) {
		d->meta_step = META_WRITE;
		queue_work(blkrepl_io_wq, &d->meta_work);
		return;
	}
	meta_done(v, err);
}

static void meta_start(struct blkrepl_volume *v)
{
	struct blkrepl_disk *d = v->disk;
	struct bio *bio = &d->meta_bio;
	blk_opf_t opf = REQ_OP_WRITE | REQ_SYNC | REQ_META | REQ_PRIO;
	struct repl_mio *mio = d->mio;

	if (d->meta_step == META_FLUSH_DATA) {
		bio_init(bio, d->bdev, NULL, 0, REQ_OP_WRITE | REQ_PREFLUSH);
	} else {
		if (READ_ONCE(v->disk_flushes)) {
			opf |= REQ_FUA;
			if (mio->flush_data && d->meta_bdev == d->bdev)
				opf |= REQ_PREFLUSH;
		}
		bio_init(bio, d->meta_bdev, d->meta_vec,
			 ARRAY_SIZE(d->meta_vec), opf);
		bvec_set_page(&d->meta_vec[0], virt_to_page(d->meta_buf),
			      mio->len, 0);
		bio->bi_vcnt = 1;
		bio->bi_iter.bi_size = mio->len;
		bio->bi_iter.bi_sector = (d->meta_area + mio->offset) >>
					 SECTOR_SHIFT;
	}
	bio->bi_end_io = meta_end_io;
	bio->bi_private = v;
	submit_bio_noacct(bio);
}

static void meta_work(struct work_struct *work)
{
	struct blkrepl_disk *d = container_of(work, struct blkrepl_disk,
					      meta_work);

	meta_start(d->meta_bio.bi_private);
}

void blkrepl_meta_submit(struct blkrepl_volume *v)
{
	struct blkrepl_disk *d = v->disk;
	struct repl_mio *mio = d->mio;

	if (WARN_ON_ONCE(!mio->len || mio->len > BLKREPL_META_MAX ||
			 (mio->len | mio->offset) & (d->lbs - 1))) {
		meta_done(v, -EINVAL);
		return;
	}
	/* The core's buffer may be anywhere; devices want it aligned. */
	memcpy(d->meta_buf, mio->buf, mio->len);
	d->meta_step = META_WRITE;
	if (mio->flush_data && d->meta_bdev != d->bdev &&
	    READ_ONCE(v->disk_flushes))
		d->meta_step = META_FLUSH_DATA;
	meta_start(v);
}

/* ---- set-up ---- */

int blkrepl_disk_init(struct blkrepl_volume *v, struct blkrepl_disk *d)
{
	d->meta_buf = (void *)__get_free_pages(GFP_KERNEL,
					       get_order(BLKREPL_META_MAX));
	if (!d->meta_buf)
		return -ENOMEM;
	d->can_zero = bdev_write_zeroes_sectors(d->bdev) > 0;
	d->can_zero_nounmap = d->can_zero;
	d->mio = NULL;
	INIT_WORK(&d->meta_work, meta_work);
	return 0;
}

void blkrepl_disk_exit(struct blkrepl_disk *d)
{
	free_pages((unsigned long)d->meta_buf, get_order(BLKREPL_META_MAX));
	d->meta_buf = NULL;
}

/* ops->disk_close: nothing is under way and nothing will be. */
static void close_work(struct work_struct *work)
{
	struct blkrepl_volume *v = container_of(work, struct blkrepl_volume,
						close_work);
	struct blkrepl_resource *r = v->r;
	struct repl_store *store;
	struct blkrepl_disk *d;
	unsigned long flags;

	blkrepl_lock(r, flags);
	store = repl_store_take(&v->vol);
	d = v->disk;
	v->disk = NULL;
	blkrepl_unlock(r, flags);

	repl_store_free(store);
	if (d) {
		/* The end of the last bio may still be in its last lines. */
		flush_work(&d->meta_work);
		blkrepl_disk_exit(d);
		blkrepl_disk_free(d);
	}
	wake_up_all(&v->disk_wait);
}

static void size_work(struct work_struct *work)
{
	struct blkrepl_volume *v = container_of(work, struct blkrepl_volume,
						size_work);
	unsigned int noio = memalloc_noio_save();

	set_capacity_and_notify(v->gd, READ_ONCE(v->vol.sectors));
	memalloc_noio_restore(noio);
}

void blkrepl_volume_init(struct blkrepl_volume *v)
{
	INIT_LIST_HEAD(&v->meta_todo);
	INIT_WORK(&v->close_work, close_work);
	INIT_WORK(&v->size_work, size_work);
	init_waitqueue_head(&v->disk_wait);
	v->disk_flushes = true;
}

void blkrepl_volume_flush(struct blkrepl_volume *v)
{
	flush_work(&v->close_work);
	flush_work(&v->size_work);
}
