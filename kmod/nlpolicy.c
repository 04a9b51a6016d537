// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the netlink family accepts: one policy for every command, so that an
 * attribute that a command does not know is refused instead of ignored.
 *
 * Validation is strict (no .validate flags): unknown attributes, wrong
 * lengths, trailing bytes and values out of range never reach a handler.
 * docs/netlink/blkrepl.yaml is the readable form; "make lint" compares them.
 */
#include <net/genetlink.h>

#include "core/meta_format.h"
#include "netlink.h"

/* Settings of one kind share these entries, whichever command brings them. */
#define NAME	{ .type = NLA_NUL_STRING, .len = BLKREPL_NAME_MAX - 1 }
#define PATH	{ .type = NLA_NUL_STRING, .len = BLKREPL_PATH_MAX - 1 }
#define BOOL	NLA_POLICY_MAX(NLA_U32, 1)
#define VOLUME	NLA_POLICY_MAX(NLA_U32, BLKREPL_MAX_VOLUMES - 1)
#define NODE	NLA_POLICY_MAX(NLA_U32, BLKREPL_MAX_NODES - 1)
#define FLAG	{ .type = NLA_FLAG }

/*
 * Limits that the 16 bits inside a policy cannot hold.  Not const because 6.1
 * keeps plain pointers to them.
 */
static struct netlink_range_validation minors = {
	.max = BLKREPL_MINORS - 1,
};

static struct netlink_range_validation timeout = {
	.min = 500, .max = 60000,
};

static struct netlink_range_validation interval = {
	.min = 100, .max = 120000,
};

static struct netlink_range_validation sockbuf = {
	.max = SZ_1G,
};

static struct netlink_range_validation buffers = {
	.min = 32, .max = 131072,
};

static struct netlink_range_validation backlog = {
	.min = SZ_64K, .max = SZ_1G,
};

static struct netlink_range_validation backlog_time = {
	.max = 3600000,
};

#define RES_SETTINGS \
	[BLKREPL_RC_ON_BACKLOG]	= NLA_POLICY_MAX(NLA_U32, \
						 BLKREPL_BACKLOG_HOLD), \
	[BLKREPL_RC_BACKLOG_MAX] = NLA_POLICY_FULL_RANGE(NLA_U64, &backlog), \
	[BLKREPL_RC_BACKLOG_TIME] = NLA_POLICY_FULL_RANGE(NLA_U32, \
							  &backlog_time), \
	[BLKREPL_RC_MIN_IN_SYNC] = NLA_POLICY_MAX(NLA_U32, REPL_NODES), \
	[BLKREPL_RC_ON_NO_QUORUM] = NLA_POLICY_MAX(NLA_U32, \
						   BLKREPL_NO_QUORUM_IO_ERROR), \
	[BLKREPL_RC_AUTO_PROMOTE] = BOOL, \
	[BLKREPL_RC_AFTER_SPLIT_BRAIN] = NLA_POLICY_MAX(NLA_U32, \
							BLKREPL_SPLIT_SECONDARY), \
	[BLKREPL_RC_ACK_POLICY]	= NLA_POLICY_MAX(NLA_U32, BLKREPL_ACK_QUORUM), \
	[BLKREPL_RC_QUORUM]	= NLA_POLICY_MAX(NLA_U32, BLKREPL_QUORUM_MAJORITY), \
	[BLKREPL_RC_FENCING]	= NLA_POLICY_MAX(NLA_U32, BLKREPL_FENCING_WAIT), \
	[BLKREPL_RC_ON_NO_DATA]	= NLA_POLICY_MAX(NLA_U32, \
						 BLKREPL_NO_DATA_IO_ERROR), \
	[BLKREPL_RC_NODE_NAME]	= NAME

static const struct nla_policy res_cfg_new[] = {
	[BLKREPL_RC_NODE_ID]	= NODE,
	[BLKREPL_RC_WITNESS]	= BOOL,
	RES_SETTINGS,
};

static const struct nla_policy res_cfg_set[] = {
	RES_SETTINGS,
};

#define VOL_SETTINGS \
	[BLKREPL_VC_AL_EXTENTS]	= NLA_POLICY_RANGE(NLA_U32, META_AL_MIN, \
						   META_AL_MAX), \
	[BLKREPL_VC_ON_IO_ERROR] = NLA_POLICY_MAX(NLA_U32, \
						  BLKREPL_IO_ERROR_PASS_ON), \
	[BLKREPL_VC_DISK_FLUSHES] = BOOL

static const struct nla_policy vol_cfg_new[] = {
	[BLKREPL_VC_MINOR]	= NLA_POLICY_FULL_RANGE(NLA_U32, &minors),
	VOL_SETTINGS,
};

