/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all verbs share: the verb table's entry, the parsed command line, and
 * the things that a verb may ask for (kernel, state, configuration).
 */
#ifndef BLKREPL_CMD_H
#define BLKREPL_CMD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "opt.h"
#include "uapi/blkrepl.h"
#include "util.h"

struct cmd;
struct conf;
struct ctl;
struct req;
struct st_res;
struct state;

/* Options of the tool; settings (struct opt_def) are options too. */
enum arg_id {
	/* allowed with every verb, and before it */
	ARG_HELP,
	ARG_NODE,
	ARG_CONFIG_DIR,
	ARG_DRY_RUN,
	/* allowed without a verb */
	ARG_VERSION,
	/* allowed where a verb lists them */
	ARG_FORCE,
	ARG_JSON,
	ARG_STATISTICS,
	ARG_WATCH,
	ARG_NOW,
	ARG_CHANGES_ONLY,
	ARG_TIMESTAMPS,
	ARG_WAIT,
	ARG_DISCARD_MY_DATA,
	ARG_META_DISK,
	ARG_MAX_PEERS,
	ARG_NAME,
	ARG_LOCAL_ADDR,
	ARG_PEER_ADDR,
	ARG_SECRET_FILE,
	ARG_AUTH_NONE,
	ARG_RESIZE,
	ARG_SECRETS,
	ARG_WITNESS,
	ARG_COUNT
};

#define ARG(id)		(1U << (id))
#define ARGS_GLOBAL	(ARG(ARG_HELP) | ARG(ARG_NODE) | ARG(ARG_CONFIG_DIR) | \
			 ARG(ARG_DRY_RUN))

/* Sets of settings that a verb takes as options, by enum opt_id. */
#define OPTS_RES	(1U << OPT_ACK_POLICY | 1U << OPT_QUORUM | \
			 1U << OPT_FENCING | 1U << OPT_ON_NO_DATA | \
			 1U << OPT_ON_BACKLOG | 1U << OPT_BACKLOG_MAX | \
			 1U << OPT_BACKLOG_TIME | 1U << OPT_MIN_IN_SYNC | \
			 1U << OPT_ON_NO_QUORUM | 1U << OPT_AUTO_PROMOTE | \
			 1U << OPT_AFTER_SPLIT_BRAIN)
#define OPTS_DISK	(1U << OPT_ON_IO_ERROR | 1U << OPT_AL_EXTENTS | \
			 1U << OPT_DISK_FLUSHES)
#define OPTS_PEER	(1U << OPT_TIMEOUT | 1U << OPT_PING_INT | \
			 1U << OPT_CONNECT_INT | 1U << OPT_DATA_CRC | \
			 1U << OPT_SNDBUF | 1U << OPT_RCVBUF | \
			 1U << OPT_MAX_BUFFERS | 1U << OPT_ASYNC | \
			 1U << OPT_RESYNC_RATE_MAX | 1U << OPT_RESYNC_RATE_MIN)

enum verb_group {
	VERBS_DAILY,		/* what an admin does */
	VERBS_LOOK,		/* what an admin looks at */
	VERBS_CONFIG,		/* what the configuration files are for */
	VERBS_LOW,		/* without a configuration file */
	VERBS_HIDDEN,		/* second names, and what is to come */
};

/**
 * struct verb - a word of the command line
 * @args: positional arguments, for help
 * @summary: one line, for help
 * @examples: lines for help
 * @min: least number of positional arguments
 * @max: greatest number
 * @options: ARG() bits, the global ones are understood
 * @settings: bits of enum opt_id
 */
struct verb {
	const char *name;
	enum verb_group group;
	const char *args;
	const char *summary;
	const char *examples;
	int min, max;
	uint32_t options;
	uint32_t settings;
	int (*run)(struct cmd *c);
};

struct cmd {
	const struct verb *verb;
	FILE *file;		/* where output goes */
	uint32_t given;		/* ARG() bits */
	const char *arg[ARG_COUNT];
	struct opt_set opts;
	int npos;
	const char *pos[8];
	/* opened when first asked for; tests put their own here */
	struct ctl *ctl;
	struct conf *conf;
	struct state *state;
};

static inline bool has(const struct cmd *c, enum arg_id id)
{
	return c->given & ARG(id);
}

