// SPDX-License-Identifier: GPL-2.0
/* Making and removing resources, peers and volumes; settings. */
#include "internal.h"

void repl_res_conf_init(struct repl_res_conf *c)
{
	c->ack_policy = ACK_SYNC;
	c->votes = false;
	c->on_no_data = NO_DATA_SUSPEND;
	c->on_no_quorum = NO_QUORUM_SUSPEND;
	c->after_split_brain = SPLIT_ASK;
	c->auto_promote = false;
	c->fencing = false;
	c->on_backlog = BACKLOG_BEHIND;
	c->min_in_sync = 0;
	c->backlog_ms = 0;
	c->backlog_max = 32 << 20;
}

void repl_vol_conf_init(struct repl_vol_conf *c)
{
	c->al_extents = META_AL_MAX;
	c->on_io_error = ON_ERROR_DETACH;
}

void repl_peer_conf_init(struct repl_peer_conf *c)
{
	c->async = false;
	c->timeout_ms = 6000;
	c->ping_int_ms = 1000;
	c->ack_timeout_ms = 30000;
	c->rate_max = 0;
	c->rate_min = 1 << 20;
}

const char *repl_conf_check(const struct repl_res_conf *conf)
{
	if (conf->auto_promote && !conf_elects(conf))
		return "auto-promote needs quorum majority: nobody promotes itself without votes";
	if (conf->fencing && conf_elects(conf))
		return "fencing wait is for quorum off: where primaries are elected nobody has to be fenced";
	return NULL;
}

static bool waits_for_all(const struct repl_peer *p)
{
	return connected(p) && !(p->res->by_most & BIT(p->node));
}

static bool primary_by_majority(const struct repl_peer *p)
{
	return connected(p) && p->role == ROLE_PRIMARY &&
	       (p->res->by_most & BIT(p->node));
}

/*
 * A set says how many acknowledge under it, but older modules go by their settings: while
 * a majority is enough for the Primary, these are to say so wherever it is connected.
 */
static const char *wrong_order(const struct repl_res *res,
			       const struct repl_res_conf *conf)
{
	bool joins = !by_majority(res) && conf_by_majority(conf);
	bool leaves = by_majority(res) && !conf_by_majority(conf);

	if (leaves && any_peer(res, primary_by_majority))
		return "the Primary acknowledges by a majority: switch it from ack-policy quorum to another first, and this node after it";
	if (joins && res->role == ROLE_PRIMARY && any_peer(res, waits_for_all))
		return "this node is Primary, and a connected node has another ack-policy: switch the others to quorum first (adjust there), and the Primary last";
	return NULL;
}

int repl_conf_allowed(const struct repl_res *res,
		      const struct repl_res_conf *conf, const char **why)
{
	bool to_be_elected = conf_elects(conf) && !elects(res) &&
			     res->role == ROLE_PRIMARY;

	*why = repl_conf_check(conf);
	if (*why)
		return -EINVAL;
	*why = wrong_order(res, conf);
	if (*why)
		return -EBUSY;
	if (to_be_elected && !vouches_on_disk(res)) {
		*why = "this node is Primary without good data of its own, and could not be elected: attach its disks and let them sync, or move the role first";
		return -EBUSY;
	}
	if (to_be_elected && edit_lacking(res, could_vote(res))) {
		*why = "this node is Primary, and too few others vote to elect it: switch them to quorum majority first (adjust there), and the Primary last";
		return -EBUSY;
	}
	return 0;
}

void repl_conf_changed(struct repl_res *res)
{
	reign_settings_changed(res);
	evaluate(res);
	app_check_acks(res);
}

void repl_res_init(struct repl_res *res)
{
	u32 i;

	res->role = ROLE_SECONDARY;
	res->elected_before = elects(res);
	res->majority_before = by_majority(res);
	res->electing = BIT(res->node);
	res->promised_to = NODE_NONE;
	res->voted_for = NODE_NONE;
	res->ballot.to = NODE_NONE;
	res->vote.from = NODE_NONE;
	res->move.to = NODE_NONE;
	res->orphan_of = NODE_NONE;
	res->have_ended = true;
	res->retired = NODE_NONE;
	INIT_LIST_HEAD(&res->vols);
	INIT_LIST_HEAD(&res->in_flight);
	INIT_LIST_HEAD(&res->held);
	INIT_LIST_HEAD(&res->parked);
	INIT_LIST_HEAD(&res->remote_reads);
	INIT_LIST_HEAD(&res->applying);
	INIT_LIST_HEAD(&res->tail);
	INIT_LIST_HEAD(&res->dep_wait);
	INIT_LIST_HEAD(&res->peer_flushes);
	for (i = 0; i < REPL_SEQ_HASH; i++)
		INIT_LIST_HEAD(&res->seq_hash[i]);
	lease_start(res);
}

