// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoding of replies and events into struct state.  A reply to GET, a message
 * of a dump and an event look alike, so one function reads them all.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "nl.h"
#include "state.h"
#include "util.h"

struct state *state_new(void)
{
	return xzalloc(sizeof(struct state));
}

static void free_latency(struct st_latency *l)
{
	while (l) {
		struct st_latency *next = l->next;

		free(l->bucket);
		free(l);
		l = next;
	}
}

static void free_vol(struct st_vol *v)
{
	free_latency(v->latency);
	free(v);
}

static void free_peer(struct st_peer *p)
{
	free_latency(p->latency);
	while (p->pvols) {
		struct st_pvol *pv = p->pvols;

		p->pvols = pv->next;
		free(pv);
	}
	free(p);
}

static void free_res(struct st_res *res)
{
	while (res->vols) {
		struct st_vol *v = res->vols;

		res->vols = v->next;
		free_vol(v);
	}
	while (res->peers) {
		struct st_peer *p = res->peers;

		res->peers = p->next;
		free_peer(p);
	}
	free(res);
}

void state_free(struct state *st)
{
	if (!st)
		return;
	while (st->resources) {
		struct st_res *res = st->resources;

		st->resources = res->next;
		free_res(res);
	}
	free(st);
}

struct st_res *state_res(const struct state *st, const char *name)
{
	struct st_res *res;

	for (res = st->resources; res; res = res->next)
		if (!strcmp(res->name, name))
			break;
	return res;
}

struct st_vol *state_vol(const struct st_res *res, uint32_t nr)
{
	struct st_vol *v;

	for (v = res->vols; v; v = v->next)
		if (v->nr == nr)
			break;
	return v;
}

struct st_peer *state_peer(const struct st_res *res, uint32_t id)
{
	struct st_peer *p;

	for (p = res->peers; p; p = p->next)
		if (p->id == id)
			break;
	return p;
}

struct st_peer *state_peer_by_name(const struct st_res *res, const char *name)
{
	struct st_peer *p;

	for (p = res->peers; p; p = p->next)
		if (!strcmp(p->name, name))
			break;
	return p;
}

struct st_pvol *state_pvol(const struct st_peer *peer, uint32_t vol)
{
	struct st_pvol *pv;

	for (pv = peer->pvols; pv; pv = pv->next)
		if (pv->vol == vol)
			break;
	return pv;
}

/* ---- finding or making objects; lists stay sorted ---- */

static struct st_res *get_res(struct state *st, const char *name, bool *is_new)
{
	struct st_res **link = &st->resources, *res;

	while (*link && strcmp((*link)->name, name) < 0)
		link = &(*link)->next;
	*is_new = !*link || strcmp((*link)->name, name);
	if (!*is_new)
		return *link;
	res = xzalloc(sizeof(*res));
	str_copy(res->name, name, sizeof(res->name));
	res->next = *link;
	*link = res;
	return res;
}

static struct st_vol *get_vol(struct st_res *res, uint32_t nr, bool *is_new)
{
	struct st_vol **link = &res->vols, *v;

	while (*link && (*link)->nr < nr)
		link = &(*link)->next;
	*is_new = !*link || (*link)->nr != nr;
	if (!*is_new)
		return *link;
	v = xzalloc(sizeof(*v));
	v->nr = nr;
	v->next = *link;
	*link = v;
	return v;
}

static struct st_peer *get_peer(struct st_res *res, uint32_t id, bool *is_new)
{
	struct st_peer **link = &res->peers, *p;

	while (*link && (*link)->id < id)
		link = &(*link)->next;
	*is_new = !*link || (*link)->id != id;
	if (!*is_new)
		return *link;
	p = xzalloc(sizeof(*p));
	p->id = id;
	p->sees_primary = -1;
	p->next = *link;
	*link = p;
	return p;
}

