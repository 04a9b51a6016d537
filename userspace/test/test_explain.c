// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every finding of explain, from messages as the kernel sends them.
 */
#include <stdarg.h>

#include "cmd.h"
#include "explain.h"
#include "fake.h"
#include "json.h"
#include "out.h"
#include "state.h"
#include "tap.h"
#include "uapi/blkrepl.h"

/* What a test changes of a healthy resource. */
#define RES(...)	FAKE(st, "r0", -1, -1, BLKREPL_A_RES_INFO, __VA_ARGS__)
#define RES_CFG(...)	FAKE(st, "r0", -1, -1, BLKREPL_A_RES_CFG, __VA_ARGS__)
#define DISK(...)	FAKE(st, "r0", 0, -1, BLKREPL_A_VOL_INFO, __VA_ARGS__)
#define PEER(id, ...)	FAKE(st, "r0", -1, id, BLKREPL_A_PEER_INFO, __VA_ARGS__)
#define PEER_CFG(id, ...) FAKE(st, "r0", -1, id, BLKREPL_A_PEER_CFG, __VA_ARGS__)
#define PVOL(id, ...)	FAKE(st, "r0", 0, id, BLKREPL_A_PVOL_INFO, __VA_ARGS__)

#define SUSPENDED(bits, ms) U32(BLKREPL_RI_SUSPENDED, bits), \
			    U64(BLKREPL_RI_SUSPENDED_MS, ms)
#define IN_STEP(n, need) U32(BLKREPL_RI_IN_STEP, n), U32(BLKREPL_RI_IN_STEP_NEEDED, need)
#define VOTES(n, need)	U32(BLKREPL_RI_VOTES, n), U32(BLKREPL_RI_VOTES_NEEDED, need)
#define REFUSED(why, missing) STR(BLKREPL_RI_PROMOTION_REFUSED, why), \
			      U32(BLKREPL_RI_PROMOTION_MISSING, missing)
#define ROLE(r)		U32(BLKREPL_RI_ROLE, BLKREPL_ROLE_##r)
#define STATE(s)	U32(BLKREPL_VI_DISK_STATE, BLKREPL_DISK_##s)
#define CONN(s)		U32(BLKREPL_PI_CONN_STATE, BLKREPL_CONN_##s)
#define PEER_ROLE(r)	U32(BLKREPL_PI_ROLE, BLKREPL_ROLE_##r)
#define SEES(id)	U32(BLKREPL_PI_SEES_PRIMARY, id)
#define FENCE(s)	U32(BLKREPL_PI_FENCE_STATE, BLKREPL_FENCE_##s)
#define ERROR(text)	STR(BLKREPL_PI_LAST_ERROR, text)
#define REPL(s)		U32(BLKREPL_PV_REPL_STATE, BLKREPL_REPL_##s)
#define PEER_DISK(s)	U32(BLKREPL_PV_PEER_DISK_STATE, BLKREPL_DISK_##s)

static void good_peer(struct state *st, int id, const char *name, const char *addr)
{
	fake_addr(st, "r0", id, "10.0.0.1:7789", addr);
	PEER_CFG(id, STR(BLKREPL_PC_NAME, name));
	PEER(id, CONN(CONNECTED), PEER_ROLE(SECONDARY), SEES(0));
	PVOL(id, REPL(ESTABLISHED), PEER_DISK(UPTODATE));
}

/* alice (0) is Primary; bob (1) and carol (2) are in step. */
static struct state *primary(void)
{
	struct state *st = state_new();

	RES_CFG(U32(BLKREPL_RC_NODE_ID, 0), STR(BLKREPL_RC_NODE_NAME, "alice"));
	RES(ROLE(PRIMARY), U32(BLKREPL_RI_IN_SYNC_SET, 7), IN_STEP(3, 1));
	DISK(STATE(UPTODATE), U64(BLKREPL_VI_DATASET_ID, 9));
	good_peer(st, 1, "bob", "10.0.0.2:7789");
	good_peer(st, 2, "carol", "10.0.0.3:7789");
	return st;
}

static struct state *secondary(void)
{
	struct state *st = primary();

	RES(ROLE(SECONDARY));
	PEER(1, PEER_ROLE(SECONDARY));
	PEER(2, PEER_ROLE(SECONDARY));
	return st;
}

static void cut(struct state *st, int id)
{
	PEER(id, CONN(CONNECTING), PEER_ROLE(UNKNOWN), ERROR("no route to host"));
	PVOL(id, REPL(OFF), PEER_DISK(UNKNOWN));
}

static char *print(const struct state *st, bool json)
{
	struct findings *f = explain(st->resources);
	char *text;
	size_t len;
	FILE *file = open_memstream(&text, &len);
	struct out *o = out_new(file, json, false);

	out_array(o, NULL);
	findings_print(o, f);
	out_end(o);
	out_free(o);
	findings_free(f);
	fclose(file);
	return text;
}

