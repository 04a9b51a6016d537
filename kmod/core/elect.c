// SPDX-License-Identifier: GPL-2.0
/*
 * Who may have what was acknowledged, where a majority acknowledges.
 *
 * An acknowledged write is on W of the S members of the in-sync set under which
 * it was acknowledged.  So S - W + 1 members must have been heard, the candidate
 * included, and none of them may have more than the candidate: then one of
 * these has every acknowledged write, and so has the candidate.  Only members
 * count that have not crashed or been filled anew since the primary called them
 * members: what they have is all that they ever acknowledged.
 *
 * If all of the set are there and too many of them have crashed, what was
 * flushed decides: the former primary has that, see quorum_met().  If none of
 * them was primary then, they were all complete.
 *
 * Which set is it?  The newest that is known, unless a member of it does not
 * know it: then its primary was cut off while it told of it, and nothing was
 * acknowledged under it.  And whoever knows a set and is in it had all that was
 * acknowledged before, on stable media (members.c).
 */
#include "internal.h"

bool last_primary(const struct repl_pv *pv)
{
	return pv->known && (pv->peer_state.flags & REPL_VS_LAST_PRIMARY);
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
	return by_majority(pv->vol->res) &&
	       lineage_compare(&pv->peer_state.lineage,
			       my_lineage(pv->vol)) == ORDER_EQUAL;
}

/* Does this peer know of sets of the same data as we? */
static bool claims(const struct repl_pv *pv)
{
	return usable(pv) && !pv->peer->silent &&
	       pv->peer_state.disk >= DISK_WITNESS &&
	       pv->peer_state.dataset == pv->vol->dataset;
}

/*
 * The newest set older than @limit that a node says it knows, with the witnesses
 * that keep it.  One that was filled since counts itself among the members of
 * the set that its source knew.
 */
