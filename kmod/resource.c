// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resources, volumes and peers: how they are made, found and removed.
 *
 * Who owns what:
 * - The list of the namespace owns a reference on each resource; commands and
 *   peers hold further ones while they use it.  The last one that is dropped
 *   frees it.  Each resource holds a reference on the module, so that it can
 *   be unloaded only when there is none.
 * - The tables of the resource own its volumes and its peers.  A volume has no
 *   other reference: it is freed when its device is gone, with nobody inside.
 * - A volume that is open holds a reference on the namespace (bdev.c): when
 *   the namespace goes, no device is open any more.
 *
 * The tables change under both the admin mutex and the spinlock, so either is
 * enough to look at them.
 */
#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/netns/generic.h>

#include "netlink.h"

/* How long a peer that may go, and was disconnected for that, keeps us waiting. */
#define PEER_PATIENCE	(5 * HZ)

unsigned int blkrepl_net_id __read_mostly;

/* Devices have one name space in the machine, whatever the namespace. */
static DEFINE_IDA(minors);

/**
 * blkrepl_net() - what the module keeps in a network namespace
 * @net: the namespace
 */
struct blkrepl_net *blkrepl_net(struct net *net)
{
	return net_generic(net, blkrepl_net_id);
}

/* ---- volumes ---- */

int blkrepl_volume_new(struct blkrepl_resource *r, u32 nr, int minor,
		       const struct repl_vol_conf *conf, bool disk_flushes,
		       struct netlink_ext_ack *extack)
{
	struct blkrepl_volume *v;
	unsigned long flags;
	int err;

	lockdep_assert_held(&r->admin);

	v = kzalloc(sizeof(*v), GFP_KERNEL);
	if (!v)
		return blkrepl_refuse(extack, -ENOMEM, "no memory for a volume");

	if (minor < 0)
		err = ida_alloc_max(&minors, BLKREPL_MINORS - 1, GFP_KERNEL);
	else
		err = ida_alloc_range(&minors, minor, minor, GFP_KERNEL);
	if (err < 0) {
		if (err == -ENOSPC)
			err = blkrepl_refuse(extack, -EEXIST,
					     "/dev/blkrepl%d exists already: choose another minor",
					     minor);
		goto err_minor;
	}

	v->r = r;
	v->minor = err;
	v->vol.res = &r->res;
	v->vol.nr = nr;
	v->vol.conf = *conf;
	blkrepl_volume_init(v);
	v->disk_flushes = disk_flushes;

	err = blkrepl_bdev_new(v);
	if (err) {
		blkrepl_refuse(extack, err, "cannot make /dev/blkrepl%u",
			       v->minor);
		goto err_new;
	}

	blkrepl_lock(r, flags);
	err = repl_vol_add(&v->vol);
	blkrepl_unlock(r, flags);
	if (err) {
		blkrepl_refuse(extack, err, "cannot add volume %u", nr);
		goto err_add;
	}

	err = blkrepl_bdev_add(v);
	if (err) {
		blkrepl_refuse(extack, err, "cannot make /dev/blkrepl%u",
			       v->minor);
		goto err_bdev;
	}

	blkrepl_lock(r, flags);
	r->volume[nr] = v;
	blkrepl_notify(&r->res, NOTE_VOL, &v->vol, NULL, NULL);
	blkrepl_unlock(r, flags);
	atomic_inc(&r->bn->generation);
	return 0;

err_bdev:
	blkrepl_lock(r, flags);
	WARN_ON_ONCE(repl_vol_del(&v->vol));
	blkrepl_unlock(r, flags);
err_add:
	blkrepl_volume_flush(v);
	blkrepl_bdev_free(v);
err_new:
	ida_free(&minors, v->minor);
err_minor:
	kfree(v);
	return err;
}

/* 0, or the reason why the volume cannot be removed. */
static int volume_busy(struct blkrepl_volume *v, struct netlink_ext_ack *extack)
{
	struct blkrepl_resource *r = v->r;
	unsigned int openers;
	unsigned long flags;
	bool has_disk;

	blkrepl_lock(r, flags);
	openers = v->openers;
	has_disk = v->disk || v->vol.disk != DISK_DISKLESS;
	blkrepl_unlock(r, flags);

	if (openers)
		return blkrepl_refuse(extack, -EBUSY,
				      "/dev/blkrepl%u is open by %u: close it first (umount, swapoff)",
				      v->minor, openers);
	if (has_disk)
		return blkrepl_refuse(extack, -EBUSY,
				      "volume %u has a disk: detach it first",
				      v->vol.nr);
	return 0;
}

