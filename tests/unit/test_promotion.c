// SPDX-License-Identifier: GPL-2.0
/* What a promotion would meet is told without trying it, in the same words. */
#include "scenes.h"
#include "tap.h"

static struct fake f;

/* Return: what would refuse us; looking has changed nothing. */
static const char *told(struct repl_promotion *p)
{
	static struct repl_res before;

	before = f.res;
	f.keep_pkts = true;
	repl_promotion(&f.res, p);
	CHECK(!memcmp(&before, &f.res, sizeof(before)));
	CHECK(list_empty(&f.pkts));
	f.keep_pkts = false;
	return p->why;
}

/* The real thing, at once, says the same. */
static void same_words(struct repl_promotion *p)
{
	const char *why = NULL;

	CHECK(told(p));
	CHECK(repl_promote(&f.res, false, &why));
	CHECK(why && p->why && !strcmp(why, p->why), "%s / %s", why, p->why);
}

static void at_once(void)
{
	struct repl_promotion p;

	scene(&f, SCENE_SECONDARY);
	CHECK(!told(&p));
	f.peer[0].features = 0;
	same_words(&p);
	CHECK(!p.missing && !p.votes_needed);
	fake_exit(&f);

	scene(&f, SCENE_TARGET);
	fake_down(&f, 0);
	same_words(&p);
	CHECK(strstr(p.why, "Inconsistent"));
	fake_exit(&f);

	scene(&f, SCENE_SOURCE);
	CHECK(!told(&p));
	fake_exit(&f);
}

#define ALL	(BIT(0) | BIT(1) | BIT(2))

/* One of three nodes, a member of @set, when it starts. */
static void start_in(u32 set, u8 policy)
{
	scene_format(&f);
	fake_sb(&f)->in_sync = cpu_to_le32(set);
	if (policy == ACK_QUORUM)
		fake_sb(&f)->set_version = cpu_to_le64(SET_VOTED);
	fake_seal(&f);
	fake_init(&f, 2);
	f.res.conf.ack_policy = policy;
	fake_attach(&f);
}

/* All of three were there when it went. */
static void start_alone(u8 policy)
{
	start_in(ALL, policy);
}

static void peer_comes_with(u32 i, u8 disk, u8 sees, u16 flags)
{
	struct repl_wire_res_state r = { .role = ROLE_SECONDARY, .primary = sees };
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };
	struct repl_wire_vol_state w;

	r.flags = elects(&f.res) ? REPL_RS_VOTES : 0;
	fake_same_state(&f, i, &w);
	w.disk = disk;
	w.in_sync = cpu_to_le32(ALL);
	w.flags |= cpu_to_le16(flags);
	fake_up(&f, i);
	h.length = cpu_to_le32(sizeof(r));
	fake_rx(&f, i, &h, &r);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

static void peer_comes(u32 i, u8 disk, u8 sees)
{
	peer_comes_with(i, disk, sees, 0);
}

static void who_is_missing(void)
{
	struct repl_promotion p;

	start_alone(ACK_SYNC);
	CHECK(f.vol.disk == DISK_CONSISTENT);
	same_words(&p);
	CHECK(p.missing == (BIT(1) | BIT(2)), "missing %x", p.missing);
	peer_comes(0, DISK_CONSISTENT, NODE_NONE);
	same_words(&p);
	CHECK(p.missing == BIT(2), "missing %x", p.missing);
	peer_comes(1, DISK_CONSISTENT, NODE_NONE);
	CHECK(f.vol.disk == DISK_UPTODATE);
	CHECK(!told(&p) && !p.missing);
	fake_exit(&f);
}

/* Peers that are async here, of two; a majority that could acknowledge, or not. */
static bool enough_waited_for(u8 policy, u32 async, u32 min_in_sync)
{
	struct repl_promotion p;
	u32 i;

	start_alone(policy);
	f.res.conf.min_in_sync = (u8)min_in_sync;
	for (i = 0; i < 2; i++) {
		f.peer[i].conf.async = async & BIT(i);
		peer_comes(i, DISK_CONSISTENT, NODE_NONE);
	}
	told(&p);
	if (p.why)
		same_words(&p);
	CHECK(!p.why || strstr(p.why, "too many peers are async"), "%s", p.why);
	fake_exit(&f);
	return !p.why;
}