static struct st_pvol *get_pvol(struct st_peer *p, uint32_t vol, bool *is_new)
{
	struct st_pvol **link = &p->pvols, *pv;

	while (*link && (*link)->vol < vol)
		link = &(*link)->next;
	*is_new = !*link || (*link)->vol != vol;
	if (!*is_new)
		return *link;
	pv = xzalloc(sizeof(*pv));
	pv->vol = vol;
	pv->next = *link;
	*link = pv;
	return pv;
}

static void del_res(struct state *st, const char *name)
{
	struct st_res **link = &st->resources, *res;

	while (*link && strcmp((*link)->name, name))
		link = &(*link)->next;
	res = *link;
	if (!res)
		return;
	*link = res->next;
	free_res(res);
}

static void del_pvol(struct st_peer *p, uint32_t vol)
{
	struct st_pvol **link = &p->pvols, *pv;

	while (*link && (*link)->vol != vol)
		link = &(*link)->next;
	pv = *link;
	if (!pv)
		return;
	*link = pv->next;
	free(pv);
}

static void del_vol(struct st_res *res, uint32_t nr)
{
	struct st_vol **link = &res->vols, *v;
	struct st_peer *p;

	for (p = res->peers; p; p = p->next)
		del_pvol(p, nr);
	while (*link && (*link)->nr != nr)
		link = &(*link)->next;
	v = *link;
	if (!v)
		return;
	*link = v->next;
	free_vol(v);
}

static void del_peer(struct st_res *res, uint32_t id)
{
	struct st_peer **link = &res->peers, *p;

	while (*link && (*link)->id != id)
		link = &(*link)->next;
	p = *link;
	if (!p)
		return;
	*link = p->next;
	free_peer(p);
}

/* ---- reading attributes; absent ones leave the value as it is ---- */

static void get_u32(struct nlattr *a, uint32_t *val)
{
	if (a && nla_len(a) >= (int)sizeof(*val))
		*val = nla_get_u32(a);
}

static void get_bool(struct nlattr *a, bool *val)
{
	uint32_t v = *val;

	get_u32(a, &v);
	*val = v;
}

static void get_u64(struct nlattr *a, uint64_t *val)
{
	if (a && nla_len(a) >= (int)sizeof(*val))
		*val = nla_get_u64(a);
}

static void get_str(struct nlattr *a, char *buf, size_t size)
{
	size_t len;

	if (!a)
		return;
	len = strnlen(nla_data(a), nla_len(a));
	if (len >= size)
		len = size - 1;
	memcpy(buf, nla_data(a), len);
	buf[len] = '\0';
}

static void get_addr(struct nlattr *a, struct sockaddr_storage *sa)
{
	if (!a || nla_len(a) > (int)sizeof(*sa))
		return;
	memset(sa, 0, sizeof(*sa));
	memcpy(sa, nla_data(a), nla_len(a));
}

static void get_opts(struct nlattr **tb, enum opt_group group, struct opt_set *opts)
{
	unsigned int i;

	for (i = 0; i < OPT_COUNT; i++) {
		const struct opt_def *d = &opt_defs[i];
		uint32_t v32 = 0;
		uint64_t v64 = 0;

		if (d->group != group || !tb[d->attr])
			continue;
		get_u32(tb[d->attr], &v32);
		get_u64(tb[d->attr], &v64);
		opt_put(opts, i, d->wide ? v64 : v32);
	}
}

/* Parse a nest that may be absent. */
static bool nest(struct nlattr **tb, int max, struct nlattr *a)
{
	return a && !nla_parse_nested(tb, max, a, NULL);
}

