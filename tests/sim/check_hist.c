// SPDX-License-Identifier: GPL-2.0
/*
 * Checker: durability and linearizability, sector by sector.
 *
 * Proves that every read returns a value that some order of the writes
 * explains, in which whatever completed before something else began comes
 * first; that a value once acknowledged or read never gives way to an older
 * one, across crashes and promotions; and that an acknowledged write is lost
 * only if all that held it lost their caches, and never once a FLUSH or FUA
 * covered it.
 *
 * For each sector that was touched there is a list of entries, one for each
 * write that its content can be.  An entry is eliminated when something that
 * began after it had completed is acknowledged or read.  Eliminated entries
 * stay in the list until what eliminated them is durable, because a power cut
 * of all holders brings them back.
 *
 * Time is a counter of submissions and completions.
 */
#include "sim.h"

#define WR_ACKED	BIT(0)
#define WR_MAYBE	BIT(1)	/* its primary died or it failed */
#define WR_FUA		BIT(2)
#define WR_ZERO		BIT(3)
#define WR_DURABLE	BIT(4)
#define WR_LOSTABLE	BIT(5)	/* all its holders lost their caches */

#define TAG_ANY		(~0ULL)

struct wr {
	u64 sector;
	u32 n;
	u32 submit, complete;
	u8 vol, node, flags;
};

struct ent {
	u64 val;		/* tag, TAG_ANY: not known yet */
	u32 w;			/* 0: what was there at first */
	u32 elim;		/* when, NEVER: it is a candidate */
	u32 cause;		/* which write eliminated it */
};

struct sect {
	struct ent *e;
	u16 n, cap;
	u32 epoch;
};

static struct wr *wr;
static u32 wr_n, wr_cap;
static u32 clock_now;
static u32 epoch[MAX_VOLS];
static u32 durable_upto[MAX_VOLS];
static u32 forget_before;
static u32 lost_at;	/* when all holders last lost their caches */
static struct sect **tab[MAX_VOLS];
static u32 nchunks[MAX_VOLS];
/* When the reads under way began, by the node that reads. */
static u32 open_read[MAX_NODES][MAX_SLOTS];
static u32 open_reads[MAX_NODES];

void hist_init(void)
{
	clock_now = 1;
	forget_before = 0;
	lost_at = 0;
	wr_n = 1;		/* number 0: the initial contents */
	for (u32 v = 0; v < W.o.vols; v++) {
		nchunks[v] = (W.o.vol_extents[v] + W.o.room_extents) *
			     EXTENT_SECTORS / CHUNK + 8;
		if (W.o.room_extents)
			nchunks[v] += EXTENT_SECTORS / CHUNK;
		tab[v] = arena_alloc(nchunks[v] * sizeof(struct sect *));
		epoch[v] = 1;
		durable_upto[v] = 0;
	}
	memset(open_reads, 0, sizeof(open_reads));
	if (!wr_cap) {
		wr_cap = 4096;
		wr = malloc(wr_cap * sizeof(*wr));
		if (!wr)
			abort();
	}
	memset(&wr[0], 0, sizeof(wr[0]));
	wr[0].flags = WR_ACKED | WR_DURABLE;
}

u32 hist_now(void)
{
	return ++clock_now;
}

static bool durable(u32 w)
{
	const struct wr *p = &wr[w];

	if (p->flags & WR_DURABLE)
		return true;
	if ((p->flags & WR_ACKED) && (p->flags & WR_FUA))
		return true;
	return p->complete != NEVER && p->complete < durable_upto[p->vol];
}

static void add(struct sect *s, u64 val, u32 w)
{
	struct ent *e;

	if (s->n == s->cap) {
		u16 cap = s->cap ? (u16)(2 * s->cap) : 4;

		e = arena_alloc(cap * sizeof(*e));
		if (s->n)
			memcpy(e, s->e, s->n * sizeof(*e));
		s->e = e;
		s->cap = cap;
	}
	e = &s->e[s->n++];
	e->val = val;
	e->w = w;
	e->elim = NEVER;
	e->cause = 0;
}

static struct sect *get(u32 vol, u64 sector)
{
	struct sect **c = &tab[vol][sector / CHUNK], *s;

	if (!*c)
		*c = arena_alloc(CHUNK * sizeof(struct sect));
	s = &(*c)[sector % CHUNK];
	if (s->epoch != epoch[vol]) {
		s->epoch = epoch[vol];
		s->n = 0;
		add(s, TAG_ANY, 0);
	}
	return s;
}

/* Drop what can't come back: eliminated for good, before any open read. */
static void purge(struct sect *s)
{
	u32 oldest = clock_now;
	u16 k = 0;

	for (u32 node = 0; node < W.o.nodes; node++)
		for (u32 i = 0; i < open_reads[node]; i++)
			oldest = min(oldest, open_read[node][i]);
	for (u16 i = 0; i < s->n; i++) {
		struct ent *e = &s->e[i];

		if (e->elim != NEVER && e->elim < oldest && durable(e->cause))
			continue;
		s->e[k++] = *e;
	}
	s->n = k;
}

