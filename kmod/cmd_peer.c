// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands about a peer: its existence, settings, connection and resync.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <net/genetlink.h>
#include <net/ipv6.h>

#include "netlink.h"

/* ---- settings ---- */

static bool addr_usable(const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *v4 = (const void *)addr;
	const struct sockaddr_in6 *v6 = (const void *)addr;

	switch (addr->ss_family) {
	case AF_INET:
		return v4->sin_port && v4->sin_addr.s_addr != htonl(INADDR_ANY);
	case AF_INET6:
		return v6->sin6_port && !ipv6_addr_any(&v6->sin6_addr);
	default:
		return false;
	}
}

static int get_addr(struct nlattr *a, const char *whose,
		    struct sockaddr_storage *addr,
		    struct netlink_ext_ack *extack)
{
	size_t len;

	memset(addr, 0, sizeof(*addr));
	memcpy(addr, nla_data(a), nla_len(a));
	len = addr->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
					   sizeof(struct sockaddr_in6);
	if (nla_len(a) != len || !addr_usable(addr))
		return blkrepl_refuse(extack, -EINVAL,
				      "%s address: an IPv4 or IPv6 address and a port are needed",
				      whose);
	if (addr->ss_family == AF_INET)
		memset(((struct sockaddr_in *)addr)->sin_zero, 0,
		       sizeof(((struct sockaddr_in *)addr)->sin_zero));
	return 0;
}

static void set_u32(struct nlattr *a, u32 *out)
{
	if (a)
		*out = nla_get_u32(a);
}

static void set_u64(struct nlattr *a, u64 *out)
{
	if (a)
		*out = nla_get_u64(a);
}

static void set_bool(struct nlattr *a, bool *out)
{
	if (a)
		*out = nla_get_u32(a);
}

static int set_secret(struct nlattr **tb, struct blkrepl_peer_conf *cfg,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *secret = tb[BLKREPL_PC_SECRET];
	struct nlattr *auth = tb[BLKREPL_PC_AUTH];

	if (secret) {
		if (auth && !nla_get_u32(auth))
			return blkrepl_refuse(extack, -EINVAL,
					      "a secret, and no authentication: choose one");
		memset(cfg->secret, 0, sizeof(cfg->secret));
		cfg->secret_len = nla_len(secret);
		memcpy(cfg->secret, nla_data(secret), cfg->secret_len);
	} else if (auth && !nla_get_u32(auth)) {
		memset(cfg->secret, 0, sizeof(cfg->secret));
		cfg->secret_len = 0;
	} else if (auth && !cfg->secret_len) {
		return blkrepl_refuse(extack, -EINVAL,
				      "authentication needs a secret");
	}
	return 0;
}

/* Put settings into @conf and @cfg, which hold the present ones. */
static int peer_conf(struct nlattr **tb, struct repl_peer_conf *conf,
		     struct blkrepl_peer_conf *cfg,
		     struct netlink_ext_ack *extack)
{
	int err;

	if (tb[BLKREPL_PC_NAME])
		nla_strscpy(cfg->name, tb[BLKREPL_PC_NAME], sizeof(cfg->name));
	if (tb[BLKREPL_PC_LOCAL_ADDR]) {
		err = get_addr(tb[BLKREPL_PC_LOCAL_ADDR], "local", &cfg->local,
			       extack);
		if (err)
			return err;
	}
	if (tb[BLKREPL_PC_PEER_ADDR]) {
		err = get_addr(tb[BLKREPL_PC_PEER_ADDR], "peer's", &cfg->remote,
			       extack);
		if (err)
			return err;
	}
	err = set_secret(tb, cfg, extack);
	if (err)
		return err;

	/* Slow is not dead: acknowledgements wait for a disk, answers don't. */
	if (tb[BLKREPL_PC_TIMEOUT]) {
		conf->timeout_ms = nla_get_u32(tb[BLKREPL_PC_TIMEOUT]);
		conf->ack_timeout_ms = 5 * conf->timeout_ms;
	}
	set_u32(tb[BLKREPL_PC_PING_INT], &conf->ping_int_ms);
	set_u32(tb[BLKREPL_PC_CONNECT_INT], &cfg->connect_int_ms);
	set_bool(tb[BLKREPL_PC_DATA_CRC], &cfg->data_crc);
	set_u32(tb[BLKREPL_PC_SNDBUF], &cfg->sndbuf);
	set_u32(tb[BLKREPL_PC_RCVBUF], &cfg->rcvbuf);
	set_u64(tb[BLKREPL_PC_RESYNC_RATE_MAX], &conf->rate_max);
	set_u64(tb[BLKREPL_PC_RESYNC_RATE_MIN], &conf->rate_min);
	set_u32(tb[BLKREPL_PC_MAX_BUFFERS], &cfg->max_buffers);
	set_bool(tb[BLKREPL_PC_ASYNC], &conf->async);