static const struct nla_policy vol_cfg_set[] = {
	VOL_SETTINGS,
};

static const struct nla_policy vol_cfg_attach[] = {
	[BLKREPL_VC_DISK]	= PATH,
	[BLKREPL_VC_META_DISK]	= PATH,
	VOL_SETTINGS,
};

static const struct nla_policy vol_cfg_resize[] = {
	[BLKREPL_VC_SIZE]	= { .type = NLA_U64 },
};

/* An address has a family and a port: see get_addr(). */
#define ADDR	NLA_POLICY_RANGE(NLA_BINARY, sizeof(struct sockaddr_in), \
				 sizeof(struct sockaddr_in6))

#define PEER_SETTINGS \
	[BLKREPL_PC_NAME]	= NAME, \
	[BLKREPL_PC_LOCAL_ADDR]	= ADDR, \
	[BLKREPL_PC_PEER_ADDR]	= ADDR, \
	[BLKREPL_PC_SECRET]	= NLA_POLICY_RANGE(NLA_BINARY, \
						   BLKREPL_SECRET_MIN, \
						   BLKREPL_SECRET_MAX), \
	/* 0 takes the secret away; 1 goes without saying */ \
	[BLKREPL_PC_AUTH]	= BOOL, \
	[BLKREPL_PC_TIMEOUT]	= NLA_POLICY_FULL_RANGE(NLA_U32, &timeout), \
	[BLKREPL_PC_PING_INT]	= NLA_POLICY_FULL_RANGE(NLA_U32, &interval), \
	[BLKREPL_PC_CONNECT_INT] = NLA_POLICY_FULL_RANGE(NLA_U32, &interval), \
	[BLKREPL_PC_DATA_CRC]	= BOOL, \
	[BLKREPL_PC_SNDBUF]	= NLA_POLICY_FULL_RANGE(NLA_U32, &sockbuf), \
	[BLKREPL_PC_RCVBUF]	= NLA_POLICY_FULL_RANGE(NLA_U32, &sockbuf), \
	[BLKREPL_PC_RESYNC_RATE_MAX] = { .type = NLA_U64 }, \
	[BLKREPL_PC_RESYNC_RATE_MIN] = { .type = NLA_U64 }, \
	[BLKREPL_PC_MAX_BUFFERS] = NLA_POLICY_FULL_RANGE(NLA_U32, &buffers), \
	[BLKREPL_PC_ASYNC]	= BOOL

static const struct nla_policy peer_cfg_new[] = {
	[BLKREPL_PC_WITNESS]	= BOOL,
	PEER_SETTINGS,
};

static const struct nla_policy peer_cfg_set[] = {
	PEER_SETTINGS,
};

/* Top level, by what the command needs to find its object. */
#define RES \
	[BLKREPL_A_RES]	= NAME
#define VOL \
	[BLKREPL_A_VOL]	= VOLUME
#define PEER \
	[BLKREPL_A_PEER] = NODE

static const struct nla_policy pol_res[] = { RES };

static const struct nla_policy pol_res_new[] = {
	RES, [BLKREPL_A_RES_CFG] = NLA_POLICY_NESTED(res_cfg_new),
};

static const struct nla_policy pol_res_set[] = {
	RES, [BLKREPL_A_RES_CFG] = NLA_POLICY_NESTED(res_cfg_set),
};

static const struct nla_policy pol_role_set[] = {
	RES,
	[BLKREPL_A_ROLE] = NLA_POLICY_RANGE(NLA_U32, BLKREPL_ROLE_SECONDARY,
					    BLKREPL_ROLE_PRIMARY),
	[BLKREPL_A_FORCE] = FLAG,
};

static const struct nla_policy pol_vol[] = { RES, VOL };

static const struct nla_policy pol_vol_new[] = {
	RES, VOL, [BLKREPL_A_VOL_CFG] = NLA_POLICY_NESTED(vol_cfg_new),
};

static const struct nla_policy pol_vol_set[] = {
	RES, VOL, [BLKREPL_A_VOL_CFG] = NLA_POLICY_NESTED(vol_cfg_set),
};

static const struct nla_policy pol_attach[] = {
	RES, VOL, [BLKREPL_A_VOL_CFG] = NLA_POLICY_NESTED(vol_cfg_attach),
};

static const struct nla_policy pol_detach[] = {
	RES, VOL, [BLKREPL_A_FORCE] = FLAG,
};

static const struct nla_policy pol_resize[] = {
	RES, VOL, [BLKREPL_A_VOL_CFG] = NLA_POLICY_NESTED(vol_cfg_resize),
};

