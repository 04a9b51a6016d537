// SPDX-License-Identifier: GPL-2.0
/* Elected primaries with any ack policy, and votes that are switched on and off. */
#include "scenes.h"
#include "tap.h"

#define ALL	((2U << peers) - 1)

static struct fake f;
static u32 peers = 2;

/* One of three nodes, mostly, a member of a set of all, when it starts. */
static void start(u8 policy, bool votes, u64 version)
{
	scene_member(&f, peers, policy, votes, version);
}

static void says(u32 i, enum repl_role role, u8 flags)
{
	struct repl_wire_res_state r = {
		.term = cpu_to_le64(f.res.term),
		.role = role,
		.primary = role == ROLE_PRIMARY ? i + 1 : NODE_NONE,
		.flags = flags,
	};
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };

	h.length = cpu_to_le32(sizeof(r));
	fake_rx(&f, i, &h, &r);
}

static void res_state(u32 i, enum repl_role role, bool votes)
{
	says(i, role, votes ? REPL_RS_VOTES : 0);
}

static void vol_state(u32 i, u8 disk, u16 flags)
{
	struct repl_wire_vol_state w;

	fake_same_state(&f, i, &w);
	w.disk = disk;
	w.flags |= cpu_to_le16(flags);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

static void peer_comes(u32 i, u16 flags, bool votes)
{
	fake_up(&f, i);
	res_state(i, ROLE_SECONDARY, votes);
	vol_state(i, DISK_CONSISTENT, flags);
}

static const char *refused(struct repl_promotion *p)
{
	repl_promotion(&f.res, p);
	return p->why;
}

/* Of a set that all acknowledge one has all; of a majority's it takes two. */
static void one_vouches(void)
{
	static const u8 policy[] = { ACK_SYNC, ACK_ASYNC, ACK_QUORUM };
	struct repl_promotion p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(policy); i++) {
		bool enough = policy[i] != ACK_QUORUM;

		start(policy[i], true, REIGN | SET_NEXT | SET_VOTED);
		CHECK(refused(&p) && p.votes == 1 && p.votes_needed == 2);
		peer_comes(0, REPL_VS_CRASHED, true);
		CHECK(p.votes_needed == 2 && !refused(&p) == enough, "%u: %s",
		      policy[i], p.why ? p.why : "-");
		fake_exit(&f);
	}
}

/*
 * Peer 0 was Primary, and had a write acknowledged and flushed by itself and peer 1,
 * which is away; it has crashed since.  Whatever we are told to ask for as Primary, the
 * set says that two of three are enough, so that we may lack it.
 */
static void own_settings(void)
{
	static const struct { u8 policy, min_in_sync; bool by_all; } own[] = {
		{ ACK_QUORUM, 0, false }, { ACK_QUORUM, 2, false },
		{ ACK_QUORUM, 3, false }, { ACK_SYNC, 0, false },
		{ ACK_SYNC, 3, false }, { ACK_ASYNC, 0, false },
		{ ACK_QUORUM, 0, true }, { ACK_QUORUM, 3, true },
		{ ACK_SYNC, 2, true },
	};
	struct repl_promotion p;
	const char *why;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(own); i++) {
		start(own[i].by_all ? ACK_SYNC : ACK_QUORUM, true,
		      REIGN | SET_NEXT | SET_VOTED);
		f.res.conf.ack_policy = own[i].policy;
		f.res.conf.min_in_sync = own[i].min_in_sync;
		peer_comes(0, REPL_VS_CRASHED | REPL_VS_WAS_PRIMARY |
			   REPL_VS_LAST_PRIMARY, true);
		f.res.lease_until = 0;
		CHECK(!refused(&p) == own[i].by_all, "%u: %s", i,
		      p.why ? p.why : "-");
		CHECK(!repl_promote(&f.res, false, &why) == own[i].by_all,
		      "%u", i);
		fake_exit(&f);
	}
}

