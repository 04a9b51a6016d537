// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the resource works, and if not, why I/O is suspended.
 */
#include "explain.h"
#include "names.h"
#include "out.h"
#include "state.h"
#include "status.h"

/* Bits of BLKREPL_RI_SUSPENDED. */
#define REASON_NO_DATA		2
#define REASON_NO_QUORUM	3

#define MOMENTS_MS	3000	/* what takes moments is worth a word after that */

static const char *number(unsigned int n, char *buf, size_t size)
{
	snprintf(buf, size, "%u", n);
	return n ? buf : "none";
}

/* The setting by which I/O fails for this reason, NULL: it waits */
static const char *fails_by(const struct st_res *res, unsigned int reason)
{
	if (reason == REASON_NO_DATA &&
	    opt_get(&res->opts, OPT_ON_NO_DATA) == BLKREPL_NO_DATA_IO_ERROR)
		return "on-no-data";
	if (reason == REASON_NO_QUORUM &&
	    opt_get(&res->opts, OPT_ON_NO_QUORUM) == BLKREPL_NO_QUORUM_IO_ERROR)
		return "on-no-quorum";
	return NULL;
}

/* "I/O has been suspended for 0:42 (why): programs wait" */
static struct finding *suspended(struct findings *f, enum severity severity,
				 unsigned int reason)
{
	const char *policy = fails_by(f->res, reason);
	struct finding *x = found(f, severity, "resource");
	const char *words = status_suspend_reason(f->res, reason);
	char time[48];

	format_time(f->res->suspended_ms, time, sizeof(time));
	if (f->res->suspended_ms)
		say(x, "I/O has been suspended for %s", time);
	else
		say(x, "I/O is suspended");
	say(x, ", programs %s", policy ? "get errors" : "wait");
	if (policy)
		say(x, " (%s io-error)", policy);
	say(x, ": %s",
	    words ? words : "for a reason that this tool does not know");
	return x;
}

static void rather_fail(struct finding *x, const struct st_res *res,
			unsigned int reason)
{
	if (!fails_by(res, reason))
		advise(x, "; to let programs fail rather than wait: blkrepl resource-options %s --%s io-error",
		       res->name, reason == REASON_NO_DATA ? "on-no-data" :
							     "on-no-quorum");
}

/* ---- no quorum, or less than min-in-sync ---- */

/* A witness is so if it can keep the set. */
static bool in_step(const struct st_res *res, const struct st_peer *p)
{
	const struct st_vol *v;
	const struct st_pvol *pv;

	for (v = res->vols; v; v = v->next) {
		pv = state_pvol(p, v->nr);
		if (!is_connected(p) || !pv)
			return false;
		if (p->witness ? pv->peer_disk != BLKREPL_DISK_WITNESS :
		    pv->repl != BLKREPL_REPL_ESTABLISHED ||
		    pv->peer_disk != BLKREPL_DISK_UPTODATE)
			return false;
	}
	return true;
}

static uint32_t not_in_step(const struct st_res *res)
{
	const struct st_peer *p;
	uint32_t set = 0;

	for (p = res->peers; p; p = p->next)
		if (!in_step(res, p))
			set |= node_bit(p->id);
	return set;
}

/* Connected, and not in step only because it is marked so: it would be, were it waited for. */
static bool follows(const struct st_peer *p)
{
	const struct st_pvol *pv;

	if (p->witness || !is_connected(p) || !opt_get(&p->opts, OPT_ASYNC))
		return false;
	for (pv = p->pvols; pv; pv = pv->next)
		if (pv->repl != BLKREPL_REPL_ESTABLISHED ||
		    pv->peer_disk != BLKREPL_DISK_CONSISTENT)
			return false;
	return true;
}

/* They have no part in a majority of the replicas, nor in min-in-sync. */
static void wait_for_followers(struct finding *x, const struct st_res *res)
{
	const struct st_peer *p;

	if (!lacks_min_in_sync(res) &&
	    opt_get(&res->opts, OPT_ACK_POLICY) != BLKREPL_ACK_QUORUM)
		return;
	for (p = res->peers; p; p = p->next)
		if (follows(p))
			advise(x, "; to count %s, which is async, and wait for it: blkrepl net-options --async no %s:%s",
			       p->name, res->name, p->name);
}

static void too_few(struct finding *x, const struct st_res *res)
{
	unsigned int more = res->in_step_needed - res->in_step;
	bool majority = !lacks_min_in_sync(res);
	uint32_t set = not_in_step(res);
	struct nodes away = node_names(res, set, "and");
	char buf[16];

	say(x, "; %s of %u replicas %s in step, %u are needed",
	    number(res->in_step, buf, sizeof(buf)), replicas_of(res),
	    res->in_step == 1 ? "is" : "are", res->in_step_needed);
	if (majority)
		say(x, " (%s)",
		    opt_get(&res->opts, OPT_ACK_POLICY) == BLKREPL_ACK_QUORUM ?
		    "ack-policy quorum" : "quorum majority");
	if (majority && replicas_of(res) < nodes_of(res))
		say(x, ", or fewer with a witness");
	if (away.text[0])
		say(x, "; not in step: %s", away.text);
	if (set & (set - 1))
		advise(x, "get %u more of %s", more, away.text);
	else
		advise(x, "get %s", set ? away.text : "one more node");
	advise(x, " in step (see there); I/O goes on by itself then");
	wait_for_followers(x, res);
	if (!majority && majority_keeps_set(res))
		advise(x, "; to go on with fewer: blkrepl resource-options %s --min-in-sync %u",
		       res->name, res->in_step);
}

