// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs on metadata.
 */
#include "cmd.h"
#include "conf.h"
#include "mdtool.h"
#include "out.h"

#define MAX_PEERS_DEFAULT	7

typedef int (*md_fn)(struct cmd *c, const struct md_job *job);

/* A path instead of a resource: no configuration is needed. */
static int on_device(struct cmd *c, struct md_job *job, md_fn fn)
{
	if (has(c, ARG_WITNESS) && has(c, ARG_META_DISK)) {
		err("a witness has no data: name the device of its metadata alone");
		return EX_USAGE;
	}
	job->what = "device";
	job->disk = c->pos[0];
	job->meta_disk = c->arg[ARG_META_DISK];
	job->witness = has(c, ARG_WITNESS);
	job->node = MD_NODE_UNKNOWN;
	return fn(c, job);
}

static int on_volume(struct cmd *c, const struct view *view,
		     const struct view_volume *v, struct md_job *job, md_fn fn)
{
	char *what = xasprintf("resource %s: volume %u", view->res->name, v->nr);
	int ret;

	job->what = what;
	job->witness = view->witness;
	job->disk = view->witness ? v->meta_disk : v->disk;
	job->meta_disk = view->witness ? NULL : v->meta_disk;
	job->node = view->node_id;
	job->volume = v->nr;
	ret = fn(c, job);
	free(what);
	return ret;
}

static int on_view(struct cmd *c, const struct view *view, const struct target *t,
		   struct md_job *job, md_fn fn)
{
	unsigned int i, n = 0;
	int ret = 0;

	for (i = 0; i < view->n_volumes; i++) {
		const struct view_volume *v = &view->volume[i];

		if ((t->vol >= 0 && (unsigned int)t->vol != v->nr) ||
		    (!v->disk && !view->witness))
			continue;
		n++;
		ret = first_error(ret, on_volume(c, view, v, job, fn));
	}
	if (n)
		return ret;
	err("resource %s: no disk is configured for node %s%s", view->res->name,
	    view->node, t->vol >= 0 ? " with that volume number" : "");
	return EX_NO_OBJECT;
}

static int on_resource(struct cmd *c, struct md_job *job, md_fn fn)
{
	const struct conf_res *res;
	const struct conf *conf;
	struct target t;
	struct view view;

	if (has(c, ARG_META_DISK) || has(c, ARG_WITNESS)) {
		err("--%s goes with a device; for a resource the configuration tells it",
		    has(c, ARG_WITNESS) ? "witness" : "meta-disk");
		return EX_USAGE;
	}
	if (!target_parse(c->pos[0], TARGET_VOL, &t))
		return EX_USAGE;
	conf = cmd_conf(c);
	if (!conf)
		return EX_CONFIG;
	res = conf_find(conf, t.res);
	if (!res) {
		err("resource %s is not configured", t.res);
		return EX_NO_OBJECT;
	}
	if (!conf_view(conf, res, cmd_node(c), &view)) {
		err("resource %s has no host %s: this machine's name is no \"on\" section of it; see --node",
		    res->name, cmd_node(c));
		return EX_CONFIG;
	}
	return on_view(c, &view, &t, job, fn);
}

static int on_target(struct cmd *c, struct md_job *job, md_fn fn)
{
	return c->pos[0][0] == '/' ? on_device(c, job, fn) :
				     on_resource(c, job, fn);
}

static int create_one(struct cmd *c, const struct md_job *job)
{
	if (!has(c, ARG_DRY_RUN))
		return md_create(job);
	fprintf(c->file, "blkrepl create-md %s%s%s%s --max-peers %u%s\n", job->disk,
		job->meta_disk ? " --meta-disk " : "",
		job->meta_disk ? job->meta_disk : "",
		job->witness ? " --witness" : "", job->max_peers,
		job->force ? " --force" : "");
	return EX_DONE;
}

int cmd_create_md(struct cmd *c)
{
	struct md_job job = { .max_peers = MAX_PEERS_DEFAULT };
	uint64_t n;

	job.force = has(c, ARG_FORCE);
	if (has(c, ARG_MAX_PEERS)) {
		if (!parse_u64(c->arg[ARG_MAX_PEERS], &n) || !n ||
		    n > BLKREPL_MAX_NODES - 1) {
			err("--max-peers %s: expected a number from 1 to %d",
			    c->arg[ARG_MAX_PEERS], BLKREPL_MAX_NODES - 1);
			return EX_USAGE;
		}
		job.max_peers = n;
	}
	return on_target(c, &job, create_one);
}

static int show_one(struct cmd *c, const struct md_job *job)
{
	struct out *o = out_new(c->file, has(c, ARG_JSON), false);
	int ret = md_show(job, o);

	out_free(o);
	return ret;
}

int cmd_show_md(struct cmd *c)
{
	struct md_job job = { 0 };

	return on_target(c, &job, show_one);
}

static int grow_one(struct cmd *c, const struct md_job *job)
{
	if (!has(c, ARG_DRY_RUN))
		return md_grow(job);
	fprintf(c->file, "blkrepl grow-md %s\n", job->disk);
	return EX_DONE;
}

int cmd_grow_md(struct cmd *c)
{
	struct md_job job = { 0 };

	return on_target(c, &job, grow_one);
}
