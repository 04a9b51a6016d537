// SPDX-License-Identifier: GPL-2.0-only
/*
 * The grammar of configuration files.  Every section is a table of keywords;
 * what a keyword means on its own is checked here, what keywords mean
 * together is checked in conf_check.c.
 */
#include <stdarg.h>
#include <stdio.h>

#include "conf.h"
#include "conf_lex.h"
#include "util.h"

struct parser {
	struct lexer lex;
	struct token tok;	/* the one that is looked at */
	struct conf *conf;
	struct conf_file *file;
	struct conf_error *err;
};

/* A keyword of a section; @parse begins behind it. */
struct keyword {
	const char *name;
	bool (*parse)(struct parser *p, void *obj);
};

static bool fail_at(struct parser *p, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool fail_at(struct parser *p, int line, const char *fmt, ...)
{
	va_list ap;
	int len;

	len = snprintf(p->err->text, sizeof(p->err->text), "%.300s:%d: ",
		       p->file->name, line);
	va_start(ap, fmt);
	vsnprintf(p->err->text + len, sizeof(p->err->text) - len, fmt, ap);
	va_end(ap);
	return false;
}

static bool advance(struct parser *p)
{
	lex_next(&p->lex, &p->tok);
	if (p->tok.type == TOK_ERROR)
		return fail_at(p, p->tok.line, "%s", p->tok.text);
	return true;
}

static bool expect(struct parser *p, enum tok_type type, const char *what)
{
	char found[TOK_TEXT_MAX + 8];

	if (p->tok.type == type)
		return advance(p);
	return fail_at(p, p->tok.line, "expected %s, found %s", what,
		       tok_describe(&p->tok, found, sizeof(found)));
}

/* A word; @word is left alone on failure. */
static bool expect_word(struct parser *p, const char *what, char **word)
{
	char *copy = xstrdup(p->tok.text);

	if (!expect(p, TOK_WORD, what)) {
		free(copy);
		return false;
	}
	free(*word);
	*word = copy;
	return true;
}

static bool end_statement(struct parser *p)
{
	return expect(p, TOK_SEMI, "\";\" at the end of the statement");
}

static struct conf_loc here(const struct parser *p)
{
	return (struct conf_loc){ p->file->name, p->tok.line };
}

/* A number from 0 to @max. */
static bool expect_number(struct parser *p, const char *what, unsigned int max,
			  unsigned int *val)
{
	uint64_t v;

	if (p->tok.type == TOK_WORD &&
	    (!parse_u64(p->tok.text, &v) || v > max))
		return fail_at(p, p->tok.line,
			       "\"%s\" is no %s, expected a number from 0 to %u",
			       p->tok.text, what, max);
	*val = p->tok.type == TOK_WORD ? v : 0;
	return expect(p, TOK_WORD, what);
}

/* DRBD's words that have another name here: its admins will write them. */
static const struct {
	const char *word, *hint;
} foreign[] = {
	{ "protocol", "write \"options { ack-policy sync|async|quorum; }\" in the resource" },
	{ "shared-secret", "the word is \"secret\"" },
	{ "cram-hmac-alg", "leave it out, authentication is always HMAC-SHA256" },
	{ "data-integrity-alg", "write \"data-crc yes\" in the net section" },
	{ "csums-alg", "leave it out, resync always skips equal blocks" },
	{ "c-max-rate", "the word is \"resync-rate-max\"" },
	{ "c-min-rate", "the word is \"resync-rate-min\"" },
	{ "resync-rate", "write \"resync-rate-max\" in the disk section" },
	{ "syncer", "write \"resync-rate-max\" in the disk section" },
	{ "on-no-data-accessible", "the word is \"on-no-data\"" },
	{ "connection-mesh", "leave it out, every pair of hosts is connected" },
	{ "flexible-meta-disk", "the word is \"meta-disk\"" },
	{ "size", "leave it out, the smallest disk decides" },
	{ "md-flushes", "leave it out, metadata is always flushed" },
};

static const char *keyword_next(unsigned int i, const void *arg)
{
	return ((const struct keyword *)arg)[i].name;
}

static bool unknown_word(struct parser *p, const char *word, int line,
			 const char *section, const char *hint)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(foreign); i++)
		if (!strcmp(word, foreign[i].word))
			return fail_at(p, line, "\"%s\" is not known: %s",
				       word, foreign[i].hint);
	if (hint)
		return fail_at(p, line,
			       "\"%s\" is not known in %s, did you mean \"%s\"?",
			       word, section, hint);
	return fail_at(p, line, "\"%s\" is not known in %s", word, section);
}

