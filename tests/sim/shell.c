// SPDX-License-Identifier: GPL-2.0
/*
 * The shell: the core's operations, each of which only checks the contract,
 * notes what was asked and queues it.
 */
#include "sim.h"

static struct node *node_of(struct repl_res *res)
{
	return container_of(res, struct node, res);
}

static struct vol_node *vn_of(struct repl_vol *vol)
{
	return container_of(vol, struct vol_node, vol);
}

struct sio *sio_new(struct node *n, u32 sectors)
{
	u32 cap = max(sectors, 1u);
	struct sio *s = mem_alloc(&n->mem, sizeof(*s) + cap * sizeof(u64));

	s->cap = cap;
	s->state = SIO_CORE;
	return s;
}

void sio_free(struct node *n, struct sio *s)
{
	s->state = SIO_FREE;
	mem_free(&n->mem, s);
}

static void expect_core(struct sio *s, const char *what)
{
	if (s->state != SIO_CORE)
		violation("contract", "%s: %s %s is not the core's (state %u)",
			  what, kind_name(s->io.kind), op_name(s->io.op),
			  s->state);
	if (W.cur && s->io.vol && vn_of(s->io.vol)->node != W.cur)
		violation("contract", "%s: I/O of another node", what);
}

static void to_disk(struct sio *s)
{
	struct repl_io *io = &s->io;

	s->state = SIO_DISK;
	T("n%u v%u  > disk %s %s s%llu+%u q%llu", W.cur->id, io->vol->nr,
	  kind_name(io->kind), op_name(io->op), (unsigned long long)io->sector,
	  io->size / SECTOR_BYTES, (unsigned long long)io->seq);
	disk_submit(vn_of(io->vol), s);
}

static void op_disk_io(struct repl_io *io)
{
	struct sio *s = to_sio(io);

	if (!io->vol)
		violation("contract", "disk_io without a volume");
	expect_core(s, "disk_io");
	if (io->kind == IO_PEER_WRITE)
		order_submitted(W.cur, io);
	to_disk(s);
}

bool shell_read_direct(struct sio *s)
{
	s->direct = repl_read_begin(&s->io);
	if (s->direct)
		to_disk(s);
	return s->direct;
}

void shell_disk_done(struct sio *s, int err)
{
	if (!s->direct) {
		repl_io_done(&s->io, err);
		return;
	}
	s->direct = false;
	if (!err && repl_read_end(&s->io)) {
		cov[C_DIRECT]++;
		app_complete(s, 0);
		sio_free(W.cur, s);
	} else {
		cov[C_DIRECT_LOST]++;
		repl_read_done(&s->io, err);
	}
}

static void op_meta_io(struct repl_vol *vol, struct repl_mio *mio)
{
	disk_meta_submit(vn_of(vol), mio);
}

static void op_complete(struct repl_io *io, int err)
{
	struct sio *s = to_sio(io);

	/* A majority may have it before our own disk; or it fails for want of one. */
	if (s->state != SIO_DISK || !sim_votes())
		expect_core(s, "complete");
	if (!s->app)
		violation("contract", "complete of %s", kind_name(io->kind));
	app_complete(s, err);
}

static void op_release(struct repl_io *io)
{
	struct sio *s = to_sio(io);

	expect_core(s, "release");
	if (s->app && !s->completed)
		violation("contract", "release of an application's I/O that has not completed");
	sio_free(W.cur, s);
}

static struct repl_io *op_io_alloc(struct repl_vol *vol,
				   struct repl_peer *peer, u32 size)
{
	struct sio *s;

	if (W.o.nomem && W.phase < PH_HEAL && !W.starting &&
	    !rng_below(R, W.o.nomem)) {
		cov[C_NOMEM]++;
		return NULL;
	}
	s = sio_new(W.cur, size / SECTOR_BYTES);
	s->io.vol = vol;
	s->io.peer = peer;
	s->io.size = size;
	return &s->io;
}

static void op_copy_data(struct repl_io *to, struct repl_io *from)
{
	struct sio *t = to_sio(to), *f = to_sio(from);
	u32 n = from->size / SECTOR_BYTES;

	if (to->size != from->size || t->cap < n || f->cap < n)
		violation("contract", "copy of %u bytes to %u", from->size,
			  to->size);
	memcpy(t->tags, f->tags, n * sizeof(u64));
}

/* What only a peer that breaks the protocol brings about. */
static bool breach(const char *why)
{
	return why && (strstr(why, "makes no sense") ||
		       strstr(why, "beyond the end") ||
		       strstr(why, "does not fit") ||
		       strstr(why, "did not begin") ||
		       strstr(why, "without having been asked") ||
		       strstr(why, "smaller than the volume"));
}

static void op_disconnect(struct repl_peer *peer, bool standalone,
			  const char *why)
{
	struct peer_node *p = container_of(peer, struct peer_node, peer);

	if (breach(why) && W.o.scenario != SCN_HOSTILE)
		violation("protocol", "node %u ends the connection to node %u: %s",
			  W.cur->id, peer->node, why);
	T("n%u  > disconnect n%u%s: %s", W.cur->id, peer->node,
	  standalone ? " standalone" : "", why ? why : "");
	net_shut(p->link, p->side, standalone);
}

