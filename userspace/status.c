// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state for people and for programs: the same calls print both.
 *
 * Keys that DRBD's JSON has too mean the same here.  Sizes are in bytes, and
 * their keys say so.
 */
#include <inttypes.h>

#include "conf.h"
#include "latency.h"
#include "names.h"
#include "out.h"
#include "state.h"
#include "status.h"
#include "uapi/blkrepl.h"

static enum tone disk_tone(uint32_t state)
{
	switch (state) {
	case BLKREPL_DISK_UPTODATE:
	case BLKREPL_DISK_WITNESS:
		return TONE_GOOD;
	case BLKREPL_DISK_ATTACHING:
	case BLKREPL_DISK_CONSISTENT:
	case BLKREPL_DISK_UNKNOWN:
		return TONE_WARN;
	default:
		return TONE_BAD;
	}
}

static enum tone conn_tone(uint32_t conn)
{
	switch (conn) {
	case BLKREPL_CONN_CONNECTED:
		return TONE_GOOD;
	case BLKREPL_CONN_STANDALONE:
		return TONE_BAD;
	default:
		return TONE_WARN;
	}
}

static enum tone repl_tone(uint32_t repl)
{
	return repl == BLKREPL_REPL_ESTABLISHED ? TONE_GOOD : TONE_WARN;
}

static enum tone role_tone(uint32_t role)
{
	return role == BLKREPL_ROLE_PRIMARY ? TONE_BOLD : TONE_PLAIN;
}

bool pvol_is_syncing(const struct st_pvol *pv)
{
	return pv->repl >= BLKREPL_REPL_SYNC_SOURCE &&
	       pv->repl <= BLKREPL_REPL_PAUSED_TARGET;
}

unsigned int pvol_done(const struct st_pvol *pv)
{
	uint64_t done;

	if (!pv->total)
		return pv->left ? 0 : 1000;
	done = pv->left < pv->total ? pv->total - pv->left : 0;
	/* 100 % is said when it is done, not before */
	if (done == pv->total)
		return 1000;
	return (unsigned int)((double)done / pv->total * 1000);
}

static bool is_paused(const struct st_pvol *pv)
{
	return pv->repl == BLKREPL_REPL_PAUSED_SOURCE ||
	       pv->repl == BLKREPL_REPL_PAUSED_TARGET;
}

/* ---- reasons and progress ---- */

static uint32_t witnesses_here(const struct st_res *res)
{
	const struct st_peer *p;
	uint32_t n = 0;

	for (p = res->peers; p; p = p->next)
		n += p->witness && p->conn == BLKREPL_CONN_CONNECTED;
	return n;
}

/* Where a majority acknowledges, replicas that are not in step keep no set. */
bool majority_keeps_set(const struct st_res *res)
{
	if (opt_get(&res->opts, OPT_ACK_POLICY) == BLKREPL_ACK_QUORUM)
		return res->in_step + witnesses_here(res) >= res->votes_needed;
	return res->votes >= res->votes_needed;
}

/*
 * The kernel has one reason for both.  Where no majority decides, it can only be
 * this one; elsewhere if the majority is there, or less than what it asks for.
 */
bool lacks_min_in_sync(const struct st_res *res)
{
	uint32_t min = opt_get(&res->opts, OPT_MIN_IN_SYNC);

	if (opt_get(&res->opts, OPT_QUORUM) != BLKREPL_QUORUM_MAJORITY)
		return true;
	return res->in_step < min && min >= res->in_step_needed &&
	       (min > res->votes_needed || majority_keeps_set(res));
}

const char *status_suspend_reason(const struct st_res *res, unsigned int i)
{
	if (1U << i == BLKREPL_SUSP_QUORUM && lacks_min_in_sync(res))
		return "fewer replicas are in step than min-in-sync asks for";
	return suspend_reason(i);
}

