// SPDX-License-Identifier: GPL-2.0
/* Fencing: who may go on without whom, and what ends the wait. */
#include "scenes.h"
#include "tap.h"

static struct fake f;

static void later(u32 ms)
{
	repl_tick(&f.res, f.res.now + ms);
	fake_run(&f);
}

static bool fenced(u32 i)
{
	const char *why = NULL;
	bool ok = !repl_fenced(&f.peer[i], &why);

	CHECK(ok || why);
	fake_run(&f);
	return ok;
}

static void loses(u32 i)
{
	fake_down(&f, i);
	fake_run(&f);
}

/* Peer @i, with our data, as it says. */
static void returns(u32 i, u32 in_sync, u64 version)
{
	struct repl_wire_vol_state w;

	fake_up(&f, i);
	fake_res_state(&f, i, ROLE_SECONDARY);
	fake_same_state(&f, i, &w);
	w.in_sync = cpu_to_le32(in_sync);
	w.set_version = cpu_to_le64(version);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

/* Primary, with one peer in step, and fencing. */
static void primary(void)
{
	scene(&f, SCENE_PRIMARY);
	f.peer[0].conf.timeout_ms = 60000;
	f.res.conf.fencing = true;
	repl_conf_changed(&f.res);
	later(100);
	CHECK(f.peer[0].fence.member && !f.peer[1].fence.member);
	CHECK(!f.res.susp);
}

static struct fake_io *writes(void)
{
	struct fake_io *x = fake_submit(&f, OP_WRITE, 8, 4096);

	fake_run(&f);
	return x;
}

static void waits(void)
{
	struct fake_io *x;

	primary();
	loses(0);
	/* Nothing is to be written: nothing happens. */
	later(5000);
	CHECK(!f.res.susp && !f.peer[0].fence.wanted);
	x = writes();
	later(100);
	CHECK(!x->done && f.res.susp == SUSP_FENCING, "%x", f.res.susp);
	CHECK(f.peer[0].fence.wanted && !f.peer[1].fence.wanted);
	CHECK(f.vol.store->in_sync & BIT(1));
	CHECK(fenced(0) && !f.peer[0].fence.wanted && f.peer[0].fence.done);
	CHECK(x->done && !x->err && !f.res.susp);
	CHECK(f.vol.store->in_sync == BIT(0), "%x", f.vol.store->in_sync);
	fake_exit(&f);
}

/* What was on its way is not acknowledged either, and a reset costs nobody his power. */
static void patient(void)
{
	struct fake_io *x;

	primary();
	x = writes();
	CHECK(!x->done);
	loses(0);
	later(1000);
	CHECK(!x->done && f.res.susp == SUSP_FENCING && !f.peer[0].fence.wanted);
	returns(0, BIT(0) | BIT(1), f.res.set_version);
	CHECK(!(f.res.susp & SUSP_FENCING));
	later(3000);
	CHECK(!f.peer[0].fence.wanted);
	CHECK(!fenced(0) && !f.peer[0].fence.done);
	loses(0);
	later(3000);
	CHECK(f.peer[0].fence.wanted);
	CHECK(fenced(0) && x->done && !x->err);
	fake_exit(&f);
}

/* A disk that was detached there: it can't go on without us. */
static void leaves_in_order(void)
{
	struct repl_wire_vol_state w;
	struct fake_io *x;

	primary();
	fake_same_state(&f, 0, &w);
	w.disk = DISK_DISKLESS;
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
	loses(0);
	x = writes();
	CHECK(x->done && !x->err && !f.res.susp, "%x", f.res.susp);
	fake_exit(&f);

	/* It said so before it heard of the last set that it is in. */
	primary();
	fake_same_state(&f, 0, &w);
	w.disk = DISK_DISKLESS;
	w.set_version = 0;
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
	loses(0);
	x = writes();
	CHECK(!x->done && f.res.susp == SUSP_FENCING, "%x", f.res.susp);
	CHECK(fenced(0) && x->done);
	fake_exit(&f);
}

/* The set on our disk has it, until it has confirmed that it is none any more. */
static void is_told_first(void)
{
	struct repl_wire_vol_state w;
	struct fake_io *x;

	primary();
	fake_same_state(&f, 0, &w);
	w.disk = DISK_DISKLESS;
	fake_vol_state(&f, 0, &w);
	x = writes();
	CHECK(!x->done && f.peer[0].members_id);
	CHECK(f.vol.store->in_sync == (BIT(0) | BIT(1)), "%x", f.vol.store->in_sync);
	scene_confirm(&f, 0);
	CHECK(x->done && !f.peer[0].fence.member);
	CHECK(f.vol.store->in_sync == BIT(0), "%x", f.vol.store->in_sync);
	fake_exit(&f);
}

/* Peer @i has what the only other one has, while we have no disk. */
static void has_it_too(u32 i, u8 disk)
{
	struct repl_wire_vol_state w = { .disk = disk };

	w.dataset = cpu_to_le64(9);
	w.replica = cpu_to_le64(2);
	w.sectors = cpu_to_le64(f.vol.sectors);
	w.cur_sectors = w.sectors;
	w.lbs = cpu_to_le32(FAKE_LBS);
	w.in_sync = cpu_to_le32(f.vol.in_sync);
	w.set_version = cpu_to_le64(f.res.set_version);
	lineage_to_wire(w.lineage, &f.vol.lineage);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

/* We have no disk: it may have the only stable copy, until the one that stays has one. */
static void others_are_stable(void)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };
	struct fake_io *x;

	scene(&f, SCENE_DISKLESS);
	f.res.conf.fencing = true;
	repl_conf_changed(&f.res);
	fake_up(&f, 1);
	fake_res_state(&f, 1, ROLE_SECONDARY);
	has_it_too(1, DISK_UPTODATE);
	scene_confirm(&f, 0);
	scene_confirm(&f, 1);
	CHECK(f.vol.in_sync == (BIT(1) | BIT(2)), "%x", f.vol.in_sync);
	CHECK(f.peer[1].fence.member);
	f.keep_pkts = true;
	has_it_too(1, DISK_DISKLESS);
	x = writes();
	CHECK(fake_find(&f, PKT_FLUSH) && fake_find(&f, PKT_FLUSH)->node == 1);
	CHECK(f.peer[0].flushes == 1 && !f.peer[1].members_id);
	h.seq = fake_find(&f, PKT_FLUSH)->h.seq;
	fake_rx(&f, 0, &h, "");
	fake_run(&f);
	CHECK(!f.peer[0].members_id && f.peer[1].members_id);
	scene_confirm(&f, 1);
	CHECK(f.peer[0].members_id && !x->done);
	fake_exit(&f);
}