/* "{ keyword ... }" */
static bool parse_body(struct parser *p, const char *section,
		       const struct keyword *kw, void *obj)
{
	if (!expect(p, TOK_OPEN, "\"{\""))
		return false;
	while (p->tok.type == TOK_WORD) {
		const struct keyword *k = kw;
		struct token word = p->tok;

		while (k->name && strcmp(k->name, word.text))
			k++;
		if (!k->name)
			return unknown_word(p, word.text, word.line, section,
					    suggest(word.text, keyword_next, kw));
		if (!advance(p) || !k->parse(p, obj))
			return false;
	}
	return expect(p, TOK_CLOSE, "a keyword or \"}\"");
}

/* ---- sections of settings: options, net, disk ---- */

/* Where settings may be written, and of which objects. */
struct settings_body {
	struct conf_settings *set;
	enum opt_section section;
	unsigned int groups;
};

static const char *setting_next(unsigned int i, const void *arg)
{
	const struct settings_body *b = arg;
	unsigned int n;

	for (n = 0; n < OPT_COUNT; n++)
		if (opt_defs[n].section == b->section &&
		    (opt_defs[n].group & b->groups) && !i--)
			return opt_defs[n].name;
	if (b->section != SECT_NET || i > 1)
		return NULL;
	return i ? "auth" : "secret";
}

/* They may stand in different sections: the one of the smaller object counts. */
static bool either_auth(struct parser *p, int line, const struct conf_settings *set)
{
	if (!set->secret || !set->auth_none)
		return true;
	return fail_at(p, line,
		       "\"secret\" and \"auth none\" contradict each other, expected one of them");
}

static bool parse_secret(struct parser *p, struct conf_settings *set)
{
	size_t len = strlen(p->tok.text);
	int line = p->tok.line;

	if (set->secret)
		return fail_at(p, p->tok.line, "\"secret\" is given twice");
	if (p->tok.type == TOK_WORD &&
	    (len < BLKREPL_SECRET_MIN || len > BLKREPL_SECRET_MAX))
		return fail_at(p, p->tok.line,
			       "a secret of %zu bytes, expected %d to %d",
			       len, BLKREPL_SECRET_MIN, BLKREPL_SECRET_MAX);
	p->file->has_secret = true;
	return expect_word(p, "a secret", &set->secret) && either_auth(p, line, set);
}

static bool parse_auth(struct parser *p, struct conf_settings *set)
{
	int line = p->tok.line;

	if (set->auth_set)
		return fail_at(p, p->tok.line, "\"auth\" is given twice");
	if (p->tok.type == TOK_WORD && strcmp(p->tok.text, "none") &&
	    strcmp(p->tok.text, "secret"))
		return fail_at(p, p->tok.line,
			       "auth \"%s\" is not known, expected \"secret\" or \"none\"",
			       p->tok.text);
	set->auth_none = !strcmp(p->tok.text, "none");
	set->auth_set = true;
	return expect(p, TOK_WORD, "\"secret\" or \"none\"") &&
	       either_auth(p, line, set);
}

/* Words that exist, but belong into another section or object. */
static bool misplaced(struct parser *p, const struct token *word,
		      enum opt_id id, const struct settings_body *b)
{
	if (opt_defs[id].section != b->section)
		return fail_at(p, word->line, "\"%s\" belongs into section %s, not %s",
			       word->text, section_name(opt_defs[id].section),
			       section_name(b->section));
	return fail_at(p, word->line, "\"%s\" is a setting of a %s, not of a %s",
		       word->text,
		       opt_defs[id].group == GROUP_VOL ? "volume" : "connection",
		       opt_defs[id].group == GROUP_VOL ? "connection" : "volume");
}