	if (!cfg->local.ss_family || !cfg->remote.ss_family)
		return blkrepl_refuse(extack, -EINVAL,
				      "the addresses of both ends are needed");
	if (cfg->local.ss_family != cfg->remote.ss_family)
		return blkrepl_refuse(extack, -EINVAL,
				      "one address is IPv4, the other IPv6");
	if (conf->ping_int_ms * 2 > conf->timeout_ms)
		return blkrepl_refuse(extack, -EINVAL,
				      "heartbeat every %u ms: at most half of the timeout of %u ms",
				      conf->ping_int_ms, conf->timeout_ms);
	if (conf->rate_max && conf->rate_max < conf->rate_min)
		return blkrepl_refuse(extack, -EINVAL,
				      "the highest resync rate is below the lowest");
	return 0;
}

static void peer_cfg_init(struct blkrepl_peer_conf *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->data_crc = true;
	cfg->connect_int_ms = 1000;
	cfg->max_buffers = 8192;
}

int blkrepl_nl_peer_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[BLKREPL_PC_MAX + 1];
	struct repl_peer_conf conf;
	struct blkrepl_peer_conf cfg;
	struct blkrepl_cmd_ctx c;
	int err;

	err = blkrepl_cmd_begin_new(&c, info, CMD_PEER);
	if (err)
		return err;
	if (c.peer_nr == c.r->res.node) {
		err = blkrepl_refuse(c.extack, -EINVAL,
				     "%u is the own node id: a peer needs another one",
				     c.peer_nr);
		goto out;
	}
	blkrepl_cmd_nest(info, BLKREPL_A_PEER_CFG, tb, BLKREPL_PC_MAX);
	repl_peer_conf_init(&conf);
	peer_cfg_init(&cfg);
	err = peer_conf(tb, &conf, &cfg, c.extack);
	if (!err)
		err = blkrepl_peer_new(c.r, c.peer_nr, tb[BLKREPL_PC_WITNESS] &&
				       nla_get_u32(tb[BLKREPL_PC_WITNESS]),
				       &conf, &cfg, c.extack);
	memzero_explicit(&cfg, sizeof(cfg));
out:
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_peer_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[BLKREPL_PC_MAX + 1];
	struct repl_peer_conf conf;
	struct blkrepl_peer_conf cfg;
	struct blkrepl_cmd_ctx c;
	unsigned long flags;
	bool idle;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_PEER);
	if (err)
		return err;
	blkrepl_cmd_nest(info, BLKREPL_A_PEER_CFG, tb, BLKREPL_PC_MAX);
	conf = c.p->peer.conf;
	cfg = c.p->cfg;
	err = peer_conf(tb, &conf, &cfg, c.extack);
	if (err)
		goto out;
	/* The listener and the threads know the addresses. */
	if (memcmp(&cfg.local, &c.p->cfg.local, sizeof(cfg.local)) ||
	    memcmp(&cfg.remote, &c.p->cfg.remote, sizeof(cfg.remote))) {
		blkrepl_lock(c.r, flags);
		idle = blkrepl_conn_idle(c.p);
		blkrepl_unlock_quiet(c.r, flags);
		if (!idle) {
			err = blkrepl_refuse(c.extack, -EBUSY,
					     "peer %u: disconnect it before its addresses change",
					     c.peer_nr);
			goto out;
		}
		blkrepl_peer_disconnect(c.p, NULL);
	}
	blkrepl_lock(c.r, flags);
	c.p->peer.conf = conf;
	repl_conf_changed(&c.r->res);
	c.p->cfg = cfg;
	blkrepl_notify(&c.r->res, NOTE_PEER, NULL, &c.p->peer, NULL);
	blkrepl_unlock(c.r, flags);
out:
	memzero_explicit(&cfg, sizeof(cfg));
	blkrepl_cmd_end(&c);
	return err;
}

/* ---- connection ---- */

int blkrepl_nl_connect(struct sk_buff *skb, struct genl_info *info)
{
	bool discard = info->attrs[BLKREPL_A_DISCARD_MY_DATA];
	struct blkrepl_cmd_ctx c;
	const char *why = NULL;
	unsigned long flags;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_PEER);
	if (err)
		return err;
	if (discard) {
		if (c.r->res.role == ROLE_PRIMARY) {
			err = blkrepl_refuse(c.extack, -EBUSY,
					     "a Primary can't discard its data: make it Secondary first");
			goto out;
		}
		if (c.p->peer.conn == CONN_CONNECTED) {
			err = blkrepl_refuse(c.extack, -EISCONN,
					     "peer %u is connected: nothing to discard",
					     c.peer_nr);
			goto out;
		}
	}
	/* It holds for this attempt: the next one has to say it again. */
	blkrepl_lock(c.r, flags);
	if (c.p->peer.conn != CONN_CONNECTED)
		c.p->peer.discard_my_data = discard;
	blkrepl_unlock(c.r, flags);
	err = blkrepl_peer_connect(c.p, &why);
	if (err)
		blkrepl_refuse(c.extack, err, "peer %u: %s", c.peer_nr,
			       why ?: "cannot connect");
