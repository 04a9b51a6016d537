// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/blkdev.h>
#include <net/genetlink.h>

MODULE_LICENSE("GPL");
