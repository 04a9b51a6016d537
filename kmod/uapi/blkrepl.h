/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * blkrepl: generic netlink interface between the module and its tools.
 *
 * One family, one instance of every object per network namespace.  A message
 * carries the context attributes (BLKREPL_A_RES, _VOL, _PEER) that name the
 * object, and at most one nest with the object's settings.  Replies and
 * events use the same nests, so whatever can be set can be read back, except
 * the secret.  Errors come with an extended ack that says what was wrong.
 *
 * docs/netlink/blkrepl.yaml is the readable form of this file; "make lint"
 * checks that the two agree.
 */
#ifndef _UAPI_BLKREPL_H
#define _UAPI_BLKREPL_H

#include <linux/types.h>

#define BLKREPL_GENL_NAME	"blkrepl"
#define BLKREPL_GENL_VERSION	1
#define BLKREPL_MCGRP_EVENTS	"events"

/* Limits, shared with the tool so that it can refuse before the module does. */
#define BLKREPL_MAX_NODES	32	/* node ids 0..31 inside a resource */
#define BLKREPL_MAX_VOLUMES	64	/* volume numbers 0..63 inside a resource */
#define BLKREPL_NAME_MAX	64	/* resource and node names, with the NUL */
#define BLKREPL_PATH_MAX	256	/* device paths, with the NUL */
#define BLKREPL_SECRET_MAX	64	/* shared secret, bytes */
#define BLKREPL_SECRET_MIN	8

/**
 * enum blkrepl_cmd - commands
 * @BLKREPL_CMD_RES_NEW: RES, RES_CFG (node id mandatory): make a resource
 * @BLKREPL_CMD_RES_DEL: RES: remove a resource without volumes in use and
 *	without connections
 * @BLKREPL_CMD_RES_SET: RES, RES_CFG: change settings at run time
 * @BLKREPL_CMD_RES_GET: RES, or dump of all: RES, RES_CFG, RES_INFO
 * @BLKREPL_CMD_ROLE_SET: RES, ROLE, FORCE: become Primary or Secondary
 * @BLKREPL_CMD_VOL_NEW: RES, VOL, VOL_CFG (minor): make /dev/blkreplMINOR
 * @BLKREPL_CMD_VOL_DEL: RES, VOL: remove a detached, unused volume
 * @BLKREPL_CMD_VOL_SET: RES, VOL, VOL_CFG: change settings at run time
 * @BLKREPL_CMD_VOL_GET: RES [VOL], or dump: RES, VOL, VOL_CFG, VOL_INFO
 * @BLKREPL_CMD_ATTACH: RES, VOL, VOL_CFG (disk, meta disk): read the metadata
 *	and start to use the backing device; on a witness the meta disk alone
 * @BLKREPL_CMD_DETACH: RES, VOL, FORCE: let go of the backing device
 * @BLKREPL_CMD_RESIZE: RES, VOL, VOL_CFG (size, 0 for the largest possible)
 * @BLKREPL_CMD_INVALIDATE: RES, VOL: the local data is to be replaced from a
 *	peer, whichever suits; with REMOTE and PEER the peer's from ours
 * @BLKREPL_CMD_NEW_DATASET: RES: declare the replicas of all connected nodes
 *	equal, without a sync (initial set up of blank disks)
 * @BLKREPL_CMD_PEER_NEW: RES, PEER, PEER_CFG: make a peer
 * @BLKREPL_CMD_PEER_DEL: RES, PEER: forget a disconnected peer
 * @BLKREPL_CMD_PEER_SET: RES, PEER, PEER_CFG: change settings at run time
 * @BLKREPL_CMD_PEER_GET: RES [PEER], or dump: RES, PEER, PEER_CFG, PEER_INFO
 * @BLKREPL_CMD_CONNECT: RES, PEER, DISCARD_MY_DATA: connect and stay so
 * @BLKREPL_CMD_DISCONNECT: RES, PEER, FORCE: stay disconnected
 * @BLKREPL_CMD_PVOL_GET: RES [PEER, VOL], or dump: RES, PEER, VOL, PVOL_INFO
 * @BLKREPL_CMD_PAUSE_SYNC: RES, PEER, VOL: hold resync with that peer
 * @BLKREPL_CMD_RESUME_SYNC: RES, PEER, VOL
 * @BLKREPL_CMD_VERIFY: RES, PEER, VOL: reserved: refused as not there yet
 * @BLKREPL_CMD_EVENT: multicast only: EVENT and the nests of what changed
 * @BLKREPL_CMD_LATENCY_GET: dump only, RES or of all: a message for each
 *	histogram: RES, VOL or PEER, LATENCY
 * @BLKREPL_CMD_FENCED: RES, PEER: the peer has been off since it was lost
 */
