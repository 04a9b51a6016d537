/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What application I/O and a promotion depend on: for whoever explains it.  core.h
 * includes this.
 */
#ifndef REPL_OUTLOOK_H
#define REPL_OUTLOOK_H

#include "platform.h"

struct repl_res;

/**
 * struct repl_io_info - what application I/O depends on
 * @in_step: replicas in step, ours too, of the volume that has fewest
 * @needed: so many must be, or nothing is acknowledged; a witness that keeps
 *	the set may stand for one of them
 * @suspended_ms: how long I/O has been held, as ticks tell; 0: it is not
 */
struct repl_io_info {
	u32 in_step;
	u32 needed;
	u64 suspended_ms;
};

void repl_io_info(const struct repl_res *res, struct repl_io_info *out);

/**
 * struct repl_promotion - what repl_promote() without force would meet now
 * @why: it would be refused, in these words; NULL: nothing that is known here
 *	is against it (a Primary is asked to step down, the peers are asked for
 *	their votes, and may object)
 * @missing: with @why: nodes that have, or may have, what is missing here
 * @votes: where a majority decides: nodes that are here and can vote, ours too
 * @votes_needed: of these; 0: no majority decides
 */
struct repl_promotion {
	const char *why;
	u32 missing;
	u32 votes;
	u32 votes_needed;
};

/** repl_promotion() - look, and change nothing */
void repl_promotion(const struct repl_res *res, struct repl_promotion *out);

#endif
