// SPDX-License-Identifier: GPL-2.0
/* The role moves: what both ends say to each other, and when. */
#include "scenes.h"
#include "tap.h"

static struct fake f;

static void hears(u8 type, u64 id, const char *text)
{
	struct repl_wire_hdr h = { .type = type, .id = cpu_to_le64(id) };

	h.length = cpu_to_le32(text ? strlen(text) : 0);
	CHECK(fake_rx(&f, 0, &h, text ? text : "") == WIRE_OK);
	fake_run(&f);
}

static void later(u32 ms)
{
	repl_tick(&f.res, f.res.now + ms);
	fake_run(&f);
}

static bool said(u8 type, const char *text)
{
	struct fake_pkt *pkt = fake_find(&f, type);
	bool ok = pkt && (!text || strstr((char *)pkt->payload, text));

	fake_forget(&f);
	return ok;
}

/* ---- the one that is to be Primary ---- */

static void beside_primary(void)
{
	const char *why = NULL;

	scene(&f, SCENE_SECONDARY);
	f.peer[0].conf.timeout_ms = 60000;
	f.keep_pkts = true;
	fake_forget(&f);
	CHECK(!repl_promote(&f.res, false, &why), "%s", why);
	CHECK(fake_find(&f, PKT_STEP_DOWN) && !fake_find(&f, PKT_VOTE_REQ));
	CHECK(f.vote_err == 1);
	fake_forget(&f);
}

static void gets_it(void)
{
	struct repl_wire_hdr no = { .type = PKT_VOTE };

	beside_primary();
	fake_res_state(&f, 0, ROLE_SECONDARY);
	CHECK(said(PKT_VOTE_REQ, NULL));
	/* Another voter may not know yet that the Primary is none any more. */
	no.id = cpu_to_le64(f.res.vote.term);
	no.length = cpu_to_le32(4);
	fake_rx(&f, 0, &no, "late");
	CHECK(f.vote_err == 1);
	later(100);
	CHECK(said(PKT_VOTE_REQ, NULL) && f.vote_err == 1);
	/* But not for ever. */
	later(3000);
	fake_rx(&f, 0, &no, "late");
	CHECK(f.vote_err == -EBUSY && f.vote_by == &f.peer[0]);
	CHECK(!strcmp(f.vote_why, "late"), "%s", f.vote_why);
	fake_exit(&f);
}

static void is_refused(void)
{
	beside_primary();
	hears(PKT_STAYS, f.res.vote.move_id + 1, "old");
	CHECK(f.vote_err == 1);
	hears(PKT_STAYS, f.res.vote.move_id, "it is in use");
	CHECK(f.vote_err == -EBUSY && f.vote_by == &f.peer[0]);
	CHECK(!strcmp(f.vote_why, "it is in use"), "%s", f.vote_why);
	CHECK(f.res.role == ROLE_SECONDARY);
	fake_exit(&f);
}

static void gives_up(void)
{
	beside_primary();
	later(9000);
	CHECK(f.vote_err == 1);
	later(1000);
	CHECK(f.vote_err == -ETIMEDOUT);
	CHECK(said(PKT_STEP_DOWN, NULL));
	fake_exit(&f);

	beside_primary();
	fake_down(&f, 0);
	CHECK(f.vote_err == -ENOTCONN, "%d", f.vote_err);
	fake_exit(&f);
}

/* One that would not be elected, or that is used by force, asks nobody. */
static void does_not_ask(void)
{
	const char *why = NULL;

	scene(&f, SCENE_SECONDARY);
	CHECK(repl_promote(&f.res, true, &why) == -EBUSY);
	f.peer[0].features = 0;
	CHECK(repl_promote(&f.res, false, &why) == -EBUSY);
	CHECK(strstr(why, "make it Secondary first"), "%s", why);
	fake_exit(&f);

	scene(&f, SCENE_TARGET);
	CHECK(repl_promote(&f.res, false, &why) == -ENODATA);
	CHECK(strstr(why, "Inconsistent"), "%s", why);
	fake_exit(&f);
}

/* ---- the Primary ---- */

static void steps_down(void)
{
	scene(&f, SCENE_PRIMARY);
	hears(PKT_STEP_DOWN, 7, NULL);
	CHECK(f.res.role == ROLE_SECONDARY);
	fake_exit(&f);
}

static void stays_while_open(void)
{
	scene(&f, SCENE_PRIMARY);
	f.keep_pkts = true;
	f.has_writers = true;
	hears(PKT_STEP_DOWN, 7, NULL);
	later(900);
	CHECK(f.res.role == ROLE_PRIMARY && !fake_find(&f, PKT_STAYS));
	later(100);
	CHECK(said(PKT_STAYS, "volume 0 is open for writing"));
	f.has_writers = false;
	later(100);
	CHECK(f.res.role == ROLE_PRIMARY);

	/* udev, which looks into what was just closed, is waited for. */
	f.has_writers = true;
	hears(PKT_STEP_DOWN, 8, NULL);
	later(100);
	f.has_writers = false;
	later(100);
	CHECK(f.res.role == ROLE_SECONDARY);
	fake_exit(&f);
}

static void waits_for_io(void)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };
	struct fake_io *x;

	scene(&f, SCENE_PRIMARY);
	f.keep_pkts = true;
	x = fake_submit(&f, OP_WRITE, 8, 4096);
	fake_run(&f);
	hears(PKT_STEP_DOWN, 7, NULL);
	later(1500);
	CHECK(f.res.role == ROLE_PRIMARY && !fake_find(&f, PKT_STAYS));
	h.seq = cpu_to_le64(x->io.seq);
	fake_rx(&f, 0, &h, "");
	CHECK(x->done && !x->err);
	later(50);
	CHECK(f.res.role == ROLE_SECONDARY);
	fake_exit(&f);
}

static void is_asked_no_more(void)
{
	scene(&f, SCENE_PRIMARY);
	f.has_writers = true;
	hears(PKT_STEP_DOWN, 7, NULL);
	hears(PKT_STEP_DOWN, 0, NULL);
	f.has_writers = false;
	later(100);
	CHECK(f.res.role == ROLE_PRIMARY);
	/* Nor by a connection that has ended. */
	f.has_writers = true;
	hears(PKT_STEP_DOWN, 8, NULL);
	fake_down(&f, 0);
	f.has_writers = false;
	later(100);
	CHECK(f.res.role == ROLE_PRIMARY);
	fake_exit(&f);
}

/* It would not be good data there: the role stays where that is. */
static void stays_for_the_data(void)
{
	struct repl_wire_vol_state w;

	scene(&f, SCENE_PRIMARY);
	f.keep_pkts = true;
	fake_same_state(&f, 0, &w);
	w.disk = DISK_INCONSISTENT;
	fake_vol_state(&f, 0, &w);
	hears(PKT_STEP_DOWN, 7, NULL);
	later(4900);
	CHECK(f.res.role == ROLE_PRIMARY && !fake_find(&f, PKT_STAYS));
	later(100);
	CHECK(f.res.role == ROLE_PRIMARY && said(PKT_STAYS, "it is Primary, and "));
	fake_exit(&f);
}

int main(void)
{
	RUN(gets_it);
	RUN(is_refused);
	RUN(gives_up);
	RUN(does_not_ask);
	RUN(steps_down);
	RUN(stays_while_open);
	RUN(waits_for_io);
	RUN(is_asked_no_more);
	RUN(stays_for_the_data);
	return tap_end();
}
