// SPDX-License-Identifier: GPL-2.0
/*
 * What follows from the state as a whole.
 *
 * Every event that changes a state (not: every write) ends here.  All is level
 * triggered: the functions look at how things are, not at what has happened,
 * so that no lost or late message leaves anything behind.
 */
#include "internal.h"
#include "detach.h"

/* ---- changing states: the only places that do ---- */

/*
 * A crash, or a copy that was made anew, matters no more to a disk that is complete.  But
 * where positions decide, it may lack what it has acknowledged: only a set that it is in
 * heals that, and until then it vouches for nothing, whatever comes between.
 */
void disk_heal(struct repl_vol *vol)
{
	if (vol->vouch || !elects(vol->res))
		vol->store->flags &= ~META_F_CRASHED;
}

void set_disk(struct repl_vol *vol, enum repl_disk disk)
{
	struct repl_store *s = vol->store;

	if (vol->disk == disk)
		return;
	vol->disk = disk;
	vol->told = false;
	if (s && !s->detaching && disk >= DISK_INCONSISTENT) {
		s->flags &= ~(META_F_INCONSISTENT | META_F_OUTDATED);
		if (disk == DISK_INCONSISTENT &&
		    !MUTATED(MUT_TARGET_STAYS_UPTODATE))
			s->flags |= META_F_INCONSISTENT;
		if (disk == DISK_OUTDATED)
			s->flags |= META_F_OUTDATED;
		if (disk == DISK_UPTODATE)
			disk_heal(vol);
		meta_want_sb(s);
		meta_kick(vol);
	}
	note(vol->res, NOTE_VOL, vol, NULL, NULL);
	vol->res->evaluate_again = true;
}

void set_pv_state(struct repl_pv *pv, enum repl_state state)
{
	if (pv->state == state)
		return;
	pv->state = state;
	pv->agreed |= state == RS_ESTABLISHED;
	note(pv->vol->res, NOTE_PVOL, pv->vol, pv->peer, NULL);
	pv->vol->res->evaluate_again = true;
}

static void count_receivers(struct repl_vol *vol)
{
	struct repl_pv *pv;

	vol->receivers = 0;
	for_each_pv(pv, vol)
		if (pv->receiving)
			vol->receivers |= BIT(pv->peer->node);
}

void set_receiving(struct repl_pv *pv, bool on)
{
	bool was = pv->receiving;

	pv->receiving = on;
	if (!on)
		pv->in_step = false;
	count_receivers(pv->vol);
	if (was && !on)
		app_drop_receiver(pv);
}

void pv_lost(struct repl_pv *pv)
{
	pv->known = false;
	pv->was_receiving = pv->receiving;
	pv->receiving = false;
	pv->in_step = false;
	pv->behind = false;
	pv->turned_down = false;
	pv->refused = false;
	count_receivers(pv->vol);
}

/* ---- views ---- */

u8 primary_seen(const struct repl_res *res)
{
	struct repl_peer *p;
	int i;

	if (reigns(res))
		return res->node;
	for_each_peer(p, i, res)
		if (connected(p) && p->role == ROLE_PRIMARY)
			return i;
	return NODE_NONE;
}

bool other_primary(const struct repl_peer *p)
{
	const struct repl_peer *o;
	int i;

	for_each_peer(o, i, p->res)
		if (o != p && connected(o) && o->role == ROLE_PRIMARY)
			return true;
	return false;
}

/* A primary's own disk gets the new lineage last of all: see members.c. */
const struct repl_lineage *my_lineage(const struct repl_vol *vol)
{
	const struct repl_store *s = store_live(vol);

	if (!s || (vol->res->role == ROLE_PRIMARY &&
		   vol->disk == DISK_UPTODATE))
		return &vol->lineage;
	return &s->lineage;
}

/* Both sides of a comparison. */
struct pair {
	struct repl_vstate mine;
	struct decide_node me, peer;
};

static void compare(const struct repl_pv *pv, struct pair *c)
{
	const struct repl_res *res = pv->vol->res;
	bool votes = both_elect(pv->peer);

	my_vstate(pv, &c->mine);
	c->me = (struct decide_node){ &c->mine, res->node, reigns(res), votes };
	c->peer = (struct decide_node){ &pv->peer_state, pv->peer->node,
					pv->peer->role == ROLE_PRIMARY, votes };
}

