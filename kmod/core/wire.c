// SPDX-License-Identifier: GPL-2.0
/* Wire format: sealing and checking of packet headers. */
#include "meta_format.h"
#include "wire.h"

/* What a header of each type may look like. */
enum pkt_shape {
	SHAPE_FIXED,		/* payload is exactly @len */
	SHAPE_UPTO,		/* payload is at most @len */
	SHAPE_ARRAY,		/* payload is a non-empty array of @len */
	SHAPE_DATA,		/* payload is hdr.size, sectors, at most @len */
	SHAPE_RANGE,		/* no payload, hdr.size at most @len */
	SHAPE_DIGEST,		/* SHAPE_RANGE, payload by REPL_HDR_DIGEST */
};

static const struct pkt_rule {
	u8 stream;
	u8 shape;
	u32 len;
} rules[PKT_TYPES] = {
#define D REPL_STREAM_DATA
#define C REPL_STREAM_CTRL
	[PKT_RES_STATE]	  = { D, SHAPE_FIXED, sizeof(struct repl_wire_res_state) },
	[PKT_VOL_STATE]	  = { D, SHAPE_FIXED, sizeof(struct repl_wire_vol_state) },
	[PKT_WRITE]	  = { D, SHAPE_DATA, REPL_MAX_DATA },
	[PKT_DISCARD]	  = { D, SHAPE_RANGE, EXTENT_BYTES },
	[PKT_ZEROES]	  = { D, SHAPE_RANGE, EXTENT_BYTES },
	[PKT_FLUSH]	  = { D, SHAPE_FIXED, 0 },
	[PKT_ACK]	  = { C, SHAPE_FIXED, 0 },
	[PKT_NACK]	  = { C, SHAPE_FIXED, 0 },
	[PKT_READ]	  = { D, SHAPE_RANGE, REPL_MAX_DATA },
	[PKT_READ_DATA]	  = { D, SHAPE_DATA, REPL_MAX_DATA },
	[PKT_READ_ERROR]  = { D, SHAPE_FIXED, 0 },
	[PKT_MEMBERS]	  = { D, SHAPE_FIXED, sizeof(struct repl_wire_members) },
	[PKT_MEMBERS_ACK] = { C, SHAPE_FIXED, 0 },
	[PKT_VOTE_REQ]	  = { D, SHAPE_FIXED, 0 },
	[PKT_VOTE]	  = { C, SHAPE_UPTO, 256 },
	[PKT_SYNC_BEGIN]  = { D, SHAPE_FIXED, 0 },
	[PKT_SYNC_READY]  = { D, SHAPE_FIXED, 0 },
	[PKT_SYNC_START]  = { D, SHAPE_FIXED, 0 },
	[PKT_SYNC_ACCEPT] = { D, SHAPE_FIXED, 0 },
	[PKT_SYNC_REFUSE] = { D, SHAPE_FIXED, 0 },
	[PKT_MAP]	  = { D, SHAPE_UPTO, REPL_MAX_INLINE },
	[PKT_MAP_ACK]	  = { C, SHAPE_FIXED, 0 },
	[PKT_RS_REQ]	  = { D, SHAPE_DIGEST, REPL_MAX_DATA },
	[PKT_RS_DATA]	  = { D, SHAPE_DATA, REPL_MAX_DATA },
	[PKT_RS_EQUAL]	  = { D, SHAPE_FIXED, 0 },
	[PKT_RS_ZEROES]	  = { D, SHAPE_FIXED, 0 },
	[PKT_RS_ERROR]	  = { D, SHAPE_FIXED, 0 },
	[PKT_RS_CLEAR]	  = { D, SHAPE_ARRAY, sizeof(struct repl_wire_range) },
	[PKT_SYNC_DONE]	  = { D, SHAPE_FIXED, sizeof(struct repl_wire_lineage) },
	[PKT_SYNC_STOP]	  = { D, SHAPE_FIXED, 0 },
	[PKT_INVALIDATE]  = { D, SHAPE_FIXED, 0 },
	[PKT_NEW_DATASET] = { D, SHAPE_FIXED, sizeof(struct repl_wire_members) },
	[PKT_PING]	  = { C, SHAPE_FIXED, 0 },
	[PKT_PONG]	  = { C, SHAPE_FIXED, 0 },
	[PKT_STEP_DOWN]	  = { D, SHAPE_FIXED, 0 },
	[PKT_STAYS]	  = { D, SHAPE_UPTO, 256 },
	[PKT_HOT]	  = { C, SHAPE_ARRAY, sizeof(__le32) },
#undef D
#undef C
};