enum blkrepl_cmd {
	BLKREPL_CMD_UNSPEC,
	BLKREPL_CMD_RES_NEW,
	BLKREPL_CMD_RES_DEL,
	BLKREPL_CMD_RES_SET,
	BLKREPL_CMD_RES_GET,
	BLKREPL_CMD_ROLE_SET,
	BLKREPL_CMD_VOL_NEW,
	BLKREPL_CMD_VOL_DEL,
	BLKREPL_CMD_VOL_SET,
	BLKREPL_CMD_VOL_GET,
	BLKREPL_CMD_ATTACH,
	BLKREPL_CMD_DETACH,
	BLKREPL_CMD_RESIZE,
	BLKREPL_CMD_INVALIDATE,
	BLKREPL_CMD_NEW_DATASET,
	BLKREPL_CMD_PEER_NEW,
	BLKREPL_CMD_PEER_DEL,
	BLKREPL_CMD_PEER_SET,
	BLKREPL_CMD_PEER_GET,
	BLKREPL_CMD_CONNECT,
	BLKREPL_CMD_DISCONNECT,
	BLKREPL_CMD_PVOL_GET,
	BLKREPL_CMD_PAUSE_SYNC,
	BLKREPL_CMD_RESUME_SYNC,
	BLKREPL_CMD_VERIFY,
	BLKREPL_CMD_EVENT,
	BLKREPL_CMD_LATENCY_GET,
	BLKREPL_CMD_FENCED,
	__BLKREPL_CMD_MAX,
	BLKREPL_CMD_MAX = __BLKREPL_CMD_MAX - 1
};

/* Top level attributes. */
enum blkrepl_attr {
	BLKREPL_A_UNSPEC,
	BLKREPL_A_RES,			/* string: resource name */
	BLKREPL_A_VOL,			/* u32: volume number */
	BLKREPL_A_PEER,			/* u32: node id of the peer */
	BLKREPL_A_ROLE,			/* u32: enum blkrepl_role */
	BLKREPL_A_FORCE,		/* flag */
	BLKREPL_A_REMOTE,		/* flag: INVALIDATE acts on the peer */
	BLKREPL_A_DISCARD_MY_DATA,	/* flag: on divergence ours is the victim */
	BLKREPL_A_RES_CFG,		/* nest: enum blkrepl_res_cfg */
	BLKREPL_A_RES_INFO,		/* nest: enum blkrepl_res_info */
	BLKREPL_A_VOL_CFG,		/* nest: enum blkrepl_vol_cfg */
	BLKREPL_A_VOL_INFO,		/* nest: enum blkrepl_vol_info */
	BLKREPL_A_PEER_CFG,		/* nest: enum blkrepl_peer_cfg */
	BLKREPL_A_PEER_INFO,		/* nest: enum blkrepl_peer_info */
	BLKREPL_A_PVOL_INFO,		/* nest: enum blkrepl_pvol_info */
	BLKREPL_A_EVENT,		/* u32: enum blkrepl_event */
	BLKREPL_A_TEXT,			/* string: reason, for people */
	BLKREPL_A_PAD,
	BLKREPL_A_LATENCY,		/* nest: enum blkrepl_latency */
	__BLKREPL_A_MAX,
	BLKREPL_A_MAX = __BLKREPL_A_MAX - 1
};

