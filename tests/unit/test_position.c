// SPDX-License-Identifier: GPL-2.0
/* Where a majority acknowledges: what a disk says of how much it has, and of votes. */
#include "detach.h"
#include "position.h"
#include "scenes.h"
#include "tap.h"

#define TERM	3ULL

static struct fake f;

#define SET	(BIT(0) | BIT(1))

/* The Primary tells of its set. */
static void this_set_comes(u32 set, u64 version, u64 seq)
{
	struct repl_wire_members m = { .term = cpu_to_le64(TERM),
				       .dataset = cpu_to_le64(9) };
	struct repl_wire_hdr h = { .type = PKT_MEMBERS };

	m.set_version = cpu_to_le64(TERM << SET_TERM_SHIFT | version);
	m.in_sync = cpu_to_le32(set);
	m.receivers = cpu_to_le32(SET);
	m.lineage[0] = cpu_to_le32(1);
	h.length = cpu_to_le32(sizeof(m));
	h.id = cpu_to_le64(version);
	h.dep = cpu_to_le64(TERM);
	h.seq = cpu_to_le64(seq);
	h.flags = REPL_HDR_LAST;
	CHECK(fake_rx(&f, 0, &h, &m) == WIRE_OK);
	fake_run(&f);
}

/* ... which is all of us. */
static void set_comes(u64 version, u64 seq)
{
	this_set_comes(SET, version, seq);
}

static void primary_comes(void)
{
	struct repl_wire_res_state r = { .role = ROLE_PRIMARY, .primary = 1 };
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };
	struct repl_wire_vol_state w;

	fake_same_state(&f, 0, &w);
	w.in_sync = cpu_to_le32(SET);
	fake_up(&f, 0);
	r.term = cpu_to_le64(TERM);
	h.length = cpu_to_le32(sizeof(r));
	fake_rx(&f, 0, &h, &r);
	fake_vol_state(&f, 0, &w);
	fake_run(&f);
}

/* A member, on its disk and in its own eyes, that has all up to @seq. */
static void member(u64 seq)
{
	struct meta_sb *sb;

	scene_format(&f);
	sb = fake_sb(&f);
	sb->in_sync = cpu_to_le32(SET);
	sb->pos_term = cpu_to_le64(TERM);
	sb->pos_seq = cpu_to_le64(seq);
	fake_seal(&f);
	fake_init(&f, 1);
	/* Its set says that a majority is enough; its own settings don't matter. */
	f.res.conf.ack_policy = ACK_SYNC;
	f.res.conf.votes = true;
	fake_attach(&f);
	CHECK(f.vol.vouch && f.res.have_term == TERM && f.res.have_seq == seq);
	primary_comes();
	set_comes(SET_NEXT, seq);
	CHECK(f.vol.disk == DISK_UPTODATE, "%d", f.vol.disk);
}

static void write_comes(u64 seq)
{
	static u8 data[4096];
	struct repl_wire_hdr h = { .type = PKT_WRITE };

	h.seq = cpu_to_le64(seq);
	h.sector = cpu_to_le64(seq * 8);
	h.size = cpu_to_le32(sizeof(data));
	h.length = h.size;
	h.id = cpu_to_le64(SET);
	CHECK(fake_rx(&f, 0, &h, data) == WIRE_OK);
}

/* It is let go of without waiting for what was received. */
static void at_once(void)
{
	const char *why;

	CHECK(!repl_detach(&f.vol, true, &why), "%s", why);
	detach_hurry(&f.res);
	CHECK(f.vol.disk == DISK_DISKLESS);
}

/* What the disk says once it has been let go of. */
static void ends_at(u64 seq, u32 flags)
{
	struct repl_store *s;
	const char *why;

	fake_detach(&f);
	CHECK(!fake_load(&f, &s, &why), "%s", why);
	CHECK(s->pos_term == TERM && s->pos_seq == seq, "%llu",
	      (unsigned long long)s->pos_seq);
	s->flags &= META_F_CRASHED | META_F_OUTDATED;
	CHECK(s->flags == flags, "0x%x", s->flags);
	repl_store_free(s);
}

/* What was received when the disk was let go of at once is not on it. */
static void refused(void)
{
	member(7);
	write_comes(8);
	fake_run(&f);
	ends_at(8, 0);
	fake_exit(&f);

	member(7);
	write_comes(8);
	write_comes(9);
	at_once();
	ends_at(7, 0);
	fake_exit(&f);
}

