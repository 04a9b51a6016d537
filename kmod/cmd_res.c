// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands about a resource as a whole: its existence, settings and role.
 */
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <net/genetlink.h>

#include "netlink.h"

/* Names become paths of device links and words of the configuration. */
static bool name_valid(const char *name)
{
	if (!*name || *name == '.' || *name == '-')
		return false;
	for (; *name; name++)
		if (!isascii(*name) || !isgraph(*name) || *name == '/')
			return false;
	return true;
}

static void res_conf(struct nlattr **tb, struct repl_res_conf *conf)
{
	if (tb[BLKREPL_RC_ACK_POLICY])
		conf->ack_policy = nla_get_u32(tb[BLKREPL_RC_ACK_POLICY]);
	if (tb[BLKREPL_RC_ON_NO_DATA])
		conf->on_no_data = nla_get_u32(tb[BLKREPL_RC_ON_NO_DATA]);
	if (tb[BLKREPL_RC_ON_BACKLOG])
		conf->on_backlog = nla_get_u32(tb[BLKREPL_RC_ON_BACKLOG]);
	if (tb[BLKREPL_RC_BACKLOG_MAX])
		conf->backlog_max = nla_get_u64(tb[BLKREPL_RC_BACKLOG_MAX]);
	if (tb[BLKREPL_RC_BACKLOG_TIME])
		conf->backlog_ms = nla_get_u32(tb[BLKREPL_RC_BACKLOG_TIME]);
	if (tb[BLKREPL_RC_MIN_IN_SYNC])
		conf->min_in_sync = nla_get_u32(tb[BLKREPL_RC_MIN_IN_SYNC]);
	if (tb[BLKREPL_RC_ON_NO_QUORUM])
		conf->on_no_quorum = nla_get_u32(tb[BLKREPL_RC_ON_NO_QUORUM]);
	if (tb[BLKREPL_RC_AUTO_PROMOTE])
		conf->auto_promote = nla_get_u32(tb[BLKREPL_RC_AUTO_PROMOTE]);
	if (tb[BLKREPL_RC_FENCING])
		conf->fencing = nla_get_u32(tb[BLKREPL_RC_FENCING]);
	if (tb[BLKREPL_RC_AFTER_SPLIT_BRAIN])
		conf->after_split_brain =
			nla_get_u32(tb[BLKREPL_RC_AFTER_SPLIT_BRAIN]);
}

/* A majority that acknowledges elects, too. */
static int quorum_conf(struct nlattr **tb, struct repl_res_conf *conf,
		       struct netlink_ext_ack *extack)
{
	if (tb[BLKREPL_RC_QUORUM])
		conf->votes = nla_get_u32(tb[BLKREPL_RC_QUORUM]);
	else if (conf->ack_policy == ACK_QUORUM)
		conf->votes = true;
	if (conf->ack_policy == ACK_QUORUM && !conf->votes)
		return blkrepl_refuse(extack, -EINVAL,
				      "quorum off contradicts ack-policy quorum, which elects primaries: choose sync or async with it");
	return 0;
}