enum blkrepl_role {
	BLKREPL_ROLE_UNKNOWN,		/* of a peer that is not connected */
	BLKREPL_ROLE_SECONDARY,
	BLKREPL_ROLE_PRIMARY,
};

/* Ordered: a larger value is a better disk. */
enum blkrepl_disk_state {
	BLKREPL_DISK_UNKNOWN,		/* of a peer that is not connected */
	BLKREPL_DISK_DISKLESS,
	BLKREPL_DISK_ATTACHING,
	BLKREPL_DISK_FAILED,
	BLKREPL_DISK_WITNESS,		/* metadata and no data, as it should be */
	BLKREPL_DISK_INCONSISTENT,
	BLKREPL_DISK_OUTDATED,
	BLKREPL_DISK_CONSISTENT,	/* whether UpToDate is not known yet */
	BLKREPL_DISK_UPTODATE,
};

enum blkrepl_conn_state {
	BLKREPL_CONN_STANDALONE,	/* does not try to connect */
	BLKREPL_CONN_CONNECTING,
	BLKREPL_CONN_HANDSHAKE,		/* TCP is up, not authenticated or agreed */
	BLKREPL_CONN_CONNECTED,
};

enum blkrepl_repl_state {
	BLKREPL_REPL_OFF,
	BLKREPL_REPL_ESTABLISHED,
	BLKREPL_REPL_SYNC_SOURCE,
	BLKREPL_REPL_SYNC_TARGET,
	BLKREPL_REPL_VERIFY_SOURCE,
	BLKREPL_REPL_VERIFY_TARGET,
	BLKREPL_REPL_PAUSED_SOURCE,
	BLKREPL_REPL_PAUSED_TARGET,
	BLKREPL_REPL_BEHIND,		/* connected, writes go to the dirty map only */
};

enum blkrepl_ack_policy {
	BLKREPL_ACK_SYNC,		/* every replica of the in-sync set has it */
	BLKREPL_ACK_ASYNC,		/* the local disk has it */
	BLKREPL_ACK_QUORUM,		/* a majority of the replicas has it */
};

/* Who may be Primary. */
enum blkrepl_quorum {
	BLKREPL_QUORUM_OFF,		/* whom an administrator says */
	BLKREPL_QUORUM_MAJORITY,	/* who is elected; sets of a majority count */
};

/* Without votes: may a node go on without one that it has lost? */
enum blkrepl_fencing {
	BLKREPL_FENCING_OFF,		/* yes: somebody else looks after that */
	BLKREPL_FENCING_WAIT,		/* once that is back, or was fenced */
};

/* Of a peer, where there is fencing. */
enum blkrepl_fence_state {
	BLKREPL_FENCE_NONE,
	BLKREPL_FENCE_WANTED,		/* something waits until it is fenced */
	BLKREPL_FENCE_DONE,		/* it was, and has not been connected since */
};

enum blkrepl_on_io_error {
	BLKREPL_IO_ERROR_DETACH,	/* carry on from a peer's disk */
	BLKREPL_IO_ERROR_PASS_ON,	/* report to the upper layers */
};

enum blkrepl_on_no_data {
	BLKREPL_NO_DATA_SUSPEND,	/* hold I/O while no good data is reachable */
	BLKREPL_NO_DATA_IO_ERROR,
};

enum blkrepl_on_no_quorum {
	BLKREPL_NO_QUORUM_SUSPEND,	/* hold I/O until there are enough again */
	BLKREPL_NO_QUORUM_IO_ERROR,	/* fail it after the time-out of peers */
};

