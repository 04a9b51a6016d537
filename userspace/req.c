// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to the kernel: encoding them, and printing them as commands.
 */
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdarg.h>
#include <stdio.h>

#include "conf.h"
#include "names.h"
#include "req.h"
#include "util.h"

void req_init(struct req *r, enum blkrepl_cmd cmd, const char *res)
{
	memset(r, 0, sizeof(*r));
	r->cmd = cmd;
	if (res)
		str_copy(r->res, res, sizeof(r->res));
	r->vol = -1;
	r->peer = -1;
	r->role = -1;
	r->node_id = -1;
	r->minor = -1;
}

/* The kind of object whose settings a command carries. */
static enum opt_group group_of(enum blkrepl_cmd cmd)
{
	switch (cmd) {
	case BLKREPL_CMD_RES_NEW:
	case BLKREPL_CMD_RES_SET:
		return GROUP_RES;
	case BLKREPL_CMD_VOL_NEW:
	case BLKREPL_CMD_VOL_SET:
	case BLKREPL_CMD_ATTACH:
	case BLKREPL_CMD_RESIZE:
		return GROUP_VOL;
	case BLKREPL_CMD_PEER_NEW:
	case BLKREPL_CMD_PEER_SET:
		return GROUP_PEER;
	default:
		return 0;
	}
}

static bool put_opts(struct nl_msg *msg, const struct req *r, enum opt_group group)
{
	unsigned int i;

	for (i = 0; i < OPT_COUNT; i++) {
		const struct opt_def *d = &opt_defs[i];

		if (d->group != group || !opt_is_set(&r->opts, i))
			continue;
		if (d->wide ? nla_put_u64(msg, d->attr, r->opts.val[i]) :
			      nla_put_u32(msg, d->attr, r->opts.val[i]))
			return false;
	}
	return true;
}

static bool put_number(struct nl_msg *msg, int attr, int val)
{
	return val < 0 || !nla_put_u32(msg, attr, val);
}

static bool put_string(struct nl_msg *msg, int attr, const char *s)
{
	return !s || !*s || !nla_put_string(msg, attr, s);
}

static bool put_flag(struct nl_msg *msg, int attr, bool set)
{
	return !set || !nla_put_flag(msg, attr);
}

static bool put_addr(struct nl_msg *msg, int attr, bool set,
		     const struct sockaddr_storage *sa)
{
	return !set || !nla_put(msg, attr, addr_len(sa), sa);
}

static bool put_res_cfg(struct nl_msg *msg, const struct req *r)
{
	return put_number(msg, BLKREPL_RC_NODE_ID, r->node_id) &&
	       put_number(msg, BLKREPL_RC_WITNESS, r->witness ? 1 : -1) &&
	       put_string(msg, BLKREPL_RC_NODE_NAME, r->node_name) &&
	       put_opts(msg, r, GROUP_RES);
}

static bool put_vol_cfg(struct nl_msg *msg, const struct req *r)
{
	return put_number(msg, BLKREPL_VC_MINOR, r->minor) &&
	       put_string(msg, BLKREPL_VC_DISK, r->disk) &&
	       put_string(msg, BLKREPL_VC_META_DISK, r->meta_disk) &&
	       put_opts(msg, r, GROUP_VOL);
}

static bool put_peer_cfg(struct nl_msg *msg, const struct req *r)
{
	return put_string(msg, BLKREPL_PC_NAME, r->node_name) &&
	       put_number(msg, BLKREPL_PC_WITNESS, r->witness ? 1 : -1) &&
	       put_addr(msg, BLKREPL_PC_LOCAL_ADDR, r->has_local, &r->local) &&
	       put_addr(msg, BLKREPL_PC_PEER_ADDR, r->has_addr, &r->addr) &&
	       (!r->secret || !nla_put(msg, BLKREPL_PC_SECRET, r->secret_len, r->secret)) &&
	       (!r->auth_none || !nla_put_u32(msg, BLKREPL_PC_AUTH, 0)) &&
	       put_opts(msg, r, GROUP_PEER);
}

static bool put_cfg(struct nl_msg *msg, const struct req *r)
{
	static const struct {
		enum opt_group group;
		int attr;
		bool (*put)(struct nl_msg *msg, const struct req *r);
	} nests[] = {
		{ GROUP_RES, BLKREPL_A_RES_CFG, put_res_cfg },
		{ GROUP_VOL, BLKREPL_A_VOL_CFG, put_vol_cfg },
		{ GROUP_PEER, BLKREPL_A_PEER_CFG, put_peer_cfg },
	};
	enum opt_group group = group_of(r->cmd);
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nests); i++) {
		if (nests[i].group != group)
			continue;
		nest = nla_nest_start(msg, nests[i].attr | NLA_F_NESTED);
		if (!nest || !nests[i].put(msg, r))
			return false;
		nla_nest_end(msg, nest);
	}
	return true;
}

