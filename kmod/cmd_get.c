// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that read: one object (doit), or all of a kind (dumpit).
 *
 * A dump goes on where it stopped: cb->args holds the id of the resource, by
 * whose order the list is sorted, and the index of the object inside.  Objects
 * that came or went in between make it NLM_F_DUMP_INTR.
 *
 * Anybody may send them: see blkrepl_refuse().
 */
#include <net/genetlink.h>
#include <net/sock.h>

#include "netlink.h"

enum kind { KIND_RES, KIND_VOL, KIND_PEER, KIND_PVOL, KIND_LATENCY };

/* Histograms of volumes come first, then those of peers. */
#define VOL_LATENCIES	(BLKREPL_MAX_VOLUMES * BLKREPL_VOL_STAGES)

/* How many objects of that kind can a resource have? */
static unsigned int slots(enum kind kind)
{
	switch (kind) {
	case KIND_VOL:
		return BLKREPL_MAX_VOLUMES;
	case KIND_PEER:
		return BLKREPL_MAX_NODES;
	case KIND_PVOL:
		return BLKREPL_MAX_VOLUMES * BLKREPL_MAX_NODES;
	case KIND_LATENCY:
		return VOL_LATENCIES + BLKREPL_MAX_NODES;
	default:
		return 1;
	}
}

/*
 * Add an object to a message; -ENOENT: no object in this slot.  The peers of
 * one volume follow each other.
 */
static int fill(struct sk_buff *skb, struct blkrepl_resource *r, enum kind kind,
		unsigned int slot)
{
	struct blkrepl_volume *v;
	struct blkrepl_peer *p;

	lockdep_assert_held(&r->lock);

	switch (kind) {
	case KIND_VOL:
		v = r->volume[slot];
		return v ? blkrepl_fill_vol(skb, v) : -ENOENT;
	case KIND_PEER:
		p = r->peer[slot];
		return p ? blkrepl_fill_peer(skb, p) : -ENOENT;
	case KIND_PVOL:
		v = r->volume[slot / BLKREPL_MAX_NODES];
		p = r->peer[slot % BLKREPL_MAX_NODES];
		return v && p ? blkrepl_fill_pvol(skb, v, p) : -ENOENT;
	case KIND_LATENCY:
		if (slot >= VOL_LATENCIES) {
			p = r->peer[slot - VOL_LATENCIES];
			return p ? blkrepl_fill_acks(skb, p) : -ENOENT;
		}
		v = r->volume[slot / BLKREPL_VOL_STAGES];
		return v ? blkrepl_fill_latency(skb, v, slot % BLKREPL_VOL_STAGES) :
			   -ENOENT;
	default:
		return blkrepl_fill_res(skb, r);
	}
}

static bool empty(struct blkrepl_resource *r, enum kind kind, unsigned int slot)
{
	switch (kind) {
	case KIND_VOL:
		return !READ_ONCE(r->volume[slot]);
	case KIND_PEER:
		return !READ_ONCE(r->peer[slot]);
	case KIND_PVOL:
		return !READ_ONCE(r->volume[slot / BLKREPL_MAX_NODES]) ||
		       !READ_ONCE(r->peer[slot % BLKREPL_MAX_NODES]);
	case KIND_LATENCY:
		if (slot >= VOL_LATENCIES)
			return !READ_ONCE(r->peer[slot - VOL_LATENCIES]);
		return !READ_ONCE(r->volume[slot / BLKREPL_VOL_STAGES]);
	default:
		return false;
	}
}

static int get_one(struct blkrepl_resource *r, struct genl_info *info,
		   enum kind kind, unsigned int slot)
{
	unsigned long flags;
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_NOIO);
	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put_reply(msg, info, &blkrepl_genl_family, 0,
				info->genlhdr->cmd);
	if (!hdr) {
		err = -EMSGSIZE;
		goto err_msg;
	}
	blkrepl_lock(r, flags);
	err = fill(msg, r, kind, slot);
	blkrepl_unlock_quiet(r, flags);
	if (err) {
		if (err == -ENOENT)
			blkrepl_refuse(info->extack, err,
				       "the resource has no such volume or peer");
		goto err_msg;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);

err_msg:
	nlmsg_free(msg);
	return err;
}

