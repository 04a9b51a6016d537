// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration in memory: making it, finding things in it, and what it means
 * for one node.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "conf.h"
#include "util.h"

struct conf *conf_new(void)
{
	return xzalloc(sizeof(struct conf));
}

static void free_volumes(struct conf_volume *v)
{
	while (v) {
		struct conf_volume *next = v->next;

		free(v->disk);
		free(v->meta_disk);
		free(v->set.secret);
		free(v);
		v = next;
	}
}

static void free_hosts(struct conf_host *h)
{
	while (h) {
		struct conf_host *next = h->next;

		free_volumes(h->volumes);
		free(h->name);
		free(h);
		h = next;
	}
}

static void free_conns(struct conf_conn *c)
{
	while (c) {
		struct conf_conn *next = c->next;

		free(c->host[0]);
		free(c->host[1]);
		free(c->set.secret);
		free(c);
		c = next;
	}
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	while (conf->resources) {
		struct conf_res *res = conf->resources;

		conf->resources = res->next;
		free_volumes(res->volumes);
		free_hosts(res->hosts);
		free_conns(res->conns);
		free(res->set.secret);
		free(res->name);
		free(res);
	}
	while (conf->files) {
		struct conf_file *file = conf->files;

		conf->files = file->next;
		free(file->name);
		free(file);
	}
	free(conf->common.secret);
	free(conf);
}

struct conf_res *conf_find(const struct conf *conf, const char *name)
{
	struct conf_res *res;

	for (res = conf->resources; res; res = res->next)
		if (!strcmp(res->name, name))
			break;
	return res;
}

struct conf_host *conf_host(const struct conf_res *res, const char *name)
{
	struct conf_host *h;

	for (h = res->hosts; h; h = h->next)
		if (!strcmp(h->name, name))
			break;
	return h;
}

/* Names become parts of paths below /dev, and words of command lines. */
bool conf_name_ok(const char *name, char *why, size_t size)
{
	const char *c;

	if (strlen(name) >= BLKREPL_NAME_MAX) {
		snprintf(why, size, "a name has at most %d characters",
			 BLKREPL_NAME_MAX - 1);
		return false;
	}
	if (!strcmp(name, "all")) {
		snprintf(why, size, "this word means every resource");
		return false;
	}
	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum((unsigned char)*c) &&
				     (c == name || !strchr("._-", *c))))
			break;
	if (!*name || *c) {
		snprintf(why, size,
			 "a name is made of letters, digits, \".\", \"_\" and \"-\", and begins with a letter or digit");
		return false;
	}
	return true;
}

static bool split_port(const char *word, char *host, size_t host_size,
		       uint16_t *port, char *why, size_t size)
{
	const char *colon = strrchr(word, ':'), *digits = colon ? colon + 1 : "";
	uint64_t v;

	if (!*digits || digits[strspn(digits, "0123456789")] ||
	    (size_t)(colon - word) >= host_size) {
		snprintf(why, size,
			 "expected ADDRESS:PORT, like 10.0.0.1:7789 or [fd00::1]:7789");
		return false;
	}
	if (!parse_u64(digits, &v) || !v || v > 65535) {
		snprintf(why, size, "the port %.32s is out of range, expected 1 to 65535",
			 digits);
		return false;
	}
	memcpy(host, word, colon - word);
	host[colon - word] = '\0';
	*port = v;
	return true;
}

/* An address that one node has, and that others can connect to. */
static bool is_unicast(const struct sockaddr_storage *sa)
{
	const struct in6_addr *a6 = &((const struct sockaddr_in6 *)sa)->sin6_addr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	uint32_t a = ntohl(in->sin_addr.s_addr);

	if (sa->ss_family == AF_INET6)
		return !IN6_IS_ADDR_UNSPECIFIED(a6) && !IN6_IS_ADDR_MULTICAST(a6);
	/* "this network"; multicast, reserved and broadcast */
	return a >> 24 && a >> 24 < 224;
}

bool addr_parse(const char *word, struct sockaddr_storage *sa,
		char *why, size_t size)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;
	struct sockaddr_in *in = (struct sockaddr_in *)sa;
	char host[64];
	uint16_t port;
	size_t len;
	bool ok;

	memset(sa, 0, sizeof(*sa));
	if (!split_port(word, host, sizeof(host), &port, why, size))
		return false;
	len = strlen(host);
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		ok = inet_pton(AF_INET6, host + 1, &in6->sin6_addr) == 1;
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		ok = inet_pton(AF_INET, host, &in->sin_addr) == 1;
	}
	if (ok && is_unicast(sa))
		return true;
	if (ok)
		snprintf(why, size,
			 "not the address of one node: peers connect to it, so name it (multicast and addresses like 0.0.0.0 are none)");
	else
		snprintf(why, size, strchr(host, ':') && host[0] != '[' ?
			 "an IPv6 address goes into brackets, like [fd00::1]:7789" :
			 "not a numeric IP address (names are not looked up: the name service may be away when it is needed most)");
	return false;
}

