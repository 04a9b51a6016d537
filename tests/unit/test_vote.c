// SPDX-License-Identifier: GPL-2.0
/* Elections whose votes take long: who is waited for, and who comes first. */
#include "scenes.h"
#include "tap.h"

static struct fake f;

static void peer_comes(u32 i, u8 disk, u16 flags)
{
	struct repl_wire_res_state r = {
		.role = ROLE_SECONDARY, .primary = NODE_NONE, .flags = REPL_RS_VOTES,
	};
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };
	struct repl_wire_vol_state w;

	fake_same_state(&f, i, &w);
	w.disk = disk;
	w.flags |= cpu_to_le16(flags);
	fake_up(&f, i);
	f.peer[i].conf.timeout_ms = 60000;
	h.length = cpu_to_le32(sizeof(r));
	fake_rx(&f, i, &h, &r);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

/* One of the nodes, all members of a set, with these peers. */
static void start(u32 npeers, u8 policy, u32 peers_here)
{
	u32 i;

	scene_member(&f, npeers, policy, true, REIGN | SET_NEXT | SET_VOTED);
	for (i = 0; i < peers_here; i++)
		peer_comes(i, DISK_CONSISTENT, REPL_VS_VOUCHES);
	f.res.lease_until = 0;
}

static void stand(void)
{
	const char *why = "-";

	CHECK(!repl_promote(&f.res, false, &why), "%s", why);
	fake_run(&f);
}

static void later(u32 ms)
{
	repl_tick(&f.res, f.res.now + ms);
	fake_run(&f);
}

/* The only vote that there is to have comes late, twice. */
static void slow_vote(void)
{
	start(2, ACK_SYNC, 1);
	stand();
	later(1000);
	CHECK(f.res.vote.step == VOTE_TRIAL && f.vote_err == 1);
	scene_vote(&f, 0, REPL_HDR_TRIAL);
	CHECK(f.res.vote.step == VOTE_ASKED);
	later(2000);
	CHECK(f.res.vote.step == VOTE_ASKED && f.vote_err == 1);
	scene_vote(&f, 0, 0);
	CHECK(f.res.role == ROLE_PRIMARY);
	fake_exit(&f);
}

/* But not for ever; and force is not the advice. */
static void hanging_vote(void)
{
	start(2, ACK_SYNC, 1);
	stand();
	later(9900);
	CHECK(f.vote_err == 1);
	later(200);
	CHECK(f.vote_err == -EAGAIN && !f.res.vote.step, "%d", f.vote_err);
	CHECK(strstr(f.vote_why, "not answered in time") && !strstr(f.vote_why, "force"),
	      "%s", f.vote_why);
	CHECK(!f.peer[0].silent);
	fake_exit(&f);
}

/* Who is not needed is not waited for. */
static void enough_without(void)
{
	start(2, ACK_SYNC, 2);
	stand();
	scene_vote(&f, 0, REPL_HDR_TRIAL);
	later(200);
	CHECK(f.res.vote.step == VOTE_TRIAL);
	later(100);
	CHECK(f.res.vote.step == VOTE_ASKED);
	later(300);
	CHECK(f.res.vote.step == VOTE_ASKED);
	/* The first that comes, late as it is, is enough. */
	scene_vote(&f, 1, 0);
	CHECK(f.res.role == ROLE_PRIMARY);
	fake_exit(&f);
}

/* Nor is anybody where it would not be enough. */
static void never_enough(void)
{
	start(3, ACK_SYNC, 1);
	set_disk(&f.vol, DISK_UPTODATE);
	stand();
	later(300);
	CHECK(f.vote_err == -EAGAIN && strstr(f.vote_why, "too few are connected"),
	      "%d %s", f.vote_err, f.vote_why);
	fake_exit(&f);
}

/* ---- as voters ---- */

enum said { NO_ANSWER, YES, NO };

static enum said answer_to(u32 i)
{
	struct fake_pkt *pkt;

