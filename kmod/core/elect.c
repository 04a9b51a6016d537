// SPDX-License-Identifier: GPL-2.0
/*
 * Who may have what was acknowledged, where primaries are elected.
 *
 * An acknowledged write is on W of the S members of the in-sync set under which
 * it was acknowledged (on all of them, unless a majority acknowledges: the set says
 * which, as what this node would do as Primary has nothing to do with it).  So
 * S - W + 1 members must have been heard, the candidate included, and none of them
 * may have more than the candidate: then one of these has every acknowledged write,
 * and so has the candidate.  Only members count that have not crashed or been
 * filled anew since the primary called them members: what they have is all that
 * they ever acknowledged.
 *
 * If all of the set are there, with their disks, and too many of them have crashed,
 * what was flushed decides: the former primary has that, see flush_waits().  If none of
 * them was primary then, they all have it.  So if all have lost power and one
 * stays dead, a majority is not enough: somebody has to use force.
 *
 * Which set is it?  The newest that is known, unless a member of it does not
 * know it: then its primary was cut off while it told of it, and nothing was
 * acknowledged under it.  And whoever knows a set and is in it had all that was
 * acknowledged before, on stable media (members.c).
 *
 * Who learns of a lesser set, under which nothing is acknowledged, forgets the one
 * before, but not that there was one: nothing older than that counts.  Unless it did
 * not count itself, as a volume shows of which it has not been forgotten.
 *
 * A set that was made without votes need not be known to any majority: there may
 * be a newer one on any single node.  So all with data have to be heard, but by the
 * Primary that has made it itself.
 */
#include "internal.h"

/** last_primary() - was this peer the last one, as it says, or still is? */
bool last_primary(const struct repl_pv *pv)
{
	return pv->known && (pv->peer_state.flags &
			     (REPL_VS_LAST_PRIMARY | REPL_VS_RENEWS));
}

bool vouches(const struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (!vol->vouch)
			return false;
	return true;
}

/*
 * Can others count on it?  A Primary that has lost its disk goes on vouching for what
 * its peers have for it.
 */
bool vouches_on_disk(const struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (!store_live(vol))
			return false;
	return vouches(res);
}

/*
 * Is what we have here something that an election may choose?  Outdated is also
 * who came back beside a primary, or as one, that went before we were left out.
 */
bool electable(const struct repl_vol *vol)
{
	const struct repl_store *s = store_live(vol);

	if (vol->disk != DISK_OUTDATED)
		return vol->disk >= DISK_CONSISTENT;
	return vol->vouch || (s && (s->flags & META_F_PRIMARY) &&
			      (s->in_sync & BIT(vol->res->node)));
}

/* Members of one set are compared by position, and not by what a crash left. */
bool by_position(const struct repl_pv *pv)
{
	return both_elect(pv->peer) &&
	       lineage_compare(&pv->peer_state.lineage,
			       my_lineage(pv->vol)) == ORDER_EQUAL;
}

/*
 * Does this peer know of sets of the same data as we?  One that gives up its branch
 * gives up the sets that were made there, too.
 */
static bool claims(const struct repl_pv *pv)
{
	return usable(pv) && !pv->peer->silent &&
	       !(pv->peer_state.flags & REPL_VS_DISCARD) &&
	       pv->peer_state.disk >= DISK_WITNESS &&
	       pv->peer_state.dataset == pv->vol->dataset;
}

/**
 * struct claim - a set that nodes say they know
 * @version: of it, the number only
 * @voted: made where primaries are elected, by all who know it
 * @by_all: a write is on all of it, by all who know it; else on a majority, which
 *	asks more of an election
 * @set: its members
 * @keepers: these, and who else keeps it
 */
struct claim {
	u64 version;
	bool voted;
	bool by_all;
	u32 set;
	u32 keepers;
};

static struct claim claim_of(u64 version, u32 in_sync, u32 keepers)
{
	return (struct claim){ set_number(version), version & SET_VOTED,
			       version & SET_BY_ALL, in_sync,
			       in_sync | keepers };
}

/*
 * The newest set older than @limit that a node says it knows.  One that was filled
 * since counts itself among the members of the set that its source knew.
 */
static bool newest_claim(const struct repl_vol *vol, u64 limit,
			 struct claim *c)
{
	const struct repl_store *s = store_keeps(vol);
	const struct repl_vstate *ps;
	struct repl_pv *pv;
	bool found = false;
	struct claim its;

