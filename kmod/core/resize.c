// SPDX-License-Identifier: GPL-2.0
/*
 * Growing a volume while it is in use.
 *
 * The backing devices and their metadata have grown before (the layout says
 * how far each can go).  The node that is told to resize gives the new size to
 * all peers; what has been added is dirty between them, so that a resync makes
 * it equal: from the primary at once, else at the next promotion.
 */
#include "internal.h"

static void grow(struct repl_pv *pv, u64 old, u64 sectors)
{
	struct repl_store *s = store_live(pv->vol);
	u64 first = old / BLOCK_SECTORS;

	if (s && pv->slot != SLOT_NONE)
		dirty_set_range(&s->dirty, pv->slot, first,
				DIV_ROUND_UP_ULL(sectors, BLOCK_SECTORS) - first);
}

static void set_size(struct repl_vol *vol, u64 sectors)
{
	u64 old = vol->sectors;
	struct repl_pv *pv;

	store_set_size(vol, sectors);
	for_each_pv(pv, vol)
		grow(pv, old, sectors);
	if (store_live(vol))
		meta_checkpoint(vol->store);
}

int repl_resize(struct repl_vol *vol, u64 sectors, const char **why)
{
	struct repl_store *s = store_live(vol);
	struct repl_wire_hdr h;
	struct repl_pv *pv;
	u64 most;

	if (!s || vol->disk != DISK_UPTODATE) {
		*why = "the data here is not up to date";
		return -EINVAL;
	}
	most = s->g.max_sectors;
	for_each_pv(pv, vol) {
		if (!usable(pv) || pv->state != RS_ESTABLISHED ||
		    pv->peer_state.disk != DISK_UPTODATE) {
			*why = "all peers must be connected and up to date";
			return -EBUSY;
		}
		most = min(most, pv->peer_state.sectors);
	}
	if (!sectors)
		sectors = most;
	if (sectors > most) {
		*why = "a backing device or its metadata is too small: grow all of them first";
		return -ENOSPC;
	}
	if (sectors < vol->sectors) {
		*why = "volumes can't be made smaller";
		return -EINVAL;
	}
	if (sectors == vol->sectors)
		return 0;
	set_size(vol, sectors);
	for_each_pv(pv, vol) {
		hdr_init(&h, PKT_RESIZE, vol);
		h.sector = cpu_to_le64(sectors);
		send_pkt(pv->peer, &h, NULL, NULL);
	}
	evaluate(vol->res);
	return 0;
}

void resize_rx(struct repl_pv *pv, const struct repl_wire_hdr *h)
{
	struct repl_vol *vol = pv->vol;
	struct repl_store *s = store_live(vol);
	u64 sectors = le64_to_cpu(h->sector);

	if (sectors < vol->sectors || (s && sectors > s->g.max_sectors)) {
		peer_end(pv->peer, false, "the peer wants a size that the disk here does not have");
		return;
	}
	set_size(vol, sectors);
	evaluate(vol->res);
}
