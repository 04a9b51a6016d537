/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: the life of a request, in the words of the core's events and
 * actions.  Every one carries the own node id, so that a trace of several
 * nodes in one kernel can be told apart.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM blkrepl

#if !defined(BLKREPL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define BLKREPL_TRACE_H

#include <linux/tracepoint.h>

#include "blkrepl.h"

TRACE_DEFINE_ENUM(OP_READ);
TRACE_DEFINE_ENUM(OP_WRITE);
TRACE_DEFINE_ENUM(OP_DISCARD);
TRACE_DEFINE_ENUM(OP_ZEROES);
TRACE_DEFINE_ENUM(OP_FLUSH);

#define show_op(op)						\
	__print_symbolic(op,					\
			 { OP_READ,	"read" },		\
			 { OP_WRITE,	"write" },		\
			 { OP_DISCARD,	"discard" },		\
			 { OP_ZEROES,	"zeroes" },		\
			 { OP_FLUSH,	"flush" })

#define show_kind(kind)						\
	__print_symbolic(kind,					\
			 { IO_APP,	  "app" },		\
			 { IO_PEER_WRITE, "peer-write" },	\
			 { IO_PEER_FLUSH, "peer-flush" },	\
			 { IO_PEER_READ,  "peer-read" },	\
			 { IO_RS_READ,	  "rs-read" },		\
			 { IO_RS_REQ,	  "rs-req" },		\
			 { IO_RS_WRITE,	  "rs-write" },		\
			 { IO_RS_FLUSH,	  "rs-flush" },		\
			 { IO_READ_DATA,  "read-data" })

DECLARE_EVENT_CLASS(blkrepl_io_class,
	TP_PROTO(struct repl_io *io, int err),
	TP_ARGS(io, err),
	TP_STRUCT__entry(
		__field(void *, io)
		__field(u64, sector)
		__field(u64, seq)
		__field(u32, size)
		__field(int, err)
		__field(u16, flags)
		__field(u16, volume)
		__field(u8, node)
		__field(u8, kind)
		__field(u8, op)
	),
	TP_fast_assign(
		__entry->io = io;
		__entry->sector = io->sector;
		__entry->seq = io->seq;
		__entry->size = io->size;
		__entry->err = err;
		__entry->flags = io->flags;
		__entry->volume = io->vol ? io->vol->nr : 0;
		__entry->node = to_bio_io(io)->r->res.node;
		__entry->kind = io->kind;
		__entry->op = io->op;
	),
	TP_printk("node=%u vol=%u io=%p %s %s sector=%llu size=%u seq=%llu flags=%#x err=%d",
		  __entry->node, __entry->volume, __entry->io,
		  show_kind(__entry->kind), show_op(__entry->op),
		  __entry->sector, __entry->size, __entry->seq,
		  __entry->flags, __entry->err)
);

/* An application's I/O enters: repl_submit(). */
DEFINE_EVENT(blkrepl_io_class, blkrepl_submit,
	TP_PROTO(struct repl_io *io, int err), TP_ARGS(io, err));
/* ops->disk_io() */
DEFINE_EVENT(blkrepl_io_class, blkrepl_disk_io,
	TP_PROTO(struct repl_io *io, int err), TP_ARGS(io, err));
/* repl_io_done() */
DEFINE_EVENT(blkrepl_io_class, blkrepl_io_done,
	TP_PROTO(struct repl_io *io, int err), TP_ARGS(io, err));
/* ops->complete() */
DEFINE_EVENT(blkrepl_io_class, blkrepl_complete,
	TP_PROTO(struct repl_io *io, int err), TP_ARGS(io, err));
/* ops->release() */
DEFINE_EVENT(blkrepl_io_class, blkrepl_release,
	TP_PROTO(struct repl_io *io, int err), TP_ARGS(io, err));

