// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compare the configuration with the kernel's state and plan the requests
 * that are missing between the two.
 *
 * Order: what is too much goes first, so that minors, disks and addresses are
 * free; then objects are made, settings set, disks attached, and connections
 * come last, so that a peer meets a node that is complete.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "adjust.h"
#include "state.h"
#include "util.h"

static struct req *plan_add(struct plan *p, enum blkrepl_cmd cmd, const char *res)
{
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 16;
		p->req = realloc(p->req, p->room * sizeof(*p->req));
		if (!p->req) {
			err("out of memory");
			exit(EX_SYSTEM);
		}
	}
	req_init(&p->req[p->n], cmd, res);
	return &p->req[p->n++];
}

void plan_free(struct plan *p)
{
	free(p->req);
	memset(p, 0, sizeof(*p));
}

static void plan_vol(struct plan *p, enum blkrepl_cmd cmd, const char *res, int vol)
{
	plan_add(p, cmd, res)->vol = vol;
}

static void plan_peer(struct plan *p, enum blkrepl_cmd cmd, const char *res, int peer)
{
	plan_add(p, cmd, res)->peer = peer;
}

/* Settings of @group that differ; one that is not reported is the default. */
static bool diff_opts(enum opt_group group, const struct opt_set *want,
		      const struct opt_set *runs, struct opt_set *diff)
{
	unsigned int i;

	memset(diff, 0, sizeof(*diff));
	for (i = 0; i < OPT_COUNT; i++)
		if (opt_defs[i].group == group &&
		    opt_get(want, i) != opt_get(runs, i))
			opt_put(diff, i, opt_get(want, i));
	return diff->set;
}

static bool is_attached(const struct st_vol *v)
{
	return v->state != BLKREPL_DISK_UNKNOWN && v->state != BLKREPL_DISK_DISKLESS;
}

/* Two names for one device, like /dev/vg/x and /dev/dm-3. */
static bool same_device(const char *a, const char *b)
{
	struct stat sa, sb;

	if (!strcmp(a, b))
		return true;
	return *a && *b && !stat(a, &sa) && !stat(b, &sb) &&
	       S_ISBLK(sa.st_mode) && S_ISBLK(sb.st_mode) && sa.st_rdev == sb.st_rdev;
}

static bool same_disk(const struct view_volume *want, const struct st_vol *v)
{
	return same_device(want->disk ? want->disk : "", v->disk) &&
	       same_device(want->meta_disk ? want->meta_disk : "", v->meta_disk);
}

static const struct view_volume *view_vol(const struct view *view, uint32_t nr)
{
	unsigned int i;

	for (i = 0; i < view->n_volumes; i++)
		if (view->volume[i].nr == nr)
			return &view->volume[i];
	return NULL;
}

static const struct view_peer *view_peer(const struct view *view, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < view->n_peers; i++)
		if (view->peer[i].node_id == id)
			return &view->peer[i];
	return NULL;
}

static void remove_surplus(struct plan *p, const struct view *view,
			   const struct st_res *res)
{
	const struct st_peer *peer;
	const struct st_vol *v;

	/* Not disconnected before: it is to stay as it is where it may not go. */
	for (peer = res->peers; peer; peer = peer->next)
		if (!view_peer(view, peer->id))
			plan_peer(p, BLKREPL_CMD_PEER_DEL, res->name, peer->id);
	for (v = res->vols; v; v = v->next) {
		const struct view_volume *want = view_vol(view, v->nr);
		bool remove = !want || want->minor != v->minor;

		if (is_attached(v) && (remove || !same_disk(want, v)))
			plan_vol(p, BLKREPL_CMD_DETACH, res->name, v->nr);
		if (remove)
			plan_vol(p, BLKREPL_CMD_VOL_DEL, res->name, v->nr);
	}
}

static void make_resource(struct plan *p, const struct view *view)
{
	struct req *r = plan_add(p, BLKREPL_CMD_RES_NEW, view->res->name);

	r->node_id = view->node_id;
	r->witness = view->witness;
	str_copy(r->node_name, view->node, sizeof(r->node_name));
	r->opts = view->opts;
}

