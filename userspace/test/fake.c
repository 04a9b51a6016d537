// SPDX-License-Identifier: GPL-2.0-only
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "conf.h"
#include "fake.h"
#include "out.h"
#include "state.h"
#include "status.h"
#include "util.h"

static struct nl_msg *new_msg(int event, const char *res, int vol, int peer)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, 0, 1, 0, 0, event ? BLKREPL_CMD_EVENT :
		    BLKREPL_CMD_RES_GET, BLKREPL_GENL_VERSION);
	nla_put_string(msg, BLKREPL_A_RES, res);
	if (vol >= 0)
		nla_put_u32(msg, BLKREPL_A_VOL, vol);
	if (peer >= 0)
		nla_put_u32(msg, BLKREPL_A_PEER, peer);
	if (event)
		nla_put_u32(msg, BLKREPL_A_EVENT, event);
	return msg;
}

static void put_attrs(struct nl_msg *msg, const struct fake_attr *a)
{
	for (; a->attr; a++) {
		if (a->str)
			nla_put_string(msg, a->attr, a->str);
		else if (a->bits == 64)
			nla_put_u64(msg, a->attr, a->num);
		else
			nla_put_u32(msg, a->attr, a->num);
	}
}

void fake_msg(struct state *st, struct out *o, int event, const char *res,
	      int vol, int peer, int nest, const struct fake_attr *attrs)
{
	struct nl_msg *msg = new_msg(event, res, vol, peer);
	struct nlattr *n = nest ? nla_nest_start(msg, nest) : NULL;
	struct st_change c;

	put_attrs(msg, attrs);
	if (n)
		nla_nest_end(msg, n);
	if (state_apply(st, nlmsg_hdr(msg), &c) && o)
		status_event(o, st, &c, NULL);
	nlmsg_free(msg);
}

void fake_addr(struct state *st, const char *res, int peer, const char *local,
	       const char *addr)
{
	struct nl_msg *msg = new_msg(0, res, -1, peer);
	struct nlattr *n = nla_nest_start(msg, BLKREPL_A_PEER_CFG);
	struct sockaddr_storage sa;
	char why[128];

	addr_parse(local, &sa, why, sizeof(why));
	nla_put(msg, BLKREPL_PC_LOCAL_ADDR, addr_len(&sa), &sa);
	addr_parse(addr, &sa, why, sizeof(why));
	nla_put(msg, BLKREPL_PC_PEER_ADDR, addr_len(&sa), &sa);
	nla_nest_end(msg, n);
	state_apply(st, nlmsg_hdr(msg), NULL);
	nlmsg_free(msg);
}

struct state *fake_r0(void)
{
	struct state *st = state_new();

	FAKE(st, "r0", -1, -1, BLKREPL_A_RES_CFG, U32(BLKREPL_RC_NODE_ID, 0),
	     STR(BLKREPL_RC_NODE_NAME, "alice"));
	FAKE(st, "r0", -1, -1, BLKREPL_A_RES_INFO,
	     U32(BLKREPL_RI_ROLE, BLKREPL_ROLE_PRIMARY), U64(BLKREPL_RI_TERM, 3));
	FAKE(st, "r0", 1, -1, BLKREPL_A_VOL_CFG, U32(BLKREPL_VC_MINOR, 1));
	FAKE(st, "r0", 1, -1, BLKREPL_A_VOL_INFO,
	     U32(BLKREPL_VI_DISK_STATE, BLKREPL_DISK_DISKLESS),
	     U64(BLKREPL_VI_CAPACITY, 10 << 20));
	FAKE(st, "r0", 0, -1, BLKREPL_A_VOL_CFG, U32(BLKREPL_VC_MINOR, 0),
	     STR(BLKREPL_VC_DISK, "/dev/vg/x"));
	FAKE(st, "r0", 0, -1, BLKREPL_A_VOL_INFO,
	     U32(BLKREPL_VI_DISK_STATE, BLKREPL_DISK_UPTODATE),
	     U64(BLKREPL_VI_CAPACITY, 1 << 30));
	fake_addr(st, "r0", 1, "10.0.0.1:7789", "10.0.0.2:7789");
	FAKE(st, "r0", -1, 1, BLKREPL_A_PEER_CFG, STR(BLKREPL_PC_NAME, "bob"),
	     U32(BLKREPL_PC_AUTH, 1), U32(BLKREPL_PC_TIMEOUT, 6000));
	FAKE(st, "r0", -1, 1, BLKREPL_A_PEER_INFO,
	     U32(BLKREPL_PI_CONN_STATE, BLKREPL_CONN_CONNECTED),
	     U32(BLKREPL_PI_ROLE, BLKREPL_ROLE_SECONDARY));
	FAKE(st, "r0", 0, 1, BLKREPL_A_PVOL_INFO,
	     U32(BLKREPL_PV_REPL_STATE, BLKREPL_REPL_SYNC_SOURCE),
	     U32(BLKREPL_PV_PEER_DISK_STATE, BLKREPL_DISK_INCONSISTENT),
	     U64(BLKREPL_PV_OUT_OF_SYNC, 512 << 20),
	     U64(BLKREPL_PV_RESYNC_TOTAL, 1 << 30),
	     U64(BLKREPL_PV_RESYNC_LEFT, 512 << 20),
	     U64(BLKREPL_PV_RESYNC_RATE, 16 << 20));
	FAKE(st, "r0", 1, 1, BLKREPL_A_PVOL_INFO,
	     U32(BLKREPL_PV_REPL_STATE, BLKREPL_REPL_ESTABLISHED),
	     U32(BLKREPL_PV_PEER_DISK_STATE, BLKREPL_DISK_UPTODATE));
	fake_addr(st, "r0", 2, "10.0.0.1:7789", "10.0.0.3:7789");
	FAKE(st, "r0", -1, 2, BLKREPL_A_PEER_CFG, STR(BLKREPL_PC_NAME, "carol"),
	     U32(BLKREPL_PC_AUTH, 1), U32(BLKREPL_PC_TIMEOUT, 6000));
	FAKE(st, "r0", -1, 2, BLKREPL_A_PEER_INFO,
	     U32(BLKREPL_PI_CONN_STATE, BLKREPL_CONN_CONNECTING),
	     STR(BLKREPL_PI_LAST_ERROR, "the peer has another secret"));
	FAKE(st, "r0", 0, 2, BLKREPL_A_PVOL_INFO,
	     U32(BLKREPL_PV_REPL_STATE, BLKREPL_REPL_OFF),
	     U64(BLKREPL_PV_OUT_OF_SYNC, 4096));
	return st;
}

char *fake_print(const struct state *st, bool json, bool statistics)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct out *o = out_new(f, json, false);

	status_print(o, st, NULL, statistics);
	out_free(o);
	fclose(f);
	return text;
}
