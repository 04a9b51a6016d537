/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire format.  docs/wire-format.md tells the conversations; this file
 * is the format itself.  Everything is little endian.
 *
 * A connection has two TCP streams.  Each begins with one struct
 * repl_wire_hello in both directions and, unless authentication is off, one
 * struct repl_wire_auth in both directions.  Nothing else is parsed before.
 * After that every packet is a struct repl_wire_hdr and @length bytes.
 */
#ifndef REPL_WIRE_H
#define REPL_WIRE_H

#include "platform.h"

#define REPL_WIRE_VERSION_MIN	3	/* 2 did not say which set was kept before */
#define REPL_WIRE_VERSION_MAX	3
#define REPL_WIRE_MAGIC		0xb1e9
#define REPL_HELLO_MAGIC	0x4c504552424b4c42ULL	/* "BLKBREPL" */
#define REPL_NODES		32		/* node ids 0..31 */
#define REPL_NAME_LEN		64
#define REPL_NONCE_LEN		32
#define REPL_HMAC_LEN		32
#define REPL_DIGEST_LEN		16		/* Poly1305 */
#define REPL_DIGEST_KEY_LEN	32
#define REPL_MAX_DATA		(1U << 20)	/* payload of WRITE, bytes */
#define REPL_MAX_INLINE		4096		/* payload of everything else */

/* Which stream a packet belongs to; acks never queue behind data. */
enum repl_stream {
	REPL_STREAM_DATA,
	REPL_STREAM_CTRL,
	REPL_STREAMS,
};

/* Features; the peers use those that both offer. */
#define REPL_FEAT_DISCARD	(1U << 0)
#define REPL_FEAT_ZEROES	(1U << 1)
#define REPL_FEAT_DIGEST	(1U << 2)	/* resync may compare digests */
#define REPL_FEAT_TLS		(1U << 3)	/* reserved: TLS after the hello */
#define REPL_FEAT_MOVE		(1U << 4)	/* a Primary steps down if asked to */
#define REPL_FEAT_HOT		(1U << 5)	/* told of extents to be logged */
#define REPL_FEAT_OURS \
	(REPL_FEAT_DISCARD | REPL_FEAT_ZEROES | REPL_FEAT_DIGEST | \
	 REPL_FEAT_MOVE | REPL_FEAT_HOT)

/* hello.flags */
#define REPL_HELLO_AUTH		(1U << 0)	/* a secret is configured */
#define REPL_HELLO_DATA_CRC	(1U << 1)	/* wants payloads with a CRC */
#define REPL_HELLO_WITNESS	(1U << 2)	/* the sender has no data */

/**
 * struct repl_wire_hello - first bytes of a stream, both ways
 * @magic: REPL_HELLO_MAGIC
 * @crc: crc32c of all that follows it
 * @version_min: oldest version understood
 * @version_max: newest version understood; the highest common one is used
 * @stream: enum repl_stream
 * @from: sender's node id
 * @to: node id that the sender wants to talk to
 * @flags: REPL_HELLO_*
 * @features: REPL_FEAT_* offered
 * @session: chosen by the initiator for each connection; ties the two streams
 *	together, the acceptor repeats it
 * @nonce: random challenge for the other side's struct repl_wire_auth
 * @resource: name of the resource, zero padded
 */
struct repl_wire_hello {
	__le64 magic;
	__le32 crc;
	__le16 version_min;
	__le16 version_max;
	u8 stream;
	u8 from;
	u8 to;
	u8 flags;
	__le32 features;
	__le64 session;
	u8 nonce[REPL_NONCE_LEN];
	char resource[REPL_NAME_LEN];
} __attribute__((packed));

/**
 * struct repl_wire_auth - proof of the shared secret
 * @hmac: HMAC-SHA256 over the text built by repl_auth_text()
 */
struct repl_wire_auth {
	u8 hmac[REPL_HMAC_LEN];
} __attribute__((packed));

