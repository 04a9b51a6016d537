// SPDX-License-Identifier: GPL-2.0
/* What a peer may lack that writes do not wait for, and what happens at the bound. */
#include "scenes.h"
#include "tap.h"

static struct fake f;

static void wait_ms(u64 ms)
{
	repl_tick(&f.res, f.res.now + ms);
	fake_run(&f);
}

static struct fake_io *write_one(u64 sector)
{
	struct fake_io *x = fake_submit(&f, OP_WRITE, sector, 4096);

	fake_run(&f);
	return x;
}

static void answers(const struct fake_io *x)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };

	h.seq = cpu_to_le64(x->io.seq);
	CHECK(fake_rx(&f, 0, &h, "") == WIRE_OK);
	fake_run(&f);
}

static void follower_says(u8 disk)
{
	struct repl_wire_vol_state w;

	fake_same_state(&f, 0, &w);
	w.disk = disk;
	lineage_to_wire(w.lineage, &f.vol.lineage);
	lineage_to_wire(w.since, &f.vol.lineage);
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
}

/* A Primary whose peer follows: it may lack 8 KiB, and nothing for over a second. */
static void follower(u8 on_backlog)
{
	struct repl_wire_res_state r = { .role = ROLE_SECONDARY, .primary = NODE_NONE };
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };
	const char *why = "-";
	struct fake_io *first;
	u32 i;

	scene_format(&f);
	fake_sb(&f)->in_sync = cpu_to_le32(BIT(0));
	fake_sb(&f)->set_version = cpu_to_le64(REIGN);
	fake_seal(&f);
	fake_init(&f, 1);
	f.res.conf.ack_policy = ACK_ASYNC;
	f.res.conf.on_backlog = on_backlog;
	f.res.conf.backlog_max = 8192;
	f.res.conf.backlog_ms = 1000;
	fake_attach(&f);
	fake_up(&f, 0);
	h.length = cpu_to_le32(sizeof(r));
	fake_rx(&f, 0, &h, &r);
	follower_says(DISK_CONSISTENT);
	CHECK(!repl_promote(&f.res, false, &why), "%s", why);
	scene_vote(&f, 0, 0);
	/* A generation begins with what is done first: not with a write, which it would lack. */
	first = fake_submit(&f, OP_FLUSH, 0, 0);
	for (i = 0; i < 4; i++) {
		scene_confirm(&f, 0);
		follower_says(DISK_CONSISTENT);
	}
	CHECK(first->done);
	CHECK(f.res.role == ROLE_PRIMARY && f.vol.in_sync == BIT(0), "%x", f.vol.in_sync);
	CHECK(pv_get(&f.vol, &f.peer[0])->receiving);
}

static void held_for_bytes(void)
{
	struct fake_io *x[3];
	u32 i;

	follower(BACKLOG_HOLD);
	for (i = 0; i < 3; i++)
		x[i] = write_one(8 * i);
	CHECK(x[0]->done && x[1]->done && !x[2]->done);
	answers(x[0]);
	CHECK(x[2]->done && !x[2]->err);
	fake_exit(&f);
}

static void held_for_time(void)
{
	struct fake_io *x, *y, *z;

	follower(BACKLOG_HOLD);
	x = write_one(0);
	wait_ms(1000);
	y = write_one(8);
	CHECK(x->done && y->done, "lag %u ms", f.peer[0].lag_ms);
	answers(x);
	wait_ms(900);
	z = write_one(16);
	CHECK(z->done, "lag %u ms", f.peer[0].lag_ms);
	answers(z);
	wait_ms(200);
	z = write_one(16);
	CHECK(!z->done, "lag %u ms", f.peer[0].lag_ms);
	/* The oldest is there: at the next look at the clock it goes on. */
	answers(y);
	wait_ms(50);
	CHECK(z->done && !z->err, "lag %u ms", f.peer[0].lag_ms);
	CHECK(f.peer[0].unacked == 1);
	fake_exit(&f);
}

/* A longer time lets what is held go on, without an answer. */
static void time_is_changed(void)
{
	struct fake_io *x;

	follower(BACKLOG_HOLD);
	write_one(0);
	wait_ms(1100);
	x = write_one(8);
	CHECK(!x->done);
	f.res.conf.backlog_ms = 0;
	repl_conf_changed(&f.res);
	wait_ms(50);
	CHECK(x->done);
	fake_exit(&f);
}

static void falls_behind(void)
{
	struct fake_io *x;

	follower(BACKLOG_BEHIND);
	write_one(0);
	wait_ms(1100);
	CHECK(pv_get(&f.vol, &f.peer[0])->state == RS_BEHIND);
	x = write_one(8);
	scene_confirm(&f, 0);
	CHECK(x->done && !x->err && !(x->io.receivers & BIT(1)));
	fake_exit(&f);
}

int main(void)
{
	RUN(held_for_bytes);
	RUN(held_for_time);
	RUN(time_is_changed);
	RUN(falls_behind);
	return tap_end();
}
