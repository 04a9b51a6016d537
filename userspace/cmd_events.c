// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs that follow changes: events, wait-connect, wait-sync.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "nl.h"
#include "out.h"
#include "state.h"
#include "status.h"

struct stream {
	struct cmd *c;
	struct out *o;
	const char *res;	/* NULL: all */
};

static const char *now_text(const struct cmd *c, char *buf, size_t size)
{
	struct timespec ts;
	char zone[8], date[32];
	struct tm tm;

	if (!has(c, ARG_TIMESTAMPS))
		return NULL;
	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(buf, size, "%s.%06ld%s", date, ts.tv_nsec / 1000, zone);
	return buf;
}

static void print_change(struct stream *s, const struct st_change *ch)
{
	char when[64];

	if (s->res && strcmp(s->res, ch->res))
		return;
	status_event(s->o, s->c->state, ch, now_text(s->c, when, sizeof(when)));
}

/* "exists" for one object. */
static void print_exists(struct stream *s, const struct st_res *res,
			 const struct st_peer *p, int vol)
{
	struct st_change ch = { .peer = p ? (int)p->id : -1, .vol = vol };

	str_copy(ch.res, res->name, sizeof(ch.res));
	if (p)
		str_copy(ch.peer_name, p->name, sizeof(ch.peer_name));
	print_change(s, &ch);
}

static void print_present(struct stream *s)
{
	const struct st_res *res;
	const struct st_peer *p;
	const struct st_pvol *pv;
	const struct st_vol *v;

	for (res = s->c->state->resources; res; res = res->next) {
		print_exists(s, res, NULL, -1);
		for (v = res->vols; v; v = v->next)
			print_exists(s, res, NULL, v->nr);
		for (p = res->peers; p; p = p->next) {
			print_exists(s, res, p, -1);
			for (pv = p->pvols; pv; pv = pv->next)
				print_exists(s, res, p, pv->vol);
		}
	}
}

static void on_event(const struct nlmsghdr *nlh, void *arg)
{
	struct stream *s = arg;
	struct st_change ch;

	if (state_apply(s->c->state, nlh, &ch))
		print_change(s, &ch);
}

/* Events came faster than we read: begin again with the present state. */
static int resync_stream(struct stream *s)
{
	warn("changes were lost, beginning again with the present state");
	cmd_forget_state(s->c);
	if (!cmd_state(s->c))
		return EX_SYSTEM;
	print_present(s);
	return 0;
}

static int follow(struct stream *s, struct ctl *events)
{
	struct pollfd pfd = { .fd = ctl_fd(events), .events = POLLIN };
	struct ctl_error e;
	int ret = 0;

	while (!ret) {
		if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
			return EX_SYSTEM;
		if (!ctl_events(events, on_event, s, &e))
			continue;
		if (e.errnum != ENOBUFS) {
			err("%s", e.text);
			return EX_SYSTEM;
		}
		ret = resync_stream(s);
	}
	return ret;
}

/* A connection of its own for events: replies must not mix with them. */
static struct ctl *subscribe(void)
{
	struct ctl_error e;
	struct ctl *ctl = ctl_open(&e);

	if (ctl && !ctl_subscribe(ctl, &e))
		return ctl;
	err("%s", e.text);
	ctl_close(ctl);
	return NULL;
}

