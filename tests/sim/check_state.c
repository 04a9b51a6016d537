// SPDX-License-Identifier: GPL-2.0
/*
 * Checkers of the whole cluster.
 *
 * "one writer": no two primaries in an established connection; under a
 * careful manager no two nodes get writes acknowledged.
 * "identical": at every quiet point, replicas that call each other UpToDate
 * with nothing dirty between them are equal, sector by sector.
 * "liveness": once faults stop, all get to Established and UpToDate.
 */
#include "sim.h"
#include "../../kmod/core/internal.h"

static u32 settled_for;

static struct repl_pv_info pv(struct node *n, u32 v, u32 peer)
{
	struct repl_pv_info pi;

	repl_pv_info(&n->vols[v].vol, &n->peers[peer].peer, &pi);
	return pi;
}

bool replicas_equal(u32 vol, u32 a, u32 b, u64 *where)
{
	static const u64 zero[CHUNK];
	struct sim_disk *x = &W.disk[a][vol], *y = &W.disk[b][vol];
	u64 sectors = min(W.node[a].vols[vol].vol.sectors,
			  min(x->sectors, y->sectors));

	for (u32 c = 0; c < DIV_ROUND_UP(sectors, CHUNK); c++) {
		const u64 *p = x->live[c] ? x->live[c] : zero;
		const u64 *q = y->live[c] ? y->live[c] : zero;
		u32 n = (u32)min((u64)CHUNK, sectors - (u64)c * CHUNK);

		if (p == q || !memcmp(p, q, n * sizeof(u64)))
			continue;
		for (u32 i = 0; i < n; i++) {
			if (p[i] != q[i]) {
				*where = (u64)c * CHUNK + i;
				return false;
			}
		}
	}
	return true;
}

static void must_be_equal(u32 v, u32 a, u32 b, const char *when)
{
	char buf[600];
	u64 at;

	if (replicas_equal(v, a, b, &at))
		return;
	hist_explain(v, at, buf, sizeof(buf));
	violation("identical",
		  "%s: volume %u differs in sector %llu: node %u has w%lld, node %u has w%lld; history:%s",
		  when, v, (unsigned long long)at, a,
		  (long long)disk_tag(&W.disk[a][v], at), b,
		  (long long)disk_tag(&W.disk[b][v], at), buf);
}

/* Nothing under way anywhere, and everybody knows who is connected? */
static bool quiet(void)
{
	if (W.disk_busy || W.app_busy || !net_quiet())
		return false;
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *n = &W.node[i];

		if (n->up && (n->paused_until > W.now || !repl_idle(&n->res)))
			return false;
		for (u32 k = i + 1; k < W.o.nodes; k++) {
			struct link *l = &link_tab[i][k];

			/* One that has been removed may believe in it. */
			if (!(l->up[0] && sim_member(i)) &&
			    !(l->up[1] && sim_member(k)) &&
			    !(sim_member(i) && sim_member(k)))
				continue;
			if (l->up[0] != l->up[1] || l->down_sent[0] ||
			    l->down_sent[1])
				return false;
		}
	}
	return true;
}

/* The set of this disk, less those that were filled under it and count themselves. */
u32 state_set(u32 vol, u32 node)
{
	u64 version = disk_durable_version(&W.disk[node][vol]);
	u32 set = disk_durable_set(&W.disk[node][vol]);

	for (u32 i = 0; i < W.o.nodes; i++)
		if (disk_durable_version(&W.disk[i][vol]) == version)
			set &= disk_durable_set(&W.disk[i][vol]);
	return set;
}

/*
 * Does a majority of the nodes keep the set of this disk?  Where the set may be
 * small, those that are to keep it do not, before it is on their disks.
 * @set: its members, less those that were filled since and count themselves
 */
