// SPDX-License-Identifier: GPL-2.0
/* Which sets count: those that were kept before, and those of one that was elected. */
#include "scenes.h"
#include "tap.h"

static struct fake f;

static void start(u64 version)
{
	scene_member(&f, 2, ACK_QUORUM, true, version);
}

/* What a peer with our data says of the set that it knows. */
static void knows(u32 i, struct repl_wire_vol_state *w, u64 version, u32 in_sync)
{
	fake_same_state(&f, i, w);
	w->set_version = cpu_to_le64(version);
	w->in_sync = cpu_to_le32(in_sync);
}

static void tells(u32 i, struct repl_wire_vol_state *w, u64 kept_before, u16 flags)
{
	w->kept_before = cpu_to_le64(kept_before);
	w->flags |= cpu_to_le16(flags);
	fake_vol_state(&f, i, w);
	fake_run(&f);
}

static void comes(u32 i)
{
	fake_up(&f, i);
	fake_res_state(&f, i, ROLE_SECONDARY);
}

static const char *refused(void)
{
	struct repl_promotion p;

	f.res.lease_until = 0;
	repl_promotion(&f.res, &p);
	return p.why;
}

/* A copy that is not finished tells of the set of the third node alone. */
static void unfinished_comes(u64 kept_before)
{
	struct repl_wire_vol_state w;

	comes(0);
	knows(0, &w, REIGN + 3 * SET_NEXT + SET_VOTED, BIT(2));
	w.disk = DISK_INCONSISTENT;
	tells(0, &w, kept_before, 0);
}

/*
 * Of a set that no majority keeps we hear from one that may have forgotten which one
 * counts: ours does, unless there was a later one.
 */
static void kept_before(void)
{
	static const u64 others[] = { 0, REIGN, REIGN + 2 * SET_NEXT };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		start(REIGN + SET_NEXT + SET_VOTED);
		f.vol.store->in_sync = BIT(0) | BIT(2);
		unfinished_comes(others[i]);
		CHECK(!refused() == (others[i] < REIGN + SET_NEXT), "%u: %s", i,
		      refused());
		fake_exit(&f);
	}
}

/* What a node remembers of the sets that it has known. */
static void keeps_sets(void)
{
	const u64 v = REIGN | SET_VOTED;
	struct repl_store *s;

	start(v);
	s = f.vol.store;
	keep_set(&f.vol, BIT(0) | BIT(1), 0, v + SET_NEXT);
	CHECK(!s->kept_before && s->in_sync == (BIT(0) | BIT(1)));
	keep_set(&f.vol, BIT(1), 0, v + 2 * SET_NEXT);
	CHECK(s->kept_before == REIGN + SET_NEXT && s->in_sync == BIT(1));
	CHECK(s->set_version == v + 2 * SET_NEXT);
	keep_set(&f.vol, BIT(2), 0, v + 3 * SET_NEXT);
	CHECK(s->kept_before == REIGN + SET_NEXT);
	/* Keepers count. */
	keep_set(&f.vol, BIT(1), BIT(0), v + 4 * SET_NEXT);
	keep_set(&f.vol, BIT(1), 0, v + 5 * SET_NEXT);
	CHECK(s->kept_before == REIGN + 4 * SET_NEXT);
	fake_exit(&f);
}

/* What a peer says that was filled by a member of the set. */
static void filled_comes(u32 i, u64 version, u64 kept_before)
{
	struct repl_wire_vol_state w;

	comes(i);
	knows(i, &w, version, BIT(0) | BIT(1) | BIT(i + 1));
	w.dirty = cpu_to_le64(1);
	tells(i, &w, kept_before, 0);
}

/*
 * We have crashed, the other member of our set has not.  That one which it has filled
 * says that a later set was kept makes us no better.
 */