/* Whose data is given up once it has diverged.  Never that of a Primary. */
enum blkrepl_after_split_brain {
	BLKREPL_SPLIT_ASK,		/* nobody's: an administrator chooses */
	BLKREPL_SPLIT_UNCHANGED,	/* of the node where nothing was written */
	BLKREPL_SPLIT_YOUNGER,		/* of the one whose last reign began later */
	BLKREPL_SPLIT_SECONDARY,	/* of the Secondary beside a Primary */
};

/* What becomes of a peer that lacks more than backlog-max or -time allow. */
enum blkrepl_on_backlog {
	BLKREPL_BACKLOG_BEHIND,		/* it falls behind, and resyncs later */
	BLKREPL_BACKLOG_HOLD,		/* writes wait until it has caught up */
};

/* Nest RES_CFG.  Times are in milliseconds. */
enum blkrepl_res_cfg {
	BLKREPL_RC_UNSPEC,
	BLKREPL_RC_NODE_ID,		/* u32: own node id, 0..31; RES_NEW only */
	BLKREPL_RC_ACK_POLICY,		/* u32: enum blkrepl_ack_policy */
	BLKREPL_RC_ON_NO_DATA,		/* u32: enum blkrepl_on_no_data */
	BLKREPL_RC_NODE_NAME,		/* string: own name, for messages */
	BLKREPL_RC_ON_BACKLOG,		/* u32: enum blkrepl_on_backlog */
	BLKREPL_RC_BACKLOG_MAX,		/* u64: bytes that a peer may lack, 64 KiB..1 GiB,
					 * default 32 MiB
					 */
	BLKREPL_RC_BACKLOG_TIME,	/* u32: ms that a write may be on its way to a
					 * peer, 0..3600000, 0: no limit
					 */
	BLKREPL_RC_MIN_IN_SYNC,		/* u32: replicas in step, own included, without
					 * which no write completes, 0..32
					 */
	BLKREPL_RC_ON_NO_QUORUM,	/* u32: enum blkrepl_on_no_quorum */
	BLKREPL_RC_AUTO_PROMOTE,	/* u32: 1: take the place of a Primary that is
					 * gone; needs BLKREPL_QUORUM_MAJORITY
					 */
	BLKREPL_RC_PAD,
	BLKREPL_RC_WITNESS,		/* u32: 1: this node votes and has no data;
					 * RES_NEW only
					 */
	BLKREPL_RC_AFTER_SPLIT_BRAIN,	/* u32: enum blkrepl_after_split_brain; the
					 * same on both ends, or nobody gives up
					 */
	BLKREPL_RC_QUORUM,		/* u32: enum blkrepl_quorum; with
					 * BLKREPL_ACK_QUORUM always a majority
					 */
	BLKREPL_RC_FENCING,		/* u32: enum blkrepl_fencing; needs
					 * BLKREPL_QUORUM_OFF; the same on all nodes
					 */
	__BLKREPL_RC_MAX,
	BLKREPL_RC_MAX = __BLKREPL_RC_MAX - 1
};

/* Bits of BLKREPL_RI_SUSPENDED: why I/O is held just now. */
#define BLKREPL_SUSP_META	(1U << 0)	/* a metadata write is under way */
#define BLKREPL_SUSP_PEER_ACK	(1U << 1)	/* peers confirm a new generation */
#define BLKREPL_SUSP_NO_DATA	(1U << 2)	/* no good replica is reachable */
#define BLKREPL_SUSP_QUORUM	(1U << 3)	/* no majority */
#define BLKREPL_SUSP_FENCING	(1U << 4)	/* a lost peer may be Primary */

