// SPDX-License-Identifier: GPL-2.0-only
/*
 * What netlink tells of the objects: nests for GET, for dumps and for events.
 *
 * Everything is read under the spinlock, one object at a time, and no mutex
 * that a command may hold while it waits is taken: status always answers.
 */
#include <net/genetlink.h>

#include "netlink.h"

/* The core's enums are the uapi's. */
#define SAME(core, uapi)	static_assert((int)(core) == (int)(uapi))

SAME(ROLE_UNKNOWN, BLKREPL_ROLE_UNKNOWN);
SAME(ROLE_SECONDARY, BLKREPL_ROLE_SECONDARY);
SAME(ROLE_PRIMARY, BLKREPL_ROLE_PRIMARY);
SAME(DISK_UNKNOWN, BLKREPL_DISK_UNKNOWN);
SAME(DISK_DISKLESS, BLKREPL_DISK_DISKLESS);
SAME(DISK_ATTACHING, BLKREPL_DISK_ATTACHING);
SAME(DISK_FAILED, BLKREPL_DISK_FAILED);
SAME(DISK_WITNESS, BLKREPL_DISK_WITNESS);
SAME(DISK_INCONSISTENT, BLKREPL_DISK_INCONSISTENT);
SAME(DISK_OUTDATED, BLKREPL_DISK_OUTDATED);
SAME(DISK_CONSISTENT, BLKREPL_DISK_CONSISTENT);
SAME(DISK_UPTODATE, BLKREPL_DISK_UPTODATE);
SAME(CONN_STANDALONE, BLKREPL_CONN_STANDALONE);
SAME(CONN_CONNECTING, BLKREPL_CONN_CONNECTING);
SAME(CONN_HANDSHAKE, BLKREPL_CONN_HANDSHAKE);
SAME(CONN_CONNECTED, BLKREPL_CONN_CONNECTED);
SAME(RS_OFF, BLKREPL_REPL_OFF);
SAME(RS_ESTABLISHED, BLKREPL_REPL_ESTABLISHED);
SAME(RS_SYNC_SOURCE, BLKREPL_REPL_SYNC_SOURCE);
SAME(RS_SYNC_TARGET, BLKREPL_REPL_SYNC_TARGET);
SAME(RS_VERIFY_SOURCE, BLKREPL_REPL_VERIFY_SOURCE);
SAME(RS_VERIFY_TARGET, BLKREPL_REPL_VERIFY_TARGET);
SAME(RS_PAUSED_SOURCE, BLKREPL_REPL_PAUSED_SOURCE);
SAME(RS_PAUSED_TARGET, BLKREPL_REPL_PAUSED_TARGET);
SAME(RS_BEHIND, BLKREPL_REPL_BEHIND);
SAME(SUSP_META, BLKREPL_SUSP_META);
SAME(SUSP_PEER_ACK, BLKREPL_SUSP_PEER_ACK);
SAME(SUSP_NO_DATA, BLKREPL_SUSP_NO_DATA);
SAME(SUSP_QUORUM, BLKREPL_SUSP_QUORUM);
SAME(SUSP_FENCING, BLKREPL_SUSP_FENCING);
SAME(ACK_SYNC, BLKREPL_ACK_SYNC);
SAME(ACK_ASYNC, BLKREPL_ACK_ASYNC);
SAME(ACK_QUORUM, BLKREPL_ACK_QUORUM);
SAME(false, BLKREPL_QUORUM_OFF);
SAME(true, BLKREPL_QUORUM_MAJORITY);
SAME(false, BLKREPL_FENCING_OFF);
SAME(true, BLKREPL_FENCING_WAIT);
SAME(BACKLOG_BEHIND, BLKREPL_BACKLOG_BEHIND);
SAME(BACKLOG_HOLD, BLKREPL_BACKLOG_HOLD);
SAME(ON_ERROR_DETACH, BLKREPL_IO_ERROR_DETACH);
SAME(ON_ERROR_PASS_ON, BLKREPL_IO_ERROR_PASS_ON);
SAME(NO_DATA_SUSPEND, BLKREPL_NO_DATA_SUSPEND);
SAME(NO_DATA_IO_ERROR, BLKREPL_NO_DATA_IO_ERROR);
SAME(NO_QUORUM_SUSPEND, BLKREPL_NO_QUORUM_SUSPEND);
SAME(NO_QUORUM_IO_ERROR, BLKREPL_NO_QUORUM_IO_ERROR);
SAME(SPLIT_ASK, BLKREPL_SPLIT_ASK);
SAME(SPLIT_UNCHANGED, BLKREPL_SPLIT_UNCHANGED);
SAME(SPLIT_YOUNGER, BLKREPL_SPLIT_YOUNGER);
SAME(SPLIT_SECONDARY, BLKREPL_SPLIT_SECONDARY);
SAME(REPL_NODES, BLKREPL_MAX_NODES);
SAME(REPL_NAME_LEN, BLKREPL_NAME_MAX);