/* It has all, as far as it knows: it would go on alone, and does not wait for us. */
static void is_the_only_one(void)
{
	const char *why;

	scene(&f, SCENE_DISKLESS);
	f.res.conf.fencing = true;
	repl_conf_changed(&f.res);
	CHECK(f.peer[0].fence.member && f.peer[0].fence.only);
	loses(0);
	writes();
	later(5000);
	CHECK(!f.peer[0].fence.wanted);
	CHECK(!fenced(0) && f.peer[0].fence.member);
	/* Who asks it is somebody else. */
	repl_demote(&f.res, true, &why);
	CHECK(f.res.role == ROLE_SECONDARY && fenced(0));
	fake_exit(&f);

	/* Two are in the set, and each waits for the other. */
	primary();
	CHECK(f.peer[0].fence.member && !f.peer[0].fence.only);
	fake_exit(&f);
}

/* Nor does it leave before its disk knows of another one. */
static void the_only_one_stays(void)
{
	const char *why = "-";

	scene(&f, SCENE_SECONDARY);
	f.vol.store->in_sync = BIT(0);
	CHECK(repl_detach(&f.vol, false, &why) == -EBUSY, "%s", why);
	f.vol.store->in_sync = BIT(0) | BIT(1);
	CHECK(!repl_detach(&f.vol, false, &why), "%s", why);
	fake_run(&f);
	CHECK(f.vol.disk == DISK_DISKLESS);
	fake_exit(&f);
}

/* Without a Primary, one that we have filled is a member for our disk, too. */
static void filled_is_member(void)
{
	struct repl_wire_lineage w = { .dataset = cpu_to_le64(9) };
	struct repl_wire_hdr h = { .type = PKT_SYNC_DONE };
	struct repl_pv *pv;

	scene(&f, SCENE_SOURCE);
	CHECK(f.vol.store->in_sync == BIT(0));
	pv = list_first_entry(&f.peer[0].pvs, struct repl_pv, by_peer);
	dirty_clear_range(&f.vol.store->dirty, pv->slot, 0, SCENE_DATA / 4096);
	lineage_to_wire(w.lineage, &f.vol.store->lineage);
	h.id = cpu_to_le64(pv->sync.serial);
	h.length = cpu_to_le32(sizeof(w));
	fake_rx(&f, 0, &h, &w);
	fake_run(&f);
	CHECK(pv->state == RS_ESTABLISHED, "%d", pv->state);
	CHECK(f.vol.store->in_sync == (BIT(0) | BIT(1)), "%x", f.vol.store->in_sync);
	/* After a crash it has to be asked. */
	fake_crash(&f);
	fake_init(&f, 2);
	fake_attach(&f);
	CHECK(f.vol.disk == DISK_CONSISTENT, "%d", f.vol.disk);
	fake_exit(&f);
}

static void is_removed(void)
{
	struct repl_refusal no = { 0 };
	struct fake_io *x;

	primary();
	loses(0);
	x = writes();
	CHECK(!x->done);
	CHECK(!repl_peer_del(&f.peer[0], &no));
	f.peer[0].res = NULL;
	fake_run(&f);
	CHECK(x->done && !x->err && !f.res.susp);
	fake_exit(&f);
}

static void is_switched_off(void)
{
	struct fake_io *x;

	primary();
	loses(0);
	x = writes();
	later(3000);
	CHECK(!x->done && f.peer[0].fence.wanted);
	f.res.conf.fencing = false;
	repl_conf_changed(&f.res);
	fake_run(&f);
	CHECK(x->done && !f.res.susp);
	later(100);
	CHECK(!f.peer[0].fence.wanted);
	fake_exit(&f);
}