static void differs(u32 i, u16 flags)
{
	struct repl_wire_vol_state w;

	fake_up(&f, i);
	res_state(i, ROLE_SECONDARY, true);
	fake_same_state(&f, i, &w);
	w.dirty = cpu_to_le64(8);
	w.flags |= cpu_to_le16(flags | REPL_VS_VOUCHES);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

static bool fills_us(u32 i)
{
	return list_first_entry(&f.peer[i].pvs, struct repl_pv, by_peer)->state ==
	       RS_SYNC_TARGET;
}

/*
 * We have crashed since the Primary had a write acknowledged and flushed by itself and
 * us.  It may fill us; the other one, which may lack that, may not, not even if it has
 * gone before it did.
 */
static void last_primary_fills(void)
{
	start(ACK_QUORUM, true, REIGN | SET_NEXT | SET_VOTED);
	f.vol.vouch = false;
	differs(1, 0);
	CHECK(f.vol.disk == DISK_CONSISTENT && !fills_us(1));
	differs(0, REPL_VS_LAST_PRIMARY | REPL_VS_WAS_PRIMARY);
	CHECK(f.vol.disk == DISK_OUTDATED && fills_us(0) && !fills_us(1));
	fake_down(&f, 0);
	fake_run(&f);
	CHECK(f.vol.disk == DISK_OUTDATED && !fills_us(1));
	fake_exit(&f);
}

/* However often it is renewed, a set stays the one that it was made. */
static void renewed(void)
{
	const u64 versions[] = { REIGN | SET_NEXT | SET_VOTED,
				 REIGN | SET_NEXT | SET_VOTED | SET_BY_ALL };
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		u64 v = set_renew(versions[i]);

		CHECK(v > versions[i]);
		for (n = 0; n < 20000; n++)
			v = set_renew(v);
		CHECK(set_number(v) == set_number(versions[i]));
		CHECK((v & (SET_MARKS | SET_BY_ALL)) ==
		      (versions[i] & (SET_MARKS | SET_BY_ALL)), "%llx",
		      (unsigned long long)v);
	}
}

/* From one that does not vote an election need hear nothing. */
static void no_voter(void)
{
	struct repl_promotion p;

	start(ACK_SYNC, true, REIGN | SET_NEXT | SET_VOTED);
	peer_comes(0, REPL_VS_VOUCHES, false);
	CHECK(refused(&p) && p.votes == 1 && strstr(p.why, "majority"), "%s",
	      p.why ? p.why : "-");
	res_state(0, ROLE_SECONDARY, true);
	CHECK(!refused(&p) && p.votes == 2, "%s", p.why ? p.why : "-");
	fake_exit(&f);
}

/* A Primary that has no lease lives as long as it is connected. */
static void primary_without_lease(void)
{
	bool votes;
	u32 i;

	for (i = 0; i < 2; i++) {
		votes = i;
		start(ACK_SYNC, true, REIGN | SET_NEXT | SET_VOTED);
		fake_up(&f, 0);
		res_state(0, ROLE_PRIMARY, votes);
		vol_state(0, DISK_UPTODATE, 0);
		repl_tick(&f.res, f.res.now + 5000);
		CHECK(living_primary(&f.peer[0]) == !votes);
		CHECK(silent_primary(&f.peer[0]) == votes);
		CHECK(!outvoted(&f.peer[0]));
		fake_exit(&f);
	}
}

/* Whoever made it may have gone on alone since, and nobody here know. */
static void set_without_votes(void)
{
	struct repl_promotion p;

	start(ACK_SYNC, true, REIGN);
	peer_comes(0, REPL_VS_VOUCHES, true);
	CHECK(refused(&p) && strstr(p.why, "--force"), "%s", p.why ? p.why : "-");
	CHECK(p.missing & BIT(2), "missing %x", p.missing);
	CHECK(f.vol.disk == DISK_CONSISTENT);
	/* Its vote is not needed, its data is. */
	peer_comes(1, 0, false);
	CHECK(!refused(&p), "%s", p.why ? p.why : "-");
	fake_exit(&f);
}

/* One that votes no more is not promoted alone on what votes have decided. */
static void alone_without_votes(void)
{
	struct repl_promotion p;

	start(ACK_SYNC, false, REIGN | SET_NEXT | SET_VOTED);
	set_disk(&f.vol, DISK_UPTODATE);
	CHECK(refused(&p) && strstr(p.why, "quorum off"), "%s", p.why ? p.why : "-");
	peer_comes(0, REPL_VS_VOUCHES, true);
	CHECK(!refused(&p), "%s", p.why ? p.why : "-");
	fake_exit(&f);

	start(ACK_SYNC, false, REIGN);
	set_disk(&f.vol, DISK_UPTODATE);
	CHECK(!refused(&p), "%s", p.why ? p.why : "-");
	fake_exit(&f);
}