/*
 * Let the core forget the volume, and nobody open it any more.  A peer's I/O
 * may just be about to end; without a disk that is a matter of moments.
 * Return: 0, -EBUSY: it is open, -EAGAIN: its I/O does not end.
 */
static int volume_forget(struct blkrepl_volume *v, bool force)
{
	unsigned long end = jiffies + 5 * HZ;
	struct blkrepl_resource *r = v->r;
	unsigned long flags;
	int err;

	for (;;) {
		blkrepl_lock(r, flags);
		err = -EBUSY;
		if (force || !v->openers) {
			err = repl_vol_del(&v->vol) ? -EAGAIN : 0;
			v->dying = !err;
		}
		if (!err)
			r->volume[v->vol.nr] = NULL;
		blkrepl_unlock(r, flags);
		if (err != -EAGAIN)
			return err;
		if (time_after(jiffies, end)) {
			if (!force)
				return err;
			pr_warn("blkrepl %s/%u: waiting for its last I/O\n",
				r->name, v->vol.nr);
			end = jiffies + 30 * HZ;
		}
		msleep(20);
	}
}

static int volume_remove(struct blkrepl_volume *v, bool force,
			 struct netlink_ext_ack *extack)
{
	struct blkrepl_resource *r = v->r;
	u16 nr = v->vol.nr;
	int err;

	err = volume_forget(v, force);
	if (err == -EAGAIN)
		return blkrepl_refuse(extack, -EBUSY,
				      "volume %u still has I/O under way: try again",
				      nr);
	if (err)
		return blkrepl_refuse(extack, err,
				      "/dev/blkrepl%u was just opened: close it first",
				      v->minor);
	/* The core asks for nothing more. */
	blkrepl_volume_flush(v);
	WARN_ON_ONCE(blkrepl_bdev_del(v, force));
	atomic_inc(&r->bn->generation);
	blkrepl_event_gone(r, BLKREPL_EV_VOL_GONE, nr, -1);

	blkrepl_bdev_free(v);
	ida_free(&minors, v->minor);
	kfree(v->disk_path);
	kfree(v->meta_path);
	kfree(v);
	return 0;
}

/* Both ends of a connection count on its volumes. */
static bool volume_connected(struct blkrepl_volume *v)
{
	struct blkrepl_resource *r = v->r;
	bool connected = false;
	unsigned long flags;
	unsigned int i;

	blkrepl_lock(r, flags);
	for (i = 0; i < BLKREPL_MAX_NODES; i++)
		if (r->peer[i] && r->peer[i]->peer.conn == CONN_CONNECTED)
			connected = true;
	blkrepl_unlock_quiet(r, flags);
	return connected;
}

int blkrepl_volume_del(struct blkrepl_volume *v, struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&v->r->admin);

	err = volume_busy(v, extack);
	if (err)
		return err;
	if (volume_connected(v))
		return blkrepl_refuse(extack, -EBUSY,
				      "volume %u is part of a connection: disconnect all peers first",
				      v->vol.nr);
	return volume_remove(v, false, extack);
}

/* ---- peers ---- */

/* Who the nodes are can't change just now; else no more than that it failed. */
static int refuse_peer(struct netlink_ext_ack *extack, int err,
		       const struct repl_refusal *no, const char *what, u32 node)
{
	const struct blkrepl_peer *by;

	if (!no->why)
		return blkrepl_refuse(extack, err, "cannot %s peer %u", what, node);
	if (!no->by || no->by->node == node)
		return blkrepl_refuse(extack, err, "cannot %s peer %u: %s", what,
				      node, no->why);
	by = container_of(no->by, struct blkrepl_peer, peer);
	return blkrepl_refuse(extack, err, "cannot %s peer %u: %s (node %u): %s",
			      what, node, blkrepl_peer_name(by), no->by->node,
			      no->why);
}