static void adjust_resource(struct plan *p, const struct view *view,
			    const struct st_res *res)
{
	struct opt_set diff;

	if (!res)
		make_resource(p, view);
	else if (diff_opts(GROUP_RES, &view->opts, &res->opts, &diff))
		plan_add(p, BLKREPL_CMD_RES_SET, res->name)->opts = diff;
}

static void adjust_volume(struct plan *p, const char *name,
			  const struct view_volume *want, const struct st_vol *v)
{
	struct opt_set diff;
	struct req *r;

	if (!v || v->minor != want->minor) {
		r = plan_add(p, BLKREPL_CMD_VOL_NEW, name);
		r->vol = want->nr;
		r->minor = want->minor;
		r->opts = want->opts;
	} else if (diff_opts(GROUP_VOL, &want->opts, &v->opts, &diff)) {
		r = plan_add(p, BLKREPL_CMD_VOL_SET, name);
		r->vol = want->nr;
		r->opts = diff;
	}
}

static void make_peer(struct plan *p, const char *name, const struct view_peer *want)
{
	struct req *r = plan_add(p, BLKREPL_CMD_PEER_NEW, name);

	r->peer = want->node_id;
	r->witness = want->witness;
	str_copy(r->node_name, want->name, sizeof(r->node_name));
	r->local = want->local;
	r->addr = want->peer;
	r->has_local = true;
	r->has_addr = true;
	r->secret = (const uint8_t *)want->secret;
	r->secret_len = want->secret ? strlen(want->secret) : 0;
	r->auth_none = !want->secret;
	r->opts = want->opts;
}

/* New addresses mean a new connection. */
static bool moves(const struct view_peer *want, const struct st_peer *peer)
{
	return !addr_equal(&want->local, &peer->local) ||
	       !addr_equal(&want->peer, &peer->addr);
}

/* The kernel does not tell its secret, so it is sent each time. */
static void refresh_secret(struct plan *p, const char *name,
			   const struct view_peer *want, bool refresh)
{
	struct req *r = plan_add(p, BLKREPL_CMD_PEER_SET, name);

	r->peer = want->node_id;
	r->secret = (const uint8_t *)want->secret;
	r->secret_len = strlen(want->secret);
	r->refresh = refresh;
}

static void change_peer(struct plan *p, const char *name,
			const struct view_peer *want, const struct st_peer *peer)
{
	bool rename = strcmp(want->name, peer->name), move = moves(want, peer);
	bool less_auth = !want->secret && peer->auth;
	struct opt_set diff;
	struct req *r;

	if (move && peer->conn != BLKREPL_CONN_STANDALONE)
		plan_peer(p, BLKREPL_CMD_DISCONNECT, name, peer->id);
	if (diff_opts(GROUP_PEER, &want->opts, &peer->opts, &diff) ||
	    rename || move || less_auth) {
		r = plan_add(p, BLKREPL_CMD_PEER_SET, name);
		r->peer = peer->id;
		r->opts = diff;
		if (rename)
			str_copy(r->node_name, want->name, sizeof(r->node_name));
		r->has_local = move;
		r->has_addr = move;
		r->local = want->local;
		r->addr = want->peer;
		r->auth_none = less_auth;
	}
	if (want->secret)
		refresh_secret(p, name, want, peer->auth);
}

static void adjust_peer(struct plan *p, const char *name,
			const struct view_peer *want, const struct st_peer *peer)
{
	if (peer)
		change_peer(p, name, want, peer);
	else
		make_peer(p, name, want);
}

static void adjust_disk(struct plan *p, const struct view *view,
			const struct view_volume *want, const struct st_vol *v)
{
	bool keeps = v && v->minor == want->minor && is_attached(v) &&
		     same_disk(want, v);
	struct req *r;

	if ((!want->disk && !view->witness) || keeps)
		return;
	r = plan_add(p, BLKREPL_CMD_ATTACH, view->res->name);
	r->vol = want->nr;
	r->disk = want->disk;
	r->meta_disk = want->meta_disk;
}

static bool connects(const struct view_peer *want, const struct st_peer *peer)
{
	return !peer || peer->conn == BLKREPL_CONN_STANDALONE || moves(want, peer);
}