/* ---- reigns ---- */

/* Elected with the vote of the first of two others, and in step with it. */
static void reign(u8 policy)
{
	const char *why = "-";

	start(policy, true, REIGN | SET_NEXT | SET_VOTED);
	peer_comes(0, REPL_VS_VOUCHES, true);
	f.res.lease_until = 0;
	CHECK(!repl_promote(&f.res, false, &why), "%s", why);
	scene_vote(&f, 0, REPL_HDR_TRIAL);
	scene_vote(&f, 0, 0);
	scene_confirm(&f, 0);
	scene_promise(&f, 0);
	CHECK(f.res.role == ROLE_PRIMARY && !f.res.vote.step);
	CHECK(!f.res.susp, "%x", f.res.susp);
}

static void disk_fails(void)
{
	store_fail(&f.vol, "lost");
	fake_detach(&f);
}

/*
 * The disk of a candidate fails @when it has not asked yet, has asked, or tells its first
 * set; or it does not.  There are its peers, but where a majority acknowledges one of them
 * may lack what it and the other had; and always, one that does not vouch.
 */
static bool wins_without_disk(u8 policy, u32 when, u16 flags)
{
	bool won, stands;
	const char *why;
	u32 i;

	start(policy, true, REIGN | SET_NEXT | SET_VOTED);
	for (i = 0; i < 2; i++) {
		peer_comes(i, flags, true);
		vol_state(i, DISK_UPTODATE, flags);
		flags = REPL_VS_VOUCHES;
	}
	f.res.lease_until = 0;
	if (when == 0)
		disk_fails();
	stands = !repl_promote(&f.res, false, &why);
	for (i = 0; i < 2 && stands; i++)
		scene_vote(&f, i, REPL_HDR_TRIAL);
	if (when == 1)
		disk_fails();
	for (i = 0; i < 2 && stands; i++)
		scene_vote(&f, i, 0);
	if (when == 2)
		disk_fails();
	for (i = 0; i < 2 && f.res.role == ROLE_PRIMARY; i++)
		scene_confirm(&f, i);
	won = f.res.role == ROLE_PRIMARY && !f.res.vote.step;
	fake_exit(&f);
	return won;
}

static void without_its_disk(void)
{
	u32 when;

	for (when = 0; when < 4; when++) {
		CHECK(wins_without_disk(ACK_SYNC, when, REPL_VS_VOUCHES), "%u",
		      when);
		CHECK(wins_without_disk(ACK_SYNC, when, REPL_VS_CRASHED) ==
		      (when == 3), "%u", when);
		CHECK(wins_without_disk(ACK_QUORUM, when, REPL_VS_VOUCHES) ==
		      (when == 3), "%u", when);
	}
}

static u64 version(void)
{
	return f.vol.store->set_version;
}

/* Alone with a follower that keeps its set; and not without. */
static void kept_by_follower(void)
{
	struct fake_io *x;

	reign(ACK_ASYNC);
	CHECK(f.vol.in_sync == BIT(0) && f.vol.keepers == BIT(1), "%x %x",
	      f.vol.in_sync, f.vol.keepers);
	x = fake_submit(&f, OP_WRITE, 8, 4096);
	scene_confirm(&f, 0);
	CHECK(x->done && !x->err, "%x", f.res.susp);
	fake_down(&f, 0);
	fake_run(&f);
	CHECK(f.res.susp & SUSP_QUORUM);
	x = fake_submit(&f, OP_WRITE, 8, 4096);
	fake_run(&f);
	CHECK(!x->done);
	fake_exit(&f);
}

/* A peer that is lost leaves nobody who would keep the smaller set. */
static void alone(void)
{
	struct fake_io *x;

	reign(ACK_SYNC);
	CHECK(f.vol.in_sync == (BIT(0) | BIT(1)) && version() & SET_VOTED);
	x = fake_submit(&f, OP_WRITE, 8, 4096);
	fake_run(&f);
	CHECK(!x->done);
	fake_down(&f, 0);
	fake_run(&f);
	CHECK(!x->done && f.res.susp & SUSP_QUORUM, "%x", f.res.susp);
	fake_exit(&f);
}

