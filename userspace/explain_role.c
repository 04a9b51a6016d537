// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether this node could become Primary now.  The kernel says so, by the
 * rules that it goes by; who has to come back, and what force would lose,
 * follows from what it reports.
 */
#include <inttypes.h>
#include <string.h>

#include "explain.h"
#include "out.h"
#include "state.h"

static void votes(struct finding *x, const struct st_res *res)
{
	if (res->votes_needed)
		say(x, "; %" PRIu32 " of %u votes %s here, %" PRIu32 " are needed",
		    res->votes, nodes_of(res), res->votes == 1 ? "is" : "are",
		    res->votes_needed);
}

static bool fences(const struct st_res *res)
{
	return opt_get(&res->opts, OPT_FENCING) == BLKREPL_FENCING_WAIT;
}

static void could_be(struct findings *f)
{
	const struct st_res *res = f->res;
	struct nodes away = node_names(res, peers_away(res), "or");
	struct finding *x = found(f, INFO, "promotion");

	say(x, "%s could become Primary: nothing that it knows is against it",
	    this_node(res).text);
	votes(x, res);
	/* with fencing all that are away have been fenced */
	if (away.text[0] && !elects_primaries(res) && !fences(res)) {
		say(x, "; but it cannot ask %s", away.text);
		advise(x, "make sure that no other node (%s) is Primary or becomes it, else the data diverges; then: ",
		       away.text);
	}
	advise(x, "blkrepl primary %s", res->name);
}

/* Whether a device is open on the Primary, only that one knows. */
static void could_take_over(struct findings *f, uint32_t others)
{
	struct finding *x = found(f, INFO, "promotion");
	struct nodes names = node_names(f->res, others, "and");

	say(x, "%s could become Primary in the place of %s, which steps down for it unless a volume is open for writing there",
	    this_node(f->res).text, names.text);
	votes(x, f->res);
	advise(x, "if the role is to move: umount on %s, then here: blkrepl primary %s",
	       names.text, f->res->name);
}

/* ---- refused ---- */

/* The good data is connected already. */
static bool is_curable(const struct st_res *res)
{
	const struct st_vol *v;

	for (v = res->vols; v; v = v->next)
		if (v->state != BLKREPL_DISK_UPTODATE && peers_good(res, v))
			return true;
	return false;
}

/* Nodes of which others have told, and that are not in the configuration here. */
static uint32_t strangers(const struct st_res *res, uint32_t set)
{
	const struct st_peer *p;

	set &= ~node_bit(res->node_id);
	for (p = res->peers; p; p = p->next)
		set &= ~node_bit(p->id);
	return set;
}

static void bring_back(struct finding *x, const struct st_res *res)
{
	uint32_t away = peers_away(res), missing = missing_away(res);
	uint32_t unknown = strangers(res, missing);

	if (unknown) {
		advise(x, "the nodes do not have the same configuration: here %s %s missing; add %s as where %s known, then here: blkrepl down %s, blkrepl up %s",
		       node_names(res, unknown, "and").text, of_set(unknown, "is", "are"),
		       of_set(unknown, "it", "them"), of_set(unknown, "it is", "they are"),
		       res->name, res->name);
		return;
	}
	if (res->votes < res->votes_needed) {
		if (away & (away - 1))
			advise(x, "bring back %" PRIu32 " more of %s, with a disk",
			       res->votes_needed - res->votes,
			       node_names(res, away, "and").text);
		else
			advise(x, "bring back %s, with a disk", away ?
			       node_names(res, away, "and").text : "more nodes");
		return;
	}
	/* the kernel's words: the data here is good, and others may be Primary */
	if (missing && fences(res) && strstr(res->promotion_refused, "fencing wait")) {
		advise_fenced(x, res, missing);
		return;
	}
	if (!missing || is_curable(res))
		advise(x, "see what is said of the volumes and the peers");
	else if (elects_primaries(res))
		advise(x, "bring back %s%s, until enough of the data has been heard of",
		       of_set(missing, "", "one more of "),
		       node_names(res, missing, "and").text);
	else
		advise(x, "bring back %s%s", node_names(res, missing, "and").text,
		       fences(res) ? "" :
		       of_set(missing, "", "; one of them that is UpToDate is enough"));
}

/* A peer's reasons speak of "that node"; all others are our own, whatever it sees. */
static bool is_peers_reason(const char *why)
{
	static const char that_node[] = "that node ";

	return !strncmp(why, that_node, sizeof(that_node) - 1);
}

/* Peers that are no Primary, and object as they see one. */
static uint32_t objectors(const struct st_res *res)
{
	const struct st_peer *p;
	uint32_t set = 0;

	if (!is_peers_reason(res->promotion_refused))
		return 0;
	for (p = res->peers; p; p = p->next) {
		if (!is_connected(p))
			continue;
		if (p->role == BLKREPL_ROLE_PRIMARY)
			return 0;
		if (p->sees_primary >= 0)
			set |= node_bit(p->id);
	}
	return set;
}