/* Who has data is not to change under a cluster that runs. */
static bool witness_moved(struct plan *p, const struct view *view,
			  const struct st_res *res)
{
	const char *who = res->witness != view->witness ? view->node : NULL;
	bool now = view->witness;
	unsigned int i;

	for (i = 0; i < view->n_peers && !who; i++) {
		const struct st_peer *peer = state_peer(res, view->peer[i].node_id);

		if (!peer || peer->witness == view->peer[i].witness)
			continue;
		who = view->peer[i].name;
		now = view->peer[i].witness;
	}
	if (!who)
		return false;
	snprintf(p->conflict, sizeof(p->conflict),
		 "it runs with %s as %s, configured is the contrary; run, on all nodes: blkrepl down %s && blkrepl up %s",
		 who, now ? "a node with data" : "a witness", view->res->name,
		 view->res->name);
	return true;
}

void plan_adjust(struct plan *p, const struct view *view, const struct st_res *res)
{
	const char *name = view->res->name;
	unsigned int i;

	memset(p, 0, sizeof(*p));
	if (res && res->node_id != view->node_id) {
		snprintf(p->conflict, sizeof(p->conflict),
			 "it runs with node id %u, configured is %u; run: blkrepl down %s && blkrepl up %s",
			 res->node_id, view->node_id, name, name);
		return;
	}
	if (res && witness_moved(p, view, res))
		return;
	if (res)
		remove_surplus(p, view, res);
	adjust_resource(p, view, res);
	for (i = 0; i < view->n_volumes; i++)
		adjust_volume(p, name, &view->volume[i],
			      res ? state_vol(res, view->volume[i].nr) : NULL);
	for (i = 0; i < view->n_peers; i++)
		adjust_peer(p, name, &view->peer[i],
			    res ? state_peer(res, view->peer[i].node_id) : NULL);
	for (i = 0; i < view->n_volumes; i++)
		adjust_disk(p, view, &view->volume[i],
			    res ? state_vol(res, view->volume[i].nr) : NULL);
	for (i = 0; i < view->n_peers; i++) {
		const struct view_peer *want = &view->peer[i];

		if (connects(want, res ? state_peer(res, want->node_id) : NULL))
			plan_peer(p, BLKREPL_CMD_CONNECT, name, want->node_id);
	}
}

static void plan_detach(struct plan *p, const struct st_res *res)
{
	const struct st_vol *v;

	for (v = res->vols; v; v = v->next)
		if (is_attached(v))
			plan_vol(p, BLKREPL_CMD_DETACH, res->name, v->nr);
}

static void plan_disconnect(struct plan *p, const struct st_res *res)
{
	const struct st_peer *peer;

	for (peer = res->peers; peer; peer = peer->next)
		if (peer->conn != BLKREPL_CONN_STANDALONE)
			plan_peer(p, BLKREPL_CMD_DISCONNECT, res->name, peer->id);
}

void plan_down(struct plan *p, const struct st_res *res)
{
	bool fencing = opt_get(&res->opts, OPT_FENCING) == BLKREPL_FENCING_WAIT;
	const struct st_peer *peer;
	const struct st_vol *v;

	memset(p, 0, sizeof(*p));
	if (res->role == BLKREPL_ROLE_PRIMARY)
		plan_add(p, BLKREPL_CMD_ROLE_SET, res->name)->role =
			BLKREPL_ROLE_SECONDARY;
	/* a Primary that hears that there is no disk here need not have us fenced */
	if (fencing)
		plan_detach(p, res);
	plan_disconnect(p, res);
	if (!fencing)
		plan_detach(p, res);
	for (v = res->vols; v; v = v->next)
		plan_vol(p, BLKREPL_CMD_VOL_DEL, res->name, v->nr);
	/* after the disks: so nothing of a peer is forgotten in the metadata */
	for (peer = res->peers; peer; peer = peer->next)
		plan_peer(p, BLKREPL_CMD_PEER_DEL, res->name, peer->id);
	plan_add(p, BLKREPL_CMD_RES_DEL, res->name);
}