static bool read_goes_direct(u64 sector)
{
	struct fake_io *x = fake_io_new(&f);
	bool direct;

	x->ours = true;
	x->done = true;
	x->io.vol = &f.vol;
	x->io.op = OP_READ;
	x->io.sector = sector;
	x->io.size = 4096;
	direct = repl_read_begin(&x->io);
	if (direct)
		CHECK(repl_read_end(&x->io));
	return direct;
}

/* Without the lease another may be Primary: also before a tick has seen that. */
static void reads_need_the_lease(void)
{
	reign(ACK_SYNC);
	CHECK(read_goes_direct(8));
	f.peer[0].lease_from = f.res.lease_since;
	CHECK(!lease_holds(&f.res) && !read_goes_direct(8));
	scene_promise(&f, 0);
	CHECK(read_goes_direct(8));
	fake_exit(&f);
}

static void policy_is(u8 policy)
{
	const char *why = "-";
	struct repl_res_conf conf = f.res.conf;

	conf.ack_policy = policy;
	CHECK(!repl_conf_allowed(&f.res, &conf, &why), "%s", why);
	f.res.conf = conf;
	repl_conf_changed(&f.res);
}

static void ack(u32 i, const struct fake_io *w)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };

	h.seq = cpu_to_le64(w->io.seq);
	fake_rx(&f, i, &h, "");
	fake_run(&f);
}

/* A majority is not enough before the set that says so is confirmed. */
static void other_policy(void)
{
	struct fake_io *w, *v;
	u64 before;
	u32 i;

	reign(ACK_SYNC);
	peer_comes(1, REPL_VS_VOUCHES, true);
	w = fake_submit(&f, OP_WRITE, 0, 4096);
	for (i = 0; i < 4; i++)
		scene_confirm(&f, i % 2);
	CHECK(f.vol.in_sync == ALL && version() & SET_BY_ALL, "%x", f.vol.in_sync);
	ack(0, w);
	CHECK(!w->done);
	for (i = 0; i < 2; i++)
		says(i, ROLE_SECONDARY, REPL_RS_VOTES | REPL_RS_BY_MOST);
	before = version();
	policy_is(ACK_QUORUM);
	CHECK(!w->done && f.res.susp & SUSP_META);
	ack(1, w);
	fake_run(&f);
	CHECK(!w->done && version() > before && !(version() & SET_BY_ALL));
	scene_confirm(&f, 0);
	CHECK(!w->done);
	scene_confirm(&f, 1);
	CHECK(w->done && !f.res.susp);

	/* Now it is; and the next set counts on all, once they have all. */
	w = fake_submit(&f, OP_WRITE, 8, 4096);
	fake_run(&f);
	ack(0, w);
	CHECK(w->done);
	policy_is(ACK_SYNC);
	fake_run(&f);
	CHECK(!(version() & SET_BY_ALL) && majority_acked(&f.res));
	ack(1, w);
	CHECK(version() & SET_BY_ALL && majority_acked(&f.res));
	for (i = 0; i < 2; i++)
		scene_confirm(&f, i);
	CHECK(!f.res.susp && !majority_acked(&f.res));
	v = fake_submit(&f, OP_WRITE, 16, 4096);
	fake_run(&f);
	ack(0, v);
	CHECK(!v->done);
	ack(1, v);
	CHECK(v->done);
	fake_exit(&f);
}

static const char *may_be(u8 policy)
{
	struct repl_res_conf conf = f.res.conf;
	const char *why = NULL;

	conf.ack_policy = policy;
	CHECK(repl_conf_allowed(&f.res, &conf, &why) == (why ? -EBUSY : 0));
	return why;
}

/* The Primary is the last to count on a majority, and the first to leave that. */
static void order_of_policies(void)
{
	const u8 most = REPL_RS_VOTES | REPL_RS_BY_MOST;

	reign(ACK_SYNC);
	CHECK(strstr(may_be(ACK_QUORUM) ?: "", "the Primary last"));
	CHECK(!may_be(ACK_ASYNC));
	says(0, ROLE_SECONDARY, most);
	CHECK(!may_be(ACK_QUORUM));
	peer_comes(1, REPL_VS_VOUCHES, true);
	CHECK(may_be(ACK_QUORUM));
	fake_down(&f, 1);
	CHECK(!may_be(ACK_QUORUM));
	fake_exit(&f);

	start(ACK_QUORUM, true, REIGN | SET_NEXT | SET_VOTED);
	CHECK(!may_be(ACK_SYNC));
	fake_up(&f, 0);
	says(0, ROLE_PRIMARY, most);
	vol_state(0, DISK_UPTODATE, 0);
	CHECK(strstr(may_be(ACK_SYNC) ?: "", "first"));
	says(0, ROLE_PRIMARY, REPL_RS_VOTES);
	CHECK(!may_be(ACK_SYNC));
	says(0, ROLE_SECONDARY, most);
	CHECK(!may_be(ACK_SYNC));
	fake_exit(&f);
}