/* The state explains itself with all of these; the first ends the state. */
static void expect(struct state *st, const char *name, ...)
{
	char *text = print(st, false);
	const char *want;
	va_list ap;

	va_start(ap, name);
	while ((want = va_arg(ap, const char *)))
		tap_has(text, want, name);
	va_end(ap);
	free(text);
	state_free(st);
}

static void expect_first(struct state *st, const char *want)
{
	char *text = print(st, false);

	tap_ok(!strncmp(text, want, strlen(want)), want);
	if (strncmp(text, want, strlen(want)))
		tap_text("got", text);
	free(text);
}

static void test_fine(void)
{
	struct state *st = primary();
	char *text = print(st, false);

	tap_is(text,
	       "ok       r0: I/O is not suspended; alice is Primary\n"
	       "ok       r0 volume 0: UpToDate: it has the newest data\n"
	       "ok       r0 peer bob: connected and in step\n"
	       "ok       r0 peer carol: connected and in step\n"
	       "ok       r0 promotion: alice is Primary\n", "all is well");
	free(text);
	state_free(st);

	st = secondary();
	PEER(1, PEER_ROLE(PRIMARY), SEES(1));
	RES(REFUSED("a connected peer is Primary: make it Secondary first", 0));
	text = print(st, false);
	tap_is(text,
	       "ok       r0: alice is Secondary, bob is Primary\n"
	       "ok       r0 volume 0: UpToDate: it has the newest data\n"
	       "ok       r0 peer bob: connected and in step\n"
	       "ok       r0 peer carol: connected, and UpToDate as far as it knows\n"
	       "info     r0 promotion: alice cannot become Primary now, it would be refused: a connected peer is Primary: make it Secondary first (bob is Primary)\n"
	       "         do: if the role is to move, first on bob: blkrepl secondary r0\n",
	       "all is well on a Secondary");
	free(text);
	state_free(st);

	st = secondary();
	PEER(1, PEER_ROLE(PRIMARY), SEES(1));
	expect(st, "the role could move",
	       "info     r0 promotion: alice could become Primary in the place of bob, which steps down for it unless a volume is open for writing there\n"
	       "         do: if the role is to move: umount on bob, then here: blkrepl primary r0\n", NULL);

	st = secondary();
	expect(st, "nobody is Primary",
	       "ok       r0: alice is Secondary, and no Primary is known to it or to the nodes that it is connected to\n",
	       "info     r0 promotion: alice could become Primary: nothing that it knows is against it\n"
	       "         do: blkrepl primary r0\n", NULL);
}