static int pv_add(struct repl_vol *vol, struct repl_peer *peer)
{
	struct repl_pv *pv = vol->res->ops->alloc(vol->res, sizeof(*pv));

	if (!pv)
		return -ENOMEM;
	pv->vol = vol;
	pv->peer = peer;
	pv->slot = SLOT_NONE;
	INIT_LIST_HEAD(&pv->sync.reqs);
	memset(&pv->sent_state, 0xff, sizeof(pv->sent_state));
	list_add_tail(&pv->by_vol, &vol->pvs);
	list_add_tail(&pv->by_peer, &peer->pvs);
	return 0;
}

static void pv_del(struct repl_pv *pv)
{
	struct repl_res *res = pv->vol->res;

	list_del(&pv->by_vol);
	list_del(&pv->by_peer);
	res->ops->free(res, pv, sizeof(*pv));
}

static bool slot_free_for(struct repl_vol *vol, const struct repl_peer *p)
{
	u32 i;

	if (!vol->store || !store_needs_slot(vol->res, p) ||
	    store_slot_for(vol->store, p->node) != SLOT_NONE)
		return true;
	for (i = 0; i < vol->store->nslots; i++)
		if (!vol->store->slot[i].used)
			return true;
	return false;
}

int repl_peer_add(struct repl_peer *peer, struct repl_refusal *no)
{
	struct repl_res *res = peer->res;
	u32 before = edit_list(res);
	struct repl_vol *vol;
	struct repl_pv *pv;
	int err;

	if (peer->node >= REPL_NODES || peer->node == res->node)
		return -EINVAL;
	if (res->peer[peer->node])
		return -EEXIST;
	for_each_vol(vol, res)
		if (!slot_free_for(vol, peer))
			return -ENOSPC;
	err = edit_allowed(res, peer->node, no);
	if (err)
		return err;
	INIT_LIST_HEAD(&peer->pvs);
	peer->sees_primary = NODE_NONE;
	peer->fence.lost_ms = res->now;
	res->peer[peer->node] = peer;
	for_each_vol(vol, res)
		if (!err)
			err = pv_add(vol, peer);
	if (err) {
		while ((pv = list_first_entry_or_null(&peer->pvs,
						      struct repl_pv, by_peer)))
			pv_del(pv);
		res->peer[peer->node] = NULL;
		return err;
	}
	for_each_vol(vol, res)
		store_assign_slots(vol);
	edit_done(res, before);
	evaluate(res);
	return 0;
}

int repl_peer_may_go(const struct repl_peer *peer, struct repl_refusal *no)
{
	return edit_allowed(peer->res, peer->node, no);
}

int repl_peer_del(struct repl_peer *peer, struct repl_refusal *no)
{
	struct repl_res *res = peer->res;
	u32 before = edit_list(res);
	struct repl_pv *pv;
	int err;

	*no = (struct repl_refusal){ "it still has I/O under way: try again", peer };
	if (peer->conn == CONN_CONNECTED || peer->ios)
		return -EBUSY;
	err = repl_peer_may_go(peer, no);
	if (err)
		return err;
	while ((pv = list_first_entry_or_null(&peer->pvs, struct repl_pv,
					      by_peer)))
		pv_del(pv);
	res->peer[peer->node] = NULL;
	res->by_most &= ~BIT(peer->node);
	edit_done(res, before);
	evaluate(res);
	return 0;
}

int repl_vol_add(struct repl_vol *vol)
{
	struct repl_res *res = vol->res;
	struct repl_peer *p;
	struct repl_pv *pv;
	int i, err = 0;

	if (vol_get(res, vol->nr))
		return -EEXIST;
	INIT_LIST_HEAD(&vol->pvs);
	vol->disk = DISK_DISKLESS;
	list_add_tail(&vol->link, &res->vols);
	for_each_peer(p, i, res)
		if (!err)
			err = pv_add(vol, p);
	if (err) {
		while ((pv = list_first_entry_or_null(&vol->pvs,
						      struct repl_pv, by_vol)))
			pv_del(pv);
		list_del(&vol->link);
		return err;
	}
	evaluate(res);
	return 0;
}

int repl_vol_del(struct repl_vol *vol)
{
	struct repl_res *res = vol->res;
	struct repl_pv *pv;

	if (vol->store || vol->stat.in_flight)
		return -EBUSY;
	for_each_pv(pv, vol)
		if (pv->peer->conn == CONN_CONNECTED)
			return -EBUSY;
	while ((pv = list_first_entry_or_null(&vol->pvs, struct repl_pv,
					      by_vol)))
		pv_del(pv);
	list_del(&vol->link);
	evaluate(res);
	return 0;
}