static void read_res(struct st_res *res, struct nlattr **tb)
{
	struct nlattr *cfg[BLKREPL_RC_MAX + 1], *info[BLKREPL_RI_MAX + 1];

	if (nest(cfg, BLKREPL_RC_MAX, tb[BLKREPL_A_RES_CFG])) {
		get_u32(cfg[BLKREPL_RC_NODE_ID], &res->node_id);
		get_bool(cfg[BLKREPL_RC_WITNESS], &res->witness);
		get_str(cfg[BLKREPL_RC_NODE_NAME], res->node_name, sizeof(res->node_name));
		get_opts(cfg, GROUP_RES, &res->opts);
	}
	if (nest(info, BLKREPL_RI_MAX, tb[BLKREPL_A_RES_INFO])) {
		res->promotion_refused[0] = '\0';
		res->promotion_missing = 0;
		res->votes = 0;
		res->votes_needed = 0;
		get_u32(info[BLKREPL_RI_ROLE], &res->role);
		get_u32(info[BLKREPL_RI_SUSPENDED], &res->suspended);
		get_u64(info[BLKREPL_RI_TERM], &res->term);
		get_u64(info[BLKREPL_RI_SEQ], &res->seq);
		get_u32(info[BLKREPL_RI_IN_SYNC_SET], &res->in_sync);
		get_u64(info[BLKREPL_RI_IN_SYNC_VERSION], &res->in_sync_version);
		get_u32(info[BLKREPL_RI_OPENERS], &res->openers);
		get_u64(info[BLKREPL_RI_SUSPENDED_MS], &res->suspended_ms);
		get_u32(info[BLKREPL_RI_IN_STEP], &res->in_step);
		get_u32(info[BLKREPL_RI_IN_STEP_NEEDED], &res->in_step_needed);
		get_str(info[BLKREPL_RI_PROMOTION_REFUSED], res->promotion_refused,
			sizeof(res->promotion_refused));
		get_u32(info[BLKREPL_RI_PROMOTION_MISSING], &res->promotion_missing);
		get_u32(info[BLKREPL_RI_VOTES], &res->votes);
		get_u32(info[BLKREPL_RI_VOTES_NEEDED], &res->votes_needed);
	}
}

static void read_lineage(struct nlattr *a, struct st_vol *v)
{
	if (a && nla_len(a) == (int)sizeof(v->lineage))
		memcpy(v->lineage, nla_data(a), sizeof(v->lineage));
}

static void read_vol(struct st_vol *v, struct nlattr **tb)
{
	struct nlattr *cfg[BLKREPL_VC_MAX + 1], *info[BLKREPL_VI_MAX + 1];

	if (nest(cfg, BLKREPL_VC_MAX, tb[BLKREPL_A_VOL_CFG])) {
		/* the whole configuration comes: a path that is absent is none */
		v->disk[0] = '\0';
		v->meta_disk[0] = '\0';
		get_u32(cfg[BLKREPL_VC_MINOR], &v->minor);
		get_str(cfg[BLKREPL_VC_DISK], v->disk, sizeof(v->disk));
		get_str(cfg[BLKREPL_VC_META_DISK], v->meta_disk, sizeof(v->meta_disk));
		get_opts(cfg, GROUP_VOL, &v->opts);
	}
	if (nest(info, BLKREPL_VI_MAX, tb[BLKREPL_A_VOL_INFO])) {
		get_u32(info[BLKREPL_VI_DISK_STATE], &v->state);
		get_u64(info[BLKREPL_VI_CAPACITY], &v->capacity);
		get_u64(info[BLKREPL_VI_READS], &v->reads);
		get_u64(info[BLKREPL_VI_READ_BYTES], &v->read_bytes);
		get_u64(info[BLKREPL_VI_WRITES], &v->writes);
		get_u64(info[BLKREPL_VI_WRITE_BYTES], &v->write_bytes);
		get_u64(info[BLKREPL_VI_FLUSHES], &v->flushes);
		get_u64(info[BLKREPL_VI_AL_WRITES], &v->al_writes);
		get_u64(info[BLKREPL_VI_MAP_WRITES], &v->map_writes);
		get_u32(info[BLKREPL_VI_IN_FLIGHT], &v->in_flight);
		get_u32(info[BLKREPL_VI_OPENERS], &v->openers);
		get_u64(info[BLKREPL_VI_DATASET_ID], &v->dataset);
		read_lineage(info[BLKREPL_VI_LINEAGE], v);
		get_u64(info[BLKREPL_VI_DIRTY_MEM], &v->dirty_mem);
	}
}