static bool parse_setting(struct parser *p, struct settings_body *b)
{
	struct token word = p->tok;
	enum opt_id id = opt_find(word.text);
	char why[256];
	uint64_t val;

	if (!advance(p))
		return false;
	if (b->section == SECT_NET && !strcmp(word.text, "secret"))
		return parse_secret(p, b->set);
	if (b->section == SECT_NET && !strcmp(word.text, "auth"))
		return parse_auth(p, b->set);
	if (id == OPT_COUNT || opt_defs[id].section == SECT_NONE)
		return unknown_word(p, word.text, word.line,
				    section_name(b->section),
				    suggest(word.text, setting_next, b));
	if (opt_defs[id].section != b->section || !(opt_defs[id].group & b->groups))
		return misplaced(p, &word, id, b);
	if (opt_is_set(&b->set->opts, id))
		return fail_at(p, word.line, "\"%s\" is given twice", word.text);
	if (p->tok.type == TOK_WORD && !opt_parse(id, p->tok.text, &val, why, sizeof(why)))
		return fail_at(p, p->tok.line, "%s: %s", word.text, why);
	if (p->tok.type == TOK_WORD)
		opt_put(&b->set->opts, id, val);
	return expect(p, TOK_WORD, "a value");
}

static bool parse_settings(struct parser *p, struct conf_settings *set,
			   enum opt_section section, unsigned int groups)
{
	struct settings_body b = { set, section, groups };

	if (!set->loc.file)
		set->loc = here(p);
	if (!expect(p, TOK_OPEN, "\"{\""))
		return false;
	while (p->tok.type == TOK_WORD)
		if (!parse_setting(p, &b) || !end_statement(p))
			return false;
	return expect(p, TOK_CLOSE, "a setting or \"}\"");
}

/* ---- volume ---- */

static bool parse_device_path(struct parser *p, struct conf_volume *v)
{
	static const char prefix[] = "/dev/blkrepl";
	uint64_t minor;

	if (strncmp(p->tok.text, prefix, strlen(prefix)) ||
	    !parse_u64(p->tok.text + strlen(prefix), &minor) || minor >= 1U << 20)
		return fail_at(p, p->tok.line,
			       "device \"%s\", expected \"minor N\" or /dev/blkreplN",
			       p->tok.text);
	v->minor = minor;
	return advance(p);
}

static bool vol_device(struct parser *p, void *obj)
{
	struct conf_volume *v = obj;
	unsigned int minor;

	if (v->minor >= 0)
		return fail_at(p, p->tok.line, "\"device\" is given twice");
	if (p->tok.type == TOK_WORD && strcmp(p->tok.text, "minor") &&
	    !parse_device_path(p, v))
		return false;
	if (p->tok.type == TOK_WORD && !strcmp(p->tok.text, "minor")) {
		int line = p->tok.line;

		if (!advance(p) ||
		    !expect_number(p, "device minor", (1U << 20) - 1, &minor))
			return false;
		if (v->minor >= 0 && v->minor != (int)minor)
			return fail_at(p, line,
				       "/dev/blkrepl%d has the minor %d, not %u",
				       v->minor, v->minor, minor);
		v->minor = minor;
	}
	if (v->minor < 0)
		return expect(p, TOK_WORD, "\"minor N\" or /dev/blkreplN");
	return end_statement(p);
}

static bool parse_path(struct parser *p, const char *what, char **path)
{
	if (p->tok.type == TOK_WORD && p->tok.text[0] != '/')
		return fail_at(p, p->tok.line,
			       "%s \"%s\", expected a path from / on", what,
			       p->tok.text);
	if (strlen(p->tok.text) >= BLKREPL_PATH_MAX)
		return fail_at(p, p->tok.line, "%s: the path is longer than %d bytes",
			       what, BLKREPL_PATH_MAX - 1);
	return expect_word(p, "a path", path) && end_statement(p);
}

