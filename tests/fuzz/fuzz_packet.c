// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: packets, in any state of a node.
 *
 * The first byte chooses a scene (tests/unit/scenes.h), then each record is an
 * event: mostly a packet of one of two peers, else disk and metadata I/O that
 * ends, time, connections, the application and the administrator.  A header is
 * raw, or built from what would make sense so that the deeper code is reached;
 * its checksum is made right in both cases.  The fake shell asserts that every
 * I/O is given back exactly once, that none goes beyond the disk, that memory
 * is balanced, and that what the core sends is valid.
 */
#include "input.h"
#include "scenes.h"

static struct fake f;

/* An id or seq that the core is waiting for, now and then. */
static u64 pick_id(struct input *in, u32 i)
{
	u8 how = take_u8(in);
	struct repl_io *io;
	struct repl_pv *pv;

	switch (how & 7) {
	case 0:
		return how & 8 ? f.res.vote.move_id : f.res.vote.term;
	case 1:
		return f.peer[i].members_id;
	case 2:
		list_for_each_entry(io, &f.res.remote_reads, link)
			if (!(how -= 8))
				break;
		return f.res.next_id - (how >> 3) % 4;
	case 3:
	case 4:
		list_for_each_entry(pv, &f.vol.pvs, by_vol)
			if (pv->peer == &f.peer[i] && !list_empty(&pv->sync.reqs))
				return list_first_entry(&pv->sync.reqs,
							struct repl_io, hash)->id;
		return f.res.next_id;
	case 5:
		return take_u32(in);
	case 6:
		list_for_each_entry(pv, &f.vol.pvs, by_vol)
			if (pv->peer == &f.peer[i])
				return pv->sync.serial;
		return 0;
	default:
		return how >> 3;
	}
}

static struct repl_io *a_request(u32 i)
{
	struct repl_pv *pv;

	list_for_each_entry(pv, &f.vol.pvs, by_vol)
		if (pv->peer == &f.peer[i] && !list_empty(&pv->sync.reqs))
			return list_first_entry(&pv->sync.reqs, struct repl_io, hash);
	return NULL;
}

static void built(struct input *in, u32 i, struct repl_wire_hdr *h)
{
	struct repl_io *req = a_request(i);
	u8 how = take_u8(in);
	u64 sector = take_u16(in) * 8ULL;
	u32 size = (how & 15) < 12 ? 512 << (how & 15) : take_u16(in) * 512;

	h->seq = cpu_to_le64(f.res.seq + (how >> 4 & 3));
	if (how & 64)
		sector = take_u32(in);
	if (how & 128 && req) {
		sector = req->sector;
		size = req->size;
	}
	h->size = cpu_to_le32(size);
	h->sector = cpu_to_le64(sector);
	h->id = cpu_to_le64(pick_id(in, i));
	h->through = cpu_to_le64(f.res.seq - (how >> 4 & 1));
}

/* The length that a header of this type has, if it has one. */
static void right_length(struct input *in, struct repl_wire_hdr *h)
{
	u32 len = take_u8(in);

	switch (h->type) {
	case PKT_RES_STATE:
		len = sizeof(struct repl_wire_res_state);
		break;
	case PKT_VOL_STATE:
		len = sizeof(struct repl_wire_vol_state);
		break;
	case PKT_MEMBERS:
	case PKT_NEW_DATASET:
		len = sizeof(struct repl_wire_members);
		break;
	case PKT_SYNC_DONE:
		len = sizeof(struct repl_wire_lineage);
		break;
	case PKT_RS_CLEAR:
		len = len % 8 * sizeof(struct repl_wire_range);
		break;
	case PKT_HOT:
		len = len % 16 * sizeof(__le32);
		break;
	case PKT_RS_REQ:
		len = h->flags & REPL_HDR_DIGEST ? REPL_DIGEST_LEN : 0;
		break;
	case PKT_WRITE:
	case PKT_READ_DATA:
	case PKT_RS_DATA:
		len = le32_to_cpu(h->size);
		break;
	case PKT_MAP:
	case PKT_VOTE:
	case PKT_STAYS:
		break;
	default:
		len = 0;
	}
	h->length = cpu_to_le32(len);
}

/* A packet that a later release of the core knows: any length that will do. */
static void some_length(struct repl_wire_hdr *h)
{
	static const u32 lens[] = { 8, 16, 32, 48, 64, 128 };
	u32 k;

	for (k = 0; k < ARRAY_SIZE(lens); k++) {
		repl_wire_seal(h, 0);
		if (repl_wire_check(h, REPL_STREAM_DATA) != WIRE_BAD_LENGTH &&
		    repl_wire_check(h, REPL_STREAM_CTRL) != WIRE_BAD_LENGTH)
			return;
		h->length = cpu_to_le32(lens[k]);
	}
}