static void read_peer(struct st_peer *p, struct nlattr **tb)
{
	struct nlattr *cfg[BLKREPL_PC_MAX + 1], *info[BLKREPL_PI_MAX + 1];
	uint32_t sees = -1;

	if (nest(cfg, BLKREPL_PC_MAX, tb[BLKREPL_A_PEER_CFG])) {
		get_str(cfg[BLKREPL_PC_NAME], p->name, sizeof(p->name));
		get_addr(cfg[BLKREPL_PC_LOCAL_ADDR], &p->local);
		get_addr(cfg[BLKREPL_PC_PEER_ADDR], &p->addr);
		get_bool(cfg[BLKREPL_PC_AUTH], &p->auth);
		get_bool(cfg[BLKREPL_PC_WITNESS], &p->witness);
		get_opts(cfg, GROUP_PEER, &p->opts);
	}
	if (nest(info, BLKREPL_PI_MAX, tb[BLKREPL_A_PEER_INFO])) {
		p->last_error[0] = '\0';
		get_u32(info[BLKREPL_PI_CONN_STATE], &p->conn);
		get_u32(info[BLKREPL_PI_ROLE], &p->role);
		get_u32(info[BLKREPL_PI_FEATURES], &p->features);
		get_u64(info[BLKREPL_PI_SENT_BYTES], &p->sent);
		get_u64(info[BLKREPL_PI_RECV_BYTES], &p->received);
		get_u32(info[BLKREPL_PI_UNACKED], &p->unacked);
		get_u64(info[BLKREPL_PI_LAG_BYTES], &p->lag_bytes);
		get_u32(info[BLKREPL_PI_LAG_MS], &p->lag_ms);
		get_str(info[BLKREPL_PI_LAST_ERROR], p->last_error, sizeof(p->last_error));
		get_u32(info[BLKREPL_PI_FENCE_STATE], &p->fence);
		get_u32(info[BLKREPL_PI_HELD_BACK], &p->held_back);
		get_u32(info[BLKREPL_PI_SEES_PRIMARY], &sees);
		p->sees_primary = sees < BLKREPL_MAX_NODES ? (int)sees : -1;
	}
}

static void read_pvol(struct st_pvol *pv, struct nlattr **tb)
{
	struct nlattr *info[BLKREPL_PV_MAX + 1];

	if (!nest(info, BLKREPL_PV_MAX, tb[BLKREPL_A_PVOL_INFO]))
		return;
	get_u32(info[BLKREPL_PV_REPL_STATE], &pv->repl);
	get_u32(info[BLKREPL_PV_PEER_DISK_STATE], &pv->peer_disk);
	get_u64(info[BLKREPL_PV_OUT_OF_SYNC], &pv->out_of_sync);
	get_u64(info[BLKREPL_PV_RESYNC_TOTAL], &pv->total);
	get_u64(info[BLKREPL_PV_RESYNC_LEFT], &pv->left);
	get_u64(info[BLKREPL_PV_RESYNC_SENT], &pv->sent);
	get_u64(info[BLKREPL_PV_RESYNC_EQUAL], &pv->equal);
	get_u64(info[BLKREPL_PV_RESYNC_MS], &pv->ms);
	get_u64(info[BLKREPL_PV_RESYNC_RATE], &pv->rate);
	get_u32(info[BLKREPL_PV_PAUSED], &pv->paused);
}