/* Somebody else was, or may have been, elected. */
static void in_doubt(struct finding *x, const struct st_res *res)
{
	struct nodes others = node_names(res, primaries(res), "and");

	if (others.text[0]) {
		say(x, "; %s %s Primary too, and may have been elected when this node was cut off",
		    others.text, of_set(primaries(res), "is", "are"));
		advise(x, "nothing: this node becomes Secondary as soon as they are connected, and what waits fails; to have that now: blkrepl secondary --force %s",
		       res->name);
		return;
	}
	say(x, "; enough replicas are in step, but a majority has not said in time that no other node was elected");
	advise(x, "it asks again by itself, wait a moment; if it stays so, look at the connections (blkrepl status %s --statistics); if all are connected, another node was made Primary by force, too: blkrepl secondary --force %s, and what waits fails",
	       res->name, res->name);
}

static void no_quorum(struct findings *f)
{
	const struct st_res *res = f->res;
	struct finding *x = suspended(f, PROBLEM, REASON_NO_QUORUM);

	if (!primaries(res) && res->in_step < res->in_step_needed) {
		too_few(x, res);
		rather_fail(x, res, REASON_NO_QUORUM);
	} else {
		in_doubt(x, res);
	}
}

/* ---- no data ---- */

static void no_data(struct findings *f)
{
	const struct st_res *res = f->res;
	struct finding *x = suspended(f, PROBLEM, REASON_NO_DATA);
	struct nodes away = node_names(res, peers_away(res) & res->in_sync, "or");
	const struct st_vol *v;
	const char *joint = "";

	for (v = res->vols; v; v = v->next) {
		if (v->state == BLKREPL_DISK_UPTODATE || peers_good(res, v))
			continue;
		say(x, "; volume %u is %s here", v->nr, name_of(&names_disk, v->state));
		if (v->state == BLKREPL_DISK_DISKLESS) {
			advise(x, "%sattach the disk again: blkrepl attach %s/%u", joint,
			       res->name, v->nr);
			joint = "; or ";
		}
	}
	if (!away.text[0])
		away = node_names(res, peers_away(res), "or");
	if (away.text[0])
		advise(x, "%sbring back %s with its good data", joint, away.text);
	else if (!*joint)
		advise(x, "make the disk of a peer good; what is wrong is said of each peer here");
	if (!away.text[0] && elects_primaries(res))
		advise(x, "; or let an election find out who has all that was acknowledged, while what waits fails: blkrepl secondary --force %s",
		       res->name);
	rather_fail(x, res, REASON_NO_DATA);
}

/* ---- fencing ---- */

static void fencing(struct findings *f, unsigned int reason)
{
	const struct st_res *res = f->res;
	struct finding *x = suspended(f, PROBLEM, reason);
	uint32_t wanted = peers_wanted(res), set = wanted ? wanted : peers_away(res);

	say(x, ": %s", node_names(res, set, "and").text);
	advise_fenced(x, res, set);
	advise(x, "; I/O goes on by itself then");
}

/* ---- what takes moments ---- */

static void moments(struct findings *f, unsigned int reason)
{
	bool takes_long = f->res->suspended_ms > MOMENTS_MS;
	struct finding *x = suspended(f, takes_long ? PROBLEM : INFO, reason);

	if (!takes_long)
		say(x, "; this takes moments");
	else if (reason == 0)
		advise(x, "look whether a disk of this node hangs: dmesg");
	else
		advise(x, "look whether a disk or the network of a connected peer hangs; one that does not answer is left out after its timeout");
}

static void other_reason(struct findings *f, unsigned int reason)
{
	struct finding *x = suspended(f, PROBLEM, reason);

	if (!suspend_reason(reason))
		advise(x, "use the blkrepl command that came with the module, it knows the reason");
}

static void running(struct findings *f)
{
	const struct st_res *res = f->res;
	uint32_t others = primaries(res);
	struct nodes names = node_names(res, others, "and");
	struct finding *x = found(f, FINE, "resource");

	if (res->role == BLKREPL_ROLE_PRIMARY)
		say(x, "I/O is not suspended; %s is Primary", this_node(res).text);
	else if (others)
		say(x, "%s is Secondary, %s %s Primary", this_node(res).text, names.text,
		    of_set(others, "is", "are"));
	else
		say(x, "%s is Secondary, and no Primary is known to it or to the nodes that it is connected to",
		    this_node(res).text);
}

void explain_io(struct findings *f)
{
	unsigned int i;

	if (!f->res->suspended)
		running(f);
	for (i = 0; i < 32; i++) {
		switch (f->res->suspended & (1U << i)) {
		case 0:
			break;
		case BLKREPL_SUSP_META:
		case BLKREPL_SUSP_PEER_ACK:
			moments(f, i);
			break;
		case BLKREPL_SUSP_NO_DATA:
			no_data(f);
			break;
		case BLKREPL_SUSP_QUORUM:
			no_quorum(f);
			break;
		case BLKREPL_SUSP_FENCING:
			fencing(f, i);
			break;
		default:
			other_reason(f, i);
		}
	}
}
