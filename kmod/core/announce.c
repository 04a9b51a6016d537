// SPDX-License-Identifier: GPL-2.0
/*
 * What a node says of itself to its peers: of the resource, and of each volume.
 */
#include "internal.h"

void my_vstate(const struct repl_pv *pv, struct repl_vstate *out)
{
	const struct repl_vol *vol = pv->vol;
	const struct repl_store *s = store_keeps(vol);

	memset(out, 0, sizeof(*out));
	out->disk = vol->disk;
	out->dataset = vol->dataset;
	out->lineage = *my_lineage(vol);
	out->cur_sectors = vol->dataset ? vol->sectors : 0;
	out->set_version = vol->res->set_version;
	out->in_sync = vol->in_sync;
	out->keepers = vol->keepers;
	if (pv->paused)
		out->flags |= REPL_VS_PAUSED;
	if (pv->peer->discard_my_data || pv->given_up)
		out->flags |= REPL_VS_DISCARD;
	out->flags |= vol->res->conf.after_split_brain << REPL_VS_SPLIT_SHIFT;
	if (!s)
		return;
	out->dataset = s->dataset;
	out->cur_sectors = s->dataset ? s->sectors : 0;
	/* Of this volume: another's MEMBERS may have come already. */
	out->set_version = s->set_version;
	out->in_sync = s->in_sync;
	out->keepers = s->keepers;
	out->kept_before = s->kept_before;
	/* Elected: what others have beyond us was never acknowledged. */
	out->set_version = elected_version(vol->res, out->set_version);
	out->replica = s->replica;
	if (vol->res->witness)
		return;
	out->sectors = s->g.max_sectors;
	out->lbs = s->lbs;
	if (s->flags & META_F_CRASHED)
		out->flags |= REPL_VS_CRASHED;
	if ((s->flags & META_F_PRIMARY) && (s->flags & META_F_CRASHED))
		out->flags |= REPL_VS_WAS_PRIMARY;
	if (s->flags & META_F_PRIMARY)
		out->flags |= REPL_VS_LAST_PRIMARY;
	if (vol->res->renewing && vol->disk == DISK_UPTODATE)
		out->flags |= REPL_VS_RENEWS;
	if (vol->vouch && elects(vol->res))
		out->flags |= REPL_VS_VOUCHES;
	if (vol->res->resigned)
		out->flags |= REPL_VS_RESIGNED;
	if (pv->slot == SLOT_NONE)
		return;
	out->dirty = s->dirty.map[pv->slot].count;
	if (s->slot[pv->slot].since_valid) {
		out->flags |= REPL_VS_SINCE_VALID;
		out->since = s->slot[pv->slot].since;
		if (s->slot[pv->slot].begun)
			out->flags |= REPL_VS_BEGUN;
	}
}

static void announce_vol(struct repl_pv *pv)
{
	struct repl_wire_vol_state w;
	struct repl_wire_hdr h;
	struct repl_vstate v;

	my_vstate(pv, &v);
	memset(&w, 0, sizeof(w));
	w.dataset = cpu_to_le64(v.dataset);
	w.replica = cpu_to_le64(v.replica);
	w.sectors = cpu_to_le64(v.sectors);
	w.cur_sectors = cpu_to_le64(v.cur_sectors);
	/* Only "none" or "some" matters; don't tell of every block. */
	w.dirty = cpu_to_le64(!!v.dirty);
	w.set_version = cpu_to_le64(v.set_version);
	w.kept_before = cpu_to_le64(v.kept_before);
	w.in_sync = cpu_to_le32(v.in_sync);
	w.keepers = cpu_to_le32(v.keepers);
	w.lbs = cpu_to_le32(v.lbs);
	w.disk = v.disk;
	w.flags = cpu_to_le16(v.flags);
	lineage_to_wire(w.lineage, &v.lineage);
	lineage_to_wire(w.since, &v.since);
	if (!memcmp(&w, &pv->sent_state, sizeof(w)))
		return;
	pv->sent_state = w;
	hdr_init(&h, PKT_VOL_STATE, pv->vol);
	h.length = cpu_to_le32(sizeof(w));
	send_pkt(pv->peer, &h, &w, NULL);
}

/* Who we are, unless the peer knows. */
void announce_res(struct repl_peer *p)
{
	struct repl_res *res = p->res;
	struct repl_wire_res_state w = {
		.term = cpu_to_le64(reigns(res) ? own_term(res) : res->term),
		.role = res->renewing ? ROLE_SECONDARY : res->role,
		.primary = primary_seen(res),
		.flags = (elects(res) ? REPL_RS_VOTES : 0) |
			 (by_majority(res) ? REPL_RS_BY_MOST : 0),
		.members = cpu_to_le32(edit_told(res)),
	};
	struct repl_wire_hdr h;

	/* The moving parts are told, but are no reason to tell. */
	if (!memcmp(&w, &p->sent_state, sizeof(w)))
		return;
	p->sent_state = w;
	p->announced = true;
	w.through = cpu_to_le64(app_through(res));
	w.seq = cpu_to_le64(res->seq);
	hdr_init(&h, PKT_RES_STATE, NULL);
	h.length = cpu_to_le32(sizeof(w));
	send_pkt(p, &h, &w, NULL);
}

/*
 * Say what has changed, but no new lineage before the members have been told:
 * they would take themselves for outdated.
 */
void announce(struct repl_res *res)
{
	struct repl_peer *p;
	struct repl_pv *pv;
	int i;

	if (res->susp & SUSP_META)
		return;
	for_each_peer(p, i, res) {
		if (p->conn != CONN_CONNECTED || p->closing)
			continue;
		announce_res(p);
		list_for_each_entry(pv, &p->pvs, by_peer)
			announce_vol(pv);
	}
}

void vstate_from_wire(struct repl_vstate *o,
		      const struct repl_wire_vol_state *w)
{
	memset(o, 0, sizeof(*o));
	o->dataset = le64_to_cpu(w->dataset);
	o->replica = le64_to_cpu(w->replica);
	o->sectors = le64_to_cpu(w->sectors);
	o->cur_sectors = le64_to_cpu(w->cur_sectors);
	o->dirty = le64_to_cpu(w->dirty);
	o->set_version = le64_to_cpu(w->set_version);
	o->kept_before = le64_to_cpu(w->kept_before);
	o->in_sync = le32_to_cpu(w->in_sync);
	o->keepers = le32_to_cpu(w->keepers);
	o->lbs = le32_to_cpu(w->lbs);
	o->disk = w->disk <= DISK_UPTODATE ? w->disk : DISK_UNKNOWN;
	o->flags = le16_to_cpu(w->flags);
	lineage_from_wire(&o->lineage, w->lineage);
	lineage_from_wire(&o->since, w->since);
}