/* Nest RES_INFO. */
enum blkrepl_res_info {
	BLKREPL_RI_UNSPEC,
	BLKREPL_RI_ROLE,		/* u32: enum blkrepl_role */
	BLKREPL_RI_SUSPENDED,		/* u32: BLKREPL_SUSP_* */
	BLKREPL_RI_TERM,		/* u64 */
	BLKREPL_RI_SEQ,			/* u64: last write numbered or received */
	BLKREPL_RI_IN_SYNC_SET,		/* u32: bit n: node id n */
	BLKREPL_RI_IN_SYNC_VERSION,	/* u64 */
	BLKREPL_RI_OPENERS,		/* u32: openers of all devices */
	BLKREPL_RI_PAD,
	BLKREPL_RI_SUSPENDED_MS,	/* u64: how long I/O has been held */
	BLKREPL_RI_IN_STEP,		/* u32: replicas in step, own included, of the
					 * volume that has fewest
					 */
	BLKREPL_RI_IN_STEP_NEEDED,	/* u32: so many, or no write completes */
	BLKREPL_RI_PROMOTION_REFUSED,	/* string: why becoming Primary without force
					 * would be refused just now; absent:
					 * nothing that this node knows is
					 * against it
					 */
	BLKREPL_RI_PROMOTION_MISSING,	/* u32: bit n: node id n has, or may have, what
					 * is missing here
					 */
	BLKREPL_RI_VOTES,		/* u32: nodes that are here and can vote; where
					 * a majority decides, like the next
					 */
	BLKREPL_RI_VOTES_NEEDED,	/* u32: votes without which nobody is Primary */
	__BLKREPL_RI_MAX,
	BLKREPL_RI_MAX = __BLKREPL_RI_MAX - 1
};

/* Nest VOL_CFG. */
enum blkrepl_vol_cfg {
	BLKREPL_VC_UNSPEC,
	BLKREPL_VC_MINOR,		/* u32: N of /dev/blkreplN; VOL_NEW only */
	BLKREPL_VC_DISK,		/* string: backing device */
	BLKREPL_VC_META_DISK,		/* string: absent for internal metadata */
	BLKREPL_VC_SIZE,		/* u64: bytes, 0 for all that the disks allow;
					 * RESIZE only
					 */
	BLKREPL_VC_AL_EXTENTS,		/* u32: hot extents, 7..1000, default 1000 */
	BLKREPL_VC_ON_IO_ERROR,		/* u32: enum blkrepl_on_io_error */
	BLKREPL_VC_DISK_FLUSHES,	/* u32: 0: FLUSH is not sent to the backing
					 * device (battery-backed cache), default 1
					 */
	BLKREPL_VC_PAD,
	__BLKREPL_VC_MAX,
	BLKREPL_VC_MAX = __BLKREPL_VC_MAX - 1
};

/* Nest VOL_INFO. */
enum blkrepl_vol_info {
	BLKREPL_VI_UNSPEC,
	BLKREPL_VI_DISK_STATE,		/* u32: enum blkrepl_disk_state */
	BLKREPL_VI_CAPACITY,		/* u64: bytes of /dev/blkreplN */
	BLKREPL_VI_READS,		/* u64: application reads */
	BLKREPL_VI_READ_BYTES,		/* u64 */
	BLKREPL_VI_WRITES,		/* u64: application writes, discards included */
	BLKREPL_VI_WRITE_BYTES,		/* u64 */
	BLKREPL_VI_FLUSHES,		/* u64 */
	BLKREPL_VI_AL_WRITES,		/* u64: activity log transactions */
	BLKREPL_VI_MAP_WRITES,		/* u64: dirty map records written */
	BLKREPL_VI_IN_FLIGHT,		/* u32: application requests not completed */
	BLKREPL_VI_OPENERS,		/* u32 */
	BLKREPL_VI_DATASET_ID,		/* u64: random id of the data set */
	BLKREPL_VI_LINEAGE,		/* binary: 32 x __u32, host order, by node id */
	BLKREPL_VI_DIRTY_MEM,		/* u64: bytes of memory in dirty maps */
	BLKREPL_VI_PAD,
	__BLKREPL_VI_MAX,
	BLKREPL_VI_MAX = __BLKREPL_VI_MAX - 1
};