void status_suspended(struct out *o, const struct st_res *res, const char *after)
{
	unsigned int i;

	out_bool(o, "suspended", res->suspended);
	out_array(o, "suspended-reasons");
	for (i = 0; i < 32; i++) {
		const char *reason = status_suspend_reason(res, i);

		if (!(res->suspended & (1U << i)))
			continue;
		out_word(o, NULL, "  I/O suspended: ",
			 reason ? reason : "for a reason that this tool does not know",
			 TONE_BAD);
		out_text(o, "%s", after);
	}
	out_end(o);
}

#define BAR	20
#define STALLED_MS	3000	/* nothing done for so long is worth a word */

static void print_bar(struct out *o, unsigned int per_mille)
{
	char bar[BAR + 1];
	unsigned int i, full = per_mille * BAR / 1000;

	for (i = 0; i < BAR; i++)
		bar[i] = i < full ? '=' : i == full ? '>' : ' ';
	bar[BAR] = '\0';
	out_text(o, "  [%s]", bar);
}

static void print_paused(struct out *o, const struct st_pvol *pv)
{
	static const char * const by[] = {
		"no", "here", "by the peer", "here and by the peer"
	};

	out_str(o, "resync-paused", pv->paused ? "  paused " : NULL, by[pv->paused & 3]);
}

static void print_progress(struct out *o, const struct st_pvol *pv, bool statistics)
{
	unsigned int done = pvol_done(pv);

	if (!pvol_is_syncing(pv))
		return;
	if (pv->total) {
		print_bar(o, done);
		out_percent(o, "percent-done", " ", done);
	}
	out_bytes(o, "resync-left-bytes", "  ", pv->left);
	out_text(o, " to go");
	out_rate(o, "resync-rate-bytes", is_paused(pv) || !pv->rate ? NULL : "  ", pv->rate);
	if (pv->rate && !is_paused(pv)) {
		out_time(o, "resync-seconds-left", "  ",
			 (uint64_t)((double)pv->left / pv->rate * 1000));
		out_text(o, " left");
	} else if (!is_paused(pv) && pv->left && pv->ms >= STALLED_MS) {
		out_text(o, "  stalled");
	}
	out_bytes(o, "resync-total-bytes", statistics ? "  of:" : NULL, pv->total);
	out_bytes(o, "resync-sent-bytes", statistics ? "  sent:" : NULL, pv->sent);
	out_bytes(o, "resync-equal-bytes", statistics ? "  equal:" : NULL, pv->equal);
	out_time(o, "resync-seconds", statistics ? "  since:" : NULL, pv->ms);
}

/* ---- objects ---- */

void status_pvol_values(struct out *o, const struct st_pvol *pv, bool statistics)
{
	bool lacks = pv->out_of_sync && !pvol_is_syncing(pv);

	bool data = pv->peer_disk != BLKREPL_DISK_WITNESS;

	out_word(o, "replication-state", data ? "  " : NULL,
		 name_of(&names_repl, pv->repl), repl_tone(pv->repl));
	out_word(o, "peer-disk-state", "  peer-disk:",
		 name_of(&names_disk, pv->peer_disk), disk_tone(pv->peer_disk));
	print_progress(o, pv, statistics);
	print_paused(o, pv);
	out_bytes(o, "out-of-sync-bytes", lacks || statistics ? "  out-of-sync:" : NULL,
		  pv->out_of_sync);
}

static void print_pvol(struct out *o, const struct st_pvol *pv, bool statistics)
{
	out_object(o, NULL);
	out_num(o, "volume", "    volume ", pv->vol);
	status_pvol_values(o, pv, statistics);
	out_text(o, "\n");
	out_end(o);
}

/* While a peer is away, nothing is known of its disks but what they lack. */
static bool worth_a_line(const struct st_peer *p, const struct st_pvol *pv,
			 bool statistics)
{
	return p->conn == BLKREPL_CONN_CONNECTED || pv->out_of_sync || statistics;
}