	if (s && set_number(s->set_version) < limit) {
		*c = claim_of(s->set_version, s->in_sync, s->keepers);
		found = true;
	}
	for_each_pv(pv, vol) {
		ps = &pv->peer_state;
		if (!claims(pv))
			continue;
		its = claim_of(ps->set_version, ps->in_sync, ps->keepers);
		if (its.version >= limit)
			continue;
		if (!found || its.version > c->version) {
			*c = its;
			found = true;
		} else if (its.version == c->version) {
			c->voted &= its.voted;
			c->by_all &= its.by_all;
			c->set &= its.set;
			c->keepers &= its.keepers;
		}
	}
	return found;
}

/**
 * elect_not_told() - nodes that are here and know no set as new as this one
 * @vol: the volume
 * @version: of the set
 *
 * A set that one of its members, or of those that were to keep it, does not
 * know was never confirmed.
 */
u32 elect_not_told(const struct repl_vol *vol, u64 version)
{
	const struct repl_store *s = store_keeps(vol);
	struct repl_pv *pv;
	u32 nodes = 0;

	version = set_number(version);
	if (s && s->dataset == vol->dataset && s->set_version < version)
		nodes |= BIT(vol->res->node);
	for_each_pv(pv, vol)
		if (claims(pv) && pv->peer_state.set_version < version)
			nodes |= BIT(pv->peer->node);
	return nodes;
}

/*
 * A member that does not know a set knows the one before: it was filled from there.
 * Another keeper may only know an older one, and who knew the one before may have
 * learned of this by now.  So it takes more of those that know none as new, so
 * many that no majority can have kept one.
 */
static bool told_to_all(const struct repl_vol *vol, const struct claim *c)
{
	u32 not_told = elect_not_told(vol, c->version);
	const struct repl_res *res = vol->res;

	if (c->set & not_told)
		return false;
	return !(c->keepers & not_told) ||
	       voters(res) - hweight32(not_told) >= majority(res);
}

/* Of one who was elected, before its first set, and of those that it has filled. */
static bool none_of_its_reign(const struct claim *c)
{
	return c->voted && c->version && set_unbegun(c->version);
}

/*
 * A set is confirmed for all volumes, or not at all: a node that knows it of one and
 * not of another has confirmed nothing.
 */
static bool took_effect(const struct repl_vol *vol, const struct claim *c)
{
	const struct repl_vol *other;

	if (none_of_its_reign(c))
		return false;
	for_each_vol(other, vol->res)
		if (!told_to_all(other, c))
			return false;
	return true;
}

/* Those here that know no set as new as this one, and have forgotten none. */
static u32 never_told(const struct repl_vol *vol, u64 version)
{
	u32 nodes = elect_not_told(vol, version);
	const struct repl_store *s = store_keeps(vol);
	struct repl_pv *pv;

	if (s && s->kept_before >= version)
		nodes &= ~BIT(vol->res->node);
	for_each_pv(pv, vol)
		if (pv->peer_state.kept_before >= version)
			nodes &= ~BIT(pv->peer->node);
	return nodes;
}

/* Has a member of this set never known it, as some volume shows that still has it? */
static bool member_never_told(const struct repl_res *res, u64 version)
{
	struct repl_vol *vol;
	struct claim c;

	for_each_vol(vol, res)
		if (newest_claim(vol, version + 1, &c) && c.version == version &&
		    (c.set & never_told(vol, version)))
			return true;
	return false;
}

/* So many here have never known the set that it can't have counted. */
static bool kept_by_none(const struct repl_vol *vol, u64 version)
{
	u32 never = never_told(vol, version);

	return voters(vol->res) - hweight32(never) < majority(vol->res) ||
	       member_never_told(vol->res, version);
}

/* Older ones don't count: a later one was kept by most, and who knew it forgot it. */
static u64 kept_before(const struct repl_vol *vol)
{
	const struct repl_store *s = store_keeps(vol);
	u64 version = 0, v = s ? s->kept_before : 0;
	struct repl_pv *pv;

	if (v && !kept_by_none(vol, v))
		version = v;
	for_each_pv(pv, vol) {
		v = pv->peer_state.kept_before;
		if (claims(pv) && v > version && !kept_by_none(vol, v))
			version = v;
	}
	return version;
}