/* It is to be let go of, with a write on its way. */
static void leaving(void)
{
	const char *why;

	member(7);
	write_comes(8);
	CHECK(!repl_detach(&f.vol, false, &why));
	CHECK(f.vol.disk == DISK_UPTODATE);
}

static void gone_without_it(void)
{
	CHECK(f.vol.disk == DISK_DISKLESS);
	ends_at(7, 0);
	fake_exit(&f);
}

/*
 * What was received is applied first, and what comes later is
 * refused: the Primary is told when that is done.
 */
static void applied_first(void)
{
	const char *why;

	member(7);
	write_comes(8);
	write_comes(9);
	CHECK(!repl_detach(&f.vol, false, &why));
	CHECK(f.vol.disk == DISK_UPTODATE && f.vol.store->leave_by_ms);
	CHECK(repl_detach(&f.vol, false, &why) == -EBUSY);
	f.keep_pkts = true;
	write_comes(10);
	CHECK(fake_find(&f, PKT_NACK) && f.vol.disk == DISK_UPTODATE);
	f.keep_pkts = false;
	fake_run(&f);
	CHECK(f.vol.disk == DISK_DISKLESS);
	ends_at(9, 0);
	fake_exit(&f);

	/* Not for ever. */
	leaving();
	repl_tick(&f.res, f.res.now + 900);
	CHECK(f.vol.disk == DISK_UPTODATE);
	repl_tick(&f.res, f.res.now + 100);
	gone_without_it();

	/* Nor when a set counts on it, or the node is to be Primary. */
	leaving();
	set_comes(2 * SET_NEXT, 8);
	CHECK(f.res.have_ended);
	gone_without_it();

	leaving();
	CHECK(repl_promote(&f.res, false, &why));
	gone_without_it();

	/* What comes later than what is refused does not make up for what came before. */
	member(7);
	write_comes(8);
	write_comes(9);
	while (fake_meta_step(&f))
		;
	CHECK(!repl_detach(&f.vol, false, &why));
	write_comes(10);
	CHECK(!list_empty(&f.disk));
	position_acked(&f.vol, TERM, 9);
	detach_hurry(&f.res);
	while (fake_disk_step(&f, 0, -EIO))
		;
	fake_run(&f);
	CHECK(!f.vol.vouch);
	fake_exit(&f);

	/* A disk that fails meanwhile has failed. */
	member(7);
	write_comes(8);
	while (fake_meta_step(&f))
		;
	CHECK(!repl_detach(&f.vol, false, &why));
	CHECK(fake_disk_step(&f, 0, -EIO));
	CHECK(f.vol.disk <= DISK_FAILED && f.res.have_seq == 7);
	fake_run(&f);
	fake_exit(&f);

	/* Nothing to wait for. */
	member(7);
	CHECK(!repl_detach(&f.vol, false, &why));
	CHECK(f.vol.disk == DISK_DISKLESS);
	fake_exit(&f);
}

static u32 answers(u8 type)
{
	struct fake_pkt *p;
	u32 n = 0;

	list_for_each_entry(p, &f.pkts, link)
		n += p->h.type == type;
	return n;
}

/*
 * The Primary does not hear that the disk went, and sends on.  What the disk had
 * counts all the same once it is back; what it gets then has a gap before it.
 */
static void comes_back(void)
{
	member(7);
	fake_detach(&f);
	write_comes(8);
	fake_attach(&f);
	CHECK(f.vol.vouch && f.res.have_seq == 7);
	CHECK(f.peer[0].conn == CONN_CONNECTED);
	/* The Primary does not know that with the next set. */
	set_comes(2 * SET_NEXT, 9);
	CHECK(f.peer[0].conn != CONN_CONNECTED);
	CHECK(f.vol.vouch && f.res.have_seq == 7);
	fake_exit(&f);

	/* A connection later it does. */
	member(7);
	fake_detach(&f);
	write_comes(8);
	fake_attach(&f);
	fake_down(&f, 0);
	primary_comes();
	set_comes(2 * SET_NEXT, 9);
	CHECK(f.vol.vouch && f.res.have_seq == 9);
	write_comes(10);
	fake_run(&f);
	ends_at(10, 0);
	fake_exit(&f);
}

