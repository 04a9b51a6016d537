// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why the disk of a volume is as it is, and what makes it good again.
 */
#include <inttypes.h>

#include "explain.h"
#include "names.h"
#include "out.h"
#include "state.h"
#include "status.h"

/* The peer that fills our disk, or would if the resync was not paused. */
static const struct st_peer *filled_by(const struct st_res *res,
				       const struct st_vol *v,
				       const struct st_pvol **with)
{
	const struct st_peer *p;
	const struct st_pvol *pv;

	for (p = res->peers; p; p = p->next) {
		pv = state_pvol(p, v->nr);
		if (!is_connected(p) || !pv ||
		    (pv->repl != BLKREPL_REPL_SYNC_TARGET &&
		     pv->repl != BLKREPL_REPL_PAUSED_TARGET))
			continue;
		*with = pv;
		return p;
	}
	return NULL;
}

/* Say who fills it, if somebody does. */
static bool being_filled(struct finding *x, const struct st_res *res,
			 const struct st_vol *v)
{
	const struct st_pvol *pv;
	const struct st_peer *p = filled_by(res, v, &pv);
	char left[32];

	if (!p)
		return false;
	format_bytes(pv->left, left, sizeof(left));
	say(x, "; it is being filled from %s, %s to go", peer_named(p).text, left);
	if (pv->repl == BLKREPL_REPL_PAUSED_TARGET) {
		say(x, ", but that is paused");
		if (pv->paused & 2)
			advise(x, "on %s: blkrepl resume-sync %s%s", peer_named(p).text,
			       res->name, pv->paused & 1 ? "; and here: " : "");
		if (pv->paused & 1 || !pv->paused)
			advise(x, "blkrepl resume-sync %s/%" PRIu32, res->name, v->nr);
	} else {
		advise(x, "nothing, it is UpToDate at the end; to wait for it: blkrepl wait-sync %s",
		       res->name);
	}
	return true;
}

/* Somebody has good data, or has to come back with it. */
static void needs_source(struct finding *x, const struct st_res *res,
			 const struct st_vol *v)
{
	uint32_t have = peers_good(res, v), away = peers_away(res);
	struct nodes good = node_names(res, have, "and"), names;

	if (have && primaries(res) && !(primaries(res) & have)) {
		names = node_names(res, primaries(res), "and");
		say(x, "; %s %s good data, but only the Primary, %s, may give it while it writes",
		    good.text, of_set(have, "has", "have"), names.text);
		advise(x, "connect to %s: it is filled by itself then", names.text);
		return;
	}
	if (have) {
		say(x, "; %s %s good data, but the resync has not begun", good.text,
		    of_set(have, "has", "have"));
		advise(x, "wait a moment; if it does not begin, look at what is said of %s",
		       good.text);
		return;
	}
	if (away & res->in_sync)
		away &= res->in_sync;
	names = node_names(res, away, "or");
	say(x, "; no node with good data is connected");
	if (names.text[0])
		advise(x, "bring back %s: it is filled by itself then", names.text);
	else
		advise(x, "make one of the nodes good: what is wrong there tells blkrepl explain %s, on each",
		       res->name);
}

/* On a witness. */
static void no_vote(struct findings *f, const struct st_vol *v)
{
	struct finding *x = found(f, PROBLEM, "volume %" PRIu32, v->nr);

	say(x, "%s: the metadata of this witness is not in use, so its vote does not count",
	    name_of(&names_disk, v->state));
	advise(x, "see what the kernel says of the device (dmesg); then: blkrepl attach %s/%" PRIu32 "; if the metadata is lost, before that: blkrepl create-md %s/%" PRIu32,
	       f->res->name, v->nr, f->res->name, v->nr);
}

static void diskless(struct findings *f, const struct st_vol *v)
{
	struct nodes good = node_names(f->res, peers_good(f->res, v), "and");
	struct finding *x = found(f, PROBLEM, "volume %" PRIu32, v->nr);

	if (v->state == BLKREPL_DISK_FAILED) {
		say(x, "the disk has failed, and is being let go of");
		advise(x, "see what the kernel says of it (dmesg); repair or replace it, then attach it: ");
	} else {
		say(x, "no disk is attached: it was not attached, was detached, or has failed (the kernel's log tells: dmesg)");
	}
	if (good.text[0] && f->res->role == BLKREPL_ROLE_PRIMARY)
		say(x, "; I/O goes on with the data of %s", good.text);
	advise(x, "blkrepl attach %s/%" PRIu32, f->res->name, v->nr);
	advise(x, "; for a new disk before that: blkrepl create-md %s/%" PRIu32 " (a peer fills it then)",
	       f->res->name, v->nr);
}