int blkrepl_peer_new(struct blkrepl_resource *r, u32 node, bool witness,
		     const struct repl_peer_conf *conf,
		     const struct blkrepl_peer_conf *cfg,
		     struct netlink_ext_ack *extack)
{
	struct repl_refusal no = {};
	struct blkrepl_peer *p;
	unsigned long flags;
	int err;

	lockdep_assert_held(&r->admin);

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return blkrepl_refuse(extack, -ENOMEM, "no memory for a peer");
	p->r = r;
	p->peer.res = &r->res;
	p->peer.node = node;
	p->peer.witness = witness;
	p->peer.conf = *conf;
	p->cfg = *cfg;
	err = blkrepl_peer_init(p);
	if (err) {
		kfree(p);
		return blkrepl_refuse(extack, err, "no memory for a peer");
	}

	blkrepl_lock(r, flags);
	err = repl_peer_add(&p->peer, &no);
	if (!err) {
		r->peer[node] = p;
		blkrepl_notify(&r->res, NOTE_PEER, NULL, &p->peer, NULL);
	}
	blkrepl_unlock(r, flags);
	if (err) {
		blkrepl_peer_put(p);
		return refuse_peer(extack, err, &no, "add", node);
	}
	atomic_inc(&r->bn->generation);
	return 0;
}

static int peer_busy(struct blkrepl_peer *p, struct netlink_ext_ack *extack)
{
	struct blkrepl_resource *r = p->r;
	unsigned long flags;
	bool busy;

	blkrepl_lock(r, flags);
	busy = !blkrepl_conn_idle(p);
	blkrepl_unlock(r, flags);
	if (busy)
		return blkrepl_refuse(extack, -EBUSY,
				      "peer %u is connected, or about to be: disconnect it first",
				      p->peer.node);
	return 0;
}

static int peer_remove(struct blkrepl_peer *p, struct repl_refusal *no)
{
	struct blkrepl_resource *r = p->r;
	u8 node = p->peer.node;
	unsigned long flags;
	int err;

	/* Threads of a connection that ended by itself may still be there. */
	blkrepl_peer_disconnect(p, NULL);

	blkrepl_lock(r, flags);
	err = repl_peer_del(&p->peer, no);
	if (!err)
		r->peer[node] = NULL;
	blkrepl_unlock(r, flags);
	if (err)
		return err;

	atomic_inc(&r->bn->generation);
	blkrepl_event_gone(r, BLKREPL_EV_PEER_GONE, -1, node);
	blkrepl_peer_put(p);
	return 0;
}

/* May it go, and does it have to be disconnected for that? */
static int peer_may_go(struct blkrepl_peer *p, bool *linked,
		       struct repl_refusal *no)
{
	unsigned long flags;
	int err;

	blkrepl_lock(p->r, flags);
	*linked = !blkrepl_conn_idle(p);
	err = repl_peer_may_go(&p->peer, no);
	blkrepl_unlock(p->r, flags);
	return err;
}

/*
 * With writes in flight the end of the connection makes another in-sync set, and while
 * that is under way nobody can go.
 */
static int peer_remove_linked(struct blkrepl_peer *p, struct repl_refusal *no)
{
	unsigned long end = jiffies + PEER_PATIENCE;
	const char *why;
	int err;

	do {
		err = peer_remove(p, no);
	} while (err && time_before(jiffies, end) && !msleep_interruptible(20));
	/* As it was; without memory for threads it stays disconnected. */
	if (err)
		blkrepl_peer_connect(p, &why);
	return err;
}

int blkrepl_peer_del(struct blkrepl_peer *p, struct netlink_ext_ack *extack)
{
	struct repl_refusal no = {};
	u8 node = p->peer.node;
	bool linked;
	int err;

	lockdep_assert_held(&p->r->admin);

	err = peer_may_go(p, &linked, &no);
	if (!err)
		err = linked ? peer_remove_linked(p, &no) : peer_remove(p, &no);
	return err ? refuse_peer(extack, err, &no, "remove", node) : 0;
}

/* ---- resources ---- */

