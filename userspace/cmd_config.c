// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs that carry out the configuration: up, adjust, down, dump.
 */
#include "adjust.h"
#include "cmd.h"
#include "dump.h"
#include "state.h"

static const char *conf_next(unsigned int i, const void *arg)
{
	const struct conf_res *res = ((const struct conf *)arg)->resources;

	while (res && i--)
		res = res->next;
	return res ? res->name : NULL;
}

static int not_configured(const struct conf *conf, const char *name)
{
	const char *like = suggest(name, conf_next, conf);

	if (like)
		err("resource %s is not configured, did you mean %s?", name, like);
	else
		err("resource %s is not configured", name);
	return EX_NO_OBJECT;
}

/*
 * A disk that fails must not keep the node from serving a peer's data, nor a
 * setting that can't change just now keep it from connecting.
 */
static bool goes_on_without(const struct req *r)
{
	switch (r->cmd) {
	case BLKREPL_CMD_ATTACH:
	case BLKREPL_CMD_RESIZE:
	case BLKREPL_CMD_RES_SET:
	case BLKREPL_CMD_VOL_SET:
	case BLKREPL_CMD_PEER_SET:
		return true;
	default:
		return false;
	}
}

/* Nothing is wrong with these, but they may not be what was meant. */
static void advise(const struct cmd *c, const struct conf_res *res)
{
	const struct conf_host *h;
	struct view view;

	if (!res->hosts->next)
		warn("resource %s has one host, %s: nothing is mirrored", res->name,
		     res->hosts->name);
	if (!conf_view(c->conf, res, cmd_node(c), &view))
		return;
	for (h = res->hosts; h; h = h->next)
		if (h->witness && opt_get(&view.opts, OPT_QUORUM) !=
				  BLKREPL_QUORUM_MAJORITY)
			warn("resource %s: host %s is a witness, which has a say with quorum majority only",
			     res->name, h->name);
}

/* Is this machine a host of the resource @name, of any if that is NULL? */
static bool is_host(const struct cmd *c, const char *name)
{
	const struct conf_res *res;

	for (res = c->conf->resources; res; res = res->next)
		if ((!name || !strcmp(res->name, name)) && conf_host(res, cmd_node(c)))
			return true;
	return false;
}

static void warn_no_host(const struct cmd *c)
{
	warn("this machine, %s, has no \"on\" section: nothing of this runs here; see --node",
	     cmd_node(c));
}

static int run_plan(struct cmd *c, const struct plan *p)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < p->n; i++) {
		int one;

		/* --dry-run tells what differs: that cannot be known here */
		if (p->req[i].refresh && has(c, ARG_DRY_RUN))
			continue;
		one = cmd_send(c, &p->req[i]);
		ret = first_error(ret, one);
		if (one && !goes_on_without(&p->req[i]))
			break;
	}
	return ret;
}

static int adjust_one(struct cmd *c, const struct conf_res *res, bool must)
{
	struct view view;
	struct plan p;
	int ret;

	if (!conf_view(c->conf, res, cmd_node(c), &view)) {
		if (!must)
			return 0;
		err("resource %s has no host %s: this machine's name is no \"on\" section of it; see --node",
		    res->name, cmd_node(c));
		return EX_CONFIG;
	}
	advise(c, res);
	plan_adjust(&p, &view, state_res(c->state, res->name));
	if (p.conflict[0]) {
		err("resource %s: %s", res->name, p.conflict);
		ret = EX_CONFIG;
	} else {
		ret = run_plan(c, &p);
	}
	plan_free(&p);
	return ret;
}

static void report_unconfigured(const struct cmd *c)
{
	const struct st_res *res;

	for (res = c->state->resources; res; res = res->next)
		if (!conf_find(c->conf, res->name))
			warn("resource %s is up, but not configured; if it is not wanted: blkrepl down %s",
			     res->name, res->name);
}

static int adjust(struct cmd *c)
{
	const struct conf_res *res;
	struct target t;
	int ret = 0;

	if (!target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	if (!cmd_conf(c))
		return EX_CONFIG;
	if (!t.all && !conf_find(c->conf, t.res))
		return not_configured(c->conf, t.res);
	if (!cmd_state(c))
		return c->ctl ? EX_SYSTEM : EX_NO_MODULE;
	if (!t.all)
		return adjust_one(c, conf_find(c->conf, t.res), true);
	if (c->conf->resources && !is_host(c, NULL))
		warn_no_host(c);
	for (res = c->conf->resources; res; res = res->next)
		ret = first_error(ret, adjust_one(c, res, false));
	report_unconfigured(c);
	return ret;
}

int cmd_up(struct cmd *c)
{
	return adjust(c);
}

int cmd_adjust(struct cmd *c)
{
	return adjust(c);
}

static int down_one(struct cmd *c, const struct target *t)
{
	struct st_res *res;
	struct plan p;
	int ret;

	if (!cmd_state(c))
		return c->ctl ? EX_SYSTEM : EX_NO_MODULE;
	res = state_res(c->state, t->res);
	if (!res) {
		warn("resource %s is not up", t->res);
		return EX_DONE;
	}
	plan_down(&p, res);
	ret = run_plan(c, &p);
	plan_free(&p);
	return ret;
}

int cmd_down(struct cmd *c)
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	return cmd_each_res(c, &t, down_one);
}

int cmd_dump(struct cmd *c)
{
	const struct conf_res *res;
	struct target t = { .all = true };

	if (c->npos && !target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	if (!cmd_conf(c))
		return EX_CONFIG;
	if (!t.all && !conf_find(c->conf, t.res))
		return not_configured(c->conf, t.res);
	if (t.all)
		dump_common(c->file, c->conf, has(c, ARG_SECRETS));
	for (res = c->conf->resources; res; res = res->next) {
		if (!t.all && strcmp(res->name, t.res))
			continue;
		dump_resource(c->file, res, has(c, ARG_SECRETS));
		advise(c, res);
	}
	if (c->conf->resources && !is_host(c, t.all ? NULL : t.res))
		warn_no_host(c);
	return EX_DONE;
}