/* Nest PEER_CFG.  Addresses are struct sockaddr_in or sockaddr_in6. */
enum blkrepl_peer_cfg {
	BLKREPL_PC_UNSPEC,
	BLKREPL_PC_NAME,		/* string: the peer's name, for messages */
	BLKREPL_PC_LOCAL_ADDR,		/* binary: where to listen and connect from */
	BLKREPL_PC_PEER_ADDR,		/* binary: where the peer listens */
	BLKREPL_PC_SECRET,		/* binary: write only; absent: auth none */
	BLKREPL_PC_AUTH,		/* u32: read only: 1 when a secret is set */
	BLKREPL_PC_TIMEOUT,		/* u32: ms, 500..60000, default 6000: a peer
					 * that acknowledges nothing for so long is
					 * taken for dead
					 */
	BLKREPL_PC_PING_INT,		/* u32: ms, 100..120000, default 1000: heartbeat */
	BLKREPL_PC_CONNECT_INT,		/* u32: ms, 100..120000, default 1000: retry */
	BLKREPL_PC_DATA_CRC,		/* u32: 0 or 1, default 1: CRC on data */
	BLKREPL_PC_SNDBUF,		/* u32: bytes, 0: system's choice */
	BLKREPL_PC_RCVBUF,		/* u32: bytes, 0: system's choice */
	BLKREPL_PC_RESYNC_RATE_MAX,	/* u64: bytes/s, 0: no limit */
	BLKREPL_PC_RESYNC_RATE_MIN,	/* u64: bytes/s kept even under application
					 * load, default 1 MiB/s
					 */
	BLKREPL_PC_MAX_BUFFERS,		/* u32: 4 KiB pages for received data, 32..131072 */
	BLKREPL_PC_ASYNC,		/* u32: 1: no write waits for this peer */
	BLKREPL_PC_PAD,
	BLKREPL_PC_WITNESS,		/* u32: 1: it votes and has no data; PEER_NEW
					 * only
					 */
	__BLKREPL_PC_MAX,
	BLKREPL_PC_MAX = __BLKREPL_PC_MAX - 1
};

/* Nest PEER_INFO. */
enum blkrepl_peer_info {
	BLKREPL_PI_UNSPEC,
	BLKREPL_PI_CONN_STATE,		/* u32: enum blkrepl_conn_state */
	BLKREPL_PI_ROLE,		/* u32: enum blkrepl_role */
	BLKREPL_PI_FEATURES,		/* u32: agreed features */
	BLKREPL_PI_SENT_BYTES,		/* u64 */
	BLKREPL_PI_RECV_BYTES,		/* u64 */
	BLKREPL_PI_UNACKED,		/* u32: writes sent and not acknowledged */
	BLKREPL_PI_LAST_ERROR,		/* string: why the last connection ended, or
					 * the last attempt was refused
					 */
	BLKREPL_PI_PAD,
	BLKREPL_PI_LAG_BYTES,		/* u64: data of those that are complete without it */
	BLKREPL_PI_LAG_MS,		/* u32: age of the oldest of those */
	BLKREPL_PI_SEES_PRIMARY,	/* u32: node id of the Primary that it is or
					 * sees; absent: none
					 */
	BLKREPL_PI_FENCE_STATE,		/* u32: enum blkrepl_fence_state */
	BLKREPL_PI_HELD_BACK,		/* u32: 1: writes wait, as it may lack no more */
	__BLKREPL_PI_MAX,
	BLKREPL_PI_MAX = __BLKREPL_PI_MAX - 1
};

