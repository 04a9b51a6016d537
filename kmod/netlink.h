/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DOC: control plane
 *
 *	nlpolicy.c	what messages the family accepts
 *	netlink.c	refusals, and how a command finds and locks its objects
 *	cmd_*.c		the commands, by kind of object
 *	status.c	what GET, dumps and events tell
 *	events.c	multicasts, from the core's notifications
 *	resource.c	makes, finds and removes the objects
 *	attach.c	backing devices
 *	mdread.c	their metadata, read by somebody who can be killed
 *
 * A command that changes something holds the admin mutex of its resource from
 * blkrepl_cmd_begin() to blkrepl_cmd_end().  Those that read take only the
 * spinlock, one object at a time: "status" answers whatever a command waits
 * for.  So what status shows is changed under the spinlock.
 *
 * Between begin and end memory is allocated without I/O: the device that the
 * I/O would go to may be suspended until this very command is through.
 *
 * Generic netlink holds a lock of its own while a command runs, and whoever
 * registers a family waits for it: every wait is bounded and killable.
 */
#ifndef BLKREPL_NETLINK_H
#define BLKREPL_NETLINK_H

#include "blkrepl.h"

struct genl_family;
struct genl_info;
struct netlink_callback;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;

extern struct genl_family blkrepl_genl_family;

/* How long a command waits for what goes on without it, too. */
#define BLKREPL_CMD_WAIT	(30 * HZ)

/* ---- netlink.c ---- */

/**
 * blkrepl_refuse() - say why a command fails
 * @extack: where to; NULL: nowhere
 * @err: the error
 * @fmt: words for an administrator: what is wrong, and what helps
 *
 * May sleep.  What @fmt is filled in with takes memory for each thread that is
 * refused something: commands that anybody may send refuse in plain words.
 *
 * Return: @err.
 */
int blkrepl_refuse(struct netlink_ext_ack *extack, int err,
		   const char *fmt, ...) __printf(3, 4);

/** blkrepl_refusals_free() - the family is gone: nobody reads them any more */
void blkrepl_refusals_free(void);

/* Which objects a command needs. */
#define CMD_RES		0
#define CMD_VOL		BIT(0)
#define CMD_PEER	BIT(1)

/**
 * struct blkrepl_cmd_ctx - a command under way
 * @info: the message
 * @extack: for refusals
 * @r: its resource, locked; a reference is held
 * @vol_nr: volume number, with CMD_VOL
 * @peer_nr: node id, with CMD_PEER
 * @v: the volume, NULL if there is none of that number
 * @p: the peer, NULL if there is none of that id
 */
struct blkrepl_cmd_ctx {
	struct genl_info *info;
	struct netlink_ext_ack *extack;
	struct blkrepl_resource *r;
	u32 vol_nr;
	u32 peer_nr;
	struct blkrepl_volume *v;
	struct blkrepl_peer *p;
	unsigned int noio;
};

/**
 * blkrepl_cmd_begin() - find what a command is about and lock it
 * @c: filled in
 * @info: the message
 * @needs: CMD_*
 *
 * A volume or peer that is needed must be there, but see
 * blkrepl_cmd_begin_new().  Return: 0, and blkrepl_cmd_end() must follow, or
 * -errno with the reason given.
 */
int blkrepl_cmd_begin(struct blkrepl_cmd_ctx *c, struct genl_info *info,
		      unsigned int needs);

/** blkrepl_cmd_begin_new() - the same for a volume or peer to be made */
int blkrepl_cmd_begin_new(struct blkrepl_cmd_ctx *c, struct genl_info *info,
			  unsigned int needs);

/** blkrepl_cmd_end() - unlock, drop the reference */
void blkrepl_cmd_end(struct blkrepl_cmd_ctx *c);

/** blkrepl_cmd_allowed() - may the caller change things? 0 or -EPERM */
int blkrepl_cmd_allowed(struct genl_info *info);

/**
 * blkrepl_cmd_nest() - parse the settings that came along
 * @info: the message, which the policy has checked
 * @attr: BLKREPL_A_*_CFG
 * @tb: table of @max + 1 entries; all NULL if there are no settings
 * @max: BLKREPL_*_MAX
 */
void blkrepl_cmd_nest(struct genl_info *info, int attr, struct nlattr **tb,
		      int max);

/* ---- resource.c ---- */

/**
 * blkrepl_resource_new() - make a resource
 * @bn: the namespace
 * @name: its name, valid
 * @node: own node id
 * @witness: it votes and has no data
 * @node_name: own name, NULL: none
 * @conf: settings
 * @extack: for refusals
 */
int blkrepl_resource_new(struct blkrepl_net *bn, const char *name, u8 node,
			 bool witness, const char *node_name,
			 const struct repl_res_conf *conf,
			 struct netlink_ext_ack *extack);

/**
 * blkrepl_resource_del() - remove a resource with all that it has
 * @r: under admin
 * @extack: for refusals
 *
 * Return: 0, or -EBUSY, and nothing has changed.
 */
int blkrepl_resource_del(struct blkrepl_resource *r,
			 struct netlink_ext_ack *extack);

/**
 * blkrepl_volume_new() - make a volume and its device
 * @r: under admin
 * @nr: volume number, free
 * @minor: N of /dev/blkreplN; -1: the lowest that is free
 * @conf: settings
 * @disk_flushes: setting
 * @extack: for refusals
 */
int blkrepl_volume_new(struct blkrepl_resource *r, u32 nr, int minor,
		       const struct repl_vol_conf *conf, bool disk_flushes,
		       struct netlink_ext_ack *extack);

