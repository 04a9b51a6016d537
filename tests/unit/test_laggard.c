// SPDX-License-Identifier: GPL-2.0
/*
 * Where a majority acknowledges, a replica that is slow costs nothing; and one that is
 * needed is no laggard, however slow.  The simulator's scenario laggard is about the
 * same, with all that may come beside it.
 */
#include "scenes.h"
#include "tap.h"

static struct fake f;

static void says(u32 i, u16 flags)
{
	struct repl_wire_res_state r = { .role = ROLE_SECONDARY, .primary = NODE_NONE,
					 .flags = REPL_RS_VOTES };
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };
	struct repl_wire_vol_state w;

	r.term = cpu_to_le64(f.res.term);
	h.length = cpu_to_le32(sizeof(r));
	CHECK(fake_rx(&f, i, &h, &r) == WIRE_OK);
	fake_same_state(&f, i, &w);
	w.disk = DISK_CONSISTENT;
	w.flags |= cpu_to_le16(flags);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

static void answers(u32 i, const struct fake_io *x)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };

	h.seq = cpu_to_le64(x->io.seq);
	CHECK(fake_rx(&f, i, &h, "") == WIRE_OK);
	fake_run(&f);
}

/* All are alive and promise; whether they answer for writes is another matter. */
static void pass(u32 ms)
{
	repl_tick(&f.res, f.res.now + ms);
	scene_promise(&f, 0);
	scene_promise(&f, 1);
	fake_run(&f);
}

static struct fake_io *write_at(u64 sector)
{
	struct fake_io *x = fake_submit(&f, OP_WRITE, sector, 4096);

	fake_run(&f);
	return x;
}

/* A Primary of three replicas in step, where a majority acknowledges. */
static void three(void)
{
	const char *why = "-";
	u32 i;

	scene_member(&f, 2, ACK_QUORUM, true, REIGN | SET_NEXT | SET_VOTED);
	fake_up(&f, 0);
	says(0, REPL_VS_VOUCHES);
	f.res.lease_until = 0;
	CHECK(!repl_promote(&f.res, false, &why), "%s", why);
	scene_vote(&f, 0, REPL_HDR_TRIAL);
	scene_vote(&f, 0, 0);
	scene_confirm(&f, 0);
	scene_promise(&f, 0);
	fake_up(&f, 1);
	says(1, REPL_VS_VOUCHES);
	for (i = 0; i < 8; i++)
		scene_confirm(&f, i % 2);
	CHECK(f.res.role == ROLE_PRIMARY && f.vol.in_sync == 7 && !f.res.susp,
	      "set %x, held for %x", f.vol.in_sync, f.res.susp);
	f.res.conf.backlog_max = 64 << 10;
	pass(50);
}

static struct repl_pv *pv_of(u32 i)
{
	return list_first_entry(&f.peer[i].pvs, struct repl_pv, by_peer);
}

/* 64 KiB that one of them has not answered, and one write more. */
static struct fake_io *over_the_bound(void)
{
	struct fake_io *x;
	u32 i;

	for (i = 0; i < 16; i++) {
		x = write_at(8 * i);
		answers(0, x);
		CHECK(x->done, "write %u", i);
	}
	CHECK(f.peer[1].lag_bytes == 64 << 10);
	x = write_at(8 * i);
	answers(0, x);
	CHECK(!x->done);
	return x;
}

static void one_is_slow(void)
{
	struct fake_io *x;

	three();
	x = over_the_bound();
	pass(50);
	CHECK(pv_of(1)->state == RS_BEHIND);
	scene_confirm(&f, 0);
	CHECK(x->done && !f.res.susp, "held for %x", f.res.susp);
	x = write_at(4000);
	scene_confirm(&f, 0);
	answers(0, x);
	CHECK(x->done && f.vol.in_sync == 3, "set %x", f.vol.in_sync);
	fake_exit(&f);
}

static void all_are_slow(void)
{
	struct fake_io *x = NULL;
	u32 i;

	three();
	for (i = 0; i < 40; i++)
		x = write_at(8 * i);
	for (i = 0; i < 40; i++)
		pass(100);
	CHECK(!f.peer[0].lag_bytes && !f.peer[1].lag_bytes);
	CHECK(pv_of(0)->state == RS_ESTABLISHED && pv_of(1)->state == RS_ESTABLISHED);
	CHECK(f.vol.in_sync == 7 && !f.res.susp && !x->done);
	answers(1, x);
	CHECK(x->done);
	fake_exit(&f);
}

