// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a peer is not connected, or not in step.
 */
#include <inttypes.h>

#include "conf.h"
#include "explain.h"
#include "names.h"
#include "out.h"
#include "state.h"
#include "status.h"

/* ---- not connected ---- */

static void noted(struct finding *x, const struct st_peer *p)
{
	char text[32];

	if (!noted_bytes(p))
		return;
	format_bytes(noted_bytes(p), text, sizeof(text));
	say(x, "; %s are noted here as different", text);
}

/* A policy that names nobody, or that is not the same on both nodes. */
static void not_settled(struct finding *x, const struct st_res *res,
			const struct st_peer *p)
{
	uint32_t policy = opt_get(&res->opts, OPT_AFTER_SPLIT_BRAIN);

	if (policy == BLKREPL_SPLIT_ASK)
		return;
	say(x, "; after-split-brain %s has not settled it, as ",
	    name_of(&names_after_split_brain, policy));
	if (strstr(p->last_error, "differs"))
		say(x, "%s has another setting", peer_named(p).text);
	else
		say(x, "it names neither, or one that is Primary");
}

static void split_brain(struct findings *f, const struct st_peer *p)
{
	struct finding *x = found(f, PROBLEM, "peer %s", peer_named(p).text);
	const char *res = f->res->name;

	say(x, "not connected: the data has diverged (split brain), %s and %s have both written without the other; nothing is overwritten before you say whose changes go",
	    this_node(f->res).text, peer_named(p).text);
	not_settled(x, f->res, p);
	noted(x, p);
	advise(x, "decide whose changes are to be lost. Those of %s: here blkrepl secondary %s and blkrepl connect %s:%s --discard-my-data, on %s blkrepl connect %s. Those of %s: the same with the nodes swapped",
	       this_node(f->res).text, res, res, peer_named(p).text,
	       peer_named(p).text, res, peer_named(p).text);
}

static void stands_alone(struct findings *f, const struct st_peer *p)
{
	struct finding *x;

	if (strstr(p->last_error, "split brain")) {
		split_brain(f, p);
		return;
	}
	x = found(f, p->last_error[0] ? PROBLEM : WARNING, "peer %s",
		  peer_named(p).text);
	if (p->last_error[0])
		say(x, "not connected, and it is not tried again (StandAlone): %s",
		    p->last_error);
	else
		say(x, "not connected: nobody has told it to, or an administrator has disconnected it (StandAlone)");
	noted(x, p);
	if (p->last_error[0])
		advise(x, "mend that, then here, and on %s if it is StandAlone too: ",
		       peer_named(p).text);
	advise(x, "blkrepl connect %s:%s", f->res->name, peer_named(p).text);
}

static void connecting(struct findings *f, const struct st_peer *p)
{
	struct finding *x = found(f, PROBLEM, "peer %s", peer_named(p).text);
	char local[80], addr[80];

	addr_format(&p->local, local, sizeof(local));
	addr_format(&p->addr, addr, sizeof(addr));
	say(x, "not connected, it is tried again and again: ");
	if (p->last_error[0])
		say(x, "%s", p->last_error);
	else
		say(x, "nothing has been heard of it");
	noted(x, p);
	advise(x, "see that %s runs and has the resource up (there: blkrepl up %s, blkrepl status %s), and that %s reaches %s (network, firewall); it connects by itself then",
	       peer_named(p).text, f->res->name, f->res->name, local, addr);
}

static void away(struct findings *f, const struct st_peer *p)
{
	if (p->conn == BLKREPL_CONN_STANDALONE)
		stands_alone(f, p);
	else if (p->conn == BLKREPL_CONN_HANDSHAKE)
		say(found(f, WARNING, "peer %s", peer_named(p).text),
		    "it is just connecting (Handshake)");
	else
		connecting(f, p);
}

/* ---- connected, but not in step ---- */

static void paused(struct finding *x, const struct st_res *res,
		   const struct st_pvol *pv)
{
	static const char * const where[] = { "", "here", "there", "here and there" };

	say(x, " is paused%s%s", pv->paused & 3 ? " " : "", where[pv->paused & 3]);
	advise(x, "%s%sblkrepl resume-sync %s", where[pv->paused & 3],
	       pv->paused & 3 ? ": " : "", res->name);
}

static void resync(struct findings *f, const struct st_peer *p,
		   const struct st_pvol *pv)
{
	bool source = pv->repl == BLKREPL_REPL_SYNC_SOURCE ||
		      pv->repl == BLKREPL_REPL_PAUSED_SOURCE;
	struct finding *x = found(f, WARNING, "peer %s", peer_named(p).text);
	char left[32], rate[32];

	format_bytes(pv->left, left, sizeof(left));
	format_bytes(pv->rate, rate, sizeof(rate));
	say(x, "volume %" PRIu32 ": %s is being filled from %s, %s to go", pv->vol,
	    source ? peer_named(p).text : this_node(f->res).text,
	    source ? this_node(f->res).text : peer_named(p).text, left);
	if (pv->repl == BLKREPL_REPL_SYNC_SOURCE ||
	    pv->repl == BLKREPL_REPL_SYNC_TARGET) {
		if (pv->rate)
			say(x, " at %s/s", rate);
		advise(x, "nothing; to wait for it: blkrepl wait-sync %s", f->res->name);
		return;
	}
	say(x, ", but that");
	paused(x, f->res, pv);
}

/* Connected, and no data goes between the two. */
static void off(struct findings *f, const struct st_peer *p,
		const struct st_pvol *pv)
{
	const struct st_vol *v = state_vol(f->res, pv->vol);
	bool no_disk = pv->peer_disk == BLKREPL_DISK_DISKLESS ||
		       pv->peer_disk == BLKREPL_DISK_FAILED;
	struct finding *x = found(f, no_disk ? PROBLEM : WARNING, "peer %s",
				  peer_named(p).text);

	say(x, "volume %" PRIu32, pv->vol);
	if (no_disk) {
		say(x, " has no disk there (%s): one copy less",
		    name_of(&names_disk, pv->peer_disk));
		advise(x, "on %s: blkrepl attach %s/%" PRIu32 "; more tells: blkrepl explain %s, there",
		       peer_named(p).text, f->res->name, pv->vol, f->res->name);
	} else if (pv->peer_disk == BLKREPL_DISK_UNKNOWN) {
		say(x, ": nothing is mirrored, %s has not told of it", peer_named(p).text);
		advise(x, "see whether the volume exists there: blkrepl status %s",
		       f->res->name);
	} else {
		say(x, ": nothing is mirrored, the disk is %s here and %s there, and neither can be filled from the other just now",
		    v ? name_of(&names_disk, v->state) : "missing",
		    name_of(&names_disk, pv->peer_disk));
		advise(x, "see volume %" PRIu32 " and promotion: a node with good data has to come back, or one has to become Primary",
		       pv->vol);
	}
}

/*
 * Writes are held back for this peer, which lacks as much as it may.  Nothing is
 * suspended, so this is the only place where it can be seen.
 */
static bool explain_held(struct findings *f, const struct st_peer *p)
{
	const struct opt_set *opts = &f->res->opts;
	uint64_t bytes = opt_get(opts, OPT_BACKLOG_MAX);
	uint64_t ms = opt_get(opts, OPT_BACKLOG_TIME);
	bool late = ms && p->lag_ms > ms;
	char lag[32], bound[32], time[48];
	struct finding *x;

	if (opt_get(opts, OPT_ON_BACKLOG) != BLKREPL_BACKLOG_HOLD ||
	    f->res->role != BLKREPL_ROLE_PRIMARY || !p->held_back)
		return false;
	format_bytes(p->lag_bytes, lag, sizeof(lag));
	format_time(p->lag_ms, time, sizeof(time));
	x = found(f, WARNING, "peer %s", peer_named(p).text);
	say(x, "writes wait until it has caught up (on-backlog hold-writes): it lacks %s for %s, ",
	    lag, time);
	if (late) {
		format_time(ms, bound, sizeof(bound));
		say(x, "backlog-time is %s", bound);
	} else {
		format_bytes(bytes, bound, sizeof(bound));
		say(x, "backlog-max is %s", bound);
	}
	advise(x, "nothing, they go on by themselves; to let it fall behind rather than wait: blkrepl resource-options %s --on-backlog fall-behind",
	       f->res->name);
	return true;
}

