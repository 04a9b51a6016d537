// SPDX-License-Identifier: GPL-2.0
/*
 * Letting go of a disk that is good.
 *
 * What a Secondary has received of a Primary is applied first, up to where the
 * position ends (position.c); what comes after that is refused.  So the disk has all
 * that it vouches for.  If it refused what had come, and had answered for something
 * later, it would vouch for nothing, as after a crash: and of two that crash at the
 * same time, as the Primary may, unflushed data may be on the third only.  For the
 * same reason no answer for another disk counts behind that end.
 *
 * That takes as long as the disk needs for a few writes.  Where it takes longer, or
 * somebody is about to count on the disk, the rest is refused.
 */
#include "internal.h"
#include "detach.h"
#include "position.h"

#define WAIT_MS	1000	/* for what has been received; a disk that hangs holds up others */

bool detach_waits(const struct repl_vol *vol)
{
	return vol->store && vol->store->leave_by_ms && !vol->store->detaching &&
	       vol->disk > DISK_FAILED;
}

/* Does a write of a Primary wait to be on it? */
static bool receiving(const struct repl_vol *vol)
{
	struct repl_io *io;

	list_for_each_entry(io, &vol->res->applying, hash)
		if (io->vol == vol)
			return true;
	return false;
}

static void let_go(struct repl_vol *vol)
{
	/* A clean disk's log is not looked at again: its map must say all. */
	peer_tail_absent(vol, 0, 0);
	app_unanswered_dirty(vol);
	vol->store->detaching = true;
	position_end(vol);
	set_disk(vol, DISK_DISKLESS);
	store_stop_using(vol);
	evaluate(vol->res);
	meta_kick(vol);
}

void detach_applied(struct repl_vol *vol)
{
	if (detach_waits(vol) && !receiving(vol))
		let_go(vol);
}

void detach_tick(struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (detach_waits(vol) && res->now >= vol->store->leave_by_ms)
			let_go(vol);
}

void detach_hurry(struct repl_res *res)
{
	struct repl_vol *vol;

	for_each_vol(vol, res)
		if (detach_waits(vol))
			let_go(vol);
}

/*
 * Does a Primary whose own disk is not good live on ours alone?  One that has just been
 * filled counts once our disk says that it is a member: or else that comes back as the
 * only one.
 */
static bool serves_primary(const struct repl_vol *vol)
{
	u32 members = vol->store->in_sync;
	bool primary = false, other = false;
	struct repl_pv *pv;

	for_each_pv(pv, vol) {
		if (!usable(pv))
			continue;
		primary |= pv->peer->role == ROLE_PRIMARY;
		other |= pv->peer_state.disk == DISK_UPTODATE &&
			 (members & BIT(pv->peer->node));
	}
	return primary && !other && vol->disk == DISK_UPTODATE;
}

/*
 * A copy that is not finished vouches for nothing.  A candidate has to know now
 * whether it will have its disks, and a Primary's commits are not to meet this.
 */
static bool worth_waiting(const struct repl_vol *vol)
{
	return receiving(vol) && vol->disk >= DISK_OUTDATED &&
	       vol->res->role != ROLE_PRIMARY &&
	       vol->res->vote.step == VOTE_NONE;
}

int repl_detach(struct repl_vol *vol, bool force, const char **why)
{
	struct repl_res *res = vol->res;
	struct repl_store *s = vol->store;
	bool other = false;
	struct repl_pv *pv;

	if (!s || s->leave_by_ms || vol->disk <= DISK_FAILED) {
		*why = "the volume has no disk, or it is just changing";
		return s ? -EBUSY : -ENODEV;
	}
	for_each_pv(pv, vol)
		other |= pv_serves_reads(pv);
	if (res->role == ROLE_PRIMARY && !other && !force) {
		*why = "no connected peer has up-to-date data: applications would be left without a disk";
		return -EBUSY;
	}
	if (!force && serves_primary(vol)) {
		*why = "the Primary lives on this disk, and no other member of the in-sync set has an up-to-date one: its applications would be left without data";
		return -EBUSY;
	}
	if (res->commit.step) {
		*why = "a change of the in-sync set is under way: try again";
		return -EAGAIN;
	}
	position_end(vol);
	s->leave_by_ms = res->now + WAIT_MS;
	/* Nobody may be filled without what is refused from now on. */
	for_each_pv(pv, vol) {
		target_stop(pv, true);
		source_stop(pv, true);
	}
	if (!worth_waiting(vol))
		let_go(vol);
	return 0;
}
