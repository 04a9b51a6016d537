// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: what the core notifies becomes multicast messages and lines in the
 * kernel's log.
 *
 * A notification comes under the resource's spinlock, perhaps in an interrupt.
 * It sets a bit for its object and starts a work, which reads the state at the
 * time that it sends it.  So a burst of changes costs one message, the last
 * message always has the last state, and a lack of memory only delays it.  A
 * listener whose socket overflows gets ENOBUFS from it and asks for a dump.
 */
#include <linux/blkdev.h>
#include <linux/ratelimit.h>
#include <linux/sched/mm.h>
#include <net/genetlink.h>

#include "netlink.h"

#define RETRY	(HZ / 10)

/* What the work found to send. */
struct found {
	enum blkrepl_event event;
	struct device *dev;		/* udev should look at it, or NULL */
	struct blkrepl_text text;	/* with a text of its own */
};

static void kick(struct blkrepl_resource *r)
{
	queue_delayed_work(blkrepl_wq, &r->ev.work, 0);
}

/* ---- from the core ---- */

static void add_text(struct blkrepl_events *ev, enum repl_note note,
		     struct repl_vol *vol, struct repl_peer *peer,
		     const char *text)
{
	struct blkrepl_text *t;

	if (ev->nr == BLKREPL_EVENT_TEXTS) {
		ev->first = (ev->first + 1) % BLKREPL_EVENT_TEXTS;
		ev->nr--;
	}
	t = &ev->texts[(ev->first + ev->nr++) % BLKREPL_EVENT_TEXTS];
	t->note = note;
	t->vol = vol ? vol->nr : -1;
	t->peer = peer ? peer->node : -1;
	strscpy(t->text, text ?: "", sizeof(t->text));
}

/**
 * blkrepl_notify() - ops->notify: something changed
 * @res: the resource
 * @note: what
 * @vol: which volume, NULL: none
 * @peer: which peer, NULL: none
 * @text: words, for those that have some
 *
 * Under r->lock, any context.
 */
void blkrepl_notify(struct repl_res *res, enum repl_note note,
		    struct repl_vol *vol, struct repl_peer *peer,
		    const char *text)
{
	struct blkrepl_resource *r = to_resource(res);
	struct blkrepl_events *ev = &r->ev;

	lockdep_assert_held(&r->lock);

	switch (note) {
	case NOTE_RES:
		ev->res = true;
		break;
	case NOTE_VOL:
		if (!vol)
			return;
		ev->vols |= BIT_ULL(vol->nr);
		/* A command may wait for the disk. */
		wake_up(&to_volume(vol)->disk_wait);
		break;
	case NOTE_PEER:
		if (!peer)
			return;
		ev->peers |= BIT(peer->node);
		break;
	case NOTE_PVOL:
		if (!vol || !peer)
			return;
		ev->pvols[vol->nr] |= BIT(peer->node);
		break;
	default:
		add_text(ev, note, vol, peer, text);
	}
	kick(r);
}

/* ---- the log ---- */

/* Changes that an administrator looks for in the log.  Under r->lock. */
static void log_state(struct blkrepl_resource *r, enum blkrepl_event event,
		      struct blkrepl_volume *v, struct blkrepl_peer *p)
{
	struct blkrepl_events *ev = &r->ev;

	switch (event) {
	case BLKREPL_EV_RES:
		if (ev->logged_role == r->res.role)
			break;
		ev->logged_role = r->res.role;
		pr_info("blkrepl %s: %s\n", r->name,
			blkrepl_role_text(r->res.role));
		break;
	case BLKREPL_EV_VOL:
		if (ev->logged_disk[v->vol.nr] == v->vol.disk)
			break;
		ev->logged_disk[v->vol.nr] = v->vol.disk;
		pr_info("blkrepl %s/%u: disk %s\n", r->name, v->vol.nr,
			blkrepl_disk_text(v->vol.disk));
		break;
	case BLKREPL_EV_PEER:
		if (ev->logged_conn[p->peer.node] == p->peer.conn)
			break;
		/* Attempts are many: told is what comes of them. */
		if (p->peer.conn != CONN_CONNECTED &&
		    ev->logged_conn[p->peer.node] != CONN_CONNECTED)
			break;
		ev->logged_conn[p->peer.node] = p->peer.conn;
		pr_info("blkrepl %s: peer %s (node %u) %s%s%s\n", r->name,
			blkrepl_peer_name(p), p->peer.node,
			blkrepl_conn_text(p->peer.conn),
			p->peer.conn != CONN_CONNECTED && p->last_error[0] ?
			": " : "",
			p->peer.conn != CONN_CONNECTED ? p->last_error : "");
		break;
	default:
		break;
	}
}

