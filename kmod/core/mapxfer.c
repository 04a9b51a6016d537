// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty maps over the wire: both ends of a resync must know the same blocks.
 *
 * The payload is a row of entries: the number of an extent, and either how
 * many extents from there are full, or 0 and the bits of that one.  A few
 * packets are sent ahead, each is acknowledged, so that a large map neither
 * fills memory nor holds anything up.
 */
#include "internal.h"

#define MAP_AHEAD	8

struct map_entry {
	__le32 extent;
	__le32 run;
} __attribute__((packed));

static u32 encode(struct repl_pv *pv, u8 *buf)
{
	struct dirty_set *d = &pv->vol->store->dirty;
	u32 at = 0, e = pv->sync.map_at, run;
	struct map_entry entry;

	while (at + sizeof(entry) + EXTENT_MAP_BYTES <= REPL_MAX_INLINE) {
		e = dirty_next_extent(d, pv->slot, e);
		if (e >= d->extents) {
			pv->sync.map_sending = false;
			break;
		}
		run = dirty_full_run(d, pv->slot, e);
		entry.extent = cpu_to_le32(e);
		entry.run = cpu_to_le32(run);
		memcpy(buf + at, &entry, sizeof(entry));
		at += sizeof(entry);
		if (!run) {
			dirty_extent_get(d, pv->slot, e, buf + at);
			at += EXTENT_MAP_BYTES;
		}
		e += run ? run : 1;
	}
	pv->sync.map_at = e;
	return at;
}

void map_send_more(struct repl_pv *pv)
{
	struct repl_store *s = store_live(pv->vol);
	struct repl_wire_hdr h;
	u32 len;

	while (s && pv->sync.map_sending && pv->sync.map_unacked < MAP_AHEAD) {
		/* rec_buf may be in a write under way: use one of our own. */
		len = encode(pv, s->map_buf);
		hdr_init(&h, PKT_MAP, pv->vol);
		h.id = cpu_to_le64(pv->sync.serial);
		h.length = cpu_to_le32(len);
		if (!pv->sync.map_sending)
			h.flags = REPL_HDR_LAST;
		pv->sync.map_unacked++;
		send_pkt(pv->peer, &h, s->map_buf, NULL);
	}
}

void map_send_begin(struct repl_pv *pv)
{
	pv->sync.map_at = 0;
	pv->sync.map_unacked = 0;
	pv->sync.map_sending = true;
	map_send_more(pv);
}

bool map_merge(struct repl_pv *pv, const void *payload, u32 len)
{
	struct dirty_set *d = &pv->vol->store->dirty;
	u32 end = DIV_ROUND_UP_ULL(d->blocks, EXTENT_BLOCKS);
	const u8 *p = payload;
	struct map_entry entry;
	u32 extent, run;

	while (len) {
		if (len < sizeof(entry))
			return false;
		memcpy(&entry, p, sizeof(entry));
		p += sizeof(entry);
		len -= sizeof(entry);
		extent = le32_to_cpu(entry.extent);
		run = le32_to_cpu(entry.run);
		if (extent >= end || run > end - extent)
			return false;
		if (run) {
			dirty_fill_run(d, pv->slot, extent, run);
			continue;
		}
		if (len < EXTENT_MAP_BYTES)
			return false;
		dirty_extent_or(d, pv->slot, extent, p);
		p += EXTENT_MAP_BYTES;
		len -= EXTENT_MAP_BYTES;
	}
	return true;
}
