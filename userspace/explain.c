// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings: their list, and how they are printed.
 */
#include <stdarg.h>
#include <stdio.h>

#include "explain.h"
#include "out.h"
#include "state.h"

static const struct {
	const char *word;
	enum tone tone;
} severities[] = {
	[FINE] = { "ok", TONE_GOOD },
	[INFO] = { "info", TONE_PLAIN },
	[WARNING] = { "warning", TONE_WARN },
	[PROBLEM] = { "problem", TONE_BAD },
};

/* ---- the list ---- */

/* What is fine and what is worth knowing stay in the order of the subjects. */
static int rank(enum severity s)
{
	return s == FINE ? INFO : s;
}

struct finding *found(struct findings *f, enum severity severity,
		      const char *about, ...)
{
	struct finding **link = &f->first, *x = xzalloc(sizeof(*x));
	va_list ap;

	x->severity = severity;
	va_start(ap, about);
	vsnprintf(x->about, sizeof(x->about), about, ap);
	va_end(ap);
	while (*link && rank((*link)->severity) >= rank(severity))
		link = &(*link)->next;
	x->next = *link;
	*link = x;
	return x;
}

static void __printf(3, 0) append(char *text, size_t size, const char *fmt,
				  va_list ap)
{
	size_t len = strlen(text);

	vsnprintf(text + len, size - len, fmt, ap);
}

void say(struct finding *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(x->what, sizeof(x->what), fmt, ap);
	va_end(ap);
}

void advise(struct finding *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(x->todo, sizeof(x->todo), fmt, ap);
	va_end(ap);
}

struct findings *explain(const struct st_res *res)
{
	struct findings *f = xzalloc(sizeof(*f));

	f->res = res;
	explain_io(f);
	explain_disks(f);
	explain_peers(f);
	explain_promotion(f);
	return f;
}

void findings_free(struct findings *f)
{
	struct finding *x;

	while ((x = f->first)) {
		f->first = x->next;
		free(x);
	}
	free(f);
}

enum severity findings_worst(const struct findings *f)
{
	return f->first ? f->first->severity : FINE;
}

void findings_print(struct out *o, const struct findings *f)
{
	const struct finding *x;
	const char *word;

	for (x = f->first; x; x = x->next) {
		word = severities[x->severity].word;
		out_object(o, NULL);
		out_str(o, "resource", NULL, f->res->name);
		out_word(o, "severity", "", word, severities[x->severity].tone);
		out_text(o, "%*s%s", 9 - (int)strlen(word), "", f->res->name);
		out_str(o, "about", strcmp(x->about, "resource") ? " " : NULL, x->about);
		out_str(o, "what", ": ", x->what);
		out_str(o, "do", x->todo[0] ? "\n         do: " : NULL, x->todo);
		out_text(o, "\n");
		out_end(o);
	}
}

/* ---- names and sets of nodes ---- */

struct nodes peer_named(const struct st_peer *p)
{
	struct nodes n;

	if (p->name[0])
		str_copy(n.text, p->name, sizeof(n.text));
	else
		snprintf(n.text, sizeof(n.text), "node %u", p->id);
	return n;
}

struct nodes this_node(const struct st_res *res)
{
	struct nodes n;

	str_copy(n.text, res->node_name[0] ? res->node_name : "this node",
		 sizeof(n.text));
	return n;
}

static struct nodes name_of_node(const struct st_res *res, uint32_t id)
{
	const struct st_peer *p = state_peer(res, id);
	struct nodes n;

	if (p)
		return peer_named(p);
	if (id == res->node_id)
		return this_node(res);
	snprintf(n.text, sizeof(n.text), "node %u", id);
	return n;
}

struct nodes node_names(const struct st_res *res, uint32_t set, const char *joint)
{
	struct nodes all = { "" }, one;
	size_t len = 0;
	uint32_t id;

