/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The list of nodes.  How a shell changes it is part of the contract in core.h; the
 * rest is for the core: who may change it when, and what counts meanwhile.
 */
#ifndef REPL_EDIT_H
#define REPL_EDIT_H

#include "platform.h"

struct repl_peer;
struct repl_res;

/**
 * struct repl_refusal - why the nodes of a resource can't be others just now
 * @why: the reason
 * @by: the peer that it is about, or NULL
 */
struct repl_refusal {
	const char *why;
	const struct repl_peer *by;
};

/**
 * repl_peer_add() - make a peer known
 * @peer: res, node, witness, conf set, the rest zero
 * @no: set with -EBUSY
 *
 * Return: 0, -EEXIST, -EINVAL (own node id or out of range), -ENOSPC, -ENOMEM, or
 * -EBUSY if others would not count by the same list (edit.c).
 */
int repl_peer_add(struct repl_peer *peer, struct repl_refusal *no);

/**
 * repl_peer_may_go() - could it be forgotten, once it is disconnected?
 * @peer: the peer, connected or not
 * @no: set with -EBUSY
 *
 * Return: 0 or -EBUSY.  What ends the connection may start a change that has to end
 * first.
 */
int repl_peer_may_go(const struct repl_peer *peer, struct repl_refusal *no);

/** repl_peer_del() - forget it: 0, or -EBUSY, also while it is connected */
int repl_peer_del(struct repl_peer *peer, struct repl_refusal *no);

u32 edit_list(const struct repl_res *res);
u32 edit_told(struct repl_res *res);
bool edit_alike(const struct repl_peer *p);
bool edit_counts(const struct repl_peer *p);
void edit_rx_list(struct repl_peer *p, u32 list);
int edit_allowed(const struct repl_res *res, u8 node, struct repl_refusal *no);
void edit_done(struct repl_res *res, u32 before);

/* How many it takes, by a list of nodes. */
typedef u32 (*edit_need)(const struct repl_res *res, u32 list, u32 set);
u32 edit_most(const struct repl_res *res, u32 nodes, edit_need need, u32 set);
u32 edit_lacking(const struct repl_res *res, u32 nodes);
u32 edit_least(const struct repl_res *res, u32 nodes, edit_need need, u32 set);

#endif