int cmd_events(struct cmd *c)
{
	struct target t = { .all = true };
	struct stream s = { .c = c };
	struct ctl *events = NULL;
	int ret = 0;

	if (c->npos && !target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	if (has(c, ARG_NOW) && has(c, ARG_CHANGES_ONLY)) {
		err("either --now or --changes-only");
		return EX_USAGE;
	}
	/* subscribe first: what changes meanwhile is told twice, not lost */
	if (!has(c, ARG_NOW)) {
		events = subscribe();
		if (!events)
			return EX_NO_MODULE;
	}
	if (!cmd_state(c)) {
		ctl_close(events);
		return c->ctl ? EX_SYSTEM : EX_NO_MODULE;
	}
	s.res = t.all ? NULL : t.res;
	s.o = out_new(c->file, has(c, ARG_JSON), false);
	if (!has(c, ARG_CHANGES_ONLY))
		print_present(&s);
	if (events)
		ret = follow(&s, events);
	ctl_close(events);
	out_free(s.o);
	return ret;
}

/* ---- waiting ---- */

static bool is_connected(const struct st_res *res)
{
	const struct st_peer *p;

	for (p = res->peers; p; p = p->next)
		if (p->conn != BLKREPL_CONN_CONNECTED)
			return false;
	return true;
}

/* All disks that can be seen are UpToDate; peers that are away do not count. */
static bool is_synced(const struct st_res *res)
{
	const struct st_peer *p;
	const struct st_pvol *pv;
	const struct st_vol *v;
	bool any = !res->peers;

	for (v = res->vols; v; v = v->next)
		if (v->state != BLKREPL_DISK_UPTODATE &&
		    v->state != BLKREPL_DISK_DISKLESS && !res->witness)
			return false;
	for (p = res->peers; p; p = p->next) {
		if (p->conn != BLKREPL_CONN_CONNECTED)
			continue;
		any = true;
		for (pv = p->pvols; pv; pv = pv->next)
			if (pvol_is_syncing(pv) || pv->repl == BLKREPL_REPL_BEHIND ||
			    (pv->peer_disk != BLKREPL_DISK_UPTODATE &&
			     pv->peer_disk != BLKREPL_DISK_WITNESS &&
			     pv->peer_disk != BLKREPL_DISK_DISKLESS))
				return false;
	}
	return any;
}

struct waiting {
	bool (*reached)(const struct st_res *res);
	const char *res;	/* NULL: all */
	double until;		/* of the monotonic clock; 0: for ever */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool all_reached(const struct cmd *c, const struct waiting *w)
{
	const struct st_res *res;

	for (res = c->state->resources; res; res = res->next)
		if ((!w->res || !strcmp(w->res, res->name)) && !w->reached(res))
			return false;
	return true;
}

static void ignore_event(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	(void)arg;
}

/* Sleep until something changes, at most a second. */
static void sleep_until_change(struct ctl *events, const struct waiting *w)
{
	struct pollfd pfd = { .fd = ctl_fd(events), .events = POLLIN };
	double ms = w->until ? (w->until - now()) * 1000 : 1000;
	struct ctl_error e;

	if (ms > 1000)
		ms = 1000;
	poll(&pfd, 1, ms < 0 ? 0 : (int)ms + 1);
	/* what changed does not matter, nor what was lost: all is read anew */
	ctl_events(events, ignore_event, NULL, &e);
}

static int wait_loop(struct cmd *c, const struct waiting *w, struct ctl *events)
{
	for (;;) {
		cmd_forget_state(c);
		if (!cmd_state(c))
			return c->ctl ? EX_SYSTEM : EX_NO_MODULE;
		if (w->res && !cmd_res(c, w->res))
			return EX_NO_OBJECT;
		if (all_reached(c, w))
			return EX_DONE;
		if (w->until && now() >= w->until) {
			err("%s%s: not reached in time; see: blkrepl status",
			    w->res ? "resource " : "all resources",
			    w->res ? w->res : "");
			return EX_TIMED_OUT;
		}
		sleep_until_change(events, w);
	}
}

static int wait_for(struct cmd *c, bool (*reached)(const struct st_res *res))
{
	struct target t = { .all = true };
	struct waiting w = { .reached = reached };
	struct ctl *events;
	char *end;
	int ret;

	if (!target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	w.res = t.all ? NULL : t.res;
	if (has(c, ARG_WAIT)) {
		double s = strtod(c->arg[ARG_WAIT], &end);

		if (end == c->arg[ARG_WAIT] || (*end && strcmp(end, "s")) ||
		    !(s >= 0 && s < 1e9)) {
			err("--timeout %s: expected seconds", c->arg[ARG_WAIT]);
			return EX_USAGE;
		}
		w.until = now() + s;
	}
	events = subscribe();
	if (!events)
		return EX_NO_MODULE;
	ret = wait_loop(c, &w, events);
	ctl_close(events);
	return ret;
}

int cmd_wait_connect(struct cmd *c)
{
	return wait_for(c, is_connected);
}

int cmd_wait_sync(struct cmd *c)
{
	return wait_for(c, is_synced);
}