/* No data goes to or from a witness. */
static bool explain_witness(struct findings *f, const struct st_peer *p,
			    const struct st_pvol *pv)
{
	struct finding *x;

	if (!p->witness || pv->peer_disk == BLKREPL_DISK_WITNESS)
		return false;
	x = found(f, WARNING, "peer %s", peer_named(p).text);
	say(x, "volume %" PRIu32 ": the metadata of this witness is not in use (%s), so its vote does not count",
	    pv->vol, name_of(&names_disk, pv->peer_disk));
	advise(x, "there: blkrepl explain %s", f->res->name);
	return true;
}

/* Return: true if there is something to say of this volume. */
static bool explain_pvol(struct findings *f, const struct st_peer *p,
			 const struct st_pvol *pv)
{
	struct finding *x;

	if (p->witness || f->res->witness)
		return explain_witness(f, p, pv);
	if (pvol_is_syncing(pv)) {
		resync(f, p, pv);
	} else if (pv->repl == BLKREPL_REPL_BEHIND) {
		x = found(f, WARNING, "peer %s", peer_named(p).text);
		say(x, "volume %" PRIu32 ": it was too slow for what is written here, has fallen behind, and is filled as soon as it is through with what is on its way (Behind)",
		    pv->vol);
		advise(x, "nothing; if it happens often, a larger backlog-max helps, or a faster network or disk");
	} else if (pv->repl == BLKREPL_REPL_OFF && pv->paused) {
		x = found(f, WARNING, "peer %s", peer_named(p).text);
		say(x, "volume %" PRIu32 ": the resync", pv->vol);
		paused(x, f->res, pv);
	} else if (pv->repl != BLKREPL_REPL_ESTABLISHED) {
		off(f, p, pv);
	} else if (pv->peer_disk != BLKREPL_DISK_UPTODATE) {
		x = found(f, is_async(f->res, p) ? INFO : WARNING, "peer %s",
			  peer_named(p).text);
		say(x, "volume %" PRIu32 ": connected, its disk is %s", pv->vol,
		    name_of(&names_disk, pv->peer_disk));
		if (is_async(f->res, p))
			say(x, ", as it is not waited for (async)");
		else
			advise(x, "there: blkrepl explain %s", f->res->name);
	} else {
		return false;
	}
	return true;
}

static void connected(struct findings *f, const struct st_peer *p)
{
	const struct st_pvol *pv;
	struct finding *x;
	bool said = explain_held(f, p);
	char lag[32];

	for (pv = p->pvols; pv; pv = pv->next)
		said |= explain_pvol(f, p, pv);
	if (said)
		return;
	x = found(f, FINE, "peer %s", peer_named(p).text);
	if (p->witness)
		say(x, "connected; it is a witness: it votes, and has no data");
	else if (f->res->witness)
		say(x, "connected");
	else if (p->role == BLKREPL_ROLE_PRIMARY || f->res->role == BLKREPL_ROLE_PRIMARY)
		say(x, "connected and in step");
	else
		say(x, "connected, and UpToDate as far as it knows");
	if (p->lag_bytes && is_async(f->res, p)) {
		format_bytes(p->lag_bytes, lag, sizeof(lag));
		say(x, ", %s are on their way (async)", lag);
	}
}

void explain_peers(struct findings *f)
{
	const struct st_peer *p;
	struct finding *x;

	for (p = f->res->peers; p; p = p->next) {
		if (is_connected(p))
			connected(f, p);
		else
			away(f, p);
	}
	if (f->res->peers)
		return;
	x = found(f, WARNING, "resource");
	say(x, "it has no peers: nothing is mirrored");
	advise(x, "configure them, then: blkrepl adjust %s", f->res->name);
}
