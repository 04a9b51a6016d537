// SPDX-License-Identifier: GPL-2.0-only
/*
 * blkrepl: a block device mirrored over TCP.  Loading and unloading.
 */
#include <linux/module.h>
#include <net/genetlink.h>

#include "netlink.h"

struct workqueue_struct *blkrepl_io_wq;
struct workqueue_struct *blkrepl_wq;
int blkrepl_major;

static int __init blkrepl_init(void)
{
	int err;

	err = blkrepl_pools_init();
	if (err)
		return err;

	err = blkrepl_crypto_init();
	if (err)
		goto err_crypto;

	err = -ENOMEM;
	blkrepl_io_wq = alloc_workqueue("blkrepl_io", WQ_MEM_RECLAIM |
					WQ_HIGHPRI | WQ_UNBOUND, 0);
	if (!blkrepl_io_wq)
		goto err_io_wq;

	blkrepl_wq = alloc_workqueue("blkrepl", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!blkrepl_wq)
		goto err_wq;

	err = register_blkdev(0, BLKREPL_NAME);
	if (err < 0)
		goto err_blkdev;
	blkrepl_major = err;
	blkrepl_sock_init();

	err = blkrepl_net_register();
	if (err)
		goto err_net;

	/* Last: from here on commands arrive. */
	err = genl_register_family(&blkrepl_genl_family);
	if (err)
		goto err_genl;
	return 0;

err_genl:
	blkrepl_net_unregister();
err_net:
	blkrepl_sock_exit();
	unregister_blkdev(blkrepl_major, BLKREPL_NAME);
err_blkdev:
	destroy_workqueue(blkrepl_wq);
err_wq:
	destroy_workqueue(blkrepl_io_wq);
err_io_wq:
	blkrepl_crypto_exit();
err_crypto:
	blkrepl_pools_exit();
	return err;
}

/* Every resource holds a reference on the module: there is none left. */
static void __exit blkrepl_exit(void)
{
	genl_unregister_family(&blkrepl_genl_family);
	blkrepl_refusals_free();
	blkrepl_net_unregister();
	blkrepl_sock_exit();
	unregister_blkdev(blkrepl_major, BLKREPL_NAME);
	destroy_workqueue(blkrepl_wq);
	destroy_workqueue(blkrepl_io_wq);
	blkrepl_crypto_exit();
	blkrepl_pools_exit();
}

module_init(blkrepl_init);
module_exit(blkrepl_exit);

MODULE_DESCRIPTION("block device mirrored over TCP");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
MODULE_ALIAS_GENL_FAMILY(BLKREPL_GENL_NAME);