/* Nest PVOL_INFO: one volume as seen together with one peer. */
enum blkrepl_pvol_info {
	BLKREPL_PV_UNSPEC,
	BLKREPL_PV_REPL_STATE,		/* u32: enum blkrepl_repl_state */
	BLKREPL_PV_PEER_DISK_STATE,	/* u32: enum blkrepl_disk_state */
	BLKREPL_PV_OUT_OF_SYNC,		/* u64: bytes dirty for the peer */
	BLKREPL_PV_RESYNC_TOTAL,	/* u64: bytes to do when the resync began */
	BLKREPL_PV_RESYNC_LEFT,		/* u64: bytes */
	BLKREPL_PV_RESYNC_SENT,		/* u64: bytes moved over the network */
	BLKREPL_PV_RESYNC_EQUAL,	/* u64: bytes skipped, equal by checksum */
	BLKREPL_PV_RESYNC_MS,		/* u64: since the resync began */
	BLKREPL_PV_RESYNC_RATE,		/* u64: bytes/s done, over the last seconds */
	BLKREPL_PV_PAUSED,		/* u32: bit 0 by us, bit 1 by the peer */
	BLKREPL_PV_PAD,
	__BLKREPL_PV_MAX,
	BLKREPL_PV_MAX = __BLKREPL_PV_MAX - 1
};

/* Whose latency it is: a stage in the life of an I/O.  What failed is not counted. */
enum blkrepl_stage {
	BLKREPL_STAGE_WRITE,		/* application writes, as the application sees
					 * them, discards included
					 */
	BLKREPL_STAGE_WRITE_HELD,	/* of these: until they go to disk and peers */
	BLKREPL_STAGE_WRITE_DISK,	/* of these: the local disk, from then on */
	BLKREPL_STAGE_FLUSH,		/* application flushes, all replicas included */
	BLKREPL_STAGE_PEER_WRITE_DISK,	/* writes of a Primary elsewhere: our disk */
	BLKREPL_STAGE_ACK,		/* of a peer: from when a write goes to it until
					 * it says that its disk has it
					 */
};

/* Nest LATENCY: a histogram. */
enum blkrepl_latency {
	BLKREPL_LA_UNSPEC,
	BLKREPL_LA_STAGE,		/* u32: enum blkrepl_stage */
	BLKREPL_LA_COUNT,		/* u64: how often */
	BLKREPL_LA_SUM,			/* u64: ns, of all */
	BLKREPL_LA_LONGEST,		/* u64: ns */
	BLKREPL_LA_BUCKET,		/* nest: enum blkrepl_bucket; one for each that
					 * is not empty, in order
					 */
	BLKREPL_LA_PAD,
	__BLKREPL_LA_MAX,
	BLKREPL_LA_MAX = __BLKREPL_LA_MAX - 1
};

/* Nest BUCKET.  Which there are may change. */
enum blkrepl_bucket {
	BLKREPL_BU_UNSPEC,
	BLKREPL_BU_FROM,		/* u64: ns */
	BLKREPL_BU_BELOW,		/* u64: ns; absent: no limit */
	BLKREPL_BU_COUNT,		/* u64 */
	BLKREPL_BU_PAD,
	__BLKREPL_BU_MAX,
	BLKREPL_BU_MAX = __BLKREPL_BU_MAX - 1
};

/* BLKREPL_A_EVENT: what changed; the nests of that object come with it. */
enum blkrepl_event {
	BLKREPL_EV_UNSPEC,
	BLKREPL_EV_RES,			/* made or changed: RES_INFO */
	BLKREPL_EV_RES_GONE,
	BLKREPL_EV_VOL,			/* VOL_INFO */
	BLKREPL_EV_VOL_GONE,
	BLKREPL_EV_PEER,		/* PEER_INFO */
	BLKREPL_EV_PEER_GONE,
	BLKREPL_EV_PVOL,		/* PVOL_INFO */
	BLKREPL_EV_DIVERGED,		/* VOL, PEER, TEXT: split brain found */
	BLKREPL_EV_IO_ERROR,		/* VOL, TEXT: backing device failed */
	BLKREPL_EV_MESSAGE,		/* TEXT: a refusal worth an admin's eye */
	BLKREPL_EV_FENCE,		/* PEER, TEXT: somebody should fence it */
};

#endif