static void async_here(void)
{
	CHECK(enough_waited_for(ACK_QUORUM, 0, 0));
	CHECK(enough_waited_for(ACK_QUORUM, 1, 0));
	CHECK(!enough_waited_for(ACK_QUORUM, 3, 0));
	/* As always: its I/O waits, and explain says for what. */
	CHECK(enough_waited_for(ACK_QUORUM, 1, 3));
	CHECK(enough_waited_for(ACK_SYNC, 3, 2));
	CHECK(enough_waited_for(ACK_ASYNC, 3, 0));
}

static void votes(void)
{
	struct repl_promotion p;

	start_alone(ACK_QUORUM);
	told(&p);
	CHECK(p.votes == 1 && p.votes_needed == 2, "%u of %u", p.votes, p.votes_needed);
	CHECK(p.missing == (BIT(1) | BIT(2)), "missing %x", p.missing);
	/* A peer without a disk has no vote. */
	peer_comes(0, DISK_DISKLESS, NODE_NONE);
	told(&p);
	CHECK(p.votes == 1, "%u votes", p.votes);
	fake_down(&f, 0);
	peer_comes(0, DISK_CONSISTENT, NODE_NONE);
	told(&p);
	CHECK(p.votes == 2, "%u votes", p.votes);
	fake_exit(&f);
}

/* All have stopped in good order.  Two of three are enough to go on. */
static void two_are_back(void)
{
	struct repl_promotion p;
	u32 crashed;

	for (crashed = 0; crashed < 2; crashed++) {
		start_alone(ACK_QUORUM);
		CHECK(f.vol.vouch && f.vol.disk == DISK_CONSISTENT);
		peer_comes_with(0, DISK_CONSISTENT, NODE_NONE,
				crashed ? REPL_VS_CRASHED : REPL_VS_VOUCHES);
		CHECK(f.vol.disk == (crashed ? DISK_CONSISTENT : DISK_UPTODATE));
		CHECK(!told(&p) == !crashed, "%u: %s", crashed,
		      p.why ? p.why : "-");
		fake_exit(&f);
	}
}

/* Of a set of two one has all; but alone it can't know of a newer set. */
static void one_is_back(void)
{
	start_in(BIT(0) | BIT(1), ACK_QUORUM);
	CHECK(f.vol.disk == DISK_CONSISTENT);
	fake_exit(&f);
}

/*
 * We have crashed, and know a set of @version with @set; the two others are back
 * too, one was the Primary, and know an older set of all.
 */
#define OLDER	((2ULL << SET_TERM_SHIFT) + 3 * SET_NEXT)

static void all_have_crashed(u32 set, u64 version)
{
	struct repl_wire_res_state r = { .role = ROLE_SECONDARY,
					 .primary = NODE_NONE,
					 .flags = REPL_RS_VOTES };
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };
	struct repl_wire_vol_state w;
	u32 i, flags;

	scene_format(&f);
	fake_sb(&f)->in_sync = cpu_to_le32(set);
	fake_sb(&f)->set_version = cpu_to_le64(version);
	fake_sb(&f)->flags |= cpu_to_le32(META_F_UNCLEAN);
	fake_seal(&f);
	fake_init(&f, 2);
	f.res.conf.ack_policy = ACK_QUORUM;
	fake_attach(&f);
	h.length = cpu_to_le32(sizeof(r));
	for (i = 0; i < 2; i++) {
		flags = REPL_VS_CRASHED | (i ? 0 : REPL_VS_LAST_PRIMARY);
		fake_same_state(&f, i, &w);
		w.disk = DISK_CONSISTENT;
		w.in_sync = cpu_to_le32(ALL);
		w.set_version = cpu_to_le64(OLDER);
		w.flags = cpu_to_le16(flags);
		fake_up(&f, i);
		fake_rx(&f, i, &h, &r);
		fake_vol_state(&f, i, &w);
		fake_run(&f);
	}
}

/* Nothing was acknowledged under a set of less than a majority: who is in has all. */
static void last_of_few(void)
{
	struct repl_promotion p;

	all_have_crashed(BIT(0), OLDER + SET_NEXT);
	CHECK(!told(&p), "%s", p.why);
	fake_exit(&f);
	/* Nor under one that no other member was told of. */
	all_have_crashed(ALL, OLDER + SET_NEXT);
	CHECK(!told(&p), "%s", p.why);
	fake_exit(&f);
	/* Who was left out is none of those. */
	all_have_crashed(BIT(1), OLDER + SET_NEXT);
	CHECK(told(&p));
	fake_exit(&f);
}

