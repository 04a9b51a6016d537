/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fencing, where primaries are not elected: see fence.c.  What the shells need comes
 * first; core.h includes this.
 */
#ifndef REPL_FENCE_H
#define REPL_FENCE_H

#include "platform.h"

struct repl_peer;
struct repl_res;

/**
 * struct repl_peer_fence - what is known of a peer for that
 * @member: it may take itself for a member, if we are Primary
 * @only: and, of some volume, for the only one
 * @named: the last set that it was told of is one that it is in
 * @named_only: and, of some volume, the only one
 * @wanted: something waits for it to be fenced, and NOTE_FENCE has said so
 * @done: it has been fenced since it was lost
 * @version: of the last set it was told of that it is in
 * @lost_ms: when the connection ended
 * @until_ms: as long is it wanted for a promotion that was refused
 */
struct repl_peer_fence {
	bool member;
	bool only;
	bool named;
	bool named_only;
	bool wanted;
	bool done;
	u64 version;
	u64 lost_ms;
	u64 until_ms;
};

/**
 * repl_fenced() - somebody knows that this peer has been off since it was lost
 * @peer: not connected
 * @why: in case of error, the reason
 *
 * It can't be Primary any more, and what it knows of being a member is gone.  Holds
 * until it is connected again.
 * Return: 0; -EISCONN; or -EBUSY if we are Primary and it goes by a set that it alone
 * is in, so that it would go on without asking anybody.
 */
int repl_fenced(struct repl_peer *peer, const char **why);

/* ---- for the other files of the core ---- */

/* The peer is told of a set with or without it, and confirms the last one. */
void fence_telling(struct repl_peer *p, bool named, u64 version);
void fence_confirmed(struct repl_peer *p);
/* Another Primary has told of a set of these. */
void fence_members(struct repl_res *res, u32 set);
void fence_connected(struct repl_peer *p);
void fence_lost(struct repl_peer *p);
/* Our reign begins. */
void fence_begin(struct repl_res *res);
/* May a lost peer take itself for a member?  Nothing is committed without it then. */
bool fence_holds(const struct repl_res *res);
/* Is it here, and does not know yet that it is none any more? */
bool fence_untold(const struct repl_peer *p);
/* A commit is due that is held, or is held no more. */
void fence_suspend(struct repl_res *res);
void fence_check(struct repl_res *res);
/*
 * What stands against a promotion, or NULL; @missing are those to be connected.  @from
 * steps down for us.
 */
const char *fence_against(const struct repl_res *res, const struct repl_peer *from,
			  u32 *missing);
/* The same; and if they may be fenced instead, that is wanted. */
const char *fence_refuses(struct repl_res *res, const struct repl_peer *from);
void fence_tick(struct repl_res *res);

#endif