/* "disk /dev/x;", "disk none;", or the section "disk { ... }" */
static bool vol_disk(struct parser *p, void *obj)
{
	struct conf_volume *v = obj;

	if (p->tok.type == TOK_OPEN)
		return parse_settings(p, &v->set, SECT_DISK, GROUP_VOL);
	if (v->disk || v->diskless)
		return fail_at(p, p->tok.line, "\"disk\" is given twice");
	if (p->tok.type == TOK_WORD && !strcmp(p->tok.text, "none")) {
		v->diskless = true;
		return advance(p) && end_statement(p);
	}
	return parse_path(p, "disk", &v->disk);
}

static bool vol_meta_disk(struct parser *p, void *obj)
{
	struct conf_volume *v = obj;

	if (v->meta_set)
		return fail_at(p, p->tok.line, "\"meta-disk\" is given twice");
	v->meta_set = true;
	if (p->tok.type == TOK_WORD && !strcmp(p->tok.text, "internal"))
		return advance(p) && end_statement(p);
	return parse_path(p, "meta-disk", &v->meta_disk);
}

static const struct keyword volume_kw[] = {
	{ "device", vol_device },
	{ "disk", vol_disk },
	{ "meta-disk", vol_meta_disk },
	{ NULL, NULL }
};

static struct conf_volume *volume_get(struct parser *p, struct conf_volume **list,
				      unsigned int nr, bool *made)
{
	struct conf_volume *v;

	for (; *list; list = &(*list)->next)
		if ((*list)->nr == nr)
			break;
	*made = !*list;
	if (*list)
		return *list;
	v = xzalloc(sizeof(*v));
	v->nr = nr;
	v->minor = -1;
	v->loc = here(p);
	*list = v;
	return v;
}

static bool parse_volume(struct parser *p, struct conf_volume **list)
{
	struct conf_volume *v;
	unsigned int nr;
	int line = p->tok.line;
	bool made;

	if (!expect_number(p, "volume number", BLKREPL_MAX_VOLUMES - 1, &nr))
		return false;
	v = volume_get(p, list, nr, &made);
	if (!made)
		return fail_at(p, line, "volume %u is already there, line %d", nr,
			       v->loc.line);
	v->loc.line = line;
	return parse_body(p, "a volume", volume_kw, v);
}

/* "device", "disk" and "meta-disk" outside of a volume section: volume 0. */
static struct conf_volume *volume_0(struct parser *p, struct conf_volume **list)
{
	bool made;

	return volume_get(p, list, 0, &made);
}

/* ---- on HOST ---- */

static bool parse_name(struct parser *p, const char *what, char **name)
{
	char why[128], text[64];

	if (p->tok.type == TOK_WORD && !conf_name_ok(p->tok.text, why, sizeof(why)))
		return fail_at(p, p->tok.line, "%s \"%s\": %s", what, p->tok.text, why);
	snprintf(text, sizeof(text), "a %s", what);
	return expect_word(p, text, name);
}

/* "[ipv4|ipv6] ADDRESS:PORT" */
static bool parse_address(struct parser *p, struct conf_addr *addr)
{
	char why[128];

	if (addr->set)
		return fail_at(p, p->tok.line, "\"address\" is given twice");
	if (!strcmp(p->tok.text, "ipv4") || !strcmp(p->tok.text, "ipv6"))
		if (!advance(p))
			return false;
	addr->loc = here(p);
	if (p->tok.type == TOK_WORD &&
	    !addr_parse(p->tok.text, &addr->sa, why, sizeof(why)))
		return fail_at(p, p->tok.line, "address \"%s\": %s", p->tok.text, why);
	addr->set = p->tok.type == TOK_WORD;
	return expect(p, TOK_WORD, "an address, like 10.0.0.1:7789 or [fd00::1]:7789");
}

static bool host_address(struct parser *p, void *obj)
{
	struct conf_host *h = obj;

	return parse_address(p, &h->addr) && end_statement(p);
}