static void test_quorum(void)
{
	struct state *st = primary();

	RES_CFG(U32(BLKREPL_RC_ACK_POLICY, BLKREPL_ACK_QUORUM));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 42000), IN_STEP(1, 2), VOTES(1, 2));
	cut(st, 1);
	cut(st, 2);
	expect_first(st, "problem  r0: I/O has been suspended for 0:42, programs wait: no quorum");
	expect(st, "no majority",
	       "; 1 of 3 replicas is in step, 2 are needed (ack-policy quorum); not in step: bob and carol\n"
	       "         do: get 1 more of bob and carol in step (see there); I/O goes on by itself then; to let programs fail rather than wait: blkrepl resource-options r0 --on-no-quorum io-error\n", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_ACK_POLICY, BLKREPL_ACK_QUORUM));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 42000), IN_STEP(1, 2), VOTES(2, 2));
	cut(st, 1);
	PEER_CFG(2, U32(BLKREPL_PC_ASYNC, 1));
	PVOL(2, PEER_DISK(CONSISTENT));
	expect(st, "one that is left follows",
	       "I/O goes on by itself then; to count carol, which is async, and wait for it: blkrepl net-options --async no r0:carol; to let programs fail", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 42000), IN_STEP(1, 2), VOTES(1, 2));
	cut(st, 1);
	cut(st, 2);
	expect(st, "no majority keeps the set",
	       "; 1 of 3 replicas is in step, 2 are needed (quorum majority); not in step: bob and carol\n", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_ON_NO_QUORUM, BLKREPL_NO_QUORUM_IO_ERROR));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 0), IN_STEP(2, 3));
	cut(st, 2);
	expect(st, "min-in-sync", "problem  r0: I/O is suspended, programs get errors (on-no-quorum io-error): fewer replicas are in step than min-in-sync asks for; "
	       "2 of 3 replicas are in step, 3 are needed; not in step: carol\n"
	       "         do: get carol in step (see there); I/O goes on by itself then; to go on with fewer: blkrepl resource-options r0 --min-in-sync 2\n", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY), U32(BLKREPL_RC_MIN_IN_SYNC, 3));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 0), IN_STEP(2, 3), VOTES(2, 2));
	cut(st, 2);
	expect(st, "more than a majority", "programs wait: fewer replicas are in step than min-in-sync asks for; 2 of 3 replicas are in step, 3 are needed; not in step: carol\n",
	       "--min-in-sync 2; to let programs fail", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY), U32(BLKREPL_RC_MIN_IN_SYNC, 3));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 0), IN_STEP(1, 3), VOTES(1, 2));
	cut(st, 1);
	cut(st, 2);
	expect(st, "less than both", "than min-in-sync asks for; 1 of 3 replicas is in step, 3 are needed; not in step: bob and carol\n"
	       "         do: get 2 more of bob and carol in step (see there); I/O goes on by itself then; to let programs fail", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY), U32(BLKREPL_RC_MIN_IN_SYNC, 2));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 0), IN_STEP(1, 2), VOTES(1, 2));
	cut(st, 1);
	cut(st, 2);
	expect(st, "no more than a majority", "no quorum: a majority of the nodes is not reachable; 1 of 3 replicas is in step, 2 are needed (quorum majority)", NULL);

	/* Two replicas and a witness that is there. */
	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY), U32(BLKREPL_RC_MIN_IN_SYNC, 2));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 0), IN_STEP(1, 2), VOTES(2, 2));
	PEER_CFG(2, U32(BLKREPL_PC_WITNESS, 1));
	PVOL(2, PEER_DISK(WITNESS));
	cut(st, 1);
	expect(st, "the witness is there", "programs wait: fewer replicas are in step than min-in-sync asks for; 1 of 2 replicas is in step, 2 are needed; not in step: bob\n"
	       "         do: get bob in step (see there); I/O goes on by itself then; to go on with fewer: blkrepl resource-options r0 --min-in-sync 1; to let programs fail", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY), U32(BLKREPL_RC_MIN_IN_SYNC, 2),
		U32(BLKREPL_RC_ACK_POLICY, BLKREPL_ACK_QUORUM));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 0), IN_STEP(1, 2), VOTES(2, 2));
	PEER_CFG(2, U32(BLKREPL_PC_WITNESS, 1));
	PVOL(2, PEER_DISK(WITNESS));
	cut(st, 1);
	expect(st, "it keeps the set", "than min-in-sync asks for; 1 of 2", NULL);
	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY), U32(BLKREPL_RC_MIN_IN_SYNC, 2),
		U32(BLKREPL_RC_ACK_POLICY, BLKREPL_ACK_QUORUM));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 0), IN_STEP(1, 2), VOTES(2, 2));
	PVOL(1, PEER_DISK(OUTDATED));
	cut(st, 2);
	expect(st, "a replica that does not keep it", "no quorum: a majority of the nodes is not reachable; 1 of 3", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 9000), IN_STEP(3, 2), VOTES(3, 2));
	expect(st, "a lease", "; enough replicas are in step, but a majority has not said in time that no other node was elected\n"
	       "         do: it asks again by itself", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY));
	RES(SUSPENDED(BLKREPL_SUSP_QUORUM, 9000), IN_STEP(1, 2), VOTES(3, 2));
	PEER(1, PEER_ROLE(PRIMARY), SEES(1));
	expect(st, "another was elected", "; bob is Primary too, and may have been elected when this node was cut off\n"
	       "         do: nothing: this node becomes Secondary as soon as they are connected, and what waits fails; to have that now: blkrepl secondary --force r0\n", NULL);
}

static void test_fencing(void)
{
	struct state *st = primary();

	RES_CFG(U32(BLKREPL_RC_FENCING, BLKREPL_FENCING_WAIT));
	RES(SUSPENDED(BLKREPL_SUSP_FENCING, 9000));
	cut(st, 1);
	cut(st, 2);
	PEER(1, FENCE(WANTED));
	expect_first(st, "problem  r0: I/O has been suspended for 0:09, programs wait: a peer that is lost may be Primary (fencing wait): bob\n");
	expect(st, "one to be fenced",
	       "         do: bring back bob; or power it off, and when that is done say here: blkrepl fenced r0:bob; I/O goes on by itself then\n", NULL);

	st = secondary();
	RES_CFG(U32(BLKREPL_RC_FENCING, BLKREPL_FENCING_WAIT));
	RES(REFUSED("it may be Primary (fencing wait): connect it", 6));
	cut(st, 1);
	cut(st, 2);
	expect(st, "two may be Primary",
	       "alice cannot become Primary now, it would be refused: it may be Primary (fencing wait): connect it; not heard of: bob and carol\n"
	       "         do: bring back bob and carol; or power them off, and when that is done say here: blkrepl fenced r0:bob, blkrepl fenced r0:carol\n", NULL);

	st = secondary();
	RES_CFG(U32(BLKREPL_RC_FENCING, BLKREPL_FENCING_WAIT));
	cut(st, 1);
	PEER(1, FENCE(DONE));
	expect(st, "one was fenced",
	       "info     r0 promotion: alice could become Primary: nothing that it knows is against it\n"
	       "         do: blkrepl primary r0\n", NULL);
}

