/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel's state, built from the messages that the kernel would send, so
 * that tests exercise the decoder too.
 */
#ifndef BLKREPL_FAKE_H
#define BLKREPL_FAKE_H

#include <stdbool.h>
#include <stdint.h>

struct nl_msg;
struct out;
struct state;

/* Attributes of a message are given as pairs; FAKE_END ends them. */
struct fake_attr {
	int attr;
	int bits;		/* 32, 64, or 0 for a string */
	uint64_t num;
	const char *str;
};

#define U32(a, v)	{ a, 32, v, NULL }
#define U64(a, v)	{ a, 64, v, NULL }
#define STR(a, v)	{ a, 0, 0, v }
#define FAKE_END	{ 0, 0, 0, NULL }

/**
 * fake_msg - apply a message to a state, as a dump or an event would
 * @st: the state
 * @o: print the event there; NULL: none
 * @event: enum blkrepl_event, 0: a reply
 * @res: resource
 * @vol: volume, or -1
 * @peer: peer, or -1
 * @nest: attribute of the nest, 0: none
 * @attrs: what is in the nest
 */
void fake_msg(struct state *st, struct out *o, int event, const char *res,
	      int vol, int peer, int nest, const struct fake_attr *attrs);

#define FAKE(st, res, vol, peer, nest, ...) \
	fake_msg(st, NULL, 0, res, vol, peer, nest, \
		 (const struct fake_attr[]){ __VA_ARGS__, FAKE_END })

/* Addresses of a peer, in a nest of their own. */
void fake_addr(struct state *st, const char *res, int peer, const char *local,
	       const char *addr);

/* Resource r0 on node alice (0): Primary, two volumes, peers bob and carol. */
struct state *fake_r0(void);

/* What status prints, to be freed. */
char *fake_print(const struct state *st, bool json, bool statistics);

#endif
