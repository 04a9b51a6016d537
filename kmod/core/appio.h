/* SPDX-License-Identifier: GPL-2.0 */
/* Application I/O: appio.c, and reads: read.c. */
#ifndef REPL_APPIO_H
#define REPL_APPIO_H

#include "core.h"

/* Where an I/O stands. */
enum io_state {
	IOS_NEW,
	IOS_WAIT_LOG,		/* for a place in the activity log */
	IOS_WAIT_SPAN,		/* for the log write or overlapping I/O */
	IOS_WAIT_DEP,		/* peer write: for those it depends on */
	IOS_READY_HELD,		/* could start but application I/O is held */
	IOS_ISSUED,		/* on disks and wires */
	IOS_DONE_HELD,		/* all answered, held by a commit */
	IOS_TAIL,		/* peer write done here, not known complete */
	IOS_ACK_HELD,		/* ... nor acknowledged yet: position.c */
	IOS_REQUESTED,		/* resync: waiting for the source's answer */
};

void app_ready(struct repl_io *io);
void app_disk_done(struct repl_io *io, int err);
void app_peer_answer(struct repl_peer *p, u64 seq, bool ok);
void app_drop_receiver(struct repl_pv *pv);
void app_unanswered_dirty(struct repl_vol *vol);
void app_kick_flushes(struct repl_res *res);
/* All writes up to this one are complete. */
u64 app_through(const struct repl_res *res);

/* Steps of an application's I/O, for held.c and read.c. */
void app_begin(struct repl_io *io);
void app_hold(struct repl_io *io, enum io_state state);
void app_start(struct repl_io *io);
void app_progress(struct repl_io *io);
void app_finish(struct repl_io *io, int err);
bool app_busy(const struct repl_res *res);
void app_end(struct repl_io *io, int err);
void app_retire(struct repl_io *io);
void app_give_up(struct repl_io *io);
bool app_untold(const struct repl_io *io);

/* read.c */
void app_read(struct repl_io *io);
void app_read_done(struct repl_io *io, int err);
void app_read_answer(struct repl_peer *p, u64 id, struct repl_io *data);
void app_reads_lost(struct repl_peer *p);
void app_unpark(struct repl_res *res);

#endif