/* ---- to be Primary ---- */

#define ALL	(BIT(0) | BIT(1) | BIT(2))

static int promote(const char **why)
{
	int err = repl_promote(&f.res, false, why);

	fake_run(&f);
	return err;
}

/* A member that has been restarted, with fencing. */
static void restarted(void)
{
	scene_member(&f, 2, ACK_SYNC, false, 0x10000);
	f.res.conf.fencing = true;
	repl_conf_changed(&f.res);
	later(100);
}

static void all_are_needed(void)
{
	struct repl_promotion promo;
	const char *why = NULL;

	scene(&f, SCENE_SECONDARY);
	f.res.conf.fencing = true;
	f.vol.told = true;
	fake_res_state(&f, 0, ROLE_SECONDARY);
	later(3000);
	repl_promotion(&f.res, &promo);
	CHECK(promo.why && promo.missing == BIT(2), "%x", promo.missing);
	CHECK(!f.peer[1].fence.until_ms);
	CHECK(promote(&why) == -EBUSY && strstr(why, "blkrepl fenced"), "%s", why);
	later(100);
	CHECK(f.peer[1].fence.wanted && !f.peer[0].fence.wanted);
	/* Nobody has asked again. */
	later(61000);
	CHECK(!f.peer[1].fence.wanted);
	CHECK(fenced(1));
	repl_promotion(&f.res, &promo);
	fake_exit(&f);
}

static void fenced_is_enough(void)
{
	struct repl_promotion promo;
	const char *why = NULL;

	scene(&f, SCENE_SECONDARY);
	f.peer[0].conf.timeout_ms = 60000;
	f.res.conf.fencing = true;
	f.vol.told = true;
	fake_res_state(&f, 0, ROLE_SECONDARY);
	CHECK(fenced(1));
	repl_promotion(&f.res, &promo);
	CHECK(!promo.why, "%s", promo.why);
	CHECK(!promote(&why), "%s", why);
	/* It is lost while it is asked: it may be Primary before us. */
	loses(0);
	CHECK(f.vote_err == -EAGAIN && f.res.role == ROLE_SECONDARY, "%d", f.vote_err);
	CHECK(fenced(0));
	CHECK(!promote(&why), "%s", why);
	CHECK(!f.vote_err && f.res.role == ROLE_PRIMARY, "%d", f.vote_err);
	fake_exit(&f);
}

/* After a restart fencing does not tell whether those that were fenced went on. */
static void was_away(void)
{
	struct repl_promotion promo;
	const char *why = NULL;

	restarted();
	returns(0, ALL, 0x10000);
	CHECK(fenced(1));
	f.vol.disk = DISK_UPTODATE;
	repl_promotion(&f.res, &promo);
	CHECK(promo.why && promo.missing == BIT(2), "%x", promo.missing);
	CHECK(promote(&why) == -EBUSY && strstr(why, "was away"), "%s", why);
	later(3000);
	CHECK(!f.peer[1].fence.wanted);
	returns(1, ALL, 0x10000);
	CHECK(!f.peer[1].fence.done);
	CHECK(!promote(&why), "%s", why);
	fake_exit(&f);
}

static void others_went_on(void)
{
	struct repl_wire_vol_state w;
	const char *why = NULL;

	restarted();
	returns(0, ALL, 0x10000);
	returns(1, ALL, 0x10000);
	CHECK(f.vol.disk == DISK_UPTODATE);
	/* As long as nothing differs it does not matter who it is. */
	fake_same_state(&f, 1, &w);
	w.set_version = cpu_to_le64(0x20000);
	w.dirty = cpu_to_le64(1);
	fake_vol_state(&f, 1, &w);
	fake_run(&f);
	CHECK(promote(&why) == -EBUSY && strstr(why, "in step since"), "%s", why);
	w.dirty = 0;
	fake_vol_state(&f, 1, &w);
	fake_run(&f);
	CHECK(!promote(&why), "%s", why);
	fake_exit(&f);
}

static void contradicts_votes(void)
{
	struct repl_res_conf c;

	repl_res_conf_init(&c);
	CHECK(!c.fencing && !repl_conf_check(&c));
	c.fencing = true;
	CHECK(!repl_conf_check(&c));
	c.votes = true;
	CHECK(repl_conf_check(&c));
	c.votes = false;
	c.ack_policy = ACK_QUORUM;
	CHECK(repl_conf_check(&c));
}

int main(void)
{
	RUN(waits);
	RUN(patient);
	RUN(leaves_in_order);
	RUN(is_told_first);
	RUN(others_are_stable);
	RUN(is_the_only_one);
	RUN(the_only_one_stays);
	RUN(filled_is_member);
	RUN(is_removed);
	RUN(is_switched_off);
	RUN(all_are_needed);
	RUN(fenced_is_enough);
	RUN(was_away);
	RUN(others_went_on);
	RUN(contradicts_votes);
	return tap_end();
}