/* The histogram of a stage in a list, made if there is none. */
static struct st_latency *get_latency(struct st_latency **link, uint32_t stage)
{
	while (*link && (*link)->stage != stage)
		link = &(*link)->next;
	if (!*link) {
		*link = xzalloc(sizeof(**link));
		(*link)->stage = stage;
	}
	return *link;
}

static void read_bucket(struct st_bucket *b, struct nlattr *a)
{
	struct nlattr *tb[BLKREPL_BU_MAX + 1];

	if (!nest(tb, BLKREPL_BU_MAX, a))
		return;
	get_u64(tb[BLKREPL_BU_FROM], &b->from);
	get_u64(tb[BLKREPL_BU_BELOW], &b->below);
	get_u64(tb[BLKREPL_BU_COUNT], &b->count);
}

static void read_buckets(struct st_latency *l, struct nlattr *a)
{
	unsigned int nr = 0;
	struct nlattr *pos;
	int rem;

	nla_for_each_nested(pos, a, rem)
		nr += nla_type(pos) == BLKREPL_LA_BUCKET;
	free(l->bucket);
	l->bucket = xzalloc((nr + 1) * sizeof(*l->bucket));
	l->buckets = 0;
	nla_for_each_nested(pos, a, rem)
		if (nla_type(pos) == BLKREPL_LA_BUCKET)
			read_bucket(&l->bucket[l->buckets++], pos);
}

static void read_latency(struct st_latency **list, struct nlattr *a)
{
	struct nlattr *tb[BLKREPL_LA_MAX + 1];
	struct st_latency *l;
	uint32_t stage = -1;

	if (!nest(tb, BLKREPL_LA_MAX, a))
		return;
	get_u32(tb[BLKREPL_LA_STAGE], &stage);
	l = get_latency(list, stage);
	get_u64(tb[BLKREPL_LA_COUNT], &l->count);
	get_u64(tb[BLKREPL_LA_SUM], &l->sum);
	get_u64(tb[BLKREPL_LA_LONGEST], &l->max);
	read_buckets(l, a);
}

/* Of a volume or a peer, which are known by now. */
static void read_latency_of(struct state *st, struct nlattr *a, const struct st_change *c)
{
	struct st_res *res = state_res(st, c->res);
	struct st_vol *v = res && c->vol >= 0 ? state_vol(res, c->vol) : NULL;
	struct st_peer *p = res && c->peer >= 0 ? state_peer(res, c->peer) : NULL;

	if (v)
		read_latency(&v->latency, a);
	else if (p)
		read_latency(&p->latency, a);
}

static bool has_any(struct nlattr **tb, int cfg, int info)
{
	return tb[cfg] || tb[info];
}

/* Objects that the message describes come with a nest of theirs. */
static void read_objects(struct state *st, struct nlattr **tb, struct st_change *c)
{
	struct st_res *res;
	struct st_peer *p;
	bool is_new;

	if (c->event > BLKREPL_EV_PVOL)
		return;			/* a report, not a state */
	if (tb[BLKREPL_A_LATENCY]) {
		read_latency_of(st, tb[BLKREPL_A_LATENCY], c);
		return;
	}
	res = get_res(st, c->res, &c->is_new);
	read_res(res, tb);
	if (c->vol >= 0 && has_any(tb, BLKREPL_A_VOL_CFG, BLKREPL_A_VOL_INFO))
		read_vol(get_vol(res, c->vol, &c->is_new), tb);
	if (c->peer < 0)
		return;
	if (!has_any(tb, BLKREPL_A_PEER_CFG, BLKREPL_A_PEER_INFO) &&
	    !tb[BLKREPL_A_PVOL_INFO])
		return;
	p = get_peer(res, c->peer, &is_new);
	if (has_any(tb, BLKREPL_A_PEER_CFG, BLKREPL_A_PEER_INFO)) {
		c->is_new = is_new;
		read_peer(p, tb);
	}
	if (c->vol >= 0 && tb[BLKREPL_A_PVOL_INFO])
		read_pvol(get_pvol(p, c->vol, &c->is_new), tb);
}

