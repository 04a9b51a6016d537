// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a configuration complete, and free of contradictions?
 *
 * What one keyword means on its own was checked by the parser; here is what
 * keywords, sections and files mean together.
 */
#include <stdarg.h>
#include <stdio.h>

#include "conf.h"
#include "util.h"

struct checker {
	const struct conf *conf;
	struct conf_error *err;
};

static bool fail(const struct checker *ck, const struct conf_loc *loc,
		 const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static bool fail(const struct checker *ck, const struct conf_loc *loc,
		 const char *fmt, ...)
{
	va_list ap;
	int len;

	len = snprintf(ck->err->text, sizeof(ck->err->text), "%.300s:%d: ",
		       loc->file ? loc->file : "?", loc->line);
	va_start(ap, fmt);
	vsnprintf(ck->err->text + len, sizeof(ck->err->text) - len, fmt, ap);
	va_end(ap);
	return false;
}

/* A volume as a host sees it, with where to look when it is wrong. */
struct host_volume {
	const struct conf_loc *loc;
	unsigned int nr;
	int minor;
	const char *disk, *meta_disk;
	bool diskless;
};

static const struct conf_volume *volume_find(const struct conf_volume *v,
					     unsigned int nr)
{
	while (v && v->nr != nr)
		v = v->next;
	return v;
}

/* The resource's volume under the host's: the host's words win. */
static bool host_volume(const struct conf_res *res, const struct conf_host *h,
			unsigned int nr, struct host_volume *hv)
{
	const struct conf_volume *layer[2] = {
		volume_find(res->volumes, nr), volume_find(h->volumes, nr)
	};
	unsigned int i;

	memset(hv, 0, sizeof(*hv));
	hv->nr = nr;
	hv->minor = -1;
	for (i = 0; i < 2; i++) {
		const struct conf_volume *v = layer[i];

		if (!v)
			continue;
		hv->loc = &v->loc;
		if (v->minor >= 0)
			hv->minor = v->minor;
		if (v->disk || v->diskless) {
			hv->disk = v->disk;
			hv->diskless = v->diskless;
		}
		if (v->meta_set)
			hv->meta_disk = v->meta_disk;
	}
	if (h->witness)
		hv->disk = NULL;
	return layer[0] || layer[1];
}

/* It has metadata on a device of its own, and nothing else. */
static bool check_witness(const struct checker *ck, const struct conf_res *res,
			  const struct conf_host *h, const struct host_volume *v)
{
	const struct conf_volume *own = volume_find(h->volumes, v->nr);

	if (own && own->disk)
		return fail(ck, &own->loc,
			    "resource %s: volume %u: host %s is a witness, and has no data: expected \"meta-disk /dev/...;\" alone",
			    res->name, v->nr, h->name);
	if (!v->meta_disk)
		return fail(ck, v->loc,
			    "resource %s: volume %u has no meta-disk on host %s, a witness: expected \"meta-disk /dev/...;\" (256 KiB are enough)",
			    res->name, v->nr, h->name);
	return true;
}

static bool check_volume(const struct checker *ck, const struct conf_res *res,
			 const struct conf_host *h, const struct host_volume *v)
{
	if (v->minor < 0)
		return fail(ck, v->loc,
			    "resource %s: volume %u has no device on host %s, expected \"device minor N;\"",
			    res->name, v->nr, h->name);
	if (h->witness)
		return check_witness(ck, res, h, v);
	if (!v->disk && !v->diskless)
		return fail(ck, v->loc,
			    "resource %s: volume %u has no disk on host %s, expected \"disk /dev/...;\" (or \"disk none;\")",
			    res->name, v->nr, h->name);
	if (v->disk && v->meta_disk && !strcmp(v->disk, v->meta_disk))
		return fail(ck, v->loc,
			    "resource %s: volume %u: meta-disk is the disk itself, expected \"meta-disk internal;\" or another device",
			    res->name, v->nr);
	return true;
}

static bool same_path(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static bool share_disk(const struct host_volume *a, const struct host_volume *b,
		       const char **path)
{
	*path = a->disk;
	if (same_path(a->disk, b->disk) || same_path(a->disk, b->meta_disk))
		return true;
	*path = a->meta_disk;
	return same_path(a->meta_disk, b->disk) ||
	       same_path(a->meta_disk, b->meta_disk);
}

/* Against volumes that come before it on that host, in any resource. */
static bool check_clash(const struct checker *ck, const struct conf_res *res,
			const struct conf_host *h, const struct host_volume *v)
{
	const struct conf_res *r;
	struct host_volume o;
	const char *path;
	unsigned int nr;

	for (r = ck->conf->resources; r; r = r->next) {
		const struct conf_host *oh = conf_host(r, h->name);

		for (nr = 0; oh && nr < BLKREPL_MAX_VOLUMES; nr++) {
			if (r == res && nr == v->nr)
				return true;
			if (!host_volume(r, oh, nr, &o))
				continue;
			if (o.minor == v->minor)
				return fail(ck, v->loc,
					    "resource %s: volume %u: on host %s the minor %d belongs to volume %u of resource %s",
					    res->name, v->nr, h->name, v->minor, nr, r->name);
			if (share_disk(v, &o, &path))
				return fail(ck, v->loc,
					    "resource %s: volume %u: on host %s %s is used by volume %u of resource %s",
					    res->name, v->nr, h->name, path, nr, r->name);
		}
	}
	return true;
}

static bool check_volumes(const struct checker *ck, const struct conf_res *res,
			  const struct conf_host *h)
{
	unsigned int nr, n = 0;
	struct host_volume v, o;

	for (nr = 0; nr < BLKREPL_MAX_VOLUMES; nr++) {
		bool here = host_volume(res, h, nr, &v);

		if (here != host_volume(res, res->hosts, nr, &o))
			return fail(ck, here ? v.loc : o.loc,
				    "resource %s: volume %u is missing on host %s (every host needs it; \"disk none;\" for one without a disk)",
				    res->name, nr, here ? res->hosts->name : h->name);
		if (!here)
			continue;
		n++;
		if (!check_volume(ck, res, h, &v) || !check_clash(ck, res, h, &v))
			return false;
	}
	if (!n)
		return fail(ck, &res->loc, "resource %s has no volume", res->name);
	return true;
}

static bool check_host(const struct checker *ck, const struct conf_res *res,
		       const struct conf_host *h)
{
	const struct conf_host *o;

	if (h->node_id < 0)
		return fail(ck, &h->loc,
			    "resource %s: host %s has no node id, expected \"node-id N;\"",
			    res->name, h->name);
	if (!h->addr.set && res->hosts->next)
		return fail(ck, &h->loc,
			    "resource %s: host %s has no address, expected \"address IP:PORT;\"",
			    res->name, h->name);
	for (o = res->hosts; o != h; o = o->next) {
		if (o->node_id == h->node_id)
			return fail(ck, &h->loc,
				    "resource %s: hosts %s and %s have the same node id %d",
				    res->name, o->name, h->name, h->node_id);
		if (h->addr.set && addr_equal(&o->addr.sa, &h->addr.sa))
			return fail(ck, &h->addr.loc,
				    "resource %s: hosts %s and %s have the same address",
				    res->name, o->name, h->name);
		if (h->addr.set && o->addr.sa.ss_family != h->addr.sa.ss_family)
			return fail(ck, &h->addr.loc,
				    "resource %s: hosts %s and %s cannot talk, one address is IPv4 and the other one IPv6",
				    res->name, o->name, h->name);
	}
	return check_volumes(ck, res, h);
}

/* The same address for different hosts in different resources is a slip. */
static bool check_address_owner(const struct checker *ck, const struct conf_res *res,
				const struct conf_host *h)
{
	const struct conf_res *r;
	const struct conf_host *o;

	for (r = ck->conf->resources; r != res; r = r->next)
		for (o = r->hosts; o; o = o->next)
			if (h->addr.set && o->addr.set && strcmp(o->name, h->name) &&
			    addr_equal(&o->addr.sa, &h->addr.sa))
				return fail(ck, &h->addr.loc,
					    "resource %s: the address of host %s belongs to host %s in resource %s",
					    res->name, h->name, o->name, r->name);
	return true;
}

static bool check_pair(const struct checker *ck, const struct conf_res *res,
		       const struct conf_host *a, const struct conf_host *b)
{
	const struct conf_conn *c;
	struct conf_settings set;
	const struct conf_loc *loc;
	char why[256];

	conf_pair(ck->conf, res, a->name, b->name, &set, &c);
	loc = c ? &c->loc : set.loc.file ? &set.loc : &res->loc;
	if (!set.secret && !set.auth_none)
		return fail(ck, loc,
			    "resource %s: hosts %s and %s have no shared secret, expected \"net { secret \"...\"; }\" (or \"auth none;\", if nobody else can reach that network)",
			    res->name, a->name, b->name);
	if (!opt_check(&set.opts, why, sizeof(why)))
		return fail(ck, loc, "resource %s: between %s and %s: %s",
			    res->name, a->name, b->name, why);
	return true;
}

static bool check_conn(const struct checker *ck, const struct conf_res *res,
		       const struct conf_conn *c)
{
	const struct conf_conn *o;
	unsigned int i;

	if (!c->host[1])
		return fail(ck, &c->loc, "resource %s: a connection needs two hosts, expected \"host A; host B;\"",
			    res->name);
	for (i = 0; i < 2; i++)
		if (!conf_host(res, c->host[i]))
			return fail(ck, &c->loc,
				    "resource %s: the connection's host %s is not in the resource, expected \"on %s { ... }\"",
				    res->name, c->host[i], c->host[i]);
	if (!strcmp(c->host[0], c->host[1]))
		return fail(ck, &c->loc, "resource %s: the connection leads from host %s to itself",
			    res->name, c->host[0]);
	if (c->addr[0].set && c->addr[1].set &&
	    c->addr[0].sa.ss_family != c->addr[1].sa.ss_family)
		return fail(ck, &c->loc, "resource %s: one address of the connection is IPv4 and the other one IPv6",
			    res->name);
	for (o = res->conns; o != c; o = o->next)
		for (i = 0; i < 2; i++)
			if (!strcmp(o->host[i], c->host[0]) &&
			    !strcmp(o->host[!i], c->host[1]))
				return fail(ck, &c->loc,
					    "resource %s: hosts %s and %s have a connection already, line %d",
					    res->name, c->host[0], c->host[1], o->loc.line);
	return true;
}

static bool check_res(const struct checker *ck, const struct conf_res *res)
{
	const struct conf_host *h, *o;
	const struct conf_conn *c;
	bool data = false;

	if (!res->hosts)
		return fail(ck, &res->loc, "resource %s has no hosts, expected \"on HOST { ... }\"",
			    res->name);
	for (h = res->hosts; h; h = h->next)
		data |= !h->witness;
	if (!data)
		return fail(ck, &res->loc, "resource %s: all hosts are witnesses, and none has data",
			    res->name);
	for (c = res->conns; c; c = c->next)
		if (!check_conn(ck, res, c))
			return false;
	for (h = res->hosts; h; h = h->next) {
		if (!check_host(ck, res, h) || !check_address_owner(ck, res, h))
			return false;
		for (o = res->hosts; o != h; o = o->next)
			if (!check_pair(ck, res, o, h))
				return false;
	}
	return true;
}

int conf_check(const struct conf *conf, struct conf_error *err)
{
	const struct checker ck = { conf, err };
	const struct conf_res *res;

	err->text[0] = '\0';
	for (res = conf->resources; res; res = res->next)
		if (!check_res(&ck, res))
			return -1;
	return 0;
}

int conf_parse_buffer(const char *name, const char *buf, size_t len,
		      struct conf **out, struct conf_error *err)
{
	struct conf *conf = conf_new();

	*out = NULL;
	if (conf_parse_into(conf, name, buf, len, err) || conf_check(conf, err)) {
		conf_free(conf);
		return -1;
	}
	*out = conf;
	return 0;
}
