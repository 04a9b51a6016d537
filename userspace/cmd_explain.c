// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verb explain: what is the matter, and what to do.
 */
#include <unistd.h>

#include "cmd.h"
#include "explain.h"
#include "out.h"
#include "state.h"

static enum severity explain_one(struct out *o, const struct st_res *res)
{
	struct findings *f = explain(res);
	enum severity worst = findings_worst(f);

	findings_print(o, f);
	findings_free(f);
	return worst;
}

int cmd_explain(struct cmd *c)
{
	struct target t = { .all = true };
	enum severity worst = FINE, one;
	const struct st_res *res;
	struct out *o;

	if (c->npos && !target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	if (!cmd_state(c) || (!t.all && !cmd_res(c, t.res)))
		return c->state ? EX_NO_OBJECT : c->ctl ? EX_SYSTEM : EX_NO_MODULE;
	o = out_new(c->file, has(c, ARG_JSON), out_want_color(c->file));
	out_array(o, NULL);
	for (res = c->state->resources; res; res = res->next) {
		if (!t.all && strcmp(res->name, t.res))
			continue;
		one = explain_one(o, res);
		if (one > worst)
			worst = one;
	}
	out_end(o);
	if (!c->state->resources)
		out_text(o, "# no resource is up; start those of the configuration with: blkrepl up all\n");
	out_free(o);
	return worst > INFO ? EX_TROUBLE : EX_DONE;
}