u32 hist_write(u32 vol, u32 node, u64 sector, u32 n, bool zero, bool fua)
{
	u32 w = wr_n++;

	if (w == wr_cap) {
		wr_cap *= 2;
		wr = realloc(wr, wr_cap * sizeof(*wr));
		if (!wr)
			abort();
	}
	wr[w] = (struct wr){
		.sector = sector, .n = n, .submit = hist_now(),
		.complete = NEVER, .vol = (u8)vol, .node = (u8)node,
		.flags = (u8)((zero ? WR_ZERO : 0) | (fua ? WR_FUA : 0)),
	};
	for (u32 i = 0; i < n; i++) {
		struct sect *s = get(vol, sector + i);

		if (s->n >= 4)
			purge(s);
		add(s, zero ? 0 : w, w);
	}
	return w;
}

/* @w is in: whatever completed before it began is not the content any more. */
static void eliminate(struct sect *s, u32 w, u32 before, u32 now)
{
	for (u16 i = 0; i < s->n; i++) {
		struct ent *e = &s->e[i];

		if (e->w != w && e->elim == NEVER && wr[e->w].complete < before) {
			e->elim = now;
			e->cause = w;
		}
	}
}

void hist_ack(u32 w)
{
	struct wr *p = &wr[w];
	u32 now = hist_now();

	p->complete = now;
	p->flags |= WR_ACKED;
	/* Confirmed by holders that have lost their caches since. */
	if (p->submit < lost_at && !durable(w)) {
		p->flags |= WR_LOSTABLE;
		return;
	}
	for (u32 i = 0; i < p->n; i++)
		eliminate(get(p->vol, p->sector + i), w, p->submit, now);
}

void hist_failed(u32 w)
{
	wr[w].flags |= WR_MAYBE;
	wr[w].complete = hist_now();
}

void hist_read_begin(u32 node, u32 t)
{
	open_read[node][open_reads[node]++] = t;
}

void hist_read_end(u32 node, u32 t)
{
	u32 i = 0;

	while (open_read[node][i] != t)
		i++;
	open_read[node][i] = open_read[node][--open_reads[node]];
}

/* Could a read that began at @t return @tag?  Binds what was not known. */
static bool match(struct sect *s, u64 tag, u32 t, u32 *only, u32 *oldest)
{
	struct ent *any = NULL;
	u32 n = 0;

	*oldest = NEVER;
	for (u16 i = 0; i < s->n; i++) {
		struct ent *e = &s->e[i];

		if (e->elim != NEVER && e->elim <= t)
			continue;
		if (e->val == TAG_ANY) {
			any = e;
		} else if (e->val == tag) {
			n++;
			*only = e->w;
			*oldest = min(*oldest, wr[e->w].submit);
		}
	}
	if (!n && any) {
		any->val = tag;
		n = 1;
		*only = 0;
		*oldest = 0;
	}
	if (n > 1)
		*only = NEVER;
	return n;
}

void hist_explain(u32 vol, u64 sector, char *buf, size_t len)
{
	struct sect *s = get(vol, sector);
	size_t k = 0;

	buf[0] = 0;
	for (u16 i = s->n > 10 ? s->n - 10 : 0; i < s->n && k < len; i++) {
		struct ent *e = &s->e[i];
		struct wr *p = &wr[e->w];
		char end[16] = "open";

		if (p->complete != NEVER)
			snprintf(end, sizeof(end), "%u", p->complete);
		k += (size_t)snprintf(buf + k, len - k,
			" w%u%s[%u..%s%s%s%s%s]", e->w,
			e->val == 0 ? "(zero)" : e->val == TAG_ANY ? "(any)" : "",
			p->submit, end, p->flags & WR_ACKED ? " acked" : "",
			p->flags & WR_MAYBE ? " maybe" : "",
			durable(e->w) ? " durable" :
			p->flags & WR_LOSTABLE ? " lostable" : "",
			e->elim != NEVER ? " superseded" : "");
	}
}

static void explain_fail(const char *who, u32 vol, u64 sector, u64 tag,
			 u32 t)
{
	char buf[700];

	hist_explain(vol, sector, buf, sizeof(buf));
	violation("history",
		  "%s: volume %u sector %llu holds w%lld at %u; candidates:%s",
		  who, vol, (unsigned long long)sector, (long long)tag, t, buf);
}

/*
 * Of several writes of this value, the one that a power cut may take back for the
 * longest time: a flush covers what was complete before it.
 */
static u32 weakest(const struct sect *s, u64 tag)
{
	u32 w = 0;

	for (u16 i = 0; i < s->n; i++) {
		const struct ent *e = &s->e[i];

		if (e->val != tag || e->elim != NEVER)
			continue;
		if (!w || durable(w) ||
		    (!durable(e->w) && wr[e->w].complete > wr[w].complete))
			w = e->w;
	}
	return w;
}

