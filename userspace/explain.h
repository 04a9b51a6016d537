/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is the matter with a resource, in plain words: why, and what to do.
 *
 * Everything follows from what the kernel reports; nothing is guessed.  A
 * finding is about one thing: the resource, a volume, a peer, or whether this
 * node could become Primary.
 */
#ifndef BLKREPL_EXPLAIN_H
#define BLKREPL_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util.h"

struct out;
struct st_peer;
struct st_res;
struct st_vol;

enum severity {
	FINE,
	INFO,
	WARNING,	/* not as it should be, but it mends itself or was meant */
	PROBLEM,	/* it stays so until somebody does something */
};

struct finding {
	struct finding *next;
	enum severity severity;
	char about[80];
	char what[1024];
	char todo[1024];	/* empty: nothing is to be done */
};

struct findings {
	const struct st_res *res;
	struct finding *first;
};

/* Everything there is to say, the worst first. */
struct findings *explain(const struct st_res *res);
void findings_free(struct findings *f);
void findings_print(struct out *o, const struct findings *f);
enum severity findings_worst(const struct findings *f);

/* ---- for the files that find things ---- */

struct finding *found(struct findings *f, enum severity severity,
		      const char *about, ...) __printf(3, 4);
/* Both add to what has been said already. */
void say(struct finding *x, const char *fmt, ...) __printf(2, 3);
void advise(struct finding *x, const char *fmt, ...) __printf(2, 3);

/* Names of nodes: "bob, carol and dave", with "and" as the joint; NULL: commas. */
struct nodes {
	char text[512];
};

struct nodes node_names(const struct st_res *res, uint32_t set, const char *joint);
struct nodes peer_named(const struct st_peer *p);
struct nodes this_node(const struct st_res *res);

/* "has" of one node, "have" of several. */
static inline const char *of_set(uint32_t set, const char *one, const char *many)
{
	return set & (set - 1) ? many : one;
}

/* Sets of nodes. */
uint32_t peers_away(const struct st_res *res);
/* Those whose fencing something waits for. */
uint32_t peers_wanted(const struct st_res *res);
/* Bring them back, or power them off and say "blkrepl fenced r0:bob" for each. */
void advise_fenced(struct finding *x, const struct st_res *res, uint32_t set);
/* Those that a promotion misses and that are not connected. */
uint32_t missing_away(const struct st_res *res);
uint32_t peers_good(const struct st_res *res, const struct st_vol *v);
uint32_t primaries(const struct st_res *res);
static inline uint32_t node_bit(uint32_t id)
{
	return id < 32 ? 1U << id : 0;
}

bool is_connected(const struct st_peer *p);
bool is_async(const struct st_res *res, const struct st_peer *p);
bool elects_primaries(const struct st_res *res);
/* How many the resource has, this one too. */
unsigned int nodes_of(const struct st_res *res);
/* Those of them with data. */
unsigned int replicas_of(const struct st_res *res);
/* Bytes that are noted here as different, for all volumes. */
uint64_t noted_bytes(const struct st_peer *p);

void explain_io(struct findings *f);		/* explain_io.c */
void explain_disks(struct findings *f);		/* explain_disk.c */
void explain_peers(struct findings *f);		/* explain_peer.c */
void explain_promotion(struct findings *f);	/* explain_role.c */

#endif