/**
 * enum repl_packet - packet types
 * The letter tells the stream: D data, C control.
 *
 * @PKT_RES_STATE: D: struct repl_wire_res_state; at start and on every change
 * @PKT_VOL_STATE: D: struct repl_wire_vol_state; at start and on every change
 * @PKT_WRITE: D: seq, sector, size, dep, through, id = receivers' mask; data
 * @PKT_DISCARD: D: as WRITE, no data
 * @PKT_ZEROES: D: as WRITE, no data
 * @PKT_FLUSH: D: seq; answered by an ack once all before is on stable media
 * @PKT_ACK: C: seq: the write or flush is done. It may also come on D, which the
 *	sender chooses while no data is queued there, and means the same: its
 *	order to other packets means nothing
 * @PKT_NACK: C: seq: the write or flush failed on this replica
 * @PKT_READ: D: id, sector, size: read for a primary without data
 * @PKT_READ_DATA: D: id; data
 * @PKT_READ_ERROR: D: id
 * @PKT_MEMBERS: D: id, struct repl_wire_members: new generation or set; dep,
 *	seq: term and number of the last write that all of it have
 * @PKT_MEMBERS_ACK: C: id: it is durable here
 * @PKT_VOTE_REQ: D: id = term of the candidacy, 0: it is over; dep, seq: reign
 *	and number of the last write that the candidate has; REPL_HDR_FULL: forced;
 *	REPL_HDR_TRIAL: nothing is promised yet; REPL_HDR_LAST: by itself, nobody
 *	has told it to
 * @PKT_VOTE: C: id = term, flags REPL_HDR_YES, with REPL_HDR_FULL if the voter
 *	has not crashed since it became a member, REPL_HDR_LAST if the vote is
 *	durable or would be, REPL_HDR_TRIAL as asked; payload: reason of a refusal,
 *	which with REPL_HDR_LAST lasts no longer than a lease
 * @PKT_SYNC_BEGIN: D: id = serial, repeated in all SYNC_*, MAP and RS_CLEAR of
 *	this sync; sender is the target; its map follows as PKT_MAP
 * @PKT_SYNC_READY: D: sender is the source and has the target's map
 * @PKT_SYNC_START: D: the target is Inconsistent now, durably
 * @PKT_SYNC_ACCEPT: D: the source's writes reach the target from here on in
 *	the stream; its map follows as PKT_MAP
 * @PKT_SYNC_REFUSE: D: not now; the target waits for a change of state
 * @PKT_MAP: D: dirty map entries; REPL_HDR_LAST on the last
 * @PKT_MAP_ACK: C: one PKT_MAP was merged
 * @PKT_RS_REQ: D: id, sector, size; REPL_HDR_DIGEST: payload is a digest
 * @PKT_RS_DATA: D: id, sector, size; data
 * @PKT_RS_EQUAL: D: id: the digest is the same here
 * @PKT_RS_ZEROES: D: id: the range is all zeroes here
 * @PKT_RS_ERROR: D: id: cannot read the range
 * @PKT_RS_CLEAR: D: array of struct repl_wire_range, now on stable media
 * @PKT_SYNC_DONE: D: target is UpToDate, durably; struct repl_wire_lineage
 * @PKT_SYNC_STOP: D: either side: this sync ends unfinished
 * @PKT_INVALIDATE: D: receiver's data of the volume is to be replaced
 * @PKT_NEW_DATASET: D: struct repl_wire_members: all replicas declared equal;
 *	sector = size of the volume in sectors
 * @PKT_PING: C: id; through, which counts after the MEMBERS whose id is seq; dep =
 *	term of our reign
 * @PKT_PONG: C: id; REPL_HDR_YES: a promise, see lease.c
 * @PKT_STEP_DOWN: D: id: the sender is to be Primary, and asks the one that is to
 *	step down, 0: it does not any more; only with REPL_FEAT_MOVE.  No answer but
 *	the Primary's RES_STATE, which says that it is none any more, or:
 * @PKT_STAYS: D: id: it stays Primary; payload: the reason
 * @PKT_HOT: C: array of extents (__le32) which the primary is logging, for writes
 *	that follow: a receiver logs them meanwhile; only with REPL_FEAT_HOT
 */