void hist_read(u32 vol, u32 submitted, u64 sector, u32 n, const u64 *tags,
	       const char *who)
{
	u32 now = hist_now();

	for (u32 i = 0; i < n; i++) {
		struct sect *s = get(vol, sector + i);
		u32 only = 0, oldest;

		if (!match(s, tags[i], submitted, &only, &oldest))
			explain_fail(who, vol, sector + i, tags[i], submitted);
		/* The data may come from before a loss. */
		if (submitted < lost_at)
			continue;
		for (u16 k = 0; k < s->n; k++) {
			struct ent *e = &s->e[k];

			/* Over before this read began, and not what it saw. */
			if (e->val != tags[i] && e->elim == NEVER &&
			    (wr[e->w].complete < submitted ||
			     wr[e->w].complete < oldest)) {
				e->elim = now;
				e->cause = only == NEVER ?
					weakest(s, tags[i]) : only;
			}
		}
		if (only != NEVER)
			eliminate(s, only, wr[only].submit, now);
	}
}

void hist_flushed(u32 vol, u32 submitted)
{
	durable_upto[vol] = max(durable_upto[vol], submitted);
}

void hist_node_gone(u32 node)
{
	for (u32 w = 1; w < wr_n; w++)
		if (wr[w].node == node && wr[w].complete == NEVER)
			wr[w].flags |= WR_MAYBE;
	open_reads[node] = 0;
}

void hist_settle(void)
{
	u32 now = hist_now();

	for (u32 w = 1; w < wr_n; w++)
		if ((wr[w].flags & WR_MAYBE) && wr[w].complete == NEVER)
			wr[w].complete = now;
}

void hist_total_loss(void)
{
	u32 now = hist_now();

	lost_at = now;
	for (u32 w = 1; w < wr_n; w++)
		if (durable(w))
			wr[w].flags |= WR_DURABLE;
	for (u32 v = 0; v < W.o.vols; v++) {
		for (u32 c = 0; c < nchunks[v]; c++) {
			if (!tab[v][c])
				continue;
			for (u32 i = 0; i < CHUNK; i++) {
				struct sect *s = &tab[v][c][i];

				if (s->epoch != epoch[v])
					continue;
				for (u16 k = 0; k < s->n; k++) {
					struct ent *e = &s->e[k];

					if (e->elim != NEVER &&
					    !(wr[e->cause].flags & WR_DURABLE))
						e->elim = NEVER;
				}
			}
		}
	}
	for (u32 w = 1; w < wr_n; w++) {
		if (wr[w].complete != NEVER && !(wr[w].flags & WR_DURABLE)) {
			wr[w].complete = now;
			wr[w].flags |= WR_LOSTABLE;
		}
	}
}

void hist_forget(void)
{
	for (u32 v = 0; v < W.o.vols; v++)
		epoch[v]++;
	forget_before = hist_now();
}

/* Would a good replica be allowed to have this now? */
bool hist_may_hold(u32 vol, u64 sector, u64 tag)
{
	struct sect *s = get(vol, sector);
	bool any = false;

	for (u16 i = 0; i < s->n; i++) {
		if (s->e[i].elim != NEVER)
			continue;
		if (s->e[i].val == tag)
			return true;
		any = any || s->e[i].val == TAG_ANY;
	}
	return any;
}

/* Is @tag a write that had completed before the acknowledged @old began? */
bool hist_stale(u32 vol, u64 old, u64 tag)
{
	const struct wr *o, *n;

	(void)vol;
	if (!old || !tag || old >= wr_n || tag >= wr_n)
		return false;
	o = &wr[old];
	n = &wr[tag];
	return (o->flags & WR_ACKED) && !(o->flags & WR_LOSTABLE) &&
	       o->submit > forget_before && n->complete < o->submit;
}

/* Had write @a been acknowledged when @b was submitted? */
bool hist_acked_before(u64 a, u64 b)
{
	return a && b && a < wr_n && b < wr_n && (wr[a].flags & WR_ACKED) &&
	       wr[a].complete < wr[b].submit;
}

/* At the end: a replica's whole touched area. */
void hist_verify(u32 node)
{
	char who[32];
	u32 now = hist_now();

	snprintf(who, sizeof(who), "final image of node %u", node);
	for (u32 v = 0; v < W.o.vols; v++) {
		for (u32 c = 0; c < nchunks[v]; c++) {
			if (!tab[v][c])
				continue;
			for (u32 i = 0; i < CHUNK; i++) {
				u64 sec = (u64)c * CHUNK + i, tag;
				u32 only, oldest;

				if (tab[v][c][i].epoch != epoch[v])
					continue;
				tag = disk_tag(&W.disk[node][v], sec);
				if (!match(&tab[v][c][i], tag, now, &only,
					   &oldest))
					explain_fail(who, v, sec, tag, now);
			}
		}
	}
}