bool state_majority_keeps(u32 vol, u32 node, u32 *set)
{
	u32 keepers = disk_durable_keepers(&W.disk[node][vol]);
	u64 version = disk_durable_version(&W.disk[node][vol]);

	*set = W.o.votes ? state_set(vol, node) :
			   disk_durable_set(&W.disk[node][vol]);
	for (u32 i = 0; i < W.o.nodes && W.o.votes; i++)
		if (disk_durable_version(&W.disk[i][vol]) < version)
			keepers &= ~BIT(i);
	return (version & SET_VOTED) && hweight32(keepers) >= sim_majority();
}

/* Is a majority enough, under a set of this version? */
bool state_by_majority(u64 version)
{
	if (W.o.scenario == SCN_POLICIES)
		return !(version & SET_BY_ALL);
	return W.o.ack_policy == ACK_QUORUM;
}

/* UpToDate, or all that its primary has sent. */
static bool good_copy(const struct node *n, u32 v, u32 other)
{
	const struct repl_vol *vol = &n->vols[v].vol;

	return vol->disk == DISK_UPTODATE ||
	       (vol->disk == DISK_CONSISTENT && vol->follower &&
		W.node[other].res.role == ROLE_PRIMARY);
}

static void check_quiet(void)
{
	static u64 last_events;
	bool did = false;

	if (!quiet() || W.events - last_events < 50)
		return;
	for (u32 a = 0; a < W.o.nodes; a++) {
		for (u32 b = a + 1; b < W.o.nodes; b++) {
			if (!net_both_up(&link_tab[a][b]) ||
			    !sim_member(a) || !sim_member(b))
				continue;
			for (u32 v = 0; v < W.o.vols; v++) {
				struct repl_pv_info x = pv(&W.node[a], v, b);
				struct repl_pv_info y = pv(&W.node[b], v, a);

				if (!good_copy(&W.node[a], v, b) ||
				    !good_copy(&W.node[b], v, a) ||
				    x.state != RS_ESTABLISHED ||
				    y.state != RS_ESTABLISHED ||
				    x.out_of_sync || y.out_of_sync)
					continue;
				must_be_equal(v, a, b, "at a quiet point");
				did = true;
			}
		}
	}
	if (did) {
		last_events = W.events;
		cov[C_QUIET_CHECKS]++;
	}
}

/* One that has just been elected, and has not begun, may be outvoted by now. */
static bool writes(const struct node *n)
{
	return n->up && n->res.role == ROLE_PRIMARY &&
	       (!n->res.vote.step || n->res.vote.renew);
}

static void check_writers(void)
{
	for (u32 a = 0; a < W.o.nodes; a++) {
		struct node *x = &W.node[a];

		if (!writes(x))
			continue;
		for (u32 b = a + 1; b < W.o.nodes; b++) {
			struct node *y = &W.node[b];

			if (!writes(y) ||
			    !net_both_up(&link_tab[a][b]))
				continue;
			for (u32 v = 0; v < W.o.vols; v++)
				if (pv(x, v, b).state >= RS_ESTABLISHED &&
				    pv(y, v, a).state >= RS_ESTABLISHED)
					violation("one writer",
						  "nodes %u and %u are both Primary and replicate to each other",
						  a, b);
		}
	}
}

/*
 * Elected primaries may overlap in time, not in what they do: none acknowledges
 * what was submitted after a later one had begun to.
 */
static void elected_acked(const struct node *p, u32 submitted)
{
	if (p->res.reign > W.top_reign) {
		W.top_reign = p->res.reign;
		W.top_since = hist_now();
	} else if (p->res.reign < W.top_reign && submitted > W.top_since) {
		violation("one writer",
			  "node %u acknowledged in term %llu what was submitted after a primary of term %llu had begun",
			  p->id, (unsigned long long)p->res.reign,
			  (unsigned long long)W.top_reign);
	}
}