/* What comes then and would wait for word of a set begins a connection anew. */
static void goes_on(void)
{
	member(7);
	fake_detach(&f);
	fake_attach(&f);
	f.keep_pkts = true;
	write_comes(8);
	fake_run(&f);
	CHECK(!answers(PKT_ACK) && f.peer[0].conn != CONN_CONNECTED);
	CHECK(f.vol.vouch && f.res.have_seq == 7);
	fake_exit(&f);

	/* Unless it has come, or all have to answer, as the set says. */
	member(7);
	fake_detach(&f);
	this_set_comes(BIT(1), 2 * SET_NEXT, 7);
	fake_attach(&f);
	f.keep_pkts = true;
	write_comes(8);
	fake_run(&f);
	CHECK(answers(PKT_ACK) == 1 && f.peer[0].conn == CONN_CONNECTED);
	fake_exit(&f);

	member(7);
	set_comes(2 * SET_NEXT | SET_BY_ALL, 7);
	fake_detach(&f);
	fake_attach(&f);
	f.keep_pkts = true;
	write_comes(8);
	fake_run(&f);
	CHECK(answers(PKT_ACK) == 1 && f.res.have_seq == 7);
	fake_exit(&f);
}

static struct repl_vol other;

/* A member whose disk of another volume is let go of; nobody has heard that. */
static void other_goes(void)
{
	member(7);
	memset(&other, 0, sizeof(other));
	other.res = &f.res;
	other.priv = &f;
	other.nr = 1;
	repl_vol_conf_init(&other.conf);
	CHECK(!repl_vol_add(&other));
	other.vouch = true;
	other.in_sync = SET;
	position_end(&other);
	f.keep_pkts = true;
}

static void other_over(void)
{
	fake_down(&f, 0);
	CHECK(!repl_vol_del(&other));
	fake_exit(&f);
}

/*
 * What is written behind the end does not count before the Primary knows of it, so
 * nobody is the worse for lacking what comes before.
 */
static void held(void)
{
	other_goes();
	write_comes(8);
	fake_run(&f);
	CHECK(!answers(PKT_ACK) && peer_acks_held(&f.peer[0]));
	CHECK(f.vol.vouch && f.vol.disk == DISK_UPTODATE && f.res.have_seq == 7);
	/* This set was made before the Primary has heard. */
	set_comes(2 * SET_NEXT, 7);
	CHECK(!answers(PKT_ACK) && f.res.have_ended && f.res.have_seq == 7);
	this_set_comes(BIT(1), 3 * SET_NEXT, 8);
	CHECK(answers(PKT_ACK) == 1 && !peer_acks_held(&f.peer[0]));
	CHECK(f.res.have_seq == 7 && !f.vol.acked_seq);
	write_comes(9);
	fake_run(&f);
	CHECK(answers(PKT_ACK) == 2 && f.res.have_seq == 7);
	CHECK(f.peer[0].conn == CONN_CONNECTED);
	other_over();

	/* What had been received before is not behind it. */
	member(7);
	write_comes(8);
	CHECK(!list_empty(&f.res.applying));
	f.keep_pkts = true;
	position_end(&f.vol);
	fake_run(&f);
	CHECK(answers(PKT_ACK) == 1 && f.vol.acked_seq == 8);
	fake_exit(&f);

	/* The connection is lost: nobody hears of it, and it is unconfirmed. */
	other_goes();
	write_comes(8);
	fake_run(&f);
	fake_down(&f, 0);
	CHECK(!answers(PKT_ACK) && list_empty(&f.res.tail));
	/* On the next, the Primary knows. */
	primary_comes();
	write_comes(9);
	fake_run(&f);
	CHECK(answers(PKT_ACK) == 1 && f.res.have_ended && f.res.have_seq == 7);
	other_over();

	/* We were no member, and nobody counted on us. */
	member(7);
	f.vol.in_sync = BIT(1);
	position_end(&f.vol);
	f.keep_pkts = true;
	write_comes(8);
	fake_run(&f);
	CHECK(answers(PKT_ACK) == 1 && f.res.have_seq == 7);
	fake_exit(&f);
}

/* A disk comes while an ack is held: the Primary may wait for that, and we for it. */
static void held_and_back(void)
{
	member(7);
	write_comes(8);
	write_comes(9);
	while (fake_meta_step(&f))
		;
	at_once();
	f.keep_pkts = true;
	/* The end moves before what is refused. */
	CHECK(fake_disk_step(&f, 0, -EIO) && f.res.have_seq == 7);
	CHECK(fake_disk_step(&f, 0, 0));
	CHECK(!answers(PKT_ACK) && peer_acks_held(&f.peer[0]));
	fake_detach(&f);
	CHECK(f.peer[0].conn == CONN_CONNECTED);
	fake_attach(&f);
	CHECK(f.peer[0].conn != CONN_CONNECTED && list_empty(&f.res.tail));
	CHECK(f.vol.vouch && f.res.have_seq == 7 && !answers(PKT_ACK));
	primary_comes();
	write_comes(10);
	fake_run(&f);
	CHECK(answers(PKT_ACK) == 1 && f.vol.vouch && f.res.have_seq == 7);
	fake_exit(&f);
}