/* The time for which a write was held is not the peers'. */
static void held_for_long(void)
{
	struct fake_io *x;
	u32 i;

	three();
	f.res.conf.backlog_ms = 1000;
	fake_down(&f, 0);
	fake_down(&f, 1);
	fake_run(&f);
	CHECK(f.res.susp & SUSP_QUORUM);
	x = write_at(0);
	CHECK(!x->io.seq);
	repl_tick(&f.res, f.res.now + 20000);
	for (i = 0; i < 2; i++) {
		fake_up(&f, i);
		says(i, REPL_VS_VOUCHES);
		scene_promise(&f, i);
	}
	for (i = 0; i < 8; i++)
		scene_confirm(&f, i % 2);
	CHECK(!f.res.susp && x->io.seq && (x->io.wait & 4), "held for %x", f.res.susp);
	answers(0, x);
	CHECK(x->done);
	pass(50);
	CHECK(f.peer[1].lag_ms < 1000 && pv_of(1)->state == RS_ESTABLISHED,
	      "%u ms", f.peer[1].lag_ms);
	fake_exit(&f);
}

/* A set is made anew without a member that does not confirm it, a second after the rest. */
static void set_waits(void)
{
	struct fake_io *x;

	three();
	commit_start(&f.res, true);
	fake_run(&f);
	scene_confirm(&f, 0);
	pass(50);
	pass(900);
	CHECK(f.res.susp & SUSP_PEER_ACK);
	pass(200);
	CHECK(pv_of(1)->state == RS_BEHIND);
	scene_confirm(&f, 0);
	CHECK(!f.res.susp && f.vol.in_sync == 3, "set %x, held for %x", f.vol.in_sync,
	      f.res.susp);
	x = write_at(0);
	scene_confirm(&f, 0);
	answers(0, x);
	CHECK(x->done);
	fake_exit(&f);
}

/* But not without the one that makes the majority. */
static void set_needs_it(void)
{
	three();
	fake_down(&f, 0);
	fake_run(&f);
	commit_start(&f.res, true);
	fake_run(&f);
	pass(500);
	pass(1500);
	CHECK(pv_of(1)->state != RS_BEHIND && (f.vol.in_sync & 4));
	fake_exit(&f);
}

static void resigns(u64 through)
{
	struct repl_wire_res_state r = { .role = ROLE_SECONDARY, .primary = NODE_NONE };
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };

	r.through = cpu_to_le64(through);
	h.length = cpu_to_le32(sizeof(r));
	CHECK(fake_rx(&f, 0, &h, &r) == WIRE_OK);
}

/*
 * We are slow: our Primary, which has left us behind, is none any more before what it
 * had sent is on our disk.  It won't tell once more what is complete, and we are to be
 * filled: none of it stays in the activity log.
 */
static void after_the_end(void)
{
	static u8 data[4096];
	struct repl_wire_hdr h = { .type = PKT_WRITE };
	u64 seq;

	scene(&f, SCENE_SECONDARY);
	for (seq = 1; seq <= 3; seq++) {
		h.seq = cpu_to_le64(seq);
		h.sector = cpu_to_le64(seq * EXTENT_SECTORS);
		h.size = cpu_to_le32(sizeof(data));
		h.length = h.size;
		h.id = cpu_to_le64(3);
		CHECK(fake_rx(&f, 0, &h, data) == WIRE_OK);
	}
	resigns(2);
	CHECK(!list_empty(&f.res.applying));
	fake_run(&f);
	CHECK(list_is_singular(&f.res.tail));
	CHECK(list_first_entry(&f.res.tail, struct repl_io, hash)->seq == 3);
	fake_exit(&f);
}

int main(void)
{
	RUN(one_is_slow);
	RUN(all_are_slow);
	RUN(held_for_long);
	RUN(set_waits);
	RUN(set_needs_it);
	RUN(after_the_end);
	return tap_end();
}
