// SPDX-License-Identifier: GPL-2.0-only
/*
 * What verbs ask for: the kernel, its state, the configuration; and the loops
 * over what a target names.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "cmd.h"
#include "conf.h"
#include "nl.h"
#include "req.h"
#include "state.h"

struct ctl *cmd_ctl(struct cmd *c)
{
	struct ctl_error e;

	if (!c->ctl) {
		c->ctl = ctl_open(&e);
		if (!c->ctl)
			err("%s", e.text);
	}
	return c->ctl;
}

struct state *cmd_state(struct cmd *c)
{
	struct ctl_error e;

	if (c->state || !cmd_ctl(c))
		return c->state;
	c->state = state_load(c->ctl, &e);
	if (!c->state)
		err("cannot read the state from the kernel: %s", e.text);
	return c->state;
}

void cmd_forget_state(struct cmd *c)
{
	state_free(c->state);
	c->state = NULL;
}

struct conf *cmd_conf(struct cmd *c)
{
	const char *dir = c->arg[ARG_CONFIG_DIR];
	struct conf_error e;

	if (c->conf)
		return c->conf;
	if (!dir)
		dir = getenv("BLKREPL_CONFIG_DIR");
	if (!dir)
		dir = CONF_DIR;
	if (conf_load(dir, &c->conf, &e))
		err("%s", e.text);
	return c->conf;
}

const char *cmd_node(const struct cmd *c)
{
	static struct utsname uts;

	if (c->arg[ARG_NODE])
		return c->arg[ARG_NODE];
	if (getenv("BLKREPL_NODE"))
		return getenv("BLKREPL_NODE");
	return uname(&uts) ? "localhost" : uts.nodename;
}

void cmd_cleanup(struct cmd *c)
{
	state_free(c->state);
	conf_free(c->conf);
	ctl_close(c->ctl);
}

/* What to do next, where the kernel's words cannot know it. */
static void hint(const struct req *r, const struct ctl_error *e)
{
	if (e->errnum == EPERM)
		err("this needs root, or CAP_NET_ADMIN in this network namespace");
	else if (r->cmd == BLKREPL_CMD_ATTACH && e->errnum == ENODATA)
		err("if the disk has grown, move its metadata with: blkrepl grow-md %s/%d; if it never had any, make it with: blkrepl create-md %s/%d",
		    r->res, r->vol, r->res, r->vol);
	else if (r->cmd == BLKREPL_CMD_RES_DEL && e->errnum == EBUSY)
		err("take everything down with: blkrepl down %s", r->res);
}

/* "peer bob" where the name is known, "peer 1" where it is not. */
static void name_peer(const struct cmd *c, const struct req *r, char *buf, size_t size)
{
	const struct st_res *res = c->state ? state_res(c->state, r->res) : NULL;
	const struct st_peer *p = res ? state_peer(res, r->peer) : NULL;

	if (p && p->name[0])
		snprintf(buf, size, "peer %s", p->name);
	else
		snprintf(buf, size, "peer %d", r->peer);
}

/* What follows if @text begins with the word and the number, else NULL. */
static const char *after(const char *text, const char *word, int number)
{
	char begin[32];
	size_t len = snprintf(begin, sizeof(begin), "%s %d", word, number);

	if (strncmp(text, begin, len) || !strchr(" :,", text[len]))
		return NULL;
	return text + len;
}

/*
 * The object and the kernel's words.  These may begin with the object's
 * number: once is enough.
 */
static void describe(const struct cmd *c, const struct req *r, const char *words,
		     char *buf, size_t size)
{
	char peer[BLKREPL_NAME_MAX + 8] = "", vol[32] = "";
	const char *rest;

	if (r->peer >= 0)
		name_peer(c, r, peer, sizeof(peer));
	if (r->vol >= 0)
		snprintf(vol, sizeof(vol), "volume %d", r->vol);
	rest = after(words, "peer", r->peer);
	if (rest && !*vol) {
		snprintf(buf, size, "resource %s: %s%s", r->res, peer, rest);
		return;
	}
	if (after(words, "volume", r->vol))
		vol[0] = '\0';
	snprintf(buf, size, "resource %s: %s%s%s%s%s", r->res, peer,
		 *peer ? ": " : "", vol, *vol ? ": " : "", words);
}

int cmd_send(struct cmd *c, const struct req *r)
{
	struct ctl_error e;
	char text[2048];

	if (has(c, ARG_DRY_RUN)) {
		req_format(r, text, sizeof(text));
		fprintf(c->file, "%s\n", text);
		return EX_DONE;
	}
	if (!cmd_ctl(c))
		return EX_NO_MODULE;
	if (!ctl_do(c->ctl, r, &e)) {
		describe(c, r, e.text, text, sizeof(text));
		if (e.text[0])
			warn("%s", text);
		return EX_DONE;
	}
	describe(c, r, e.text, text, sizeof(text));
	err("%s", text);
	hint(r, &e);
	if (!e.from_kernel)
		return EX_SYSTEM;
	return e.errnum == ENOENT ? EX_NO_OBJECT : EX_REFUSED;
}

static const char *res_next(unsigned int i, const void *arg)
{
	const struct st_res *res = ((const struct state *)arg)->resources;

	while (res && i--)
		res = res->next;
	return res ? res->name : NULL;
}