/* A copy that counts more than another's is not a newer set. */
static void renewed_only(void)
{
	struct repl_promotion p;
	u64 v = OLDER;
	u32 i;

	for (i = 0; i < 20000; i++)
		v = set_renew(v);
	CHECK(v > OLDER && set_number(v) == OLDER);

	all_have_crashed(ALL, OLDER + SET_RENEWED);
	CHECK(told(&p));
	fake_exit(&f);
}

static void peer_sees_primary(void)
{
	struct repl_promotion p;

	scene_format(&f);
	fake_init(&f, 2);
	fake_attach(&f);
	CHECK(repl_sees_primary(&f.peer[0]) == -1);
	peer_comes(0, DISK_UPTODATE, 2);
	CHECK(repl_sees_primary(&f.peer[0]) == 2);
	CHECK(told(&p) && strstr(p.why, "sees another Primary"), "%s", p.why);
	fake_exit(&f);
}

/* We are cut off from a primary, and it has gone on with one that we reach. */
static void gone_on_without(void)
{
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };
	struct repl_wire_res_state r = { .role = ROLE_SECONDARY, .primary = 2 };
	struct repl_wire_vol_state w;
	struct repl_promotion p;
	struct repl_lineage l;

	start_alone(ACK_SYNC);
	peer_comes(0, DISK_CONSISTENT, NODE_NONE);
	peer_comes(1, DISK_CONSISTENT, NODE_NONE);
	fake_down(&f, 0);
	fake_down(&f, 1);
	CHECK(f.vol.disk == DISK_UPTODATE);
	peer_comes(0, DISK_UPTODATE, 2);
	CHECK(f.vol.disk == DISK_UPTODATE);
	fake_down(&f, 0);

	fake_same_state(&f, 0, &w);
	l = f.vol.store->lineage;
	l.gen[2]++;
	lineage_to_wire(w.lineage, &l);
	w.in_sync = cpu_to_le32(BIT(1) | BIT(2));
	w.set_version = cpu_to_le64(f.vol.store->set_version + 1);
	fake_up(&f, 0);
	h.length = cpu_to_le32(sizeof(r));
	fake_rx(&f, 0, &h, &r);
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
	CHECK(f.vol.disk == DISK_OUTDATED, "disk %u", f.vol.disk);
	fake_down(&f, 0);
	same_words(&p);
	CHECK(p.why && strstr(p.why, "Outdated"));
	fake_exit(&f);
}

/* Programs that had a device open when its Primary was replaced. */
static void revoked(void)
{
	struct repl_promotion p;
	const char *why = NULL;

	scene(&f, SCENE_PRIMARY);
	f.in_use = true;
	CHECK(!repl_demote(&f.res, true, &why));
	CHECK(f.res.role == ROLE_SECONDARY && f.vol.revoked);
	fake_run(&f);
	same_words(&p);
	CHECK(p.why && strstr(p.why, "close it first"));
	repl_vol_closed(&f.vol);
	CHECK(!f.vol.revoked);
	CHECK(!told(&p) || !strstr(p.why, "close it first"));
	fake_exit(&f);

	scene(&f, SCENE_PRIMARY);
	f.in_use = false;
	CHECK(!repl_demote(&f.res, true, &why));
	CHECK(!f.vol.revoked);
	fake_exit(&f);
}

/* Nobody stands by itself after an administrator's word, not after a restart. */
static void resigned(void)
{
	const char *why = NULL;

	scene(&f, SCENE_PRIMARY);
	CHECK(!repl_demote(&f.res, true, &why));
	fake_run(&f);
	fake_detach(&f);
	f.res.resigned = false;
	fake_attach(&f);
	CHECK(f.res.resigned);
	fake_exit(&f);

	scene(&f, SCENE_PRIMARY);
	fake_detach(&f);
	fake_attach(&f);
	CHECK(!f.res.resigned);
	fake_exit(&f);
}

