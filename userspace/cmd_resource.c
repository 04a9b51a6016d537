// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verbs on resources.
 */
#include "cmd.h"
#include "req.h"

static bool number_arg(const char *word, const char *what, unsigned int max, int *val)
{
	uint64_t v;

	if (!parse_u64(word, &v) || v > max) {
		err("\"%s\" is no %s, expected a number from 0 to %u", word, what, max);
		return false;
	}
	*val = v;
	return true;
}

int cmd_new_resource(struct cmd *c)
{
	struct target t;
	struct req r;

	if (!target_parse(c->pos[0], 0, &t))
		return EX_USAGE;
	req_init(&r, BLKREPL_CMD_RES_NEW, t.res);
	if (!number_arg(c->pos[1], "node id", BLKREPL_MAX_NODES - 1, &r.node_id))
		return EX_USAGE;
	r.witness = has(c, ARG_WITNESS);
	if (has(c, ARG_NAME))
		str_copy(r.node_name, c->arg[ARG_NAME], sizeof(r.node_name));
	r.opts = c->opts;
	return cmd_send(c, &r);
}

int cmd_del_resource(struct cmd *c)
{
	struct target t;
	struct req r;

	if (!target_parse(c->pos[0], 0, &t))
		return EX_USAGE;
	req_init(&r, BLKREPL_CMD_RES_DEL, t.res);
	return cmd_send(c, &r);
}

static int set_options(struct cmd *c, const struct target *t)
{
	struct req r;

	req_init(&r, BLKREPL_CMD_RES_SET, t->res);
	r.opts = c->opts;
	return cmd_send(c, &r);
}

int cmd_resource_options(struct cmd *c)
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	if (!c->opts.set) {
		err("which setting? see: blkrepl resource-options --help");
		return EX_USAGE;
	}
	return cmd_each_res(c, &t, set_options);
}

static int set_primary(struct cmd *c, const struct target *t)
{
	struct req r;

	req_init(&r, BLKREPL_CMD_ROLE_SET, t->res);
	r.role = BLKREPL_ROLE_PRIMARY;
	r.force = has(c, ARG_FORCE);
	return cmd_send(c, &r);
}

int cmd_primary(struct cmd *c)
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	return cmd_each_res(c, &t, set_primary);
}

static int set_secondary(struct cmd *c, const struct target *t)
{
	struct req r;

	req_init(&r, BLKREPL_CMD_ROLE_SET, t->res);
	r.role = BLKREPL_ROLE_SECONDARY;
	r.force = has(c, ARG_FORCE);
	return cmd_send(c, &r);
}

int cmd_secondary(struct cmd *c)
{
	struct target t;

	if (!target_parse(c->pos[0], TARGET_ALL, &t))
		return EX_USAGE;
	return cmd_each_res(c, &t, set_secondary);
}

int cmd_new_data_set(struct cmd *c)
{
	struct target t;
	struct req r;

	if (!target_parse(c->pos[0], 0, &t))
		return EX_USAGE;
	req_init(&r, BLKREPL_CMD_NEW_DATASET, t.res);
	return cmd_send(c, &r);
}