enum repl_packet {
	PKT_NONE,
	PKT_RES_STATE,
	PKT_VOL_STATE,
	PKT_WRITE,
	PKT_DISCARD,
	PKT_ZEROES,
	PKT_FLUSH,
	PKT_ACK,
	PKT_NACK,
	PKT_READ,
	PKT_READ_DATA,
	PKT_READ_ERROR,
	PKT_MEMBERS,
	PKT_MEMBERS_ACK,
	PKT_VOTE_REQ,
	PKT_VOTE,
	PKT_SYNC_BEGIN,
	PKT_SYNC_READY,
	PKT_SYNC_START,
	PKT_SYNC_ACCEPT,
	PKT_SYNC_REFUSE,
	PKT_MAP,
	PKT_MAP_ACK,
	PKT_RS_REQ,
	PKT_RS_DATA,
	PKT_RS_EQUAL,
	PKT_RS_ZEROES,
	PKT_RS_ERROR,
	PKT_RS_CLEAR,
	PKT_SYNC_DONE,
	PKT_SYNC_STOP,
	PKT_INVALIDATE,
	PKT_NEW_DATASET,
	PKT_PING,
	PKT_PONG,
	PKT_STEP_DOWN,
	PKT_STAYS,
	PKT_HOT,
	PKT_TYPES,
};

/* hdr.flags */
#define REPL_HDR_DCRC		(1U << 0)	/* @dcrc covers the payload */
#define REPL_HDR_FUA		(1U << 1)
#define REPL_HDR_NOUNMAP	(1U << 2)
#define REPL_HDR_YES		(1U << 3)
#define REPL_HDR_LAST		(1U << 4)
#define REPL_HDR_DIGEST		(1U << 5)
#define REPL_HDR_FULL		(1U << 6)	/* SYNC_BEGIN: everything */
#define REPL_HDR_TRIAL		(1U << 7)	/* VOTE_REQ: would you? */

/**
 * struct repl_wire_hdr - header of every packet after the hello
 * @hcrc: crc32c of the rest of the header
 * @magic: REPL_WIRE_MAGIC
 * @type: enum repl_packet
 * @flags: REPL_HDR_*
 * @volume: volume number; 0 where it has no meaning
 * @pad: 0
 * @length: bytes of payload that follow
 * @dcrc: crc32c of the payload, with REPL_HDR_DCRC
 * @size: bytes of the volume concerned
 * @seq: position in the resource's write stream
 * @sector: first sector (512 bytes) concerned
 * @dep: highest seq that was complete when this write was submitted: the
 *	write must not be applied before it
 * @through: every write up to here is complete on all receivers
 * @id: as the type says
 */
struct repl_wire_hdr {
	__le32 hcrc;
	__le16 magic;
	u8 type;
	u8 flags;
	__le16 volume;
	__le16 pad;
	__le32 length;
	__le32 dcrc;
	__le32 size;
	__le64 seq;
	__le64 sector;
	__le64 dep;
	__le64 through;
	__le64 id;
} __attribute__((packed));

#define REPL_HDR_LEN	sizeof(struct repl_wire_hdr)
static_assert(sizeof(struct repl_wire_hdr) == 64, "wire header");
static_assert(sizeof(struct repl_wire_hello) == 128, "wire hello");

/* res_state.flags */
#define REPL_RS_VOTES		(1U << 0)	/* primaries are elected, it votes */
#define REPL_RS_BY_MOST		(1U << 1)	/* a majority acknowledges, were it Primary */

/**
 * struct repl_wire_res_state - what a node says of itself
 * @term: of a primary, that of its reign; else the newest it knows
 * @through: see struct repl_wire_hdr
 * @seq: last write numbered or received
 * @role: enum blkrepl_role
 * @primary: node id of the primary it sees (itself included), 0xff: none
 * @flags: REPL_RS_*
 * @pad: 0
 * @members: the nodes that it knows, itself included; 0: it does not say
 */
struct repl_wire_res_state {
	__le64 term;
	__le64 through;
	__le64 seq;
	u8 role;
	u8 primary;
	u8 flags;
	u8 pad;
	__le32 members;
} __attribute__((packed));

static_assert(sizeof(struct repl_wire_res_state) == 32, "wire res_state");