	for (id = 0; id < BLKREPL_MAX_NODES && len < sizeof(all.text) - 4; id++) {
		if (!(set & node_bit(id)))
			continue;
		set &= ~node_bit(id);
		one = name_of_node(res, id);
		if (len && (set || !joint))
			len += snprintf(all.text + len, sizeof(all.text) - len, ", ");
		else if (len)
			len += snprintf(all.text + len, sizeof(all.text) - len, " %s ", joint);
		if (len < sizeof(all.text))
			len += snprintf(all.text + len, sizeof(all.text) - len, "%s", one.text);
	}
	return all;
}

bool is_connected(const struct st_peer *p)
{
	return p->conn == BLKREPL_CONN_CONNECTED;
}

uint32_t peers_away(const struct st_res *res)
{
	const struct st_peer *p;
	uint32_t set = 0;

	for (p = res->peers; p; p = p->next)
		if (!is_connected(p))
			set |= node_bit(p->id);
	return set;
}

uint32_t peers_wanted(const struct st_res *res)
{
	const struct st_peer *p;
	uint32_t set = 0;

	for (p = res->peers; p; p = p->next)
		if (p->fence == BLKREPL_FENCE_WANTED)
			set |= node_bit(p->id);
	return set;
}

void advise_fenced(struct finding *x, const struct st_res *res, uint32_t set)
{
	const struct st_peer *p;
	const char *joint = ": ";

	advise(x, "bring back %s; or power %s off, and when that is done say here",
	       node_names(res, set, "and").text, of_set(set, "it", "them"));
	for (p = res->peers; p; p = p->next) {
		if (!(set & node_bit(p->id)))
			continue;
		advise(x, "%sblkrepl fenced %s:%s", joint, res->name, peer_named(p).text);
		joint = ", ";
	}
}

uint32_t missing_away(const struct st_res *res)
{
	const struct st_peer *p;
	uint32_t set = res->promotion_missing;

	for (p = res->peers; p; p = p->next)
		if (is_connected(p))
			set &= ~node_bit(p->id);
	return set;
}

/* Those whose disk is UpToDate, whether or not they are in step with us. */
uint32_t peers_good(const struct st_res *res, const struct st_vol *v)
{
	const struct st_peer *p;
	const struct st_pvol *pv;
	uint32_t set = 0;

	for (p = res->peers; p; p = p->next) {
		pv = state_pvol(p, v->nr);
		if (is_connected(p) && pv && pv->peer_disk == BLKREPL_DISK_UPTODATE)
			set |= node_bit(p->id);
	}
	return set;
}

/* Other Primaries, that we are connected to or that a peer tells of. */
uint32_t primaries(const struct st_res *res)
{
	const struct st_peer *p;
	uint32_t set = 0;

	for (p = res->peers; p; p = p->next) {
		if (!is_connected(p))
			continue;
		if (p->role == BLKREPL_ROLE_PRIMARY)
			set |= node_bit(p->id);
		if (p->sees_primary >= 0)
			set |= node_bit(p->sees_primary);
	}
	return set & ~node_bit(res->node_id);
}

unsigned int nodes_of(const struct st_res *res)
{
	const struct st_peer *p;
	unsigned int n = 1;

	for (p = res->peers; p; p = p->next)
		n++;
	return n;
}

unsigned int replicas_of(const struct st_res *res)
{
	const struct st_peer *p;
	unsigned int n = !res->witness;

	for (p = res->peers; p; p = p->next)
		n += !p->witness;
	return n;
}

bool is_async(const struct st_res *res, const struct st_peer *p)
{
	return opt_get(&res->opts, OPT_ACK_POLICY) == BLKREPL_ACK_ASYNC ||
	       opt_get(&p->opts, OPT_ASYNC);
}

bool elects_primaries(const struct st_res *res)
{
	return opt_get(&res->opts, OPT_QUORUM) == BLKREPL_QUORUM_MAJORITY;
}

uint64_t noted_bytes(const struct st_peer *p)
{
	const struct st_pvol *pv;
	uint64_t sum = 0;

	for (pv = p->pvols; pv; pv = pv->next)
		sum += pv->out_of_sync;
	return sum;
}