enum verdict pv_verdict(const struct repl_pv *pv)
{
	struct pair c;

	compare(pv, &c);
	return repl_decide(&c.me, &c.peer);
}

enum victim pv_victim(const struct repl_pv *pv)
{
	struct pair c;

	compare(pv, &c);
	return repl_victim(&c.me, &c.peer);
}

bool pv_outreigned(const struct repl_pv *pv)
{
	struct pair c;

	compare(pv, &c);
	return repl_outreigned(&c.peer, &c.me);
}

bool pv_outreigns(const struct repl_pv *pv)
{
	struct pair c;

	compare(pv, &c);
	return repl_outreigned(&c.me, &c.peer);
}

bool pv_serves_reads(const struct repl_pv *pv)
{
	return usable(pv) && pv->receiving &&
	       (pv->peer_state.disk == DISK_UPTODATE ||
		(pv->in_step && pv->peer_state.disk == DISK_CONSISTENT)) &&
	       (pv->state == RS_ESTABLISHED || pv->state == RS_SYNC_TARGET ||
		pv->state == RS_PAUSED_TARGET);
}

/* It left without having answered for what was acknowledged without it. */
static bool lacks_acknowledged(const struct repl_pv *pv)
{
	return pv->lacks &&
	       lineage_contains(&pv->lacks_at, &pv->peer_state.lineage);
}

/*
 * Who knows no set of an elected Primary's reign has not followed it, but a member that
 * has confirmed ours and is about to say so.  Its lineage may be the same: a number that
 * we gave without a disk may be given again after a restart.
 */
static bool of_earlier_reign(const struct repl_pv *pv)
{
	const struct repl_res *res = pv->vol->res;

	return reigns(res) && res->vote.step == VOTE_NONE && both_elect(pv->peer) &&
	       !(pv->vol->in_sync & BIT(pv->peer->node)) &&
	       pv->peer_state.set_version >> SET_TERM_SHIFT < res->reign;
}

/*
 * Is the data of this peer what a Primary without a disk was working with?  It
 * may know a generation of ours that we have given up (commit_abort()).
 */
bool same_but_for_ours(const struct repl_pv *pv)
{
	const struct repl_lineage *l = &pv->peer_state.lineage;
	const struct repl_vol *vol = pv->vol;
	struct repl_lineage m;

	if (!lineage_contains(l, &vol->lineage) || lacks_acknowledged(pv) ||
	    of_earlier_reign(pv))
		return false;
	m = lineage_but_for(&vol->lineage, vol->res->node, l);
	return lineage_compare(l, &m) == ORDER_EQUAL;
}

/* What a crash has left of ours adds nothing to what the last primary has. */
static bool last_primary_has_all(const struct repl_pv *pv)
{
	const struct repl_store *s = store_live(pv->vol);

	return s && !pv->vol->vouch && last_primary(pv) &&
	       !(s->flags & META_F_PRIMARY) &&
	       (elect_set(pv->vol) & BIT(pv->peer->node)) &&
	       pv->peer_state.set_version >= s->set_version;
}

/* Members of the set, of which either may have a write that the other lacks. */
static bool last_writes_differ(const struct repl_pv *pv)
{
	const struct repl_res *res = pv->vol->res;

	return by_position(pv) &&
	       res->role != ROLE_PRIMARY && pv->peer->role != ROLE_PRIMARY &&
	       pv->vol->dataset && (elect_set(pv->vol) & BIT(res->node)) &&
	       !last_primary_has_all(pv);
}

/*
 * Where primaries are elected, any member of the set may have a write that
 * another lacks: only a promotion tells whose data counts.
 */
bool promotion_decides(const struct repl_pv *pv)
{
	return last_writes_differ(pv) && electable(pv->vol);
}

/*
 * One that the last primary has all of can't be elected, but may have what was flushed
 * there and here only: it is not to be given up for what a third one has.
 */
static bool would_give_up(const struct repl_pv *pv)
{
	return last_writes_differ(pv) && pv->vol->disk >= DISK_OUTDATED;
}