bool req_encode(const struct req *r, struct nl_msg *msg)
{
	return put_string(msg, BLKREPL_A_RES, r->res) &&
	       put_number(msg, BLKREPL_A_VOL, r->vol) &&
	       put_number(msg, BLKREPL_A_PEER, r->peer) &&
	       put_number(msg, BLKREPL_A_ROLE, r->role) &&
	       put_flag(msg, BLKREPL_A_FORCE, r->force) &&
	       put_flag(msg, BLKREPL_A_REMOTE, r->remote) &&
	       put_flag(msg, BLKREPL_A_DISCARD_MY_DATA, r->discard_my_data) &&
	       put_cfg(msg, r);
}

/* ---- as a command line ---- */

struct text {
	char *buf;
	size_t len, size;
};

static void add(struct text *t, const char *fmt, ...) __printf(2, 3);

static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->len >= t->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	t->len += n;
}

static const char *verb_of(const struct req *r)
{
	switch (r->cmd) {
	case BLKREPL_CMD_RES_NEW:	return "new-resource";
	case BLKREPL_CMD_RES_DEL:	return "del-resource";
	case BLKREPL_CMD_RES_SET:	return "resource-options";
	case BLKREPL_CMD_ROLE_SET:
		return r->role == BLKREPL_ROLE_PRIMARY ? "primary" : "secondary";
	case BLKREPL_CMD_VOL_NEW:	return "new-volume";
	case BLKREPL_CMD_VOL_DEL:	return "del-volume";
	case BLKREPL_CMD_VOL_SET:	return "disk-options";
	case BLKREPL_CMD_ATTACH:	return "attach";
	case BLKREPL_CMD_DETACH:	return "detach";
	case BLKREPL_CMD_RESIZE:	return "resize";
	case BLKREPL_CMD_INVALIDATE:
		return r->remote ? "invalidate-remote" : "invalidate";
	case BLKREPL_CMD_NEW_DATASET:	return "new-data-set";
	case BLKREPL_CMD_PEER_NEW:	return "new-peer";
	case BLKREPL_CMD_PEER_DEL:	return "del-peer";
	case BLKREPL_CMD_PEER_SET:	return "net-options";
	case BLKREPL_CMD_CONNECT:	return "connect";
	case BLKREPL_CMD_DISCONNECT:	return "disconnect";
	case BLKREPL_CMD_FENCED:	return "fenced";
	case BLKREPL_CMD_PAUSE_SYNC:	return "pause-sync";
	case BLKREPL_CMD_RESUME_SYNC:	return "resume-sync";
	case BLKREPL_CMD_VERIFY:	return "verify";
	default:			return "?";
	}
}

static void add_addr(struct text *t, const char *opt, bool set,
		     const struct sockaddr_storage *sa)
{
	char buf[80];

	if (!set)
		return;
	addr_format(sa, buf, sizeof(buf));
	add(t, " --%s %s", opt, buf);
}

static void add_positional(struct text *t, const struct req *r)
{
	switch (r->cmd) {
	case BLKREPL_CMD_RES_NEW:
		add(t, " %s %d", r->res, r->node_id);
		return;
	case BLKREPL_CMD_VOL_NEW:
		add(t, " %s/%d %d", r->res, r->vol, r->minor);
		return;
	case BLKREPL_CMD_PEER_NEW:
		add(t, " %s %d", r->res, r->peer);
		return;
	default:
		break;
	}
	add(t, " %s", r->res);
	if (r->peer >= 0)
		add(t, ":%d", r->peer);
	if (r->vol >= 0)
		add(t, "/%d", r->vol);
	if (r->disk)
		add(t, " %s", r->disk);
	if (r->meta_disk)
		add(t, " --meta-disk %s", r->meta_disk);
}

static void add_peer(struct text *t, const struct req *r)
{
	add_addr(t, "local-addr", r->has_local, &r->local);
	add_addr(t, "peer-addr", r->has_addr, &r->addr);
	if (r->secret)
		add(t, " --secret-file FILE");
	else if (r->auth_none)
		add(t, " --auth-none");
}

void req_format(const struct req *r, char *buf, size_t size)
{
	struct text t = { buf, 0, size };
	enum opt_group group = group_of(r->cmd);
	char val[64];
	unsigned int i;

	add(&t, "blkrepl %s", verb_of(r));
	add_positional(&t, r);
	if (r->force)
		add(&t, " --force");
	if (r->witness)
		add(&t, " --witness");
	if (r->discard_my_data)
		add(&t, " --discard-my-data");
	if (r->node_name[0])
		add(&t, " --name %s", r->node_name);
	if (group == GROUP_PEER)
		add_peer(&t, r);
	for (i = 0; i < OPT_COUNT; i++) {
		if (opt_defs[i].group != group || !opt_is_set(&r->opts, i))
			continue;
		opt_format(i, r->opts.val[i], val, sizeof(val));
		add(&t, " --%s %s", opt_defs[i].name, val);
	}
}