/* So many kept a set that counted, by whatever list its Primary had. */
static u32 majority_of_least(const struct repl_vol *vol)
{
	return edit_least(vol->res, ~0U, majority_of, 0);
}

/*
 * The newest one that at least @keepers keep, or that needed nobody to, and that is
 * @good.  A reign begins with a majority: if we know a lesser set of one, or look
 * for such, no earlier reign counts any more; nor does what is older than one that
 * was kept.
 */
static bool newest_of(const struct repl_vol *vol, u32 keepers,
		      bool (*good)(const struct repl_vol *,
				   const struct claim *),
		      struct claim *c)
{
	u64 limit = ~0ULL, reign = 0, oldest = kept_before(vol);
	u32 n, fewest = majority_of_least(vol);

	while (newest_claim(vol, limit, c) &&
	       c->version >> SET_TERM_SHIFT >= reign) {
		n = hweight32(c->keepers);
		if (((n >= keepers && c->version >= oldest) || !c->voted) &&
		    good(vol, c))
			return true;
		if (c->voted && min(n, keepers) < fewest)
			reign = c->version >> SET_TERM_SHIFT;
		limit = c->version;
	}
	return false;
}

/* Who knows this set, and that it is in it; one that was filled since says so too. */
static u32 insiders(const struct repl_vol *vol, u64 version)
{
	const struct repl_store *s = store_keeps(vol);
	const struct repl_vstate *ps;
	struct repl_pv *pv;
	u32 nodes = 0;

	if (s && set_number(s->set_version) == version)
		nodes |= s->in_sync & BIT(vol->res->node);
	for_each_pv(pv, vol) {
		ps = &pv->peer_state;
		if (claims(pv) && set_number(ps->set_version) == version)
			nodes |= ps->in_sync & BIT(pv->peer->node);
	}
	return nodes;
}

/* The newest under which anything can have been acknowledged, if one is known. */
static bool set_in_force(const struct repl_vol *vol, struct claim *c)
{
	return newest_of(vol, majority_of_least(vol), took_effect, c);
}

/*
 * Nothing was acknowledged under a set that no majority keeps, or that did not take
 * effect for all volumes, so the one before counts.  If nobody knows that any more:
 * who is in the newest and knows it has all that was acknowledged before, if that is
 * not older than one that counted.  If that is nobody who is here, one whose members
 * were all told, as those that it left out don't vouch; or those that may have been
 * told of the newest.
 */
static struct claim newest_set(const struct repl_vol *vol)
{
	struct claim newest, c;

	if (set_in_force(vol, &c))
		return c;
	if (!newest_claim(vol, ~0ULL, &newest))
		return (struct claim){ .set = vol->in_sync };
	/* Nobody knows it any more.  Any replica may have been in it. */
	if (newest.version < kept_before(vol)) {
		newest.set = replica_nodes(vol->res);
		newest.by_all = false;
		return newest;
	}
	c = newest;
	c.set = insiders(vol, newest.version);
	if (c.set || newest_of(vol, 1, told_to_all, &c))
		return c;
	newest.keepers &= ~elect_not_told(vol, newest.version);
	newest.set = newest.keepers ? newest.set & newest.keepers : vol->in_sync;
	newest.by_all &= known_by_all(vol);
	return newest;
}

/**
 * elect_set() - the newest set that may have taken effect
 * @vol: the volume
 *
 * As far as the nodes that are connected know.  Return: the set.
 */
u32 elect_set(const struct repl_vol *vol)
{
	return newest_set(vol).set;
}

/*
 * Of a set all of whose members are here, many of them crashed.  Where all of it
 * acknowledge, each has what was flushed.  Else the former primary comes before us:
 * there that is for certain.  Unless it died before its last set was sealed, or that
 * was none to acknowledge anything under: any that was told has all.
 */
static bool first_of_all(const struct repl_vol *vol, u32 set)
{
	const struct repl_store *s = store_live(vol);
	struct repl_pv *pv;
	struct claim c;

	if ((s && (s->flags & META_F_PRIMARY)) || !set_in_force(vol, &c) ||
	    c.by_all)
		return true;
	for_each_pv(pv, vol)
		if (connected(pv->peer) && last_primary(pv) &&
		    (set & BIT(pv->peer->node)) && !pv_outreigned(pv) &&
		    lineage_contains(&pv->peer_state.lineage, my_lineage(vol)))
			return false;
	return true;
}

