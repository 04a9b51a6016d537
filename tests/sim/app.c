// SPDX-License-Identifier: GPL-2.0
/*
 * The application: up to MAX_SLOTS requests at a time on the primary, most of
 * them in a few hot blocks so that they overlap, some far away so that the
 * activity log has to turn over.  It rests now and then, so that there are
 * quiet points at which replicas must be equal.
 */
#include "sim.h"

struct slot {
	bool busy;
	bool armed;
	u32 inc;
	u64 since;	/* when it was given to the core, us */
};

static struct slot slots[MAX_NODES][MAX_SLOTS];
static bool quiesced[MAX_NODES];
static u64 rest_until;
static u64 hot[MAX_VOLS][16];
static u32 heal_left;

void app_init(void)
{
	memset(slots, 0, sizeof(slots));
	memset(quiesced, 0, sizeof(quiesced));
	rest_until = 0;
	heal_left = 60;
	for (u32 v = 0; v < W.o.vols; v++) {
		u64 blocks = (u64)W.o.vol_extents[v] * EXTENT_BLOCKS;
		u64 base = rng_below(R, (u32)blocks - 64);

		for (u32 i = 0; i < 16; i++) {
			if (rng_pct(R, 30))
				base = rng_below(R, (u32)blocks - 64);
			hot[v][i] = base + rng_below(R, 4);
		}
	}
}

static bool running(struct node *n)
{
	if (!n->up || quiesced[n->id] || n->down_wanted)
		return false;
	/* A program that has the device open knows nothing of roles. */
	if (n->res.role != ROLE_PRIMARY && !n->moved)
		return false;
	if (W.phase == PH_SETUP || W.phase >= PH_DRAIN)
		return false;
	return W.phase == PH_FAULTS || heal_left;
}

static void arm(struct node *n, u32 i, u64 delay)
{
	struct slot *s = &slots[n->id][i];

	if (s->busy || (s->armed && s->inc == n->inc))
		return;
	s->armed = true;
	s->inc = n->inc;
	ev_add(delay, EV_APP, n, (u16)i, NULL, 0);
}

void app_kick(struct node *n)
{
	if (!running(n))
		return;
	for (u32 i = 0; i < W.o.depth; i++)
		arm(n, i, rng_below(R, 2 * W.o.think_us + 1));
}

void app_quiesce(struct node *n, bool on)
{
	quiesced[n->id] = on;
	if (!on)
		app_kick(n);
}

bool app_waits(const struct node *n)
{
	for (u32 i = 0; i < MAX_SLOTS; i++)
		if (slots[n->id][i].busy)
			return true;
	return false;
}

/*
 * Where a majority acknowledges and is quick, nothing waits for one that is not: but
 * for a tick that sees it, and what a set waits for it (members.c), twice.
 */
#define WAIT_MOST	(3 * SEC)

void app_check_wait(void)
{
	struct node *n = admin_primary();

	if (!n || W.phase != PH_FAULTS || W.o.lag_most > (W.o.nodes - 1) / 2)
		return;
	for (u32 i = 0; i < MAX_SLOTS; i++)
		if (slots[n->id][i].busy &&
		    W.now - slots[n->id][i].since > WAIT_MOST)
			violation("laggard", "node %u: I/O waits since %llu ms, held for 0x%x, though a majority is quick",
				  n->id, (unsigned long long)slots[n->id][i].since / MS,
				  n->res.susp);
}

/* Stop and tell whether all has come back. */
bool app_stop(struct node *n)
{
	quiesced[n->id] = true;
	return !app_waits(n);
}

bool app_has_open(const struct node *n)
{
	return app_waits(n) || !quiesced[n->id];
}

void app_node_gone(struct node *n)
{
	for (u32 i = 0; i < MAX_SLOTS; i++) {
		if (slots[n->id][i].busy)
			W.app_busy--;
		memset(&slots[n->id][i], 0, sizeof(slots[0][0]));
	}
	quiesced[n->id] = false;
	hist_node_gone(n->id);
}

/* Where on the device: never beyond its end, as the block layer sees to. */
static void place(const struct repl_vol *vol, u32 max_sectors, u64 *sector,
		  u32 *n)
{
	u64 total = vol->sectors;
	u32 v = vol->nr;

	if (rng_pct(R, W.o.pct_large))
		*n = rng_range(R, 1, max_sectors);
	else if (rng_pct(R, 20))
		*n = rng_range(R, 1, 64);
	else if (rng_pct(R, 50))
		*n = 8;
	else
		*n = rng_range(R, 1, 16);
	if (rng_pct(R, W.o.pct_cold))
		*sector = rng_below(R, (u32)total);
	else
		*sector = hot[v][rng_below(R, W.o.hot_blocks)] * 8 +
			  (rng_pct(R, 60) ? 0 : rng_below(R, 8));
	if (*sector + *n > total)
		*sector = total - *n;
}