/* What others have acknowledged is not read from a disk that still lacks it. */
static void slow_disk(void)
{
	struct repl_wire_hdr h = { .type = PKT_ACK };
	struct fake_io *w;
	u32 i;

	reign(ACK_QUORUM);
	peer_comes(1, REPL_VS_VOUCHES, true);
	w = fake_submit(&f, OP_WRITE, 0, 4096);
	for (i = 0; i < 4; i++)
		scene_confirm(&f, i % 2);
	CHECK(f.vol.in_sync == ALL, "%x", f.vol.in_sync);
	h.seq = cpu_to_le64(w->io.seq);
	fake_rx(&f, 0, &h, "");
	CHECK(w->done);
	w = fake_submit(&f, OP_WRITE, 8, 4096);
	while (fake_meta_step(&f))
		;
	h.seq = cpu_to_le64(w->io.seq);
	for (i = 0; i < 2; i++)
		fake_rx(&f, i, &h, "");
	CHECK(w->done && !w->err && !read_goes_direct(8) && read_goes_direct(16));
	fake_run(&f);
	CHECK(read_goes_direct(8));
	fake_exit(&f);
}

/* Nobody is to be elected on what a Primary without votes leaves behind. */
static void switched_off(void)
{
	u64 before;

	reign(ACK_SYNC);
	before = version();
	f.res.conf.votes = false;
	repl_conf_changed(&f.res);
	CHECK(f.res.susp & SUSP_META);
	scene_confirm(&f, 0);
	CHECK(!(version() & SET_VOTED) && version() > before, "%llx after %llx",
	      (unsigned long long)version(), (unsigned long long)before);
	CHECK(!f.res.susp && !f.vol.keepers);
	fake_exit(&f);
}

/* It goes on alone from then on, but not under the set that had no majority. */
static void switched_off_alone(void)
{
	struct fake_io *x;

	reign(ACK_SYNC);
	fake_down(&f, 0);
	x = fake_submit(&f, OP_WRITE, 8, 4096);
	fake_run(&f);
	CHECK(!x->done);
	f.res.conf.votes = false;
	repl_conf_changed(&f.res);
	CHECK(!x->done && f.res.susp & SUSP_META);
	fake_run(&f);
	CHECK(x->done && !x->err && !(version() & SET_VOTED));
	CHECK(f.vol.in_sync == BIT(0));
	fake_exit(&f);
}