static void refused(struct findings *f, uint32_t others)
{
	const struct st_res *res = f->res;
	struct finding *x = found(f, others ? INFO : WARNING, "promotion");
	struct nodes names = node_names(res, others, "and");

	say(x, "%s cannot become Primary now, it would be refused%s%s: %s",
	    this_node(res).text, objectors(res) ? " by " : "",
	    node_names(res, objectors(res), "and").text, res->promotion_refused);
	if (others) {
		say(x, " (%s %s Primary)", names.text, of_set(others, "is", "are"));
		advise(x, "if the role is to move, first on %s: blkrepl secondary %s",
		       names.text, res->name);
		return;
	}
	if (missing_away(res))
		say(x, "; not heard of: %s",
		    node_names(res, missing_away(res), "and").text);
	votes(x, res);
	bring_back(x, res);
}

/* ---- what force would lose ---- */

static bool has_disk(const struct st_vol *v)
{
	return v->state >= BLKREPL_DISK_INCONSISTENT;
}

static const struct st_vol *without_data(const struct st_res *res)
{
	const struct st_vol *v;

	for (v = res->vols; v; v = v->next)
		if (!has_disk(v) && !peers_good(res, v))
			return v;
	return NULL;
}

/* The nodes that may have what is not here. */
static uint32_t may_have_more(const struct st_res *res)
{
	if (res->promotion_missing)
		return res->promotion_missing;
	return peers_away(res);
}

static void loses(struct finding *x, const struct st_res *res,
		  const struct st_vol *v)
{
	struct nodes names = node_names(res, may_have_more(res), "and");
	const char *who = names.text[0] ? names.text : "other nodes";

	switch (v->state) {
	case BLKREPL_DISK_INCONSISTENT:
		if (v->dataset)
			say(x, "; volume %" PRIu32 " is an unfinished copy: what is on it does not fit together",
			    v->nr);
		else
			say(x, "; volume %" PRIu32 " becomes, as it is, everybody's data",
			    v->nr);
		break;
	case BLKREPL_DISK_OUTDATED:
		say(x, "; volume %" PRIu32 " lacks writes that were acknowledged without %s: they are on other nodes only",
		    v->nr, this_node(res).text);
		break;
	case BLKREPL_DISK_CONSISTENT:
	case BLKREPL_DISK_UPTODATE:
		say(x, "; of volume %" PRIu32 " writes acknowledged since the set {%s} was formed may be only on %s",
		    v->nr, node_names(res, res->in_sync, NULL).text, who);
		break;
	default:
		break;
	}
}

/* What is noted here is what differs, not what is missing here. */
static void amount(struct finding *x, const struct st_res *res)
{
	const struct st_peer *p;
	char text[32];

	say(x, ". How much that is, only those nodes know");
	for (p = res->peers; p; p = p->next) {
		if (!noted_bytes(p))
			continue;
		format_bytes(noted_bytes(p), text, sizeof(text));
		say(x, "; noted here as different from %s: %s", peer_named(p).text, text);
	}
}

static void by_force(struct findings *f)
{
	const struct st_res *res = f->res;
	const struct st_vol *v = without_data(res);
	struct nodes names = node_names(res, may_have_more(res), "and");
	struct finding *x = found(f, INFO, "promotion");

	if (v) {
		say(x, "primary --force would be refused as well: volume %" PRIu32 " has no data here that it could go on with",
		    v->nr);
		return;
	}
	say(x, "primary --force would go on with the data of %s", this_node(res).text);
	for (v = res->vols; v; v = v->next)
		loses(x, res, v);
	amount(x, res);
	advise(x, "only if %s will not come back: blkrepl primary --force %s; a node that comes back with other data has diverged then (split brain)",
	       names.text[0] ? names.text : "no node with better data", res->name);
}

void explain_promotion(struct findings *f)
{
	const struct st_res *res = f->res;
	uint32_t others = primaries(res);

	if (res->role == BLKREPL_ROLE_PRIMARY) {
		say(found(f, FINE, "promotion"), "%s is Primary", this_node(res).text);
	} else if (res->witness) {
		say(found(f, FINE, "promotion"),
		    "%s is a witness: it votes, and is never Primary",
		    this_node(res).text);
	} else if (!res->in_step_needed) {
		say(found(f, INFO, "promotion"),
		    "this kernel module does not tell whether %s could become Primary",
		    this_node(res).text);
	} else if (!res->promotion_refused[0] && others) {
		could_take_over(f, others);
	} else if (!res->promotion_refused[0]) {
		could_be(f);
	} else {
		refused(f, others);
		if (!others)
			by_force(f);
	}
}