/*
 * Is our disk one that the set relies on?  Without one, those that serve us.
 * @c: it goes here
 */
static bool counts_in(const struct repl_vol *vol, struct claim *c)
{
	const struct repl_store *s = store_live(vol);

	*c = newest_set(vol);
	return !s || ((c->set & BIT(vol->res->node)) &&
		      s->set_version >= c->version);
}

/* Is this node in the newest set that is known, by its own word? */
static bool in_newest(const struct repl_vol *vol, u32 node, u64 *version)
{
	struct claim newest;

	if (!newest_claim(vol, ~0ULL, &newest) ||
	    newest.version < kept_before(vol))
		return false;
	*version = newest.version;
	return insiders(vol, newest.version) & BIT(node);
}

/** elect_in_newest() - is this peer in the newest set that is known, and so has all before? */
bool elect_in_newest(const struct repl_pv *pv)
{
	u64 version;

	return in_newest(pv->vol, pv->peer->node, &version);
}

/*
 * Are we in the newest set that is known, and nothing was acknowledged under it?
 * Or of a later reign than the set under which it was: one who was elected has
 * filled us, or made us a member.  Then we have all, whatever the members lack.
 */
static bool has_all(const struct repl_vol *vol)
{
	const struct repl_store *s = store_live(vol);
	u32 here = BIT(vol->res->node);
	struct claim in_force;
	u64 newest;
	bool known;

	known = set_in_force(vol, &in_force);
	if (known && s && (s->in_sync & here) &&
	    (s->set_version & SET_MARKS) == SET_VOTED &&
	    s->set_version >> SET_TERM_SHIFT >
			in_force.version >> SET_TERM_SHIFT)
		return true;
	return in_newest(vol, vol->res->node, &newest) &&
	       !(known && in_force.version == newest);
}

/** elect_has_all() - for all volumes, whatever other nodes may have */
bool elect_has_all(const struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (!electable(vol) || !has_all(vol))
			return false;
	return true;
}

/* Of those of the set that vouch, one has every write that was acknowledged. */
static bool covered(const struct repl_res *res, const struct claim *c,
		    u32 vouching)
{
	u32 members = hweight32(c->set);
	u32 need = ack_replicas(res, c->set, c->by_all);

	if (MUTATED(MUT_OWN_POLICY_COUNTS))
		need = max(ack_replicas(res, c->set, !by_majority(res)),
			   (u32)res->conf.min_in_sync);
	need = members >= need ? members - need + 1 : 1;
	return hweight32(vouching & c->set) >= need;
}

/** elect_all_have_all() - has each member of the set all that was acknowledged? */
bool elect_all_have_all(const struct repl_vol *vol)
{
	struct claim c = newest_set(vol);

	return ack_replicas(vol->res, c.set, c.by_all) >= hweight32(c.set);
}

static bool vouches_here(const struct repl_peer *p)
{
	return connected(p) && vouches_likely(p);
}

/* Who is connected and vouches. */
static u32 vouching_peers(const struct repl_res *res)
{
	return peers_that(res, vouches_here);
}

/* Do those of the set that are connected and vouch know enough without us? */
static bool known_without_us(const struct repl_res *res, const struct claim *c)
{
	return covered(res, c, vouching_peers(res));
}

/**
 * elect_good_without_us() - has this peer all that was acknowledged, whatever we have?
 * @pv: it, a candidate
 *
 * It vouches, and so do enough of the set with which it compares positions; or it
 * is the Primary that made the set, and has not crashed since.
 */
bool elect_good_without_us(const struct repl_pv *pv)
{
	struct claim c;

	if (!vouches_likely(pv->peer) || !set_in_force(pv->vol, &c) ||
	    !(c.set & BIT(pv->peer->node)))
		return false;
	return known_without_us(pv->vol->res, &c) ||
	       (last_primary(pv) && pv->peer_state.set_version >= c.version);
}

static u32 us_and_those(const struct repl_vol *vol,
			bool (*who)(const struct repl_pv *pv))
{
	u32 nodes = BIT(vol->res->node);
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if (who(pv))
			nodes |= BIT(pv->peer->node);
	return nodes;
}