/* A peer that has been in the set of a later reign than ours. */
static void follower_comes(u32 i)
{
	struct repl_wire_vol_state w;

	fake_same_state(&f, i, &w);
	w.disk = DISK_UPTODATE;
	w.set_version = cpu_to_le64(9 * REIGN | SET_NEXT | SET_VOTED);
	w.in_sync = cpu_to_le32(ALL & ~BIT(0));
	fake_up(&f, i);
	res_state(i, ROLE_SECONDARY, true);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

/* One without data keeps a set of a later reign, of the first peer alone. */
static void keeper_comes(u32 i, u32 keepers)
{
	struct repl_wire_vol_state w;

	fake_same_state(&f, i, &w);
	w.disk = DISK_INCONSISTENT;
	w.set_version = cpu_to_le64(9 * REIGN | SET_NEXT | SET_VOTED);
	w.in_sync = cpu_to_le32(BIT(1));
	w.keepers = cpu_to_le32(keepers);
	fake_up(&f, i);
	res_state(i, ROLE_SECONDARY, true);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

/* In doubt, as a peer has voted in a newer term. */
static void doubt(void)
{
	u64 term = f.res.term;

	f.res.term = 9;
	res_state(0, ROLE_SECONDARY, true);
	f.res.term = term;
	fake_run(&f);
	fake_run(&f);
	CHECK(f.res.role == ROLE_PRIMARY && f.res.renewing);
}

/* Its successor may be gone.  It steps down once a majority has followed that one. */
static void superseded(void)
{
	reign(ACK_QUORUM);
	doubt();
	follower_comes(1);
	CHECK(f.res.role == ROLE_PRIMARY);
	follower_comes(0);
	CHECK(f.res.role == ROLE_SECONDARY && !f.res.renewing);
	fake_exit(&f);

	/* Those that keep the later set don't vote for us either; others may. */
	reign(ACK_QUORUM);
	doubt();
	follower_comes(0);
	keeper_comes(1, 0);
	CHECK(f.res.role == ROLE_PRIMARY);
	fake_down(&f, 1);
	keeper_comes(1, BIT(2));
	CHECK(f.res.role == ROLE_SECONDARY && !f.res.renewing);
	fake_exit(&f);

	/* Of two, the other one is enough, and nobody is not. */
	peers = 1;
	reign(ACK_QUORUM);
	doubt();
	peer_comes(0, REPL_VS_VOUCHES, true);
	CHECK(f.res.role == ROLE_PRIMARY);
	fake_down(&f, 0);
	follower_comes(0);
	CHECK(f.res.role == ROLE_SECONDARY);
	fake_exit(&f);
	peers = 2;
}

static int may_elect(const char **why)
{
	struct repl_res_conf conf = f.res.conf;

	conf.votes = true;
	return repl_conf_allowed(&f.res, &conf, why);
}

/* A Primary that was not elected asks for a term; its set is made anew in that. */
static void switched_on(void)
{
	const char *why = NULL;
	u64 before;

	scene(&f, SCENE_PRIMARY);
	before = version();
	CHECK(!(before & SET_VOTED));
	CHECK(may_elect(&why) == -EBUSY && strstr(why, "Primary last"));
	res_state(0, ROLE_SECONDARY, true);
	CHECK(!may_elect(&why), "%s", why);
	f.res.conf.votes = true;
	f.res.lease_until = 0;
	repl_conf_changed(&f.res);
	CHECK(f.res.renewing && f.want_down[0] && f.res.susp & SUSP_QUORUM);
	fake_down(&f, 0);
	peer_comes(0, REPL_VS_VOUCHES, true);
	repl_tick(&f.res, f.res.now + 1000);
	scene_vote(&f, 0, REPL_HDR_TRIAL);
	scene_vote(&f, 0, 0);
	vol_state(0, DISK_UPTODATE, 0);
	scene_confirm(&f, 0);
	CHECK(!f.res.renewing && f.res.role == ROLE_PRIMARY);
	CHECK(version() & SET_VOTED && version() > before, "%llx",
	      (unsigned long long)version());
	fake_exit(&f);
}

/* Whoever was left behind by force is not to be overwritten in silence later. */
static void force_is_remembered(void)
{
	const char *why;

	start(ACK_SYNC, true, REIGN | SET_NEXT | SET_VOTED | SET_FORCED);
	peer_comes(0, REPL_VS_VOUCHES, true);
	f.res.lease_until = 0;
	repl_promote(&f.res, false, &why);
	scene_vote(&f, 0, REPL_HDR_TRIAL);
	scene_vote(&f, 0, 0);
	scene_confirm(&f, 0);
	CHECK((version() & SET_MARKS) == SET_MARKS);
	f.res.conf.votes = false;
	repl_conf_changed(&f.res);
	scene_confirm(&f, 0);
	CHECK((version() & SET_MARKS) == SET_FORCED, "%llx",
	      (unsigned long long)version());
	f.res.conf.votes = true;
	CHECK((set_next_version(&f.res) & SET_MARKS) == SET_MARKS);
	f.res.conf.votes = false;
	fake_exit(&f);
}

int main(void)
{
	RUN(one_vouches);
	RUN(own_settings);
	RUN(last_primary_fills);
	RUN(renewed);
	RUN(other_policy);
	RUN(order_of_policies);
	RUN(no_voter);
	RUN(primary_without_lease);
	RUN(set_without_votes);
	RUN(alone_without_votes);
	RUN(alone);
	RUN(without_its_disk);
	RUN(kept_by_follower);
	RUN(reads_need_the_lease);
	RUN(slow_disk);
	RUN(switched_off);
	RUN(switched_off_alone);
	RUN(switched_on);
	RUN(superseded);
	RUN(force_is_remembered);
	return tap_end();
}