static void test_no_data(void)
{
	struct state *st = primary();

	RES(SUSPENDED(BLKREPL_SUSP_NO_DATA, 3605000));
	DISK(STATE(DISKLESS));
	cut(st, 1);
	PVOL(2, REPL(OFF), PEER_DISK(INCONSISTENT));
	expect(st, "no data", "problem  r0: I/O has been suspended for 1:00:05, programs wait: no replica with good data is reachable; volume 0 is Diskless here\n"
	       "         do: attach the disk again: blkrepl attach r0/0; or bring back bob with its good data; to let programs fail", NULL);

	st = primary();
	RES(SUSPENDED(BLKREPL_SUSP_NO_DATA, 1000));
	DISK(STATE(OUTDATED));
	PVOL(1, PEER_DISK(OUTDATED));
	PVOL(2, PEER_DISK(OUTDATED));
	expect(st, "no data anywhere", "do: make the disk of a peer good; what is wrong is said of each peer here; to let", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_QUORUM, BLKREPL_QUORUM_MAJORITY));
	RES(SUSPENDED(BLKREPL_SUSP_NO_DATA, 1000));
	DISK(STATE(OUTDATED));
	PVOL(1, REPL(OFF));
	PVOL(2, REPL(OFF));
	expect(st, "no data to go on with", "said of each peer here; or let an election find out who has all that was acknowledged, while what waits fails: blkrepl secondary --force r0; to let", NULL);
}

static void test_moments(void)
{
	struct state *st = primary();

	RES(SUSPENDED(BLKREPL_SUSP_META, 100));
	expect(st, "moments", "info     r0: I/O has been suspended for 0:00, programs wait: a metadata write is under way; this takes moments\n", NULL);

	st = primary();
	RES(SUSPENDED(BLKREPL_SUSP_META | BLKREPL_SUSP_PEER_ACK, 8000));
	expect(st, "that last", "problem  r0: I/O has been suspended for 0:08, programs wait: a metadata write is under way\n"
	       "         do: look whether a disk of this node hangs: dmesg\n",
	       "waiting for peers to confirm a new generation\n"
	       "         do: look whether a disk or the network of a connected peer hangs", NULL);

	st = primary();
	RES(SUSPENDED(1U << 30, 8000));
	expect(st, "others", "programs wait: for a reason that this tool does not know\n"
	       "         do: use the blkrepl command that came with the module", NULL);
}

static void test_disks(void)
{
	struct state *st = primary();

	DISK(STATE(DISKLESS));
	expect_first(st, "problem  r0 volume 0: no disk is attached");
	expect(st, "Diskless", "; I/O goes on with the data of bob and carol\n"
	       "         do: blkrepl attach r0/0; for a new disk before that: blkrepl create-md r0/0 (a peer fills it then)\n", NULL);

	st = primary();
	DISK(STATE(FAILED));
	expect(st, "Failed", "problem  r0 volume 0: the disk has failed, and is being let go of",
	       "do: see what the kernel says of it (dmesg); repair or replace it, then attach it: blkrepl attach r0/0", NULL);

	st = primary();
	DISK(STATE(ATTACHING));
	expect(st, "Attaching", "warning  r0 volume 0: Attaching: the metadata is being read", NULL);

	st = secondary();
	DISK(STATE(INCONSISTENT), U64(BLKREPL_VI_DATASET_ID, 0));
	PVOL(1, REPL(OFF), PEER_DISK(INCONSISTENT));
	PVOL(2, REPL(OFF), PEER_DISK(INCONSISTENT));
	expect(st, "new disks", "problem  r0 volume 0: Inconsistent: the disk is new, there is no data on it yet\n"
	       "         do: if no node has data yet, on one of them, once all are connected: blkrepl new-data-set r0; if one has, there: blkrepl primary --force r0", NULL);

	st = secondary();
	DISK(STATE(INCONSISTENT));
	PVOL(1, REPL(SYNC_TARGET), U64(BLKREPL_PV_RESYNC_LEFT, 512 << 20));
	expect(st, "being filled", "warning  r0 volume 0: Inconsistent: the disk is an unfinished copy, part of it is old; it is being filled from bob, 512.0 MiB to go\n"
	       "         do: nothing, it is UpToDate at the end; to wait for it: blkrepl wait-sync r0\n", NULL);

	st = secondary();
	DISK(STATE(OUTDATED));
	PVOL(1, REPL(PAUSED_TARGET), U32(BLKREPL_PV_PAUSED, 3));
	expect(st, "paused", "but that is paused\n         do: on bob: blkrepl resume-sync r0; and here: blkrepl resume-sync r0/0\n", NULL);

	st = secondary();
	DISK(STATE(INCONSISTENT));
	cut(st, 1);
	cut(st, 2);
	expect(st, "nobody fills it", "; no node with good data is connected\n"
	       "         do: bring back bob or carol: it is filled by itself then\n", NULL);

	st = secondary();
	DISK(STATE(INCONSISTENT));
	PVOL(1, REPL(OFF), PEER_DISK(DISKLESS));
	PVOL(2, REPL(OFF), PEER_DISK(OUTDATED));
	expect(st, "nobody can", "do: make one of the nodes good: what is wrong there tells blkrepl explain r0, on each\n", NULL);

	st = secondary();
	DISK(STATE(OUTDATED));
	expect(st, "not begun", "problem  r0 volume 0: Outdated: the data is whole, but others have newer data; bob and carol have good data, but the resync has not begun\n", NULL);

	st = secondary();
	DISK(STATE(OUTDATED));
	cut(st, 1);
	PEER(2, CONN(CONNECTED), SEES(1));
	expect(st, "the Primary is away", "; carol has good data, but only the Primary, bob, may give it while it writes\n"
	       "         do: connect to bob: it is filled by itself then\n", NULL);

	st = state_new();
	RES_CFG(U32(BLKREPL_RC_NODE_ID, 0));
	expect(st, "nothing is there", "problem  r0: it has no volumes\n         do: make those that are configured: blkrepl up r0\n",
	       "warning  r0: it has no peers: nothing is mirrored\n",
	       "info     r0 promotion: this kernel module does not tell whether this node could become Primary\n", NULL);
}