static void remove_object(struct state *st, const struct st_change *c)
{
	struct st_res *res = state_res(st, c->res);

	if (!res)
		return;
	if (c->event == BLKREPL_EV_RES_GONE)
		del_res(st, c->res);
	else if (c->event == BLKREPL_EV_VOL_GONE && c->vol >= 0)
		del_vol(res, c->vol);
	else if (c->event == BLKREPL_EV_PEER_GONE && c->peer >= 0)
		del_peer(res, c->peer);
}

static bool read_change(struct nlattr **tb, struct st_change *c)
{
	uint32_t vol = -1, peer = -1;

	memset(c, 0, sizeof(*c));
	if (!tb[BLKREPL_A_RES])
		return false;
	get_str(tb[BLKREPL_A_RES], c->res, sizeof(c->res));
	get_u32(tb[BLKREPL_A_VOL], &vol);
	get_u32(tb[BLKREPL_A_PEER], &peer);
	get_u32(tb[BLKREPL_A_EVENT], &c->event);
	get_str(tb[BLKREPL_A_TEXT], c->text, sizeof(c->text));
	c->vol = vol < BLKREPL_MAX_VOLUMES ? (int)vol : -1;
	c->peer = peer < BLKREPL_MAX_NODES ? (int)peer : -1;
	return c->res[0];
}

/* Looked up before the peer goes, or after it came. */
static void name_peer(const struct state *st, struct st_change *c)
{
	const struct st_res *res = state_res(st, c->res);
	const struct st_peer *p = res && c->peer >= 0 ? state_peer(res, c->peer) : NULL;

	if (p)
		str_copy(c->peer_name, p->name, sizeof(c->peer_name));
}

bool state_apply(struct state *st, const struct nlmsghdr *nlh, struct st_change *c)
{
	struct nlattr *tb[BLKREPL_A_MAX + 1];
	struct st_change own;

	if (!c)
		c = &own;
	if (genlmsg_parse((struct nlmsghdr *)nlh, 0, tb, BLKREPL_A_MAX, NULL) ||
	    !read_change(tb, c))
		return false;
	name_peer(st, c);
	switch (c->event) {
	case BLKREPL_EV_RES_GONE:
	case BLKREPL_EV_VOL_GONE:
	case BLKREPL_EV_PEER_GONE:
		remove_object(st, c);
		break;
	default:
		read_objects(st, tb, c);
		name_peer(st, c);
	}
	return true;
}

static void on_object(const struct nlmsghdr *nlh, void *arg)
{
	state_apply(arg, nlh, NULL);
}

static int load_all(struct ctl *ctl, struct state *st, struct ctl_error *err)
{
	static const int cmds[] = {
		BLKREPL_CMD_RES_GET, BLKREPL_CMD_VOL_GET,
		BLKREPL_CMD_PEER_GET, BLKREPL_CMD_PVOL_GET,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		if (ctl_dump(ctl, cmds[i], on_object, st, err))
			return -1;
	return 0;
}

struct state *state_load(struct ctl *ctl, struct ctl_error *err)
{
	unsigned int attempt;

	/* Something that changes all the time must not keep us from answering. */
	for (attempt = 0; attempt < 10; attempt++) {
		struct state *st = state_new();

		if (!load_all(ctl, st, err))
			return st;
		state_free(st);
		if (err->errnum != EINTR)
			break;
	}
	return NULL;
}

int state_load_latency(struct ctl *ctl, struct state *st, struct ctl_error *err)
{
	unsigned int attempt;

	for (attempt = 0; attempt < 10; attempt++) {
		if (!ctl_dump(ctl, BLKREPL_CMD_LATENCY_GET, on_object, st, err) ||
		    err->errnum == EOPNOTSUPP)
			return 0;
		if (err->errnum != EINTR)
			break;
	}
	return -1;
}
