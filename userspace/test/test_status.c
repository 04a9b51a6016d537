// SPDX-License-Identifier: GPL-2.0-only
/*
 * What status and events print for messages of the kernel.
 */
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "fake.h"
#include "json.h"
#include "out.h"
#include "state.h"
#include "status.h"
#include "tap.h"
#include "uapi/blkrepl.h"

static void test_text(void)
{
	struct state *st = fake_r0();
	char *text = fake_print(st, false, false);

	tap_is(text,
	       "r0  role:Primary  term:3\n"
	       "  volume 0  /dev/blkrepl0  disk:UpToDate  1.0 GiB\n"
	       "  volume 1  /dev/blkrepl1  disk:Diskless  10.0 MiB\n"
	       "  bob  role:Secondary  connection:Connected\n"
	       "    volume 0  SyncSource  peer-disk:Inconsistent  [==========>         ] 50.0 %  512.0 MiB to go  16.0 MiB/s  0:32 left\n"
	       "    volume 1  Established  peer-disk:UpToDate\n"
	       "  carol  connection:Connecting  10.0.0.1:7789 -> 10.0.0.3:7789\n"
	       "    last error: the peer has another secret\n"
	       "    volume 0  Off  peer-disk:Unknown  out-of-sync:4.0 KiB\n",
	       "status for people");
	free(text);
	state_free(st);
}

static void test_trouble(void)
{
	struct state *st = fake_r0();
	char *text;

	FAKE(st, "r0", -1, -1, BLKREPL_A_RES_INFO,
	     U32(BLKREPL_RI_SUSPENDED, BLKREPL_SUSP_NO_DATA | BLKREPL_SUSP_QUORUM | 1U << 30));
	FAKE(st, "r0", 0, 1, BLKREPL_A_PVOL_INFO,
	     U32(BLKREPL_PV_REPL_STATE, BLKREPL_REPL_PAUSED_SOURCE),
	     U32(BLKREPL_PV_PAUSED, 2));
	text = fake_print(st, false, false);
	tap_has(text, "  I/O suspended: no replica with good data is reachable\n",
		"a reason for suspended I/O");
	tap_has(text, "  I/O suspended: fewer replicas are in step than min-in-sync asks for\n",
		"another one");
	tap_has(text, "  I/O suspended: for a reason that this tool", "one of the future");
	tap_has(text, "] 50.0 %  512.0 MiB to go  paused by the peer\n", "paused");
	free(text);

	FAKE(st, "r0", -1, -1, BLKREPL_A_RES_CFG,
	     U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY));
	text = fake_print(st, false, false);
	tap_has(text, "  I/O suspended: no quorum", "where a majority decides");
	free(text);

	FAKE(st, "r0", 0, 1, BLKREPL_A_PVOL_INFO,
	     U32(BLKREPL_PV_REPL_STATE, BLKREPL_REPL_SYNC_SOURCE),
	     U32(BLKREPL_PV_PAUSED, 0), U64(BLKREPL_PV_RESYNC_RATE, 0),
	     U64(BLKREPL_PV_RESYNC_MS, 10000));
	FAKE(st, "r0", 1, 1, BLKREPL_A_PVOL_INFO,
	     U32(BLKREPL_PV_REPL_STATE, 99), U32(BLKREPL_PV_PEER_DISK_STATE, 99));
	text = fake_print(st, false, false);
	tap_has(text, "to go  stalled\n", "a stalled resync");
	tap_has(text, "    volume 1  ?  peer-disk:?\n", "states of the future");
	free(text);

	text = fake_print(st, false, true);
	tap_has(text, "  seq:0  in-sync-set:0x0", "statistics");
	free(text);
	state_free(st);

	st = state_new();
	text = fake_print(st, false, false);
	tap_has(text, "# no resource is up", "nothing at all");
	free(text);
	text = fake_print(st, true, false);
	tap_is(text, "[\n]\n", "nothing at all in JSON");
	free(text);
	state_free(st);
}

static void test_json(void)
{
	struct state *st = fake_r0();
	char *text = fake_print(st, true, false);
	struct json_object *o = json_tokener_parse(text);

	tap_is(path(o, "/0/name"), "\"r0\"", "name");
	tap_is(path(o, "/0/role"), "\"Primary\"", "role");
	tap_is(path(o, "/0/suspended"), "false", "suspended");
	tap_is(path(o, "/0/devices/0/size-bytes"), "1073741824", "size");
	tap_is(path(o, "/0/devices/1/disk-state"), "\"Diskless\"", "disk state");
	tap_is(path(o, "/0/connections/0/peer_devices/0/percent-done"), "50.0", "percent");
	tap_is(path(o, "/0/connections/0/peer_devices/0/resync-seconds-left"), "32", "time left");
	tap_is(path(o, "/0/connections/1/last-error"), "\"the peer has another secret\"", "last error");
	tap_is(path(o, "/0/connections/1/peer-node-id"), "2", "node id");
	json_object_put(o);
	free(text);
	state_free(st);
}

/* How far behind a peer is: milliseconds, as its key says. */
static void test_lag(void)
{
	struct state *st = fake_r0();
	struct json_object *o;
	char *text;

	FAKE(st, "r0", -1, 1, BLKREPL_A_PEER_INFO,
	     U64(BLKREPL_PI_LAG_BYTES, 65536), U32(BLKREPL_PI_LAG_MS, 62345));
	text = fake_print(st, true, false);
	o = json_tokener_parse(text);
	tap_is(path(o, "/0/connections/0/lag-bytes"), "65536", "lag in bytes");
	tap_is(path(o, "/0/connections/0/lag-ms"), "62345", "lag in milliseconds");
	json_object_put(o);
	free(text);
	text = fake_print(st, false, false);
	tap_has(text, "  lacks:64.0 KiB  for:1:02\n", "lag for people");
	free(text);
	state_free(st);
}