/* Nor is what fails meanwhile. */
static void fails(void)
{
	member(7);
	write_comes(8);
	while (fake_meta_step(&f))
		;
	at_once();
	CHECK(fake_disk_step(&f, 0, -EIO));
	fake_run(&f);
	ends_at(7, 0);
	fake_exit(&f);
}

/* It has one that came after what it lacks: no position says that. */
static void with_a_gap(void)
{
	member(7);
	position_acked(&f.vol, TERM, 10);
	write_comes(9);
	at_once();
	ends_at(8, META_F_CRASHED | META_F_OUTDATED);
	fake_exit(&f);
}

static struct fake_pkt *request_behind(u64 sector)
{
	struct fake_pkt *p;

	list_for_each_entry(p, &f.pkts, link)
		if (p->h.type == PKT_RS_REQ && le64_to_cpu(p->h.sector) >= sector)
			return p;
	return NULL;
}

/* What the target asks for, from @sector on, is equal; the disk does not move. */
static bool answer_equal(u64 sector)
{
	struct repl_wire_hdr h = { .type = PKT_RS_EQUAL };
	struct fake_pkt *p = request_behind(sector);

	if (!p)
		return false;
	h.id = p->h.id;
	h.sector = p->h.sector;
	h.size = p->h.size;
	list_del(&p->link);
	free(p);
	fake_rx(&f, 0, &h, "");
	return true;
}

static void fill(u64 sector)
{
	u32 idle = 0;

	while (f.vol.disk == DISK_INCONSISTENT && idle < 50) {
		fake_run(&f);
		if (answer_equal(sector)) {
			idle = 0;
			continue;
		}
		repl_tick(&f.res, f.res.now + 100);
		idle++;
	}
}

/*
 * A copy that has been filled counts itself among the members of the set that its
 * source knows.  So it has to have what they had before it, as they do.
 */
#define REQUEST	(32 * BLOCK_SECTORS)

static void filled_like_a_member(void)
{
	struct repl_wire_vol_state w;
	u32 i;

	scene(&f, SCENE_TARGET);
	f.keep_pkts = true;
	fill(REQUEST);
	CHECK(f.vol.disk == DISK_INCONSISTENT);
	write_comes(REQUEST);
	while (fake_meta_step(&f))
		;
	fake_same_state(&f, 0, &w);
	w.set_version = cpu_to_le64(5ULL << SET_TERM_SHIFT);
	fake_vol_state(&f, 0, &w);
	while (answer_equal(0))
		;
	/* The write stays on its way to the disk, whatever else happens. */
	for (i = 0; i < 10; i++) {
		while (fake_meta_step(&f) || (!list_is_singular(&f.disk) &&
					      fake_disk_step(&f, 1, 0)))
			;
		repl_tick(&f.res, f.res.now + 100);
	}
	CHECK(f.vol.disk == DISK_INCONSISTENT && list_is_singular(&f.disk));
	fill(0);
	CHECK(f.vol.disk == DISK_UPTODATE, "%d", f.vol.disk);
	fake_exit(&f);
}

/* What the disk of a copy says, and the node with it, after a clean end. */
static void filled(bool votes)
{
	struct repl_store *s;
	const char *why;

	scene(&f, SCENE_TARGET);
	f.res.conf.votes = votes;
	f.res.elected_before = votes;
	f.keep_pkts = true;
	fill(0);
	CHECK(f.vol.disk == DISK_UPTODATE && !f.vol.vouch);
	fake_detach(&f);
	CHECK(!fake_load(&f, &s, &why), "%s", why);
	CHECK(s->in_sync & BIT(0));
	CHECK(!(s->flags & META_F_CRASHED) == !votes, "0x%x", s->flags);
	repl_store_free(s);
	fake_attach(&f);
	CHECK(f.vol.vouch == !votes);
	fake_exit(&f);
}

