// SPDX-License-Identifier: GPL-2.0-only
#include <linux/blkdev.h>

int probe(struct gendisk *gd, blk_mode_t mode);

const struct block_device_operations ops = {
	.open = probe,
};