static void test_events(void)
{
	static const struct fake_attr none[] = { FAKE_END };
	static const struct fake_attr role[] = {
		U32(BLKREPL_RI_ROLE, BLKREPL_ROLE_SECONDARY),
		U32(BLKREPL_RI_SUSPENDED, BLKREPL_SUSP_QUORUM), FAKE_END
	};
	static const struct fake_attr vol[] = {
		U32(BLKREPL_VI_DISK_STATE, BLKREPL_DISK_ATTACHING), FAKE_END
	};
	static const struct fake_attr peer[] = {
		U32(BLKREPL_PI_CONN_STATE, BLKREPL_CONN_STANDALONE),
		STR(BLKREPL_PI_LAST_ERROR, "no route"), FAKE_END
	};
	static const struct fake_attr report[] = {
		STR(BLKREPL_A_TEXT, "both sides wrote"), FAKE_END
	};
	static const struct fake_attr wanted[] = {
		U32(BLKREPL_PI_FENCE_STATE, BLKREPL_FENCE_WANTED), FAKE_END
	};
	struct state *st = fake_r0();
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct out *o = out_new(f, false, false);

	fake_msg(st, o, BLKREPL_EV_RES, "r0", -1, -1, BLKREPL_A_RES_INFO, role);
	fake_msg(st, o, BLKREPL_EV_VOL, "r0", 2, -1, BLKREPL_A_VOL_INFO, vol);
	fake_msg(st, o, BLKREPL_EV_PEER, "r0", -1, 1, BLKREPL_A_PEER_INFO, peer);
	fake_msg(st, o, BLKREPL_EV_PEER, "r0", -1, 1, BLKREPL_A_PEER_INFO, wanted);
	fake_msg(st, o, BLKREPL_EV_FENCE, "r0", -1, 1, 0, report);
	fake_msg(st, o, BLKREPL_EV_DIVERGED, "r0", 0, 1, 0, report);
	fake_msg(st, o, BLKREPL_EV_PEER_GONE, "r0", -1, 1, 0, none);
	fake_msg(st, o, BLKREPL_EV_VOL_GONE, "r0", 2, -1, 0, none);
	fake_msg(st, o, BLKREPL_EV_RES_GONE, "r0", -1, -1, 0, none);
	out_free(o);
	fclose(f);
	tap_is(text,
	       "change resource r0  role:Secondary  term:3  I/O suspended: fewer replicas are in step than min-in-sync asks for\n"
	       "create device r0/2  /dev/blkrepl0  disk:Attaching  0 B\n"
	       "change connection r0:bob  connection:StandAlone  last error: no route\n"
	       "change connection r0:bob  connection:StandAlone  fencing:wanted\n"
	       "report fence r0:bob  both sides wrote\n"
	       "report diverged r0:bob/0  both sides wrote\n"
	       "destroy connection r0:bob\n"
	       "destroy device r0/2\n"
	       "destroy resource r0\n", "events for people");
	tap_ok(!st->resources, "the state follows");
	free(text);
	state_free(st);
}

static void test_event_json(void)
{
	static const struct fake_attr report[] = {
		STR(BLKREPL_A_TEXT, "a \"quoted\" text"), FAKE_END
	};
	struct state *st = fake_r0();
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct out *o = out_new(f, true, false);

	fake_msg(st, o, BLKREPL_EV_MESSAGE, "r0", -1, -1, 0, report);
	fake_msg(st, o, BLKREPL_EV_MESSAGE, "r0", -1, -1, 0, report);
	out_free(o);
	fclose(f);
	tap_is(text,
	       "{\"event\":\"report\",\"object\":\"message\",\"resource\":\"r0\",\"text\":\"a \\\"quoted\\\" text\"}\n"
	       "{\"event\":\"report\",\"object\":\"message\",\"resource\":\"r0\",\"text\":\"a \\\"quoted\\\" text\"}\n",
	       "one JSON object a line");
	free(text);
	state_free(st);
}

/* Lengths and nests that no kernel sends must not be believed. */
static void test_malformed(void)
{
	struct state *st = fake_r0();
	struct nl_msg *msg = nlmsg_alloc();
	char junk[3] = { 1, 2, 3 };
	struct nlattr *n;

	genlmsg_put(msg, 0, 0, 1, 0, 0, BLKREPL_CMD_VOL_GET, 1);
	tap_ok(!state_apply(st, nlmsg_hdr(msg), NULL), "no resource named");
	nla_put_string(msg, BLKREPL_A_RES, "r0");
	nla_put(msg, BLKREPL_A_VOL, sizeof(junk), junk);
	n = nla_nest_start(msg, BLKREPL_A_VOL_INFO);
	nla_put(msg, BLKREPL_VI_CAPACITY, sizeof(junk), junk);
	nla_put(msg, BLKREPL_VI_LINEAGE, sizeof(junk), junk);
	nla_nest_end(msg, n);
	state_apply(st, nlmsg_hdr(msg), NULL);
	tap_ok(state_vol(st->resources, 0)->capacity == 1 << 30, "nothing changed");
	nlmsg_free(msg);
	state_free(st);
}

int main(void)
{
	test_text();
	test_trouble();
	test_json();
	test_lag();
	test_events();
	test_event_json();
	test_malformed();
	return tap_end();
}
