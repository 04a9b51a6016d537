// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line: verbs, options, settings, targets, and help.
 */
#include <stdio.h>

#include "cmd.h"
#include "conf.h"

struct arg_def {
	const char *name;
	char letter;
	const char *value;	/* NULL: takes none */
	bool optional;		/* the value, given as --name=VALUE */
	const char *help;
};

static const struct arg_def args[ARG_COUNT] = {
	[ARG_HELP] = { "help", 'h', NULL, false, "this text" },
	[ARG_NODE] = { "node", 0, "NAME", false,
		"this machine's name in the configuration (else $BLKREPL_NODE, else uname -n)" },
	[ARG_CONFIG_DIR] = { "config-dir", 0, "DIR", false,
		"read the configuration there (else $BLKREPL_CONFIG_DIR, else " CONF_DIR ")" },
	[ARG_DRY_RUN] = { "dry-run", 'd', NULL, false,
		"print the low-level commands, change nothing" },
	[ARG_VERSION] = { "version", 'V', NULL, false, "print the tool's version" },
	[ARG_FORCE] = { "force", 'f', NULL, false, "do it although it may cost data; see blkrepl(8)" },
	[ARG_JSON] = { "json", 'j', NULL, false, "print JSON" },
	[ARG_STATISTICS] = { "statistics", 's', NULL, false, "print counters and latencies too" },
	[ARG_WATCH] = { "watch", 'w', "SECONDS", true, "print again and again, every second by default" },
	[ARG_NOW] = { "now", 0, NULL, false, "print the present state and end" },
	[ARG_CHANGES_ONLY] = { "changes-only", 0, NULL, false, "do not begin with the present state" },
	[ARG_TIMESTAMPS] = { "timestamps", 0, NULL, false, "begin every line with the time" },
	[ARG_WAIT] = { "timeout", 't', "SECONDS", false, "give up after so long, exit code 4" },
	[ARG_DISCARD_MY_DATA] = { "discard-my-data", 0, NULL, false,
		"after a split brain: give up this node's changes" },
	[ARG_META_DISK] = { "meta-disk", 0, "DEVICE", false, "metadata is there, not at the end of the disk" },
	[ARG_MAX_PEERS] = { "max-peers", 0, "N", false, "make room for so many peers, 1 to 31, default 7" },
	[ARG_NAME] = { "name", 0, "NAME", false, "name of the node, for messages" },
	[ARG_LOCAL_ADDR] = { "local-addr", 0, "IP:PORT", false, "where this node listens" },
	[ARG_PEER_ADDR] = { "peer-addr", 0, "IP:PORT", false, "where the peer listens" },
	[ARG_SECRET_FILE] = { "secret-file", 0, "FILE", false, "first line: the shared secret; - is standard input" },
	[ARG_AUTH_NONE] = { "auth-none", 0, NULL, false, "no authentication: only in a network that nobody else reaches" },
	[ARG_RESIZE] = { "size", 0, "SIZE", false, "new size, like 10G; the largest possible if not given" },
	[ARG_SECRETS] = { "secrets", 0, NULL, false, "print the shared secrets too" },
	[ARG_WITNESS] = { "witness", 0, NULL, false, "a node that votes and has no data" },
};

static int usage(const struct verb *v)
{
	if (v)
		err("try: blkrepl %s --help", v->name);
	else
		err("try: blkrepl --help");
	return EX_USAGE;
}

/* ---- help ---- */

static void help_option(FILE *f, const char *name, const char *value,
			bool optional, const char *text)
{
	char left[80];

	snprintf(left, sizeof(left), "--%s%s%s%s", name,
		 !value ? "" : optional ? "[=" : " ", value ? value : "",
		 optional ? "]" : "");
	fprintf(f, "  %-34s %s\n", left, text);
}

static void help_options(FILE *f, uint32_t options, uint32_t settings)
{
	char values[128];
	unsigned int i;

	for (i = 0; i < ARG_COUNT; i++)
		if (options & ARG(i))
			help_option(f, args[i].name, args[i].value,
				    args[i].optional, args[i].help);
	for (i = 0; i < OPT_COUNT; i++) {
		if (!(settings & (1U << i)))
			continue;
		opt_values(i, values, sizeof(values));
		help_option(f, opt_defs[i].name, values, false, opt_defs[i].help);
	}
}

void help_verb(FILE *f, const struct verb *v)
{
	bool any = v->options || v->settings;

	fprintf(f, "blkrepl %s - %s\n\nUsage:\n  blkrepl %s%s%s%s\n", v->name,
		v->summary, v->name, *v->args ? " " : "", v->args,
		any ? " [options]" : "");
	if (any)
		fprintf(f, "\nOptions:\n");
	help_options(f, v->options, v->settings);
	fprintf(f, "\nOptions of every verb:\n");
	help_options(f, ARGS_GLOBAL, 0);
	if (v->examples)
		fprintf(f, "\nExamples:\n%s", v->examples);
}

