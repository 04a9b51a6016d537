/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state for people and for programs.
 */
#ifndef BLKREPL_STATUS_H
#define BLKREPL_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct out;
struct st_change;
struct st_peer;
struct st_pvol;
struct st_res;
struct st_vol;
struct state;

/**
 * status_print - resources with all that belongs to them
 * @o: printer
 * @st: the state
 * @name: print only this resource; NULL: all
 * @statistics: counters too
 */
void status_print(struct out *o, const struct state *st, const char *name,
		  bool statistics);

/**
 * status_event - one line for one change
 * @o: printer
 * @st: the state after the change
 * @c: the change; event 0: the object exists
 * @when: time stamp, or NULL
 */
void status_event(struct out *o, const struct state *st,
		  const struct st_change *c, const char *when);

/* The values of one object on one line; also used for events. */
void status_res_values(struct out *o, const struct st_res *res, bool statistics);
void status_vol_values(struct out *o, const struct st_vol *v, bool statistics);
void status_peer_values(struct out *o, const struct st_peer *p, bool statistics);
void status_pvol_values(struct out *o, const struct st_pvol *pv, bool statistics);
/* Why I/O is held, if it is; @after follows each reason in the text. */
void status_suspended(struct out *o, const struct st_res *res, const char *after);
/* One of the reasons in words, by its bit; NULL: this tool does not know it. */
const char *status_suspend_reason(const struct st_res *res, unsigned int i);
/* If too few are in step: is it min-in-sync that asks for more, and no majority? */
bool lacks_min_in_sync(const struct st_res *res);
/* Do so many nodes keep the in-sync set, or could, as have to where votes decide? */
bool majority_keeps_set(const struct st_res *res);

/* A resync (or verify) is under way or paused. */
bool pvol_is_syncing(const struct st_pvol *pv);

/* Per mille done of a resync. */
unsigned int pvol_done(const struct st_pvol *pv);

#endif