/* Quiet: the configuration may be absent or broken, and is not the matter. */
static bool is_configured(struct cmd *c, const char *name)
{
	const char *dir = c->arg[ARG_CONFIG_DIR];
	struct conf_error e;

	if (!dir)
		dir = getenv("BLKREPL_CONFIG_DIR");
	if (!c->conf && conf_load(dir ? dir : CONF_DIR, &c->conf, &e))
		return false;
	return conf_find(c->conf, name);
}

struct st_res *cmd_res(struct cmd *c, const char *name)
{
	struct state *st = cmd_state(c);
	struct st_res *res;
	const char *like;

	if (!st)
		return NULL;
	res = state_res(st, name);
	if (res)
		return res;
	like = suggest(name, res_next, st);
	if (is_configured(c, name))
		err("resource %s is not up; start it with: blkrepl up %s", name, name);
	else if (like)
		err("resource %s is not known, did you mean %s?", name, like);
	else
		err("resource %s is not known%s", name, st->resources ?
		    "; see: blkrepl status" : ", no resource is up");
	return NULL;
}

static int no_object(const struct cmd *c)
{
	return c->state ? EX_NO_OBJECT : c->ctl ? EX_SYSTEM : EX_NO_MODULE;
}

int cmd_each_res(struct cmd *c, const struct target *t,
		 int (*fn)(struct cmd *c, const struct target *t))
{
	struct state *st;
	struct st_res *res;
	int ret = 0;

	if (!t->all)
		return fn(c, t);
	st = cmd_state(c);
	if (!st)
		return no_object(c);
	if (!st->resources)
		warn("no resource is up");
	for (res = st->resources; res; res = res->next) {
		struct target one = *t;

		one.all = false;
		str_copy(one.res, res->name, sizeof(one.res));
		ret = first_error(ret, fn(c, &one));
	}
	return ret;
}

int cmd_each_vol(struct cmd *c, const struct target *t, struct req *r)
{
	struct st_res *res;
	struct st_vol *v;
	int ret = 0;

	if (t->vol >= 0) {
		r->vol = t->vol;
		return cmd_send(c, r);
	}
	res = cmd_res(c, t->res);
	if (!res)
		return no_object(c);
	if (!res->vols) {
		err("resource %s has no volume", t->res);
		return EX_NO_OBJECT;
	}
	for (v = res->vols; v; v = v->next) {
		r->vol = v->nr;
		ret = first_error(ret, cmd_send(c, r));
	}
	return ret;
}

static const char *peer_next(unsigned int i, const void *arg)
{
	const struct st_peer *p = ((const struct st_res *)arg)->peers;

	while (p && i--)
		p = p->next;
	return p ? p->name : NULL;
}

int cmd_peer_id(struct cmd *c, const struct target *t)
{
	struct st_res *res;
	struct st_peer *p;
	const char *like;
	uint64_t id;

	/* node ids work without asking the kernel for names */
	if (parse_u64(t->peer, &id) && id < BLKREPL_MAX_NODES)
		return id;
	res = cmd_res(c, t->res);
	if (!res)
		return -1;
	p = state_peer_by_name(res, t->peer);
	if (p)
		return p->id;
	like = suggest(t->peer, peer_next, res);
	if (like)
		err("resource %s has no peer %s, did you mean %s?", t->res, t->peer, like);
	else
		err("resource %s has no peer %s; see: blkrepl status %s", t->res,
		    t->peer, t->res);
	return -1;
}

/* Call @fn for each peer that the target names, with r->peer set. */
static int each_peer(struct cmd *c, const struct target *t, struct req *r,
		     int (*fn)(struct cmd *c, const struct target *t, struct req *r))
{
	struct st_res *res;
	struct st_peer *p;
	int ret = 0;

	if (t->peer[0]) {
		r->peer = cmd_peer_id(c, t);
		return r->peer < 0 ? no_object(c) : fn(c, t, r);
	}
	res = cmd_res(c, t->res);
	if (!res)
		return no_object(c);
	if (!res->peers) {
		err("resource %s has no peer", t->res);
		return EX_NO_OBJECT;
	}
	for (p = res->peers; p; p = p->next) {
		r->peer = p->id;
		ret = first_error(ret, fn(c, t, r));
	}
	return ret;
}

static int send_one(struct cmd *c, const struct target *t, struct req *r)
{
	(void)t;
	return cmd_send(c, r);
}

int cmd_each_peer(struct cmd *c, const struct target *t, struct req *r)
{
	return each_peer(c, t, r, send_one);
}

int cmd_each_pvol(struct cmd *c, const struct target *t, struct req *r)
{
	return each_peer(c, t, r, cmd_each_vol);
}

int cmd_main(struct cmd *c, int argc, char **argv)
{
	int ret = args_parse(c, argc, argv);

	if (ret)
		return ret;
	if (has(c, ARG_VERSION))
		fprintf(c->file, "blkrepl " BLKREPL_VERSION "\n");
	else if (has(c, ARG_HELP) && c->verb)
		help_verb(c->file, c->verb);
	else if (has(c, ARG_HELP))
		help_all(c->file);
	else
		return c->verb->run(c);
	return EX_DONE;
}