static bool host_node_id(struct parser *p, void *obj)
{
	struct conf_host *h = obj;
	unsigned int id;

	if (h->node_id >= 0)
		return fail_at(p, p->tok.line, "\"node-id\" is given twice");
	if (!expect_number(p, "node id", BLKREPL_MAX_NODES - 1, &id))
		return false;
	h->node_id = id;
	return end_statement(p);
}

static bool host_witness(struct parser *p, void *obj)
{
	struct conf_host *h = obj;

	if (h->witness_set)
		return fail_at(p, p->tok.line, "\"witness\" is given twice");
	if (p->tok.type == TOK_WORD && strcmp(p->tok.text, "yes") &&
	    strcmp(p->tok.text, "no"))
		return fail_at(p, p->tok.line,
			       "witness \"%s\" is not known, expected \"yes\" or \"no\"",
			       p->tok.text);
	h->witness = !strcmp(p->tok.text, "yes");
	h->witness_set = true;
	return expect(p, TOK_WORD, "\"yes\" or \"no\"") && end_statement(p);
}

static bool host_volume(struct parser *p, void *obj)
{
	return parse_volume(p, &((struct conf_host *)obj)->volumes);
}

static bool host_device(struct parser *p, void *obj)
{
	return vol_device(p, volume_0(p, &((struct conf_host *)obj)->volumes));
}

static bool host_disk(struct parser *p, void *obj)
{
	return vol_disk(p, volume_0(p, &((struct conf_host *)obj)->volumes));
}

static bool host_meta_disk(struct parser *p, void *obj)
{
	return vol_meta_disk(p, volume_0(p, &((struct conf_host *)obj)->volumes));
}

static const struct keyword host_kw[] = {
	{ "node-id", host_node_id },
	{ "witness", host_witness },
	{ "address", host_address },
	{ "volume", host_volume },
	{ "device", host_device },
	{ "disk", host_disk },
	{ "meta-disk", host_meta_disk },
	{ NULL, NULL }
};

/* ---- connection ---- */

static bool conn_host(struct parser *p, void *obj)
{
	struct conf_conn *c = obj;
	unsigned int i = c->host[0] ? 1 : 0;

	if (c->host[1])
		return fail_at(p, p->tok.line, "a connection has two hosts, this is a third one");
	if (!parse_name(p, "host name", &c->host[i]))
		return false;
	if (p->tok.type == TOK_WORD && !strcmp(p->tok.text, "address"))
		if (!advance(p) || !parse_address(p, &c->addr[i]))
			return false;
	return end_statement(p);
}

static bool conn_net(struct parser *p, void *obj)
{
	return parse_settings(p, &((struct conf_conn *)obj)->set, SECT_NET, GROUP_PEER);
}

static bool conn_disk(struct parser *p, void *obj)
{
	return parse_settings(p, &((struct conf_conn *)obj)->set, SECT_DISK, GROUP_PEER);
}

static const struct keyword conn_kw[] = {
	{ "host", conn_host },
	{ "net", conn_net },
	{ "disk", conn_disk },
	{ NULL, NULL }
};

/* ---- resource ---- */

static bool res_options(struct parser *p, void *obj)
{
	return parse_settings(p, &((struct conf_res *)obj)->set, SECT_OPTIONS, GROUP_RES);
}

static bool res_net(struct parser *p, void *obj)
{
	return parse_settings(p, &((struct conf_res *)obj)->set, SECT_NET, GROUP_PEER);
}

static bool res_disk(struct parser *p, void *obj)
{
	struct conf_res *res = obj;

	if (p->tok.type == TOK_OPEN)
		return parse_settings(p, &res->set, SECT_DISK,
				      GROUP_VOL | GROUP_PEER);
	return vol_disk(p, volume_0(p, &res->volumes));
}

static bool res_device(struct parser *p, void *obj)
{
	return vol_device(p, volume_0(p, &((struct conf_res *)obj)->volumes));
}

static bool res_meta_disk(struct parser *p, void *obj)
{
	return vol_meta_disk(p, volume_0(p, &((struct conf_res *)obj)->volumes));
}

static bool res_volume(struct parser *p, void *obj)
{
	return parse_volume(p, &((struct conf_res *)obj)->volumes);
}

