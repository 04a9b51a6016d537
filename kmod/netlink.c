// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all commands share: how they refuse, and how they find and lock the
 * objects that they are about.
 */
#include <linux/capability.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "netlink.h"

/*
 * An extended ack points to its text, which is copied into the reply after
 * the handler has returned, by the same thread, before that does anything
 * else.  A text that names things is therefore kept for its thread, until this
 * is refused something else, or has ended.  (The kernel's own formatted ack
 * messages are cut off at 80 bytes, and 6.1 has none.)
 */
#define REFUSAL_LEN	256

struct refusal {
	struct list_head link;
	struct pid *thread;		/* a reference */
	char text[REFUSAL_LEN];
};

static LIST_HEAD(refusals);
static DEFINE_MUTEX(refusals_lock);

static void refusal_free(struct refusal *f)
{
	list_del(&f->link);
	put_pid(f->thread);
	kfree(f);
}

static struct refusal *refusal_new(void)
{
	struct refusal *f = kmalloc(sizeof(*f), GFP_NOIO);

	if (!f)
		return NULL;
	f->thread = get_pid(task_pid(current));
	list_add(&f->link, &refusals);
	return f;
}

/* The one of this thread.  Those of threads that have ended go on the way. */
static struct refusal *refusal_get(void)
{
	struct refusal *f, *tmp, *ours = NULL;

	mutex_lock(&refusals_lock);
	list_for_each_entry_safe(f, tmp, &refusals, link) {
		if (f->thread == task_pid(current))
			ours = f;
		else if (!pid_has_task(f->thread, PIDTYPE_PID))
			refusal_free(f);
	}
	if (!ours)
		ours = refusal_new();
	mutex_unlock(&refusals_lock);
	return ours;
}

int blkrepl_refuse(struct netlink_ext_ack *extack, int err,
		   const char *fmt, ...)
{
	struct refusal *f;
	va_list args;

	if (!extack)
		return err;
	/* Words alone need no room. */
	extack->_msg = fmt;
	if (!strchr(fmt, '%'))
		return err;

	f = refusal_get();
	if (!f) {
		extack->_msg = "refused, and there is no memory to say why";
		return err;
	}
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
	extack->_msg = f->text;
	return err;
}

void blkrepl_refusals_free(void)
{
	struct refusal *f, *tmp;

	list_for_each_entry_safe(f, tmp, &refusals, link)
		refusal_free(f);
}

int blkrepl_cmd_allowed(struct genl_info *info)
{
	/*
	 * The family asks for CAP_NET_ADMIN.  Whoever can attach a disk by its
	 * path can write to it: that takes more than the network.
	 */
	if (!capable(CAP_SYS_ADMIN))
		return blkrepl_refuse(info->extack, -EPERM,
				      "CAP_SYS_ADMIN is needed");
	return 0;
}

static int cmd_lookup(struct blkrepl_cmd_ctx *c, unsigned int needs, bool new)
{
	struct genl_info *info = c->info;
	struct blkrepl_resource *r = c->r;

	if (r->gone)
		return blkrepl_refuse(c->extack, -ENOENT,
				      "resource %s was just removed", r->name);

	if (needs & CMD_VOL) {
		if (!info->attrs[BLKREPL_A_VOL])
			return blkrepl_refuse(c->extack, -EINVAL,
					      "a volume number is missing");
		c->vol_nr = nla_get_u32(info->attrs[BLKREPL_A_VOL]);
		c->v = r->volume[c->vol_nr];
		if (!c->v && !new)
			return blkrepl_refuse(c->extack, -ENOENT,
					      "resource %s has no volume %u",
					      r->name, c->vol_nr);
		if (c->v && new)
			return blkrepl_refuse(c->extack, -EEXIST,
					      "resource %s has a volume %u already",
					      r->name, c->vol_nr);
	}

	if (needs & CMD_PEER) {
		if (!info->attrs[BLKREPL_A_PEER])
			return blkrepl_refuse(c->extack, -EINVAL,
					      "the node id of a peer is missing");
		c->peer_nr = nla_get_u32(info->attrs[BLKREPL_A_PEER]);
		c->p = r->peer[c->peer_nr];
		if (!c->p && !new)
			return blkrepl_refuse(c->extack, -ENOENT,
					      "resource %s has no peer with node id %u",
					      r->name, c->peer_nr);
		if (c->p && new)
			return blkrepl_refuse(c->extack, -EEXIST,
					      "resource %s has a peer with node id %u already",
					      r->name, c->peer_nr);
	}
	return 0;
}

static int cmd_begin(struct blkrepl_cmd_ctx *c, struct genl_info *info,
		     unsigned int needs, bool new)
{
	struct nlattr *name = info->attrs[BLKREPL_A_RES];
	int err;

	memset(c, 0, sizeof(*c));
	c->info = info;
	c->extack = info->extack;

	err = blkrepl_cmd_allowed(info);
	if (err)
		return err;
	if (!name)
		return blkrepl_refuse(c->extack, -EINVAL,
				      "the name of a resource is missing");

	c->noio = memalloc_noio_save();
	c->r = blkrepl_resource_find(blkrepl_net(genl_info_net(info)),
				     nla_data(name));
	if (!c->r) {
		err = blkrepl_refuse(c->extack, -ENOENT,
				     "no resource %s in this network namespace",
				     (const char *)nla_data(name));
		goto err_find;
	}
	if (mutex_lock_killable(&c->r->admin)) {
		err = -EINTR;
		goto err_lock;
	}
	err = cmd_lookup(c, needs, new);
	if (err)
		goto err_lookup;
	return 0;

err_lookup:
	mutex_unlock(&c->r->admin);
err_lock:
	blkrepl_resource_put(c->r);
err_find:
	memalloc_noio_restore(c->noio);
	return err;
}

int blkrepl_cmd_begin(struct blkrepl_cmd_ctx *c, struct genl_info *info,
		      unsigned int needs)
{
	return cmd_begin(c, info, needs, false);
}

int blkrepl_cmd_begin_new(struct blkrepl_cmd_ctx *c, struct genl_info *info,
			  unsigned int needs)
{
	return cmd_begin(c, info, needs, true);
}

void blkrepl_cmd_end(struct blkrepl_cmd_ctx *c)
{
	mutex_unlock(&c->r->admin);
	blkrepl_resource_put(c->r);
	memalloc_noio_restore(c->noio);
}

void blkrepl_cmd_nest(struct genl_info *info, int attr, struct nlattr **tb,
		      int max)
{
	struct nlattr *nest = info->attrs[attr];
	struct nlattr *a;
	int left;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	if (!nest)
		return;
	/* The policy of the command has checked every one of them. */
	nla_for_each_nested(a, nest, left)
		if (nla_type(a) <= max)
			tb[nla_type(a)] = a;
}