static void inconsistent(struct findings *f, const struct st_vol *v)
{
	struct finding *x;
	const struct st_pvol *pv;

	x = found(f, filled_by(f->res, v, &pv) ? WARNING : PROBLEM,
		  "volume %" PRIu32, v->nr);
	if (v->dataset)
		say(x, "Inconsistent: the disk is an unfinished copy, part of it is old");
	else
		say(x, "Inconsistent: the disk is new, there is no data on it yet");
	if (being_filled(x, f->res, v))
		return;
	if (!v->dataset && !peers_good(f->res, v)) {
		advise(x, "if no node has data yet, on one of them, once all are connected: blkrepl new-data-set %s; if one has, there: blkrepl primary --force %s; if one that has is away, bring it back",
		       f->res->name, f->res->name);
		return;
	}
	needs_source(x, f->res, v);
}

static void outdated(struct findings *f, const struct st_vol *v)
{
	struct finding *x;
	const struct st_pvol *pv;

	x = found(f, filled_by(f->res, v, &pv) ? WARNING : PROBLEM,
		  "volume %" PRIu32, v->nr);
	say(x, "Outdated: the data is whole, but others have newer data");
	if (!being_filled(x, f->res, v))
		needs_source(x, f->res, v);
}

/* The Primary that does not wait for us, and is connected. */
static const struct st_peer *followed(const struct st_res *res)
{
	const struct st_peer *p;

	for (p = res->peers; p; p = p->next)
		if (is_connected(p) && p->role == BLKREPL_ROLE_PRIMARY)
			return p;
	return NULL;
}

static void consistent(struct findings *f, const struct st_vol *v)
{
	const struct st_res *res = f->res;
	const struct st_peer *primary = followed(res);
	bool async = primary && is_async(res, primary);
	uint32_t away = missing_away(res);
	uint32_t mute = res->promotion_missing & ~away;
	struct finding *x;

	x = found(f, async ? INFO : WARNING, "volume %" PRIu32, v->nr);
	if (primary) {
		say(x, "Consistent: it follows the Primary %s%s, and may lack the newest writes",
		    peer_named(primary).text, async ? ", which does not wait for it (async)" : "");
		if (!being_filled(x, res, v) && !async)
			advise(x, "nothing, it is UpToDate when %s says that it waits for it",
			       peer_named(primary).text);
		return;
	}
	say(x, "Consistent: the data is whole, but others were in step with it before, and may have newer data");
	if (mute)
		say(x, "; connected, but unable to tell: %s",
		    node_names(res, mute, "and").text);
	if (away) {
		say(x, "; not heard of yet: %s", node_names(res, away, "and").text);
		advise(x, "bring back %s: it is UpToDate when all have been heard, or one that is UpToDate",
		       node_names(res, away, "and").text);
	} else {
		advise(x, "it is settled when one node becomes Primary; see promotion");
	}
}

/* A Secondary knows of what is written only while it is connected. */
static void uptodate(struct findings *f, const struct st_vol *v)
{
	const struct st_res *res = f->res;
	uint32_t away = peers_away(res), writes = primaries(res) & away;
	struct finding *x;

	if (res->role == BLKREPL_ROLE_PRIMARY || !away) {
		say(found(f, FINE, "volume %" PRIu32, v->nr),
		    "UpToDate: it has the newest data");
	} else if (writes) {
		x = found(f, WARNING, "volume %" PRIu32, v->nr);
		say(x, "UpToDate when it was last connected to the Primary, %s: what that has written since is not here",
		    node_names(res, writes, "or").text);
		advise(x, "mend the connection, see what is said of %s",
		       node_names(res, writes, "and").text);
	} else {
		say(found(f, INFO, "volume %" PRIu32, v->nr),
		    "UpToDate as far as is known here: %s may have written since the connection was lost",
		    node_names(res, away, "or").text);
	}
}

void explain_disks(struct findings *f)
{
	const struct st_vol *v;
	struct finding *x;

	for (v = f->res->vols; v; v = v->next) {
		switch (v->state) {
		case BLKREPL_DISK_DISKLESS:
		case BLKREPL_DISK_FAILED:
			if (f->res->witness)
				no_vote(f, v);
			else
				diskless(f, v);
			break;
		case BLKREPL_DISK_WITNESS:
			say(found(f, FINE, "volume %" PRIu32, v->nr),
			    "Witness: there is no data here, as it should be; it keeps votes and the in-sync set");
			break;
		case BLKREPL_DISK_INCONSISTENT:
			inconsistent(f, v);
			break;
		case BLKREPL_DISK_OUTDATED:
			outdated(f, v);
			break;
		case BLKREPL_DISK_CONSISTENT:
			consistent(f, v);
			break;
		case BLKREPL_DISK_UPTODATE:
			uptodate(f, v);
			break;
		default:
			say(found(f, WARNING, "volume %" PRIu32, v->nr),
			    "%s: the metadata is being read; if it stays so, look whether the disk hangs (dmesg)",
			    name_of(&names_disk, v->state));
		}
	}
	if (f->res->vols)
		return;
	x = found(f, PROBLEM, "resource");
	say(x, "it has no volumes");
	advise(x, "make those that are configured: blkrepl up %s", f->res->name);
}