static void resource_release(struct kref *ref)
{
	struct blkrepl_resource *r = container_of(ref, struct blkrepl_resource,
						  ref);

	/* Whoever ended the last I/O may not be through with it. */
	synchronize_rcu();
	blkrepl_exec_exit(r);
	blkrepl_events_exit(r);
	kfree(r);
	module_put(THIS_MODULE);
}

/**
 * blkrepl_resource_get() - one more reference
 * @r: the resource
 */
void blkrepl_resource_get(struct blkrepl_resource *r)
{
	kref_get(&r->ref);
}

/**
 * blkrepl_resource_put() - drop a reference
 * @r: the resource
 *
 * The last one frees it.  May sleep.
 */
void blkrepl_resource_put(struct blkrepl_resource *r)
{
	kref_put(&r->ref, resource_release);
}

static struct blkrepl_resource *find(struct blkrepl_net *bn, const char *name)
{
	struct blkrepl_resource *r;

	lockdep_assert_held(&bn->lock);

	list_for_each_entry(r, &bn->resources, link)
		if (!strcmp(r->name, name))
			return r;
	return NULL;
}

/**
 * blkrepl_resource_find() - find a resource by its name
 * @bn: the namespace
 * @name: the name
 *
 * Return: the resource with a reference, or NULL.
 */
struct blkrepl_resource *blkrepl_resource_find(struct blkrepl_net *bn,
					       const char *name)
{
	struct blkrepl_resource *r;

	mutex_lock(&bn->lock);
	r = find(bn, name);
	if (r)
		kref_get(&r->ref);
	mutex_unlock(&bn->lock);
	return r;
}

int blkrepl_resource_new(struct blkrepl_net *bn, const char *name, u8 node,
			 bool witness, const char *node_name,
			 const struct repl_res_conf *conf,
			 struct netlink_ext_ack *extack)
{
	struct blkrepl_resource *r;
	unsigned long flags;
	int err;

	if (!try_module_get(THIS_MODULE))
		return blkrepl_refuse(extack, -ENODEV,
				      "the module is being unloaded");
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r) {
		err = blkrepl_refuse(extack, -ENOMEM,
				     "no memory for a resource");
		goto err_alloc;
	}
	strscpy(r->name, name, sizeof(r->name));
	if (node_name)
		strscpy(r->node_name, node_name, sizeof(r->node_name));
	r->bn = bn;
	r->res.node = node;
	r->res.witness = witness;
	kref_init(&r->ref);
	mutex_init(&r->admin);
	INIT_LIST_HEAD(&r->link);
	init_completion(&r->vote);
	blkrepl_events_init(r);
	r->res.conf = *conf;
	err = blkrepl_exec_init(r);
	if (err) {
		blkrepl_refuse(extack, err, "no memory for a resource");
		goto err_exec;
	}

	/*
	 * As soon as it is in the list others find it, and may remove it: not
	 * before it runs, and has been told of.
	 */
	blkrepl_resource_get(r);
	mutex_lock(&r->admin);
	mutex_lock(&bn->lock);
	if (find(bn, name)) {
		mutex_unlock(&bn->lock);
		err = blkrepl_refuse(extack, -EEXIST,
				     "resource %s exists already", name);
		goto err_exists;
	}
	r->id = ++bn->last_id;
	list_add_tail(&r->link, &bn->resources);
	mutex_unlock(&bn->lock);

	atomic_inc(&bn->generation);
	blkrepl_exec_start(r);
	blkrepl_lock(r, flags);
	blkrepl_notify(&r->res, NOTE_RES, NULL, NULL, NULL);
	blkrepl_unlock(r, flags);
	mutex_unlock(&r->admin);
	blkrepl_resource_put(r);
	return 0;

err_exists:
	mutex_unlock(&r->admin);
	blkrepl_exec_exit(r);
err_exec:
	blkrepl_events_exit(r);
	kfree(r);
err_alloc:
	module_put(THIS_MODULE);
	return err;
}

/*
 * Everything that the resource had is gone: take it off the list, and drop
 * the list's reference.  The caller holds another one.
 */