/* vol_state.flags */
#define REPL_VS_CRASHED		(1U << 0)	/* META_F_CRASHED: see there */
#define REPL_VS_WAS_PRIMARY	(1U << 1)	/* and was Primary then */
#define REPL_VS_PAUSED		(1U << 2)	/* resync is to pause */
#define REPL_VS_DISCARD		(1U << 3)	/* discard my data on divergence */
#define REPL_VS_SINCE_VALID	(1U << 4)	/* @since has a meaning */
#define REPL_VS_LAST_PRIMARY	(1U << 6)	/* the last one, and it ended uncleanly */
#define REPL_VS_BEGUN		(1U << 5)	/* began a sync of the peer at @since */
#define REPL_VS_RESIGNED	(1U << 9)	/* Primary no more by force */
#define REPL_VS_VOUCHES		(1U << 10)	/* has all that it ever acknowledged */
#define REPL_VS_RENEWS		(1U << 11)	/* Primary still, asks for another term */
#define REPL_VS_SPLIT_SHIFT	7		/* two bits: after-split-brain */
#define REPL_VS_SPLIT_MASK	3U

/**
 * struct repl_wire_vol_state - what a node says of one volume
 * @dataset: id of the data set, 0 while there is none
 * @replica: random id of this replica's metadata
 * @sectors: size that the backing device could give, in sectors
 * @cur_sectors: size in use, 0: no data yet.  Of replicas of the same data the
 *	smaller ones grow; said before any write or map that reaches beyond the
 *	size said last
 * @dirty: not 0 if the sender's map for the receiver has any block
 * @set_version: version of the in-sync set
 * @in_sync: the in-sync set as the sender knows it
 * @lbs: logical block size in bytes
 * @disk: enum blkrepl_disk_state
 * @pad: 0
 * @flags: REPL_VS_*
 * @keepers: voters beside the members that keep this set, as the sender knows them
 * @kept_before: sets older than this one don't count, see meta_sb
 * @lineage: the sender's version vector, by node id
 * @since: vector since which the sender's map for the receiver is complete
 */
struct repl_wire_vol_state {
	__le64 dataset;
	__le64 replica;
	__le64 sectors;
	__le64 cur_sectors;
	__le64 dirty;
	__le64 set_version;
	__le32 in_sync;
	__le32 lbs;
	u8 disk;
	u8 pad;
	__le16 flags;
	__le32 keepers;
	__le64 kept_before;
	__le32 lineage[REPL_NODES];
	__le32 since[REPL_NODES];
} __attribute__((packed));

/**
 * struct repl_wire_members - a generation begins or the in-sync set changes
 * One packet a volume, all with the same id; REPL_HDR_LAST on the last.
 * @term: the primary's term
 * @set_version: version of @in_sync
 * @dataset: id of the data set
 * @in_sync: replicas that have every acknowledged write of this volume
 * @receivers: nodes that get this volume's writes from now on, the sender too if
 *	its own disk is good
 * @keepers: voters beside the members that keep the set: witnesses, and others
 * @pad: 0
 * @lineage: the vector that members of the set adopt
 */
struct repl_wire_members {
	__le64 term;
	__le64 set_version;
	__le64 dataset;
	__le32 in_sync;
	__le32 receivers;
	__le32 keepers;
	__le32 pad;
	__le32 lineage[REPL_NODES];
} __attribute__((packed));

struct repl_wire_lineage {
	__le64 dataset;
	__le32 lineage[REPL_NODES];
} __attribute__((packed));

/**
 * struct repl_wire_range - a part of a volume
 * @sector: first sector, on a block boundary
 * @size: bytes, whole blocks (the volume's last one may be short)
 * @pad: 0
 */
struct repl_wire_range {
	__le64 sector;
	__le32 size;
	__le32 pad;
} __attribute__((packed));

/* Outcome of checking what came from the network; repl_wire_text() says it. */
enum repl_wire_error {
	WIRE_OK,
	WIRE_BAD_MAGIC,
	WIRE_BAD_CRC,
	WIRE_BAD_DATA_CRC,
	WIRE_BAD_TYPE,
	WIRE_BAD_STREAM,
	WIRE_BAD_LENGTH,
	WIRE_BAD_FIELD,
	WIRE_BAD_VERSION,
	WIRE_WRONG_RESOURCE,
	WIRE_WRONG_NODE,
	WIRE_SAME_NODE,
	WIRE_UNKNOWN_NODE,
	WIRE_WRONG_SESSION,
	WIRE_AUTH_MISSING,
	WIRE_AUTH_FAILED,
	WIRE_NOT_WITNESS,
	WIRE_IS_WITNESS,
};

/**
 * repl_wire_text() - an outcome in words for an administrator
 * @e: the outcome
 */
const char *repl_wire_text(enum repl_wire_error e);