/* Does it only differ from us in the last writes? */
static bool alike_but_for_last(const struct repl_pv *pv)
{
	return usable(pv) && promotion_decides(pv);
}

/* One of a majority of the nodes knows the newest set that took effect. */
static bool majority_claims(const struct repl_vol *vol)
{
	return hweight32(us_and_those(vol, claims)) >= majority(vol->res);
}

/* Do we and those of @alike that vouch? */
static bool known_to_us(const struct repl_vol *vol, const struct claim *c,
			u32 alike)
{
	const struct repl_res *res = vol->res;

	return vouches(res) && majority_claims(vol) &&
	       covered(res, c, BIT(res->node) | (vouching_peers(res) & alike));
}

/* Was the newest set that is known made without votes, and not by us? */
static bool made_alone(const struct repl_vol *vol)
{
	const struct repl_store *s = store_live(vol);
	struct claim newest;

	if (!newest_claim(vol, ~0ULL, &newest))
		return false;
	if (vol->res->renewing && (!s || set_number(s->set_version) >= newest.version))
		return false;
	return !newest.voted;
}

/**
 * elect_all_needed() - nodes beyond these that may have gone on without votes
 * @res: the resource
 * @heard: nodes
 */
u32 elect_all_needed(const struct repl_res *res, u32 heard)
{
	struct repl_vol *vol;

	if (MUTATED(MUT_UNVOTED_SET_COUNTS))
		return 0;
	for_each_vol(vol, res)
		if (made_alone(vol))
			return replica_nodes(res) & ~heard;
	return 0;
}

/**
 * elect_unheard() - members of the sets that count beyond these nodes
 * @res: the resource
 * @heard: nodes
 */
u32 elect_unheard(const struct repl_res *res, u32 heard)
{
	struct repl_vol *vol;
	u32 sets = elect_all_needed(res, heard);

	for_each_vol(vol, res)
		sets |= elect_set(vol);
	return sets & ~heard;
}

/* Has it data to be looked at?  Who is attaching its disk agrees without. */
static bool shows_data(const struct repl_pv *pv)
{
	return pv->known && pv->peer_state.disk >= DISK_INCONSISTENT;
}

static bool heard_enough(const struct repl_vol *vol, u32 heard, u32 vouching)
{
	const struct repl_res *res = vol->res;
	struct claim c;

	if (has_all(vol))
		return true;
	if (!counts_in(vol, &c))
		return false;
	/* And they have compared positions. */
	if (covered(res, &c, vouching))
		return vouching & BIT(res->node);
	heard &= us_and_those(vol, shows_data);
	return !(c.set & ~heard) && first_of_all(vol, c.set);
}

/**
 * elect_heard_enough() - has a candidate all that was acknowledged?
 * @res: the resource
 * @heard: nodes, ours too, that have found nothing that speaks against it
 * @vouching: of these, those that have all that they ever acknowledged
 *
 * Whatever went on without votes is for elect_all_needed() to say.
 */
bool elect_heard_enough(const struct repl_res *res, u32 heard, u32 vouching)
{
	struct repl_vol *vol;

	if (MUTATED(MUT_QUORUM_IGNORED))
		return true;
	for_each_vol(vol, res)
		if (!heard_enough(vol, heard, vouching))
			return false;
	return true;
}

/**
 * elect_among_all() - may a promotion make good data of ours?
 * @vol: the volume
 *
 * Where primaries are elected, members that differ in the last writes are
 * candidates all the same: the vote compares their positions.  So are those
 * that vouch, once enough of these are here, and else once all of the set are.
 * If too few vouch even then, so is the former primary; or all of them, if none
 * was primary.
 */
bool elect_among_all(const struct repl_vol *vol)
{
	struct claim c;
	u32 alike;

	if (!elects(vol->res) || !electable(vol) ||
	    primary_seen(vol->res) != NODE_NONE ||
	    elect_all_needed(vol->res, us_and_those(vol, usable)))
		return false;
	if (has_all(vol))
		return true;
	if (!counts_in(vol, &c))
		return false;
	alike = us_and_those(vol, alike_but_for_last);
	if (known_to_us(vol, &c, alike))
		return true;
	if (!vol->vouch &&
	    (known_without_us(vol->res, &c) || !first_of_all(vol, c.set)))
		return false;
	return !(c.set & ~alike);
}