/*
 * The position is that of what was there before, or nothing after a crash: so a copy
 * does not vouch for it, also when it comes back, before a Primary says that it is a member.
 */
static void filled_vouches_for_nothing(void)
{
	filled(true);
	filled(false);
}

/* The node has gone on as a Primary without this disk, or it is an old image. */
static void behind(void)
{
	member(7);
	ends_at(7, 0);
	f.res.have_seq = 8;
	fake_attach(&f);
	CHECK(!f.vol.vouch);
	fake_exit(&f);
}

/*
 * A follower hears of a generation before the other members do, who will say so
 * soon: it is not void.
 */
static void follower_hears_first(void)
{
	struct repl_wire_members m = { .term = cpu_to_le64(TERM),
				       .dataset = cpu_to_le64(9) };
	struct repl_wire_hdr h = { .type = PKT_MEMBERS };
	u32 set = BIT(1) | BIT(2), i;
	struct repl_wire_vol_state w;

	scene_format(&f);
	fake_sb(&f)->in_sync = cpu_to_le32(set);
	fake_seal(&f);
	fake_init(&f, 2);
	f.res.conf.ack_policy = ACK_QUORUM;
	fake_attach(&f);
	for (i = 0; i < 2; i++) {
		fake_same_state(&f, i, &w);
		w.disk = DISK_UPTODATE;
		w.in_sync = cpu_to_le32(set);
		fake_up(&f, i);
		fake_res_state(&f, i, i ? ROLE_SECONDARY : ROLE_PRIMARY);
		fake_vol_state(&f, i, &w);
		fake_run(&f);
	}
	m.set_version = cpu_to_le64((1ULL << SET_TERM_SHIFT) + 2);
	m.in_sync = cpu_to_le32(set);
	m.receivers = cpu_to_le32(set | BIT(0));
	m.lineage[0] = cpu_to_le32(1);
	m.lineage[1] = cpu_to_le32(1);
	h.length = cpu_to_le32(sizeof(m));
	h.id = cpu_to_le64(5);
	h.flags = REPL_HDR_LAST;
	CHECK(fake_rx(&f, 0, &h, &m) == WIRE_OK);
	fake_run(&f);
	CHECK(f.vol.disk == DISK_CONSISTENT && f.vol.follower);
	CHECK(f.vol.store->lineage.gen[1] == 1);
	fake_exit(&f);
}

/* What a disk that was away says of votes, and what the node remembers. */
static void vote_there(u64 term, u8 whose)
{
	scene_format(&f);
	fake_sb(&f)->vote_term = cpu_to_le64(term);
	fake_sb(&f)->voted_for = whose;
	fake_seal(&f);
	fake_init(&f, 2);
	f.res.conf.ack_policy = ACK_QUORUM;
	f.res.vote_term = 5;
	f.res.voted_for = 1;
}

static u64 term_on_disk(void)
{
	struct repl_store *s;
	const char *why;
	u64 term;

	CHECK(!fake_load(&f, &s, &why), "%s", why);
	term = s->vote_term;
	CHECK(s->voted_for == f.res.voted_for);
	repl_store_free(s);
	return term;
}

/* The newest vote is on every disk that is in use: the others may go next. */
static void votes_are_told_to_disks(void)
{
	struct repl_store *s;
	const char *why;

	vote_there(3, 2);
	fake_attach(&f);
	CHECK(f.res.vote_term == 5 && term_on_disk() == 5);
	fake_exit(&f);

	vote_there(7, 2);
	fake_attach(&f);
	CHECK(f.res.vote_term == 7 && f.res.voted_for == 2 && term_on_disk() == 7);
	fake_exit(&f);

	/* Given while the disk is being attached. */
	vote_there(5, 1);
	CHECK(!fake_load(&f, &s, &why) && !repl_attach(&f.vol, s, &why));
	CHECK(f.vol.disk == DISK_ATTACHING);
	vote_record(&f.res, 6, 2);
	fake_run(&f);
	CHECK(f.vol.disk > DISK_FAILED && term_on_disk() == 6);
	fake_exit(&f);
}

int main(void)
{
	RUN(refused);
	RUN(applied_first);
	RUN(comes_back);
	RUN(goes_on);
	RUN(held);
	RUN(held_and_back);
	RUN(fails);
	RUN(with_a_gap);
	RUN(filled_like_a_member);
	RUN(filled_vouches_for_nothing);
	RUN(behind);
	RUN(follower_hears_first);
	RUN(votes_are_told_to_disks);
	return tap_end();
}