static void floor_above(void)
{
	static const u64 floor[] = { 0, REIGN + 4 * SET_NEXT };
	const u64 v = REIGN + 3 * SET_NEXT + SET_VOTED;
	struct repl_wire_vol_state w;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(floor); i++) {
		start(v);
		f.vol.store->in_sync = BIT(0) | BIT(1);
		f.vol.store->flags |= META_F_CRASHED;
		f.vol.vouch = false;
		comes(0);
		knows(0, &w, v, BIT(0) | BIT(1));
		w.dirty = cpu_to_le64(1);
		tells(0, &w, 0, REPL_VS_VOUCHES);
		filled_comes(1, v, floor[i]);
		CHECK(refused() && !elect_has_all(&f.res), "%u", i);
		CHECK(f.vol.disk == DISK_CONSISTENT, "%u: %u", i, f.vol.disk);
		fake_exit(&f);
	}
}

/*
 * The newest set that anybody here knows is older than one that was kept: then any
 * replica may have more than its members, also the one that is away.
 */
static void floor_of_one_away(void)
{
	const u64 v = REIGN + 3 * SET_NEXT + SET_VOTED;
	bool vouch;
	u32 i;

	for (i = 0; i < 2; i++) {
		vouch = i;
		start(v);
		f.vol.store->in_sync = BIT(0) | BIT(1);
		f.vol.vouch = vouch;
		filled_comes(1, v, REIGN + 4 * SET_NEXT);
		CHECK(refused() && !elect_has_all(&f.res), "%u", i);
		CHECK(elect_set(&f.vol) == (BIT(0) | BIT(1) | BIT(2)), "%u: %x",
		      i, elect_set(&f.vol));
		fake_exit(&f);
	}
}

/*
 * Nobody has to wait for a set that one says was kept, if too many here never knew it:
 * of four nodes, two that vouch for the one before are enough.
 */
static void floor_blocks(void)
{
	static const u64 floor[] = { 0, REIGN + 4 * SET_NEXT };
	const u64 v = REIGN + 3 * SET_NEXT + SET_VOTED;
	const u32 set = BIT(0) | BIT(1) | BIT(3);
	struct repl_wire_vol_state w;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(floor); i++) {
		scene_member(&f, 3, ACK_QUORUM, true, v);
		f.vol.store->in_sync = set;
		comes(0);
		knows(0, &w, v, set);
		w.disk = DISK_CONSISTENT;
		tells(0, &w, 0, REPL_VS_VOUCHES);
		comes(1);
		knows(1, &w, v + 2 * SET_NEXT, BIT(3));
		w.disk = DISK_OUTDATED;
		tells(1, &w, floor[i], 0);
		CHECK(!refused(), "%u: %s", i, refused());
		fake_exit(&f);
	}
}

/*
 * One that was elected has filled another, and crashed before its first set.  What both
 * know of its reign is no set: either may be elected, as it had all.
 */
static void blocked(void)
{
	const u64 v = 7 * REIGN | SET_VOTED;
	struct repl_wire_vol_state w;

	start(v);
	comes(0);
	knows(0, &w, v, BIT(1) | BIT(2));
	w.disk = DISK_CONSISTENT;
	tells(0, &w, 0, REPL_VS_CRASHED | REPL_VS_LAST_PRIMARY |
			REPL_VS_WAS_PRIMARY);
	CHECK(!refused() && elect_has_all(&f.res), "%s", refused());
	fake_exit(&f);

	/* It was us. */
	start(v);
	f.vol.store->in_sync = BIT(0) | BIT(2);
	f.vol.store->flags |= META_F_CRASHED | META_F_PRIMARY;
	f.vol.vouch = false;
	comes(0);
	knows(0, &w, v, BIT(0) | BIT(1) | BIT(2));
	tells(0, &w, 0, 0);
	CHECK(!refused() && elect_has_all(&f.res), "%s", refused());
	fake_exit(&f);
}

/* ---- the votes of one that knows a set of one volume only ---- */

static struct fake second;

#define LATER	(7 * REIGN + SET_NEXT + SET_VOTED)

/* We have crashed, and know these sets. */
static void start_two(u64 first_version, u32 in_sync)
{
	start(first_version);
	scene_format(&second);
	fake_sb(&second)->volume = 1;
	fake_sb(&second)->in_sync = cpu_to_le32(in_sync);
	fake_sb(&second)->set_version = cpu_to_le64(LATER);
	fake_seal(&second);
	fake_add_vol(&f, &second);
	fake_attach(&second);
	f.vol.store->flags |= META_F_CRASHED;
	f.vol.vouch = false;
	second.vol.store->flags |= META_F_CRASHED;
	second.vol.vouch = false;
}