int blkrepl_nl_res_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[BLKREPL_RC_MAX + 1];
	struct nlattr *name = info->attrs[BLKREPL_A_RES];
	struct repl_res_conf conf;
	unsigned int noio;
	const char *why;
	int err;

	err = blkrepl_cmd_allowed(info);
	if (err)
		return err;
	if (!name)
		return blkrepl_refuse(info->extack, -EINVAL,
				      "the name of a resource is missing");
	if (!name_valid(nla_data(name)))
		return blkrepl_refuse(info->extack, -EINVAL,
				      "a name has letters, digits and punctuation but '/', and begins with neither '.' nor '-'");
	blkrepl_cmd_nest(info, BLKREPL_A_RES_CFG, tb, BLKREPL_RC_MAX);
	if (!tb[BLKREPL_RC_NODE_ID])
		return blkrepl_refuse(info->extack, -EINVAL,
				      "the own node id is missing");
	repl_res_conf_init(&conf);
	res_conf(tb, &conf);
	err = quorum_conf(tb, &conf, info->extack);
	if (err)
		return err;
	why = repl_conf_check(&conf);
	if (why)
		return blkrepl_refuse(info->extack, -EINVAL, "%s", why);

	noio = memalloc_noio_save();
	err = blkrepl_resource_new(blkrepl_net(genl_info_net(info)),
				   nla_data(name),
				   nla_get_u32(tb[BLKREPL_RC_NODE_ID]),
				   tb[BLKREPL_RC_WITNESS] &&
				   nla_get_u32(tb[BLKREPL_RC_WITNESS]),
				   tb[BLKREPL_RC_NODE_NAME] ?
				   nla_data(tb[BLKREPL_RC_NODE_NAME]) : NULL,
				   &conf, info->extack);
	memalloc_noio_restore(noio);
	return err;
}

int blkrepl_nl_res_del(struct sk_buff *skb, struct genl_info *info)
{
	struct blkrepl_cmd_ctx c;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_RES);
	if (err)
		return err;
	err = blkrepl_resource_del(c.r, c.extack);
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_res_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[BLKREPL_RC_MAX + 1];
	struct blkrepl_cmd_ctx c;
	struct repl_res_conf conf;
	const char *why = NULL;
	unsigned long flags;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_RES);
	if (err)
		return err;
	blkrepl_cmd_nest(info, BLKREPL_A_RES_CFG, tb, BLKREPL_RC_MAX);
	conf = c.r->res.conf;
	res_conf(tb, &conf);
	err = quorum_conf(tb, &conf, c.extack);
	if (err)
		goto end;
	blkrepl_lock(c.r, flags);
	err = repl_conf_allowed(&c.r->res, &conf, &why);
	if (err) {
		blkrepl_unlock_quiet(c.r, flags);
		blkrepl_refuse(c.extack, err, "%s", why);
		goto end;
	}
	c.r->res.conf = conf;
	if (tb[BLKREPL_RC_NODE_NAME])
		nla_strscpy(c.r->node_name, tb[BLKREPL_RC_NODE_NAME],
			    sizeof(c.r->node_name));
	repl_conf_changed(&c.r->res);
	blkrepl_notify(&c.r->res, NOTE_RES, NULL, NULL, NULL);
	blkrepl_unlock(c.r, flags);
end:
	blkrepl_cmd_end(&c);
	return err;
}

/* ---- roles ---- */

/**
 * blkrepl_vote_done() - ops->vote_done: the outcome of a promotion
 * @res: the resource
 * @err: 0: Primary
 * @by: else who was against it, NULL: nobody else
 * @why: and why
 *
 * Under r->lock.
 */
void blkrepl_vote_done(struct repl_res *res, int err, struct repl_peer *by,
		       const char *why)
{
	struct blkrepl_resource *r = to_resource(res);

	lockdep_assert_held(&r->lock);
	r->vote_err = err;
	r->vote_why[0] = 0;
	if (by)
		snprintf(r->vote_why, sizeof(r->vote_why), "%s (node %u): %s",
			 blkrepl_peer_name(to_peer(by)), by->node, why);
	else if (why)
		strscpy(r->vote_why, why, sizeof(r->vote_why));
	complete_all(&r->vote);
}

/*
 * The mutex is dropped while votes come in: what an administrator does to help
 * (connect a peer, or give one up) must be possible just then.
 */
