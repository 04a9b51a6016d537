// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line for each change: "change volume r0/0 disk:UpToDate ...", or a JSON
 * object.  The values are those of status.
 */
#include <inttypes.h>

#include "names.h"
#include "out.h"
#include "state.h"
#include "status.h"
#include "uapi/blkrepl.h"

static const char *verb_of(const struct st_change *c)
{
	switch (c->event) {
	case BLKREPL_EV_UNSPEC:
		return "exists";
	case BLKREPL_EV_RES_GONE:
	case BLKREPL_EV_VOL_GONE:
	case BLKREPL_EV_PEER_GONE:
		return "destroy";
	case BLKREPL_EV_DIVERGED:
	case BLKREPL_EV_IO_ERROR:
	case BLKREPL_EV_MESSAGE:
	case BLKREPL_EV_FENCE:
		return "report";
	default:
		return c->is_new ? "create" : "change";
	}
}

static const char *object_of(const struct st_change *c)
{
	switch (c->event) {
	case BLKREPL_EV_DIVERGED:
		return "diverged";
	case BLKREPL_EV_IO_ERROR:
		return "io-error";
	case BLKREPL_EV_MESSAGE:
		return "message";
	case BLKREPL_EV_FENCE:
		return "fence";
	default:
		break;
	}
	if (c->peer >= 0 && c->vol >= 0)
		return "peer-device";
	return c->peer >= 0 ? "connection" : c->vol >= 0 ? "device" : "resource";
}

/* "r0", "r0/0", "r0:bob", "r0:bob/0": the names that verbs take. */
static void print_name(struct out *o, const struct st_change *c)
{
	out_str(o, "resource", " ", c->res);
	if (c->peer_name[0]) {
		out_str(o, "peer-name", ":", c->peer_name);
		out_num(o, "peer-node-id", NULL, c->peer);
	} else if (c->peer >= 0) {
		out_num(o, "peer-node-id", ":", c->peer);
	}
	if (c->vol >= 0)
		out_num(o, "volume", "/", c->vol);
}

static void print_last_error(struct out *o, const struct st_peer *p)
{
	bool show = p->conn != BLKREPL_CONN_CONNECTED && p->last_error[0];

	out_str(o, "last-error", show ? "  last error: " : NULL, p->last_error);
}

static void print_values(struct out *o, const struct st_change *c,
			 const struct st_res *res, const struct st_peer *p)
{
	const struct st_pvol *pv;
	const struct st_vol *v;

	if (c->peer < 0 && c->vol < 0) {
		status_res_values(o, res, false);
		status_suspended(o, res, "");
	} else if (c->peer < 0) {
		v = state_vol(res, c->vol);
		if (v)
			status_vol_values(o, v, false);
	} else if (p && c->vol < 0) {
		status_peer_values(o, p, false);
		print_last_error(o, p);
	} else if (p) {
		pv = state_pvol(p, c->vol);
		if (pv)
			status_pvol_values(o, pv, false);
	}
}

void status_event(struct out *o, const struct state *st,
		  const struct st_change *c, const char *when)
{
	const struct st_res *res = state_res(st, c->res);
	const struct st_peer *p = res && c->peer >= 0 ? state_peer(res, c->peer) : NULL;

	out_object(o, NULL);
	if (when) {
		out_str(o, "time", "", when);
		out_text(o, " ");
	}
	out_str(o, "event", "", verb_of(c));
	out_str(o, "object", " ", object_of(c));
	print_name(o, c);
	if (c->event <= BLKREPL_EV_PVOL && res)
		print_values(o, c, res, p);
	if (c->text[0])
		out_str(o, "text", "  ", c->text);
	out_text(o, "\n");
	out_end(o);
	out_record(o);
}
