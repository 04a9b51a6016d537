// SPDX-License-Identifier: GPL-2.0-only
#include <linux/blkdev.h>

int probe(struct request_queue *q);

int probe(struct request_queue *q)
{
	struct queue_limits lim = queue_limits_start_update(q);

	lim.features |= BLK_FEAT_STABLE_WRITES;
	return queue_limits_commit_update_frozen(q, &lim);
}