out:
	blkrepl_cmd_end(&c);
	return err;
}

/* Is there another connected peer with good data?  Under r->lock. */
static bool other_source(struct blkrepl_volume *v, struct blkrepl_peer *but)
{
	struct blkrepl_resource *r = v->r;
	struct repl_pv_info pv;
	unsigned int i;

	for (i = 0; i < BLKREPL_MAX_NODES; i++) {
		if (!r->peer[i] || r->peer[i] == but ||
		    r->peer[i]->peer.conn != CONN_CONNECTED)
			continue;
		repl_pv_info(&v->vol, &r->peer[i]->peer, &pv);
		if (pv.peer_disk == DISK_UPTODATE)
			return true;
	}
	return false;
}

/*
 * A volume that reads from this peer, because nobody else has good data: a
 * Primary would be left with nothing.  Under r->lock.
 */
static struct blkrepl_volume *find_dependent(struct blkrepl_peer *p)
{
	struct blkrepl_resource *r = p->r;
	struct repl_pv_info pv;
	unsigned int i;

	if (r->res.role != ROLE_PRIMARY || p->peer.conn != CONN_CONNECTED)
		return NULL;
	for (i = 0; i < BLKREPL_MAX_VOLUMES; i++) {
		struct blkrepl_volume *v = r->volume[i];

		if (!v || v->vol.disk == DISK_UPTODATE)
			continue;
		repl_pv_info(&v->vol, &p->peer, &pv);
		if (pv.peer_disk == DISK_UPTODATE && !other_source(v, p))
			return v;
	}
	return NULL;
}

static int refuse_dependent(struct blkrepl_cmd_ctx *c)
{
	struct blkrepl_volume *v;
	unsigned long flags;

	blkrepl_lock(c->r, flags);
	v = find_dependent(c->p);
	blkrepl_unlock(c->r, flags);
	return v ? blkrepl_refuse(c->extack, -EBUSY,
				  "volume %u has no other good data within reach than peer %u's",
				  v->vol.nr, c->peer_nr) : 0;
}

int blkrepl_nl_disconnect(struct sk_buff *skb, struct genl_info *info)
{
	struct blkrepl_cmd_ctx c;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_PEER);
	if (err)
		return err;
	if (!info->attrs[BLKREPL_A_FORCE])
		err = refuse_dependent(&c);
	if (!err)
		blkrepl_peer_disconnect(c.p, NULL);
	blkrepl_cmd_end(&c);
	return err;
}

/* One that is connected is disconnected, but only if it can go. */
int blkrepl_nl_peer_del(struct sk_buff *skb, struct genl_info *info)
{
	struct blkrepl_cmd_ctx c;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_PEER);
	if (err)
		return err;
	err = refuse_dependent(&c) ?: blkrepl_peer_del(c.p, c.extack);
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_fenced(struct sk_buff *skb, struct genl_info *info)
{
	struct blkrepl_cmd_ctx c;
	const char *why = NULL;
	unsigned long flags;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_PEER);
	if (err)
		return err;
	blkrepl_lock(c.r, flags);
	err = repl_fenced(&c.p->peer, &why);
	blkrepl_unlock(c.r, flags);
	if (err)
		blkrepl_refuse(c.extack, err, "peer %u: %s", c.peer_nr, why);
	blkrepl_cmd_end(&c);
	return err;
}

/* ---- resync ---- */

static int pause_sync(struct genl_info *info, bool pause)
{
	struct blkrepl_cmd_ctx c;
	const char *why = NULL;
	unsigned long flags;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_VOL | CMD_PEER);
	if (err)
		return err;
	blkrepl_lock(c.r, flags);
	err = repl_pause(&c.v->vol, &c.p->peer, pause, &why);
	blkrepl_unlock(c.r, flags);
	if (err)
		blkrepl_refuse(c.extack, err, "%s", why ?:
			       "the resync cannot be held or resumed");
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_pause_sync(struct sk_buff *skb, struct genl_info *info)
{
	return pause_sync(info, true);
}

int blkrepl_nl_resume_sync(struct sk_buff *skb, struct genl_info *info)
{
	return pause_sync(info, false);
}

int blkrepl_nl_verify(struct sk_buff *skb, struct genl_info *info)
{
	struct blkrepl_cmd_ctx c;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_VOL | CMD_PEER);
	if (err)
		return err;
	err = blkrepl_refuse(c.extack, -EOPNOTSUPP,
			     "this module has no online verify yet");
	blkrepl_cmd_end(&c);
	return err;
}