/* With our data, but for a generation of its own. */
static void has(u32 i, u16 volume, u64 version, u16 flags, u32 generation)
{
	struct repl_wire_hdr h = { .type = PKT_VOL_STATE };
	struct repl_wire_vol_state w;

	fake_same_state(volume ? &second : &f, i, &w);
	w.set_version = cpu_to_le64(version);
	w.in_sync = cpu_to_le32(BIT(0) | BIT(1) | BIT(2));
	w.flags |= cpu_to_le16(flags | REPL_VS_VOUCHES);
	w.lineage[i + 1] = cpu_to_le32(generation);
	h.volume = cpu_to_le16(volume);
	h.length = cpu_to_le32(sizeof(w));
	fake_rx(&f, i, &h, &w);
	fake_run(&f);
	fake_run(&second);
}

static bool votes_for(u32 i)
{
	struct repl_wire_hdr h = { .type = PKT_VOTE_REQ };
	struct fake_pkt *pkt;
	bool yes;

	h.id = cpu_to_le64(9);
	h.flags = REPL_HDR_TRIAL;
	f.res.lease_until = 0;
	f.keep_pkts = true;
	fake_rx(&f, i, &h, "");
	pkt = fake_find(&f, PKT_VOTE);
	yes = pkt && (pkt->h.flags & REPL_HDR_YES);
	fake_forget(&f);
	f.keep_pkts = false;
	return yes;
}

/*
 * The Primary of before asks for a term.  We know a set of a later reign: of one
 * volume, and it does not?  Then nobody has confirmed it.
 */
static void half_told(void)
{
	const u64 v = REIGN + SET_NEXT + SET_VOTED;
	static const struct {
		bool both;	/* we know it of both volumes */
		u32 set;
		bool yes;
	} c[] = {
		{ false, BIT(0) | BIT(1) | BIT(2), true },
		{ true, BIT(0) | BIT(1) | BIT(2), false },
		/* The other member knows it; a disk of ours may be a new one. */
		{ false, BIT(0) | BIT(2), false },
	};
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		start_two(c[i].both ? LATER : v, c[i].set);
		comes(0);
		comes(1);
		for (j = 0; j < 2; j++) {
			has(0, j, v, REPL_VS_RENEWS, 1);
			has(1, j, c[i].set & BIT(1) ? v : LATER, 0, 0);
		}
		CHECK(votes_for(0) == c[i].yes, "%u", i);
		fake_del_vol(&second);
		fake_exit(&f);
	}
}

/* ---- Primaries in doubt ---- */

static struct repl_wire_vol_state before[2];

/* Both say that they have what we have, and know our set. */
static void both_tell(void)
{
	struct repl_wire_vol_state w;
	u32 i;

	for (i = 0; i < 2; i++) {
		w = before[i];
		w.in_sync = cpu_to_le32(f.vol.in_sync);
		w.set_version = cpu_to_le64(f.res.set_version);
		lineage_to_wire(w.lineage, &f.vol.lineage);
		tells(i, &w, 0, REPL_VS_VOUCHES);
	}
}

static void both_come(void)
{
	comes(0);
	comes(1);
	both_tell();
}

static void both_vote(void)
{
	u32 i;

	for (i = 0; i < 4; i++)
		scene_vote(&f, i % 2, i < 2 ? REPL_HDR_TRIAL : 0);
}

static void both_confirm(void)
{
	u32 i;

	for (i = 0; i < 4; i++)
		scene_confirm(&f, i % 2);
}

/* Elected by both others, which are members of its set. */
static void reign(void)
{
	const char *why = "-";
	u32 i;

	start(REIGN | SET_NEXT | SET_VOTED);
	for (i = 0; i < 2; i++)
		fake_same_state(&f, i, &before[i]);
	both_come();
	f.res.lease_until = 0;
	CHECK(!repl_promote(&f.res, false, &why), "%s", why);
	both_vote();
	both_confirm();
	both_tell();
	both_confirm();
	scene_promise(&f, 0);
	scene_promise(&f, 1);
	CHECK(f.res.role == ROLE_PRIMARY && !f.res.vote.step && !f.res.susp,
	      "%x", f.res.susp);
}