/* One node a term, and not before the leases of those before it are over. */
void state_elected(const struct node *n)
{
	struct node *saved = W.cur;

	if (!sim_votes() || W.switched || n->res.forced || M.forced)
		return;
	W.elected[n->id] = n->res.reign;
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *o = W.cur = &W.node[i];

		if (o != n && W.elected[i] == n->res.reign)
			violation("one writer",
				  "nodes %u and %u were both elected in term %llu",
				  n->id, i, (unsigned long long)n->res.reign);
		if (o->up && o->clock.blind_until <= W.now &&
		    o->res.reign < n->res.reign && writes(o) &&
		    !o->res.susp && lease_holds(&o->res))
			violation("lease",
				  "node %u is elected in term %llu, and node %u may still read in term %llu",
				  n->id, (unsigned long long)n->res.reign, i,
				  (unsigned long long)o->res.reign);
	}
	W.cur = saved;
}

/* A vote that counts is on the disk of every volume before it is given. */
void state_vote_sent(const struct node *n, u8 to, const struct repl_wire_hdr *h)
{
	u64 term = le64_to_cpu(h->id);

	if (!(h->flags & REPL_HDR_YES) || !(h->flags & REPL_HDR_LAST) ||
	    (h->flags & REPL_HDR_TRIAL))
		return;
	for (u32 v = 0; v < W.o.vols; v++)
		if (!disk_durable_vote(&W.disk[n->id][v], term, to))
			violation("vote",
				  "node %u gives node %u its vote in term %llu, and may forget it: volume %u does not say so",
				  n->id, to, (unsigned long long)term, v);
}

void state_acked(struct node *p, u32 submitted)
{
	if (W.o.elections) {
		elected_acked(p, submitted);
		return;
	}
	if (W.diverged_ok || M.forced || W.o.scenario == SCN_HOSTILE)
		return;
	/* One that nobody hears of may be replaced, and not know it. */
	if (sim_votes() && !W.switched) {
		elected_acked(p, submitted);
		return;
	}
	for (u32 i = 0; i < W.o.nodes; i++)
		if (W.node[i].up && &W.node[i] != p &&
		    W.node[i].res.role == ROLE_PRIMARY)
			violation("one writer",
				  "node %u acknowledged a write while node %u is Primary too",
				  p->id, i);
}

/* Those that the Primary does not wait for. */
static u32 followers(void)
{
	u32 all = ((1U << sim_replicas()) - 1) & W.list;

	for (u32 i = 0; i < W.o.nodes; i++)
		if (W.node[i].res.role == ROLE_PRIMARY)
			return all & ~BIT(i) &
			       (W.o.ack_policy == ACK_ASYNC ? all : W.node[i].async);
	return 0;
}

static u32 settled_disk(u32 node)
{
	if (sim_witness(node))
		return DISK_WITNESS;
	return followers() & BIT(node) ? DISK_CONSISTENT : DISK_UPTODATE;
}

/* Neither has the other's word, and what they follow says all are equal. */
static bool map_left_over(u32 a, u32 b)
{
	return W.node[a].res.role != ROLE_PRIMARY &&
	       W.node[b].res.role != ROLE_PRIMARY &&
	       (followers() & (BIT(a) | BIT(b)));
}

/* 0: all have the same size; else that of one that differs. */
static u64 other_size(u32 v)
{
	u64 sectors = W.node[sim_first_member()].vols[v].vol.sectors;

	for (u32 i = 0; i < sim_replicas(); i++)
		if (sim_member(i) && W.node[i].vols[v].vol.sectors != sectors)
			return W.node[i].vols[v].vol.sectors;
	return 0;
}

/* A volume never loses a part that an acknowledged write is in. */
static void check_size(u32 v)
{
	u64 sectors = W.node[sim_first_member()].vols[v].vol.sectors;

	if (!W.diverged_ok && !M.forced && sectors < W.acked_end[v])
		violation("size",
			  "settled, volume %u has %llu sectors, and writes up to %llu were acknowledged",
			  v, (unsigned long long)sectors,
			  (unsigned long long)W.acked_end[v]);
}