static void test_doubt(void)
{
	struct state *st = secondary();

	DISK(STATE(CONSISTENT));
	cut(st, 1);
	cut(st, 2);
	RES(REFUSED("another node may have newer data (Consistent)", 6));
	expect(st, "Consistent", "warning  r0 volume 0: Consistent: the data is whole, but others were in step with it before, and may have newer data; not heard of yet: bob and carol\n"
	       "         do: bring back bob and carol: it is UpToDate when all have been heard, or one that is UpToDate\n", NULL);

	st = secondary();
	DISK(STATE(CONSISTENT));
	PVOL(1, REPL(OFF), PEER_DISK(DISKLESS));
	cut(st, 2);
	RES(REFUSED("another node may have newer data (Consistent)", 6));
	expect(st, "one can't tell", "; connected, but unable to tell: bob; not heard of yet: carol\n", NULL);

	st = secondary();
	DISK(STATE(CONSISTENT));
	expect(st, "all are there", "do: it is settled when one node becomes Primary; see promotion\n", NULL);

	st = secondary();
	DISK(STATE(CONSISTENT));
	PEER(1, PEER_ROLE(PRIMARY), SEES(1));
	PEER_CFG(1, U32(BLKREPL_PC_ASYNC, 1));
	expect(st, "a follower", "info     r0 volume 0: Consistent: it follows the Primary bob, which does not wait for it (async), and may lack the newest writes\n", NULL);

	st = secondary();
	DISK(STATE(CONSISTENT));
	PEER(1, PEER_ROLE(PRIMARY), SEES(1));
	expect(st, "not a member yet", "warning  r0 volume 0: Consistent: it follows the Primary bob, and may lack the newest writes\n"
	       "         do: nothing, it is UpToDate when bob says that it waits for it\n", NULL);

	st = secondary();
	cut(st, 1);
	expect(st, "UpToDate, alone", "info     r0 volume 0: UpToDate as far as is known here: bob may have written since the connection was lost\n", NULL);

	st = secondary();
	cut(st, 1);
	PEER(2, CONN(CONNECTED), SEES(1));
	expect(st, "UpToDate, behind", "warning  r0 volume 0: UpToDate when it was last connected to the Primary, bob: what that has written since is not here\n"
	       "         do: mend the connection, see what is said of bob\n", NULL);
}