static int promote(struct blkrepl_cmd_ctx *c, bool force)
{
	struct blkrepl_resource *r = c->r;
	const char *why = NULL;
	unsigned long flags;
	char text[sizeof(r->vote_why)];
	long left;
	int err;

	if (r->voting)
		return blkrepl_refuse(c->extack, -EALREADY,
				      "an attempt to become Primary is under way");

	blkrepl_lock(r, flags);
	reinit_completion(&r->vote);
	err = repl_promote(&r->res, force, &why);
	blkrepl_unlock(r, flags);
	if (err == -EALREADY)
		return 0;
	if (err)
		return blkrepl_refuse(c->extack, err, "%s",
				      why ?: "cannot become Primary");

	r->voting = true;
	mutex_unlock(&r->admin);
	left = wait_for_completion_killable_timeout(&r->vote, BLKREPL_CMD_WAIT);
	mutex_lock(&r->admin);
	r->voting = false;
	if (left < 0)
		return -EINTR;
	if (!left)
		return blkrepl_refuse(c->extack, -ETIMEDOUT,
				      "no outcome yet; the attempt to become Primary goes on");

	blkrepl_lock(r, flags);
	err = r->vote_err;
	memcpy(text, r->vote_why, sizeof(text));
	blkrepl_unlock_quiet(r, flags);
	if (err)
		return blkrepl_refuse(c->extack, err, "%s",
				      text[0] ? text : "cannot become Primary");
	return 0;
}

/* Name a device that may be open for writing.  Under r->lock. */
static struct blkrepl_volume *find_writer(struct blkrepl_resource *r)
{
	unsigned int i;

	for (i = 0; i < BLKREPL_MAX_VOLUMES; i++)
		if (r->volume[i] && r->volume[i]->writers)
			return r->volume[i];
	return NULL;
}

/*
 * With force what programs wait for fails, and they may keep the devices open:
 * they can't write any more.
 */
static int demote(struct blkrepl_cmd_ctx *c, bool force)
{
	unsigned long end = jiffies + BLKREPL_CMD_WAIT;
	unsigned long patience = jiffies + HZ;
	struct blkrepl_resource *r = c->r;
	struct blkrepl_volume *v;
	unsigned int openers = 0;
	const char *why;
	unsigned long flags;
	int err;

	for (;;) {
		why = NULL;
		/* Nobody can open a device between the look and the step. */
		blkrepl_lock(r, flags);
		v = force ? NULL : find_writer(r);
		if (v)
			openers = v->openers;
		err = repl_demote(&r->res, force, &why);
		blkrepl_unlock(r, flags);
		/* udev looks into every device that was just closed. */
		if (err && v && time_after(jiffies, patience))
			return blkrepl_refuse(c->extack, err,
					      "/dev/blkrepl%u was opened for writing and is still open by %u, readers counted: close it first (umount, swapoff)",
					      v->minor, openers);
		if ((err != -EBUSY && err != -EAGAIN) ||
		    time_after(jiffies, end))
			break;
		/* The last I/O is on its way out, or suspended. */
		if (msleep_interruptible(20))
			return -EINTR;
	}
	if (err)
		return blkrepl_refuse(c->extack, err, "%s",
				      why ?: "cannot become Secondary");
	return 0;
}

int blkrepl_nl_role_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *role = info->attrs[BLKREPL_A_ROLE];
	bool force = info->attrs[BLKREPL_A_FORCE];
	struct blkrepl_cmd_ctx c;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_RES);
	if (err)
		return err;
	if (!role)
		err = blkrepl_refuse(c.extack, -EINVAL, "the role is missing");
	else if (nla_get_u32(role) == BLKREPL_ROLE_PRIMARY)
		err = promote(&c, force);
	else
		err = demote(&c, force);
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_new_dataset(struct sk_buff *skb, struct genl_info *info)
{
	struct blkrepl_cmd_ctx c;
	const char *why = NULL;
	unsigned long flags;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_RES);
	if (err)
		return err;
	blkrepl_lock(c.r, flags);
	err = repl_new_dataset(&c.r->res, &why);
	blkrepl_unlock(c.r, flags);
	if (err)
		blkrepl_refuse(c.extack, err, "%s",
			       why ?: "cannot declare the replicas equal");
	blkrepl_cmd_end(&c);
	return err;
}