void status_peer_values(struct out *o, const struct st_peer *p, bool statistics)
{
	bool connected = p->conn == BLKREPL_CONN_CONNECTED;
	bool lags = opt_get(&p->opts, OPT_ASYNC);

	out_word(o, "peer-role", connected ? "  role:" : NULL,
		 name_of(&names_role, p->role), role_tone(p->role));
	out_word(o, "connection-state", "  connection:",
		 name_of(&names_conn, p->conn), conn_tone(p->conn));
	out_bool(o, "witness", p->witness);
	if (p->witness)
		out_text(o, "  witness");
	out_bool(o, "async", opt_get(&p->opts, OPT_ASYNC));
	if (opt_get(&p->opts, OPT_ASYNC))
		out_text(o, "  async");
	out_word(o, "fencing", p->fence ? "  fencing:" : NULL,
		 name_of(&names_fence_state, p->fence),
		 p->fence == BLKREPL_FENCE_WANTED ? TONE_BAD : TONE_WARN);
	/* Writes wait for the others: what they lack is gone at once. */
	lags = connected && p->lag_bytes && (lags || p->lag_ms >= 1000);
	out_bytes(o, "lag-bytes", lags || statistics ? "  lacks:" : NULL,
		  p->lag_bytes);
	out_time_ms(o, "lag-ms", lags || statistics ? "  for:" : NULL, p->lag_ms);
	out_bool(o, "held-back", p->held_back);
	out_num(o, "unacked", statistics ? "  unacked:" : NULL, p->unacked);
	out_bytes(o, "sent-bytes", statistics ? "  sent:" : NULL, p->sent);
	out_bytes(o, "received-bytes", statistics ? "  received:" : NULL, p->received);
}

static const char *peer_label(const struct st_peer *p, char *buf, size_t size)
{
	if (p->name[0])
		str_copy(buf, p->name, size);
	else
		snprintf(buf, size, "peer %" PRIu32, p->id);
	return buf;
}

/* Where a connection that does not come about should lead to. */
static void print_addresses(struct out *o, const struct st_peer *p, bool show)
{
	char text[80];

	addr_format(&p->local, text, sizeof(text));
	out_str(o, "local-address", show ? "  " : NULL, text);
	addr_format(&p->addr, text, sizeof(text));
	out_str(o, "peer-address", show ? " -> " : NULL, text);
}

static void print_peer(struct out *o, const struct st_peer *p, bool statistics)
{
	bool connected = p->conn == BLKREPL_CONN_CONNECTED;
	const struct st_pvol *pv;
	char label[80];

	out_object(o, NULL);
	out_num(o, "peer-node-id", NULL, p->id);
	out_word(o, "name", "  ", peer_label(p, label, sizeof(label)), TONE_BOLD);
	status_peer_values(o, p, statistics);
	print_addresses(o, p, statistics || !connected);
	out_text(o, "\n");
	out_word(o, "last-error", connected || !p->last_error[0] ? NULL : "    last error: ",
		 p->last_error, TONE_WARN);
	if (!connected && p->last_error[0])
		out_text(o, "\n");
	if (statistics)
		latency_print(o, p->latency, "    ");
	out_array(o, "peer_devices");
	for (pv = p->pvols; pv; pv = pv->next)
		if (out_is_json(o) || worth_a_line(p, pv, statistics))
			print_pvol(o, pv, statistics);
	out_end(o);
	out_end(o);
}

void status_vol_values(struct out *o, const struct st_vol *v, bool statistics)
{
	char device[32];

	snprintf(device, sizeof(device), "/dev/blkrepl%" PRIu32, v->minor);
	out_str(o, "device", "  ", device);
	out_num(o, "minor", NULL, v->minor);
	out_word(o, "disk-state", "  disk:", name_of(&names_disk, v->state),
		 disk_tone(v->state));
	out_bytes(o, "size-bytes", v->state == BLKREPL_DISK_WITNESS ? NULL : "  ",
		  v->capacity);
	out_str(o, "backing-disk", statistics && v->disk[0] ? "  on:" : NULL, v->disk);
	out_str(o, "meta-disk", statistics ? "  meta-disk:" : NULL,
		v->meta_disk[0] ? v->meta_disk : "internal");
}