static const struct nla_policy pol_invalidate[] = {
	RES, VOL, PEER, [BLKREPL_A_REMOTE] = FLAG,
};

static const struct nla_policy pol_peer[] = { RES, PEER };

static const struct nla_policy pol_peer_new[] = {
	RES, PEER, [BLKREPL_A_PEER_CFG] = NLA_POLICY_NESTED(peer_cfg_new),
};

static const struct nla_policy pol_peer_set[] = {
	RES, PEER, [BLKREPL_A_PEER_CFG] = NLA_POLICY_NESTED(peer_cfg_set),
};

static const struct nla_policy pol_connect[] = {
	RES, PEER, [BLKREPL_A_DISCARD_MY_DATA] = FLAG,
};

static const struct nla_policy pol_disconnect[] = {
	RES, PEER, [BLKREPL_A_FORCE] = FLAG,
};

static const struct nla_policy pol_pvol[] = { RES, VOL, PEER };

/* A command that changes something: for administrators, never a dump. */
#define DO(_cmd, _policy, _fn) {			\
		.cmd = BLKREPL_CMD_##_cmd,		\
		.flags = GENL_ADMIN_PERM,		\
		.policy = _policy,			\
		.maxattr = ARRAY_SIZE(_policy) - 1,	\
		.doit = _fn,				\
	}

/* A command that reads: anybody may, one object (but for NULL) or a dump. */
#define GET(_cmd, _policy, _fn, _dump) {		\
		.cmd = BLKREPL_CMD_##_cmd,		\
		.policy = _policy,			\
		.maxattr = ARRAY_SIZE(_policy) - 1,	\
		.doit = _fn,				\
		.dumpit = _dump,			\
	}

static const struct genl_ops ops[] = {
	DO(RES_NEW, pol_res_new, blkrepl_nl_res_new),
	DO(RES_DEL, pol_res, blkrepl_nl_res_del),
	DO(RES_SET, pol_res_set, blkrepl_nl_res_set),
	GET(RES_GET, pol_res, blkrepl_nl_res_get, blkrepl_nl_res_dump),
	DO(ROLE_SET, pol_role_set, blkrepl_nl_role_set),
	DO(VOL_NEW, pol_vol_new, blkrepl_nl_vol_new),
	DO(VOL_DEL, pol_vol, blkrepl_nl_vol_del),
	DO(VOL_SET, pol_vol_set, blkrepl_nl_vol_set),
	GET(VOL_GET, pol_vol, blkrepl_nl_vol_get, blkrepl_nl_vol_dump),
	DO(ATTACH, pol_attach, blkrepl_nl_attach),
	DO(DETACH, pol_detach, blkrepl_nl_detach),
	DO(RESIZE, pol_resize, blkrepl_nl_resize),
	DO(INVALIDATE, pol_invalidate, blkrepl_nl_invalidate),
	DO(NEW_DATASET, pol_res, blkrepl_nl_new_dataset),
	DO(PEER_NEW, pol_peer_new, blkrepl_nl_peer_new),
	DO(PEER_DEL, pol_peer, blkrepl_nl_peer_del),
	DO(PEER_SET, pol_peer_set, blkrepl_nl_peer_set),
	GET(PEER_GET, pol_peer, blkrepl_nl_peer_get, blkrepl_nl_peer_dump),
	DO(CONNECT, pol_connect, blkrepl_nl_connect),
	DO(DISCONNECT, pol_disconnect, blkrepl_nl_disconnect),
	GET(PVOL_GET, pol_pvol, blkrepl_nl_pvol_get, blkrepl_nl_pvol_dump),
	DO(PAUSE_SYNC, pol_pvol, blkrepl_nl_pause_sync),
	DO(RESUME_SYNC, pol_pvol, blkrepl_nl_resume_sync),
	DO(VERIFY, pol_pvol, blkrepl_nl_verify),
	GET(LATENCY_GET, pol_res, NULL, blkrepl_nl_latency_dump),
	DO(FENCED, pol_peer, blkrepl_nl_fenced),
};

static const struct genl_multicast_group groups[] = {
	{ .name = BLKREPL_MCGRP_EVENTS },
};

/*
 * parallel_ops: a command that waits (for votes, for a disk) must not hold up
 * those of other resources, nor "status".  The handlers have locks of their
 * own: see resource.c.
 */
struct genl_family blkrepl_genl_family __ro_after_init = {
	.name		= BLKREPL_GENL_NAME,
	.version	= BLKREPL_GENL_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= ops,
	.n_ops		= ARRAY_SIZE(ops),
	.mcgrps		= groups,
	.n_mcgrps	= ARRAY_SIZE(groups),
};