/*
 * May we copy from there?  Only from a replica that takes part in whatever is
 * written meanwhile: the primary itself, or anyone while nobody writes.
 */
static bool may_source(const struct repl_pv *pv)
{
	const struct repl_res *res = pv->vol->res;
	u8 seen = primary_seen(res);

	if (!usable(pv) || pv->peer_state.disk != DISK_UPTODATE ||
	    resize_short(pv))
		return false;
	/* A Primary's own disk may be older than this peer, and both too old. */
	if (res->role == ROLE_PRIMARY && pv->vol->dataset &&
	    !same_but_for_ours(pv))
		return false;
	if (pv->peer->role == ROLE_PRIMARY)
		return true;
	if (would_give_up(pv) || keeper_would_forget(pv))
		return false;
	return (seen == NODE_NONE || seen == res->node) &&
	       (pv->peer->sees_primary == NODE_NONE ||
		pv->peer->sees_primary == res->node);
}

/* ---- attach ---- */

static enum repl_disk state_after_attach(const struct repl_vol *vol)
{
	const struct repl_store *s = vol->store;

	if (vol->res->witness)
		return DISK_WITNESS;
	if (s->flags & META_F_INCONSISTENT)
		return DISK_INCONSISTENT;
	if (s->flags & META_F_OUTDATED)
		return DISK_OUTDATED;
	if (vol->res->role == ROLE_PRIMARY && vol->dataset &&
	    !lineage_contains(&s->lineage, &vol->lineage))
		return DISK_OUTDATED;
	/* Others had every acknowledged write too: they may know better. */
	if (((s->in_sync & ~BIT(vol->res->node)) || needs_votes(vol->res)) &&
	    !MUTATED(MUT_CRASHED_IS_UPTODATE))
		return DISK_CONSISTENT;
	return DISK_UPTODATE;
}

static void attach_advance(struct repl_vol *vol)
{
	struct repl_store *s = vol->store;
	enum repl_disk disk;
	struct repl_pv *pv;

	if (!s || vol->disk != DISK_ATTACHING || s->checkpoint ||
	    s->sb_durable < s->sb_want)
		return;
	if (store_adopt_set(vol))
		return;
	disk = state_after_attach(vol);
	if (vol->res->role != ROLE_PRIMARY || !vol->dataset) {
		vol->dataset = s->dataset;
		vol->lineage = s->lineage;
		vol->in_sync = s->in_sync;
		vol->keepers = s->keepers;
		if (disk != DISK_WITNESS)
			store_set_size(vol, s->sectors ? s->sectors :
							 s->g.max_sectors);
	} else {
		resize_attached(vol);
	}
	count_receivers(vol);
	set_disk(vol, disk);
	for_each_pv(pv, vol)
		if (pv->known)
			check_replica(pv);
}

/* ---- one volume and one peer ---- */

static void pv_off(struct repl_pv *pv)
{
	target_stop(pv, true);
	source_stop(pv, true);
	set_receiving(pv, false);
	set_pv_state(pv, RS_OFF);
}

/* End the connection soon, so that the peer hears our state before. */
static void refuse(struct repl_pv *pv, const char *why, bool diverged)
{
	struct repl_peer *p = pv->peer;

	pv_off(pv);
	/*
	 * We were in step once on this connection, or it is older than our
	 * reign.  It may be half dead, and what we know of the peer old: ask
	 * again before we give it up.
	 */
	if (pv->agreed || p->before_reign) {
		peer_end(p, false, why);
		return;
	}
	if (p->end_at_ms)
		return;
	p->end_at_ms = p->res->now + 500;
	p->end_why = why;
	note(p->res, diverged ? NOTE_DIVERGED : NOTE_MESSAGE, pv->vol, p, why);
}

/*
 * The data of a peer is what we go on with.  It may know a generation of ours
 * that we have given up: that counts once the next one is committed.  Until
 * then the peer may be lost and come back without it, as others are.
 */
static void go_on_with(struct repl_vol *vol, const struct repl_lineage *l)
{
	struct repl_res *res = vol->res;

	if (res->role == ROLE_PRIMARY &&
	    lineage_compare(l, &vol->lineage) != ORDER_EQUAL) {
		uncommitted_from_here(vol);
		res->gen_pending = true;
		res->gen_due = true;
	}
	vol->lineage = *l;
}

/*
 * Writes go there from now on.  One that was a member may have lost what was not
 * flushed meanwhile: it sees that when it is told of the set (adopt.c).
 */
static void live_on(struct repl_pv *pv)
{
	if (!pv->receiving)
		pv->vol->res->set_due = true;
	set_receiving(pv, true);
}

/* Without a disk we live on the data of peers that have one. */
static void evaluate_diskless(struct repl_pv *pv)
{
	struct repl_vol *vol = pv->vol;
	const struct repl_vstate *ps = &pv->peer_state;

	if (ps->disk != DISK_UPTODATE || !ps->dataset) {
		pv_off(pv);
		return;
	}
	if (!vol->dataset || (vol->res->role != ROLE_PRIMARY &&
			      (lineage_contains(&ps->lineage, &vol->lineage) ||
			       (primary_seen(vol->res) == NODE_NONE &&
				void_there(pv, vol->in_sync, vol->dataset,
					   &vol->lineage))))) {
		vol->dataset = ps->dataset;
		vol->lineage = ps->lineage;
		vol->in_sync = ps->in_sync;
		vol->keepers = ps->keepers;
		if (!vol->sectors)
			store_set_size(vol, ps->cur_sectors);
	}
	if (ps->dataset != vol->dataset || resize_short(pv) ||
	    !same_but_for_ours(pv)) {
		pv_off(pv);
		return;
	}
	if (!vol->res->commit.step)
		go_on_with(vol, &ps->lineage);
	set_pv_state(pv, RS_ESTABLISHED);
	live_on(pv);
}

static void evaluate_equal(struct repl_pv *pv)
{
	struct repl_store *s = store_live(pv->vol);

	if (pv->sync.step != SYNC_IDLE)
		return;
	/* Equal to the old disk that a Primary has attached, and as old. */
	if (pv->vol->res->role == ROLE_PRIMARY && pv->vol->dataset &&
	    pv->vol->disk != DISK_UPTODATE &&
	    !same_but_for_ours(pv)) {
		pv_off(pv);
		return;
	}
	set_pv_state(pv, RS_ESTABLISHED);
	if (!pv->receiving)
		pv->vol->res->set_due = true;
	set_receiving(pv, s->dataset && pv->peer_state.dataset &&
		      pv->peer_state.disk >= DISK_OUTDATED);
	pv->in_step = pv->receiving && pv->vol->res->role == ROLE_PRIMARY &&
		      pv->vol->disk == DISK_UPTODATE;
}

/* It was elected just now: what it will say of its data is on the way. */
static bool word_is_coming(const struct repl_pv *pv)
{
	return needs_votes(pv->vol->res) && both_elect(pv->peer) &&
	       pv->peer->role == ROLE_PRIMARY &&
	       pv->peer_state.set_version >> SET_TERM_SHIFT < pv->peer->term;
}

static void evaluate_source(struct repl_pv *pv)
{
	if (pv->sync.step >= SYNC_S_MAP_IN || word_is_coming(pv))
		return;
	if (pv->peer->role == ROLE_PRIMARY &&
	    pv->peer_state.disk == DISK_UPTODATE) {
		refuse(pv, "the peer is Primary on older data: make it Secondary first", true);
		return;
	}
	target_stop(pv, true);
	set_receiving(pv, false);
	set_pv_state(pv, pv->behind ? RS_BEHIND : RS_OFF);
}

