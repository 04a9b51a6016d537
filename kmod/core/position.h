/* SPDX-License-Identifier: GPL-2.0 */
/* How much of a primary's writes a member has, for certain. */
#ifndef REPL_POSITION_H
#define REPL_POSITION_H

#include "core.h"

void position_recall(struct repl_vol *vol);
void position_member(struct repl_res *res, u64 term, u64 seq);
void position_end(struct repl_vol *vol);
void position_heard(struct repl_peer *p);
void position_attached(struct repl_res *res);
void position_received(struct repl_peer *p, u64 seq);
bool position_holds(const struct repl_io *io);
void position_acked(struct repl_vol *vol, u64 term, u64 seq);
void position_refused(const struct repl_io *io);

#endif
