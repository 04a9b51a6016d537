// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs that look: status, and single words for scripts.
 */
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "names.h"
#include "nl.h"
#include "out.h"
#include "state.h"
#include "status.h"

static bool add_latency(struct cmd *c)
{
	struct ctl_error e;

	if (!state_load_latency(c->ctl, c->state, &e))
		return true;
	err("cannot read latencies from the kernel: %s", e.text);
	return false;
}

static int print_status(struct cmd *c, const char *name)
{
	struct out *o;

	if (!cmd_state(c) || (name && !cmd_res(c, name)))
		return c->state ? EX_NO_OBJECT : c->ctl ? EX_SYSTEM : EX_NO_MODULE;
	if (has(c, ARG_STATISTICS) && !add_latency(c))
		return EX_SYSTEM;
	o = out_new(c->file, has(c, ARG_JSON), out_want_color(c->file));
	status_print(o, c->state, name, has(c, ARG_STATISTICS));
	out_free(o);
	return EX_DONE;
}

static int watch(struct cmd *c, const char *name, double seconds)
{
	struct timespec ts = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (time_t)seconds) * 1e9),
	};
	int ret;

	do {
		/* home, and clear what is below; the scroll-back stays */
		if (isatty(fileno(c->file)))
			fprintf(c->file, "\033[H\033[J");
		ret = print_status(c, name);
		fflush(c->file);
		cmd_forget_state(c);
	} while (!ret && !nanosleep(&ts, NULL));
	return ret;
}

int cmd_status(struct cmd *c)
{
	struct target t = { .all = true };
	double seconds = 1;
	char *end;

	if (c->npos && !target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	if (!has(c, ARG_WATCH))
		return print_status(c, t.all ? NULL : t.res);
	if (c->arg[ARG_WATCH]) {
		seconds = strtod(c->arg[ARG_WATCH], &end);
		if (*end || end == c->arg[ARG_WATCH] || !(seconds >= 0.1 && seconds <= 86400)) {
			err("--watch=%s: expected seconds, from 0.1 on", c->arg[ARG_WATCH]);
			return EX_USAGE;
		}
	}
	return watch(c, t.all ? NULL : t.res, seconds);
}

static int print_role(struct cmd *c, const struct target *t)
{
	const struct st_res *res = cmd_res(c, t->res);

	if (!res)
		return c->ctl || c->state ? EX_NO_OBJECT : EX_NO_MODULE;
	fprintf(c->file, "%s\n", name_of(&names_role, res->role));
	return EX_DONE;
}

static int print_cstate(struct cmd *c, const struct target *t)
{
	const struct st_res *res = cmd_res(c, t->res);
	const struct st_peer *p;
	int id = -1;

	if (res && t->peer[0]) {
		id = cmd_peer_id(c, t);
		if (id < 0 || !state_peer(res, id))
			return EX_NO_OBJECT;
	}
	if (!res)
		return c->ctl || c->state ? EX_NO_OBJECT : EX_NO_MODULE;
	for (p = res->peers; p; p = p->next)
		if (id < 0 || (int)p->id == id)
			fprintf(c->file, "%s\n", name_of(&names_conn, p->conn));
	return EX_DONE;
}

static int print_dstate(struct cmd *c, const struct target *t)
{
	const struct st_res *res = cmd_res(c, t->res);
	const struct st_peer *p;
	const struct st_pvol *pv;
	const struct st_vol *v;

	if (!res)
		return c->ctl || c->state ? EX_NO_OBJECT : EX_NO_MODULE;
	for (v = res->vols; v; v = v->next) {
		if (t->vol >= 0 && (uint32_t)t->vol != v->nr)
			continue;
		fprintf(c->file, "%s", name_of(&names_disk, v->state));
		for (p = res->peers; p; p = p->next) {
			pv = state_pvol(p, v->nr);
			fprintf(c->file, "/%s", name_of(&names_disk,
				pv ? pv->peer_disk : BLKREPL_DISK_UNKNOWN));
		}
		fprintf(c->file, "\n");
	}
	return EX_DONE;
}

static int query(struct cmd *c, unsigned int flags,
		 int (*fn)(struct cmd *c, const struct target *t))
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL | flags, &t))
		return EX_USAGE;
	return cmd_each_res(c, &t, fn);
}

int cmd_role(struct cmd *c)
{
	return query(c, 0, print_role);
}

int cmd_cstate(struct cmd *c)
{
	return query(c, TARGET_PEER, print_cstate);
}

int cmd_dstate(struct cmd *c)
{
	return query(c, TARGET_VOL, print_dstate);
}