static void log_text(struct blkrepl_resource *r, const struct blkrepl_text *t)
{
	char vol[12] = "", peer[24] = "";

	if (t->vol >= 0)
		snprintf(vol, sizeof(vol), "/%d", t->vol);
	if (t->peer >= 0)
		snprintf(peer, sizeof(peer), " peer node %d:", t->peer);
	/* Of this resource alone: a limit that is shared drops what collides. */
	if (__ratelimit(&r->ev.limit))
		pr_warn("blkrepl %s%s:%s %s\n", r->name, vol, peer, t->text);
}

/* ---- udev ---- */

/*
 * A device whose data can be read now: udev could not open it before, and
 * makes the links by label and UUID when it hears of a change.  Under r->lock.
 */
static struct device *now_readable(struct blkrepl_resource *r,
				   struct blkrepl_volume *v)
{
	bool readable = !v->dying && repl_readable(&v->vol);
	u64 bit = BIT_ULL(v->vol.nr);

	if (readable == !!(r->ev.readable & bit))
		return NULL;
	r->ev.readable ^= bit;
	return readable ? get_device(disk_to_dev(v->gd)) : NULL;
}

static void tell_udev(struct device *dev)
{
	unsigned int noio = memalloc_noio_save();

	kobject_uevent(&dev->kobj, KOBJ_CHANGE);
	put_device(dev);
	memalloc_noio_restore(noio);
}

/* ---- the work ---- */

static int fill_text(struct sk_buff *skb, struct blkrepl_resource *r,
		     const struct blkrepl_text *t)
{
	if (nla_put_string(skb, BLKREPL_A_RES, r->name))
		return -EMSGSIZE;
	if (t->vol >= 0 && nla_put_u32(skb, BLKREPL_A_VOL, t->vol))
		return -EMSGSIZE;
	if (t->peer >= 0 && nla_put_u32(skb, BLKREPL_A_PEER, t->peer))
		return -EMSGSIZE;
	if (t->text[0] && nla_put_string(skb, BLKREPL_A_TEXT, t->text))
		return -EMSGSIZE;
	return 0;
}

static enum blkrepl_event text_event(enum repl_note note)
{
	switch (note) {
	case NOTE_DIVERGED:
		return BLKREPL_EV_DIVERGED;
	case NOTE_IO_ERROR:
		return BLKREPL_EV_IO_ERROR;
	case NOTE_FENCE:
		return BLKREPL_EV_FENCE;
	default:
		return BLKREPL_EV_MESSAGE;
	}
}

/*
 * Take the next object that has something to tell, and tell it.  Objects that
 * are gone meanwhile have told so themselves.  Under r->lock.  Return: the
 * event, BLKREPL_EV_UNSPEC: nothing is left, or -EMSGSIZE.
 */
static int next_event(struct blkrepl_resource *r, struct sk_buff *skb,
		      struct found *found)
{
	struct blkrepl_events *ev = &r->ev;
	struct blkrepl_volume *v;
	struct blkrepl_peer *p;
	unsigned int i, n;

	if (ev->res) {
		ev->res = false;
		found->event = BLKREPL_EV_RES;
		log_state(r, found->event, NULL, NULL);
		return blkrepl_fill_res(skb, r);
	}
	while (ev->vols) {
		i = __ffs64(ev->vols);
		ev->vols &= ~BIT_ULL(i);
		v = r->volume[i];
		if (!v)
			continue;
		found->event = BLKREPL_EV_VOL;
		found->dev = now_readable(r, v);
		log_state(r, found->event, v, NULL);
		return blkrepl_fill_vol(skb, v);
	}
	while (ev->peers) {
		i = __ffs(ev->peers);
		ev->peers &= ~BIT(i);
		p = r->peer[i];
		if (!p)
			continue;
		found->event = BLKREPL_EV_PEER;
		log_state(r, found->event, NULL, p);
		return blkrepl_fill_peer(skb, p);
	}
	for (n = 0; n < BLKREPL_MAX_VOLUMES; n++) {
		while (ev->pvols[n]) {
			i = __ffs(ev->pvols[n]);
			ev->pvols[n] &= ~BIT(i);
			v = r->volume[n];
			p = r->peer[i];
			if (!v || !p)
				continue;
			found->event = BLKREPL_EV_PVOL;
			found->dev = now_readable(r, v);
			return blkrepl_fill_pvol(skb, v, p);
		}
	}
	if (ev->nr) {
		found->text = ev->texts[ev->first];
		ev->first = (ev->first + 1) % BLKREPL_EVENT_TEXTS;
		ev->nr--;
		found->event = text_event(found->text.note);
		return fill_text(skb, r, &found->text);
	}
	found->event = BLKREPL_EV_UNSPEC;
	return 0;
}