static int get(struct genl_info *info, enum kind kind)
{
	struct nlattr *name = info->attrs[BLKREPL_A_RES];
	struct blkrepl_resource *r;
	unsigned int slot = 0;
	int err;

	if (!name)
		return blkrepl_refuse(info->extack, -EINVAL,
				      "the name of a resource is missing");
	if (kind == KIND_VOL || kind == KIND_PVOL) {
		if (!info->attrs[BLKREPL_A_VOL])
			return blkrepl_refuse(info->extack, -EINVAL,
					      "a volume number is missing: give it, or ask for a dump");
		slot = nla_get_u32(info->attrs[BLKREPL_A_VOL]);
	}
	if (kind == KIND_PEER || kind == KIND_PVOL) {
		if (!info->attrs[BLKREPL_A_PEER])
			return blkrepl_refuse(info->extack, -EINVAL,
					      "the node id of a peer is missing: give it, or ask for a dump");
		if (kind == KIND_PVOL)
			slot *= BLKREPL_MAX_NODES;
		slot += nla_get_u32(info->attrs[BLKREPL_A_PEER]);
	}

	r = blkrepl_resource_find(blkrepl_net(genl_info_net(info)),
				  nla_data(name));
	if (!r)
		return blkrepl_refuse(info->extack, -ENOENT,
				      "no such resource in this network namespace");
	err = get_one(r, info, kind, slot);
	blkrepl_resource_put(r);
	return err;
}

int blkrepl_nl_res_get(struct sk_buff *skb, struct genl_info *info)
{
	return get(info, KIND_RES);
}

int blkrepl_nl_vol_get(struct sk_buff *skb, struct genl_info *info)
{
	return get(info, KIND_VOL);
}

int blkrepl_nl_peer_get(struct sk_buff *skb, struct genl_info *info)
{
	return get(info, KIND_PEER);
}

int blkrepl_nl_pvol_get(struct sk_buff *skb, struct genl_info *info)
{
	return get(info, KIND_PVOL);
}

/* ---- dumps ---- */

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb,
		    struct blkrepl_resource *r, enum kind kind, u8 cmd,
		    unsigned int slot)
{
	unsigned long flags;
	void *hdr;
	int err;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &blkrepl_genl_family, NLM_F_MULTI, cmd);
	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	blkrepl_lock(r, flags);
	err = fill(skb, r, kind, slot);
	blkrepl_unlock_quiet(r, flags);
	if (err) {
		genlmsg_cancel(skb, hdr);
		return err == -ENOENT ? 0 : err;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int dump_resource(struct sk_buff *skb, struct netlink_callback *cb,
			 struct blkrepl_resource *r, enum kind kind, u8 cmd)
{
	unsigned int slot = 0;
	int err;

	if (r->id == cb->args[0])
		slot = cb->args[1];
	for (; slot < slots(kind); slot++) {
		/* A glance without the lock: fill() looks again. */
		if (empty(r, kind, slot))
			continue;
		err = dump_one(skb, cb, r, kind, cmd, slot);
		if (err) {
			cb->args[0] = r->id;
			cb->args[1] = slot;
			return err;
		}
	}
	return 0;
}

static int dump(struct sk_buff *skb, struct netlink_callback *cb,
		enum kind kind, u8 cmd)
{
	struct nlattr *name = genl_info_dump(cb)->attrs[BLKREPL_A_RES];
	struct blkrepl_net *bn = blkrepl_net(sock_net(skb->sk));
	struct blkrepl_resource *r;
	bool found = false;
	int err = 0;

	if (cb->args[2])
		return 0;
	cb->seq = atomic_read(&bn->generation);
	/* 0 means that the kernel is not to check. */
	if (!cb->seq)
		cb->seq = 1;

	mutex_lock(&bn->lock);
	list_for_each_entry(r, &bn->resources, link) {
		if (r->id < cb->args[0])
			continue;
		if (name && strcmp(r->name, nla_data(name)))
			continue;
		found = true;
		err = dump_resource(skb, cb, r, kind, cmd);
		if (err)
			break;
	}
	mutex_unlock(&bn->lock);

	if (name && !found && !cb->args[0])
		return blkrepl_refuse(cb->extack, -ENOENT,
				      "no such resource in this network namespace");
	/* A message that fits no buffer at all must not go round for ever. */
	if (err && !skb->len)
		return err;
	if (!err)
		cb->args[2] = 1;
	return skb->len;
}

int blkrepl_nl_res_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, KIND_RES, BLKREPL_CMD_RES_GET);
}

int blkrepl_nl_vol_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, KIND_VOL, BLKREPL_CMD_VOL_GET);
}

int blkrepl_nl_peer_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, KIND_PEER, BLKREPL_CMD_PEER_GET);
}

int blkrepl_nl_pvol_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, KIND_PVOL, BLKREPL_CMD_PVOL_GET);
}

int blkrepl_nl_latency_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, KIND_LATENCY, BLKREPL_CMD_LATENCY_GET);
}