static void test_away(void)
{
	struct state *st = primary();

	cut(st, 1);
	PVOL(1, U64(BLKREPL_PV_OUT_OF_SYNC, 4096));
	expect_first(st, "problem  r0 peer bob: not connected, it is tried again and again: no route to host");
	expect(st, "Connecting", "; 4.0 KiB are noted here as different\n"
	       "         do: see that bob runs and has the resource up (there: blkrepl up r0, blkrepl status r0), and that 10.0.0.1:7789 reaches 10.0.0.2:7789 (network, firewall)", NULL);

	st = primary();
	PEER(1, CONN(CONNECTING));
	expect(st, "no error", "tried again and again: nothing has been heard of it\n", NULL);

	st = primary();
	PEER(1, CONN(HANDSHAKE));
	expect(st, "Handshake", "warning  r0 peer bob: it is just connecting (Handshake)\n", NULL);

	st = primary();
	PEER(1, CONN(STANDALONE));
	expect(st, "StandAlone by will", "warning  r0 peer bob: not connected: nobody has told it to, or an administrator has disconnected it (StandAlone)\n"
	       "         do: blkrepl connect r0:bob\n", NULL);

	st = primary();
	PEER(1, CONN(STANDALONE), ERROR("both nodes are Primary: make one Secondary"));
	expect(st, "StandAlone by refusal", "problem  r0 peer bob: not connected, and it is not tried again (StandAlone): both nodes are Primary: make one Secondary\n"
	       "         do: mend that, then here, and on bob if it is StandAlone too: blkrepl connect r0:bob\n", NULL);

	st = primary();
	PEER(1, CONN(STANDALONE), ERROR("data has diverged (split brain): see connect --discard-my-data"));
	PVOL(1, U64(BLKREPL_PV_OUT_OF_SYNC, 8192));
	expect(st, "split brain", "problem  r0 peer bob: not connected: the data has diverged (split brain), alice and bob have both written without the other; nothing is overwritten before you say whose changes go; 8.0 KiB are noted here as different\n"
	       "         do: decide whose changes are to be lost. Those of alice: here blkrepl secondary r0 and blkrepl connect r0:bob --discard-my-data, on bob blkrepl connect r0. Those of bob: the same with the nodes swapped\n", NULL);

	st = primary();
	PEER(1, CONN(STANDALONE), ERROR("data has diverged (split brain), and after-split-brain differs between the nodes"));
	RES_CFG(U32(BLKREPL_RC_AFTER_SPLIT_BRAIN, BLKREPL_SPLIT_SECONDARY));
	expect(st, "two policies", "; after-split-brain discard-secondary has not settled it, as bob has another setting\n", NULL);
}

static void test_not_in_step(void)
{
	struct state *st = primary();

	PVOL(1, REPL(SYNC_SOURCE), PEER_DISK(INCONSISTENT),
	     U64(BLKREPL_PV_RESYNC_LEFT, 1 << 20), U64(BLKREPL_PV_RESYNC_RATE, 2 << 20));
	expect(st, "a resync", "warning  r0 peer bob: volume 0: bob is being filled from alice, 1.0 MiB to go at 2.0 MiB/s\n"
	       "         do: nothing; to wait for it: blkrepl wait-sync r0\n", NULL);

	st = secondary();
	PVOL(1, REPL(PAUSED_TARGET), U32(BLKREPL_PV_PAUSED, 2));
	expect(st, "held there", "alice is being filled from bob, 0 B to go, but that is paused there\n         do: there: blkrepl resume-sync r0\n", NULL);
	st = primary();
	PVOL(1, REPL(PAUSED_SOURCE), U32(BLKREPL_PV_PAUSED, 1));
	expect(st, "held here", "paused here\n         do: here: blkrepl resume-sync r0\n", NULL);
	st = primary();
	PVOL(1, REPL(PAUSED_SOURCE), U32(BLKREPL_PV_PAUSED, 3));
	expect(st, "held by both", "paused here and there\n         do: here and there: blkrepl resume-sync r0\n", NULL);

	st = primary();
	PVOL(1, REPL(OFF), PEER_DISK(OUTDATED), U32(BLKREPL_PV_PAUSED, 1));
	expect(st, "held before it began", "warning  r0 peer bob: volume 0: the resync is paused here\n         do: here: blkrepl resume-sync r0\n", NULL);

	st = primary();
	PVOL(1, REPL(BEHIND));
	expect(st, "Behind", "warning  r0 peer bob: volume 0: it was too slow for what is written here, has fallen behind", NULL);

	st = primary();
	PVOL(1, REPL(OFF), PEER_DISK(DISKLESS));
	expect(st, "no disk there", "problem  r0 peer bob: volume 0 has no disk there (Diskless): one copy less\n"
	       "         do: on bob: blkrepl attach r0/0; more tells: blkrepl explain r0, there\n", NULL);

	st = primary();
	PVOL(1, REPL(OFF), PEER_DISK(UNKNOWN));
	expect(st, "no volume there", "bob has not told of it\n         do: see whether the volume exists there: blkrepl status r0\n", NULL);

	st = secondary();
	DISK(STATE(CONSISTENT));
	PVOL(1, REPL(OFF), PEER_DISK(CONSISTENT));
	expect(st, "neither is good", "warning  r0 peer bob: volume 0: nothing is mirrored, the disk is Consistent here and Consistent there, and neither can be filled from the other just now\n", NULL);

	st = primary();
	PVOL(1, PEER_DISK(CONSISTENT));
	expect(st, "not UpToDate", "warning  r0 peer bob: volume 0: connected, its disk is Consistent\n         do: there: blkrepl explain r0\n", NULL);

	st = primary();
	RES_CFG(U32(BLKREPL_RC_ACK_POLICY, BLKREPL_ACK_ASYNC));
	PVOL(1, PEER_DISK(CONSISTENT));
	PEER(2, U64(BLKREPL_PI_LAG_BYTES, 65536));
	expect(st, "async", "info     r0 peer bob: volume 0: connected, its disk is Consistent, as it is not waited for (async)\n",
	       "ok       r0 peer carol: connected and in step, 64.0 KiB are on their way (async)\n", NULL);
}

