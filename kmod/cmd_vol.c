// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands about a volume: its existence, settings, disk and data.
 */
#include <net/genetlink.h>

#include "core/meta_format.h"
#include "netlink.h"

static void vol_conf(struct nlattr **tb, struct repl_vol_conf *conf,
		     bool *disk_flushes)
{
	if (tb[BLKREPL_VC_AL_EXTENTS])
		conf->al_extents = nla_get_u32(tb[BLKREPL_VC_AL_EXTENTS]);
	if (tb[BLKREPL_VC_ON_IO_ERROR])
		conf->on_io_error = nla_get_u32(tb[BLKREPL_VC_ON_IO_ERROR]);
	if (tb[BLKREPL_VC_DISK_FLUSHES])
		*disk_flushes = nla_get_u32(tb[BLKREPL_VC_DISK_FLUSHES]);
}

int blkrepl_nl_vol_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[BLKREPL_VC_MAX + 1];
	struct repl_vol_conf conf;
	struct blkrepl_cmd_ctx c;
	bool disk_flushes = true;
	int minor = -1;
	int err;

	err = blkrepl_cmd_begin_new(&c, info, CMD_VOL);
	if (err)
		return err;
	blkrepl_cmd_nest(info, BLKREPL_A_VOL_CFG, tb, BLKREPL_VC_MAX);
	if (tb[BLKREPL_VC_MINOR])
		minor = nla_get_u32(tb[BLKREPL_VC_MINOR]);
	repl_vol_conf_init(&conf);
	vol_conf(tb, &conf, &disk_flushes);
	err = blkrepl_volume_new(c.r, c.vol_nr, minor, &conf, disk_flushes,
				 c.extack);
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_vol_del(struct sk_buff *skb, struct genl_info *info)
{
	struct blkrepl_cmd_ctx c;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_VOL);
	if (err)
		return err;
	err = blkrepl_volume_del(c.v, c.extack);
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_vol_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[BLKREPL_VC_MAX + 1];
	struct repl_vol_conf conf;
	struct blkrepl_cmd_ctx c;
	bool disk_flushes;
	unsigned long flags;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_VOL);
	if (err)
		return err;
	blkrepl_cmd_nest(info, BLKREPL_A_VOL_CFG, tb, BLKREPL_VC_MAX);
	conf = c.v->vol.conf;
	disk_flushes = c.v->disk_flushes;
	vol_conf(tb, &conf, &disk_flushes);

	/* The table of hot extents is made when the disk is attached. */
	if (c.v->disk && conf.al_extents != c.v->vol.conf.al_extents) {
		err = blkrepl_refuse(c.extack, -EBUSY,
				     "the number of hot extents can't change while a disk is attached");
		goto out;
	}
	blkrepl_lock(c.r, flags);
	c.v->vol.conf = conf;
	c.v->disk_flushes = disk_flushes;
	blkrepl_notify(&c.r->res, NOTE_VOL, &c.v->vol, NULL, NULL);
	blkrepl_unlock(c.r, flags);
out:
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_attach(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[BLKREPL_VC_MAX + 1];
	struct blkrepl_attach_params a = { };
	struct blkrepl_cmd_ctx c;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_VOL);
	if (err)
		return err;
	blkrepl_cmd_nest(info, BLKREPL_A_VOL_CFG, tb, BLKREPL_VC_MAX);
	a.conf = c.v->vol.conf;
	a.disk_flushes = c.v->disk_flushes;
	vol_conf(tb, &a.conf, &a.disk_flushes);
	if (tb[BLKREPL_VC_META_DISK])
		a.meta = nla_data(tb[BLKREPL_VC_META_DISK]);
	if (tb[BLKREPL_VC_DISK])
		a.disk = nla_data(tb[BLKREPL_VC_DISK]);
	if (c.r->res.witness && (a.disk || !a.meta))
		err = blkrepl_refuse(c.extack, -EINVAL,
				     "this node is a witness: it has a meta disk, and no backing device");
	else if (!c.r->res.witness && !a.disk)
		err = blkrepl_refuse(c.extack, -EINVAL,
				     "the path of the backing device is missing");
	else
		err = blkrepl_attach(c.v, &a, c.extack);
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_detach(struct sk_buff *skb, struct genl_info *info)
{
	struct blkrepl_cmd_ctx c;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_VOL);
	if (err)
		return err;
	err = blkrepl_detach(c.v, info->attrs[BLKREPL_A_FORCE], c.extack);
	blkrepl_cmd_end(&c);
	return err;
}

/* Metadata is laid out for the size that the disk had when it was made. */
static bool grown(struct blkrepl_volume *v)
{
	struct blkrepl_disk *d = v->disk;

	lockdep_assert_held(&v->r->lock);
	return d && bdev_nr_bytes(d->bdev) > d->bytes;
}

int blkrepl_nl_resize(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[BLKREPL_VC_MAX + 1];
	struct blkrepl_cmd_ctx c;
	const char *why = NULL;
	unsigned long flags;
	u64 old, size = 0;
	int err;

	err = blkrepl_cmd_begin(&c, info, CMD_VOL);
	if (err)
		return err;
	blkrepl_cmd_nest(info, BLKREPL_A_VOL_CFG, tb, BLKREPL_VC_MAX);
	if (tb[BLKREPL_VC_SIZE])
		size = nla_get_u64(tb[BLKREPL_VC_SIZE]);
	if (size % BLOCK_BYTES) {
		err = blkrepl_refuse(c.extack, -EINVAL,
				     "the size has to be a multiple of %u bytes",
				     BLOCK_BYTES);
		goto out;
	}
	blkrepl_lock(c.r, flags);
	old = c.v->vol.sectors;
	err = repl_resize(&c.v->vol, size >> SECTOR_SHIFT, &why);
	if ((err == -ENOSPC || (!err && !size && old == c.v->vol.sectors)) &&
	    grown(c.v)) {
		err = -ENOSPC;
		why = c.v->disk->meta_handle ?
			"the disk has grown, but its metadata has not: detach it, create-md --force with a larger meta-disk, attach it, and let it be synced" :
			"the disk has grown, but its metadata has not: detach it, grow-md, attach it; so on every node, one after the other";
	}
	blkrepl_unlock(c.r, flags);
	if (err)
		blkrepl_refuse(c.extack, err, "%s", why ?:
			       "the size cannot change just now");
	/* The device is to have its size when the command returns. */
	flush_work(&c.v->size_work);
out:
	blkrepl_cmd_end(&c);
	return err;
}

int blkrepl_nl_invalidate(struct sk_buff *skb, struct genl_info *info)
{
	bool remote = info->attrs[BLKREPL_A_REMOTE];
	struct blkrepl_cmd_ctx c;
	const char *why = NULL;
	unsigned long flags;
	int err;

	if (!remote && info->attrs[BLKREPL_A_PEER])
		return blkrepl_refuse(info->extack, -EINVAL,
				      "the peer whose data replaces our own can't be chosen");
	err = blkrepl_cmd_begin(&c, info, CMD_VOL | (remote ? CMD_PEER : 0));
	if (err)
		return err;
	blkrepl_lock(c.r, flags);
	if (remote)
		err = repl_invalidate_remote(&c.v->vol, &c.p->peer, &why);
	else
		err = repl_invalidate(&c.v->vol, &why);
	blkrepl_unlock(c.r, flags);
	if (err)
		blkrepl_refuse(c.extack, err, "%s", why ?:
			       "the data cannot be replaced just now");
	blkrepl_cmd_end(&c);
	return err;
}
