/* SPDX-License-Identifier: GPL-2.0 */
/* Letting go of a disk that is good. */
#ifndef REPL_DETACH_H
#define REPL_DETACH_H

#include "core.h"

/* Is it being let go of, with writes still to come that had been received? */
bool detach_waits(const struct repl_vol *vol);
/* At the end of an event: a write of a Primary may be on our disks. */
void detach_applied(struct repl_vol *vol);
void detach_tick(struct repl_res *res);
/* Something is about to count on our disks: those that are going go at once. */
void detach_hurry(struct repl_res *res);

#endif