/* ---- names, for the log ---- */

const char *blkrepl_role_text(enum repl_role role)
{
	static const char * const text[] = {
		"Unknown", "Secondary", "Primary",
	};

	return role < ARRAY_SIZE(text) ? text[role] : "?";
}

const char *blkrepl_disk_text(enum repl_disk disk)
{
	static const char * const text[] = {
		"Unknown", "Diskless", "Attaching", "Failed", "Witness",
		"Inconsistent", "Outdated", "Consistent", "UpToDate",
	};

	return disk < ARRAY_SIZE(text) ? text[disk] : "?";
}

const char *blkrepl_conn_text(enum repl_conn conn)
{
	static const char * const text[] = {
		"StandAlone", "Connecting", "Handshake", "Connected",
	};

	return conn < ARRAY_SIZE(text) ? text[conn] : "?";
}

/* ---- nests ---- */

static int fill_res_cfg(struct sk_buff *skb, struct blkrepl_resource *r)
{
	struct nlattr *nest = nla_nest_start(skb, BLKREPL_A_RES_CFG);

	if (!nest ||
	    nla_put_u32(skb, BLKREPL_RC_NODE_ID, r->res.node) ||
	    nla_put_u32(skb, BLKREPL_RC_ACK_POLICY, r->res.conf.ack_policy) ||
	    nla_put_u32(skb, BLKREPL_RC_QUORUM, r->res.conf.votes) ||
	    nla_put_u32(skb, BLKREPL_RC_ON_NO_DATA, r->res.conf.on_no_data) ||
	    nla_put_u32(skb, BLKREPL_RC_ON_BACKLOG, r->res.conf.on_backlog) ||
	    nla_put_u64_64bit(skb, BLKREPL_RC_BACKLOG_MAX,
			      r->res.conf.backlog_max, BLKREPL_RC_PAD) ||
	    nla_put_u32(skb, BLKREPL_RC_BACKLOG_TIME, r->res.conf.backlog_ms) ||
	    nla_put_u32(skb, BLKREPL_RC_MIN_IN_SYNC, r->res.conf.min_in_sync) ||
	    nla_put_u32(skb, BLKREPL_RC_ON_NO_QUORUM, r->res.conf.on_no_quorum) ||
	    nla_put_u32(skb, BLKREPL_RC_AUTO_PROMOTE, r->res.conf.auto_promote) ||
	    nla_put_u32(skb, BLKREPL_RC_FENCING, r->res.conf.fencing) ||
	    nla_put_u32(skb, BLKREPL_RC_WITNESS, r->res.witness) ||
	    nla_put_u32(skb, BLKREPL_RC_AFTER_SPLIT_BRAIN,
			r->res.conf.after_split_brain))
		return -EMSGSIZE;
	if (r->node_name[0] &&
	    nla_put_string(skb, BLKREPL_RC_NODE_NAME, r->node_name))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What I/O waits for, and what a promotion would meet. */
static int fill_prospects(struct sk_buff *skb, struct blkrepl_resource *r)
{
	struct repl_promotion promo;
	struct repl_io_info io;

	repl_io_info(&r->res, &io);
	repl_promotion(&r->res, &promo);
	if (nla_put_u64_64bit(skb, BLKREPL_RI_SUSPENDED_MS, io.suspended_ms,
			      BLKREPL_RI_PAD) ||
	    nla_put_u32(skb, BLKREPL_RI_IN_STEP, io.in_step) ||
	    nla_put_u32(skb, BLKREPL_RI_IN_STEP_NEEDED, io.needed))
		return -EMSGSIZE;
	if (promo.why &&
	    (nla_put_string(skb, BLKREPL_RI_PROMOTION_REFUSED, promo.why) ||
	     nla_put_u32(skb, BLKREPL_RI_PROMOTION_MISSING, promo.missing)))
		return -EMSGSIZE;
	if (promo.votes_needed &&
	    (nla_put_u32(skb, BLKREPL_RI_VOTES, promo.votes) ||
	     nla_put_u32(skb, BLKREPL_RI_VOTES_NEEDED, promo.votes_needed)))
		return -EMSGSIZE;
	return 0;
}

static int fill_res_info(struct sk_buff *skb, struct blkrepl_resource *r)
{
	struct nlattr *nest = nla_nest_start(skb, BLKREPL_A_RES_INFO);
	u64 version = 0;
	u32 set = repl_in_sync_set(&r->res, &version);

	if (!nest ||
	    nla_put_u32(skb, BLKREPL_RI_ROLE, r->res.role) ||
	    nla_put_u32(skb, BLKREPL_RI_SUSPENDED, r->res.susp) ||
	    nla_put_u64_64bit(skb, BLKREPL_RI_TERM, r->res.term,
			      BLKREPL_RI_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_RI_SEQ, r->res.seq,
			      BLKREPL_RI_PAD) ||
	    nla_put_u32(skb, BLKREPL_RI_IN_SYNC_SET, set) ||
	    nla_put_u64_64bit(skb, BLKREPL_RI_IN_SYNC_VERSION, version,
			      BLKREPL_RI_PAD) ||
	    nla_put_u32(skb, BLKREPL_RI_OPENERS, r->openers) ||
	    fill_prospects(skb, r))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int blkrepl_fill_res(struct sk_buff *skb, struct blkrepl_resource *r)
{
	lockdep_assert_held(&r->lock);

	if (nla_put_string(skb, BLKREPL_A_RES, r->name) ||
	    fill_res_cfg(skb, r) || fill_res_info(skb, r))
		return -EMSGSIZE;
	return 0;
}

static int fill_vol_cfg(struct sk_buff *skb, struct blkrepl_volume *v)
{
	struct nlattr *nest = nla_nest_start(skb, BLKREPL_A_VOL_CFG);

	if (!nest ||
	    nla_put_u32(skb, BLKREPL_VC_MINOR, v->minor) ||
	    nla_put_u32(skb, BLKREPL_VC_AL_EXTENTS, v->vol.conf.al_extents) ||
	    nla_put_u32(skb, BLKREPL_VC_ON_IO_ERROR, v->vol.conf.on_io_error) ||
	    nla_put_u32(skb, BLKREPL_VC_DISK_FLUSHES, v->disk_flushes))
		return -EMSGSIZE;
	/* The devices are configured as long as they are attached. */
	if (v->disk && v->disk_path &&
	    nla_put_string(skb, BLKREPL_VC_DISK, v->disk_path))
		return -EMSGSIZE;
	if (v->disk && v->meta_path &&
	    nla_put_string(skb, BLKREPL_VC_META_DISK, v->meta_path))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int fill_vol_stat(struct sk_buff *skb, struct blkrepl_volume *v)
{
	const struct repl_vol_stat *st = &v->vol.stat;
	const struct {
		int attr;
		u64 value;
	} stats[] = {
		{ BLKREPL_VI_READS, st->reads },
		{ BLKREPL_VI_READ_BYTES, st->read_bytes },
		{ BLKREPL_VI_WRITES, st->writes },
		{ BLKREPL_VI_WRITE_BYTES, st->write_bytes },
		{ BLKREPL_VI_FLUSHES, st->flushes },
		{ BLKREPL_VI_AL_WRITES, st->al_writes },
		{ BLKREPL_VI_MAP_WRITES, st->map_writes },
		{ BLKREPL_VI_DIRTY_MEM, st->dirty_mem },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(stats); i++)
		if (nla_put_u64_64bit(skb, stats[i].attr, stats[i].value,
				      BLKREPL_VI_PAD))
			return -EMSGSIZE;
	return nla_put_u32(skb, BLKREPL_VI_IN_FLIGHT, st->in_flight);
}

static int fill_vol_info(struct sk_buff *skb, struct blkrepl_volume *v)
{
	struct nlattr *nest = nla_nest_start(skb, BLKREPL_A_VOL_INFO);

	static_assert(sizeof(v->vol.lineage) ==
		      BLKREPL_MAX_NODES * sizeof(__u32));
	if (!nest ||
	    nla_put_u32(skb, BLKREPL_VI_DISK_STATE, v->vol.disk) ||
	    nla_put_u64_64bit(skb, BLKREPL_VI_CAPACITY,
			      v->vol.sectors << SECTOR_SHIFT, BLKREPL_VI_PAD) ||
	    fill_vol_stat(skb, v) ||
	    nla_put_u32(skb, BLKREPL_VI_OPENERS, v->openers) ||
	    nla_put_u64_64bit(skb, BLKREPL_VI_DATASET_ID, v->vol.dataset,
			      BLKREPL_VI_PAD) ||
	    nla_put(skb, BLKREPL_VI_LINEAGE, sizeof(v->vol.lineage),
		    &v->vol.lineage))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int blkrepl_fill_vol(struct sk_buff *skb, struct blkrepl_volume *v)
{
	lockdep_assert_held(&v->r->lock);

	if (nla_put_string(skb, BLKREPL_A_RES, v->r->name) ||
	    nla_put_u32(skb, BLKREPL_A_VOL, v->vol.nr) ||
	    fill_vol_cfg(skb, v) || fill_vol_info(skb, v))
		return -EMSGSIZE;
	return 0;
}

static int put_addr(struct sk_buff *skb, int attr,
		    const struct sockaddr_storage *addr)
{
	switch (addr->ss_family) {
	case AF_INET:
		return nla_put(skb, attr, sizeof(struct sockaddr_in), addr);
	case AF_INET6:
		return nla_put(skb, attr, sizeof(struct sockaddr_in6), addr);
	default:
		return 0;
	}
}

/* Everything but the secret, of which only its existence is told. */
static int fill_peer_cfg(struct sk_buff *skb, struct blkrepl_peer *p)
{
	struct nlattr *nest = nla_nest_start(skb, BLKREPL_A_PEER_CFG);
	const struct repl_peer_conf *conf = &p->peer.conf;
	const struct blkrepl_peer_conf *cfg = &p->cfg;

	if (!nest)
		return -EMSGSIZE;
	if (cfg->name[0] && nla_put_string(skb, BLKREPL_PC_NAME, cfg->name))
		return -EMSGSIZE;
	if (put_addr(skb, BLKREPL_PC_LOCAL_ADDR, &cfg->local) ||
	    put_addr(skb, BLKREPL_PC_PEER_ADDR, &cfg->remote) ||
	    nla_put_u32(skb, BLKREPL_PC_AUTH, cfg->secret_len ? 1 : 0) ||
	    nla_put_u32(skb, BLKREPL_PC_TIMEOUT, conf->timeout_ms) ||
	    nla_put_u32(skb, BLKREPL_PC_PING_INT, conf->ping_int_ms) ||
	    nla_put_u32(skb, BLKREPL_PC_CONNECT_INT, cfg->connect_int_ms) ||
	    nla_put_u32(skb, BLKREPL_PC_DATA_CRC, cfg->data_crc) ||
	    nla_put_u32(skb, BLKREPL_PC_SNDBUF, cfg->sndbuf) ||
	    nla_put_u32(skb, BLKREPL_PC_RCVBUF, cfg->rcvbuf) ||
	    nla_put_u64_64bit(skb, BLKREPL_PC_RESYNC_RATE_MAX, conf->rate_max,
			      BLKREPL_PC_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_PC_RESYNC_RATE_MIN, conf->rate_min,
			      BLKREPL_PC_PAD) ||
	    nla_put_u32(skb, BLKREPL_PC_MAX_BUFFERS, cfg->max_buffers) ||
	    nla_put_u32(skb, BLKREPL_PC_ASYNC, conf->async) ||
	    nla_put_u32(skb, BLKREPL_PC_WITNESS, p->peer.witness))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static u32 fence_state(const struct repl_peer *p)
{
	if (p->fence.done)
		return BLKREPL_FENCE_DONE;
	return p->fence.wanted ? BLKREPL_FENCE_WANTED : BLKREPL_FENCE_NONE;
}

static int fill_peer_info(struct sk_buff *skb, struct blkrepl_peer *p)
{
	struct nlattr *nest = nla_nest_start(skb, BLKREPL_A_PEER_INFO);
	int seen = repl_sees_primary(&p->peer);

	if (!nest ||
	    nla_put_u32(skb, BLKREPL_PI_CONN_STATE, p->peer.conn) ||
	    nla_put_u32(skb, BLKREPL_PI_ROLE, p->peer.role) ||
	    nla_put_u32(skb, BLKREPL_PI_FEATURES, p->peer.features) ||
	    nla_put_u64_64bit(skb, BLKREPL_PI_SENT_BYTES,
			      atomic64_read(&p->sent_bytes), BLKREPL_PI_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_PI_RECV_BYTES,
			      atomic64_read(&p->recv_bytes), BLKREPL_PI_PAD) ||
	    nla_put_u32(skb, BLKREPL_PI_UNACKED, p->peer.unacked) ||
	    nla_put_u64_64bit(skb, BLKREPL_PI_LAG_BYTES, p->peer.lag_bytes,
			      BLKREPL_PI_PAD) ||
	    nla_put_u32(skb, BLKREPL_PI_LAG_MS, p->peer.lag_ms) ||
	    nla_put_u32(skb, BLKREPL_PI_FENCE_STATE, fence_state(&p->peer)) ||
	    nla_put_u32(skb, BLKREPL_PI_HELD_BACK, p->peer.held_back))
		return -EMSGSIZE;
	if (seen >= 0 && nla_put_u32(skb, BLKREPL_PI_SEES_PRIMARY, seen))
		return -EMSGSIZE;
	if (p->last_error[0] &&
	    nla_put_string(skb, BLKREPL_PI_LAST_ERROR, p->last_error))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int blkrepl_fill_peer(struct sk_buff *skb, struct blkrepl_peer *p)
{
	lockdep_assert_held(&p->r->lock);

	if (nla_put_string(skb, BLKREPL_A_RES, p->r->name) ||
	    nla_put_u32(skb, BLKREPL_A_PEER, p->peer.node) ||
	    fill_peer_cfg(skb, p) || fill_peer_info(skb, p))
		return -EMSGSIZE;
	return 0;
}

static int fill_pvol_sync(struct sk_buff *skb, const struct repl_pv_info *pv,
			  u64 now)
{
	const struct repl_sync_stat *st = &pv->sync;
	u64 since = st->begin_ms && now > st->begin_ms ? now - st->begin_ms : 0;

	if (nla_put_u64_64bit(skb, BLKREPL_PV_RESYNC_TOTAL,
			      st->total_blocks * BLOCK_BYTES, BLKREPL_PV_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_PV_RESYNC_LEFT, pv->left,
			      BLKREPL_PV_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_PV_RESYNC_SENT, st->sent_bytes,
			      BLKREPL_PV_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_PV_RESYNC_EQUAL, st->equal_bytes,
			      BLKREPL_PV_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_PV_RESYNC_MS, since,
			      BLKREPL_PV_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_PV_RESYNC_RATE, st->rate,
			      BLKREPL_PV_PAD))
		return -EMSGSIZE;
	return 0;
}

/* For the core a sync that is held is a sync like any other. */
static enum repl_state told_state(const struct repl_pv_info *pv)
{
	if (pv->paused && pv->state == RS_SYNC_SOURCE)
		return RS_PAUSED_SOURCE;
	if (pv->paused && pv->state == RS_SYNC_TARGET)
		return RS_PAUSED_TARGET;
	return pv->state;
}

int blkrepl_fill_pvol(struct sk_buff *skb, struct blkrepl_volume *v,
		      struct blkrepl_peer *p)
{
	struct repl_pv_info pv = { };
	struct nlattr *nest;

	lockdep_assert_held(&v->r->lock);

	repl_pv_info(&v->vol, &p->peer, &pv);
	if (nla_put_string(skb, BLKREPL_A_RES, v->r->name) ||
	    nla_put_u32(skb, BLKREPL_A_VOL, v->vol.nr) ||
	    nla_put_u32(skb, BLKREPL_A_PEER, p->peer.node))
		return -EMSGSIZE;
	nest = nla_nest_start(skb, BLKREPL_A_PVOL_INFO);
	if (!nest ||
	    nla_put_u32(skb, BLKREPL_PV_REPL_STATE, told_state(&pv)) ||
	    nla_put_u32(skb, BLKREPL_PV_PEER_DISK_STATE, pv.peer_disk) ||
	    nla_put_u64_64bit(skb, BLKREPL_PV_OUT_OF_SYNC, pv.out_of_sync,
			      BLKREPL_PV_PAD) ||
	    nla_put_u32(skb, BLKREPL_PV_PAUSED, pv.paused))
		return -EMSGSIZE;
	/* Progress has a meaning once there was a resync. */
	if (pv.sync.begin_ms && fill_pvol_sync(skb, &pv, v->r->res.now))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* One of them fits into any buffer of a dump, and two may not. */
static int fill_hist(struct sk_buff *skb, const struct repl_hist *h,
		     enum blkrepl_stage stage)
{
	struct nlattr *nest = nla_nest_start(skb, BLKREPL_A_LATENCY);
	struct nlattr *bucket;
	unsigned int i;

	if (!nest ||
	    nla_put_u32(skb, BLKREPL_LA_STAGE, stage) ||
	    nla_put_u64_64bit(skb, BLKREPL_LA_COUNT, repl_hist_count(h),
			      BLKREPL_LA_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_LA_SUM, h->sum, BLKREPL_LA_PAD) ||
	    nla_put_u64_64bit(skb, BLKREPL_LA_LONGEST, h->max, BLKREPL_LA_PAD))
		return -EMSGSIZE;
	for (i = 0; i < REPL_HIST_BUCKETS; i++) {
		if (!h->count[i])
			continue;
		bucket = nla_nest_start(skb, BLKREPL_LA_BUCKET);
		if (!bucket ||
		    nla_put_u64_64bit(skb, BLKREPL_BU_FROM, repl_hist_from(i),
				      BLKREPL_BU_PAD) ||
		    nla_put_u64_64bit(skb, BLKREPL_BU_COUNT, h->count[i],
				      BLKREPL_BU_PAD))
			return -EMSGSIZE;
		if (i + 1 < REPL_HIST_BUCKETS &&
		    nla_put_u64_64bit(skb, BLKREPL_BU_BELOW,
				      repl_hist_from(i + 1), BLKREPL_BU_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, bucket);
	}
	nla_nest_end(skb, nest);
	return 0;
}

int blkrepl_fill_latency(struct sk_buff *skb, struct blkrepl_volume *v,
			 enum blkrepl_stage stage)
{
	lockdep_assert_held(&v->r->lock);

	if (nla_put_string(skb, BLKREPL_A_RES, v->r->name) ||
	    nla_put_u32(skb, BLKREPL_A_VOL, v->vol.nr))
		return -EMSGSIZE;
	return fill_hist(skb, &v->latency[stage], stage);
}

int blkrepl_fill_acks(struct sk_buff *skb, struct blkrepl_peer *p)
{
	lockdep_assert_held(&p->r->lock);

	if (nla_put_string(skb, BLKREPL_A_RES, p->r->name) ||
	    nla_put_u32(skb, BLKREPL_A_PEER, p->peer.node))
		return -EMSGSIZE;
	return fill_hist(skb, &p->acks, BLKREPL_STAGE_ACK);
}