void help_all(FILE *f)
{
	static const char * const title[] = {
		[VERBS_DAILY] = "Run and change",
		[VERBS_LOOK] = "Look",
		[VERBS_CONFIG] = "From the configuration in " CONF_DIR "/*.conf",
		[VERBS_LOW] = "Without a configuration",
	};
	const struct verb *v;
	unsigned int g;

	fprintf(f, "Usage: blkrepl [options] VERB [arguments]\n\n"
		"Mirror block devices between machines.  RES is a resource, VOL one of its\n"
		"volume numbers, PEER another node's name or node id.\n");
	for (g = 0; g < ARRAY_SIZE(title); g++) {
		fprintf(f, "\n%s:\n", title[g]);
		for (v = verbs; v->name; v++) {
			char left[64];

			if (v->group != g)
				continue;
			snprintf(left, sizeof(left), "%s %s", v->name, v->args);
			fprintf(f, "  %-36s %s\n", left, v->summary);
		}
	}
	fprintf(f, "\nOptions:\n");
	help_options(f, ARGS_GLOBAL | ARG(ARG_VERSION), 0);
	fprintf(f, "\n\"blkrepl VERB --help\" tells more, with examples; so does blkrepl(8).\n"
		"First steps: write " CONF_DIR "/r0.conf (see blkrepl.conf(5)), then\n"
		"  blkrepl create-md r0 && blkrepl up r0 && blkrepl status\n");
}

/* ---- parsing ---- */

static const char *verb_next(unsigned int i, const void *arg)
{
	(void)arg;
	return verbs[i].group == VERBS_HIDDEN ? "" : verbs[i].name;
}

/* For suggest(): what a verb takes. */
struct accepted {
	uint32_t options, settings;
};

static const char *option_next(unsigned int i, const void *arg)
{
	const struct accepted *a = arg;
	unsigned int n;

	for (n = 0; n < ARG_COUNT; n++)
		if ((a->options & ARG(n)) && !i--)
			return args[n].name;
	for (n = 0; n < OPT_COUNT; n++)
		if ((a->settings & (1U << n)) && !i--)
			return opt_defs[n].name;
	return NULL;
}

static int unknown_option(const struct verb *v, const char *name,
			  const struct accepted *a)
{
	const char *hint = suggest(name, option_next, a);

	if (hint)
		err("option --%s is not known%s%s, did you mean --%s?", name,
		    v ? " to " : "", v ? v->name : "", hint);
	else
		err("option --%s is not known%s%s", name, v ? " to " : "",
		    v ? v->name : "");
	return usage(v);
}

/* The words of a command line, one after the other. */
struct words {
	int argc, i;
	char **argv;
};

/* "--name=value" or "--name value" */
static const char *take_value(struct words *w, const char *inline_value)
{
	if (inline_value)
		return inline_value;
	return w->i + 1 < w->argc ? w->argv[++w->i] : NULL;
}

static int take_arg(struct cmd *c, struct words *w, enum arg_id id,
		    const char *inline_value)
{
	const struct arg_def *d = &args[id];

	c->given |= ARG(id);
	c->arg[id] = inline_value;
	if (d->value && !d->optional)
		c->arg[id] = take_value(w, inline_value);
	if (!d->value && inline_value) {
		err("option --%s takes no value", d->name);
		return usage(c->verb);
	}
	if (d->value && !d->optional && !c->arg[id]) {
		err("option --%s needs a value: %s", d->name, d->value);
		return usage(c->verb);
	}
	return 0;
}

static int take_setting(struct cmd *c, struct words *w, enum opt_id id,
			const char *inline_value)
{
	const char *word = take_value(w, inline_value);
	char text[256];
	uint64_t val;

	if (!word) {
		opt_values(id, text, sizeof(text));
		err("option --%s needs a value: %s", opt_defs[id].name, text);
		return usage(c->verb);
	}
	if (!opt_parse(id, word, &val, text, sizeof(text))) {
		err("--%s: %s", opt_defs[id].name, text);
		return EX_USAGE;
	}
	opt_put(&c->opts, id, val);
	return 0;
}

static int take_long(struct cmd *c, struct words *w, const struct accepted *a)
{
	const char *word = w->argv[w->i] + 2, *eq = strchr(word, '=');
	char *name = xstrndup(word, eq ? (size_t)(eq - word) : strlen(word));
	unsigned int id, opt = opt_find(name);
	int ret;

	for (id = 0; id < ARG_COUNT; id++)
		if ((a->options & ARG(id)) && !strcmp(name, args[id].name))
			break;
	if (id < ARG_COUNT)
		ret = take_arg(c, w, id, eq ? eq + 1 : NULL);
	else if (opt < OPT_COUNT && (a->settings & (1U << opt)))
		ret = take_setting(c, w, opt, eq ? eq + 1 : NULL);
	else
		ret = unknown_option(c->verb, name, a);
	free(name);
	return ret;
}

