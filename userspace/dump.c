// SPDX-License-Identifier: GPL-2.0-only
/*
 * Print a configuration as a file that means the same.
 */
#include <stdio.h>

#include "conf.h"
#include "dump.h"
#include "util.h"

static void quoted(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

static void dump_auth(FILE *f, int depth, const struct conf_settings *set, bool secrets)
{
	if (set->secret && secrets) {
		fprintf(f, "%*ssecret ", depth + 4, "");
		quoted(f, set->secret);
		fprintf(f, ";\n");
	} else if (set->secret) {
		fprintf(f, "%*s# secret not shown, see --secrets\n", depth + 4, "");
	}
	if (set->auth_set)
		fprintf(f, "%*sauth %s;\n", depth + 4, "",
			set->auth_none ? "none" : "secret");
}

static bool section_used(const struct conf_settings *set, enum opt_section s)
{
	unsigned int i;

	for (i = 0; i < OPT_COUNT; i++)
		if (opt_defs[i].section == s && opt_is_set(&set->opts, i))
			return true;
	return s == SECT_NET && (set->secret || set->auth_set);
}

static void dump_settings(FILE *f, int depth, const struct conf_settings *set,
			  bool secrets)
{
	enum opt_section s;
	unsigned int i;
	char val[64];

	for (s = SECT_OPTIONS; s <= SECT_DISK; s++) {
		if (!section_used(set, s))
			continue;
		fprintf(f, "%*s%s {\n", depth, "", section_name(s));
		if (s == SECT_NET)
			dump_auth(f, depth, set, secrets);
		for (i = 0; i < OPT_COUNT; i++) {
			if (opt_defs[i].section != s || !opt_is_set(&set->opts, i))
				continue;
			opt_format(i, set->opts.val[i], val, sizeof(val));
			fprintf(f, "%*s%s %s;\n", depth + 4, "", opt_defs[i].name, val);
		}
		fprintf(f, "%*s}\n", depth, "");
	}
}

static void dump_path(FILE *f, int depth, const char *word, const char *path)
{
	if (!path)
		return;
	fprintf(f, "%*s%s ", depth, "", word);
	quoted(f, path);
	fprintf(f, ";\n");
}

static void dump_volumes(FILE *f, int depth, const struct conf_volume *v)
{
	for (; v; v = v->next) {
		fprintf(f, "%*svolume %u {\n", depth, "", v->nr);
		if (v->minor >= 0)
			fprintf(f, "%*sdevice minor %d;\n", depth + 4, "", v->minor);
		dump_path(f, depth + 4, "disk", v->disk);
		if (v->diskless)
			fprintf(f, "%*sdisk none;\n", depth + 4, "");
		dump_path(f, depth + 4, "meta-disk", v->meta_disk);
		if (v->meta_set && !v->meta_disk)
			fprintf(f, "%*smeta-disk internal;\n", depth + 4, "");
		dump_settings(f, depth + 4, &v->set, false);
		fprintf(f, "%*s}\n", depth, "");
	}
}

static void dump_address(FILE *f, const char *before, const struct conf_addr *a)
{
	char text[80];

	if (!a->set)
		return;
	addr_format(&a->sa, text, sizeof(text));
	fprintf(f, "%saddress %s", before, text);
}

static void dump_host(FILE *f, const struct conf_host *h)
{
	fprintf(f, "    on %s {\n", h->name);
	if (h->node_id >= 0)
		fprintf(f, "        node-id %d;\n", h->node_id);
	if (h->witness_set)
		fprintf(f, "        witness %s;\n", h->witness ? "yes" : "no");
	if (h->addr.set) {
		dump_address(f, "        ", &h->addr);
		fprintf(f, ";\n");
	}
	dump_volumes(f, 8, h->volumes);
	fprintf(f, "    }\n");
}

static void dump_conn(FILE *f, const struct conf_conn *c, bool secrets)
{
	unsigned int i;

	fprintf(f, "    connection {\n");
	for (i = 0; i < 2; i++) {
		fprintf(f, "        host %s", c->host[i]);
		dump_address(f, " ", &c->addr[i]);
		fprintf(f, ";\n");
	}
	dump_settings(f, 8, &c->set, secrets);
	fprintf(f, "    }\n");
}

void dump_common(FILE *f, const struct conf *conf, bool secrets)
{
	if (!conf->common.loc.file)
		return;
	fprintf(f, "common {\n");
	dump_settings(f, 4, &conf->common, secrets);
	fprintf(f, "}\n");
}

void dump_resource(FILE *f, const struct conf_res *res, bool secrets)
{
	const struct conf_host *h;
	const struct conf_conn *c;

	fprintf(f, "# %s:%d\nresource %s {\n", res->loc.file, res->loc.line, res->name);
	dump_settings(f, 4, &res->set, secrets);
	dump_volumes(f, 4, res->volumes);
	for (h = res->hosts; h; h = h->next)
		dump_host(f, h);
	for (c = res->conns; c; c = c->next)
		dump_conn(f, c, secrets);
	fprintf(f, "}\n");
}
