// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs on volumes.
 */
#include "cmd.h"
#include "conf.h"
#include "req.h"
#include "state.h"

/* "RES/VOL MINOR", or "RES VOL MINOR" */
int cmd_new_volume(struct cmd *c)
{
	const char *minor_arg = c->pos[c->npos - 1];
	struct target t;
	struct req r;
	uint64_t minor;
	char *name;
	bool ok;

	name = c->npos == 3 ? xasprintf("%s/%s", c->pos[0], c->pos[1]) :
			      xstrdup(c->pos[0]);
	ok = target_parse(name, TARGET_VOL | NEED_VOL, &t);
	free(name);
	if (!ok)
		return EX_USAGE;
	if (!parse_u64(minor_arg, &minor) || minor >= 1U << 20) {
		err("\"%s\" is no device minor, expected the N of /dev/blkreplN", minor_arg);
		return EX_USAGE;
	}
	req_init(&r, BLKREPL_CMD_VOL_NEW, t.res);
	r.vol = t.vol;
	r.minor = minor;
	r.opts = c->opts;
	return cmd_send(c, &r);
}

int cmd_del_volume(struct cmd *c)
{
	struct target t;
	struct req r;

	if (!target_parse(c->pos[0], TARGET_VOL | NEED_VOL, &t))
		return EX_USAGE;
	req_init(&r, BLKREPL_CMD_VOL_DEL, t.res);
	r.vol = t.vol;
	return cmd_send(c, &r);
}

static int set_options(struct cmd *c, const struct target *t)
{
	struct req r;

	req_init(&r, BLKREPL_CMD_VOL_SET, t->res);
	r.opts = c->opts;
	return cmd_each_vol(c, t, &r);
}

int cmd_disk_options(struct cmd *c)
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL | TARGET_VOL, &t))
		return EX_USAGE;
	if (!c->opts.set) {
		err("which setting? see: blkrepl disk-options --help");
		return EX_USAGE;
	}
	return cmd_each_res(c, &t, set_options);
}

static int attach_one(struct cmd *c, const char *res, const struct view_volume *v)
{
	struct req r;

	req_init(&r, BLKREPL_CMD_ATTACH, res);
	r.vol = v->nr;
	r.disk = v->disk;
	r.meta_disk = v->meta_disk;
	return cmd_send(c, &r);
}

/* The disks are those of the configuration. */
static int attach_configured(struct cmd *c, const struct target *t)
{
	const struct conf *conf = cmd_conf(c);
	const struct conf_res *res;
	struct view view;
	unsigned int i;
	int ret = 0, n = 0;

	if (!conf)
		return EX_CONFIG;
	res = conf_find(conf, t->res);
	if (!res || !conf_view(conf, res, cmd_node(c), &view)) {
		err("resource %s is not configured for node %s; name the disk, or see blkrepl.conf(5)",
		    t->res, cmd_node(c));
		return EX_NO_OBJECT;
	}
	for (i = 0; i < view.n_volumes; i++) {
		const struct view_volume *v = &view.volume[i];

		if ((t->vol >= 0 && (unsigned int)t->vol != v->nr) ||
		    (!v->disk && !view.witness))
			continue;
		n++;
		ret = first_error(ret, attach_one(c, t->res, v));
	}
	if (!n) {
		err("resource %s: no disk is configured for node %s", t->res, cmd_node(c));
		return EX_NO_OBJECT;
	}
	return ret;
}

int cmd_attach(struct cmd *c)
{
	struct view_volume v = { 0 };
	struct target t;

	if (c->npos == 1 && !has(c, ARG_META_DISK)) {
		if (!target_parse(c->pos[0], TARGET_ALL | TARGET_VOL, &t))
			return EX_USAGE;
		return cmd_each_res(c, &t, attach_configured);
	}
	if (!target_parse(c->pos[0], TARGET_VOL | NEED_VOL, &t))
		return EX_USAGE;
	v.nr = t.vol;
	v.disk = c->npos > 1 ? c->pos[1] : NULL;
	v.meta_disk = c->arg[ARG_META_DISK];
	return attach_one(c, t.res, &v);
}

static int do_detach(struct cmd *c, const struct target *t)
{
	struct req r;

	req_init(&r, BLKREPL_CMD_DETACH, t->res);
	r.force = has(c, ARG_FORCE);
	return cmd_each_vol(c, t, &r);
}

int cmd_detach(struct cmd *c)
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL | TARGET_VOL, &t))
		return EX_USAGE;
	return cmd_each_res(c, &t, do_detach);
}

int cmd_resize(struct cmd *c)
{
	struct target t;
	struct req r;
	char why[256];
	uint64_t size = 0;

	if (!target_parse(c->pos[0], TARGET_VOL, &t))
		return EX_USAGE;
	if (has(c, ARG_RESIZE) &&
	    !opt_parse(OPT_SIZE, c->arg[ARG_RESIZE], &size, why, sizeof(why))) {
		err("--size: %s", why);
		return EX_USAGE;
	}
	req_init(&r, BLKREPL_CMD_RESIZE, t.res);
	opt_put(&r.opts, OPT_SIZE, size);
	return cmd_each_vol(c, &t, &r);
}

/* The source is whichever peer suits. */
int cmd_invalidate(struct cmd *c)
{
	struct target t;
	struct req r;

	if (!target_parse(c->pos[0], TARGET_VOL | TARGET_PEER, &t))
		return EX_USAGE;
	if (t.peer[0]) {
		err("\"%s\": the peer whose data replaces our own can't be chosen: leave it out",
		    c->pos[0]);
		return EX_USAGE;
	}
	req_init(&r, BLKREPL_CMD_INVALIDATE, t.res);
	return cmd_each_vol(c, &t, &r);
}

/* With several peers, which one's data is to go must be said. */
int cmd_invalidate_remote(struct cmd *c)
{
	struct target t;
	struct st_res *res;
	struct req r;

	if (!target_parse(c->pos[0], TARGET_VOL | TARGET_PEER, &t))
		return EX_USAGE;
	if (!t.peer[0]) {
		res = cmd_res(c, t.res);
		if (!res)
			return EX_NO_OBJECT;
		if (res->peers && res->peers->next) {
			err("resource %s has several peers: which one's data is to be replaced? expected %s:PEER",
			    t.res, t.res);
			return EX_USAGE;
		}
	}
	req_init(&r, BLKREPL_CMD_INVALIDATE, t.res);
	r.remote = true;
	return cmd_each_pvol(c, &t, &r);
}