/* An object as named on the command line: RES, RES/VOL, RES:PEER/VOL, all. */
struct target {
	bool all;
	char res[BLKREPL_NAME_MAX];
	char peer[BLKREPL_NAME_MAX];	/* empty: none */
	int vol;			/* -1: none */
};

enum {
	TARGET_ALL	= 1,	/* "all" is allowed */
	TARGET_VOL	= 2,	/* "/VOL" is allowed */
	TARGET_PEER	= 4,	/* ":PEER" is allowed */
	NEED_VOL	= 8,
	NEED_PEER	= 16,
};

/* ---- verbs.c ---- */

extern const struct verb verbs[];	/* ends with one without a name */

/* ---- args.c ---- */

int args_parse(struct cmd *c, int argc, char **argv);
int cmd_help(struct cmd *c);
void help_all(FILE *f);
void help_verb(FILE *f, const struct verb *v);
bool target_parse(const char *word, unsigned int flags, struct target *t);

/* ---- cmd.c ---- */

/* Carry out a command line.  Return: an exit code. */
int cmd_main(struct cmd *c, int argc, char **argv);

/* All of these print what is wrong, and return NULL or an exit code. */

struct ctl *cmd_ctl(struct cmd *c);
struct state *cmd_state(struct cmd *c);
struct conf *cmd_conf(struct cmd *c);
const char *cmd_node(const struct cmd *c);
void cmd_forget_state(struct cmd *c);
void cmd_cleanup(struct cmd *c);

/* Send a request, or print it if --dry-run.  Return: an exit code. */
int cmd_send(struct cmd *c, const struct req *r);

/* The resource in the kernel, or an error that tells what to do. */
struct st_res *cmd_res(struct cmd *c, const char *name);

/*
 * Call @fn for each resource that the target names; all are tried.
 * Return: the first exit code that is not 0.
 */
int cmd_each_res(struct cmd *c, const struct target *t,
		 int (*fn)(struct cmd *c, const struct target *t));
/* The same for each volume, peer, or pair of both of one resource. */
int cmd_each_vol(struct cmd *c, const struct target *t, struct req *r);
int cmd_each_peer(struct cmd *c, const struct target *t, struct req *r);
int cmd_each_pvol(struct cmd *c, const struct target *t, struct req *r);

/* Node id of the peer that the target names; -1 after an error message. */
int cmd_peer_id(struct cmd *c, const struct target *t);

static inline int first_error(int a, int b)
{
	return a ? a : b;
}

/* ---- verbs, one file per noun ---- */

int cmd_new_resource(struct cmd *c);
int cmd_del_resource(struct cmd *c);
int cmd_resource_options(struct cmd *c);
int cmd_primary(struct cmd *c);
int cmd_secondary(struct cmd *c);
int cmd_new_data_set(struct cmd *c);

int cmd_new_volume(struct cmd *c);
int cmd_del_volume(struct cmd *c);
int cmd_disk_options(struct cmd *c);
int cmd_attach(struct cmd *c);
int cmd_detach(struct cmd *c);
int cmd_resize(struct cmd *c);
int cmd_invalidate(struct cmd *c);
int cmd_invalidate_remote(struct cmd *c);

int cmd_new_peer(struct cmd *c);
int cmd_del_peer(struct cmd *c);
int cmd_net_options(struct cmd *c);
int cmd_connect(struct cmd *c);
int cmd_disconnect(struct cmd *c);
int cmd_fenced(struct cmd *c);
int cmd_pause_sync(struct cmd *c);
int cmd_resume_sync(struct cmd *c);
int cmd_verify(struct cmd *c);

int cmd_status(struct cmd *c);
int cmd_explain(struct cmd *c);
int cmd_role(struct cmd *c);
int cmd_cstate(struct cmd *c);
int cmd_dstate(struct cmd *c);
int cmd_events(struct cmd *c);
int cmd_wait_connect(struct cmd *c);
int cmd_wait_sync(struct cmd *c);

int cmd_up(struct cmd *c);
int cmd_down(struct cmd *c);
int cmd_adjust(struct cmd *c);
int cmd_dump(struct cmd *c);

int cmd_create_md(struct cmd *c);
int cmd_show_md(struct cmd *c);
int cmd_grow_md(struct cmd *c);

#endif
