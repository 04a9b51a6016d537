// SPDX-License-Identifier: GPL-2.0
/* Nodes that are added and removed in use. */
#include "scenes.h"
#include "tap.h"

#define ALL	(BIT(0) | BIT(1) | BIT(2))

static struct fake f;
static struct repl_peer extra[2];

/* The nodes that a peer knows, as it tells. */
static void tells(u32 i, enum repl_role role, u32 list)
{
	struct repl_wire_res_state r = {
		.term = cpu_to_le64(max(f.res.term, 1ULL)),
		.role = role,
		.primary = role == ROLE_PRIMARY ? i + 1 : NODE_NONE,
		.flags = REPL_RS_VOTES,
		.members = cpu_to_le32(list),
	};
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };

	h.length = cpu_to_le32(sizeof(r));
	fake_rx(&f, i, &h, &r);
}

static void vol_state(u32 i, u8 disk)
{
	struct repl_wire_vol_state w;

	fake_same_state(&f, i, &w);
	w.disk = disk;
	w.flags |= cpu_to_le16(REPL_VS_VOUCHES);
	fake_vol_state(&f, i, &w);
	fake_run(&f);
}

static void comes(u32 i, enum repl_role role, u32 list)
{
	fake_up(&f, i);
	tells(i, role, list);
	vol_state(i, role == ROLE_PRIMARY ? DISK_UPTODATE : DISK_CONSISTENT);
}

/* One of three nodes. */
static void start(void)
{
	scene_member(&f, 2, ACK_QUORUM, true, REIGN | SET_NEXT | SET_VOTED);
}

static void in_step(u32 i)
{
	vol_state(i, DISK_UPTODATE);
	scene_confirm(&f, i);
	vol_state(i, DISK_UPTODATE);
}

/* A list that is told anew makes a new set. */
static void in_step_again(void)
{
	u32 i;

	for (i = 0; i < 2; i++)
		scene_confirm(&f, i);
	for (i = 0; i < 2; i++)
		in_step(i);
}

/* Primary of three that are all in step. */
static void reign(void)
{
	const char *why = "-";
	u32 i;

	start();
	for (i = 0; i < 2; i++)
		comes(i, ROLE_SECONDARY, ALL);
	f.res.lease_until = 0;
	CHECK(!repl_promote(&f.res, false, &why), "%s", why);
	for (i = 0; i < 2; i++)
		scene_vote(&f, i, REPL_HDR_TRIAL);
	for (i = 0; i < 2; i++)
		scene_vote(&f, i, 0);
	in_step_again();
	for (i = 0; i < 2; i++)
		scene_promise(&f, i);
	CHECK(f.res.role == ROLE_PRIMARY && !f.res.susp && !f.res.vote.step,
	      "%x", f.res.susp);
	CHECK(f.vol.in_sync == ALL, "%x", f.vol.in_sync);
}

static int add(u8 node, struct repl_refusal *no)
{
	struct repl_peer *p = &extra[node - 3];

	memset(p, 0, sizeof(*p));
	*no = (struct repl_refusal){ "-", NULL };
	p->res = &f.res;
	p->node = node;
	repl_peer_conf_init(&p->conf);
	return repl_peer_add(p, no);
}

static int may_go(const struct repl_peer *p)
{
	struct repl_refusal no = { "-", NULL };

	return repl_peer_may_go(p, &no);
}

static int del(struct repl_peer *p)
{
	struct repl_refusal no = { "-", NULL };

	return repl_peer_del(p, &no);
}

/* In what a running cluster reads: where it is, and that nothing else moved. */
static void wire(void)
{
	struct repl_wire_res_state w;

	CHECK(sizeof(w) == 32);
	CHECK(offsetof(struct repl_wire_res_state, flags) == 26);
	CHECK(offsetof(struct repl_wire_res_state, members) == 28);
}

/* All are there and of one mind; or one is not. */
static void the_primary_decides(void)
{
	struct repl_refusal no;

	reign();
	tells(1, ROLE_SECONDARY, ALL | BIT(4));
	in_step_again();
	CHECK(add(3, &no) == -EBUSY && no.by == &f.peer[1] &&
	      strstr(no.why, "another list"), "%s", no.why);
	CHECK(may_go(&f.peer[0]) == -EBUSY);
	tells(1, ROLE_SECONDARY, ALL);
	in_step_again();
	/* That is asked before it is disconnected, which it has to be. */
	CHECK(!may_go(&f.peer[0]));
	CHECK(del(&f.peer[0]) == -EBUSY);
	CHECK(!add(3, &no), "%s", no.why);
	CHECK(edit_list(&f.res) == (ALL | BIT(3)));
	/* Not before there is a set that was made by the new list. */
	CHECK(edit_told(&f.res) == ALL, "%x", edit_told(&f.res));
	CHECK(del(&extra[0]) == -EBUSY);
	scene_confirm(&f, 0);
	scene_confirm(&f, 1);
	CHECK(edit_told(&f.res) == (ALL | BIT(3)), "%x", edit_told(&f.res));
	/* The new one is not there yet, so it is too early for another. */
	fake_down(&f, 1);
	CHECK(del(&f.peer[1]) == -EBUSY);
	fake_down(&f, 0);
	repl_demote(&f.res, true, &no.why);
	fake_detach(&f);
	CHECK(!del(&extra[0]));
	fake_exit(&f);
}