static void evaluate_target(struct repl_pv *pv)
{
	struct repl_vol *vol = pv->vol;
	bool lives_there;

	if (vol->res->role == ROLE_PRIMARY && vol->disk == DISK_UPTODATE) {
		refuse(pv, "this node is Primary on older data: make it Secondary first", true);
		return;
	}
	if (is_target(pv)) {
		if (!may_source(pv))
			pv_off(pv);
		return;
	}
	source_stop(pv, true);
	/* A Primary whose own disk is old goes on with the peers' data. */
	lives_there = vol->res->role == ROLE_PRIMARY && may_source(pv);
	set_pv_state(pv, pv->paused || (pv->peer_state.flags & REPL_VS_PAUSED) ?
		     RS_PAUSED_TARGET : lives_there ? RS_ESTABLISHED : RS_OFF);
	if (lives_there)
		live_on(pv);
	else
		set_receiving(pv, false);
	if (pv->peer_state.disk == DISK_UPTODATE &&
	    vol->disk > DISK_OUTDATED && !promotion_decides(pv))
		set_disk(vol, DISK_OUTDATED);
}

/* Secondaries leave it to a primary to say who is in step. */
bool primary_decides(const struct repl_pv *pv)
{
	const struct repl_res *res = pv->vol->res;

	if (res->role == ROLE_PRIMARY || pv->peer->role == ROLE_PRIMARY)
		return false;
	return primary_seen(res) != NODE_NONE ||
	       pv->peer->sees_primary != NODE_NONE;
}

static void evaluate_pv(struct repl_pv *pv)
{
	struct repl_vol *vol = pv->vol;

	if (!usable(pv) || pv->peer->end_at_ms || vol->disk == DISK_ATTACHING)
		return;
	if (witness_between(pv)) {
		if (witness_is_foreign(pv))
			refuse(pv, "the witness's metadata belongs to another data set: make it anew with create-md", false);
		return;
	}
	source_check(pv);
	if (vol->res->renewing) {
		pv_off(pv);
		return;
	}
	if (vol->res->role == ROLE_PRIMARY &&
	    pv->peer->role == ROLE_PRIMARY) {
		refuse(pv, store_live(vol) &&
			   pv->peer_state.disk >= DISK_INCONSISTENT &&
			   pv_verdict(pv) == V_DIVERGED ?
		       "data has diverged (split brain), and both nodes are Primary: make one Secondary" :
		       "both nodes are Primary: make one Secondary", true);
		return;
	}
	if (!store_live(vol)) {
		evaluate_diskless(pv);
		return;
	}
	if (pv->peer_state.disk < DISK_INCONSISTENT) {
		pv_off(pv);
		return;
	}
	store_check_since(pv);
	if (primary_decides(pv) && vol->disk >= DISK_OUTDATED &&
	    pv->peer_state.disk >= DISK_OUTDATED) {
		/* Were it still to answer, a member would be overwritten. */
		if (!may_source(pv))
			target_stop(pv, true);
		set_receiving(pv, false);
		set_pv_state(pv, RS_ESTABLISHED);
		if (vol->disk == DISK_UPTODATE && left_behind(pv))
			set_disk(vol, DISK_OUTDATED);
		return;
	}
	switch (pv_verdict(pv)) {
	case V_EQUAL:
		evaluate_equal(pv);
		break;
	case V_SOURCE:
		evaluate_source(pv);
		break;
	case V_TARGET:
		evaluate_target(pv);
		break;
	case V_WAIT:
		pv_off(pv);
		break;
	case V_DIVERGED:
		if (branch_settles(pv))
			pv_off(pv);
		else
			refuse(pv, branch_unsettled(pv), true);
		break;
	case V_UNRELATED:
		refuse(pv, "the peer's data set has nothing to do with ours: make its metadata anew with create-md", true);
		break;
	case V_SIZE:
		refuse(pv, "the sync target's disk is smaller than the volume: enlarge it", false);
		break;
	case V_BLOCK_SIZE:
		refuse(pv, "logical block sizes of the disks differ", false);
		break;
	}
}

/* ---- one volume ---- */

/*
 * The peer's data set was declared equal to our blank disk: the word of it is
 * on its way.  Once anybody has reigned, a blank disk is a new one.
 */
static bool just_declared(const struct repl_pv *pv)
{
	u32 gens = 0, i;

	for (i = 0; i < REPL_NODES; i++)
		gens += pv->peer_state.lineage.gen[i];
	return gens == 1 && pv->peer->role != ROLE_PRIMARY &&
	       (pv->peer_state.in_sync & BIT(pv->vol->res->node));
}