static void held_for_bob(struct state *st, uint64_t bytes, uint32_t ms, bool held)
{
	RES_CFG(U32(BLKREPL_RC_ON_BACKLOG, BLKREPL_BACKLOG_HOLD),
		U64(BLKREPL_RC_BACKLOG_MAX, 65536), U32(BLKREPL_RC_BACKLOG_TIME, 2000));
	PEER_CFG(1, U32(BLKREPL_PC_ASYNC, 1));
	PEER(1, U64(BLKREPL_PI_LAG_BYTES, bytes), U32(BLKREPL_PI_LAG_MS, ms),
	     U32(BLKREPL_PI_HELD_BACK, held));
}

/* Nothing is suspended, and writes wait all the same. */
static void test_held(void)
{
	struct state *st = primary();

	held_for_bob(st, 65536, 2000, true);
	expect(st, "backlog-max", "warning  r0 peer bob: writes wait until it has caught up (on-backlog hold-writes): it lacks 64.0 KiB for 0:02, backlog-max is 64.0 KiB\n"
	       "         do: nothing, they go on by themselves; to let it fall behind rather than wait: blkrepl resource-options r0 --on-backlog fall-behind\n", NULL);

	st = primary();
	held_for_bob(st, 4096, 5000, true);
	expect(st, "backlog-time", "it lacks 4.0 KiB for 0:05, backlog-time is 0:02\n", NULL);

	st = primary();
	held_for_bob(st, 65536, 2000, false);
	expect(st, "within both", "ok       r0 peer bob: connected and in step, 64.0 KiB are on their way (async)\n", NULL);

	st = primary();
	held_for_bob(st, 65536, 5000, true);
	RES_CFG(U32(BLKREPL_RC_ON_BACKLOG, BLKREPL_BACKLOG_BEHIND));
	expect(st, "it falls behind instead", "ok       r0 peer bob: connected and in step, 64.0 KiB are on their way (async)\n", NULL);
}

static void test_promotion(void)
{
	struct state *st = secondary();

	cut(st, 1);
	cut(st, 2);
	expect(st, "it can't ask", "info     r0 promotion: alice could become Primary: nothing that it knows is against it; but it cannot ask bob or carol\n"
	       "         do: make sure that no other node (bob or carol) is Primary or becomes it, else the data diverges; then: blkrepl primary r0\n", NULL);

	st = secondary();
	RES_CFG(U32(BLKREPL_RC_ACK_POLICY, BLKREPL_ACK_QUORUM));
	RES(VOTES(2, 2));
	cut(st, 1);
	expect(st, "votes enough", "nothing that it knows is against it; 2 of 3 votes are here, 2 are needed\n"
	       "         do: blkrepl primary r0\n", NULL);

	st = secondary();
	RES_CFG(U32(BLKREPL_RC_ACK_POLICY, BLKREPL_ACK_QUORUM));
	RES(VOTES(1, 2), REFUSED("a majority of the nodes has to agree", 6));
	cut(st, 1);
	cut(st, 2);
	expect(st, "too few votes", "warning  r0 promotion: alice cannot become Primary now, it would be refused: a majority of the nodes has to agree; not heard of: bob and carol; 1 of 3 votes is here, 2 are needed\n"
	       "         do: bring back 1 more of bob and carol, with a disk\n",
	       "info     r0 promotion: primary --force would go on with the data of alice; of volume 0 writes acknowledged since the set {alice, bob, carol} was formed may be only on bob and carol. How much that is, only those nodes know\n"
	       "         do: only if bob and carol will not come back: blkrepl primary --force r0; ", NULL);

	st = secondary();
	RES_CFG(U32(BLKREPL_RC_ACK_POLICY, BLKREPL_ACK_QUORUM));
	RES(VOTES(2, 2), REFUSED("acknowledged writes may be on replicas", 4));
	cut(st, 2);
	expect(st, "too little heard", "do: bring back carol, until enough of the data has been heard of\n", NULL);

	st = secondary();
	RES_CFG(U32(BLKREPL_RC_ACK_POLICY, BLKREPL_ACK_QUORUM));
	RES(VOTES(2, 2), REFUSED("acknowledged writes may be on replicas", 8));
	expect(st, "a stranger", "do: the nodes do not have the same configuration: here node 3 is missing; add it as where it is known, then here: blkrepl down r0, blkrepl up r0\n", NULL);

	st = secondary();
	cut(st, 1);
	PEER(2, CONN(CONNECTED), SEES(1));
	RES(REFUSED("that node sees another Primary", 0));
	expect(st, "a peer objects", "info     r0 promotion: alice cannot become Primary now, it would be refused by carol: that node sees another Primary (bob is Primary)\n", NULL);

	st = secondary();
	cut(st, 1);
	PEER(2, CONN(CONNECTED), SEES(1));
	DISK(STATE(OUTDATED));
	RES(REFUSED("the data here is known to be older", 0));
	expect(st, "a reason of our own", "alice cannot become Primary now, it would be refused: the data here is known to be older (bob is Primary)\n", NULL);

	st = secondary();
	RES(REFUSED("a disk is being attached or detached: try again", 0));
	expect(st, "try again", "do: see what is said of the volumes and the peers\n", NULL);

	st = secondary();
	DISK(STATE(OUTDATED));
	PVOL(2, PEER_DISK(OUTDATED));
	cut(st, 1);
	PVOL(1, U64(BLKREPL_PV_OUT_OF_SYNC, 4096));
	RES(REFUSED("older than a peer's", 2));
	expect(st, "Outdated", "; not heard of: bob\n         do: bring back bob\n",
	       "volume 0 lacks writes that were acknowledged without alice: they are on other nodes only. How much that is, only those nodes know; noted here as different from bob: 4.0 KiB\n", NULL);

	st = secondary();
	DISK(STATE(OUTDATED));
	cut(st, 1);
	RES(REFUSED("older than a peer's", 6));
	expect(st, "a better one is here", "; not heard of: bob\n         do: see what is said of the volumes and the peers\n", NULL);

	st = secondary();
	DISK(STATE(INCONSISTENT));
	RES(REFUSED("unfinished", 0));
	expect(st, "unfinished", "; volume 0 is an unfinished copy: what is on it does not fit together", NULL);

	st = secondary();
	DISK(STATE(INCONSISTENT), U64(BLKREPL_VI_DATASET_ID, 0));
	RES(REFUSED("unfinished", 0));
	expect(st, "new", "; volume 0 becomes, as it is, everybody's data", NULL);

	st = secondary();
	DISK(STATE(DISKLESS));
	cut(st, 1);
	cut(st, 2);
	RES(REFUSED("there is no disk", 0));
	expect(st, "force can't", "primary --force would be refused as well: volume 0 has no data here that it could go on with\n", NULL);
}