static void op_disk_close(struct repl_vol *vol, bool failed)
{
	struct vol_node *v = vn_of(vol);

	T("n%u v%u  > disk_close%s", W.cur->id, vol->nr,
	  failed ? " failed" : "");
	if (!v->open && !v->attaching)
		violation("contract", "disk_close of a closed disk");
	if (v->closing)
		violation("contract", "disk_close twice");
	if (v->mio || !list_empty(&v->disk_ios))
		violation("contract", "node %u volume %u: disk_close with I/O under way",
			  W.cur->id, vol->nr);
	/* Let go of without a clean end, its cache is what a crash leaves. */
	if (failed || (disk_durable_flags(&W.disk[W.cur->id][vol->nr]) &
		       META_F_UNCLEAN))
		admin_disk_failed(W.cur, vol->nr);
	v->closing = true;
	v->open = false;
	v->attaching = false;
	ev_add(rng_below(R, 2000), EV_CLOSE, W.cur, vol->nr, NULL, failed);
}

static void op_resized(struct repl_vol *vol)
{
	T("n%u v%u  > resized to %llu", W.cur->id, vol->nr,
	  (unsigned long long)vol->sectors);
}

/* Programs there end with the first error, once all that they wait for has ended. */
static bool op_in_use(struct repl_vol *vol)
{
	return app_waits(vn_of(vol)->node);
}

static bool op_has_writers(struct repl_vol *vol)
{
	return app_has_open(vn_of(vol)->node);
}

static void op_vote_done(struct repl_res *res, int err, struct repl_peer *by,
			 const char *why)
{
	T("n%u  > vote done %d n%d %s", node_of(res)->id, err,
	  by ? by->node : -1, why ? why : "");
	admin_vote_done(node_of(res), err, why);
}

static void op_notify(struct repl_res *res, enum repl_note note,
		      struct repl_vol *vol, struct repl_peer *peer,
		      const char *text)
{
	struct node *n = node_of(res);

	switch (note) {
	case NOTE_RES:
		if (res->role == ROLE_PRIMARY) {
			n->moved = false;
			state_elected(n);
		}
		T("n%u note res role %u susp 0x%x term %llu %s", n->id,
		  res->role, res->susp, (unsigned long long)res->term,
		  text ? text : "");
		break;
	case NOTE_VOL:
		if (vol)
			order_disk_state(n, vol->nr);
		T("n%u v%u note disk %s %s", n->id, vol ? vol->nr : 99,
		  vol ? disk_name(vol->disk) : "?", text ? text : "");
		break;
	case NOTE_PVOL:
		if (trace_on && vol && peer) {
			struct repl_pv_info pi;

			repl_pv_info(vol, peer, &pi);
			T("n%u v%u note p%u %s peer %s oos %llu %s", n->id,
			  vol->nr, peer->node, rs_name(pi.state),
			  disk_name(pi.peer_disk),
			  (unsigned long long)pi.out_of_sync / BLOCK_BYTES,
			  text ? text : "");
		}
		break;
	case NOTE_DIVERGED:
		if (text && strstr(text, "gives up") && strstr(text, " here"))
			script_victim(n, peer);
		T("n%u v%d note DIVERGED from n%d %s", n->id,
		  vol ? vol->nr : -1, peer ? peer->node : -1,
		  text ? text : "");
		cov[C_DIVERGED]++;
		W.seen_diverged++;
		if (W.o.scenario == SCN_REBORN && W.script >= 100 &&
		    W.phase == PH_FAULTS)
			violation("divergence",
				  "node %u: a branch that was given up is not seen as past",
				  n->id);
		if (vol && peer && !W.diverged_ok &&
		    !W.o.elections && !W.o.fencing &&
		    !order_branches(vol->nr, n, &W.node[peer->node]))
			W.diverged_ok = true;
		if (!W.diverged_ok && W.o.scenario != SCN_HOSTILE)
			violation("one writer",
				  "node %u found divergence from node %d that nobody caused",
				  n->id, peer ? peer->node : -1);
		break;
	case NOTE_PEER:
	case NOTE_FENCE:
	case NOTE_IO_ERROR:
	case NOTE_MESSAGE:
		if (note == NOTE_MESSAGE && peer && !vol &&
		    res->move.to == peer->node && res->role == ROLE_SECONDARY)
			admin_moved(n);
		T("n%u note %u p%d %s", n->id, note,
		  peer ? peer->node : -1, text ? text : "");
		break;
	}
}

static void *op_alloc(struct repl_res *res, size_t size)
{
	if (W.o.nomem && W.phase < PH_HEAL && !W.starting &&
	    !rng_below(R, W.o.nomem)) {
		cov[C_NOMEM]++;
		return NULL;
	}
	return mem_alloc(&node_of(res)->mem, size);
}

static void op_free(struct repl_res *res, void *p, size_t size)
{
	(void)size;
	mem_free(&node_of(res)->mem, p);
}

static u64 op_random(void)
{
	return rng_next(R);
}

static u64 op_now(void)
{
	return clock_ms(W.cur);
}

const struct repl_ops sim_ops = {
	.disk_io = op_disk_io,
	.meta_io = op_meta_io,
	.send = net_send,
	.complete = op_complete,
	.release = op_release,
	.io_alloc = op_io_alloc,
	.copy_data = op_copy_data,
	.disconnect = op_disconnect,
	.disk_close = op_disk_close,
	.resized = op_resized,
	.in_use = op_in_use,
	.has_writers = op_has_writers,
	.vote_done = op_vote_done,
	.notify = op_notify,
	.alloc = op_alloc,
	.free = op_free,
	.random = op_random,
	.now = op_now,
};

/* The core's repl_zalloc() and repl_free(), see the Makefile. */
void *sim_core_calloc(size_t n, size_t size)
{
	if (!W.cur)
		violation("contract", "repl_zalloc() outside of a node");
	return mem_alloc(&W.cur->mem, n * size);
}

void sim_core_free(void *p)
{
	if (!W.cur)
		violation("contract", "repl_free() outside of a node");
	mem_free(&W.cur->mem, p);
}