void addr_format(const struct sockaddr_storage *sa, char *buf, size_t size)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	char host[INET6_ADDRSTRLEN] = "?";

	switch (sa->ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(buf, size, "%s:%u", host, ntohs(in->sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(buf, size, "[%s]:%u", host, ntohs(in6->sin6_port));
		break;
	default:
		str_copy(buf, "none", size);
	}
}

size_t addr_len(const struct sockaddr_storage *sa)
{
	return sa->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					   sizeof(struct sockaddr_in);
}

bool addr_equal(const struct sockaddr_storage *a,
		const struct sockaddr_storage *b)
{
	char ta[80], tb[80];

	addr_format(a, ta, sizeof(ta));
	addr_format(b, tb, sizeof(tb));
	return !strcmp(ta, tb);
}

static void settings_merge(struct conf_settings *s, const struct conf_settings *over)
{
	opt_merge(&s->opts, &over->opts);
	if (over->secret) {
		s->secret = over->secret;
		s->auth_none = false;
	}
	if (over->auth_set)
		s->auth_none = over->auth_none;
	if (over->loc.file)
		s->loc = over->loc;
}

static bool connects(const struct conf_conn *c, const char *a, const char *b)
{
	return c->host[1] && ((!strcmp(c->host[0], a) && !strcmp(c->host[1], b)) ||
			      (!strcmp(c->host[0], b) && !strcmp(c->host[1], a)));
}

void conf_pair(const struct conf *conf, const struct conf_res *res,
	       const char *a, const char *b, struct conf_settings *set,
	       const struct conf_conn **conn)
{
	const struct conf_conn *c = res->conns;

	memset(set, 0, sizeof(*set));
	settings_merge(set, &conf->common);
	settings_merge(set, &res->set);
	while (c && !connects(c, a, b))
		c = c->next;
	if (c)
		settings_merge(set, &c->set);
	*conn = c;
}

/* Later settings win: common, resource, its volume, the host's volume. */
static void view_volume(const struct conf *conf, const struct conf_res *res,
			const struct conf_volume *v, struct view *view)
{
	struct view_volume *vv = NULL;
	unsigned int i;

	for (i = 0; i < view->n_volumes; i++)
		if (view->volume[i].nr == v->nr)
			vv = &view->volume[i];
	if (!vv) {
		vv = &view->volume[view->n_volumes++];
		vv->nr = v->nr;
		opt_merge(&vv->opts, &conf->common.opts);
		opt_merge(&vv->opts, &res->set.opts);
	}
	opt_merge(&vv->opts, &v->set.opts);
	if (v->minor >= 0)
		vv->minor = v->minor;
	if (v->disk || v->diskless)
		vv->disk = v->disk;
	if (v->meta_set)
		vv->meta_disk = v->meta_disk;
	/* The disk that is written for all hosts is not its own. */
	if (view->witness)
		vv->disk = NULL;
}

static const struct conf_addr *pair_addr(const struct conf_conn *c,
					 const struct conf_host *h)
{
	unsigned int i;

	for (i = 0; c && i < 2; i++)
		if (!strcmp(c->host[i], h->name) && c->addr[i].set)
			return &c->addr[i];
	return &h->addr;
}

static void view_peer(const struct conf *conf, const struct conf_res *res,
		      const struct conf_host *own, const struct conf_host *h,
		      struct view *view)
{
	struct view_peer *p = &view->peer[view->n_peers++];
	const struct conf_conn *c;
	struct conf_settings set;

	conf_pair(conf, res, own->name, h->name, &set, &c);
	p->node_id = h->node_id;
	p->witness = h->witness;
	p->name = h->name;
	p->local = pair_addr(c, own)->sa;
	p->peer = pair_addr(c, h)->sa;
	p->secret = set.auth_none ? NULL : set.secret;
	p->opts = set.opts;
}

bool conf_view(const struct conf *conf, const struct conf_res *res,
	       const char *node, struct view *view)
{
	const struct conf_host *own = conf_host(res, node), *h;
	const struct conf_volume *v;

	memset(view, 0, sizeof(*view));
	if (!own)
		return false;
	view->res = res;
	view->node = own->name;
	view->node_id = own->node_id;
	view->witness = own->witness;
	opt_merge(&view->opts, &conf->common.opts);
	opt_merge(&view->opts, &res->set.opts);
	for (v = res->volumes; v; v = v->next)
		view_volume(conf, res, v, view);
	for (v = own->volumes; v; v = v->next)
		view_volume(conf, res, v, view);
	for (h = res->hosts; h; h = h->next)
		if (h != own)
			view_peer(conf, res, own, h, view);
	return true;
}