static bool res_on(struct parser *p, void *obj)
{
	struct conf_host **link = &((struct conf_res *)obj)->hosts, *h;

	for (; *link; link = &(*link)->next)
		if (!strcmp((*link)->name, p->tok.text))
			return fail_at(p, p->tok.line, "host %s is already there, line %d",
				       p->tok.text, (*link)->loc.line);
	h = xzalloc(sizeof(*h));
	h->loc = here(p);
	h->node_id = -1;
	*link = h;
	if (parse_name(p, "host name", &h->name))
		return parse_body(p, "a host", host_kw, h);
	/* conf_check() and lookups rely on names */
	*link = NULL;
	free(h);
	return false;
}

static bool res_connection(struct parser *p, void *obj)
{
	struct conf_conn **link = &((struct conf_res *)obj)->conns, *c;

	while (*link)
		link = &(*link)->next;
	c = xzalloc(sizeof(*c));
	c->loc = here(p);
	*link = c;
	return parse_body(p, "a connection", conn_kw, c);
}

static const struct keyword res_kw[] = {
	{ "options", res_options },
	{ "net", res_net },
	{ "disk", res_disk },
	{ "volume", res_volume },
	{ "on", res_on },
	{ "connection", res_connection },
	{ "device", res_device },
	{ "meta-disk", res_meta_disk },
	{ NULL, NULL }
};

static bool parse_resource(struct parser *p, void *obj)
{
	struct conf *conf = obj;
	struct conf_res **link = &conf->resources, *res;

	for (; *link; link = &(*link)->next)
		if (!strcmp((*link)->name, p->tok.text))
			return fail_at(p, p->tok.line,
				       "resource %s is already there, %.200s:%d",
				       p->tok.text, (*link)->loc.file,
				       (*link)->loc.line);
	res = xzalloc(sizeof(*res));
	res->loc = here(p);
	*link = res;
	if (parse_name(p, "resource name", &res->name))
		return parse_body(p, "a resource", res_kw, res);
	*link = NULL;
	free(res);
	return false;
}

/* ---- common ---- */

static bool common_options(struct parser *p, void *obj)
{
	return parse_settings(p, obj, SECT_OPTIONS, GROUP_RES);
}

static bool common_net(struct parser *p, void *obj)
{
	return parse_settings(p, obj, SECT_NET, GROUP_PEER);
}

static bool common_disk(struct parser *p, void *obj)
{
	return parse_settings(p, obj, SECT_DISK, GROUP_VOL | GROUP_PEER);
}

static const struct keyword common_kw[] = {
	{ "options", common_options },
	{ "net", common_net },
	{ "disk", common_disk },
	{ NULL, NULL }
};

static bool parse_common(struct parser *p, void *obj)
{
	return parse_body(p, "common", common_kw, &((struct conf *)obj)->common);
}

static const struct keyword top_kw[] = {
	{ "resource", parse_resource },
	{ "common", parse_common },
	{ NULL, NULL }
};

static bool parse_file(struct parser *p)
{
	if (!advance(p))
		return false;
	while (p->tok.type == TOK_WORD) {
		const struct keyword *k = top_kw;

		while (k->name && strcmp(k->name, p->tok.text))
			k++;
		if (!k->name)
			return unknown_word(p, p->tok.text, p->tok.line,
					    "a configuration file",
					    suggest(p->tok.text, keyword_next, top_kw));
		if (!advance(p) || !k->parse(p, p->conf))
			return false;
	}
	return expect(p, TOK_END, "\"resource\" or \"common\"");
}

int conf_parse_into(struct conf *conf, const char *name, const char *buf,
		    size_t len, struct conf_error *err)
{
	struct parser p = { .conf = conf, .err = err };
	struct conf_file **link = &conf->files;

	while (*link)
		link = &(*link)->next;
	p.file = xzalloc(sizeof(*p.file));
	p.file->name = xstrdup(name);
	*link = p.file;
	err->text[0] = '\0';
	lex_init(&p.lex, buf, len);
	return parse_file(&p) ? 0 : -1;
}
