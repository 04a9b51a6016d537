// SPDX-License-Identifier: GPL-2.0
/* What an administrator asks for that has no file of its own. */
#include "internal.h"

static bool good_copy_elsewhere(const struct repl_vol *vol)
{
	struct repl_pv *pv;

	for_each_pv(pv, vol)
		if (usable(pv) && pv->peer_state.disk == DISK_UPTODATE)
			return true;
	return false;
}

int repl_invalidate(struct repl_vol *vol, const char **why)
{
	struct repl_store *s = store_live(vol);
	struct repl_pv *pv;
	u32 i;

	if (!s) {
		*why = "the volume has no disk";
		return -ENODEV;
	}
	if (vol->res->role == ROLE_PRIMARY) {
		*why = "the node is Primary: make it Secondary, or invalidate the peer's data instead";
		return -EBUSY;
	}
	if (!good_copy_elsewhere(vol)) {
		*why = "no connected peer has up-to-date data to replace it with";
		return -ENODATA;
	}
	for_each_pv(pv, vol) {
		target_stop(pv, true);
		source_stop(pv, true);
		set_receiving(pv, false);
		set_pv_state(pv, RS_OFF);
	}
	/*
	 * Inconsistent only once a source is ready (target.c): until then this
	 * may turn out to be the only copy left.
	 */
	for (i = 0; i < s->nslots; i++) {
		s->slot[i].since_valid = false;
		if (s->slot[i].used)
			dirty_fill(&s->dirty, i);
	}
	meta_checkpoint(s);
	meta_want_sb(s);
	if (vol->disk > DISK_OUTDATED)
		set_disk(vol, DISK_OUTDATED);
	evaluate(vol->res);
	return 0;
}

int repl_invalidate_remote(struct repl_vol *vol, struct repl_peer *peer,
			   const char **why)
{
	struct repl_pv *pv = pv_get(vol, peer);

	if (!pv || !usable(pv)) {
		*why = "the peer is not connected";
		return -ENOTCONN;
	}
	if (!store_live(vol) || vol->disk != DISK_UPTODATE) {
		*why = "our own data is not up to date";
		return -EINVAL;
	}
	if (peer->role == ROLE_PRIMARY) {
		*why = "the peer is Primary";
		return -EBUSY;
	}
	if (!peer->announced) {
		*why = "the connection has only just begun: try again";
		return -EAGAIN;
	}
	send_simple(pv, PKT_INVALIDATE, 0);
	return 0;
}

int repl_pause(struct repl_vol *vol, struct repl_peer *peer, bool pause,
	       const char **why)
{
	struct repl_pv *pv = pv_get(vol, peer);

	if (!pv) {
		*why = "no such volume or peer";
		return -ENOENT;
	}
	pv->paused = pause;
	note(vol->res, NOTE_PVOL, vol, peer, NULL);
	evaluate(vol->res);
	target_pump(pv);
	return 0;
}