static bool newest_claim(const struct repl_vol *vol, u64 limit, u64 *version,
			 u32 *set)
{
	const struct repl_store *s = store_keeps(vol);
	const struct repl_vstate *ps;
	struct repl_pv *pv;
	bool found = false;
	u64 number;

	if (s && set_number(s->set_version) < limit) {
		*version = set_number(s->set_version);
		*set = s->in_sync | s->witnesses;
		found = true;
	}
	for_each_pv(pv, vol) {
		ps = &pv->peer_state;
		number = set_number(ps->set_version);
		if (!claims(pv) || number >= limit)
			continue;
		if (!found || number > *version) {
			*version = number;
			*set = ps->in_sync | ps->witnesses;
			found = true;
		} else if (number == *version) {
			*set &= ps->in_sync | ps->witnesses;
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

static bool told_to_all(const struct repl_vol *vol, u32 set, u64 version)
{
	return !(set & elect_not_told(vol, version));
}

/*
 * A set is confirmed for all volumes, or not at all: a node that knows it of one and
 * not of another has confirmed nothing.
 */
static bool took_effect(const struct repl_vol *vol, u32 set, u64 version)
{
	const struct repl_vol *other;

	for_each_vol(other, vol->res)
		if (!told_to_all(other, set, version))
			return false;
	return true;
}

/*
 * The newest one that at least @keepers keep, and that is @good.  A reign begins
 * with a majority: if we know a lesser set of one, or look for such, no earlier
 * reign counts any more.
 */
static u32 newest_of(const struct repl_vol *vol, u32 keepers,
		     bool (*good)(const struct repl_vol *, u32, u64),
		     u64 *version)
{
	u64 limit = ~0ULL, reign = 0;
	u32 set = 0;

	while (newest_claim(vol, limit, version, &set) &&
	       *version >> SET_TERM_SHIFT >= reign) {
		if (hweight32(set) >= keepers && good(vol, set, *version))
			return set;
		if (min(hweight32(set), keepers) < majority(vol->res))
			reign = *version >> SET_TERM_SHIFT;
		limit = *version;
	}
	*version = 0;
	return 0;
}

/* Of the nodes that keep a set, those with data. */
static u32 members(const struct repl_res *res, u32 set)
{
	struct repl_peer *p;
	int i;

	if (res->witness)
		set &= ~BIT(res->node);
	for_each_peer(p, i, res)
		if (p->witness)
			set &= ~BIT(i);
	return set;
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

/* The newest under which anything can have been acknowledged; 0: none is known. */
static u32 set_in_force(const struct repl_vol *vol, u64 *version)
{
	return newest_of(vol, majority(vol->res), took_effect, version);
}

/*
 * Nothing was acknowledged under a set that no majority keeps, or that did not take
 * effect for all volumes, so the one before counts.  If nobody knows that any more:
 * who is in the newest and knows it has all that was acknowledged before.  If that
 * is nobody who is here, one whose members were all told, as those that it left out
 * don't vouch; or those that may have been told of the newest.
 */
static u32 newest_set(const struct repl_vol *vol, u64 *version)
{
	u32 set = set_in_force(vol, version);

	if (!set && newest_claim(vol, ~0ULL, version, &set))
		set = insiders(vol, *version);
	if (!set)
		set = newest_of(vol, 1, told_to_all, version);
	if (!set && newest_claim(vol, ~0ULL, version, &set))
		set &= ~elect_not_told(vol, *version);
	return set ? members(vol->res, set) : vol->in_sync;
}

/**
 * elect_set() - the newest set that may have taken effect
 * @vol: the volume
 *
 * As far as the nodes that are connected know.  Return: the set.
 */
u32 elect_set(const struct repl_vol *vol)
{
	u64 version;

	return newest_set(vol, &version);
}

/*
 * Of a set all of whose members are here, many of them crashed.  The former
 * primary comes before us: what was flushed is there for certain.  Unless it died
 * before its last set was sealed, or that was none to acknowledge anything under:
 * any that was told has all.
 */
static bool first_of_all(const struct repl_vol *vol, u32 set)
{
	const struct repl_store *s = store_live(vol);
	struct repl_pv *pv;
	u64 version;

	if ((s && (s->flags & META_F_PRIMARY)) || !set_in_force(vol, &version))
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
 * @set: it goes here
 */
static bool counts_in(const struct repl_vol *vol, u32 *set)
{
	const struct repl_store *s = store_live(vol);
	u64 version;

	*set = newest_set(vol, &version);
	return !s || ((*set & BIT(vol->res->node)) && s->set_version >= version);
}

/*
 * Are we in the newest set that is known, and nothing was acknowledged under it?
 * Then we have all, whatever the members of the one before lack.
 */
static bool has_all(const struct repl_vol *vol)
{
	u64 newest, in_force;
	u32 set;

	return newest_claim(vol, ~0ULL, &newest, &set) &&
	       (insiders(vol, newest) & BIT(vol->res->node)) &&
	       !(set_in_force(vol, &in_force) && in_force == newest);
}

/* Of those of the set that vouch, one has every write that was acknowledged. */
static bool covered(const struct repl_res *res, u32 set, u32 vouching)
{
	u32 need = ack_replicas(res, set);

	need = hweight32(set) >= need ? hweight32(set) - need + 1 : 1;
	return hweight32(vouching & set) >= need;
}

/* Who is connected and vouches. */
static u32 vouching_peers(const struct repl_res *res)
{
	struct repl_peer *p;
	u32 nodes = 0;
	int i;

	for_each_peer(p, i, res)
		if (connected(p) && vouches_likely(p))
			nodes |= BIT(i);
	return nodes;
}

/* Do those of the set that are connected and vouch know enough without us? */
static bool known_without_us(const struct repl_res *res, u32 set)
{
	return covered(res, set, vouching_peers(res));
}

/* One of a majority of the nodes knows the newest set that took effect. */
static bool majority_claims(const struct repl_vol *vol)
{
	struct repl_pv *pv;
	u32 nodes = 1;

	for_each_pv(pv, vol)
		nodes += claims(pv);
	return nodes >= majority(vol->res);
}

/* Do we and those of @alike that vouch? */
static bool known_to_us(const struct repl_vol *vol, u32 set, u32 alike)
{
	const struct repl_res *res = vol->res;

	return vouches(res) && majority_claims(vol) &&
	       covered(res, set, BIT(res->node) | (vouching_peers(res) & alike));
}

/* Who only differs from us in the last writes; we do not at all. */
static u32 alike_but_for_last(const struct repl_vol *vol)
{
	u32 nodes = BIT(vol->res->node);
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if (usable(pv) && promotion_decides(pv))
			nodes |= BIT(pv->peer->node);
	return nodes;
}

/**
 * elect_unheard() - members of the sets that count beyond these nodes
 * @res: the resource
 * @heard: nodes
 */
u32 elect_unheard(const struct repl_res *res, u32 heard)
{
	struct repl_vol *vol;
	u32 sets = 0;

	for_each_vol(vol, res)
		sets |= elect_set(vol);
	return sets & ~heard;
}

static bool heard_enough(const struct repl_vol *vol, u32 heard, u32 vouching)
{
	const struct repl_res *res = vol->res;
	u32 set;

	if (has_all(vol))
		return true;
	if (!counts_in(vol, &set))
		return false;
	/* And they have compared positions. */
	if (covered(res, set, vouching))
		return vouching & BIT(res->node);
	return !(set & ~heard) && first_of_all(vol, set);
}

/**
 * elect_heard_enough() - has a candidate all that was acknowledged?
 * @res: the resource
 * @heard: nodes, ours too, that have found nothing that speaks against it
 * @vouching: of these, those that have all that they ever acknowledged
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
 * Where a majority acknowledges, members that differ in the last writes are
 * candidates all the same: the vote compares their positions.  So are those
 * that vouch, once enough of these are here, and else once all of the set are.
 * If too few vouch even then, so is the former primary; or all of them, if none
 * was primary.
 */
bool elect_among_all(const struct repl_vol *vol)
{
	u32 set, alike;

	if (!by_majority(vol->res) || !electable(vol) ||
	    primary_seen(vol->res) != NODE_NONE)
		return false;
	if (has_all(vol))
		return true;
	if (!counts_in(vol, &set))
		return false;
	alike = alike_but_for_last(vol);
	if (known_to_us(vol, set, alike))
		return true;
	if (!vol->vouch &&
	    (known_without_us(vol->res, set) || !first_of_all(vol, set)))
		return false;
	return !(set & ~alike);
}
