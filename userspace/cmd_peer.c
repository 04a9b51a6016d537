// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs on peers and their connections.
 */
#include <errno.h>
#include <stdio.h>

#include "cmd.h"
#include "conf.h"
#include "req.h"
#include "state.h"

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f;
	bool ok;

	errno = 0;
	if (!strcmp(path, "-"))
		return fgets(line, size, stdin);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, size, f);
	fclose(f);
	return ok;
}

/* The first line of a file; kept until the program ends. */
static int read_secret(const char *path, struct req *r)
{
	static char line[256];
	size_t len;

	if (!read_line(path, line, sizeof(line))) {
		err("cannot read the secret from %s: %s", path,
		    errno ? strerror(errno) : "nothing is in it");
		return EX_USAGE;
	}
	len = strcspn(line, "\r\n");
	if (len < BLKREPL_SECRET_MIN || len > BLKREPL_SECRET_MAX) {
		err("the secret in %s has %zu bytes, expected %d to %d", path, len,
		    BLKREPL_SECRET_MIN, BLKREPL_SECRET_MAX);
		return EX_USAGE;
	}
	r->secret = (const uint8_t *)line;
	r->secret_len = len;
	return 0;
}

static int address_arg(struct cmd *c, enum arg_id id, const char *name,
		       struct sockaddr_storage *sa, bool *given)
{
	char why[160];

	*given = has(c, id);
	if (!*given || addr_parse(c->arg[id], sa, why, sizeof(why)))
		return 0;
	err("--%s %s: %s", name, c->arg[id], why);
	return EX_USAGE;
}

/* What new-peer and net-options have in common. */
static int peer_config(struct cmd *c, struct req *r)
{
	int ret;

	r->opts = c->opts;
	if (has(c, ARG_NAME))
		str_copy(r->node_name, c->arg[ARG_NAME], sizeof(r->node_name));
	ret = address_arg(c, ARG_LOCAL_ADDR, "local-addr", &r->local, &r->has_local);
	if (!ret)
		ret = address_arg(c, ARG_PEER_ADDR, "peer-addr", &r->addr, &r->has_addr);
	if (!ret && has(c, ARG_SECRET_FILE) && has(c, ARG_AUTH_NONE)) {
		err("either --secret-file or --auth-none");
		ret = EX_USAGE;
	}
	r->auth_none = has(c, ARG_AUTH_NONE);
	if (!ret && has(c, ARG_SECRET_FILE))
		ret = read_secret(c->arg[ARG_SECRET_FILE], r);
	return ret;
}

int cmd_new_peer(struct cmd *c)
{
	struct target t;
	struct req r;
	uint64_t id;

	if (!target_parse(c->pos[0], 0, &t))
		return EX_USAGE;
	req_init(&r, BLKREPL_CMD_PEER_NEW, t.res);
	if (!parse_u64(c->pos[1], &id) || id >= BLKREPL_MAX_NODES) {
		err("\"%s\" is no node id, expected a number from 0 to %d",
		    c->pos[1], BLKREPL_MAX_NODES - 1);
		return EX_USAGE;
	}
	r.peer = id;
	r.witness = has(c, ARG_WITNESS);
	if (!has(c, ARG_LOCAL_ADDR) || !has(c, ARG_PEER_ADDR)) {
		err("new-peer needs --local-addr and --peer-addr");
		return EX_USAGE;
	}
	if (!has(c, ARG_SECRET_FILE) && !has(c, ARG_AUTH_NONE)) {
		err("new-peer needs --secret-file (or --auth-none, if nobody else can reach that network)");
		return EX_USAGE;
	}
	return peer_config(c, &r) ?: cmd_send(c, &r);
}

int cmd_del_peer(struct cmd *c)
{
	struct target t;
	struct req r;

	if (!target_parse(c->pos[0], TARGET_PEER | NEED_PEER, &t))
		return EX_USAGE;
	req_init(&r, BLKREPL_CMD_PEER_DEL, t.res);
	return cmd_each_peer(c, &t, &r);
}

static int set_options(struct cmd *c, const struct target *t)
{
	struct req r;
	int ret;

	req_init(&r, BLKREPL_CMD_PEER_SET, t->res);
	ret = peer_config(c, &r);
	return ret ?: cmd_each_peer(c, t, &r);
}

int cmd_net_options(struct cmd *c)
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL | TARGET_PEER, &t))
		return EX_USAGE;
	if (!c->opts.set && !(c->given & c->verb->options)) {
		err("which setting? see: blkrepl net-options --help");
		return EX_USAGE;
	}
	return cmd_each_res(c, &t, set_options);
}

static int do_connect(struct cmd *c, const struct target *t)
{
	struct req r;

	req_init(&r, BLKREPL_CMD_CONNECT, t->res);
	r.discard_my_data = has(c, ARG_DISCARD_MY_DATA);
	return cmd_each_peer(c, t, &r);
}

int cmd_connect(struct cmd *c)
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL | TARGET_PEER, &t))
		return EX_USAGE;
	if (has(c, ARG_DISCARD_MY_DATA) && t.all) {
		err("--discard-my-data throws data away: name one resource");
		return EX_USAGE;
	}
	return cmd_each_res(c, &t, do_connect);
}

static int do_disconnect(struct cmd *c, const struct target *t)
{
	struct req r;

	req_init(&r, BLKREPL_CMD_DISCONNECT, t->res);
	r.force = has(c, ARG_FORCE);
	return cmd_each_peer(c, t, &r);
}

int cmd_disconnect(struct cmd *c)
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL | TARGET_PEER, &t))
		return EX_USAGE;
	return cmd_each_res(c, &t, do_disconnect);
}

/* Of a single one: a wrong word costs data. */
int cmd_fenced(struct cmd *c)
{
	struct target t;
	struct req r;

	if (!target_parse(c->pos[0], TARGET_PEER, &t))
		return EX_USAGE;
	if (!t.peer[0]) {
		err("which node was switched off? say %s:PEER", t.res);
		return EX_USAGE;
	}
	req_init(&r, BLKREPL_CMD_FENCED, t.res);
	return cmd_each_peer(c, &t, &r);
}

static int each_pair(struct cmd *c, const struct target *t, int kernel_cmd)
{
	struct req r;

	req_init(&r, kernel_cmd, t->res);
	return cmd_each_pvol(c, t, &r);
}

static int do_pause(struct cmd *c, const struct target *t)
{
	return each_pair(c, t, BLKREPL_CMD_PAUSE_SYNC);
}

static int do_resume(struct cmd *c, const struct target *t)
{
	return each_pair(c, t, BLKREPL_CMD_RESUME_SYNC);
}

static int do_verify(struct cmd *c, const struct target *t)
{
	return each_pair(c, t, BLKREPL_CMD_VERIFY);
}

static int on_pairs(struct cmd *c, int (*fn)(struct cmd *c, const struct target *t))
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL | TARGET_PEER | TARGET_VOL, &t))
		return EX_USAGE;
	return cmd_each_res(c, &t, fn);
}

int cmd_pause_sync(struct cmd *c)
{
	return on_pairs(c, do_pause);
}

int cmd_resume_sync(struct cmd *c)
{
	return on_pairs(c, do_resume);
}

int cmd_verify(struct cmd *c)
{
	return on_pairs(c, do_verify);
}