static bool is_text(enum blkrepl_event event)
{
	return event == BLKREPL_EV_DIVERGED || event == BLKREPL_EV_IO_ERROR ||
	       event == BLKREPL_EV_MESSAGE || event == BLKREPL_EV_FENCE;
}

static void events_work(struct work_struct *work)
{
	struct blkrepl_resource *r = container_of(to_delayed_work(work),
						  struct blkrepl_resource,
						  ev.work);
	struct found found;
	unsigned long flags;
	struct sk_buff *skb;
	void *hdr;
	int err;

	for (;;) {
		skb = genlmsg_new(NLMSG_GOODSIZE, GFP_NOIO);
		if (!skb) {
			queue_delayed_work(blkrepl_wq, &r->ev.work, RETRY);
			return;
		}
		hdr = genlmsg_put(skb, 0, 0, &blkrepl_genl_family, 0,
				  BLKREPL_CMD_EVENT);

		found.dev = NULL;
		blkrepl_lock(r, flags);
		err = next_event(r, skb, &found);
		blkrepl_unlock_quiet(r, flags);

		if (found.event == BLKREPL_EV_UNSPEC)
			break;
		if (found.dev)
			tell_udev(found.dev);
		if (is_text(found.event))
			log_text(r, &found.text);
		if (WARN_ON_ONCE(!hdr || err) ||
		    nla_put_u32(skb, BLKREPL_A_EVENT, found.event)) {
			nlmsg_free(skb);
			continue;
		}
		genlmsg_end(skb, hdr);
		/* -ESRCH: nobody listens */
		genlmsg_multicast_netns(&blkrepl_genl_family, r->bn->net, skb,
					0, 0, GFP_NOIO);
		cond_resched();
	}
	nlmsg_free(skb);
}

/* ---- from the commands ---- */

void blkrepl_event_gone(struct blkrepl_resource *r, enum blkrepl_event event,
			int vol, int peer)
{
	struct sk_buff *skb;
	void *hdr;

	/* What it has read of the object before that went is sent first. */
	flush_delayed_work(&r->ev.work);

	if (vol >= 0) {
		r->ev.logged_disk[vol] = DISK_DISKLESS;
		r->ev.readable &= ~BIT_ULL(vol);
	}
	if (peer >= 0)
		r->ev.logged_conn[peer] = CONN_STANDALONE;

	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_NOIO | __GFP_NOFAIL);
	hdr = genlmsg_put(skb, 0, 0, &blkrepl_genl_family, 0,
			  BLKREPL_CMD_EVENT);
	if (!hdr || nla_put_string(skb, BLKREPL_A_RES, r->name) ||
	    (vol >= 0 && nla_put_u32(skb, BLKREPL_A_VOL, vol)) ||
	    (peer >= 0 && nla_put_u32(skb, BLKREPL_A_PEER, peer)) ||
	    nla_put_u32(skb, BLKREPL_A_EVENT, event)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&blkrepl_genl_family, r->bn->net, skb, 0, 0,
				GFP_NOIO);
}

void blkrepl_events_init(struct blkrepl_resource *r)
{
	INIT_DELAYED_WORK(&r->ev.work, events_work);
	ratelimit_default_init(&r->ev.limit);
	r->ev.logged_role = ROLE_SECONDARY;
	memset(r->ev.logged_disk, DISK_DISKLESS, sizeof(r->ev.logged_disk));
}

/* No lock is left that could start the work again. */
void blkrepl_events_exit(struct blkrepl_resource *r)
{
	cancel_delayed_work_sync(&r->ev.work);
}