/* States that say what ours says, changed in a few places. */
static void near_state(struct input *in, u8 *payload)
{
	struct repl_wire_vol_state *w = (struct repl_wire_vol_state *)payload;
	u8 how = take_u8(in);

	if (!f.vol.store)
		return;
	fake_same_state(&f, 0, w);
	w->disk = (how & 7) + DISK_DISKLESS;
	w->flags = cpu_to_le16(take_u8(in));
	if (how & 8)
		w->lineage[how >> 4 & 3] = cpu_to_le32(take_u8(in));
	if (how & 64)
		w->dataset = cpu_to_le64(take_u8(in));
	if (how & 128) {
		w->sectors = cpu_to_le64(take_u32(in));
		w->cur_sectors = cpu_to_le64(take_u32(in));
	}
}

static void near_members(struct input *in, u8 *payload)
{
	struct repl_wire_members *w = (struct repl_wire_members *)payload;
	u8 how = take_u8(in);

	w->term = cpu_to_le64(f.res.term + 1);
	w->set_version = cpu_to_le64(f.res.set_version + 1);
	w->dataset = cpu_to_le64(f.vol.dataset);
	w->in_sync = cpu_to_le32(how & 7);
	w->receivers = cpu_to_le32(how >> 3 & 7);
	lineage_to_wire(w->lineage, &f.vol.lineage);
	if (how & 64)
		w->lineage[1] = cpu_to_le32(f.vol.lineage.gen[1] + 1);
}

static void packet(struct input *in, u8 op)
{
	/* fresh memory each time: reading beyond the length is noticed */
	struct repl_wire_hdr h = { 0 };
	u32 i = op & 1, len;
	u8 *payload;

	if (f.peer[i].conn != CONN_CONNECTED)
		fake_up(&f, i);
	if (op & 2) {
		take(in, &h, sizeof(h));
	} else {
		h.type = take_u8(in) % PKT_TYPES;
		h.flags = take_u8(in);
		built(in, i, &h);
		right_length(in, &h);
		some_length(&h);
	}
	len = repl_wire_has_data(h.type) ? 0 : le32_to_cpu(h.length);
	if (len > REPL_MAX_INLINE)
		len = 0;
	payload = malloc(len + !len);
	take(in, payload, len);
	if (h.type == PKT_VOL_STATE && op & 4 && len == sizeof(struct repl_wire_vol_state))
		near_state(in, payload);
	if (h.type == PKT_MEMBERS && op & 4 && len == sizeof(struct repl_wire_members))
		near_members(in, payload);
	fake_rx(&f, i, &h, payload);
	free(payload);
}

static void admin(struct input *in)
{
	u8 what = take_u8(in);
	struct repl_peer *p = &f.peer[what & 1];
	const char *why;

	switch (what >> 1 & 15) {
	case 0:
		repl_promote(&f.res, what & 32, &why);
		break;
	case 1:
		repl_demote(&f.res, false, &why);
		break;
	case 2:
		repl_invalidate(&f.vol, &why);
		break;
	case 3:
		repl_invalidate_remote(&f.vol, p, &why);
		break;
	case 4:
		repl_new_dataset(&f.res, &why);
		break;
	case 5:
		repl_pause(&f.vol, p, what & 32, &why);
		break;
	case 6:
		repl_detach(&f.vol, what & 32, &why);
		break;
	case 7:
		if (!f.vol.store)
			fake_attach(&f);
		break;
	case 8:
		p->discard_my_data = what & 32;
		break;
	}
}

static void app(struct input *in)
{
	static const u8 ops[] = { OP_READ, OP_WRITE, OP_DISCARD, OP_ZEROES, OP_FLUSH };
	u8 op = ops[take_u8(in) % 5];
	u32 size = (take_u8(in) % 64 + 1) * 512;
	u64 sector = take_u16(in) * 2;

	if (op == OP_FLUSH)
		fake_submit(&f, op, 0, 0);
	else if (sector + size / 512 <= f.vol.sectors)
		fake_submit(&f, op, sector, size);
}

static void event(struct input *in)
{
	u8 op = take_u8(in);

	switch (op >> 3) {
	case 0 ... 15:
		packet(in, op);
		break;
	case 16 ... 19:
		fake_disk_step(&f, take_u8(in), 0);
		break;
	case 20:
		fake_disk_step(&f, take_u8(in), -EIO);
		break;
	case 21 ... 23:
		fake_meta_step(&f);
		break;
	case 24 ... 25:
		fake_run(&f);
		break;
	case 26:
		repl_tick(&f.res, f.res.now + take_u8(in) * 10);
		break;
	case 27:
		fake_down(&f, op & 1);
		break;
	case 28 ... 29:
		app(in);
		break;
	default:
		admin(in);
	}
	if (f.closed)
		fake_detach(&f);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };

	fake_seed(1);
	scene(&f, take_u8(&in) % SCENES);
	while (in.left)
		event(&in);
	fake_exit(&f);
	return 0;
}
