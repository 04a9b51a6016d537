// SPDX-License-Identifier: GPL-2.0
/*
 * Distant sites (scenario far): nodes that others are told not to wait for.
 *
 * Whether a peer is async is a setting of the node that writes, and each may have
 * another one.  So a node that is far is so for all others; or both ends of its
 * connections are, as where a file says it of a connection; or one node only has it, by
 * mistake.  An administrator changes it in use, on one node at a time.
 */
#include "sim.h"

/* Whom this node does not wait for, by what its file says at first. */
static u32 configured(u32 node)
{
	const struct sim_opts *o = &W.o;
	u32 others = ((1U << o->nodes) - 1) & ~BIT(node);

	switch (o->far_how) {
	case FAR_CONNECTION:
		return others & (o->far & BIT(node) ? ~o->far : o->far);
	case FAR_MISTAKE:
		return node == o->far_by ? others & o->far : 0;
	default:
		return others & o->far;
	}
}

void far_init(struct node *n)
{
	n->async = W.o.far ? configured(n->id) : W.o.async_mask & ~BIT(n->id);
}

static void set_async(struct node *n, u32 async)
{
	if (n->async == async)
		return;
	n->async = async;
	cov[C_ASYNC_CHANGED]++;
	T("admin: n%u async 0x%x", n->id, async);
	if (!n->up)
		return;
	W.cur = n;
	for (u32 i = 0; i < W.o.nodes; i++)
		if (n->peers[i].peer.res)
			n->peers[i].peer.conf.async = async & BIT(i);
	repl_conf_changed(&n->res);
	W.cur = NULL;
}

/* Of those that are far, mostly. */
void far_switch(void)
{
	struct node *n = &W.node[rng_below(R, W.o.nodes)];
	u32 peer = rng_below(R, W.o.nodes);

	if (rng_pct(R, 70))
		peer = (u32)__builtin_ctz(W.o.far);
	if (peer != n->id && n->paused_until <= W.now)
		set_async(n, n->async ^ BIT(peer));
}

/* Would too few be left to acknowledge anything, were it Primary? */
static bool waits_for_too_few(const struct node *n, u32 async)
{
	u32 members = ((1U << sim_replicas()) - 1) & ~async;
	u32 most = W.o.ack_policy == ACK_QUORUM ? sim_replicas() / 2 + 1 : 1;

	return hweight32(members) < max(most, (u32)n->min_in_sync);
}

/*
 * All are as they were configured.  But an administrator sees that the I/O of a Primary
 * which waits for too few by that is suspended, or in the end that such a node, which
 * may be the one that has all, can't be made Primary: it is to wait for all.
 */
void far_settle(void)
{
	for (u32 i = 0; i < W.o.nodes; i++) {
		struct node *n = &W.node[i];
		u32 async = configured(i);

		if (n->paused_until > W.now)
			continue;
		if ((n->res.role == ROLE_PRIMARY || W.phase == PH_HEAL) &&
		    waits_for_too_few(n, async))
			async = 0;
		set_async(n, async);
	}
}