static void one_is_away(void)
{
	struct repl_refusal no;

	reign();
	fake_down(&f, 1);
	CHECK(add(3, &no) == -EBUSY && no.by == &f.peer[1], "%s", no.why);
	/* It may be the one that is removed, but another may not. */
	CHECK(del(&f.peer[0]) == -EBUSY);
	CHECK(!del(&f.peer[1]));
	f.peer[1].res = NULL;
	scene_confirm(&f, 0);
	CHECK(!(f.vol.in_sync & BIT(2)) && !(f.vol.keepers & BIT(2)));
	/* Of two, one is no majority. */
	fake_down(&f, 0);
	CHECK(del(&f.peer[0]) == -EBUSY);
	fake_exit(&f);
}

static void others_follow(void)
{
	struct repl_refusal no;

	start();
	comes(0, ROLE_SECONDARY, ALL | BIT(3));
	CHECK(add(3, &no) == -EBUSY && strstr(no.why, "Primary first"), "%s",
	      no.why);
	tells(0, ROLE_PRIMARY, ALL | BIT(3));
	CHECK(add(4, &no) == -EBUSY, "%s", no.why);
	CHECK(!add(3, &no), "%s", no.why);
	CHECK(del(&f.peer[1]) == -EBUSY);
	tells(0, ROLE_PRIMARY, ALL);
	CHECK(!del(&extra[0]));
	fake_exit(&f);

	/* A Primary that is over leads nobody. */
	start();
	comes(0, ROLE_PRIMARY, ALL | BIT(3));
	f.res.term++;
	CHECK(add(3, &no) == -EBUSY, "%s", no.why);
	fake_exit(&f);
}

/* Nothing is in use without a disk, and everything goes without votes. */
static void not_in_use(void)
{
	struct repl_refusal no;

	start();
	CHECK(add(3, &no) == -EBUSY, "%s", no.why);
	fake_detach(&f);
	CHECK(!add(3, &no), "%s", no.why);
	CHECK(!del(&extra[0]));
	/* Nor is it by the connection that is to end. */
	fake_up(&f, 0);
	CHECK(!may_go(&f.peer[0]));
	CHECK(may_go(&f.peer[1]) == -EBUSY);
	fake_exit(&f);

	scene(&f, SCENE_PRIMARY);
	CHECK(!add(3, &no), "%s", no.why);
	CHECK(!del(&extra[0]));
	fake_exit(&f);
}

/* One node more or less is near enough to vote together; two are not. */
static void lists_count(void)
{
	static const struct { u32 list; bool votes; u32 needed; } tab[] = {
		{ 0, true, 2 }, { ALL, true, 2 }, { ALL | BIT(3), true, 3 },
		{ BIT(0) | BIT(1), true, 2 },
		{ ALL | BIT(3) | BIT(4), false, 2 },
		{ BIT(0) | BIT(1) | BIT(3), false, 2 },
		{ BIT(1) | BIT(2), false, 2 },
	};
	struct repl_promotion p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tab); i++) {
		start();
		comes(0, ROLE_SECONDARY, tab[i].list);
		repl_promotion(&f.res, &p);
		CHECK(p.votes == 1U + tab[i].votes, "%x: %u", tab[i].list,
		      p.votes);
		CHECK(p.votes_needed == tab[i].needed, "%x: %u", tab[i].list,
		      p.votes_needed);
		fake_exit(&f);
	}
}

/* A majority is one by the list of each that is part of it, and of those in that list. */
static void a_majority_by_each_list(void)
{
	struct repl_refusal no;
	u32 i;

	start();
	comes(0, ROLE_SECONDARY, ALL | BIT(3));
	comes(1, ROLE_SECONDARY, ALL);
	CHECK(edit_lacking(&f.res, BIT(0)) == 1);
	CHECK(edit_lacking(&f.res, BIT(0) | BIT(1)) == 1);
	CHECK(!edit_lacking(&f.res, BIT(0) | BIT(2)));
	CHECK(!edit_lacking(&f.res, ALL));
	fake_exit(&f);

	/* Of five that we know, one of them knows four. */
	start();
	fake_detach(&f);
	CHECK(!add(3, &no) && !add(4, &no));
	extra[1].votes = true;
	for (i = 0; i < 2; i++)
		fake_up(&f, i);
	tells(0, ROLE_SECONDARY, ALL | BIT(3));
	tells(1, ROLE_SECONDARY, ALL | BIT(3) | BIT(4));
	CHECK(!edit_lacking(&f.res, BIT(0) | BIT(2) | BIT(4)));
	CHECK(edit_lacking(&f.res, BIT(0) | BIT(1) | BIT(4)) == 1);
	CHECK(!edit_lacking(&f.res, ALL));
	for (i = 0; i < 2; i++)
		fake_down(&f, i);
	CHECK(!del(&extra[1]) && !del(&extra[0]));
	fake_exit(&f);
}

int main(void)
{
	RUN(wire);
	RUN(the_primary_decides);
	RUN(one_is_away);
	RUN(others_follow);
	RUN(not_in_use);
	RUN(lists_count);
	RUN(a_majority_by_each_list);
	return tap_end();
}
