/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must be asked of the kernel so that what runs is what is configured.
 */
#ifndef BLKREPL_ADJUST_H
#define BLKREPL_ADJUST_H

#include "conf.h"
#include "req.h"

struct st_res;

/**
 * struct plan - requests in the order in which they must be made
 * @n: number of them
 * @req: the requests; their strings belong to the view or the state
 * @conflict: what no request can change, in words; empty: nothing
 */
struct plan {
	unsigned int n, room;
	struct req *req;
	char conflict[256];
};

/**
 * plan_adjust - from what runs to what is configured
 * @p: the plan, to be freed with plan_free()
 * @view: what is configured
 * @res: what runs; NULL: nothing yet
 */
void plan_adjust(struct plan *p, const struct view *view, const struct st_res *res);

/* From what runs to nothing. */
void plan_down(struct plan *p, const struct st_res *res);

void plan_free(struct plan *p);

#endif
