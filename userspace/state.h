/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's state, as read from replies and kept up to date by events.
 */
#ifndef BLKREPL_STATE_H
#define BLKREPL_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "opt.h"
#include "uapi/blkrepl.h"

struct ctl;
struct ctl_error;
struct nlmsghdr;

/* One volume together with one peer. */
struct st_pvol {
	struct st_pvol *next;
	uint32_t vol;
	uint32_t repl;			/* enum blkrepl_repl_state */
	uint32_t peer_disk;		/* enum blkrepl_disk_state */
	uint64_t out_of_sync, total, left, sent, equal, ms, rate;
	uint32_t paused;
};

struct st_bucket {
	uint64_t from, below;		/* ns; below 0: no limit */
	uint64_t count;
};

/* How long one stage of I/Os took. */
struct st_latency {
	struct st_latency *next;
	uint32_t stage;			/* enum blkrepl_stage */
	uint64_t count, sum, max;	/* sum, max: ns */
	unsigned int buckets;
	struct st_bucket *bucket;	/* in order */
};

struct st_peer {
	struct st_peer *next;
	uint32_t id;
	bool witness;
	char name[BLKREPL_NAME_MAX];
	struct sockaddr_storage local, addr;
	bool auth;
	struct opt_set opts;
	uint32_t conn;			/* enum blkrepl_conn_state */
	uint32_t role;
	uint32_t features;
	uint64_t sent, received;
	uint32_t unacked;
	uint64_t lag_bytes;
	uint32_t lag_ms;
	char last_error[256];
	int sees_primary;		/* node id, -1: none */
	uint32_t fence;			/* enum blkrepl_fence_state */
	uint32_t held_back;		/* writes wait, as it may lack no more */
	struct st_latency *latency;	/* like those of a volume */
	struct st_pvol *pvols;
};

struct st_vol {
	struct st_vol *next;
	uint32_t nr;
	uint32_t minor;
	char disk[BLKREPL_PATH_MAX];
	char meta_disk[BLKREPL_PATH_MAX];	/* empty: internal */
	struct opt_set opts;
	uint32_t state;			/* enum blkrepl_disk_state */
	uint64_t capacity;
	uint64_t reads, read_bytes, writes, write_bytes, flushes;
	uint64_t al_writes, map_writes;
	uint32_t in_flight, openers;
	uint64_t dataset;
	uint32_t lineage[BLKREPL_MAX_NODES];
	uint64_t dirty_mem;
	struct st_latency *latency;	/* if it was asked for */
};

struct st_res {
	struct st_res *next;
	char name[BLKREPL_NAME_MAX];
	uint32_t node_id;
	bool witness;
	char node_name[BLKREPL_NAME_MAX];
	struct opt_set opts;
	uint32_t role;
	uint32_t suspended;		/* BLKREPL_SUSP_* */
	uint64_t term, seq;
	uint32_t in_sync;
	uint64_t in_sync_version;
	uint32_t openers;
	uint64_t suspended_ms;
	uint32_t in_step, in_step_needed;	/* needed 0: not told */
	char promotion_refused[256];		/* empty: it would not be */
	uint32_t promotion_missing;		/* bit n: node id n */
	uint32_t votes, votes_needed;		/* needed 0: no majority decides */
	struct st_vol *vols;
	struct st_peer *peers;
};

struct state {
	struct st_res *resources;	/* sorted by name, numbers inside */
};

/* What one message told. */
struct st_change {
	uint32_t event;			/* enum blkrepl_event, 0 in a reply */
	bool is_new;			/* the object was not known before */
	char res[BLKREPL_NAME_MAX];
	int vol, peer;			/* -1: the message names none */
	char peer_name[BLKREPL_NAME_MAX];	/* empty: not known */
	char text[512];
};

struct state *state_new(void);
void state_free(struct state *st);

/**
 * state_apply - bring the state up to date with one message
 * @st: the state
 * @nlh: a reply or an event
 * @c: what it was about; may be NULL
 *
 * The objects that are gone are removed by it, others made or changed.
 *
 * Return: false if the message is malformed.
 */
bool state_apply(struct state *st, const struct nlmsghdr *nlh, struct st_change *c);

/**
 * state_load - read the state of everything in this network namespace
 * @ctl: connection to the module
 * @err: filled in on failure
 */
struct state *state_load(struct ctl *ctl, struct ctl_error *err);

/**
 * state_load_latency - add what is known of latencies
 * @ctl: connection to the module; an older one keeps none, which is no failure
 * @st: from state_load()
 * @err: filled in on failure
 *
 * Return: 0, or -1.
 */
int state_load_latency(struct ctl *ctl, struct state *st, struct ctl_error *err);

struct st_res *state_res(const struct state *st, const char *name);
struct st_vol *state_vol(const struct st_res *res, uint32_t nr);
struct st_peer *state_peer(const struct st_res *res, uint32_t id);
struct st_peer *state_peer_by_name(const struct st_res *res, const char *name);
struct st_pvol *state_pvol(const struct st_peer *peer, uint32_t vol);

#endif