static void issue(struct node *n, u32 i)
{
	u32 v = rng_below(R, W.o.vols);
	struct repl_vol *vol = &n->vols[v].vol;
	u32 max_sectors = W.o.max_kib * 2, dice = rng_below(R, 100), ns = 0;
	u64 sector = 0;
	struct sio *s;
	u8 op = OP_WRITE;

	if (dice < W.o.pct_read)
		op = OP_READ;
	else if ((dice -= W.o.pct_read) < W.o.pct_flush)
		op = OP_FLUSH;
	else if ((dice -= W.o.pct_flush) < W.o.pct_discard)
		op = rng_pct(R, 50) ? OP_DISCARD : OP_ZEROES;
	if (op != OP_FLUSH)
		place(vol, max_sectors, &sector, &ns);
	s = sio_new(n, op == OP_READ || op == OP_WRITE ? ns : 1);
	s->io.vol = vol;
	s->io.kind = IO_APP;
	s->io.op = op;
	s->io.sector = sector;
	s->io.size = ns * SECTOR_BYTES;
	s->slot = (u8)i;
	s->app = true;
	s->submitted = hist_now();
	s->blind = n->clock.blind_until > W.now;
	if (op == OP_WRITE || op == OP_DISCARD || op == OP_ZEROES) {
		if (rng_pct(R, W.o.pct_fua))
			s->io.flags |= IOF_FUA;
		if (op == OP_ZEROES && rng_pct(R, 50))
			s->io.flags |= IOF_NOUNMAP;
		s->w = hist_write(v, n->id, sector, ns, op != OP_WRITE,
				  s->io.flags & IOF_FUA);
		for (u32 k = 0; op == OP_WRITE && k < ns; k++)
			s->tags[k] = s->w;
		cov[C_WRITES]++;
	} else if (op == OP_READ) {
		hist_read_begin(n->id, s->submitted);
	}
	if (W.phase == PH_HEAL && heal_left)
		heal_left--;
	slots[n->id][i].busy = true;
	slots[n->id][i].since = W.now;
	W.app_busy++;
	T("n%u v%u APP %s w%u s%llu+%u%s", n->id, v, op_name(op), s->w,
	  (unsigned long long)sector, ns,
	  s->io.flags & IOF_FUA ? " fua" : "");
	/* One half of the reads go to the disk straight, where they may. */
	if (op != OP_READ || i % 2 || !shell_read_direct(s))
		repl_submit(&s->io);
}

void app_event(struct node *n, u32 i)
{
	struct slot *s = &slots[n->id][i];

	s->armed = false;
	if (s->busy || !running(n))
		return;
	if (rest_until > W.now) {
		arm(n, i, rest_until - W.now + rng_below(R, 10 * MS));
		return;
	}
	if (rng_below(R, 1000) < W.o.pause_pct) {
		rest_until = W.now + rng_range(R, 50, 1500) * MS;
		arm(n, i, rest_until - W.now);
		return;
	}
	issue(n, i);
}

/*
 * A program uses its pages again as soon as a write has completed.  The tags of an
 * I/O are a private copy of them, as the module's shell makes one.
 */
static void reuse_pages(struct node *n, struct sio *s)
{
	if (!MUTATED(MUT_COPY_SKIPPED) || s->io.op != OP_WRITE)
		return;
	net_pages_reused(n, s->w);
	s->tags[0] = TAG_GARBAGE;
}

void app_complete(struct sio *s, int err)
{
	struct node *n = W.cur;
	struct repl_io *io = &s->io;
	u32 v = io->vol->nr, ns = io->size / SECTOR_BYTES;

	if (s->completed || !slots[n->id][s->slot].busy)
		violation("contract", "second completion");
	s->completed = true;
	T("n%u v%u APP %s w%u s%llu+%u -> %d", n->id, v, op_name(io->op),
	  s->w, (unsigned long long)io->sector, ns, err);
	switch (io->op) {
	case OP_READ:
		hist_read_end(n->id, s->submitted);
		if (!err && !s->blind && W.o.scenario != SCN_HOSTILE &&
		    !W.diverged_ok)
			hist_read(v, s->submitted, io->sector, ns, s->tags,
				  "read");
		cov[C_READS]++;
		break;
	case OP_FLUSH:
		if (!err)
			hist_flushed(v, s->submitted);
		cov[C_FLUSHES]++;
		break;
	default:
		if (err && n->moved)
			violation("move", "node %u: w%u failed (%d) as the role has moved away under a program",
				  n->id, s->w, err);
		if (err && W.o.scenario == SCN_LAGGARD)
			violation("laggard", "node %u: w%u fails (%d), and nobody is away",
				  n->id, s->w, err);
		if (err) {
			hist_failed(s->w);
			break;
		}
		hist_ack(s->w);
		W.acked_end[v] = max(W.acked_end[v], io->sector + ns);
		order_bound(n, io);
		state_acked(n, s->submitted);
		order_acked(v, n, io->sector, ns, s->w);
		admin_acked(n, v);
		reuse_pages(n, s);
	}
	W.app_busy--;
	slots[n->id][s->slot].busy = false;
	for (u32 i = 0; i < W.o.vols && !app_waits(n); i++)
		repl_vol_closed(&n->vols[i].vol);
	arm(n, s->slot, rng_below(R, 2 * W.o.think_us + 1));
}

bool app_finished(void)
{
	return W.phase >= PH_HEAL && !heal_left && !W.app_busy;
}