static void held(void)
{
	struct repl_io_info io;

	scene(&f, SCENE_PRIMARY);
	repl_io_info(&f.res, &io);
	CHECK(io.in_step == 2 && io.needed == 1 && !io.suspended_ms,
	      "%u of %u", io.in_step, io.needed);
	f.res.conf.min_in_sync = 3;
	repl_conf_changed(&f.res);
	repl_tick(&f.res, f.res.now + 100);
	repl_tick(&f.res, f.res.now + 4000);
	repl_io_info(&f.res, &io);
	CHECK(f.res.susp == SUSP_QUORUM, "%x", f.res.susp);
	CHECK(io.needed == 3 && io.suspended_ms == 4000, "%llu ms",
	      (unsigned long long)io.suspended_ms);
	f.res.conf.min_in_sync = 0;
	repl_conf_changed(&f.res);
	repl_tick(&f.res, f.res.now + 100);
	repl_io_info(&f.res, &io);
	CHECK(!io.suspended_ms);
	fake_exit(&f);
}

/* Ours is detached; does the peer, with the lineage that it had then, get our word? */
static bool votes_for_one_that_has(u32 set, u32 gen)
{
	struct repl_wire_hdr h = { .type = PKT_VOTE_REQ };
	struct repl_wire_vol_state w;
	struct fake_pkt *vote;
	bool yes;

	scene_format(&f);
	fake_sb(&f)->lineage[0] = cpu_to_le32(3);
	fake_sb(&f)->in_sync = cpu_to_le32(set);
	fake_seal(&f);
	fake_init(&f, 1);
	fake_attach(&f);
	fake_same_state(&f, 0, &w);
	w.lineage[0] = cpu_to_le32(gen);
	w.in_sync = cpu_to_le32(BIT(0) | BIT(1));
	fake_detach(&f);
	CHECK(f.vol.disk == DISK_DISKLESS);
	fake_up(&f, 0);
	fake_res_state(&f, 0, ROLE_SECONDARY);
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
	f.keep_pkts = true;
	h.id = cpu_to_le64(5);
	CHECK(fake_rx(&f, 0, &h, "") == WIRE_OK);
	vote = fake_find(&f, PKT_VOTE);
	CHECK(vote);
	yes = vote && vote->h.flags & REPL_HDR_YES;
	f.keep_pkts = false;
	fake_exit(&f);
	return yes;
}

/* Who has no disk any more still knows whom its set has left behind. */
static void knows_better(void)
{
	CHECK(!votes_for_one_that_has(BIT(0), 2));
	CHECK(votes_for_one_that_has(BIT(0), 3));
	CHECK(votes_for_one_that_has(BIT(0) | BIT(1), 2));
}

/* All have lost power.  A majority is back, which does not know what the third had. */
static void one_stays_dead(void)
{
	static const u8 policy[] = { ACK_SYNC, ACK_QUORUM };
	struct repl_promotion p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(policy); i++) {
		scene_format(&f);
		fake_sb(&f)->in_sync = cpu_to_le32(ALL);
		fake_sb(&f)->set_version = cpu_to_le64(SET_VOTED);
		fake_sb(&f)->flags |= cpu_to_le32(META_F_UNCLEAN);
		fake_seal(&f);
		fake_init(&f, 2);
		f.res.conf.ack_policy = policy[i];
		f.res.conf.votes = true;
		f.res.elected_before = true;
		fake_attach(&f);
		peer_comes_with(0, DISK_CONSISTENT, NODE_NONE, REPL_VS_CRASHED);
		told(&p);
		CHECK(p.votes == 2 && p.votes_needed == 2, "%u of %u", p.votes,
		      p.votes_needed);
		CHECK(p.why && strstr(p.why, "(Consistent)"), "%s", p.why ? p.why : "-");
		CHECK(p.missing == BIT(2), "missing %x", p.missing);
		peer_comes_with(1, DISK_CONSISTENT, NODE_NONE, REPL_VS_CRASHED);
		CHECK(!told(&p), "%s", p.why);
		fake_exit(&f);
	}
}

int main(void)
{
	RUN(at_once);
	RUN(knows_better);
	RUN(who_is_missing);
	RUN(async_here);
	RUN(votes);
	RUN(two_are_back);
	RUN(one_stays_dead);
	RUN(one_is_back);
	RUN(last_of_few);
	RUN(renewed_only);
	RUN(peer_sees_primary);
	RUN(gone_on_without);
	RUN(revoked);
	RUN(resigned);
	RUN(held);
	return tap_end();
}