/* A peer has voted in a newer term. */
static void doubt(void)
{
	u64 term = f.res.term;

	f.res.term = 9;
	fake_res_state(&f, 0, ROLE_SECONDARY);
	f.res.term = term;
	fake_run(&f);
	CHECK(f.res.role == ROLE_PRIMARY && f.res.renewing);
}

/*
 * A Primary without a disk is elected again.  Those that confirm its set are not left
 * for what they said before, where that comes first.
 */
static void diskless_race(void)
{
	reign();
	fake_detach(&f);
	both_confirm();
	both_tell();
	both_confirm();
	doubt();
	f.res.term = 9;
	both_come();
	f.res.lease_until = 0;
	repl_tick(&f.res, f.res.now + 1000);
	both_vote();
	both_confirm();
	scene_promise(&f, 0);
	scene_promise(&f, 1);
	CHECK(!f.res.susp && f.vol.in_sync == (BIT(1) | BIT(2)), "%x %x",
	      f.res.susp, f.vol.in_sync);
	both_tell();
	CHECK(!f.res.susp && f.vol.in_sync == (BIT(1) | BIT(2)), "%x %x",
	      f.res.susp, f.vol.in_sync);
	fake_exit(&f);
}

/* Do we take the place of a Primary that was gone, and is back, saying this? */
static bool stands(u16 flags, bool dies)
{
	struct repl_wire_vol_state w;
	bool stood = false;
	u32 i;

	start(REIGN | SET_NEXT | SET_VOTED);
	f.res.conf.auto_promote = true;
	comes(1);
	fake_same_state(&f, 1, &w);
	tells(1, &w, 0, REPL_VS_VOUCHES);
	fake_up(&f, 0);
	fake_res_state(&f, 0, ROLE_PRIMARY);
	fake_same_state(&f, 0, &w);
	tells(0, &w, 0, REPL_VS_VOUCHES);
	fake_down(&f, 0);
	comes(0);
	tells(0, &w, 0, flags);
	f.res.lease_until = 0;
	for (i = 0; i < 30; i++) {
		repl_tick(&f.res, f.res.now + 100);
		stood |= f.res.vote.step != VOTE_NONE;
		if (dies && i == 2)
			fake_down(&f, 0);
	}
	fake_exit(&f);
	return stood;
}

/* Nobody stands beside a Primary that asks for another term: it is not gone. */
static void succession(void)
{
	CHECK(!stands(0, false));
	CHECK(stands(REPL_VS_LAST_PRIMARY, false));
	CHECK(!stands(REPL_VS_RENEWS, false));
	CHECK(!stands(REPL_VS_RENEWS | REPL_VS_LAST_PRIMARY, false));
	/* Gone again before it has one: it has left no word. */
	CHECK(!stands(0, true));
	CHECK(stands(REPL_VS_RENEWS, true));
}

/* It says so itself, and is taken for the last Primary none the less. */
static void says_that_it_renews(void)
{
	struct repl_wire_vol_state w;
	struct repl_vstate v;
	struct repl_pv *pv;

	reign();
	pv = list_first_entry(&f.peer[0].pvs, struct repl_pv, by_peer);
	my_vstate(pv, &v);
	CHECK(!(v.flags & REPL_VS_RENEWS));
	doubt();
	my_vstate(pv, &v);
	CHECK(v.flags & REPL_VS_RENEWS, "%x", v.flags);
	fake_exit(&f);

	start(REIGN | SET_NEXT | SET_VOTED);
	comes(0);
	fake_same_state(&f, 0, &w);
	tells(0, &w, 0, REPL_VS_RENEWS);
	pv = list_first_entry(&f.peer[0].pvs, struct repl_pv, by_peer);
	CHECK(last_primary(pv));
	fake_exit(&f);
}

int main(void)
{
	RUN(kept_before);
	RUN(keeps_sets);
	RUN(floor_above);
	RUN(floor_of_one_away);
	RUN(floor_blocks);
	RUN(blocked);
	RUN(half_told);
	RUN(diskless_race);
	RUN(succession);
	RUN(says_that_it_renews);
	return tap_end();
}