	list_for_each_entry(pkt, &f.pkts, link)
		if (pkt->h.type == PKT_VOTE && pkt->node == f.peer[i].node)
			return pkt->h.flags & REPL_HDR_YES ? YES : NO;
	return NO_ANSWER;
}

static enum said asked(u32 i, u64 term, u8 flags)
{
	struct repl_wire_hdr h = { .type = PKT_VOTE_REQ, .flags = flags };
	enum said said;

	h.id = cpu_to_le64(term);
	h.dep = cpu_to_le64(f.res.have_term);
	h.seq = cpu_to_le64(f.res.have_seq);
	f.keep_pkts = true;
	fake_forget(&f);
	fake_rx(&f, i, &h, NULL);
	said = answer_to(i);
	fake_forget(&f);
	f.keep_pkts = false;
	return said;
}

/* While a vote is being written another candidate does not take it away. */
static void vote_in_the_making(void)
{
	struct repl_wire_hdr end = { .type = PKT_VOTE_REQ };

	start(2, ACK_SYNC, 2);
	CHECK(asked(0, 5, 0) == NO_ANSWER);
	CHECK(asked(1, 6, REPL_HDR_TRIAL) == NO);
	CHECK(asked(0, 6, REPL_HDR_TRIAL) == YES);
	/* Force does; and so does whoever comes once the first has given up. */
	CHECK(asked(1, 6, REPL_HDR_FULL) == NO_ANSWER);
	CHECK(asked(0, 7, REPL_HDR_TRIAL) == NO);
	fake_rx(&f, 1, &end, NULL);
	CHECK(asked(0, 7, REPL_HDR_TRIAL) == YES);
	fake_exit(&f);
}

/* The first has gone. */
static void vote_for_one_that_left(void)
{
	start(2, ACK_SYNC, 2);
	CHECK(asked(0, 5, 0) == NO_ANSWER);
	fake_down(&f, 0);
	CHECK(asked(1, 6, REPL_HDR_TRIAL) == YES);
	fake_exit(&f);
}

/* We are node 0, the lowest: but one that only asks lets one pass that has a term. */
static void trials_give_way(void)
{
	start(2, ACK_SYNC, 2);
	stand();
	CHECK(asked(0, 5, REPL_HDR_TRIAL) == NO);
	CHECK(asked(0, 5, 0) == NO_ANSWER);
	CHECK(f.vote_err == -EBUSY && f.res.voted_for == 1);
	fake_exit(&f);

	start(2, ACK_SYNC, 2);
	stand();
	scene_vote(&f, 0, REPL_HDR_TRIAL);
	later(300);
	CHECK(f.res.vote.step == VOTE_ASKED);
	CHECK(asked(0, f.res.vote.term + 1, 0) == NO);
	CHECK(asked(1, f.res.vote.term + 1, REPL_HDR_TRIAL) == NO);
	fake_exit(&f);
}

/* ---- all of the set ---- */

/*
 * Too few have what they ever acknowledged, so all of the set have to be there.  One
 * without a disk agrees, and is not.
 */
static void without_a_disk(void)
{
	struct repl_promotion p;

	start(2, ACK_QUORUM, 0);
	peer_comes(0, DISK_CONSISTENT, REPL_VS_CRASHED);
	peer_comes(1, DISK_DISKLESS, 0);
	set_disk(&f.vol, DISK_UPTODATE);
	repl_promotion(&f.res, &p);
	CHECK(p.why && strstr(p.why, "acknowledged writes"), "%s", p.why ? p.why : "-");
	fake_down(&f, 1);
	peer_comes(1, DISK_CONSISTENT, REPL_VS_CRASHED);
	set_disk(&f.vol, DISK_UPTODATE);
	repl_promotion(&f.res, &p);
	CHECK(!p.why, "%s", p.why);
	fake_exit(&f);
}

int main(void)
{
	RUN(slow_vote);
	RUN(hanging_vote);
	RUN(enough_without);
	RUN(never_enough);
	RUN(vote_in_the_making);
	RUN(vote_for_one_that_left);
	RUN(trials_give_way);
	RUN(without_a_disk);
	return tap_end();
}