bool state_is_settled(char *why, size_t len)
{
	u32 primaries = 0;

	if (!lists_agree(why, len))
		return false;
#define NOT(...) do { snprintf(why, len, __VA_ARGS__); return false; } while (0)
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *n = &W.node[i];

		if (!sim_member(i))
			continue;
		if (!n->up)
			NOT("node %u is down", i);
		if (n->res.role == ROLE_PRIMARY)
			primaries++;
		if (n->res.susp)
			NOT("node %u: I/O suspended, 0x%x", i, n->res.susp);
		for (u32 v = 0; v < W.o.vols; v++) {
			if (n->vols[v].vol.disk != settled_disk(i))
				NOT("node %u volume %u is %s", i, v,
				    disk_name(n->vols[v].vol.disk));
			for (u32 k = 0; k < W.o.nodes; k++) {
				struct repl_pv_info x;

				if (k == i || !sim_member(k))
					continue;
				if (!net_both_up(link_of(i, k)))
					NOT("node %u and %u are not connected",
					    i, k);
				x = pv(n, v, k);
				if (x.state != (sim_witness(i) || sim_witness(k) ?
						RS_OFF : RS_ESTABLISHED))
					NOT("node %u volume %u is %s with node %u",
					    i, v, rs_name(x.state), k);
				if (x.peer_disk != settled_disk(k))
					NOT("node %u takes volume %u of node %u for %s",
					    i, v, k, disk_name(x.peer_disk));
				if (x.out_of_sync && !map_left_over(i, k))
					NOT("node %u volume %u: %llu bytes dirty for node %u",
					    i, v,
					    (unsigned long long)x.out_of_sync,
					    k);
			}
		}
	}
	for (u32 v = 0; v < W.o.vols; v++)
		if (other_size(v))
			NOT("volume %u has %llu sectors here, %llu there", v,
			    (unsigned long long)W.node[sim_first_member()].vols[v].vol.sectors,
			    (unsigned long long)other_size(v));
	if (primaries != 1)
		NOT("%u primaries", primaries);
	if (W.app_busy)
		NOT("%u application I/Os are not done", W.app_busy);
	for (u32 i = 0; i < W.o.nodes; i++)
		if (sim_member(i) && !repl_idle(&W.node[i].res))
			NOT("node %u is not idle", i);
	if (!quiet())
		NOT("something is under way");
	snprintf(why, len, "settled");
	return true;
#undef NOT
}

/*
 * At the end each of them keeps the set that the primary counts on; and so do those that
 * nobody waits for, where all of the set acknowledge.
 */
static void check_witnesses(u32 node, u32 v)
{
	struct sim_disk *d = &W.disk[node][v];
	u32 all = W.list & ~(by_majority(&W.node[node].res) ? followers() : 0);

	if (W.node[node].res.role != ROLE_PRIMARY ||
	    !elects(&W.node[node].res) || !(W.o.witnesses || W.o.votes))
		return;
	if (disk_durable_keepers(d) != all)
		violation("membership",
			  "settled, but node %u volume %u counts on 0x%x to keep its set",
			  node, v, disk_durable_keepers(d));
	for (u32 i = sim_replicas(); i < W.o.nodes; i++)
		if (disk_durable_version(&W.disk[i][v]) !=
		    disk_durable_version(d))
			violation("membership",
				  "settled, but witness %u does not keep the set of node %u volume %u",
				  i, node, v);
}

void state_settled(void)
{
	u32 first = sim_first_member();

	for (u32 v = 0; v < W.o.vols; v++) {
		u32 all = ((1U << sim_replicas()) - 1) & W.list & ~followers();

		for (u32 b = first + 1; b < sim_replicas(); b++)
			if (sim_member(b))
				must_be_equal(v, first, b, "settled");
		check_size(v);
		for (u32 i = 0; i < W.o.nodes; i++) {
			u32 set = disk_durable_set(&W.disk[i][v]);

			if (!sim_member(i))
				continue;
			check_witnesses(i, v);
			if (set != all && W.node[i].res.role == ROLE_PRIMARY)
				violation("membership",
					  "settled, but the in-sync set of node %u volume %u is 0x%x",
					  i, v, set);
			if (W.node[i].res.role == ROLE_PRIMARY &&
			    (disk_durable_version(&W.disk[i][v]) & SET_FORCED))
				violation("membership",
					  "settled, but the set of node %u volume %u is that of one who was made Primary by force",
					  i, v);
			if (W.node[i].vols[v].vol.stat.in_flight)
				violation("contract",
					  "settled, but node %u volume %u counts %u I/Os in flight",
					  i, v,
					  W.node[i].vols[v].vol.stat.in_flight);
		}
	}
	if (!W.diverged_ok)
		hist_verify(first);
	cov[C_SETTLED]++;
}