static void choose_source(struct repl_vol *vol)
{
	struct repl_pv *pv, *best = NULL;

	if (vol->res->renewing || detach_waits(vol))
		return;
	for_each_pv(pv, vol) {
		if (is_target(pv))
			return;
		if (pv->paused || (pv->peer_state.flags & REPL_VS_PAUSED) ||
		    pv->turned_down || !may_source(pv) || pv->peer->end_at_ms ||
		    pv_verdict(pv) != V_TARGET)
			continue;
		if (resize_due(pv) || (!vol->dataset && just_declared(pv)))
			continue;
		if (!best || (best->peer->role != ROLE_PRIMARY &&
			      pv->peer->role == ROLE_PRIMARY))
			best = pv;
	}
	if (best)
		target_begin(best);
}

/* ---- the resource ---- */

static bool has_data(const struct repl_vol *vol)
{
	struct repl_pv *pv;

	if (vol->disk == DISK_UPTODATE && store_live(vol))
		return true;
	for_each_pv(pv, vol)
		if (pv_serves_reads(pv))
			return true;
	return false;
}

static void check_data(struct repl_res *res)
{
	struct repl_vol *vol;
	bool ok = true;

	for_each_vol(vol, res)
		ok &= res->role != ROLE_PRIMARY || has_data(vol);
	if (!ok && !(res->susp & SUSP_NO_DATA)) {
		res->susp |= SUSP_NO_DATA;
		note(res, NOTE_RES, NULL, NULL, NULL);
	}
	if (!ok) {
		app_no_data(res);
	} else if (res->susp & SUSP_NO_DATA) {
		res->susp &= ~SUSP_NO_DATA;
		note(res, NOTE_RES, NULL, NULL, NULL);
		app_release_held(res);
	}
}

/* As many in step as the policy asks for; without them nothing completes. */
static void check_quorum(struct repl_res *res)
{
	bool ok = res->role != ROLE_PRIMARY ||
		  (ack_enough(res) && !res->renewing && lease_holds(res)) ||
		  MUTATED(MUT_QUORUM_IGNORED) ||
		  (MUTATED(MUT_SYNC_UNKEPT) && !by_majority(res));

	bool was_ok = !(res->susp & SUSP_QUORUM);

	if (ok != was_ok)
		res->susp ^= SUSP_QUORUM;
	if (!ok && was_ok)
		res->quorum_lost_ms = res->now;
	if (!ok)
		app_no_quorum(res);
	if (ok == was_ok)
		return;
	note(res, NOTE_RES, NULL, NULL, NULL);
	if (ok) {
		app_check_done(res);
		app_release_held(res);
	}
}

/* More than any real chain of consequences, also with 64 volumes. */
#define MAX_ROUNDS	1000

static void evaluate_once(struct repl_res *res)
{
	struct repl_vol *vol;
	struct repl_pv *pv;

	for_each_vol(vol, res) {
		attach_advance(vol);
		resize_agree(vol);
	}
	members_advance(res);
	voter_advance(res);
	reign_check(res);
	for_each_vol(vol, res) {
		for_each_pv(pv, vol)
			evaluate_pv(pv);
		drop_void(vol);
		resolve_consistent(vol);
		choose_source(vol);
		for_each_pv(pv, vol) {
			target_advance(pv);
			source_advance(pv);
		}
	}
	if (vote_advance(res))
		return;
	check_quorum(res);
	fence_check(res);
	commit_advance(res);
	check_data(res);
}

void evaluate(struct repl_res *res)
{
	struct repl_vol *vol;
	u32 rounds = 0;

	res->evaluate_again = true;
	if (res->evaluating)
		return;
	res->evaluating = true;
	while (res->evaluate_again || resize_follow(res)) {
		res->evaluate_again = false;
		evaluate_once(res);
		/* Two rules that contradict each other must not hang a node. */
		if (WARN_ON_ONCE(++rounds > MAX_ROUNDS)) {
			res->evaluate_again = false;
			break;
		}
	}
	res->evaluating = false;
	announce(res);
	for_each_vol(vol, res) {
		if (vol->store)
			vol->stat.dirty_mem = vol->store->dirty.mem;
		meta_kick(vol);
	}
}