static void print_lineage(struct out *o, const struct st_vol *v)
{
	char text[32];
	unsigned int i;

	snprintf(text, sizeof(text), "%016" PRIx64, v->dataset);
	out_str(o, "data-set", "data-set:", text);
	out_array(o, "lineage");
	out_text(o, "  lineage:");
	for (i = 0; i < BLKREPL_MAX_NODES; i++) {
		if (out_is_json(o))
			out_num(o, NULL, NULL, v->lineage[i]);
		else if (v->lineage[i])
			out_text(o, " %u=%" PRIu32, i, v->lineage[i]);
	}
	out_end(o);
}

static void vol_statistics(struct out *o, const struct st_vol *v)
{
	out_text(o, "      ");
	out_num(o, "reads", "reads:", v->reads);
	out_bytes(o, "read-bytes", " (", v->read_bytes);
	out_num(o, "writes", ")  writes:", v->writes);
	out_bytes(o, "written-bytes", " (", v->write_bytes);
	out_num(o, "flushes", ")  flushes:", v->flushes);
	out_num(o, "in-flight", "  in-flight:", v->in_flight);
	out_num(o, "openers", "  openers:", v->openers);
	out_text(o, "\n      ");
	out_num(o, "al-writes", "al-writes:", v->al_writes);
	out_num(o, "map-writes", "  map-writes:", v->map_writes);
	out_bytes(o, "dirty-map-memory-bytes", "  dirty-map-memory:", v->dirty_mem);
	out_text(o, "\n      ");
	print_lineage(o, v);
	out_text(o, "\n");
}

static void print_vol(struct out *o, const struct st_vol *v, bool statistics)
{
	out_object(o, NULL);
	out_num(o, "volume", "  volume ", v->nr);
	status_vol_values(o, v, statistics);
	out_text(o, "\n");
	if (statistics) {
		vol_statistics(o, v);
		latency_print(o, v->latency, "      ");
	}
	out_end(o);
}

void status_res_values(struct out *o, const struct st_res *res, bool statistics)
{
	char set[16];

	out_word(o, "role", "  role:", name_of(&names_role, res->role),
		 role_tone(res->role));
	out_bool(o, "witness", res->witness);
	if (res->witness)
		out_text(o, "  witness");
	out_num(o, "term", "  term:", res->term);
	out_str(o, "ack-policy", NULL,
		name_of(&names_ack_policy, opt_get(&res->opts, OPT_ACK_POLICY)));
	out_str(o, "quorum", NULL,
		name_of(&names_quorum, opt_get(&res->opts, OPT_QUORUM)));
	out_str(o, "fencing", NULL,
		name_of(&names_fencing, opt_get(&res->opts, OPT_FENCING)));
	out_num(o, "seq", statistics ? "  seq:" : NULL, res->seq);
	snprintf(set, sizeof(set), "0x%" PRIx32, res->in_sync);
	out_str(o, "in-sync-set", statistics ? "  in-sync-set:" : NULL, set);
	out_num(o, "in-sync-version", statistics ? "  in-sync-version:" : NULL,
		res->in_sync_version);
	out_num(o, "openers", statistics ? "  openers:" : NULL, res->openers);
}

static void print_res(struct out *o, const struct st_res *res, bool statistics)
{
	const struct st_peer *p;
	const struct st_vol *v;

	out_object(o, NULL);
	out_word(o, "name", "", res->name, TONE_BOLD);
	out_num(o, "node-id", statistics ? "  node-id:" : NULL, res->node_id);
	status_res_values(o, res, statistics);
	out_text(o, "\n");
	status_suspended(o, res, "\n");
	out_array(o, "devices");
	for (v = res->vols; v; v = v->next)
		print_vol(o, v, statistics);
	out_end(o);
	out_array(o, "connections");
	for (p = res->peers; p; p = p->next)
		print_peer(o, p, statistics);
	out_end(o);
	out_end(o);
}

void status_print(struct out *o, const struct state *st, const char *name,
		  bool statistics)
{
	const struct st_res *res;

	out_array(o, NULL);
	for (res = st->resources; res; res = res->next)
		if (!name || !strcmp(name, res->name))
			print_res(o, res, statistics);
	out_end(o);
	if (!st->resources)
		out_text(o, "# no resource is up; start those of the configuration with: blkrepl up all\n");
}