/* Names that are not known are numbers. */
static void test_names(void)
{
	struct state *st = secondary();

	RES_CFG(STR(BLKREPL_RC_NODE_NAME, ""));
	PEER_CFG(2, STR(BLKREPL_PC_NAME, ""));
	cut(st, 2);
	DISK(STATE(CONSISTENT));
	RES(REFUSED("because", 12), U32(BLKREPL_RI_IN_SYNC_SET, 13));
	expect(st, "no names", "not heard of: node 2 and node 3", "the set {this node, node 2, node 3} was formed",
	       "problem  r0 peer node 2: ", NULL);
}

static void test_json(void)
{
	struct state *st = primary();
	struct json_object *o;
	char *text;

	cut(st, 2);
	text = print(st, true);
	o = json_tokener_parse(text);
	tap_is(path(o, "/0/severity"), "\"problem\"", "severity");
	tap_is(path(o, "/0/about"), "\"peer carol\"", "about");
	tap_has(path(o, "/0/what"), "no route to host", "what");
	tap_has(path(o, "/0/do"), "see that carol runs", "do");
	tap_is(path(o, "/1/about"), "\"resource\"", "the resource");
	tap_is(path(o, "/1/severity"), "\"ok\"", "fine");
	tap_is(path(o, "/1/do"), "\"\"", "nothing to do");
	tap_is(path(o, "/1/resource"), "\"r0\"", "its name");
	json_object_put(o);
	free(text);
	state_free(st);
}

static int run(struct state *st, const char *res)
{
	char *argv[] = { (char *)"blkrepl", (char *)"explain", (char *)res, NULL };
	struct cmd c = { .state = st };
	char *text;
	size_t len;
	int code;

	c.file = open_memstream(&text, &len);
	code = cmd_main(&c, res ? 3 : 2, argv);
	cmd_cleanup(&c);
	fclose(c.file);
	tap_ok(text[0], "it says something");
	free(text);
	return code;
}

static void test_verb(void)
{
	struct state *st = primary();

	tap_ok(run(st, "r0") == EX_DONE, "status 0: all is well");
	st = primary();
	cut(st, 1);
	tap_ok(run(st, "r0") == EX_TROUBLE, "status 5: something is wrong");
	st = primary();
	cut(st, 1);
	tap_ok(run(st, "all") == EX_TROUBLE, "all");
	tap_ok(run(state_new(), NULL) == EX_DONE, "nothing is up");
}

int main(void)
{
	test_fine();
	test_quorum();
	test_fencing();
	test_no_data();
	test_moments();
	test_disks();
	test_doubt();
	test_away();
	test_not_in_step();
	test_held();
	test_promotion();
	test_names();
	test_json();
	test_verb();
	return tap_end();
}