static const char * const texts[] = {
	[WIRE_OK]		= "ok",
	[WIRE_BAD_MAGIC]	= "not a blkrepl packet",
	[WIRE_BAD_CRC]		= "header checksum is wrong",
	[WIRE_BAD_DATA_CRC]	= "data checksum is wrong",
	[WIRE_BAD_TYPE]		= "unknown packet type",
	[WIRE_BAD_STREAM]	= "packet came on the wrong stream",
	[WIRE_BAD_LENGTH]	= "packet length is wrong for its type",
	[WIRE_BAD_FIELD]	= "a packet field is out of range",
	[WIRE_BAD_VERSION]	= "no common protocol version: upgrade the older node",
	[WIRE_WRONG_RESOURCE]	= "the peer means another resource: compare names and ports",
	[WIRE_WRONG_NODE]	= "the peer wants another node id: compare node-id on both nodes",
	[WIRE_SAME_NODE]	= "the peer has our own node id: give each node its own",
	[WIRE_UNKNOWN_NODE]	= "the peer has another node id than is configured here: compare node-id on both nodes",
	[WIRE_WRONG_SESSION]	= "stream does not belong to this connection",
	[WIRE_AUTH_MISSING]	= "one side has a secret and the other has none: set the same secret on both",
	[WIRE_AUTH_FAILED]	= "authentication failed: the secrets differ",
	[WIRE_NOT_WITNESS]	= "the peer is no witness, as it says: compare witness on both nodes",
	[WIRE_IS_WITNESS]	= "the peer says that it is a witness: compare witness on both nodes",
};

const char *repl_wire_text(enum repl_wire_error e)
{
	if ((unsigned int)e >= ARRAY_SIZE(texts))
		return "unknown error";
	return texts[e];
}

static u32 hdr_crc(const struct repl_wire_hdr *h)
{
	return repl_crc32c((const u8 *)h + sizeof(h->hcrc),
			   sizeof(*h) - sizeof(h->hcrc));
}

void repl_wire_seal(struct repl_wire_hdr *h, u32 dcrc)
{
	h->magic = cpu_to_le16(REPL_WIRE_MAGIC);
	h->dcrc = cpu_to_le32((h->flags & REPL_HDR_DCRC) ? dcrc : 0);
	h->hcrc = cpu_to_le32(hdr_crc(h));
}

bool repl_wire_has_data(u8 type)
{
	return type == PKT_WRITE || type == PKT_READ_DATA ||
	       type == PKT_RS_DATA;
}

static bool size_ok(u32 size, u32 max_size)
{
	return size && size <= max_size && size % SECTOR_BYTES == 0;
}

static bool shape_ok(const struct pkt_rule *r, const struct repl_wire_hdr *h)
{
	u32 length = le32_to_cpu(h->length);
	u32 size = le32_to_cpu(h->size);

	switch (r->shape) {
	case SHAPE_FIXED:
		return length == r->len;
	case SHAPE_UPTO:
		return length <= r->len;
	case SHAPE_ARRAY:
		return length && length <= REPL_MAX_INLINE &&
		       length % r->len == 0;
	case SHAPE_DATA:
		return size_ok(size, r->len) && length == size;
	case SHAPE_RANGE:
		return size_ok(size, r->len) && !length;
	case SHAPE_DIGEST:
		return size_ok(size, r->len) &&
		       length == ((h->flags & REPL_HDR_DIGEST) ?
				  REPL_DIGEST_LEN : 0);
	}
	return false;
}

static bool flags_ok(const struct repl_wire_hdr *h)
{
	return !(h->flags & REPL_HDR_TRIAL) || h->type == PKT_VOTE ||
	       h->type == PKT_VOTE_REQ;
}

enum repl_wire_error repl_wire_check(const struct repl_wire_hdr *h,
				     enum repl_stream stream)
{
	const struct pkt_rule *r;

	if (le16_to_cpu(h->magic) != REPL_WIRE_MAGIC)
		return WIRE_BAD_MAGIC;
	if (le32_to_cpu(h->hcrc) != hdr_crc(h))
		return WIRE_BAD_CRC;
	if (h->type == PKT_NONE || h->type >= PKT_TYPES)
		return WIRE_BAD_TYPE;
	r = &rules[h->type];
	if (r->stream != stream)
		return WIRE_BAD_STREAM;
	if (!shape_ok(r, h))
		return WIRE_BAD_LENGTH;
	/* No sector number so large that sector + size could wrap. */
	if (!flags_ok(h) || h->pad ||
	    le64_to_cpu(h->sector) >> 55)
		return WIRE_BAD_FIELD;
	return WIRE_OK;
}