/** blkrepl_volume_del() - remove a volume; 0, or -EBUSY. Under admin */
int blkrepl_volume_del(struct blkrepl_volume *v,
		       struct netlink_ext_ack *extack);

/**
 * blkrepl_peer_new() - make a peer
 * @r: under admin
 * @node: node id, free
 * @witness: it votes and has no data
 * @conf: settings for the core
 * @cfg: settings for the shell
 * @extack: for refusals
 */
int blkrepl_peer_new(struct blkrepl_resource *r, u32 node, bool witness,
		     const struct repl_peer_conf *conf,
		     const struct blkrepl_peer_conf *cfg,
		     struct netlink_ext_ack *extack);

/**
 * blkrepl_peer_del() - forget a peer
 * @p: the peer, which is disconnected for that
 * @extack: for refusals
 *
 * Under admin.  Return: 0; or -EBUSY, and it is connected as it was.
 */
int blkrepl_peer_del(struct blkrepl_peer *p, struct netlink_ext_ack *extack);

int blkrepl_net_register(void);
void blkrepl_net_unregister(void);

/* ---- attach.c ---- */

/**
 * struct blkrepl_attach_params - what ATTACH says
 * @disk: path of the backing device, NULL: a witness has none
 * @meta: path of the metadata device, NULL: internal
 * @conf: settings
 * @disk_flushes: setting
 */
struct blkrepl_attach_params {
	const char *disk;
	const char *meta;
	struct repl_vol_conf conf;
	bool disk_flushes;
};

/**
 * blkrepl_attach() - give a volume its backing device
 * @v: under admin
 * @a: what device, and how
 * @extack: for refusals
 *
 * Waits until the disk is in use.
 */
int blkrepl_attach(struct blkrepl_volume *v,
		   const struct blkrepl_attach_params *a,
		   struct netlink_ext_ack *extack);

/**
 * blkrepl_detach() - take it away
 * @v: under admin
 * @force: even if it is the last good copy that is reachable
 * @extack: for refusals
 *
 * Waits until the device is closed.
 */
int blkrepl_detach(struct blkrepl_volume *v, bool force,
		   struct netlink_ext_ack *extack);

/** blkrepl_detach_wait() - the namespace goes: detach, whatever it takes */
void blkrepl_detach_wait(struct blkrepl_volume *v);

/* ---- mdread.c ---- */

struct blkrepl_reader;

/** blkrepl_reader_new() - begin to read metadata from @bdev; NULL: no memory */
struct blkrepl_reader *blkrepl_reader_new(struct block_device *bdev);

/** blkrepl_reader_read() - as repl_store_params.read; @ctx is the reader */
int blkrepl_reader_read(void *ctx, u64 offset, void *buf, u32 len);

/**
 * blkrepl_reader_put() - end it
 * @rd: the reader
 * @disk: what it was reading
 *
 * Return: true if a read was given up whose end is still to come; @disk is
 * closed and freed then.
 */
bool blkrepl_reader_put(struct blkrepl_reader *rd, struct blkrepl_disk *disk);

/* ---- status.c ---- */

/* All under r->lock; 0 or -EMSGSIZE. */
int blkrepl_fill_res(struct sk_buff *skb, struct blkrepl_resource *r);
int blkrepl_fill_vol(struct sk_buff *skb, struct blkrepl_volume *v);
int blkrepl_fill_peer(struct sk_buff *skb, struct blkrepl_peer *p);
int blkrepl_fill_pvol(struct sk_buff *skb, struct blkrepl_volume *v,
		      struct blkrepl_peer *p);
int blkrepl_fill_latency(struct sk_buff *skb, struct blkrepl_volume *v,
			 enum blkrepl_stage stage);
int blkrepl_fill_acks(struct sk_buff *skb, struct blkrepl_peer *p);

const char *blkrepl_role_text(enum repl_role role);
const char *blkrepl_disk_text(enum repl_disk disk);
const char *blkrepl_conn_text(enum repl_conn conn);

/* ---- events.c ---- */

/* Events end with the resource, after everything else. */
void blkrepl_events_init(struct blkrepl_resource *r);
void blkrepl_events_exit(struct blkrepl_resource *r);

/**
 * blkrepl_event_gone() - tell that an object was removed
 * @r: the resource
 * @event: BLKREPL_EV_*_GONE
 * @vol: volume number or -1
 * @peer: node id or -1
 *
 * The object is not in the resource's tables any more: no event about it can
 * follow this one.  Process context.
 */
void blkrepl_event_gone(struct blkrepl_resource *r, enum blkrepl_event event,
			int vol, int peer);

/* ---- commands ---- */

int blkrepl_nl_res_new(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_res_del(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_res_set(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_role_set(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_new_dataset(struct sk_buff *skb, struct genl_info *info);

int blkrepl_nl_vol_new(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_vol_del(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_vol_set(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_attach(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_detach(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_resize(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_invalidate(struct sk_buff *skb, struct genl_info *info);

int blkrepl_nl_peer_new(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_peer_del(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_peer_set(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_connect(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_disconnect(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_fenced(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_pause_sync(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_resume_sync(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_verify(struct sk_buff *skb, struct genl_info *info);

int blkrepl_nl_res_get(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_vol_get(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_peer_get(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_pvol_get(struct sk_buff *skb, struct genl_info *info);
int blkrepl_nl_res_dump(struct sk_buff *skb, struct netlink_callback *cb);
int blkrepl_nl_vol_dump(struct sk_buff *skb, struct netlink_callback *cb);
int blkrepl_nl_peer_dump(struct sk_buff *skb, struct netlink_callback *cb);
int blkrepl_nl_pvol_dump(struct sk_buff *skb, struct netlink_callback *cb);
int blkrepl_nl_latency_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif
