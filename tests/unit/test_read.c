// SPDX-License-Identifier: GPL-2.0
/* Reads that go straight to the disk: when they may, and what they met there. */
#include "scenes.h"
#include "tap.h"

#define SIZE	4096

static struct fake f;

static struct fake_io *read_new(u64 sector)
{
	struct fake_io *x = fake_io_new(&f);

	x->ours = true;
	x->io.vol = &f.vol;
	x->io.op = OP_READ;
	x->io.sector = sector;
	x->io.size = SIZE;
	return x;
}

/* The core is to see what a shell gives back: what was there before is gone. */
static void taken_over(struct fake_io *x, int err)
{
	CHECK(!x->io.state && !x->io.link.next);
	repl_read_done(&x->io, err);
}

static bool may_read(u64 sector)
{
	struct fake_io *x = read_new(sector);
	bool may = repl_read_begin(&x->io);

	if (may)
		CHECK(repl_read_end(&x->io));
	x->done = true;
	return may;
}

static struct fake_io *write_issued(u64 sector)
{
	struct fake_io *w = fake_submit(&f, OP_WRITE, sector, SIZE);

	while (fake_meta_step(&f))
		;
	CHECK(w->io.seq && !w->done);
	return w;
}

static void peer_acks(struct fake_io *w)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };

	h.seq = cpu_to_le64(w->io.seq);
	fake_rx(&f, 0, &h, "");
}

/* It is counted, and keeps the disk while it is there. */
static void counted(void)
{
	struct fake_io *x;

	scene(&f, SCENE_PRIMARY);
	x = read_new(8);
	CHECK(repl_read_begin(&x->io));
	CHECK(f.vol.stat.in_flight == 1 && !repl_idle(&f.res));
	CHECK(f.vol.stat.reads == 1 && f.vol.stat.read_bytes == SIZE);
	CHECK(f.vol.store->disk_ios == 1);
	CHECK(repl_read_end(&x->io));
	x->done = true;
	CHECK(!f.vol.stat.in_flight && repl_idle(&f.res));
	CHECK(f.vol.stat.reads == 1 && !f.vol.store->disk_ios);
	fake_exit(&f);
}

/* What would be held, fail, or come from elsewhere does not go straight. */
static void refused(void)
{
	scene(&f, SCENE_PRIMARY);
	CHECK(may_read(8));
	f.res.susp = SUSP_QUORUM;
	CHECK(!may_read(8));
	f.res.susp = 0;
	f.vol.revoked = true;
	CHECK(!may_read(8));
	f.vol.revoked = false;
	f.vol.disk = DISK_OUTDATED;
	CHECK(!may_read(8));
	f.vol.disk = DISK_UPTODATE;
	CHECK(may_read(8));
	CHECK(!app_busy(&f.res) && f.vol.stat.reads == 2);
	fake_exit(&f);

	scene(&f, SCENE_TARGET);
	CHECK(!may_read(8));
	fake_exit(&f);

	scene(&f, SCENE_DISKLESS);
	CHECK(!may_read(8));
	fake_exit(&f);
}

/* Nobody reads what is not acknowledged, nor beside a primary's write that comes. */
static void under_a_write(void)
{
	struct repl_wire_hdr h = { .type = PKT_WRITE };
	static u8 data[SIZE];
	struct fake_io *w;

	scene(&f, SCENE_PRIMARY);
	w = write_issued(8);
	CHECK(!may_read(8) && !may_read(15) && !may_read(1));
	CHECK(may_read(0) && may_read(16));
	fake_run(&f);
	CHECK(!may_read(8));
	peer_acks(w);
	CHECK(w->done && may_read(8));
	fake_exit(&f);

	scene(&f, SCENE_SECONDARY);
	h.seq = cpu_to_le64(f.res.seq + 1);
	h.sector = cpu_to_le64(8);
	h.size = cpu_to_le32(SIZE);
	h.length = h.size;
	h.id = cpu_to_le64(BIT(0) | BIT(1));
	CHECK(may_read(8));
	CHECK(fake_rx(&f, 0, &h, data) == WIRE_OK);
	CHECK(!may_read(8) && may_read(16));
	fake_run(&f);
	CHECK(may_read(8));
	fake_exit(&f);
}

/* A write that came meanwhile may be part of it: the read ends with that. */
static void write_meanwhile(void)
{
	struct fake_io *x, *other, *w;

	scene(&f, SCENE_PRIMARY);
	x = read_new(8);
	other = read_new(64);
	CHECK(repl_read_begin(&x->io) && repl_read_begin(&other->io));
	w = write_issued(8);
	CHECK(repl_read_end(&other->io));
	other->done = true;
	CHECK(!repl_read_end(&x->io));
	taken_over(x, 0);
	fake_run(&f);
	CHECK(!x->done && !f.vol.store->disk_ios);
	peer_acks(w);
	CHECK(w->done && x->done && !x->err);
	CHECK(!app_busy(&f.res) && f.vol.stat.reads == 2);
	fake_exit(&f);
}

/* As with any read: the disk is let go of, a peer is asked; or it is passed on. */
static void fails(void)
{
	struct fake_io *x;

	scene(&f, SCENE_PRIMARY);
	f.keep_pkts = true;
	x = read_new(8);
	CHECK(repl_read_begin(&x->io));
	taken_over(x, -EIO);
	CHECK(!store_live(&f.vol) && !x->done, "%d", f.vol.disk);
	CHECK(fake_find(&f, PKT_READ), "susp %x", f.res.susp);
	fake_run(&f);
	CHECK(f.closed);
	fake_down(&f, 0);
	f.res.conf.on_no_data = NO_DATA_IO_ERROR;
	repl_tick(&f.res, f.res.now + 100);
	CHECK(x->done && x->err == -EIO);
	fake_exit(&f);

	scene(&f, SCENE_PRIMARY);
	f.vol.conf.on_io_error = ON_ERROR_PASS_ON;
	x = read_new(8);
	CHECK(repl_read_begin(&x->io));
	taken_over(x, -EIO);
	CHECK(f.vol.disk == DISK_UPTODATE && x->done && x->err == -EIO);
	CHECK(!f.vol.store->disk_ios);
	fake_exit(&f);
}

/* The disk is kept until its last read is through. */
static void detach_waits(void)
{
	struct fake_io *x;
	const char *why;

	scene(&f, SCENE_PRIMARY);
	x = read_new(8);
	CHECK(repl_read_begin(&x->io));
	CHECK(!repl_detach(&f.vol, true, &why), "%s", why);
	fake_run(&f);
	CHECK(!f.closed && !may_read(8));
	CHECK(!repl_read_end(&x->io));
	taken_over(x, 0);
	CHECK(x->done && !x->err);
	fake_run(&f);
	CHECK(f.closed);
	fake_exit(&f);
}

int main(void)
{
	RUN(counted);
	RUN(refused);
	RUN(under_a_write);
	RUN(write_meanwhile);
	RUN(fails);
	RUN(detach_waits);
	return tap_end();
}