/* "-fj" is "-f -j"; a letter with a value ends the word. */
static int take_short(struct cmd *c, struct words *w, const struct accepted *a)
{
	const char *p = w->argv[w->i] + 1;
	unsigned int id;
	int ret = 0;

	for (; *p && !ret; p++) {
		for (id = 0; id < ARG_COUNT; id++)
			if ((a->options & ARG(id)) && args[id].letter == *p)
				break;
		if (id == ARG_COUNT) {
			err("option -%c is not known%s%s", *p,
			    c->verb ? " to " : "", c->verb ? c->verb->name : "");
			return usage(c->verb);
		}
		if (args[id].value && !args[id].optional)
			return take_arg(c, w, id, p[1] ? p + 1 : NULL);
		ret = take_arg(c, w, id, NULL);
	}
	return ret;
}

static int take_verb(struct cmd *c, const char *word)
{
	const struct verb *v = verbs;
	const char *hint;

	while (v->name && strcmp(v->name, word))
		v++;
	if (v->name) {
		c->verb = v;
		return 0;
	}
	hint = suggest(word, verb_next, NULL);
	if (hint)
		err("\"%s\" is not known, did you mean \"%s\"?", word, hint);
	else
		err("\"%s\" is not known", word);
	return usage(NULL);
}

static int take_word(struct cmd *c, struct words *w, bool *plain)
{
	struct accepted a = { ARGS_GLOBAL, 0 };
	const char *word = w->argv[w->i];

	if (c->verb) {
		a.options |= c->verb->options;
		a.settings = c->verb->settings;
	} else {
		a.options |= ARG(ARG_VERSION);
	}
	if (!*plain && !strcmp(word, "--")) {
		*plain = true;
		return 0;
	}
	if (!*plain && !strncmp(word, "--", 2))
		return take_long(c, w, &a);
	if (!*plain && word[0] == '-' && word[1])
		return take_short(c, w, &a);
	if (!c->verb)
		return take_verb(c, word);
	if (c->npos == (int)ARRAY_SIZE(c->pos)) {
		err("too many arguments");
		return usage(c->verb);
	}
	c->pos[c->npos++] = word;
	return 0;
}

int args_parse(struct cmd *c, int argc, char **argv)
{
	struct words w = { argc, 1, argv };
	bool plain = false;
	int ret;

	for (; w.i < w.argc; w.i++) {
		ret = take_word(c, &w, &plain);
		if (ret)
			return ret;
	}
	if (has(c, ARG_HELP) || has(c, ARG_VERSION))
		return 0;
	if (!c->verb) {
		err("no verb given");
		return usage(NULL);
	}
	if (c->npos < c->verb->min || c->npos > c->verb->max) {
		err("usage: blkrepl %s %s", c->verb->name, c->verb->args);
		return usage(c->verb);
	}
	return 0;
}

int cmd_help(struct cmd *c)
{
	int ret = c->npos ? take_verb(c, c->pos[0]) : 0;

	if (!ret && c->npos)
		help_verb(c->file, c->verb);
	else if (!ret)
		help_all(c->file);
	return ret;
}

/* ---- targets ---- */

static bool bad_target(const char *word, const char *why)
{
	err("\"%s\": %s", word, why);
	return false;
}

/* Cut @s at @sep; what follows is returned. */
static char *cut(char *s, char sep)
{
	char *p = strchr(s, sep);

	if (!p)
		return NULL;
	*p = '\0';
	return p + 1;
}

bool target_parse(const char *word, unsigned int flags, struct target *t)
{
	char copy[3 * BLKREPL_NAME_MAX], why[160];
	char *vol, *peer;
	uint64_t nr;

	memset(t, 0, sizeof(*t));
	t->vol = -1;
	if (!str_copy(copy, word, sizeof(copy)))
		return bad_target(word, "too long for a name");
	if (!strcmp(word, "all")) {
		t->all = true;
		return (flags & TARGET_ALL) ||
		       bad_target(word, "name one resource for this verb");
	}
	vol = cut(copy, '/');
	peer = cut(copy, ':');
	if (!conf_name_ok(copy, why, sizeof(why)))
		return bad_target(word, why);
	str_copy(t->res, copy, sizeof(t->res));
	if (peer && !(flags & TARGET_PEER))
		return bad_target(word, "a peer means nothing to this verb");
	if (peer && (!*peer || !str_copy(t->peer, peer, sizeof(t->peer))))
		return bad_target(word, "after \":\" comes a peer's name or node id");
	if (!peer && (flags & NEED_PEER))
		return bad_target(word, "which peer? expected RES:PEER");
	if (vol && !(flags & TARGET_VOL))
		return bad_target(word, "a volume means nothing to this verb");
	if (vol && (!parse_u64(vol, &nr) || nr >= BLKREPL_MAX_VOLUMES))
		return bad_target(word, "after \"/\" comes a volume number, 0 to 63");
	if (vol)
		t->vol = nr;
	if (!vol && (flags & NEED_VOL))
		return bad_target(word, "which volume? expected RES/VOL");
	return true;
}