static void resource_unlink(struct blkrepl_resource *r)
{
	struct blkrepl_net *bn = r->bn;

	lockdep_assert_held(&r->admin);

	/* Whoever has found it and waits for the mutex will see this. */
	r->gone = true;
	mutex_lock(&bn->lock);
	list_del_init(&r->link);
	mutex_unlock(&bn->lock);
	atomic_inc(&bn->generation);
	blkrepl_event_gone(r, BLKREPL_EV_RES_GONE, -1, -1);
	blkrepl_resource_put(r);
}

int blkrepl_resource_del(struct blkrepl_resource *r,
			 struct netlink_ext_ack *extack)
{
	struct repl_refusal no = {};
	unsigned int i;
	int err;

	lockdep_assert_held(&r->admin);

	/* First all that may refuse, so that a refusal changes nothing. */
	for (i = 0; i < BLKREPL_MAX_VOLUMES; i++) {
		err = r->volume[i] ? volume_busy(r->volume[i], extack) : 0;
		if (err)
			return err;
	}
	for (i = 0; i < BLKREPL_MAX_NODES; i++) {
		err = r->peer[i] ? peer_busy(r->peer[i], extack) : 0;
		if (err)
			return err;
	}

	for (i = 0; i < BLKREPL_MAX_NODES; i++) {
		err = r->peer[i] ? peer_remove(r->peer[i], &no) : 0;
		if (err)
			return refuse_peer(extack, err, &no, "remove", i);
	}
	for (i = 0; i < BLKREPL_MAX_VOLUMES; i++) {
		err = r->volume[i] ? volume_remove(r->volume[i], false, extack)
				   : 0;
		if (err)
			return err;
	}
	resource_unlink(r);
	return 0;
}

/* ---- network namespaces ---- */

/*
 * The namespace goes, and nobody can send commands any more.  What its
 * resources were doing ends as if the machine were switched off in good order:
 * disconnect, detach, remove.
 */
static void resource_tear_down(struct blkrepl_resource *r)
{
	struct repl_refusal no;
	const char *why = NULL;
	unsigned long flags;
	unsigned int i;

	blkrepl_resource_get(r);
	mutex_lock(&r->admin);
	/* No device is open: it can only be that it was not Primary. */
	blkrepl_lock(r, flags);
	repl_demote(&r->res, false, &why);
	blkrepl_unlock(r, flags);
	for (i = 0; i < BLKREPL_MAX_NODES; i++)
		if (r->peer[i])
			blkrepl_peer_disconnect(r->peer[i],
						"the network namespace is gone");
	for (i = 0; i < BLKREPL_MAX_VOLUMES; i++)
		if (r->volume[i]) {
			blkrepl_detach_wait(r->volume[i]);
			volume_remove(r->volume[i], true, NULL);
		}
	for (i = 0; i < BLKREPL_MAX_NODES; i++)
		while (r->peer[i] && peer_remove(r->peer[i], &no))
			msleep(20);
	resource_unlink(r);
	mutex_unlock(&r->admin);
	blkrepl_resource_put(r);
}

static int __net_init net_init(struct net *net)
{
	struct blkrepl_net *bn = blkrepl_net(net);

	bn->net = net;
	mutex_init(&bn->lock);
	INIT_LIST_HEAD(&bn->resources);
	atomic_set(&bn->generation, 1);
	blkrepl_conn_net_init(bn);
	return 0;
}

static void __net_exit net_exit(struct net *net)
{
	struct blkrepl_net *bn = blkrepl_net(net);
	unsigned int noio = memalloc_noio_save();
	struct blkrepl_resource *r;

	for (;;) {
		mutex_lock(&bn->lock);
		r = list_first_entry_or_null(&bn->resources,
					     struct blkrepl_resource, link);
		mutex_unlock(&bn->lock);
		if (!r)
			break;
		resource_tear_down(r);
	}
	memalloc_noio_restore(noio);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
	.id = &blkrepl_net_id,
	.size = sizeof(struct blkrepl_net),
};

/**
 * blkrepl_net_register() - begin to exist in all network namespaces
 *
 * As a device: those are taken down before the protocols that our sockets use.
 */
int blkrepl_net_register(void)
{
	return register_pernet_device(&net_ops);
}

/** blkrepl_net_unregister() - the module goes */
void blkrepl_net_unregister(void)
{
	unregister_pernet_device(&net_ops);
}