DECLARE_EVENT_CLASS(blkrepl_pkt_class,
	TP_PROTO(struct repl_peer *peer, int stream,
		 const struct repl_wire_hdr *h),
	TP_ARGS(peer, stream, h),
	TP_STRUCT__entry(
		__field(u64, seq)
		__field(u64, sector)
		__field(u64, id)
		__field(u32, size)
		__field(u32, length)
		__field(u16, volume)
		__field(u8, node)
		__field(u8, peer)
		__field(u8, stream)
		__field(u8, type)
		__field(u8, flags)
	),
	TP_fast_assign(
		__entry->seq = le64_to_cpu(h->seq);
		__entry->sector = le64_to_cpu(h->sector);
		__entry->id = le64_to_cpu(h->id);
		__entry->size = le32_to_cpu(h->size);
		__entry->length = le32_to_cpu(h->length);
		__entry->volume = le16_to_cpu(h->volume);
		__entry->node = to_peer(peer)->r->res.node;
		__entry->peer = peer->node;
		__entry->stream = stream;
		__entry->type = h->type;
		__entry->flags = h->flags;
	),
	TP_printk("node=%u peer=%u stream=%u type=%u flags=%#x vol=%u seq=%llu sector=%llu size=%u id=%llu len=%u",
		  __entry->node, __entry->peer, __entry->stream,
		  __entry->type, __entry->flags, __entry->volume,
		  __entry->seq, __entry->sector, __entry->size,
		  __entry->id, __entry->length)
);

/* ops->send() */
DEFINE_EVENT(blkrepl_pkt_class, blkrepl_send,
	TP_PROTO(struct repl_peer *peer, int stream,
		 const struct repl_wire_hdr *h),
	TP_ARGS(peer, stream, h));
/* repl_rx(); acks are packets like any other */
DEFINE_EVENT(blkrepl_pkt_class, blkrepl_rx,
	TP_PROTO(struct repl_peer *peer, int stream,
		 const struct repl_wire_hdr *h),
	TP_ARGS(peer, stream, h));

DECLARE_EVENT_CLASS(blkrepl_meta_class,
	TP_PROTO(struct repl_vol *vol, struct repl_mio *mio, int err),
	TP_ARGS(vol, mio, err),
	TP_STRUCT__entry(
		__field(u64, offset)
		__field(u32, len)
		__field(int, err)
		__field(u16, volume)
		__field(u8, node)
		__field(bool, flush_data)
	),
	TP_fast_assign(
		__entry->offset = mio->offset;
		__entry->len = mio->len;
		__entry->err = err;
		__entry->volume = vol->nr;
		__entry->node = vol->res->node;
		__entry->flush_data = mio->flush_data;
	),
	TP_printk("node=%u vol=%u offset=%llu len=%u flush_data=%d err=%d",
		  __entry->node, __entry->volume, __entry->offset,
		  __entry->len, __entry->flush_data, __entry->err)
);

/* ops->meta_io() */
DEFINE_EVENT(blkrepl_meta_class, blkrepl_meta_io,
	TP_PROTO(struct repl_vol *vol, struct repl_mio *mio, int err),
	TP_ARGS(vol, mio, err));
/* repl_meta_done() */
DEFINE_EVENT(blkrepl_meta_class, blkrepl_meta_done,
	TP_PROTO(struct repl_vol *vol, struct repl_mio *mio, int err),
	TP_ARGS(vol, mio, err));

/* ops->notify(): something that can be watched has changed */
TRACE_EVENT(blkrepl_state,
	TP_PROTO(struct repl_res *res, int note, struct repl_vol *vol,
		 struct repl_peer *peer),
	TP_ARGS(res, note, vol, peer),
	TP_STRUCT__entry(
		__field(u64, term)
		__field(u32, susp)
		__field(int, vol)
		__field(int, peer)
		__field(u8, node)
		__field(u8, note)
		__field(u8, role)
		__field(u8, disk)
		__field(u8, conn)
		__field(u8, peer_role)
	),
	TP_fast_assign(
		__entry->term = res->term;
		__entry->susp = res->susp;
		__entry->vol = vol ? vol->nr : -1;
		__entry->peer = peer ? peer->node : -1;
		__entry->node = res->node;
		__entry->note = note;
		__entry->role = res->role;
		__entry->disk = vol ? vol->disk : 0;
		__entry->conn = peer ? peer->conn : 0;
		__entry->peer_role = peer ? peer->role : 0;
	),
	TP_printk("node=%u note=%u role=%u term=%llu susp=%#x vol=%d disk=%u peer=%d conn=%u peer_role=%u",
		  __entry->node, __entry->note, __entry->role,
		  __entry->term, __entry->susp, __entry->vol,
		  __entry->disk, __entry->peer, __entry->conn,
		  __entry->peer_role)
);

#endif /* BLKREPL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