void state_monitor(void)
{
	char why[256];

	ev_add(100 * MS, EV_MONITOR, NULL, 0, NULL, 0);
	if (W.o.scenario == SCN_HOSTILE) {
		if (W.phase == PH_HEAL)
			W.phase = PH_DONE;
		return;
	}
	admin_poll_set();
	check_writers();
	if (W.o.scenario == SCN_LAGGARD)
		app_check_wait();
	if (W.phase > PH_SETUP && W.phase < PH_DRAIN)
		check_quiet();
	if (W.phase == PH_HEAL) {
		settled_for = state_is_settled(why, sizeof(why)) ?
			settled_for + 1 : 0;
		if (settled_for >= 5 && app_finished()) {
			settled_for = 0;
			state_settled();
			T("---- settled ----");
			W.phase = PH_DRAIN;
			W.phase_end = W.now + 120 * SEC;
		}
	} else if (W.phase == PH_DRAIN) {
		bool busy = false;

		for (u32 i = 0; i < W.o.nodes; i++)
			if (W.node[i].up && !node_stop(&W.node[i]))
				busy = true;
		if (!busy)
			W.phase = PH_DONE;
	}
}

void state_dump(FILE *f)
{
	fprintf(f, "state at %llu ms, %u disk and %u application I/Os under way\n",
		(unsigned long long)W.now / MS, W.disk_busy, W.app_busy);
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *n = &W.node[i];

		fprintf(f, "  node %u %s", i, n->up ? "up" : "down");
		if (!n->up) {
			fputc('\n', f);
			continue;
		}
		fprintf(f, "%s role %s susp 0x%x term %llu seq %llu idle %d%s\n",
			n->paused_until > W.now ? " paused" : "",
			n->res.role == ROLE_PRIMARY ? "Primary" : "Secondary",
			n->res.susp, (unsigned long long)n->res.term,
			(unsigned long long)n->res.seq, repl_idle(&n->res),
			n->down_wanted ? " stopping" : "");
		for (u32 v = 0; v < W.o.vols; v++) {
			struct repl_vol *vol = &n->vols[v].vol;

			fprintf(f, "    volume %u %s, durable set 0x%x version %llx, lineage",
				v, disk_name(vol->disk),
				disk_durable_set(&W.disk[i][v]),
				(unsigned long long)disk_durable_version(&W.disk[i][v]));
			for (u32 k = 0; k < W.o.nodes; k++)
				fprintf(f, " %u", vol->lineage.gen[k]);
			fputs(vol->vouch ? ", vouches\n" : "\n", f);
			for (u32 k = 0; k < W.o.nodes; k++) {
				struct repl_pv_info x;
				struct link *l;

				if (k == i)
					continue;
				x = pv(n, v, k);
				l = link_of(i, k);
				fprintf(f, "      node %u: %s %s peer %s, %llu blocks dirty, %llu left%s%s\n",
					k,
					l->up[n->peers[k].side] ? "up" :
					l->want[n->peers[k].side] ? "connecting" :
					"standalone",
					rs_name(x.state),
					disk_name(x.peer_disk),
					(unsigned long long)x.out_of_sync / BLOCK_BYTES,
					(unsigned long long)x.left / BLOCK_BYTES,
					x.paused & 1 ? " paused by us" : "",
					x.paused & 2 ? " paused by peer" : "");
			}
		}
	}
	fprintf(f, "  manager: set 0x%x 0x%x lost 0x%x%s%s primary %d\n",
		M.set[0], M.set[1], M.lost, M.total_loss ? " total-loss" : "",
		M.forced ? " forced" : "", M.primary ? (int)M.primary->id : -1);
}