/**
 * repl_wire_seal() - finish a header before it is sent
 * @h: header, all fields but the CRCs filled in
 * @dcrc: crc32c of the payload; used if h->flags has REPL_HDR_DCRC
 */
void repl_wire_seal(struct repl_wire_hdr *h, u32 dcrc);

/**
 * repl_wire_check() - check a received header by itself
 * @h: the bytes received
 * @stream: where they came from
 *
 * After WIRE_OK the length is within the limits of the type, so that the
 * caller may allocate it.  Keeps no state, allocates nothing.
 */
enum repl_wire_error repl_wire_check(const struct repl_wire_hdr *h,
				     enum repl_stream stream);

/**
 * repl_wire_has_data() - does the payload go to a disk or a reader?
 * @type: enum repl_packet
 *
 * If so it may be up to REPL_MAX_DATA and belongs into pages; every other
 * payload is at most REPL_MAX_INLINE and is handed over as one buffer.
 */
bool repl_wire_has_data(u8 type);

/**
 * struct repl_hello_params - one end's view of a stream that begins
 * @resource: name of the resource
 * @self: own node id
 * @peer: expected node id of the other end, -1: not known yet (acceptor)
 * @stream: which stream; the acceptor learns it from the hello
 * @session: initiator: its choice; acceptor: learned from the hello
 * @witness: we are one
 * @peer_witness: the other end is to be one
 * @auth: a secret is configured for this peer
 * @data_crc: wants CRC on data
 * @nonce: own random challenge
 */
struct repl_hello_params {
	const char *resource;
	int self;
	int peer;
	enum repl_stream stream;
	u64 session;
	bool witness;
	bool peer_witness;
	bool auth;
	bool data_crc;
	u8 nonce[REPL_NONCE_LEN];
};

/**
 * struct repl_hello_result - what both hellos agree on
 * @version: protocol version
 * @features: common features
 * @data_crc: payloads carry a CRC (if either side wants it)
 * @digest_key: the shell's, which has the secret: see repl_auth_text()
 */
struct repl_hello_result {
	u16 version;
	u32 features;
	bool data_crc;
	u8 digest_key[REPL_DIGEST_KEY_LEN];
};

/** repl_hello_make() - fill in our hello */
void repl_hello_make(struct repl_wire_hello *out,
		     const struct repl_hello_params *p);

/**
 * repl_hello_peek() - first look of an acceptor: who is it, what does it want?
 * @in: the bytes received
 * @resource: room for REPL_NAME_LEN bytes, always terminated
 * @from: node id of the sender
 * @to: node id wanted
 *
 * Lets the acceptor find resource and peer before it checks the rest.
 */
enum repl_wire_error repl_hello_peek(const struct repl_wire_hello *in,
				     char *resource, int *from, int *to);

/**
 * repl_hello_check() - check the other side's hello against ours
 * @in: the bytes received
 * @p: our view
 * @initiator: we opened the stream: session and stream must be repeated
 * @out: filled in on WIRE_OK
 */
enum repl_wire_error repl_hello_check(const struct repl_wire_hello *in,
				      const struct repl_hello_params *p,
				      bool initiator,
				      struct repl_hello_result *out);

#define REPL_AUTH_TEXT_LEN	(16 + 2 * sizeof(struct repl_wire_hello))

/**
 * enum repl_auth_text - what the HMAC of a handshake's text is for
 * @REPL_BY_ACCEPTOR: it proves that the acceptor knows the secret
 * @REPL_BY_INITIATOR: the same of the initiator
 * @REPL_DIGEST_KEY: the connection's key for digests of blocks; never sent
 */
enum repl_auth_text {
	REPL_BY_ACCEPTOR,
	REPL_BY_INITIATOR,
	REPL_DIGEST_KEY,
};

/**
 * repl_auth_text() - the text whose HMAC proves the secret, or is a key
 * @out: REPL_AUTH_TEXT_LEN bytes
 * @use: what the HMAC is for
 * @initiator: hello of the side that connected
 * @acceptor: hello of the other side
 *
 * Both hellos whole, so that nonces, names, features and flags can't be
 * altered on the way; a tag, so that a proof can't be reflected.
 */
void repl_auth_text(u8 *out, enum repl_auth_text use,
		    const struct repl_wire_hello *initiator,
		    const struct repl_wire_hello *acceptor);

#endif
