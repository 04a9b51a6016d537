// SPDX-License-Identifier: GPL-2.0
/*
 * A data set declared equal on blank disks: the first generation, without a sync.
 */
#include "internal.h"

static void become_member(struct repl_vol *vol, u64 dataset,
			  const struct repl_lineage *l, u32 set, u32 keepers)
{
	struct repl_store *s = vol->store;

	s->dataset = dataset;
	s->lineage = *l;
	s->in_sync = set;
	s->keepers = keepers;
	s->kept_before = 0;
	s->set_version = set_own_version(vol->res, s->set_version);
	s->sectors = vol->sectors;
	vol->dataset = dataset;
	vol->lineage = *l;
	vol->in_sync = set;
	vol->keepers = keepers;
	in_step_with(vol, set);
	meta_checkpoint(s);
	set_disk(vol, DISK_UPTODATE);
}

static bool blank(const struct repl_vol *vol)
{
	return store_live(vol) && !vol->store->dataset;
}

static bool blank_there(const struct repl_pv *pv)
{
	return usable(pv) && !pv->peer_state.dataset &&
	       pv->peer_state.disk == (pv->peer->witness ? DISK_WITNESS :
							   DISK_INCONSISTENT);
}

int repl_new_dataset(struct repl_res *res, const char **why)
{
	struct repl_lineage l = { { 0 } };
	struct repl_wire_members w;
	struct repl_wire_hdr h;
	struct repl_vol *vol;
	struct repl_pv *pv;
	u64 dataset;

	if (res->witness) {
		*why = "this node is a witness: say so on a node with data";
		return -EINVAL;
	}
	for_each_vol(vol, res) {
		bool ok = blank(vol);

		for_each_pv(pv, vol)
			ok &= blank_there(pv);
		if (!ok) {
			*why = "all configured nodes must be connected, with fresh metadata and without data";
			return -EINVAL;
		}
	}
	l.gen[res->node] = 1;
	for_each_vol(vol, res) {
		u32 set = BIT(res->node), keepers = 0;

		dataset = res->ops->random() | 1;
		for_each_pv(pv, vol) {
			if (pv->peer->witness)
				keepers |= BIT(pv->peer->node);
			else
				set |= BIT(pv->peer->node);
		}
		become_member(vol, dataset, &l, set, keepers);
		memset(&w, 0, sizeof(w));
		w.dataset = cpu_to_le64(dataset);
		w.in_sync = cpu_to_le32(set);
		w.keepers = cpu_to_le32(keepers);
		lineage_to_wire(w.lineage, &l);
		for_each_pv(pv, vol) {
			hdr_init(&h, PKT_NEW_DATASET, vol);
			h.length = cpu_to_le32(sizeof(w));
			h.sector = cpu_to_le64(vol->sectors);
			send_pkt(pv->peer, &h, &w, NULL);
		}
	}
	evaluate(res);
	return 0;
}

void dataset_rx(struct repl_pv *pv, const struct repl_wire_hdr *h,
		const void *payload)
{
	struct repl_vol *vol = pv->vol;
	u64 sectors = le64_to_cpu(h->sector);
	struct repl_wire_members w;
	struct repl_lineage l;
	struct repl_pv *other;

	memcpy(&w, payload, sizeof(w));
	lineage_from_wire(&l, w.lineage);
	if (blank(vol) && w.dataset && sectors &&
	    sectors <= vol->store->g.max_sectors) {
		/* What was begun on the word of a faster member. */
		for_each_pv(other, vol)
			target_stop(other, true);
		store_set_size(vol, sectors);
		become_member(vol, le64_to_cpu(w.dataset), &l,
			      le32_to_cpu(w.in_sync),
			      le32_to_cpu(w.keepers));
	}
	pv->peer_state.dataset = le64_to_cpu(w.dataset);
	pv->peer_state.lineage = l;
	if (vol->res->witness) {
		pv->peer_state.in_sync = le32_to_cpu(w.in_sync);
		pv->peer_state.keepers = le32_to_cpu(w.keepers);
		pv->peer_state.set_version =
			set_own_version(vol->res, pv->peer_state.set_version);
		witness_keep(pv, pv->peer_state.dataset);
	}
	evaluate(pv->vol->res);
}
